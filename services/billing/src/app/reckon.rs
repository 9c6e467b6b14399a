//! Reckons what blocks come to beside their rent in the months before a run: usage by their plans, and rent given back.
//! What was billed already is compared with what it comes to now; the difference is what the run bills.

use std::collections::{BTreeSet, HashMap};

use kernel::{
    DateRange, Error, Instant, LeaseId, MeterId, OperatorId, Reason, ReckoningId, Scope, TariffId,
    TariffName, YearMonth,
};
use postgres::Tx;

use super::App;
use super::measure::{HowRead, measure};
use crate::domain::charge::{occupied, rent_of_block};
use crate::domain::invoice::ChargeType;
use crate::domain::lease::{BlockRef, BlockState, LeaseCopy, Premises};
use crate::domain::measured::Measured;
use crate::domain::meter::Meter;
use crate::domain::minimum::MinimumInputs;
use crate::domain::plan::{ChargingPlan, UsageRule, in_force};
use crate::domain::rating::Metered;
use crate::domain::reckoned::{Billed, BilledCharges, ReckonedKey, ReckonedLine, Whole, difference};
use crate::domain::reckoning::{
    CreditInputs, Inputs, Reckoning, UsageInputs, contracted_kw, holding, is_over, months_before,
    needs_intervals, needs_year, weight, year_before,
};
use crate::domain::run::Problem;
use crate::domain::service_level::Outage;
use crate::domain::tariff::Tariff;
use crate::domain::utility_bill::{Bearer, UtilityBill};
use crate::store::incident::PlacedOutage;
use crate::store::lease::LeaseSpan;
use crate::store::plan::BlockPlans;
use crate::store::reckoning::BilledMonths;
use crate::store::{incident, meter, plan, reckoning, tariff, utility_bill};

/// What a run adds to rent.
#[derive(Default)]
pub(super) struct Reckoned {
    /// Lines by lease.
    pub(super) lines: HashMap<LeaseId, Vec<ReckonedLine>>,
    /// The reckonings that they come from.
    pub(super) kept: Vec<(LeaseId, Reckoning)>,
    /// What could not be reckoned.
    pub(super) problems: Vec<Problem>,
}

impl Reckoned {
    /// Drops what was reckoned of a lease that is left out.
    pub(super) fn forget(&mut self, lease: &LeaseId) {
        self.lines.remove(lease);
        self.kept.retain(|(of, _)| of != lease);
    }
}

/// All that is looked up once for a run.
pub(super) struct Books<'a> {
    app: &'a App,
    tx: &'a Tx,
    now: Instant,
    month: YearMonth,
    plans: BlockPlans,
    billed: BilledMonths,
    pub(super) bills: Vec<UtilityBill>,
    outages: Vec<PlacedOutage>,
    supplies: Supplies,
}

/// Meters and tariffs that plans name.
pub(super) struct Supplies {
    pub(super) meters: HashMap<MeterId, Meter>,
    pub(super) tariffs: HashMap<TariffId, Tariff>,
}

/// Why a part of a lease is not reckoned now.
enum Trouble {
    /// It is told to who runs it.
    Told(String),
    /// Its readings are put away, or it is too long ago: what was billed stays.
    Archived,
    /// The store failed.
    Failed(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error.reason() {
            Reason::ResourceArchived => Self::Archived,
            _ => Self::Failed(error),
        }
    }
}

impl<'a> Books<'a> {
    /// Looks up what a run of `month` needs for the leases of a span; `None` where nobody has a plan.
    pub(super) async fn open(
        app: &'a App,
        tx: &'a Tx,
        operator: &OperatorId,
        leases: LeaseSpan<'_>,
        month: YearMonth,
        now: Instant,
    ) -> Result<Option<Self>, Error> {
        let plans = plan::by_block(tx.conn(), operator, leases).await?;
        let months = months_before(month);
        let span = months.first().and_then(|first| DateRange::new(first.first_day(), month.first_day()).ok());
        let (false, Some(span)) = (plans.is_empty(), span) else { return Ok(None) };
        let rules = || plans.values().flatten().filter_map(|plan| plan.facts.usage.as_ref());
        let supplies = Supplies::of(tx, operator, rules()).await?;
        let billed = reckoning::billed(tx.conn(), operator, leases, span).await?;
        // A day more on both sides: months begin at another instant in each zone.
        let day = chrono::TimeDelta::days(1);
        let instants = span.to_interval(kernel::Zone::UTC).map_err(Error::internal)?;
        let outages =
            incident::resolved(tx.conn(), operator, (instants.start() - day, instants.end() + day)).await?;
        let bills = utility_bill::divided(tx.conn(), operator, span).await?;
        Ok(Some(Self { app, tx, now, month, plans, billed, bills, outages, supplies }))
    }

