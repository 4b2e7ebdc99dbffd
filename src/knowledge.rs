//! What the store knows that bears on a letter: the request it seems to be about, and what its sender caused before (stop 7 of the way in).

mod person;

use std::collections::BTreeSet;

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::chronicle;
use crate::config::Config;
use crate::desk::address::Address;
use crate::desk::bounce::Returned;
use crate::desk::call;
use crate::desk::consent;
use crate::desk::decide::{Decision, Evidence, Known, Lead};
use crate::desk::directive::{self, Directive};
use crate::desk::dossier::Past;
use crate::desk::finding::Alternative;
use crate::desk::letter::{From, Letter};
use crate::desk::notice::Template;
use crate::desk::people::Standing;
use crate::desk::request::{Channel, Number, Pending, PendingKind, Request, RequestId};
use crate::desk::succession::opening;
use crate::examination::Examined;
use crate::mail::clues::{Clue, Clues, Place};
use crate::mail::enclosure::{self, Files};
use crate::mail::parse::{self, Caps};
use crate::mail::thread::{Token, TokenKind};
use crate::store::lately::Since;
use crate::store::letters::LetterId;
use crate::store::work::Work;

/// Stop 7: what the store knows that bears on the letter. A secret of ours that it carries raises its assurance (R13).
///
/// # Errors
/// The store can't be read.
pub async fn known(
    work: &mut Work,
    config: &Config,
    examined: &mut Examined,
    id: Option<LetterId>,
    now: DateTime<Utc>,
) -> Result<Known> {
    let mut known = Known {
        last_numbers: work.last_numbers().clone(),
        ..Known::default()
    };
    let sender = examined.letter.from.address();
    let sender = sender.map(|a| config.desk.directory.key(a));
    let followed = follow(work, &examined.clues, sender.as_deref()).await?;
    (known.lead, known.unclear) = (followed.lead, followed.unclear);
    known.rejected = followed.rejected;
    let asks = asks(config, &examined.letter, now);
    if let Some(lead) = &mut known.lead {
        if !person::is_own_people(config, &examined.letter, now) {
            person::go_on(work, lead).await?;
        }
        lead.opening = opening(work, &lead.request, asks.opening).await?;
        if asks.history {
            known.history = history(work, config, &lead.request).await?;
        }
        if asks.shown || shows(config, &lead.request, &examined.letter) {
            known.opening = opening_of(work, &lead.request).await?;
        }
        if asks.thread {
            known.thread = thread(work, config, lead.request.id).await?;
        }
    }
    known.returned = returned(work, config, &examined.letter).await?;
    known.successions = successions(work, config, &examined.letter, known.lead.as_ref()).await?;
    if proves(config, known.lead.as_ref(), &examined.letter) {
        examined.assurance = examined
            .assurance
            .clone()
            .challenged("it carries the secret of a letter that asked this address to confirm");
    }
    let letter = &examined.letter;
    let level = examined.assurance.level();
    known.seen_before = work
        .content_seen(&letter.content_key, id.unwrap_or(LetterId(0)), level)
        .await?;
    if let Some(key) = &examined.signature_key {
        let id = id.unwrap_or(LetterId(0));
        known.replayed = work.signature_seen(key, &letter.content_key, id).await?;
    }
    let since = since(config, now);
    known.alerts_last_hour = work.alerts(since.hour).await?;
    if let Some(lead) = &known.lead {
        known.request_letters_last_hour = work.letters_about(lead.request.id, since.hour).await?;
    }
    if let Some((sight, closed)) = person::asks_itself(config, letter, &known, now) {
        (known.own, known.own_more) = work.own_requests(&sight, closed).await?;
    }
    if let Some(key) = sender {
        let counts = work.counts(&key, since, level.is_authenticated()).await?;
        known.letters_last_hour = counts.letters_last_hour;
        known.requests_last_hour = counts.requests_last_hour;
        known.refusals_today = counts.refusals_today;
    }
    Ok(known)
}

/// The changes of representative that are under way for the customer whom the letter is about, where it is about one (R28).
async fn successions(
    work: &mut Work,
    config: &Config,
    letter: &Letter,
    lead: Option<&Lead>,
) -> Result<Vec<Request>> {
    let about = lead.and_then(|l| l.request.succession.as_deref());
    match about {
        Some(procedure) => work.successions(Some(&procedure.customer)).await,
        None if opening::is_asked(&config.desk, letter) => work.successions(None).await,
        None => Ok(Vec::new()),
    }
}

