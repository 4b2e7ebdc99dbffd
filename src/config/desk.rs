//! What the desk has chosen: `[desk]`, `[store]`, `[deadlines]`, `[orders]`, `[consent]`, `[kinds]`, `[words]`, `[redirect]` and `[limits]`.

use std::path::Path;
use std::str::FromStr;

use chrono_tz::Tz;
use regex::{Regex, RegexBuilder};

use crate::desk::address::Address;
use crate::desk::people::Locale;
use crate::desk::policy::{
    AGREES, Consents, Deadlines, KindPatterns, Limits, OrdersFromAdditional, Redirect, THANKS,
    Voices, Words,
};
use crate::mail::thread::Keys;

use super::fault::Fault;
use super::nearest::nearest;
use super::secret;
use super::section::Section;
use super::source::Placed;

/// The languages there are.
pub const LOCALES: [(&str, Locale); 2] = [("ru", Locale::Ru), ("en", Locale::En)];

/// `[desk]`, as far as it could be read.
#[derive(Debug)]
pub struct ReadDesk {
    /// Its name.
    pub name: Option<String>,
    /// Its address.
    pub address: Option<Placed<Address>>,
    /// Its language.
    pub locale: Option<Locale>,
    /// Its zone.
    pub zone: Option<Tz>,
    /// Its sealing keys.
    pub keys: Option<Keys>,
    /// R16 ⚙.
    pub acknowledge_queued: bool,
    /// Whether its server delivers plus-addresses.
    pub plus_addressing: bool,
    /// R5 ⚙.
    pub fold_local: bool,
    /// Whether changed files are noticed without a signal.
    pub watch: bool,
}

/// Reads `[desk]`.
pub fn desk(root: &Section<'_>) -> ReadDesk {
    let section = root.table("desk", "[desk]");
    let why = "letters are signed with it";
    let name = section.required_text("name", why, "Ситуационный центр");
    let why = "people write to it, and letters come from it";
    let address = section.address("address", why);
    let locale = section.choice("locale", &LOCALES, Some("ru"));
    let desk = ReadDesk {
        name: name.map(|n| n.value),
        address,
        locale: locale.map(|l| l.value),
        zone: zone(&section),
        keys: secret::sealing_keys(&section),
        acknowledge_queued: section.flag("acknowledge_queued", true),
        plus_addressing: section.flag("plus_addressing", false),
        fold_local: section.flag("fold_local_part", true),
        watch: section.flag("watch", true),
    };
    section.end();
    desk
}

fn zone(section: &Section<'_>) -> Option<Tz> {
    let why = "hours and due dates mean nothing without it";
    let name = section.required_text("timezone", why, "Europe/Moscow")?;
    if let Ok(zone) = Tz::from_str(&name.value) {
        return Some(zone);
    }
    let names = || chrono_tz::TZ_VARIANTS.iter().map(|tz| tz.name());
    let city = |n: &'static str| n.rsplit('/').next().unwrap_or(n);
    let whole = names().find(|n| n.eq_ignore_ascii_case(&name.value));
    let near = whole.or_else(|| nearest(&name.value, names())).or_else(|| {
        let wanted = name.value.rsplit('/').next().unwrap_or_default();
        let city_meant = nearest(&wanted.replace(' ', "_"), names().map(city))?;
        names().find(|n| city(n) == city_meant)
    });
    let fault = Fault::error(name.at, format!("there is no time zone `{}`", name.value))
        .why("a zone has a name in the IANA database, which knows when its clocks change");
    section.reading().fault(match near {
        Some(near) => fault
            .label(format!("did you mean `{near}`?"))
            .todo(format!("write timezone = \"{near}\"")),
        None => fault
            .label("not in the IANA database")
            .todo("write a continent and a city, such as \"Europe/Moscow\""),
    });
    None
}

