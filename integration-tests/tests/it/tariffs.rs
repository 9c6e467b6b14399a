//! Tariffs as an operator uses them: the published ones to the cent, rates that change in a month, and a meter's energy.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::billing::v1::tariff_component::Price;
use contracts::google::r#type::Money;
use gridlease::clients::Clients;
use integration_tests::market::{date, day, decimal, request_id, series};
use integration_tests::requests::tariffs::{component, energy, tariff};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use serde_json::Value;
use tonic::Code;

const OPERATOR: &str = "operators/acme";

fn cents(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}

async fn create(finance: &Clients, id: &str, tariff: billing::Tariff) -> Result<String> {
    let create = billing::CreateTariffRequest {
        parent: OPERATOR.to_owned(),
        tariff_id: id.to_owned(),
        tariff: Some(tariff),
        request_id: request_id(),
        validate_only: false,
    };
    Ok(finance.tariffs().create_tariff(create).await?.into_inner().tariff.context("a tariff")?.name)
}

fn ask(name: &str, start: &str, end: &str, energy_kwh: i64, peak_kw: i64) -> billing::RateLoadRequest {
    billing::RateLoadRequest {
        name: name.to_owned(),
        start_date: Some(date(start)),
        end_date: Some(date(end)),
        stated: Some(billing::StatedLoad { energy_wh: energy_kwh * 1_000, peak_kw }),
        ..Default::default()
    }
}

async fn rate(finance: &Clients, ask: billing::RateLoadRequest) -> Result<billing::RateLoadResponse> {
    Ok(finance.tariffs().rate_load(ask).await?.into_inner())
}

/// A tariff of the file that ships, as a customer would type it in.
pub(crate) fn published(id: &str) -> Result<billing::Tariff> {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../../services/billing/data/tariffs.json"))?;
    let found = all.into_iter().find(|tariff| tariff["id"] == id).context("it is in the file")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let number = |value: &Value| value.as_str().and_then(decimal);
    let component = |value: &Value| {
        let price = &value["price"];
        let price = match price["kind"].as_str()? {
            "fixed" => Price::Fixed(billing::FixedPrice { per_month: number(&price["per_month"]) }),
            "energy" => Price::Energy(billing::EnergyPrice { per_kwh: number(&price["per_kwh"]) }),
            "demand" => Price::Demand(billing::DemandPrice {
                per_kw: number(&price["per_kw"]),
                basis: match price["basis"].as_str()? {
                    "coincident_peak" => billing::DemandBasis::CoincidentPeak.into(),
                    _ => billing::DemandBasis::HighestInterval.into(),
                },
                floor_percent: number(&price["floor"]),
            }),
            _ => {
                let bracket = |b: &Value| billing::ExciseBracket {
                    above_kwh: b["above_kwh"].as_i64().unwrap_or(0),
                    per_kwh: number(&b["per_kwh"]),
                };
                let brackets = price["brackets"].as_array()?.iter().map(bracket).collect();
                Price::Excise(billing::ExcisePrice { brackets, ..Default::default() })
            }
        };
        Some(billing::TariffComponent {
            code: text(&value["code"]),
            from_date: Some(date(value["from"].as_str()?)),
            until_date: None,
            source: text(&value["source"]),
            price: Some(price),
        })
    };
    Ok(billing::Tariff {
        display_name: text(&found["display_name"]),
        currency_code: text(&found["currency"]),
        time_zone: text(&found["zone"]),
        min_kw: found["terms"]["min_kw"].as_i64().unwrap_or(0),
        collateral_per_kw: number(&found["terms"]["collateral_per_kw"]),
        collateral_reduction_max_percent: number(&found["terms"]["collateral_reduction_max"]),
        components: found["components"]
            .as_array()
            .context("components")?
            .iter()
            .filter_map(component)
            .collect(),
        ..Default::default()
    })
}

