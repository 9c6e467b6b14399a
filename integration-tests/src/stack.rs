//! The three services in the test's own process, on a database of the test's own, at a time the test chooses.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use contracts::common::v1::{AdvanceTimeRequest, GetTimeRequest};
use gridlease::cli::Ports;
use gridlease::clients::{Channels, Clients};
use gridlease::stack::{Home, Options, Stack};
use kernel::{CivilDate, Instant, Organisation, Role, Zone};
use runtime::token::{JWKS_FILE, KEY_FILE};
use runtime::{Deps, Settings};
use tokio_util::sync::CancellationToken;

use crate::TestDatabase;

/// Running services, clients for anybody, and the business clock.
pub struct TestStack {
    /// The database; its superuser plants and audits.
    pub database: TestDatabase,
    stack: Stack,
    channels: Channels,
    keys: PathBuf,
}

impl TestStack {
    /// Everything, with business time standing at the beginning of 1 December 2026, UTC.
    pub async fn start() -> Result<Self> {
        Self::start_on(CivilDate::from_ymd_opt(2026, 12, 1).expect("a date")).await
    }

    /// Everything, with business time standing at the beginning of this day, UTC.
    pub async fn start_on(day: CivilDate) -> Result<Self> {
        let database = TestDatabase::create().await?;
        let home = Home::thrown_away("test", false)?;
        let keys = home.keys().to_path_buf();
        let stack = Stack::start(Options {
            database_url: Some(database.url()),
            home,
            ports: Ports::FREE,
            test_clock: Some(Zone::UTC.start_of_day(day)),
            inventory_only: false,
        })
        .await?;
        let channels = stack.channels()?;
        Ok(Self { database, stack, channels, keys })
    }

    /// The services underneath.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Connections without anybody's token.
    pub fn channels(&self) -> &Channels {
        &self.channels
    }

    /// A token of somebody in `organisation` (`operators/x`, `tenants/y`, `platform`, `services/z`).
    pub fn token(&self, organisation: &str, role: Role) -> Result<String> {
        self.token_of("tester", organisation, role)
    }

    /// A token of this person: who, and not only of which organisation, matters where two people must agree.
    pub fn token_of(&self, subject: &str, organisation: &str, role: Role) -> Result<String> {
        let organisation: Organisation = organisation.parse()?;
        Ok(self.stack.issuer().mint(subject, &organisation, &[role], Duration::from_secs(3600))?)
    }

    /// The clients of this person.
    pub fn clients_of(&self, subject: &str, organisation: &str, role: Role) -> Result<Clients> {
        self.channels.caller(&self.token_of(subject, organisation, role)?)
    }

    /// The clients of somebody in `organisation`.
    pub fn clients(&self, organisation: &str, role: Role) -> Result<Clients> {
        self.channels.caller(&self.token(organisation, role)?)
    }

    /// A second replica of leasing on the same database, until the token is cancelled, and connections to it.
    pub async fn another_leasing(&self) -> Result<(CancellationToken, Channels)> {
        let mut settings = Settings::local("leasing", &self.database.url(), &self.keys.join(JWKS_FILE))?;
        settings.auth.development_key_file = Some(self.keys.join(KEY_FILE));
        let mut at = self.stack.addresses();
        settings.peers.inventory = Some(format!("http://{}", at.inventory));
        let stop = CancellationToken::new();
        let deps = Deps::open(settings, None, stop.clone())?;
        let running = runtime::start(leasing::LeasingSettings::default(), deps, leasing::service).await?;
        at.leasing = running.address;
        Ok((stop, Channels::new(at)?))
    }

    /// The day of business time, UTC.
    pub async fn today(&self) -> Result<CivilDate> {
        let clock = self.clients("platform", Role::PlatformAdmin)?.clock();
        let time = clock.clone().get_time(GetTimeRequest {}).await?.into_inner().time.context("a time")?;
        let now = Instant::from_timestamp(time.seconds, 0).context("an instant")?;
        Ok(Zone::UTC.date_of(now))
    }

    /// Moves business time to noon of this day, UTC.
    pub async fn move_to(&self, day: CivilDate) -> Result<()> {
        let noon = Zone::UTC.start_of_day(day) + chrono::TimeDelta::hours(12);
        let time = Some(runtime::wire::to_timestamp(noon));
        self.clients("platform", Role::PlatformAdmin)?
            .clock()
            .advance_time(AdvanceTimeRequest { time })
            .await?;
        Ok(())
    }

    /// Ends the services, then the database.
    pub async fn stop(self) {
        self.stack.stop().await;
    }
}

/// Asks again and again until `probe` finds something; fails after ten seconds.
pub async fn eventually<T>(what: &str, mut probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let end = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        anyhow::ensure!(tokio::time::Instant::now() < end, "not within ten seconds: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
