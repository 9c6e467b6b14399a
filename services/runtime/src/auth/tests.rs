//! Attacks over a real socket: every bad token gets the same answer, to the byte.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Clock as _, Role, SystemClock, TestClock};
use serde_json::{Value, json};
use tonic::Code;

use crate::auth::ON_BEHALF_OF;
use crate::testing::{TestServer, reason};
use crate::token::{DEVELOPMENT_ISSUER, TokenIssuer};

fn now() -> i64 {
    SystemClock.now().timestamp()
}

fn good_header(issuer: &TokenIssuer) -> Value {
    json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": issuer.key_id() })
}

fn good_claims() -> Value {
    json!({
        "iss": DEVELOPMENT_ISSUER, "aud": "gridlease", "sub": "ana", "jti": "1",
        "iat": now(), "exp": now() + 600, "org": "platform", "roles": ["platform_admin"],
    })
}

/// The good value with one member changed; null removes it.
fn but(mut value: Value, member: &str, to: Value) -> Value {
    let object = value.as_object_mut().unwrap();
    if to.is_null() {
        object.remove(member)
    } else {
        object.insert(member.to_owned(), to)
    };
    value
}

fn signed(issuer: &TokenIssuer, header: &Value, claims: &Value) -> String {
    issuer.sign_raw(&header.to_string(), &claims.to_string())
}

