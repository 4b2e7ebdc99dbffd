//! Reading requests for people and programs: lists, one request with its history, and when something is next due.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::column::{day, moment};
use super::course;
use super::pool::Store;
use super::statement::made;
use super::succession;
use super::work::Work;
use crate::desk::address::Address;
use crate::desk::assurance::Level;
use crate::desk::people::Locale;
use crate::desk::request::{
    Channel, Kind, Matter, Number, Pending, PendingKind, Request, RequestId, Status, Type,
};

/// One line of a request's history.
#[derive(Debug, Clone)]
pub struct HistoryLine {
    /// Its place in the chain.
    pub seq: i64,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The event's word.
    pub word: String,
    /// What it says, as JSON.
    pub data: String,
}

impl Store {
    /// Requests by status (all open ones if none is given: neither resolved nor closed) and customer, by number, queued ones last.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn requests(
        &self,
        status: Option<Status>,
        customer: Option<&str>,
    ) -> Result<Vec<Request>> {
        let query = made(format!(
            "{REQUEST} WHERE (r.status = $1 OR ($1 IS NULL AND r.status NOT IN ($2, $3))) AND ($4 IS NULL OR r.customer = $4) \
             ORDER BY CASE WHEN r.number_count IS NULL THEN 1 ELSE 0 END, r.number_year, r.number_count, r.arrived_us, r.id, p.id"
        ))
        .bind(status.map(|status| status.word().to_owned()))
        .bind(Status::Resolved.word().to_owned())
        .bind(Status::Closed.word().to_owned())
        .bind(customer.map(str::to_owned));
        read_all(&query.fetch_all(&self.reader).await?)
    }

    /// One request by number.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn request(&self, number: Number) -> Result<Option<Request>> {
        let query = made(format!(
            "{REQUEST} WHERE r.number_year = $1 AND r.number_count = $2 ORDER BY p.id"
        ))
        .bind(i64::from(number.year()))
        .bind(i64::from(number.count()));
        Ok(read_all(&query.fetch_all(&self.reader).await?)?.pop())
    }

    /// The history of a request, oldest first (R24). What was erased says `{"erased":true}`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn history(&self, request: RequestId) -> Result<Vec<HistoryLine>> {
        let query = sqlx::query(HISTORY).bind(request.0);
        history_lines(&query.fetch_all(&self.reader).await?)
    }

    /// What happened to the desk itself and not to a request or a letter, oldest first: appointments, the configuration.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn history_of_the_desk(&self) -> Result<Vec<HistoryLine>> {
        let found = sqlx::query(
            "SELECT seq, at_us, kind, data FROM events WHERE request_id IS NULL AND letter_id IS NULL ORDER BY seq",
        )
        .fetch_all(&self.reader)
        .await?;
        found.iter().map(history_line).collect()
    }

    /// The next moment at which something is due by time alone: a queued request opens, a request needs looking at, what is waited for lapses or
    /// is reminded of, a letter whose decision was put off is tried again.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn next_moment(&self) -> Result<Option<DateTime<Utc>>> {
        let row = sqlx::query(
            "SELECT MIN(t.at_us) FROM (SELECT MIN(opens_us) AS at_us FROM requests WHERE number_count IS NULL \
             UNION ALL SELECT MIN(lapses_us) AS at_us FROM pendings WHERE settled_us IS NULL \
             UNION ALL SELECT MIN(remind_us) AS at_us FROM pendings WHERE settled_us IS NULL AND remind_us IS NOT NULL \
             UNION ALL SELECT MIN(wakes_us) AS at_us FROM requests WHERE wakes_us IS NOT NULL \
             UNION ALL SELECT MIN(not_before_us) AS at_us FROM letters WHERE decided_us IS NULL AND not_before_us IS NOT NULL) AS t",
        )
        .fetch_one(&self.reader)
        .await?;
        row.try_get::<Option<i64>, _>(0)?.map(moment).transpose()
    }
}

