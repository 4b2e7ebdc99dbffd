//! One letter's whole way in, top to bottom. Read this first.
//!
//! 1. `intake`: a mailbox shows a message beyond the cursor; its bytes are kept and committed before anything reads them.
//! 2. [`Inbound::step`] takes the undecided letters in order of arrival, counts the attempt, commits.
//! 3. [`examination::examine`]: bytes become a letter, its sender is judged, its clues are found. Nothing here knows the store. Where a
//!    signature would make the sender surer, the DNS is asked; while it is silent, that letter waits and no other.
//! 4. [`knowledge::known`]: what the store knows that bears on it: the request it seems to be about, what the sender caused before.
//! 5. `desk::decide`: the rules.
//! 6. [`write()`]: the notices become letters with fixed bytes and Message-IDs.
//! 7. Events, letters and the letter's end state are applied; **commit**; the way out is woken.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::config::{Config, Mailbox};
use crate::desk::assurance::Level;
use crate::desk::decide::{self, Decision, Incoming, Known, Occasion, Verdict};
use crate::desk::notice::{Notice, Purpose};
use crate::desk::policy::{Authentication, MailboxPolicy, Strangers};
use crate::desk::request::Kind;
use crate::dns::resolver::Resolver;
use crate::examination::{self, Examined};
use crate::explanation::{self, Told};
use crate::knowledge;
use crate::mail::compose;
use crate::mail::thread::{Token, TokenKind};
use crate::store::letters::{LetterId, Waiting};
use crate::store::pool::Store;
use crate::store::work::{LetterResult, Names, Outgoing, Work};
use crate::telemetry;

/// Letters taken at a time.
const BATCH: u32 = 128;
/// Letters decided on in one transaction.
const PORTION: usize = 16;
/// Raw octets held in memory at a time (P9).
const BATCH_BYTES: u64 = 4 << 20;
/// Attempts at reading one letter before it is recorded as unreadable (A5).
const ATTEMPTS: u32 = 3;

/// When a letter that the DNS has to say something of is tried again, in minutes after each silence; after these it goes on without (G5:
/// some four hours).
const POSTPONED: [i64; 7] = [1, 5, 15, 30, 60, 60, 60];

/// The way in: what it stands on, and whom it has told of a sender past the limits.
#[derive(Debug)]
pub struct Inbound {
    store: Store,
    clock: Clock,
    written: Arc<Notify>,
    dns: Resolver,
    limits_told: BTreeMap<(String, bool), DateTime<Utc>>,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Letters or requests decided on.
    pub decided: usize,
    /// Letters of ours written.
    pub written: usize,
    /// Letters whose decision was put off.
    pub postponed: usize,
}

impl Progress {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        self.decided == 0 && self.postponed == 0
    }
}

impl Inbound {
    /// A way in over this store; `written` is woken when letters of ours wait for the way out.
    pub fn new(store: Store, clock: Clock, written: Arc<Notify>) -> Self {
        Self {
            store,
            clock,
            written,
            dns: Resolver::nobody(),
            limits_told: BTreeMap::new(),
        }
    }

    /// The same, with somebody to ask for the keys of signatures.
    #[must_use]
    pub fn asking(mut self, dns: Resolver) -> Self {
        self.dns = dns;
        self
    }

