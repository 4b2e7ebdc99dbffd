//! What follows from appointments that have changed (R31): requests pass from whoever left office to whoever took it, by the list of the day alone.

use chrono::{DateTime, NaiveDate, Utc};

use super::procedure::{Change, Named, Procedure};
use crate::desk::address::Address;
use crate::desk::amendment::{Amendment, Person};
use crate::desk::deadline;
use crate::desk::decide::{Decision, Known, Verdict};
use crate::desk::draft::{Draft, StatusChange, Waits};
use crate::desk::event::{Event, Outcome};
use crate::desk::notice::{Tells, Template};
use crate::desk::people::{Appointment, Directory, Installation, Representative, Role, Standing};
use crate::desk::policy::Desk;
use crate::desk::request::{Pending, PendingKind, Request, Status};
use crate::desk::telling;

/// What is to be written into the customer's file for this change; nothing where it is not named.
pub fn amendments(procedure: &Procedure) -> Vec<Amendment> {
    let Some(named) = &procedure.named else {
        return Vec::new();
    };
    let each = procedure.installations.iter();
    match (&named.change, &named.predecessor) {
        (Change::Successor { person, phone }, Some(before)) => each
            .map(|installation| Amendment::Succeed {
                installation: installation.clone(),
                role: Role::Primary,
                successor: Person {
                    name: person.name.clone(),
                    address: person.address.clone(),
                    phone: phone.clone(),
                },
                from: named.from,
                ends: before.address.clone(),
            })
            .collect(),
        (Change::Successor { person, phone }, None) => each
            .map(|installation| Amendment::Appoint {
                installation: installation.clone(),
                role: Role::Primary,
                person: Person {
                    name: person.name.clone(),
                    address: person.address.clone(),
                    phone: phone.clone(),
                },
                from: named.from,
            })
            .collect(),
        (Change::Contact { address, phone }, Some(before)) => vec![Amendment::Contact {
            installations: procedure.installations.clone(),
            address: before.address.clone(),
            new_address: address.clone(),
            new_phone: phone.clone(),
            from: named.from,
        }],
        (Change::Contact { .. }, None) => Vec::new(),
    }
}

/// Whether somebody takes office there on this day or later already: a change before that would make two of them.
pub fn is_taken(installation: &Installation, from: NaiveDate) -> bool {
    let later = |r: &Representative| r.role == Role::Primary && r.since >= from;
    installation.representatives.iter().any(later)
}

/// Whether the customers' files say what was named, whoever wrote it there (R30).
pub fn is_written(directory: &Directory, installations: &[String], named: &Named) -> bool {
    let says = |id: &String| {
        let there = directory.installation(id);
        let Some(primary) = there.and_then(|(_, i)| i.primary(named.from)) else {
            return false;
        };
        let same = |a: &Address| directory.same(a, &primary.address);
        match &named.change {
            Change::Successor { person, .. } => {
                same(&person.address) && primary.since == named.from
            }
            Change::Contact { address, phone } => {
                // A new address is an appointment of its own, unless a person wrote it over the old one.
                let new = named.predecessor.as_ref().is_none_or(|p| !same(&p.address));
                let stands = |a| same(a) && (new || primary.since == named.from);
                address.as_ref().is_none_or(stands)
                    && phone
                        .as_ref()
                        .is_none_or(|p| Some(p) == primary.phone.as_ref())
            }
        }
    };
    !installations.is_empty() && installations.iter().all(says)
}

/// Somebody who left office, and who took it after them in the same role.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heir<'a> {
    /// Whose appointment is over.
    pub left: &'a Representative,
    /// Who is in office now.
    pub appointment: Appointment<'a>,
}

/// Everybody who holds no office on this day where they once did, with who follows them in the same role: for a primary the one in office, for
/// anybody else whoever took office on the day after.
pub fn heirs(directory: &Directory, day: NaiveDate) -> Vec<Heir<'_>> {
    let mut heirs: Vec<Heir<'_>> = Vec::new();
    for customer in directory.customers() {
        for installation in &customer.installations {
            for left in &installation.representatives {
                let over = left.until.is_some_and(|until| until < day);
                let known = |h: &Heir<'_>| {
                    h.appointment.installation.id == installation.id
                        && directory.same(&h.left.address, &left.address)
                };
                let gone = over && !in_office(directory, installation, &left.address, day);
                let Some(person) = follower(installation, left, day).filter(|_| gone) else {
                    continue;
                };
                if !heirs.iter().any(known) {
                    heirs.push(Heir {
                        left,
                        appointment: Appointment {
                            customer,
                            installation,
                            person,
                        },
                    });
                }
            }
        }
    }
    heirs
}

