//! The one word that settles what is pending (R10): exact for authority, never guessed.

use super::policy::Words;

/// What a reply says to a question of yes or no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the writer's own words where there are some.
    Confirm(Option<String>),
    /// No, with a reason where there is one.
    Decline(Option<String>),
    /// Neither; a person must read it.
    Unclear,
}

/// Sentences that may stand before the word and mean nothing, folded.
const GREETINGS: [&str; 10] = [
    "добрый день",
    "доброе утро",
    "добрый вечер",
    "здравствуйте",
    "коллеги добрый день",
    "приветствую",
    "hello",
    "hi",
    "good morning",
    "good afternoon",
];

/// Words that, right after the word, take it back.
const DENIALS: [&str; 5] = ["нет", "не", "no", "not", "don"];

/// Reads the new text of a reply: its first sentence, greetings passed over, is the word and nothing else; what follows are the writer's own
/// words. A question, a sentence that goes on behind a comma or colon, a denial right behind it and a quoted line settle nothing.
pub fn read(words: &Words, new_text: &str) -> Answer {
    let mut rest = new_text.trim_start();
    loop {
        let (sentence, after) = first_sentence(rest);
        let said = folded(sentence);
        if !said.is_empty() && !GREETINGS.contains(&said.as_str()) {
            if sentence.contains(['?', '>']) || sentence.trim_end().ends_with(',') {
                return Answer::Unclear;
            }
            let own = after.trim_start_matches(ENDS);
            let next = folded(own);
            let own = Some(own.trim().to_owned()).filter(|t| !t.is_empty());
            return if is_one_of(&words.confirm, &said) {
                if goes_on(after) || denies(words, &next) {
                    return Answer::Unclear;
                }
                Answer::Confirm(own)
            } else if is_one_of(&words.decline, &said) && !begins_with_one(&words.confirm, &next) {
                Answer::Decline(own)
            } else {
                Answer::Unclear
            };
        }
        rest = after.trim_start_matches(ENDS);
        if rest.is_empty() {
            return Answer::Unclear;
        }
    }
}

/// Whether a text is nothing but quotation: then its writer said nothing.
pub fn is_quotation(new_text: &str) -> bool {
    let mut lines = new_text.lines().filter(|l| !l.trim().is_empty());
    lines.all(|l| l.trim_start().starts_with('>'))
}

/// What ends a sentence, and what may stand between two.
const ENDS: [char; 8] = ['.', '!', '\n', ':', ';', '\r', ' ', '\t'];

fn first_sentence(text: &str) -> (&str, &str) {
    match text.find(['.', '!', '\n', ':', ';']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    }
}

/// Whether a colon leads on to more on the same line.
fn goes_on(after: &str) -> bool {
    let line = after.lines().next().unwrap_or_default().trim();
    line.starts_with([':', ';']) && line.chars().any(char::is_alphanumeric)
}

fn denies(words: &Words, next: &str) -> bool {
    let first = next.split(' ').next().unwrap_or_default();
    DENIALS.contains(&first) || begins_with_one(&words.decline, next)
}

fn begins_with_one(list: &[String], said: &str) -> bool {
    list.iter().map(|w| folded(w)).any(|w| {
        said.strip_prefix(&w)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

/// Lower case, ё as е, letters and single blanks only.
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
    // A comma or any other sign inside leaves more than the word, and then it is not the word.
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_one_of(list: &[String], said: &str) -> bool {
    list.iter().any(|w| folded(w) == said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        Words {
            confirm: vec!["Подтверждаю".into(), "Confirm".into()],
            decline: vec!["Отклоняю".into(), "Decline".into()],
            approve: vec![],
            disapprove: vec![],
        }
    }

    #[test]
    fn the_word_alone_settles() {
        for text in [
            "Подтверждаю",
            "подтверждаю.\n",
            "Добрый день!\n\nПодтверждаю\n",
            " CONFIRM ",
        ] {
            assert_eq!(read(&words(), text), Answer::Confirm(None), "{text}");
        }
        assert_eq!(
            read(&words(), "Отклоняю: уже не нужно"),
            Answer::Decline(Some("уже не нужно".into()))
        );
    }

    #[test]
    fn a_quotation_is_nobodys_word() {
        assert!(is_quotation("> Портал\n\n >> Магазин"));
        assert!(!is_quotation("Портал\n> Магазин"));
    }

    #[test]
    fn own_words_are_kept() {
        assert_eq!(
            read(&words(), "Подтверждаю.\nПрошу сделать до пятницы."),
            Answer::Confirm(Some("Прошу сделать до пятницы.".into()))
        );
        for text in [
            "Подтверждаю:\nпо пятницам",
            "Добрый день,\nПодтверждаю!\n\nпо пятницам",
        ] {
            let own = Some("по пятницам".to_owned());
            assert_eq!(read(&words(), text), Answer::Confirm(own), "{text}");
        }
    }

    #[test]
    fn anything_else_is_unclear() {
        for text in [
            "",
            "Спасибо",
            "Не подтверждаю",
            "Подтверждаю, что не согласна",
            "Я подтверждаю",
            "Добрый день!",
            "Подтверждаю или нет?",
            "Подтверждаю?",
            "Подтверждаю: нет, это ошибка",
            "Подтверждаю: сделайте",
            "Подтверждаю; но позже",
            "Подтверждаю,\nчто не согласна",
            "Подтверждаю. Нет, подождите",
            "Подтверждаю!\nНе делайте этого",
            "Confirm.\nNot this one",
            "Подтверждаю.\nОтклоняю",
            "Отклоняю.\nПодтверждаю",
            "> Подтверждаю",
            ">> Добрый день!\n> Подтверждаю",
            "Добрый день!\n> Подтверждаю",
        ] {
            assert_eq!(read(&words(), text), Answer::Unclear, "{text}");
        }
    }
}
