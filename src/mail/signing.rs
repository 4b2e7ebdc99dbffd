//! What in a letter is signed electronically, and by what: signatures and the documents that they may belong to, found and paired. Nothing is
//! verified here.
//!
//! A document has exactly one source: the file itself, or what stands inside a signature, never a choice between the two (*Johnny, you are
//! fired!*, USENIX Security 2019). What else is in the letter is not signed, however it is wrapped.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::content::{self, File};
use super::fields;
use super::parse::Caps;
use super::parts::{self, Parts};
use super::pdf::{self, Coverage};
use super::pkcs7::{self, Outline};
use crate::desk::signature::{Document, Flaw, Form, Obstacle, SignatureCheck, Verdict};

/// Signatures of one letter that are looked at.
const SIGNATURES: usize = 20;
/// Signed parts that are looked at; each within another is read once more.
const PARTS: usize = 3;
/// Files that one signature is tried against.
const TRIALS: usize = 20;
/// Endings of the files of signatures.
const ENDINGS: [&str; 7] = ["sig", "p7s", "sgn", "sign", "p7m", "cms", "p7"];

/// What is signed in a letter.
pub struct Signing {
    /// The attachments, in the order of `Letter::attachments`.
    files: Vec<File>,
    /// The letter's text.
    text: String,
    /// Each signature.
    pub found: Vec<Found>,
}

/// A signature.
pub enum Found {
    /// It is known already what it is worth.
    Told(SignatureCheck),
    /// It is to be verified.
    Task(Task),
}

/// A signature to be verified.
pub struct Task {
    /// Where it stands.
    pub form: Form,
    /// The CMS, in DER or BER.
    pub cms: Vec<u8>,
    /// Against what.
    pub over: Over,
    /// What is wrong with it, even if it fits.
    pub flaws: Vec<Flaw>,
    /// When each signer says they signed.
    pub claimed: Vec<Option<DateTime<Utc>>>,
    /// Whether it takes GOST to verify it.
    pub is_russian: bool,
}

/// What a signature may be one of.
pub enum Over {
    /// What stands inside it.
    Itself,
    /// One of these.
    OneOf(Vec<Candidate>),
}

/// Octets that a signature may cover.
pub struct Candidate {
    /// What they are for people.
    pub documents: Vec<Document>,
    octets: Octets,
}

enum Octets {
    /// Of a file.
    File(usize),
    /// Of a PDF without its signature.
    Pdf(usize, pdf::Stretches),
    /// A part as it was signed.
    Part(Vec<u8>),
}

/// Finds every signature of a letter. Linear in its length, whatever stands in it.
pub fn find(raw: &[u8]) -> Signing {
    let raw = &*fields::with_line_feeds(raw);
    let parts = parts::read(raw, Caps::DEFAULT);
    let (content, files) = content::with_files(&parts, Caps::DEFAULT);
    let mut signing = Signing {
        files,
        text: content.text,
        found: Vec::new(),
    };
    let spent = signing.of_parts(raw, &parts);
    let outlines = signing.outlines(&spent);
    for (at, outline) in outlines.iter().enumerate() {
        match outline {
            Kind::Signature(cms, outline) => signing.of_file(at, cms, outline, &outlines),
            Kind::Broken => signing.tell(at, Form::Detached, Obstacle::NotASignature),
            Kind::Pdf => signing.of_pdf(at),
            Kind::Other | Kind::Spent => {}
        }
    }
    if signing.found.len() > SIGNATURES {
        signing.found.truncate(SIGNATURES);
        let rest = SignatureCheck::not_done(Form::Letter, Obstacle::TooMany);
        signing.found.push(Found::Told(rest));
    }
    signing
}

/// What an attachment is to signatures.
enum Kind {
    Signature(Vec<u8>, Outline),
    /// Named like a signature, and none.
    Broken,
    Pdf,
    Other,
    /// The signature of a `multipart/signed`.
    Spent,
}

impl Signing {
    /// The octets of a candidate.
    pub fn octets<'s>(&'s self, candidate: &'s Candidate) -> Cow<'s, [u8]> {
        let file = |at: &usize| self.files.get(*at).map_or(&[][..], |f| &f.octets);
        match &candidate.octets {
            Octets::Part(octets) => Cow::Borrowed(octets),
            Octets::File(at) => Cow::Borrowed(file(at)),
            Octets::Pdf(at, stretches) => Cow::Owned(pdf::covered(file(at), *stretches)),
        }
    }

