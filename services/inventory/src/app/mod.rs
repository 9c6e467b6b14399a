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
pub use cancel_maintenance::CancelMaintenance;
pub use change_incident::{CloseIncident, IncidentPatch, UpdateIncident};
pub use change_phase::{ChangePhase, Changed};
pub use create_phase::Delivered;
pub use desk::Placed;
pub use encumbrances::{ListEncumbrances, ReleaseEncumbrance};
pub use export_inventory::{ROWS_MAX, Whole};
pub use extend_hold::{ExtendHold, Until};
pub use find_earliest_capacity::{Earliest, FindEarliest, SearchParent};
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
    /// `PlaceHold`.
    pub placed: fn(&Placed) -> Vec<u8>,
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

/// Full names of the writing and listing RPCs: part of every request key and page token.
pub mod rpc {
    /// `CreateOperator`.
    pub const CREATE_OPERATOR: &str = "gridlease.inventory.v1.SiteService/CreateOperator";
    /// `UpdateOperator`.
    pub const UPDATE_OPERATOR: &str = "gridlease.inventory.v1.SiteService/UpdateOperator";
    /// `ListOperators`.
    pub const LIST_OPERATORS: &str = "gridlease.inventory.v1.SiteService/ListOperators";
    /// `CreateSite`.
    pub const CREATE_SITE: &str = "gridlease.inventory.v1.SiteService/CreateSite";
    /// `UpdateSite`.
    pub const UPDATE_SITE: &str = "gridlease.inventory.v1.SiteService/UpdateSite";
    /// `ArchiveSite`.
    pub const ARCHIVE_SITE: &str = "gridlease.inventory.v1.SiteService/ArchiveSite";
    /// `ListSites`.
    pub const LIST_SITES: &str = "gridlease.inventory.v1.SiteService/ListSites";
    /// `CreateBlock`.
    pub const CREATE_BLOCK: &str = "gridlease.inventory.v1.SiteService/CreateBlock";
    /// `UpdateBlock`.
    pub const UPDATE_BLOCK: &str = "gridlease.inventory.v1.SiteService/UpdateBlock";
    /// `ArchiveBlock`.
    pub const ARCHIVE_BLOCK: &str = "gridlease.inventory.v1.SiteService/ArchiveBlock";
    /// `ListBlocks`.
    pub const LIST_BLOCKS: &str = "gridlease.inventory.v1.SiteService/ListBlocks";
    /// `CreatePhase`.
    pub const CREATE_PHASE: &str = "gridlease.inventory.v1.SiteService/CreatePhase";
    /// `ListPhases`.
    pub const LIST_PHASES: &str = "gridlease.inventory.v1.SiteService/ListPhases";
    /// `ImportInventory`.
    pub const IMPORT_INVENTORY: &str = "gridlease.inventory.v1.ImportService/ImportInventory";
    /// `ExportInventory`.
    pub const EXPORT_INVENTORY: &str = "gridlease.inventory.v1.ImportService/ExportInventory";
    /// `ReportIncident`.
    pub const REPORT_INCIDENT: &str = "gridlease.inventory.v1.IncidentService/ReportIncident";
    /// `OpenIncident`.
    pub const OPEN_INCIDENT: &str = "gridlease.inventory.v1.IncidentService/OpenIncident";
    /// `UpdateIncident`.
    pub const UPDATE_INCIDENT: &str = "gridlease.inventory.v1.IncidentService/UpdateIncident";
    /// `CloseIncident`.
    pub const CLOSE_INCIDENT: &str = "gridlease.inventory.v1.IncidentService/CloseIncident";
    /// `ListIncidents`.
    pub const LIST_INCIDENTS: &str = "gridlease.inventory.v1.IncidentService/ListIncidents";
    /// `AnnounceCurtailment`.
    pub const ANNOUNCE_CURTAILMENT: &str = "gridlease.inventory.v1.IncidentService/AnnounceCurtailment";
    /// `ListCurtailments`.
    pub const LIST_CURTAILMENTS: &str = "gridlease.inventory.v1.IncidentService/ListCurtailments";
    /// `UpdatePhase`.
    pub const UPDATE_PHASE: &str = "gridlease.inventory.v1.SiteService/UpdatePhase";
    /// `AdvancePhase`.
    pub const ADVANCE_PHASE: &str = "gridlease.inventory.v1.SiteService/AdvancePhase";
    /// `SlipPhase`.
    pub const SLIP_PHASE: &str = "gridlease.inventory.v1.SiteService/SlipPhase";
    /// `CancelPhase`.
    pub const CANCEL_PHASE: &str = "gridlease.inventory.v1.SiteService/CancelPhase";
    /// `ScheduleMaintenance`.
    pub const SCHEDULE_MAINTENANCE: &str = "gridlease.inventory.v1.MaintenanceService/ScheduleMaintenance";
    /// `CancelMaintenance`.
    pub const CANCEL_MAINTENANCE: &str = "gridlease.inventory.v1.MaintenanceService/CancelMaintenance";
    /// `ListMaintenance`.
    pub const LIST_MAINTENANCE: &str = "gridlease.inventory.v1.MaintenanceService/ListMaintenance";
    /// `PlaceHold`.
    pub const PLACE_HOLD: &str = "gridlease.inventory.v1.ReservationService/PlaceHold";
    /// `ExtendHold`.
    pub const EXTEND_HOLD: &str = "gridlease.inventory.v1.ReservationService/ExtendHold";
    /// `CommitReservation`.
    pub const COMMIT: &str = "gridlease.inventory.v1.ReservationService/CommitReservation";
    /// `ReleaseReservation`.
    pub const RELEASE: &str = "gridlease.inventory.v1.ReservationService/ReleaseReservation";
    /// `AmendReservation`.
    pub const AMEND: &str = "gridlease.inventory.v1.ReservationService/AmendReservation";
    /// `SplitReservation`.
    pub const SPLIT: &str = "gridlease.inventory.v1.ReservationService/SplitReservation";
    /// `MergeReservations`.
    pub const MERGE: &str = "gridlease.inventory.v1.ReservationService/MergeReservations";
    /// `PlaceEncumbrance`.
    pub const PLACE_ENCUMBRANCE: &str = "gridlease.inventory.v1.EncumbranceService/PlaceEncumbrance";
    /// `ReleaseEncumbrance`.
    pub const RELEASE_ENCUMBRANCE: &str = "gridlease.inventory.v1.EncumbranceService/ReleaseEncumbrance";
    /// `ListEncumbrances`.
    pub const LIST_ENCUMBRANCES: &str = "gridlease.inventory.v1.EncumbranceService/ListEncumbrances";
    /// `JoinWaitlist`.
    pub const JOIN_WAITLIST: &str = "gridlease.inventory.v1.WaitlistService/JoinWaitlist";
    /// `LeaveWaitlist`.
    pub const LEAVE_WAITLIST: &str = "gridlease.inventory.v1.WaitlistService/LeaveWaitlist";
    /// `ListWaitlist`.
    pub const LIST_WAITLIST: &str = "gridlease.inventory.v1.WaitlistService/ListWaitlist";
    /// `ListReservations`.
    pub const LIST_RESERVATIONS: &str = "gridlease.inventory.v1.ReservationService/ListReservations";
}

