//! The second half of judging a sender: the DNS is asked about the signatures that need it, and a letter that can't be judged yet waits.

use crate::config::Config;
use crate::desk::people::Standing;
use crate::desk::succession::opening;
use crate::signature::Checker;
use crate::store::pool::Store;
use anyhow::Result;
use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use crate::dns::resolver::Resolver;
use crate::examination::Examined;
use crate::store::letters::{LetterId, Waiting};
use crate::telemetry;

/// When a letter is tried again after each silence of the DNS, in minutes; after these, some four hours, it goes on without (G5).
const POSTPONED: [i64; 7] = [1, 5, 15, 30, 60, 60, 60];

/// Judges what can be judged. The others come back with the moment at which they are tried again; their arrival stands.
pub async fn settle(
    dns: &mut Resolver,
    portion: Vec<(Waiting, Examined)>,
    now: DateTime<Utc>,
) -> (Vec<(Waiting, Examined)>, Vec<(LetterId, DateTime<Utc>)>) {
    let questions: BTreeSet<String> = portion.iter().flat_map(|(_, e)| e.questions()).collect();
    let answers = dns.answers(questions, now).await;
    let (mut settled, mut waits) = (Vec::new(), Vec::new());
    for (letter, mut examined) in portion {
        if !dns.asks() {
            examined.settle_unasked();
        } else if !examined.settle(&answers) {
            if let Some(until) = put_off(letter.postponed, now) {
                telemetry::letter_postponed(letter.id.0, &letter.mailbox, until);
                waits.push((letter.id, until));
                continue;
            }
            examined.settle_at_last(&answers);
        }
        settled.push((letter, examined));
    }
    (settled, waits)
}

/// When a letter that was put off so often is tried again; none if it has waited long enough.
fn put_off(before: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let minutes = POSTPONED.get(usize::try_from(before).ok()?)?;
    now.checked_add_signed(TimeDelta::minutes(*minutes))
}

/// R29: the signatures of letters that ask for a change of representative, from people who may bring one, are looked at before anything is
/// locked. `helper` is the program that does so, where it is not this one.
///
/// # Errors
/// The store can't be read.
pub async fn signatures(
    store: &Store,
    config: &Config,
    helper: Option<&Path>,
    letters: &mut [(Waiting, Examined)],
) -> Result<()> {
    for (waiting, examined) in letters {
        if waiting.oversize.is_none() && may_bring_a_letter(config, waiting, examined) {
            let (_, raw) = store.look().await?.original(waiting.id).await?;
            let mut checker = Checker::new(config.signatures.clone());
            if let Some(helper) = helper {
                checker = checker.with_helper(helper.to_owned());
            }
            examined.signatures = checker.check(&raw, waiting.arrived).await;
        }
    }
    Ok(())
}

/// Whether a letter may bring the customer's letter for a change of representative (R29): of a stranger's nothing is looked at (P7).
fn may_bring_a_letter(config: &Config, waiting: &Waiting, examined: &Examined) -> bool {
    let desk = &config.desk;
    let letter = &examined.letter;
    let day = desk.calendar.day_of(waiting.arrived);
    let known = letter.from.address().is_some_and(|from| {
        matches!(
            desk.directory.standing(from, day),
            Standing::Representative(_) | Standing::Official(_)
        )
    });
    known && !letter.attachments.is_empty() && opening::is_asked(desk, letter)
}
