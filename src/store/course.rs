//! How a request's clock stands in its column: small JSON with moments in microseconds.

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::column::{micros, moment};
use crate::desk::address::Address;
use crate::desk::course::{Consent, Course, Ending, Turn};
use crate::desk::request::Type;

/// A clock as its column holds it.
pub(crate) fn text(course: &Course) -> String {
    let mut fields = Map::new();
    for (key, at) in [
        ("since", course.since),
        ("warned", course.warned),
        ("overdue", course.overdue),
        ("reminded", course.reminded),
    ] {
        if let Some(at) = at {
            fields.insert(key.to_owned(), json!(micros(at)));
        }
    }
    if !course.turns.is_empty() {
        let turns = course.turns.iter().map(|(at, turn)| match turn {
            Turn::Stopped => json!([micros(*at), "stopped"]),
            Turn::Resumed => json!([micros(*at), "resumed"]),
            Turn::Extended(days) => json!([micros(*at), days]),
        });
        fields.insert("turns".to_owned(), turns.collect());
    }
    if let Some(ending) = course.ending {
        fields.insert("ending".to_owned(), json!(ending.word()));
    }
    if let Some(consent) = &course.consent {
        let by = consent.by.iter();
        let by: Value = by
            .map(|(who, at)| json!([who.to_string(), micros(*at)]))
            .collect();
        let given = json!({ "to": consent.to.word(), "by": by, "whole": consent.whole });
        fields.insert("consent".to_owned(), given);
    }
    if let Some(reason) = &course.more_time {
        fields.insert("more_time".to_owned(), json!(reason));
    }
    Value::Object(fields).to_string()
}

fn read_consent(given: &Value) -> Result<Consent> {
    let to = given.get("to").and_then(Value::as_str);
    let mut by = Vec::new();
    for word in given
        .get("by")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let who = word.get(0).and_then(Value::as_str).unwrap_or_default();
        let who =
            Address::new(who).map_err(|fault| anyhow::anyhow!("A consent of nobody: {fault}"))?;
        let at = word.get(1).and_then(Value::as_i64);
        by.push((who, moment(at.context("A consent without a moment")?)?));
    }
    Ok(Consent {
        to: to.and_then(Type::read).context("A consent to nothing")?,
        by,
        whole: given.get("whole").and_then(Value::as_bool) == Some(true),
    })
}

/// The clock that a column holds.
pub(crate) fn read(text: &str) -> Result<Course> {
    let fields: Value = serde_json::from_str(text).context("A clock is no JSON")?;
    let at = |key: &str| -> Result<Option<DateTime<Utc>>> {
        fields
            .get(key)
            .and_then(Value::as_i64)
            .map(moment)
            .transpose()
    };
    let mut turns = Vec::new();
    for turn in fields
        .get("turns")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let when = turn
            .get(0)
            .and_then(Value::as_i64)
            .context("A turn without a moment")?;
        let what = turn.get(1).context("A turn that says nothing")?;
        let what = match (what.as_str(), what.as_u64()) {
            (Some("stopped"), _) => Turn::Stopped,
            (Some("resumed"), _) => Turn::Resumed,
            (_, Some(days)) => Turn::Extended(u32::try_from(days)?),
            (_, None) => anyhow::bail!("A turn that this program doesn't know"),
        };
        turns.push((moment(when)?, what));
    }
    Ok(Course {
        since: at("since")?,
        turns,
        warned: at("warned")?,
        overdue: at("overdue")?,
        reminded: at("reminded")?,
        ending: fields
            .get("ending")
            .and_then(Value::as_str)
            .and_then(Ending::read),
        consent: fields.get("consent").map(read_consent).transpose()?,
        more_time: fields
            .get("more_time")
            .and_then(Value::as_str)
            .map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::store::testing::minute;

    #[test]
    fn a_clock_is_read_as_it_is_written() {
        let course = Course {
            since: Some(minute(1)),
            turns: vec![
                (minute(1), Turn::Stopped),
                (minute(2), Turn::Extended(3)),
                (minute(3), Turn::Resumed),
            ],
            warned: Some(minute(4)),
            overdue: Some(minute(5)),
            reminded: Some(minute(6)),
            ending: Some(Ending::Declined),
            consent: Some(Consent {
                to: Type::Fault,
                by: vec![(Address::new("curator@operator.example").unwrap(), minute(7))],
                whole: true,
            }),
            more_time: Some("жду выпуска".to_owned()),
        };
        assert_eq!(read(&text(&course)).unwrap(), course);
        assert_eq!(text(&Course::default()), "{}");
        assert_eq!(read("{}").unwrap(), Course::default());
    }
}
