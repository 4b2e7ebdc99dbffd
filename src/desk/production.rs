//! Production calendars: which days a country works, read from TOML; the one of Russia comes bundled, with the Labour Code behind it for years that it lacks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Date;

use super::calendar::DayRule;

/// The bundled calendar of Russia; the same form as an own file.
const RU: &str = include_str!("../../config/calendars/ru.toml");

/// Where the Labour Code stands in for a decree that is not bundled. Its present wording is from 2013; before that it is near enough for a letter's date.
const FALLBACK_YEARS: RangeInclusive<i32> = 2000..=2099;

/// Years that a file may speak of: what is outside is a slip of the pen.
const YEARS: RangeInclusive<i32> = 1990..=2199;

/// A production calendar: a rule for each day that is not as the ordinary week has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Production {
    days: BTreeMap<NaiveDate, DayRule>,
    years: BTreeSet<i32>,
    fallback: bool,
}

/// What a production calendar knows of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covered {
    /// The year stands in the file.
    Bundled,
    /// Only the law's own holidays; the Government's transfers of that year are missing. Worth a warning.
    Fallback,
    /// Nothing. A mistake of the configuration: a year without holidays would be all working (behaviour 63).
    Missing,
}

impl Production {
    /// What is known of a year.
    pub fn covers(&self, year: i32) -> Covered {
        if self.years.contains(&year) {
            Covered::Bundled
        } else if self.fallback && FALLBACK_YEARS.contains(&year) {
            Covered::Fallback
        } else {
            Covered::Missing
        }
    }

    /// The rules, as [`super::calendar::Calendar::new`] takes them.
    pub fn into_days(self) -> BTreeMap<NaiveDate, DayRule> {
        self.days
    }
}

/// The bundled calendar of Russia, with the Labour Code for the years that it lacks. It fails only if the bundled text is broken, which a test excludes.
pub fn ru() -> Result<Production, String> {
    let mut calendar = read(RU)?;
    for year in FALLBACK_YEARS.filter(|year| !calendar.years.contains(year)) {
        calendar.days.extend(labour_code(year));
    }
    calendar.fallback = true;
    Ok(calendar)
}

/// Reads a production calendar. The error has a line for each fault, `line 12: …`; the form is described in `docs/calendar.md`.
pub fn read(text: &str) -> Result<Production, String> {
    let file: BTreeMap<Spanned<String>, Year> = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        Fault::new(at, error.message()).with_line(text)
    })?;
    let mut reading = Reading::default();
    for (name, year) in file {
        reading.year(&name, year);
    }
    if reading.years.is_empty() {
        reading.fault(0..0, "no year in it: write [2026] and its days below");
    }
    if reading.faults.is_empty() {
        return Ok(Production {
            days: reading.days,
            years: reading.years,
            fallback: false,
        });
    }
    reading.faults.sort_by_key(|fault| fault.at.start);
    let lines: Vec<String> = reading.faults.iter().map(|f| f.with_line(text)).collect();
    Err(lines.join("\n"))
}

/// A year as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Year {
    #[serde(default)]
    off: Vec<Spanned<Date>>,
    #[serde(default)]
    short: Vec<Spanned<Date>>,
    #[serde(default)]
    working: Vec<Moved>,
    #[serde(default)]
    off_by_edict: Vec<Spanned<Date>>,
}

/// A weekend day that is worked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moved {
    day: Spanned<Date>,
    instead_of: Option<Spanned<Date>>,
}

/// Something wrong at a place of the text.
#[derive(Debug)]
struct Fault {
    at: Range<usize>,
    message: String,
}

impl Fault {
    fn new(at: Range<usize>, message: &str) -> Self {
        // A message of the parser can have several lines; ours has one for each fault.
        let message = message.replace('\n', ", ");
        Self { at, message }
    }

    fn with_line(&self, text: &str) -> String {
        let before = text.bytes().take(self.at.start);
        let line = before
            .filter(|&byte| byte == b'\n')
            .count()
            .saturating_add(1);
        format!("line {line}: {}", self.message)
    }
}

/// A calendar on the way from the file to its rules.
#[derive(Debug, Default)]
struct Reading {
    days: BTreeMap<NaiveDate, DayRule>,
    years: BTreeSet<i32>,
    faults: Vec<Fault>,
}

