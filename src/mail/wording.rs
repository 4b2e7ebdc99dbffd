//! The wording of our letters: templates in Russian and English, built in, each overridable by a file, checked when they are loaded.

use std::path::Path;

use crate::desk::notice::Notice;

/// The wordings of one desk.
#[derive(Debug, Clone)]
pub struct Wording {}

/// What a wording made of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The subject, one line.
    pub subject: String,
    /// Plain text, LF line ends, unwrapped paragraphs.
    pub text: String,
    /// The same as a small HTML document.
    pub html: String,
}

/// One thing wrong with an overriding template, for the configuration's list of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingFault {
    /// The file.
    pub file: std::path::PathBuf,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

/// What every wording may use of the desk itself.
#[derive(Debug, Clone)]
pub struct Voice<'a> {
    /// The desk's name.
    pub desk_name: &'a str,
    /// The desk's address.
    pub desk_address: &'a str,
    /// The zone that moments are shown in.
    pub zone: chrono_tz::Tz,
}

impl Wording {
    /// The built-in wordings.
    pub fn built_in() -> Self {
        todo!()
    }

    /// The built-in wordings with the files of `folder` (`ru/registered.txt`, `en/…`) in place of theirs. `sources` are (path, content).
    ///
    /// # Errors
    /// Every fault of every file: a file that overrides nothing, a syntax error, an unknown name.
    pub fn with_overrides(
        sources: &[(std::path::PathBuf, String)],
        folder: &Path,
    ) -> Result<Self, Vec<WordingFault>> {
        let _ = (sources, folder);
        todo!()
    }

    /// Says a notice. A template that fails at run time falls back to the built-in one, so that a letter is never lost to a template (E9).
    pub fn say(&self, notice: &Notice, voice: &Voice<'_>) -> Said {
        let _ = (notice, voice);
        todo!()
    }
}
