//! Messages of the DNS (RFC 1035 4, 6891): a question for texts as octets, and the answer read from octets that anybody may have sent.

use crate::mail::dkim::answer::Answer;

/// What a name's texts may come to, in octets; more is no key.
const TEXTS: usize = 32 << 10;
/// Records read in one answer.
const RECORDS: u16 = 100;
/// Aliases followed from the name that was asked for.
const ALIASES: usize = 8;
/// Labels in a name, pointers included.
const LABELS: usize = 140;
/// Octets that an answer over UDP may have (RFC 9715 3).
const DATAGRAM: u16 = 1232;

const CNAME: u16 = 5;
const TXT: u16 = 16;
const OPT: u16 = 41;
const IN: u16 = 1;

/// What a message turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The answer, and how many seconds it holds.
    Told(Answer, u32),
    /// It does not fit into a datagram: the same must be asked over TCP.
    Cut,
    /// The server can't say now: another may.
    Failed(&'static str),
    /// It is not an answer to this question.
    Foreign,
}

/// The question for the texts of a name, with this number; none if it is no name the DNS could hold.
pub fn question(number: u16, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(64);
    out.extend(number.to_be_bytes());
    // Recursion desired, and AD: say whether DNSSEC vouches for it (RFC 6840 5.7).
    out.extend([0x01, 0x20]);
    for count in [1_u16, 0, 0, 1] {
        out.extend(count.to_be_bytes());
    }
    let mut length = 1_usize;
    for label in name.split('.') {
        let octets = u8::try_from(label.len())
            .ok()
            .filter(|l| (1..=63).contains(l))?;
        out.push(octets);
        out.extend(label.bytes());
        length = length.saturating_add(label.len()).saturating_add(1);
    }
    out.push(0);
    for word in [TXT, IN] {
        out.extend(word.to_be_bytes());
    }
    // The pseudo-record of EDNS: how long a datagram may be.
    out.push(0);
    for word in [OPT, DATAGRAM, 0, 0, 0] {
        out.extend(word.to_be_bytes());
    }
    (length <= 255).then_some(out)
}

/// Reads what came back for the question with this number and name.
pub fn reply(number: u16, name: &str, message: &[u8]) -> Reply {
    read(number, name, message).unwrap_or(Reply::Foreign)
}

fn read(number: u16, name: &str, message: &[u8]) -> Option<Reply> {
    let mut reader = Reader { message, at: 0 };
    let ours = reader.word()? == number;
    let flags = reader.word()?;
    let (questions, answers) = (reader.word()?, reader.word()?);
    reader.skip(4)?;
    let is_answer = flags & 0xf800 == 0x8000;
    if !ours || !is_answer || questions != 1 {
        return None;
    }
    let asked = reader.name()?;
    let (kind, class) = (reader.word()?, reader.word()?);
    if !asked.eq_ignore_ascii_case(name) || kind != TXT || class != IN {
        return None;
    }
    match flags & 0x000f {
        0 => {}
        3 => return Some(Reply::Told(Answer::Nothing, 0)),
        2 => return Some(Reply::Failed("the DNS server failed")),
        5 => return Some(Reply::Failed("the DNS server refused")),
        _ => return Some(Reply::Failed("the DNS server did not understand")),
    }
    if flags & 0x0200 != 0 {
        return Some(Reply::Cut);
    }
    let secure = flags & 0x0020 != 0;
    Some(
        found(name, &mut reader, answers, secure).unwrap_or(Reply::Failed("the answer is garbled")),
    )
}

/// The texts of the name, or of what it is an alias of.
fn found(name: &str, reader: &mut Reader<'_>, count: u16, secure: bool) -> Option<Reply> {
    let mut aliases = Vec::new();
    let mut texts = Vec::new();
    let mut room = TEXTS;
    for _ in 0..count.min(RECORDS) {
        let owner = reader.name()?;
        let (kind, class) = (reader.word()?, reader.word()?);
        let holds = reader.long()?;
        let length = usize::from(reader.word()?);
        let end = reader.at.checked_add(length)?;
        match (kind, class) {
            (CNAME, IN) => aliases.push((owner, reader.name()?, holds)),
            (TXT, IN) => {
                let text = reader.text(end)?;
                room = room.checked_sub(text.len())?;
                texts.push((owner, String::from_utf8_lossy(&text).into_owned(), holds));
            }
            _ => reader.skip(length)?,
        }
        if reader.at != end {
            return None;
        }
    }
    let mut asked = name.to_owned();
    let mut shortest = u32::MAX;
    for _ in 0..ALIASES {
        let Some((_, to, holds)) = aliases
            .iter()
            .find(|(o, ..)| o.eq_ignore_ascii_case(&asked))
        else {
            break;
        };
        shortest = shortest.min(*holds);
        asked.clone_from(to);
    }
    let told: Vec<_> = texts
        .into_iter()
        .filter(|(owner, ..)| owner.eq_ignore_ascii_case(&asked))
        .collect();
    if told.is_empty() {
        return Some(Reply::Told(Answer::Nothing, 0));
    }
    let holds = told.iter().map(|(_, _, holds)| *holds).min().unwrap_or(0);
    let texts = told.into_iter().map(|(_, text, _)| text).collect();
    Some(Reply::Told(
        Answer::Found { texts, secure },
        shortest.min(holds),
    ))
}

struct Reader<'m> {
    message: &'m [u8],
    at: usize,
}

