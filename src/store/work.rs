//! One unit of work: what the store knows that bears on an occasion, the decision applied with its letters, all in one transaction.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};

use super::letters::LetterId;
use super::pool::Store;
use crate::desk::decide::Decision;
use crate::desk::request::{Number, Pending, Request, RequestId};

/// A transaction that holds the desk's one write lock: nobody else decides or numbers meanwhile. Dropped without commit, it never was.
#[derive(Debug)]
pub struct Work {}

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
    /// The database is not there, or another holder kept the lock too long.
    pub async fn begin(&self) -> Result<Work> {
        todo!()
    }
}

impl Work {
    /// The last number given in each year (R17), as of this unit of work.
    pub fn last_numbers(&self) -> &BTreeMap<i32, u32> {
        todo!()
    }

    /// A request with what it waits for.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request(&mut self, id: RequestId) -> Result<Option<Request>> {
        let _ = id;
        todo!()
    }

    /// The same by number.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request_by_number(&mut self, number: Number) -> Result<Option<Request>> {
        let _ = number;
        todo!()
    }

    /// The request whose letters (received or sent) include the first of these Message-IDs that is known, tried in order.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request_by_message_ids(
        &mut self,
        ids: &[String],
    ) -> Result<Option<(RequestId, String)>> {
        let _ = ids;
        todo!()
    }

    /// A letter of ours by its name.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn sent(&mut self, outbox: i64) -> Result<Option<Sent>> {
        let _ = outbox;
        todo!()
    }

    /// Whether a letter with this content key was decided on before (K3).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn content_seen(&mut self, content_key: &[u8; 32], except: LetterId) -> Result<bool> {
        let _ = (content_key, except);
        todo!()
    }

    /// How many automatic letters, and how many of them refusals, were written to this address since the two moments; and how many
    /// requests it opened since the first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn counts(
        &mut self,
        address_key: &str,
        hour_ago: DateTime<Utc>,
        day_began: DateTime<Utc>,
    ) -> Result<Counts> {
        let _ = (address_key, hour_ago, day_began);
        todo!()
    }

    /// Queued requests whose moment has come, in order of arrival; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn openings(&mut self, now: DateTime<Utc>, limit: u32) -> Result<Vec<Request>> {
        let _ = (now, limit);
        todo!()
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
        let _ = (now, limit);
        todo!()
    }

    /// Gives the names that this decision's rows will have.
    pub fn name(&mut self, decision: &Decision) -> Names {
        let _ = decision;
        todo!()
    }

    /// Writes a decision: the letter's end state, the request's rows, one link of the history chain for each event (and for each letter
    /// that concerns no request), and the outbox rows, due at once.
    ///
    /// # Errors
    /// The database refused; drop the work then.
    pub async fn apply(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        letters: &[Outgoing],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let _ = (letter, decision, names, letters, now);
        todo!()
    }

    /// Makes everything of this unit of work durable at once.
    ///
    /// # Errors
    /// The database refused: nothing happened, or (connection lost) it may have; the letter's state tells on the next look.
    pub async fn commit(self) -> Result<()> {
        todo!()
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
