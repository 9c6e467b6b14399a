//! The published cases that no other journey holds, over the wire and to the cent.
//!
//! | case | what | held by |
//! |---|---|---|
//! | B-01, B-02, B-05 | phased premises, unit rates, stub months | `lease::the_published_cases_come_out_to_the_cent`, `advances::b02_..`, here |
//! | B-03 | a rate from a total | here |
//! | B-07 | quarter-hours and changes of the clock | `metering::b07_..`, `charges::tariffs::b07_..` |
//! | B-08 | the cap on what a facility takes | `tariffs::b08_..`, `charges::usage::b08_..` |
//! | B-10, B-11, B-13 | tariffs, floors, excise | `tariffs::b08_b10_b11_and_b13_..`, `charges::tariffs::b10_..` |
//! | B-15 | late interest | `advances::b15_..` |
//! | B-16 | a day of holdover | here |
//! | B-18, B-20 | straight-line revenue, backlog | here |
//! | B-19 | a prepayment whose phases have their own clocks | here |
//! | B-21 | mining against lease | `compare::what_was_published_comes_out` |
//! | B-23 | late delivery | here |

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, day, decimal};
use integration_tests::requests::money::usd;
use integration_tests::world::{holds_over, in_state, known_to_billing};
use leasing::LeaseState;

use crate::life::{DELIVERY, Deal, condition};
use crate::money::cents;

/// Terms of one hall between two days at a rate that does not rise.
fn flat(block: &str, kw: i64, (from, until, months): (&str, &str, i32), rate: &str) -> leasing::LeaseTerms {
    let mut terms = market::terms_from(block, market::load(kw), from);
    terms.premises[0].end_date = Some(date(until));
    terms.premises[0].base_rate_per_kw_month = decimal(rate);
    leasing::LeaseTerms { escalator: None, term_months: months, ..terms }
}

/// The same with 3 % a year.
fn rising(terms: leasing::LeaseTerms, basis: leasing::EscalationBasis) -> leasing::LeaseTerms {
    let escalator = leasing::Escalator { percent: decimal("3"), basis: basis.into(), fixed_date: None };
    leasing::LeaseTerms { escalator: Some(escalator), ..terms }
}

/// Every invoice of a lease to its last day.
async fn preview(deal: &Deal, lease: &str) -> Result<billing::PreviewInvoicesResponse> {
    known_to_billing(&deal.finance, lease, "2040-12-31").await?;
    let ask =
        billing::PreviewInvoicesRequest { lease: lease.to_owned(), through_date: None, until_end: true };
    Ok(deal.finance.invoices().preview_invoices(ask).await?.into_inner())
}

fn totals(told: &billing::PreviewInvoicesResponse) -> Vec<i64> {
    told.invoices.iter().map(|invoice| cents(invoice.total.as_ref())).collect()
}

fn month(year: i32, month: i32) -> Option<billing::BillingMonth> {
    Some(billing::BillingMonth { year, month })
}

