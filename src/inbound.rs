//! One letter's whole way in, top to bottom. Read this first.
//!
//! 1. `intake`: a mailbox shows a message beyond the cursor; its bytes are kept and committed before anything reads them.
//! 2. [`Inbound::step`] takes the undecided letters in order of arrival, counts the attempt, commits.
//! 3. [`examine`]: bytes become a letter, its sender is judged, its clues are found. Nothing here knows the store.
//! 4. [`known`]: what the store knows that bears on it: the request it seems to be about, what the sender caused before.
//! 5. `desk::decide`: the rules.
//! 6. [`write`]: the notices become letters with fixed bytes and Message-IDs.
//! 7. Events, letters and the letter's end state are applied; **commit**; the way out is woken.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;
use crate::config::{Config, Mailbox, Source};
use crate::desk::assurance::SenderAssurance;
use crate::desk::decide::{self, Decision, Evidence, Incoming, Known, Lead, Occasion, Verdict};
use crate::desk::letter::{Automatic, From, Letter};
use crate::desk::notice::{Notice, Purpose};
use crate::desk::policy::{Authentication, MailboxPolicy, Strangers};
use crate::desk::request::Kind;
use crate::explanation::{self, Told};
use crate::mail::parse::{self, Caps};
use crate::mail::thread::{self, Clues, Token, TokenKind};
use crate::mail::{assurance, compose};
use crate::store::letters::{LetterId, Waiting};
use crate::store::pool::Store;
use crate::store::work::{LetterResult, Names, Outgoing, Work};
use crate::telemetry;

/// Letters decided in one transaction.
const BATCH: u32 = 64;
/// Raw octets held in memory at a time (P9).
const BATCH_BYTES: u64 = 8 << 20;
/// Attempts at reading one letter before it is recorded as unreadable (A5).
const ATTEMPTS: u32 = 3;

/// The way in: what it stands on, and whom it has told of a sender past the limits.
#[derive(Debug)]
pub struct Inbound {
    store: Store,
    clock: Clock,
    limits_told: BTreeMap<String, DateTime<Utc>>,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Letters or requests decided on.
    pub decided: usize,
    /// Letters of ours written.
    pub written: usize,
}

/// A letter with everything that can be told from its bytes.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What was read.
    pub letter: Letter,
    /// How sure the desk is of its sender.
    pub assurance: SenderAssurance,
    /// What leads to a request.
    pub clues: Clues,
}

