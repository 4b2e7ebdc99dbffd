//! What a specialist's commands amount to: weighed as a whole against the request as it stands, then carried out as a whole (R22, R39).

use super::address::Address;
use super::consent;
use super::course::Ending;
use super::decide::{Incoming, Known, Lead};
use super::developer::{self, NotHandedOver};
use super::directive::Directive;
use super::draft::{Draft, StatusChange};
use super::event::{Event, Outcome};
use super::extension;
use super::life::{self, Mover};
use super::notice::{Purpose, Tells, Template};
use super::people::{Developer, Specialist};
use super::policy::Desk;
use super::reclassify::{self, Reclassified};
use super::request::{Pending, Request, Status, Type};
use super::telling;
use super::transcript::Line;
use super::verb::Verb;

/// Characters of somebody's words that the history and a letter keep.
const WORDS: usize = 40_000;

/// Commands that can all be carried out.
pub(super) struct Plan<'a> {
    steps: Vec<Step<'a>>,
    silent: bool,
    /// Whether the history is asked for.
    pub(super) history: bool,
    /// Whether the commands are asked for.
    pub(super) help: bool,
}

/// One thing to do.
enum Step<'a> {
    Note {
        command: Option<Verb>,
        words: String,
    },
    Type(Type),
    Kind(Reclassified<'a>),
    HandOver {
        to: &'a Developer,
        words: String,
    },
    Extend {
        days: u32,
        reason: String,
    },
    Approval,
    Move {
        to: Status,
        words: String,
        ending: Option<Ending>,
    },
}

/// Weighs the commands of one letter; `text` is what stands below them.
///
/// # Errors
/// Everything that speaks against them: then none of them is carried out.
pub(super) fn weigh<'a>(
    desk: &'a Desk,
    incoming: &Incoming<'_>,
    lead: &'a Lead,
    directives: Vec<Directive>,
    text: &str,
) -> Result<Plan<'a>, Vec<Line>> {
    let mut weighing = Weighing {
        desk,
        request: &lead.request,
        becomes: becomes(&lead.request, &directives),
        text: Some(text.to_owned()).filter(|t| !t.is_empty()),
        silent: directives.contains(&Directive::Silent),
        plan: Plan {
            steps: vec![],
            silent: directives.contains(&Directive::Silent),
            history: directives.contains(&Directive::History),
            help: directives.contains(&Directive::Help),
        },
        faults: vec![],
    };
    // Whatever moves the request takes the text, wherever it stands; a note then has its words in its own line.
    let mut directives = directives;
    directives.sort_by_key(|d| matches!(d, Directive::Note(_)));
    for directive in directives {
        weighing.weigh(incoming, lead, directive);
    }
    weighing.end()
}

/// The request with the type that the same letter gives it: consent is needed for that.
fn becomes(request: &Request, directives: &[Directive]) -> Request {
    let mut becomes = request.clone();
    for directive in directives {
        if let Directive::Type(to) = directive {
            becomes.matter.type_ = *to;
        }
    }
    becomes
}

struct Weighing<'a> {
    desk: &'a Desk,
    request: &'a Request,
    becomes: Request,
    text: Option<String>,
    silent: bool,
    plan: Plan<'a>,
    faults: Vec<Line>,
}

