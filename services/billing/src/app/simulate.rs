//! Runs a contract to its last day under stated assumptions, by the functions that billing runs use. Nothing is kept.

use std::collections::BTreeMap;

use kernel::{Caller, Error, LeaseName, Money, YearMonth};

use super::App;
use super::reckon::Supplies;
use crate::domain::charge::NotKnown;
use crate::domain::invoice::Bill;
use crate::domain::simulation::{Assumptions, Supply, simulate, total};
use crate::store::{lease, plan};

/// Asks for a contract's bills.
#[derive(Clone, Debug)]
pub struct SimulateBilling {
    /// Which lease.
    pub lease: LeaseName,
    /// What nobody knows beforehand.
    pub assumed: Assumptions,
    /// Only bills of these months, both inclusive; the totals are of all.
    pub from: Option<YearMonth>,
    /// The last of them.
    pub through: Option<YearMonth>,
}

/// A contract's bills.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// Those that were asked for, in order of month, then of kind.
    pub bills: Vec<Bill>,
    /// How many there are in all.
    pub count: usize,
    /// The first and the last month of all.
    pub months: Option<(YearMonth, YearMonth)>,
    /// The sum of all.
    pub total: Money,
    /// What is not known of an index.
    pub not_known: Vec<NotKnown>,
    /// What of usage could not be charged.
    pub problems: Vec<String>,
}

impl App {
    /// Computes what a contract will be billed.
    pub async fn simulate_billing(
        &self,
        caller: &Caller,
        command: SimulateBilling,
    ) -> Result<Simulation, Error> {
        let gone = || Error::not_found("lease");
        let operator = &command.lease.operator;
        let scope = &Self::own_operator(caller, operator).map_err(|_| gone())?;
        let command = &command;
        let (lease, supply) = self
            .db
            .read("simulate_billing", scope, |tx| async move {
                let found = lease::find(tx.conn(), scope, &command.lease).await?.ok_or_else(gone)?;
                let plans = plan::by_block(tx.conn(), operator, (&found.lease, &found.lease)).await?;
                let plans: BTreeMap<_, _> =
                    plans.into_iter().map(|((_, place), plans)| (place, plans)).collect();
                let rules = plans.values().flatten().filter_map(|plan| plan.facts.usage.as_ref());
                let tariffs = Supplies::of(&tx, operator, rules).await?.tariffs;
                Ok((tx, (found, Supply { plans, tariffs })))
            })
            .await?;
        // A long contract takes a while: not on a thread that answers others.
        let assumed = command.assumed;
        let done = tokio::task::spawn_blocking(move || {
            let done = simulate(&lease, &supply, &assumed)?;
            Ok::<_, Error>((total(&lease, &done.bills)?, done))
        });
        let (total, mut done) = done.await.map_err(Error::internal)??;
        let count = done.bills.len();
        let months = done.bills.first().map(|bill| bill.month).zip(done.bills.last().map(|bill| bill.month));
        done.bills.retain(|bill| {
            command.from.is_none_or(|from| bill.month >= from)
                && command.through.is_none_or(|through| bill.month <= through)
        });
        let problems = done.problems.into_iter().collect();
        Ok(Simulation { bills: done.bills, count, months, total, not_known: done.not_known, problems })
    }
}