impl Reading {
    fn year(&mut self, name: &Spanned<String>, days: Year) {
        let year = name.get_ref().parse().ok().filter(|y| YEARS.contains(y));
        let Some(year) = year else {
            self.fault(
                name.span(),
                &format!(
                    "{} is no year from {} to {}",
                    name.get_ref(),
                    YEARS.start(),
                    YEARS.end()
                ),
            );
            return;
        };
        self.years.insert(year);
        for date in days.off.iter().chain(&days.off_by_edict) {
            self.day(year, date, DayRule::Off);
        }
        for moved in &days.working {
            let replaces = moved.instead_of.as_ref().and_then(|date| self.date(date));
            let short = false;
            self.day(year, &moved.day, DayRule::Working { replaces, short });
        }
        // Last, for a day that is worked instead of another can be short as well.
        for date in &days.short {
            self.short(year, date);
        }
    }

    fn short(&mut self, year: i32, date: &Spanned<Date>) {
        let worked = day_of(date.get_ref()).and_then(|day| self.days.get_mut(&day));
        match worked {
            Some(DayRule::Working { short, .. }) if !*short => *short = true,
            Some(_) | None => self.day(year, date, DayRule::Short),
        }
    }

    fn day(&mut self, year: i32, date: &Spanned<Date>, rule: DayRule) {
        let Some(day) = self.date(date) else {
            return;
        };
        if day.year() != year {
            self.fault(
                date.span(),
                &format!("{day} does not belong under [{year}]"),
            );
        } else if self.days.insert(day, rule).is_some() {
            self.fault(date.span(), &format!("{day} stands twice"));
        }
    }

    fn date(&mut self, date: &Spanned<Date>) -> Option<NaiveDate> {
        let day = day_of(date.get_ref());
        if day.is_none() {
            self.fault(date.span(), &format!("{} is no date", date.get_ref()));
        }
        day
    }

    fn fault(&mut self, at: Range<usize>, message: &str) {
        self.faults.push(Fault::new(at, message));
    }
}

fn day_of(date: &Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(
        i32::from(date.year),
        u32::from(date.month),
        u32::from(date.day),
    )
}

