//! What a specialist may say about a succession (R30): lines that begin with `#`, in Russian and English, read whole or refused.

use chrono::NaiveDate;

use super::evidence::{Tick, Way};
use crate::desk::address::Address;

/// One line of a specialist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `#смена`: a succession of this customer or installation is opened.
    Open(String),
    /// `#проверено`: the letter was verified.
    Verified {
        /// By which way.
        way: Way,
        /// What was seen on it.
        ticks: Vec<Tick>,
    },
    /// `#инсталляция`: which ones are meant.
    Installations(Vec<String>),
    /// `#преемник`: who follows.
    Successor {
        /// Full name.
        name: String,
        /// Address.
        address: Address,
        /// Mobile phone.
        phone: Option<String>,
        /// First day.
        from: NaiveDate,
    },
    /// `#контакт`: the same person has another address or phone.
    Contact {
        /// The new address.
        address: Option<Address>,
        /// The new phone.
        phone: Option<String>,
        /// First day.
        from: NaiveDate,
    },
    /// `#оригинал получен`.
    OriginalCame,
    /// `#отклонить`: no change, with a reason.
    Refuse(String),
}

/// Why a line that begins like one of these could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// Neither signature, scan nor video, or a word that is no tick.
    Way,
    /// No customer or installation is named.
    NoName,
    /// There is no full name, one address and a day.
    Successor,
    /// There is neither address nor phone, or no day.
    Contact,
    /// It does not say that the original has come.
    Original,
    /// There is no reason.
    Reason,
}

impl Unclear {
    /// What would have been possible, for the answer (R39).
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Way => {
                "write `#проверено подпись подписант`, `#проверено скан печать подписант` or `#проверено видео подписант`"
            }
            Self::NoName => "name the customer or the installation, as in `#смена raduga`",
            Self::Successor => {
                "write `#преемник Фамилия Имя Отчество <address> phone с 01.12.2026`; the phone may be left out"
            }
            Self::Contact => {
                "write `#контакт <new address> new phone с 01.12.2026`; one of the two may be left out"
            }
            Self::Original => "write `#оригинал получен`",
            Self::Reason => "write a reason, as in `#отклонить письмо не подписано`",
        }
    }
}

/// Words that name each command; the first of each language is the usual one.
const OPEN: [&str; 2] = ["смена", "succession"];
const VERIFIED: [&str; 3] = ["проверено", "проверен", "verified"];
const INSTALLATION: [&str; 3] = ["инсталляция", "инсталляции", "installation"];
const SUCCESSOR: [&str; 2] = ["преемник", "successor"];
const CONTACT: [&str; 2] = ["контакт", "contact"];
const ORIGINAL: [&str; 2] = ["оригинал", "original"];
const REFUSE: [&str; 4] = ["отклонить", "отклонено", "decline", "declined"];

