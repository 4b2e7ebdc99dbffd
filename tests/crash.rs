//! Kill -9 at every stop of a letter's way in and out, at every fsync and between: nothing is lost, and nothing is doubled but the letter under way.
//!
//! No fail points in the product: strace lets the real daemon run up to its n-th call of a kind and kills it there, for n = 1, 2, 3 … until it
//! comes through; where the moment belongs to the other side, a mail server of the test's own does the killing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use postdesk::store::history::ChainState;
use support::sink::{Sink, Stage};
use support::trial_desk::{ALWAYS, Books, PATIENCE, Target, TrialDesk, letter};

const MAILDIR: &str = "maildir = \"inbox\"";
/// Letters that are different, and letters of the desk's that they cause.
const LETTERS: i64 = 6;
const ANSWERS: usize = 11;
/// When the first letter came, in seconds since 1970.
const BEGUN: u64 = 1_767_600_000;

/// What the desk must have in its books in the end, whatever happened on the way.
fn told() -> Books {
    let lines = |lines: &[&str]| lines.iter().map(|l| (*l).to_owned()).collect();
    Books {
        letters: lines(&[
            "1@mail.example registered 1 2",
            "2@mail.example registered 2 1",
            "3@mail.example refused - 1",
            "4@mail.example registered 3 1",
            "5@mail.example attached 1 1",
            "6@mail.example registered 4 1",
        ]),
        requests: lines(&[
            "1 order in-progress maria@raduga.example Order: mend the journal",
            "2 question in-progress oleg@raduga.example Order: delete the course",
            "3 question awaiting-information viktor@solnce.example Order: renew it all",
            "4 question in-progress viktor@solnce.example Where is the report?",
        ]),
        history: lines(&[
            "registered 1 1@mail.example",
            "registered 2 2@mail.example",
            "waits 2 2@mail.example",
            "refused - 3@mail.example",
            "registered 3 4@mail.example",
            "status-changed 3 4@mail.example",
            "waits 3 4@mail.example",
            "attached 1 5@mail.example",
            "registered 4 6@mail.example",
        ]),
        outbox: lines(&[
            "petrova@desk.example for-specialist Internal: Order: mend the journal [№ 2026-000001]",
            "maria@raduga.example registered Re: Order: mend the journal [№ 2026-000001]",
            "petrova@desk.example for-specialist Internal: Order: delete the course [№ 2026-000002]",
            "oleg@raduga.example order-needs-primary Re: Order: delete the course [№ 2026-000002]",
            "maria@raduga.example order-to-confirm Please confirm an order: Order: delete the course [№ 2026-000002]",
            "ivan@elsewhere.example refused Your letter has not been registered",
            "petrova@desk.example for-specialist Internal: Order: renew it all [№ 2026-000003]",
            "viktor@solnce.example ask-installation Re: Order: renew it all [№ 2026-000003]",
            "petrova@desk.example for-specialist Internal: Order: mend the journal [№ 2026-000001]",
            "petrova@desk.example for-specialist Internal: Where is the report? [№ 2026-000004]",
            "viktor@solnce.example registered Re: Where is the report? [№ 2026-000004]",
        ]),
    }
}

/// Five letters: an order, one that the primary must confirm, a stranger's, one that leaves open what it is about, and a word on the first.
fn first_wave() -> Vec<Vec<u8>> {
    let thread = "In-Reply-To: <1@mail.example>\r\nReferences: <1@mail.example>\r\n";
    vec![
        letter(1, "maria@raduga.example", "Order: mend the journal", ""),
        letter(2, "oleg@raduga.example", "Order: delete the course", ""),
        letter(3, "ivan@elsewhere.example", "Who are you?", ""),
        letter(4, "viktor@solnce.example", "Order: renew it all", ""),
        letter(
            5,
            "maria@raduga.example",
            "Re: Order: mend the journal",
            thread,
        ),
    ]
}

/// Two more while those are under way: a question, and the first letter once more.
fn second_wave() -> Vec<Vec<u8>> {
    vec![
        letter(6, "viktor@solnce.example", "Where is the report?", ""),
        letter(1, "maria@raduga.example", "Order: mend the journal", ""),
    ]
}

