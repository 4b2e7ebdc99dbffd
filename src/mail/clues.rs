//! The clues in a letter as to which request it is about, as a ladder: the strongest evidence first, each rung of one strength (D42).

use std::collections::BTreeSet;

use super::thread::{Keys, Token, looks_sealed};
use crate::desk::address::Address;
use crate::desk::letter::Letter;
use crate::desk::request::Number;

/// Where a clue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In an address that the letter was sent to.
    Recipient,
    /// In `In-Reply-To`: what its writer answers.
    InReplyTo,
    /// In `References`, which are handed on to whoever is drawn into the thread: a token there leads to a request and proves nothing.
    References,
    /// In the subject.
    Subject,
}

impl Place {
    /// Whether what stands there was answered by the writer's own hand.
    pub fn is_answered(self) -> bool {
        matches!(self, Self::Recipient | Self::InReplyTo)
    }

    /// In words, for `explain`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Recipient => "the address it was sent to",
            Self::InReplyTo => "In-Reply-To",
            Self::References => "References",
            Self::Subject => "the subject",
        }
    }
}

/// One thing that leads to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clue {
    /// A token of ours whose seal is verified.
    Token(Token),
    /// A Message-ID that is no token of ours.
    MessageId(String),
    /// A number in the form our subjects have (`[№ 2026-000123]`).
    Number(Number),
}

/// Clues of one strength: where they lead to different requests, none is stronger than the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Where they stand.
    pub place: Place,
    /// The clues, in the order of the letter.
    pub clues: Vec<Clue>,
}

/// What a letter holds that leads to a request, and what looked like it and was not.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// Strongest first: tokens in recipient addresses, in In-Reply-To, in References from the newest back; then other Message-IDs in the same
    /// order; then the numbers in the subject.
    pub ladder: Vec<Rung>,
    /// Where tokens stand that did not verify: not ours, tampered with, or sealed with a key that is gone. Which, nobody is told (S1).
    pub forged: Vec<Place>,
    /// Tags after a plus sign in our own address that are no tokens, lower case (R8, R9).
    pub tags: Vec<String>,
}

/// How many Message-IDs of one letter are looked at.
const IDS: usize = 64;
/// How many numbers of one subject are looked at.
const NUMBERS: usize = 8;

/// Finds the clues. `own` is the desk's address.
pub fn find(letter: &Letter, keys: &Keys, own: &Address) -> Clues {
    let mut clues = Clues::default();
    clues.read_recipients(letter, keys, own);
    clues.read_ids(letter, keys, own);
    let numbers = numbers(&letter.subject);
    clues.rung(
        Place::Subject,
        numbers.into_iter().map(Clue::Number).collect(),
    );
    clues
}

impl Clues {
    /// Every Message-ID on the ladder, strongest first.
    pub fn message_ids(&self) -> Vec<String> {
        let clues = self.ladder.iter().flat_map(|rung| &rung.clues);
        clues
            .filter_map(|clue| match clue {
                Clue::MessageId(id) => Some(id.clone()),
                Clue::Token(_) | Clue::Number(_) => None,
            })
            .collect()
    }

    /// Every token on the ladder with its place, strongest first.
    pub fn tokens(&self) -> Vec<(Place, Token)> {
        let rungs = self.ladder.iter();
        rungs
            .flat_map(|rung| rung.clues.iter().map(move |clue| (rung.place, clue)))
            .filter_map(|(place, clue)| match clue {
                Clue::Token(token) => Some((place, *token)),
                Clue::MessageId(_) | Clue::Number(_) => None,
            })
            .collect()
    }

    fn rung(&mut self, place: Place, clues: Vec<Clue>) {
        if !clues.is_empty() {
            self.ladder.push(Rung { place, clues });
        }
    }

