//! Tokens that nobody signed, or not this, or not so.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use integration_tests::signer::Signer;
use serde_json::json;

use super::{Answer, Armoury, Attack, but, by_token};

const CLASS: &str = "signature";

/// A claim of one key's token signed by another, under a header that says so: (what, key id and `alg` named, signer).
fn confusions(a: &Armoury) -> Vec<Attack> {
    let algorithms = [("EdDSA", &a.eddsa), ("ES256", &a.es256), ("RS256", &a.rs256)];
    let mut attacks = Vec::new();
    for (of, key) in algorithms {
        for (named, signer) in algorithms {
            if of != named {
                // The id of one key, the algorithm of another.
                let header = but(key.header(), "alg", json!(named)).to_string();
                let claims = a.claims().to_string();
                let own = format!("{of} key under alg {named}, signed by the {of} key");
                attacks.push(by_token(
                    "algorithm",
                    own,
                    &key.sign(&header, &claims),
                    Answer::Unauthenticated,
                ));
                let other = format!("{of} key under alg {named}, signed by the {named} key");
                attacks.push(by_token(
                    "algorithm",
                    other,
                    &signer.sign(&header, &claims),
                    Answer::Unauthenticated,
                ));
            }
        }
        for named in ["none", "None", "HS256", "HS512", "RS384", "RS512", "PS256", "ES384", "Ed25519", ""] {
            let token =
                key.sign(&but(key.header(), "alg", json!(named)).to_string(), &a.claims().to_string());
            attacks.push(by_token(
                "algorithm",
                format!("{of} key under alg {named:?}"),
                &token,
                Answer::Unauthenticated,
            ));
        }
    }
    attacks
}

/// The public key as the secret of an HMAC: the classic.
fn hmac(a: &Armoury, key: &Signer, public: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(but(key.header(), "alg", json!("HS256")).to_string());
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(a.claims().to_string()));
    let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&secret, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

pub(super) fn list(a: &Armoury) -> Vec<Attack> {
    let mut attacks = confusions(a);
    for (of, key) in [("EdDSA", &a.eddsa), ("ES256", &a.es256), ("RS256", &a.rs256)] {
        let good = key.token(&a.claims());
        let parts: Vec<&str> = good.split('.').collect();
        let [header, claims, signature] = parts[..] else { continue };
        let eve = URL_SAFE_NO_PAD.encode(but(a.claims(), "sub", json!("eve")).to_string());
        let unsigned = URL_SAFE_NO_PAD.encode(but(key.header(), "alg", json!("none")).to_string());
        let length = URL_SAFE_NO_PAD.decode(signature).map_or(64, |bytes| bytes.len());
        let zeros = URL_SAFE_NO_PAD.encode(vec![0; length]);
        let first = if signature.starts_with('A') { "B" } else { "A" };
        let swapped = format!("{first}{}", signature.get(1..).unwrap_or_default());
        let tokens = [
            ("no signature", format!("{header}.{claims}.")),
            ("two parts", format!("{header}.{claims}")),
            ("four parts", format!("{good}.{signature}")),
            ("five parts, as a JWE", format!("{good}.{signature}.{signature}")),
            ("zero signature", format!("{header}.{claims}.{zeros}")),
            ("half a signature", format!("{header}.{claims}.{}", &signature[..signature.len() / 2])),
            ("one letter changed", format!("{header}.{claims}.{swapped}")),
            ("claims swapped", format!("{header}.{eve}.{signature}")),
            ("alg none and no signature", format!("{unsigned}.{claims}.")),
            ("padded", format!("{good}==")),
            ("HMAC with the public key", hmac(a, key, &key.jwk().to_string())),
        ];
        for (what, token) in tokens {
            attacks.push(by_token(CLASS, format!("{of}: {what}"), &token, Answer::Unauthenticated));
        }
    }
    let anothers = a.stranger.token(&a.claims());
    attacks.push(by_token(CLASS, "another's key under our key id", &anothers, Answer::Unauthenticated));
    attacks.push(by_token(CLASS, "not a token", "x", Answer::Unauthenticated));
    attacks.push(by_token(CLASS, "dots", "..", Answer::Unauthenticated));
    attacks.push(by_token(CLASS, "longer than 8 KiB", &"a".repeat(9_000), Answer::Unauthenticated));
    attacks
}
