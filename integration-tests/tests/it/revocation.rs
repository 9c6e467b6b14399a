//! Tokens ended before their time: at once where it is said, within seconds on every replica, for open streams too.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1 as common;
use contracts::common::v1::revoke_tokens_request::Tokens;
use contracts::inventory::v1::{ListSitesRequest, WatchEventsRequest};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use gridlease::commands::{self as command, Revoke};
use integration_tests::fleet::Fleet;
use integration_tests::market::request_id;
use integration_tests::{Refusal, TestStack, raw};
use kernel::Role;
use prost::Message as _;
use tonic::{Code, Response, Status};

/// What the interface promises for the other replicas; the law is sixty.
const EVERYWHERE_WITHIN: Duration = Duration::from_secs(12);

fn revoke(parent: &str, tokens: Tokens) -> common::RevokeTokensRequest {
    common::RevokeTokensRequest {
        parent: parent.to_owned(),
        tokens: Some(tokens),
        request_id: request_id(),
        ..Default::default()
    }
}

async fn list(clients: &Clients, operator: &str) -> Result<(), Status> {
    let request = ListSitesRequest { parent: operator.to_owned(), ..Default::default() };
    clients.sites().list_sites(request).await.map(|_| ())
}

fn refused(answer: Result<(), Status>) -> Result<()> {
    Refusal::expect(answer.map(Response::new))?.is(Code::Unauthenticated, "UNAUTHENTICATED")?;
    Ok(())
}

