//! What letters about a change of representative may tell (R28-R32).

use chrono::{DateTime, NaiveDate, Utc};

use crate::desk::request::{Number, Status};

/// What the letters about a change of representative tell beside everything else (R28-R32).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Succession {
    /// What was just done or refused, for specialists, in English as reasons are.
    pub said: Vec<String>,
    /// How it stands, for specialists, in English as reasons are.
    pub facts: Vec<String>,
    /// What is missing, for specialists, in English as reasons are.
    pub missing: Vec<String>,
    /// What letter of the customer came: `none`, `scan`, `signed` or `invalid`; empty where that is not told.
    pub letter: &'static str,
    /// Whether the scan came from another address than an official one.
    pub elsewhere: bool,
    /// When the paper original is due.
    pub original: Option<DateTime<Utc>>,
    /// Whether it is late.
    pub late: bool,
    /// The first day of the change.
    pub from: Option<NaiveDate>,
    /// Whether another person follows, and not the same one with other data.
    pub follows: bool,
    /// The successor's name; only where the reader may know it.
    pub successor: Option<String>,
    /// What a successor is to read.
    pub materials: Option<String>,
    /// The predecessor's latest requests, newest first.
    pub past: Vec<Earlier>,
    /// How many more there are.
    pub past_more: u32,
}

/// One request of a predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// Its number.
    pub number: Option<Number>,
    /// When it came.
    pub arrived: DateTime<Utc>,
    /// Its subject.
    pub subject: String,
    /// Its status.
    pub status: Status,
}
