//! One unit of work: what the store knows that bears on an occasion, the decision applied with its letters, all in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Row, Transaction};

use super::column::{Pressed, digest, micros};
use super::lately::{self, Lately, Since};
use super::letters::LetterId;
use super::pool::{Engine, Store};
use super::requests::{REQUEST, grouped, read_all};
use super::statement::{list, made, padded};
use super::unwritten::Unwritten;
use crate::desk::assurance::Level;
use crate::desk::decide::{Concern, Decision};
use crate::desk::event::Event;
use crate::desk::request::{Pending, Request, RequestId};

/// One unit of work. It sees the store and its own decisions; what it decides is written together, at the latest when it is committed.
/// Dropped without commit, it never was.
#[derive(Debug)]
pub struct Work {
    store: Store,
    hold: Hold,
    /// The ledger as it was when the work began.
    began: Ledger,
    /// The next ids and the head of the chain, as they will be written at the end.
    pub(crate) ledger: Ledger,
    /// The last number given in each year.
    pub(crate) numbers: BTreeMap<i32, u32>,
    /// The years whose last number has changed.
    pub(crate) numbered: BTreeSet<i32>,
    pub(crate) unwritten: Unwritten,
    pub(crate) lately: Lately,
    /// Decisions that were entered and not recorded yet.
    pub(crate) entered: u32,
    /// Set while a decision is taken over or written; left set if that failed, and then nothing may be committed.
    pub(crate) spoiled: bool,
}

/// What a unit of work stands on.
#[derive(Debug)]
enum Hold {
    /// A connection to look with: nothing is written yet.
    Looking(PoolConnection<Any>),
    /// A transaction that holds the desk's one write lock: nobody else decides or numbers meanwhile.
    Locked(Transaction<'static, Any>),
}

/// While a unit of work looked without the lock, another one was committed: what it saw holds no more. Nothing of it was written; begin
/// again, with the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved;

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Somebody else decided meanwhile")
    }
}

impl std::error::Error for Moved {}

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
    /// One name for each pending that the decision opens, in order.
    pub pendings: Vec<i64>,
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
    /// The identity of the signature that vouches for it (K4), if one does.
    pub signature_key: Option<[u8; 32]>,
    /// The comparison key of the sender's address.
    pub sender: Option<String>,
    /// How sure the desk is of that sender.
    pub assurance: Level,
}

/// What a decision was written as.
#[derive(Debug, Default)]
pub struct Written {
    /// The JSON that `explain --json` prints for the letter decided on; none if the decision was on no letter.
    pub explanation: Option<Pressed>,
    /// The letters to send, one for each notice.
    pub letters: Vec<Outgoing>,
}

/// A letter of ours, written and ready: one recipient, fixed bytes.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The name from [`Names::outbox`].
    pub id: i64,
    /// The recipient's address.
    pub recipient: String,
    /// The comparison key of that address.
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
    pub bytes: Pressed,
}

impl Store {
    /// Begins a unit of work and takes the write lock (`BEGIN IMMEDIATE` on SQLite, a row lock on PostgreSQL). On SQLite every other write
    /// waits until it ends, so nothing else of the store may be awaited meanwhile but what reads.
    ///
    /// # Errors
    /// The database is not there, or another holder kept the lock too long; [`super::pool::Fenced`] if another daemon has taken over.
    pub async fn begin(&self) -> Result<Work> {
        let (mut tx, ledger) = self.lock_ledger().await?;
        // A statement of its own, after the lock: PostgreSQL would read it as it stood before the wait.
        let numbers = numbers(&mut tx).await?;
        Ok(Work::new(self, Hold::Locked(tx), ledger, numbers))
    }

    /// Begins a unit of work that takes the write lock only when it has something to write: others write while it looks and thinks. If
    /// another unit of work is committed in between, this one ends with [`Moved`].
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn look(&self) -> Result<Work> {
        let mut connection = self.reader.acquire().await?;
        let ledger = ledger(&mut connection, "").await?;
        let numbers = numbers(&mut connection).await?;
        Ok(Work::new(self, Hold::Looking(connection), ledger, numbers))
    }