    /// What stood inside a signature is for people: attachments where it is the same octet for octet, else the text and the files of a
    /// letter in it; and whether it is passed off as an attachment that it is not.
    pub fn inside(&self, form: &Form, octets: &[u8]) -> (Vec<Document>, Option<Flaw>) {
        let same = self.same(Sha256::digest(octets).into());
        if !same.is_empty() {
            return (same, None);
        }
        let (name, is_letter) = match form {
            Form::Attached(name) => (name.as_str(), self.is_wrapper(name)),
            Form::Detached(_) | Form::Pdf(_) | Form::Part(_) | Form::Letter => ("", false),
        };
        let named_after = document_name(name).is_some_and(|n| !self.named(&n, name).is_empty());
        let flaw = named_after.then_some(Flaw::OtherContent);
        let of_letter = is_letter.then(|| self.of_letter(octets));
        let documents = of_letter.filter(|d| !d.is_empty()).unwrap_or_else(|| {
            vec![Document::Inside {
                size: u64::try_from(octets.len()).unwrap_or(u64::MAX),
                sha256: Sha256::digest(octets).into(),
            }]
        });
        (documents, flaw)
    }

    /// Signatures of parts (RFC 1847); returns the octets' hashes of their files.
    fn of_parts(&mut self, raw: &[u8], parts: &Parts<'_>) -> BTreeSet<[u8; 32]> {
        let mut spent = BTreeSet::new();
        let signed = |at: &usize| {
            let part = parts.list.get(*at);
            part.is_some_and(|p| p.is_multipart && p.media_type() == "multipart/signed")
        };
        for at in (0..parts.list.len()).filter(signed).take(PARTS) {
            let of_it = |p: &&parts::Part<'_>| p.parent == Some(at);
            let mut children = parts.list.iter().filter(of_it);
            let (Some(content), Some(signature)) = (children.next(), children.next()) else {
                continue;
            };
            let file = signature.decoded();
            let Some(cms) = pkcs7::binary(&file) else {
                continue;
            };
            let hash: [u8; 32] = Sha256::digest(&file).into();
            spent.insert(hash);
            let named = self.files.iter().find(|f| f.about.sha256 == hash);
            let form = Form::Part(named.map_or("smime.p7s".to_owned(), |f| f.about.name.clone()));
            let Some(outline) = pkcs7::outline(&cms) else {
                self.say(form, Verdict::CouldNotCheck(Obstacle::NotASignature));
                continue;
            };
            let octets = canonical(entity(raw, content.begin, signature.begin));
            let candidate = Candidate {
                documents: self.of_letter(&octets),
                octets: Octets::Part(octets),
            };
            if outline.has_content {
                // Two contents, and nobody could say which one a person is shown.
                self.say(form, Verdict::CouldNotCheck(Obstacle::UnknownKind));
            } else {
                self.verify(
                    form,
                    cms.into_owned(),
                    &outline,
                    Over::OneOf(vec![candidate]),
                );
            }
        }
        spent
    }

    fn outlines(&self, spent: &BTreeSet<[u8; 32]>) -> Vec<Kind> {
        let kind = |file: &File| {
            if spent.contains(&file.about.sha256) {
                return Kind::Spent;
            }
            let cms = pkcs7::binary(&file.octets);
            if let Some((cms, outline)) = cms
                .and_then(|c| Some((pkcs7::outline(&c)?, c)))
                .map(|(outline, cms)| (cms.into_owned(), outline))
            {
                return Kind::Signature(cms, outline);
            }
            let is_pgp = file.about.media_type == "application/pgp-signature";
            if document_name(&file.about.name).is_some() && !is_pgp {
                Kind::Broken
            } else if pdf::is_pdf(&file.octets) {
                Kind::Pdf
            } else {
                Kind::Other
            }
        };
        self.files.iter().map(kind).collect()
    }

