//! The history as a hash chain over salted commitments (R36): each entry commits to the one before it; a check names the first altered one.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::column::{digest, unpack, unpack_text};
use super::entry::{self, Entry, hex, matter_data, utc};
use super::pool::{Engine, Store};
use super::requests::{REQUEST, read_all};
use super::statement::made;
use super::succession;
use crate::desk::request::Request;

/// What a walk along the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainState {
    /// Whole: so many entries, and the hash of the last.
    Whole {
        /// How many entries there are.
        entries: i64,
        /// The hash of the last, in hexadecimal.
        head: String,
    },
    /// The first entry that does not fit, and why.
    Broken {
        /// Its place.
        seq: i64,
        /// What does not fit.
        why: String,
    },
}

/// How many entries or requests are read at a time.
const PAGE: i64 = 256;

/// What was found on the way so far.
struct Walk {
    /// The place of the next entry.
    next: i64,
    /// The hash of the last.
    head: [u8; 32],
    /// The last number of each year.
    numbers: BTreeMap<i64, i64>,
    /// Each request as its history tells it, with its first entry; none once something in that was erased.
    requests: BTreeMap<i64, (i64, Option<Value>)>,
    /// Whether a link of the chain is broken: nothing behind it was read.
    broken: bool,
    /// The first entry that does not fit.
    fault: Option<(i64, String)>,
}

impl Walk {
    fn fault(&mut self, seq: i64, why: String) {
        if self.fault.as_ref().is_none_or(|(first, _)| seq < *first) {
            self.fault = Some((seq, why));
        }
    }
}

impl Store {
    /// Walks the whole chain, raw letters included: every entry fits the one before it and what it commits to, the letters' bytes have the
    /// digests that stand in the chain, the numbers of each year have no gap, and each request stands as its history tells. A fault that no
    /// entry can be blamed for (a letter not yet decided on, entries missing at the end) has the place after the last entry.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn verify_chain(&self) -> Result<ChainState> {
        // One snapshot: the daemon may go on deciding meanwhile.
        let mut tx = match self.engine {
            Engine::Sqlite => self.reader.begin().await?,
            Engine::Postgres => {
                self.reader
                    .begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?
            }
        };
        let ledger = sqlx::query("SELECT next_seq, head, instance FROM ledger")
            .fetch_one(&mut *tx)
            .await?;
        let mut walk = Walk {
            next: 1,
            head: entry::genesis(&ledger.try_get::<Vec<u8>, _>(2)?),
            numbers: BTreeMap::new(),
            requests: BTreeMap::new(),
            broken: false,
            fault: None,
        };
        walk_entries(&mut tx, &mut walk).await?;
        walk.broken = walk.fault.is_some();
        if !walk.broken
            && (walk.next != ledger.try_get::<i64, _>(0)?
                || walk.head[..] != ledger.try_get::<Vec<u8>, _>(1)?[..])
        {
            walk.fault(
                walk.next,
                "the ledger names another end of the history".into(),
            );
        }
        walk_letters(&mut tx, &mut walk).await?;
        walk_requests(&mut tx, &mut walk).await?;
        Ok(match walk.fault {
            Some((seq, why)) => ChainState::Broken { seq, why },
            None => ChainState::Whole {
                entries: walk.next.saturating_sub(1),
                head: hex(&walk.head),
            },
        })
    }
}

/// Every entry in order, up to the first that does not fit.
async fn walk_entries(tx: &mut Transaction<'static, Any>, walk: &mut Walk) -> Result<()> {
    loop {
        let page = sqlx::query(
            "SELECT e.seq, e.at_us, e.kind, e.request_id, e.letter_id, e.letter_sha256, e.data, e.salt, e.commitment, e.prev_hash, e.hash, \
             r.number_year, r.number_count, l.sha256 \
             FROM events e LEFT JOIN requests r ON r.id = e.request_id LEFT JOIN letters l ON l.id = e.letter_id \
             WHERE e.seq >= $1 ORDER BY e.seq LIMIT $2",
        )
        .bind(walk.next)
        .bind(PAGE)
        .fetch_all(&mut **tx)
        .await?;
        if page.is_empty() {
            return Ok(());
        }
        for row in &page {
            if let Err(why) = walk_entry(row, walk)? {
                walk.fault(walk.next, why.to_owned());
                return Ok(());
            }
            walk.next = walk.next.saturating_add(1);
        }
    }
}

