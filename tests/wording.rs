//! The built-in letters, whole: `tests/rendered/{ru,en}/NAME.txt` is what each says to the fixed cast; `UPDATE=1` rewrites them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use postdesk::desk::address::Address;
use postdesk::desk::appointments::{Change, What};
use postdesk::desk::calendar::Interval;
use postdesk::desk::directive::Fault;
use postdesk::desk::dossier::{Enclosed, Past};
use postdesk::desk::listing::{Listed, Listing, Rules};
use postdesk::desk::notice::{Alert, Notice, Nudge, Purpose, Settled, Tells, Template, Thread};
use postdesk::desk::people::{Locale, Representative, Role};
use postdesk::desk::policy::Words;
use postdesk::desk::request::{Kind, Number, Status, Type};
use postdesk::desk::succession::told::{Earlier, Succession};
use postdesk::desk::transcript::{Effect, Line, Transcript};
use postdesk::desk::verb::Verb;
use postdesk::desk::why::{Span, Why};
use postdesk::mail::wording::{Said, Voice, Wording};

fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

/// What Олег Смирнов, the additional representative, wrote on Monday.
fn told(locale: Locale) -> Tells {
    let ru = locale == Locale::Ru;
    let say = |russian: &str, english: &str| if ru { russian } else { english }.to_owned();
    Tells {
        number: Some(Number::new(2026, 42)),
        subject: say("Журнал не открывается", "The gradebook does not open"),
        kind: Some(Kind::Question),
        type_: Some(Type::Support),
        status: Some(Status::InProgress),
        arrived: Some(moment("2026-11-23T10:12:00+05:00")),
        opens: Some(moment("2026-11-23T10:12:00+05:00")),
        registration_day: NaiveDate::from_ymd_opt(2026, 11, 23),
        due: Some(moment("2026-11-30T17:00:00+05:00")),
        working_days: Some(5),
        why: None,
        continues: None,
        lapses: None,
        requester_name: Some(say("Олег Смирнов", "Oleg Smirnov")),
        requester: Some(address("oleg@raduga.example")),
        customer: Some(say("МАУ ДО «Радуга»", "Raduga Centre")),
        installation: Some(say("СЭО 3KL", "SEO 3KL")),
        choices: vec![],
        primary_name: None,
        primary: None,
        text: None,
        text_cut: false,
        attachments: vec![],
        authority: None,
        alert: None,
        last_alert: false,
        limit: None,
        listing: None,
        rules: None,
        succession: None,
        party_name: None,
        days: None,
        reason: None,
        nudge: None,
        settled: None,
        consents: vec![],
        thread: vec![],
        enclosed: vec![],
        transcript: None,
    }
}

/// The figures behind a due moment.
fn why(given_back: (u32, u32), extended: u32) -> Why {
    Why {
        working_days: 5,
        given_back: Span {
            days: given_back.0,
            minutes: given_back.1,
        },
        extended,
        left: None,
        late: false,
        until: None,
    }
}

/// What Мария may see.
fn listing(locale: Locale, history: bool) -> Listing {
    let ru = locale == Locale::Ru;
    let listed = |count, russian: &str, english: &str, status| Listed {
        number: Some(Number::new(2026, count)),
        subject: if ru { russian } else { english }.to_owned(),
        status,
        opens: moment("2026-11-23T10:12:00+05:00"),
        due: Some(moment("2026-11-30T17:00:00+05:00")),
        left: None,
        until: None,
        requester_name: None,
    };
    let mut requests = vec![
        Listed {
            number: None,
            requester_name: Some(
                if ru {
                    "Олег Смирнов"
                } else {
                    "Oleg Smirnov"
                }
                .to_owned(),
            ),
            opens: moment("2026-11-24T09:00:00+05:00"),
            ..listed(
                1,
                "Вечерний вопрос",
                "An evening question",
                Status::InProgress,
            )
        },
        listed(
            42,
            "Журнал не открывается",
            "The gradebook does not open",
            Status::InProgress,
        ),
        Listed {
            left: Some(Span {
                days: 3,
                minutes: 120,
            }),
            ..listed(41, "Отчёт", "Report", Status::AwaitingInformation)
        },
        Listed {
            until: Some(moment("2026-11-26T17:00:00+05:00")),
            ..listed(40, "Вход", "Login", Status::Resolved)
        },
    ];
    if history {
        requests.push(listed(7, "Новый курс", "A new course", Status::Closed));
    }
    Listing {
        history,
        requests,
        more: if history { 12 } else { 0 },
    }
}

