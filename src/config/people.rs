//! The desk's own people: `[[specialist]]`, `[[approver]]`, `[[developer]]` and `[[supervisor]]`.

use crate::desk::address::Address;
use crate::desk::people::{Approver, Developer, Specialist, Supervisor};
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
    /// Who is told of what is overdue.
    pub supervisors: Vec<Supervisor>,
    /// Every address of theirs.
    pub addresses: Vec<Placed<Address>>,
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
        let types = types(&section);
        if let Some((name, address)) = person(&section) {
            check_once(&section, &address, fold_local, &mut seen);
            staff.addresses.push(address.clone());
            let address = address.value;
            staff.approvers.push(Approver {
                name,
                address,
                types,
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
            staff.developers.push(Developer { name, address });
        }
        section.end();
    }
    seen.clear();
    for section in root.tables("supervisor", "[[supervisor]]") {
        if let Some((name, address)) = person(&section) {
            check_once(&section, &address, fold_local, &mut seen);
            staff.addresses.push(address.clone());
            let address = address.value;
            staff.supervisors.push(Supervisor { name, address });
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

fn types(section: &Section<'_>) -> Vec<Type> {
    let mut found = Vec::new();
    for word in section.texts("types", &["fault", "improvement"]) {
        match Type::read(&word.value) {
            Some(Type::Support) => section.reading().fault(
                Fault::error(word.at, "`types` cannot have `support`")
                    .label("needs nobody's consent")
                    .why("only faults and improvements wait for an approver")
                    .todo("write types = [\"fault\", \"improvement\"], or one of the two"),
            ),
            Some(type_) => found.push(type_),
            None => section.bad_word("types", &word, ["fault", "improvement"].into_iter()),
        }
    }
    found
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
