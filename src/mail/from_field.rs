//! The sender: exactly one `From:` field with exactly one plain address, else nobody (S12, `BEHAVIOURS` C30).

use super::fields::Fields;
use super::mailboxes;
use super::words;
use crate::desk::address::Address;
use crate::desk::letter::{Claim, From};

/// Longest display name kept, in characters: it is copied into letters and journals.
const NAME: usize = 200;
/// Longest address shown of a sender that nobody is, in characters (RFC 5321 4.5.3.1 allows 320 octets).
const ADDRESS: usize = 320;
/// How many `From:` fields are looked through for whom they claim, and how many addresses of each.
const CLAIMS: usize = 10;

/// Reads who the letter says it is from. `Sender:` and `Reply-To:` have no say (R5).
pub(crate) fn read(fields: &Fields<'_>, hint: Option<&str>) -> From {
    let all: Vec<_> = fields.all("From").collect();
    let shown = all
        .first()
        .map(|field| words::text(field.value, hint))
        .unwrap_or_default();
    let nobody = |why: String| From::Nobody {
        why,
        shown: shown.clone(),
        claimed: claimed(all.iter().map(|field| field.value), &shown, hint),
    };
    if fields.cut {
        return nobody(
            "The header block is cut short, so that there may be another From".to_owned(),
        );
    }
    let field = match all.as_slice() {
        [] => return nobody("No From field".to_owned()),
        [one] => one,
        more => return nobody(format!("{} From fields", more.len())),
    };
    let list = mailboxes::read(field.value, CLAIMS, hint);
    if list.has_group {
        return nobody("From holds a group".to_owned());
    }
    if list.malformed {
        return nobody("From is malformed".to_owned());
    }
    match list.entries.as_slice() {
        [] => nobody("From holds no address".to_owned()),
        [one] if one.odd => nobody("From holds more than a name and an address".to_owned()),
        [one] => match Address::new(&one.spec) {
            Ok(address) => From::One {
                address,
                name: cut(&one.name, NAME),
            },
            Err(fault) => nobody(format!("From: {fault}")),
        },
        more => nobody(format!("From holds {} addresses", more.len())),
    }
}

