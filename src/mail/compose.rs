//! A notice to the bytes of a letter: headers that thread and mark it (R49), plain text and HTML from one wording, nothing a stranger wrote outside their place.

use chrono::{DateTime, Utc};

use super::thread::{Keys, Token};
use super::wording::Wording;
use crate::desk::notice::Notice;
use crate::desk::policy::Desk;

/// A letter of ours, ready to be stored and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// The subject as text.
    pub subject: String,
    /// Its Message-ID, without brackets.
    pub message_id: String,
    /// The bytes: CRLF, no bare CR or LF, no line over 998 octets, 7-bit.
    pub bytes: Vec<u8>,
}

/// Writes a notice. `token` is sealed into Message-ID and reply address; `now` becomes the Date.
pub fn compose(
    notice: &Notice,
    desk: &Desk,
    wording: &Wording,
    keys: &Keys,
    token: &Token,
    now: DateTime<Utc>,
) -> Composed {
    let _ = (notice, desk, wording, keys, token, now);
    todo!()
}