    fn read_recipients(&mut self, letter: &Letter, keys: &Keys, own: &Address) {
        let recipients = letter
            .to
            .iter()
            .chain(&letter.cc)
            .chain(&letter.delivered_to);
        let mut seen = BTreeSet::new();
        let mut tokens = Vec::new();
        for address in recipients {
            let Some(tag) = address.tag_of(own).map(str::to_ascii_lowercase) else {
                continue;
            };
            if !seen.insert(tag.clone()) {
                continue;
            }
            if let Some(token) = keys.open(&tag) {
                tokens.push(Clue::Token(token));
            } else if looks_sealed(&tag) {
                self.forged.push(Place::Recipient);
            } else {
                self.tags.push(tag);
            }
        }
        self.rung(Place::Recipient, tokens);
    }

    /// What stands in In-Reply-To is one rung; of References each is one of its own, the newest first.
    fn read_ids(&mut self, letter: &Letter, keys: &Keys, own: &Address) {
        let answered = letter.in_reply_to.iter().map(|id| (Place::InReplyTo, id));
        let before = letter.references.iter().rev();
        let before = before.map(|id| (Place::References, id));
        let mut seen = BTreeSet::new();
        let (mut tokens, mut others) = (Vec::new(), Vec::new());
        for (place, id) in answered.chain(before).take(IDS) {
            if !seen.insert(id.as_str()) {
                continue;
            }
            let (local, domain) = id.rsplit_once('@').unwrap_or((id.as_str(), ""));
            if let Some(token) = keys.open(local) {
                tokens.push((place, Clue::Token(token)));
            } else if looks_sealed(local) && domain.eq_ignore_ascii_case(own.domain()) {
                self.forged.push(place);
            } else {
                others.push((place, Clue::MessageId(id.clone())));
            }
        }
        for found in [tokens, others] {
            let (answered, before): (Vec<_>, Vec<_>) = found
                .into_iter()
                .partition(|(place, _)| *place == Place::InReplyTo);
            self.rung(
                Place::InReplyTo,
                answered.into_iter().map(|(_, clue)| clue).collect(),
            );
            for (place, clue) in before {
                self.rung(place, vec![clue]);
            }
        }
    }
}

/// The different numbers in a subject, in order.
fn numbers(subject: &str) -> Vec<Number> {
    let mut found: Vec<Number> = Vec::new();
    let mut rest = subject;
    while let Some((number, after)) = marked_number(rest) {
        if !found.contains(&number) {
            found.push(number);
        }
        if found.len() >= NUMBERS {
            break;
        }
        rest = after;
    }
    found
}

