//! The desk's own people: `[[specialist]]`, `[[approver]]` and `[[developer]]`.

use crate::desk::address::Address;
use crate::desk::people::{Approver, Developer, Specialist};
use crate::desk::policy::KindPatterns;
use crate::desk::request::Type;

use super::fault::Fault;
use super::section::Section;
use super::source::{Place, Placed};

/// The desk's people, and where their addresses stand.
#[derive(Debug, Default)]
pub struct Staff {
    /// Who answers.
    pub specialists: Vec<Specialist>,
    /// Who consents.
    pub approvers: Vec<Approver>,
    /// Who develops.
    pub developers: Vec<Developer>,
    /// Every address of theirs.
    pub addresses: Vec<Placed<Address>>,
    /// Every installation that a developer is named for.
    pub developed: Vec<Placed<String>>,
}

/// Reads them; `fold_local` is R5's ⚙.
pub fn staff(root: &Section<'_>, fold_local: bool) -> Staff {
    let mut staff = Staff::default();
    let mut seen: Vec<(String, Place)> = Vec::new();
    for section in root.tables("specialist", "[[specialist]]") {
        if let Some((name, address)) = person(&section) {
            check_once(&section, &address, fold_local, &mut seen);
            staff.addresses.push(address.clone());
            let address = address.value;
            staff.specialists.push(Specialist { name, address });
        }
        section.end();
    }
    if root.has("specialist").is_none() {
        root.reading().fault(
            Fault::warning(root.at(), "there is no [[specialist]]")
                .why("requests will be registered, and nobody will be told of them")
                .todo("add [[specialist]] with name = \"…\" and email = \"…\""),
        );
    }
    seen.clear();
    for section in root.tables("approver", "[[approver]]") {
        let (types, extensions) = types(&section);
        if let Some((name, address)) = person(&section) {
            check_once(&section, &address, fold_local, &mut seen);
            staff.addresses.push(address.clone());
            let address = address.value;
            staff.approvers.push(Approver {
                name,
                address,
                types,
                extensions,
            });
        }
        section.end();
    }
    seen.clear();
    for section in root.tables("developer", "[[developer]]") {
        if let Some((name, address)) = person(&section) {
            check_once(&section, &address, fold_local, &mut seen);
            staff.addresses.push(address.clone());
            let address = address.value;
            let installations = section.texts("installations", &[]);
            staff.developers.push(Developer {
                name,
                address,
                installations: installations.iter().map(|i| i.value.clone()).collect(),
            });
            staff.developed.extend(installations);
        }
        section.end();
    }
    staff
}

fn person(section: &Section<'_>) -> Option<(String, Placed<Address>)> {
    let why = "the journal and letters name people in full";
    let name = section.required_text("name", why, "Петрова Ольга Сергеевна");
    let address = section.address("email", "this is how they are reached and recognised");
    Some((name?.value, address?))
}

/// What an approver decides on: types, and whether more time as well.
fn types(section: &Section<'_>) -> (Vec<Type>, bool) {
    let words = ["fault", "improvement", "extension"];
    let mut found = Vec::new();
    let mut extensions = false;
    for word in section.texts("types", &words) {
        match Type::read(&word.value) {
            None if word.value == "extension" => extensions = true,
            Some(Type::Support) => section.reading().fault(
                Fault::error(word.at, "`types` cannot have `support`")
                    .label("needs nobody's consent")
                    .why("only faults, improvements and extensions wait for an approver")
                    .todo("write types = [\"fault\", \"improvement\", \"extension\"], or some of them"),
            ),
            Some(type_) => found.push(type_),
            None => section.bad_word("types", &word, words.into_iter()),
        }
    }
    (found, extensions)
}

/// R25: whatever letters may be taken for needs somebody who can consent to it.
pub fn check_approvers(root: &Section<'_>, kinds: &KindPatterns, staff: &Staff) {
    for (type_, key, patterns) in [
        (Type::Fault, "fault_patterns", &kinds.fault_patterns),
        (
            Type::Improvement,
            "improvement_patterns",
            &kinds.improvement_patterns,
        ),
    ] {
        let has_one = staff.approvers.iter().any(|a| a.types.contains(&type_));
        if patterns.is_empty() || has_one {
            continue;
        }
        let word = type_.word();
        root.reading().fault(
            Fault::warning(
                root.has("kinds").unwrap_or(root.at()),
                format!("nobody can consent to what `{key}` makes a {word}"),
            )
            .label(format!("no [[approver]] whose `types` have \"{word}\""))
            .why("such requests can be declined, and cannot be resolved (R25)")
            .todo(format!(
                "add [[approver]] with types = [\"{word}\"], or remove the patterns"
            )),
        );
    }
}

fn check_once(
    section: &Section<'_>,
    address: &Placed<Address>,
    fold_local: bool,
    seen: &mut Vec<(String, Place)>,
) {
    let key = address.value.key(fold_local);
    if let Some((_, other)) = seen.iter().find(|(k, _)| *k == key) {
        section.reading().fault(
            Fault::error(address.at, format!("`{}` stands twice", address.value))
                .label("the second time")
                .also(*other, "the first time")
                .why("the person would get everything twice")
                .todo("remove one of the two"),
        );
    }
    seen.push((key, address.at));
}
