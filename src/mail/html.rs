//! HTML to text that a person can read: blocks on lines of their own, lists and rows of tables as such, quotations with `>`, nothing hidden.

mod effect;
mod links;
mod markup;

use mail_parser::decoders::html::add_html_token;

use effect::Effect;
use links::Links;
use markup::{Piece, Pieces, Tag};

/// Elements with an effect that are remembered at a time; a page has far fewer.
const OPEN: usize = 64;
/// Deepest quotation that is marked.
const QUOTED: usize = 20;
/// What a line across the page becomes: what Outlook makes of it, too.
const RULE: &str = "________________________________";

/// A page as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// What it says.
    pub(crate) text: String,
    /// What was left out of it.
    pub(crate) fault: Option<String>,
}

/// Reads an HTML text; struck text is left out, since its writer took it back. Ends once there are `cap` octets of text.
pub(crate) fn to_text(html: &str, cap: usize) -> Shown {
    let mut page = Page::default();
    for piece in Pieces::new(html) {
        match piece {
            Piece::Text(text) => page.text(text),
            Piece::Open(tag) => page.open(&tag),
            Piece::Close(name) => page.close(&name),
        }
        if page.out.len() > cap {
            break;
        }
    }
    Shown {
        fault: page.links.fault(),
        text: page.finish(),
    }
}

/// The length of the character reference at the start of a text, if it is one.
fn reference(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('&')?;
    let end = inner
        .bytes()
        .take(34)
        .position(|b| !(b.is_ascii_alphanumeric() || b == b'#'))?;
    (end > 0 && inner.as_bytes().get(end) == Some(&b';')).then(|| end.saturating_add(2))
}

/// What must come before the next character.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    #[default]
    Nothing,
    /// A new line.
    Line,
    /// A new line after an empty one.
    Paragraph,
    /// The gap between two cells of a row; blocks inside the cell do not break it.
    Cell,
}

/// An open element that does something.
struct Open {
    name: String,
    effect: Effect,
    /// Elements of the same name open in it.
    nested: usize,
}

#[derive(Default)]
struct Page {
    out: String,
    line: String,
    /// A space is due before the next word.
    space: bool,
    due: Due,
    /// In a row of a table: elsewhere a cell is a block, and what came before it stays on its line.
    row: bool,
    open: Vec<Open>,
    /// How deep in quotations.
    quoted: usize,
    /// How deep in preformatted text.
    pre: usize,
    /// How deep in text that is not shown.
    hidden: usize,
    /// How deep in struck text.
    struck: usize,
    /// The open lists: the next number, if they have numbers.
    lists: Vec<Option<usize>>,
    /// What an item begins with, until it does.
    marker: Option<String>,
    /// A signature has begun and nothing of it is written yet.
    signs: bool,
    /// Whether the last paragraph stands close to its neighbours.
    close: bool,
    /// Whether the row of a table is on several lines.
    tall: bool,
    /// Empty lines written in a row.
    blank: usize,
    links: Links,
}

