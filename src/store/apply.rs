//! A decision becomes rows: the request, what it waits for, the letter's end state, the outbox, and one link of the chain for each event.

use anyhow::{Context, Result, bail};
use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::column::micros;
use super::entry::{self, Entry, Link, event_data, hex, matter_data};
use super::unwritten::{Decided, Letter, Lost, Opened, Reminded, Settled, Wait};
use super::work::{LetterResult, Names, Outgoing, Work, Written};
use crate::desk::address::Address;
use crate::desk::decide::{Concern, Decision, Onward};
use crate::desk::event::Event;
use crate::desk::notice::{Alert, Notice, Purpose};
use crate::desk::request::{Kind, Number, RequestId, Status, Type};

/// What a decision's events make of a request: what stays none stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) number: Option<Number>,
    pub(crate) day: Option<NaiveDate>,
    pub(crate) due: Option<DateTime<Utc>>,
    pub(crate) opens: Option<DateTime<Utc>>,
    pub(crate) kind: Option<Kind>,
    pub(crate) type_: Option<Type>,
    pub(crate) installation: Option<String>,
    pub(crate) requester: Option<(Address, String)>,
    pub(crate) status: Option<Status>,
    pub(crate) onward: Option<Onward>,
}

impl Change {
    fn of(decision: &Decision) -> Self {
        let mut change = Self {
            onward: decision.onward.clone(),
            ..Self::default()
        };
        for event in &decision.events {
            match event {
                Event::Queued { opens } => change.opens = Some(*opens),
                Event::Registered { number, day, due } => {
                    change.number = Some(*number);
                    change.day = Some(*day);
                    change.due = Some(*due);
                }
                Event::KindChanged { to, .. } => change.kind = Some(*to),
                Event::TypeChanged { to, .. } => change.type_ = Some(*to),
                Event::DueMoved { due } => change.due = Some(*due),
                Event::RequesterChanged { to, name } => {
                    change.requester = Some((to.clone(), name.clone()));
                }
                Event::InstallationNamed { installation } => {
                    change.installation = Some(installation.clone());
                }
                Event::StatusChanged { to, .. } => change.status = Some(*to),
                Event::Attached { .. }
                | Event::Reworded { .. }
                | Event::Consented { .. }
                | Event::MoreTimeAsked { .. }
                | Event::Extended { .. }
                | Event::Solved { .. }
                | Event::Declined { .. }
                | Event::HandedOver { .. }
                | Event::Continues { .. }
                | Event::Told(_)
                | Event::Succession(_)
                | Event::Reminded { .. }
                | Event::ReminderPutOff { .. }
                | Event::Waits { .. }
                | Event::Settled { .. }
                | Event::Noted { .. }
                | Event::Undelivered { .. }
                | Event::RollTaken { .. }
                | Event::Appointment(_) => {}
            }
        }
        change
    }

    fn is_nothing(&self) -> bool {
        self.number.is_none()
            && self.opens.is_none()
            && self.due.is_none()
            && self.kind.is_none()
            && self.type_.is_none()
            && self.installation.is_none()
            && self.requester.is_none()
            && self.status.is_none()
            && self.onward.is_none()
    }
}

impl Work {
    /// Takes a decision over: the letter's end state, the request's rows, one link of the history chain for each event (and for each letter
    /// that concerns no request), and the outbox rows, due at once.
    ///
    /// # Errors
    /// The decision doesn't fit; drop the work then: it can't be committed any more. What only the database can tell (a pending settled
    /// twice, a request that isn't there) is told when the rows are written, at [`Work::commit`] at the latest.
    pub fn apply(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        written: Written,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let readers: Vec<String> = written
            .letters
            .iter()
            .map(|letter| letter.recipient_key.clone())
            .collect();
        self.enter(letter, decision, names, &readers, now)?;
        self.record(letter, decision, names, written, now)
    }

    /// The first half of [`Work::apply`]: what bears on the next letter's decision. `readers` are the comparison keys of those whom the
    /// decision's notices go to. [`Work::record`] must follow, in the same order, before the work is committed.
    ///
    /// # Errors
    /// Those of [`Work::apply`].
    pub fn enter(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        readers: &[String],
        now: DateTime<Utc>,
    ) -> Result<()> {
        if self.spoiled {
            bail!("An earlier decision of this unit of work was taken over only in part");
        }
        self.spoiled = true;
        let request = names.request;
        if request.is_none() != matches!(decision.concern, Concern::Nothing) {
            bail!("The names given are those of another decision");
        }
        let change = Change::of(decision);
        if request.is_none() && !change.is_nothing() {
            bail!("The decision changes a request and concerns none");
        }
        self.take_number(&change)?;
        if let Some(letter) = letter {
            self.lately.enter(letter, decision, request);
        }
        self.lately.told(letter, decision, readers, now);
        match &decision.concern {
            Concern::Opened(matter) => self.unwritten.opened.push(Opened {
                id: request.context("A request is opened without a name")?,
                matter: matter.clone(),
                change,
                sender: letter.and_then(|letter| letter.sender.clone()),
                at: now,
            }),
            Concern::Existing(id) if !change.is_nothing() => {
                self.unwritten.changes.push((*id, change));
            }
            Concern::Existing(_) | Concern::Nothing => {}
        }
        self.settle_and_wait(decision, names, now)?;
        self.entered = self.entered.saturating_add(1);
        self.spoiled = false;
        Ok(())
    }

