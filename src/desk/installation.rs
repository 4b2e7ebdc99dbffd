//! Which installation a letter is about (R8).

use super::address::Address;
use super::people::{Appointment, Directory, Installation};
use super::policy::MailboxPolicy;

/// What R8 makes of a letter.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding<'a> {
    /// One of the sender's own.
    Own {
        /// The sender's appointment there.
        appointment: Appointment<'a>,
        /// By which of R8's steps.
        because: &'static str,
    },
    /// The letter names one for which the sender has no authority (C38).
    Foreign {
        /// That one.
        installation: &'a Installation,
        /// By which of R8's steps it was named.
        because: &'static str,
    },
    /// Nothing names one and the sender has several.
    Unclear,
}

/// R8 up to the step that depends on order or question: mailbox or address, subject tag, the sender's only one.
///
/// `appointments` are the sender's, in office on the day of arrival, highest role first.
pub fn of<'a>(
    directory: &'a Directory,
    appointments: &[Appointment<'a>],
    mailbox: &MailboxPolicy,
    recipients: &[Address],
    subject: &str,
) -> Finding<'a> {
    let own = |id: &str| {
        appointments
            .iter()
            .copied()
            .find(|a| a.installation.id == id)
    };
    if let Some((installation, because)) = addressed(directory, mailbox, recipients) {
        return match own(&installation.id) {
            Some(appointment) => Finding::Own {
                appointment,
                because,
            },
            None => Finding::Foreign {
                installation,
                because,
            },
        };
    }
    let because = "a tag in the subject";
    let mut tagged = appointments
        .iter()
        .copied()
        .filter(|a| is_tagged(a.installation, subject));
    if let (Some(appointment), None) = (tagged.next(), tagged.next()) {
        return Finding::Own {
            appointment,
            because,
        };
    }
    // A tag of another installation of the sender's own customer is meant; one of a stranger customer is a coincidence of words.
    let siblings = appointments.iter().flat_map(|a| &a.customer.installations);
    let foreign = siblings
        .filter(|i| own(&i.id).is_none())
        .find(|i| is_tagged(i, subject));
    if let Some(installation) = foreign {
        return Finding::Foreign {
            installation,
            because,
        };
    }
    let mut distinct: Vec<Appointment<'a>> = Vec::new();
    for a in appointments {
        if !distinct
            .iter()
            .any(|d| d.installation.id == a.installation.id)
        {
            distinct.push(*a);
        }
    }
    match distinct.as_slice() {
        [only] => Finding::Own {
            appointment: *only,
            because: "the sender's only installation",
        },
        _ => Finding::Unclear,
    }
}

/// The installation that the reply to "which one?" names: its identifier, name or tag stands in the text, or its place in the list.
pub fn named<'a>(appointments: &[Appointment<'a>], text: &str) -> Option<Appointment<'a>> {
    let folded = text.to_lowercase();
    let mentions = |i: &Installation| {
        let words = [&i.id, &i.name];
        words
            .into_iter()
            .chain(&i.tags)
            .any(|w| !w.is_empty() && folded.contains(&w.to_lowercase()))
    };
    let mut named = appointments
        .iter()
        .copied()
        .filter(|a| mentions(a.installation));
    match (named.next(), named.next()) {
        (Some(one), None) => Some(one),
        (None, _) => {
            let place: usize = text
                .split_whitespace()
                .next()?
                .trim_end_matches(['.', ')'])
                .parse()
                .ok()?;
            appointments.get(place.checked_sub(1)?).copied()
        }
        (Some(_), Some(_)) => None,
    }
}

fn addressed<'a>(
    directory: &'a Directory,
    mailbox: &MailboxPolicy,
    recipients: &[Address],
) -> Option<(&'a Installation, &'static str)> {
    let by_address = directory
        .customers()
        .iter()
        .flat_map(|c| &c.installations)
        .find(|i| {
            i.addresses
                .iter()
                .any(|a| recipients.iter().any(|r| directory.same(a, r)))
        });
    if let Some(installation) = by_address {
        return Some((installation, "the address it was sent to"));
    }
    let (_, installation) = directory.installation(mailbox.installation.as_deref()?)?;
    Some((installation, "the mailbox it came to"))
}

fn is_tagged(installation: &Installation, subject: &str) -> bool {
    let folded = subject.to_lowercase();
    installation
        .tags
        .iter()
        .any(|tag| !tag.is_empty() && folded.contains(&tag.to_lowercase()))
}
