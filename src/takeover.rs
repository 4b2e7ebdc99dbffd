//! A configuration takes over: what it says otherwise of the people is in the history before anything is decided under it (R6, R31, P8).

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::desk::appointments::{self, Roll};
use crate::desk::decide::{self, Decision, Known, Occasion};
use crate::occasion;
use crate::store::pool::Store;
use crate::{succession, telemetry};

/// Compares the appointments with what the desk last knew of them, and enters what changed, in one transaction with what it knows from now
/// on. Gives how many letters were written. Done twice, it is done once; so it is done at every start and after every reload.
///
/// # Errors
/// The store refused: nothing of it happened.
pub async fn appointments(store: &Store, config: &Config, now: DateTime<Utc>) -> Result<usize> {
    let mut work = store.begin().await?;
    let new = Roll::of(&config.desk.directory);
    let old = work.roll().await?;
    if old.as_ref() == Some(&new) {
        return Ok(0);
    }
    let decided = |occasion| decide::decide(&config.desk, &Known::default(), &occasion, now);
    let mut written = 0;
    let mut told = Vec::new();
    match &old {
        None => {
            let decision = decided(Occasion::FirstRoll(&new));
            written = occasion::apply(&mut work, config, &decision, now)?;
        }
        Some(old) => {
            told = appointments::changes(old, &new);
            // Another order of the entries, or of the files, is no change.
            if !told.is_empty() {
                let decision: Decision = decided(Occasion::Appointments(&told));
                written = occasion::apply(&mut work, config, &decision, now)?;
                let matched = succession::matched(&mut work, config, &told, now).await?;
                written = written.saturating_add(matched);
            }
        }
    }
    let old = old.unwrap_or_default();
    work.set_roll(&old, &new, now).await?;
    work.commit().await?;
    for change in told {
        telemetry::appointment_changed(&change.customer, &change.in_words());
    }
    Ok(written)
}

/// Tells the specialists, under the configuration in force, that the edited one has faults, or is good again (P8). Gives how many letters
/// were written.
///
/// # Errors
/// The store refused: nobody is told.
pub async fn configuration(
    store: &Store,
    config: &Config,
    faults: Option<&str>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let mut work = store.begin().await?;
    let occasion = Occasion::Configuration(faults);
    let decision = decide::decide(&config.desk, &Known::default(), &occasion, now);
    let written = occasion::apply(&mut work, config, &decision, now)?;
    work.commit().await?;
    Ok(written)
}
