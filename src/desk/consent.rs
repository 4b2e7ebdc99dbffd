//! Consent: what needs the approvers' yes, whom it is asked of, and whether it was given (R20, R25, R26).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::course::Ending;
use super::draft::{Draft, Waits};
use super::event::{Event, Outcome};
use super::letter::Letter;
use super::notice::{Alert, Notice, Nudge, Purpose, Settled, Tells, Template, Thread};
use super::people::Approver;
use super::policy::{Desk, Voices};
use super::request::{Pending, PendingKind, Request, Status, Type};
use super::telling::{self, State};

/// Until when a word is waited for that never lapses (R26): the end of the year 9999.
pub(super) const NEVER: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(moment) => moment,
    None => DateTime::<Utc>::MAX_UTC,
};

/// What the approvers are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// Whether it is to be done at all (R25).
    Type(Type),
    /// Whether it may take longer (R20).
    Time,
}

impl Question {
    /// What a pending asks of this request; none if it is no question to approvers.
    pub(super) fn of(request: &Request, kind: PendingKind) -> Option<Self> {
        match kind {
            PendingKind::Consent => Some(Self::Type(request.matter.type_)),
            PendingKind::Extension => Some(Self::Time),
            PendingKind::PrimaryConfirmation
            | PendingKind::Commands
            | PendingKind::Challenge
            | PendingKind::Identity
            | PendingKind::WhichInstallation => None,
        }
    }

    fn kind(self) -> PendingKind {
        match self {
            Self::Type(_) => PendingKind::Consent,
            Self::Time => PendingKind::Extension,
        }
    }

    /// R26 ⚙: whose yes is enough.
    pub(super) fn voices(self, desk: &Desk) -> Voices {
        match self {
            Self::Type(Type::Improvement) => desk.consents.improvements,
            Self::Type(Type::Fault | Type::Support) => desk.consents.faults,
            Self::Time => desk.consents.extensions,
        }
    }

    /// Whether this approver decides on it.
    pub(super) fn is_for(self, approver: &Approver) -> bool {
        match self {
            Self::Type(type_) => approver.types.contains(&type_),
            Self::Time => approver.extensions,
        }
    }

    /// Everybody who decides on it.
    pub(super) fn approvers(self, desk: &Desk) -> impl Iterator<Item = &Approver> {
        let all = desk.directory.approvers().iter();
        all.filter(move |a| self.is_for(a))
    }

    /// The approver at this address, if they decide on it.
    pub(super) fn approver<'d>(self, desk: &'d Desk, address: &Address) -> Option<&'d Approver> {
        self.approvers(desk)
            .find(|a| desk.directory.same(&a.address, address))
    }
}

/// Whether a type needs consent at all (R25).
pub fn is_needed(type_: Type) -> bool {
    match type_ {
        Type::Support => false,
        Type::Fault | Type::Improvement => true,
    }
}

/// Whether nothing stands in the way of doing it: it needs no consent, or the consent to what it is now was given (R25).
pub fn given(request: &Request) -> bool {
    let consent = request.course.consent.as_ref();
    let agreed = consent.is_some_and(|c| c.whole && c.to == request.matter.type_);
    !is_needed(request.matter.type_) || agreed
}

/// Whether a specialist may not make this move before consent is given (R25, `BEHAVIOURS` H86): solving it, handing it over, and closing it as
/// if it were solved. Declining it, asking for information and taking it up again need nobody's consent.
pub fn bars(request: &Request, to: Status, ending: Option<Ending>) -> bool {
    let done = match to {
        Status::WithDeveloper | Status::Resolved => true,
        Status::Closed => {
            request.status != Status::Resolved && matches!(ending, None | Some(Ending::Solved))
        }
        Status::InProgress | Status::AwaitingInformation => false,
    };
    done && !given(request)
}

/// Whether the approvers' words on a request in this status still matter.
pub(super) fn is_open(status: Status) -> bool {
    match status {
        Status::InProgress | Status::WithDeveloper | Status::AwaitingInformation => true,
        Status::Resolved | Status::Closed => false,
    }
}

