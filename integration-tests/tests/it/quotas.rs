//! Token buckets: a subject that calls too often is told when to come back, and nobody else is.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::GetTimeRequest;
use contracts::common::v1::clock_service_client::ClockServiceClient;
use integration_tests::{Refusal, raw};
use kernel::{Organisation, Role, SystemClock, TestClock};
use runtime::client::{Bearer, Channel, channel};
use runtime::settings::AuthSettings;
use runtime::token::JWKS_FILE;
use runtime::{Authenticator, Server, Settings, TokenIssuer, clock_service};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt as _;

/// Calls a second; at once twice as many.
const SUBJECT: u32 = 5;
const ORGANISATION: u32 = 8;

struct Metered {
    issuer: TokenIssuer,
    channel: Channel,
    url: String,
    stop: CancellationToken,
    _keys: tempfile::TempDir,
}

impl Metered {
    async fn start(change: impl FnOnce(&mut AuthSettings)) -> Result<Self> {
        let keys = tempfile::tempdir()?;
        let issuer = TokenIssuer::in_directory(keys.path())?;
        let url = "postgres://nobody@127.0.0.1:1/nothing";
        let mut settings = Settings::local("inventory", url, &keys.path().join(JWKS_FILE))?;
        change(&mut settings.auth);
        let authenticator =
            Authenticator::new(&settings.auth, false, Box::new(SystemClock)).map_err(anyhow::Error::msg)?;
        let stop = CancellationToken::new();
        let running = Server::new("inventory", &settings.server, authenticator)
            .add_service(clock_service(TestClock::new(kernel::Clock::now(&SystemClock))))
            .serve(stop.clone())
            .await?;
        Ok(Self { issuer, channel: channel(&running.url())?, url: running.url(), stop, _keys: keys })
    }

    /// A new token of this person: the bucket is theirs, not the token's.
    fn bearer(&self, subject: &str, organisation: &str, role: Role) -> Result<Bearer> {
        let organisation: Organisation = organisation.parse()?;
        Ok(Bearer::new(&self.issuer.mint(subject, &organisation, &[role], Duration::from_secs(600))?)?)
    }

    async fn ask(&self, bearer: Bearer) -> Result<(), Status> {
        ClockServiceClient::with_interceptor(self.channel.clone(), bearer)
            .get_time(GetTimeRequest {})
            .await
            .map(|_| ())
    }

    /// Calls until refused for the quota, so many times at most: how many went through, and the refusal.
    async fn exhaust(
        &self,
        subject: &str,
        organisation: &str,
        role: Role,
        most: u32,
    ) -> Result<(u32, Option<Status>)> {
        for through in 0..most {
            match self.ask(self.bearer(subject, organisation, role)?).await {
                Err(status) if status.code() == Code::ResourceExhausted => {
                    return Ok((through, Some(status)));
                }
                // Whether they may ask for the time is not the question.
                Ok(()) | Err(_) => {}
            }
        }
        Ok((most, None))
    }
}

/// What a bucket of so many a second may have given in this time, and must have.
fn within(through: u32, calls_per_s: u32, began: Instant) -> bool {
    let refilled =
        u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX).saturating_mul(calls_per_s) / 1000;
    (2 * calls_per_s..=2 * calls_per_s + refilled + 1).contains(&through)
}

