//! A need is published, operators bid sealed, the tenant awards: who sees what, and whose clock decides.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use contracts::leasing::v1::{BidState, CapacityRequestState as RequestState};
use gridlease::clients::Clients;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::requests::tender::{bid, in_seconds, need};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use tonic::Code;

/// A tenant and two operators with a hall each, on one stack.
pub(crate) struct Tender {
    pub(crate) stack: TestStack,
    pub(crate) tenant: Clients,
    pub(crate) acme: Clients,
    pub(crate) zenith: Clients,
    pub(crate) halls: [String; 2],
}

impl Tender {
    pub(crate) async fn prepare() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let mut halls = Vec::new();
        for operator in ["acme", "zenith"] {
            let site = market::site(clients, operator, &[market::hall(10_000)]).await?;
            halls.extend(site.blocks);
        }
        market::tenant(clients, "lab").await?;
        Ok(Self {
            tenant: stack.clients("tenants/lab", Role::Tenant)?,
            acme: stack.clients("operators/acme", Role::Sales)?,
            zenith: stack.clients("operators/zenith", Role::Sales)?,
            halls: halls.try_into().ok().context("two halls")?,
            stack,
        })
    }

    /// Publishes a need.
    pub(crate) async fn publish(&self, need: leasing::CapacityRequest) -> Result<leasing::CapacityRequest> {
        let create = leasing::CreateCapacityRequestRequest {
            parent: "tenants/lab".to_owned(),
            capacity_request: Some(need),
            request_id: request_id(),
            validate_only: false,
        };
        let made = self.tenant.market().create_capacity_request(create).await?.into_inner();
        made.capacity_request.context("a need")
    }

    /// A need whose bids are sealed for so many seconds.
    pub(crate) async fn publish_sealed(&self, seconds: i64) -> Result<leasing::CapacityRequest> {
        self.publish(leasing::CapacityRequest {
            bid_deadline: in_seconds(seconds),
            bid_reveal: leasing::BidReveal::AtDeadline.into(),
            ..need()
        })
        .await
    }

    pub(crate) async fn request(&self, by: &Clients, name: &str) -> Result<leasing::CapacityRequest> {
        let get = leasing::GetCapacityRequestRequest { name: name.to_owned() };
        let found = by.market().get_capacity_request(get).await?.into_inner();
        found.capacity_request.context("a request")
    }

    /// The bids that somebody sees.
    pub(crate) async fn bids(&self, by: &Clients) -> Result<Vec<leasing::Bid>> {
        let list = leasing::ListBidsRequest { parent: "operators/-".to_owned(), ..Default::default() };
        Ok(by.market().list_bids(list).await?.into_inner().bids)
    }

    async fn cancel(&self, name: &str) -> Result<()> {
        let cancel = leasing::CancelCapacityRequestRequest {
            name: name.to_owned(),
            reason: "the money is gone".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.tenant.market().cancel_capacity_request(cancel).await?;
        Ok(())
    }
}

/// A request to submit this bid for an operator.
pub(crate) fn submission(operator: &str, bid: leasing::Bid) -> leasing::SubmitBidRequest {
    leasing::SubmitBidRequest {
        parent: operator.to_owned(),
        bid: Some(bid),
        request_id: request_id(),
        validate_only: false,
    }
}

pub(crate) async fn submit(by: &Clients, operator: &str, bid: leasing::Bid) -> Result<leasing::Bid> {
    let submitted = by.market().submit_bid(submission(operator, bid)).await.context("submit")?.into_inner();
    submitted.bid.context("a bid")
}

/// The same bid with its premises held for an hour.
pub(crate) fn holding(bid: leasing::Bid) -> leasing::Bid {
    leasing::Bid { hold_duration: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }), ..bid }
}

/// A request to award these bids.
pub(crate) fn award(request: &str, bids: &[&leasing::Bid]) -> leasing::AwardBidRequest {
    leasing::AwardBidRequest {
        name: request.to_owned(),
        bids: bids.iter().map(|bid| bid.name.clone()).collect(),
        hold_duration: None,
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    }
}

