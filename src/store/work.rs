//! One unit of work: what the store knows that bears on an occasion, the decision applied with its letters, all in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::{Any, Row, Transaction};

use super::apply::Link;
use super::letters::{LetterId, digest};
use super::pool::{Engine, Store, micros};
use super::requests::{REQUEST, grouped, read_all};
use super::statement::{list, made, padded};
use crate::desk::decide::{Concern, Decision};
use crate::desk::event::Event;
use crate::desk::request::{Number, Pending, Request, RequestId};

/// A transaction that holds the desk's one write lock: nobody else decides or numbers meanwhile. Dropped without commit, it never was.
#[derive(Debug)]
pub struct Work {
    pub(crate) tx: Transaction<'static, Any>,
    /// The next ids and the head of the chain, as they will be written at the end.
    pub(crate) ledger: Ledger,
    /// The last number given in each year.
    pub(crate) numbers: BTreeMap<i32, u32>,
    /// The years whose last number has changed.
    pub(crate) numbered: BTreeSet<i32>,
    /// Entries of the history that wait to be written together.
    pub(crate) links: Vec<Link>,
    /// Set while a decision is being written; left set if that failed, and then nothing may be committed.
    pub(crate) spoiled: bool,
}

/// The ledger's one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) request: i64,
    pub(crate) pending: i64,
    pub(crate) outbox: i64,
    pub(crate) seq: i64,
    pub(crate) head: [u8; 32],
}

/// The names that a decision's rows will have, given before its letters are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The request concerned: a new name for an opened one.
    pub request: Option<RequestId>,
    /// The pending that the decision opens, if it opens one.
    pub pending: Option<i64>,
    /// One name for each notice, in order.
    pub outbox: Vec<i64>,
}

/// What is recorded of a letter with its decision.
#[derive(Debug, Clone)]
pub struct LetterResult {
    /// Which letter.
    pub id: LetterId,
    /// SHA-256 of its bytes; part of the chain (R36).
    pub sha256: [u8; 32],
    /// Its Message-ID, without brackets.
    pub message_id: Option<String>,
    /// The identity that survives another path (K3); none if it could not be read.
    pub content_key: Option<[u8; 32]>,
    /// The comparison key of the sender's address.
    pub sender: Option<String>,
    /// The JSON that `explain --json` prints for it.
    pub explanation: String,
}

/// A letter of ours, written and ready: one recipient, fixed bytes.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The name from [`Names::outbox`].
    pub id: i64,
    /// The recipient's address.
    pub recipient: String,
    /// The comparison key of that address; limits count by it.
    pub recipient_key: String,
    /// The template's word.
    pub template: String,
    /// Whether it counts against R12's one refusal a day.
    pub refusal: bool,
    /// Whether it is for the desk's own people.
    pub internal: bool,
    /// Its subject, for `explain`.
    pub subject: String,
    /// Its Message-ID, without brackets.
    pub message_id: String,
    /// Its bytes as they will be sent, CRLF line ends.
    pub bytes: Vec<u8>,
}

/// A letter of ours that is already in the store, as a token or Message-ID leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its name.
    pub id: i64,
    /// The request it was about.
    pub request: Option<RequestId>,
    /// The pending that a reply to it settles.
    pub pending: Option<i64>,
    /// To whom it went.
    pub recipient: String,
    /// Whether it was for the desk's own people.
    pub internal: bool,
}

impl Store {
    /// Begins a unit of work and takes the write lock (`BEGIN IMMEDIATE` on SQLite, a row lock on PostgreSQL).
    ///
    /// # Errors
    /// The database is not there, or another holder kept the lock too long; [`super::pool::Fenced`] if another daemon has taken over.
    pub async fn begin(&self) -> Result<Work> {
        let mut tx = self.begin_write().await?;
        self.check_fence(&mut tx).await?;
        let row = sqlx::query(match self.engine {
            Engine::Sqlite => {
                "SELECT next_request, next_pending, next_outbox, next_seq, head FROM ledger"
            }
            Engine::Postgres => {
                "SELECT next_request, next_pending, next_outbox, next_seq, head FROM ledger FOR UPDATE"
            }
        })
        .fetch_one(&mut *tx)
        .await
        .context("Can't lock the ledger")?;
        let ledger = Ledger {
            request: row.try_get(0)?,
            pending: row.try_get(1)?,
            outbox: row.try_get(2)?,
            seq: row.try_get(3)?,
            head: digest(&row.try_get::<Vec<u8>, _>(4)?)?,
        };
        // A statement of its own, after the lock: PostgreSQL would read it as it stood before the wait.
        let mut numbers = BTreeMap::new();
        for row in sqlx::query("SELECT year, last FROM numbers")
            .fetch_all(&mut *tx)
            .await?
        {
            numbers.insert(
                i32::try_from(row.try_get::<i64, _>(0)?)?,
                u32::try_from(row.try_get::<i64, _>(1)?)?,
            );
        }
        Ok(Work {
            tx,
            ledger,
            numbers,
            numbered: BTreeSet::new(),
            links: vec![],
            spoiled: false,
        })
    }
}

