//! A request by telephone, messenger or in person (R4, R41): a specialist writes it down, and the caller's authority is looked up.

use super::assurance::{Level, SenderAssurance};
use super::authority::{self, Grant, Wish};
use super::call::{self, Call};
use super::consent;
use super::course::Ending;
use super::decide::{Decision, Incoming, Known};
use super::draft::{Draft, StatusChange};
use super::event::Event;
use super::kind;
use super::notice::{Purpose, Tells, Template};
use super::people::{Appointment, Customer, Role, Specialist};
use super::policy::{Authentication, Desk};
use super::registration::{self, Opened};
use super::representative;
use super::request::{Channel, Kind, Matter, PendingKind, Status};
use super::specialist;
use super::telling;
use super::transcript::{Effect, Line, Transcript};
use super::verb::{self, Verb};

/// Decides on a specialist's letter that tells of a call; `fields` is what stands below the command.
pub(super) fn letter(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    person: &Specialist,
    verb: Verb,
    fields: &str,
) -> Decision {
    let desk = draft.desk;
    let weighed = call::read(fields, desk.locale).and_then(|call| {
        let told = call::as_letter(incoming.letter, &call);
        let type_ = kind::type_of(&desk.kinds, &told.subject, &told.new_text);
        if !call.answer.is_empty() && consent::is_needed(call.type_.unwrap_or(type_)) {
            return Err(vec![NOT_ANSWERED_YET.to_owned()]);
        }
        let found = weigh(desk, incoming, &call).map_err(|why| vec![why])?;
        Ok((call, found))
    });
    let (call, caller) = match weighed {
        Ok(found) => found,
        Err(faults) => {
            let lines = faults.into_iter().map(|why| Line::of(verb, why)).collect();
            return specialist::refused(draft, incoming, None, person, lines);
        }
    };
    let mut lines = vec![caller_in_words(verb, &caller)];
    let opened = register(&mut draft, known, incoming, person, verb, &call, &caller);
    lines.insert(
        0,
        Line::of(
            verb,
            match opened.state.number {
                Some(number) => format!("Registered as {number}"),
                None => "Waits for the next opening, and is registered then (R16)".to_owned(),
            },
        ),
    );
    let requester = &opened.matter.requester;
    lines.push(Line::of(
        verb,
        match (caller.grant, call.answer.is_empty()) {
            (Grant::AfterChallenge, _) => {
                "The requester is asked for their word: until then it stays a question".to_owned()
            }
            (Grant::AfterPrimary, _) => {
                "The primary representative is asked for their word: until then it stays a question"
                    .to_owned()
            }
            (_, true) => format!("Mailed to {requester}"),
            (_, false) => format!("Status resolved; mailed to {requester}"),
        },
    ));
    let told = Transcript {
        effect: Effect::Done,
        lines,
        possible: vec![],
        history: vec![],
        help: false,
    };
    specialist::answer(&mut draft, incoming, None, person, told, Purpose::Internal);
    opened.end(draft)
}

const NOT_ANSWERED_YET: &str = "A fault or an improvement is not answered before it is consented to (R25): register it without the answer, or as support";

/// Who called, and what their wish may become.
struct Caller<'a> {
    appointment: Appointment<'a>,
    grant: Grant,
    /// Whether a number was told that is not the registered one.
    other_phone: bool,
}

