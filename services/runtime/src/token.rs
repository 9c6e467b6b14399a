//! The development issuer: tokens for one machine. Real ones come from the operator's identity provider.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Clock as _, Error, Organisation, Role, SystemClock};
use serde::Serialize;
use uuid::Uuid;

/// The `iss` of development tokens; a production configuration refuses it.
pub const DEVELOPMENT_ISSUER: &str = "https://development.gridlease.invalid";
/// How the key ids of development keys begin; a production key file refuses them.
pub const DEVELOPMENT_KEY_ID: &str = "development-";
/// The `aud` of the tokens it mints.
pub const AUDIENCE: &str = "gridlease";

/// The names of the two files of [`TokenIssuer::in_directory`].
pub const KEY_FILE: &str = "development-key";
/// The public half, in the form that `AUTH__JWKS_FILE` wants.
pub const JWKS_FILE: &str = "development-jwks.json";

/// What goes before a seed in PKCS#8 (RFC 8410).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Signs tokens with an Ed25519 key of its own.
#[derive(Clone)]
pub struct TokenIssuer {
    inner: Arc<Inner>,
}

struct Inner {
    key: EncodingKey,
    seed: [u8; 32],
    key_id: String,
    public: Vec<u8>,
}

/// The claims as they go over the wire.
#[derive(Serialize)]
struct Minted<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    jti: String,
    iat: i64,
    exp: i64,
    org: String,
    roles: Vec<String>,
}

impl TokenIssuer {
    /// An issuer with a new key that only lives in memory.
    ///
    /// # Errors
    /// `INTERNAL` if the machine gives no randomness.
    pub fn development() -> Result<Self, Error> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(Error::internal)?;
        Self::from_seed(seed)
    }

    /// The issuer whose seed is in `directory`, made on first use, with its key set beside it.
    ///
    /// # Errors
    /// `INTERNAL` if the files cannot be read or written.
    pub fn in_directory(directory: &Path) -> Result<Self, Error> {
        let key_file = directory.join(KEY_FILE);
        let issuer = if key_file.exists() {
            Self::from_file(&key_file)?
        } else {
            std::fs::create_dir_all(directory).map_err(Error::internal)?;
            let issuer = Self::development()?;
            write_private(&key_file, &URL_SAFE_NO_PAD.encode(issuer.inner.seed))?;
            issuer
        };
        // Renamed into place, so that a server reading it never sees half of it.
        let jwks = directory.join(JWKS_FILE);
        let fresh = directory.join(format!("{JWKS_FILE}.{}", std::process::id()));
        std::fs::write(&fresh, issuer.jwks()).map_err(Error::internal)?;
        std::fs::rename(&fresh, &jwks).map_err(Error::internal)?;
        Ok(issuer)
    }

    /// The issuer whose seed this file holds.
    ///
    /// # Errors
    /// `INTERNAL` if the file does not hold a seed.
    pub fn from_file(key_file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(key_file).map_err(Error::internal)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(Error::internal)?;
        let seed =
            <[u8; 32]>::try_from(bytes).map_err(|_| Error::internal("a development key is 32 bytes"))?;
        Self::from_seed(seed)
    }

    /// The issuer with this seed.
    ///
    /// # Errors
    /// `INTERNAL` if the seed is none.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(Error::internal)?;
        let public = pair.public_key().as_ref().to_vec();
        let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &public);
        let short = fingerprint.as_ref().get(..8).unwrap_or_default();
        let key_id = format!("{DEVELOPMENT_KEY_ID}{}", URL_SAFE_NO_PAD.encode(short));
        let mut pkcs8 = PKCS8_PREFIX.to_vec();
        pkcs8.extend_from_slice(&seed);
        let key = EncodingKey::from_ed_der(&pkcs8);
        Ok(Self { inner: Arc::new(Inner { key, seed, key_id, public }) })
    }

    /// A token that says that `subject` of `organisation` has `roles`, valid from now on for `lifetime` of real time.
    ///
    /// # Errors
    /// `INTERNAL` if it cannot be signed.
    pub fn mint(
        &self,
        subject: &str,
        organisation: &Organisation,
        roles: &[Role],
        lifetime: Duration,
    ) -> Result<String, Error> {
        self.mint_at(SystemClock.now(), subject, organisation, roles, lifetime)
    }

    /// As [`TokenIssuer::mint`], but issued at `from`: for tests of tokens whose time is over, or not yet come.
    ///
    /// # Errors
    /// `INTERNAL` if it cannot be signed.
    pub fn mint_at(
        &self,
        from: kernel::Instant,
        subject: &str,
        organisation: &Organisation,
        roles: &[Role],
        lifetime: Duration,
    ) -> Result<String, Error> {
        let iat = from.timestamp();
        let lifetime_s = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let claims = Minted {
            iss: DEVELOPMENT_ISSUER,
            aud: AUDIENCE,
            sub: subject,
            jti: random_id()?.to_string(),
            iat,
            exp: iat.saturating_add(lifetime_s),
            org: organisation.to_string(),
            roles: roles.iter().map(ToString::to_string).collect(),
        };
        self.sign(&self.header(), &claims)
    }

    /// A token for the service itself, for the time of one call to a peer or a few.
    ///
    /// # Errors
    /// `INTERNAL` if it cannot be signed.
    pub fn mint_service(&self, service: &str, lifetime: Duration) -> Result<String, Error> {
        let organisation = Organisation::Service(service.into());
        self.mint(service, &organisation, &[Role::Service], lifetime)
    }

    /// The public key as a JSON Web Key Set.
    pub fn jwks(&self) -> String {
        serde_json::json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig",
            "kid": self.inner.key_id, "x": URL_SAFE_NO_PAD.encode(&self.inner.public),
        }] })
        .to_string()
    }

    #[cfg(test)]
    pub(crate) fn key_id(&self) -> &str {
        &self.inner.key_id
    }

    /// Signs whatever it is given, for tests of what must be refused.
    #[cfg(test)]
    pub(crate) fn sign_raw(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.inner.key, Algorithm::EdDSA);
        format!("{message}.{}", signature.unwrap())
    }

    fn header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.inner.key_id.clone());
        header
    }

    fn sign(&self, header: &Header, claims: &impl Serialize) -> Result<String, Error> {
        jsonwebtoken::encode(header, claims, &self.inner.key).map_err(Error::internal)
    }
}

/// A token's id need only be unlike any other; it is not one of the ids that `Ids` gives to what we keep.
fn random_id() -> Result<Uuid, Error> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(Error::internal)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(Error::internal)?;
    file.write_all(text.as_bytes()).map_err(Error::internal)
}