/// Reads what stands behind the `#` of one line; none if it is no word about successions.
pub fn read(line: &str) -> Option<Result<Command, Unclear>> {
    let line = line.trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let word = word.trim_end_matches(':').to_lowercase();
    let (word, rest) = (word.as_str(), rest.trim());
    let is = |words: &[&str]| words.contains(&word);
    let named = |make: fn(String) -> Command, fault| {
        if rest.is_empty() {
            Err(fault)
        } else {
            Ok(make(rest.to_owned()))
        }
    };
    Some(if is(&OPEN) {
        named(Command::Open, Unclear::NoName)
    } else if is(&VERIFIED) {
        verified(rest)
    } else if is(&INSTALLATION) {
        let ids = words(rest).map(str::to_owned).collect::<Vec<_>>();
        if ids.is_empty() {
            Err(Unclear::NoName)
        } else {
            Ok(Command::Installations(ids))
        }
    } else if is(&SUCCESSOR) {
        successor(rest).ok_or(Unclear::Successor)
    } else if is(&CONTACT) {
        contact(rest).ok_or(Unclear::Contact)
    } else if is(&ORIGINAL) {
        let came = [
            "получен",
            "получено",
            "пришел",
            "пришёл",
            "received",
            "came",
        ];
        if came.contains(&rest.trim_end_matches('.').to_lowercase().as_str()) {
            Ok(Command::OriginalCame)
        } else {
            Err(Unclear::Original)
        }
    } else if is(&REFUSE) {
        named(Command::Refuse, Unclear::Reason)
    } else {
        return None;
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', ',', ';'])
        .filter(|word| !word.is_empty())
}

fn verified(rest: &str) -> Result<Command, Unclear> {
    let (mut way, mut ticks) = (None, Vec::new());
    for word in words(rest) {
        match word.to_lowercase().as_str() {
            "подпись" | "signature" if way.is_none() => way = Some(Way::Signature),
            "скан" | "scan" if way.is_none() => way = Some(Way::Scan),
            "видео" | "video" if way.is_none() => way = Some(Way::Video),
            "печать" | "stamp" => ticks.push(Tick::Stamp),
            "подписант" | "signer" => ticks.push(Tick::Signer),
            _ => return Err(Unclear::Way),
        }
    }
    match way {
        Some(way) => Ok(Command::Verified { way, ticks }),
        None => Err(Unclear::Way),
    }
}

/// Who, how to reach them and from when: `Имя <адрес> телефон с ДАТА`.
struct Said {
    name: String,
    address: Option<Address>,
    phone: Option<String>,
    from: NaiveDate,
}

fn said(rest: &str) -> Option<Said> {
    const LONGEST: usize = 400;
    if rest.chars().nth(LONGEST).is_some() {
        return None;
    }
    let mut words: Vec<&str> = words(rest).collect();
    let from = day(words.pop()?)?;
    if !matches!(
        words.pop()?.to_lowercase().as_str(),
        "с" | "со" | "from" | "c"
    ) {
        return None;
    }
    let mut at = words.iter().enumerate().filter(|(_, w)| w.contains('@'));
    let place = at.next().map(|(place, _)| place);
    if at.next().is_some() {
        return None;
    }
    let begins_phone =
        |w: &&str| w.starts_with(['+', '(']) || w.starts_with(|c: char| c.is_ascii_digit());
    let (name, phone) = match place {
        Some(place) => (words.get(..place)?, words.get(place.saturating_add(1)..)?),
        None => {
            let split = words.iter().position(begins_phone).unwrap_or(words.len());
            (words.get(..split)?, words.get(split..)?)
        }
    };
    let address = match place.and_then(|p| words.get(p)) {
        Some(word) => Some(Address::new(word.trim_matches(['<', '>'])).ok()?),
        None => None,
    };
    let phone = phone.join(" ");
    let plain = |c: char| c.is_ascii_digit() || " +()-".contains(c);
    let digits = phone.chars().filter(char::is_ascii_digit).count();
    if !phone.is_empty() && (!phone.chars().all(plain) || !(5..=15).contains(&digits)) {
        return None;
    }
    Some(Said {
        name: name.join(" "),
        address,
        phone: Some(phone).filter(|p| !p.is_empty()),
        from,
    })
}

fn successor(rest: &str) -> Option<Command> {
    let said = said(rest)?;
    let in_full = said.name.split(' ').nth(1).is_some();
    let plain = |c: char| c.is_alphabetic() || " .-'’".contains(c);
    if !in_full || !said.name.chars().all(plain) {
        return None;
    }
    Some(Command::Successor {
        name: said.name,
        address: said.address?,
        phone: said.phone,
        from: said.from,
    })
}

fn contact(rest: &str) -> Option<Command> {
    let said = said(rest)?;
    let nothing = said.address.is_none() && said.phone.is_none();
    if nothing || !said.name.is_empty() {
        return None;
    }
    Some(Command::Contact {
        address: said.address,
        phone: said.phone,
        from: said.from,
    })
}

/// `01.12.2026` or `2026-12-01`.
fn day(word: &str) -> Option<NaiveDate> {
    let word = word.trim_end_matches('.');
    NaiveDate::parse_from_str(word, "%d.%m.%Y")
        .or_else(|_| NaiveDate::parse_from_str(word, "%Y-%m-%d"))
        .ok()
        .filter(|day| (2000..=2999).contains(&chrono::Datelike::year(day)))
}