impl Work {
    /// The last number given in each year (R17), as of this unit of work.
    pub fn last_numbers(&self) -> &BTreeMap<i32, u32> {
        &self.numbers
    }

    /// A request with what it waits for.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request(&mut self, id: RequestId) -> Result<Option<Request>> {
        let query = made(format!("{REQUEST} WHERE r.id = $1 ORDER BY p.id")).bind(id.0);
        Ok(read_all(&query.fetch_all(&mut *self.tx).await?)?.pop())
    }

    /// The same by number.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request_by_number(&mut self, number: Number) -> Result<Option<Request>> {
        let query = made(format!(
            "{REQUEST} WHERE r.number_year = $1 AND r.number_count = $2 ORDER BY p.id"
        ))
        .bind(i64::from(number.year()))
        .bind(i64::from(number.count()));
        Ok(read_all(&query.fetch_all(&mut *self.tx).await?)?.pop())
    }

    /// The request whose letters (received or sent) include the first of these Message-IDs that is known, tried in order. Where several
    /// letters bear one Message-ID, a letter of ours goes before one received, and the earlier before the later. Only the first 64 are tried.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request_by_message_ids(
        &mut self,
        ids: &[String],
    ) -> Result<Option<(RequestId, String)>> {
        let Some(piece) = padded(ids.get(..ids.len().min(64)).unwrap_or_default()).next() else {
            return Ok(None);
        };
        let places = list(1, piece.len());
        let mut query = made(format!(
            "SELECT message_id, request_id, 0 AS source, id FROM outbox WHERE message_id IN ({places}) AND request_id IS NOT NULL \
             UNION ALL \
             SELECT message_id, request_id, 1 AS source, id FROM letters WHERE message_id IN ({places}) AND request_id IS NOT NULL \
             ORDER BY source, id"
        ));
        for id in &piece {
            query = query.bind(id.clone());
        }
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for row in query.fetch_all(&mut *self.tx).await? {
            found.entry(row.try_get(0)?).or_insert(row.try_get(1)?);
        }
        Ok(ids
            .iter()
            .find_map(|id| Some((RequestId(*found.get(id)?), id.clone()))))
    }

    /// A letter of ours by its name.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn sent(&mut self, outbox: i64) -> Result<Option<Sent>> {
        let row = sqlx::query(
            "SELECT id, request_id, pending_id, recipient, internal FROM outbox WHERE id = $1",
        )
        .bind(outbox)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.map(|row| {
            Ok(Sent {
                id: row.try_get(0)?,
                request: row.try_get::<Option<i64>, _>(1)?.map(RequestId),
                pending: row.try_get(2)?,
                recipient: row.try_get(3)?,
                internal: row.try_get::<i64, _>(4)? != 0,
            })
        })
        .transpose()
    }

    /// Whether a letter with this content key was decided on before (K3).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn content_seen(&mut self, content_key: &[u8; 32], except: LetterId) -> Result<bool> {
        let row = sqlx::query(
            "SELECT id FROM letters WHERE content_key = $1 AND id <> $2 AND decided_us IS NOT NULL LIMIT 1",
        )
        .bind(content_key.to_vec())
        .bind(except.0)
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(row.is_some())
    }

    /// How many automatic letters, and how many of them refusals, were written to this address since the two moments; and how many
    /// requests it opened since the first. Letters for the desk's own people don't count: a specialist who writes is not a flood.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn counts(
        &mut self,
        address_key: &str,
        hour_ago: DateTime<Utc>,
        day_began: DateTime<Utc>,
    ) -> Result<Counts> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM outbox WHERE recipient_key = $1 AND created_us >= $2 AND internal = 0), \
                    (SELECT COUNT(*) FROM requests WHERE requester_key = $1 AND created_us >= $2), \
                    (SELECT COUNT(*) FROM outbox WHERE recipient_key = $1 AND created_us >= $3 AND refusal = 1)",
        )
        .bind(address_key.to_owned())
        .bind(micros(hour_ago))
        .bind(micros(day_began))
        .fetch_one(&mut *self.tx)
        .await?;
        let count = |column: usize| -> Result<u32> {
            Ok(u32::try_from(row.try_get::<i64, _>(column)?).unwrap_or(u32::MAX))
        };
        Ok(Counts {
            letters_last_hour: count(0)?,
            requests_last_hour: count(1)?,
            refusals_today: count(2)?,
        })
    }

    /// Queued requests whose moment has come, in order of arrival; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn openings(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Request>> {
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE number_count IS NULL AND opens_us <= $1 \
             ORDER BY arrived_us, id LIMIT $2) ORDER BY r.arrived_us, r.id, p.id"
        ))
        .bind(micros(now))
        .bind(i64::from(limit));
        read_all(&query.fetch_all(&mut *self.tx).await?)
    }

    /// Pendings whose time is over, oldest first, with their requests; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn lapses(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        let due = sqlx::query(
            "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND lapses_us <= $1 ORDER BY lapses_us, id LIMIT $2",
        )
        .bind(micros(now))
        .bind(i64::from(limit))
        .fetch_all(&mut *self.tx)
        .await?;
        let mut ids = vec![];
        for row in &due {
            ids.push(row.try_get::<i64, _>(1)?);
        }
        let mut found = BTreeMap::new();
        for piece in padded(&ids) {
            let mut query = made(format!(
                "{REQUEST} WHERE r.id IN ({}) ORDER BY r.id, p.id",
                list(1, piece.len())
            ));
            for id in piece {
                query = query.bind(id);
            }
            found.extend(grouped(&query.fetch_all(&mut *self.tx).await?)?);
        }
        let mut lapsed = vec![];
        for row in &due {
            let (pending, request) = (row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?);
            let request = found
                .get(&request)
                .with_context(|| format!("Pending {pending} belongs to no request"))?;
            if let Some(pending) = request.pending.iter().find(|p| p.id == pending) {
                lapsed.push((request.clone(), pending.clone()));
            }
        }
        Ok(lapsed)
    }

    /// Gives the names that this decision's rows will have.
    pub fn name(&mut self, decision: &Decision) -> Names {
        let take = |next: &mut i64| {
            let taken = *next;
            *next = next.saturating_add(1);
            taken
        };
        let request = match &decision.concern {
            Concern::Nothing => None,
            Concern::Opened(_) => Some(RequestId(take(&mut self.ledger.request))),
            Concern::Existing(id) => Some(*id),
        };
        let waits = decision
            .events
            .iter()
            .any(|event| matches!(event, Event::Waits { .. }));
        Names {
            request,
            pending: waits.then(|| take(&mut self.ledger.pending)),
            outbox: decision
                .notices
                .iter()
                .map(|_| take(&mut self.ledger.outbox))
                .collect(),
        }
    }

    /// Makes everything of this unit of work durable at once.
    ///
    /// # Errors
    /// The database refused: nothing happened, or (connection lost) it may have; the letter's state tells on the next look.
    pub async fn commit(mut self) -> Result<()> {
        if self.spoiled {
            bail!("A decision was written only in part; nothing of this unit of work may stay");
        }
        self.write_links().await?;
        sqlx::query(
            "UPDATE ledger SET next_request = $1, next_pending = $2, next_outbox = $3, next_seq = $4, head = $5",
        )
        .bind(self.ledger.request)
        .bind(self.ledger.pending)
        .bind(self.ledger.outbox)
        .bind(self.ledger.seq)
        .bind(self.ledger.head.to_vec())
        .execute(&mut *self.tx)
        .await?;
        for year in &self.numbered {
            let last = self.numbers.get(year).copied().unwrap_or_default();
            sqlx::query(
                "INSERT INTO numbers (year, last) VALUES ($1, $2) ON CONFLICT (year) DO UPDATE SET last = excluded.last",
            )
            .bind(i64::from(*year))
            .bind(i64::from(last))
            .execute(&mut *self.tx)
            .await?;
        }
        self.tx
            .commit()
            .await
            .context("The unit of work was not committed")
    }
}

/// What R12 and R48 count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Automatic letters to the address since an hour ago.
    pub letters_last_hour: u32,
    /// Requests it opened since an hour ago.
    pub requests_last_hour: u32,
    /// Refusals and redirects to it since the day began.
    pub refusals_today: u32,
}
