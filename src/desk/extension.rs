//! More time: what a specialist asks the approvers for, until when nothing moves (R20).

use super::address::Address;
use super::consent::{self, Question};
use super::draft::Draft;
use super::event::Event;
use super::letter::Letter;
use super::notice::Tells;
use super::policy::Desk;
use super::request::{Pending, PendingKind, Request};

/// The most working days that may be asked for at once.
const MOST_DAYS: u32 = 250;

/// Whether a specialist may ask for so many working days more now (R20).
///
/// # Errors
/// Why not, in words.
pub(super) fn may_ask(desk: &Desk, request: &Request, days: u32) -> Result<(), &'static str> {
    let asked = |p: &Pending| p.kind == PendingKind::Extension;
    if request.due.is_none() || !consent::is_open(request.status) {
        Err("Nobody is asked for what is not registered yet, resolved or closed")
    } else if days == 0 || days > MOST_DAYS {
        Err("So many working days cannot be asked for (1 to 250)")
    } else if request.pending.iter().any(asked) {
        Err("More time was asked for already, and not every answer is there (R20)")
    } else if Question::Time.approvers(desk).next().is_none() {
        Err("No approver is listed in the configuration who decides on it (R25)")
    } else {
        Ok(())
    }
}

/// R20: asks the approvers for so many working days more. The reason is theirs to weigh, and the requester's to read once they agree.
pub(super) fn ask(
    draft: &mut Draft<'_>,
    cited: Option<&Letter>,
    days: u32,
    reason: &str,
    by: &Address,
) {
    let Some(request) = draft.stands() else {
        return;
    };
    draft.because(
        "The approvers are asked for more time; until they agree the due moment stays (R20)",
    );
    draft.event(Event::MoreTimeAsked {
        days,
        reason: reason.to_owned(),
        by: by.clone(),
    });
    for approver in Question::Time.approvers(draft.desk) {
        let tells = Tells {
            days: Some(days),
            reason: Some(reason.to_owned()),
            ..Tells::default()
        };
        consent::put(draft, &request, Question::Time, approver, cited, tells);
    }
}