/// Whether the letter may have approvers shown what opened the request: it is one of theirs, or it proves that that is its requester's (R13, R26).
fn shows(config: &Config, request: &Request, letter: &Letter) -> bool {
    let Some(sender) = letter.from.address() else {
        return false;
    };
    let asked = |p: &Pending| match p.kind {
        PendingKind::Consent | PendingKind::Extension => {
            config.desk.directory.same(&p.party, sender)
        }
        PendingKind::Identity => consent::is_needed(request.matter.type_),
        PendingKind::Challenge
        | PendingKind::Commands
        | PendingKind::PrimaryConfirmation
        | PendingKind::WhichInstallation => false,
    };
    request.pending.iter().any(asked)
}

/// Letters that a developer is shown, and characters of each.
const SHOWN: usize = 30;
const SHOWN_OF_EACH: usize = 40_000;

/// The letters of a request but for what the desk's own people wrote, which stays inside.
async fn thread(work: &mut Work, config: &Config, request: RequestId) -> Result<Vec<Past>> {
    let mut thread = Vec::new();
    for id in work.letters_of(request, SHOWN).await? {
        let (arrived, raw) = work.original(id).await?;
        let letter = parse::read(&raw, Caps::DEFAULT);
        let From::One { address, name } = letter.from else {
            continue;
        };
        if config.desk.directory.is_staff(&address) && !thread.is_empty() {
            continue;
        }
        thread.push(Past {
            letter: id.0,
            who: if name.is_empty() {
                address.to_string()
            } else {
                name
            },
            arrived,
            text: letter.new_text.chars().take(SHOWN_OF_EACH).collect(),
            attachments: letter.attachments,
        });
    }
    Ok(thread)
}

/// The octets of the files that the decision's letters send along (R27).
///
/// # Errors
/// The store can't be read.
pub async fn enclosed(work: &mut Work, decision: &Decision) -> Result<Files> {
    let notices = decision.notices.iter();
    let wanted: BTreeSet<(i64, usize)> = notices
        .flat_map(|n| &n.tells.enclosed)
        .map(|file| (file.letter, file.place))
        .collect();
    let letters: BTreeSet<i64> = wanted.iter().map(|(letter, _)| *letter).collect();
    let mut files = Files::new();
    for letter in letters {
        let (_, raw) = work.original(LetterId(letter)).await?;
        let all = enclosure::octets(&raw, Caps::DEFAULT).into_iter();
        let named = all
            .enumerate()
            .map(|(place, octets)| ((letter, place), octets));
        files.extend(named.filter(|(name, _)| wanted.contains(name)));
    }
    Ok(files)
}

/// How many Message-IDs of a bounce may be those of letters of ours.
const RETURNED: usize = 12;

/// R47: the letter of ours that a bounce returns, by the seal in its Message-ID: in what came back, else in what the bounce answers.
async fn returned(work: &mut Work, config: &Config, letter: &Letter) -> Result<Option<Returned>> {
    let Some(bounce) = &letter.bounce else {
        return Ok(None);
    };
    let ids = bounce
        .original_message_id
        .iter()
        .chain(&bounce.further_ids)
        .chain(&letter.in_reply_to)
        .chain(letter.references.iter().rev());
    for id in ids.take(RETURNED) {
        let sealed = id.rsplit_once('@').map_or(id.as_str(), |(local, _)| local);
        let Some(token) = config.keys.open(sealed) else {
            continue;
        };
        let Some(sent) = work.sent(token.outbox).await? else {
            continue;
        };
        let Ok(to) = Address::new(&sent.recipient) else {
            continue;
        };
        let request = match sent.request {
            Some(id) => work.request(id).await?,
            None => None,
        };
        return Ok(Some(Returned {
            outbox: sent.id,
            to,
            request,
            template: Template::read(&sent.template),
            internal: sent.internal,
            about_failure: sent.about_failure,
            lost: sent.lost,
        }));
    }
    Ok(None)
}

/// The moments that limits count from (R12, R48).
pub fn since(config: &Config, now: DateTime<Utc>) -> Since {
    let day = config.desk.calendar.day_of(now);
    Since {
        hour: now.checked_sub_signed(TimeDelta::hours(1)).unwrap_or(now),
        day: config.desk.calendar.start_of_day(day),
    }
}