/// R25: what is registered asks for consent by itself as soon as its requester owes the desk no word, unless nobody vouches for the letter or a
/// limit keeps it silent; then a specialist asks, who has seen it.
pub(super) fn ask_at_registration(draft: &mut Draft<'_>, cited: Option<&Letter>) {
    let Some(request) = draft.stands() else {
        return;
    };
    if given(&request) || request.number.is_none() || request.status == Status::AwaitingInformation
    {
        return;
    }
    if request.matter.quiet || !request.matter.acknowledged {
        draft.because("It needs an approver's consent, and nobody is asked by themselves for what nobody vouches for: a specialist asks (R25)");
        return;
    }
    ask(draft, cited);
}

/// R25, R26: asks every approver who has not been asked and has not said their word; `cited` is the letter that opened the request. Once all
/// whose word is needed have said it, nobody is asked. Whether anybody was.
pub(super) fn ask(draft: &mut Draft<'_>, cited: Option<&Letter>) -> bool {
    let Some(request) = draft.stands() else {
        return false;
    };
    if given(&request) || !is_open(request.status) {
        return false;
    }
    let question = Question::Type(request.matter.type_);
    let desk = draft.desk;
    if question.approvers(desk).next().is_none() {
        let reason = format!(
            "No approver is listed who could consent to what is {}: it can be declined, or made another type (R25)",
            in_words(request.matter.type_)
        );
        draft.because(reason.clone());
        let tells = telling::tells(desk, &request.matter, State::of(&request));
        telling::alert(draft, None, tells, Alert::Held(reason));
        return false;
    }
    let asked = unasked(desk, &request, question);
    if asked.is_empty() {
        draft.because("Every approver was asked already (R26)");
        return false;
    }
    draft.because(format!(
        "It is {}: the approvers are asked for their consent (R25, R26)",
        in_words(request.matter.type_)
    ));
    for approver in asked {
        put(draft, &request, question, approver, cited, Tells::default());
    }
    true
}

/// The approvers who decide on it, have not been asked and have not said their word.
fn unasked<'d>(desk: &'d Desk, request: &Request, question: Question) -> Vec<&'d Approver> {
    let consent = request.course.consent.as_ref();
    let given = consent.filter(|c| c.to == request.matter.type_);
    let spoke = |approver: &Approver| {
        let mut by = given.iter().flat_map(|c| &c.by);
        by.any(|(who, _)| desk.directory.same(who, &approver.address))
    };
    let waiting = |approver: &Approver| {
        let same = |p: &Pending| desk.directory.same(&p.party, &approver.address);
        let mut pending = request.pending.iter();
        pending.any(|p| p.kind == question.kind() && same(p))
    };
    question
        .approvers(desk)
        .filter(|a| !spoke(a) && !waiting(a))
        .collect()
}

/// Whether a specialist may have the approvers asked for their consent now (R25).
///
/// # Errors
/// Why not, in words.
pub(super) fn may_ask(desk: &Desk, request: &Request) -> Result<(), &'static str> {
    let question = Question::Type(request.matter.type_);
    if given(request) {
        Err("It needs no consent, or consent was given already (R25)")
    } else if request.number.is_none() || !is_open(request.status) {
        Err("Nobody is asked for what is not registered yet, resolved or closed")
    } else if question.approvers(desk).next().is_none() {
        Err("No approver is listed in the configuration who decides on it (R25)")
    } else if unasked(desk, request, question).is_empty() {
        Err("Every approver was asked already (R26)")
    } else {
        Ok(())
    }
}

/// Opens one question to one approver, and writes it.
pub(super) fn put(
    draft: &mut Draft<'_>,
    request: &Request,
    question: Question,
    approver: &Approver,
    cited: Option<&Letter>,
    tells: Tells,
) {
    let remind = reminds(draft.desk, draft.now);
    let purpose = draft.wait(Waits {
        kind: question.kind(),
        party: &approver.address,
        lapses: NEVER,
        remind,
        days: tells.days,
    });
    let letter = asking(draft.desk, request, question, approver, cited, tells);
    draft.tell(Notice { purpose, ..letter });
}

/// The letter that asks an approver; whatever it asks for is told beside what `tells` has.
fn asking(
    desk: &Desk,
    request: &Request,
    question: Question,
    approver: &Approver,
    cited: Option<&Letter>,
    tells: Tells,
) -> Notice {
    let facts = telling::tells(desk, &request.matter, State::of(request));
    let facts = match cited {
        Some(letter) => telling::citing(facts, letter),
        None => facts,
    };
    Notice {
        template: match question {
            Question::Type(_) => Template::ConsentAsked,
            Question::Time => Template::ExtensionAsked,
        },
        to: approver.address.clone(),
        name: approver.name.clone(),
        locale: desk.locale,
        purpose: Purpose::Internal,
        thread: Thread::default(),
        tells: Tells {
            days: tells.days,
            reason: tells.reason,
            nudge: tells.nudge,
            ..facts
        },
    }
}

