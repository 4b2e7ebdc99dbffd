//! One reading of a whole configuration: its texts, what was found wrong so far, which keys were asked for, and what they came to.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use sha2::{Digest as _, Sha256};

use super::fault::{Fault, Faults, Warning, verdict};
use super::nearest::{listed, nearest};
use super::source::{Place, Source};

/// The section keys of all files, by the kind of their section.
pub type Keys = BTreeMap<&'static str, BTreeSet<&'static str>>;

/// One effective value: what `postdesk check` prints.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The section, by the order in which sections were read.
    pub section: usize,
    /// The key.
    pub key: String,
    /// The value as TOML, secrets masked.
    pub value: String,
    /// Where it was written; none for a default.
    pub from: Option<Place>,
}

#[derive(Debug)]
struct Unknown {
    kind: &'static str,
    section: String,
    key: String,
    at: Place,
    is_table: bool,
}

/// The state of a reading. Everything is collected, nothing stops it.
#[derive(Debug)]
pub struct Reading {
    folder: PathBuf,
    today: NaiveDate,
    variables: BTreeMap<String, String>,
    sources: RefCell<Vec<Source>>,
    faults: RefCell<Vec<Fault>>,
    keys: RefCell<Keys>,
    unknown: RefCell<Vec<Unknown>>,
    sections: RefCell<Vec<(String, Place)>>,
    effective: RefCell<Vec<Effective>>,
    looked_at: RefCell<BTreeSet<PathBuf>>,
    instead: Option<(PathBuf, String)>,
    authorities: RefCell<BTreeMap<PathBuf, [u8; 32]>>,
}

impl Reading {
    /// A reading whose relative paths start from `folder`, as of `today`, with these variables of the environment.
    pub fn new(folder: PathBuf, today: NaiveDate, variables: BTreeMap<String, String>) -> Self {
        Self {
            folder,
            today,
            variables,
            sources: RefCell::default(),
            faults: RefCell::default(),
            keys: RefCell::default(),
            unknown: RefCell::default(),
            sections: RefCell::default(),
            effective: RefCell::default(),
            looked_at: RefCell::default(),
            instead: None,
            authorities: RefCell::default(),
        }
    }

    /// The same, with this text in place of what the file holds: to try what it would come to.
    #[must_use]
    pub fn instead(mut self, path: &Path, text: &str) -> Self {
        self.instead = Some((path.to_owned(), text.to_owned()));
        self
    }

    /// The octets of a file of the configuration.
    ///
    /// # Errors
    /// It can't be read.
    pub fn octets(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.look_at(path);
        match &self.instead {
            Some((other, text)) if other == path => Ok(text.clone().into_bytes()),
            _ => std::fs::read(path),
        }
    }

    /// Notes that what the configuration comes to depends on this file or folder, whether it is there or not.
    pub fn look_at(&self, path: &Path) {
        self.looked_at.borrow_mut().insert(path.to_owned());
    }

    /// Everything that the configuration depends on so far.
    pub fn looked_at(&self) -> BTreeSet<PathBuf> {
        self.looked_at.borrow().clone()
    }

    /// Notes what a file of certificate authorities holds.
    pub fn note_authority(&self, path: &Path, pem: &[u8]) {
        let digest = Sha256::digest(pem).into();
        self.authorities
            .borrow_mut()
            .insert(path.to_owned(), digest);
    }

    /// What the files of certificate authorities hold, as SHA-256.
    pub fn authorities(&self) -> BTreeMap<PathBuf, [u8; 32]> {
        self.authorities.borrow().clone()
    }

    /// A path of the configuration as the process can use it.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// The day as of which people and calendars are judged.
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Takes in a text that faults can point at; gives its index.
    pub fn add_source(&self, name: &Path, text: &str) -> usize {
        let mut sources = self.sources.borrow_mut();
        sources.push(Source::new(name.display().to_string(), text));
        sources.len().saturating_sub(1)
    }

    /// The place of a line, from 1, in a text.
    pub fn line(&self, file: usize, number: usize) -> Place {
        match self.sources.borrow().get(file) {
            Some(source) => {
                let (start, end) = source.line(number);
                Place::new(file, start, end)
            }
            None => Place::whole(file),
        }
    }

    /// Notes a fault.
    pub fn fault(&self, fault: Fault) {
        self.faults.borrow_mut().push(fault);
    }

    /// How much was found wrong so far.
    pub fn count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// Whether nothing was found so far that keeps the configuration from being used.
    pub fn is_sound(&self) -> bool {
        self.unknown.borrow().is_empty() && self.faults.borrow().iter().all(Fault::is_warning)
    }

