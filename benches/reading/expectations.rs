//! What is expected of one letter beside what was read of it, compared as a fair judge would.

use postdesk::desk::address::Address;
use postdesk::desk::letter::{Attachment, Automatic, From, Letter};
use serde_json::Value;

use crate::manifest::Entry;
use crate::table::Table;

/// Compares every expectation of an entry that the desk has an answer to. `other` are the attachments of the same letter with LF line ends:
/// many readers count those.
pub fn compare(entry: &Entry, letter: &Letter, other: &[Attachment], table: &mut Table) {
    for (key, expected) in &entry.expect {
        let mut case = Case {
            file: &entry.file,
            letter,
            other,
            table,
        };
        case.one(key, expected);
    }
}

struct Case<'c> {
    file: &'c str,
    letter: &'c Letter,
    /// The attachments of the same letter with LF line ends.
    other: &'c [Attachment],
    table: &'c mut Table,
}

impl Case<'_> {
    fn one(&mut self, key: &str, expected: &Value) {
        let letter = self.letter;
        match key {
            "subject" => self.same("subject", text(expected), &letter.subject),
            "from" => {
                let (_, got) = named(&letter.from);
                // An address is compared as the desk writes it: IDN and a dot at the end make no difference.
                let wanted = text(expected).trim();
                let right = match (Address::new(wanted), Address::new(&got)) {
                    (Ok(wanted), Ok(got)) => wanted == got,
                    _ => spaced(wanted) == spaced(&got),
                };
                self.note("from", right, text(expected), &got);
            }
            "from_name" => {
                let got = plain_name(&named(&letter.from).0);
                let right = alike(&plain_name(text(expected)), &got);
                self.note("from name", right, text(expected), &got);
            }
            "to" | "to_list" | "reply_to" => self.addresses(key, expected),
            "message_id" => {
                let wanted = text(expected).trim_matches(['<', '>']);
                self.same(
                    "message-id",
                    wanted,
                    letter.message_id.as_deref().unwrap_or_default(),
                );
            }
            "text_contains" => {
                let read = spaced(&letter.text);
                for piece in texts(expected) {
                    let right = holds(&read, &spaced(piece));
                    self.note("text", right, piece, &letter.text);
                }
            }
            "attachments" => self.attachments(expected),
            "attachment_count" => {
                self.count(expected.as_u64().unwrap_or_default());
            }
            "reply_text" | "reply_contains" | "reply_not_contains" | "reply_is_whole_text" => {
                self.reply(key, expected);
            }
            _ => self.automatic(key, expected),
        }
    }

    fn addresses(&mut self, key: &str, expected: &Value) {
        let (kind, got) = match key {
            "reply_to" => ("reply-to", &self.letter.reply_to),
            _ => ("to", &self.letter.to),
        };
        let got: Vec<String> = got.iter().map(ToString::to_string).collect();
        let right = texts(expected).iter().all(|wanted| {
            got.iter()
                .any(|g| wanted.to_lowercase().contains(&g.to_lowercase()))
        });
        self.note(kind, right, &expected.to_string(), &got.join(", "));
    }

    /// Some count the pictures that the text shows, and some don't.
    fn count(&mut self, expected: u64) {
        let all = self.letter.attachments.len() as u64;
        let shown = self.letter.attachments.iter().filter(|a| a.inline).count() as u64;
        let right = expected == all || expected == all - shown;
        let got = format!("{all}, {shown} of them shown in the text");
        self.note("attachment count", right, &expected.to_string(), &got);
    }

    /// Each expected attachment is looked for by its name; one of several with that name may have the size.
    fn attachments(&mut self, expected: &Value) {
        let expected = expected.as_array().map(Vec::as_slice).unwrap_or_default();
        let got = &self.letter.attachments;
        let told: Vec<String> = got
            .iter()
            .map(|a| format!("{} ({})", a.name, a.size))
            .collect();
        let told = told.join(", ");
        self.count(expected.len() as u64);
        let mut free: Vec<&Attachment> = got.iter().collect();
        for wanted in expected {
            let size = wanted["size"].as_u64();
            let Some(name) = wanted["name"].as_str() else {
                // No name is expected: what the desk calls it is its own affair.
                if let Some(size) = size {
                    let right = got.iter().any(|a| self.has_size(a, size));
                    self.note("attachment sizes", right, &wanted.to_string(), &told);
                }
                continue;
            };
            let named = |a: &&Attachment| same_name(name, &a.name);
            let exact = |a: &&Attachment| named(a) && size.is_none_or(|s| self.has_size(a, s));
            let found = free.iter().position(exact).or(free.iter().position(named));
            let found = found.map(|at| free.remove(at));
            self.note("attachment names", found.is_some(), name, &told);
            if let Some(size) = size {
                let right = match found {
                    Some(found) => self.has_size(found, size),
                    None => got.iter().any(|a| self.has_size(a, size)),
                };
                self.note("attachment sizes", right, &wanted.to_string(), &told);
            }
        }
    }

    /// Whether an attachment has this size, its line ends as sent or LF.
    fn has_size(&self, attachment: &Attachment, size: u64) -> bool {
        let twin = self.other.iter().find(|o| o.name == attachment.name);
        attachment.size == size || twin.is_some_and(|t| t.size == size)
    }

    fn reply(&mut self, key: &str, expected: &Value) {
        let letter = self.letter;
        let got = spaced(&letter.new_text);
        match key {
            "reply_text" => self.same("exact reply", text(expected), &letter.new_text),
            "reply_is_whole_text" => {
                self.same("exact reply", &letter.text, &letter.new_text);
            }
            "reply_contains" => {
                for piece in texts(expected) {
                    let right = got.contains(&spaced(piece));
                    self.note("reply holds", right, piece, &letter.new_text);
                }
            }
            _ => {
                for piece in texts(expected) {
                    let right = !got.contains(&spaced(piece));
                    self.note("reply holds not", right, piece, &letter.new_text);
                }
            }
        }
    }

    /// What tells machines from people.
    fn automatic(&mut self, key: &str, expected: &Value) {
        let kind = self.letter.automatic.as_ref().map(|(kind, _)| *kind);
        let got = match &self.letter.automatic {
            Some((kind, why)) => format!("{} ({why})", kind.word()),
            None => "a person".to_owned(),
        };
        let yes = expected.as_bool() == Some(true);
        match key {
            "is_bounce" => {
                let right = (kind == Some(Automatic::Bounce)) == yes;
                self.note("is_bounce", right, &expected.to_string(), &got);
            }
            // A delivery status may also be that it arrived.
            "is_dsn" => {
                let status = matches!(kind, Some(Automatic::Bounce | Automatic::Receipt));
                self.note("is_dsn", status == yes, &expected.to_string(), &got);
            }
            "is_auto_reply" => {
                let right = (kind == Some(Automatic::AutoReply)) == yes;
                self.note("is_auto", right, &expected.to_string(), &got);
            }
            "is_feedback_report" => {
                let right = (kind.is_some() && kind != Some(Automatic::Bounce)) == yes;
                self.note("is_report", right, &expected.to_string(), &got);
            }
            "bounces" | "bounce_temporary" | "failed_recipients" | "original_message_id" => {
                self.bounce(key, expected);
            }
            // Nothing that the desk tells: parts counted, threads, signatures.
            _ => {}
        }
    }

    fn bounce(&mut self, key: &str, expected: &Value) {
        let bounce = self.letter.bounce.as_ref();
        let told = bounce.map_or_else(
            || "no bounce".to_owned(),
            |b| {
                format!(
                    "{} {} {} permanent={}",
                    b.action,
                    b.recipient.as_deref().unwrap_or("-"),
                    b.status.as_deref().unwrap_or("-"),
                    b.permanent
                )
            },
        );
        match key {
            "bounces" => {
                // What is no bounce (a delivery, a vacation notice) is neither.
                let failed = |b: &&Value| {
                    b["status"]
                        .as_str()
                        .is_some_and(|s| s.starts_with(['4', '5']))
                };
                let all = expected.as_array().into_iter().flatten().filter(failed);
                if let Some(first) = all.clone().next() {
                    let right = all
                        .map(|b| b["hard"].as_bool())
                        .any(|hard| bounce.map(|b| b.permanent) == hard);
                    self.note("hard or soft", right, &first.to_string(), &told);
                }
            }
            "bounce_temporary" => {
                // Of the report and not of the address: what failed for good may have failed at a full mailbox.
                let right = bounce.map(|b| b.action != "failed") == expected.as_bool();
                self.note(
                    "final or delayed",
                    right,
                    &format!("temporary: {expected}"),
                    &told,
                );
            }
            "failed_recipients" => {
                let wanted = texts(expected);
                let got = bounce.and_then(|b| b.recipient.as_deref());
                let right = got.is_some_and(|g| wanted.iter().any(|w| w.eq_ignore_ascii_case(g)));
                if !wanted.is_empty() {
                    self.note("failed recipient", right, &wanted.join(", "), &told);
                }
            }
            _ => {
                let got = bounce.and_then(|b| b.original_message_id.as_deref());
                self.same(
                    "bounced letter's id",
                    text(expected).trim_matches(['<', '>']),
                    got.unwrap_or_default(),
                );
            }
        }
    }

    /// The same but for white space.
    fn same(&mut self, kind: &'static str, expected: &str, got: &str) {
        let right = alike(&spaced(expected), &spaced(got));
        self.note(kind, right, expected, got);
    }

    fn note(&mut self, kind: &'static str, right: bool, expected: &str, got: &str) {
        self.table.note(kind, self.file, right, expected, got);
    }
}

