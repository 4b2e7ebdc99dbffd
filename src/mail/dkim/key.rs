//! The public key that a domain publishes for a selector (RFC 6376 3.6.1, RFC 8463 3), and what it can verify.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use sha2::{Digest, Sha256};

use super::signature::Algorithm;
use super::tags;

/// A shorter RSA key proves nothing (RFC 8301 3.2).
const SHORTEST: usize = 1024;
/// A longer one costs more time than it is worth.
const LONGEST: usize = 8192;

/// A key that is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    material: Material,
    /// `t=y`: its owner is only trying it out (RFC 6376 3.6.1).
    pub(super) testing: bool,
    /// `t=s`: `i=` may not be below `d=`.
    pub(super) exact_agent: bool,
    /// The beginning of SHA-256 of `p=`, by which an auditor tells keys apart.
    pub(super) print: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ed25519(Vec<u8>),
}

impl Key {
    /// Its length in bits.
    pub(super) fn bits(&self) -> usize {
        match &self.material {
            Material::Rsa { modulus, .. } => {
                let zeros = modulus.first().map_or(0, |b| b.leading_zeros());
                let zeros = usize::try_from(zeros).unwrap_or_default();
                modulus.len().saturating_mul(8).saturating_sub(zeros)
            }
            Material::Ed25519(key) => key.len().saturating_mul(8),
        }
    }

    /// Whether this key made `signature` over `data`.
    pub(super) fn made(&self, algorithm: Algorithm, data: &[u8], signature: &[u8]) -> bool {
        match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, Algorithm::Rsa) => {
                let key = RsaPublicKeyComponents {
                    n: modulus,
                    e: exponent,
                };
                let how = &RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
                key.verify(how, data, signature).is_ok()
            }
            (Material::Ed25519(key), Algorithm::Ed25519) => {
                // RFC 8463 3: the hash is what is signed.
                let hash = Sha256::digest(data);
                UnparsedPublicKey::new(&ED25519, key)
                    .verify(&hash, signature)
                    .is_ok()
            }
            (Material::Rsa { .. }, Algorithm::Ed25519) | (Material::Ed25519(_), Algorithm::Rsa) => {
                false
            }
        }
    }
}

/// Reads the key among the texts of a name; else why there is none that counts.
pub(super) fn read(texts: &[String]) -> Result<Key, &'static str> {
    let mut keys = texts.iter().filter_map(|t| {
        let tags = tags::read(t)?;
        tags.contains_key("p").then_some((t, tags))
    });
    let Some((text, tags)) = keys.next() else {
        return Err("there is no key");
    };
    if keys.next().is_some() {
        return Err("there are several keys, and nobody can say which holds");
    }
    let tag = |name: &str| tags.get(name).copied();
    if tag("v").is_some_and(|v| v != "DKIM1" || !text.trim_start().starts_with('v')) {
        return Err("the key is of another version");
    }
    let lists = |name: &str, wanted: &[&str]| {
        tag(name).is_none_or(|list| tags::parts(list).any(|p| wanted.contains(&p.as_str())))
    };
    if !lists("h", &["sha256"]) {
        return Err("the key is not for SHA-256");
    }
    if !lists("s", &["*", "email"]) {
        return Err("the key is not for mail");
    }
    let flag = |wanted: &str| tag("t").is_some_and(|t| tags::parts(t).any(|f| f == wanted));
    let published = tags::solid(tag("p").unwrap_or_default());
    if published.is_empty() {
        return Err("the key is revoked");
    }
    let bytes = STANDARD
        .decode(&published)
        .map_err(|_| "the key is no base64")?;
    let material = match tag("k").unwrap_or("rsa").to_ascii_lowercase().as_str() {
        "rsa" => rsa(&bytes).ok_or("the key is no RSA key")?,
        "ed25519" if bytes.len() == 32 => Material::Ed25519(bytes.clone()),
        "ed25519" => return Err("the key is no Ed25519 key"),
        _ => return Err("the key is of an unknown kind"),
    };
    let print = Sha256::digest(&bytes);
    let key = Key {
        material,
        testing: flag("y"),
        exact_agent: flag("s"),
        print: print.iter().take(8).map(|b| format!("{b:02x}")).collect(),
    };
    if matches!(key.material, Material::Rsa { .. }) {
        if key.bits() < SHORTEST {
            return Err("the key is shorter than 1024 bits");
        }
        if key.bits() > LONGEST {
            return Err("the key is longer than 8192 bits");
        }
    }
    Ok(key)
}

/// An RSA key in DER: as SubjectPublicKeyInfo (RFC 5280 4.1.2.7), or bare as RSAPublicKey (RFC 8017 A.1.1), which some publish.
fn rsa(der: &[u8]) -> Option<Material> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let (outer, rest) = element(0x30, der)?;
    if !rest.is_empty() {
        return None;
    }
    let key = match element(0x30, outer) {
        Some((algorithm, rest)) => {
            let (oid, _) = element(0x06, algorithm)?;
            let (bits, rest) = element(0x03, rest)?;
            if oid != RSA || !rest.is_empty() {
                return None;
            }
            let (key, rest) = element(0x30, bits.strip_prefix(&[0])?)?;
            rest.is_empty().then_some(key)?
        }
        None => outer,
    };
    let (modulus, rest) = element(0x02, key)?;
    let (exponent, rest) = element(0x02, rest)?;
    if !rest.is_empty() {
        return None;
    }
    let positive = |bytes: &[u8]| {
        let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
        bytes
            .first()
            .is_some_and(|b| *b != 0)
            .then(|| bytes.to_vec())
    };
    Some(Material::Rsa {
        modulus: positive(modulus)?,
        exponent: positive(exponent)?,
    })
}

/// What a DER element of this tag holds, and what follows it.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_first_chunk::<2>()?;
    let [found, short] = *head;
    if found != tag {
        return None;
    }
    let (length, rest) = match short {
        0..=127 => (usize::from(short), rest),
        0x81 => {
            let (length, rest) = rest.split_first()?;
            (usize::from(*length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;

    /// A bare RSAPublicKey whose modulus has so many bits, all of them set.
    fn of_bits(bits: usize) -> String {
        let mut modulus = vec![0xff_u8; bits.div_ceil(8)];
        if let Some(first) = modulus.first_mut() {
            *first >>= (8 - bits % 8) % 8;
        }
        // A set first bit would make it negative.
        modulus.insert(0, 0);
        let element = |tag: u8, content: &[u8]| {
            let length = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[tag, 0x82][..], &length, content].concat()
        };
        let both = [element(0x02, &modulus), element(0x02, &[1, 0, 1])].concat();
        format!("p={}", STANDARD.encode(element(0x30, &both)))
    }

    #[test]
    fn s31_a_key_has_a_length_that_proves_and_costs_little() {
        for (bits, expected) in [
            (1023, Err("the key is shorter than 1024 bits")),
            (SHORTEST, Ok(SHORTEST)),
            (2047, Ok(2047)),
            (LONGEST, Ok(LONGEST)),
            (8193, Err("the key is longer than 8192 bits")),
        ] {
            let read = read(&[of_bits(bits)]);
            assert_eq!(read.map(|key| key.bits()), expected, "{bits}");
        }
    }
}
