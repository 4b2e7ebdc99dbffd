//! What somebody most likely meant to write: the known word that is nearest to the one they wrote.

use crate::desk::nearest::distance;

/// The candidate within a third of the word's length in single edits (at least 1), compared without case; none if nothing is that near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|c| (distance(&word, &c.to_lowercase().replace('-', "_")), c))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, c)| c)
}

/// `a`, `b` and `c`, each in backquotes.
pub fn listed<'a>(words: impl IntoIterator<Item = &'a str>, conjunction: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("{} {conjunction} {last}", rest.join(", "))
        }
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_different_word_is_not() {
        let keys = ["port", "host", "password_file", "poll_seconds"];
        assert_eq!(nearest("prot", keys), Some("port"));
        assert_eq!(nearest("Password-File", keys), Some("password_file"));
        assert_eq!(nearest("pollseconds", keys), Some("poll_seconds"));
        assert_eq!(nearest("timeout", keys), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abdc", "abcd"), 1);
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(listed(["a"], "or"), "`a`");
    }
}
