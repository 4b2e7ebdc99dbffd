//! What becomes of a letter: the walk from "has it been seen" to whose letter it is (R1, R3, R5, R46, R48).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::authority;
use super::bounce;
use super::decide::{Decision, Incoming, Known, Lead, Sender, Verdict};
use super::directive;
use super::draft::Draft;
use super::event::Event;
use super::letter::{Automatic, From};
use super::notice::{Alert, Tells, Template};
use super::outsider;
use super::people::{Appointment, Customer, Role, Standing};
use super::policy::Desk;
use super::reply;
use super::representative;
use super::service;
use super::specialist;
use super::succession::{conduct, opening};
use super::telling;

/// Decides on one letter.
pub(super) fn letter(
    desk: &Desk,
    known: &Known,
    incoming: &Incoming<'_>,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    if known.seen_before {
        draft.because("The same letter was decided on before (R3)");
        return draft.end(Verdict::Duplicate);
    }
    draft.watch_alerts(known);
    let day = desk.calendar.day_of(incoming.arrived);
    let standing = incoming
        .letter
        .from
        .address()
        .map_or(Standing::Stranger, |a| desk.directory.standing(a, day));
    draft.sender = Some(sender(&standing, None));
    draft.findings().rejected.extend(known.rejected.clone());
    watch_tokens(&mut draft, known, incoming);
    let machine = desk.breakers.machine(incoming.letter);
    if let Some((what, why)) = machine {
        match from_machine(draft, known, incoming, &standing, what, why) {
            Ok(decision) => return decision,
            Err(back) => draft = *back,
        }
    }
    let address = match &incoming.letter.from {
        From::One { address, .. } => address.clone(),
        From::Nobody { why, .. } => {
            let reason = format!("Nobody can be named as its sender: {why} (R5)");
            return held(draft, incoming, Tells::default(), reason);
        }
    };
    if standing == Standing::Own {
        draft.because("It comes from the desk's own address (R46)");
        return draft.end(Verdict::Automatic);
    }
    if known.replayed {
        let reason = "Its signature was seen before under another letter: one of the two was sent again by somebody else (K4)";
        return held(draft, incoming, Tells::default(), reason.into());
    }
    watch_sender(&mut draft, known, incoming, &standing, &address);
    if machine.is_none() {
        match service::letter(draft, known, incoming, &standing, &address) {
            Ok(decision) => return decision,
            Err(back) => draft = *back,
        }
    }
    if let Some(reason) = unclear(desk, known, &standing, &address) {
        return held(draft, incoming, Tells::default(), reason);
    }
    if let Some(lead) = &known.lead {
        match reply::letter(draft, known, incoming, lead, &standing, &address) {
            reply::Result::Decided(decision) => return *decision,
            reply::Result::NotAbout(back) => draft = *back,
        }
    }
    if machine.is_some() {
        draft.keep_silent_to(&address);
    } else if opening::is_asked(desk, incoming.letter) {
        match opening::letter(draft, known, incoming, &standing, &address) {
            opening::Result::Decided(decision) => return *decision,
            opening::Result::NotTheirs(back) => draft = *back,
        }
    }
    on_its_own(draft, known, incoming, &standing, &address)
}

/// A machine's mark: its report on a letter of ours, what no person wrote, or, where a representative's letter only looks like it, a letter that
/// is not answered.
fn from_machine<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'_>,
    what: Automatic,
    why: &str,
) -> Result<Decision, Box<Draft<'a>>> {
    let on_file = matches!(standing, Standing::Representative(_));
    draft
        .findings()
        .opposing
        .push(format!("A machine's mark, {}: {why}", what.word()));
    if let (Some(bounce), Some(returned)) = (&incoming.letter.bounce, &known.returned) {
        draft.because(format!("A mail system reports on a letter ({why})"));
        return Ok(bounce::bounced(draft, bounce, returned));
    }
    // What a known person writes is no mail system's report unless it returns a letter of ours.
    let perhaps = matches!(what, Automatic::Bulk | Automatic::Bounce);
    if !perhaps || !on_file {
        draft.because(format!(
            "No person wrote it for the desk: {} ({why}); never answered (R46)",
            what.word()
        ));
        return Ok(automatic(draft, known, incoming, standing));
    }
    draft.because(format!(
        "Taken for {} ({why}), but from a representative: taken, and not answered (R46)",
        what.word()
    ));
    Err(Box::new(draft))
}

/// R48: past a limit on what one sender may cause nothing is sent for it, and the specialists are told once. Whoever proves to work here
/// causes as much as the work does.
fn watch_sender(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'_>,
    address: &Address,
) {
    let works_here = matches!(standing, Standing::Specialist(_))
        && specialist::is_proved(draft.desk, incoming, known.lead.as_ref(), address);
    if !works_here && draft.watch_limits(known, incoming.assurance) && !known.limit_told {
        telling::alert(draft, Some(incoming), Tells::default(), Alert::OverLimit);
    }
}

/// So many tokens in an hour from one domain that are none of ours: somebody may be guessing (`TRUST` 5 rule 5).
const BAD_TOKENS: u32 = 20;