    /// What a lease owes beside rent for the months before the run's, and no invoice has.
    pub(super) async fn reckon(&self, lease: &LeaseCopy, into: &mut Reckoned) -> Result<(), Error> {
        for premises in &lease.terms.premises {
            let billed = lease.block_state(&premises.place).is_some_and(|s| BlockState::BILLED.contains(&s));
            let plans = self.plans.get(&(lease.lease.clone(), premises.place.clone()));
            let (true, Some(plans)) = (billed, plans) else { continue };
            let here = |month: &YearMonth| lease.is_billed_here(month.first_day());
            for month in months_before(self.month).into_iter().filter(here) {
                let days = month.range().and_then(|days| days.intersection(&occupied(lease, premises)));
                let Some(days) = days else { continue };
                self.month(lease, premises, plans, (month, days), into).await?;
            }
            self.true_ups(lease, premises, into)?;
        }
        Ok(())
    }

    async fn month(
        &self,
        lease: &LeaseCopy,
        premises: &Premises,
        plans: &[ChargingPlan],
        (month, days): (YearMonth, DateRange),
        into: &mut Reckoned,
    ) -> Result<(), Error> {
        let held = in_force(plans, days);
        let over = plans.first().is_some_and(|plan| is_over(days, plan.facts.zone, self.now));
        let nothing = BilledCharges::new();
        let key = (lease.lease.clone(), premises.place.clone(), month);
        let billed = self.billed.get(&key).unwrap_or(&nothing);
        if !over || (held.is_empty() && billed.is_empty()) {
            return Ok(());
        }
        let of = |wanted: fn(ChargeType) -> bool| -> BilledCharges {
            let all = billed.iter().filter(|(key, _)| wanted(key.charge_type));
            all.map(|(key, billed)| (key.clone(), billed.clone())).collect()
        };
        let usage = match is_settled(&held, month.months_until(self.month)) {
            true => Err(Trouble::Archived),
            false => self.usage(lease, premises, &held).await,
        };
        let minimum = usage.as_ref().ok().map(|(inputs, _)| minimum(lease, inputs));
        let mut found = vec![
            usage.map(|found| (found, of(|charge_type| ChargeType::BY_TARIFF.contains(&charge_type)))),
            self.credit(lease, &premises.place, &held, days)
                .map(|found| (found, of(|charge_type| charge_type == ChargeType::SlaCredit))),
        ];
        found.extend(
            minimum.map(|found| {
                found.map(|found| (found, of(|charge_type| charge_type == ChargeType::TakeOrPay)))
            }),
        );
        for found in found {
            match found {
                Ok(((inputs, wholes), billed)) => {
                    self.compare(lease, &premises.place, month, (inputs, wholes), &billed, into)?;
                }
                Err(Trouble::Archived) => {}
                Err(Trouble::Failed(error)) => return Err(error),
                Err(Trouble::Told(problem)) => into.problems.push(Problem {
                    lease: lease.name(),
                    place: Some(premises.place.clone()),
                    problem: format!("{month}: {problem}"),
                }),
            }
        }
        Ok(())
    }

