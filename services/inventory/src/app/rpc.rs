//! Full names of the writing and listing RPCs: part of every request key and page token.

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
