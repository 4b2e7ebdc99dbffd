//! What the writer added: the new text without quotation and signature, never empty where a person wrote something.

/// Longest run of lines that an Outlook header block is looked for in.
const BLOCK: usize = 8;
/// Longest line that may be an attribution.
const ATTRIBUTION: usize = 400;

/// Cuts quotation and signature from a decoded text. What stands between quoted lines is kept (`BEHAVIOURS` B26); a cut that would leave
/// nothing is not made (B25), so that the result is blank only where `text` is.
pub fn new_text(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let above = our_marker(text, &lines).and_then(|at| lines.get(..at));
    for lines in above.into_iter().chain([lines.as_slice()]) {
        let kept = without_quotation(lines);
        for kept in [without_signature(&kept), kept.as_slice()] {
            let joined = joined(kept);
            if !joined.is_empty() {
                return joined;
            }
        }
    }
    // Quoted lines keep their marks: what another wrote is not taken for the writer's word.
    joined(&lines)
}

/// The line of our own letters under which nothing new stands.
fn our_marker(text: &str, lines: &[&str]) -> Option<usize> {
    if !text.contains("――") {
        return None;
    }
    let at = lines.iter().position(|line| {
        let line = line.trim_start_matches(['>', ' ', '\t']);
        let ours = line.contains("ишите ответ выше этой линии")
            || line.contains("rite your reply above this line");
        ours && line.contains("――")
    })?;
    Some(before_attribution(lines, at))
}

/// Lines outside quotations.
fn without_quotation<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let mut kept: Vec<&'t str> = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some((line, after)) = rest.split_first() {
        if is_quoted(line) {
            // The attribution that led here goes with the quotation.
            let end = before_attribution(&kept, kept.len());
            kept.truncate(end);
            while rest.first().is_some_and(|l| is_quoted(l)) {
                rest = rest.get(1..).unwrap_or_default();
            }
            continue;
        }
        if is_separator(line) || is_header_block(rest) || attribution_starts(rest) {
            if quotation_follows(rest) {
                // Marked quotation: only the marked lines go.
                let skipped = rest.iter().take_while(|l| !is_quoted(l)).count();
                rest = rest.get(skipped..).unwrap_or_default();
                continue;
            }
            while kept
                .last()
                .is_some_and(|l| is_rule(l) || l.trim().is_empty())
            {
                kept.pop();
            }
            break;
        }
        kept.push(line);
        rest = after;
    }
    kept
}

/// Where the attribution that ends just before `end` begins; `end` itself if there is none.
fn before_attribution(lines: &[&str], end: usize) -> usize {
    let mut last = end;
    // A few blank lines at most: an attribution stands close, and the pass stays linear.
    while last > 0
        && end.saturating_sub(last) < 3
        && lines
            .get(last.saturating_sub(1))
            .is_some_and(|l| l.trim_start_matches(['>', ' ']).trim().is_empty())
    {
        last = last.saturating_sub(1);
    }
    for length in 1..=3_usize {
        let Some(start) = last.checked_sub(length) else {
            break;
        };
        let text = lines.get(start..last).unwrap_or_default().join(" ");
        if is_attribution(text.trim_start_matches(['>', ' '])) {
            return start;
        }
    }
    end
}

fn is_quoted(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '\t']);
    // `>From` is a line of text that an mbox marked.
    line.starts_with('>') && !line.starts_with(">From ")
}

/// Whether quoted lines come within the next few.
fn quotation_follows(rest: &[&str]) -> bool {
    !is_separator(rest.first().copied().unwrap_or_default())
        && rest
            .iter()
            .skip(1)
            .take(4)
            .filter(|l| !l.trim().is_empty())
            .take(2)
            .any(|l| is_quoted(l))
}

/// Whether an attribution of one to three lines begins here.
fn attribution_starts(rest: &[&str]) -> bool {
    let first = rest.first().copied().unwrap_or_default().trim();
    if !may_begin_attribution(first) {
        return false;
    }
    (1..=3_usize).any(|length| {
        let lines = rest.get(..length).unwrap_or_default();
        lines.len() == length
            && lines.iter().all(|l| !l.trim().is_empty() && !is_quoted(l))
            && is_attribution(&lines.join(" "))
    })
}

