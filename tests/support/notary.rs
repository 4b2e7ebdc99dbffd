//! An authority of the test's own that issues certificates to people and signs in their name, with the system's `openssl`: RSA, elliptic curves and GOST.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Rsa,
    Curve,
    Gost,
}

impl Key {
    pub const ALL: [Self; 3] = [Self::Rsa, Self::Curve, Self::Gost];

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Rsa => &["-newkey", "rsa:2048"],
            Self::Curve => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            Self::Gost => &["-newkey", "gost2012_256", "-pkeyopt", "paramset:A"],
        }
    }

    fn hash(self) -> &'static str {
        match self {
            Self::Rsa | Self::Curve => "sha256",
            Self::Gost => "md_gost12_256",
        }
    }
}

/// One who signs.
pub struct Person {
    pub certificate: PathBuf,
    key: PathBuf,
    kind: Key,
}

/// The authority, in a folder of its own.
pub struct Notary {
    pub folder: tempfile::TempDir,
    authority: Person,
    /// What the desk is to trust: this authority's certificate, and its list once there is one.
    pub anchors: PathBuf,
}

/// The owner in certificates: fictional, with numbers whose check digits are right.
pub const DIRECTOR: &str = "/CN=МАУ ДО «Радуга»/O=МАУ ДО «Радуга»/SN=Иванова/GN=Мария Петровна/title=Директор\
     /1.2.643.100.4=1234567894/1.2.643.100.1=1020000000008/1.2.643.100.3=12345678901/1.2.643.3.131.1.1=500100732259";

impl Notary {
    pub fn new(kind: Key) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("openssl.cnf"), CONFIGURATION).unwrap();
        fs::write(folder.path().join("index.txt"), "").unwrap();
        let certificate = folder.path().join("authority.pem");
        let key = folder.path().join("authority.key");
        let anchors = folder.path().join("anchors");
        fs::create_dir(&anchors).unwrap();
        let notary = Self {
            authority: Person {
                certificate,
                key,
                kind,
            },
            anchors,
            folder,
        };
        let own = &notary.authority;
        let mut arguments = vec!["req", "-x509", "-nodes", "-utf8", "-days", "3650"];
        arguments.extend(["-subj", "/CN=Тестовый УЦ", "-extensions", "authority"]);
        arguments.extend(kind.arguments());
        arguments.extend(["-keyout", text(&own.key), "-out", text(&own.certificate)]);
        notary.openssl(&arguments);
        fs::copy(&own.certificate, notary.anchors.join("authority.cer")).unwrap();
        notary
    }

    /// Issues a certificate for thirty days.
    pub fn person(&self, name: &str, kind: Key, subject: &str, serial: u32) -> Person {
        let path = |ending: &str| self.folder.path().join(format!("{name}.{ending}"));
        let (key, request, certificate) = (path("key"), path("csr"), path("pem"));
        let mut arguments = vec!["req", "-new", "-nodes", "-utf8", "-subj", subject];
        arguments.extend(kind.arguments());
        arguments.extend(["-keyout", text(&key), "-out", text(&request)]);
        self.openssl(&arguments);
        let serial = serial.to_string();
        let hash = format!("-{}", self.authority.kind.hash());
        self.openssl(&[
            "x509",
            "-req",
            &hash,
            "-days",
            "30",
            "-set_serial",
            &serial,
            "-extfile",
            "openssl.cnf",
            "-extensions",
            "person",
            "-CA",
            text(&self.authority.certificate),
            "-CAkey",
            text(&self.authority.key),
            "-in",
            text(&request),
            "-out",
            text(&certificate),
        ]);
        Person {
            certificate,
            key,
            kind,
        }
    }

    /// Publishes the list of revoked certificates, good for seven days.
    pub fn publish_list(&self, revoked: &[u32]) {
        let line = |s: &u32| {
            let hex = format!("{s:X}");
            let width = hex.len().next_multiple_of(2);
            format!("R\t491231000000Z\t200101000000Z\t{hex:0>width$}\tunknown\t/CN=x\n")
        };
        let index: String = revoked.iter().map(line).collect();
        fs::write(self.folder.path().join("index.txt"), index).unwrap();
        let list = self.anchors.join("authority.crl");
        self.openssl(&[
            "ca",
            "-gencrl",
            "-config",
            "openssl.cnf",
            "-name",
            "ca",
            "-md",
            self.authority.kind.hash(),
            "-crldays",
            "7",
            "-cert",
            text(&self.authority.certificate),
            "-keyfile",
            text(&self.authority.key),
            "-out",
            text(&list),
        ]);
    }

    /// Signs with more arguments such as `-nodetach`; gives what `openssl cms -sign` writes.
    pub fn sign(&self, content: &[u8], people: &[&Person], more: &[&str]) -> Vec<u8> {
        fs::write(self.folder.path().join("content"), content).unwrap();
        let mut arguments = vec!["cms", "-sign", "-in", "content", "-out", "signed"];
        for person in people {
            arguments.extend(["-signer", text(&person.certificate)]);
            arguments.extend(["-inkey", text(&person.key)]);
        }
        if !more.contains(&"-md") {
            let all_one = people.iter().all(|p| p.kind == people[0].kind);
            if all_one {
                arguments.extend(["-md", people[0].kind.hash()]);
            }
        }
        arguments.extend(more);
        self.openssl(&arguments);
        fs::read(self.folder.path().join("signed")).unwrap()
    }

    /// A detached signature in DER.
    pub fn detached(&self, content: &[u8], people: &[&Person]) -> Vec<u8> {
        self.sign(content, people, &["-binary", "-outform", "DER"])
    }

    /// Runs openssl in the notary's folder.
    pub fn openssl(&self, arguments: &[&str]) {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("OPENSSL_CONF", "openssl.cnf")
            .output()
            .expect("openssl (Debian: openssl, and libengine-gost-openssl for GOST)");
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "openssl {arguments:?} (GOST needs Debian's libengine-gost-openssl):\n{said}"
        );
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const CONFIGURATION: &str = "openssl_conf = all
oid_section = oids
[oids]
INNLE = 1.2.643.100.4
[all]
engines = engines
[engines]
gost = gost
[gost]
engine_id = gost
default_algorithms = ALL
init = 1
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = keyCertSign, cRLSign
subjectKeyIdentifier = hash
[person]
basicConstraints = CA:FALSE
keyUsage = digitalSignature, nonRepudiation
authorityKeyIdentifier = keyid
[ca]
database = index.txt
";
