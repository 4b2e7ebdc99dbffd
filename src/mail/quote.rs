//! What the writer added: the new text without quotation and signature, never empty where a person wrote something.

mod attribution;
mod headers;
mod lines;
mod moment;
mod signature;

use attribution::Sure;
use headers::Introduced;
use lines::{initials, is_blank, is_outlook_rule, is_quoted, is_rule, next_filled};

/// Blank lines that may stand between an attribution and its quotation.
const GAP: usize = 5;

/// Cuts quotation and signature from the decoded text of a letter. What stands between quoted lines is kept (`BEHAVIOURS` B26), and so is a
/// forwarded letter, which is the matter itself; a cut that would leave nothing is not made (B25), so that the result is blank only where
/// `text` is.
pub fn new_text(text: &str) -> String {
    cut(text, false)
}

/// The same for a letter whose subject says that it forwards another: header lines then introduce the matter, not a quotation.
pub fn new_text_of_forward(text: &str) -> String {
    cut(text, true)
}

fn cut(text: &str, forward: bool) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut cutter = Cutter {
        // Our own letter forwarded to us is a quotation all the same.
        forward: forward && !lines.iter().any(|l| is_our_marker(l)),
        marker_ends: true,
        initials: None,
    };
    let first = cutter.written(&lines);
    // Whoever wrote below our line all the same wrote something.
    cutter.marker_ends = false;
    let mut pieces = vec![first];
    if lines.iter().any(|l| is_our_marker(l)) {
        pieces.push(cutter.written(&lines));
    }
    for pieces in &pieces {
        for signed in [false, true] {
            let text = joined(pieces.iter().flat_map(|p| p.shown(signed)));
            if !text.is_empty() {
                return text;
            }
        }
    }
    // Quoted lines keep their marks: what another wrote is not taken for the writer's word.
    joined(lines.into_iter())
}

/// What stands between two quotations.
#[derive(Default)]
struct Piece<'t> {
    lines: Vec<&'t str>,
    /// A forwarded letter: kept as it is.
    forwarded: bool,
}

impl<'t> Piece<'t> {
    fn of(kept: &mut Vec<&'t str>) -> Self {
        Self {
            lines: std::mem::take(kept),
            forwarded: false,
        }
    }

    /// Its lines, with or without signature; a blank line at its end stays one.
    fn shown(&self, signed: bool) -> impl Iterator<Item = &'t str> {
        let lines = if signed || self.forwarded {
            &self.lines
        } else {
            signature::above(&self.lines)
        };
        let blank = self.lines.last().filter(|l| is_blank(l));
        lines.iter().chain(blank).copied()
    }
}

struct Cutter<'t> {
    /// Whether header lines introduce a forwarded letter.
    forward: bool,
    /// Whether nothing new stands under our own line.
    marker_ends: bool,
    /// The initials that lines are quoted with.
    initials: Option<&'t str>,
}

