//! Signed tokens in our Message-IDs and reply addresses, and the clues in a letter as to which request it is about.

use crate::desk::address::Address;
use crate::desk::letter::Letter;
use crate::desk::request::{Number, RequestId};

/// What a reply to one of our letters means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Continues the request (`r`).
    Reply,
    /// Settles what is pending (`c`).
    Confirm,
    /// Stays inside (`i`, S18).
    Internal,
    /// Leads to no request (`n`); only proves that the letter is ours.
    Nothing,
}

/// What a token says, once its seal is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What a reply means.
    pub kind: TokenKind,
    /// The request; none for `Nothing` where there is none.
    pub request: Option<RequestId>,
    /// The letter of ours that carried it, by its name in the outbox.
    pub outbox: i64,
}

/// The desk's sealing keys: the first seals, all verify. `Debug` shows no key (S32).
#[derive(Clone)]
pub struct Keys {}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(***)")
    }
}

impl Keys {
    /// Reads the secret file: one key a line, `ID HEX` (ID one digit or letter, HEX 64 hexadecimal digits), `#` begins a comment.
    ///
    /// # Errors
    /// What is wrong with it, without any of its content.
    pub fn read(text: &str) -> Result<Self, String> {
        let _ = text;
        todo!()
    }

    /// A new secret file with one key, from the system's randomness.
    ///
    /// # Errors
    /// The system gave no randomness.
    pub fn generate() -> Result<String, String> {
        todo!()
    }

    /// Seals a token: lower-case letters and digits and one dot, fit for a local part.
    pub fn seal(&self, token: &Token) -> String {
        let _ = token;
        todo!()
    }

    /// Opens a sealed token; none if it is not ours, tampered with or of an unknown key. The seal is verified in constant time before anything is used (S1).
    pub fn open(&self, sealed: &str) -> Option<Token> {
        let _ = sealed;
        todo!()
    }
}

/// What a letter holds that leads to a request, strongest first, and what looked like it and was not.
#[derive(Debug, Clone, Default)]
pub struct Clues {
    /// Valid tokens: from recipient addresses first, then In-Reply-To, then References from the newest back.
    pub tokens: Vec<Token>,
    /// Other Message-IDs that it answers, In-Reply-To first, then References from the newest back.
    pub message_ids: Vec<String>,
    /// A number in the subject, in the form our subjects have (`[№ 2026-000123]`).
    pub number: Option<Number>,
    /// Tokens that did not verify, for `explain` ("a token that is not ours or was tampered with").
    pub rejected: Vec<String>,
    /// Tags after a plus sign in our own address that are no tokens, lower case (R8, R9).
    pub tags: Vec<String>,
}

/// Finds the clues. `own` is the desk's address.
pub fn clues(letter: &Letter, keys: &Keys, own: &Address) -> Clues {
    let _ = (letter, keys, own);
    todo!()
}

/// The Message-ID (without brackets) of a letter of ours.
pub fn message_id(keys: &Keys, token: &Token, own: &Address) -> String {
    let _ = (keys, token, own);
    todo!()
}

/// The address that replies go to where the server delivers plus-addresses.
pub fn reply_address(keys: &Keys, token: &Token, own: &Address) -> String {
    let _ = (keys, token, own);
    todo!()
}
