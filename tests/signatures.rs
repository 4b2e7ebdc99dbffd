//! Electronic signatures, made by the system's `openssl` and checked by the product's own helper process (R29, R30, G13). Without the engine for
//! GOST these tests fail: `tests/run` installs it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use postdesk::clock::Clock;
use postdesk::config::signatures::SignatureConfig;
use postdesk::desk::signature::{
    Chain, Document, Flaw, Form, Obstacle, Revocation, SignatureCheck, Verdict,
};
use postdesk::mail::parse::{self, Caps};
use postdesk::signature::Checker;
use sha2::{Digest as _, Sha256};
use support::notary::{DIRECTOR, Key, Notary, Person};

const LETTER: &[u8] = "%PDF-1.4 Прошу назначить представителем Смирнова О. И.\r\n".as_bytes();

/// A desk's checker, which trusts the anchors of this folder.
fn checker(anchors: Option<&Path>) -> Checker {
    checker_with("/usr/bin/openssl", Some("gost"), anchors)
}

fn checker_with(program: &str, engine: Option<&str>, anchors: Option<&Path>) -> Checker {
    let config = SignatureConfig {
        anchors: anchors.map(Path::to_owned),
        program: PathBuf::from(program),
        engine: engine.map(str::to_owned),
    };
    Checker::new(config).with_helper(PathBuf::from(env!("CARGO_BIN_EXE_postdesk")))
}

fn now() -> DateTime<Utc> {
    // What was just issued is valid by now.
    Clock::System.now() + TimeDelta::seconds(60)
}

async fn checked(anchors: &Path, letter: &[u8]) -> Vec<SignatureCheck> {
    checker(Some(anchors)).check(letter, now()).await
}

