//! What became of invoices: one corrected and paid in part, one of which nothing is settled.

use anyhow::{Context as _, Result};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use kernel::Role;

use super::Names;
use crate::TestStack;
use crate::market::request_id;
use crate::requests::money::{commission, credit, dispute, journal, pay_commission, pay_to, record};

/// A dispute of a dollar of the invoice of January.
async fn disputed(finance: &Clients, names: &Names, marker: &str) -> Result<String> {
    let ask = billing::DisputeLineRequest {
        reason: format!("{marker} too much"),
        validate_only: false,
        ..dispute(&names.open_invoice)
    };
    let opened = finance.disputes().dispute_line(ask).await.context("dispute")?.into_inner();
    Ok(opened.dispute.context("a dispute")?.name)
}

/// A commission on the lease in force, which another person proposed, and of which a part is paid.
async fn commission_of(another: &Clients, finance: &Clients, names: &Names, marker: &str) -> Result<String> {
    let mut record = billing::RecordCommissionRequest {
        reason: format!("{marker} a broker"),
        validate_only: false,
        ..commission(&names.operator, &names.active)
    };
    if let Some(commission) = &mut record.commission {
        commission.reference = format!("{marker} commission");
        commission.payee = format!("{marker} broker");
    }
    let proposed = another.books().record_commission(record).await.context("propose")?.into_inner();
    let voucher = proposed.voucher.context("a voucher")?;
    approve(finance, &voucher.name).await?;
    let name = voucher.name.replace("/vouchers/", "/commissions/");
    let pay = billing::PayCommissionRequest {
        bank_reference: format!("{marker} out"),
        validate_only: false,
        ..pay_commission(&name)
    };
    finance.books().pay_commission(pay).await.context("pay")?;
    Ok(name)
}

/// Where its tenants pay from now on, which another person proposed.
async fn pay_to_of(another: &Clients, finance: &Clients, names: &Names, marker: &str) -> Result<String> {
    let mut propose = billing::ProposePaymentInstructionsRequest {
        reason: format!("{marker} another bank"),
        validate_only: false,
        ..pay_to(&names.operator)
    };
    if let Some(instructions) = &mut propose.payment_instructions {
        instructions.account_holder = format!("{marker} holder");
    }
    let proposed = another.payments().propose_payment_instructions(propose).await.context("propose")?;
    approve(finance, &proposed.into_inner().voucher.context("a voucher")?.name).await?;
    let ask =
        billing::ListPaymentInstructionsRequest { parent: names.operator.clone(), ..Default::default() };
    let mut all = finance.payments().list_payment_instructions(ask).await.context("list")?.into_inner();
    Ok(all.payment_instructions.pop().context("payment instructions")?.name)
}

async fn approve(finance: &Clients, voucher: &str) -> Result<()> {
    let approve = billing::ApproveVoucherRequest {
        name: voucher.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    finance.books().approve_voucher(approve).await.context("approve")?;
    Ok(())
}

/// A credit note on the invoice of January, a payment of which a part pays it, and an invoice of June.
pub(super) async fn money(stack: &TestStack, names: &mut Names, marker: &str) -> Result<()> {
    let finance = stack.clients(&names.operator, Role::Finance)?;
    let credit = billing::CreateCreditNoteRequest {
        reason: format!("{marker} a mistake"),
        validate_only: false,
        ..credit(&names.open_invoice)
    };
    let credited = finance.invoices().create_credit_note(credit).await.context("correct")?.into_inner();
    names.credit_note = credited.credit_note.context("a credit note")?.name;
    names.dispute = disputed(&finance, names, marker).await?;
    let record = billing::RecordPaymentRequest {
        bank_reference: format!("{marker} wire"),
        note: format!("{marker} payment"),
        validate_only: false,
        ..record(&names.account)
    };
    let recorded = finance.payments().record_payment(record).await.context("record")?.into_inner();
    names.payment = recorded.payment.context("a payment")?.name;
    let part = billing::PaymentAllocation {
        invoice: names.open_invoice.clone(),
        amount: Some(crate::requests::money::usd(100)),
        posting_date: None,
    };
    let allocate = billing::AllocatePaymentRequest {
        name: names.payment.clone(),
        allocations: vec![part],
        request_id: request_id(),
        ..Default::default()
    };
    finance.payments().allocate_payment(allocate).await.context("allocate")?;

    // The world's own people approve, so somebody else proposes.
    let another = stack.clients_of("another", &names.operator, Role::Finance)?;
    names.payment_instructions = pay_to_of(&another, &finance, names, marker).await?;
    let start = billing::StartBillingRunRequest {
        parent: names.operator.clone(),
        billing_month: Some(billing::BillingMonth { year: 2027, month: 6 }),
        request_id: request_id(),
        validate_only: false,
    };
    let june = finance.invoices().start_billing_run(start).await.context("bill June")?.into_inner();
    let issue = billing::IssueBillingRunRequest {
        name: june.billing_run.context("a run")?.name,
        request_id: request_id(),
        ..Default::default()
    };
    let mut issued = finance.invoices().issue_billing_run(issue).await.context("issue June")?.into_inner();
    names.spare_invoice = issued.invoices.pop().context("an invoice of June")?.name;

    let propose = async || {
        let ask = billing::PostJournalRequest {
            reason: format!("{marker} a late bill"),
            validate_only: false,
            ..journal(&names.operator)
        };
        let proposed = another.books().post_journal(ask).await.context("propose")?.into_inner();
        anyhow::Ok(proposed.voucher.context("a voucher")?.name)
    };
    let (voucher, other) = (propose().await?, propose().await?);
    (names.voucher, names.other_voucher) = (voucher, other);
    names.commission = commission_of(&another, &finance, names, marker).await?;
    let close = billing::ClosePeriodRequest {
        parent: names.operator.clone(),
        month: Some(billing::BillingMonth { year: 2026, month: 11 }),
        request_id: request_id(),
        ..Default::default()
    };
    finance.books().close_period(close).await.context("close November")?;
    Ok(())
}
