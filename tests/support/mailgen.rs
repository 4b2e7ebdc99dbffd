//! Generated support mail, the same for the same seed: 60 % plain letters of 3 KB, 25 % with HTML of 20 KB, 15 % with an attachment of 100 KB to 1 MB, a fifth of all are follow-ups.

use std::fs;
use std::path::Path;

const WORDS: &str = "не работает вход в систему после обновления пожалуйста помогите журнал оценок пользователь курс ошибка при сохранении отчёт \
выгрузка сертификат письмо не приходит пароль восстановление группа слушателей преподаватель администратор сервер доступ кнопка отправить \
страница открывается пустая вместо списка мы проверили в другом браузере результат тот же просим уточнить сроки добавить поле в форму \
организация договор приложение подпись согласование заявка вопрос ответ срочно завтра модуль учёт зачисление заявление статус отклонено";
const SUBJECTS: [&str; 8] = [
    "Не работает вход в личный кабинет",
    "Вопрос по отчёту за месяц",
    "Ошибка при сохранении оценки",
    "Просим добавить поле в форму",
    "Не приходит письмо с паролем",
    "Заявление зависло в статусе",
    "Выгрузка даёт пустой файл",
    "Ещё раз о правах преподавателя",
];
const NAMES: [&str; 6] = [
    "Мария Иванова",
    "Олег Кузнецов",
    "Ольга Петрова",
    "Сергей Ёлкин",
    "Анна Смирнова",
    "Дмитрий Попов",
];
const FILES: [&str; 3] = ["Письмо о смене.pdf", "снимок экрана.png", "отчёт.xlsx"];
/// When the first letter is dated, in seconds since the epoch: 15 November 2026; each further one is half a minute later.
const FIRST: u64 = 1_794_700_000;

/// What a letter is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One plain text.
    Plain,
    /// Plain text and HTML.
    Alternative,
    /// With a file.
    Attachment,
}

/// A generated letter.
#[derive(Debug, Clone)]
pub struct Generated {
    /// Its place in the series, from 0.
    pub index: usize,
    /// Which sender, see [`sender`].
    pub sender: usize,
    /// Its Message-ID with the angle brackets.
    pub message_id: String,
    /// The letter it answers by In-Reply-To, of the same sender; none for one that begins a thread.
    pub parent: Option<usize>,
    /// The letter that began its thread; itself if it began one.
    pub root: usize,
    /// Stands in its subject and text and nowhere else.
    pub token: String,
    /// What it is made of.
    pub kind: Kind,
    /// Its octets, lines ended by CRLF.
    pub raw: Vec<u8>,
}

/// The address of a sender; every sender has a domain of his own, so that he can be a customer's representative.
pub fn sender(number: usize) -> String {
    format!("user{number}@{}", domain(number))
}

/// The domain of a sender.
pub fn domain(number: usize) -> String {
    format!("org{number}.example")
}

/// A series of letters.
#[derive(Debug)]
pub struct Generator {
    random: Random,
    words: Vec<&'static str>,
    seed: u64,
    letters: usize,
    senders: usize,
    to: String,
    recent: Vec<Sent>,
    next: usize,
}

/// What a follow-up must know about the letter that it answers.
#[derive(Debug, Clone)]
struct Sent {
    index: usize,
    root: usize,
    sender: usize,
    subject: &'static str,
    message_id: String,
    references: Vec<String>,
}

#[derive(Debug, Clone, Copy)]
enum Charset {
    Utf8,
    Koi8,
    Windows,
}

impl Generator {
    /// `letters` letters of `senders` senders to `to`. The first and the last begin threads.
    pub fn new(seed: u64, letters: usize, senders: usize, to: &str) -> Self {
        Self {
            random: Random(seed),
            words: WORDS.split_whitespace().collect(),
            seed,
            letters,
            senders,
            to: to.to_owned(),
            recent: Vec::new(),
            next: 0,
        }
    }