/// Whether the letter carries the secret of something that still waits for its sender's own word. One that was settled proves nothing any
/// more: it has been quoted since, and lies in other people's mail.
fn proves(config: &Config, lead: Option<&Lead>, letter: &Letter) -> bool {
    let (Some(lead), From::One { address, .. }) = (lead, &letter.from) else {
        return false;
    };
    let Evidence::Confirmation(id) = lead.evidence else {
        return false;
    };
    let same = |a: &Address| config.desk.directory.same(a, address);
    lead.written_to.as_ref().is_some_and(same)
        && lead
            .request
            .pending
            .iter()
            .any(|p| p.id == id && same(&p.party))
}

/// Where the clues lead.
#[derive(Default)]
struct Followed {
    lead: Option<Lead>,
    unclear: Vec<Request>,
    rejected: Vec<Alternative>,
}

/// Alternatives told of one letter.
const ALTERNATIVES: usize = 8;

/// Follows the ladder of evidence downwards: the first rung that leads to a request decides, and what lies below only tells whether it agrees.
/// Where clues of one strength lead to several requests, the one is meant that the desk last wrote to this sender about; nothing is guessed.
async fn follow(work: &mut Work, clues: &Clues, sender: Option<&str>) -> Result<Followed> {
    let mut followed = Followed::default();
    for place in &clues.forged {
        followed.reject(None, format!("a token in {}", place.in_words()), NOT_OURS);
    }
    let by_id = work.requests_by_message_ids(&clues.message_ids()).await?;
    for rung in &clues.ladder {
        let mut leads: Vec<Lead> = Vec::new();
        for clue in &rung.clues {
            let found = match clue {
                Clue::Token(token) => by_token(work, token, rung.place).await?,
                Clue::MessageId(id) => match by_id.get(id) {
                    Some(request) => lead(work.request(*request).await?, Evidence::MessageId, None),
                    // Most letters answer letters that the desk never saw.
                    None => continue,
                },
                Clue::Number(number) => lead(
                    work.request_by_number(*number).await?,
                    Evidence::SubjectNumber,
                    None,
                ),
            };
            match found {
                Some(lead) if leads.iter().any(|l| l.request.id == lead.request.id) => {}
                Some(lead) => leads.push(lead),
                None => followed.reject(None, in_words(clue, rung.place), NOT_OURS),
            }
        }
        followed.weigh(work, leads, sender).await?;
        if !followed.unclear.is_empty() {
            break;
        }
    }
    Ok(followed)
}

/// One answer for whatever is wrong with a clue: which it is would tell a forger how near they came (S1).
const NOT_OURS: &str = "it is none of ours, or leads to nothing that is there";

const UNDECIDED: &str = "equally strong evidence leads elsewhere, and nothing tells which is meant";

impl Followed {
    /// Takes what one rung leads to.
    async fn weigh(
        &mut self,
        work: &mut Work,
        leads: Vec<Lead>,
        sender: Option<&str>,
    ) -> Result<()> {
        let chosen = match (&self.lead, leads.as_slice()) {
            (_, []) => return Ok(()),
            (Some(taken), _) => Some((taken.request.id, "stronger evidence leads elsewhere")),
            (None, [only]) => Some((only.request.id, "")),
            (None, several) => {
                let ids: Vec<_> = several.iter().map(|l| l.request.id).collect();
                let told = match sender {
                    Some(sender) => work.last_told_of(sender, &ids).await?,
                    None => None,
                };
                told.map(|id| (id, "the desk wrote to the sender about another one last"))
            }
        };
        for lead in leads {
            match chosen {
                None => {
                    let clue = lead.evidence.in_words().to_owned();
                    self.reject(lead.request.number, clue, UNDECIDED);
                    self.unclear.push(lead.request);
                }
                Some((id, _)) if lead.request.id == id => {
                    self.lead.get_or_insert(lead);
                }
                Some((_, why)) => {
                    let clue = lead.evidence.in_words().to_owned();
                    self.reject(lead.request.number, clue, why);
                }
            }
        }
        Ok(())
    }

    fn reject(&mut self, number: Option<Number>, clue: String, why: &str) {
        let why = why.to_owned();
        let rejected = Alternative { number, clue, why };
        if self.rejected.len() < ALTERNATIVES && !self.rejected.contains(&rejected) {
            self.rejected.push(rejected);
        }
    }
}

fn in_words(clue: &Clue, place: Place) -> String {
    match clue {
        Clue::Token(_) => format!("a token in {}", place.in_words()),
        Clue::MessageId(_) => format!("a Message-ID in {}", place.in_words()),
        Clue::Number(number) => format!("the number {number} in {}", place.in_words()),
    }
}

