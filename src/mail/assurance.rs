//! What our own mail server established about the sender (R13): `Authentication-Results` of the configured authserv-ids, topmost only.
//!
//! A field counts only where our own server must have put it. Servers prepend: what our border server adds stands above all that came with
//! the letter, its `Authentication-Results` just above or just below its own `Received` (RFC 8601 5, 7.1). So the fields are read from
//! the top down to the second `Received`; hops within our own machine (`with LMTP`, or without a `from`) are not counted among those.
//! Of fields in one unbroken run the topmost of each configured id counts (a provider may write several, each under an id of its own), and
//! of these the topmost word on a method stands; a further field of an id that has spoken counts only where it says that dmarc failed. This holds if the border server removes foreign fields with its own
//! id, as RFC 8601 5 demands of it: a forged one would else stand directly below its `Received`.

use std::collections::BTreeSet;

use super::fields::{Field, Fields, leading_blanks, with_line_feeds};
use super::parse::Caps;
use super::results::{self, Check, Results};
use super::witness::{Witness, is_below};
use super::words;
use crate::desk::address::Address;
use crate::desk::assurance::SenderAssurance;
use crate::desk::letter::{From, Letter};

/// Hops within our own machine that are passed over at most.
const LOCAL_HOPS: usize = 5;
/// Hops between a provider's own hosts that are passed over at most.
const PROVIDER_HOPS: usize = 10;
/// Fields of our server in one run; more is nobody's habit, and bounds the work.
const FIELDS: usize = 20;
/// Remarks kept.
const NOTES: usize = 20;

/// Judges a letter by the raw header block and whose word counts there. Evidence holds no more of the letter than domains.
pub fn judge(raw: &[u8], letter: &Letter, witness: &Witness) -> SenderAssurance {
    let address = match &letter.from {
        From::One { address, .. } => address,
        From::Nobody { why, .. } => return SenderAssurance::none(format!("No sender: {why}")),
    };
    if !witness.is_heard() {
        return SenderAssurance::weak("No server's Authentication-Results count at this mailbox");
    }
    let raw = &*with_line_feeds(raw);
    let raw = raw.get(leading_blanks(raw)..).unwrap_or_default();
    let fields = Fields::read(raw, Caps::DEFAULT.header_bytes, &|_| false);
    let found = find(&fields, witness);
    let mut verdict = weigh(&found.checks, address.domain());
    for note in found.notes {
        verdict = verdict.noting(note);
    }
    verdict
}

/// What our own server said, topmost first.
#[derive(Default)]
struct Found {
    checks: Vec<Check>,
    notes: Vec<String>,
    /// Fields of our server read.
    fields: usize,
    /// Which of the configured ids have spoken.
    heard: BTreeSet<usize>,
    /// Set by the word `none`: whatever else is said, our server checked nothing.
    none: bool,
}

fn find(fields: &Fields<'_>, witness: &Witness) -> Found {
    let mut found = Found::default();
    let mut place = Place::default();
    let mut foreign = 0_usize;
    for field in &fields.list {
        if field.is("Received") {
            place.pass(field, witness);
            continue;
        }
        if !field.is("Authentication-Results") {
            place.ended |= place.begun && !is_filter_mark(field);
            continue;
        }
        if field.spaced || !field.is_clear() {
            // Our server does not write so, and one that removes what is forged in its name may not see whose it is.
            place.ended = true;
            found.note("Authentication-Results that cannot be read; nothing below is counted");
            continue;
        }
        let value = field.plain();
        let Some((which, id)) = whose(&value, witness) else {
            foreign = foreign.saturating_add(1);
            // Fields without a name are told by their place alone: the topmost of all.
            place.ended |= witness.is_unnamed();
            continue;
        };
        if place.ended {
            found.note(&format!(
                "A field of {} further down is not counted: not where our server writes",
                shown(&id)
            ));
            continue;
        }
        place.begun = true;
        place.ended = witness.is_unnamed();
        found.fields = found.fields.saturating_add(1);
        let read = results::read(&value).filter(|read| witness.writes(read));
        match read.filter(|_| found.fields <= FIELDS) {
            Some(read) => found.add(read, which),
            None => {
                // Fail closed: nothing below an unreadable field of ours is believed either.
                place.ended = true;
                found.note(&format!("A field of {} cannot be read", shown(&id)));
            }
        }
    }
    if foreign > 0 {
        found.note(&format!(
            "{foreign} Authentication-Results of other servers are not counted"
        ));
    }
    found
}

