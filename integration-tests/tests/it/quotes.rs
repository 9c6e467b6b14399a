//! A quote from the question to the lease: priced and ranked, approved by a second person where it must be, unseen by
//! everybody else, and the lease has its numbers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use gridlease::sales::{self, Quote, SalesWhat, Server, Structure};
use integration_tests::market::{self, READY, day, decimal, request_id};
use integration_tests::requests::offers;
use integration_tests::world::{can_quote, drafted, general_terms, signed_agreement};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use leasing::{LeaseState, QuoteState};
use tonic::Code;

/// Two halls, an approved card, two people of the operator and one of the tenant.
pub(crate) struct Desk {
    pub(crate) stack: TestStack,
    pub(crate) site: market::Site,
    pub(crate) ana: Clients,
    pub(crate) ben: Clients,
    pub(crate) lab: Clients,
}

impl Desk {
    pub(crate) async fn open() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(10_000), market::hall(20_000)]).await?;
        market::tenant(clients, "lab").await?;
        let ana = stack.clients_of("ana", "operators/acme", Role::Sales)?;
        let ben = stack.clients_of("ben", "operators/acme", Role::OperatorAdmin)?;
        let lab = stack.clients("tenants/lab", Role::Tenant)?;
        let draft = leasing::CreateRateCardRequest {
            validate_only: false,
            ..offers::draft("operators/acme", "standard")
        };
        let card = ana.offers().create_rate_card(draft).await?.into_inner().rate_card.context("a card")?;
        let approval = leasing::ApproveRateCardRequest {
            name: card.name,
            etag: card.etag,
            request_id: request_id(),
            validate_only: false,
        };
        ben.offers().approve_rate_card(approval).await?;
        let desk = Self { stack, site, ana, ben, lab };
        can_quote(&desk.ana, &desk.ask(8_000), 6).await?;
        Ok(desk)
    }

    pub(crate) fn ask(&self, kw: i64) -> leasing::QuoteLeaseRequest {
        offers::question(&self.site.operator, "tenants/lab", offers::need(kw, READY))
    }

    pub(crate) async fn quote(&self, request: leasing::QuoteLeaseRequest) -> Result<leasing::Quote> {
        self.ana.offers().quote_lease(request).await?.into_inner().quote.context("a quote")
    }
}

pub(crate) async fn in_state(clients: &Clients, name: &str, state: QuoteState) -> Result<leasing::Quote> {
    let get = leasing::GetQuoteRequest { name: name.to_owned() };
    eventually(&format!("{name} is {}", state.as_str_name()), async || {
        let found = clients.offers().get_quote(get.clone()).await?.into_inner().quote.context("a quote")?;
        Ok((found.state() == state).then_some(found))
    })
    .await
}

pub(crate) fn acceptance(quote: &leasing::Quote, option_number: i32) -> leasing::AcceptQuoteRequest {
    leasing::AcceptQuoteRequest {
        name: quote.name.clone(),
        etag: quote.etag.clone(),
        option_number,
        request_id: request_id(),
        validate_only: false,
        master_agreement: String::new(),
    }
}

fn rate(decimal: Option<&contracts::google::r#type::Decimal>) -> Result<kernel::Rate> {
    Ok(decimal.context("a rate")?.value.parse()?)
}

