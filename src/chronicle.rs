//! The history of a request as sentences for people: what happened, by whom, and which letters of ours it caused.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::explanation::shown;
use crate::store::requests::HistoryLine;

/// What one entry says, in one line without its moment; further lines are why, and whom the desk wrote to.
pub fn told(line: &HistoryLine, zone: Tz) -> Vec<String> {
    let data: Value = serde_json::from_str(&line.data).unwrap_or_default();
    let mut lines = vec![sentence(&line.word, &Said { data: &data, zone })];
    for reason in list(&data, "reasons") {
        lines.extend(reason.as_str().map(|r| format!("because {}", shown(r))));
    }
    for letter in list(&data, "letters") {
        let part = |key| letter.get(key).and_then(Value::as_str).unwrap_or("?");
        lines.push(format!("letter to {}: {}", part("to"), part("template")));
    }
    lines
}

fn list<'a>(data: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    data.get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// What an entry's data says under a key.
struct Said<'a> {
    data: &'a Value,
    zone: Tz,
}

impl Said<'_> {
    fn text(&self, key: &str) -> String {
        self.found(key).unwrap_or_else(|| "?".to_owned())
    }

    fn found(&self, key: &str) -> Option<String> {
        self.data.get(key)?.as_str().map(shown)
    }

    fn moment(&self, key: &str) -> String {
        let text = self.text(key);
        DateTime::parse_from_rfc3339(&text).map_or(text, |at| short(at.to_utc(), self.zone))
    }
}

fn sentence(word: &str, said: &Said<'_>) -> String {
    if said.data.get("erased").is_some() {
        return format!("{word}: what it said was erased");
    }
    match word {
        "queued" => format!(
            "Arrived outside hours, will be registered at {}",
            said.moment("opens")
        ),
        "registered" => format!(
            "Registered as {}, the answer is due {}",
            said.text("number"),
            said.moment("due")
        ),
        "attached" => {
            let internal = said.data.get("internal").and_then(Value::as_bool);
            let eyes = if internal == Some(true) {
                ", for the desk's own eyes"
            } else {
                ""
            };
            format!(
                "A letter from {} was added{eyes} ({})",
                said.text("by"),
                said.text("evidence")
            )
        }
        "kind-changed" => {
            let kind = said.text("to");
            let article = if kind.starts_with('o') { "an" } else { "a" };
            format!("Became {article} {kind} by the word of {}", said.text("by"))
        }
        "reworded" => format!("Reworded by {}: {}", said.text("by"), said.text("text")),
        "installation-named" => format!("It is about {}", said.text("installation")),
        "status-changed" => {
            let by = said.found("by").map(|by| format!(" by {by}"));
            format!(
                "Status {}{}: {}",
                said.text("to"),
                by.unwrap_or_default(),
                said.text("why")
            )
        }
        "waits" if matches!(said.text("for").as_str(), "consent" | "extension") => format!(
            "Waits for {} {}",
            said.text("party"),
            purpose(&said.text("for"))
        ),
        "waits" => format!(
            "Waits until {} for {} {}",
            said.moment("lapses"),
            said.text("party"),
            purpose(&said.text("for"))
        ),
        "settled" => {
            let by = said.found("by").unwrap_or_else(|| "nobody".to_owned());
            match said.text("outcome").as_str() {
                "confirmed" => format!("Confirmed by {by}"),
                "declined" => format!("Declined by {by}"),
                "lapsed" => "Nobody answered in time: no longer waited for".to_owned(),
                _ => "No longer waited for: it does not matter any more".to_owned(),
            }
        }
        "noted" => format!("Noted: {}", said.text("what")),
        "undelivered" => format!(
            "The letter to {} will never arrive: {}",
            said.text("to"),
            said.text("why")
        ),
        other => onward(other, said),
    }
}

