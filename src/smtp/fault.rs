//! What can go wrong in an SMTP dialogue, and what it means for the letter.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use lettre::transport::smtp::Error;

use super::answer::{clean, greylisted};
use crate::parcel::Outcome;

/// How far the dialogue had come, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Looking up the name, TCP.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The server's first line.
    Greeting,
    /// EHLO.
    Ehlo,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to 354.
    Data,
    /// The letter's bytes, the final dot not yet begun.
    Body,
    /// From the final dot's first byte on.
    Dot,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "CONNECT",
            Self::Tls => "TLS",
            Self::Greeting => "GREETING",
            Self::Ehlo => "EHLO",
            Self::StartTls => "STARTTLS",
            Self::Auth => "AUTH",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Body => "BODY",
            Self::Dot => "DOT",
        })
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The server refused, with a 4xx or 5xx.
    Refused {
        /// Its code.
        code: u16,
        /// Its text, cleaned.
        text: String,
    },
    /// The connection broke, could not be made, or isn't what we agree to.
    Lost(String),
    /// No answer in this time.
    Silence(Duration),
    /// The server said something that doesn't fit the stage.
    Confused(String),
    /// The letter can't pass this server; it was not offered.
    Unfit(String),
}

/// What went wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub stage: Stage,
    /// What.
    pub what: What,
}

impl Fault {
    /// A fault at this stage.
    pub fn new(stage: Stage, what: What) -> Self {
        Self { stage, what }
    }

    /// What lettre reports at this stage.
    pub fn of(stage: Stage, error: &Error) -> Self {
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let what = match error.status() {
            Some(code) => What::Refused {
                code: code.into(),
                text: clean(&text),
            },
            None if text == "incomplete response" => {
                What::Lost("the server closed the connection".to_owned())
            }
            None if error.is_response() => What::Confused("an answer that is none".to_owned()),
            None => What::Lost(clean(&text)),
        };
        Self { stage, what }
    }

    /// Whether a connection that had been idle may simply have been dead: nothing of the letter itself was sent.
    pub fn is_stale(&self) -> bool {
        self.stage < Stage::Body
            && match self.what {
                What::Refused { code, .. } => code == 421,
                What::Lost(_) | What::Confused(_) => true,
                What::Silence(_) | What::Unfit(_) => false,
            }
    }

    /// Whether the connection can carry another letter.
    pub fn leaves_connection(&self) -> bool {
        match self.what {
            What::Refused { code, .. } => code != 421,
            What::Unfit(_) => true,
            What::Lost(_) | What::Silence(_) | What::Confused(_) => false,
        }
    }

    /// What it means for the letter. Only the server's clear 5xx on the letter itself is final (house rule 25).
    pub fn outcome(&self) -> Outcome {
        let why = self.to_string();
        let account = self.is_the_accounts();
        match &self.what {
            What::Unfit(_) => Outcome::Never(why),
            What::Refused { code, .. } if *code >= 500 && !account => Outcome::Never(why),
            What::Refused { text, .. } => Outcome::Later {
                after: greylisted(text).then_some(GREYLIST),
                why,
                unknown: false,
                account,
            },
            What::Lost(_) | What::Silence(_) | What::Confused(_) => Outcome::Later {
                why,
                unknown: self.stage == Stage::Dot,
                after: None,
                account,
            },
        }
    }

    /// Up to the login everything is about the account; after it, what would meet any letter alike: the server going away, and a server
    /// that wants a login or TLS first (RFC 4954 6, RFC 3207 4).
    fn is_the_accounts(&self) -> bool {
        match self.what {
            _ if self.stage <= Stage::Auth => true,
            What::Refused {
                code: 421 | 530 | 534 | 535 | 538,
                ..
            }
            | What::Lost(_)
            | What::Silence(_)
            | What::Confused(_) => self.stage == Stage::Mail,
            What::Refused { .. } | What::Unfit(_) => false,
        }
    }
}

/// Greylisting lets the same letter through after five minutes, as a rule.
const GREYLIST: Duration = Duration::from_secs(310);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.stage)?;
        match &self.what {
            What::Refused { code, text } => write!(f, "{code} {text}"),
            What::Silence(time) => write!(f, "no answer in {} s", time.as_secs_f32()),
            What::Lost(why) | What::Confused(why) | What::Unfit(why) => f.write_str(why),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]
    use super::*;

    fn refused(stage: Stage, code: u16) -> Outcome {
        let text = "5.0.0 no".to_owned();
        Fault::new(stage, What::Refused { code, text }).outcome()
    }

    #[test]
    fn a_5xx_is_final_only_for_the_letter() {
        assert!(matches!(refused(Stage::Rcpt, 550), Outcome::Never(_)));
        assert!(matches!(refused(Stage::Dot, 554), Outcome::Never(_)));
        for stage in [
            Stage::Greeting,
            Stage::Ehlo,
            Stage::StartTls,
            Stage::Auth,
            Stage::Mail,
        ] {
            let code = if stage == Stage::Mail { 530 } else { 554 };
            assert!(
                matches!(refused(stage, code), Outcome::Later { account: true, .. }),
                "{stage}"
            );
        }
    }

    #[test]
    fn only_a_loss_after_the_dot_is_unknown() {
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
            let outcome = Fault::new(stage, What::Lost(String::new())).outcome();
            assert!(matches!(outcome, Outcome::Later { unknown: false, .. }));
        }
        let outcome = Fault::new(Stage::Dot, What::Lost(String::new())).outcome();
        assert!(matches!(outcome, Outcome::Later { unknown: true, .. }));
        assert!(matches!(
            refused(Stage::Dot, 451),
            Outcome::Later { unknown: false, .. }
        ));
    }
}
