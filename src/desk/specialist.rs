//! A specialist's letter with commands (R39): who may command, and the one letter that tells them what became of it.

use super::address::Address;
use super::authority;
use super::consent;
use super::course::Ending;
use super::decide::{Decision, Evidence, Incoming, Known, Lead, Verdict};
use super::directive::{Directive, Spoken};
use super::draft::Draft;
use super::event::{Event, Outcome};
use super::extension;
use super::life::{self, Mover};
use super::notice::{Notice, Purpose, Tells, Template};
use super::people::Specialist;
use super::phone;
use super::plan;
use super::policy::Desk;
use super::reception;
use super::representative;
use super::request::{PendingKind, Request, Status};
use super::telling::{self, State};
use super::transcript::{Effect, Line, Transcript};
use super::verb::Verb;

/// Whether the letter answers one that the desk wrote to this very specialist for their own eyes.
pub(super) fn answers_own(desk: &Desk, lead: &Lead, address: &Address) -> bool {
    let to = lead.written_to.as_ref();
    is_inside(lead) && to.is_some_and(|to| desk.directory.same(to, address))
}

/// Whether what led to the request was for the desk's own people only (S18).
pub(super) fn is_inside(lead: &Lead) -> bool {
    match lead.evidence {
        Evidence::InternalToken => true,
        Evidence::Confirmation(id) => {
            let mut pending = lead.request.pending.iter();
            pending.any(|p| p.id == id && p.kind == PendingKind::Commands)
        }
        Evidence::ReplyAddress
        | Evidence::Token
        | Evidence::MessageId
        | Evidence::SubjectNumber => false,
    }
}

/// Whether a specialist's letter is proved well enough to command: then no limit on what one sender may cause holds it up (R48).
pub(super) fn is_proved(
    desk: &Desk,
    incoming: &Incoming<'_>,
    lead: Option<&Lead>,
    address: &Address,
) -> bool {
    let own = lead.is_some_and(|lead| answers_own(desk, lead, address));
    let authentication = incoming.mailbox.authentication;
    authority::may_command(incoming.assurance, authentication, own, lead.is_none()).is_ok()
}

/// Decides on a specialist's letter with commands; `lead` is the request it is about.
pub(super) fn letter(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: Option<&Lead>,
    person: &Specialist,
    spoken: Spoken,
) -> Decision {
    let authentication = incoming.mailbox.authentication;
    let own = lead.is_some_and(|lead| answers_own(draft.desk, lead, &person.address));
    // What is about no request can only open one: whatever else it commands is refused below.
    let opens = lead.is_none() || matches!(spoken.directives.as_deref(), Ok([Directive::Call(_)]));
    if !authority::is_credible(incoming.assurance, authentication) {
        let why = "It claims to come from the desk's own people and nothing proves it (R13)";
        let tells = lead.map_or_else(Tells::default, |lead| {
            telling::tells(draft.desk, &lead.request.matter, State::of(&lead.request))
        });
        return reception::held(draft, incoming, tells, why.into());
    }
    if let Err(why) = authority::may_command(incoming.assurance, authentication, own, opens) {
        return unproved(draft, incoming, lead, person, why);
    }
    draft.because("A specialist's commands, proved to be theirs (R39, S43)");
    draft.speak();
    let said = match (spoken.directives, lead) {
        (Err(faults), lead) => {
            let lines = faults.iter().map(|f| Line::fault(f, draft.desk.locale));
            return refused(draft, incoming, lead, person, lines.collect());
        }
        (Ok(directives), lead) => match (directives.as_slice(), lead) {
            ([Directive::Call(verb)], _) => {
                return phone::letter(draft, known, incoming, person, *verb, &spoken.text);
            }
            (_, None) => {
                let why = about_nothing(known);
                return refused(draft, incoming, None, person, vec![Line::whole(why)]);
            }
            (_, Some(lead)) => (directives, lead),
        },
    };
    let (directives, lead) = said;
    if let Some(why) = elsewhere(known, lead) {
        return refused(draft, incoming, Some(lead), person, vec![Line::whole(why)]);
    }
    match plan::weigh(draft.desk, incoming, lead, directives, &spoken.text) {
        Err(lines) => refused(draft, incoming, Some(lead), person, lines),
        Ok(plan) => done(draft, known, incoming, lead, person, plan),
    }
}

/// All of it takes effect.
fn done(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    person: &Specialist,
    plan: plan::Plan<'_>,
) -> Decision {
    draft.concerns(&lead.request);
    draft.event(Event::Attached {
        by: person.address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: true,
    });
    if let Evidence::Confirmation(id) = lead.evidence {
        draft.event(Event::Settled {
            pending: id,
            outcome: Outcome::Confirmed,
            by: Some(person.address.clone()),
        });
    }
    let (history, help) = (plan.history, plan.help);
    let lines = plan::carry_out(&mut draft, known, incoming, lead, person, plan);
    let told = Transcript {
        effect: Effect::Done,
        lines,
        possible: vec![],
        history: if history {
            known.history.clone()
        } else {
            vec![]
        },
        help,
    };
    answer(
        &mut draft,
        incoming,
        Some(&lead.request),
        person,
        told,
        Purpose::Internal,
    );
    draft.end(Verdict::Attached)
}

