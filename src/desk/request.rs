//! A request as the rules see it: number, kind, type, status and the moments that matter.

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};

use super::address::Address;
use super::assurance::Level;
use super::course::Course;
use super::people::Locale;
use super::succession::procedure::Procedure;

/// The number of a registered request: the desk's year and a count without gaps (R17), written `2026-000123`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number {
    year: i32,
    count: u32,
}

impl Number {
    /// The number `count` (from 1) of a year.
    pub fn new(year: i32, count: u32) -> Self {
        Self { year, count }
    }

    /// Reads `2026-000123`; leading zeros may be left out.
    pub fn read(text: &str) -> Option<Self> {
        let (year, count) = text.trim().split_once('-')?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if year.len() != 4 || !digits(year) || !digits(count) || count.len() > 9 {
            return None;
        }
        let number = Self {
            year: year.parse().ok()?,
            count: count.parse().ok()?,
        };
        (number.count > 0).then_some(number)
    }

    /// The desk's year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The count within the year, from 1.
    pub fn count(self) -> u32 {
        self.count
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:06}", self.year, self.count)
    }
}

/// The store's own name for a request, given before it has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub i64);

/// Order or question (R9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Asks the desk to do something; binding.
    Order,
    /// Asks the desk to explain something.
    Question,
}

impl Kind {
    /// The word in store and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Question => "question",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Order, Self::Question]
            .into_iter()
            .find(|k| k.word() == word)
    }
}

/// Support, fault or improvement (R25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// Поддержка.
    Support,
    /// Ошибка.
    Fault,
    /// Улучшение.
    Improvement,
}

impl Type {
    /// The word in store, configuration and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Fault => "fault",
            Self::Improvement => "improvement",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Support, Self::Fault, Self::Improvement]
            .into_iter()
            .find(|t| t.word() == word)
    }
}

/// The five states of a request (R22), exactly these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// В работе.
    InProgress,
    /// Передано разработчику.
    WithDeveloper,
    /// Обратная связь.
    AwaitingInformation,
    /// Решен.
    Resolved,
    /// Закрыт.
    Closed,
}

impl Status {
    /// All five, in the order of the regulation.
    pub const ALL: [Self; 5] = [
        Self::InProgress,
        Self::WithDeveloper,
        Self::AwaitingInformation,
        Self::Resolved,
        Self::Closed,
    ];

    /// The word in store, command line and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::WithDeveloper => "with-developer",
            Self::AwaitingInformation => "awaiting-information",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// By which way a request came (R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Channel {
    /// The requester wrote.
    #[default]
    Mail,
    /// The requester telephoned, and a specialist wrote it down.
    Phone,
    /// The same by a messenger.
    Messenger,
    /// The same in person.
    InPerson,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Mail, Self::Phone, Self::Messenger, Self::InPerson];

    /// The word in store and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Phone => "phone",
            Self::Messenger => "messenger",
            Self::InPerson => "in-person",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.word() == word)
    }
}

/// What a request waits for from somebody outside, beside its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PendingKind {
    /// The primary's word on an order that somebody else wrote (R10).
    PrimaryConfirmation,
    /// The sender's own confirmation from the registered address (R13).
    Challenge,
    /// The sender's word that a letter is theirs, where a mailbox demands that of everything (R13).
    Identity,
    /// Which installation an order is about (R8).
    WhichInstallation,
    /// An approver's consent to a fault or an improvement (R25, R26).
    Consent,
    /// An approver's consent to more time (R20).
    Extension,
    /// A specialist's commands once more, from the registered address (R13).
    Commands,
}

impl PendingKind {
    /// The word in the store.
    pub fn word(self) -> &'static str {
        match self {
            Self::PrimaryConfirmation => "primary-confirmation",
            Self::Challenge => "challenge",
            Self::Identity => "identity",
            Self::WhichInstallation => "which-installation",
            Self::Consent => "consent",
            Self::Extension => "extension",
            Self::Commands => "commands",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        [
            Self::PrimaryConfirmation,
            Self::Challenge,
            Self::Identity,
            Self::WhichInstallation,
            Self::Consent,
            Self::Extension,
            Self::Commands,
        ]
        .into_iter()
        .find(|k| k.word() == word)
    }
}

/// Something that a request waits for, with whom and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The store's name for it.
    pub id: i64,
    /// What is waited for.
    pub kind: PendingKind,
    /// Whose reply settles it.
    pub party: Address,
    /// When it lapses; a consent never does (R26), and its moment lies beyond every calendar.
    pub lapses: DateTime<Utc>,
    /// When its party is reminded next; none if not.
    pub remind: Option<DateTime<Utc>>,
    /// The working days that an extension asks for (R20).
    pub days: Option<u32>,
}

/// What a request is about and when it came: fixed by the letter that opened it, but for what a specialist or the requester corrects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matter {
    /// The customer's identifier; none for a stranger at an open desk (R12).
    pub customer: Option<String>,
    /// The installation's identifier; none while it is asked for (R8).
    pub installation: Option<String>,
    /// The address it came from; answers go there (R14).
    pub requester: Address,
    /// The requester's name: the registered one, or what they call themselves.
    pub requester_name: String,
    /// The language the requester is written to.
    pub locale: Locale,
    /// Order or question.
    pub kind: Kind,
    /// Support, fault or improvement.
    pub type_: Type,
    /// The subject of the letter that opened it, without reply prefixes.
    pub subject: String,
    /// The Message-ID of that letter, without brackets.
    pub message_id: Option<String>,
    /// When that letter arrived (R2).
    pub arrived: DateTime<Utc>,
    /// The moment of registration that R16 gives.
    pub opens: DateTime<Utc>,
    /// The working day of registration (R18).
    pub registration_day: NaiveDate,
    /// Whether the requester is written to by themselves: not a stranger whose address nobody vouches for (S37), not a bulk mailer (R46).
    pub acknowledged: bool,
    /// How sure the desk was that the requester wrote that letter (R13); where its mailbox demands nothing, at least as sure as by the domain's word.
    pub vouched: Level,
    /// Whether it was opened past a limit: nobody is told of it by itself (R48).
    pub quiet: bool,
    /// By which way it came (R4).
    pub channel: Channel,
}

/// A request as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The store's name for it.
    pub id: RequestId,
    /// Its number; none while it is queued for the next opening (R16).
    pub number: Option<Number>,
    /// What it is about.
    pub matter: Matter,
    /// Where it stands.
    pub status: Status,
    /// When the answer is due (R18); none while it has no number.
    pub due: Option<DateTime<Utc>>,
    /// What it waits for from outside; settled ones are gone.
    pub pending: Vec<Pending>,
    /// How its clock ran, and what was told of that.
    pub course: Course,
    /// The older request that it goes on from (R23).
    pub continues: Option<Number>,
    /// The change of representative that it is about (R28).
    pub succession: Option<Box<Procedure>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written() {
        let n = Number::new(2026, 123);
        assert_eq!(n.to_string(), "2026-000123");
        assert_eq!(Number::read("2026-000123"), Some(n));
        assert_eq!(Number::read("2026-123"), Some(n));
        for bad in ["2026-", "26-1", "2026-0", "2026-+1", "x", "2026-1234567890"] {
            assert_eq!(Number::read(bad), None, "{bad}");
        }
    }
}
