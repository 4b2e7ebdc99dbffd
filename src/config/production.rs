//! The production calendar that `[calendar]` names: bundled, a file of the desk's own, or none (R15).

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::desk::calendar::DayRule;
use crate::desk::people::Locale;
use crate::desk::production::{self, Covered, Production};

use super::fault::Fault;
use super::section::Section;
use super::source::{Place, Placed};

/// Reads `production_calendar`. Where it is left out, a desk that writes Russian has the Russian calendar and any other has none.
pub fn days(section: &Section<'_>, locale: Option<Locale>) -> Option<BTreeMap<NaiveDate, DayRule>> {
    let default = match locale {
        Some(Locale::En) => "none",
        Some(Locale::Ru) | None => "ru",
    };
    let name = section.text_or("production_calendar", default);
    match name.value.as_str() {
        "none" => Some(BTreeMap::new()),
        "ru" => bundled(section, &name),
        file if file.contains('/') || file.contains('.') => own(section, &name),
        _ => {
            let words = ["ru", "none", "calendars/FILE.toml"];
            section.bad_word("production_calendar", &name, words.into_iter());
            None
        }
    }
}

fn bundled(section: &Section<'_>, name: &Placed<String>) -> Option<BTreeMap<NaiveDate, DayRule>> {
    let reading = section.reading();
    let calendar = match production::ru() {
        Ok(calendar) => calendar,
        Err(why) => {
            reading.fault(
                Fault::error(name.at, "the bundled calendar cannot be read")
                    .label(why)
                    .why("this program was built wrongly")
                    .todo("name a file of your own, such as \"calendars/ru.toml\""),
            );
            return None;
        }
    };
    let year = reading.today().year();
    if calendar.covers(year) != Covered::Bundled {
        reading.fault(
            Fault::warning(name.at, format!("the bundled calendar does not know the transfers of {year}"))
                .label("only the law's own holidays are known")
                .why("days that the Government moved will be counted as the ordinary week has them")
                .todo("install a newer postdesk, name a file of your own, or add the days to [calendar.days]"),
        );
    }
    Some(calendar.into_days())
}

fn own(section: &Section<'_>, name: &Placed<String>) -> Option<BTreeMap<NaiveDate, DayRule>> {
    let reading = section.reading();
    let path = reading.resolve(&name.value);
    section.reading().look_at(&path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            reading.fault(
                Fault::error(name.at, format!("`{}` cannot be read", path.display()))
                    .label(error.to_string())
                    .why("without it every holiday would be a working day")
                    .todo("name a file beside this one, or write \"ru\" or \"none\""),
            );
            return None;
        }
    };
    let file = reading.add_source(&path, &text);
    match production::read(&text) {
        Ok(calendar) => {
            check_years(section, &calendar, file, name.at);
            Some(calendar.into_days())
        }
        Err(lines) => {
            for line in lines.lines() {
                let (place, what) = placed(section, file, line);
                reading.fault(
                    Fault::error(place, "this calendar cannot be used")
                        .label(what)
                        .why("a day that is guessed would make wrong due dates")
                        .todo("correct it; config/calendars/ru.toml shows the form"),
                );
            }
            None
        }
    }
}

/// The place that `line 12: what` speaks of, and the rest of it.
fn placed<'t>(section: &Section<'_>, file: usize, text: &'t str) -> (Place, &'t str) {
    let numbered = text
        .strip_prefix("line ")
        .and_then(|rest| rest.split_once(": "))
        .and_then(|(number, what)| Some((number.parse().ok()?, what)));
    match numbered {
        Some((number, what)) => (section.reading().line(file, number), what),
        None => (Place::whole(file), text),
    }
}

fn check_years(section: &Section<'_>, calendar: &Production, file: usize, at: Place) {
    let today = section.reading().today();
    let year = today.year();
    let next = year.saturating_add(1);
    let missing = |year: i32| calendar.covers(year) == Covered::Missing;
    let why = "without its year every holiday would be a working day, and due dates would be wrong";
    if missing(year) {
        section.reading().fault(
            Fault::error(
                Place::whole(file),
                format!("this calendar has no year {year}"),
            )
            .also(at, "it is named here")
            .why(why)
            .todo(format!("add [{year}] with its days to it")),
        );
    } else if missing(next) && today.month() >= 10 {
        // From October on, since the decree for the next year is out and letters of December are due in January.
        section.reading().fault(
            Fault::warning(
                Place::whole(file),
                format!("this calendar has no year {next} yet"),
            )
            .also(at, "it is named here")
            .why(why)
            .todo(format!("add [{next}] with its days to it before December")),
        );
    }
}
