//! The light markup of our wordings: what a template rendered becomes plain text and a small HTML document, from one source.
//!
//! What a notice tells comes framed (see [`frame`]), so that it is never read as markup, whatever it says. `docs/letters.md` describes the markup.

use crate::desk::people::Locale;

const TOLD: char = '\u{2}';
const TOLD_END: char = '\u{3}';
const BREAK: char = '\u{4}';
const ZONE: char = '\u{5}';
const ZONE_END: char = '\u{6}';

/// Frames a told value for the template's output: it is data from here on. `text` has no control characters but LF and what [`zoned`] put there.
pub fn frame(text: &str) -> String {
    format!("{TOLD}{}{TOLD_END}", text.replace('\n', &BREAK.to_string()))
}

/// A moment with the name of its zone, which is said once in a letter and again only where it changes.
pub fn zoned(moment: &str, zone: &str) -> String {
    format!("{moment}{ZONE}{zone}{ZONE_END}")
}

/// The line above which people are asked to write, in letters that cite; what stands below it in a reply is ours.
pub fn reply_marker(locale: Locale) -> &'static str {
    match locale {
        Locale::Ru => "――― Пишите ответ выше этой линии ―――",
        Locale::En => "――― Please write your reply above this line ―――",
    }
}

/// A stretch of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Written by the author of the wording.
    Own(String),
    /// Told by the notice.
    Told(String),
    /// The zone of the moment before it.
    Zone(String),
}

type Line = Vec<Piece>;

/// What a wording is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    /// Lines that a hard break parts.
    Paragraph(Vec<Line>),
    /// Rows of a key and what it is.
    Table(Vec<(Line, Line)>),
    /// Somebody's own words.
    Cite(Vec<Line>),
    /// Things of one kind.
    List(Vec<Line>),
    /// Words that a click composes a reply with.
    Actions(Vec<String>),
    /// The line above which people write.
    Marker,
}

/// A wording with everything told, ready to be set as text or HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The subject, one line, as the wording has it.
    pub subject: String,
    blocks: Vec<Block>,
}

/// Why a rendered wording is no letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFault {
    /// The first line does not begin with `Subject: `, or says nothing after it.
    NoSubject,
    /// Nothing follows the subject.
    NoText,
}

impl std::fmt::Display for PageFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoSubject => "the first line must be `Subject: ` and a subject",
            Self::NoText => "nothing follows the subject",
        })
    }
}

impl Page {
    /// Reads what a template rendered.
    ///
    /// # Errors
    /// It lacks what a letter needs.
    pub fn read(rendered: &str) -> Result<Self, PageFault> {
        let mut lines = split(rendered).into_iter();
        let first = lines.next().unwrap_or_default();
        let subject = without_prefix(&first, "Subject: ").ok_or(PageFault::NoSubject)?;
        let subject = plain(&subject).trim().to_owned();
        if subject.is_empty() {
            return Err(PageFault::NoSubject);
        }
        let mut blocks = Vec::new();
        for line in lines {
            place(&mut blocks, line);
        }
        let mut blocks: Vec<Block> = blocks.into_iter().flatten().collect();
        if blocks.is_empty() {
            return Err(PageFault::NoText);
        }
        name_zones_once(&mut blocks);
        Ok(Self { subject, blocks })
    }

    /// Plain text: LF line ends, paragraphs unwrapped, aligned tables.
    pub fn text(&self, locale: Locale) -> String {
        let blocks: Vec<String> = self
            .blocks
            .iter()
            .filter_map(|block| block_text(block, locale))
            .collect();
        let mut text = blocks.join("\n\n");
        text.push('\n');
        text
    }

    /// A small HTML document without anything remote. `actions` makes the address of a button from its word; without it there are no buttons.
    pub fn html(
        &self,
        locale: Locale,
        title: &str,
        actions: Option<&dyn Fn(&str) -> String>,
    ) -> String {
        let lang = match locale {
            Locale::Ru => "ru",
            Locale::En => "en",
        };
        let mut body = String::new();
        for block in &self.blocks {
            block_html(&mut body, block, locale, actions);
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
             <title>{}</title>\n<style>:root{{color-scheme:light dark}}</style>\n</head>\n\
             <body style=\"margin:0;padding:0\">\n\
             <table role=\"presentation\" width=\"600\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" \
             style=\"width:100%;max-width:600px\">\n<tr>\n<td style=\"padding:16px;font:16px/1.5 \
             'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;overflow-wrap:anywhere;word-break:break-word\">\n\
             {body}</td>\n</tr>\n</table>\n</body>\n</html>\n",
            escape(title)
        )
    }
}