impl<'a> Weighing<'a> {
    fn weigh(&mut self, incoming: &Incoming<'_>, lead: &'a Lead, directive: Directive) {
        let verb = directive.verb();
        match directive {
            Directive::Silent | Directive::History | Directive::Help => {}
            Directive::InProgress => self.moves(Status::InProgress, String::new(), None),
            Directive::Ask(behind) => {
                let words = self.words(behind);
                if words.is_empty() {
                    self.fault(verb, "There is no question: write it below the command");
                }
                if self.silent {
                    self.fault(
                        verb,
                        "A question that is mailed to nobody cannot be answered",
                    );
                }
                self.moves(Status::AwaitingInformation, words, None);
            }
            Directive::Resolve(behind) => {
                let words = self.words(behind);
                if words.is_empty() {
                    self.fault(verb, NO_COMMENT);
                }
                self.moves(Status::Resolved, words, Some(Ending::Solved));
            }
            Directive::Close(behind) => {
                let words = self.words(behind);
                if words.is_empty() && self.request.status != Status::Resolved {
                    self.fault(verb, NO_COMMENT);
                }
                let before = self.request.course.ending.filter(|_| words.is_empty());
                self.moves(Status::Closed, words, before.or(Some(Ending::Solved)));
            }
            Directive::Developer(named) => self.hand_over(&named),
            Directive::Type(to) => self.plan.steps.push(Step::Type(to)),
            Directive::Kind(to) => match reclassify::weigh(self.desk, incoming, lead, to) {
                Ok(Reclassified::Order(_)) if self.silent => {
                    self.fault(
                        verb,
                        "An order is made with its requester's knowledge, not silently",
                    );
                }
                Ok(reclassified) => self.plan.steps.push(Step::Kind(reclassified)),
                Err(why) => self.fault(verb, &why),
            },
            Directive::Note(behind) => {
                let words = if behind.is_empty() {
                    self.text.take().unwrap_or_default()
                } else {
                    behind
                };
                if words.is_empty() {
                    self.fault(verb, "The note says nothing: write it behind the command");
                }
                let command = Some(verb);
                self.plan.steps.push(Step::Note { command, words });
            }
            Directive::Decline(behind) => {
                let words = self.words(behind);
                if words.is_empty() {
                    self.fault(verb, "Only with a reason: write it below the command, it is mailed to the requester (R26)");
                }
                self.moves(Status::Closed, words, Some(Ending::Declined));
            }
            Directive::Extend(days, behind) => {
                let reason = self.words(behind);
                if reason.is_empty() {
                    self.fault(verb, "Only with a reason: the approvers weigh it, and the requester reads it (R20)");
                }
                match extension::may_ask(self.desk, self.request, days) {
                    Ok(()) => self.plan.steps.push(Step::Extend { days, reason }),
                    Err(why) => self.fault(verb, why),
                }
            }
            Directive::Approval => match consent::may_ask(self.desk, &self.becomes) {
                Ok(()) => self.plan.steps.push(Step::Approval),
                Err(why) => self.fault(verb, why),
            },
            // It stands alone, and is decided on before.
            Directive::Call(_) => {}
        }
    }

    /// What stands behind the command and below all of them.
    fn words(&mut self, behind: String) -> String {
        match (behind.is_empty(), self.text.take()) {
            (false, Some(text)) => format!("{behind}\n\n{text}"),
            (false, None) => behind,
            (true, text) => text.unwrap_or_default(),
        }
    }

    fn moves(&mut self, to: Status, words: String, ending: Option<Ending>) {
        if self.may_move(to) && !self.is_barred(to, ending) {
            self.plan.steps.push(Step::Move { to, words, ending });
        }
    }

    /// R25, H86: what nobody has consented to is not done.
    fn is_barred(&mut self, to: Status, ending: Option<Ending>) -> bool {
        let barred = consent::bars(&self.becomes, to, ending);
        if barred {
            let why = format!(
                "It is {}, and nobody has consented to it (R25): wait for the approvers, decline it, or change its type",
                self.becomes.matter.type_.word()
            );
            self.fault(super::specialist::verb_of(to), &why);
        }
        barred
    }

    fn may_move(&mut self, to: Status) -> bool {
        let from = self.request.status;
        let verb = super::specialist::verb_of(to);
        if self.request.number.is_none() {
            self.fault(verb, "It has no number yet: it waits for the opening");
        } else if from == to {
            self.fault(verb, &format!("Its status is {} already", from.word()));
        } else if !life::may(from, to, Mover::Specialist) {
            let why = format!("From {} there is no way to {}", from.word(), to.word());
            self.fault(verb, &why);
        } else {
            return true;
        }
        false
    }

