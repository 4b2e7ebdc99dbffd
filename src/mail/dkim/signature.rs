//! One `DKIM-Signature` (RFC 6376 3.5): what it says of itself.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::canonical::Form;
use super::tags;
use crate::desk::address::Address;

/// Names in `h=`; more is nobody's habit, and bounds the work.
const NAMES: usize = 100;

/// How it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// RSA over SHA-256 (RFC 6376 3.3.2).
    Rsa,
    /// Ed25519 over SHA-256 (RFC 8463).
    Ed25519,
}

impl Algorithm {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Rsa => "rsa-sha256",
            Self::Ed25519 => "ed25519-sha256",
        }
    }
}

/// A signature that may be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) domain: String,
    pub(super) selector: String,
    pub(super) algorithm: Algorithm,
    /// The forms in which header and body were signed.
    pub(super) header: Form,
    pub(super) body: Form,
    /// The names of the signed fields, in lower case, in order, with repetitions.
    pub(super) names: Vec<String>,
    pub(super) body_hash: Vec<u8>,
    pub(super) bytes: Vec<u8>,
    /// The domain of `i=`.
    pub(super) agent: String,
    /// When it was made and until when it holds, in seconds since 1970.
    pub(super) made: Option<u64>,
    pub(super) expires: Option<u64>,
    /// Set by `l=`: whatever follows so many octets is not signed.
    pub(super) partial: bool,
}

/// A signature that proves nothing whatever the key says: whose it would be, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unusable {
    pub(super) domain: Option<String>,
    pub(super) why: &'static str,
}

/// Reads a field's value on one line.
pub(super) fn read(value: &str) -> Result<Signature, Unusable> {
    let fail = |domain: Option<String>, why| Unusable { domain, why };
    let Some(tags) = tags::read(value) else {
        return Err(fail(None, "it is malformed"));
    };
    let tag = |name: &str| tags.get(name).copied();
    let Some(domain) = tag("d").and_then(domain) else {
        return Err(fail(None, "its d= is no domain"));
    };
    let fault = |why: &'static str| fail(Some(domain.clone()), why);
    if tag("v") != Some("1") {
        return Err(fault("its version is not 1"));
    }
    let algorithm = match tag("a").map(str::to_ascii_lowercase).as_deref() {
        Some("rsa-sha256") => Algorithm::Rsa,
        Some("ed25519-sha256") => Algorithm::Ed25519,
        Some("rsa-sha1") => return Err(fault("rsa-sha1 proves nothing any more (RFC 8301)")),
        Some(_) | None => return Err(fault("its algorithm is not known")),
    };
    let queries = tag("q").unwrap_or("dns/txt");
    if !tags::parts(queries).any(|q| q == "dns/txt") {
        return Err(fault("its key is not to be had from the DNS"));
    }
    let (header, body) =
        forms(tag("c").unwrap_or("simple")).ok_or_else(|| fault("its c= is not known"))?;
    let selector = tag("s").and_then(|s| selector(s, &domain));
    let names: Vec<String> = tag("h")
        .map(|h| tags::parts(h).collect())
        .unwrap_or_default();
    if names.len() > NAMES {
        return Err(fault("it names more fields than anybody signs"));
    }
    if !names.iter().any(|n| n == "from") {
        return Err(fault("it does not sign From"));
    }
    let agent = match tag("i") {
        None => domain.clone(),
        Some(i) => i
            .rsplit_once('@')
            .and_then(|(_, d)| self::domain(d))
            .ok_or_else(|| fault("its i= is no address"))?,
    };
    let below = format!(".{domain}");
    if agent != domain && !agent.ends_with(&below) {
        return Err(fault("its i= is not of its d="));
    }
    let (made, expires) = match (seconds(tag("t")), seconds(tag("x"))) {
        (Some(made), Some(expires)) => (made, expires),
        _ => return Err(fault("its t= or x= is no moment")),
    };
    Ok(Signature {
        selector: selector.ok_or_else(|| fault("its s= is no selector"))?,
        algorithm,
        header,
        body,
        names,
        body_hash: tag("bh")
            .and_then(bytes)
            .ok_or_else(|| fault("it has no bh="))?,
        bytes: tag("b")
            .and_then(bytes)
            .ok_or_else(|| fault("it has no b="))?,
        agent,
        made,
        expires,
        partial: tag("l").is_some(),
        domain: domain.clone(),
    })
}

