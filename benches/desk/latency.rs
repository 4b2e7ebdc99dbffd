//! How long one letter takes to its acknowledgement: from the word of a server that says it at once, from delivery into Dovecot, from delivery into a Maildir.

use std::time::{Duration, Instant};

use crate::acknowledged::Book;
use crate::daemon::{Daemon, Inbox};
use crate::machine;
use crate::support::dovecot::{DESK, Dovecot};
use crate::support::idle_imap::IdleImap;
use crate::support::mailgen::{self, Generated, Generator};
use crate::support::raw_lmtp::Handover;
use crate::support::sink::Sink;

const SENDERS: usize = 20;
/// Letters that warm up and are not counted.
const WARM_UP: usize = 5;
const PATIENCE: Duration = Duration::from_secs(60);

/// What is wanted of one way.
#[derive(Debug, Clone, Copy)]
struct Target {
    way: &'static str,
    median: Duration,
    /// The 99th percentile, where one is wanted.
    most: Option<Duration>,
}

/// Measures all three ways with `letters` letters each, prints, and says whether the targets were met.
pub fn measure(letters: usize) -> bool {
    let machine = machine::described();
    println!("machine: {machine}");
    let ways = [from_the_servers_word, from_dovecot, from_a_maildir];
    // All three are measured, whatever the first one says.
    let met: Vec<bool> = ways.iter().map(|way| way(letters)).collect();
    met.iter().all(|m| *m)
}

fn from_the_servers_word(letters: usize) -> bool {
    let server = IdleImap::start();
    let target = Target {
        way: "IMAP, from the server's EXISTS",
        median: Duration::from_millis(20),
        most: Some(Duration::from_millis(200)),
    };
    one_by_one(letters, target, &Inbox::Imap(server.port), |letter| {
        server
            .someone_idles(PATIENCE)
            .then(|| server.put(letter.raw.clone()))
    })
}

fn from_dovecot(letters: usize) -> bool {
    let dovecot = Dovecot::start();
    let mut lmtp = Handover::lmtp(dovecot.lmtp);
    let target = Target {
        way: "IMAP, from delivery into Dovecot",
        median: Duration::from_millis(600),
        most: None,
    };
    one_by_one(letters, target, &Inbox::Imap(dovecot.imap), |letter| {
        lmtp.deliver(&mailgen::sender(letter.sender), DESK, &letter.raw);
        Some(Instant::now())
    })
}

fn from_a_maildir(letters: usize) -> bool {
    let folder = tempfile::tempdir().expect("A temporary folder");
    let maildir = folder.path().join("inbox");
    mailgen::fill_maildir(std::iter::empty(), &maildir, |_| {});
    let target = Target {
        way: "Maildir, from delivery",
        median: Duration::from_millis(50),
        most: None,
    };
    one_by_one(
        letters,
        target,
        &Inbox::Maildir(maildir.clone()),
        |letter| {
            let name = format!("1794700000.M{}P1.bench", letter.index);
            mailgen::put_in_maildir(&maildir, &name, &letter.raw);
            Some(Instant::now())
        },
    )
}

/// Delivers one letter after the other, each when the one before has its acknowledgement. `deliver` says when the clock starts; nothing
/// if nobody waits for a letter.
fn one_by_one(
    letters: usize,
    target: Target,
    inbox: &Inbox,
    mut deliver: impl FnMut(&Generated) -> Option<Instant>,
) -> bool {
    let sink = Sink::start(false);
    let mut daemon = Daemon::start(inbox, sink.port, SENDERS, 1);
    // A follow-up need not be answered; one and a half times as many hold enough that begin a thread.
    let generator = Generator::new(11, (letters + WARM_UP) * 3 / 2 + 10, SENDERS, DESK);
    let beginnings = generator.filter(|l| l.parent.is_none());
    let mut took = Vec::with_capacity(letters);
    for (count, letter) in beginnings.take(letters + WARM_UP).enumerate() {
        let mut book = Book::default();
        book.expect(&letter);
        daemon.check();
        let begun = deliver(&letter);
        let answered = begun
            .and_then(|_| sink.wait_for(PATIENCE, |new| new.iter().find_map(|t| book.enter(t))));
        let (Some(begun), Some(answered)) = (begun, answered) else {
            panic!(
                "Letter {count} was not waited for, or has no acknowledgement after {PATIENCE:?}:\n{}",
                daemon.end_of_log()
            );
        };
        if count >= WARM_UP {
            took.push(answered.saturating_duration_since(begun));
        }
    }
    took.sort();
    report(&took, target)
}

fn report(sorted: &[Duration], target: Target) -> bool {
    let at = |share: f64| {
        let place = (sorted.len() as f64 * share).ceil() as usize;
        sorted[place.clamp(1, sorted.len()) - 1]
    };
    let (median, most) = (at(0.5), at(0.99));
    let met = median < target.median && target.most.is_none_or(|limit| most < limit);
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let wanted = target
        .most
        .map_or(String::new(), |limit| format!(" / {:.0}", ms(limit)));
    println!(
        "{}: {} letters, median {:.1} ms, 99th percentile {:.1} ms, longest {:.1} ms (median{} below {:.0}{wanted} ms wanted): {}",
        target.way,
        sorted.len(),
        ms(median),
        ms(most),
        ms(at(1.0)),
        if target.most.is_some() { " / 99th" } else { "" },
        ms(target.median),
        if met { "met" } else { "NOT MET" },
    );
    met
}
