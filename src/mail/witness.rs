//! Whose word on senders counts at a mailbox: servers of our own by name, or those of a provider with its habits (R13).

use super::results::{Departure, Results};

/// Providers whose habits are known (`Authentication-Results` of letters they delivered, 2021 to 2023).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// `mx.google.com`, in every letter.
    Gmail,
    /// No id at all; foreign fields are removed, and the topmost field is Microsoft's. Its own hosts stand in the topmost `Received` fields.
    Microsoft365,
    /// An id for each method.
    Icloud,
    /// An id for each host.
    Yahoo,
    /// `mxs.mail.ru`. It also writes at the end of the header, where anybody may have written: that is not counted.
    MailRu,
    /// An id for each host, and nothing at all where a signature is bad: its silence cannot be told from a forgery, so nothing it says counts.
    Yandex,
}

impl Provider {
    /// All of them, with the words of the configuration.
    pub const ALL: [(&'static str, Self); 6] = [
        ("gmail", Self::Gmail),
        ("microsoft365", Self::Microsoft365),
        ("icloud", Self::Icloud),
        ("yahoo", Self::Yahoo),
        ("mail.ru", Self::MailRu),
        ("yandex", Self::Yandex),
    ];

    /// The provider that writes under a name, or under names below it; by its word in the configuration.
    pub fn writing_as(name: &str) -> Option<&'static str> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_prefix("*.").unwrap_or(&name);
        let found = Self::ALL.into_iter().find(|(_, provider)| {
            let mut domains = provider.domains().iter();
            domains.any(|domain| name == *domain || is_below(name, domain))
        });
        found.map(|(word, _)| word)
    }

    /// The domains of its mail servers.
    fn domains(self) -> &'static [&'static str] {
        match self {
            Self::Gmail => &["google.com"],
            Self::Microsoft365 => &["outlook.com", "office365.com"],
            Self::Icloud => &["icloud.com"],
            Self::Yahoo => &["yahoo.com"],
            Self::MailRu => &["mail.ru"],
            Self::Yandex => &["yandex.net", "yandex.ru", "yandex.com"],
        }
    }
}

/// Whether a text may stand for servers of one's own: a name, or `*.` and a domain.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let (name, of_many) = text
        .strip_prefix("*.")
        .map_or((text, false), |domain| (domain, true));
    !name.is_empty() && name.chars().all(plain) && (!of_many || name.contains('.'))
}

/// Whose `Authentication-Results` count, and what they may look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Names in lower case; `*.` at the start stands for any host below.
    ids: Vec<String>,
    /// The domains of hosts between which letters travel before they are ours, where fields without an id are those of the provider.
    hosts: &'static [&'static str],
    /// How its fields may leave the grammar.
    may: &'static [Departure],
}

impl Witness {
    /// Nobody's word counts.
    pub fn nobody() -> Self {
        Self::named::<&str>(&[])
    }

    /// Servers of our own, by name.
    pub fn named<T: AsRef<str>>(ids: &[T]) -> Self {
        Self {
            ids: ids
                .iter()
                .map(|i| i.as_ref().to_ascii_lowercase())
                .collect(),
            hosts: &[],
            may: &[Departure::Colon],
        }
    }

    /// A provider's servers.
    pub fn of(provider: Provider) -> Self {
        let ids: &[&str] = match provider {
            Provider::Gmail => &["mx.google.com"],
            Provider::Icloud => &[
                "dmarc.icloud.com",
                "dkim-verifier.icloud.com",
                "spf.icloud.com",
                "bimi.icloud.com",
                "arc.icloud.com",
            ],
            Provider::Yahoo => &["*.yahoo.com"],
            Provider::MailRu => &["mxs.mail.ru"],
            Provider::Microsoft365 | Provider::Yandex => &[],
        };
        let mut witness = Self::named(ids);
        match provider {
            Provider::Microsoft365 => {
                witness.hosts = provider.domains();
                witness.may = &[
                    Departure::NoId,
                    Departure::StrayDomain,
                    Departure::EmptyValue,
                    Departure::UntypedProperty,
                    Departure::Colon,
                ];
            }
            Provider::Gmail => witness.may = &[Departure::Colon, Departure::DottedMethod],
            Provider::Icloud | Provider::Yahoo | Provider::MailRu | Provider::Yandex => {}
        }
        witness
    }

    /// Whether anybody's word counts.
    pub fn is_heard(&self) -> bool {
        !self.ids.is_empty() || self.is_unnamed()
    }

    /// The names, as they are compared.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Whether its fields carry no name.
    pub(crate) fn is_unnamed(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Which of its names an id is.
    pub(crate) fn place_of(&self, id: &str) -> Option<usize> {
        self.ids
            .iter()
            .position(|configured| match configured.strip_prefix("*.") {
                Some(domain) => is_below(id, domain),
                None => configured == id,
            })
    }

    /// Whether a host, as `Received` names the one that wrote it, is the provider's.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|domain| is_below(&host, domain))
    }

    /// Whether its servers write so.
    pub(crate) fn writes(&self, read: &Results) -> bool {
        let unnamed = read.departures.contains(&Departure::NoId);
        unnamed == self.is_unnamed() && read.departures.iter().all(|d| self.may.contains(d))
    }
}

/// Whether `lower` is a subdomain of `upper`; nothing counts as below a domain of one label.
pub(crate) fn is_below(lower: &str, upper: &str) -> bool {
    upper.contains('.')
        && lower
            .strip_suffix(upper)
            .is_some_and(|rest| rest.ends_with('.'))
}
