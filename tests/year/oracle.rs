//! What must hold at every step (P1 to P7), judged from the history and the letters alone, with the truth about who wrote what.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use postdesk::desk::life::MOVES;
use postdesk::desk::request::Status;
use serde_json::Value;

use super::cast::{Person, Role};

/// The truth about a letter, which the desk can't know.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    /// Who wrote it; none if somebody forged it.
    pub(crate) writer: Option<Person>,
}

/// One entry of the history.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) request: Option<i64>,
    pub(crate) letter: Option<i64>,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// A letter of the desk, as it left.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) recipient: String,
    pub(crate) template: String,
    pub(crate) message_id: String,
    pub(crate) text: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct Request {
    status: Status,
    customer: Option<String>,
    installation: Option<String>,
    solved: bool,
}

/// What a note of a specialist carries: it may never leave.
pub(crate) const INNERMOST: &str = "INNERMOST";

#[derive(Debug, Default)]
pub(crate) struct Oracle {
    truths: BTreeMap<i64, Truth>,
    requests: BTreeMap<i64, Request>,
    numbers: BTreeMap<i64, u64>,
    message_ids: BTreeSet<String>,
    refusals: BTreeMap<(String, chrono::NaiveDate), u32>,
    /// Events of each word, for the summary.
    pub(crate) seen: BTreeMap<String, u64>,
    /// Breaks it on purpose: this many resolved requests are one too many.
    pub(crate) most_resolved: Option<u64>,
}

type Judged = Result<(), String>;

