//! The sales desk: what may come and what it is worth, what runs out, and where a deal stands.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use contracts::leasing::v1::{ActionOwner, DeadlineKind, OpportunityStage as Stage};
use gridlease::clients::Clients;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::requests::tender::{bid, in_seconds, need, opportunity};
use integration_tests::world::sign;
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

use crate::market::{Tender, holding, submit};

async fn record(sales: &Clients, deal: leasing::Opportunity) -> Result<leasing::Opportunity> {
    let create = leasing::CreateOpportunityRequest {
        parent: "operators/acme".to_owned(),
        opportunity: Some(deal),
        request_id: request_id(),
        validate_only: false,
    };
    let made = sales.pipeline().create_opportunity(create).await?.into_inner();
    made.opportunity.context("a deal")
}

async fn pipeline(sales: &Clients, stages: Vec<i32>) -> Result<leasing::ListOpportunitiesResponse> {
    let list = leasing::ListOpportunitiesRequest {
        parent: "operators/acme".to_owned(),
        page_size: 2,
        stages,
        ..Default::default()
    };
    Ok(sales.pipeline().list_opportunities(list).await?.into_inner())
}

fn change(deal: &leasing::Opportunity, paths: &[&str]) -> leasing::UpdateOpportunityRequest {
    leasing::UpdateOpportunityRequest {
        opportunity: Some(deal.clone()),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        request_id: request_id(),
        validate_only: false,
    }
}

