//! A letter that a decision wants written: to whom, with which wording, and everything the wording may tell. `mail::compose` writes it.

use chrono::{DateTime, NaiveDate, Utc};

use super::address::Address;
use super::dossier::{Enclosed, Past};
use super::listing::{Listing, Rules};
use super::people::Locale;
use super::request::{Kind, Number, Status, Type};
use super::succession::told::Succession;
use super::transcript::Transcript;
use super::why::Why;

/// Which wording; the name is that of its file under `letters/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Template {
    /// R17, R45: registered, with number and due date.
    Registered,
    /// R16: received, will be registered at the next opening.
    Queued,
    /// R10, to the sender: who may issue orders, and that they are being asked.
    OrderNeedsPrimary,
    /// R10, to the sender, where such orders are not taken at all.
    OrderRefused,
    /// R10, to the primary: one word confirms.
    OrderToConfirm,
    /// R10, R13, to everyone concerned: it is an order now.
    OrderConfirmed,
    /// R10, to everyone concerned: the primary declined.
    OrderDeclined,
    /// R10, R13: nobody confirmed in time; it stays a question.
    OrderLapsed,
    /// R13, to the registered address: reply to confirm.
    Challenge,
    /// R8: which installation is meant?
    AskInstallation,
    /// R11: redirected to the primary.
    Redirected,
    /// R11, to the primary: what a colleague wrote.
    RedirectedToPrimary,
    /// R6, A39: no longer (or not yet) a representative; names nobody.
    NotRepresentative,
    /// R12: a stranger's one polite refusal.
    Refused,
    /// Too large to be taken whole; names the limit.
    Oversize,
    /// R28, R29, to whoever asked for a change of representative: what is needed, and what comes next.
    SuccessionReceived,
    /// `TRUST` 4.3, to the representative in office and the contract's addresses: somebody asked for a change.
    SuccessionAsked,
    /// R29, to whoever asked: the paper original is due, or late.
    SuccessionOriginal,
    /// R31, to the successor: from when on, what to read, the predecessor's requests.
    SuccessorWelcome,
    /// R31, to whoever left office; names nobody.
    SuccessionOver,
    /// R31, to the contract's addresses: the change is in force.
    SuccessionInForce,
    /// R22: the status changed.
    StatusChanged,
    /// R22: the desk still waits for the requester's word.
    Reminder,
    /// R44, to a representative: their requests.
    Requests,
    /// R44, to a representative: how the desk works.
    Help,
    /// R26, to an approver: do they consent to this fault or improvement?
    ConsentAsked,
    /// R25, to the requester: it was consented to, and work goes on.
    ConsentGiven,
    /// R26, to the requester: it was declined, and why; closed.
    ConsentDeclined,
    /// R20, to an approver: do they consent to more time?
    ExtensionAsked,
    /// R20, to the requester: the new date, and why.
    Extended,
    /// To specialists and approvers: what became of what was asked (R20, R26).
    ConsentSettled,
    /// To a developer: a request is handed to them (R27).
    ForDeveloper,
    /// To the specialists: a developer wrote (R27).
    DeveloperReplied,
    /// To the specialists: an answer is due soon (R21).
    DueSoon,
    /// To the specialists: an answer is overdue (R21).
    Overdue,
    /// To the specialists: a request was registered (R37).
    ForSpecialist,
    /// To the specialists: how a change of representative stands, and what is missing (R30).
    SuccessionState,
    /// To a specialist: what their commands did, or why nothing (R39).
    Transcript,
    /// To the specialists: something needs a person (held letter, limit passed, unreadable letter, undelivered letter).
    SpecialistAlert,
}