    fn hand_over(&mut self, named: &str) {
        let words = self.text.take().unwrap_or_default();
        let verb = Verb::Developer;
        let to = Status::WithDeveloper;
        match developer::meant(self.desk, self.request, named) {
            Ok(developer) => {
                if self.may_move(to) && !self.is_barred(to, None) {
                    let to = developer;
                    self.plan.steps.push(Step::HandOver { to, words });
                }
            }
            Err(NotHandedOver::Nobody) => {
                self.fault(verb, "No developer is listed in the configuration");
            }
            Err(NotHandedOver::Unknown) => {
                self.fault(verb, &format!("No developer is called {named}"));
            }
            Err(NotHandedOver::WhichOne(names)) => {
                self.fault(verb, &format!("Which developer? {}", names.join(", ")));
            }
        }
    }

    fn fault(&mut self, verb: Verb, why: &str) {
        self.faults.push(Line::of(verb, why));
    }

    fn end(mut self) -> Result<Plan<'a>, Vec<Line>> {
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        if let Some(words) = self.text.take() {
            let command = None;
            self.plan.steps.push(Step::Note { command, words });
        }
        // What the requester is told of the move says already what the other commands did.
        let moves = |s: &Step<'_>| matches!(s, Step::Move { .. } | Step::HandOver { .. });
        self.plan.steps.sort_by_key(moves);
        Ok(self.plan)
    }
}

const NO_COMMENT: &str = "Only with a comment on the solution: write it below the command, it is mailed to the requester (R22)";

/// Does all of it; what became of each command.
pub(super) fn carry_out(
    draft: &mut Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    person: &Specialist,
    plan: Plan<'_>,
) -> Vec<Line> {
    let mut doing = Doing {
        known,
        incoming,
        request: &lead.request,
        by: &person.address,
        silent: plan.silent,
        lines: vec![],
    };
    for step in plan.steps {
        doing.step(draft, lead, step);
    }
    if plan.history {
        doing.line(Verb::History, "It stands below");
    }
    if plan.help {
        doing.line(Verb::Help, "The commands stand below");
    }
    doing.lines
}

struct Doing<'d> {
    known: &'d Known,
    incoming: &'d Incoming<'d>,
    request: &'d Request,
    by: &'d Address,
    silent: bool,
    lines: Vec<Line>,
}

