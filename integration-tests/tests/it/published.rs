//! The published deals as contracts: what their terms come to beside what was published, and every difference with its reason.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use gridlease::market::{kilowatts, to_cents};
use kernel::rent::solve_year_one_rate;
use kernel::time::add_months;
use kernel::{CapacityVector, Currency, EscalationBasis, Money, Percent, Rate, Zone};
use leasing::domain::draft::{Draft, EscalatorDraft, PremisesDraft, RateDraft, RenewalDraft};
use leasing::domain::terms::Structure;
use leasing::domain::{Findings, Lease, Proposal, Value, schedule};
use serde::Deserialize;

const LEASES: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../services/gridlease/data/leases.csv"));
/// A term of whole years from the first of a month: on any other day a total gives another rate.
const START: &str = "2027-01-01";
/// What the rows without an escalator are tried with.
const TRIED: &str = "3";
/// Figures in billions are published to a tenth of one at the finest.
const COARSEST: i64 = 10_000_000_000;

/// Rates of the last year, published with the totals that they follow from.
const LAST_YEAR: &[(&str, &str)] =
    &[("HUT-FS-RB", "193.64"), ("HUT-BP1", "188.68"), ("CIFR-AWS-BP", "172.57"), ("CIFR-AWS-STG", "193.64")];

/// Options that 3 % a year do not lead to, and why.
const DIFFERENCES: &[(&str, &str)] = &[
    ("HUT-FS-RB", "the total with options fits a base of about 6.92bn only: 7.0bn is rounded up"),
    ("WULF-FS-CB5", "both figures are differences of totals, each rounded by itself"),
    ("APLD-PF3", "the options would be at about 2.4 % a year"),
    (
        "DGXX-CBRS-40",
        "rents of the option are above those that would follow: another rate, or another escalator",
    ),
];

/// Rows that state what options are worth and not how many there are or how long they last: what they are tried with.
const OPTIONS_ASSUMED: &[(&str, (i32, i32), &str)] = &[
    ("RIOT-LAB-191", (2, 60), "two of five years, which its total with options follows from at 3 %"),
    ("APLD-PF3", (3, 60), "three of five years, as its operator gives elsewhere"),
];

#[derive(Debug, Deserialize)]
struct Row {
    deal_id: String,
    critical_it_mw: String,
    term_years: String,
    renewal_options: String,
    tcv_usd: String,
    tcv_with_options_usd: String,
    published_annual_revenue_usd: String,
    escalator_pct: String,
    implied_avg_usd_per_kw_month: String,
    implied_year1_usd_per_kw_month: String,
    structure: String,
    lease_type: String,
    status: String,
}

/// A row with a load, a term and a price, as a contract.
struct Deal {
    row: Row,
    kw: i64,
    years: u32,
    /// Base term, USD, as published.
    total: Option<Money>,
    options: Option<(i32, i32)>,
}

impl Deal {
    /// None where the row does not state enough, or is no lease of its own.
    fn of(row: Row) -> Result<Option<Self>> {
        let whole = |text: &str| text.parse::<u32>().ok();
        let counted = row.status != "aggregate" && !row.status.starts_with("lease amendment");
        let lease =
            counted && !row.lease_type.starts_with("GPU cloud") && !row.status.starts_with("AMENDMENT");
        let (Some(years), false, true) = (whole(&row.term_years), row.critical_it_mw.is_empty(), lease)
        else {
            return Ok(None);
        };
        let total = (!row.tcv_usd.is_empty()).then(|| usd(&row.tcv_usd)).transpose()?;
        if total.is_none() && row.implied_year1_usd_per_kw_month.is_empty() {
            return Ok(None);
        }
        let options = match row.renewal_options.split_once('x') {
            Some((count, years)) => Some((count.parse()?, 12 * years.trim_end_matches('y').parse::<i32>()?)),
            None => {
                OPTIONS_ASSUMED.iter().find(|(id, ..)| *id == row.deal_id).map(|(_, options, _)| *options)
            }
        };
        let valued = !row.tcv_with_options_usd.is_empty() && total.is_some();
        ensure!(options.is_some() || !valued, "{}: nobody says what its options are", row.deal_id);
        Ok(Some(Self { kw: kilowatts(&row.critical_it_mw)?, years, total, options, row }))
    }

    fn escalator(&self) -> Result<Option<Percent>> {
        let stated = &self.row.escalator_pct;
        Ok(if stated.is_empty() { None } else { Some(stated.parse()?) })
    }

