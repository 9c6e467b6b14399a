//! Headers of tokens that ask for what we do not do, metadata that is odd, paths and rights that are not the caller's.

use serde_json::{Value, json};

use super::{Answer, Armoury, Attack, RPC, but, by_token};

pub(super) fn tokens(a: &Armoury) -> Vec<Attack> {
    let own = a.eddsa.jwk().clone();
    let stranger = a.stranger.jwk().clone();
    let table: &[(&'static str, &str, &str, Value)] = &[
        ("algorithm", "missing", "alg", Value::Null),
        ("algorithm", "in small letters", "alg", json!("eddsa")),
        ("algorithm", "a list", "alg", json!(["EdDSA"])),
        ("type", "JWT", "typ", json!("JWT")),
        ("type", "an id token", "typ", json!("id+jwt")),
        ("type", "missing", "typ", Value::Null),
        ("type", "a number", "typ", json!(1)),
        ("key id", "missing", "kid", Value::Null),
        ("key id", "empty", "kid", json!("")),
        ("key id", "unknown", "kid", json!("another")),
        ("key id", "a path", "kid", json!("../../etc/passwd")),
        ("key id", "SQL", "kid", json!("' or 1=1 --")),
        ("key id", "a number", "kid", json!(7)),
        ("key id", "of 300 letters", "kid", json!("k".repeat(300))),
        ("key in the token", "jku", "jku", json!("http://127.0.0.1:1/jwks")),
        ("key in the token", "x5u", "x5u", json!("http://127.0.0.1:1/cert")),
        ("key in the token", "x5c", "x5c", json!(["MIIB"])),
        ("key in the token", "jwk, a stranger's", "jwk", stranger),
        ("key in the token", "jwk, our own", "jwk", own),
        ("extensions", "crit", "crit", json!(["exp"])),
        ("extensions", "b64 false", "b64", json!(false)),
        ("extensions", "zip", "zip", json!("DEF")),
        ("extensions", "enc, as a JWE has", "enc", json!("A256GCM")),
        ("extensions", "cty, a token within", "cty", json!("JWT")),
        ("extensions", "of nobody's", "x-trust-me", json!(true)),
    ];
    let claims = a.claims().to_string();
    let mut attacks: Vec<Attack> = table
        .iter()
        .map(|(class, what, member, to)| {
            let token = a.eddsa.sign(&but(a.eddsa.header(), member, to.clone()).to_string(), &claims);
            by_token(class, *what, &token, Answer::Unauthenticated)
        })
        .collect();
    let mut twice = a.eddsa.header().to_string();
    twice.insert_str(1, "\"alg\":\"none\",");
    for (what, header) in [("alg twice", twice.as_str()), ("a list", "[]"), ("no JSON", "alg")] {
        let token = a.eddsa.sign(header, &claims);
        attacks.push(by_token("JSON", format!("header: {what}"), &token, Answer::Unauthenticated));
    }
    attacks
}

pub(super) fn metadata(a: &Armoury) -> Vec<Attack> {
    let good = a.eddsa.token(&a.claims());
    let one = |value: String| vec![("authorization", value)];
    let bearer = || one(format!("Bearer {good}"));
    let filler = [bearer(), vec![("x-filler", "x".repeat(20_000))]].concat();
    let table = [
        ("none", vec![], Answer::Unauthenticated),
        ("empty", one(String::new()), Answer::Unauthenticated),
        ("scheme only", one("Bearer".to_owned()), Answer::Unauthenticated),
        ("scheme and space", one("Bearer ".to_owned()), Answer::Unauthenticated),
        ("no scheme", one(good.clone()), Answer::Unauthenticated),
        ("Basic", one(format!("Basic {good}")), Answer::Unauthenticated),
        ("two spaces", one(format!("Bearer  {good}")), Answer::Unauthenticated),
        ("a tab", one(format!("Bearer\t{good}")), Answer::Unauthenticated),
        ("two tokens in one", one(format!("Bearer {good} {good}")), Answer::Unauthenticated),
        ("a comma", one(format!("Bearer {good},{good}")), Answer::Unauthenticated),
        ("twice", [bearer(), bearer()].concat(), Answer::Unauthenticated),
        ("in another header", vec![("x-authorization", format!("Bearer {good}"))], Answer::Unauthenticated),
        ("of a proxy", vec![("proxy-authorization", format!("Bearer {good}"))], Answer::Unauthenticated),
        ("a cookie", vec![("cookie", format!("token={good}"))], Answer::Unauthenticated),
        (
            "who we are, said by a header",
            vec![("x-forwarded-user", "root".to_owned())],
            Answer::Unauthenticated,
        ),
        (
            "a client certificate, said by a header",
            vec![("x-forwarded-client-cert", "By=leasing".to_owned())],
            Answer::Unauthenticated,
        ),
        ("20 KiB of metadata", filler, Answer::Transport),
    ];
    table
        .into_iter()
        .map(|(what, metadata, answer)| Attack {
            class: "metadata",
            what: what.to_owned(),
            path: RPC.to_owned(),
            metadata,
            answer,
        })
        .collect()
}

pub(super) fn paths(a: &Armoury) -> Vec<Attack> {
    let bearer = || vec![("authorization", format!("Bearer {}", a.eddsa.token(&a.claims())))];
    let table = [
        ("another method", "gridlease.inventory.v1.SiteService/Nothing", Answer::NoMethod),
        ("another service", "gridlease.inventory.v1.Nothing/ListSites", Answer::NoMethod),
        ("a slash behind", "gridlease.inventory.v1.SiteService/ListSites/", Answer::NoMethod),
        ("two slashes", "gridlease.inventory.v1.SiteService//ListSites", Answer::NoMethod),
        ("a way up", "../gridlease.inventory.v1.SiteService/ListSites", Answer::NoMethod),
        ("another case", "gridlease.inventory.v1.siteservice/listsites", Answer::NoMethod),
        ("escaped", "gridlease.inventory.v1.SiteService%2FListSites", Answer::NoMethod),
        ("a query", "gridlease.inventory.v1.SiteService/ListSites?as=root", Answer::Accepted),
        ("health's name before ours", "grpc.health.v1.Health/Check/gridlease", Answer::NoMethod),
        ("our services' own", "gridlease.inventory.v1.ReservationService/CommitReservation", Answer::Denied),
        ("the test clock", "gridlease.common.v1.ClockService/AdvanceTime", Answer::Denied),
    ];
    table
        .into_iter()
        .map(|(what, path, answer)| Attack {
            class: "path",
            what: what.to_owned(),
            path: path.to_owned(),
            metadata: bearer(),
            answer,
        })
        .collect()
}

/// Good tokens that want more than they say.
pub(super) fn rights(a: &Armoury) -> Vec<Attack> {
    let with = |what: &'static str, claims: &Value, more: Vec<(&'static str, &str)>, answer| {
        let mut attack = by_token("rights", what, &a.eddsa.token(claims), answer);
        attack.metadata.extend(more.into_iter().map(|(name, value)| (name, value.to_owned())));
        attack
    };
    let behalf = "gridlease-on-behalf-of";
    let sales = a.claims();
    let platform = but(but(a.claims(), "org", json!("platform")), "roles", json!(["platform_admin"]));
    let service = but(but(a.claims(), "org", json!("services/leasing")), "roles", json!(["service"]));
    vec![
        with("the platform lists an operator's sites", &platform, vec![], Answer::Denied),
        with("a service for nobody", &service, vec![], Answer::Denied),
        with(
            "sales on behalf of another operator",
            &sales,
            vec![(behalf, "operators/other")],
            Answer::Denied,
        ),
        with("sales on behalf of its own operator", &sales, vec![(behalf, "operators/acme")], Answer::Denied),
        with(
            "the platform on behalf of an operator",
            &platform,
            vec![(behalf, "operators/acme")],
            Answer::Denied,
        ),
        with("a service for a star", &service, vec![(behalf, "*")], Answer::Invalid),
        with("a service for nothing", &service, vec![(behalf, "")], Answer::Invalid),
        with(
            "a service for two",
            &service,
            vec![(behalf, "operators/acme"), (behalf, "operators/other")],
            Answer::Invalid,
        ),
        with("roles in a header", &platform, vec![("x-role", "sales"), ("roles", "sales")], Answer::Denied),
    ]
}

/// What must get in: a list that refuses everything would prove nothing.
pub(super) fn controls(a: &Armoury) -> Vec<Attack> {
    let accepted = |what: &'static str, token: String| by_token("control", what, &token, Answer::Accepted);
    let claims = a.claims();
    let late = but(but(a.claims(), "iat", json!(a.now - 600)), "exp", json!(a.now - 5));
    vec![
        accepted("EdDSA", a.eddsa.token(&claims)),
        accepted("ES256", a.es256.token(&claims)),
        accepted("RS256", a.rs256.token(&claims)),
        accepted(
            "the audience as a list of one",
            a.eddsa.token(&but(a.claims(), "aud", json!(["gridlease"]))),
        ),
        accepted("expired within the leeway", a.eddsa.token(&late)),
        accepted(
            "not valid yet, within the leeway",
            a.eddsa.token(&but(a.claims(), "nbf", json!(a.now + 10))),
        ),
        accepted("claims of others' business", a.eddsa.token(&but(a.claims(), "scope", json!("x")))),
    ]
}
