//! Whether a specialist's commands about a succession may be followed, one after the other: all of them, or none with everything that is missing (R30, R39).

use chrono::{DateTime, NaiveDate, Utc};

use super::command::{self, Command};
use super::evidence::{self, Form, Missing, Paper};
use super::passing;
use super::procedure::{Change, Effect, Named, Party, Procedure, Step, Verified, happen};
use super::report;
use crate::desk::address::Address;
use crate::desk::decide::Known;
use crate::desk::people::{Directory, Representative, Standing};
use crate::desk::request::Request;

/// Commands of one letter that are followed.
const COMMANDS: usize = 10;
/// Characters of a reason.
const WORDS: usize = 2_000;

/// A line at the top of the letter, without its `#`.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.lines().map(str::trim);
    text.skip_while(|line| line.is_empty())
        .take_while(|line| line.starts_with('#') || line.is_empty())
        .filter_map(|line| line.strip_prefix('#'))
        .take(COMMANDS)
}

/// Whether the letter has a word about successions at its top.
pub(super) fn speaks(text: &str) -> bool {
    lines(text).any(|line| command::read(line).is_some())
}

/// What the commands of one letter come to.
#[derive(Default)]
pub(super) struct Done {
    pub(super) steps: Vec<Step>,
    pub(super) said: Vec<String>,
    pub(super) refusal: Option<String>,
}

/// Everything that bears on a command.
pub(super) struct Scene<'a> {
    pub(super) directory: &'a Directory,
    pub(super) known: &'a Known,
    pub(super) request: &'a Request,
    pub(super) by: &'a Address,
    pub(super) arrived: DateTime<Utc>,
    pub(super) today: NaiveDate,
}

