//! People who book, amend, slip and derate at random on several replicas, for tests that look at what comes of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use contracts::inventory::v1 as inventory;
use gridlease::clients::{Addresses, Channels, Clients};
use integration_tests::Cluster;
use integration_tests::cluster::Node;
use integration_tests::market::{self, Site, profile, request_id};
use kernel::Role;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Status};
use tonic_types::StatusExt as _;

use crate::obvious::Dice;

/// The tenants of everything.
pub(crate) const TENANTS: [&str; 2] = ["tenants/lab", "tenants/rival"];

/// Days on which something begins or ends.
const DAYS: [&str; 6] = ["2027-01-01", "2027-02-01", "2027-04-01", "2027-07-01", "2028-01-01", "2029-01-01"];

/// How often each answer came: a reason, or OK.
pub(crate) type Answers = BTreeMap<String, u32>;

/// What somebody needs to act: a token of each role, and where the replicas listen.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) site: Site,
    pub(crate) replicas: Vec<SocketAddr>,
    sales: String,
    ops: String,
    leasing: String,
}

/// A replica of inventory.
pub(crate) fn replica(replica: usize) -> Node {
    Node { service: "inventory", replica }
}

impl Field {
    /// Starts so many processes of inventory, and makes a site of three halls to race for.
    pub(crate) async fn prepare(cluster: &mut Cluster, replicas: usize) -> Result<Self> {
        for number in 0..replicas {
            cluster.start(replica(number), "").await?;
        }
        let halls = [market::hall(30_000), market::hall(30_000), market::hall(50_000)];
        let site = market::site(|o, r| cluster.clients(o, r), "traffic", &halls).await?;
        Ok(Self {
            replicas: (0..replicas).map(|number| cluster.addresses(number).inventory).collect(),
            sales: cluster.token(&site.operator, Role::Sales)?,
            ops: cluster.token(&site.operator, Role::SiteOps)?,
            leasing: cluster.token("services/leasing", Role::Service)?,
            site,
        })
    }
}

/// Somebody who acts.
struct Somebody {
    dice: Dice,
    site: Site,
    /// Of each replica: sales, site operations, leasing.
    desks: Vec<[Clients; 3]>,
    held: Vec<inventory::Reservation>,
    firm: Vec<String>,
    windows: Vec<String>,
}

/// Acts until told to stop; counts the answers.
pub(crate) async fn act(field: Field, seed: u64, stop: CancellationToken) -> Result<Answers> {
    let desk = |at: &SocketAddr| -> Result<[Clients; 3]> {
        let channels = Channels::new(Addresses { inventory: *at, leasing: *at, billing: *at })?;
        Ok([channels.caller(&field.sales)?, channels.caller(&field.ops)?, channels.caller(&field.leasing)?])
    };
    let desks = field.replicas.iter().map(desk).collect::<Result<_>>()?;
    let mut somebody = Somebody {
        dice: Dice::new(seed),
        site: field.site,
        desks,
        held: Vec::new(),
        firm: Vec::new(),
        windows: Vec::new(),
    };
    let mut answers = Answers::new();
    while !stop.is_cancelled() {
        let word = match somebody.deed().await? {
            Ok(()) => "OK".to_owned(),
            Err(status) => reason(&status),
        };
        *answers.entry(word).or_default() += 1;
    }
    Ok(answers)
}

/// The reason of a refusal, or its code where the connection failed.
fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map_or_else(|| format!("{:?}", status.code()), |info| info.reason.clone())
}

impl Somebody {
    fn number(&mut self, until: usize) -> usize {
        let last = i64::try_from(until).unwrap_or(1) - 1;
        usize::try_from(self.dice.roll(0, last.max(0))).unwrap_or(0)
    }

    fn claim(&mut self) -> inventory::Claim {
        let hall = self.number(self.site.blocks.len());
        let first = self.number(DAYS.len() - 1);
        let last = first + 1 + self.number(DAYS.len() - first - 1);
        let load = market::load(self.dice.roll(1, 9) * 1_000);
        inventory::Claim {
            block: self.site.blocks[hall].clone(),
            profile: Some(profile(load, DAYS[first], DAYS[last])),
        }
    }

    fn claims(&mut self) -> Vec<inventory::Claim> {
        let mut claims = vec![self.claim()];
        if self.dice.chance(30) {
            claims.push(self.claim());
        }
        claims.sort_by(|a, b| a.block.cmp(&b.block));
        claims.dedup_by(|a, b| a.block == b.block);
        claims
    }

    fn takes(&mut self) -> Option<inventory::Reservation> {
        let number = self.number(self.held.len());
        (number < self.held.len()).then(|| self.held.swap_remove(number))
    }

    /// One deed; what was refused or lost is told.
    async fn deed(&mut self) -> Result<Result<(), Status>> {
        let desk = self.number(self.desks.len());
        let [sales, ops, leasing] = self.desks[desk].clone();
        let roll = if self.held.len() > 12 { self.dice.roll(41, 82) } else { self.dice.roll(1, 100) };
        Ok(match roll {
            1..=40 => self.book(&sales).await,
            41..=54 => self.amend(&sales).await,
            55..=66 => self.give_back(&sales).await,
            67..=72 => self.split(&sales).await,
            73..=78 => self.merge(&sales).await,
            79..=82 => self.commit(&leasing).await?,
            83..=89 => self.slip(&ops).await,
            90..=94 => self.reduce(&ops).await,
            _ => self.restore(&ops).await,
        })
    }

