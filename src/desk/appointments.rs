//! Appointments in time (R6, R31): what changed in the customers' files since the desk last looked, and who takes or leaves office on a day.
//!
//! The desk keeps a [`Roll`] of what it knew. Whatever edits a file, a person or the desk itself, is recognised by comparing the roll with
//! what the configuration says now, also when the edit was made while the desk was down.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};

use super::address::Address;
use super::decide::{Decision, Verdict};
use super::draft::Draft;
use super::event::Event;
use super::people::{Appointment, Directory, Representative, Role};
use super::policy::Desk;

/// Everybody ever appointed to one installation, as the desk knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// Identifier of the customer.
    pub customer: String,
    /// The appointments, in the order of the file.
    pub representatives: Vec<Representative>,
}

/// All appointments, by the identifier of their installation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roll(BTreeMap<String, Listed>);

impl Roll {
    /// What the configuration says.
    pub fn of(directory: &Directory) -> Self {
        let mut roll = Self::default();
        for customer in directory.customers() {
            for installation in &customer.installations {
                for person in &installation.representatives {
                    roll.add(&installation.id, &customer.id, person.clone());
                }
            }
        }
        roll
    }

    /// Adds an appointment as the last one of its installation.
    pub fn add(&mut self, installation: &str, customer: &str, person: Representative) {
        let listed = self.0.entry(installation.to_owned()).or_default();
        customer.clone_into(&mut listed.customer);
        listed.representatives.push(person);
    }

    /// The installations that anybody was ever appointed to, in alphabetical order.
    pub fn installations(&self) -> impl Iterator<Item = (&str, &Listed)> {
        self.0.iter().map(|(id, listed)| (id.as_str(), listed))
    }

    /// One of them.
    pub fn installation(&self, id: &str) -> Option<&Listed> {
        self.0.get(id)
    }

    /// How many appointments there are.
    pub fn len(&self) -> usize {
        self.0.values().map(|l| l.representatives.len()).sum()
    }

    /// Whether nobody was ever appointed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One appointment that is otherwise than the desk knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Identifier of the customer.
    pub customer: String,
    /// Identifier of the installation.
    pub installation: String,
    /// The appointment as it stands now; one that was removed, as it stood.
    pub person: Representative,
    /// What happened to it.
    pub what: What,
}

/// What happened to an appointment. One that changed in several ways is several changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It is new.
    Appointed {
        /// Whose appointment to the same role ends on the day before it begins. Of the same name, it is the same person with a changed
        /// address (R32): see [`Change::is_same_person`].
        after: Option<Box<Representative>>,
    },
    /// It has a last day, or another one, or none any more; which, `person.until` says.
    Ends {
        /// The last day that it had.
        was: Option<NaiveDate>,
    },
    /// It has another first day.
    Begins {
        /// The first day that it had.
        was: NaiveDate,
    },
    /// It no longer stands in the file: what is past is better ended than removed.
    Removed,
    /// The same person has another name.
    Renamed {
        /// The name before.
        was: String,
    },
    /// The same person has another address, in place: letters of the past are judged by the new one too.
    Readdressed {
        /// The address before.
        was: Address,
    },
    /// The same person has another phone.
    Rephoned {
        /// The phone before.
        was: Option<String>,
    },
    /// The same person may do something else.
    RoleChanged {
        /// The role before.
        was: Role,
    },
}

impl What {
    /// The word in the store's history.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Appointed { .. } => "appointed",
            Self::Ends { .. } => "appointment-ends",
            Self::Begins { .. } => "appointment-begins",
            Self::Removed => "appointment-removed",
            Self::Renamed { .. } => "renamed",
            Self::Readdressed { .. } => "readdressed",
            Self::Rephoned { .. } => "rephoned",
            Self::RoleChanged { .. } => "role-changed",
        }
    }
}

impl Change {
    /// Whether the one who is appointed is the one whose appointment ends: by name, for the address is what changes (R32).
    pub fn is_same_person(&self) -> bool {
        matches!(&self.what, What::Appointed { after: Some(before) } if same_name(before, &self.person))
    }