/// Reads `[store]`: the URL, with a relative SQLite path made absolute.
pub fn store_url(root: &Section<'_>) -> Option<String> {
    let section = root.table("store", "[store]");
    let url = section.text_or("url", "sqlite://var/postdesk.db");
    section.end();
    let refuse = |label: &str, why: &str| {
        section_fault(root, &url, label, why);
        None
    };
    if url.value.starts_with("postgres://") || url.value.starts_with("postgresql://") {
        return Some(url.value);
    }
    let Some(rest) = url.value.strip_prefix("sqlite:") else {
        return refuse(
            "neither SQLite nor PostgreSQL",
            "these are the databases that the desk's promises are tested on",
        );
    };
    let file = rest.strip_prefix("//").unwrap_or(rest);
    let (path, parameters) = match file.split_once('?') {
        Some((path, parameters)) => (path, Some(parameters)),
        None => (file, None),
    };
    if path.is_empty() || path.contains(":memory:") || file.contains("mode=memory") {
        return refuse(
            "a database without a file",
            "it would forget every letter when the desk stops",
        );
    }
    let encoded = |p: &Path| {
        let text = p.to_string_lossy();
        text.replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23")
    };
    let folder = root.reading().resolve("");
    let path = if Path::new(path).is_absolute() {
        path.to_owned()
    } else {
        // The folder is a path, what stands behind `sqlite://` is part of a URL already.
        let folder = std::path::absolute(if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder.as_path()
        });
        let folder = folder.map(|f| encoded(&f)).unwrap_or_default();
        format!("{}/{path}", folder.trim_end_matches('/'))
    };
    Some(match parameters {
        Some(parameters) => format!("sqlite://{path}?{parameters}"),
        None => format!("sqlite://{path}"),
    })
}

fn section_fault(root: &Section<'_>, url: &Placed<String>, label: &str, why: &str) {
    root.reading().fault(
        Fault::error(
            url.at,
            "`url` names no database that the desk can keep letters in",
        )
        .label(label)
        .why(why)
        .todo(
            "write url = \"sqlite://var/postdesk.db\" or url = \"postgres://user@host/database\"",
        ),
    );
}

/// Reads `[deadlines]`.
pub fn deadlines(root: &Section<'_>) -> Deadlines {
    let section = root.table("deadlines", "[deadlines]");
    let days = |key, low, default| section.number(key, low..=1000, default);
    let answer = days("answer", 1, 5);
    let warn_before = days("warn_before", 0, 1);
    let confirm = days("confirm", 1, 5);
    let remind_confirm = days("remind_confirm", 0, 3);
    let remind_information = days("remind_information", 1, 5);
    let close_unanswered = days("close_unanswered", 1, 10);
    let close_resolved = days("close_resolved", 1, 3);
    let reopen = days("reopen", 0, 10);
    let remind_consent = days("remind_consent", 0, 2);
    let paper_original = days("paper_original", 1, 5);
    if warn_before.value >= answer.value {
        root.reading().fault(
            Fault::error(warn_before.at, "`warn_before` is not less than `answer`")
                .label(format!("{} working days before", warn_before.value))
                .also(
                    answer.at,
                    format!("due after {} working days", answer.value),
                )
                .why("the warning would come on the day of registration or before it")
                .todo(format!("write a number below {}", answer.value)),
        );
    }
    for (remind, key, after, whole) in [
        (&remind_confirm, "remind_confirm", &confirm, "confirm"),
        (
            &remind_information,
            "remind_information",
            &close_unanswered,
            "close_unanswered",
        ),
    ] {
        if remind.value >= after.value {
            root.reading().fault(
                Fault::error(remind.at, format!("`{key}` is not less than `{whole}`"))
                    .label(format!("reminded after {} working days", remind.value))
                    .also(after.at, format!("over after {} working days", after.value))
                    .why("the reminder would come when there is nothing left to wait for")
                    .todo(format!("write a number below {}", after.value)),
            );
        }
    }
    section.end();
    let days = |n: Placed<i64>| u32::try_from(n.value).unwrap_or(u32::MAX);
    Deadlines {
        answer: days(answer),
        warn_before: days(warn_before),
        confirm: days(confirm),
        remind_confirm: days(remind_confirm),
        remind_information: days(remind_information),
        close_unanswered: days(close_unanswered),
        close_resolved: days(close_resolved),
        reopen: days(reopen),
        remind_consent: days(remind_consent),
        paper_original: days(paper_original),
    }
}

