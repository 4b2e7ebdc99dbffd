//! What time and the customers' files bring to a succession: the original's reminders, the change written, the day on which it is in force (R29-R31).

use chrono::{DateTime, Utc};

use super::conduct;
use super::passing;
use super::procedure::{Change, Effect, Named, Party, Procedure, Step};
use super::report::{self, Reader};
use crate::desk::address::Address;
use crate::desk::deadline;
use crate::desk::decide::{Decision, Known, Verdict};
use crate::desk::draft::Draft;
use crate::desk::event::Event;
use crate::desk::notice::{Purpose, Tells, Template};
use crate::desk::people::Customer;
use crate::desk::policy::Desk;
use crate::desk::request::Request;
use crate::desk::succession::told::{Earlier, Succession};
use crate::desk::telling;

/// The next thing that time alone does to a succession.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// The requester is reminded of the paper original (R29).
    Remind,
    /// Everybody hears that it is late (R29).
    Late,
    /// The change is in force (R31).
    InForce,
}

/// What time alone still brings, each with its moment.
pub(in crate::desk) fn steps(desk: &Desk, request: &Request) -> Vec<(DateTime<Utc>, Due)> {
    let Some(procedure) = request.succession.as_deref().filter(|p| !p.ended) else {
        return Vec::new();
    };
    let day = procedure
        .named
        .as_ref()
        .filter(|_| procedure.effect == Effect::Written)
        .map(|named| (desk.calendar.start_of_day(named.from), Due::InForce));
    let original = of_original(desk, procedure);
    day.into_iter().chain(original).collect()
}

fn of_original(desk: &Desk, procedure: &Procedure) -> Option<(DateTime<Utc>, Due)> {
    let calendar = &desk.calendar;
    let original = procedure.awaited().filter(|o| o.late.is_none())?;
    let late = (calendar.place(original.due).opens, Due::Late);
    let reminder = deadline::warning(calendar, original.due, 1);
    // Nobody is reminded who was just told.
    let told = procedure.papers.iter().map(|p| p.at).max();
    let remind = original.reminded.is_none() && told.is_none_or(|told| told < reminder);
    Some(if remind {
        (reminder, Due::Remind)
    } else {
        late
    })
}

/// Does what has become due.
pub(in crate::desk) fn take(draft: &mut Draft<'_>, known: &Known, request: &Request, due: Due) {
    let now = draft.now;
    let thread = telling::continuing(&request.matter);
    match due {
        Due::Remind => {
            draft.because("The paper original is due soon: the requester is reminded, once (R29)");
            draft.event(Event::Succession(Step::Reminded(now)));
            report::requester(draft, request, Template::SuccessionOriginal, thread);
        }
        Due::Late => {
            draft.because(
                "The paper original is late: requester and specialists are told, once (R29)",
            );
            draft.event(Event::Succession(Step::Late(now)));
            report::requester(draft, request, Template::SuccessionOriginal, thread);
            let said = late(request);
            report::specialists(draft, request, said);
        }
        Due::InForce => in_force(draft, known, request),
    }
}

fn late(request: &Request) -> Vec<String> {
    let written = |p: &Procedure| matches!(p.effect, Effect::Written | Effect::InForce);
    let mut said = vec!["The paper original is late".to_owned()];
    if request.succession.as_deref().is_some_and(written) {
        said.push(
            "If it does not come, take the change back in the customer's file, or wait for it"
                .to_owned(),
        );
    }
    said
}

/// R31: the day has come.
fn in_force(draft: &mut Draft<'_>, known: &Known, request: &Request) {
    let desk = draft.desk;
    let Some((procedure, named)) = request
        .succession
        .as_deref()
        .and_then(|p| Some((p, p.named.as_ref()?)))
    else {
        return;
    };
    if !passing::is_written(&desk.directory, &procedure.installations, named) {
        draft.because("The customer's file does not say what was named: nothing is in force (R30)");
        let why = "the customer's file says something else than was named";
        draft.event(Event::Succession(Step::NotWritten(why.to_owned())));
        report::specialists(draft, request, Vec::new());
        return;
    }
    draft.because("The day has come: the change is in force (R31)");
    draft.event(Event::Succession(Step::InForce));
    if let Some((customer, _)) = procedure
        .installations
        .first()
        .and_then(|id| desk.directory.installation(id))
    {
        hand_over(draft, known, request, customer, named);
    }
    let now = draft.now;
    conduct::finish(draft, request, now);
    report::specialists(draft, request, Vec::new());
}

