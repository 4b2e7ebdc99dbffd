//! HTML to text that a person can read: blocks on lines of their own, quotations with `>`, nothing of scripts and styles. One pass, linear.

use mail_parser::decoders::html::add_html_token;

/// Reads an HTML text; struck text is left out, since its writer took it back. Ends once there are `cap` octets of text.
pub(crate) fn to_text(html: &str, cap: usize) -> String {
    let mut page = Page::default();
    let mut rest = html;
    while !rest.is_empty() && page.out.len() <= cap {
        let text_end = rest.find('<').unwrap_or(rest.len());
        let (text, markup) = rest.split_at(text_end);
        page.text(text);
        rest = page.markup(markup);
    }
    page.finish()
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

#[derive(Default)]
struct Page {
    out: String,
    line: String,
    /// A space is due before the next word.
    space: bool,
    /// How deep in quotations.
    quoted: usize,
    /// How deep in preformatted text.
    pre: usize,
    /// How deep in struck text.
    struck: usize,
    /// Empty lines written in a row.
    blank: usize,
    /// The address of the link that is open, and where its text begins in the line.
    link: Option<String>,
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
                    self.words("&");
                    rest = entity.get(1..).unwrap_or_default();
                }
            }
        }
        self.words(rest);
    }

    fn words(&mut self, text: &str) {
        if self.struck > 0 {
            return;
        }
        for c in text.chars() {
            match c {
                '\n' if self.pre > 0 => self.end_line(),
                '\r' | '\u{200b}' | '\u{feff}' | '\u{ad}' | '\u{200c}' => {}
                c if self.pre > 0 => self.line.push(c),
                '\u{a0}' => self.put(' '),
                c if c.is_whitespace() => self.space = true,
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        if self.space && !self.line.is_empty() && !self.line.ends_with(' ') {
            self.line.push(' ');
        }
        self.space = false;
        self.line.push(c);
    }

    /// Reads the tag, comment or stray `<` at the start; returns what follows.
    fn markup<'h>(&mut self, markup: &'h str) -> &'h str {
        let Some(after) = markup.strip_prefix('<') else {
            return "";
        };
        if let Some(comment) = after.strip_prefix("!--") {
            return comment.find("-->").map_or("", |end| {
                comment.get(end.saturating_add(3)..).unwrap_or_default()
            });
        }
        let closing = after.starts_with('/');
        let named = after.strip_prefix('/').unwrap_or(after);
        let starts_tag =
            named.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?'));
        if !starts_tag {
            if self.struck == 0 {
                self.put('<');
            }
            return after;
        }
        let end = tag_end(named);
        let (tag, rest) = named.split_at(end);
        let rest = rest.strip_prefix('>').unwrap_or(rest);
        let name_end = tag
            .find(|c: char| !c.is_ascii_alphanumeric() && c != ':')
            .unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        let name = name.to_ascii_lowercase();
        if !closing
            && matches!(
                name.as_str(),
                "script" | "style" | "title" | "template" | "noscript"
            )
        {
            return skip_element(rest, &name);
        }
        self.tag(&name, closing, attributes);
        rest
    }

    fn tag(&mut self, name: &str, closing: bool, attributes: &str) {
        match name {
            "br" => self.end_line(),
            "hr" => {
                self.block();
                self.line.push_str("---");
                self.block();
            }
            "blockquote" => {
                self.block();
                self.quoted = if closing {
                    self.quoted.saturating_sub(1)
                } else {
                    self.quoted.saturating_add(1).min(20)
                };
            }
            "s" | "strike" | "del" => {
                self.space = true;
                self.struck = if closing {
                    self.struck.saturating_sub(1)
                } else {
                    self.struck.saturating_add(1)
                };
            }
            "pre" => {
                self.block();
                self.pre = if closing {
                    self.pre.saturating_sub(1)
                } else {
                    self.pre.saturating_add(1)
                };
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table" => {
                self.block();
                if closing {
                    self.gap();
                }
            }
            "li" if !closing => {
                self.block();
                self.line.push_str("- ");
            }
            "td" | "th" if !closing && !self.line.is_empty() => self.line.push_str("  "),
            "div" | "tr" | "li" | "dt" | "dd" | "section" | "article" | "header" | "footer"
            | "center" | "form" | "body" | "address" => self.block(),
            "a" if !closing => self.link = attribute(attributes, "href"),
            "a" => self.end_link(),
            "img" => {
                if let Some(alt) = attribute(attributes, "alt") {
                    self.text(&alt);
                }
            }
            _ => {}
        }
    }

    /// The address of a link stands after its text where the text does not say it.
    fn end_link(&mut self) {
        let Some(href) = self.link.take() else { return };
        let bare = href
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_start_matches("mailto:")
            .trim_end_matches('/');
        let web = href.starts_with("http://") || href.starts_with("https://");
        if web && self.struck == 0 && !bare.is_empty() && self.says_more(bare) {
            self.line.push_str(" <");
            self.line.push_str(&href);
            self.line.push('>');
        }
    }

    /// Whether an address adds to the line. Very long lines are not searched, which keeps the pass linear.
    fn says_more(&self, address: &str) -> bool {
        address.len() < 500 && (1..2000).contains(&self.line.len()) && !self.line.contains(address)
    }

    fn block(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        self.space = false;
    }

    fn gap(&mut self) {
        if self.blank == 0 && !self.out.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = line.trim_end();
        self.space = false;
        self.blank = if line.trim().is_empty() {
            self.blank.saturating_add(1)
        } else {
            0
        };
        if self.blank > 2 {
            return;
        }
        if self.quoted > 0 {
            self.out.push_str(&">".repeat(self.quoted));
            if !line.is_empty() {
                self.out.push(' ');
            }
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn finish(mut self) -> String {
        self.block();
        let trimmed = self.out.trim_matches('\n');
        trimmed.to_owned()
    }
}

/// Where a tag ends: the first `>` outside quotes; a quote that never closes ends with the tag. Looks no further than the next tag, so that
/// the pass is linear.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    let mut first = None;
    for (at, b) in tag.bytes().enumerate() {
        match (b, quote) {
            (b'>', None) => return at,
            (b'>', Some(_)) if first.is_none() => first = Some(at),
            // Nobody writes a tag inside a quoted value, but many a quote is never closed.
            (b'<', _) if first.is_some() => break,
            (b'"' | b'\'', None) => quote = Some(b),
            (b, Some(q)) if b == q => quote = None,
            _ => {}
        }
    }
    first.unwrap_or(tag.len())
}

