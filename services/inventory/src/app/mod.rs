//! Orders one deed from its start to its commit: one use case a file.

mod alternatives;
mod audit;
mod commit_reservation;
mod create_block;
mod create_operator;
mod create_phase;
mod create_site;
pub mod desk;
pub mod expire_holds;
mod extend_hold;
mod find_earliest_capacity;
mod get_availability;
pub mod market;
mod move_reservation;
mod place_hold;
mod read_reservations;
mod read_sites;
mod release_reservation;
mod search_capacity;
mod sweep;
mod update_block;
mod update_site;
mod write;

use std::sync::Arc;

use kernel::{Caller, Clock, Error, Ids, Instant, OperatorId, Organisation, Scope};
use postgres::Db;
use postgres::page::PageTokens;
use runtime::feed::Feed;

use crate::domain::block::Block;
use crate::domain::operator::Operator;
use crate::domain::phase::Phase;
use crate::domain::reservation::Reservation;
use crate::domain::site::Site;

pub use create_phase::Delivered;
pub use desk::Placed;
pub use extend_hold::{ExtendHold, Until};
pub use find_earliest_capacity::{FindEarliest, SearchParent};
pub use get_availability::{Availability, AvailabilityOf, GetAvailability};
pub use move_reservation::MoveReservation;
pub use place_hold::PlaceHold;
pub use read_reservations::ListReservations;
pub use read_sites::{ListBlocks, ListPhases, ListSites};
pub use search_capacity::{Found, SearchCapacity};
pub use update_block::{BlockPatch, NewRate, UpdateBlock};
pub use update_site::{InterconnectionFacts, SitePatch, UpdateSite};
pub use write::Create;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; empty on the last.
    pub next: String,
}

/// What a list is asked for beside its filter.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Most rows.
    pub size: u32,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// How stored replies and events become bytes; handed in, since only the wire's room knows its types.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The payload of an operator's event.
    pub operator: fn(&Operator) -> Vec<u8>,
    /// The payload of a site's event.
    pub site: fn(&Site) -> Vec<u8>,
    /// The payload of a block's event.
    pub block: fn(&Block) -> Vec<u8>,
    /// The payload of a phase's event.
    pub phase: fn(&Phase) -> Vec<u8>,
    /// The payload of a reservation's event.
    pub reservation: fn(&Reservation) -> Vec<u8>,
    /// The replies of the RPCs, by their names.
    pub operator_created: fn(&Operator) -> Vec<u8>,
    /// `CreateSite`.
    pub site_created: fn(&Site) -> Vec<u8>,
    /// `UpdateSite`.
    pub site_updated: fn(&Site) -> Vec<u8>,
    /// `CreateBlock`.
    pub block_created: fn(&Block) -> Vec<u8>,
    /// `UpdateBlock`.
    pub block_updated: fn(&Block) -> Vec<u8>,
    /// `CreatePhase`.
    pub phase_created: fn(&Delivered) -> Vec<u8>,
    /// `PlaceHold`.
    pub placed: fn(&Placed) -> Vec<u8>,
    /// `ExtendHold`.
    pub extended: fn(&Reservation) -> Vec<u8>,
    /// `CommitReservation`.
    pub committed: fn(&Reservation) -> Vec<u8>,
    /// `ReleaseReservation`.
    pub released: fn(&Reservation) -> Vec<u8>,
}

/// What every use case works with.
pub struct App {
    /// The store, for requests.
    pub db: Db,
    /// The store, for background work.
    pub worker_db: Db,
    /// Business time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Takes bookings.
    pub desk: desk::Desk,
    /// Block ids by name.
    pub directory: desk::Directory,
    /// Writes holds off whose time ran out, for background work.
    pub expirer: expire_holds::Expirer,
    /// What search asks.
    pub market: market::Market,
    /// Seals page tokens.
    pub pages: PageTokens,
    /// Wakes watchers.
    pub feed: Feed,
    /// How things are written.
    pub wire: Wire,
    /// Open holds a tenant may have with one operator.
    pub quota_open_holds: u32,
}