/// Waits until a bid has come into a state.
pub(crate) async fn bid_in(by: &Clients, name: &str, state: BidState) -> Result<leasing::Bid> {
    eventually(&format!("{name} is {}", state.as_str_name()), async || {
        let get = leasing::GetBidRequest { name: name.to_owned() };
        let bid = by.market().get_bid(get).await?.into_inner().bid.context("a bid")?;
        Ok((bid.state() == state).then_some(bid))
    })
    .await
}

/// Waits until a request takes no more bids, by the database's clock.
pub(crate) async fn deadline_passes(tender: &Tender, name: &str) -> Result<()> {
    eventually("the deadline passes", async || {
        let request = tender.request(&tender.tenant, name).await?;
        Ok((!request.accepts_bids).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_need_is_published_bid_on_sealed_and_awarded() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish_sealed(5).await?;
    ensure!(request.state() == RequestState::Open && request.accepts_bids, "{request:#?}");
    let name = request.name.as_str();
    ensure!(tender.request(&tender.acme, name).await?.name == name, "it is published");

    // Gross at 165, of which 14.5 is upkeep and 34.1874 power: 116.3126 triple net, less than zenith's 120.
    let gross = leasing::Bid {
        structure: leasing::LeaseStructure::Gross.into(),
        rate_per_kw_month: decimal("165"),
        included_cost_per_kw_month: decimal("14.5"),
        pue: decimal("1.3"),
        ..bid(name, &tender.halls[0])
    };
    let gross = submit(&tender.acme, "operators/acme", holding(gross)).await?;
    ensure!(gross.state() == BidState::Submitted && !gross.reservation.is_empty(), "{gross:#?}");
    ensure!(gross.triple_net_rate_per_kw_month == decimal("116.3126"), "{gross:#?}");
    let net = leasing::Bid { rate_per_kw_month: decimal("120"), ..bid(name, &tender.halls[1]) };
    let net = submit(&tender.zenith, "operators/zenith", holding(net)).await?;

    ensure!(tender.bids(&tender.tenant).await?.is_empty(), "the tenant reads sealed bids");
    let early = tender.tenant.market().award_bid(award(name, &[&net])).await;
    Refusal::expect(early)?.is(Code::FailedPrecondition, "BID_DEADLINE_PENDING")?.fact("bidDeadline")?;

    deadline_passes(&tender, name).await?;
    let late =
        tender.acme.market().submit_bid(submission("operators/acme", bid(name, &tender.halls[0]))).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "BID_DEADLINE_PASSED")?.fact("bidDeadline")?;
    let withdraw = leasing::WithdrawBidRequest {
        name: net.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let bound = tender.zenith.market().withdraw_bid(withdraw).await;
    Refusal::expect(bound)?.is(Code::FailedPrecondition, "BID_DEADLINE_PASSED")?;

    let seen = tender.bids(&tender.tenant).await?;
    let names: Vec<_> = seen.iter().map(|bid| bid.name.clone()).collect();
    ensure!(names == [gross.name.clone(), net.name.clone()], "not in triple-net order: {seen:#?}");

    let choice = award(name, &[&gross]);
    let awarded = tender.tenant.market().award_bid(choice.clone()).await?.into_inner();
    ensure!(awarded.bids[0].state() == BidState::Awarded, "{awarded:#?}");
    let until = awarded.bids[0].hold_expire_time.context("a hold")?.seconds;
    ensure!(until > in_seconds(29 * 86_400).context("a time")?.seconds, "held for the papers: {awarded:#?}");
    let state = awarded.capacity_request.as_ref().map(leasing::CapacityRequest::state);
    ensure!(state == Some(RequestState::Awarded), "{awarded:#?}");
    let again = tender.tenant.market().award_bid(choice).await?.into_inner();
    ensure!(again == awarded, "another answer: {again:#?}");

    let lost = bid_in(&tender.zenith, &net.name, BidState::Lost).await?;
    released(&tender, &lost.reservation).await?;
    let over = tender.tenant.market().award_bid(award(name, &[&net])).await;
    Refusal::expect(over)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    tender.stack.stop().await;
    Ok(())
}

/// Waits until what a bid held is free again.
async fn released(tender: &Tender, reservation: &str) -> Result<()> {
    let get = contracts::inventory::v1::GetReservationRequest {
        name: reservation.to_owned(),
        ..Default::default()
    };
    let gone = contracts::inventory::v1::ReservationState::Released;
    eventually("the hold is given back", async || {
        let found = tender.zenith.reservations().get_reservation(get.clone()).await?.into_inner();
        Ok((found.reservation.context("a reservation")?.state() == gone).then_some(()))
    })
    .await
}

#[tokio::test]
async fn a_chosen_bid_whose_hold_is_gone_lapses_and_another_may_win() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish(need()).await?;
    let name = request.name.as_str();
    let first = submit(&tender.acme, "operators/acme", holding(bid(name, &tender.halls[0]))).await?;
    let second = submit(&tender.zenith, "operators/zenith", holding(bid(name, &tender.halls[1]))).await?;
    let release = contracts::inventory::v1::ReleaseReservationRequest {
        name: first.reservation.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    tender.acme.reservations().release_reservation(release).await?;
    let both = tender.tenant.market().award_bid(award(name, &[&first, &second])).await?.into_inner();
    let states: Vec<_> = both.bids.iter().map(leasing::Bid::state).collect();
    ensure!(states == [BidState::Lapsed, BidState::Awarded], "{both:#?}");
    let state = both.capacity_request.as_ref().map(leasing::CapacityRequest::state);
    ensure!(state == Some(RequestState::Open), "{both:#?}");
    // It is still before the deadline: another bid comes in and wins beside the first winner.
    let third = submit(&tender.acme, "operators/acme", bid(name, &tender.halls[0])).await?;
    let last = tender.tenant.market().award_bid(award(name, &[&third])).await?.into_inner();
    ensure!(last.bids.len() == 1 && last.bids[0].state() == BidState::Awarded, "{last:#?}");
    let state = last.capacity_request.as_ref().map(leasing::CapacityRequest::state);
    ensure!(state == Some(RequestState::Awarded), "{last:#?}");
    bid_in(&tender.zenith, &second.name, BidState::Awarded).await?;
    tender.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_need_called_off_before_its_deadline_gives_bids_back_unopened() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish_sealed(4).await?;
    let sealed =
        submit(&tender.zenith, "operators/zenith", holding(bid(&request.name, &tender.halls[1]))).await?;
    tender.cancel(&request.name).await?;
    let back = bid_in(&tender.zenith, &sealed.name, BidState::Returned).await?;
    released(&tender, &back.reservation).await?;
    let closed = submission("operators/acme", bid(&request.name, &tender.halls[0]));
    let closed = Refusal::expect(tender.acme.market().submit_bid(closed).await)?;
    closed.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    // Also when the deadline has come, the tenant sees nothing of it.
    tokio::time::sleep(Duration::from_secs(4)).await;
    ensure!(tender.bids(&tender.tenant).await?.is_empty(), "an unopened bid is read");
    let get = leasing::GetBidRequest { name: sealed.name };
    let hidden = Refusal::expect(tender.tenant.market().get_bid(get).await)?;
    hidden.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    tender.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_bid_is_taken_back_before_the_deadline_and_lapses_after_its_validity() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish_sealed(3).await?;
    let name = request.name.as_str();
    let taken_back = submit(&tender.zenith, "operators/zenith", holding(bid(name, &tender.halls[1]))).await?;
    let withdraw = leasing::WithdrawBidRequest {
        name: taken_back.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let withdrawn = tender.zenith.market().withdraw_bid(withdraw.clone()).await?.into_inner();
    ensure!(withdrawn.bid.as_ref().map(leasing::Bid::state) == Some(BidState::Withdrawn), "{withdrawn:#?}");
    ensure!(tender.zenith.market().withdraw_bid(withdraw).await?.into_inner() == withdrawn, "another answer");
    released(&tender, &taken_back.reservation).await?;

    let short = leasing::Bid { valid_until_time: in_seconds(5), ..bid(name, &tender.halls[0]) };
    let short = submit(&tender.acme, "operators/acme", short).await?;
    deadline_passes(&tender, name).await?;
    let seen = tender.bids(&tender.tenant).await?;
    ensure!(seen.len() == 1 && seen[0].name == short.name, "what was taken back was never there: {seen:#?}");
    bid_in(&tender.acme, &short.name, BidState::Lapsed).await?;
    let over = Refusal::expect(tender.tenant.market().award_bid(award(name, &[&short])).await)?;
    over.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    tender.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_need_for_some_is_nobody_elses_and_none_learns_of_the_others() -> Result<()> {
    let tender = Tender::prepare().await?;
    let named = leasing::CapacityRequest {
        visibility: leasing::RequestVisibility::Named.into(),
        operators: vec!["operators/acme".to_owned(), "operators/nobody-at-all".to_owned()],
        ..need()
    };
    let request = tender.publish(named).await?;
    ensure!(request.operators.len() == 2, "{request:#?}");
    let seen = tender.request(&tender.acme, &request.name).await?;
    ensure!(seen.operators == ["operators/acme"], "{seen:#?}");
    let list = leasing::ListCapacityRequestsRequest { parent: "tenants/-".to_owned(), ..Default::default() };
    let listed = tender.zenith.market().list_capacity_requests(list.clone()).await?.into_inner();
    ensure!(listed.capacity_requests.is_empty(), "{listed:#?}");
    let listed = tender.acme.market().list_capacity_requests(list).await?.into_inner();
    ensure!(listed.capacity_requests == [seen], "{listed:#?}");
    let get = leasing::GetCapacityRequestRequest { name: request.name.clone() };
    Refusal::expect(tender.zenith.market().get_capacity_request(get).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let uninvited = submission("operators/zenith", bid(&request.name, &tender.halls[1]));
    Refusal::expect(tender.zenith.market().submit_bid(uninvited).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    tender.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_bid_that_cannot_be_held_is_no_bid() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish(need()).await?;
    let mut huge = bid(&request.name, &tender.halls[0]);
    huge.premises[0].capacity = Some(market::load(20_000));
    let refused = submission("operators/acme", holding(huge.clone()));
    for validate_only in [true, false] {
        let request = leasing::SubmitBidRequest { validate_only, ..refused.clone() };
        let refusal = Refusal::expect(tender.acme.market().submit_bid(request).await)?;
        refusal.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    }
    ensure!(tender.bids(&tender.acme).await?.is_empty(), "a refused bid stays");
    // What is not held may be offered all the same: many may paper the same megawatt.
    submit(&tender.acme, "operators/acme", huge).await?;
    tender.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn of_two_awards_at_two_replicas_one_is_made() -> Result<()> {
    let tender = Tender::prepare().await?;
    let (other, channels) = tender.stack.another_leasing().await?;
    let elsewhere = channels.caller(&tender.stack.token("tenants/lab", Role::Tenant)?)?;
    for _ in 0..10 {
        let request = tender.publish(need()).await?;
        let name = request.name.as_str();
        let one = submit(&tender.acme, "operators/acme", bid(name, &tender.halls[0])).await?;
        let two = submit(&tender.zenith, "operators/zenith", bid(name, &tender.halls[1])).await?;
        let (mut here, mut there) = (tender.tenant.market(), elsewhere.market());
        let race = tokio::join!(here.award_bid(award(name, &[&one])), there.award_bid(award(name, &[&two])),);
        let won = [race.0, race.1].into_iter().filter_map(|answer| match answer {
            Ok(answer) => Some(Ok(answer.into_inner().bids[0].name.clone())),
            Err(status) => {
                let refusal = Refusal::of(&status)
                    .and_then(|refusal| refusal.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION"));
                refusal.err().map(Err)
            }
        });
        let won = won.collect::<Result<Vec<_>>>()?;
        ensure!(won.len() == 1, "won: {won:?}");
        let loser = if won[0] == one.name { (&tender.zenith, &two) } else { (&tender.acme, &one) };
        bid_in(loser.0, &loser.1.name, BidState::Lost).await?;
    }
    other.cancel();
    tender.stack.stop().await;
    Ok(())
}
