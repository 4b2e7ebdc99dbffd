//! The examiner, as the helper process is: reads a letter, shuts itself in, finds what is signed and has it verified; says what it found and ends.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::openssl::OpenSsl;
use super::{Errand, confine};
use crate::desk::signature::{Document, Flaw, Obstacle, SignatureCheck, Signer, Verdict};
use crate::mail::certificate::{self, Certificate};
use crate::mail::signing::{self, Found, Over, Signing, Task};

/// Signers of one signature that are looked at.
const SIGNERS: usize = 10;

/// The whole process: an errand and a letter on standard input, a report on standard output.
///
/// # Errors
/// It can't be confined, or there is no errand. Everything else is part of the report.
pub fn run() -> Result<()> {
    confine::confine()?;
    let mut input = Vec::new();
    io::stdin().lock().read_to_end(&mut input)?;
    let end = input
        .iter()
        .position(|b| *b == b'\n')
        .context("No errand")?;
    let (errand, letter) = input.split_at_checked(end).context("No errand")?;
    let errand: Errand = serde_json::from_slice(errand)?;
    let letter = letter.get(1..).unwrap_or_default();
    confine::leave_files(&errand.readable())?;
    let report = serde_json::to_vec(&check(&errand, letter))?;
    io::stdout().lock().write_all(&report)?;
    Ok(())
}

impl Errand {
    /// What it takes to check: the program, the engine, and each anchor, wherever a link of the admin's leads.
    fn readable(&self) -> Vec<PathBuf> {
        let engine = self.engine.iter().map(PathBuf::from);
        let anchors = self
            .anchors
            .iter()
            .filter_map(|f| f.read_dir().ok())
            .flatten();
        let anchors = anchors.filter_map(|entry| Some(entry.ok()?.path()));
        let named = [&self.program].into_iter().chain(&self.anchors).cloned();
        let engine = engine.filter(|e| e.is_absolute());
        named.chain(engine).chain(anchors).collect()
    }
}

fn check(errand: &Errand, letter: &[u8]) -> Vec<SignatureCheck> {
    let mut signing = signing::find(letter);
    let found = std::mem::take(&mut signing.found);
    if found.is_empty() {
        return Vec::new();
    }
    let engine = errand.engine.as_deref();
    let anchors = errand.anchors.as_deref();
    let openssl = OpenSsl::new(&errand.program, engine, anchors, errand.arrived);
    let openssl = openssl.map_err(|_| Obstacle::NoHelper);
    let checked = found.into_iter().map(|found| match found {
        Found::Told(check) => check,
        Found::Task(task) => {
            let form = task.form.clone();
            let done = openssl.as_ref().map_err(|why| *why).and_then(|openssl| {
                let done = verified(openssl, errand, &signing, task);
                done.map_err(|error| {
                    // Nothing but the program's own absence is told so.
                    if error.kind() == io::ErrorKind::NotFound {
                        Obstacle::NoProgram
                    } else {
                        Obstacle::NoHelper
                    }
                })
            });
            done.unwrap_or_else(|why| SignatureCheck::not_done(form, why))
        }
    });
    checked.collect()
}

fn verified(
    openssl: &OpenSsl,
    errand: &Errand,
    signing: &Signing,
    task: Task,
) -> io::Result<SignatureCheck> {
    if task.claimed.len() > SIGNERS {
        return Ok(SignatureCheck::not_done(task.form, Obstacle::TooMany));
    }
    openssl.take(&task.cms)?;
    let (mut octets, documents) = match &task.over {
        Over::Itself => itself(openssl, signing, &task)?,
        Over::OneOf(candidates) => one_of(openssl, signing, candidates, &task)?,
    };
    if !task.flaws.is_empty() {
        octets = match octets {
            Verdict::Valid => Verdict::Invalid(task.flaws.clone()),
            Verdict::Invalid(flaws) => Verdict::Invalid([flaws, task.flaws.clone()].concat()),
            Verdict::CouldNotCheck(why) => Verdict::CouldNotCheck(why),
        };
    }
    let mut signers = Vec::new();
    let certificates = openssl.signers()?;
    // One certificate a signer, or nobody could say whose word is whose.
    if certificates.len() != task.claimed.len() && octets == Verdict::Valid {
        octets = Verdict::CouldNotCheck(Obstacle::UnknownKind);
    }
    for (der, claimed_at) in certificates.iter().zip(&task.claimed) {
        let Some(read) = certificate::read(der) else {
            octets = Verdict::CouldNotCheck(Obstacle::UnknownKind);
            continue;
        };
        let (chain, revocation) = openssl.vouched(der)?;
        let Certificate {
            subject,
            serial,
            issuer,
            not_before,
            not_after,
        } = read;
        signers.push(Signer {
            subject,
            serial,
            issuer,
            not_before,
            not_after,
            claimed_at: *claimed_at,
            chain,
            revocation,
        });
    }
    Ok(SignatureCheck {
        form: task.form,
        documents,
        verdict: Verdict::of(octets, &signers, errand.arrived),
        signers,
    })
}

type Fit = (Verdict, Vec<Document>);

fn itself(openssl: &OpenSsl, signing: &Signing, task: &Task) -> io::Result<Fit> {
    let verdict = openssl.fits(None, task.is_russian)?;
    if verdict != Verdict::Valid {
        return Ok((verdict, Vec::new()));
    }
    let (documents, flaw) = signing.inside(&task.form, &openssl.content()?);
    let verdict = flaw.map_or(Verdict::Valid, |flaw| Verdict::Invalid(vec![flaw]));
    Ok((verdict, documents))
}

/// Of several files those that it fits are its documents: they are alike octet for octet. A single one is meant, whether it fits or not.
fn one_of(
    openssl: &OpenSsl,
    signing: &Signing,
    candidates: &[signing::Candidate],
    task: &Task,
) -> io::Result<Fit> {
    if let [candidate] = candidates {
        let verdict = openssl.fits(Some(&signing.octets(candidate)), task.is_russian)?;
        return Ok((verdict, candidate.documents.clone()));
    }
    let mut documents = Vec::new();
    let mut otherwise = Verdict::Invalid(vec![Flaw::MatchesNothing]);
    for candidate in candidates {
        match openssl.fits(Some(&signing.octets(candidate)), task.is_russian)? {
            Verdict::Valid => documents.extend(candidate.documents.iter().cloned()),
            Verdict::CouldNotCheck(why) => otherwise = Verdict::CouldNotCheck(why),
            Verdict::Invalid(_) => {}
        }
    }
    let fits = !documents.is_empty();
    Ok((if fits { Verdict::Valid } else { otherwise }, documents))
}
