//! How values are written in IMAP: strings, folder names, sets of UIDs, moments (RFC 3501).

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// Base64 of folder names: `,` for `/`, no padding (RFC 3501 section 5.1.3).
const FOLDER_BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::IMAP_MUTF7, NO_PAD);

/// Whether a text can stand in a quoted string as it is: printable ASCII.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// A quoted string. The text must be [`is_plain`].
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len().saturating_add(2));
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// A folder's name as people write it, as the protocol wants it: a quoted string in modified UTF-7.
pub(super) fn folder(name: &str) -> String {
    let mut out = String::new();
    let mut foreign: Vec<u16> = Vec::new();
    for c in name.chars() {
        if !(' '..='~').contains(&c) {
            foreign.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        flush(&mut out, &mut foreign);
        out.push(c);
        if c == '&' {
            out.push('-');
        }
    }
    flush(&mut out, &mut foreign);
    quoted(&out)
}

fn flush(out: &mut String, foreign: &mut Vec<u16>) {
    if foreign.is_empty() {
        return;
    }
    let bytes: Vec<u8> = foreign.drain(..).flat_map(u16::to_be_bytes).collect();
    out.push('&');
    out.push_str(&FOLDER_BASE64.encode(bytes));
    out.push('-');
}

/// Name and password for AUTHENTICATE PLAIN (RFC 4616).
pub(super) fn plain_response(username: &str, password: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(format!("\0{username}\0{password}"))
}

/// UIDs as a set, runs joined: `1:3,7`. Ascending in, each once.
pub(super) fn uid_set(uids: impl IntoIterator<Item = u32>) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(uid) => *last = uid,
            _ => runs.push((uid, uid)),
        }
    }
    let parts: Vec<String> = runs
        .into_iter()
        .map(|(first, last)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}:{last}")
            }
        })
        .collect();
    parts.join(",")
}

/// INTERNALDATE, such as ` 7-Nov-2026 10:00:00 +0300` (RFC 3501 `date-time`).
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let mut words = text.split_ascii_whitespace();
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let mut date = date.split('-');
    let (day, month, year) = (date.next()?, date.next()?, date.next()?);
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))?;
    let month = u32::try_from(month).ok()?.checked_add(1)?;
    let mut time = time.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next()?);
    // A leap second is the last second of its minute: the calendar knows none.
    let second = second.parse::<u32>().ok()?.min(59);
    let local = NaiveDate::from_ymd_opt(year.parse().ok()?, month, day.parse().ok()?)?
        .and_hms_opt(hour.parse().ok()?, minute.parse().ok()?, second)?;
    local
        .checked_sub_signed(offset(zone)?)
        .map(|utc| utc.and_utc())
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

fn offset(zone: &str) -> Option<TimeDelta> {
    let (east, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (None, Some(digits)) => (-1, digits),
        (None, None) => return None,
    };
    if digits.len() != 4 {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..)?.parse().ok()?;
    let all = hours.checked_mul(60)?.checked_add(minutes)?;
    TimeDelta::try_minutes(all.checked_mul(east)?)
}

#[cfg(test)]
mod tests {
    use super::{folder, moment, quoted, uid_set};

    #[test]
    fn folders_are_written_in_modified_utf7() {
        assert_eq!(folder("INBOX"), "\"INBOX\"");
        assert_eq!(folder("Входящие/A&B"), "\"&BBIERQQ+BDQETwRJBDgENQ-/A&-B\"");
        // The example of RFC 3501 section 5.1.3.
        assert_eq!(
            folder("~peter/mail/台北/日本語"),
            "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""
        );
        assert_eq!(quoted("a\"b\\"), "\"a\\\"b\\\\\"");
    }

    #[test]
    fn sets_join_runs() {
        assert_eq!(uid_set([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
        assert_eq!(uid_set([4_294_967_295]), "4294967295");
        assert_eq!(uid_set([]), "");
    }

    #[test]
    fn moments_become_utc() {
        let read = |text| moment(text).map(|m| m.to_rfc3339());
        let expected = Some("2026-11-07T07:00:00+00:00".to_owned());
        assert_eq!(read(" 7-Nov-2026 10:00:00 +0300"), expected);
        assert_eq!(read("07-NOV-2026 02:30:00 -0430"), expected);
        assert_eq!(
            read("31-Dec-2016 23:59:60 +0000"),
            Some("2016-12-31T23:59:59+00:00".to_owned())
        );
        for wrong in [
            "",
            "31-Feb-2026 10:00:00 +0300",
            "7-Nov-2026 10:00 +0300",
            "7-Nov-2026 10:00:00 MSK",
            "7-Ноя-2026 10:00:00 +0300",
            "7-Nov-2026 10:00:00 +99я",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
