//! The words of the commands (R39): their names in both languages, and how near a written word must come to one of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::nearest::distance;
use super::people::Locale;
use super::request::{Kind, Type};

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Status in-progress (R22).
    InProgress,
    /// Status awaiting-information (R22).
    Ask,
    /// Status resolved (R22).
    Resolve,
    /// Status closed (R22).
    Close,
    /// Status with-developer (R22, R27).
    Developer,
    /// Another type (R25).
    Type,
    /// Order or question (R9).
    Kind,
    /// A note that stays inside.
    Note,
    /// Nobody outside is written to (R24).
    Silent,
    /// What happened so far.
    History,
    /// The commands.
    Help,
    /// A request by telephone (R41).
    Phone,
    /// A request by messenger (R4).
    Messenger,
    /// A request in person (R4).
    InPerson,
    /// More time (R20).
    Extend,
    /// Declined (R26).
    Decline,
    /// The approvers are asked (R26).
    Approval,
}

/// How a command stands beside others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It changes the status: one of them in a letter.
    Move,
    /// It goes with any other.
    Beside,
    /// It stands alone.
    Alone,
}

/// A verb with its names: Russian, English, and what else is taken for it.
struct Row {
    verb: Verb,
    shape: Shape,
    names: [&'static str; 2],
    usage: [&'static str; 2],
    also: &'static [&'static str],
}

#[rustfmt::skip]
static ROWS: &[Row] = &[
    Row { verb: Verb::InProgress, shape: Shape::Move, names: ["#в-работе", "#in-progress"], usage: ["#в-работе", "#in-progress"],
          also: &["в работу", "в процессе", "вернуть в работу", "возобновить", "переоткрыть", "progress", "reopen"] },
    Row { verb: Verb::Ask, shape: Shape::Move, names: ["#уточнить", "#ask"], usage: ["#уточнить", "#ask"],
          also: &["уточнение", "обратная связь", "запросить сведения", "awaiting information", "awaiting", "feedback"] },
    Row { verb: Verb::Resolve, shape: Shape::Move, names: ["#решен", "#resolved"], usage: ["#решен", "#resolved"],
          also: &["решено", "решена", "решить", "выполнено", "готово", "resolve", "solved", "solve", "done"] },
    Row { verb: Verb::Close, shape: Shape::Move, names: ["#закрыт", "#closed"], usage: ["#закрыт", "#closed"],
          also: &["закрыто", "закрыта", "закрыть", "close"] },
    Row { verb: Verb::Developer, shape: Shape::Move, names: ["#разработчику", "#developer"], usage: ["#разработчику Имя", "#developer Name"],
          also: &["разработчик", "передано разработчику", "передать разработчику", "with developer", "to developer", "hand over"] },
    Row { verb: Verb::Type, shape: Shape::Beside, names: ["#тип", "#type"],
          usage: ["#тип поддержка, #тип ошибка, #тип улучшение", "#type support, #type fault, #type improvement"], also: &["тип запроса"] },
    Row { verb: Verb::Kind, shape: Shape::Beside, names: ["#вид", "#kind"], usage: ["#вид поручение, #вид запрос", "#kind order, #kind question"],
          also: &["вид обращения"] },
    Row { verb: Verb::Note, shape: Shape::Beside, names: ["#заметка", "#note"], usage: ["#заметка", "#note"],
          also: &["заметку", "примечание", "внутри", "внутреннее", "internal"] },
    Row { verb: Verb::Silent, shape: Shape::Beside, names: ["#тихо", "#silent"], usage: ["#тихо", "#silent"],
          also: &["молча", "без письма", "не писать", "silently", "quiet"] },
    Row { verb: Verb::History, shape: Shape::Beside, names: ["#история", "#history"], usage: ["#история", "#history"], also: &["журнал обращения"] },
    Row { verb: Verb::Help, shape: Shape::Beside, names: ["#помощь", "#help"], usage: ["#помощь", "#help"],
          also: &["команды", "справка", "commands"] },
    Row { verb: Verb::Phone, shape: Shape::Alone, names: ["#телефон", "#phone"], usage: ["#телефон", "#phone"],
          also: &["звонок", "по телефону", "telephone", "call"] },
    Row { verb: Verb::Messenger, shape: Shape::Alone, names: ["#мессенджер", "#messenger"], usage: ["#мессенджер", "#messenger"],
          also: &["чат", "chat"] },
    Row { verb: Verb::InPerson, shape: Shape::Alone, names: ["#лично", "#in-person"], usage: ["#лично", "#in-person"],
          also: &["очно", "личный прием", "visit"] },
    Row { verb: Verb::Extend, shape: Shape::Beside, names: ["#продлить", "#extend"],
          usage: ["#продлить 3 причина", "#extend 3 reason"], also: &["продление", "продлить срок", "extension"] },
    Row { verb: Verb::Decline, shape: Shape::Move, names: ["#отклонить", "#decline"], usage: ["#отклонить причина", "#decline reason"],
          also: &["отклонен", "отклонено", "отклонена", "отказать", "declined", "reject"] },
    Row { verb: Verb::Approval, shape: Shape::Beside, names: ["#согласование", "#approval"], usage: ["#согласование", "#approval"],
          also: &["согласовать", "на согласование", "запросить согласование", "approve request", "consent"] },
];

/// The types by their names, the ones that are told first (R25).
pub(super) const TYPES: &[(Type, &[&str])] = &[
    (Type::Support, &["поддержка", "support"]),
    (Type::Fault, &["ошибка", "fault", "bug", "error", "дефект"]),
    (
        Type::Improvement,
        &["улучшение", "improvement", "доработка"],
    ),
];

/// Order and question by their names (R9).
pub(super) const KINDS: &[(Kind, &[&str])] = &[
    (Kind::Order, &["поручение", "order", "заявка"]),
    (
        Kind::Question,
        &["запрос", "question", "вопрос", "консультация"],
    ),
];

impl Verb {
    /// Every verb, in the order in which they are told.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.verb)
    }

