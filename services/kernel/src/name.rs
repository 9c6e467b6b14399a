//! Resource names: the readable paths by which callers speak of things, parsed into typed identifiers.

use std::fmt;
use std::str::FromStr;

use crate::id::{
    AccountId, BidId, BlockSlug, CapacityRequestId, ChargingPlanId, CommissionId, CreditNoteId,
    CurtailmentId, DisputeId, EncumbranceId, IncidentId, InvoiceId, LeaseId, MaintenanceId,
    MasterAgreementId, MeterId, OperatorId, OpportunityId, PaymentId, PaymentInstructionsId, PhaseId,
    PriceSeriesId, QuoteId, RateCardId, ReservationId, RightOfferId, RunId, SiteId, TariffId, TenantId,
    UtilityBillId, VoucherId, WaitlistEntryId, serde_as_text,
};

/// Why a text is not the resource name that was expected. The text is a sentence for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The segments are not those of this resource.
    #[error("must have the form {pattern}")]
    Form {
        /// The form that was expected, such as `operators/{operator}`.
        pattern: &'static str,
    },
    /// One segment is not an identifier of its kind.
    #[error("must have the form {pattern}, where {segment} {reason}")]
    Segment {
        /// The form that was expected.
        pattern: &'static str,
        /// Which identifier of the form is wrong.
        segment: &'static str,
        /// What the identifier must be.
        reason: String,
    },
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty = $collection:literal $(/ $more:literal)?),+ })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            $(
                #[doc = concat!("The `{", stringify!($field), "}` segment.")]
                pub $field: $kind,
            )+
        }

        impl $name {
            /// The form of this name.
            pub const PATTERN: &'static str =
                names!(@pattern $($collection, $field),+);

            /// Puts a name together from its identifiers.
            pub fn new($($field: $kind),+) -> Self {
                Self { $($field),+ }
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let form = || NameError::Form { pattern: Self::PATTERN };
                let mut segments = text.split('/');
                $(
                    if segments.next() != Some($collection) {
                        return Err(form());
                    }
                    let $field = segments.next().ok_or_else(form)?.parse::<$kind>().map_err(|e| NameError::Segment {
                        pattern: Self::PATTERN,
                        segment: stringify!($field),
                        reason: e.to_string(),
                    })?;
                )+
                if segments.next().is_some() {
                    return Err(form());
                }
                Ok(Self { $($field),+ })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut slash = "";
                $(
                    f.write_str(slash)?;
                    f.write_str(concat!($collection, "/"))?;
                    fmt::Display::fmt(&self.$field, f)?;
                    slash = "/";
                )+
                let _ = slash;
                Ok(())
            }
        }

        serde_as_text!($name);
    )*};
    (@pattern $c0:literal, $f0:ident $(, $c:literal, $f:ident)*) => {
        concat!($c0, "/{", stringify!($f0), "}" $(, "/", $c, "/{", stringify!($f), "}")*)
    };
}

