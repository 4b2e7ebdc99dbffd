//! Which configuration a command works with, and how it writes to people: standard output is for results.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::config::{self, Config};

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

/// Writes a result to standard output; a reader that went away is no fault.
pub fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = out.write_all(b"\n");
    }
    let _ = out.flush();
}
