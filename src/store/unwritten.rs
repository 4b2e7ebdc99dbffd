//! Rows of a unit of work that wait to be written together: each statement costs more than what it writes.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

use super::apply::Change;
use super::column::{Pressed, day_text, micros};
use super::course;
use super::entry::{Link, locale_word};
use super::pool::Engine;
use super::statement::{made, portions, rows, typed_rows};
use super::succession;
use super::work::{LetterResult, Outgoing};
use crate::desk::decide::Onward;
use crate::desk::event::Outcome;
use crate::desk::request::{Kind, Matter, PendingKind, RequestId, Status, Type};
use crate::desk::succession::procedure::Procedure;

/// What a unit of work has decided and not written yet.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    pub(crate) opened: Vec<Opened>,
    pub(crate) changes: Vec<(RequestId, Change)>,
    pub(crate) waits: Vec<Wait>,
    pub(crate) reminded: Vec<Reminded>,
    pub(crate) settled: Vec<Settled>,
    pub(crate) letters: Vec<Decided>,
    pub(crate) outbox: Vec<Letter>,
    pub(crate) lost: Vec<Lost>,
    pub(crate) links: Vec<Link>,
}

/// A request to be opened.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) id: RequestId,
    pub(crate) matter: Matter,
    pub(crate) change: Change,
    /// Comparison key of the sender whose letter opened it.
    pub(crate) sender: Option<String>,
    pub(crate) at: DateTime<Utc>,
}

/// Something that a request begins to wait for.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) id: i64,
    pub(crate) request: RequestId,
    pub(crate) kind: PendingKind,
    pub(crate) party: String,
    pub(crate) lapses: DateTime<Utc>,
    pub(crate) remind: Option<DateTime<Utc>>,
    pub(crate) days: Option<u32>,
    pub(crate) at: DateTime<Utc>,
}

/// Something that a request waits for, whose party was reminded.
#[derive(Debug)]
pub(crate) struct Reminded {
    pub(crate) id: i64,
    pub(crate) request: RequestId,
    pub(crate) next: Option<DateTime<Utc>>,
}

/// Something that a request waits for no more.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) id: i64,
    pub(crate) request: RequestId,
    pub(crate) outcome: Outcome,
    pub(crate) at: DateTime<Utc>,
}

/// A letter's end state.
#[derive(Debug)]
pub(crate) struct Decided {
    pub(crate) letter: LetterResult,
    pub(crate) request: Option<RequestId>,
    pub(crate) verdict: &'static str,
    pub(crate) explanation: Pressed,
    pub(crate) at: DateTime<Utc>,
}

/// A letter of ours.
#[derive(Debug)]
pub(crate) struct Letter {
    pub(crate) outgoing: Outgoing,
    pub(crate) request: Option<RequestId>,
    pub(crate) pending: Option<i64>,
    pub(crate) about_failure: bool,
    /// The sender whose letter caused it, and whether they were authenticated.
    pub(crate) cause: Option<(Option<String>, bool)>,
    pub(crate) at: DateTime<Utc>,
}

/// A letter of ours that the server took and that came back: it is as lost as one that it refused (R47).
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) id: i64,
    pub(crate) why: String,
    pub(crate) at: DateTime<Utc>,
}

impl Unwritten {
    /// Whether a row of this request, or of what it waits for, is among them.
    pub(crate) fn touches(&self, request: RequestId) -> bool {
        self.opened.iter().any(|r| r.id == request)
            || self.changes.iter().any(|(id, _)| *id == request)
            || self.waits.iter().any(|w| w.request == request)
            || self.reminded.iter().any(|r| r.request == request)
            || self.settled.iter().any(|s| s.request == request)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.opened.is_empty()
            && self.changes.is_empty()
            && self.waits.is_empty()
            && self.reminded.is_empty()
            && self.settled.is_empty()
            && self.letters.is_empty()
            && self.outbox.is_empty()
            && self.lost.is_empty()
            && self.links.is_empty()
    }