#[tokio::test]
async fn b08_b10_b11_and_b13_to_the_cent() -> Result<()> {
    let stack = TestStack::start().await?;
    let finance = stack.clients(OPERATOR, Role::Finance)?;

    let blended = billing::Tariff { components: vec![energy("0.052")], ..tariff() };
    let blended = create(&finance, "blended", blended).await?;
    let capped = |facility_kwh| billing::RateLoadRequest {
        pue_cap: decimal("1.30"),
        it_energy_wh: 24_480_000_000,
        ..ask(&blended, "2027-01-01", "2027-01-31", facility_kwh, 0)
    };
    let b08 = rate(&finance, capped(33_048_000)).await?;
    ensure!(
        (cents(b08.total.as_ref()), cents(b08.absorbed.as_ref())) == (165_484_800, 6_364_800),
        "{b08:#?}"
    );
    ensure!(b08.billable_kwh == decimal("31824000") && b08.absorbed_kwh == decimal("1224000"), "{b08:#?}");
    let below = rate(&finance, capped(29_865_600)).await?;
    ensure!((cents(below.total.as_ref()), cents(below.absorbed.as_ref())) == (155_301_120, 0), "{below:#?}");

    let comed = create(&finance, "comed", published("comed-high-voltage")?).await?;
    let (mut year, mut tax) = (0, 0);
    for month in 1..=12 {
        let start = kernel::CivilDate::from_ymd_opt(2026, month, 1).context("a day")?;
        let end = kernel::time::add_months(start, 1).context("a day")?;
        let hours = (end - start).num_hours();
        let asked = ask(&comed, &start.to_string(), &end.to_string(), 270_000 * hours, 300_000);
        let b10 = rate(&finance, asked).await?;
        year += cents(b10.total.as_ref());
        let lines = b10.lines.iter().filter(|line| line.code == "distribution-tax");
        tax += lines.map(|line| cents(line.amount.as_ref())).sum::<i64>();
    }
    ensure!((year, tax) == (1_431_786_876, 293_284_800), "{year} {tax}");

    let dominion = create(&finance, "dominion", published("dominion-gs5")?).await?;
    let contracted = |contracted_kw| billing::RateLoadRequest {
        contracted_kw,
        ..ask(&dominion, "2027-01-01", "2027-02-01", 0, 10_000)
    };
    let b11 = rate(&finance, contracted(100_000)).await?;
    let kw: Vec<_> = b11.lines.iter().map(|line| (line.code.as_str(), line.quantity.clone())).collect();
    let floors = [("distribution", "85000"), ("generation", "60000"), ("transmission", "85000")];
    ensure!(kw == floors.map(|(code, kw)| (code, decimal(kw))), "{kw:?}");
    let collateral = (cents(b11.collateral.as_ref()), cents(b11.collateral_least.as_ref()));
    ensure!(b11.served && collateral == (15_000_000_000, 4_500_000_000), "{b11:#?}");
    ensure!(!rate(&finance, contracted(20_000)).await?.served, "20 MW are not served");

    let excise = create(&finance, "new-york", published("new-york-mining-excise")?).await?;
    for (kwh, wanted) in [
        (2_250_000, 0),
        (2_250_001, 2),
        (5_000_000, 5_500_000),
        (10_000_000, 20_500_000),
        (20_000_000, 60_500_000),
        (100_000_000, 460_500_000),
        (499_320_000, 2_457_100_000),
    ] {
        let b13 = rate(&finance, ask(&excise, "2027-01-01", "2027-02-01", kwh, 0)).await?;
        ensure!(cents(b13.total.as_ref()) == wanted, "{kwh} kWh: {b13:#?}");
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_rate_that_changes_in_a_month_is_added_and_charged_by_the_day() -> Result<()> {
    let stack = TestStack::start().await?;
    let finance = stack.clients(OPERATOR, Role::Finance)?;
    let mut oncor = published("oncor-transmission")?;
    // The factor of October is not known yet when the tariff is entered.
    let later =
        oncor.components.iter().position(|c| c.from_date == Some(date("2026-10-04"))).context("a change")?;
    let later = oncor.components.remove(later);
    let name = create(&finance, "oncor", oncor).await?;
    let october = || billing::RateLoadRequest {
        coincident_kw: 100_000,
        ..ask(&name, "2026-10-01", "2026-11-01", 0, 100_000)
    };
    let tcrf = |rated: &billing::RateLoadResponse| -> Vec<(i32, i64)> {
        let lines = rated.lines.iter().filter(|line| line.code == "tcrf");
        lines.map(|line| (line.days, cents(line.amount.as_ref()))).collect()
    };
    let before = rate(&finance, october()).await?;
    ensure!(tcrf(&before) == [(31, 34_917_590)], "{before:#?}");

    let add = |etag: &str| billing::AddTariffComponentsRequest {
        name: name.clone(),
        components: vec![later.clone()],
        etag: etag.to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let once = add(&before.tariff_etag);
    let added = finance.tariffs().add_tariff_components(once.clone()).await?.into_inner();
    let again = finance.tariffs().add_tariff_components(once).await?.into_inner();
    ensure!(added == again, "the same request, another answer");
    let stale = Refusal::expect(finance.tariffs().add_tariff_components(add(&before.tariff_etag)).await)?;
    stale.is(Code::Aborted, "ETAG_MISMATCH")?;

    let after = rate(&finance, october()).await?;
    ensure!(tcrf(&after) == [(3, 3_379_122), (28, 56_549_514)], "{after:#?}");
    let line = after.lines.iter().find(|line| line.code == "tcrf").context("a line")?;
    ensure!(line.formula == "100000 kW x 3.491759 USD per kW x 3/31 days = USD 33791.22", "{}", line.formula);
    let read =
        finance.tariffs().get_tariff(billing::GetTariffRequest { name: name.clone() }).await?.into_inner();
    ensure!(read.tariff == added.tariff && read.tariff.is_some_and(|t| t.etag == after.tariff_etag));
    stack.stop().await;
    Ok(())
}

/// A meter of a hall in Chicago.
fn quarter_hours() -> billing::CreateMeterRequest {
    billing::CreateMeterRequest {
        parent: OPERATOR.to_owned(),
        meter_id: "hall-a".to_owned(),
        meter: Some(billing::Meter {
            display_name: "Hall A".to_owned(),
            kind: billing::MeterKind::Block.into(),
            site: format!("{OPERATOR}/sites/rockdale"),
            block: format!("{OPERATOR}/sites/rockdale/blocks/hall-a"),
            time_zone: "America/Chicago".to_owned(),
            interval_minutes: 15,
            max_kw: 50_000,
            install_date: Some(date("2026-01-01")),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    }
}

#[tokio::test]
async fn a_meters_energy_is_charged_and_its_correction_changes_the_charge() -> Result<()> {
    let stack = TestStack::start_on(day("2027-03-01")).await?;
    let (finance, ops) = (stack.clients(OPERATOR, Role::Finance)?, stack.clients(OPERATOR, Role::SiteOps)?);
    let meter = format!("{OPERATOR}/meters/hall-a");
    ops.meters().create_meter(quarter_hours()).await?;
    let send = async |series: billing::ReadingSeries| {
        let message = billing::IngestReadingsRequest {
            parent: OPERATOR.to_owned(),
            series: vec![series],
            validate_only: false,
        };
        ops.meters().ingest_readings(tokio_stream::iter([message])).await
    };
    // January in Chicago: 2,976 quarter-hours at 40 MW.
    send(series(&meter, "2027-01-01T06:00:00Z", &[10_000_000; 2_976])).await?;
    let demand = billing::DemandPrice {
        per_kw: decimal("6.74"),
        basis: billing::DemandBasis::HighestInterval.into(),
        floor_percent: decimal("85"),
    };
    let demand =
        billing::TariffComponent { price: Some(Price::Demand(demand)), ..component("demand", "2027-01-01") };
    let index = billing::IndexedPrice { adder_per_kwh: decimal("0.002") };
    let index =
        billing::TariffComponent { price: Some(Price::Indexed(index)), ..component("index", "2027-01-01") };
    let name = create(
        &finance,
        "all",
        billing::Tariff { components: vec![demand, energy("0.007"), index], ..tariff() },
    )
    .await?;
    let january = || billing::RateLoadRequest {
        meter: meter.clone(),
        stated: None,
        prices: Some(billing::IntervalPrices {
            start_time: Some(runtime::wire::to_timestamp(
                "2027-01-01T06:00:00Z".parse().expect("an instant"),
            )),
            interval_minutes: 60,
            per_kwh: vec![decimal("0.038").expect("a price"); 744],
        }),
        ..ask(&name, "2027-01-01", "2027-02-01", 0, 0)
    };
    let sums = |rated: &billing::RateLoadResponse| -> Vec<i64> {
        rated.lines.iter().map(|line| cents(line.amount.as_ref())).collect()
    };
    let first = rate(&finance, january()).await?;
    // 40,000 kW x 6.74; 29,760,000 kWh x 0.007 and x 0.040.
    ensure!(sums(&first) == [26_960_000, 20_832_000, 119_040_000], "{first:#?}");
    ensure!(first.estimated_wh == 0 && first.billable_kwh == decimal("29760000"), "{first:#?}");

    let corrected =
        billing::ReadingSeries { revision: 1, ..series(&meter, "2027-01-15T06:00:00Z", &[11_000_000; 4]) };
    send(corrected).await?;
    let second = rate(&finance, january()).await?;
    // 44,000 kW, and 4,000 kWh more.
    ensure!(sums(&second) == [29_656_000, 20_834_800, 119_056_000], "{second:#?}");

    let mut short = january();
    short.prices.as_mut().context("prices")?.per_kwh.truncate(743);
    let refused = Refusal::expect(finance.tariffs().rate_load(short).await)?;
    ensure!(refused.reason == "INVALID_FIELD" && refused.fields == ["prices"], "{refused:#?}");
    stack.stop().await;
    Ok(())
}