    fn letter(&mut self, index: usize) -> Generated {
        let token = format!("TK-{}-{index}-END", self.seed);
        let charset = match self.random.below(5) {
            0 => Charset::Koi8,
            1 => Charset::Windows,
            _ => Charset::Utf8,
        };
        let last = index + 1 == self.letters;
        let parent = (!self.recent.is_empty() && !last && self.random.below(5) == 0).then(|| {
            let at = self.random.below(self.recent.len());
            self.recent[at].clone()
        });
        let message_id = format!("<{}.{index}@org.example>", self.seed);
        let (sender, subject, root, references) = match &parent {
            Some(p) => {
                let mut references = p.references.clone();
                references.push(p.message_id.clone());
                (p.sender, p.subject, p.root, references)
            }
            None => {
                let sender = self.random.below(self.senders);
                let subject = SUBJECTS[self.random.below(SUBJECTS.len())];
                (sender, subject, index, Vec::new())
            }
        };
        let sent = Sent {
            index,
            root,
            sender,
            subject,
            message_id: message_id.clone(),
            references,
        };
        let mut raw = self.header(&sent, &token, charset);
        let kind = self.body(&mut raw, &token, charset);
        if self.recent.len() == 200 {
            self.recent.remove(0);
        }
        self.recent.push(sent);
        Generated {
            index,
            sender,
            message_id,
            parent: parent.map(|p| p.index),
            root,
            token,
            kind,
            raw,
        }
    }

    fn header(&mut self, sent: &Sent, token: &str, charset: Charset) -> Vec<u8> {
        let date = date(FIRST + sent.index as u64 * 30);
        let from = sender(sent.sender);
        let name = self.encoded_words(NAMES[sent.sender % NAMES.len()], charset);
        let again = if sent.references.is_empty() {
            ""
        } else {
            "Re: "
        };
        let subject = self.encoded_words(&format!("{again}{} {token}", sent.subject), charset);
        let mut text = format!(
            "Return-Path: <{from}>\r\nReceived: from mx.org.example (mx.org.example [192.0.2.7])\r\n\tby mx.desk.test with ESMTPS id {:012x};\r\n\t{date}\r\n\
             Date: {date}\r\nFrom: {name} <{from}>\r\nTo: {}\r\nSubject: {subject}\r\nMessage-ID: {}\r\nMIME-Version: 1.0\r\n",
            self.random.next() >> 16,
            self.to,
            sent.message_id,
        );
        if let Some(parent) = sent.references.last() {
            let all = sent.references.join("\r\n ");
            text.push_str(&format!("In-Reply-To: {parent}\r\nReferences: {all}\r\n"));
        }
        text.into_bytes()
    }

    fn body(&mut self, raw: &mut Vec<u8>, token: &str, charset: Charset) -> Kind {
        let share = self.random.below(100);
        if share < 60 {
            let size = 1600 + self.random.below(2000);
            let text = self.text(size, token);
            self.part(raw, &text, charset, "text/plain");
            return Kind::Plain;
        }
        let text = self.text(3000, token);
        if share < 85 {
            self.alternative(raw, &text, charset);
            return Kind::Alternative;
        }
        let boundary = self.boundary();
        raw.extend_from_slice(
            format!(
                "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
            )
            .as_bytes(),
        );
        if self.random.below(2) == 0 {
            self.part(raw, &text, charset, "text/plain");
        } else {
            self.alternative(raw, &text, charset);
        }
        let name = FILES[self.random.below(FILES.len())];
        let name = self
            .encoded_words(name, Charset::Utf8)
            .replace("\r\n ", " ");
        raw.extend_from_slice(
            format!("--{boundary}\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment; filename=\"{name}\"\r\n\
                     Content-Transfer-Encoding: base64\r\n\r\n")
            .as_bytes(),
        );
        let tenth_powers = self.random.below(1000) as f64 / 1000.0;
        let size = (100_000.0 * 10f64.powf(tenth_powers)) as usize;
        let mut file = Vec::with_capacity(size + 8);
        while file.len() < size {
            file.extend_from_slice(&self.random.next().to_le_bytes());
        }
        base64_lines(&file, raw);
        raw.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        Kind::Attachment
    }

