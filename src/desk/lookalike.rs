//! Senders who look like somebody on file and are not (S12): by a domain in other letters of the same shape, by one that merely begins with
//! it, or by an address in the display name. They are never taken for whom they look like, and a person is told.

use std::collections::BTreeMap;

use unicode_security::{MixedScript as _, skeleton};

use super::address::Address;

/// How the addresses and domains on file look (UTS 39).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Faces {
    /// What a domain looks like, and the domain.
    domains: BTreeMap<String, String>,
    /// What an address looks like, and its key.
    addresses: BTreeMap<String, String>,
}

impl Faces {
    /// The faces of these addresses, and of domains besides.
    pub(super) fn new<'a>(
        addresses: impl Iterator<Item = &'a Address>,
        domains: impl Iterator<Item = &'a String>,
    ) -> Self {
        let mut faces = Self::default();
        for domain in domains {
            faces.add_domain(domain);
        }
        for address in addresses {
            faces.add_domain(address.domain());
            let key = address.key(true);
            faces.addresses.insert(look_of(address), key);
        }
        faces
    }

    fn add_domain(&mut self, domain: &str) {
        let look = look(&unicode(domain));
        self.domains.insert(look, domain.to_owned());
    }

    /// Whom a stranger looks like, in words; none for almost everybody.
    pub(super) fn warning(&self, address: &Address, name: &str) -> Option<String> {
        let known = |a: &Address| self.addresses.values().any(|key| *key == a.key(true));
        let named = name
            .split(|c: char| c.is_whitespace() || "<>()[]\",;:'«»".contains(c))
            .filter(|word| word.contains('@'))
            .filter_map(|word| Address::new(word).ok());
        if named.into_iter().any(|a| known(&a)) {
            return Some("its display name is the address of somebody on file".to_owned());
        }
        let domain = unicode(address.domain());
        let look = look(&domain);
        if let Some(real) = self.domains.get(&look) {
            if *real != address.domain() {
                return Some(format!(
                    "{} looks like {real}, and is another domain",
                    address.domain()
                ));
            }
            let real = self.addresses.get(&look_of(address));
            return real.is_some_and(|key| *key != address.key(true)).then(|| {
                "its address looks like that of somebody on file, and is another".to_owned()
            });
        }
        let below = |real: &&String| address.domain().starts_with(&format!("{real}."));
        if let Some(real) = self.domains.values().find(below) {
            return Some(format!(
                "{} begins with {real}, and is another domain",
                address.domain()
            ));
        }
        let mixed = domain.split('.').any(|label| !label.is_single_script());
        mixed.then(|| format!("{} mixes letters of several scripts", address.domain()))
    }
}

fn unicode(domain: &str) -> String {
    idna::domain_to_unicode(domain).0
}

fn look(text: &str) -> String {
    skeleton(&text.to_lowercase())
        .collect::<String>()
        .to_lowercase()
}

fn look_of(address: &Address) -> String {
    format!(
        "{}@{}",
        look(address.local()),
        look(&unicode(address.domain()))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(address: &str, name: &str) -> String {
        let maria = Address::new("maria@raduga.example").unwrap();
        let ivan = Address::new("иван@школа.example").unwrap();
        let more = "raduga-sport.example".to_owned();
        let faces = Faces::new([maria, ivan].iter(), [more].iter());
        let address = Address::new(address).unwrap();
        faces.warning(&address, name).unwrap_or_default()
    }

    #[test]
    fn g3_what_looks_like_a_domain_on_file_is_told() {
        for (address, expected) in [
            (
                "maria@r\u{430}dug\u{430}.example",
                "looks like raduga.example",
            ),
            ("x@raduga-sp0rt.example", "looks like raduga-sport.example"),
            (
                "x@\u{448}\u{43a}o\u{43b}\u{430}.example",
                "looks like xn--80atdl2c.example",
            ),
            ("m\u{430}ria@raduga.example", "its address looks like"),
            (
                "maria@raduga.example.evil.example",
                "begins with raduga.example",
            ),
            ("x@\u{43f}aypal.example", "mixes letters"),
            ("maria@mail.raduga.example", ""),
            ("oleg@raduga.example", ""),
            ("x@elsewhere.example", ""),
            ("x@\u{434}\u{435}\u{43b}\u{43e}.example", ""),
            ("x@raduga.evil.example", ""),
            (
                "x@raduga-sport.example.evil.example",
                "begins with raduga-sport.example",
            ),
            ("x@raduga.examples", ""),
            ("x@raduga.examplesport.example", ""),
            ("m\u{430}ria@elsewhere.example", ""),
            ("MARIA@raduga.example", ""),
            ("mar1a@raduga.example", ""),
            ("rn\u{430}ria@RADUGA.example", "its address looks like"),
            ("x@\u{448}\u{43a}\u{43e}\u{43b}\u{430}.example", ""),
        ] {
            let told = warning(address, "Мария");
            assert_eq!(told.is_empty(), expected.is_empty(), "{address}: {told}");
            assert!(told.contains(expected), "{address}: {told}");
        }
    }

    #[test]
    fn g1_an_address_on_file_in_the_name_is_told() {
        for (name, told) in [
            ("maria@raduga.example", true),
            ("Мария <MARIA@Raduga.example>", true),
            ("Мария (maria@raduga.example)", true),
            ("«maria@raduga.example», Мария", true),
            ("Мария:maria@raduga.example;", true),
            ("xmaria@raduga.example", false),
            ("maria@raduga.example.evil", false),
            ("maria raduga.example", false),
            ("Мария", false),
            ("other@elsewhere.example", false),
        ] {
            assert_eq!(!warning("x@evil.example", name).is_empty(), told, "{name}");
        }
    }
}
