//! Two daemons on one database.

use std::time::Duration;

use super::desk::{Desk, dovecot, mailbox, smtp};
use super::post::{DESK, MARIA, SOON, letter, until};
use super::support::sink::Sink;

/// A13: on SQLite a second daemon is a mistake, and says so by exit code 75.
#[test]
fn a_second_daemon_on_sqlite_is_sent_away() {
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let sections = format!(
        "{}{}",
        mailbox("support", &dovecot, DESK, ""),
        smtp(sink.port)
    );
    let desk = Desk::new(&sections);
    let first = desk.connected(1);
    let mut second = desk.start();
    let status = second.ended(SOON);
    assert_eq!(status.code(), Some(75), "{}", second.log());
    assert!(
        second
            .log()
            .contains("Another daemon works on this database"),
        "{}",
        second.log()
    );
    first.alive();
    first.stop();
}

/// A13: on PostgreSQL the second waits, does nothing, and takes over when the first dies; nothing is done twice.
#[test]
fn on_postgres_the_second_daemon_takes_over() {
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let sections = format!(
        "{}{}",
        mailbox("support", &dovecot, DESK, ""),
        smtp(sink.port)
    );
    let desk = Desk::on_postgres(&sections);
    let first = desk.connected(1);
    let second = desk.start();
    second.says("ready to take over");
    dovecot.deliver(
        MARIA,
        DESK,
        &letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]),
    );
    desk.settled(1, &first, SOON);
    first.kill();
    dovecot.deliver(
        MARIA,
        DESK,
        &letter(MARIA, "Отчёт", "m2@raduga.example", "Нет отчёта.", &[]),
    );
    desk.settled(2, &second, SOON);
    assert_eq!(desk.gapless(), 2);
    let to_maria =
        |taken: &[super::support::sink::Taken]| taken.iter().filter(|t| t.to == [MARIA]).count();
    assert_eq!(to_maria(&sink.taken()), 2);
    // One whose successor is active is no longer there to do anything.
    until("the second daemon works", Duration::from_secs(1), || {
        second.log().contains("Mailbox connected").then_some(())
    });
    second.stop();
}
