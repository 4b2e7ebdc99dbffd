//! `run`: the daemon in the foreground.

use std::path::PathBuf;

use super::failure::Failure;
use super::settings;
use crate::daemon::{self, Refusal};

/// `postdesk run`.
///
/// # Errors
/// A bad configuration (78), another daemon on the same database (75), a database that is not there (75).
pub async fn run(config: Option<PathBuf>) -> Result<(), Failure> {
    let file = settings::file(config)?;
    daemon::run(file).await.map_err(|refusal| match refusal {
        Refusal::Configuration(faults) => Failure::Configuration(faults.to_string()),
        Refusal::Taken(holder) => Failure::TryAgain(anyhow::anyhow!(
            "Another daemon works on this database: {holder}"
        )),
        Refusal::Trouble(error) => Failure::TryAgain(error),
    })
}
