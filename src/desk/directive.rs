//! The commands that a specialist writes at the top of a letter (R39): lines that begin with `#`, in Russian and English, never guessed at.
//!
//! What is quoted is never read: the new text comes without the quotation, and a line of it that still begins with `>` is text.

use super::people::Locale;
use super::request::{Kind, Type};
use super::verb::{self, Shape, Verb};

/// One command with what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// Back to work (R22).
    InProgress,
    /// The requester is asked for information (R22); the words behind the command, which may be empty.
    Ask(String),
    /// It is resolved (R22); the words behind the command, which may be empty.
    Resolve(String),
    /// It is closed (R22); the words behind the command, which may be empty.
    Close(String),
    /// It is handed to a developer (R27): to whom; empty where there is only one.
    Developer(String),
    /// Its type is another one (R25).
    Type(Type),
    /// It is an order, or a question (R9).
    Kind(Kind),
    /// A note that stays inside; the words behind the command, which may be empty.
    Note(String),
    /// Nobody outside is written to for this letter (R24).
    Silent,
    /// The specialist wants the request's history.
    History,
    /// The specialist wants to know the commands.
    Help,
    /// A request that did not come by mail is registered (R4, R41); its fields are the text.
    Call(Verb),
    /// More time is asked for (R20): so many working days, and why.
    Extend(u32, String),
    /// It is declined (R26); the reason behind the command, which may be empty.
    Decline(String),
    /// The approvers are asked, or asked again (R26).
    Approval,
}

impl Directive {
    /// The command's verb.
    pub fn verb(&self) -> Verb {
        match self {
            Self::InProgress => Verb::InProgress,
            Self::Ask(_) => Verb::Ask,
            Self::Resolve(_) => Verb::Resolve,
            Self::Close(_) => Verb::Close,
            Self::Developer(_) => Verb::Developer,
            Self::Type(_) => Verb::Type,
            Self::Kind(_) => Verb::Kind,
            Self::Note(_) => Verb::Note,
            Self::Silent => Verb::Silent,
            Self::History => Verb::History,
            Self::Help => Verb::Help,
            Self::Call(verb) => *verb,
            Self::Extend(..) => Verb::Extend,
            Self::Decline(_) => Verb::Decline,
            Self::Approval => Verb::Approval,
        }
    }
}

/// What is wrong with a line that looks like a command. Lines are as they were written, cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No such command; the one that was probably meant.
    Unknown {
        /// What was written.
        said: String,
        /// What is near to it.
        meant: Option<Verb>,
    },
    /// What stands behind the command is not what it takes; none if nothing stands there.
    Argument {
        /// The command.
        verb: Verb,
        /// What was written.
        said: Option<String>,
        /// The nearest that it takes.
        meant: Option<&'static str>,
    },
    /// The command takes nothing behind it.
    Extra {
        /// The command.
        verb: Verb,
        /// What stands there.
        said: String,
    },
    /// A command stands below the text, or behind another one.
    Misplaced {
        /// What was written.
        said: String,
    },
    /// The same command twice.
    Twice(Verb),
    /// Two commands that exclude each other.
    Either(Verb, Verb),
    /// More commands than anybody needs.
    TooMany,
}

