//! A backlog in Dovecot, read, kept, registered and acknowledged, against a bare reader that throws the same letters away.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::acknowledged::Book;
use crate::daemon::{Daemon, Inbox};
use crate::machine;
use crate::support::dovecot::{DESK, Dovecot, PASSWORD};
use crate::support::mailgen::{self, Generator};
use crate::support::raw_imap::{Drained, RawImap};
use crate::support::sink::Sink;

/// The daemon's rate is at least this share of the bare reader's.
const SHARE: f64 = 1.0 / 20.0;
/// The most memory that it may hold, in KiB.
const MEMORY: u64 = 100 * 1024;
/// How long nothing may happen before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures, prints, and says whether the targets were met.
pub fn measure(letters: usize, senders: usize, specialists: usize, seed: u64) -> bool {
    let machine = machine::described();
    println!("machine: {machine}");
    let mut book = Book::default();
    let dovecot = preloaded(letters, senders, seed, &mut book);

    // The first reading brings the letters into the page cache for everybody; the middle one of the next three counts.
    let mut drained: Vec<Drained> = (0..4).map(|_| drain(&dovecot)).skip(1).collect();
    drained.sort_by_key(|d| d.took);
    let bare = drained[1];
    assert_eq!(bare.letters, letters as u64, "Letters in the mailbox");
    let bare_rate = rate(letters, bare.took);
    println!(
        "bare reader: {} letters, {:.1} MB in {:.2} s (of {:.2} to {:.2}): {bare_rate:.0} letters/s",
        bare.letters,
        bare.octets as f64 / 1e6,
        bare.took.as_secs_f64(),
        drained[0].took.as_secs_f64(),
        drained[2].took.as_secs_f64(),
    );

    let sink = Sink::start(false);
    let begun = Instant::now();
    let mut daemon = Daemon::start(&Inbox::Imap(dovecot.imap), sink.port, senders, specialists);
    let (last, seen) = until_all(&mut daemon, &sink, &mut book, begun);
    let took = last.duration_since(begun);
    let (memory, processor, stored) = (
        daemon.peak_memory(),
        daemon.processor_time(),
        daemon.stored(),
    );
    let ended_well = daemon.ends_well(Duration::from_secs(30));
    // What came after the last first answer may be a second one.
    for taken in sink.taken_after(seen) {
        book.enter(&taken);
    }

    let own_rate = rate(letters, took);
    let share = own_rate / bare_rate;
    let again = book.answered_again();
    println!(
        "postdesk: {letters} letters, {} acknowledgements in {:.2} s: {own_rate:.0} letters/s, 1/{:.1} of the bare reader (at least 1/{:.0} wanted)",
        book.all(),
        took.as_secs_f64(),
        1.0 / share,
        1.0 / SHARE,
    );
    println!(
        "processor {processor:.1} s, {:.2} ms a letter",
        processor * 1e3 / letters as f64
    );
    println!(
        "peak memory {:.1} MiB (less than {} wanted), database {:.1} MB, answered twice {again} (0 wanted), ended well: {ended_well}",
        memory as f64 / 1024.0,
        MEMORY / 1024,
        stored as f64 / 1e6,
    );
    println!(
        "| {letters} | {bare_rate:.0} | {own_rate:.0} | 1/{:.1} | {:.1} | {processor:.1} | {machine} |",
        1.0 / share,
        memory as f64 / 1024.0,
    );
    share >= SHARE && memory < MEMORY && again == 0 && ended_well
}

/// A Dovecot with the letters in it.
fn preloaded(letters: usize, senders: usize, seed: u64, book: &mut Book) -> Dovecot {
    let dovecot = Dovecot::start();
    let folder = tempfile::Builder::new()
        .prefix("desk-backlog-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .expect("A temporary folder");
    let maildir = folder.path().join("mail");
    let mut octets = 0;
    let begun = Instant::now();
    let generator = Generator::new(seed, letters, senders, DESK);
    mailgen::fill_maildir(generator, &maildir, |letter| {
        octets += letter.raw.len();
        if letter.parent.is_none() {
            book.expect(letter);
        }
    });
    let generated = begun.elapsed();
    dovecot.import(DESK, &maildir);
    println!(
        "backlog: {letters} letters of {senders} senders, {:.1} KB on average, {} begin a thread (generated in {:.1} s, imported in {:.1} s)",
        octets as f64 / letters as f64 / 1e3,
        book.all(),
        generated.as_secs_f64(),
        (begun.elapsed() - generated).as_secs_f64(),
    );
    dovecot
}

fn drain(dovecot: &Dovecot) -> Drained {
    RawImap::login(dovecot.imap, DESK, PASSWORD).drain("INBOX")
}

/// Waits until every letter has its acknowledgement; the moment of the last one, and how many letters the sink had by then.
fn until_all(
    daemon: &mut Daemon,
    sink: &Sink,
    book: &mut Book,
    begun: Instant,
) -> (Instant, usize) {
    let (mut seen, mut last, mut told) = (0, begun, begun);
    while book.open() > 0 {
        let new = sink.taken_after(seen);
        seen += new.len();
        for taken in &new {
            last = book.enter(taken).map_or(last, |at| at.max(last));
        }
        daemon.check();
        assert!(
            book.open() == 0 || last.elapsed() < PATIENCE,
            "{} of {} letters have no acknowledgement, and for {PATIENCE:?} none came:\n{}",
            book.open(),
            book.all(),
            daemon.end_of_log()
        );
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            println!(
                "  {:.0} s: {} acknowledgements to go",
                begun.elapsed().as_secs_f64(),
                book.open()
            );
        }
        sleep(Duration::from_millis(20));
    }
    (last, seen)
}

fn rate(letters: usize, took: Duration) -> f64 {
    letters as f64 / took.as_secs_f64()
}
