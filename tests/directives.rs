//! S3, S16: whatever a specialist's letter says, on whatever evidence and to whatever request, it does only what the rules of authority and the
//! table of moves allow, and all of it or nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a test"
)]

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use postdesk::cli::demo;
use postdesk::config::Config;
use postdesk::desk::assurance::{Level, SenderAssurance};
use postdesk::desk::authority;
use postdesk::desk::decide::{self, Decision, Evidence, Incoming, Known, Lead, Occasion};
use postdesk::desk::event::Event;
use postdesk::desk::life::{self, Mover};
use postdesk::desk::notice::Template;
use postdesk::desk::policy::Authentication;
use postdesk::desk::replay;
use postdesk::desk::request::{
    Channel, Kind, Matter, Number, PendingKind, Request, RequestId, Status, Type,
};
use postdesk::desk::transcript::Effect;
use postdesk::mail::parse::{self, Caps};
use proptest::prelude::*;

/// A working hour.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_787_300_000, 0).unwrap()
}

fn request(config: &Config, status: Status, kind: Kind) -> Request {
    let customer = &config.desk.directory.customers()[0];
    let installation = &customer.installations[0];
    let person = &installation.representatives[0];
    let matter = Matter {
        customer: Some(customer.id.clone()),
        installation: Some(installation.id.clone()),
        requester: person.address.clone(),
        requester_name: person.name.clone(),
        locale: config.desk.locale,
        kind,
        type_: Type::Support,
        subject: "Вход".to_owned(),
        message_id: Some("one@raduga.example".to_owned()),
        arrived: now(),
        opens: now(),
        registration_day: config.desk.calendar.day_of(now()),
        acknowledged: true,
        vouched: Level::Domain,
        quiet: false,
        channel: Channel::Mail,
    };
    let mut request = replay::unborn(RequestId(1), matter);
    request.number = Some(Number::new(2026, 1));
    request.due = Some(now());
    request.status = status;
    request
}

/// Lines that people write at the top, and some that they do not.
const LINES: [&str; 22] = [
    "#в работе",
    "#уточнить",
    "#решен",
    "#закрыт",
    "#close",
    "#тип ошибка",
    "#тип поддержка",
    "#тип синий",
    "#вид поручение",
    "#вид запрос",
    "#заметка проверить",
    "#заметка",
    "#тихо",
    "#история",
    "#помощь",
    "#разработчику",
    "#продлить 3 долго",
    "#отклонить нет",
    "#согласование",
    "#ришен",
    "> #закрыт",
    "",
];

struct Given {
    level: Level,
    authentication: Authentication,
    evidence: Evidence,
    to_them: bool,
    status: Status,
    kind: Kind,
    text: String,
}

fn decided(config: &Config, given: &Given) -> (Request, Decision) {
    let anna = &config.desk.directory.specialists()[0];
    let raw = format!(
        "From: <{}>\r\nMessage-ID: <two@desk.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}",
        anna.address,
        given.text.replace('\n', "\r\n")
    );
    let letter = parse::read(raw.as_bytes(), Caps::DEFAULT);
    let request = request(config, given.status, given.kind);
    let other = request.matter.requester.clone();
    let known = Known {
        lead: Some(Lead {
            request: request.clone(),
            evidence: given.evidence,
            written_to: Some(if given.to_them {
                anna.address.clone()
            } else {
                other
            }),
            opening: Some(Box::new(letter.clone())),
        }),
        ..Known::default()
    };
    let mut mailbox = config.mailboxes[0].policy.clone();
    mailbox.authentication = given.authentication;
    let assurance = SenderAssurance::recorded(given.level, "test");
    let incoming = Incoming {
        signatures: &[],
        letter: &letter,
        assurance: &assurance,
        arrived: now(),
        mailbox: &mailbox,
        tags: &[],
        oversize: None,
    };
    let occasion = Occasion::Letter(incoming);
    (
        request,
        decide::decide(&config.desk, &known, &occasion, now()),
    )
}

/// Whether an event only records that the letter came.
fn only_records(event: &Event) -> bool {
    match event {
        Event::Attached { internal, .. } => *internal,
        Event::Noted { .. } => true,
        Event::Waits { kind, .. } => *kind == PendingKind::Commands,
        _ => false,
    }
}

