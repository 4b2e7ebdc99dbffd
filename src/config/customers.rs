//! The customers: one file each, with installations and their representatives (R6, R7).

use std::path::Path;

use chrono::NaiveDate;

use crate::desk::address::Address;
use crate::desk::people::{Customer, Installation, OrdersRequire, Representative, Role};

use super::desk::LOCALES;
use super::fault::Fault;
use super::letters::entries;
use super::reading::Reading;
use super::section::Section;
use super::signatures::numbers;
use super::source::{Place, Placed};
use super::tree::Table;

/// The folder of the customers' files, beside the main file.
pub const FOLDER: &str = "customers";

/// A customer, with the places that must agree with those of others.
#[derive(Debug)]
pub struct ReadCustomer {
    /// The customer.
    pub customer: Customer,
    /// Its file.
    pub file: usize,
    /// Where its domains stand.
    pub domains: Vec<Placed<String>>,
    /// Where its official addresses stand.
    pub official: Vec<Placed<Address>>,
    /// Its installations' places.
    pub installations: Vec<ReadInstallation>,
    /// R7 ⚙: how many additional representatives it may have at one time.
    pub max_additional: Option<Placed<i64>>,
}

/// Where the parts of an installation stand.
#[derive(Debug)]
pub struct ReadInstallation {
    /// Its identifier.
    pub id: Placed<String>,
    /// Its tags.
    pub tags: Vec<Placed<String>>,
    /// Its addresses.
    pub addresses: Vec<Placed<Address>>,
    /// Where each representative's role and address stand, in the order of the file.
    pub people: Vec<(Place, Place)>,
    /// Whether every representative could be read; who is missing may only be misspelt.
    pub is_whole: bool,
}

/// Reads `customers/*.toml`; a hidden file and an editor's copy is left alone.
pub fn customers(reading: &Reading, main: usize) -> Vec<ReadCustomer> {
    let folder = reading.resolve(FOLDER);
    reading.look_at(&folder);
    let is_toml = |path: &&std::path::PathBuf| path.extension().is_some_and(|e| e == "toml");
    let files = match entries(&folder) {
        Ok(files) => files,
        Err(error) => {
            let what = format!(
                "the folder `{}` cannot be listed: {error}",
                folder.display()
            );
            reading.fault(
                Fault::error(Place::whole(main), what)
                    .why("every customer would be a stranger")
                    .todo("make it a folder, readable for the user that the desk runs as"),
            );
            return Vec::new();
        }
    };
    let files: Vec<_> = files.iter().filter(is_toml).collect();
    if files.is_empty() {
        reading.fault(
            Fault::warning(Place::whole(main), "there are no customers")
                .why("every letter will be a stranger's")
                .todo(format!(
                    "write one file a customer into {}",
                    folder.display()
                )),
        );
    }
    files
        .into_iter()
        .filter_map(|f| customer(reading, f))
        .collect()
}

fn customer(reading: &Reading, path: &Path) -> Option<ReadCustomer> {
    let (file, table) = read_table(reading, path)?;
    let root = Section::whole(reading, "a customer's file", Place::whole(file), &table);
    let name = root.required_text(
        "name",
        "letters and journal name the organisation",
        "МАУ ДО «Радуга»",
    );
    let domains = root.texts("domains", &[]);
    let domains: Vec<_> = domains.iter().filter_map(|d| domain(&root, d)).collect();
    let official = addresses(&root, "official_addresses");
    let (inn, ogrn) = numbers(&root);
    let contract = root.text("contract");
    let locale = root.choice("locale", &LOCALES, None);
    let orders_require = orders_require(&root)?;
    let max_additional = root
        .has("max_additional")
        .map(|_| root.number("max_additional", 0..=10_000, 0));
    let mut installations = Vec::new();
    let mut places = Vec::new();
    for section in root.tables("installation", "[[installation]]") {
        if let Some((installation, place)) = installation(&section) {
            installations.push(installation);
            places.push(place);
        }
        section.end();
    }
    if root.has("installation").is_none() {
        reading.fault(
            Fault::warning(Place::whole(file), "this customer has no [[installation]]")
                .why("authority is given per installation, so nobody may ask for anything")
                .todo("add [[installation]] with id = \"…\" and name = \"…\""),
        );
    }
    root.end();
    let id = path.file_stem().map(|s| s.to_string_lossy().into_owned());
    let customer = Customer {
        id: id.unwrap_or_default(),
        name: name?.value,
        domains: domains.iter().map(|d| d.value.clone()).collect(),
        official_addresses: official.iter().map(|a| a.value.clone()).collect(),
        inn,
        ogrn,
        contract: contract.map(|c| c.value),
        locale: locale.map(|l| l.value),
        orders_require,
        installations,
    };
    Some(ReadCustomer {
        customer,
        file,
        domains,
        official,
        installations: places,
        max_additional,
    })
}

