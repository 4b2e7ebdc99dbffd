//! What happens to a request, one value a happening: the store turns each into rows and a link of the history's chain (R24, R36).

use chrono::{DateTime, NaiveDate, Utc};

use super::address::Address;
use super::appointments::{Change, Roll};
use super::course::Ending;
use super::request::{Kind, Number, PendingKind, Status, Type};
use super::succession::procedure::Step;

/// How something that was pending ended (R10, R13, R8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The word was given.
    Confirmed,
    /// The word was refused.
    Declined,
    /// Nobody answered in time.
    Lapsed,
    /// It no longer matters.
    Superseded,
}

impl Outcome {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::Lapsed => "lapsed",
            Self::Superseded => "superseded",
        }
    }
}

/// What people were told of by time alone, once each (R21, R22).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The specialists: this due moment is near (R21).
    DueSoon(DateTime<Utc>),
    /// The specialists: this due moment has passed (R21).
    Overdue(DateTime<Utc>),
    /// The requester: the desk still waits for their word (R22).
    Reminded(DateTime<Utc>),
}

impl Told {
    /// The word in the store's history.
    pub fn word(self) -> &'static str {
        match self {
            Self::DueSoon(_) => "due-soon",
            Self::Overdue(_) => "overdue",
            Self::Reminded(_) => "reminded",
        }
    }

    /// The moment that was told of; for a reminder the moment of reminding.
    pub fn moment(self) -> DateTime<Utc> {
        match self {
            Self::DueSoon(at) | Self::Overdue(at) | Self::Reminded(at) => at,
        }
    }
}

