//! What the preliminary check of an electronic signature found, and the rules on what it is worth (R29, R30, 63-ФЗ).
//!
//! *Preliminary*: the check is no certified one (СКЗИ). It tells a specialist what to look at; it decides nothing by itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::people::Customer;

/// One signature of a letter and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureCheck {
    /// Where the signature stands.
    pub form: Form,
    /// What it covers, octet for octet; nothing else of the letter is signed by it. Of an invalid one: what it claims to cover. Empty where
    /// that could not be told.
    pub documents: Vec<Document>,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Everybody who signed, in the order of the signature; all of them, or the signature is not valid.
    pub signers: Vec<Signer>,
}

/// Where a signature stands. The texts are names of attachments as `Letter::attachments` has them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// In a file of its own, beside the document.
    Detached(String),
    /// In a file that holds the document too.
    Attached(String),
    /// In the PDF that it signs.
    Pdf(String),
    /// In the last part of a `multipart/signed` (RFC 1847), over the part before it.
    Part(String),
    /// Nowhere: the letter as a whole could not be looked at.
    Letter,
}

/// What a signature covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Document {
    /// The letter's text.
    Text,
    /// An attachment, whole, by its name.
    Attachment(String),
    /// What stands in the signature's own file and nowhere else.
    Inside {
        /// Octets.
        size: u64,
        /// SHA-256 of them.
        sha256: [u8; 32],
    },
}

/// Whether a signature holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It fits the document, and no signer's certificate was expired or known to be revoked when the letter arrived.
    /// Who the signers are is another question: [`SignatureCheck::proves`].
    Valid,
    /// It does not hold; every reason.
    Invalid(Vec<Flaw>),
    /// Nobody knows.
    CouldNotCheck(Obstacle),
}

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flaw {
    /// It is not one over this document, or one of its signers' is not.
    DoesNotMatch,
    /// It belongs to none of the attached files.
    MatchesNothing,
    /// It has no signers.
    NoSigners,
    /// It signs what is inside itself, and that differs from the attachment that it is named after.
    OtherContent,
    /// The PDF goes on after what was signed.
    ChangedAfterSigning,
    /// It leaves out a part of the PDF, or says in no usable way what it covers.
    NotTheWholeFile,
    /// It is made with a hash that can be forged (MD2, MD4, MD5, SHA-1).
    WeakHash,
    /// A signer's certificate was not valid any more, or not yet.
    OutOfDate,
    /// A signer's certificate is revoked.
    Revoked,
}

/// What kept the desk from checking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The program `openssl` is not there.
    NoProgram,
    /// It does not know GOST.
    NoGost,
    /// The file is no signature in a form that the desk knows (CMS).
    NotASignature,
    /// The signer's certificate is not in the signature.
    NoCertificate,
    /// The program does not know this kind of signature.
    UnknownKind,
    /// It took too long.
    TooSlow,
    /// More signatures, signers or files than are looked at.
    TooMany,
    /// The helper process failed or cannot be confined here.
    NoHelper,
}

/// One who signed, as their certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// What the certificate says about its owner.
    pub subject: Subject,
    /// The serial number, in hexadecimal digits.
    pub serial: String,
    /// The common name of who issued it.
    pub issuer: String,
    /// From when the certificate is valid.
    pub not_before: DateTime<Utc>,
    /// Until when.
    pub not_after: DateTime<Utc>,
    /// When the signer says they signed; nobody vouches for it.
    pub claimed_at: Option<DateTime<Utc>>,
    /// Whether somebody whom the desk trusts vouches for the certificate.
    pub chain: Chain,
    /// Whether it is revoked.
    pub revocation: Revocation,
}

/// Whom a certificate was issued to; empty where it does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Common name: of an organisation's certificate mostly its name.
    pub common_name: String,
    /// Surname and given name.
    pub person: String,
    /// Organisation.
    pub organisation: String,
    /// Job title.
    pub title: String,
    /// ИНН, digits as they stand: a person's, or of an older certificate the organisation's with two zeros before it.
    pub inn: String,
    /// ИНН of the organisation (ИННЮЛ).
    pub inn_of_organisation: String,
    /// ОГРН, or ОГРНИП of an entrepreneur.
    pub ogrn: String,
    /// СНИЛС of the person.
    pub snils: String,
}

/// Whether a certificate leads to an anchor of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// It does.
    Trusted,
    /// It does not: anybody may have made it.
    Untrusted,
    /// There are no anchors, or the signature was not looked at so far.
    NotChecked,
}

