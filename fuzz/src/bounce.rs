//! `bounce`: what a report tells is well-formed, whatever stands in it, and a machine's mark is not undone by what stands below it.

use postdesk::desk::letter::{Automatic, Letter};

use super::{assert_shown, read};

const MARKS: [&str; 5] = [
    "Auto-Submitted: auto-replied",
    "Return-Path: <>",
    "X-Failed-Recipients: a@x.example",
    "List-Id: <list.x.example>",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
];

/// The input is the status part of a report, then its text, then the header and body of a letter that a machine marked.
pub fn hold(input: &[u8]) {
    let report = read(&[
        b"From: MAILER-DAEMON@mx.x.example\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=fuzz-b\n\n\
          --fuzz-b\n\nIt did not arrive.\n--fuzz-b\nContent-Type: message/delivery-status\n\n",
        input,
        b"\n--fuzz-b\nContent-Type: text/rfc822-headers\n\n",
        input,
        b"\n--fuzz-b--\n",
    ].concat());
    told(&report);
    assert!(report.automatic.is_some(), "a report goes unseen");
    let text = read(
        &[
            b"From: MAILER-DAEMON@mx.x.example\nSubject: Undelivered mail\n\n",
            input,
        ]
        .concat(),
    );
    told(&text);
    // Not the mark itself, which a blank at the start of the input would go on with.
    let below = b"\nMIME-Version: 1.0\n";
    for mark in MARKS {
        let marked = read(&[mark.as_bytes(), below, input].concat());
        told(&marked);
        assert!(marked.automatic.is_some(), "{mark} goes unseen");
    }
    told(&read(input));
}

fn told(letter: &Letter) {
    if let Some((_, why)) = &letter.automatic {
        assert_shown("why it is no person's", why);
        assert!(
            !why.is_empty() && why.chars().count() <= 1_000,
            "{} characters",
            why.len()
        );
    }
    let is_bounce = matches!(letter.automatic, Some((Automatic::Bounce, _)));
    assert!(
        letter.bounce.is_none() || is_bounce,
        "a report of no bounce"
    );
    let Some(bounce) = &letter.bounce else { return };
    assert!(
        matches!(bounce.action.as_str(), "failed" | "delayed"),
        "{}",
        bounce.action
    );
    if let Some(status) = &bounce.status {
        let pieces: Vec<&str> = status.split('.').collect();
        let digits = |p: &&str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
        assert!(pieces.len() == 3 && pieces.iter().all(digits), "{status}");
    }
    if bounce.permanent {
        assert_eq!(bounce.action, "failed");
        let status = bounce.status.as_deref().unwrap_or_default();
        // What is unknown for as long as a server tries is dead too.
        assert!(!status.starts_with('4') || status == "4.1.1", "{status}");
        let words = bounce.diagnostic.as_deref().unwrap_or_default();
        let taken = words.to_lowercase().contains("end of data");
        let about_the_address = status.starts_with("5.1.") || status == "5.4.4";
        assert!(
            !taken || about_the_address,
            "refused after its end, {status}"
        );
    }
    assert!(
        bounce.also.len() <= 100 && bounce.further_ids.len() <= 100,
        "work without bound"
    );
    for recipient in bounce.recipient.iter().chain(&bounce.also) {
        assert_shown("the recipient", recipient);
        assert!(
            !recipient.is_empty() && recipient.len() <= 1_000,
            "{} octets",
            recipient.len()
        );
    }
    if let Some(words) = &bounce.diagnostic {
        assert_shown("the other server's words", words);
        assert!(words.len() <= 4_000, "{} octets", words.len());
    }
    for id in bounce.original_message_id.iter().chain(&bounce.further_ids) {
        assert_shown("the Message-ID", id);
        assert!(!id.is_empty() && id.len() <= 998);
    }
}
