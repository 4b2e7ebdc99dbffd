//! What time brings to a request that nobody touches: warnings before and after the due moment (R21), one reminder, and closing (R22).

use chrono::{DateTime, Utc};

use super::consent;
use super::course::Ending;
use super::deadline;
use super::decide::{Decision, Known, Verdict};
use super::draft::{Draft, StatusChange};
use super::event::{Event, Told};
use super::letter::Letter;
use super::life;
use super::notice::{Nudge, Purpose, Tells, Template};
use super::policy::Desk;
use super::request::{Pending, PendingKind, Request, Status};
use super::requester;
use super::succession::effect::{self, Due};
use super::succession::opening;
use super::telling::{self, State};

/// The next thing that time alone does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The specialists are warned that the answer is due soon (R21).
    Warn,
    /// They are told that the due moment has passed (R21).
    Overdue,
    /// The requester is reminded that the desk waits for their word (R22).
    Remind,
    /// It is closed (R22).
    Close,
    /// The change of representative that it is about goes on (R29, R31).
    Succession(Due),
}

/// What comes next and when; none if time alone brings nothing more. It follows from the request alone, so a moment that was missed, or that a
/// new configuration moves, is found again.
pub fn next(desk: &Desk, request: &Request) -> Option<(DateTime<Utc>, Step)> {
    steps(desk, request).into_iter().min_by_key(|(at, _)| *at)
}

/// Everything that comes next of its own accord. Of two at one moment the change of representative goes first: what it brings may make the
/// other needless.
fn steps(desk: &Desk, request: &Request) -> Vec<(DateTime<Utc>, Step)> {
    let succession = effect::steps(desk, request).into_iter();
    let succession = succession.map(|(at, due)| (at, Step::Succession(due)));
    succession.chain(of_life(desk, request)).collect()
}

/// What comes next of R21 and R22.
fn of_life(desk: &Desk, request: &Request) -> Option<(DateTime<Utc>, Step)> {
    request.number?;
    match request.status {
        Status::InProgress | Status::WithDeveloper => deadline_step(desk, request),
        Status::AwaitingInformation => {
            if request.matter.quiet || !request.matter.acknowledged {
                return None;
            }
            let since = request.course.since.unwrap_or(request.matter.opens);
            let (calendar, spans) = (&desk.calendar, &desk.deadlines);
            let day = calendar.day_of(since);
            let Some(reminded) = request.course.reminded else {
                let day = calendar.add_working_days(day, spans.remind_information);
                let opening = calendar.opening(day);
                return Some((
                    opening.unwrap_or_else(|| calendar.start_of_day(day)),
                    Step::Remind,
                ));
            };
            // A reminder that went out late leaves as much time as one that was on time.
            let after = spans
                .close_unanswered
                .saturating_sub(spans.remind_information);
            let closes = deadline::due(calendar, day, spans.close_unanswered).max(deadline::due(
                calendar,
                calendar.day_of(reminded),
                after,
            ));
            Some((closes, Step::Close))
        }
        Status::Resolved => {
            let since = request.course.since.unwrap_or(request.matter.opens);
            let day = desk.calendar.day_of(since);
            let closes = deadline::due(&desk.calendar, day, desk.deadlines.close_resolved);
            Some((closes, Step::Close))
        }
        Status::Closed => None,
    }
}

fn deadline_step(desk: &Desk, request: &Request) -> Option<(DateTime<Utc>, Step)> {
    let (due, course) = (request.due?, &request.course);
    if request.matter.quiet || course.overdue == Some(due) {
        return None;
    }
    let passed = desk.calendar.place(due).opens;
    let warning = deadline::warning(&desk.calendar, due, desk.deadlines.warn_before);
    // Whoever was just told of the request and its due moment needs no warning of it.
    let told = course.turns.iter().map(|(at, _)| *at).max();
    let told = told.unwrap_or(request.matter.opens);
    let warn = desk.deadlines.warn_before > 0 && course.warned != Some(due) && warning > told;
    Some(if warn && warning < passed {
        (warning, Step::Warn)
    } else {
        (passed, Step::Overdue)
    })
}

