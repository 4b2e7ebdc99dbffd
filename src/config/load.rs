//! One loading of the whole configuration: every file is read, everything is checked, and either all of it holds or none of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::desk::address::Address;
use crate::desk::loops::Breakers;
use crate::desk::people::Directory;
use crate::desk::policy::Desk;

use super::customers::{ReadCustomer, customers, read_table};
use super::desk::{
    ReadDesk, consents, deadlines, desk, kinds, limits, orders, redirect, store_url, words,
};
use super::dns::dns;
use super::environment::overlay;
use super::fault::{Fault, Faults, Warning};
use super::hours::calendar;
use super::letters::wording;
use super::mailbox::{ReadMailbox, courier, mailboxes};
use super::people::{Staff, check_approvers, staff};
use super::reading::{Overview, Reading};
use super::section::Section;
use super::signatures::signatures;
use super::source::Place;
use super::succession::succession;
use super::tree::Table;
use super::{Config, directory};

/// A configuration that holds, with what is worth a second look and the effective value of every key.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is allowed and most likely not meant.
    pub warnings: Vec<Warning>,
    /// Every key with its value.
    pub overview: Overview,
}

/// Loads a configuration as of `now`, with these variables of the environment: `POSTDESK__…` override keys of the main file,
/// `CREDENTIALS_DIRECTORY` is where systemd puts credentials. Everything else is ignored.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(
    path: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    now: DateTime<Utc>,
) -> Result<Loaded, Faults> {
    attempt(path, variables, now, None).0
}

/// The same, and the files and folders that it came from, also of one that does not hold; with the text of one file in place of what it holds.
pub fn attempt(
    path: &Path,
    variables: impl IntoIterator<Item = (String, String)>,
    now: DateTime<Utc>,
    instead: Option<(&Path, &str)>,
) -> (Result<Loaded, Faults>, BTreeSet<PathBuf>) {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let variables: BTreeMap<String, String> = variables.into_iter().collect();
    // The zone is not known yet; a day more or less makes no difference to any check.
    let mut reading = Reading::new(folder, now.date_naive(), variables.clone());
    if let Some((file, text)) = instead {
        reading = reading.instead(file, text);
    }
    let config = read_table(&reading, path).and_then(|(file, mut table)| {
        overlay(&reading, &variables, &mut table);
        whole(&reading, file, &table)
    });
    if config.is_none() && reading.is_sound() {
        let what = "the configuration came to nothing, and no fault was found";
        reading.fault(Fault::error(Place::whole(0), what).todo("report this as a bug of postdesk"));
    }
    let looked_at = reading.looked_at();
    let loaded = reading.end().and_then(|(warnings, overview)| {
        // Whatever has no configuration has a fault by now.
        let config = config.ok_or_else(Faults::default)?;
        Ok(Loaded {
            config,
            warnings,
            overview,
        })
    });
    (loaded, looked_at)
}

fn whole(reading: &Reading, file: usize, table: &Table) -> Option<Config> {
    let root = Section::whole(reading, "the main file", Place::whole(file), table);
    let desk = desk(&root);
    let store_url = store_url(&root);
    let calendar = calendar(&root, desk.zone, desk.locale);
    let deadlines = deadlines(&root);
    let orders_from_additional = orders(&root);
    let consents = consents(&root);
    let kinds = kinds(&root);
    let words = words(&root);
    let redirect = redirect(&root);
    let succession = succession(&root);
    let (limits, max_letter) = limits(&root);
    let wording = wording(&root);
    let mailboxes = mailboxes(&root);
    let courier = courier(&root);
    let dns = dns(&root);
    let signatures = signatures(&root);
    let staff = staff(&root, desk.fold_local);
    check_approvers(&root, &kinds, &staff);
    root.end();
    let customers = customers(reading, file);
    directory::check(
        reading,
        &customers,
        &staff,
        desk.address.as_ref(),
        desk.fold_local,
    );
    for named in mailboxes.iter().filter_map(|m| m.installation.as_ref()) {
        let why = "letters to this mailbox would be about nothing";
        directory::check_named(reading, &customers, named, why);
    }
    for named in &staff.developed {
        let why = "nothing would ever be handed to this developer";
        directory::check_named(reading, &customers, named, why);
    }
    let directory = people(&desk, customers, staff);
    Some(Config {
        desk: Desk {
            name: desk.name?,
            address: desk.address?.value,
            locale: desk.locale?,
            calendar: calendar?,
            directory,
            deadlines,
            kinds,
            words,
            consents: consents?,
            orders_from_additional: orders_from_additional?,
            acknowledge_queued: desk.acknowledge_queued,
            redirect,
            succession,
            limits,
            breakers: Breakers::ALL,
            plus_addressing: desk.plus_addressing,
        },
        watch: desk.watch,
        mailboxes: boxes(mailboxes),
        courier: courier?,
        dns,
        signatures,
        store_url: store_url?,
        keys: desk.keys?,
        wording: wording?,
        max_letter,
        authorities: reading.authorities(),
    })
}

fn boxes(read: Vec<ReadMailbox>) -> Vec<super::Mailbox> {
    read.into_iter().map(|m| m.mailbox).collect()
}

fn people(desk: &ReadDesk, customers: Vec<ReadCustomer>, staff: Staff) -> Directory {
    let mut own: Vec<Address> = Vec::new();
    own.extend(desk.address.as_ref().map(|a| a.value.clone()));
    for installation in customers.iter().flat_map(|c| &c.customer.installations) {
        own.extend(installation.addresses.iter().cloned());
    }
    Directory::new(
        customers.into_iter().map(|c| c.customer).collect(),
        staff.specialists,
        staff.approvers,
        staff.developers,
        staff.supervisors,
        &own,
        desk.fold_local,
    )
}
