//! Which parts are the text of a letter and which are attachments (`BEHAVIOURS` B22), and the text decoded.

use std::borrow::Cow;

use super::parts::{Part, Parts};
use super::{armour, charset, file_name, html, uuencode};

/// Longest name of a charset that is shown, in characters.
const LABEL: usize = 60;
/// Faults kept.
const FAULTS: usize = 20;

/// The text, and the parts that are not in it.
pub(crate) struct Chosen {
    /// The decoded text, LF line ends.
    pub(crate) text: String,
    /// The charset of the first text part, as declared: a hint for raw octets elsewhere.
    pub(crate) charset: Option<String>,
    /// Places of the parts that are attachments.
    pub(crate) attachments: Vec<usize>,
    /// Files that stood in the text itself.
    pub(crate) files: Vec<Held>,
    /// What was cut short or guessed.
    pub(crate) faults: Vec<String>,
}

/// A file that stood in a plain text.
pub(crate) struct Held {
    /// Its name, as octets.
    pub(crate) name: Vec<u8>,
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its octets.
    pub(crate) bytes: Vec<u8>,
}

/// Chooses and decodes; at most `cap` octets of text are kept.
pub(crate) fn choose(parts: &Parts<'_>, cap: usize) -> Chosen {
    let mut chooser = Chooser {
        parts: &parts.list,
        children: children(&parts.list),
        cap,
        left: cap,
        only_first: parts.cut,
        chosen: Chosen {
            text: String::new(),
            charset: None,
            attachments: Vec::new(),
            files: Vec::new(),
            faults: Vec::new(),
        },
    };
    let mut text = chooser.visit(0, true);
    if parts.cut {
        chooser.chosen.attachments.clear();
        chooser.chosen.files.clear();
    }
    if text.len() > cap {
        let end = (0..=cap).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        chooser
            .chosen
            .faults
            .push(format!("Text longer than {cap} octets, cut short"));
    }
    let mut chosen = chooser.chosen;
    chosen.attachments.sort_unstable();
    chosen.text = if text.trim().is_empty() {
        String::new()
    } else {
        text
    };
    chosen
}

struct Chooser<'p, 'a> {
    parts: &'p [Part<'a>],
    children: Vec<Vec<usize>>,
    cap: usize,
    /// Octets of text that are still read; what is read and not used counts too.
    left: usize,
    only_first: bool,
    chosen: Chosen,
}

impl Chooser<'_, '_> {
    /// The text of a part and all below it; depth is capped by the walk. `first` tells a multipart's first child.
    fn visit(&mut self, at: usize, first: bool) -> String {
        let Some(part) = self.parts.get(at) else {
            return String::new();
        };
        if !part.is_multipart {
            return self.leaf(at, part, first);
        }
        let below = self.children.get(at).cloned().unwrap_or_default();
        match part.media_type() {
            "multipart/alternative" => self.alternative(&below),
            "multipart/related" => {
                let root = self.root(part, &below);
                self.one_of(&below, root)
            }
            "multipart/report" | "multipart/signed" | "multipart/digest" => self.one_of(&below, 0),
            _ => self.all_of(&below),
        }
    }

    /// The first readable plain text, else the first readable one of any kind.
    fn alternative(&mut self, below: &[usize]) -> String {
        let mut fallback = String::new();
        let mut plain = String::new();
        for child in below {
            let is_html = self.parts.get(*child).is_some_and(|p| {
                p.media_type() == "text/html" || p.media_type() == "multipart/related"
            });
            if is_html && !plain.is_empty() && self.is_bare_html(*child) {
                // The twin of the text: neither shown nor an attachment.
                continue;
            }
            let text = self.visit(*child, true);
            if text.trim().is_empty() {
                continue;
            }
            let into = if is_html { &mut fallback } else { &mut plain };
            if into.is_empty() {
                *into = text;
            }
        }
        if plain.is_empty() { fallback } else { plain }
    }

    fn is_bare_html(&self, at: usize) -> bool {
        self.parts
            .get(at)
            .is_some_and(|p| p.media_type() == "text/html" && is_inline(p))
    }

    /// The place of the page that the others are parts of (RFC 2387 3.2): named by `start`, else the first.
    fn root(&self, related: &Part<'_>, below: &[usize]) -> usize {
        let bare = |id: &str| id.trim().trim_matches(['<', '>']).to_owned();
        let Some(start) = related.media.plain("start").map(|s| bare(&s)) else {
            return 0;
        };
        let is_start = |at: &usize| {
            let id = self
                .parts
                .get(*at)
                .and_then(|p| p.fields.plain("Content-ID"));
            id.is_some_and(|id| bare(&id) == start)
        };
        below.iter().position(is_start).unwrap_or_default()
    }

    /// The text of one child; the others are attachments.
    fn one_of(&mut self, below: &[usize], wanted: usize) -> String {
        let mut text = String::new();
        for (place, child) in below.iter().enumerate() {
            if place == wanted {
                text = self.visit(*child, true);
            } else {
                self.attach_all(*child);
            }
        }
        text
    }

