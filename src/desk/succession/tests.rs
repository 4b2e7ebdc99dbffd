//! The procedure's table and steps: each route, each thing missing, and that nothing but a specialist's words makes a change.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;

use super::command::{self, Command};
use super::evidence::{Form, Missing, Paper, Tick, Way, admits, may_name};
use super::passing;
use super::procedure::{Change, Effect, Named, Party, Procedure, Source, Step, Verified, happen};
use crate::desk::address::Address;
use crate::desk::people::{Customer, Installation, OrdersRequire, Representative, Role};

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000 + minute * 60, 0).unwrap()
}

fn address(local: &str) -> Address {
    Address::new(&format!("{local}@raduga.example")).unwrap()
}

fn opened() -> Option<Box<Procedure>> {
    let mut procedure = None;
    let opened = Step::Opened {
        customer: "raduga".to_owned(),
        installations: vec!["raduga-moodle".to_owned()],
        source: Source::Official,
    };
    happen(&mut procedure, &opened);
    procedure
}

fn paper(form: Form, source: Source, proved: bool) -> Step {
    Step::Came(Paper {
        form,
        source,
        proved,
        at: at(1),
        files: vec![],
        findings: vec![],
    })
}

fn with(steps: &[Step]) -> Procedure {
    let mut procedure = opened();
    for step in steps {
        happen(&mut procedure, step);
    }
    *procedure.unwrap()
}

#[test]
fn j98_each_route_is_taken_and_each_gap_is_named() {
    use Form::{Invalid, Scan, Signed, SignedByWhom};
    use Source::{Official, Other, Primary};
    let both: &[Tick] = &[Tick::Stamp, Tick::Signer];
    let signer: &[Tick] = &[Tick::Signer];
    let said = |papers: &[(Form, Source, bool)], way, ticks| {
        let steps: Vec<Step> = papers.iter().map(|(f, s, p)| paper(*f, *s, *p)).collect();
        admits(&with(&steps), way, ticks).err().unwrap_or_default()
    };
    for (papers, way, ticks, missing) in [
        (
            &[(Signed, Primary, true)][..],
            Way::Signature,
            signer,
            &[][..],
        ),
        (&[(SignedByWhom, Other, false)], Way::Signature, signer, &[]),
        (&[(Scan, Official, true)], Way::Scan, both, &[]),
        (&[(Scan, Primary, true)], Way::Video, signer, &[]),
        (&[], Way::Scan, both, &[Missing::Letter]),
        (&[], Way::Video, &[], &[Missing::Letter, Missing::Signer]),
        (
            &[(Scan, Official, true)],
            Way::Signature,
            signer,
            &[Missing::Signature],
        ),
        (
            &[(Invalid, Official, true)],
            Way::Signature,
            signer,
            &[Missing::ValidSignature],
        ),
        (
            &[(Invalid, Official, true)],
            Way::Video,
            signer,
            &[Missing::ValidSignature],
        ),
        (
            &[(Signed, Official, true)],
            Way::Scan,
            both,
            &[Missing::Scan],
        ),
        (
            &[(Scan, Primary, true)],
            Way::Scan,
            both,
            &[Missing::OfficialAddress],
        ),
        (
            &[(Scan, Official, false)],
            Way::Scan,
            both,
            &[Missing::ProvedSender],
        ),
        (
            &[(Scan, Official, true)],
            Way::Scan,
            signer,
            &[Missing::Stamp],
        ),
        (
            &[(Scan, Official, true)],
            Way::Scan,
            &[Tick::Stamp],
            &[Missing::Signer],
        ),
    ] {
        assert_eq!(
            said(papers, way, ticks),
            missing,
            "{papers:?} {way:?} {ticks:?}"
        );
    }
}

#[test]
fn j98_the_original_in_hand_proves_a_scan_from_anywhere() {
    let both: &[Tick] = &[Tick::Stamp, Tick::Signer];
    let came = Step::OriginalCame {
        by: address("anna"),
        at: at(2),
    };
    let in_hand = with(&[paper(Form::Scan, Source::Primary, true), came]);
    assert_eq!(admits(&in_hand, Way::Scan, both), Ok(()));
    assert_eq!(may_name(&in_hand), Err(vec![Missing::Verification]));
}

