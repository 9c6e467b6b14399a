//! What stands behind a tenant: part of what both sign, and told for any day with what is left of each cap.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::google::r#type::{Date, Money};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day};
use integration_tests::world::in_state;
use integration_tests::{Refusal, eventually};
use kernel::Role;
use leasing::LeaseState;
use tonic::Code;

use crate::life::Deal;
use crate::money::cents;

async fn cover(by: &Clients, lease: &str, on: Option<Date>) -> Result<leasing::GetCreditCoverResponse> {
    let ask = leasing::GetCreditCoverRequest { name: lease.to_owned(), as_of_date: on };
    Ok(by.leases().get_credit_cover(ask).await.context("a cover")?.into_inner())
}

fn usd(units: i64, nanos: i32) -> Option<Money> {
    Some(Money { currency_code: "USD".to_owned(), units, nanos })
}

#[tokio::test]
async fn a_backstop_covers_from_the_first_rent_on_and_falls_by_the_month() -> Result<()> {
    let deal = Deal::prepare(&[20_000]).await?;
    let letter = leasing::CreditSupport {
        credit_support_id: "letter".to_owned(),
        kind: leasing::CreditSupportKind::LetterOfCredit.into(),
        provider: "A Bank".to_owned(),
        cap: usd(10_000_000, 0),
        covers_from: leasing::CreditCoverStart::InForce.into(),
        amortisation_months: 0,
        expiry_date: Some(date("2029-01-01")),
    };
    let mut terms = market::terms(&deal.blocks[0], market::load(10_000));
    terms.credit_supports = vec![market::backstop(), letter];
    let proposed = deal.propose("river", terms.clone()).await?;
    ensure!(proposed.terms.as_ref().is_some_and(|told| told.credit_supports == terms.credit_supports));
    let plain = deal.propose("plain", market::terms(&deal.blocks[0], market::load(10_000))).await?;
    ensure!(plain.terms_hash != proposed.terms_hash, "it is part of what is signed");
    let nothing = cover(&deal.finance, &proposed.name, Some(date("2027-06-01"))).await?;
    ensure!(nothing.total == usd(0, 0), "nobody is bound before both have signed: {nothing:#?}");
    deal.tenants.leases().sign_lease(market::signature(&proposed)).await.context("the tenant signs")?;
    deal.admin.leases().sign_lease(market::signature(&proposed)).await.context("the operator signs")?;

    let today = cover(&deal.finance, &proposed.name, None).await?;
    ensure!(today.first_rent_date == Some(date("2027-01-01")), "{today:#?}");
    ensure!(
        today.total == usd(10_000_000, 0),
        "before the first rent the letter is all there is: {today:#?}"
    );
    ensure!(today.covers[0].next_change_date == Some(date("2027-01-01")), "{today:#?}");
    ensure!(today.covers[0].next_cover == usd(1_300_000_000, 0), "{today:#?}");
    deal.stack.move_to(day("2027-02-02")).await?;
    in_state(&deal.sales, &proposed.name, LeaseState::Active).await?;
    // 119 of 120 parts.
    let now = cover(&deal.tenants, &proposed.name, None).await?;
    ensure!(now.as_of_date == Some(date("2027-02-02")), "{now:#?}");
    ensure!(now.covers[0].cover == usd(1_289_166_666, 670_000_000), "{now:#?}");
    ensure!(now.total == usd(1_299_166_666, 670_000_000), "{now:#?}");
    exposed(&deal.finance, &proposed.name, &now).await?;
    let later = cover(&deal.finance, &proposed.name, Some(date("2032-01-01"))).await?;
    ensure!(later.total == usd(650_000_000, 0), "half of it, and no letter: {later:#?}");
    let last = cover(&deal.finance, &proposed.name, Some(date("2037-01-01"))).await?;
    ensure!(last.total == usd(0, 0) && last.covers[0].next_change_date.is_none(), "{last:#?}");

    // Who runs the site sees that somebody stands behind the tenant, and no money.
    let get = leasing::GetLeaseRequest { name: proposed.name.clone(), version: 0 };
    let seen = deal.ops.leases().get_lease(get).await?.into_inner().lease.and_then(|lease| lease.terms);
    let seen = seen.context("terms")?.credit_supports;
    ensure!(seen.len() == 2 && seen.iter().all(|one| one.cap.is_none()), "{seen:#?}");
    let denied = deal.ops.leases();
    let ask = leasing::GetCreditCoverRequest { name: proposed.name.clone(), as_of_date: None };
    Refusal::expect({ denied }.get_credit_cover(ask).await)?
        .is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let stranger = deal.stack.clients("tenants/nobody-else", Role::Tenant)?;
    let ask = leasing::GetCreditCoverRequest { name: proposed.name, as_of_date: None };
    Refusal::expect(stranger.leases().get_credit_cover(ask).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    deal.stack.stop().await;
    Ok(())
}

/// Billing tells the same cover beside what is owed and still to pay, on the day and before the first rent.
async fn exposed(finance: &Clients, lease: &str, cover: &leasing::GetCreditCoverResponse) -> Result<()> {
    let ask = async |on: Option<Date>| {
        let operator = lease.split("/leases/").next().unwrap_or_default().to_owned();
        let ask = billing::GetExposureRequest { parent: operator, as_of_date: on };
        let told = finance.reports().get_exposure(ask).await?.into_inner();
        ensure!(told.rows.len() <= 1 || told.totals.len() == 1, "{told:#?}");
        anyhow::Ok(told.rows.into_iter().find(|row| row.lease == lease))
    };
    let row = eventually("billing has heard of the lease", async || ask(None).await).await?;
    ensure!(row.cover == cover.total && row.first_rent_date == cover.first_rent_date, "{row:#?}");
    ensure!(!row.before_first_rent && row.covers.len() == 2, "{row:#?}");
    let (rent, covered) = (row.remaining_rent.context("rent")?, row.cover.context("a cover")?);
    let (rent, covered) = (cents(Some(&rent)), cents(Some(&covered)));
    ensure!(rent > 0 && cents(row.uncovered.as_ref()) == (rent - covered).max(0), "{rent} {covered}");
    let before = ask(Some(date("2026-12-31"))).await?.context("a row")?;
    ensure!(before.before_first_rent && before.cover == usd(10_000_000, 0), "{before:#?}");
    Ok(())
}