/// One entry; what does not fit, if something does not.
fn walk_entry(row: &AnyRow, walk: &mut Walk) -> Result<std::result::Result<(), &'static str>> {
    let seq: i64 = row.try_get(0)?;
    if seq != walk.next {
        return Ok(Err("the entry is missing"));
    }
    let bytes = |column: usize| row.try_get::<Option<Vec<u8>>, _>(column);
    let (Ok(commitment), Ok(prev), Ok(hash), Ok(letter_sha256)) = (
        digest(&bytes(8)?.unwrap_or_default()),
        digest(&bytes(9)?.unwrap_or_default()),
        digest(&bytes(10)?.unwrap_or_default()),
        bytes(5)?.map(|sha256| digest(&sha256)).transpose(),
    ) else {
        return Ok(Err("a digest has another length"));
    };
    let entry = Entry {
        seq,
        at_us: row.try_get(1)?,
        kind: row.try_get(2)?,
        request: row.try_get(3)?,
        letter: row.try_get(4)?,
        letter_sha256,
        commitment,
    };
    if prev != walk.head {
        return Ok(Err("it does not follow the entry before it"));
    }
    if entry.hash(&prev) != hash {
        return Ok(Err("the entry was altered: its hash is another"));
    }
    let data: Option<String> = row.try_get(6)?;
    match (&data, bytes(7)?) {
        (Some(data), Some(salt)) => {
            if entry::commitment(&salt, data)? != commitment {
                return Ok(Err("what the entry says was altered"));
            }
        }
        // Erased as a whole: the chain holds without it.
        (None, None) => {}
        _ => return Ok(Err("what the entry says was erased in part")),
    }
    if entry.letter.is_some() && bytes(13)? != letter_sha256.map(|sha256| sha256.to_vec()) {
        return Ok(Err("its letter is missing or another"));
    }
    walk.head = hash;
    let told: Option<Value> = data.and_then(|data| serde_json::from_str(&data).ok());
    if entry.kind == "registered" {
        let (year, count): (Option<i64>, Option<i64>) = (row.try_get(11)?, row.try_get(12)?);
        let (Some(year), Some(count)) = (year, count) else {
            return Ok(Err("its request has no number"));
        };
        let last = walk.numbers.entry(year).or_default();
        if count != last.saturating_add(1) {
            return Ok(Err(
                "its request's number does not follow the one before it",
            ));
        }
        *last = count;
    }
    retell(walk, &entry, told);
    Ok(Ok(()))
}

/// Adds to a request what the entry says of it.
fn retell(walk: &mut Walk, entry: &Entry, told: Option<Value>) {
    let Some(id) = entry.request else { return };
    let matter = told.as_ref().and_then(|told| told.get("matter")).cloned();
    let (_, state) = walk.requests.entry(id).or_insert_with(|| {
        let state = matter.map(|mut matter| {
            if let Value::Object(fields) = &mut matter {
                fields.insert("status".into(), json!("in-progress"));
                fields.insert("number".into(), Value::Null);
                fields.insert("due".into(), Value::Null);
            }
            matter
        });
        (entry.seq, state)
    });
    if entry.kind == "succession" {
        succession::retell(state, told.as_ref());
        return;
    }
    let changes: &[(&str, &str)] = match entry.kind.as_str() {
        "queued" => &[("opens", "opens")],
        "registered" => &[
            ("number", "number"),
            ("day", "registration_day"),
            ("due", "due"),
        ],
        "kind-changed" => &[("to", "kind")],
        "installation-named" => &[("installation", "installation")],
        "status-changed" => &[("to", "status")],
        "type-changed" => &[("to", "type")],
        "due-moved" => &[("due", "due")],
        "requester-changed" => &[("to", "requester"), ("name", "requester_name")],
        _ => &[],
    };
    if changes.is_empty() {
        return;
    }
    match (state.as_mut(), told) {
        (Some(Value::Object(fields)), Some(told)) => {
            for (from, to) in changes {
                let value = told.get(*from).cloned().unwrap_or_default();
                fields.insert((*to).to_owned(), value);
            }
        }
        _ => *state = None,
    }
}