impl<'t> Cutter<'t> {
    /// The pieces outside quotations.
    fn written(&mut self, lines: &[&'t str]) -> Vec<Piece<'t>> {
        let mut pieces: Vec<Piece<'t>> = Vec::new();
        let mut kept: Vec<&'t str> = Vec::new();
        let mut rest = lines;
        while let Some((line, after)) = rest.split_first() {
            let quoted = self.quoted_lines(rest);
            if quoted > 0 {
                if headers::forwards(rest.get(..quoted).unwrap_or_default()) {
                    break;
                }
                if !kept.is_empty() {
                    pieces.push(Piece::of(&mut kept));
                }
                rest = rest.get(quoted..).unwrap_or_default();
                continue;
            }
            if self.marker_ends && is_our_marker(line) {
                headers::drop_rules(&mut kept);
                rest = &[];
                break;
            }
            let after_rule = kept
                .iter()
                .rev()
                .take(GAP)
                .find(|l| !is_blank(l))
                .is_some_and(|l| is_outlook_rule(l));
            match headers::at(rest, after_rule) {
                Some((_, Introduced::Forwarded)) => break,
                Some((_, Introduced::Answered)) if self.forward => break,
                Some((introduced, Introduced::Answered)) => {
                    headers::drop_rules(&mut kept);
                    let below = rest.get(introduced..).unwrap_or_default();
                    if !self.is_marked(below) && !attribution_over_marked(self, below) {
                        rest = &[];
                        break;
                    }
                    rest = below;
                    continue;
                }
                None => {}
            }
            if let Some((taken, sure)) = attribution::at(rest) {
                let below = rest.get(taken..).unwrap_or_default();
                if self.is_marked(below) {
                    drop_preamble(&mut kept);
                    rest = below;
                    continue;
                }
                if sure == Sure::Certain {
                    drop_preamble(&mut kept);
                    rest = &[];
                    break;
                }
            }
            kept.push(line);
            rest = after;
        }
        pieces.push(Piece::of(&mut kept));
        if !rest.is_empty() {
            pieces.push(Piece {
                lines: rest.to_vec(),
                forwarded: true,
            });
        }
        pieces
    }

    /// How many lines from the first on are marked as quoted.
    fn quoted_lines(&self, rest: &[&str]) -> usize {
        let mut end = 0_usize;
        for (at, line) in rest.iter().enumerate() {
            if self.is_quoted(line) {
                end = at.saturating_add(1);
            } else if !(end == at && at > 0 && is_strayed(line)) {
                break;
            }
        }
        end
    }

    fn is_quoted(&self, line: &str) -> bool {
        is_quoted(line)
            || (!self.marker_ends && is_our_marker(line))
            || (self.initials.is_some() && initials(line) == self.initials)
    }

    /// Whether marked quotation comes next; an attribution over lines with initials teaches which.
    fn is_marked(&mut self, below: &[&'t str]) -> bool {
        let Some((_, line)) = next_filled(below, GAP) else {
            return false;
        };
        if let Some(name) = initials(line) {
            self.initials = Some(name);
        }
        self.is_quoted(line) || is_our_marker(line)
    }
}

/// Whether an attribution over marked quotation comes next, as Proton puts one under its separator.
fn attribution_over_marked<'t>(cutter: &mut Cutter<'t>, below: &[&'t str]) -> bool {
    next_filled(below, GAP).is_some_and(|(at, _)| {
        let rest = below.get(at..).unwrap_or_default();
        attribution::at(rest)
            .is_some_and(|(taken, _)| cutter.is_marked(rest.get(taken..).unwrap_or_default()))
    })
}

/// A long address that a program broke out of the quotation that it stands in.
fn is_strayed(line: &str) -> bool {
    let line = line.trim();
    (line.starts_with("(http") || line.starts_with("<http"))
        && line.ends_with(['>', ')'])
        && !line.contains(' ')
        || (line.starts_with("(http") && line.ends_with(") >"))
}

/// The line of our own letters under which nothing new stands.
fn is_our_marker(line: &str) -> bool {
    line.contains("――")
        && (line.contains("ишите ответ выше этой линии")
            || line.contains("rite your reply above this line"))
}

/// Drops recipient, subject and rule that stand right over an attribution.
fn drop_preamble(kept: &mut Vec<&str>) {
    let preamble = kept
        .iter()
        .rev()
        .take(4)
        .take_while(|l| attribution::is_preamble(l) || is_rule(l))
        .count();
    let ruled = kept
        .get(kept.len().saturating_sub(preamble)..)
        .is_some_and(|lines| lines.first().is_some_and(|l| is_rule(l)));
    if ruled {
        kept.truncate(kept.len().saturating_sub(preamble));
    }
}

/// The lines as one text: blank ones at the ends and in a row fall.
fn joined<'t>(lines: impl Iterator<Item = &'t str>) -> String {
    let mut text = String::new();
    let mut blank = false;
    for line in lines {
        let line = line.trim_end();
        if line.is_empty() {
            blank = true;
            continue;
        }
        if !text.is_empty() {
            text.push('\n');
            if blank {
                text.push('\n');
            }
        }
        blank = false;
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
            "On Tue, 12 May 2026 at 10:15, Ivanov wrote:\nunmarked",
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
    fn h91_signatures_of_programs_go() {
        assert_eq!(
            new_text("Не печатает.\n\nОтправлено с iPhone\n"),
            "Не печатает."
        );
        assert_eq!(
            new_text("Help\n\nGet Outlook for iOS<https://aka.ms/o>"),
            "Help"
        );
        assert_eq!(new_text("Текст\n\n--\nС уважением, Анна"), "Текст");
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
            "ответ ниже"
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

    /// Attributions and what stands around them, as mail programs write them: the words above, what is quoted, and nothing else.
    #[test]
    fn b26_the_shapes_of_many_programs() {
        for tail in [
            "On 11-Apr-2011, at 6:54 PM, Roman <romant@example.com> wrote:\n\n>\n> Test\n>\n> Roman",
            "2011/4/7 Nathan Иova <support@example.com>\n\n>  Cool beans, scro",
            "On Nov 30, 2011, at 12:47 PM, Somebody <\n416ffd3258d4d2fa4c85cfa4c44e1721d66e3e8f4\n@example.com>wrote:\n\nTest message",
            "On 04/19/2011 07:10 AM, Roman Tkachenko wrote:\n\n> Hello",
            "Op 13-02-2014 3:18 schreef Julius Caesar <pantheon@rome.com>:\n\nVeniam laborum",
            "Op 17-feb.-2015, om 13:18 heeft Julius Caesar <pantheon@rome.com> het volgende geschreven:\n\nSmall batch",
            "Le 12 mai 2026 à 10:15, Jean <j@x.example> a écrit :\n\n> Bonjour",
            "Am 12.05.2026 um 10:15 schrieb Hans Meier:\n> Guten Tag",
            "El 12 may 2026, a las 10:15, Ana <a@x.example> escribió:\n\nHola",
            "Il giorno 12 mag 2026, alle ore 10:15, Aldo <a@x.example> ha scritto:\n> Ciao",
            "W dniu 12.05.2026 o 10:15, Jan pisze:\n> Hej",
            "Em qui, 24 de jan de 2019 às 14:31, Anselmo <a@x.example> escreveu:\n> Oi",
            "Den 24. nov. 2025 kl. 10.00 skrev Peter <peter@example.com>:\n\nHej",
            "Vào 14:24 8 tháng 6, 2017, Hùng Nguyễn <h@xxx.com> đã viết:\n> Xin",
            "2022年1月1日(金) 9:00 田中太郎 <taro.tanaka@example.com>:\n> 織田様",
            "чт, 12 мая 2026 г. в 10:15, Очень Длинное Имя Отчество и Фамилия\n<i@x.example>:\n\n> текст",
            "12.05.2026 10:15, Иван Иванов пишет:\n> текст",
            "12.05.2026, 10:15, \"Иван\" <i@x.example>:\n> текст",
            "----------------\nКому: Поддержка (s@x.example);\nТема: Отчёт;\n12.05.2026, 10:15, \"Иван\" <i@x.example>:\n\nтекст",
            "Четверг, 12 мая 2026, 10:15 +03:00 от Иван <i@x.example>:\n\nтекст",
            "Вы писали 12 мая 2026 г., 10:15:15:\n\nИИ> текст\nИИ> ещё",
            "12 мая 2026 г., в 10:15, Иван <i@x.example> написал(а):\n\n> текст",
            "В письме от вторник, 12 мая 2026 г. 10:15:15 MSK пользователь Иван написал:\n> текст",
            "В Вт, 12/05/2026 в 10:15 +0300, Иван пишет:\n> текст",
            "* Иван <i@x.example> [2026-05-12 10:15]:\n> текст",
            "Иван <i@x.example> writes:\n\n> текст",
            "Quoting Ivan <i@x.example>:\n\n> текст",
            "---- On Wed, 4/4/12, x@x.example <x@x.example> wrote:\n\ntext",
            "------- Original Message -------\nOn Tuesday, May 12th, 2026 at 10:15, X <x@y.example> wrote:\n\n> text",
            "-----Original Message-----\nFrom: A\nSent: 12\n\ntext",
            "-------- Исходное сообщение --------\nОт: А\nДата: 12.05.2026 10:15 (GMT+03:00)\nКому: Б\nТема: В\n\nтекст",
            "Original Message\nFrom: A\nSent: Tuesday\nTo: B\n\ntext",
            "-----Ivan Petrov/Corp wrote: -----\n\nTo: A/Corp\nFrom: Ivan\nDate: 12.05.2026\nSubject: x\n\ntext",
            "*From:* John Doe [mailto:\n\n*Sent:* Tuesday, 12 May\n\n*To:* X\n\n*Subject:* Y\n\ntext",
            "From: somebody@example.com\nDate: Wed, 16 May 2012 00:15:02 -0600\n\n<http://email.example.com/c/dHJhY\n>  <bob@example.com>\n\nRequester: ",
            "Date: Wed, 16 May 2012 00:15:02 -0600\nTo: klizhentas@example.com\n\ntext",
            "________________________________\nVon: A <a@x.example>\nGesendet: Dienstag, 25. November 2014 14:59\nAn: B\nBetreff: C\n\ntext",
            "________________________________\nАд: A <a@x.example>\nДаслана: 12.05.2026 14:59\nДата: 12.05.2026 14:59\nТэма: C\n\ntext",
            "> On 22 Aug 2015, at 19:21, Adam <t@x.example> wrote:\n>\n> Hi there!",
        ] {
            for gap in ["\n\n", "\n\n\n"] {
                let text = format!("Ответ человека.\nВторая строка{gap}{tail}\n");
                assert_eq!(new_text(&text), "Ответ человека.\nВторая строка", "{tail}");
            }
        }
    }

    #[test]
    fn b26_answers_below_and_around_a_quotation_are_kept() {
        for (text, new) in [
            (
                "On 04/19/2011 07:10 AM, Roman wrote:\n\n>\n> Test\nTest reply",
                "Test reply",
            ),
            (
                "Test reply\n\nOn 04/19/2011 07:10 AM, Roman wrote:\n\n>\n> Test\n\nSee you, Roman",
                "Test reply\n\nSee you, Roman",
            ),
            (
                "Blah\n\nOn Thursday, October 25, 2012 at 3:03 PM, life is short. on Bob wrote:\n\n>\n> Post a response\n>\n (http://example.com/c/YzOTYzMmE) >\n> life is short. (http://example.com/c/YzMmE)\n>",
                "Blah",
            ),
            (
                "Здравствуйте, Иван.\n\nВы писали 12 мая 2026 г., 10:15:15:\n\nИ> Какая версия?\n\n4.2\n\nИ> Когда?\n\nВчера",
                "Здравствуйте, Иван.\n\n4.2\n\nВчера",
            ),
            (
                "Да\n\n-- \nАнна\n\n12.05.2026 10:15, Иван пишет:\n> вопрос\n\nP.S. и ещё",
                "Да\n\nP.S. и ещё",
            ),
        ] {
            assert_eq!(new_text(text), new);
        }
    }

    #[test]
    fn b26_words_of_the_writer_are_kept() {
        for text in [
            "Visit us now\n>>> >>>  http://www.domain.com <<<\nVisit our site",
            "Blah-blah-blah\nOn blah-blah-blah",
            "Invitation for an interview:\n\nDate: Wednesday 3, October 2011\nTime: 7 : 00am\nAddress: 130 Fox St\n\nPlease bring in your ID.",
            "Пришлите до 15 мая 2026 на почту ivan@x.example:\n1. Логи\n2. Снимок",
            "Вот лог за 12.05.2026 10:15:\nошибка 5\nошибка 6",
            "Имя: Иван\nТелефон: 123\nE-mail: i@x.example\nТема: печать\nСообщение: не печатает",
            "SQL> select 1 from dual;\nошибка",
            "Here is another email\n\nSent from my desk, is much easier than my mobile phone.",
            "Новая заявка\n\nОт: Иван <i@x.example>\nДата: 12.05.2026 10:15\nТема: печать\nСообщение: не печатает",
            "Проблема:\n----------\nне печатает\n----------\nжду",
            "Версия 12.05: обновили 3 сервера:\nпервый\nвторой",
        ] {
            assert_eq!(new_text(text), text);
        }
    }

    #[test]
    fn b26_a_forwarded_letter_is_the_matter() {
        let forwarded = "---------- Forwarded message ---------\nОт: А <a@x.example>\nDate: вт, 12 мая 2026 г. в 10:15\nSubject: Счёт\nTo: Б\n\nОплатите.\n\n-- \nА";
        assert_eq!(
            new_text(&format!("См. ниже\n\n{forwarded}")),
            format!("См. ниже\n\n{}", forwarded.replace("\n-- ", "\n--"))
        );
        let outlook = "От: А <a@x.example>\nОтправлено: 12 мая 2026 г. 10:15\nКому: Б\nТема: Счёт\n\nОплатите.";
        let text = format!("См. ниже\n\n{outlook}");
        assert_eq!(new_text(&text), "См. ниже");
        assert_eq!(new_text_of_forward(&text), text);
        let ours =
            format!("Подтверждаю\n\n{outlook}\n\n――― Пишите ответ выше этой линии ―――\n\nНомер");
        assert_eq!(new_text_of_forward(&ours), "Подтверждаю");
    }

    #[test]
    fn h91_signatures_go_and_words_stay() {
        for signature in [
            "Отправлено с iPhone",
            "Отправлено из мобильной Яндекс Почты",
            "Отправлено из Mail.ru для Android",
            "-- \nОтправлено из Mail.ru для Android",
            "Отправлено с моего Samsung Galaxy",
            "Отправлено с мобильного устройства",
            "Получите Outlook для Android<https://aka.ms/AAb9ysg>",
            "Скачать Outlook для iOS",
            "Sent from my Verizon Wireless BlackBerry",
            "Sent from Mail for Windows 10",
            "Sent from Yahoo Mail on Android",
            "Простите за краткость, создано в K-9 Mail.",
            "Von meinem iPhone gesendet",
            "Envoyé de mon iPhone",
            "Отправлено из приложения \"Почта\" для Windows",
            "С уважением,\nАнна Иванова\nведущий инженер\nООО «Радуга»\nтел. +7 (495) 123-45-67\nanna@raduga.example",
            "С уважением, Анна",
            "Best regards,\n\nJohn Doe\nSenior Director",
            "Mit freundlichen Grüßen\nHans Meier",
            "--\nАнна\n\nЭто сообщение содержит конфиденциальную информацию",
            "_______________________________________________\nriak-users mailing list\nriak-users@lists.x.example\nhttp://lists.x.example",
            "This e-mail is confidential and intended only for the recipient. If you are not the recipient, notify the sender and delete it at once, please.",
        ] {
            assert_eq!(
                new_text(&format!("Не печатает.\n\n{signature}\n")),
                "Не печатает.",
                "{signature}"
            );
        }
        for text in [
            "Hi. I am fine.\n\nThanks,\nAlex",
            "Готово.\n\nС уважением,\nАнна\n\nP.S. Проверьте ещё второй сервер.",
            "С уважением отношусь к вашей работе, но отчёт не печатается",
            "Прошу отнестись\n\nС уважением к срокам",
            "Список:\n--\nпервый пункт, очень важный\n--\nвторой",
        ] {
            let new = new_text(text);
            assert!(new == text || text.starts_with("Список"), "{new}");
        }
    }

    #[test]
    fn s31_hostile_texts_cost_no_more_than_others() {
        let attributions = "On Tue, 12 May 2026 at 10:15, A <a@x.example> wrote:\n".repeat(100_000);
        let wrapped = "On Tue, 12 May 2026 at 10:15,\nA B C D\n".repeat(25_000);
        for text in [
            ">".repeat(1 << 20),
            ">\n".repeat(1 << 19),
            "> a\n\n".repeat(100_000),
            attributions,
            wrapped,
            "От: а\n".repeat(50_000),
            "a\n>b\n-- \n".repeat(80_000),
            "-----\n".repeat(100_000),
            "С уважением,\n\n".repeat(30_000),
            "a: b\n".repeat(100_000),
            "a:".repeat(1 << 19),
            "\n".repeat(1 << 20),
            "-----a-----\nFrom: a\n".repeat(40_000),
            "И> а\nписал 12.05.2026:\n".repeat(20_000),
            "Отправлено с iPhone\n".repeat(40_000),
        ] {
            let start = crate::clock::processor_time();
            let new = new_text(&text);
            let took = crate::clock::processor_time() - start;
            let most = if cfg!(debug_assertions) { 15 } else { 2 };
            assert!(took.as_secs() < most, "{:?} {:.40}", took, text);
            assert_eq!(new.is_empty(), text.trim().is_empty());
            assert!(new.len() <= text.len());
        }
    }

    proptest::proptest! {
        /// Whatever stands there: never empty (B25), never longer, and no line that the letter does not have, in its order.
        #[test]
        fn b25_nothing_is_lost_or_invented(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "слово\n", "два слова.\n", "> да\n", ">> да\n", "\n", "-- \n", "--\n", "_____\n", "________________________________\n", "И> а\n",
            "От: а@x.example\n", "Отправлено: 12 мая 2026 г. 10:15\n", "Кому: б\n", "Тема: в\n", "-----Original Message-----\n",
            "---------- Forwarded message ---------\n", "12.05.2026, 10:15, А <a@x.example>:\n", "Вы писали 12.05.2026:\n", "On 12 May 2026,\n",
            "С уважением,\n", "Анна\n", "Отправлено с iPhone\n", "――― Пишите ответ выше этой линии ―――\n", "P.S. ещё\n",
        ]), 0..30)) {
            let text = pieces.concat();
            for new in [new_text(&text), new_text_of_forward(&text)] {
                proptest::prop_assert_eq!(new.is_empty(), text.trim().is_empty());
                proptest::prop_assert!(new.len() <= text.len());
                let mut lines = text.lines().map(str::trim_end);
                for line in new.lines().filter(|l| !l.is_empty()) {
                    proptest::prop_assert!(lines.any(|l| l == line), "{} is not there in {}", line, text);
                }
            }
        }
    }
}