/// R41: the caller's authority, by name and phone, on the day of the call.
fn weigh<'a>(desk: &'a Desk, incoming: &Incoming<'_>, call: &Call) -> Result<Caller<'a>, String> {
    let day = desk.calendar.day_of(incoming.arrived);
    let customers = customers(desk, &call.organisation)?;
    let mut people: Vec<Appointment<'a>> = Vec::new();
    for customer in customers {
        for installation in &customer.installations {
            let reps = installation.representatives.iter();
            people.extend(reps.filter(|p| p.in_office(day)).map(|person| Appointment {
                customer,
                installation,
                person,
            }));
        }
    }
    let (mut theirs, other_phone) = meant(&call.contact, people)?;
    if !call.installation.is_empty() {
        let wanted = verb::key(&call.installation);
        theirs.retain(|a| {
            let names = [&a.installation.id, &a.installation.name];
            let tags = a.installation.tags.iter();
            names
                .into_iter()
                .chain(tags)
                .any(|n| verb::key(n) == wanted)
        });
    }
    theirs.sort_by_key(|a| a.person.role);
    let wanted = call.kind.unwrap_or(Kind::Question);
    let appointment = match (theirs.as_slice(), wanted) {
        ([], _) => {
            let named = &call.installation;
            return Err(format!("The caller is no representative for {named}"));
        }
        ([only], _) => *only,
        ([first, ..], Kind::Question) => *first,
        (several, Kind::Order) => {
            let names: Vec<&str> = several
                .iter()
                .map(|a| a.installation.name.as_str())
                .collect();
            let names = names.join(", ");
            return Err(format!("An order must name its installation (R8): {names}"));
        }
    };
    let (grant, why) = match wanted {
        Kind::Question => (Grant::Question, ""),
        Kind::Order => authority::grant(
            Wish::Order,
            &appointment,
            &told_by_telephone("the specialist"),
            Authentication::Orders,
            desk.orders_from_additional,
        ),
    };
    match grant {
        Grant::Question | Grant::AfterChallenge | Grant::AfterPrimary => Ok(Caller {
            appointment,
            grant,
            other_phone,
        }),
        // A voice proves no order.
        Grant::Order | Grant::NotAtAll | Grant::Hold => Err(why.to_owned()),
    }
}

/// The customers of that name; all of them if none is told.
fn customers<'a>(desk: &'a Desk, organisation: &str) -> Result<Vec<&'a Customer>, String> {
    let wanted = verb::key(organisation);
    let all = desk.directory.customers();
    if wanted.is_empty() {
        return Ok(all.iter().collect());
    }
    let is_it = |c: &&Customer| verb::key(&c.id) == wanted || verb::key(&c.name) == wanted;
    let exact: Vec<&Customer> = all.iter().filter(is_it).collect();
    if !exact.is_empty() {
        return Ok(exact);
    }
    let near: Vec<&Customer> = all
        .iter()
        .filter(|c| verb::key(&c.name).contains(&wanted))
        .collect();
    match near.as_slice() {
        [] => Err(format!("No customer is called {organisation}")),
        [_] => Ok(near),
        several => {
            let names: Vec<&str> = several.iter().map(|c| c.name.as_str()).collect();
            Err(format!("Which customer? {}", names.join(", ")))
        }
    }
}

/// The one person who is meant, with all their appointments; and whether another number was told than theirs.
fn meant<'a>(
    contact: &str,
    people: Vec<Appointment<'a>>,
) -> Result<(Vec<Appointment<'a>>, bool), String> {
    let figures = number(contact);
    let names: Vec<String> = contact
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() > 1)
        .map(verb::key)
        .collect();
    let is_named = |a: &Appointment<'_>| {
        let own: Vec<String> = a.person.name.split_whitespace().map(verb::key).collect();
        !names.is_empty() && names.iter().all(|name| own.contains(name))
    };
    let calls = |a: &Appointment<'_>| {
        let own = a.person.phone.as_deref().and_then(number);
        figures.is_some() && own == figures
    };
    let found: Vec<Appointment<'a>> = people
        .into_iter()
        .filter(|a| {
            if names.is_empty() {
                calls(a)
            } else {
                is_named(a)
            }
        })
        .collect();
    // Of several of one name the number tells which.
    let by_number: Vec<Appointment<'a>> = found.iter().copied().filter(calls).collect();
    let other_phone = figures.is_some() && by_number.is_empty();
    let found = if by_number.is_empty() {
        found
    } else {
        by_number
    };
    let Some(first) = found.first() else {
        return Err(format!(
            "No representative in office is found by {contact} (R41)"
        ));
    };
    if found
        .iter()
        .any(|a| a.person.address != first.person.address)
    {
        return Err(format!(
            "Several representatives are found by {contact}: tell name and phone, or the organisation"
        ));
    }
    Ok((found, other_phone))
}

