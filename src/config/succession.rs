//! How representatives change: `[succession]`, with the text or file that successors are sent (R28, R31).

use crate::desk::policy::SuccessionPolicy;

use super::desk::patterns;
use super::fault::Fault;
use super::section::Section;
use super::source::Placed;

/// Subjects that ask for a change where the configuration names none, a marker of an order before them or not.
const PATTERNS: [&str; 3] = [
    r"^((поручение|заявка):\s*)?смена\s+(представител|контактн|диспетчер|ответственн)",
    r"^((поручение|заявка):\s*)?изменение\s+контактн",
    r"^(order:\s*)?change\s+of\s+(the\s+)?(representative|contact)",
];
/// The longest text for successors, in octets: it goes into a letter.
const LONGEST: usize = 20_000;

/// Reads `[succession]`.
pub fn succession(root: &Section<'_>) -> SuccessionPolicy {
    let section = root.table("succession", "[succession]");
    let patterns = patterns(&section, "patterns", &PATTERNS);
    let text = section.text("materials");
    let file = section.text("materials_file");
    section.end();
    if let (Some(text), Some(file)) = (&text, &file) {
        root.reading().fault(
            Fault::error(file.at, "the materials stand in two places")
                .label("a file")
                .also(text.at, "a text")
                .why("a successor is sent one of them")
                .todo("leave one of the two out"),
        );
    }
    let materials = match (text, file) {
        (Some(text), _) => Some(text),
        (None, Some(file)) => read(root, &file),
        (None, None) => None,
    };
    let materials = materials.filter(|text| !text.value.trim().is_empty());
    if let Some(text) = &materials
        && text.value.len() > LONGEST
    {
        root.reading().fault(
            Fault::error(text.at, "the materials are too long for a letter")
                .label(format!("{} octets", text.value.len()))
                .why("they stand in the letter that a successor gets")
                .todo(format!(
                    "keep them below {LONGEST} octets: name where to read on"
                )),
        );
    }
    SuccessionPolicy {
        patterns,
        materials: materials.map(|text| text.value),
    }
}

fn read(root: &Section<'_>, file: &Placed<String>) -> Option<Placed<String>> {
    let reading = root.reading();
    let path = reading.resolve(&file.value);
    reading.look_at(&path);
    let text = reading
        .octets(&path)
        .map_err(|error| error.to_string())
        .and_then(|octets| String::from_utf8(octets).map_err(|_| "it is no UTF-8".to_owned()));
    match text {
        Ok(value) => Some(Placed { value, at: file.at }),
        Err(why) => {
            reading.fault(
                Fault::error(
                    file.at,
                    format!("the materials `{}` cannot be read", path.display()),
                )
                .label(why)
                .why("a successor would be sent nothing to read (R31)")
                .todo("write the path of a UTF-8 text, relative to this file, or use `materials`"),
            );
            None
        }
    }
}
