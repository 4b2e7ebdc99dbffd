//! A succession as it stands, and what each step makes of it (R28-R32). It is replayed from the request's history like everything else.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::{Paper, Way};
use crate::desk::address::Address;

/// Papers that are kept; of more the first ones are forgotten.
const PAPERS: usize = 8;

/// From whom something of the procedure came (R28), judged at its arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The primary representative in office.
    Primary,
    /// An official address of the customer's contract.
    Official,
    /// A specialist, after verification by video.
    Specialist,
    /// Another representative of the customer.
    Other,
}

/// Somebody with an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Full name.
    pub name: String,
    /// Registered address.
    pub address: Address,
}

/// How a specialist made sure of the letter (R30).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// By which way.
    pub way: Way,
    /// The specialist.
    pub by: Address,
    /// When: the arrival of their letter.
    pub at: DateTime<Utc>,
}

/// What is to be otherwise (R30, R32).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Another person follows.
    Successor {
        /// Who.
        person: Party,
        /// Mobile phone.
        phone: Option<String>,
    },
    /// The same person has another address or phone.
    Contact {
        /// The new address.
        address: Option<Address>,
        /// The new phone.
        phone: Option<String>,
    },
}

/// The change as a specialist named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What is to be otherwise.
    pub change: Change,
    /// Whose appointment it is about; none where the installation has no primary.
    pub predecessor: Option<Party>,
    /// From this day on.
    pub from: NaiveDate,
    /// The specialist.
    pub by: Address,
    /// When: the arrival of their letter.
    pub at: DateTime<Utc>,
}

/// The paper original of a scanned letter (R29).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Original {
    /// When it is due.
    pub due: DateTime<Utc>,
    /// When the requester was reminded.
    pub reminded: Option<DateTime<Utc>>,
    /// When it was told that it is late.
    pub late: Option<DateTime<Utc>>,
    /// When a specialist ticked it off.
    pub came: Option<DateTime<Utc>>,
}

/// How far the change has come into the customers' files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Not verified or not named.
    NotYet,
    /// The desk is to write it.
    ToWrite,
    /// The desk could not write it, and why: a person does.
    ByHand(String),
    /// It stands in the file.
    Written,
    /// The day has come.
    InForce,
}

/// One succession.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Procedure {
    /// Identifier of the customer.
    pub customer: String,
    /// Identifiers of the installations that it is about; the same person is primary at all of them once it is named.
    pub installations: Vec<String>,
    /// Who asked for it.
    pub source: Source,
    /// The letters of the customer that came for it, in order.
    pub papers: Vec<Paper>,
    /// Whether a specialist is sure of one.
    pub verified: Option<Verified>,
    /// What is to change.
    pub named: Option<Named>,
    /// The paper original, where one is due.
    pub original: Option<Original>,
    /// How far the change has come.
    pub effect: Effect,
    /// Whether it was refused or given up.
    pub ended: bool,
}

/// One step of a succession, as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Somebody who may asked for it.
    Opened {
        /// Identifier of the customer.
        customer: String,
        /// Identifiers of the installations.
        installations: Vec<String>,
        /// Who asked.
        source: Source,
    },
    /// A letter of the customer came (R29).
    Came(Paper),
    /// The paper original is due (R29).
    OriginalDue(DateTime<Utc>),
    /// Whoever opened it confirmed that the letter is theirs (R13).
    Confirmed,
    /// A specialist said which installations are meant.
    Installations(Vec<String>),
    /// A specialist is sure of the letter (R30).
    Verified(Verified),
    /// A specialist named the change (R30, R32).
    Named(Box<Named>),
    /// The requester was reminded of the original.
    Reminded(DateTime<Utc>),
    /// It was told that the original is late.
    Late(DateTime<Utc>),
    /// The original came.
    OriginalCame {
        /// The specialist who ticked it off.
        by: Address,
        /// When: the arrival of their letter.
        at: DateTime<Utc>,
    },
    /// The change stands in the customer's file.
    Written,
    /// It could not be written, and why.
    NotWritten(String),
    /// The day has come (R31).
    InForce,
    /// It was refused.
    Ended,
}

impl Procedure {
    /// Whether the change still lies before it.
    pub fn is_open(&self) -> bool {
        !self.ended && self.effect != Effect::InForce
    }

    /// Whether nothing is left to do: in force, and the original, where due, has come (R31).
    pub fn is_done(&self) -> bool {
        let waits = self.original.as_ref().is_some_and(|o| o.came.is_none());
        !self.ended && self.effect == Effect::InForce && !waits
    }

    /// Whether the desk is to write the change into the customer's file.
    pub fn is_to_write(&self) -> bool {
        !self.ended && self.effect == Effect::ToWrite
    }

    /// The original that is still missing.
    pub fn awaited(&self) -> Option<&Original> {
        self.original
            .as_ref()
            .filter(|o| o.came.is_none() && !self.ended)
    }
}

/// What a step makes of a request's procedure. A step that does not fit changes nothing.
pub fn happen(procedure: &mut Option<Box<Procedure>>, step: &Step) {
    if let Step::Opened {
        customer,
        installations,
        source,
    } = step
    {
        *procedure = Some(Box::new(Procedure {
            customer: customer.clone(),
            installations: installations.clone(),
            source: *source,
            papers: Vec::new(),
            verified: None,
            named: None,
            original: None,
            effect: Effect::NotYet,
            ended: false,
        }));
    } else if let Some(procedure) = procedure {
        go_on(procedure, step);
    }
}

fn go_on(procedure: &mut Procedure, step: &Step) {
    match step {
        Step::Opened { .. } => {}
        Step::Came(paper) => {
            if procedure.papers.len() >= PAPERS {
                procedure.papers.remove(0);
            }
            procedure.papers.push(paper.clone());
        }
        Step::OriginalDue(due) => {
            procedure.original = Some(Original {
                due: *due,
                reminded: None,
                late: None,
                came: None,
            });
        }
        Step::Confirmed => {
            if let Some(paper) = procedure.papers.first_mut() {
                paper.proved = true;
            }
        }
        Step::Installations(ids) => procedure.installations.clone_from(ids),
        Step::Verified(verified) => {
            // A qualified signature is the original.
            if verified.way == Way::Signature {
                procedure.original = None;
            }
            procedure.verified = Some(verified.clone());
        }
        Step::Named(named) => {
            procedure.named = Some((**named).clone());
            procedure.effect = Effect::ToWrite;
        }
        Step::Reminded(at) => {
            if let Some(original) = &mut procedure.original {
                original.reminded = Some(*at);
            }
        }
        Step::Late(at) => {
            if let Some(original) = &mut procedure.original {
                original.late = Some(*at);
            }
        }
        Step::OriginalCame { at, .. } => {
            let original = procedure.original.get_or_insert(Original {
                due: *at,
                reminded: None,
                late: None,
                came: None,
            });
            original.came = Some(*at);
        }
        Step::Written => procedure.effect = Effect::Written,
        Step::NotWritten(why) => procedure.effect = Effect::ByHand(why.clone()),
        Step::InForce => procedure.effect = Effect::InForce,
        Step::Ended => procedure.ended = true,
    }
}
