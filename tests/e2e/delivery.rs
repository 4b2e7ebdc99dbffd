//! Letters that do not get out at once, or ever.

use super::desk::{Desk, dovecot, mailbox, smtp};
use super::post::{ANNA, DESK, MARIA, SOON, letter, text, until};
use super::support::loopback_ports;
use super::support::postfix::Postfix;
use super::support::sink::{Fate, Sink};

/// P2, C1: the mail server is down when the daemon starts; letters go out once it is there, without anybody's help.
#[test]
fn a_mail_server_that_comes_up_later_gets_everything() {
    let dovecot = dovecot();
    let mut postfix = Postfix::start(&dovecot);
    postfix.down();
    let mailbox = mailbox("support", &dovecot, DESK, "");
    let desk = Desk::new(&format!("{mailbox}{}", smtp(postfix.smtp)));
    let daemon = desk.connected(1);
    for id in ["m1", "m2", "m3"] {
        let raw = letter(MARIA, id, &format!("{id}@raduga.example"), "Вопрос.", &[]);
        dovecot.deliver(MARIA, DESK, &raw);
    }
    daemon.says("mail server can't be used");
    until("all are registered", SOON, || {
        (desk.ask("SELECT COUNT(*) FROM requests") == 3).then_some(())
    });
    assert_eq!(
        desk.ask("SELECT COUNT(*) FROM outbox WHERE state = 'sent'"),
        0
    );
    postfix.up();
    desk.settled(3, &daemon, SOON);
    until("three acknowledgements arrive", SOON, || {
        (dovecot.letters(MARIA, "INBOX").len() == 3).then_some(())
    });
    daemon.says("mail server is back");
    daemon.stop();
}

/// C14, RFC 1047: the server takes a letter and hangs up in place of its word: the desk records that it can't know, and what it sends
/// again later is the same letter under the same Message-ID.
#[test]
fn a_letter_in_doubt_is_sent_again_as_it_was() {
    let dovecot = dovecot();
    let mut hung_up = false;
    let hang_up = std::sync::Mutex::new(move || !std::mem::replace(&mut hung_up, true));
    let sink = Sink::start_with(true, move |to, _| {
        if to == MARIA && (hang_up.lock().unwrap())() {
            Fate::TakeAndHangUp
        } else {
            Fate::Take
        }
    });
    let mailbox = mailbox("support", &dovecot, DESK, "");
    let desk = Desk::new(&format!("{mailbox}{}", smtp(sink.port)));
    let daemon = desk.connected(1);
    let raw = letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]);
    dovecot.deliver(MARIA, DESK, &raw);
    until("the letter is in doubt", SOON, || {
        (desk.ask("SELECT COUNT(*) FROM outbox WHERE unknowns = 1 AND state = 'deferred'") == 1)
            .then_some(())
    });
    daemon.says("letter sent perhaps, to be sent again");
    daemon.stop();
    // As if the quarter of an hour that it waits were over.
    desk.change("UPDATE outbox SET due_us = 1 WHERE unknowns = 1");
    let daemon = desk.start();
    desk.settled(1, &daemon, SOON);
    let taken = sink.taken();
    let to_maria: Vec<_> = taken.iter().filter(|t| t.to == [MARIA]).collect();
    assert_eq!(to_maria.len(), 2);
    assert_eq!(to_maria[0].message_id, to_maria[1].message_id);
    assert_eq!(to_maria[0].raw, to_maria[1].raw);
    daemon.stop();
}

