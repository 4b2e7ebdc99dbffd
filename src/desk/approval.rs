//! An approver's letter: whether it proves itself, what its word settles, and what is answered to one that settles nothing (R13, R20, R26).

use super::address::Address;
use super::authority;
use super::consent::{self, Question};
use super::course::Ending;
use super::decide::{Decision, Evidence, Incoming, Known, Lead, Verdict};
use super::draft::{Draft, StatusChange};
use super::event::{Event, Outcome};
use super::life::{self, Mover};
use super::notice::{Alert, Nudge, Purpose, Settled, Tells, Template};
use super::people::Standing;
use super::policy::{Voices, Words};
use super::reception;
use super::reply;
use super::request::{Pending, PendingKind, Request, Status};
use super::telling::{self, State};
use super::words::{self, Answer};

/// The question that a letter answers by the secret of the very letter that asked it; whatever else its sender is.
pub(super) fn asked<'r>(
    draft: &Draft<'_>,
    lead: &'r Lead,
    address: &Address,
) -> Option<(&'r Pending, Question)> {
    let Evidence::Confirmation(id) = lead.evidence else {
        return None;
    };
    let mut waiting = lead.request.pending.iter();
    let pending = waiting.find(|p| p.id == id && draft.desk.directory.same(&p.party, address))?;
    Some((pending, Question::of(&lead.request, pending.kind)?))
}

/// R26: an answer to the letter that asked.
pub(super) fn answer(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    (pending, question): (&Pending, Question),
) -> Decision {
    let request = &lead.request;
    let authentication = incoming.mailbox.authentication;
    if !authority::may_approve(incoming.assurance, authentication, true) {
        let why = "It claims to be an approver's word and nothing proves it (R13)";
        return held(draft, incoming, request, why);
    }
    let Some(approver) = question.approver(draft.desk, &pending.party) else {
        let why = "Who was asked for consent decides on it no more (R26)";
        return held(draft, incoming, request, why);
    };
    draft.watch_request(known);
    enter(&mut draft, lead, &pending.party);
    let party_name = Some(approver.name.clone());
    let cited = known.opening.as_deref();
    match read(&draft, incoming) {
        Answer::Confirm(own) => {
            let tells = Tells {
                party_name,
                text: own,
                ..Tells::default()
            };
            approve(&mut draft, incoming, request, (pending, question), tells);
        }
        Answer::Decline(Some(reason)) => {
            let tells = Tells {
                party_name,
                reason: Some(reason),
                ..Tells::default()
            };
            decline(&mut draft, incoming, request, (pending, question), tells);
        }
        Answer::Decline(None) => {
            draft.because("Declined without a reason: it settles nothing, and the approver is asked for one (R26)");
            consent::ask_again(&mut draft, request, pending, cited, Nudge::NoReason);
        }
        Answer::Unclear => {
            draft.because("Neither consent nor its refusal stands at its beginning: the specialists read it, and the approver is told (R26)");
            bring(&mut draft, incoming, request);
            consent::ask_again(&mut draft, request, pending, cited, Nudge::Unclear);
        }
    }
    draft.end(Verdict::Attached)
}

/// R13, R26: a proved letter of an approver that answers no question by its secret: a word in it settles nothing. Nothing if it says no word.
pub(super) fn without_secret<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
    address: &Address,
) -> Result<Decision, Box<Draft<'a>>> {
    let desk = draft.desk;
    let approvers = desk.directory.approvers();
    if !approvers
        .iter()
        .any(|a| desk.directory.same(&a.address, address))
    {
        return Err(Box::new(draft));
    }
    let said = read(&draft, incoming);
    if said == Answer::Unclear {
        if !matches!(standing, Standing::Approver(_)) {
            return Err(Box::new(draft));
        }
        draft.because(
            "An approver wrote and said no word of consent: the specialists read it (R26)",
        );
        enter(&mut draft, lead, address);
        bring(&mut draft, incoming, &lead.request);
        return Ok(draft.end(Verdict::Attached));
    }
    draft.watch_request(known);
    enter(&mut draft, lead, address);
    let theirs = lead.request.pending.iter().filter(|p| {
        matches!(p.kind, PendingKind::Consent | PendingKind::Extension)
            && desk.directory.same(&p.party, address)
    });
    let cited = known.opening.as_deref();
    let mut asked = false;
    for pending in theirs {
        asked |= consent::ask_again(&mut draft, &lead.request, pending, cited, Nudge::NoSecret);
    }
    if asked {
        draft.because("The word does not answer the letter that asked for it: that letter is sent once more, and nothing is settled (R13, R26)");
    } else {
        draft.because(
            "Nobody waits for the approver's word any more: they are told how it stands (R26)",
        );
        let late = Settled::Late;
        consent::tell_approver(&mut draft, &lead.request, address, late, &Tells::default());
        if matches!(said, Answer::Decline(_)) {
            // Whoever objects after all is heard by a person.
            bring(&mut draft, incoming, &lead.request);
        }
    }
    Ok(draft.end(Verdict::Attached))
}

fn held(draft: Draft<'_>, incoming: &Incoming<'_>, request: &Request, why: &str) -> Decision {
    let tells = telling::tells(draft.desk, &request.matter, State::of(request));
    reception::held(draft, incoming, tells, why.to_owned())
}

