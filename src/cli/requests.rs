//! `requests` and `request`: what the register holds, for people and as JSON.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::failure::Failure;
use super::settings;
use crate::chronicle::{purpose, short, told};
use crate::desk::request::{Number, Request, Status};
use crate::explanation::shown;
use crate::store::requests::HistoryLine;

/// `postdesk requests`.
///
/// # Errors
/// An unknown status, a bad configuration, or a database that can't be read.
pub async fn list(
    config: Option<PathBuf>,
    status: Option<&str>,
    customer: Option<&str>,
    as_json: bool,
) -> Result<(), Failure> {
    let status = match status {
        Some(word) => Some(Status::read(word).ok_or_else(|| {
            let known = Status::ALL.map(Status::word).join(", ");
            Failure::Usage(format!("there is no status {word:?}; there are {known}"))
        })?),
        None => None,
    };
    let config = settings::load(&settings::file(config)?)?;
    if let Some(id) = customer
        && config.desk.directory.customer(id).is_none()
    {
        return Err(Failure::Usage(format!(
            "there is no customer {id:?} (customers are named by their files)"
        )));
    }
    let store = settings::open(&config).await?;
    let requests = store.requests(status, customer).await?;
    let zone = config.desk.calendar.zone();
    if as_json {
        let all: Vec<Value> = requests.iter().map(|r| object(r, zone)).collect();
        settings::say(&pretty(&Value::Array(all)));
        return Ok(());
    }
    settings::say(&table(&requests, zone));
    Ok(())
}

/// One line a request, under a head.
fn table(requests: &[Request], zone: Tz) -> String {
    if requests.is_empty() {
        return "No such requests".to_owned();
    }
    let mut out = row(["number", "status", "kind", "due", "customer", "subject"]);
    for request in requests {
        let (number, due) = match (request.number, request.due) {
            (Some(number), Some(due)) => (number.to_string(), short(due, zone)),
            (Some(number), None) => (number.to_string(), "-".to_owned()),
            (None, _) => {
                let opens = short(request.matter.opens, zone);
                ("(queued)".to_owned(), format!("from {opens}"))
            }
        };
        out.push_str(&row([
            &number,
            request.status.word(),
            request.matter.kind.word(),
            &due,
            request.matter.customer.as_deref().unwrap_or("-"),
            &shown(&request.matter.subject),
        ]));
    }
    out
}

fn row([number, status, kind, due, customer, subject]: [&str; 6]) -> String {
    format!("{number:<12} {status:<20} {kind:<9} {due:<21} {customer:<16} {subject}\n")
}

/// `postdesk request NUMBER`.
///
/// # Errors
/// No such request, a bad configuration, or a database that can't be read.
pub async fn one(config: Option<PathBuf>, number: &str, as_json: bool) -> Result<(), Failure> {
    let wanted = Number::read(number).ok_or_else(|| {
        Failure::Usage(format!(
            "{number:?} is no number; numbers look like 2026-000123"
        ))
    })?;
    let config = settings::load(&settings::file(config)?)?;
    let store = settings::open(&config).await?;
    let Some(request) = store.request(wanted).await? else {
        return Err(Failure::Usage(format!(
            "there is no request {wanted}; `postdesk requests` lists those that are open"
        )));
    };
    let history = store.history(request.id).await?;
    let zone = config.desk.calendar.zone();
    if as_json {
        let mut whole = object(&request, zone);
        if let Some(map) = whole.as_object_mut() {
            map.insert(
                "history".into(),
                history.iter().map(|line| entry(line, zone)).collect(),
            );
        }
        settings::say(&pretty(&whole));
        return Ok(());
    }
    let mut out = card(&request, wanted, zone);
    out.push('\n');
    for line in &history {
        let mut at = short(line.at, zone);
        for sentence in told(line, zone) {
            out.push_str(&format!("{at:<16}  {sentence}\n"));
            at.clear();
        }
    }
    settings::say(&out);
    Ok(())
}

/// What is fixed about a request, and what it waits for.
fn card(request: &Request, number: Number, zone: Tz) -> String {
    let matter = &request.matter;
    let about = [&matter.customer, &matter.installation];
    let about: Vec<&str> = about.into_iter().flatten().map(String::as_str).collect();
    let due = request
        .due
        .map_or_else(|| "-".to_owned(), |d| short(d, zone));
    let mut lines = vec![
        ("subject", shown(&matter.subject)),
        ("status", request.status.word().to_owned()),
        (
            "kind",
            format!("{}, {}", matter.kind.word(), matter.type_.word()),
        ),
        ("channel", matter.channel.word().to_owned()),
        (
            "from",
            format!("{} <{}>", shown(&matter.requester_name), matter.requester),
        ),
        (
            "customer",
            if about.is_empty() {
                "-".to_owned()
            } else {
                about.join(", ")
            },
        ),
        ("arrived", short(matter.arrived, zone)),
        ("registered", matter.registration_day.to_string()),
        ("due", due),
    ];
    for pending in &request.pending {
        let until = short(pending.lapses, zone);
        let whose = &pending.party;
        let what = purpose(pending.kind.word());
        lines.push(("waits", format!("until {until} for {whose} {what}")));
    }
    let mut out = format!("{number}\n");
    for (name, value) in lines {
        out.push_str(&format!("{name:<11} {value}\n"));
    }
    out
}

fn object(request: &Request, zone: Tz) -> Value {
    let matter = &request.matter;
    json!({
        "number": request.number.map(|n| n.to_string()),
        "status": request.status.word(),
        "kind": matter.kind.word(),
        "type": matter.type_.word(),
        "channel": matter.channel.word(),
        "subject": matter.subject,
        "customer": matter.customer,
        "installation": matter.installation,
        "requester": {"name": matter.requester_name, "address": matter.requester.to_string()},
        "arrived": moment(matter.arrived, zone),
        "registration_day": matter.registration_day.to_string(),
        "opens": moment(matter.opens, zone),
        "due": request.due.map(|d| moment(d, zone)),
        "waits": request.pending.iter().map(|p| json!({
            "for": p.kind.word(), "party": p.party.to_string(), "lapses": moment(p.lapses, zone),
        })).collect::<Vec<_>>(),
    })
}

fn entry(line: &HistoryLine, zone: Tz) -> Value {
    let data: Value =
        serde_json::from_str(&line.data).unwrap_or_else(|_| Value::String(line.data.clone()));
    json!({"seq": line.seq, "at": moment(line.at, zone), "event": line.word, "data": data})
}

fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone)
        .to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