#[tokio::test]
async fn a_revoked_subject_is_out_at_once_here_and_within_seconds_everywhere() -> Result<()> {
    let fleet = Fleet::start(2).await?;
    let clients = |organisation: &str, role| fleet.clients(organisation, role);
    let site = integration_tests::market::site(clients, "acme", &[]).await?;
    let operator = site.operator.as_str();
    let admin = fleet.clients_of("boss", operator, Role::OperatorAdmin)?;
    let (mut leaver, mut other) = (Vec::new(), Vec::new());
    // The same token at every replica, remembered there before it is revoked.
    let (token, others) =
        (fleet.token_of("leaver", operator, Role::Sales)?, fleet.token(operator, Role::Sales)?);
    for replica in 0..2 {
        leaver.push(fleet.channels(replica)?.caller(&token)?);
        other.push(fleet.channels(replica)?.caller(&others)?);
    }
    for caller in leaver.iter().chain(&other) {
        list(caller, operator).await?;
    }
    let told = Instant::now();
    let said = admin.access().revoke_tokens(revoke(operator, Tokens::Subject("leaver".to_owned()))).await?;
    ensure!(said.into_inner().revocation.is_some_and(|one| one.expire_time.is_some()));
    refused(list(&leaver[0], operator).await).context("at the replica that was told")?;
    loop {
        match list(&leaver[1], operator).await {
            Ok(()) => ensure!(told.elapsed() < EVERYWHERE_WITHIN, "another replica has not heard of it"),
            refusal => break refused(refusal)?,
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for caller in &other {
        list(caller, operator).await.context("somebody else")?;
    }
    // A token that the issuer gives later is good: the subject is not locked out for ever.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    list(&fleet.clients_of("leaver", operator, Role::Sales)?, operator).await.context("a new token")?;
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn one_token_is_over_and_its_open_stream_ends() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = integration_tests::market::site(clients, "acme", &[]).await?;
    let operator = site.operator.as_str();
    let token = stack.token(operator, Role::Sales)?;
    let id = id_of(&token)?;
    let sales = stack.channels().caller(&token)?;
    list(&sales, operator).await?;
    let channel = runtime::client::channel(&format!("http://{}", stack.stack().addresses().inventory))?;
    let watch = WatchEventsRequest { parent: operator.to_owned(), ..Default::default() };
    let rpc = "gridlease.inventory.v1.EventService/WatchEvents";
    let mut stream = raw::stream(&channel, rpc, &token, None, watch.encode_to_vec()).await?;
    stream.message().await?.context("a first word")?;

    let platform = stack.clients("platform", Role::PlatformAdmin)?;
    platform.access().revoke_tokens(revoke(operator, Tokens::TokenId(id))).await?;
    refused(list(&sales, operator).await)?;
    let ended = async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    };
    let status = tokio::time::timeout(Duration::from_secs(2), ended).await.context("the stream goes on")?;
    ensure!(status.code() == Code::Unauthenticated, "{status:?}");
    // The same person's other tokens are not that token.
    list(&stack.clients(operator, Role::Sales)?, operator).await?;
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_platform_and_services_lose_theirs_by_the_platform_alone() -> Result<()> {
    let stack = TestStack::start().await?;
    let platform = stack.clients_of("root", "platform", Role::PlatformAdmin)?;
    for parent in ["platform", "services/leasing", "tenants/nobody-yet"] {
        let gone = revoke(parent, Tokens::Subject("gone".to_owned()));
        platform.access().revoke_tokens(gone.clone()).await.with_context(|| parent.to_owned())?;
        // The same request once more has the same answer.
        platform.access().revoke_tokens(gone.clone()).await?;
        let stranger = stack.clients("operators/zenith", Role::OperatorAdmin)?;
        let refusal = Refusal::expect(stranger.access().revoke_tokens(gone).await)?;
        refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    let mut superuser = stack.database.superuser().await?;
    let kept: i64 = sqlx::query_scalar("select count(*) from inventory.revocation where value = 'gone'")
        .fetch_one(&mut superuser)
        .await?;
    ensure!(kept == 3, "{kept} rows");
    stack.stop().await;
    Ok(())
}

/// Whether each of the three services refuses the caller's token; whatever else they answer, they let it in.
async fn refusing(clients: &Clients, operator: &str) -> Result<[bool; 3]> {
    let parent = operator.to_owned();
    let leases = leasing::ListLeasesRequest { parent: parent.clone(), ..Default::default() };
    let accounts = billing::ListAccountsRequest { parent, ..Default::default() };
    let answers = [
        list(clients, operator).await,
        clients.leases().list_leases(leases).await.map(|_| ()),
        clients.accounts().list_accounts(accounts).await.map(|_| ()),
    ];
    let mut refusing = [false; 3];
    for (one, answer) in refusing.iter_mut().zip(answers) {
        *one = answer.is_err();
        if *one {
            refused(answer)?;
        }
    }
    Ok(refusing)
}

#[tokio::test]
async fn the_command_ends_a_token_and_a_subject_at_all_three_services_within_a_minute() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = integration_tests::market::site(clients, "acme", &[]).await?;
    let operator = site.operator.as_str();
    let (lost, kept) =
        (stack.token_of("ana", operator, Role::Sales)?, stack.token_of("ana", operator, Role::Sales)?);
    let of_ben = [
        stack.token_of("ben", operator, Role::Sales)?,
        stack.token_of("ben", operator, Role::OperatorAdmin)?,
    ];
    let caller = |token: &str| stack.channels().caller(token);
    for token in of_ben.iter().chain([&lost, &kept]) {
        ensure!(refusing(&caller(token)?, operator).await? == [false; 3], "not let in before");
    }
    let at = stack.stack().addresses();
    let uri = |address| format!("http://{address}");
    let ask = |token_id: Option<String>, subject: Option<&str>, billing: String| -> Result<Revoke> {
        Ok(Revoke {
            org: operator.parse()?,
            subject: subject.map(str::to_owned),
            token_id,
            until: None,
            reason: "laptop lost".to_owned(),
            check: false,
            inventory: uri(at.inventory),
            leasing: uri(at.leasing),
            billing,
            token: Some(stack.token_of("boss", operator, Role::OperatorAdmin)?),
            data_dir: None,
        })
    };
    let told = Instant::now();
    let by_id = command::revoke(ask(Some(id_of(&lost)?), None, uri(at.billing))?).await?;
    let by_subject = command::revoke(ask(None, Some("ben"), uri(at.billing))?).await?;
    ensure!((by_id, by_subject) == (ExitCode::SUCCESS, ExitCode::SUCCESS), "not all have heard it");
    for token in of_ben.iter().chain([&lost]) {
        let caller = caller(token)?;
        while refusing(&caller, operator).await? != [true; 3] {
            ensure!(told.elapsed() < Duration::from_secs(60), "a minute later it is still good somewhere");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    ensure!(refusing(&caller(&kept)?, operator).await? == [false; 3], "another token of the same person");

    // Where one service does not answer, the others hear it all the same, and the command fails.
    let nobody = ask(None, Some("ana"), "http://127.0.0.1:1".to_owned())?;
    ensure!(command::revoke(nobody).await? == ExitCode::FAILURE, "billing has not heard it");
    ensure!(refusing(&caller(&kept)?, operator).await? == [true, true, false]);
    stack.stop().await;
    Ok(())
}

/// The `jti` of a token.
fn id_of(token: &str) -> Result<String> {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).context("a payload")?;
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?;
    let claims: serde_json::Value = serde_json::from_slice(&payload)?;
    Ok(claims["jti"].as_str().context("a jti")?.to_owned())
}
