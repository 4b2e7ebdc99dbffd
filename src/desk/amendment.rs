//! What the desk itself may write into a customer's file once a change is verified (R30, R32): an amendment, and the steps that it takes.
//!
//! The steps are worked out on values, here; `config::amend` takes the same steps in the text. Done twice, an amendment is done once.

use std::fmt;

use chrono::NaiveDate;

use super::address::Address;
use super::people::{Customer, Installation, Representative, Role};

/// A person as a customer's file names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Full name.
    pub name: String,
    /// Registered address.
    pub address: Address,
    /// Mobile phone.
    pub phone: Option<String>,
}

/// What is to be otherwise in one customer's file. Nobody is ever removed: who was who must stay (R6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// One representative follows another (R30).
    Succeed {
        /// Identifier of the installation.
        installation: String,
        /// In which role.
        role: Role,
        /// Who follows.
        successor: Person,
        /// Their first day; the day before is the predecessor's last one.
        from: NaiveDate,
        /// The predecessor's address.
        ends: Address,
    },
    /// The same person has another address or phone (R32). An address is an appointment that ends and one that begins; a phone is replaced.
    Contact {
        /// Identifiers of the installations; every one where the address is appointed on that day if there are none.
        installations: Vec<String>,
        /// The address so far.
        address: Address,
        /// The new one.
        new_address: Option<Address>,
        /// The new phone.
        new_phone: Option<String>,
        /// The first day of the new address.
        from: NaiveDate,
    },
    /// An appointment ends, and nobody follows.
    Dismiss {
        /// Identifier of the installation.
        installation: String,
        /// In which role.
        role: Role,
        /// Whose.
        address: Address,
        /// The last day.
        last: NaiveDate,
    },
    /// Somebody is appointed beside the others.
    Appoint {
        /// Identifier of the installation.
        installation: String,
        /// In which role.
        role: Role,
        /// Who.
        person: Person,
        /// The first day.
        from: NaiveDate,
    },
}

/// Why an amendment does not fit the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The customer has no such installation.
    NoInstallation(String),
    /// Nobody with this address holds an appointment there that could end or change.
    NoAppointment(Address),
    /// The appointment begins on this day: it can't end before.
    TooEarly(NaiveDate),
    /// There is nothing in it to do: the same address again, or no new address and no phone.
    Nothing,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoInstallation(id) => write!(f, "the customer has no installation `{id}`"),
            Self::NoAppointment(address) => {
                write!(
                    f,
                    "`{address}` holds no appointment there that could end or change"
                )
            }
            Self::TooEarly(since) => write!(
                f,
                "the appointment began on {since}: it can't end before that day"
            ),
            Self::Nothing => f.write_str("there is nothing to change"),
        }
    }
}

/// One step in a file: installations and representatives by their place in it, before any step is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An appointment is given a last day.
    End {
        /// Which installation.
        installation: usize,
        /// Which appointment.
        representative: usize,
        /// The last day.
        last: NaiveDate,
    },
    /// A phone is replaced.
    Phone {
        /// Which installation.
        installation: usize,
        /// Which appointment.
        representative: usize,
        /// The new one.
        phone: String,
    },
    /// An appointment is added.
    Add {
        /// Which installation.
        installation: usize,
        /// Behind which appointment; behind the last one if none.
        after: Option<usize>,
        /// The appointment.
        person: Representative,
    },
}

impl Amendment {
    /// What is to be done in this customer's file; nothing if all of it is done.
    ///
    /// # Errors
    /// It doesn't fit.
    pub fn steps(&self, customer: &Customer) -> Result<Vec<Step>, Unfit> {
        match self {
            Self::Succeed {
                installation,
                role,
                successor,
                from,
                ends,
            } => {
                let (at, there) = find(customer, installation)?;
                if successor.address == *ends {
                    return Err(Unfit::Nothing);
                }
                let new = appointment(*role, successor, *from);
                succession(at, there, ends, new)
            }
            Self::Contact {
                installations,
                address,
                new_address,
                new_phone,
                from,
            } => {
                let mut steps = Vec::new();
                let mut places = Vec::new();
                for id in installations {
                    places.push(find(customer, id)?);
                }
                if installations.is_empty() {
                    places.extend(customer.installations.iter().enumerate());
                }
                let mut known = false;
                for (at, there) in places {
                    match contact(
                        at,
                        there,
                        address,
                        new_address.as_ref(),
                        new_phone.as_deref(),
                        *from,
                    ) {
                        Err(Unfit::NoAppointment(_)) if installations.is_empty() => {}
                        found => {
                            steps.extend(found?);
                            known = true;
                        }
                    }
                }
                if known {
                    Ok(steps)
                } else {
                    Err(Unfit::NoAppointment(address.clone()))
                }
            }
            Self::Dismiss {
                installation,
                role,
                address,
                last,
            } => {
                let (at, there) = find(customer, installation)?;
                let held = |r: &Representative| r.role == *role && r.address == *address;
                let next = last.succ_opt().unwrap_or(*last);
                Ok(end(at, there, address, &held, next)?.into_iter().collect())
            }
            Self::Appoint {
                installation,
                role,
                person,
                from,
            } => {
                let (at, there) = find(customer, installation)?;
                let new = appointment(*role, person, *from);
                Ok(add(at, there, None, new).into_iter().collect())
            }
        }
    }

    /// The customer as it is once all of it is done.
    ///
    /// # Errors
    /// It doesn't fit.
    pub fn applied(&self, customer: &Customer) -> Result<Customer, Unfit> {
        let mut amended = customer.clone();
        let mut steps = self.steps(customer)?;
        // What is added moves what stands behind it, so it comes last, and from behind.
        steps.sort_by_key(|step| match step {
            Step::End { .. } | Step::Phone { .. } => (0, 0),
            Step::Add { after, .. } => (1, usize::MAX.saturating_sub(after.unwrap_or(usize::MAX))),
        });
        for step in steps {
            take(&mut amended, step);
        }
        Ok(amended)
    }
}