/// A year by the Labour Code of Russia alone: the holidays of article 112, the days off that it moves by itself (part 2: a holiday on a weekend
/// gives the next working day off, those of January excepted, which only the Government moves), and the short eves of article 95.
fn labour_code(year: i32) -> BTreeMap<NaiveDate, DayRule> {
    let day = |month, day| NaiveDate::from_ymd_opt(year, month, day);
    let new_year = (1..=8).filter_map(|of_january| day(1, of_january));
    let later: Vec<NaiveDate> = [(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)]
        .into_iter()
        .filter_map(|(month, of_month)| day(month, of_month))
        .collect();
    let mut days: BTreeMap<NaiveDate, DayRule> = new_year
        .chain(later.iter().copied())
        .map(|holiday| (holiday, DayRule::Off))
        .collect();
    for holiday in later.iter().filter(|holiday| is_weekend(**holiday)) {
        let moved = holiday
            .iter_days()
            .skip(1)
            .take(7)
            .find(|day| !is_weekend(*day) && !days.contains_key(day));
        days.extend(moved.map(|day| (day, DayRule::Off)));
    }
    // The eve of the next New Year is of this year.
    for holiday in
        later
            .iter()
            .copied()
            .chain(NaiveDate::from_ymd_opt(year.saturating_add(1), 1, 1))
    {
        let eve = holiday.pred_opt().filter(|eve| !is_weekend(*eve));
        if let Some(eve) = eve {
            days.entry(eve).or_insert(DayRule::Short);
        }
    }
    days
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::arithmetic_side_effects,
        reason = "tests"
    )]

    use super::*;

    fn day(text: &str) -> NaiveDate {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").expect(text)
    }

    fn days_of(year: i32) -> impl Iterator<Item = NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        first.iter_days().take_while(move |day| day.year() == year)
    }

    /// Whether an office of Monday to Friday works.
    fn is_worked(days: &BTreeMap<NaiveDate, DayRule>, day: NaiveDate) -> bool {
        match days.get(&day) {
            Some(DayRule::Off) => false,
            Some(DayRule::Working { .. }) => true,
            Some(DayRule::Short | DayRule::Hours(_)) | None => !is_weekend(day),
        }
    }

    /// F63, R15: the bundled years have the official numbers of working days; those off by edict are apart from them.
    #[test]
    fn years_have_the_official_number_of_working_days() {
        let ru = ru().unwrap();
        let off_by_edict = BTreeMap::from([(2020, 29), (2021, 7)]);
        let official = [248, 247, 247, 247, 248, 247, 247, 247];
        for (year, official) in (2020..).zip(official) {
            assert_eq!(ru.covers(year), Covered::Bundled);
            let worked = days_of(year)
                .filter(|day| is_worked(&ru.days, *day))
                .count();
            let edict = off_by_edict.get(&year).copied().unwrap_or(0);
            assert_eq!(worked + edict, official, "{year}");
        }
    }

    /// F63, R15: what the bundled years have off beyond the Labour Code is what the Government moved, day by day; so each checks the other.
    #[test]
    fn bundled_years_are_the_labour_code_and_the_transfers() {
        let transfers: [(i32, &[&str], &[&str]); 8] = [
            (2020, &["2020-05-04", "2020-05-05"], &[]),
            (2021, &["2021-02-22", "2021-11-05", "2021-12-31"], &[]),
            (2022, &["2022-03-07", "2022-05-03", "2022-05-10"], &[]),
            (2023, &["2023-02-24", "2023-05-08"], &[]),
            (
                2024,
                &[
                    "2024-04-29",
                    "2024-04-30",
                    "2024-05-10",
                    "2024-12-30",
                    "2024-12-31",
                ],
                &[],
            ),
            // 23 February and 8 March fell on a weekend and were moved to May and June instead of the next working day.
            (
                2025,
                &[
                    "2025-05-02",
                    "2025-05-08",
                    "2025-06-13",
                    "2025-11-03",
                    "2025-12-31",
                ],
                &["2025-02-24", "2025-03-10"],
            ),
            (2026, &["2026-01-09", "2026-12-31"], &[]),
            (2027, &["2027-02-22", "2027-11-05", "2027-12-31"], &[]),
        ];
        let file: BTreeMap<Spanned<String>, Year> = toml::from_str(RU).unwrap();
        assert_eq!(file.len(), transfers.len());
        for ((name, days), (year, moved_here, moved_away)) in file.iter().zip(transfers) {
            assert_eq!(name.get_ref(), &year.to_string());
            let bundled: BTreeSet<_> = days
                .off
                .iter()
                .filter_map(|d| day_of(d.get_ref()))
                .collect();
            let law: BTreeSet<_> = labour_code(year)
                .into_iter()
                .filter_map(|(day, rule)| (rule == DayRule::Off).then_some(day))
                .collect();
            let gained: Vec<_> = bundled.difference(&law).copied().collect();
            let lost: Vec<_> = law.difference(&bundled).copied().collect();
            assert_eq!(
                gained,
                moved_here.iter().map(|d| day(d)).collect::<Vec<_>>()
            );
            assert_eq!(lost, moved_away.iter().map(|d| day(d)).collect::<Vec<_>>());
        }
    }

    /// F63, R15: shortened days are worked, and a working weekend day takes the hours of a weekday that is off instead.
    #[test]
    fn moved_and_shortened_days_make_sense() {
        let ru = ru().unwrap();
        let mut moved = Vec::new();
        for (day, rule) in &ru.days {
            match rule {
                DayRule::Short => assert!(!is_weekend(*day), "{day}"),
                DayRule::Working { replaces, short } => {
                    let replaces = replaces.unwrap();
                    assert!(is_weekend(*day) && !is_weekend(replaces), "{day}");
                    assert_eq!(ru.days.get(&replaces), Some(&DayRule::Off), "{day}");
                    moved.push((day.to_string(), *short));
                }
                DayRule::Off => {}
                DayRule::Hours(_) => unreachable!("the form has no hours"),
            }
        }
        let moved: Vec<_> = moved
            .iter()
            .map(|(day, short)| (day.as_str(), *short))
            .collect();
        let expected = [
            ("2021-02-20", true),
            ("2022-03-05", true),
            ("2024-04-27", false),
            ("2024-11-02", true),
            ("2024-12-28", false),
            ("2025-11-01", true),
            ("2027-02-20", true),
        ];
        assert_eq!(moved, expected);
    }

    /// R15: years without a bundled decree have the holidays of the Labour Code, and say that they have no more.
    #[test]
    fn the_labour_code_stands_in_for_other_years() {
        let ru = ru().unwrap();
        for year in [2000, 2019, 2028, 2099] {
            assert_eq!(ru.covers(year), Covered::Fallback);
        }
        assert_eq!(ru.covers(1999), Covered::Missing);
        assert_eq!(ru.covers(2100), Covered::Missing);
        for off in [
            "2028-01-03",
            "2028-01-07",
            "2028-02-23",
            "2028-03-08",
            "2028-05-01",
            "2028-05-09",
            "2028-06-12",
        ] {
            assert_eq!(ru.days.get(&day(off)), Some(&DayRule::Off), "{off}");
        }
        // 4 November 2028 is a Saturday.
        assert_eq!(ru.days.get(&day("2028-11-06")), Some(&DayRule::Off));
        for short in ["2028-02-22", "2028-03-07", "2028-05-08", "2028-11-03"] {
            assert_eq!(ru.days.get(&day(short)), Some(&DayRule::Short), "{short}");
        }
        for ordinary in [
            "2028-01-10",
            "2028-04-28",
            "2028-04-30",
            "2028-06-11",
            "2028-12-31",
        ] {
            assert_eq!(ru.days.get(&day(ordinary)), None, "{ordinary}");
        }
        let days: Vec<_> = (2000..2100).map(|year| labour_code(year).len()).collect();
        assert!(
            days.iter().all(|count| (17..=24).contains(count)),
            "{days:?}"
        );
    }

    /// F63: a year that an own file lacks is missing, not all working.
    #[test]
    fn an_own_file_covers_its_years_only() {
        let own = read(
            "[2030]\noff = [2030-01-01]\nshort = [2030-03-02, 2030-12-31]\n\
             working = [{ day = 2030-03-02, instead_of = 2030-03-04 }, { day = 2030-03-09 }]\n[2031]\n",
        )
        .unwrap();
        assert_eq!(own.covers(2030), Covered::Bundled);
        assert_eq!(own.covers(2031), Covered::Bundled);
        assert_eq!(own.covers(2029), Covered::Missing);
        let replaces = Some(day("2030-03-04"));
        let expected = BTreeMap::from([
            (day("2030-01-01"), DayRule::Off),
            (
                day("2030-03-02"),
                DayRule::Working {
                    replaces,
                    short: true,
                },
            ),
            (
                day("2030-03-09"),
                DayRule::Working {
                    replaces: None,
                    short: false,
                },
            ),
            (day("2030-12-31"), DayRule::Short),
        ]);
        assert_eq!(own.into_days(), expected);
    }

    /// Every fault is named with its line, all at once.
    #[test]
    fn faults_have_lines() {
        let error = |text: &str| read(text).expect_err(text);
        assert_eq!(
            error(
                "[2030]\noff = [\n  2030-01-01,\n  2031-01-02,\n  2030-01-01,\n]\nshort = [2030-01-01]\n[soon]\n"
            ),
            "line 4: 2031-01-02 does not belong under [2030]\nline 5: 2030-01-01 stands twice\n\
             line 7: 2030-01-01 stands twice\nline 8: soon is no year from 1990 to 2199"
        );
        assert_eq!(
            error("# nothing\n"),
            "line 1: no year in it: write [2026] and its days below"
        );
        assert!(
            error("[2030]\n\noof = []\n")
                .starts_with("line 3: unknown field `oof`, expected one of")
        );
        assert!(error("[2030]\noff = [\"2030-01-01\"]\n").starts_with("line 2: "));
        assert!(error("[2030]\noff = [2030-02-30]\n").starts_with("line 2: "));
        assert!(error("[2030]\noff = [2030-02-03T10:00:00]\n").starts_with("line 2: "));
        assert!(error("[2030]\nworking = [{ instead_of = 2030-03-04 }]\n").starts_with("line 2: "));
        assert!(error("[2030\n").starts_with("line 1: "));
    }
}