fn rules(orders: bool) -> Rules {
    let long = ["09:00-12:30", "13:30-17:00"].map(|i| Interval::read(i).unwrap());
    let friday = ["09:00-12:30", "13:30-16:00"].map(|i| Interval::read(i).unwrap());
    let (long, friday) = (long.to_vec(), friday.to_vec());
    Rules {
        orders,
        week: [
            long.clone(),
            long.clone(),
            long.clone(),
            long,
            friday,
            vec![],
            vec![],
        ],
        order_markers: vec!["Поручение".to_owned(), "Order".to_owned()],
        question_markers: vec!["Вопрос".to_owned(), "Question".to_owned()],
        words: Words {
            thanks: vec!["Спасибо".to_owned(), "Thank you".to_owned()],
            status: vec!["Статус".to_owned(), "Status".to_owned()],
            history: vec!["История".to_owned(), "History".to_owned()],
            help: vec!["Помощь".to_owned(), "Help".to_owned()],
            ..Words::default()
        },
    }
}

fn say_in(locale: Locale, ru: &str, en: &str) -> String {
    if locale == Locale::Ru { ru } else { en }.to_owned()
}

fn about_change(locale: Locale) -> String {
    say_in(locale, "Смена представителя", "Change of representative")
}

fn words_of_oleg(locale: Locale) -> Option<String> {
    Some(match locale {
        Locale::Ru => "Добрый день!\n\nПрошу открыть журнал группы 12 за октябрь и удалить <дубли>.\n\nОлег".to_owned(),
        Locale::En => "Good morning,\n\nplease open the gradebook of group 12 for October and remove the <duplicates>.\n\nOleg".to_owned(),
    })
}

fn curator(locale: Locale) -> Option<String> {
    Some(match locale {
        Locale::Ru => "Андрей Соколов".to_owned(),
        Locale::En => "Andrew Sokolov".to_owned(),
    })
}

fn waits(locale: Locale) -> Option<String> {
    Some(match locale {
        Locale::Ru => "Ждём данные от поставщика.".to_owned(),
        Locale::En => "We are waiting for the supplier's data.".to_owned(),
    })
}

fn say_declined(locale: Locale) -> String {
    match locale {
        Locale::Ru => "Журнал закрыт до конца четверти.".to_owned(),
        Locale::En => "The gradebook is closed until the end of term.".to_owned(),
    }
}

fn past(all: &Tells, text: Option<String>) -> Past {
    Past {
        letter: 1,
        who: all.requester_name.clone().unwrap(),
        arrived: all.arrived.unwrap(),
        text: text.unwrap_or_default(),
        attachments: vec![],
    }
}

