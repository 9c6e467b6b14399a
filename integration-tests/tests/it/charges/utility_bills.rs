//! Utility bills from a controller's terminal, and what the feed tells of them.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::asking::Billing;
use gridlease::finance::utility_bills::{List, Record, UtilityBills, What};
use gridlease::finance::{self, FinanceWhat, Server};
use integration_tests::feed;
use integration_tests::market::{ZONE, day, request_id};
use kernel::Role;
use serde_json::Value;

use super::field::Field;

/// The feed tells these kinds of a bill, in this order, to finance.
pub(super) async fn heard<const N: usize>(field: &Field, kinds: [&str; N], bill: &str) -> Result<()> {
    let at = field.stack.stack().addresses().billing;
    let channel = runtime::client::channel(&format!("http://{at}"))?;
    let bearer = runtime::client::Bearer::new(&field.stack.token(&field.operator, Role::Finance)?)?;
    let mut client = billing::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let all = ["utility_bill.recorded", "utility_bill.trued_up"].map(str::to_owned).to_vec();
    let watch = billing::WatchEventsRequest { kinds: all, ..Default::default() };
    let mut stream = client.watch_events(watch).await?.into_inner();
    for kind in kinds {
        let event = feed::next(&mut stream).await?;
        ensure!(event.r#type == kind && event.subject == bill, "{kind}: {event:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_bill_is_recorded_from_a_file_and_listed() -> Result<()> {
    let field = Field::prepare(&[20_000]).await?;
    let meter = field.meter("utility", None, ZONE, 60).await?;
    field.stack.move_to(day("2027-03-01")).await?;
    let told = |what| -> Result<FinanceWhat> { Ok(FinanceWhat::UtilityBills(UtilityBills { what })) };
    let server = |json| -> Result<Server> {
        let billing = Billing {
            billing: format!("http://{}", field.stack.stack().addresses().billing),
            token: Some(field.stack.token(&field.operator, Role::Finance)?),
            data_dir: None,
        };
        Ok(Server { operator: field.operator.trim_start_matches("operators/").parse()?, billing, json })
    };
    let file = std::env::temp_dir().join(format!("{}.json", request_id()));
    let slug = meter.rsplit('/').next().unwrap_or_default();
    let bill = format!(
        "{{\"meter\": \"{slug}\", \"number\": \"E-1001\", \"from_date\": \"2027-01-01\", \"until_date\": \"2027-02-01\", \
         \"bill_date\": \"2027-02-10\", \"currency\": \"USD\", \"amount_minor\": 12500000, \"energy_kwh\": 2500000, \
         \"components\": [{{\"code\": \"energy\", \"amount_minor\": 12500000}}]}}"
    );
    std::fs::write(&file, bill)?;
    let record = |check, json| -> Result<FinanceWhat> {
        told(What::Record(Record { file: file.clone(), check, server: server(json)? }))
    };
    finance::answer(record(true, false)?).await?;
    let nothing = finance::answer(told(What::List(List { meter: None, server: server(false)? }))?).await?;
    ensure!(nothing == "There is no such bill.", "a check records nothing: {nothing}");
    let json: Value = serde_json::from_str(&finance::answer(record(false, true)?).await?)?;
    ensure!(json[0]["amount"] == "125,000.00" && json[0]["trued_up"] == false, "{json:#}");
    let list = List { meter: Some(slug.parse()?), server: server(true)? };
    let listed: Value = serde_json::from_str(&finance::answer(told(What::List(list))?).await?)?;
    ensure!(listed == json, "{listed:#}");
    let name = json[0]["name"].as_str().context("a name")?;
    heard(&field, ["utility_bill.recorded"], name).await?;
    let twice = finance::answer(record(false, false)?).await;
    ensure!(twice.is_err(), "of these days there is a bill");
    std::fs::remove_file(&file)?;
    field.stack.stop().await;
    Ok(())
}