    fn alternative(&mut self, raw: &mut Vec<u8>, text: &str, charset: Charset) {
        let boundary = self.boundary();
        let paragraphs: String = text
            .lines()
            .map(|l| {
                format!("<p style=\"font-family:Arial;font-size:10pt;color:#1f1f1f\">{l}</p>\r\n")
            })
            .collect();
        let rows: String = (0..90)
            .map(|row| {
                let word = self.words[self.random.below(self.words.len())];
                format!(
                    "<tr><td style=\"border:1px solid #ccc\">{row}</td><td>{word}</td></tr>\r\n"
                )
            })
            .collect();
        let html = format!(
            "<html><head><style>p{{margin:0}}td{{font:12px Arial}}</style></head><body>{paragraphs}<table>\r\n{rows}</table></body></html>\r\n"
        );
        raw.extend_from_slice(
            format!("Content-Type: multipart/alternative; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n").as_bytes(),
        );
        self.part(raw, text, charset, "text/plain");
        raw.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        self.part(raw, &html, charset, "text/html");
        raw.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    }

    /// A text of about `size` octets in an 8-bit charset.
    fn text(&mut self, size: usize, token: &str) -> String {
        let mut text = format!("Здравствуйте!\r\n\r\nНомер для контроля: {token}\r\n\r\n");
        let mut written = 0;
        while written < size {
            let count = 6 + self.random.below(6);
            let words: Vec<&str> = (0..count)
                .map(|_| self.words[self.random.below(self.words.len())])
                .collect();
            let line = format!("{}.\r\n", words.join(" "));
            written += line.chars().count();
            text.push_str(&line);
            if self.random.below(7) == 0 {
                text.push_str("\r\n");
            }
        }
        text + "\r\n-- \r\nС уважением,\r\nотдел обучения\r\nтел. +7 495 000-00-00\r\n"
    }

    fn part(&mut self, raw: &mut Vec<u8>, text: &str, charset: Charset, media: &str) {
        let octets = charset.encode(text);
        let encoding = ["base64", "quoted-printable", "8bit"][self.random.below(3)];
        let head = format!(
            "Content-Type: {media}; charset=\"{}\"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n",
            charset.name()
        );
        raw.extend_from_slice(head.as_bytes());
        match encoding {
            "base64" => base64_lines(&octets, raw),
            "quoted-printable" => quoted_printable(&octets, raw),
            _ => raw.extend_from_slice(&octets),
        }
    }

    /// A header value as encoded words (RFC 2047), cut between characters.
    fn encoded_words(&mut self, text: &str, charset: Charset) -> String {
        let base64 = self.random.below(3) < 2;
        let limit = if base64 { 42 } else { 18 };
        let mut words = vec![Vec::new()];
        for character in text.chars() {
            let octets = charset.encode(&character.to_string());
            if words.last().map_or(0, Vec::len) + octets.len() > limit {
                words.push(Vec::new());
            }
            words.last_mut().expect("A word").extend(octets);
        }
        let words: Vec<String> = words
            .iter()
            .map(|octets| {
                let name = charset.name();
                if base64 {
                    format!("=?{name}?B?{}?=", base64_of(octets))
                } else {
                    let coded: String = octets.iter().map(|o| q_of(*o)).collect();
                    format!("=?{name}?Q?{coded}?=")
                }
            })
            .collect();
        words.join("\r\n ")
    }

    fn boundary(&mut self) -> String {
        format!("=_{:016x}", self.random.next())
    }
}

impl Iterator for Generator {
    type Item = Generated;

    fn next(&mut self) -> Option<Generated> {
        let index = self.next;
        if index == self.letters {
            return None;
        }
        self.next += 1;
        Some(self.letter(index))
    }
}

