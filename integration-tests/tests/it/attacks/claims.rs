//! Tokens whose claims are wrong, genuinely signed.

use runtime::token::DEVELOPMENT_ISSUER;
use serde_json::{Value, json};

use super::{Answer, Armoury, Attack, but, by_token};

pub(super) fn list(a: &Armoury) -> Vec<Attack> {
    let now = a.now;
    let table: &[(&'static str, &str, &str, Value)] = &[
        ("issuer", "missing", "iss", Value::Null),
        ("issuer", "wrong", "iss", json!("https://evil.example")),
        ("issuer", "a prefix", "iss", json!("https://development.gridlease")),
        ("issuer", "with a slash", "iss", json!(format!("{DEVELOPMENT_ISSUER}/"))),
        ("issuer", "a list", "iss", json!([DEVELOPMENT_ISSUER])),
        ("audience", "missing", "aud", Value::Null),
        ("audience", "wrong", "aud", json!("other")),
        ("audience", "a part of ours", "aud", json!("grid")),
        ("audience", "ours and another", "aud", json!(["gridlease", "other"])),
        ("audience", "an empty list", "aud", json!([])),
        ("audience", "a number", "aud", json!(1)),
        ("subject", "missing", "sub", Value::Null),
        ("subject", "blank", "sub", json!("  ")),
        ("subject", "a number", "sub", json!(1)),
        ("subject", "with a line break", "sub", json!("a\nb")),
        ("subject", "of 256 letters", "sub", json!("s".repeat(256))),
        ("token id", "missing", "jti", Value::Null),
        ("token id", "empty", "jti", json!("")),
        ("token id", "a number", "jti", json!(7)),
        ("time", "iat missing", "iat", Value::Null),
        ("time", "iat a text", "iat", json!("1")),
        ("time", "iat beyond the leeway", "iat", json!(now + 90)),
        ("time", "exp missing", "exp", Value::Null),
        ("time", "exp a text", "exp", json!((now + 600).to_string())),
        ("time", "exp a fraction", "exp", json!(1.5e9)),
        ("time", "exp a list", "exp", json!([now + 600])),
        ("time", "exp true", "exp", json!(true)),
        ("time", "exp negative", "exp", json!(-1)),
        ("time", "exp beyond all numbers", "exp", json!(u64::MAX)),
        ("time", "exp in ten years", "exp", json!(now + 10 * 365 * 86_400)),
        ("time", "exp a minute beyond a day", "exp", json!(now + 86_460)),
        ("time", "exp before iat", "exp", json!(now - 5)),
        ("time", "nbf beyond the leeway", "nbf", json!(now + 90)),
        ("time", "nbf a text", "nbf", json!("0")),
        ("time", "nbf an object", "nbf", json!({})),
        ("organisation", "missing", "org", Value::Null),
        ("organisation", "empty", "org", json!("")),
        ("organisation", "a star", "org", json!("*")),
        ("organisation", "every operator", "org", json!("operators/-")),
        ("organisation", "a path", "org", json!("operators/a/../b")),
        ("organisation", "a list", "org", json!(["operators/acme"])),
        ("organisation", "in capitals", "org", json!("Operators/ACME")),
        ("organisation", "two", "org", json!("operators/acme,operators/other")),
        ("roles", "missing", "roles", Value::Null),
        ("roles", "none", "roles", json!([])),
        ("roles", "a text", "roles", json!("sales")),
        ("roles", "unknown", "roles", json!(["root"])),
        ("roles", "numbers", "roles", json!([1])),
        ("roles", "twice", "roles", json!(["sales", "sales"])),
        ("roles", "the platform's in an operator", "roles", json!(["platform_admin"])),
        ("roles", "a service's in an operator", "roles", json!(["service"])),
        ("roles", "a tenant's in an operator", "roles", json!(["sales", "tenant"])),
        ("roles", "in capitals", "roles", json!(["Sales"])),
        ("roles", "nine", "roles", json!(vec!["sales"; 9])),
    ];
    let mut attacks: Vec<Attack> = table
        .iter()
        .map(|(class, what, member, to)| {
            let token = a.eddsa.token(&but(a.claims(), member, to.clone()));
            by_token(class, *what, &token, Answer::Unauthenticated)
        })
        .collect();
    let past = but(but(a.claims(), "iat", json!(now - 600)), "exp", json!(now - 40));
    attacks.push(by_token("time", "exp past the leeway", &a.eddsa.token(&past), Answer::Unauthenticated));
    attacks.extend(twice(a));
    attacks
}

/// What another reader might read otherwise.
fn twice(a: &Armoury) -> Vec<Attack> {
    let header = a.eddsa.header().to_string();
    let insert = |text: &str| {
        let mut claims = a.claims().to_string();
        claims.insert_str(1, text);
        a.eddsa.sign(&header, &claims)
    };
    let tokens = [
        ("a claim twice", insert("\"org\":\"operators/other\",")),
        ("a claim twice further in", insert("\"act\":{\"sub\":1,\"sub\":2},")),
        ("a claim twice, escaped", insert("\"\\u006frg\":\"operators/other\",")),
        ("a list for an object", a.eddsa.sign(&header, "[]")),
        ("more after the object", a.eddsa.sign(&header, &format!("{}{{}}", a.claims()))),
        ("no JSON", a.eddsa.sign(&header, "sub=ana")),
        ("five thousand brackets", a.eddsa.sign(&header, &"[".repeat(5_000))),
    ];
    tokens.into_iter().map(|(what, token)| by_token("JSON", what, &token, Answer::Unauthenticated)).collect()
}
