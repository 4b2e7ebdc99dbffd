//! Changes of representative in the database (R28-R32): how a procedure stands in its column, and which requests they concern.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sqlx::Row;

use super::requests::{REQUEST, read_all};
use super::statement::made;
use super::work::Work;
use crate::desk::address::Address;
use crate::desk::request::{Request, Status};
use crate::desk::succession::procedure::{Procedure, Step, happen};

/// A procedure as its column holds it.
pub(crate) fn text(procedure: Option<&Procedure>) -> Option<String> {
    procedure.map(|p| json!(p).to_string())
}

/// The procedure that a column holds.
pub(crate) fn read(text: Option<&str>) -> Result<Option<Box<Procedure>>> {
    let read = |text| serde_json::from_str(text).map(Box::new);
    text.map(read)
        .transpose()
        .context("A change of representative can't be read")
}

/// A request as its history tells it, gone on by a step; none once something of it was erased.
pub(crate) fn retell(state: &mut Option<Value>, told: Option<&Value>) {
    let step = told
        .and_then(|told| told.get("step"))
        .and_then(|step| serde_json::from_value::<Step>(step.clone()).ok());
    let (Some(Value::Object(fields)), Some(step)) = (state.as_mut(), step) else {
        *state = None;
        return;
    };
    let before = fields.remove("succession");
    let mut procedure: Option<Box<Procedure>> = before.and_then(|p| serde_json::from_value(p).ok());
    happen(&mut procedure, &step);
    if let Some(procedure) = procedure {
        fields.insert("succession".into(), json!(procedure));
    }
}

impl Work {
    /// The changes of representative of a customer that are under way, the oldest first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn successions(&mut self, customer: Option<&str>) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.succession IS NOT NULL AND ($1 IS NULL OR r.customer = $1) ORDER BY r.id, p.id"
        ))
        .bind(customer.map(str::to_owned));
        let all = read_all(&query.fetch_all(self.connection()).await?)?;
        let open = |r: &Request| r.succession.as_deref().is_some_and(Procedure::is_open);
        Ok(all.into_iter().filter(open).collect())
    }

    /// The changes that are to be written into customers' files (R30), the oldest first; at most `limit`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn to_write(&mut self, limit: u32) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE to_write = 1 ORDER BY id LIMIT $1) ORDER BY r.id, p.id"
        ))
        .bind(i64::from(limit));
        read_all(&query.fetch_all(self.connection()).await?)
    }

    /// The latest requests of a customer by this address, newest first, and how many more there are (R31).
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn requests_by(
        &mut self,
        customer: &str,
        requester: &Address,
        limit: u32,
    ) -> Result<(Vec<Request>, u32)> {
        self.flush().await?;
        let count: i64 = sqlx::query(
            "SELECT COUNT(*) FROM requests WHERE customer = $1 AND requester = $2 AND succession IS NULL",
        )
        .bind(customer.to_owned())
        .bind(requester.to_string())
        .fetch_one(self.connection())
        .await?
        .try_get(0)?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE customer = $1 AND requester = $2 AND succession IS NULL \
             ORDER BY arrived_us DESC, id DESC LIMIT $3) ORDER BY r.arrived_us DESC, r.id DESC, p.id"
        ))
        .bind(customer.to_owned())
        .bind(requester.to_string())
        .bind(i64::from(limit));
        let found = read_all(&query.fetch_all(self.connection()).await?)?;
        let more = u32::try_from(count)
            .unwrap_or(u32::MAX)
            .saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        Ok((found, more))
    }

    /// The requests of an installation that are not closed, and those of its customer that name none, the oldest first.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn unclosed(&mut self, customer: &str, installation: &str) -> Result<Vec<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id FROM requests WHERE installation = $1 AND status <> $3 \
             UNION ALL SELECT id FROM requests WHERE installation IS NULL AND customer = $2 AND status <> $3) ORDER BY r.id, p.id"
        ))
        .bind(installation.to_owned())
        .bind(customer.to_owned())
        .bind(Status::Closed.word().to_owned());
        read_all(&query.fetch_all(self.connection()).await?)
    }
}