    async fn book(&mut self, sales: &Clients) -> Result<(), Status> {
        let tenant = TENANTS[self.number(TENANTS.len())];
        let request = inventory::PlaceHoldRequest {
            claims: self.claims(),
            ..market::hold(&self.site.operator, "", tenant, market::load(1))
        };
        let placed = sales.reservations().place_hold(request).await?.into_inner();
        self.held.extend(placed.reservation);
        Ok(())
    }

    async fn amend(&mut self, sales: &Clients) -> Result<(), Status> {
        let Some(held) = self.takes() else { return Ok(()) };
        let request = inventory::AmendReservationRequest {
            name: held.name.clone(),
            claims: self.claims(),
            request_id: request_id(),
            ..Default::default()
        };
        let answer = sales.reservations().amend_reservation(request).await;
        match answer {
            Ok(amended) => self.held.extend(amended.into_inner().reservation),
            Err(status) => {
                self.held.push(held);
                return Err(status);
            }
        }
        Ok(())
    }

    async fn give_back(&mut self, sales: &Clients) -> Result<(), Status> {
        let Some(held) = self.takes() else { return Ok(()) };
        let request = inventory::ReleaseReservationRequest {
            name: held.name,
            request_id: request_id(),
            ..Default::default()
        };
        sales.reservations().release_reservation(request).await.map(|_| ())
    }

    /// Half of everything becomes a reservation of its own; what does not divide is refused.
    async fn split(&mut self, sales: &Clients) -> Result<(), Status> {
        let Some(held) = self.takes() else { return Ok(()) };
        let mut half = held.claims.clone();
        let steps = half.iter_mut().filter_map(|claim| claim.profile.as_mut()).flat_map(|p| &mut p.steps);
        for kw in steps.filter_map(|step| step.capacity.as_mut()) {
            kw.critical_it_kw /= 2;
            kw.air_cooling_kw /= 2;
            kw.liquid_cooling_kw /= 2;
        }
        let part = inventory::ReservationPart { claims: half, note: String::new() };
        let request = inventory::SplitReservationRequest {
            name: held.name.clone(),
            parts: vec![part.clone(), part],
            request_id: request_id(),
            ..Default::default()
        };
        match sales.reservations().split_reservation(request).await {
            Ok(split) => self.held.extend(split.into_inner().reservations),
            Err(status) => {
                self.held.push(held);
                return Err(status);
            }
        }
        Ok(())
    }

    async fn merge(&mut self, sales: &Clients) -> Result<(), Status> {
        let (Some(one), Some(other)) = (self.takes(), self.takes()) else { return Ok(()) };
        let request = inventory::MergeReservationsRequest {
            name: one.name.clone(),
            others: vec![other.name.clone()],
            request_id: request_id(),
            ..Default::default()
        };
        match sales.reservations().merge_reservations(request).await {
            Ok(merged) => self.held.extend(merged.into_inner().reservation),
            Err(status) => {
                self.held.extend([one, other]);
                return Err(status);
            }
        }
        Ok(())
    }

    /// Makes a hold firm, or gives back what has been firm for long: halls that are full of commitments are no race.
    async fn commit(&mut self, leasing: &Clients) -> Result<Result<(), Status>> {
        if self.firm.len() > 2 {
            let name = self.firm.remove(0);
            let release =
                inventory::ReleaseReservationRequest { name, request_id: request_id(), ..Default::default() };
            let release = self.behalf(release)?;
            return Ok(leasing.reservations().release_reservation(release).await.map(|_| ()));
        }
        let Some(held) = self.takes() else { return Ok(Ok(())) };
        self.firm.push(held.name.clone());
        let commit = inventory::CommitReservationRequest {
            name: held.name,
            request_id: request_id(),
            validate_only: false,
        };
        let commit = self.behalf(commit)?;
        Ok(leasing.reservations().commit_reservation(commit).await.map(|_| ()))
    }

    fn behalf<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request
            .metadata_mut()
            .insert("gridlease-on-behalf-of", self.site.operator.parse().context("a name")?);
        Ok(request)
    }

    async fn slip(&mut self, ops: &Clients) -> Result<(), Status> {
        let hall = self.number(self.site.blocks.len());
        let request = inventory::SlipPhaseRequest {
            name: format!("{}/phases/one", self.site.blocks[hall]),
            ready_for_service_date: Some(market::date(DAYS[self.number(3)])),
            date_basis: inventory::DateBasis::Forecast.into(),
            reason: "transformers".to_owned(),
            accept_shortfall: self.dice.chance(30),
            request_id: request_id(),
            ..Default::default()
        };
        ops.sites().slip_phase(request).await.map(|_| ())
    }

    async fn reduce(&mut self, ops: &Clients) -> Result<(), Status> {
        let hall = self.number(self.site.blocks.len());
        let first = self.number(DAYS.len() - 1);
        let reduction = market::load(self.dice.roll(1, 12) * 1_000);
        let request = inventory::ScheduleMaintenanceRequest {
            parent: self.site.blocks[hall].clone(),
            window: Some(market::window(DAYS[first], DAYS[first + 1], reduction, "filters")),
            accept_shortfall: self.dice.chance(50),
            request_id: request_id(),
            validate_only: false,
        };
        let scheduled = ops.maintenance().schedule_maintenance(request).await?.into_inner();
        self.windows.extend(scheduled.window.map(|window| window.name));
        Ok(())
    }

    async fn restore(&mut self, ops: &Clients) -> Result<(), Status> {
        let Some(name) = self.windows.pop() else { return Ok(()) };
        let request =
            inventory::CancelMaintenanceRequest { name, request_id: request_id(), ..Default::default() };
        ops.maintenance().cancel_maintenance(request).await.map(|_| ())
    }
}
