//! The requests that a person may see (R44), and the one that goes on from a closed one (R23).

use anyhow::Result;
use sqlx::Row;

use super::requests::{REQUEST, read_all};
use super::statement::{list, made};
use super::work::Work;
use crate::desk::request::{Number, Request, Status};
use crate::desk::service::{LISTED, Sight};

/// So many addresses and installations of one person are looked for.
const PLACES: usize = 200;

impl Work {
    /// What a person may see, the newest first, at most [`LISTED`], and how many there are beyond; without closed ones unless `closed`.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn own_requests(
        &mut self,
        sight: &Sight,
        closed: bool,
    ) -> Result<(Vec<Request>, u32)> {
        let addresses = sight.addresses.iter().take(PLACES).map(ToString::to_string);
        let installations = sight.installations.iter().take(PLACES).cloned();
        let (addresses, installations): (Vec<_>, Vec<_>) =
            (addresses.collect(), installations.collect());
        let first = addresses.len();
        let mut places = Vec::new();
        for (column, from, count) in [
            ("requester", 2, first),
            ("installation", first.saturating_add(2), installations.len()),
        ] {
            if count > 0 {
                places.push(format!("{column} IN ({})", list(from, count)));
            }
        }
        if places.is_empty() {
            return Ok((vec![], 0));
        }
        self.flush().await?;
        // No request has the status "none", so that nothing is left out.
        let without = if closed {
            "none"
        } else {
            Status::Closed.word()
        };
        let found = format!(
            "FROM requests WHERE ({}) AND status <> $1",
            places.join(" OR ")
        );
        let mut count = made(format!("SELECT COUNT(*) {found}")).bind(without);
        let mut newest = made(format!(
            "{REQUEST} WHERE r.id IN (SELECT id {found} ORDER BY id DESC LIMIT {LISTED}) ORDER BY r.id DESC, p.id"
        ))
        .bind(without);
        for place in addresses.iter().chain(&installations) {
            count = count.bind(place.clone());
            newest = newest.bind(place.clone());
        }
        let all: i64 = count.fetch_one(self.connection()).await?.try_get(0)?;
        let requests = read_all(&newest.fetch_all(self.connection()).await?)?;
        let listed = u32::try_from(requests.len()).unwrap_or(u32::MAX);
        let all = u32::try_from(all).unwrap_or(u32::MAX);
        Ok((requests, all.saturating_sub(listed)))
    }

    /// The newest request that goes on from this one, if any does.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn continuation(&mut self, number: Number) -> Result<Option<Request>> {
        self.flush().await?;
        let query = made(format!(
            "{REQUEST} WHERE r.id = (SELECT MAX(id) FROM requests WHERE continues_year = $1 AND continues_count = $2) ORDER BY p.id"
        ))
        .bind(i64::from(number.year()))
        .bind(i64::from(number.count()));
        Ok(read_all(&query.fetch_all(self.connection()).await?)?.pop())
    }
}
