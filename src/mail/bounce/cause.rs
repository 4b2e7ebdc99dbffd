//! Hard or soft: whether a failure says that the address is dead, or only that this letter was not taken there this time.

use super::phrases::{ALIVE, DEAD};
use super::status::reply_code;

/// Whether trying the address again is pointless, by the status code (RFC 3463 3.2) and the other server's words. `taken` says that the server took
/// the recipient and refused the letter after it. Only failures ask.
pub(crate) fn is_dead(status: Option<&str>, words: &str, taken: bool) -> bool {
    // Answers are folded anywhere.
    let folded: Vec<&str> = words.split_whitespace().collect();
    let mut rest = folded.join(" ").to_lowercase();
    let told = status.and_then(by_status);
    // The address lives then, whatever the words say.
    if (taken || is_taken(&rest)) && told != Some(true) {
        return false;
    }
    let reply = by_reply(&rest);
    let mut dead = false;
    for phrase in DEAD {
        if rest.contains(phrase) {
            dead = true;
            // "Recipient address rejected: access denied" denies no access.
            rest = rest.replace(phrase, " ");
        }
    }
    let alive = ALIVE.iter().any(|phrase| rest.contains(phrase));
    match (dead, alive, told) {
        // A code that speaks of another than the address outweighs words about an address.
        (true, _, Some(false)) => !alive && !status.is_some_and(is_elsewhere),
        (true, _, _) => true,
        (false, true, _) => false,
        (false, false, told) => told.unwrap_or(reply),
    }
}

/// Whether lower-case words tell that an answer was given to the letter's end (RFC 5321 3.3), as Postfix and Exim do, and not to its recipient.
pub(crate) fn is_taken(words: &str) -> bool {
    words.contains("end of data") || words.contains("data command")
}

/// What the code says by itself; none where its class and subject leave it open.
fn by_status(status: &str) -> Option<bool> {
    let mut pieces = status.split('.').skip(1);
    let (subject, detail) = (pieces.next()?, pieces.next()?);
    if status.starts_with('4') {
        return Some(false);
    }
    match (subject, detail) {
        ("1", "7" | "8") => Some(false),
        ("1", _) | ("4", "4") => Some(true),
        ("0" | "5", _) => None,
        _ => Some(false),
    }
}

/// Temporary, about the sender's address, or about a mailbox that is there. An unknown mailbox for which a server asked to try again (4.1.1) is
/// unknown all the same once the trying has failed.
fn is_elsewhere(status: &str) -> bool {
    (status.starts_with('4') && status != "4.1.1")
        || matches!(status, "5.1.7" | "5.1.8" | "5.2.0" | "5.2.2" | "5.7.1")
}

/// RFC 5321 4.2.3: what is left when nobody says more than a number. Most often that is an unknown mailbox; where there is not even a
/// number, nothing says that the address is dead.
fn by_reply(words: &str) -> bool {
    reply_code(words).is_some_and(|code| matches!(code, "550" | "551" | "553"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hard_is_an_address_that_is_dead() {
        for (status, words, dead) in [
            (Some("5.1.1"), "550 5.1.1 <a@b>... User unknown", true),
            (Some("5.0.0"), "550 no such user here", true),
            (Some("5.2.2"), "552 mailbox full", false),
            (Some("5.0.0"), "mailbox is full", false),
            (Some("5.7.1"), "554 blocked using a list", false),
            (Some("4.4.7"), "delivery time expired", false),
            (Some("4.1.1"), "450 4.1.1 <a@b>: User unknown", true),
            (Some("4.1.1"), "450 4.1.1 try again later", false),
            (Some("4.2.0"), "450 4.2.0 <a@b>: User unknown", false),
            (None, "an MX or SRV record indicated no SMTP service", true),
            (Some("5.4.4"), "Host or domain name not found", true),
            (None, "550 Requested action not taken", true),
            (None, "554 Message refused", false),
            (
                Some("5.0.0"),
                "host x said: 550 Unknown user (in reply to end of DATA command)",
                false,
            ),
            (None, "We could not deliver your message", false),
            (Some("5.0.0"), "", false),
            (None, "пользователь не найден", true),
            (None, "Почтовый ящик переполнен", false),
            (
                Some("5.1.1"),
                "550 5.1.1 <a@b>: inactive email address",
                true,
            ),
            (
                Some("5.4.4"),
                "Malformed or unexpected name server reply",
                false,
            ),
            (
                Some("5.4.1"),
                "550 5.4.1 <a@b>: Recipient address rejected: Access\n    denied [x.outlook.com]",
                true,
            ),
            (
                Some("5.1.8"),
                "553 5.1.8 Domain of sender does not exist",
                false,
            ),
        ] {
            assert_eq!(is_dead(status, words, false), dead, "{status:?} {words}");
        }
        assert!(!is_dead(Some("5.0.0"), "550 Unknown user", true));
        assert!(is_dead(Some("5.1.1"), "550 Unknown user", true));
    }
}