/// The name and address that the letter gives its sender, as `explain` prints them, also where nobody is taken for it.
fn named(from: &From) -> (String, String) {
    match from {
        From::One { address, name } => (name.clone(), address.to_string()),
        From::Nobody { claimed, .. } => (claimed.name.clone(), claimed.address.clone()),
    }
}

/// Where U+FFFD stands in what was read, though it does not in the letter.
pub fn unreadable(letter: &Letter, raw: &[u8]) -> Option<String> {
    let sent: [&[u8]; 4] = ["\u{fffd}".as_bytes(), b"=EF=BF=BD", b"&#65533;", b"77+9"];
    if sent.iter().any(|s| raw.windows(s.len()).any(|w| w == *s)) {
        return None;
    }
    let name = match &letter.from {
        From::One { name, .. } => name,
        From::Nobody { shown, .. } => shown,
    };
    let mut places = vec![
        ("subject", letter.subject.as_str()),
        ("from", name.as_str()),
        ("text", letter.text.as_str()),
    ];
    places.extend(
        letter
            .attachments
            .iter()
            .map(|a| ("attachment", a.name.as_str())),
    );
    let (place, text) = places.into_iter().find(|(_, t)| t.contains('\u{fffd}'))?;
    let (before, after) = text.split_once('\u{fffd}').unwrap_or_default();
    let from = before.chars().count().saturating_sub(40);
    let mut around: String = before.chars().skip(from).collect();
    around.push('\u{fffd}');
    around.extend(after.chars().take(40));
    Some(format!("{place}: {around}"))
}

