//! The wording of our letters: templates in Russian and English, built in, each overridable by a file, checked when they are loaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use super::layout::{self, Page};
use super::vocabulary::{self, SUBJECT};
use super::{clean, dates, trial};
use crate::desk::notice::Notice;
use crate::desk::people::Locale;
use crate::desk::request::Number;

/// The wordings of one desk.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The built-in templates with the desk's own in place of some; none while the desk has none.
    own: Option<Arc<Environment<'static>>>,
}

/// What a wording made of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The subject, one line.
    pub subject: String,
    /// Plain text, LF line ends, unwrapped paragraphs.
    pub text: String,
    /// The same as a small HTML document.
    pub html: String,
}

/// One thing wrong with an overriding template, for the configuration's list of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordingFault {
    /// The file.
    pub file: PathBuf,
    /// The line, where it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

/// What every wording may use of the desk itself.
#[derive(Debug, Clone)]
pub struct Voice<'a> {
    /// The desk's name.
    pub desk_name: &'a str,
    /// The desk's address.
    pub desk_address: &'a str,
    /// The zone that moments are shown in.
    pub zone: chrono_tz::Tz,
    /// The words that confirm (R10).
    pub confirm: &'a [String],
    /// The words that decline (R10).
    pub decline: &'a [String],
    /// The words by which an approver consents (R26).
    pub approve: &'a [String],
    /// The words by which an approver declines (R26).
    pub disapprove: &'a [String],
    /// Where a button's letter goes: the address with this letter's token. Without one there are no buttons, since a new letter to the plain address would carry no token.
    pub reply_to: Option<&'a str>,
}

/// A template as it is shipped.
struct Source {
    name: &'static str,
    text: &'static str,
}

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        [$(Source { name: $name, text: include_str!(concat!("../../config/letters/", $name, ".txt")) }),*]
    };
}

/// The templates of `Template::ALL`, and the parts that they share, in both languages.
const SOURCES: &[Source] = &sources![
    "ru/registered",
    "ru/queued",
    "ru/order-needs-primary",
    "ru/order-refused",
    "ru/order-to-confirm",
    "ru/order-confirmed",
    "ru/order-declined",
    "ru/order-lapsed",
    "ru/challenge",
    "ru/ask-installation",
    "ru/redirected",
    "ru/redirected-to-primary",
    "ru/not-representative",
    "ru/refused",
    "ru/oversize",
    "ru/succession-received",
    "ru/succession-asked",
    "ru/succession-original",
    "ru/successor-welcome",
    "ru/succession-over",
    "ru/succession-in-force",
    "ru/succession-state",
    "ru/status-changed",
    "ru/reminder",
    "ru/requests",
    "ru/help",
    "ru/consent-asked",
    "ru/consent-given",
    "ru/consent-declined",
    "ru/extension-asked",
    "ru/extended",
    "ru/consent-settled",
    "ru/for-developer",
    "ru/developer-replied",
    "ru/due-soon",
    "ru/overdue",
    "ru/for-specialist",
    "ru/transcript",
    "ru/specialist-alert",
    "ru/part-facts",
    "ru/part-due",
    "ru/part-closing",
    "en/registered",
    "en/queued",
    "en/order-needs-primary",
    "en/order-refused",
    "en/order-to-confirm",
    "en/order-confirmed",
    "en/order-declined",
    "en/order-lapsed",
    "en/challenge",
    "en/ask-installation",
    "en/redirected",
    "en/redirected-to-primary",
    "en/not-representative",
    "en/refused",
    "en/oversize",
    "en/succession-received",
    "en/succession-asked",
    "en/succession-original",
    "en/successor-welcome",
    "en/succession-over",
    "en/succession-in-force",
    "en/succession-state",
    "en/status-changed",
    "en/reminder",
    "en/requests",
    "en/help",
    "en/consent-asked",
    "en/consent-given",
    "en/consent-declined",
    "en/extension-asked",
    "en/extended",
    "en/consent-settled",
    "en/for-developer",
    "en/developer-replied",
    "en/due-soon",
    "en/overdue",
    "en/for-specialist",
    "en/transcript",
    "en/specialist-alert",
    "en/part-facts",
    "en/part-due",
    "en/part-closing",
];

static BUILT_IN: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut built_in = environment();
    for source in SOURCES {
        if let Err(why) = built_in.add_template(source.name, source.text) {
            tracing::error!(template = source.name, %why, "A built-in wording cannot be read");
        }
    }
    built_in
});

impl Wording {
    /// The built-in wordings.
    pub fn built_in() -> Self {
        Self { own: None }
    }

    /// The built-in wordings with the files of `folder` (`ru/registered.txt`, `en/…`) in place of theirs. `sources` are (path, content).
    ///
    /// # Errors
    /// Every fault of every file: a file that overrides nothing, a syntax error, an unknown name.
    pub fn with_overrides(
        sources: &[(PathBuf, String)],
        folder: &Path,
    ) -> Result<Self, Vec<WordingFault>> {
        let mut own = BUILT_IN.clone();
        let mut faults = vec![];
        let mut read = vec![];
        for (file, text) in sources {
            let fault = |line, what| WordingFault {
                file: file.clone(),
                line,
                what,
            };
            let Some(name) = name_of(file, folder) else {
                faults.push(fault(None, no_such_wording(file, folder)));
                continue;
            };
            let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
            if let Some(at) = text
                .lines()
                .position(|l| l.contains(|c: char| c.is_control() && c != '\t'))
            {
                faults.push(fault(
                    Some(at.saturating_add(1)),
                    "a control character".to_owned(),
                ));
            } else if let Err(why) = own.add_template_owned(name, text.clone()) {
                faults.push(fault(why.line(), trial::in_words(&why)));
            } else {
                read.push((file, name, text));
            }
        }
        for (file, name, text) in read {
            let fault = |(line, what)| WordingFault {
                file: file.clone(),
                line,
                what,
            };
            faults.extend(
                trial::unknown_names(&own, name, &text)
                    .into_iter()
                    .map(fault),
            );
            faults.extend(trial::rendering(&own, name).into_iter().map(fault));
        }
        faults.dedup();
        if faults.is_empty() {
            Ok(Self {
                own: (!sources.is_empty()).then(|| Arc::new(own)),
            })
        } else {
            Err(faults)
        }
    }

