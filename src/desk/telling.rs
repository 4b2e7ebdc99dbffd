//! Which facts a letter of ours may tell to whom: every notice is made here, so that nothing internal slips into one (P6).

use super::address::Address;
use super::deadline;
use super::decide::Incoming;
use super::draft::Draft;
use super::letter::Letter;
use super::notice::{Alert, Notice, Purpose, Tells, Template, Thread};
use super::people::{Customer, Locale, Representative};
use super::policy::Desk;
use super::request::{Matter, Number, Request, Status};
use super::subject;
use super::succession::report;

/// The most of a letter's text that a notice carries, in characters; for the desk's own people and for those who are asked to answer for it.
const CITED: usize = 40_000;

/// Where a request stands at the moment of telling.
#[derive(Debug, Clone, Copy)]
pub(super) struct State {
    pub(super) number: Option<Number>,
    pub(super) status: Status,
    pub(super) due: Option<chrono::DateTime<chrono::Utc>>,
}

impl State {
    pub(super) fn of(request: &Request) -> Self {
        Self {
            number: request.number,
            status: request.status,
            due: request.due,
        }
    }
}

/// What may be told to anybody who is a party of the request.
pub(super) fn tells(desk: &Desk, matter: &Matter, state: State) -> Tells {
    let customer = matter
        .customer
        .as_deref()
        .and_then(|id| desk.directory.customer(id));
    let installation = matter
        .installation
        .as_deref()
        .and_then(|id| desk.directory.installation(id));
    // A due moment that a pause or an extension moved is not counted from the registration any more.
    let answer = desk.deadlines.answer;
    let counted = state
        .due
        .is_none_or(|due| due == deadline::due(&desk.calendar, matter.registration_day, answer));
    Tells {
        number: state.number,
        subject: matter.subject.clone(),
        kind: Some(matter.kind),
        type_: Some(matter.type_),
        status: state.number.map(|_| state.status),
        arrived: Some(matter.arrived),
        opens: Some(matter.opens),
        registration_day: Some(matter.registration_day),
        due: state.due,
        working_days: Some(desk.deadlines.answer).filter(|_| counted),
        requester_name: Some(matter.requester_name.clone()).filter(|n| !n.is_empty()),
        requester: Some(matter.requester.clone()),
        customer: customer.map(|c| c.name.clone()),
        installation: installation.map(|(_, i)| i.name.clone()),
        ..Tells::default()
    }
}

/// The thread of a letter that answers `letter`.
pub(super) fn answering(letter: &Letter) -> Thread {
    let mut references = letter.references.clone();
    references.extend(letter.message_id.clone());
    Thread {
        in_reply_to: letter.message_id.clone(),
        references,
    }
}

/// The thread of a letter that goes on from the one that opened the request.
pub(super) fn continuing(matter: &Matter) -> Thread {
    Thread {
        in_reply_to: matter.message_id.clone(),
        references: matter.message_id.clone().into_iter().collect(),
    }
}

/// To the requester, at the address the request came from (R14).
pub(super) fn to_requester(
    template: Template,
    matter: &Matter,
    thread: Thread,
    purpose: Purpose,
    tells: Tells,
) -> Notice {
    // A stranger's name is their own invention and is not repeated (R12).
    let name = if matter.customer.is_some() {
        matter.requester_name.clone()
    } else {
        String::new()
    };
    Notice {
        template,
        to: matter.requester.clone(),
        name,
        locale: matter.locale,
        purpose,
        thread,
        tells,
    }
}

/// To a representative other than the requester, in a thread of its own.
pub(super) fn to_representative(
    template: Template,
    person: &Representative,
    locale: Locale,
    purpose: Purpose,
    tells: Tells,
) -> Notice {
    Notice {
        template,
        to: person.address.clone(),
        name: person.name.clone(),
        locale,
        purpose,
        thread: Thread::default(),
        tells,
    }
}

/// To somebody whose letter does not become a request. Nothing of theirs is quoted, and nobody is named unless `primary` is given (R11, R12).
pub(super) fn to_outsider(
    desk: &Desk,
    template: Template,
    to: &Address,
    locale: Option<Locale>,
    letter: &Letter,
    primary: Option<&Representative>,
) -> Notice {
    let tells = Tells {
        primary_name: primary.map(|p| p.name.clone()),
        primary: primary.map(|p| p.address.clone()),
        ..Tells::default()
    };
    let locale = locale.unwrap_or(desk.locale);
    Notice {
        template,
        to: to.clone(),
        name: String::new(),
        locale,
        purpose: Purpose::Nothing,
        thread: answering(letter),
        tells,
    }
}