/// The last ten figures of a phone number; how its country is written does not matter.
fn number(text: &str) -> Option<String> {
    let figures: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    let from = figures.len().checked_sub(10)?;
    Some(figures.iter().skip(from).collect())
}

fn caller_in_words(verb: Verb, caller: &Caller<'_>) -> Line {
    let person = caller.appointment.person;
    let role = match person.role {
        Role::Primary => "primary",
        Role::Additional => "additional",
        Role::Contract => "contract",
    };
    let installation = &caller.appointment.installation.name;
    let name = &person.name;
    Line::of(
        verb,
        if caller.other_phone {
            format!(
                "{name} ({role}) for {installation}; the number that was told is not the registered one"
            )
        } else {
            format!("{name} ({role}) for {installation}")
        },
    )
}

/// What a call proves: that somebody said so.
fn told_by_telephone(to: &str) -> SenderAssurance {
    SenderAssurance::recorded(Level::Weak, format!("told by word of mouth to {to}"))
}

fn register(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    person: &Specialist,
    verb: Verb,
    call: &Call,
    caller: &Caller<'_>,
) -> Opened {
    let told = call::as_letter(incoming.letter, call);
    let assurance = told_by_telephone(&person.address.to_string());
    let telephoned = Incoming {
        letter: &told,
        assurance: &assurance,
        tags: &[],
        oversize: None,
        ..incoming.clone()
    };
    let appointment = &caller.appointment;
    let address = &appointment.person.address;
    let (customer, kind) = (appointment.customer, Kind::Question);
    let matter = registration::matter(
        draft.desk,
        &telephoned,
        Some(appointment),
        customer,
        kind,
        address,
    );
    let matter = Matter {
        type_: call.type_.unwrap_or(matter.type_),
        channel: channel(verb),
        acknowledged: true,
        vouched: Level::Weak,
        ..matter
    };
    draft.because("A specialist registers what a caller told them, in the caller's name (R41)");
    let opened = registration::open(draft, known, &telephoned, matter, Status::InProgress);
    match caller.grant {
        Grant::AfterChallenge => {
            let kind = PendingKind::Challenge;
            let (matter, state) = (&opened.matter, opened.state);
            representative::challenge(draft, &telephoned, &told, matter, state, kind);
        }
        Grant::AfterPrimary => {
            let (matter, state) = (&opened.matter, opened.state);
            representative::ask_primary(draft, &telephoned, &told, appointment, matter, state);
        }
        Grant::Order | Grant::Question | Grant::NotAtAll | Grant::Hold => {
            if call.answer.is_empty() {
                registration::acknowledge(draft, &telephoned, &opened);
            }
        }
    }
    if !call.answer.is_empty() {
        answered(draft, incoming, person, &opened, &call.answer);
    }
    opened
}

/// R22, R41: it was answered at once; the answer stands in the journal and is mailed to whoever called.
fn answered(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    person: &Specialist,
    opened: &Opened,
    answer: &str,
) {
    draft.event(Event::Solved {
        by: person.address.clone(),
        text: answer.to_owned(),
    });
    draft.change_status(StatusChange {
        to: Status::Resolved,
        by: Some(person.address.clone()),
        why: "It was answered at once",
        at: incoming.arrived,
        ending: Some(Ending::Solved),
    });
    let state = telling::State {
        status: Status::Resolved,
        ..opened.state
    };
    let tells = Tells {
        text: Some(answer.to_owned()),
        ..telling::tells(draft.desk, &opened.matter, state)
    };
    draft.tell(telling::to_requester(
        Template::StatusChanged,
        &opened.matter,
        telling::continuing(&opened.matter),
        Purpose::Reply,
        tells,
    ));
}

fn channel(verb: Verb) -> Channel {
    match verb {
        Verb::Messenger => Channel::Messenger,
        Verb::InPerson => Channel::InPerson,
        Verb::Phone
        | Verb::InProgress
        | Verb::Ask
        | Verb::Resolve
        | Verb::Close
        | Verb::Developer
        | Verb::Type
        | Verb::Kind
        | Verb::Note
        | Verb::Silent
        | Verb::History
        | Verb::Help
        | Verb::Extend
        | Verb::Decline
        | Verb::Approval => Channel::Phone,
    }
}
