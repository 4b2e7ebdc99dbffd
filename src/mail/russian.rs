//! What the desk's reasons and evidence say, in Russian: they are written and kept in English, and told to people in their own language.

/// Phrases with `{}` for what varies; what stands there is looked up by itself. A narrower phrase goes before a wider one.
const PHRASES: &[(&str, &str)] = &[
    // Words.
    ("registered", "зарегистрировано"),
    ("queued", "ждёт открытия"),
    ("attached", "приобщено к обращению"),
    ("held", "ждёт решения человека"),
    ("refused", "отклонено"),
    ("redirected", "перенаправлено"),
    ("automatic", "автоматическое"),
    ("duplicate", "повтор"),
    ("ignored", "записано без ответа"),
    ("unreadable", "не прочитано"),
    ("none yet", "ещё нет"),
    ("primary", "основной представитель"),
    ("additional", "дополнительный представитель"),
    ("contract", "контакт по договору"),
    ("former", "бывший представитель"),
    ("official", "официальный адрес"),
    ("specialist", "специалист"),
    ("approver", "согласующий"),
    ("developer", "разработчик"),
    ("colleague", "сотрудник заказчика"),
    ("stranger", "посторонний"),
    ("none", "не установлен"),
    ("weak", "только заявлен"),
    ("domain", "подтверждён доменом"),
    ("challenged", "подтверждён ответом"),
    ("signed", "подтверждён подписью"),
    ("order", "поручение"),
    ("question", "запрос"),
    ("support", "поддержка"),
    ("fault", "ошибка"),
    ("improvement", "улучшение"),
    ("auto-reply", "автоответ"),
    ("auto-generated", "письмо программы"),
    ("list", "рассылка"),
    ("bounce", "отчёт о недоставке"),
    ("own", "вернувшееся письмо самого центра"),
    ("receipt", "уведомление о получении"),
    ("an order", "поручение"),
    ("a question", "запрос"),
    (
        "a request that is queued",
        "обращение, которое ждёт открытия",
    ),
    ("any request", "ни к какому обращению"),
    (
        "primary-confirmation",
        "подтверждение основного представителя",
    ),
    ("challenge", "подтверждение отправителя"),
    ("identity", "подтверждение отправителя"),
    ("which-installation", "ответ, о какой системе речь"),
    // Which request.
    (
        "a token of the letter that asked for confirmation",
        "метка письма с просьбой о подтверждении",
    ),
    (
        "a token of ours in the address it was sent to",
        "наша метка в адресе, на который оно пришло",
    ),
    (
        "the Message-ID of a letter of ours, with its token",
        "Message-ID нашего письма с его меткой",
    ),
    (
        "a token of an internal letter of ours",
        "метка нашего внутреннего письма",
    ),
    (
        "In-Reply-To or References names a letter that the desk keeps",
        "In-Reply-To или References называет письмо, которое хранит центр",
    ),
    ("the number in the subject", "номер в теме"),
    ("a token in {}", "метка там, где {}"),
    ("the number {} in the subject", "номер {} в теме"),
    ("the address it was sent to", "адрес получателя"),
    ("In-Reply-To", "In-Reply-To"),
    ("References", "References"),
    (
        "it is none of ours, or leads to nothing that is there",
        "она не наша или никуда не ведёт",
    ),
    (
        "stronger evidence leads elsewhere",
        "более сильное указание ведёт в другое место",
    ),
    (
        "equally strong evidence leads elsewhere, and nothing tells which is meant",
        "столь же сильное указание ведёт в другое место, и что имелось в виду, неизвестно",
    ),
    (
        "the desk wrote to the sender about another one last",
        "последнее письмо центра этому отправителю было о другом обращении",
    ),
    (
        "the sender is not a party of that request",
        "отправитель в нём не участвует",
    ),
    (
        "the letter passes it on and does not answer it",
        "письмо пересылает его, а не отвечает",
    ),
    (
        "It seems to be about {}: {}",
        "Похоже, это об обращении {}: {}",
    ),
    (
        "It passes on a letter of {}: a matter of its own, beside that request (D48)",
        "Это пересланное письмо обращения {}: отдельное дело рядом с ним (D48)",
    ),
    (
        "The sender is a party of the request: the letter continues it (R44)",
        "Отправитель участвует в обращении: письмо его продолжает (R44)",
    ),
    (
        "The sender is not a party of that request: nothing is joined (S5)",
        "Отправитель в этом обращении не участвует: ничего не присоединяется (S5)",
    ),
    (
        "Possible follow-up to {} by somebody who is not a party",
        "Возможно, продолжение обращения {} от того, кто в нём не участвует",
    ),
    (
        "It names several requests, and nothing tells which is meant: {}",
        "Письмо называет несколько обращений, и какое имелось в виду, неизвестно: {}",
    ),
    (
        "Its sender has no part in the request that it names: only recorded (S5)",
        "Отправитель не участвует в обращении, которое называет: только записано (S5)",
    ),
    (
        "It belongs to a request by {}",
        "Относится к обращению, на него указывает {}",
    ),
    (
        "One of the desk's own people wrote it: entered as a note that stays inside (R38)",
        "Написал сотрудник центра: внесено как внутренняя заметка (R38)",
    ),
    (
        "One of the desk's own people wrote it, about no request that is known",
        "Написал сотрудник центра, но не об известном обращении",
    ),
    (
        "It claims to come from the desk's own people and nothing proves it (R13)",
        "Выдаёт себя за письмо сотрудника центра, и ничто этого не подтверждает (R13)",
    ),
    // Machines and limits.
    (
        "A machine's mark, {}: {}",
        "Признак автоматического письма, {}: {}",
    ),
    (
        "No person wrote it for the desk: {} ({}); never answered (R46)",
        "Писал не человек: {} ({}); на такое не отвечают (R46)",
    ),
    (
        "Marked as bulk ({}), but from a representative: taken, and not answered (R46)",
        "Помечено как массовое ({}), но от представителя: принято и оставлено без ответа (R46)",
    ),
    (
        "It comes from the desk's own address (R46)",
        "Пришло с адреса самого центра (R46)",
    ),
    (
        "The same letter was decided on before (R3)",
        "О таком же письме решение уже принято (R3)",
    ),
    (
        "The sender passed a limit: recorded, and nothing is sent for it (R48)",
        "Отправитель превысил предел: записано, и ничего не отправляется (R48)",
    ),
    (
        "The specialists were alarmed often enough this hour: kept silently (R48)",
        "Специалистов в этот час уже тревожили достаточно: хранится молча (R48)",
    ),
    (
        "Outsiders together caused as many letters as they may: kept silently (E59)",
        "Посторонние вместе исчерпали число писем: хранится молча (E59)",
    ),
    (
        "A stranger past the limit of requests: kept for a specialist (R48)",
        "Посторонний превысил число обращений: ждёт специалиста (R48)",
    ),
    (
        "So many tokens from this domain were none of ours that the specialists are told",
        "С этого домена столько чужих меток, что об этом сообщено специалистам",
    ),
    (
        "It was registered past a limit: nobody is told (R48)",
        "Зарегистрировано сверх предела: никому не сообщается (R48)",
    ),
    // Reports on letters of ours.
    (
        "It returns a letter of ours to {}: its Message-ID carries our seal (R47)",
        "Вернулось наше письмо к {}: на его Message-ID наша печать (R47)",
    ),
    (
        "It names another recipient than that letter had: no effect (R47)",
        "Назван не тот получатель, что был у того письма: без последствий (R47)",
    ),
    (
        "That letter is known to be undeliverable already: no further effect",
        "О недоставке того письма уже известно: без новых последствий",
    ),
    (
        "It is not given up yet: noted, nobody is alarmed (R47)",
        "Попытки ещё не кончились: отмечено, никого не тревожим (R47)",
    ),
    (
        "It will never arrive, and its address is dead (R47)",
        "Оно не дойдёт, адрес не действует (R47)",
    ),
    (
        "It will never arrive, though its address may live (R47)",
        "Оно не дойдёт, хотя адрес, возможно, действует (R47)",
    ),
    (
        "It was for the desk's own people: another letter about it would fare no better",
        "Оно было для сотрудников центра: новое письмо об этом тоже не дойдёт",
    ),
    (
        "It said that the request is resolved: back to work until it arrives",
        "В нём говорилось, что обращение решено: снова в работе, пока оно не дойдёт",
    ),
    (
        "A mail system reports on a letter ({})",
        "Почтовая система сообщает о письме ({})",
    ),
    (
        "Taken for {} ({}), but from a representative: taken, and not answered (R46)",
        "Похоже на {} ({}), но от представителя: принято и оставлено без ответа (R46)",
    ),
    (
        "The sender is not whom it looks like: {} (S12)",
        "Отправитель не тот, кем кажется: {} (S12)",
    ),
    (
        "Its signature was seen before under another letter: one of the two was sent again by somebody else (K4)",
        "Подпись уже была под другим письмом: одно из двух отправил кто-то ещё (K4)",
    ),
    // Who.
    (
        "Nobody can be named as its sender: {} (R5)",
        "Отправителя назвать нельзя: {} (R5)",
    ),
    (
        "The evidence speaks against the sender (R13)",
        "Проверка говорит против отправителя (R13)",
    ),
    (
        "The sender was a representative and is none on the day of arrival (R6, R11)",
        "Отправитель был представителем, но в день получения им не является (R6, R11)",
    ),
    (
        "The sender belongs to a customer and is none of its representatives (R11)",
        "Отправитель из организации заказчика, но не её представитель (R11)",
    ),
    (
        "The sender's address is not authenticated: recorded in silence (R11, R12)",
        "Адрес отправителя не подтверждён: записано молча (R11, R12)",
    ),
    (
        "The sender's address is not authenticated: recorded in silence (R12)",
        "Адрес отправителя не подтверждён: записано молча (R12)",
    ),
    (
        "The sender's address is not authenticated: registered without an acknowledgement (S37)",
        "Адрес отправителя не подтверждён: зарегистрировано без уведомления (S37)",
    ),
    (
        "The sender was refused or redirected today already: recorded in silence (R12)",
        "Отправителю сегодня уже отказали или указали, кому писать: записано молча (R12)",
    ),
    (
        "The sender is nobody the desk knows (R12)",
        "Отправитель центру неизвестен (R12)",
    ),
    (
        "The mailbox holds strangers' letters for a specialist (R12)",
        "Письма посторонних в этом ящике ждут специалиста (R12)",
    ),
    (
        "The mailbox takes strangers' questions; their organisation is unknown (R12)",
        "Ящик принимает вопросы посторонних; организация неизвестна (R12)",
    ),
    (
        "It comes from an official address of a contract: a specialist decides (R28)",
        "Пришло с официального адреса по договору: решает специалист (R28)",
    ),
    // What it may.
    ("Taken as {}: {} (R9)", "Принято как {}: {} (R9)"),
    (
        "a marker at the beginning of the subject",
        "пометка в начале темы",
    ),
    (
        "the plus-address it was sent to",
        "адрес с плюсом, на который оно пришло",
    ),
    (
        "the mailbox takes letters as orders",
        "ящик принимает письма как поручения",
    ),
    ("a pattern for questions", "образец запросов"),
    ("a pattern for orders", "образец поручений"),
    (
        "nothing says that it is an order",
        "ничто не говорит, что это поручение",
    ),
    ("About {}: {} (R8)", "О системе {}: {} (R8)"),
    ("a tag in the subject", "пометка в теме"),
    ("the sender's only installation", "у отправителя она одна"),
    ("the mailbox it came to", "ящик, в который оно пришло"),
    (
        "the one where the sender has the highest role",
        "та, где полномочия отправителя выше",
    ),
    (
        "It is about {} ({}), for which the sender has no authority (R6, R8)",
        "Речь о системе {} ({}), на которую у отправителя нет полномочий (R6, R8)",
    ),
    ("It is about {}: {}", "Это об обращении {}: {}"),
    (
        "An order must name its installation, and the sender has several: the desk asks which (R8)",
        "Поручение должно называть систему, а у отправителя их несколько: центр спрашивает, о какой речь (R8)",
    ),
    (
        "The reply names none of the sender's installations, or several (R8)",
        "Ответ не называет ни одной системы отправителя или называет несколько (R8)",
    ),
    ("The reply names {} (R8)", "Ответ называет {} (R8)"),
    (
        "This mailbox demands authentication for everything (R13)",
        "Ящик требует подтверждения отправителя для всего (R13)",
    ),
    (
        "This mailbox demands no authentication (R13)",
        "Ящик не требует подтверждения отправителя (R13)",
    ),
    (
        "A representative may ask (R7)",
        "Представитель вправе спрашивать (R7)",
    ),
    (
        "Only the primary representative may issue orders; this one needs their word (R10)",
        "Поручения даёт только основной представитель; это ждёт его слова (R10)",
    ),
    (
        "Only the primary representative may issue orders (R7, R10)",
        "Поручения даёт только основной представитель (R7, R10)",
    ),
    (
        "The primary representative may issue orders, and the letter is theirs (R7, R13)",
        "Основной представитель вправе давать поручения, и письмо его (R7, R13)",
    ),
    (
        "This customer's orders need a signature (R13)",
        "Поручения этого заказчика требуют подписи (R13)",
    ),
    (
        "The primary's order is not authenticated as it must be: the registered address is asked (R13)",
        "Поручение основного представителя не подтверждено как должно: запрос ушёл на зарегистрированный адрес (R13)",
    ),
    (
        "The installation has no primary representative who could confirm the order (R10)",
        "У системы нет основного представителя, который подтвердил бы поручение (R10)",
    ),
    (
        "A word of confirmation would need more proof of its sender: the domain's word, or what the customer demands (R13)",
        "Слову подтверждения нужно больше: подтверждение домена или то, чего требует заказчик (R13)",
    ),
    (
        "No word of confirmation stands at its beginning: read as an ordinary reply (R10)",
        "В начале нет слова подтверждения: прочитано как обычный ответ (R10)",
    ),
    ("The word was refused (R10)", "Подтвердить отказались (R10)"),
    (
        "The sender confirmed that the letter is theirs (R13)",
        "Отправитель подтвердил, что письмо его (R13)",
    ),
    (
        "The word counts only from the installation's primary representative, and the sender is none any more (R6, R10)",
        "Слово имеет силу только от основного представителя системы, а отправитель им больше не является (R6, R10)",
    ),
    (
        "The primary representative confirmed: it is their order (R10, R13)",
        "Основной представитель подтвердил: это его поручение (R10, R13)",
    ),
    // When.
    (
        "Arrived outside hours: registered at the opening of {} (R16)",
        "Пришло в нерабочее время: будет зарегистрировано при открытии {} (R16)",
    ),
    (
        "Registered on {} as {}, the answer due on the {} working day after (R17, R18)",
        "Зарегистрировано {} под номером {}, срок ответа: {}-й рабочий день после этого (R17, R18)",
    ),
    (
        "Larger than the desk takes: read from its beginning, and the sender is told the limit",
        "Больше, чем принимает центр: прочитано начало, отправителю назван предел",
    ),
    (
        "The opening of {} has come: registered as {} (R16, R17)",
        "Наступило открытие {}: зарегистрировано под номером {} (R16, R17)",
    ),
    (
        "Nobody settled {} in time (R10, R13)",
        "Вовремя не получено: {} (R10, R13)",
    ),
    ("Nobody settled {} in time", "Вовремя не получено: {}"),
    (
        "Three attempts could not read it; its original is kept (mailbox {})",
        "С трёх попыток прочитать не удалось; оригинал хранится (ящик {})",
    ),
    (
        "A letter of the desk could not be delivered: {}",
        "Письмо центра не удалось доставить: {}",
    ),
    (
        "It is kept and waits for its decision",
        "Письмо хранится и ждёт решения",
    ),
    // Evidence of the sender.
    ("dmarc=pass for {}", "dmarc=pass для {}"),
    ("dkim=pass by {}", "dkim=pass от {}"),
    (
        "dkim=fail for the signature of {}",
        "dkim=fail у подписи {}",
    ),
    (
        "Our server says nothing about the sender",
        "Наш сервер ничего не говорит об отправителе",
    ),
    (
        "No authserv-id is configured, so that nothing vouches for the sender",
        "authserv-id не настроен, поэтому за отправителя ничто не ручается",
    ),
    ("No sender: {}", "Отправителя нет: {}"),
    (
        "it carries the secret of a letter that asked this address to confirm",
        "в нём тайная метка письма, которое просило этот адрес подтвердить",
    ),
    ("its Message-ID is one of ours", "его Message-ID наш"),
];

