//! What the desk answers for itself: a person's requests, and how it works (R44).

use chrono::{DateTime, Utc};

use super::calendar::Interval;
use super::policy::Words;
use super::request::{Number, Status};
use super::why::Span;

/// Requests as their representative asked for them (R44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Whether closed ones are among them.
    pub history: bool,
    /// The newest first.
    pub requests: Vec<Listed>,
    /// How many older ones are left out.
    pub more: u32,
}

/// One request of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its number; none while it is queued.
    pub number: Option<Number>,
    /// Its subject.
    pub subject: String,
    /// Its status.
    pub status: Status,
    /// The moment of registration.
    pub opens: DateTime<Utc>,
    /// When the answer is due.
    pub due: Option<DateTime<Utc>>,
    /// While its clock stands: the working time that is left.
    pub left: Option<Span>,
    /// When time closes it, or until when a reply takes it up again.
    pub until: Option<DateTime<Utc>>,
    /// Who opened it, if that is not the reader.
    pub requester_name: Option<String>,
}

/// How the desk works, for a representative who asks (R44).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether the reader may issue orders (R7).
    pub orders: bool,
    /// The hours of each weekday, from Monday on (R15).
    pub week: [Vec<Interval>; 7],
    /// What marks an order in the subject (R9).
    pub order_markers: Vec<String>,
    /// What marks a question in the subject (R9).
    pub question_markers: Vec<String>,
    /// The words that the desk acts on.
    pub words: Words,
}
