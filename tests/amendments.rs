//! The desk's own pen (R30, R32): an amendment to a customer's file comes out as it was meant, leaves every other line alone, and is written whole or not at all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{DateTime, NaiveDate, Utc};
use postdesk::config::amend::{Amended, Refusal, amend};
use postdesk::config::load::load;
use postdesk::desk::address::Address;
use postdesk::desk::amendment::{Amendment, Person, Unfit};
use postdesk::desk::people::{Customer, Role};
use proptest::prelude::*;
use tempfile::TempDir;

const MAIN: &str = r#"
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

const SHIPPED: &str = include_str!("../config/customers/raduga.toml");

fn now() -> DateTime<Utc> {
    "2026-08-21T09:00:00Z".parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    Address::new(text).unwrap()
}

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(customer: &str) -> Self {
        Self::with_main(MAIN, customer)
    }

    fn with_main(main: &str, customer: &str) -> Self {
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(desk.main(), main).unwrap();
        let secret = desk.folder.path().join("secret");
        fs::write(&secret, format!("a {}\n", "0123456789abcdef".repeat(4))).unwrap();
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
        fs::create_dir(desk.folder.path().join("customers")).unwrap();
        fs::write(desk.file(), customer).unwrap();
        desk
    }

    fn main(&self) -> PathBuf {
        self.folder.path().join("postdesk.toml")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("customers/raduga.toml")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap()
    }

    fn customer(&self) -> Customer {
        let loaded =
            load(&self.main(), [], now()).unwrap_or_else(|f| panic!("{f}\n{}", self.text()));
        loaded
            .config
            .desk
            .directory
            .customer("raduga")
            .unwrap()
            .clone()
    }

    fn amend(&self, amendment: &Amendment) -> Result<Amended, Refusal> {
        amend(&self.main(), "raduga", amendment, [], now())
    }

    /// Amends, and sees that the file says what was meant, that every old line is there but for `replaced`, and that once is enough.
    fn amended(&self, amendment: &Amendment, replaced: &[&str]) -> String {
        let (before, old) = (self.text(), self.customer());
        let done = self
            .amend(amendment)
            .unwrap_or_else(|r| panic!("{r}\n{before}"));
        assert_eq!(done, Amended::Written(self.file()));
        let after = self.text();
        assert_eq!(self.customer(), amendment.applied(&old).unwrap(), "{after}");
        let mut lines = after.split_inclusive('\n');
        for line in before.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\r', '\n']);
            if !replaced.iter().any(|r| bare.contains(r)) {
                let there = lines.any(|l| {
                    l == line || l.trim_end_matches(['\r', '\n']) == bare && !line.ends_with('\n')
                });
                assert!(there, "{line:?} is lost in\n{after}");
            }
        }
        assert_eq!(self.amend(amendment).unwrap(), Amended::Already);
        assert_eq!(self.text(), after);
        let names: Vec<_> = fs::read_dir(self.folder.path().join("customers"))
            .unwrap()
            .collect();
        assert_eq!(names.len(), 1, "something is left behind: {names:?}");
        after
    }
}

fn anna() -> Person {
    Person {
        name: "Котова «Анна» \"Ю.\"".to_owned(),
        address: address("anna@raduga.example"),
        phone: Some("+7 900 000-00-09".to_owned()),
    }
}

fn succeed() -> Amendment {
    Amendment::Succeed {
        installation: "raduga-moodle".to_owned(),
        role: Role::Primary,
        successor: anna(),
        from: day("2026-09-07"),
        ends: address("maria@raduga.example"),
    }
}

fn contact(address_: Option<&str>, phone: Option<&str>) -> Amendment {
    Amendment::Contact {
        installations: vec![],
        address: address("maria@raduga.example"),
        new_address: address_.map(address),
        new_phone: phone.map(str::to_owned),
        from: day("2026-09-07"),
    }
}

#[test]
fn a_successor_is_written_into_the_shipped_example() {
    let desk = Desk::new(SHIPPED);
    let after = desk.amended(&succeed(), &[]);
    let wanted = "since = 2026-01-01\nuntil = 2026-09-06\n#until = 2026-12-31\n\n[[installation.representative]]\nrole = \"primary\"\nname = 'Котова «Анна» \"Ю.\"'\nemail = \"anna@raduga.example\"\nphone = \"+7 900 000-00-09\"\nsince = 2026-09-07\n\n[[installation.representative]]\nrole = \"additional\"\n";
    assert!(after.contains(wanted), "{after}");
}