#[tokio::test]
async fn the_pipeline_adds_up_exactly_by_stage_whatever_the_page() -> Result<()> {
    let stack = TestStack::start().await?;
    market::site(|o, r| stack.clients(o, r), "acme", &[]).await?;
    let sales = stack.clients("operators/acme", Role::Sales)?;
    let loi = record(&sales, opportunity()).await?;
    ensure!(loi.effective_probability_percent == 35, "{loi:#?}");
    record(&sales, leasing::Opportunity { probability_percent: Some(50), ..opportunity() }).await?;
    let bare = leasing::Opportunity {
        stage: Stage::Inquiry.into(),
        rate_per_kw_month: None,
        currency_code: String::new(),
        ..opportunity()
    };
    record(&sales, bare).await?;
    let listed = pipeline(&sales, Vec::new()).await?;
    ensure!(listed.opportunities.len() == 2 && !listed.next_page_token.is_empty(), "{listed:#?}");
    let sum = |stage: Stage| listed.sums.iter().find(|sum| sum.stage() == stage).cloned().context("a sum");
    let inquiry = sum(Stage::Inquiry)?;
    ensure!((inquiry.count, inquiry.weighted_kw.clone()) == (1, decimal("800")), "{inquiry:#?}");
    let loi_sum = sum(Stage::Loi)?;
    ensure!((loi_sum.count, loi_sum.critical_it_kw) == (2, 80_000), "{loi_sum:#?}");
    // 40,000 kW x 35% + 40,000 kW x 50%.
    ensure!(loi_sum.weighted_kw == decimal("34000"), "{loi_sum:#?}");
    ensure!(loi_sum.monthly_rent == decimal("10241253.421392"), "{loi_sum:#?}");
    ensure!(loi_sum.weighted_monthly_rent == decimal("4352532.7040916"), "{loi_sum:#?}");

    let lost = leasing::Opportunity { stage: Stage::Lost.into(), ..loi.clone() };
    let refusal = Refusal::expect(sales.pipeline().update_opportunity(change(&lost, &["stage"])).await)?;
    ensure!(refusal.fields == ["opportunity.loss_code"], "{refusal:#?}");
    let lost = leasing::Opportunity { loss_code: leasing::LossCode::PowerDate.into(), ..lost };
    let update = change(&lost, &["stage", "loss_code"]);
    let after = sales.pipeline().update_opportunity(update.clone()).await?.into_inner();
    let deal = after.opportunity.clone().context("a deal")?;
    ensure!(
        (deal.effective_probability_percent, deal.rate_per_kw_month.clone())
            == (0, loi.rate_per_kw_month.clone())
    );
    ensure!(sales.pipeline().update_opportunity(update).await?.into_inner() == after, "another answer");
    let stale = Refusal::expect(sales.pipeline().update_opportunity(change(&loi, &["note"])).await)?;
    stale.is(Code::Aborted, "ETAG_MISMATCH")?;
    let open = pipeline(&sales, vec![Stage::Loi.into()]).await?;
    ensure!(open.sums.len() == 1 && open.sums[0].weighted_kw == decimal("20000"), "{open:#?}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_runs_out_is_listed_by_day_and_a_deal_says_who_acts_next() -> Result<()> {
    let tender = Tender::prepare().await?;
    let mut terms = market::terms(&tender.halls[0], market::load(2_000));
    terms.renewal_options =
        vec![leasing::RenewalOption { count: 2, term_months: 60, notice_months: 12, ..Default::default() }];
    let propose = market::proposal("operators/acme", "tenants/lab", "hall-b", terms);
    let lease = tender.acme.leases().propose_lease(propose).await?.into_inner().lease.context("a lease")?;
    let status = async |by: &Clients| {
        let get = leasing::GetDeliveryStatusRequest { name: lease.name.clone() };
        anyhow::Ok(by.leases().get_delivery_status(get).await?.into_inner())
    };
    let before = status(&tender.acme).await?;
    ensure!(before.next_action_owner() == ActionOwner::Either, "{before:#?}");
    ensure!(before.signatures.iter().all(|side| !side.signed), "{before:#?}");
    let request =
        tender.publish(leasing::CapacityRequest { bid_deadline: in_seconds(86_400), ..need() }).await?;
    let valid =
        leasing::Bid { valid_until_time: in_seconds(5 * 86_400), ..bid(&request.name, &tender.halls[0]) };
    submit(&tender.acme, "operators/acme", holding(valid)).await?;

    let kinds = async |by: &Clients, days: i32| {
        let list = leasing::ListDeadlinesRequest {
            parent: "operators/-".to_owned(),
            within_days: days,
            ..Default::default()
        };
        let page = by.leases().list_deadlines(list).await?.into_inner();
        anyhow::Ok(page.deadlines.iter().map(leasing::Deadline::kind).collect::<Vec<_>>())
    };
    use DeadlineKind::{
        BidDeadline, BidHold, BidValidity, Commencement, ProposalHold, RenewalNotice, TermEnd,
    };
    ensure!(kinds(&tender.acme, 14).await? == [ProposalHold, BidHold, BidDeadline, BidValidity]);
    ensure!(kinds(&tender.zenith, 14).await?.is_empty(), "another's deadlines");
    ensure!(kinds(&tender.tenant, 14).await? == [ProposalHold, BidHold, BidDeadline, BidValidity]);

    sign(|o, r| tender.stack.clients(o, r), &lease).await?;
    let signed = status(&tender.tenant).await?;
    ensure!(signed.signatures.iter().all(|side| side.signed), "{signed:#?}");
    ensure!(signed.next_action_owner() == ActionOwner::Operator, "{signed:#?}");
    ensure!(signed.first_rent_date == Some(market::date(market::READY)), "{signed:#?}");
    ensure!(kinds(&tender.acme, 3_660).await?[3..] == [Commencement, RenewalNotice]);
    tender.stack.move_to(market::day("2027-01-02")).await?;
    integration_tests::world::in_state(&tender.acme, &lease.name, leasing::LeaseState::Active).await?;
    let active = status(&tender.acme).await?;
    ensure!(active.blocks[0].actual_commencement_date == Some(market::date("2027-01-01")), "{active:#?}");
    ensure!(active.next_action_owner() == ActionOwner::Tenant, "{active:#?}");
    let list = leasing::ListDeadlinesRequest {
        parent: "operators/acme".to_owned(),
        within_days: 3_660,
        kinds: vec![RenewalNotice.into(), TermEnd.into()],
        page_size: 1,
        ..Default::default()
    };
    let first = tender.acme.leases().list_deadlines(list.clone()).await?.into_inner();
    ensure!(first.deadlines[0].date == Some(market::date("2036-01-01")), "{first:#?}");
    let rest = leasing::ListDeadlinesRequest { page_token: first.next_page_token, ..list };
    let last = tender.acme.leases().list_deadlines(rest).await?.into_inner();
    ensure!(last.deadlines[0].kind() == TermEnd && last.next_page_token.is_empty(), "{last:#?}");
    tender.stack.stop().await;
    Ok(())
}
