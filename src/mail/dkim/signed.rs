//! A letter's signatures: which may speak for `From:`, what must be asked of the DNS to know, and what the answers prove.
//!
//! A signature is proof if its domain speaks for that of `From:` ([`alignment`]), if it covers the whole body, `From:` and the subject, and
//! no field that it covers stands in the letter more often than it was signed. One that proves is enough; one that doesn't is as good as
//! none (RFC 6376 6.1): whoever forges would leave it out, and whoever adds a footer on the way breaks it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::alignment::{self, Alignment};
use super::answer::Answer;
use super::canonical::Form;
use super::key;
use super::signature::{self, Signature};
use crate::mail::fields::{Field, Fields, leading_blanks, with_line_feeds};
use crate::mail::parse::Caps;

/// `DKIM-Signature` fields looked at; more is nobody's, and bounds the work.
const FIELDS: usize = 20;
/// Signatures checked; each costs a question to the DNS.
const CHECKED: usize = 5;
/// Octets of header that one signature may cover.
const COVERED: usize = 256 << 10;
/// How far the signer's clock may be ahead, in seconds.
const AHEAD: i64 = 900;
/// Fields that must not stand in a letter more often than they were signed, if they were: people are shown the other one.
const SHOWN: [&str; 11] = [
    "from",
    "subject",
    "date",
    "to",
    "cc",
    "sender",
    "reply-to",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// What a letter's signatures come down to before the DNS is asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signed {
    from: String,
    candidates: Vec<Candidate>,
    notes: Vec<String>,
}

/// A signature that would be proof if the key is right, with the octets that it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    signature: Signature,
    covered: Vec<u8>,
}

/// What the signatures prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The verdict.
    pub verdict: Verdict,
    /// What was found, a line for each signature.
    pub notes: Vec<String>,
    /// The identity of the signature that proves (K4): the same one under another letter is a replay.
    pub signature_key: Option<[u8; 32]>,
}

/// The verdict on all signatures of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A domain that speaks for `From:` signed it; in words.
    Proved(String),
    /// None of them proves anything.
    Unproved,
    /// The DNS did not answer: it may turn out either way.
    Unknown,
}

impl Signed {
    /// Finds the signatures in a letter from this domain that arrived then. Looks at no more than it must: one without any costs nothing.
    pub fn read(raw: &[u8], from: &str, arrived: DateTime<Utc>) -> Self {
        let raw = &*with_line_feeds(raw);
        let raw = raw.get(leading_blanks(raw)..).unwrap_or_default();
        let fields = Fields::read(raw, Caps::DEFAULT.header_bytes, &|_| false);
        let mut signed = Self {
            from: from.to_owned(),
            ..Self::default()
        };
        let found = fields.list.iter().filter(|f| f.is("DKIM-Signature"));
        let mut letter = LetterParts::new(raw, &fields, arrived);
        for field in found.take(FIELDS) {
            signed.add(field, &mut letter);
        }
        signed
    }

    fn add(&mut self, field: &Field<'_>, letter: &mut LetterParts<'_>) {
        if field.spaced || !field.is_clear() {
            self.notes.push("DKIM: a signature cannot be read".into());
            return;
        }
        let signature = match signature::read(&field.plain()) {
            Ok(signature) => signature,
            Err(unusable) => {
                let whose = unusable.domain.unwrap_or_else(|| "nobody".to_owned());
                self.notes.push(format!(
                    "DKIM: a signature of {whose} proves nothing: {}",
                    unusable.why
                ));
                return;
            }
        };
        let whose = named(&signature);
        if !alignment::related(&signature.domain, &self.from) {
            self.notes
                .push(format!("DKIM: {whose} does not speak for {}", self.from));
        } else if self.candidates.len() >= CHECKED {
            self.notes
                .push(format!("DKIM: {whose} is one too many, and is not checked"));
        } else {
            match letter.covered(field, &signature) {
                Ok(covered) => self.candidates.push(Candidate { signature, covered }),
                Err(why) => self
                    .notes
                    .push(format!("DKIM: {whose} proves nothing: {why}")),
            }
        }
    }