/// The occasions on which a template is used, with what the rules would tell.
fn occasions(template: Template, locale: Locale) -> Vec<Tells> {
    let all = told(locale);
    let lapses = Some(moment("2026-11-30T17:00:00+05:00"));
    let ru = locale == Locale::Ru;
    let maria = Some(
        if ru {
            "Мария Иванова"
        } else {
            "Maria Ivanova"
        }
        .to_owned(),
    );
    let primary = Some(address("maria@raduga.example"));
    match template {
        Template::Registered => vec![
            all.clone(),
            Tells {
                kind: Some(Kind::Order),
                ..all.clone()
            },
            Tells {
                continues: Some(Number::new(2026, 7)),
                why: Some(why((0, 0), 0)),
                ..all
            },
        ],
        Template::Requests => [false, true]
            .into_iter()
            .map(|history| Tells {
                subject: match (ru, history) {
                    (true, false) => "Статус",
                    (true, true) => "История",
                    (false, false) => "Status",
                    (false, true) => "History",
                }
                .to_owned(),
                listing: Some(listing(locale, history)),
                rules: Some(rules(true)),
                ..Tells::default()
            })
            .chain([Tells {
                subject: if ru { "Статус" } else { "Status" }.to_owned(),
                listing: Some(Listing {
                    history: false,
                    requests: vec![],
                    more: 0,
                }),
                ..Tells::default()
            }])
            .collect(),
        Template::Help => [true, false]
            .into_iter()
            .map(|orders| Tells {
                subject: if ru { "Помощь" } else { "Help" }.to_owned(),
                installation: all.installation.clone(),
                working_days: Some(5),
                primary_name: maria.clone().filter(|_| !orders),
                rules: Some(rules(orders)),
                ..Tells::default()
            })
            .collect(),
        Template::Queued => vec![Tells {
            number: None,
            status: None,
            arrived: Some(moment("2026-11-20T16:42:00+05:00")),
            opens: Some(moment("2026-11-23T09:00:00+05:00")),
            due: None,
            ..all
        }],
        Template::OrderNeedsPrimary => vec![
            Tells {
                lapses,
                primary_name: maria,
                primary,
                ..all.clone()
            },
            all,
        ],
        Template::OrderRefused => vec![Tells {
            primary_name: maria,
            primary,
            number: None,
            ..all
        }],
        Template::OrderToConfirm => [None, Some(Nudge::Reminder)]
            .into_iter()
            .map(|nudge| Tells {
                lapses,
                nudge,
                text: words_of_oleg(locale),
                attachments: vec!["журнал.pdf".to_owned()],
                ..all.clone()
            })
            .collect(),
        Template::OrderConfirmed | Template::OrderDeclined => vec![Tells {
            kind: Some(if template == Template::OrderDeclined {
                Kind::Question
            } else {
                Kind::Order
            }),
            primary_name: maria,
            ..all
        }],
        Template::Reminder => vec![Tells {
            lapses,
            status: Some(Status::AwaitingInformation),
            ..all
        }],
        Template::ConsentAsked | Template::ExtensionAsked => {
            let time = template == Template::ExtensionAsked;
            let asked = Tells {
                type_: Some(Type::Fault),
                text: words_of_oleg(locale),
                attachments: vec!["журнал.pdf".to_owned()],
                days: time.then_some(3),
                reason: waits(locale).filter(|_| time),
                ..all
            };
            let again = Nudge::ALL.map(|nudge| Tells {
                nudge: Some(nudge),
                ..asked.clone()
            });
            [asked].into_iter().chain(again).collect()
        }
        Template::ConsentGiven => vec![
            all.clone(),
            Tells {
                status: Some(Status::AwaitingInformation),
                ..all
            },
        ],
        Template::ConsentDeclined => vec![Tells {
            status: Some(Status::Closed),
            reason: Some(say_declined(locale)),
            due: None,
            ..all
        }],
        Template::Extended => vec![Tells {
            due: Some(moment("2026-12-03T17:00:00+05:00")),
            working_days: None,
            days: Some(3),
            reason: waits(locale),
            ..all
        }],
        Template::ConsentSettled => Settled::ALL
            .into_iter()
            .map(|settled| {
                let time = [Settled::TimePartly, Settled::Extended, Settled::NotExtended];
                let declined = [Settled::Declined, Settled::NotExtended];
                Tells {
                    settled: Some(settled),
                    party_name: curator(locale),
                    days: time.contains(&settled).then_some(3),
                    reason: declined.contains(&settled).then(|| say_declined(locale)),
                    ..all.clone()
                }
            })
            .collect(),
        Template::ForDeveloper => vec![
            Tells {
                type_: Some(Type::Fault),
                status: Some(Status::WithDeveloper),
                reason: waits(locale),
                consents: curator(locale)
                    .map(|who| (who, moment("2026-11-23T12:00:00+05:00")))
                    .into_iter()
                    .collect(),
                thread: vec![past(&all, words_of_oleg(locale)), past(&all, None)],
                enclosed: vec![Enclosed {
                    letter: 1,
                    place: 0,
                    name: "журнал.pdf".to_owned(),
                    media_type: "application/pdf".to_owned(),
                }],
                attachments: vec!["запись.mp4".to_owned()],
                ..all.clone()
            },
            Tells {
                status: Some(Status::WithDeveloper),
                ..all
            },
        ],
        Template::DeveloperReplied => vec![Tells {
            party_name: Some("Developer Ltd.".to_owned()),
            text: waits(locale),
            attachments: vec!["patch.zip".to_owned()],
            ..all
        }],
        Template::DueSoon | Template::Overdue => vec![Tells {
            why: Some(why((1, 90), 0)),
            ..all
        }],
        Template::OrderLapsed => vec![Tells {
            lapses,
            due: Some(moment("2026-12-07T17:00:00+05:00")),
            ..all
        }],
        Template::Challenge => vec![
            Tells {
                lapses,
                ..all.clone()
            },
            Tells {
                lapses,
                text: words_of_oleg(locale),
                ..all
            },
        ],
        Template::AskInstallation => vec![Tells {
            lapses,
            kind: Some(Kind::Order),
            status: Some(Status::AwaitingInformation),
            installation: None,
            due: None,
            choices: vec!["СЭО 3KL".to_owned(), "Moodle".to_owned()],
            ..all
        }],
        Template::Redirected => vec![
            Tells {
                primary_name: maria,
                primary,
                ..Tells::default()
            },
            Tells::default(),
        ],
        Template::RedirectedToPrimary => vec![Tells {
            number: None,
            text: words_of_oleg(locale),
            ..all
        }],
        Template::NotRepresentative | Template::Refused => vec![Tells::default()],
        Template::Oversize => vec![
            Tells {
                number: None,
                due: None,
                arrived: Some(moment("2026-11-20T16:42:00+05:00")),
                opens: Some(moment("2026-11-23T09:00:00+05:00")),
                status: None,
                limit: Some(25 * 1024 * 1024),
                ..all.clone()
            },
            Tells {
                limit: Some(25 * 1024 * 1024),
                ..all
            },
        ],
        Template::SuccessionReceived => ["none", "scan", "signed", "invalid"]
            .into_iter()
            .flat_map(|letter| {
                let scan = letter == "scan";
                let told = Succession {
                    letter,
                    elsewhere: scan,
                    original: lapses.filter(|_| scan),
                    ..Succession::default()
                };
                let awaits = matches!(letter, "none" | "invalid");
                [Tells {
                    kind: Some(Kind::Order),
                    subject: about_change(locale),
                    status: Some(if awaits {
                        Status::AwaitingInformation
                    } else {
                        Status::InProgress
                    }),
                    succession: Some(Box::new(told)),
                    ..all.clone()
                }]
            })
            .collect(),
        Template::SuccessionAsked => vec![Tells {
            subject: about_change(locale),
            ..all
        }],
        Template::SuccessionOriginal => [false, true]
            .into_iter()
            .map(|late| Tells {
                kind: Some(Kind::Order),
                subject: about_change(locale),
                succession: Some(Box::new(Succession {
                    original: lapses,
                    late,
                    ..Succession::default()
                })),
                ..all.clone()
            })
            .collect(),
        Template::SuccessorWelcome | Template::SuccessionOver | Template::SuccessionInForce => {
            [true, false]
                .into_iter()
                .map(|follows| {
                    let past = Earlier {
                        number: Some(Number::new(2026, 41)),
                        arrived: moment("2026-11-20T16:42:00+05:00"),
                        subject: say_in(locale, "Открыть журнал", "Open the gradebook"),
                        status: Status::Resolved,
                    };
                    let welcome = template == Template::SuccessorWelcome && follows;
                    Tells {
                        subject: about_change(locale),
                        succession: Some(Box::new(Succession {
                            from: NaiveDate::from_ymd_opt(2026, 12, 1),
                            follows,
                            successor: (template == Template::SuccessionInForce)
                                .then(|| say_in(locale, "Котова Анна Юрьевна", "Anna Kotova")),
                            original: lapses.filter(|_| follows),
                            materials: welcome
                                .then(|| "docs.desk.example/start\n\n1. …".to_owned()),
                            past: if welcome { vec![past] } else { vec![] },
                            past_more: u32::from(welcome),
                            ..Succession::default()
                        })),
                        ..all.clone()
                    }
                })
                .collect()
        }
        Template::SuccessionState => vec![Tells {
            subject: about_change(locale),
            succession: Some(Box::new(Succession {
                said: vec![
                    "Not done: #проверено скан".to_owned(),
                    "What is missing: the tick that the letter bears the organisation's stamp"
                        .to_owned(),
                    "Nothing of your letter took effect".to_owned(),
                ],
                facts: vec![
                    "Asked for from an official address of the contract".to_owned(),
                    "Letter of the customer: a scan — from the official address".to_owned(),
                    "The paper original is due".to_owned(),
                ],
                missing: vec![
                    "a specialist's verification".to_owned(),
                    "the paper original".to_owned(),
                ],
                original: lapses,
                ..Succession::default()
            })),
            ..all
        }],
        Template::StatusChanged => Status::ALL
            .into_iter()
            .map(|status| Tells {
                status: Some(status),
                text: (status == Status::Resolved).then(|| "Журнал открыт.".to_owned()),
                why: Some(Why {
                    left: (status == Status::AwaitingInformation).then_some(Span {
                        days: 3,
                        minutes: 120,
                    }),
                    until: Some(moment("2026-12-07T17:00:00+05:00")),
                    ..why((2, 180), u32::from(status == Status::WithDeveloper) * 3)
                }),
                ..all.clone()
            })
            .chain([Tells {
                why: Some(Why {
                    late: true,
                    ..why((2, 180), 0)
                }),
                ..all.clone()
            }])
            .collect(),
        Template::ForSpecialist => vec![
            Tells {
                authority: Some("domain: dmarc=pass for raduga.example".to_owned()),
                text: words_of_oleg(locale),
                attachments: vec!["журнал.pdf".to_owned(), "снимок.png".to_owned()],
                ..all.clone()
            },
            all,
        ],
        Template::Transcript => {
            let told = |effect, lines: Vec<Line>| Transcript {
                effect,
                lines,
                possible: vec![],
                history: vec![],
                help: false,
            };
            let solved = Line::of(
                Verb::Resolve,
                "Status resolved; mailed to oleg@raduga.example",
            );
            let typed = Line::of(Verb::Type, "Type fault");
            let done = Transcript {
                history: vec![(
                    moment("2026-11-23T10:12:00+05:00"),
                    "Registered as 2026-000042, the answer is due 2026-11-30 17:00".to_owned(),
                )],
                ..told(Effect::Done, vec![typed, solved])
            };
            let slip = Fault::Unknown {
                said: "#ришен".to_owned(),
                meant: Some(Verb::Resolve),
            };
            let nothing = Transcript {
                possible: vec![Verb::Developer, Verb::Ask, Verb::Resolve, Verb::Close],
                ..told(Effect::Nothing, vec![Line::fault(&slip, locale)])
            };
            let unproved = told(
                Effect::Unproved,
                vec![Line::whole(
                    "Nothing proves that the letter is the specialist's (R13)",
                )],
            );
            let help = Transcript {
                help: true,
                ..told(
                    Effect::Done,
                    vec![Line::of(Verb::Help, "The commands stand below")],
                )
            };
            let status = |effect| match effect {
                Effect::Done => Some(Status::Resolved),
                Effect::Nothing | Effect::Unproved => Some(Status::InProgress),
            };
            let call = Line::of(Verb::Phone, "The field Контакт is missing");
            let call = told(Effect::Nothing, vec![call]);
            let nobody = [
                Transcript {
                    help: true,
                    ..call.clone()
                },
                Transcript {
                    effect: Effect::Unproved,
                    ..call
                },
            ];
            let nobody = nobody.map(|transcript| Tells {
                transcript: Some(transcript),
                ..Tells::default()
            });
            [done, nothing, unproved, help]
                .into_iter()
                .map(|transcript| Tells {
                    status: status(transcript.effect),
                    transcript: Some(transcript),
                    ..all.clone()
                })
                .chain(nobody)
                .collect()
        }
        Template::SpecialistAlert => [
            Alert::Held(
                "It comes from an official address of a contract: a specialist decides (R28)"
                    .to_owned(),
            ),
            Alert::SuccessionTried,
            Alert::OverLimit,
            Alert::Flood,
            Alert::BadTokens("raduga.example".to_owned(), 21),
            Alert::Unreadable,
            Alert::BadConfiguration,
            Alert::GoodConfiguration,
            Alert::Undelivered(
                address("maria@raduga.example"),
                "550 5.1.1 User unknown (the address is dead)".to_owned(),
            ),
        ]
        .into_iter()
        .map(|alert| match alert {
            Alert::BadConfiguration => Tells {
                alert: Some(alert),
                text: Some(
                    "error: unknown key `rolle`\n --> customers/raduga.toml:12:1\n".to_owned(),
                ),
                ..Tells::default()
            },
            Alert::Unreadable | Alert::Flood | Alert::BadTokens(..) | Alert::GoodConfiguration => {
                Tells {
                    alert: Some(alert),
                    ..Tells::default()
                }
            }
            alert => Tells {
                number: matches!(alert, Alert::Undelivered(..)).then(|| Number::new(2026, 42)),
                status: None,
                due: None,
                text: matches!(alert, Alert::Held(_)).then(|| words_of_oleg(locale).unwrap()),
                alert: Some(alert),
                ..all.clone()
            },
        })
        .collect(),
    }
}

