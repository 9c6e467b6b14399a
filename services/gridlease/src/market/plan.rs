//! What is sent: deals and their phases, each value with where it comes from.

use anyhow::ensure;
use kernel::{BlockSlug, CivilDate, OperatorId, Percent, Rate, SiteId, TenantId};
use serde::Deserialize;

use super::to_cents;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// In the source, as it is.
    Stated,
    /// Follows from the source by a rule that the row names.
    Derived,
    /// Chosen for want of a source, by a rule that the row names.
    Assumed,
}

/// What becomes of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Priced: proposed, signed, billed.
    Lease,
    /// No price in the source: a reservation of kind LEASE, no lease, no rent.
    CapacityOnly,
    /// Sent, and refused by the server for the site's grid limit.
    Refused,
}

/// One phase of a deal: one block.
#[derive(Clone, Debug, Deserialize)]
pub struct PlanLine {
    /// Row of `leases.csv`.
    pub deal_id: String,
    /// What becomes of the deal.
    pub kind: Kind,
    /// The operator.
    pub operator: OperatorId,
    /// The operator, for people.
    pub operator_name: String,
    /// The tenant of record, or a placeholder.
    pub tenant: TenantId,
    /// The tenant, for people.
    pub tenant_name: String,
    /// Whether the tenant is named in the source.
    pub tenant_basis: Basis,
    /// The site.
    pub site_id: SiteId,
    /// The block, one per deal and phase.
    pub block_id: BlockSlug,
    /// Leased critical IT load.
    pub critical_it_kw: i64,
    /// What it draws at the meter.
    pub gross_kw: i64,
    /// Stated, shared over the phases of a stated figure, or IT x 10/7.
    pub gross_basis: Basis,
    /// Air cooling of the block.
    pub block_air_kw: i64,
    /// Liquid cooling of the block.
    pub block_liquid_kw: i64,
    /// Air cooling that the lease claims.
    pub claim_air_kw: i64,
    /// Liquid cooling that the lease claims.
    pub claim_liquid_kw: i64,
    /// The block is ready and the term begins.
    pub start_date: CivilDate,
    /// Where the date comes from.
    pub start_basis: Basis,
    /// Why.
    pub start_why: String,
    /// Length of the base term.
    pub term_months: u32,
    /// Base term value of the deal.
    pub tcv_usd: String,
    /// Empty without a price.
    pub tcv_basis: Option<Basis>,
    /// Year-1 rate where an escalator is stated, else flat.
    pub rate_per_kw_month: Option<Rate>,
    /// A year, compounding; only where stated.
    pub escalator_percent: Option<Percent>,
    /// How many renewals.
    pub renewal_count: Option<u32>,
    /// How long each.
    pub renewal_term_months: Option<u32>,
    /// Published value with options.
    pub tcv_with_options_usd: String,
    /// `NNN`, `MODIFIED_GROSS` or `GROSS`; empty without a lease.
    pub structure: String,
    /// When the deal was announced.
    pub announced_date: CivilDate,
    /// Open conditions of the source, in words; empty: none.
    pub conditional_why: String,
    /// Assumptions by name, parted by a bar.
    pub flags: String,
    /// Where the deal was read.
    pub source_url: String,
}

impl PlanLine {
    /// Whether the row carries this assumption.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.flags.split('|').any(|own| own == flag)
    }

    /// The end of the base term, exclusive.
    #[must_use]
    pub fn end_date(&self) -> CivilDate {
        self.start_date + chrono::Months::new(self.term_months)
    }
}

/// One deal with all its phases; what is one value of the deal is taken from the first line, and all lines agree.
#[derive(Clone, Debug)]
pub struct Deal {
    /// Row of `leases.csv`.
    pub id: String,
    /// What becomes of it.
    pub kind: Kind,
    /// The operator.
    pub operator: OperatorId,
    /// The tenant of record, or a placeholder.
    pub tenant: TenantId,
    /// The site: all phases are on one.
    pub site: SiteId,
    /// The phases, at least one.
    pub lines: Vec<PlanLine>,
    /// Base term value in cents; `None` without a price.
    pub tcv: Option<i64>,
    /// Published value of the options alone, in cents.
    pub options: Option<i64>,
}

