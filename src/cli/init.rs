//! `postdesk init DIR`: writes a commented configuration to start from and the secret.

use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use anyhow::{Context, bail};

use crate::mail::thread::Keys;

const MAIN: &str = include_str!("../../config/postdesk.toml");
const CUSTOMER: &str = include_str!("../../config/customers/raduga.toml");

/// Writes `postdesk.toml`, `customers/raduga.toml` and `secret` (mode 0600) into `dir`, which is made if it is not there; gives what to tell the user.
///
/// # Errors
/// One of them is there already (then nothing at all is written), or the folder cannot be written to.
pub fn init(dir: &Path) -> anyhow::Result<String> {
    let main = dir.join("postdesk.toml");
    let customers = dir.join("customers");
    let customer = customers.join("raduga.toml");
    let secret = dir.join("secret");
    for path in [&main, &customers, &secret] {
        // A broken link is something as well: it is nobody's business to write through it.
        if path.symlink_metadata().is_ok() {
            bail!(
                "{} is there already\n\
                 why: `init` never overwrites anything\n\
                 do: name a folder without a configuration, or check this one by `postdesk -c {} check`",
                path.display(),
                main.display()
            );
        }
    }
    let keys = Keys::generate()
        .map_err(anyhow::Error::msg)
        .context("The system gave no randomness for the secret")?;
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(&customers)
        .with_context(|| format!("Cannot make the folder {}", customers.display()))?;
    write(&secret, &keys, 0o600)?;
    write(&main, MAIN, 0o640)?;
    write(&customer, CUSTOMER, 0o640)?;
    Ok(told(dir, &main))
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .with_context(|| format!("Cannot make {}", path.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("Cannot write {}", path.display()))
}

fn told(dir: &Path, main: &Path) -> String {
    let (dir, main) = (dir.display(), main.display());
    format!(
        "Written to {dir}:\n\
         \x20 postdesk.toml           every key there is, with example values\n\
         \x20 customers/raduga.toml   an example of a customer; one file each\n\
         \x20 secret                  the keys of this desk: keep it, and keep it to yourself\n\
         \n\
         Next:\n\
         \x20 1. put your own names, addresses and servers into the first two\n\
         \x20 2. put the passwords into files: (umask 077; cat > {dir}/imap-password), and smtp-password the same way\n\
         \x20 3. postdesk -c {main} check --connect\n\
         \x20 4. postdesk -c {main} run\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_it_writes_lacks_nothing_but_the_passwords() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("new/desk");
        let told = init(&dir).unwrap();
        assert!(told.contains("check --connect"));
        let mode = std::fs::metadata(dir.join("secret")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let now = "2026-08-21T09:00:00Z".parse().unwrap();
        let main = dir.join("postdesk.toml");
        let faults = crate::config::load::load(&main, [], now).unwrap_err();
        assert_eq!(faults.count(), 2, "{faults}");
        for line in faults.lines() {
            assert!(line.contains("-password` cannot be read"), "{line}");
        }
    }

    #[test]
    fn it_overwrites_nothing_and_then_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "mine").unwrap();
        let error = init(folder.path()).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1);
        let secret = std::fs::read_to_string(folder.path().join("secret")).unwrap();
        assert_eq!(secret, "mine");
    }
}
