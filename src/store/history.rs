//! The history as a hash chain over salted commitments (R36): each entry commits to the one before it; a check names the first altered one.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::entry::{self, Entry, hex, matter_data, utc};
use super::letters::{digest, unpack, unpack_text};
use super::pool::{Engine, Store};
use super::requests::{REQUEST, read_all};
use super::statement::made;
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
            fault: None,
        };
        walk_entries(&mut tx, &mut walk).await?;
        if walk.fault.is_none()
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
                _ if walk.fault.is_some() => {}
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
    if walk.fault.is_none() && (given != walk.numbers || given != found) {
        walk.fault(
            walk.next,
            "the numbers given are not those that the requests have".into(),
        );
    }
    if let (None, Some((id, (seq, _)))) = (&walk.fault, walk.requests.first_key_value()) {
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
    }
    state
}
