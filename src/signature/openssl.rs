//! The program `openssl`, asked about one signature at a time; it works in the current folder, on files with names of ours.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};

use crate::desk::signature::{Chain, Flaw, Obstacle, Revocation, Verdict};
use crate::mail::certificate::{Anchors, blocks};

// The files. A stranger's name is on none of them.
const CONFIGURATION: &str = "openssl.cnf";
const SIGNATURE: &str = "signature.der";
const DOCUMENT: &str = "document";
const CONTENT: &str = "content";
const SIGNERS: &str = "signers.pem";
const ENCLOSED: &str = "enclosed.pem";
const SIGNER: &str = "signer.pem";
const ANCHORS: &str = "anchors.pem";
const LISTS: &str = "lists.pem";

/// X.509's numbers of what is wrong, as `openssl verify` says them.
const NO_LIST: [u32; 2] = [3, 44];
const LIST_OUT_OF_DATE: [u32; 2] = [11, 12];
const REVOKED: u32 = 23;
/// A certificate's own time is judged by its own rule.
const NOT_YET_VALID: u32 = 9;
const EXPIRED: u32 = 10;

/// The program, with what it trusts.
pub struct OpenSsl {
    program: PathBuf,
    arrived: DateTime<Utc>,
    has_anchors: bool,
    has_lists: bool,
}

/// What one run of it said.
struct Said {
    well: bool,
    text: String,
}

impl OpenSsl {
    /// Lays out the configuration, and the anchors as one file.
    ///
    /// # Errors
    /// The folder can't be written, or the one of the anchors can't be read.
    pub fn new(
        program: &Path,
        engine: Option<&str>,
        anchors: Option<&Path>,
        arrived: DateTime<Utc>,
    ) -> io::Result<Self> {
        std::fs::write(CONFIGURATION, configuration(engine))?;
        let mut found = Anchors::default();
        let entries = anchors.map(std::fs::read_dir).transpose()?;
        for entry in entries.into_iter().flatten() {
            let path = entry?.path();
            // What is no anchor was refused when the configuration was read; an editor's copy since then is none.
            let read = path.is_file().then(|| std::fs::read(&path)).transpose()?;
            let read = read
                .and_then(|octets| Anchors::read(&octets))
                .unwrap_or_default();
            found.certificates.extend(read.certificates);
            found.lists.extend(read.lists);
        }
        std::fs::write(ANCHORS, pem("CERTIFICATE", &found.certificates))?;
        std::fs::write(LISTS, pem("X509 CRL", &found.lists))?;
        Ok(Self {
            program: program.to_owned(),
            arrived,
            has_anchors: !found.certificates.is_empty(),
            has_lists: !found.lists.is_empty(),
        })
    }

    /// Takes up a signature.
    ///
    /// # Errors
    /// The folder can't be written.
    pub fn take(&self, cms: &[u8]) -> io::Result<()> {
        std::fs::write(SIGNATURE, cms)
    }

    /// Whether the signature fits this document, or what stands inside it where there is none, whoever signed.
    ///
    /// # Errors
    /// The folder can't be written, or the program can't be started.
    pub fn fits(&self, document: Option<&[u8]>, is_russian: bool) -> io::Result<Verdict> {
        let mut arguments = vec!["cms", "-verify", "-noverify", "-out", CONTENT];
        if let Some(document) = document {
            std::fs::write(DOCUMENT, document)?;
            arguments.extend(["-content", DOCUMENT]);
        }
        let said = self.ask(&[arguments.as_slice(), &IN].concat())?;
        if said.well {
            return Ok(Verdict::Valid);
        }
        let says = |what: &str| said.text.contains(what);
        Ok(
            if says(":verification failure:") || says(":messagedigest ") {
                Verdict::Invalid(vec![Flaw::DoesNotMatch])
            } else if says(":no signers:") {
                Verdict::Invalid(vec![Flaw::NoSigners])
            } else if says(":signer certificate not found:") {
                Verdict::CouldNotCheck(Obstacle::NoCertificate)
            } else if is_russian && !self.knows_gost()? {
                Verdict::CouldNotCheck(Obstacle::NoGost)
            } else {
                Verdict::CouldNotCheck(Obstacle::UnknownKind)
            },
        )
    }

    /// What stood inside the signature that was found to fit.
    ///
    /// # Errors
    /// It can't be read.
    pub fn content(&self) -> io::Result<Vec<u8>> {
        std::fs::read(CONTENT).map_err(io::Error::other)
    }

    /// The certificates of those who signed, one for each signer, in DER, whether the signature fits or not; none where they can't be told.
    ///
    /// # Errors
    /// The folder can't be used, or the program can't be started.
    pub fn signers(&self) -> io::Result<Vec<Vec<u8>>> {
        for file in [SIGNERS, ENCLOSED] {
            std::fs::write(file, "")?;
        }
        std::fs::write(DOCUMENT, "")?;
        let list = [
            "cms",
            "-verify",
            "-noverify",
            "-no_attr_verify",
            "-no_content_verify",
            "-content",
            DOCUMENT,
            "-out",
            CONTENT,
            "-signer",
            SIGNERS,
            "-certsout",
            ENCLOSED,
        ];
        let said = self.ask(&[list.as_slice(), &IN].concat())?;
        if !said.well {
            return Ok(Vec::new());
        }
        Ok(blocks(&std::fs::read(SIGNERS)?))
    }

