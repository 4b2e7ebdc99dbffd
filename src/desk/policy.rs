//! What a desk has chosen (every ⚙ of the regulation), as values that the rules take.

use regex::Regex;

use super::address::Address;
use super::calendar::Calendar;
use super::loops::Breakers;
use super::people::{Directory, Locale};
use super::request::Kind;

/// The desk with all its choices: one value, replaced whole when the configuration is reloaded.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Its name as it stands in letters.
    pub name: String,
    /// The address that people write to and letters come from.
    pub address: Address,
    /// The language of its own letters and of everybody who has none of their own.
    pub locale: Locale,
    /// When it works (R15).
    pub calendar: Calendar,
    /// Whom it knows.
    pub directory: Directory,
    /// How many working days things take.
    pub deadlines: Deadlines,
    /// How orders and questions are told apart (R9).
    pub kinds: KindPatterns,
    /// The words that settle what is pending (R10).
    pub words: Words,
    /// How many of the approvers must agree (R26).
    pub consents: Consents,
    /// How an order of somebody who may not order is treated (R10).
    pub orders_from_additional: OrdersFromAdditional,
    /// Whether a letter that waits for the next opening is acknowledged at once (R16).
    pub acknowledge_queued: bool,
    /// What a colleague of a customer is told (R11).
    pub redirect: Redirect,
    /// How representatives change (R28, R31).
    pub succession: SuccessionPolicy,
    /// How much one sender may cause (R48).
    pub limits: Limits,
    /// What keeps it from answering machines for ever (E56).
    pub breakers: Breakers,
    /// Whether reply addresses carry a token after a plus sign; needs a server that delivers them.
    pub plus_addressing: bool,
}

/// Spans in working days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// R18: the answer is due by closing on this working day after the day of registration.
    pub answer: u32,
    /// R21: the warning comes so many working days before.
    pub warn_before: u32,
    /// R10, R13: an unconfirmed order lapses by closing on this working day after the asking.
    pub confirm: u32,
    /// R10, R13: its party is reminded at the opening of this working day after the asking; 0 for never.
    pub remind_confirm: u32,
    /// R22: a requester who was asked for information is reminded at the opening of this working day after the asking.
    pub remind_information: u32,
    /// R22: a request that nobody answered is closed by closing on this working day after the asking.
    pub close_unanswered: u32,
    /// R22: a resolved request is closed by closing on this working day after the solution.
    pub close_resolved: u32,
    /// R22, R23: a reply takes a closed request up again until closing on this working day after it was closed.
    pub reopen: u32,
    /// R26: an approver is reminded at the opening of every so many working days; 0 for never.
    pub remind_consent: u32,
    /// R29: the paper original of a scanned letter is due by closing on this working day after its submission.
    pub paper_original: u32,
}

/// R9: what makes a letter an order or a question.
#[derive(Debug, Clone)]
pub struct KindPatterns {
    /// Prefixes of the subject, without the colon, that mark an order.
    pub order_markers: Vec<String>,
    /// Prefixes of the subject, without the colon, that mark a question.
    pub question_markers: Vec<String>,
    /// Tags of a plus-address that mark an order.
    pub order_tags: Vec<String>,
    /// Tags of a plus-address that mark a question.
    pub question_tags: Vec<String>,
    /// Patterns over subject and new text that mean an order.
    pub order_patterns: Vec<Regex>,
    /// Patterns over subject and new text that mean a question.
    pub question_patterns: Vec<Regex>,
    /// R25: patterns over subject and new text that mean a fault.
    pub fault_patterns: Vec<Regex>,
    /// R25: patterns over subject and new text that mean an improvement.
    pub improvement_patterns: Vec<Regex>,
}

/// The words that the desk acts on; compared without case and punctuation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words {
    /// «Подтверждаю», "Confirm": what a primary answers with, as the first line of the new text (R10).
    pub confirm: Vec<String>,
    /// «Отклоняю», "Decline".
    pub decline: Vec<String>,
    /// Phrases that thank (R23).
    pub thanks: Vec<String>,
    /// Phrases that agree to a solution (R23).
    pub agrees: Vec<String>,
    /// «Статус», "Status": what a letter says that asks the desk itself (R44).
    pub status: Vec<String>,
    /// «История», "History".
    pub history: Vec<String>,
    /// «Помощь», "Help".
    pub help: Vec<String>,
    /// An approver's «Согласовано», "Approved" (R26).
    pub approve: Vec<String>,
    /// An approver's «Отклонено», "Declined" (R26).
    pub disapprove: Vec<String>,
}

