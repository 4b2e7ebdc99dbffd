//! Registration: a letter becomes a request, at once or at the next opening, and its requester hears it (R16, R17, R18, R45).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::assurance::Level;
use super::consent;
use super::deadline;
use super::decide::{self, Decision, Incoming, Known, Verdict};
use super::draft::{Draft, StatusChange};
use super::event::Event;
use super::kind;
use super::letter::From;
use super::notice::{Purpose, Tells, Template};
use super::people::{Appointment, Customer, Locale};
use super::policy::{Authentication, Desk};
use super::request::{Channel, Kind, Matter, Number, Status};
use super::telling::{self, State};

/// The most characters of a name that somebody gives themselves.
const NAME: usize = 200;

/// A request as this decision opens it.
pub(super) struct Opened {
    /// What it is about.
    pub(super) matter: Matter,
    /// Where it stands.
    pub(super) state: State,
    verdict: Verdict,
}

impl Opened {
    /// The decision, now that everything is told.
    pub(super) fn end(self, draft: Draft<'_>) -> Decision {
        draft.end(self.verdict)
    }
}

/// R16, R17: registered at once, or queued for the opening that R16 gives if that is still to come.
pub(super) fn open(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    matter: Matter,
    status: Status,
) -> Opened {
    let quiet = draft.is_quiet();
    let matter = Matter {
        // What is registered in silence stays silent when its number comes.
        acknowledged: matter.acknowledged && !quiet,
        quiet,
        ..matter
    };
    draft.opens(matter.clone());
    let verdict;
    let mut state = State {
        number: None,
        status,
        due: None,
    };
    if matter.opens > draft.now {
        verdict = Verdict::Queued;
        draft.because(format!(
            "Arrived outside hours: registered at the opening of {} (R16)",
            matter.registration_day
        ));
        draft.event(Event::Queued {
            opens: matter.opens,
        });
    } else {
        verdict = Verdict::Registered;
        let (event, number, due) = registered(draft.desk, known, &matter);
        draft.because(format!(
            "Registered on {} as {number}, the answer due on working day {} after it (R17, R18)",
            matter.registration_day, draft.desk.deadlines.answer
        ));
        draft.event(event);
        state = State {
            number: Some(number),
            status,
            due: Some(due),
        };
    }
    if status != Status::InProgress {
        // The clock stands from the beginning (R19): the time of a queued request has not begun to run.
        draft.change_status(StatusChange {
            to: status,
            by: None,
            why: "The desk waits for the requester's word",
            at: matter.arrived,
            ending: None,
        });
    }
    if let Some(what) = draft.take_hint() {
        draft.event(Event::Noted { what });
    }
    let demanded = incoming.mailbox.authentication != Authentication::Off;
    if demanded && !incoming.assurance.is_authenticated() {
        draft.event(Event::Noted {
            what: format!(
                "The sender is not authenticated: {}",
                incoming.assurance.evidence().join("; ")
            ),
        });
    }
    if verdict == Verdict::Registered {
        telling::specialists(
            draft,
            Some(incoming),
            telling::tells(draft.desk, &matter, state),
        );
    }
    tell_limit(draft, incoming, &matter, state);
    consent::ask_at_registration(draft, Some(incoming.letter));
    Opened {
        matter,
        state,
        verdict,
    }
}

/// A letter too large to be taken whole: its sender is told the limit, with all that an acknowledgement says.
fn tell_limit(draft: &mut Draft<'_>, incoming: &Incoming<'_>, matter: &Matter, state: State) {
    let Some(limit) = incoming.oversize.filter(|_| matter.acknowledged) else {
        return;
    };
    let tells = Tells {
        limit: Some(limit),
        ..telling::tells(draft.desk, matter, state)
    };
    draft.because(
        "Larger than the desk takes: read from its beginning, and the sender is told the limit",
    );
    draft.tell(telling::to_requester(
        Template::Oversize,
        matter,
        telling::answering(incoming.letter),
        Purpose::Reply,
        tells,
    ));
}

