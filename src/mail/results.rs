//! `Authentication-Results` as RFC 8601 2.2 has it. What real servers write beside the grammar is read as well, and told: whoever believes
//! a field says which departures it may have. What can't be told apart for certain is not read at all, since what is misread here is
//! forged mail believed.

use std::collections::BTreeSet;

/// One field read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// Who says it, lower case; none where the field names nobody (Microsoft's do not).
    pub authserv_id: Option<String>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// Whether it says outright that nothing was checked.
    pub none: bool,
    /// Where it leaves the grammar.
    pub departures: BTreeSet<Departure>,
}

/// A way of leaving the grammar that is seen in the field and still reads in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Departure {
    /// `i=1;` stands before the id, as in ARC (RFC 8617 4.1.1).
    Instance,
    /// No id stands at the start (Microsoft).
    NoId,
    /// A domain stands where a result should (Microsoft: that of the receiver).
    StrayDomain,
    /// A property without a value (Microsoft: `header.from=;`).
    EmptyValue,
    /// A colon in a value that is not quoted (Exim, of IPv6 addresses).
    Colon,
    /// A property without a type (Microsoft: `action=none`; others: `version=TLSv1.2`). It is passed over.
    UntypedProperty,
    /// A dot in a method (Google: `gateway.spf`).
    DottedMethod,
}

/// One method's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `dkim`, `spf`, `dmarc`, … in lower case.
    pub method: String,
    /// `pass`, `fail`, … in lower case.
    pub result: String,
    /// The comment right after the result, where there is one.
    pub comment: Option<String>,
    /// The reason, where one is given.
    pub reason: Option<String>,
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
    Reader::new(value).id()
}

/// Reads a field's unfolded value; none if it departs from the grammar in a way that has no name in [`Departure`].
pub fn read(value: &str) -> Option<Results> {
    let mut reader = Reader::new(value);
    reader.instance();
    let mut authserv_id = reader.head()?;
    let mut checks = Vec::new();
    let mut none = false;
    // Without an id the first result stands where the id should.
    let mut first = authserv_id.is_none();
    while first || !reader.rest.is_empty() {
        if !first {
            reader.take(';')?;
            reader.skip_comments()?;
            if reader.rest.is_empty() {
                // A semicolon at the end is no result, and common.
                break;
            }
            if let Some(domain) = reader.stray_domain() {
                authserv_id.get_or_insert(domain);
                continue;
            }
        }
        first = false;
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
        departures: reader.departures,
    })
}

struct Reader<'v> {
    rest: &'v str,
    departures: BTreeSet<Departure>,
}

impl<'v> Reader<'v> {
    fn new(value: &'v str) -> Self {
        Self {
            rest: value.trim_start_matches([' ', '\t']),
            departures: BTreeSet::new(),
        }
    }

    fn departs(&mut self, how: Departure) {
        self.departures.insert(how);
    }

    /// `i=1;` before the id.
    fn instance(&mut self) {
        let Some((digits, rest)) = self
            .rest
            .strip_prefix("i=")
            .and_then(|rest| rest.split_once(';'))
        else {
            return;
        };
        if (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
            self.rest = rest.trim_start_matches([' ', '\t']);
            self.departs(Departure::Instance);
        }
    }