/// Adds what the primary and the specialists may read: the text and the names of the attachments.
pub(super) fn citing(mut tells: Tells, letter: &Letter) -> Tells {
    tells.text_cut = letter.new_text.chars().nth(CITED).is_some();
    tells.text = Some(letter.new_text.chars().take(CITED).collect::<String>())
        .filter(|t| !t.trim().is_empty());
    tells.attachments = letter.attachments.iter().map(|a| a.name.clone()).collect();
    tells
}

/// The locale a customer is written to.
pub(super) fn locale_of(desk: &Desk, customer: Option<&Customer>) -> Locale {
    customer.and_then(|c| c.locale).unwrap_or(desk.locale)
}

/// Tells every specialist of a request (R37): registered, or gone on by a letter.
pub(super) fn specialists(draft: &mut Draft<'_>, incoming: Option<&Incoming<'_>>, tells: Tells) {
    let mut tells = match incoming {
        Some(incoming) => citing(tells, incoming.letter),
        None => tells,
    };
    tells.authority = incoming.map(|i| {
        format!(
            "{}: {}",
            i.assurance.level(),
            i.assurance.evidence().join("; ")
        )
    });
    let stands = draft.stands().and_then(|r| r.succession);
    tells.succession = stands.map(|p| Box::new(report::in_full(&p)));
    for person in draft.desk.directory.specialists() {
        draft.tell(Notice {
            template: Template::ForSpecialist,
            to: person.address.clone(),
            name: person.name.clone(),
            locale: draft.desk.locale,
            purpose: Purpose::Internal,
            thread: Thread::default(),
            tells: tells.clone(),
        });
    }
}

/// Tells every specialist of a due moment, and of one that has passed the supervisors as well (R21); nobody twice.
pub(super) fn deadline(draft: &mut Draft<'_>, template: Template, tells: &Tells) {
    let directory = &draft.desk.directory;
    let specialists = directory.specialists().iter();
    let mut told: Vec<(&Address, &str)> =
        specialists.map(|s| (&s.address, s.name.as_str())).collect();
    if template == Template::Overdue {
        for supervisor in directory.supervisors() {
            let same =
                |(address, _): &(&Address, &str)| directory.same(address, &supervisor.address);
            if !told.iter().any(same) {
                told.push((&supervisor.address, &supervisor.name));
            }
        }
    }
    for (address, name) in told {
        draft.tell(Notice {
            template,
            to: address.clone(),
            name: name.to_owned(),
            locale: draft.desk.locale,
            purpose: Purpose::Internal,
            thread: Thread::default(),
            tells: tells.clone(),
        });
    }
}

/// Tells every specialist that something needs a person.
pub(super) fn alert(
    draft: &mut Draft<'_>,
    incoming: Option<&Incoming<'_>>,
    mut tells: Tells,
    alert: Alert,
) {
    // The limit on one sender speaks once an hour anyway, and for letters that are registered in silence.
    match draft.alerts_left() {
        Some(0) if !alert.is_of_a_limit() => {
            draft.capped(format!(
                "alerts_per_hour = {}",
                draft.desk.limits.alerts_per_hour
            ));
            draft.because(
                "The specialists were alarmed often enough this hour: kept silently (R48)",
            );
            return;
        }
        left => tells.last_alert = left == Some(1),
    }
    if let Some(incoming) = incoming {
        tells = citing(tells, incoming.letter);
        tells.subject = subject::base(&incoming.letter.subject);
        tells.arrived = Some(incoming.arrived);
        if tells.requester.is_none() {
            tells.requester = incoming.letter.from.address().cloned();
        }
        tells.authority = Some(format!(
            "{}: {}",
            incoming.assurance.level(),
            incoming.assurance.evidence().join("; ")
        ));
    }
    tells.alert = Some(alert);
    for person in draft.desk.directory.specialists() {
        draft.tell(Notice {
            template: Template::SpecialistAlert,
            to: person.address.clone(),
            name: person.name.clone(),
            locale: draft.desk.locale,
            purpose: Purpose::Internal,
            thread: Thread::default(),
            tells: tells.clone(),
        });
    }
}
