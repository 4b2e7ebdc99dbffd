//! The reply that names the installation of an order: the order is judged anew, on the strength of the letter that gave it (R8, R13).

use super::assurance::SenderAssurance;
use super::authority::{self, Grant, Wish};
use super::consent;
use super::decide::{Incoming, Lead};
use super::draft::{Draft, StatusChange};
use super::event::{Event, Outcome};
use super::installation;
use super::notice::{Purpose, Template};
use super::people::{Appointment, Standing};
use super::policy::Authentication;
use super::reply;
use super::representative;
use super::request::{Kind, Matter, Pending, PendingKind, Status};
use super::telling;
use super::words;

/// R8: the reply names the installation; the order is judged anew for it.
pub(super) fn name_installation(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    lead: &Lead,
    pending: &Pending,
    standing: &Standing<'_>,
) -> bool {
    let request = &lead.request;
    let Standing::Representative(appointments) = standing else {
        return false;
    };
    let text = &incoming.letter.new_text;
    let named = installation::named(appointments, text).filter(|_| !words::is_quotation(text));
    let Some(appointment) = named else {
        draft.because("The reply names none of the sender's installations, or several (R8)");
        return false;
    };
    draft.because(format!(
        "The reply names {} (R8)",
        appointment.installation.id
    ));
    reply::close_pending(draft, pending, Outcome::Confirmed);
    draft.event(Event::InstallationNamed {
        installation: appointment.installation.id.clone(),
    });
    draft.change_status(StatusChange {
        to: Status::InProgress,
        by: Some(pending.party.clone()),
        why: "The requester named the installation",
        at: incoming.arrived,
        ending: None,
    });
    let matter = Matter {
        installation: Some(appointment.installation.id.clone()),
        ..request.matter.clone()
    };
    judge_order(draft, incoming, lead, &appointment, matter);
    consent::ask_at_registration(draft, lead.opening.as_deref());
    true
}

/// The order counts on the strength of the letter that gave it: whoever answers which system is meant has not said that the order is theirs.
fn judge_order(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    lead: &Lead,
    appointment: &Appointment<'_>,
    matter: Matter,
) {
    let desk = draft.desk;
    let opened =
        SenderAssurance::recorded(matter.vouched, "what was established when the order came");
    // Where that letter's mailbox demanded nothing, `vouched` says so already.
    let (grant, why) = authority::grant(
        Wish::Order,
        appointment,
        &opened,
        Authentication::Orders,
        desk.orders_from_additional,
    );
    draft.because(why);
    let (_, state) = draft.after(&lead.request);
    let thread = telling::answering(incoming.letter);
    let cited = lead.opening.as_deref().unwrap_or(incoming.letter);
    match grant {
        Grant::Order => {
            draft.event(Event::KindChanged {
                to: Kind::Order,
                by: matter.requester.clone(),
            });
            let matter = Matter {
                kind: Kind::Order,
                ..matter
            };
            let tells = telling::tells(desk, &matter, state);
            draft.tell(telling::to_requester(
                Template::OrderConfirmed,
                &matter,
                thread,
                Purpose::Reply,
                tells,
            ));
        }
        Grant::AfterChallenge => {
            let kind = PendingKind::Challenge;
            representative::challenge(draft, incoming, cited, &matter, state, kind);
        }
        Grant::AfterPrimary => {
            representative::ask_primary(draft, incoming, cited, appointment, &matter, state);
        }
        Grant::Question | Grant::NotAtAll | Grant::Hold => {
            let tells = telling::tells(desk, &matter, state);
            draft.tell(telling::to_requester(
                Template::StatusChanged,
                &matter,
                thread,
                Purpose::Reply,
                tells,
            ));
        }
    }
}
