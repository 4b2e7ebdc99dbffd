//! What counts as a genuine server: the system's certificate authorities and, if one is named, a file with more.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The TLS side of every connection that we open: TLS 1.2 or 1.3, certificate and name always checked.
///
/// `ca_file` adds authorities to the system's own (a company's, or the Russian Ministry's root); there is no switch that turns the check off.
///
/// # Errors
/// `ca_file` can't be read or holds no certificate, or there is no authority at all to check against.
pub fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    // One broken file among the system's must not stop the mail: what can be read is used.
    let native = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(native.certs);
    if unusable > 0 || !native.errors.is_empty() {
        tracing::debug!(
            unusable,
            unreadable = native.errors.len(),
            "some of the system's certificate authorities can't be used"
        );
    }
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    ensure!(
        !roots.is_empty(),
        "No certificate authority to check servers against: install the system's (ca-certificates), or name a ca_file"
    );
    // The provider is named here: with two of them in the program rustls would refuse to choose, at run time.
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .context("Can't set up TLS")?
            .with_root_certificates(roots)
            .with_no_client_auth();
    Ok(Arc::new(config))
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("Can't read ca_file {}", path.display()))?;
    ensure!(
        !certificates.is_empty(),
        "The ca_file {} holds no certificate",
        path.display()
    );
    for certificate in certificates {
        roots.add(certificate).with_context(|| {
            format!(
                "The ca_file {} holds a certificate that can't be used",
                path.display()
            )
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::client_config;

    fn said(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        client_config(Some(file.path())).map_or_else(|e| format!("{e:#}"), |_| "taken".to_owned())
    }

    /// B15: a CA file is taken, and one that is of no use is refused by name rather than passed over.
    #[test]
    fn a_ca_file_adds_authorities_or_is_refused() {
        let ca = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        assert_eq!(said(&ca.cert.pem()), "taken");
        assert!(said("nothing of use\n").contains("holds no certificate"));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(said(broken).contains("can't be used"));
        let missing = client_config(Some(std::path::Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(format!("{missing:#}").contains("Can't read ca_file /nowhere/ca.pem"));
    }
}
