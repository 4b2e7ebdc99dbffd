//! What is known of a letter through who wrote it: the requests they may see (R44), and which request they mean by a closed one (D50).

use anyhow::Result;
use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::desk::decide::{Evidence, Known, Lead};
use crate::desk::letter::Letter;
use crate::desk::people::Standing;
use crate::desk::phrase::Service;
use crate::desk::request::Status;
use crate::desk::service::{self, Sight};
use crate::store::work::Work;

/// R44: what a letter that asks the desk itself may be shown, by the appointments of today, and whether closed requests are meant as well.
pub(super) fn asks_itself(
    config: &Config,
    letter: &Letter,
    known: &Known,
    now: DateTime<Utc>,
) -> Option<(Sight, bool)> {
    let desk = &config.desk;
    let day = desk.calendar.day_of(now);
    let Standing::Representative(appointments) =
        desk.directory.standing(letter.from.address()?, day)
    else {
        return None;
    };
    let closed = match service::asked(desk, letter, known.lead.is_some())? {
        Service::Status => false,
        Service::History => true,
        Service::Help => return None,
    };
    Some((service::sight(&appointments), closed))
}

/// The desk's own people mean the request that they name.
pub(super) fn is_own_people(config: &Config, letter: &Letter, now: DateTime<Utc>) -> bool {
    let desk = &config.desk;
    let day = desk.calendar.day_of(now);
    let standing = letter
        .from
        .address()
        .map(|a| desk.directory.standing(a, day));
    matches!(
        standing,
        Some(
            Standing::Specialist(_)
                | Standing::Approver(_)
                | Standing::Developer(_)
                | Standing::Supervisor(_)
        )
    )
}

/// So many requests that go on from one another are passed on the way to the newest.
const GENERATIONS: usize = 16;

/// D50: a letter about a closed request that another goes on from is about that one.
pub(super) async fn go_on(work: &mut Work, lead: &mut Lead) -> Result<()> {
    for _ in 0..GENERATIONS {
        let (Some(number), Status::Closed) = (lead.request.number, lead.request.status) else {
            break;
        };
        let Some(newer) = work.continuation(number).await? else {
            break;
        };
        lead.request = newer;
        // What the letter would have settled was the old request's.
        if let Evidence::Confirmation(_) = lead.evidence {
            lead.evidence = Evidence::Token;
        }
    }
    Ok(())
}
