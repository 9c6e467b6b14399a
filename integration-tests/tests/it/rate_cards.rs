//! A rate card is drafted by one person, approved by another, and nobody's business outside its operator.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::requests::offers;
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use leasing::RateCardState;
use tonic::Code;

async fn draft(who: &Clients, id: &str) -> Result<leasing::RateCard> {
    let request =
        leasing::CreateRateCardRequest { validate_only: false, ..offers::draft("operators/acme", id) };
    who.offers().create_rate_card(request).await?.into_inner().rate_card.context("a card")
}

fn approval(card: &leasing::RateCard) -> leasing::ApproveRateCardRequest {
    leasing::ApproveRateCardRequest {
        name: card.name.clone(),
        etag: card.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    }
}

fn dearer(card: &leasing::RateCard) -> leasing::UpdateRateCardRequest {
    let mut card = card.clone();
    card.rates[0].rate_per_kw_month = decimal("145");
    card.display_name = "not named by the mask".to_owned();
    leasing::UpdateRateCardRequest {
        rate_card: Some(card),
        update_mask: Some(prost_types::FieldMask { paths: vec!["rates".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    }
}

#[tokio::test]
async fn two_people_make_a_card() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    market::site(clients, "acme", &[]).await?;
    let ana = stack.clients_of("ana", "operators/acme", Role::Sales)?;
    let ben = stack.clients_of("ben", "operators/acme", Role::OperatorAdmin)?;
    let cleo = stack.clients_of("cleo", "operators/acme", Role::OperatorAdmin)?;

    let drafted = draft(&ana, "standard").await?;
    ensure!(drafted.state() == RateCardState::Draft && drafted.authors == ["ana"], "{drafted:#?}");
    // Sales drafts and never approves; whoever changed a word is an author.
    let refusal = Refusal::expect(ana.offers().approve_rate_card(approval(&drafted)).await)?;
    refusal.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let changed = ben.offers().update_rate_card(dearer(&drafted)).await?.into_inner();
    let changed = changed.rate_card.context("a card")?;
    ensure!(changed.authors == ["ana", "ben"] && changed.display_name == "Standard", "{changed:#?}");
    ensure!(changed.rates[0].rate_per_kw_month == decimal("145"), "{changed:#?}");
    let refusal = Refusal::expect(ben.offers().approve_rate_card(approval(&changed)).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "SECOND_PERSON_NEEDED")?;
    ensure!(refusal.fact("author")? == "ben", "{refusal:#?}");
    // What is approved is what was read.
    let stale = Refusal::expect(cleo.offers().approve_rate_card(approval(&drafted)).await)?;
    stale.is(Code::Aborted, "ETAG_MISMATCH")?;
    let request = approval(&changed);
    let approved = cleo.offers().approve_rate_card(request.clone()).await?.into_inner();
    let again = cleo.offers().approve_rate_card(request).await?.into_inner();
    ensure!(approved == again, "a repetition has another answer");
    let approved = approved.rate_card.context("a card")?;
    ensure!(approved.state() == RateCardState::Approved && approved.approver == "cleo", "{approved:#?}");

    // Approved, it never changes again; it is retired, once.
    let refusal = Refusal::expect(ana.offers().update_rate_card(dearer(&approved)).await)?;
    refusal.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let retire = leasing::RetireRateCardRequest {
        name: approved.name.clone(),
        etag: approved.etag,
        request_id: request_id(),
        validate_only: false,
    };
    let retired = ben.offers().retire_rate_card(retire).await?.into_inner().rate_card.context("a card")?;
    ensure!(retired.state() == RateCardState::Retired, "{retired:#?}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn cards_are_listed_in_pages_and_by_state_for_their_operator_alone() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    market::site(clients, "acme", &[]).await?;
    market::site(clients, "zenith", &[]).await?;
    let ana = stack.clients_of("ana", "operators/acme", Role::Sales)?;
    let ben = stack.clients_of("ben", "operators/acme", Role::OperatorAdmin)?;
    for id in ["card-a", "card-b", "card-c"] {
        draft(&ana, id).await?;
    }
    let taken = Refusal::expect(
        ana.offers()
            .create_rate_card(leasing::CreateRateCardRequest {
                validate_only: false,
                ..offers::draft("operators/acme", "card-a")
            })
            .await,
    )?;
    taken.is(Code::AlreadyExists, "NAME_TAKEN")?;
    let get = leasing::GetRateCardRequest { name: "operators/acme/rateCards/card-b".to_owned() };
    let card = ana.offers().get_rate_card(get.clone()).await?.into_inner().rate_card.context("a card")?;
    ben.offers().approve_rate_card(approval(&card)).await?;
    let list = |page_token: String, states: Vec<i32>| leasing::ListRateCardsRequest {
        parent: "operators/acme".to_owned(),
        states,
        page_size: 2,
        page_token,
    };
    let first = ana.offers().list_rate_cards(list(String::new(), Vec::new())).await?.into_inner();
    let second =
        ana.offers().list_rate_cards(list(first.next_page_token.clone(), Vec::new())).await?.into_inner();
    let names: Vec<_> = first.rate_cards.iter().chain(&second.rate_cards).map(|card| &card.name).collect();
    let expected = ["card-a", "card-b", "card-c"].map(|id| format!("operators/acme/rateCards/{id}"));
    ensure!(names == expected.iter().collect::<Vec<_>>(), "{names:?}");
    ensure!(second.next_page_token.is_empty());
    let approved = vec![RateCardState::Approved.into()];
    let approved = ana.offers().list_rate_cards(list(String::new(), approved)).await?.into_inner();
    ensure!(approved.rate_cards.len() == 1 && approved.rate_cards[0].name == card.name, "{approved:#?}");

    // Another operator's card looks absent, and tenants have no such call.
    let rival = stack.clients("operators/zenith", Role::Sales)?;
    let foreign = Refusal::expect(rival.offers().get_rate_card(get.clone()).await)?;
    let absent = leasing::GetRateCardRequest { name: "operators/acme/rateCards/no-such".to_owned() };
    let absent = Refusal::expect(rival.offers().get_rate_card(absent).await)?;
    ensure!(foreign == absent && foreign.reason == "RESOURCE_NOT_FOUND", "{foreign:#?} {absent:#?}");
    let tenant = market::tenant(clients, "lab").await?;
    let refusal = stack.clients(&tenant, Role::Tenant)?.offers().get_rate_card(get).await;
    Refusal::expect(refusal)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    stack.stop().await;
    Ok(())
}
