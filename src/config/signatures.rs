//! How electronic signatures are checked: `[signatures]`.

use std::path::PathBuf;

use crate::mail::certificate::Anchors;

use super::fault::Fault;
use super::letters::entries;
use super::section::Section;
use super::source::{Place, Placed};

/// Where Debian has the program.
const PROGRAM: &str = "/usr/bin/openssl";
/// The engine for GOST, as Debian's package names it.
const ENGINE: &str = "gost";

/// What checks signatures, and whom it trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureConfig {
    /// The folder with certificates of trusted authorities and their lists of revoked ones; none: nobody is trusted.
    pub anchors: Option<PathBuf>,
    /// The program `openssl`.
    pub program: PathBuf,
    /// The engine that knows GOST, by its name or its file; none: no such signature is checked.
    pub engine: Option<String>,
}

/// Reads the section.
pub fn signatures(root: &Section<'_>) -> SignatureConfig {
    let section = root.table("signatures", "[signatures]");
    let anchors = section.text("anchors").and_then(|a| anchors(&section, &a));
    let program = section.text_or("program", PROGRAM);
    if section.has("program").is_some() {
        check_program(&section, &program);
    }
    let engine = section.text_or("engine", ENGINE);
    check_engine(&section, &engine);
    section.end();
    SignatureConfig {
        anchors,
        program: PathBuf::from(program.value),
        engine: Some(engine.value).filter(|e| e != "none"),
    }
}

fn check_program(section: &Section<'_>, program: &Placed<String>) {
    let why = "no signature could be checked";
    let fault = if !program.value.starts_with('/') {
        Fault::error(program.at, format!("`{}` is no full path", program.value))
            .label("it must begin with /")
            .why("the program is started without the search path of this machine")
    } else if !std::path::Path::new(&program.value).is_file() {
        Fault::error(
            program.at,
            format!("there is no program `{}`", program.value),
        )
        .label("no file")
        .why(why)
    } else {
        return;
    };
    section.reading().fault(fault.todo(format!(
        "write program = \"{PROGRAM}\", or leave it out; Debian has it in the package openssl"
    )));
}

/// The name goes into a file for openssl, which must stay the one that is meant.
fn check_engine(section: &Section<'_>, engine: &Placed<String>) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+".contains(c);
    let is_path = engine.value.starts_with('/');
    let is_name = !engine.value.contains('/') && !engine.value.is_empty();
    let missing = is_path && !std::path::Path::new(&engine.value).is_file();
    if engine.value.chars().all(plain) && (is_name || is_path) && !missing {
        return;
    }
    let label = if missing {
        "no such file"
    } else {
        "a name or a full path"
    };
    section.reading().fault(
        Fault::error(engine.at, format!("`{}` is no engine", engine.value))
            .label(label)
            .why("Russian signatures could not be checked")
            .todo("write engine = \"gost\" (Debian: libengine-gost-openssl), the full path of gost.so, or \"none\""),
    );
}

/// The folder, if all in it can be used: what is silently left out would be trusted by the admin and by nobody else.
fn anchors(section: &Section<'_>, folder: &Placed<String>) -> Option<PathBuf> {
    let reading = section.reading();
    let path = reading.resolve(&folder.value);
    let files = if path.is_dir() {
        entries(&path).map_err(|error| error.to_string())
    } else {
        Err("not a folder".to_owned())
    };
    let files = match files {
        Ok(files) => files,
        Err(why) => {
            reading.fault(
                Fault::error(folder.at, format!("the folder `{}` cannot be read", path.display()))
                    .label(why)
                    .why("no signature could be traced to an authority")
                    .todo("make it, with the certificates of the authorities that you trust, or leave `anchors` out"),
            );
            return None;
        }
    };
    let mut certificates: usize = 0;
    for file in files {
        let read = std::fs::read(&file).map_err(|error| error.to_string());
        let read = read.and_then(|octets| {
            Anchors::read(&octets).ok_or_else(|| "neither a certificate nor a list".to_owned())
        });
        match read {
            Ok(found) => certificates = certificates.saturating_add(found.certificates.len()),
            Err(why) => reading.fault(
                Fault::error(
                    Place::whole(reading.add_source(&file, "")),
                    format!("this is nothing to trust by: {why}"),
                )
                .why("an authority would be missing, and nobody would see it")
                .todo("put certificates and lists of revoked ones (CRL) into this folder, in DER or PEM, and nothing else"),
            ),
        }
    }
    if certificates == 0 && reading.is_sound() {
        reading.fault(
            Fault::warning(folder.at, format!("there is no certificate in `{}`", path.display()))
                .label("no authority")
                .why("no signature will be traced to anybody")
                .todo("put the certificates of the authorities that you trust into it; see docs/signatures.md"),
        );
    }
    Some(path)
}

