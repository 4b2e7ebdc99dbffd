//! An explanation told to people, in their language: the facts in a column, then the evidence, what was rejected, the limits, the reasons.

use serde_json::Value;

use crate::desk::people::Locale;
use crate::explanation::shown;
use crate::mail::russian;

/// How many characters of what the sender wrote are shown.
const GLIMPSE: usize = 200;

/// What stands before a line, in both languages.
struct Label {
    en: &'static str,
    ru: &'static str,
}

const fn label(en: &'static str, ru: &'static str) -> Label {
    Label { en, ru }
}

/// One explanation as text. What there is nothing to say about is left out.
pub fn text(explanation: &Value, locale: Locale) -> String {
    let mut account = Account {
        locale,
        lines: String::new(),
    };
    account.facts(explanation);
    account.findings(explanation);
    account.lines
}

struct Account {
    locale: Locale,
    lines: String,
}

impl Account {
    fn facts(&mut self, explanation: &Value) {
        let get = |path: &str| explanation.pointer(path).unwrap_or(&Value::Null);
        let verdict = or(plain(get("/verdict")), "none yet");
        self.say(label("verdict", "решение"), &verdict);
        self.line(label("number", "номер"), &plain(get("/number")));
        let about = [get("/about/number"), get("/about/evidence")];
        self.pair(label("about", "обращение"), about);
        self.line(label("from", "от кого"), &mailbox(get("/from")));
        self.line(label("subject", "тема"), &glimpse(&plain(get("/subject"))));
        self.line(label("arrived", "получено"), &plain(get("/arrived")));
        self.sender(get("/sender"));
        self.say(
            label("assurance", "подлинность"),
            &plain(get("/assurance/level")),
        );
        let kind = self.both(get("/kind"), get("/type"));
        self.line(label("kind", "вид"), &kind);
        self.line(
            label("registered on", "день регистр."),
            &plain(get("/registration_day")),
        );
        self.line(label("opens", "открытие"), &plain(get("/opens")));
        self.line(label("due", "срок"), &plain(get("/due")));
        self.say(label("automatic", "автоматика"), &plain(get("/automatic")));
        self.bounce(get("/bounce"));
        self.line(
            label("wrote", "написано"),
            &glimpse(&plain(get("/new_text"))),
        );
        for file in entries(get("/attachments")) {
            let part = |key: &str| file.get(key).map(plain).unwrap_or_default();
            let octets = self.in_words(label("octets", "октетов"));
            let what = format!(
                "{} ({}, {} {octets})",
                or(part("name"), self.in_words(label("unnamed", "без имени"))),
                part("type"),
                part("size")
            );
            self.line(label("attachment", "вложение"), &what);
        }
    }

    /// What bears on the decision: each list may grow, by whoever establishes something.
    fn findings(&mut self, explanation: &Value) {
        let get = |path: &str| explanation.pointer(path).unwrap_or(&Value::Null);
        for what in entries(get("/evidence/for")) {
            self.say(label("for", "за"), &plain(what));
        }
        for what in entries(get("/evidence/against")) {
            self.say(label("against", "против"), &plain(what));
        }
        for other in entries(get("/alternatives")) {
            let part = |key: &str| other.get(key).map(plain).unwrap_or_default();
            let number = or(part("number"), "any request");
            let said = [number, part("clue"), part("why")].map(|part| self.said(&part));
            self.line(label("not about", "не о том"), &said.join(": "));
        }
        for cap in entries(get("/caps")) {
            self.say(label("limit", "предел"), &plain(cap));
        }
        for reason in entries(get("/reasons")) {
            self.say(label("because", "потому что"), &plain(reason));
        }
        for told in entries(get("/letters")) {
            let part = |key: &str| told.get(key).map(plain).unwrap_or_default();
            let to = self.in_words(label("to", "кому:"));
            let what = format!(
                "{} {to} {}: {}",
                part("template"),
                part("to"),
                part("subject")
            );
            self.line(label("letter", "письмо"), &what);
        }
        for fault in entries(get("/faults")) {
            self.say(label("fault", "помеха"), &plain(fault));
        }
    }

    fn sender(&mut self, sender: &Value) {
        let part = |key: &str| sender.get(key).map(plain).unwrap_or_default();
        let whose: Vec<String> = [part("customer"), part("installation")]
            .into_iter()
            .filter(|w| !w.is_empty())
            .collect();
        let mut said = self.said(&part("role"));
        if !whose.is_empty() {
            let of = self.in_words(label(" of ", ", "));
            said = format!("{said}{of}{}", whose.join(", "));
        }
        self.line(label("sender", "отправитель"), &said);
    }

