//! A resolver against a private server on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

#[path = "../../../tests/support/private_dns.rs"]
mod private_dns;

use super::*;
use private_dns::{PrivateDns, Said};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn asking(dns: &PrivateDns, patience: u64) -> Resolver {
    Resolver::asking(Some(vec![dns.address]), Duration::from_millis(patience))
}

async fn one(resolver: &mut Resolver, name: &str, now: DateTime<Utc>) -> Answer {
    let names = BTreeSet::from([name.to_owned()]);
    let mut answers = resolver.answers(names, now).await;
    answers.remove(name).unwrap()
}

fn found(text: &str) -> Answer {
    Answer::Found {
        texts: vec![text.to_owned()],
        secure: false,
    }
}

#[tokio::test]
async fn texts_absence_and_failure_are_told_apart() {
    let dns = PrivateDns::start();
    let long = "p=".to_owned() + &"k".repeat(900);
    dns.say("key.x.example", Said::Texts(vec![long.clone()]));
    dns.say("large.x.example", Said::OverTcp(vec![long.clone()]));
    dns.say("broken.x.example", Said::Fails);
    let mut resolver = asking(&dns, 5000);
    assert_eq!(
        one(&mut resolver, "key.x.example", at(0)).await,
        found(&long)
    );
    assert_eq!(
        one(&mut resolver, "large.x.example", at(0)).await,
        found(&long)
    );
    assert_eq!(
        one(&mut resolver, "none.x.example", at(0)).await,
        Answer::Nothing
    );
    let broken = one(&mut resolver, "broken.x.example", at(0)).await;
    assert_eq!(broken, Answer::Silent("the DNS server failed"));
}

#[tokio::test]
async fn p10_silence_is_bounded_and_asked_again_later() {
    let dns = PrivateDns::start();
    dns.say("key.x.example", Said::Silence);
    let mut resolver = asking(&dns, 100);
    let silent = Answer::Silent(SILENT);
    assert_eq!(one(&mut resolver, "key.x.example", at(0)).await, silent);
    dns.say("key.x.example", Said::Texts(vec!["p=".to_owned()]));
    // It rests: nobody else is held up either.
    let before = dns.asked().len();
    assert_eq!(one(&mut resolver, "other.x.example", at(5)).await, silent);
    assert_eq!(dns.asked().len(), before);
    let mut patient = asking(&dns, 5000);
    patient.memory = std::mem::take(&mut resolver.memory);
    assert_eq!(one(&mut patient, "key.x.example", at(15)).await, silent);
    assert_eq!(
        one(&mut patient, "key.x.example", at(25)).await,
        found("p=")
    );
}

#[tokio::test]
async fn an_answer_is_remembered_as_long_as_it_holds() {
    let dns = PrivateDns::start();
    dns.say("key.x.example", Said::Texts(vec!["p=".to_owned()]));
    let mut resolver = asking(&dns, 5000);
    for (seconds, asked) in [(0, 1), (59, 1), (61, 2)] {
        assert_eq!(
            one(&mut resolver, "key.x.example", at(seconds)).await,
            found("p=")
        );
        assert_eq!(dns.asked().len(), asked, "after {seconds} s");
    }
}

#[tokio::test]
async fn the_next_server_is_asked_where_one_fails() {
    let (broken, good) = (PrivateDns::start(), PrivateDns::start());
    broken.say("key.x.example", Said::Fails);
    good.say("key.x.example", Said::Texts(vec!["p=".to_owned()]));
    let servers = vec![broken.address, good.address];
    let mut resolver = Resolver::asking(Some(servers), Duration::from_secs(5));
    assert_eq!(
        one(&mut resolver, "key.x.example", at(0)).await,
        found("p=")
    );
}

#[tokio::test]
async fn s31_the_memory_is_bounded() {
    let mut resolver = Resolver::nobody();
    for at_name in 0..REMEMBERED + 10 {
        resolver.remember(&format!("{at_name}.example"), &Answer::Nothing, 60, at(0));
    }
    assert_eq!(resolver.memory.len(), REMEMBERED);
}

#[tokio::test]
async fn p10_however_many_names_are_silent_they_cost_the_time_of_one() {
    let dns = PrivateDns::start();
    let names: BTreeSet<String> = (0..600).map(|n| format!("s{n}.x.example")).collect();
    for name in &names {
        dns.say(name, Said::Silence);
    }
    dns.say("a.x.example", Said::Texts(vec!["p=".to_owned()]));
    let asked = &names | &BTreeSet::from(["a.x.example".to_owned()]);
    let started = std::time::Instant::now();
    let answers = asking(&dns, 500).answers(asked.clone(), at(0)).await;
    assert!(started.elapsed() < Duration::from_secs(3));
    assert_eq!(answers.len(), asked.len());
    assert_eq!(answers["a.x.example"], found("p="));
    let silent = |name: &&String| matches!(answers[*name], Answer::Silent(_));
    assert_eq!(names.iter().filter(silent).count(), names.len());
}
