//! What becomes of a letter on the server once it is kept: `after`.

use super::desk::{Desk, dovecot, mailbox, smtp};
use super::post::{DESK, MARIA, SOON, letter, until};
use super::support::dovecot::Dovecot;
use super::support::sink::Sink;

fn handled(dovecot: &Dovecot, after: &str) -> Desk {
    let sink = Sink::start(false);
    let mailbox = mailbox("support", dovecot, DESK, after);
    let desk = Desk::new(&format!("{mailbox}{}", smtp(sink.port)));
    let daemon = desk.connected(1);
    for id in ["m1", "m2"] {
        let raw = letter(MARIA, id, &format!("{id}@raduga.example"), id, &[]);
        dovecot.deliver(MARIA, DESK, &raw);
    }
    desk.settled(2, &daemon, SOON);
    assert_eq!(desk.gapless(), 2);
    daemon.stop();
    desk
}

/// `after = "keep"`: nothing on the server changes, not even the mark of a new letter (A2, A15).
#[test]
fn a_kept_letter_stays_unread() {
    let dovecot = dovecot();
    let _desk = handled(&dovecot, "");
    for letter in dovecot.letters(DESK, "INBOX") {
        assert!(!letter.flags.contains("\\Seen"), "{}", letter.flags);
    }
}

/// `after = "seen"`: a kept letter is marked as read.
#[test]
fn a_kept_letter_is_marked_as_read() {
    let dovecot = dovecot();
    let _desk = handled(&dovecot, "after = \"seen\"");
    let letters = dovecot.letters(DESK, "INBOX");
    assert_eq!(letters.len(), 2);
    for letter in letters {
        assert!(letter.flags.contains("\\Seen"), "{}", letter.flags);
    }
}

/// `after = "move:Processed"`: kept letters are moved whole, and moving them back makes nothing new of them (B22).
#[test]
fn a_kept_letter_is_moved() {
    let dovecot = dovecot();
    let desk = handled(&dovecot, "after = \"move:Processed\"");
    assert_eq!(dovecot.letters(DESK, "INBOX"), []);
    assert_eq!(dovecot.letters(DESK, "Processed").len(), 2);
    let mut human = dovecot.client(DESK);
    human.command("SELECT Processed");
    human.command("UID MOVE 1:* INBOX");
    let daemon = desk.start();
    until("they are moved again", SOON, || {
        dovecot.letters(DESK, "INBOX").is_empty().then_some(())
    });
    desk.settled(2, &daemon, SOON);
    assert_eq!(desk.gapless(), 2);
    assert_eq!(desk.ask("SELECT COUNT(*) FROM locations"), 4);
    daemon.stop();
}
