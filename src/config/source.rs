//! The texts that a configuration is read from, and places in them: what a fault points at.

use std::sync::LazyLock;

use regex::Regex;

/// A stretch of one of the texts, or the text as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    file: usize,
    span: Option<(usize, usize)>,
}

impl Place {
    /// The text as a whole: something is missing from it.
    pub fn whole(file: usize) -> Self {
        Self { file, span: None }
    }

    /// From octet `start` up to `end`.
    pub fn new(file: usize, start: usize, end: usize) -> Self {
        Self {
            file,
            span: Some((start, end.max(start))),
        }
    }

    /// Which text.
    pub fn file(self) -> usize {
        self.file
    }

    /// From where to where, in octets.
    pub fn span(self) -> Option<(usize, usize)> {
        self.span
    }
}

/// A value together with the place it was written at.
#[derive(Debug, Clone)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands; the header of its table if it is a default.
    pub at: Place,
}

/// One text, with what is secret in it masked: it is only kept to be shown.
#[derive(Debug, Clone)]
pub struct Source {
    name: String,
    shown: String,
}

impl Source {
    /// Keeps a text for showing under this name.
    pub fn new(name: String, text: &str) -> Self {
        Self {
            name,
            shown: masked(text),
        }
    }

    /// What it is called: its path as the user would type it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text, secrets masked, every octet where it was.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The span of a line, counted from 1; the last line if there are fewer.
    pub fn line(&self, number: usize) -> (usize, usize) {
        let mut start: usize = 0;
        let mut found = (0, 0);
        for (i, line) in self.shown.split_inclusive('\n').enumerate() {
            found = (start, start.saturating_add(line.trim_end().len()));
            if i.saturating_add(1) >= number {
                break;
            }
            start = start.saturating_add(line.len());
        }
        found
    }

    /// Line and column of an octet, both from 1, the column in characters.
    pub fn line_and_column(&self, octet: usize) -> (usize, usize) {
        let before = self.shown.get(..octet).unwrap_or(&self.shown);
        let line = before.matches('\n').count().saturating_add(1);
        let tail = before.rsplit('\n').next().unwrap_or_default();
        (line, tail.chars().count().saturating_add(1))
    }
}

/// Whether the value of this key is a secret and not the way to one.
fn holds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let way_to_it = ["file", "command", "credential"];
    ["pass", "secret", "token"].iter().any(|s| key.contains(s))
        && !way_to_it.iter().any(|w| key.ends_with(w))
}

/// A key with its value, to the end of the line.
static KEYS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"([\w-]+)["']?[ \t]*=[ \t]*([^\r\n]*)"#).ok());
/// The password of a URL.
static URLS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"://[^\s"':/]*:([^\s"']*)@"#).ok());

/// The text with the values of keys that hold secrets, and passwords in URLs, turned into asterisks; of the same length.
pub fn masked(text: &str) -> String {
    let mut octets = text.as_bytes().to_vec();
    let mut hide = |start: usize, end: usize| {
        if let Some(part) = octets.get_mut(start..end) {
            part.fill(b'*');
        }
    };
    if let Some(keys) = KEYS.as_ref() {
        let mut from = 0;
        while let Some(found) = keys.captures_at(text, from) {
            let (Some(key), Some(value)) = (found.get(1), found.get(2)) else {
                break;
            };
            if holds_secret(key.as_str()) {
                hide(value.start(), value.end());
            }
            // An inline table holds further keys after the sign, so the search goes on right there.
            from = value.start();
        }
    }
    if let Some(urls) = URLS.as_ref() {
        for found in urls.captures_iter(text) {
            if let Some(password) = found.get(1) {
                hide(password.start(), password.end());
            }
        }
    }
    String::from_utf8(octets).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn secrets_are_masked_and_ways_to_them_are_not() {
        let text = "password = \"пароль\"\npassword_file = \"x\"\noauth2 = { client_secret = \"y\" }\nurl = \"postgres://a:b@c/d\"\nP__PASSWORD=q\n";
        let masked = masked(text);
        assert_eq!(masked.len(), text.len());
        for secret in ["пароль", "\"y\"", ":b@", "=q"] {
            assert!(!masked.contains(secret), "{secret} in {masked}");
        }
        for open in ["password_file = \"x\"", "postgres://a:*@c/d"] {
            assert!(masked.contains(open), "{open} in {masked}");
        }
    }

    #[test]
    fn a_column_counts_characters() {
        let source = Source::new("x".into(), "a = 1\nимя = 2\n");
        let at = source.shown().find('2').unwrap();
        assert_eq!(source.line_and_column(at), (2, 7));
        assert_eq!(source.line(2), (6, 16));
    }
}
