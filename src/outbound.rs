//! One letter's whole way out: due, attempt, fate.
//!
//! A letter's attempt is counted and committed before it is tried; a courier has one letter at a time; what came back is settled in the same
//! transaction that claims what goes next. So a death at any moment leaves at most one letter for each connection in doubt, and no fate
//! is forgotten.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::courier::Courier;
use crate::desk::address::Address;
use crate::desk::request::RequestId;
use crate::parcel::{Outcome, Parcel, for_log};
use crate::smtp::breaker::Breaker;
use crate::store::outbox::{Due, Fate};
use crate::store::pool::Store;
use crate::telemetry::masked;

/// Looked at even if nobody calls.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);
/// How long letters that are under way may take when we are told to stop.
const GRACE: Duration = Duration::from_secs(20);
/// The waits after the first, second, … attempt; then the last one again (FAULTS C1).
const WAITS: [i64; 5] = [1, 5, 15, 60, 240];
/// The wait after a connection that was lost behind the dot (RFC 1047).
const UNKNOWN_WAIT: i64 = 15;
/// A letter is given up when it is older than this…
const GIVE_UP_DAYS: i64 = 5;
/// …and was really tried this often: an outage of ours costs no letter its chances.
const GIVE_UP_ATTEMPTS: u32 = 5;

/// A letter that will never be delivered: the request's people must hear of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The outbox row.
    pub outbox: i64,
    /// The request it was about.
    pub request: Option<RequestId>,
    /// To whom it was.
    pub recipient: String,
    /// Why, as the server said it, cleaned.
    pub why: String,
    /// Whether it was for the desk's own people.
    pub internal: bool,
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Attempts whose fate was written.
    pub settled: usize,
    /// Letters that were given to couriers.
    pub claimed: usize,
    /// When to look again, unless called or something comes back before.
    pub look_again: Duration,
}

/// The way out of one desk.
pub struct Outbound {
    store: Store,
    clock: Clock,
    /// The envelope's sender: where bounces go.
    from: String,
    /// Each courier in its place; none while it is away.
    couriers: Vec<Option<Courier>>,
    breaker: Breaker,
    away: FuturesUnordered<BoxFuture<'static, Errand>>,
    back: Vec<Errand>,
    unsettled: Vec<(i64, Fate)>,
    /// Attempts that failed before the letter itself was tried: they don't count against it.
    forgiven: BTreeMap<i64, u32>,
}

/// A courier that came back, and what became of its letter; none if it only said goodbye to its server.
struct Errand {
    place: usize,
    courier: Courier,
    letter: Option<(Due, Outcome)>,
}

impl Outbound {
    /// Letters go out by these couriers, in the name of `from`.
    pub fn new(store: Store, couriers: Vec<Courier>, clock: Clock, from: &Address) -> Self {
        Self {
            store,
            clock,
            from: from.to_string(),
            breaker: Breaker::new(couriers.len()),
            couriers: couriers.into_iter().map(Some).collect(),
            away: FuturesUnordered::new(),
            back: Vec::new(),
            unsettled: Vec::new(),
            forgiven: BTreeMap::new(),
        }
    }

    /// Steps until `stop` is true, then lets what is under way come home and says goodbye. `wake` is for whoever commits a new row.
    ///
    /// `on_never` enters an undelivered letter where people see it; if it fails, the letter is tried again later and so is this.
    pub async fn run<F, W>(&mut self, mut stop: watch::Receiver<bool>, wake: &Notify, on_never: F)
    where
        F: Fn(Undelivered) -> W,
        W: Future<Output = Result<()>>,
    {
        let mut refused: u32 = 0;
        while !*stop.borrow_and_update() {
            let wait = match self.step(&on_never).await {
                Ok(step) => {
                    refused = 0;
                    step.look_again
                }
                Err(error) => {
                    tracing::error!("outbox can't be read or written: {error:#}");
                    refused = refused.saturating_add(1).min(6);
                    Duration::from_secs(1 << refused.saturating_sub(1))
                }
            };
            if refused == 0 && !self.back.is_empty() {
                continue;
            }
            // Nothing here is lost when another branch wins: couriers that are away stay in `away`.
            tokio::select! {
                Some(errand) = self.away.next() => self.back.push(errand),
                () = wake.notified(), if refused == 0 => (),
                () = sleep(wait) => self.rest(),
                changed = stop.changed() => if changed.is_err() { break },
            }
        }
        self.finish(&on_never).await;
    }

