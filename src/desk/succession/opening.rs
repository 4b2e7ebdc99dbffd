//! Who may ask for a change of representative, and what becomes of their letters about it (R28, R29, TRUST 4.3).

use super::evidence::{self, Form, Paper};
use super::procedure::{Effect, Procedure, Source, Step, happen};
use super::report::{self, Reader};
use crate::desk::address::Address;
use crate::desk::authority::{self, Opening};
use crate::desk::deadline;
use crate::desk::decide::{Decision, Incoming, Known};
use crate::desk::draft::{Draft, StatusChange};
use crate::desk::event::Event;
use crate::desk::installation;
use crate::desk::letter::Letter;
use crate::desk::notice::{Alert, Purpose, Tells, Template};
use crate::desk::people::{Appointment, Customer, Role, Standing};
use crate::desk::policy::Desk;
use crate::desk::reception::{self, held};
use crate::desk::registration::{matter, open};
use crate::desk::representative::challenge;
use crate::desk::request::{Kind, Matter, PendingKind, Request, Status};
use crate::desk::subject;
use crate::desk::succession::told::Succession;
use crate::desk::telling;

/// Whether the letter asks for a change of representative by its subject (R28).
pub fn is_asked(desk: &Desk, letter: &Letter) -> bool {
    let about = subject::base(&letter.subject);
    desk.succession.patterns.iter().any(|p| p.is_match(&about))
}

/// What became of a letter that asks for a change.
pub(in crate::desk) enum Result<'a> {
    /// It is decided.
    Decided(Box<Decision>),
    /// Its sender may not ask: the ordinary rules go on with it.
    NotTheirs(Box<Draft<'a>>),
}

/// R28: from the present primary or an official address of the contract it opens a succession; from anybody else the ordinary rules hold, and
/// the specialists hear that somebody tried.
pub(in crate::desk) fn letter<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'a>,
    address: &Address,
) -> Result<'a> {
    let desk = draft.desk;
    let day = desk.calendar.day_of(incoming.arrived);
    let (customer, candidates, source) = match standing {
        Standing::Representative(all) => {
            let primary = |a: &&Appointment<'_>| a.person.role == Role::Primary;
            let theirs: Vec<_> = all.iter().filter(primary).copied().collect();
            let Some(first) = theirs.first() else {
                return tried(draft, incoming);
            };
            (first.customer, theirs, Source::Primary)
        }
        Standing::Official(customer) => (*customer, primaries(customer, day), Source::Official),
        Standing::Former(_) | Standing::Colleague(_) | Standing::Stranger => {
            return tried(draft, incoming);
        }
        Standing::Own
        | Standing::Specialist(_)
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_) => {
            return Result::NotTheirs(Box::new(draft));
        }
    };
    draft.because("It asks for a change of representative, and its sender may (R28)");
    let installations = match which(&mut draft, incoming, customer, &candidates) {
        Ok(installations) => installations,
        Err(reason) => {
            let decision = held(draft, incoming, Tells::default(), reason);
            return Result::Decided(Box::new(decision));
        }
    };
    let authentication = incoming.mailbox.authentication;
    let (opening, why) =
        authority::opening(customer.orders_require, incoming.assurance, authentication);
    draft.because(why);
    if opening == Opening::Hold {
        let decision = held(draft, incoming, Tells::default(), why.to_owned());
        return Result::Decided(Box::new(decision));
    }
    let proved = opening == Opening::Proved;
    let at = candidates
        .iter()
        .find(|a| source == Source::Primary && installations.contains(&a.installation.id));
    draft.sender = Some(reception::sender(standing, at));
    let kind = if proved { Kind::Order } else { Kind::Question };
    let matter = Matter {
        installation: only(&installations),
        ..matter(desk, incoming, at, customer, kind, address)
    };
    let asked = Asked {
        customer,
        installations,
        source,
        proved,
    };
    Result::Decided(Box::new(opened(draft, known, incoming, matter, asked)))
}

fn tried<'a>(mut draft: Draft<'a>, incoming: &Incoming<'_>) -> Result<'a> {
    draft.because("It asks for a change of representative, and its sender may not (R28)");
    telling::alert(
        &mut draft,
        Some(incoming),
        Tells::default(),
        Alert::SuccessionTried,
    );
    Result::NotTheirs(Box::new(draft))
}

/// The primaries of all installations of a customer.
fn primaries(customer: &Customer, day: chrono::NaiveDate) -> Vec<Appointment<'_>> {
    let of = |installation| {
        let person = crate::desk::people::Installation::primary(installation, day)?;
        Some(Appointment {
            customer,
            installation,
            person,
        })
    };
    customer.installations.iter().filter_map(of).collect()
}

