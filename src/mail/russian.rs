//! What the desk's reasons and evidence say, in Russian: they are written and kept in English, and told to people in their own language.

use std::sync::LazyLock;

/// The catalogue, a phrase a line; `#` begins a comment.
const CATALOGUE: &str = include_str!("russian.txt");

/// Phrases with `{}` for what varies, and what they are in Russian.
static PHRASES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let lines = CATALOGUE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" → ")).collect()
});

/// How far phrases within phrases are looked up.
const DEPTH: usize = 3;

/// A phrase in Russian; none if it is not known, and then it is better shown as it is.
pub fn said(english: &str) -> Option<String> {
    looked_up(english, DEPTH)
}

/// The same for several of them, joined by `; `, which a phrase may hold once itself; those that are not known stay as they are.
pub fn all_said(english: &str) -> String {
    let mut out = Vec::new();
    let mut parts = english.split("; ").peekable();
    while let Some(part) = parts.next() {
        let mut two = || said(&format!("{part}; {}", parts.peek()?));
        let told = match said(part) {
            Some(told) => told,
            None => match two() {
                Some(told) => {
                    parts.next();
                    told
                }
                None => part.to_owned(),
            },
        };
        out.push(told);
    }
    out.join("; ")
}

fn looked_up(english: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    PHRASES.iter().find_map(|(phrase, russian)| {
        let varying = varying(phrase, english)?;
        let mut out = String::new();
        let mut pieces = russian.split("{}");
        out.push_str(pieces.next().unwrap_or_default());
        for (piece, what) in pieces.zip(varying) {
            out.push_str(&looked_up(what, depth).unwrap_or_else(|| what.to_owned()));
            out.push_str(piece);
        }
        Some(out)
    })
}

/// What stands at the places of `{}`, if the text is this phrase. The last piece is looked for from the end, so that a place may hold anything.
fn varying<'t>(phrase: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = match phrase.split_once("{}") {
        None => return (phrase == text).then(Vec::new),
        Some(split) => split,
    };
    let mut left = text.strip_prefix(first)?;
    let mut found = Vec::new();
    let mut pieces = rest.split("{}").peekable();
    while let Some(piece) = pieces.next() {
        let (what, after) = if pieces.peek().is_none() {
            (left.strip_suffix(piece)?, "")
        } else {
            left.split_once(piece)?
        };
        found.push(what);
        left = after;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_found_and_loses_nothing() {
        assert!(PHRASES.len() > 100);
        for (phrase, russian) in PHRASES.iter() {
            let places = phrase.matches("{}").count();
            assert_eq!(places, russian.matches("{}").count(), "{phrase}");
            let sample = phrase.replace("{}", "Xyz");
            let wanted = russian.replace("{}", "Xyz");
            assert_eq!(said(&sample).as_deref(), Some(wanted.as_str()), "{phrase}");
        }
    }

    #[test]
    fn phrases_within_phrases_are_said_too() {
        assert_eq!(
            said("It seems to be about 2026-000001: the number in the subject").as_deref(),
            Some("Похоже, это об обращении 2026-000001: номер в теме")
        );
        assert_eq!(said("Something else"), None);
        assert_eq!(
            all_said("dmarc=pass for x.example; Something else"),
            "dmarc=pass для x.example; Something else"
        );
        assert_eq!(
            all_said(
                "dkim=pass by x.example; DKIM: signed by x.example (selector s), rsa of 2048 bits, key 1a2b by DNSSEC; signed: from; No From field"
            ),
            "dkim=pass от x.example; DKIM: подписано x.example (селектор s), rsa, 2048 бит, ключ 1a2b подтверждён DNSSEC; подписаны поля: from; поля From нет"
        );
    }
}
