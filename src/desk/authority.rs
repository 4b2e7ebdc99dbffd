//! Who may do what (R7, R10, R13): the only place that grants anything, and it grants nothing without a [`SenderAssurance`].

use super::assurance::{Level, SenderAssurance};
use super::people::{Appointment, OrdersRequire, Role};
use super::policy::{Authentication, OrdersFromAdditional};

/// What a representative's letter may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// An order, at once.
    Order,
    /// A question, at once.
    Question,
    /// A question until the sender confirms from the registered address (R13).
    AfterChallenge,
    /// A question until the primary confirms (R10).
    AfterPrimary,
    /// Nothing: only a primary may order, and the desk does not take such orders as questions (R10 ⚙).
    NotAtAll,
    /// Nothing before a specialist has looked: the evidence speaks against the sender, or more is demanded than can be proved by mail.
    Hold,
}

/// What the sender wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// That something be done.
    Order,
    /// That something be explained.
    Question,
}

/// R7, R10, R13: what this representative's wish may become on this evidence. The reason goes into the decision.
pub fn grant(
    wish: Wish,
    appointment: &Appointment<'_>,
    assurance: &SenderAssurance,
    authentication: Authentication,
    from_additional: OrdersFromAdditional,
) -> (Grant, &'static str) {
    if !is_credible(assurance, authentication) {
        return (Grant::Hold, "The evidence speaks against the sender (R13)");
    }
    if wish == Wish::Question {
        let demanded = authentication == Authentication::Required;
        if demanded && !assurance.is_authenticated() {
            let why = "This mailbox demands authentication for everything (R13)";
            return (Grant::AfterChallenge, why);
        }
        return (Grant::Question, "A representative may ask (R7)");
    }
    match (appointment.person.role, from_additional) {
        (Role::Primary, _) => order_of_primary(appointment, assurance, authentication),
        (Role::Additional | Role::Contract, OrdersFromAdditional::Question) => (
            Grant::AfterPrimary,
            "Only the primary representative may issue orders; this one needs their word (R10)",
        ),
        (Role::Additional | Role::Contract, OrdersFromAdditional::Refuse) => (
            Grant::NotAtAll,
            "Only the primary representative may issue orders (R7, R10)",
        ),
    }
}

fn order_of_primary(
    appointment: &Appointment<'_>,
    assurance: &SenderAssurance,
    authentication: Authentication,
) -> (Grant, &'static str) {
    let demanded = match appointment.customer.orders_require {
        OrdersRequire::Domain if authentication == Authentication::Off => {
            return (Grant::Order, "This mailbox demands no authentication (R13)");
        }
        OrdersRequire::Domain => Level::Domain,
        OrdersRequire::Confirmation => Level::Challenged,
        OrdersRequire::Signature => Level::Signed,
    };
    if assurance.level() >= demanded {
        (
            Grant::Order,
            "The primary representative may issue orders, and the letter is theirs (R7, R13)",
        )
    } else if demanded == Level::Signed {
        (Grant::Hold, "This customer's orders need a signature (R13)")
    } else {
        (
            Grant::AfterChallenge,
            "The primary's order is not authenticated as it must be: the registered address is asked (R13)",
        )
    }
}

/// What a letter of somebody who may ask for a change of representative becomes (R28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It opens the procedure.
    Proved,
    /// It does, but counts as its sender's only once they confirm from the registered address (R13).
    AfterChallenge,
    /// Nothing before a specialist has looked.
    Hold,
}

/// What asking for a change of representative demands where orders demand this: a signature is no more than a confirmation there.
pub fn to_ask(demand: OrdersRequire) -> OrdersRequire {
    match demand {
        OrdersRequire::Domain => OrdersRequire::Domain,
        OrdersRequire::Confirmation | OrdersRequire::Signature => OrdersRequire::Confirmation,
    }
}

/// R28, R13: what asking for a change of representative takes. It changes nothing by itself, so no signature is demanded here; R30 does that.
pub fn opening(
    demand: OrdersRequire,
    assurance: &SenderAssurance,
    authentication: Authentication,
) -> (Opening, &'static str) {
    let proved = match demand {
        OrdersRequire::Domain => is_proved(assurance, authentication),
        OrdersRequire::Confirmation | OrdersRequire::Signature => {
            assurance.level() >= Level::Challenged
        }
    };
    if !is_credible(assurance, authentication) {
        (
            Opening::Hold,
            "The evidence speaks against the sender (R13)",
        )
    } else if proved {
        (
            Opening::Proved,
            "The sender is proved well enough to ask (R13)",
        )
    } else {
        (
            Opening::AfterChallenge,
            "The sender is not authenticated as they must be: the registered address is asked (R13)",
        )
    }
}