    async fn lock_ledger(&self) -> Result<(Transaction<'static, Any>, Ledger)> {
        let mut tx = self.begin_write().await?;
        self.check_fence(&mut tx).await?;
        let lock = match self.engine {
            Engine::Sqlite => "",
            Engine::Postgres => " FOR UPDATE",
        };
        let ledger = ledger(&mut tx, lock).await?;
        Ok((tx, ledger))
    }
}

async fn ledger(connection: &mut AnyConnection, lock: &str) -> Result<Ledger> {
    let row = made(format!(
        "SELECT next_request, next_pending, next_outbox, next_seq, head FROM ledger{lock}"
    ))
    .fetch_one(connection)
    .await
    .context("Can't read the ledger")?;
    Ok(Ledger {
        request: row.try_get(0)?,
        pending: row.try_get(1)?,
        outbox: row.try_get(2)?,
        seq: row.try_get(3)?,
        head: digest(&row.try_get::<Vec<u8>, _>(4)?)?,
    })
}

async fn numbers(connection: &mut AnyConnection) -> Result<BTreeMap<i32, u32>> {
    let mut numbers = BTreeMap::new();
    for row in sqlx::query("SELECT year, last FROM numbers")
        .fetch_all(connection)
        .await?
    {
        numbers.insert(
            i32::try_from(row.try_get::<i64, _>(0)?)?,
            u32::try_from(row.try_get::<i64, _>(1)?)?,
        );
    }
    Ok(numbers)
}

impl Work {
    fn new(store: &Store, hold: Hold, ledger: Ledger, numbers: BTreeMap<i32, u32>) -> Self {
        Self {
            store: store.clone(),
            hold,
            began: ledger.clone(),
            ledger,
            numbers,
            numbered: BTreeSet::new(),
            unwritten: Unwritten::default(),
            lately: Lately::default(),
            entered: 0,
            spoiled: false,
        }
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        match &mut self.hold {
            Hold::Looking(connection) => connection,
            Hold::Locked(tx) => tx,
        }
    }

    /// Takes the write lock, if this work doesn't hold it yet.
    async fn lock(&mut self) -> Result<()> {
        if matches!(self.hold, Hold::Locked(_)) {
            return Ok(());
        }
        let (tx, ledger) = self.store.lock_ledger().await?;
        if ledger != self.began {
            return Err(Moved.into());
        }
        self.hold = Hold::Locked(tx);
        Ok(())
    }

