//! What a configuration that holds comes to: the shipped one, the example that others rely on, the environment, files beside it, what `check` prints.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use postdesk::cli::check::effective;
use postdesk::config::load::{Loaded, load};
use postdesk::config::{After, CourierConfig, ImapConfig, Source, Start, Tls};
use postdesk::desk::address::Address;
use postdesk::desk::calendar::Interval;
use postdesk::desk::people::{Locale, OrdersRequire, Role, Standing};
use postdesk::desk::policy::{Authentication, Deadlines, OrdersFromAdditional, Strangers};
use postdesk::desk::request::{Kind, Type};
use tempfile::TempDir;

const SHIPPED: &str = include_str!("../config/postdesk.toml");
const SHIPPED_CUSTOMER: &str = include_str!("../config/customers/raduga.toml");

const SMALL: &str = r#"
[desk]
name = "Desk"
address = "support@desk.example"
timezone = "Europe/Moscow"
[hours]
monday = ["09:00-17:00"]
[[mailbox]]
name = "support"
maildir = "var/inbox"
authserv_ids = ["mx.desk.example"]
[smtp]
folder = "var/outbox"
[[specialist]]
name = "Петрова Ольга Сергеевна"
email = "petrova@desk.example"
"#;

fn now() -> DateTime<Utc> {
    "2026-08-21T09:00:00Z".parse().unwrap()
}

/// A folder with a configuration, its secret and its passwords.
fn folder(main: &str, customers: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    put("postdesk.toml", main);
    put("secret", &format!("a {}\n", "0123456789abcdef".repeat(4)));
    put("imap-password", "imap hunter2\n");
    put("smtp-password", "smtp hunter2\r\n");
    for name in ["secret", "imap-password", "smtp-password"] {
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(folder.path().join(name), mode).unwrap();
    }
    fs::create_dir(folder.path().join("customers")).unwrap();
    for (name, text) in customers {
        put(&format!("customers/{name}"), text);
    }
    folder
}

fn loaded_with(folder: &TempDir, env: &[(&str, &str)]) -> Loaded {
    let env = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    load(&folder.path().join("postdesk.toml"), env, now()).unwrap_or_else(|f| panic!("{f}"))
}

fn loaded(folder: &TempDir) -> Loaded {
    loaded_with(folder, &[])
}

/// The manual with every optional key set, and the keys that stand behind `# or: `, by their section.
fn uncommented(text: &str) -> (String, BTreeSet<(String, String)>) {
    let key = regex::Regex::new(r#"^"?[\w-]+"? = "#).unwrap();
    let header = regex::Regex::new(r"^\[+[\w.]+\]+$").unwrap();
    let mut whole = String::new();
    let mut keys = BTreeSet::new();
    let mut section = String::new();
    for line in text.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        let other = line.strip_prefix("# or: ");
        if header.is_match(bare) {
            section = bare.to_owned();
        }
        if key.is_match(other.unwrap_or(bare)) {
            let name = other.unwrap_or(bare).split(" = ").next().unwrap();
            keys.insert((section.clone(), name.to_owned()));
        }
        let set = key.is_match(bare) || header.is_match(bare);
        whole.push_str(if set { bare } else { line });
        whole.push('\n');
    }
    (whole, keys)
}

fn authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::<String>::new())
        .unwrap()
        .self_signed(&key);
    certificate.unwrap().pem()
}

#[test]
fn the_shipped_configuration_names_every_key_and_holds_with_all_of_them_set() {
    let (main, mut keys) = uncommented(SHIPPED);
    let (customer, customer_keys) = uncommented(SHIPPED_CUSTOMER);
    keys.extend(customer_keys);
    let folder = folder(&main, &[("raduga.toml", &customer)]);
    fs::write(folder.path().join("ca.pem"), authority()).unwrap();
    fs::create_dir(folder.path().join("letters")).unwrap();
    fs::create_dir(folder.path().join("anchors")).unwrap();
    fs::write(folder.path().join("anchors/ca.pem"), authority()).unwrap();
    let loaded = loaded(&folder);
    let messages: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "{}", messages.join("\n"));
    let mut missing = Vec::new();
    let mut count = 0;
    for (kind, known) in loaded.overview.keys() {
        for key in known {
            let section = match *kind {
                "the main file" => continue,
                "a customer's file" => "",
                other => other,
            };
            let is_section = ["installation", "representative", "days"].contains(key);
            if !is_section && !keys.contains(&(section.to_owned(), (*key).to_owned())) {
                missing.push(format!("{kind} {key}"));
            }
            count += 1;
        }
    }
    assert!(missing.is_empty(), "not in the manual: {missing:?}");
    assert!(count > 80, "only {count} keys were asked for");
    // Sections that stand in the main file must do so in the manual as well.
    for section in &loaded.overview.keys()["the main file"] {
        assert!(main.contains(&format!("[{section}]")), "{section}");
    }
}

