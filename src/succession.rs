//! Representatives change, outside the rules (R30, R31): a change is written into the customer's file, matched to what the files say, and
//! the requests of whoever left pass on.

use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::config::amend::{Refusal, amend};
use crate::config::environment;
use crate::desk::appointments::Change;
use crate::desk::decide::{Known, Occasion};
use crate::desk::people::Role;
use crate::desk::request::Request;
use crate::desk::succession::passing;
use crate::desk::succession::procedure::Effect;
use crate::knowledge;
use crate::occasion::decide_on;
use crate::store::pool::Store;
use crate::store::work::Work;

/// Changes that are written in one go.
const BATCH: u32 = 16;
/// Requests of a predecessor that a successor is told of one by one (R31).
const PAST: u32 = 50;

/// What came of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Whether a file says what it did not say when the configuration was read: it should be read anew.
    pub reload: bool,
    /// Letters of ours that were written.
    pub written: usize,
}

/// Writes what specialists verified and named into the customers' files (R30), beside the main file `main`. That it stands there is known
/// only once the configuration was read anew, by [`matched`]; so a death at any moment between is made good by doing it again.
///
/// # Errors
/// The store refused; what was written stays written and is found there the next time.
pub async fn write(
    store: &Store,
    config: &Config,
    main: &Path,
    now: DateTime<Utc>,
) -> Result<Progress> {
    let mut progress = Progress::default();
    for request in waiting(store).await? {
        let outcome = match attempt(config, main, &request, now).await? {
            Attempt::Reload => {
                progress.reload = true;
                continue;
            }
            Attempt::Later => continue,
            Attempt::Done => Ok(()),
            Attempt::Refused(why) => Err(why),
        };
        let mut work = store.begin().await?;
        // It may have been declined meanwhile.
        let stands = work.request(request.id).await?;
        let Some(stands) =
            stands.filter(|r| r.succession.as_deref().is_some_and(|p| p.is_to_write()))
        else {
            continue;
        };
        let occasion =
            Occasion::Amended(&stands, outcome.as_ref().copied().map_err(String::as_str));
        let letters = decide_on(&mut work, config, &Known::default(), &occasion, now)?;
        work.commit().await?;
        progress.written = progress.written.saturating_add(letters);
    }
    Ok(progress)
}

async fn waiting(store: &Store) -> Result<Vec<Request>> {
    let mut work = store.look().await?;
    work.to_write(BATCH).await
}

/// What came of one change.
enum Attempt {
    /// It stands in the file; the configuration must be read anew.
    Reload,
    /// Somebody else wrote the file at that moment.
    Later,
    /// The configuration in force says it already.
    Done,
    /// It can't be written, and why.
    Refused(String),
}

async fn attempt(
    config: &Config,
    main: &Path,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Attempt> {
    let Some(procedure) = request.succession.as_deref() else {
        return Ok(Attempt::Later);
    };
    let named = procedure.named.as_ref();
    let directory = &config.desk.directory;
    if named.is_some_and(|n| passing::is_written(directory, &procedure.installations, n)) {
        return Ok(Attempt::Done);
    }
    let amendments = passing::amendments(procedure);
    let (main, customer) = (main.to_owned(), procedure.customer.clone());
    // A password command may take its time.
    let written = tokio::task::spawn_blocking(move || {
        for amendment in &amendments {
            amend(&main, &customer, amendment, environment::of_process(), now)?;
        }
        Ok(())
    });
    let written: Result<(), Refusal> = written
        .await
        .context("Writing a customer's file broke off")?;
    Ok(match written {
        Ok(()) => Attempt::Reload,
        Err(Refusal::Changed(_)) => Attempt::Later,
        Err(why) => Attempt::Refused(why.to_string()),
    })
}

/// Matches what the files say now to the changes of representative that are under way (R30): one that stands there is written, whoever
/// wrote it; of one that stands there otherwise, or unverified, the specialists are told. `told` is what changed. Gives the letters written.
///
/// # Errors
/// The store refused: drop the work then.
pub async fn matched(
    work: &mut Work,
    config: &Config,
    told: &[Change],
    now: DateTime<Utc>,
) -> Result<usize> {
    let directory = &config.desk.directory;
    let mut written = 0_usize;
    for request in work.successions(None).await? {
        let Some(procedure) = request.succession.as_deref() else {
            continue;
        };
        let named = procedure.named.as_ref();
        let is_written =
            named.is_some_and(|n| passing::is_written(directory, &procedure.installations, n));
        let waits = matches!(procedure.effect, Effect::ToWrite | Effect::ByHand(_));
        let about = |c: &Change| {
            c.person.role == Role::Primary && procedure.installations.contains(&c.installation)
        };
        let occasion = if is_written && waits {
            Occasion::Amended(&request, Ok(()))
        } else if !is_written && told.iter().any(about) {
            Occasion::Edited(&request)
        } else {
            continue;
        };
        let letters = decide_on(work, config, &Known::default(), &occasion, now)?;
        written = written.saturating_add(letters);
    }
    Ok(written)
}

/// What the store knows that bears on a request that has become due: for a change of representative, what whoever leaves office asked before.
///
/// # Errors
/// The store can't be read.
pub async fn known(work: &mut Work, request: &Request) -> Result<Known> {
    let mut known = Known::default();
    let named = request.succession.as_deref().and_then(|p| p.named.as_ref());
    let before = named.and_then(|n| n.predecessor.as_ref());
    if let (Some(before), Some(customer)) = (before, request.matter.customer.as_deref()) {
        let found = work.requests_by(customer, &before.address, PAST).await?;
        (known.past, known.past_more) = found;
    }
    Ok(known)
}

/// Passes the open requests of whoever left office to who holds it on this day (R31). It follows from the lists alone, so that nothing is
/// forgotten while the desk is down, and what was passed once is not passed again. Gives the letters written for each request.
///
/// # Errors
/// The store refused: drop the work then.
pub async fn passing_on(
    work: &mut Work,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<Vec<usize>> {
    let directory = &config.desk.directory;
    let day = config.desk.calendar.day_of(now);
    let mut written = Vec::new();
    for heir in passing::heirs(directory, day) {
        let at = &heir.appointment;
        for request in work.unclosed(&at.customer.id, &at.installation.id).await? {
            if passing::concerns(directory, &request, &heir, day) {
                let known = Known {
                    opening: knowledge::opening_of(work, &request).await?,
                    ..Known::default()
                };
                let occasion = Occasion::Passes(&request, &heir);
                written.push(decide_on(work, config, &known, &occasion, now)?);
            }
        }
    }
    Ok(written)
}
