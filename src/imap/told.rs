//! What a server can tell us, in our own values: the only place that knows the parser's.

use std::collections::BTreeSet;

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, Outcome, Response, ResponseCode, Status,
};

use super::fault::excerpt;

/// One response, as far as we go by it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The end of the command with this tag.
    Done(String, Word),
    /// A status that is no command's end: a greeting, a warning, a farewell.
    Status(Word),
    /// The server waits for more of the command.
    Continue,
    /// How many messages there are.
    Exists(u32),
    /// A message was removed.
    Expunge,
    /// UIDs that a search found.
    Search(Vec<u32>),
    /// Of one message.
    Item(Item),
    /// What the server can do.
    Capabilities(BTreeSet<String>),
    /// Flags, RECENT, quotas and whatever else says nothing that we go by.
    Other,
}

/// How a status begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ok,
    No,
    Bad,
    Preauth,
    Bye,
}

/// A status, its code and what it says for people, cleaned.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    pub(super) code: Code,
    pub(super) said: String,
}

/// The codes that we go by. Those of RFC 5530 stay in the text: the parser does not know them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Code {
    None,
    UidValidity(u32),
    UidNext(u32),
    /// In capitals, `AUTH=PLAIN` and the like.
    Capabilities(BTreeSet<String>),
    Alert,
}

/// What was told of one message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) uid: Option<u32>,
    pub(super) size: Option<u64>,
    /// INTERNALDATE as it stands.
    pub(super) arrived: Option<String>,
    /// None also for `BODY[] NIL`.
    pub(super) body: Option<Vec<u8>>,
}

impl Told {
    /// Takes over what matters of a parsed response.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enums are open-ended, and what we go by is little"
    )]
    pub(super) fn new(response: &Response<'_>) -> Self {
        match response {
            Response::Done {
                tag,
                status,
                outcome,
            } => Self::Done(tag.0.clone(), Word::new(status, outcome)),
            Response::Data { status, outcome } => Self::Status(Word::new(status, outcome)),
            Response::Continue(_) => Self::Continue,
            Response::MailboxData(MailboxDatum::Exists(count)) => Self::Exists(*count),
            Response::MailboxData(MailboxDatum::Search(uids)) => Self::Search(uids.clone()),
            Response::Expunge(_) => Self::Expunge,
            Response::Fetch(_, attributes) => Self::Item(Item::new(attributes)),
            Response::Capabilities(all) => Self::Capabilities(names(all)),
            _ => Self::Other,
        }
    }
}

impl Word {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enums are open-ended, and what we go by is little"
    )]
    fn new(status: &Status, outcome: &Outcome<'_>) -> Self {
        Self {
            kind: match status {
                Status::Ok => Kind::Ok,
                Status::No => Kind::No,
                Status::Bad => Kind::Bad,
                Status::PreAuth => Kind::Preauth,
                Status::Bye => Kind::Bye,
            },
            code: match &outcome.code {
                Some(ResponseCode::UidValidity(value)) => Code::UidValidity(*value),
                Some(ResponseCode::UidNext(value)) => Code::UidNext(*value),
                Some(ResponseCode::Capabilities(all)) => Code::Capabilities(names(all)),
                Some(ResponseCode::Alert) => Code::Alert,
                _ => Code::None,
            },
            said: excerpt(outcome.information.as_deref().unwrap_or_default()),
        }
    }
}

impl Item {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's enums are open-ended, and what we go by is little"
    )]
    fn new(attributes: &[AttributeValue<'_>]) -> Self {
        let mut item = Self::default();
        for attribute in attributes {
            match attribute {
                AttributeValue::Uid(uid) => item.uid = Some(*uid),
                AttributeValue::Rfc822Size(size) => item.size = Some(u64::from(*size)),
                AttributeValue::InternalDate(text) => item.arrived = Some(text.to_string()),
                AttributeValue::BodySection {
                    section: None,
                    data: Some(data),
                    ..
                } => item.body = Some(data.to_vec()),
                _ => {}
            }
        }
        item
    }
}

fn names(all: &[Capability<'_>]) -> BTreeSet<String> {
    let name = |capability: &Capability<'_>| match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(name) => format!("AUTH={}", name.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    };
    all.iter().map(name).collect()
}
