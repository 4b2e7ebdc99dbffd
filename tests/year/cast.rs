//! Who writes in the simulated year, and the desk they write to.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub(crate) const CUSTOMERS: usize = 50;
pub(crate) const SPECIALISTS: [&str; 3] = [
    "anna@desk.example",
    "boris@desk.example",
    "vera@desk.example",
];
pub(crate) const APPROVERS: [&str; 2] = ["grigory@ministry.example", "darya@ministry.example"];
pub(crate) const DEVELOPER: &str = "egor@makers.example";

/// What a person truly is, whatever their letters claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Additional,
    Colleague,
    Stranger,
    Specialist,
    Approver,
    Developer,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) role: Role,
    pub(crate) address: String,
    /// Index of the customer.
    pub(crate) customer: Option<usize>,
}

/// A customer's installations: every fifth has two.
pub(crate) fn installations(customer: usize) -> Vec<String> {
    let count = if customer.is_multiple_of(5) { 2 } else { 1 };
    (0..count).map(|i| format!("c{customer}-i{i}")).collect()
}

pub(crate) fn people() -> Vec<Person> {
    let mut people = Vec::new();
    for c in 0..CUSTOMERS {
        let mut add = |role, local: &str| {
            people.push(Person {
                role,
                address: format!("{local}@c{c}.example"),
                customer: Some(c),
            });
        };
        add(Role::Primary, "primary");
        if c % 7 != 0 {
            add(Role::Additional, "additional");
        }
        add(Role::Colleague, "colleague");
    }
    let mut add = |role, address: &str| {
        people.push(Person {
            role,
            address: address.to_owned(),
            customer: None,
        });
    };
    for s in SPECIALISTS {
        add(Role::Specialist, s);
    }
    for a in APPROVERS {
        add(Role::Approver, a);
    }
    add(Role::Developer, DEVELOPER);
    for s in 0..20 {
        add(Role::Stranger, &format!("stranger{s}@elsewhere{s}.example"));
    }
    people
}

const MAIN: &str = r#"
[desk]
name = "Ситуационный центр"
address = "support@desk.example"
locale = "ru"
timezone = "Asia/Yekaterinburg"
secret_file = "secret"
[store]
url = "sqlite://desk.db"
[hours]
monday = ["09:00-12:30", "13:30-17:00"]
tuesday = ["09:00-12:30", "13:30-17:00"]
wednesday = ["09:00-12:30", "13:30-17:00"]
thursday = ["09:00-12:30", "13:30-17:00"]
friday = ["09:00-12:30", "13:30-16:00"]
[calendar]
production_calendar = "ru"
[kinds]
fault_patterns = ['сломал']
improvement_patterns = ['улучшить']
[limits]
letters_per_hour = 1000
requests_per_hour = 1000
request_letters_per_hour = 1000
same_text_per_hour = 1000
outsider_letters_per_hour = 1000
alerts_per_hour = 1000
[[mailbox]]
name = "support"
maildir = "inbox"
strangers = "refuse"
authserv_ids = ["mx.desk.example"]
[[mailbox]]
name = "open"
maildir = "open"
strangers = "accept-questions"
authserv_ids = ["mx.desk.example"]
[smtp]
folder = "outbox"
"#;

/// Writes the desk's configuration; gives the main file.
pub(crate) fn write(dir: &Path) -> PathBuf {
    std::fs::create_dir_all(dir.join("customers")).unwrap();
    let mut main = MAIN.to_owned();
    for (i, email) in SPECIALISTS.iter().enumerate() {
        writeln!(
            main,
            "[[specialist]]\nname = \"Специалист {i}\"\nemail = \"{email}\""
        )
        .unwrap();
    }
    for (i, email) in APPROVERS.iter().enumerate() {
        writeln!(
            main,
            "[[approver]]\nname = \"Куратор {i}\"\nemail = \"{email}\"\ntypes = [\"fault\", \"improvement\", \"extension\"]"
        )
        .unwrap();
    }
    writeln!(
        main,
        "[[developer]]\nname = \"Разработчик\"\nemail = \"{DEVELOPER}\""
    )
    .unwrap();
    std::fs::write(dir.join("postdesk.toml"), main).unwrap();
    for c in 0..CUSTOMERS {
        let orders = if c % 11 == 0 {
            "confirmation"
        } else {
            "domain"
        };
        let mut text = format!(
            "name = \"Школа {c}\"\ndomains = [\"c{c}.example\"]\norders_require = \"{orders}\"\n"
        );
        for id in installations(c) {
            writeln!(
                text,
                "[[installation]]\nid = \"{id}\"\nname = \"Система {id}\"\ntags = [\"[{id}]\"]"
            )
            .unwrap();
            let mut add = |role: &str, local: &str| {
                writeln!(
                    text,
                    "[[installation.representative]]\nrole = \"{role}\"\nname = \"{role} {c}\"\nemail = \"{local}@c{c}.example\"\n\
                     phone = \"+7 900 000-00-{c:02}\"\nsince = 2026-01-01"
                )
                .unwrap();
            };
            add("primary", "primary");
            if c % 7 != 0 {
                add("additional", "additional");
            }
        }
        std::fs::write(dir.join(format!("customers/c{c}.toml")), text).unwrap();
    }
    let secret = "1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    std::fs::write(dir.join("secret"), secret).unwrap();
    std::fs::set_permissions(dir.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    dir.join("postdesk.toml")
}
