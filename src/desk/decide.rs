//! The one decision: every occasion, with the facts that bear on it, becomes events and notices.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::address::Address;
use super::appointments::{Change, Roll};
use super::assurance::SenderAssurance;
use super::bounce::Returned;
use super::course::Course;
use super::dossier::Past;
use super::event::Event;
use super::finding::{Alternative, Findings};
use super::letter::Letter;
use super::notice::Notice;
use super::policy::{Desk, MailboxPolicy};
use super::request::{Matter, Number, Pending, Request, RequestId};
use super::signature::SignatureCheck;
use super::succession::passing::Heir;
use super::succession::procedure::Procedure;
use super::succession::{effect, passing};
use super::{appointments, configuration, reception, ticking, timing};

/// What became of a letter, in one word (R1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A request with a number.
    Registered,
    /// A request that waits for the next opening.
    Queued,
    /// An entry in a request's history.
    Attached,
    /// A person must decide.
    Held,
    /// Refused, with a reply or in silence.
    Refused,
    /// Redirected to the customer's primary.
    Redirected,
    /// No person wrote it for the desk.
    Automatic,
    /// Seen before.
    Duplicate,
    /// Recorded, as the mailbox is configured.
    Ignored,
    /// Nobody could read it; the original is kept.
    Unreadable,
    /// It asked the desk itself, and was answered (R44).
    Answered,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 11] = [
        Self::Registered,
        Self::Queued,
        Self::Attached,
        Self::Held,
        Self::Refused,
        Self::Redirected,
        Self::Automatic,
        Self::Duplicate,
        Self::Ignored,
        Self::Unreadable,
        Self::Answered,
    ];

    /// The word in store and `explain --json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Queued => "queued",
            Self::Attached => "attached",
            Self::Held => "held",
            Self::Refused => "refused",
            Self::Redirected => "redirected",
            Self::Automatic => "automatic",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Unreadable => "unreadable",
            Self::Answered => "answered",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.word() == word)
    }
}

/// How the evidence in a letter leads to a request, strongest first (`BEHAVIOURS` D42).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Evidence {
    /// A valid token of ours, in a recipient address or in a Message-ID that it answers, that settles this pending.
    Confirmation(i64),
    /// A valid token of ours that continues the request, in an address that the letter was sent to.
    ReplyAddress,
    /// The same in a Message-ID that it answers.
    Token,
    /// A valid token of ours from a letter that stays inside (S18).
    InternalToken,
    /// It answers a letter that the desk keeps.
    MessageId,
    /// The number stands in the subject: a hint, for those already party.
    SubjectNumber,
}

impl Evidence {
    /// In words, for `explain` and the history.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Confirmation(_) => "a token of the letter that asked for confirmation",
            Self::ReplyAddress => "a token of ours in the address it was sent to",
            Self::Token => "the Message-ID of a letter of ours, with its token",
            Self::InternalToken => "a token of an internal letter of ours",
            Self::MessageId => "In-Reply-To or References names a letter that the desk keeps",
            Self::SubjectNumber => "the number in the subject",
        }
    }
}

/// The request that a letter seems to be about. About is not may: the rules decide whether its sender is a party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The request.
    pub request: Request,
    /// What led there.
    pub evidence: Evidence,
    /// To whom the letter of ours went whose token or Message-ID was found.
    pub written_to: Option<Address>,
    /// The letter that opened the request, where a reply may want it cited: while the request waits for its installation, or is made an order.
    pub opening: Option<Box<Letter>>,
}

/// One letter with everything that was established about it.
#[derive(Debug, Clone)]
pub struct Incoming<'a> {
    /// What was read.
    pub letter: &'a Letter,
    /// How sure the desk is of its sender.
    pub assurance: &'a SenderAssurance,
    /// When it arrived (R2).
    pub arrived: DateTime<Utc>,
    /// Where it arrived.
    pub mailbox: &'a MailboxPolicy,
    /// Tags after the plus sign of our address that it was sent to (R8, R9).
    pub tags: &'a [String],
    /// Set if it was larger than the desk takes: the limit in octets. Only its headers were read.
    pub oversize: Option<u64>,
    /// What the preliminary check found of its electronic signatures (R29); empty where there are none, or nothing asks for them.
    pub signatures: &'a [SignatureCheck],
}

