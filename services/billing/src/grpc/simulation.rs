//! Simulations to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{Error, LeaseName, Percent, Violations};
use runtime::wire::{percent, to_money};

use super::invoice::{bill_to_wire, missing_to_wire, month, to_month};
use crate::app::{SimulateBilling, Simulation};
use crate::domain::simulation::Assumptions;

/// 100 percent.
const WHOLE: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};
const DAYS_LATE_MAX: i32 = 365;

pub(super) fn ask(request: &wire::SimulateBillingRequest) -> Result<SimulateBilling, Error> {
    let mut v = Violations::new();
    let lease = v.parse("lease", &request.lease, str::parse::<LeaseName>);
    let part = |v: &mut Violations, field: &str, sent: &Option<contracts::google::r#type::Decimal>| match sent
    {
        None => Some(None),
        sent => {
            let part = percent(v, field, sent.as_ref())?;
            let fits = part >= Percent::ZERO && part <= WHOLE;
            v.require(field, fits, "must be 0 to 100").then_some(Some(part))
        }
    };
    let load = part(&mut v, "load_percent", &request.load_percent);
    let growth = part(&mut v, "index_growth_percent", &request.index_growth_percent);
    let late = (0..=DAYS_LATE_MAX).contains(&request.days_late);
    v.require("days_late", late, "must be 0 to 365");
    let asked = [("start_month", &request.start_month), ("end_month", &request.end_month)];
    let [from, through] = asked.map(|(field, sent)| match sent {
        None => Some(None),
        sent => month(&mut v, field, sent.as_ref()).map(Some),
    });
    v.build(|| {
        let assumed = Assumptions {
            load: load?,
            index_growth: growth?,
            days_late: u32::try_from(request.days_late).ok()?,
        };
        Some(SimulateBilling { lease: lease?, assumed, from: from?, through: through? })
    })
}

pub(super) fn answer(lease: &LeaseName, done: &Simulation) -> wire::SimulateBillingResponse {
    wire::SimulateBillingResponse {
        invoices: done.bills.iter().map(|bill| bill_to_wire(bill, None)).collect(),
        invoice_count: i32::try_from(done.count).unwrap_or(i32::MAX),
        total: Some(to_money(done.total)),
        missing_values: done.not_known.iter().map(|one| missing_to_wire(&lease.operator, one)).collect(),
        problems: done.problems.clone(),
        first_month: done.months.map(|months| to_month(months.0)),
        last_month: done.months.map(|months| to_month(months.1)),
    }
}