/// Asks the same question once more: a reminder, or because their answer settled nothing. Nothing if they do not decide on it any more.
pub(super) fn ask_again(
    draft: &mut Draft<'_>,
    request: &Request,
    pending: &Pending,
    cited: Option<&Letter>,
    nudge: Nudge,
) -> bool {
    let desk = draft.desk;
    let asked = Question::of(request, pending.kind)
        .and_then(|question| Some((question, question.approver(desk, &pending.party)?)));
    let Some((question, approver)) = asked else {
        return false;
    };
    let tells = Tells {
        days: pending.days,
        reason: request
            .course
            .more_time
            .clone()
            .filter(|_| question == Question::Time),
        nudge: Some(nudge),
        ..Tells::default()
    };
    let letter = asking(desk, request, question, approver, cited, tells);
    draft.tell(Notice {
        purpose: Purpose::Confirm(pending.id),
        ..letter
    });
    true
}

/// Who was asked decides on it no more, as the configuration has it now: others are asked in their place, or the specialists are told that there
/// are none.
pub(super) fn resign(
    draft: &mut Draft<'_>,
    request: &Request,
    pending: &Pending,
    cited: Option<&Letter>,
) {
    draft.because("Who was asked for consent decides on it no more (R26)");
    supersede(
        draft,
        request,
        pending,
        Settled::Needless,
        &Tells::default(),
    );
    if pending.kind == PendingKind::Consent && !ask(draft, cited) {
        draft.because("Nobody is left to be asked in their place (R26)");
    }
}

/// When an approver who was asked or reminded at this moment is reminded next (R26 ⚙): at the opening of the n-th working day after it.
pub(super) fn reminds(desk: &Desk, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = desk.deadlines.remind_consent;
    let day = desk
        .calendar
        .add_working_days(desk.calendar.day_of(now), days);
    desk.calendar.opening(day).filter(|_| days > 0)
}

/// What nobody needs to know any more after what this decision did is settled, and its approvers hear it: the consent to a type that the request
/// has no more, more time for what is resolved or closed.
pub(super) fn withdraw(draft: &mut Draft<'_>, before: &Request) {
    let Some(stands) = draft.stands() else {
        return;
    };
    let over = !is_open(stands.status);
    let retyped = before.matter.type_ != stands.matter.type_;
    for pending in &before.pending {
        let open = stands.pending.iter().any(|p| p.id == pending.id);
        let needless = match pending.kind {
            PendingKind::Consent => over || retyped,
            PendingKind::Extension => over,
            PendingKind::PrimaryConfirmation
            | PendingKind::Commands
            | PendingKind::Challenge
            | PendingKind::Identity
            | PendingKind::WhichInstallation => false,
        };
        if open && needless {
            draft.because("What the approvers were asked is settled by itself (R26)");
            supersede(
                draft,
                &stands,
                pending,
                Settled::Needless,
                &Tells::default(),
            );
        }
    }
}

/// A question that another's word, or the course of things, has settled: its approver is told.
pub(super) fn supersede(
    draft: &mut Draft<'_>,
    request: &Request,
    pending: &Pending,
    settled: Settled,
    tells: &Tells,
) {
    draft.event(Event::Settled {
        pending: pending.id,
        outcome: Outcome::Superseded,
        by: None,
    });
    tell_approver(draft, request, &pending.party, settled, tells);
}

/// Tells an approver how it stands.
pub(super) fn tell_approver(
    draft: &mut Draft<'_>,
    request: &Request,
    to: &Address,
    settled: Settled,
    tells: &Tells,
) {
    let desk = draft.desk;
    let known = desk.directory.approvers().iter();
    let mut known = known.filter(|a| desk.directory.same(&a.address, to));
    // Whoever is none any more is told nothing.
    let Some(approver) = known.next() else {
        return;
    };
    let letter = settled_letter(
        draft,
        request,
        &approver.address,
        &approver.name,
        settled,
        tells,
    );
    draft.tell(letter);
}