    /// Decides on the next letters that wait, in order of arrival; nothing decided means that none waits.
    ///
    /// # Errors
    /// The store refused: nothing of the step happened.
    pub async fn step(&mut self, config: &Arc<Config>) -> Result<Progress> {
        let mut waiting = self
            .store
            .undecided(BATCH, BATCH_BYTES, self.clock.now())
            .await?;
        // A letter that took the process down with it must not take its neighbours down again: once tried, each goes alone.
        if waiting.iter().any(|w| w.attempts > 0) {
            waiting.truncate(1);
        }
        if waiting.is_empty() {
            return Ok(Progress::default());
        }
        let ids: Vec<LetterId> = waiting.iter().map(|w| w.id).collect();
        self.store.count_attempt(&ids).await?;
        let (readable, spent): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|w| w.attempts < ATTEMPTS);
        let mut progress = Progress::default();
        // While one portion is decided on, the next is read on another thread.
        let mut portions = portions(readable).into_iter();
        let mut reading = portions.next().map(|p| examine_aside(p, config));
        while let Some(portion) = reading {
            let examined = portion
                .await
                .context("Reading a letter broke off; it will be tried again alone")?;
            reading = portions.next().map(|p| examine_aside(p, config));
            let now = self.clock.now();
            let (examined, waits) = self.authenticate(examined, now).await;
            let mut work = self.store.begin().await?;
            for (letter, until) in &waits {
                work.postpone(letter.id, *until).await?;
                telemetry::letter_postponed(letter.id.0, &letter.mailbox, *until);
            }
            progress.postponed = progress.postponed.saturating_add(waits.len());
            let keys: Vec<_> = examined.iter().map(|(_, e)| e.letter.content_key).collect();
            work.foresee(&keys).await?;
            for (letter, examined) in examined {
                progress.decided = progress.decided.saturating_add(1);
                let written = self
                    .letter(&mut work, config, &letter, examined, now)
                    .await?;
                progress.written = progress.written.saturating_add(written);
            }
            work.commit().await?;
            if progress.written > 0 {
                self.written.notify_one();
            }
        }
        if spent.is_empty() {
            return Ok(progress);
        }
        let now = self.clock.now();
        let mut work = self.store.begin().await?;
        for letter in &spent {
            progress.decided = progress.decided.saturating_add(1);
            progress.written = progress
                .written
                .saturating_add(unreadable(&mut work, config, letter, now).await?);
        }
        work.commit().await?;
        Ok(progress)
    }

    /// Stop 5, the second half: the DNS is asked about the signatures that need it, and what can't be known yet waits, with its arrival.
    async fn authenticate(
        &mut self,
        portion: Vec<(Waiting, Examined)>,
        now: DateTime<Utc>,
    ) -> (Vec<(Waiting, Examined)>, Vec<(Waiting, DateTime<Utc>)>) {
        let questions: BTreeSet<String> = portion.iter().flat_map(|(_, e)| e.questions()).collect();
        let answers = self.dns.answers(questions, now).await;
        let (mut settled, mut waits) = (Vec::new(), Vec::new());
        for (letter, mut examined) in portion {
            if !self.dns.asks() {
                examined.settle_unasked();
            } else if !examined.settle(&answers) {
                match put_off(letter.postponed, now) {
                    Some(until) => {
                        waits.push((letter, until));
                        continue;
                    }
                    None => examined.settle_at_last(&answers),
                }
            }
            settled.push((letter, examined));
        }
        (settled, waits)
    }

    /// Registers what was queued for an opening that has come, and lapses what nobody settled (R16, R10); in order, a batch at a time.
    ///
    /// # Errors
    /// The store refused: nothing of the step happened.
    pub async fn tick(&mut self, config: &Config) -> Result<Progress> {
        let now = self.clock.now();
        let mut work = self.store.begin().await?;
        let mut progress = Progress::default();
        let mut decisions = Vec::new();
        for request in work.openings(now, BATCH).await? {
            let known = Known {
                last_numbers: work.last_numbers().clone(),
                ..Known::default()
            };
            let decision = decide::decide(&config.desk, &known, &Occasion::Opening(&request), now);
            progress.written = progress
                .written
                .saturating_add(apply(&mut work, config, None, &decision, now).await?.len());
            decisions.push(decision.verdict);
        }
        for (request, pending) in work.lapses(now, BATCH).await? {
            let decision = decide::decide(
                &config.desk,
                &Known::default(),
                &Occasion::Lapse(&request, &pending),
                now,
            );
            progress.written = progress
                .written
                .saturating_add(apply(&mut work, config, None, &decision, now).await?.len());
            decisions.push(decision.verdict);
        }
        progress.decided = decisions.len();
        if progress.decided > 0 {
            work.commit().await?;
        }
        Ok(progress)
    }

    /// Records that a letter of ours will never arrive, and tells the specialists (R47, P2).
    ///
    /// # Errors
    /// The store refused.
    pub async fn undelivered(&mut self, config: &Config, lost: &Lost) -> Result<usize> {
        let now = self.clock.now();
        let mut work = self.store.begin().await?;
        let request = match lost.request {
            Some(id) => work.request(id).await?,
            None => None,
        };
        let occasion = Occasion::Undelivered {
            request: request.as_ref(),
            to: &lost.to,
            why: &lost.why,
            internal: lost.internal,
        };
        let decision = decide::decide(&config.desk, &Known::default(), &occasion, now);
        let written = apply(&mut work, config, None, &decision, now).await?.len();
        work.commit().await?;
        Ok(written)
    }

    async fn letter(
        &mut self,
        work: &mut Work,
        config: &Config,
        waiting: &Waiting,
        mut examined: Examined,
        now: DateTime<Utc>,
    ) -> Result<usize> {
        let mailbox = mailbox_policy(config, &waiting.mailbox);
        let mut known =
            knowledge::known(work, config, &mut examined, Some(waiting.id), now).await?;
        let sender = examined
            .letter
            .from
            .address()
            .map(|a| config.desk.directory.key(a));
        // What forgers cause says nothing of what the one whose name they use causes.
        let vouched = examined.assurance.is_authenticated();
        let source = sender.as_ref().map(|s| (s.clone(), vouched));
        known.limit_told = source.as_ref().is_some_and(|s| self.told_lately(s, now));
        let decision = decide_letter(
            config,
            &known,
            &examined,
            &mailbox,
            waiting.arrived,
            waiting.oversize,
            now,
        );
        let told_now = decision
            .notices
            .iter()
            .any(|n| n.tells.alert == Some(crate::desk::notice::Alert::OverLimit));
        if let (Some(source), true) = (source, told_now) {
            self.limits_told.insert(source, now);
        }
        let result = |told: &[Told]| LetterResult {
            id: waiting.id,
            sha256: waiting.sha256,
            message_id: examined.letter.message_id.clone(),
            content_key: Some(examined.letter.content_key),
            signature_key: examined.signature_key,
            sender: sender.clone(),
            assurance: examined.assurance.level(),
            explanation: explanation::for_the_record(explanation::json(&explanation::Case {
                letter: &examined.letter,
                assurance: &examined.assurance,
                arrived: waiting.arrived,
                known: &known,
                decision: &decision,
                told,
                zone: config.desk.calendar.zone(),
            }))
            .to_string(),
        };
        let written = apply(work, config, Some(&result), &decision, now).await?;
        telemetry::letter_decided(
            waiting.id.0,
            &waiting.mailbox,
            decision.verdict.word(),
            written.len(),
        );
        Ok(written.len())
    }

    fn told_lately(&mut self, sender: &(String, bool), now: DateTime<Utc>) -> bool {
        let hour = TimeDelta::hours(1);
        self.limits_told
            .retain(|_, told| now.signed_duration_since(*told) < hour);
        self.limits_told.contains_key(sender)
    }
}

