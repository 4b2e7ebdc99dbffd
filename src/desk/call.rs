//! The fields that a specialist writes down of a telephone call (R41): `Field: value`, a line each; text and answer may have many lines.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::directive;
use super::letter::Letter;
use super::people::Locale;
use super::request::{Kind, Type};
use super::verb;

/// What was written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// The organisation's name; may be empty.
    pub organisation: String,
    /// Who called: name, phone number, or both.
    pub contact: String,
    /// The installation; may be empty.
    pub installation: String,
    /// The type, where it was told.
    pub type_: Option<Type>,
    /// Order or question, where it was told.
    pub kind: Option<Kind>,
    /// The subject; may be empty.
    pub subject: String,
    /// What they said.
    pub text: String,
    /// What they were answered at once; may be empty.
    pub answer: String,
}

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    Organisation,
    Contact,
    Phone,
    Installation,
    Type,
    Kind,
    Subject,
    Text,
    Answer,
}

#[rustfmt::skip]
const FIELDS: &[(Field, &[&str])] = &[
    (Field::Organisation, &["Организация", "Organisation", "Organization", "Заказчик", "Customer"]),
    (Field::Contact, &["Контакт", "Contact", "Контактное лицо", "ФИО", "Кто", "Заявитель", "Имя", "Name", "Caller"]),
    (Field::Phone, &["Телефон", "Phone", "Номер", "Тел"]),
    (Field::Installation, &["Система", "Installation", "Инсталляция", "System"]),
    (Field::Type, &["Тип", "Type"]),
    (Field::Kind, &["Вид", "Kind"]),
    (Field::Subject, &["Тема", "Subject"]),
    (Field::Text, &["Текст", "Text", "Описание", "Обращение"]),
    (Field::Answer, &["Ответ", "Answer", "Решение", "Solution"]),
];

impl Field {
    fn name(self, locale: Locale) -> &'static str {
        let names = FIELDS.iter().find(|(field, _)| *field == self);
        let place = match locale {
            Locale::Ru => 0,
            Locale::En => 1,
        };
        names
            .and_then(|(_, names)| names.get(place))
            .copied()
            .unwrap_or_default()
    }

    fn is_long(self) -> bool {
        matches!(self, Self::Text | Self::Answer)
    }
}

/// The keys of all names, each with its field.
static KEYS: LazyLock<BTreeMap<String, Field>> = LazyLock::new(|| {
    let names = |(field, names): &(Field, &'static [&'static str])| {
        let field = *field;
        names.iter().map(move |name| (verb::key(name), field))
    };
    FIELDS.iter().flat_map(names).collect()
});

/// Characters of a field that is one line.
const LINE: usize = 300;
/// Faults that are told of one letter.
const FAULTS: usize = 12;

/// Reads the fields.
///
/// # Errors
/// Everything that is wrong with them, in words.
pub fn read(text: &str, locale: Locale) -> Result<Call, Vec<String>> {
    let mut reading = Reading {
        locale,
        found: Vec::new(),
        faults: Vec::new(),
    };
    for line in text.lines() {
        reading.line(line);
    }
    reading.end()
}

struct Reading {
    locale: Locale,
    found: Vec<(Field, String)>,
    faults: Vec<String>,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let marked = directive::commanded(line);
        let bare = marked.unwrap_or(line);
        let named = field(bare, marked.is_some());
        let inside = self.found.last().is_some_and(|(f, _)| f.is_long());
        match (named, self.found.last_mut()) {
            (Some((field, value)), _) => {
                if self.found.iter().any(|(f, _)| *f == field) {
                    let name = field.name(self.locale);
                    self.fault(format!("The field {name} stands there twice"));
                }
                self.found.push((field, value.to_owned()));
            }
            (None, Some((_, value))) if inside && marked.is_none() => {
                value.push('\n');
                value.push_str(line);
            }
            (None, _) if line.trim().is_empty() => {}
            (None, _) if self.faults.len() >= FAULTS => {}
            (None, _) => {
                let said: String = line.trim().chars().take(60).collect();
                let name = bare.split([':', '=']).next().unwrap_or_default();
                let names = FIELDS.iter().flat_map(|(_, names)| names.iter().copied());
                self.fault(match verb::nearest_of(&verb::key(name), names) {
                    Some(meant) => format!("No field of a call: {said}; did you mean {meant}?"),
                    None => format!("No field of a call: {said}"),
                });
            }
        }
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS {
            self.faults.push(fault);
        }
    }

    fn take(&mut self, field: Field) -> String {
        let found = self.found.iter().find(|(f, _)| *f == field);
        let value = found.map(|(_, value)| value.trim()).unwrap_or_default();
        if field.is_long() {
            value.to_owned()
        } else {
            value.chars().take(LINE).collect()
        }
    }

    fn end(mut self) -> Result<Call, Vec<String>> {
        let (type_, kind) = (self.take(Field::Type), self.take(Field::Kind));
        let mut read = Call {
            organisation: self.take(Field::Organisation),
            contact: format!("{} {}", self.take(Field::Contact), self.take(Field::Phone))
                .trim()
                .to_owned(),
            installation: self.take(Field::Installation),
            type_: None,
            kind: None,
            subject: self.take(Field::Subject),
            text: self.take(Field::Text),
            answer: self.take(Field::Answer),
        };
        if !type_.is_empty() {
            match directive::type_(&type_) {
                Ok(found) => read.type_ = Some(found),
                Err(fault) => self.fault(fault.in_words(self.locale)),
            }
        }
        if !kind.is_empty() {
            match directive::kind(&kind) {
                Ok(found) => read.kind = Some(found),
                Err(fault) => self.fault(fault.in_words(self.locale)),
            }
        }
        for (field, missing) in [
            (Field::Contact, read.contact.is_empty()),
            (Field::Text, read.text.is_empty()),
        ] {
            if missing {
                let name = field.name(self.locale);
                self.fault(format!("The field {name} is missing"));
            }
        }
        if self.faults.is_empty() {
            Ok(read)
        } else {
            Err(self.faults)
        }
    }
}

