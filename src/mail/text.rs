//! Which parts are the text of a letter and which are attachments (`BEHAVIOURS` B22), and the text decoded.

use super::charset;
use super::html;
use super::parts::{Part, Parts};

/// The text, and the parts that are not in it.
pub(crate) struct Chosen {
    /// The decoded text, LF line ends.
    pub(crate) text: String,
    /// The charset of the first text part, as declared: a hint for raw octets elsewhere.
    pub(crate) charset: Option<String>,
    /// Places of the parts that are attachments.
    pub(crate) attachments: Vec<usize>,
    /// What was cut short or guessed.
    pub(crate) faults: Vec<String>,
}

/// Chooses and decodes; at most `cap` octets of text are kept.
pub(crate) fn choose(parts: &Parts<'_>, cap: usize) -> Chosen {
    let mut chooser = Chooser {
        parts: &parts.list,
        children: children(&parts.list),
        cap,
        only_first: parts.cut,
        chosen: Chosen {
            text: String::new(),
            charset: None,
            attachments: Vec::new(),
            faults: Vec::new(),
        },
    };
    let mut text = chooser.visit(0, true);
    if parts.cut {
        chooser.chosen.attachments.clear();
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
            "multipart/related" | "multipart/report" | "multipart/signed" | "multipart/digest" => {
                self.first_of(&below)
            }
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

    fn first_of(&mut self, below: &[usize]) -> String {
        let mut text = String::new();
        for (place, child) in below.iter().enumerate() {
            let its_text_counts = text.trim().is_empty() && place == 0;
            let its = if its_text_counts {
                self.visit(*child, true)
            } else {
                self.attach_all(*child);
                String::new()
            };
            if its_text_counts {
                text = its;
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
            || matches!(
                part.media_type(),
                "text/plain" | "text/html" | "text/enriched"
            );
        let named = is_named(part);
        // A text with a name is a file, unless nothing came before it and nobody calls it an attachment.
        let is_root = part.parent.is_none();
        if !readable || !(is_inline(part) || is_root) || (named && !first && !is_root) {
            self.chosen.attachments.push(at);
            return String::new();
        }
        self.decode(part)
    }

    fn decode(&mut self, part: &Part<'_>) -> String {
        // Twice the cap of source is more than enough for the cap of text, and bounds the work.
        let most = self.cap.saturating_mul(4);
        let mut part = part.clone();
        if part.body.len() > most {
            part.body = part.body.get(..most).unwrap_or_default();
            self.chosen
                .faults
                .push("A text part is longer than is read".to_owned());
        }
        let bytes = part.decoded();
        let declared = part.media.plain("charset");
        let is_html = part.media_type() == "text/html";
        let meta = declared
            .clone()
            .or_else(|| is_html.then(|| meta_charset(&bytes)).flatten());
        let decoded = charset::decode(&bytes, meta.as_deref());
        if let Some(guess) = decoded.guessed {
            self.chosen.faults.push(match &declared {
                Some(declared) => format!(
                    "Text declared as {} read as {guess}",
                    super::words::clean(declared)
                ),
                None => format!("Text of no declared charset read as {guess}"),
            });
        }
        if self.chosen.charset.is_none() {
            self.chosen.charset = decoded.guessed.map(str::to_owned).or(declared);
        }
        let text = if is_html {
            html::to_text(&decoded.text)
        } else {
            flowed(&part, decoded.text)
        };
        visible(&text)
    }
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
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    out.push('\n');
                }
            }
            '\n' | '\t' => out.push(c),
            '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => out.push('\n'),
            c if super::words::is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

fn is_inline(part: &Part<'_>) -> bool {
    part.disposition.head != "attachment"
}

fn is_named(part: &Part<'_>) -> bool {
    part.disposition.text("filename", None).is_some() || part.media.text("name", None).is_some()
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