    /// Whether nothing need be asked: no signature could prove anything.
    pub fn is_settled(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The identity (K4) of the first that may be good, where the DNS is not asked about it because our own server has vouched already.
    pub fn identity(&self) -> Option<[u8; 32]> {
        self.candidates.first().map(Candidate::identity)
    }

    /// The names whose texts must be known. Each belongs to the domain of `From:`, or to one above or below it.
    pub fn questions(&self) -> BTreeSet<String> {
        self.candidates
            .iter()
            .flat_map(|c| {
                let mut names = alignment::questions(&c.signature.domain, &self.from);
                names.insert(key_name(&c.signature));
                names
            })
            .collect()
    }

    /// What the signatures prove, given the answers; a question without an answer counts as silence.
    pub fn judge(&self, answers: &BTreeMap<String, Answer>) -> Proof {
        let mut proof = Proof {
            verdict: Verdict::Unproved,
            notes: self.notes.clone(),
            signature_key: None,
        };
        for candidate in &self.candidates {
            match candidate.judge(&self.from, answers) {
                Ok(how) => {
                    proof.verdict = Verdict::Proved(how);
                    proof.signature_key = Some(candidate.identity());
                    return proof;
                }
                Err(Miss { why, open }) => {
                    let whose = named(&candidate.signature);
                    if open {
                        proof.verdict = Verdict::Unknown;
                        proof
                            .notes
                            .push(format!("DKIM: {whose} is not checked: {why}"));
                    } else {
                        proof
                            .notes
                            .push(format!("DKIM: {whose} proves nothing: {why}"));
                    }
                }
            }
        }
        proof
    }

    /// What is told where no DNS is asked.
    pub fn unasked(&self) -> Vec<String> {
        let open = self.candidates.iter().map(|c| {
            format!(
                "DKIM: {} is not checked: no DNS is asked here",
                named(&c.signature)
            )
        });
        self.notes.iter().cloned().chain(open).collect()
    }
}

/// Why a signature is no proof, and whether that may still change.
struct Miss {
    why: String,
    open: bool,
}

impl Candidate {
    /// How it proves that its domain signed.
    fn judge(&self, from: &str, answers: &BTreeMap<String, Answer>) -> Result<String, Miss> {
        let signature = &self.signature;
        let no = |why: &str| Miss {
            why: why.to_owned(),
            open: false,
        };
        let silent = |why: &str| Miss {
            why: why.to_owned(),
            open: true,
        };
        let (texts, secure) = match answers.get(&key_name(signature)) {
            Some(Answer::Found { texts, secure }) => (texts, *secure),
            Some(Answer::Nothing) => return Err(no("there is no key")),
            Some(Answer::Silent(why)) => return Err(silent(why)),
            None => return Err(silent("nobody was asked")),
        };
        let key = key::read(texts).map_err(no)?;
        if key.exact_agent && signature.agent != signature.domain {
            return Err(no("its key does not let it sign for subdomains"));
        }
        if !key.made(signature.algorithm, &self.covered, &signature.bytes) {
            return Err(no(
                "the signature is not of this key, or the header was altered",
            ));
        }
        if key.testing {
            return Err(no(
                "it is good, but its owner is only trying the key out (t=y)",
            ));
        }
        match alignment::alignment(&signature.domain, from, answers) {
            Alignment::Aligned => {}
            Alignment::Apart => {
                return Err(no(&format!("it is good, but does not speak for {from}")));
            }
            Alignment::Unknown => return Err(silent("the DNS does not say whom it speaks for")),
        }
        Ok(format!(
            "{}, {} of {} bits, key {}{}; signed: {}",
            named(signature),
            signature.algorithm.word(),
            key.bits(),
            key.print,
            if secure { " by DNSSEC" } else { "" },
            shown_names(&signature.names),
        ))
    }

    /// K4: domain, selector and signature.
    fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.signature.domain.as_bytes());
        hash.update([0]);
        hash.update(self.signature.selector.as_bytes());
        hash.update([0]);
        hash.update(&self.signature.bytes);
        hash.finalize().into()
    }
}

/// The letter as signatures see it; the body is hashed once for each form that is asked for.
struct LetterParts<'a> {
    fields: &'a Fields<'a>,
    /// Places of the fields by lower name, topmost first.
    places: BTreeMap<String, Vec<usize>>,
    body: &'a [u8],
    hashes: BTreeMap<Form, [u8; 32]>,
    arrived: i64,
}

impl<'a> LetterParts<'a> {
    fn new(raw: &'a [u8], fields: &'a Fields<'a>, arrived: DateTime<Utc>) -> Self {
        Self {
            fields,
            places: BTreeMap::new(),
            body: raw.get(fields.length..).unwrap_or_default(),
            hashes: BTreeMap::new(),
            arrived: arrived.timestamp(),
        }
    }

