//! Raw letters and where they were seen (K1, K2, K3 of the identity keys): kept before anything reads them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::column::{micros, moment, pack, unpack, unpack_text};
use super::contents::known_digests;
use super::pool::{Engine, Store};
use super::statement::{list, made, padded, portions, rows};

/// The store's name for a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId(pub i64);

/// Where a letter lies on a server. A Maildir has UIDVALIDITY 0 and a UID made from the file's unique name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// UIDVALIDITY of the folder when it was seen.
    pub uidvalidity: u32,
    /// Its UID under that UIDVALIDITY.
    pub uid: i64,
}

/// A letter as a mailbox hands it over.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Where it lies.
    pub location: Location,
    /// When it arrived there (INTERNALDATE, R2).
    pub arrived: DateTime<Utc>,
    /// Its bytes; only the header block (and what fits) if `oversize`.
    pub raw: Vec<u8>,
    /// Its size on the server, if larger than the desk takes.
    pub oversize: Option<u64>,
}

/// How far a mailbox has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The UIDVALIDITY that `uid` belongs to.
    pub uidvalidity: u32,
    /// Every UID up to this one is accounted for.
    pub uid: i64,
    /// Messages from before this moment are not the desk's (R1 begins with the first start); none if all are.
    pub since: Option<DateTime<Utc>>,
    /// When the mailbox was last read to its end; none until it once was.
    pub polled: Option<DateTime<Utc>>,
}

/// What became of one letter handed to [`Store::keep`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub id: LetterId,
    /// Whether its bytes were new; otherwise only the location was noted.
    pub fresh: bool,
}

/// A kept letter that awaits its decision.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its name.
    pub id: LetterId,
    /// The mailbox it was first seen in.
    pub mailbox: String,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// How often reading it was begun.
    pub attempts: u32,
    /// How often its decision was put off, since the DNS was silent.
    pub postponed: u32,
    /// How many octets it has.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its size on the server, if larger than the desk takes.
    pub oversize: Option<u64>,
}

/// A letter's bytes as the store holds them.
#[derive(Debug)]
pub struct Original {
    pub(crate) packed: Vec<u8>,
    pub(crate) size: i64,
}

impl Original {
    /// The letter's bytes.
    ///
    /// # Errors
    /// The database holds something else.
    pub fn unpacked(&self) -> Result<Vec<u8>> {
        unpack(&self.packed, self.size)
    }
}

/// A letter as the record shows it: what `explain NUMBER` and `explain MESSAGE-ID` start from.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its name.
    pub id: LetterId,
    /// The mailbox it was first seen in.
    pub mailbox: String,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// When it was decided on; none while it waits.
    pub decided: Option<DateTime<Utc>>,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// What was decided, as the JSON that `explain --json` printed at that moment.
    pub explanation: Option<String>,
}