/// Full names of the writing and listing RPCs: part of every request key and page token.
pub mod rpc {
    /// `CreateOperator`.
    pub const CREATE_OPERATOR: &str = "gridlease.inventory.v1.SiteService/CreateOperator";
    /// `ListOperators`.
    pub const LIST_OPERATORS: &str = "gridlease.inventory.v1.SiteService/ListOperators";
    /// `CreateSite`.
    pub const CREATE_SITE: &str = "gridlease.inventory.v1.SiteService/CreateSite";
    /// `UpdateSite`.
    pub const UPDATE_SITE: &str = "gridlease.inventory.v1.SiteService/UpdateSite";
    /// `ListSites`.
    pub const LIST_SITES: &str = "gridlease.inventory.v1.SiteService/ListSites";
    /// `CreateBlock`.
    pub const CREATE_BLOCK: &str = "gridlease.inventory.v1.SiteService/CreateBlock";
    /// `UpdateBlock`.
    pub const UPDATE_BLOCK: &str = "gridlease.inventory.v1.SiteService/UpdateBlock";
    /// `ListBlocks`.
    pub const LIST_BLOCKS: &str = "gridlease.inventory.v1.SiteService/ListBlocks";
    /// `CreatePhase`.
    pub const CREATE_PHASE: &str = "gridlease.inventory.v1.SiteService/CreatePhase";
    /// `ListPhases`.
    pub const LIST_PHASES: &str = "gridlease.inventory.v1.SiteService/ListPhases";
    /// `PlaceHold`.
    pub const PLACE_HOLD: &str = "gridlease.inventory.v1.ReservationService/PlaceHold";
    /// `ExtendHold`.
    pub const EXTEND_HOLD: &str = "gridlease.inventory.v1.ReservationService/ExtendHold";
    /// `CommitReservation`.
    pub const COMMIT: &str = "gridlease.inventory.v1.ReservationService/CommitReservation";
    /// `ReleaseReservation`.
    pub const RELEASE: &str = "gridlease.inventory.v1.ReservationService/ReleaseReservation";
    /// `ListReservations`.
    pub const LIST_RESERVATIONS: &str = "gridlease.inventory.v1.ReservationService/ListReservations";
}

/// The kinds of events that are not a reservation's; those are [`crate::domain::states::Deed::event_kind`] and HELD.
pub mod kind {
    /// An operator was created.
    pub const OPERATOR_CREATED: &str = "operator.created";
    /// A site was created.
    pub const SITE_CREATED: &str = "site.created";
    /// A site was changed.
    pub const SITE_UPDATED: &str = "site.updated";
    /// A block was created.
    pub const BLOCK_CREATED: &str = "block.created";
    /// A block was changed.
    pub const BLOCK_UPDATED: &str = "block.updated";
    /// A phase was created.
    pub const PHASE_CREATED: &str = "phase.created";
}

impl App {
    /// Now, in business time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// What a caller may read where no operator is named: an operator its own, everybody else what is published.
pub(crate) fn reading_scope(caller: &Caller) -> Scope {
    match caller.scope() {
        Scope::Worker => Scope::Market,
        scope @ (Scope::Operator(_) | Scope::Tenant(_) | Scope::Market) => scope,
    }
}

/// What a caller may see of one operator's published things. Whoever may not see it, learns that there is no such
/// `resource`.
pub(crate) fn scope_of(
    caller: &Caller,
    operator: &OperatorId,
    resource: &'static str,
) -> Result<Scope, Error> {
    if *caller.effective_organisation() == Organisation::Platform {
        return Ok(Scope::Market);
    }
    caller.scope_of_operator(operator).map_err(|_| Error::not_found(resource))
}

/// The scope in which a caller may change an operator's things.
pub(crate) fn own_scope(
    caller: &Caller,
    operator: &OperatorId,
    resource: &'static str,
) -> Result<Scope, Error> {
    match scope_of(caller, operator, resource)? {
        scope @ Scope::Operator(_) => Ok(scope),
        Scope::Tenant(_) | Scope::Market | Scope::Worker => Err(Error::not_found(resource)),
    }
}