fn take(customer: &mut Customer, step: Step) {
    let place = |i: &mut Installation, r: usize, edit: &mut dyn FnMut(&mut Representative)| {
        if let Some(person) = i.representatives.get_mut(r) {
            edit(person);
        }
    };
    match step {
        Step::End {
            installation,
            representative,
            last,
        } => {
            if let Some(there) = customer.installations.get_mut(installation) {
                place(there, representative, &mut |p| p.until = Some(last));
            }
        }
        Step::Phone {
            installation,
            representative,
            phone,
        } => {
            if let Some(there) = customer.installations.get_mut(installation) {
                place(there, representative, &mut |p| {
                    p.phone = Some(phone.clone())
                });
            }
        }
        Step::Add {
            installation,
            after,
            person,
        } => {
            if let Some(there) = customer.installations.get_mut(installation) {
                let end = there.representatives.len();
                let at = after.map_or(end, |a| a.saturating_add(1).min(end));
                there.representatives.insert(at, person);
            }
        }
    }
}

fn find<'c>(customer: &'c Customer, id: &str) -> Result<(usize, &'c Installation), Unfit> {
    let mut all = customer.installations.iter().enumerate();
    all.find(|(_, i)| i.id == id)
        .ok_or_else(|| Unfit::NoInstallation(id.to_owned()))
}

fn appointment(role: Role, person: &Person, from: NaiveDate) -> Representative {
    Representative {
        role,
        name: person.name.clone(),
        address: person.address.clone(),
        phone: person.phone.clone(),
        since: from,
        until: None,
    }
}

/// The last appointment of this kind that began before this day.
fn latest(
    there: &Installation,
    held: &dyn Fn(&Representative) -> bool,
    before: NaiveDate,
) -> Option<(usize, NaiveDate, Option<NaiveDate>)> {
    let all = there.representatives.iter().enumerate();
    all.filter(|(_, r)| held(r) && r.since < before)
        .max_by_key(|(_, r)| r.since)
        .map(|(at, r)| (at, r.since, r.until))
}

/// The end of an appointment on the eve of `next`; none if it has ended by then.
fn end(
    at: usize,
    there: &Installation,
    address: &Address,
    held: &dyn Fn(&Representative) -> bool,
    next: NaiveDate,
) -> Result<Option<Step>, Unfit> {
    let last = next.pred_opt().unwrap_or(next);
    let Some((representative, _, until)) = latest(there, held, next) else {
        let later = there.representatives.iter().find(|r| held(r));
        return Err(match later {
            Some(r) => Unfit::TooEarly(r.since),
            None => Unfit::NoAppointment(address.clone()),
        });
    };
    Ok(until.is_none_or(|until| until > last).then_some(Step::End {
        installation: at,
        representative,
        last,
    }))
}

/// An appointment, unless the file has it.
fn add(
    at: usize,
    there: &Installation,
    after: Option<usize>,
    person: Representative,
) -> Option<Step> {
    let same = |r: &Representative| {
        r.role == person.role && r.address == person.address && r.since == person.since
    };
    (!there.representatives.iter().any(same)).then_some(Step::Add {
        installation: at,
        after,
        person,
    })
}

fn succession(
    at: usize,
    there: &Installation,
    ends: &Address,
    new: Representative,
) -> Result<Vec<Step>, Unfit> {
    let role = new.role;
    let held = |r: &Representative| r.role == role && r.address == *ends;
    let end = end(at, there, ends, &held, new.since)?;
    let after = latest(there, &held, new.since).map(|(at, ..)| at);
    Ok(end.into_iter().chain(add(at, there, after, new)).collect())
}

fn contact(
    at: usize,
    there: &Installation,
    address: &Address,
    new_address: Option<&Address>,
    new_phone: Option<&str>,
    from: NaiveDate,
) -> Result<Vec<Step>, Unfit> {
    let eve = from.pred_opt().unwrap_or(from);
    let new_address = new_address.filter(|new| *new != address);
    let moved_already = |r: &Representative| {
        let moved = |m: &Representative| {
            m.role == r.role && m.since == from && Some(&m.address) == new_address
        };
        r.until == Some(eve) && there.representatives.iter().any(moved)
    };
    let lasting = |r: &Representative| {
        r.address == *address && (r.until.is_none_or(|until| until > eve) || moved_already(r))
    };
    let all = || {
        there
            .representatives
            .iter()
            .enumerate()
            .filter(|(_, r)| lasting(r))
    };
    if all().next().is_none() {
        return Err(Unfit::NoAppointment(address.clone()));
    }
    let mut steps = Vec::new();
    match new_address {
        Some(new) => {
            for (_, person) in all() {
                let mut moved = person.clone();
                moved.address = new.clone();
                moved.since = from;
                // One who was going to leave on a later day still does.
                moved.until = person.until.filter(|until| *until >= from);
                if let Some(phone) = new_phone {
                    moved.phone = Some(phone.to_owned());
                }
                steps.extend(succession(at, there, address, moved)?);
            }
        }
        None => {
            let phone = new_phone.ok_or(Unfit::Nothing)?;
            let other = all().filter(|(_, r)| r.phone.as_deref() != Some(phone));
            steps.extend(other.map(|(representative, _)| Step::Phone {
                installation: at,
                representative,
                phone: phone.to_owned(),
            }));
        }
    }
    Ok(steps)
}