/// Puts letters into a new Maildir as an MTA does (lines ended by LF), named so that their order is kept; hands each to `seen` without its octets being lost.
pub fn fill_maildir(
    letters: impl Iterator<Item = Generated>,
    maildir: &Path,
    mut seen: impl FnMut(&Generated),
) {
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(name)).expect("A Maildir");
    }
    for letter in letters {
        put_in_maildir(
            maildir,
            &format!("{}.M{}P1.gen", FIRST + letter.index as u64, letter.index),
            &letter.raw,
        );
        seen(&letter);
    }
}

/// Delivers one letter into a Maildir: written in `tmp`, renamed into `new`.
pub fn put_in_maildir(maildir: &Path, name: &str, letter: &[u8]) {
    let mut lines = Vec::with_capacity(letter.len());
    for line in letter.split_inclusive(|b| *b == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(bare) => {
                lines.extend_from_slice(bare);
                lines.push(b'\n');
            }
            None => lines.extend_from_slice(line),
        }
    }
    let draft = maildir.join("tmp").join(name);
    fs::write(&draft, lines).expect("A letter written");
    fs::rename(&draft, maildir.join("new").join(name)).expect("A letter delivered");
}

impl Charset {
    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Koi8 => "koi8-r",
            Self::Windows => "windows-1251",
        }
    }

    fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Koi8 | Self::Windows => text.chars().map(|c| self.octet(c)).collect(),
        }
    }

    /// One character in an 8-bit charset; what it has not is a question mark.
    fn octet(self, character: char) -> u8 {
        const KOI8_LOWER: &str = "юабцдефгхийклмнопярстужвьызшэщчъ";
        if character.is_ascii() {
            return character as u8;
        }
        let lower = character.to_lowercase().next().unwrap_or(character);
        let upper = u8::from(lower != character);
        match (self, character) {
            (Self::Koi8, 'ё') => 0xA3,
            (Self::Koi8, 'Ё') => 0xB3,
            (Self::Koi8, _) => KOI8_LOWER
                .chars()
                .position(|c| c == lower)
                .map_or(b'?', |at| 0xC0 + at as u8 + 0x20 * upper),
            (_, 'ё') => 0xB8,
            (_, 'Ё') => 0xA8,
            (_, '№') => 0xB9,
            (_, 'А'..='я') => (character as u32 - 'А' as u32 + 0xC0) as u8,
            _ => b'?',
        }
    }
}

/// splitmix64: small, the same everywhere, no dependency.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

fn base64_of(octets: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let octet = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for place in 0..4 {
            if place <= group.len() {
                text.push(DIGITS[(bits >> (18 - 6 * place)) as usize & 63] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

fn base64_lines(octets: &[u8], raw: &mut Vec<u8>) {
    for line in octets.chunks(57) {
        raw.extend_from_slice(base64_of(line).as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
}

fn quoted_printable(octets: &[u8], raw: &mut Vec<u8>) {
    for line in octets.split_inclusive(|b| *b == b'\n') {
        let bare = line.strip_suffix(b"\r\n").unwrap_or(line);
        let mut width = 0;
        for (at, octet) in bare.iter().enumerate() {
            let literal = matches!(octet, b'!'..=b'<' | b'>'..=b'~')
                || (*octet == b' ' && at + 1 < bare.len());
            let coded = if literal {
                (*octet as char).to_string()
            } else {
                format!("={octet:02X}")
            };
            if width + coded.len() > 75 {
                raw.extend_from_slice(b"=\r\n");
                width = 0;
            }
            width += coded.len();
            raw.extend_from_slice(coded.as_bytes());
        }
        raw.extend_from_slice(b"\r\n");
    }
}

fn q_of(octet: u8) -> String {
    if octet.is_ascii_alphanumeric() {
        (octet as char).to_string()
    } else {
        format!("={octet:02X}")
    }
}

/// A moment as RFC 5322 writes it, in UTC.
fn date(seconds: u64) -> String {
    let moment = chrono::DateTime::from_timestamp(seconds.cast_signed(), 0).expect("A moment");
    moment.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