/// A desk whose letters lie in a Maildir, with the first wave in it, and the mail server it sends by.
struct Trial {
    desk: TrialDesk,
    sink: Sink,
    connections: usize,
    second_wave: bool,
    kills: usize,
}

impl Trial {
    fn new(sink: Sink, connections: usize, target: Target) -> Self {
        let smtp = format!(
            "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = {connections}",
            sink.port
        );
        let mut desk = TrialDesk::new(ALWAYS, MAILDIR, &smtp);
        desk.target = target;
        for (second, letter) in (0..).zip(first_wave()) {
            desk.put(&format!("{second}.host"), &letter, BEGUN + second);
        }
        Self {
            desk,
            sink,
            connections,
            second_wave: false,
            kills: 0,
        }
    }

    /// Runs the daemon until everything is done or it is dead; whether it ended in peace. The second wave comes as soon as one letter is
    /// out, or once the daemon is dead.
    fn run(&mut self, strace: &[&str]) -> bool {
        self.desk.start(strace);
        let begun = Instant::now();
        loop {
            let runs = self.desk.runs();
            if !self.second_wave && (!runs || !self.sink.taken().is_empty()) {
                self.second_wave = true;
                for (second, letter) in (10..).zip(second_wave()) {
                    self.desk
                        .put(&format!("{second}.host"), &letter, BEGUN + second);
                }
            }
            if !runs || (self.second_wave && self.is_done()) {
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "Not done in {PATIENCE:?}: {strace:?}\n{}{:#?}",
                self.desk.log(),
                self.desk.books()
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let well = self.desk.stop();
        self.kills += usize::from(!well);
        well
    }

    /// Runs it as it is; it must come through.
    fn recover(&mut self, after: &str) {
        assert!(
            self.run(&[]),
            "Died without being killed, after {after}:\n{}",
            self.desk.log()
        );
    }

    fn is_done(&self) -> bool {
        let ids: BTreeSet<String> = self
            .sink
            .taken()
            .into_iter()
            .map(|t| t.message_id)
            .collect();
        ids.len() >= ANSWERS && self.desk.quiet(LETTERS, ANSWERS as i64)
    }

    /// Compares the ledger, the mailbox and the mail server; how many letters of the desk's came twice.
    fn compare(&self, after: &str) -> usize {
        assert_eq!(self.desk.books(), told(), "after {after}");
        let chain = self.desk.chain();
        assert!(
            matches!(chain, ChainState::Whole { entries: 9, .. }),
            "after {after}: {chain:?}"
        );
        assert_eq!(self.desk.files("inbox/new"), [""; 0], "after {after}");
        assert_eq!(
            self.desk.files("inbox/cur"),
            ["0", "1", "10", "11", "2", "3", "4"].map(|n| format!("{n}.host:2,")),
            "after {after}"
        );
        doubled(&self.desk, &self.sink, self.kills * self.connections, after)
    }
}

/// Every letter of the desk's books is at its recipient's with one and the same bytes, and nothing else is there; at most so many copies too many.
fn doubled(desk: &TrialDesk, sink: &Sink, at_most: usize, after: &str) -> usize {
    let taken = sink.taken();
    let mut copies = 0;
    for row in desk.outbox() {
        assert_eq!(row.state, "sent", "after {after}: {row:?}");
        let came: Vec<_> = taken
            .iter()
            .filter(|t| t.message_id == row.message_id)
            .collect();
        assert!(!came.is_empty(), "after {after}: never came: {row:?}");
        assert!(
            came.len() <= usize::try_from(row.attempts).unwrap(),
            "after {after}: more copies than attempts: {row:?}"
        );
        for copy in &came {
            assert_eq!(copy.to, [row.recipient.as_str()], "after {after}");
            assert!(
                copy.raw == came[0].raw,
                "after {after}: two copies differ: {row:?}"
            );
        }
        copies += came.len();
    }
    assert_eq!(
        copies,
        taken.len(),
        "after {after}: letters that are in no book"
    );
    let doubled = copies - ANSWERS;
    assert!(
        doubled <= at_most,
        "after {after}: {doubled} letters came twice, {at_most} could"
    );
    doubled
}

fn killing(call: &str, n: usize) -> [String; 6] {
    [
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={call}"),
        "-e",
        &format!("inject={call}:signal=KILL:when={n}"),
    ]
    .map(str::to_owned)
}

/// Kills at the n-th call for n = 1, 1 + step, … until the daemon comes through; how many kills that were.
fn at_every(call: &str, step: usize) -> usize {
    let (mut kills, mut twice) = (0, 0);
    for n in (1..).step_by(step) {
        let after = format!("a kill at {call} number {n}");
        let mut trial = Trial::new(Sink::start(true), 2, Target::default());
        let through = trial.run(&killing(call, n).each_ref().map(String::as_str));
        if !through {
            trial.recover(&after);
        }
        twice += trial.compare(&after);
        if through {
            break;
        }
        kills += 1;
    }
    println!("{call}: {kills} kills, {twice} letters came twice");
    kills
}

/// P1, P2, P3; FAULTS A1, A2 (c4, c5, c9, c14): each commit of both walks, the schema's included (A12).
#[test]
fn killed_at_every_fsync() {
    assert!(at_every("fsync,fdatasync", 1) >= 20);
}

/// FAULTS c3, c4: within the transactions.
#[test]
fn killed_between_the_pages_of_a_commit() {
    assert!(at_every("pwrite64", 7) >= 30);
}

/// FAULTS c6, c7: a letter is kept, and not yet moved within its Maildir.
#[test]
fn killed_at_every_move_in_the_maildir() {
    assert_eq!(at_every("rename", 1), 7);
}

/// FAULTS c10 to c13: before each thing that is said to the mail server, and before each that is heard.
#[test]
fn killed_at_everything_that_is_said_to_the_mail_server() {
    assert!(at_every("sendto", 2) >= 15);
    assert!(at_every("recvfrom", 2) >= 12);
}

/// FAULTS A3: kills of the daemon that recovers from a kill.
#[test]
fn killed_while_it_recovers() {
    for (call, first, second) in [
        ("fsync,fdatasync", 3, 1),
        ("fsync,fdatasync", 8, 2),
        ("fsync,fdatasync", 9, 3),
        ("fsync,fdatasync", 12, 5),
        ("fsync,fdatasync", 14, 4),
        ("fsync,fdatasync", 16, 2),
        ("pwrite64", 130, 20),
        ("pwrite64", 200, 9),
        ("sendto", 9, 6),
    ] {
        let after = format!("kills at {call} number {first} and then {second}");
        let mut trial = Trial::new(Sink::start(true), 2, Target::default());
        for n in [first, second] {
            assert!(
                !trial.run(&killing(call, n).each_ref().map(String::as_str)),
                "no kill at {call} number {n}"
            );
        }
        trial.recover(&after);
        trial.compare(&after);
    }
}

/// FAULTS A2, P2: before the final dot a kill doubles nothing; behind it, before the answer, exactly the letter under way.
#[test]
fn killed_at_each_stage_of_a_delivery() {
    for (stage, nth, least, most) in [
        (Stage::Greeting, 0, 0, 0),
        (Stage::Ehlo, 0, 0, 0),
        (Stage::Mail, 4, 0, 0),
        (Stage::Rcpt, 4, 0, 0),
        (Stage::Data, 4, 0, 0),
        (Stage::Dot, 0, 1, 1),
        (Stage::Dot, 10, 1, 1),
        // The daemon may have written it down before the kill reaches it.
        (Stage::Answered, 0, 0, 1),
        (Stage::Answered, 10, 0, 1),
    ] {
        let after = format!("a kill at {stage:?} number {nth}");
        let target = Target::default();
        let (at, passed) = (target.clone(), AtomicUsize::new(0));
        let sink = Sink::start_watched(true, move |reached| {
            if reached == stage && passed.fetch_add(1, Ordering::SeqCst) == nth {
                at.shoot();
            }
        });
        let mut trial = Trial::new(sink, 1, target);
        assert!(!trial.run(&[]), "no kill at {stage:?}");
        trial.recover(&after);
        let twice = trial.compare(&after);
        assert!(
            (least..=most).contains(&twice),
            "after {after}: {twice} letters came twice"
        );
    }
}