/// R26 ⚙: whose yes is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voices {
    /// That of any approver: whoever answers first decides.
    Any,
    /// That of all of them together; one who declines decides alone.
    All,
}

/// R20, R25, R26 ⚙: how consent is given to each of the things that need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consents {
    /// To a fault.
    pub faults: Voices,
    /// To an improvement.
    pub improvements: Voices,
    /// To more time.
    pub extensions: Voices,
}

/// The phrases that thank where a desk has none of its own.
pub const THANKS: &[&str] = &[
    "Спасибо",
    "Благодарю",
    "Благодарим",
    "Thanks",
    "Thank you",
    "Many thanks",
];

/// The phrases that agree where a desk has none of its own.
#[rustfmt::skip]
pub const AGREES: &[&str] = &[
    "Всё работает", "Заработало", "Всё заработало", "Получилось", "Всё получилось", "Всё в порядке", "Понятно", "Всё понятно", "Принято", "Согласен",
    "Согласна", "Согласны", "Вопрос решён", "Вопрос закрыт", "Вопросов нет", "Хорошо", "Отлично", "Ок", "It works", "Everything works", "Works", "Solved",
    "Understood", "Agreed", "All good", "Great", "Perfect", "Ok",
];

/// R10 ⚙.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrdersFromAdditional {
    /// Registered as a question, and the primary is asked to confirm.
    Question,
    /// Not registered: the sender is told who may order.
    Refuse,
}

/// R28, R31 ⚙.
#[derive(Debug, Clone)]
pub struct SuccessionPolicy {
    /// Patterns over the subject that ask for a change of representative.
    pub patterns: Vec<Regex>,
    /// What a successor is sent to read; none if nothing is.
    pub materials: Option<String>,
}

/// R11 ⚙.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirect {
    /// Whether an authenticated colleague is given the primary's name and address.
    pub name_primary: bool,
    /// Whether the letter's text is passed on to the primary.
    pub forward: bool,
}

/// R48 ⚙: past these the desk records and stays silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Automatic letters that one sender causes to one address in an hour.
    pub letters_per_hour: u32,
    /// New requests from one address in an hour that are acknowledged.
    pub requests_per_hour: u32,
    /// Automatic letters about one request to one address in an hour.
    pub request_letters_per_hour: u32,
    /// Letters of one sender with the same text, figures apart, in an hour that are answered.
    pub same_text_per_hour: u32,
    /// Automatic letters in an hour to people who are no representatives, all together.
    pub outsider_letters_per_hour: u32,
    /// Alerts to the specialists in an hour, whoever causes them.
    pub alerts_per_hour: u32,
    /// Refusals and redirects to one address in a day of the desk's calendar (R12).
    pub refusals_per_day: u32,
    /// The most octets of files that are sent along with one letter (R27).
    pub enclosed: u64,
}

/// R12 ⚙: what becomes of a stranger's letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// One polite reply, to an authenticated address.
    Refuse,
    /// Registered as a question of an unknown organisation.
    AcceptQuestions,
    /// A specialist decides.
    Hold,
    /// Recorded, nothing else.
    Ignore,
}

/// R13 ⚙: where the sender must be authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// For everything.
    Required,
    /// For whatever grants something: orders, confirmations, approvals, commands.
    Orders,
    /// Nowhere; for closed networks.
    Off,
}

/// One mailbox as the rules see it.
#[derive(Debug, Clone)]
pub struct MailboxPolicy {
    /// Its name in configuration, store and log.
    pub name: String,
    /// What becomes of strangers' letters.
    pub strangers: Strangers,
    /// What a letter is that says neither (R9).
    pub default_kind: Kind,
    /// Where authentication is demanded.
    pub authentication: Authentication,
    /// The installation that writing to this mailbox names (R8).
    pub installation: Option<String>,
}
