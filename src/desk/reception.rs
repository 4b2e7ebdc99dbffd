//! What becomes of a letter: the walk from "has it been seen" to a request, a redirect or a refusal (R1, R3, R5–R14, R16, R46, R48).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::authority::{self, Grant, Wish};
use super::decide::{self, Concern, Decision, Incoming, Known, Sender, Verdict};
use super::draft::Draft;
use super::event::Event;
use super::installation;
use super::kind;
use super::letter::{Automatic, From};
use super::notice::{Alert, Purpose, Tells, Template};
use super::people::{Appointment, Customer, Locale, Role, Standing};
use super::policy::{Authentication, Desk, Strangers};
use super::reply;
use super::request::{Kind, Matter, PendingKind, Status, Type};
use super::telling::{self, State};
use super::{deadline, subject};

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
    let day = desk.calendar.day_of(incoming.arrived);
    let standing = incoming
        .letter
        .from
        .address()
        .map_or(Standing::Stranger, |a| desk.directory.standing(a, day));
    draft.sender = Some(sender(&standing, None));
    if let Some((what, why)) = &incoming.letter.automatic {
        let on_file = matches!(standing, Standing::Representative(_));
        if *what != Automatic::Bulk || !on_file {
            draft.because(format!(
                "No person wrote it for the desk: {} ({why}); never answered (R46)",
                what.word()
            ));
            return automatic(draft, known, incoming);
        }
        draft.because(format!(
            "Marked as bulk ({why}), but from a representative: taken, and not answered (R46)"
        ));
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
    if draft.watch_limits(known, &address) && !known.limit_told {
        telling::alert(
            &mut draft,
            Some(incoming),
            Tells::default(),
            Alert::OverLimit,
        );
    }
    if let Some(lead) = &known.lead {
        match reply::letter(draft, incoming, lead, &standing, &address) {
            reply::Result::Decided(decision) => return *decision,
            reply::Result::NotAbout(back) => draft = *back,
        }
    }
    if matches!(incoming.letter.automatic, Some((Automatic::Bulk, _))) {
        draft.keep_silent_to(&address);
    }
    match standing {
        Standing::Representative(appointments) => {
            representative(draft, known, incoming, &appointments, &address)
        }
        Standing::Colleague(customer) => redirected(
            draft,
            known,
            incoming,
            customer,
            &address,
            Template::Redirected,
        ),
        Standing::Former(customer) => redirected(
            draft,
            known,
            incoming,
            customer,
            &address,
            Template::NotRepresentative,
        ),
        Standing::Stranger => stranger(draft, known, incoming, &address),
        Standing::Official(_) => held(
            draft,
            incoming,
            Tells::default(),
            "It comes from an official address of a contract: a specialist decides (R28)".into(),
        ),
        Standing::Specialist(_) | Standing::Approver(_) | Standing::Developer(_) => held(
            draft,
            incoming,
            Tells::default(),
            "One of the desk's own people wrote it and it is about no request that the desk knows"
                .into(),
        ),
        Standing::Own => draft.end(Verdict::Automatic),
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
fn automatic(mut draft: Draft<'_>, known: &Known, incoming: &Incoming<'_>) -> Decision {
    if let (Some(lead), Some(by)) = (&known.lead, incoming.letter.from.address()) {
        draft.because(format!(
            "It belongs to a request by {}",
            lead.evidence.in_words()
        ));
        draft.concern = Concern::Existing(lead.request.id);
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

fn representative(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    appointments: &[Appointment<'_>],
    address: &Address,
) -> Decision {
    let desk = draft.desk;
    let letter = incoming.letter;
    let wanted = kind::of(
        &desk.kinds,
        incoming.mailbox,
        &letter.subject,
        &letter.new_text,
        incoming.tags,
    );
    draft.because(format!(
        "Taken as {}: {} (R9)",
        a(wanted.kind),
        wanted.because
    ));
    let recipients: Vec<Address> = letter
        .to
        .iter()
        .chain(&letter.cc)
        .chain(&letter.delivered_to)
        .cloned()
        .collect();
    let found = installation::of(
        &desk.directory,
        appointments,
        incoming.mailbox,
        &recipients,
        &subject::base(&letter.subject),
    );
    let (appointment, because) = match (found, wanted.kind) {
        (
            installation::Finding::Own {
                appointment,
                because,
            },
            _,
        ) => (appointment, because),
        (
            installation::Finding::Foreign {
                installation,
                because,
            },
            _,
        ) => {
            let reason = format!(
                "It is about {} ({because}), for which the sender has no authority (R6, R8)",
                installation.id
            );
            return held(draft, incoming, Tells::default(), reason);
        }
        (installation::Finding::Unclear, Kind::Order) => {
            return which_installation(draft, known, incoming, appointments, address);
        }
        (installation::Finding::Unclear, Kind::Question) => match appointments.first() {
            Some(first) => (*first, "the one where the sender has the highest role"),
            None => return draft.end(Verdict::Held),
        },
    };
    draft.because(format!(
        "About {}: {because} (R8)",
        appointment.installation.id
    ));
    draft.sender = Some(sender(
        &Standing::Representative(appointments.to_vec()),
        Some(&appointment),
    ));
    let wish = if wanted.kind == Kind::Order {
        Wish::Order
    } else {
        Wish::Question
    };
    let (grant, why) = authority::grant(
        wish,
        &appointment,
        incoming.assurance,
        incoming.mailbox.authentication,
        desk.orders_from_additional,
    );
    draft.because(why);
    let kind = if grant == Grant::Order {
        Kind::Order
    } else {
        Kind::Question
    };
    let matter = matter(
        desk,
        incoming,
        Some(&appointment),
        appointment.customer,
        kind,
        address,
    );
    match grant {
        Grant::Hold => {
            let tells = Tells {
                customer: Some(appointment.customer.name.clone()),
                ..Tells::default()
            };
            held(draft, incoming, tells, why.to_owned())
        }
        Grant::NotAtAll => not_at_all(draft, known, incoming, &appointment, &matter),
        Grant::Order | Grant::Question => {
            let opened = open(&mut draft, known, incoming, matter, Status::InProgress);
            acknowledge(&mut draft, incoming, &opened);
            opened.end(draft)
        }
        Grant::AfterChallenge => {
            let pending = if wish == Wish::Order {
                PendingKind::Challenge
            } else {
                PendingKind::Identity
            };
            let status = if wish == Wish::Order {
                Status::InProgress
            } else {
                Status::AwaitingInformation
            };
            let opened = open(&mut draft, known, incoming, matter, status);
            challenge(&mut draft, incoming, &opened.matter, opened.state, pending);
            opened.end(draft)
        }
        Grant::AfterPrimary => {
            let opened = open(&mut draft, known, incoming, matter, Status::InProgress);
            ask_primary(
                &mut draft,
                incoming,
                &appointment,
                &opened.matter,
                opened.state,
            );
            opened.end(draft)
        }
    }
}

/// A request as this decision opens it.
pub(super) struct Opened {
    matter: Matter,
    state: State,
    verdict: Verdict,
}

impl Opened {
    fn end(self, draft: Draft<'_>) -> Decision {
        draft.end(self.verdict)
    }
}

/// R16, R17: registered at once, or queued for the opening that R16 gives if that is still to come.
fn open(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    matter: Matter,
    status: Status,
) -> Opened {
    draft.concern = Concern::Opened(matter.clone());
    let verdict;
    let mut state = State {
        number: None,
        status,
        due: None,
    };
    if matter.opens > draft.now {
        verdict = Verdict::Queued;
        draft.because(format!(
            "Arrived outside hours: registered at the opening of {} (R16)",
            matter.registration_day
        ));
        draft.event(Event::Queued {
            opens: matter.opens,
        });
    } else {
        verdict = Verdict::Registered;
        let (registered, number, due) = registration(draft.desk, known, &matter);
        draft.because(format!(
            "Registered on {} as {number}, the answer due on the {} working day after (R17, R18)",
            matter.registration_day, draft.desk.deadlines.answer
        ));
        draft.event(registered);
        state = State {
            number: Some(number),
            status,
            due: Some(due),
        };
    }
    if status != Status::InProgress {
        draft.event(Event::StatusChanged {
            to: status,
            by: None,
            why: "The desk waits for the requester's word".into(),
        });
    }
    let demanded = incoming.mailbox.authentication != Authentication::Off;
    if demanded && !incoming.assurance.is_authenticated() {
        draft.event(Event::Noted {
            what: format!(
                "The sender is not authenticated: {}",
                incoming.assurance.evidence().join("; ")
            ),
        });
    }
    if verdict == Verdict::Registered {
        telling::specialists(
            draft,
            Some(incoming),
            telling::tells(draft.desk, &matter, state),
        );
    }
    if let Some(limit) = incoming.oversize {
        let tells = Tells {
            limit: Some(limit),
            ..telling::tells(draft.desk, &matter, state)
        };
        draft.because(
            "Larger than the desk takes: read from its beginning, and the sender is told the limit",
        );
        draft.tell(telling::to_requester(
            Template::Oversize,
            &matter,
            telling::answering(incoming.letter),
            Purpose::Reply,
            tells,
        ));
    }
    Opened {
        matter,
        state,
        verdict,
    }
}

/// R17, R18: the event of registration with the number and the due moment it gives.
pub(super) fn registration(
    desk: &Desk,
    known: &Known,
    matter: &Matter,
) -> (Event, super::request::Number, DateTime<Utc>) {
    let number = decide::next_number(
        &known.last_numbers,
        chrono::Datelike::year(&matter.registration_day),
    );
    let due = deadline::due(
        &desk.calendar,
        matter.registration_day,
        desk.deadlines.answer,
    );
    (
        Event::Registered {
            number,
            day: matter.registration_day,
            due,
        },
        number,
        due,
    )
}

/// R16, R45: the requester is told, if they may be.
fn acknowledge(draft: &mut Draft<'_>, incoming: &Incoming<'_>, opened: &Opened) {
    if !opened.matter.acknowledged
        || (opened.verdict == Verdict::Queued && !draft.desk.acknowledge_queued)
    {
        return;
    }
    let template = if opened.verdict == Verdict::Queued {
        Template::Queued
    } else {
        Template::Registered
    };
    let tells = telling::tells(draft.desk, &opened.matter, opened.state);
    draft.tell(telling::to_requester(
        template,
        &opened.matter,
        telling::answering(incoming.letter),
        Purpose::Reply,
        tells,
    ));
}

/// R13: the registered address is asked whether the letter is theirs.
pub(super) fn challenge(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    matter: &Matter,
    state: State,
    pending: PendingKind,
) {
    let lapses = lapses(draft);
    draft.event(Event::Waits {
        kind: pending,
        party: matter.requester.clone(),
        lapses,
    });
    let tells = Tells {
        lapses: Some(lapses),
        ..telling::tells(draft.desk, matter, state)
    };
    // The text is cited, so that nobody confirms what they have not seen.
    let tells = telling::citing(tells, incoming.letter);
    let notice = telling::to_requester(
        Template::Challenge,
        matter,
        telling::answering(incoming.letter),
        Purpose::ConfirmNew,
        tells,
    );
    draft.tell(notice);
}

/// R10: the primary is asked for their word, the sender told who may order; without a primary the specialists are told.
pub(super) fn ask_primary(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    appointment: &Appointment<'_>,
    matter: &Matter,
    state: State,
) {
    let desk = draft.desk;
    let mut tells = telling::tells(desk, matter, state);
    let Some(primary) = appointment
        .installation
        .primary(desk.calendar.day_of(draft.now))
    else {
        let reason =
            "The installation has no primary representative who could confirm the order (R10)"
                .to_owned();
        draft.because(reason.clone());
        draft.tell(telling::to_requester(
            Template::OrderNeedsPrimary,
            matter,
            telling::answering(incoming.letter),
            Purpose::Reply,
            tells.clone(),
        ));
        telling::alert(draft, Some(incoming), tells, Alert::Held(reason));
        return;
    };
    let lapses = lapses(draft);
    draft.event(Event::Waits {
        kind: PendingKind::PrimaryConfirmation,
        party: primary.address.clone(),
        lapses,
    });
    tells.lapses = Some(lapses);
    tells.primary_name = Some(primary.name.clone());
    tells.primary = Some(primary.address.clone());
    draft.tell(telling::to_requester(
        Template::OrderNeedsPrimary,
        matter,
        telling::answering(incoming.letter),
        Purpose::Reply,
        tells.clone(),
    ));
    let asking = telling::citing(tells, incoming.letter);
    draft.tell(telling::to_representative(
        Template::OrderToConfirm,
        primary,
        matter.locale,
        Purpose::ConfirmNew,
        asking,
    ));
}

/// When what is asked now lapses (R10): closing on the n-th working day after today.
fn lapses(draft: &Draft<'_>) -> DateTime<Utc> {
    let today = draft.desk.calendar.day_of(draft.now);
    deadline::due(&draft.desk.calendar, today, draft.desk.deadlines.confirm)
}

fn which_installation(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    appointments: &[Appointment<'_>],
    address: &Address,
) -> Decision {
    let Some(first) = appointments.first() else {
        return draft.end(Verdict::Held);
    };
    if !authority::is_credible(incoming.assurance, incoming.mailbox.authentication) {
        return held(
            draft,
            incoming,
            Tells::default(),
            "The evidence speaks against the sender (R13)".into(),
        );
    }
    draft.because(
        "An order must name its installation, and the sender has several: the desk asks which (R8)",
    );
    let matter = Matter {
        installation: None,
        ..matter(
            draft.desk,
            incoming,
            None,
            first.customer,
            Kind::Question,
            address,
        )
    };
    let opened = open(
        &mut draft,
        known,
        incoming,
        matter,
        Status::AwaitingInformation,
    );
    let lapses = lapses(&draft);
    draft.event(Event::Waits {
        kind: PendingKind::WhichInstallation,
        party: opened.matter.requester.clone(),
        lapses,
    });
    let choices = appointments
        .iter()
        .map(|a| a.installation.name.clone())
        .collect();
    let tells = Tells {
        lapses: Some(lapses),
        choices,
        ..telling::tells(draft.desk, &opened.matter, opened.state)
    };
    draft.tell(telling::to_requester(
        Template::AskInstallation,
        &opened.matter,
        telling::answering(incoming.letter),
        Purpose::ConfirmNew,
        tells,
    ));
    opened.end(draft)
}

fn not_at_all(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    appointment: &Appointment<'_>,
    matter: &Matter,
) -> Decision {
    if may_refuse_again(&mut draft, known) {
        let primary = appointment
            .installation
            .primary(draft.desk.calendar.day_of(incoming.arrived));
        let tells = Tells {
            primary_name: primary.map(|p| p.name.clone()),
            primary: primary.map(|p| p.address.clone()),
            status: None,
            opens: None,
            registration_day: None,
            ..telling::tells(
                draft.desk,
                matter,
                State {
                    number: None,
                    status: Status::Closed,
                    due: None,
                },
            )
        };
        draft.tell(telling::to_requester(
            Template::OrderRefused,
            matter,
            telling::answering(incoming.letter),
            Purpose::Nothing,
            tells,
        ));
    }
    draft.end(Verdict::Refused)
}

/// R12: at most so many refusals and redirects a day to one address.
fn may_refuse_again(draft: &mut Draft<'_>, known: &Known) -> bool {
    let may = known.refusals_today < draft.desk.limits.refusals_per_day;
    if !may {
        draft.because(
            "The sender was refused or redirected today already: recorded in silence (R12)",
        );
    }
    may
}

/// R11: a person of a customer who may not write for it.
fn redirected(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    customer: &Customer,
    address: &Address,
    template: Template,
) -> Decision {
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
        draft.desk.redirect.forward && authenticated,
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
    } else if may_refuse_again(&mut draft, known) {
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

/// The primary that a colleague may turn to: of the installation that the letter names, or the only primary there is.
fn the_primary<'a>(
    desk: &Desk,
    incoming: &Incoming<'_>,
    customer: &'a Customer,
) -> Option<&'a super::people::Representative> {
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
fn stranger(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    address: &Address,
) -> Decision {
    draft.because("The sender is nobody the desk knows (R12)");
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
            } else if may_refuse_again(&mut draft, known) {
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

fn matter(
    desk: &Desk,
    incoming: &Incoming<'_>,
    at: Option<&Appointment<'_>>,
    customer: &Customer,
    kind: Kind,
    address: &Address,
) -> Matter {
    let bare = bare_matter(
        desk,
        incoming,
        telling::locale_of(desk, Some(customer)),
        kind,
        address,
    );
    let Some(appointment) = at else {
        return Matter {
            customer: Some(customer.id.clone()),
            ..bare
        };
    };
    Matter {
        customer: Some(customer.id.clone()),
        installation: Some(appointment.installation.id.clone()),
        requester: appointment.person.address.clone(),
        requester_name: appointment.person.name.clone(),
        ..bare
    }
}

fn bare_matter(
    desk: &Desk,
    incoming: &Incoming<'_>,
    locale: Locale,
    kind: Kind,
    address: &Address,
) -> Matter {
    let place = desk.calendar.place(incoming.arrived);
    let letter = incoming.letter;
    let name = match &letter.from {
        From::One { name, .. } => name.clone(),
        From::Nobody { .. } => String::new(),
    };
    Matter {
        customer: None,
        installation: None,
        requester: address.clone(),
        requester_name: name,
        locale,
        kind,
        type_: type_of(desk, incoming),
        subject: subject::base(&letter.subject),
        message_id: letter.message_id.clone(),
        arrived: incoming.arrived,
        opens: place.opens,
        registration_day: place.day,
        acknowledged: letter.automatic.is_none(),
    }
}

fn type_of(desk: &Desk, incoming: &Incoming<'_>) -> Type {
    kind::type_of(
        &desk.kinds,
        &incoming.letter.subject,
        &incoming.letter.new_text,
    )
}

fn a(kind: Kind) -> &'static str {
    match kind {
        Kind::Order => "an order",
        Kind::Question => "a question",
    }
}
