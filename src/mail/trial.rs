//! Whether a wording of the desk's own would work, before it takes effect: names it may not know, and a trial with everything and with nothing to tell.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::{Environment, Error};

use super::layout::Page;
use super::succession;
use super::vocabulary::{self, NAMES};
use super::wording::Voice;
use crate::desk::address::Address;
use crate::desk::dossier::{Enclosed, Past};
use crate::desk::listing::{Listed, Listing, Rules};
use crate::desk::notice::{Alert, Notice, Nudge, Purpose, Settled, Tells, Template, Thread};
use crate::desk::people::Locale;
use crate::desk::policy::Words;
use crate::desk::request::{Kind, Number, Status, Type};
use crate::desk::succession::told::Succession;
use crate::desk::transcript::{Effect, Line, Transcript};
use crate::desk::verb::Verb;
use crate::desk::why::{Span, Why};

/// Names that no wording knows, in branches not taken as well; with the first line that has them.
pub fn unknown_names(
    templates: &Environment<'static>,
    name: &str,
    text: &str,
) -> Vec<(Option<usize>, String)> {
    let Ok(template) = templates.get_template(name) else {
        return vec![];
    };
    let functions: BTreeSet<String> = templates
        .globals()
        .map(|(name, _)| name.to_owned())
        .collect();
    let used: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
    used.into_iter()
        .filter(|used| {
            let (outer, inner) = used.split_once('.').unwrap_or((used, ""));
            !functions.contains(outer)
                && !names().any(|(known, inside)| {
                    *known == outer && (inner.is_empty() || inside.contains(&inner))
                })
        })
        .map(|unknown| {
            let line = text
                .lines()
                .position(|l| l.contains(&unknown))
                .map(|at| at.saturating_add(1));
            (
                line,
                format!("unknown name `{unknown}`; what there is: {}", known_names()),
            )
        })
        .collect()
}

fn names() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    NAMES.iter().chain(&succession::NAMES)
}

