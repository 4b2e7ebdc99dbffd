//! What must hold whatever stands in a letter: one file for each fuzz target, and `tests/findings.rs` asks the same of seeds and findings.
//!
//! All goes through doors that the daemon uses too; nothing was opened for the fuzzer.

pub mod address;
pub mod bounce;
pub mod dns;
pub mod quote;
pub mod reader;
pub mod results;
pub mod token;

use std::cell::OnceCell;
use std::rc::Rc;

use chrono::{DateTime, Utc};
use postdesk::cli::demo;
use postdesk::config::Config;
use postdesk::desk::letter::Letter;
use postdesk::mail::parse::{self, Caps};
use postdesk::mail::thread::Keys;

/// A target: its name and what it demands of every input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets, by the names of their folders.
pub const TARGETS: [Target; 7] = [
    ("address", address::hold),
    ("bounce", bounce::hold),
    ("dns", dns::hold),
    ("quote", quote::hold),
    ("reader", reader::hold),
    ("results", results::hold),
    ("token", token::hold),
];

/// The mailbox and the authserv-id of the desk below.
pub const MAILBOX: &str = "support";
/// See [`MAILBOX`].
pub const AUTHSERV_ID: &str = "mx.desk.example";
/// A sealing key as it stands in a secret file; nobody's.
pub const KEY: &str = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

/// The desk of the demo, with a key that is the same on every run.
pub fn desk() -> Rc<Config> {
    thread_local!(static DESK: OnceCell<Rc<Config>> = const { OnceCell::new() });
    DESK.with(|desk| {
        let made = desk.get_or_init(|| {
            let mut config = demo::example().expect("the demo's configuration");
            config.keys = Keys::read(KEY).expect("a key");
            Rc::new(config)
        });
        Rc::clone(made)
    })
}

/// A working hour of the desk.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_787_300_000, 0).expect("a moment")
}

/// Reads a letter twice: the second time must not differ.
pub fn read(raw: &[u8]) -> Letter {
    let letter = parse::read(raw, Caps::DEFAULT);
    assert!(
        letter == parse::read(raw, Caps::DEFAULT),
        "read twice, and not the same"
    );
    letter
}

/// One value of a header field of any octets: line ends fold, so that nothing stands outside the field.
pub fn folded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for b in value {
        match b {
            b'\r' => {}
            b'\n' => out.extend_from_slice(b"\n "),
            other => out.push(*other),
        }
    }
    out
}

/// Whether octets hold a word in any case.
pub fn holds(raw: &[u8], word: &str) -> bool {
    raw.windows(word.len())
        .any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
}

/// Nothing that drives a terminal, breaks a line or turns the order of letters.
pub fn assert_shown(what: &str, text: &str) {
    let bad = |c: char| {
        c.is_control()
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
    };
    assert!(!text.chars().any(bad), "{what} is not cleaned: {text:?}");
}