impl Fault {
    /// In words, with the commands named in that language.
    pub fn in_words(&self, locale: Locale) -> String {
        let name = |verb: &Verb| verb.name(locale);
        match self {
            Self::Unknown { said, meant: None } => format!("{said} is no command"),
            Self::Unknown {
                said,
                meant: Some(verb),
            } => format!("{said} is no command; did you mean {}?", name(verb)),
            Self::Argument {
                verb,
                said: None,
                meant: _,
            } => format!(
                "{} needs to be told what: {}",
                name(verb),
                verb.usage(locale)
            ),
            Self::Argument {
                verb,
                said: Some(said),
                meant: None,
            } => format!(
                "{} does not take {said}: {}",
                name(verb),
                verb.usage(locale)
            ),
            Self::Argument {
                verb,
                said: Some(said),
                meant: Some(meant),
            } => {
                format!("{} does not take {said}; did you mean {meant}?", name(verb))
            }
            Self::Extra { verb, said } => {
                format!(
                    "{} takes nothing behind it, and there stands: {said}",
                    name(verb)
                )
            }
            Self::Misplaced { said } => {
                format!(
                    "Commands stand at the top of the letter, each in a line of its own, and this one does not: {said}"
                )
            }
            Self::Twice(verb) => format!("{} stands there twice", name(verb)),
            Self::Either(a, b) => {
                format!("{} and {} exclude each other", name(a), name(b))
            }
            Self::TooMany => format!("More than {MOST} commands in one letter"),
        }
    }
}

/// What a letter says to the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// Its commands in their order, none if it has none; or everything that is wrong with them, and then nothing of it takes effect.
    pub directives: Result<Vec<Directive>, Vec<Fault>>,
    /// The text below them.
    pub text: String,
}

impl Spoken {
    /// Whether its writer meant to command anything.
    pub fn is_command(&self) -> bool {
        self.directives.as_ref().map_or(true, |d| !d.is_empty())
    }
}

/// Commands in one letter.
const MOST: usize = 12;
/// Faults that are told of one letter.
const FAULTS: usize = 12;
/// Marks in a line behind which a second command is looked for.
const LOOKED_AT: usize = 64;
/// Characters of a line that are told back.
const TOLD: usize = 60;

/// Reads the new text of a letter: the lines at its top that begin with `#` are commands, the rest is text. A line further down that would
/// be a command is none, and no text for anybody either: the letter says two things at once.
pub fn read(new_text: &str) -> Spoken {
    let mut directives: Vec<Directive> = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    let mut rest = new_text;
    while let Some((line, after)) = next_line(rest) {
        let Some(said) = commanded(line) else {
            if bare(line).is_empty() {
                rest = after;
                continue;
            }
            break;
        };
        match command(said) {
            Ok(directive) => directives.push(directive),
            Err(fault) => faults.push(fault),
        }
        rest = after;
        if matches!(directives.last(), Some(Directive::Call(_))) {
            // What follows are the fields of the call.
            break;
        }
        if directives.len().saturating_add(faults.len()) > MOST {
            faults.push(Fault::TooMany);
            break;
        }
    }
    let text = rest.trim().to_owned();
    if !matches!(directives.last(), Some(Directive::Call(_))) {
        faults.extend(misplaced(&text));
    }
    faults.extend(together(&directives));
    faults.truncate(FAULTS);
    Spoken {
        directives: if faults.is_empty() {
            Ok(directives)
        } else {
            Err(faults)
        },
        text,
    }
}

/// The first line, and what stands behind it; none at the end.
fn next_line(text: &str) -> Option<(&str, &str)> {
    (!text.is_empty()).then(|| text.split_once('\n').unwrap_or((text, "")))
}

/// A line without what nobody sees at its ends.
fn bare(line: &str) -> &str {
    line.trim_matches(|c: char| c.is_whitespace() || verb::is_invisible(c))
}

/// What stands behind the mark of a command, if the line has one.
pub(super) fn commanded(line: &str) -> Option<&str> {
    let line = bare(line);
    let said = line.strip_prefix(MARKS)?;
    Some(bare(said.trim_start_matches(MARKS)))
}

/// The mark, as keyboards of the world write it.
const MARKS: [char; 3] = ['#', '\u{ff03}', '\u{fe5f}'];