/// Which of the witness's names a field is written under, and how to call it.
fn whose(value: &str, witness: &Witness) -> Option<(usize, String)> {
    match results::authserv_id(value) {
        Some(id) if !witness.is_unnamed() => Some((witness.place_of(&id)?, id)),
        None if witness.is_unnamed() => Some((0, "a server without a name".to_owned())),
        Some(_) | None => None,
    }
}

/// How far down the header block our own server may have written.
#[derive(Default)]
struct Place {
    /// Hops that brought the letter to our server.
    border: usize,
    /// Hops within our own machine, or the provider's.
    local: usize,
    /// Set when the run of our fields has begun, and when it has ended.
    begun: bool,
    ended: bool,
}

impl Place {
    fn pass(&mut self, field: &Field<'_>, witness: &Witness) {
        let (local, most) = if witness.is_unnamed() {
            (witness.is_host(&written_by(field)), PROVIDER_HOPS)
        } else {
            (is_local_hop(field), LOCAL_HOPS)
        };
        if local && self.local < most {
            self.local = self.local.saturating_add(1);
        } else {
            self.border = self.border.saturating_add(1);
        }
        self.ended |= self.begun || self.border >= 2;
    }
}

/// The host that wrote a `Received`: the word after the last `by` outside of comments and before the date. Forgers write below it only.
fn written_by(field: &Field<'_>) -> String {
    let value = without_comments(&field.plain());
    let clauses = value.split(';').next().unwrap_or_default();
    let words: Vec<&str> = clauses.split_whitespace().collect();
    let by = words.iter().rposition(|w| w.eq_ignore_ascii_case("by"));
    by.and_then(|at| words.get(at.saturating_add(1)))
        .map(|host| (*host).to_owned())
        .unwrap_or_default()
}

impl Found {
    /// A later field has no say on a method that an earlier one spoke of, and of one id only the topmost speaks for the sender (R13): where
    /// our server said little, a forged field may stand right below.
    fn add(&mut self, read: Results, place: usize) {
        let first = self.heard.insert(place) && !self.none;
        let spoken: BTreeSet<String> = self.checks.iter().map(|c| c.method.clone()).collect();
        self.checks.extend(read.checks.into_iter().filter(|c| {
            !spoken.contains(&c.method) && (first || (c.method == "dmarc" && c.result == "fail"))
        }));
        self.none |= read.none;
    }

    fn note(&mut self, note: &str) {
        if self.notes.len() < NOTES {
            self.notes.push(note.to_owned());
        }
    }
}

fn weigh(checks: &[Check], from: &str) -> SenderAssurance {
    if checks.is_empty() {
        return SenderAssurance::weak("Our server says nothing about the sender");
    }
    let said = |method: &'static str| checks.iter().filter(move |c| c.method == method);
    if let Some(check) = said("dmarc").find(|c| c.result == "fail") {
        return SenderAssurance::none(format!(
            "dmarc=fail: the letter does not come from {}",
            domain_in(check, "header.from").unwrap_or_else(|| from.to_owned())
        ));
    }
    let passes = |check: &Check| check.result == "pass";
    let dmarc = said("dmarc")
        .filter(|c| passes(c))
        .find_map(|check| domain_in(check, "header.from").filter(|domain| vouches(domain, from)));
    if let Some(domain) = dmarc {
        return SenderAssurance::domain(format!("dmarc=pass for {domain}"));
    }
    if let Some(domain) = said("dkim")
        .filter(|c| passes(c))
        .find_map(|check| aligned_signer(check, from))
    {
        return SenderAssurance::domain(format!("dkim=pass by {domain}"));
    }
    if let Some(domain) = said("dkim")
        .filter(|c| c.result == "fail")
        .find_map(|check| aligned_signer(check, from))
    {
        return SenderAssurance::none(format!("dkim=fail for the signature of {domain}"));
    }
    let results: Vec<String> = checks
        .iter()
        .take(10)
        .map(|c| format!("{}={}", c.method, shown(&c.result)))
        .collect();
    let mut verdict = SenderAssurance::weak(format!(
        "Nothing vouches for {from}: {}",
        results.join(", ")
    ));
    let spf = said("spf")
        .filter(|c| passes(c))
        .find_map(|check| domain_in(check, "smtp.mailfrom").filter(|d| vouches(d, from)));
    if let Some(domain) = spf {
        verdict = verdict.noting(format!(
            "spf=pass for {domain} says where the letter came from, not who wrote it"
        ));
    }
    verdict
}

