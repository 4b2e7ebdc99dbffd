//! What the customer's own words do to a request: they take it up again, thank and close it, or open another one (R22, R23).

use super::address::Address;
use super::authority;
use super::course::Turn;
use super::decide::Incoming;
use super::draft::{Draft, StatusChange};
use super::event::{Event, Outcome};
use super::letter::From;
use super::life::{self, Mover};
use super::notice::{Purpose, Template};
use super::people::{Role, Standing};
use super::phrase::{self, Courtesy};
use super::request::{Number, PendingKind, Request, Status};
use super::telling;

/// What a party's letter does to the status of its request, where it settles nothing that waits for a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing; why, if there is anything to say. It is entered all the same.
    None(&'static str),
    /// The desk works on it again.
    Resumes,
    /// It is closed with thanks.
    Closes,
    /// The request was closed so long ago that the letter opens a new one.
    OpensAnother(Number),
}

/// R22, R23, D50, D51: judged by the request as it stood when the letter arrived.
pub(super) fn effect(
    draft: &Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    standing: &Standing<'_>,
    address: &Address,
) -> Effect {
    let said = said(draft, incoming, request);
    if matches!(said, Said::Courtesy(_)) && life::may(request.status, Status::Closed, Mover::Thanks)
    {
        return thanks(draft, incoming, request, standing, address);
    }
    let waits = request.pending.iter().any(|p| {
        matches!(
            p.kind,
            PendingKind::WhichInstallation | PendingKind::Identity
        )
    });
    if !life::may(request.status, Status::InProgress, Mover::Requester)
        || (waits && request.status != Status::Closed)
    {
        return Effect::None("");
    }
    match (said, request.status) {
        // To what the desk asked, agreement is an answer.
        (Said::Courtesy(Courtesy::Agrees), Status::AwaitingInformation) | (Said::More, _) => {}
        (Said::Courtesy(_), _) => {
            return Effect::None(
                "It only thanks, and there is no solution to agree to: entered, and changes nothing (R23)",
            );
        }
        (Said::Nothing, _) => {
            return Effect::None("It says nothing: entered, and no reply to the desk (R22)");
        }
    }
    if is_before(incoming, request) {
        return Effect::None(
            "It was written before the desk asked or answered: entered, and no reply to that (D51)",
        );
    }
    let too_late = request.status == Status::Closed
        && request.course.since.is_some_and(|closed| {
            life::reopens_until(draft.desk, closed).is_none_or(|until| incoming.arrived > until)
                && incoming.arrived > closed
        });
    match request.number {
        Some(number) if too_late => Effect::OpensAnother(number),
        _ => Effect::Resumes,
    }
}

/// R23: the requester's own thanks, or the primary's, close; nobody else's, and not those of somebody who may be anybody (R13).
fn thanks(
    draft: &Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    standing: &Standing<'_>,
    address: &Address,
) -> Effect {
    let desk = draft.desk;
    let primary = matches!(standing, Standing::Representative(appointments) if appointments.iter().any(|a| {
        a.person.role == Role::Primary && Some(&a.installation.id) == request.matter.installation.as_ref()
    }));
    if is_before(incoming, request) {
        Effect::None(
            "It was written before the desk asked or answered: entered, and no reply to that (D51)",
        )
    } else if !primary && !desk.directory.same(address, &request.matter.requester) {
        Effect::None(
            "It only thanks, and is not the requester's: entered, and changes nothing (R23)",
        )
    } else if !authority::is_proved(incoming.assurance, incoming.mailbox.authentication) {
        Effect::None(
            "It only thanks, and nothing proves its sender: entered, and changes nothing (R13, R23)",
        )
    } else {
        Effect::Closes
    }
}

/// What a letter says to a request that it continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    /// Nothing at all.
    Nothing,
    /// Thanks or agreement, and nothing else.
    Courtesy(Courtesy),
    /// More than that.
    More,
}

