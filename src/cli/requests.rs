//! `requests` and `request`: what the register holds, for people and as JSON.

use std::path::PathBuf;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::failure::Failure;
use super::settings;
use crate::desk::request::{Number, Request, Status};
use crate::store::pool::Store;
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
    let store = Store::open(&config.store_url).await?;
    let requests = store.requests(status, customer).await?;
    let zone = config.desk.calendar.zone();
    if as_json {
        let all: Vec<Value> = requests.iter().map(|r| object(r, zone)).collect();
        settings::say(&pretty(&Value::Array(all)));
        return Ok(());
    }
    let mut out = String::new();
    for request in &requests {
        let number = request
            .number
            .map_or_else(|| "(queued)".to_owned(), |n| n.to_string());
        let due = request
            .due
            .map_or_else(|| short(request.matter.opens, zone), |d| short(d, zone));
        let kind = request.matter.kind.word();
        let customer = request.matter.customer.as_deref().unwrap_or("-");
        out.push_str(&format!(
            "{number:<12} {:<20} {kind:<9} {due:<17} {customer:<16} {}\n",
            request.status.word(),
            request.matter.subject
        ));
    }
    settings::say(if out.is_empty() { "No requests" } else { &out });
    Ok(())
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
    let store = Store::open(&config.store_url).await?;
    let Some(request) = store.request(wanted).await? else {
        return Err(Failure::Broken(anyhow::anyhow!(
            "There is no request {wanted}"
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
    let matter = &request.matter;
    let mut out = format!(
        "{wanted}  {}, {}, {}\n",
        matter.kind.word(),
        matter.type_.word(),
        request.status.word()
    );
    out.push_str(&format!("subject     {}\n", matter.subject));
    out.push_str(&format!(
        "from        {} <{}>\n",
        matter.requester_name, matter.requester
    ));
    out.push_str(&format!(
        "customer    {}, {}\n",
        matter.customer.as_deref().unwrap_or("-"),
        matter.installation.as_deref().unwrap_or("-")
    ));
    out.push_str(&format!("arrived     {}\n", short(matter.arrived, zone)));
    out.push_str(&format!("registered  {}\n", matter.registration_day));
    out.push_str(&format!(
        "due         {}\n",
        request
            .due
            .map_or_else(|| "-".to_owned(), |d| short(d, zone))
    ));
    for pending in &request.pending {
        out.push_str(&format!(
            "waits       {} of {} until {}\n",
            pending.kind.word(),
            pending.party,
            short(pending.lapses, zone)
        ));
    }
    for line in &history {
        out.push_str(&format!(
            "{}  {:<20} {}\n",
            short(line.at, zone),
            line.word,
            line.data
        ));
    }
    settings::say(&out);
    Ok(())
}

fn object(request: &Request, zone: Tz) -> Value {
    let matter = &request.matter;
    json!({
        "number": request.number.map(|n| n.to_string()),
        "status": request.status.word(),
        "kind": matter.kind.word(),
        "type": matter.type_.word(),
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

fn short(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