/// R8: the installations that are meant: the one that the letter names, else all that the sender may ask for.
fn which(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    customer: &Customer,
    candidates: &[Appointment<'_>],
) -> std::result::Result<Vec<String>, String> {
    let letter = incoming.letter;
    let to = letter
        .to
        .iter()
        .chain(&letter.cc)
        .chain(&letter.delivered_to);
    let recipients: Vec<Address> = to.cloned().collect();
    let about = subject::base(&letter.subject);
    let (directory, mailbox) = (&draft.desk.directory, incoming.mailbox);
    let ids = |all: &[Appointment<'_>]| all.iter().map(|a| a.installation.id.clone()).collect();
    match installation::of(directory, candidates, mailbox, &recipients, &about) {
        installation::Finding::Own {
            appointment,
            because,
        } => {
            let id = appointment.installation.id.clone();
            draft.because(format!("About {id}: {because} (R8)"));
            Ok(vec![id])
        }
        installation::Finding::Foreign {
            installation,
            because,
        } => Err(format!(
            "It is about {} ({because}), for which the sender has no authority (R6, R8)",
            installation.id
        )),
        // Nobody is primary: then it may be about any that has none.
        installation::Finding::Unclear if candidates.is_empty() => Ok(customer
            .installations
            .iter()
            .map(|i| i.id.clone())
            .collect()),
        installation::Finding::Unclear => Ok(ids(candidates)),
    }
}

fn only(installations: &[String]) -> Option<String> {
    match installations {
        [only] => Some(only.clone()),
        _ => None,
    }
}

/// What is asked for, and by whom.
pub(super) struct Asked<'c> {
    pub(super) customer: &'c Customer,
    pub(super) installations: Vec<String>,
    pub(super) source: Source,
    pub(super) proved: bool,
}

/// The request is opened with its procedure; everybody concerned hears of it.
pub(super) fn opened(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    matter: Matter,
    asked: Asked<'_>,
) -> Decision {
    let mut procedure = None;
    let mut steps = vec![Step::Opened {
        customer: asked.customer.id.clone(),
        installations: asked.installations.clone(),
        source: asked.source,
    }];
    let paper = paper(incoming, asked.customer, asked.source, asked.proved);
    steps.extend(paper.clone().map(Step::Came));
    for step in &steps {
        happen(&mut procedure, step);
    }
    let due = procedure
        .as_deref()
        .filter(|p| evidence::needs_original(p))
        .map(|_| original_due(draft.desk, &matter));
    steps.extend(due.map(Step::OriginalDue));
    for step in steps {
        draft.event(Event::Succession(step));
    }
    let usable = paper.is_some_and(|p| p.form != Form::Invalid);
    if !usable {
        draft.because("No letter of the customer is attached: the sender is asked for it (R29)");
    }
    let status = if asked.proved && usable {
        Status::InProgress
    } else {
        Status::AwaitingInformation
    };
    let opened = open(&mut draft, known, incoming, matter, status);
    if under_way(known, &asked.installations).is_some() {
        draft.because("Another change of representative is under way for the same installation");
    }
    if asked.proved {
        told(&mut draft, incoming, asked.customer);
    } else {
        let kind = PendingKind::Identity;
        let cited = incoming.letter;
        challenge(
            &mut draft,
            incoming,
            cited,
            &opened.matter,
            opened.state,
            kind,
        );
    }
    opened.end(draft)
}

/// The sender is told what is needed and what comes next; the present primary and the contract's addresses, that somebody asked (TRUST 4.3).
pub(super) fn told(draft: &mut Draft<'_>, incoming: &Incoming<'_>, customer: &Customer) {
    let Some(request) = draft.stands() else {
        return;
    };
    let thread = telling::answering(incoming.letter);
    report::requester(draft, &request, Template::SuccessionReceived, thread);
    let Some(procedure) = request.succession.as_deref() else {
        return;
    };
    let desk = draft.desk;
    let sender = &request.matter.requester;
    let mut readers = report::officials(desk, customer, sender);
    let day = desk.calendar.day_of(draft.now);
    for appointment in primaries(customer, day) {
        let (id, person) = (&appointment.installation.id, appointment.person);
        let known = |a: &Address| desk.directory.same(a, &person.address);
        if procedure.installations.contains(id)
            && !known(sender)
            && !readers.iter().any(|r| known(&r.address))
        {
            readers.push(Reader {
                address: person.address.clone(),
                name: person.name.clone(),
            });
        }
    }
    let tells = Tells {
        succession: Some(Box::new(Succession::default())),
        ..report::plain(desk, &request)
    };
    let locale = telling::locale_of(desk, Some(customer));
    for reader in readers {
        let template = Template::SuccessionAsked;
        report::to_reader(
            draft,
            template,
            &reader,
            locale,
            Purpose::Reply,
            tells.clone(),
        );
    }
}

/// The open succession that is about one of these installations.
pub(super) fn under_way<'k>(known: &'k Known, installations: &[String]) -> Option<&'k Request> {
    let open = |r: &&Request| {
        let about = |p: &Procedure| p.installations.iter().any(|id| installations.contains(id));
        r.succession
            .as_deref()
            .is_some_and(|p| p.is_open() && about(p))
    };
    known.successions.iter().find(open)
}

