//! Reloading (P8, R6): the real daemon on a Maildir while its configuration is edited, broken, mended; what changed among the people is in the history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use postdesk::clock::Clock;
use postdesk::config::amend::{Amended, amend};
use postdesk::desk::address::Address;
use postdesk::desk::amendment::{Amendment, Person};
use postdesk::desk::people::Role;
use postdesk::store::history::ChainState;
use support::trial_desk::{ALWAYS, PATIENCE, TrialDesk, letter};
use support::wait;

const MAIN: &str = "postdesk.toml";
const RADUGA: &str = "customers/raduga.toml";
const BEGUN: u64 = 1_767_600_000;
const NINA: &str = "nina@raduga.example";

fn desk() -> TrialDesk {
    let mut desk = TrialDesk::new(ALWAYS, "maildir = \"inbox\"", "folder = \"outbox\"");
    desk.start(&[]);
    says(&desk, "Started", 1);
    until(&desk, "the appointments are known", |d| {
        history(d, "roll-taken") == 1
    });
    desk
}

fn until(desk: &TrialDesk, what: &str, holds: impl Fn(&TrialDesk) -> bool) {
    wait::until(&format!("{what}\n{}", desk.log()), PATIENCE, || {
        holds(desk).then_some(())
    });
}

fn says(desk: &TrialDesk, what: &str, times: usize) {
    until(desk, &format!("{what}, {times} times"), |d| {
        d.log().matches(what).count() >= times
    });
}

/// How many entries of this kind the history has.
fn history(desk: &TrialDesk, kind: &str) -> usize {
    let lines = desk.books().history;
    lines
        .iter()
        .filter(|l| l.split(' ').next() == Some(kind))
        .count()
}

/// How many letters of ours have this in their subject.
fn told(desk: &TrialDesk, subject: &str) -> usize {
    let lines = desk.books().outbox;
    lines.iter().filter(|l| l.contains(subject)).count()
}

/// Delivers a letter and waits for what becomes of it.
fn deliver(desk: &TrialDesk, id: u32, from: &str) -> String {
    let raw = letter(id, from, &format!("Question {id}"), "");
    desk.put(&format!("{id}.mx"), &raw, BEGUN + u64::from(id));
    decided(desk, id)
}

fn decided(desk: &TrialDesk, id: u32) -> String {
    let start = format!("{id}@mail.example ");
    let mut verdict = String::new();
    wait::until(&format!("letter {id}\n{}", desk.log()), PATIENCE, || {
        let lines = desk.books().letters;
        let line = lines
            .iter()
            .find(|l| l.starts_with(&start) && !l.contains("undecided"))?;
        verdict = line.split(' ').nth(1).unwrap().to_owned();
        Some(())
    });
    verdict
}

/// Delivers into the second mailbox.
fn into_second(desk: &TrialDesk, id: u32) {
    let raw = letter(id, "maria@raduga.example", &format!("Question {id}"), "");
    let begun = desk.path().join(format!("second/tmp/{id}.mx"));
    std::fs::write(&begun, raw).unwrap();
    std::fs::rename(begun, desk.path().join(format!("second/new/{id}.mx"))).unwrap();
}

fn with_nina(customer: &str) -> String {
    format!(
        "{customer}[[installation.representative]]\nrole = \"additional\"\nname = \"Nina Gromova\"\nemail = \"{NINA}\"\nsince = 2020-01-01\n"
    )
}

fn whole(desk: &TrialDesk) {
    let chain = desk.chain();
    assert!(matches!(chain, ChainState::Whole { .. }), "{chain:?}");
}

