//! What time brings, in the order of its moments and behind the letters that arrived before them (R2, R16, R21, R22).

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::{Inbound, Progress};
use crate::backlog::{BRIEF, PATIENCE};
use crate::config::Config;
use crate::desk::consent;
use crate::desk::decide::{Known, Occasion};
use crate::desk::people::Directory;
use crate::desk::request::{Pending, Request, RequestId};
use crate::desk::ticking;
use crate::knowledge;
use crate::occasion::decide_on;
use crate::store::work::Work;
use crate::succession;

/// Of each kind of thing that is due, so many at a time.
const BATCH: u32 = 128;
/// Requests whose next moment is found again at a time.
const REWOKEN: u32 = 500;

/// How far time may go on now. Each is the last moment whose doings may be done.
#[derive(Debug, Clone, Copy)]
struct Horizon {
    /// Of what takes something away: every letter that arrived before it is decided on.
    hard: DateTime<Utc>,
    /// Of what tells: letters whose decision is put off are not waited for.
    soft: DateTime<Utc>,
    /// Of openings, and the arrival up to which requests are numbered: behind that come letters that arrived earlier than the others.
    opens: DateTime<Utc>,
    arrived: DateTime<Utc>,
}

/// Something that has become due.
#[derive(Debug)]
enum Matter {
    Opening,
    Lapse(Pending),
    Remind(Pending),
    Due,
}

impl Inbound {
    /// What time brings: registers what was queued for an opening that has come (R16), lapses what nobody settled and reminds of what is
    /// missing (R10, R26), warns, reminds and closes (R21, R22). What became due earlier is done earlier; for a request that has several things
    /// due, one at a time, since each may make the next needless. Letters go first that arrived before. Last, requests pass to successors (R31).
    ///
    /// # Errors
    /// The store refused: nothing of the step happened.
    pub async fn tick(&mut self, config: &Config) -> Result<Progress> {
        let now = self.clock.now();
        let horizon = self.horizon(now).await?;
        let mut work = self.store.begin().await?;
        let mut progress = Progress::default();
        let mut touched: BTreeSet<RequestId> = BTreeSet::new();
        for (_, request, matter) in gather(&mut work, horizon, now).await? {
            if !touched.insert(request.id) {
                continue;
            }
            let mut known = Known {
                last_numbers: work.last_numbers().clone(),
                ..Known::default()
            };
            // Whoever is asked for a word must see the text that it is about.
            let asks = match &matter {
                Matter::Opening => consent::is_needed(request.matter.type_),
                Matter::Remind(_) => true,
                Matter::Lapse(_) | Matter::Due => false,
            };
            if matches!(matter, Matter::Due) {
                let before = succession::known(&mut work, &request).await?;
                (known.past, known.past_more) = (before.past, before.past_more);
            }
            if asks {
                known.opening = knowledge::opening_of(&mut work, &request).await?;
            }
            let occasion = match &matter {
                Matter::Opening => Occasion::Opening(&request),
                Matter::Lapse(pending) => Occasion::Lapse(&request, pending),
                Matter::Remind(pending) => Occasion::Remind(&request, pending),
                Matter::Due => Occasion::Due(&request),
            };
            progress.take(decide_on(&mut work, config, &known, &occasion, now)?);
        }
        let day = config.desk.calendar.day_of(now);
        let same =
            |(on, people): &(NaiveDate, Directory)| *on == day && *people == config.desk.directory;
        if !self.passed.as_ref().is_some_and(same) {
            for written in succession::passing_on(&mut work, config, now).await? {
                progress.take(written);
            }
            self.passed = Some((day, config.desk.directory.clone()));
        }
        if progress.decided > 0 {
            work.commit().await?;
        }
        Ok(progress)
    }

    /// R2: what waits unread in a mailbox, or undecided in the store, arrived before what is due now.
    async fn horizon(&self, now: DateTime<Utc>) -> Result<Horizon> {
        let (ready, waiting) = self.store.first_undecided(now).await?;
        let before = |letter: Option<DateTime<Utc>>, until: DateTime<Utc>| {
            let before = letter.and_then(|l| l.checked_sub_signed(TimeDelta::microseconds(1)));
            before.map_or(until, |before| before.min(until))
        };
        let brief = self.backlog.until(now, BRIEF);
        Ok(Horizon {
            hard: before(waiting, self.backlog.until(now, PATIENCE)),
            soft: before(ready, brief),
            opens: brief,
            arrived: ready.unwrap_or(DateTime::<Utc>::MAX_UTC),
        })
    }

    /// Finds anew when requests need looking at, from the one after `after` on, a portion at a time: for a configuration that has changed. The
    /// last request of the portion, until there is none.
    ///
    /// # Errors
    /// The store refused: nothing of the portion changed.
    pub async fn rewake(&mut self, config: &Config, after: RequestId) -> Result<Option<RequestId>> {
        let now = self.clock.now();
        let mut work = self.store.begin().await?;
        let requests = work.goes_on(after, REWOKEN).await?;
        for request in &requests {
            let wakes = ticking::wakes(&config.desk, request, now);
            work.wake(request.id, wakes).await?;
        }
        work.commit().await?;
        Ok(requests.last().map(|request| request.id))
    }
}

/// What is due within the horizon, in the order of its moments; of equal ones numbers first.
async fn gather(
    work: &mut Work,
    horizon: Horizon,
    now: DateTime<Utc>,
) -> Result<Vec<(DateTime<Utc>, Request, Matter)>> {
    let mut due = Vec::new();
    for request in work.openings(horizon.opens, horizon.arrived, BATCH).await? {
        due.push((request.matter.opens, request, Matter::Opening));
    }
    for (request, pending) in work.lapses(horizon.hard, BATCH).await? {
        due.push((pending.lapses, request, Matter::Lapse(pending)));
    }
    for (request, pending) in work.reminders(horizon.soft, BATCH).await? {
        let at = pending.remind.unwrap_or(horizon.soft);
        // What lapses now needs no reminder of it.
        if pending.lapses > now {
            due.push((at, request, Matter::Remind(pending)));
        }
    }
    for (at, request) in work.due(horizon.soft, horizon.hard, BATCH).await? {
        due.push((at, request, Matter::Due));
    }
    // Stable: what is equal stays in the order of the store, numbers by arrival.
    due.sort_by_key(|(at, _, _)| *at);
    Ok(due)
}
