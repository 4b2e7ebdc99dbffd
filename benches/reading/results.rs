//! `Authentication-Results` fields and what is expected of reading them: `auth_results/headers.jsonl` in the folder.

use std::fs;
use std::path::Path;

use postdesk::mail::results::{self, Departure};
use serde_json::Value;

use crate::table::Table;

/// Reads each field as the desk does. A field is right if its id, its methods, their results and their properties are; comments and reasons
/// decide nothing and are not compared.
pub fn measure(folder: &Path, table: &mut Table) {
    let Ok(text) = fs::read_to_string(folder.join("auth_results/headers.jsonl")) else {
        return;
    };
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("A line of headers.jsonl");
        let header = case["header"].as_str().expect("A header");
        let expected = expected(&case["expect"]);
        let got = got(header);
        let name = case["source"].as_str().unwrap_or("auth_results");
        table.note("auth results", name, got == expected, &expected, &got);
    }
}

fn expected(expect: &Value) -> String {
    if expect["valid"] != Value::Bool(true) {
        return "unreadable".to_owned();
    }
    let mut told = expect["authserv_id"].as_str().unwrap_or("-").to_owned();
    for result in expect["results"].as_array().into_iter().flatten() {
        let text = |key: &str| result[key].as_str().unwrap_or_default();
        let properties = result["properties"].as_object().into_iter().flatten();
        let properties = properties.map(|(name, value)| {
            format!(
                "{}={}",
                name.to_lowercase(),
                value.as_str().unwrap_or_default()
            )
        });
        told += &one(text("method"), text("result"), properties);
    }
    told
}

fn got(header: &str) -> String {
    // Departures from the grammar are told beside what was read; this one is an error of syntax to those who set the expectations.
    let strict = |read: &results::Results| !read.departures.contains(&Departure::Colon);
    let Some(read) = results::read(header).filter(strict) else {
        return "unreadable".to_owned();
    };
    let mut told = read.authserv_id.unwrap_or_else(|| "-".to_owned());
    for check in &read.checks {
        let properties = check.properties.iter().map(|(n, v)| format!("{n}={v}"));
        told += &one(&check.method, &check.result, properties);
    }
    told
}

fn one(method: &str, result: &str, properties: impl Iterator<Item = String>) -> String {
    let mut properties: Vec<String> = properties.collect();
    properties.sort();
    format!(
        "; {}={} {}",
        method.to_lowercase(),
        result.to_lowercase(),
        properties.join(" ")
    )
}
