//! `reader`: a letter of any octets is read within its caps, decided on, explained, and what we write because of it is sound.

use postdesk::desk::decide::Known;
use postdesk::desk::letter::{From, Letter};
use postdesk::desk::notice::Notice;
use postdesk::desk::people::Locale;
use postdesk::desk::signature::Document;
use postdesk::explanation::{self, Case, Told};
use postdesk::mail::compose::{self, Composed};
use postdesk::mail::parse::{self, Caps};
use postdesk::mail::signing::{self, Found, Over};
use postdesk::mail::thread::{Token, TokenKind};
use postdesk::{account, examination, inbound};

use super::{AUTHSERV_ID, MAILBOX, assert_shown, desk, holds, now, read};

/// So tight that most letters run into them.
const TIGHT: Caps = Caps {
    header_bytes: 300,
    parts: 3,
    depth: 2,
    text_bytes: 60,
    addresses: 2,
};

/// The input is a letter.
pub fn hold(raw: &[u8]) {
    let letter = read(raw);
    sound(raw, &letter, Caps::DEFAULT);
    sound(raw, &parse::read(raw, TIGHT), TIGHT);
    same_with_other_line_ends(raw, &letter);
    signed(raw, &letter);
    walks_in(raw);
}

/// What is found signed is a part of the letter, under the names by which the letter has it.
fn signed(raw: &[u8], letter: &Letter) {
    let signing = signing::find(raw);
    assert!(signing.found.len() <= 21, "signatures");
    for found in &signing.found {
        let Found::Task(task) = found else {
            continue;
        };
        let _ = signing.inside(&task.form, raw);
        let Over::OneOf(candidates) = &task.over else {
            continue;
        };
        for candidate in candidates {
            let octets = signing.octets(candidate).len();
            // Line ends may have been LF alone.
            assert!(octets <= raw.len().saturating_mul(2), "a document grew");
            for document in &candidate.documents {
                let Document::Attachment(name) = document else {
                    continue;
                };
                assert!(letter.attachments.iter().any(|a| a.name == *name));
            }
        }
    }
}