#[test]
fn the_shipped_configuration_states_the_defaults_that_hold() {
    let customer = ("raduga.toml", SHIPPED_CUSTOMER);
    let loaded = loaded(&folder(SHIPPED, &[customer]));
    let mut section = String::new();
    let mut defaults = 0;
    for line in loaded.overview.render().lines() {
        if line.starts_with('[') || line.starts_with("## ") {
            section = line.to_owned();
        }
        let Some(pair) = line.strip_suffix("# default") else {
            continue;
        };
        let written = format!("#{}", pair.trim_end());
        let stands = |text: &str| text.lines().any(|l| l == written);
        assert!(
            stands(SHIPPED) || stands(SHIPPED_CUSTOMER),
            "{section}: the manual does not say {written}"
        );
        defaults += 1;
    }
    assert!(defaults > 20, "{defaults}");
}

#[test]
fn every_shipped_customer_holds() {
    let parus = include_str!("../config/customers/parus.toml");
    let customers = [("raduga.toml", SHIPPED_CUSTOMER), ("parus.toml", parus)];
    let loaded = loaded(&folder(SHIPPED, &customers));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let directory = &loaded.config.desk.directory;
    assert_eq!(directory.customers().len(), 2);
    let parus = directory.customer("parus").unwrap();
    assert_eq!(parus.locale, Some(Locale::En));
    assert_eq!(parus.orders_require, OrdersRequire::Confirmation);
    let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
    let helen = Address::new("HELEN@parus.example").unwrap();
    let Standing::Representative(appointments) = directory.standing(&helen, day) else {
        panic!("Helen is a representative");
    };
    let roles: Vec<Role> = appointments.iter().map(|a| a.person.role).collect();
    assert_eq!(roles, [Role::Primary, Role::Additional]);
}

/// The example that other programs and people rely on, word for word.
const EXAMPLE: &str = r#"
# postdesk.toml
[desk]
name = "Ситуационный центр"
address = "support@desk.example"        # people write here, letters come from here
locale = "ru"                            # ru | en
timezone = "Asia/Yekaterinburg"
secret_file = "secret"                   # keys of tokens; made by `postdesk init`

[store]
url = "sqlite://var/postdesk.db"         # or postgres://…

[hours]                                   # lunch is the gap; a day not named is off
monday = ["09:00-12:30", "13:30-17:00"]
friday = ["09:00-12:30", "13:30-16:00"]

[calendar]
production_calendar = "ru"               # bundled, or a file, or "none"
[calendar.days]
"2026-12-30" = "off"                      # off | short | working | ["09:00-12:00"]

[deadlines]                               # working days
answer = 5
warn_before = 1

[[mailbox]]
name = "support"
host = "imap.desk.example"
port = 993
tls = "implicit"                          # implicit | starttls | none (loopback addresses only)
username = "support"
password_file = "imap-password"           # or password_command, or oauth2 = {…}
folder = "INBOX"
start = "now"                             # first start: now (only what arrives from here on; the log says how much is older) | beginning | a date
after = "keep"                            # keep | seen | "move:Processed"
strangers = "refuse"                      # refuse | accept-questions | hold | ignore
default_kind = "question"                 # question | order
authentication = "orders"                 # required | orders | off
authserv_ids = ["mx.desk.example"]
# instead of host…: maildir = "var/inbox"   # a Maildir that an MTA, getmail or fetchmail fills; also what `demo` uses

[smtp]
host = "smtp.desk.example"
port = 465
tls = "implicit"                          # implicit | starttls | none (loopback addresses only)
username = "support"
password_file = "smtp-password"

# instead of host…: folder = "var/outbox"   # letters as files, for trying out

[[specialist]]
name = "Петрова Ольга Сергеевна"
email = "petrova@desk.example"

