//! A letter of the desk's own people about a request: commands, an approver's word, a developer's reply, or a note that stays inside (R26, R27, R38, R39).

use super::address::Address;
use super::approval;
use super::authority;
use super::decide::{Decision, Incoming, Known, Lead, Verdict};
use super::developer;
use super::directive;
use super::draft::Draft;
use super::event::Event;
use super::people::Standing;
use super::reception;
use super::specialist;
use super::succession::conduct;
use super::telling::{self, State};

/// In doubt a letter of the desk's own people stays inside (R38), unless it is a specialist's with commands (R39).
pub(super) fn letter(
    draft: Draft<'_>,
    known: &Known,
    incoming: &Incoming<'_>,
    lead: &Lead,
    standing: &Standing<'_>,
    address: &Address,
) -> Decision {
    if let Standing::Specialist(person) = standing {
        if conduct::is_about(incoming, lead) {
            return conduct::letter(draft, known, incoming, lead, person);
        }
        let spoken = directive::read(&incoming.letter.new_text);
        if spoken.is_command() {
            return specialist::letter(draft, known, incoming, Some(lead), person, spoken);
        }
    }
    let authentication = incoming.mailbox.authentication;
    let answers_own = specialist::answers_own(draft.desk, lead, address);
    if !authority::is_credible(incoming.assurance, authentication)
        || !(authority::is_proved(incoming.assurance, authentication) || answers_own)
    {
        let tells = telling::tells(draft.desk, &lead.request.matter, State::of(&lead.request));
        return reception::held(
            draft,
            incoming,
            tells,
            "It claims to come from the desk's own people and nothing proves it (R13)".into(),
        );
    }
    let mut draft = match approval::without_secret(draft, known, incoming, lead, standing, address)
    {
        Ok(decision) => return decision,
        Err(draft) => *draft,
    };
    if let Standing::Developer(developer) = standing {
        return developer::replied(draft, incoming, lead, developer);
    }
    draft.because(
        "One of the desk's own people wrote it: entered as a note that stays inside (R38)",
    );
    draft.concerns(&lead.request);
    draft.event(Event::Attached {
        by: address.clone(),
        evidence: lead.evidence.in_words().to_owned(),
        internal: true,
    });
    draft.end(Verdict::Attached)
}
