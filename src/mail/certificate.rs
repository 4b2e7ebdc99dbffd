//! What a certificate says (X.509, RFC 5280): its owner with the numbers of Russian qualified ones, its issuer, its time; and telling
//! certificates from lists of revoked ones.

use chrono::{DateTime, Utc};

use super::der::{
    CONTEXT_0, GENERALIZED_TIME, INTEGER, OID, SEQUENCE, UTC_TIME, all, first, moment, value,
};
use super::transfer::Encoding;
use super::words;
use crate::desk::signature::Subject;

/// Longest text of a name that is shown, in characters.
const LONGEST: usize = 200;
/// Longest serial number, in octets (RFC 5280 4.1.2.2 allows 20).
const SERIAL: usize = 64;
/// Attributes of a name that are read.
const ATTRIBUTES: usize = 50;

const COMMON_NAME: &[u8] = b"\x55\x04\x03";
const SURNAME: &[u8] = b"\x55\x04\x04";
const ORGANISATION: &[u8] = b"\x55\x04\x0a";
const TITLE: &[u8] = b"\x55\x04\x0c";
const GIVEN_NAME: &[u8] = b"\x55\x04\x2a";
/// `1.2.643.3.131.1.1`.
const INN: &[u8] = b"\x2a\x85\x03\x03\x81\x03\x01\x01";
/// `1.2.643.100.4`, ИННЮЛ.
const INN_OF_ORGANISATION: &[u8] = b"\x2a\x85\x03\x64\x04";
/// `1.2.643.100.1`.
const OGRN: &[u8] = b"\x2a\x85\x03\x64\x01";
/// `1.2.643.100.5`, ОГРНИП.
const OGRN_OF_ENTREPRENEUR: &[u8] = b"\x2a\x85\x03\x64\x05";
/// `1.2.643.100.3`.
const SNILS: &[u8] = b"\x2a\x85\x03\x64\x03";

/// A certificate, as far as people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Whom it was issued to.
    pub subject: Subject,
    /// The serial number, in hexadecimal digits.
    pub serial: String,
    /// The common name of the issuer, or its organisation.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: DateTime<Utc>,
    /// Until when.
    pub not_after: DateTime<Utc>,
}

/// Reads a certificate in DER.
pub fn read(der: &[u8]) -> Option<Certificate> {
    let mut fields = all(first(first(der, SEQUENCE)?, SEQUENCE)?).filter(|v| v.tag != CONTEXT_0);
    let serial = fields.next().filter(|v| v.tag == INTEGER)?;
    let mut sequences = fields.filter(|v| v.tag == SEQUENCE);
    // The algorithm of its signature.
    sequences.next()?;
    let issuer = Name::read(sequences.next()?.inner);
    let mut validity = all(sequences.next()?.inner).map(moment);
    let (not_before, not_after) = (validity.next()??, validity.next()??);
    let name = Name::read(sequences.next()?.inner);
    let person = format!("{} {}", name.text(SURNAME), name.text(GIVEN_NAME));
    let ogrn = [name.text(OGRN), name.text(OGRN_OF_ENTREPRENEUR)];
    let issued_by = [issuer.text(COMMON_NAME), issuer.text(ORGANISATION)];
    let serial = serial.inner.iter().take(SERIAL);
    Some(Certificate {
        subject: Subject {
            common_name: name.text(COMMON_NAME),
            person: person.trim().to_owned(),
            organisation: name.text(ORGANISATION),
            title: name.text(TITLE),
            inn: name.text(INN),
            inn_of_organisation: name.text(INN_OF_ORGANISATION),
            ogrn: ogrn.into_iter().find(|n| !n.is_empty()).unwrap_or_default(),
            snils: name.text(SNILS),
        },
        serial: serial.map(|b| format!("{b:02x}")).collect(),
        issuer: issued_by
            .into_iter()
            .find(|n| !n.is_empty())
            .unwrap_or_default(),
        not_before,
        not_after,
    })
}

/// A distinguished name: its attributes in order.
struct Name(Vec<(Vec<u8>, String)>);

impl Name {
    fn read(name: &[u8]) -> Self {
        let attributes = all(name).flat_map(|set| all(set.inner)).take(ATTRIBUTES);
        let read = attributes.filter_map(|attribute| {
            let (kind, rest) = value(attribute.inner)?;
            let (text, _) = value(rest)?;
            (kind.tag == OID).then(|| (kind.inner.to_vec(), shown(text.tag, text.inner)))
        });
        Self(read.collect())
    }

    /// The first attribute of a kind; empty if there is none.
    fn text(&self, kind: &[u8]) -> String {
        let found = self.0.iter().find(|(of, _)| of == kind);
        found.map(|(_, text)| text.clone()).unwrap_or_default()
    }
}

/// A text as its string type has it, cleaned and cut.
fn shown(tag: u8, octets: &[u8]) -> String {
    const BMP: u8 = 0x1e;
    const T61: u8 = 0x14;
    let text = match tag {
        BMP => {
            let units = octets.chunks_exact(2).filter_map(|p| p.try_into().ok());
            let units: Vec<u16> = units.map(u16::from_be_bytes).collect();
            String::from_utf16_lossy(&units)
        }
        T61 => octets.iter().map(|b| char::from(*b)).collect(),
        _ => String::from_utf8_lossy(octets).into_owned(),
    };
    words::clean(&text).chars().take(LONGEST).collect()
}

/// A file of the folder of anchors: certificates of authorities, or lists of what they revoked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anchors {
    /// The certificates, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// The lists, in DER.
    pub lists: Vec<Vec<u8>>,
}

impl Anchors {
    /// Reads a file in DER or PEM; none where something in it is neither a certificate nor a list, or there is nothing in it.
    pub fn read(file: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        if file.first() == Some(&SEQUENCE) {
            found.add(file.to_vec())?;
        } else {
            for block in blocks(file) {
                found.add(block)?;
            }
        }
        let empty = found.certificates.is_empty() && found.lists.is_empty();
        (!empty).then_some(found)
    }

    fn add(&mut self, der: Vec<u8>) -> Option<()> {
        if read(&der).is_some() {
            self.certificates.push(der);
        } else if is_list(&der) {
            self.lists.push(der);
        } else {
            return None;
        }
        Some(())
    }
}

/// Whether it is a list of revoked certificates (RFC 5280 5.1): version or none, algorithm, issuer, and then a moment.
fn is_list(der: &[u8]) -> bool {
    let inner = first(der, SEQUENCE).and_then(|list| first(list, SEQUENCE));
    let mut fields = all(inner.unwrap_or_default()).filter(|v| v.tag != INTEGER);
    let mut next = || fields.next().map_or(0, |v| v.tag);
    next() == SEQUENCE && next() == SEQUENCE && matches!(next(), UTC_TIME | GENERALIZED_TIME)
}

/// What stands between the lines of PEM (RFC 7468), decoded.
pub fn blocks(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for line in text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii) {
        if line.starts_with(b"-----BEGIN ") {
            open = Some(Vec::new());
        } else if line.starts_with(b"-----END ") {
            let whole = open.take();
            found.extend(whole.map(|b| Encoding::Base64.decode(&b).into_owned()));
        } else if let Some(block) = &mut open {
            block.extend_from_slice(line);
        }
    }
    found
}
