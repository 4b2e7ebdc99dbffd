//! What people are told of a signature: one fact a line, in English as all reasons are; `mail::russian` has the same in Russian.

use chrono::{DateTime, Utc};

use super::people::Customer;
use super::signature::{
    Binding, Chain, Document, Flaw, Form, Obstacle, Revocation, SignatureCheck, Signer, Verdict,
};

/// Signers that are told of; the rest are counted.
const SIGNERS: usize = 10;
/// Files that are named.
const FILES: usize = 20;

impl SignatureCheck {
    /// The report, a fact a line; with the customer that the letter is about, where it is known.
    pub fn lines(&self, customer: Option<&Customer>) -> Vec<String> {
        let mut lines = vec![place(&self.form)];
        match self.documents.as_slice() {
            [] => lines.push("What it covers is not known".to_owned()),
            documents => {
                let shown = documents.iter().take(FILES);
                lines.extend(shown.map(|d| format!("It covers {}", covered(d))));
                lines.extend(more("files", documents.len(), FILES));
            }
        }
        match &self.verdict {
            Verdict::Valid => lines.push("Preliminary check: valid".to_owned()),
            Verdict::Invalid(flaws) => {
                let told = |f| format!("Preliminary check: NOT VALID: {}", flaw(f));
                lines.extend(flaws.iter().map(told));
            }
            Verdict::CouldNotCheck(why) => {
                lines.push(format!(
                    "Preliminary check: not possible: {}",
                    obstacle(*why)
                ));
            }
        }
        for signer in self.signers.iter().take(SIGNERS) {
            lines.extend(about(signer));
        }
        lines.extend(more("signers", self.signers.len(), SIGNERS));
        if let Some(customer) = customer.filter(|_| !self.signers.is_empty()) {
            lines.push(bound(self.binding(customer), customer));
        }
        lines.push(
            "This is no certified check: a specialist confirms it on the official service"
                .to_owned(),
        );
        lines
    }
}

fn place(form: &Form) -> String {
    match form {
        Form::Detached(file) => format!("Signature in a file of its own: {file}"),
        Form::Attached(file) => format!("Signature together with the document in one file: {file}"),
        Form::Pdf(file) => format!("Signature in the PDF: {file}"),
        Form::Part(file) => format!("Signature of a part of the letter: {file}"),
        Form::Letter => "Signatures of this letter".to_owned(),
    }
}

fn covered(document: &Document) -> String {
    match document {
        Document::Text => "the letter's text".to_owned(),
        Document::Attachment(name) => format!("the file {name}"),
        Document::Inside { size, sha256 } => {
            let hex: String = sha256.iter().map(|b| format!("{b:02x}")).collect();
            format!("what stands in the file of the signature ({size} octets, SHA-256 {hex})")
        }
    }
}

fn flaw(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::DoesNotMatch => "it is not a signature of this document, or the document was changed",
        Flaw::MatchesNothing => "it is a signature of none of the attached files",
        Flaw::NoSigners => "nobody signed",
        Flaw::OtherContent => "the document that it holds is not the attached one of that name",
        Flaw::ChangedAfterSigning => "the PDF was changed after it was signed",
        Flaw::NotTheWholeFile => "it leaves out a part of the PDF",
        Flaw::WeakHash => "it is made in a way that can be forged (MD5, SHA-1)",
        Flaw::OutOfDate => "a signer's certificate was not valid on the day of the letter",
        Flaw::Revoked => "a signer's certificate is revoked",
    }
}

fn obstacle(why: Obstacle) -> &'static str {
    match why {
        Obstacle::NoProgram => "the program openssl is missing (apt-get install openssl)",
        Obstacle::NoGost => {
            "openssl does not know GOST here (apt-get install libengine-gost-openssl)"
        }
        Obstacle::NotASignature => "the file is no signature in a form that the desk knows",
        Obstacle::NoCertificate => "the signer's certificate is not in the signature",
        Obstacle::UnknownKind => "openssl does not know this kind of signature",
        Obstacle::TooSlow => "it took too long",
        Obstacle::TooMany => "the letter has more signatures or signers than are looked at",
        Obstacle::NoHelper => "the checking process failed",
    }
}

fn about(signer: &Signer) -> Vec<String> {
    let who = &signer.subject;
    let parts = [
        ("", &who.common_name),
        ("", &who.person),
        ("", &who.title),
        ("", &who.organisation),
        ("ИНН ", &who.inn),
        ("ИННЮЛ ", &who.inn_of_organisation),
        ("ОГРН ", &who.ogrn),
        ("СНИЛС ", &who.snils),
    ];
    let mut told: Vec<String> = Vec::new();
    for (kind, text) in parts {
        let part = format!("{kind}{text}");
        if !text.is_empty() && !told.contains(&part) {
            told.push(part);
        }
    }
    let mut lines = vec![format!("Signed by {}", told.join(", "))];
    lines.push(format!(
        "Certificate {} of {}, valid from {} to {}",
        signer.serial,
        signer.issuer,
        day(signer.not_before),
        day(signer.not_after)
    ));
    if let Some(at) = signer.claimed_at {
        lines.push(format!(
            "By the signer's own word signed on {}",
            at.format("%Y-%m-%d %H:%M UTC")
        ));
    }
    lines.push(chain(signer.chain).to_owned());
    if signer.chain == Chain::Trusted {
        lines.push(revocation(signer.revocation).to_owned());
    }
    lines
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d").to_string()
}

fn chain(chain: Chain) -> &'static str {
    match chain {
        Chain::Trusted => "An authority that the desk trusts vouches for the certificate",
        Chain::Untrusted => {
            "No authority that the desk trusts vouches for the certificate: anybody may have made it"
        }
        Chain::NotChecked => "Who vouches for the certificate was not checked",
    }
}

fn revocation(revocation: Revocation) -> &'static str {
    match revocation {
        Revocation::Unchecked => {
            "Whether it is revoked is not known: its authority's list is missing"
        }
        Revocation::ListOutOfDate => {
            "Whether it is revoked is not known: its authority's list is out of date"
        }
        Revocation::Ok => "The certificate is not on its authority's list of revoked ones",
        Revocation::Revoked => "The certificate is on its authority's list of revoked ones",
    }
}

fn bound(binding: Binding, customer: &Customer) -> String {
    let name = &customer.name;
    match binding {
        Binding::Matches => {
            format!("By its numbers the certificate is that of the customer: {name}")
        }
        Binding::Differs => {
            format!("By its numbers the certificate is another organisation's, not that of {name}")
        }
        Binding::Unknown => format!(
            "Whether the certificate is that of {name} cannot be told: ИНН or ОГРН is missing in it or in the customer's file"
        ),
    }
}

fn more(what: &str, all: usize, shown: usize) -> Option<String> {
    let more = all.checked_sub(shown).filter(|more| *more > 0)?;
    Some(format!("More {what}: {more}"))
}