    /// One step: settles what came back, claims what is due and sends it off. Doesn't wait for it.
    ///
    /// # Errors
    /// The database refused; everything that came back is kept for the next step.
    pub async fn step<F, W>(&mut self, on_never: &F) -> Result<Step>
    where
        F: Fn(Undelivered) -> W,
        W: Future<Output = Result<()>>,
    {
        self.take_back(on_never).await;
        let now = self.clock.now();
        let places = self.usable();
        let limit = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let settled = self.unsettled.len();
        if settled == 0 && places.is_empty() {
            return Ok(self.stepped(0, 0, None, now));
        }
        let claiming = self.store.settle_and_claim(&self.unsettled, limit, now);
        let dues = alongside(&mut self.away, &mut self.back, claiming)
            .await
            .context("Can't settle and claim letters")?;
        self.unsettled.clear();
        let claimed = dues.len();
        for (place, due) in places.iter().zip(dues) {
            self.send_off(*place, due);
        }
        // Fewer than asked for: nothing else is due now, so the store knows when something will be.
        let next = if claimed < places.len() {
            alongside(&mut self.away, &mut self.back, self.store.next_due())
                .await
                .context("Can't see when a letter is due")?
        } else {
            None
        };
        Ok(self.stepped(settled, claimed, next, now))
    }