/// The signing domain, where it is that of `From:` or one above it. All that the field says of the signer must agree.
fn aligned_signer(check: &Check, from: &str) -> Option<String> {
    let named: Vec<&str> = ["header.d", "header.i"]
        .into_iter()
        .filter(|name| check.properties.iter().any(|(n, _)| n == name))
        .collect();
    let domains: Option<Vec<String>> = named.iter().map(|name| domain_in(check, name)).collect();
    let domains = domains?;
    // `header.i` may lie below `header.d` (RFC 6376 3.5); the signer is `header.d` where it is given.
    domains.first().filter(|d| vouches(d, from)).cloned()
}

/// The domain of a property: a domain, or what stands after `@`.
fn domain_in(check: &Check, property: &str) -> Option<String> {
    let value = check.property(property)?.trim_matches(['<', '>']);
    let domain = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
    Address::new(&format!("x@{domain}"))
        .ok()
        .map(|address| address.domain().to_owned())
}

/// Whether a domain speaks for another: itself and those below, never the one above (whoever is given a subdomain is not given the domain).
fn vouches(domain: &str, from: &str) -> bool {
    domain == from || is_below(from, domain)
}

/// A `Received` within our own machine: delivery by LMTP, or a note without a `from`. The words of the sender's own greeting stand before
/// the last `with` and in comments, and are not believed.
fn is_local_hop(field: &Field<'_>) -> bool {
    let value = without_comments(&field.plain());
    let mut words = value.split_whitespace();
    if words.next().is_some_and(|w| w.eq_ignore_ascii_case("by")) {
        return true;
    }
    let words: Vec<&str> = value
        .split([' ', '\t', ';'])
        .filter(|w| !w.is_empty())
        .collect();
    let with = words.iter().rposition(|w| w.eq_ignore_ascii_case("with"));
    with.and_then(|at| words.get(at.saturating_add(1)))
        .is_some_and(|w| w.to_ascii_uppercase().starts_with("LMTP"))
}

fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    value
        .chars()
        .filter(|c| {
            match c {
                '(' => depth = depth.saturating_add(1),
                ')' => {
                    depth = depth.saturating_sub(1);
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

/// Fields that filters write between the `Authentication-Results` of one server.
fn is_filter_mark(field: &Field<'_>) -> bool {
    let name = field.lower_name();
    name.starts_with("arc-")
        || matches!(
            name.as_str(),
            "authentication-results"
                | "received-spf"
                | "dkim-filter"
                | "dmarc-filter"
                | "x-arc-info"
                | "x-dmarc-info"
                | "x-dmarc-policy"
        )
}

/// A word of a header, fit for evidence.
fn shown(word: &str) -> String {
    words::clean(word).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::assurance::Level;
    use crate::mail::parse::read;
    use crate::mail::witness::Provider;

    const RECEIVED: &str = "Received: from mail.x.example (mail.x.example [192.0.2.1]) by mx.desk.example (Postfix) with ESMTPS id 1; Sat, 1 Aug 2026 10:00:00 +0300\n";

    fn level(header: &str) -> (Level, String) {
        let raw = format!("{header}From: Anna <anna@x.example>\n\ntext");
        let witness = Witness::named(&["MX.desk.example", "*.pool.example"]);
        let letter = read(raw.as_bytes(), Caps::DEFAULT);
        let verdict = judge(raw.as_bytes(), &letter, &witness);
        (verdict.level(), verdict.evidence().join("; "))
    }

    fn said(results: &str) -> Level {
        level(&format!(
            "Authentication-Results: mx.desk.example; {results}\n{RECEIVED}"
        ))
        .0
    }

    #[test]
    fn c33_only_an_aligned_pass_is_a_pass() {
        for (results, expected) in [
            ("dmarc=pass header.from=x.example", Level::Domain),
            (
                "dmarc=pass (p=none) header.from=anna@x.example",
                Level::Domain,
            ),
            ("dmarc=pass header.from=X.EXAMPLE.", Level::Domain),
            ("dmarc=pass header.from=mail.x.example", Level::Weak),
            ("dmarc=pass header.from=y.example", Level::Weak),
            ("dmarc=pass header.from=evilx.example", Level::Weak),
            ("dmarc=pass header.from=example", Level::Weak),
            ("dmarc=pass", Level::Weak),
            (
                "dmarc=pass header.from=y.example header.from=x.example",
                Level::Weak,
            ),
            (
                "dmarc=pass header.from=x.example header.from=y.example",
                Level::Weak,
            ),
            ("dkim=pass header.d=x.example", Level::Domain),
            ("dkim=pass header.i=@x.example", Level::Domain),
            ("dkim=pass header.d=mail.x.example", Level::Weak),
            ("dkim=pass header.d=example", Level::Weak),
            (
                "dkim=pass header.d=y.example header.i=@x.example",
                Level::Weak,
            ),
            (
                "dkim=pass header.d=y.example; dkim=pass header.d=x.example",
                Level::Domain,
            ),
            ("spf=pass smtp.mailfrom=anna@x.example", Level::Weak),
            ("dmarc=fail header.from=x.example", Level::None),
            (
                "dmarc=fail header.from=x.example; dkim=pass header.d=x.example",
                Level::None,
            ),
            ("dkim=fail header.d=x.example", Level::None),
            (
                "dkim=fail header.d=x.example; dkim=pass header.d=x.example",
                Level::Domain,
            ),
            ("dkim=fail header.d=y.example", Level::Weak),
            ("dmarc=bestguesspass header.from=x.example", Level::Weak),
            ("none", Level::Weak),
            ("dmarc=pass header.from=x.example action=none", Level::Weak),
        ] {
            assert_eq!(said(results), expected, "{results}");
        }
        for result in [
            "softfail",
            "temperror",
            "neutral",
            "none",
            "policy",
            "permerror",
        ] {
            assert_eq!(
                said(&format!("dmarc={result} header.from=x.example")),
                Level::Weak
            );
            assert_eq!(
                said(&format!("dkim={result} header.d=x.example")),
                Level::Weak
            );
        }
    }

    #[test]
    fn c33_g4_position_and_id_must_be_our_servers() {
        const PASS: &str = "dmarc=pass header.from=x.example";
        let ours = format!("Authentication-Results: mx.desk.example; {PASS}\n");
        let fail = "Authentication-Results: mx.desk.example; dmarc=fail header.from=x.example\n";
        let none = "Authentication-Results: mx.desk.example; dmarc=none\n";
        let lmtp = "Received: from mx.desk.example by imap.desk.example with LMTP id 2\n";
        let inner = "Received: by 2002:a05:1 with SMTP id 3\n";
        let sly =
            "Received: from evil (with LMTP [192.0.2.9]) by mx.desk.example with ESMTP id 4\n";
        for (header, expected) in [
            (format!("{ours}{RECEIVED}"), Level::Domain),
            (format!("{RECEIVED}{ours}"), Level::Domain),
            (
                format!("Return-Path: <a@x.example>\n{lmtp}{RECEIVED}{ours}"),
                Level::Domain,
            ),
            (
                format!("{inner}{RECEIVED}Received-SPF: pass\n{ours}"),
                Level::Domain,
            ),
            (format!("{RECEIVED}{RECEIVED}{ours}"), Level::Weak),
            (format!("{sly}{RECEIVED}{ours}"), Level::Weak),
            (format!("{none}{RECEIVED}{ours}"), Level::Weak),
            (format!("{none}{ours}{RECEIVED}"), Level::Weak),
            (format!("{fail}{ours}{RECEIVED}"), Level::None),
            (format!("{RECEIVED}{none}Subject: x\n{ours}"), Level::Weak),
            (format!("{ours}Subject: x\n{fail}{RECEIVED}"), Level::Domain),
            (ours.replace("mx.desk", "mx.evil"), Level::Weak),
            (
                ours.replace("mx.desk.example", "mx.desk.example.evil"),
                Level::Weak,
            ),
            (
                ours.replace("mx.desk.example", "mx7.pool.example"),
                Level::Domain,
            ),
            (
                ours.replace("mx.desk.example", "evilpool.example"),
                Level::Weak,
            ),
            (
                ours.replace("mx.desk.example", "MX.Desk.EXAMPLE 1"),
                Level::Domain,
            ),
            (
                ours.replace("Authentication-Results", "ARC-Authentication-Results"),
                Level::Weak,
            ),
        ] {
            assert_eq!(level(&header).0, expected, "{header}");
        }
    }

    #[test]
    fn c33_a_domain_speaks_for_those_below_it_and_not_above() {
        assert!(vouches("x.example", "x.example") && vouches("x.example", "mail.x.example"));
        assert!(!vouches("mail.x.example", "x.example") && !vouches("example", "x.example"));
    }

    #[test]
    fn r13_spellings_of_our_id_that_others_do_not_know_are_not_believed() {
        const PASS: &str = "dmarc=pass header.from=x.example";
        for field in [
            "Authentication-Results: mx.des\u{212a}.example;",
            "Authentication-Results: mx.desk\r.example;",
            "Authentication-Results: mx.desk.example\r;",
            "Authentication-Results: mx.desk.example\0;",
            "Authentication-Results: \"mx.desk.example\";",
            "Authentication-Results: (x) mx.desk.example;",
            "Authentication-Results: mx.desk.example(x);",
            "Authentication-Results : mx.desk.example;",
        ] {
            let header = format!("{RECEIVED}{field} {PASS}\n");
            assert_eq!(level(&header).0, Level::Weak, "{field:?}");
        }
        // What stands below such a field is not believed either; what our server wrote above it is.
        let ours = format!("Authentication-Results: mx.desk.example; {PASS}\n");
        let odd = "Authentication-Results : other.example; none\n";
        assert_eq!(level(&format!("{RECEIVED}{odd}{ours}")).0, Level::Weak);
        assert_eq!(level(&format!("{RECEIVED}{ours}{odd}")).0, Level::Domain);
    }

    #[test]
    fn r13_of_one_id_the_topmost_field_speaks() {
        let pass = "dmarc=pass header.from=x.example";
        for (fields, expected) in [
            (
                ["mx.desk.example; none", "mx.desk.example; PASS"],
                Level::Weak,
            ),
            (
                ["mx.desk.example; none", "mx7.pool.example; PASS"],
                Level::Weak,
            ),
            (
                ["mx.desk.example; spf=pass", "mx.desk.example; PASS"],
                Level::Weak,
            ),
            (
                ["mx1.pool.example; spf=pass", "mx2.pool.example; PASS"],
                Level::Weak,
            ),
            (
                ["mx.desk.example; spf=pass", "mx2.pool.example; PASS"],
                Level::Domain,
            ),
            (
                ["mx.desk.example; dmarc=none", "mx2.pool.example; PASS"],
                Level::Weak,
            ),
            (
                [
                    "mx.desk.example; dkim=pass header.d=x.example",
                    "mx.desk.example; dmarc=fail",
                ],
                Level::None,
            ),
        ] {
            let header: String = fields
                .iter()
                .map(|f| format!("{AR} {}\n", f.replace("PASS", pass)))
                .collect();
            assert_eq!(
                level(&format!("{RECEIVED}{header}")).0,
                expected,
                "{fields:?}"
            );
        }
    }

    fn at_provider(provider: Provider, header: &str) -> Level {
        let raw = format!("{header}From: Anna <anna@x.example>\n\ntext");
        let letter = read(raw.as_bytes(), Caps::DEFAULT);
        judge(raw.as_bytes(), &letter, &Witness::of(provider)).level()
    }

    const AR: &str = "Authentication-Results:";
    const SENT: &str = "Received: from mail.x.example by mail.x.example with ESMTPSA id 0\n";

    #[test]
    fn c34_each_provider_is_read_by_its_habits() {
        let gmail = format!(
            "Received: by 2002:a05:1 with SMTP id 3\nARC-Authentication-Results: i=1; mx.google.com; dmarc=pass header.from=x.example\n{RECEIVED}\
             {AR} mx.google.com;\n dkim=pass header.i=@x.example header.s=s1 header.b=aB/c+d;\n gateway.spf=pass (google.com: domain of a) smtp.mailfrom=a@x.example;\n \
             dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=x.example\n{SENT}"
        );
        let icloud = format!(
            "{RECEIVED}X-ICL-SCORE: 3.3\n{AR} bimi.icloud.com; bimi=skipped reason=\"insufficient dmarc\"\nX-ARC-Info: policy=fail; arc=none\n\
             {AR} arc.icloud.com; arc=none\n{AR} dmarc.icloud.com; dmarc=pass header.from=x.example\nX-DMARC-Info: pass=pass; dmarc-policy=none\n\
             X-DMARC-Policy: v=DMARC1; p=none\n{AR} dkim-verifier.icloud.com;\n\tdkim=pass (2048-bit key) header.d=x.example header.i=@x.example\n\
             {AR} spf.icloud.com; spf=pass (a) smtp.mailfrom=\"SRS0=a=b@x.example\"\nReceived-SPF: pass\n{SENT}"
        );
        let yahoo = format!(
            "Received: from 192.0.2.3 by atlas7.free.mail.bf1.yahoo.com pod-id NONE with HTTPS\n{AR} atlas7.free.mail.bf1.yahoo.com;\n \
             dkim=pass header.i=@x.example header.s=s1;\n dmarc=pass(p=NONE,sp=QUARANTINE) header.from=x.example;\n{RECEIVED}{SENT}"
        );
        let mail_ru = format!(
            "{AR} mxs.mail.ru; spf=pass (mx1.i.mail.ru: domain) smtp.mailfrom=anna@x.example smtp.helo=mail.x.example;\n\t \
             dkim=pass header.d=x.example; dmarc=pass header.from=anna@x.example\nReceived-SPF: pass\n{RECEIVED}{SENT}"
        );
        let hop = "Received: from A1.eurprd08.prod.outlook.com (2603::33)\n by B2.eurprd08.prod.outlook.com with HTTPS; x\n";
        let border = "Received: from mail.x.example (192.0.2.1) by\n C3.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP\n Server id 15 via Frontend Transport; x\n";
        let microsoft = format!(
            "{hop}{hop}{hop}{AR} spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=x.example; desk.example; dkim=pass (signature was verified)\n \
             header.d=x.example;desk.example; dmarc=pass action=none\n header.from=x.example;compauth=pass reason=100\nReceived-SPF: Pass\n{border}{SENT}"
        );
        for (provider, header) in [
            (Provider::Gmail, &gmail),
            (Provider::Icloud, &icloud),
            (Provider::Yahoo, &yahoo),
            (Provider::MailRu, &mail_ru),
            (Provider::Microsoft365, &microsoft),
        ] {
            assert_eq!(at_provider(provider, header), Level::Domain, "{provider:?}");
            let other = header.replace("x.example", "y.example");
            assert_eq!(at_provider(provider, &other), Level::Weak, "{provider:?}");
            let failed = header
                .replace("dmarc=pass", "dmarc=fail")
                .replace("dkim=pass", "dkim=fail");
            assert_eq!(at_provider(provider, &failed), Level::None, "{provider:?}");
            for foreign in Provider::ALL
                .map(|(_, p)| p)
                .into_iter()
                .filter(|p| *p != provider)
            {
                assert_eq!(
                    at_provider(foreign, header),
                    Level::Weak,
                    "{foreign:?} of {provider:?}"
                );
            }
        }
        let yandex = format!(
            "{AR} vla1-f55d97afef99.qloud-c.yandex.net; spf=pass smtp.mail=anna@x.example; dkim=pass header.i=@x.example\n{RECEIVED}"
        );
        assert_eq!(at_provider(Provider::Yandex, &yandex), Level::Weak);
    }

    #[test]
    fn g4_a_field_without_a_name_counts_only_as_the_topmost_of_all() {
        let pass = format!(
            "{AR} spf=pass smtp.mailfrom=x.example; dkim=none header.d=none;dmarc=pass action=none header.from=x.example;\n"
        );
        let none = format!(
            "{AR} dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=;\n"
        );
        let hop = "Received: from A.prod.outlook.com by B.prod.outlook.com with HTTPS; x\n";
        let border = "Received: from C.prod.outlook.com (192.0.2.1) by D.mail.protection.outlook.com (10.0.0.1) with Microsoft SMTP; x\n";
        let named = format!("{AR} mx.evil.example; dmarc=none\n");
        for (header, expected) in [
            (format!("{hop}{pass}{border}"), Level::Domain),
            // A forger may greet as one of Microsoft's own hosts: the field above the border is still the topmost.
            (format!("{hop}{none}{border}{pass}"), Level::Weak),
            (format!("{hop}{named}{pass}{border}"), Level::Weak),
            (format!("{hop}{RECEIVED}{SENT}{pass}"), Level::Weak),
            (
                format!("{}{pass}{border}", hop.repeat(PROVIDER_HOPS + 3)),
                Level::Weak,
            ),
            (
                format!(
                    "{hop}{}{border}",
                    pass.replace("spf=pass", "outlook.com; spf=pass")
                ),
                Level::Weak,
            ),
        ] {
            assert_eq!(
                at_provider(Provider::Microsoft365, &header),
                expected,
                "{header}"
            );
        }
        // Only Microsoft writes so: for others such a field is nobody's.
        assert_eq!(level(&format!("{pass}{RECEIVED}")).0, Level::Weak);
    }

    #[test]
    fn g4_departures_that_our_server_does_not_have_are_not_believed() {
        for (results, expected) in [
            (
                "iprev=pass smtp.remote-ip=2001:db8::1; dmarc=pass header.from=x.example",
                Level::Domain,
            ),
            (
                "gateway.spf=pass; dmarc=pass header.from=x.example",
                Level::Weak,
            ),
            (
                "evil.example; dmarc=pass header.from=x.example",
                Level::Weak,
            ),
            ("dmarc=pass header.from=x.example policy.p=", Level::Weak),
        ] {
            assert_eq!(said(results), expected, "{results}");
        }
        let arc =
            format!("{AR} i=1; mx.desk.example; dmarc=pass header.from=x.example\n{RECEIVED}");
        assert_eq!(level(&arc).0, Level::Weak);
    }

    #[test]
    fn s31_a_run_of_many_fields_is_read_no_further_than_the_cap() {
        let mut header = RECEIVED.to_owned();
        for at in 0..=FIELDS {
            header.push_str(&format!(
                "Authentication-Results: mx.desk.example; m{at}=y\n"
            ));
        }
        header.push_str("Authentication-Results: mx.desk.example; dmarc=fail\n");
        let (level, evidence) = level(&header);
        assert_eq!(level, Level::Weak);
        assert!(evidence.contains("cannot be read"), "{evidence}");
    }

    #[test]
    fn c33_g4_what_several_names_say_counts_in_one_unbroken_run_only() {
        let run = |between: &str| {
            level(&format!(
                "Authentication-Results: mx.desk.example; spf=pass smtp.mailfrom=x.example\n{between}\
                 Authentication-Results: one.pool.example; dmarc=pass header.from=x.example\n{RECEIVED}"
            ))
            .0
        };
        assert_eq!(run(""), Level::Domain);
        assert_eq!(run("Received-SPF: pass\n"), Level::Domain);
        for between in [
            RECEIVED,
            "X-Mailer: x\n",
            "Authentication-Results: mx.desk.example; dmarc=\n",
            "Authentication-Results : mx.desk.example; spf=pass\n",
        ] {
            assert_eq!(run(between), Level::Weak, "{between}");
        }
    }

    #[test]
    fn without_a_sender_or_an_id_there_is_no_authority() {
        let raw = format!(
            "Authentication-Results: mx.desk.example; dmarc=pass header.from=x.example\n{RECEIVED}From: a@x.example\nFrom: b@x.example\n\nx"
        );
        let letter = read(raw.as_bytes(), Caps::DEFAULT);
        let ids = Witness::named(&["mx.desk.example"]);
        assert_eq!(judge(raw.as_bytes(), &letter, &ids).level(), Level::None);
        let one = raw.replace("From: b@x.example\n", "");
        let letter = read(one.as_bytes(), Caps::DEFAULT);
        assert_eq!(
            judge(one.as_bytes(), &letter, &Witness::nobody()).level(),
            Level::Weak
        );
        assert_eq!(judge(one.as_bytes(), &letter, &ids).level(), Level::Domain);
    }

    #[test]
    fn forged_fields_are_told() {
        let (_, evidence) = level(&format!(
            "{RECEIVED}{RECEIVED}Authentication-Results: mx.desk.example; dmarc=pass header.from=x.example\n"
        ));
        assert!(
            evidence.contains("further down is not counted"),
            "{evidence}"
        );
    }
}