/// What specialists, approvers and time do to a request.
fn onward(word: &str, said: &Said<'_>) -> String {
    match word {
        "type-changed" => format!(
            "Became a {} by the word of {}",
            said.text("to"),
            said.text("by")
        ),
        "due-moved" => format!("The answer is now due {}", said.moment("due")),
        "consented" => format!("Consented to by {}", said.text("by")),
        "more-time-asked" => format!(
            "{} asks for {} working days more: {}",
            said.text("by"),
            said.data.get("working_days").unwrap_or(&Value::Null),
            said.text("reason")
        ),
        "reminder-put-off" => format!("A reminder is put off to {}", said.moment("to")),
        "extended" => format!(
            "{} working days more were agreed to",
            said.data.get("working_days").unwrap_or(&Value::Null)
        ),
        "solved" => format!("Solved by {}: {}", said.text("by"), said.text("text")),
        "declined" => format!("Declined by {}: {}", said.text("by"), said.text("text")),
        "handed-over" => format!("Handed over to {} by {}", said.text("to"), said.text("by")),
        "continues" => format!("Goes on from {}", said.text("number")),
        "requester-changed" => format!("Answers go to {} from here on", said.text("to")),
        "due-soon" => format!(
            "The specialists were warned that the answer is due {}",
            said.moment("moment")
        ),
        "overdue" => format!(
            "The specialists were told that the answer was due {}",
            said.moment("moment")
        ),
        "reminded" => "The requester was reminded".to_owned(),
        "party-reminded" => "Whose word is waited for was reminded".to_owned(),
        // A word that a later program wrote is still better told than hidden.
        other => format!("{other}: {}", shown(&said.data.to_string())),
    }
}

/// What somebody is waited for, after their address.
pub fn purpose(word: &str) -> &str {
    match word {
        "primary-confirmation" => "to confirm the order as the primary representative",
        "challenge" => "to confirm that the order is theirs",
        "identity" => "to confirm that the letter is theirs",
        "which-installation" => "to say which installation it is about",
        "consent" => "to agree",
        "extension" => "to agree to more time",
        "commands" => "to repeat their commands",
        other => other,
    }
}

/// A moment as people read it, in the desk's zone.
pub fn short(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde_json::json;

    fn of(word: &str, data: &Value) -> Vec<String> {
        let line = HistoryLine {
            seq: 1,
            at: DateTime::UNIX_EPOCH,
            word: word.to_owned(),
            data: data.to_string(),
        };
        told(&line, chrono_tz::Asia::Yekaterinburg)
    }

    #[test]
    fn every_happening_is_a_sentence() {
        let at = "2026-08-24T04:00:00.000000Z";
        let (maria, oleg) = ("maria@raduga.example", "oleg@raduga.example");
        for (word, data, sentence) in [
            (
                "queued",
                json!({"opens": at}),
                "Arrived outside hours, will be registered at 2026-08-24 09:00",
            ),
            (
                "registered",
                json!({"number": "2026-000003", "due": at}),
                "Registered as 2026-000003, the answer is due 2026-08-24 09:00",
            ),
            (
                "attached",
                json!({"by": maria, "evidence": "a token", "internal": true}),
                "A letter from maria@raduga.example was added, for the desk's own eyes (a token)",
            ),
            (
                "kind-changed",
                json!({"by": maria, "to": "order"}),
                "Became an order by the word of maria@raduga.example",
            ),
            (
                "reworded",
                json!({"by": maria, "text": "так\nи так"}),
                "Reworded by maria@raduga.example: так и так",
            ),
            (
                "installation-named",
                json!({"installation": "raduga-moodle"}),
                "It is about raduga-moodle",
            ),
            (
                "status-changed",
                json!({"to": "closed", "by": null, "why": "confirmed"}),
                "Status closed: confirmed",
            ),
            (
                "waits",
                json!({"for": "challenge", "party": oleg, "lapses": at}),
                "Waits until 2026-08-24 09:00 for oleg@raduga.example to confirm that the order is theirs",
            ),
            (
                "settled",
                json!({"outcome": "declined", "by": maria}),
                "Declined by maria@raduga.example",
            ),
            (
                "settled",
                json!({"outcome": "lapsed", "by": null}),
                "Nobody answered in time: no longer waited for",
            ),
            (
                "noted",
                json!({"what": "a \u{1b}[31mred\u{202e} word"}),
                "Noted: a  [31mred  word",
            ),
            (
                "undelivered",
                json!({"to": oleg, "why": "no such user"}),
                "The letter to oleg@raduga.example will never arrive: no such user",
            ),
            (
                "attached",
                json!({"erased": true}),
                "attached: what it said was erased",
            ),
            ("reopened", json!({"by": 1}), "reopened: {\"by\":1}"),
        ] {
            assert_eq!(of(word, &data).first().unwrap(), sentence, "{word}");
        }
    }

    #[test]
    fn why_and_whom_the_desk_wrote_to_stand_below() {
        let data = json!({"number": "2026-000003", "due": "soon", "reasons": ["R16"], "letters": [{"to": "oleg@raduga.example", "template": "registered"}]});
        let lines = of("registered", &data);
        let expected = [
            "Registered as 2026-000003, the answer is due soon",
            "because R16",
            "letter to oleg@raduga.example: registered",
        ];
        assert_eq!(lines, expected);
    }
}