#[test]
fn a_command_is_read_whole_or_not_at_all() {
    let day = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
    let said = |line| command::read(line).unwrap();
    let named = Command::Successor {
        name: "Котова Анна Юрьевна".to_owned(),
        address: address("anna"),
        phone: Some("+7 (900) 000-00-09".to_owned()),
        from: day,
    };
    for line in [
        "преемник Котова Анна Юрьевна <anna@raduga.example> +7 (900) 000-00-09 с 01.12.2026",
        "Successor: Котова Анна Юрьевна, anna@raduga.example, +7 (900) 000-00-09, from 2026-12-01",
    ] {
        assert_eq!(said(line), Ok(named.clone()), "{line}");
    }
    for bad in [
        "преемник Котова <anna@raduga.example> с 01.12.2026",
        "преемник Котова Анна <anna@raduga.example> 01.12.2026",
        "преемник Котова Анна с 01.12.2026",
        "преемник Котова Анна <a@b.example> <c@d.example> с 01.12.2026",
        "преемник Котова Анна\" <anna@raduga.example> с 01.12.2026",
        "преемник Котова Анна <anna@raduga.example> с 31.02.2026",
        "преемник",
        "контакт с 01.12.2026",
        "контакт Анна <anna@raduga.example> с 01.12.2026",
        "проверено",
        "проверено скан видео",
        "проверено скан штамп",
        "оригинал где-то",
        "отклонить",
        "смена",
    ] {
        assert!(said(bad).is_err(), "{bad}");
    }
    assert_eq!(command::read("решен"), None);
}

fn customer() -> Customer {
    let person = |role, local: &str| Representative {
        role,
        name: local.to_owned(),
        address: address(local),
        phone: None,
        since: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
        until: None,
    };
    Customer {
        id: "raduga".to_owned(),
        name: "Радуга".to_owned(),
        domains: Default::default(),
        official_addresses: vec![],
        contract: None,
        inn: None,
        ogrn: None,
        locale: None,
        orders_require: OrdersRequire::Domain,
        installations: vec![Installation {
            id: "raduga-moodle".to_owned(),
            name: "СЭО".to_owned(),
            tags: vec![],
            addresses: vec![],
            representatives: vec![
                person(Role::Primary, "maria"),
                person(Role::Additional, "oleg"),
            ],
        }],
    }
}

/// What letters from outside can do to a procedure: bring papers, be confirmed.
fn outside() -> impl Strategy<Value = Step> {
    let forms = prop_oneof![
        Just(Form::Scan),
        Just(Form::Signed),
        Just(Form::SignedByWhom),
        Just(Form::Invalid)
    ];
    let sources = prop_oneof![
        Just(Source::Primary),
        Just(Source::Official),
        Just(Source::Other)
    ];
    prop_oneof![
        (forms, sources, any::<bool>()).prop_map(|(f, s, p)| paper(f, s, p)),
        Just(Step::Confirmed),
        Just(Step::OriginalDue(at(9))),
        Just(Step::Reminded(at(10))),
        Just(Step::Late(at(11))),
    ]
}

proptest! {
    #[test]
    fn nothing_from_outside_makes_a_change(steps in proptest::collection::vec(outside(), 0..40)) {
        let procedure = with(&steps);
        prop_assert!(procedure.verified.is_none());
        prop_assert!(!procedure.is_to_write());
        prop_assert!(passing::amendments(&procedure).is_empty());
        prop_assert_eq!(&procedure.effect, &Effect::NotYet);
        prop_assert!(may_name(&procedure).is_err());
    }

    /// At every moment at most one primary, whatever specialists name one after the other.
    #[test]
    fn one_primary_at_most(turns in proptest::collection::vec((1_i64..60, 0_usize..6, any::<bool>()), 1..8)) {
        let mut stands = customer();
        let begin = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
        for (days, who, contact) in turns {
            let from = begin + TimeDelta::days(days);
            let Some(primary) = stands.installations[0].primary(from - TimeDelta::days(1)).cloned() else { continue };
            let new = address(&format!("person{who}"));
            if passing::is_taken(&stands.installations[0], from) {
                continue;
            }
            let change = if contact {
                Change::Contact { address: Some(new), phone: None }
            } else {
                Change::Successor { person: Party { name: format!("Person {who}"), address: new }, phone: None }
            };
            let procedure = with(&[
                Step::Verified(Verified { way: Way::Video, by: address("anna"), at: at(3) }),
                Step::Named(Box::new(Named {
                    change,
                    predecessor: Some(Party { name: primary.name, address: primary.address }),
                    from,
                    by: address("anna"),
                    at: at(4),
                })),
            ]);
            for amendment in passing::amendments(&procedure) {
                if let Ok(amended) = amendment.applied(&stands) {
                    stands = amended;
                }
            }
            for day in 0..90 {
                let day = begin + TimeDelta::days(day);
                let primaries = stands.installations[0].representatives.iter();
                let primaries = primaries.filter(|r| r.role == Role::Primary && r.in_office(day)).count();
                prop_assert!(primaries <= 1, "{primaries} on {day}");
            }
        }
    }
}
