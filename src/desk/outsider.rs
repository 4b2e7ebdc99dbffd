//! Letters of people who are no representatives: redirected, refused, held, ignored, or registered at an open desk (R11, R12).

use super::address::Address;
use super::authority;
use super::decide::{Decision, Incoming, Known, Verdict};
use super::draft::Draft;
use super::letter::From;
use super::notice::{Alert, Purpose, Tells, Template};
use super::people::{Customer, Representative};
use super::policy::{Desk, Strangers};
use super::reception::held;
use super::registration::{acknowledge, bare_matter, open};
use super::request::{Kind, Matter, Status};
use super::subject;
use super::telling;

/// R11: a person of a customer who may not write for it.
pub(super) fn redirected(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    customer: &Customer,
    address: &Address,
    template: Template,
) -> Decision {
    let flooded = flood(&mut draft, known);
    let former = template == Template::NotRepresentative;
    draft.because(if former {
        "The sender was a representative and is none on the day of arrival (R6, R11)"
    } else {
        "The sender belongs to a customer and is none of its representatives (R11)"
    });
    let primary = the_primary(draft.desk, incoming, customer);
    let authenticated = incoming.assurance.is_authenticated();
    if let (Some(primary), true, false) = (
        primary,
        draft.desk.redirect.forward && authenticated && !flooded,
        former,
    ) {
        let tells = Tells {
            requester: Some(address.clone()),
            subject: subject::base(&incoming.letter.subject),
            customer: Some(customer.name.clone()),
            arrived: Some(incoming.arrived),
            ..Tells::default()
        };
        let locale = telling::locale_of(draft.desk, Some(customer));
        let tells = telling::citing(tells, incoming.letter);
        draft.tell(telling::to_representative(
            Template::RedirectedToPrimary,
            primary,
            locale,
            Purpose::Nothing,
            tells,
        ));
    }
    if !authority::may_be_answered(incoming.assurance, incoming.mailbox.authentication) {
        draft.because("The sender's address is not authenticated: recorded in silence (R11, R12)");
    } else if !flooded && may_refuse_again(&mut draft, known) {
        let named =
            primary.filter(|_| draft.desk.redirect.name_primary && authenticated && !former);
        draft.tell(telling::to_outsider(
            draft.desk,
            template,
            address,
            customer.locale,
            incoming.letter,
            named,
        ));
    }
    draft.end(Verdict::Redirected)
}

/// E59: past the budget that all outsiders share nothing is sent for a letter of theirs, but for one alarm; whether it is spent.
fn flood(draft: &mut Draft<'_>, known: &Known) -> bool {
    let most = draft.desk.limits.outsider_letters_per_hour;
    if known.outsider_letters_last_hour < most {
        return false;
    }
    draft.because("Outsiders together caused as many letters as they may: kept silently (E59)");
    draft.capped(format!("outsider_letters_per_hour = {most}"));
    if !known.flood_told {
        telling::alert(draft, None, Tells::default(), Alert::Flood);
    }
    true
}

/// R12: at most so many refusals and redirects a day to one address.
pub(super) fn may_refuse_again(draft: &mut Draft<'_>, known: &Known) -> bool {
    let may = known.refusals_today < draft.desk.limits.refusals_per_day;
    if !may {
        draft.because(
            "The sender was refused or redirected today already: recorded in silence (R12)",
        );
    }
    may
}

/// The primary that a colleague may turn to: of the installation that the letter names, or the only primary there is.
fn the_primary<'a>(
    desk: &Desk,
    incoming: &Incoming<'_>,
    customer: &'a Customer,
) -> Option<&'a Representative> {
    let day = desk.calendar.day_of(incoming.arrived);
    let named = incoming.mailbox.installation.as_deref();
    if let Some(installation) = customer
        .installations
        .iter()
        .find(|i| Some(i.id.as_str()) == named)
    {
        return installation.primary(day);
    }
    let mut primaries = customer.installations.iter().filter_map(|i| i.primary(day));
    let first = primaries.next()?;
    primaries
        .all(|p| desk.directory.same(&p.address, &first.address))
        .then_some(first)
}

/// R12: a stranger, as the mailbox is configured.
pub(super) fn stranger(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    address: &Address,
) -> Decision {
    draft.because("The sender is nobody the desk knows (R12)");
    if let Some(warning) = lookalike(&draft, incoming, address) {
        if incoming.mailbox.strangers != Strangers::Ignore {
            return held(draft, incoming, Tells::default(), warning);
        }
        draft.because(warning);
    }
    let may_be_answered =
        authority::may_be_answered(incoming.assurance, incoming.mailbox.authentication);
    match incoming.mailbox.strangers {
        Strangers::Ignore => draft.end(Verdict::Ignored),
        Strangers::Hold => held(
            draft,
            incoming,
            Tells::default(),
            "The mailbox holds strangers' letters for a specialist (R12)".into(),
        ),
        Strangers::Refuse => {
            if !may_be_answered {
                draft.because(
                    "The sender's address is not authenticated: recorded in silence (R12)",
                );
            } else if !flood(&mut draft, known) && may_refuse_again(&mut draft, known) {
                draft.tell(telling::to_outsider(
                    draft.desk,
                    Template::Refused,
                    address,
                    None,
                    incoming.letter,
                    None,
                ));
            }
            draft.end(Verdict::Refused)
        }
        Strangers::AcceptQuestions => open_desk(draft, known, incoming, address, may_be_answered),
    }
}

/// S12: a stranger who looks like somebody on file is put before a person in place of being answered or registered.
fn lookalike(draft: &Draft<'_>, incoming: &Incoming<'_>, address: &Address) -> Option<String> {
    let From::One { name, .. } = &incoming.letter.from else {
        return None;
    };
    let why = draft.desk.directory.lookalike(address, name)?;
    Some(format!("The sender is not whom it looks like: {why} (S12)"))
}

/// R12 `accept-questions`: registered as a question of an unknown organisation; acknowledged only if the address is authenticated (S37).
fn open_desk(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    address: &Address,
    may_be_answered: bool,
) -> Decision {
    if !authority::is_credible(incoming.assurance, incoming.mailbox.authentication) {
        return held(
            draft,
            incoming,
            Tells::default(),
            "The evidence speaks against the sender (R13)".into(),
        );
    }
    if known.requests_last_hour >= draft.desk.limits.requests_per_hour {
        draft.because("A stranger past the limit of requests: kept for a specialist (R48)");
        return draft.end(Verdict::Held);
    }
    if flood(&mut draft, known) {
        return draft.end(Verdict::Held);
    }
    draft.because("The mailbox takes strangers' questions; their organisation is unknown (R12)");
    let mut matter = Matter {
        customer: None,
        ..bare_matter(
            draft.desk,
            incoming,
            draft.desk.locale,
            Kind::Question,
            address,
        )
    };
    matter.acknowledged &= may_be_answered;
    let acknowledged = matter.acknowledged;
    if !acknowledged {
        draft.because("The sender's address is not authenticated: registered without an acknowledgement (S37)");
        draft.keep_silent_to(address);
    }
    let opened = open(&mut draft, known, incoming, matter, Status::InProgress);
    acknowledge(&mut draft, incoming, &opened);
    opened.end(draft)
}
