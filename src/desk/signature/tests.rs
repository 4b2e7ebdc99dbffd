//! What a signature is worth, by the rules alone.

use super::*;

fn at(day: &str) -> DateTime<Utc> {
    format!("{day}T09:00:00Z").parse().unwrap()
}

fn signer(inn: &str, ogrn: &str) -> Signer {
    Signer {
        subject: Subject {
            common_name: "МАУ ДО «Радуга»".to_owned(),
            person: "Иванова Мария Петровна".to_owned(),
            organisation: "МАУ ДО «Радуга»".to_owned(),
            title: "Директор".to_owned(),
            inn_of_organisation: inn.to_owned(),
            ogrn: ogrn.to_owned(),
            ..Subject::default()
        },
        serial: "01ab".to_owned(),
        issuer: "Тестовый УЦ".to_owned(),
        not_before: at("2026-01-01"),
        not_after: at("2027-01-01"),
        claimed_at: Some(at("2026-08-20")),
        chain: Chain::Trusted,
        revocation: Revocation::Ok,
    }
}

fn customer(inn: Option<&str>, ogrn: Option<&str>) -> Customer {
    Customer {
        id: "raduga".to_owned(),
        name: "МАУ ДО «Радуга»".to_owned(),
        domains: Default::default(),
        official_addresses: Vec::new(),
        inn: inn.map(str::to_owned),
        ogrn: ogrn.map(str::to_owned),
        contract: None,
        locale: None,
        orders_require: crate::desk::people::OrdersRequire::Domain,
        installations: Vec::new(),
    }
}

fn check(verdict: Verdict, signers: Vec<Signer>) -> SignatureCheck {
    SignatureCheck {
        form: Form::Detached("Письмо.pdf.sig".to_owned()),
        documents: vec![Document::Attachment("Письмо.pdf".to_owned())],
        verdict,
        signers,
    }
}

#[test]
fn g13_one_bad_signer_or_none_at_all_makes_a_signature_invalid() {
    let good = signer("1234567894", "");
    let mut expired = good.clone();
    expired.not_after = at("2026-08-20");
    let mut early = good.clone();
    early.not_before = at("2026-08-22");
    let mut revoked = good.clone();
    revoked.revocation = Revocation::Revoked;
    let of = |signers: &[&Signer]| {
        let signers: Vec<Signer> = signers.iter().map(|s| (*s).clone()).collect();
        Verdict::of(Verdict::Valid, &signers, at("2026-08-21"))
    };
    assert_eq!(of(&[&good]), Verdict::Valid);
    assert_eq!(of(&[&good, &good]), Verdict::Valid);
    assert_eq!(of(&[]), Verdict::Invalid(vec![Flaw::NoSigners]));
    let out = Verdict::Invalid(vec![Flaw::OutOfDate]);
    assert_eq!(of(&[&good, &expired]), out);
    assert_eq!(of(&[&early, &expired]), out);
    assert_eq!(of(&[&revoked]), Verdict::Invalid(vec![Flaw::Revoked]));
    let unknown = Verdict::CouldNotCheck(Obstacle::NoGost);
    assert_eq!(Verdict::of(unknown.clone(), &[], at("2026-08-21")), unknown);
    let both = Verdict::of(
        Verdict::Invalid(vec![Flaw::DoesNotMatch]),
        &[revoked],
        at("2026-08-21"),
    );
    assert_eq!(
        both,
        Verdict::Invalid(vec![Flaw::DoesNotMatch, Flaw::Revoked])
    );
}

#[test]
fn r30_a_signer_is_the_customer_by_number_and_by_nothing_else() {
    let inn = customer(Some("1234567894"), None);
    let both = customer(Some("1234567894"), Some("1027700132195"));
    let of =
        |inn: &str, ogrn: &str, customer: &Customer| signer(inn, ogrn).subject.binding(customer);
    assert_eq!(of("1234567894", "", &inn), Binding::Matches);
    assert_eq!(of("7707083893", "", &inn), Binding::Differs);
    // The name is the customer's, and says nothing.
    assert_eq!(of("", "", &inn), Binding::Unknown);
    assert_eq!(
        of("1234567894", "", &customer(None, None)),
        Binding::Unknown
    );
    assert_eq!(of("1234567894", "", &both), Binding::Matches);
    assert_eq!(of("1234567894", "1027700132195", &both), Binding::Matches);
    assert_eq!(of("1234567894", "1027700132196", &both), Binding::Differs);

    let mut older = signer("", "");
    older.subject.inn = "001234567894".to_owned();
    assert_eq!(older.subject.binding(&inn), Binding::Matches);
    older.subject.inn = "500100732259".to_owned();
    assert_eq!(older.subject.binding(&inn), Binding::Unknown);
    let entrepreneur = customer(Some("500100732259"), None);
    assert_eq!(older.subject.binding(&entrepreneur), Binding::Matches);
}

