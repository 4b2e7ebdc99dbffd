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
    section.end();
    let path = |t: &Placed<String>| t.value.strip_prefix("file:").map(|p| p.trim().to_owned());
    let materials = text.and_then(|text| match path(&text) {
        Some(path) => read(root, &text, &path),
        None => Some(text),
    });
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

fn read(root: &Section<'_>, written: &Placed<String>, path: &str) -> Option<Placed<String>> {
    let (reading, at) = (root.reading(), written.at);
    let path = reading.resolve(path);
    reading.look_at(&path);
    let text = reading
        .octets(&path)
        .map_err(|error| error.to_string())
        .and_then(|octets| String::from_utf8(octets).map_err(|_| "it is no UTF-8".to_owned()));
    match text {
        Ok(value) => Some(Placed { value, at }),
        Err(why) => {
            let what = format!("the materials `{}` cannot be read", path.display());
            reading.fault(
                Fault::error(at, what)
                    .label(why)
                    .why("a successor would be sent nothing to read (R31)")
                    .todo("write `file:` and the path of a UTF-8 text, relative to this file, or the text itself"),
            );
            None
        }
    }
}
