//! What proves a change of representative: the table of admissible routes, and what is missing where a route is not complete (R28-R30).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::procedure::{Effect, Procedure, Source};
use crate::desk::letter::{Attachment, Letter};
use crate::desk::people::Customer;
use crate::desk::signature::{self, SignatureCheck, Verdict};

/// How a specialist makes sure of the customer's letter (R30).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// Its qualified electronic signature.
    Signature,
    /// A scan of the paper, sent from an official address.
    Scan,
    /// The head of the organisation, seen with their passport.
    Video,
}

impl Way {
    /// In words, for reports.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Signature => "by qualified signature",
            Self::Scan => "by a scan from the official address",
            Self::Video => "by video",
        }
    }
}

/// What a specialist looks at on the letter itself and ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tick {
    /// The organisation's stamp is on it.
    Stamp,
    /// It is signed by whoever signed the contract.
    Signer,
}

/// What a letter of the customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A picture of paper.
    Scan,
    /// Electronically signed, and the preliminary check speaks for the customer.
    Signed,
    /// Electronically signed, and the preliminary check could not tell whose signature it is.
    SignedByWhom,
    /// Electronically signed, and the signature does not hold.
    Invalid,
}

impl Form {
    fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::SignedByWhom)
    }
}

/// A letter of the customer, attached to one of theirs (R29).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// What it is.
    pub form: Form,
    /// Who sent it.
    pub source: Source,
    /// Whether the sender's address is proved (R13): of a claim nothing may follow.
    pub proved: bool,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// The names of its files.
    pub files: Vec<String>,
    /// What the preliminary check of its signatures found, a fact a line.
    pub findings: Vec<String>,
}

/// One admissible route of evidence.
struct Route {
    way: Way,
    /// What the letter must be.
    takes: fn(Form) -> bool,
    /// From whom it must have come, where that is its proof; from anybody otherwise.
    from: Option<Source>,
    /// What the specialist must have seen on it.
    ticks: &'static [Tick],
}

/// R28-R30, route by route. What is not in it proves nothing. Where the letter is no electronic one, its paper original is due in any case (R29).
#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route { way: Way::Signature, takes: Form::is_signed,        from: None,                   ticks: &[Tick::Signer] },
    Route { way: Way::Scan,      takes: |f| f == Form::Scan,    from: Some(Source::Official), ticks: &[Tick::Stamp, Tick::Signer] },
    Route { way: Way::Video,     takes: |f| f != Form::Invalid, from: None,                   ticks: &[Tick::Signer] },
];

/// What stands between a succession and its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// The customer's letter (R29).
    Letter,
    /// A letter that is electronically signed.
    Signature,
    /// A signature that holds.
    ValidSignature,
    /// A scan.
    Scan,
    /// That the scan comes from an official address of the contract, or its paper original has come.
    OfficialAddress,
    /// That the address which sent the scan is proved.
    ProvedSender,
    /// The stamp on the letter.
    Stamp,
    /// The signature of whoever signed the contract.
    Signer,
    /// A specialist's verification.
    Verification,
    /// Which installation is meant.
    Installation,
    /// The successor or the new contact data, and the day.
    Change,
    /// The change in the customer's file.
    File,
    /// The day from which it is in force.
    Day,
    /// The paper original.
    Original,
}

impl Missing {
    /// In words, for reports; `mail::russian` has the same in Russian.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Letter => "the customer's letter, signed electronically or scanned",
            Self::Signature => "an electronic signature on the letter",
            Self::ValidSignature => "a signature that holds: this one does not",
            Self::Scan => "a scan of the signed letter",
            Self::OfficialAddress => {
                "a scan sent from an official address of the contract, or its paper original"
            }
            Self::ProvedSender => {
                "proof that the scan came from the official address: it was not authenticated"
            }
            Self::Stamp => "the tick that the letter bears the organisation's stamp",
            Self::Signer => "the tick that whoever signed the contract signed the letter",
            Self::Verification => "a specialist's verification",
            Self::Installation => "which installation is meant",
            Self::Change => "the successor or the new contact data, and from which day",
            Self::File => "the change in the customer's file",
            Self::Day => "the day on which it comes into force",
            Self::Original => "the paper original",
        }
    }
}

/// Whether the letters that came admit this way of verification with these ticks.
///
/// # Errors
/// What is missing, in the order of the procedure.
pub fn admits(procedure: &Procedure, way: Way, ticks: &[Tick]) -> Result<(), Vec<Missing>> {
    let Some(route) = ROUTES.iter().find(|r| r.way == way) else {
        return Err(vec![Missing::Verification]);
    };
    let mut missing: Vec<Missing> = lacking(procedure, route).into_iter().collect();
    for tick in route.ticks.iter().filter(|t| !ticks.contains(t)) {
        missing.push(match tick {
            Tick::Stamp => Missing::Stamp,
            Tick::Signer => Missing::Signer,
        });
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing)
    }
}

