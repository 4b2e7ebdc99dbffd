//! The servers of the whole program's tests, with a mailbox for everybody.

use super::desk::dovecot;
use super::post::{DESK, SOON, until};
use super::support::dovecot::Dovecot;
use super::support::postfix::Postfix;
use super::support::raw_lmtp::Handover;

/// How letters come in and go out.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// IMAP and TLS from the first byte; submission with STARTTLS and AUTH.
    ImapsSubmission,
    /// IMAP with STARTTLS; submission with TLS from the first byte and AUTH.
    StartTlsSubmissions,
    /// Neither TLS nor AUTH: loopback only.
    Plain,
}

/// A private Dovecot behind a private Postfix: the mailboxes of the desk and of everybody who writes to it.
pub struct Town {
    pub dovecot: Dovecot,
    postfix: Postfix,
}

impl Town {
    pub fn new() -> Self {
        let dovecot = dovecot();
        let postfix = Postfix::start(&dovecot);
        Self { dovecot, postfix }
    }

    /// The `[[mailbox]]` and `[smtp]` of a desk there.
    pub fn sections(&self, way: Way) -> String {
        let (imap, imap_tls, smtp, smtp_tls) = match way {
            Way::ImapsSubmission => (
                self.dovecot.imaps,
                "implicit",
                self.postfix.submission,
                "starttls",
            ),
            Way::StartTlsSubmissions => (
                self.dovecot.imap,
                "starttls",
                self.postfix.submissions,
                "implicit",
            ),
            Way::Plain => (self.dovecot.imap, "none", self.postfix.smtp, "none"),
        };
        let ca = match way {
            Way::ImapsSubmission | Way::StartTlsSubmissions => {
                format!("ca_file = \"{}\"\n", self.dovecot.authority.ca.display())
            }
            Way::Plain => String::new(),
        };
        let login = format!("username = \"{DESK}\"\npassword_file = \"password\"\n");
        let smtp_login = if matches!(way, Way::Plain) {
            ""
        } else {
            &login
        };
        format!(
            "[[mailbox]]\nname = \"support\"\nhost = \"localhost\"\nport = {imap}\ntls = \"{imap_tls}\"\n{ca}{login}authserv_ids = [\"mx.desk.test\"]\n\
             [smtp]\nhost = \"127.0.0.1\"\nport = {smtp}\ntls = \"{smtp_tls}\"\n{ca}{smtp_login}"
        )
    }

    /// A person mails the desk, over the port 25 of the desk's server.
    pub fn mail(&self, from: &str, letter: &[u8]) {
        Handover::smtp(self.postfix.smtp).deliver(from, DESK, letter);
    }

    /// Waits until a person has so many letters, and that there are no more.
    pub fn received(&self, person: &str, count: usize) -> Vec<Vec<u8>> {
        let letters = until(&format!("{person} has {count} letters"), SOON, || {
            let letters = self.dovecot.letters(person, "INBOX");
            (letters.len() >= count).then_some(letters)
        });
        assert_eq!(letters.len(), count, "{person}");
        letters.into_iter().map(|l| l.raw).collect()
    }
}