/// Every letter's bytes and explanation, one letter at a time: they may be large.
async fn walk_letters(tx: &mut Transaction<'static, Any>, walk: &mut Walk) -> Result<()> {
    let mut last = 0_i64;
    loop {
        let row = sqlx::query(
            "SELECT l.id, l.size, l.sha256, o.raw, l.verdict, l.explanation, \
             (SELECT MIN(seq) FROM events WHERE letter_id = l.id), \
             (SELECT data FROM events WHERE letter_id = l.id ORDER BY seq LIMIT 1) \
             FROM letters l LEFT JOIN originals o ON o.letter_id = l.id WHERE l.id > $1 ORDER BY l.id LIMIT 1",
        )
        .bind(last)
        .fetch_optional(&mut **tx)
        .await?;
        let Some(row) = row else { return Ok(()) };
        last = row.try_get(0)?;
        let seq = row.try_get::<Option<i64>, _>(6)?.unwrap_or(walk.next);
        if let Some(why) = letter_fault(&row)? {
            walk.fault(seq, format!("letter {last}: {why}"));
        }
    }
}

fn letter_fault(row: &AnyRow) -> Result<Option<&'static str>> {
    let Some(raw) = row.try_get::<Option<Vec<u8>>, _>(3)? else {
        return Ok(Some("its original is missing"));
    };
    let sha256: Vec<u8> = row.try_get(2)?;
    let whole = unpack(&raw, row.try_get(1)?)
        .is_ok_and(|raw| Sha256::digest(raw).as_slice() == sha256.as_slice());
    if !whole {
        return Ok(Some("its original was altered"));
    }
    let verdict: Option<String> = row.try_get(4)?;
    if verdict.is_some() && row.try_get::<Option<i64>, _>(6)?.is_none() {
        return Ok(Some("it was decided on, and the history does not know it"));
    }
    let Some(told) = row
        .try_get::<Option<String>, _>(7)?
        .and_then(|data| serde_json::from_str::<Value>(&data).ok())
    else {
        return Ok(None);
    };
    if told.get("verdict").and_then(Value::as_str) != verdict.as_deref() {
        return Ok(Some("its verdict was altered"));
    }
    let Some(packed) = row.try_get::<Option<Vec<u8>>, _>(5)? else {
        return Ok(None);
    };
    let kept = unpack_text(&packed).map(|text| hex(&Sha256::digest(text.as_bytes())));
    let same =
        kept.is_ok_and(|kept| told.get("explanation").and_then(Value::as_str) == Some(&kept));
    Ok((!same).then_some("its explanation was altered"))
}

/// Every request against what its history tells, and the numbers against the last ones given.
async fn walk_requests(tx: &mut Transaction<'static, Any>, walk: &mut Walk) -> Result<()> {
    let mut last = 0_i64;
    let mut found: BTreeMap<i64, i64> = BTreeMap::new();
    loop {
        let page = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE id > $1 ORDER BY id LIMIT $2) ORDER BY r.id, p.id"
        ))
        .bind(last)
        .bind(PAGE)
        .fetch_all(&mut **tx)
        .await?;
        for request in read_all(&page)? {
            last = request.id.0;
            if let Some(number) = request.number {
                let count = found.entry(i64::from(number.year())).or_default();
                *count = count.saturating_add(1);
            }
            match walk.requests.remove(&last) {
                // Behind a broken link nothing was read that could be compared.
                _ if walk.broken => {}
                Some((seq, Some(told))) if told != state(&request) => {
                    walk.fault(
                        seq,
                        format!("request {last} stands otherwise than its history tells"),
                    );
                }
                Some(_) => {}
                None => walk.fault(
                    walk.next,
                    format!("the history does not know request {last}"),
                ),
            }
        }
        if page.is_empty() {
            break;
        }
    }
    let mut given = BTreeMap::new();
    for row in sqlx::query("SELECT year, last FROM numbers")
        .fetch_all(&mut **tx)
        .await?
    {
        given.insert(row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?);
    }
    if !walk.broken && (given != walk.numbers || given != found) {
        walk.fault(
            walk.next,
            "the numbers given are not those that the requests have".into(),
        );
    }
    if let (false, Some((id, (seq, _)))) = (walk.broken, walk.requests.first_key_value()) {
        let (seq, why) = (*seq, format!("request {id} is missing"));
        walk.fault(seq, why);
    }
    Ok(())
}