/// R17, R18: the event of registration with the number and the due moment it gives.
pub(super) fn registered(
    desk: &Desk,
    known: &Known,
    matter: &Matter,
) -> (Event, Number, DateTime<Utc>) {
    let number = decide::next_number(
        &known.last_numbers,
        chrono::Datelike::year(&matter.registration_day),
    );
    let due = deadline::due(
        &desk.calendar,
        matter.registration_day,
        desk.deadlines.answer,
    );
    (
        Event::Registered {
            number,
            day: matter.registration_day,
            due,
        },
        number,
        due,
    )
}

/// R16, R45: the requester is told, if they may be.
pub(super) fn acknowledge(draft: &mut Draft<'_>, incoming: &Incoming<'_>, opened: &Opened) {
    // To a letter that was too large the answer is the one that says so; number and due date stand in it as well.
    if !opened.matter.acknowledged
        || incoming.oversize.is_some()
        || (opened.verdict == Verdict::Queued && !draft.desk.acknowledge_queued)
    {
        return;
    }
    let template = if opened.verdict == Verdict::Queued {
        Template::Queued
    } else {
        Template::Registered
    };
    let tells = telling::tells(draft.desk, &opened.matter, opened.state);
    draft.tell(telling::to_requester(
        template,
        &opened.matter,
        telling::answering(incoming.letter),
        Purpose::Reply,
        tells,
    ));
}

pub(super) fn matter(
    desk: &Desk,
    incoming: &Incoming<'_>,
    at: Option<&Appointment<'_>>,
    customer: &Customer,
    kind: Kind,
    address: &Address,
) -> Matter {
    let bare = bare_matter(
        desk,
        incoming,
        telling::locale_of(desk, Some(customer)),
        kind,
        address,
    );
    let Some(appointment) = at else {
        return Matter {
            customer: Some(customer.id.clone()),
            ..bare
        };
    };
    Matter {
        customer: Some(customer.id.clone()),
        installation: Some(appointment.installation.id.clone()),
        requester: appointment.person.address.clone(),
        requester_name: appointment.person.name.clone(),
        ..bare
    }
}

pub(super) fn bare_matter(
    desk: &Desk,
    incoming: &Incoming<'_>,
    locale: Locale,
    kind: Kind,
    address: &Address,
) -> Matter {
    let place = desk.calendar.place(incoming.arrived);
    let letter = incoming.letter;
    Matter {
        customer: None,
        installation: None,
        requester: address.clone(),
        requester_name: called(&letter.from),
        locale,
        kind,
        type_: type_of(desk, incoming),
        subject: letter.title(),
        message_id: letter.message_id.clone(),
        arrived: incoming.arrived,
        opens: place.opens,
        registration_day: place.day,
        acknowledged: desk.breakers.machine(letter).is_none(),
        vouched: vouched(incoming),
        quiet: false,
        channel: Channel::Mail,
    }
}

/// What the sender calls themselves: their own invention, and it may be as long as a letter.
fn called(from: &From) -> String {
    match from {
        From::One { name, .. } => name.chars().take(NAME).collect(),
        From::Nobody { .. } => String::new(),
    }
}

/// A mailbox that demands no authentication takes every letter as its sender's.
fn vouched(incoming: &Incoming<'_>) -> Level {
    let level = incoming.assurance.level();
    match incoming.mailbox.authentication {
        Authentication::Off => level.max(Level::Domain),
        Authentication::Required | Authentication::Orders => level,
    }
}

fn type_of(desk: &Desk, incoming: &Incoming<'_>) -> super::request::Type {
    kind::type_of(
        &desk.kinds,
        &incoming.letter.subject,
        &incoming.letter.new_text,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_name_is_no_letter() {
        let from = From::One {
            address: Address::new("ivan@elsewhere.example").unwrap(),
            name: "ж".repeat(5_000),
        };
        assert_eq!(called(&from), "ж".repeat(200));
    }
}
