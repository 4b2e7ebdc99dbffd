//! The people of the desk: customers, their installations and representatives in time (R6, R7), and the desk's own.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::address::Address;
use super::lookalike::Faces;
use super::request::Type;

/// The language that a reader is written to (R45).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Locale {
    /// Russian.
    Ru,
    /// English.
    En,
}

/// What a representative may do for an installation (R7), highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// May issue orders and ask; exactly one per installation at any moment.
    Primary,
    /// May only ask.
    Additional,
    /// May ask about contractual and organisational matters, and orders nothing.
    Contract,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Primary, Self::Additional, Self::Contract];

    /// The word in configuration, store and history.
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Additional => "additional",
            Self::Contract => "contract",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }
}

/// One appointment of one person to one installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representative {
    /// What they may do.
    pub role: Role,
    /// Full name (ФИО).
    pub name: String,
    /// The registered address; the only one that letters are taken from and sent to (R5, R14).
    pub address: Address,
    /// Mobile phone.
    pub phone: Option<String>,
    /// First day of the appointment.
    pub since: NaiveDate,
    /// Last day of it, inclusive; none while it lasts.
    pub until: Option<NaiveDate>,
}

impl Representative {
    /// Whether the appointment covers this day of the desk's calendar.
    pub fn in_office(&self, day: NaiveDate) -> bool {
        self.since <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// One supported system of a customer; authority is given per installation (R6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The identifier in configuration and journal, unique over all customers.
    pub id: String,
    /// Its name as people say it.
    pub name: String,
    /// Texts in a subject that name it (R8), compared without case.
    pub tags: Vec<String>,
    /// Addresses, plus-addresses included, that name it by being written to (R8).
    pub addresses: Vec<Address>,
    /// Everybody ever appointed, in the order of the file.
    pub representatives: Vec<Representative>,
}

impl Installation {
    /// The primary in office on this day.
    pub fn primary(&self, day: NaiveDate) -> Option<&Representative> {
        self.representatives
            .iter()
            .find(|r| r.role == Role::Primary && r.in_office(day))
    }
}

/// How an order of this customer must be proved (R13 ⚙ `orders_require`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrdersRequire {
    /// An authenticated domain is enough.
    Domain,
    /// Every order is challenged.
    Confirmation,
    /// A valid signature.
    Signature,
}

/// An organisation that the desk serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The name of its file, without ending.
    pub id: String,
    /// The organisation's name.
    pub name: String,
    /// The domains of its staff, lower case (R11).
    pub domains: BTreeSet<String>,
    /// The official addresses of its contract (R28).
    pub official_addresses: Vec<Address>,
    /// ИНН: ten digits of an organisation, twelve of an entrepreneur. Signatures are known by it (R30).
    pub inn: Option<String>,
    /// ОГРН (13 digits) or ОГРНИП (15); the same.
    pub ogrn: Option<String>,
    /// Number and date of the contract.
    pub contract: Option<String>,
    /// The language it is written to; none means the desk's.
    pub locale: Option<Locale>,
    /// What proves an order.
    pub orders_require: OrdersRequire,
    /// Its installations.
    pub installations: Vec<Installation>,
}

/// Who answers requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specialist {
    /// Full name.
    pub name: String,
    /// The own address.
    pub address: Address,
}

/// Who agrees to or declines faults, improvements and extensions (R25, R26).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approver {
    /// Full name.
    pub name: String,
    /// The own address.
    pub address: Address,
    /// The types they decide on.
    pub types: Vec<Type>,
    /// Whether they decide on more time (R20).
    pub extensions: bool,
}

/// Whom a request may be handed to (R27).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Developer {
    /// Full name.
    pub name: String,
    /// The own address.
    pub address: Address,
    /// The installations they develop; empty means all.
    pub installations: Vec<String>,
}

/// A representative together with what they are appointed to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Appointment<'a> {
    /// The customer.
    pub customer: &'a Customer,
    /// The installation.
    pub installation: &'a Installation,
    /// The person.
    pub person: &'a Representative,
}

