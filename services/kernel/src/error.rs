//! The one error of every room behind the wire: a reason for machines, a sentence for people, a cause for us.
//!
//! What may be shown and what may not are different fields. `Display` is the public sentence and nothing else; the
//! private cause is reached through [`std::error::Error::source`] only, by the one place that logs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// Why a request was not carried out, for programs to branch on. Mirrored by the wire's `ErrorReason`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $($(#[$doc])* $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl FromStr for Reason {
            type Err = UnknownReason;

            fn from_str(text: &str) -> Result<Self, UnknownReason> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(UnknownReason),
                }
            }
        }
    };
}

/// A text is not the name of a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a known reason")]
pub struct UnknownReason;

reasons! {
    /// A field is missing, malformed or contradicts another; the violations say which.
    InvalidField = "INVALID_FIELD",
    /// The page size is negative.
    InvalidPageSize = "INVALID_PAGE_SIZE",
    /// The page token is not one we gave for this list, or is too old.
    InvalidPageToken = "INVALID_PAGE_TOKEN",
    /// The update mask names a field that does not exist or cannot be set.
    InvalidFieldMask = "INVALID_FIELD_MASK",
    /// The request id is not a canonical UUID.
    InvalidRequestId = "INVALID_REQUEST_ID",
    /// A date or a term lies beyond what the business allows.
    TermOutOfRange = "TERM_OUT_OF_RANGE",
    /// There is no valid token.
    Unauthenticated = "UNAUTHENTICATED",
    /// The caller's roles do not allow this call.
    RoleNotAllowed = "ROLE_NOT_ALLOWED",
    /// It does not exist, or the caller may not know that it does.
    ResourceNotFound = "RESOURCE_NOT_FOUND",
    /// The chosen name is in use.
    NameTaken = "NAME_TAKEN",
    /// Power or cooling is short at some instant of the interval.
    CapacityExhausted = "CAPACITY_EXHAUSTED",
    /// The site's grid connection does not carry it.
    SitePowerExceeded = "SITE_POWER_EXCEEDED",
    /// The hold ended before it was used.
    HoldExpired = "HOLD_EXPIRED",
    /// The hold is already a firm reservation.
    HoldAlreadyConfirmed = "HOLD_ALREADY_CONFIRMED",
    /// The hold was given back.
    HoldReleased = "HOLD_RELEASED",
    /// The resource's state does not allow this.
    InvalidStateTransition = "INVALID_STATE_TRANSITION",
    /// The resource has changed since it was read.
    EtagMismatch = "ETAG_MISMATCH",
    /// The terms that were signed are not the terms on file.
    TermsHashMismatch = "TERMS_HASH_MISMATCH",
    /// The request id was used for another request.
    RequestIdReused = "REQUEST_ID_REUSED",
    /// The first request with this id is still running.
    RequestInProgress = "REQUEST_IN_PROGRESS",
    /// Concurrent changes kept colliding.
    TransactionConflict = "TRANSACTION_CONFLICT",
    /// A quota is used up.
    QuotaExceeded = "QUOTA_EXCEEDED",
    /// The server has more work than it can take.
    Overloaded = "OVERLOADED",
    /// The server is about to stop.
    ServerDraining = "SERVER_DRAINING",
    /// The message is larger than the limit.
    MessageTooLarge = "MESSAGE_TOO_LARGE",
    /// The message is not what the method expects.
    MalformedMessage = "MALFORMED_MESSAGE",
    /// The deadline passed; what happened is unknown to the caller.
    DeadlineExceeded = "DEADLINE_EXCEEDED",
    /// The store cannot be reached; nothing was done.
    StoreUnavailable = "STORE_UNAVAILABLE",
    /// The store was lost while it committed; retry with the same request id.
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    /// Another service cannot be reached.
    PeerUnavailable = "PEER_UNAVAILABLE",
    /// The call exists but is not offered here.
    Unimplemented = "UNIMPLEMENTED",
    /// A fault of ours.
    Internal = "INTERNAL",
    /// Something is in the way.
    ResourceInUse = "RESOURCE_IN_USE",
    /// It is archived, or what it lies in is.
    ResourceArchived = "RESOURCE_ARCHIVED",
    /// Capacity would fall below what is promised.
    CapacityCommitted = "CAPACITY_COMMITTED",
    /// Bids were taken until the deadline.
    BidDeadlinePassed = "BID_DEADLINE_PASSED",
    /// Bids are sealed until the deadline.
    BidDeadlinePending = "BID_DEADLINE_PENDING",
    /// The bid no longer binds its operator.
    BidExpired = "BID_EXPIRED",
    /// Whoever wrote it may not approve it.
    SecondPersonNeeded = "SECOND_PERSON_NEEDED",
    /// No block that is free and priced meets the need.
    NothingToQuote = "NOTHING_TO_QUOTE",
    /// The quote's time is over.
    QuoteLapsed = "QUOTE_LAPSED",
    /// The block cannot be handed over yet.
    NotReadyForService = "NOT_READY_FOR_SERVICE",
    /// The terms give no right to end it in this way, or not yet.
    NoRightToTerminate = "NO_RIGHT_TO_TERMINATE",
    /// The terms give no renewal, or not on this day.
    NoOptionToExercise = "NO_OPTION_TO_EXERCISE",
    /// The books are closed for that day.
    PeriodClosed = "PERIOD_CLOSED",
    /// It is more than is left.
    AmountExceeded = "AMOUNT_EXCEEDED",
    /// Somebody else must be offered the capacity first.
    RightNotCleared = "RIGHT_NOT_CLEARED",
    /// The days in which a line may be disputed are over.
    DisputeWindowClosed = "DISPUTE_WINDOW_CLOSED",
    /// It is more than is left to be named.
    NominationExceeded = "NOMINATION_EXCEEDED",
    /// The last day to name blocks has passed.
    NominationClosed = "NOMINATION_CLOSED",
    /// No orders can be placed under it.
    MasterAgreementNotInForce = "MASTER_AGREEMENT_NOT_IN_FORCE",
    /// Another utility bill of the meter has some of these days.
    UtilityBillOverlaps = "UTILITY_BILL_OVERLAPS",
    /// No billing run has charged for all of these days yet.
    PeriodNotBilled = "PERIOD_NOT_BILLED",
    /// A utility bill was corrected by another one, which counts.
    UtilityBillCorrected = "UTILITY_BILL_CORRECTED",
    /// Charging plans of those who share a meter divide it differently.
    ChargingPlansDisagree = "CHARGING_PLANS_DISAGREE",
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The path of the field, such as `terms.premises[3].rate`.
    pub field: String,
    /// What it must be, as a sentence without the field's name.
    pub description: String,
}

