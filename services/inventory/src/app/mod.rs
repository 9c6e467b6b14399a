//! Orders one deed from its start to its commit: one use case a file.

mod alternatives;
mod amend_reservation;
mod announce_curtailment;
mod archive;
mod as_of;
mod audit;
mod cancel_maintenance;
mod change_incident;
mod change_phase;
mod commit_reservation;
mod create_block;
mod create_operator;
mod create_phase;
mod create_site;
pub mod desk;
mod encumbrances;
pub mod expire_holds;
mod export_inventory;
mod extend_hold;
mod find_earliest_capacity;
mod get_availability;
mod get_power_plan;
mod import_inventory;
pub mod kind;
pub mod market;
mod merge_reservations;
mod move_reservation;
mod place;
mod place_hold;
mod read_incidents;
mod read_maintenance;
mod read_reservations;
mod read_sites;
mod release_reservation;
mod report_incident;
mod rewrite_reservations;
mod rights;
pub mod rpc;
mod schedule_maintenance;
mod search_capacity;
mod shortfalls;
mod split_reservation;
mod sweep;
mod tell_waiting;
mod update_block;
mod update_operator;
mod update_site;
mod waitlist;
mod write;

use std::sync::Arc;

use kernel::{BlockId, Caller, Clock, Error, Ids, Instant, OperatorId, Organisation, Scope};
use postgres::Db;
use postgres::page::PageTokens;
use runtime::feed::Feed;

use crate::domain::block::Block;
use crate::domain::curtailment::Curtailment;
use crate::domain::encumbrance::Encumbrance;
use crate::domain::incident::Incident;
use crate::domain::maintenance::Window;
use crate::domain::operator::Operator;
use crate::domain::phase::Phase;
use crate::domain::reservation::Reservation;
use crate::domain::shortfall::Shortfall;
use crate::domain::site::Site;
use crate::domain::waitlist::WaitlistEntry;

pub use amend_reservation::AmendReservation;
pub use announce_curtailment::AnnounceCurtailment;
pub use archive::Archive;
pub use audit::Audited;
pub use cancel_maintenance::CancelMaintenance;
pub use change_incident::{CloseIncident, IncidentPatch, UpdateIncident};
pub use change_phase::{ChangePhase, Changed};
pub use create_phase::Delivered;
pub use desk::Placed;
pub use encumbrances::{ListEncumbrances, ReleaseEncumbrance};
pub use export_inventory::{ROWS_MAX, Whole};
pub use extend_hold::{ExtendHold, Until};
pub use find_earliest_capacity::{FindEarliest, SearchParent};
pub use get_availability::{Availability, AvailabilityOf, GetAvailability};
pub use get_power_plan::{GetPowerPlan, PowerPlan};
pub use import_inventory::{Import, Imported, Numbered, Problem};
pub use merge_reservations::MergeReservations;
pub use move_reservation::MoveReservation;
pub use place_hold::PlaceHold;
pub use read_incidents::{ListCurtailments, ListIncidents};
pub use read_maintenance::ListMaintenance;
pub use read_reservations::ListReservations;
pub use read_sites::{ListBlocks, ListOperators, ListPhases, ListSites};
pub use report_incident::NewIncident;
pub use rights::Rights;
pub use schedule_maintenance::{ScheduleMaintenance, Scheduled};
pub use search_capacity::{Found, SearchCapacity};
pub use split_reservation::{Part, SplitReservation};
pub use sweep::Swept;
pub use update_block::{BlockPatch, NewRate, UpdateBlock};
pub use update_operator::{OperatorPatch, UpdateOperator};
pub use update_site::{InterconnectionFacts, SitePatch, UpdateSite};
pub use waitlist::{LeaveWaitlist, ListWaitlist};
pub use write::Create;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; empty on the last.
    pub next: String,
}

