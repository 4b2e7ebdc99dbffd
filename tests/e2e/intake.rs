//! What other people and the server do to a mailbox: nothing of it makes a letter disappear or count twice.

use super::desk::{Daemon, Desk, dovecot, mailbox, smtp};
use super::post::{DESK, MARIA, OLEG, SOON, letter, until};
use super::support::dovecot::Dovecot;
use super::support::sink::Sink;

/// A desk over one mailbox, answering into a sink.
struct Room {
    dovecot: Dovecot,
    sink: Sink,
    desk: Desk,
}

impl Room {
    fn new(more: &str) -> Self {
        let dovecot = dovecot();
        let sink = Sink::start(false);
        let mailbox = mailbox("support", &dovecot, DESK, more);
        let desk = Desk::new(&format!("{mailbox}{}", smtp(sink.port)));
        Self {
            dovecot,
            sink,
            desk,
        }
    }

    /// Delivers a question of the primary's.
    fn asks(&self, id: &str, text: &str) {
        let raw = letter(MARIA, text, id, text, &[]);
        self.dovecot.deliver(MARIA, DESK, &raw);
    }

    /// So many letters were sent to the primary, about so many requests.
    fn answered(&self, requests: usize, daemon: &Daemon) {
        self.desk.settled(requests as i64, daemon, SOON);
        assert_eq!(self.desk.gapless(), requests);
        let taken = self.sink.taken();
        let to_maria = taken.iter().filter(|t| t.to == [MARIA]).count();
        assert_eq!(to_maria, requests);
    }
}

/// A1: a letter that somebody had opened before the desk looked is registered all the same.
#[test]
fn a_letter_that_was_read_before_is_registered() {
    let room = Room::new("start = \"beginning\"");
    room.asks("m1@raduga.example", "Вход");
    let mut human = room.dovecot.client(DESK);
    human.command("SELECT INBOX");
    human.command("UID STORE 1:* +FLAGS.SILENT (\\Seen)");
    let daemon = room.desk.start();
    room.answered(1, &daemon);
    daemon.stop();
}

/// A6, B1, B2: a new UIDVALIDITY makes nothing known new and hides nothing new, while the daemon runs and while it does not.
#[test]
fn a_new_uidvalidity_repeats_nothing() {
    let mut room = Room::new("start = \"beginning\"\npoll_seconds = 1");
    room.asks("m1@raduga.example", "Вход");
    room.asks("m2@raduga.example", "Отчёт");
    let daemon = room.desk.start();
    room.answered(2, &daemon);
    daemon.stop();
    room.dovecot.change_uid_validity(DESK, "INBOX", 4_000_111);
    let daemon = room.desk.start();
    daemon.says("UIDVALIDITY changed");
    room.asks("m3@raduga.example", "Курс");
    room.answered(3, &daemon);
    // The server comes back with another one, as after a restored backup.
    room.dovecot.change_uid_validity(DESK, "INBOX", 4_000_222);
    room.dovecot.down();
    room.dovecot.up();
    until("the second change is noticed", SOON, || {
        (daemon.log().matches("UIDVALIDITY changed").count() == 2).then_some(())
    });
    room.asks("m4@raduga.example", "Группа");
    room.answered(4, &daemon);
    daemon.stop();
}

/// B5, B6: somebody empties the folder; what was registered stands, and what comes next is registered.
#[test]
fn an_emptied_folder_takes_nothing_with_it() {
    let room = Room::new("start = \"beginning\"\npoll_seconds = 1");
    let daemon = room.desk.connected(1);
    room.asks("m1@raduga.example", "Вход");
    room.asks("m2@raduga.example", "Отчёт");
    room.answered(2, &daemon);
    let letters = room.dovecot.letters(DESK, "INBOX");
    let uids: Vec<u32> = letters.iter().map(|l| l.uid).collect();
    room.dovecot.expunge(DESK, "INBOX", &uids);
    room.asks("m3@raduga.example", "Курс");
    room.answered(3, &daemon);
    daemon.stop();
}

/// A9, B22: one letter in two mailboxes of the desk, and once more in one of them, is one request.
#[test]
fn one_letter_to_two_mailboxes_is_one_request() {
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let desk = Desk::new(&format!(
        "{}{}{}",
        mailbox("support", &dovecot, DESK, ""),
        mailbox("help", &dovecot, "help@desk.test", ""),
        smtp(sink.port)
    ));
    let daemon = desk.connected(2);
    let raw = letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]);
    // Each delivery adds its own Return-Path, Delivered-To and Received.
    for to in [DESK, "help@desk.test", DESK] {
        dovecot.deliver(MARIA, to, &raw);
    }
    desk.settled(3, &daemon, SOON);
    assert_eq!(desk.gapless(), 1);
    let taken = sink.taken();
    assert_eq!(taken.iter().filter(|t| t.to == [MARIA]).count(), 1);
    daemon.stop();
}

/// A10, A11: two different letters under one Message-ID are two requests, and so are two without any.
#[test]
fn letters_are_told_apart_without_their_message_id() {
    let room = Room::new("");
    let daemon = room.desk.connected(1);
    room.asks("same@raduga.example", "Вход");
    room.asks("same@raduga.example", "Отчёт");
    room.asks("", "Курс");
    room.asks("", "Группа");
    room.answered(4, &daemon);
    daemon.stop();
}

/// A7: what came while the daemon was down is registered when it is back, in the order of arrival and not of UIDs.
#[test]
fn letters_of_a_pause_are_registered_in_order_of_arrival() {
    let room = Room::new("start = \"beginning\"");
    for (id, day) in [("m2", 12), ("m3", 13), ("m1", 11)] {
        let raw = letter(MARIA, id, &format!("{id}@raduga.example"), id, &[]);
        let date = format!("{day}-Nov-2026 10:00:00 +0300");
        room.dovecot.append(DESK, "INBOX", &raw, Some(&date));
    }
    let daemon = room.desk.start();
    room.answered(3, &daemon);
    daemon.stop();
    for id in ["m4", "m5", "m6", "m7"] {
        room.asks(&format!("{id}@raduga.example"), id);
    }
    let daemon = room.desk.start();
    room.answered(7, &daemon);
    let subjects: Vec<String> = room
        .desk
        .requests()
        .iter()
        .map(|r| {
            r["subject"]
                .as_str()
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(subjects, ["m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
    daemon.stop();
}

/// P10, B17: a mailbox with a wrong password and one whose server is not there don't disturb the third.
#[test]
fn one_mailbox_works_while_others_can_not() {
    let dovecot = dovecot();
    let sink = Sink::start(false);
    let wrong =
        mailbox("locked", &dovecot, "locked@desk.test", "").replace("\"password\"", "\"wrong\"");
    let [port] = super::support::loopback_ports::free();
    let absent = mailbox("absent", &dovecot, "absent@desk.test", "").replace(
        &format!("port = {}", dovecot.imap),
        &format!("port = {port}"),
    );
    let works = mailbox("support", &dovecot, DESK, "");
    let desk = Desk::new(&format!("{wrong}{absent}{works}{}", smtp(sink.port)));
    let daemon = desk.connected(1);
    daemon.says("mailbox=\"locked\"");
    daemon.says("mailbox=\"absent\"");
    let raw = letter(OLEG, "Вход", "o1@raduga.example", "Нет входа.", &[]);
    dovecot.deliver(OLEG, DESK, &raw);
    desk.settled(1, &daemon, SOON);
    assert_eq!(desk.gapless(), 1);
    daemon.stop();
}