/// A letter of ours that will never arrive.
#[derive(Debug, Clone)]
pub struct Lost {
    /// The request it was about.
    pub request: Option<crate::desk::request::RequestId>,
    /// To whom.
    pub to: crate::desk::address::Address,
    /// The server's reason, cleaned.
    pub why: String,
    /// Whether it was for the desk's own people: then another letter about it would fare no better.
    pub internal: bool,
}

/// When a letter that was put off so often is tried again; none if it has waited long enough.
fn put_off(before: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let minutes = POSTPONED.get(usize::try_from(before).ok()?)?;
    now.checked_add_signed(TimeDelta::minutes(*minutes))
}

/// The letters in portions that are decided on in one transaction each.
fn portions(letters: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut portions = Vec::new();
    let mut letters = letters.into_iter().peekable();
    while letters.peek().is_some() {
        portions.push(letters.by_ref().take(PORTION).collect());
    }
    portions
}

/// Reads letters off the async threads: a hostile one costs time there, and a panic costs only this attempt.
fn examine_aside(
    portion: Vec<Waiting>,
    config: &Arc<Config>,
) -> JoinHandle<Vec<(Waiting, Examined)>> {
    let config = Arc::clone(config);
    tokio::task::spawn_blocking(move || {
        let read = |w: Waiting| {
            let examined = examination::examine(&w.raw, &config, &w.mailbox, w.arrived);
            (w, examined)
        };
        portion.into_iter().map(read).collect()
    })
}