/// Whether a letter may count as its sender's at all: nothing that a positive failure of authentication speaks against (TRUST L0).
pub fn is_credible(assurance: &SenderAssurance, authentication: Authentication) -> bool {
    authentication == Authentication::Off || assurance.level() > Level::None
}

/// Whether a letter's sender is proved well enough to act for themselves: authenticated, or nobody asks (R13).
pub fn is_proved(assurance: &SenderAssurance, authentication: Authentication) -> bool {
    authentication == Authentication::Off || assurance.is_authenticated()
}

/// Whether a word of confirmation counts (R13). Where the customer's orders need no more than the domain's word, its sender must be
/// proved; where they need a confirmation, the word must carry the secret of the very letter that asked for it (`answers_secret`);
/// where they need a signature, be signed.
pub fn may_confirm(
    assurance: &SenderAssurance,
    authentication: Authentication,
    demand: OrdersRequire,
    answers_secret: bool,
) -> bool {
    match demand {
        OrdersRequire::Domain => is_proved(assurance, authentication),
        OrdersRequire::Confirmation => assurance.level() >= Level::Challenged && answers_secret,
        OrdersRequire::Signature => assurance.level() >= Level::Signed,
    }
}

/// Whether an approver's word counts (R13, R26): its sender must be proved, and it must carry the secret of the very letter that asked for it.
pub fn may_approve(
    assurance: &SenderAssurance,
    authentication: Authentication,
    answers_secret: bool,
) -> bool {
    answers_secret && is_credible(assurance, authentication) && is_proved(assurance, authentication)
}

/// Whether a specialist's commands take effect (R13, S43, `TRUST` T9): their sender must be proved, and the letter must answer one that the
/// desk wrote to this very specialist; what registers something new (`opens`) answers nothing. What is missing where they do not.
///
/// # Errors
/// What is missing, in words.
pub fn may_command(
    assurance: &SenderAssurance,
    authentication: Authentication,
    answers_own: bool,
    opens: bool,
) -> Result<(), &'static str> {
    if !is_credible(assurance, authentication) || !is_proved(assurance, authentication) {
        return Err("Nothing proves that the letter is the specialist's (R13)");
    }
    if !answers_own && !opens {
        return Err(
            "It answers no letter that the desk wrote to this very specialist about a request (S43)",
        );
    }
    Ok(())
}

/// Whether a sender who is not on file may be written to at all (R12, S37, S38): never on the strength of `From:` alone.
pub fn may_be_answered(assurance: &SenderAssurance, authentication: Authentication) -> bool {
    authentication == Authentication::Off || assurance.is_authenticated()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r26_an_approvers_word_needs_proof_and_the_secret() {
        let levels = Level::ALL.map(|level| SenderAssurance::recorded(level, "test"));
        let may = |authentication, secret| {
            levels
                .each_ref()
                .map(|a| may_approve(a, authentication, secret))
        };
        for authentication in [Authentication::Required, Authentication::Orders] {
            assert_eq!(may(authentication, true), [false, false, true, true, true]);
            assert_eq!(may(authentication, false), [false; 5]);
        }
        assert_eq!(may(Authentication::Off, false), [false; 5]);
    }

    #[test]
    fn s43_commands_need_proof_and_an_own_letter() {
        let levels = Level::ALL.map(|level| SenderAssurance::recorded(level, "test"));
        let may = |authentication, own, opens| {
            let may = |a: &SenderAssurance| may_command(a, authentication, own, opens).is_ok();
            levels.each_ref().map(may)
        };
        let proved = [false, false, true, true, true];
        for demanded in [Authentication::Orders, Authentication::Required] {
            assert_eq!(may(demanded, true, false), proved);
            assert_eq!(may(demanded, false, false), [false; 5]);
            assert_eq!(may(demanded, false, true), proved);
        }
        assert_eq!(may(Authentication::Off, true, false), [true; 5]);
        assert_eq!(may(Authentication::Off, false, false), [false; 5]);
    }

    #[test]
    fn r13_a_word_needs_what_the_customers_orders_need() {
        use OrdersRequire::{Confirmation, Domain, Signature};
        let levels = Level::ALL.map(|level| SenderAssurance::recorded(level, "test"));
        let may = |demand, secret| {
            let may = |a: &SenderAssurance| may_confirm(a, Authentication::Orders, demand, secret);
            levels.each_ref().map(may)
        };
        for secret in [false, true] {
            assert_eq!(may(Domain, secret), [false, false, true, true, true]);
            assert_eq!(may(Signature, secret), [false, false, false, false, true]);
        }
        // Another letter's secret proves the sender, and is no word on this order.
        assert_eq!(may(Confirmation, false), [false; 5]);
        assert_eq!(may(Confirmation, true), [false, false, false, true, true]);
    }
}