/// What changed among the people is said in Russian too, and names nobody.
#[test]
fn changed_appointments_are_said_in_both_languages() {
    let person = |role: Role| Representative {
        role,
        name: "Иванова Мария".to_owned(),
        address: address("maria@raduga.example"),
        phone: None,
        since: "2026-01-01".parse().unwrap(),
        until: None,
    };
    let day = "2026-01-01".parse().unwrap();
    for role in Role::ALL {
        let ended = Representative {
            until: Some(day),
            ..person(role)
        };
        let changes = [
            (person(role), What::Appointed { after: None }),
            (
                person(role),
                What::Appointed {
                    after: Some(Box::new(ended.clone())),
                },
            ),
            (ended, What::Ends { was: None }),
            (person(role), What::Ends { was: Some(day) }),
            (person(role), What::Begins { was: day }),
            (person(role), What::Removed),
            (
                person(role),
                What::Renamed {
                    was: "Иванова".to_owned(),
                },
            ),
            (
                person(role),
                What::Readdressed {
                    was: address("m@raduga.example"),
                },
            ),
            (person(role), What::Rephoned { was: None }),
            (
                person(role),
                What::RoleChanged {
                    was: Role::Additional,
                },
            ),
        ];
        for (person, what) in changes {
            let change = Change {
                customer: "raduga".to_owned(),
                installation: "raduga-moodle".to_owned(),
                person,
                what,
            };
            let english = change.in_words();
            let russian = postdesk::mail::russian::said(&english);
            let russian =
                russian.unwrap_or_else(|| panic!("src/mail/russian.txt lacks: {english}"));
            assert!(
                !english.contains("Иванова") && !english.contains('@'),
                "{english}"
            );
            for word in ["primary", "additional", "contract", "appointment"] {
                assert!(!russian.contains(word), "{russian}");
            }
        }
    }
}