impl Reader<'_> {
    fn octet(&mut self) -> Option<u8> {
        let octet = *self.message.get(self.at)?;
        self.skip(1)?;
        Some(octet)
    }

    fn word(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    fn long(&mut self) -> Option<u32> {
        let (high, low) = (self.word()?, self.word()?);
        Some(u32::from(high).checked_shl(16)? | u32::from(low))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at = self.at.checked_add(count)?;
        (self.at <= self.message.len()).then_some(())
    }

    /// A name in dots. Pointers lead backwards only, so that they end (RFC 1035 4.1.4).
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut back: Option<usize> = None;
        let mut limit = self.message.len();
        for _ in 0..LABELS {
            let octet = self.octet()?;
            match octet {
                0 => {
                    self.at = back.unwrap_or(self.at);
                    return Some(name);
                }
                1..=63 => {
                    let end = self.at.checked_add(usize::from(octet))?;
                    let label = self.message.get(self.at..end)?;
                    self.at = end;
                    if !name.is_empty() {
                        name.push('.');
                    }
                    // A dot within a label would make two of it.
                    if label.contains(&b'.') || name.len() > 255 {
                        return None;
                    }
                    name.push_str(&String::from_utf8_lossy(label));
                }
                0xc0.. => {
                    let to = usize::from(u16::from_be_bytes([octet & 0x3f, self.octet()?]));
                    if to >= limit {
                        return None;
                    }
                    back.get_or_insert(self.at);
                    limit = to;
                    self.at = to;
                }
                _ => return None,
            }
        }
        None
    }

    /// The strings up to `end`, joined.
    fn text(&mut self, end: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        while self.at < end {
            let length = usize::from(self.octet()?);
            let from = self.at;
            self.skip(length)?;
            text.extend_from_slice(self.message.get(from..self.at)?);
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "s1._domainkey.x.example";

    /// An answer to the question for [`NAME`], with these records and flags.
    fn answer(flags: u16, records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut out = question(7, NAME).unwrap();
        let question_end = out.len() - 11;
        out.truncate(question_end);
        out[2..4].copy_from_slice(&flags.to_be_bytes());
        out[6..8].copy_from_slice(&u16::try_from(records.len()).unwrap().to_be_bytes());
        out[10..12].copy_from_slice(&[0, 0]);
        for (owner, kind, data) in records {
            out.extend_from_slice(owner);
            out.extend(kind.to_be_bytes());
            out.extend(IN.to_be_bytes());
            out.extend(300_u32.to_be_bytes());
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    const OWN: &[u8] = &[0xc0, 12];
    const OTHER: &[u8] = b"\x05other\x07example\0";

    fn told(message: &[u8]) -> Reply {
        reply(7, NAME, message)
    }

    fn texts(texts: &[&str], secure: bool) -> Reply {
        let texts = texts.iter().map(|t| (*t).to_owned()).collect();
        Reply::Told(Answer::Found { texts, secure }, 300)
    }

    #[test]
    fn texts_are_joined_and_aliases_followed() {
        let direct = answer(
            0x8180,
            &[(OWN, TXT, b"\x03v=D\x04KIM1"), (OTHER, TXT, b"\x01x")],
        );
        assert_eq!(told(&direct), texts(&["v=DKIM1"], false));
        let alias = answer(0x81a0, &[(OWN, CNAME, OTHER), (OTHER, TXT, b"\x03p=1")]);
        assert_eq!(told(&alias), texts(&["p=1"], true));
        let circle = answer(0x8180, &[(OWN, CNAME, OWN)]);
        assert_eq!(told(&circle), Reply::Told(Answer::Nothing, 0));
    }

    #[test]
    fn no_name_and_a_failing_server_are_two_things() {
        assert_eq!(told(&answer(0x8183, &[])), Reply::Told(Answer::Nothing, 0));
        assert_eq!(told(&answer(0x8180, &[])), Reply::Told(Answer::Nothing, 0));
        for failed in [0x8182, 0x8185, 0x8181, 0x8184] {
            assert!(matches!(told(&answer(failed, &[])), Reply::Failed(_)));
        }
        assert_eq!(told(&answer(0x8380, &[])), Reply::Cut);
    }

    #[test]
    fn what_was_not_asked_is_not_believed() {
        let good = answer(0x8180, &[(OWN, TXT, b"\x03p=1")]);
        assert_eq!(reply(8, NAME, &good), Reply::Foreign);
        assert_eq!(reply(7, "s2._domainkey.x.example", &good), Reply::Foreign);
        assert_eq!(told(&answer(0x0100, &[])), Reply::Foreign);
        for cut in 0..good.len() {
            let reply = told(&good[..cut]);
            assert!(matches!(reply, Reply::Foreign | Reply::Failed(_)), "{cut}");
        }
    }

    #[test]
    fn names_that_the_dns_cannot_hold_are_not_asked() {
        assert_eq!(question(1, &"a.".repeat(200)), None);
        assert_eq!(question(1, &"a".repeat(64)), None);
        assert_eq!(question(1, "a..b"), None);
        assert_eq!(
            question(1, &["abc"; 63].join(".")).map(|q| q.len()),
            Some(280)
        );
        assert_eq!(question(1, &["abc"; 64].join(".")), None);
    }

    proptest! {
        #[test]
        fn s31_no_octets_make_reading_fail(noise in proptest::collection::vec(any::<u8>(), 0..200), flags in any::<u16>(), count in any::<u16>()) {
            let mut message = answer(flags | 0x8000, &[]);
            message[6..8].copy_from_slice(&count.to_be_bytes());
            message.extend(noise);
            let _ = told(&message);
        }
    }
}
