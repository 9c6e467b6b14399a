//! TLS by one cryptography library: whom we believe on the web and between services, and how we show who we are.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// The one provider of this process.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Makes our provider the process's, for libraries that ask for "the" provider.
///
/// # Errors
/// Another provider was there first.
pub(crate) fn install() -> Result<(), String> {
    let ours = aws_lc_rs::default_provider();
    let suites = |provider: &CryptoProvider| format!("{:?}", provider.cipher_suites);
    let expected = suites(&ours);
    // The first of several services in one process installs it; the others find it.
    let _ = ours.install_default();
    match CryptoProvider::get_default() {
        Some(installed) if suites(installed) == expected && !installed.fips() => Ok(()),
        Some(installed) if installed.fips() => Ok(()),
        _ => Err("another TLS provider than aws-lc-rs is installed in this process".to_owned()),
    }
}

/// For a server of the web: the system's authorities, or those of a file instead.
pub(crate) fn for_the_web(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let roots = match authorities {
        Some(file) => authorities_of(file)?,
        None => {
            let mut roots = RootCertStore::empty();
            let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this machine has no certificate authorities; name a file".to_owned());
            }
            roots
        }
    };
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The authorities of a PEM file.
pub(crate) fn authorities_of(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{} holds no authority ({error})", file.display()))?;
    }
    Ok(roots)
}

/// The certificates of a PEM file, at least one.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bad = |error: &dyn std::fmt::Display| format!("{} holds no certificates ({error})", file.display());
    let read: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(|error| bad(&error))?
        .collect::<Result<_, _>>()
        .map_err(|error| bad(&error))?;
    if read.is_empty() { Err(bad(&"none")) } else { Ok(read) }
}
