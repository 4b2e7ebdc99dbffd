//! What somebody who is new to a request is shown of it: the letters so far, and their files (R27).

use chrono::{DateTime, Utc};

use super::letter::Attachment;

/// One letter of a request, as somebody who is new to it may read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The store's name for it.
    pub letter: i64,
    /// Who wrote it.
    pub who: String,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// What its writer added.
    pub text: String,
    /// Its files.
    pub attachments: Vec<Attachment>,
}

/// A file that is sent along: where it stands in a letter that the desk keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enclosed {
    /// The store's name for that letter.
    pub letter: i64,
    /// Its place among that letter's attachments, from 0.
    pub place: usize,
    /// Its safe name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
}
