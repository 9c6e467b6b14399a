//! People who book, read and let go by the balancers of an installation while something happens to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1::ListInvoicesRequest;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::Installation;
use integration_tests::market::{self, day, load, profile, request_id};
use kernel::{Clock as _, Role, SystemClock, Zone};
use sqlx::Row as _;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Response, Status};

const PEOPLE: usize = 12;
/// Milliseconds between two rounds of one person; GRIDLEASE_LOAD_PAUSE_MS says otherwise, 0 for as much as the machine gives.
const PAUSE_MS: u64 = 60;
/// Rounds of which one proposes a lease; a tenant may have few of them open.
const LEASE_EVERY: usize = 40;
const LEASES_MAX: usize = 20;

/// What people do who are not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// Nothing: it is a failed request. Only what never left the client is sent again, as gRPC does by itself.
    None,
    /// They repeat the request, with its request id, for this long.
    For(Duration),
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls that were answered with OK.
    pub(crate) answered: u64,
    /// Calls that never left the client, since their connection was ending, and were sent on another.
    pub(crate) sent_anew: u64,
    /// Calls that were not answered with OK and sent again by a patient person.
    pub(crate) repeated: u64,
    /// Calls that failed, and how.
    pub(crate) failed: Vec<String>,
    /// Acknowledged holds by name, and whether their release was acknowledged.
    pub(crate) held: BTreeMap<String, bool>,
    /// Acknowledged leases.
    pub(crate) leases: BTreeSet<String>,
}

/// People at work.
pub(crate) struct Load {
    people: JoinSet<Result<Tally>>,
    stop: CancellationToken,
    began: Instant,
    booked: Arc<Booked>,
}

/// When each person was last acknowledged a hold.
type Booked = Mutex<[Option<Instant>; PEOPLE]>;

/// A day two years from now: nothing here depends on when it is run.
fn first_day() -> String {
    let year = Zone::UTC.date_of(SystemClock.now()).to_string();
    let year: i32 = year.get(..4).and_then(|year| year.parse().ok()).unwrap_or(2030);
    format!("{}-01-01", year + 2)
}

impl Load {
    /// Makes a market, and sends people into it.
    pub(crate) async fn start(installation: &Installation, patience: Patience) -> Result<Self> {
        let clients = |organisation: &str, role| installation.clients(organisation, role);
        let halls = [market::hall(500_000); 4];
        let site = market::site(clients, "north", &halls).await?;
        let stop = CancellationToken::new();
        let mut people = JoinSet::new();
        let booked = Arc::<Booked>::default();
        let pause_ms = std::env::var("GRIDLEASE_LOAD_PAUSE_MS").ok().and_then(|text| text.parse().ok());
        let from = first_day();
        let until = kernel::time::add_months(day(&from), 120).context("a date")?.to_string();
        for number in 0..PEOPLE {
            let tenant = market::tenant(clients, &format!("tenant-{number}")).await?;
            let channels = installation.channels()?;
            let caller = |role| {
                channels.caller(&installation.token(&format!("person-{number}"), &site.operator, role))
            };
            let person = Person {
                sales: caller(Role::Sales)?,
                finance: caller(Role::Finance)?,
                block: site.blocks[number % site.blocks.len()].clone(),
                operator: site.operator.clone(),
                days: [from.clone(), until.clone()],
                tenant,
                number,
                patience,
                pause: Duration::from_millis(pause_ms.unwrap_or(PAUSE_MS)),
                booked: Arc::clone(&booked),
                tally: Tally::default(),
            };
            people.spawn(person.live(stop.clone()));
        }
        Ok(Self { people, stop, began: Instant::now(), booked })
    }