fn text<'a>(data: &'a Value, key: &str) -> &'a str {
    data.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Oracle {
    pub(crate) fn knows(&mut self, letter: i64, truth: Truth) {
        self.truths.entry(letter).or_insert(truth);
    }

    /// One more entry of the history.
    pub(crate) fn happened(&mut self, entry: &Entry) -> Judged {
        *self.seen.entry(entry.kind.clone()).or_default() += 1;
        let told = |why: &str| format!("{why}: {} {}", entry.kind, entry.data);
        if let (Some(id), Some(matter)) = (entry.request, entry.data.get("matter")) {
            self.opened(entry, id, matter).map_err(|why| told(&why))?;
        }
        match entry.kind.as_str() {
            "registered" => self.registered(&entry.data).map_err(|why| told(&why)),
            "status-changed" => self.moved(entry).map_err(|why| told(&why)),
            "kind-changed" if text(&entry.data, "to") == "order" => {
                self.by_primary_or_staff(entry).map_err(|why| told(&why))
            }
            "solved" | "declined" => {
                if let Some(request) = entry.request.and_then(|id| self.requests.get_mut(&id)) {
                    request.solved = true;
                }
                self.needs(entry, &[Role::Specialist, Role::Approver])
                    .map_err(|why| told(&why))
            }
            "type-changed" | "handed-over" => self
                .needs(entry, &[Role::Specialist])
                .map_err(|why| told(&why)),
            "extended" | "consented" => self
                .needs(entry, &[Role::Approver])
                .map_err(|why| told(&why)),
            "requester-changed" => Err(told("Nobody was succeeded this year")),
            "settled" if text(&entry.data, "outcome") == "confirmed" => {
                let by = text(&entry.data, "by");
                match self.writer(entry) {
                    Some(writer) if writer.address == by => Ok(()),
                    _ => Err(told("Confirmed by somebody else (P5)")),
                }
            }
            "installation-named" => {
                if let Some(request) = entry.request.and_then(|id| self.requests.get_mut(&id)) {
                    request.installation = Some(text(&entry.data, "installation").to_owned());
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn writer(&self, entry: &Entry) -> Option<&Person> {
        self.truths.get(&entry.letter?)?.writer.as_ref()
    }

    /// P5: whatever does this needs a letter that such a person truly wrote.
    fn needs(&self, entry: &Entry, roles: &[Role]) -> Judged {
        match self.writer(entry) {
            Some(writer) if roles.contains(&writer.role) => Ok(()),
            Some(writer) => Err(format!("A {:?} may not (P5)", writer.role)),
            None => Err("On the strength of a forged letter, or of none (P5)".to_owned()),
        }
    }

    fn opened(&mut self, entry: &Entry, id: i64, matter: &Value) -> Judged {
        let request = Request {
            status: Status::InProgress,
            customer: matter
                .get("customer")
                .and_then(Value::as_str)
                .map(str::to_owned),
            installation: matter
                .get("installation")
                .and_then(Value::as_str)
                .map(str::to_owned),
            solved: false,
        };
        self.requests.insert(id, request);
        if text(matter, "kind") == "order" {
            self.needs(entry, &[Role::Primary])?;
        }
        Ok(())
    }

    /// P3: numbers without gaps, in order.
    fn registered(&mut self, data: &Value) -> Judged {
        let number = text(data, "number");
        let (year, count) = number.split_once('-').ok_or("No number")?;
        let last = self.numbers.entry(year.parse().unwrap()).or_default();
        *last += 1;
        if count.parse::<u64>() != Ok(*last) {
            return Err(format!("A gap before {number} (P3)"));
        }
        Ok(())
    }

    fn moved(&mut self, entry: &Entry) -> Judged {
        let to = Status::read(text(&entry.data, "to")).ok_or("No status")?;
        let writer = self.writer(entry).map(|w| w.role);
        let forged = entry.letter.is_some() && writer.is_none();
        let id = entry.request.ok_or("Of no request")?;
        let request = self.requests.get_mut(&id).ok_or("Of an unknown request")?;
        let from = request.status;
        // The first status is given with the registration.
        if from != to && !MOVES.iter().any(|(a, b, _)| *a == from && *b == to) {
            return Err(format!("No move of the table from {} (R22)", from.word()));
        }
        request.status = to;
        match to {
            Status::WithDeveloper | Status::Resolved if writer != Some(Role::Specialist) => {
                return Err("Not by a specialist (R22, P5)".to_owned());
            }
            Status::Closed if forged => return Err("Closed by a forger (P5)".to_owned()),
            Status::Resolved | Status::Closed
                if !request.solved && text(&entry.data, "ending") == "solved" =>
            {
                return Err("Without a comment on the solution (R22)".to_owned());
            }
            _ => {}
        }
        if to == Status::Resolved
            && let Some(left) = &mut self.most_resolved
        {
            *left = left.checked_sub(1).ok_or("One resolved too many")?;
        }
        Ok(())
    }

    fn by_primary_or_staff(&self, entry: &Entry) -> Judged {
        self.needs(entry, &[Role::Primary, Role::Specialist])?;
        let (Some(writer), Some(request)) = (
            self.writer(entry),
            entry.request.and_then(|id| self.requests.get(&id)),
        ) else {
            return Err("Of an unknown request".to_owned());
        };
        let customer = writer.customer.map(|c| format!("c{c}"));
        if writer.role == Role::Primary && customer != request.customer {
            return Err("The primary of another customer (P5)".to_owned());
        }
        if request.installation.is_none() {
            return Err("An order about nothing (R8)".to_owned());
        }
        Ok(())
    }

    /// One more letter of the desk left.
    pub(crate) fn sent(
        &mut self,
        sent: &Sent,
        zone: chrono_tz::Tz,
        people: &BTreeMap<String, Person>,
    ) -> Judged {
        let Sent {
            recipient,
            template,
            message_id,
            text,
            at,
        } = sent;
        if !self.message_ids.insert(message_id.clone()) {
            return Err(format!("{message_id} left twice (P2)"));
        }
        let reader = people.get(recipient);
        let staff = reader.is_some_and(|p| matches!(p.role, Role::Specialist | Role::Developer));
        if !staff && text.contains(INNERMOST) {
            return Err(format!("A note left in {template} to {recipient} (P6)"));
        }
        if [
            "refused",
            "redirected",
            "not-representative",
            "order-refused",
        ]
        .contains(&template.as_str())
        {
            let day = at.with_timezone(&zone).date_naive();
            let today = self.refusals.entry((recipient.clone(), day)).or_default();
            *today += 1;
            if *today > 1 {
                return Err(format!("{recipient} was refused twice in a day (R12)"));
            }
        }
        Ok(())
    }

    pub(crate) fn registered_in_all(&self) -> u64 {
        self.numbers.values().sum()
    }
}