/// P8, K101: a bad edit is noticed by itself, changes nothing, is told once however often it is looked at, and the mended file takes effect.
#[test]
fn a_bad_edit_changes_nothing_and_is_told_once() {
    let mut desk = desk();
    assert_eq!(deliver(&desk, 1, NINA), "redirected");
    let good = desk.text(RADUGA);
    let bad = with_nina(&good).replace("Nina Gromova\"", "Nina Gromova\"\nemial = \"x\"");
    desk.save(RADUGA, &bad);
    until(&desk, "the specialist is told", |d| {
        told(d, "settings with faults") == 1
    });
    let log = desk.log();
    let line = bad.lines().position(|l| l.starts_with("emial")).unwrap() + 1;
    assert!(
        log.contains("Configuration not reloaded") && log.contains(&format!("raduga.toml:{line}:")),
        "{log}"
    );
    assert_eq!(deliver(&desk, 2, NINA), "redirected");
    assert_eq!(deliver(&desk, 3, "maria@raduga.example"), "registered");
    desk.hang_up();
    says(&desk, "Configuration not reloaded", 2);
    // Another fault is another letter.
    desk.save(RADUGA, &bad.replace("emial", "emaill"));
    until(&desk, "the other fault is told", |d| {
        told(d, "settings with faults") == 2
    });
    assert!(desk.runs() && !desk.log().contains("Configuration reloaded"));
    // Written in place, as some editors do, and in two halves.
    let mended = with_nina(&good);
    std::fs::write(desk.path().join(RADUGA), mended).unwrap();
    until(&desk, "it is good again", |d| {
        told(d, "settings are good again") == 1
    });
    assert_eq!(deliver(&desk, 4, NINA), "registered");
    assert_eq!(history(&desk, "appointed"), 1);
    assert_eq!(told(&desk, "settings with faults"), 2);
    assert_eq!(desk.log().matches("Started").count(), 1);
    assert!(desk.stop());
    whole(&desk);
}

/// Mailboxes, the way out and wordings change while the others go on; what was kept and is not decided on is not lost.
#[test]
fn mailboxes_and_the_way_out_change_while_the_rest_goes_on() {
    let mut desk = desk();
    assert_eq!(deliver(&desk, 1, "maria@raduga.example"), "registered");
    for folder in ["second/tmp", "second/new", "second/cur", "letters/en"] {
        std::fs::create_dir_all(desk.path().join(folder)).unwrap();
    }
    let first = desk.text(MAIN);
    let second = "[[mailbox]]\nname = \"second\"\nmaildir = \"second\"\nauthserv_ids = [\"mx.desk.example\"]\n";
    desk.save(
        MAIN,
        &format!("{first}{second}").replace("folder = \"outbox\"", "folder = \"outgoing\""),
    );
    says(&desk, "Configuration reloaded", 1);
    into_second(&desk, 2);
    assert_eq!(decided(&desk, 2), "registered");
    until(&desk, "letters go the new way", |d| {
        d.files("outgoing").len() >= 2
    });
    let before = desk.files("outbox").len();
    assert_eq!(deliver(&desk, 3, "maria@raduga.example"), "registered");
    // The first one goes; what lies in it stays there.
    let without = first.replace(
        "name = \"support\"\nmaildir = \"inbox\"",
        "name = \"second\"\nmaildir = \"second\"",
    );
    assert_ne!(without, first);
    desk.save(MAIN, &without);
    says(&desk, "Configuration reloaded", 2);
    desk.put(
        "4.mx",
        &letter(4, "maria@raduga.example", "Question 4", ""),
        BEGUN + 4,
    );
    into_second(&desk, 5);
    assert_eq!(decided(&desk, 5), "registered");
    assert_eq!(desk.files("inbox/new"), ["4.mx"]);
    until(&desk, "letters go the old way again", |d| {
        d.files("outbox").len() > before
    });
    // A wording of the desk's own, in a folder that was not there.
    let wording = desk.text(MAIN) + "[letters]\nfolder = \"letters\"\n";
    desk.save(MAIN, &wording);
    says(&desk, "Configuration reloaded", 3);
    desk.save(
        "letters/en/registered.txt",
        "Subject: Thus it is\n\nThus.\n",
    );
    says(&desk, "Configuration reloaded", 4);
    into_second(&desk, 6);
    assert_eq!(decided(&desk, 6), "registered");
    assert_eq!(told(&desk, "Thus it is"), 1);
    // And back comes what was waiting.
    desk.save(MAIN, &first);
    assert_eq!(decided(&desk, 4), "registered");
    assert_eq!(desk.log().matches("Started").count(), 1);
    assert!(desk.stop());
    whole(&desk);
}

