//! HTML cut into texts and tags, forgiving as browsers are; one pass, linear.

/// A piece of a page.
pub(super) enum Piece<'h> {
    /// Text, character references not yet undone.
    Text(&'h str),
    /// A start tag.
    Open(Tag),
    /// An end tag, by its name in lower case.
    Close(String),
}

/// A start tag, with the attributes that matter to a reader.
#[derive(Debug, Default)]
pub(super) struct Tag {
    /// The name in lower case.
    pub(super) name: String,
    /// `href`, entities undone.
    pub(super) href: Option<String>,
    /// `alt`.
    pub(super) alt: Option<String>,
    /// `style` in lower case without white space, as far as it is looked at.
    pub(super) style: String,
    /// `class`.
    pub(super) class: String,
    /// `id`.
    pub(super) id: String,
    /// `type`.
    pub(super) kind: String,
    /// `start` of a numbered list.
    pub(super) start: Option<usize>,
    /// Whether the element is hidden by an attribute.
    pub(super) hidden: bool,
    /// Whether a mail program says that the element is a signature.
    pub(super) signature: bool,
}

/// Longest style, class or id that is looked at.
const LOOKED_AT: usize = 2_000;
/// Elements whose content is no text.
const NO_TEXT: [&str; 8] = [
    "script", "style", "title", "template", "noscript", "svg", "iframe", "object",
];

/// The pieces of a page in order.
pub(super) struct Pieces<'h> {
    rest: &'h str,
}

impl<'h> Pieces<'h> {
    pub(super) fn new(html: &'h str) -> Self {
        Self { rest: html }
    }
}

impl<'h> Iterator for Pieces<'h> {
    type Item = Piece<'h>;

    fn next(&mut self) -> Option<Piece<'h>> {
        while !self.rest.is_empty() {
            let text_end = self.rest.find('<').unwrap_or(self.rest.len());
            if text_end > 0 {
                let (text, markup) = self.rest.split_at(text_end);
                self.rest = markup;
                return Some(Piece::Text(text));
            }
            let (piece, rest) = markup(self.rest);
            self.rest = rest;
            if piece.is_some() {
                return piece;
            }
        }
        None
    }
}

/// Reads the tag, comment or stray `<` at the start; and what follows.
fn markup(markup: &str) -> (Option<Piece<'_>>, &str) {
    let Some(after) = markup.strip_prefix('<') else {
        return (None, "");
    };
    if let Some(comment) = after.strip_prefix("!--") {
        let rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
        return (None, rest);
    }
    let named = after.strip_prefix('/').unwrap_or(after);
    let closing = named.len() < after.len();
    if !named.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return (Some(Piece::Text("<")), after);
    }
    let end = tag_end(named);
    let (tag, rest) = named.split_at(end);
    if is_address(tag) && rest.starts_with('>') {
        // Some programs write an address in angle brackets as it is.
        let length = end.saturating_add(2);
        let (text, rest) = markup.split_at_checked(length).unwrap_or((markup, ""));
        return (Some(Piece::Text(text)), rest);
    }
    let rest = rest.strip_prefix('>').unwrap_or(rest);
    let name_end = tag
        .find(|c: char| !c.is_ascii_alphanumeric() && c != ':')
        .unwrap_or(tag.len());
    let (name, attributes) = tag.split_at(name_end);
    let name = name.to_ascii_lowercase();
    if closing {
        return (Some(Piece::Close(name)), rest);
    }
    if NO_TEXT.contains(&name.as_str()) {
        return (None, skip_element(rest, &name));
    }
    (Some(Piece::Open(Tag::new(name, attributes))), rest)
}

/// Whether what stands in angle brackets is an address and no tag: `<jane@x.example>`, `<https://x.example/a>`.
fn is_address(tag: &str) -> bool {
    let address = |t: &str| t.contains('@') || t.contains("://");
    tag.len() < 500
        && address(tag)
        && !tag
            .chars()
            .any(|c| c.is_whitespace() || matches!(c, '"' | '\''))
}

impl Tag {
    fn new(name: String, attributes: &str) -> Self {
        let mut tag = Self {
            name,
            ..Self::default()
        };
        let looked_at = |value: &str| value.chars().take(LOOKED_AT).collect::<String>();
        for_each_attribute(attributes, |key, value| match key {
            "href" => tag.href = Some(value.replace("&amp;", "&")),
            "alt" => tag.alt = Some(value.to_owned()),
            "style" => {
                tag.style = looked_at(value).to_lowercase().split_whitespace().collect();
            }
            "class" => tag.class = looked_at(value),
            "id" => tag.id = looked_at(value),
            "type" => tag.kind = looked_at(value),
            "start" => tag.start = value.trim().parse().ok(),
            "hidden" => tag.hidden = true,
            "data-smartmail" | "data-signatureblock" => tag.signature = true,
            _ => {}
        });
        tag
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
            return here.split_once('>').map_or("", |(_, rest)| rest);
        }
    }
    ""
}

/// Tells each attribute: its name in lower case and its value as it stands.
fn for_each_attribute(attributes: &str, mut tell: impl FnMut(&str, &str)) {
    let mut rest = attributes.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    while !rest.is_empty() {
        let name_end = rest
            .find(|c: char| c.is_whitespace() || c == '=')
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => split_value(value.trim_start()),
        };
        if name.len() < 40 {
            tell(&name.to_ascii_lowercase(), value);
        }
        rest = next.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
    }
}

fn split_value(value: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    value
        .split_once(|c: char| c.is_whitespace())
        .unwrap_or((value, ""))
}