/// Stop 8: the rules.
pub fn decide_letter(
    config: &Config,
    known: &Known,
    examined: &Examined,
    mailbox: &MailboxPolicy,
    arrived: DateTime<Utc>,
    oversize: Option<u64>,
    now: DateTime<Utc>,
) -> Decision {
    let incoming = Incoming {
        letter: &examined.letter,
        assurance: &examined.assurance,
        arrived,
        mailbox,
        tags: &examined.clues.tags,
        oversize: oversize.map(|_| config.max_letter),
    };
    let mut decision = decide::decide(&config.desk, known, &Occasion::Letter(incoming), now);
    let rejected = examined
        .clues
        .rejected
        .iter()
        .map(|r| format!("Not counted: {r}"));
    decision.reasons.extend(rejected);
    decision
}

async fn unreadable(
    work: &mut Work,
    config: &Config,
    waiting: &Waiting,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mailbox = mailbox_policy(config, &waiting.mailbox);
    let occasion = Occasion::Unreadable {
        mailbox: &mailbox,
        arrived: waiting.arrived,
    };
    let decision = decide::decide(&config.desk, &Known::default(), &occasion, now);
    let result = |_: &[Told]| LetterResult {
        id: waiting.id,
        sha256: waiting.sha256,
        message_id: None,
        content_key: None,
        signature_key: None,
        sender: None,
        assurance: Level::None,
        explanation:
            serde_json::json!({"verdict": Verdict::Unreadable.word(), "reasons": decision.reasons})
                .to_string(),
    };
    let written = apply(work, config, Some(&result), &decision, now).await?;
    telemetry::letter_decided(
        waiting.id.0,
        &waiting.mailbox,
        decision.verdict.word(),
        written.len(),
    );
    Ok(written.len())
}

/// What is recorded of a letter, given the letters that go out for it.
type Recorder<'a> = dyn Fn(&[Told]) -> LetterResult + Sync + 'a;

/// Stop 9: the decision's letters are written, and all of it goes into the unit of work.
async fn apply(
    work: &mut Work,
    config: &Config,
    result: Option<&Recorder<'_>>,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Result<Vec<Told>> {
    let names = work.name(decision);
    let (letters, told) = write(config, decision, &names, now);
    let result = result.map(|r| r(&told));
    work.apply(result.as_ref(), decision, &names, &letters, now)
        .await?;
    Ok(told)
}

/// Writes the letters of a decision: fixed bytes, one recipient each.
pub fn write(
    config: &Config,
    decision: &Decision,
    names: &Names,
    now: DateTime<Utc>,
) -> (Vec<Outgoing>, Vec<Told>) {
    let mut letters = Vec::new();
    let mut told = Vec::new();
    for (notice, id) in decision.notices.iter().zip(&names.outbox) {
        let token = Token {
            kind: token_kind(notice),
            request: names.request,
            outbox: *id,
        };
        let composed = compose::compose(
            notice,
            &config.desk,
            &config.wording,
            &config.keys,
            &token,
            now,
        );
        told.push(Told {
            to: notice.to.to_string(),
            template: notice.template.word(),
            subject: composed.subject.clone(),
        });
        letters.push(Outgoing {
            id: *id,
            recipient: notice.to.to_string(),
            recipient_key: config.desk.directory.key(&notice.to),
            template: notice.template.word().to_owned(),
            refusal: notice.template.is_refusal(),
            internal: notice.template.is_internal(),
            subject: composed.subject,
            message_id: composed.message_id,
            bytes: composed.bytes,
        });
    }
    (letters, told)
}

fn token_kind(notice: &Notice) -> TokenKind {
    match notice.purpose {
        Purpose::Reply => TokenKind::Reply,
        Purpose::ConfirmNew | Purpose::Confirm(_) => TokenKind::Confirm,
        Purpose::Internal => TokenKind::Internal,
        Purpose::Nothing => TokenKind::Nothing,
    }
}

/// The rules of a mailbox; one that the configuration no longer has keeps its letters for a person.
pub fn mailbox_policy(config: &Config, name: &str) -> MailboxPolicy {
    let found = config.mailboxes.iter().find(|m| m.policy.name == name);
    found
        .map(|m| m.policy.clone())
        .unwrap_or_else(|| MailboxPolicy {
            name: name.to_owned(),
            strangers: Strangers::Hold,
            default_kind: Kind::Question,
            authentication: Authentication::Orders,
            installation: None,
        })
}

/// The mailbox that commands mean where none is named: the first one.
pub fn default_mailbox(config: &Config) -> Option<&Mailbox> {
    config.mailboxes.first()
}
