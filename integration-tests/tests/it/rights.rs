//! Rights of first refusal and offer that leases give: who has one is asked first, and until then nobody else signs.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::world::{in_state, refusal_of};
use integration_tests::{Refusal, eventually, feed};
use kernel::Role;
use leasing::{DeadlineKind, LeaseState, RightOfferState};
use tonic::Code;

use crate::life::Deal;

/// A deal in one hall of two, whose tenant may refuse what comes into the other one; and a rival who wants that.
struct Contest {
    deal: Deal,
    /// What the holder has.
    held: leasing::Lease,
    /// What the rival would have.
    wanted: leasing::Lease,
    rival: Clients,
}

impl Contest {
    async fn prepare(right: impl Fn(&Deal) -> leasing::ExpansionRight) -> Result<Self> {
        let deal = Deal::prepare(&[10_000, 10_000]).await?;
        let expansion_rights = vec![right(&deal)];
        let terms = market::terms(&deal.blocks[0], market::load(10_000));
        let held = deal.agree("held", leasing::LeaseTerms { expansion_rights, ..terms }).await?;
        let clients = |organisation: &str, role| deal.stack.clients(organisation, role);
        let rival = market::tenant(clients, "rival-lab").await?;
        let terms = leasing::LeaseTerms {
            guarantor: "Rival Parent".to_owned(),
            end_user: "Rival Models".to_owned(),
            notes: "the rival-lab comes from next door".to_owned(),
            ..market::terms(&deal.blocks[1], market::load(5_000))
        };
        let proposal = market::proposal(&deal.operator, &rival, "rivals-own", terms);
        let wanted = deal.sales.leases().propose_lease(proposal).await?.into_inner().lease;
        let rival = deal.stack.clients(&rival, Role::Tenant)?;
        Ok(Self { held, wanted: wanted.context("a lease")?, rival, deal })
    }

    async fn offer(&self) -> Result<Vec<leasing::RightOffer>> {
        let ask = leasing::OfferToRightHoldersRequest {
            name: self.wanted.name.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        Ok(self.deal.sales.rights().offer_to_right_holders(ask).await?.into_inner().right_offers)
    }

    /// What the two sides of the wanted lease are told when they sign it.
    async fn not_cleared(&self, state: &str) -> Result<()> {
        for side in [&self.rival, &self.deal.admin] {
            let refused = side.leases().sign_lease(market::signature(&self.wanted)).await;
            let refusal = Refusal::expect(refused)?.is(Code::FailedPrecondition, "RIGHT_NOT_CLEARED")?;
            ensure!(refusal.fact("state")? == state, "{refusal:#?}");
            let told = format!("{refusal:?}");
            ensure!(!told.contains("tenants/lab") && !told.contains(&self.held.name), "{told}");
        }
        Ok(())
    }

    async fn sign(&self) -> Result<leasing::Lease> {
        self.rival.leases().sign_lease(market::signature(&self.wanted)).await.context("the rival signs")?;
        let signed = self.deal.admin.leases().sign_lease(market::signature(&self.wanted)).await;
        signed.context("the operator signs")?.into_inner().lease.context("a lease")
    }

    async fn told(&self, who: &Clients, name: &str) -> Result<leasing::RightOffer> {
        let get = leasing::GetRightOfferRequest { name: name.to_owned() };
        who.rights().get_right_offer(get).await?.into_inner().right_offer.context("an offer")
    }
}

fn signatory() -> Option<leasing::Signatory> {
    Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() })
}

fn exercised(name: &str) -> leasing::ExerciseRightRequest {
    leasing::ExerciseRightRequest {
        name: name.to_owned(),
        signatory: signatory(),
        request_id: request_id(),
        ..Default::default()
    }
}

fn waived(name: &str) -> leasing::WaiveRightRequest {
    leasing::WaiveRightRequest {
        name: name.to_owned(),
        signatory: signatory(),
        request_id: request_id(),
        ..Default::default()
    }
}

