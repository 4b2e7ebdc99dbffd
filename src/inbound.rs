//! One letter's whole way in, top to bottom. Read this first.
//!
//! 1. `intake`: a mailbox shows a message beyond the cursor; its bytes are kept and committed before anything reads them.
//! 2. [`Inbound::step`] takes the undecided letters in order of arrival, counts the attempt, commits.
//! 3. [`crate::examination::examine`], by [`reading`]: bytes become a letter, its sender is judged, its clues are found. Nothing there knows the
//!    store. Where a signature would make the sender surer, the DNS is asked; while it is silent, that letter waits and no other.
//! 4. [`knowledge::known`]: what the store knows that bears on it: the request it seems to be about, what the sender caused before.
//! 5. `desk::decide`: the rules.
//! 6. [`writing::write()`]: the notices become letters with fixed bytes and Message-IDs.
//! 7. Events, letters and the letter's end state are applied; **commit**; the way out is woken.

mod time;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

use tokio::sync::Notify;

use crate::authentication;
use crate::backlog::Backlog;
use crate::clock::Clock;
use crate::config::{Config, Mailbox};
use crate::desk::assurance::Level;
use crate::desk::decide::{self, Concern, Decision, Incoming, Known, Occasion, Verdict};
use crate::desk::people::Directory;
use crate::desk::policy::{Authentication, MailboxPolicy, Strangers};
use crate::desk::request::Kind;
use crate::dns::resolver::Resolver;
use crate::examination::Examined;
use crate::knowledge;
use crate::occasion::apply;
use crate::reading;
use crate::store::column::Pressed;
use crate::store::letters::{LetterId, Waiting};
use crate::store::pool::Store;
use crate::store::work::{LetterResult, Moved, Work, Written};
use crate::telemetry;
use crate::watch::{Sight, Watch};
use crate::writing::{self, Draft};

/// Letters taken at a time.
const BATCH: u32 = 256;
/// Attempts at reading one letter before it is recorded as unreadable (A5).
const ATTEMPTS: u32 = 3;

