//! What a letter holds: its text and its files, with the wrappers opened that programs put around them (`BEHAVIOURS` B22, B23).

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::content_key::{self, Measured};
use super::fields::{self, Fields};
use super::file_name::{self, Names};
use super::parse::Caps;
use super::parts::{self, Part, Parts};
use super::text::{self, Chosen};
use super::{html, pkcs7, tnef, words};
use crate::desk::letter::Attachment;

/// Signed wrappers in signed wrappers, and letters in letters, that are opened for their text.
const DEEPEST: usize = 3;
/// Octets of a letter inside that are read for its subject.
const BEGINNING: usize = 64 * 1024;
/// Octets of a letter inside that are read for its text.
const INSIDE: usize = 1 << 20;

/// Text and files.
pub(crate) struct Content {
    /// The decoded text, LF line ends.
    pub(crate) text: String,
    /// The charset of the text: a hint for raw octets elsewhere.
    pub(crate) charset: Option<String>,
    /// What is not the text, in order.
    pub(crate) attachments: Vec<Attachment>,
    /// What was cut short, guessed or taken from a wrapper.
    pub(crate) faults: Vec<String>,
}

/// An attachment with its decoded octets.
pub(crate) struct File {
    /// What is told of it.
    pub(crate) about: Attachment,
    /// All of it.
    pub(crate) octets: Vec<u8>,
}

/// Reads the content; `measured` tells of every part.
pub(crate) fn read(parts: &Parts<'_>, measured: &[Measured], caps: Caps) -> Content {
    opened(parts, measured, caps, None).0
}

/// The same together with the attachments' octets, which take as much memory as the letter.
pub(crate) fn with_files(parts: &Parts<'_>, caps: Caps) -> (Content, Vec<File>) {
    let (content, octets) = opened(parts, &content_key::measure(parts), caps, Some(Vec::new()));
    let files = content.attachments.iter().cloned().zip(octets);
    let files = files
        .map(|(about, octets)| File { about, octets })
        .collect();
    (content, files)
}

fn opened(
    parts: &Parts<'_>,
    measured: &[Measured],
    caps: Caps,
    octets: Option<Vec<Vec<u8>>>,
) -> (Content, Vec<Vec<u8>>) {
    let mut opener = Opener {
        caps,
        names: Names::default(),
        attachments: Vec::new(),
        octets,
        faults: Vec::new(),
    };
    let chosen = opener.open(parts, measured, 0);
    let content = Content {
        text: chosen.text,
        charset: chosen.charset,
        attachments: opener.attachments,
        faults: opener.faults,
    };
    (content, opener.octets.unwrap_or_default())
}

struct Opener {
    caps: Caps,
    names: Names,
    attachments: Vec<Attachment>,
    /// Those of each attachment, where they are asked for.
    octets: Option<Vec<Vec<u8>>>,
    faults: Vec<String>,
}

/// What a wrapper held that the letter may lack: its text, and the charset of that.
type Inside = Option<(String, Option<String>)>;

impl Opener {
    /// Text and files of a letter, or of what was signed in one.
    fn open(&mut self, parts: &Parts<'_>, measured: &[Measured], depth: usize) -> Chosen {
        let mut chosen = text::choose(parts, self.caps.text_bytes);
        self.faults.append(&mut chosen.faults);
        let hint = chosen.charset.clone();
        let mut inside: Inside = None;
        for at in &chosen.attachments {
            let Some((part, measured)) = parts.list.get(*at).zip(measured.get(*at)) else {
                continue;
            };
            let (held, opened) = self.wrapper(part, depth);
            inside = inside.or(held);
            if !opened {
                self.attach(part, *measured, is_inline(parts, part), hint.as_deref());
            }
        }
        for file in std::mem::take(&mut chosen.files) {
            let name = words::text(&file.name, hint.as_deref());
            self.add(&name, "attachment.bin", file.media_type, &file.bytes, false);
        }
        if chosen.text.is_empty()
            && let Some((text, charset)) = inside.or_else(|| self.letter_inside(parts, depth))
        {
            chosen.text = text;
            chosen.charset = charset.or(hint);
        }
        chosen
    }

    /// Opens a part that wraps others: the text in it, and whether it is not to be shown itself because all that it held is.
    fn wrapper(&mut self, part: &Part<'_>, depth: usize) -> (Inside, bool) {
        match part.media_type() {
            "application/pkcs7-mime" | "application/x-pkcs7-mime" if depth < DEEPEST => {
                (self.signed(&part.decoded(), depth), false)
            }
            "application/ms-tnef" | "application/vnd.ms-tnef" | "application/octet-stream" => {
                let (beginning, _) = part.decoded_up_to(8);
                if tnef::is_tnef(&beginning) {
                    self.winmail(&part.decoded())
                } else {
                    (None, false)
                }
            }
            _ => (None, false),
        }
    }

    /// What was signed in an S/MIME wrapper; its files are shown beside the wrapper, which is the evidence.
    fn signed(&mut self, der: &[u8], depth: usize) -> Inside {
        let inner = pkcs7::signed_content(der)?;
        let parts = parts::read(&inner, self.caps);
        self.faults.extend(parts.faults.iter().cloned());
        let measured = content_key::measure(&parts);
        let chosen = self.open(&parts, &measured, depth.saturating_add(1));
        Some((chosen.text, chosen.charset)).filter(|(text, _)| !text.is_empty())
    }