    /// The contract with rates that rise by so much a year, and its figures.
    fn contract(&self, percent: Option<Percent>) -> Result<(Lease, Value, Rate)> {
        let rate = match self.total {
            Some(total) => solve_year_one_rate(total, self.kw, self.years, percent.unwrap_or(Percent::ZERO))?,
            None => self.row.implied_year1_usd_per_kw_month.parse()?,
        };
        let months = i32::try_from(12 * self.years)?;
        let start = START.parse()?;
        let block = format!("operators/published/sites/campus/blocks/{}", self.row.deal_id.to_lowercase());
        let draft = Draft {
            currency: Some(Currency::USD),
            structure: Some(match self.row.structure.as_str() {
                text if text.starts_with("gross") => Structure::Gross,
                text if text.starts_with("modified gross") => Structure::ModifiedGross,
                _ => Structure::TripleNet,
            }),
            premises: vec![PremisesDraft {
                block: block.parse().ok(),
                profile: vec![(Some(start), CapacityVector::new(self.kw, 0, self.kw, 0))],
                commencement: Some(start),
                end: add_months(start, months),
                rate: Some(RateDraft::Base(Some(rate))),
            }],
            escalator: percent.map(|percent| EscalatorDraft {
                percent: Some(percent),
                basis: Some(EscalationBasis::BlockAnniversary),
            }),
            payment_terms_days: 30,
            term_months: months,
            renewal_options: self.options.map_or_else(Vec::new, |(count, term_months)| {
                vec![RenewalDraft { count, term_months, notice_months: 12, ..RenewalDraft::default() }]
            }),
            ..Draft::default()
        };
        let mut findings = Findings::new();
        let checked = draft.check(None, "2026-12-01".parse()?, &mut findings);
        findings.finish()?;
        let checked = checked.context("terms")?;
        let zones: Vec<_> = checked.sites().map(|site| (site, Zone::UTC)).collect();
        let terms = checked.in_zones(&zones).context("terms")?;
        let proposal = Proposal {
            name: format!("operators/published/leases/{}", self.row.deal_id.to_lowercase()).parse()?,
            uid: kernel::Uuid::from_u128(1),
            tenant: "tenants/published".parse()?,
            terms,
            hold_seconds: 60,
        };
        let (lease, _) = Lease::propose(proposal, Zone::UTC.start_of_day("2026-12-01".parse()?))?;
        let value = schedule::value(&lease.terms, &lease.premises)?;
        Ok((lease, value, rate))
    }

    /// The row of the table, and whether the options fit; none where none are published.
    fn told(&self) -> Result<(String, Option<bool>)> {
        let id = &self.row.deal_id;
        let stated = self.escalator()?;
        let (lease, value, rate) = self.contract(stated)?;
        let last = lease.premises[0].rate_steps.last().context("a rate")?.rate;
        let base = value.base_contract_value;
        if let Some(total) = self.total {
            let cents = (base.minor - total.minor).abs();
            // Half a cent a line, and what ten decimals leave of the rate.
            ensure!(cents <= i64::from(12 * self.years), "{id}: {base} and not {total}");
        }
        let year_one = &self.row.implied_year1_usd_per_kw_month;
        ensure!(year_one.is_empty() || same(rate, year_one)?, "{id}: {rate} in year one and not {year_one}");
        let average = Money::new(base.minor / i64::from(12 * self.years), base.currency);
        let average = Rate::from_scaled(i128::from(average.minor) * 100_000_000 / i128::from(self.kw))
            .context("an average")?;
        let published = &self.row.implied_avg_usd_per_kw_month;
        ensure!(published.is_empty() || same(average, published)?, "{id}: {average} and not {published}");
        if let Some((_, published)) = LAST_YEAR.iter().find(|(deal, _)| deal == id) {
            ensure!(same(last, published)?, "{id}: {last} in the last year and not {published}");
        }
        let revenue = &self.row.published_annual_revenue_usd;
        if self.total.is_none() && !revenue.is_empty() {
            ensure!(value.year_one_rent == usd(revenue)?, "{id}: {} and not {revenue}", value.year_one_rent);
        }
        let (options, fits) = self.options_told(stated)?;
        let escalator = stated.map_or_else(|| "unstated".to_owned(), |percent| format!("{percent} %"));
        let total = self.total.map_or_else(String::new, millions);
        let line = format!(
            "| {id} | {} | {} | {escalator} | {} | {} | {} | {} | {total} | {options} |",
            self.kw,
            self.years,
            rate.rounded(2),
            last.rounded(2),
            average.rounded(2),
            millions(base),
        );
        Ok((line, fits))
    }

