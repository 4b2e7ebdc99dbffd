//! What a short letter says once greetings, names and signatures are taken off: thanks and nothing else (R23), or one word to the desk itself (R44).

use super::policy::Words;

/// A longer text is no short letter, in octets.
const LONGEST: usize = 4_000;
/// Lines of a signature; what is longer is more than that.
const SIGNATURE: usize = 12;

/// What the desk is asked for itself (R44).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The sender's open requests.
    Status,
    /// All of them.
    History,
    /// The rules.
    Help,
}

/// Beginnings that say nothing, folded.
const GREETINGS: [&str; 12] = [
    "добрый день",
    "добрый вечер",
    "доброе утро",
    "доброго дня",
    "здравствуйте",
    "здравствуй",
    "приветствую",
    "уважаемые",
    "hello",
    "hi",
    "dear",
    "good",
];

/// Whoever is greeted without a name, and what is said for politeness; folded words.
const EMPTY: [&str; 16] = [
    "коллеги",
    "пожалуйста",
    "уважаемая",
    "уважаемый",
    "всем",
    "команда",
    "день",
    "please",
    "all",
    "team",
    "everyone",
    "colleagues",
    "there",
    "morning",
    "afternoon",
    "day",
];

/// From here on a letter is its signature, folded.
const CLOSINGS: [&str; 14] = [
    "с уважением",
    "с наилучшими пожеланиями",
    "с благодарностью",
    "всего доброго",
    "всего хорошего",
    "хорошего дня",
    "отправлено с",
    "отправлено из",
    "best regards",
    "kind regards",
    "regards",
    "sincerely",
    "yours",
    "sent from",
];

/// What may stand beside a phrase of thanks and says nothing of its own; folded.
const FILLERS: [&str; 22] = [
    "вам",
    "вас",
    "большое",
    "огромное",
    "очень",
    "теперь",
    "за помощь",
    "за ответ",
    "за быстрый ответ",
    "за оперативность",
    "за оперативный ответ",
    "за работу",
    "for your help",
    "for the help",
    "for the answer",
    "for your answer",
    "for the quick answer",
    "very much",
    "so much",
    "a lot",
    "now",
    "again",
];

/// Signs that thank, and signs that agree, without words.
const THANKS: [char; 4] = ['🙏', '❤', '😊', '🙂'];
const AGREES: [char; 2] = ['👍', '👌'];

/// What a text says that is nothing but courtesy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Courtesy {
    /// It thanks.
    Thanks,
    /// It agrees, and may thank as well: to a question that is an answer.
    Agrees,
}

/// What a text says if it only thanks or agrees (R23): nothing else stands in it but a greeting, names and a signature. In doubt it is none.
pub fn courtesy(words: &Words, text: &str, names: &[&str]) -> Option<Courtesy> {
    let pieces = pieces(text, names)?;
    let folded_all = |list: &[String]| list.iter().map(|w| folded(w)).collect::<Vec<_>>();
    let (thanks, agrees) = (folded_all(&words.thanks), folded_all(&words.agrees));
    let mut found = match (text.contains(AGREES), text.contains(THANKS)) {
        (true, _) => Some(Courtesy::Agrees),
        (false, true) => Some(Courtesy::Thanks),
        (false, false) => None,
    };
    for piece in &pieces {
        let mut rest = piece.as_str();
        while !rest.is_empty() {
            let among = |list: &[String]| longest(rest, list.iter().map(String::as_str));
            let (thanked, agreed) = (among(&thanks), among(&agrees));
            let name = longest(rest, names.iter().copied().chain(EMPTY));
            let taken = longest(rest, FILLERS.into_iter())
                .max(name)
                .max(thanked)
                .max(agreed);
            if taken == 0 {
                return None;
            }
            if agreed == taken {
                found = found.max(Some(Courtesy::Agrees));
            } else if thanked == taken {
                found = found.max(Some(Courtesy::Thanks));
            }
            rest = rest.get(taken..).unwrap_or_default().trim_start();
        }
    }
    found
}