#[tokio::test]
async fn b03_a_total_gives_a_rate_and_the_rate_the_total() -> Result<()> {
    let deals = [
        ("fs-rb", 245_000, "128.0156677674", 699_999_999_984, 37_636_606_324, "193.64"),
        ("bp1", 352_000, "124.7425398983", 979_999_999_980, 52_691_248_853, "188.68"),
        ("aws-bp", 216_000, "114.0880372464", 549_999_999_984, 29_571_619_254, "172.57"),
        ("aws-stg", 70_000, "128.0156677674", 200_000_000_004, 10_753_316_092, "193.64"),
    ];
    let deal = Deal::prepare(&deals.map(|(_, kw, ..)| kw)).await?;
    for ((id, kw, rate, total, first_year, last_rate), block) in deals.into_iter().zip(&deal.blocks) {
        let terms = flat(block, kw, ("2027-01-01", "2042-01-01", 180), rate);
        let lease = deal.propose(id, rising(terms, leasing::EscalationBasis::LeaseAnniversary)).await?;
        let told = preview(&deal, &lease.name).await?;
        ensure!(told.invoices.len() == 180 && cents(told.total.as_ref()) == total, "{id}: {:?}", told.total);
        // Each of twelve invoices is rounded, so that a year is six cents off at most.
        let year: i64 = totals(&told)[..12].iter().sum();
        ensure!((year - first_year).abs() <= 6, "{id}: {year}");
        let last = told.invoices[179].lines[0].rate_per_kw_month.as_ref().context("a rate")?;
        ensure!(last.value.starts_with(&last_rate[..5]), "{id}: {last:?} and not about {last_rate}");
    }
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b05_each_hall_rises_on_the_first_of_a_month_on_or_after_its_own_anniversary() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 20_000]).await?;
    let basis = leasing::EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary;
    for (id, block, from, until, rises) in [
        ("hall-b", &deal.blocks[0], "2027-07-05", "2029-07-05", (2028, 8)),
        ("on-the-first", &deal.blocks[1], "2027-07-01", "2029-07-01", (2028, 7)),
    ] {
        let terms = rising(flat(block, 20_000, (from, until, 24), "130"), basis);
        let told = preview(&deal, &deal.propose(id, terms).await?.name).await?;
        let risen = told.invoices.iter().find(|invoice| cents(invoice.total.as_ref()) == 267_800_000);
        let at = risen.and_then(|invoice| invoice.billing_month).context("a rise")?;
        ensure!((at.year, at.month) == rises, "{id}: {at:?}");
        let before: Vec<i64> =
            totals(&told).into_iter().skip(1).take_while(|total| *total == 260_000_000).collect();
        ensure!(before.len() >= 11, "{id}: {before:?}");
    }
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b16_a_day_of_holdover_costs_half_as_much_again() -> Result<()> {
    let deal = Deal::prepare(&[1_000]).await?;
    // 729,750.00 a year, by days of a year of 365; a day at the end of January, and a day after the term.
    let terms = leasing::LeaseTerms {
        rent: Some(leasing::RentTerms {
            proration: leasing::Proration::Actual365.into(),
            ..Default::default()
        }),
        ..flat(&deal.blocks[0], 1_000, ("2027-01-31", "2028-01-01", 12), "60.8125")
    };
    let lease = deal.agree("irving", terms).await?;
    deal.stack.move_to(day("2027-12-10")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    deal.bills(2027, 1, 199_932).await?;
    let ask = holds_over(&lease.name, "2028-01-02", "they leave a day late");
    deal.admin.leases().begin_holdover(ask).await.context("a holdover")?;
    deal.stack.move_to(day("2028-01-01")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Holdover).await?;
    deal.bills(2028, 1, 299_897).await?;
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b18_and_b20_revenue_is_a_straight_line_and_backlog_what_is_left_of_it() -> Result<()> {
    let deal = Deal::prepare(&[352_000, 10_000]).await?;
    let terms = flat(&deal.blocks[0], 352_000, ("2027-09-01", "2042-09-01", 180), "124.7425398983");
    let lease = deal.agree("bp1", rising(terms, leasing::EscalationBasis::LeaseAnniversary)).await?;
    let conditional = leasing::LeaseTerms {
        conditions: vec![condition("loan", "2028-12-01", leasing::ConditionParty::Operator)],
        ..flat(&deal.blocks[1], 10_000, ("2028-01-01", "2038-01-01", 120), "150")
    };
    let tydal = deal.agree("tydal", conditional).await?;
    deal.stack.move_to(day("2027-09-02")).await?;
    in_state(&deal.sales, &lease.name, LeaseState::Active).await?;
    integration_tests::world::billable(&deal.finance, &deal.operator, 2027, 9).await?;
    known_to_billing(&deal.finance, &tydal.name, "2028-12-31").await?;

    let ask = billing::GetRevenueScheduleRequest {
        parent: deal.operator.clone(),
        lease: lease.name.clone(),
        start_month: month(2027, 9),
        end_month: month(2042, 8),
    };
    let rows = deal.finance.reports().get_revenue_schedule(ask).await?.into_inner().rows;
    ensure!(rows.len() == 180, "{} rows", rows.len());
    let first = (cents(rows[0].revenue.as_ref()), cents(rows[0].billed.as_ref()));
    ensure!(first == (5_444_444_444, 4_390_937_404), "{first:?}");
    // The case counts with the unrounded 9.8 billion; rounded rates and lines make 20 cents of it.
    let closing = |at: usize| cents(rows[at - 1].closing_accrued_rent.as_ref());
    for (at, wanted) in
        [(12, 12_642_084_480), (60, 46_921_670_507), (96, 54_118_375_169), (120, 49_287_215_711), (180, 0)]
    {
        ensure!((closing(at) - wanted).abs() <= 20, "month {at}: {} and not {wanted}", closing(at));
    }
    ensure!((1..=180).all(|at| closing(at) <= closing(96)), "the peak is in month 96");

    let ask = billing::GetBacklogRequest {
        parent: deal.operator.clone(),
        start_month: month(2027, 9),
        end_month: month(2029, 8),
    };
    let told = deal.finance.reports().get_backlog(ask).await?.into_inner();
    let [bp1, tydal] = told.rows.as_slice() else { anyhow::bail!("two leases: {told:#?}") };
    let rolled = [&bp1.opening_backlog, &bp1.closing_backlog].map(|money| cents(money.as_ref()));
    ensure!(rolled == [979_999_999_980, 979_999_999_980 - 24 * 5_444_444_444 - 8], "{rolled:?}");
    let none = [&tydal.opening_backlog, &tydal.closing_backlog].map(|money| cents(money.as_ref()));
    ensure!(none == [0, 0] && tydal.lease_state == "SIGNED", "conditions are open: {tydal:#?}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b19_each_phase_is_credited_by_its_own_clock() -> Result<()> {
    let deal = Deal::prepare(&[50_000; 4]).await?;
    // 9.7 billion over sixty months in four phases of 50 MW, a fifth of it paid ahead.
    let starts = ["2027-01-01", "2027-04-01", "2027-07-01", "2027-10-01"];
    let ends = ["2032-01-01", "2032-04-01", "2032-07-01", "2032-10-01"];
    let of = |i: usize| flat(&deal.blocks[i], 50_000, (starts[i], ends[i], 60), "808.3333333333");
    let premises = (0..4).flat_map(|i| of(i).premises).collect();
    let terms = leasing::LeaseTerms {
        premises,
        prepayment: Some(leasing::Prepayment {
            amount: Some(usd(1_940_000_000)),
            draw_months: 60,
            first_draw_month: 0,
            basis: leasing::DrawBasis::FromEachBlock.into(),
        }),
        ..of(0)
    };
    let lease = deal.propose("iren", terms).await?;
    let told = preview(&deal, &lease.name).await?;
    let sum = |at: (i32, i32), wanted: billing::ChargeType| -> i64 {
        let of_month = told.invoices.iter().filter(|invoice| invoice.billing_month == month(at.0, at.1));
        let lines = of_month.flat_map(|invoice| &invoice.lines);
        lines.filter(|line| line.charge_type() == wanted).map(|line| cents(line.amount.as_ref())).sum()
    };
    use billing::ChargeType::{BaseRent, PrepaymentDraw};
    // A quarter of 32,333,333.33 for each phase that runs: for all four, for what is left at the end, and nothing after.
    for (at, wanted) in [
        ((2027, 1), 808_333_333_i64),
        ((2027, 4), 1_616_666_667),
        ((2027, 7), 2_425_000_000),
        ((2027, 10), 3_233_333_333),
        ((2031, 12), 3_233_333_333),
        ((2032, 1), 2_425_000_000),
        ((2032, 9), 808_333_333),
    ] {
        let drawn = -sum(at, PrepaymentDraw);
        ensure!((drawn - wanted).abs() <= 1, "{at:?}: {drawn} and not {wanted}");
    }
    ensure!(sum((2027, 10), BaseRent) == 16_166_666_668, "four roundings of 40,416,666.67");
    let all: i64 = told
        .invoices
        .iter()
        .flat_map(|invoice| &invoice.lines)
        .filter(|line| line.charge_type() == PrepaymentDraw)
        .map(|line| cents(line.amount.as_ref()))
        .sum();
    ensure!(all == -194_000_000_000, "all of it, to the cent: {all}");
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn b23_sixty_days_that_a_delay_lets_off_are_worth_what_sixty_days_cost() -> Result<()> {
    let deal = Deal::prepare(&[20_000, 20_000]).await?;
    let by_365 =
        || Some(leasing::RentTerms { proration: leasing::Proration::Actual365.into(), ..Default::default() });
    // 45 days after the grace: 30 at one day, 15 at two.
    let late = leasing::LeaseTerms {
        delivery: Some(DELIVERY),
        rent: by_365(),
        ..flat(&deal.blocks[0], 20_000, ("2027-05-03", "2028-05-03", 12), "130")
    };
    let late = deal.agree("late", late).await?;
    deal.slip(0, "2027-07-02").await?;
    let known = |lease: &leasing::Lease| lease.blocks[0].days_late == 60;
    let told = deal.until("the delay is known", &late.name, known).await?;
    ensure!(told.blocks[0].abated_days == 60, "{:#?}", told.blocks[0]);
    integration_tests::eventually("billing has heard of the delay", async || {
        let first = preview(&deal, &late.name).await?.invoices.into_iter().next();
        let starts = first.and_then(|invoice| invoice.lines.first().and_then(|line| line.period_start_date));
        Ok((starts == Some(date("2027-08-31"))).then_some(()))
    })
    .await?;
    // The same hall in time: those sixty days, in two broken months of thirty.
    let in_time = leasing::LeaseTerms {
        rent: by_365(),
        ..flat(&deal.blocks[1], 20_000, ("2027-07-02", "2027-08-31", 2), "130")
    };
    let in_time = deal.propose("in-time", in_time).await?;
    let told = preview(&deal, &in_time.name).await?;
    ensure!(totals(&told) == [256_438_356, 256_438_356], "{:?}", totals(&told));
    ensure!(cents(told.total.as_ref()) == 512_876_712, "5,128,767.12");
    deal.stack.stop().await;
    Ok(())
}