    /// Writes everything, what is referred to before what refers to it.
    ///
    /// # Errors
    /// The database refused, or a row doesn't fit what the store holds.
    pub(crate) async fn write(self, connection: &mut AnyConnection, engine: Engine) -> Result<()> {
        for piece in portions(&self.opened) {
            open(connection, piece)
                .await
                .context("Requests could not be opened")?;
        }
        for (id, changed) in &self.changes {
            change(connection, *id, changed).await?;
        }
        for piece in portions(&self.waits) {
            wait(connection, piece)
                .await
                .context("What is waited for could not be written")?;
        }
        for reminded in &self.reminded {
            remind(connection, reminded)
                .await
                .context("A reminder could not be noted")?;
        }
        for settled in &self.settled {
            settle(connection, settled).await?;
        }
        for piece in portions(&self.letters) {
            decide(connection, engine, piece).await?;
        }
        for piece in portions(&self.outbox) {
            post(connection, piece)
                .await
                .context("The outbox could not be written")?;
        }
        for lost in &self.lost {
            lose(connection, lost)
                .await
                .context("A letter that came back could not be marked as lost")?;
        }
        for piece in portions(&self.links) {
            link(connection, piece)
                .await
                .context("The history could not be written")?;
        }
        Ok(())
    }
}

async fn open(connection: &mut AnyConnection, opened: &[Opened]) -> Result<()> {
    let mut query = made(format!(
        "INSERT INTO requests (id, number_year, number_count, customer, installation, requester, requester_name, requester_key, \
         locale, kind, type, subject, message_id, arrived_us, opens_us, registration_day, status, due_us, acknowledged, vouched, quiet, \
         created_us, course, wakes_us, continues_year, continues_count, channel, succession, to_write) VALUES {}",
        rows(29, opened.len())
    ));
    for Opened {
        id,
        matter,
        change,
        sender,
        at,
    } in opened
    {
        let installation = change
            .installation
            .as_ref()
            .or(matter.installation.as_ref());
        let onward = change.onward.as_ref();
        let continues = onward.and_then(|onward| onward.continues);
        query = query
            .bind(id.0)
            .bind(change.number.map(|number| i64::from(number.year())))
            .bind(change.number.map(|number| i64::from(number.count())))
            .bind(matter.customer.clone())
            .bind(installation.cloned())
            .bind(matter.requester.to_string())
            .bind(matter.requester_name.clone())
            .bind(sender.clone())
            .bind(locale_word(matter.locale))
            .bind(change.kind.unwrap_or(matter.kind).word())
            .bind(change.type_.unwrap_or(matter.type_).word())
            .bind(matter.subject.clone())
            .bind(matter.message_id.clone())
            .bind(micros(matter.arrived))
            .bind(micros(change.opens.unwrap_or(matter.opens)))
            .bind(day_text(change.day.unwrap_or(matter.registration_day)))
            .bind(change.status.unwrap_or(Status::InProgress).word())
            .bind(change.due.map(micros))
            .bind(i64::from(matter.acknowledged))
            .bind(matter.vouched.word())
            .bind(i64::from(matter.quiet))
            .bind(micros(*at))
            .bind(onward.map_or_else(|| "{}".to_owned(), |onward| course::text(&onward.course)))
            .bind(onward.and_then(|onward| onward.wakes).map(micros))
            .bind(continues.map(|number| i64::from(number.year())))
            .bind(continues.map(|number| i64::from(number.count())))
            .bind(matter.channel.word())
            .bind(onward.and_then(|onward| succession::text(onward.succession.as_deref())))
            .bind(i64::from(onward.is_some_and(is_to_write)));
    }
    query.execute(connection).await?;
    Ok(())
}

/// Whether the desk is to write a change of representative into the customer's file.
fn is_to_write(onward: &Onward) -> bool {
    onward
        .succession
        .as_deref()
        .is_some_and(Procedure::is_to_write)
}