fn watch_tokens(draft: &mut Draft<'_>, known: &Known, incoming: &Incoming<'_>) {
    let domain = incoming.letter.from.address().map(Address::domain);
    if let (Some(domain), true, false) = (
        domain,
        known.bad_tokens_last_hour > BAD_TOKENS,
        known.bad_tokens_told,
    ) {
        draft.because(
            "So many tokens from this domain were none of ours that the specialists are told",
        );
        let alert = Alert::BadTokens(domain.to_owned(), known.bad_tokens_last_hour);
        telling::alert(draft, None, Tells::default(), alert);
    }
}

/// D48: equally strong clues lead a party to several requests, and nothing tells which is meant. A wrong guess would be worse than a question.
fn unclear(
    desk: &Desk,
    known: &Known,
    standing: &Standing<'_>,
    address: &Address,
) -> Option<String> {
    let theirs: Vec<String> = known
        .unclear
        .iter()
        .filter(|r| reply::is_party(desk, r, standing, address))
        .map(reply::named)
        .collect();
    (!theirs.is_empty()).then(|| {
        format!(
            "It names several requests, and nothing tells which is meant: {}",
            theirs.join(", ")
        )
    })
}

/// A letter that continues nothing, by what its sender is on the day of arrival.
fn on_its_own<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'a>,
    address: &Address,
) -> Decision {
    let unmoved = Tells::default();
    match standing {
        Standing::Representative(appointments) => {
            representative::letter(draft, known, incoming, appointments, address)
        }
        Standing::Colleague(customer) => {
            let template = Template::Redirected;
            outsider::redirected(draft, known, incoming, customer, address, template)
        }
        Standing::Former(customer) => {
            let template = Template::NotRepresentative;
            outsider::redirected(draft, known, incoming, customer, address, template)
        }
        Standing::Stranger => outsider::stranger(draft, known, incoming, address),
        Standing::Official(_) => {
            let why = "It comes from an official address of a contract: a specialist decides (R28)";
            held(draft, incoming, unmoved, why.into())
        }
        Standing::Specialist(person) => {
            if conduct::opens(&incoming.letter.new_text) {
                return conduct::open(draft, known, incoming, person);
            }
            let spoken = directive::read(&incoming.letter.new_text);
            if spoken.is_command() {
                return specialist::letter(draft, known, incoming, None, person, spoken);
            }
            let why = "One of the desk's own people wrote it, about no request that is known";
            held(draft, incoming, unmoved, why.into())
        }
        Standing::Approver(_) | Standing::Developer(_) | Standing::Supervisor(_) => {
            let why = "One of the desk's own people wrote it, about no request that is known";
            held(draft, incoming, unmoved, why.into())
        }
        Standing::Own => {
            draft.because("It comes from the desk's own address (R46)");
            draft.end(Verdict::Automatic)
        }
    }
}

/// The sender as the record names them.
pub(super) fn sender(standing: &Standing<'_>, at: Option<&Appointment<'_>>) -> Sender {
    let customer = |c: &Customer| Some(c.id.clone());
    let (role, customer, installation) = match standing {
        Standing::Representative(appointments) => {
            let shown = at.or_else(|| appointments.first());
            let role = match shown.map(|a| a.person.role) {
                Some(Role::Primary) => "primary",
                Some(Role::Additional) => "additional",
                Some(Role::Contract) => "contract",
                None => "stranger",
            };
            let only = appointments.len() == 1;
            let installation = shown
                .filter(|_| at.is_some() || only)
                .map(|a| a.installation.id.clone());
            (role, shown.and_then(|a| customer(a.customer)), installation)
        }
        Standing::Specialist(_) => ("specialist", None, None),
        Standing::Approver(_) => ("approver", None, None),
        Standing::Developer(_) => ("developer", None, None),
        Standing::Supervisor(_) => ("supervisor", None, None),
        Standing::Official(c) => ("official", customer(c), None),
        Standing::Former(c) => ("former", customer(c), None),
        Standing::Colleague(c) => ("colleague", customer(c), None),
        Standing::Own | Standing::Stranger => ("stranger", None, None),
    };
    Sender {
        role,
        customer,
        installation,
    }
}

/// R46: recorded; entered in the history of the request it belongs to, without touching status or clock; never answered.
fn automatic(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    standing: &Standing<'_>,
) -> Decision {
    let directory = &draft.desk.directory;
    let concerned = |lead: &Lead, by: &Address| {
        let to_them = lead.written_to.as_ref();
        authority::is_credible(incoming.assurance, incoming.mailbox.authentication)
            && (reply::is_party(draft.desk, &lead.request, standing, by)
                || to_them.is_some_and(|to| directory.same(to, by)))
    };
    if let (Some(lead), Some(by)) = (&known.lead, incoming.letter.from.address())
        && !concerned(lead, by)
    {
        draft.because("Its sender has no part in the request that it names: only recorded (S5)");
    } else if let (Some(lead), Some(by)) = (&known.lead, incoming.letter.from.address()) {
        draft.because(format!(
            "It belongs to a request by {}",
            lead.evidence.in_words()
        ));
        draft.concerns(&lead.request);
        draft.event(Event::Attached {
            by: by.clone(),
            evidence: lead.evidence.in_words().to_owned(),
            internal: true,
        });
    }
    draft.end(Verdict::Automatic)
}

/// A person must decide; the specialists are told why.
pub(super) fn held(
    mut draft: Draft<'_>,
    incoming: &Incoming<'_>,
    tells: Tells,
    reason: String,
) -> Decision {
    draft.because(reason.clone());
    telling::alert(&mut draft, Some(incoming), tells, Alert::Held(reason));
    draft.end(Verdict::Held)
}