/// What follows the end tag of an element whose content is no text.
fn skip_element<'h>(rest: &'h str, name: &str) -> &'h str {
    let mut at = 0_usize;
    while let Some(found) = rest.get(at..).and_then(|r| r.find("</")) {
        at = at.saturating_add(found).saturating_add(2);
        let here = rest.get(at..).unwrap_or_default();
        if here
            .get(..name.len())
            .is_some_and(|n| n.eq_ignore_ascii_case(name))
        {
            return here.find('>').map_or("", |end| {
                here.get(end.saturating_add(1)..).unwrap_or_default()
            });
        }
    }
    ""
}

/// The value of an attribute, entities undone.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some(equals) = rest.find('=') {
        let (before, after) = rest.split_at(equals);
        let key = before
            .trim_end()
            .rsplit(|c: char| c.is_whitespace())
            .next()
            .unwrap_or_default();
        let value = after.get(1..).unwrap_or_default().trim_start();
        let (value, next) = match value.chars().next() {
            Some(q @ ('"' | '\'')) => {
                let inner = value.get(1..).unwrap_or_default();
                inner.split_once(q).unwrap_or((inner, ""))
            }
            _ => value
                .split_once(|c: char| c.is_whitespace())
                .unwrap_or((value, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(value.replace("&amp;", "&"));
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "tests")]
    use super::*;

    fn read(html: &str) -> String {
        to_text(html, 1 << 20)
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
        assert!(to_text(&"<blockquote>".repeat(20), 100).is_empty());
        let many = "<blockquote>".repeat(20) + &"a<br>".repeat(100_000);
        assert!(to_text(&many, 1_000).len() < 1_100);
        let tags = "<a \">\" ".repeat(50_000) + "\"<";
        let start = std::time::Instant::now();
        read(&tags);
        assert!(start.elapsed().as_secs() < 2, "{:?}", start.elapsed());
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
}
