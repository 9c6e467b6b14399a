//! Mine or lease, over the wire: what was published comes out, from figures that are given and from a site's own.

use anyhow::{Context as _, Result, ensure};
use contracts::google::r#type::Money;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, decimal, request_id};
use integration_tests::requests::offers;
use integration_tests::{Refusal, TestStack};
use kernel::{Role, Violations};
use tonic::Code;

fn told(money: Option<&Money>) -> Result<String> {
    let mut v = Violations::new();
    Ok(runtime::wire::money(&mut v, "money", money).context("an amount")?.grouped())
}

#[tokio::test]
async fn what_was_published_comes_out() -> Result<()> {
    let stack = TestStack::start().await?;
    let mut offers_of = stack.clients("operators/acme", Role::Sales)?.offers();
    let mut request = offers::comparison("operators/acme");
    request.mining = Some(leasing::MiningCase {
        coin: Some(leasing::CoinCase {
            coin_price: decimal("91000"),
            network_hashrate_ph: decimal("1100000"),
            cash_cost_per_coin: decimal("74600"),
            all_in_cost_per_coin: decimal("137800"),
        }),
        ..offers::mine()
    });
    let answer = offers_of.compare_with_mining(request.clone()).await?.into_inner();
    let mining = answer.mining.as_ref().context("a mine")?;
    let lease = answer.lease.as_ref().context("a lease")?;
    let coin = answer.coin.as_ref().context("a coin")?;
    for (figure, expected) in [
        (&mining.revenue, "52,562.95"),
        (&mining.revenue_per_mwh, "75.79"),
        (&mining.power_cost, "31,207.53"),
        (&mining.margin, "21,355.42"),
        (&lease.cash_rent, "95,045.15"),
        (&lease.rent_after_capital, "18,291.55"),
        (&coin.cash_margin, "9,231.67"),
        (&coin.all_in_margin, "-26,344.02"),
        (&coin.power_cost_per_coin, "52,800.00"),
    ] {
        ensure!(told(figure.as_ref())? == expected, "{figure:?} is not {expected}: {answer:#?}");
    }
    let coins = coin.coins.as_ref().context("coins")?.value.parse::<kernel::Rate>()?;
    ensure!(coins.rounded(4) == "0.5629", "{coins}");
    let implied = coin.implied_hashprice_per_ph_day.as_ref().context("a hashprice")?;
    ensure!(implied.value.parse::<kernel::Rate>()?.rounded(2) == "37.23", "{implied:?}");
    ensure!(mining.break_even_hashprice == decimal("22.68"), "{mining:#?}");
    ensure!(!answer.assumptions.is_empty(), "nothing is assumed in silence");

    // With New York's proposal: 330 MW at 95 %.
    let taxed =
        leasing::MiningCase { excise: leasing::MiningExcise::NewYorkProposed.into(), ..offers::mine() };
    request.mining = Some(taxed);
    let taxed = offers_of.compare_with_mining(request).await?.into_inner();
    let excise = taxed.mining.as_ref().and_then(|mine| mine.excise_per_year.as_ref());
    ensure!(told(excise)? == "136,918,000.00", "{taxed:#?}");
    ensure!(taxed.assumptions.iter().any(|said| said.contains("not law")), "{:#?}", taxed.assumptions);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_place_has_the_power_that_inventory_knows() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "acme", &[market::hall(7_000)]).await?;
    let mut sales = stack.clients(&site.operator, Role::Sales)?.offers();
    let at = |place: &str| leasing::CompareWithMiningRequest {
        place: place.to_owned(),
        gross_kw: 0,
        critical_it_kw: 0,
        ..offers::comparison("operators/acme")
    };
    let hall = sales.compare_with_mining(at(&site.blocks[0])).await?.into_inner();
    ensure!((hall.gross_kw, hall.critical_it_kw) == (10_000, 7_000), "{hall:#?}");
    ensure!(hall.assumptions[0].contains("10 to 7"), "{:#?}", hall.assumptions);
    let whole = sales.compare_with_mining(at(&site.site)).await?.into_inner();
    ensure!((whole.gross_kw, whole.critical_it_kw) == (10_000_000, 7_000_000), "{whole:#?}");

    // A site without a contract has no power to compare, and another's site is not there.
    let bare = contracts::inventory::v1::CreateSiteRequest {
        parent: site.operator.clone(),
        site_id: "bare".to_owned(),
        site: Some(contracts::inventory::v1::Site { grid_steps: Vec::new(), ..market::grid_site(1) }),
        request_id: request_id(),
        validate_only: false,
    };
    clients(&site.operator, Role::SiteOps)?.sites().create_site(bare).await?;
    let refusal = Refusal::expect(sales.compare_with_mining(at("operators/acme/sites/bare")).await)?;
    let refusal = refusal.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(refusal.fields == ["place"], "{refusal:#?}");
    let absent = Refusal::expect(sales.compare_with_mining(at("operators/acme/sites/no-such")).await)?;
    absent.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    stack.stop().await;
    Ok(())
}