fn said(draft: &Draft<'_>, incoming: &Incoming<'_>, request: &Request) -> Said {
    let letter = incoming.letter;
    // Of a letter that was too large the text is not known.
    if incoming.oversize.is_some() || letter.attachments.iter().any(|a| !a.inline) {
        return Said::More;
    }
    if phrase::is_silent(&letter.new_text) && letter.attachments.is_empty() {
        return Said::Nothing;
    }
    let called = match &letter.from {
        From::One { name, .. } => name.as_str(),
        From::Nobody { .. } => "",
    };
    let mut names = vec![called, request.matter.requester_name.as_str()];
    let specialists = draft.desk.directory.specialists();
    names.extend(specialists.iter().map(|s| s.name.as_str()));
    let names = phrase::words_of(&names);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match phrase::courtesy(&draft.desk.words, &letter.new_text, &names) {
        Some(courtesy) => Said::Courtesy(courtesy),
        None => Said::More,
    }
}

/// Whether the letter arrived before what it would answer. What had arrived before a request was closed would have kept it open (R2): for a
/// closed one it counts when the desk asked or answered.
fn is_before(incoming: &Incoming<'_>, request: &Request) -> bool {
    let stopped = |(at, turn): &(_, Turn)| (*turn == Turn::Stopped).then_some(*at);
    let since = match request.status {
        Status::Closed => request.course.turns.iter().filter_map(stopped).max(),
        Status::InProgress
        | Status::WithDeveloper
        | Status::AwaitingInformation
        | Status::Resolved => request.course.since,
    };
    since.is_some_and(|since| incoming.arrived < since)
}

/// Does it, as of the letter's arrival (R19).
pub(super) fn take(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    by: &Address,
    effect: Effect,
) {
    match effect {
        // A new request is opened before it comes to this, unless the letter was to settle something of the old one, and did not.
        Effect::None("") | Effect::OpensAnother(_) => {}
        Effect::None(why) => draft.because(why),
        Effect::Resumes => {
            move_to(
                draft,
                incoming,
                by,
                Status::InProgress,
                "The requester replied",
            );
        }
        Effect::Closes => {
            draft.because("The requester only thanks or agrees: closed (R23)");
            wait_no_more(draft, request);
            move_to(draft, incoming, by, Status::Closed, "The requester thanked");
        }
    }
}

/// What a closed request still waited for matters no more: nobody is reminded of it, and nothing of it lapses.
pub(super) fn wait_no_more(draft: &mut Draft<'_>, request: &Request) {
    for pending in &request.pending {
        draft.event(Event::Settled {
            pending: pending.id,
            outcome: Outcome::Superseded,
            by: None,
        });
    }
}

/// A move as of the letter's arrival.
pub(super) fn moved(
    incoming: &Incoming<'_>,
    by: &Address,
    to: Status,
    why: &'static str,
) -> StatusChange {
    StatusChange {
        to,
        by: Some(by.clone()),
        why,
        at: incoming.arrived,
        ending: None,
    }
}

/// The request moves as of the letter's arrival, and the requester hears it in the thread (R24).
pub(super) fn move_to(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    by: &Address,
    to: Status,
    why: &'static str,
) {
    let ending = draft.stands().and_then(|stands| stands.course.ending);
    draft.change_status(StatusChange {
        ending: ending.filter(|_| to == Status::Closed),
        ..moved(incoming, by, to, why)
    });
    let Some(stands) = draft.stands() else {
        return;
    };
    if stands.succession.is_some() && to == Status::InProgress {
        // Their own letter tells how the change stands, and the status with it.
        return;
    }
    let matter = &stands.matter;
    let tells = telling::tells(draft.desk, matter, telling::State::of(&stands));
    draft.tell(telling::to_requester(
        Template::StatusChanged,
        matter,
        telling::continuing(matter),
        Purpose::Reply,
        tells,
    ));
}