/// One command, from what stands behind its mark.
fn command(said: &str) -> Result<Directive, Fault> {
    let Some((verb, behind)) = verb::find(said) else {
        return Err(Fault::Unknown {
            said: told(&format!("#{said}")),
            meant: verb::nearest(said),
        });
    };
    if let Some(at) = second(behind) {
        return Err(Fault::Misplaced { said: told(at) });
    }
    let words = || behind.to_owned();
    let nothing = |directive| {
        if behind.is_empty() {
            Ok(directive)
        } else {
            Err(Fault::Extra {
                verb,
                said: told(behind),
            })
        }
    };
    match verb {
        Verb::InProgress => nothing(Directive::InProgress),
        Verb::Silent => nothing(Directive::Silent),
        Verb::History => nothing(Directive::History),
        Verb::Help => nothing(Directive::Help),
        Verb::Approval => nothing(Directive::Approval),
        Verb::Phone | Verb::Messenger | Verb::InPerson => nothing(Directive::Call(verb)),
        Verb::Ask => Ok(Directive::Ask(words())),
        Verb::Resolve => Ok(Directive::Resolve(words())),
        Verb::Close => Ok(Directive::Close(words())),
        Verb::Developer => Ok(Directive::Developer(words())),
        Verb::Note => Ok(Directive::Note(words())),
        Verb::Decline => Ok(Directive::Decline(words())),
        Verb::Type => type_(behind).map(Directive::Type),
        Verb::Kind => kind(behind).map(Directive::Kind),
        Verb::Extend => {
            let (days, why) = verb::days(behind).ok_or_else(|| Fault::Argument {
                verb,
                said: Some(told(behind)).filter(|s| !s.is_empty()),
                meant: None,
            })?;
            Ok(Directive::Extend(days, why.to_owned()))
        }
    }
}

/// A type by one of its names (R25).
pub(super) fn type_(said: &str) -> Result<Type, Fault> {
    one_of(Verb::Type, verb::TYPES, said)
}

/// Order or question by one of its names (R9).
pub(super) fn kind(said: &str) -> Result<Kind, Fault> {
    one_of(Verb::Kind, verb::KINDS, said)
}

