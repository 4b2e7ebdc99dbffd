//! `dns`: an answer that anybody may have sent is read within its caps, answers this question only, and proves no signature.

use postdesk::dns::message::{self, Reply};
use postdesk::examination;
use postdesk::mail::dkim::answer::Answer;

use super::{MAILBOX, desk, now};

const NUMBER: u16 = 0x5a5a;
const NAME: &str = "s._domainkey.raduga.example";
/// Signed by nobody: the signature is 64 octets of naught.
const SIGNED: &str = "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=raduga.example; s=s; h=from:subject;\n bh=eDCyaw7m810RhFf0TmGWGkTYiT/1GwL4/PCOGIr3ew4=;\n b=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\nFrom: maria@raduga.example\nTo: support@desk.example\nSubject: s\n\ntext\n";

/// The input is a datagram; then the number of records, and the records, of an answer to our question.
pub fn hold(input: &[u8]) {
    let told = read(input);
    if !input.starts_with(&NUMBER.to_be_bytes()) {
        assert_eq!(told, Reply::Foreign, "of another question");
    }
    let Some((records, rest)) = input.split_first() else {
        return;
    };
    let question = message::question(NUMBER, NAME).expect("a name");
    // The head is 12 octets, the question as long as its name and six more.
    let asked = question.get(12..12 + NAME.len() + 6).expect("a question");
    let head = [
        &NUMBER.to_be_bytes()[..],
        &[0x81, 0x80, 0, 1, 0, *records, 0, 0, 0, 0],
    ]
    .concat();
    let told = read(&[&head, asked, rest].concat());
    assert_ne!(told, Reply::Foreign, "our own question");
    if let Reply::Told(answer, _) = told {
        proves_nothing(answer);
    }
}

fn read(datagram: &[u8]) -> Reply {
    let told = message::reply(NUMBER, NAME, datagram);
    assert_eq!(told, message::reply(NUMBER, NAME, datagram), "read twice");
    if let Reply::Told(Answer::Found { texts, .. }, _) = &told {
        let octets: usize = texts.iter().map(String::len).sum();
        assert!(!texts.is_empty() && texts.len() <= 100);
        // What is no UTF-8 takes three octets for one.
        assert!(
            octets <= 3 * datagram.len().min(32 << 10),
            "{octets} octets"
        );
    }
    told
}

/// Whatever key it gives, nobody signed.
fn proves_nothing(answer: Answer) {
    let mut examined = examination::examine(SIGNED.as_bytes(), &desk(), MAILBOX, now());
    let questions = examined.questions();
    assert!(questions.contains(NAME), "nothing is tried: {questions:?}");
    examined.settle_at_last(&[(NAME.to_owned(), answer)].into());
    assert!(
        !examined.assurance.is_authenticated(),
        "{:?}",
        examined.assurance
    );
}
