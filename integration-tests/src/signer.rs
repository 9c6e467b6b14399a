//! An issuer of any of our algorithms that signs whatever it is told: good tokens, and what an attacker would send.

use anyhow::{Context as _, Result};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

/// A key pair of one algorithm.
pub struct Signer {
    key: EncodingKey,
    algorithm: Algorithm,
    jwk: Value,
}

impl Signer {
    /// A new key of this algorithm under this id.
    ///
    /// # Errors
    /// An algorithm that is none of ours.
    pub fn new(algorithm: Algorithm, kid: &str) -> Result<Self> {
        let random = SystemRandom::new();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (key, mut jwk) = match algorithm {
            Algorithm::EdDSA => {
                let document = Ed25519KeyPair::generate_pkcs8(&random)?;
                let pair = Ed25519KeyPair::from_pkcs8(document.as_ref())?;
                let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) });
                (EncodingKey::from_ed_der(document.as_ref()), jwk)
            }
            Algorithm::ES256 => {
                let suite = &ECDSA_P256_SHA256_FIXED_SIGNING;
                let document = EcdsaKeyPair::generate_pkcs8(suite, &random)?;
                let pair = EcdsaKeyPair::from_pkcs8(suite, document.as_ref())?;
                // An uncompressed point: 4, x, y.
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .get(1..)
                    .context("a point")?
                    .split_at_checked(32)
                    .context("x, y")?;
                let jwk = json!({ "kty": "EC", "crv": "P-256", "x": text(x), "y": text(y) });
                (EncodingKey::from_ec_der(document.as_ref()), jwk)
            }
            Algorithm::RS256 => {
                let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?;
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let document: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der()?;
                let body = STANDARD.encode(document.as_ref());
                let pem = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n");
                let jwk = json!({ "kty": "RSA", "n": text(&public.n), "e": text(&public.e) });
                (EncodingKey::from_rsa_pem(pem.as_bytes())?, jwk)
            }
            other => anyhow::bail!("{other:?} is not one of ours"),
        };
        jwk["kid"] = kid.into();
        Ok(Self { key, algorithm, jwk })
    }

    /// The public half as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The header of a good token.
    #[must_use]
    pub fn header(&self) -> Value {
        json!({ "alg": format!("{:?}", self.algorithm), "typ": "at+jwt", "kid": self.jwk["kid"] })
    }

    /// Signs these texts as they are, with the key's own algorithm whatever the header says.
    #[must_use]
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, self.algorithm);
        format!("{signed}.{}", signature.unwrap_or_default())
    }

    /// A token with a good header and these claims.
    #[must_use]
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }
}

/// The key set of these signers.
#[must_use]
pub fn jwks(signers: &[&Signer]) -> String {
    let keys: Vec<&Value> = signers.iter().map(|signer| signer.jwk()).collect();
    json!({ "keys": keys }).to_string()
}

/// The claims of a good token of `platform`, issued at this second (Unix) for ten minutes.
#[must_use]
pub fn claims(now_s: i64) -> Value {
    json!({
        "iss": runtime::token::DEVELOPMENT_ISSUER, "aud": runtime::token::AUDIENCE, "sub": "ana",
        "jti": "token-1", "iat": now_s, "exp": now_s + 600, "org": "platform", "roles": ["platform_admin"],
    })
}