/// One happening in the life of the request that a decision concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It was received after hours and waits (R16).
    Queued {
        /// When it will be registered.
        opens: DateTime<Utc>,
    },
    /// It got its number and its place in the journal (R17).
    Registered {
        /// The number.
        number: Number,
        /// The working day of registration.
        day: NaiveDate,
        /// When the answer is due.
        due: DateTime<Utc>,
    },
    /// A further letter was entered (R44).
    Attached {
        /// Who wrote it.
        by: Address,
        /// Which evidence led here.
        evidence: String,
        /// Whether it is for the desk's own eyes (an automatic reply, a specialist's note).
        internal: bool,
    },
    /// The kind was changed.
    KindChanged {
        /// To this.
        to: Kind,
        /// By whom.
        by: Address,
    },
    /// The type was changed (R25).
    TypeChanged {
        /// To this.
        to: Type,
        /// By whom.
        by: Address,
    },
    /// The requester's own words were replaced by the primary's (R10).
    Reworded {
        /// By whom.
        by: Address,
        /// The words.
        text: String,
    },
    /// The installation was found out (R8).
    InstallationNamed {
        /// Which.
        installation: String,
    },
    /// The status was changed (R22).
    StatusChanged {
        /// To this.
        to: Status,
        /// By whom; none if by the regulation itself.
        by: Option<Address>,
        /// Why, for people.
        why: String,
        /// As of when: the arrival of the letter that did it (R2, R19).
        at: DateTime<Utc>,
        /// How it ended, if it is closed with that.
        ending: Option<Ending>,
    },
    /// The answer is due at another moment than before (R19, R20); follows from the event before it.
    DueMoved {
        /// Now at this one.
        due: DateTime<Utc>,
    },
    /// An approver consented to what the request is (R25, R26).
    Consented {
        /// To this type.
        to: Type,
        /// Who.
        by: Address,
        /// As of when: the arrival of their word.
        at: DateTime<Utc>,
        /// Whether nobody else need say a word.
        whole: bool,
    },
    /// A specialist asks the approvers for more time (R20).
    MoreTimeAsked {
        /// So many working days.
        days: u32,
        /// Why, for the approvers and, once they agree, for the requester.
        reason: String,
        /// Who asks.
        by: Address,
    },
    /// More time was agreed to (R20).
    Extended {
        /// So many working days.
        days: u32,
        /// As of when.
        at: DateTime<Utc>,
    },
    /// What the answer was, or a specialist's words on the solution: they stand in the journal (R22).
    Solved {
        /// Whose words.
        by: Address,
        /// The words.
        text: String,
    },
    /// The approver's or specialist's reason for declining (R26).
    Declined {
        /// Whose words.
        by: Address,
        /// The words; may be empty.
        text: String,
    },
    /// It was handed to a developer (R27).
    HandedOver {
        /// To whom.
        to: Address,
        /// By whom.
        by: Address,
    },
    /// It goes on from a request that was closed (R23).
    Continues {
        /// Which.
        number: Number,
    },
    /// Answers go to another person from here on (R31).
    RequesterChanged {
        /// The address.
        to: Address,
        /// The name.
        name: String,
    },
    /// The change of representative that the request is about went on by a step (R28-R32).
    Succession(Step),
    /// People were told of something that time brought (R21, R22).
    Told(Told),
    /// Whose word is waited for was reminded (R10, R26).
    Reminded {
        /// Of which pending.
        pending: i64,
        /// When next; none if no more.
        next: Option<DateTime<Utc>>,
    },
    /// The moment of reminding somebody fell outside hours, for the desk was down: they are reminded later.
    ReminderPutOff {
        /// Of which pending.
        pending: i64,
        /// When instead.
        to: DateTime<Utc>,
    },
    /// It waits for somebody's word.
    Waits {
        /// For what.
        kind: PendingKind,
        /// For whose.
        party: Address,
        /// Until when.
        lapses: DateTime<Utc>,
        /// When they are reminded; none if not.
        remind: Option<DateTime<Utc>>,
        /// The working days that an extension asks for (R20).
        days: Option<u32>,
    },
    /// What it waited for is settled.
    Settled {
        /// Which pending.
        pending: i64,
        /// How.
        outcome: Outcome,
        /// By whom; none if time did it.
        by: Option<Address>,
    },
    /// Something worth a specialist's eye, such as a possible follow-up by somebody who is not a party (S5).
    Noted {
        /// What.
        what: String,
    },
    /// A letter of the desk could not be delivered.
    Undelivered {
        /// To whom.
        to: Address,
        /// The server's reason, cleaned.
        why: String,
        /// Its name in the outbox where a bounce tells of it: the row still says that the server took it, and is corrected with this.
        outbox: Option<i64>,
    },
    /// The appointments were looked at for the first time; belongs to no request.
    RollTaken {
        /// All of them.
        roll: Roll,
    },
    /// An appointment is otherwise than the desk knew it (R6, R31); belongs to no request.
    Appointment(Change),
}

impl Event {
    /// The word in the store's history.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Registered { .. } => "registered",
            Self::Attached { .. } => "attached",
            Self::KindChanged { .. } => "kind-changed",
            Self::Reworded { .. } => "reworded",
            Self::InstallationNamed { .. } => "installation-named",
            Self::StatusChanged { .. } => "status-changed",
            Self::TypeChanged { .. } => "type-changed",
            Self::DueMoved { .. } => "due-moved",
            Self::Consented { .. } => "consented",
            Self::MoreTimeAsked { .. } => "more-time-asked",
            Self::Extended { .. } => "extended",
            Self::Solved { .. } => "solved",
            Self::Declined { .. } => "declined",
            Self::HandedOver { .. } => "handed-over",
            Self::Continues { .. } => "continues",
            Self::RequesterChanged { .. } => "requester-changed",
            Self::Succession(_) => "succession",
            Self::Told(told) => told.word(),
            Self::Reminded { .. } => "party-reminded",
            Self::ReminderPutOff { .. } => "reminder-put-off",
            Self::Waits { .. } => "waits",
            Self::Settled { .. } => "settled",
            Self::Noted { .. } => "noted",
            Self::Undelivered { .. } => "undelivered",
            Self::RollTaken { .. } => "roll-taken",
            Self::Appointment(change) => change.what.word(),
        }
    }
}
