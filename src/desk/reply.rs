//! A letter that is about an existing request: whether its sender is a party, and what their word settles (R8, R10, R13, R14, R22, S5).

use super::address::Address;
use super::approval;
use super::authority;
use super::consent;
use super::decide::{Decision, Evidence, Incoming, Known, Lead, Verdict};
use super::draft::Draft;
use super::event::{Event, Outcome};
use super::naming;
use super::notice::{Alert, Purpose, Tells, Template};
use super::people::{OrdersRequire, Standing};
use super::reception;
use super::request::{Kind, Matter, Pending, PendingKind, Request, Status};
use super::requester::{self, Effect};
use super::specialist;
use super::staff;
use super::subject;
use super::succession::opening;
use super::telling::{self, State};
use super::words::{self, Answer};

/// Whether the letter was decided on here.
pub(super) enum Result<'a> {
    /// It was.
    Decided(Box<Decision>),
    /// It is not about that request after all: decide on it as on a new one.
    NotAbout(Box<Draft<'a>>),
}

/// Decides on a letter that the evidence leads to a request.
pub(super) fn letter<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
    address: &Address,
) -> Result<'a> {
    let request = &lead.request;
    draft.because(format!(
        "It seems to be about {}: {}",
        named(request),
        lead.evidence.in_words()
    ));
    if let Some(asked) = approval::asked(&draft, lead, address) {
        return Result::Decided(Box::new(approval::answer(
            draft, known, incoming, lead, asked,
        )));
    }
    if matches!(
        standing,
        Standing::Specialist(_)
            | Standing::Approver(_)
            | Standing::Developer(_)
            | Standing::Supervisor(_)
    ) {
        let decision = staff::letter(draft, known, incoming, lead, standing, address);
        return Result::Decided(Box::new(decision));
    }
    if specialist::is_inside(lead) || !is_party(draft.desk, request, standing, address) {
        return outsider(draft, incoming, lead, standing);
    }
    if forwards(incoming, lead) {
        draft.because(format!(
            "It passes on a letter of {}: a matter of its own, beside that request (D48)",
            named(request)
        ));
        draft.reject(lead, "the letter passes it on and does not answer it");
        draft.hint(format!("It passes on a letter of {}", named(request)));
        return Result::NotAbout(Box::new(draft));
    }
    let authentication = incoming.mailbox.authentication;
    if !authority::is_credible(incoming.assurance, authentication) {
        let tells = telling::tells(draft.desk, &request.matter, State::of(request));
        return Result::Decided(Box::new(reception::held(
            draft,
            incoming,
            tells,
            "The evidence speaks against the sender (R13)".into(),
        )));
    }
    let waits_for_them = waiting_for(draft.desk, request, lead.evidence, address).is_some();
    let effect = requester::effect(&draft, incoming, request, standing, address);
    if let (Effect::OpensAnother(number), false) = (effect, waits_for_them) {
        draft.because(format!(
            "{number} was closed so long ago that a reply opens a new request (R23)"
        ));
        draft.reject(lead, "it was closed too long ago to be taken up again");
        draft.goes_on_from(number);
        return Result::NotAbout(Box::new(draft));
    }
    Result::Decided(Box::new(continues(
        draft, known, incoming, lead, standing, address, effect,
    )))
}

/// A party's letter: entered, and whatever it settles or moves.
fn continues(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
    address: &Address,
    effect: Effect,
) -> Decision {
    let request = &lead.request;
    draft.because("The sender is a party of the request: the letter continues it (R44)");
    draft.findings().supporting.push(format!(
        "It is about {}: {}",
        named(request),
        lead.evidence.in_words()
    ));
    let passed_before = draft.is_quiet();
    if draft.watch_request(known) && !passed_before && !known.limit_told {
        telling::alert(
            &mut draft,
            Some(incoming),
            Tells::default(),
            Alert::OverLimit,
        );
    }
    draft.concerns(request);
    draft.event(Event::Attached {
        by: address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: false,
    });
    let settled = settles(&mut draft, known, incoming, lead, standing, address);
    let brought = opening::went_on(&mut draft, incoming, request, standing);
    if !settled && !opening::still_waits(&mut draft) {
        requester::take(&mut draft, incoming, request, address, effect);
    }
    if brought {
        opening::told_again(&mut draft, incoming, request);
    }
    // As it stands after the letter, for that is what they work on.
    let (matter, state) = draft.after(request);
    let tells = telling::tells(draft.desk, &matter, state);
    telling::specialists(&mut draft, Some(incoming), tells);
    draft.end(Verdict::Attached)
}

