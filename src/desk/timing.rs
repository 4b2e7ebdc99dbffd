//! What time itself brings about: openings (R16), lapses (R10, R13); and what is told of letters that could not be read or delivered.

use chrono::{DateTime, Utc};

use super::address::Address;
use super::consent;
use super::course;
use super::decide::{Decision, Known, Verdict};
use super::draft::Draft;
use super::event::{Event, Outcome};
use super::notice::{Alert, Purpose, Tells, Template};
use super::policy::{Desk, MailboxPolicy};
use super::registration;
use super::reply;
use super::request::{Pending, PendingKind, Request, Status};
use super::succession::report;
use super::telling::{self, State};

/// R16, R17: a queued request gets its number, and its requester hears it.
pub(super) fn opening(
    desk: &Desk,
    known: &Known,
    request: &Request,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    let (registered, number, due) = registration::registered(desk, known, &request.matter);
    draft.because(format!(
        "The opening of {} has come: registered as {number} (R16, R17)",
        request.matter.registration_day
    ));
    draft.concerns(request);
    draft.event(registered);
    let state = State {
        number: Some(number),
        status: request.status,
        due: Some(due),
    };
    let tells = telling::tells(desk, &request.matter, state);
    // A call that was answered at once (R41) is not told that an answer will come.
    let template = if course::runs(request.status) || request.status == Status::AwaitingInformation
    {
        Template::Registered
    } else {
        Template::StatusChanged
    };
    let thread = telling::continuing(&request.matter);
    if request.succession.is_some() {
        report::requester(&mut draft, request, Template::SuccessionReceived, thread);
    } else if request.matter.acknowledged {
        draft.tell(telling::to_requester(
            template,
            &request.matter,
            thread,
            Purpose::Reply,
            tells.clone(),
        ));
    }
    if !request.matter.quiet {
        telling::specialists(&mut draft, None, tells);
    }
    consent::ask_at_registration(&mut draft, known.opening.as_deref());
    draft.end(Verdict::Registered)
}

/// R10, R13: nobody said the word in time. An order stays the question it was registered as.
pub(super) fn lapse(
    desk: &Desk,
    request: &Request,
    pending: &Pending,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.because(format!(
        "Nobody settled {} in time (R10, R13)",
        pending.kind.word()
    ));
    draft.concerns(request);
    draft.event(Event::Settled {
        pending: pending.id,
        outcome: Outcome::Lapsed,
        by: None,
    });
    if request.matter.quiet {
        draft.because("It was registered past a limit: nobody is told (R48)");
        return draft.end(Verdict::Attached);
    }
    match pending.kind {
        PendingKind::PrimaryConfirmation | PendingKind::Challenge => {
            reply::tell_concerned(
                &mut draft,
                request,
                pending,
                Template::OrderLapsed,
                &request.matter,
                None,
            );
        }
        // They were told that nothing took effect; that they never wrote again is no news.
        PendingKind::Commands => {}
        PendingKind::Identity
        | PendingKind::WhichInstallation
        | PendingKind::Consent
        | PendingKind::Extension => {
            let tells = telling::tells(desk, &request.matter, State::of(request));
            telling::alert(
                &mut draft,
                None,
                tells,
                Alert::Held(format!("Nobody settled {} in time", pending.kind.word())),
            );
        }
    }
    draft.end(Verdict::Attached)
}

/// A letter that nobody could read is put before a person, with its original kept (A4).
pub(super) fn unreadable(
    desk: &Desk,
    mailbox: &MailboxPolicy,
    arrived: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.because(format!(
        "Three attempts could not read it; its original is kept (mailbox {})",
        mailbox.name
    ));
    let tells = Tells {
        arrived: Some(arrived),
        ..Tells::default()
    };
    telling::alert(&mut draft, None, tells, Alert::Unreadable);
    draft.end(Verdict::Unreadable)
}

/// A letter of ours that will never arrive: entered in the history, brought to the specialists; one about a failure is only recorded.
pub(super) fn undelivered(
    desk: &Desk,
    request: Option<&Request>,
    to: &Address,
    why: &str,
    internal: bool,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.because(format!(
        "A letter of the desk could not be delivered: {why}"
    ));
    if let Some(request) = request {
        draft.concerns(request);
        draft.event(Event::Undelivered {
            to: to.clone(),
            why: why.to_owned(),
            outbox: None,
        });
    }
    if !internal {
        tell_undelivered(&mut draft, request, to, why);
    }
    draft.end(Verdict::Attached)
}

/// Brings a letter that is lost to the specialists (R47).
pub(super) fn tell_undelivered(
    draft: &mut Draft<'_>,
    request: Option<&Request>,
    to: &Address,
    why: &str,
) {
    let tells = request.map_or_else(Tells::default, |request| {
        let (matter, state) = draft.after(request);
        telling::tells(draft.desk, &matter, state)
    });
    let alert = Alert::Undelivered(to.clone(), why.to_owned());
    telling::alert(draft, None, tells, alert);
}