impl Page {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            let (before, entity) = rest.split_at(at);
            self.words(before);
            match reference(entity).and_then(|end| entity.split_at_checked(end)) {
                Some((code, after)) => {
                    let mut decoded = String::new();
                    add_html_token(&mut decoded, code.as_bytes(), false);
                    self.words(&decoded);
                    rest = after;
                }
                None => {
                    // An old habit: no semicolon.
                    let blank = entity.strip_prefix("&nbsp");
                    self.words(if blank.is_some() { "\u{a0}" } else { "&" });
                    rest = blank.unwrap_or_else(|| entity.get(1..).unwrap_or_default());
                }
            }
        }
        self.words(rest);
    }

    fn words(&mut self, text: &str) {
        if self.struck > 0 || self.hidden > 0 {
            return;
        }
        for c in text.chars() {
            match c {
                '\n' if self.pre > 0 => {
                    self.begin();
                    self.end_line();
                }
                '\r' | '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{200c}' | '\u{34f}' => {}
                c if self.pre > 0 => {
                    self.begin();
                    self.line.push(c);
                }
                '\u{a0}' => self.put(' '),
                c if c.is_whitespace() => self.space = true,
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        self.begin();
        if self.space && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
        self.space = false;
        self.line.push(c);
        self.links.text();
    }

    /// Does what is due before a character.
    fn begin(&mut self) {
        if self.due != Due::Nothing {
            let due = std::mem::take(&mut self.due);
            if due == Due::Cell {
                if !self.line.is_empty() {
                    self.line.push_str("  ");
                    self.space = false;
                }
            } else {
                self.block();
                if due == Due::Paragraph && self.blank == 0 && !self.out.is_empty() {
                    self.end_line();
                }
            }
        }
        if std::mem::take(&mut self.signs) {
            self.block();
            if !self.out.trim_end().ends_with("--") {
                self.line.push_str("-- ");
                self.end_line();
            }
        }
        if let Some(marker) = self.marker.take() {
            self.block();
            self.line.push_str(&marker);
        }
    }

    /// What stands between the last paragraph and its neighbours.
    fn gap(&self) -> Due {
        if self.close {
            Due::Line
        } else {
            Due::Paragraph
        }
    }

    fn wants(&mut self, due: Due) {
        if self.due != Due::Cell && self.marker.is_none() {
            self.due = self.due.max(due);
        }
    }

    fn open(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        if is_block(name) && self.open.last().is_some_and(|o| o.name == "p") {
            self.close("p");
        }
        let effect = Effect::of(tag);
        if self.hidden == 0 {
            self.begin_element(tag);
        }
        if !is_void(name) {
            self.remember(tag, effect);
        }
    }

    /// What the tag does where it stands.
    fn begin_element(&mut self, tag: &Tag) {
        match tag.name.as_str() {
            "br" => {
                self.begin();
                self.end_line();
            }
            "hr" => self.rule(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.close = effect::is_close(tag);
                self.wants(self.gap());
            }
            "ul" | "ol" if self.lists.is_empty() => self.wants(Due::Paragraph),
            "li" => {
                self.wants(Due::Line);
                self.marker = Some(self.item());
            }
            "tr" => {
                self.due = self.due.max(Due::Line);
                if self.due == Due::Cell {
                    self.due = Due::Line;
                }
                self.block();
                self.tall = false;
                self.row = true;
            }
            "td" | "th" => {
                self.due = if self.tall || self.line.is_empty() || !self.row {
                    Due::Line
                } else {
                    Due::Cell
                };
            }
            "a" => self.links.begin(tag.href.as_deref()),
            "img" => {
                if let Some(alt) = &tag.alt {
                    self.text(alt);
                }
            }
            name if is_block(name) => self.wants(Due::Line),
            _ => {}
        }
        if effect::begins_quotation(tag) {
            self.rule();
        }
    }

    fn close(&mut self, name: &str) {
        if self.hidden == 0 {
            match name {
                "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.wants(self.gap()),
                "a" => self.links.end(&mut self.line),
                "li" | "ul" | "ol" => {
                    self.marker = None;
                    self.wants(Due::Line);
                }
                "tr" => (self.due, self.row) = (Due::Line, false),
                "td" | "th" => {}
                name if is_block(name) => self.wants(Due::Line),
                _ => {}
            }
        }
        let found = self.open.iter().rposition(|o| o.name == name);
        let Some(open) = found.and_then(|at| self.open.get_mut(at)) else {
            return;
        };
        if open.nested > 0 {
            open.nested = open.nested.saturating_sub(1);
            return;
        }
        while self.open.len() > found.unwrap_or_default() {
            self.forget();
        }
    }

    fn remember(&mut self, tag: &Tag, effect: Effect) {
        if effect.is_none() {
            if let Some(open) = self.open.iter_mut().rev().find(|o| o.name == tag.name) {
                open.nested = open.nested.saturating_add(1);
            }
            return;
        }
        if self.open.len() >= OPEN {
            return;
        }
        if effect.quoted {
            self.settle();
            // A quotation does not begin with the gap of its first paragraph.
            self.blank = self.blank.max(1);
            self.quoted = self.quoted.saturating_add(1);
        }
        if effect.hidden {
            self.hidden = self.hidden.saturating_add(1);
        }
        if effect.struck {
            self.space = true;
            self.struck = self.struck.saturating_add(1);
        }
        if effect.pre {
            self.pre = self.pre.saturating_add(1);
        }
        if effect.list {
            let numbered = tag.name == "ol";
            self.lists.push(numbered.then(|| tag.start.unwrap_or(1)));
        }
        self.signs |= effect.signature;
        self.open.push(Open {
            name: tag.name.clone(),
            effect,
            nested: 0,
        });
    }

    /// Undoes the innermost effect.
    fn forget(&mut self) {
        let Some(Open { effect, .. }) = self.open.pop() else {
            return;
        };
        if effect.quoted {
            self.block();
            self.quoted = self.quoted.saturating_sub(1);
        }
        if effect.hidden {
            self.hidden = self.hidden.saturating_sub(1);
        }
        if effect.struck {
            self.space = true;
            self.struck = self.struck.saturating_sub(1);
        }
        if effect.pre {
            self.pre = self.pre.saturating_sub(1);
        }
        if effect.list {
            self.lists.pop();
            if self.lists.is_empty() {
                self.wants(Due::Paragraph);
            }
        }
        if effect.signature {
            self.signs = false;
        }
    }

    /// What the next item of the innermost list begins with.
    fn item(&mut self) -> String {
        let depth = self.lists.len().saturating_sub(1).min(8);
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                let sign = format!("{number}. ");
                *number = number.saturating_add(1);
                sign
            }
            _ => "- ".to_owned(),
        };
        format!("{}{sign}", "  ".repeat(depth))
    }

    /// A line across the page; one is enough.
    fn rule(&mut self) {
        self.settle();
        if !self.out.trim_end().ends_with(RULE) {
            self.line.push_str(RULE);
            self.end_line();
        }
    }

    /// Ends the line and does what is due.
    fn settle(&mut self) {
        self.marker = None;
        if self.due == Due::Cell {
            self.due = Due::Line;
        }
        self.begin();
        self.block();
    }

    fn block(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        self.space = false;
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_end();
        self.space = false;
        self.tall = true;
        self.blank = if line.is_empty() {
            self.blank.saturating_add(1)
        } else {
            0
        };
        if self.blank > 2 {
            return;
        }
        if self.quoted > 0 {
            self.out.push_str(&">".repeat(self.quoted.min(QUOTED)));
            if !line.is_empty() {
                self.out.push(' ');
            }
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn finish(mut self) -> String {
        self.block();
        self.out.trim_matches('\n').to_owned()
    }
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "ul"
            | "ol"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "tr"
            | "caption"
            | "blockquote"
            | "pre"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "center"
            | "form"
            | "fieldset"
            | "body"
            | "address"
            | "details"
            | "summary"
            | "main"
            | "figure"
            | "option"
    )
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "br" | "hr" | "img" | "meta" | "input" | "link" | "base" | "area" | "col" | "wbr"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests")]
    use super::*;

    fn read(html: &str) -> String {
        to_text(html, 1 << 20).text
    }

    #[test]
    fn b22_blocks_become_lines_and_quotations_are_marked() {
        assert_eq!(
            read(
                "<html><head><title>t</title><style>p{}</style></head><body><p>Добрый&nbsp;день!</p><p>Не <b>работает</b><br>отчёт &lt;1&gt;</p>\
                <div>2026, Анна пишет:</div><blockquote><div>Уточните</div><div>версию</div></blockquote></body></html>"
            ),
            "Добрый день!\n\nНе работает\nотчёт <1>\n\n2026, Анна пишет:\n> Уточните\n> версию"
        );
    }

    #[test]
    fn r10_struck_text_is_left_out() {
        for (html, text) in [
            ("<p>Да, <s>Подтверждаю</s> нет</p>", "Да, нет"),
            ("<del><b>Подтверждаю</b></del>", ""),
            ("a<STRIKE class=x>b<s>c</s>d < e</strike>f", "a f"),
            ("<span>a</span> <strong>b</strong><small>c</small>", "a bc"),
            ("<s>x<a href=\"https://x.example\">y</a></s>z", "z"),
        ] {
            assert_eq!(read(html), text, "{html}");
        }
    }

    #[test]
    fn s31_text_ends_at_the_cap_and_odd_tags_cost_no_more_than_others() {
        assert!(to_text(&"<blockquote>".repeat(20), 100).text.is_empty());
        let many = "<blockquote>".repeat(20) + &"a<br>".repeat(100_000);
        assert!(to_text(&many, 1_000).text.len() < 1_100);
        let tags = "<a \">\" ".repeat(50_000) + "\"<";
        let start = crate::clock::processor_time();
        read(&tags);
        let took = crate::clock::processor_time() - start;
        assert!(took.as_secs() < 2, "{:?}", took);
    }

    #[test]
    fn a_picture_inside_a_tag_hides_no_text() {
        let picture = "A".repeat(200_000);
        assert_eq!(
            read(&format!(
                "a<img alt=b src=\"data:image/png;base64,{picture}\"> c"
            )),
            "ab c"
        );
    }

    #[test]
    fn broken_markup_loses_no_text() {
        assert_eq!(
            read("a < b & c &copy; d &nonsense; e"),
            "a < b & c © d &nonsense; e"
        );
        assert_eq!(read("<p title='x>y'>text"), "text");
        assert_eq!(read("<script>no</scr</script >yes"), "yes");
        assert_eq!(
            read("<a href=\"https://x.example/1\">here</a>"),
            "here <https://x.example/1>"
        );
        assert_eq!(read("<!-- no --><li>one<li>two"), "- one\n- two");
    }

    #[test]
    fn b22_lists_rows_and_paragraphs_look_as_on_the_page() {
        for (html, text) in [
            ("<ol><li>one<li><p>two</p></ol>x", "1. one\n2. two\n\nx"),
            ("<ul><li>a<ul><li>b</li></ul></li></ul>", "- a\n  - b"),
            (
                "<table><tr><td><p>Дата</p></td><td><p>Сумма</p></td></tr><tr><td>1</td><td>2</td></tr></table>",
                "Дата  Сумма\n1  2",
            ),
            (
                "<table><tr><td>a<br>b</td><td>c</td></tr></table>",
                "a\nb\nc",
            ),
            (
                "<p class=MsoNormal>Да.</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>Анна</p>",
                "Да.\n\nАнна",
            ),
            (
                "<p>a</p><p>b</p><div>c</div><div><br></div><div>d</div>",
                "a\n\nb\n\nc\n\nd",
            ),
            (
                "<pre>a\n  b</pre><span style='white-space: pre-wrap'>c\nd</span>",
                "a\n  b\nc\nd",
            ),
            (
                "<a href='mailto:i@x.example'>Иван</a>, <a href='mailto:i@x.example?subject=a'>i@x.example</a>",
                "Иван <i@x.example>, i@x.example",
            ),
            (
                "a <jane@x.example> wrote <https://x.example/1>",
                "a <jane@x.example> wrote <https://x.example/1>",
            ),
            ("<a href='https://x.example'><img src=x></a>b", "b"),
        ] {
            assert_eq!(read(html), text, "{html}");
        }
    }

    #[test]
    fn b22_what_is_hidden_is_not_read() {
        for (html, text) in [
            (
                "<div style='display:none;max-height:0'>Подтверждаю<div>x</div></div>Нет",
                "Нет",
            ),
            ("<span style=\"mso-hide:all\">a</span>b", "b"),
            ("<p hidden>a<p>b", "b"),
            ("<span style='font-size:0.9em; opacity:0.5'>a</span>", "a"),
            (
                "<span style='text-decoration: line-through'>Подтверждаю</span> нет",
                "нет",
            ),
        ] {
            assert_eq!(read(html), text, "{html}");
        }
    }

    #[test]
    fn b26_quotations_of_programs_are_marked() {
        for (html, text) in [
            (
                "a<blockquote style='margin:0 0 0 40px;border:none;padding:0px'>b</blockquote>",
                "a\nb",
            ),
            (
                "a<div>On 1, A wrote:</div><blockquote type=cite><p>b</p><blockquote>c</blockquote></blockquote><p>d",
                "a\nOn 1, A wrote:\n> b\n>\n>> c\n\nd",
            ),
            (
                "a<hr><div id=divRplyFwdMsg><b>Ад:</b> б</div>",
                "a\n________________________________\nАд: б",
            ),
            ("a<div class=gmail_signature>Анна</div>", "a\n--\nАнна"),
            ("a<div><div class=gmail_signature></div></div>b", "a\nb"),
        ] {
            assert_eq!(read(html), text, "{html}");
        }
    }
}