impl Store {
    /// Keeps a batch in one transaction: location, arrival, SHA-256 and compressed bytes; then moves the mailbox's cursor to `cursor`
    /// in the same transaction. A location seen before is passed over; bytes seen before become a further location of the same letter.
    ///
    /// # Errors
    /// The database refused; then nothing was kept and the cursor stands.
    pub async fn keep(
        &self,
        mailbox: &str,
        batch: &[Fetched],
        cursor: Option<Cursor>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Kept>> {
        let digests: Vec<[u8; 32]> = batch
            .iter()
            .map(|letter| Sha256::digest(&letter.raw).into())
            .collect();
        // Pressed before the write lock is taken: others decide and send meanwhile.
        let mut packed = BTreeMap::new();
        for (letter, digest) in batch.iter().zip(&digests) {
            packed.insert(*digest, pack(&letter.raw)?);
        }
        let mut tx = self.begin_write().await?;
        let first: i64 = sqlx::query(match self.engine {
            Engine::Sqlite => "SELECT next_letter FROM keeping",
            Engine::Postgres => "SELECT next_letter FROM keeping FOR UPDATE",
        })
        .fetch_one(&mut *tx)
        .await?
        .try_get(0)?;
        let places = known_places(&mut tx, mailbox, batch).await?;
        let mut sorted = Sorting {
            next: first,
            places,
            digests: known_digests(&mut tx, &digests).await?,
            fresh: vec![],
            seen: vec![],
        };
        let kept = batch
            .iter()
            .zip(&digests)
            .map(|(letter, digest)| sorted.place(letter, *digest))
            .collect();
        insert_letters(&mut tx, mailbox, &sorted.fresh, packed, now).await?;
        insert_locations(&mut tx, mailbox, &sorted.seen).await?;
        if sorted.next != first {
            sqlx::query("UPDATE keeping SET next_letter = $1")
                .bind(sorted.next)
                .execute(&mut *tx)
                .await?;
        }
        if let Some(cursor) = cursor {
            upsert_cursor(&mut tx, mailbox, cursor).await?;
        }
        tx.commit().await.context("The letters were not kept")?;
        Ok(kept)
    }

    /// How far a mailbox has been read; none before its first poll.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn cursor(&self, mailbox: &str) -> Result<Option<Cursor>> {
        let row = sqlx::query(
            "SELECT uidvalidity, uid, since_us, polled_us FROM cursors WHERE mailbox = $1",
        )
        .bind(mailbox)
        .fetch_optional(&self.reader)
        .await?;
        row.map(|row| {
            Ok(Cursor {
                uidvalidity: u32::try_from(row.try_get::<i64, _>(0)?)?,
                uid: row.try_get(1)?,
                since: row.try_get::<Option<i64>, _>(2)?.map(moment).transpose()?,
                polled: row.try_get::<Option<i64>, _>(3)?.map(moment).transpose()?,
            })
        })
        .transpose()
    }

    /// Sets a mailbox's cursor without keeping anything (first start with `start = "now"`).
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_cursor(&self, mailbox: &str, cursor: Cursor) -> Result<()> {
        let mut tx = self.begin_write().await?;
        upsert_cursor(&mut tx, mailbox, cursor).await?;
        tx.commit().await.context("The cursor was not moved")
    }

    /// Which of these UIDs of a mailbox are already in the ledger (after a UIDVALIDITY change or at a reconcile).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn known_uids(
        &self,
        mailbox: &str,
        uidvalidity: u32,
        uids: &[i64],
    ) -> Result<Vec<i64>> {
        let mut known = vec![];
        for piece in padded(uids) {
            let mut query = made(format!(
                "SELECT uid FROM locations WHERE mailbox = $1 AND uidvalidity = $2 AND uid IN ({}) ORDER BY uid",
                list(3, piece.len())
            ))
            .bind(mailbox.to_owned())
            .bind(i64::from(uidvalidity));
            for uid in piece {
                query = query.bind(uid);
            }
            for row in query.fetch_all(&self.reader).await? {
                known.push(row.try_get(0)?);
            }
        }
        Ok(known)
    }

    /// The record of a letter by its Message-ID (without brackets); the latest if several have it.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn record_by_message_id(&self, message_id: &str) -> Result<Option<Record>> {
        let row = made(format!(
            "{RECORD} WHERE l.message_id = $1 ORDER BY l.arrived_us DESC, l.id DESC LIMIT 1"
        ))
        .bind(message_id.to_owned())
        .fetch_optional(&self.reader)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// The records of all letters of a request, in order of arrival.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn records_of_request(
        &self,
        request: crate::desk::request::RequestId,
    ) -> Result<Vec<Record>> {
        let found = made(format!(
            "{RECORD} WHERE l.request_id = $1 ORDER BY l.arrived_us, l.id"
        ))
        .bind(request.0)
        .fetch_all(&self.reader)
        .await?;
        found.iter().map(record).collect()
    }
}

