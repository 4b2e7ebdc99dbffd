//! What can be told of a letter from its bytes alone: its content, how sure its sender is, what leads to a request (stops 3 to 6 of the way in).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::config::{Config, Mailbox};
use crate::desk::assurance::{Level, SenderAssurance};
use crate::desk::letter::{Automatic, From, Letter};
use crate::desk::people::Standing;
use crate::desk::policy::Authentication;
use crate::desk::signature::SignatureCheck;
use crate::mail::assurance;
use crate::mail::clues::{self, Clues};
use crate::mail::dkim::answer::Answer;
use crate::mail::dkim::signed::{Proof, Signed, Verdict};
use crate::mail::essence;
use crate::mail::parse::{self, Caps};
use crate::mail::thread::{self, Keys};
use crate::mail::witness::Witness;

/// A letter with everything that can be told from its bytes.
#[derive(Debug, Clone)]
pub struct Examined {
    /// What was read.
    pub letter: Letter,
    /// How sure the desk is of its sender.
    pub assurance: SenderAssurance,
    /// What leads to a request.
    pub clues: Clues,
    /// Signatures that could still make its sender surer; none once they are judged, or where it makes no difference.
    pub signed: Option<Signed>,
    /// The identity of the signature that vouches for it, or that our own server vouched for (K4).
    pub signature_key: Option<[u8; 32]>,
    /// What the preliminary check found of its electronic signatures (R29): nothing before somebody asks for it.
    pub signatures: Vec<SignatureCheck>,
    /// What it says, apart from its figures; none if it says nothing.
    pub essence: Option<[u8; 32]>,
}

/// Stops 3 to 6: from bytes to a letter, its assurance and its clues. Pure.
pub fn examine(raw: &[u8], config: &Config, mailbox: &str, arrived: DateTime<Utc>) -> Examined {
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
    let mailbox = config.mailboxes.iter().find(|m| m.policy.name == mailbox);
    let nobody = Witness::nobody();
    let witness = mailbox.map_or(&nobody, |m| &m.witness);
    let assurance = assurance::judge(raw, &letter, witness);
    let from = signer(config, mailbox, &letter, arrived);
    let signed = from.map(|from| Signed::read(raw, &from, arrived));
    // Where our own server has vouched nobody is asked; but whoever sends a signed letter again is vouched for as well (G6).
    let (signed, signature_key) = if assurance.is_authenticated() {
        (None, signed.and_then(|s| s.identity()))
    } else {
        (signed, None)
    };
    Examined {
        essence: essence::of(&letter.new_text),
        letter,
        assurance,
        clues,
        signed,
        signature_key,
        signatures: Vec::new(),
    }
}

/// The domain whose signatures matter. For what strangers write the DNS is not asked at all (P7): only for a sender on file or in a
/// customer's own domain, whose domains the desk was told of.
fn signer(
    config: &Config,
    mailbox: Option<&Mailbox>,
    letter: &Letter,
    arrived: DateTime<Utc>,
) -> Option<String> {
    let From::One { address, .. } = &letter.from else {
        return None;
    };
    let wanted = mailbox.is_some_and(|m| m.dkim && m.policy.authentication != Authentication::Off);
    let by_a_person =
        letter.own.is_none() && matches!(letter.automatic, None | Some((Automatic::Bulk, _)));
    if !wanted || !by_a_person {
        return None;
    }
    let day = config.desk.calendar.day_of(arrived);
    match config.desk.directory.standing(address, day) {
        Standing::Own | Standing::Stranger => None,
        Standing::Representative(_)
        | Standing::Specialist(_)
        | Standing::Approver(_)
        | Standing::Developer(_)
        | Standing::Supervisor(_)
        | Standing::Official(_)
        | Standing::Former(_)
        | Standing::Colleague(_) => Some(address.domain().to_owned()),
    }
}

impl Examined {
    /// The names whose texts tell whether its signatures hold; mostly none.
    pub fn questions(&self) -> BTreeSet<String> {
        self.signed
            .as_ref()
            .map(Signed::questions)
            .unwrap_or_default()
    }

    /// Judges the signatures by what the DNS said; false if the decision must wait because it said nothing (C35, G5). A letter that our own
    /// server speaks against does not wait.
    pub fn settle(&mut self, answers: &BTreeMap<String, Answer>) -> bool {
        let Some(signed) = &self.signed else {
            return true;
        };
        let proof = signed.judge(answers);
        if proof.verdict == Verdict::Unknown && self.assurance.level() > Level::None {
            return false;
        }
        self.take(proof);
        true
    }

    /// The same for the last time: what is not known by now is not proved.
    pub fn settle_at_last(&mut self, answers: &BTreeMap<String, Answer>) {
        if let Some(signed) = &self.signed {
            let proof = signed.judge(answers);
            self.take(proof);
        }
    }

    /// Goes on without the DNS, and says so.
    pub fn settle_unasked(&mut self) {
        let notes = self.signed.take().map(|signed| signed.unasked());
        for note in notes.unwrap_or_default() {
            self.assurance = self.assurance.clone().noting(note);
        }
    }

    fn take(&mut self, proof: Proof) {
        self.signed = None;
        let mut assurance = self.assurance.clone();
        for note in proof.notes {
            assurance = assurance.noting(note);
        }
        self.signature_key = proof.signature_key;
        self.assurance = match proof.verdict {
            Verdict::Proved(how) => assurance.signed_by_domain(format!("DKIM: signed by {how}")),
            Verdict::Unproved => assurance,
            Verdict::Unknown => assurance.noting(
                "The DNS did not answer for hours: it goes on as one that nothing vouches for",
            ),
        };
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