    /// Waits until every person has booked since then, and says after how long the last had.
    pub(crate) async fn all_book_since(&self, then: Instant, within: Duration) -> Result<Duration> {
        loop {
            let booked = *self.booked.lock().unwrap_or_else(PoisonError::into_inner);
            if booked.iter().all(|at| at.is_some_and(|at| at > then)) {
                return Ok(then.elapsed());
            }
            let waiting = booked.iter().filter(|at| at.is_none_or(|at| at <= then)).count();
            ensure!(then.elapsed() < within, "{waiting} of {PEOPLE} have not booked again within {within:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Calls people back: what came of all of it, in how long.
    pub(crate) async fn end(mut self) -> Result<(Tally, Duration)> {
        self.stop.cancel();
        let mut all = Tally::default();
        while let Some(ended) = self.people.join_next().await {
            let one = ended??;
            all.answered += one.answered;
            all.sent_anew += one.sent_anew;
            all.repeated += one.repeated;
            all.failed.extend(one.failed);
            all.held.extend(one.held);
            all.leases.extend(one.leases);
        }
        Ok((all, self.began.elapsed()))
    }
}

impl Tally {
    /// Looks into the store: everything that was acknowledged is there once, and nothing else.
    pub(crate) async fn is_stored(&self, installation: &Installation) -> Result<()> {
        let mut superuser = installation.store.superuser("gridlease").await?;
        let rows = sqlx::query(
            "select 'operators/' || operator_id || '/reservations/' || reservation_id, state
             from inventory.reservation where kind = 'HOLD'",
        )
        .fetch_all(&mut superuser)
        .await?;
        let mut found = BTreeMap::new();
        for row in rows {
            found.insert(row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?);
        }
        for (name, released) in &self.held {
            let state = found.remove(name).with_context(|| format!("{name} was acknowledged and is lost"))?;
            let wanted = if *released { "RELEASED" } else { "HELD" };
            ensure!(state == wanted, "{name} is {state}, and {wanted} was acknowledged");
        }
        ensure!(found.is_empty(), "nobody asked for {found:?}, or they were made twice");
        let leases: Vec<String> =
            sqlx::query_scalar("select lease_id from leasing.lease").fetch_all(&mut superuser).await?;
        let leases: BTreeSet<_> =
            leases.into_iter().map(|id| format!("operators/north/leases/{id}")).collect();
        ensure!(leases == self.leases, "acknowledged {:?}, found {leases:?}", self.leases);
        let oversold: i64 = sqlx::query_scalar("select count(*) from inventory.oversold_instants()")
            .fetch_one(&mut superuser)
            .await?;
        ensure!(oversold == 0, "{oversold} instants are oversold");
        Ok(())
    }
}

struct Person {
    sales: Clients,
    finance: Clients,
    operator: String,
    /// From when until when everything is wanted.
    days: [String; 2],
    block: String,
    tenant: String,
    number: usize,
    patience: Patience,
    pause: Duration,
    booked: Arc<Booked>,
    tally: Tally,
}

impl Person {
    async fn live(mut self, stop: CancellationToken) -> Result<Tally> {
        let mut round = self.number;
        while !stop.is_cancelled() {
            self.books().await;
            self.looks_at_invoices().await;
            round += 1;
            if round.is_multiple_of(LEASE_EVERY) && self.tally.leases.len() < LEASES_MAX {
                self.proposes(round).await;
            }
            tokio::time::sleep(self.pause).await;
        }
        Ok(self.tally)
    }

    /// A hold, a look at it, and back with it; one in many is kept for as long as it lasts.
    async fn books(&mut self) {
        let mut request = market::hold(&self.operator, &self.block, &self.tenant, load(10));
        let [from, until] = &self.days;
        for claim in &mut request.claims {
            claim.profile = Some(profile(load(10), from, until));
        }
        let desk = self.sales.reservations();
        let place = |message| {
            let mut desk = desk.clone();
            async move { desk.place_hold(message).await }
        };
        let placed = self.call(request, place).await;
        let Some(name) = placed.and_then(|placed| placed.reservation).map(|held| held.name) else {
            return;
        };
        self.tally.held.insert(name.clone(), false);
        self.booked.lock().unwrap_or_else(PoisonError::into_inner)[self.number] = Some(Instant::now());
        let look = inventory::GetReservationRequest { name: name.clone(), ..Default::default() };
        let get = |message| {
            let mut desk = desk.clone();
            async move { desk.get_reservation(message).await }
        };
        self.call(look, get).await;
        if self.tally.held.len().is_multiple_of(128) {
            return;
        }
        let back = inventory::ReleaseReservationRequest {
            name: name.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let release = |message| {
            let mut desk = desk.clone();
            async move { desk.release_reservation(message).await }
        };
        if self.call(back, release).await.is_some() {
            self.tally.held.insert(name, true);
        }
    }

    async fn looks_at_invoices(&mut self) {
        let invoices = self.finance.invoices();
        let request = ListInvoicesRequest { parent: self.operator.clone(), ..Default::default() };
        let list = |message| {
            let mut invoices = invoices.clone();
            async move { invoices.list_invoices(message).await }
        };
        self.call(request, list).await;
    }

    /// A lease, for which leasing books at inventory.
    async fn proposes(&mut self, round: usize) {
        let leases = self.sales.leases();
        let terms = market::terms_from(&self.block, load(10), &self.days[0]);
        let id = format!("lease-{}-{round}", self.number);
        let proposal = market::proposal(&self.operator, &self.tenant, &id, terms);
        let propose = |message| {
            let mut leases = leases.clone();
            async move { leases.propose_lease(message).await }
        };
        let answer = self.call(proposal, propose).await;
        self.tally.leases.extend(answer.and_then(|answer| answer.lease).map(|lease| lease.name));
    }

    /// Asks, as patiently as this person is. `None` is a failure, which is told.
    async fn call<M, R, F, Fut>(&mut self, message: M, send: F) -> Option<R>
    where
        M: Clone,
        F: Fn(M) -> Fut,
        Fut: Future<Output = Result<Response<R>, Status>>,
    {
        let began = Instant::now();
        loop {
            let status = match send(message.clone()).await {
                Ok(response) => {
                    self.tally.answered += 1;
                    return Some(response.into_inner());
                }
                Err(status) => status,
            };
            if never_left(&status) {
                self.tally.sent_anew += 1;
                continue;
            }
            match self.patience {
                Patience::For(time) if began.elapsed() < time && may_be_repeated(&status) => {
                    self.tally.repeated += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                _ => {
                    let what = std::any::type_name::<M>();
                    self.tally.failed.push(format!("{what} after {:?}: {status:?}", began.elapsed()));
                    return None;
                }
            }
        }
    }
}

/// Whether the request was still waiting to be sent when its connection ended: gRPC libraries send it on another by
/// themselves, and that of this client leaves it to its caller.
fn never_left(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_canceled() || error.is_closed())
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Nothing was done, or nobody knows: then the same request id gives the same answer.
fn may_be_repeated(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unavailable
            | Code::DeadlineExceeded
            | Code::Unknown
            | Code::Cancelled
            | Code::Aborted
            | Code::Internal
    )
}