    /// In words, for `explain` and the log: no address and no name in it.
    pub fn in_words(&self) -> String {
        let role = self.person.role.word();
        let what = match &self.what {
            What::Appointed { after: None } => {
                format!("{role} appointed from {}", self.person.since)
            }
            What::Appointed { after: Some(_) } => {
                format!(
                    "{role} appointed in place of another from {}",
                    self.person.since
                )
            }
            What::Ends { .. } => match self.person.until {
                Some(last) => format!("the appointment of a {role} ends on {last}"),
                None => format!("the appointment of a {role} goes on"),
            },
            What::Begins { .. } => {
                format!(
                    "the appointment of a {role} begins on {}",
                    self.person.since
                )
            }
            What::Removed => format!("the appointment of a {role} was removed"),
            What::Renamed { .. } => format!("a {role} has another name"),
            What::Readdressed { .. } => format!("a {role} has another address"),
            What::Rephoned { .. } => format!("a {role} has another phone"),
            What::RoleChanged { was } => format!("a {} is {role} now", was.word()),
        };
        format!("{}: {what} (R6)", self.installation)
    }
}

fn same_name(a: &Representative, b: &Representative) -> bool {
    let folded = |name: &str| {
        name.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_lowercase()
    };
    folded(&a.name) == folded(&b.name)
}

/// What is otherwise now, installation by installation; within one, ends before beginnings, in the order of the files.
pub fn changes(old: &Roll, new: &Roll) -> Vec<Change> {
    let mut found = Vec::new();
    let ids: BTreeSet<&String> = old.0.keys().chain(new.0.keys()).collect();
    let nobody = Listed::default();
    for id in ids {
        let before = old.0.get(id).unwrap_or(&nobody);
        let now = new.0.get(id).unwrap_or(&nobody);
        let customer = if new.0.contains_key(id) {
            &now.customer
        } else {
            &before.customer
        };
        let mut here = Vec::new();
        for (person, what) in compared(&before.representatives, &now.representatives) {
            here.push(Change {
                customer: customer.clone(),
                installation: id.clone(),
                person,
                what,
            });
        }
        here.sort_by_key(|c| matches!(c.what, What::Appointed { .. }));
        found.extend(here);
    }
    found
}

/// By what an appointment of before and one of now are taken for the same, from the surest on.
type Likeness = fn(&Representative, &Representative) -> bool;
const LIKENESSES: [Likeness; 6] = [
    |a, b| a == b,
    |a, b| a.address == b.address && a.role == b.role && a.since == b.since,
    |a, b| a.address == b.address && a.since == b.since,
    |a, b| same_name(a, b) && a.role == b.role && a.since == b.since,
    |a, b| a.address == b.address && a.role == b.role && overlap(a, b),
    |a, b| {
        same_name(a, b)
            && a.role == b.role
            && overlap(a, b)
            && a.phone.is_some()
            && a.phone == b.phone
    },
];

fn overlap(a: &Representative, b: &Representative) -> bool {
    let last = |r: &Representative| r.until.unwrap_or(NaiveDate::MAX);
    a.since <= last(b) && b.since <= last(a)
}

fn compared(old: &[Representative], new: &[Representative]) -> Vec<(Representative, What)> {
    let mut gone: Vec<Option<&Representative>> = old.iter().map(Some).collect();
    let mut partner: Vec<Option<&Representative>> = new.iter().map(|_| None).collect();
    for alike in LIKENESSES {
        for (now, slot) in new.iter().zip(&mut partner).filter(|(_, s)| s.is_none()) {
            let found = gone
                .iter_mut()
                .find(|g| g.is_some_and(|before| alike(before, now)));
            *slot = found.and_then(Option::take);
        }
    }
    let mut out = Vec::new();
    for before in gone.into_iter().flatten() {
        out.push((before.clone(), What::Removed));
    }
    for (now, before) in new.iter().zip(&partner) {
        match before {
            Some(before) => out.extend(differences(before, now).map(|what| (now.clone(), what))),
            None => {
                let after = predecessor(new, now).map(|p| Box::new(p.clone()));
                out.push((now.clone(), What::Appointed { after }));
            }
        }
    }
    out
}

fn differences(
    before: &Representative,
    now: &Representative,
) -> impl Iterator<Item = What> + use<> {
    let role = (before.role != now.role).then_some(What::RoleChanged { was: before.role });
    let name = (before.name != now.name).then(|| What::Renamed {
        was: before.name.clone(),
    });
    let address = (before.address != now.address).then(|| What::Readdressed {
        was: before.address.clone(),
    });
    let phone = (before.phone != now.phone).then(|| What::Rephoned {
        was: before.phone.clone(),
    });
    let since = (before.since != now.since).then_some(What::Begins { was: before.since });
    let until = (before.until != now.until).then_some(What::Ends { was: before.until });
    [role, name, address, phone, since, until]
        .into_iter()
        .flatten()
}

