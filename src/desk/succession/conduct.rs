//! What a specialist's commands do to a succession (R30, R39): all of a letter takes effect or nothing, and the answer says what is missing.

use chrono::{DateTime, Utc};

use super::command::{self, Command};
use super::evidence::{self, Form, Missing};
use super::opening::{self, Asked, paper};
use super::procedure::{Change, Effect, Named, Party, Procedure, Source, Step, Verified, happen};
use super::report;
use crate::desk::address::Address;
use crate::desk::authority;
use crate::desk::course::Ending;
use crate::desk::deadline;
use crate::desk::decide::{Decision, Evidence, Incoming, Known, Lead, Verdict};
use crate::desk::draft::{Draft, StatusChange};
use crate::desk::event::{Event, Outcome};
use crate::desk::life::{self, Mover};
use crate::desk::notice::{Purpose, Tells, Template};
use crate::desk::people::{Customer, Directory, Representative, Specialist, Standing};
use crate::desk::reception::held;
use crate::desk::registration::matter;
use crate::desk::request::{Kind, Matter, PendingKind, Request, Status};
use crate::desk::specialist;
use crate::desk::telling;

use super::passing;

/// Commands of one letter that are followed.
const COMMANDS: usize = 10;
/// Characters of a name or a reason.
const WORDS: usize = 2_000;

/// A line at the top of the letter, without its `#`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let text = text.lines().map(str::trim);
    text.skip_while(|line| line.is_empty())
        .take_while(|line| line.starts_with('#') || line.is_empty())
        .filter_map(|line| line.strip_prefix('#'))
        .take(COMMANDS)
}

/// Whether the letter has a word about successions at its top.
pub(in crate::desk) fn speaks(text: &str) -> bool {
    lines(text).any(|line| command::read(line).is_some())
}

/// Whether the letter opens a succession at its top.
pub(in crate::desk) fn opens(text: &str) -> bool {
    lines(text).any(|line| {
        matches!(
            command::read(line),
            Some(Ok(Command::Open(_)) | Err(command::Unclear::NoName))
        )
    })
}

/// Whether the letter is about the succession that it leads to: by a command, or by a letter of the customer that it brings.
pub(in crate::desk) fn is_about(incoming: &Incoming<'_>, lead: &Lead) -> bool {
    let brings = |p: &Procedure| p.is_open() && evidence::is_attached(incoming.letter);
    let procedure = lead.request.succession.as_deref();
    procedure.is_some_and(|p| speaks(&incoming.letter.new_text) || brings(p))
}

/// A specialist's letter about a request that is a succession.
pub(in crate::desk) fn letter(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    person: &Specialist,
) -> Decision {
    let (request, text) = (&lead.request, &incoming.letter.new_text);
    let own = specialist::answers_own(draft.desk, lead, &person.address);
    let authentication = incoming.mailbox.authentication;
    if let Err(why) = authority::may_command(incoming.assurance, authentication, own, false) {
        return specialist::unproved(draft, incoming, Some(lead), person, why);
    }
    draft.because("A specialist's commands, proved to be theirs (R39, S43)");
    draft.speak();
    draft.concerns(request);
    draft.event(Event::Attached {
        by: person.address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: true,
    });
    if let Evidence::Confirmation(id) = lead.evidence {
        draft.event(Event::Settled {
            pending: id,
            outcome: Outcome::Confirmed,
            by: Some(person.address.clone()),
        });
    }
    let scene = Scene {
        directory: &draft.desk.directory,
        known,
        request,
        by: &person.address,
        arrived: incoming.arrived,
        today: draft.desk.calendar.day_of(draft.now),
    };
    match scene.all(text, specialist_paper(&draft, incoming, request)) {
        Err(refused) => {
            draft.because(
                "A command could not be followed: nothing of the letter took effect (R39)",
            );
            let to = (person.name.as_str(), &person.address);
            report::specialist(&mut draft, request, to, refused);
        }
        Ok(done) => {
            draft.because("A specialist conducts the change of representative (R30)");
            follow(&mut draft, incoming, request, person, done);
        }
    }
    draft.end(Verdict::Attached)
}