/// A cheap look before the dear one: attributions begin with a date, `On`, a name or an address.
fn may_begin_attribution(line: &str) -> bool {
    line.len() <= ATTRIBUTION
        && line
            .chars()
            .any(|c| c.is_ascii_digit() || c == '@' || c == ',')
}

const WROTE: [&str; 16] = [
    "wrote:",
    "writes:",
    "пишет:",
    "написал:",
    "написала:",
    "написал(а):",
    "писал:",
    "писала:",
    "писал(а):",
    "пише:",
    "a écrit :",
    "a écrit:",
    "schrieb:",
    "escribió:",
    "ha scritto:",
    "skrev:",
];

/// «12 мая 2026 г., 10:15, Иванов пишет:», `On Tue, 12 May 2026 at 10:15, X wrote:` and their like.
fn is_attribution(text: &str) -> bool {
    let text = text.trim();
    if text.len() > ATTRIBUTION || text.len() < 6 || !text.ends_with(':') {
        return false;
    }
    let lower = text.to_lowercase();
    let has_digit = text.chars().any(|c| c.is_ascii_digit());
    let names_someone = text.contains('@') || has_digit;
    if names_someone && WROTE.iter().any(|verb| lower.ends_with(verb)) {
        return true;
    }
    // `2026-05-12 10:15 GMT+03:00 Иванов <i@x.example>:`, `вт, 12 мая 2026 г. в 10:15, Иванов <i@x.example>:`
    if text.ends_with(">:") && text.contains('@') && has_time(text) {
        return true;
    }
    // `On … wrote` with the address after the verb, `>>> Иванов <…> 12.05.2026 >>>`
    lower.starts_with("on ") && has_digit && lower.contains(" wrote")
}

/// Whether a time of day stands in a line: `10:15`.
fn has_time(text: &str) -> bool {
    text.as_bytes().windows(4).any(|w| {
        matches!(w, [a, b':', c, d] if a.is_ascii_digit() && c.is_ascii_digit() && d.is_ascii_digit())
    })
}

/// `-----Original Message-----` and its kind in several languages.
fn is_separator(line: &str) -> bool {
    let line = line.trim();
    if !line.starts_with(['-', '_', '=', '*']) {
        return false;
    }
    let inner = line.trim_matches(['-', '_', '=', ' ', '*']);
    if inner.len().saturating_add(4) > line.len() || inner.is_empty() || inner.len() > 80 {
        return false;
    }
    let inner = inner.to_lowercase();
    [
        "original message",
        "original appointment",
        "исходное сообщение",
        "исходное письмо",
        "пересылаемое сообщение",
        "пересланное сообщение",
        "перенаправленное сообщение",
        "конец пересылаемого сообщения",
        "forwarded message",
        "begin forwarded message",
        "forwarded by",
        "ursprüngliche nachricht",
        "message d'origine",
        "mensaje original",
        "вихідне повідомлення",
        "reply message",
        "исходящее сообщение",
    ]
    .iter()
    .any(|mark| inner.starts_with(mark))
}

fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 5
        && line
            .chars()
            .all(|c| matches!(c, '_' | '-' | '=' | '*' | '―' | '—'))
}

