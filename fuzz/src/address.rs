//! `address`: whatever stands in an address field, an address read is plain, reads the same again, and stands there as it is read.

use postdesk::desk::address::Address;
use postdesk::desk::letter::From;

use super::{assert_shown, folded, holds, read};

/// The input is the value of `From:`, `To:` and `Reply-To:`.
pub fn hold(input: &[u8]) {
    let value = folded(input);
    let letter = read(&header(&[
        b"From: ",
        &value,
        b"\nTo: ",
        &value,
        b"\nReply-To: ",
        &value,
    ]));
    assert!(letter.to.len() <= 1_000 && letter.reply_to == letter.to);
    for address in &letter.to {
        plain(address);
    }
    match &letter.from {
        From::One { address, name } => {
            plain(address);
            assert_shown("a name", name);
            assert!(name.chars().count() <= 200);
            stands_there(&value, address);
            another_is_seen(&value);
            let alone = read(&header(&[b"From: <", address.to_string().as_bytes(), b">"]));
            assert_eq!(alone.from.address(), Some(address), "not the same again");
            // A list may hold names without quotes, so that the sender is among the recipients read of the same text.
            assert_eq!(letter.to.as_slice(), std::slice::from_ref(address));
        }
        From::Nobody {
            why,
            shown,
            claimed,
        } => {
            assert!(!why.is_empty());
            assert_shown("why", why);
            assert_shown("what is shown", shown);
            assert_shown("the name claimed", &claimed.name);
            assert_shown("the address claimed", &claimed.address);
            assert!(claimed.name.chars().count() <= 200);
            assert!(claimed.address.chars().count() <= 320);
        }
    }
}

fn header(fields: &[&[u8]]) -> Vec<u8> {
    let mut raw = fields.concat();
    raw.extend_from_slice(b"\nSubject: s\n\ntext\n");
    raw
}

fn plain(address: &Address) {
    let text = address.to_string();
    assert_eq!(Address::new(&text).as_ref(), Ok(address), "{text}");
    assert_shown("an address", &text);
    assert!(text.len() <= 254 && address.local().len() <= 64);
    assert_eq!(text.matches('@').count(), 1, "{text}");
    assert!(!text.contains([' ', '<', '>', ',', ';', '"', '\\', '(', ')']));
    assert!(address.domain().is_ascii());
    assert_eq!(address.domain(), address.domain().to_ascii_lowercase());
    let key = address.key(true);
    assert_eq!(Address::new(&key).map(|a| a.key(true)), Ok(key), "{text}");
}

/// No address is made of an encoded word, or of pieces.
fn stands_there(value: &[u8], address: &Address) {
    if !address.local().contains('\u{fffd}') {
        assert!(
            holds(value, &format!("{}@", address.local())),
            "{address} does not stand there"
        );
    }
}

/// A second address, in the field or in another, leaves nobody (S12).
fn another_is_seen(value: &[u8]) {
    for second in [
        &b", other@evil.example"[..],
        b"\nFrom: other@evil.example",
        b"\nfrom : other@evil.example",
    ] {
        let letter = read(&header(&[b"From: ", value, second]));
        assert!(
            letter.from.address().is_none(),
            "a second address goes unseen: {:?}",
            letter.from
        );
    }
}
