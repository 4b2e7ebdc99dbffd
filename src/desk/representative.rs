//! What a representative's letter becomes: a question, an order, or something that waits for a word (R7–R10, R13).

use chrono::{DateTime, Utc};

use super::address::Address;
use super::authority::{self, Grant, Wish};
use super::deadline;
use super::decide::{Decision, Incoming, Known, Verdict};
use super::draft::{Draft, Waits};
use super::installation;
use super::kind;
use super::letter::Letter;
use super::notice::{Alert, Purpose, Tells, Template};
use super::outsider::may_refuse_again;
use super::people::{Appointment, Standing};
use super::reception::{held, sender};
use super::registration::{acknowledge, matter, open};
use super::request::{Kind, Matter, PendingKind, Status};
use super::subject;
use super::telling::{self, State};

pub(super) fn letter<'a>(
    mut draft: Draft<'a>,
    known: &Known,
    incoming: &Incoming<'_>,
    appointments: &[Appointment<'a>],
    address: &Address,
) -> Decision {
    let desk = draft.desk;
    let wanted = wanted(&mut draft, incoming);
    let appointment = match place(&mut draft, incoming, appointments, wanted) {
        Place::At(appointment) => appointment,
        Place::Ask => return which_installation(draft, known, incoming, appointments, address),
        Place::Held(reason) => return held(draft, incoming, Tells::default(), reason),
    };
    let standing = Standing::Representative(appointments.to_vec());
    draft.sender = Some(sender(&standing, Some(&appointment)));
    let wish = match wanted {
        Kind::Order => Wish::Order,
        Kind::Question => Wish::Question,
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
    let customer = appointment.customer;
    let matter = matter(desk, incoming, Some(&appointment), customer, kind, address);
    match grant {
        Grant::Hold => {
            let customer = Some(customer.name.clone());
            let tells = Tells {
                customer,
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
            let (pending, status) = match wish {
                Wish::Order => (PendingKind::Challenge, Status::InProgress),
                Wish::Question => (PendingKind::Identity, Status::AwaitingInformation),
            };
            let opened = open(&mut draft, known, incoming, matter, status);
            let cited = incoming.letter;
            challenge(
                &mut draft,
                incoming,
                cited,
                &opened.matter,
                opened.state,
                pending,
            );
            opened.end(draft)
        }
        Grant::AfterPrimary => {
            let opened = open(&mut draft, known, incoming, matter, Status::InProgress);
            ask_primary(
                &mut draft,
                incoming,
                incoming.letter,
                &appointment,
                &opened.matter,
                opened.state,
            );
            opened.end(draft)
        }
    }
}

/// R9: what the letter wants, and why the desk thinks so.
fn wanted(draft: &mut Draft<'_>, incoming: &Incoming<'_>) -> Kind {
    let letter = incoming.letter;
    let (subject, text) = (&letter.subject, &letter.new_text);
    let found = kind::of(
        &draft.desk.kinds,
        incoming.mailbox,
        subject,
        text,
        incoming.tags,
    );
    let named = match found.kind {
        Kind::Order => "an order",
        Kind::Question => "a question",
    };
    draft.because(format!("Taken as {named}: {} (R9)", found.because));
    found.kind
}

/// Where a letter belongs.
enum Place<'a> {
    /// To this appointment of the sender.
    At(Appointment<'a>),
    /// The sender must say.
    Ask,
    /// A person must see; why.
    Held(String),
}

/// R8: the installation; for a question that names none, the one where the sender has the highest role.
fn place<'a>(
    draft: &mut Draft<'a>,
    incoming: &Incoming<'_>,
    appointments: &[Appointment<'a>],
    wanted: Kind,
) -> Place<'a> {
    let letter = incoming.letter;
    let recipients = letter
        .to
        .iter()
        .chain(&letter.cc)
        .chain(&letter.delivered_to);
    let recipients: Vec<Address> = recipients.cloned().collect();
    let subject = subject::base(&letter.subject);
    let directory = &draft.desk.directory;
    let found = installation::of(
        directory,
        appointments,
        incoming.mailbox,
        &recipients,
        &subject,
    );
    let highest = "the one where the sender has the highest role";
    let (appointment, because) = match (found, wanted, appointments.first()) {
        (
            installation::Finding::Own {
                appointment,
                because,
            },
            _,
            _,
        ) => (appointment, because),
        (installation::Finding::Unclear, Kind::Question, Some(first)) => (*first, highest),
        (installation::Finding::Unclear, _, _) => return Place::Ask,
        (
            installation::Finding::Foreign {
                installation,
                because,
            },
            _,
            _,
        ) => {
            let named = format!("It is about {} ({because})", installation.id);
            return Place::Held(format!(
                "{named}, for which the sender has no authority (R6, R8)"
            ));
        }
    };
    draft.because(format!(
        "About {}: {because} (R8)",
        appointment.installation.id
    ));
    Place::At(appointment)
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
        requester: first.person.address.clone(),
        requester_name: first.person.name.clone(),
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
    let purpose = draft.wait(Waits {
        kind: PendingKind::WhichInstallation,
        party: &opened.matter.requester,
        lapses,
        // While it waits for information the requester is reminded anyway (R22).
        remind: None,
        days: None,
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
    // The text is cited, so that nobody answers for what they have not seen.
    let tells = telling::citing(tells, incoming.letter);
    draft.tell(telling::to_requester(
        Template::AskInstallation,
        &opened.matter,
        telling::answering(incoming.letter),
        purpose,
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

/// R13: the registered address is asked whether the letter is theirs; `cited` is that letter, `incoming` the one that is answered.
pub(super) fn challenge(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    cited: &Letter,
    matter: &Matter,
    state: State,
    pending: PendingKind,
) {
    let lapses = lapses(draft);
    // While it waits for information the requester is reminded anyway (R22).
    let remind = reminds(draft).filter(|_| pending == PendingKind::Challenge);
    let purpose = draft.wait(Waits {
        kind: pending,
        party: &matter.requester,
        lapses,
        remind,
        days: None,
    });
    let tells = Tells {
        lapses: Some(lapses),
        ..telling::tells(draft.desk, matter, state)
    };
    // The text is cited, so that nobody confirms what they have not seen.
    let tells = telling::citing(tells, cited);
    let notice = telling::to_requester(
        Template::Challenge,
        matter,
        telling::answering(incoming.letter),
        purpose,
        tells,
    );
    draft.tell(notice);
}

/// R10: the primary is asked for their word, the sender told who may order; without a primary the specialists are told.
pub(super) fn ask_primary(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    cited: &Letter,
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
    let remind = reminds(draft);
    let purpose = draft.wait(Waits {
        kind: PendingKind::PrimaryConfirmation,
        party: &primary.address,
        lapses,
        remind,
        days: None,
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
    let asking = telling::citing(tells, cited);
    draft.tell(telling::to_representative(
        Template::OrderToConfirm,
        primary,
        matter.locale,
        purpose,
        asking,
    ));
}

/// When what is asked now lapses (R10): closing on the n-th working day after today.
pub(super) fn lapses(draft: &Draft<'_>) -> DateTime<Utc> {
    let today = draft.desk.calendar.day_of(draft.now);
    deadline::due(&draft.desk.calendar, today, draft.desk.deadlines.confirm)
}

/// When whoever was asked today is reminded (R10): at the opening of the n-th working day after it.
fn reminds(draft: &Draft<'_>) -> Option<DateTime<Utc>> {
    let (calendar, days) = (&draft.desk.calendar, draft.desk.deadlines.remind_confirm);
    let day = calendar.add_working_days(calendar.day_of(draft.now), days);
    calendar.opening(day).filter(|_| days > 0)
}
