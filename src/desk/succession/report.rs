//! What people are told of a succession: the specialists every step and what is missing, the others what concerns them (R28-R31, P6).

use super::evidence::{self, Form};
use super::procedure::{Change, Effect, Named, Procedure, Source};
use crate::desk::address::Address;
use crate::desk::draft::Draft;
use crate::desk::notice::{Notice, Purpose, Tells, Template, Thread};
use crate::desk::people::{Customer, Locale};
use crate::desk::policy::Desk;
use crate::desk::request::Request;
use crate::desk::succession::told::Succession;
use crate::desk::telling::{self, State};

/// What the specialists are told: everything so far, and what is missing.
pub(in crate::desk) fn in_full(procedure: &Procedure) -> Succession {
    Succession {
        facts: facts(procedure),
        missing: missing(procedure),
        ..for_anybody(procedure)
    }
}

/// What whoever asked may know.
pub(super) fn for_anybody(procedure: &Procedure) -> Succession {
    let forms = || procedure.papers.iter().map(|p| p.form);
    let best = forms()
        .find(|f| matches!(f, Form::Signed | Form::SignedByWhom))
        .or_else(|| forms().find(|f| *f == Form::Scan))
        .or_else(|| forms().next());
    let official = |p: &evidence::Paper| p.form == Form::Scan && p.source == Source::Official;
    Succession {
        letter: match best {
            None => "none",
            Some(Form::Scan) => "scan",
            Some(Form::Invalid) => "invalid",
            Some(Form::Signed | Form::SignedByWhom) => "signed",
        },
        elsewhere: best == Some(Form::Scan) && !procedure.papers.iter().any(official),
        original: procedure.awaited().map(|o| o.due),
        late: procedure.awaited().is_some_and(|o| o.late.is_some()),
        from: procedure.named.as_ref().map(|n| n.from),
        ..Succession::default()
    }
}

/// What is missing, in words.
pub(super) fn missing(procedure: &Procedure) -> Vec<String> {
    if procedure.ended {
        return Vec::new();
    }
    let missing = evidence::missing(procedure);
    missing.iter().map(|m| m.in_words().to_owned()).collect()
}

fn facts(procedure: &Procedure) -> Vec<String> {
    let mut facts = vec![
        match procedure.source {
            Source::Primary => "Asked for by the primary representative",
            Source::Official => "Asked for from an official address of the contract",
            Source::Specialist => "Opened by a specialist",
            Source::Other => "Asked for by another representative",
        }
        .to_owned(),
    ];
    for paper in &procedure.papers {
        let form = match paper.form {
            Form::Scan => "a scan",
            Form::Signed => "signed electronically, the preliminary check speaks for the customer",
            Form::SignedByWhom => "signed electronically, whose signature it is must be looked at",
            Form::Invalid => "signed electronically, the signature does not hold",
        };
        let from = match (paper.source, paper.proved) {
            (Source::Primary, true) => "from the primary representative",
            (Source::Official, true) => "from the official address",
            (Source::Specialist, _) => "from a specialist",
            (Source::Other, _) => "from another representative",
            (Source::Primary | Source::Official, false) => {
                "from an address that is only claimed and not proved"
            }
        };
        facts.push(format!("Letter of the customer: {form} — {from}"));
        facts.extend(paper.findings.iter().cloned());
    }
    if let Some(verified) = &procedure.verified {
        facts.push(format!("Verified {}", verified.way.in_words()));
    }
    if let Some(named) = &procedure.named {
        facts.push(change(named));
    }
    match &procedure.effect {
        Effect::NotYet => {}
        Effect::ToWrite => facts.push("The desk writes the change into the customer's file".into()),
        Effect::ByHand(why) => {
            facts.push("The desk could not write the change: please edit the file by hand".into());
            facts.push(format!("The file was not written: {why}"));
        }
        Effect::Written => facts.push("The change stands in the customer's file".into()),
        Effect::InForce => facts.push("The change is in force".into()),
    }
    if let Some(original) = &procedure.original {
        facts.push(
            match (original.came, original.late) {
                (Some(_), _) => "The paper original has come",
                (None, Some(_)) => "The paper original is late",
                (None, None) => "The paper original is due",
            }
            .to_owned(),
        );
    }
    facts
}

