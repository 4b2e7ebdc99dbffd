//! A server's answers: read line by line, cleaned, and what EHLO offers.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// One answer, its lines without code and line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The code.
    pub code: u16,
    /// The lines.
    pub lines: Vec<String>,
}

impl Answer {
    /// Reads one answer (RFC 5321 4.2).
    ///
    /// # Errors
    /// The connection ended, or what came is no answer of at most a hundred lines.
    pub async fn read<R: AsyncBufRead + Unpin>(from: &mut R) -> io::Result<Self> {
        let mut lines = Vec::new();
        while lines.len() < 100 {
            let mut line = String::new();
            if from.read_line(&mut line).await? == 0 {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the server closed the connection",
                ));
            }
            let (code, last, text) = split(line.trim_end()).ok_or_else(strange)?;
            lines.push(text.to_owned());
            if last {
                return Ok(Self { code, lines });
            }
        }
        Err(strange())
    }

    /// Its whole text, cleaned.
    pub fn text(&self) -> String {
        clean(&self.lines.join(" "))
    }
}

/// Code, whether it is the last line, and the text.
fn split(line: &str) -> Option<(u16, bool, &str)> {
    let digits = line.get(..3)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let code = digits.parse().ok()?;
    let rest = line.get(3..)?;
    match rest.strip_prefix('-') {
        Some(text) => Some((code, false, text)),
        None => Some((code, true, rest.strip_prefix(' ').unwrap_or(rest))),
    }
}

fn strange() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "an answer that is none")
}

/// What a server offers after EHLO.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// The largest letter it takes, in octets (RFC 1870); none if it doesn't say, 0 if there is no fixed limit.
    pub size: Option<u64>,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
}

impl Offer {
    /// Reads the lines of an EHLO answer, without their codes. Keywords are case-insensitive (RFC 5321 4.1.1.1).
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let mut offer = Self::default();
        for line in lines {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "SIZE" => {
                    offer.size = Some(words.next().and_then(|n| n.parse().ok()).unwrap_or(0));
                }
                "STARTTLS" => offer.starttls = true,
                "8BITMIME" => offer.eight_bit = true,
                "SMTPUTF8" => offer.utf8 = true,
                "PIPELINING" => offer.pipelining = true,
                _ => (),
            }
        }
        offer
    }
}

/// A server's text as it may be kept: one line, no control or direction characters, at most 300 characters.
pub fn clean(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if unruly(c) { ' ' } else { c })
        .take(300)
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unruly(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Without the words that may repeat a password: the word itself, and what looks like base64.
pub fn without_secrets(text: &str, secret: &str) -> String {
    let telling = |word: &str| {
        let base64 = word.len() >= 16 && !word.contains(['.', '/', ':']);
        base64 || word.ends_with('=') || !secret.is_empty() && word.contains(secret)
    };
    text.split(' ')
        .filter(|word| !telling(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether a refusal is greylisting, by the words that servers use for it (Postgrey, rspamd, Exim).
pub fn greylisted(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("greylist") || text.contains("graylist")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[tokio::test]
    async fn an_answer_of_several_lines_is_one() {
        let mut from = &b"250-mx\r\n250-SIZE 10\r\n250 starttls\r\n220 next\r\n"[..];
        let answer = Answer::read(&mut from).await.unwrap();
        assert_eq!(
            (answer.code, answer.lines.as_slice()),
            (
                250,
                &["mx".to_owned(), "SIZE 10".to_owned(), "starttls".to_owned()][..]
            )
        );
        let offer = Offer::read(answer.lines.iter().map(String::as_str));
        assert_eq!((offer.size, offer.starttls), (Some(10), true));
        assert_eq!(from, b"220 next\r\n");
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error() {
        for bad in ["", "hello\r\n", "2\r\n", "25x ok\r\n", "250-half\r\n"] {
            assert!(Answer::read(&mut bad.as_bytes()).await.is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_servers_text_is_one_clean_line() {
        assert_eq!(clean("a\r\nb\u{1b}[31m\u{202e}c  d"), "a b [31m c d");
        assert_eq!(clean(&"я".repeat(999)).chars().count(), 300);
    }

    #[test]
    fn a_password_that_a_server_repeats_is_not_kept() {
        let text = without_secrets(
            "bad AHN1cHBvcnQAaHVudGVyMg== and <hunter2> 5.7.8",
            "hunter2",
        );
        assert_eq!(text, "bad and 5.7.8");
    }
}
