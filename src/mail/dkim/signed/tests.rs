//! Letters that the tests sign themselves, as the RFCs tell it and without the code under test, and what is made of them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    reason = "tests"
)]

#[path = "../../../../tests/support/signer.rs"]
mod signer;

use super::*;
use proptest::prelude::*;
use signer::{Signer, WEAK_RSA};

const LETTER: &str = "From: Anna <anna@x.example>\r\nTo: desk@desk.example\r\nSubject: =?utf-8?B?0J/QvtGA0YPRh9C10L3QuNC1?=\r\n  folded\r\nDate: Sat, 1 Aug 2026 10:00:00 +0300\r\nContent-Type: text/plain\r\n\r\nHello,  \r\n\r\nplease \t do it.\r\n\r\n\r\n";

/// RFC 8463, A.3, and the keys of A.2.
const RFC_8463: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
";
const RFC_8463_KEYS: [(&str, &str); 2] = [
    (
        "brisbane",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ),
    (
        "test",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
];

fn arrived() -> DateTime<Utc> {
    "2026-08-01T07:00:10Z".parse().unwrap()
}

fn proof(letter: &str, answers: &BTreeMap<String, Answer>) -> Proof {
    let signed = Signed::read(letter.as_bytes(), "x.example", arrived());
    signed.judge(answers)
}

/// Whether it is proved, and what is told.
fn told(letter: &str, answers: &BTreeMap<String, Answer>) -> (bool, String) {
    let proof = proof(letter, answers);
    match proof.verdict {
        Verdict::Proved(how) => (true, how),
        Verdict::Unproved => (false, proof.notes.join("; ")),
        Verdict::Unknown => (false, format!("UNKNOWN {}", proof.notes.join("; "))),
    }
}

fn keys(signers: &[&Signer]) -> BTreeMap<String, Answer> {
    signers
        .iter()
        .map(|s| {
            let texts = vec![s.record()];
            (
                s.name(),
                Answer::Found {
                    texts,
                    secure: false,
                },
            )
        })
        .collect()
}

#[test]
fn c35_both_algorithms_and_all_forms_prove() {
    for signer in [
        Signer::rsa("x.example", "r"),
        Signer::ed25519("x.example", "e"),
    ] {
        for form in [
            "simple/simple",
            "relaxed/relaxed",
            "simple/relaxed",
            "relaxed/simple",
            "relaxed",
        ] {
            let letter = signer.sign(LETTER, &format!("c={form}; "), "from:to:subject:date");
            let (proved, told) = told(&letter, &keys(&[&signer]));
            assert!(proved, "{form}: {told}");
            assert!(
                told.contains(&format!("x.example (selector {})", signer.selector)),
                "{told}"
            );
            // The same letter from a file, with LF.
            let lines = letter.replace("\r\n", "\n");
            assert!(self::told(&lines, &keys(&[&signer])).0, "{form} with LF");
        }
    }
    let rsa = Signer::rsa("x.example", "r");
    let (_, told) = told(&rsa.sign(LETTER, "", "from:subject:to"), &keys(&[&rsa]));
    assert!(
        told.contains("rsa-sha256 of 2048 bits, key ") && told.ends_with("signed: from subject to"),
        "{told}"
    );
}

#[test]
fn c35_what_is_altered_on_the_way_proves_nothing() {
    let signer = Signer::ed25519("x.example", "s");
    let keys = keys(&[&signer]);
    let tampered = |form: &str, from: &str, to: &str| {
        let letter = signer.sign(LETTER, &format!("c={form}; "), "from:to:subject:date");
        assert!(letter.contains(from));
        told(&letter.replacen(from, to, 1), &keys)
    };
    for (form, from, to, expected) in [
        ("relaxed/relaxed", "please", "don't", "the body was altered"),
        ("relaxed/relaxed", "please \t do", "please do", ""),
        (
            "relaxed/simple",
            "please \t do",
            "please do",
            "the body was altered",
        ),
        (
            "relaxed/relaxed",
            "do it.\r\n",
            "do it.\r\n-- \r\nA list\r\n",
            "the body was altered",
        ),
        ("simple/simple", "\r\n\r\n\r\n", "\r\n", ""),
        (
            "relaxed/relaxed",
            "folded",
            "unfolded",
            "the header was altered",
        ),
        ("relaxed/relaxed", "\r\n  folded", " folded", ""),
        (
            "simple/simple",
            "\r\n  folded",
            " folded",
            "the header was altered",
        ),
        ("relaxed/relaxed", "Subject:", "SUBJECT :", ""),
        (
            "relaxed/relaxed",
            "desk@desk",
            "other@desk",
            "the header was altered",
        ),
        ("relaxed/relaxed", "text/plain", "text/html", ""),
        (
            "relaxed/relaxed",
            "s=s;",
            "s=s; z=1;",
            "the header was altered",
        ),
    ] {
        let (proved, told) = tampered(form, from, to);
        assert_eq!(proved, expected.is_empty(), "{form} {to:?}: {told}");
        assert!(told.contains(expected), "{form} {to:?}: {told}");
    }
}

#[test]
fn g5_signatures_that_are_no_proof() {
    let signer = Signer::ed25519("x.example", "s");
    let keys = keys(&[&signer]);
    let at = arrived().timestamp();
    for (tags, names, expected) in [
        ("l=5; ".to_owned(), "from:subject", "l="),
        ("l=999; ".to_owned(), "from:subject", "l="),
        (
            format!("t={}; x={}; ", at - 100, at - 1),
            "from:subject",
            "expired",
        ),
        (
            format!("t={}; x={}; ", at - 100, at + 1),
            "from:subject",
            "",
        ),
        (
            format!("t={}; x={}; ", at - 50, at - 60),
            "from:subject",
            "expired",
        ),
        (
            format!("t={0}; x={0}; ", at + 60),
            "from:subject",
            "before it was made",
        ),
        (
            format!("t={}; x={}; ", at + 60, at + 30),
            "from:subject",
            "before it was made",
        ),
        (
            format!("t={}; x={}; ", at + 60, at + 61),
            "from:subject",
            "",
        ),
        (format!("t={}; ", at + 3600), "from:subject", "future"),
        (format!("t={}; ", at + 60), "from:subject", ""),
        (String::new(), "to:subject", "does not sign From"),
        (String::new(), "from:to:date", "does not sign the subject"),
        ("i=@y.example; ".to_owned(), "from:subject", "i="),
        ("i=anna@mail.x.example; ".to_owned(), "from:subject", ""),
        (String::new(), "from:from:subject:subject:reply-to", ""),
    ] {
        let (proved, told) = told(&signer.sign(LETTER, &tags, names), &keys);
        assert_eq!(proved, expected.is_empty(), "{tags}{names}: {told}");
        assert!(told.contains(expected), "{tags}{names}: {told}");
    }
}

#[test]
fn g5_keys_that_are_no_proof() {
    let rsa = Signer::rsa("x.example", "s");
    let good = rsa.record();
    let ed = Signer::ed25519("x.example", "s").record();
    let weak = format!("v=DKIM1; p={}", WEAK_RSA);
    let letter = rsa.sign(LETTER, "", "from:subject");
    let sub = rsa.sign(LETTER, "i=@mail.x.example; ", "from:subject");
    for (letter, texts, expected) in [
        (&letter, vec![good.clone()], ""),
        (&letter, vec![good.replace("v=DKIM1; ", "")], ""),
        (&letter, vec!["v=spf1 -all".to_owned(), good.clone()], ""),
        (&letter, vec![good.clone(), ed.clone()], "several keys"),
        (&letter, vec!["v=DKIM1; p=".to_owned()], "revoked"),
        (
            &letter,
            vec!["v=DKIM1; k=rsa; t=y; p=".to_owned()],
            "revoked",
        ),
        (&letter, vec![good.replace("k=rsa", "k=rsa; t=y")], "t=y"),
        (&letter, vec![good.replace("k=rsa", "k=rsa; t=s")], ""),
        (&sub, vec![good.clone()], ""),
        (
            &sub,
            vec![good.replace("k=rsa", "k=rsa; t=s")],
            "subdomains",
        ),
        (
            &letter,
            vec![good.replace("k=rsa", "k=rsa; h=sha1")],
            "SHA-256",
        ),
        (
            &letter,
            vec![good.replace("k=rsa", "k=rsa; s=other")],
            "not for mail",
        ),
        (
            &letter,
            vec![good.replace("k=rsa", "k=rsa; s=email:tlsrpt")],
            "",
        ),
        (
            &letter,
            vec![good.replace("k=rsa", "k=quantum")],
            "unknown kind",
        ),
        (
            &letter,
            vec![good.replace("DKIM1", "DKIM2")],
            "another version",
        ),
        (&letter, vec![weak], "shorter than 1024"),
        (&letter, vec![ed], "not of this key"),
        (&letter, vec!["v=DKIM1; p=AAAA".to_owned()], "no RSA key"),
        (&letter, vec!["hello".to_owned()], "no key"),
    ] {
        let answer = Answer::Found {
            texts: texts.clone(),
            secure: true,
        };
        let answers = BTreeMap::from([("s._domainkey.x.example".to_owned(), answer)]);
        let (proved, told) = told(letter, &answers);
        assert_eq!(proved, expected.is_empty(), "{texts:?}: {told}");
        assert!(told.contains(expected), "{texts:?}: {told}");
        assert_eq!(proved, told.contains("by DNSSEC"), "{told}");
    }
}

#[test]
fn c35_a_silent_dns_is_neither_yes_nor_no() {
    let signer = Signer::ed25519("x.example", "s");
    let letter = signer.sign(LETTER, "", "from:subject");
    let name = "s._domainkey.x.example".to_owned();
    assert_eq!(
        Signed::read(letter.as_bytes(), "x.example", arrived()).questions(),
        BTreeSet::from([name.clone()])
    );
    for (answer, expected) in [
        (Some(Answer::Silent("the DNS server failed")), "UNKNOWN"),
        (Some(Answer::Nothing), "there is no key"),
        (None, "UNKNOWN"),
    ] {
        let answers = answer.map(|a| (name.clone(), a)).into_iter().collect();
        let (proved, told) = told(&letter, &answers);
        assert!(!proved && told.contains(expected), "{told}");
    }
    // Another signature that proves is enough.
    let other = Signer::rsa("x.example", "r");
    let both = other.sign(&letter, "", "from:subject");
    let mut answers = keys(&[&other]);
    answers.insert(name, Answer::Silent("the DNS server failed"));
    assert!(told(&both, &answers).0);
}

#[test]
fn c35_of_several_signatures_one_that_proves_is_enough() {
    let own = Signer::ed25519("x.example", "s");
    let list = Signer::ed25519("list.example", "l");
    let letter = list.sign(&own.sign(LETTER, "", "from:subject"), "", "from:subject");
    let all = keys(&[&own, &list]);
    assert!(told(&letter, &all).0);
    let broken = own
        .sign(LETTER, "", "from:subject")
        .replace("please", "do not");
    let letter = list.sign(&broken, "", "from:subject");
    let (proved, told) = told(&letter, &all);
    assert!(
        !proved && told.contains("list.example (selector l) does not speak for x.example"),
        "{told}"
    );
}

#[test]
fn c35_a_domain_speaks_for_its_organisation_only() {
    let policy = |domain: &str, text: &str| {
        let texts = vec![format!("v=DMARC1; p=none; {text}")];
        (
            format!("_dmarc.{domain}"),
            Answer::Found {
                texts,
                secure: false,
            },
        )
    };
    let nothing = |domain: &str| (format!("_dmarc.{domain}"), Answer::Nothing);
    for (domain, records, expected) in [
        (
            "mail.x.example",
            vec![
                nothing("mail.x.example"),
                policy("x.example", ""),
                nothing("example"),
            ],
            "",
        ),
        (
            "mail.x.example",
            vec![
                nothing("mail.x.example"),
                policy("x.example", "adkim=s"),
                nothing("example"),
            ],
            "does not speak",
        ),
        (
            "mail.x.example",
            vec![
                nothing("mail.x.example"),
                nothing("x.example"),
                nothing("example"),
            ],
            "does not speak",
        ),
        (
            "mail.x.example",
            vec![nothing("mail.x.example"), policy("x.example", "")],
            "UNKNOWN",
        ),
        ("y.example", vec![], "does not speak"),
        ("evilx.example", vec![], "does not speak"),
        ("example", vec![], "does not speak"),
    ] {
        let signer = Signer::ed25519(domain, "s");
        let mut answers = keys(&[&signer]);
        answers.extend(records.clone());
        let (proved, told) = told(&signer.sign(LETTER, "", "from:subject"), &answers);
        assert_eq!(proved, expected.is_empty(), "{domain} {records:?}: {told}");
        assert!(told.contains(expected), "{domain} {records:?}: {told}");
    }
}

#[test]
fn g5_a_second_field_beside_the_signed_one_is_no_proof() {
    let signer = Signer::ed25519("x.example", "s");
    let keys = keys(&[&signer]);
    for (names, added, expected) in [
        ("from:subject", "Subject: other\r\n", "more often"),
        (
            "from:subject:subject",
            "Subject: other\r\n",
            "the header was altered",
        ),
        ("from:subject", "To: other@desk.example\r\n", ""),
        (
            "from:subject:to",
            "To: other@desk.example\r\n",
            "more often",
        ),
        (
            "from:subject:content-type",
            "Content-Type: text/html\r\n",
            "more often",
        ),
        (
            "from:subject:reply-to",
            "Reply-To: evil@y.example\r\n",
            "the header was altered",
        ),
        ("from:subject", "no field at all\r\n", "not in order"),
    ] {
        let letter = signer.sign(LETTER, "", names);
        let letter = format!("X-First: x\r\n{added}{letter}");
        let (proved, told) = told(&letter, &keys);
        assert_eq!(proved, expected.is_empty(), "{names} {added}: {told}");
        assert!(told.contains(expected), "{names} {added}: {told}");
    }
}

#[test]
fn g6_a_signature_has_one_identity_however_it_is_folded() {
    let signer = Signer::ed25519("x.example", "s");
    let letter = signer.sign(LETTER, "", "from:subject");
    let identity = proof(&letter, &keys(&[&signer])).signature_key;
    assert!(identity.is_some());
    let replayed = letter.replace("desk@desk.example", "other@desk.example");
    assert_eq!(proof(&replayed, &keys(&[&signer])).signature_key, identity);
    let other = signer.sign(&LETTER.replace("please", "now"), "", "from:subject");
    assert_ne!(proof(&other, &keys(&[&signer])).signature_key, identity);
}

/// RFC 8463, appendix A: a letter with both algorithms, signed by others.
#[test]
fn c35_the_letter_of_rfc_8463() {
    let letter = RFC_8463.replace('\n', "\r\n");
    let at = "2018-06-11T00:00:00Z".parse().unwrap();
    let signed = Signed::read(letter.as_bytes(), "football.example.com", at);
    assert_eq!(signed.questions().len(), 2);
    for (selector, text) in RFC_8463_KEYS {
        let answer = Answer::Found {
            texts: vec![text.to_owned()],
            secure: false,
        };
        let answers = BTreeMap::from([(
            format!("{selector}._domainkey.football.example.com"),
            answer,
        )]);
        let proof = signed.judge(&answers);
        assert!(
            matches!(proof.verdict, Verdict::Proved(_)),
            "{selector}: {proof:?}"
        );
    }
}

#[test]
fn p7_nothing_is_asked_for_what_cannot_prove() {
    let asked = |letter: &str| Signed::read(letter.as_bytes(), "x.example", arrived()).questions();
    let stranger = Signer::ed25519("y.example", "s");
    assert!(asked(&stranger.sign(LETTER, "", "from:subject")).is_empty());
    let own = Signer::ed25519("x.example", "s");
    assert!(
        asked(
            &own.sign(LETTER, "", "from:subject")
                .replace("please", "now")
        )
        .is_empty()
    );
    assert!(asked(LETTER).is_empty());
}

#[test]
fn s31_many_signatures_cost_a_bounded_number_of_questions() {
    let mut letter = LETTER.to_owned();
    for at in 0..100 {
        let signer = Signer::ed25519("x.example", &format!("s{at}"));
        letter = signer.sign(&letter, "", "from:subject");
    }
    let signed = Signed::read(letter.as_bytes(), "x.example", arrived());
    assert_eq!(signed.questions().len(), CHECKED);
    assert_eq!(signed.notes.len(), FIELDS - CHECKED);
}

proptest! {
    #[test]
    fn s31_no_field_makes_judging_fail(value in "[ -~\r\n\t]{0,200}", tags in "([a-z]{1,2}=[a-z0-9/:@.+ ]{0,12};){0,10}") {
        for value in [value, tags] {
            let letter = format!("DKIM-Signature: {value}\r\n{LETTER}");
            let (proved, _) = told(&letter, &BTreeMap::new());
            prop_assert!(!proved);
        }
    }
}

/// G5: one signature that fails says nothing of another whose key is not known yet.
#[test]
fn g5_a_broken_signature_does_not_end_the_wait_for_another() {
    let silent = Signer::ed25519("x.example", "silent");
    let broken = Signer::ed25519("x.example", "broken");
    let letter = silent.sign(LETTER, "", "from:subject");
    let mut answers = BTreeMap::from([
        (silent.name(), Answer::Silent("no answer")),
        (broken.name(), Answer::Nothing),
    ]);
    let below = letter.replacen("From:", &format!("{}From:", field(&broken)), 1);
    let above = format!("{}{letter}", field(&broken));
    for letter in [below, above] {
        assert_eq!(proof(&letter, &answers).verdict, Verdict::Unknown);
    }
    answers.insert(silent.name(), Answer::Nothing);
    assert_eq!(proof(&letter, &answers).verdict, Verdict::Unproved);
}

/// The signature of the letter by another signer.
fn field(signer: &Signer) -> String {
    let signed = signer.sign(LETTER, "", "from:subject");
    let end = signed.find("From:").unwrap();
    signed[..end].to_owned()
}
