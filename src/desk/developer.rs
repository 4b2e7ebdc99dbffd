//! Developers: a request is handed to one with all they need, and what they write comes back to the specialists (R27).

use super::address::Address;
use super::decide::{Decision, Incoming, Known, Lead, Verdict};
use super::dossier::{Enclosed, Past};
use super::draft::{Draft, StatusChange};
use super::event::Event;
use super::life::{self, Mover};
use super::notice::{Notice, Purpose, Tells, Template, Thread};
use super::people::Developer;
use super::policy::Desk;
use super::request::{Request, Status};
use super::telling::{self, State};

/// Why a request was not handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotHandedOver {
    /// No developer is listed, or none for this installation.
    Nobody,
    /// Nobody is called that.
    Unknown,
    /// Several are possible; their names.
    WhichOne(Vec<String>),
}

/// The developer that a specialist means: by name, part of a name or address; where nothing is named, the one of the installation, or the only one.
///
/// # Errors
/// There is none, or it is not clear which.
pub fn meant<'d>(
    desk: &'d Desk,
    request: &Request,
    named: &str,
) -> Result<&'d Developer, NotHandedOver> {
    let all = desk.directory.developers();
    let wanted = named.trim().to_lowercase();
    let installation = request.matter.installation.as_ref();
    let found: Vec<&Developer> = if wanted.is_empty() {
        let own = |d: &&Developer| installation.is_some_and(|i| d.installations.contains(i));
        let own: Vec<&Developer> = all.iter().filter(own).collect();
        if own.is_empty() {
            all.iter().filter(|d| d.installations.is_empty()).collect()
        } else {
            own
        }
    } else {
        let is = |d: &&Developer| {
            d.name.to_lowercase() == wanted || d.address.to_string().to_lowercase() == wanted
        };
        let exactly: Vec<&Developer> = all.iter().filter(is).collect();
        if exactly.is_empty() {
            let part = |d: &&Developer| d.name.to_lowercase().contains(&wanted);
            all.iter().filter(part).collect()
        } else {
            exactly
        }
    };
    match found.as_slice() {
        [one] => Ok(one),
        [] if all.is_empty() || wanted.is_empty() => Err(NotHandedOver::Nobody),
        [] => Err(NotHandedOver::Unknown),
        several => {
            let names = several.iter().map(|d| d.name.clone());
            Err(NotHandedOver::WhichOne(names.collect()))
        }
    }
}

/// R27: hands the request to a developer, with the letters so far, their files as far as there is room, and who consented; `text` is what the
/// specialist says to it. Whether it may be handed over, and its status, is whoever calls to see to.
pub(super) fn hand_over(
    draft: &mut Draft<'_>,
    known: &Known,
    developer: &Developer,
    text: Option<String>,
    by: &Address,
) {
    let Some(request) = draft.stands() else {
        return;
    };
    draft.because("Handed to a developer, with its letters and files (R27)");
    draft.event(Event::HandedOver {
        to: developer.address.clone(),
        by: by.clone(),
    });
    let desk = draft.desk;
    let (enclosed, left) = enclosed(&known.thread, desk.limits.enclosed);
    draft.tell(Notice {
        template: Template::ForDeveloper,
        to: developer.address.clone(),
        name: developer.name.clone(),
        locale: desk.locale,
        // What a developer answers stays inside (P6).
        purpose: Purpose::Internal,
        thread: Thread::default(),
        tells: Tells {
            reason: text,
            consents: consents(desk, &request),
            thread: known.thread.clone(),
            enclosed,
            attachments: left,
            ..telling::tells(desk, &request.matter, State::of(&request))
        },
    });
}

/// The files that are sent along, in order, as long as they all fit; and the names of those that do not. What a text only shows is left out.
fn enclosed(thread: &[Past], most: u64) -> (Vec<Enclosed>, Vec<String>) {
    let mut room = most;
    let (mut sent, mut left) = (Vec::new(), Vec::new());
    for past in thread {
        for (place, file) in past.attachments.iter().enumerate() {
            if file.inline {
                continue;
            }
            match room.checked_sub(file.size) {
                Some(rest) => {
                    room = rest;
                    sent.push(Enclosed {
                        letter: past.letter,
                        place,
                        name: file.name.clone(),
                        media_type: file.media_type.clone(),
                    });
                }
                None => left.push(file.name.clone()),
            }
        }
    }
    (sent, left)
}

