//! A TOML text as a tree in which everything knows its place, so that all faults of a file can be told at once.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::source::Place;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where; for a table, its header.
    pub at: Place,
    /// What.
    pub value: Value,
}

/// What can stand behind a key.
#[derive(Debug, Clone)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Whole(i64),
    /// A boolean.
    Flag(bool),
    /// A date without a time.
    Date(NaiveDate),
    /// An array.
    List(Vec<Node>),
    /// A table.
    Table(Table),
    /// As a variable of the environment gives it: text that whoever reads it makes its type of.
    Raw(String),
    /// What no key of ours takes: a float, a moment, an integer beyond 64 bits; in words.
    Other(&'static str),
}

impl Value {
    /// What it is, in words.
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Raw(_) => "text",
            Self::Whole(_) => "a whole number",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(words) => words,
        }
    }
}

impl Value {
    /// The text it is or, from the environment, can be.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) | Self::Raw(text) = self {
            return Some(text);
        }
        None
    }

    /// The whole number it is or, from the environment, can be.
    pub fn number(&self) -> Option<i64> {
        if let Self::Raw(text) = self {
            return text.trim().parse().ok();
        }
        if let Self::Whole(number) = self {
            return Some(*number);
        }
        None
    }

    /// The flag it is or, from the environment, can be.
    pub fn flag(&self) -> Option<bool> {
        if let Self::Raw(text) = self {
            return text.trim().parse().ok();
        }
        if let Self::Flag(flag) = self {
            return Some(*flag);
        }
        None
    }

    /// The date it is, or that stands in the text.
    pub fn date(&self) -> Option<NaiveDate> {
        if let Self::Date(day) = self {
            return Some(*day);
        }
        day(self.text()?)
    }

    /// The items, if it is a list.
    pub fn list(&self) -> Option<&[Node]> {
        if let Self::List(items) = self {
            return Some(items);
        }
        None
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        if let Self::Table(table) = self {
            return Some(table);
        }
        None
    }
}

/// A day written as `2026-01-31`, and in no other way.
pub fn day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (day.to_string() == text).then_some(day)
}

/// Keys with their values, in alphabetical order.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Each key with its own place.
    pub entries: BTreeMap<String, (Place, Node)>,
}

impl Table {
    /// Reads a text. A text with faults of syntax gives nothing else: what follows from them would be noise.
    ///
    /// # Errors
    /// The faults of syntax.
    pub fn read(file: usize, text: &str) -> Result<Self, Vec<Fault>> {
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self::of(file, table.get_ref()));
        }
        // A list or a table that is never closed swallows the rest of the file; what is said of that is noise.
        let unclosed = |e: &toml::de::Error| e.message().starts_with("unclosed");
        let swallowing = |e: &toml::de::Error| e.message().starts_with("missing comma");
        let worth = match errors.iter().position(swallowing) {
            Some(first) if errors.iter().skip(first).any(unclosed) => first.saturating_add(1),
            Some(_) | None => errors.len(),
        };
        Err(errors
            .iter()
            .take(worth)
            .map(|error| {
                let at = match error.span() {
                    Some(span) => Place::new(file, span.start, span.end),
                    None => Place::whole(file),
                };
                Fault::error(at, format!("not TOML: {}", error.message()))
                    .why("the rest of this file is not looked at until it can be read")
                    .todo("put texts in quotation marks, lists in [ ], and one `key = value` on a line")
            })
            .collect())
    }

    fn of(file: usize, table: &DeTable<'_>) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let span = key.span();
            let place = Place::new(file, span.start, span.end);
            let span = value.span();
            let at = Place::new(file, span.start, span.end);
            let value = Value::of(file, value.get_ref());
            (key.get_ref().to_string(), (place, Node { at, value }))
        });
        Self {
            entries: entries.collect(),
        }
    }
}

impl Value {
    fn of(file: usize, value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(n) => match i64::from_str_radix(n.as_str(), n.radix()) {
                Ok(n) => Self::Whole(n),
                Err(_) => Self::Other("a number that is far too large"),
            },
            DeValue::Float(_) => Self::Other("a number with a fraction"),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Datetime(moment) => Self::moment(moment),
            DeValue::Array(items) => Self::List(
                items
                    .iter()
                    .map(|item| Node {
                        at: Place::new(file, item.span().start, item.span().end),
                        value: Self::of(file, item.get_ref()),
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(Table::of(file, table)),
        }
    }

    fn moment(moment: &toml::value::Datetime) -> Self {
        let day = moment.date.filter(|_| moment.time.is_none()).and_then(|d| {
            NaiveDate::from_ymd_opt(i32::from(d.year), u32::from(d.month), u32::from(d.day))
        });
        match day {
            Some(day) => Self::Date(day),
            None => Self::Other("a moment with a time of day"),
        }
    }
}