async fn change(connection: &mut AnyConnection, id: RequestId, change: &Change) -> Result<()> {
    let (requester, onward) = (change.requester.as_ref(), change.onward.as_ref());
    let continues = onward.and_then(|onward| onward.continues);
    // A request that has a number keeps it for ever.
    let changed = sqlx::query(
        "UPDATE requests SET number_year = COALESCE(number_year, $2), number_count = COALESCE(number_count, $3), \
         registration_day = COALESCE($4, registration_day), due_us = COALESCE($5, due_us), opens_us = COALESCE($6, opens_us), \
         kind = COALESCE($7, kind), installation = COALESCE($8, installation), status = COALESCE($9, status), \
         type = COALESCE($10, type), requester = COALESCE($11, requester), requester_name = COALESCE($12, requester_name), \
         course = COALESCE($13, course), wakes_us = CASE WHEN $13 IS NULL THEN wakes_us ELSE $14 END, \
         continues_year = COALESCE($15, continues_year), continues_count = COALESCE($16, continues_count), \
         succession = COALESCE($17, succession), to_write = CASE WHEN $13 IS NULL THEN to_write ELSE $18 END \
         WHERE id = $1 AND (number_count IS NULL OR $3 IS NULL)",
    )
    .bind(id.0)
    .bind(change.number.map(|number| i64::from(number.year())))
    .bind(change.number.map(|number| i64::from(number.count())))
    .bind(change.day.map(day_text))
    .bind(change.due.map(micros))
    .bind(change.opens.map(micros))
    .bind(change.kind.map(Kind::word))
    .bind(change.installation.clone())
    .bind(change.status.map(Status::word))
    .bind(change.type_.map(Type::word))
    .bind(requester.map(|(address, _)| address.to_string()))
    .bind(requester.map(|(_, name)| name.clone()))
    .bind(onward.map(|onward| course::text(&onward.course)))
    .bind(onward.and_then(|onward| onward.wakes).map(micros))
    .bind(continues.map(|number| i64::from(number.year())))
    .bind(continues.map(|number| i64::from(number.count())))
    .bind(onward.and_then(|onward| succession::text(onward.succession.as_deref())))
    .bind(i64::from(onward.is_some_and(is_to_write)))
    .execute(connection)
    .await
    .context("The request could not be changed")?
    .rows_affected();
    if changed != 1 {
        bail!("Request {} is not there, or has its number already", id.0);
    }
    Ok(())
}

async fn wait(connection: &mut AnyConnection, waits: &[Wait]) -> Result<()> {
    let mut query = made(format!(
        "INSERT INTO pendings (id, request_id, kind, party, lapses_us, created_us, remind_us, days) VALUES {}",
        rows(8, waits.len())
    ));
    for wait in waits {
        query = query
            .bind(wait.id)
            .bind(wait.request.0)
            .bind(wait.kind.word())
            .bind(wait.party.clone())
            .bind(micros(wait.lapses))
            .bind(micros(wait.at))
            .bind(wait.remind.map(micros))
            .bind(wait.days.map(i64::from));
    }
    query.execute(connection).await?;
    Ok(())
}

async fn remind(connection: &mut AnyConnection, reminded: &Reminded) -> Result<()> {
    sqlx::query(
        "UPDATE pendings SET remind_us = $2 WHERE id = $1 AND settled_us IS NULL AND request_id = $3",
    )
    .bind(reminded.id)
    .bind(reminded.next.map(micros))
    .bind(reminded.request.0)
    .execute(connection)
    .await?;
    Ok(())
}

async fn settle(connection: &mut AnyConnection, settled: &Settled) -> Result<()> {
    let done = sqlx::query(
        "UPDATE pendings SET outcome = $2, settled_us = $3 WHERE id = $1 AND settled_us IS NULL AND request_id = $4",
    )
    .bind(settled.id)
    .bind(settled.outcome.word())
    .bind(micros(settled.at))
    .bind(settled.request.0)
    .execute(connection)
    .await?
    .rows_affected();
    if done != 1 {
        bail!(
            "Pending {} is settled already, or not of this request",
            settled.id
        );
    }
    Ok(())
}

