//! What the store knows that bears on a letter: the request it seems to be about, and what its sender caused before (stop 7 of the way in).

use anyhow::Result;
use chrono::{DateTime, TimeDelta, Utc};

use crate::config::Config;
use crate::desk::address::Address;
use crate::desk::decide::{Evidence, Known, Lead};
use crate::desk::letter::From;
use crate::examination::Examined;
use crate::mail::thread::{Clues, TokenKind};
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
    let letter = &examined.letter;
    known.seen_before = work
        .content_seen(&letter.content_key, id.unwrap_or(LetterId(0)))
        .await?;
    known.lead = lead(work, &examined.clues).await?;
    if let From::One { address, .. } = &letter.from {
        let day = config.desk.calendar.day_of(now);
        let midnight = config.desk.calendar.start_of_day(day);
        let hour_ago = now.checked_sub_signed(TimeDelta::hours(1)).unwrap_or(now);
        let counts = work
            .counts(&config.desk.directory.key(address), hour_ago, midnight)
            .await?;
        known.letters_last_hour = counts.letters_last_hour;
        known.requests_last_hour = counts.requests_last_hour;
        known.refusals_today = counts.refusals_today;
        let proved = known.lead.as_ref().is_some_and(|lead| {
            let to_sender = lead
                .written_to
                .as_ref()
                .is_some_and(|to| config.desk.directory.same(to, address));
            to_sender && matches!(lead.evidence, Evidence::Confirmation(_))
        });
        if proved {
            examined.assurance = examined
                .assurance
                .clone()
                .challenged("it carries the secret of a letter that asked this address to confirm");
        }
    }
    Ok(known)
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
            (TokenKind::Confirm, Some(pending)) => Evidence::Confirmation(pending),
            (TokenKind::Internal, _) => Evidence::InternalToken,
            (TokenKind::Confirm | TokenKind::Reply | TokenKind::Nothing, _) => Evidence::Token,
        };
        let written_to = Address::new(&sent.recipient).ok();
        return Ok(Some(Lead {
            request,
            evidence,
            written_to,
        }));
    }
    if !clues.message_ids.is_empty()
        && let Some((id, _)) = work.request_by_message_ids(&clues.message_ids).await?
        && let Some(request) = work.request(id).await?
    {
        return Ok(Some(Lead {
            request,
            evidence: Evidence::MessageId,
            written_to: None,
        }));
    }
    if let Some(number) = clues.number
        && let Some(request) = work.request_by_number(number).await?
    {
        return Ok(Some(Lead {
            request,
            evidence: Evidence::SubjectNumber,
            written_to: None,
        }));
    }
    Ok(None)
}