/// What an address is to the desk on a given day; the strongest that holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing<'a> {
    /// One of the desk's own addresses.
    Own,
    /// In office for at least one installation; highest role first.
    Representative(Vec<Appointment<'a>>),
    /// Answers requests.
    Specialist(&'a Specialist),
    /// Decides on consent.
    Approver(&'a Approver),
    /// Develops.
    Developer(&'a Developer),
    /// An official address of this customer's contract.
    Official(&'a Customer),
    /// Was a representative of this customer and is not any more, or not yet.
    Former(&'a Customer),
    /// Writes from one of this customer's domains.
    Colleague(&'a Customer),
    /// Nobody the desk knows.
    Stranger,
}

/// Everybody the desk knows, with an index by address.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Directory {
    customers: Vec<Customer>,
    specialists: Vec<Specialist>,
    approvers: Vec<Approver>,
    developers: Vec<Developer>,
    own: BTreeSet<String>,
    fold_local: bool,
    appointments: BTreeMap<String, Vec<(usize, usize, usize)>>,
    faces: Faces,
}

impl Directory {
    /// Puts the people together; `own` are the addresses of the desk itself, `fold_local` is R5's ⚙.
    pub fn new(
        customers: Vec<Customer>,
        specialists: Vec<Specialist>,
        approvers: Vec<Approver>,
        developers: Vec<Developer>,
        own: &[Address],
        fold_local: bool,
    ) -> Self {
        let mut appointments: BTreeMap<String, Vec<(usize, usize, usize)>> = BTreeMap::new();
        for (c, customer) in customers.iter().enumerate() {
            for (i, installation) in customer.installations.iter().enumerate() {
                for (r, person) in installation.representatives.iter().enumerate() {
                    appointments
                        .entry(person.address.key(fold_local))
                        .or_default()
                        .push((c, i, r));
                }
            }
        }
        let everybody = customers
            .iter()
            .flat_map(|c| {
                let people = c.installations.iter().flat_map(|i| &i.representatives);
                c.official_addresses
                    .iter()
                    .chain(people.map(|p| &p.address))
            })
            .chain(specialists.iter().map(|s| &s.address))
            .chain(approvers.iter().map(|a| &a.address))
            .chain(developers.iter().map(|d| &d.address))
            .chain(own);
        let faces = Faces::new(everybody, customers.iter().flat_map(|c| &c.domains));
        let own = own.iter().map(|a| a.key(fold_local)).collect();
        Self {
            customers,
            specialists,
            approvers,
            developers,
            own,
            fold_local,
            appointments,
            faces,
        }
    }

    /// Whom a stranger could be taken for by somebody who only looks, in words.
    pub fn lookalike(&self, address: &Address, name: &str) -> Option<String> {
        self.faces.warning(address, name)
    }

    /// What this address is on this day of the desk's calendar (R5, R6).
    pub fn standing(&self, address: &Address, day: NaiveDate) -> Standing<'_> {
        let key = address.key(self.fold_local);
        if self.own.contains(&key) {
            return Standing::Own;
        }
        let ever = self.appointments_of(&key);
        let mut now: Vec<_> = ever
            .iter()
            .copied()
            .filter(|a| a.person.in_office(day))
            .collect();
        now.sort_by_key(|a| a.person.role);
        if !now.is_empty() {
            return Standing::Representative(now);
        }
        let is = |a: &Address| a.key(self.fold_local) == key;
        if let Some(s) = self.specialists.iter().find(|s| is(&s.address)) {
            return Standing::Specialist(s);
        }
        if let Some(a) = self.approvers.iter().find(|a| is(&a.address)) {
            return Standing::Approver(a);
        }
        if let Some(d) = self.developers.iter().find(|d| is(&d.address)) {
            return Standing::Developer(d);
        }
        if let Some(c) = self
            .customers
            .iter()
            .find(|c| c.official_addresses.iter().any(is))
        {
            return Standing::Official(c);
        }
        if let Some(appointment) = ever.first() {
            return Standing::Former(appointment.customer);
        }
        match self
            .customers
            .iter()
            .find(|c| c.domains.contains(address.domain()))
        {
            Some(customer) => Standing::Colleague(customer),
            None => Standing::Stranger,
        }
    }

    fn appointments_of(&self, key: &str) -> Vec<Appointment<'_>> {
        let places = self
            .appointments
            .get(key)
            .map(Vec::as_slice)
            .unwrap_or_default();
        places
            .iter()
            .filter_map(|&(c, i, r)| {
                let customer = self.customers.get(c)?;
                let installation = customer.installations.get(i)?;
                Some(Appointment {
                    customer,
                    installation,
                    person: installation.representatives.get(r)?,
                })
            })
            .collect()
    }

    /// Whether two addresses are one for the desk.
    pub fn same(&self, a: &Address, b: &Address) -> bool {
        a.key(self.fold_local) == b.key(self.fold_local)
    }

    /// The form of an address that the store and the limits count by.
    pub fn key(&self, address: &Address) -> String {
        address.key(self.fold_local)
    }

    /// All customers, in the order of their files.
    pub fn customers(&self) -> &[Customer] {
        &self.customers
    }

    /// One customer by identifier.
    pub fn customer(&self, id: &str) -> Option<&Customer> {
        self.customers.iter().find(|c| c.id == id)
    }

    /// One installation by identifier, with its customer.
    pub fn installation(&self, id: &str) -> Option<(&Customer, &Installation)> {
        self.customers
            .iter()
            .find_map(|c| Some((c, c.installations.iter().find(|i| i.id == id)?)))
    }

    /// The specialists, in the order of the file.
    pub fn specialists(&self) -> &[Specialist] {
        &self.specialists
    }

    /// The approvers, in the order of the file.
    pub fn approvers(&self) -> &[Approver] {
        &self.approvers
    }

    /// Whether somebody of the desk's own people has this address, whatever else they are.
    pub fn is_staff(&self, address: &Address) -> bool {
        let specialists = self.specialists.iter().map(|s| &s.address);
        let approvers = self.approvers.iter().map(|a| &a.address);
        let developers = self.developers.iter().map(|d| &d.address);
        specialists
            .chain(approvers)
            .chain(developers)
            .any(|a| self.same(a, address))
    }

    /// The developers, in the order of the file.
    pub fn developers(&self) -> &[Developer] {
        &self.developers
    }
}