/// Whether a text says nothing at all: no letter or figure stands in it.
pub fn is_silent(text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric) && !text.contains(THANKS) && !text.contains(AGREES)
}

/// Whether nothing stands in a text but a greeting, names and a signature.
pub fn is_empty(text: &str, names: &[&str]) -> bool {
    pieces(text, names).is_some_and(|pieces| pieces.is_empty())
}

/// What a text asks the desk itself for, if it asks for nothing else (R44).
pub fn service(words: &Words, text: &str, names: &[&str]) -> Option<Service> {
    let pieces = pieces(text, names)?;
    let [only] = pieces.as_slice() else {
        return None;
    };
    let said = without_empty(only);
    [
        (&words.status, Service::Status),
        (&words.history, Service::History),
        (&words.help, Service::Help),
    ]
    .into_iter()
    .find(|(list, _)| list.iter().any(|w| folded(w) == said))
    .map(|(_, service)| service)
}

/// The pieces of what was said, folded, without greetings, names and signature; none if it asks something, quotes, or is no short letter.
fn pieces(text: &str, names: &[&str]) -> Option<Vec<String>> {
    if text.len() > LONGEST || asks(text) {
        return None;
    }
    let mut said = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with('>') {
            return None;
        }
        let delimiter = matches!(line, "--" | "—" | "---" | "__");
        let mut signed = delimiter;
        if !delimiter {
            for piece in line.split(['.', '!', ',', ';', ':', '…', '(', ')']) {
                let piece = folded(piece);
                signed |= CLOSINGS.iter().any(|c| begins(&piece, c).is_some());
                if signed {
                    break;
                }
                let piece = ungreeted(&piece);
                if !piece.is_empty() && !is_names(piece, names) {
                    said.push(piece.to_owned());
                }
            }
        }
        if signed {
            let rest = lines.by_ref().filter(|l| !l.trim().is_empty()).count();
            return (rest <= SIGNATURE).then_some(said);
        }
    }
    Some(said)
}

/// A question mark that ends a word; one inside an address of a signature asks nothing.
fn asks(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends = chars.peek().is_none_or(|next| !next.is_alphanumeric());
        if c == '?' && ends {
            return true;
        }
    }
    false
}

fn ungreeted(piece: &str) -> &str {
    GREETINGS
        .iter()
        .find_map(|greeting| begins(piece, greeting))
        .unwrap_or(piece)
}

fn is_names(piece: &str, names: &[&str]) -> bool {
    piece
        .split(' ')
        .all(|word| names.contains(&word) || EMPTY.contains(&word))
}

fn without_empty(piece: &str) -> String {
    let words: Vec<&str> = piece.split(' ').filter(|w| !EMPTY.contains(w)).collect();
    words.join(" ")
}

/// The octets of the longest of these that the text begins with, at a word's end; 0 if it begins with none.
fn longest<'a>(text: &str, list: impl Iterator<Item = &'a str>) -> usize {
    list.filter(|one| !one.is_empty() && begins(text, one).is_some())
        .map(str::len)
        .max()
        .unwrap_or(0)
}

/// What follows `start` in the text, if it begins with it at a word's end.
fn begins<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(start)?;
    (rest.is_empty() || rest.starts_with(' ')).then(|| rest.trim_start())
}

