//! `Authentication-Results` by the letter of RFC 8601 2.2: read strictly, since what is misread here is forged mail believed.

/// One field read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Who says it, lower case.
    pub authserv_id: String,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Whether it says outright that nothing was checked.
    pub none: bool,
}

/// One method's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `dkim`, `spf`, `dmarc`, … in lower case.
    pub method: String,
    /// `pass`, `fail`, … in lower case.
    pub result: String,
    /// Properties: `header.d` and the value, in order.
    pub properties: Vec<(String, String)>,
}

impl Check {
    /// The value of a property such as `header.from`; none if it is given twice.
    pub fn property(&self, name: &str) -> Option<&str> {
        let mut all = self.properties.iter().filter(|(n, _)| n == name);
        match (all.next(), all.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

/// Comments nested deeper than this are nobody's; the cap bounds the work.
const DEEPEST: usize = 50;

/// More results in one field are nobody's; the cap bounds the work.
const MOST: usize = 200;

/// Only the authserv-id, for telling whose a field is that cannot be read further.
pub fn authserv_id(value: &str) -> Option<String> {
    Reader {
        rest: value.trim_start_matches([' ', '\t']),
    }
    .id()
}

/// Reads a field's unfolded value; none if it departs from the grammar anywhere.
pub fn read(value: &str) -> Option<Results> {
    let mut reader = Reader { rest: value };
    reader.rest = reader.rest.trim_start_matches([' ', '\t']);
    let authserv_id = reader.id()?;
    reader.skip_comments()?;
    // authres-version: digits, of which only 1 is known.
    if reader.rest.starts_with(|c: char| c.is_ascii_digit()) {
        if reader.keyword()? != "1" {
            return None;
        }
        reader.skip_comments()?;
    }
    let mut checks = Vec::new();
    let mut none = false;
    while !reader.rest.is_empty() {
        reader.take(';')?;
        reader.skip_comments()?;
        if reader.rest.is_empty() {
            // A semicolon at the end is no result, and common.
            break;
        }
        match reader.check()? {
            Some(_) if checks.len() >= MOST => return None,
            Some(check) => checks.push(check),
            None => none = true,
        }
        reader.skip_comments()?;
    }
    if none && !checks.is_empty() {
        return None;
    }
    Some(Results {
        authserv_id,
        checks,
        none,
    })
}

struct Reader<'v> {
    rest: &'v str,
}

impl<'v> Reader<'v> {
    /// The authserv-id: a bare ASCII token with nothing before it. RFC 8601 lets it be quoted and a comment stand before it; a server that
    /// removes forged fields of its own id may not know it so, and none writes it so.
    fn id(&mut self) -> Option<String> {
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_graphic() || "()<>@,;:\\\"/[]?=".contains(c))
            .unwrap_or(self.rest.len());
        let (id, rest) = self.rest.split_at_checked(end)?;
        let ends = rest.is_empty() || rest.starts_with([' ', '\t', ';']);
        self.rest = rest;
        (ends && !id.is_empty()).then(|| id.to_ascii_lowercase())
    }

    /// `method [/version] = result [reason=…] *(ptype.property=value)`; the inner none stands for the word `none`.
    fn check(&mut self) -> Option<Option<Check>> {
        let method = self.keyword()?.to_ascii_lowercase();
        self.skip_comments()?;
        if method == "none" && (self.rest.is_empty() || self.rest.starts_with(';')) {
            return Some(None);
        }
        if self.rest.starts_with('/') {
            self.take('/')?;
            self.skip_comments()?;
            let version = self.keyword()?;
            if version != "1" {
                return None;
            }
            self.skip_comments()?;
        }
        self.take('=')?;
        self.skip_comments()?;
        let result = self.keyword()?.to_ascii_lowercase();
        let mut check = Check {
            method,
            result,
            properties: Vec::new(),
        };
        let mut seen_reason = false;
        loop {
            let spaced = self.skip_comments()?;
            if self.rest.is_empty() || self.rest.starts_with(';') {
                return Some(Some(check));
            }
            if !spaced {
                return None;
            }
            let word = self.keyword()?.to_ascii_lowercase();
            self.skip_comments()?;
            if word == "reason" && self.rest.starts_with('=') {
                if seen_reason || !check.properties.is_empty() {
                    return None;
                }
                seen_reason = true;
                self.take('=')?;
                self.skip_comments()?;
                self.value()?;
                continue;
            }
            self.take('.')?;
            self.skip_comments()?;
            let property = self.keyword()?.to_ascii_lowercase();
            self.skip_comments()?;
            self.take('=')?;
            self.skip_comments()?;
            let value = self.value()?;
            check.properties.push((format!("{word}.{property}"), value));
        }
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// White space and comments (RFC 5322 3.2.2); says whether there was any. None if a comment never closes.
    fn skip_comments(&mut self) -> Option<bool> {
        let before = self.rest.len();
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t']);
            let Some(inner) = self.rest.strip_prefix('(') else {
                return Some(self.rest.len() != before);
            };
            let mut depth = 1_usize;
            let mut escaped = false;
            let mut end = None;
            for (at, c) in inner.char_indices() {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '(' => depth = depth.saturating_add(1),
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    end = Some(at.saturating_add(1));
                    break;
                }
                if depth > DEEPEST {
                    return None;
                }
            }
            self.rest = inner.get(end?..)?;
        }
    }

