//! An mbox as the letters in it.

use std::io::BufRead;

use chrono::{DateTime, Utc};
use mail_parser::mailbox::mbox::MessageIterator;

/// A letter of an mbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boxed {
    /// Its bytes.
    pub raw: Vec<u8>,
    /// The date of its `From ` line; none if that can't be read.
    pub arrived: Option<DateTime<Utc>>,
}

/// Whether a file begins as an mbox does.
pub fn is_mbox(beginning: &[u8]) -> bool {
    beginning.starts_with(b"From ")
}

/// The letters of an mbox, in order, read as they are asked for; at the end what can't be read of it.
pub struct Letters<R: BufRead>(MessageIterator<R>);

/// The letters of an mbox.
pub fn letters<R: BufRead>(reader: R) -> Letters<R> {
    Letters(MessageIterator::new(reader))
}

impl<R: BufRead> Iterator for Letters<R> {
    type Item = Result<Boxed, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let letter = match self.0.next()? {
            Ok(letter) => letter,
            Err(_) => return Some(Err("the mbox can't be read to its end".to_owned())),
        };
        let seconds = i64::try_from(letter.internal_date())
            .ok()
            .filter(|s| *s > 0);
        Some(Ok(Boxed {
            arrived: seconds.and_then(|s| DateTime::from_timestamp(s, 0)),
            raw: letter.unwrap_contents(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_out_in_order_with_their_moments() {
        let text = b"From a@x.example Mon Aug 17 10:00:00 2026\nSubject: one\n\n>From here\n\nFrom b@x.example Mon Aug 17 11:00:00 2026\nSubject: two\n\nbody\n";
        assert!(is_mbox(text));
        let all: Vec<Boxed> = letters(&text[..]).map(Result::unwrap).collect();
        assert_eq!(all.len(), 2);
        assert!(String::from_utf8_lossy(&all[0].raw).contains("\nFrom here"));
        assert_eq!(
            all[1].arrived,
            Some("2026-08-17T11:00:00Z".parse().unwrap())
        );
    }
}