    fn all_of(&mut self, below: &[usize]) -> String {
        let mut text = String::new();
        for (place, child) in below.iter().enumerate() {
            if self.only_first && !text.trim().is_empty() {
                break;
            }
            let its = self.visit(*child, place == 0);
            if its.trim().is_empty() || text.len() > self.cap {
                continue;
            }
            if !text.is_empty() {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push('\n');
            }
            text.push_str(&its);
        }
        text
    }

    fn attach_all(&mut self, at: usize) {
        let is_multipart = self.parts.get(at).is_some_and(|p| p.is_multipart);
        if !is_multipart {
            self.chosen.attachments.push(at);
            return;
        }
        for child in self.children.get(at).cloned().unwrap_or_default() {
            self.attach_all(child);
        }
    }

    fn leaf(&mut self, at: usize, part: &Part<'_>, first: bool) -> String {
        // A multipart that has no parts is read as the text that it holds.
        let broken = part.media_type().starts_with("multipart/");
        let readable = broken
            || self.is_whole_report(at, part)
            || matches!(
                part.media_type(),
                "text/plain" | "text/html" | "text/enriched"
            );
        let named = file_name::given(part, None).is_some();
        // A text with a name is a file, unless nothing came before it and nobody calls it an attachment.
        let is_root = part.parent.is_none();
        if !readable || !(is_inline(part) || is_root) || (named && !first && !is_root) {
            self.chosen.attachments.push(at);
            return String::new();
        }
        self.decode(part)
    }

    /// A report that begins with its delivery status has no other text (RFC 6522 3 demands one for people first).
    fn is_whole_report(&self, at: usize, part: &Part<'_>) -> bool {
        let parent = part.parent.and_then(|p| self.parts.get(p).zip(Some(p)));
        part.media_type() == "message/delivery-status"
            && parent.is_some_and(|(parent, place)| {
                parent.media_type() == "multipart/report" && place.saturating_add(1) == at
            })
    }

    /// Every part can have its fault; a person reads the first few.
    fn fault(&mut self, fault: String) {
        if self.chosen.faults.len() < FAULTS {
            self.chosen.faults.push(fault);
        }
    }

    /// The octets of a text, without the files and signatures that stand in it, and whether there are more.
    fn octets<'b>(&mut self, part: &'b Part<'_>) -> (Cow<'b, [u8]>, bool) {
        let (mut bytes, mut cut) = part.decoded_up_to(self.left);
        if part.media_type() == "text/plain" {
            if cut && uuencode::begins(&bytes) {
                // The file is what makes it long.
                bytes = part.decoded();
            }
            if let Some((text, files)) = uuencode::split(&bytes) {
                self.chosen.files.extend(files.into_iter().map(|file| Held {
                    name: file.name,
                    media_type: "application/octet-stream",
                    bytes: file.bytes,
                }));
                cut = text.len() > self.left;
                bytes = Cow::Owned(text);
            }
            if let Some((text, signatures)) = armour::split(&bytes) {
                self.chosen
                    .files
                    .extend(signatures.into_iter().map(|bytes| Held {
                        name: b"signature.asc".to_vec(),
                        media_type: "application/pgp-signature",
                        bytes,
                    }));
                bytes = Cow::Owned(text);
            }
            if bytes.len() > self.left {
                cut = true;
                bytes = Cow::Owned(bytes.get(..self.left).unwrap_or_default().to_vec());
            }
        }
        self.left = self.left.saturating_sub(bytes.len());
        (bytes, cut)
    }

    fn decode(&mut self, part: &Part<'_>) -> String {
        let (bytes, cut) = self.octets(part);
        let mut bytes = &*bytes;
        if cut {
            self.fault("Text longer than is read, cut short".to_owned());
            bytes = whole_characters(bytes);
        }
        let declared = part.media.plain("charset");
        let is_html = part.media_type() == "text/html";
        let meta = declared
            .clone()
            .or_else(|| is_html.then(|| meta_charset(bytes)).flatten());
        let decoded = charset::decode(bytes, meta.as_deref());
        if let Some(guess) = decoded.guessed {
            self.fault(match &declared {
                Some(declared) => {
                    format!("Text declared as {} read as {guess}", label(declared))
                }
                None => format!("Text of no declared charset read as {guess}"),
            });
        }
        if self.chosen.charset.is_none() {
            self.chosen.charset = decoded.guessed.map(str::to_owned).or(declared);
        }
        let text = if is_html {
            let page = html::to_text(&decoded.text, self.cap);
            page.fault.into_iter().for_each(|fault| self.fault(fault));
            page.text
        } else {
            flowed(part, decoded.text)
        };
        visible(&text)
    }
}

/// Octets without the part of a character at their end: a cut there must not make the charset doubtful.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(fault) if fault.error_len().is_none() => {
            bytes.get(..fault.valid_up_to()).unwrap_or(bytes)
        }
        _ => bytes,
    }
}