#[tokio::test]
async fn a_subject_and_an_organisation_may_call_so_often_and_not_more() -> Result<()> {
    let metered = Metered::start(|auth| {
        auth.subject_calls_per_s = SUBJECT;
        auth.organisation_calls_per_s = ORGANISATION;
    })
    .await?;
    let began = Instant::now();
    let (through, refused) = metered.exhaust("ana", "operators/acme", Role::Sales, 100).await?;
    ensure!(within(through, SUBJECT, began), "{through} calls of one subject went through");
    let status = refused.context("a subject without a bound")?;
    let wait =
        status.get_error_details().retry_info().and_then(|info| info.retry_delay).context("RetryInfo")?;
    ensure!(wait <= Duration::from_secs(1), "{wait:?}");
    let refusal = Refusal::of(&status)?.is(Code::ResourceExhausted, "QUOTA_EXCEEDED")?;
    ensure!(refusal.details.contains(&"QuotaFailure"), "{refusal:#?}");

    // A colleague still may, until the organisation has had its share; then nobody of it, and everybody else.
    let (through, refused) = metered.exhaust("ben", "operators/acme", Role::Sales, 100).await?;
    ensure!(refused.is_some() && (1..=10).contains(&through), "{through} calls of a colleague");
    let (through, _) = metered.exhaust("cleo", "operators/acme", Role::Sales, 3).await?;
    ensure!(through < 3, "the organisation has no bound");
    for (subject, organisation, role) in
        [("ana", "operators/other", Role::Sales), ("ana", "tenants/acme", Role::Tenant)]
    {
        let (through, _) = metered.exhaust(subject, organisation, role, 2 * SUBJECT).await?;
        ensure!(through == 2 * SUBJECT, "{organisation} pays for another");
    }
    // Our own services work for everybody.
    let (through, _) = metered.exhaust("leasing", "services/leasing", Role::Service, 60).await?;
    ensure!(through == 60, "a service is metered after {through} calls");

    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let answer = metered.ask(metered.bearer("ana", "operators/acme", Role::Sales)?).await;
    ensure!(answer.err().map(|status| status.code()) == Some(Code::PermissionDenied), "let in again");
    metered.stop.cancel();
    Ok(())
}

/// Asks with a token that is none until the quota is used up: how often it went through, and the refusal.
async fn knock(channel: &Channel, most: u32) -> Result<(u32, Option<Status>)> {
    let rpc = "gridlease.common.v1.ClockService/GetTime";
    for through in 0..most {
        let status =
            raw::call(channel, rpc, Some("no.good.token"), Vec::new()).await.err().context("let in")?;
        match status.code() {
            Code::Unauthenticated => {}
            Code::ResourceExhausted => return Ok((through, Some(status))),
            _ => anyhow::bail!("{status:?}"),
        }
    }
    Ok((most, None))
}

#[tokio::test]
async fn a_stranger_may_ask_so_often_from_one_address_and_others_do_not_pay_for_it() -> Result<()> {
    const STRANGER: u32 = 4;
    let metered = Metered::start(|auth| auth.unauthenticated_calls_per_s = STRANGER).await?;
    let elsewhere = Endpoint::from_shared(metered.url.clone())?
        .local_address(Some(Ipv4Addr::new(127, 0, 0, 2).into()))
        .connect_lazy();
    let began = Instant::now();
    let (through, refused) = knock(&metered.channel, 100).await?;
    let refilled = u32::try_from(began.elapsed().as_millis())? * STRANGER / 1000;
    ensure!((STRANGER..=STRANGER + refilled + 1).contains(&through), "{through} went through");
    let status = refused.context("strangers have no bound")?;
    let wait = status.get_error_details().retry_info().and_then(|info| info.retry_delay);
    ensure!(wait.is_some_and(|wait| wait <= Duration::from_secs(1)), "{wait:?}");
    let refusal = Refusal::of(&status)?.is(Code::ResourceExhausted, "QUOTA_EXCEEDED")?;
    ensure!(refusal.fact("subject")? == "127.0.0.1", "{refusal:#?}");

    // What needs no token is no way around it.
    let health = async || {
        let check = HealthCheckRequest { service: String::new() };
        HealthClient::new(metered.channel.clone()).check(check).await.err().map(|status| status.code())
    };
    let mut answers = Vec::new();
    for _ in 0..10 {
        answers.push(health().await);
    }
    ensure!(answers.contains(&Some(Code::ResourceExhausted)), "{answers:?}");
    // Whoever has a good token is not asked where they come from, and another address has a bucket of its own.
    for _ in 0..2 * STRANGER {
        let good = metered.ask(metered.bearer("ana", "operators/acme", Role::Sales)?).await;
        let code = good.err().map(|status| status.code());
        ensure!(code == Some(Code::PermissionDenied), "a good token: {code:?}");
    }
    let (through, _) = knock(&elsewhere, STRANGER).await?;
    ensure!(through == STRANGER, "another address has {through} calls left");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let (through, _) = knock(&metered.channel, 2).await?;
    ensure!(through == 2, "let in again: {through}");
    metered.stop.cancel();
    Ok(())
}