/// The customer's letter that is attached to this one, if any is.
pub(super) fn paper(
    incoming: &Incoming<'_>,
    customer: &Customer,
    source: Source,
    proved: bool,
) -> Option<Paper> {
    let checks = incoming.signatures;
    Some(Paper {
        form: evidence::form_of(incoming.letter, checks, customer)?,
        source,
        proved,
        at: incoming.arrived,
        files: evidence::files(incoming.letter),
        findings: evidence::findings(checks, customer),
    })
}

/// R29: closing on the n-th working day after the day of submission.
fn original_due(desk: &Desk, matter: &Matter) -> chrono::DateTime<chrono::Utc> {
    let days = desk.deadlines.paper_original;
    deadline::due(&desk.calendar, matter.registration_day, days)
}

/// A letter of a party that goes on with an open succession: what it brings (R29). Whether it brought the customer's letter.
pub(in crate::desk) fn went_on(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    standing: &Standing<'_>,
) -> bool {
    let Some(procedure) = request.succession.as_deref().filter(|p| p.is_open()) else {
        return false;
    };
    let proved = authority::is_proved(incoming.assurance, incoming.mailbox.authentication);
    let source = source_of(standing, procedure);
    let customer = draft.desk.directory.customer(&procedure.customer);
    let Some(paper) = customer.and_then(|c| paper(incoming, c, source, proved)) else {
        return false;
    };
    draft.because("It brings a letter of the customer for the change of representative (R29)");
    let usable = paper.form != Form::Invalid;
    draft.event(Event::Succession(Step::Came(paper)));
    let Some(stands) = draft.stands() else {
        return usable;
    };
    if stands
        .succession
        .as_deref()
        .is_some_and(evidence::needs_original)
    {
        let day = draft.desk.calendar.place(incoming.arrived).day;
        let days = draft.desk.deadlines.paper_original;
        let due = deadline::due(&draft.desk.calendar, day, days);
        draft.event(Event::Succession(Step::OriginalDue(due)));
    }
    usable
}

fn source_of(standing: &Standing<'_>, procedure: &Procedure) -> Source {
    match standing {
        Standing::Official(customer) if customer.id == procedure.customer => Source::Official,
        Standing::Specialist(_) => Source::Specialist,
        Standing::Representative(all) => {
            let primary = all.iter().any(|a| {
                a.person.role == Role::Primary
                    && procedure.installations.contains(&a.installation.id)
            });
            if primary {
                Source::Primary
            } else {
                Source::Other
            }
        }
        Standing::Own
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_)
        | Standing::Official(_)
        | Standing::Former(_)
        | Standing::Colleague(_)
        | Standing::Stranger => Source::Other,
    }
}

/// R13: whoever asked confirmed that the letter is theirs: it is the customer's order now, and everybody concerned hears of it.
pub(in crate::desk) fn confirmed(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    back_to_work: StatusChange,
) {
    let Some(procedure) = request.succession.as_deref() else {
        return;
    };
    draft.event(Event::Succession(Step::Confirmed));
    if !still_waits(draft) {
        draft.change_status(back_to_work);
    }
    draft.event(Event::KindChanged {
        to: Kind::Order,
        by: request.matter.requester.clone(),
    });
    if let Some(customer) = draft.desk.directory.customer(&procedure.customer) {
        told(draft, incoming, customer);
    }
}

/// The registered address says that somebody else asked in its name: nothing comes of it.
pub(in crate::desk) fn disowned(draft: &mut Draft<'_>, request: &Request) {
    if request.succession.is_some() {
        draft.event(Event::Succession(Step::Ended));
    }
}

/// Time closes a request whose change never came to be: then the change is given up too.
pub(in crate::desk) fn given_up(draft: &mut Draft<'_>, request: &Request) {
    let idle = |p: &Procedure| p.is_open() && p.effect == Effect::NotYet;
    if request.succession.as_deref().is_some_and(idle) {
        draft.event(Event::Succession(Step::Ended));
    }
}

/// R29: whether the request still waits for the customer's letter, so that no reply without it takes it up.
pub(in crate::desk) fn still_waits(draft: &mut Draft<'_>) -> bool {
    let stands = draft.stands().and_then(|r| r.succession);
    let usable = |p: &Procedure| p.papers.iter().any(|p| p.form != Form::Invalid);
    let waits = stands.is_some_and(|p| p.is_open() && !usable(&p));
    if waits {
        draft.because("The letter of the customer is still missing (R29)");
    }
    waits
}

/// A further letter of the customer came: whoever asked hears how it stands.
pub(in crate::desk) fn told_again(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
) {
    let thread = telling::answering(incoming.letter);
    report::requester(draft, request, Template::SuccessionReceived, thread);
}