    /// What a block was billed beside rent in the months of these days.
    pub(super) fn billed_within<'b>(
        &'b self,
        bearer: &'b Bearer,
        days: DateRange,
    ) -> impl Iterator<Item = (&'b ReckonedKey, &'b Billed)> {
        let of = move |(month, _)| self.billed.get(&(bearer.lease.clone(), bearer.place.clone(), month));
        days.months().filter_map(of).flatten()
    }

    /// Lines for what is not billed as it should be, and the reckoning that they come from.
    pub(super) fn compare(
        &self,
        lease: &LeaseCopy,
        place: &BlockRef,
        month: YearMonth,
        (inputs, wholes): (Inputs, Vec<Whole>),
        billed: &BilledCharges,
        into: &mut Reckoned,
    ) -> Result<(), Error> {
        let id = ReckoningId::new(self.app.ids.next());
        let lines = difference(Some(place), &wholes, billed, (lease.terms.currency, id))
            .ok_or_else(|| Error::internal(crate::domain::invoice::TooLarge))?;
        if !lines.is_empty() {
            into.kept
                .push((lease.lease.clone(), Reckoning { id, place: Some(place.clone()), month, inputs }));
            into.lines.entry(lease.lease.clone()).or_default().extend(lines);
        }
        Ok(())
    }

    async fn usage(
        &self,
        lease: &LeaseCopy,
        premises: &Premises,
        held: &[(DateRange, &ChargingPlan)],
    ) -> Result<(Inputs, Vec<Whole>), Trouble> {
        let (mut parts, mut wholes) = (Vec::new(), Vec::new());
        for (days, plan) in held {
            let Some(rule) = &plan.facts.usage else { continue };
            let tariff = self.supplies.tariffs.get(&rule.tariff);
            let tariff =
                tariff.ok_or_else(|| Trouble::Told(format!("there is no tariff {}", rule.tariff)))?;
            let terms = UsageTerms {
                plan,
                rule,
                tariff,
                days: *days,
                contracted_kw: contracted_kw(lease.quantities(premises), *days),
            };
            let empty = terms.inputs(lease);
            let (inputs, intervals) = gather(self.tx, &self.supplies, empty, self.now, |_| None).await?;
            if inputs.waits() {
                let missing: i64 = inputs.evidence().map(|evidence| evidence.missing_count).sum();
                return Err(Trouble::Told(format!("waits for readings of {missing} intervals")));
            }
            wholes.extend(inputs.charge(&intervals).map_err(|error| Trouble::Told(error.to_string()))?);
            parts.push(inputs);
        }
        Ok((Inputs::Usage { parts }, wholes))
    }

    /// By the plan that holds on the last of the days: a month has one cap.
    fn credit(
        &self,
        lease: &LeaseCopy,
        place: &BlockRef,
        held: &[(DateRange, &ChargingPlan)],
        days: DateRange,
    ) -> Result<(Inputs, Vec<Whole>), Trouble> {
        let last = held.last().filter(|(held, _)| held.end() == days.end());
        let level = last.and_then(|(_, plan)| Some((plan, plan.facts.service_level.clone()?)));
        let Some((plan, level)) = level else { return Ok((Inputs::Usage { parts: Vec::new() }, Vec::new())) };
        let rent = rent_of_block(lease, place, days).map_err(|poison| Trouble::Told(poison.0))?;
        let zone = plan.facts.zone;
        let inputs =
            CreditInputs { plan: plan.id.clone(), level, days, zone, outages: self.outages_of(place), rent };
        let inputs = inputs.of_its_days();
        let whole = inputs.whole().ok_or_else(|| Trouble::Told("the credit is out of range".to_owned()))?;
        Ok((Inputs::Credit { credit: inputs }, vec![whole]))
    }

    /// Outages of the block and of its whole site.
    fn outages_of(&self, place: &BlockRef) -> Vec<Outage> {
        let hurt = |(site, block, _): &&PlacedOutage| {
            *site == place.site && block.as_ref().is_none_or(|block| *block == place.block)
        };
        self.outages.iter().filter(hurt).map(|(_, _, outage)| outage.clone()).collect()
    }
}

/// Whether a month so many months ago is not corrected any more.
fn is_settled(held: &[(DateRange, &ChargingPlan)], months_ago: i32) -> bool {
    let rules = held.iter().filter_map(|(_, plan)| plan.facts.usage.as_ref());
    rules.into_iter().any(|rule| rule.correction_months < months_ago)
}

/// What was not taken of the least that a lease pays for.
fn minimum(lease: &LeaseCopy, measured: &Inputs) -> Result<(Inputs, Vec<Whole>), Trouble> {
    let parts = match measured {
        Inputs::Usage { parts } if lease.terms.money.minimum_take.is_some() => parts.clone(),
        _ => Vec::new(),
    };
    let terms = lease.terms.money.minimum_take.unwrap_or_default();
    let inputs = MinimumInputs { terms, currency: lease.terms.currency, parts };
    let wholes = inputs.wholes().ok_or_else(|| Trouble::Told("what is short is out of range".to_owned()))?;
    Ok((Inputs::Minimum { minimum: inputs }, wholes))
}

