//! TLS by one cryptography library: whom we believe on the web and between services, and how we show who we are.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::settings::{PeerSettings, ServerSettings};

/// How often the files of a certificate may be looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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

/// A certificate and its key in files, read again when they change: renewed without a restart.
pub(crate) struct Identity {
    certificate: PathBuf,
    key: PathBuf,
    state: Mutex<State>,
}

struct State {
    looked: Instant,
    stamp: Stamp,
    shown: Arc<CertifiedKey>,
}

type Stamp = [SystemTime; 2];

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Identity {
    pub(crate) fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>, String> {
        let (stamp, shown) = (stamp(certificate, key)?, read(certificate, key)?);
        let state = Mutex::new(State { looked: Instant::now(), stamp, shown });
        Ok(Arc::new(Self { certificate: certificate.to_owned(), key: key.to_owned(), state }))
    }

    fn present(&self) -> Arc<CertifiedKey> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            let fresh = stamp(&self.certificate, &self.key).and_then(|stamp| {
                let changed = stamp != state.stamp;
                let shown = changed.then(|| read(&self.certificate, &self.key)).transpose()?;
                Ok(shown.map(|shown| (stamp, shown)))
            });
            match fresh {
                Ok(Some((stamp, shown))) => {
                    tracing::info!(certificate = %self.certificate.display(), "certificate read again");
                    (state.stamp, state.shown) = (stamp, shown);
                }
                Ok(None) => {}
                // Of two files one is written first: the old pair stays until they fit.
                Err(problem) => tracing::warn!(problem, "certificate kept as it was"),
            }
        }
        Arc::clone(&state.shown)
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.present())
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.present())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn stamp(certificate: &Path, key: &Path) -> Result<Stamp, String> {
    let at = |file: &Path| {
        let modified = std::fs::metadata(file).and_then(|metadata| metadata.modified());
        modified.map_err(|error| format!("{} cannot be read ({})", file.display(), error.kind()))
    };
    Ok([at(certificate)?, at(key)?])
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, String> {
    let chain = certificates(certificate)?;
    // What is wrong with a key is not told further: the text might hold some of it.
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|_| format!("{} holds no key", key.display()))?;
    let pair = CertifiedKey::from_der(chain, secret, &provider());
    pair.map(Arc::new).map_err(|error| format!("{} is not of its key ({error})", certificate.display()))
}

/// TLS 1.3 for a server: plain where no certificate is named.
pub(crate) fn acceptor(settings: &ServerSettings) -> Result<Option<TlsAcceptor>, String> {
    let (Some(certificate), Some(key)) = (&settings.tls_cert_file, &settings.tls_key_file) else {
        return Ok(None);
    };
    let identity = Identity::open(certificate, key)?;
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?;
    let builder = match &settings.client_ca_file {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let roots = Arc::new(authorities_of(file)?);
            // People come with a token alone; a certificate that is shown must be good, and services must show one.
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, provider()).allow_unauthenticated();
            builder.with_client_cert_verifier(verifier.build().map_err(|error| error.to_string())?)
        }
    };
    let mut config = builder.with_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec()];
    // Browsers without HTTP/2, and proxies before them.
    if !settings.web_origins.is_empty() {
        config.alpn_protocols.push(b"http/1.1".to_vec());
    }
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

/// TLS 1.3 for calls to peers: whom we believe, and what we show.
pub(crate) fn for_peers(settings: &PeerSettings) -> Result<Arc<ClientConfig>, String> {
    let Some(authorities) = &settings.ca_file else {
        return Err("peers at https:// need peers.ca_file".to_owned());
    };
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| error.to_string())?
        .with_root_certificates(authorities_of(authorities)?);
    let mut config = match (&settings.tls_cert_file, &settings.tls_key_file) {
        (Some(certificate), Some(key)) => {
            builder.with_client_cert_resolver(Identity::open(certificate, key)?)
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Arc::new(config))
}

/// The DNS names of the certificate that the other end has shown and that was verified.
pub(crate) fn names_shown(connection: &rustls::ServerConnection) -> Option<Arc<[String]>> {
    let certificate = connection.peer_certificates()?.first()?;
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(certificate.valid_dns_names().map(ToOwned::to_owned).collect())
}
