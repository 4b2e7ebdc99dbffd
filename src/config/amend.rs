//! The desk's own pen: an amendment is written into a customer's file (R30), with every comment and every other line left as it stands.
//!
//! Nothing is printed anew: the places at which the file is to be otherwise are found, and only there octets are put in or replaced. What
//! comes out must then be read as exactly what was meant, with the whole configuration, or nothing is written.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::desk::amendment::{Amendment, Unfit};
use crate::desk::people::Customer;

use super::customers::FOLDER;
use super::fault::Faults;
use super::load::attempt;
use super::pen;

/// What became of an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amended {
    /// It stands in this file now.
    Written(PathBuf),
    /// It stood there already; nothing was written.
    Already,
}

/// Why nothing was written.
#[derive(Debug)]
pub enum Refusal {
    /// There is no file of this customer.
    NoCustomer(String),
    /// It doesn't fit what the file says.
    Unfit(Unfit),
    /// The configuration has faults, or would have them.
    Faults(Faults),
    /// The file is written in a way that only a person can amend.
    ByHand(PathBuf),
    /// Somebody else wrote the file meanwhile; try again.
    Changed(PathBuf),
    /// The system refused, and why.
    Unwritable(PathBuf, String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCustomer(id) => write!(f, "There is no customer `{id}`"),
            Self::Unfit(why) => write!(f, "The customer's file can't be amended: {why}"),
            Self::Faults(faults) => write!(f, "The configuration would not hold:\n{faults}"),
            Self::ByHand(path) => write!(
                f,
                "{} is written in a way that only a person can amend: please edit it",
                path.display()
            ),
            Self::Changed(path) => {
                write!(f, "{} was edited at the same moment", path.display())
            }
            Self::Unwritable(path, why) => {
                write!(f, "{} can't be written: {why}", path.display())
            }
        }
    }
}

/// Writes an amendment into the file of a customer, beside the main file `main`. The whole configuration is loaded with the new text first,
/// as of `now` and with these variables of the environment. Written as a new file that takes the old one's place at once, with its mode and
/// owner; a death at any moment leaves the one or the other. Commands that say passwords are run, so this may take its time.
///
/// # Errors
/// Nothing was written, and why. After a failure to make the new name durable the file holds the amendment: done again, it is found there.
pub fn amend(
    main: &Path,
    customer: &str,
    amendment: &Amendment,
    variables: impl IntoIterator<Item = (String, String)>,
    now: DateTime<Utc>,
) -> Result<Amended, Refusal> {
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    let folder = main.parent().unwrap_or(Path::new("")).join(FOLDER);
    let path = folder.join(format!("{customer}.toml"));
    let about = plain_file(&path, customer)?;
    let text = read(&path)?;
    let read_as = |text: &str| -> Result<Customer, Refusal> {
        let (loaded, _) = attempt(main, variables.clone(), now, Some((&path, text)));
        let config = loaded.map_err(Refusal::Faults)?.config;
        let found = config.desk.directory.customer(customer).cloned();
        found.ok_or_else(|| Refusal::NoCustomer(customer.to_owned()))
    };
    let before = read_as(&text)?;
    let steps = amendment.steps(&before).map_err(Refusal::Unfit)?;
    if steps.is_empty() {
        return Ok(Amended::Already);
    }
    let meant = amendment.applied(&before).map_err(Refusal::Unfit)?;
    let by_hand = || Refusal::ByHand(path.clone());
    let amended = pen::amended(&text, &steps).ok_or_else(by_hand)?;
    if read_as(&amended)? != meant {
        return Err(by_hand());
    }
    let unwritable = |error: io::Error| Refusal::Unwritable(path.clone(), in_words(&error));
    let new = beside(&path);
    let written = write(&new, &amended, &about).map_err(unwritable);
    let replaced = written.and_then(|()| {
        if read(&path)? != text {
            return Err(Refusal::Changed(path.clone()));
        }
        fs::rename(&new, &path).map_err(unwritable)
    });
    if replaced.is_err() {
        // What is left of it has a hidden name, which no configuration reads.
        let _ = fs::remove_file(&new);
    }
    replaced?;
    let durable = File::open(&folder).and_then(|folder| folder.sync_all());
    durable.map_err(unwritable)?;
    Ok(Amended::Written(path))
}

/// A link is not followed: what it leads to may be somebody else's, and the link would be gone.
fn plain_file(path: &Path, customer: &str) -> Result<Metadata, Refusal> {
    let nobody = || Refusal::NoCustomer(customer.to_owned());
    let is_name =
        !customer.is_empty() && !customer.contains(['/', '\0']) && !customer.starts_with('.');
    if !is_name {
        return Err(nobody());
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(nobody()),
        Err(error) => Err(Refusal::Unwritable(path.to_owned(), in_words(&error))),
        Ok(about) if !about.is_file() => {
            let why = "it is no plain file, and the desk follows no links";
            Err(Refusal::Unwritable(path.to_owned(), why.to_owned()))
        }
        Ok(about) if about.permissions().readonly() => {
            let why = "it is read-only";
            Err(Refusal::Unwritable(path.to_owned(), why.to_owned()))
        }
        Ok(about) => Ok(about),
    }
}

fn read(path: &Path) -> Result<String, Refusal> {
    let refuse = |why: String| Refusal::Unwritable(path.to_owned(), why);
    let octets = fs::read(path).map_err(|error| refuse(in_words(&error)))?;
    String::from_utf8(octets).map_err(|_| refuse("it is not UTF-8".to_owned()))
}

/// The name of the new file while it is written: hidden, so that nobody takes it for a customer's.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// Writes the new file, with mode and owner of the old one, and has it on the disk.
fn write(new: &Path, text: &str, like: &Metadata) -> io::Result<()> {
    // One that a death left behind.
    match fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(new)?;
    file.write_all(text.as_bytes())?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
        let owned = fchown(&file, Some(like.uid()), Some(like.gid()));
        owned.map_err(|error| {
            let why = format!(
                "it belongs to another user, and would not afterwards ({})",
                in_words(&error)
            );
            io::Error::new(error.kind(), why)
        })?;
    }
    file.set_permissions(Permissions::from_mode(like.mode() & 0o7777))?;
    file.sync_all()
}

fn in_words(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return format!("the desk's user may not write to this folder or file ({error})");
    }
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
        return "the file system is read-only".to_owned();
    }
    error.to_string()
}
