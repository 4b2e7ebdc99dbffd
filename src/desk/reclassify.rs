//! A specialist makes a question an order or an order a question: the authority check runs again, as of the letter that opened it (R9, R10).

use super::address::Address;
use super::assurance::SenderAssurance;
use super::authority::{self, Grant, Wish};
use super::decide::{Incoming, Lead};
use super::draft::Draft;
use super::event::{Event, Outcome};
use super::letter::Letter;
use super::notice::{Purpose, Template};
use super::people::{Appointment, Standing};
use super::policy::{Authentication, Desk, MailboxPolicy};
use super::representative;
use super::request::{Kind, PendingKind};
use super::telling;

/// What the change is, now that it is weighed.
pub(super) enum Reclassified<'a> {
    /// It is that already.
    Already(Kind),
    /// It becomes a question.
    Question,
    /// It becomes an order, at once or once somebody has said their word.
    Order(Box<Granted<'a>>),
}

/// An order that its requester may give, and what it needs.
pub(super) struct Granted<'a> {
    grant: Grant,
    appointment: Appointment<'a>,
    opening: Letter,
    mailbox: MailboxPolicy,
}

/// Weighs the change.
///
/// # Errors
/// Why it can't be, in words.
pub(super) fn weigh<'a>(
    desk: &'a Desk,
    incoming: &Incoming<'_>,
    lead: &Lead,
    to: Kind,
) -> Result<Reclassified<'a>, String> {
    let request = &lead.request;
    let matter = &request.matter;
    if matter.kind == to {
        return Ok(Reclassified::Already(to));
    }
    if to == Kind::Question {
        return Ok(Reclassified::Question);
    }
    let waits = |kind| request.pending.iter().any(|p| p.kind == kind);
    if waits(PendingKind::PrimaryConfirmation) || waits(PendingKind::Challenge) {
        return Err("It waits already for the word that makes it an order".to_owned());
    }
    let Some(id) = &matter.installation else {
        return Err(
            "An order must name its installation, and nobody knows which it is (R8)".to_owned(),
        );
    };
    let day = desk.calendar.day_of(matter.arrived);
    let standing = desk.directory.standing(&matter.requester, day);
    let all = match standing {
        Standing::Representative(all) => Some(all),
        Standing::Own
        | Standing::Specialist(_)
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_)
        | Standing::Official(_)
        | Standing::Former(_)
        | Standing::Colleague(_)
        | Standing::Stranger => None,
    };
    let of_it = |all: Vec<Appointment<'a>>| all.into_iter().find(|a| a.installation.id == *id);
    let Some(appointment) = all.and_then(of_it) else {
        return Err(
            "Its requester was no representative for this installation when they wrote (R6, R7)"
                .to_owned(),
        );
    };
    let said = SenderAssurance::recorded(matter.vouched, "what was established when it came");
    let from_additional = desk.orders_from_additional;
    // Where that letter's mailbox demanded nothing, `vouched` says so already.
    let (grant, why) = authority::grant(
        Wish::Order,
        &appointment,
        &said,
        Authentication::Orders,
        from_additional,
    );
    if matches!(grant, Grant::NotAtAll | Grant::Hold | Grant::Question) {
        return Err(why.to_owned());
    }
    let Some(opening) = lead.opening.as_deref() else {
        return Err("The letter that opened it is not to be had".to_owned());
    };
    Ok(Reclassified::Order(Box::new(Granted {
        grant,
        appointment,
        opening: opening.clone(),
        mailbox: incoming.mailbox.clone(),
    })))
}

/// Carries the change out; what is told of it.
pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    lead: &Lead,
    by: &Address,
    to: Reclassified<'_>,
) -> String {
    match to {
        Reclassified::Already(kind) => format!("It is {} already", kind.word()),
        Reclassified::Question => question(draft, lead, by),
        Reclassified::Order(granted) => order(draft, lead, by, &granted),
    }
}

/// What was waited for so that it may be an order matters no more.
fn question(draft: &mut Draft<'_>, lead: &Lead, by: &Address) -> String {
    draft.because("A specialist made it a question (R9)");
    draft.event(Event::KindChanged {
        to: Kind::Question,
        by: by.clone(),
    });
    for pending in &lead.request.pending {
        if matches!(
            pending.kind,
            PendingKind::PrimaryConfirmation | PendingKind::Challenge
        ) {
            draft.event(Event::Settled {
                pending: pending.id,
                outcome: Outcome::Superseded,
                by: Some(by.clone()),
            });
        }
    }
    "It is a question from here on; the requester is not written to".to_owned()
}

fn order(draft: &mut Draft<'_>, lead: &Lead, by: &Address, granted: &Granted<'_>) -> String {
    let matter = &lead.request.matter;
    let recorded = SenderAssurance::recorded(matter.vouched, "what was established when it came");
    // To requester and primary this is a word on the letter that opened it, in its thread: of the specialist's own they see nothing (P6).
    let opened = Incoming {
        signatures: &[],
        letter: &granted.opening,
        assurance: &recorded,
        arrived: matter.arrived,
        mailbox: &granted.mailbox,
        tags: &[],
        oversize: None,
    };
    let cited = &granted.opening;
    match granted.grant {
        Grant::AfterPrimary => {
            draft.because("A specialist takes it for an order, and the primary representative is asked for their word (R9, R10)");
            let (matter, state) = draft.after(&lead.request);
            let appointment = &granted.appointment;
            representative::ask_primary(draft, &opened, cited, appointment, &matter, state);
            "The primary representative is asked for their word: until then it stays a question"
                .to_owned()
        }
        Grant::AfterChallenge => {
            draft.because("A specialist takes it for an order, and the registered address is asked whether it is theirs (R9, R13)");
            let (matter, state) = draft.after(&lead.request);
            let kind = PendingKind::Challenge;
            representative::challenge(draft, &opened, cited, &matter, state, kind);
            "The requester is asked for their word: until then it stays a question".to_owned()
        }
        Grant::Order | Grant::Question | Grant::NotAtAll | Grant::Hold => {
            draft.because("A specialist made it an order: its requester may issue orders, and the letter was theirs (R7, R9, R13)");
            draft.event(Event::KindChanged {
                to: Kind::Order,
                by: by.clone(),
            });
            let (matter, state) = draft.after(&lead.request);
            let tells = telling::tells(draft.desk, &matter, state);
            draft.tell(telling::to_requester(
                Template::OrderConfirmed,
                &matter,
                telling::continuing(&matter),
                Purpose::Reply,
                tells,
            ));
            format!(
                "It is an order from here on; mailed to {}",
                matter.requester
            )
        }
    }
}