fn b64(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// Tokens whose header is wrong, genuinely signed.
fn header_attacks(issuer: &TokenIssuer) -> Vec<(&'static str, String)> {
    let header =
        |member: &str, to: Value| signed(issuer, &but(good_header(issuer), member, to), &good_claims());
    let claims = good_claims().to_string();
    let mut duplicate = good_header(issuer).to_string();
    duplicate.insert_str(1, "\"alg\":\"none\",");
    vec![
        ("alg none, signed", header("alg", json!("none"))),
        ("alg HS256", header("alg", json!("HS256"))),
        ("alg RS256", header("alg", json!("RS256"))),
        ("alg in other case", header("alg", json!("eddsa"))),
        ("alg missing", header("alg", Value::Null)),
        ("typ JWT", header("typ", json!("JWT"))),
        ("typ id token", header("typ", json!("id+jwt"))),
        ("typ missing", header("typ", Value::Null)),
        ("kid missing", header("kid", Value::Null)),
        ("kid empty", header("kid", json!(""))),
        ("kid unknown", header("kid", json!("another"))),
        ("kid a path", header("kid", json!("../../etc/passwd"))),
        ("kid SQL", header("kid", json!("' or 1=1 --"))),
        ("kid a number", header("kid", json!(7))),
        ("jku", header("jku", json!("http://127.0.0.1:1/jwks"))),
        ("x5u", header("x5u", json!("http://127.0.0.1:1/cert"))),
        ("embedded jwk", header("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}))),
        ("crit", header("crit", json!(["exp"]))),
        ("b64 false", header("b64", json!(false))),
        ("zip", header("zip", json!("DEF"))),
        ("duplicate alg", issuer.sign_raw(&duplicate, &claims)),
        ("header not an object", issuer.sign_raw("[]", &claims)),
        ("header not JSON", issuer.sign_raw("alg", &claims)),
    ]
}

/// Tokens whose claims are wrong, genuinely signed.
fn claim_attacks(issuer: &TokenIssuer) -> Vec<(&'static str, String)> {
    let claim =
        |member: &str, to: Value| signed(issuer, &good_header(issuer), &but(good_claims(), member, to));
    let mut duplicate = good_claims().to_string();
    duplicate.insert_str(1, "\"org\":\"operators/other\",");
    let mut nested = good_claims().to_string();
    nested.insert_str(1, "\"act\":{\"sub\":1,\"sub\":2},");
    vec![
        ("iss missing", claim("iss", Value::Null)),
        ("iss wrong", claim("iss", json!("https://evil.example"))),
        ("iss a prefix", claim("iss", json!("https://development.gridlease"))),
        ("iss an array", claim("iss", json!([DEVELOPMENT_ISSUER]))),
        ("aud missing", claim("aud", Value::Null)),
        ("aud wrong", claim("aud", json!("other"))),
        ("aud a substring", claim("aud", json!("grid"))),
        ("aud with another", claim("aud", json!(["gridlease", "other"]))),
        ("aud empty", claim("aud", json!([]))),
        ("sub missing", claim("sub", Value::Null)),
        ("sub blank", claim("sub", json!("  "))),
        ("sub a number", claim("sub", json!(1))),
        ("sub with a line break", claim("sub", json!("a\nb"))),
        ("jti missing", claim("jti", Value::Null)),
        ("iat missing", claim("iat", Value::Null)),
        ("iat a text", claim("iat", json!("1"))),
        ("iat in the future", claim("iat", json!(now() + 60))),
        ("exp missing", claim("exp", Value::Null)),
        ("exp a text", claim("exp", json!((now() + 600).to_string()))),
        ("exp a fraction", claim("exp", json!(1.5e9))),
        ("exp negative", claim("exp", json!(-1))),
        ("exp beyond all years", claim("exp", json!(u64::MAX))),
        ("exp in the past", claim("exp", json!(now() - 31))),
        ("exp absurdly far", claim("exp", json!(now() + 10 * 365 * 86_400))),
        ("exp before iat", claim("exp", json!(now() - 5))),
        ("nbf in the future", claim("nbf", json!(now() + 60))),
        ("nbf a text", claim("nbf", json!("0"))),
        ("org missing", claim("org", Value::Null)),
        ("org empty", claim("org", json!(""))),
        ("org a star", claim("org", json!("*"))),
        ("org every operator", claim("org", json!("operators/-"))),
        ("org a path", claim("org", json!("operators/a/../b"))),
        ("org a list", claim("org", json!(["platform"]))),
        ("roles missing", claim("roles", Value::Null)),
        ("roles empty", claim("roles", json!([]))),
        ("roles a text", claim("roles", json!("platform_admin"))),
        ("roles unknown", claim("roles", json!(["root"]))),
        ("roles of another type", claim("roles", json!([1]))),
        ("roles twice", claim("roles", json!(["platform_admin", "platform_admin"]))),
        ("roles of another kind", claim("roles", json!(["platform_admin", "service"]))),
        ("roles in other case", claim("roles", json!(["Platform_Admin"]))),
        ("duplicate claim", issuer.sign_raw(&good_header(issuer).to_string(), &duplicate)),
        ("duplicate nested", issuer.sign_raw(&good_header(issuer).to_string(), &nested)),
        ("claims an array", issuer.sign_raw(&good_header(issuer).to_string(), "[]")),
    ]
}

/// Tokens that nobody signed, or not this.
fn signature_attacks(issuer: &TokenIssuer) -> Vec<(&'static str, String)> {
    let good = signed(issuer, &good_header(issuer), &good_claims());
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let stranger = TokenIssuer::development().unwrap();
    let other_claims = b64(&but(good_claims(), "sub", json!("eve")).to_string());
    let unsigned = b64(&but(good_header(issuer), "alg", json!("none")).to_string());
    // The public key as an HMAC secret is the classic confusion; the signature is wrong for EdDSA whatever it is.
    let confused = b64(&but(good_header(issuer), "alg", json!("HS256")).to_string());
    vec![
        ("no signature", format!("{header}.{claims}.")),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts, as a JWE", format!("{good}.{signature}.{signature}")),
        ("zero signature", format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
        ("short signature", format!("{header}.{claims}.{}", &signature[..40])),
        ("truncated", good[..good.len() - 4].to_owned()),
        ("payload swapped", format!("{header}.{other_claims}.{signature}")),
        ("none without signature", format!("{unsigned}.{claims}.")),
        ("HMAC confusion", format!("{confused}.{claims}.{signature}")),
        ("padded", format!("{good}==")),
        (
            "another's key under our kid",
            stranger.sign_raw(&good_header(issuer).to_string(), &good_claims().to_string()),
        ),
        ("another's key", signed(&stranger, &good_header(&stranger), &good_claims())),
        ("not a token", "x".to_owned()),
        ("too long", "a".repeat(9_000)),
    ]
}

#[tokio::test]
async fn every_bad_token_gets_the_same_answer() {
    let server = TestServer::start().await;
    let issuer = &server.issuer;
    let mut attacks: Vec<(&str, Vec<(&'static str, String)>)> = Vec::new();
    for (name, token) in
        header_attacks(issuer).into_iter().chain(claim_attacks(issuer)).chain(signature_attacks(issuer))
    {
        attacks.push((name, vec![("authorization", format!("Bearer {token}"))]));
    }
    let good = signed(issuer, &good_header(issuer), &good_claims());
    let header = |value: String| vec![("authorization", value)];
    attacks.extend([
        ("no authorization", vec![]),
        ("empty authorization", header(String::new())),
        ("scheme only", header("Bearer".to_owned())),
        ("no scheme", header(good.clone())),
        ("Basic", header(format!("Basic {good}"))),
        ("two spaces", header(format!("Bearer  {good}"))),
        ("two tokens in one", header(format!("Bearer {good} {good}"))),
        ("comma", header(format!("Bearer {good},{good}"))),
        ("twice", [header(format!("Bearer {good}")), header(format!("Bearer {good}"))].concat()),
        ("another header", vec![("x-authorization", format!("Bearer {good}"))]),
    ]);
    assert!(attacks.len() >= 60, "{}", attacks.len());
    let mut wrong = Vec::new();
    for (name, metadata) in attacks {
        let answer = server.get_time(&metadata).await;
        let told =
            answer.as_ref().map_err(|s| (s.code(), s.message().to_owned(), reason(s), s.details().to_vec()));
        match told {
            Err((Code::Unauthenticated, message, reason, _))
                if message == "A valid access token is needed." && reason == "UNAUTHENTICATED" => {}
            other => wrong.push(format!("{name}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.get_time(&header(format!("Bearer {good}"))).await.unwrap();
}

#[tokio::test]
async fn what_is_unusual_but_right_is_accepted() {
    let server = TestServer::start().await;
    let issuer = &server.issuer;
    let claim =
        |member: &str, to: Value| signed(issuer, &good_header(issuer), &but(good_claims(), member, to));
    for (name, token) in [
        ("aud as a list of one", claim("aud", json!(["gridlease"]))),
        (
            "expired within the leeway",
            signed(
                issuer,
                &good_header(issuer),
                &but(but(good_claims(), "iat", json!(now() - 600)), "exp", json!(now() - 20)),
            ),
        ),
        ("nbf within the leeway", claim("nbf", json!(now() + 20))),
        ("other claims", claim("scope", json!("x"))),
        ("x5t", signed(issuer, &but(good_header(issuer), "x5t", json!("a")), &good_claims())),
    ] {
        let answer = server.get_time(&[("authorization", format!("bearer {token}"))]).await;
        assert!(answer.is_ok(), "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn rights_and_on_behalf_of() {
    let server = TestServer::start().await;
    let call = async |org: &str, role: Role, more: &[(&'static str, String)]| {
        let token = server.token(org, &[role]);
        let mut metadata = vec![("authorization", format!("Bearer {token}"))];
        metadata.extend_from_slice(more);
        let status = server.get_time(&metadata).await.err();
        status.map_or((Code::Ok, String::new()), |status| (status.code(), reason(&status)))
    };
    let behalf = |value: &str| vec![(ON_BEHALF_OF, value.to_owned())];
    let denied = (Code::PermissionDenied, "ROLE_NOT_ALLOWED".to_owned());
    let invalid = (Code::InvalidArgument, "INVALID_FIELD".to_owned());
    assert_eq!(call("platform", Role::PlatformAdmin, &[]).await.0, Code::Ok);
    assert_eq!(call("operators/acme", Role::OperatorAdmin, &[]).await, denied);
    assert_eq!(call("services/leasing", Role::Service, &[]).await, denied);
    assert_eq!(call("platform", Role::PlatformAdmin, &behalf("operators/acme")).await, denied);
    assert_eq!(call("operators/acme", Role::OperatorAdmin, &behalf("operators/other")).await, denied);
    assert_eq!(call("services/leasing", Role::Service, &behalf("*")).await, invalid);
    assert_eq!(call("services/leasing", Role::Service, &behalf("operators/acme")).await, denied);
    // Headers that other systems believe change nothing.
    let spoofed = [("x-role", "service".to_owned()), ("x-forwarded-user", "root".to_owned())];
    assert_eq!(call("operators/acme", Role::Sales, &spoofed).await, denied);
}

#[tokio::test]
async fn keys_rotate_without_a_restart_and_old_tokens_end_with_their_key() {
    let server = TestServer::start().await;
    let old = server.token("platform", &[Role::PlatformAdmin]);
    let ask = async |token: &str| server.get_time(&[("authorization", format!("Bearer {token}"))]).await;
    ask(&old).await.unwrap();
    let next = TokenIssuer::development().unwrap();
    let new = next.mint(
        "ana",
        &"platform".parse().unwrap(),
        &[Role::PlatformAdmin],
        std::time::Duration::from_secs(60),
    );
    let new = new.unwrap();
    assert_eq!(ask(&new).await.unwrap_err().code(), Code::Unauthenticated);

    // A broken file changes nothing; a good one everything.
    std::fs::write(&server.jwks, "{").unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    ask(&old).await.unwrap();
    std::fs::write(&server.jwks, next.jwks()).unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    ask(&new).await.unwrap();
    assert_eq!(ask(&old).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let clock = TestClock::new(SystemClock.now());
    let server = TestServer::start_with(|_| {}, Box::new(clock.clone())).await;
    let token = server.token("platform", &[Role::PlatformAdmin]);
    let ask = async || server.get_time(&[("authorization", format!("Bearer {token}"))]).await;
    ask().await.unwrap();
    clock.advance(chrono::TimeDelta::seconds(625)).unwrap();
    ask().await.unwrap();
    clock.advance(chrono::TimeDelta::seconds(10)).unwrap();
    assert_eq!(ask().await.unwrap_err().code(), Code::Unauthenticated);
}

/// A key ring of this file.
fn ring(jwks: &std::path::Path, production: bool) -> Result<super::Keyring, String> {
    let settings = crate::Settings::local("inventory", "postgres://x", jwks).unwrap();
    super::Keyring::open(&settings.auth, production)
}

#[test]
fn the_cache_is_bounded() {
    let cache = super::Cache::default();
    let claims = super::claims::Claims {
        subject: "ana".to_owned(),
        organisation: kernel::Organisation::Platform,
        roles: vec![Role::PlatformAdmin],
        token_id: "1".to_owned(),
        issued_at: 0,
        expires_at: 100,
        not_before: 0,
    };
    for token in 0..10_000 {
        let verified = super::Verified { claims: claims.clone(), meter: super::Meter::default() };
        cache.put(&token.to_string(), 0, verified, 50);
    }
    assert!(cache.len() <= 4_096);
    assert!(cache.get("9999", 0).is_some());
    assert!(cache.get("9999", 1).is_none(), "verified with older keys");
}

#[test]
fn production_refuses_development_keys() {
    let directory = tempfile::tempdir().unwrap();
    TokenIssuer::in_directory(directory.path()).unwrap();
    let jwks = directory.path().join(crate::token::JWKS_FILE);
    assert!(ring(&jwks, false).is_ok());
    let refused = ring(&jwks, true).err().unwrap();
    assert!(refused.contains("refused in production"), "{refused}");
}

/// What a remembered token is judged by at every use.
#[tokio::test]
async fn a_remembered_token_is_refused_once_it_is_revoked_and_metered_by_whose_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = TokenIssuer::in_directory(directory.path()).unwrap();
    let jwks = directory.path().join(crate::token::JWKS_FILE);
    let mut settings = crate::Settings::local("inventory", "postgres://x", &jwks).unwrap();
    (settings.auth.subject_calls_per_s, settings.auth.organisation_calls_per_s) = (2, 3);
    let authenticator = super::Authenticator::new(&settings.auth, false, Box::new(SystemClock)).unwrap();
    let acme: kernel::Organisation = "operators/acme".parse().unwrap();
    let minute = std::time::Duration::from_secs(60);
    let headers = |subject: &str| {
        let token = issuer.mint(subject, &acme, &[Role::Sales], minute).unwrap();
        let value = format!("Bearer {token}").parse().unwrap();
        http::HeaderMap::from_iter([(http::header::AUTHORIZATION, value)])
    };
    let (ana, other, ben) = (headers("ana"), headers("ana"), headers("ben"));
    let first = authenticator.authenticate(&ana).await.unwrap();
    for headers in [&ana, &other, &ben] {
        authenticator.authenticate(headers).await.unwrap();
    }
    // One token of ana's; then all that ben was issued until now.
    let mut revoked = super::Revocations::default();
    revoked.token(acme.clone(), first.caller.token_id.clone());
    authenticator.revoke(revoked.clone());
    assert!(authenticator.authenticate(&ana).await.is_err(), "a remembered token outlives its revocation");
    authenticator.authenticate(&other).await.unwrap();
    revoked.subject(acme.clone(), "ben".to_owned(), now() - 3_600);
    authenticator.revoke(revoked.clone());
    authenticator.authenticate(&ben).await.unwrap();
    revoked.subject(acme.clone(), "ben".to_owned(), now() + 1);
    authenticator.revoke(revoked);
    assert!(authenticator.authenticate(&ben).await.is_err());

    // Both of ana's tokens take from one bucket, of four at once; cleo's own has four, and the organisation's two left.
    let mut taken = [0, 0];
    for (subject, taken) in ["ana", "cleo"].into_iter().zip(&mut taken) {
        for _ in 0..20 {
            let meter = authenticator.authenticate(&headers(subject)).await.unwrap().meter;
            *taken += u32::from(meter.take(&acme).is_ok());
        }
    }
    assert!((4..=5).contains(&taken[0]) && (1..=3).contains(&taken[1]), "{taken:?}");
}