fn notice(template: Template, locale: Locale, tells: Tells) -> Notice {
    Notice {
        template,
        to: address("maria@raduga.example"),
        name: "Мария Иванова".to_owned(),
        locale,
        purpose: Purpose::Reply,
        thread: Thread::default(),
        tells,
    }
}

fn say(notice: &Notice, reply_to: Option<&str>) -> Said {
    say_by(&Wording::built_in(), notice, reply_to)
}

fn say_by(wording: &Wording, notice: &Notice, reply_to: Option<&str>) -> Said {
    let ru = notice.locale == Locale::Ru;
    let voice = Voice {
        desk_name: if ru {
            "Ситуационный центр"
        } else {
            "Situation Centre"
        },
        desk_address: "support@desk.example",
        zone: chrono_tz::Tz::Asia__Yekaterinburg,
        confirm: &["Подтверждаю".to_owned(), "Confirm".to_owned()],
        decline: &["Отклоняю".to_owned(), "Decline".to_owned()],
        approve: &["Согласовано".to_owned(), "Approved".to_owned()],
        disapprove: &["Отклонено".to_owned(), "Declined".to_owned()],
        reply_to,
    };
    wording.say(notice, &voice)
}

fn folder(locale: Locale) -> &'static str {
    match locale {
        Locale::Ru => "ru",
        Locale::En => "en",
    }
}

