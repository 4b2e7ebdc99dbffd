//! `results`: nobody is vouched for but by our own server's word, in its place, about the sender's own domain.

use postdesk::desk::assurance::SenderAssurance;
use postdesk::examination;
use postdesk::mail::dkim::answer::Answer;

use super::{AUTHSERV_ID, MAILBOX, assert_shown, desk, folded, holds, now};

const FROM: &str = "From: Мария <maria@raduga.example>\nTo: support@desk.example\nSubject: s\n";
const RECEIVED: &str = "Received: from out.raduga.example by mx.desk.example with ESMTPS; Fri, 21 Aug 2026 10:00:00 +0300\n";
const FURTHER: &str = "Received: from pc.raduga.example by out.raduga.example with ESMTPSA; Fri, 21 Aug 2026 09:59:00 +0300\n";
const FAIL: &str =
    "Authentication-Results: mx.desk.example; dmarc=fail header.from=raduga.example\n";

/// A key that the sender's domain publishes (RFC 8463 A.2); nobody here has its secret half.
const KEY: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

/// The input is the value of a field on top; then it is whole header lines below what our server wrote.
pub fn hold(input: &[u8]) {
    let value = folded(input);
    let on_top = judged(&[
        b"Authentication-Results: ",
        &value,
        b"\n",
        RECEIVED.as_bytes(),
    ]);
    if on_top.is_authenticated() {
        for word in [AUTHSERV_ID, "pass", "raduga"] {
            assert!(holds(&value, word), "vouched for without {word}");
        }
        // What our server said above it takes precedence.
        let below = judged(&[
            FAIL.as_bytes(),
            b"Authentication-Results: ",
            &value,
            b"\n",
            RECEIVED.as_bytes(),
        ]);
        assert!(!below.is_authenticated(), "{below:?}");
    }
    let failed = judged(&[FAIL.as_bytes(), RECEIVED.as_bytes(), input, b"\n"]);
    assert!(!failed.is_authenticated(), "after a fail: {failed:?}");
    let far = judged(&[RECEIVED.as_bytes(), FURTHER.as_bytes(), input, b"\n"]);
    assert!(!far.is_authenticated(), "written by the sender: {far:?}");
}

fn judged(lines: &[&[u8]]) -> SenderAssurance {
    let mut raw = lines.concat();
    raw.extend_from_slice(FROM.as_bytes());
    raw.extend_from_slice(b"\ntext\n");
    let mut examined = examination::examine(&raw, &desk(), MAILBOX, now());
    let questions = examined.questions();
    assert!(questions.len() <= 20, "{} questions", questions.len());
    let answer = |name: String| {
        assert!(
            name.ends_with("._domainkey.raduga.example"),
            "the DNS is asked for {name}"
        );
        let texts = vec![KEY.to_owned()];
        let secure = false;
        (name, Answer::Found { texts, secure })
    };
    assert!(examined.settle(&questions.into_iter().map(answer).collect()));
    let assurance = examined.assurance;
    assert!(assurance.evidence().len() <= 60, "more than a person reads");
    for evidence in assurance.evidence() {
        assert_shown("evidence", evidence);
        assert!(evidence.len() <= 1_000, "{} octets", evidence.len());
    }
    assurance
}