/// Whom the fields name, were one to believe them: the first address in them, else what stands where one belongs; a single word may be
/// a name or an address without its domain (`From: root`), several are a name.
fn claimed<'f>(fields: impl Iterator<Item = &'f [u8]>, shown: &str, hint: Option<&str>) -> Claim {
    let lists = fields
        .take(CLAIMS)
        .map(|value| mailboxes::read(value, CLAIMS, hint));
    let entries: Vec<_> = lists.flat_map(|list| list.entries).collect();
    let is_address = |spec: &str| Address::new(spec).is_ok();
    let best = entries
        .iter()
        .find(|entry| is_address(&entry.spec))
        .or_else(|| entries.iter().find(|entry| !entry.spec.is_empty()))
        .or(entries.first());
    let (name, address) = match best {
        Some(entry) => (entry.name.clone(), words::clean(&entry.spec)),
        None if shown.contains(' ') => (shown.to_owned(), String::new()),
        None => (shown.to_owned(), shown.to_owned()),
    };
    Claim {
        name: cut(&name, NAME),
        address: cut(&address, ADDRESS),
    }
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;

    fn from(header: &str) -> From {
        let raw = format!("{header}\r\n\r\n");
        read(&Fields::read(raw.as_bytes(), 10_000, &|_| false), None)
    }

    #[test]
    fn one_plain_address_is_the_sender() {
        for (header, address, name) in [
            ("From: a@x.example", "a@x.example", ""),
            ("From: <a@X.Example>", "a@x.example", ""),
            (
                "from : =?utf-8?B?0JDQvdC90LA=?=\r\n <a@x.example>",
                "a@x.example",
                "Анна",
            ),
            ("From: a@x.example (Anna)", "a@x.example", "Anna"),
            (
                "From: Pete <pete(his account)@x.example>",
                "pete@x.example",
                "Pete",
            ),
            (
                "From: Иванов, Иван <a@x.example>",
                "a@x.example",
                "Иванов Иван",
            ),
        ] {
            match from(header) {
                From::One {
                    address: a,
                    name: n,
                } => assert_eq!((a.to_string().as_str(), n.as_str()), (address, name)),
                other => panic!("{header}: {other:?}"),
            }
        }
    }

    #[test]
    fn s31_a_long_name_is_cut_between_characters() {
        match from(&format!("From: {} <a@x.example>", "я".repeat(NAME * 2))) {
            From::One { name, .. } => assert_eq!(name, "я".repeat(NAME)),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn c30_behind_a_cut_there_may_be_another_from() {
        let raw = format!("From: a@x.example\r\nX-Much: {}\r\n\r\n", "x".repeat(500));
        let read = |most| read(&Fields::read(raw.as_bytes(), most, &|_| false), None);
        assert!(matches!(read(10_000), From::One { .. }));
        assert!(matches!(read(100), From::Nobody { .. }));
    }

    #[test]
    fn c30_an_address_in_the_name_is_a_name() {
        for header in [
            "From: \"boss@bank.example\" <a@evil.example>",
            "From: boss@bank.example <a@evil.example>",
            "From: =?utf-8?Q?boss=40bank.example_=3Cboss=40bank.example=3E?= <a@evil.example>",
        ] {
            match from(header) {
                From::One { address, .. } => assert_eq!(address.to_string(), "a@evil.example"),
                other => panic!("{header}: {other:?}"),
            }
        }
    }

    #[test]
    fn c30_g1_anything_but_one_plain_address_is_nobody() {
        for header in [
            "To: a@x.example",
            "From:",
            "From: a@x.example\r\nFrom: b@x.example",
            "From: a@x.example\r\nfrom : a@x.example",
            "From: a@x.example, b@x.example",
            "From: Friends: a@x.example;",
            "From: <@relay.example:a@x.example>",
            "From: <a@x.example> <b@x.example>",
            "From: A <a@x.example> b@x.example",
            "From: =?utf-8?Q?A_=3Ca=40x.example=3E?=",
            "From: \"a b\"@x.example",
            "From: \"a\"@x.example",
            "From: a@x.example\r\n b@y.example",
            "From: <a@x.example",
            "From: a@[127.0.0.1]",
            "From: <a@good.example(x)evil.example>",
            "From: <a@x.example(> <b@y.example)>",
            "From: a@good.example(x)evil.example",
            "From: <a@x.example\u{0}@y.example>",
        ] {
            assert!(matches!(from(header), From::Nobody { .. }), "{header}");
        }
    }

    #[test]
    fn c30_whom_a_letter_from_nobody_names_is_shown() {
        let long = format!("From: {} <{}>", "я".repeat(999), "b".repeat(999));
        let (longest_name, longest_address) = ("я".repeat(NAME), "b".repeat(ADDRESS));
        for (header, name, address) in [
            ("To: a@x.example", "", ""),
            (
                "From: Anna <a@x.example>, b@y.example",
                "Anna",
                "a@x.example",
            ),
            (
                "From: [?]\r\nFrom: =?utf-8?B?0JDQvdC90LA=?= <a@x.example>",
                "Анна",
                "a@x.example",
            ),
            (
                "From: Friends: a@x.example, b@y.example;",
                "",
                "a@x.example",
            ),
            ("From: Anna <anna>", "Anna", "anna"),
            ("From: root", "root", "root"),
            ("From: Anna Anna", "Anna Anna", ""),
            ("From: Anna <>", "Anna", ""),
            ("From: Anna a@x.example", "", "Anna a@x.example"),
            (
                "From: <a\u{202e}@x.example>, <c d@x.example>",
                "",
                "a@x.example",
            ),
            (&long, &longest_name, &longest_address),
        ] {
            match from(header) {
                From::Nobody { claimed, .. } => {
                    assert_eq!(
                        (claimed.name.as_str(), claimed.address.as_str()),
                        (name, address),
                        "{header}"
                    );
                }
                From::One { .. } => panic!("{header}"),
            }
        }
    }
}
