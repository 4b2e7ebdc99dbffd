//! Bytes to a [`Letter`]: never fails, never trusts; what it could not read stands in the letter's faults.

use chrono::{DateTime, FixedOffset};

use super::bounce::report;
use super::fields::{self, Fields};
use super::{content, content_key, from_field, mailboxes, parts, quote, screen, words};
use crate::desk::address::Address;
use crate::desk::letter::{Automatic, Letter};
use crate::desk::subject::is_forward;

/// Caps on what is read of one letter (S31); past them the rest is left unread and a fault says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Octets of all header blocks.
    pub header_bytes: usize,
    /// MIME parts.
    pub parts: usize,
    /// Depth of nesting.
    pub depth: usize,
    /// Octets of decoded text kept.
    pub text_bytes: usize,
    /// Addresses read from one field.
    pub addresses: usize,
}

impl Caps {
    /// The caps of the product; `docs` say why these.
    pub const DEFAULT: Self = Self {
        header_bytes: 1 << 20,
        parts: 2_000,
        depth: 100,
        text_bytes: 4 << 20,
        addresses: 1_000,
    };
}

/// Longest subject kept, in characters; the original is in the letter's bytes.
const SUBJECT: usize = 2_000;
/// Octets of text in which the new text is looked for: more than a person writes, and quotations are dear to find.
const WRITTEN: usize = 1 << 20;
/// Message-IDs read from one field; clients keep far fewer.
const IDS: usize = 1_000;

/// Reads a letter. Linear in its length, whatever stands in it.
pub fn read(raw: &[u8], caps: Caps) -> Letter {
    let raw = &*fields::with_line_feeds(raw);
    let parts = parts::read(raw, caps);
    let measured = content_key::measure(&parts);
    let content = content::read(&parts, &measured, caps);
    let mut faults = parts.faults.clone();
    faults.extend(content.faults);
    let written = beginning(&content.text, WRITTEN);
    if written.len() < content.text.len() {
        faults.push(format!(
            "Text longer than {WRITTEN} octets; what is new is looked for in these"
        ));
    }
    let empty = Fields::default();
    let block = parts.list.first().map_or(&empty, |letter| &letter.fields);
    let hint = content.charset.as_deref();
    let mut reader = Reader {
        fields: block,
        caps,
        hint,
        faults,
    };
    let from = from_field::read(block, hint);
    let subject = reader.subject();
    let automatic = screen::automatic(&parts, &from, &subject, &content.text);
    let bounced = automatic
        .as_ref()
        .is_some_and(|(kind, _)| *kind == Automatic::Bounce);
    reader.note_oddities();
    let new_text = if is_forward(&subject) {
        quote::new_text_of_forward(written)
    } else {
        quote::new_text(written)
    };
    let to = reader.addresses("To");
    let bounce = bounced.then(|| report::read(&parts, &content.text, &subject, &to));
    Letter {
        message_id: reader.message_id(),
        from,
        to,
        cc: reader.addresses("Cc"),
        delivered_to: [
            "Delivered-To",
            "X-Original-To",
            "Envelope-To",
            "X-Envelope-To",
        ]
        .into_iter()
        .flat_map(|name| reader.addresses(name))
        .collect(),
        reply_to: reader.addresses("Reply-To"),
        subject,
        date: reader.date(),
        in_reply_to: reader.ids("In-Reply-To"),
        references: reader.ids("References"),
        new_text,
        attachments: content.attachments,
        bounce,
        automatic,
        own: block
            .first("X-Postdesk-Loop")
            .map(|_| "X-Postdesk-Loop".to_owned()),
        content_key: content_key::of(&parts, &measured),
        text: content.text,
        faults: reader.faults,
    }
}

/// The beginning of a text, cut between characters; all of it where the beginning is blank.
fn beginning(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default())
        .filter(|t| !t.trim().is_empty())
        .unwrap_or(text)
}

struct Reader<'r, 'a> {
    fields: &'r Fields<'a>,
    caps: Caps,
    hint: Option<&'r str>,
    faults: Vec<String>,
}

impl Reader<'_, '_> {
    fn subject(&mut self) -> String {
        let Some(field) = self.fields.first("Subject") else {
            return String::new();
        };
        let subject = words::text(field.value, self.hint);
        if subject.chars().count() > SUBJECT {
            self.faults.push(format!(
                "Subject longer than {SUBJECT} characters, cut short"
            ));
            return subject.chars().take(SUBJECT).collect();
        }
        subject
    }

