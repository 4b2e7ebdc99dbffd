//! The wordings of a desk's own: `[letters]` and the files in its folder.

use std::io;
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
    reading.look_at(&path);
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
    for language in ["ru", "en"] {
        reading.look_at(&path.join(language));
    }
    let found = files(&path).unwrap_or_else(|error| {
        let what = format!("the folder `{}` cannot be listed", path.display());
        reading.fault(
            Fault::error(folder.at, what)
                .label(error.to_string())
                .why("the desk's own wordings would silently not be used")
                .todo("make it readable for the user that the desk runs as"),
        );
        Vec::new()
    });
    for file in found {
        reading.look_at(&file);
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
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in entries(folder)? {
        if entry.is_dir() {
            let inner = entries(&entry)?;
            found.extend(inner.into_iter().filter(|e| e.is_file()));
        } else {
            found.push(entry);
        }
    }
    Ok(found)
}

/// What stands in a folder, in order, but for hidden files and those that end in `~`; nothing if there is no such folder.
///
/// # Errors
/// The folder is there and cannot be listed.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let listing = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listing => listing?,
    };
    let mut found = Vec::new();
    for entry in listing {
        let path = entry?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        if name.is_some_and(|n| !n.starts_with('.') && !n.ends_with('~')) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