impl Doing<'_> {
    fn line(&mut self, verb: Verb, said: impl Into<String>) {
        self.lines.push(Line::of(verb, said));
    }

    fn step(&mut self, draft: &mut Draft<'_>, lead: &Lead, step: Step<'_>) {
        match step {
            Step::Note { command, words } => {
                draft.event(Event::Noted {
                    what: words.chars().take(WORDS).collect(),
                });
                match command {
                    Some(verb) => self.line(verb, "Entered, it stays inside"),
                    None => self.lines.push(Line::whole(
                        "The text below the commands stays inside, as a note",
                    )),
                }
            }
            Step::Type(to) => self.type_(draft, to),
            Step::Kind(to) => {
                let said = reclassify::carry_out(draft, lead, self.by, to);
                self.line(Verb::Kind, said);
            }
            Step::HandOver { to, words } => self.hand_over(draft, to, words),
            Step::Extend { days, reason } => self.extend(draft, days, &reason),
            Step::Approval => {
                consent::ask(draft, self.known.opening.as_deref());
                self.line(Verb::Approval, "The approvers are asked");
            }
            Step::Move { to, words, ending } => self.moves(draft, to, words, ending),
        }
    }

    fn type_(&mut self, draft: &mut Draft<'_>, to: Type) {
        if self.request.matter.type_ == to {
            let said = format!("It is {} already", to.word());
            return self.line(Verb::Type, said);
        }
        draft.because(format!("A specialist made it {} (R25)", to.word()));
        draft.event(Event::TypeChanged {
            to,
            by: self.by.clone(),
        });
        self.line(Verb::Type, format!("Type {}", to.word()));
        let opening = self.known.opening.as_deref();
        if self.request.number.is_some() && consent::is_needed(to) && consent::ask(draft, opening) {
            self.line(Verb::Approval, "The approvers are asked");
        }
    }

    /// R27: the status first, which the requester and the developer are told.
    fn hand_over(&mut self, draft: &mut Draft<'_>, to: &Developer, words: String) {
        self.line(Verb::Developer, format!("Handed over to {}", to.name));
        self.moves(draft, Status::WithDeveloper, String::new(), None);
        let words: String = words.chars().take(WORDS).collect();
        let words = Some(words).filter(|w| !w.is_empty());
        if let Some(what) = words.clone() {
            draft.event(Event::Noted { what });
        }
        developer::hand_over(draft, self.known, to, words, self.by);
    }

    /// R20: the due moment stays until the approvers agree.
    fn extend(&mut self, draft: &mut Draft<'_>, days: u32, reason: &str) {
        let reason: String = reason.chars().take(WORDS).collect();
        let opening = self.known.opening.as_deref();
        extension::ask(draft, opening, days, &reason, self.by);
        let said = "The approvers are asked; until they agree the due date stays";
        self.line(Verb::Extend, said);
    }

    /// R22, R24: the status changes as of the letter's arrival, and the requester is told in their thread.
    fn moves(&mut self, draft: &mut Draft<'_>, to: Status, words: String, ending: Option<Ending>) {
        let words: String = words.chars().take(WORDS).collect();
        let solves = matches!(to, Status::Resolved | Status::Closed);
        if solves && !words.is_empty() {
            let (by, text) = (self.by.clone(), words.clone());
            draft.event(match ending {
                Some(Ending::Declined) => Event::Declined { by, text },
                Some(Ending::Solved | Ending::Unanswered | Ending::Withdrawn) | None => {
                    Event::Solved { by, text }
                }
            });
        }
        if to == Status::Closed {
            self.settle_all(draft);
        }
        draft.because(format!("A specialist made its status {} (R22)", to.word()));
        draft.change_status(StatusChange {
            to,
            by: Some(self.by.clone()),
            why: why(to),
            at: self.incoming.arrived,
            ending,
        });
        let verb = match ending {
            Some(Ending::Declined) => Verb::Decline,
            Some(Ending::Solved | Ending::Unanswered | Ending::Withdrawn) | None => {
                super::specialist::verb_of(to)
            }
        };
        let status = to.word();
        let said = if self.tell(draft, &words) {
            let matter = &self.request.matter;
            format!("Status {status}; mailed to {}", matter.requester)
        } else {
            format!("Status {status}; the requester is not written to")
        };
        self.line(verb, said);
        if !words.is_empty() && !self.incoming.letter.attachments.is_empty() && !self.silent {
            let said = "The files of your letter stay inside: they were not sent along";
            self.lines.push(Line::whole(said));
        }
    }

    /// What nobody needs to say a word on any more; approvers are told of that elsewhere.
    fn settle_all(&self, draft: &mut Draft<'_>) {
        let open = draft.stands().map(|r| r.pending).unwrap_or_default();
        let still = |p: &&Pending| open.iter().any(|o| o.id == p.id);
        let approvers = |p: &&Pending| consent::Question::of(self.request, p.kind).is_some();
        let pending = self.request.pending.iter().filter(|p| !approvers(p));
        for pending in pending.filter(still) {
            draft.event(Event::Settled {
                pending: pending.id,
                outcome: Outcome::Superseded,
                by: Some(self.by.clone()),
            });
        }
    }

    /// Whether the requester is told. A specialist's own words reach whoever wrote; without them only those who are written to by themselves.
    fn tell(&self, draft: &mut Draft<'_>, words: &str) -> bool {
        let (matter, state) = draft.after(self.request);
        let by_itself = matter.acknowledged && !matter.quiet;
        if self.silent || (words.is_empty() && !by_itself) {
            return false;
        }
        let tells = Tells {
            text: Some(words.to_owned()).filter(|w| !w.is_empty()),
            ..telling::tells(draft.desk, &matter, state)
        };
        draft.tell(telling::to_requester(
            Template::StatusChanged,
            &matter,
            telling::continuing(&matter),
            Purpose::Reply,
            tells,
        ));
        true
    }
}

fn why(to: Status) -> &'static str {
    match to {
        Status::InProgress => "A specialist took it up again",
        Status::WithDeveloper => "A specialist handed it to a developer",
        Status::AwaitingInformation => "A specialist asked for information",
        Status::Resolved => "A specialist resolved it",
        Status::Closed => "A specialist closed it",
    }
}