fn one_of<T: Copy>(
    verb: Verb,
    names: &'static [(T, &'static [&'static str])],
    said: &str,
) -> Result<T, Fault> {
    let every = || {
        names
            .iter()
            .flat_map(|(value, names)| names.iter().map(move |n| (*value, *n)))
    };
    let wanted = verb::key(said);
    if let Some((value, _)) = every().find(|(_, name)| verb::key(name) == wanted) {
        return Ok(value);
    }
    Err(Fault::Argument {
        verb,
        said: Some(told(said)).filter(|s| !s.is_empty()),
        meant: verb::nearest_of(&wanted, every().map(|(_, name)| name)),
    })
}

/// Where a second command begins behind a first one, in the same line.
fn second(behind: &str) -> Option<&str> {
    let mut marks = behind.match_indices(MARKS).take(LOOKED_AT);
    marks.find_map(|(at, _)| {
        let from = behind.get(at..)?;
        let said = from.trim_start_matches(MARKS);
        let alone = at == 0 || behind.get(..at)?.ends_with(char::is_whitespace);
        (alone && verb::find(said).is_some()).then_some(from)
    })
}

/// Lines of the text that would be commands if they stood at the top.
fn misplaced(text: &str) -> Vec<Fault> {
    let lines = text.lines().filter_map(|line| {
        let said = commanded(line)?;
        // Of a line that is none, nobody asks here what it was meant to be.
        verb::find(said)?;
        command(said).ok()?;
        Some(Fault::Misplaced {
            said: told(bare(line)),
        })
    });
    lines.take(FAULTS).collect()
}

/// What can't be said in one letter.
fn together(directives: &[Directive]) -> Vec<Fault> {
    let verbs: Vec<Verb> = directives.iter().map(Directive::verb).collect();
    let mut faults = Vec::new();
    for (i, a) in verbs.iter().enumerate() {
        for b in verbs.iter().skip(i.saturating_add(1)) {
            let both_move = a.shape() == Shape::Move && b.shape() == Shape::Move;
            let alone = a.shape() == Shape::Alone || b.shape() == Shape::Alone;
            if a == b {
                faults.push(Fault::Twice(*a));
            } else if both_move || alone {
                faults.push(Fault::Either(*a, *b));
            }
        }
    }
    faults.dedup();
    faults
}

/// Somebody's own words, as they are told back to them: on one line and not long.
fn told(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    match said.char_indices().nth(TOLD) {
        Some((end, _)) => format!("{}…", said.get(..end).unwrap_or(&said)),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::too_many_lines,
        reason = "tests"
    )]
    use proptest::prelude::*;

    use super::*;

    fn one(line: &str) -> Result<Directive, Fault> {
        match read(line).directives {
            Ok(directives) => Ok(directives.first().cloned().unwrap_or(Directive::Help)),
            Err(faults) => Err(faults[0].clone()),
        }
    }

    #[test]
    fn h84_a_command_is_read_however_it_is_written() {
        let words = |text: &str| text.to_owned();
        for (lines, directive) in [
            (
                &[
                    "#в работе",
                    "#В-РАБОТЕ",
                    "# в_работе",
                    "#вработе.",
                    "  #в\u{2011}работе ",
                    "\u{feff}#in progress",
                    "#In-Progress",
                    "＃в работе",
                ][..],
                Directive::InProgress,
            ),
            (
                &[
                    "#решен",
                    "#решён",
                    "#Решено!",
                    "#PEШEH",
                    "#resolved",
                    "#rеsоlvеd",
                    "#реше\u{308}н",
                    "\u{a0}#\u{a0}решен",
                ],
                Directive::Resolve(words("")),
            ),
            (
                &[
                    "#решен Пароль сброшен.",
                    "#решен: Пароль сброшен.",
                    "#решено — Пароль сброшен.",
                ],
                Directive::Resolve(words("Пароль сброшен.")),
            ),
            (
                &["#закрыт", "#closed", "#close"],
                Directive::Close(words("")),
            ),
            (
                &[
                    "#тип ошибка",
                    "#тип: Ошибка",
                    "#тип=ошибка",
                    "#type fault",
                    "#тип - bug",
                ],
                Directive::Type(Type::Fault),
            ),
            (
                &["#вид поручение", "#kind order"],
                Directive::Kind(Kind::Order),
            ),
            (
                &[
                    "#разработчику Сидоров",
                    "#разработчик: Сидоров",
                    "#передано разработчику Сидоров",
                    "#developer Сидоров",
                ],
                Directive::Developer(words("Сидоров")),
            ),
            (&["#разработчик у"], Directive::Developer(words("у"))),
            (
                &[
                    "#продлить 3 ждём поставку",
                    "#продлить на 3 дня: ждём поставку",
                    "#продлить 3 рабочих дня, ждём поставку",
                    "#extend by 3 days — ждём поставку",
                ],
                Directive::Extend(3, words("ждём поставку")),
            ),
            (&["#продлить 12"], Directive::Extend(12, words(""))),
            (&["#уточнить"], Directive::Ask(words(""))),
            (&["#заметка см. #5"], Directive::Note(words("см. #5"))),
            (
                &["#отклонить не наше"],
                Directive::Decline(words("не наше")),
            ),
            (&["#согласование", "#approval"], Directive::Approval),
            (&["#история", "#history"], Directive::History),
            (&["#помощь", "#help", "#команды"], Directive::Help),
            (&["#телефон", "#звонок"], Directive::Call(Verb::Phone)),
            (&["#in-person", "#лично"], Directive::Call(Verb::InPerson)),
            (&["#тихо", "#silent"], Directive::Silent),
        ] {
            for line in lines {
                assert_eq!(one(line), Ok(directive.clone()), "{line}");
            }
        }
    }

    #[test]
    fn commands_stand_at_the_top_and_the_rest_is_text() {
        let spoken =
            read("\n#решен\n\n# тип ошибка\n\nЗдравствуйте!\n\n# restart the service\nГотово.\n");
        let expected = vec![
            Directive::Resolve(String::new()),
            Directive::Type(Type::Fault),
        ];
        assert_eq!(spoken.directives, Ok(expected));
        assert_eq!(
            spoken.text,
            "Здравствуйте!\n\n# restart the service\nГотово."
        );
        assert!(!read("Просто текст.").is_command());
        assert_eq!(read("").directives, Ok(vec![]));
    }

    #[test]
    fn what_is_unclear_is_a_fault_that_helps() {
        let told = |text: &str| {
            let faults = read(text).directives.unwrap_err();
            let words = faults.iter().map(|f| f.in_words(Locale::Ru));
            words.collect::<Vec<_>>().join(" | ")
        };
        for (text, fault) in [
            ("#ришен", "#ришен is no command; did you mean #решен?"),
            ("#закрт", "#закрт is no command; did you mean #закрыт?"),
            (
                "#в рoботе",
                "#в рoботе is no command; did you mean #в-работе?",
            ),
            ("#абракадабра", "#абракадабра is no command"),
            ("#", "# is no command"),
            (
                "#тип",
                "#тип needs to be told what: #тип поддержка, #тип ошибка, #тип улучшение",
            ),
            (
                "#тип ошипка",
                "#тип does not take ошипка; did you mean ошибка?",
            ),
            (
                "#тип синий",
                "#тип does not take синий: #тип поддержка, #тип ошибка, #тип улучшение",
            ),
            (
                "#продлить",
                "#продлить needs to be told what: #продлить 3 причина",
            ),
            (
                "#продлить 0",
                "#продлить does not take 0: #продлить 3 причина",
            ),
            (
                "#продлить 3x",
                "#продлить does not take 3x: #продлить 3 причина",
            ),
            (
                "#тихо пожалуйста",
                "#тихо takes nothing behind it, and there stands: пожалуйста",
            ),
            (
                "#решен\n#закрыт\nТекст",
                "#решен and #закрыт exclude each other",
            ),
            ("#решен\n#решено\nТекст", "#решен stands there twice"),
            ("#телефон\nТекст: x", ""),
            (
                "#тихо\n#телефон\nТекст: x",
                "#тихо and #телефон exclude each other",
            ),
            (
                "#решен #тихо",
                "Commands stand at the top of the letter, each in a line of its own, and this one does not: #тихо",
            ),
            (
                "Добрый день!\n#решен",
                "Commands stand at the top of the letter, each in a line of its own, and this one does not: #решен",
            ),
        ] {
            if fault.is_empty() {
                assert!(read(text).directives.is_ok(), "{text}");
            } else {
                assert_eq!(told(text), fault, "{text}");
            }
        }
        assert!(told(&"#ришен\n".repeat(100)).ends_with("did you mean #решен?"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// S16: whatever is written is read without a panic, and text is never lost or made up.
        #[test]
        fn any_text_is_read(text in "(\\PC{0,20}|#|\n|>|решен|тип|закрыт| ){0,40}") {
            let spoken = read(&text);
            prop_assert!(text.contains(&spoken.text));
            if let Err(faults) = &spoken.directives {
                prop_assert!(!faults.is_empty() && faults.len() <= FAULTS);
                for fault in faults {
                    prop_assert!(fault.in_words(Locale::Ru).chars().count() < 400);
                }
            }
        }

        /// H85: a quoted line never commands anything.
        #[test]
        fn what_is_quoted_never_commands(
            lines in prop::collection::vec(("[>|] ?", prop::sample::select(vec!["#решен", "#закрыт тихо", "#тип ошибка", "# помощь", "#продлить 3"])), 1..8),
            text in "[а-я \n]{0,40}",
        ) {
            let quoted: Vec<String> = lines.iter().map(|(mark, line)| format!("{mark}{line}")).collect();
            let letter = format!("{}\n{text}\n{}", quoted.join("\n"), quoted.join("\n"));
            prop_assert_eq!(read(&letter).directives, Ok(vec![]));
        }
    }
}
