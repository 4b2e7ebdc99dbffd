//! Lists of `tag=value` (RFC 6376 3.2), as signatures and DNS records have them.

use std::collections::BTreeMap;

/// Reads a list; none if it is malformed or names a tag twice. White space around names and values is gone.
pub(super) fn read(list: &str) -> Option<BTreeMap<&str, &str>> {
    let mut tags = BTreeMap::new();
    let mut pieces = list.split(';').peekable();
    while let Some(piece) = pieces.next() {
        if piece.trim().is_empty() {
            // The list may end in a semicolon, and in nothing else.
            if pieces.peek().is_some() {
                return None;
            }
            break;
        }
        let (name, value) = piece.split_once('=')?;
        let name = name.trim();
        let mut letters = name.bytes();
        let good = letters.next().is_some_and(|b| b.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !good || tags.insert(name, value.trim()).is_some() {
            return None;
        }
    }
    Some(tags)
}

/// A value without the white space that folding put into it.
pub(super) fn solid(value: &str) -> String {
    value.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}

/// The parts of a list within a value, between colons, in lower case.
pub(super) fn parts(value: &str) -> impl Iterator<Item = String> + '_ {
    value.split(':').map(|p| p.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whole_or_not_at_all() {
        let tags = read(" v=1; a = rsa-sha256 ;b=x=y ; ").unwrap();
        assert_eq!(tags["a"], "rsa-sha256");
        assert_eq!(tags["b"], "x=y");
        assert_eq!(read("p=").unwrap()["p"], "");
        for bad in ["a=1; a=2", "a", "=1", "a=1;;b=2", "1a=2", "a b=1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
