//! A configuration that was edited while the desk runs and can't be used: the specialists are told, and told when it is good again (P8).

use chrono::{DateTime, Utc};

use super::decide::{Decision, Verdict};
use super::draft::Draft;
use super::event::Event;
use super::notice::{Alert, Tells};
use super::policy::Desk;
use super::telling;

/// As much of the faults as a letter shows; the log and `postdesk check` have all of them.
const SHOWN: usize = 4000;

/// The files were read anew: with these faults, and then all stays as it was; or they are good again.
pub(super) fn looked_at(desk: &Desk, faults: Option<&str>, now: DateTime<Utc>) -> Decision {
    let mut draft = Draft::new(desk, now);
    let (why, alert) = match faults {
        Some(_) => (
            "The edited configuration has faults: the old one stays in force (P8)",
            Alert::BadConfiguration,
        ),
        None => (
            "The configuration is good again and in force (P8)",
            Alert::GoodConfiguration,
        ),
    };
    draft.because(why);
    draft.event(Event::Noted {
        what: why.to_owned(),
    });
    let tells = Tells {
        text: faults.map(|f| f.chars().take(SHOWN).collect()),
        text_cut: faults.is_some_and(|f| f.chars().nth(SHOWN).is_some()),
        ..Tells::default()
    };
    telling::alert(&mut draft, None, tells, alert);
    draft.end(Verdict::Attached)
}