/// The kinds of events that are not a reservation's; those are [`crate::domain::states::Deed::event_kind`] and HELD.
pub mod kind {
    /// An operator was created.
    pub const OPERATOR_CREATED: &str = "operator.created";
    /// An operator was changed.
    pub const OPERATOR_UPDATED: &str = "operator.updated";
    /// A table was imported; an event for each thing in it came before.
    pub const OPERATOR_IMPORTED: &str = "operator.imported";
    /// The operator reported an incident.
    pub const INCIDENT_REPORTED: &str = "incident.reported";
    /// A tenant opened an incident.
    pub const INCIDENT_OPENED: &str = "incident.opened";
    /// A tenant is told of an incident as it is now; the operator sees whom it was told.
    pub const INCIDENT_NOTICE: &str = "incident.notice";
    /// A curtailment was announced.
    pub const CURTAILMENT_ANNOUNCED: &str = "curtailment.announced";
    /// A tenant is told of a curtailment; the operator sees whom it was told.
    pub const CURTAILMENT_NOTICE: &str = "curtailment.notice";
    /// A site was created.
    pub const SITE_CREATED: &str = "site.created";
    /// A site was changed.
    pub const SITE_UPDATED: &str = "site.updated";
    /// A site was archived.
    pub const SITE_ARCHIVED: &str = "site.archived";
    /// A block was created.
    pub const BLOCK_CREATED: &str = "block.created";
    /// A block was changed.
    pub const BLOCK_UPDATED: &str = "block.updated";
    /// A block was archived.
    pub const BLOCK_ARCHIVED: &str = "block.archived";
    /// A phase was created.
    pub const PHASE_CREATED: &str = "phase.created";
    /// A reservation became several: one event for each of them.
    pub const RESERVATION_SPLIT: &str = "reservation.split";
    /// An encumbrance was placed.
    pub const ENCUMBRANCE_PLACED: &str = "encumbrance.placed";
    /// An encumbrance was given up, or taken back.
    pub const ENCUMBRANCE_RELEASED: &str = "encumbrance.released";
    /// A tenant waits.
    pub const WAITLIST_JOINED: &str = "waitlist.joined";
    /// A tenant waits no more.
    pub const WAITLIST_LEFT: &str = "waitlist.left";
    /// What a tenant waits for has come free.
    pub const WAITLIST_AVAILABLE: &str = "waitlist.available";
    /// A phase was changed.
    pub const PHASE_UPDATED: &str = "phase.updated";
    /// A phase is used for something else.
    pub const PHASE_ADVANCED: &str = "phase.advanced";
    /// A phase's ready-for-service date moved.
    pub const PHASE_SLIPPED: &str = "phase.slipped";
    /// A phase was given up.
    pub const PHASE_CANCELLED: &str = "phase.cancelled";
    /// A maintenance window was scheduled.
    pub const MAINTENANCE_SCHEDULED: &str = "maintenance.scheduled";
    /// A maintenance window was cancelled or cut short.
    pub const MAINTENANCE_CANCELLED: &str = "maintenance.cancelled";
    /// A tenant on the block is told how a maintenance window is now.
    pub const MAINTENANCE_ANNOUNCED: &str = "maintenance.announced";
    /// A reservation is short of more than before, which was accepted.
    pub const SHORTFALL_RECORDED: &str = "shortfall.recorded";
    /// A reservation is short of less than before, or of nothing.
    pub const SHORTFALL_EASED: &str = "shortfall.eased";
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