    /// Addresses of every field of this name, at most the cap of them.
    fn addresses(&mut self, name: &str) -> Vec<Address> {
        let mut all = Vec::new();
        for field in self.fields.all(name) {
            let room = self.caps.addresses.saturating_sub(all.len());
            let list = mailboxes::read(field.value, room, self.hint);
            if list.cut {
                self.faults.push(format!(
                    "{name} holds more than {} addresses; the rest is not read",
                    self.caps.addresses
                ));
            }
            all.extend(list.addresses());
            if list.cut {
                break;
            }
        }
        all
    }

    fn date(&mut self) -> Option<DateTime<FixedOffset>> {
        let value = self.fields.plain("Date")?;
        let parsed = mail_parser::DateTime::parse_rfc822(&value)
            .filter(mail_parser::DateTime::is_valid)
            .and_then(|date| DateTime::parse_from_rfc3339(&date.to_rfc3339()).ok())
            .or_else(|| DateTime::parse_from_rfc2822(&value).ok());
        if parsed.is_none() {
            self.faults.push("Date cannot be read".to_owned());
        }
        parsed
    }

    fn message_id(&mut self) -> Option<String> {
        let mut ids = self.ids("Message-ID");
        let several = self.fields.all("Message-ID").count() > 1 || ids.len() > 1;
        if several {
            self.faults
                .push("More than one Message-ID; none is used".to_owned());
            return None;
        }
        if ids.is_empty() && self.fields.first("Message-ID").is_some() {
            self.faults.push("Message-ID is malformed".to_owned());
        }
        ids.pop()
    }

    /// What stands in angle brackets in the fields of this name; a lone word with `@` counts too, as some clients leave the brackets out.
    fn ids(&self, name: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for field in self.fields.all(name) {
            let value = field.plain();
            let mut rest = value.as_str();
            let bare = !value.contains('<');
            if bare {
                ids.extend(
                    value
                        .split_whitespace()
                        .filter(|w| w.contains('@'))
                        .filter_map(usable_id),
                );
            }
            while let Some((_, after)) = rest.split_once('<').filter(|_| !bare) {
                let Some((id, next)) = after.split_once('>') else {
                    break;
                };
                ids.extend(usable_id(id));
                rest = next;
                if ids.len() >= IDS {
                    break;
                }
            }
        }
        ids.truncate(IDS);
        ids
    }

    /// Things that decide nothing and that a person should see in `explain`.
    fn note_oddities(&mut self) {
        if self.fields.garbled {
            self.faults
                .push("A line in the header block is no header field".to_owned());
        }
        if self.fields.list.is_empty() {
            self.faults.push("No header fields".to_owned());
        }
        for name in ["Subject", "From", "To", "Cc", "Reply-To"] {
            if self.fields.all(name).any(|f| words::has_too_many(f.value)) {
                self.faults.push(format!(
                    "{name} holds more than {} encoded words; the rest is not decoded",
                    words::WORDS
                ));
            }
        }
        for name in [
            "Subject",
            "To",
            "Date",
            "Reply-To",
            "Sender",
            "Content-Type",
        ] {
            let count = self.fields.all(name).count();
            if count > 1 {
                self.faults
                    .push(format!("{count} {name} fields; the first is used"));
            }
        }
    }
}

