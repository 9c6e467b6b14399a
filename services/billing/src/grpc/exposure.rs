//! Exposure to the wire.

use contracts::billing::v1 as wire;
use kernel::{CivilDate, Error, LeaseName, OperatorId, TenantName};
use runtime::wire::{to_date, to_money};

use crate::domain::exposure::{Exposure, Reach, totals};

pub(super) fn told(
    operator: &OperatorId,
    (as_of, rows): &(CivilDate, Vec<Exposure>),
) -> Result<wire::GetExposureResponse, Error> {
    Ok(wire::GetExposureResponse {
        as_of_date: Some(to_date(*as_of)),
        rows: rows.iter().map(|row| row_to_wire(operator, row)).collect(),
        totals: totals(rows)?.iter().map(|row| row_to_wire(operator, row)).collect(),
    })
}

fn row_to_wire(operator: &OperatorId, row: &Exposure) -> wire::ExposureRow {
    let named = row.lease.as_ref().map(|(lease, tenant)| {
        let lease = LeaseName::new(operator.clone(), lease.clone());
        (lease.to_string(), TenantName::new(tenant.clone()).to_string())
    });
    let (lease, tenant) = named.unwrap_or_default();
    wire::ExposureRow {
        lease,
        tenant,
        open: Some(to_money(row.open)),
        open_termination_fee: Some(to_money(row.open_fee)),
        remaining_rent: Some(to_money(row.remaining_rent)),
        deposit: Some(to_money(row.deposit)),
        cover: Some(to_money(row.cover)),
        covered_termination_fee: Some(to_money(row.covered_fee)),
        uncovered_open: Some(to_money(row.uncovered_open)),
        uncovered: Some(to_money(row.uncovered)),
        first_rent_date: row.first_rent.map(to_date),
        before_first_rent: row.waits,
        covers: row.reaches.iter().map(cover).collect(),
    }
}

fn cover(reach: &Reach) -> wire::ExposureCover {
    wire::ExposureCover {
        credit_support_id: reach.support.id.clone(),
        provider: reach.support.provider.clone(),
        cap: Some(to_money(reach.support.cap)),
        cover: Some(to_money(reach.cover)),
        drawn: Some(to_money(reach.drawn)),
    }
}