/// How far phrases within phrases are looked up.
const DEPTH: usize = 3;

/// A phrase in Russian; none if it is not known, and then it is better shown as it is.
pub fn said(english: &str) -> Option<String> {
    looked_up(english, DEPTH)
}

/// The same for several of them, joined by `; `; those that are not known stay as they are.
pub fn all_said(english: &str) -> String {
    let parts = english.split("; ");
    let parts = parts.map(|part| said(part).unwrap_or_else(|| part.to_owned()));
    parts.collect::<Vec<_>>().join("; ")
}

fn looked_up(english: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    PHRASES.iter().find_map(|(phrase, russian)| {
        let varying = varying(phrase, english)?;
        let mut out = String::new();
        let mut pieces = russian.split("{}");
        out.push_str(pieces.next().unwrap_or_default());
        for (piece, what) in pieces.zip(varying) {
            out.push_str(&looked_up(what, depth).unwrap_or_else(|| what.to_owned()));
            out.push_str(piece);
        }
        Some(out)
    })
}

/// What stands at the places of `{}`, if the text is this phrase. The last piece is looked for from the end, so that a place may hold anything.
fn varying<'t>(phrase: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = match phrase.split_once("{}") {
        None => return (phrase == text).then(Vec::new),
        Some(split) => split,
    };
    let mut left = text.strip_prefix(first)?;
    let mut found = Vec::new();
    let mut pieces = rest.split("{}").peekable();
    while let Some(piece) = pieces.next() {
        let (what, after) = if pieces.peek().is_none() {
            (left.strip_suffix(piece)?, "")
        } else {
            left.split_once(piece)?
        };
        found.push(what);
        left = after;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phrase_is_found_and_loses_nothing() {
        for (phrase, russian) in PHRASES {
            let places = phrase.matches("{}").count();
            assert_eq!(places, russian.matches("{}").count(), "{phrase}");
            let sample = phrase.replace("{}", "Xyz");
            let wanted = russian.replace("{}", "Xyz");
            assert_eq!(said(&sample).as_deref(), Some(wanted.as_str()), "{phrase}");
        }
    }

    #[test]
    fn phrases_within_phrases_are_said_too() {
        assert_eq!(
            said("It seems to be about 2026-000001: the number in the subject").as_deref(),
            Some("Похоже, это об обращении 2026-000001: номер в теме")
        );
        assert_eq!(said("Something else"), None);
        assert_eq!(
            all_said("dmarc=pass for x.example; Something else"),
            "dmarc=pass для x.example; Something else"
        );
    }
}