[[approver]]
name = "Соколов Андрей Викторович"
email = "sokolov@operator.example"
types = ["fault", "improvement"]
"#;

const EXAMPLE_CUSTOMER: &str = r#"
name = "МАУ ДО «Радуга»"
domains = ["raduga.example"]
official_addresses = ["director@raduga.example"]
contract = "№ 17 от 12.01.2026"

[[installation]]
id = "raduga-moodle"
name = "СЭО 3KL"

[[installation.representative]]
role = "primary"                          # primary | additional | contract
name = "Иванова Мария Петровна"
email = "maria@raduga.example"
phone = "+7 900 000-00-00"
since = 2026-01-01                        # until = 2026-12-31 optional
"#;

#[test]
fn the_example_that_others_rely_on_comes_to_what_it_says() {
    let folder = folder(EXAMPLE, &[("raduga.toml", EXAMPLE_CUSTOMER)]);
    let Loaded {
        config, warnings, ..
    } = loaded(&folder);
    assert!(warnings.is_empty(), "{warnings:?}");
    let desk = &config.desk;
    assert_eq!(desk.name, "Ситуационный центр");
    assert_eq!(desk.address.to_string(), "support@desk.example");
    assert_eq!(desk.calendar.zone(), chrono_tz::Asia::Yekaterinburg);
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    // A Friday; a Tuesday, which is not named; a Monday on which Russia rests; a day of the desk's own.
    let friday = ["09:00-12:30", "13:30-16:00"].map(|t| Interval::read(t).unwrap());
    assert_eq!(desk.calendar.intervals(day(2026, 8, 21)), friday);
    assert!(!desk.calendar.is_working(day(2026, 8, 25)));
    assert!(!desk.calendar.is_working(day(2026, 3, 9)));
    assert_eq!(
        desk.deadlines,
        Deadlines {
            answer: 5,
            warn_before: 1,
            confirm: 5,
            remind_confirm: 3,
            remind_information: 5,
            close_unanswered: 10,
            close_resolved: 3,
            reopen: 10,
            remind_consent: 2,
            paper_original: 5,
        }
    );
    assert_eq!(desk.orders_from_additional, OrdersFromAdditional::Question);
    assert!(desk.acknowledge_queued && desk.redirect.name_primary);
    assert!(!desk.plus_addressing && !desk.redirect.forward);
    assert_eq!(desk.limits.letters_per_hour, 60);
    assert_eq!(desk.limits.refusals_per_day, 1);
    assert_eq!(desk.kinds.order_markers, ["Поручение", "Заявка", "Order"]);
    assert_eq!(desk.words.confirm, ["Подтверждаю", "Confirm"]);
    assert_eq!(
        desk.directory.approvers()[0].types,
        [Type::Fault, Type::Improvement]
    );
    let mailbox = &config.mailboxes[0];
    assert_eq!(mailbox.policy.strangers, Strangers::Refuse);
    assert_eq!(mailbox.policy.authentication, Authentication::Orders);
    assert_eq!(mailbox.policy.default_kind, Kind::Question);
    assert_eq!(mailbox.witness.ids(), ["mx.desk.example"]);
    let imap = imap(&config.mailboxes[0].source);
    assert_eq!(
        (imap.endpoint.port, imap.endpoint.tls),
        (993, Tls::Implicit)
    );
    assert_eq!(imap.login.password.reveal(), "imap hunter2");
    assert_eq!((imap.start, &imap.after), (Start::Now, &After::Keep));
    assert_eq!(imap.poll, Duration::from_secs(60));
    let CourierConfig::Smtp {
        login, connections, ..
    } = &config.courier
    else {
        panic!("a server");
    };
    assert_eq!(login.as_ref().unwrap().password.reveal(), "smtp hunter2");
    assert_eq!(*connections, 2);
    let database = folder.path().join("var/postdesk.db");
    assert_eq!(config.store_url, format!("sqlite://{}", database.display()));
    assert!(!format!("{config:?}").contains("hunter2"));
}

fn imap(source: &Source) -> &ImapConfig {
    match source {
        Source::Imap(imap) => imap,
        Source::Maildir(folder) => panic!("{folder:?}"),
    }
}

