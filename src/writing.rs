//! Stop 6 of the way in: what was decided becomes letters with fixed bytes and Message-IDs, and an explanation that tells of them.

use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::desk::decide::{Decision, Known};
use crate::desk::notice::{Notice, Purpose};
use crate::examination::Examined;
use crate::explanation::{self, Told};
use crate::mail::compose;
use crate::mail::enclosure::{File, Files};
use crate::mail::thread::{Token, TokenKind};
use crate::store::column::Pressed;
use crate::store::letters::Waiting;
use crate::store::work::{LetterResult, Names, Outgoing, Written};

/// A letter that was decided on; what is to be sent for it is not written yet.
#[derive(Debug)]
pub struct Draft {
    /// The letter as it was kept; its bytes are gone.
    pub waiting: Waiting,
    /// What was read in it.
    pub examined: Examined,
    /// What the store knew.
    pub known: Known,
    /// What was decided.
    pub decision: Decision,
    /// The names that the decision's rows will have.
    pub names: Names,
    /// What is recorded of the letter.
    pub result: LetterResult,
    /// The octets of the files that are sent along.
    pub files: Files,
}

impl Draft {
    /// Stop 6: the letters, and the explanation that tells of them.
    fn write(&self, config: &Config, now: DateTime<Utc>) -> Result<Written> {
        let (letters, told) = write_with(config, &self.decision, &self.names, &self.files, now)?;
        let explanation = explanation::for_the_record(explanation::json(&explanation::Case {
            letter: &self.examined.letter,
            assurance: &self.examined.assurance,
            arrived: self.waiting.arrived,
            known: &self.known,
            decision: &self.decision,
            told: &told,
            zone: config.desk.calendar.zone(),
        }));
        Ok(Written {
            explanation: Some(Pressed::new(explanation.to_string().as_bytes())?),
            letters,
        })
    }
}

/// Writes what drafts say, half of them on each of two threads; they come back in order.
pub async fn write_aside(
    config: &Arc<Config>,
    mut drafts: Vec<Draft>,
    now: DateTime<Utc>,
) -> Result<Vec<(Draft, Written)>> {
    let second = drafts.split_off(drafts.len().div_ceil(2));
    let writing = [drafts, second].map(|drafts| {
        let config = Arc::clone(config);
        tokio::task::spawn_blocking(move || -> Result<Vec<(Draft, Written)>> {
            let mut done = Vec::new();
            for draft in drafts {
                let written = draft.write(&config, now)?;
                done.push((draft, written));
            }
            Ok(done)
        })
    });
    let mut done = Vec::new();
    for half in writing {
        done.extend(half.await.context("Writing a letter broke off")??);
    }
    Ok(done)
}

/// The comparison keys of those whom a decision's notices go to.
pub fn readers(config: &Config, decision: &Decision) -> Vec<String> {
    let notices = decision.notices.iter();
    notices.map(|n| config.desk.directory.key(&n.to)).collect()
}

/// Writes the letters of a decision: fixed bytes, one recipient each.
///
/// # Errors
/// There is no memory for them.
pub fn write(
    config: &Config,
    decision: &Decision,
    names: &Names,
    now: DateTime<Utc>,
) -> Result<(Vec<Outgoing>, Vec<Told>)> {
    write_with(config, decision, names, &Files::new(), now)
}

/// The same with the files that they send along.
fn write_with(
    config: &Config,
    decision: &Decision,
    names: &Names,
    files: &Files,
    now: DateTime<Utc>,
) -> Result<(Vec<Outgoing>, Vec<Told>)> {
    let mut letters = Vec::new();
    let mut told = Vec::new();
    for (notice, id) in decision.notices.iter().zip(&names.outbox) {
        let token = Token {
            kind: token_kind(notice),
            request: names.request,
            outbox: *id,
        };
        let composed = compose::compose_with(
            notice,
            enclosed(notice, files),
            &config.desk,
            &config.wording,
            &config.keys,
            &token,
            now,
        );
        told.push(Told {
            to: notice.to.to_string(),
            template: notice.template.word(),
            subject: composed.subject.clone(),
        });
        letters.push(Outgoing {
            id: *id,
            recipient: notice.to.to_string(),
            recipient_key: config.desk.directory.key(&notice.to),
            template: notice.template.word().to_owned(),
            refusal: notice.template.is_refusal(),
            internal: notice.template.is_internal(),
            subject: composed.subject,
            message_id: composed.message_id,
            bytes: Pressed::new(&composed.bytes)?,
        });
    }
    Ok((letters, told))
}

fn enclosed(notice: &Notice, files: &Files) -> Vec<File> {
    let enclosed = notice.tells.enclosed.iter();
    enclosed
        .filter_map(|file| {
            Some(File {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                octets: files.get(&(file.letter, file.place))?.clone(),
            })
        })
        .collect()
}

fn token_kind(notice: &Notice) -> TokenKind {
    match notice.purpose {
        Purpose::Reply => TokenKind::Reply,
        Purpose::ConfirmNew(_) | Purpose::Confirm(_) => TokenKind::Confirm,
        Purpose::Internal => TokenKind::Internal,
        Purpose::Nothing => TokenKind::Nothing,
    }
}