    /// A Keyword (RFC 5321 4.1.2): letters, digits, hyphens; underscores, which servers write, are let through.
    fn keyword(&mut self) -> Option<&'v str> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    /// A quoted string, or what runs to white space, a semicolon or a comment.
    fn value(&mut self) -> Option<String> {
        if let Some(inner) = self.rest.strip_prefix('"') {
            let mut value = String::new();
            let mut escaped = false;
            for (at, c) in inner.char_indices() {
                match c {
                    c if escaped => {
                        value.push(c);
                        escaped = false;
                    }
                    '\\' => escaped = true,
                    '"' => {
                        self.rest = inner.get(at.saturating_add(1)..)?;
                        // `"local part"@domain`
                        if self.rest.starts_with('@') {
                            value.push_str(self.bare());
                        }
                        let ends =
                            self.rest.is_empty() || self.rest.starts_with([' ', '\t', ';', '(']);
                        return ends.then_some(value);
                    }
                    c => value.push(c),
                }
            }
            return None;
        }
        let value = self.bare();
        (!value.is_empty() && !value.contains(['"', ')', '\\'])).then(|| value.to_owned())
    }

    fn bare(&mut self) -> &'v str {
        let end = self
            .rest
            .find([' ', '\t', ';', '('])
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]
    use super::*;

    #[test]
    fn results_with_comments_quotes_and_versions() {
        let read = read(
            " MX.example (x (y)) 1 ; dkim = pass (good) reason=\"a; dmarc=pass\" header.d=x.example header.b=\"gJ/x+y=\"; \
             spf/1=softfail smtp.mailfrom=\"a b\"@x.example;",
        )
        .unwrap();
        assert_eq!(read.authserv_id, "mx.example");
        assert_eq!(read.checks.len(), 2);
        assert_eq!(read.checks[0].property("header.d"), Some("x.example"));
        assert_eq!(read.checks[1].result, "softfail");
        assert_eq!(
            read.checks[1].property("smtp.mailfrom"),
            Some("a b@x.example")
        );
        assert_eq!(super::read("mx.example; none").unwrap().checks, []);
        assert_eq!(super::read("mx.example").unwrap().checks, []);
    }

    #[test]
    fn c34_what_departs_from_the_grammar_is_not_read() {
        for bad in [
            "",
            "; dmarc=pass",
            "mx.example 2; dmarc=pass",
            "mx.example; dmarc",
            "mx.example; dmarc=",
            "mx.example; =pass",
            "mx.example; dmarc=pass (open",
            "mx.example; dmarc=pass header.from=\"open",
            "mx.example; dmarc=pass header.from",
            "mx.example; dmarc=pass action=none header.from=x.example",
            "mx.example; dmarc/2=pass",
            "mx.example dmarc=pass",
            "mx.example; dmarc=pass\"x\"",
            "mx.example; dmarc=pass header.from=\"a\"b",
            "mx.example; none; dmarc=pass",
            "(a) mx.example; dmarc=pass",
            "\"mx.example\"; dmarc=pass",
            "mx.example(a); dmarc=pass",
            "m\u{212a}.example; dmarc=pass",
            "m\rx.example; dmarc=pass",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn s31_more_results_than_anybody_writes_are_not_read() {
        let all = |count: usize| format!("mx.example{}", "; spf=pass".repeat(count));
        assert_eq!(read(&all(MOST)).unwrap().checks.len(), MOST);
        assert_eq!(read(&all(MOST + 1)), None);
    }

    #[test]
    fn what_stands_in_quotes_or_comments_is_no_result() {
        let quoted = read("mx.example; spf=fail reason=\"; dmarc=pass\"").unwrap();
        assert_eq!(quoted.checks.len(), 1);
        let comment = read("mx.example; spf=fail (; dmarc=pass)").unwrap();
        assert_eq!(comment.checks.len(), 1);
    }
}
