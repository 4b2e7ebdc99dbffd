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
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use postdesk::clock::Clock;
use postdesk::config;
use postdesk::inbound::Inbound;
use postdesk::store::history::ChainState;
use postdesk::store::letters::{Fetched, Location};
use postdesk::store::pool::Store;
use support::dovecot::Dovecot;
use support::shooting_proxy;
use support::sink::{Sink, Stage};
use support::trial_desk::{ALWAYS, Books, PATIENCE, Target, TrialDesk, letter};
use support::wait;

const MAILDIR: &str = "maildir = \"inbox\"";
/// When the first letter came, in seconds since 1970: so lately that no answer is due yet.
static BEGUN: LazyLock<u64> = LazyLock::new(|| {
    let hour_ago = Clock::System.now() - TimeDelta::hours(1);
    hour_ago.timestamp().unsigned_abs()
});

/// What the desk must have in its books in the end, whatever happened on the way.
fn told() -> Books {
    // Numbers are given in the year of the desk's zone.
    let year = (Clock::System.now() + TimeDelta::hours(3)).year();
    let lines = |lines: &[&str]| {
        let lines = lines.iter();
        lines
            .map(|l| l.replace("№ YEAR-", &format!("№ {year}-")))
            .collect()
    };
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
            "roll-taken - -",
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
            "maria@raduga.example registered Re: Order: mend the journal [№ YEAR-000001]",
            "petrova@desk.example for-specialist Internal: Order: mend the journal [№ YEAR-000001]",
            "oleg@raduga.example order-needs-primary Re: Order: delete the course [№ YEAR-000002]",
            "maria@raduga.example order-to-confirm Please confirm an order: Order: delete the course [№ YEAR-000002]",
            "petrova@desk.example for-specialist Internal: Order: delete the course [№ YEAR-000002]",
            "ivan@elsewhere.example refused Your letter has not been registered",
            "viktor@solnce.example ask-installation Re: Order: renew it all [№ YEAR-000003]",
            "petrova@desk.example for-specialist Internal: Order: renew it all [№ YEAR-000003]",
            "petrova@desk.example for-specialist Internal: Order: mend the journal [№ YEAR-000001]",
            "viktor@solnce.example registered Re: Where is the report? [№ YEAR-000004]",
            "petrova@desk.example for-specialist Internal: Where is the report? [№ YEAR-000004]",
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

/// Where letters come in.
enum Mailbox<'a> {
    Maildir,
    /// The mailbox of this user.
    Imap(&'a Dovecot, String),
    /// None: all that ever came in is in the books.
    Closed,
}

/// A desk with the first wave in its mailbox, and the mail server it sends by.
struct Trial<'a> {
    desk: TrialDesk,
    mailbox: Mailbox<'a>,
    sink: Sink,
    connections: usize,
    /// What it must come to.
    expected: Books,
    second_wave: bool,
    kills: usize,
}

impl<'a> Trial<'a> {
    fn new(sink: Sink, connections: usize, target: Target) -> Self {
        Self::over(Mailbox::Maildir, MAILDIR, sink, connections, target)
    }

    fn over(
        mailbox: Mailbox<'a>,
        source: &str,
        sink: Sink,
        connections: usize,
        target: Target,
    ) -> Self {
        let smtp = format!(
            "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = {connections}",
            sink.port
        );
        let mut desk = TrialDesk::new(ALWAYS, source, &smtp);
        desk.target = target;
        let trial = Self {
            desk,
            mailbox,
            sink,
            connections,
            expected: told(),
            second_wave: false,
            kills: 0,
        };
        trial.deliver(0, first_wave());
        trial
    }

