//! Full names of the RPCs that keep a reply or cut a list: part of request keys and page tokens.

/// `StartBillingRun`.
pub const START_RUN: &str = "gridlease.billing.v1.InvoiceService/StartBillingRun";
/// `IssueBillingRun`.
pub const ISSUE_RUN: &str = "gridlease.billing.v1.InvoiceService/IssueBillingRun";
/// `IssueInvoice`.
pub const ISSUE_INVOICE: &str = "gridlease.billing.v1.InvoiceService/IssueInvoice";
/// `ListAccounts`.
pub const LIST_ACCOUNTS: &str = "gridlease.billing.v1.AccountService/ListAccounts";
/// `ListInvoices`.
pub const LIST_INVOICES: &str = "gridlease.billing.v1.InvoiceService/ListInvoices";
/// `ListBillingRuns`.
pub const LIST_RUNS: &str = "gridlease.billing.v1.InvoiceService/ListBillingRuns";
/// `CreateMeter`.
pub const CREATE_METER: &str = "gridlease.billing.v1.MeteringService/CreateMeter";
/// `ListMeters`.
pub const LIST_METERS: &str = "gridlease.billing.v1.MeteringService/ListMeters";
/// `ListReadings`.
pub const LIST_READINGS: &str = "gridlease.billing.v1.MeteringService/ListReadings";
/// `CreateTariff`.
pub const CREATE_TARIFF: &str = "gridlease.billing.v1.TariffService/CreateTariff";
/// `AddTariffComponents`.
pub const ADD_COMPONENTS: &str = "gridlease.billing.v1.TariffService/AddTariffComponents";
/// `ListTariffs`.
pub const LIST_TARIFFS: &str = "gridlease.billing.v1.TariffService/ListTariffs";
/// `RecordSeriesValues`.
pub const RECORD_VALUES: &str = "gridlease.billing.v1.PriceSeriesService/RecordSeriesValues";
/// `ListSeriesValues`.
pub const LIST_VALUES: &str = "gridlease.billing.v1.PriceSeriesService/ListSeriesValues";
/// `CreateChargingPlan`.
pub const CREATE_PLAN: &str = "gridlease.billing.v1.ChargingService/CreateChargingPlan";
/// `RecordUtilityBill`.
pub const RECORD_UTILITY_BILL: &str = "gridlease.billing.v1.ChargingService/RecordUtilityBill";
/// `PostTrueUp`.
pub const POST_TRUE_UP: &str = "gridlease.billing.v1.ChargingService/PostTrueUp";
/// `ListUtilityBills`.
pub const LIST_UTILITY_BILLS: &str = "gridlease.billing.v1.ChargingService/ListUtilityBills";
/// `ListChargingPlans`.
pub const LIST_PLANS: &str = "gridlease.billing.v1.ChargingService/ListChargingPlans";
/// `ProposePaymentInstructions`.
pub const PROPOSE_PAYMENT_INSTRUCTIONS: &str =
    "gridlease.billing.v1.PaymentService/ProposePaymentInstructions";
/// `ListPaymentInstructions`.
pub const LIST_PAYMENT_INSTRUCTIONS: &str = "gridlease.billing.v1.PaymentService/ListPaymentInstructions";
/// `VoidInvoice`.
pub const VOID_INVOICE: &str = "gridlease.billing.v1.InvoiceService/VoidInvoice";
/// `CreateCreditNote`.
pub const CREATE_CREDIT_NOTE: &str = "gridlease.billing.v1.InvoiceService/CreateCreditNote";
/// `ListCreditNotes`.
pub const LIST_CREDIT_NOTES: &str = "gridlease.billing.v1.InvoiceService/ListCreditNotes";
/// `DisputeLine`.
pub const DISPUTE_LINE: &str = "gridlease.billing.v1.DisputeService/DisputeLine";
/// `ResolveDispute`.
pub const RESOLVE_DISPUTE: &str = "gridlease.billing.v1.DisputeService/ResolveDispute";
/// `ListDisputes`.
pub const LIST_DISPUTES: &str = "gridlease.billing.v1.DisputeService/ListDisputes";
/// `RecordPayment`.
pub const RECORD_PAYMENT: &str = "gridlease.billing.v1.PaymentService/RecordPayment";
/// `AllocatePayment`.
pub const ALLOCATE_PAYMENT: &str = "gridlease.billing.v1.PaymentService/AllocatePayment";
/// `RefundPayment`.
pub const REFUND_PAYMENT: &str = "gridlease.billing.v1.PaymentService/RefundPayment";
/// `ListPayments`.
pub const LIST_PAYMENTS: &str = "gridlease.billing.v1.PaymentService/ListPayments";
/// `ClosePeriod`.
pub const CLOSE_PERIOD: &str = "gridlease.billing.v1.BooksService/ClosePeriod";
/// `ReopenPeriod`.
pub const REOPEN_PERIOD: &str = "gridlease.billing.v1.BooksService/ReopenPeriod";
/// `PostJournal`.
pub const POST_JOURNAL: &str = "gridlease.billing.v1.BooksService/PostJournal";
/// `PostAccrual`.
pub const POST_ACCRUAL: &str = "gridlease.billing.v1.BooksService/PostAccrual";
/// `WriteOff`.
pub const WRITE_OFF: &str = "gridlease.billing.v1.BooksService/WriteOff";
/// `RecordCommission`.
pub const RECORD_COMMISSION: &str = "gridlease.billing.v1.BooksService/RecordCommission";
/// `PayCommission`.
pub const PAY_COMMISSION: &str = "gridlease.billing.v1.BooksService/PayCommission";
/// `ReturnCommission`.
pub const RETURN_COMMISSION: &str = "gridlease.billing.v1.BooksService/ReturnCommission";
/// `ReverseCommission`.
pub const REVERSE_COMMISSION: &str = "gridlease.billing.v1.BooksService/ReverseCommission";
/// `ListCommissions`.
pub const LIST_COMMISSIONS: &str = "gridlease.billing.v1.BooksService/ListCommissions";
/// `ApproveVoucher`.
pub const APPROVE_VOUCHER: &str = "gridlease.billing.v1.BooksService/ApproveVoucher";
/// `RejectVoucher`.
pub const REJECT_VOUCHER: &str = "gridlease.billing.v1.BooksService/RejectVoucher";
/// `ListVouchers`.
pub const LIST_VOUCHERS: &str = "gridlease.billing.v1.BooksService/ListVouchers";
/// `ListLedgerEntries`.
pub const LIST_ENTRIES: &str = "gridlease.billing.v1.ReportService/ListLedgerEntries";
