//! What programs and writers put under their words: `-- ` signatures, advertisements of telephones, footers of lists and lawyers, closings.

use super::lines::{is_blank, is_quoted, is_rule};
use super::moment::has_date;
use crate::mail::lower::lowered;

/// Longest signature under `-- `, in lines: there are those with a lawyer's page.
const SIGNED: usize = 60;
/// Longest signature under a dash that only looks like the mark.
const DASHED: usize = 15;
/// Longest block of name, office and telephones under a closing.
const CLOSED: usize = 10;

/// The lines above signature and footers.
pub(super) fn above<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let mut kept = above_mark(filled(lines));
    loop {
        let shorter = filled(above_last_words(kept));
        if shorter.len() == kept.len() {
            return kept;
        }
        kept = shorter;
    }
}

/// Without blank lines at the end.
fn filled<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let end = lines
        .iter()
        .rposition(|l| !is_blank(l))
        .map_or(0, |at| at.saturating_add(1));
    lines.get(..end).unwrap_or_default()
}

/// Above `-- ` (RFC 3676 4.3), with or without the blank that programs lose.
fn above_mark<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let written = |tail: &[&str]| tail.iter().filter(|l| !is_blank(l)).count();
    let from = lines.len().saturating_sub(SIGNED.saturating_mul(3));
    let mark = lines.iter().enumerate().skip(from).find(|(at, line)| {
        let tail = lines.get(at.saturating_add(1)..).unwrap_or_default();
        match **line {
            "-- " => written(tail) <= SIGNED,
            line => matches!(line.trim(), "--" | "—" | "––") && written(tail) <= DASHED,
        }
    });
    let end = mark.map_or(lines.len(), |(at, _)| at);
    lines.get(..end).unwrap_or_default()
}

/// One thing less at the end.
fn above_last_words<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let Some((last, above)) = lines.split_last() else {
        return lines;
    };
    if is_rule(last) || is_program_signature(last) {
        return above;
    }
    let start = lines
        .iter()
        .rposition(|l| is_blank(l))
        .map_or(0, |at| at.saturating_add(1));
    let paragraph = lines.get(start..).unwrap_or_default();
    if start > 0 && (is_list_footer(paragraph) || is_disclaimer(paragraph)) {
        return lines.get(..start).unwrap_or_default();
    }
    let end = closing(lines).unwrap_or(lines.len());
    lines.get(..end).unwrap_or_default()
}

/// `Отправлено с iPhone`, `Get Outlook for Android`: short, and nothing but that.
fn is_program_signature(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['-', '*', '_', ' ', '•']);
    if line.len() > 260 {
        return false;
    }
    let lower = lowered(line);
    // The address of an advertisement says nothing.
    let said = lower.split(['<', '[', '(']).next().unwrap_or_default();
    let said = said.split("http").next().unwrap_or_default();
    let said = said.trim_matches(['.', '*', '_', ' ', '!']);
    let words = said.split_whitespace().count();
    let begins = |list: &[&str]| list.iter().any(|w| said.starts_with(w));
    let names_program = || PROGRAMS.iter().any(|p| said.contains(p));
    if begins(&EXCUSES) && words <= 14 {
        return true;
    }
    // A sentence goes on behind a comma; `Sent via the Galaxy S10, an AT&T smartphone` does not.
    if said.contains(", ") && !said.contains(", an ") {
        return false;
    }
    let my_device =
        begins(&["sent from my ", "отправлено с моего ", "отправлено с моей "]) && words <= 7;
    my_device
        || (begins(&SENT) && names_program() && words <= 14)
        || (begins(&ADVERTISED) && names_program() && words <= 8)
        || (said.ends_with(" gesendet") && begins(&["von meinem", "von mein"]))
}

const SENT: [&str; 28] = [
    "отправлено ",
    "послано ",
    "написано ",
    "создано ",
    "sent from ",
    "sent with ",
    "sent via ",
    "sent by ",
    "sent using ",
    "sent on ",
    "composed on",
    "надіслано ",
    "von meinem ",
    "gesendet ",
    "diese nachricht wurde von",
    "envoyé ",
    "inviato ",
    "enviado ",
    "enviada ",
    "verstuurd ",
    "verzonden ",
    "wysłane ",
    "wysłano ",
    "skickat ",
    "sendt fra",
    "odesláno ",
    "lähetetty ",
    "this email was sent from",
];

const ADVERTISED: [&str; 9] = [
    "get ",
    "скачать ",
    "скачайте ",
    "загрузить ",
    "получить ",
    "получите ",
    "télécharger ",
    "obtener ",
    "download ",
];

const EXCUSES: [&str; 5] = [
    "please excuse my brevity",
    "простите за краткость",
    "извините за краткость",
    "извините за опечатки",
    "please excuse any typos",
];

const PROGRAMS: [&str; 44] = [
    "iphone",
    "ipad",
    "ipod",
    "android",
    "андроид",
    "айфон",
    "samsung",
    "galaxy",
    "huawei",
    "honor",
    "xiaomi",
    "redmi",
    "poco",
    "realme",
    "nokia",
    "lumia",
    "blackberry",
    "htc",
    "motorola",
    "windows",
    "outlook",
    "yahoo",
    "gmail",
    "mail",
    "почт",
    "яндекс",
    "yandex",
    "proton",
    "spark",
    "airmail",
    "sparrow",
    "thunderbird",
    "k-9",
    "bluemail",
    "handheld",
    "mobile",
    "мобильн",
    "телефон",
    "смартфон",
    "планшет",
    "смартфона",
    "aqua",
    "устройств",
    "phone",
];