#[tokio::test]
async fn who_waives_lets_another_sign_and_neither_learns_of_the_other() -> Result<()> {
    let contest = Contest::prepare(|deal| refusal_of(&deal.blocks[1])).await?;
    let deal = &contest.deal;
    contest.not_cleared("NOT_OFFERED").await?;
    let offers = contest.offer().await?;
    let [offer] = offers.as_slice() else { anyhow::bail!("{offers:#?}") };
    ensure!(offer.offered_lease == contest.wanted.name && offer.tenant == deal.tenant, "{offer:#?}");
    ensure!(offer.lease == contest.held.name && offer.state() == RightOfferState::Open, "{offer:#?}");
    ensure!(contest.offer().await? == offers, "who was asked is not asked again");
    contest.not_cleared("OPEN").await?;

    // The holder reads what is offered, and not a word of the rival.
    let told = contest.told(&deal.tenants, &offer.name).await?;
    let terms = told.offered_terms.clone().context("terms")?;
    ensure!(terms.premises == contest.wanted.terms.clone().context("terms")?.premises, "{terms:#?}");
    let words = format!("{told:?}");
    ensure!(!words.to_lowercase().contains("rival"), "{words}");
    // The rival finds no offer, and no lease that gives one.
    let get = leasing::GetRightOfferRequest { name: offer.name.clone() };
    Refusal::expect(contest.rival.rights().get_right_offer(get).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let list = leasing::ListRightOffersRequest { parent: "operators/-".to_owned(), ..Default::default() };
    let none = contest.rival.rights().list_right_offers(list.clone()).await?.into_inner();
    ensure!(none.right_offers.is_empty(), "{none:#?}");
    let own = deal.tenants.rights().list_right_offers(list).await?.into_inner();
    ensure!(own.right_offers == [told], "{own:#?}");
    let foreign = contest.rival.rights().waive_right(waived(&offer.name)).await;
    Refusal::expect(foreign)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;

    // It runs out for the two who know of it.
    ensure!(deal.runs_out().await?.contains(&DeadlineKind::RightResponse));
    let ask = leasing::ListDeadlinesRequest {
        parent: "operators/-".to_owned(),
        within_days: 3_660,
        kinds: vec![DeadlineKind::RightResponse.into()],
        ..Default::default()
    };
    let of_rival = contest.rival.leases().list_deadlines(ask).await?.into_inner().deadlines;
    ensure!(of_rival.is_empty(), "{of_rival:#?}");

    let waive = waived(&offer.name);
    let answer = deal.tenants.rights().waive_right(waive.clone()).await?.into_inner().right_offer;
    let answer = answer.context("an offer")?;
    ensure!(answer.state() == RightOfferState::Waived && answer.answered_by == "tester", "{answer:#?}");
    let again = deal.tenants.rights().waive_right(waive).await?.into_inner().right_offer;
    ensure!(again == Some(answer), "the same request, the same answer");
    let late = deal.tenants.rights().exercise_right(exercised(&offer.name)).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    ensure!(contest.sign().await?.state() == LeaseState::Effective);
    contest.deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn who_exercises_keeps_the_other_from_signing_and_gets_the_lease() -> Result<()> {
    let contest = Contest::prepare(|deal| refusal_of(&deal.operator)).await?;
    let deal = &contest.deal;
    let [offer] = contest.offer().await?.try_into().map_err(|all| anyhow::anyhow!("{all:#?}"))?;
    let taken = deal.tenants.rights().exercise_right(exercised(&offer.name)).await?.into_inner().right_offer;
    let taken = taken.context("an offer")?;
    ensure!(taken.state() == RightOfferState::Exercised && taken.offered_lease.is_empty(), "{taken:#?}");
    contest.not_cleared("EXERCISED").await?;

    // The holder hears of it, from the offer to the answer, and of no lease but its own.
    let at = deal.stack.stack().addresses().leasing;
    let channel = runtime::client::channel(&format!("http://{at}"))?;
    let bearer = runtime::client::Bearer::new(&deal.stack.token(&deal.tenant, Role::Tenant)?)?;
    let mut client = leasing::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let kinds = ["right.offered", "right.exercised"];
    let watch =
        leasing::WatchEventsRequest { kinds: kinds.map(str::to_owned).to_vec(), ..Default::default() };
    let mut stream = client.watch_events(watch).await?.into_inner();
    for kind in kinds {
        let event = feed::next(&mut stream).await?;
        ensure!(event.r#type == kind && event.subject == offer.name, "{event:#?}");
        ensure!(!format!("{event:?}").contains("rivals-own"), "{event:#?}");
    }

    // The operator calls the other one off, and proposes these terms to the holder, whom no right of its own binds.
    let cancel = leasing::CancelLeaseRequest {
        name: contest.wanted.name.clone(),
        reason: "another takes it".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    deal.sales.leases().cancel_lease(cancel).await?;
    let next = eventually("the capacity is free again", async || {
        Ok(deal.propose("next", taken.offered_terms.clone().context("terms")?).await.ok())
    })
    .await?;
    deal.tenants.leases().sign_lease(market::signature(&next)).await?;
    deal.admin.leases().sign_lease(market::signature(&next)).await?;
    in_state(&deal.sales, &next.name, LeaseState::Effective).await?;
    contest.deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn who_does_not_answer_in_time_has_waived_by_the_databases_clock() -> Result<()> {
    let contest = Contest::prepare(|deal| refusal_of(&format!("{}/sites/north", deal.operator))).await?;
    ensure!(contest.offer().await?.is_empty(), "a right on a site that is not there yet");
    contest.deal.stack.stop().await;

    let contest = Contest::prepare(|deal| {
        let (site, _) = deal.blocks[1].split_once("/blocks/").expect("a block");
        leasing::ExpansionRight { kind: leasing::RightKind::Rofo.into(), ..refusal_of(site) }
    })
    .await?;
    let deal = &contest.deal;
    let [offer] = contest.offer().await?.try_into().map_err(|all| anyhow::anyhow!("{all:#?}"))?;
    // Business time says nothing about it.
    deal.stack.move_to(day("2026-12-30")).await?;
    contest.not_cleared("OPEN").await?;
    // As if its twenty days had passed.
    let mut superuser = deal.stack.database.superuser().await?;
    sqlx::query("update leasing.right_offer set respond_by = clock_timestamp()")
        .execute(&mut superuser)
        .await?;
    let late = deal.tenants.rights().exercise_right(exercised(&offer.name)).await;
    Refusal::expect(late)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    ensure!(contest.sign().await?.state() == LeaseState::Effective);
    let seen = contest.told(&deal.tenants, &offer.name).await?;
    ensure!(seen.state() == RightOfferState::DeemedWaived && seen.answer_time.is_none(), "{seen:#?}");
    contest.deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_offer_goes_with_its_lease_and_a_right_with_its_day() -> Result<()> {
    let until = |deal: &Deal| leasing::ExpansionRight {
        until_date: Some(date("2026-12-20")),
        ..refusal_of(&deal.blocks[1])
    };
    let contest = Contest::prepare(until).await?;
    let deal = &contest.deal;
    let [offer] = contest.offer().await?.try_into().map_err(|all| anyhow::anyhow!("{all:#?}"))?;
    let cancel = leasing::CancelLeaseRequest {
        name: contest.wanted.name.clone(),
        reason: "they found another".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    deal.sales.leases().cancel_lease(cancel).await?;
    eventually("the offer is withdrawn", async || {
        let seen = contest.told(&deal.tenants, &offer.name).await?;
        Ok((seen.state() == RightOfferState::Withdrawn).then_some(()))
    })
    .await?;
    let gone = deal.tenants.rights().exercise_right(exercised(&offer.name)).await;
    Refusal::expect(gone)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;

    // From its last day on there is nothing to clear.
    let terms = market::terms(&deal.blocks[1], market::load(5_000));
    let again = market::proposal(&deal.operator, "tenants/rival-lab", "again", terms);
    let wanted = deal.sales.leases().propose_lease(again).await?.into_inner().lease.context("a lease")?;
    let contest = Contest { wanted, ..contest };
    contest.not_cleared("NOT_OFFERED").await?;
    contest.deal.stack.move_to(day("2026-12-21")).await?;
    ensure!(contest.sign().await?.state() == LeaseState::Effective);
    contest.deal.stack.stop().await;
    Ok(())
}
