//! Assumptions by name, and what each means.

/// An assumption that a row may carry.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its name in `demo_plan.csv`.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// Whether it is made for every row alike, so that no row carries it.
    pub everywhere: bool,
}

/// Every assumption there is, the weightiest first.
pub const FLAGS: [Flag; 14] = [
    flag("ESCALATOR_UNSTATED", "no escalator in the source: the rate is flat and no year-1 rent is shown"),
    flag("RATIO_ASSUMED", "gross power not stated: IT load x 10/7, rounded up to a kW"),
    flag("GRID_UNSTATED", "the site's contracted power is not stated: booked, not verified"),
    flag("CONDITIONAL", "a phase is conditional on financing in the source; signed here"),
    flag("START_ASSUMED", "in service but not dated: the first month of the demonstration's clock"),
    flag("FIRST_HALL_ONLY", "only the first hall is dated: that date for all of it"),
    flag("SPLIT_UNSTATED", "MW per phase not stated: one block on the last stated date"),
    flag("TERM_BASIS_ASSUMED", "the stated years run from the start of each phase"),
    flag("STRUCTURE_ASSUMED", "structure not stated: triple net, which does not change base rent"),
    flag("TENANT_UNDISCLOSED", "tenant not named in the source: a placeholder of its own"),
    flag("COOLING_ASSUMED", "block: liquid 100% and air 25% of IT load; lease: 85% and 15%"),
    flag(
        "DERIVED_FROM_LEASE",
        "one block per stated phase, as large as the lease: the grid is the real check",
    ),
    everywhere(
        "GRID_DATE_ASSUMED",
        "a stated grid limit holds from 2020-01-01: sources date the report only",
    ),
    everywhere("PAYMENT_TERMS_ASSUMED", "invoices are due 30 days after issue; no source states a term"),
];

const fn flag(name: &'static str, meaning: &'static str) -> Flag {
    Flag { name, meaning, everywhere: false }
}

const fn everywhere(name: &'static str, meaning: &'static str) -> Flag {
    Flag { name, meaning, everywhere: true }
}
