//! What bears on a decision beside its reasons, for `explain`: evidence for and against, alternatives that were rejected, caps that were hit.

use super::request::Number;

/// Something that seemed to lead to a request and was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The request; none where it leads to none that has a number.
    pub number: Option<Number>,
    /// What seemed to lead there, in English.
    pub clue: String,
    /// Why it was not followed, in English.
    pub why: String,
}

/// Lists to add to, each in the order of finding, in English.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings {
    /// What speaks for the decision as it was taken: whose letter it is, what it is about.
    pub supporting: Vec<String>,
    /// What speaks against the sender, or against a person having written for the desk.
    pub opposing: Vec<String>,
    /// Requests that the letter seemed to be about, and is not.
    pub rejected: Vec<Alternative>,
    /// Limits that were reached, each with its key and figure.
    pub capped: Vec<String>,
}
