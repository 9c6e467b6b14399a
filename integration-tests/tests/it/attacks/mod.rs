//! The attack list: every way we know to get in with a token that is none, over real sockets, with the exact answer.
//!
//! The server's store cannot be reached: whoever is refused here was refused without a question to it.

mod claims;
mod headers;
mod signatures;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1::ListSitesRequest;
use integration_tests::raw;
use integration_tests::signer::{Signer, claims as good_claims, jwks};
use jsonwebtoken::Algorithm;
use kernel::{Clock as _, SystemClock};
use prost::Message as _;
use runtime::{Deps, Running, Settings};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tonic::metadata::{AsciiMetadataKey, MetadataMap};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

const RPC: &str = "gridlease.inventory.v1.SiteService/ListSites";
/// At least so many attacks.
const ATTACKS_MIN: usize = 60;

/// What the list must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// No token: one code, one reason, one message.
    Unauthenticated,
    /// A good token without the right.
    Denied,
    /// A good token with a header that is malformed.
    Invalid,
    /// There is no such method.
    NoMethod,
    /// HTTP/2 itself ends it.
    Transport,
    /// The control: past authentication, on to the store that is not there.
    Accepted,
}

/// One attack.
pub(crate) struct Attack {
    pub(crate) class: &'static str,
    pub(crate) what: String,
    pub(crate) path: String,
    pub(crate) metadata: Vec<(&'static str, String)>,
    pub(crate) answer: Answer,
}

/// Who attacks: the issuer's three keys, and a stranger's.
pub(crate) struct Armoury {
    pub(crate) eddsa: Signer,
    pub(crate) es256: Signer,
    pub(crate) rs256: Signer,
    pub(crate) stranger: Signer,
    pub(crate) now: i64,
}

impl Armoury {
    fn new() -> Result<Self> {
        Ok(Self {
            eddsa: Signer::new(Algorithm::EdDSA, "ed-key")?,
            es256: Signer::new(Algorithm::ES256, "ec-key")?,
            rs256: Signer::new(Algorithm::RS256, "rsa-key")?,
            stranger: Signer::new(Algorithm::EdDSA, "ed-key")?,
            now: SystemClock.now().timestamp(),
        })
    }

    /// The claims of a salesperson of acme, who may list sites.
    pub(crate) fn claims(&self) -> Value {
        but(but(good_claims(self.now), "org", json!("operators/acme")), "roles", json!(["sales"]))
    }
}

/// The value with one member changed; null removes it.
pub(crate) fn but(mut value: Value, member: &str, to: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        if to.is_null() {
            object.remove(member);
        } else {
            object.insert(member.to_owned(), to);
        }
    }
    value
}

/// An attack by a token alone.
pub(crate) fn by_token(class: &'static str, what: impl Into<String>, token: &str, answer: Answer) -> Attack {
    let metadata = vec![("authorization", format!("Bearer {token}"))];
    Attack { class, what: what.into(), path: RPC.to_owned(), metadata, answer }
}

struct Target {
    running: Running,
    channel: runtime::client::Channel,
    stop: CancellationToken,
    _keys: tempfile::TempDir,
}

/// Inventory, believing these keys, on a store that is not there.
async fn target(armoury: &Armoury) -> Result<Target> {
    let keys = tempfile::tempdir()?;
    let file = keys.path().join("jwks.json");
    std::fs::write(&file, jwks(&[&armoury.eddsa, &armoury.es256, &armoury.rs256]))?;
    let mut settings = Settings::local("inventory", "postgres://nobody@127.0.0.1:1/nothing", &file)?;
    settings.database.acquire_timeout = Duration::from_millis(200);
    let stop = CancellationToken::new();
    let deps = Deps::open(settings, None, stop.clone())?;
    let own = inventory::InventorySettings::default();
    let running = runtime::start(own, deps, inventory::service).await?;
    let channel = runtime::client::channel(&running.url())?;
    Ok(Target { running, channel, stop, _keys: keys })
}

