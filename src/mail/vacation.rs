//! Vacation notices and other replies of machines that no field gives away: by their words, and only where the shape agrees (E55).
//!
//! A person can write the same words: «Я в отпуске, кто заменит?» is a question. So a subject or a sentence alone never decides.

use super::fields::Fields;
use super::lower::{lowered, says_any};
use crate::desk::letter::Automatic;

/// Characters at the beginning of a text in which a notice says what it is.
const OPENING: usize = 600;

/// Subjects that notices have, or that people write of their absence.
const SUBJECTS: &[&str] = &[
    "автоответ",
    "автоматический ответ",
    "автоматическое уведомление об отсутствии",
    "уведомление об отсутствии",
    "в отпуске",
    "нет на месте",
    "отсутствую",
    "вне офиса",
    "out of office",
    "out of the office",
    "automatic reply",
    "automated reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "auto-response",
    "autoresponse",
    "vacation",
    "away from",
    "ooo:",
    "abwesenheit",
    "réponse automatique",
    "respuesta automática",
];
/// Beginnings of subjects that only machines write.
const PREFIXES: &[&str] = &[
    "автоответ:",
    "автоответчик:",
    "автоматический ответ:",
    "automatic reply:",
    "automated reply:",
    "auto reply:",
    "auto-reply:",
    "autoreply:",
    "auto:",
    "out of office:",
    "ooo:",
    "[auto]",
    "[autoreply]",
    "[auto-reply]",
];
/// What notices say.
const SENTENCES: &[&str] = &[
    "в отпуске",
    "на больничном",
    "в командировке",
    "буду отсутствовать",
    "отсутствую на рабочем месте",
    "отсутствует на рабочем месте",
    "меня нет на рабочем месте",
    "нахожусь вне офиса",
    "не имею доступа к почте",
    "ограничен доступ к почте",
    "это автоматический ответ",
    "ответ сформирован автоматически",
    "сообщение сформировано автоматически",
    "письмо сформировано автоматически",
    "ваше письмо получено",
    "out of office",
    "out of the office",
    "on vacation",
    "on annual leave",
    "on holiday",
    "on leave",
    "away from my",
    "away from the office",
    "limited access to email",
    "limited access to my email",
    "no access to email",
    "will be back on",
    "will return on",
    "this is an automat",
    "automatically generated",
    "automated response",
    "automatic response",
];
/// What those say who want a sender to prove that he is no machine.
const CHALLENGES: &[&str] = &[
    "to have your message delivered",
    "your message will be delivered",
    "your message has not been delivered",
    "your message is being held",
    "your message is awaiting",
    "confirm that you are a human",
    "confirm that you are human",
    "prove that you are human",
    "prove you are human",
    "verify that you are a human",
    "письмо будет доставлено после",
    "сообщение будет доставлено после",
    "подтвердите, что вы не робот",
    "подтвердите, что вы человек",
    "подтвердите отправку письма",
];

/// Whether the subject speaks of absence or of an automatic reply. A mark to be counted with others.
pub(crate) fn is_subject(subject: &str) -> bool {
    says_any(&lowered(subject), SUBJECTS)
}

/// What gives a reply of a machine away by its words; none for a person's. Where it answers nothing the words alone are a guess, as weak as
/// a mark of bulk: who is on file may be asking for such a notice, and a lost order is worse than a notice too many.
pub(crate) fn told_in_words(
    fields: &Fields<'_>,
    subject: &str,
    text: &str,
) -> Option<(Automatic, &'static str)> {
    let answers = fields.first("In-Reply-To").is_some() || fields.first("References").is_some();
    let subject = lowered(subject.trim());
    let begins = PREFIXES.iter().any(|prefix| subject.starts_with(prefix));
    let speaks = says_any(&subject, SUBJECTS);
    let returned = ["re:", "ответ:", "отв:"]
        .iter()
        .any(|re| subject.starts_with(re));
    // Ordinary letters end here, before their text is looked at.
    if !(begins || speaks || answers || returned) {
        return None;
    }
    let opening: String = text
        .lines()
        .filter(|line| !line.starts_with('>'))
        .flat_map(|line| line.chars().chain(['\n']))
        .take(OPENING)
        .collect();
    let opening = uncited(&lowered(&opening));
    let kind = if answers {
        Automatic::AutoReply
    } else {
        Automatic::Bulk
    };
    let asks = opening.contains('?');
    let sentence = says_any(&opening, SENTENCES);
    if begins && (answers || sentence) {
        return Some((kind, "a subject that only machines write, in an answer"));
    }
    if speaks && sentence && !asks && !returned {
        return Some((kind, "subject and text are those of a vacation notice"));
    }
    if (answers || returned) && says_any(&opening, CHALLENGES) && opening.contains("http") {
        return Some((
            Automatic::AutoReply,
            "it asks the sender to prove that he is no machine",
        ));
    }
    None
}