    /// Writes what was decided so far, so that the database can be asked about it.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        if self.spoiled {
            bail!("A decision was taken over only in part; nothing of this unit of work may stay");
        }
        self.spoiled = true;
        self.lock().await?;
        let engine = self.store.engine;
        let unwritten = std::mem::take(&mut self.unwritten);
        unwritten.write(self.connection(), engine).await?;
        self.spoiled = false;
        Ok(())
    }

    /// Reads for many letters at once what would else be asked for letter by letter: their content keys, and what their senders caused.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn foresee(
        &mut self,
        contents: &[[u8; 32]],
        senders: &[String],
        since: Since,
    ) -> Result<()> {
        self.flush().await?;
        self.lately.recall(&self.store, &self.began, since);
        let connection = match &mut self.hold {
            Hold::Looking(connection) => &mut **connection,
            Hold::Locked(tx) => &mut **tx,
        };
        self.lately
            .foresee(connection, contents, senders, since)
            .await
    }

    /// The last number given in each year (R17), as of this unit of work.
    pub fn last_numbers(&self) -> &BTreeMap<i32, u32> {
        &self.numbers
    }

    /// What letters from this address caused since the two moments: automatic letters (the most to any one reader), requests, refusals.
    /// With `vouched` only what authenticated letters caused counts: forgers must not silence the one whose name they use.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn counts(
        &mut self,
        address_key: &str,
        since: Since,
        vouched: bool,
    ) -> Result<Counts> {
        if let Some(counts) = self.lately.counts(address_key, since, vouched) {
            return Ok(counts);
        }
        self.flush().await?;
        lately::counts(self.connection(), address_key, since, vouched).await
    }

    /// The most alerts that any one specialist was written since then, whoever caused them.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn alerts(&mut self, hour_ago: DateTime<Utc>) -> Result<u32> {
        if let Some(alerts) = self.lately.alerts(hour_ago) {
            return Ok(alerts);
        }
        self.flush().await?;
        let connection = match &mut self.hold {
            Hold::Looking(connection) => &mut **connection,
            Hold::Locked(tx) => &mut **tx,
        };
        self.lately.read_alerts(connection, hour_ago).await
    }

    /// Queued requests whose moment has come, in order of arrival; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn openings(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE number_count IS NULL AND opens_us <= $1 \
             ORDER BY arrived_us, id LIMIT CAST($2 AS BIGINT)) ORDER BY r.arrived_us, r.id, p.id"
        ))
        .bind(micros(now))
        .bind(i64::from(limit));
        read_all(&query.fetch_all(self.connection()).await?)
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
        let found = "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND lapses_us <= $1 ORDER BY lapses_us, id LIMIT CAST($2 AS BIGINT)";
        self.pendings(found, now, limit).await
    }

    /// Pendings whose party is to be reminded, oldest first, with their requests; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn reminders(
        &mut self,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        let found = "SELECT id, request_id FROM pendings WHERE settled_us IS NULL AND remind_us IS NOT NULL AND remind_us <= $1 \
             ORDER BY remind_us, id LIMIT CAST($2 AS BIGINT)";
        self.pendings(found, now, limit).await
    }

    /// Requests that need looking at, the longest overdue first; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn due(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE wakes_us IS NOT NULL AND wakes_us <= $1 ORDER BY wakes_us, id LIMIT CAST($2 AS BIGINT)) \
             ORDER BY r.wakes_us, r.id, p.id"
        ))
        .bind(micros(now))
        .bind(i64::from(limit));
        read_all(&query.fetch_all(self.connection()).await?)
    }

    async fn pendings(
        &mut self,
        which: &'static str,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<(Request, Pending)>> {
        self.flush().await?;
        let due = sqlx::query(which)
            .bind(micros(now))
            .bind(i64::from(limit))
            .fetch_all(self.connection())
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
            found.extend(grouped(&query.fetch_all(self.connection()).await?)?);
        }
        let mut with_requests = vec![];
        for row in &due {
            let (pending, request) = (row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?);
            let request = found
                .get(&request)
                .with_context(|| format!("Pending {pending} belongs to no request"))?;
            if let Some(pending) = request.pending.iter().find(|p| p.id == pending) {
                with_requests.push((request.clone(), pending.clone()));
            }
        }
        Ok(with_requests)
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
            .filter(|event| matches!(event, Event::Waits { .. }));
        Names {
            request,
            pendings: waits.map(|_| take(&mut self.ledger.pending)).collect(),
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
        if self.spoiled || self.entered > 0 {
            bail!("A decision was taken over only in part; nothing of this unit of work may stay");
        }
        self.lock().await?;
        self.flush().await?;
        let Hold::Locked(mut tx) = self.hold else {
            bail!("A unit of work lost its lock");
        };
        sqlx::query(
            "UPDATE ledger SET next_request = $1, next_pending = $2, next_outbox = $3, next_seq = $4, head = $5",
        )
        .bind(self.ledger.request)
        .bind(self.ledger.pending)
        .bind(self.ledger.outbox)
        .bind(self.ledger.seq)
        .bind(self.ledger.head.to_vec())
        .execute(&mut *tx)
        .await?;
        for year in &self.numbered {
            let last = self.numbers.get(year).copied().unwrap_or_default();
            sqlx::query(
                "INSERT INTO numbers (year, last) VALUES ($1, $2) ON CONFLICT (year) DO UPDATE SET last = excluded.last",
            )
            .bind(i64::from(*year))
            .bind(i64::from(last))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit()
            .await
            .context("The unit of work was not committed")?;
        self.lately.remember(&self.store, self.ledger);
        Ok(())
    }
}