    fn deliver(&self, from: u64, wave: Vec<Vec<u8>>) {
        for (second, letter) in (from..).zip(wave) {
            match &self.mailbox {
                Mailbox::Maildir => {
                    self.desk
                        .put(&format!("{second}.host"), &letter, *BEGUN + second);
                }
                Mailbox::Imap(server, user) => server.append(user, "INBOX", &letter, None),
                Mailbox::Closed => {}
            }
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
                self.deliver(10, second_wave());
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
        // Not before it listens to being told to stop.
        let (letters, outbox) = (self.expected.letters.len(), self.expected.outbox.len());
        ids.len() >= outbox
            && self.desk.log().contains("Started")
            && self.desk.quiet(letters as i64, outbox as i64)
    }

    /// Compares the ledger, the mailbox and the mail server; how many letters of the desk's came twice.
    fn compare(&self, after: &str) -> usize {
        assert_eq!(self.desk.books(), self.expected, "after {after}");
        let chain = self.desk.chain();
        assert!(
            matches!(chain, ChainState::Whole { entries, .. } if entries == self.expected.history.len() as i64),
            "after {after}: {chain:?}"
        );
        match &self.mailbox {
            Mailbox::Closed => {}
            Mailbox::Maildir => {
                assert_eq!(self.desk.files("inbox/new"), [""; 0], "after {after}");
                assert_eq!(
                    self.desk.files("inbox/cur"),
                    ["0", "1", "10", "11", "2", "3", "4"].map(|n| format!("{n}.host:2,")),
                    "after {after}"
                );
            }
            Mailbox::Imap(server, user) => {
                let mut lie: Vec<Vec<u8>> = ["INBOX", "Processed"]
                    .iter()
                    .flat_map(|folder| server.letters(user, folder))
                    .map(|l| l.raw)
                    .collect();
                lie.sort();
                let mut came: Vec<Vec<u8>> =
                    first_wave().into_iter().chain(second_wave()).collect();
                came.sort();
                assert!(lie == came, "after {after}: the mailbox has changed");
            }
        }
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
    let doubled = copies - desk.outbox().len();
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
fn at_every(call: &str, step: usize, imap: Option<&Dovecot>) -> usize {
    let (mut kills, mut twice) = (0, 0);
    for n in (1..).step_by(step) {
        let after = format!("a kill at {call} number {n}");
        let (sink, target) = (Sink::start(true), Target::default());
        let mut trial = match imap {
            None => Trial::new(sink, 2, target),
            Some(server) => {
                let user = format!("support{n}@desk.test");
                let source = imap_source(server.imap, &user);
                Trial::over(Mailbox::Imap(server, user), &source, sink, 2, target)
            }
        };
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

fn imap_source(port: u16, user: &str) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nusername = \"{user}\"\npassword_file = \"password\"\n\
         start = \"beginning\"\nafter = \"move:Processed\"\npoll_seconds = 1"
    )
}

/// P1, P2, P3; FAULTS A1, A2 (c4, c5, c9, c14): each commit of both walks, the schema's included (A12).
#[test]
fn killed_at_every_fsync() {
    assert!(at_every("fsync,fdatasync", 1, None) >= 20);
}

/// The same where the cursor of an IMAP mailbox is all that tells what is new.
#[test]
fn killed_at_every_fsync_over_imap() {
    let server = Dovecot::start();
    assert!(at_every("fsync,fdatasync", 1, Some(&server)) >= 20);
}

/// FAULTS c3, c4: within the transactions.
#[test]
fn killed_between_the_pages_of_a_commit() {
    assert!(at_every("pwrite64", 11, None) >= 20);
}

/// FAULTS c6, c7: a letter is kept, and not yet moved within its Maildir.
#[test]
fn killed_at_every_move_in_the_maildir() {
    assert_eq!(at_every("rename", 1, None), 7);
}

/// FAULTS c10 to c13: before each thing that is said to the mail server, and before each that is heard.
#[test]
fn killed_at_everything_that_is_said_to_the_mail_server() {
    assert!(at_every("sendto", 3, None) >= 10);
    assert!(at_every("recvfrom", 3, None) >= 8);
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

/// FAULTS c1, c2, c6, c7; A1: at each step of a conversation with a real IMAP server that moves what is kept.
#[test]
fn killed_at_each_step_of_a_fetch() {
    type Moment = fn(&str, &str) -> bool;
    let moments: [(&str, Moment); 12] = [
        ("the greeting", |_, s| s.contains("* OK")),
        ("LOGIN", |c, _| {
            c.contains("LOGIN") || c.contains("AUTHENTICATE")
        }),
        ("the opening of the folder", |c, _| {
            c.contains("SELECT") || c.contains("EXAMINE")
        }),
        ("UIDVALIDITY", |_, s| s.contains("UIDVALIDITY")),
        ("the search", |c, _| c.contains("SEARCH")),
        ("what the search found", |_, s| {
            s.contains("* SEARCH") || s.contains("ESEARCH (")
        }),
        ("the sizes", |_, s| s.contains("RFC822.SIZE")),
        ("the fetch", |c, _| c.contains("BODY.PEEK")),
        ("the first body", |_, s| s.contains("BODY[")),
        ("the last body", |_, s| s.contains("<5@mail.example>")),
        ("the order to move", |c, _| c.contains("MOVE")),
        ("the word that it moved", |c, s| {
            c.contains("MOVE") && s.contains("COPYUID")
        }),
    ];
    let server = Dovecot::start();
    for (n, (name, moment)) in moments.into_iter().enumerate() {
        let after = format!("a kill at {name}");
        let user = format!("support{n}@desk.test");
        let target = Target::default();
        let port = shooting_proxy::start(server.imap, target.clone(), moment);
        let source = imap_source(port, &user);
        let mailbox = Mailbox::Imap(&server, user);
        let mut trial = Trial::over(mailbox, &source, Sink::start(true), 2, target);
        assert!(!trial.run(&[]), "no kill at {name}");
        trial.recover(&after);
        trial.compare(&after);
    }
}

fn failing(call: &str, error: &str, when: &str) -> [String; 6] {
    [
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={call}"),
        "-e",
        &format!("inject={call}:error={error}:when={when}"),
    ]
    .map(str::to_owned)
}

/// FAULTS A8, A9: a disk that is full or broken for a moment. The daemon heals or ends; nothing is lost, and nothing is doubled if it healed.
#[test]
fn the_disk_fails_for_a_moment() {
    let (mut healed, mut ended) = (0, 0);
    for (call, error, when) in [
        ("fsync", "EIO", "7"),
        ("fsync", "EIO", "9"),
        ("fsync", "EIO", "11"),
        ("fsync", "EIO", "12"),
        ("fsync", "EIO", "13..14"),
        ("pwrite64", "ENOSPC", "40"),
        ("pwrite64", "ENOSPC", "120"),
        ("pwrite64", "ENOSPC", "160..161"),
        ("pwrite64", "ENOSPC", "200"),
        ("pwrite64", "ENOSPC", "230..232"),
    ] {
        let after = format!("{error} from {call} number {when}");
        let mut trial = Trial::new(Sink::start(true), 2, Target::default());
        if trial.run(&failing(call, error, when).each_ref().map(String::as_str)) {
            assert!(
                trial.desk.log().contains("ERROR") || trial.desk.log().contains("WARN"),
                "{after}: nobody was told:\n{}",
                trial.desk.log()
            );
            healed += 1;
        } else {
            println!("ended by {after}: {}", trial.desk.log());
            trial.recover(&after);
            ended += 1;
        }
        trial.compare(&after);
    }
    println!("healed {healed}, ended {ended}");
}

/// FAULTS A8; P6: a disk that stays full. Nothing leaves that is not in the books, and once there is room again everything goes on.
#[test]
fn the_disk_is_full() {
    for when in ["150+", "165+", "225+", "235+"] {
        let after = format!("a disk that was full from page {when}");
        let mut trial = Trial::new(Sink::start(true), 2, Target::default());
        let strace = failing("pwrite64", "ENOSPC", when);
        trial.desk.start(&strace.each_ref().map(String::as_str));
        wait::until("a word about the disk", PATIENCE, || {
            let told = trial.desk.log().contains("full");
            (told || !trial.desk.runs()).then_some(())
        });
        // What is out first: a letter may be entered and leave between the two looks.
        let taken = trial.sink.taken();
        let known: BTreeSet<String> = trial
            .desk
            .outbox()
            .into_iter()
            .map(|r| r.message_id)
            .collect();
        for out in taken {
            assert!(known.contains(&out.message_id), "{after}: said too early");
        }
        trial.desk.target.shoot();
        trial.kills += 1;
        trial.recover(&after);
        trial.compare(&after);
    }
}

/// A desk that was left alone for three weeks, with a question that waits for the opening and an order that nobody confirmed.
async fn left_alone(desk: &TrialDesk) {
    let midnight = Clock::System.now().date_naive() - TimeDelta::days(21);
    let moment = |hour| -> DateTime<Utc> { midnight.and_hms_opt(hour, 0, 0).unwrap().and_utc() };
    let config = config::load(&desk.configuration()).unwrap().0.into();
    let store = Store::open(&desk.url()).await.unwrap();
    let clock = Clock::manual(moment(8));
    let mut inbound = Inbound::new(store.clone(), clock.clone(), Default::default());
    let order = letter(1, "oleg@raduga.example", "Order: delete the course", "");
    let question = letter(2, "maria@raduga.example", "Where is the report?", "");
    for (uid, hour, raw) in [(1, 8, order), (2, 19, question)] {
        let (arrived, uidvalidity) = (moment(hour), 0);
        clock.set(arrived);
        let location = Location { uidvalidity, uid };
        let fetched = Fetched {
            location,
            arrived,
            raw,
            oversize: None,
        };
        store
            .keep("support", &[fetched], None, arrived)
            .await
            .unwrap();
        while inbound.step(&config).await.unwrap().decided > 0 {}
    }
    store.close().await;
}

fn opening() -> Trial<'static> {
    let hours = ALWAYS.replace("00:00-24:00", "09:00-17:00");
    let mut trial = Trial::new(Sink::start(true), 2, Target::default());
    let smtp = format!(
        "host = \"127.0.0.1\"\nport = {}\ntls = \"none\"",
        trial.sink.port
    );
    trial.desk = TrialDesk::new(&hours, MAILDIR, &smtp);
    trial.mailbox = Mailbox::Closed;
    trial.second_wave = true;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(left_alone(&trial.desk));
    // The counts are those of the end; the lines are a run's that nobody disturbed.
    trial.expected.letters.truncate(2);
    trial.expected.outbox.truncate(8);
    trial
}

/// FAULTS c8; R10, R16: what time brings is registered and lapses once.
#[test]
fn killed_at_every_fsync_of_an_opening() {
    let mut undisturbed = opening();
    undisturbed.recover("nothing");
    let expected = undisturbed.desk.books();
    assert_eq!(
        expected.requests,
        [
            "1 question in-progress oleg@raduga.example Order: delete the course",
            "2 question in-progress maria@raduga.example Where is the report?"
        ]
    );
    let mut kills = 0;
    for n in 1.. {
        let after = format!("a kill at fsync number {n} of an opening");
        let mut trial = opening();
        let through = trial.run(&killing("fsync", n).each_ref().map(String::as_str));
        if !through {
            trial.recover(&after);
        }
        trial.expected.clone_from(&expected);
        trial.compare(&after);
        if through {
            break;
        }
        kills += 1;
    }
    println!("opening: {kills} kills");
    assert!(kills >= 6);
}

/// P1, P2: the write-ahead log is on the disk, the attempt counted in it, before a letter is spoken of to the mail server.
#[test]
fn each_letter_leaves_after_a_commit_of_its_own() {
    let mut trial = Trial::new(Sink::start(true), 1, Target::default());
    let trace = trial.desk.path().join("trace");
    let file = trace.display().to_string();
    let strace = [
        "-y",
        "-s",
        "16",
        "-o",
        &file,
        "-e",
        "trace=fsync,fdatasync,sendto",
    ];
    assert!(trial.run(&strace));
    let (mut synced, mut begun, mut left) = (0, BTreeSet::new(), 0);
    for line in std::fs::read_to_string(trace).unwrap().lines() {
        let thread = line.split_whitespace().next().unwrap();
        let is_log = line.contains("desk.db-wal>");
        if line.contains("sync(") && is_log && line.contains("<unfinished") {
            begun.insert(thread.to_owned());
        } else if line.contains("sync(") && is_log && line.ends_with("= 0")
            || line.contains("sync resumed") && begun.remove(thread)
        {
            synced += 1;
        } else if line.contains("sendto(") && line.contains("\"MAIL FROM") {
            left += 1;
            // One commit for what came in, one for its decision, and one for each letter with the fate of the one before.
            assert!(
                synced >= 2 + left,
                "{left} letters left after {synced} commits"
            );
        }
    }
    assert_eq!(left, trial.expected.outbox.len());
}