#[test]
fn the_least_that_holds_is_small() {
    let folder = folder(SMALL, &[("raduga.toml", EXAMPLE_CUSTOMER)]);
    let config = loaded(&folder).config;
    let Source::Maildir(inbox) = &config.mailboxes[0].source else {
        panic!("a Maildir");
    };
    assert_eq!(*inbox, folder.path().join("var/inbox"));
    let CourierConfig::Folder(outbox) = &config.courier else {
        panic!("a folder");
    };
    assert_eq!(*outbox, folder.path().join("var/outbox"));
    // The Russian calendar is a Russian desk's default, and nobody else's: 9 March 2026 is a Monday.
    let monday = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap();
    assert!(!config.desk.calendar.is_working(monday));
    let english = loaded_with(&folder, &[("POSTDESK__DESK__LOCALE", "en")]).config;
    assert!(english.desk.calendar.is_working(monday));
}

#[test]
fn the_environment_overrides_keys_of_every_type() {
    let customer = ("raduga.toml", EXAMPLE_CUSTOMER);
    let folder = folder(EXAMPLE, &[customer]);
    let env = [
        ("POSTDESK__DESK__NAME", "7"),
        ("POSTDESK__DESK__PLUS_ADDRESSING", "true"),
        ("POSTDESK__DEADLINES__ANSWER", "3"),
        (
            "POSTDESK__STORE__URL",
            "postgres://desk:hunter2@db.example/desk",
        ),
        ("POSTDESK__MAILBOX__SUPPORT__HOST", "127.0.0.1"),
        ("POSTDESK__MAILBOX__SUPPORT__TLS", "none"),
        ("POSTDESK__MAILBOX__SUPPORT__START", "2026-03-01"),
        ("POSTDESK__MAILBOX__SUPPORT__AUTHSERV_IDS", "[\"a\", \"b\"]"),
        ("POSTDESK__LIMITS__LETTERS_PER_HOUR", "5"),
        ("POSTDESK__CALENDAR__DAYS__2026-08-21", "off"),
        ("POSTDESK_LOG", "debug"),
        ("LANG", "C"),
    ];
    let loaded = loaded_with(&folder, &env);
    let config = &loaded.config;
    assert_eq!(config.desk.name, "7");
    assert!(config.desk.plus_addressing);
    assert_eq!(config.desk.deadlines.answer, 3);
    assert_eq!(config.desk.limits.letters_per_hour, 5);
    assert!(config.store_url.contains("hunter2"));
    assert_eq!(config.mailboxes[0].witness.ids(), ["a", "b"]);
    let friday = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
    assert!(!config.desk.calendar.is_working(friday));
    let imap = imap(&config.mailboxes[0].source);
    assert_eq!(imap.endpoint.host, "127.0.0.1");
    assert_eq!(imap.endpoint.tls, Tls::None);
    assert_eq!(
        imap.start,
        Start::Since(NaiveDate::from_ymd_opt(2026, 3, 1).unwrap())
    );
    let shown = effective(&loaded, false);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("# environment:"), "{shown}");
}

#[test]
fn check_prints_every_value_with_its_line_and_no_secret() {
    let folder = folder(EXAMPLE, &[("raduga.toml", EXAMPLE_CUSTOMER)]);
    let shown = effective(&loaded(&folder), false);
    let shown = shown.replace(&format!("{}/", folder.path().display()), "");
    assert!(!shown.contains("hunter2"), "{shown}");
    let lines: BTreeMap<&str, &str> = shown
        .lines()
        .filter_map(|l| l.split_once("  # "))
        .map(|(pair, from)| (pair.trim_end(), from))
        .collect();
    assert_eq!(lines["locale = \"ru\""], "postdesk.toml:6");
    assert_eq!(lines["confirm = 5"], "default");
    assert_eq!(
        lines["phone = \"+7 900 000-00-00\""],
        "customers/raduga.toml:15"
    );
    assert_eq!(lines["\"2026-12-30\" = \"off\""], "postdesk.toml:20");
    assert!(shown.contains("password = \"***\""), "{shown}");
    assert!(shown.ends_with("mailboxes 1, customers 1, installations 1, warnings 0\n"));
}

