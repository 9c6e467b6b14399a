//! What leases owe by their terms beside rent and usage: advances and their credits, fees, interest on what is late.

use std::collections::HashMap;

use chrono::Days;
use kernel::{CivilDate, Error, LeaseId, OperatorId, ReckoningId, YearMonth};
use postgres::Tx;

use super::App;
use super::reckon::Reckoned;
use crate::domain::advance::{Advanced, due_beside};
use crate::domain::charge::Charge;
use crate::domain::interest::InterestInputs;
use crate::domain::invoice::TooLarge;
use crate::domain::lease::{LeaseCopy, Poison};
use crate::domain::reckoned::difference;
use crate::domain::reckoning::{Inputs, Reckoning};
use crate::domain::rent_difference::{Differences, RentInputs, bill, left_over, regular_minor};
use crate::domain::run::Problem;
use crate::store::late::LateInvoice;
use crate::store::lease::LeaseSpan;
use crate::store::{advance, late};

/// All that is looked up once for the leases of a chunk; nothing where no lease has such terms.
pub(super) struct Agreed {
    /// The day up to which interest is counted.
    through: CivilDate,
    advanced: HashMap<LeaseId, Advanced>,
    late: HashMap<LeaseId, Vec<LateInvoice>>,
}

/// The day up to which a run of a month counts interest: the last one before the month, or today if that is earlier.
fn counted_through(month: YearMonth, today: CivilDate) -> CivilDate {
    month.first_day().checked_sub_days(Days::new(1)).map_or(today, |last| last.min(today))
}

impl Agreed {
    /// Looks up what a run of `month` needs.
    pub(super) async fn open(
        app: &App,
        tx: &Tx,
        operator: &OperatorId,
        span: LeaseSpan<'_>,
        leases: &[LeaseCopy],
        month: YearMonth,
    ) -> Result<Self, Error> {
        let through = counted_through(month, app.now().date_naive());
        let mut agreed = Self { through, advanced: HashMap::new(), late: HashMap::new() };
        if leases.iter().any(|lease| !lease.terms.money.is_plain() || lease.ending.is_some()) {
            agreed.advanced = advance::of_span(tx.conn(), operator, span).await?;
        }
        let bearing = leases.iter().filter(|lease| lease.terms.money.late_interest.is_some());
        let bearing: Vec<LeaseId> = bearing.map(|lease| lease.lease.clone()).collect();
        if !bearing.is_empty() {
            for invoice in late::of_leases(tx.conn(), operator, &bearing, through).await? {
                agreed.late.entry(invoice.lease.clone()).or_default().push(invoice);
            }
        }
        Ok(agreed)
    }

    /// Adds what a lease owes in a run of `month` that bills this rent.
    pub(super) fn add(
        &self,
        app: &App,
        lease: &LeaseCopy,
        month: YearMonth,
        rent: &[Charge],
        into: &mut Reckoned,
    ) -> Result<(), Trouble> {
        let mut advanced = self.advanced.get(&lease.lease).cloned().unwrap_or_default();
        let id = || ReckoningId::new(app.ids.next());
        for (line, reckoning) in due_beside(lease, month, rent, &mut advanced, id)? {
            into.lines.entry(lease.lease.clone()).or_default().push(line);
            into.kept.push((lease.lease.clone(), reckoning));
        }
        let Some(terms) = lease.terms.money.late_interest else { return Ok(()) };
        for invoice in self.late.get(&lease.lease).into_iter().flatten() {
            // A run of an earlier month takes nothing back of what a later one counted.
            let counted = invoice.billed.values().map(|billed| billed.period.end());
            let through = counted.fold(self.through, CivilDate::max);
            let currency = lease.terms.currency;
            let overdue = invoice.overdue.clone().under(lease.terms.money.dispute);
            let interest = InterestInputs { terms, currency, invoice: overdue, through };
            let too_large = || Trouble::Failed(Error::internal(TooLarge));
            let wholes = interest.wholes().ok_or_else(too_large)?;
            let id = id();
            let lines = difference(None, &wholes, &invoice.billed, (currency, id)).ok_or_else(too_large)?;
            if !lines.is_empty() {
                let inputs = Inputs::Interest { interest };
                into.kept.push((lease.lease.clone(), Reckoning { id, place: None, month, inputs }));
                into.lines.entry(lease.lease.clone()).or_default().extend(lines);
            }
        }
        Ok(())
    }
}

impl App {
    /// Bills what has changed of rent that was billed before, so far as the invoice has room for what is given back.
    pub(super) fn bill_differences(
        &self,
        lease: &LeaseCopy,
        rent: &[Charge],
        changed: &[RentInputs],
        into: &mut Reckoned,
    ) -> Result<(), Error> {
        if changed.is_empty() {
            return Ok(());
        }
        let lines = into.lines.entry(lease.lease.clone()).or_default();
        let beside = regular_minor(rent, lines).ok_or_else(|| Error::internal(TooLarge))?;
        let id = || ReckoningId::new(self.ids.next());
        let Differences { lines: billed, left } = bill(changed, beside, id).map_err(Error::internal)?;
        for (line, reckoning) in billed {
            lines.push(line);
            into.kept.push((lease.lease.clone(), reckoning));
        }
        let left = left_over(&left).map(|problem| Problem { lease: lease.name(), place: None, problem });
        into.problems.extend(left);
        Ok(())
    }
}

/// Why a lease is left out.
pub(super) enum Trouble {
    /// Its terms are not computable.
    Poison(Poison),
    /// It is our own fault.
    Failed(Error),
}

impl From<Poison> for Trouble {
    fn from(poison: Poison) -> Self {
        Self::Poison(poison)
    }
}