async fn decide(connection: &mut AnyConnection, engine: Engine, decided: &[Decided]) -> Result<()> {
    // PostgreSQL takes an untyped place in VALUES for text.
    let types = [
        "BIGINT", "BIGINT", "TEXT", "BIGINT", "TEXT", "BYTEA", "TEXT", "BYTEA", "BYTEA", "TEXT",
        "BYTEA",
    ];
    let mut query = made(format!(
        "UPDATE letters SET decided_us = v.column2, verdict = v.column3, request_id = v.column4, message_id = v.column5, \
         content_key = v.column6, sender_key = v.column7, explanation = v.column8, assurance = v.column10, signature_key = v.column11 \
         FROM (VALUES {}) AS v WHERE letters.id = v.column1 AND letters.decided_us IS NULL AND letters.sha256 = v.column9",
        typed_rows(engine, &types, decided.len())
    ));
    for row in decided {
        let letter = &row.letter;
        query = query
            .bind(letter.id.0)
            .bind(micros(row.at))
            .bind(row.verdict)
            .bind(row.request.map(|request| request.0))
            .bind(letter.message_id.clone())
            .bind(letter.content_key.map(|key| key.to_vec()))
            .bind(letter.sender.clone())
            .bind(row.explanation.packed().to_vec())
            .bind(letter.sha256.to_vec())
            .bind(letter.assurance.word())
            .bind(letter.signature_key.map(|key| key.to_vec()));
    }
    let done = query
        .execute(connection)
        .await
        .context("The letters' end state could not be written")?
        .rows_affected();
    if usize::try_from(done)? != decided.len() {
        let ids: Vec<String> = decided.iter().map(|d| d.letter.id.0.to_string()).collect();
        bail!(
            "Of letters {} one is decided already, or is another one",
            ids.join(", ")
        );
    }
    Ok(())
}

async fn post(connection: &mut AnyConnection, letters: &[Letter]) -> Result<()> {
    let mut query = made(format!(
        "INSERT INTO outbox (id, request_id, pending_id, recipient, recipient_key, template, refusal, internal, about_failure, \
         subject, message_id, bytes, created_us, state, due_us, attempts, unknowns, cause_key, cause_vouched) VALUES {}",
        rows(19, letters.len())
    ));
    for letter in letters {
        let outgoing = &letter.outgoing;
        let cause = letter.cause.as_ref();
        query = query
            .bind(outgoing.id)
            .bind(letter.request.map(|request| request.0))
            .bind(letter.pending)
            .bind(outgoing.recipient.clone())
            .bind(outgoing.recipient_key.clone())
            .bind(outgoing.template.clone())
            .bind(i64::from(outgoing.refusal))
            .bind(i64::from(outgoing.internal))
            .bind(i64::from(letter.about_failure))
            .bind(outgoing.subject.clone())
            .bind(outgoing.message_id.clone())
            .bind(outgoing.bytes.packed().to_vec())
            .bind(micros(letter.at))
            .bind("pending")
            .bind(micros(letter.at))
            .bind(0_i64)
            .bind(0_i64)
            .bind(cause.and_then(|(key, _)| key.clone()))
            .bind(cause.map(|(_, vouched)| i64::from(*vouched)));
    }
    query.execute(connection).await?;
    Ok(())
}

async fn lose(connection: &mut AnyConnection, lost: &Lost) -> Result<()> {
    sqlx::query(
        "UPDATE outbox SET state = 'failed', due_us = NULL, answer = $2, settled_us = $3 WHERE id = $1 AND state <> 'failed'",
    )
    .bind(lost.id)
    .bind(lost.why.clone())
    .bind(micros(lost.at))
    .execute(connection)
    .await?;
    Ok(())
}

async fn link(connection: &mut AnyConnection, links: &[Link]) -> Result<()> {
    let mut query = made(format!(
        "INSERT INTO events (seq, request_id, letter_id, letter_sha256, at_us, kind, data, salt, commitment, prev_hash, hash) VALUES {}",
        rows(11, links.len())
    ));
    for link in links {
        query = query
            .bind(link.entry.seq)
            .bind(link.entry.request)
            .bind(link.entry.letter)
            .bind(link.entry.letter_sha256.map(|digest| digest.to_vec()))
            .bind(link.entry.at_us)
            .bind(link.entry.kind.clone())
            .bind(link.data.clone())
            .bind(link.salt.to_vec())
            .bind(link.entry.commitment.to_vec())
            .bind(link.prev.to_vec())
            .bind(link.hash.to_vec());
    }
    query.execute(connection).await?;
    Ok(())
}
