//! A decision in the making: what was found so far, and the one place that keeps silent towards a sender past the limits (R48).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::assurance::SenderAssurance;
use super::consent;
use super::course::{self, Ending};
use super::decide::{Concern, Decision, Known, Lead, Onward, Sender, Verdict};
use super::event::Event;
use super::finding::{Alternative, Findings};
use super::loops::Passed;
use super::notice::{Alert, Notice, Purpose, Template};
use super::policy::Desk;
use super::replay;
use super::request::{Matter, Number, PendingKind, Request, RequestId, Status};
use super::telling::State;
use super::ticking;
use super::why;

/// Collects events, notices and reasons until [`Draft::end`].
pub(super) struct Draft<'a> {
    /// The desk that decides.
    pub(super) desk: &'a Desk,
    /// The moment of deciding.
    pub(super) now: DateTime<Utc>,
    /// Who sent the letter.
    pub(super) sender: Option<Sender>,
    concern: Concern,
    /// The request as it stood before.
    request: Option<Request>,
    events: Vec<Event>,
    notices: Vec<Notice>,
    reasons: Vec<String>,
    silence: Silence,
    authenticated: bool,
    alerts_left: Option<u32>,
    findings: Findings,
    hint: Option<String>,
    continues: Option<Number>,
    rewake: bool,
}

/// A change of status, with all that the history says of it.
pub(super) struct StatusChange {
    /// To this.
    pub(super) to: Status,
    /// By whom; none if by the regulation itself.
    pub(super) by: Option<Address>,
    /// Why, for people.
    pub(super) why: &'static str,
    /// As of when (R2).
    pub(super) at: DateTime<Utc>,
    /// How it ended, if it is closed with that.
    pub(super) ending: Option<Ending>,
}

/// Whose word is waited for.
pub(super) struct Waits<'p> {
    /// What for.
    pub(super) kind: PendingKind,
    /// Whose.
    pub(super) party: &'p Address,
    /// Until when.
    pub(super) lapses: DateTime<Utc>,
    /// When they are reminded; none if not.
    pub(super) remind: Option<DateTime<Utc>>,
    /// The working days that an extension asks for (R20).
    pub(super) days: Option<u32>,
}

/// Whom nothing is sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Silence {
    Nobody,
    Towards(Address),
    /// But for the word that an order needs.
    EverybodyNotAsked,
    Everybody,
}

impl<'a> Draft<'a> {
    pub(super) fn new(desk: &'a Desk, now: DateTime<Utc>) -> Self {
        Self {
            desk,
            now,
            sender: None,
            concern: Concern::Nothing,
            request: None,
            events: vec![],
            notices: vec![],
            reasons: vec![],
            silence: Silence::Nobody,
            authenticated: false,
            alerts_left: None,
            findings: Findings::default(),
            hint: None,
            continues: None,
            rewake: false,
        }
    }

    /// It is about this request.
    pub(super) fn concerns(&mut self, request: &Request) {
        self.concern = Concern::Existing(request.id);
        self.request = Some(request.clone());
    }

    /// It opens a request.
    pub(super) fn opens(&mut self, matter: Matter) {
        self.request = Some(replay::unborn(RequestId(0), matter.clone()));
        self.concern = Concern::Opened(matter);
    }

    /// From here on nothing goes to anybody if the sender passed a limit (R48), but for what [`Draft::tell`] excepts; whether one is.
    pub(super) fn watch_limits(&mut self, known: &Known, assurance: &SenderAssurance) -> bool {
        self.authenticated = assurance.is_authenticated();
        let passed = self.desk.breakers.passed(&self.desk.limits, known);
        self.keep_silent(&passed)
    }

    /// The same for what one request may cause (S40).
    pub(super) fn watch_request(&mut self, known: &Known) -> bool {
        let breakers = self.desk.breakers;
        let passed = breakers.passed_at_request(&self.desk.limits, known);
        self.keep_silent(passed.as_slice())
    }

    fn keep_silent(&mut self, passed: &[Passed]) -> bool {
        if passed.is_empty() {
            return false;
        }
        self.because("The sender passed a limit: recorded, and nothing is sent for it (R48)");
        let may_ask = passed.iter().all(|p| p.is_of_requests());
        if may_ask && self.silence != Silence::Everybody {
            self.silence = Silence::EverybodyNotAsked;
        } else {
            self.silence = Silence::Everybody;
        }
        for limit in passed {
            self.capped(limit.to_string());
        }
        true
    }

    /// When the request next needs looking at is to be found again, whatever was thought before.
    pub(super) fn look_again(&mut self) {
        self.rewake = true;
    }

    /// What was found beside the reasons.
    pub(super) fn findings(&mut self) -> &mut Findings {
        &mut self.findings
    }

    /// If the letter opens a request of its own, its history will say this.
    pub(super) fn hint(&mut self, what: String) {
        self.hint = Some(what);
    }

    /// What the history of a request that is opened now should say beside.
    pub(super) fn take_hint(&mut self) -> Option<String> {
        self.hint.take()
    }

    /// If the letter opens a request of its own, that goes on from this closed one (R23).
    pub(super) fn goes_on_from(&mut self, number: Number) {
        self.continues = Some(number);
    }

    /// The closed request that a request opened now goes on from.
    pub(super) fn take_continued(&mut self) -> Option<Number> {
        self.continues.take()
    }

    /// A limit was reached.
    pub(super) fn capped(&mut self, limit: String) {
        if !self.findings.capped.contains(&limit) {
            self.findings.capped.push(limit);
        }
    }