    /// The second half of [`Work::apply`], for decisions in the order in which they were entered.
    ///
    /// # Errors
    /// Those of [`Work::apply`].
    pub fn record(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        names: &Names,
        written: Written,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if self.spoiled {
            bail!("An earlier decision of this unit of work was taken over only in part");
        }
        self.spoiled = true;
        self.entered = self
            .entered
            .checked_sub(1)
            .context("A decision is recorded that was not entered")?;
        self.chain(letter, decision, names.request, &written, now)?;
        if let Some(letter) = letter {
            if self
                .unwritten
                .letters
                .iter()
                .any(|l| l.letter.id == letter.id)
            {
                bail!("Letter {} is decided already", letter.id.0);
            }
            self.unwritten.letters.push(Decided {
                letter: letter.clone(),
                request: names.request,
                verdict: decision.verdict.word(),
                explanation: written
                    .explanation
                    .context("A letter is decided on and nothing explains it")?,
                at: now,
            });
        }
        for outgoing in written.letters {
            let notice = notice_of(decision, names, &outgoing)?;
            self.unwritten.outbox.push(Letter {
                request: names.request,
                pending: match notice.purpose {
                    Purpose::ConfirmNew(place) => names.pendings.get(place).copied(),
                    Purpose::Confirm(id) => Some(id),
                    Purpose::Reply | Purpose::Internal | Purpose::Nothing => None,
                },
                about_failure: is_about_failure(notice),
                cause: letter.map(|l| (l.sender.clone(), l.assurance.is_authenticated())),
                outgoing,
                at: now,
            });
        }
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

    fn reminds(&mut self, names: &Names, pending: i64, next: Option<DateTime<Utc>>) -> Result<()> {
        self.unwritten.reminded.push(Reminded {
            id: pending,
            request: names.request.context("A reminder belongs to no request")?,
            next,
        });
        Ok(())
    }

    fn settle_and_wait(
        &mut self,
        decision: &Decision,
        names: &Names,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut new = names.pendings.iter();
        for event in &decision.events {
            match event {
                Event::Settled {
                    pending, outcome, ..
                } => self.unwritten.settled.push(Settled {
                    id: *pending,
                    request: names
                        .request
                        .context("Something settled belongs to no request")?,
                    outcome: *outcome,
                    at: now,
                }),
                Event::Waits {
                    kind,
                    party,
                    lapses,
                    remind,
                    days,
                } => {
                    let id = new.next().copied();
                    self.unwritten.waits.push(Wait {
                        id: id.context("A decision opens more pendings than have names")?,
                        request: names.request.context("A pending belongs to no request")?,
                        kind: *kind,
                        party: party.to_string(),
                        lapses: *lapses,
                        remind: *remind,
                        days: *days,
                        at: now,
                    });
                }
                Event::Reminded { pending, next } => self.reminds(names, *pending, *next)?,
                Event::ReminderPutOff { pending, to } => {
                    self.reminds(names, *pending, Some(*to))?;
                }
                Event::Queued { .. }
                | Event::Registered { .. }
                | Event::Attached { .. }
                | Event::KindChanged { .. }
                | Event::TypeChanged { .. }
                | Event::Reworded { .. }
                | Event::InstallationNamed { .. }
                | Event::RequesterChanged { .. }
                | Event::StatusChanged { .. }
                | Event::DueMoved { .. }
                | Event::Consented { .. }
                | Event::MoreTimeAsked { .. }
                | Event::Extended { .. }
                | Event::Solved { .. }
                | Event::Declined { .. }
                | Event::HandedOver { .. }
                | Event::Continues { .. }
                | Event::Told(_)
                | Event::Succession(_)
                | Event::Noted { .. }
                | Event::RollTaken { .. }
                | Event::Appointment(_)
                | Event::Undelivered { outbox: None, .. } => {}
                Event::Undelivered {
                    why,
                    outbox: Some(id),
                    ..
                } => self.unwritten.lost.push(Lost {
                    id: *id,
                    why: why.clone(),
                    at: now,
                }),
            }
        }
        Ok(())
    }

    /// Links this decision's entries to the chain.
    fn chain(
        &mut self,
        letter: Option<&LetterResult>,
        decision: &Decision,
        request: Option<RequestId>,
        written: &Written,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut first = about(decision, written);
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
        self.unwritten.links.push(Link {
            entry,
            data,
            salt,
            prev,
            hash,
        });
        Ok(())
    }
}

/// Whether a notice is about an undelivered letter: if it fails too, that is only logged.
pub(crate) fn is_about_failure(notice: &Notice) -> bool {
    matches!(notice.tells.alert, Some(Alert::Undelivered(..)))
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
fn about(decision: &Decision, written: &Written) -> serde_json::Map<String, Value> {
    let mut about = serde_json::Map::new();
    if let Some(explanation) = &written.explanation {
        about.insert("verdict".into(), json!(decision.verdict.word()));
        about.insert("explanation".into(), json!(hex(explanation.sha256())));
    } else {
        about.insert("reasons".into(), json!(decision.reasons));
    }
    if let Concern::Opened(matter) = &decision.concern {
        about.insert("matter".into(), matter_data(matter));
    }
    if !written.letters.is_empty() {
        let told = written
            .letters
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
    use crate::desk::event::Outcome;
    use crate::desk::notice::Template;
    use crate::desk::request::PendingKind;
    use crate::store::history::ChainState;
    use crate::store::outbox::Fate;
    use crate::store::testing::{
        address, apply, decision, kept, matter, minute, notice, on_each_engine, register,
        registered,
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
                        remind: None,
                        days: None,
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
                        at: minute(1),
                        ending: None,
                    },
                    Event::Settled {
                        pending: names.pendings[0],
                        outcome: Outcome::Confirmed,
                        by: Some(by()),
                    },
                    Event::Noted {
                        what: "follow-up?".into(),
                    },
                    Event::Undelivered {
                        to: by(),
                        why: "5.1.1".into(),
                        outbox: None,
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
                    outbox: None,
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
    async fn r47_a_letter_that_came_back_is_lost_with_the_decision() {
        on_each_engine(async |db| {
            let (id, _) = register(&db.store, 1, "one").await;
            register(&db.store, 2, "two").await;
            db.store.settle_and_claim(&[], 9, minute(3)).await.unwrap();
            let sent = [(1, Fate::Sent("250 ok".into()))];
            db.store.settle_and_claim(&sent, 0, minute(3)).await.unwrap();
            let lost = decision(
                Verdict::Automatic,
                Concern::Existing(id),
                vec![Event::Undelivered {
                    to: address("maria@raduga.example"),
                    why: "5.1.1 no".into(),
                    outbox: Some(1),
                }],
            );
            let bounce = kept(&db.store, 3, "bounce").await;
            let mut work = db.store.begin().await.unwrap();
            assert!(!work.sent(1).await.unwrap().unwrap().lost);
            apply(&mut work, Some(&bounce), &lost, minute(4)).await;
            assert!(work.sent(1).await.unwrap().unwrap().lost);
            assert!(!work.sent(2).await.unwrap().unwrap().lost);
            work.commit().await.unwrap();
            let mut work = db.store.begin().await.unwrap();
            assert!(work.sent(1).await.unwrap().unwrap().lost);
            drop(work);
            assert_eq!(
                db.count("SELECT COUNT(*) FROM outbox WHERE state = 'failed' AND answer = '5.1.1 no' AND due_us IS NULL").await,
                1
            );
            // The other one is still under way, and nothing brings the first back.
            db.store.settle_and_claim(&sent, 0, minute(5)).await.unwrap();
            assert_eq!(db.store.reclaim(minute(6)).await.unwrap(), 1);
            let chain = db.store.verify_chain().await.unwrap();
            assert!(matches!(chain, ChainState::Whole { .. }), "{chain:?}");
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
                at: minute(1),
                ending: None,
            };
            let wait = || Event::Waits {
                kind: PendingKind::Challenge,
                party: address("maria@raduga.example"),
                lapses: minute(9),
                remind: None,
                days: None,
            };
            let wrong = [
                decision(Verdict::Held, Concern::Nothing, vec![status.clone()]),
                decision(Verdict::Held, Concern::Nothing, vec![wait()]),
                decision(Verdict::Held, Concern::Existing(RequestId(7)), vec![status]),
            ];
            for decision in wrong {
                let mut work = db.store.begin().await.unwrap();
                let names = work.name(&decision);
                // What only the database can tell comes with the rows.
                let _ = work.apply(None, &decision, &names, Written::default(), minute(1));
                work.commit().await.unwrap_err();
            }
            assert_eq!(db.count("SELECT COUNT(*) FROM requests").await, 0);
        })
        .await;
    }
}