    fn stepped(
        &self,
        settled: usize,
        claimed: usize,
        next: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Step {
        let due = next.map(|at| at.signed_duration_since(now).to_std().unwrap_or_default());
        let rested = self.breaker.next_try();
        // While the breaker holds, a row that is due has to wait for it.
        let first = match (due, rested) {
            (Some(due), Some(rested)) if due.is_zero() => Some(rested),
            (Some(due), Some(rested)) => Some(due.min(rested)),
            (due, rested) => due.or(rested),
        };
        Step {
            settled,
            claimed,
            look_again: first.unwrap_or(AT_LEAST_EVERY).min(AT_LEAST_EVERY),
        }
    }

    /// Couriers that are here and may be tried.
    fn usable(&self) -> Vec<usize> {
        let here = self.couriers.iter().enumerate();
        let idle: Vec<usize> = here
            .filter(|(_, courier)| courier.is_some())
            .map(|(place, _)| place)
            .collect();
        self.breaker.usable(&idle)
    }

    fn send_off(&mut self, place: usize, mut due: Due) {
        let Some(mut courier) = self.couriers.get_mut(place).and_then(Option::take) else {
            return;
        };
        let parcel = Parcel {
            from: self.from.clone(),
            to: due.recipient.clone(),
            bytes: std::mem::take(&mut due.bytes),
            message_id: due.message_id.clone(),
        };
        let errand = async move {
            let outcome = courier.deliver(&parcel).await;
            Errand {
                place,
                courier,
                letter: Some((due, outcome)),
            }
        };
        self.away.push(errand.boxed());
    }

    /// Lets couriers that have had nothing to do for long say goodbye to their servers.
    fn rest(&mut self) {
        for (place, here) in self.couriers.iter_mut().enumerate() {
            if !here.as_ref().is_some_and(Courier::is_tired) {
                continue;
            }
            let Some(mut courier) = here.take() else {
                continue;
            };
            let errand = async move {
                courier.close().await;
                Errand {
                    place,
                    courier,
                    letter: None,
                }
            };
            self.away.push(errand.boxed());
        }
    }

    /// Puts couriers back in their places and turns what they report into fates, all that are here at once.
    async fn take_back<F, W>(&mut self, on_never: &F)
    where
        F: Fn(Undelivered) -> W,
        W: Future<Output = Result<()>>,
    {
        while let Some(Some(errand)) = self.away.next().now_or_never() {
            self.back.push(errand);
        }
        for errand in std::mem::take(&mut self.back) {
            if let Some(here) = self.couriers.get_mut(errand.place) {
                *here = Some(errand.courier);
            }
            let Some((due, outcome)) = errand.letter else {
                continue;
            };
            let mut fate = self.fate(errand.place, &due, outcome);
            if let Fate::Never(why) = &fate {
                // Entered before it is settled: a death in between enters it twice, the other way round it would never be known.
                let entering = self.enter(&due, why, on_never);
                if let Some(entering) = entering
                    && let Err(error) = alongside(&mut self.away, &mut self.back, entering).await
                {
                    log_not_entered(&due, &error);
                    fate = later(self.clock.now(), UNKNOWN_WAIT, why.clone(), false);
                }
            }
            self.unsettled.push((due.id, fate));
        }
    }

    /// What is to be done about a letter that never arrives; nothing if it was about such a failure itself.
    fn enter<F, W>(&self, due: &Due, why: &str, on_never: &F) -> Option<W>
    where
        F: Fn(Undelivered) -> W,
        W: Future<Output = Result<()>>,
    {
        (!due.about_failure).then(|| {
            on_never(Undelivered {
                outbox: due.id,
                request: due.request,
                recipient: due.recipient.clone(),
                why: why.to_owned(),
                internal: due.internal,
            })
        })
    }

    /// What an outcome means for the row, and for the courier.
    fn fate(&mut self, place: usize, due: &Due, outcome: Outcome) -> Fate {
        let now = self.clock.now();
        let in_vain = self.forgiven.remove(&due.id).unwrap_or_default();
        if let Outcome::Later {
            why, account: true, ..
        } = outcome
        {
            let rest = self.breaker.fault(place);
            self.forgiven.insert(due.id, in_vain.saturating_add(1));
            log_way_closed(&why, rest);
            let at = now
                .checked_add_signed(TimeDelta::from_std(rest).unwrap_or_default())
                .unwrap_or(now);
            return Fate::Later {
                at,
                why,
                unknown: false,
            };
        }
        if self.breaker.well(place) {
            tracing::info!("mail server is back");
        }
        let attempt = due.attempt.saturating_sub(in_vain).max(1);
        let fate = fate(due, attempt, outcome, now);
        log_fate(due, attempt, &fate);
        fate
    }

    /// Waits for the letters that are under way, within bounds, and settles them. Claims nothing.
    async fn finish<F, W>(&mut self, on_never: &F)
    where
        F: Fn(Undelivered) -> W,
        W: Future<Output = Result<()>>,
    {
        let coming_home = async {
            while let Some(errand) = self.away.next().await {
                self.back.push(errand);
            }
        };
        // Who isn't home by then stays in doubt, as after a crash.
        let _ = timeout(GRACE, coming_home).await;
        self.take_back(on_never).await;
        if !self.unsettled.is_empty() {
            let now = self.clock.now();
            match self.store.settle_and_claim(&self.unsettled, 0, now).await {
                Ok(_) => self.unsettled.clear(),
                // They are due again at the next start, as after a crash.
                Err(error) => tracing::error!("outbox can't be written: {error:#}"),
            }
        }
        let here = self.couriers.iter_mut().flatten();
        futures::future::join_all(here.map(Courier::close)).await;
    }
}

/// Does `work` while couriers go on; those that come back meanwhile wait in `back`.
async fn alongside<T>(
    away: &mut FuturesUnordered<BoxFuture<'static, Errand>>,
    back: &mut Vec<Errand>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(errand) = away.next() => back.push(errand),
        }
    }
}

