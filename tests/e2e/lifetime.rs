//! Signals, reloads, and being woken by the server.

use std::time::{Duration, Instant};

use super::desk::{Desk, RADUGA, dovecot, mailbox, smtp};
use super::post::{DESK, MARIA, SOON, letter, until};
use super::support::dovecot::Dovecot;
use super::support::sink::Sink;

const NINA: &str = "nina@raduga.example";

struct Room {
    dovecot: Dovecot,
    sink: Sink,
    sections: String,
    desk: Desk,
}

impl Room {
    fn new(more: &str) -> Self {
        let dovecot = dovecot();
        let sink = Sink::start(false);
        let sections = format!(
            "{}{}",
            mailbox("support", &dovecot, DESK, more),
            smtp(sink.port)
        );
        let desk = Desk::new(&sections);
        Self {
            dovecot,
            sink,
            sections,
            desk,
        }
    }

    /// Waits for a letter to somebody that answers the one with this Message-ID.
    fn answer(&self, to: &str, id: &str) -> Instant {
        let id = format!("<{id}>");
        let found = self.sink.wait_for(SOON, |taken| {
            let answer = taken.iter().find(|t| t.to == [to] && t.in_reply_to == id);
            answer.map(|t| t.at)
        });
        found.unwrap_or_else(|| panic!("No answer to {to}"))
    }
}

/// SIGTERM ends the daemon cleanly within ten seconds, also while it waits for the server; so does SIGINT.
#[test]
fn a_signal_ends_the_daemon_cleanly() {
    let room = Room::new("");
    for name in ["TERM", "INT"] {
        let mut daemon = room.desk.connected(1);
        daemon.signal(name);
        let status = daemon.ended(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "{name}: {}", daemon.log());
        assert!(daemon.log().contains("Stopped"), "{name}");
    }
}

/// P8: a SIGHUP that finds a broken file changes nothing, and the log names file, line and key.
#[test]
fn a_broken_file_changes_nothing() {
    let room = Room::new("");
    let daemon = room.desk.connected(1);
    room.desk
        .configure(&format!("{}\n[limits]\nmax_leter = 5\n", room.sections));
    daemon.signal("HUP");
    daemon.says("Configuration not reloaded");
    let main = std::fs::read_to_string(room.desk.path("postdesk.toml")).unwrap();
    let line = main
        .lines()
        .position(|l| l.starts_with("max_leter"))
        .unwrap()
        + 1;
    daemon.says(&format!("postdesk.toml:{line}:"));
    daemon.says("max_leter");
    let raw = letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]);
    room.dovecot.deliver(MARIA, DESK, &raw);
    room.answer(MARIA, "m1@raduga.example");
    assert_eq!(daemon.log().matches("Started").count(), 1);
    daemon.stop();
}

/// R6: a new representative may ask as soon as the daemon has reloaded, and was redirected before.
#[test]
fn a_new_representative_takes_effect_by_sighup() {
    let room = Room::new("");
    let daemon = room.desk.connected(1);
    let raw = letter(NINA, "Вход", "n1@raduga.example", "Нет входа.", &[]);
    room.dovecot.deliver(NINA, DESK, &raw);
    room.answer(NINA, "n1@raduga.example");
    assert_eq!(room.desk.gapless(), 0);
    let nina = format!(
        "[[installation.representative]]\nrole = \"additional\"\nname = \"Громова Нина\"\nemail = \"{NINA}\"\nphone = \"+7 900 000-00-03\"\nsince = 2026-01-01\n"
    );
    room.desk.customer("raduga", &format!("{RADUGA}{nina}"));
    daemon.signal("HUP");
    daemon.says("Configuration reloaded");
    let raw = letter(NINA, "Отчёт", "n2@raduga.example", "Нет отчёта.", &[]);
    room.dovecot.deliver(NINA, DESK, &raw);
    room.answer(NINA, "n2@raduga.example");
    assert_eq!(room.desk.gapless(), 1);
    // Nothing else was interrupted.
    assert_eq!(daemon.log().matches("Mailbox connected").count(), 1);
    daemon.stop();
}

/// A mailbox that is reached otherwise is connected anew by itself, as soon as the file is saved; what was read stays read.
#[test]
fn a_mailbox_that_changed_connects_anew() {
    let room = Room::new("");
    let daemon = room.desk.connected(1);
    let raw = letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]);
    room.dovecot.deliver(MARIA, DESK, &raw);
    room.answer(MARIA, "m1@raduga.example");
    let changed = room.sections.replace("[smtp]", "[dns]\n[smtp]");
    let changed = changed.replacen(
        "name = \"support\"",
        "name = \"support\"\npoll_seconds = 300",
        1,
    );
    room.desk.configure(&changed);
    until("it is connected again", SOON, || {
        (daemon.log().matches("Mailbox connected").count() == 2).then_some(())
    });
    let raw = letter(MARIA, "Отчёт", "m2@raduga.example", "Нет отчёта.", &[]);
    room.dovecot.deliver(MARIA, DESK, &raw);
    room.answer(MARIA, "m2@raduga.example");
    assert_eq!(room.desk.gapless(), 2);
    assert_eq!(daemon.log().matches("Started").count(), 1);
    daemon.stop();
}

/// A16: the server's word wakes the desk: an acknowledgement is out within two seconds though it looks by itself only every five minutes.
#[test]
fn a_letter_wakes_the_desk() {
    let room = Room::new("poll_seconds = 300");
    let daemon = room.desk.connected(1);
    for id in [
        "m1@raduga.example",
        "m2@raduga.example",
        "m3@raduga.example",
    ] {
        let raw = letter(MARIA, id, id, id, &[]);
        let delivered = Instant::now();
        room.dovecot.deliver(MARIA, DESK, &raw);
        let took = room.answer(MARIA, id).duration_since(delivered);
        // The poll comes after five minutes only; how fast the desk wakes is the benchmark's to say.
        assert!(took < Duration::from_secs(60), "{took:?}");
    }
    daemon.stop();
}