/// ИНН and ОГРН of a customer, where they are written and can be such numbers.
pub fn numbers(root: &Section<'_>) -> (Option<String>, Option<String>) {
    let inn = root
        .text("inn")
        .filter(|n| check_number(root, n, "ИНН", is_inn));
    let ogrn = root
        .text("ogrn")
        .filter(|n| check_number(root, n, "ОГРН", is_ogrn));
    (inn.map(|n| n.value), ogrn.map(|n| n.value))
}

fn check_number(
    section: &Section<'_>,
    number: &Placed<String>,
    kind: &str,
    holds: fn(&[u64]) -> bool,
) -> bool {
    let digits = number.value.chars().map(|c| c.to_digit(10).map(u64::from));
    let holds = digits
        .collect::<Option<Vec<u64>>>()
        .is_some_and(|d| holds(&d));
    if !holds {
        section.reading().fault(
            Fault::error(number.at, format!("`{}` is no {kind}", number.value))
                .label("its length or its check digit is wrong")
                .why("a signature of this customer would be taken for another organisation's")
                .todo(format!(
                    "write the {kind} of the contract as a text of digits, or leave it out"
                )),
        );
    }
    holds
}

/// Ten digits with one check digit, or twelve with two.
fn is_inn(digits: &[u64]) -> bool {
    const WEIGHTS: [u64; 11] = [3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8];
    let holds = |place: usize| {
        let skip = WEIGHTS.len().saturating_sub(place);
        let pairs = digits.iter().zip(WEIGHTS.iter().skip(skip));
        let sum = pairs.fold(0_u64, |sum, (d, w)| {
            sum.saturating_add(d.saturating_mul(*w))
        });
        digits.get(place) == Some(&(sum % 11 % 10))
    };
    match digits.len() {
        10 => holds(9),
        12 => holds(10) && holds(11),
        _ => false,
    }
}

/// Thirteen or fifteen digits, the last of which is the rest of the others by eleven or thirteen.
fn is_ogrn(digits: &[u64]) -> bool {
    let Some((last, rest)) = digits.split_last() else {
        return false;
    };
    let shifted = |n: u64, d: &u64| n.saturating_mul(10).saturating_add(*d);
    let number = rest.iter().fold(0, shifted);
    match digits.len() {
        13 => number % 11 % 10 == *last,
        15 => number % 13 % 10 == *last,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_known_by_their_check_digits() {
        let digits = |text: &str| -> Vec<u64> {
            let digits = text.chars().map(|c| u64::from(c.to_digit(10).unwrap()));
            digits.collect()
        };
        for (inn, holds) in [
            ("7707083893", true),
            ("7707083894", false),
            ("500100732259", true),
            ("500100732258", false),
            ("500100732249", false),
            ("770708389", false),
            ("", false),
        ] {
            assert_eq!(is_inn(&digits(inn)), holds, "{inn}");
        }
        for (ogrn, holds) in [
            ("1027700132195", true),
            ("1027700132196", false),
            ("304500116000157", true),
            ("304500116000158", false),
            ("102770013219", false),
            ("", false),
        ] {
            assert_eq!(is_ogrn(&digits(ogrn)), holds, "{ogrn}");
        }
    }
}
