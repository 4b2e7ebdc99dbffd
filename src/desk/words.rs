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

/// Reads the new text of a reply: its first sentence, greetings passed over, is the word and nothing else; what follows are the writer's own words.
pub fn read(words: &Words, new_text: &str) -> Answer {
    let mut rest = new_text.trim_start();
    loop {
        let (sentence, after) = first_sentence(rest);
        let said = folded(sentence);
        if !said.is_empty() && !GREETINGS.contains(&said.as_str()) {
            let own = Some(after.trim().to_owned()).filter(|t| !t.is_empty());
            return if is_one_of(&words.confirm, &said) {
                Answer::Confirm(own)
            } else if is_one_of(&words.decline, &said) {
                Answer::Decline(own)
            } else {
                Answer::Unclear
            };
        }
        if after.is_empty() {
            return Answer::Unclear;
        }
        rest = after;
    }
}

fn first_sentence(text: &str) -> (&str, &str) {
    match text.find(['.', '!', '\n', ':', ';']) {
        Some(at) => {
            let (sentence, rest) = text.split_at(at);
            (
                sentence,
                rest.trim_start_matches(['.', '!', '\n', ':', ';', '\r', ' ', '\t']),
            )
        }
        None => (text, ""),
    }
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
    fn own_words_are_kept() {
        assert_eq!(
            read(&words(), "Подтверждаю.\nПрошу сделать до пятницы."),
            Answer::Confirm(Some("Прошу сделать до пятницы.".into()))
        );
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
        ] {
            assert_eq!(read(&words(), text), Answer::Unclear, "{text}");
        }
    }
}
