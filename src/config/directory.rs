//! What people's entries must have between them: one primary at a time, one customer for an address, nobody at the desk's own address.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::desk::address::Address;
use crate::desk::people::{Representative, Role};

use super::customers::ReadCustomer;
use super::fault::Fault;
use super::nearest::{listed, nearest};
use super::people::Staff;
use super::reading::Reading;
use super::source::{Place, Placed};

/// Providers whose domains anybody can write from.
const PUBLIC: [&str; 14] = [
    "bk.ru",
    "gmail.com",
    "hotmail.com",
    "icloud.com",
    "inbox.ru",
    "list.ru",
    "mail.ru",
    "outlook.com",
    "proton.me",
    "rambler.ru",
    "ya.ru",
    "yahoo.com",
    "yandex.com",
    "yandex.ru",
];

/// Checks everybody against everybody; `fold_local` is R5's ⚙.
pub fn check(
    reading: &Reading,
    customers: &[ReadCustomer],
    staff: &Staff,
    own: Option<&Placed<Address>>,
    fold_local: bool,
) {
    let key = |address: &Address| address.key(fold_local);
    check_own(reading, customers, staff, own, &key);
    check_primaries(reading, customers);
    check_customers_apart(reading, customers, &key);
    check_installations_apart(reading, customers, &key);
    for customer in customers {
        check_additional(reading, customer, &key);
    }
}

/// Checks that an installation that a mailbox or a developer names is there; `why` it matters.
pub fn check_named(
    reading: &Reading,
    customers: &[ReadCustomer],
    named: &Placed<String>,
    why: &str,
) {
    let ids: Vec<&str> = customers
        .iter()
        .flat_map(|c| &c.installations)
        .map(|i| i.id.value.as_str())
        .collect();
    if ids.contains(&named.value.as_str()) {
        return;
    }
    let label = match nearest(&named.value, ids.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "in no customer's file".to_owned(),
    };
    let todo = match ids.len() {
        0 => "add it to a customer's file, or remove this line".to_owned(),
        1..=12 => format!("write {}", listed(ids, "or")),
        _ => "write the `id` of an [[installation]]".to_owned(),
    };
    reading.fault(
        Fault::error(
            named.at,
            format!("there is no installation `{}`", named.value),
        )
        .label(label)
        .why(why)
        .todo(todo),
    );
}

/// The desk must not write to itself.
fn check_own(
    reading: &Reading,
    customers: &[ReadCustomer],
    staff: &Staff,
    own: Option<&Placed<Address>>,
    key: &impl Fn(&Address) -> String,
) {
    let mut owned: BTreeMap<String, Place> = BTreeMap::new();
    for installation in customers.iter().flat_map(|c| &c.installations) {
        for address in &installation.addresses {
            owned.insert(key(&address.value), address.at);
        }
    }
    if let Some(own) = own {
        owned.insert(key(&own.value), own.at);
    }
    let mut others: Vec<(&Address, Place)> =
        staff.addresses.iter().map(|a| (&a.value, a.at)).collect();
    for customer in customers {
        others.extend(people(customer).map(|(person, place)| (&person.address, place)));
        others.extend(customer.official.iter().map(|a| (&a.value, a.at)));
    }
    for (address, at) in others {
        if let Some(own) = owned.get(&key(address)) {
            reading.fault(
                Fault::error(at, format!("`{address}` is the desk's own address"))
                    .label("a person's address")
                    .also(*own, "the desk's own")
                    .why("the desk would write to itself and never answer")
                    .todo("write the person's own address"),
            );
        }
    }
}

/// All representatives of a customer with the place of their address.
fn people(customer: &ReadCustomer) -> impl Iterator<Item = (&Representative, Place)> {
    let installations = customer.customer.installations.iter();
    installations
        .zip(&customer.installations)
        .flat_map(|(installation, places)| {
            let places = places.people.iter().map(|(_, address)| *address);
            installation.representatives.iter().zip(places)
        })
}

fn overlap(a: &Representative, b: &Representative) -> bool {
    let last = |r: &Representative| r.until.unwrap_or(NaiveDate::MAX);
    a.since <= last(b) && b.since <= last(a)
}

/// R7: exactly one primary at any moment.
fn check_primaries(reading: &Reading, customers: &[ReadCustomer]) {
    for customer in customers {
        let installations = customer.customer.installations.iter();
        for (installation, places) in installations.zip(&customer.installations) {
            let roles = places.people.iter().map(|(role, _)| *role);
            let primaries: Vec<(&Representative, Place)> = installation
                .representatives
                .iter()
                .zip(roles)
                .filter(|(r, _)| r.role == Role::Primary)
                .collect();
            for (index, (one, at)) in primaries.iter().enumerate() {
                for (other, first) in primaries.iter().take(index) {
                    if overlap(one, other) {
                        reading.fault(two_primaries(&installation.id, (other, *first), (one, *at)));
                    }
                }
            }
            let today = reading.today();
            if places.is_whole && !primaries.iter().any(|(r, _)| r.in_office(today)) {
                let next = primaries
                    .iter()
                    .map(|(r, _)| r.since)
                    .filter(|s| *s > today)
                    .min();
                reading.fault(no_primary(&places.id, next));
            }
        }
    }
}

fn two_primaries(
    installation: &str,
    (first, first_at): (&Representative, Place),
    (second, second_at): (&Representative, Place),
) -> Fault {
    let both_from = first.since.max(second.since);
    Fault::error(second_at, format!("`{installation}` has two primaries at one time"))
        .label(format!("{}, from {}", second.name, second.since))
        .also(first_at, format!("{}, from {}", first.name, first.since))
        .why(format!("from {both_from} on nobody could say whose order counts (R7)"))
        .todo("end the first with until = the day before the second begins, or make one of them \"additional\"")
}