/// Reads a file as a table; what keeps it from being one is noted.
pub fn read_table(reading: &Reading, path: &Path) -> Option<(usize, Table)> {
    let octets = match reading.octets(path) {
        Ok(octets) => octets,
        Err(error) => {
            let file = reading.add_source(path, "");
            reading.fault(
                Fault::error(Place::whole(file), format!("this file cannot be read: {error}"))
                    .why("the configuration would not be the one that was meant")
                    .todo("check its name and its permissions; `postdesk init DIR` writes one to start from"),
            );
            return None;
        }
    };
    let text = match String::from_utf8(octets) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let file = reading.add_source(path, &text);
            reading.fault(
                Fault::error(Place::new(file, at, at), "this file is not UTF-8")
                    .label("up to here it is")
                    .why("names would be garbled in letters")
                    .todo("save it as UTF-8"),
            );
            return None;
        }
    };
    let file = reading.add_source(path, &text);
    match Table::read(file, &text) {
        Ok(table) => Some((file, table)),
        Err(faults) => {
            for fault in faults {
                reading.fault(fault);
            }
            None
        }
    }
}

fn orders_require(root: &Section<'_>) -> Option<OrdersRequire> {
    let choices = [
        ("domain", OrdersRequire::Domain),
        ("confirmation", OrdersRequire::Confirmation),
        ("signature", OrdersRequire::Signature),
    ];
    let found = root.choice("orders_require", &choices, Some("domain"))?;
    if found.value == OrdersRequire::Signature {
        root.reading().fault(
            Fault::error(found.at, "`signature` is not available yet")
                .label("not in this version")
                .why("signatures are not verified so far, so every order would be held")
                .todo("write \"confirmation\": every order is confirmed by a reply"),
        );
    }
    Some(found.value)
}

fn addresses(section: &Section<'_>, key: &'static str) -> Vec<Placed<Address>> {
    let texts = section.texts(key, &[]);
    texts
        .iter()
        .filter_map(|text| section.address_of(key, text))
        .collect()
}

fn domain(root: &Section<'_>, text: &Placed<String>) -> Option<Placed<String>> {
    let address = Address::new(&format!("x@{}", text.value));
    if let Ok(address) = address.as_ref().map_err(|_| ()) {
        let value = address.domain().to_owned();
        return Some(Placed { value, at: text.at });
    }
    root.reading().fault(
        Fault::error(text.at, "`domains` has something that is no domain")
            .label("the part after @, and nothing else")
            .why("whoever writes from it is taken for the customer's staff")
            .todo("write \"organisation.example\""),
    );
    None
}

fn installation(section: &Section<'_>) -> Option<(Installation, ReadInstallation)> {
    let why = "mailboxes and the journal refer to it";
    let id = section.required_text("id", why, "raduga-moodle");
    let name = section.required_text("name", "letters name it", "СЭО 3KL");
    let tags = section.texts("tags", &[]);
    let addresses = addresses(section, "addresses");
    let mut representatives = Vec::new();
    let mut people = Vec::new();
    let mut is_whole = true;
    for inner in section.tables("representative", "[[installation.representative]]") {
        if let Some((person, places)) = representative(&inner) {
            representatives.push(person);
            people.push(places);
        } else {
            is_whole = false;
        }
        inner.end();
    }
    let id = id?;
    let installation = Installation {
        id: id.value.clone(),
        name: name?.value,
        tags: tags.iter().map(|t| t.value.clone()).collect(),
        addresses: addresses.iter().map(|a| a.value.clone()).collect(),
        representatives,
    };
    let places = ReadInstallation {
        id,
        tags,
        addresses,
        people,
        is_whole,
    };
    Some((installation, places))
}

fn representative(section: &Section<'_>) -> Option<(Representative, (Place, Place))> {
    let choices = [
        ("primary", Role::Primary),
        ("additional", Role::Additional),
        ("contract", Role::Contract),
    ];
    if section.has("role").is_none() {
        let why = "the primary may order, an additional may ask, a contract contact may ask about the contract";
        section.missing("role", why, "\"primary\"");
    }
    let role = section.choice("role", &choices, None);
    let why = "letters and the journal name people in full";
    let name = section.required_text("name", why, "Иванова Мария Петровна");
    let address = section.address("email", "a representative is recognised by it alone");
    let phone = section.text("phone");
    if section.has("since").is_none() {
        let why = "an appointment has a first day, so that the past stays as it was";
        section.missing("since", why, "2026-01-31");
    }
    let since = section.date("since");
    let until = section.date("until");
    if let (Some(since), Some(until)) = (&since, &until) {
        check_order(section, since, until)?;
    }
    let (role, address) = (role?, address?);
    let person = Representative {
        role: role.value,
        name: name?.value,
        address: address.value,
        phone: phone.map(|p| p.value),
        since: since?.value,
        until: until.map(|u| u.value),
    };
    Some((person, (role.at, address.at)))
}

fn check_order(
    section: &Section<'_>,
    since: &Placed<NaiveDate>,
    until: &Placed<NaiveDate>,
) -> Option<()> {
    if since.value > until.value {
        section.reading().fault(
            Fault::error(until.at, "an appointment ends before it begins")
                .label("the last day")
                .also(since.at, "the first day")
                .why("it would never hold")
                .todo("write `until` as a day on or after `since`, or leave it out while the appointment lasts"),
        );
        return None;
    }
    Some(())
}
