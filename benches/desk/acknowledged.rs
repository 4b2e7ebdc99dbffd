//! Which letters have their acknowledgement, by what the sink took: an answer to the writer that names his letter in In-Reply-To.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::support::mailgen::{self, Generated};
use crate::support::sink::Taken;

/// The letters that must be acknowledged.
#[derive(Debug, Default)]
pub struct Book {
    letters: BTreeMap<String, Entry>,
    open: usize,
}

#[derive(Debug)]
struct Entry {
    writer: String,
    answers: u32,
}

impl Book {
    /// A letter that is to be acknowledged.
    pub fn expect(&mut self, letter: &Generated) {
        let entry = Entry {
            writer: mailgen::sender(letter.sender),
            answers: 0,
        };
        self.letters.insert(letter.message_id.clone(), entry);
        self.open += 1;
    }

    /// How many have no acknowledgement yet.
    pub fn open(&self) -> usize {
        self.open
    }

    /// How many are to be acknowledged in all.
    pub fn all(&self) -> usize {
        self.letters.len()
    }

    /// Enters one letter that the sink took; says when, if it was the first acknowledgement of an expected letter.
    pub fn enter(&mut self, taken: &Taken) -> Option<Instant> {
        let entry = self.letters.get_mut(&taken.in_reply_to)?;
        if !taken.to.contains(&entry.writer) {
            return None;
        }
        entry.answers += 1;
        if entry.answers > 1 {
            return None;
        }
        self.open -= 1;
        Some(taken.at)
    }

    /// How many letters were answered more than once.
    pub fn answered_again(&self) -> usize {
        self.letters.values().filter(|e| e.answers > 1).count()
    }
}