fn no_primary(id: &Placed<String>, next: Option<NaiveDate>) -> Fault {
    let label = match next {
        Some(day) => format!("the first one takes office on {day}"),
        None => "nobody may order anything for it".to_owned(),
    };
    Fault::warning(
        id.at,
        format!("`{}` has no primary representative", id.value),
    )
    .label(label)
    .why("orders for it are refused or wait until there is one (R7)")
    .todo("add [[installation.representative]] with role = \"primary\"")
}

/// An address or a domain means one customer, or the desk could answer one with what is another's.
fn check_customers_apart(
    reading: &Reading,
    customers: &[ReadCustomer],
    key: &impl Fn(&Address) -> String,
) {
    type Claim<'a> = (usize, Option<&'a Representative>, Place);
    let mut claims: BTreeMap<String, Vec<Claim<'_>>> = BTreeMap::new();
    let mut domains: BTreeMap<&str, (usize, Place)> = BTreeMap::new();
    for (index, customer) in customers.iter().enumerate() {
        for (person, place) in people(customer) {
            let claim = (index, Some(person), place);
            claims.entry(key(&person.address)).or_default().push(claim);
        }
        for address in &customer.official {
            let claim = (index, None, address.at);
            claims.entry(key(&address.value)).or_default().push(claim);
        }
        for domain in &customer.domains {
            if PUBLIC.contains(&domain.value.as_str()) {
                reading.fault(public_domain(domain));
            }
            let first = domains.entry(&domain.value).or_insert((index, domain.at));
            if first.0 != index {
                let fault = shared("domain", &domain.value, first.1, domain.at);
                let todo = "keep it with one; representatives are recognised without it";
                reading.fault(fault.todo(todo));
            }
        }
    }
    for (address, claims) in &claims {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for (index, one) in claims.iter().enumerate() {
            let clash = claims.iter().take(index).find(|other| {
                let at_one_time = match (one.1, other.1) {
                    (Some(a), Some(b)) => overlap(a, b),
                    (Some(_), None) | (None, Some(_)) | (None, None) => true,
                };
                other.0 != one.0 && at_one_time
            });
            if let Some(other) = clash.filter(|_| told.insert(one.0)) {
                let fault = shared("address", address, other.2, one.2);
                reading.fault(fault.todo("keep it with one; who changes sides needs `until` there and a later `since` here"));
            }
        }
    }
}

fn shared(noun: &str, value: &str, first: Place, second: Place) -> Fault {
    Fault::error(
        second,
        format!("the {noun} `{value}` belongs to two customers"),
    )
    .label("and to this one")
    .also(first, "to this customer")
    .why("the desk could answer one customer with what is another's business")
}

fn public_domain(domain: &Placed<String>) -> Fault {
    Fault::warning(domain.at, format!("anybody can have an address at `{}`", domain.value))
        .label("a public provider")
        .why("whoever writes from it is taken for the customer's staff and told who the primary is (R11)")
        .todo("remove it; representatives with such addresses are recognised without it")
}

/// An identifier, an address, a tag name one installation.
fn check_installations_apart(
    reading: &Reading,
    customers: &[ReadCustomer],
    key: &impl Fn(&Address) -> String,
) {
    let mut ids: BTreeMap<&str, Place> = BTreeMap::new();
    let mut addresses: BTreeMap<String, Place> = BTreeMap::new();
    for customer in customers {
        // Tags count among the sender's own installations only, so customers may use the same ones.
        let mut tags: BTreeMap<String, Place> = BTreeMap::new();
        for installation in &customer.installations {
            let id = &installation.id;
            if let Some(first) = ids.insert(&id.value, id.at) {
                reading.fault(stands_twice("installation id", &id.value, first, id.at));
            }
            for address in &installation.addresses {
                if let Some(first) = addresses.insert(key(&address.value), address.at) {
                    let shown = address.value.to_string();
                    reading.fault(stands_twice("address", &shown, first, address.at));
                }
            }
            for tag in &installation.tags {
                if let Some(first) = tags.insert(tag.value.to_lowercase(), tag.at) {
                    reading.fault(stands_twice("tag", &tag.value, first, tag.at));
                }
            }
        }
    }
}

fn stands_twice(noun: &str, value: &str, first: Place, second: Place) -> Fault {
    Fault::error(second, format!("the {noun} `{value}` stands twice"))
        .label("the second time")
        .also(first, "the first time")
        .why("it names an installation, and must name one only (R8)")
        .todo("give each installation its own")
}

/// R7 ⚙: no more additional representatives at one time than the customer pays for.
fn check_additional(reading: &Reading, customer: &ReadCustomer, key: &impl Fn(&Address) -> String) {
    let Some(most) = &customer.max_additional else {
        return;
    };
    let additional: Vec<(&Representative, Place)> = people(customer)
        .filter(|(r, _)| r.role == Role::Additional)
        .collect();
    for (newest, at) in &additional {
        let together: BTreeSet<String> = additional
            .iter()
            .filter(|(r, _)| r.in_office(newest.since))
            .map(|(r, _)| key(&r.address))
            .collect();
        let count = i64::try_from(together.len()).unwrap_or(i64::MAX);
        if count > most.value {
            reading.fault(
                Fault::error(*at, format!("{count} additional representatives at one time"))
                    .label(format!("one too many on {}", newest.since))
                    .also(most.at, format!("at most {}", most.value))
                    .why("additional representatives are counted over all installations of the customer (R7)")
                    .todo("end an appointment with `until`, or raise `max_additional`"),
            );
            return;
        }
    }
}