impl Scene<'_> {
    /// All commands, one after the other; or why none of them is followed.
    pub(super) fn all(&self, text: &str, paper: Option<Paper>) -> Result<Done, Vec<String>> {
        let mut procedure = self.request.succession.clone();
        let (mut done, mut refused) = (Done::default(), Vec::new());
        if let Some(paper) = paper {
            done.take(
                &mut procedure,
                Step::Came(paper),
                "The customer's letter was added",
            );
        }
        for line in lines(text) {
            let Some(stands) = procedure.clone() else {
                break;
            };
            let result = match command::read(line) {
                None => Err(vec!["this command is not known here".to_owned()]),
                Some(Err(unclear)) => Err(vec![unclear.in_words().to_owned()]),
                Some(Ok(command)) => self.one(&stands, command),
            };
            match result {
                Ok((step, said)) => done.take(&mut procedure, step, &said),
                Err(why) => {
                    let shown: String = line.chars().take(100).collect();
                    refused.push(format!("Not done: #{shown}"));
                    refused.extend(why.into_iter().map(|w| format!("What is missing: {w}")));
                }
            }
        }
        if refused.is_empty() {
            done.refusal = refusal(text);
            Ok(done)
        } else {
            refused.push("Nothing of your letter took effect".to_owned());
            Err(refused)
        }
    }

    fn one(&self, procedure: &Procedure, command: Command) -> Result<(Step, String), Vec<String>> {
        let words = |missing: Vec<Missing>| -> Vec<String> {
            missing.iter().map(|m| m.in_words().to_owned()).collect()
        };
        let standing = in_the_way(procedure, &command);
        if let Some(why) = standing {
            return Err(vec![why.to_owned()]);
        }
        match command {
            Command::Open(_) => Err(vec![
                "this request is a change of representative already".into(),
            ]),
            Command::Verified { way, ticks } => {
                evidence::admits(procedure, way, &ticks).map_err(words)?;
                let verified = Verified {
                    way,
                    by: self.by.clone(),
                    at: self.arrived,
                };
                let said = format!("Verified {}", way.in_words());
                Ok((Step::Verified(verified), said))
            }
            Command::Installations(ids) => {
                self.same_primary(procedure, &ids)?;
                let said = format!("It is about {}", ids.join(", "));
                Ok((Step::Installations(ids), said))
            }
            Command::Successor {
                name,
                address,
                phone,
                from,
            } => {
                evidence::may_name(procedure).map_err(words)?;
                let person = Party { name, address };
                self.named(procedure, Change::Successor { person, phone }, from)
            }
            Command::Contact {
                address,
                phone,
                from,
            } => {
                evidence::may_name(procedure).map_err(words)?;
                self.named(procedure, Change::Contact { address, phone }, from)
            }
            Command::OriginalCame => {
                let scanned = procedure.papers.iter().any(|p| p.form == Form::Scan);
                if procedure.original.is_none() && !scanned {
                    return Err(vec!["no paper original is waited for".to_owned()]);
                }
                let came = Step::OriginalCame {
                    by: self.by.clone(),
                    at: self.arrived,
                };
                Ok((came, "The paper original has come".to_owned()))
            }
            Command::Refuse(_) => Ok((Step::Ended, "The change was declined".to_owned())),
        }
    }

    /// The one primary of these installations; none if none of them has one.
    fn same_primary(
        &self,
        procedure: &Procedure,
        ids: &[String],
    ) -> Result<Option<&Representative>, Vec<String>> {
        let mut found: Option<Option<&Representative>> = None;
        for id in ids {
            let there = self.directory.installation(id);
            let Some((_, installation)) = there.filter(|(c, _)| c.id == procedure.customer) else {
                return Err(vec![format!("the customer has no installation {id}")]);
            };
            let primary = installation.primary(self.today);
            let address = |r: Option<&Representative>| r.map(|r| r.address.clone());
            if found.is_some_and(|f| address(f) != address(primary)) {
                return Err(vec![Missing::Installation.in_words().to_owned()]);
            }
            found = Some(primary);
        }
        Ok(found.flatten())
    }

    fn named(
        &self,
        procedure: &Procedure,
        change: Change,
        from: NaiveDate,
    ) -> Result<(Step, String), Vec<String>> {
        let refuse = |why: &str| Err(vec![why.to_owned()]);
        let primary = self.same_primary(procedure, &procedure.installations)?;
        let named = Named {
            predecessor: primary.map(|p| Party {
                name: p.name.clone(),
                address: p.address.clone(),
            }),
            change,
            from,
            by: self.by.clone(),
            at: self.arrived,
        };
        // What stands in the file already may be named after the day.
        let written = passing::is_written(self.directory, &procedure.installations, &named);
        if !written && from <= self.today {
            return refuse("a day that is still to come: at the earliest tomorrow");
        }
        if primary.is_some_and(|p| from <= p.since) && !written {
            return refuse("a day after the first one of the representative in office");
        }
        let there = |id: &String| self.directory.installation(id);
        let mut places = procedure.installations.iter().filter_map(there);
        if !written && places.any(|(_, i)| passing::is_taken(i, from)) {
            return refuse("a day after the first one of whoever is appointed there already");
        }
        let same = |a: &Address| primary.is_some_and(|p| self.directory.same(&p.address, a));
        match &named.change {
            Change::Successor { person, .. } => {
                if !written && same(&person.address) {
                    return refuse("another address: this one is the representative's in office");
                }
                if self.directory.standing(&person.address, self.today) == Standing::Own {
                    return refuse("another address: this one is the desk's own");
                }
            }
            Change::Contact { .. } if primary.is_none() => {
                return refuse("a representative in office whose data could change");
            }
            Change::Contact { address, .. } => {
                if !written && address.as_ref().is_some_and(same) {
                    return refuse("another address: this one is the representative's in office");
                }
            }
        }
        let ids = &procedure.installations;
        let other = self.known.successions.iter().find(|r| {
            r.id != self.request.id
                && r.succession.as_deref().is_some_and(|p| {
                    p.is_open()
                        && p.effect != Effect::NotYet
                        && p.installations.iter().any(|id| ids.contains(id))
                })
        });
        if let Some(other) = other {
            let number = other
                .number
                .map_or_else(|| "-".to_owned(), |n| n.to_string());
            return Err(vec![format!(
                "the end of the other change of representative for the same installation: {number}"
            )]);
        }
        let said = report::change(&named);
        Ok((Step::Named(Box::new(named)), said))
    }
}

/// What stands in the way of a command whatever it says.
fn in_the_way(procedure: &Procedure, command: &Command) -> Option<&'static str> {
    let in_file = matches!(procedure.effect, Effect::Written | Effect::InForce);
    if procedure.ended {
        return Some("the change was declined: it needs a new request");
    }
    match command {
        Command::OriginalCame => procedure
            .original
            .as_ref()
            .is_some_and(|o| o.came.is_some())
            .then_some("the paper original was ticked off before"),
        Command::Refuse(_) if in_file => {
            Some("the change stands in the customer's file: take it back there by hand")
        }
        Command::Open(_)
        | Command::Verified { .. }
        | Command::Installations(_)
        | Command::Successor { .. }
        | Command::Contact { .. }
            if in_file =>
        {
            Some("the change stands in the customer's file: correct it there by hand")
        }
        Command::Open(_)
        | Command::Verified { .. }
        | Command::Installations(_)
        | Command::Successor { .. }
        | Command::Contact { .. }
        | Command::Refuse(_) => None,
    }
}

impl Done {
    fn take(&mut self, procedure: &mut Option<Box<Procedure>>, step: Step, said: &str) {
        happen(procedure, &step);
        self.steps.push(step);
        self.said.push(said.to_owned());
    }
}

/// The reason of a refusal, for the requester.
fn refusal(text: &str) -> Option<String> {
    lines(text).find_map(|line| match command::read(line) {
        Some(Ok(Command::Refuse(why))) => Some(why.chars().take(WORDS).collect()),
        _ => None,
    })
}