impl Target {
    async fn suffer(&self, attack: &Attack) -> Result<(), Status> {
        let message = ListSitesRequest { parent: "operators/acme".to_owned(), ..Default::default() };
        let mut metadata = MetadataMap::new();
        for (name, value) in &attack.metadata {
            let value = value.parse().map_err(|_| Status::internal("not a header value"))?;
            metadata.append(AsciiMetadataKey::from_static(name), value);
        }
        raw::call_with(&self.channel, &attack.path, metadata, message.encode_to_vec()).await.map(|_| ())
    }
}

/// What an answer is in the words of the list, with the code and the reason.
fn read(answer: &Result<(), Status>) -> (Option<Answer>, String) {
    let Err(status) = answer else { return (None, "OK".to_owned()) };
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default();
    let message = status.message();
    let read = match (status.code(), reason.as_str()) {
        (Code::Unauthenticated, "UNAUTHENTICATED") if message == "A valid access token is needed." => {
            Some(Answer::Unauthenticated)
        }
        (Code::PermissionDenied, "ROLE_NOT_ALLOWED") => Some(Answer::Denied),
        (Code::InvalidArgument, "INVALID_FIELD") => Some(Answer::Invalid),
        (Code::Unimplemented, "UNIMPLEMENTED") => Some(Answer::NoMethod),
        (Code::Unavailable, "STORE_UNAVAILABLE") => Some(Answer::Accepted),
        // No detail of ours: the connection or the stream ended below gRPC.
        (_, "") => Some(Answer::Transport),
        _ => None,
    };
    let shown = if reason.is_empty() {
        "refused by HTTP/2".to_owned()
    } else {
        format!("{:?} {reason}", status.code())
    };
    (read, shown)
}

#[tokio::test]
async fn every_attack_gets_the_answer_of_the_list() -> Result<()> {
    let armoury = Armoury::new()?;
    let target = target(&armoury).await?;
    let attacks: Vec<Attack> = [
        signatures::list(&armoury),
        headers::tokens(&armoury),
        claims::list(&armoury),
        headers::metadata(&armoury),
        headers::paths(&armoury),
        headers::rights(&armoury),
        headers::controls(&armoury),
    ]
    .into_iter()
    .flatten()
    .collect();
    let hostile = attacks.iter().filter(|attack| attack.answer != Answer::Accepted).count();
    ensure!(hostile >= ATTACKS_MIN, "only {hostile} attacks");
    let (mut table, mut wrong) = (Vec::new(), Vec::new());
    for attack in &attacks {
        let answer = target.suffer(attack).await;
        let (read, shown) = read(&answer);
        if read != Some(attack.answer) {
            wrong.push(format!(
                "{}: {}: expected {:?}, got {answer:?}",
                attack.class, attack.what, attack.answer
            ));
        }
        table.push((attack.class, attack.what.clone(), shown));
    }
    ensure!(wrong.is_empty(), "{} attacks are answered otherwise:\n{}", wrong.len(), wrong.join("\n"));
    target.stop.cancel();
    target.running.ended().await;
    compare_with_golden(&report(&table)?)
}

fn report(table: &[(&str, String, String)]) -> Result<String> {
    let mut classes: BTreeMap<&str, usize> = BTreeMap::new();
    for (class, ..) in table {
        *classes.entry(class).or_default() += 1;
    }
    let mut text = String::from(
        "# Attacks on authentication, as the server answered\n\nWritten by the test `attacks`; `UPDATE_GOLDEN=1` renews it. \
         The store behind the server cannot be reached: nothing but the controls gets as far.\n\n",
    );
    writeln!(text, "{} cells of {}: every one is answered as the list says.\n", table.len(), table.len())?;
    writeln!(text, "| class | cells |\n|---|---|")?;
    for (class, count) in classes {
        writeln!(text, "| {class} | {count} |")?;
    }
    writeln!(text, "\n| class | attack | answer |\n|---|---|---|")?;
    for (class, what, shown) in table {
        writeln!(text, "| {class} | {} | {shown} |", what.replace('|', "\\|"))?;
    }
    Ok(text)
}

fn compare_with_golden(text: &str) -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/attacks.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text)?;
    }
    let golden = std::fs::read_to_string(path).context("golden/attacks.md; UPDATE_GOLDEN=1 writes it")?;
    ensure!(golden == text, "golden/attacks.md is not what the server answers; UPDATE_GOLDEN=1 renews it");
    Ok(())
}
