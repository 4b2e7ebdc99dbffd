//! What an element does to the text in it: quoted, hidden, struck, kept as it stands, or a mail program's mark of a quotation or signature.

use super::markup::Tag;

/// What an element does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Its text is a quotation.
    pub(super) quoted: bool,
    /// Its text is not shown.
    pub(super) hidden: bool,
    /// Its text is struck out: its writer took it back.
    pub(super) struck: bool,
    /// Line ends and blanks in it are kept.
    pub(super) pre: bool,
    /// It is a list.
    pub(super) list: bool,
    /// It is a signature.
    pub(super) signature: bool,
}

impl Effect {
    /// The effect of a start tag.
    pub(super) fn of(tag: &Tag) -> Self {
        let name = tag.name.as_str();
        Self {
            quoted: name == "blockquote" && !is_indentation(tag),
            hidden: tag.hidden || hides(&tag.style),
            struck: matches!(name, "s" | "strike" | "del")
                || tag.style.contains("text-decoration:line-through")
                || tag.style.contains("text-decoration-line:line-through"),
            pre: matches!(name, "pre" | "textarea" | "listing" | "xmp")
                || tag.style.contains("white-space:pre")
                || tag.style.contains("white-space:break-spaces"),
            list: matches!(name, "ul" | "ol"),
            signature: tag.signature
                || tag.class.split_whitespace().any(|c| c == "gmail_signature"),
        }
    }

    /// Whether the element need not be remembered.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// Whether a quotation begins with this element: what Outlook and its kin put over the header lines of the letter they quote.
pub(super) fn begins_quotation(tag: &Tag) -> bool {
    let id = tag.id.trim_start_matches("x_");
    matches!(
        id,
        "divRplyFwdMsg" | "OLK_SRC_BODY_SECTION" | "mail-editor-reference-message-container"
    ) || (tag.style.contains("border-top:solid") && tag.style.contains("padding:3.0pt"))
        || (tag.style.contains("border-top-style:solid") && tag.style.contains("padding-top:5px"))
}

/// Whether the paragraph stands close to its neighbours.
pub(super) fn is_close(tag: &Tag) -> bool {
    tag.class.starts_with("Mso")
        || tag.style.contains("margin:0")
        || (tag.style.contains("margin-top:0") && tag.style.contains("margin-bottom:0"))
}

/// Gmail and Apple Mail indent with a `blockquote` that has no border and is nobody's citation.
fn is_indentation(tag: &Tag) -> bool {
    let plain = tag.class.is_empty() && tag.kind.is_empty();
    plain && (tag.style.contains("border:none") || tag.style.contains("border:0"))
}

fn hides(style: &str) -> bool {
    ["display:none", "visibility:hidden", "mso-hide:all"]
        .iter()
        .any(|way| style.contains(way))
        || is_zero(style, "font-size:0")
        || is_zero(style, "opacity:0")
        || (is_zero(style, "max-height:0") && style.contains("overflow:hidden"))
}

/// Whether a style sets something to nothing, and not to 0.9 of something.
fn is_zero(style: &str, setting: &str) -> bool {
    style.split_once(setting).is_some_and(|(before, after)| {
        let whole = before.is_empty() || before.ends_with(';');
        whole && !after.starts_with(|c: char| c.is_ascii_digit() || c == '.')
    })
}
