//! One table of a configuration, asked key by key: each question checks the type, takes the default, and makes the key known.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::NaiveDate;

use crate::desk::address::Address;

use super::fault::Fault;
use super::nearest::{listed, nearest};
use super::reading::Reading;
use super::source::{Place, Placed, masked};
use super::tree::{Node, Table, Value};

/// A table that is being read, or one that is not there and gives only defaults.
#[derive(Debug)]
pub struct Section<'a> {
    reading: &'a Reading,
    kind: &'static str,
    name: String,
    at: Place,
    table: Option<&'a Table>,
    index: usize,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Section<'a> {
    /// The whole of a file; `kind` is what its keys are remembered under.
    pub fn whole(reading: &'a Reading, kind: &'static str, at: Place, table: &'a Table) -> Self {
        Self::new(reading, kind, String::new(), at, Some(table))
    }

    fn new(
        reading: &'a Reading,
        kind: &'static str,
        header: String,
        at: Place,
        table: Option<&'a Table>,
    ) -> Self {
        Self {
            reading,
            kind,
            name: if header.is_empty() {
                "this file".to_owned()
            } else {
                header.clone()
            },
            at,
            table,
            index: reading.open_section(header, at),
            asked: RefCell::default(),
        }
    }

    /// The reading it belongs to.
    pub fn reading(&self) -> &'a Reading {
        self.reading
    }

    /// Its header, or the file as a whole.
    pub fn at(&self) -> Place {
        self.at
    }

    /// Whether it is written at all.
    pub fn is_written(&self) -> bool {
        self.table.is_some()
    }

    /// Whether the key is written, of whatever type.
    pub fn has(&self, key: &'static str) -> Option<Place> {
        self.entry(key).map(|(place, _)| place)
    }

    fn entry(&self, key: &'static str) -> Option<(Place, &'a Node)> {
        self.reading.ask(self.kind, key);
        self.asked.borrow_mut().insert(key);
        let (place, node) = self.table?.entries.get(key)?;
        Some((*place, node))
    }

    fn wrong_type(&self, key: &str, node: &Node, wanted: &str, example: &str) {
        let todo = if matches!(node.value, Value::Raw(_)) {
            format!("set the variable to {wanted}, or unset it")
        } else {
            format!("write {key} = {example}")
        };
        self.reading.fault(
            Fault::error(node.at, format!("`{key}` takes {wanted}"))
                .label(format!("this is {}", node.value.in_words()))
                .why("a value of another type is never converted by guessing")
                .todo(todo),
        );
    }

    /// Notes an effective value that is not the answer to a question: a free key, a password that was read from a file.
    pub fn note_at(&self, key: &str, value: &str, at: Place) {
        self.reading
            .note(self.index, key, value.to_owned(), Some(at));
    }

    fn told<T>(
        &self,
        key: &str,
        placed: Option<Placed<T>>,
        show: impl Fn(&T) -> String,
    ) -> Option<Placed<T>> {
        if let Some(p) = &placed {
            self.reading
                .note(self.index, key, show(&p.value), Some(p.at));
        }
        placed
    }

    fn by_default<T>(&self, key: &str, value: T, shown: String) -> Placed<T> {
        self.reading.note(self.index, key, shown, None);
        Placed { value, at: self.at }
    }

    /// Says that a key is missing that has no default.
    pub fn missing(&self, key: &str, why: &str, example: &str) {
        let fault = if self.table.is_some() || !self.name.starts_with('[') {
            Fault::error(self.at, format!("`{key}` is missing from {}", self.name))
        } else {
            Fault::error(
                self.at,
                format!("the section {} is missing, with its `{key}`", self.name),
            )
        };
        self.reading
            .fault(fault.why(why).todo(format!("add {key} = {example}")));
    }

    fn plain(&self, key: &str, node: &Node, text: &str) -> Option<Placed<String>> {
        let (value, at) = (text.to_owned(), node.at);
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            let what = if text.trim().is_empty() {
                format!("`{key}` is empty")
            } else {
                format!("`{key}` holds a control character or a line end")
            };
            self.reading.fault(
                Fault::error(at, what)
                    .why("it would end up in headers, logs or paths, where it can do harm")
                    .todo("write one line of text, or leave the key out"),
            );
            return None;
        }
        Some(Placed { value, at })
    }

    /// A text of one line.
    pub fn text(&self, key: &'static str) -> Option<Placed<String>> {
        let (_, node) = self.entry(key)?;
        let Some(text) = node.value.text() else {
            self.wrong_type(key, node, "text", "\"…\", in quotation marks");
            return None;
        };
        let found = self.plain(key, node, text);
        self.told(key, found, |t| masked(&quoted(t)))
    }

    /// A text of one line that must be there.
    pub fn required_text(
        &self,
        key: &'static str,
        why: &str,
        example: &str,
    ) -> Option<Placed<String>> {
        if self.has(key).is_none() {
            self.missing(key, why, &quoted(example));
        }
        self.text(key)
    }

    /// A text of one line.
    pub fn text_or(&self, key: &'static str, default: &str) -> Placed<String> {
        match self.text(key) {
            Some(found) => found,
            None => self.by_default(key, default.to_owned(), quoted(default)),
        }
    }

    /// A whole number within a range.
    pub fn number(
        &self,
        key: &'static str,
        range: RangeInclusive<i64>,
        default: i64,
    ) -> Placed<i64> {
        let found = self.entry(key).and_then(|(_, node)| {
            let Some(value) = node.value.number() else {
                let meant = node.value.text().and_then(|t| t.trim().parse().ok());
                let example = format!("{}, without quotation marks", meant.unwrap_or(default));
                self.wrong_type(key, node, "a whole number", &example);
                return None;
            };
            if !range.contains(&value) {
                let (low, high) = (range.start(), range.end());
                self.reading.fault(
                    Fault::error(node.at, format!("`{key}` = {value} is out of range"))
                        .label(format!("from {low} to {high}"))
                        .why("the desk could not work as it is meant to")
                        .todo(format!(
                            "write a number from {low} to {high}, such as {default}"
                        )),
                );
                return None;
            }
            Some(Placed { value, at: node.at })
        });
        match self.told(key, found, ToString::to_string) {
            Some(found) => found,
            None => self.by_default(key, default, default.to_string()),
        }
    }

    /// True or false.
    pub fn flag(&self, key: &'static str, default: bool) -> bool {
        let found = self.entry(key).and_then(|(_, node)| {
            let value = node.value.flag();
            if value.is_none() {
                self.wrong_type(
                    key,
                    node,
                    "true or false",
                    &format!("{default}, without quotation marks"),
                );
            }
            value.map(|value| Placed { value, at: node.at })
        });
        match self.told(key, found, ToString::to_string) {
            Some(found) => found.value,
            None => self.by_default(key, default, default.to_string()).value,
        }
    }

    /// One of several words. Without a default the key may be absent.
    pub fn choice<T: Copy>(
        &self,
        key: &'static str,
        choices: &[(&'static str, T)],
        default: Option<&'static str>,
    ) -> Option<Placed<T>> {
        let pick = |word: &str| choices.iter().find(|(w, _)| *w == word).map(|(_, v)| *v);
        if let Some(found) = self.text(key) {
            if let Some(value) = pick(&found.value) {
                return Some(Placed {
                    value,
                    at: found.at,
                });
            }
            self.bad_word(key, &found, choices.iter().map(|(w, _)| *w));
        } else if let (Some(word), None) = (default, self.has(key)) {
            let value = pick(word)?;
            return Some(self.by_default(key, value, quoted(word)));
        }
        default
            .and_then(pick)
            .map(|value| Placed { value, at: self.at })
    }

    /// Says that a word is none of those a key takes.
    pub fn bad_word<'w>(
        &self,
        key: &str,
        found: &Placed<String>,
        words: impl Iterator<Item = &'w str> + Clone,
    ) {
        let label = match nearest(&found.value, words.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("none of the words that `{key}` takes"),
        };
        self.reading.fault(
            Fault::error(found.at, format!("`{key}` cannot be `{}`", found.value))
                .label(label)
                .why("the desk would have to guess what is meant")
                .todo(format!("write {}", listed(words, "or"))),
        );
    }

    /// A list of texts.
    pub fn texts(&self, key: &'static str, default: &[&str]) -> Vec<Placed<String>> {
        let Some((_, node)) = self.entry(key) else {
            let shown: Vec<String> = default.iter().map(|t| quoted(t)).collect();
            let placed = self.by_default(key, (), format!("[{}]", shown.join(", ")));
            return default
                .iter()
                .map(|t| Placed {
                    value: (*t).to_owned(),
                    at: placed.at,
                })
                .collect();
        };
        let texts = self.texts_of(key, node);
        let shown: Vec<String> = texts.iter().map(|t| quoted(&t.value)).collect();
        self.reading.note(
            self.index,
            key,
            format!("[{}]", shown.join(", ")),
            Some(node.at),
        );
        texts
    }

    fn texts_of(&self, key: &str, node: &Node) -> Vec<Placed<String>> {
        let example = "[\"…\", \"…\"]";
        if let Value::Raw(text) = &node.value {
            let texts = list_of_raw(text);
            return texts
                .iter()
                .filter_map(|text| self.plain(key, node, text))
                .collect();
        }
        let Some(items) = node.value.list() else {
            let meant = node.value.text().map(|t| format!("[{}]", quoted(t)));
            let example = meant.as_deref().unwrap_or(example);
            self.wrong_type(key, node, "a list of texts", example);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item.value.text() {
                Some(text) => texts.extend(self.plain(key, item, text)),
                None => self.wrong_type(key, item, "a list of texts", example),
            }
        }
        texts
    }

    /// A day.
    pub fn date(&self, key: &'static str) -> Option<Placed<NaiveDate>> {
        let (_, node) = self.entry(key)?;
        let day = node.value.date();
        if day.is_none() {
            self.wrong_type(key, node, "a date", "2026-01-31");
        }
        let found = day.map(|value| Placed { value, at: node.at });
        self.told(key, found, ToString::to_string)
    }

    /// Whether the key is written as a TOML date, without quotation marks.
    pub fn is_date(&self, key: &'static str) -> bool {
        self.entry(key)
            .is_some_and(|(_, node)| matches!(node.value, Value::Date(_)))
    }

    /// A mail address that must be there.
    pub fn address(&self, key: &'static str, why: &str) -> Option<Placed<Address>> {
        let text = self.required_text(key, why, "name@organisation.example")?;
        self.address_of(key, &text)
    }

    /// A text of this section as a mail address.
    pub fn address_of(&self, key: &str, text: &Placed<String>) -> Option<Placed<Address>> {
        match Address::new(&text.value) {
            Ok(value) => Some(Placed { value, at: text.at }),
            Err(fault) => {
                self.reading.fault(
                    Fault::error(text.at, format!("`{key}` is no mail address"))
                        .label(fault.to_string())
                        .why("people are recognised by their address alone, so it must be exact")
                        .todo("write one bare address, such as \"name@organisation.example\""),
                );
                None
            }
        }
    }

    /// The one table of this name; an absent one gives defaults. `kind` is `[a.b]` as it is written.
    pub fn table(&self, key: &'static str, kind: &'static str) -> Section<'a> {
        let open = |at, table| Section::new(self.reading, kind, kind.to_owned(), at, table);
        let Some((_, node)) = self.entry(key) else {
            return open(Place::whole(self.at.file()), None);
        };
        let table = node.value.table();
        if table.is_none() {
            self.wrong_shape(key, node, kind);
        }
        open(node.at, Some(table.unwrap_or(EMPTY)))
    }

    /// All tables of this name. `kind` is `[[a]]` as it is written.
    pub fn tables(&self, key: &'static str, kind: &'static str) -> Vec<Section<'a>> {
        let Some((_, node)) = self.entry(key) else {
            return Vec::new();
        };
        let Some(items) = node.value.list() else {
            self.wrong_shape(key, node, kind);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let table = item.value.table();
            if table.is_none() {
                self.wrong_shape(key, item, kind);
            } else {
                let header = kind.to_owned();
                found.push(Section::new(self.reading, kind, header, item.at, table));
            }
        }
        found
    }

    fn wrong_shape(&self, key: &str, node: &Node, kind: &str) {
        self.reading.fault(
            Fault::error(node.at, format!("`{key}` is written {kind}"))
                .label(format!("this is {}", node.value.in_words()))
                .why("brackets say whether a section stands once or several times")
                .todo(format!(
                    "write {kind} on a line of its own and its keys below it"
                )),
        );
    }

    /// Every key with its value, for a section whose keys are free.
    pub fn free_entries(&self) -> Vec<(&'a str, Place, &'a Node)> {
        let entries = self.table.map(|t| t.entries.iter());
        entries
            .into_iter()
            .flatten()
            .map(|(key, (place, node))| (key.as_str(), *place, node))
            .collect()
    }

    /// Ends it: whatever was not asked for is unknown.
    pub fn end(self) {
        let asked = self.asked.borrow();
        for (key, (place, node)) in self.table.into_iter().flat_map(|t| &t.entries) {
            if asked.contains(key.as_str()) {
                continue;
            }
            let of_tables = |items: &[Node]| items.iter().any(|i| i.value.table().is_some());
            let is_table = node.value.table().is_some() || node.value.list().is_some_and(of_tables);
            self.reading
                .unknown(self.kind, &self.name, key, *place, is_table);
        }
    }
}

static EMPTY: &Table = &Table {
    entries: std::collections::BTreeMap::new(),
};

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// What a variable means where a list is wanted: a TOML array of texts, or one text.
fn list_of_raw(text: &str) -> Vec<String> {
    let array = text.trim_start().starts_with('[');
    let table = array.then(|| toml::from_str::<toml::Table>(&format!("list = {text}")).ok());
    let items = table.flatten().and_then(|mut t| t.remove("list"));
    match items {
        Some(toml::Value::Array(items)) if items.iter().all(toml::Value::is_str) => items
            .iter()
            .filter_map(|i| i.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => vec![text.to_owned()],
    }
}
