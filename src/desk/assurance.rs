//! How sure the desk is of who sent a letter: computed once per letter, demanded by every function that grants anything (R13, S6).

use std::fmt;

/// The five levels of `TRUST` in ascending order; comparisons are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No single usable `From:`, or positive evidence against it. May nothing.
    None,
    /// The address is claimed; nothing speaks for or against it. May ask.
    Weak,
    /// The sender's domain vouches for the letter, aligned with `From:`. May order.
    Domain,
    /// The letter carries a secret that was mailed to the registered address. May order.
    Challenged,
    /// A valid electronic signature bound to the customer.
    Signed,
}

impl Level {
    /// All five, in ascending order.
    pub const ALL: [Self; 5] = [
        Self::None,
        Self::Weak,
        Self::Domain,
        Self::Challenged,
        Self::Signed,
    ];

    /// The word in store and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Weak => "weak",
            Self::Domain => "domain",
            Self::Challenged => "challenged",
            Self::Signed => "signed",
        }
    }

    /// Reads the word back.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.word() == word)
    }

    /// Whether a letter of this level may be taken as coming from its `From:` address.
    pub fn is_authenticated(self) -> bool {
        self >= Self::Domain
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The level with the evidence it rests on. There is no way to make one without saying why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderAssurance {
    level: Level,
    evidence: Vec<String>,
}

impl SenderAssurance {
    /// Nobody can be named as the sender, or the evidence speaks against the one named.
    pub fn none(why: impl Into<String>) -> Self {
        Self {
            level: Level::None,
            evidence: vec![why.into()],
        }
    }

    /// The address stands in `From:` and that is all.
    pub fn weak(why: impl Into<String>) -> Self {
        Self {
            level: Level::Weak,
            evidence: vec![why.into()],
        }
    }

    /// The domain of `From:` vouches for the letter.
    pub fn domain(why: impl Into<String>) -> Self {
        Self {
            level: Level::Domain,
            evidence: vec![why.into()],
        }
    }

    /// What was established about a letter when it came, for a decision that rests on it later.
    pub fn recorded(level: Level, why: impl Into<String>) -> Self {
        Self {
            level,
            evidence: vec![why.into()],
        }
    }

    /// Adds evidence that changes nothing but is worth telling.
    #[must_use]
    pub fn noting(mut self, why: impl Into<String>) -> Self {
        self.evidence.push(why.into());
        self
    }

    /// The letter carries the secret of a challenge that was mailed to this very address. Evidence against the sender is not outweighed.
    #[must_use]
    pub fn challenged(mut self, why: impl Into<String>) -> Self {
        self.evidence.push(why.into());
        if self.level > Level::None {
            self.level = self.level.max(Level::Challenged);
        }
        self
    }

    /// The domain of `From:` signed it, by the desk's own check. Where our own server speaks against the sender, one of the two is wrong:
    /// then the letter is a claim, and what it orders is confirmed by the registered address.
    #[must_use]
    pub fn signed_by_domain(mut self, why: impl Into<String>) -> Self {
        self.evidence.push(why.into());
        self.level = match self.level {
            Level::None => Level::Weak,
            Level::Weak => Level::Domain,
            Level::Domain | Level::Challenged | Level::Signed => self.level,
        };
        self
    }

    /// The level reached.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What it rests on, in the order it was found.
    pub fn evidence(&self) -> &[String] {
        &self.evidence
    }

    /// Whether the letter may be taken as coming from its `From:` address.
    pub fn is_authenticated(&self) -> bool {
        self.level.is_authenticated()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_proves_a_claim_and_contradicts_a_forgery() {
        for (before, after) in [
            (SenderAssurance::none("dmarc=fail"), Level::Weak),
            (SenderAssurance::weak("claimed"), Level::Domain),
            (SenderAssurance::domain("dmarc=pass"), Level::Domain),
        ] {
            let judged = before.signed_by_domain("signed");
            assert_eq!(judged.level(), after);
            assert_eq!(judged.evidence().len(), 2);
        }
    }

    #[test]
    fn a_challenge_lifts_a_claim_but_not_a_forgery() {
        assert_eq!(
            SenderAssurance::weak("claimed").challenged("token").level(),
            Level::Challenged
        );
        assert_eq!(
            SenderAssurance::none("dmarc=fail")
                .challenged("token")
                .level(),
            Level::None
        );
    }
}
