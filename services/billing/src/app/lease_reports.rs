//! Reports computed from the leases: revenue, backlog, what is still to be received, what is contracted.

use std::collections::BTreeSet;

use kernel::{Caller, CivilDate, Currency, DateRange, Error, LeaseName, OperatorId, YearMonth};

use super::App;
use crate::domain::exposure::{DrawnMinor, Exposure, counts, of_lease};
use crate::domain::lease::{LeaseCopy, LeaseState};
use crate::domain::portfolio::{Portfolio, portfolio};
use crate::domain::revenue::{BacklogRow, Maturity, RevenueRow, backlog, maturity, schedule};
use crate::domain::roll_forward::{AdvanceRow, CommissionRow};
use crate::store::{exposure, lease, roll_forward};

/// Which months of whose leases.
#[derive(Clone, Debug)]
pub struct LeaseMonths {
    /// Whose leases.
    pub operator: OperatorId,
    /// Only this lease.
    pub lease: Option<LeaseName>,
    /// The first month.
    pub from: YearMonth,
    /// The last month.
    pub through: YearMonth,
}

impl LeaseMonths {
    fn days(&self) -> Result<DateRange, Error> {
        let end = self.through.range().map_or(CivilDate::MAX, |days| days.end());
        DateRange::new(self.from.first_day(), end).map_err(Error::internal)
    }
}

fn currencies(leases: &[LeaseCopy]) -> BTreeSet<String> {
    leases.iter().map(|lease| lease.terms.currency.to_string()).collect()
}

/// Makes a report for each currency, in order of its code.
fn by_currency<T>(
    leases: &[LeaseCopy],
    make: impl Fn(Currency) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    currencies(leases).iter().map(|code| make(code.parse().map_err(Error::internal)?)).collect()
}

impl App {
    /// Revenue, rent and accrued rent by month, of leases in force, per currency.
    pub async fn revenue_schedule(
        &self,
        caller: &Caller,
        asked: &LeaseMonths,
    ) -> Result<Vec<Vec<RevenueRow>>, Error> {
        let mut leases = self.leases_of(caller, &asked.operator).await?;
        leases.retain(|lease| LeaseState::IN_FORCE.contains(&lease.state));
        if let Some(name) = &asked.lease {
            leases.retain(|lease| lease.lease == name.lease);
            if leases.is_empty() {
                return Err(Error::not_found("lease"));
            }
        }
        by_currency(&leases, |currency| schedule(&leases, currency, asked.from, asked.through))
    }

    /// Contracted and not yet earned, by lease.
    pub async fn backlog(&self, caller: &Caller, asked: &LeaseMonths) -> Result<Vec<BacklogRow>, Error> {
        let leases = self.leases_of(caller, &asked.operator).await?;
        leases
            .iter()
            .filter(|lease| !LeaseState::CALLED_OFF.contains(&lease.state))
            .map(|lease| backlog(lease, asked.from, asked.through))
            .collect()
    }

    /// Prepayments and deposits over some months, by lease, as the ledger says them.
    pub async fn advance_roll_forward(
        &self,
        caller: &Caller,
        asked: &LeaseMonths,
    ) -> Result<Vec<AdvanceRow>, Error> {
        let scope = &Self::own_operator(caller, &asked.operator)?;
        let days = asked.days()?;
        self.db
            .read("advance_roll_forward", scope, |tx| async move {
                let rows = roll_forward::advances(tx.conn(), &asked.operator, days).await?;
                Ok((tx, rows))
            })
            .await
    }

    /// What of commissions is an asset over some months, by lease, as the ledger says it.
    pub async fn commission_roll_forward(
        &self,
        caller: &Caller,
        asked: &LeaseMonths,
    ) -> Result<Vec<CommissionRow>, Error> {
        let scope = &Self::own_operator(caller, &asked.operator)?;
        let days = asked.days()?;
        self.db
            .read("commission_roll_forward", scope, |tx| async move {
                let rows = roll_forward::commissions(tx.conn(), &asked.operator, days).await?;
                Ok((tx, rows))
            })
            .await
    }

    /// Rent still to be received, per currency; without a day, from today on.
    pub async fn maturity_analysis(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        from: Option<CivilDate>,
    ) -> Result<(CivilDate, Vec<Maturity>), Error> {
        let from = from.unwrap_or_else(|| self.now().date_naive());
        let leases = self.leases_of(caller, operator).await?;
        Ok((from, by_currency(&leases, |currency| maturity(&leases, currency, from))?))
    }

    /// What is contracted, by stage; without a day, as of today.
    pub async fn contracted_capacity(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        as_of: Option<CivilDate>,
    ) -> Result<(CivilDate, Portfolio), Error> {
        let as_of = as_of.unwrap_or_else(|| self.now().date_naive());
        Ok((as_of, portfolio(&self.leases_of(caller, operator).await?, as_of)?))
    }

    /// What leases owe and are still to pay, and what stands behind their tenants; without a day, as of today.
    pub async fn exposure(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        as_of: Option<CivilDate>,
    ) -> Result<(CivilDate, Vec<Exposure>), Error> {
        let scope = &Self::own_operator(caller, operator)?;
        let as_of = as_of.unwrap_or_else(|| self.now().date_naive());
        self.db
            .read("exposure", scope, |tx| async move {
                let booked = exposure::booked(tx.conn(), operator, as_of).await?;
                let leases = lease::all(tx.conn(), operator).await?;
                let drawn = exposure::drawn(tx.conn(), operator, as_of).await?;
                let nothing = DrawnMinor::new();
                let rows = leases
                    .iter()
                    .filter(|lease| counts(lease))
                    .map(|lease| {
                        let booked = booked.get(&lease.lease).copied().unwrap_or_default();
                        of_lease(lease, (booked, drawn.get(&lease.lease).unwrap_or(&nothing)), as_of)
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                Ok((tx, (as_of, rows)))
            })
            .await
    }

    async fn leases_of(&self, caller: &Caller, operator: &OperatorId) -> Result<Vec<LeaseCopy>, Error> {
        let scope = &Self::own_operator(caller, operator)?;
        self.db
            .read("leases_of_operator", scope, |tx| async move {
                let leases = lease::all(tx.conn(), operator).await?;
                Ok((tx, leases))
            })
            .await
    }
}
