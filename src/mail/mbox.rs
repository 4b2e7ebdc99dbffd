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

/// The letters of an mbox, in order.
///
/// # Errors
/// What can't be read of it.
pub fn letters(reader: impl BufRead) -> Result<Vec<Boxed>, String> {
    let mut all = Vec::new();
    for letter in MessageIterator::new(reader) {
        let letter = letter.map_err(|_| "the mbox can't be read to its end".to_owned())?;
        let seconds = i64::try_from(letter.internal_date())
            .ok()
            .filter(|s| *s > 0);
        let arrived = seconds.and_then(|s| DateTime::from_timestamp(s, 0));
        all.push(Boxed {
            raw: letter.unwrap_contents(),
            arrived,
        });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_out_in_order_with_their_moments() {
        let text = b"From a@x.example Mon Aug 17 10:00:00 2026\nSubject: one\n\n>From here\n\nFrom b@x.example Mon Aug 17 11:00:00 2026\nSubject: two\n\nbody\n";
        assert!(is_mbox(text));
        let all = letters(&text[..]).unwrap();
        assert_eq!(all.len(), 2);
        assert!(String::from_utf8_lossy(&all[0].raw).contains("\nFrom here"));
        assert_eq!(
            all[1].arrived,
            Some("2026-08-17T11:00:00Z".parse().unwrap())
        );
    }
}
