//! What the store knows that bears on a letter: the request it seems to be about, and what its sender caused before (stop 7 of the way in).

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Config;
use crate::desk::address::Address;
use crate::desk::decide::{Evidence, Known, Lead};
use crate::desk::letter::{From, Letter};
use crate::desk::request::{Pending, PendingKind, Request};
use crate::examination::Examined;
use crate::mail::parse::{self, Caps};
use crate::mail::thread::{Clues, TokenKind};
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
    known.lead = lead(work, &examined.clues).await?;
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
    let since = since(config, now);
    known.alerts_last_hour = work.alerts(since.hour).await?;
    if let From::One { address, .. } = &letter.from {
        let key = config.desk.directory.key(address);
        let counts = work.counts(&key, since, level.is_authenticated()).await?;
        known.letters_last_hour = counts.letters_last_hour;
        known.requests_last_hour = counts.requests_last_hour;
        known.refusals_today = counts.refusals_today;
    }
    Ok(known)
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

/// The request that the strongest clue leads to.
async fn lead(work: &mut Work, clues: &Clues) -> Result<Option<Lead>> {
    for token in &clues.tokens {
        let Some(sent) = work.sent(token.outbox).await? else {
            continue;
        };
        let Some(id) = sent.request.filter(|id| Some(*id) == token.request) else {
            continue;
        };
        let Some(request) = work.request(id).await? else {
            continue;
        };
        let evidence = match (token.kind, sent.pending) {
            (TokenKind::Confirm, Some(pending))
                if clues.answered.contains(token)
                    && request.pending.iter().any(|p| p.id == pending) =>
            {
                Evidence::Confirmation(pending)
            }
            (TokenKind::Internal, _) => Evidence::InternalToken,
            (TokenKind::Confirm | TokenKind::Reply | TokenKind::Nothing, _) => Evidence::Token,
        };
        let written_to = Address::new(&sent.recipient).ok();
        let opening = opening(work, &request).await?;
        return Ok(Some(Lead {
            request,
            evidence,
            written_to,
            opening,
        }));
    }
    if !clues.message_ids.is_empty()
        && let Some((id, _)) = work.request_by_message_ids(&clues.message_ids).await?
        && let Some(request) = work.request(id).await?
    {
        let opening = opening(work, &request).await?;
        return Ok(Some(Lead {
            request,
            evidence: Evidence::MessageId,
            written_to: None,
            opening,
        }));
    }
    if let Some(number) = clues.number
        && let Some(request) = work.request_by_number(number).await?
    {
        let opening = opening(work, &request).await?;
        return Ok(Some(Lead {
            request,
            evidence: Evidence::SubjectNumber,
            written_to: None,
            opening,
        }));
    }
    Ok(None)
}

/// What a request that waits for its installation was opened with: whoever is asked next must see that text and not the answer.
async fn opening(work: &mut Work, request: &Request) -> Result<Option<Box<Letter>>> {
    let asked = |p: &Pending| p.kind == PendingKind::WhichInstallation;
    if !request.pending.iter().any(asked) {
        return Ok(None);
    }
    let raw = work.opening_letter(request.id).await?;
    Ok(raw.map(|raw| Box::new(parse::read(&raw, Caps::DEFAULT))))
}