/// The words of names, folded, for the other functions here.
pub fn words_of(names: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = names
        .iter()
        .flat_map(|name| {
            let name = folded(name);
            name.split(' ').map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|word| word.chars().count() > 1)
        .collect();
    words.sort();
    words.dedup();
    words
}

/// Lower case, ё as е, letters and figures with single blanks between.
fn folded(text: &str) -> String {
    let plain: String = text
        .to_lowercase()
        .chars()
        .map(|c| match c {
            'ё' => 'е',
            c if c.is_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        Words {
            confirm: list(&["Подтверждаю"]),
            decline: list(&["Отклоняю"]),
            thanks: list(super::super::policy::THANKS),
            agrees: list(super::super::policy::AGREES),
            status: list(&["Статус", "Status"]),
            history: list(&["История", "History"]),
            help: list(&["Помощь", "Help"]),
            ..Words::default()
        }
    }

    const NAMES: [&str; 4] = ["анна", "сергеевна", "петрова", "мария"];

    #[test]
    fn r23_what_only_thanks_or_agrees() {
        for text in [
            "Спасибо!",
            "Спасибо",
            "спасибо большое :)",
            "Добрый день!\n\nСпасибо, всё работает.\n\nМария",
            "Здравствуйте, Анна Сергеевна!\nБольшое спасибо за помощь.\n\nС уважением,\nИванова Мария Петровна\nметодист, +7 900 000-00-01\nhttps://raduga.example/?page=1",
            "Анна, спасибо вам огромное!!!",
            "Всё работает. Спасибо!\n--\nМария",
            "👍",
            "Спасибо 👍",
            "Согласна.",
            "Thank you very much, it works now.\n\nBest regards,\nMaria",
            "Thanks a lot!\n\nSent from my phone",
            "Hello!\nThanks",
            "Вопрос решён, спасибо",
        ] {
            assert!(courtesy(&words(), text, &NAMES).is_some(), "{text}");
        }
    }

    #[test]
    fn r23_whoever_says_more_does_not_only_thank() {
        let signature = format!("Спасибо\nС уважением,\n{}", "Ещё строка\n".repeat(20));
        for text in [
            "",
            "Спасибо, но вход всё равно не работает",
            "Спасибо, а когда будет отчёт?",
            "Спасибо?",
            "Не работает",
            "Не спасибо",
            "Спасибо. Ещё один вопрос: где журнал",
            "Спасибо!\nПришлите, пожалуйста, инструкцию",
            "> Спасибо",
            "Спасибо\n> всё готово",
            "Всё работает, кроме входа",
            "Мария",
            "Добрый день!",
            "Спасибо. С уважением, Мария\nP.S. А когда будет отчёт?",
            "Thanks, it works, but slowly",
            "No thanks",
            signature.as_str(),
        ] {
            assert_eq!(courtesy(&words(), text, &NAMES), None, "{text}");
        }
    }

    /// To a question, agreement is an answer, and thanks are none.
    #[test]
    fn r23_who_agrees_says_more_than_who_thanks() {
        for (text, said) in [
            ("Спасибо!", Courtesy::Thanks),
            ("Благодарю вас, Анна", Courtesy::Thanks),
            ("🙏", Courtesy::Thanks),
            ("Согласна", Courtesy::Agrees),
            ("Хорошо, спасибо", Courtesy::Agrees),
            ("Ok, thanks", Courtesy::Agrees),
            ("👍", Courtesy::Agrees),
        ] {
            assert_eq!(courtesy(&words(), text, &NAMES), Some(said), "{text}");
        }
    }

    #[test]
    fn r44_one_word_asks_the_desk_itself() {
        for (text, asked) in [
            ("Статус", Some(Service::Status)),
            (
                "Добрый день!\n\nстатус, пожалуйста.\n\nМария",
                Some(Service::Status),
            ),
            ("STATUS\n\nBest regards\nMaria", Some(Service::Status)),
            ("История", Some(Service::History)),
            ("Help!", Some(Service::Help)),
            ("Статус?", None),
            ("Статус заявки не меняется", None),
            ("Статус\nИстория", None),
            ("Помощь нужна", None),
            ("", None),
        ] {
            assert_eq!(service(&words(), text, &NAMES), asked, "{text}");
        }
    }

    #[test]
    fn nothing_said_is_nothing_said() {
        assert!(is_silent(" \n--\n"));
        assert!(!is_silent("1"));
        assert!(!is_silent("👍"));
        let long = "Спасибо ".repeat(10_000);
        assert_eq!(courtesy(&words(), &long, &NAMES), None);
        assert_eq!(words_of(&["Петрова Анна С."]), ["анна", "петрова"]);
    }
}