impl<T> Page<T> {
    /// The same page with what was known of its rows at an instant, where one was asked for.
    fn with(self, then: Option<Vec<T>>) -> Self {
        match then {
            Some(items) => Self { items, next: self.next },
            None => self,
        }
    }
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
    /// The payload of an incident's event.
    pub incident: fn(&Incident) -> Vec<u8>,
    /// The payload of a curtailment's event.
    pub curtailment: fn(&Curtailment) -> Vec<u8>,
    /// The payload of a maintenance window's event.
    pub maintenance: fn(&Window) -> Vec<u8>,
    /// The payload of a shortfall's event.
    pub shortfall: fn(&Shortfall) -> Vec<u8>,
    /// The replies of the RPCs, by their names.
    pub operator_created: fn(&Operator) -> Vec<u8>,
    /// `UpdateOperator`.
    pub operator_updated: fn(&Operator) -> Vec<u8>,
    /// `CreateSite`.
    pub site_created: fn(&Site) -> Vec<u8>,
    /// `UpdateSite`.
    pub site_updated: fn(&Site) -> Vec<u8>,
    /// `ArchiveSite`.
    pub site_archived: fn(&Site) -> Vec<u8>,
    /// `CreateBlock`.
    pub block_created: fn(&Block) -> Vec<u8>,
    /// `UpdateBlock`.
    pub block_updated: fn(&Block) -> Vec<u8>,
    /// `ArchiveBlock`.
    pub block_archived: fn(&Block) -> Vec<u8>,
    /// `CreatePhase`.
    pub phase_created: fn(&Delivered) -> Vec<u8>,
    /// `ImportInventory`.
    pub imported: fn(&(Operator, Imported)) -> Vec<u8>,
    /// `ReportIncident`.
    pub incident_reported: fn(&Incident) -> Vec<u8>,
    /// `OpenIncident`.
    pub incident_opened: fn(&Incident) -> Vec<u8>,
    /// `UpdateIncident`.
    pub incident_updated: fn(&Incident) -> Vec<u8>,
    /// `CloseIncident`.
    pub incident_closed: fn(&Incident) -> Vec<u8>,
    /// `AnnounceCurtailment`.
    pub curtailment_announced: fn(&Curtailment) -> Vec<u8>,
    /// `UpdatePhase`.
    pub phase_updated: fn(&Changed) -> Vec<u8>,
    /// `AdvancePhase`.
    pub phase_advanced: fn(&Changed) -> Vec<u8>,
    /// `SlipPhase`.
    pub phase_slipped: fn(&Changed) -> Vec<u8>,
    /// `CancelPhase`.
    pub phase_cancelled: fn(&Changed) -> Vec<u8>,
    /// `ScheduleMaintenance`.
    pub maintenance_scheduled: fn(&Scheduled) -> Vec<u8>,
    /// `CancelMaintenance`.
    pub maintenance_cancelled: fn(&Window) -> Vec<u8>,
    /// `PlaceHold`: the reply, and the payload of the event. Made together, since this is the most frequent write.
    pub placed: fn(&Placed) -> (Vec<u8>, Vec<u8>),
    /// `ExtendHold`.
    pub extended: fn(&Reservation) -> Vec<u8>,
    /// `CommitReservation`.
    pub committed: fn(&Reservation) -> Vec<u8>,
    /// `ReleaseReservation`.
    pub released: fn(&Reservation) -> Vec<u8>,
    /// `AmendReservation`.
    pub amended: fn(&Reservation) -> Vec<u8>,
    /// `SplitReservation`.
    pub split: fn(&[Reservation]) -> Vec<u8>,
    /// `MergeReservations`.
    pub merged: fn(&Reservation) -> Vec<u8>,
    /// The payload of an encumbrance's event.
    pub encumbrance: fn(&Encumbrance) -> Vec<u8>,
    /// `PlaceEncumbrance`.
    pub encumbrance_placed: fn(&Encumbrance) -> Vec<u8>,
    /// `ReleaseEncumbrance`.
    pub encumbrance_released: fn(&Encumbrance) -> Vec<u8>,
    /// The payload of the event of an entry of the waitlist.
    pub waitlist_entry: fn(&WaitlistEntry) -> Vec<u8>,
    /// `JoinWaitlist`.
    pub waitlist_joined: fn(&WaitlistEntry) -> Vec<u8>,
    /// `LeaveWaitlist`.
    pub waitlist_left: fn(&WaitlistEntry) -> Vec<u8>,
    /// Superseded versions read back, with their revisions.
    pub operator_of: fn(&[u8], i64) -> Result<Operator, Error>,
    /// A site.
    pub site_of: fn(&[u8], i64) -> Result<Site, Error>,
    /// A block, whose id is not on the wire.
    pub block_of: fn(&[u8], i64, BlockId) -> Result<Block, Error>,
    /// A phase.
    pub phase_of: fn(&[u8], i64) -> Result<Phase, Error>,
    /// A reservation.
    pub reservation_of: fn(&[u8], i64) -> Result<Reservation, Error>,
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
    /// Encumbrances in force, about a second old at most.
    pub rights: Rights,
    /// Open holds a tenant may have with one operator.
    pub quota_open_holds: u32,
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