/// What the store knows that bears on the occasion.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The request that the letter seems to be about: what the strongest clue leads to.
    pub lead: Option<Lead>,
    /// The letter of ours that it returns, if it is a bounce (R47).
    pub returned: Option<Returned>,
    /// Requests that equally strong clues lead to, where nothing tells which is meant (D48).
    pub unclear: Vec<Request>,
    /// Clues that lead nowhere, or elsewhere than a stronger one.
    pub rejected: Vec<Alternative>,
    /// What happened to the request of `lead` so far, when and in English, where a specialist asks for it.
    pub history: Vec<(DateTime<Utc>, String)>,
    /// Whether the desk has decided on the same letter before (R3).
    pub seen_before: bool,
    /// Whether the signature that vouches for it vouched for a letter of other content before (K4).
    pub replayed: bool,
    /// Automatic letters that the sender caused in the last hour, the most to any one reader (R48).
    pub letters_last_hour: u32,
    /// Requests the sender opened in the last hour (R48).
    pub requests_last_hour: u32,
    /// Letters about the request of `lead` in the last hour, the most to any one reader outside (S40).
    pub request_letters_last_hour: u32,
    /// Letters of the sender with this very text, figures apart, in the last hour (E56).
    pub same_text_last_hour: u32,
    /// Automatic letters to people who are no representatives in the last hour, all together (E59).
    pub outsider_letters_last_hour: u32,
    /// Whether the specialists were told of that flood in the last hour.
    pub flood_told: bool,
    /// Tokens that are not ours in letters from the sender's domain in the last hour, this letter's among them.
    pub bad_tokens_last_hour: u32,
    /// Whether the specialists were told of those in the last hour.
    pub bad_tokens_told: bool,
    /// Whether the specialists were told in the last hour that the sender passed a limit (R48).
    pub limit_told: bool,
    /// Alerts to the specialists in the last hour, whoever caused them (R48).
    pub alerts_last_hour: u32,
    /// Refusals and redirects to the sender today (R12).
    pub refusals_today: u32,
    /// The requests that the sender may see, the newest first, where the letter asks for them (R44).
    pub own: Vec<Request>,
    /// How many older ones are left out of `own`.
    pub own_more: u32,
    /// The last number given in each year (R17).
    pub last_numbers: BTreeMap<i32, u32>,
    /// The open changes of representative of the customer that a letter or a request is about (R28).
    pub successions: Vec<Request>,
    /// The latest requests of whoever leaves office, newest first, where a change comes into force (R31).
    pub past: Vec<Request>,
    /// How many more there are.
    pub past_more: u32,
    /// The letter that opened the request, where somebody may have to be shown it: by what a specialist's letter does, or by time.
    pub opening: Option<Box<Letter>>,
    /// The letters of the request so far, oldest first, where a specialist's letter may hand it to somebody (R27).
    pub thread: Vec<Past>,
}