    /// A signature in a file: over its own content, or over the file that it is named after, or over any file that it fits.
    fn of_file(&mut self, at: usize, cms: &[u8], outline: &Outline, kinds: &[Kind]) {
        let name = self.name(at);
        if outline.has_content {
            let form = Form::Attached(name);
            self.verify(form, cms.to_vec(), outline, Over::Itself);
            return;
        }
        let is_document = |at: &usize| matches!(kinds.get(*at), Some(Kind::Pdf | Kind::Other));
        let meant = document_name(&name).map(|n| self.named(&n, &name));
        let mut files: Vec<usize> = meant.unwrap_or_default();
        files.retain(is_document);
        if files.is_empty() {
            let sent = |at: &usize| self.files.get(*at).is_some_and(|f| !f.about.inline);
            files = (0..self.files.len())
                .filter(is_document)
                .filter(sent)
                .collect();
        }
        let form = Form::Detached(name);
        if files.is_empty() {
            return self.say(form, Verdict::Invalid(vec![Flaw::MatchesNothing]));
        }
        if files.len() > TRIALS {
            return self.say(form, Verdict::CouldNotCheck(Obstacle::TooMany));
        }
        let candidates = files.into_iter().map(|at| Candidate {
            documents: vec![Document::Attachment(self.name(at))],
            octets: Octets::File(at),
        });
        let over = Over::OneOf(candidates.collect());
        self.verify(form, cms.to_vec(), outline, over);
    }

    fn of_pdf(&mut self, at: usize) {
        let Some(file) = self.files.get(at) else {
            return;
        };
        let signatures = pdf::signatures(&file.octets);
        let too_many = signatures.len() > pdf::SIGNATURES;
        let name = self.name(at);
        let form = || Form::Pdf(name.clone());
        for signature in signatures.into_iter().take(pdf::SIGNATURES) {
            let flaw = match signature.coverage {
                Coverage::Whole => None,
                Coverage::Earlier => Some(Flaw::ChangedAfterSigning),
                Coverage::Partial => {
                    self.say(form(), Verdict::Invalid(vec![Flaw::NotTheWholeFile]));
                    continue;
                }
            };
            match pkcs7::outline(&signature.cms) {
                None => self.say(form(), Verdict::CouldNotCheck(Obstacle::NotASignature)),
                // A time stamp, or a form of the nineties that signs a hash.
                Some(outline) if outline.has_content => {
                    self.say(form(), Verdict::CouldNotCheck(Obstacle::UnknownKind));
                }
                Some(outline) => {
                    let candidate = Candidate {
                        documents: vec![Document::Attachment(name.clone())],
                        octets: Octets::Pdf(at, signature.stretches),
                    };
                    let over = Over::OneOf(vec![candidate]);
                    self.verify(form(), signature.cms, &outline, over);
                    if let Some(Found::Task(task)) = self.found.last_mut() {
                        task.flaws.extend(flaw);
                    }
                }
            }
        }
        if too_many {
            self.tell(at, Form::Pdf, Obstacle::TooMany);
        }
    }

    fn verify(&mut self, form: Form, cms: Vec<u8>, outline: &Outline, over: Over) {
        if outline.claimed.is_empty() {
            return self.say(form, Verdict::Invalid(vec![Flaw::NoSigners]));
        }
        self.found.push(Found::Task(Task {
            form,
            cms,
            over,
            flaws: outline
                .is_weak
                .then_some(Flaw::WeakHash)
                .into_iter()
                .collect(),
            claimed: outline.claimed.clone(),
            is_russian: outline.is_russian,
        }));
    }

    fn say(&mut self, form: Form, verdict: Verdict) {
        self.found.push(Found::Told(SignatureCheck {
            form,
            documents: Vec::new(),
            verdict,
            signers: Vec::new(),
        }));
    }

    fn tell(&mut self, at: usize, form: fn(String) -> Form, why: Obstacle) {
        self.say(form(self.name(at)), Verdict::CouldNotCheck(why));
    }

    fn name(&self, at: usize) -> String {
        let file = self.files.get(at);
        file.map(|f| f.about.name.clone()).unwrap_or_default()
    }