/// What usage of some days is charged by.
struct UsageTerms<'a> {
    plan: &'a ChargingPlan,
    rule: &'a UsageRule,
    tariff: &'a Tariff,
    days: DateRange,
    contracted_kw: i64,
}

impl UsageTerms<'_> {
    /// Inputs of which nothing is measured yet.
    fn inputs(&self, lease: &LeaseCopy) -> UsageInputs {
        UsageInputs {
            plan: self.plan.id.clone(),
            rule: self.rule.clone(),
            days: self.days,
            tariff: self.tariff.id.clone(),
            tariff_version: self.tariff.version,
            components: holding(&self.tariff.components, self.days),
            currency: lease.terms.currency,
            zone: self.plan.facts.zone,
            own: Measured { meter: self.rule.meter.clone(), batch: 0, days: Vec::new() }.evidence(),
            facility: None,
            sharers: Vec::new(),
            weight: (1, 1),
            contracted_kw: self.contracted_kw,
            year_before_wh: 0,
        }
    }
}

/// Measures all that `inputs` need, and gives the tenant's own energy as it is rated. `as_of` says up to which batch a
/// meter is read.
pub(super) async fn gather(
    tx: &Tx,
    supplies: &Supplies,
    inputs: UsageInputs,
    now: Instant,
    as_of: impl Fn(&MeterId) -> Option<i64>,
) -> Result<(UsageInputs, Vec<Metered>), Error> {
    let rule = inputs.rule.clone();
    let by_interval = needs_intervals(&inputs.components);
    let read = async |id: &MeterId, days: DateRange, with_intervals: bool| {
        let meter = supplies.meters.get(id).ok_or_else(|| Error::not_found("meter"))?;
        measure(tx, meter, days, now, HowRead { as_of: as_of(id), with_intervals }).await
    };
    let own = read(&rule.meter, inputs.days, by_interval || rule.compares_intervals()).await?;
    let (mut facility, mut sharers, mut shared) = (None, Vec::new(), (1, 1));
    if let Some(of) = &rule.facility {
        facility = Some(read(&of.meter, inputs.days, false).await?.evidence());
        let mut measured = Vec::with_capacity(of.sharers.len());
        for sharer in &of.sharers {
            let mine = sharer.meter == rule.meter;
            let theirs = if mine {
                own.clone()
            } else {
                read(&sharer.meter, inputs.days, rule.compares_intervals()).await?
            };
            measured.push(theirs);
        }
        shared = weight(of, &rule.meter, &measured);
        sharers = measured.iter().map(Measured::evidence).collect();
    }
    let year_before_wh = match year_before(inputs.days).filter(|_| needs_year(&inputs.components)) {
        Some(days) => read(&rule.meter, days, false).await?.evidence().energy_wh,
        None => 0,
    };
    let intervals = own.metered(inputs.zone);
    let inputs =
        UsageInputs { own: own.evidence(), facility, sharers, weight: shared, year_before_wh, ..inputs };
    Ok((inputs, intervals))
}

impl Supplies {
    /// Looks up what rules name.
    pub(super) async fn of(
        tx: &Tx,
        operator: &OperatorId,
        rules: impl Iterator<Item = &UsageRule> + Clone,
    ) -> Result<Self, Error> {
        let meters: BTreeSet<&MeterId> = rules.clone().flat_map(UsageRule::meters).collect();
        let ids: Vec<MeterId> = meters.into_iter().cloned().collect();
        let meters = meter::of_ids(tx.conn(), operator, &ids).await?;
        let mut tariffs = HashMap::new();
        let scope = Scope::Operator(operator.clone());
        for id in rules.map(|rule| &rule.tariff).collect::<BTreeSet<_>>() {
            let name = TariffName::new(operator.clone(), id.clone());
            tariffs.extend(tariff::find(tx.conn(), &scope, &name).await?.map(|found| (id.clone(), found)));
        }
        let meters = meters.into_iter().map(|meter| (meter.id.clone(), meter)).collect();
        Ok(Self { meters, tariffs })
    }
}
