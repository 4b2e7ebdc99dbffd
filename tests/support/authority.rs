//! A certificate authority of the test's own, and a certificate for `localhost` and 127.0.0.1.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// The files of an authority and of one server that it vouches for.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The authority's certificate, PEM: what a client adds to its trusted ones.
    pub ca: PathBuf,
    /// The server's certificate, PEM.
    pub certificate: PathBuf,
    /// The server's key, PEM.
    pub key: PathBuf,
}

impl Authority {
    /// Makes them in `folder`, for the given names (DNS names or addresses).
    pub fn make(folder: &Path, names: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("A folder for certificates");
        let mut root = CertificateParams::default();
        root.distinguished_name
            .push(DnType::CommonName, "postdesk test authority");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(root, KeyPair::generate().expect("A key"))
            .expect("A self-signed certificate");

        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        let mut server = CertificateParams::new(names).expect("Names fit for a certificate");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate().expect("A key");
        let signed = server
            .signed_by(&server_key, &issuer)
            .expect("A signed certificate");

        let made = Self {
            ca: folder.join("ca.pem"),
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        fs::write(&made.ca, issuer.pem()).expect("The authority's file");
        fs::write(&made.certificate, signed.pem()).expect("The certificate's file");
        fs::write(&made.key, server_key.serialize_pem()).expect("The key's file");
        made
    }

    /// For `localhost` and 127.0.0.1.
    pub fn for_loopback(folder: &Path) -> Self {
        Self::make(folder, &["localhost", "127.0.0.1"])
    }
}