/// What time alone brings in the end: the moment at which it closes the request, or, for a closed one, until which a reply takes it up again
/// (R22); none while the desk owes work.
pub fn until(desk: &Desk, request: &Request) -> Option<DateTime<Utc>> {
    match request.status {
        Status::InProgress | Status::WithDeveloper => None,
        Status::Closed => life::reopens_until(desk, request.course.since?),
        Status::AwaitingInformation | Status::Resolved => {
            let mut reminded = request.clone();
            if request.course.reminded.is_none() {
                reminded.course.reminded = request.course.since;
            }
            next(desk, &reminded).map(|(at, _)| at)
        }
    }
}

/// When a request is to be looked at: the moment of its next step; where that has passed at night, the next opening (`BEHAVIOURS` F68). What
/// waits for an opening holds nothing up that does not.
pub fn wakes(desk: &Desk, request: &Request, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let steps = steps(desk, request).into_iter();
    steps.map(|(at, step)| moment(desk, at, step, now)).min()
}

fn moment(desk: &Desk, at: DateTime<Utc>, step: Step, now: DateTime<Utc>) -> DateTime<Utc> {
    match step {
        Step::Close | Step::Succession(Due::InForce) => at,
        Step::Warn | Step::Overdue | Step::Remind | Step::Succession(_) => {
            at.max(desk.calendar.place(now.max(at)).opens)
        }
    }
}

/// Does what has become due, if anything has; of several things that were missed only what still makes sense.
pub(super) fn due(desk: &Desk, known: &Known, request: &Request, now: DateTime<Utc>) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.concerns(request);
    draft.look_again();
    let steps = steps(desk, request).into_iter();
    let ready = steps.filter(|(at, step)| moment(desk, *at, *step, now) <= now);
    match ready.min_by_key(|(at, _)| *at) {
        Some((_, step)) => take(&mut draft, known, request, step),
        None => draft.because("Nothing is due yet"),
    }
    draft.end(Verdict::Attached)
}

fn take(draft: &mut Draft<'_>, known: &Known, request: &Request, step: Step) {
    let desk = draft.desk;
    let now = draft.now;
    let tells = telling::tells(desk, &request.matter, State::of(request));
    let due = request.due.unwrap_or(now);
    match step {
        Step::Warn if desk.calendar.place(due).opens > now => {
            draft.because("The answer is due soon: the specialists are warned, once (R21)");
            draft.event(Event::Told(Told::DueSoon(due)));
            telling::deadline(draft, Template::DueSoon, &tells);
        }
        Step::Warn | Step::Overdue => {
            draft.because("The due moment has passed: the specialists are told, once (R21)");
            draft.event(Event::Told(Told::Overdue(due)));
            telling::deadline(draft, Template::Overdue, &tells);
        }
        Step::Remind => {
            draft.because("The desk still waits for the requester's word: reminded, once (R22)");
            draft.event(Event::Told(Told::Reminded(now)));
            draft.tell(telling::to_requester(
                Template::Reminder,
                &request.matter,
                telling::continuing(&request.matter),
                Purpose::Reply,
                closes_at(desk, request, now, tells),
            ));
        }
        Step::Close => close(draft, request),
        Step::Succession(due) => effect::take(draft, known, request, due),
    }
}

/// A reminder says until when the desk waits.
fn closes_at(desk: &Desk, request: &Request, now: DateTime<Utc>, tells: Tells) -> Tells {
    let mut reminded = request.clone();
    reminded.course.reminded = Some(now);
    Tells {
        lapses: of_life(desk, &reminded).map(|(at, _)| at),
        ..tells
    }
}

