//! `postdesk check`: the effective value of every key with the line it comes from, secrets masked, and what is worth a second look.

use std::path::Path;

use chrono::{DateTime, Utc};

use crate::config::fault::Faults;
use crate::config::load::{Loaded, load};

/// Loads the configuration and gives what to print: warnings first, then every section with its effective values.
///
/// # Errors
/// Everything that is wrong with it; `Faults` prints itself.
pub fn check(
    path: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    now: DateTime<Utc>,
    styled: bool,
) -> Result<(Loaded, String), Faults> {
    let loaded = load(path, variables, now)?;
    let text = effective(&loaded, styled);
    Ok((loaded, text))
}

/// What to print of a configuration that holds.
pub fn effective(loaded: &Loaded, styled: bool) -> String {
    let mut text = String::new();
    for warning in &loaded.warnings {
        text.push_str(warning.render(styled).trim_end());
        text.push_str("\n\n");
    }
    text.push_str(&loaded.overview.render());
    let directory = &loaded.config.desk.directory;
    let installations: usize = directory
        .customers()
        .iter()
        .map(|c| c.installations.len())
        .sum();
    text.push_str(&format!(
        "\nThe configuration holds: mailboxes {}, customers {}, installations {installations}, warnings {}\n",
        loaded.config.mailboxes.len(),
        directory.customers().len(),
        loaded.warnings.len(),
    ));
    text
}