/// Whose appointment to the same role ends on the day before: the one of the same name, where several do.
fn predecessor<'a>(all: &'a [Representative], now: &Representative) -> Option<&'a Representative> {
    let eve = now.since.pred_opt()?;
    let mut ending = all
        .iter()
        .filter(|r| r.role == now.role && r.until == Some(eve));
    let first = ending.clone().next();
    ending.find(|r| same_name(r, now)).or(first)
}

/// Somebody takes or leaves office.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Turn<'a> {
    /// This is the first day.
    Begins(Appointment<'a>),
    /// The day before was the last one.
    Ended(Appointment<'a>),
}

/// Who takes and who left office as this day of the desk's calendar begins; who left, first.
pub fn turns(directory: &Directory, day: NaiveDate) -> Vec<Turn<'_>> {
    let eve = day.pred_opt();
    let ended =
        appointments(directory).filter(|a| a.person.until.is_some() && a.person.until == eve);
    let begin = appointments(directory).filter(|a| a.person.since == day);
    ended
        .map(Turn::Ended)
        .chain(begin.map(Turn::Begins))
        .collect()
}

/// The first day after this one on which somebody takes or has left office; none if nothing of the kind is written.
pub fn next_turn(directory: &Directory, after: NaiveDate) -> Option<NaiveDate> {
    appointments(directory)
        .flat_map(|a| {
            [
                Some(a.person.since),
                a.person.until.and_then(|u| u.succ_opt()),
            ]
        })
        .flatten()
        .filter(|day| *day > after)
        .min()
}

fn appointments(directory: &Directory) -> impl Iterator<Item = Appointment<'_>> {
    directory.customers().iter().flat_map(|customer| {
        customer.installations.iter().flat_map(move |installation| {
            let people = installation.representatives.iter();
            people.map(move |person| Appointment {
                customer,
                installation,
                person,
            })
        })
    })
}

/// What appointments that changed bring about: they are entered in the history. Whom they are told, and which requests pass on, is the
/// succession's (R28-R32).
pub(super) fn changed(desk: &Desk, changes: &[Change], now: DateTime<Utc>) -> Decision {
    let mut draft = Draft::new(desk, now);
    for change in changes {
        draft.because(change.in_words());
        draft.event(Event::Appointment(change.clone()));
    }
    draft.end(Verdict::Attached)
}