    /// The request was not followed.
    pub(super) fn reject(&mut self, lead: &Lead, why: &str) {
        self.findings.rejected.push(Alternative {
            number: lead.request.number,
            clue: lead.evidence.in_words().to_owned(),
            why: why.to_owned(),
        });
    }

    /// So many alerts may still be sent within the hour (R48).
    pub(super) fn watch_alerts(&mut self, known: &Known) {
        let most = self.desk.limits.alerts_per_hour;
        self.alerts_left = Some(most.saturating_sub(known.alerts_last_hour));
    }

    /// The alerts that may still be sent; none if they are not counted.
    pub(super) fn alerts_left(&self) -> Option<u32> {
        self.alerts_left
    }

    /// Whether the sender passed a limit.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(
            self.silence,
            Silence::Everybody | Silence::EverybodyNotAsked
        )
    }

    /// Nothing goes to this address by itself.
    pub(super) fn keep_silent_to(&mut self, sender: &Address) {
        if !self.is_quiet() {
            self.silence = Silence::Towards(sender.clone());
        }
    }

    /// A word that was asked for is given once: everyone concerned hears it, whatever else its sender caused.
    pub(super) fn speak(&mut self) {
        self.silence = Silence::Nobody;
    }

    /// Adds a reason; what was just said is not said again.
    pub(super) fn because(&mut self, reason: impl Into<String>) {
        let reason = reason.into();
        if self.reasons.last() != Some(&reason) {
            self.reasons.push(reason);
        }
    }

    pub(super) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// From here on it waits for somebody's word; what a reply to the letter that asks for it means.
    pub(super) fn wait(&mut self, waits: Waits<'_>) -> Purpose {
        let before = self.events.iter();
        let place = before.filter(|e| matches!(e, Event::Waits { .. })).count();
        self.event(Event::Waits {
            kind: waits.kind,
            party: waits.party.clone(),
            lapses: waits.lapses,
            remind: waits.remind,
            days: waits.days,
        });
        Purpose::ConfirmNew(place)
    }

    /// Wants a letter written. What it says of the request's clock follows from the request as it stands: no two letters differ in that (R45).
    pub(super) fn tell(&mut self, mut notice: Notice) {
        if let Some(stands) = self.stands()
            && notice.tells.opens.is_some()
        {
            notice.tells.continues = stands.continues;
            notice.tells.why = why::of(self.desk, &stands, self.now);
        }
        let silent = match &self.silence {
            Silence::Nobody => false,
            Silence::Towards(address) => self.desk.directory.same(address, &notice.to),
            // An authenticated sender who only asked for much is still asked for the word that their order needs.
            Silence::EverybodyNotAsked if self.authenticated => {
                notice.template != Template::Challenge && !is_alarm(&notice)
            }
            Silence::EverybodyNotAsked | Silence::Everybody => !is_alarm(&notice),
        };
        if !silent {
            self.notices.push(notice);
        }
    }

    /// The status changes, as of a moment, and the clock with it (R19, R22); of what may move it, [`super::life`] tells.
    pub(super) fn change_status(&mut self, change: StatusChange) {
        self.event(Event::StatusChanged {
            to: change.to,
            by: change.by,
            why: change.why.to_owned(),
            at: change.at,
            ending: change.ending,
        });
        self.reckon();
    }

    /// More time was agreed to (R20).
    pub(super) fn extend(&mut self, days: u32, at: DateTime<Utc>) {
        self.event(Event::Extended { days, at });
        self.reckon();
    }

    /// The due moment follows from the clock: where it is another one now, the history says so.
    fn reckon(&mut self) {
        let Some(stands) = self.stands() else {
            return;
        };
        let Some(due) = stands.due else {
            return;
        };
        let shown = course::replay(
            &self.desk.calendar,
            stands.matter.registration_day,
            self.desk.deadlines.answer,
            &stands.course.turns,
        );
        if shown.due != due {
            self.event(Event::DueMoved { due: shown.due });
        }
    }

    /// The request it is about, as it stands after the events so far.
    pub(super) fn stands(&self) -> Option<Request> {
        let request = self.request.as_ref()?;
        Some(replay::after(request, &self.events))
    }

    /// Any request as it stands after the events so far.
    pub(super) fn after(&self, request: &Request) -> (Matter, State) {
        let stands = replay::after(request, &self.events);
        let state = State::of(&stands);
        (stands.matter, state)
    }

    /// How the clock of the request runs from here, if that is another way than before.
    fn onward(&self) -> Option<Onward> {
        let before = self.request.as_ref()?;
        let stands = replay::after(before, &self.events);
        let opened = matches!(self.concern, Concern::Opened(_));
        let wakes = ticking::wakes(self.desk, &stands, self.now);
        let same = stands == *before;
        (opened || !same || self.rewake).then_some(Onward {
            course: stands.course,
            continues: stands.continues,
            succession: stands.succession,
            wakes,
        })
    }

    /// Whoever wrote is answered before the desk tells itself.
    pub(super) fn end(mut self, verdict: Verdict) -> Decision {
        if let Some(before) = self.request.clone() {
            consent::withdraw(&mut self, &before);
        }
        self.notices.sort_by_key(|n| n.template.is_internal());
        let onward = self.onward();
        Decision {
            onward,
            verdict,
            sender: self.sender,
            concern: self.concern,
            events: self.events,
            notices: self.notices,
            reasons: self.reasons,
            findings: self.findings,
        }
    }
}

/// The one alert that says that nothing more is said.
fn is_alarm(notice: &Notice) -> bool {
    notice
        .tells
        .alert
        .as_ref()
        .is_some_and(Alert::is_of_a_limit)
}