/// What a sender calls a charset, fit for a fault.
fn label(declared: &str) -> String {
    declared
        .chars()
        .filter(char::is_ascii_graphic)
        .take(LABEL)
        .collect()
}

/// `format=flowed` (RFC 3676 4.2): soft line ends undone, stuffing removed; quotations keep their lines.
fn flowed(part: &Part<'_>, text: String) -> String {
    if !part
        .media
        .plain("format")
        .is_some_and(|f| f.eq_ignore_ascii_case("flowed"))
    {
        return text;
    }
    let drop_space = part
        .media
        .plain("delsp")
        .is_some_and(|d| d.eq_ignore_ascii_case("yes"));
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let unstuffed = line.strip_prefix(' ').unwrap_or(line);
        let soft = unstuffed.ends_with(' ') && unstuffed != "-- " && !unstuffed.starts_with('>');
        if soft {
            out.push_str(if drop_space {
                unstuffed.strip_suffix(' ').unwrap_or(unstuffed)
            } else {
                unstuffed
            });
        } else {
            out.push_str(unstuffed);
            out.push('\n');
        }
    }
    out
}

/// The charset that an HTML page declares for itself, where the part declares none.
fn meta_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(bytes.get(..2048).unwrap_or(bytes)).to_ascii_lowercase();
    let (_, after) = head.split_once("charset=")?;
    let label: String = after
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':'))
        .collect();
    (!label.is_empty()).then_some(label)
}

/// The text without characters that only terminals and deceivers need; LF line ends.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_dubious) {
        let (plain, dubious) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = dubious.chars();
        let first = chars.next();
        rest = chars.as_str();
        match first {
            Some('\r') if rest.starts_with('\n') => {}
            Some('\r' | '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}') => out.push('\n'),
            Some(c) if !super::words::is_hidden(c) => out.push(c),
            Some(_) | None => {}
        }
    }
    out.push_str(rest);
    out
}

/// Whether a character that begins with this octet may be one that is not shown. All other text is taken over as it stands.
fn is_dubious(octet: u8) -> bool {
    match octet {
        b'\n' | b'\t' | b' '..=b'~' => false,
        // What continues a character, and the letters of Greek, Cyrillic and their neighbours.
        0x80..=0xbf | 0xc3..=0xd7 => false,
        _ => true,
    }
}

fn is_inline(part: &Part<'_>) -> bool {
    part.disposition.head != "attachment"
}

fn children(parts: &[Part<'_>]) -> Vec<Vec<usize>> {
    let mut below = vec![Vec::new(); parts.len()];
    for (at, part) in parts.iter().enumerate() {
        if let Some(list) = part.parent.and_then(|p| below.get_mut(p)) {
            list.push(at);
        }
    }
    below
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "tests"
    )]
    use super::*;
    use crate::mail::parse::Caps;
    use crate::mail::parts;

    fn chosen(raw: &str, cap: usize) -> Chosen {
        choose(&parts::read(raw.as_bytes(), Caps::DEFAULT), cap)
    }

    #[test]
    fn s31_all_parts_together_are_decoded_up_to_the_cap_between_characters() {
        let part = |encoding: &str, body: &str| {
            format!(
                "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{body}\n"
            )
        };
        let ascii = "a ".repeat(50);
        for (encoding, body) in [
            ("8bit", format!("{ascii}{}", "я".repeat(1_000))),
            (
                "quoted-printable",
                format!("{ascii}{}", "=D1=8F".repeat(1_000)),
            ),
            ("base64", format!("YSBh{}", "0Y/Rj9GP".repeat(1_000))),
        ] {
            let one = part(encoding, &body);
            let raw = format!(
                "Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n",
                one.repeat(20)
            );
            let chosen = chosen(&raw, 5_101);
            assert!(
                chosen.text.len() <= 5_101 && chosen.text.len() > 4_000,
                "{encoding}"
            );
            assert!(
                chosen.text.chars().all(|c| "aя \n".contains(c)),
                "{encoding}"
            );
            assert!(
                chosen.faults.iter().any(|f| f.contains("cut short")),
                "{encoding}"
            );
            assert!(chosen.faults.len() <= FAULTS + 1);
        }
    }

    #[test]
    fn s31_the_name_of_a_charset_is_shown_short_and_in_ascii() {
        let name = format!("x\u{301}\u{7}я{}", "y".repeat(500));
        let raw = "Content-Type: text/plain; charset=\"NAME\"\n\n\u{fd}".replace("NAME", &name);
        let mut raw = raw.into_bytes();
        raw.extend(encoding_rs::WINDOWS_1251.encode("Привет").0.iter());
        let parts = parts::read(&raw, Caps::DEFAULT);
        let chosen = choose(&parts, 1_000);
        assert_eq!(
            chosen.faults,
            [format!(
                "Text declared as x{} read as windows-1251",
                "y".repeat(59)
            )]
        );
    }
}