#[tokio::test]
async fn a_quote_becomes_a_lease_with_its_numbers() -> Result<()> {
    let desk = Desk::open().await?;
    let quote = desk.quote(desk.ask(8_000)).await?;
    ensure!(quote.state() == QuoteState::Open && quote.options.len() == 6, "{quote:#?}");
    // By the rent without included costs, not by the rate: gross comes first though it is dearest on paper.
    let equivalents = quote
        .options
        .iter()
        .map(|option| rate(option.net_equivalent_per_kw_month.as_ref()))
        .collect::<Result<Vec<_>>>()?;
    ensure!(equivalents.is_sorted(), "{equivalents:?}");
    let first = &quote.options[0];
    let structure = first.terms.as_ref().context("terms")?.structure();
    ensure!(structure == leasing::LeaseStructure::Gross, "{first:#?}");
    ensure!(first.number == 1 && !first.assumptions.is_empty(), "{first:#?}");

    // The tenant reads it without the operator's own figures, and takes up the second option.
    let get = leasing::GetQuoteRequest { name: quote.name.clone() };
    let seen = desk.lab.offers().get_quote(get).await?.into_inner().quote.context("a quote")?;
    let asked = leasing::ListDeadlinesRequest { parent: "operators/-".to_owned(), ..Default::default() };
    let due = desk.lab.leases().list_deadlines(asked).await?.into_inner().deadlines;
    ensure!(due.len() == 1 && due[0].kind() == leasing::DeadlineKind::QuoteValidity, "{due:#?}");
    ensure!(due[0].resource == quote.name && due[0].time == quote.valid_until_time, "{due:#?}");
    let told = &seen.options[0];
    ensure!(told.rate_card.is_empty() && told.floor_per_kw_month.is_none(), "{told:#?}");
    ensure!(seen.author.is_empty() && seen.discount_percent.is_none(), "{seen:#?}");
    let request = acceptance(&seen, 2);
    let accepted = desk.lab.offers().accept_quote(request.clone()).await?.into_inner();
    let again = desk.lab.offers().accept_quote(request).await?.into_inner();
    ensure!(accepted == again, "a repetition has another answer");
    let accepted = accepted.quote.context("a quote")?;
    ensure!(accepted.state() == QuoteState::Accepted && accepted.accepted_option == 2, "{accepted:#?}");
    let get = leasing::GetLeaseRequest { name: accepted.lease.clone(), version: 0 };
    let lease = desk.lab.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    ensure!(lease.state() == LeaseState::Proposed && lease.signatures.is_empty(), "{lease:#?}");
    let (value, option) = (lease.value.context("figures")?, &accepted.options[1]);
    ensure!(value.year_one_rent == option.year_one_rent, "{value:#?}\n{option:#?}");
    ensure!(value.base_contract_value == option.base_contract_value, "{value:#?}\n{option:#?}");
    ensure!(value.options_contract_value == option.options_contract_value, "{value:#?}\n{option:#?}");
    ensure!(lease.terms == option.terms, "{:#?}\n{:#?}", lease.terms, option.terms);
    let twice = Refusal::expect(desk.lab.offers().accept_quote(acceptance(&accepted, 1)).await)?;
    twice.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_deep_discount_waits_for_a_second_person_and_is_nobodys_until_then() -> Result<()> {
    let desk = Desk::open().await?;
    let asked = leasing::QuoteLeaseRequest { discount_percent: decimal("6"), ..desk.ask(8_000) };
    let quote = desk.quote(asked).await?;
    ensure!(quote.state() == QuoteState::PendingApproval, "{quote:#?}");
    ensure!(!quote.options[0].approval_reasons.is_empty(), "{quote:#?}");
    let get = leasing::GetQuoteRequest { name: quote.name.clone() };
    let unseen = Refusal::expect(desk.lab.offers().get_quote(get.clone()).await)?;
    unseen.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let early = Refusal::expect(desk.ana.offers().accept_quote(acceptance(&quote, 1)).await)?;
    early.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let approval = leasing::ApproveQuoteRequest {
        name: quote.name.clone(),
        etag: quote.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let herself = desk.stack.clients_of("ana", "operators/acme", Role::OperatorAdmin)?;
    let refusal = Refusal::expect(herself.offers().approve_quote(approval.clone()).await)?;
    refusal.is(Code::FailedPrecondition, "SECOND_PERSON_NEEDED")?;
    let open = desk.ben.offers().approve_quote(approval).await?.into_inner().quote.context("a quote")?;
    ensure!(open.state() == QuoteState::Open && open.approver == "ben", "{open:#?}");
    desk.lab.offers().get_quote(get.clone()).await?;

    // Another operator, another tenant: it looks absent, and is in no list of theirs.
    let clients = |organisation: &str, role| desk.stack.clients(organisation, role);
    market::site(clients, "zenith", &[]).await?;
    market::tenant(clients, "rival").await?;
    for (organisation, role) in [("operators/zenith", Role::Sales), ("tenants/rival", Role::Tenant)] {
        let stranger = clients(organisation, role)?;
        let refusal = Refusal::expect(stranger.offers().get_quote(get.clone()).await)?;
        refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
        let all = leasing::ListQuotesRequest { parent: "operators/-".to_owned(), ..Default::default() };
        ensure!(stranger.offers().list_quotes(all).await?.into_inner().quotes.is_empty());
    }
    let all = leasing::ListQuotesRequest { parent: "operators/-".to_owned(), ..Default::default() };
    ensure!(desk.lab.offers().list_quotes(all).await?.into_inner().quotes.len() == 1);
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_quote_lapses_and_a_need_that_nothing_meets_is_told_what_would() -> Result<()> {
    let desk = Desk::open().await?;
    let quote = desk.quote(desk.ask(8_000)).await?;
    let refusal = Refusal::expect(desk.ana.offers().quote_lease(desk.ask(30_000)).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "NOTHING_TO_QUOTE")?;
    ensure!(refusal.fact("missing")? == "CAPACITY" && refusal.fact("largestKw")? == "20000", "{refusal:#?}");
    let mut euros = desk.ask(8_000);
    euros.need = euros.need.map(|need| leasing::QuoteNeed { currency_code: "EUR".to_owned(), ..need });
    let refusal = Refusal::expect(desk.ana.offers().quote_lease(euros).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "NOTHING_TO_QUOTE")?;
    ensure!(refusal.fact("missing")? == "RATES" && refusal.fact("terms")?.contains("USD"), "{refusal:#?}");

    // Its time is the database's: business time may go on as it likes.
    desk.stack.move_to(day("2026-12-20")).await?;
    let soon = offers::in_seconds(2);
    let brief = desk.quote(leasing::QuoteLeaseRequest { valid_until_time: soon, ..desk.ask(8_000) }).await?;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let late = Refusal::expect(desk.lab.offers().accept_quote(acceptance(&brief, 1)).await)?;
    ensure!(["QUOTE_LAPSED", "ETAG_MISMATCH"].contains(&late.reason.as_str()), "{late:#?}");
    in_state(&desk.lab, &brief.name, QuoteState::Lapsed).await?;
    in_state(&desk.lab, &quote.name, QuoteState::Open).await?;
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_salesperson_quotes_in_the_terminal() -> Result<()> {
    let desk = Desk::open().await?;
    let at = desk.stack.stack().addresses();
    let ask = |json, discount: Option<&str>| -> Result<SalesWhat> {
        Ok(SalesWhat::Quote(Box::new(Quote {
            tenant: "lab".parse()?,
            kw: 8_000,
            liquid_percent: 85,
            from: day(READY),
            months: 120,
            places: vec![desk.site.site.clone()],
            structures: vec![Structure::Gross, Structure::Nnn],
            discount: discount.map(str::parse).transpose()?,
            currency: "USD".to_owned(),
            days: 14,
            hold_blocks: i32::from(discount.is_none()),
            hold_days: 30,
            options: 20,
            only_ask: false,
            server: Server {
                inventory: format!("http://{}", at.inventory),
                leasing: format!("http://{}", at.leasing),
                operator: "acme".parse()?,
                token: Some(desk.stack.token("operators/acme", Role::Sales)?),
                data_dir: None,
                json,
            },
        })))
    };
    let told = sales::told(ask(true, None)?).await?;
    let told: serde_json::Value = serde_json::from_str(&told)?;
    let first = &told["options"][0];
    ensure!(told["state"] == "OPEN" && told["quote"].as_str().is_some(), "{told:#}");
    ensure!(first["structure"] == "GROSS" && first["held"] == "yes", "{told:#}");
    ensure!(first["net_eq"].as_str() < told["options"][3]["net_eq"].as_str(), "{told:#}");
    let told = sales::told(ask(false, Some("6"))?).await?;
    ensure!(told.contains("PENDING_APPROVAL") && told.contains("A second person must approve:"), "{told}");
    ensure!(told.contains("Assumed:") && told.lines().all(|line| !line.ends_with(' ')), "{told}");
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_quote_is_taken_up_as_an_order_under_an_agreement_that_is_in_force() -> Result<()> {
    let desk = Desk::open().await?;
    let draft = async |tenant: &str, general: leasing::GeneralTerms| {
        let ask = drafted(&desk.site.operator, tenant, general);
        let answer = desk.ana.agreements().create_master_agreement(ask).await?.into_inner();
        answer.master_agreement.context("an agreement")
    };
    let agreement = draft("tenants/lab", general_terms()).await?;
    let binding =
        leasing::GeneralTerms { precedence: leasing::TermsPrecedence::Agreement.into(), ..general_terms() };
    let binding = draft("tenants/lab", binding).await?;
    market::tenant(|organisation, role| desk.stack.clients(organisation, role), "rival").await?;
    let rival = desk.stack.clients("tenants/rival", Role::Tenant)?;
    let foreign = draft("tenants/rival", general_terms()).await?;
    for (side, agreement) in
        [(&desk.lab, &binding), (&desk.ben, &binding), (&rival, &foreign), (&desk.ben, &foreign)]
    {
        side.agreements().sign_master_agreement(signed_agreement(agreement)).await?;
    }
    // One quote that holds its blocks, and one that holds nothing.
    let held = leasing::QuoteLeaseRequest { held_block_count: 1, ..desk.ask(1_000) };
    for ask in [desk.ask(1_000), held] {
        let quote = desk.quote(ask).await?;
        let under = |name: &str| leasing::AcceptQuoteRequest {
            master_agreement: name.to_owned(),
            ..acceptance(&quote, 1)
        };
        for validate_only in [true, false] {
            let refused = async |who: &Clients, agreement: &str| {
                // A refusal puts the quote on the table again, with another etag.
                let get = leasing::GetQuoteRequest { name: quote.name.clone() };
                let now = who.offers().get_quote(get).await?.into_inner().quote.context("a quote")?;
                ensure!(now.state() == QuoteState::Open, "{now:#?}");
                let ask = leasing::AcceptQuoteRequest { validate_only, etag: now.etag, ..under(agreement) };
                Refusal::expect(who.offers().accept_quote(ask).await)
            };
            for who in [&desk.lab, &desk.ana] {
                refused(who, &agreement.name)
                    .await?
                    .is(Code::FailedPrecondition, "MASTER_AGREEMENT_NOT_IN_FORCE")?;
                refused(who, &foreign.name).await?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
                // Its word counts, and the option states other days to pay.
                let other = refused(who, &binding.name).await?.is(Code::InvalidArgument, "INVALID_FIELD")?;
                ensure!(format!("{other:?}").contains("payment_terms_days"), "{other:#?}");
            }
        }
    }
    for side in [&desk.lab, &desk.ben] {
        side.agreements().sign_master_agreement(signed_agreement(&agreement)).await?;
    }
    let quote = desk.quote(leasing::QuoteLeaseRequest { held_block_count: 1, ..desk.ask(1_000) }).await?;
    let ask =
        leasing::AcceptQuoteRequest { master_agreement: agreement.name.clone(), ..acceptance(&quote, 1) };
    let accepted = desk.lab.offers().accept_quote(ask.clone()).await?.into_inner();
    ensure!(accepted == desk.lab.offers().accept_quote(ask).await?.into_inner(), "another answer");
    let get = leasing::GetLeaseRequest { name: accepted.quote.context("a quote")?.lease, version: 0 };
    let lease = desk.lab.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    let (terms, master) = (lease.terms.context("terms")?, lease.master_terms.context("master terms")?);
    ensure!(terms.master_agreement == agreement.name && master.terms_hash == agreement.terms_hash);
    let general = general_terms();
    ensure!(terms.cure == general.cure && terms.late_interest == general.late_interest, "{terms:#?}");
    ensure!(terms.payment_terms_days == 30, "what the option states stays: {terms:#?}");
    desk.stack.stop().await;
    Ok(())
}