#[test]
fn a_password_may_come_from_a_command_or_from_systemd() {
    let main = EXAMPLE
        .replace(
            "password_file = \"imap-password\"",
            "password_command = [\"printf\", \"said\\\\n\"]",
        )
        .replace("password_file = \"smtp-password\"", "credential = \"smtp\"");
    let folder = folder(&main, &[("raduga.toml", EXAMPLE_CUSTOMER)]);
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("smtp"), "given").unwrap();
    let path = credentials.path().display().to_string();
    let config = loaded_with(&folder, &[("CREDENTIALS_DIRECTORY", &path)]).config;
    let imap = imap(&config.mailboxes[0].source);
    assert_eq!(imap.login.password.reveal(), "said");
    let CourierConfig::Smtp { login, .. } = &config.courier else {
        panic!("a server");
    };
    assert_eq!(login.as_ref().unwrap().password.reveal(), "given");
}

#[test]
fn only_toml_files_of_customers_count_and_editors_copies_do_not() {
    let customers = [
        ("raduga.toml", EXAMPLE_CUSTOMER),
        (".raduga.toml", "broken"),
        ("raduga.toml~", "broken"),
        ("raduga.toml.dpkg-old", "broken"),
        ("README", "broken"),
    ];
    let config = loaded(&folder(EXAMPLE, &customers)).config;
    let ids: Vec<&str> = config
        .desk
        .directory
        .customers()
        .iter()
        .map(|c| c.id.as_str())
        .collect();
    assert_eq!(ids, ["raduga"]);
}

#[test]
fn ports_follow_the_protection_and_smtp_on_loopback_needs_no_name() {
    let main = EXAMPLE
        .replace("port = 993\n", "")
        .replace("port = 465\n", "")
        .replace("tls = \"implicit\"", "tls = \"starttls\"")
        .replace("smtp.desk.example", "localhost")
        .replace(
            "username = \"support\"\npassword_file = \"smtp-password\"",
            "",
        )
        .replace("start = \"now\"", "start = 2026-01-31")
        .replace("after = \"keep\"", "after = \"move:Processed\"");
    let config = loaded(&folder(&main, &[("raduga.toml", EXAMPLE_CUSTOMER)])).config;
    let imap = imap(&config.mailboxes[0].source);
    assert_eq!(
        (imap.endpoint.port, imap.endpoint.tls),
        (143, Tls::StartTls)
    );
    assert_eq!(
        imap.start,
        Start::Since(NaiveDate::from_ymd_opt(2026, 1, 31).unwrap())
    );
    assert_eq!(imap.after, After::Move("Processed".into()));
    let CourierConfig::Smtp {
        endpoint, login, ..
    } = &config.courier
    else {
        panic!("a server");
    };
    assert_eq!(endpoint.port, 587);
    assert!(login.is_none());
}

#[test]
fn what_windows_writes_is_read() {
    let main = format!("\u{feff}{}", EXAMPLE.replace('\n', "\r\n"));
    let config = loaded(&folder(&main, &[("raduga.toml", EXAMPLE_CUSTOMER)])).config;
    assert_eq!(config.desk.name, "Ситуационный центр");
}

#[test]
fn one_person_may_change_sides_and_the_desk_may_lend_its_own() {
    let parus = EXAMPLE_CUSTOMER
        .replace("raduga", "parus")
        .replace("maria@parus.example", "maria@raduga.example")
        .replace("since = 2026-01-01", "since = 2026-07-01");
    let raduga = EXAMPLE_CUSTOMER.replace(
        "since = 2026-01-01",
        "since = 2026-01-01\nuntil = 2026-06-30",
    ) + "[[installation.representative]]\nrole = \"primary\"\nname = \"Петрова Ольга Сергеевна\"\nemail = \"petrova@desk.example\"\nsince = 2026-07-01\n";
    let customers = [("raduga.toml", raduga.as_str()), ("parus.toml", &parus)];
    let loaded = loaded(&folder(EXAMPLE, &customers));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn a_database_in_a_folder_with_odd_characters_keeps_its_path() {
    let outer = tempfile::tempdir().unwrap();
    let odd = outer.path().join("50% who? #1");
    fs::create_dir(&odd).unwrap();
    let source = folder(SMALL, &[]);
    for name in ["postdesk.toml", "secret"] {
        fs::copy(source.path().join(name), odd.join(name)).unwrap();
    }
    let config = load(&odd.join("postdesk.toml"), [], now()).unwrap().config;
    assert!(
        config
            .store_url
            .ends_with("/50%25 who%3F %231/var/postdesk.db"),
        "{}",
        config.store_url
    );
}
