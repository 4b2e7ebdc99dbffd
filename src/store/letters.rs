//! Raw letters and where they were seen (K1, K2, K3 of the identity keys): kept before anything reads them.

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

use super::pool::Store;

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
    /// Its bytes.
    pub raw: Vec<u8>,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Its size on the server, if larger than the desk takes.
    pub oversize: Option<u64>,
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
        let _ = (mailbox, batch, cursor, now);
        todo!()
    }

    /// How far a mailbox has been read; none before its first poll.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn cursor(&self, mailbox: &str) -> Result<Option<Cursor>> {
        let _ = mailbox;
        todo!()
    }

    /// Sets a mailbox's cursor without keeping anything (first start with `start = "now"`).
    ///
    /// # Errors
    /// The database refused.
    pub async fn set_cursor(&self, mailbox: &str, cursor: Cursor) -> Result<()> {
        let _ = (mailbox, cursor);
        todo!()
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
        let _ = (mailbox, uidvalidity, uids);
        todo!()
    }

    /// The undecided letters, in order of arrival, at most `limit` of them and about `max_bytes` of raw bytes together (at least one letter).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn undecided(&self, limit: u32, max_bytes: u64) -> Result<Vec<Waiting>> {
        let _ = (limit, max_bytes);
        todo!()
    }

    /// Counts one more attempt at reading each of these letters, and commits: before the attempt is made.
    ///
    /// # Errors
    /// The database refused.
    pub async fn count_attempt(&self, ids: &[LetterId]) -> Result<()> {
        let _ = ids;
        todo!()
    }

    /// The record of a letter by its Message-ID (without brackets); the latest if several have it.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn record_by_message_id(&self, message_id: &str) -> Result<Option<Record>> {
        let _ = message_id;
        todo!()
    }

    /// The records of all letters of a request, in order of arrival.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn records_of_request(
        &self,
        request: crate::desk::request::RequestId,
    ) -> Result<Vec<Record>> {
        let _ = request;
        todo!()
    }
}

/// A day of the desk's calendar as the store writes it, `2026-11-23`.
pub(crate) fn day_text(day: NaiveDate) -> String {
    day.format("%Y-%m-%d").to_string()
}