    /// How it is written in this language, with its mark.
    pub fn name(self, locale: Locale) -> &'static str {
        self.row().map_or("#", |row| one(row.names, locale))
    }

    /// The same with what it takes.
    pub fn usage(self, locale: Locale) -> &'static str {
        self.row().map_or("#", |row| one(row.usage, locale))
    }

    /// How it stands beside others.
    pub fn shape(self) -> Shape {
        self.row().map_or(Shape::Alone, |row| row.shape)
    }

    fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|row| row.verb == self)
    }
}

fn one([ru, en]: [&'static str; 2], locale: Locale) -> &'static str {
    match locale {
        Locale::Ru => ru,
        Locale::En => en,
    }
}

/// The keys of all names, each with its verb and how many words it has.
static KEYS: LazyLock<BTreeMap<String, (Verb, usize)>> = LazyLock::new(|| {
    let names = |row: &'static Row| {
        row.names
            .iter()
            .chain(row.also)
            .map(move |n| (row.verb, *n))
    };
    let all = ROWS.iter().flat_map(names);
    all.map(|(verb, name)| {
        let words = name.split([' ', '-']).count();
        (key(name), (verb, words))
    })
    .collect()
});

/// Words at most in a name, and characters of what is looked at.
const WORDS: usize = 4;
const LOOKED_AT: usize = 80;

/// The verb that a line begins with, and what stands behind it. Words may be joined by spaces, hyphens, underscores or nothing.
pub(super) fn find(said: &str) -> Option<(Verb, &str)> {
    let mut found = None;
    let mut words = 0_usize;
    let mut inside = false;
    let end = (said.len(), None);
    let chars = said.char_indices().map(|(at, c)| (at, Some(c)));
    for (at, c) in chars.chain([end]).take(LOOKED_AT) {
        let apart = c.is_none_or(|c| c.is_whitespace() || STOPS.contains(&c));
        if inside && apart {
            words = words.saturating_add(1);
            let name = said.get(..at)?;
            if let Some((verb, long)) = KEYS.get(&key(name))
                && *long >= words
            {
                found = Some((*verb, at));
            }
            if words >= WORDS || c.is_some_and(|c| STOPS.contains(&c)) {
                break;
            }
        }
        inside = !apart;
    }
    let (verb, at) = found?;
    let behind = said.get(at..)?;
    let behind = behind.trim_start_matches(|c: char| {
        c.is_whitespace() || STOPS.contains(&c) || HYPHENS.contains(&c)
    });
    Some((verb, behind.trim_end()))
}

/// What ends a verb beside a space.
const STOPS: [char; 8] = [':', '=', ',', '.', '!', ';', '?', '('];

/// Hyphens and dashes.
const HYPHENS: [char; 8] = [
    '-', '_', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}',
];

/// The verb that was probably meant.
pub(super) fn nearest(said: &str) -> Option<Verb> {
    let said: String = said.chars().take(LOOKED_AT).collect();
    let words: Vec<&str> = said.split_whitespace().take(WORDS).collect();
    let prefixes = (1..=words.len()).filter_map(|n| Some(key(&words.get(..n)?.concat())));
    let near = prefixes.flat_map(|written| {
        let limit = slips(&written);
        KEYS.iter()
            .map(move |(name, (verb, _))| (distance(&written, name), *verb))
            .filter(move |(far, _)| *far <= limit)
    });
    near.min().map(|(_, verb)| verb)
}

