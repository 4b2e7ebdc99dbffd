//! What a specialist's commands did, told back to them line by line (R39, `BEHAVIOURS` H84).

use chrono::{DateTime, Utc};

use super::directive::Fault;
use super::people::Locale;
use super::verb::Verb;

/// Whether anything took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Everything did.
    Done,
    /// Nothing did: something was unclear or impossible.
    Nothing,
    /// Nothing did: the letter is not proved to be the specialist's (R13, S43).
    Unproved,
}

impl Effect {
    /// The word that wordings ask for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Nothing => "nothing",
            Self::Unproved => "unproved",
        }
    }
}

/// One line: a command and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The command; none where the line is about the letter as a whole.
    pub command: Option<Verb>,
    /// What became of it, in English as reasons are.
    pub said: String,
}

impl Line {
    /// A line about a command.
    pub fn of(command: Verb, said: impl Into<String>) -> Self {
        let (command, said) = (Some(command), said.into());
        Self { command, said }
    }

    /// A line about the letter.
    pub fn whole(said: impl Into<String>) -> Self {
        let (command, said) = (None, said.into());
        Self { command, said }
    }

    /// A fault, as it is told in this language.
    pub fn fault(fault: &Fault, locale: Locale) -> Self {
        Self::whole(fault.in_words(locale))
    }
}

/// Everything that a specialist is told of their commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Whether anything took effect.
    pub effect: Effect,
    /// Line by line.
    pub lines: Vec<Line>,
    /// What can be commanded from here, where that helps.
    pub possible: Vec<Verb>,
    /// What happened so far, if they asked: when, and what in English.
    pub history: Vec<(DateTime<Utc>, String)>,
    /// Whether the commands are explained.
    pub help: bool,
}