/// A domain as addresses have it: lower case, A-labels.
fn domain(text: &str) -> Option<String> {
    let address = Address::new(&format!("x@{}", tags::solid(text))).ok()?;
    Some(address.domain().to_owned())
}

/// A selector of plain labels that leaves a name the DNS can hold.
fn selector(text: &str, domain: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let good = text
        .split('.')
        .all(|label| (1..=63).contains(&label.len()) && label.bytes().all(plain));
    let length = text.len().saturating_add(domain.len()).saturating_add(12);
    (good && length <= 253).then(|| text.to_ascii_lowercase())
}

fn forms(c: &str) -> Option<(Form, Form)> {
    let (header, body) = c.split_once('/').unwrap_or((c, "simple"));
    Some((Form::read(header.trim())?, Form::read(body.trim())?))
}

/// The outer none if it is no number; the inner one if it isn't there.
fn seconds(text: Option<&str>) -> Option<Option<u64>> {
    text.map_or(Some(None), |t| {
        let good = t.len() <= 12 && !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        good.then(|| t.parse().ok())
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(tags::solid(text)).ok()?;
    (!bytes.is_empty() && bytes.len() <= 2048).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "v=1; a=rsa-sha256; c=relaxed/simple; d=X.Example; s=one.two; t=1000; x=2000; i=bot@mail.x.example; h=From : to:from; bh=AAAA; b=AA AA";

    #[test]
    fn a_whole_signature_is_read() {
        let read = read(GOOD).unwrap();
        assert_eq!(read.domain, "x.example");
        assert_eq!(read.selector, "one.two");
        assert_eq!(read.names, ["from", "to", "from"]);
        assert_eq!((read.header, read.body), (Form::Relaxed, Form::Simple));
        assert_eq!((read.made, read.expires), (Some(1000), Some(2000)));
        assert_eq!(read.agent, "mail.x.example");
        assert_eq!(read.bytes, [0, 0, 0]);
        assert!(!read.partial);
    }

    #[test]
    fn g5_what_proves_nothing_says_why() {
        for (from, to, why) in [
            ("v=1", "v=2", "version"),
            ("d=X.Example", "d=x..example", "d="),
            ("a=rsa-sha256", "a=rsa-sha1", "rsa-sha1"),
            ("a=rsa-sha256", "a=dsa-sha256", "algorithm"),
            ("relaxed/simple", "relaxed/nofws", "c="),
            ("s=one.two", "s=one two", "selector"),
            ("s=one.two", "s=", "selector"),
            ("From : to:from", "to:subject", "sign From"),
            ("i=bot@mail.x.example", "i=bot@evilx.example", "i="),
            ("i=bot@mail.x.example", "i=@example", "i="),
            ("t=1000", "t=soon", "t="),
            ("bh=AAAA", "bh=?", "bh="),
            ("b=AA AA", "b=", "b="),
            ("t=1000", "q=dns/other", "DNS"),
            ("t=1000", "d=y.example", "malformed"),
        ] {
            let fault = read(&GOOD.replace(from, to)).unwrap_err();
            assert!(fault.why.contains(why), "{to}: {}", fault.why);
        }
        assert!(read(&GOOD.replace("t=1000", "l=10")).unwrap().partial);
    }

    #[test]
    fn s31_h_is_no_longer_than_anybody_signs() {
        let long = GOOD.replace("From : to", &"from:".repeat(NAMES));
        assert!(read(&long).unwrap_err().why.contains("more fields"));
    }
}