/// What an outcome of the letter itself means for its row.
fn fate(due: &Due, attempt: u32, outcome: Outcome, now: DateTime<Utc>) -> Fate {
    match outcome {
        Outcome::Sent(answer) => Fate::Sent(answer),
        Outcome::Never(why) => Fate::Never(why),
        Outcome::Later {
            why,
            unknown,
            after,
            ..
        } => {
            let age = now.signed_duration_since(due.created);
            if age >= TimeDelta::days(GIVE_UP_DAYS) && attempt >= GIVE_UP_ATTEMPTS {
                return Fate::Never(format!("given up after {} days: {why}", age.num_days()));
            }
            let index = usize::try_from(attempt).unwrap_or(usize::MAX);
            let mut wait = WAITS
                .get(index.saturating_sub(1))
                .or(WAITS.last())
                .copied()
                .unwrap_or(UNKNOWN_WAIT);
            if unknown {
                // Each copy may have arrived: few of them, and the first not at once.
                wait = wait.max(UNKNOWN_WAIT);
            }
            let fate = later(jittered(now, due, attempt), wait, why.clone(), unknown);
            match (fate, after.map(TimeDelta::from_std)) {
                (Fate::Later { at, .. }, Some(Ok(after))) => Fate::Later {
                    at: at.max(now.checked_add_signed(after).unwrap_or(at)),
                    why,
                    unknown,
                },
                (fate, _) => fate,
            }
        }
    }
}

fn later(from: DateTime<Utc>, minutes: i64, why: String, unknown: bool) -> Fate {
    let at = from
        .checked_add_signed(TimeDelta::minutes(minutes))
        .unwrap_or(from);
    Fate::Later { at, why, unknown }
}

/// `now` and up to ten seconds for each attempt more, different from row to row: what failed together doesn't come back together.
fn jittered(now: DateTime<Utc>, due: &Due, attempt: u32) -> DateTime<Utc> {
    let spread = i64::from(attempt.min(60)).saturating_mul(10_000);
    let share = due
        .id
        .wrapping_mul(7919)
        .wrapping_add(i64::from(attempt).wrapping_mul(104_729))
        .rem_euclid(1000);
    let jitter = TimeDelta::milliseconds(spread.saturating_mul(share).saturating_div(1000));
    now.checked_add_signed(jitter).unwrap_or(now)
}

fn to(due: &Due) -> String {
    Address::new(&due.recipient).map_or_else(|_| "***".to_owned(), |to| masked(&to))
}

/// The readable half of a Message-ID: enough to find the letter in the mail server's log. The other half is a secret that a reply
/// confirms with, so no log may hold it.
fn half(message_id: &str) -> &str {
    message_id.split(['.', '@']).next().unwrap_or_default()
}

fn log_fate(due: &Due, attempt: u32, fate: &Fate) {
    let (letter, message_id, to) = (due.id, half(&due.message_id), to(due));
    match fate {
        Fate::Sent(answer) => {
            tracing::info!(letter, message_id, to, attempt, "letter sent");
            tracing::debug!(letter, answer, "letter sent: the server's answer");
        }
        Fate::Later { at, why, unknown } => {
            let reason = for_log(why);
            if *unknown {
                tracing::warn!(letter, message_id, to, attempt, %at, reason, "letter sent perhaps, to be sent again");
            } else {
                tracing::info!(letter, message_id, to, attempt, %at, reason, "letter deferred");
            }
            tracing::debug!(letter, why, "letter deferred: the whole reason");
        }
        Fate::Never(why) => {
            let reason = for_log(why);
            tracing::warn!(
                letter,
                message_id,
                to,
                attempt,
                about_failure = due.about_failure,
                reason,
                "letter undeliverable"
            );
            tracing::debug!(letter, why, "letter undeliverable: the whole reason");
        }
    }
}

fn log_way_closed(why: &str, rest: Duration) {
    let reason = for_log(why);
    tracing::warn!(
        reason,
        next_try_s = rest.as_secs(),
        "mail server can't be used"
    );
}

fn log_not_entered(due: &Due, error: &anyhow::Error) {
    let letter = due.id;
    tracing::error!(letter, "undeliverable letter can't be entered: {error:#}");
}
