//! Which configuration a command works with, and how it writes to people: standard output is for results.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::config::{self, Config};
use crate::store::pool::{Store, Unusable};

/// Where the configuration is looked for when no file is named.
const PLACES: [&str; 2] = ["config/postdesk.toml", "/etc/postdesk/postdesk.toml"];

/// The file that is meant: the one named, else the first that exists.
///
/// # Errors
/// There is none: how to make one.
pub fn file(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(file) = named {
        return Ok(file);
    }
    let found = PLACES.iter().map(Path::new).find(|p| p.exists());
    found.map(Path::to_path_buf).ok_or_else(|| {
        Failure::Configuration(format!(
            "error: no configuration: neither {} exists\nMake one with `postdesk init DIR`, or name one with `--config FILE`",
            PLACES.join(" nor ")
        ))
    })
}

/// Loads the configuration with the environment laid over it; warnings go to standard error.
///
/// # Errors
/// Every fault at once.
pub fn load(file: &Path) -> Result<Config, Failure> {
    let (config, warnings) =
        config::load(file).map_err(|faults| Failure::Configuration(faults.to_string()))?;
    for warning in warnings {
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
    Ok(config)
}

/// Opens the database for a command that only looks. It makes none: one made by root here would be one that the daemon can't write.
///
/// # Errors
/// There is none yet, it is not reachable now, or not for this program.
pub async fn open(config: &Config) -> Result<Store, Failure> {
    let url = &config.store_url;
    if !Store::exists(url) {
        return Err(Failure::Broken(anyhow::anyhow!(
            "there is no database yet\n\
             why: neither `run` nor `ingest` has been used with this configuration\n\
             do: start the daemon, or name the configuration that it runs with by `--config FILE`"
        )));
    }
    Store::open(url).await.map_err(refused)
}

/// Opens the database, and makes it if there is none.
///
/// # Errors
/// It is not reachable now, or not for this program.
pub async fn make(config: &Config) -> Result<Store, Failure> {
    Store::open(&config.store_url).await.map_err(refused)
}

fn refused(error: anyhow::Error) -> Failure {
    match error.downcast_ref::<Unusable>() {
        Some(_) => Failure::Broken(error),
        None => Failure::TryAgain(error),
    }
}

/// Writes a result to standard output; a reader that went away is no fault.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}