    /// What the options come to at the stated escalator, or at 3 %, and flat where nothing is stated, beside what was published.
    fn options_told(&self, stated: Option<Percent>) -> Result<(String, Option<bool>)> {
        if self.row.tcv_with_options_usd.is_empty() || self.options.is_none() {
            return Ok((" |  |  | ".to_owned(), None));
        }
        let (total, with) = (self.total.context("a total")?, usd(&self.row.tcv_with_options_usd)?);
        let at = |percent: Option<Percent>| -> Result<(Money, bool)> {
            let (_, value, _) = self.contract(percent)?;
            let whole = value.base_contract_value.minor + value.options_contract_value.minor;
            // Both were rounded: some base within its rounding must give some whole within its own.
            let (base, scaled) = (i128::from(total.minor), i128::from(whole));
            let (unit, own) = (i128::from(rounding(total)), i128::from(rounding(with)));
            let reach = |base: i128| scaled * base / i128::from(total.minor);
            let (least, most) = (reach(base - unit), reach(base + unit));
            let published = i128::from(with.minor);
            Ok((Money::new(whole, total.currency), least <= published + own && published - own <= most))
        };
        let (risen, fits) = at(Some(stated.map_or_else(|| TRIED.parse(), Ok)?))?;
        let flat = match stated {
            None => {
                let (flat, fits) = at(None)?;
                format!("{}{}", millions(flat), if fits { " fits" } else { "" })
            }
            Some(_) => String::new(),
        };
        let verdict = if fits { "fits" } else { "does not fit" };
        Ok((format!("{} | {flat} | {} | {verdict}", millions(risen), millions(with)), Some(fits)))
    }
}

/// Half the unit to which a figure was published: its zeros at the end, and never coarser than a tenth of a billion.
fn rounding(published: Money) -> i64 {
    let mut unit = 1;
    while published.minor % (unit * 10) == 0 && unit < COARSEST {
        unit *= 10;
    }
    unit / 2
}

fn usd(text: &str) -> Result<Money> {
    Ok(Money::new(to_cents(text)?, Currency::USD))
}

/// Millions of dollars, to the cent.
fn millions(money: Money) -> String {
    let (whole, cents) = (money.minor / 100_000_000, money.minor % 100_000_000);
    format!("{whole}.{cents:08}")
}

/// Whether a rate is the published one, to as many decimals as that has.
fn same(rate: Rate, published: &str) -> Result<bool> {
    let decimals = published.split_once('.').map_or(0, |(_, part)| part.len());
    Ok(rate.rounded(u8::try_from(decimals)?) == published)
}

#[test]
fn the_published_deals_come_to_what_was_published_or_the_difference_has_a_reason() -> Result<()> {
    let rows =
        csv::Reader::from_reader(LEASES.as_bytes()).into_deserialize().collect::<Result<Vec<Row>, _>>()?;
    let all = rows.len();
    let mut table = format!(
        "# The published deals as contracts\n\nWritten by the test `published`; `UPDATE_GOLDEN=1` renews it. Each row of `leases.csv` with \
         a load, a term and a price, as one block from\n{START} on, at the rate that its published total gives. Rates are USD a kW and month, sums millions of USD. \
         Where no escalator\nis stated the base is flat, and options are tried at {TRIED} % and flat. A figure fits within the rounding of both.\n\n\
         | deal | kW | years | escalator | year one | last year | average | base | published | with options, risen | flat | published | \
         |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n"
    );
    let (mut told, mut fitted) = (0, 0);
    let mut strange = Vec::new();
    for row in rows {
        if let Some((id, ..)) = OPTIONS_ASSUMED.iter().find(|(id, ..)| *id == row.deal_id) {
            ensure!(row.renewal_options.is_empty(), "{id} states its options");
        }
        let Some(deal) = Deal::of(row)? else { continue };
        let (line, fits) = deal.told()?;
        writeln!(table, "{line}")?;
        told += 1;
        let reason = DIFFERENCES.iter().find(|(id, _)| *id == deal.row.deal_id);
        match (fits, reason) {
            (Some(false), None) => {
                strange.push(format!("{} does not fit, and nobody says why", deal.row.deal_id));
            }
            (Some(true) | None, Some((id, why))) => strange.push(format!("{id} fits: {why}")),
            (Some(true), None) => fitted += 1,
            (Some(false), Some(_)) | (None, None) => {}
        }
    }
    writeln!(table, "\nOf {all} rows {told} state enough. What does not fit, and why:\n")?;
    for (id, why) in DIFFERENCES {
        writeln!(table, "- {id}: {why}")?;
    }
    writeln!(table, "\nOptions that are not stated, and what was assumed:\n")?;
    for (id, _, why) in OPTIONS_ASSUMED {
        writeln!(table, "- {id}: {why}")?;
    }
    ensure!(fitted > 0, "nothing fits: {table}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/published_deals.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &table)?;
    }
    ensure!(strange.is_empty(), "{strange:#?}\n{table}");
    ensure!(std::fs::read_to_string(path).unwrap_or_default() == table, "the figures changed:\n{table}");
    Ok(())
}