fn sound(raw: &[u8], letter: &Letter, caps: Caps) {
    // The dearest octets are `<br>x` inside twenty quotations.
    let most = raw.len().saturating_mul(8).saturating_add(256);
    assert!(letter.text.len() <= caps.text_bytes.min(most), "text");
    assert!(letter.new_text.len() <= letter.text.len(), "new text");
    assert_eq!(
        letter.text.trim().is_empty(),
        letter.new_text.trim().is_empty(),
        "new text is blank where the text is and nowhere else"
    );
    assert_shown("the subject", &letter.subject);
    assert!(letter.subject.chars().count() <= 2_000);
    assert!(letter.attachments.len() <= caps.parts);
    for file in &letter.attachments {
        assert_shown("a file's name", &file.name);
        assert!(!file.name.trim().is_empty() && !file.name.contains(['/', '\\']));
        assert!(file.name.len() <= 255, "a name that no file system takes");
        assert!(!matches!(file.name.as_str(), "." | ".."));
        assert_shown("a media type", &file.media_type);
        assert!(
            usize::try_from(file.size).unwrap() <= raw.len(),
            "a file grew"
        );
    }
    let mut names: Vec<String> = letter
        .attachments
        .iter()
        .map(|a| a.name.to_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(
        names.len(),
        letter.attachments.len(),
        "two files of one name"
    );
    for (field, list) in [
        ("To", &letter.to),
        ("Cc", &letter.cc),
        ("Reply-To", &letter.reply_to),
    ] {
        assert!(list.len() <= caps.addresses, "{field}");
    }
    let ids = letter.in_reply_to.iter().chain(&letter.references);
    for id in ids.chain(&letter.message_id) {
        assert!(!id.is_empty() && id.len() <= 998 && !id.contains(['<', '>']));
        assert!(!id.contains(char::is_whitespace), "{id:?}");
        assert_shown("a Message-ID", id);
    }
    assert!(letter.in_reply_to.len() <= 1_000 && letter.references.len() <= 1_000);
    for fault in &letter.faults {
        assert_shown("a fault", fault);
        assert!(fault.len() <= 400, "a fault that nobody reads: {fault}");
    }
    if let From::Nobody {
        why,
        shown,
        claimed,
    } = &letter.from
    {
        assert_shown("why there is no sender", why);
        assert_shown("the sender shown", shown);
        assert_shown("the name claimed", &claimed.name);
        assert_shown("the address claimed", &claimed.address);
    }
    if let Some((_, why)) = &letter.automatic {
        assert_shown("the mark of a machine", why);
    }
}

/// CRLF or LF: the same letter (A9). Where a character is two octets, a line end is none.
fn same_with_other_line_ends(raw: &[u8], letter: &Letter) {
    let wide = ["utf-16", "utf16", "ucs-2", "unicode", "\u{feff}"];
    let pair = |w: &[u8]| matches!(w, b"\r\r" | [0xfe, 0xff] | [0xff, 0xfe]);
    if !raw.contains(&b'\n')
        || raw.windows(2).any(pair)
        || wide.iter().any(|label| holds(raw, label))
    {
        return;
    }
    let mut lf = Vec::with_capacity(raw.len());
    let mut rest = raw.iter().copied().peekable();
    while let Some(b) = rest.next() {
        if b != b'\r' || rest.peek() != Some(&b'\n') {
            lf.push(b);
        }
    }
    let other = parse::read(&lf, Caps::DEFAULT);
    assert_eq!(letter.subject, other.subject, "line ends");
    assert_eq!(letter.from, other.from, "line ends");
    assert_eq!(letter.text, other.text, "line ends");
    assert_eq!(letter.content_key, other.content_key, "line ends");
}

/// The way in without its store: examined, decided on, explained, answered.
fn walks_in(raw: &[u8]) {
    let config = desk();
    let examined = examination::examine(raw, &config, MAILBOX, now());
    if !holds(raw, AUTHSERV_ID) {
        assert!(
            !examined.assurance.is_authenticated(),
            "vouched for by nobody: {:?}",
            examined.assurance
        );
    }
    assert!(
        examined.clues.tokens().is_empty(),
        "a token that we did not seal"
    );
    let known = Known::default();
    let mailbox = inbound::mailbox_policy(&config, MAILBOX);
    let decision = inbound::decide_letter(&config, &known, &examined, &mailbox, now(), None, now());
    assert!(decision.notices.len() <= 5, "many letters for one");
    let mut told = Vec::new();
    for (at, notice) in decision.notices.iter().enumerate() {
        let token = Token {
            kind: TokenKind::Reply,
            request: None,
            outbox: i64::try_from(at).unwrap(),
        };
        let desk = &config.desk;
        let composed = compose::compose(notice, desk, &config.wording, &config.keys, &token, now());
        ours(notice, &composed);
        told.push(Told {
            to: notice.to.to_string(),
            template: notice.template.word(),
            subject: composed.subject,
        });
    }
    let explanation = explanation::json(&Case {
        letter: &examined.letter,
        assurance: &examined.assurance,
        arrived: now(),
        known: &known,
        decision: &decision,
        told: &told,
        zone: config.desk.calendar.zone(),
    });
    let written = explanation.to_string();
    let again: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(again, explanation);
    for locale in [Locale::Ru, Locale::En] {
        for line in account::text(&explanation, locale).lines() {
            assert_shown("a line of the explanation", line);
        }
    }
}

/// A letter of ours that holds a stranger's words is still ours alone.
fn ours(notice: &Notice, sent: &Composed) {
    let config = desk();
    for line in sent.bytes.split_inclusive(|b| *b == b'\n') {
        assert!(line.ends_with(b"\r\n"), "a line without its end");
        let bare = line.strip_suffix(b"\r\n").unwrap_or(line);
        assert!(bare.len() <= 998, "a line of {} octets", bare.len());
        assert!(!bare.iter().any(|b| matches!(b, b'\r' | 0)), "a stray CR");
    }
    let read = examination::examine(&sent.bytes, &config, MAILBOX, now()).letter;
    assert_eq!(
        read.from.address(),
        Some(&config.desk.address),
        "written by somebody else"
    );
    assert_eq!(read.message_id.as_deref(), Some(sent.message_id.as_str()));
    let to: Vec<String> = read.to.iter().map(ToString::to_string).collect();
    assert_eq!(to, [notice.to.to_string()], "one recipient");
    assert!(read.cc.is_empty());
    // Whoever answers by machine must see that a machine wrote it; ours does.
    assert!(read.automatic.is_some(), "a loop begins");
}