fn lacking(procedure: &Procedure, route: &Route) -> Option<Missing> {
    let papers = &procedure.papers;
    let fits: Vec<&Paper> = papers.iter().filter(|p| (route.takes)(p.form)).collect();
    if papers.is_empty() {
        return Some(Missing::Letter);
    }
    if fits.is_empty() {
        return Some(match route.way {
            _ if papers.iter().all(|p| p.form == Form::Invalid) => Missing::ValidSignature,
            Way::Signature if papers.iter().any(|p| p.form == Form::Invalid) => {
                Missing::ValidSignature
            }
            Way::Signature => Missing::Signature,
            Way::Scan => Missing::Scan,
            Way::Video => Missing::Letter,
        });
    }
    let from = route.from?;
    // The paper itself in hand proves more than the address that a picture of it came from.
    let in_hand = procedure
        .original
        .as_ref()
        .is_some_and(|o| o.came.is_some());
    if in_hand {
        return None;
    }
    match fits.iter().find(|p| p.source == from) {
        None => Some(Missing::OfficialAddress),
        Some(_) if fits.iter().any(|p| p.source == from && p.proved) => None,
        Some(_) => Some(Missing::ProvedSender),
    }
}

/// Whether the specialist may say yet what changes: only what is verified takes effect (R30).
///
/// # Errors
/// What is missing.
pub fn may_name(procedure: &Procedure) -> Result<(), Vec<Missing>> {
    let mut missing = Vec::new();
    if procedure.verified.is_none() {
        missing.push(Missing::Verification);
    }
    if procedure.installations.is_empty() {
        missing.push(Missing::Installation);
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing)
    }
}

/// Everything that is still missing until the request can be closed (R29-R31), in order.
pub fn missing(procedure: &Procedure) -> Vec<Missing> {
    let mut missing = Vec::new();
    if procedure.papers.is_empty() {
        missing.push(Missing::Letter);
    }
    if procedure.verified.is_none() {
        missing.push(Missing::Verification);
    }
    if procedure.installations.is_empty() {
        missing.push(Missing::Installation);
    }
    match procedure.effect {
        Effect::NotYet => missing.push(Missing::Change),
        Effect::ToWrite | Effect::ByHand(_) => missing.push(Missing::File),
        Effect::Written => missing.push(Missing::Day),
        Effect::InForce => {}
    }
    if procedure.awaited().is_some() {
        missing.push(Missing::Original);
    }
    missing
}

/// R29: whether a scan is all that proves it, so that the paper original is due.
pub fn needs_original(procedure: &Procedure) -> bool {
    let by_signature = |way: Option<Way>| way == Some(Way::Signature);
    procedure.original.is_none()
        && !by_signature(procedure.verified.as_ref().map(|v| v.way))
        && procedure.papers.iter().any(|p| p.form == Form::Scan)
        && !procedure.papers.iter().any(|p| p.form.is_signed())
}

/// R29: what letter of the customer is attached to this one, if any is. Of several signatures one that speaks for the customer is enough,
/// and one that does not hold makes none of the others better.
pub fn form_of(letter: &Letter, checks: &[SignatureCheck], customer: &Customer) -> Option<Form> {
    let invalid = |c: &SignatureCheck| matches!(c.verdict, Verdict::Invalid(_));
    // A letter that could not be looked at has no signature for that.
    let found = |c: &SignatureCheck| c.form != signature::Form::Letter;
    if checks.iter().any(|c| c.proves(customer)) {
        Some(Form::Signed)
    } else if checks.iter().any(invalid) {
        Some(Form::Invalid)
    } else if checks.iter().any(found) || letter.attachments.iter().any(is_signature) {
        Some(Form::SignedByWhom)
    } else {
        letter.attachments.iter().any(is_scan).then_some(Form::Scan)
    }
}

/// Whether a letter of the customer seems to be attached at all.
pub fn is_attached(letter: &Letter) -> bool {
    letter
        .attachments
        .iter()
        .any(|a| is_signature(a) || is_scan(a))
}

/// What the preliminary check tells of signatures; of very many only the first.
pub fn findings(checks: &[SignatureCheck], customer: &Customer) -> Vec<String> {
    let found = checks.iter().filter(|c| c.form != signature::Form::Letter);
    let lines = found.flat_map(|c| c.lines(Some(customer)));
    lines.take(40).collect()
}

/// The names of the files that a paper is: pictures, documents and signatures, not what belongs to the text.
pub fn files(letter: &Letter) -> Vec<String> {
    let files = letter.attachments.iter().filter(|a| !a.inline);
    files.take(20).map(|a| a.name.clone()).collect()
}

fn ends_with(name: &str, endings: &[&str]) -> bool {
    let name = name.to_lowercase();
    endings.iter().any(|e| name.ends_with(e))
}

fn is_signature(file: &Attachment) -> bool {
    ends_with(&file.name, &[".sig", ".p7s", ".sgn", ".p7m"])
        || file.media_type.contains("pkcs7-signature")
}

/// A logo in a signature of a mail client is no scan: small pictures that the text shows do not count.
fn is_scan(file: &Attachment) -> bool {
    const SMALL: u64 = 20_000;
    let picture = file.media_type.starts_with("image/")
        || ends_with(&file.name, &[".jpg", ".jpeg", ".png", ".tif", ".tiff"]);
    let document =
        file.media_type == "application/pdf" || ends_with(&file.name, &[".pdf", ".djvu"]);
    document || (picture && (!file.inline || file.size > SMALL))
}