/// A Message-ID without white space (folding leaves it there) and of a length that a line can hold.
fn usable_id(id: &str) -> Option<String> {
    let id: String = id.chars().filter(|c| !c.is_whitespace()).collect();
    let good = !id.is_empty()
        && id.len() <= 998
        && !id.chars().any(words::is_hidden)
        && !id.contains(['<', '>']);
    good.then_some(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that letters, broken and malicious ones too, are made of.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            proptest::sample::select(vec![
                "From: ",
                "To: a@b.example, ",
                "Subject: ",
                "\r\n",
                "\n",
                "\n\n",
                "\r",
                " ",
                "--b",
                "--b--",
                "--",
                "Content-Type: multipart/mixed; boundary=b\n\n",
                "Content-Type: text/html\n\n",
                "Content-Type: message/rfc822\n\n",
                "Content-Transfer-Encoding: base64\n\n",
                "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
                "X-Failed-Recipients: a@b",
                "Content-Disposition: attachment; filename*0*=utf-8''%D0; filename*1=",
                "=?utf-8?B?0J/R?=",
                "=?koi8-r?Q?=",
                "<a href='",
                "<blockquote>",
                "&#x",
                "&amp;",
                "> ",
                "-- \n",
                "12 мая 2026 г., 10:15, А пишет:\n",
                "\u{202e}",
                "From: a\nSent: b\nTo: c\n",
                "――― Пишите ответ выше этой линии ―――\n",
                "<a@b>",
                "(",
                "\"",
                "Content-Type: application/ms-tnef\n\n\u{78}\u{1f}",
                "begin 644 x\n#0V%T\n",
                "\nend\n",
                "-----BEGIN PGP SIGNED MESSAGE-----\n",
                "-----BEGIN PGP SIGNATURE-----\n",
                "-----END PGP SIGNATURE-----\n",
                "Content-Type: application/pkcs7-mime\n\n\u{30}\u{0}",
                "Content-Type: multipart/related; start=\"<a>\"; boundary=b\nContent-ID: <a>\n\n",
                "\\\\",
            ])
            .prop_map(|s| s.as_bytes().to_vec()),
        ]
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail(pieces in proptest::collection::vec(piece(), 0..60)) {
            let raw = pieces.concat();
            let small = Caps { header_bytes: 200, parts: 3, depth: 2, text_bytes: 50, addresses: 2 };
            for caps in [Caps::DEFAULT, small] {
                let letter = read(&raw, caps);
                prop_assert!(letter.text.len() <= caps.text_bytes);
                prop_assert!(letter.text.is_empty() || !letter.new_text.trim().is_empty());
                prop_assert!(!letter.subject.chars().any(words::is_hidden));
                prop_assert!(letter.attachments.iter().all(|a| !a.name.is_empty() && !a.name.contains(['/', '\\'])));
                let witness = crate::mail::witness::Witness::named(&["mx.desk.example"]);
                let verdict = crate::mail::assurance::judge(&raw, &letter, &witness);
                prop_assert!(!verdict.is_authenticated());
            }
        }

        #[test]
        fn b25_new_text_is_never_empty(text in "(> |-- \n|От: |а|\n| |On 1 a@b wrote:\n|――― Пишите ответ выше этой линии ―――\n|_____\n){0,40}") {
            prop_assert_eq!(quote::new_text(&text).trim().is_empty(), text.trim().is_empty());
        }
    }

    #[test]
    fn b27_past_a_cap_the_headers_and_the_first_text_are_read() {
        let caps = Caps {
            parts: 3,
            ..Caps::DEFAULT
        };
        let raw = format!(
            "From: a@x.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n{}--b--\n",
            "--b\nContent-Type: image/png\n\nx\n".repeat(10)
        );
        let letter = read(raw.as_bytes(), caps);
        assert!(letter.from.address().is_some() && letter.attachments.is_empty());
        assert_eq!(letter.text.trim(), "first");
        assert!(
            letter
                .faults
                .iter()
                .any(|f| f.contains("More than 3 parts"))
        );

        let raw = format!("From: a@x.example\n{}\ntext", "X: y\n".repeat(1000));
        let letter = read(
            raw.as_bytes(),
            Caps {
                header_bytes: 500,
                ..Caps::DEFAULT
            },
        );
        assert!(letter.from.address().is_none() && letter.text == "text");
    }

    #[test]
    fn s31_new_text_is_looked_for_in_the_beginning_and_never_empty() {
        let raw = format!("From: a@x.example\n\n{}", "я\n".repeat(WRITTEN));
        let letter = read(raw.as_bytes(), Caps::DEFAULT);
        assert!(letter.new_text.len() <= WRITTEN && letter.new_text.len() > WRITTEN / 2);
        assert!(letter.faults.iter().any(|f| f.contains("what is new")));
        let raw = format!("From: a@x.example\n\n{}text", "\n".repeat(WRITTEN));
        assert_eq!(read(raw.as_bytes(), Caps::DEFAULT).new_text, "text");
    }

    #[test]
    fn b29_a_long_subject_is_cut_between_characters() {
        let raw = format!("Subject: {}\n\nx", "я".repeat(5000));
        let letter = read(raw.as_bytes(), Caps::DEFAULT);
        assert_eq!(letter.subject.chars().count(), SUBJECT);
    }

    #[test]
    fn a11_a_missing_or_malformed_message_id_is_none() {
        for (header, id) in [
            ("Message-ID: <a@b>", Some("a@b")),
            ("Message-Id: a@b", Some("a@b")),
            ("Message-ID:\n <a@b>", Some("a@b")),
            ("Message-ID: <>", None),
            ("Message-ID: <a@b> <c@d>", None),
            ("Message-ID: <a@b>\nMessage-ID: <c@d>", None),
            ("X: y", None),
        ] {
            let letter = read(format!("{header}\n\nx").as_bytes(), Caps::DEFAULT);
            assert_eq!(letter.message_id.as_deref(), id, "{header}");
        }
    }
}
