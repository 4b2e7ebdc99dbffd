//! A decision in the making: what was found so far, and the one place that keeps silent towards a sender past the limits (R48).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::decide::{Concern, Decision, Known, Sender, Verdict};
use super::event::Event;
use super::notice::Notice;
use super::policy::Desk;

/// Collects events, notices and reasons until [`Draft::end`].
pub(super) struct Draft<'a> {
    /// The desk that decides.
    pub(super) desk: &'a Desk,
    /// The moment of deciding.
    pub(super) now: DateTime<Utc>,
    /// Who sent the letter.
    pub(super) sender: Option<Sender>,
    /// What it is about.
    pub(super) concern: Concern,
    events: Vec<Event>,
    notices: Vec<Notice>,
    reasons: Vec<String>,
    silent_to: Option<Address>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(desk: &'a Desk, now: DateTime<Utc>) -> Self {
        Self {
            desk,
            now,
            sender: None,
            concern: Concern::Nothing,
            events: vec![],
            notices: vec![],
            reasons: vec![],
            silent_to: None,
        }
    }

    /// From here on nothing goes to this sender if a limit is passed (R48); whether one is.
    pub(super) fn watch_limits(&mut self, known: &Known, sender: &Address) -> bool {
        let limits = self.desk.limits;
        let passed = known.letters_last_hour >= limits.letters_per_hour
            || known.requests_last_hour >= limits.requests_per_hour;
        if passed {
            self.because("The sender passed a limit: recorded, and nothing is sent to them (R48)");
            self.silent_to = Some(sender.clone());
        }
        passed
    }

    /// Nothing goes to this address by itself.
    pub(super) fn keep_silent_to(&mut self, sender: &Address) {
        self.silent_to = Some(sender.clone());
    }

    pub(super) fn because(&mut self, reason: impl Into<String>) {
        self.reasons.push(reason.into());
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        let silent = self
            .silent_to
            .as_ref()
            .is_some_and(|s| self.desk.directory.same(s, &notice.to));
        if !silent {
            self.notices.push(notice);
        }
    }

    pub(super) fn end(self, verdict: Verdict) -> Decision {
        Decision {
            verdict,
            sender: self.sender,
            concern: self.concern,
            events: self.events,
            notices: self.notices,
            reasons: self.reasons,
        }
    }
}