#[test]
fn r30_only_a_valid_vouched_for_signature_of_the_customer_proves() {
    let customer = customer(Some("1234567894"), None);
    let own = signer("1234567894", "");
    let good = check(Verdict::Valid, vec![own.clone()]);
    assert!(good.proves(&customer));

    let worse = |change: fn(&mut SignatureCheck)| {
        let mut check = good.clone();
        change(&mut check);
        check.proves(&customer)
    };
    assert!(!worse(
        |c| c.verdict = Verdict::Invalid(vec![Flaw::DoesNotMatch])
    ));
    assert!(!worse(
        |c| c.verdict = Verdict::CouldNotCheck(Obstacle::NoGost)
    ));
    assert!(!worse(|c| c.documents.clear()));
    assert!(!worse(|c| c.signers.clear()));
    assert!(!worse(|c| c.signers[0].chain = Chain::Untrusted));
    assert!(!worse(|c| c.signers[0].chain = Chain::NotChecked));
    assert!(!worse(|c| c.signers[0].subject.inn_of_organisation.clear()));
    let other = check(Verdict::Valid, vec![own, signer("7707083893", "")]);
    assert_eq!(other.binding(&customer), Binding::Differs);
    assert!(!other.proves(&customer));
}

/// A check for everything that one can say.
fn all_there_is() -> Vec<SignatureCheck> {
    let flaws = [
        Flaw::DoesNotMatch,
        Flaw::MatchesNothing,
        Flaw::NoSigners,
        Flaw::OtherContent,
        Flaw::ChangedAfterSigning,
        Flaw::NotTheWholeFile,
        Flaw::WeakHash,
        Flaw::OutOfDate,
        Flaw::Revoked,
    ];
    let obstacles = [
        Obstacle::NoProgram,
        Obstacle::NoGost,
        Obstacle::NotASignature,
        Obstacle::NoCertificate,
        Obstacle::UnknownKind,
        Obstacle::TooSlow,
        Obstacle::TooMany,
        Obstacle::NoHelper,
    ];
    let file = || "Письмо.pdf".to_owned();
    let forms = [
        Form::Detached(file()),
        Form::Attached(file()),
        Form::Pdf(file()),
        Form::Part(file()),
        Form::Letter,
    ];
    let documents = [
        Document::Text,
        Document::Attachment(file()),
        Document::Inside {
            size: 5,
            sha256: [7; 32],
        },
    ];
    let mut all = vec![check(Verdict::Valid, Vec::new())];
    all.extend(flaws.map(|f| check(Verdict::Invalid(vec![f]), vec![signer("1234567894", "")])));
    all.extend(obstacles.map(|o| check(Verdict::CouldNotCheck(o), vec![signer("7707083893", "")])));
    for form in forms {
        let mut one = check(Verdict::Valid, vec![signer("", ""); 12]);
        one.form = form;
        one.documents = documents.to_vec();
        all.push(one);
    }
    all[0].documents = vec![Document::Text; 30];
    for (chain, revocation) in [
        (Chain::Untrusted, Revocation::Unchecked),
        (Chain::NotChecked, Revocation::Unchecked),
        (Chain::Trusted, Revocation::Unchecked),
        (Chain::Trusted, Revocation::ListOutOfDate),
        (Chain::Trusted, Revocation::Revoked),
    ] {
        let mut one = signer("", "");
        (one.chain, one.revocation) = (chain, revocation);
        all.push(check(Verdict::Valid, vec![one]));
        all.last_mut().unwrap().documents.clear();
    }
    all
}

#[test]
fn r45_every_line_of_a_report_is_said_in_russian() {
    let customer = customer(Some("1234567894"), None);
    let all = all_there_is();
    let mut told = std::collections::BTreeSet::new();
    for line in all.iter().flat_map(|c| c.lines(Some(&customer))) {
        let russian = crate::mail::russian::said(&line);
        let russian = russian.unwrap_or_else(|| panic!("Not in russian.txt: {line}"));
        let known = [
            "pdf",
            "sig",
            "PDF",
            "MD5",
            "SHA",
            "UTC",
            "libengine-gost-openssl",
            "openssl",
            "apt-get install",
        ];
        let left = known
            .iter()
            .fold(russian.clone(), |text, word| text.replace(word, ""));
        let mut words = left.split(|c: char| !c.is_ascii_alphabetic());
        assert!(words.all(|w| w.len() < 3), "English in: {russian}");
        told.insert(russian);
    }
    assert!(told.len() > 45, "{}: {told:#?}", told.len());
    assert!(
        told.contains(
            "Подписал(а): МАУ ДО «Радуга», Иванова Мария Петровна, Директор, ИННЮЛ 1234567894"
        ),
        "{told:#?}"
    );
}
