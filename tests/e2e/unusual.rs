//! Letters that are too much in some way: hostile, too large, too many.

use std::time::Duration;

use super::desk::{Desk, dovecot, mailbox, smtp};
use super::post::{DESK, MARIA, SOON, letter, text};
use super::series::{LIMITS, customers};
use super::support::mailgen::Generator;
use super::support::sink::Sink;

const MEMORY_KIB: u64 = 100 * 1024;

/// A4, A5: letters made to break a reader, between good ones: the good ones are registered, the daemon lives and stays small.
#[test]
fn hostile_letters_harm_nobody() {
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let mailbox = mailbox("support", &dovecot, DESK, "start = \"beginning\"");
    let desk = Desk::new(&format!("{mailbox}{}", smtp(sink.port)));
    let mut nested = letter(MARIA, "Матрёшка", "m2@raduga.example", "", &[]);
    nested.truncate(nested.len() - 4);
    let head = String::from_utf8(nested)
        .unwrap()
        .replace("text/plain; charset=utf-8", "message/rfc822");
    let nested = format!(
        "{head}\r\n\r\n{}",
        "Content-Type: message/rfc822\r\n\r\n".repeat(22_000)
    );
    let header = format!("X-Long: {}", "я".repeat(512 * 1024));
    let long = letter(MARIA, "Длинный", "m4@raduga.example", "Вопрос.", &[&header]);
    let good = |id: &str| letter(MARIA, id, &format!("{id}@raduga.example"), "Вопрос.", &[]);
    let letters = [
        good("m1"),
        nested.into_bytes(),
        good("m3"),
        long,
        good("m5"),
    ];
    for raw in &letters {
        dovecot.append(DESK, "INBOX", raw, None);
    }
    let daemon = desk.start();
    desk.settled(5, &daemon, Duration::from_secs(120));
    let verdicts = desk.rows("SELECT verdict FROM letters ORDER BY id");
    let verdicts: Vec<&str> = verdicts.iter().map(|r| r[0].as_str()).collect();
    // Whose header block is cut short may have another From behind the cut: a person decides.
    let wanted = [
        "registered",
        "registered",
        "registered",
        "held",
        "registered",
    ];
    assert_eq!(verdicts, wanted);
    assert_eq!(desk.gapless(), 4);
    assert!(daemon.peak() < MEMORY_KIB, "{} KiB", daemon.peak());
    daemon.stop();
}

/// A15, F2: of a letter past the limit only the beginning is taken; it is registered, and its sender is told the limit.
#[test]
fn an_oversize_letter_is_registered_from_its_beginning() {
    let dovecot = dovecot();
    let sink = Sink::start(true);
    let mailbox = mailbox("support", &dovecot, DESK, "");
    let limits = "[limits]\nmax_letter = 200000\n";
    let desk = Desk::new(&format!("{limits}{mailbox}{}", smtp(sink.port)));
    let daemon = desk.connected(1);
    let long = "Очень длинная строка приложения.\r\n".repeat(20_000);
    let raw = letter(MARIA, "Большое", "m1@raduga.example", &long, &[]);
    dovecot.deliver(MARIA, DESK, &raw);
    desk.settled(1, &daemon, SOON);
    let requests = desk.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0]["subject"]
            .as_str()
            .unwrap()
            .starts_with("Большое")
    );
    assert!(desk.ask("SELECT MAX(size) FROM letters") <= 300_000);
    for t in sink.taken() {
        println!("{}", text(&t.raw));
    }
    let told = sink
        .taken()
        .into_iter()
        .any(|t| t.to == [MARIA] && text(&t.raw).contains("195,3 КБ"));
    assert!(told, "The sender is told the limit");
    assert_eq!(
        dovecot.letters(DESK, "INBOX").len(),
        1,
        "The original stays"
    );
    daemon.stop();
}

/// A8, P9: two thousand waiting letters are registered in order, in bounded memory.
#[test]
fn two_thousand_letters_in_bounded_memory() {
    const LETTERS: usize = 2_000;
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let folder = tempfile::tempdir().unwrap();
    let mut roots = 0;
    super::support::mailgen::fill_maildir(
        Generator::new(7, LETTERS, 20, DESK),
        folder.path(),
        |letter| roots += usize::from(letter.parent.is_none()),
    );
    dovecot.import(DESK, folder.path());
    let mailbox = mailbox("support", &dovecot, DESK, "start = \"beginning\"");
    let desk = Desk::new(&format!("{LIMITS}{mailbox}{}", smtp(sink.port)));
    customers(&desk, 20);
    let daemon = desk.start();
    desk.settled(LETTERS as i64, &daemon, Duration::from_secs(180));
    assert_eq!(desk.gapless(), roots);
    let peak = daemon.peak();
    assert!(peak < MEMORY_KIB, "{peak} KiB");
    daemon.stop();
}