    /// Says a notice. A template that fails at run time falls back to the built-in one, so that a letter is never lost to a template (E9).
    pub fn say(&self, notice: &Notice, voice: &Voice<'_>) -> Said {
        let own = self.own.as_deref().map(|own| page(own, notice, voice));
        let page = match own {
            Some(Ok(page)) => Ok(page),
            Some(Err(why)) => {
                tracing::error!(template = notice.template.word(), %why, "A wording of the desk failed; the built-in one is used");
                page(&BUILT_IN, notice, voice)
            }
            None => page(&BUILT_IN, notice, voice),
        };
        match page {
            Ok(page) => set(&page, notice, voice),
            Err(why) => {
                tracing::error!(template = notice.template.word(), %why, "A built-in wording failed");
                bare(notice, voice)
            }
        }
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_formatter(told);
    environment
}

/// Whatever a template prints is framed as data, so that nothing told is taken for markup; escaping happens where the page is set.
fn told(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = if value.is_none() {
        "—".to_owned()
    } else {
        value.to_string()
    };
    out.write_str(&layout::frame(&text)).map_err(Error::from)
}

fn page(
    templates: &Environment<'static>,
    notice: &Notice,
    voice: &Voice<'_>,
) -> Result<Page, String> {
    let name = format!("{}/{}", folder(notice.locale), notice.template.word());
    let rendered = templates
        .get_template(&name)
        .and_then(|t| t.render(vocabulary::values(notice, voice)))
        .map_err(|why| format!("{why:#}"))?;
    Page::read(&rendered).map_err(|why| why.to_string())
}

fn set(page: &Page, notice: &Notice, voice: &Voice<'_>) -> Said {
    let subject = subject(&page.subject, notice.tells.number);
    let mailto = |word: &str| mailto(voice.reply_to.unwrap_or_default(), &subject, word);
    let actions: Option<&dyn Fn(&str) -> String> = match voice.reply_to {
        Some(_) => Some(&mailto),
        None => None,
    };
    Said {
        text: page.text(notice.locale),
        html: page.html(notice.locale, &subject, actions),
        subject,
    }
}

/// The subject with the number at its end, once, and not longer than [`SUBJECT`].
fn subject(text: &str, number: Option<Number>) -> String {
    let text = clean::line(text, usize::MAX);
    let Some(number) = number else {
        return clean::cut(&text, SUBJECT);
    };
    let tag = format!("[№ {number}]");
    let text = clean::line(&text.replace(&tag, ""), usize::MAX);
    let room = SUBJECT
        .saturating_sub(tag.chars().count())
        .saturating_sub(1);
    format!("{} {tag}", clean::cut(&text, room))
}

/// RFC 6068: a letter with one word in it, to the address that carries this letter's token.
fn mailto(address: &str, subject: &str, word: &str) -> String {
    let subject = if subject.starts_with("Re: ") {
        subject.to_owned()
    } else {
        format!("Re: {subject}")
    };
    format!(
        "mailto:{}?subject={}&body={}",
        percent(address, "@+."),
        percent(&clean::cut(&subject, 120), ""),
        percent(word, "")
    )
}

fn percent(text: &str, safe: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(b).to_string()
            }
            _ if safe.as_bytes().contains(&b) => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// What is said where even the built-in template fails, which its tests rule out: the bare facts.
fn bare(notice: &Notice, voice: &Voice<'_>) -> Said {
    let theme = vocabulary::theme(notice.locale, &notice.tells.subject);
    let subject = subject(&format!("Re: {theme}"), notice.tells.number);
    let mut text = format!("{subject}\n");
    if let Some(status) = notice.tells.status {
        text.push_str(vocabulary::status(notice.locale, status));
        text.push('\n');
    }
    if let Some(due) = notice.tells.due
        && let Some(due) = dates::Moment::new(notice.locale, voice.zone, due)
    {
        text.push_str(&format!("{} ({})\n", due.full, due.zone));
    }
    text.push_str(&format!("\n{}\n", clean::line(voice.desk_name, SUBJECT)));
    let html = format!("<!DOCTYPE html>\n<pre>{}</pre>\n", layout::escape(&text));
    Said {
        subject,
        text,
        html,
    }
}

fn folder(locale: Locale) -> &'static str {
    match locale {
        Locale::Ru => "ru",
        Locale::En => "en",
    }
}

/// The built-in template that a file stands for.
fn name_of(file: &Path, folder: &Path) -> Option<&'static str> {
    let inside = file.strip_prefix(folder).ok()?.to_str()?.replace('\\', "/");
    let name = inside.strip_suffix(".txt")?;
    SOURCES.iter().map(|s| s.name).find(|n| *n == name)
}

fn no_such_wording(file: &Path, folder: &Path) -> String {
    let inside = file.strip_prefix(folder).unwrap_or(file).display();
    let names: BTreeSet<&str> = SOURCES
        .iter()
        .filter_map(|s| s.name.strip_prefix("ru/"))
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    format!(
        "{inside} overrides nothing; the files are ru/NAME.txt and en/NAME.txt, where NAME is one of {}",
        names.join(", ")
    )
}