/// The successor gets materials and history, the one who left and the contract's addresses are told.
fn hand_over(
    draft: &mut Draft<'_>,
    known: &Known,
    request: &Request,
    customer: &Customer,
    named: &Named,
) {
    let desk = draft.desk;
    let locale = telling::locale_of(desk, Some(customer));
    let before = named.predecessor.as_ref();
    let (new, follows) = match &named.change {
        Change::Successor { person, .. } => (Some(person.clone()), true),
        Change::Contact { address, .. } => {
            let same = |address: &Address| Party {
                name: before.map(|p| p.name.clone()).unwrap_or_default(),
                address: address.clone(),
            };
            (
                address.as_ref().or(before.map(|p| &p.address)).map(same),
                false,
            )
        }
    };
    let Some(new) = new else { return };
    let original = draft.stands().and_then(|r| r.succession);
    let told = Succession {
        from: Some(named.from),
        follows,
        successor: Some(new.name.clone()),
        original: original.as_deref().and_then(|p| p.awaited()).map(|o| o.due),
        ..Succession::default()
    };
    let tells = |told: Succession| Tells {
        succession: Some(Box::new(told)),
        ..report::plain(desk, request)
    };
    let welcome = Reader {
        address: new.address.clone(),
        name: new.name.clone(),
    };
    let past = known.past.iter().map(|r| Earlier {
        number: r.number,
        arrived: r.matter.arrived,
        subject: r.matter.subject.clone(),
        status: r.status,
    });
    let welcomed = Succession {
        materials: desk.succession.materials.clone().filter(|_| follows),
        past: if follows { past.collect() } else { Vec::new() },
        past_more: known.past_more,
        ..told.clone()
    };
    let purpose = Purpose::Reply;
    report::to_reader(
        draft,
        Template::SuccessorWelcome,
        &welcome,
        locale,
        purpose,
        tells(welcomed),
    );
    others(draft, request, customer, named, &new, &told);
}

/// Whoever left hears that they did, and the contract's addresses that the change is in force.
fn others(
    draft: &mut Draft<'_>,
    request: &Request,
    customer: &Customer,
    named: &Named,
    new: &Party,
    told: &Succession,
) {
    let desk = draft.desk;
    let before = named.predecessor.as_ref();
    let locale = telling::locale_of(desk, Some(customer));
    let same = |a: &Address, b: &Address| desk.directory.same(a, b);
    let tells = |told: Succession| Tells {
        succession: Some(Box::new(told)),
        ..report::plain(desk, request)
    };
    // What is still to be said of this request is the successor's to hear.
    if before.is_some_and(|b| same(&b.address, &request.matter.requester)) {
        draft.event(Event::RequesterChanged {
            to: new.address.clone(),
            name: new.name.clone(),
        });
    }
    // Whoever left is told that they did, and not who follows (A39).
    if let Some(before) = before.filter(|b| !same(&b.address, &new.address)) {
        let left = Reader {
            address: before.address.clone(),
            name: before.name.clone(),
        };
        let said = Succession {
            successor: None,
            original: None,
            ..told.clone()
        };
        let template = Template::SuccessionOver;
        report::to_reader(
            draft,
            template,
            &left,
            locale,
            Purpose::Nothing,
            tells(said),
        );
    }
    for reader in report::officials(desk, customer, &new.address) {
        let template = Template::SuccessionInForce;
        report::to_reader(
            draft,
            template,
            &reader,
            locale,
            Purpose::Reply,
            tells(told.clone()),
        );
    }
}

/// What became of the change in the customer's file: it stands there, or why it could not be written (R30).
pub(in crate::desk) fn amended(
    desk: &Desk,
    request: &Request,
    outcome: Result<(), &str>,
    now: DateTime<Utc>,
) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.concerns(request);
    let told = match outcome {
        Ok(()) => {
            draft.because("The change stands in the customer's file (R30)");
            draft.event(Event::Succession(Step::Written));
            Vec::new()
        }
        Err(why) => {
            draft.because(format!("The change could not be written: {why}"));
            let why: String = why.chars().take(1_000).collect();
            draft.event(Event::Succession(Step::NotWritten(why)));
            Vec::new()
        }
    };
    report::specialists(&mut draft, request, told);
    draft.end(Verdict::Attached)
}

/// Somebody wrote a change into the customer's file that no specialist has verified and named (R30): the file is what the desk goes by, and
/// the specialists are told.
pub(in crate::desk) fn edited(desk: &Desk, request: &Request, now: DateTime<Utc>) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.concerns(request);
    let what =
        "The customer's file was edited while this change is not verified or named otherwise";
    draft.because(format!("{what} (R30)"));
    draft.event(Event::Noted {
        what: what.to_owned(),
    });
    report::specialists(&mut draft, request, vec![what.to_owned()]);
    draft.end(Verdict::Attached)
}
