//! A request's history, played again, gives its state: the one place that says what an event does to a request (R24).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::course::{self, Consent, Turn};
use super::event::{Event, Told};
use super::request::{Matter, Pending, PendingKind, Request, RequestId, Status, Type};
use super::succession::procedure;

/// A request before anything has happened to it.
pub fn unborn(id: RequestId, matter: Matter) -> Request {
    Request {
        id,
        number: None,
        matter,
        status: Status::InProgress,
        due: None,
        pending: vec![],
        course: course::Course::default(),
        continues: None,
        succession: None,
    }
}

/// The request as it stands after these events.
pub fn after<'e>(request: &Request, events: impl IntoIterator<Item = &'e Event>) -> Request {
    let mut stands = request.clone();
    for event in events {
        happen(&mut stands, event);
    }
    stands
}

fn happen(request: &mut Request, event: &Event) {
    match event {
        Event::Queued { opens } => request.matter.opens = *opens,
        Event::Registered { number, day, due } => {
            request.number = Some(*number);
            request.matter.registration_day = *day;
            request.due = Some(*due);
        }
        Event::KindChanged { to, .. } => request.matter.kind = *to,
        Event::TypeChanged { to, .. } => request.matter.type_ = *to,
        Event::InstallationNamed { installation } => {
            request.matter.installation = Some(installation.clone());
        }
        Event::RequesterChanged { to, name } => {
            request.matter.requester = to.clone();
            request.matter.requester_name.clone_from(name);
        }
        Event::StatusChanged { to, at, ending, .. } => {
            match (course::runs(request.status), course::runs(*to)) {
                (true, false) => request.course.turns.push((*at, Turn::Stopped)),
                (false, true) => request.course.turns.push((*at, Turn::Resumed)),
                (true, true) | (false, false) => {}
            }
            request.status = *to;
            request.course.since = Some(*at);
            request.course.reminded = None;
            request.course.ending = *ending;
        }
        Event::Consented { to, by, at, whole } => {
            let given = request.course.consent.take().filter(|c| c.to == *to);
            request.course.consent = Some(and(given, *to, (by.clone(), *at), *whole));
        }
        Event::MoreTimeAsked { reason, .. } => request.course.more_time = Some(reason.clone()),
        Event::Extended { days, at } => request.course.turns.push((*at, Turn::Extended(*days))),
        Event::DueMoved { due } => request.due = Some(*due),
        Event::Continues { number } => request.continues = Some(*number),
        Event::Succession(step) => procedure::happen(&mut request.succession, step),
        Event::Told(told) => match told {
            Told::DueSoon(due) => request.course.warned = Some(*due),
            Told::Overdue(due) => request.course.overdue = Some(*due),
            Told::Reminded(at) => request.course.reminded = Some(*at),
        },
        Event::Reminded { pending, next } => {
            for waits in request.pending.iter_mut().filter(|p| p.id == *pending) {
                waits.remind = *next;
            }
        }
        Event::ReminderPutOff { pending, to } => {
            for waits in request.pending.iter_mut().filter(|p| p.id == *pending) {
                waits.remind = Some(*to);
            }
        }
        Event::Waits {
            kind,
            party,
            lapses,
            remind,
            days,
        } => request.pending.push(Pending {
            // The store names it.
            id: 0,
            kind: *kind,
            party: party.clone(),
            lapses: *lapses,
            remind: *remind,
            days: *days,
        }),
        Event::Settled { pending, .. } => settle(request, *pending),
        Event::Attached { .. }
        | Event::Reworded { .. }
        | Event::Solved { .. }
        | Event::Declined { .. }
        | Event::HandedOver { .. }
        | Event::Noted { .. }
        | Event::Undelivered { .. }
        | Event::RollTaken { .. }
        | Event::Appointment(_) => {}
    }
}

/// What was consented to so far, and one word more.
fn and(given: Option<Consent>, to: Type, word: (Address, DateTime<Utc>), whole: bool) -> Consent {
    let mut by = given.map_or_else(Vec::new, |c| c.by);
    by.push(word);
    Consent { to, by, whole }
}

/// With the last question about more time goes the reason that it was asked for.
fn settle(request: &mut Request, pending: i64) {
    request.pending.retain(|p| p.id != pending);
    let asked = |p: &Pending| p.kind == PendingKind::Extension;
    if !request.pending.iter().any(asked) {
        request.course.more_time = None;
    }
}
