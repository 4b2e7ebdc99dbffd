//! A bounce that is about a letter of ours: entered in the request's history, and brought to the specialists if the letter is lost (R47).

use super::address::Address;
use super::decide::{Decision, Verdict};
use super::draft::{Draft, StatusChange};
use super::event::Event;
use super::letter::Bounce;
use super::notice::Template;
use super::policy::Desk;
use super::request::{Request, Status};
use super::timing;

/// The letter of ours whose sealed Message-ID a bounce returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its name in the outbox.
    pub outbox: i64,
    /// To whom it went.
    pub to: Address,
    /// The request it was about.
    pub request: Option<Request>,
    /// Its wording.
    pub template: Option<Template>,
    /// Whether it was for the desk's own people.
    pub internal: bool,
    /// Whether it told of another letter's failure.
    pub about_failure: bool,
    /// Whether it is known as lost already.
    pub lost: bool,
}

/// Decides on a bounce that returns a letter of ours. The seal proves only that whoever wrote it has seen that letter's Message-ID; so it
/// must also name the one reader that the letter went to, or nobody.
pub(super) fn bounced(mut draft: Draft<'_>, bounce: &Bounce, returned: &Returned) -> Decision {
    draft.because(format!(
        "It returns a letter of ours to {}: its Message-ID carries our seal (R47)",
        returned.to
    ));
    if !names(draft.desk, bounce, &returned.to) {
        draft.because("It names another recipient than that letter had: no effect (R47)");
        return draft.end(Verdict::Automatic);
    }
    if returned.lost {
        draft.because("That letter is known to be undeliverable already: no further effect");
        return draft.end(Verdict::Automatic);
    }
    if let Some(request) = &returned.request {
        draft.concerns(request);
    }
    let why = reason(bounce);
    if bounce.action != "failed" {
        draft.because("It is not given up yet: noted, nobody is alarmed (R47)");
        draft.event(Event::Noted {
            what: format!("A letter to {} is delayed: {why}", returned.to),
        });
        return draft.end(Verdict::Automatic);
    }
    draft.because(if bounce.permanent {
        "It will never arrive, and its address is dead (R47)"
    } else {
        "It will never arrive, though its address may live (R47)"
    });
    draft.event(Event::Undelivered {
        to: returned.to.clone(),
        why: why.clone(),
        outbox: Some(returned.outbox),
    });
    if let Some(request) = &returned.request {
        back_to_work(&mut draft, request, returned);
    }
    if returned.internal || returned.about_failure {
        draft.because(
            "It was for the desk's own people: another letter about it would fare no better",
        );
    } else {
        timing::tell_undelivered(&mut draft, returned.request.as_ref(), &returned.to, &why);
    }
    draft.end(Verdict::Automatic)
}

/// Whether the bounce names this address, or none at all.
fn names(desk: &Desk, bounce: &Bounce, to: &Address) -> bool {
    let mut named = bounce
        .recipient
        .iter()
        .chain(&bounce.also)
        .filter_map(|a| Address::new(a).ok())
        .peekable();
    named.peek().is_none() || named.any(|a| desk.directory.same(&a, to))
}

/// The mail system's reason: its code and words, and what the code means for the address.
fn reason(bounce: &Bounce) -> String {
    let words = bounce.diagnostic.as_deref().unwrap_or_default();
    let code = bounce
        .status
        .as_deref()
        .filter(|code| !words.contains(code))
        .unwrap_or_default();
    let told = format!("{code} {words}");
    let told = match told.trim() {
        "" => "a mail system returned it without a reason",
        told => told,
    };
    if bounce.permanent {
        format!("{told} (the address is dead)")
    } else {
        told.to_owned()
    }
}

/// A request is not resolved while the letter that says so has not reached its requester (`BEHAVIOURS` G74).
fn back_to_work(draft: &mut Draft<'_>, request: &Request, returned: &Returned) {
    let to_requester = draft
        .desk
        .directory
        .same(&request.matter.requester, &returned.to);
    if request.status == Status::Resolved
        && to_requester
        && returned.template == Some(Template::StatusChanged)
    {
        draft.because("It said that the request is resolved: back to work until it arrives");
        let at = draft.now;
        draft.change_status(StatusChange {
            to: Status::InProgress,
            by: None,
            why: "The letter that said so was not delivered",
            at,
            ending: None,
        });
    }
}
