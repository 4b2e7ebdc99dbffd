//! A decision becomes rows: the request, what it waits for, the letter's end state, the outbox, and one link of the chain for each event.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::column::{day_text, micros, pack};
use super::entry::{self, Entry, event_data, hex, locale_word, matter_data};
use super::statement::{made, portions, rows};
use super::work::{LetterResult, Names, Outgoing, Work};
use crate::desk::decide::{Concern, Decision};
use crate::desk::event::{Event, Outcome};
use crate::desk::notice::{Alert, Notice, Purpose};
use crate::desk::request::{Kind, Matter, Number, RequestId, Status};

/// An entry of the history, complete, before it is written.
#[derive(Debug)]
pub(crate) struct Link {
    entry: Entry,
    data: String,
    salt: [u8; 16],
    prev: [u8; 32],
    hash: [u8; 32],
}

/// What a decision's events make of a request: what stays none stays as it is.
#[derive(Debug, Default)]
struct Change {
    number: Option<Number>,
    day: Option<NaiveDate>,
    due: Option<DateTime<Utc>>,
    opens: Option<DateTime<Utc>>,
    kind: Option<Kind>,
    installation: Option<String>,
    status: Option<Status>,
}

impl Change {
    fn of(events: &[Event]) -> Self {
        let mut change = Self::default();
        for event in events {
            match event {
                Event::Queued { opens } => change.opens = Some(*opens),
                Event::Registered { number, day, due } => {
                    change.number = Some(*number);
                    change.day = Some(*day);
                    change.due = Some(*due);
                }
                Event::KindChanged { to, .. } => change.kind = Some(*to),
                Event::InstallationNamed { installation } => {
                    change.installation = Some(installation.clone());
                }
                Event::StatusChanged { to, .. } => change.status = Some(*to),
                Event::Attached { .. }
                | Event::Reworded { .. }
                | Event::Waits { .. }
                | Event::Settled { .. }
                | Event::Noted { .. }
                | Event::Undelivered { .. } => {}
            }
        }
        change
    }

    fn is_nothing(&self) -> bool {
        self.number.is_none()
            && self.opens.is_none()
            && self.kind.is_none()
            && self.installation.is_none()
            && self.status.is_none()
    }
}

impl Work {
    /// Writes a decision: the letter's end state, the request's rows, one link of the history chain for each event (and for each letter
    /// that concerns no request), and the outbox rows, due at once.
    ///
    /// # Errors
    /// The database refused, or the decision doesn't fit what the store holds (a number out of order, a pending settled twice); drop the
    /// work then: it can't be committed any more.
    pub async fn apply(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        letters: &[Outgoing],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if self.spoiled {
            bail!("An earlier decision of this unit of work was written only in part");
        }
        self.spoiled = true;
        let request = names.request;
        if request.is_none() != matches!(decision.concern, Concern::Nothing) {
            bail!("The names given are those of another decision");
        }
        let change = Change::of(&decision.events);
        if request.is_none() && !change.is_nothing() {
            bail!("The decision changes a request and concerns none");
        }
        self.take_number(&change)?;
        match &decision.concern {
            Concern::Opened(matter) => self.open(request, matter, &change, letter, now).await?,
            Concern::Existing(id) if !change.is_nothing() => self.change(*id, &change).await?,
            Concern::Existing(_) | Concern::Nothing => {}
        }
        self.settle_and_wait(decision, names, now).await?;
        if let Some(letter) = letter {
            self.decide_letter(letter, decision, request, now).await?;
        }
        self.write_outbox(letter, decision, names, letters, now)
            .await?;
        self.chain(letter, decision, request, letters, now)?;
        self.spoiled = false;
        Ok(())
    }

    /// A number must follow the last one of its year: a gap could never be closed (R17).
    fn take_number(&mut self, change: &Change) -> Result<()> {
        let Some(number) = change.number else {
            return Ok(());
        };
        let last = self.numbers.entry(number.year()).or_default();
        if number.count() != last.saturating_add(1) {
            bail!("Number {number} does not follow the last one of its year, {last}");
        }
        *last = number.count();
        self.numbered.insert(number.year());
        Ok(())
    }