/// `_____` and the addresses of a mailing list; `You received this message because …`.
fn is_list_footer(paragraph: &[&str]) -> bool {
    if paragraph.len() > 10 {
        return false;
    }
    let text = lowered(&paragraph.join(" "));
    let ruled = paragraph.first().is_some_and(|l| is_rule(l));
    let points = text.contains("http") || text.contains('@');
    (ruled && points && (text.contains("list") || text.contains("рассылк")))
        || text.contains("you received this message because you are subscribed")
        || text.contains("you are receiving this because you are subscribed")
}

/// What lawyers and virus scanners add to letters: never a person's words.
fn is_disclaimer(paragraph: &[&str]) -> bool {
    let text = lowered(&paragraph.join(" "));
    let said = |words: &[&str]| words.iter().filter(|w| text.contains(**w)).count();
    let virus = text.len() < 400
        && said(&[
            "avast",
            "проверено антивирусом",
            "проверено на вирусы",
            "virus-free",
            "проверено на отсутствие вирусов",
            "scanned for viruses",
            "dr.web",
        ]) > 0;
    let lawyer = text.len() > 120
        && said(&["confidential", "конфиденциальн", "vertraulich"]) > 0
        && said(&[
            "intended",
            "recipient",
            "notify",
            "delete",
            "disclos",
            "предназначен",
            "получател",
            "адресат",
            "уведом",
            "удалит",
            "разглаш",
            "empfänger",
        ]) >= 2;
    virus || lawyer
}

/// Where a closing begins that stands at the end with nothing but a name, an office and ways to reach the writer under it.
fn closing(lines: &[&str]) -> Option<usize> {
    let from = lines.len().saturating_sub(CLOSED.saturating_mul(2));
    let (at, _) = lines
        .iter()
        .enumerate()
        .skip(from.max(1))
        .find(|(_, line)| is_closing(line))?;
    let block = lines.get(at.saturating_add(1)..).unwrap_or_default();
    let written: Vec<&str> = block.iter().copied().filter(|l| !is_blank(l)).collect();
    let paragraph_before = lines
        .get(at.saturating_sub(1))
        .is_some_and(|l| is_blank(l) || l.trim_end().ends_with(['.', '!', '?', ')']));
    (paragraph_before && written.len() <= CLOSED && written.iter().all(|l| is_detail(l)))
        .then_some(at)
}

/// `С уважением,`, `Best regards`, alone or with a name on the line.
fn is_closing(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['-', '—', '*', ' ']);
    if line.len() > 120 {
        return false;
    }
    let lower = lowered(line);
    CLOSINGS.iter().any(|closing| {
        lower.strip_prefix(closing).is_some_and(|name| {
            let name = name.trim_end_matches(['!', '*', ' ']);
            name.trim_matches([',', '.', ' ']).is_empty()
                || (name.starts_with([',', '.', ' ']) && is_name(line, name))
        })
    })
}

/// Whether what follows a closing on its line is a name: up to four words that begin with a capital.
fn is_name(line: &str, lower: &str) -> bool {
    let words: Vec<&str> = line
        .split_whitespace()
        .rev()
        .take(
            lower
                .split_whitespace()
                .filter(|w| *w != "," && *w != ".")
                .count(),
        )
        .collect();
    words.len() <= 4
        && words.iter().all(|w| {
            w.trim_matches(|c: char| !c.is_alphanumeric())
                .chars()
                .next()
                .is_none_or(char::is_uppercase)
        })
}

/// Closings that are forms and no words; `Спасибо` and `Thanks` are words.
const CLOSINGS: [&str; 34] = [
    "с уважением",
    "с наилучшими пожеланиями",
    "с глубоким уважением",
    "с искренним уважением",
    "с уважением и наилучшими пожеланиями",
    "best regards",
    "kind regards",
    "warm regards",
    "with best regards",
    "with kind regards",
    "regards",
    "best wishes",
    "sincerely",
    "yours sincerely",
    "yours faithfully",
    "sincerely yours",
    "yours truly",
    "mit freundlichen grüßen",
    "mit freundlichen gruessen",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "cordialement",
    "bien cordialement",
    "med venlig hilsen",
    "venlig hilsen",
    "med vänlig hälsning",
    "med vennlig hilsen",
    "pozdrawiam",
    "z poważaniem",
    "z powazaniem",
    "met vriendelijke groet",
    "з повагою",
    "atentamente",
];

/// Whether a line under a closing is a name, an office or a way to reach someone: short, and no sentence.
fn is_detail(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace().count();
    let lower = lowered(line);
    let reaches = line.contains('@')
        || lower.contains("http")
        || lower.contains("www.")
        || line.chars().filter(char::is_ascii_digit).count() >= 6;
    let ends_as_sentence =
        line.ends_with(['?', '!', ';', ':']) || (line.ends_with('.') && words > 4);
    let postscript = ["p.s", "ps", "p. s", "п.с", "пс", "з.ы", "зы"]
        .iter()
        .any(|p| {
            lower
                .strip_prefix(p)
                .is_some_and(|r| r.starts_with(['.', ':', ' ', ',']))
        });
    let footnote = line
        .strip_prefix('[')
        .is_some_and(|l| l.starts_with(|c: char| c.is_ascii_digit()));
    let item = footnote || line.starts_with('•') || line.starts_with("- ") || is_quoted(line);
    !postscript
        && !item
        && !ends_as_sentence
        && line.chars().count() <= 120
        && (words <= 8 || reaches)
        && (reaches || !has_date(line))
        && (reaches || line.chars().any(char::is_uppercase) || words <= 4)
}