/// Who consented to what the request is, and when.
fn consents(desk: &Desk, request: &Request) -> Vec<(String, chrono::DateTime<chrono::Utc>)> {
    let Some(consent) = request.course.consent.as_ref().filter(|c| c.whole) else {
        return vec![];
    };
    let name = |address: &Address| {
        let mut approvers = desk.directory.approvers().iter();
        let listed = approvers.find(|a| desk.directory.same(&a.address, address));
        listed.map_or_else(|| address.to_string(), |a| a.name.clone())
    };
    consent
        .by
        .iter()
        .map(|(who, at)| (name(who), *at))
        .collect()
}

/// R27: what a developer writes is entered as a note that stays inside and brought to the specialists; the request goes on, and its requester
/// hears no more than that.
pub(super) fn replied(
    mut draft: Draft<'_>,
    incoming: &Incoming<'_>,
    lead: &Lead,
    developer: &Developer,
) -> Decision {
    let request = &lead.request;
    draft.concerns(request);
    draft.because("A developer wrote: entered as a note that stays inside, and brought to the specialists (R27)");
    draft.event(Event::Attached {
        by: developer.address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: true,
    });
    let moves = life::may(request.status, Status::InProgress, Mover::Developer);
    if moves {
        draft.change_status(StatusChange {
            to: Status::InProgress,
            by: Some(developer.address.clone()),
            why: "The developer replied",
            at: incoming.arrived,
            ending: None,
        });
    }
    let (matter, state) = draft.after(request);
    let facts = telling::tells(draft.desk, &matter, state);
    if moves && matter.acknowledged && !matter.quiet {
        draft.tell(telling::to_requester(
            Template::StatusChanged,
            &matter,
            telling::continuing(&matter),
            Purpose::Reply,
            facts.clone(),
        ));
    }
    let tells = Tells {
        party_name: Some(developer.name.clone()),
        ..telling::citing(facts, incoming.letter)
    };
    for person in draft.desk.directory.specialists() {
        draft.tell(Notice {
            template: Template::DeveloperReplied,
            to: person.address.clone(),
            name: person.name.clone(),
            locale: draft.desk.locale,
            purpose: Purpose::Internal,
            thread: Thread::default(),
            tells: tells.clone(),
        });
    }
    draft.end(Verdict::Attached)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::desk::letter::Attachment;

    fn file(name: &str, size: u64, inline: bool) -> Attachment {
        Attachment {
            name: name.to_owned(),
            media_type: "application/pdf".to_owned(),
            size,
            sha256: [0; 32],
            inline,
        }
    }

    /// R27: what fits is sent along, in order; what does not is named; a logo that a text shows is neither.
    #[test]
    fn files_are_sent_along_as_far_as_there_is_room() {
        let past = |letter, attachments| Past {
            letter,
            who: String::new(),
            arrived: chrono::DateTime::UNIX_EPOCH,
            text: String::new(),
            attachments,
        };
        let thread = [
            past(7, vec![file("logo.png", 5, true), file("a.pdf", 60, false)]),
            past(9, vec![file("b.pdf", 41, false), file("c.pdf", 40, false)]),
        ];
        let (sent, left) = enclosed(&thread, 100);
        let places: Vec<(i64, usize, &str)> = sent
            .iter()
            .map(|e| (e.letter, e.place, e.name.as_str()))
            .collect();
        assert_eq!(places, [(7, 1, "a.pdf"), (9, 1, "c.pdf")]);
        assert_eq!(left, ["b.pdf"]);
        let (sent, left) = enclosed(&thread, 0);
        assert!(sent.is_empty());
        assert_eq!(left, ["a.pdf", "b.pdf", "c.pdf"]);
    }
}
