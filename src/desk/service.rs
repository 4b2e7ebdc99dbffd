//! Requesters serve themselves: a letter that is one word is answered by the desk itself, and opens no request (R44).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::authority;
use super::decide::{Decision, Incoming, Known, Lead, Verdict};
use super::draft::Draft;
use super::event::Event;
use super::letter::{From, Letter};
use super::listing::{Listed, Listing, Rules};
use super::notice::{Notice, Purpose, Tells, Template};
use super::people::{Appointment, Role, Standing};
use super::phrase::{self, Service};
use super::policy::Desk;
use super::reply;
use super::request::Request;
use super::subject;
use super::telling;
use super::why;

/// The most requests that one answer lists.
pub const LISTED: u32 = 50;

/// What a letter asks the desk itself for, if it asks for nothing else: one word is its text, and its subject says no other thing; or its
/// subject is that word and it has no text. The subject of a reply is nobody's word: `replies` says that it leads to a request.
pub fn asked(desk: &Desk, letter: &Letter, replies: bool) -> Option<Service> {
    if letter.attachments.iter().any(|a| !a.inline) {
        return None;
    }
    let called = match &letter.from {
        From::One { name, .. } => name.as_str(),
        From::Nobody { .. } => return None,
    };
    let names = phrase::words_of(&[called]);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let about = subject::base(&letter.subject);
    let by_subject = phrase::service(&desk.words, &about, &names);
    let by_text = phrase::service(&desk.words, &letter.new_text, &names);
    if replies || about.is_empty() {
        return by_text;
    }
    by_subject?;
    by_text.or(by_subject.filter(|_| phrase::is_empty(&letter.new_text, &names)))
}

/// Whose requests a representative may see (R44): those of the installations whose primary they are, and those that answers go to them for.
/// Colleagues' requests are shown to nobody else: who may only ask has no part in what others asked (R7, R14).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sight {
    /// Requests that were opened from these addresses, as they are registered.
    pub addresses: Vec<Address>,
    /// Requests about these installations.
    pub installations: Vec<String>,
}

/// The sight of a representative in office.
pub fn sight(appointments: &[Appointment<'_>]) -> Sight {
    let mut sight = Sight::default();
    for appointment in appointments {
        let address = &appointment.person.address;
        if !sight.addresses.contains(address) {
            sight.addresses.push(address.clone());
        }
        if appointment.person.role == Role::Primary {
            sight
                .installations
                .push(appointment.installation.id.clone());
        }
    }
    sight
}

/// Answers the letter, if it asks for one of these and its sender is a representative who is proved to be the one; else it goes on as any letter.
pub(super) fn letter<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'_>,
    address: &Address,
) -> Result<Decision, Box<Draft<'a>>> {
    let lead = known.lead.as_ref();
    let lead = lead.filter(|lead| reply::is_party(draft.desk, &lead.request, standing, address));
    let asked = asked(draft.desk, incoming.letter, lead.is_some());
    let (Standing::Representative(appointments), Some(asked)) = (standing, asked) else {
        return Err(Box::new(draft));
    };
    let Some(first) = appointments.first() else {
        return Err(Box::new(draft));
    };
    if !authority::is_proved(incoming.assurance, incoming.mailbox.authentication) {
        draft.because("It asks the desk itself, and nothing proves its sender: nothing is shown, and it is taken as any letter (R13, R44)");
        return Err(Box::new(draft));
    }
    draft.because("It is one word that the desk answers itself: no request is opened (R44)");
    if let Some(lead) = lead {
        enter(&mut draft, lead, address);
    }
    let tells = match asked {
        Service::Status | Service::History => Tells {
            listing: Some(listing(draft.desk, known, asked, address, draft.now)),
            ..rules(draft.desk, first, incoming)
        },
        Service::Help => rules(draft.desk, first, incoming),
    };
    // A subject of its own is answered under that, a letter without one under the word.
    let about = subject::base(&incoming.letter.subject);
    let words = &draft.desk.words;
    let list = match asked {
        Service::Status => &words.status,
        Service::History => &words.history,
        Service::Help => &words.help,
    };
    let word = list.first().filter(|_| about.is_empty()).cloned();
    let subject = word.unwrap_or(about);
    let template = match asked {
        Service::Status | Service::History => Template::Requests,
        Service::Help => Template::Help,
    };
    draft.tell(Notice {
        template,
        to: first.person.address.clone(),
        name: first.person.name.clone(),
        locale: telling::locale_of(draft.desk, Some(first.customer)),
        purpose: Purpose::Nothing,
        thread: telling::answering(incoming.letter),
        tells: Tells { subject, ..tells },
    });
    Ok(draft.end(Verdict::Answered))
}

/// It came as a reply: the history of that request keeps it.
fn enter(draft: &mut Draft<'_>, lead: &Lead, address: &Address) {
    draft.concerns(&lead.request);
    draft.event(Event::Attached {
        by: address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: false,
    });
}

fn listing(
    desk: &Desk,
    known: &Known,
    asked: Service,
    reader: &Address,
    now: DateTime<Utc>,
) -> Listing {
    let listed = |request: &Request| {
        let why = why::of(desk, request, now);
        let matter = &request.matter;
        Listed {
            number: request.number,
            subject: matter.subject.clone(),
            status: request.status,
            opens: matter.opens,
            due: request.due,
            left: why.as_ref().and_then(|why| why.left),
            until: why.and_then(|why| why.until),
            requester_name: Some(matter.requester_name.clone())
                .filter(|name| !name.is_empty() && !desk.directory.same(reader, &matter.requester)),
        }
    };
    Listing {
        history: asked == Service::History,
        requests: known.own.iter().map(listed).collect(),
        more: known.own_more,
    }
}

fn rules(desk: &Desk, reader: &Appointment<'_>, incoming: &Incoming<'_>) -> Tells {
    let primary = reader
        .installation
        .primary(desk.calendar.day_of(incoming.arrived));
    let orders = reader.person.role == Role::Primary;
    Tells {
        primary_name: primary.filter(|_| !orders).map(|p| p.name.clone()),
        installation: Some(reader.installation.name.clone()),
        working_days: Some(desk.deadlines.answer),
        rules: Some(Rules {
            orders,
            week: desk.calendar.week().clone(),
            order_markers: desk.kinds.order_markers.clone(),
            question_markers: desk.kinds.question_markers.clone(),
            words: desk.words.clone(),
        }),
        ..Tells::default()
    }
}