names! {
    /// What one tenant owes one operator: `operators/{operator}/accounts/{account}`.
    AccountName { operator: OperatorId = "operators", account: AccountId = "accounts" }
    /// An operator's offer on a capacity request: `operators/{operator}/bids/{bid}`.
    BidName { operator: OperatorId = "operators", bid: BidId = "bids" }
    /// A billing run: `operators/{operator}/billingRuns/{run}`.
    BillingRunName { operator: OperatorId = "operators", run: RunId = "billingRuns" }
    /// A data hall: `operators/{operator}/sites/{site}/blocks/{block}`.
    BlockName { operator: OperatorId = "operators", site: SiteId = "sites", block: BlockSlug = "blocks" }
    /// A need that a tenant publishes: `tenants/{tenant}/capacityRequests/{capacity_request}`.
    CapacityRequestName { tenant: TenantId = "tenants", capacity_request: CapacityRequestId = "capacityRequests" }
    /// What a block is charged and credited beside its rent: `operators/{operator}/chargingPlans/{charging_plan}`.
    ChargingPlanName { operator: OperatorId = "operators", charging_plan: ChargingPlanId = "chargingPlans" }
    /// A right or an intent on capacity: `operators/{operator}/encumbrances/{encumbrance}`.
    EncumbranceName { operator: OperatorId = "operators", encumbrance: EncumbranceId = "encumbrances" }
    /// A curtailment: `operators/{operator}/curtailments/{curtailment}`.
    CurtailmentName { operator: OperatorId = "operators", curtailment: CurtailmentId = "curtailments" }
    /// An outage: `operators/{operator}/incidents/{incident}`.
    IncidentName { operator: OperatorId = "operators", incident: IncidentId = "incidents" }
    /// An invoice: `operators/{operator}/invoices/{invoice}`.
    InvoiceName { operator: OperatorId = "operators", invoice: InvoiceId = "invoices" }
    /// A lease: `operators/{operator}/leases/{lease}`.
    LeaseName { operator: OperatorId = "operators", lease: LeaseId = "leases" }
    /// A window in which a block gives less: `operators/{operator}/sites/{site}/blocks/{block}/maintenanceWindows/{window}`.
    MaintenanceName { operator: OperatorId = "operators", site: SiteId = "sites", block: BlockSlug = "blocks", window: MaintenanceId = "maintenanceWindows" }
    /// What two parties agree on once: `operators/{operator}/masterAgreements/{master_agreement}`.
    MasterAgreementName { operator: OperatorId = "operators", master_agreement: MasterAgreementId = "masterAgreements" }
    /// A deal that may come: `operators/{operator}/opportunities/{opportunity}`.
    OpportunityName { operator: OperatorId = "operators", opportunity: OpportunityId = "opportunities" }
    /// A meter: `operators/{operator}/meters/{meter}`.
    MeterName { operator: OperatorId = "operators", meter: MeterId = "meters" }
    /// An operator: `operators/{operator}`.
    OperatorName { operator: OperatorId = "operators" }
    /// A step of a block's capacity: `operators/{operator}/sites/{site}/blocks/{block}/phases/{phase}`.
    PhaseName { operator: OperatorId = "operators", site: SiteId = "sites", block: BlockSlug = "blocks", phase: PhaseId = "phases" }
    /// A series of prices: `operators/{operator}/priceSeries/{price_series}`.
    PriceSeriesName { operator: OperatorId = "operators", price_series: PriceSeriesId = "priceSeries" }
    /// A quote: `operators/{operator}/quotes/{quote}`.
    QuoteName { operator: OperatorId = "operators", quote: QuoteId = "quotes" }
    /// A rate card: `operators/{operator}/rateCards/{rate_card}`.
    RateCardName { operator: OperatorId = "operators", rate_card: RateCardId = "rateCards" }
    /// A reservation: `operators/{operator}/reservations/{reservation}`.
    ReservationName { operator: OperatorId = "operators", reservation: ReservationId = "reservations" }
    /// What the holder of a right is offered: `operators/{operator}/rightOffers/{right_offer}`.
    RightOfferName { operator: OperatorId = "operators", right_offer: RightOfferId = "rightOffers" }
    /// A site: `operators/{operator}/sites/{site}`.
    SiteName { operator: OperatorId = "operators", site: SiteId = "sites" }
    /// A tariff: `operators/{operator}/tariffs/{tariff}`.
    TariffName { operator: OperatorId = "operators", tariff: TariffId = "tariffs" }
    /// A tenant: `tenants/{tenant}`.
    TenantName { tenant: TenantId = "tenants" }
    /// A tenant that waits for capacity: `operators/{operator}/waitlistEntries/{waitlist_entry}`.
    WaitlistEntryName { operator: OperatorId = "operators", waitlist_entry: WaitlistEntryId = "waitlistEntries" }
    /// A credit note: `operators/{operator}/creditNotes/{credit_note}`.
    CreditNoteName { operator: OperatorId = "operators", credit_note: CreditNoteId = "creditNotes" }
    /// A payment: `operators/{operator}/payments/{payment}`.
    PaymentName { operator: OperatorId = "operators", payment: PaymentId = "payments" }
    /// A dispute: `operators/{operator}/disputes/{dispute}`.
    DisputeName { operator: OperatorId = "operators", dispute: DisputeId = "disputes" }
    /// A voucher: `operators/{operator}/vouchers/{voucher}`.
    VoucherName { operator: OperatorId = "operators", voucher: VoucherId = "vouchers" }
    /// A utility's bill: `operators/{operator}/utilityBills/{utility_bill}`.
    UtilityBillName { operator: OperatorId = "operators", utility_bill: UtilityBillId = "utilityBills" }
    /// What somebody earned by bringing a lease: `operators/{operator}/commissions/{commission}`.
    CommissionName { operator: OperatorId = "operators", commission: CommissionId = "commissions" }
    /// Where tenants pay: `operators/{operator}/paymentInstructions/{payment_instructions}`.
    PaymentInstructionsName { operator: OperatorId = "operators", payment_instructions: PaymentInstructionsId = "paymentInstructions" }
}

impl PhaseName {
    /// The block this phase belongs to.
    pub fn block_name(&self) -> BlockName {
        BlockName::new(self.operator.clone(), self.site.clone(), self.block.clone())
    }
}

impl MaintenanceName {
    /// The block this window is of.
    pub fn block_name(&self) -> BlockName {
        BlockName::new(self.operator.clone(), self.site.clone(), self.block.clone())
    }
}

impl BlockName {
    /// The site this block stands on.
    pub fn site_name(&self) -> SiteName {
        SiteName::new(self.operator.clone(), self.site.clone())
    }
}

/// A parent of lists: one operator, or `operators/-` for all that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OperatorParent {
    /// `operators/-`
    All,
    /// `operators/{operator}`
    One(OperatorId),
}

impl OperatorParent {
    /// The operator, if it is one.
    pub fn operator(&self) -> Option<&OperatorId> {
        match self {
            Self::All => None,
            Self::One(operator) => Some(operator),
        }
    }
}

impl FromStr for OperatorParent {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text {
            "operators/-" => Ok(Self::All),
            _ => text.parse().map(|name: OperatorName| Self::One(name.operator)),
        }
    }
}

impl fmt::Display for OperatorParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("operators/-"),
            Self::One(operator) => write!(f, "operators/{operator}"),
        }
    }
}

serde_as_text!(OperatorParent);
