//! What a courier is handed and what it brings back.

use std::time::Duration;

/// One letter for one recipient.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The envelope's sender: where a bounce goes.
    pub from: String,
    /// The envelope's recipient.
    pub to: String,
    /// The letter as it will stand on the line: CRLF at every line's end.
    pub bytes: Vec<u8>,
    /// Its Message-ID, without brackets.
    pub message_id: String,
}

/// How one attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side took it over; its answer, cleaned.
    Sent(String),
    /// Not now.
    Later {
        /// Why; begins with the stage, such as `RCPT: 451 4.7.1 …`.
        why: String,
        /// The connection was lost after the final dot: it may have been taken over (RFC 1047).
        unknown: bool,
        /// The wait that the answer calls for, if it does.
        after: Option<Duration>,
        /// The fault is the connection's or the login's, not this letter's.
        account: bool,
    },
    /// Never; why.
    Never(String),
}

/// The part of a reason that may stand in a log: our own words, or the stage and the codes of a server's answer. A server's text often
/// repeats the recipient's address, so none of it is let through.
pub fn for_log(why: &str) -> String {
    let mut said = Vec::new();
    for piece in why.split(": ") {
        let codes = codes(piece);
        let last = codes.is_some();
        said.push(codes.unwrap_or_else(|| piece.to_owned()));
        if last {
            break;
        }
    }
    said.join(": ")
}

/// The code and the enhanced code (RFC 3463) that a server's answer begins with.
fn codes(answer: &str) -> Option<String> {
    let mut words = answer.split(' ');
    let code = words
        .next()
        .filter(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))?;
    let enhanced = words.next().filter(|word| {
        word.len() <= 11
            && word.split('.').count() == 3
            && word.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    });
    Some(match enhanced {
        Some(enhanced) => format!("{code} {enhanced}"),
        None => code.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_the_codes_and_no_address() {
        let why = "RCPT: 550 5.1.1 <maria@raduga.example>: unknown";
        assert_eq!(for_log(why), "RCPT: 550 5.1.1");
        assert_eq!(
            for_log("RCPT: 550 maria@raduga.example unknown"),
            "RCPT: 550"
        );
        assert_eq!(
            for_log("given up after 5 days: RCPT: 452 4.2.2 <m@raduga.example>: full"),
            "given up after 5 days: RCPT: 452 4.2.2"
        );
        assert_eq!(
            for_log("CONNECT: connection refused"),
            "CONNECT: connection refused"
        );
    }
}