/// Tells the specialists how it stands.
pub(super) fn tell_specialists(
    draft: &mut Draft<'_>,
    request: &Request,
    settled: Settled,
    tells: &Tells,
) {
    for person in draft.desk.directory.specialists() {
        let letter = settled_letter(
            draft,
            request,
            &person.address,
            &person.name,
            settled,
            tells,
        );
        draft.tell(letter);
    }
}

fn settled_letter(
    draft: &Draft<'_>,
    request: &Request,
    to: &Address,
    name: &str,
    settled: Settled,
    tells: &Tells,
) -> Notice {
    let stands = draft.stands().unwrap_or_else(|| request.clone());
    Notice {
        template: Template::ConsentSettled,
        to: to.clone(),
        name: name.to_owned(),
        locale: draft.desk.locale,
        purpose: Purpose::Internal,
        thread: Thread::default(),
        tells: Tells {
            settled: Some(settled),
            party_name: tells.party_name.clone(),
            days: tells.days,
            reason: tells.reason.clone(),
            text: tells.text.clone(),
            ..telling::tells(draft.desk, &stands.matter, State::of(&stands))
        },
    }
}

/// A type as a reason names it.
fn in_words(type_: Type) -> &'static str {
    match type_ {
        Type::Support => "support",
        Type::Fault => "a fault",
        Type::Improvement => "an improvement",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::desk::assurance::Level;
    use crate::desk::course::{Consent, Course};
    use crate::desk::people::Locale;
    use crate::desk::replay;
    use crate::desk::request::{Channel, Kind, Matter, RequestId};

    fn request(type_: Type, consent: Option<Consent>, status: Status) -> Request {
        let course = Course {
            consent,
            ..Course::default()
        };
        let matter = matter(type_);
        Request {
            status,
            course,
            ..replay::unborn(RequestId(1), matter)
        }
    }

    fn matter(type_: Type) -> Matter {
        Matter {
            customer: None,
            installation: None,
            requester: Address::new("maria@raduga.example").unwrap(),
            requester_name: String::new(),
            locale: Locale::Ru,
            channel: Channel::Mail,
            kind: Kind::Question,
            type_,
            subject: String::new(),
            message_id: None,
            arrived: NEVER,
            opens: NEVER,
            registration_day: NEVER.date_naive(),
            acknowledged: true,
            vouched: Level::Domain,
            quiet: false,
        }
    }

    fn consent(to: Type, whole: bool) -> Option<Consent> {
        Some(Consent {
            to,
            by: vec![],
            whole,
        })
    }

    /// R25, H86: cell by cell what a specialist may not do before consent is given.
    #[test]
    fn what_is_not_consented_to_is_not_done() {
        let (solved, declined) = (Some(Ending::Solved), Some(Ending::Declined));
        let open = [
            Status::InProgress,
            Status::WithDeveloper,
            Status::AwaitingInformation,
        ];
        for status in open {
            for (type_, given, barred) in [
                (Type::Support, None, false),
                (Type::Fault, None, true),
                (Type::Improvement, None, true),
                (Type::Fault, consent(Type::Fault, true), false),
                // Not everybody has agreed yet.
                (Type::Fault, consent(Type::Fault, false), true),
                // It was another type when they agreed.
                (Type::Improvement, consent(Type::Fault, true), true),
            ] {
                let request = request(type_, given, status);
                assert_eq!(bars(&request, Status::Resolved, solved), barred);
                assert_eq!(bars(&request, Status::WithDeveloper, None), barred);
                assert_eq!(bars(&request, Status::Closed, solved), barred);
                assert_eq!(bars(&request, Status::Closed, None), barred);
                assert!(!bars(&request, Status::Closed, declined));
                assert!(!bars(&request, Status::Closed, Some(Ending::Withdrawn)));
                assert!(!bars(&request, Status::AwaitingInformation, None));
                assert!(!bars(&request, Status::InProgress, None));
            }
        }
        let resolved = request(Type::Fault, None, Status::Resolved);
        assert!(!bars(&resolved, Status::Closed, solved));
    }

    #[test]
    fn a_consent_never_lapses() {
        assert_eq!(NEVER.to_rfc3339(), "9999-12-31T23:59:59+00:00");
    }
}
