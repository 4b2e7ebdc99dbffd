//! Signs letters as RFC 6376 and RFC 8463 tell it, with code of its own: what the desk's own code must then find right.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "shared by several tests"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use sha2::{Digest, Sha256};

/// An RSA key of 2048 bits that signs nothing but tests (PKCS #8).
const RSA_KEY: &str = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDdtRMuF1TRpCc2ylakPi4HfWpe7TRm9uhWwqD/oxkRPPGi0M48LogeFDaZ78\
    +s1wAkYqDLH55QNDXVOBtATm07WNfOJd/tO7HGgE13jHkBQp64VuRa1tU0ce7aLjqyUmvzlWr4z6ElCetZAWhL/G8NQ5ciep/BAI+XSXaUa9A0\
    3wXSBg5BosVZNY38ssrWa83RKNaGLrnYf7Iw0n66akgM9rW3+svA+oUqRJ2nQpvkmpibjJfSWfOM0AfzDdC0LLMp2BfkqrroX4GKrAnX23pz3b\
    V+fDgiJf8la1zprUHQrot8dvvd1fSeSOragT6TvBgr2oFzqVGl9DBKFgQTevU3AgMBAAECggEAQZD67p8UxPj0ZeY58FG5QBrNeexRmn+7n2jo\
    vyFHWQs6dMmmrDKgq7CTozvCIZ3l21zVq6yan6KJJxj0KjTnZe00yTD3Q8vrG8a24juHT6GZme+MkfbFz8BAAIM6daEdbsiJ/bI9uFvyH3zkkN\
    BDMVuDVz2HgEb/sCCYMnWd+fxL1nMu+AcwalGR8Fu8er4CRALcjZrbLyU+hHvqU46tn3cnaf6llPLE9AuI7NIlnqKVSjMJjBuMT68iXvP/cQjV\
    41MT3uMBbYq1GuH9yRfnuItsZ/FzfvEJy/6cT6MUl9EitzMDjgGHUQ4jC8WPqq8AHyDk9Sqs852FFmXandBqtQKBgQD25Qpk9JIUCylOl/bPP4\
    68vX8LlP0aHORJ37FM4iC9lZJ7cqWiCJggk824bNdJ9vQtIRspCDUelslcKuBUqsDJkfMzHOkxBKlUwTd0AlFvp7/HdkQBFGYz2nTBB/twUQ6y\
    PQvxGtL7sqCvRHDW2kdKkHaKSXzOzuxlgPS3aO4qowKBgQDl4jzYoXwtYpm0+5zERcOAaSdFuoMQRo31iENBWGp+X0M4ozsbth79y5bNBoxw6W\
    M+Fxq+CC0bqbVOXSayXpKpGdHYL73IhE/H61PHorQzEGO8u7Yed7GjWZfJsSKVKDAaweALwjzhcP2eGk//iGQkqz8+qwHumPHDqtm1mUQoXQKB\
    gQDQVEwFC+oHR7O/QbNdBYBn+m4tU7aORjrLqxlsipKd5owH5qGkrCPRuWYpbI3tN5iqS/kjEm3gNdQLFZLdXof2jlTsmEScvBY2EiO8nAgjcy\
    T8JesUDiZ/MqK6DwY3q+3+sExXUg8dm4jC27lrUhw96tBbt868oxYOQFY+PShaiQKBgCowx3IK0TuTKRqqQy9Sjnr20ZpejMdj65HwnEdV7tWa\
    rj+q1aJUXoO95cNjPEtMykYO/315Cq5VC02CkyORb+FRN84xlOdEQVAzxICTP/dPPr7YxKf618NfIhiGRg6R/aIriu8diwblMebedWg0pAyG0W\
    izAfvEXjrHFIXbx0KRAoGAK998iGljp6CB+6ErarazBK4f5hO8pgLPdninqDD0eH4J+xzSHt0xq+U8DIWj+NT/MmoLFihhn69U8PE0PaE8uYJL\
    FpHMeZ+1V8hGbB6nXiAMdnGk4ggJenA7Xmm8hGK92FAKMUj3RtHvDgzhuOBts7euBQbtpJlF6Dv4OAcEN2M=";
/// Its public half, as it is published.
const RSA_PUBLIC: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3bUTLhdU0aQnNspWpD4uB31qXu00ZvboVsKg/6MZETzxotDOPC6IHhQ2me/PrNcAJG\
    Kgyx+eUDQ11TgbQE5tO1jXziXf7TuxxoBNd4x5AUKeuFbkWtbVNHHu2i46slJr85Vq+M+hJQnrWQFoS/xvDUOXInqfwQCPl0l2lGvQNN8F0gYO\
    QaLFWTWN/LLK1mvN0SjWhi652H+yMNJ+umpIDPa1t/rLwPqFKkSdp0Kb5JqYm4yX0lnzjNAH8w3QtCyzKdgX5Kq66F+BiqwJ19t6c921fnw4Ii\
    X/JWtc6a1B0K6LfHb73dX0nkjq2oE+k7wYK9qBc6lRpfQwShYEE3r1NwIDAQAB";