fn check(config: &Config, given: &Given) -> Option<Effect> {
    let (request, decision) = decided(config, given);
    let anna = &config.desk.directory.specialists()[0];
    let told = decision
        .notices
        .iter()
        .find_map(|n| n.tells.transcript.as_ref());
    let own = given.evidence == Evidence::InternalToken && given.to_them;
    let assurance = SenderAssurance::recorded(given.level, "test");
    let may = authority::may_command(&assurance, given.authentication, own, false).is_ok();
    let acts = decision.events.iter().any(|e| !only_records(e));
    let outside = decision.notices.iter().any(|n| !n.template.is_internal());
    if acts || outside {
        assert!(may, "{:?}", decision.events);
        assert_eq!(told.map(|t| t.effect), Some(Effect::Done));
    }
    let mut status = request.status;
    let mut solved = status == Status::Resolved;
    for event in &decision.events {
        match event {
            Event::Solved { text, .. } | Event::Declined { text, .. } => {
                solved = !text.trim().is_empty();
            }
            Event::StatusChanged { to, by, at, .. } => {
                assert!(life::may(status, *to, Mover::Specialist), "{to:?}");
                assert_eq!((by.as_ref(), *at), (Some(&anna.address), now()));
                assert!(solved || !matches!(to, Status::Resolved | Status::Closed));
                status = *to;
            }
            _ => {}
        }
    }
    if let Some(told) = told {
        let transcripts = decision
            .notices
            .iter()
            .filter(|n| n.template == Template::Transcript);
        let readers: Vec<_> = transcripts.map(|n| &n.to).collect();
        assert_eq!(readers, [&anna.address]);
        if told.effect != Effect::Done {
            assert_eq!(decision.notices.len(), 1, "nothing else is told");
        }
    }
    told.map(|t| t.effect)
}

#[test]
fn s16_a_letter_does_nothing_that_its_writer_may_not() {
    let config = demo::example().unwrap();
    let seen: RefCell<BTreeSet<&str>> = RefCell::default();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let evidence = [
        Evidence::InternalToken,
        Evidence::InternalToken,
        Evidence::InternalToken,
        Evidence::Token,
        Evidence::SubjectNumber,
    ];
    let authentication = [
        Authentication::Required,
        Authentication::Orders,
        Authentication::Off,
    ];
    let input = (
        prop::sample::select(Level::ALL.to_vec()),
        prop::sample::select(authentication.to_vec()),
        prop::sample::select(evidence.to_vec()),
        prop::bool::weighted(0.8),
        prop::sample::select(Status::ALL.to_vec()),
        prop::sample::select(vec![Kind::Order, Kind::Question]),
        prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..4),
        prop::sample::select(vec!["", "\nГотово.", "\nПрошу ответить.\n#закрыт"]),
    );
    runner
        .run(&input, |given| {
            let (level, authentication, evidence, to_them, status, kind, lines, text) = given;
            let text = format!("{}{text}", lines.join("\n"));
            let given = Given {
                level,
                authentication,
                evidence,
                to_them,
                status,
                kind,
                text,
            };
            if let Some(effect) = check(&config, &given) {
                seen.borrow_mut().insert(effect.word());
            }
            Ok(())
        })
        .unwrap();
    let all = BTreeSet::from(["done", "nothing", "unproved"]);
    assert_eq!(seen.into_inner(), all, "every outcome was tried");
}

/// H85: a letter of nothing but marks is read in time that grows with its length and no faster.
#[test]
fn s31_many_marks_are_read_at_once() {
    use postdesk::desk::people::Locale;
    use postdesk::desk::{call, directive};
    for line in [
        "#x",
        "#ришен ришен",
        "Контак: x",
        "Текст:",
        ": : :",
        "# # # #",
    ] {
        let top = format!("{line}\n").repeat(20_000);
        let below = format!("Текст.\n{top}");
        let long = format!("#заметка {}", line.repeat(20_000));
        for text in [&top, &below, &long] {
            let _ = directive::read(text);
            let _ = call::read(text, Locale::Ru);
        }
    }
}