/// The way in: what it stands on, and what it remembers of the last hour.
#[derive(Debug)]
pub struct Inbound {
    store: Store,
    clock: Clock,
    written: Arc<Notify>,
    dns: Resolver,
    backlog: Backlog,
    watch: Watch,
    /// What checks signatures, where it is not this program.
    helper: Option<PathBuf>,
    /// The day and the appointments for which requests have passed to successors (R31).
    passed: Option<(NaiveDate, Directory)>,
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
    /// One more was decided on, and so many letters written for it.
    fn take(&mut self, written: usize) {
        self.decided = self.decided.saturating_add(1);
        self.written = self.written.saturating_add(written);
    }

    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        self.decided == 0 && self.postponed == 0
    }

    fn add(&mut self, further: Self) {
        self.decided = self.decided.saturating_add(further.decided);
        self.written = self.written.saturating_add(further.written);
        self.postponed = self.postponed.saturating_add(further.postponed);
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
            backlog: Backlog::default(),
            watch: Watch::default(),
            helper: None,
            passed: None,
        }
    }

    /// The same, with somebody to ask for the keys of signatures.
    #[must_use]
    pub fn asking(mut self, dns: Resolver) -> Self {
        self.dns = dns;
        self
    }

    /// The same, behind mailboxes in which letters may wait unread.
    #[must_use]
    pub fn behind(mut self, backlog: Backlog) -> Self {
        self.backlog = backlog;
        self
    }

    /// The same for a program that is not postdesk: signatures are checked by this one.
    #[must_use]
    pub fn checking_by(mut self, helper: PathBuf) -> Self {
        self.helper = Some(helper);
        self
    }

    /// Whether requests may have to pass to successors (R31), so that [`Inbound::tick`] is due whatever the clock says.
    pub fn owes(&self) -> bool {
        self.passed.is_none()
    }

    /// Decides on the next letters that wait, in order of arrival; nothing decided means that none waits.
    ///
    /// # Errors
    /// The store refused: nothing of the step happened.
    pub async fn step(&mut self, config: &Arc<Config>) -> Result<Progress> {
        match self.round(config, false).await {
            // Who decided meanwhile may have decided on the same letters: all that was seen is looked at again, with the lock.
            Err(error) if error.is::<Moved>() => self.round(config, true).await,
            done => done,
        }
    }

    async fn round(&mut self, config: &Arc<Config>, locked: bool) -> Result<Progress> {
        let mut waiting = self.store.undecided(BATCH, self.clock.now()).await?;
        // A letter that took the process down with it must not take its neighbours down again: once tried, each goes alone.
        if waiting.iter().any(|w| w.attempts > 0) {
            waiting.truncate(1);
        }
        // Numbers go by arrival (R17): who waits for an opening that has come goes before whoever arrived later.
        if !waiting.is_empty()
            && let Some(queued) = self.store.first_queued(self.clock.now()).await?
        {
            waiting.retain(|w| w.arrived <= queued);
        }
        if waiting.is_empty() {
            return Ok(Progress::default());
        }
        let ids: Vec<LetterId> = waiting.iter().map(|w| w.id).collect();
        self.store.count_attempt(&ids).await?;
        let decided = self.decide_on(config, waiting, locked).await;
        if let Err(error) = &decided
            && error.is::<Moved>()
        {
            self.store.forgive_attempt(&ids).await?;
        }
        decided
    }

    async fn decide_on(
        &mut self,
        config: &Arc<Config>,
        waiting: Vec<Waiting>,
        locked: bool,
    ) -> Result<Progress> {
        let (readable, spent): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|w| w.attempts < ATTEMPTS);
        let mut progress = Progress::default();
        let mut portions = reading::portions(readable).into_iter();
        let store = self.store.clone();
        let mut read = reading::read(&store, config, portions.next()).await?;
        while let Some(portion) = read {
            // While one portion is decided on, the next is fetched, and read on another thread.
            let next = reading::read(&store, config, portions.next());
            let (done, next) = tokio::join!(self.settle_and_decide(config, portion, locked), next);
            progress.add(done?);
            read = next?;
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
                .saturating_add(unreadable(&mut work, config, letter, now)?);
        }
        work.commit().await?;
        Ok(progress)
    }

    /// Letters that were read: those whose senders can be judged are decided on, the others put off.
    async fn settle_and_decide(
        &mut self,
        config: &Arc<Config>,
        examined: Vec<(Waiting, Examined)>,
        locked: bool,
    ) -> Result<Progress> {
        let now = self.clock.now();
        let (mut examined, waits) = authentication::settle(&mut self.dns, examined, now).await;
        let helper = self.helper.as_deref();
        authentication::signatures(&self.store, config, helper, &mut examined).await?;
        self.store.postpone(&waits).await?;
        let mut progress = self.portion(config, examined, locked).await?;
        if progress.written > 0 {
            self.written.notify_one();
        }
        progress.postponed = waits.len();
        Ok(progress)
    }

    /// Letters that can be decided on: one after the other, their letters written side by side, all committed together.
    async fn portion(
        &mut self,
        config: &Arc<Config>,
        letters: Vec<(Waiting, Examined)>,
        locked: bool,
    ) -> Result<Progress> {
        let now = self.clock.now();
        let mut work = if locked {
            self.store.begin().await?
        } else {
            self.store.look().await?
        };
        let keys: Vec<_> = letters.iter().map(|(_, e)| e.letter.content_key).collect();
        let senders: Vec<_> = letters
            .iter()
            .filter_map(|(_, e)| sender(config, e))
            .collect();
        let since = knowledge::since(config, now);
        work.foresee(&keys, &senders, since).await?;
        let mut drafts = Vec::new();
        for (waiting, examined) in letters {
            drafts.push(
                self.letter(&mut work, config, waiting, examined, now)
                    .await?,
            );
        }
        let mut progress = Progress::default();
        let mut decided = Vec::new();
        for (draft, written) in writing::write_aside(config, drafts, now).await? {
            progress.decided = progress.decided.saturating_add(1);
            progress.written = progress.written.saturating_add(written.letters.len());
            decided.push((draft.waiting, draft.decision.verdict, written.letters.len()));
            work.record(
                Some(&draft.result),
                &draft.decision,
                &draft.names,
                written,
                now,
            )?;
        }
        work.commit().await?;
        for (waiting, verdict, written) in decided {
            telemetry::letter_decided(waiting.id.0, &waiting.mailbox, verdict.word(), written);
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
        let written = apply(&mut work, config, &decision, now)?;
        work.commit().await?;
        Ok(written)
    }

    async fn letter(
        &mut self,
        work: &mut Work,
        config: &Config,
        waiting: Waiting,
        mut examined: Examined,
        now: DateTime<Utc>,
    ) -> Result<Draft> {
        let mailbox = mailbox_policy(config, &waiting.mailbox);
        let mut known =
            knowledge::known(work, config, &mut examined, Some(waiting.id), now).await?;
        let sender = sender(config, &examined);
        let vouched = examined.assurance.is_authenticated();
        let sight = Sight {
            id: waiting.id,
            sender: sender.clone().map(|s| (s, vouched)),
            domain: examined
                .letter
                .from
                .address()
                .map(|a| a.domain().to_owned()),
            essence: examined.essence,
            bad_tokens: examined.clues.forged.len(),
        };
        self.watch.look(&mut known, &sight, now);
        let decision = decide_letter(
            config,
            &known,
            &examined,
            &mailbox,
            waiting.arrived,
            waiting.oversize,
            now,
        );
        self.watch.note(&sight, &decision, now);
        let day = |at| config.desk.calendar.day_of(at);
        if matches!(decision.concern, Concern::Opened(_)) && day(waiting.arrived) != day(now) {
            // Whoever wrote it may have left office since.
            self.passed = None;
        }
        let result = LetterResult {
            id: waiting.id,
            sha256: waiting.sha256,
            message_id: examined.letter.message_id.clone(),
            content_key: Some(examined.letter.content_key),
            signature_key: examined.signature_key,
            sender,
            assurance: examined.assurance.level(),
        };
        let names = work.name(&decision);
        let files = knowledge::enclosed(work, &decision).await?;
        let readers = writing::readers(config, &decision);
        work.enter(Some(&result), &decision, &names, &readers, now)?;
        Ok(Draft {
            waiting,
            examined,
            known,
            decision,
            names,
            result,
            files,
        })
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

/// The comparison key of a letter's sender.
fn sender(config: &Config, examined: &Examined) -> Option<String> {
    let from = examined.letter.from.address();
    from.map(|address| config.desk.directory.key(address))
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
        signatures: &examined.signatures,
    };
    decide::decide(&config.desk, known, &Occasion::Letter(incoming), now)
}

fn unreadable(
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
    let result = LetterResult {
        id: waiting.id,
        sha256: waiting.sha256,
        message_id: None,
        content_key: None,
        signature_key: None,
        sender: None,
        assurance: Level::None,
    };
    let names = work.name(&decision);
    let (letters, _) = writing::write(config, &decision, &names, now)?;
    let explanation =
        serde_json::json!({"verdict": Verdict::Unreadable.word(), "reasons": decision.reasons});
    let count = letters.len();
    let written = Written {
        explanation: Some(Pressed::new(explanation.to_string().as_bytes())?),
        letters,
    };
    work.apply(Some(&result), &decision, &names, written, now)?;
    telemetry::letter_decided(
        waiting.id.0,
        &waiting.mailbox,
        decision.verdict.word(),
        count,
    );
    Ok(count)
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
