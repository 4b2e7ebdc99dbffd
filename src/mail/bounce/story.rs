//! Whom and what a report names that tells its story in sentences: the address that failed, by how and where it stands, and the reason.

use super::phrases;
use super::status::{enhanced, reply_code, without_scheme};
use super::told::unquoted;
use crate::desk::address::Address;

/// Lines of a report that are looked at.
const LINES: usize = 1_000;
/// Addresses that are weighed.
const ADDRESSES: usize = 200;
/// Addresses that are known as ours.
const OURS: usize = 50;
/// Lines of a paragraph about an address.
const PARAGRAPH: usize = 8;
/// Octets before an address that say whose it is.
const BEFORE: usize = 120;
/// Longest line that is looked at, in octets; an address stands in a short one.
const LINE: usize = 4_000;

/// What stands before the address that failed.
const LEADS: &[&str] = &[
    "rcpt to",
    "final-recipient",
    "original-recipient",
    "failed recipient",
    "failed address",
    "recipient",
    "addressed to",
    "was addressed",
    "delivered to",
    "deliver to",
    "deliver message to",
    "intended for",
    "emailaddress",
    "адресат",
    "получател",
    "адрес:",
];
/// What stands before an address of somebody else.
const OTHERS: &[&str] = &[
    "mail from",
    "from:",
    " from ",
    "sender",
    "contact",
    "report",
    "reply-to",
    "return-path",
    "help",
    "message-id",
    "delivered-to",
    "auth=",
    "from=",
    "abuse",
];

/// Addresses that the text names as failed, the likeliest first; none that is in `ours`, whose letter it was.
pub(crate) fn recipients(own: &str, ours: &[Address]) -> Vec<String> {
    let mut weighed: Vec<(i32, String)> = Vec::new();
    let ours: Vec<String> = ours.iter().take(OURS).map(ToString::to_string).collect();
    let mut announced = false;
    let mut left = ADDRESSES;
    for line in own.lines().take(LINES) {
        let line = line
            .get(..line.floor_char_boundary(LINE))
            .unwrap_or_default();
        let lower = line.to_lowercase();
        let found = addresses(line, left);
        left = left.saturating_sub(found.len());
        let says = !found.is_empty()
            && (says_any(&lower, phrases::FAILED) || says_any(&lower, phrases::DEAD));
        for (address, place) in found {
            let weight = weigh(line, place, &address, announced, says);
            let is_ours = ours.iter().any(|o| o.eq_ignore_ascii_case(&address));
            let weight = weight.saturating_sub(if is_ours { 20 } else { 0 });
            match weighed
                .iter_mut()
                .find(|(_, known)| known.eq_ignore_ascii_case(&address))
            {
                Some((known, _)) => *known = (*known).max(weight),
                None => weighed.push((weight, address)),
            }
        }
        announced |= says_any(&lower, phrases::FAILED) || says_any(&lower, phrases::DELAYED);
    }
    // A stable sort: of equals the first stays first.
    weighed.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let best = weighed.first().map_or(0, |(weight, _)| *weight);
    weighed
        .into_iter()
        .filter(|(weight, _)| *weight > -10 && weight.saturating_add(2) >= best)
        .map(|(_, address)| address)
        .collect()
}

/// How much the line around it says that this address failed.
fn weigh(line: &str, place: usize, address: &str, announced: bool, says: bool) -> i32 {
    let mut weight = i32::from(announced);
    let near = line.floor_char_boundary(place.saturating_sub(BEFORE));
    let before = line.get(near..place).unwrap_or_default().to_lowercase();
    let bare = unquoted(line).trim_matches(|c: char| !c.is_alphanumeric());
    if bare.eq_ignore_ascii_case(address) {
        weight = weight.saturating_add(4);
    } else if !before.contains(char::is_alphanumeric) {
        weight = weight.saturating_add(3);
    }
    if says_any(&before, LEADS) {
        weight = weight.saturating_add(3);
    }
    if says_any(&before, OTHERS) {
        weight = weight.saturating_sub(6);
    }
    if says {
        weight = weight.saturating_add(2);
    }
    let local = address.split('@').next().unwrap_or_default();
    if is_system(local) {
        weight = weight.saturating_sub(6);
    }
    weight
}

