//! `results`: nobody is vouched for but by our own server's word, in its place, about the sender's own domain.

use postdesk::desk::assurance::SenderAssurance;
use postdesk::examination;

use super::{AUTHSERV_ID, MAILBOX, assert_shown, desk, folded, holds};

const FROM: &str = "From: Мария <maria@raduga.example>\nTo: support@desk.example\nSubject: s\n";
const RECEIVED: &str = "Received: from out.raduga.example by mx.desk.example with ESMTPS; Fri, 21 Aug 2026 10:00:00 +0300\n";
const FURTHER: &str = "Received: from pc.raduga.example by out.raduga.example with ESMTPSA; Fri, 21 Aug 2026 09:59:00 +0300\n";
const FAIL: &str =
    "Authentication-Results: mx.desk.example; dmarc=fail header.from=raduga.example\n";

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
    // Header lines only: an empty line would end the block, which proves nothing.
    if holds(input, "dkim-signature") {
        return;
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
    let assurance = examination::examine(&raw, &desk(), MAILBOX).assurance;
    assert!(assurance.evidence().len() <= 40, "more than a person reads");
    for evidence in assurance.evidence() {
        assert_shown("evidence", evidence);
        assert!(evidence.len() <= 1_000, "{} octets", evidence.len());
    }
    assurance
}