/// Whether a certificate is revoked, by the lists in the folder of anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// There is no list of its issuer.
    Unchecked,
    /// The list of its issuer is past its time.
    ListOutOfDate,
    /// It is on no list.
    Ok,
    /// It, or a certificate that vouches for it, is on a list.
    Revoked,
}

/// Whether a signer is the customer on file: by ИНН and ОГРН, never by a name or an address that somebody wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// A number of the organisation is the customer's, and none is another's.
    Matches,
    /// A number is another organisation's.
    Differs,
    /// The certificate or the customer's file names no number to compare.
    Unknown,
}

impl SignatureCheck {
    /// A letter, or one signature of it, that could not be looked at.
    pub fn not_done(form: Form, why: Obstacle) -> Self {
        Self {
            form,
            documents: Vec::new(),
            verdict: Verdict::CouldNotCheck(why),
            signers: Vec::new(),
        }
    }

    /// Whether the signers are the customer: one of them is, and no other organisation's certificate is among them.
    pub fn binding(&self, customer: &Customer) -> Binding {
        let all = || self.signers.iter().map(|s| s.subject.binding(customer));
        if all().any(|b| b == Binding::Differs) {
            Binding::Differs
        } else if all().any(|b| b == Binding::Matches) {
            Binding::Matches
        } else {
            Binding::Unknown
        }
    }

    /// Whether it is evidence for this customer's word, as far as a preliminary check goes: valid, over something that can be named, every
    /// signer vouched for by an anchor, and the customer among them by number. A specialist confirms it all the same (R30).
    pub fn proves(&self, customer: &Customer) -> bool {
        self.verdict == Verdict::Valid
            && !self.documents.is_empty()
            && !self.signers.is_empty()
            && self.signers.iter().all(|s| s.chain == Chain::Trusted)
            && self.binding(customer) == Binding::Matches
    }
}

impl Verdict {
    /// What a signature is worth as a whole: what was found of its octets, and of all its signers at the moment of the letter's arrival.
    /// Any signer who does not hold makes it invalid, and so does having none.
    pub fn of(octets: Self, signers: &[Signer], arrived: DateTime<Utc>) -> Self {
        let mut flaws = match octets {
            Self::CouldNotCheck(why) => return Self::CouldNotCheck(why),
            Self::Invalid(flaws) => flaws,
            Self::Valid if signers.is_empty() => vec![Flaw::NoSigners],
            Self::Valid => Vec::new(),
        };
        if signers.iter().any(|s| !s.is_in_date(arrived)) {
            flaws.push(Flaw::OutOfDate);
        }
        if signers.iter().any(|s| s.revocation == Revocation::Revoked) {
            flaws.push(Flaw::Revoked);
        }
        flaws.sort();
        flaws.dedup();
        if flaws.is_empty() {
            Self::Valid
        } else {
            Self::Invalid(flaws)
        }
    }
}

impl Signer {
    /// Whether the certificate is valid at this moment, by its own dates.
    pub fn is_in_date(&self, at: DateTime<Utc>) -> bool {
        self.not_before <= at && at <= self.not_after
    }
}

impl Subject {
    /// Whether this is the customer's organisation. Numbers of one length are compared: ten digits of ИНН and thirteen of ОГРН name an
    /// organisation, twelve and fifteen an entrepreneur.
    pub fn binding(&self, customer: &Customer) -> Binding {
        let inns = [&self.inn_of_organisation, &self.inn].map(|n| organisations(n));
        let pairs = [
            same_kind(&inns, customer.inn.as_deref()),
            same_kind(&[&self.ogrn], customer.ogrn.as_deref()),
        ];
        let compared: Vec<bool> = pairs.into_iter().flatten().collect();
        match compared.as_slice() {
            [] => Binding::Unknown,
            all if all.iter().all(|same| *same) => Binding::Matches,
            _ => Binding::Differs,
        }
    }
}

/// Whether the first number of the customer's kind is the customer's; none if there is nothing to compare.
fn same_kind(numbers: &[&str], of_customer: Option<&str>) -> Option<bool> {
    let wanted = of_customer?;
    let first = numbers.iter().find(|n| n.len() == wanted.len())?;
    Some(*first == wanted)
}

/// ИНН of an organisation stands in older certificates filled up to the twelve digits of a person's by two zeros.
fn organisations(inn: &str) -> &str {
    match inn.strip_prefix("00") {
        Some(ten) if ten.len() == 10 => ten,
        _ => inn,
    }
}

#[cfg(test)]
#[path = "signature/tests.rs"]
mod tests;