/// A text without what stands between quotation marks on one line: whoever asks for a notice, or tells of one, cites its words.
fn uncited(text: &str) -> String {
    const MARKS: [(char, char); 4] = [('«', '»'), ('“', '”'), ('„', '“'), ('"', '"')];
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, mark, after)) = rest.char_indices().find_map(|(at, c)| {
            let (_, end) = MARKS.iter().find(|(begin, _)| *begin == c)?;
            let inner = rest.get(at.saturating_add(c.len_utf8())..)?;
            let (_, after) = inner.split_once(*end)?;
            Some((rest.get(..at)?, *end, after))
        }) {
            out.push_str(before);
            out.push(mark);
            rest = after;
        }
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::desk::letter::Automatic;
    use crate::mail::parse::{Caps, read};

    fn kind(headers: &str, subject: &str, text: &str) -> Option<Automatic> {
        let raw = format!("From: olga@x.example\n{headers}Subject: {subject}\n\n{text}\n");
        read(raw.as_bytes(), Caps::DEFAULT).automatic.map(|a| a.0)
    }

    #[test]
    fn e55_notices_without_a_field_are_known_by_words_and_shape() {
        let answer = "In-Reply-To: <a@desk.example>\n";
        for (headers, subject, text) in [
            (answer, "Автоматический ответ: Принято", "Вернусь в среду."),
            (answer, "Automatic reply: Принято", "Back on Monday."),
            ("", "Автоответ: Принято", "Я в отпуске до 31 августа."),
            ("", "Out of office", "I am out of the office until Monday."),
            (
                "",
                "В отпуске",
                "Здравствуйте! Я в отпуске до 31 августа, меня заменяет Олег.",
            ),
            (
                answer,
                "Re: Принято",
                "To have your message delivered please visit https://x.example/c",
            ),
        ] {
            // What answers nothing is told by its words alone, and they are a guess.
            let wanted = if headers == answer {
                Automatic::AutoReply
            } else {
                Automatic::Bulk
            };
            assert_eq!(kind(headers, subject, text), Some(wanted), "{subject}");
        }
    }

    #[test]
    fn e55_people_who_use_the_same_words_are_people() {
        let answer = "In-Reply-To: <a@desk.example>\n";
        for (headers, subject, text) in [
            (
                "",
                "Я в отпуске, кто заменит?",
                "Я в отпуске с понедельника. Кто заменит?",
            ),
            (
                "",
                "Автоматический ответ не работает",
                "Настройте, пожалуйста.",
            ),
            (
                answer,
                "Re: Принято",
                "Я в отпуске до 31 августа, напишите Олегу.",
            ),
            (
                answer,
                "Re: Автоответ: Принято",
                "Спасибо, увидел, что вы в отпуске.",
            ),
            ("", "Доступ", "Мне нужен доступ, а Олег в отпуске."),
            (
                "",
                "Настроить автоответ: я в отпуске",
                "Поручаю настроить автоответ: «Я в отпуске до 31 августа».",
            ),
            (
                answer,
                "Re: Не работает вход",
                "На https://x.example сайт пишет «подтвердите, что вы не робот» и не пускает.",
            ),
        ] {
            assert_eq!(kind(headers, subject, text), None, "{subject}");
        }
    }
}