/// The field that a line begins with, and its value. Behind a `#` no colon is needed.
fn field(line: &str, marked: bool) -> Option<(Field, &str)> {
    let by = |name: &str| KEYS.get(&verb::key(name)).copied();
    if let Some((name, value)) = line.split_once([':', '='])
        && name.chars().count() < 40
        && let Some(field) = by(name)
    {
        return Some((field, value.trim()));
    }
    let (name, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let bare = name.chars().count() < 40 && (marked || value.is_empty());
    by(name)
        .filter(|_| bare && marked)
        .map(|f| (f, value.trim()))
}

/// A letter of a specialist as the letter that its caller might have written: what others are shown of it (P6).
pub fn as_letter(letter: &Letter, call: &Call) -> Letter {
    Letter {
        message_id: None,
        in_reply_to: vec![],
        references: vec![],
        subject: call.subject.clone(),
        text: call.text.clone(),
        new_text: call.text.clone(),
        attachments: vec![],
        ..letter.clone()
    }
}

/// The same for a letter that was kept; what is unclear in it was refused when it came.
pub fn retold(letter: &Letter) -> Letter {
    let spoken = directive::read(&letter.new_text);
    let call = read(&spoken.text, Locale::Ru).unwrap_or_default();
    as_letter(letter, &call)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn r41_the_fields_of_a_call_are_read() {
        let text = "Организация: МАУ ДО «Радуга»\nКонтакт: Иванова Мария, +7 900 000-00-01\n\nТип: ошибка\nВид: запрос\nТекст: Не открывается журнал:\nпустая страница.\n\nСовсем.\nОтвет: Обновите страницу.\nCtrl+F5.";
        let call = read(text, Locale::Ru).unwrap();
        let expected = Call {
            organisation: "МАУ ДО «Радуга»".to_owned(),
            contact: "Иванова Мария, +7 900 000-00-01".to_owned(),
            type_: Some(Type::Fault),
            kind: Some(Kind::Question),
            text: "Не открывается журнал:\nпустая страница.\n\nСовсем.".to_owned(),
            answer: "Обновите страницу.\nCtrl+F5.".to_owned(),
            ..Call::default()
        };
        assert_eq!(call, expected);
        let marked = "#contact Иванова\n# phone: +7 900 000-00-01\n#text\nНе открывается.";
        let call = read(marked, Locale::En).unwrap();
        assert_eq!(call.contact, "Иванова +7 900 000-00-01");
        assert_eq!(call.text, "Не открывается.");
    }

    #[test]
    fn r41_what_is_unclear_in_a_call_is_told() {
        let told = |text: &str| read(text, Locale::Ru).unwrap_err().join(" | ");
        for (text, fault) in [
            (
                "",
                "The field Контакт is missing | The field Текст is missing",
            ),
            (
                "Контак: Иванова\nТекст: x",
                "No field of a call: Контак: Иванова; did you mean Контакт? | The field Контакт is missing",
            ),
            (
                "Иванова звонила\nТекст: x",
                "No field of a call: Иванова звонила | The field Контакт is missing",
            ),
            (
                "Контакт: И\nТекст: x\nТекст: y",
                "The field Текст stands there twice",
            ),
            (
                "Контакт: И\nТекст: x\nТип: ошипка",
                "#тип does not take ошипка; did you mean ошибка?",
            ),
            ("Контакт: И\nТекст: x\n#решен", "No field of a call: #решен"),
        ] {
            assert_eq!(told(text), fault, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_fields_are_read(text in "(\\PC{0,20}|\n|: |Текст|Контакт|#|Ответ){0,30}") {
            if let Err(faults) = read(&text, Locale::En) {
                prop_assert!(!faults.is_empty() && faults.len() <= FAULTS + 4);
            }
        }
    }
}