/// Takes framing apart: lines of pieces.
fn split(rendered: &str) -> Vec<Line> {
    let mut lines = vec![];
    let mut line: Line = vec![];
    let mut now = String::new();
    let mut told = false;
    for c in rendered.chars() {
        let piece: Option<fn(String) -> Piece> = match c {
            '\n' | TOLD => Some(Piece::Own),
            TOLD_END | ZONE => Some(Piece::Told),
            ZONE_END => Some(Piece::Zone),
            _ => None,
        };
        let Some(piece) = piece else {
            now.push(if told && c == BREAK { '\n' } else { c });
            continue;
        };
        if !now.is_empty() {
            line.push(piece(std::mem::take(&mut now)));
        }
        told = matches!(c, TOLD | ZONE | ZONE_END);
        if c == '\n' {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !now.is_empty() {
        line.push(Piece::Own(now));
    }
    lines.push(line);
    lines
}

/// Puts a line where it belongs: to the block before it if that is of its kind, else into one of its own. A blank line ends a block.
fn place(blocks: &mut Vec<Option<Block>>, line: Line) {
    let raw = match line.as_slice() {
        [] => String::new(),
        [Piece::Own(own)] => own.trim_end().to_owned(),
        _ => "\u{2}".to_owned(),
    };
    if raw.is_empty() {
        blocks.push(None);
        return;
    }
    if raw == "---" {
        blocks.push(Some(Block::Marker));
        return;
    }
    if let Some(word) = action(&line) {
        match blocks.last_mut() {
            Some(Some(Block::Actions(words))) => words.push(word),
            _ => blocks.push(Some(Block::Actions(vec![word]))),
        }
    } else if let Some((key, value)) = without_prefix(&line, "| ").and_then(row) {
        match blocks.last_mut() {
            Some(Some(Block::Table(rows))) => rows.push((key, value)),
            _ => blocks.push(Some(Block::Table(vec![(key, value)]))),
        }
    } else if let Some(cited) = without_prefix(&line, "> ") {
        match blocks.last_mut() {
            Some(Some(Block::Cite(lines))) => lines.push(cited),
            _ => blocks.push(Some(Block::Cite(vec![cited]))),
        }
    } else if let Some(item) = without_prefix(&line, "- ") {
        match blocks.last_mut() {
            Some(Some(Block::List(items))) => items.push(item),
            _ => blocks.push(Some(Block::List(vec![item]))),
        }
    } else {
        match blocks.last_mut() {
            Some(Some(Block::Paragraph(lines))) => continue_paragraph(lines, line),
            _ => blocks.push(Some(Block::Paragraph(vec![line]))),
        }
    }
}

/// A line of a paragraph continues the one before it, unless that ends in a backslash.
fn continue_paragraph(lines: &mut Vec<Line>, line: Line) {
    let Some(last) = lines.last_mut() else {
        lines.push(line);
        return;
    };
    if let Some(Piece::Own(own)) = last.last_mut()
        && let Some(before) = own.strip_suffix('\\')
    {
        *own = before.trim_end().to_owned();
        lines.push(line);
        return;
    }
    last.push(Piece::Own(" ".to_owned()));
    last.extend(line);
}

fn without_prefix(line: &Line, prefix: &str) -> Option<Line> {
    let (Piece::Own(first), rest) = line.split_first()? else {
        return None;
    };
    let first = first.strip_prefix(prefix)?.to_owned();
    let mut line = vec![Piece::Own(first)];
    line.extend_from_slice(rest);
    Some(line)
}

/// The word of `[[word]]`.
fn action(line: &Line) -> Option<String> {
    let mut line = without_prefix(line, "[[")?;
    let Some(Piece::Own(last)) = line.last_mut() else {
        return None;
    };
    *last = last.trim_end().strip_suffix("]]")?.to_owned();
    Some(plain(&line))
}

/// The key before the first colon of the author's own, and what follows.
fn row(line: Line) -> Option<(Line, Line)> {
    let mut key = vec![];
    let mut pieces = line.into_iter();
    while let Some(piece) = pieces.next() {
        if let Piece::Own(own) = &piece
            && let Some((before, after)) = own.split_once(':')
        {
            key.push(Piece::Own(before.to_owned()));
            let mut value = vec![Piece::Own(after.trim_start().to_owned())];
            value.extend(pieces);
            return Some((key, value));
        }
        key.push(piece);
    }
    None
}

/// Says the zone at the first moment and wherever it differs from the one said last.
fn name_zones_once(blocks: &mut [Block]) {
    let mut said = String::new();
    let mut settle = |line: &mut Line| {
        for piece in line {
            if let Piece::Zone(zone) = piece {
                let text = if *zone == said {
                    String::new()
                } else {
                    said = zone.clone();
                    format!(" ({zone})")
                };
                *piece = Piece::Told(text);
            }
        }
    };
    for block in blocks {
        match block {
            Block::Paragraph(lines) | Block::Cite(lines) | Block::List(lines) => {
                lines.iter_mut().for_each(&mut settle);
            }
            Block::Table(rows) => {
                for (key, value) in rows {
                    settle(key);
                    settle(value);
                }
            }
            Block::Actions(_) | Block::Marker => {}
        }
    }
}

/// A line as text, with ordinary spaces, so that it can be searched for.
fn plain(line: &Line) -> String {
    let text: String = line
        .iter()
        .map(|piece| match piece {
            Piece::Own(text) | Piece::Told(text) => text.as_str(),
            Piece::Zone(_) => "",
        })
        .collect();
    text.replace('\u{a0}', " ")
}

fn block_text(block: &Block, locale: Locale) -> Option<String> {
    Some(match block {
        Block::Paragraph(lines) => join(lines.iter().map(|l| plain(l).trim_end().to_owned())),
        Block::Table(rows) => {
            let keys: Vec<String> = rows.iter().map(|(key, _)| plain(key)).collect();
            let width = keys.iter().map(|k| k.chars().count()).max().unwrap_or(0);
            join(keys.iter().zip(rows).map(|(key, (_, value))| {
                let gap = width.saturating_sub(key.chars().count()).saturating_add(2);
                format!(
                    "{key}:{}{}",
                    " ".repeat(gap),
                    plain(value).replace('\n', " ")
                )
            }))
        }
        Block::Cite(lines) => join(lines.iter().flat_map(|line| {
            let cited = plain(line);
            let cited: Vec<String> = cited
                .split('\n')
                .map(|l| format!("> {l}").trim_end().to_owned())
                .collect();
            cited
        })),
        Block::List(items) => join(items.iter().map(|i| format!("- {}", plain(i)))),
        // The wording itself says which word to reply with; only HTML has something to click.
        Block::Actions(_) => return None,
        Block::Marker => reply_marker(locale).to_owned(),
    })
}

fn join(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

fn block_html(
    out: &mut String,
    block: &Block,
    locale: Locale,
    actions: Option<&dyn Fn(&str) -> String>,
) {
    let block = match block {
        Block::Paragraph(lines) => {
            let lines: Vec<String> = lines.iter().map(line_html).collect();
            format!(
                "<p style=\"margin:0 0 12px\">{}</p>\n",
                lines.join("<br>\n")
            )
        }
        Block::Table(rows) => {
            let rows: String = rows.iter().map(row_html).collect();
            format!(
                "<table cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"width:100%;margin:16px 0;\
                 border-bottom:1px solid #8c8c8c;font-size:15px\">\n{rows}</table>\n"
            )
        }
        Block::Cite(lines) => {
            let lines: Vec<String> = lines.iter().map(line_html).collect();
            format!(
                "<blockquote style=\"margin:0 0 12px;padding:0 0 0 12px;border-left:3px solid #8c8c8c\">{}</blockquote>\n",
                lines.join("<br>\n")
            )
        }
        Block::List(items) => {
            let items: String = items
                .iter()
                .map(|i| format!("<li>{}</li>\n", line_html(i)))
                .collect();
            format!("<ul style=\"margin:0 0 12px;padding:0 0 0 24px\">\n{items}</ul>\n")
        }
        Block::Actions(words) => match actions {
            None => return,
            Some(address) => {
                let buttons: String = words.iter().map(|w| button(w, &address(w))).collect();
                format!("<p style=\"margin:16px 0 4px\">\n{buttons}</p>\n")
            }
        },
        Block::Marker => format!(
            "<div class=\"postdesk-reply-above\" style=\"margin:20px 0 12px;font-size:14px\">{}</div>\n",
            reply_marker(locale)
        ),
    };
    out.push_str(&block);
}

fn row_html((key, value): &(Line, Line)) -> String {
    let cell = "padding:6px 0;border-top:1px solid #8c8c8c;text-align:left;vertical-align:top";
    format!(
        "<tr><th scope=\"row\" width=\"34%\" style=\"{cell};padding-right:12px;font-weight:normal;opacity:.8\">{}</th>\
         <td style=\"{cell}\">{}</td></tr>\n",
        line_html(key),
        line_html(value)
    )
}

/// An outline instead of a fill, in the colour of the text, so that there is nothing for dark mode to invert.
fn button(word: &str, address: &str) -> String {
    format!(
        "<a href=\"{}\" style=\"display:inline-block;margin:0 12px 12px 0;padding:10px 20px;border:1px solid;\
         border-radius:6px;text-decoration:none\">{}</a>\n",
        escape(address),
        escape(word)
    )
}

fn line_html(line: &Line) -> String {
    line.iter()
        .map(|piece| match piece {
            Piece::Own(own) => escape(own).replace("№ ", "№\u{a0}"),
            Piece::Told(told) => escape(told).replace('\n', "<br>\n"),
            Piece::Zone(_) => String::new(),
        })
        .collect()
}

/// Text fit to stand in HTML, between tags and in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn page(rendered: &str) -> Page {
        Page::read(rendered).unwrap()
    }

    #[test]
    fn one_source_gives_both_forms() {
        let p = page(
            "Subject: Re: a\n\nOne\ntwo.\\\nThree.\n\n| Key: v\n| Longer key: w: x\n- a\n- b\n---\n> said\n",
        );
        assert_eq!(
            p.text(Locale::En),
            "One two.\nThree.\n\nKey:         v\nLonger key:  w: x\n\n- a\n- b\n\n――― Please write your reply above this line ―――\n\n> said\n"
        );
        let html = p.html(Locale::En, "t", None);
        assert!(html.contains("One two.<br>\nThree.</p>"), "{html}");
        assert!(html.contains("Longer key</th>"), "{html}");
        assert!(html.contains("<li>a</li>\n<li>b</li>"), "{html}");
    }

    #[test]
    fn what_is_told_is_never_markup() {
        let evil = "| k: v\n---\n[[yes]]\n> <b>&\"'{{ 7*7 }}";
        let p = page(&format!(
            "Subject: s\n\n{}\n> {}\n",
            frame(evil),
            frame(evil)
        ));
        assert_eq!(
            p.text(Locale::Ru),
            format!("{evil}\n\n> | k: v\n> ---\n> [[yes]]\n> > <b>&\"'{{{{ 7*7 }}}}\n")
        );
        let html = p.html(Locale::Ru, evil, Some(&|_: &str| "mailto:x".into()));
        assert!(!html.contains("<b>") && !html.contains("mailto"), "{html}");
        assert!(
            html.contains("&lt;b&gt;&amp;&quot;&#39;{{ 7*7 }}"),
            "{html}"
        );
    }

    #[test]
    fn the_zone_is_said_once_until_it_changes() {
        let (a, b) = (frame(&zoned("mon", "UTC+1")), frame(&zoned("tue", "UTC+2")));
        let p = page(&format!(
            "Subject: {a}\n\nFrom {a} to {a}, {b}.\n| till: {b}, {a}"
        ));
        assert_eq!(p.subject, "mon");
        assert_eq!(
            p.text(Locale::En),
            "From mon (UTC+1) to mon, tue (UTC+2).\n\ntill:  tue, mon (UTC+1)\n"
        );
    }

    #[test]
    fn a_button_is_a_link_only_where_replies_find_their_way() {
        let p = page(&format!(
            "Subject: s\n\nText.\n\n[[{}]]\n[[No]]\n",
            frame("Yes & no")
        ));
        assert_eq!(p.text(Locale::En), "Text.\n");
        assert!(!p.html(Locale::En, "s", None).contains("href"));
        let html = p.html(
            Locale::En,
            "s",
            Some(&|w: &str| format!("mailto:a?body={}", w.len())),
        );
        assert!(html.contains("href=\"mailto:a?body=8\""), "{html}");
        assert!(html.contains(">Yes &amp; no</a>"), "{html}");
    }

    #[test]
    fn what_is_no_letter_is_said() {
        assert_eq!(Page::read("Hello"), Err(PageFault::NoSubject));
        assert_eq!(Page::read(""), Err(PageFault::NoSubject));
        assert_eq!(
            Page::read("Subject: \u{2}\u{3}\n\ntext"),
            Err(PageFault::NoSubject)
        );
        assert_eq!(Page::read("Subject: s\n\n \n"), Err(PageFault::NoText));
    }
}