const INLINE: &str = "\
name = \"Радуга\" # the customer
installation = [
  # the first one
  { id = \"raduga-moodle\", name = \"СЭО\", representative = [
    { role = \"primary\", name = \"Иванова\", email = \"maria@raduga.example\", since = 2026-01-01 }, # Maria
    { role = \"additional\", name = \"Смирнов\", email = \"oleg@raduga.example\", since = 2026-01-01 },
  ] },
  { id = \"raduga-two\", name = \"Два\", representative = [{ role = \"primary\", name = \"Иванова\", email = \"maria@raduga.example\", since = \"2026-01-01\", until = \"2026-12-31\" }] },
  { id = \"raduga-three\", name = \"Три\" },
  { id = \"raduga-four\", name = \"Четыре\", representative = [] },
]
";

const HEADERS: &str = "\
name = \"Радуга\"

[[installation]]
id = \"raduga-moodle\"
name = \"СЭО\"

  [[installation.representative]]
  email = \"maria@raduga.example\" # her only address
  role = \"primary\"
  since = 2026-01-01 # from the first day
  name = \"Иванова\"
# A comment of the next one.
  [[installation.representative]]
  role = \"additional\"
  name = '''Смирнов'''
  email = \"oleg@raduga.example\"
  since = \"2026-01-01\"

[[installation]]
id = \"raduga-two\"
name = \"Два\"
[[installation.representative]]
role = \"primary\"
name = \"Иванова\"
email = \"maria@raduga.example\"
phone = \"+7 900\"
until = \"2026-12-31\" # the contract
since = 2026-01-01

[[installation]]
id = \"raduga-three\"
name = \"Три\"
# Nobody yet.";

/// The same text in other clothes.
fn clothes(text: &str) -> Vec<String> {
    let crlf = text.replace('\n', "\r\n");
    let mut all = vec![
        text.to_owned(),
        text.trim_end().to_owned(),
        crlf.trim_end().to_owned(),
        crlf,
    ];
    all.extend(
        all.clone()
            .into_iter()
            .map(|text| format!("\u{feff}{text}")),
    );
    all
}

#[test]
fn every_form_of_a_file_is_amended_in_its_own_form() {
    for form in [INLINE, HEADERS] {
        for text in clothes(form) {
            let inline = form == INLINE;
            let maria = if inline {
                &["Maria", "raduga-two", "first one"][..]
            } else {
                &["\"2026-12-31\""]
            };
            let after = Desk::new(&text).amended(&succeed(), maria);
            assert_eq!(after.starts_with('\u{feff}'), text.starts_with('\u{feff}'));
            assert_eq!(after.ends_with('\n'), text.ends_with('\n'), "{after:?}");
            let ends = |t: &str| (t.matches("\r\n").count(), t.matches('\n').count());
            let (crlf, lf) = ends(&after);
            assert!(crlf == 0 || crlf == lf, "{after:?}");
            assert_eq!(crlf > 0, ends(&text).0 > 0);

            let after =
                Desk::new(&text).amended(&contact(Some("m.ivanova@raduga.example"), None), maria);
            assert_eq!(after.matches("m.ivanova@raduga.example").count(), 2);
            // Who was to leave at the end of the year still does.
            assert!(after.contains("until = 2026-12-31"), "{after}");
            let phone = if inline { maria } else { &["+7 900"] };
            let after = Desk::new(&text).amended(&contact(None, Some("+7 911")), phone);
            assert_eq!(after.matches("+7 911").count(), 2);
            let dismiss = Amendment::Dismiss {
                installation: "raduga-moodle".to_owned(),
                role: Role::Additional,
                address: address("oleg@raduga.example"),
                last: day("2026-09-30"),
            };
            Desk::new(&text).amended(&dismiss, if inline { &["oleg@"] } else { &[] });
            for id in ["raduga-moodle", "raduga-three", "raduga-four"] {
                let appoint = Amendment::Appoint {
                    installation: id.to_owned(),
                    role: if id == "raduga-moodle" {
                        Role::Additional
                    } else {
                        Role::Primary
                    },
                    person: anna(),
                    from: day("2026-09-07"),
                };
                if text.contains(id) {
                    let touched = if inline {
                        &["oleg@", "raduga-three", "raduga-four"][..]
                    } else {
                        &[]
                    };
                    Desk::new(&text).amended(&appoint, touched);
                }
            }
        }
    }
}

#[test]
fn what_would_be_wrong_is_not_written() {
    let desk = Desk::new(SHIPPED);
    let text = desk.text();
    let second = Amendment::Appoint {
        installation: "raduga-moodle".to_owned(),
        role: Role::Primary,
        person: anna(),
        from: day("2026-09-07"),
    };
    let refused = desk.amend(&second).unwrap_err();
    assert!(
        matches!(&refused, Refusal::Faults(f) if f.to_string().contains("primar")),
        "{refused}"
    );
    let unfit = |amendment: &Amendment| match desk.amend(amendment).unwrap_err() {
        Refusal::Unfit(why) => why,
        other => panic!("{other}"),
    };
    let of = |installation: &str, ends: &str, from: &str| Amendment::Succeed {
        installation: installation.to_owned(),
        role: Role::Primary,
        successor: anna(),
        from: day(from),
        ends: address(ends),
    };
    assert_eq!(
        unfit(&of("elsewhere", "maria@raduga.example", "2026-09-07")),
        Unfit::NoInstallation("elsewhere".to_owned())
    );
    let oleg = "oleg@raduga.example";
    assert_eq!(
        unfit(&of("raduga-moodle", oleg, "2026-09-07")),
        Unfit::NoAppointment(address(oleg))
    );
    assert_eq!(
        unfit(&of("raduga-moodle", "maria@raduga.example", "2026-01-01")),
        Unfit::TooEarly(day("2026-01-01"))
    );
    assert_eq!(unfit(&contact(None, None)), Unfit::Nothing);
    for nobody in ["solnce", "", "../raduga", ".raduga"] {
        let refused = amend(&desk.main(), nobody, &succeed(), [], now()).unwrap_err();
        assert!(matches!(refused, Refusal::NoCustomer(_)), "{refused}");
    }
    fs::write(desk.main(), format!("{MAIN}\n[limits]\nmax_leter = 5\n")).unwrap();
    assert!(matches!(desk.amend(&succeed()), Err(Refusal::Faults(_))));
    assert_eq!(desk.text(), text);
}

#[test]
fn mode_and_owner_stay_and_what_is_no_file_of_ours_is_left_alone() {
    let desk = Desk::new(SHIPPED);
    fs::set_permissions(desk.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let owner = |path: &Path| {
        fs::metadata(path)
            .map(|m| (m.uid(), m.gid(), m.mode() & 0o7777))
            .unwrap()
    };
    let before = owner(&desk.file());
    // What a death left behind doesn't stand in the way.
    fs::write(
        desk.folder.path().join("customers/.raduga.toml.new"),
        "half",
    )
    .unwrap();
    desk.amended(&succeed(), &[]);
    assert_eq!(owner(&desk.file()), before);

    let desk = Desk::new(SHIPPED);
    fs::set_permissions(desk.file(), fs::Permissions::from_mode(0o444)).unwrap();
    let refused = desk.amend(&succeed()).unwrap_err().to_string();
    assert!(
        refused.contains("raduga.toml can't be written: it is read-only"),
        "{refused}"
    );

    let desk = Desk::new(SHIPPED);
    let elsewhere = desk.folder.path().join("elsewhere.toml");
    fs::rename(desk.file(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, desk.file()).unwrap();
    let refused = desk.amend(&succeed()).unwrap_err().to_string();
    assert!(refused.contains("follows no links"), "{refused}");
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), SHIPPED);
}

/// An administrator saves the file while the desk is about to: theirs stays.
#[test]
fn whoever_writes_at_the_same_moment_wins() {
    let mailbox = r#"
[[mailbox]]
name = "remote"
host = "imap.desk.example"
username = "support"
password_command = ["sh", "-c", "cat changed > FILE; echo hunter2"]
strangers = "hold"
authserv_ids = ["mx.desk.example"]
"#;
    let desk = Desk::with_main(MAIN, SHIPPED);
    let changed = desk.folder.path().join("changed");
    fs::write(&changed, format!("{SHIPPED}# edited\n")).unwrap();
    let mailbox = mailbox
        .replace("changed", changed.to_str().unwrap())
        .replace("FILE", desk.file().to_str().unwrap());
    fs::write(desk.main(), format!("{MAIN}{mailbox}")).unwrap();
    let refused = desk.amend(&succeed()).unwrap_err();
    assert!(matches!(refused, Refusal::Changed(_)), "{refused}");
    assert_eq!(desk.text(), format!("{SHIPPED}# edited\n"));
    // The next attempt finds it at rest.
    assert!(matches!(desk.amend(&succeed()), Ok(Amended::Written(_))));
    assert!(desk.text().ends_with("# edited\n"));
}

/// What [`killed_at_any_moment_the_file_is_whole`] kills: amends without end, for as long as it lives.
#[test]
fn a_child_that_amends_without_end() {
    let Ok(main) = std::env::var("POSTDESK_TEST_AMENDS") else {
        return;
    };
    for number in 0_u64.. {
        let phone = contact(None, Some(&format!("+7 {number:06}")));
        amend(Path::new(&main), "raduga", &phone, [], now()).unwrap();
        println!("amended");
    }
}

/// P8: `kill -9` around the write leaves the old file or the new one, and the next amendment goes through.
#[test]
fn killed_at_any_moment_the_file_is_whole() {
    let desk = Desk::new(SHIPPED);
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_that_amends_without_end", "--nocapture"])
            .env("POSTDESK_TEST_AMENDS", desk.main())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|l| l.unwrap().contains("amended")), "it amends");
        // Another moment in each round: so many spins of an empty loop.
        for spin in 0..round * 400_000_u64 {
            std::hint::black_box(spin);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let text = desk.text();
        let (before, rest) = text.split_once("phone = \"+7 ").expect("a whole file");
        assert!(SHIPPED.starts_with(before), "{text}");
        assert!(SHIPPED.ends_with(rest.split_once('"').unwrap().1), "{text}");
        desk.customer();
    }
    desk.amended(&succeed(), &[]);
}

/// A file in one of many forms, with so many people.
fn rendered(
    people: &[(usize, usize, bool, bool)],
    inline: bool,
    crlf: bool,
    indent: usize,
    comments: bool,
) -> String {
    let pad = " ".repeat(indent);
    let mut text = String::from("name = \"Радуга\"\n");
    for (number, installation) in [0, 1].iter().enumerate() {
        text += &format!("\n[[installation]]\nid = \"i{installation}\"\nname = \"№ {number}\"\n");
        let here: Vec<String> = people
            .iter()
            .enumerate()
            .filter(|(_, p)| p.0 == *installation)
            .map(|(at, (_, order, phone, until))| {
                let mut pairs = vec![
                    "role = \"additional\"".to_owned(),
                    format!("name = \"Человек {at}\""),
                    format!("email = \"p{at}@raduga.example\""),
                    "since = 2026-01-01".to_owned(),
                ];
                if *phone {
                    pairs.push("phone = '+7 900'".to_owned());
                }
                if *until {
                    pairs.push("until = 2027-06-30".to_owned());
                }
                let length = pairs.len();
                pairs.rotate_left(order % length);
                if inline {
                    return format!("{pad}{{ {} }}", pairs.join(", "));
                }
                let mark = if comments { " # so it is" } else { "" };
                let lines: String = pairs.iter().map(|p| format!("{pad}{p}{mark}\n")).collect();
                let note = if comments {
                    format!("# about {at}\n")
                } else {
                    String::new()
                };
                format!("{note}{pad}[[installation.representative]]\n{lines}{note}")
            })
            .collect();
        if inline {
            text += &format!("representative = [\n{}\n]\n", here.join(",\n"));
        } else {
            text += &here.join("\n");
        }
    }
    if crlf {
        text.replace('\n', "\r\n")
    } else {
        text
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]
    /// Whatever the form: the amended file is the old one with the amendment, and no line is lost (both are checked by `amended`).
    #[test]
    fn any_file_comes_out_as_meant(
        people in prop::collection::vec((0..2_usize, 0..6_usize, any::<bool>(), any::<bool>()), 1..7),
        (inline, crlf, comments) in any::<(bool, bool, bool)>(),
        indent in 0..5_usize,
        which in 0..7_usize,
        kind in 0..4_usize,
        offset in 1..700_u64,
    ) {
        let desk = Desk::new(&rendered(&people, inline, crlf, indent, comments));
        let at = which % people.len();
        let installation = format!("i{}", people[at].0);
        let who = address(&format!("p{at}@raduga.example"));
        let from = day("2026-01-01") + chrono::Days::new(offset);
        let role = Role::Additional;
        let amendment = match kind {
            0 => Amendment::Succeed { installation, role, successor: anna(), from, ends: who },
            1 => Amendment::Contact { installations: vec![installation], address: who, new_address: Some(address("new@raduga.example")), new_phone: None, from },
            2 => Amendment::Contact { installations: vec![], address: who, new_address: None, new_phone: Some("+7 911".to_owned()), from },
            _ => Amendment::Dismiss { installation, role, address: who, last: from },
        };
        match amendment.steps(&desk.customer()) {
            Ok(steps) if steps.is_empty() => prop_assert_eq!(desk.amend(&amendment).unwrap(), Amended::Already),
            Ok(_) => {
                let replaced = [format!("p{at}@")];
                // In an inline table the person's one line is amended; elsewhere only the lines of what is replaced.
                let replaced: Vec<&str> = if inline { vec![&replaced[0]] } else { vec!["+7 900", "until = 2027-06-30"] };
                desk.amended(&amendment, &replaced);
            }
            Err(_) => prop_assert!(matches!(desk.amend(&amendment), Err(Refusal::Unfit(_)))),
        }
    }
}