/// The change in words, so that a person could write it by hand.
pub(super) fn change(named: &Named) -> String {
    let day = named.from.format("%d.%m.%Y");
    match &named.change {
        Change::Successor { person, phone } => {
            let phone = phone.as_deref().unwrap_or("-");
            format!(
                "Successor: {} <{}>, phone {phone}, from {day}",
                person.name, person.address
            )
        }
        Change::Contact { address, phone } => {
            let address = address.as_ref().map_or("-".to_owned(), Address::to_string);
            let phone = phone.as_deref().unwrap_or("-");
            format!("New contact data: address {address}, phone {phone}, from {day}")
        }
    }
}

/// Tells every specialist how it stands; `said` are sentences before that.
pub(super) fn specialists(draft: &mut Draft<'_>, request: &Request, said: Vec<String>) {
    let everybody = draft.desk.directory.specialists();
    for person in everybody {
        specialist(
            draft,
            request,
            (&person.name, &person.address),
            said.clone(),
        );
    }
}

/// Tells one specialist how it stands.
pub(super) fn specialist(
    draft: &mut Draft<'_>,
    request: &Request,
    to: (&str, &Address),
    said: Vec<String>,
) {
    let (matter, state) = draft.after(request);
    let stands = draft.stands().and_then(|r| r.succession);
    let mut told = stands.as_deref().map(in_full).unwrap_or_default();
    told.said = said;
    let tells = Tells {
        succession: Some(Box::new(told)),
        ..telling::tells(draft.desk, &matter, state)
    };
    let locale = draft.desk.locale;
    draft.tell(Notice {
        template: Template::SuccessionState,
        to: to.1.clone(),
        name: to.0.to_owned(),
        locale,
        purpose: Purpose::Internal,
        thread: Thread::default(),
        tells,
    });
}

/// Tells whoever asked how it stands, if they are written to.
pub(in crate::desk) fn requester(
    draft: &mut Draft<'_>,
    request: &Request,
    template: Template,
    thread: Thread,
) {
    let (matter, state) = draft.after(request);
    if !matter.acknowledged || matter.quiet {
        return;
    }
    let stands = draft.stands().and_then(|r| r.succession);
    let tells = Tells {
        succession: stands.as_deref().map(|p| Box::new(for_anybody(p))),
        ..telling::tells(draft.desk, &matter, state)
    };
    draft.tell(telling::to_requester(
        template,
        &matter,
        thread,
        Purpose::Reply,
        tells,
    ));
}

/// Somebody at the customer who is told of a succession.
pub(super) struct Reader {
    /// Address.
    pub(super) address: Address,
    /// Name; empty where the address is no person's.
    pub(super) name: String,
}

/// The official addresses of the contract, as readers; none of them twice, and not `but`.
pub(super) fn officials(desk: &Desk, customer: &Customer, but: &Address) -> Vec<Reader> {
    let mut readers: Vec<Reader> = Vec::new();
    for address in &customer.official_addresses {
        let known = |a: &Address| desk.directory.same(a, address);
        if !known(but) && !readers.iter().any(|r| known(&r.address)) {
            readers.push(Reader {
                address: address.clone(),
                name: String::new(),
            });
        }
    }
    readers
}

/// A letter to one of them.
pub(super) fn to_reader(
    draft: &mut Draft<'_>,
    template: Template,
    reader: &Reader,
    locale: Locale,
    purpose: Purpose,
    tells: Tells,
) {
    draft.tell(Notice {
        template,
        to: reader.address.clone(),
        name: reader.name.clone(),
        locale,
        purpose,
        thread: Thread::default(),
        tells,
    });
}

/// What both sides may be told of the request itself, with nothing of its text.
pub(super) fn plain(desk: &Desk, request: &Request) -> Tells {
    Tells {
        due: None,
        working_days: None,
        opens: None,
        ..telling::tells(desk, &request.matter, State::of(request))
    }
}