/// What R12 and R48 count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The most automatic letters to any one reader since an hour ago.
    pub letters_last_hour: u32,
    /// Requests opened since an hour ago.
    pub requests_last_hour: u32,
    /// Refusals and redirects since the day began.
    pub refusals_today: u32,
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::string_slice,
        reason = "tests"
    )]
    use super::*;
    use crate::desk::decide::Verdict;
    use crate::desk::notice::{Purpose, Template};
    use crate::desk::request::{Number, PendingKind};
    use crate::store::history::ChainState;
    use crate::store::testing::{
        address, apply, decision, far, kept, matter, minute, notice, on_each_engine, register,
        registered, written,
    };

    fn since(hour: i64, day: i64) -> Since {
        Since {
            hour: minute(hour),
            day: minute(day),
        }
    }

    #[tokio::test]
    async fn a_number_that_was_rolled_back_is_given_again() {
        on_each_engine(async |db| {
            let (_, first) = register(&db.store, 1, "one").await;
            let letter = kept(&db.store, 2, "two").await;
            let mut work = db.store.begin().await.unwrap();
            let opened = decision(
                Verdict::Registered,
                Concern::Opened(matter()),
                vec![registered(Number::new(2026, 2))],
            );
            apply(&mut work, Some(&letter), &opened, minute(2)).await;
            assert_eq!(work.last_numbers().get(&2026), Some(&2));
            drop(work);
            assert_eq!(db.count("SELECT COUNT(*) FROM requests").await, 1);
            assert_eq!(db.count("SELECT COUNT(*) FROM events").await, 1);
            assert_eq!(db.store.undecided(9, far()).await.unwrap().len(), 1);
            let (request, second) = register(&db.store, 3, "three").await;
            assert_eq!((first.count(), second.count()), (1, 2));
            assert_eq!(request, RequestId(2));
            let chain = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(chain, ChainState::Whole { entries: 2, .. }),
                "{chain:?}"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_number_out_of_order_spoils_the_whole_unit_of_work() {
        on_each_engine(async |db| {
            for wrong in [0, 2] {
                let letter = kept(&db.store, 1, "one").await;
                let mut work = db.store.begin().await.unwrap();
                let opened = decision(
                    Verdict::Registered,
                    Concern::Opened(matter()),
                    vec![registered(Number::new(2026, wrong))],
                );
                let names = work.name(&opened);
                work.apply(
                    Some(&letter),
                    &opened,
                    &names,
                    written(Some(&letter), &opened, &names),
                    minute(1),
                )
                .unwrap_err();
                work.commit().await.unwrap_err();
            }
            assert_eq!(db.store.undecided(9, far()).await.unwrap().len(), 1);
        })
        .await;
    }

    #[tokio::test]
    async fn a_letter_is_decided_on_once() {
        on_each_engine(async |db| {
            let letter = kept(&db.store, 1, "one").await;
            let ignored = decision(Verdict::Ignored, Concern::Nothing, vec![]);
            let mut work = db.store.begin().await.unwrap();
            let names = apply(&mut work, Some(&letter), &ignored, minute(1)).await;
            work.apply(
                Some(&letter),
                &ignored,
                &names,
                written(Some(&letter), &ignored, &names),
                minute(1),
            )
            .unwrap_err();
            work.commit().await.unwrap_err();
            assert_eq!(db.store.undecided(9, far()).await.unwrap().len(), 1);
        })
        .await;
    }

    /// R17: who looked without the lock must not number on what is no more so.
    #[tokio::test]
    async fn who_looked_while_another_decided_begins_again() {
        on_each_engine(async |db| {
            let (one, two) = (
                kept(&db.store, 1, "one").await,
                kept(&db.store, 2, "two").await,
            );
            let first = decision(
                Verdict::Registered,
                Concern::Opened(matter()),
                vec![registered(Number::new(2026, 1))],
            );
            let mut late = db.store.look().await.unwrap();
            assert_eq!(late.request(RequestId(1)).await.unwrap(), None);
            let mut quick = db.store.look().await.unwrap();
            apply(&mut quick, Some(&one), &first, minute(1)).await;
            quick.commit().await.unwrap();
            apply(&mut late, Some(&two), &first, minute(2)).await;
            let error = late.commit().await.unwrap_err();
            assert!(error.is::<Moved>(), "{error:#}");
            let mut again = db.store.look().await.unwrap();
            assert_eq!(again.last_numbers().get(&2026), Some(&1));
            let second = decision(
                Verdict::Registered,
                Concern::Opened(matter()),
                vec![registered(Number::new(2026, 2))],
            );
            apply(&mut again, Some(&two), &second, minute(2)).await;
            again.commit().await.unwrap();
            let chain = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(chain, ChainState::Whole { entries: 2, .. }),
                "{chain:?}"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn what_was_entered_and_not_recorded_is_not_committed() {
        on_each_engine(async |db| {
            let letter = kept(&db.store, 1, "one").await;
            let ignored = decision(Verdict::Ignored, Concern::Nothing, vec![]);
            let mut work = db.store.look().await.unwrap();
            let names = work.name(&ignored);
            work.enter(Some(&letter), &ignored, &names, &[], minute(1))
                .unwrap();
            work.commit().await.unwrap_err();
            assert_eq!(db.store.undecided(9, far()).await.unwrap().len(), 1);
        })
        .await;
    }

    /// What is known beforehand and what is asked for in the database must not differ.
    #[tokio::test]
    async fn what_was_foreseen_counts_as_the_database_does() {
        on_each_engine(async |db| {
            let sender = "maria@raduga.example".to_owned();
            let times = since(5, 0);
            for uid in 1..=4 {
                let mut letter = kept(&db.store, uid, &format!("letter {uid}")).await;
                letter.assurance = if uid % 2 == 0 {
                    Level::Weak
                } else {
                    Level::Domain
                };
                let mut matter = matter();
                matter.vouched = letter.assurance;
                let number = Number::new(2026, u32::try_from(uid).unwrap());
                let mut opened = decision(
                    Verdict::Registered,
                    Concern::Opened(matter),
                    vec![registered(number)],
                );
                opened.notices = vec![
                    notice(Template::Registered, Purpose::Reply),
                    notice(Template::Refused, Purpose::Nothing),
                    notice(Template::SpecialistAlert, Purpose::Internal),
                ];
                opened.notices[2].to = address("petrova@desk.example");
                let mut foresees = db.store.look().await.unwrap();
                foresees
                    .foresee(&[[7; 32]], std::slice::from_ref(&sender), times)
                    .await
                    .unwrap();
                foresees.alerts(times.hour).await.unwrap();
                apply(&mut foresees, Some(&letter), &opened, minute(uid + 3)).await;
                let mut known = vec![foresees.alerts(times.hour).await.unwrap()];
                for vouched in [false, true] {
                    let counts = foresees.counts(&sender, times, vouched).await.unwrap();
                    known.extend([
                        counts.letters_last_hour,
                        counts.requests_last_hour,
                        counts.refusals_today,
                    ]);
                }
                foresees.commit().await.unwrap();
                let mut asks = db.store.look().await.unwrap();
                let mut asked = vec![asks.alerts(times.hour).await.unwrap()];
                for vouched in [false, true] {
                    let counts = asks.counts(&sender, times, vouched).await.unwrap();
                    asked.extend([
                        counts.letters_last_hour,
                        counts.requests_last_hour,
                        counts.refusals_today,
                    ]);
                }
                assert_eq!(known, asked, "after letter {uid}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn two_processes_take_turns() {
        on_each_engine(async |db| {
            let other = db.open_again().await;
            let count = async |store: &Store, base: i64| {
                for n in 0..15 {
                    register_next(store, base + n).await;
                }
            };
            futures::join!(
                count(&db.store, 100),
                count(&other, 200),
                count(&other, 300)
            );
            let requests = db.store.requests(None, None).await.unwrap();
            let numbers: Vec<u32> = requests.iter().map(|r| r.number.unwrap().count()).collect();
            assert_eq!(numbers, (1..=45).collect::<Vec<_>>());
            let chain = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(chain, ChainState::Whole { entries: 45, .. }),
                "{chain:?}"
            );
        })
        .await;
    }

    async fn register_next(store: &Store, uid: i64) {
        register(store, uid, &format!("letter {uid}")).await;
    }

    #[tokio::test]
    async fn a_message_id_leads_to_its_request() {
        on_each_engine(async |db| {
            let (first, _) = register(&db.store, 1, "one").await;
            let (second, _) = register(&db.store, 2, "two").await;
            let mut work = db.store.begin().await.unwrap();
            let find = async |work: &mut Work, ids: &[&str]| {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                let found = work.requests_by_message_ids(&ids).await.unwrap();
                found.into_iter().collect::<Vec<_>>()
            };
            let (one, two) = ("one@raduga.example", "two@raduga.example");
            assert_eq!(
                find(&mut work, &["unknown@x", two, one]).await,
                [(one.to_owned(), first), (two.to_owned(), second)]
            );
            let ours = "out-1@desk.example";
            assert_eq!(find(&mut work, &[ours]).await, [(ours.to_owned(), first)]);
            assert_eq!(find(&mut work, &["unknown@x"]).await, []);
            assert_eq!(find(&mut work, &[]).await, []);
            let many: Vec<String> = (0..5000).map(|n| format!("{n}@x")).collect();
            let found = work.requests_by_message_ids(&many).await.unwrap();
            assert!(found.is_empty());
        })
        .await;
    }

    #[tokio::test]
    async fn what_was_written_is_seen_in_the_same_unit_of_work() {
        on_each_engine(async |db| {
            let letter = kept(&db.store, 1, "one").await;
            let mut work = db.store.begin().await.unwrap();
            let mut opened = decision(
                Verdict::Registered,
                Concern::Opened(matter()),
                vec![
                    registered(Number::new(2026, 1)),
                    Event::Waits {
                        kind: PendingKind::PrimaryConfirmation,
                        party: address("director@raduga.example"),
                        lapses: minute(100),
                        remind: None,
                        days: None,
                    },
                ],
            );
            opened.notices = vec![
                notice(Template::Registered, Purpose::Reply),
                notice(Template::OrderToConfirm, Purpose::ConfirmNew(0)),
                notice(Template::ForSpecialist, Purpose::Internal),
                notice(Template::Refused, Purpose::Nothing),
            ];
            let key = letter.content_key.unwrap();
            assert!(
                !work
                    .content_seen(&key, LetterId(99), Level::Domain)
                    .await
                    .unwrap()
            );
            let names = apply(&mut work, Some(&letter), &opened, minute(10)).await;
            assert!(
                work.content_seen(&key, LetterId(99), Level::Domain)
                    .await
                    .unwrap()
            );
            assert!(
                !work
                    .content_seen(&key, letter.id, Level::Domain)
                    .await
                    .unwrap(),
                "not by itself"
            );
            let request = work.request(names.request.unwrap()).await.unwrap().unwrap();
            assert_eq!(request.pending.len(), 1);
            assert_eq!(vec![request.pending[0].id], names.pendings);
            assert_eq!(
                work.request_by_number(Number::new(2026, 1)).await.unwrap(),
                Some(request.clone())
            );
            let confirm = work.sent(names.outbox[1]).await.unwrap().unwrap();
            assert_eq!(confirm.pending, names.pendings.first().copied());
            assert_eq!(confirm.request, names.request);
            assert!(!confirm.internal);
            assert!(work.sent(names.outbox[2]).await.unwrap().unwrap().internal);
            assert_eq!(
                work.sent(names.outbox[0]).await.unwrap().unwrap().pending,
                None
            );
            assert_eq!(work.sent(999).await.unwrap(), None);
        })
        .await;
    }

    /// R48: forgers must not silence the one whose name they use.
    #[tokio::test]
    async fn what_a_sender_causes_is_counted_apart_for_authenticated_letters() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            for (uid, level) in [(1, Level::Weak), (2, Level::Domain), (3, Level::Weak)] {
                work.commit().await.unwrap();
                let mut letter = kept(&db.store, uid, &format!("letter {uid}")).await;
                letter.assurance = level;
                work = db.store.begin().await.unwrap();
                let mut matter = matter();
                matter.vouched = level;
                let number = Number::new(2026, u32::try_from(uid).unwrap());
                let events = vec![registered(number)];
                let mut opened = decision(Verdict::Registered, Concern::Opened(matter), events);
                opened.notices = vec![
                    notice(Template::Registered, Purpose::Reply),
                    notice(Template::Refused, Purpose::Nothing),
                    notice(Template::SpecialistAlert, Purpose::Internal),
                ];
                opened.notices[2].to = address("petrova@desk.example");
                apply(&mut work, Some(&letter), &opened, minute(10)).await;
            }
            let sender = "maria@raduga.example";
            let expected = |letters, requests, refusals| Counts {
                letters_last_hour: letters,
                requests_last_hour: requests,
                refusals_today: refusals,
            };
            for (hour, day, vouched, counts) in [
                (10, 10, false, expected(6, 3, 3)),
                (10, 10, true, expected(2, 1, 1)),
                (11, 0, true, expected(0, 0, 1)),
                (11, 11, false, expected(0, 0, 0)),
            ] {
                let found = work.counts(sender, since(hour, day), vouched).await;
                assert_eq!(found.unwrap(), counts);
            }
            let nobody = work.counts("x@y", since(0, 0), false).await;
            assert_eq!(nobody.unwrap(), Counts::default());
            assert_eq!(work.alerts(minute(10)).await.unwrap(), 3);
            assert_eq!(work.alerts(minute(11)).await.unwrap(), 0);
        })
        .await;
    }

    #[tokio::test]
    async fn queued_requests_open_in_order_of_arrival_when_their_moment_comes() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            for (arrived, opens) in [(30, 100), (10, 100), (20, 100), (5, 200)] {
                let mut matter = matter();
                (matter.arrived, matter.opens) = (minute(arrived), minute(opens));
                let queued = decision(
                    Verdict::Queued,
                    Concern::Opened(matter),
                    vec![Event::Queued {
                        opens: minute(opens),
                    }],
                );
                apply(&mut work, None, &queued, minute(31)).await;
            }
            work.commit().await.unwrap();
            assert_eq!(db.store.next_moment().await.unwrap(), Some(minute(100)));
            let mut work = db.store.begin().await.unwrap();
            assert!(work.openings(minute(99), 9).await.unwrap().is_empty());
            let due = work.openings(minute(100), 2).await.unwrap();
            let arrived: Vec<_> = due.iter().map(|r| r.matter.arrived).collect();
            assert_eq!(arrived, [minute(10), minute(20)]);
            assert_eq!(due[0].number, None);
            let opening = decision(
                Verdict::Registered,
                Concern::Existing(due[0].id),
                vec![registered(Number::new(2026, 1))],
            );
            apply(&mut work, None, &opening, minute(100)).await;
            let rest = work.openings(minute(100), 9).await.unwrap();
            assert_eq!(rest.len(), 2);
            let opened = work.request(due[0].id).await.unwrap().unwrap();
            assert_eq!(opened.number, Some(Number::new(2026, 1)));
            let again = decision(
                Verdict::Registered,
                Concern::Existing(due[0].id),
                vec![registered(Number::new(2026, 2))],
            );
            let names = work.name(&again);
            work.apply(None, &again, &names, Written::default(), minute(101))
                .unwrap();
            work.commit().await.expect_err("a request keeps its number");
        })
        .await;
    }

    #[tokio::test]
    async fn pendings_lapse_oldest_first_with_their_requests() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            let mut pendings = vec![];
            for (count, lapses) in [(1, 50), (2, 40), (3, 90)] {
                let waits = Event::Waits {
                    kind: PendingKind::Challenge,
                    party: address("maria@raduga.example"),
                    lapses: minute(lapses),
                    remind: None,
                    days: None,
                };
                let opened = decision(
                    Verdict::Registered,
                    Concern::Opened(matter()),
                    vec![registered(Number::new(2026, count)), waits],
                );
                let names = apply(&mut work, None, &opened, minute(1)).await;
                pendings.push(names.pendings[0]);
            }
            work.commit().await.unwrap();
            assert_eq!(db.store.next_moment().await.unwrap(), Some(minute(40)));
            let mut work = db.store.begin().await.unwrap();
            let lapsed = work.lapses(minute(50), 9).await.unwrap();
            let found: Vec<i64> = lapsed.iter().map(|(_, pending)| pending.id).collect();
            assert_eq!(found, [pendings[1], pendings[0]]);
            assert_eq!(lapsed[0].0.number, Some(Number::new(2026, 2)));
            assert_eq!(work.lapses(minute(50), 1).await.unwrap().len(), 1);
            let settled = decision(
                Verdict::Attached,
                Concern::Existing(lapsed[0].0.id),
                vec![Event::Settled {
                    pending: pendings[1],
                    outcome: crate::desk::event::Outcome::Lapsed,
                    by: None,
                }],
            );
            apply(&mut work, None, &settled, minute(50)).await;
            assert_eq!(work.lapses(minute(50), 9).await.unwrap().len(), 1);
            let names = work.name(&settled);
            work.apply(None, &settled, &names, Written::default(), minute(51))
                .unwrap();
            work.commit()
                .await
                .expect_err("what is settled stays settled");
        })
        .await;
    }
}
