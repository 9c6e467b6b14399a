//! The kinds of events that are not a reservation's; those are [`crate::domain::states::Deed::event_kind`] and HELD.

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