/// A request's row in the words of its history.
fn state(request: &Request) -> Value {
    let mut state = matter_data(&request.matter);
    if let Value::Object(fields) = &mut state {
        fields.insert("status".into(), json!(request.status.word()));
        fields.insert(
            "number".into(),
            json!(request.number.map(|n| n.to_string())),
        );
        fields.insert("due".into(), json!(request.due.map(utc)));
        if let Some(procedure) = request.succession.as_deref() {
            fields.insert("succession".into(), json!(procedure));
        }
    }
    state
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
        clippy::too_many_lines,
        reason = "tests"
    )]
    use super::*;
    use crate::desk::decide::{Concern, Verdict};
    use crate::desk::event::Event;
    use crate::desk::request::Status;
    use crate::store::testing::{
        Database, apply, decision, kept, minute, on_each_engine, register,
    };

    /// Two registered requests, a change of the first, a letter about nothing, a letter that waits: entries 1 to 4.
    async fn small_desk(db: &Database) {
        let (first, _) = register(&db.store, 1, "one").await;
        register(&db.store, 2, "two").await;
        let ignored = kept(&db.store, 3, "three").await;
        let mut work = db.store.begin().await.unwrap();
        let changed = Event::StatusChanged {
            to: Status::Resolved,
            by: None,
            why: "сделано".into(),
            at: minute(1),
            ending: None,
        };
        let changed = decision(Verdict::Attached, Concern::Existing(first), vec![changed]);
        apply(&mut work, None, &changed, minute(4)).await;
        let nothing = decision(Verdict::Ignored, Concern::Nothing, vec![]);
        apply(&mut work, Some(&ignored), &nothing, minute(5)).await;
        work.commit().await.unwrap();
        kept(&db.store, 4, "four").await;
    }

    #[tokio::test]
    async fn an_empty_desk_is_whole() {
        on_each_engine(async |db| {
            let state = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(state, ChainState::Whole { entries: 0, .. }),
                "{state:?}"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_whole_history_names_its_head() {
        on_each_engine(async |db| {
            small_desk(db).await;
            let state = db.store.verify_chain().await.unwrap();
            let ChainState::Whole { entries: 4, head } = state else {
                panic!("{state:?}");
            };
            assert_eq!(head.len(), 64);
        })
        .await;
    }

    #[tokio::test]
    async fn the_database_itself_refuses_to_change_history() {
        on_each_engine(async |db| {
            small_desk(db).await;
            for sql in [
                "UPDATE events SET kind = 'noted' WHERE seq = 1",
                "UPDATE events SET data = '{}' WHERE seq = 1",
                "UPDATE events SET data = NULL, salt = NULL, kind = 'noted' WHERE seq = 1",
                "DELETE FROM events WHERE seq = 4",
            ] {
                let refused = sqlx::query(sql)
                    .execute(&db.store.writer)
                    .await
                    .unwrap_err();
                assert!(
                    refused.to_string().contains("append only"),
                    "{sql}: {refused}"
                );
            }
        })
        .await;
    }

    #[tokio::test]
    async fn what_an_entry_says_may_be_erased_and_the_chain_holds() {
        on_each_engine(async |db| {
            small_desk(db).await;
            sqlx::query("UPDATE events SET data = NULL, salt = NULL WHERE seq IN (1, 3)")
                .execute(&db.store.writer)
                .await
                .unwrap();
            let state = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(state, ChainState::Whole { entries: 4, .. }),
                "{state:?}"
            );
            let history = db
                .store
                .history(crate::desk::request::RequestId(1))
                .await
                .unwrap();
            assert_eq!(history[0].data, r#"{"erased":true}"#);
        })
        .await;
    }

    #[tokio::test]
    async fn every_kind_of_tampering_is_found_at_its_place() {
        let cut = "substr(raw, 1, 8)";
        let cases: &[(&str, i64, &str)] = &[
            (
                "UPDATE events SET kind = 'noted' WHERE seq = 3",
                3,
                "altered",
            ),
            (
                "UPDATE events SET at_us = at_us + 1 WHERE seq = 2",
                2,
                "altered",
            ),
            (
                "UPDATE events SET request_id = 2 WHERE seq = 3",
                3,
                "altered",
            ),
            (
                "UPDATE events SET letter_id = 2 WHERE seq = 1",
                1,
                "altered",
            ),
            (
                "UPDATE events SET data = '{}' WHERE seq = 2",
                2,
                "says was altered",
            ),
            (
                "UPDATE events SET commitment = hash WHERE seq = 2",
                2,
                "altered",
            ),
            (
                "UPDATE events SET prev_hash = hash WHERE seq = 2",
                2,
                "follow",
            ),
            (
                "UPDATE events SET hash = prev_hash WHERE seq = 2",
                2,
                "altered",
            ),
            ("DELETE FROM events WHERE seq = 1", 1, "missing"),
            ("DELETE FROM events WHERE seq = 2", 2, "missing"),
            ("DELETE FROM events WHERE seq = 4", 4, "another end"),
            ("UPDATE ledger SET head = instance", 5, "another end"),
            (
                "UPDATE letters SET sha256 = content_key WHERE id = 2",
                2,
                "its letter",
            ),
            (
                "UPDATE originals SET raw = (SELECT raw FROM originals WHERE letter_id = 1) WHERE letter_id = 2",
                2,
                "original was altered",
            ),
            (
                "UPDATE originals SET raw = {cut} WHERE letter_id = 1",
                1,
                "original was altered",
            ),
            (
                "UPDATE originals SET raw = {cut} WHERE letter_id = 4",
                5,
                "original was altered",
            ),
            (
                "DELETE FROM originals WHERE letter_id = 3",
                4,
                "original is missing",
            ),
            (
                "UPDATE letters SET verdict = 'held' WHERE id = 3",
                4,
                "verdict",
            ),
            (
                "UPDATE letters SET explanation = (SELECT explanation FROM letters WHERE id = 1) WHERE id = 2",
                2,
                "explanation",
            ),
            (
                "UPDATE letters SET verdict = 'ignored', decided_us = 1 WHERE id = 4",
                5,
                "does not know it",
            ),
            (
                "UPDATE requests SET number_count = 3 WHERE id = 2",
                2,
                "number",
            ),
            (
                "UPDATE requests SET status = 'closed' WHERE id = 1",
                1,
                "otherwise",
            ),
            (
                "UPDATE requests SET due_us = due_us + 1 WHERE id = 2",
                2,
                "otherwise",
            ),
            (
                "UPDATE requests SET customer = 'x' WHERE id = 2",
                2,
                "otherwise",
            ),
            (
                "UPDATE requests SET arrived_us = arrived_us - 1 WHERE id = 2",
                2,
                "otherwise",
            ),
            ("UPDATE numbers SET last = 9", 5, "numbers"),
        ];
        for (sql, place, word) in cases {
            on_each_engine(async |db| {
                small_desk(db).await;
                db.tamper(&sql.replace("{cut}", cut)).await;
                let state = db.store.verify_chain().await.unwrap();
                let ChainState::Broken { seq, why } = &state else {
                    panic!("{sql} was not found");
                };
                assert_eq!(seq, place, "{sql}: {why}");
                assert!(why.contains(word), "{sql}: {why}");
            })
            .await;
        }
    }

    #[tokio::test]
    async fn one_byte_of_one_letter_is_enough() {
        on_each_engine(async |db| {
            small_desk(db).await;
            let raw: Vec<u8> = sqlx::query("SELECT raw FROM originals WHERE letter_id = 2")
                .fetch_one(&db.store.reader)
                .await
                .unwrap()
                .try_get(0)
                .unwrap();
            for place in 0..raw.len() {
                let mut flipped = raw.clone();
                flipped[place] ^= 0x10;
                let same = unpack(&flipped, 3).is_ok_and(|bytes| bytes == b"two");
                sqlx::query("UPDATE originals SET raw = $1 WHERE letter_id = 2")
                    .bind(flipped)
                    .execute(&db.store.writer)
                    .await
                    .unwrap();
                let state = db.store.verify_chain().await.unwrap();
                let found = matches!(state, ChainState::Broken { seq: 2, .. });
                assert_eq!(found, !same, "byte {place}: {state:?}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn a_long_history_is_walked_to_its_end() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            for n in 0..(2 * PAGE + 3) {
                let noted = Event::Noted {
                    what: n.to_string(),
                };
                let noted = decision(Verdict::Held, Concern::Nothing, vec![noted]);
                apply(&mut work, None, &noted, minute(n)).await;
            }
            work.commit().await.unwrap();
            let state = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(state, ChainState::Whole { entries: 515, .. }),
                "{state:?}"
            );
            db.tamper("UPDATE events SET at_us = 0 WHERE seq = 514")
                .await;
            let state = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(state, ChainState::Broken { seq: 514, .. }),
                "{state:?}"
            );
        })
        .await;
    }
}