    /// Whether an anchor vouches for a certificate of the signature that was last listed, and whether it is revoked.
    ///
    /// # Errors
    /// The folder can't be written, or the program can't be started.
    pub fn vouched(&self, certificate: &[u8]) -> io::Result<(Chain, Revocation)> {
        if !self.has_anchors {
            return Ok((Chain::NotChecked, Revocation::Unchecked));
        }
        std::fs::write(SIGNER, pem("CERTIFICATE", &[certificate.to_vec()]))?;
        if !wrong(&self.verify(&[])?).is_empty() {
            return Ok((Chain::Untrusted, Revocation::Unchecked));
        }
        Ok((Chain::Trusted, self.revocation()?))
    }

    fn revocation(&self) -> io::Result<Revocation> {
        if !self.has_lists {
            return Ok(Revocation::Unchecked);
        }
        let lists = ["-CRLfile", LISTS];
        let own = wrong(&self.verify(&[&lists[..], &["-crl_check"]].concat())?);
        let all = wrong(&self.verify(&[&lists[..], &["-crl_check_all"]].concat())?);
        let any = |numbers: &[u32]| own.iter().any(|n| numbers.contains(n));
        Ok(if own.contains(&REVOKED) || all.contains(&REVOKED) {
            Revocation::Revoked
        } else if own.is_empty() {
            Revocation::Ok
        } else if any(&LIST_OUT_OF_DATE) && !any(&NO_LIST) {
            Revocation::ListOutOfDate
        } else {
            Revocation::Unchecked
        })
    }

    fn verify(&self, more: &[&str]) -> io::Result<Said> {
        let at = self.arrived.timestamp().to_string();
        let verify = [
            "verify",
            "-no-CAfile",
            "-no-CApath",
            "-no-CAstore",
            "-partial_chain",
            "-attime",
            &at,
            "-CAfile",
            ANCHORS,
            "-untrusted",
            ENCLOSED,
        ];
        self.ask(&[&verify[..], more, &[SIGNER]].concat())
    }

    fn knows_gost(&self) -> io::Result<bool> {
        std::fs::write(DOCUMENT, "")?;
        let said = self.ask(&["dgst", "-md_gost12_256", DOCUMENT])?;
        Ok(said.well)
    }

    fn ask(&self, arguments: &[&str]) -> io::Result<Said> {
        let output = Command::new(&self.program)
            .args(arguments)
            .env_clear()
            .env("OPENSSL_CONF", CONFIGURATION)
            .stdin(Stdio::null())
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok(Said {
            well: output.status.success(),
            text: String::from_utf8_lossy(&text).into_owned(),
        })
    }
}

const IN: [&str; 5] = ["-binary", "-inform", "DER", "-in", SIGNATURE];

/// What `openssl verify` finds wrong, but for the signer's own time; at least one number where it does not say that all is well.
fn wrong(said: &Said) -> Vec<u32> {
    let errors = said.text.lines().filter_map(|line| {
        let rest = line.strip_prefix("error ")?;
        let (number, rest) = rest.split_once(" at ")?;
        let (depth, _) = rest.split_once(" depth lookup")?;
        Some((number.parse::<u32>().ok()?, depth.parse::<u32>().ok()?))
    });
    let all: Vec<(u32, u32)> = errors.collect();
    if all.is_empty() && !said.well {
        return vec![0];
    }
    let own_time =
        |(number, depth): &(u32, u32)| *depth == 0 && [NOT_YET_VALID, EXPIRED].contains(number);
    let others = all.into_iter().filter(|error| !own_time(error));
    others.map(|(number, _)| number).collect()
}

/// The engine and not the provider: the provider of Debian 12 can't read the public keys of certificates.
fn configuration(engine: Option<&str>) -> String {
    let Some(engine) = engine else {
        return String::new();
    };
    let which = if engine.starts_with('/') {
        format!("engine_id = gost\ndynamic_path = {engine}")
    } else {
        format!("engine_id = {engine}")
    };
    format!(
        "openssl_conf = all\n[all]\nengines = engines\n[engines]\nrussian = russian\n[russian]\n{which}\ndefault_algorithms = ALL\ninit = 1\n"
    )
}

fn pem(kind: &str, all: &[Vec<u8>]) -> String {
    let mut out = String::new();
    for der in all {
        out.push_str(&format!("-----BEGIN {kind}-----\n"));
        // A last line without a character would end the whole file for openssl.
        for (at, character) in STANDARD.encode(der).chars().enumerate() {
            if at > 0 && at % 64 == 0 {
                out.push('\n');
            }
            out.push(character);
        }
        out.push_str(&format!("\n-----END {kind}-----\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_openssl_is_what_was_read() {
        for length in [1, 47, 48, 49, 96, 1000] {
            let der = vec![0x30; length];
            let text = pem("CERTIFICATE", &[der.clone(), der.clone()]);
            assert_eq!(blocks(text.as_bytes()), vec![der.clone(), der]);
            assert!(
                !text.contains("\n\n") && text.lines().all(|l| l.len() <= 64),
                "{text}"
            );
        }
    }

    #[test]
    fn g13_what_openssl_finds_wrong_is_counted_but_for_the_signers_own_time() {
        let of = |well: bool, text: &str| {
            let text = text.to_owned();
            wrong(&Said { well, text })
        };
        let error =
            |number: u32, depth: u32| format!("error {number} at {depth} depth lookup: x\n");
        assert_eq!(of(true, "signer.pem: OK"), Vec::<u32>::new());
        assert_eq!(of(false, &error(10, 0)), Vec::<u32>::new());
        assert_eq!(of(false, &error(10, 1)), vec![10]);
        assert_eq!(of(false, &[error(9, 0), error(23, 0)].concat()), vec![23]);
        assert_eq!(of(false, "Could not read any certificates"), vec![0]);
        assert_eq!(of(false, ""), vec![0]);
    }
}
