//! Letters that the people of these tests write, and how what they receive is looked at.

use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mail_parser::MessageParser;

use super::support::sink::header;

/// The desk.
pub const DESK: &str = "support@desk.test";
/// The primary representative of «Радуга».
pub const MARIA: &str = "maria@raduga.example";
/// Its additional representative.
pub const OLEG: &str = "oleg@raduga.example";
/// Nobody the desk knows.
pub const STRANGER: &str = "ivan@elsewhere.example";
/// The specialist.
pub const ANNA: &str = "petrova@desk.test";
/// Stands in every subject that is written here, and nowhere in a log.
pub const MARK: &str = "7Q9";

/// Enough for anything that should take a second, on a machine that does much else.
pub const SOON: Duration = Duration::from_secs(60);

/// Asks `probe` every few hundredths of a second until it has an answer.
///
/// # Panics
/// There was none within `limit`: with `what`.
pub fn until<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = probe() {
            return answer;
        }
        assert!(begun.elapsed() < limit, "Waited {limit:?} in vain: {what}");
        sleep(Duration::from_millis(40));
    }
}

/// A letter to the desk whose sender our server vouches for. `id` is its Message-ID without brackets, `more` are further header lines.
pub fn letter(from: &str, subject: &str, id: &str, text: &str, more: &[&str]) -> Vec<u8> {
    let domain = from.split('@').next_back().expect("A domain");
    let mut head = format!(
        "Authentication-Results: mx.desk.test; dmarc=pass header.from={domain}\r\n\
         From: <{from}>\r\nTo: <{DESK}>\r\nSubject: =?utf-8?B?{}?=\r\nDate: Mon, 17 Aug 2026 11:00:00 +0300\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        STANDARD.encode(format!("{subject} {MARK}"))
    );
    if !id.is_empty() {
        head.push_str(&format!("Message-ID: <{id}>\r\n"));
    }
    for line in more {
        head.push_str(&format!("{line}\r\n"));
    }
    format!("{head}\r\n{text}\r\n").into_bytes()
}

/// A field of a letter as it stands there.
pub fn field(raw: &[u8], name: &str) -> String {
    header(raw, name)
}

/// The decoded subject.
pub fn subject(raw: &[u8]) -> String {
    let parsed = MessageParser::default().parse(raw).expect("A letter");
    parsed.subject().unwrap_or_default().to_owned()
}

/// The decoded plain text.
pub fn text(raw: &[u8]) -> String {
    let parsed = MessageParser::default().parse(raw).expect("A letter");
    let text = parsed.body_text(0).unwrap_or_default();
    text.into_owned()
}

/// The number that a subject carries, such as `2026-000001`; empty if it carries none.
pub fn number(raw: &[u8]) -> String {
    let subject = subject(raw);
    let after = subject.split("№ ").nth(1).unwrap_or_default();
    after.split(']').next().unwrap_or_default().to_owned()
}