impl Work {
    /// The same, with what this unit of work has done.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn history(&mut self, request: RequestId) -> Result<Vec<HistoryLine>> {
        self.flush().await?;
        let query = sqlx::query(HISTORY).bind(request.0);
        history_lines(&query.fetch_all(self.connection()).await?)
    }
}

const HISTORY: &str =
    "SELECT seq, at_us, kind, data FROM events WHERE request_id = $1 ORDER BY seq";

fn history_lines(rows: &[AnyRow]) -> Result<Vec<HistoryLine>> {
    rows.iter().map(history_line).collect()
}

fn history_line(row: &AnyRow) -> Result<HistoryLine> {
    let erased = || r#"{"erased":true}"#.to_owned();
    Ok(HistoryLine {
        seq: row.try_get(0)?,
        at: moment(row.try_get(1)?)?,
        word: row.try_get(2)?,
        data: row.try_get::<Option<String>, _>(3)?.unwrap_or_else(erased),
    })
}

/// Everything that [`read_all`] reads: requests, each with a row for every pending that is not settled.
pub(crate) const REQUEST: &str = "SELECT r.id, r.number_year, r.number_count, r.customer, r.installation, r.requester, r.requester_name, \
     r.locale, r.kind, r.type, r.subject, r.message_id, r.arrived_us, r.opens_us, r.registration_day, r.status, r.due_us, r.acknowledged, \
     p.id, p.kind, p.party, p.lapses_us, r.vouched, r.quiet, r.course, r.continues_year, r.continues_count, p.remind_us, p.days, r.channel, r.succession \
     FROM requests r LEFT JOIN pendings p ON p.request_id = r.id AND p.settled_us IS NULL";

/// The requests of these rows, which lie together, in their order.
pub(crate) fn read_all(rows: &[AnyRow]) -> Result<Vec<Request>> {
    let mut requests: Vec<Request> = vec![];
    for row in rows {
        let id = RequestId(row.try_get(0)?);
        let pending = pending(row)?;
        match requests.last_mut() {
            Some(request) if request.id == id => request.pending.extend(pending),
            _ => {
                let mut request = request(row)
                    .with_context(|| format!("Request {} can't be read from the database", id.0))?;
                request.pending.extend(pending);
                requests.push(request);
            }
        }
    }
    Ok(requests)
}

/// The same by id.
pub(crate) fn grouped(rows: &[AnyRow]) -> Result<BTreeMap<i64, Request>> {
    Ok(read_all(rows)?
        .into_iter()
        .map(|request| (request.id.0, request))
        .collect())
}

fn request(row: &AnyRow) -> Result<Request> {
    Ok(Request {
        id: RequestId(row.try_get(0)?),
        number: number_at(row, 1)?,
        matter: Matter {
            customer: row.try_get(3)?,
            installation: row.try_get(4)?,
            requester: address(&row.try_get::<String, _>(5)?)?,
            requester_name: row.try_get(6)?,
            locale: word(&row.try_get::<String, _>(7)?, locale)?,
            kind: word(&row.try_get::<String, _>(8)?, Kind::read)?,
            type_: word(&row.try_get::<String, _>(9)?, Type::read)?,
            subject: row.try_get(10)?,
            message_id: row.try_get(11)?,
            arrived: moment(row.try_get(12)?)?,
            opens: moment(row.try_get(13)?)?,
            registration_day: day(&row.try_get::<String, _>(14)?)?,
            acknowledged: row.try_get::<i64, _>(17)? != 0,
            vouched: word(&row.try_get::<String, _>(22)?, Level::read)?,
            quiet: row.try_get::<i64, _>(23)? != 0,
            channel: word(&row.try_get::<String, _>(29)?, Channel::read)?,
        },
        status: word(&row.try_get::<String, _>(15)?, Status::read)?,
        due: row.try_get::<Option<i64>, _>(16)?.map(moment).transpose()?,
        pending: vec![],
        course: course::read(&row.try_get::<String, _>(24)?)?,
        continues: number_at(row, 25)?,
        succession: succession::read(row.try_get::<Option<String>, _>(30)?.as_deref())?,
    })
}

