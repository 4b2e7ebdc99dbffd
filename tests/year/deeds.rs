//! What the cast does in the year: made from a seed, each deed whole in itself, so that any of them can be left out and the rest played again.

use super::cast::{Person, Role};
use super::chance::Chance;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// A new question.
    Ask,
    /// A new order.
    Order,
    /// A question whose pattern makes it a fault or an improvement.
    Fault,
    /// «Статус», «История», «Помощь».
    SelfService,
    /// An answer to a letter of the desk.
    Reply,
    /// An answer that only thanks.
    Thanks,
    /// «Подтверждаю», «Согласовано».
    Confirm,
    /// «Отклоняю», «Отклонено: …».
    Decline,
    /// A command of a specialist, by number.
    Command(u8),
    /// A note that must stay inside.
    Note,
    /// A vacation notice for a letter of the desk.
    Vacation,
    /// A letter of the desk comes back.
    Bounce,
    /// The letter before once more, in another place.
    Again,
    /// Somebody else writes an order in this person's name; nothing proves it, or our server says that it is forged.
    ForgedOrder,
    /// The same with an answer to a letter that leaked, a confirmation or a command.
    ForgedAnswer(u8),
    /// The daemon is down for so many hours.
    Down(u8),
}

#[derive(Debug, Clone)]
pub(crate) struct Deed {
    /// Seconds after the deed before.
    pub(crate) after: i64,
    /// Index of the person.
    pub(crate) who: usize,
    pub(crate) what: What,
    /// Decides between several letters to answer and the like.
    pub(crate) pick: u64,
}

pub(crate) const COMMANDS: [&str; 12] = [
    "#в работе",
    "#решен\nСделали: исправили настройку и проверили.",
    "#решен\nОтвет: откройте раздел «Журнал».",
    "#уточнить\nКакой у вас браузер?",
    "#закрыт\nРабота закончена, ответ выше.",
    "#разработчику\nПосмотрите, пожалуйста.",
    "#тип ошибка",
    "#тип поддержка",
    "#вид поручение",
    "#продлить 2 ждём поставщика",
    "#решон",
    "#отклонить Это не входит в договор.",
];

fn what(role: Role, chance: &mut Chance) -> What {
    use What::{
        Again, Ask, Bounce, Command, Confirm, Decline, Down, Fault, ForgedAnswer, ForgedOrder,
        Note, Order, Reply, SelfService, Thanks, Vacation,
    };
    let some = chance.next();
    let answer = u8::try_from(some % 16).unwrap();
    let command = u8::try_from(some % 12).unwrap();
    let hours = u8::try_from(some % 60).unwrap();
    let list: &[(u64, What)] = match role {
        Role::Primary | Role::Additional => &[
            (24, Ask),
            (14, Order),
            (5, Fault),
            (24, Reply),
            (8, Thanks),
            (8, Confirm),
            (3, Decline),
            (3, SelfService),
            (3, Vacation),
            (2, Bounce),
            (2, Again),
            (4, ForgedOrder),
            (4, ForgedAnswer(answer)),
            (1, Down(hours)),
        ],
        Role::Colleague | Role::Stranger => &[
            (10, Ask),
            (6, Order),
            (6, Reply),
            (2, Confirm),
            (2, Vacation),
            (1, SelfService),
        ],
        Role::Specialist => &[
            (70, Command(command)),
            (12, Note),
            (3, Reply),
            (2, Vacation),
            (6, ForgedAnswer(answer)),
        ],
        Role::Approver => &[
            (10, Confirm),
            (4, Decline),
            (2, Reply),
            (3, ForgedAnswer(answer)),
        ],
        Role::Developer => &[(8, Reply), (1, Vacation), (1, ForgedAnswer(answer))],
    };
    chance.weighed(list)
}

/// A year of deeds.
pub(crate) fn year(seed: u64, letters: usize, people: &[Person]) -> Vec<Deed> {
    let mut chance = Chance::new(seed);
    let of = |roles: &[Role]| -> Vec<usize> {
        let all = people.iter().enumerate();
        all.filter(|(_, p)| roles.contains(&p.role))
            .map(|(i, _)| i)
            .collect()
    };
    let groups = [
        of(&[Role::Primary, Role::Additional]),
        of(&[Role::Specialist]),
        of(&[Role::Approver, Role::Developer]),
        of(&[Role::Colleague, Role::Stranger]),
    ];
    let gap = 365 * 86_400 * 2 / i64::try_from(letters).unwrap().max(1);
    (0..letters)
        .map(|_| {
            let group = &groups[chance.weighed(&[(50, 0), (30, 1), (10, 2), (10, 3)])];
            let who = group[usize::try_from(chance.below(group.len() as u64)).unwrap()];
            Deed {
                after: i64::try_from(chance.below(u64::try_from(gap).unwrap())).unwrap(),
                who,
                what: what(people[who].role, &mut chance),
                pick: chance.next(),
            }
        })
        .collect()
}
