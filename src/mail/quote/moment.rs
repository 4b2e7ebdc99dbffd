//! Whether a date or a time of day stands in a line, in whatever form mail programs write them.

use crate::mail::lower::lowered;

/// Names of months that attributions are written with; any beginning of three letters or more will do.
const MONTHS: &str = "january february march april may june july august september october november december \
    январь января февраль февраля март марта апрель апреля май мая июнь июня июль июля август августа сентябрь сентября октябрь октября \
    ноябрь ноября декабрь декабря січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня \
    januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre octobre novembre décembre \
    enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio \
    settembre ottobre dicembre stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia januari \
    februari maart mei augustus maj augusti marts janeiro fevereiro março maio junho julho setembro outubro dezembro";

/// Whether a date stands in a text: `12.05.2026`, `2026-05-12`, `12 мая`, `May 12`, `11-Apr-2011`, `2026年5月12日`.
pub(super) fn has_date(text: &str) -> bool {
    if text.contains('年') {
        return true;
    }
    let lower = lowered(text);
    let mut number_before = 9_usize;
    let mut month_before = 9_usize;
    let mut year = false;
    for word in lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '[' | ']'))
    {
        let word = word.trim_matches(['.', ':', '"', '*', '>', '<']);
        if word.is_empty() {
            continue;
        }
        if is_numeric_date(word) {
            return true;
        }
        let number = day_or_year(word);
        let month = number.is_none() && is_month(word);
        if (month && number_before <= 2) || (number.is_some() && month_before <= 1) {
            return true;
        }
        year |= number.is_some_and(|n| n > 31);
        number_before = if number.is_some() {
            1
        } else {
            number_before.saturating_add(1)
        };
        month_before = if month {
            0
        } else {
            month_before.saturating_add(1)
        };
    }
    year && has_time(text)
}

/// `12`, `1st`, `2026`.
fn day_or_year(word: &str) -> Option<u32> {
    let digits = word
        .len()
        .saturating_sub(word.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let (digits, suffix) = word.split_at_checked(digits)?;
    let number: u32 = digits.parse().ok()?;
    let day = (1..=31).contains(&number) && matches!(suffix, "" | "st" | "nd" | "rd" | "th" | "er");
    let year = (1980..2200).contains(&number) && matches!(suffix, "" | "г" | "года");
    (day || year).then_some(number)
}

fn is_month(word: &str) -> bool {
    word.chars().nth(2).is_some()
        && word.chars().all(char::is_alphabetic)
        && MONTHS.split_whitespace().any(|m| m.starts_with(word))
}

/// Three pieces between dots, strokes or hyphens: two of them numbers, one of them day or year, the middle one perhaps a month's name.
fn is_numeric_date(word: &str) -> bool {
    // `17-feb.-2015`
    let word = word.replace(".-", "-");
    let mut pieces = word.split(['.', '/', '-']);
    let (Some(first), Some(middle), Some(last)) = (pieces.next(), pieces.next(), pieces.next())
    else {
        return false;
    };
    let number = |piece: &str, most: usize| {
        !piece.is_empty() && piece.len() <= most && piece.chars().all(|c| c.is_ascii_digit())
    };
    // A time may be stuck on with a `T`.
    let last = last.split(['t', '_', ';']).next().unwrap_or_default();
    pieces.next().is_none()
        && number(first, 4)
        && (number(middle, 2) || is_month(middle))
        && number(last, 4)
        && first.len().saturating_add(last.len()) <= 6
}

/// Whether a time of day stands in a text: `10:15`, `2:15pm`, `kl. 10.00`.
pub(super) fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let clock = bytes.windows(4).any(|w| {
        matches!(w, [a, b':', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit())
    });
    clock || text.contains(" kl. ") || text.contains(" kl ")
}