fn known_names() -> String {
    let names = names().flat_map(|(name, inside)| {
        if inside.is_empty() {
            vec![(*name).to_owned()]
        } else {
            inside.iter().map(|i| format!("{name}.{i}")).collect()
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// Renders a wording, or whatever is made of a shared part, with everything told and with nothing told.
pub fn rendering(templates: &Environment<'static>, name: &str) -> Vec<(Option<usize>, String)> {
    let Some((language, word)) = name.split_once('/') else {
        return vec![];
    };
    let locale = if language == "ru" {
        Locale::Ru
    } else {
        Locale::En
    };
    let concerned = match Template::read(word) {
        Some(template) => vec![template],
        None => Template::ALL.to_vec(),
    };
    let mut faults = vec![];
    for template in concerned {
        for (tells, case) in samples() {
            let Ok(to) = Address::new("maria@raduga.example") else {
                continue;
            };
            let notice = Notice {
                template,
                to,
                name: String::new(),
                locale,
                purpose: Purpose::Reply,
                thread: Thread::default(),
                tells,
            };
            let voice = Voice {
                desk_name: "Desk",
                desk_address: "support@desk.example",
                zone: chrono_tz::UTC,
                confirm: &[],
                decline: &[],
                approve: &[],
                disapprove: &[],
                reply_to: Some("support+token@desk.example"),
            };
            let rendered = templates
                .get_template(&format!("{language}/{}", template.word()))
                .and_then(|t| t.render(vocabulary::values(&notice, &voice)));
            let fault = match rendered {
                Err(why) => {
                    let (line, what) = place(&why, name);
                    Some((line, format!("{what} ({case})")))
                }
                Ok(text) => Page::read(&text)
                    .err()
                    .map(|why| (None, format!("{why} ({case})"))),
            };
            faults.extend(fault);
        }
        if !faults.is_empty() {
            break;
        }
    }
    faults
}

/// What a wording is tried with: each thing told, for every status and every alert; and nothing told.
fn samples() -> Vec<(Tells, &'static str)> {
    let address = Address::new("oleg@raduga.example").ok();
    let moment = DateTime::from_timestamp(1_795_780_800, 0);
    let full = everything(address.clone(), moment);
    let alerts = address
        .map(|a| Alert::Undelivered(a, String::new()))
        .into_iter();
    let alerts = alerts.chain([
        Alert::Held(String::new()),
        Alert::OverLimit,
        Alert::SuccessionTried,
        Alert::Flood,
        Alert::BadTokens(String::new(), 21),
        Alert::Unreadable,
        Alert::BadConfiguration,
        Alert::GoodConfiguration,
    ]);
    let mut samples = vec![(
        Tells::default(),
        "with nothing to tell: ask with {% if … %} first",
    )];
    samples.extend(alerts.map(|alert| {
        (
            Tells {
                alert: Some(alert),
                ..full.clone()
            },
            "with everything to tell",
        )
    }));
    for status in Status::ALL {
        samples.push((
            Tells {
                status: Some(status),
                kind: Some(Kind::Question),
                ..full.clone()
            },
            "with everything to tell",
        ));
    }
    let told = "with everything to tell";
    samples.extend(Nudge::ALL.map(|nudge| {
        let nudge = Some(nudge);
        (
            Tells {
                nudge,
                ..full.clone()
            },
            told,
        )
    }));
    samples.extend(Settled::ALL.map(|settled| {
        let settled = Some(settled);
        (
            Tells {
                settled,
                ..full.clone()
            },
            told,
        )
    }));
    samples
}

fn why() -> Why {
    let moment = DateTime::from_timestamp(1_795_780_800, 0);
    Why {
        working_days: 5,
        given_back: Span {
            days: 2,
            minutes: 90,
        },
        extended: 3,
        left: Some(Span {
            days: 0,
            minutes: 0,
        }),
        late: true,
        until: moment,
    }
}

fn rules() -> Rules {
    Rules {
        orders: true,
        week: Default::default(),
        order_markers: vec![],
        question_markers: vec![],
        words: Words::default(),
    }
}

/// A request in every status, and one that is queued.
fn listing() -> Listing {
    let moment = DateTime::from_timestamp(1_795_780_800, 0);
    let listed = |number, status| Listed {
        number,
        subject: "Sample".to_owned(),
        status,
        opens: moment.unwrap_or_default(),
        due: moment,
        left: Some(Span::default()),
        until: moment,
        requester_name: Some("Sample".to_owned()),
    };
    let number = Some(Number::new(2026, 42));
    let mut requests: Vec<Listed> = Status::ALL.map(|status| listed(number, status)).into();
    requests.push(listed(None, Status::InProgress));
    Listing {
        history: true,
        requests,
        more: 1,
    }
}

/// Each thing told.
fn everything(address: Option<Address>, moment: Option<DateTime<Utc>>) -> Tells {
    let said = || Some("Sample".to_owned());
    Tells {
        number: Some(Number::new(2026, 42)),
        subject: "Sample".to_owned(),
        kind: Some(Kind::Order),
        type_: Some(Type::Fault),
        status: Some(Status::InProgress),
        arrived: moment,
        opens: moment,
        registration_day: NaiveDate::from_ymd_opt(2026, 11, 23),
        due: moment,
        working_days: Some(5),
        why: Some(why()),
        continues: Some(Number::new(2026, 7)),
        lapses: moment,
        requester_name: said(),
        requester: address.clone(),
        customer: said(),
        installation: said(),
        choices: vec!["Sample".to_owned()],
        primary_name: said(),
        primary: address.clone(),
        text: said(),
        text_cut: true,
        attachments: vec!["Sample".to_owned(); 30],
        authority: said(),
        alert: Some(Alert::OverLimit),
        last_alert: true,
        limit: Some(1 << 20),
        party_name: said(),
        days: Some(3),
        reason: said(),
        nudge: None,
        settled: None,
        consents: moment
            .map(|at| ("Sample".to_owned(), at))
            .into_iter()
            .collect(),
        thread: moment.map(past).into_iter().collect(),
        enclosed: vec![Enclosed {
            letter: 1,
            place: 0,
            name: "Sample".to_owned(),
            media_type: "application/pdf".to_owned(),
        }],
        listing: Some(listing()),
        rules: Some(rules()),
        transcript: Some(Transcript {
            effect: Effect::Done,
            lines: vec![Line::whole("Sample")],
            possible: vec![Verb::Help],
            history: moment
                .map(|at| (at, "Sample".to_owned()))
                .into_iter()
                .collect(),
            help: true,
        }),
        succession: Some(Box::new(Succession {
            said: vec!["Sample".to_owned()],
            facts: vec!["Sample".to_owned()],
            missing: vec!["Sample".to_owned()],
            letter: "scan",
            elsewhere: true,
            original: moment,
            late: true,
            from: NaiveDate::from_ymd_opt(2026, 11, 23),
            follows: true,
            successor: said(),
            materials: said(),
            past: vec![],
            past_more: 1,
        })),
    }
}

fn past(arrived: DateTime<Utc>) -> Past {
    Past {
        letter: 1,
        who: "Sample".to_owned(),
        arrived,
        text: "Sample".to_owned(),
        attachments: vec![],
    }
}

/// Where in this very file it went wrong, and what: a failure in a shared part is reported by the letter that includes it as well.
fn place(why: &Error, name: &str) -> (Option<usize>, String) {
    let mut here = (None, in_words(why));
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(why);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<Error>() {
            let line = error.line().filter(|_| error.name() == Some(name));
            here = (line.or(here.0), in_words(error));
        }
        next = error.source();
    }
    here
}

/// A fault of the template language in words.
pub fn in_words(why: &Error) -> String {
    match why.detail() {
        Some(detail) => format!("{}: {detail}", why.kind()),
        None => why.kind().to_string(),
    }
}
