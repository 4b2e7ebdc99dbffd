//! Whether a signing domain speaks for the domain in `From:` (DMARC, RFC 9989 4.10 and 5.1): the same one, or one of the same
//! organisation, which the walk up the DNS tree finds. No list of public suffixes is needed.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answer;
use super::tags;
use crate::mail::witness::is_below;

/// Records looked for above one domain at most (RFC 9989 4.10).
const STEPS: usize = 8;

/// Whether a domain speaks for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alignment {
    /// It does.
    Aligned,
    /// It doesn't.
    Apart,
    /// The DNS did not answer.
    Unknown,
}

/// Whether the one could speak for the other at all; else nothing need be asked. Only the same domain, one above or one below: two that stand
/// side by side may have nothing in common but the suffix under which both registered, and whoever owns the other one would learn from our
/// questions who is on file here.
pub fn related(signer: &str, from: &str) -> bool {
    signer == from || is_below(signer, from) || is_below(from, signer)
}

/// The names whose texts tell whether the one speaks for the other.
pub fn questions(signer: &str, from: &str) -> BTreeSet<String> {
    if signer == from || !related(signer, from) {
        return BTreeSet::new();
    }
    let names = walk(signer).into_iter().chain(walk(from));
    names.map(|domain| record_name(&domain)).collect()
}

/// Judges by the answers.
pub fn alignment(signer: &str, from: &str, answers: &BTreeMap<String, Answer>) -> Alignment {
    if signer == from {
        return Alignment::Aligned;
    }
    if !related(signer, from) {
        return Alignment::Apart;
    }
    match (organisation(signer, answers), organisation(from, answers)) {
        (Some(signers), Some(froms)) if signers.domain == froms.domain && !froms.strict => {
            Alignment::Aligned
        }
        (Some(_), Some(_)) => Alignment::Apart,
        (None, _) | (_, None) => Alignment::Unknown,
    }
}

struct Organisation {
    domain: String,
    /// `adkim=s`: only the very domain may sign.
    strict: bool,
}

/// The organisation of a domain; none if the DNS did not answer.
fn organisation(domain: &str, answers: &BTreeMap<String, Answer>) -> Option<Organisation> {
    let mut found: Option<String> = None;
    let mut policy: Option<bool> = None;
    let mut below = domain.to_owned();
    for (at, step) in walk(domain).into_iter().enumerate() {
        let record = match answers.get(&record_name(&step)) {
            Some(Answer::Found { texts, .. }) => record(texts),
            Some(Answer::Nothing) => None,
            Some(Answer::Silent(_)) | None => return None,
        };
        if let Some(record) = record {
            let public = record.psd == "y" && at > 0;
            if public {
                // A suffix under which others register: the organisation is what stands right below it.
                found = Some(below);
                break;
            }
            policy.get_or_insert(record.strict);
            found = Some(step.clone());
            if record.psd == "n" {
                break;
            }
        }
        below = step;
    }
    Some(Organisation {
        domain: found.unwrap_or_else(|| domain.to_owned()),
        strict: policy.unwrap_or(false),
    })
}

struct Record {
    psd: String,
    strict: bool,
}

/// The one DMARC record among texts; several count as none (RFC 9989 4.10).
fn record(texts: &[String]) -> Option<Record> {
    let mut records = texts.iter().filter_map(|text| {
        let tags = tags::read(text)?;
        let first = text.trim_start().starts_with('v');
        (first && tags.get("v") == Some(&"DMARC1")).then(|| Record {
            psd: tags.get("psd").unwrap_or(&"u").to_ascii_lowercase(),
            strict: tags
                .get("adkim")
                .is_some_and(|a| a.eq_ignore_ascii_case("s")),
        })
    });
    let record = records.next()?;
    records.next().is_none().then_some(record)
}

fn record_name(domain: &str) -> String {
    format!("_dmarc.{domain}")
}