/// Everything that [`record`] reads.
const RECORD: &str = "SELECT l.id, l.mailbox, l.arrived_us, l.decided_us, l.size, o.raw, l.explanation \
     FROM letters l JOIN originals o ON o.letter_id = l.id";

fn record(row: &AnyRow) -> Result<Record> {
    Ok(Record {
        id: LetterId(row.try_get(0)?),
        mailbox: row.try_get(1)?,
        arrived: moment(row.try_get(2)?)?,
        decided: row.try_get::<Option<i64>, _>(3)?.map(moment).transpose()?,
        raw: unpack(&row.try_get::<Vec<u8>, _>(5)?, row.try_get(4)?)?,
        explanation: row
            .try_get::<Option<Vec<u8>>, _>(6)?
            .map(|packed| unpack_text(&packed))
            .transpose()?,
    })
}

/// Sorts a batch into what is new and what was seen before, in the batch itself too.
struct Sorting<'a> {
    next: i64,
    places: BTreeMap<(u32, i64), i64>,
    digests: BTreeMap<[u8; 32], i64>,
    fresh: Vec<(i64, &'a Fetched, [u8; 32])>,
    seen: Vec<(i64, &'a Fetched)>,
}

impl<'a> Sorting<'a> {
    fn place(&mut self, letter: &'a Fetched, digest: [u8; 32]) -> Kept {
        let place = (letter.location.uidvalidity, letter.location.uid);
        if let Some(id) = self.places.get(&place) {
            return Kept {
                id: LetterId(*id),
                fresh: false,
            };
        }
        let known = self.digests.get(&digest).copied();
        let id = known.unwrap_or(self.next);
        if known.is_none() {
            self.next = self.next.saturating_add(1);
            self.digests.insert(digest, id);
            self.fresh.push((id, letter, digest));
        }
        self.places.insert(place, id);
        self.seen.push((id, letter));
        Kept {
            id: LetterId(id),
            fresh: known.is_none(),
        }
    }
}

async fn known_places(
    tx: &mut Transaction<'static, Any>,
    mailbox: &str,
    batch: &[Fetched],
) -> Result<BTreeMap<(u32, i64), i64>> {
    let mut by_validity: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    for letter in batch {
        by_validity
            .entry(letter.location.uidvalidity)
            .or_default()
            .push(letter.location.uid);
    }
    let mut known = BTreeMap::new();
    for (uidvalidity, uids) in by_validity {
        for piece in padded(&uids) {
            let mut query = made(format!(
                "SELECT uid, letter_id FROM locations WHERE mailbox = $1 AND uidvalidity = $2 AND uid IN ({})",
                list(3, piece.len())
            ))
            .bind(mailbox.to_owned())
            .bind(i64::from(uidvalidity));
            for uid in piece {
                query = query.bind(uid);
            }
            for row in query.fetch_all(&mut **tx).await? {
                known.insert((uidvalidity, row.try_get(0)?), row.try_get(1)?);
            }
        }
    }
    Ok(known)
}

async fn insert_letters(
    tx: &mut Transaction<'static, Any>,
    mailbox: &str,
    fresh: &[(i64, &Fetched, [u8; 32])],
    mut packed: BTreeMap<[u8; 32], Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<()> {
    for piece in portions(fresh) {
        let mut query = made(format!(
            "INSERT INTO letters (id, mailbox, arrived_us, kept_us, size, oversize, sha256, attempts) VALUES {}",
            rows(8, piece.len())
        ));
        for (id, letter, digest) in piece {
            query = query
                .bind(*id)
                .bind(mailbox.to_owned())
                .bind(micros(letter.arrived))
                .bind(micros(now))
                .bind(i64::try_from(letter.raw.len())?)
                .bind(letter.oversize.map(i64::try_from).transpose()?)
                .bind(digest.to_vec())
                .bind(0_i64);
        }
        query.execute(&mut **tx).await?;
        let mut query = made(format!(
            "INSERT INTO originals (letter_id, raw) VALUES {}",
            rows(2, piece.len())
        ));
        for (id, _, digest) in piece {
            let raw = packed.remove(digest);
            query = query
                .bind(*id)
                .bind(raw.context("A letter without its bytes")?);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn insert_locations(
    tx: &mut Transaction<'static, Any>,
    mailbox: &str,
    seen: &[(i64, &Fetched)],
) -> Result<()> {
    for piece in portions(seen) {
        let mut query = made(format!(
            "INSERT INTO locations (mailbox, uidvalidity, uid, letter_id, arrived_us) VALUES {}",
            rows(5, piece.len())
        ));
        for (id, letter) in piece {
            query = query
                .bind(mailbox.to_owned())
                .bind(i64::from(letter.location.uidvalidity))
                .bind(letter.location.uid)
                .bind(*id)
                .bind(micros(letter.arrived));
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn upsert_cursor(
    tx: &mut Transaction<'static, Any>,
    mailbox: &str,
    cursor: Cursor,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO cursors (mailbox, uidvalidity, uid, since_us, polled_us) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (mailbox) DO UPDATE SET uidvalidity = excluded.uidvalidity, uid = excluded.uid, since_us = excluded.since_us, \
         polled_us = excluded.polled_us",
    )
    .bind(mailbox)
    .bind(i64::from(cursor.uidvalidity))
    .bind(cursor.uid)
    .bind(cursor.since.map(micros))
    .bind(cursor.polled.map(micros))
    .execute(&mut **tx)
    .await?;
    Ok(())
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
    use crate::desk::decide::{Concern, Verdict};
    use crate::store::testing::{
        apply, decision, far, fetched, kept, minute, on_each_engine, register, result,
    };

    #[tokio::test]
    async fn a_letter_is_kept_once_however_often_it_is_seen() {
        on_each_engine(async |db| {
            let now = minute(60);
            let cursor = Some(Cursor {
                uidvalidity: 7,
                uid: 3,
                since: None,
                polled: None,
            });
            let batch = [
                fetched(1, "one", minute(1)),
                fetched(2, "two", minute(2)),
                fetched(3, "one", minute(3)),
            ];
            let first = db.store.keep("support", &batch, cursor, now).await.unwrap();
            assert_eq!(
                first.iter().map(|k| k.fresh).collect::<Vec<_>>(),
                [true, true, false]
            );
            assert_eq!(
                first[2].id, first[0].id,
                "the same bytes are the same letter"
            );
            let again = db.store.keep("support", &batch, cursor, now).await.unwrap();
            assert!(again.iter().all(|k| !k.fresh));
            assert_eq!(again[1].id, first[1].id);
            let elsewhere = db
                .store
                .keep("orders", &[fetched(1, "two", minute(9))], None, now)
                .await
                .unwrap();
            assert_eq!(
                elsewhere,
                [Kept {
                    id: first[1].id,
                    fresh: false
                }]
            );
            assert_eq!(db.count("SELECT COUNT(*) FROM letters").await, 2);
            assert_eq!(db.count("SELECT COUNT(*) FROM locations").await, 4);
            assert_eq!(db.store.cursor("support").await.unwrap(), cursor);
            assert_eq!(db.store.cursor("orders").await.unwrap(), None);
            assert_eq!(
                db.store.known_uids("support", 7, &[3, 4, 1]).await.unwrap(),
                [1, 3]
            );
            assert!(
                db.store
                    .known_uids("support", 8, &[1])
                    .await
                    .unwrap()
                    .is_empty()
            );
        })
        .await;
    }

    #[tokio::test]
    async fn the_cursor_moves_with_the_letters_or_not_at_all() {
        on_each_engine(async |db| {
            let before = Cursor {
                uidvalidity: 7,
                uid: 1,
                since: None,
                polled: None,
            };
            db.store.set_cursor("support", before).await.unwrap();
            let mut impossible = fetched(2, "two", minute(2));
            impossible.oversize = Some(u64::MAX);
            let batch = [fetched(1, "one", minute(1)), impossible];
            let after = Some(Cursor {
                uidvalidity: 7,
                uid: 2,
                since: None,
                polled: None,
            });
            db.store
                .keep("support", &batch, after, minute(3))
                .await
                .unwrap_err();
            assert_eq!(db.store.cursor("support").await.unwrap(), Some(before));
            assert_eq!(db.count("SELECT COUNT(*) FROM letters").await, 0);
            assert_eq!(
                kept(&db.store, 5, "three").await.id,
                LetterId(1),
                "no name was lost"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_hundred_letters_come_back_as_they_were() {
        on_each_engine(async |db| {
            let batch: Vec<Fetched> = (1..=100)
                .map(|uid| {
                    let mut letter = fetched(uid, "", minute(200 - uid));
                    let byte = u8::try_from(uid).unwrap();
                    letter.raw = [b"\0\xff\r\n".repeat(500), vec![byte]].concat();
                    letter.oversize = (uid == 3).then_some(90_000_000);
                    letter
                })
                .collect();
            db.store
                .keep("support", &batch, None, minute(300))
                .await
                .unwrap();
            let mut seen = vec![];
            loop {
                let page = db.store.undecided(30, far()).await.unwrap();
                if page.is_empty() {
                    break;
                }
                let page = db.store.originals(page).await.unwrap();
                let mut work = db.store.begin().await.unwrap();
                for (letter, kept) in page {
                    let uid = 100 - i64::try_from(seen.len()).unwrap();
                    let original = &batch[usize::try_from(uid - 1).unwrap()];
                    assert_eq!(kept.unpacked().unwrap(), original.raw, "oldest first");
                    assert_eq!(letter.size, 2_001);
                    assert_eq!(letter.arrived, original.arrived);
                    assert_eq!(letter.oversize, original.oversize);
                    assert_eq!(
                        letter.sha256,
                        <[u8; 32]>::from(Sha256::digest(&original.raw))
                    );
                    let mut result = result(letter.id, "");
                    result.sha256 = letter.sha256;
                    let decision = decision(Verdict::Ignored, Concern::Nothing, vec![]);
                    apply(&mut work, Some(&result), &decision, minute(301)).await;
                    seen.push(letter.id);
                }
                work.commit().await.unwrap();
            }
            assert_eq!(seen.len(), 100);
        })
        .await;
    }

    #[tokio::test]
    async fn attempts_are_counted_before_they_are_made() {
        on_each_engine(async |db| {
            let one = kept(&db.store, 1, "one").await;
            kept(&db.store, 2, "two").await;
            db.store.count_attempt(&[one.id]).await.unwrap();
            db.store.count_attempt(&[one.id]).await.unwrap();
            let attempts: Vec<u32> = db
                .open_again()
                .await
                .undecided(9, far())
                .await
                .unwrap()
                .iter()
                .map(|w| w.attempts)
                .collect();
            assert_eq!(attempts, [2, 0]);
        })
        .await;
    }

    #[tokio::test]
    async fn a_record_shows_the_letter_and_why() {
        on_each_engine(async |db| {
            let (request, _) = register(&db.store, 1, "one").await;
            let found = db
                .store
                .record_by_message_id("one@raduga.example")
                .await
                .unwrap()
                .unwrap();
            assert_eq!(found.raw, b"one");
            assert_eq!(found.explanation.as_deref(), Some(r#"{"text":"one"}"#));
            assert_eq!(found.decided, Some(minute(1)));
            let all = db.store.records_of_request(request).await.unwrap();
            assert_eq!(all.iter().map(|r| r.id).collect::<Vec<_>>(), [found.id]);
            assert!(
                db.store
                    .record_by_message_id("two@x")
                    .await
                    .unwrap()
                    .is_none()
            );
        })
        .await;
    }
}
