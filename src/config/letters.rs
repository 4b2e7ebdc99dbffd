//! The wordings of a desk's own: `[letters]` and the files in its folder.

use std::path::{Path, PathBuf};

use crate::mail::wording::Wording;

use super::fault::Fault;
use super::section::Section;
use super::source::Place;

/// Reads the wordings: the built-in ones, with the files of the folder in place of theirs.
pub fn wording(root: &Section<'_>) -> Option<Wording> {
    let section = root.table("letters", "[letters]");
    let folder = section.text_or("folder", "letters");
    let is_written = section.has("folder").is_some();
    section.end();
    let reading = root.reading();
    let path = reading.resolve(&folder.value);
    if !path.is_dir() {
        if is_written {
            reading.fault(
                Fault::error(
                    folder.at,
                    format!("there is no folder `{}`", path.display()),
                )
                .label("not a folder")
                .why("the desk's own wordings would silently not be used")
                .todo("make it, with ru/ and en/ in it, or leave `folder` out"),
            );
            return None;
        }
        return Some(Wording::built_in());
    }
    let mut sources: Vec<(PathBuf, String)> = Vec::new();
    for file in files(&path) {
        match std::fs::read_to_string(&file) {
            Ok(text) => sources.push((file, text)),
            Err(error) => {
                let place = Place::whole(reading.add_source(&file, ""));
                reading.fault(
                    Fault::error(place, format!("this wording cannot be read: {error}"))
                        .why("the built-in wording would silently be used in its place")
                        .todo("make it readable UTF-8 text, or remove it"),
                );
            }
        }
    }
    match Wording::with_overrides(&sources, &path) {
        Ok(wording) => Some(wording),
        Err(faults) => {
            for fault in faults {
                let text = sources.iter().find(|(file, _)| *file == fault.file);
                let text = text.map(|(_, text)| text.as_str()).unwrap_or_default();
                let source = reading.add_source(&fault.file, text);
                let place = match fault.line {
                    Some(line) => reading.line(source, line),
                    None => Place::whole(source),
                };
                reading.fault(
                    Fault::error(place, "this wording cannot be used")
                        .label(fault.what.clone())
                        .why("a letter that cannot be written is found now and not when it is due")
                        .todo("correct it, or remove the file to use the built-in wording"),
                );
            }
            None
        }
    }
}

/// The files of a folder and of the folders in it, in order; hidden ones and an editor's copies are left alone.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in entries(folder) {
        if entry.is_dir() {
            found.extend(entries(&entry).into_iter().filter(|e| e.is_file()));
        } else {
            found.push(entry);
        }
    }
    found
}

/// What stands in a folder, in order, but for hidden files and those that end in `~`.
pub fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let plain = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy());
        name.is_some_and(|n| !n.starts_with('.') && !n.ends_with('~'))
    };
    let mut found: Vec<PathBuf> = listing
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(plain)
        .collect();
    found.sort();
    found
}