fn follower<'a>(
    installation: &'a Installation,
    left: &Representative,
    day: NaiveDate,
) -> Option<&'a Representative> {
    if left.role == Role::Primary {
        return installation.primary(day);
    }
    let next = left.until.and_then(|until| until.succ_opt());
    let follows =
        |r: &&Representative| r.role == left.role && r.in_office(day) && Some(r.since) == next;
    installation.representatives.iter().find(follows)
}

fn in_office(
    directory: &Directory,
    there: &Installation,
    address: &Address,
    day: NaiveDate,
) -> bool {
    there
        .representatives
        .iter()
        .any(|r| r.in_office(day) && directory.same(&r.address, address))
}

/// R31: an open request of somebody who left office passes to who is in office now, with everything that waited for the word of the one who left.
pub(in crate::desk) fn pass(
    desk: &Desk,
    known: &Known,
    request: &Request,
    heir: &Heir<'_>,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.concerns(request);
    let to = heir.appointment.person;
    let same = |a: &Address| desk.directory.same(a, &heir.left.address);
    draft.because("Whose request it was is no representative any more: it passes on (R31)");
    if same(&request.matter.requester) {
        draft.event(Event::RequesterChanged {
            to: to.address.clone(),
            name: to.name.clone(),
        });
    }
    if request.matter.installation.is_none() {
        draft.event(Event::InstallationNamed {
            installation: heir.appointment.installation.id.clone(),
        });
    }
    let theirs = |p: &&Pending| is_theirs(p.kind) && same(&p.party);
    for pending in request.pending.iter().filter(theirs) {
        ask_anew(&mut draft, known, request, pending, heir);
    }
    draft.end(Verdict::Attached)
}

/// What waited for the word of somebody who left: an order waits for that of who is in office now; the rest waits no more.
fn ask_anew(
    draft: &mut Draft<'_>,
    known: &Known,
    request: &Request,
    pending: &Pending,
    heir: &Heir<'_>,
) {
    draft.event(Event::Settled {
        pending: pending.id,
        outcome: Outcome::Superseded,
        by: None,
    });
    match pending.kind {
        PendingKind::PrimaryConfirmation | PendingKind::Challenge => {
            let (calendar, deadlines) = (&draft.desk.calendar, &draft.desk.deadlines);
            let today = calendar.day_of(draft.now);
            let lapses = deadline::due(calendar, today, deadlines.confirm);
            let day = calendar.add_working_days(today, deadlines.remind_confirm);
            let remind = calendar
                .opening(day)
                .filter(|_| deadlines.remind_confirm > 0);
            let to = heir.appointment.person;
            let purpose = draft.wait(Waits {
                kind: PendingKind::PrimaryConfirmation,
                party: &to.address,
                lapses,
                remind,
                days: None,
            });
            let (matter, state) = draft.after(request);
            let tells = Tells {
                lapses: Some(lapses),
                primary_name: Some(to.name.clone()),
                primary: Some(to.address.clone()),
                requester_name: Some(request.matter.requester_name.clone()),
                requester: Some(request.matter.requester.clone()),
                ..telling::tells(draft.desk, &matter, state)
            };
            // Nobody confirms what they have not seen.
            let tells = match known.opening.as_deref() {
                Some(letter) => telling::citing(tells, letter),
                None => tells,
            };
            draft.tell(telling::to_representative(
                Template::OrderToConfirm,
                to,
                matter.locale,
                purpose,
                tells,
            ));
        }
        PendingKind::Identity | PendingKind::WhichInstallation => {
            if request.status == Status::AwaitingInformation {
                draft.change_status(StatusChange {
                    to: Status::InProgress,
                    by: None,
                    why: "Whose word was waited for is no representative any more",
                    at: draft.now,
                    ending: None,
                });
            }
        }
        PendingKind::Consent | PendingKind::Extension | PendingKind::Commands => {}
    }
}

/// Whether it waits for the word of somebody at the customer.
fn is_theirs(kind: PendingKind) -> bool {
    match kind {
        PendingKind::PrimaryConfirmation
        | PendingKind::Challenge
        | PendingKind::Identity
        | PendingKind::WhichInstallation => true,
        PendingKind::Consent | PendingKind::Extension | PendingKind::Commands => false,
    }
}

/// Whether a request would pass on for this heir at all.
pub fn concerns(directory: &Directory, request: &Request, heir: &Heir<'_>, day: NaiveDate) -> bool {
    let same = |a: &Address| directory.same(a, &heir.left.address);
    let here = match &request.matter.installation {
        Some(id) => *id == heir.appointment.installation.id,
        // Where none is named yet, whoever left must hold no other office of the customer.
        None => {
            request.matter.customer.as_deref() == Some(heir.appointment.customer.id.as_str())
                && !matches!(
                    directory.standing(&heir.left.address, day),
                    Standing::Representative(_)
                )
        }
    };
    let waits = request
        .pending
        .iter()
        .any(|p| is_theirs(p.kind) && same(&p.party));
    request.status != Status::Closed && here && (same(&request.matter.requester) || waits)
}