    /// The id and the version; the inner none where the field begins with a result.
    fn head(&mut self) -> Option<Option<String>> {
        let begin = self.rest;
        let Some(id) = self.id() else {
            self.rest = begin;
            self.departs(Departure::NoId);
            return Some(None);
        };
        self.skip_comments()?;
        // authres-version: digits, of which only 1 is known.
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            if self.keyword()? != "1" {
                return None;
            }
            self.skip_comments()?;
        }
        Some(Some(id))
    }

    /// A domain that stands alone between two semicolons.
    fn stray_domain(&mut self) -> Option<String> {
        let end = self.rest.find(';').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        let word = word.trim_end();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !word.contains('.') || !word.chars().all(plain) {
            return None;
        }
        self.rest = rest;
        self.departs(Departure::StrayDomain);
        Some(word.to_ascii_lowercase())
    }

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
        let method = self.method()?;
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
        let before = self.rest.len();
        let mut check = Check {
            method,
            result,
            comment: self.comment()?,
            reason: None,
            properties: Vec::new(),
        };
        // Between the result and what follows there must be something.
        let mut spaced = self.rest.len() != before;
        loop {
            spaced |= self.skip_comments()?;
            if self.rest.is_empty() || self.rest.starts_with(';') {
                return Some(Some(check));
            }
            if !spaced {
                return None;
            }
            self.property(&mut check)?;
            spaced = false;
        }
    }

    /// The method's name; Google writes one with a dot.
    fn method(&mut self) -> Option<String> {
        let mut method = self.keyword()?.to_ascii_lowercase();
        while let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            method = format!("{method}.{}", self.keyword()?.to_ascii_lowercase());
            self.departs(Departure::DottedMethod);
        }
        Some(method)
    }

    /// One `ptype.property=value`, or the reason.
    fn property(&mut self, check: &mut Check) -> Option<()> {
        let word = self.keyword()?.to_ascii_lowercase();
        self.skip_comments()?;
        if self.rest.starts_with('=') {
            self.take('=')?;
            self.skip_comments()?;
            let value = self.value()?;
            if word != "reason" {
                self.departs(Departure::UntypedProperty);
            } else if check.reason.is_some() || !check.properties.is_empty() {
                return None;
            } else {
                check.reason = Some(value);
            }
            return Some(());
        }
        self.take('.')?;
        self.skip_comments()?;
        let property = self.keyword()?.to_ascii_lowercase();
        self.skip_comments()?;
        self.take('=')?;
        self.skip_comments()?;
        let value = self.value()?;
        check.properties.push((format!("{word}.{property}"), value));
        Some(())
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// White space and comments (RFC 5322 3.2.2); says whether there was any. None if a comment never closes.
    fn skip_comments(&mut self) -> Option<bool> {
        let before = self.rest.len();
        while self.comment()?.is_some() {}
        Some(self.rest.len() != before)
    }

    /// White space and the comment that may follow, without its parentheses. The outer none if it never closes.
    fn comment(&mut self) -> Option<Option<String>> {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        let Some(inner) = self.rest.strip_prefix('(') else {
            return Some(None);
        };
        let mut depth = 1_usize;
        let mut escaped = false;
        for (at, c) in inner.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '(' => depth = depth.saturating_add(1),
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                let (comment, rest) = inner.split_at_checked(at)?;
                self.rest = rest.strip_prefix(')')?;
                return Some(Some(comment.to_owned()));
            }
            if depth > DEEPEST {
                return None;
            }
        }
        None
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
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let value = self.bare();
        if value.contains(['"', ')', '\\']) {
            return None;
        }
        if value.is_empty() {
            self.departs(Departure::EmptyValue);
        }
        if value.contains(':') {
            self.departs(Departure::Colon);
        }
        Some(value.to_owned())
    }

    fn quoted(&mut self) -> Option<String> {
        let inner = self.rest.strip_prefix('"')?;
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
                    let ends = self.rest.is_empty() || self.rest.starts_with([' ', '\t', ';', '(']);
                    return ends.then_some(value);
                }
                c => value.push(c),
            }
        }
        None
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
        assert_eq!(read.authserv_id.as_deref(), Some("mx.example"));
        assert_eq!(read.checks[0].comment.as_deref(), Some("good"));
        assert_eq!(read.checks[0].reason.as_deref(), Some("a; dmarc=pass"));
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
    fn c34_departures_are_read_and_told() {
        for (value, id, departures) in [
            (
                "i=1; mx.example; foo=pass",
                Some("mx.example"),
                &[Departure::Instance][..],
            ),
            (
                "spf=pass smtp.mailfrom=x.example; dmarc=pass",
                None,
                &[Departure::NoId],
            ),
            (
                "spf=pass smtp.mailfrom=x.example; Desk.example; dkim=pass header.d=x.example;.other.example; dmarc=pass action=none header.from=;",
                Some("desk.example"),
                &[
                    Departure::NoId,
                    Departure::StrayDomain,
                    Departure::EmptyValue,
                    Departure::UntypedProperty,
                ],
            ),
            (
                "mx.example; iprev=pass policy.iprev=2001:db8::1 (a)",
                Some("mx.example"),
                &[Departure::Colon],
            ),
            (
                "mx.example; gateway.spf=pass policy.d=x",
                Some("mx.example"),
                &[Departure::DottedMethod],
            ),
            (
                "mx.example; x-tls=pass version=1 bits=256",
                Some("mx.example"),
                &[Departure::UntypedProperty],
            ),
            (
                "mx.example; dkim=dkim_pass(x) header.s=@a; dmarc=success(p=NONE)",
                Some("mx.example"),
                &[],
            ),
        ] {
            let read = read(value).unwrap();
            assert_eq!(read.authserv_id.as_deref(), id, "{value}");
            assert_eq!(
                read.departures,
                departures.iter().copied().collect(),
                "{value}"
            );
        }
    }

    #[test]
    fn s31_more_results_than_anybody_writes_are_not_read() {
        let all = |count: usize| format!("mx.example{}", "; spf=pass".repeat(count));
        assert_eq!(read(&all(MOST)).unwrap().checks.len(), MOST);
        assert_eq!(read(&all(MOST + 1)), None);
    }

    #[test]
    fn s31_comments_nest_so_deep_and_no_deeper() {
        let nested = |depth: usize| {
            format!(
                "mx.example; spf=fail {}; dmarc=pass{}",
                "(".repeat(depth),
                ")".repeat(depth)
            )
        };
        for depth in [1, 2, DEEPEST] {
            let read = read(&nested(depth)).unwrap();
            assert_eq!(read.checks.len(), 1, "{depth}");
            assert_eq!(read.checks[0].result, "fail");
        }
        assert_eq!(read(&nested(DEEPEST + 1)), None);
        // One that closes less often than it opens never closes, and one that closes more often leaves what is no value.
        assert_eq!(read("mx.example; spf=fail ((a); dmarc=pass"), None);
        assert_eq!(read("mx.example; spf=fail (a)); dmarc=pass"), None);
    }

    #[test]
    fn what_stands_in_quotes_or_comments_is_no_result() {
        let quoted = read("mx.example; spf=fail reason=\"; dmarc=pass\"").unwrap();
        assert_eq!(quoted.checks.len(), 1);
        let comment = read("mx.example; spf=fail (; dmarc=pass)").unwrap();
        assert_eq!(comment.checks.len(), 1);
        // What is escaped ends neither.
        for escaped in [
            "mx.example; spf=fail (a\\); dmarc=pass)",
            "mx.example; spf=fail (a\\\\ (b\\)) ; dmarc=pass)",
            "mx.example; spf=fail reason=\"a\\\"; dmarc=pass\"",
        ] {
            assert_eq!(read(escaped).unwrap().checks.len(), 1, "{escaped}");
        }
        for ended in [
            "mx.example; spf=fail (a\\\\); dmarc=pass",
            "mx.example; spf=fail reason=\"a\\\\\"; dmarc=pass",
        ] {
            assert_eq!(read(ended).unwrap().checks.len(), 2, "{ended}");
        }
    }
}