/// The only signature of a letter.
async fn one(anchors: &Path, letter: &[u8]) -> SignatureCheck {
    let mut all = checked(anchors, letter).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// A letter with these files.
fn letter(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = String::from(
        "From: director@raduga.example\r\nSubject: =?utf-8?b?0KHQvNC10L3QsA==?=\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the letter.\r\n",
    );
    for (name, octets) in files {
        let name = format!("=?utf-8?b?{}?=", STANDARD.encode(name));
        out.push_str(&format!(
            "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        ));
        for line in STANDARD.encode(octets).as_bytes().chunks(76) {
            out.push_str(std::str::from_utf8(line).unwrap());
            out.push_str("\r\n");
        }
    }
    (out + "--b--\r\n").into_bytes()
}

fn attachment(name: &str) -> Vec<Document> {
    vec![Document::Attachment(name.to_owned())]
}

fn invalid(flaw: Flaw) -> Verdict {
    Verdict::Invalid(vec![flaw])
}

/// A notary with a director.
fn notary(kind: Key) -> (Notary, Person) {
    let notary = Notary::new(kind);
    let director = notary.person("director", kind, DIRECTOR, 0x1001);
    notary.publish_list(&[]);
    (notary, director)
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_signature_beside_its_document_is_checked_in_every_kind_of_key() {
    for kind in Key::ALL {
        let (notary, director) = notary(kind);
        let signature = notary.detached(LETTER, &[&director]);
        let files: [(&str, &[u8]); 3] = [
            ("Письмо.pdf", LETTER),
            ("Письмо.pdf.sig", &signature),
            ("Другое.pdf", b"%PDF-1.4 x"),
        ];
        let raw = letter(&files);
        let found = one(&notary.anchors, &raw).await;
        assert_eq!(found.form, Form::Detached("Письмо.pdf.sig".to_owned()));
        assert_eq!(found.verdict, Verdict::Valid, "{kind:?} {found:#?}");
        assert_eq!(found.documents, attachment("Письмо.pdf"));
        let [signer] = found.signers.as_slice() else {
            panic!("{found:#?}");
        };
        assert_eq!(signer.chain, Chain::Trusted);
        assert_eq!(signer.revocation, Revocation::Ok);
        assert_eq!(signer.subject.common_name, "МАУ ДО «Радуга»");
        assert_eq!(signer.subject.person, "Иванова Мария Петровна");
        assert_eq!(signer.subject.title, "Директор");
        assert_eq!(signer.subject.inn_of_organisation, "1234567894");
        assert_eq!(signer.subject.inn, "500100732259");
        assert_eq!(signer.subject.ogrn, "1020000000008");
        assert_eq!(signer.subject.snils, "12345678901");
        assert_eq!(signer.serial, "1001");
        assert_eq!(signer.issuer, "Тестовый УЦ");
        let claimed = signer.claimed_at.unwrap();
        assert!(
            (now() - claimed).abs() < TimeDelta::minutes(10),
            "{claimed}"
        );
        // The names are those by which the letter's attachments are known.
        let read = parse::read(&raw, Caps::DEFAULT);
        assert_eq!(read.attachments[0].name, "Письмо.pdf");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_a_changed_document_and_another_one_are_found() {
    for kind in Key::ALL {
        let (notary, director) = notary(kind);
        let signature = notary.detached(LETTER, &[&director]);
        let mut changed = LETTER.to_vec();
        *changed.last_mut().unwrap() = b' ';
        for wrong in [changed.as_slice(), b"%PDF-1.4 another", b""] {
            let raw = letter(&[("a.pdf", wrong), ("a.pdf.p7s", &signature)]);
            let found = one(&notary.anchors, &raw).await;
            assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch), "{kind:?}");
            assert_eq!(found.documents, attachment("a.pdf"));
            assert_eq!(
                found.signers.len(),
                1,
                "Who it says it is, is told all the same"
            );
        }
        // The signature itself is changed: its last octet is its signer's.
        let mut forged = signature;
        *forged.last_mut().unwrap() ^= 1;
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.p7s", &forged)]);
        let found = one(&notary.anchors, &raw).await;
        assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch), "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_signature_finds_its_document_by_name_or_by_trying() {
    let (notary, director) = notary(Key::Curve);
    let signature = notary.detached(LETTER, &[&director]);
    let other: &[u8] = b"something else";
    for (files, fits) in [
        // By the name of the signature: with the document's ending, without, in other letters' case.
        (
            vec![
                ("A.pdf", LETTER),
                ("a.PDF.sgn", &signature[..]),
                ("b", other),
            ],
            Some("A.pdf"),
        ),
        (
            vec![("A.pdf", LETTER), ("A.sig", &signature), ("B.pdf", other)],
            Some("A.pdf"),
        ),
        // By trying: nothing is named after it, or two are.
        (
            vec![
                ("B.pdf", other),
                ("letter", LETTER),
                ("smime.p7s", &signature),
            ],
            Some("letter"),
        ),
        (
            vec![("A.doc", other), ("A.pdf", LETTER), ("A.sig", &signature)],
            Some("A.pdf"),
        ),
        (
            vec![("A.doc", other), ("A.pdf", other), ("x.sig", &signature)],
            None,
        ),
    ] {
        let found = one(&notary.anchors, &letter(&files)).await;
        match fits {
            Some(name) => {
                assert_eq!(found.verdict, Verdict::Valid, "{name}");
                assert_eq!(found.documents, attachment(name));
            }
            None => assert_eq!(found.verdict, invalid(Flaw::MatchesNothing)),
        }
    }
    // What is named after a document is a signature of that one or of none.
    let files: [(&str, &[u8]); 3] = [
        ("A.pdf", other),
        ("B.pdf", LETTER),
        ("A.pdf.sig", &signature),
    ];
    let found = one(&notary.anchors, &letter(&files)).await;
    assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch));
    assert_eq!(found.documents, attachment("A.pdf"));
    // Two documents of the same octets are both signed.
    let files: [(&str, &[u8]); 3] = [("A", LETTER), ("B", LETTER), ("x.sig", &signature)];
    let found = one(&notary.anchors, &letter(&files)).await;
    assert_eq!(found.documents.len(), 2, "{found:?}");
    // A signature of nothing.
    let found = one(&notary.anchors, &letter(&[("x.sig", &signature)])).await;
    assert_eq!(found.verdict, invalid(Flaw::MatchesNothing));
    // Nothing signed.
    assert_eq!(
        checked(&notary.anchors, &letter(&[("A", LETTER)])).await,
        vec![]
    );
    assert_eq!(checked(&notary.anchors, b"").await, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_signature_may_be_written_in_base64() {
    let (notary, director) = notary(Key::Gost);
    let pem = notary.sign(LETTER, &[&director], &["-binary", "-outform", "PEM"]);
    let der = notary.detached(LETTER, &[&director]);
    let bare = STANDARD.encode(&der);
    let lines: Vec<&str> = bare
        .as_bytes()
        .chunks(64)
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    let marked = format!("\u{feff}{}\r\n", lines.join("\r\n"));
    for signature in [pem.as_slice(), bare.as_bytes(), marked.as_bytes()] {
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", signature)]);
        assert_eq!(one(&notary.anchors, &raw).await.verdict, Verdict::Valid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_a_signature_with_its_document_covers_that_and_nothing_else() {
    let (notary, director) = notary(Key::Rsa);
    for more in [&["-outform", "DER"][..], &["-outform", "DER", "-stream"]] {
        let arguments = [&["-binary", "-nodetach"], more].concat();
        let attached = notary.sign(LETTER, &[&director], &arguments);
        let found = one(&notary.anchors, &letter(&[("a.pdf.sig", &attached)])).await;
        assert_eq!(found.verdict, Verdict::Valid, "{found:?}");
        assert_eq!(found.form, Form::Attached("a.pdf.sig".to_owned()));
        let inside = Document::Inside {
            size: LETTER.len() as u64,
            sha256: Sha256::digest(LETTER).into(),
        };
        assert_eq!(found.documents, vec![inside]);
        // The same document beside it is signed too; another one of that name is passed off as signed.
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &attached)]);
        let found = one(&notary.anchors, &raw).await;
        assert_eq!(found.documents, attachment("a.pdf"));
        let raw = letter(&[("a.pdf", b"%PDF-1.4 evil"), ("a.pdf.sig", &attached)]);
        let found = one(&notary.anchors, &raw).await;
        assert_eq!(found.verdict, invalid(Flaw::OtherContent));
        // What is inside is changed.
        let at = attached.windows(8).position(|w| w == b"%PDF-1.4").unwrap();
        let mut changed = attached.clone();
        changed[at + 7] = b'7';
        let found = one(&notary.anchors, &letter(&[("a.sig", &changed)])).await;
        assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch));
    }
}

/// The part that is signed: a text and a file.
const ENTITY: &str = "Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nPlease appoint Oleg.\r\n\
    --in\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n%PDF-1.4 a\r\n--in--\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn g13_a_signed_part_covers_itself_and_not_what_stands_around_it() {
    let (notary, director) = notary(Key::Gost);
    let signature = notary.detached(ENTITY.as_bytes(), &[&director]);
    let signed = |content: &str| {
        format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=out\r\n\r\n--out\r\n{content}\r\n--out\r\n\
             Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--out--\r\n",
            STANDARD.encode(&signature)
        )
    };
    let from = "From: director@raduga.example\r\n";
    let whole = format!("{from}{}", signed(ENTITY));
    let both = [vec![Document::Text], attachment("a.pdf")].concat();
    for raw in [whole.clone(), whole.replace("\r\n", "\n")] {
        let found = one(&notary.anchors, raw.as_bytes()).await;
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        assert_eq!(found.form, Form::Part("smime.p7s".to_owned()));
        assert_eq!(found.documents, both);
    }
    let changed = signed(&ENTITY.replace("Oleg", "Egor"));
    let found = one(&notary.anchors, format!("{from}{changed}").as_bytes()).await;
    assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch));
    // Another text before the signed part, and a file behind it: neither is signed.
    let wrapped = format!(
        "{from}Content-Type: multipart/mixed; boundary=all\r\n\r\n--all\r\nContent-Type: text/plain\r\n\r\nPlease appoint Egor.\r\n\
         --all\r\n{}--all\r\nContent-Type: application/pdf; name=b.pdf\r\nContent-Disposition: attachment; filename=b.pdf\r\n\r\n%PDF-1.4 b\r\n--all--\r\n",
        signed(ENTITY)
    );
    let found = one(&notary.anchors, wrapped.as_bytes()).await;
    assert_eq!(found.verdict, Verdict::Valid);
    assert_eq!(
        found.documents,
        attachment("a.pdf"),
        "not the text that is shown, not b.pdf"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_a_signed_part_with_a_second_content_in_its_signature_is_not_believed() {
    let (notary, director) = notary(Key::Rsa);
    let opaque = ["-binary", "-nodetach", "-outform", "DER"];
    let signature = notary.sign(ENTITY.as_bytes(), &[&director], &opaque);
    let raw = format!(
        "From: director@raduga.example\r\nContent-Type: multipart/signed; boundary=out\r\n\r\n--out\r\n{}\r\n--out\r\n\
         Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--out--\r\n",
        ENTITY.replace("Oleg", "Egor"),
        STANDARD.encode(&signature)
    );
    let found = one(&notary.anchors, raw.as_bytes()).await;
    assert_eq!(found.verdict, Verdict::CouldNotCheck(Obstacle::UnknownKind));
    assert_eq!(found.documents, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_a_letter_inside_its_signature_covers_text_and_files() {
    let (notary, director) = notary(Key::Gost);
    let opaque = ["-binary", "-nodetach", "-outform", "DER"];
    let signature = notary.sign(ENTITY.as_bytes(), &[&director], &opaque);
    let raw = format!(
        "From: director@raduga.example\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        STANDARD.encode(&signature)
    );
    let found = one(&notary.anchors, raw.as_bytes()).await;
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    assert_eq!(found.form, Form::Attached("smime.p7m".to_owned()));
    assert_eq!(
        found.documents,
        [vec![Document::Text], attachment("a.pdf")].concat()
    );
}

/// Adds a signature to a PDF as programs do: a new object at its end with a gap for the signature.
fn signed_pdf(notary: &Notary, person: &Person, before: &[u8]) -> Vec<u8> {
    const ROOM: usize = 16_000;
    let start = [
        before,
        b"\n9 0 obj\n<< /Type /Sig /SubFilter /adbe.pkcs7.detached /ByteRange ",
    ]
    .concat();
    let range = 60;
    let gap = start.len() + range + " /Contents ".len();
    let tail = b" >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n";
    let numbers = format!("[0 {gap} {} {}]", gap + ROOM + 2, tail.len());
    let head = [
        &start[..],
        format!("{numbers:range$} /Contents ").as_bytes(),
    ]
    .concat();
    let signature = notary.detached(&[&head[..], tail].concat(), &[person]);
    let hex: String = signature.iter().map(|b| format!("{b:02X}")).collect();
    [&head[..], format!("<{hex:0<ROOM$}>").as_bytes(), tail].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_signed_pdf_is_covered_as_a_whole_or_not_at_all() {
    for kind in [Key::Rsa, Key::Gost] {
        let (notary, director) = notary(kind);
        let original = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Words (appoint Oleg) >>\nendobj\n";
        let pdf = signed_pdf(&notary, &director, original);
        let found = one(&notary.anchors, &letter(&[("a.pdf", &pdf)])).await;
        assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
        assert_eq!(found.form, Form::Pdf("a.pdf".to_owned()));
        assert_eq!(found.documents, attachment("a.pdf"));
        assert_eq!(found.signers[0].subject.inn_of_organisation, "1234567894");

        let text = String::from_utf8(pdf.clone()).unwrap();
        let changed = text.replace("Oleg", "Egor");
        let found = one(&notary.anchors, &letter(&[("a.pdf", changed.as_bytes())])).await;
        assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch));
        // What is added later is not signed, and a reader shows it.
        let updated = format!("{text}1 0 obj\n<< /Words (appoint Egor) >>\nendobj\n%%EOF\n");
        let found = one(&notary.anchors, &letter(&[("a.pdf", updated.as_bytes())])).await;
        assert_eq!(found.verdict, invalid(Flaw::ChangedAfterSigning));
        // Something is hidden in the gap.
        let end = text.rfind("00>").unwrap();
        let hidden = format!("{}>/X<{}", &text[..end - 4], &text[end..]);
        let found = one(&notary.anchors, &letter(&[("a.pdf", hidden.as_bytes())])).await;
        assert_eq!(found.verdict, invalid(Flaw::NotTheWholeFile));
        // Two sign one after the other: the first did not see the second's signature.
        let second = notary.person("second", kind, "/CN=Second", 0x1002);
        let both = signed_pdf(&notary, &second, &pdf);
        let found = checked(&notary.anchors, &letter(&[("a.pdf", &both)])).await;
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].verdict, invalid(Flaw::ChangedAfterSigning));
        assert_eq!(found[1].verdict, Verdict::Valid);
        assert_eq!(found[1].signers[0].subject.common_name, "Second");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_certificates_out_of_date_unknown_and_revoked_are_told() {
    for kind in [Key::Rsa, Key::Gost] {
        let (notary, director) = notary(kind);
        let signature = notary.detached(LETTER, &[&director]);
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &signature)]);
        let of = async |anchors: Option<&Path>, days: i64| {
            let at = now() + TimeDelta::days(days);
            let mut found = checker(anchors).check(&raw, at).await;
            let signer = found[0].signers.remove(0);
            (found.remove(0).verdict, signer.chain, signer.revocation)
        };
        let own = Some(notary.anchors.as_path());
        let valid = |chain, revocation| (Verdict::Valid, chain, revocation);
        assert_eq!(of(own, 0).await, valid(Chain::Trusted, Revocation::Ok));
        assert_eq!(
            of(own, 10).await,
            valid(Chain::Trusted, Revocation::ListOutOfDate)
        );
        for days in [40, -10] {
            let (verdict, _, _) = of(own, days).await;
            assert_eq!(verdict, invalid(Flaw::OutOfDate), "{days}");
        }
        let none = valid(Chain::NotChecked, Revocation::Unchecked);
        assert_eq!(of(None, 0).await, none);
        // An authority of the same name is another one.
        let other = Notary::new(kind);
        let untrusted = valid(Chain::Untrusted, Revocation::Unchecked);
        assert_eq!(of(Some(&other.anchors), 0).await, untrusted);
        let without = valid(Chain::Trusted, Revocation::Unchecked);
        fs::rename(
            notary.anchors.join("authority.crl"),
            notary.folder.path().join("list"),
        )
        .unwrap();
        assert_eq!(of(own, 0).await, without);
        notary.publish_list(&[0x1002]);
        assert_eq!(of(own, 0).await, valid(Chain::Trusted, Revocation::Ok));
        notary.publish_list(&[0x1001, 0x1002]);
        let (verdict, chain, revocation) = of(own, 0).await;
        assert_eq!(verdict, invalid(Flaw::Revoked));
        assert_eq!((chain, revocation), (Chain::Trusted, Revocation::Revoked));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_of_several_signers_all_are_told_and_all_must_hold() {
    let (notary, director) = notary(Key::Rsa);
    let second = notary.person("second", Key::Gost, "/CN=Second", 0x1002);
    let signature = notary.detached(LETTER, &[&director, &second]);
    let with = |signature: &[u8]| letter(&[("a.pdf", LETTER), ("a.pdf.sig", signature)]);
    let found = one(&notary.anchors, &with(&signature)).await;
    assert_eq!(found.verdict, Verdict::Valid, "{found:#?}");
    let names: Vec<&str> = found
        .signers
        .iter()
        .map(|s| s.subject.common_name.as_str())
        .collect();
    assert_eq!(names.len(), 2);
    assert!(
        names.contains(&"Second") && names.contains(&"МАУ ДО «Радуга»"),
        "{names:?}"
    );
    // The last octet belongs to the last signer only.
    let mut forged = signature.clone();
    *forged.last_mut().unwrap() ^= 1;
    let found = one(&notary.anchors, &with(&forged)).await;
    assert_eq!(found.verdict, invalid(Flaw::DoesNotMatch));
    assert_eq!(found.signers.len(), 2);
    notary.publish_list(&[0x1002]);
    let found = one(&notary.anchors, &with(&signature)).await;
    assert_eq!(found.verdict, invalid(Flaw::Revoked));
    // Nobody at all: certificates in the wrapping of a signature.
    let own = director.certificate.to_str().unwrap();
    notary.openssl(&[
        "crl2pkcs7",
        "-nocrl",
        "-certfile",
        own,
        "-outform",
        "DER",
        "-out",
        "signed",
    ]);
    let nobody = fs::read(notary.folder.path().join("signed")).unwrap();
    let found = one(&notary.anchors, &with(&nobody)).await;
    assert_eq!(found.verdict, invalid(Flaw::NoSigners));
}

#[tokio::test(flavor = "multi_thread")]
async fn g13_weak_hashes_and_missing_certificates_are_told() {
    let (notary, director) = notary(Key::Rsa);
    let weak = ["-binary", "-outform", "DER", "-md", "sha1"];
    let weak = notary.sign(LETTER, &[&director], &weak);
    let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &weak)]);
    assert_eq!(
        one(&notary.anchors, &raw).await.verdict,
        invalid(Flaw::WeakHash)
    );
    let bare = ["-binary", "-outform", "DER", "-nocerts"];
    let bare = notary.sign(LETTER, &[&director], &bare);
    let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &bare)]);
    let none = Verdict::CouldNotCheck(Obstacle::NoCertificate);
    assert_eq!(one(&notary.anchors, &raw).await.verdict, none);
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_what_is_missing_on_the_machine_is_told_and_accuses_nobody() {
    let (notary, director) = notary(Key::Gost);
    let signature = notary.detached(LETTER, &[&director]);
    let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &signature)]);
    let with = async |program: &str, engine: Option<&str>| {
        let checker = checker_with(program, engine, Some(&notary.anchors));
        checker.check(&raw, now()).await.remove(0).verdict
    };
    let openssl = "/usr/bin/openssl";
    let no_gost = Verdict::CouldNotCheck(Obstacle::NoGost);
    assert_eq!(with(openssl, None).await, no_gost);
    assert_eq!(with(openssl, Some("no-such-engine")).await, no_gost);
    assert_eq!(with(openssl, Some("/nowhere/gost.so")).await, no_gost);
    assert_eq!(with(openssl, Some("gost")).await, Verdict::Valid);
    let no_program = Verdict::CouldNotCheck(Obstacle::NoProgram);
    assert_eq!(with("/nowhere/openssl", Some("gost")).await, no_program);
    let helper = PathBuf::from("/nowhere/postdesk");
    let without = checker(None).with_helper(helper).check(&raw, now()).await;
    assert_eq!(
        without,
        vec![SignatureCheck::not_done(Form::Letter, Obstacle::NoHelper)]
    );
    let without = checker(None)
        .with_helper("/bin/false".into())
        .check(&raw, now())
        .await;
    assert_eq!(
        without,
        vec![SignatureCheck::not_done(Form::Letter, Obstacle::NoHelper)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_garbage_and_giants_are_told_in_time() {
    let (notary, director) = notary(Key::Rsa);
    let signature = notary.detached(LETTER, &[&director]);
    let broken = Verdict::CouldNotCheck(Obstacle::NotASignature);
    let deep = [0x30, 0x80].repeat(200_000);
    for garbage in [
        b"".as_slice(),
        b"garbage",
        &[0x30; 100],
        &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
        &deep,
    ] {
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", garbage)]);
        assert_eq!(one(&notary.anchors, &raw).await.verdict, broken);
    }
    for end in (20..signature.len()).step_by(97) {
        let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &signature[..end])]);
        let found = one(&notary.anchors, &raw).await;
        assert_ne!(found.verdict, Verdict::Valid, "{end}");
    }
    // A hundred signatures: some are looked at, and that there are more is said.
    let names: Vec<String> = (0..100).map(|n| format!("{n}.sig")).collect();
    let mut files: Vec<(&str, &[u8])> =
        names.iter().map(|n| (n.as_str(), &signature[..])).collect();
    files.push(("a.pdf", LETTER));
    let found = checked(&notary.anchors, &letter(&files)).await;
    assert_eq!(found.len(), 21);
    assert_eq!(
        found[20],
        SignatureCheck::not_done(Form::Letter, Obstacle::TooMany)
    );
    assert!(found[..20].iter().all(|f| f.verdict == Verdict::Valid));
    // Twenty-five MiB, signed.
    let large = vec![b'x'; 25 << 20];
    let signature = notary.detached(&large, &[&director]);
    let raw = letter(&[("large.bin", &large), ("large.bin.sig", &signature)]);
    let began = Instant::now();
    assert_eq!(one(&notary.anchors, &raw).await.verdict, Verdict::Valid);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