/// The doors by which something reaches the desk.
#[derive(Debug, Clone)]
pub enum Occasion<'a> {
    /// A letter came in.
    Letter(Incoming<'a>),
    /// A letter that three attempts could not read; its mailbox and arrival are all that is known.
    Unreadable {
        /// Where it arrived.
        mailbox: &'a MailboxPolicy,
        /// When it arrived.
        arrived: DateTime<Utc>,
    },
    /// The moment has come at which a queued request is registered (R16).
    Opening(&'a Request),
    /// Nobody settled this in time (R10, R13).
    Lapse(&'a Request, &'a Pending),
    /// The moment has come at which a request needs looking at: a warning, a reminder, a closing (R21, R22).
    Due(&'a Request),
    /// Whoever is to say a word is to be reminded of it (R10, R26).
    Remind(&'a Request, &'a Pending),
    /// A letter of the desk will never be delivered.
    Undelivered {
        /// The request it was about.
        request: Option<&'a Request>,
        /// To whom.
        to: &'a Address,
        /// The server's reason, cleaned.
        why: &'a str,
        /// Whether the letter itself was for the desk's own people: then it is only recorded.
        internal: bool,
    },
    /// The change of representative that this request is about was to be written into the customer's file: done, or why not (R30).
    Amended(&'a Request, Result<(), &'a str>),
    /// The customer's file was edited otherwise than this request's procedure says (R30).
    Edited(&'a Request),
    /// This request passes to whoever took office (R31).
    Passes(&'a Request, &'a Heir<'a>),
    /// The desk looks at the appointments for the first time.
    FirstRoll(&'a Roll),
    /// Appointments are otherwise than the desk knew them (R6, R31).
    Appointments(&'a [Change]),
    /// The configuration was looked at anew (P8): its faults as `check` tells them; none if it is good again.
    Configuration(Option<&'a str>),
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// No request.
    Nothing,
    /// A new one.
    Opened(Matter),
    /// One that exists.
    Existing(RequestId),
}

/// Who the sender turned out to be, for `explain` and the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// `primary`, `additional`, `contract`, `former`, `official`, `specialist`, `approver`, `developer`, `supervisor`, `colleague`, `stranger`.
    pub role: &'static str,
    /// The customer's identifier.
    pub customer: Option<String>,
    /// The installation's identifier.
    pub installation: Option<String>,
}

impl Sender {
    /// Whether they write for no customer and are none of the desk's own people.
    pub fn is_outsider(&self) -> bool {
        matches!(self.role, "stranger" | "colleague" | "former")
    }
}

/// How a request goes on by itself after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// How its clock ran.
    pub course: Course,
    /// The older request that it goes on from (R23).
    pub continues: Option<Number>,
    /// The change of representative that it is about.
    pub succession: Option<Box<Procedure>>,
    /// When it next needs looking at; none if time alone brings nothing more.
    pub wakes: Option<DateTime<Utc>>,
}

/// What is to happen, and why. Applied in one transaction or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What became of the letter; for other occasions, of the request.
    pub verdict: Verdict,
    /// Who sent it; none for other occasions than letters.
    pub sender: Option<Sender>,
    /// What it is about.
    pub concern: Concern,
    /// What happens to that.
    pub events: Vec<Event>,
    /// Whom it is told.
    pub notices: Vec<Notice>,
    /// The steps that led here, in order, in English.
    pub reasons: Vec<String>,
    /// What bears on it beside them.
    pub findings: Findings,
    /// How the request goes on by itself; none if as before.
    pub onward: Option<Onward>,
}

/// The next number of a year (R17), given the last one of each.
pub fn next_number(last_numbers: &BTreeMap<i32, u32>, year: i32) -> Number {
    Number::new(
        year,
        last_numbers
            .get(&year)
            .copied()
            .unwrap_or(0)
            .saturating_add(1),
    )
}

/// Decides. `now` is the moment of deciding; what depends on the moment of arrival uses that.
pub fn decide(desk: &Desk, known: &Known, occasion: &Occasion<'_>, now: DateTime<Utc>) -> Decision {
    match occasion {
        Occasion::Letter(incoming) => reception::letter(desk, known, incoming, now),
        Occasion::Unreadable { mailbox, arrived } => {
            timing::unreadable(desk, mailbox, *arrived, now)
        }
        Occasion::Opening(request) => timing::opening(desk, known, request, now),
        Occasion::Lapse(request, pending) => timing::lapse(desk, request, pending, now),
        Occasion::Due(request) => ticking::due(desk, known, request, now),
        Occasion::Amended(request, outcome) => effect::amended(desk, request, *outcome, now),
        Occasion::Edited(request) => effect::edited(desk, request, now),
        Occasion::Passes(request, heir) => passing::pass(desk, known, request, heir, now),
        Occasion::Remind(request, pending) => ticking::remind(desk, known, request, pending, now),
        Occasion::Undelivered {
            request,
            to,
            why,
            internal,
        } => timing::undelivered(desk, *request, to, why, *internal, now),
        Occasion::FirstRoll(roll) => appointments::first_seen(desk, roll, now),
        Occasion::Appointments(changes) => appointments::changed(desk, changes, now),
        Occasion::Configuration(faults) => configuration::looked_at(desk, *faults, now),
    }
}
