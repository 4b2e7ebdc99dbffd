//! `token`: no text opens that we did not seal, in no other spelling; what leads to a request is bounded.

use postdesk::desk::address::Address;
use postdesk::desk::request::RequestId;
use postdesk::desk::subject;
use postdesk::mail::clues;
use postdesk::mail::thread::{self, Keys, Token, TokenKind};

use super::{desk, folded, read};

const KINDS: [TokenKind; 4] = [
    TokenKind::Reply,
    TokenKind::Confirm,
    TokenKind::Internal,
    TokenKind::Nothing,
];

/// The input is a text that claims to be a token, the fields that could hold one, and the numbers in one of ours.
pub fn hold(input: &[u8]) {
    let config = desk();
    let text = String::from_utf8_lossy(input);
    opens_only_ours(&config.keys, &text);
    sealed_and_spoilt(&config.keys, &config.desk.address, input);
    in_a_letter(&config.keys, &config.desk.address, input);
    subjects(&text);
    // A secret file is our own, and a slip in it must not be fatal.
    if let Err(why) = Keys::read(&text) {
        assert!(why.len() < 200, "a fault without the file's content: {why}");
    }
}

fn opens_only_ours(keys: &Keys, text: &str) {
    if let Some(token) = keys.open(text) {
        assert_eq!(keys.seal(&token), text.to_ascii_lowercase(), "forged");
    }
}

/// A token with one character changed, or some left out, is none.
fn sealed_and_spoilt(keys: &Keys, own: &Address, input: &[u8]) {
    // Rows of a table: far fewer than these.
    let row = |from: usize| {
        let octets = input.iter().skip(from).take(6);
        octets.fold(0, |row, b| (row << 8) | i64::from(*b))
    };
    let kind = KINDS[input.len() % KINDS.len()];
    let token = Token {
        kind,
        request: (row(6) != 0).then_some(RequestId(row(6))),
        outbox: row(0),
    };
    let sealed = keys.seal(&token);
    assert_eq!(keys.open(&sealed), Some(token));
    assert_eq!(keys.open(&sealed.to_ascii_uppercase()), Some(token));
    let reply = thread::reply_address(keys, &token, own);
    let reply = Address::new(&reply).expect("an address");
    assert_eq!(reply.tag_of(own), Some(sealed.as_str()));
    let id = thread::message_id(keys, &token, own);
    let raw = format!("From: a@x.example\nTo: {reply}\nIn-Reply-To: <{id}>\n\nx");
    let clues = clues::find(&read(raw.as_bytes()), keys, own);
    let found = clues.tokens();
    assert!(
        !found.is_empty() && found.iter().all(|(_, t)| *t == token),
        "{found:?}"
    );
    shown_to_others(keys, &sealed, input);

    let at = input.iter().map(|b| usize::from(*b)).sum::<usize>() % sealed.len();
    let put = input.last().map_or('a', |b| char::from(b & 0x7f));
    let old = sealed.as_bytes()[at];
    if char::from(old) != put.to_ascii_lowercase() {
        let mut spoilt = sealed.clone();
        spoilt.replace_range(at..at + 1, &put.to_string());
        assert_eq!(keys.open(&spoilt), None, "{spoilt} for {sealed}");
    }
    assert_eq!(keys.open(&sealed[..at]), None);
    assert_eq!(keys.open(&sealed[at + 1..]), None);
    assert_eq!(keys.open(&format!("{sealed}{put}")), None);
}

fn in_a_letter(keys: &Keys, own: &Address, input: &[u8]) {
    let value = folded(input);
    let mut raw = Vec::new();
    for (before, after) in [
        (&b"To: support+"[..], &b"@desk.example\n"[..]),
        (b"Cc: ", b"\n"),
        (b"Delivered-To: ", b"\n"),
        (b"In-Reply-To: <", b"@desk.example>\n"),
        (b"References: ", b"\n"),
        (b"Subject: ", b"\n"),
    ] {
        raw.extend_from_slice(before);
        raw.extend_from_slice(&value);
        raw.extend_from_slice(after);
    }
    raw.extend_from_slice(b"From: a@x.example\n\ntext\n");
    let letter = read(&raw);
    let clues = clues::find(&letter, keys, own);
    let given = String::from_utf8_lossy(&raw).to_ascii_lowercase();
    for (_, token) in &clues.tokens() {
        assert!(given.contains(&keys.seal(token)), "forged: {token:?}");
    }
    assert!(clues.message_ids().len() <= 100, "work without bound");
}

/// What others are shown holds no token of ours, whatever stands around it.
fn shown_to_others(keys: &Keys, sealed: &str, input: &[u8]) {
    let around = String::from_utf8_lossy(input);
    let text = format!("{around}+{sealed}{around} {sealed}{sealed}@desk.example");
    let shown = thread::without_tokens(&text, keys).to_lowercase();
    assert!(!shown.contains(sealed), "{shown}");
}

/// What a subject is about is told in one go.
fn subjects(text: &str) {
    let given: String = text.chars().take(2_000).collect();
    let base = subject::base(&given);
    assert_eq!(subject::base(&base), base, "of {given:?}");
}
