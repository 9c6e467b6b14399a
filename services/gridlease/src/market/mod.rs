//! The real market, as data: sites, deals, what the project makes of them, and what it leaves out.
//!
//! The files are in `data/`, compiled into the program; `data/README.md` has the columns, the rules and the sources.

mod figures;
mod flags;
mod plan;
mod sites;
#[cfg(test)]
pub(crate) mod sums;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
pub use figures::{e7, kilowatts, to_cents};
pub use flags::{FLAGS, Flag};
use kernel::{OperatorId, TenantId};
pub use plan::{Basis, Deal, Kind, NotBooked, PlanLine};
use serde::Deserialize;
pub use sites::{Correction, Difference, Figures, Site};

const OPERATORS: &str = include_str!("../../data/operators.csv");
const SITES: &str = include_str!("../../data/sites.csv");
const CORRECTIONS: &str = include_str!("../../data/site_corrections.csv");
const DIFFERENCES: &str = include_str!("../../data/site_differences.csv");
const PLAN: &str = include_str!("../../data/demo_plan.csv");
const NOT_BOOKED: &str = include_str!("../../data/not_booked.csv");
#[cfg(test)]
const LEASES: &str = include_str!("../../data/leases.csv");

/// Everything the demonstration loads, checked for contradictions.
#[derive(Debug)]
pub struct Market {
    /// Every operator of a site or a booked deal.
    pub operators: Vec<Operator>,
    /// Every site, corrected.
    pub sites: Vec<Site>,
    /// What was corrected.
    pub corrections: Vec<Correction>,
    /// Where the server's answers differ from the file, and why.
    pub differences: Vec<Difference>,
    /// Every deal that is sent, in the order of the file.
    pub deals: Vec<Deal>,
    /// Every row that is not booked.
    pub not_booked: Vec<NotBooked>,
}

/// An operator, and the names that the sources use for it.
#[derive(Debug, Deserialize)]
pub struct Operator {
    /// The name on the wire.
    #[serde(rename = "operator")]
    pub id: OperatorId,
    /// The name for people.
    pub display_name: String,
    /// Names in the sources, parted by a bar.
    pub names_in_sources: String,
}

/// The rows of a file, typed; an error names the line.
fn rows<T: for<'de> Deserialize<'de>>(file: &'static str, text: &str) -> anyhow::Result<Vec<T>> {
    csv::Reader::from_reader(text.as_bytes())
        .into_deserialize()
        .map(|row| row.with_context(|| format!("data/{file}")))
        .collect()
}

impl Market {
    /// Reads the files of the program.
    ///
    /// # Errors
    /// A row that does not parse or contradicts another: a fault of the checked-in data.
    pub fn load() -> anyhow::Result<Self> {
        let operators: Vec<Operator> = rows("operators.csv", OPERATORS)?;
        let mut by_name = BTreeMap::new();
        for operator in &operators {
            for name in operator.names_in_sources.split('|') {
                ensure!(by_name.insert(name, &operator.id).is_none(), "operators.csv: `{name}` stands twice");
            }
        }
        let corrections: Vec<Correction> = rows("site_corrections.csv", CORRECTIONS)?;
        let sites = sites::parse(rows("sites.csv", SITES)?, &corrections, &by_name)?;
        let deals = plan::deals(rows("demo_plan.csv", PLAN)?)?;
        for deal in &deals {
            let site = sites.iter().find(|site| site.id == deal.site);
            let site = site.with_context(|| format!("demo_plan.csv: {}: no site {}", deal.id, deal.site))?;
            ensure!(site.operator == deal.operator, "demo_plan.csv: {}: the site is another's", deal.id);
        }
        let differences = rows("site_differences.csv", DIFFERENCES)?;
        let not_booked = rows("not_booked.csv", NOT_BOOKED)?;
        Ok(Self { operators, sites, corrections, differences, deals, not_booked })
    }

    /// The deals of one kind.
    pub fn deals_of(&self, kind: Kind) -> impl Iterator<Item = &Deal> {
        self.deals.iter().filter(move |deal| deal.kind == kind)
    }

    /// Operators that have a priced lease, in the order of the plan.
    #[must_use]
    pub fn lessors(&self) -> Vec<&Operator> {
        let mut seen = BTreeSet::new();
        self.deals_of(Kind::Lease)
            .filter(|deal| seen.insert(&deal.operator))
            .filter_map(|deal| self.operators.iter().find(|operator| operator.id == deal.operator))
            .collect()
    }

    /// Every tenant of a deal, by id, with its name for people.
    #[must_use]
    pub fn tenants(&self) -> BTreeMap<&TenantId, &str> {
        self.deals.iter().map(|deal| (&deal.tenant, deal.tenant_name())).collect()
    }
}