    /// Whom a report is about, its code, and what that means.
    fn bounce(&mut self, bounce: &Value) {
        let part = |key: &str| bounce.get(key).map(plain).unwrap_or_default();
        let dead = bounce.get("permanent") == Some(&Value::Bool(true));
        let said = [
            part("recipient"),
            part("status"),
            self.said(&part("action")),
            self.said(if dead { "the address is dead" } else { "" }),
        ];
        let said: Vec<String> = said.into_iter().filter(|s| !s.is_empty()).collect();
        self.line(label("bounce", "недоставка"), &said.join(", "));
    }

    fn both(&self, first: &Value, second: &Value) -> String {
        let said = [first, second].map(|value| self.said(&plain(value)));
        let said: Vec<String> = said.into_iter().filter(|s| !s.is_empty()).collect();
        said.join(", ")
    }

    /// `first: second`, or the one that there is.
    fn pair(&mut self, label: Label, pair: [&Value; 2]) {
        let said = pair.map(|value| self.said(&plain(value)));
        let said: Vec<String> = said.into_iter().filter(|s| !s.is_empty()).collect();
        self.line(label, &said.join(": "));
    }

    /// Words of the desk's own, in the reader's language.
    fn say(&mut self, label: Label, english: &str) {
        let said = self.said(english);
        self.line(label, &said);
    }

    fn line(&mut self, label: Label, value: &str) {
        if !value.is_empty() {
            let name = self.in_words(label);
            self.lines.push_str(&format!("{name:<14} {value}\n"));
        }
    }

    fn said(&self, english: &str) -> String {
        match self.locale {
            Locale::En => english.to_owned(),
            Locale::Ru => russian::said(english).unwrap_or_else(|| english.to_owned()),
        }
    }

    fn in_words(&self, label: Label) -> &'static str {
        match self.locale {
            Locale::En => label.en,
            Locale::Ru => label.ru,
        }
    }
}

fn entries(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value in one line; nothing for nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => shown(s),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_)) => other.to_string(),
    }
}

fn or(value: String, instead: &str) -> String {
    if value.is_empty() {
        instead.to_owned()
    } else {
        value
    }
}

fn mailbox(from: &Value) -> String {
    let part = |key: &str| glimpse(&from.get(key).map(plain).unwrap_or_default());
    // What is from nobody is shown as it was written: an address picked out of it would look like a sender.
    let field = part("field");
    if !field.is_empty() {
        return field;
    }
    match (part("name"), part("address")) {
        (name, address) if address.is_empty() => name,
        (name, address) if name.is_empty() => address,
        (name, address) => format!("{name} <{address}>"),
    }
}

fn glimpse(text: &str) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(GLIMPSE) {
        words.truncate(end);
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn explanation() -> Value {
        json!({
            "verdict": "held", "from": {"name": "", "address": "a@x.example"}, "subject": "Re: [№ 2026-000001]\u{1b}",
            "sender": {"role": "stranger", "customer": null, "installation": null}, "assurance": {"level": "domain"},
            "evidence": {"for": ["dmarc=pass for x.example"], "against": []},
            "bounce": {"recipient": "b@y.example", "action": "failed", "status": "5.1.1", "permanent": true},
            "alternatives": [{"number": "2026-000001", "clue": "the number in the subject", "why": "the sender is not a party of that request"}],
            "caps": ["letters_per_hour = 60"], "reasons": ["The sender is nobody the desk knows (R12)"],
            "letters": [], "faults": ["Something new"],
        })
    }

    #[test]
    fn d43_f13_it_is_told_in_the_readers_language_without_control_characters() {
        let ru = text(&explanation(), Locale::Ru);
        assert_eq!(
            ru,
            "решение        ждёт решения человека\n\
             от кого        a@x.example\n\
             тема           Re: [№ 2026-000001]\n\
             отправитель    посторонний\n\
             подлинность    подтверждён доменом\n\
             недоставка     b@y.example, 5.1.1, не доставлено, адрес не действует\n\
             за             dmarc=pass для x.example\n\
             не о том       2026-000001: номер в теме: отправитель в нём не участвует\n\
             предел         letters_per_hour = 60\n\
             потому что     Отправитель центру неизвестен (R12)\n\
             помеха         Something new\n"
        );
        let en = text(&explanation(), Locale::En);
        assert!(en.contains(
            "not about      2026-000001: the number in the subject: the sender is not a party of that request\n"
        ));
        assert!(!en.contains('\u{1b}'));
    }
}