/// Whether the letter settles what waits for its sender's word.
fn settles(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
    address: &Address,
) -> bool {
    match waiting_for(draft.desk, &lead.request, lead.evidence, address) {
        Some(pending) if may_settle(draft.desk, incoming, lead, pending) => {
            settle(draft, known, incoming, lead, pending, standing)
        }
        Some(_) => {
            draft.because("A word of confirmation would need more proof of its sender: the domain's word, or what the customer demands (R13)");
            false
        }
        None => false,
    }
}

/// Whether the sender is proved as what waits demands it (R13).
fn may_settle(
    desk: &super::policy::Desk,
    incoming: &Incoming<'_>,
    lead: &Lead,
    pending: &Pending,
) -> bool {
    let authentication = incoming.mailbox.authentication;
    let customer = lead.request.matter.customer.as_deref();
    let demand = match pending.kind {
        PendingKind::Challenge | PendingKind::PrimaryConfirmation => customer
            .and_then(|id| desk.directory.customer(id))
            .map_or(OrdersRequire::Domain, |c| c.orders_require),
        // Who asks for a change of representative proves themselves as for an order; the letter's signature is another matter (R30).
        PendingKind::Identity if lead.request.succession.is_some() => customer
            .and_then(|id| desk.directory.customer(id))
            .map_or(OrdersRequire::Domain, |c| {
                authority::to_ask(c.orders_require)
            }),
        PendingKind::Identity
        | PendingKind::WhichInstallation
        | PendingKind::Consent
        | PendingKind::Extension
        | PendingKind::Commands => OrdersRequire::Domain,
    };
    let answers_secret = lead.evidence == Evidence::Confirmation(pending.id);
    authority::may_confirm(incoming.assurance, authentication, demand, answers_secret)
}

/// D48: a forward is told by its subject. The secret of a letter that asked for a word, and an address made for answering, are answers all the same.
fn forwards(incoming: &Incoming<'_>, lead: &Lead) -> bool {
    let answers = matches!(
        lead.evidence,
        Evidence::Confirmation(_) | Evidence::ReplyAddress
    );
    !answers && subject::is_forward(&incoming.letter.subject)
}

pub(super) fn named(request: &Request) -> String {
    request
        .number
        .map_or_else(|| "a request that is queued".to_owned(), |n| n.to_string())
}

/// The requester, or a representative in office of the same customer.
pub(super) fn is_party(
    desk: &super::policy::Desk,
    request: &Request,
    standing: &Standing<'_>,
    address: &Address,
) -> bool {
    match standing {
        Standing::Representative(appointments) => appointments
            .iter()
            .any(|a| Some(&a.customer.id) == request.matter.customer.as_ref()),
        // A requester without a customer has nobody's authority to lose; one who was a representative has lost it (R6).
        Standing::Stranger | Standing::Colleague(_) => {
            request.matter.customer.is_none()
                && desk.directory.same(&request.matter.requester, address)
        }
        // The contract's addresses are heard where representatives change, and nowhere else (R28).
        Standing::Official(customer) => request
            .succession
            .as_deref()
            .is_some_and(|p| p.customer == customer.id),
        Standing::Own
        | Standing::Specialist(_)
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_)
        | Standing::Former(_) => false,
    }
}

/// S5: whoever is not a party joins no request and is told nothing of it. Where only a number led there the letter goes on by itself; what
/// carries a token or answers a letter of the request waits for a person, and the request gets a hint.
fn outsider<'a>(
    mut draft: Draft<'a>,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
) -> Result<'a> {
    draft.because("The sender is not a party of that request: nothing is joined (S5)");
    draft.reject(lead, "the sender is not a party of that request");
    let on_their_own = match standing {
        // Whoever lost their office is told so, whatever they answer (C39).
        Standing::Former(_) => true,
        // A number is easily written; a token or Message-ID was in somebody's hands.
        Standing::Representative(_)
        | Standing::Colleague(_)
        | Standing::Stranger
        | Standing::Official(_) => lead.evidence == Evidence::SubjectNumber,
        Standing::Own
        | Standing::Specialist(_)
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_) => false,
    };
    if on_their_own {
        draft.hint(format!(
            "Possible follow-up to {}, of which its sender is not a party",
            named(&lead.request)
        ));
        return Result::NotAbout(Box::new(draft));
    }
    let reason = format!(
        "Possible follow-up to {} by somebody who is not a party",
        named(&lead.request)
    );
    draft.concerns(&lead.request);
    draft.event(Event::Noted {
        what: reason.clone(),
    });
    let tells = Tells {
        number: lead.request.number,
        ..Tells::default()
    };
    draft.because(reason.clone());
    telling::alert(&mut draft, Some(incoming), tells, Alert::Held(reason));
    Result::Decided(Box::new(draft.end(Verdict::Held)))
}