fn lead(request: Option<Request>, evidence: Evidence, written_to: Option<Address>) -> Option<Lead> {
    request.map(|request| Lead {
        request,
        evidence,
        written_to,
        opening: None,
    })
}

/// A token leads where the letter that carried it went; one that names another request than that letter's leads nowhere (D43).
async fn by_token(work: &mut Work, token: &Token, place: Place) -> Result<Option<Lead>> {
    let Some(sent) = work.sent(token.outbox).await? else {
        return Ok(None);
    };
    let Some(id) = sent.request.filter(|id| Some(*id) == token.request) else {
        return Ok(None);
    };
    let Some(request) = work.request(id).await? else {
        return Ok(None);
    };
    let evidence = match (token.kind, sent.pending) {
        (TokenKind::Confirm, Some(pending))
            if place.is_answered() && request.pending.iter().any(|p| p.id == pending) =>
        {
            Evidence::Confirmation(pending)
        }
        (TokenKind::Internal, _) => Evidence::InternalToken,
        (TokenKind::Confirm | TokenKind::Reply | TokenKind::Nothing, _)
            if place == Place::Recipient =>
        {
            Evidence::ReplyAddress
        }
        (TokenKind::Confirm | TokenKind::Reply | TokenKind::Nothing, _) => Evidence::Token,
    };
    let written_to = Address::new(&sent.recipient).ok();
    Ok(lead(Some(request), evidence, written_to))
}

/// What a letter asks for that only the store knows.
#[derive(Default)]
struct Asks {
    opening: bool,
    history: bool,
    /// For approvers: what opened it (R20, R25).
    shown: bool,
    /// For a developer: all letters so far (R27).
    thread: bool,
}

/// A specialist who makes somebody else answer for the letter that opened the request (R9, R20, R25, R27) has it cited to them; one who asks
/// what happened is told (R39).
fn asks(config: &Config, letter: &Letter, now: DateTime<Utc>) -> Asks {
    let desk = &config.desk;
    let day = desk.calendar.day_of(now);
    let is_specialist =
        |a: &Address| matches!(desk.directory.standing(a, day), Standing::Specialist(_));
    if !letter.from.address().is_some_and(is_specialist) {
        return Asks::default();
    }
    let commands = directive::read(&letter.new_text).directives;
    let has = |wanted: fn(&Directive) -> bool| commands.iter().flatten().any(wanted);
    Asks {
        opening: has(|d| {
            matches!(
                d,
                Directive::Kind(_)
                    | Directive::Type(_)
                    | Directive::Developer(_)
                    | Directive::Extend(..)
                    | Directive::Approval
            )
        }),
        history: has(|d| *d == Directive::History),
        shown: has(|d| {
            matches!(
                d,
                Directive::Type(_) | Directive::Extend(..) | Directive::Approval
            )
        }),
        thread: has(|d| matches!(d, Directive::Developer(_))),
    }
}

/// Happenings that are told of one request: the latest.
const HAPPENINGS: usize = 200;

/// What happened to a request so far, a sentence each.
async fn history(
    work: &mut Work,
    config: &Config,
    request: &Request,
) -> Result<Vec<(DateTime<Utc>, String)>> {
    let zone = config.desk.calendar.zone();
    let lines = work.history(request.id).await?;
    let skipped = lines.len().saturating_sub(HAPPENINGS);
    let told = lines.iter().skip(skipped).filter_map(|line| {
        let sentence = chronicle::told(line, zone).into_iter().next()?;
        Some((line.at, sentence))
    });
    Ok(told.collect())
}

/// What a request was opened with, while it waits for its installation or where it is `wanted`: whoever is asked next must see that text and
/// not the answer.
async fn opening(work: &mut Work, request: &Request, wanted: bool) -> Result<Option<Box<Letter>>> {
    let asked = |p: &Pending| p.kind == PendingKind::WhichInstallation;
    if !wanted && !request.pending.iter().any(asked) {
        return Ok(None);
    }
    opening_of(work, request).await
}

/// The letter that opened a request; none if it was not opened by one. Of a call (R41) it is what the caller said, and not how it was noted.
///
/// # Errors
/// The store can't be read.
pub async fn opening_of(work: &mut Work, request: &Request) -> Result<Option<Box<Letter>>> {
    let raw = work.opening_letter(request.id).await?;
    Ok(raw.map(|raw| {
        let letter = parse::read(&raw, Caps::DEFAULT);
        Box::new(match request.matter.channel {
            Channel::Mail => letter,
            Channel::Phone | Channel::Messenger | Channel::InPerson => call::retold(&letter),
        })
    }))
}