impl Deal {
    fn first(&self) -> &PlanLine {
        &self.lines[0]
    }

    /// The tenant, for people.
    #[must_use]
    pub fn tenant_name(&self) -> &str {
        &self.first().tenant_name
    }

    /// Critical IT load of all phases.
    #[must_use]
    pub fn critical_it_kw(&self) -> i64 {
        self.lines.iter().map(|line| line.critical_it_kw).sum()
    }

    /// The rate of the first year where an escalator is stated, else of all years.
    #[must_use]
    pub fn rate(&self) -> Option<Rate> {
        self.first().rate_per_kw_month
    }

    /// The escalator a year, where one is stated.
    #[must_use]
    pub fn escalator(&self) -> Option<Percent> {
        self.first().escalator_percent
    }

    /// Length of the base term of each phase.
    #[must_use]
    pub fn term_months(&self) -> u32 {
        self.first().term_months
    }

    /// The first day of the first phase.
    #[must_use]
    pub fn start_date(&self) -> CivilDate {
        self.lines.iter().map(|line| line.start_date).min().unwrap_or(self.first().start_date)
    }

    /// The lease's name on the wire: the deal in lower case.
    #[must_use]
    pub fn lease_id(&self) -> String {
        self.id.to_lowercase()
    }
}

/// A row that is not booked.
#[derive(Clone, Debug, Deserialize)]
pub struct NotBooked {
    /// Row of `leases.csv`.
    pub deal_id: String,
    /// Why, as a word.
    pub reason: String,
    /// `yes` when its megawatts belong to the market's sum; aggregates and amendments would count twice.
    pub counted: String,
    /// Critical IT load, where stated.
    pub critical_it_kw: Option<i64>,
    /// Base term value, where stated.
    pub tcv_usd: String,
    /// Why, as a sentence.
    pub detail: String,
}

impl NotBooked {
    /// Megawatts that belong to the market's sum.
    #[must_use]
    pub fn counted_kw(&self) -> i64 {
        if self.counted == "yes" { self.critical_it_kw.unwrap_or(0) } else { 0 }
    }
}

/// Groups the lines by deal.
pub(super) fn deals(lines: Vec<PlanLine>) -> anyhow::Result<Vec<Deal>> {
    let mut deals: Vec<Deal> = Vec::new();
    for line in lines {
        if let Some(deal) = deals.last_mut().filter(|deal| deal.id == line.deal_id) {
            let first = deal.first();
            let same = (first.kind, &first.operator, &first.tenant, &first.site_id, &first.tcv_usd)
                == (line.kind, &line.operator, &line.tenant, &line.site_id, &line.tcv_usd)
                && first.rate_per_kw_month == line.rate_per_kw_month
                && first.escalator_percent == line.escalator_percent
                && first.term_months == line.term_months;
            ensure!(same, "demo_plan.csv: the lines of {} disagree", line.deal_id);
            deal.lines.push(line);
            continue;
        }
        ensure!(
            !deals.iter().any(|deal| deal.id == line.deal_id),
            "demo_plan.csv: {} stands in two places",
            line.deal_id
        );
        deals.push(deal(line)?);
    }
    Ok(deals)
}

fn deal(line: PlanLine) -> anyhow::Result<Deal> {
    let money = |text: &str| (!text.is_empty()).then(|| to_cents(text)).transpose();
    let tcv = money(&line.tcv_usd)?;
    let with_options = money(&line.tcv_with_options_usd)?;
    ensure!(
        (line.kind == Kind::Lease) == (tcv.is_some() && line.rate_per_kw_month.is_some()),
        "demo_plan.csv: {}: a lease has a value and a rate, anything else has neither",
        line.deal_id
    );
    Ok(Deal {
        id: line.deal_id.clone(),
        kind: line.kind,
        operator: line.operator.clone(),
        tenant: line.tenant.clone(),
        site: line.site_id.clone(),
        tcv,
        options: with_options.zip(tcv).map(|(with, base)| with - base),
        lines: vec![line],
    })
}
