//! Everything that is looked at, in the order in which a service needs it.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use kernel::{Clock as _, SystemClock};
use runtime::settings::Concern;
use runtime::{Authenticator, Settings, client};
use serde_json::Value;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Finding, Service, store};

/// How long a peer may take to say how it is.
const PEER_AT_MOST: Duration = Duration::from_secs(3);

/// Looks at everything; what cannot be looked at says so.
pub(super) async fn all(service: Service, config: Option<&Path>) -> Vec<Finding> {
    let loaded = match service {
        Service::Inventory => load::<inventory::InventorySettings>(service, config),
        Service::Leasing => load::<leasing::LeasingSettings>(service, config),
        Service::Billing => load::<billing::BillingSettings>(service, config),
    };
    let settings = match loaded {
        Ok(settings) => settings,
        Err(problems) => {
            let what = "Mend every line; `--settings` of the service prints what each may be.";
            return vec![
                Finding::wrong("settings", problems.join("\n"), what),
                Finding::skipped("all others", "there are no settings to look with"),
            ];
        }
    };
    let mut findings = vec![Finding::ok("settings", "complete, and each is valid")];
    findings.extend(store::all(&settings).await);
    findings.push(keys(&settings));
    findings.push(own_token(&settings, service));
    for (name, address) in [("inventory", &settings.peers.inventory), ("leasing", &settings.peers.leasing)] {
        if calls(service, name) {
            findings.push(peer(name, address.as_deref()).await);
        }
    }
    findings
}

/// Whom a service calls.
const fn calls(service: Service, peer: &str) -> bool {
    match service {
        Service::Inventory => false,
        Service::Leasing => matches!(peer.as_bytes(), b"inventory"),
        Service::Billing => true,
    }
}

fn load<S: Concern>(service: Service, config: Option<&Path>) -> Result<Settings, Vec<String>> {
    Settings::load::<S>(service.name(), config, std::env::vars())
        .map(|(settings, _)| settings)
        .map_err(|error| error.problems().to_vec())
}

fn keys(settings: &Settings) -> Finding {
    match Authenticator::new(&settings.auth, settings.general.production, Box::new(SystemClock)) {
        Ok(_) => Finding::ok("keys", format!("tokens of {} can be judged", settings.auth.issuer)),
        Err(error) => {
            let what =
                "Give the issuer's public keys as one JSON Web Key Set; every token is refused without them.";
            Finding::wrong("keys", error, what)
        }
    }
}

/// The token that a service shows its peers: there, its own, and good for a while.
fn own_token(settings: &Settings, service: Service) -> Finding {
    const CHECK: &str = "own token";
    let what =
        "Whoever issues the service's token must write it anew before it ends; it lives at most 24 hours.";
    if service == Service::Inventory {
        return Finding::skipped(CHECK, "inventory calls nobody");
    }
    let Some(path) = &settings.auth.token_file else {
        return match settings.auth.development_key_file {
            Some(_) => Finding::ok(CHECK, "minted by the service itself, for development"),
            None => Finding::wrong(
                CHECK,
                "auth.token_file is not set, so that every peer refuses the service",
                what,
            ),
        };
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return Finding::wrong(CHECK, format!("{}: {error}", path.display()), what),
    };
    let Some(claims) = claims(text.trim()) else {
        return Finding::wrong(CHECK, format!("{} holds no token", path.display()), what);
    };
    let organisation = format!("services/{}", service.name());
    if claims.get("org").and_then(Value::as_str) != Some(organisation.as_str()) {
        return Finding::wrong(CHECK, format!("its `org` is not {organisation}"), what);
    }
    let now = SystemClock.now().timestamp();
    match claims.get("exp").and_then(Value::as_i64).map(|end| end.saturating_sub(now)) {
        Some(left @ 1..) => Finding::ok(CHECK, format!("good for {} minutes", left / 60)),
        _ => Finding::wrong(CHECK, "it has ended", what),
    }
}

/// What a token says, unjudged.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    serde_json::from_slice(&bytes).ok()
}

async fn peer(name: &'static str, address: Option<&str>) -> Finding {
    let check = if name == "inventory" { "peer inventory" } else { "peer leasing" };
    let what = "Look whether it runs and is ready, whether the address is right, and whether a network policy is between.";
    let Some(address) = address else {
        return Finding::wrong(check, format!("peers.{name} is not set"), what);
    };
    let asked = async {
        let channel = client::channel(address).map_err(|error| error.to_string())?;
        let request = HealthCheckRequest { service: String::new() };
        let answer =
            HealthClient::new(channel).check(request).await.map_err(|status| status.message().to_owned())?;
        Ok::<_, String>(answer.into_inner().status())
    };
    match tokio::time::timeout(PEER_AT_MOST, asked).await {
        Ok(Ok(ServingStatus::Serving)) => Finding::ok(check, format!("{address} is ready")),
        Ok(Ok(_)) => Finding::wrong(check, format!("{address} answers and is not ready"), what),
        Ok(Err(error)) => Finding::wrong(check, format!("{address}: {error}"), what),
        Err(_) => Finding::wrong(check, format!("{address} does not answer"), what),
    }
}