/// White space of any kind and length is one blank.
fn spaced(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    words.join(" ")
}

/// What nobody sees makes no difference.
fn is_invisible(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

/// The same, or the same where the one who expected it could read: his U+FFFD stand for any characters that are not ASCII.
fn alike(expected: &str, got: &str) -> bool {
    let mut pieces = expected.split('\u{fffd}').filter(|p| !p.is_empty());
    if !expected.contains('\u{fffd}') {
        return expected == got;
    }
    let mut rest = got;
    pieces.all(|piece| {
        rest.find(piece).is_some_and(|at| {
            let passed = rest[..at].chars().all(|c| !c.is_ascii());
            rest = &rest[at + piece.len()..];
            passed
        })
    }) && rest.chars().all(|c| !c.is_ascii())
}

/// Whether a text stands in another, as [`alike`] compares.
fn holds(text: &str, piece: &str) -> bool {
    let first = piece.split('\u{fffd}').next().unwrap_or_default();
    if first.len() == piece.len() {
        return text.contains(piece);
    }
    let length = piece.chars().count();
    text.match_indices(first).any(|(at, _)| {
        let beginning: String = text[at..].chars().take(length).collect();
        alike(piece, &beginning)
    })
}

/// Quotation marks around a name are its writer's habit.
fn plain_name(name: &str) -> String {
    spaced(name.trim().trim_matches(['"', '\'']))
}

/// A name made safe is the same name: no path, `_` for what a file system refuses, a number against a twin.
fn same_name(expected: &str, got: &str) -> bool {
    let last = |name: &str| {
        let visible: String = name.chars().filter(|c| !c.is_control()).collect();
        let piece = visible.rsplit(['/', '\\']).next().unwrap_or_default();
        let plain: String = piece
            .chars()
            .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
            .collect();
        spaced(&plain)
    };
    let (expected, got) = (last(expected), last(got));
    if alike(&expected, &got) {
        return true;
    }
    // ` (2)` before the extension.
    let (stem, extension) = got.rsplit_once('.').unwrap_or((&got, ""));
    stem.rsplit_once(" (")
        .and_then(|(stem, number)| {
            number.strip_suffix(')')?.parse::<u32>().ok()?;
            Some(
                format!("{stem}.{extension}")
                    .trim_end_matches('.')
                    .to_owned(),
            )
        })
        .is_some_and(|unnumbered| unnumbered == expected)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::String(one) => vec![one],
        _ => vec![],
    }
}
