//! A decision that no letter caused: made, its letters written, and all of it entered into a unit of work.

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::desk::decide::{self, Decision, Known, Occasion};
use crate::store::work::{Work, Written};
use crate::writing;

/// Decides on an occasion; how many letters are written for it.
///
/// # Errors
/// The decision doesn't fit; drop the work then.
pub fn decide_on(
    work: &mut Work,
    config: &Config,
    known: &Known,
    occasion: &Occasion<'_>,
    now: DateTime<Utc>,
) -> Result<usize> {
    let decision = decide::decide(&config.desk, known, occasion, now);
    apply(work, config, &decision, now)
}

/// Writes a decision's letters and enters all of it. How many letters there are.
///
/// # Errors
/// The decision doesn't fit; drop the work then.
pub fn apply(
    work: &mut Work,
    config: &Config,
    decision: &Decision,
    now: DateTime<Utc>,
) -> Result<usize> {
    let names = work.name(decision);
    let (letters, _) = writing::write(config, decision, &names, now)?;
    let count = letters.len();
    let written = Written {
        explanation: None,
        letters,
    };
    work.apply(None, decision, &names, written, now)?;
    Ok(count)
}
