//! The public keys of tokens: what a JSON Web Key Set says, each key with the one algorithm it may verify.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use crate::token::DEVELOPMENT_KEY_ID;

/// The largest key set that is read.
pub(super) const SET_MAX_BYTES: usize = 65_536;
const KEYS_MAX: usize = 32;
/// RSA keys of 2048 to 4096 bits: shorter are weak, longer are a way to make us work.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// A key, and the algorithm that its JWK pins: a token's header may only agree.
pub(super) struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Keys by their id.
pub(super) type Keys = HashMap<String, Arc<Key>>;

impl Key {
    /// Whether this key made the signature, by the key's algorithm; a header that names another is no token of ours.
    pub(super) fn verifies(&self, named: &str, signed: &[u8], signature: &str) -> bool {
        named == name(self.algorithm)
            && jsonwebtoken::crypto::verify(signature, signed, &self.key, self.algorithm).unwrap_or(false)
    }
}

/// The name of an algorithm in a token's header.
fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EdDSA => "EdDSA",
        Algorithm::ES256 => "ES256",
        Algorithm::RS256 => "RS256",
        // No key has any other.
        _ => "",
    }
}

/// Reads a key set. The error completes "the key set ...".
pub(super) fn read(bytes: &[u8], production: bool) -> Result<Keys, String> {
    if bytes.len() > SET_MAX_BYTES {
        return Err(format!("is larger than {SET_MAX_BYTES} bytes"));
    }
    let set: JwkSet =
        serde_json::from_slice(bytes).map_err(|error| format!("is not a JSON Web Key Set ({error})"))?;
    if set.keys.len() > KEYS_MAX {
        return Err(format!("has more than {KEYS_MAX} keys"));
    }
    let mut keys = Keys::new();
    for jwk in &set.keys {
        // Keys of other algorithms and uses are another server's business.
        let Some(algorithm) = algorithm(jwk) else { continue };
        let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty()).ok_or("has a key without kid")?;
        if production && kid.starts_with(DEVELOPMENT_KEY_ID) {
            return Err(format!("has the development key {kid}, which is refused in production"));
        }
        if !sound(jwk) {
            return Err(format!("has a key {kid} of a length that is none of its algorithm's"));
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("has a broken key {kid} ({error})"))?;
        if keys.insert(kid.clone(), Arc::new(Key { algorithm, key })).is_some() {
            return Err(format!("has the kid {kid} twice"));
        }
    }
    if keys.is_empty() { Err("has no key for EdDSA, ES256 or RS256".to_owned()) } else { Ok(keys) }
}

/// The one algorithm of a key: its type and curve decide, and what it says of itself must agree.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, said) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        _ => return None,
    };
    let agrees = jwk.common.key_algorithm.is_none_or(|own| own == said);
    let signs = jwk.common.public_key_use.as_ref().is_none_or(|own| *own == PublicKeyUse::Signature);
    (agrees && signs).then_some(algorithm)
}

/// Whether the numbers have the lengths that the algorithm wants.
fn sound(jwk: &Jwk) -> bool {
    let length = |text: &str| URL_SAFE_NO_PAD.decode(text).map_or(0, |bytes| bytes.len());
    match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) => length(&pair.x) == 32,
        AlgorithmParameters::EllipticCurve(key) => length(&key.x) == 32 && length(&key.y) == 32,
        AlgorithmParameters::RSA(key) => MODULUS_BYTES.contains(&length(&key.n)),
        _ => false,
    }
}

/// The examples of the standards (RFC 8037 A.4, RFC 7515 A.3 and A.2): a key and what it has signed.
const KNOWN: [(&str, &str, &str); 3] = [
    (
        "EdDSA",
        r#"{"kid":"EdDSA","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhij\
         cNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
    ),
    (
        "ES256",
        r#"{"kid":"ES256","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ij\
         p0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    ),
    (
        "RS256",
        r#"{"kid":"RS256","kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ij\
         p0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds\
         9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN938\
         3LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlV\
         mtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
];

/// Verifies what the standards give as examples, and refuses the same with one letter changed: a build whose
/// cryptography is missing, double or wrong does not start.
pub(super) fn self_test() -> Result<(), String> {
    for (algorithm, key, example) in KNOWN {
        let failed = |what: &str| format!("the self-test of {algorithm} failed: {what}");
        let keys = read(format!("{{\"keys\":[{key}]}}").as_bytes(), true).map_err(|what| failed(&what))?;
        let key = keys.get(algorithm).ok_or_else(|| failed("no key"))?;
        let (signed, signature) = example.rsplit_once('.').ok_or_else(|| failed("no example"))?;
        if !key.verifies(algorithm, signed.as_bytes(), signature) {
            return Err(failed("a good signature is refused"));
        }
        if key.verifies(algorithm, format!("{signed}x").as_bytes(), signature) {
            return Err(failed("a bad signature is accepted"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standards_verify_and_an_algorithm_is_its_keys_own() {
        self_test().unwrap();
        let (_, rsa, example) = KNOWN[2];
        let set = |member: &str| format!("{{\"keys\":[{}]}}", rsa.replacen('{', &format!("{{{member},"), 1));
        let keys = read(set("\"alg\":\"RS256\"").as_bytes(), true).unwrap();
        let (signed, signature) = example.rsplit_once('.').unwrap();
        assert!(keys["RS256"].verifies("RS256", signed.as_bytes(), signature));
        for named in ["RS512", "PS256", "HS256", "ES256", "none", "rs256", ""] {
            assert!(!keys["RS256"].verifies(named, signed.as_bytes(), signature), "{named}");
        }
        for other in ["\"alg\":\"PS256\"", "\"alg\":\"RS512\"", "\"use\":\"enc\""] {
            assert!(read(set(other).as_bytes(), true).is_err(), "{other}: nothing is left to verify with");
        }
    }

    #[test]
    fn weak_and_malformed_keys_are_refused_by_name() {
        let weak = URL_SAFE_NO_PAD.encode([0xc5; 128]);
        for (key, says) in [
            (format!(r#"{{"kty":"RSA","kid":"a","e":"AQAB","n":"{weak}"}}"#), "length"),
            (r#"{"kty":"OKP","kid":"a","crv":"Ed25519","x":"AAAA"}"#.to_owned(), "length"),
            (r#"{"kty":"EC","kid":"a","crv":"P-256","x":"AAAA","y":"AAAA"}"#.to_owned(), "length"),
            (r#"{"kty":"EC","kid":"a","crv":"P-384","x":"AAAA","y":"AAAA"}"#.to_owned(), "no key"),
            (r#"{"kty":"oct","kid":"a","k":"AAAA"}"#.to_owned(), "no key"),
            (KNOWN[0].1.replace("\"kid\":\"EdDSA\",", ""), "without kid"),
            (format!("{0},{0}", KNOWN[0].1), "twice"),
        ] {
            let refused = read(format!("{{\"keys\":[{key}]}}").as_bytes(), false).err().unwrap();
            assert!(refused.contains(says), "{key}: {refused}");
        }
    }
}