/// What can't change while the daemon runs is refused with the word that helps; `watch = false` leaves it to the signal.
#[test]
fn the_database_stays_and_watching_can_be_left() {
    let mut desk = desk();
    let first = desk.text(MAIN);
    desk.save(MAIN, &first.replace("desk.db", "other.db"));
    says(&desk, "restart it", 1);
    until(&desk, "it is told", |d| {
        told(d, "settings with faults") == 1
    });
    let unwatched = first.replace("locale = \"en\"", "locale = \"en\"\nwatch = false");
    desk.save(MAIN, &unwatched);
    says(&desk, "Configuration reloaded", 1);
    let good = desk.text(RADUGA);
    desk.save(RADUGA, &with_nina(&good));
    assert_eq!(deliver(&desk, 1, NINA), "redirected");
    desk.hang_up();
    says(&desk, "Configuration reloaded", 2);
    assert_eq!(deliver(&desk, 2, NINA), "registered");
    assert_eq!(desk.log().matches("Configuration reloaded").count(), 2);
    assert!(desk.files(".").iter().all(|f| f != "other.db"));
    assert!(desk.stop());
}

/// Signals that come faster than they can be followed are one, and letters go on meanwhile.
#[test]
fn a_storm_of_signals_is_weathered() {
    let mut desk = desk();
    for id in 1..6 {
        for _ in 0..20 {
            desk.hang_up();
        }
        assert_eq!(deliver(&desk, id, "maria@raduga.example"), "registered");
    }
    says(&desk, "Configuration reloaded", 1);
    assert!(desk.log().matches("Configuration reloaded").count() <= 100);
    assert_eq!(desk.log().matches("Started").count(), 1);
    assert_eq!(history(&desk, "roll-taken"), 1);
    assert!(desk.stop());
    whole(&desk);
}

fn succession() -> Amendment {
    Amendment::Succeed {
        installation: "raduga-moodle".to_owned(),
        role: Role::Primary,
        successor: Person {
            name: "Nina Gromova".to_owned(),
            address: Address::new(NINA).unwrap(),
            phone: None,
        },
        from: "2026-03-02".parse().unwrap(),
        ends: Address::new("maria@raduga.example").unwrap(),
    }
}

/// R6, R31: the desk's own amendment takes effect by itself, with the predecessor's end and the successor's beginning in the history.
#[test]
fn the_desks_own_amendment_takes_effect() {
    let mut desk = desk();
    let done = amend(
        &desk.configuration(),
        "raduga",
        &succession(),
        [],
        Clock::System.now(),
    );
    assert!(matches!(done, Ok(Amended::Written(_))), "{done:?}");
    until(&desk, "the change is in the history", |d| {
        history(d, "appointed") == 1
    });
    assert_eq!(history(&desk, "appointment-ends"), 1);
    says(&desk, "Configuration reloaded", 1);
    assert!(
        desk.log()
            .contains("raduga-moodle: primary appointed in place of another from 2026-03-02"),
        "{}",
        desk.log()
    );
    assert!(!desk.log().contains(NINA));
    assert!(desk.stop());
    whole(&desk);
}

/// R6: an edit that was made while the desk was down is in the history once, wherever the next start is killed.
#[test]
fn an_edit_while_the_desk_was_down_is_entered_once() {
    let mut desk = desk();
    assert!(desk.stop());
    let done = amend(
        &desk.configuration(),
        "raduga",
        &succession(),
        [],
        Clock::System.now(),
    );
    assert!(matches!(done, Ok(Amended::Written(_))), "{done:?}");
    for call in ["pwrite64", "fdatasync"] {
        for n in 1..6 {
            desk.start(&[
                "-e",
                &format!("trace={call}"),
                "-e",
                &format!("inject={call}:signal=KILL:when={n}"),
            ]);
            until(&desk, "its end, or its work", |d| {
                !d.runs() || d.log().contains("Started") && history(d, "appointed") == 1
            });
            desk.bury();
            assert!(history(&desk, "appointed") <= 1);
            assert_eq!(
                history(&desk, "appointed"),
                history(&desk, "appointment-ends")
            );
        }
    }
    desk.start(&[]);
    until(&desk, "the change is in the history", |d| {
        history(d, "appointed") == 1
    });
    // These letters arrived before the day on which one follows the other.
    assert_eq!(deliver(&desk, 1, NINA), "redirected");
    assert_eq!(deliver(&desk, 2, "maria@raduga.example"), "registered");
    assert!(desk.stop());
    assert_eq!(
        (history(&desk, "appointed"), history(&desk, "roll-taken")),
        (1, 1)
    );
    whole(&desk);
}