    /// The octets of the header that a signature covers; else why it proves nothing whatever its key.
    fn covered(&mut self, own: &Field<'_>, signature: &Signature) -> Result<Vec<u8>, &'static str> {
        if signature.partial {
            return Err("it signs a part of the body only (l=)");
        }
        self.check_time(signature)?;
        if self.fields.garbled || self.fields.cut {
            return Err("the header is not in order");
        }
        if self.places.is_empty() {
            for (at, field) in self.fields.list.iter().enumerate() {
                self.places.entry(field.lower_name()).or_default().push(at);
            }
        }
        self.check_names(signature)?;
        let body = self.body;
        let form = signature.body;
        let hash = self
            .hashes
            .entry(form)
            .or_insert_with(|| form.body_hash(body));
        if hash.as_slice() != signature.body_hash {
            return Err("the body was altered");
        }
        self.header(own, signature)
    }

    /// By the moment of arrival: a letter that waited for the desk holds as long as it would have on time (R2).
    fn check_time(&self, signature: &Signature) -> Result<(), &'static str> {
        let moment = |s: Option<u64>| s.and_then(|s| i64::try_from(s).ok());
        let (made, expires) = (moment(signature.made), moment(signature.expires));
        if made.is_some_and(|made| made > self.arrived.saturating_add(AHEAD)) {
            return Err("it was made in the future (t=)");
        }
        if expires.is_some_and(|expires| expires < self.arrived) {
            return Err("it had expired (x=)");
        }
        match (made, expires) {
            (Some(made), Some(expires)) if expires <= made => Err("it expired before it was made"),
            _ => Ok(()),
        }
    }

    /// What people are shown must be what was signed.
    fn check_names(&self, signature: &Signature) -> Result<(), &'static str> {
        let there = |name: &str| self.places.get(name).map_or(0, Vec::len);
        let signed = |name: &str| signature.names.iter().filter(|n| *n == name).count();
        if there("subject") > 0 && signed("subject") == 0 {
            return Err("it does not sign the subject");
        }
        let doubled = |name: &&str| signed(name) > 0 && there(name) > signed(name);
        match SHOWN.iter().find(|name| doubled(name)) {
            Some(_) => {
                Err("a field that it signs stands in the letter more often than it was signed")
            }
            None => Ok(()),
        }
    }

    /// RFC 6376 3.7: the fields it names, each name from the bottom up, then itself without its `b=`.
    fn header(&self, own: &Field<'_>, signature: &Signature) -> Result<Vec<u8>, &'static str> {
        let mut left: BTreeMap<&str, &[usize]> = BTreeMap::new();
        let mut out = Vec::new();
        for name in &signature.names {
            let places = left
                .entry(name)
                .or_insert_with(|| self.places.get(name).map(Vec::as_slice).unwrap_or_default());
            let Some((at, rest)) = places.split_last() else {
                // Signed as absent.
                continue;
            };
            *places = rest;
            let Some(field) = self.fields.list.get(*at) else {
                continue;
            };
            if field.spaced && signature.header == Form::Simple {
                return Err("a signed field has white space before its colon");
            }
            signature.header.add(&mut out, field, field.value);
            if out.len() > COVERED {
                return Err("it signs more of the header than is looked at");
            }
        }
        signature
            .header
            .add(&mut out, own, &without_signature(own.value));
        // Its own field is signed without a line end.
        out.truncate(out.len().saturating_sub(2));
        Ok(out)
    }
}

/// The value of a `DKIM-Signature` with nothing between `b=` and what ends it; all else stays.
fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for (at, piece) in value.split(|b| *b == b';').enumerate() {
        if at > 0 {
            out.push(b';');
        }
        let equals = piece.iter().position(|b| *b == b'=');
        let name = equals
            .and_then(|at| piece.get(..at))
            .map(<[u8]>::trim_ascii);
        match equals {
            Some(at) if name == Some(b"b") => {
                out.extend_from_slice(piece.get(..=at).unwrap_or_default());
            }
            Some(_) | None => out.extend_from_slice(piece),
        }
    }
    out
}

fn key_name(signature: &Signature) -> String {
    format!("{}._domainkey.{}", signature.selector, signature.domain)
}

fn named(signature: &Signature) -> String {
    format!("{} (selector {})", signature.domain, signature.selector)
}

/// Names of fields, fit for evidence.
fn shown_names(names: &[String]) -> String {
    let plain = |n: &&String| n.len() <= 40 && n.bytes().all(|b| b.is_ascii_graphic());
    let unique: BTreeSet<&str> = names.iter().filter(plain).map(String::as_str).collect();
    unique.into_iter().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