    async fn open(
        &mut self,
        request: Option<RequestId>,
        matter: &Matter,
        change: &Change,
        letter: Option<&LetterResult>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let id = request.context("A request is opened without a name")?;
        let installation = change
            .installation
            .as_ref()
            .or(matter.installation.as_ref());
        sqlx::query(
            "INSERT INTO requests (id, number_year, number_count, customer, installation, requester, requester_name, requester_key, \
             locale, kind, type, subject, message_id, arrived_us, opens_us, registration_day, status, due_us, acknowledged, vouched, quiet, created_us) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)",
        )
        .bind(id.0)
        .bind(change.number.map(|number| i64::from(number.year())))
        .bind(change.number.map(|number| i64::from(number.count())))
        .bind(matter.customer.clone())
        .bind(installation.cloned())
        .bind(matter.requester.to_string())
        .bind(matter.requester_name.clone())
        .bind(letter.and_then(|letter| letter.sender.clone()))
        .bind(locale_word(matter.locale))
        .bind(change.kind.unwrap_or(matter.kind).word())
        .bind(matter.type_.word())
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
        .bind(micros(now))
        .execute(&mut *self.tx)
        .await
        .context("The request could not be opened")?;
        Ok(())
    }

    async fn change(&mut self, id: RequestId, change: &Change) -> Result<()> {
        // A request that has a number keeps it for ever.
        let changed = sqlx::query(
            "UPDATE requests SET number_year = COALESCE(number_year, $2), number_count = COALESCE(number_count, $3), \
             registration_day = COALESCE($4, registration_day), due_us = COALESCE($5, due_us), opens_us = COALESCE($6, opens_us), \
             kind = COALESCE($7, kind), installation = COALESCE($8, installation), status = COALESCE($9, status) \
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
        .execute(&mut *self.tx)
        .await
        .context("The request could not be changed")?
        .rows_affected();
        if changed != 1 {
            bail!("Request {} is not there, or has its number already", id.0);
        }
        Ok(())
    }

    async fn settle_and_wait(
        &mut self,
        decision: &Decision,
        names: &Names,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut waits = false;
        for event in &decision.events {
            match event {
                Event::Settled {
                    pending, outcome, ..
                } => self.settle(*pending, *outcome, names.request, now).await?,
                Event::Waits {
                    kind,
                    party,
                    lapses,
                } => {
                    let id = names.pending.filter(|_| !waits);
                    waits = true;
                    sqlx::query(
                        "INSERT INTO pendings (id, request_id, kind, party, lapses_us, created_us) VALUES ($1, $2, $3, $4, $5, $6)",
                    )
                    .bind(id.context("A decision opens more pendings than have names")?)
                    .bind(names.request.context("A pending belongs to no request")?.0)
                    .bind(kind.word())
                    .bind(party.to_string())
                    .bind(micros(*lapses))
                    .bind(micros(now))
                    .execute(&mut *self.tx)
                    .await
                    .context("What is waited for could not be written")?;
                }
                Event::Queued { .. }
                | Event::Registered { .. }
                | Event::Attached { .. }
                | Event::KindChanged { .. }
                | Event::Reworded { .. }
                | Event::InstallationNamed { .. }
                | Event::StatusChanged { .. }
                | Event::Noted { .. }
                | Event::Undelivered { .. } => {}
            }
        }
        Ok(())
    }

    async fn settle(
        &mut self,
        pending: i64,
        outcome: Outcome,
        request: Option<RequestId>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let settled = sqlx::query(
            "UPDATE pendings SET outcome = $2, settled_us = $3 WHERE id = $1 AND settled_us IS NULL AND request_id = $4",
        )
        .bind(pending)
        .bind(outcome.word())
        .bind(micros(now))
        .bind(request.map(|request| request.0))
        .execute(&mut *self.tx)
        .await?
        .rows_affected();
        if settled != 1 {
            bail!("Pending {pending} is settled already, or not of this request");
        }
        Ok(())
    }

    async fn decide_letter(
        &mut self,
        letter: &LetterResult,
        decision: &Decision,
        request: Option<RequestId>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let decided = sqlx::query(
            "UPDATE letters SET decided_us = $2, verdict = $3, request_id = $4, message_id = $5, content_key = $6, sender_key = $7, explanation = $8, \
             assurance = $10, signature_key = $11 WHERE id = $1 AND decided_us IS NULL AND sha256 = $9",
        )
        .bind(letter.id.0)
        .bind(micros(now))
        .bind(decision.verdict.word())
        .bind(request.map(|request| request.0))
        .bind(letter.message_id.clone())
        .bind(letter.content_key.map(|key| key.to_vec()))
        .bind(letter.sender.clone())
        .bind(pack(letter.explanation.as_bytes())?)
        .bind(letter.sha256.to_vec())
        .bind(letter.assurance.word())
        .bind(letter.signature_key.map(|key| key.to_vec()))
        .execute(&mut *self.tx)
        .await
        .context("The letter's end state could not be written")?
        .rows_affected();
        if let Some(key) = letter.content_key {
            self.foreseen.insert(key, true);
        }
        if decided != 1 {
            bail!(
                "Letter {} is decided already, or is another one",
                letter.id.0
            );
        }
        Ok(())
    }

    async fn write_outbox(
        &mut self,
        cause: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        letters: &[Outgoing],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if letters.iter().any(|l| l.template == "specialist-alert") {
            self.alerts = None;
        }
        for piece in portions(letters) {
            let mut query = made(format!(
                "INSERT INTO outbox (id, request_id, pending_id, recipient, recipient_key, template, refusal, internal, about_failure, \
                 subject, message_id, bytes, created_us, state, due_us, attempts, unknowns, cause_key, cause_vouched) VALUES {}",
                rows(19, piece.len())
            ));
            for letter in piece {
                let notice = notice_of(decision, names, letter)?;
                let pending = match notice.purpose {
                    Purpose::ConfirmNew => names.pending,
                    Purpose::Confirm(id) => Some(id),
                    Purpose::Reply | Purpose::Internal | Purpose::Nothing => None,
                };
                let about_failure = matches!(notice.tells.alert, Some(Alert::Undelivered(..)));
                query = query
                    .bind(letter.id)
                    .bind(names.request.map(|request| request.0))
                    .bind(pending)
                    .bind(letter.recipient.clone())
                    .bind(letter.recipient_key.clone())
                    .bind(letter.template.clone())
                    .bind(i64::from(letter.refusal))
                    .bind(i64::from(letter.internal))
                    .bind(i64::from(about_failure))
                    .bind(letter.subject.clone())
                    .bind(letter.message_id.clone())
                    .bind(pack(&letter.bytes)?)
                    .bind(micros(now))
                    .bind("pending")
                    .bind(micros(now))
                    .bind(0_i64)
                    .bind(0_i64)
                    .bind(cause.and_then(|letter| letter.sender.clone()))
                    .bind(cause.map(|letter| i64::from(letter.assurance.is_authenticated())));
            }
            query
                .execute(&mut *self.tx)
                .await
                .context("The outbox could not be written")?;
        }
        Ok(())
    }

    /// Links this decision's entries to the chain. They are written together at the end: nothing in a unit of work reads them.
    fn chain(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        request: Option<RequestId>,
        letters: &[Outgoing],
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut first = about(letter, decision, letters);
        for event in &decision.events {
            let mut data = event_data(event);
            if let Value::Object(data) = &mut data {
                data.append(&mut first);
            }
            self.link(event.word(), &data, request, letter, now)?;
        }
        if decision.events.is_empty() && letter.is_some() {
            let word = decision.verdict.word();
            self.link(word, &Value::Object(first), request, letter, now)?;
        }
        Ok(())
    }

    fn link(
        &mut self,
        kind: &str,
        data: &Value,
        request: Option<RequestId>,
        letter: Option<&LetterResult>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let salt = entry::random()?;
        let data = data.to_string();
        let entry = Entry {
            seq: self.ledger.seq,
            at_us: micros(now),
            kind: kind.to_owned(),
            request: request.map(|request| request.0),
            letter: letter.map(|letter| letter.id.0),
            letter_sha256: letter.map(|letter| letter.sha256),
            commitment: entry::commitment(&salt, &data)?,
        };
        let prev = self.ledger.head;
        let hash = entry.hash(&prev);
        self.ledger.head = hash;
        self.ledger.seq = self.ledger.seq.saturating_add(1);
        self.links.push(Link {
            entry,
            data,
            salt,
            prev,
            hash,
        });
        Ok(())
    }

    /// Writes the entries that wait.
    pub(crate) async fn write_links(&mut self) -> Result<()> {
        for piece in portions(&self.links) {
            let mut query = made(format!(
                "INSERT INTO events (seq, request_id, letter_id, letter_sha256, at_us, kind, data, salt, commitment, prev_hash, hash) VALUES {}",
                rows(11, piece.len())
            ));
            for link in piece {
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
            query
                .execute(&mut *self.tx)
                .await
                .context("The history could not be written")?;
        }
        self.links.clear();
        Ok(())
    }
}

/// The notice that a letter was written from: the two share a name.
fn notice_of<'a>(decision: &'a Decision, names: &Names, letter: &Outgoing) -> Result<&'a Notice> {
    names
        .outbox
        .iter()
        .position(|id| *id == letter.id)
        .and_then(|place| decision.notices.get(place))
        .with_context(|| format!("Letter {} of the outbox has no notice", letter.id))
}