    /// The files of this name, or else those of this name before their ending, but for `not`.
    fn named(&self, name: &str, not: &str) -> Vec<usize> {
        let found = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let files = self.files.iter().enumerate();
            let of_it = files.filter(|(_, f)| f.about.name != not && matches(&f.about.name));
            of_it.map(|(at, _)| at).collect()
        };
        let wanted = name.to_lowercase();
        let whole = found(&|n| n.to_lowercase() == wanted);
        if !whole.is_empty() {
            return whole;
        }
        let stem = |n: &str| n.rsplit_once('.').map(|(stem, _)| stem.to_lowercase());
        found(&|n| document_name(n).is_none() && stem(n).as_ref() == Some(&wanted))
    }

    fn is_wrapper(&self, name: &str) -> bool {
        let file = self.files.iter().find(|f| f.about.name == name);
        file.is_some_and(|f| f.about.media_type.ends_with("pkcs7-mime"))
    }

    /// The attachments that have these octets.
    fn same(&self, sha256: [u8; 32]) -> Vec<Document> {
        let same = self.files.iter().filter(|f| f.about.sha256 == sha256);
        let names = same.map(|f| Document::Attachment(f.about.name.clone()));
        names.collect()
    }

    /// What a signed letter inside this one covers of it: the text if it is this one's, and the attachments that it holds.
    fn of_letter(&self, octets: &[u8]) -> Vec<Document> {
        let parts = parts::read(octets, Caps::DEFAULT);
        let (content, files) = content::with_files(&parts, Caps::DEFAULT);
        let (text, own) = (content.text.trim(), self.text.trim());
        let mut documents = Vec::new();
        if !text.is_empty() && text == own {
            documents.push(Document::Text);
        }
        let hashes: BTreeSet<[u8; 32]> = files.iter().map(|f| f.about.sha256).collect();
        documents.extend(hashes.into_iter().flat_map(|hash| self.same(hash)));
        documents
    }
}

/// What the file of a signature is named after; none where its name is not a signature's.
fn document_name(name: &str) -> Option<String> {
    let (stem, ending) = name.rsplit_once('.')?;
    let ending = ending.to_lowercase();
    ENDINGS.contains(&ending.as_str()).then(|| stem.to_owned())
}

/// A part as it was signed: with its header block, without the line end before the boundary that follows it.
fn entity(raw: &[u8], begin: usize, next: usize) -> &[u8] {
    let whole = raw.get(begin..next).unwrap_or_default();
    let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
    // The boundary's line.
    let end = whole.iter().rposition(|b| *b == b'\n').unwrap_or_default();
    let body = whole.get(..end).unwrap_or_default();
    body.strip_suffix(b"\r").unwrap_or(body)
}

/// With the line ends that are signed (RFC 8551 3.1.1): a store may have kept LF alone.
fn canonical(entity: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entity.len());
    let mut last = 0;
    for byte in entity {
        if *byte == b'\n' && last != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        last = *byte;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g13_a_part_is_signed_with_its_header_and_without_the_line_end_of_the_boundary() {
        let raw = b"A: b\r\n\r\ntext\r\n\r\n--x\r\nnext";
        assert_eq!(entity(raw, 0, 21), b"A: b\r\n\r\ntext\r\n");
        assert_eq!(entity(b"a\n--x\n", 0, 6), b"a");
        assert_eq!(entity(b"--x\n", 0, 4), b"");
        assert_eq!(entity(b"", 5, 3), b"");
        assert_eq!(canonical(b"a\nb\r\nc\rd\n\n"), b"a\r\nb\r\nc\rd\r\n\r\n");
    }

    #[test]
    fn r29_a_signature_is_named_after_its_document() {
        let of = |name: &str| document_name(name);
        assert_eq!(of("Письмо.pdf.SIG").as_deref(), Some("Письмо.pdf"));
        assert_eq!(of("a.p7s").as_deref(), Some("a"));
        assert_eq!(of("sig"), None);
        assert_eq!(of("a.pdf"), None);
    }

    #[test]
    fn s31_whatever_a_letter_is_finding_its_signatures_ends() {
        let nested = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n".repeat(300);
        let many = format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}--b--\r\n",
            "--b\r\nContent-Type: application/x; name=a.sig\r\n\r\nMIIB\r\n".repeat(3000)
        );
        for raw in [
            nested.as_bytes(),
            many.as_bytes(),
            b"",
            b"\n",
            b"%PDF-",
            &[0x30; 5000],
        ] {
            assert!(find(raw).found.len() <= SIGNATURES.saturating_add(1));
        }
    }
}