/// Reads `[orders]`.
pub fn orders(root: &Section<'_>) -> Option<OrdersFromAdditional> {
    let section = root.table("orders", "[orders]");
    let choices = [
        ("question", OrdersFromAdditional::Question),
        ("refuse", OrdersFromAdditional::Refuse),
    ];
    let found = section.choice("from_additional", &choices, Some("question"));
    section.end();
    found.map(|f| f.value)
}

/// Reads `[consent]`.
pub fn consents(root: &Section<'_>) -> Option<Consents> {
    let section = root.table("consent", "[consent]");
    let voices = |key| {
        let choices = [("any", Voices::Any), ("all", Voices::All)];
        section.choice(key, &choices, Some("any"))
    };
    let (faults, improvements, extensions) = (
        voices("faults"),
        voices("improvements"),
        voices("extensions"),
    );
    section.end();
    Some(Consents {
        faults: faults?.value,
        improvements: improvements?.value,
        extensions: extensions?.value,
    })
}

/// Reads `[kinds]`.
pub fn kinds(root: &Section<'_>) -> KindPatterns {
    let section = root.table("kinds", "[kinds]");
    let texts = |key, default: &[&str]| section.texts(key, default);
    let order_markers = texts("order_markers", &["Поручение", "Заявка", "Order"]);
    let question_markers = texts("question_markers", &["Вопрос", "Question"]);
    let order_tags = texts("order_tags", &["order"]);
    let question_tags = texts("question_tags", &["question"]);
    check_apart(
        root,
        "order_markers",
        &order_markers,
        "question_markers",
        &question_markers,
    );
    check_apart(
        root,
        "order_tags",
        &order_tags,
        "question_tags",
        &question_tags,
    );
    let kinds = KindPatterns {
        order_markers: markers(order_markers),
        question_markers: markers(question_markers),
        order_tags: lowered(order_tags),
        question_tags: lowered(question_tags),
        order_patterns: patterns(&section, "order_patterns", &[]),
        question_patterns: patterns(&section, "question_patterns", &[]),
        fault_patterns: patterns(&section, "fault_patterns", &[]),
        improvement_patterns: patterns(&section, "improvement_patterns", &[]),
    };
    section.end();
    kinds
}

/// Markers are written without the colon; one that was written with it means the same.
fn markers(texts: Vec<Placed<String>>) -> Vec<String> {
    let bare = |t: Placed<String>| t.value.trim().trim_end_matches(':').trim_end().to_owned();
    texts
        .into_iter()
        .map(bare)
        .filter(|t| !t.is_empty())
        .collect()
}

/// Tags are compared in lower case.
fn lowered(texts: Vec<Placed<String>>) -> Vec<String> {
    texts
        .into_iter()
        .map(|t| t.value.trim().to_lowercase())
        .collect()
}

/// Regular expressions, compared without case.
pub fn patterns(section: &Section<'_>, key: &'static str, default: &[&str]) -> Vec<Regex> {
    let mut found = Vec::new();
    for text in section.texts(key, default) {
        let compiled = RegexBuilder::new(&text.value)
            .case_insensitive(true)
            .build();
        let (what, label) = match compiled {
            Ok(pattern) if pattern.is_match("") => (
                "a pattern that every letter matches",
                "it matches nothing at all, and so everything".to_owned(),
            ),
            Ok(pattern) => {
                found.push(pattern);
                continue;
            }
            Err(error) => ("a pattern that is no regular expression", reason(&error)),
        };
        section.reading().fault(
            Fault::error(text.at, format!("`{key}` has {what}"))
                .label(label)
                .why("letters would be taken for what they are not")
                .todo("write it in single quotes, such as 'не (работает|открывается)'; case makes no difference"),
        );
    }
    found
}

