//! Order or question (R9), and which type (R25).

use super::policy::{KindPatterns, MailboxPolicy};
use super::request::{Kind, Type};
use super::subject;

/// What a letter is, and by which of R9's steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Order or question.
    pub kind: Kind,
    /// The step that said so, for `explain`.
    pub because: &'static str,
}

/// R9, in its order: a marker in the subject or plus-address, the mailbox's default, patterns over subject and new text, else a question.
///
/// A mailbox whose default is `question` says nothing (it is the end of the list anyway), so that patterns still count there.
pub fn of(
    patterns: &KindPatterns,
    mailbox: &MailboxPolicy,
    letter_subject: &str,
    new_text: &str,
    tags: &[String],
) -> Finding {
    let meant = subject::base(letter_subject);
    if let Some(kind) = marked(patterns, &meant) {
        return Finding {
            kind,
            because: "a marker at the beginning of the subject",
        };
    }
    if tags.iter().any(|tag| contains(&patterns.order_tags, tag)) {
        return Finding {
            kind: Kind::Order,
            because: "the plus-address it was sent to",
        };
    }
    if tags
        .iter()
        .any(|tag| contains(&patterns.question_tags, tag))
    {
        return Finding {
            kind: Kind::Question,
            because: "the plus-address it was sent to",
        };
    }
    if mailbox.default_kind == Kind::Order {
        return Finding {
            kind: Kind::Order,
            because: "the mailbox takes letters as orders",
        };
    }
    let found = |list: &[regex::Regex]| {
        list.iter()
            .any(|p| p.is_match(&meant) || p.is_match(new_text))
    };
    if found(&patterns.question_patterns) {
        return Finding {
            kind: Kind::Question,
            because: "a pattern for questions",
        };
    }
    if found(&patterns.order_patterns) {
        return Finding {
            kind: Kind::Order,
            because: "a pattern for orders",
        };
    }
    Finding {
        kind: Kind::Question,
        because: "nothing says that it is an order",
    }
}

/// R25: the type by pattern, faults before improvements, support where none matches.
pub fn type_of(patterns: &KindPatterns, letter_subject: &str, new_text: &str) -> Type {
    let found = |list: &[regex::Regex]| {
        list.iter()
            .any(|p| p.is_match(letter_subject) || p.is_match(new_text))
    };
    if found(&patterns.fault_patterns) {
        Type::Fault
    } else if found(&patterns.improvement_patterns) {
        Type::Improvement
    } else {
        Type::Support
    }
}

fn marked(patterns: &KindPatterns, meant: &str) -> Option<Kind> {
    let (head, _) = meant.split_once([':', '：'])?;
    let head = head.trim();
    if contains(&patterns.order_markers, head) {
        Some(Kind::Order)
    } else if contains(&patterns.question_markers, head) {
        Some(Kind::Question)
    } else {
        None
    }
}

fn contains(list: &[String], word: &str) -> bool {
    let word = word.to_lowercase();
    list.iter().any(|w| w.to_lowercase() == word)
}