/// R47, P2: the server says that a recipient does not exist: the request's history has it, and the specialist is told.
#[test]
fn a_refused_recipient_reaches_the_specialist() {
    let dovecot = dovecot();
    let postfix = Postfix::start(&dovecot);
    let mailbox = mailbox("support", &dovecot, DESK, "");
    let desk = Desk::new(&format!("{mailbox}{}", smtp(postfix.smtp)));
    let customer = super::desk::RADUGA.replace(MARIA, "nouser@raduga.example");
    desk.customer("raduga", &customer);
    let daemon = desk.connected(1);
    let from = "nouser@raduga.example";
    let raw = letter(from, "Вход", "n1@raduga.example", "Нет входа.", &[]);
    dovecot.deliver(from, DESK, &raw);
    let alert = until("the specialist is alerted", SOON, || {
        let letters = dovecot.letters(ANNA, "INBOX");
        letters
            .into_iter()
            .find(|l| text(&l.raw).contains(from) && text(&l.raw).contains("550"))
    });
    let number = desk.requests()[0]["number"].as_str().unwrap().to_owned();
    assert!(
        text(&alert.raw).contains(&number) || super::post::subject(&alert.raw).contains(&number)
    );
    let history = desk.json(&["request", &number, "--json"]);
    let events = history["history"].as_array().unwrap();
    let lost: Vec<_> = events
        .iter()
        .filter(|e| e["event"] == "undelivered")
        .collect();
    assert_eq!(lost.len(), 1, "{events:?}");
    assert_eq!(
        desk.ask("SELECT COUNT(*) FROM outbox WHERE state = 'failed'"),
        1
    );
    daemon.stop();
}

/// R47, E57: the server takes the letter and finds later that nobody can have it. Its own report comes into the desk's mailbox, is tied to
/// the letter, and is answered by nobody.
#[test]
fn a_letter_that_comes_back_reaches_the_specialist() {
    for (from, code) in [
        ("gone@raduga.example", "5.1.1"),
        ("full@raduga.example", "5.2.2"),
    ] {
        let dovecot = dovecot();
        let postfix = Postfix::start(&dovecot);
        let mailbox = mailbox("support", &dovecot, DESK, "");
        let desk = Desk::new(&format!("{mailbox}{}", smtp(postfix.smtp)));
        desk.customer("raduga", &super::desk::RADUGA.replace(MARIA, from));
        let daemon = desk.connected(1);
        let raw = letter(from, "Вход", "g1@raduga.example", "Нет входа.", &[]);
        dovecot.deliver(from, DESK, &raw);
        let alert = until("the specialist is alerted", SOON, || {
            daemon.alive();
            let letters = dovecot.letters(ANNA, "INBOX");
            letters
                .into_iter()
                .find(|l| text(&l.raw).contains(from) && text(&l.raw).contains(code))
        });
        let number = desk.requests()[0]["number"].as_str().unwrap().to_owned();
        assert!(super::post::subject(&alert.raw).contains(&number));
        let history = desk.json(&["request", &number, "--json"]);
        let events = history["history"].as_array().unwrap();
        let lost = events.iter().filter(|e| e["event"] == "undelivered");
        assert_eq!(lost.count(), 1, "{events:?}");
        assert_eq!(
            desk.rows("SELECT recipient FROM outbox WHERE state = 'failed'"),
            [[from]]
        );
        // One letter of the requester's and one report; nothing went to whoever sent the report.
        assert_eq!(desk.ask("SELECT COUNT(*) FROM letters"), 2);
        assert_eq!(desk.ask("SELECT COUNT(*) FROM requests"), 1);
        assert_eq!(
            desk.ask("SELECT COUNT(*) FROM outbox WHERE recipient LIKE '%daemon%' OR recipient LIKE '%postmaster%'"),
            0
        );
        daemon.stop();
    }
}

/// S11: no server is there at all: the daemon goes on registering, and ends when it is told to.
#[test]
fn without_a_mail_server_the_desk_still_registers() {
    let dovecot = dovecot();
    let [port] = loopback_ports::free();
    let mailbox = mailbox("support", &dovecot, DESK, "");
    let desk = Desk::new(&format!("{mailbox}{}", smtp(port)));
    let daemon = desk.connected(1);
    for id in ["m1", "m2"] {
        let raw = letter(MARIA, id, &format!("{id}@raduga.example"), "Вопрос.", &[]);
        dovecot.deliver(MARIA, DESK, &raw);
        until("it is registered", SOON, || {
            desk.requests()
                .iter()
                .any(|r| r["subject"].as_str().unwrap().starts_with(id))
                .then_some(())
        });
    }
    assert_eq!(desk.gapless(), 2);
    daemon.stop();
}