/// The first number with our mark before it, and what stands after.
fn marked_number(subject: &str) -> Option<(Number, &str)> {
    for (at, c) in subject.char_indices() {
        if !matches!(c, '[' | '№') {
            continue;
        }
        let rest = subject.get(at..)?;
        let inner = rest.strip_prefix('[').unwrap_or(rest).trim_start();
        let marked = match inner.strip_prefix('№') {
            Some(after) => Some(after),
            None if c == '[' => ["No.", "No", "no.", "no", "NO", "N", "#"]
                .iter()
                .find_map(|mark| inner.strip_prefix(mark)),
            None => None,
        };
        let Some(digits) = marked.map(|m| m.trim_start_matches([' ', '\u{a0}', '\u{202f}'])) else {
            continue;
        };
        let length = digits
            .bytes()
            .take(16)
            .take_while(|b| b.is_ascii_digit() || *b == b'-')
            .count();
        let (text, after) = digits.split_at_checked(length)?;
        if let Some(number) = Number::read(text) {
            return Some((number, after));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::desk::request::RequestId;
    use crate::mail::parse::{Caps, read};
    use crate::mail::thread::{TokenKind, message_id, reply_address};

    fn keys() -> Keys {
        Keys::read(&Keys::generate().unwrap()).unwrap()
    }

    fn own() -> Address {
        Address::new("support@desk.example").unwrap()
    }

    fn token(kind: TokenKind, request: i64) -> Token {
        Token {
            kind,
            request: Some(RequestId(request)),
            outbox: 987_654,
        }
    }

    fn found(raw: &str, keys: &Keys) -> Clues {
        find(&read(raw.as_bytes(), Caps::DEFAULT), keys, &own())
    }

    fn rung(place: Place, clue: Clue) -> Rung {
        let clues = vec![clue];
        Rung { place, clues }
    }

    #[test]
    fn d42_clues_come_strongest_first() {
        let keys = keys();
        let (reply, confirm) = (token(TokenKind::Reply, 1), token(TokenKind::Confirm, 2));
        let older = token(TokenKind::Reply, 3);
        let address = reply_address(&keys, &reply, &own()).to_uppercase();
        let answered = message_id(&keys, &confirm, &own());
        let before = message_id(&keys, &older, &own());
        let raw = format!(
            "To: x@y.example, {address}\nCc: Support+Crm@desk.example\nIn-Reply-To: <{answered}>\n\
             References: <1@x> <{before}> <2@x> <{answered}>\nSubject: Re: [№ 2026-000123] a\n\nx"
        );
        let clues = found(&raw, &keys);
        assert_eq!(
            clues.ladder,
            [
                rung(Place::Recipient, Clue::Token(reply)),
                rung(Place::InReplyTo, Clue::Token(confirm)),
                rung(Place::References, Clue::Token(older)),
                rung(Place::References, Clue::MessageId("2@x".into())),
                rung(Place::References, Clue::MessageId("1@x".into())),
                rung(Place::Subject, Clue::Number(Number::new(2026, 123))),
            ]
        );
        let tokens = [
            (Place::Recipient, reply),
            (Place::InReplyTo, confirm),
            (Place::References, older),
        ];
        assert_eq!(clues.tokens(), tokens);
        assert_eq!(clues.message_ids(), ["2@x", "1@x"]);
        assert_eq!(clues.tags, ["crm"]);
        assert!(clues.forged.is_empty());
    }

    #[test]
    fn d48_what_is_equally_strong_stands_on_one_rung() {
        let keys = keys();
        let (one, two) = (token(TokenKind::Reply, 1), token(TokenKind::Reply, 2));
        let (a, b) = (
            reply_address(&keys, &one, &own()),
            reply_address(&keys, &two, &own()),
        );
        let clues = found(
            &format!("To: {a}\nCc: {b}\nSubject: № 2026-000001, № 2026-000002\n\nx"),
            &keys,
        );
        let sizes: Vec<usize> = clues.ladder.iter().map(|r| r.clues.len()).collect();
        assert_eq!(sizes, [2, 2]);
    }

    #[test]
    fn d43_s1_a_token_of_another_desk_leads_nowhere_whatever_its_kind() {
        for kind in TokenKind::ALL {
            let foreign = token(kind, 1);
            let address = reply_address(&keys(), &foreign, &own());
            let id = message_id(&keys(), &foreign, &own());
            let raw = format!("To: {address}\nIn-Reply-To: <{id}>\n\nx");
            let clues = found(&raw, &keys());
            assert!(clues.ladder.is_empty() && clues.tags.is_empty());
            assert_eq!(clues.forged, [Place::Recipient, Place::InReplyTo]);
        }
    }

    #[test]
    fn a_token_after_somebody_elses_address_is_no_clue() {
        let keys = keys();
        let sealed = keys.seal(&token(TokenKind::Reply, 1));
        let raw = format!("To: support+{sealed}@evil.example, other+{sealed}@desk.example\n\nx");
        assert!(found(&raw, &keys).ladder.is_empty());
    }

    #[test]
    fn numbers_in_subjects() {
        for (subject, counts) in [
            ("Re: [№ 2026-000123] отчёт", vec![123]),
            ("Ответ: отчёт [No 2026-000007]", vec![7]),
            ("по № 2026-000123, вопрос", vec![123]),
            ("№2026-000123", vec![123]),
            ("№ 2026-000123 и [№ 2026-000123]", vec![123]),
            ("№ 2026-000123 и № 2026-000124", vec![123, 124]),
            ("договор № 17-2026", vec![]),
            ("2026-000123", vec![]),
        ] {
            let wanted: Vec<Number> = counts.into_iter().map(|c| Number::new(2026, c)).collect();
            assert_eq!(numbers(subject), wanted, "{subject}");
        }
    }
}