/// The last line of what the library says is the reason; the lines before it draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Reads `[words]`.
pub fn words(root: &Section<'_>) -> Words {
    let section = root.table("words", "[words]");
    let confirm = section.texts("confirm", &["Подтверждаю", "Confirm"]);
    let decline = section.texts("decline", &["Отклоняю", "Decline"]);
    let approve = section.texts("approve", &["Согласовано", "Согласую", "Approved"]);
    let disapprove = section.texts("disapprove", &["Отклонено", "Отклоняю", "Declined"]);
    let thanks = section.texts("thanks", THANKS);
    let agrees = section.texts("agrees", AGREES);
    let status = section.texts("status", &["Статус", "Status"]);
    let history = section.texts("history", &["История", "History"]);
    let help = section.texts("help", &["Помощь", "Help"]);
    section.end();
    let lists = [
        ("confirm", &confirm),
        ("decline", &decline),
        ("thanks", &thanks),
        ("agrees", &agrees),
        ("status", &status),
        ("history", &history),
        ("help", &help),
    ];
    for (at, (a, these)) in lists.iter().enumerate() {
        for (b, those) in lists.iter().skip(at.saturating_add(1)) {
            check_apart(root, a, these, b, those);
        }
    }
    check_apart(root, "approve", &approve, "disapprove", &disapprove);
    let plain = |texts: Vec<Placed<String>>| texts.into_iter().map(|t| t.value).collect();
    Words {
        confirm: plain(confirm),
        decline: plain(decline),
        thanks: plain(thanks),
        agrees: plain(agrees),
        status: plain(status),
        history: plain(history),
        help: plain(help),
        approve: plain(approve),
        disapprove: plain(disapprove),
    }
}

/// No word may mean two opposite things.
fn check_apart(
    root: &Section<'_>,
    a: &str,
    these: &[Placed<String>],
    b: &str,
    those: &[Placed<String>],
) {
    let bare = |t: &Placed<String>| t.value.trim().trim_end_matches(':').to_lowercase();
    for one in these {
        if let Some(other) = those.iter().find(|o| bare(o) == bare(one)) {
            root.reading().fault(
                Fault::error(
                    other.at,
                    format!("`{}` stands in `{a}` and in `{b}`", other.value),
                )
                .label(format!("as one of `{b}`"))
                .also(one.at, format!("and as one of `{a}`"))
                .why("the desk could not tell what the writer wants")
                .todo("remove it from one of the two"),
            );
        }
    }
}

/// Reads `[redirect]`.
pub fn redirect(root: &Section<'_>) -> Redirect {
    let section = root.table("redirect", "[redirect]");
    let redirect = Redirect {
        name_primary: section.flag("name_primary", true),
        forward: section.flag("forward", false),
    };
    section.end();
    redirect
}

/// Reads `[limits]`: what one sender may cause, and the largest letter in octets.
pub fn limits(root: &Section<'_>) -> (Limits, u64) {
    let section = root.table("limits", "[limits]");
    let count = |key, low, default| {
        let found = section.number(key, low..=1_000_000, default);
        u32::try_from(found.value).unwrap_or(u32::MAX)
    };
    let limits = Limits {
        letters_per_hour: count("letters_per_hour", 1, 60),
        requests_per_hour: count("requests_per_hour", 1, 60),
        request_letters_per_hour: count("request_letters_per_hour", 1, 20),
        same_text_per_hour: count("same_text_per_hour", 1, 10),
        outsider_letters_per_hour: count("outsider_letters_per_hour", 0, 100),
        alerts_per_hour: count("alerts_per_hour", 1, 20),
        refusals_per_day: count("refusals_per_day", 0, 1),
        enclosed: section
            .number("enclosed", 0..=1_073_741_824, 10_485_760)
            .value
            .unsigned_abs(),
    };
    let max_letter = section.number("max_letter", 65_536..=1_073_741_824, 52_428_800);
    section.end();
    (limits, max_letter.value.unsigned_abs())
}