/// What the letter says, in the approvers' words.
fn read(draft: &Draft<'_>, incoming: &Incoming<'_>) -> Answer {
    let taken = &draft.desk.words;
    let words = Words {
        confirm: taken.approve.clone(),
        decline: taken.disapprove.clone(),
        ..taken.clone()
    };
    words::read(&words, &incoming.letter.new_text)
}

/// Entered for the desk's own eyes: what approvers write is no business of the requester's (P6).
fn enter(draft: &mut Draft<'_>, lead: &Lead, address: &Address) {
    draft.concerns(&lead.request);
    draft.event(Event::Attached {
        by: address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: true,
    });
}

/// Brings the letter to the specialists.
fn bring(draft: &mut Draft<'_>, incoming: &Incoming<'_>, request: &Request) {
    let tells = telling::tells(draft.desk, &request.matter, State::of(request));
    let why = "An approver wrote something that settles nothing: a person must read it (R26)";
    telling::alert(draft, Some(incoming), tells, Alert::Held(why.to_owned()));
}

/// The other approvers' questions of the same kind that are open; first those of approvers who still decide on it.
fn others<'r>(
    draft: &Draft<'_>,
    request: &'r Request,
    (pending, question): (&Pending, Question),
) -> (Vec<&'r Pending>, Vec<&'r Pending>) {
    let desk = draft.desk;
    let same = request.pending.iter();
    same.filter(|p| p.kind == pending.kind && p.id != pending.id)
        .partition(|p| question.approver(desk, &p.party).is_some())
}

fn approve(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    (pending, question): (&Pending, Question),
    tells: Tells,
) {
    reply::close_pending(draft, pending, Outcome::Confirmed);
    let (voting, gone) = others(draft, request, (pending, question));
    let whole = voting.is_empty() || question.voices(draft.desk) == Voices::Any;
    match question {
        Question::Type(to) => {
            let by = pending.party.clone();
            let at = incoming.arrived;
            draft.event(Event::Consented { to, by, at, whole });
        }
        Question::Time if whole => draft.extend(pending.days.unwrap_or_default(), incoming.arrived),
        Question::Time => {}
    }
    let settled = match (question, whole) {
        (Question::Type(_), true) => Settled::Consented,
        (Question::Type(_), false) => Settled::Partly,
        (Question::Time, true) => Settled::Extended,
        (Question::Time, false) => Settled::TimePartly,
    };
    let tells = Tells {
        days: pending.days,
        reason: request
            .course
            .more_time
            .clone()
            .filter(|_| question == Question::Time),
        ..tells
    };
    draft.because(if whole {
        "The approver consented, and nobody else's word is needed (R26)"
    } else {
        "The approver consented; the others' words are still waited for (R26)"
    });
    consent::tell_specialists(draft, request, settled, &tells);
    if !whole {
        return;
    }
    for other in voting.into_iter().chain(gone) {
        consent::supersede(draft, request, other, settled, &tells);
    }
    let template = match question {
        Question::Type(_) => Template::ConsentGiven,
        Question::Time => Template::Extended,
    };
    let told = Tells {
        days: tells.days,
        reason: tells.reason,
        ..Tells::default()
    };
    tell_requester(draft, request, template, told);
}

fn decline(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    (pending, question): (&Pending, Question),
    tells: Tells,
) {
    reply::close_pending(draft, pending, Outcome::Declined);
    let reason = tells.reason.clone().unwrap_or_default();
    let settled = match question {
        Question::Type(_) => {
            draft.because(
                "The approver declined: the request is closed, and its requester is told why (R26)",
            );
            draft.event(Event::Declined {
                by: pending.party.clone(),
                text: reason.clone(),
            });
            if life::may(request.status, Status::Closed, Mover::Approver) {
                draft.change_status(StatusChange {
                    to: Status::Closed,
                    by: Some(pending.party.clone()),
                    why: "An approver declined it",
                    at: incoming.arrived,
                    ending: Some(Ending::Declined),
                });
            }
            Settled::Declined
        }
        Question::Time => {
            draft.because("The approver declined more time: the due moment stays (R20)");
            Settled::NotExtended
        }
    };
    let tells = Tells {
        days: pending.days,
        ..tells
    };
    consent::tell_specialists(draft, request, settled, &tells);
    let (voting, gone) = others(draft, request, (pending, question));
    for other in voting.into_iter().chain(gone) {
        consent::supersede(draft, request, other, settled, &tells);
    }
    if question != Question::Time {
        let told = Tells {
            reason: Some(reason),
            ..Tells::default()
        };
        tell_requester(draft, request, Template::ConsentDeclined, told);
    }
}

/// The requester hears what it means for them, and nothing of who decided (P6).
fn tell_requester(draft: &mut Draft<'_>, request: &Request, template: Template, told: Tells) {
    if request.matter.quiet || !request.matter.acknowledged {
        return;
    }
    let (matter, state) = draft.after(request);
    let tells = Tells {
        days: told.days,
        reason: told.reason,
        ..telling::tells(draft.desk, &matter, state)
    };
    draft.tell(telling::to_requester(
        template,
        &matter,
        telling::continuing(&matter),
        Purpose::Reply,
        tells,
    ));
}
