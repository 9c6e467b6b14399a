//! Identifiers: slugs that a caller chooses, UUIDs that we choose, each kind a type of its own.
//!
//! A slug is part of a public resource name and never changes, so organisations are keyed by it. Everything below an
//! organisation that no caller names is a UUIDv7: opaque, and roughly in order of creation, which keeps indexes dense.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Why a text is not an identifier. The text is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a slug.
    #[error(
        "must be 3 to 63 characters, lower-case letters, digits and hyphens, start with a letter and not end with a hyphen"
    )]
    Slug,
    /// The text is neither a slug nor a UUID.
    #[error(
        "must be a UUID, or 3 to 63 lower-case letters, digits and hyphens that start with a letter and do not end with a hyphen"
    )]
    SlugOrUuid,
    /// The text is not the hyphenated form of a UUID other than nil.
    #[error("must be a UUID in its 36-character form and not nil")]
    Uuid,
}

const SLUG_BYTES_MIN: usize = 3;
const SLUG_BYTES_MAX: usize = 63;
const UUID_BYTES: usize = 36;

/// Whether `text` matches `[a-z][a-z0-9-]{1,61}[a-z0-9]`.
fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    (SLUG_BYTES_MIN..=SLUG_BYTES_MAX).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(inner)
        && bytes[bytes.len() - 1] != b'-'
}

/// Reads the one textual form of a UUID that we accept; upper case is folded, nil is refused.
fn parse_uuid(text: &str) -> Result<Uuid, IdError> {
    if text.len() != UUID_BYTES {
        return Err(IdError::Uuid);
    }
    match Uuid::try_parse(text) {
        Ok(uuid) if !uuid.is_nil() => Ok(uuid),
        _ => Err(IdError::Uuid),
    }
}

fn slug(text: &str) -> Result<Arc<str>, IdError> {
    if is_slug(text) { Ok(text.into()) } else { Err(IdError::Slug) }
}

fn slug_or_uuid(text: &str) -> Result<Arc<str>, IdError> {
    if is_slug(text) {
        return Ok(text.into());
    }
    parse_uuid(text).map(|uuid| uuid.to_string().into()).map_err(|_| IdError::SlugOrUuid)
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident = $parse:path;)*) => {$(
        $(#[$doc])*
        // Shared: names are copied far more often than made.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes `text` if it has the form of this identifier.
            pub fn new(text: &str) -> Result<Self, IdError> {
                $parse(text).map(Self)
            }

            /// The identifier as it is written in resource names and keys.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        crate::id::serde_as_text!($name);
    )*};
}

/// Serialises a type through `Display` and reads it back through `FromStr`, so that JSON holds its one normal form.
macro_rules! serde_as_text {
    ($name:ty) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

text_ids! {
    /// The data hall within its site, as its resource name spells it; the smallest leasable unit.
    BlockSlug = slug;
    /// What a block is charged and credited beside its rent, within its operator.
    ChargingPlanId = slug;
    /// A lease within its operator: a slug when the caller named it, a UUID when we did.
    LeaseId = slug_or_uuid;
    /// An operator of sites: the first segment of everything it owns, and its organisation in tokens.
    OperatorId = slug;
    /// A meter within its operator.
    MeterId = slug;
    /// A step of a block's capacity, within its block.
    PhaseId = slug;
    /// A series of prices within its operator.
    PriceSeriesId = slug;
    /// A rate card within its operator.
    RateCardId = slug;
    /// A site within its operator.
    SiteId = slug;
    /// A tariff within its operator.
    TariffId = slug;
    /// A tenant: its organisation in tokens and the tail of `tenants/{tenant}`.
    TenantId = slug;
}

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Gives a UUID its kind.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself, for keys.
            pub const fn get(self) -> Uuid {
                self.0
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

uuid_ids! {
    /// A quote.
    QuoteId;
    /// An account: what one tenant owes one operator in one currency.
    AccountId;
    /// An operator's offer on a capacity request.
    BidId;
    /// A block's own key, which claims refer to; never shown.
    BlockId;
    /// A need that a tenant publishes.
    CapacityRequestId;
    /// One row of a reservation: one block, one step.
    ClaimId;
    /// A right or an intent on capacity that never blocks.
    EncumbranceId;
    /// A curtailment of a site.
    CurtailmentId;
    /// One event of a feed; consumers drop what they have seen by it.
    EventId;
    /// An outage of a site or block.
    IncidentId;
    /// An invoice, issued or not. Its number is another thing and comes with issue.
    InvoiceId;
    /// One line of an invoice.
    InvoiceLineId;
    /// One side of a posting.
    LedgerEntryId;
    /// A set of ledger entries that sums to zero.
    LedgerTransactionId;
    /// A window in which a block gives less.
    MaintenanceId;
    /// What two parties agree on once, for every order.
    MasterAgreementId;
    /// A deal that may come.
    OpportunityId;
    /// What the holder of a right is offered.
    RightOfferId;
    /// One computation of what a block's month comes to beside its rent.
    ReckoningId;
    /// The caller's name for one deed: the same id is the same deed.
    RequestId;
    /// A reservation of capacity, in any state.
    ReservationId;
    /// A billing run.
    RunId;
    /// A tenant that waits for capacity.
    WaitlistEntryId;
    /// A correction of an issued invoice.
    CreditNoteId;
    /// Money that came from a tenant.
    PaymentId;
    /// What a tenant says against a line of an invoice.
    DisputeId;
    /// A deed that needs two people.
    VoucherId;
    /// What a utility charged for a meter over some days.
    UtilityBillId;
    /// What somebody earned by bringing a lease.
    CommissionId;
    /// Where tenants pay, as it was once confirmed.
    PaymentInstructionsId;
}

/// Where new identifiers come from. Handed in with the request, so that a test can name what it makes.
pub trait Ids: Send + Sync {
    /// An identifier that was never given before.
    fn next(&self) -> Uuid;
}

/// UUIDv7 from the system's clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl Ids for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes identifiers")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Identifiers that count up from 1, for tests that want to know them beforehand.
#[derive(Debug, Default)]
pub struct TestIds(AtomicU64);

impl Ids for TestIds {
    fn next(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1)
    }
}

/// The identifier of one step of a larger deed. It depends on nothing but its arguments, so that a retry of the step,
/// in whatever process, carries the same request id and takes effect once.
pub fn derive_id(parent: Uuid, step: &str) -> Uuid {
    Uuid::new_v5(&parent, step.as_bytes())
}
