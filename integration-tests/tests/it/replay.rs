//! Every write under one request id: many senders at once have one effect and one answer, and another payload has none.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::{Rpc, rpcs};
use integration_tests::requests::tender::tender;
use integration_tests::shape::{self, field, full_name, with_number, with_text};
use integration_tests::world::{Names, another_offer};
use integration_tests::{Refusal, TestStack, World, market, requests, tables};
use kernel::Role;
use runtime::client::Channel;
use tokio::task::JoinSet;
use tonic::Code;

use crate::doors::{Doors, Who, someone_allowed};

/// Senders of the same request at once.
const SENDERS: usize = 8;
/// Repetitions of a request that is answered with ABORTED, which says that it may be sent again.
const TRIES: usize = 20;
/// Looks at the tables around a repetition: what an earlier write left to the sweepers happens between two of them, what a
/// repetition does happens each time.
const LOOKS: usize = 3;

/// The order in which the writes can all happen (a new phase raises its site's etag), and where each takes another payload: path and text.
const WRITES: &[(&str, &[&str], &str)] = &[
    ("gridlease.inventory.v1.SiteService/UpdateSite", &["site", "current_use"], "else"),
    ("gridlease.inventory.v1.SiteService/CreateOperator", &["operator", "display_name"], "Else"),
    ("gridlease.inventory.v1.SiteService/UpdateOperator", &["operator", "display_name"], "Else"),
    ("gridlease.inventory.v1.SiteService/ArchiveSite", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.SiteService/ArchiveBlock", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.SiteService/CreateSite", &["site", "city"], "Elsewhere"),
    ("gridlease.inventory.v1.SiteService/CreateBlock", &["block", "display_name"], "Else"),
    ("gridlease.inventory.v1.SiteService/CreatePhase", &["phase_id"], "else"),
    ("gridlease.inventory.v1.SiteService/UpdateBlock", &["block", "display_name"], "Else"),
    (
        "gridlease.inventory.v1.ImportService/ImportInventory",
        &["text"],
        "kind,site,display_name,country_code,time_zone\nsite,else,Else,US,UTC\n",
    ),
    ("gridlease.inventory.v1.IncidentService/ReportIncident", &["incident", "cause"], "else"),
    ("gridlease.inventory.v1.IncidentService/OpenIncident", &["incident", "cause"], "else"),
    ("gridlease.inventory.v1.IncidentService/UpdateIncident", &["incident", "cause"], "else"),
    ("gridlease.inventory.v1.IncidentService/CloseIncident", &["resolution"], "else"),
    ("gridlease.inventory.v1.IncidentService/AnnounceCurtailment", &["curtailment", "note"], "else"),
    ("gridlease.inventory.v1.SiteService/UpdatePhase", &["phase", "etag"], "\"1\""),
    ("gridlease.inventory.v1.SiteService/AdvancePhase", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.SiteService/SlipPhase", &["reason"], "else"),
    ("gridlease.inventory.v1.SiteService/CancelPhase", &["reason"], "else"),
    ("gridlease.inventory.v1.MaintenanceService/ScheduleMaintenance", &["window", "reason"], "else"),
    ("gridlease.inventory.v1.MaintenanceService/CancelMaintenance", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.ReservationService/PlaceHold", &["note"], "else"),
    ("gridlease.inventory.v1.ReservationService/ExtendHold", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.ReservationService/SplitReservation", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.ReservationService/MergeReservations", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.ReservationService/AmendReservation", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.ReservationService/ReleaseReservation", &["etag"], "\"2\""),
    ("gridlease.inventory.v1.ReservationService/CommitReservation", &["name"], "other"),
    ("gridlease.inventory.v1.EncumbranceService/PlaceEncumbrance", &["encumbrance", "note"], "else"),
    ("gridlease.inventory.v1.EncumbranceService/ReleaseEncumbrance", &["etag"], "\"1\""),
    ("gridlease.inventory.v1.WaitlistService/JoinWaitlist", &["waitlist_entry", "note"], "else"),
    ("gridlease.inventory.v1.WaitlistService/LeaveWaitlist", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.TenantService/CreateTenant", &["tenant", "display_name"], "Else"),
    ("gridlease.common.v1.AccessService/RevokeTokens", &["reason"], "else"),
    ("gridlease.leasing.v1.LeaseService/ProposeLease", &["terms", "notes"], "else"),
    ("gridlease.leasing.v1.LeaseService/ImportLease", &["reference"], "else"),
    ("gridlease.leasing.v1.LeaseService/SignLease", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/CancelLease", &["reason"], "else"),
    ("gridlease.leasing.v1.LeaseService/SatisfyCondition", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/ProposeAmendment", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/SignAmendment", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/WithdrawAmendment", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.LeaseService/ExerciseOption", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/NominatePremises", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/BeginHoldover", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/EndHoldover", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/AcceptBlock", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/GiveNotice", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/TerminateLease", &["reason"], "else"),
    ("gridlease.leasing.v1.LeaseService/RequestAssignment", &["note"], "else"),
    ("gridlease.leasing.v1.LeaseService/ConsentToAssignment", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.LeaseService/DeclineAssignment", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.RightService/OfferToRightHolders", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.RightService/ExerciseRight", &["note"], "else"),
    ("gridlease.leasing.v1.RightService/WaiveRight", &["note"], "else"),
    (
        "gridlease.leasing.v1.AgreementService/CreateMasterAgreement",
        &["master_agreement", "display_name"],
        "Else",
    ),
    ("gridlease.leasing.v1.AgreementService/SignMasterAgreement", &["signatory", "title"], "Else"),
    ("gridlease.leasing.v1.AgreementService/EndMasterAgreement", &["reason"], "else"),
    ("gridlease.leasing.v1.MarketService/CreateCapacityRequest", &["capacity_request", "note"], "else"),
    ("gridlease.leasing.v1.MarketService/SubmitBid", &["bid", "note"], "else"),
    ("gridlease.leasing.v1.MarketService/WithdrawBid", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.MarketService/CancelCapacityRequest", &["reason"], "else"),
    ("gridlease.leasing.v1.MarketService/AwardBid", &["etag"], "\"1\""),
    ("gridlease.leasing.v1.PipelineService/CreateOpportunity", &["opportunity", "note"], "else"),
    ("gridlease.leasing.v1.PipelineService/UpdateOpportunity", &["opportunity", "etag"], "\"2\""),
    ("gridlease.leasing.v1.OfferService/CreateRateCard", &["rate_card", "display_name"], "Else"),
    ("gridlease.leasing.v1.OfferService/UpdateRateCard", &["rate_card", "etag"], "\"2\""),
    ("gridlease.leasing.v1.OfferService/ApproveRateCard", &["etag"], "\"2\""),
    ("gridlease.leasing.v1.OfferService/RetireRateCard", &["etag"], "\"2\""),
    ("gridlease.leasing.v1.OfferService/QuoteLease", &["need", "term_months"], "132"),
    ("gridlease.leasing.v1.OfferService/ApproveQuote", &["etag"], "\"2\""),
    ("gridlease.leasing.v1.OfferService/RejectQuote", &["reason"], "else"),
    ("gridlease.leasing.v1.OfferService/AcceptQuote", &["etag"], "\"2\""),
    ("gridlease.billing.v1.InvoiceService/StartBillingRun", &["billing_month", "month"], "4"),
    ("gridlease.billing.v1.InvoiceService/IssueInvoice", &["etag"], "\"1\""),
    ("gridlease.billing.v1.InvoiceService/IssueBillingRun", &["etag"], "\"1\""),
    ("gridlease.billing.v1.PaymentService/RecordPayment", &["note"], "else"),
    ("gridlease.billing.v1.PaymentService/AllocatePayment", &["etag"], "\"1\""),
    ("gridlease.billing.v1.PaymentService/RefundPayment", &["bank_reference"], "else"),
    ("gridlease.billing.v1.PaymentService/ProposePaymentInstructions", &["reason"], "else"),
    ("gridlease.billing.v1.InvoiceService/CreateCreditNote", &["reason"], "else"),
    ("gridlease.billing.v1.InvoiceService/VoidInvoice", &["reason"], "else"),
    ("gridlease.billing.v1.DisputeService/DisputeLine", &["reason"], "else"),
    ("gridlease.billing.v1.DisputeService/ResolveDispute", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/PostJournal", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/PostAccrual", &["description"], "else"),
    ("gridlease.billing.v1.BooksService/WriteOff", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/ReopenPeriod", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/RecordCommission", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/PayCommission", &["bank_reference"], "else"),
    ("gridlease.billing.v1.BooksService/ReturnCommission", &["bank_reference"], "else"),
    ("gridlease.billing.v1.BooksService/ReverseCommission", &["reason"], "else"),
    ("gridlease.billing.v1.BooksService/ApproveVoucher", &["etag"], "\"1\""),
    ("gridlease.billing.v1.BooksService/RejectVoucher", &["etag"], "\"1\""),
    ("gridlease.billing.v1.BooksService/ClosePeriod", &["etag"], "\"1\""),
    ("gridlease.billing.v1.MeteringService/CreateMeter", &["meter", "display_name"], "Else"),
    ("gridlease.billing.v1.TariffService/CreateTariff", &["tariff", "display_name"], "Else"),
    ("gridlease.billing.v1.TariffService/AddTariffComponents", &["etag"], "\"1\""),
    (
        "gridlease.billing.v1.PriceSeriesService/RecordSeriesValues",
        &["name"],
        "operators/acme/priceSeries/else",
    ),
    ("gridlease.billing.v1.ChargingService/CreateChargingPlan", &["charging_plan_id"], "else"),
    ("gridlease.billing.v1.ChargingService/RecordUtilityBill", &["utility_bill", "number"], "else"),
    ("gridlease.billing.v1.ChargingService/PostTrueUp", &["etag"], "\"1\""),
];

#[test]
fn every_write_is_listed() -> Result<()> {
    for rpc in rpcs().iter().filter(|rpc| field(&rpc.request, "request_id").is_some()) {
        let name = full_name(rpc);
        ensure!(
            WRITES.iter().any(|(write, ..)| *write == name),
            "{name} takes a request id and is not tested"
        );
    }
    Ok(())
}

#[tokio::test]
async fn every_write_happens_once() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "replay").await?;
    let to_commit = Names { reservation: another_hold(&stack, &world.names).await?, ..world.names.clone() };
    let to_issue = Names { draft_run: another_run(&stack, &world.names).await?, ..world.names.clone() };
    // A bid that is left on a need which is awarded or called off would be lost while we look.
    let to_bid_on = tender(&stack, world.names.clone(), "bid").await?;
    let to_award = tender(&stack, world.names.clone(), "award").await?;
    let to_take_up = another_offer(&stack, &world.names, "to-take-up").await?;
    let to_retire = another_offer(&stack, &world.names, "to-retire").await?;
    let mut wrong = Vec::new();
    for (name, path, other) in WRITES {
        let rpc = shape::rpc(name);
        let commit = rpc.method == "CommitReservation";
        let names = match rpc.method.as_str() {
            "CommitReservation" => &to_commit,
            // The one of the world has but one draft, and is issued with it.
            "IssueBillingRun" => &to_issue,
            "SubmitBid" => &to_bid_on,
            "AwardBid" => &to_award,
            "ApproveRateCard" | "AcceptQuote" => &to_take_up,
            "RetireRateCard" => &to_retire,
            _ => &world.names,
        };
        let other = if commit { &world.names.reservation } else { *other };
        let who = someone_allowed(&stack, rpc, &names.operator, &names.tenant)?;
        let channel = doors.to(rpc).first().copied().context("a channel")?;
        if let Err(error) = once(&stack, &who, channel, rpc, names, (path, other)).await {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    stack.stop().await;
    Ok(())
}

async fn another_hold(stack: &TestStack, names: &Names) -> Result<String> {
    let sales = stack.clients(&names.operator, Role::Sales)?;
    let hold = market::hold(&names.operator, &names.free_block, &names.tenant, market::load(1_000));
    let held = sales.reservations().place_hold(hold).await?.into_inner();
    Ok(held.reservation.context("a hold")?.name)
}

async fn another_run(stack: &TestStack, names: &Names) -> Result<String> {
    let finance = stack.clients(&names.operator, Role::Finance)?;
    let start = billing::StartBillingRunRequest {
        parent: names.operator.clone(),
        billing_month: Some(billing::BillingMonth { year: 2027, month: 5 }),
        request_id: market::request_id(),
        validate_only: false,
    };
    let started = finance.invoices().start_billing_run(start).await?.into_inner();
    Ok(started.billing_run.context("a run")?.name)
}

async fn once(
    stack: &TestStack,
    who: &Who,
    channel: &Channel,
    rpc: &'static Rpc,
    names: &Names,
    (path, other): (&[&str], &str),
) -> Result<()> {
    let live = field(&rpc.request, "validate_only").context("every write can only ask")?.number;
    let message = with_number(requests::valid(&full_name(rpc), names).context("a request")?, &[live], 0);
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (who, channel, message) = (who.clone(), channel.clone(), message.clone());
        senders.spawn(async move { until_answered(&who, &channel, rpc, message).await });
    }
    let mut answers = Vec::new();
    let mut fresh = 0;
    for answer in senders.join_all().await {
        let (bytes, replayed) = answer?;
        fresh += usize::from(!replayed);
        answers.push(bytes);
    }
    answers.dedup();
    ensure!(fresh == 1, "{fresh} of {SENDERS} senders were told that it happened now");
    ensure!(answers.len() == 1, "answers differ: {answers:?}");

    let mut superuser = stack.database.superuser().await?;
    let mut changed = Vec::new();
    for _ in 0..LOOKS {
        let before = tables::read(&mut superuser).await?;
        let (again, replayed) = until_answered(who, channel, rpc, message.clone()).await?;
        ensure!(replayed && answers == [again], "a later repetition is answered otherwise");
        let other = change(rpc, message.clone(), path, other)?;
        let refusal = Refusal::expect(who.call(channel, rpc, other).await)?;
        let refusal = refusal.is(Code::FailedPrecondition, "REQUEST_ID_REUSED")?;
        refusal.fact("firstSeenAt")?;
        changed = tables::changed(&before, &tables::read(&mut superuser).await?);
        // A block's version also rises for a booking that turns out to be a repetition: versions are monotone, not dense.
        changed.retain(|table| rpc.method != "PlaceHold" || !table.starts_with("inventory.block_version"));
        if changed.is_empty() {
            return Ok(());
        }
    }
    anyhow::bail!("repetitions changed {changed:?}")
}

/// The answer's bytes, and whether it was given before.
async fn until_answered(
    who: &Who,
    channel: &Channel,
    rpc: &Rpc,
    message: Vec<u8>,
) -> Result<(Vec<u8>, bool)> {
    for _ in 0..TRIES {
        match who.call(channel, rpc, message.clone()).await {
            Ok(answer) => {
                let replayed = answer.metadata().get(runtime::REPLAYED).is_some_and(|said| said == "true");
                return Ok((answer.into_inner().to_vec(), replayed));
            }
            Err(status) if status.code() == Code::Aborted => {
                let refusal = Refusal::of(&status)?;
                ensure!(
                    refusal.details.contains(&"RetryInfo"),
                    "when to come back is not said: {refusal:#?}"
                );
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            Err(status) => return Err(status.into()),
        }
    }
    anyhow::bail!("not answered after {TRIES} tries")
}

/// The same request with another value in one field.
fn change(rpc: &Rpc, message: Vec<u8>, path: &[&str], other: &str) -> Result<Vec<u8>> {
    let (mut within, mut numbers) = (rpc.request.as_str(), Vec::new());
    for step in path {
        let found = field(within, step).with_context(|| format!("{within} has no field {step}"))?;
        numbers.push(found.number);
        within = &found.type_name;
    }
    Ok(match other.parse::<i64>() {
        Ok(number) => with_number(message, &numbers, number),
        Err(_) => with_text(message, &numbers, other),
    })
}
