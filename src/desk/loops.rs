//! The five breakers that keep two machines from answering each other for ever, each enough by itself (E56, S41), and the marks they go by.

use super::decide::Known;
use super::letter::{Automatic, Letter};
use super::policy::Limits;

/// Which breakers work. A desk has all of them; only a test that proves one of them puts the others out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breakers {
    /// Marks of automatic mail are believed (R46).
    pub marks: bool,
    /// The desk's own letters, and what carries its loop header, are known when they come back (E54).
    pub own: bool,
    /// Letters that one sender causes to one address in an hour are counted (R48).
    pub per_address: bool,
    /// Letters about one request to one address in an hour are counted (S40).
    pub per_request: bool,
    /// A text that comes again and again is noticed.
    pub same_text: bool,
}

impl Breakers {
    /// As every desk has them.
    pub const ALL: Self = Self {
        marks: true,
        own: true,
        per_address: true,
        per_request: true,
        same_text: true,
    };

    /// None of them, to be put in one at a time.
    pub const NONE: Self = Self {
        marks: false,
        own: false,
        per_address: false,
        per_request: false,
        same_text: false,
    };

    /// What marks the letter as no person's, with the mark. A report about a letter of ours is a report, whatever it carries.
    pub fn machine(self, letter: &Letter) -> Option<(Automatic, &str)> {
        let marked = letter.automatic.as_ref().filter(|_| self.marks);
        let marked = marked.map(|(what, why)| (*what, why.as_str()));
        let own = letter.own.as_deref().filter(|_| self.own);
        match (marked, own) {
            (Some((Automatic::Bounce | Automatic::Receipt, _)), _) | (_, None) => marked,
            (_, Some(why)) => Some((Automatic::Own, why)),
        }
    }

    /// The limits on one sender that were reached: the key in `[limits]` and its figure.
    pub(super) fn passed(self, limits: &Limits, known: &Known) -> Vec<Passed> {
        let counted = |on: bool, count: u32, key: &'static str, most: u32| {
            (on && count >= most).then_some(Passed { key, most })
        };
        let letters = known.letters_last_hour;
        let requests = known.requests_last_hour;
        let same = known.same_text_last_hour;
        [
            counted(
                self.per_address,
                letters,
                "letters_per_hour",
                limits.letters_per_hour,
            ),
            counted(
                self.per_address,
                requests,
                REQUESTS,
                limits.requests_per_hour,
            ),
            counted(
                self.same_text,
                same,
                "same_text_per_hour",
                limits.same_text_per_hour,
            ),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The same for the letters about one request.
    pub(super) fn passed_at_request(self, limits: &Limits, known: &Known) -> Option<Passed> {
        let most = limits.request_letters_per_hour;
        (self.per_request && known.request_letters_last_hour >= most).then_some(Passed {
            key: "request_letters_per_hour",
            most,
        })
    }
}

const REQUESTS: &str = "requests_per_hour";

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Passed {
    key: &'static str,
    most: u32,
}

impl Passed {
    /// Whether it bounds only what a person may begin: then the word that an order needs is still asked for. Past the others nothing goes
    /// out at all, or two machines would ask each other for ever.
    pub(super) fn is_of_requests(self) -> bool {
        self.key == REQUESTS
    }
}

impl std::fmt::Display for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} = {}", self.key, self.most)
    }
}