/// The name that was probably meant, of those that a command takes.
pub(super) fn nearest_of(
    written: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    if written.is_empty() || written.chars().count() > LOOKED_AT {
        return None;
    }
    let limit = slips(written);
    names
        .map(|name| (distance(written, &key(name)), name))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, name)| name)
}

/// A slip for every three letters.
fn slips(written: &str) -> usize {
    written
        .chars()
        .count()
        .div_ceil(3)
        .saturating_sub(1)
        .max(usize::from(written.chars().count() > 2))
}

/// What a word is compared by: letters and figures, without case, with one letter for each shape that Cyrillic and Latin share.
pub(super) fn key(word: &str) -> String {
    let shown = word
        .chars()
        .filter(|c| !c.is_whitespace() && !HYPHENS.contains(c) && *c != '#' && !is_invisible(*c));
    shown
        .flat_map(char::to_lowercase)
        .filter(|c| !('\u{300}'..='\u{36f}').contains(c))
        .map(shape)
        .collect()
}

/// One letter for what looks alike, whichever of the two keyboards wrote it; «ё» is written as «е», and «й» as two characters by some systems.
fn shape(c: char) -> char {
    match c {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' | 'ё' => 'е',
        'h' => 'н',
        'k' => 'к',
        'm' => 'м',
        'o' | '0' => 'о',
        'p' => 'р',
        't' => 'т',
        'x' => 'х',
        'y' => 'у',
        '3' => 'з',
        'й' => 'и',
        other => other,
    }
}

/// What programs put between characters and nobody sees.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fe0f}')
}

/// So many working days, and why: `3 причина`, `на 3 рабочих дня: причина`.
pub(super) fn days(said: &str) -> Option<(u32, &str)> {
    let mut rest = said.trim_start();
    for before in ["на ", "for ", "by "] {
        let lower = rest.get(..before.len()).map(str::to_lowercase);
        if lower.as_deref() == Some(before) {
            rest = rest.get(before.len()..)?.trim_start();
        }
    }
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (figures, after) = rest.split_at_checked(end)?;
    let days: u32 = figures
        .parse()
        .ok()
        .filter(|d| (1..=MOST_DAYS).contains(d))?;
    if after.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let mut why = after.trim_start();
    for _ in 0..2 {
        let word = why.split(|c: char| !c.is_alphabetic()).next()?;
        let unit = key(word);
        if !unit.is_empty() && UNITS.iter().any(|u| key(u) == unit) {
            why = why.get(word.len()..)?.trim_start();
        }
    }
    Some((
        days,
        why.trim_start_matches(|c: char| {
            c.is_whitespace() || STOPS.contains(&c) || HYPHENS.contains(&c)
        }),
    ))
}

/// Working days that one extension may ask for.
const MOST_DAYS: u32 = 99;

/// What is said behind a number of days.
const UNITS: [&str; 14] = [
    "рабочий",
    "рабочих",
    "рабочего",
    "раб",
    "день",
    "дня",
    "дней",
    "дн",
    "working",
    "business",
    "day",
    "days",
    "р",
    "д",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_verbs_share_a_name() {
        let names = |row: &'static Row| {
            row.names
                .iter()
                .chain(row.also)
                .map(move |n| (row.verb, *n))
        };
        let mut keys: BTreeMap<String, Verb> = BTreeMap::new();
        for (verb, name) in ROWS.iter().flat_map(names) {
            let other = keys.insert(key(name), verb);
            assert!(other.is_none(), "{name}: {verb:?} and {other:?}");
            assert_eq!(
                find(name.trim_start_matches('#')),
                Some((verb, "")),
                "{name}"
            );
        }
        let mut all: Vec<Verb> = Verb::all().collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), ROWS.len());
    }

    /// One slip in a name that is not short is still understood.
    #[test]
    fn a_slip_is_recognised() {
        for row in ROWS {
            for name in row.names {
                let written: String = name.chars().skip(1).collect();
                if written.chars().count() < 6 {
                    continue;
                }
                let mut slipped: Vec<char> = written.chars().collect();
                slipped.remove(2);
                let slipped: String = slipped.into_iter().collect();
                assert_eq!(nearest(&slipped), Some(row.verb), "{slipped}");
            }
        }
    }
}