    /// The files of a `winmail.dat`, and its text.
    fn winmail(&mut self, bytes: &[u8]) -> (Inside, bool) {
        let found = tnef::read(bytes);
        for file in &found.files {
            let media = match file.media_type.as_str() {
                "" => "application/octet-stream",
                given => given,
            };
            self.add(
                &file.name,
                "attachment.bin",
                media,
                &file.bytes,
                file.inline,
            );
        }
        let cap = self.caps.text_bytes;
        let text = found
            .text
            .filter(|t| !t.trim().is_empty())
            .or_else(|| {
                let page = html::to_text(&found.html?, cap);
                self.faults.extend(page.fault);
                Some(page.text)
            })
            .map(|t| text::visible(&t))
            .filter(|t| !t.trim().is_empty() && t.len() <= cap);
        let opened = !found.files.is_empty() || text.is_some();
        (text.map(|text| (text, None)), opened)
    }

    /// The text of the first letter inside: a letter forwarded as a file without a word. A report speaks for itself.
    fn letter_inside(&mut self, parts: &Parts<'_>, depth: usize) -> Inside {
        let root = parts.list.first()?;
        if depth >= DEEPEST || root.media_type() == "multipart/report" {
            return None;
        }
        let letter = parts.list.iter().find(|p| p.is_message())?;
        let (inner, _) = letter.decoded_up_to(INSIDE);
        let inner = parts::read(&inner, self.caps);
        let chosen = text::choose(&inner, self.caps.text_bytes);
        if chosen.text.is_empty() {
            return self.letter_inside(&inner, depth.saturating_add(1));
        }
        self.faults.push(
            "The letter has no text of its own; shown is that of the letter inside it".to_owned(),
        );
        Some((chosen.text, chosen.charset))
    }

    fn attach(&mut self, part: &Part<'_>, measured: Measured, inline: bool, hint: Option<&str>) {
        self.attachments.push(Attachment {
            name: self
                .names
                .unique(&given_name(part, hint), fallback_name(part)),
            media_type: words::clean(part.media_type()),
            size: measured.size,
            sha256: measured.exact(part),
            inline,
        });
        if let Some(octets) = &mut self.octets {
            octets.push(part.decoded().into_owned());
        }
    }

    fn add(&mut self, name: &str, fallback: &str, media_type: &str, bytes: &[u8], inline: bool) {
        self.attachments.push(Attachment {
            name: self.names.unique(name, fallback),
            media_type: words::clean(&media_type.to_ascii_lowercase()),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256: Sha256::digest(bytes).into(),
            inline,
        });
        if let Some(octets) = &mut self.octets {
            octets.push(bytes.to_vec());
        }
    }
}

/// Whether the text shows a part: it is an image that the page beside it names (RFC 2387, RFC 2392), or one with an identity of its own that
/// its sender wants shown in place.
fn is_inline(parts: &Parts<'_>, part: &Part<'_>) -> bool {
    let related = part
        .parent
        .and_then(|p| parts.list.get(p))
        .is_some_and(|p| p.media_type() == "multipart/related");
    let named = |field: &str| part.fields.first(field).is_some();
    let shown = part.disposition.head == "inline";
    part.media_type().starts_with("image/")
        && (related && (shown || named("Content-ID") || named("Content-Location"))
            || shown && named("Content-ID"))
}

/// The name that the sender gave; that of an unnamed letter inside is its subject.
fn given_name(part: &Part<'_>, hint: Option<&str>) -> String {
    if let Some(name) = file_name::given(part, hint) {
        return name;
    }
    if part.is_message() {
        let inside = subject_inside(part, hint).map_or_else(String::new, |s| with_extension(&s));
        if !inside.is_empty() {
            return inside;
        }
    }
    let described = part
        .fields
        .first("Content-Description")
        .map(|f| words::text(f.value, hint).replace(['/', '\\'], "_"))
        .filter(|d| !d.is_empty());
    described.map_or_else(String::new, |described| {
        let (_, extension) = fallback_name(part).rsplit_once('.').unwrap_or_default();
        let dotted = format!(".{extension}");
        let has_one = described
            .rsplit_once('.')
            .is_some_and(|(_, e)| (1..5).contains(&e.len()));
        let short: String = described.chars().take(120).collect();
        if has_one { short } else { short + &dotted }
    })
}

fn subject_inside(part: &Part<'_>, hint: Option<&str>) -> Option<String> {
    let (inner, _): (Cow<'_, [u8]>, bool) = part.decoded_up_to(BEGINNING);
    let skip = fields::leading_blanks(&inner);
    let inside = Fields::read(inner.get(skip..)?, BEGINNING, &|_| false);
    let subject = words::text(inside.first("Subject")?.value, hint).replace(['/', '\\'], "_");
    (!subject.is_empty()).then_some(subject)
}

/// The extension must survive the shortening of the name.
fn with_extension(subject: &str) -> String {
    format!("{}.eml", subject.chars().take(120).collect::<String>())
}

/// A name for a part that has none.
fn fallback_name(part: &Part<'_>) -> &'static str {
    match part.media_type() {
        "text/html" => "text.html",
        "text/plain" => "text.txt",
        "text/calendar" => "invitation.ics",
        "text/rfc822-headers" | "message/rfc822-headers" => "headers.txt",
        "message/rfc822" | "message/global" => "letter.eml",
        "message/delivery-status" => "delivery-status.txt",
        "image/jpeg" | "image/jpg" => "image.jpg",
        "image/png" => "image.png",
        "image/gif" => "image.gif",
        "application/pdf" => "document.pdf",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m",
        "application/pgp-signature" => "signature.asc",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "winmail.dat",
        _ => "attachment.bin",
    }
}