/// Nothing takes effect; the specialist is told why, and what is possible.
pub(super) fn refused(
    mut draft: Draft<'_>,
    incoming: &Incoming<'_>,
    lead: Option<&Lead>,
    person: &Specialist,
    lines: Vec<Line>,
) -> Decision {
    draft.because(
        "Something in its commands is unclear or impossible: none of them takes effect (R39)",
    );
    let request = lead.map(|lead| &lead.request);
    if let Some(request) = request {
        draft.concerns(request);
        draft.event(Event::Noted {
            what: format!("Commands of {} took no effect", person.address),
        });
    }
    let told = Transcript {
        effect: Effect::Nothing,
        lines,
        possible: request.map_or_else(Vec::new, |r| possible(draft.desk, r)),
        history: vec![],
        help: request.is_none(),
    };
    answer(
        &mut draft,
        incoming,
        request,
        person,
        told,
        Purpose::Internal,
    );
    draft.end(Verdict::Held)
}

/// R13: the registered address is asked: whoever answers that letter with commands has proved to be the one who reads there.
pub(super) fn unproved(
    mut draft: Draft<'_>,
    incoming: &Incoming<'_>,
    lead: Option<&Lead>,
    person: &Specialist,
    why: &str,
) -> Decision {
    draft.because(why);
    draft.because("Held: its commands take effect once they come as an answer to what the registered address is told (R13)");
    let mut purpose = Purpose::Internal;
    let authentication = incoming.mailbox.authentication;
    if let Some(lead) = lead {
        draft.concerns(&lead.request);
        draft.event(Event::Noted {
            what: format!("Commands in the name of {} wait for proof", person.address),
        });
        if !authority::is_proved(incoming.assurance, authentication) {
            purpose = secret(&mut draft, &lead.request, person);
        }
    }
    let told = Transcript {
        effect: Effect::Unproved,
        lines: vec![Line::whole(why)],
        possible: vec![],
        history: vec![],
        help: false,
    };
    answer(
        &mut draft,
        incoming,
        lead.map(|l| &l.request),
        person,
        told,
        purpose,
    );
    draft.end(Verdict::Held)
}

/// A secret that proves, once, that its bearer reads at the registered address. Of several unproved letters all ask for the same.
fn secret(draft: &mut Draft<'_>, request: &Request, person: &Specialist) -> Purpose {
    let same = |a: &Address| draft.desk.directory.same(a, &person.address);
    let asked = request
        .pending
        .iter()
        .find(|p| p.kind == PendingKind::Commands && same(&p.party));
    if let Some(pending) = asked {
        return Purpose::Confirm(pending.id);
    }
    let lapses = representative::lapses(draft);
    draft.event(Event::Waits {
        kind: PendingKind::Commands,
        party: person.address.clone(),
        lapses,
        remind: None,
        days: None,
    });
    Purpose::ConfirmNew(0)
}

fn about_nothing(known: &Known) -> &'static str {
    if known.unclear.is_empty() {
        "The letter is about no request: answer a letter that the desk wrote to you about it"
    } else {
        "The letter is about several requests, and nothing tells which is meant"
    }
}

/// A letter that leads to two requests commands neither: a wrong guess would be worse than a question.
fn elsewhere(known: &Known, lead: &Lead) -> Option<String> {
    let other = known.rejected.iter().find_map(|a| a.number)?;
    let own = lead.request.number.filter(|own| *own != other)?;
    Some(format!(
        "It answers a letter about {own}, and names {other} as well: nothing tells which is meant"
    ))
}

/// What a specialist may command from here, in the order of the table (R22).
fn possible(desk: &Desk, request: &Request) -> Vec<Verb> {
    let moves = life::ways(request.status, Mover::Specialist).map(verb_of);
    let always = [
        Verb::Type,
        Verb::Kind,
        Verb::Note,
        Verb::History,
        Verb::Help,
    ];
    let moves = moves.filter(|_| request.number.is_some());
    let asks = [
        consent::may_ask(desk, request)
            .is_ok()
            .then_some(Verb::Approval),
        extension::may_ask(desk, request, 1)
            .is_ok()
            .then_some(Verb::Extend),
        (request.number.is_some() && life::may(request.status, Status::Closed, Mover::Specialist))
            .then_some(Verb::Decline),
    ];
    // What nobody has consented to cannot be done yet (R25).
    let barred = |to: Status| consent::bars(request, to, Some(Ending::Solved));
    let barred: Vec<Verb> = Status::ALL
        .into_iter()
        .filter(|s| barred(*s))
        .map(verb_of)
        .collect();
    moves
        .filter(|verb| !barred.contains(verb))
        .chain(asks.into_iter().flatten())
        .chain(always)
        .collect()
}

/// The command that leads to a status.
pub(super) fn verb_of(status: Status) -> Verb {
    match status {
        Status::InProgress => Verb::InProgress,
        Status::WithDeveloper => Verb::Developer,
        Status::AwaitingInformation => Verb::Ask,
        Status::Resolved => Verb::Resolve,
        Status::Closed => Verb::Close,
    }
}

/// R39: every letter with commands is answered by one letter to whoever wrote it, in their thread.
pub(super) fn answer(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: Option<&Request>,
    person: &Specialist,
    told: Transcript,
    purpose: Purpose,
) {
    let stands = draft.stands();
    let tells = match stands.as_ref().or(request) {
        Some(request) => telling::tells(draft.desk, &request.matter, State::of(request)),
        None => Tells::default(),
    };
    draft.tell(Notice {
        template: Template::Transcript,
        to: person.address.clone(),
        name: person.name.clone(),
        locale: draft.desk.locale,
        purpose,
        thread: telling::answering(incoming.letter),
        tells: Tells {
            transcript: Some(told),
            ..tells
        },
    });
}
