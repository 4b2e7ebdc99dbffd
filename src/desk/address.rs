//! One mail address, compared the way the regulation compares addresses (R5): whole, never by display name, never by substring.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is no address that the desk would compare or write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressFault {
    /// There is no `@`, or nothing on one side of it.
    NotAnAddress,
    /// A control character, white space, bracket, comma or quotation mark stands in it.
    ForbiddenCharacter,
    /// The domain is not one that DNS could hold (IDNA, UTS 46).
    BadDomain,
    /// Longer than RFC 5321 4.5.3.1 allows (64 octets of local part, 254 in all).
    TooLong,
}

impl fmt::Display for AddressFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnAddress => "not an address of the form name@domain",
            Self::ForbiddenCharacter => "a character that no plain address has",
            Self::BadDomain => "the part after @ is no domain name",
            Self::TooLong => "longer than an address can be",
        })
    }
}

/// A plain addr-spec: the local part as written, the domain in lower case as an A-label.
///
/// Quoted local parts, comments, groups and routes are refused: no representative has one, and forgers do (S12).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    local: String,
    domain: String,
}

impl TryFrom<String> for Address {
    type Error = AddressFault;

    fn try_from(text: String) -> Result<Self, AddressFault> {
        Self::new(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.to_string()
    }
}

impl Address {
    /// Reads one bare address, without brackets or name.
    ///
    /// # Errors
    /// [`AddressFault`] names what is wrong with it.
    pub fn new(text: &str) -> Result<Self, AddressFault> {
        let (local, domain) = text.rsplit_once('@').ok_or(AddressFault::NotAnAddress)?;
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        if local.is_empty() || domain.is_empty() {
            return Err(AddressFault::NotAnAddress);
        }
        if text.chars().any(Self::forbidden) || local.contains('@') {
            return Err(AddressFault::ForbiddenCharacter);
        }
        let domain = idna::domain_to_ascii_strict(domain)
            .or_else(|_| idna::domain_to_ascii(domain))
            .map_err(|_| AddressFault::BadDomain)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if domain.is_empty() || domain.split('.').any(str::is_empty) || !domain.chars().all(plain) {
            return Err(AddressFault::BadDomain);
        }
        if local.len() > 64 || local.len().saturating_add(domain.len()) > 253 {
            return Err(AddressFault::TooLong);
        }
        Ok(Self {
            local: local.to_owned(),
            domain,
        })
    }

    fn forbidden(c: char) -> bool {
        c.is_control()
            || c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | ':' | '"' | '\\'
            )
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    }

    /// The part before `@`, as it was written.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after `@`, in lower case, as an A-label.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What two spellings of one address have in common; `fold_local` makes the local part case-insensitive too (R5 ⚙).
    pub fn key(&self, fold_local: bool) -> String {
        let local = if fold_local {
            // ASCII alone: the Kelvin sign would become a plain k, and another address with it.
            self.local.to_ascii_lowercase()
        } else {
            self.local.clone()
        };
        format!("{local}@{}", self.domain)
    }

    /// The tag after `+` in the local part, if the rest is the local part of `base` in the same domain.
    pub fn tag_of(&self, base: &Self) -> Option<&str> {
        let (local, tag) = self.local.split_once('+')?;
        (self.domain == base.domain && local.eq_ignore_ascii_case(&base.local)).then_some(tag)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_folded_and_the_local_part_kept() {
        let a = Address::new("Maria.Ivanova@Raduga.EXAMPLE.").unwrap();
        assert_eq!(a.to_string(), "Maria.Ivanova@raduga.example");
        assert_eq!(a.key(true), "maria.ivanova@raduga.example");
        assert_eq!(a.key(false), "Maria.Ivanova@raduga.example");
        let kelvin = Address::new("\u{212a}ate@raduga.example").unwrap();
        assert_ne!(
            kelvin.key(true),
            "kate@raduga.example",
            "another alphabet is another address"
        );
    }

    #[test]
    fn a_cyrillic_domain_is_its_a_label() {
        assert_eq!(
            Address::new("почта@пример.рф").unwrap().domain(),
            "xn--e1afmkfd.xn--p1ai"
        );
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for bad in [
            "",
            "maria",
            "@x.example",
            "maria@",
            "a b@x.example",
            "\"a\"@x.example",
            "a@b@c.example",
            "a@x..example",
            "a\r\n@x.example",
            "<a@x.example>",
            "a\u{202e}@x.example",
        ] {
            assert!(Address::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_tag_counts_only_at_the_same_address() {
        let base = Address::new("support@desk.example").unwrap();
        assert_eq!(
            Address::new("Support+r1abc@desk.example")
                .unwrap()
                .tag_of(&base),
            Some("r1abc")
        );
        assert_eq!(
            Address::new("support+r1abc@evil.example")
                .unwrap()
                .tag_of(&base),
            None
        );
        assert_eq!(
            Address::new("support@desk.example").unwrap().tag_of(&base),
            None
        );
    }
}