    /// Opens a section; gives its index.
    pub fn open_section(&self, header: String, at: Place) -> usize {
        let mut sections = self.sections.borrow_mut();
        sections.push((header, at));
        sections.len().saturating_sub(1)
    }

    /// Notes that sections of this kind have this key.
    pub fn ask(&self, kind: &'static str, key: &'static str) {
        self.keys.borrow_mut().entry(kind).or_default().insert(key);
    }

    /// Notes what a key came to.
    pub fn note(&self, section: usize, key: &str, value: String, from: Option<Place>) {
        let key = key.to_owned();
        self.effective.borrow_mut().push(Effective {
            section,
            key,
            value,
            from,
        });
    }

    /// Notes a key that the section (of this kind, written like this) does not have. Judged when all keys are known.
    pub fn unknown(&self, kind: &'static str, section: &str, key: &str, at: Place, is_table: bool) {
        self.unknown.borrow_mut().push(Unknown {
            kind,
            section: section.to_owned(),
            key: key.to_owned(),
            at,
            is_table,
        });
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn end(self) -> Result<(Vec<Warning>, Overview), Faults> {
        let keys = self.keys.into_inner();
        let mut faults = self.faults.into_inner();
        let unknown = self.unknown.into_inner();
        faults.extend(unknown.iter().map(|u| judge_unknown(u, &keys)));
        let sources = self.sources.into_inner();
        let effective = self.effective.into_inner();
        let overview = Overview {
            names: sources.iter().map(|s| s.name().to_owned()).collect(),
            lines: lines_of(&sources, &effective),
            sections: self.sections.into_inner(),
            effective,
            keys,
        };
        Ok((verdict(sources, faults)?, overview))
    }
}

fn lines_of(sources: &[Source], effective: &[Effective]) -> Vec<Option<usize>> {
    let line = |place: Place| {
        let (start, _) = place.span()?;
        Some(sources.get(place.file())?.line_and_column(start).0)
    };
    effective.iter().map(|e| e.from.and_then(line)).collect()
}

fn judge_unknown(unknown: &Unknown, keys: &Keys) -> Fault {
    let Unknown {
        kind,
        section,
        key,
        at,
        is_table,
    } = unknown;
    let here: Vec<&str> = keys
        .get(kind)
        .map(|known| known.iter().copied().collect())
        .unwrap_or_default();
    let noun = if *is_table { "section" } else { "key" };
    let elsewhere = keys
        .iter()
        .find(|(other, known)| *other != kind && known.contains(key.as_str()));
    let (label, todo) = match (nearest(key, here.iter().copied()), elsewhere) {
        (Some(near), _) => (
            format!("did you mean `{near}`?"),
            format!("write `{near}`, or remove it"),
        ),
        (None, Some((other, _))) => (
            format!("belongs in {other}"),
            format!("move it to {other}, or remove it"),
        ),
        (None, None) => (
            "not known here".to_owned(),
            format!("remove it; {section} knows {}", listed(here, "and")),
        ),
    };
    Fault::error(*at, format!("unknown {noun} `{key}` in {section}"))
        .label(label)
        .why("a name that is silently ignored would leave a default in force that nobody chose")
        .todo(todo)
}

/// What a reading came to, for `postdesk check` and for the test that the manual is complete.
#[derive(Debug, Clone)]
pub struct Overview {
    names: Vec<String>,
    lines: Vec<Option<usize>>,
    sections: Vec<(String, Place)>,
    effective: Vec<Effective>,
    keys: Keys,
}

impl Overview {
    /// All keys there are, by the kind of their section.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The effective values as TOML, each with the line it comes from or `default`; secrets are masked.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (index, (header, at)) in self.sections.iter().enumerate() {
            let entries: Vec<(&Effective, &Option<usize>)> = self
                .effective
                .iter()
                .zip(&self.lines)
                .filter(|(e, _)| e.section == index)
                .collect();
            if entries.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push('\n');
            }
            if header.is_empty() {
                let name = self.names.get(at.file()).map(String::as_str);
                text.push_str(&format!("## {}\n", name.unwrap_or_default()));
            } else {
                text.push_str(&format!("{header}\n"));
            }
            for (entry, line) in entries {
                let from = match (entry.from, line) {
                    (Some(place), Some(line)) => {
                        let name = self.names.get(place.file()).map(String::as_str);
                        format!("{}:{line}", name.unwrap_or_default())
                    }
                    _ => "default".to_owned(),
                };
                let pair = format!("{} = {}", entry.key, entry.value);
                text.push_str(&format!("{pair:<48}  # {from}\n"));
            }
        }
        text
    }
}