impl Violation {
    /// A violation of `field`.
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), description: description.into() }
    }
}

/// A private cause.
type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Why something was not done. One pointer wide, so that results stay small.
pub struct Error(Box<Inner>);

struct Inner {
    reason: Reason,
    message: Cow<'static, str>,
    metadata: BTreeMap<String, String>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    source: Option<Cause>,
}

/// The only sentence that a fault of ours shows.
pub const INTERNAL_MESSAGE: &str = "Something went wrong on our side.";

impl Error {
    /// An error with a reason and a public sentence.
    pub fn new(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            reason,
            message: message.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_after: None,
            source: None,
        }))
    }

    /// A request that is well formed and may not be carried out now. Reads better than [`Error::new`] in rules.
    pub fn refused(reason: Reason, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(reason, message)
    }

    /// Malformed input, all of it at once.
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let message = match violations.as_slice() {
            [one] => format!("{}: {}.", one.field, one.description),
            many => format!("{} fields are not valid.", many.len()),
        };
        let mut error = Self::new(Reason::InvalidField, message);
        error.0.violations = violations;
        error
    }

    /// Malformed input in one field.
    pub fn invalid_field(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::invalid(vec![Violation::new(field, description)])
    }

    /// There is no such thing, or none that this caller may know of. Says no more, on purpose.
    pub fn not_found(resource_type: &'static str) -> Self {
        Self::new(Reason::ResourceNotFound, format!("There is no such {resource_type}."))
            .with("resource_type", resource_type)
    }

    /// The caller's chosen name is in use.
    pub fn name_taken(resource_type: &'static str) -> Self {
        Self::new(Reason::NameTaken, format!("This name is taken by another {resource_type}."))
            .with("resource_type", resource_type)
    }

    /// Nothing more happens to it, or in it.
    pub fn archived(resource_type: &'static str) -> Self {
        Self::new(Reason::ResourceArchived, format!("The {resource_type} is archived."))
            .with("resource_type", resource_type)
    }

    /// The caller's copy is older than ours.
    pub fn etag_mismatch() -> Self {
        Self::new(Reason::EtagMismatch, "The resource has changed since it was read; read it again.")
    }

    /// The state of a resource does not allow this deed.
    pub fn invalid_transition(
        resource_type: &'static str,
        from: impl fmt::Display,
        to: impl fmt::Display,
    ) -> Self {
        Self::new(
            Reason::InvalidStateTransition,
            format!("A {resource_type} that is {from} cannot become {to}."),
        )
        .with("from", from)
        .with("to", to)
    }

    /// There is no valid token.
    pub fn unauthenticated() -> Self {
        Self::new(Reason::Unauthenticated, "A valid access token is needed.")
    }

    /// The token is good, but none of its roles allows the call.
    pub fn role_not_allowed(rpc: &str, roles: impl fmt::Display) -> Self {
        Self::new(Reason::RoleNotAllowed, "The caller's roles do not allow this call.")
            .with("rpc", rpc)
            .with("role", roles)
    }

    /// Concurrent changes kept colliding; the same call may succeed in a moment.
    pub fn transaction_conflict() -> Self {
        Self::new(Reason::TransactionConflict, "Concurrent changes collided; try again.")
            .with_retry_after(Duration::from_millis(100))
    }

    /// The store cannot be reached; nothing was done.
    pub fn store_unavailable(source: impl Into<Cause>) -> Self {
        Self::new(Reason::StoreUnavailable, "The store cannot be reached; nothing was done.")
            .with_retry_after(Duration::from_secs(1))
            .with_source(source)
    }

    /// The store was lost between our commit and its answer.
    pub fn outcome_unknown(source: impl Into<Cause>) -> Self {
        Self::new(
            Reason::OutcomeUnknown,
            "It is not known whether the change was made; repeat the call with the same request id.",
        )
        .with_retry_after(Duration::from_secs(1))
        .with_source(source)
    }

    /// A fault of ours, whose cause is logged and never shown.
    pub fn internal(source: impl Into<Cause>) -> Self {
        Self::new(Reason::Internal, INTERNAL_MESSAGE).with_source(source)
    }

    /// Adds a machine-readable fact. Only what the caller may see.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl fmt::Display) -> Self {
        self.0.metadata.insert(key.into(), value.to_string());
        self
    }

    /// Says when a retry makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    /// Adds the private cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds field violations, as when a peer's refusal is passed on.
    #[must_use]
    pub fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// The reason.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The public sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The machine-readable facts.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// One machine-readable fact.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.metadata.get(key).map(String::as_str)
    }

    /// What is wrong with which field.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// When a retry makes sense.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// For logs and tests: everything but the wording of the cause's own `Debug` is ours.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("reason", &self.0.reason)
            .field("message", &self.0.message)
            .field("metadata", &self.0.metadata)
            .field("violations", &self.0.violations)
            .field("retry_after", &self.0.retry_after)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