/// The header lines that Outlook and others put over a quotation: `От:` … `Отправлено:`, `From:` … `Sent:`.
fn is_header_block(rest: &[&str]) -> bool {
    let mut seen = [false; 4];
    let starts = rest
        .first()
        .and_then(|line| header_word(line))
        .is_some_and(|word| word == 0 || word == 1);
    if !starts {
        return false;
    }
    for line in rest.iter().take(BLOCK) {
        match header_word(line).and_then(|word| seen.get_mut(word)) {
            Some(slot) => *slot = true,
            // Long lists of recipients go on over lines without a word of their own.
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    // The sender and two of date, recipient and subject.
    let [from, ..] = seen;
    from && seen.iter().filter(|s| **s).count() >= 3
}

/// Which header word a line begins with: 0 sender, 1 date, 2 recipient, 3 subject.
fn header_word(line: &str) -> Option<usize> {
    let (word, _) = line.split_once(':')?;
    let word = word.trim().trim_start_matches('*');
    if word.len() > 40 {
        return None;
    }
    let word = word.trim_matches(['*', ' ']).to_lowercase();
    [
        [
            "from",
            "от",
            "от кого",
            "von",
            "de",
            "від",
            "fra",
            "van",
            "od",
            "från",
        ]
        .as_slice(),
        &[
            "sent",
            "date",
            "отправлено",
            "дата",
            "gesendet",
            "datum",
            "envoyé",
            "надіслано",
            "sendt",
            "verzonden",
            "wysłano",
            "skickat",
        ],
        &[
            "to",
            "кому",
            "cc",
            "копия",
            "an",
            "à",
            "para",
            "til",
            "aan",
            "do",
            "till",
        ],
        &[
            "subject",
            "тема",
            "betreff",
            "objet",
            "asunto",
            "emne",
            "onderwerp",
            "temat",
            "ämne",
        ],
    ]
    .iter()
    .position(|words| words.contains(&word.as_str()))
}

/// Lines above the signature: `-- ` (RFC 3676 4.3), or what telephones and programs add at the end.
fn without_signature<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let mark = lines
        .iter()
        .position(|line| *line == "-- " || *line == "--" || *line == "--\u{a0}");
    let mut kept = lines.get(..mark.unwrap_or(lines.len())).unwrap_or_default();
    loop {
        let filled = kept
            .iter()
            .rposition(|l| !l.trim().is_empty())
            .map_or(0, |at| at.saturating_add(1));
        kept = kept.get(..filled).unwrap_or_default();
        let Some((last, above)) = kept.split_last() else {
            return kept;
        };
        // What an underscore rule or a program's advertisement leaves behind at the end.
        if is_program_signature(last) || is_rule(last) {
            kept = above;
        } else {
            return kept;
        }
    }
}

fn is_program_signature(line: &str) -> bool {
    let line = line
        .trim()
        .trim_start_matches(['-', '*', ' '])
        .to_lowercase();
    line.len() <= 160
        && !line.contains(", ")
        && [
            "отправлено с ",
            "отправлено из ",
            "отправлено через ",
            "послано с ",
            "sent from my ",
            "sent from mail for",
            "sent from outlook",
            "sent from yahoo",
            "sent from proton",
            "sent from samsung",
            "sent via ",
            "sent by mobile",
            "get outlook for",
            "скачать outlook для",
            "загрузить outlook для",
            "скачайте outlook для",
            "sent with proton",
            "sent using ",
            "надіслано з ",
            "von meinem iphone gesendet",
            "envoyé de mon iphone",
        ]
        .iter()
        .any(|mark| line.starts_with(mark))
}

fn joined(lines: &[&str]) -> String {
    let mut text = String::new();
    let mut blank = 0_usize;
    for line in lines {
        let line = line.trim_end();
        if line.is_empty() {
            blank = blank.saturating_add(1);
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
            if blank > 0 {
                text.push('\n');
            }
        }
        blank = 0;
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b26_attributions_and_quoted_lines_go() {
        for attribution in [
            "12 мая 2026 г., 10:15, Иванов Иван <i@x.example> пишет:",
            "On Tue, 12 May 2026 at 10:15, Ivanov <i@x.example> wrote:",
            "On Tue, 12 May 2026 at 10:15, Ivanov\n<i@x.example> wrote:",
            "вт, 12 мая 2026 г. в 10:15, Иванов <i@x.example>:",
            "12.05.2026 10:15, Иванов пишет:",
            "2026-05-12 10:15 GMT+03:00 Иванов <i@x.example>:",
        ] {
            let text = format!("Подтверждаю.\n\n{attribution}\n> вопрос\n>\n> второй\n");
            assert_eq!(new_text(&text), "Подтверждаю.", "{attribution}");
        }
    }

    #[test]
    fn b26_outlook_blocks_and_separators_end_the_new_text() {
        for block in [
            "От: Анна <a@x.example>\nОтправлено: 12 мая 2026 г. 10:15\nКому: Иванов\nТема: Re: отчёт",
            "________________________________\nFrom: A <a@x.example>\nSent: Tuesday, May 12, 2026\nTo: B\nSubject: x",
            "-----Original Message-----\nFrom: A",
            "-------- Исходное сообщение --------\nОт: А",
            "-------- Пересылаемое сообщение --------\n12.05.2026, 10:15",
            "---------- Forwarded message ---------\nFrom: A",
            "On Tue, 12 May 2026, Ivanov wrote:\nunmarked",
        ] {
            assert_eq!(
                new_text(&format!("Да.\n\n{block}\n\nстарый текст")),
                "Да.",
                "{block}"
            );
        }
    }

    #[test]
    fn our_own_line_ends_the_new_text() {
        for (lead, marker) in [
            ("", "――― Пишите ответ выше этой линии ―――"),
            ("> ", "――― Please write your reply above this line ―――"),
        ] {
            let text = format!(
                "Готово\n\n12 мая 2026 г., 10:15, Desk <d@x.example> пишет:\n\n{lead}{marker}\n{lead}Номер 2026-000001"
            );
            assert_eq!(new_text(&text), "Готово");
        }
    }

    #[test]
    fn b26_answers_between_quoted_lines_are_kept() {
        let text = "Отвечаю ниже.\n\nOn 12 May 2026, A wrote:\n> Какая версия?\n4.2\n> Когда?\nвчера\n\n-- \nОлег";
        assert_eq!(new_text(text), "Отвечаю ниже.\n\n4.2\nвчера");
    }

    #[test]
    fn b91_signatures_of_programs_go_and_closings_stay() {
        assert_eq!(
            new_text("Не печатает.\n\nОтправлено с iPhone\n"),
            "Не печатает."
        );
        assert_eq!(
            new_text("Help\n\nGet Outlook for iOS<https://aka.ms/o>"),
            "Help"
        );
        assert_eq!(new_text("Текст\n\n--\nС уважением, Анна"), "Текст");
        assert_eq!(
            new_text("Текст\n\nС уважением,\nАнна"),
            "Текст\n\nС уважением,\nАнна"
        );
    }

    #[test]
    fn b25_a_cut_that_leaves_nothing_is_not_made() {
        assert_eq!(new_text("> all\n> quoted"), "> all\n> quoted");
        assert_eq!(new_text("-- \nАнна"), "--\nАнна");
        assert!(
            new_text("---------- Forwarded message ---------\nFrom: A\n\nx").contains("From: A")
        );
        assert_eq!(
            new_text("――― Пишите ответ выше этой линии ―――\n> старое\nответ ниже"),
            "――― Пишите ответ выше этой линии ―――\nответ ниже"
        );
        assert_eq!(new_text(" \n\n"), "");
    }

    #[test]
    fn r10_words_that_are_quoted_only_keep_their_marks() {
        for text in [
            "> Подтверждаю",
            "  > Подтверждаю\n-- \nАнна",
            "On 12 May 2026, A wrote:\n> Подтверждаю\n",
        ] {
            let new = new_text(text);
            assert!(!new.is_empty(), "{text}");
            assert!(
                new.lines()
                    .all(|l| is_quoted(l) || !l.contains("Подтверждаю")),
                "{new}"
            );
        }
    }

    #[test]
    fn ordinary_lines_are_not_taken_for_quotation() {
        for text in [
            "От: кого ждать ответа?\nи когда",
            "From: это поле\nпустое",
            "Директор написал: исправьте 5 ошибок",
            "Вот что: 1, 2, 3",
            "В 10:15 он писал: нет\nа потом работало",
        ] {
            assert_eq!(new_text(text), text);
        }
    }
}
