//! What a specialist's commands do to a succession (R30, R39): all of a letter takes effect or nothing, and the answer says what is missing.

use chrono::{DateTime, Utc};

use super::command::{self, Command};
use super::evidence;
use super::opening::{self, Asked, paper};
use super::procedure::{Procedure, Source, Step};
use super::report;
use super::weighing::{self, Done, Scene};
use crate::desk::authority;
use crate::desk::course::Ending;
use crate::desk::deadline;
use crate::desk::decide::{Decision, Evidence, Incoming, Known, Lead, Verdict};
use crate::desk::draft::{Draft, StatusChange};
use crate::desk::event::{Event, Outcome};
use crate::desk::life::{self, Mover};
use crate::desk::notice::{Purpose, Tells, Template};
use crate::desk::people::{Customer, Directory, Specialist};
use crate::desk::reception::held;
use crate::desk::registration::matter;
use crate::desk::request::{Kind, Matter, PendingKind, Request, Status};
use crate::desk::specialist;
use crate::desk::telling;

/// Whether the letter opens a succession at its top.
pub(in crate::desk) fn opens(text: &str) -> bool {
    weighing::lines(text).any(|line| {
        matches!(
            command::read(line),
            Some(Ok(Command::Open(_)) | Err(command::Unclear::NoName))
        )
    })
}

/// Whether the letter is about the succession that it leads to: by a command, or by a letter of the customer that it brings.
pub(in crate::desk) fn is_about(incoming: &Incoming<'_>, lead: &Lead) -> bool {
    let brings = |p: &Procedure| p.is_open() && evidence::is_attached(incoming.letter);
    let procedure = lead.request.succession.as_deref();
    procedure.is_some_and(|p| weighing::speaks(&incoming.letter.new_text) || brings(p))
}

/// A specialist's letter about a request that is a succession.
pub(in crate::desk) fn letter(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    person: &Specialist,
) -> Decision {
    let (request, text) = (&lead.request, &incoming.letter.new_text);
    let own = specialist::answers_own(draft.desk, lead, &person.address);
    let authentication = incoming.mailbox.authentication;
    if let Err(why) = authority::may_command(incoming.assurance, authentication, own, false) {
        return specialist::unproved(draft, incoming, Some(lead), person, why);
    }
    draft.because("A specialist's commands, proved to be theirs (R39, S43)");
    draft.speak();
    draft.concerns(request);
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
    let scene = Scene {
        directory: &draft.desk.directory,
        known,
        request,
        by: &person.address,
        arrived: incoming.arrived,
        today: draft.desk.calendar.day_of(draft.now),
    };
    match scene.all(text, specialist_paper(&draft, incoming, request)) {
        Err(refused) => {
            draft.because(
                "A command could not be followed: nothing of the letter took effect (R39)",
            );
            let to = (person.name.as_str(), &person.address);
            report::specialist(&mut draft, request, to, refused);
        }
        Ok(done) => {
            draft.because("A specialist conducts the change of representative (R30)");
            follow(&mut draft, incoming, request, person, done);
        }
    }
    draft.end(Verdict::Attached)
}

/// A letter of the customer that a specialist passes on: from whom it came is their word, so it is nobody's official address.
fn specialist_paper(
    draft: &Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
) -> Option<evidence::Paper> {
    let procedure = request.succession.as_deref().filter(|p| p.is_open())?;
    let customer = draft.desk.directory.customer(&procedure.customer)?;
    paper(incoming, customer, Source::Specialist, true)
}

/// The commands took effect: history, status, and everybody who must hear it.
fn follow(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
    done: Done,
) {
    for step in done.steps {
        draft.event(Event::Succession(step));
    }
    let stands = draft.stands().and_then(|r| r.succession);
    if stands.as_deref().is_some_and(evidence::needs_original) {
        let desk = draft.desk;
        let day = desk.calendar.place(incoming.arrived).day;
        let due = deadline::due(&desk.calendar, day, desk.deadlines.paper_original);
        draft.event(Event::Succession(Step::OriginalDue(due)));
    }
    if let Some(why) = done.refusal {
        refuse(draft, incoming, request, specialist, why);
    } else {
        back_to_work(draft, incoming, request, specialist);
        finish(draft, request, incoming.arrived);
    }
    let to = (specialist.name.as_str(), &specialist.address);
    report::specialist(draft, request, to, done.said);
}