impl Template {
    /// Every wording there is.
    pub const ALL: &'static [Self] = &[
        Self::Registered,
        Self::Queued,
        Self::OrderNeedsPrimary,
        Self::OrderRefused,
        Self::OrderToConfirm,
        Self::OrderConfirmed,
        Self::OrderDeclined,
        Self::OrderLapsed,
        Self::Challenge,
        Self::AskInstallation,
        Self::Redirected,
        Self::RedirectedToPrimary,
        Self::NotRepresentative,
        Self::Refused,
        Self::Oversize,
        Self::SuccessionReceived,
        Self::SuccessionAsked,
        Self::SuccessionOriginal,
        Self::SuccessorWelcome,
        Self::SuccessionOver,
        Self::SuccessionInForce,
        Self::StatusChanged,
        Self::Reminder,
        Self::Requests,
        Self::Help,
        Self::ConsentAsked,
        Self::ConsentGiven,
        Self::ConsentDeclined,
        Self::ExtensionAsked,
        Self::Extended,
        Self::ConsentSettled,
        Self::ForDeveloper,
        Self::DeveloperReplied,
        Self::DueSoon,
        Self::Overdue,
        Self::ForSpecialist,
        Self::SuccessionState,
        Self::Transcript,
        Self::SpecialistAlert,
    ];

    /// The name of its file, and its word in store and `explain`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Queued => "queued",
            Self::OrderNeedsPrimary => "order-needs-primary",
            Self::OrderRefused => "order-refused",
            Self::OrderToConfirm => "order-to-confirm",
            Self::OrderConfirmed => "order-confirmed",
            Self::OrderDeclined => "order-declined",
            Self::OrderLapsed => "order-lapsed",
            Self::Challenge => "challenge",
            Self::AskInstallation => "ask-installation",
            Self::Redirected => "redirected",
            Self::RedirectedToPrimary => "redirected-to-primary",
            Self::NotRepresentative => "not-representative",
            Self::Refused => "refused",
            Self::Oversize => "oversize",
            Self::SuccessionReceived => "succession-received",
            Self::SuccessionAsked => "succession-asked",
            Self::SuccessionOriginal => "succession-original",
            Self::SuccessorWelcome => "successor-welcome",
            Self::SuccessionOver => "succession-over",
            Self::SuccessionInForce => "succession-in-force",
            Self::SuccessionState => "succession-state",
            Self::StatusChanged => "status-changed",
            Self::Reminder => "reminder",
            Self::Requests => "requests",
            Self::Help => "help",
            Self::ConsentAsked => "consent-asked",
            Self::ConsentGiven => "consent-given",
            Self::ConsentDeclined => "consent-declined",
            Self::ExtensionAsked => "extension-asked",
            Self::Extended => "extended",
            Self::ConsentSettled => "consent-settled",
            Self::ForDeveloper => "for-developer",
            Self::DeveloperReplied => "developer-replied",
            Self::DueSoon => "due-soon",
            Self::Overdue => "overdue",
            Self::ForSpecialist => "for-specialist",
            Self::Transcript => "transcript",
            Self::SpecialistAlert => "specialist-alert",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| t.word() == word)
    }

    /// Whether it counts against R12's one refusal or redirect a day.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::Redirected | Self::NotRepresentative | Self::Refused | Self::OrderRefused
        )
    }

    /// Whether it only tells the desk's own people something (P6): one that is lost is recorded and no more. A letter to an approver or a
    /// developer waits for an answer, and is none of these.
    pub fn is_internal(self) -> bool {
        matches!(
            self,
            Self::ForSpecialist
                | Self::Transcript
                | Self::SpecialistAlert
                | Self::DueSoon
                | Self::Overdue
                | Self::ConsentSettled
                | Self::DeveloperReplied
                | Self::SuccessionState
        )
    }

    /// Whether its reader answers for the text that it cites, or works on it: then all of that text stands in it.
    pub fn cites_whole(self) -> bool {
        self.is_internal()
            || matches!(
                self,
                Self::OrderToConfirm
                    | Self::Challenge
                    | Self::AskInstallation
                    | Self::ConsentAsked
                    | Self::ExtensionAsked
                    | Self::ForDeveloper
            )
    }
}

/// What a reply to the letter means; sealed into its Message-ID and reply address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It continues the request.
    Reply,
    /// It settles the pending that this decision opens, by its place among those (0 for the first).
    ConfirmNew(usize),
    /// It settles this pending (a reminder of it).
    Confirm(i64),
    /// It stays inside (S18).
    Internal,
    /// It leads to no request.
    Nothing,
}

/// Where the letter stands among the reader's other letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thread {
    /// The Message-ID it answers, without brackets.
    pub in_reply_to: Option<String>,
    /// The Message-IDs before it, oldest first, without brackets.
    pub references: Vec<String>,
}

/// Everything a wording may tell; what is none is not told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tells {
    /// The number.
    pub number: Option<Number>,
    /// The requester's subject, without reply prefixes; empty to a stranger (R12: never quoting the stranger).
    pub subject: String,
    /// Order or question.
    pub kind: Option<Kind>,
    /// Support, fault or improvement.
    pub type_: Option<Type>,
    /// The status.
    pub status: Option<Status>,
    /// When the letter arrived.
    pub arrived: Option<DateTime<Utc>>,
    /// The moment of registration.
    pub opens: Option<DateTime<Utc>>,
    /// The day of registration.
    pub registration_day: Option<NaiveDate>,
    /// When the answer is due.
    pub due: Option<DateTime<Utc>>,
    /// The working days that `due` allows.
    pub working_days: Option<u32>,
    /// Why the answer is due then, and what time does next.
    pub why: Option<Why>,
    /// The closed request that it goes on from (R23).
    pub continues: Option<Number>,
    /// When what is pending lapses.
    pub lapses: Option<DateTime<Utc>>,
    /// Name of the person who wrote.
    pub requester_name: Option<String>,
    /// Address of the person who wrote.
    pub requester: Option<Address>,
    /// The customer's name.
    pub customer: Option<String>,
    /// The installation's name.
    pub installation: Option<String>,
    /// Names of the installations to choose from.
    pub choices: Vec<String>,
    /// The primary's name; only where the reader may know it.
    pub primary_name: Option<String>,
    /// The primary's address; only where the reader may know it.
    pub primary: Option<Address>,
    /// The new text of the letter this is about.
    pub text: Option<String>,
    /// Whether the text was longer.
    pub text_cut: bool,
    /// Names of the attachments it came with.
    pub attachments: Vec<String>,
    /// By what authority and on what evidence, for specialists.
    pub authority: Option<String>,
    /// What needs attention, for specialists, in the desk's language.
    pub alert: Option<Alert>,
    /// Whether further alerts of this hour are kept silently (R48).
    pub last_alert: bool,
    /// A size limit in octets.
    pub limit: Option<u64>,
    /// The reader's requests (R44).
    pub listing: Option<Listing>,
    /// How the desk works (R44).
    pub rules: Option<Rules>,
    /// How a change of representative stands, where the letter is about one.
    pub succession: Option<Box<Succession>>,
    /// What became of a specialist's commands (R39).
    pub transcript: Option<Transcript>,
    /// The approver's or developer's name; only in letters to the desk's own people.
    pub party_name: Option<String>,
    /// The working days that are asked for, or were agreed to (R20).
    pub days: Option<u32>,
    /// A specialist's or approver's reason.
    pub reason: Option<String>,
    /// Why somebody is asked once more.
    pub nudge: Option<Nudge>,
    /// What became of what the approvers were asked.
    pub settled: Option<Settled>,
    /// Who consented, and when (R27).
    pub consents: Vec<(String, DateTime<Utc>)>,
    /// The letters so far, oldest first (R27).
    pub thread: Vec<Past>,
    /// The files that are sent along (R27).
    pub enclosed: Vec<Enclosed>,
}