/// A program in place of openssl that does what the test wants of it.
fn script(folder: &Path, text: &str) -> String {
    let path = folder.join("openssl");
    fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What such a program wrote into the file `told` of the helper's folder, and that file.
async fn told(marker: &str) -> (PathBuf, String) {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        for folder in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
            let name = folder.file_name();
            if !name.to_string_lossy().starts_with("postdesk-signatures-") {
                continue;
            }
            let path = folder.path().join("told");
            let text = fs::read_to_string(&path).unwrap_or_default();
            if text.contains(marker) {
                return (path, text);
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("The program said nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_the_helper_has_no_network_no_environment_no_files_and_leaves_nothing() {
    let (notary, director) = notary(Key::Curve);
    let signature = notary.detached(LETTER, &[&director]);
    let name = "$(touch evil);\"'`id`.pdf";
    let raw = letter(&[(name, LETTER), (&format!("{name}.sig"), &signature)]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let secret = notary.folder.path().join("secret");
    fs::write(&secret, "hunter2").unwrap();
    let ask = format!(
        "exec 2>>told.new; {{ echo \"$@\"; /usr/bin/env; pwd; ulimit -t; ulimit -v; cat '{0}'; echo >>'{0}.more'; \
         ( exec 3<>/dev/tcp/127.0.0.1/{port} && echo CONNECTED ); }} >>told.new; echo marker-{port} >>told.new; mv told.new told; \
         [ \"$ALONE\" ] || while [ ! -e go ]; do read -t 0.01 <>go.fifo; done; exit 0",
        secret.display()
    );
    let ask = format!("mkfifo go.fifo; {ask}");
    let program = script(notary.folder.path(), &ask);
    // Outside of the helper the same program reads, writes and connects.
    let mut alone = std::process::Command::new(&program);
    let alone = alone.env("ALONE", "yes").current_dir(notary.folder.path());
    assert!(alone.status().unwrap().success());
    let said = fs::read_to_string(notary.folder.path().join("told")).unwrap();
    assert!(
        said.contains("CONNECTED") && said.contains("hunter2"),
        "{said}"
    );
    assert!(fs::remove_file(secret.with_extension("more")).is_ok());
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_ok());

    let checker = checker_with(&program, None, Some(&notary.anchors));
    let looked = async {
        let (path, said) = told(&format!("marker-{port}")).await;
        fs::write(path.with_file_name("go"), "").unwrap();
        (path, said)
    };
    let at = now();
    let (found, (path, said)) = tokio::join!(checker.check(&raw, at), looked);
    assert_eq!(found.len(), 1);
    assert!(said.contains("Operation not permitted"), "network: {said}");
    assert!(!said.contains("CONNECTED"), "{said}");
    assert!(listener.accept().is_err(), "somebody connected");
    assert!(said.contains("Permission denied"), "files: {said}");
    assert!(!said.contains("hunter2"), "files: {said}");
    assert!(!secret.with_extension("more").exists());
    assert!(!said.contains("touch"), "a stranger's name: {said}");
    assert!(!said.contains("CARGO") && !said.contains("HOME="), "{said}");
    assert!(said.contains("OPENSSL_CONF=openssl.cnf"), "{said}");
    assert!(said.contains("\n50\n2097152\n"), "limits: {said}");
    assert!(
        !path.parent().unwrap().exists(),
        "left behind: {}",
        path.display()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s31_a_helper_that_hangs_is_ended_with_all_that_it_started() {
    let (notary, director) = notary(Key::Curve);
    let signature = notary.detached(LETTER, &[&director]);
    let raw = letter(&[("a.pdf", LETTER), ("a.pdf.sig", &signature)]);
    let marker = format!("marker-{}", notary.folder.path().display());
    let ask = format!("echo \"{marker} $$\" >new; mv new told; exec /bin/sleep 600");
    let program = script(notary.folder.path(), &ask);
    let checker = checker_with(&program, None, None).with_patience(Duration::from_secs(3));
    let at = now();
    let (found, (_, said)) = tokio::join!(checker.check(&raw, at), told(&marker));
    let slow = SignatureCheck::not_done(Form::Letter, Obstacle::TooSlow);
    assert_eq!(found, vec![slow]);
    let number = said.trim().rsplit(' ').next().unwrap();
    let process = format!("/proc/{number}/cmdline");
    let gone = || {
        let running = fs::read_to_string(&process).unwrap_or_default();
        (!running.contains("sleep")).then_some(())
    };
    support::wait::until("the program to end", Duration::from_secs(5), gone);
}