/// A public key of 768 bits.
pub const WEAK_RSA: &str = "MHwwDQYJKoZIhvcNAQEBBQADawAwaAJhAL5Tda9tdkLP7i0JJ2E06JiyjD+GZXoGe345ZU8odFtAPNjBh9auzVyxKkhDmKYUlTqitQBK1AUTmS\
    UYWBIRSz3gxgu/6RwLVtCnXeVorcKIyl2XSru7/3KvOJqLDv1t4QIDAQAB";

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Somebody who signs for a domain.
pub struct Signer {
    /// `d=`.
    pub domain: String,
    /// `s=`.
    pub selector: String,
    key: Key,
}

impl Signer {
    /// With the RSA key of the tests.
    pub fn rsa(domain: &str, selector: &str) -> Self {
        let der = STANDARD.decode(RSA_KEY).unwrap();
        Self::with(
            domain,
            selector,
            Key::Rsa(RsaKeyPair::from_pkcs8(&der).unwrap()),
        )
    }

    /// With an Ed25519 key made of the names.
    pub fn ed25519(domain: &str, selector: &str) -> Self {
        let seed = Sha256::digest(format!("{selector} {domain}"));
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        Self::with(domain, selector, Key::Ed25519(key))
    }

    fn with(domain: &str, selector: &str, key: Key) -> Self {
        let (domain, selector) = (domain.to_owned(), selector.to_owned());
        Self {
            domain,
            selector,
            key,
        }
    }

    /// The name under which the key is published.
    pub fn name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// The text that is published there.
    pub fn record(&self) -> String {
        match &self.key {
            Key::Rsa(_) => format!("v=DKIM1; k=rsa; p={RSA_PUBLIC}"),
            Key::Ed25519(key) => {
                let public = STANDARD.encode(key.public_key().as_ref());
                format!("v=DKIM1; k=ed25519; p={public}")
            }
        }
    }

    /// The letter (lines in CRLF) with a signature on top: `tags` are added as they are (`"c=relaxed/relaxed; t=1; "`), `names` is `h=`.
    pub fn sign(&self, letter: &str, tags: &str, names: &str) -> String {
        let forms = tags.split("c=").nth(1).and_then(|c| c.split(';').next());
        let (header_form, body_form) = forms
            .unwrap_or("simple")
            .split_once('/')
            .unwrap_or((forms.unwrap_or("simple"), "simple"));
        let (header, body) = letter.split_once("\r\n\r\n").unwrap();
        let algorithm = match &self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let hash = STANDARD.encode(Sha256::digest(canonical_body(body, body_form)));
        let own = format!(
            "DKIM-Signature: v=1; a={algorithm}; d={}; s={}; {tags}h={names};\r\n bh={hash};\r\n b=",
            self.domain, self.selector
        );
        let mut left = fields(header);
        let mut signed = String::new();
        for name in names.split(':') {
            let at = left.iter().rposition(|f| {
                f.split(':')
                    .next()
                    .unwrap()
                    .trim()
                    .eq_ignore_ascii_case(name)
            });
            if let Some(at) = at {
                signed += &canonical_field(&left.remove(at), header_form);
                signed += "\r\n";
            }
        }
        signed += &canonical_field(&own, header_form);
        let signature = STANDARD.encode(self.sign_octets(signed.as_bytes()));
        let middle = signature.len() / 2;
        let (one, two) = signature.split_at(middle);
        format!("{own}{one}\r\n {two}\r\n{letter}")
    }

    fn sign_octets(&self, data: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    data,
                    &mut signature,
                )
                .unwrap();
                signature
            }
            Key::Ed25519(key) => key.sign(&Sha256::digest(data)).as_ref().to_vec(),
        }
    }
}

/// The fields, each with its folded lines.
fn fields(header: &str) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    for line in header.split("\r\n") {
        match fields.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => *last += &format!("\r\n{line}"),
            _ => fields.push(line.to_owned()),
        }
    }
    fields
}

fn canonical_field(field: &str, form: &str) -> String {
    if form == "simple" {
        return field.to_owned();
    }
    let (name, value) = field.split_once(':').unwrap();
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    format!("{}:{}", name.trim_end().to_lowercase(), words.join(" "))
}

fn canonical_body(body: &str, form: &str) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(str::to_owned).collect();
    if form == "relaxed" {
        for line in &mut lines {
            let indented = line.starts_with([' ', '\t']);
            let words: Vec<&str> = line.split([' ', '\t']).filter(|w| !w.is_empty()).collect();
            *line = words.join(" ");
            if indented && !line.is_empty() {
                line.insert(0, ' ');
            }
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    match lines.is_empty() {
        true if form == "relaxed" => String::new(),
        true => "\r\n".to_owned(),
        false => format!("{}\r\n", lines.join("\r\n")),
    }
}