/// What the first entry of a decision says beside its event: what became of the letter, a digest of its explanation, what the request was
/// when it was opened, and who was written to.
fn about(
    letter: Option<&LetterResult>,
    decision: &Decision,
    letters: &[Outgoing],
) -> serde_json::Map<String, Value> {
    let mut about = serde_json::Map::new();
    if let Some(letter) = letter {
        about.insert("verdict".into(), json!(decision.verdict.word()));
        about.insert(
            "explanation".into(),
            json!(hex(&Sha256::digest(letter.explanation.as_bytes()))),
        );
    } else {
        about.insert("reasons".into(), json!(decision.reasons));
    }
    if let Concern::Opened(matter) = &decision.concern {
        about.insert("matter".into(), matter_data(matter));
    }
    if !letters.is_empty() {
        let told = letters
            .iter()
            .map(|letter| json!({ "to": letter.recipient, "template": letter.template }));
        about.insert("letters".into(), told.collect());
    }
    about
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
    use crate::desk::decide::Verdict;
    use crate::desk::notice::Template;
    use crate::desk::request::PendingKind;
    use crate::store::history::ChainState;
    use crate::store::testing::{
        address, apply, decision, kept, matter, minute, notice, on_each_engine, registered,
    };

    #[tokio::test]
    async fn every_event_reaches_its_row_and_the_history() {
        on_each_engine(async |db| {
            let letter = kept(&db.store, 1, "one").await;
            let mut work = db.store.begin().await.unwrap();
            let by = || address("maria@raduga.example");
            let queued = decision(
                Verdict::Queued,
                Concern::Opened(matter()),
                vec![
                    Event::Queued { opens: minute(5) },
                    Event::Waits {
                        kind: PendingKind::WhichInstallation,
                        party: by(),
                        lapses: minute(50),
                    },
                ],
            );
            let names = apply(&mut work, Some(&letter), &queued, minute(1)).await;
            let id = names.request.unwrap();
            let mut expected = matter();
            expected.opens = minute(5);
            let request = work.request(id).await.unwrap().unwrap();
            assert_eq!(request.matter, expected);
            assert_eq!((request.number, request.due), (None, None));
            assert_eq!(request.status, Status::InProgress);
            assert_eq!(request.pending[0].kind, PendingKind::WhichInstallation);

            let later = decision(
                Verdict::Attached,
                Concern::Existing(id),
                vec![
                    registered(Number::new(2026, 1)),
                    Event::Attached {
                        by: by(),
                        evidence: "a token".into(),
                        internal: false,
                    },
                    Event::KindChanged {
                        to: Kind::Order,
                        by: by(),
                    },
                    Event::Reworded {
                        by: by(),
                        text: "Исправить".into(),
                    },
                    Event::InstallationNamed {
                        installation: "raduga-moodle".into(),
                    },
                    Event::StatusChanged {
                        to: Status::WithDeveloper,
                        by: None,
                        why: "по регламенту".into(),
                    },
                    Event::Settled {
                        pending: names.pending.unwrap(),
                        outcome: Outcome::Confirmed,
                        by: Some(by()),
                    },
                    Event::Noted {
                        what: "follow-up?".into(),
                    },
                    Event::Undelivered {
                        to: by(),
                        why: "5.1.1".into(),
                    },
                ],
            );
            let second = {
                work.commit().await.unwrap();
                let second = kept(&db.store, 2, "two").await;
                work = db.store.begin().await.unwrap();
                second
            };
            apply(&mut work, Some(&second), &later, minute(6)).await;
            work.commit().await.unwrap();
            let request = db
                .store
                .request(Number::new(2026, 1))
                .await
                .unwrap()
                .unwrap();
            expected.kind = Kind::Order;
            expected.installation = Some("raduga-moodle".into());
            assert_eq!(request.matter, expected);
            assert_eq!(request.status, Status::WithDeveloper);
            assert_eq!(request.due, Some(minute(7 * 24 * 60)));
            assert!(request.pending.is_empty());
            let history = db.store.history(id).await.unwrap();
            let words: Vec<&str> = history.iter().map(|line| line.word.as_str()).collect();
            let all = [
                "queued",
                "waits",
                "registered",
                "attached",
                "kind-changed",
                "reworded",
                "installation-named",
                "status-changed",
                "settled",
                "noted",
                "undelivered",
            ];
            assert_eq!(words, all);
            assert_eq!(history[10].at, minute(6));
            assert!(history[5].data.contains("Исправить"));
            assert!(history[0].data.contains(r#""verdict":"queued""#));
            let chain = db.store.verify_chain().await.unwrap();
            assert!(
                matches!(chain, ChainState::Whole { entries: 11, .. }),
                "{chain:?}"
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_letter_about_nothing_still_leaves_an_entry() {
        on_each_engine(async |db| {
            let letter = kept(&db.store, 1, "one").await;
            let mut work = db.store.begin().await.unwrap();
            let automatic = decision(Verdict::Automatic, Concern::Nothing, vec![]);
            apply(&mut work, Some(&letter), &automatic, minute(1)).await;
            work.commit().await.unwrap();
            assert_eq!(
                db.count("SELECT COUNT(*) FROM events WHERE kind = 'automatic' AND letter_id = 1 AND letter_sha256 IS NOT NULL").await,
                1
            );
        })
        .await;
    }

    #[tokio::test]
    async fn a_letter_about_a_failure_is_marked_so() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            let to = address("petrova@desk.example");
            let mut undelivered = decision(
                Verdict::Held,
                Concern::Nothing,
                vec![Event::Undelivered {
                    to: to.clone(),
                    why: "5.1.1".into(),
                }],
            );
            let mut alert = notice(Template::SpecialistAlert, Purpose::Internal);
            alert.tells.alert = Some(Alert::Undelivered(to, "5.1.1".into()));
            undelivered.notices = vec![alert, notice(Template::SpecialistAlert, Purpose::Internal)];
            apply(&mut work, None, &undelivered, minute(1)).await;
            work.commit().await.unwrap();
            let due = db.store.settle_and_claim(&[], 9, minute(1)).await.unwrap();
            assert_eq!(
                due.iter().map(|d| d.about_failure).collect::<Vec<_>>(),
                [true, false]
            );
            assert!(due[0].internal);
        })
        .await;
    }

    #[tokio::test]
    async fn a_decision_that_does_not_fit_is_refused() {
        on_each_engine(async |db| {
            let status = Event::StatusChanged {
                to: Status::Closed,
                by: None,
                why: String::new(),
            };
            let wait = || Event::Waits {
                kind: PendingKind::Challenge,
                party: address("maria@raduga.example"),
                lapses: minute(9),
            };
            let wrong = [
                decision(Verdict::Held, Concern::Nothing, vec![status.clone()]),
                decision(Verdict::Held, Concern::Nothing, vec![wait()]),
                decision(Verdict::Held, Concern::Existing(RequestId(7)), vec![status]),
                decision(
                    Verdict::Held,
                    Concern::Opened(matter()),
                    vec![wait(), wait()],
                ),
            ];
            for decision in wrong {
                let mut work = db.store.begin().await.unwrap();
                let names = work.name(&decision);
                work.apply(None, &decision, &names, &[], minute(1))
                    .await
                    .unwrap_err();
                work.commit().await.unwrap_err();
            }
            assert_eq!(db.count("SELECT COUNT(*) FROM requests").await, 0);
        })
        .await;
    }
}