impl Inbound {
    /// A way in over this store.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            limits_told: BTreeMap::new(),
        }
    }

    /// Decides on the next letters that wait, in order of arrival; nothing decided means that none waits.
    ///
    /// # Errors
    /// The store refused: nothing of the step happened.
    pub async fn step(&mut self, config: &Arc<Config>) -> Result<Progress> {
        let mut waiting = self.store.undecided(BATCH, BATCH_BYTES).await?;
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
        let examined = examine_all(readable, config).await?;
        let now = self.clock.now();
        let mut work = self.store.begin().await?;
        let mut progress = Progress::default();
        for (letter, examined) in examined {
            progress.decided = progress.decided.saturating_add(1);
            progress.written = progress.written.saturating_add(
                self.letter(&mut work, config, &letter, examined, now)
                    .await?,
            );
        }
        for letter in &spent {
            progress.decided = progress.decided.saturating_add(1);
            progress.written = progress
                .written
                .saturating_add(unreadable(&mut work, config, letter, now).await?);
        }
        work.commit().await?;
        Ok(progress)
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
        let mut known = known(work, config, &mut examined, Some(waiting.id), now).await?;
        let sender = examined
            .letter
            .from
            .address()
            .map(|a| config.desk.directory.key(a));
        known.limit_told = sender.as_ref().is_some_and(|s| self.told_lately(s, now));
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
        if let (Some(sender), true) = (&sender, told_now) {
            self.limits_told.insert(sender.clone(), now);
        }
        let result = |told: &[Told]| LetterResult {
            id: waiting.id,
            sha256: waiting.sha256,
            message_id: examined.letter.message_id.clone(),
            content_key: Some(examined.letter.content_key),
            sender: sender.clone(),
            explanation: explanation::json(&explanation::Case {
                letter: &examined.letter,
                assurance: &examined.assurance,
                arrived: waiting.arrived,
                known: &known,
                decision: &decision,
                told,
                zone: config.desk.calendar.zone(),
            })
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

    fn told_lately(&mut self, sender: &str, now: DateTime<Utc>) -> bool {
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

/// Reads letters off the async threads: a hostile one costs time there, and a panic costs only this attempt.
async fn examine_all(
    waiting: Vec<Waiting>,
    config: &Arc<Config>,
) -> Result<Vec<(Waiting, Examined)>> {
    let config = Arc::clone(config);
    let read = move || {
        waiting
            .into_iter()
            .map(|w| {
                let examined = examine(&w.raw, &config, &w.mailbox);
                (w, examined)
            })
            .collect::<Vec<_>>()
    };
    tokio::task::spawn_blocking(read)
        .await
        .context("Reading a letter broke off; it will be tried again alone")
}

/// Stops 3 to 6: from bytes to a letter, its assurance and its clues. Pure.
pub fn examine(raw: &[u8], config: &Config, mailbox: &str) -> Examined {
    let mut letter = parse::read(raw, Caps::DEFAULT);
    let clues = thread::clues(&letter, &config.keys, &config.desk.address);
    let local = letter
        .message_id
        .as_deref()
        .and_then(|id| id.split('@').next());
    if local.is_some_and(|sealed| config.keys.open(sealed).is_some()) {
        letter.automatic = Some((Automatic::Own, "its Message-ID is one of ours".to_owned()));
    }
    let ids = config
        .mailboxes
        .iter()
        .find(|m| m.policy.name == mailbox)
        .map(|m| m.authserv_ids.as_slice())
        .unwrap_or_default();
    let assurance = assurance::judge(raw, &letter, ids);
    Examined {
        letter,
        assurance,
        clues,
    }
}

/// Stop 7: what the store knows that bears on the letter. A secret of ours that it carries raises its assurance (R13).
///
/// # Errors
/// The store can't be read.
pub async fn known(
    work: &mut Work,
    config: &Config,
    examined: &mut Examined,
    id: Option<LetterId>,
    now: DateTime<Utc>,
) -> Result<Known> {
    let mut known = Known {
        last_numbers: work.last_numbers().clone(),
        ..Known::default()
    };
    let letter = &examined.letter;
    known.seen_before = work
        .content_seen(&letter.content_key, id.unwrap_or(LetterId(0)))
        .await?;
    known.lead = lead(work, &examined.clues).await?;
    if let From::One { address, .. } = &letter.from {
        let day = config.desk.calendar.day_of(now);
        let midnight = config.desk.calendar.start_of_day(day);
        let counts = work
            .counts(
                &config.desk.directory.key(address),
                now - TimeDelta::hours(1),
                midnight,
            )
            .await?;
        known.letters_last_hour = counts.letters_last_hour;
        known.requests_last_hour = counts.requests_last_hour;
        known.refusals_today = counts.refusals_today;
        let proved = known.lead.as_ref().is_some_and(|lead| {
            let to_sender = lead
                .written_to
                .as_ref()
                .is_some_and(|to| config.desk.directory.same(to, address));
            to_sender && matches!(lead.evidence, Evidence::Confirmation(_))
        });
        if proved {
            examined.assurance = examined
                .assurance
                .clone()
                .challenged("it carries the secret of a letter that asked this address to confirm");
        }
    }
    Ok(known)
}

/// The request that the strongest clue leads to.
async fn lead(work: &mut Work, clues: &Clues) -> Result<Option<Lead>> {
    for token in &clues.tokens {
        let Some(sent) = work.sent(token.outbox).await? else {
            continue;
        };
        let Some(id) = sent.request.filter(|id| Some(*id) == token.request) else {
            continue;
        };
        let Some(request) = work.request(id).await? else {
            continue;
        };
        let evidence = match (token.kind, sent.pending) {
            (TokenKind::Confirm, Some(pending)) => Evidence::Confirmation(pending),
            (TokenKind::Internal, _) => Evidence::InternalToken,
            (TokenKind::Confirm | TokenKind::Reply | TokenKind::Nothing, _) => Evidence::Token,
        };
        let written_to = crate::desk::address::Address::new(&sent.recipient).ok();
        return Ok(Some(Lead {
            request,
            evidence,
            written_to,
        }));
    }
    if !clues.message_ids.is_empty()
        && let Some((id, _)) = work.request_by_message_ids(&clues.message_ids).await?
        && let Some(request) = work.request(id).await?
    {
        return Ok(Some(Lead {
            request,
            evidence: Evidence::MessageId,
            written_to: None,
        }));
    }
    if let Some(number) = clues.number
        && let Some(request) = work.request_by_number(number).await?
    {
        return Ok(Some(Lead {
            request,
            evidence: Evidence::SubjectNumber,
            written_to: None,
        }));
    }
    Ok(None)
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
        sender: None,
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

/// Stop 9: the decision's letters are written, and all of it goes into the unit of work.
async fn apply(
    work: &mut Work,
    config: &Config,
    result: Option<&(dyn Fn(&[Told]) -> LetterResult + Sync)>,
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

/// Whether a mailbox is read over the network.
pub fn is_remote(mailbox: &Mailbox) -> bool {
    matches!(mailbox.source, Source::Imap(_))
}