/// Whoever was asked for a letter is told that it is verified, and waits for nothing more.
fn back_to_work(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
) {
    let verified = |r: &Request| {
        r.succession
            .as_deref()
            .is_some_and(|p| p.verified.is_some())
    };
    let now = draft.stands().is_some_and(|r| verified(&r));
    if verified(request) || !now {
        return;
    }
    for pending in request
        .pending
        .iter()
        .filter(|p| p.kind == PendingKind::Identity)
    {
        draft.event(Event::Settled {
            pending: pending.id,
            outcome: Outcome::Superseded,
            by: Some(specialist.address.clone()),
        });
    }
    if request.matter.kind != Kind::Order {
        draft.event(Event::KindChanged {
            to: Kind::Order,
            by: specialist.address.clone(),
        });
    }
    if life::may(request.status, Status::InProgress, Mover::Specialist) {
        draft.change_status(StatusChange {
            to: Status::InProgress,
            by: Some(specialist.address.clone()),
            why: "A specialist verified the customer's letter",
            at: incoming.arrived,
            ending: None,
        });
        let thread = telling::continuing(&request.matter);
        report::requester(draft, request, Template::StatusChanged, thread);
    }
}

fn refuse(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
    why: String,
) {
    let by = specialist.address.clone();
    for pending in &request.pending {
        draft.event(Event::Settled {
            pending: pending.id,
            outcome: Outcome::Superseded,
            by: Some(by.clone()),
        });
    }
    draft.event(Event::Declined {
        by: by.clone(),
        text: why.clone(),
    });
    if !life::may(request.status, Status::Closed, Mover::Specialist) {
        return;
    }
    draft.change_status(StatusChange {
        to: Status::Closed,
        by: Some(by),
        why: "A specialist declined the change of representative",
        at: incoming.arrived,
        ending: Some(Ending::Declined),
    });
    if request.matter.quiet || !request.matter.acknowledged {
        return;
    }
    let (matter, state) = draft.after(request);
    let tells = Tells {
        text: Some(why),
        ..telling::tells(draft.desk, &matter, state)
    };
    draft.tell(telling::to_requester(
        Template::StatusChanged,
        &matter,
        telling::continuing(&matter),
        Purpose::Reply,
        tells,
    ));
}

/// R31: in force, and the original, where due, has come: the request is resolved, as of that moment.
pub(super) fn finish(draft: &mut Draft<'_>, request: &Request, at: DateTime<Utc>) {
    let Some(stands) = draft.stands() else {
        return;
    };
    let done = stands.succession.as_deref().is_some_and(Procedure::is_done);
    if !done || !life::may(stands.status, Status::Resolved, Mover::Specialist) {
        return;
    }
    draft.because("In force, and no paper original is missing: the request is resolved (R31)");
    if let Some(named) = stands.succession.as_deref().and_then(|p| p.named.as_ref()) {
        draft.event(Event::Solved {
            by: named.by.clone(),
            text: report::change(named),
        });
    }
    draft.change_status(StatusChange {
        to: Status::Resolved,
        by: None,
        why: "The change of representative is in force",
        at,
        ending: Some(Ending::Solved),
    });
    let thread = telling::continuing(&request.matter);
    report::requester(draft, request, Template::StatusChanged, thread);
}

/// R28: a specialist opens a succession where the customer lost both addresses; none if the letter has no command for that.
pub(in crate::desk) fn open(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    specialist: &Specialist,
) -> Decision {
    let authentication = incoming.mailbox.authentication;
    // It answers nothing yet; what it opens changes nothing before commands that do.
    if let Err(why) = authority::may_command(incoming.assurance, authentication, false, true) {
        return held(draft, incoming, Tells::default(), why.to_owned());
    }
    let asked =
        weighing::lines(&incoming.letter.new_text).find_map(|line| match command::read(line) {
            Some(Ok(Command::Open(name))) => Some(name),
            _ => None,
        });
    let desk = draft.desk;
    let Some((customer, installations)) = asked.and_then(|name| meant(&desk.directory, &name))
    else {
        let reason = "A command about a change of representative names no customer or installation, or answers no request";
        return held(draft, incoming, Tells::default(), reason.to_owned());
    };
    draft.because("A specialist opens a change of representative (R28)");
    let matter = Matter {
        installation: match installations.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        requester_name: specialist.name.clone(),
        ..matter(
            desk,
            incoming,
            None,
            customer,
            Kind::Order,
            &specialist.address,
        )
    };
    let asked = Asked {
        customer,
        installations,
        source: Source::Specialist,
        proved: true,
    };
    opening::opened(draft, known, incoming, matter, asked)
}

/// The customer or installation that a name means, by identifier, name or tag, without case.
fn meant<'d>(directory: &'d Directory, name: &str) -> Option<(&'d Customer, Vec<String>)> {
    let folded = |text: &str| text.trim().to_lowercase();
    let wanted = folded(name);
    let is = |text: &str| folded(text) == wanted;
    for customer in directory.customers() {
        if is(&customer.id) || is(&customer.name) {
            let ids = customer.installations.iter().map(|i| i.id.clone());
            return Some((customer, ids.collect()));
        }
        let mut there = customer.installations.iter();
        if let Some(found) =
            there.find(|i| is(&i.id) || is(&i.name) || i.tags.iter().any(|t| is(t)))
        {
            return Some((customer, vec![found.id.clone()]));
        }
    }
    None
}