/// R22: what nobody objected to, and what nobody answered, is closed by time, as of the moment at which that time was over.
fn close(draft: &mut Draft<'_>, request: &Request) {
    let (ending, why) = if request.status == Status::Resolved {
        (
            request.course.ending.unwrap_or(Ending::Solved),
            "Nobody objected to the solution in time",
        )
    } else {
        (
            Ending::Unanswered,
            "The information that was asked for did not come",
        )
    };
    draft.because(format!("{why}: closed (R22)"));
    requester::wait_no_more(draft, request);
    opening::given_up(draft, request);
    let now = draft.now;
    draft.change_status(StatusChange {
        to: Status::Closed,
        by: None,
        why,
        at: now,
        ending: Some(ending),
    });
    if request.matter.quiet || !request.matter.acknowledged {
        return;
    }
    let (matter, state) = draft.after(request);
    let tells = telling::tells(draft.desk, &matter, state);
    draft.tell(telling::to_requester(
        Template::StatusChanged,
        &matter,
        telling::continuing(&matter),
        Purpose::Reply,
        tells,
    ));
}

/// Whoever is to say a word is reminded of it: once of an order (R10, R13), again and again of a consent (R20, R26).
pub(super) fn remind(
    desk: &Desk,
    known: &Known,
    request: &Request,
    pending: &Pending,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.concerns(request);
    let opens = desk.calendar.place(now).opens;
    if opens > now {
        draft.because("The moment of reminding passed unseen: put off to the next opening");
        draft.event(Event::ReminderPutOff {
            pending: pending.id,
            to: opens,
        });
        return draft.end(Verdict::Attached);
    }
    let cited = known.opening.as_deref();
    let (told, next) = match pending.kind {
        PendingKind::Consent | PendingKind::Extension => {
            if !consent::ask_again(&mut draft, request, pending, cited, Nudge::Reminder) {
                consent::resign(&mut draft, request, pending, cited);
                return draft.end(Verdict::Attached);
            }
            (true, consent::reminds(desk, now))
        }
        PendingKind::PrimaryConfirmation | PendingKind::Challenge => {
            (remind_of_order(&mut draft, request, pending, cited), None)
        }
        // While the request waits for information its requester is reminded anyway (R22).
        PendingKind::Identity | PendingKind::WhichInstallation | PendingKind::Commands => {
            (false, None)
        }
    };
    draft.because(format!(
        "The word for {} is still missing: {}",
        pending.kind.word(),
        if told {
            "its party is reminded (R10, R26)"
        } else {
            "its party is none any more, and nobody is reminded"
        }
    ));
    draft.event(Event::Reminded {
        pending: pending.id,
        next,
    });
    draft.end(Verdict::Attached)
}

/// R10, R13: the letter that asked for the word on an order, once more, with the secret that still settles it. Nothing goes to whoever is no
/// primary any more, or where nothing can be shown.
fn remind_of_order(
    draft: &mut Draft<'_>,
    request: &Request,
    pending: &Pending,
    cited: Option<&Letter>,
) -> bool {
    let desk = draft.desk;
    let matter = &request.matter;
    let Some(cited) = cited.filter(|_| !matter.quiet) else {
        return false;
    };
    let tells = Tells {
        lapses: Some(pending.lapses),
        nudge: Some(Nudge::Reminder),
        ..telling::tells(desk, matter, State::of(request))
    };
    let tells = telling::citing(tells, cited);
    let purpose = Purpose::Confirm(pending.id);
    if pending.kind == PendingKind::Challenge {
        let thread = telling::continuing(matter);
        draft.tell(telling::to_requester(
            Template::Challenge,
            matter,
            thread,
            purpose,
            tells,
        ));
        return true;
    }
    let installation = matter.installation.as_deref();
    let installation = installation.and_then(|id| desk.directory.installation(id));
    let primary = installation.and_then(|(_, i)| i.primary(desk.calendar.day_of(draft.now)));
    let Some(primary) = primary.filter(|p| desk.directory.same(&p.address, &pending.party)) else {
        return false;
    };
    draft.tell(telling::to_representative(
        Template::OrderToConfirm,
        primary,
        matter.locale,
        purpose,
        tells,
    ));
    true
}
