//! `check --connect` against servers that let the desk in and servers that don't; what the log tells where it tells most.

use super::desk::{Desk, PASSWORD, WRONG, dovecot, passwords};
use super::post::{DESK, MARIA, SOON, letter, until};
use super::support::dovecot::Dovecot;
use super::support::postfix::Postfix;

fn sections(dovecot: &Dovecot, postfix: &Postfix, imap: &str, smtp: &str) -> String {
    let ca = dovecot.authority.ca.display();
    format!(
        "[[mailbox]]\nname = \"support\"\nhost = \"127.0.0.1\"\nport = {}\nca_file = \"{ca}\"\nusername = \"{DESK}\"\npassword_file = \"{imap}\"\n\
         authserv_ids = [\"mx.desk.test\"]\ndkim = false\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\nca_file = \"{ca}\"\nusername = \"{DESK}\"\npassword_file = \"{smtp}\"\n",
        dovecot.imaps, postfix.submissions
    )
}

/// E1, S32: every server is asked; a refusal is exit code 1 and is said without the password.
#[test]
fn check_connect_asks_every_server() {
    let dovecot = dovecot();
    let postfix = Postfix::start(&dovecot);
    let cases = [
        ("password", "password", 0, "smtp: ready to send"),
        ("wrong", "password", 1, "mailbox support: "),
        ("password", "wrong", 1, "535"),
    ];
    for (imap, smtp, code, says) in cases {
        let desk = Desk::new(&sections(&dovecot, &postfix, imap, smtp));
        let done = desk.command(&["check", "--connect"]);
        let said = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(code), "{imap} {smtp}: {said}");
        assert!(said.contains(says), "{imap} {smtp}: {said}");
        assert!(!said.contains(PASSWORD) && !said.contains(WRONG), "{said}");
        let logged_in = said.contains("mailbox support: logged in");
        assert_eq!(logged_in, imap == "password", "{said}");
    }
}

/// A17: a certificate that nobody vouches for is refused, and nothing is sent behind it.
#[test]
fn check_connect_refuses_an_unknown_certificate() {
    let dovecot = dovecot();
    let postfix = Postfix::start(&dovecot);
    let text = sections(&dovecot, &postfix, "password", "password");
    let unknown: String = text
        .lines()
        .filter(|l| !l.starts_with("ca_file"))
        .map(|l| format!("{l}\n"))
        .collect();
    let desk = Desk::new(&unknown);
    let done = desk.command(&["check", "--connect"]);
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.matches("certificate").count() >= 2, "{said}");
    assert!(!dovecot.log().contains("Login:"), "{}", dovecot.log());
}

/// S32: with everything logged there is, also of the libraries, no password is, in any form.
#[test]
fn no_filter_brings_out_a_password() {
    let dovecot = dovecot();
    let postfix = Postfix::start(&dovecot);
    for filter in ["trace", "trace,async_imap=trace,sqlx=trace,rustls=trace"] {
        let desk = Desk::new(&sections(&dovecot, &postfix, "password", "password"));
        let daemon = desk.start_logging(filter);
        daemon.says("Mailbox connected");
        let raw = letter(MARIA, "Вход", "m1@raduga.example", "Нет входа.", &[]);
        dovecot.deliver(MARIA, DESK, &raw);
        until("the answer is sent", SOON, || {
            desk.is_settled(1).then_some(())
        });
        let log = daemon.log();
        assert!(log.contains("DEBUG"), "{log}");
        assert_eq!(passwords(&log), Vec::<String>::new());
        daemon.stop();
    }
}