/// The desk has never looked before: everything it finds is as it was, and nobody is told.
pub(super) fn first_seen(desk: &Desk, roll: &Roll, now: DateTime<Utc>) -> Decision {
    let mut draft = Draft::new(desk, now);
    draft.because("The appointments are known for the first time (R6)");
    draft.event(Event::RollTaken { roll: roll.clone() });
    draft.end(Verdict::Attached)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]
    use super::*;
    use crate::desk::people::Installation;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn person(role: Role, name: &str, address: &str, since: &str) -> Representative {
        Representative {
            role,
            name: name.to_owned(),
            address: Address::new(address).unwrap(),
            phone: Some("+7 900".to_owned()),
            since: day(since),
            until: None,
        }
    }

    fn maria() -> Representative {
        person(
            Role::Primary,
            "Иванова Мария",
            "maria@raduga.example",
            "2026-01-01",
        )
    }

    fn anna() -> Representative {
        person(
            Role::Primary,
            "Котова Анна",
            "anna@raduga.example",
            "2026-09-07",
        )
    }

    fn ended(mut person: Representative, last: &str) -> Representative {
        person.until = Some(day(last));
        person
    }

    fn roll(people: &[Representative]) -> Roll {
        let mut roll = Roll::default();
        for person in people {
            roll.add("raduga-moodle", "raduga", person.clone());
        }
        roll
    }

    fn words(old: &[Representative], new: &[Representative]) -> Vec<&'static str> {
        changes(&roll(old), &roll(new))
            .iter()
            .map(|c| c.what.word())
            .collect()
    }

    #[test]
    fn a_succession_is_an_end_and_a_beginning_that_knows_its_predecessor() {
        let last = ended(maria(), "2026-09-06");
        let found = changes(&roll(&[maria()]), &roll(&[anna(), last.clone()]));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].what, What::Ends { was: None });
        assert_eq!(found[0].person, last);
        assert_eq!(
            found[1].what,
            What::Appointed {
                after: Some(Box::new(last))
            }
        );
        assert!(!found[1].is_same_person());
        assert_eq!(
            (found[1].customer.as_str(), found[1].installation.as_str()),
            ("raduga", "raduga-moodle")
        );
    }

    #[test]
    fn a_changed_address_of_the_same_person_is_known_in_place_and_as_a_new_appointment() {
        let mut moved = maria();
        moved.address = Address::new("m.ivanova@raduga.example").unwrap();
        assert_eq!(
            words(&[maria()], std::slice::from_ref(&moved)),
            ["readdressed"]
        );
        moved.since = day("2026-09-07");
        let found = changes(
            &roll(&[maria()]),
            &roll(&[ended(maria(), "2026-09-06"), moved]),
        );
        assert!(found[1].is_same_person(), "{found:?}");
    }

    #[test]
    fn each_way_to_change_an_entry_has_its_word() {
        let change = |edit: fn(&mut Representative)| {
            let mut new = maria();
            edit(&mut new);
            words(&[maria()], &[new])
        };
        assert_eq!(change(|_| {}), [""; 0]);
        assert_eq!(change(|p| p.phone = None), ["rephoned"]);
        assert_eq!(change(|p| p.name = "Петрова Мария".to_owned()), ["renamed"]);
        assert_eq!(change(|p| p.role = Role::Additional), ["role-changed"]);
        assert_eq!(
            change(|p| p.since = day("2026-02-01")),
            ["appointment-begins"]
        );
        assert_eq!(
            change(|p| p.until = Some(day("2026-12-31"))),
            ["appointment-ends"]
        );
        assert_eq!(words(&[maria()], &[]), ["appointment-removed"]);
        assert_eq!(words(&[], &[maria()]), ["appointed"]);
        assert_eq!(
            words(&[maria()], &[anna()]),
            ["appointment-removed", "appointed"]
        );
        // Who comes back after a while is appointed anew, whatever became of the old entry.
        let back = person(
            Role::Primary,
            "Иванова Мария",
            "maria@raduga.example",
            "2027-01-01",
        );
        assert_eq!(
            words(&[ended(maria(), "2026-06-30")], &[back]),
            ["appointment-removed", "appointed"]
        );
    }

    #[test]
    fn order_alone_is_no_change_and_twins_are_counted() {
        let oleg = person(
            Role::Additional,
            "Олег",
            "oleg@raduga.example",
            "2026-01-01",
        );
        assert_eq!(
            words(&[maria(), oleg.clone()], &[oleg.clone(), maria()]),
            [""; 0]
        );
        assert_eq!(
            words(&[oleg.clone(), oleg.clone()], &[oleg]),
            ["appointment-removed"]
        );
    }

    #[test]
    fn offices_turn_on_their_days() {
        let customer = crate::desk::people::Customer {
            id: "raduga".to_owned(),
            name: "Радуга".to_owned(),
            domains: Default::default(),
            official_addresses: vec![],
            inn: None,
            ogrn: None,
            contract: None,
            locale: None,
            orders_require: crate::desk::people::OrdersRequire::Domain,
            installations: vec![Installation {
                id: "raduga-moodle".to_owned(),
                name: "СЭО".to_owned(),
                tags: vec![],
                addresses: vec![],
                representatives: vec![ended(maria(), "2026-09-06"), anna()],
            }],
        };
        let directory = Directory::new(vec![customer], vec![], vec![], vec![], &[], true);
        let on = |text: &str| {
            let found = turns(&directory, day(text));
            found
                .iter()
                .map(|t| match t {
                    Turn::Begins(a) => format!("+{}", a.person.name),
                    Turn::Ended(a) => format!("-{}", a.person.name),
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(on("2026-09-06"), [""; 0]);
        assert_eq!(on("2026-09-07"), ["-Иванова Мария", "+Котова Анна"]);
        assert_eq!(
            next_turn(&directory, day("2026-01-01")),
            Some(day("2026-09-07"))
        );
        assert_eq!(next_turn(&directory, day("2026-09-07")), None);
    }
}
