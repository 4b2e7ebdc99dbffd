//! What can be told of a letter from its bytes alone: its content, how sure its sender is, what leads to a request (stops 3 to 6 of the way in).

use std::borrow::Cow;

use crate::config::Config;
use crate::desk::assurance::SenderAssurance;
use crate::desk::letter::Letter;
use crate::mail::assurance;
use crate::mail::clues::{self, Clues};
use crate::mail::essence;
use crate::mail::parse::{self, Caps};
use crate::mail::thread::{self, Keys};

/// A letter with everything that can be told from its bytes.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What was read.
    pub letter: Letter,
    /// How sure the desk is of its sender.
    pub assurance: SenderAssurance,
    /// What leads to a request.
    pub clues: Clues,
    /// What it says, apart from its figures; none if it says nothing.
    pub essence: Option<[u8; 32]>,
}

/// Stops 3 to 6: from bytes to a letter, its assurance and its clues. Pure.
pub fn examine(raw: &[u8], config: &Config, mailbox: &str) -> Examined {
    let mut letter = parse::read(raw, Caps::DEFAULT);
    let clues = clues::find(&letter, &config.keys, &config.desk.address);
    without_tokens(&mut letter, &config.keys);
    let local = letter
        .message_id
        .as_deref()
        .and_then(|id| id.split('@').next());
    if local.is_some_and(|sealed| config.keys.open(sealed).is_some()) {
        letter.own = Some("its Message-ID is one of ours".to_owned());
    }
    let ids = config
        .mailboxes
        .iter()
        .find(|m| m.policy.name == mailbox)
        .map(|m| m.authserv_ids.as_slice())
        .unwrap_or_default();
    let assurance = assurance::judge(raw, &letter, ids);
    Examined {
        essence: essence::of(&letter.new_text),
        letter,
        assurance,
        clues,
    }
}

/// Nobody who is shown a letter learns the tokens that it quotes (`TRUST` 5 rule 6).
pub fn without_tokens(letter: &mut Letter, keys: &Keys) {
    for text in [&mut letter.text, &mut letter.new_text] {
        if let Cow::Owned(shorter) = thread::without_tokens(text, keys) {
            *text = shorter;
        }
    }
}