/// The domain and those above it; of a very deep one only the upper seven labels after the first step.
fn walk(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let mut steps = vec![domain.to_owned()];
    let above = labels.len().saturating_sub(1).min(STEPS.saturating_sub(1));
    for count in (1..=above).rev() {
        let from = labels.len().saturating_sub(count);
        steps.push(labels.get(from..).unwrap_or_default().join("."));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(signer: &str, from: &str, records: &[(&str, &str)]) -> Alignment {
        let told = |name: &String| {
            let found = records.iter().find(|(n, _)| format!("_dmarc.{n}") == *name);
            let answer = match found {
                Some((_, "?")) => Answer::Silent("no answer"),
                Some((_, text)) => Answer::Found {
                    texts: vec!["other".to_owned(), (*text).to_owned()],
                    secure: false,
                },
                None => Answer::Nothing,
            };
            (name.clone(), answer)
        };
        alignment(
            signer,
            from,
            &questions(signer, from).iter().map(told).collect(),
        )
    }

    #[test]
    fn c35_one_domain_needs_no_question_and_strangers_neither() {
        assert!(questions("x.example", "x.example").is_empty());
        assert!(questions("y.example", "x.example").is_empty());
        // P7: the owner of a neighbour under one suffix would see the question, and learn who is on file.
        assert!(questions("evil.co.example", "x.co.example").is_empty());
        assert_eq!(judge("x.example", "x.example", &[]), Alignment::Aligned);
        assert_eq!(judge("y.example", "x.example", &[]), Alignment::Apart);
        assert_eq!(judge("evilx.example", "x.example", &[]), Alignment::Apart);
        assert_eq!(judge("example", "x.example", &[]), Alignment::Apart);
    }

    #[test]
    fn c35_the_tree_tells_who_is_of_one_organisation() {
        const P: &str = "v=DMARC1; p=none";
        for (signer, from, records, expected) in [
            (
                "mail.x.example",
                "x.example",
                &[("x.example", P)][..],
                Alignment::Aligned,
            ),
            (
                "x.example",
                "mail.x.example",
                &[("x.example", P)],
                Alignment::Aligned,
            ),
            // Side by side: one suffix, perhaps, and two owners.
            (
                "a.x.example",
                "b.x.example",
                &[("x.example", P)],
                Alignment::Apart,
            ),
            ("mail.x.example", "x.example", &[], Alignment::Apart),
            // A suffix under which anybody registers.
            (
                "evil.spb.example",
                "spb.example",
                &[("spb.example", "v=DMARC1; psd=y")],
                Alignment::Apart,
            ),
            (
                "evil.spb.example",
                "school.spb.example",
                &[
                    ("spb.example", "v=DMARC1; psd=y"),
                    ("school.spb.example", P),
                    ("evil.spb.example", P),
                ],
                Alignment::Apart,
            ),
            (
                "m.school.spb.example",
                "school.spb.example",
                &[("spb.example", "v=DMARC1; psd=y")],
                Alignment::Aligned,
            ),
            // An organisation of its own below another's.
            (
                "x.example",
                "own.x.example",
                &[("x.example", P), ("own.x.example", "v=DMARC1; psd=n")],
                Alignment::Apart,
            ),
            (
                "mail.x.example",
                "x.example",
                &[("x.example", "v=DMARC1; adkim=s")],
                Alignment::Apart,
            ),
            // The sender's own policy is the one nearest to it.
            (
                "x.example",
                "strict.x.example",
                &[("x.example", P), ("strict.x.example", "v=DMARC1; adkim=s")],
                Alignment::Apart,
            ),
            // What merely holds such tags is no record.
            (
                "mail.x.example",
                "x.example",
                &[("x.example", "p=none; v=DMARC1")],
                Alignment::Apart,
            ),
            (
                "mail.x.example",
                "x.example",
                &[("x.example", "?")],
                Alignment::Unknown,
            ),
            (
                "mail.x.example",
                "x.example",
                &[("example", "?"), ("x.example", P)],
                Alignment::Unknown,
            ),
        ] {
            assert_eq!(
                judge(signer, from, records),
                expected,
                "{signer} {from} {records:?}"
            );
        }
    }

    #[test]
    fn c35_of_two_records_none_counts() {
        let record = || "v=DMARC1; p=none".to_owned();
        let told = |texts: Vec<String>| {
            let found = Answer::Found {
                texts,
                secure: false,
            };
            let nothing = questions("mail.x.example", "x.example").into_iter();
            let mut answers: BTreeMap<_, _> = nothing.map(|n| (n, Answer::Nothing)).collect();
            answers.insert("_dmarc.x.example".to_owned(), found);
            alignment("mail.x.example", "x.example", &answers)
        };
        assert_eq!(told(vec![record()]), Alignment::Aligned);
        assert_eq!(told(vec![record(), record()]), Alignment::Apart);
    }

    #[test]
    fn s31_the_walk_is_short_however_deep_the_domain() {
        let deep = "a.b.c.d.e.f.g.h.i.j.x.example";
        let steps = walk(deep);
        assert_eq!(steps.len(), STEPS);
        assert_eq!(steps[1], "f.g.h.i.j.x.example");
        assert_eq!(steps[7], "example");
    }
}