/// Whether an address belongs to a mail system and not to a reader.
fn is_system(local: &str) -> bool {
    let local = local.to_ascii_lowercase();
    local.starts_with("mailer-daemon") || local.starts_with("postmaster")
}

/// At most so many addresses in a line, with the places where they begin.
fn addresses(line: &str, most: usize) -> Vec<(String, usize)> {
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '<' | '>' | '(' | ')' | '[' | ']' | ',' | ';' | '"' | ':' | '\'' | '|' | '{' | '}'
            )
    };
    let mut found = Vec::new();
    let mut at = 0_usize;
    for word in line.split_inclusive(ends) {
        let place = at;
        at = at.saturating_add(word.len());
        if !word.contains('@') || word.len() > 400 {
            continue;
        }
        if found.len() >= most {
            break;
        }
        let word = word
            .trim_end_matches(ends)
            .trim_matches(['.', '*', '-', '`', '=']);
        let word = without_scheme(word);
        if Address::new(word).is_ok_and(|a| a.domain().contains('.') || a.local() != word) {
            found.push((word.to_owned(), place));
        }
    }
    found
}

fn says_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// Whether the words tell of a delay and not of an end.
pub(crate) fn is_delay(own: &str, subject: &str) -> bool {
    let lower = own.to_lowercase();
    let subject = subject.to_lowercase();
    (says_any(&lower, phrases::DELAYED) || says_any(&subject, phrases::DELAYED))
        && !says_any(&lower, phrases::GIVEN_UP)
}

/// What stands about an address that failed, in lower case and on one line: from where it is named first to the end of that paragraph.
pub(crate) fn about(own: &str, recipient: &str) -> String {
    let lines = own.lines().take(LINES).map(unquoted);
    let lines = lines.filter(|line| line.len() <= LINE);
    let about = lines
        .skip_while(|line| !line.contains(recipient))
        .take_while(|line| !line.is_empty());
    let folded: Vec<&str> = about
        .take(PARAGRAPH)
        .flat_map(str::split_whitespace)
        .collect();
    folded.join(" ").to_lowercase()
}

/// The other server's words: lines from where the failed address stands that give a code and a cause, else those that name a cause there, else
/// those with a code alone; else the same of the whole.
pub(crate) fn diagnostic(own: &str, recipient: Option<&str>) -> String {
    let lines: Vec<&str> = own
        .lines()
        .take(LINES)
        .map(unquoted)
        .filter(|line| line.len() <= LINE)
        .collect();
    let place = recipient
        .and_then(|r| lines.iter().position(|line| line.contains(r)))
        .unwrap_or_default();
    let codes = |line: &&str| {
        enhanced(line).is_some_and(|code| !code.starts_with('2')) || reply_code(line).is_some()
    };
    let causes = |line: &&str| {
        let lower = line.to_lowercase();
        says_any(&lower, phrases::DEAD) || says_any(&lower, phrases::ALIVE)
    };
    let from = |place: usize, wanted: &dyn Fn(&&str) -> bool| {
        let rest = lines.get(place..).unwrap_or_default();
        let at = rest.iter().position(wanted)?;
        // Servers fold their answers, and mail systems fold them again.
        let folded = rest.iter().skip(at).take_while(|line| !line.is_empty());
        Some(folded.take(3).copied().collect::<Vec<_>>().join(" "))
    };
    let telling = |words: &String| causes(&words.as_str());
    from(place, &codes)
        .filter(telling)
        .or_else(|| from(0, &codes).filter(telling))
        .or_else(|| from(place, &causes))
        .or_else(|| from(0, &causes))
        .or_else(|| from(place, &codes))
        .or_else(|| from(0, &codes))
        .unwrap_or_default()
}
