#![doc = include_str!("../README.md")]

pub mod caller;
pub mod credit;
pub mod error;
pub mod exact;
pub mod id;
pub mod money;
pub mod money_terms;
pub mod name;
pub mod quantity;
pub mod rent;
pub mod step;
pub mod time;
pub mod validate;

pub use caller::{Caller, Organisation, Role, Scope};
pub use credit::{CoversFrom, CreditSupport, SupportKind};
pub use error::{Error, Reason, Violation};
pub use exact::Exact;
pub use id::{
    AccountId, BidId, BlockId, BlockSlug, CapacityRequestId, ChargingPlanId, ClaimId, CommissionId,
    CreditNoteId, CurtailmentId, DisputeId, EncumbranceId, EventId, Ids, IncidentId, InvoiceId,
    InvoiceLineId, LeaseId, LedgerEntryId, LedgerTransactionId, MaintenanceId, MasterAgreementId, MeterId,
    OperatorId, OpportunityId, PaymentId, PaymentInstructionsId, PhaseId, PriceSeriesId, QuoteId, RateCardId,
    ReckoningId, RequestId, ReservationId, RightOfferId, RunId, SiteId, SystemIds, TariffId, TenantId,
    TestIds, UtilityBillId, VoucherId, WaitlistEntryId, derive_id,
};
pub use money::{Currency, Money, Percent, Rate};
pub use money_terms::{
    AccrualStart, Deposit, DisputeTerms, DrawBasis, DrawBlock, InterestYear, LateInterest, LeastOf,
    MinimumTake, MoneyTerms, Prepayment, RejectedInterest,
};
pub use name::{
    AccountName, BidName, BillingRunName, BlockName, CapacityRequestName, ChargingPlanName, CommissionName,
    CreditNoteName, CurtailmentName, DisputeName, EncumbranceName, IncidentName, InvoiceName, LeaseName,
    MaintenanceName, MasterAgreementName, MeterName, NameError, OperatorName, OperatorParent,
    OpportunityName, PaymentInstructionsName, PaymentName, PhaseName, PriceSeriesName, QuoteName,
    RateCardName, ReservationName, RightOfferName, SiteName, TariffName, TenantName, UtilityBillName,
    VoucherName, WaitlistEntryName,
};
pub use quantity::{CapacityVector, CoolingKw, GrossKw, GrossPerIt, ItKw, Resource, UtilityKw};
pub use rent::{
    Abatement, BillingFrequency, EscalationBasis, Escalator, IndexEscalator, IndexMethod, IndexValues,
    Proration, QuantityStep, RateStep, RentLine, RentRules, RentTiming,
};
pub use step::{Shortfall, StepFunction, StepValue};
pub use time::{CivilDate, Clock, DateRange, Instant, Interval, SystemClock, TestClock, YearMonth, Zone};
pub use uuid::Uuid;
pub use validate::Violations;
