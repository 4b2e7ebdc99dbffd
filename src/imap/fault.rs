//! What can go wrong with an IMAP server, by what the daemon does about it.

use std::fmt;

/// Why a mailbox could not be read. After any of these but [`ImapFault::Refused`] the session is of no more use: drop it and open another.
///
/// The texts are fit for a log: at most a cleaned and shortened excerpt of what the server said for people, never what it sent as data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImapFault {
    /// The server said NO to our name and password (and not merely "not now"): trying again soon may lock the account.
    Auth(String),
    /// The folder can't be opened, or can't be relied on.
    Folder(String),
    /// The server answered a command with NO or BAD; the session goes on.
    Refused(String),
    /// The connection was lost or given up by the server, or what it was about is no longer true (UIDVALIDITY changed).
    Disconnected(String),
    /// The server sent what can't be, or more than we take. Asking for one message at a time finds the one that is to blame.
    Protocol(String),
    /// No answer in time.
    Timeout(String),
    /// The connection can't be protected as configured.
    Tls(String),
}

impl fmt::Display for ImapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth(why) => write!(f, "The IMAP server refused the login: {why}"),
            Self::Folder(why) => write!(f, "The folder can't be used: {why}"),
            Self::Refused(why) => write!(f, "The IMAP server refused: {why}"),
            Self::Disconnected(why) => write!(f, "The IMAP connection ended: {why}"),
            Self::Protocol(why) => write!(f, "The IMAP server broke the protocol: {why}"),
            Self::Timeout(why) => write!(f, "The IMAP server did not answer in time: {why}"),
            Self::Tls(why) => write!(f, "No protected IMAP connection: {why}"),
        }
    }
}

impl std::error::Error for ImapFault {}

/// What a server said for people, fit for a log line: one line, no controls, at most 160 characters.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 160;
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control() || is_direction(c))
        .filter(|word| !word.is_empty())
        .collect();
    let clean = words.join(" ");
    if clean.is_empty() {
        return "no reason given".to_owned();
    }
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    let mut short: String = clean.chars().take(LONGEST).collect();
    short.push('…');
    short
}

/// Characters that turn the direction of text around: in a log they can make a line read as another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_one_short_line() {
        assert_eq!(
            excerpt("  no\r\n\x1b[31mred \u{202e}text\0"),
            "no [31mred text"
        );
        assert_eq!(excerpt(""), "no reason given");
        assert_eq!(excerpt(&"я".repeat(500)).chars().count(), 161);
    }
}