/// A letter of the customer that a specialist passes on: from whom it came is their word, so it is nobody's official address.
fn specialist_paper(
    draft: &Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
) -> Option<evidence::Paper> {
    let procedure = request.succession.as_deref().filter(|p| p.is_open())?;
    let customer = draft.desk.directory.customer(&procedure.customer)?;
    paper(incoming, customer, Source::Specialist, true)
}

/// What the commands of one letter come to.
#[derive(Default)]
struct Done {
    steps: Vec<Step>,
    said: Vec<String>,
    refusal: Option<String>,
}

/// Everything that bears on a command.
struct Scene<'a> {
    directory: &'a Directory,
    known: &'a Known,
    request: &'a Request,
    by: &'a Address,
    arrived: DateTime<Utc>,
    today: chrono::NaiveDate,
}

impl Scene<'_> {
    /// All commands, one after the other; or why none of them is followed.
    fn all(&self, text: &str, paper: Option<evidence::Paper>) -> Result<Done, Vec<String>> {
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
        from: chrono::NaiveDate,
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

/// The commands took effect: history, status, and everybody who must hear it.
fn follow(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
    done: Done,
) {
    for step in done.steps {
        draft.event(Event::Succession(step));
    }
    let stands = draft.stands().and_then(|r| r.succession);
    if stands.as_deref().is_some_and(evidence::needs_original) {
        let desk = draft.desk;
        let day = desk.calendar.place(incoming.arrived).day;
        let due = deadline::due(&desk.calendar, day, desk.deadlines.paper_original);
        draft.event(Event::Succession(Step::OriginalDue(due)));
    }
    if let Some(why) = done.refusal {
        refuse(draft, incoming, request, specialist, why);
    } else {
        back_to_work(draft, incoming, request, specialist);
        finish(draft, request, incoming.arrived);
    }
    let to = (specialist.name.as_str(), &specialist.address);
    report::specialist(draft, request, to, done.said);
}

/// Whoever was asked for a letter is told that it is verified, and waits for nothing more.
fn back_to_work(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
) {
    let verified = |r: &Request| {
        r.succession
            .as_deref()
            .is_some_and(|p| p.verified.is_some())
    };
    let now = draft.stands().is_some_and(|r| verified(&r));
    if verified(request) || !now {
        return;
    }
    for pending in request
        .pending
        .iter()
        .filter(|p| p.kind == PendingKind::Identity)
    {
        draft.event(Event::Settled {
            pending: pending.id,
            outcome: Outcome::Superseded,
            by: Some(specialist.address.clone()),
        });
    }
    if request.matter.kind != Kind::Order {
        draft.event(Event::KindChanged {
            to: Kind::Order,
            by: specialist.address.clone(),
        });
    }
    if life::may(request.status, Status::InProgress, Mover::Specialist) {
        draft.change_status(StatusChange {
            to: Status::InProgress,
            by: Some(specialist.address.clone()),
            why: "A specialist verified the customer's letter",
            at: incoming.arrived,
            ending: None,
        });
        let thread = telling::continuing(&request.matter);
        report::requester(draft, request, Template::StatusChanged, thread);
    }
}

fn refuse(
    draft: &mut Draft<'_>,
    incoming: &Incoming<'_>,
    request: &Request,
    specialist: &Specialist,
    why: String,
) {
    let by = specialist.address.clone();
    for pending in &request.pending {
        draft.event(Event::Settled {
            pending: pending.id,
            outcome: Outcome::Superseded,
            by: Some(by.clone()),
        });
    }
    draft.event(Event::Declined {
        by: by.clone(),
        text: why.clone(),
    });
    if !life::may(request.status, Status::Closed, Mover::Specialist) {
        return;
    }
    draft.change_status(StatusChange {
        to: Status::Closed,
        by: Some(by),
        why: "A specialist declined the change of representative",
        at: incoming.arrived,
        ending: Some(Ending::Declined),
    });
    if request.matter.quiet || !request.matter.acknowledged {
        return;
    }
    let (matter, state) = draft.after(request);
    let tells = Tells {
        text: Some(why),
        ..telling::tells(draft.desk, &matter, state)
    };
    draft.tell(telling::to_requester(
        Template::StatusChanged,
        &matter,
        telling::continuing(&matter),
        Purpose::Reply,
        tells,
    ));
}

/// R31: in force, and the original, where due, has come: the request is resolved, as of that moment.
pub(super) fn finish(draft: &mut Draft<'_>, request: &Request, at: DateTime<Utc>) {
    let Some(stands) = draft.stands() else {
        return;
    };
    let done = stands.succession.as_deref().is_some_and(Procedure::is_done);
    if !done || !life::may(stands.status, Status::Resolved, Mover::Specialist) {
        return;
    }
    draft.because("In force, and no paper original is missing: the request is resolved (R31)");
    if let Some(named) = stands.succession.as_deref().and_then(|p| p.named.as_ref()) {
        draft.event(Event::Solved {
            by: named.by.clone(),
            text: report::change(named),
        });
    }
    draft.change_status(StatusChange {
        to: Status::Resolved,
        by: None,
        why: "The change of representative is in force",
        at,
        ending: Some(Ending::Solved),
    });
    let thread = telling::continuing(&request.matter);
    report::requester(draft, request, Template::StatusChanged, thread);
}

/// R28: a specialist opens a succession where the customer lost both addresses; none if the letter has no command for that.
pub(in crate::desk) fn open(
    mut draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    specialist: &Specialist,
) -> Decision {
    let authentication = incoming.mailbox.authentication;
    // It answers nothing yet; what it opens changes nothing before commands that do.
    if let Err(why) = authority::may_command(incoming.assurance, authentication, false, true) {
        return held(draft, incoming, Tells::default(), why.to_owned());
    }
    let asked = lines(&incoming.letter.new_text).find_map(|line| match command::read(line) {
        Some(Ok(Command::Open(name))) => Some(name),
        _ => None,
    });
    let desk = draft.desk;
    let Some((customer, installations)) = asked.and_then(|name| meant(&desk.directory, &name))
    else {
        let reason = "A command about a change of representative names no customer or installation, or answers no request";
        return held(draft, incoming, Tells::default(), reason.to_owned());
    };
    draft.because("A specialist opens a change of representative (R28)");
    let matter = Matter {
        installation: match installations.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        requester_name: specialist.name.clone(),
        ..matter(
            desk,
            incoming,
            None,
            customer,
            Kind::Order,
            &specialist.address,
        )
    };
    let asked = Asked {
        customer,
        installations,
        source: Source::Specialist,
        proved: true,
    };
    opening::opened(draft, known, incoming, matter, asked)
}

/// The customer or installation that a name means, by identifier, name or tag, without case.
fn meant<'d>(directory: &'d Directory, name: &str) -> Option<(&'d Customer, Vec<String>)> {
    let folded = |text: &str| text.trim().to_lowercase();
    let wanted = folded(name);
    let is = |text: &str| folded(text) == wanted;
    for customer in directory.customers() {
        if is(&customer.id) || is(&customer.name) {
            let ids = customer.installations.iter().map(|i| i.id.clone());
            return Some((customer, ids.collect()));
        }
        let mut there = customer.installations.iter();
        if let Some(found) =
            there.find(|i| is(&i.id) || is(&i.name) || i.tags.iter().any(|t| is(t)))
        {
            return Some((customer, vec![found.id.clone()]));
        }
    }
    None
}