/// The number whose year and count stand in this column and the next.
fn number_at(row: &AnyRow, column: usize) -> Result<Option<Number>> {
    let (year, count) = (
        row.try_get::<Option<i64>, _>(column)?,
        row.try_get::<Option<i64>, _>(column.saturating_add(1))?,
    );
    Ok(match (year, count) {
        (Some(year), Some(count)) => Some(Number::new(i32::try_from(year)?, u32::try_from(count)?)),
        _ => None,
    })
}

fn pending(row: &AnyRow) -> Result<Option<Pending>> {
    let Some(id) = row.try_get::<Option<i64>, _>(18)? else {
        return Ok(None);
    };
    Ok(Some(Pending {
        id,
        kind: word(&row.try_get::<String, _>(19)?, PendingKind::read)?,
        party: address(&row.try_get::<String, _>(20)?)?,
        lapses: moment(row.try_get(21)?)?,
        remind: row.try_get::<Option<i64>, _>(27)?.map(moment).transpose()?,
        days: row
            .try_get::<Option<i64>, _>(28)?
            .map(u32::try_from)
            .transpose()?,
    }))
}

fn address(text: &str) -> Result<Address> {
    Address::new(text)
        .map_err(|fault| anyhow::anyhow!("The database holds an address that is none: {fault}"))
}

fn locale(text: &str) -> Option<Locale> {
    [Locale::Ru, Locale::En]
        .into_iter()
        .find(|locale| super::entry::locale_word(*locale) == text)
}

fn word<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T> {
    read(text)
        .with_context(|| format!("The database holds a word this program doesn't know: {text:?}"))
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::panic,
        clippy::string_slice,
        reason = "tests"
    )]
    use super::*;
    use crate::desk::decide::{Concern, Verdict};
    use crate::desk::event::Event;
    use crate::store::testing::{apply, decision, matter, minute, on_each_engine, registered};

    #[tokio::test]
    async fn requests_are_listed_by_number_with_queued_ones_last() {
        on_each_engine(async |db| {
            let mut work = db.store.begin().await.unwrap();
            let queued = decision(
                Verdict::Queued,
                Concern::Opened(matter()),
                vec![Event::Queued { opens: minute(9) }],
            );
            apply(&mut work, None, &queued, minute(1)).await;
            for (count, status, customer) in [
                (1, Status::InProgress, Some("raduga")),
                (2, Status::Closed, Some("raduga")),
                (3, Status::AwaitingInformation, None),
            ] {
                let mut matter = matter();
                matter.customer = customer.map(str::to_owned);
                let changed = Event::StatusChanged {
                    to: status,
                    by: None,
                    why: String::new(),
                    at: minute(1),
                    ending: None,
                };
                let opened = decision(
                    Verdict::Registered,
                    Concern::Opened(matter),
                    vec![registered(Number::new(2026, count)), changed],
                );
                apply(&mut work, None, &opened, minute(1)).await;
            }
            work.commit().await.unwrap();
            let list = async |status, customer| {
                let found = db.store.requests(status, customer).await.unwrap();
                found
                    .iter()
                    .map(|r| r.number.map_or(0, Number::count))
                    .collect::<Vec<_>>()
            };
            assert_eq!(list(None, None).await, [1, 3, 0]);
            assert_eq!(list(None, Some("raduga")).await, [1, 0]);
            assert_eq!(list(Some(Status::Closed), None).await, [2]);
            assert_eq!(list(Some(Status::Closed), Some("other")).await, [0; 0]);
            assert_eq!(db.store.request(Number::new(2025, 1)).await.unwrap(), None);
        })
        .await;
    }
}