/// Why somebody is asked once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nudge {
    /// They have not answered yet (R10, R26).
    Reminder,
    /// They declined without a reason (R26).
    NoReason,
    /// Their letter answered another one than that which asked: it proves nothing (R13).
    NoSecret,
    /// Neither yes nor no stood at the beginning of their answer.
    Unclear,
}

impl Nudge {
    /// Every reason there is.
    pub const ALL: [Self; 4] = [
        Self::Reminder,
        Self::NoReason,
        Self::NoSecret,
        Self::Unclear,
    ];

    /// The word that wordings ask for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reminder => "reminder",
            Self::NoReason => "no-reason",
            Self::NoSecret => "no-secret",
            Self::Unclear => "unclear",
        }
    }
}

/// What became of what the approvers were asked (R20, R26).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Settled {
    /// One approver consented; others have yet to.
    Partly,
    /// It is consented to.
    Consented,
    /// It is declined.
    Declined,
    /// More time was agreed to by one approver; others have yet to.
    TimePartly,
    /// More time is agreed to.
    Extended,
    /// More time was declined: the due moment stays.
    NotExtended,
    /// Nobody needs to know any more: the type was changed, or the request is closed.
    Needless,
    /// The reader's word came after it was settled: it changes nothing.
    Late,
}

impl Settled {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Partly,
        Self::Consented,
        Self::Declined,
        Self::TimePartly,
        Self::Extended,
        Self::NotExtended,
        Self::Needless,
        Self::Late,
    ];

    /// The word that wordings ask for.
    pub fn word(self) -> &'static str {
        match self {
            Self::Partly => "partly",
            Self::Consented => "consented",
            Self::Declined => "declined",
            Self::TimePartly => "time-partly",
            Self::Extended => "extended",
            Self::NotExtended => "not-extended",
            Self::Needless => "needless",
            Self::Late => "late",
        }
    }
}

/// Why the specialists are written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alert {
    /// A letter waits for a person's decision; the reason in English, as in `explain`.
    Held(String),
    /// A sender passed a limit (R48).
    OverLimit,
    /// Outsiders together passed theirs: their letters are kept silently for now (E59).
    Flood,
    /// Somebody who may not asked for a change of representative (R28).
    SuccessionTried,
    /// So many letters from this domain in an hour carried tokens that are not ours (`TRUST` 5 rule 5).
    BadTokens(String, u32),
    /// A letter could not be read; its original is kept.
    Unreadable,
    /// A letter of the desk could not be delivered; to whom, and the server's reason.
    Undelivered(Address, String),
    /// The configuration was edited and has faults: the old one stays in force (P8). The faults are the text.
    BadConfiguration,
    /// It is good again.
    GoodConfiguration,
}

impl Alert {
    /// Whether it says that a limit was passed: then it goes out whatever else is kept silent, once an hour.
    pub fn is_of_a_limit(&self) -> bool {
        match self {
            Self::OverLimit | Self::Flood | Self::BadTokens(..) => true,
            Self::Held(_)
            | Self::SuccessionTried
            | Self::Unreadable
            | Self::Undelivered(..)
            | Self::BadConfiguration
            | Self::GoodConfiguration => false,
        }
    }
}

/// One letter to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The wording.
    pub template: Template,
    /// To whom.
    pub to: Address,
    /// Their name; may be empty.
    pub name: String,
    /// Their language.
    pub locale: Locale,
    /// What a reply means.
    pub purpose: Purpose,
    /// Its place in the thread.
    pub thread: Thread,
    /// What it tells.
    pub tells: Tells,
}
