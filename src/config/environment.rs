//! Variables of the environment over the main file: `POSTDESK__SECTION__KEY=value` overrides `key` of `[section]`.

use std::collections::BTreeMap;
use std::path::Path;

use super::fault::Fault;
use super::reading::Reading;
use super::source::Place;
use super::tree::{Node, Table, Value};

/// What a variable of ours begins with.
pub const PREFIX: &str = "POSTDESK__";

/// The variables of this process; those that are no Unicode are none of ours.
pub fn of_process() -> Vec<(String, String)> {
    let pairs = std::env::vars_os();
    pairs
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Lays the variables over the table. One of several sections is named by its `name`: `POSTDESK__MAILBOX__SUPPORT__HOST`.
pub fn overlay(reading: &Reading, variables: &BTreeMap<String, String>, table: &mut Table) {
    let ours: Vec<(&String, &String)> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX))
        .collect();
    if ours.is_empty() {
        return;
    }
    let mut text = String::new();
    let mut spans = Vec::new();
    for (name, value) in &ours {
        let start = text.len();
        let value = value.replace(char::is_control, " ");
        text.push_str(&format!("{name}={value}"));
        spans.push((start, text.len()));
        text.push('\n');
    }
    let file = reading.add_source(Path::new("environment"), &text);
    for ((name, value), (start, end)) in ours.into_iter().zip(spans) {
        let at = Place::new(file, start, end);
        let path = name.strip_prefix(PREFIX).unwrap_or_default().to_lowercase();
        let path: Vec<&str> = path.split("__").collect();
        if let Err(why) = put(table, &path, value, at) {
            reading.fault(
                Fault::error(at, "this variable overrides nothing")
                    .label(why)
                    .why("a misspelt variable would silently leave the file's value in force")
                    .todo("write POSTDESK__SECTION__KEY, or POSTDESK__MAILBOX__NAME__KEY, or unset it"),
            );
        }
    }
}

fn put(table: &mut Table, path: &[&str], value: &str, at: Place) -> Result<(), String> {
    let Some((key, rest)) = path.split_first().filter(|(key, _)| !key.is_empty()) else {
        return Err("no key is named".to_owned());
    };
    if rest.is_empty() {
        let value = Value::Raw(value.to_owned());
        table
            .entries
            .insert((*key).to_owned(), (at, Node { at, value }));
        return Ok(());
    }
    let fresh = || {
        let value = Value::Table(Table::default());
        (at, Node { at, value })
    };
    let (_, node) = table.entries.entry((*key).to_owned()).or_insert_with(fresh);
    if let Value::Table(inner) = &mut node.value {
        return put(inner, rest, value, at);
    }
    if let (Value::List(items), Some((name, rest))) = (&mut node.value, rest.split_first()) {
        let inner = items.iter_mut().find_map(|item| {
            let Value::Table(inner) = &mut item.value else {
                return None;
            };
            is_called(inner, name).then_some(inner)
        });
        return match inner {
            Some(inner) => put(inner, rest, value, at),
            None => Err(format!("there is no [[{key}]] named `{name}`")),
        };
    }
    Err(format!("`{key}` is no section"))
}

/// Whether a section has this name, as a variable writes it: without case, `-` as `_`.
fn is_called(table: &Table, name: &str) -> bool {
    let written = table.entries.get("name").and_then(|(_, n)| n.value.text());
    written.is_some_and(|w| w.to_lowercase().replace('-', "_") == name)
}