/// What waits for this sender's word: what the token names, or the only one there is.
fn waiting_for<'r>(
    desk: &super::policy::Desk,
    request: &'r Request,
    evidence: Evidence,
    address: &Address,
) -> Option<&'r Pending> {
    // What approvers are asked is settled elsewhere.
    let asked = |p: &&Pending| consent::Question::of(request, p.kind).is_none();
    let mut theirs = request
        .pending
        .iter()
        .filter(asked)
        .filter(|p| desk.directory.same(&p.party, address));
    if let Evidence::Confirmation(id) = evidence {
        return theirs.find(|p| p.id == id);
    }
    let first = theirs.next()?;
    theirs.next().is_none().then_some(first)
}

/// What the word settles; whether it settled anything.
fn settle(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    pending: &Pending,
    standing: &Standing<'_>,
) -> bool {
    let request = &lead.request;
    if pending.kind == PendingKind::WhichInstallation {
        return naming::name_installation(draft, incoming, lead, pending, standing);
    }
    match words::read(&draft.desk.words, &incoming.letter.new_text) {
        Answer::Unclear => {
            draft.because(
                "No word of confirmation stands at its beginning: read as an ordinary reply (R10)",
            );
            false
        }
        Answer::Decline(reason) => {
            draft.because("The word was refused (R10)");
            close_pending(draft, pending, Outcome::Declined);
            opening::disowned(draft, request);
            tell_concerned(
                draft,
                request,
                pending,
                Template::OrderDeclined,
                &request.matter,
                reason,
            );
            true
        }
        Answer::Confirm(own_words) => {
            confirm(draft, known, incoming, lead, pending, standing, own_words)
        }
    }
}

fn confirm(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    pending: &Pending,
    standing: &Standing<'_>,
    own_words: Option<String>,
) -> bool {
    let request = &lead.request;
    if pending.kind == PendingKind::Identity {
        draft.because("The sender confirmed that the letter is theirs (R13)");
        close_pending(draft, pending, Outcome::Confirmed);
        let why = "The requester confirmed that the letter is theirs";
        if request.succession.is_some() {
            let to = Status::InProgress;
            let moved = requester::moved(incoming, &pending.party, to, why);
            opening::confirmed(draft, incoming, request, moved);
        } else {
            requester::move_to(draft, incoming, &pending.party, Status::InProgress, why);
        }
        consent::ask_at_registration(draft, known.opening.as_deref());
        return true;
    }
    if !is_primary(request, standing) {
        draft.because("The word counts only from the installation's primary representative, and the sender is none any more (R6, R10)");
        return false;
    }
    draft.because("The primary representative confirmed: it is their order (R10, R13)");
    close_pending(draft, pending, Outcome::Confirmed);
    draft.event(Event::KindChanged {
        to: Kind::Order,
        by: pending.party.clone(),
    });
    if let (Some(text), PendingKind::PrimaryConfirmation) = (own_words, pending.kind) {
        draft.event(Event::Reworded {
            by: pending.party.clone(),
            text,
        });
    }
    let matter = Matter {
        kind: Kind::Order,
        ..request.matter.clone()
    };
    tell_concerned(
        draft,
        request,
        pending,
        Template::OrderConfirmed,
        &matter,
        None,
    );
    true
}

fn is_primary(request: &Request, standing: &Standing<'_>) -> bool {
    let Standing::Representative(appointments) = standing else {
        return false;
    };
    appointments.iter().any(|a| {
        a.person.role == super::people::Role::Primary
            && Some(&a.installation.id) == request.matter.installation.as_ref()
    })
}

pub(super) fn close_pending(draft: &mut Draft<'_>, pending: &Pending, outcome: Outcome) {
    draft.speak();
    draft.event(Event::Settled {
        pending: pending.id,
        outcome,
        by: Some(pending.party.clone()),
    });
}

/// R10: everyone concerned is told: the requester, and the party where that is somebody else; with what the party said, if they said more.
pub(super) fn tell_concerned(
    draft: &mut Draft<'_>,
    request: &Request,
    pending: &Pending,
    template: Template,
    matter: &Matter,
    said: Option<String>,
) {
    let desk = draft.desk;
    let day = desk.calendar.day_of(draft.now);
    let installation = matter
        .installation
        .as_deref()
        .and_then(|id| desk.directory.installation(id));
    let party = installation.and_then(|(_, i)| {
        i.representatives
            .iter()
            .find(|r| r.in_office(day) && desk.directory.same(&r.address, &pending.party))
    });
    let tells = Tells {
        primary_name: party.map(|p| p.name.clone()),
        text: said,
        ..telling::tells(desk, matter, State::of(request))
    };
    draft.tell(telling::to_requester(
        template,
        matter,
        telling::continuing(matter),
        Purpose::Reply,
        tells.clone(),
    ));
    if let (Some(person), PendingKind::PrimaryConfirmation) = (party, pending.kind) {
        draft.tell(telling::to_representative(
            template,
            person,
            matter.locale,
            Purpose::Reply,
            tells,
        ));
    }
}