fn every() -> impl Iterator<Item = (Template, Locale)> {
    Template::ALL
        .iter()
        .flat_map(|&t| [(t, Locale::Ru), (t, Locale::En)])
}

/// G70, G77.
#[test]
fn each_letter_says_what_it_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rendered");
    let shown = std::env::var_os("SHOW").map(PathBuf::from);
    let mut wrong = vec![];
    for (template, locale) in every() {
        let said: Vec<String> = occasions(template, locale)
            .into_iter()
            .enumerate()
            .map(|(at, tells)| {
                let said = say(
                    &notice(template, locale, tells),
                    Some("support+r1abc.def@desk.example"),
                );
                if let Some(folder_of_html) = &shown {
                    let name = format!("{}-{}-{at}.html", folder(locale), template.word());
                    std::fs::write(folder_of_html.join(name), &said.html).unwrap();
                }
                format!("Subject: {}\n\n{}", said.subject, said.text)
            })
            .collect();
        let said = said.join("\n════════\n\n");
        let file = root
            .join(folder(locale))
            .join(format!("{}.txt", template.word()));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &said).unwrap();
        } else if std::fs::read_to_string(&file).unwrap_or_default() != said {
            wrong.push(format!("{} now says:\n{said}", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nUPDATE=1 rewrites them",
        wrong.join("\n\n")
    );
}

/// What a reader sees of an HTML document: its text, without tags.
fn seen(html: &str) -> String {
    let body = html.split_once("<body").unwrap().1;
    let mut text = String::new();
    let mut tag = false;
    for c in body.chars() {
        match c {
            '<' => tag = true,
            '>' if tag => {
                tag = false;
                text.push(' ');
            }
            _ if !tag => text.push(c),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    words(&text)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// G77, S21, S24, S27.
#[test]
fn html_says_the_same_and_fetches_nothing() {
    for (template, locale) in every() {
        for tells in occasions(template, locale) {
            let said = say(
                &notice(template, locale, tells),
                Some("support+r1abc.def@desk.example"),
            );
            let html = said.html.to_lowercase();
            for remote in [
                "http:",
                "https:",
                "<img",
                "<script",
                "url(",
                "src=",
                "@import",
                "<link",
                "background",
            ] {
                assert!(
                    !html.contains(remote),
                    "{template:?} {locale:?} has {remote}"
                );
            }
            assert!(
                said.html.len() < 20_000,
                "{template:?}: {}",
                said.html.len()
            );
            assert!(html.contains(&format!("<html lang=\"{}\">", folder(locale))));
            assert!(html.contains("<title>") && html.contains("color-scheme"));
            let seen = seen(&said.html);
            for line in said.text.lines() {
                let cell = line.trim_start_matches(['>', '-']);
                for fact in cell.splitn(2, ":  ") {
                    let fact = words(fact);
                    assert!(
                        seen.contains(&fact),
                        "{template:?} {locale:?} lacks «{fact}» in\n{seen}"
                    );
                }
            }
        }
    }
}

/// R12, S23, S37: a stranger reads nothing of theirs and nothing about anyone.
#[test]
fn strangers_are_told_nothing() {
    for template in [Template::Refused, Template::NotRepresentative] {
        for locale in [Locale::Ru, Locale::En] {
            let silent = say(&notice(template, locale, Tells::default()), None);
            let mut tells = told(locale);
            tells.number = None;
            tells.primary_name = Some("Мария".into());
            tells.primary = Some(address("maria@raduga.example"));
            tells.text = words_of_oleg(locale);
            let talkative = say(&notice(template, locale, tells), None);
            assert_eq!(silent, talkative, "{template:?} repeats something");
        }
    }
}

/// P6: no customer takes an internal letter for one of theirs, nor the reverse.
#[test]
fn internal_letters_say_so_and_no_other_does() {
    for (template, locale) in every() {
        let (first, subject) = match locale {
            Locale::Ru => ("Внутреннее.", "Внутреннее: "),
            Locale::En => ("Internal.", "Internal: "),
        };
        for tells in occasions(template, locale) {
            let said = say(&notice(template, locale, tells), None);
            assert_eq!(
                said.text.starts_with(first),
                template.is_internal(),
                "{template:?}"
            );
            assert_eq!(
                said.subject.starts_with(subject),
                template.is_internal(),
                "{template:?}"
            );
        }
    }
}

/// R45: the zone stands in every letter that names a moment, once.
#[test]
fn the_zone_is_said_once() {
    for (template, locale) in every() {
        for tells in occasions(template, locale) {
            let said = say(&notice(template, locale, tells), None);
            let times = said.text.matches("UTC+5").count();
            let moments =
                said.text.matches("2026 г.").count() + said.text.matches("November 2026").count();
            assert_eq!(
                times,
                usize::from(moments > 0),
                "{template:?} {locale:?}\n{}",
                said.text
            );
        }
    }
}

/// G71: the number stands in the subject once, whatever the customer's client left there.
#[test]
fn the_number_is_never_doubled() {
    for subject in [
        "Журнал [№ 2026-000042]",
        "Re: Журнал [№ 2026-000042] [№ 2026-000042]",
        "RE: Re: Журнал",
        "Журнал [№ 2025-000007]",
    ] {
        let tells = Tells {
            subject: subject.to_owned(),
            ..told(Locale::Ru)
        };
        assert_eq!(
            say(&notice(Template::Registered, Locale::Ru, tells), None).subject,
            "Re: Журнал [№ 2026-000042]"
        );
    }
    let long = Tells {
        subject: "Ж".repeat(5_000),
        ..told(Locale::Ru)
    };
    let subject = say(&notice(Template::Registered, Locale::Ru, long), None).subject;
    assert_eq!(subject.chars().count(), 200);
    assert!(subject.ends_with("… [№ 2026-000042]"), "{subject}");
    let none = Tells {
        subject: String::new(),
        number: None,
        ..told(Locale::Ru)
    };
    assert_eq!(
        say(&notice(Template::Queued, Locale::Ru, none), None).subject,
        "Re: (без темы)"
    );
}

/// F11: what a stranger writes is data, in every field of every letter.
#[test]
fn nothing_told_becomes_code_or_markup() {
    let evil = "{{ 7*7 }}{% raw %}<script>alert(1)</script>\r\n| a: b\r\n---\r\n[[x]]\u{2}\u{3}\u{5}\u{202e}\"'";
    for (template, locale) in every() {
        for mut tells in occasions(template, locale) {
            tells.subject = evil.into();
            tells.requester_name = Some(evil.into());
            tells.customer = Some(evil.into());
            tells.installation = Some(evil.into());
            tells.primary_name = Some(evil.into());
            tells.text = Some(evil.into());
            tells.attachments = vec![evil.into()];
            tells.choices = vec![evil.into()];
            tells.authority = Some(evil.into());
            let said = say(
                &notice(template, locale, tells),
                Some("support+r1abc.def@desk.example"),
            );
            assert!(!said.html.contains("<script"), "{template:?}");
            assert!(
                !said.text.contains("49") && !said.html.contains(">49"),
                "{template:?}"
            );
            for text in [&said.text, &said.html, &said.subject] {
                assert!(
                    !text.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'),
                    "{template:?} {text:?}"
                );
            }
            assert!(!said.subject.contains('\n'));
            assert!(!said.text.contains("\n| a"), "{}", said.text);
        }
    }
}

#[test]
fn a_letter_of_the_desk_replaces_ours_and_its_faults_are_named() {
    let folder = Path::new("letters");
    let with = |name: &str, text: &str| {
        Wording::with_overrides(&[(folder.join(name), text.to_owned())], folder)
    };
    let own = with(
        "ru/registered.txt",
        "\u{feff}Subject: Re: {{ subject }}\r\n\r\nПринято {{ number or \"—\" }}.\r\n",
    )
    .unwrap();
    let registered = notice(Template::Registered, Locale::Ru, told(Locale::Ru));
    assert_eq!(
        say_by(&own, &registered, None).text,
        "Принято 2026-000042.\n"
    );
    let english = notice(Template::Registered, Locale::En, told(Locale::En));
    assert_eq!(say_by(&own, &english, None), say(&english, None));

    for (name, text, line, what) in [
        (
            "ru/registred.txt",
            "Subject: a\n\nb",
            None,
            "overrides nothing",
        ),
        (
            "de/registered.txt",
            "Subject: a\n\nb",
            None,
            "overrides nothing",
        ),
        (
            "ru/queued.txt",
            "Subject: a\n\n{% if due %}\nb",
            Some(4),
            "syntax error",
        ),
        (
            "ru/queued.txt",
            "Subject: a\n\nb\n{{ nubmer }}",
            Some(4),
            "unknown name `nubmer`",
        ),
        (
            "ru/queued.txt",
            "Subject: a\n\nb{% if false %}\n{{ due.untill }}{% endif %}",
            Some(4),
            "unknown name `due.untill`",
        ),
        (
            "ru/queued.txt",
            "Subject: a\n\nb {{ due.until }}",
            Some(3),
            "ask with {% if … %} first",
        ),
        (
            "ru/queued.txt",
            "Hello\n",
            None,
            "the first line must be `Subject: `",
        ),
        (
            "ru/queued.txt",
            "Subject: a\n",
            None,
            "nothing follows the subject",
        ),
        (
            "en/queued.txt",
            "Subject: a\n\nb\u{7}",
            Some(3),
            "control character",
        ),
        (
            "en/part-facts.txt",
            "| Due: {{ due.until }}\n",
            None,
            "ask with {% if … %} first",
        ),
    ] {
        let faults = with(name, text).unwrap_err();
        let fault = faults
            .iter()
            .find(|f| f.what.contains(what))
            .unwrap_or_else(|| panic!("{name} {text:?}: {faults:?}"));
        if line.is_some() {
            assert_eq!(fault.line, line, "{faults:?}");
        }
        assert_eq!(fault.file, folder.join(name));
    }
    assert!(Wording::with_overrides(&[], folder).is_ok());
}

/// E9: a letter is never lost to a template.
#[test]
fn a_wording_that_fails_in_use_gives_way_to_ours() {
    let text = "Subject: a\n\n{% if subject == \"Журнал не открывается\" %}{{ 1 // 0 }}{% else %}Fine.{% endif %}";
    let folder = Path::new("letters");
    let own = Wording::with_overrides(
        &[(folder.join("ru/registered.txt"), text.to_owned())],
        folder,
    )
    .unwrap();
    let registered = notice(Template::Registered, Locale::Ru, told(Locale::Ru));
    assert_eq!(say_by(&own, &registered, None), say(&registered, None));
    let other = notice(
        Template::Registered,
        Locale::Ru,
        Tells {
            subject: "x".into(),
            ..told(Locale::Ru)
        },
    );
    assert_eq!(say_by(&own, &other, None).text, "Fine.\n");
}

/// R10: the words asked for are words that the desk takes.
#[test]
fn the_word_to_reply_with_is_the_desks_own() {
    for locale in [Locale::Ru, Locale::En] {
        let tells = occasions(Template::OrderToConfirm, locale).remove(0);
        let voice = Voice {
            desk_name: "Desk",
            desk_address: "support@desk.example",
            zone: chrono_tz::UTC,
            confirm: &["Согласовано".to_owned()],
            decline: &["Отказ".to_owned()],
            approve: &[],
            disapprove: &[],
            reply_to: None,
        };
        let text = Wording::built_in()
            .say(&notice(Template::OrderToConfirm, locale, tells), &voice)
            .text;
        assert!(
            text.contains("Согласовано") && text.contains("Отказ"),
            "{text}"
        );
        assert!(
            !text.contains("Подтверждаю") && !text.contains("Confirm\u{201d}"),
            "{text}"
        );
    }
}

/// The built-in files pass the check that an admin's copies of them would.
#[test]
fn the_built_in_letters_pass_the_check() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/letters");
    let mut sources = vec![];
    for language in ["ru", "en"] {
        for entry in std::fs::read_dir(root.join(language)).unwrap() {
            let path = entry.unwrap().path();
            sources.push((path.clone(), std::fs::read_to_string(path).unwrap()));
        }
    }
    // Each template and the three parts that they share, in two languages.
    assert_eq!(sources.len(), 2 * (Template::ALL.len() + 3));
    let faults = Wording::with_overrides(&sources, &root).err();
    assert_eq!(faults, None);
}

/// Whoever asks for the commands is told all of them.
#[test]
fn every_command_is_explained() {
    for locale in [Locale::Ru, Locale::En] {
        let all = occasions(Template::Transcript, locale);
        let asked = |t: &&Tells| t.transcript.as_ref().is_some_and(|t| t.help);
        let help = all.iter().find(asked).unwrap().clone();
        let said = say(&notice(Template::Transcript, locale, help), None);
        for verb in Verb::all() {
            let name = verb.name(locale);
            assert!(said.text.contains(name), "{locale:?} lacks {name}");
        }
    }
}
