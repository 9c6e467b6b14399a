//! Computes a line again from what was kept of it.

use kernel::{Caller, Error, InvoiceName, LeaseName, Money, Reason, ReckoningId, Scope};
use postgres::Tx;

use super::App;
use super::reckon::{Supplies, gather};
use crate::domain::charge::{self, Charge};
use crate::domain::explanation::{Explanation, RentWhy, UsageWhy, Why};
use crate::domain::invoice::{Invoice, InvoiceLine, LineCharge, TooLarge};
use crate::domain::lease::LeaseCopy;
use crate::domain::minimum::MinimumInputs;
use crate::domain::reckoned::{ReckonedLine, Whole};
use crate::domain::reckoning::{CreditInputs, Inputs, UsageInputs};
use crate::domain::rent_difference::RentInputs;
use crate::domain::true_up::TrueUpInputs;
use crate::store::{lease, reckoning};

/// Asks for the explanation of a line.
#[derive(Clone, Debug)]
pub struct ExplainLine {
    /// The invoice.
    pub invoice: InvoiceName,
    /// The line's place on it, from 1.
    pub line_number: usize,
}

impl App {
    /// Explains a line of an invoice that the caller may see.
    pub async fn explain_line(&self, caller: &Caller, command: ExplainLine) -> Result<Explanation, Error> {
        let name = &command.invoice;
        let found = self.get_invoice(caller, name).await?;
        let at = command.line_number.checked_sub(1);
        let line = at.and_then(|at| found.lines.get(at)).ok_or_else(|| Error::not_found("invoice line"))?;
        // Whoever may see the line may see how it came about. What it was computed from, such as the tariff and the
        // readings of others in sum, only the operator's scope shows; the explanation tells no more than that.
        let scope = &Scope::Operator(name.operator.clone());
        let (found, line) = (&found, line);
        let (computed, why) = self
            .db
            .read("explain_line", scope, |tx| async move {
                let explained = match &line.charge {
                    LineCharge::Rent(rent) => rent_again(&tx, found, line, rent).await?,
                    LineCharge::Reckoned(reckoned) => {
                        self.reckoned_again(&tx, found, (reckoned, line.lease_version)).await?
                    }
                };
                Ok((tx, explained))
            })
            .await?;
        Ok(Explanation {
            operator: name.operator.clone(),
            line: line.clone(),
            number: command.line_number,
            same: computed == Some(line.amount()),
            computed,
            why,
        })
    }

    async fn reckoned_again(
        &self,
        tx: &Tx,
        of: &Invoice,
        (line, version): (&ReckonedLine, i64),
    ) -> Result<(Option<Money>, Why), Error> {
        let kept = reckoning::find(tx.conn(), &of.operator, line.reckoning).await?;
        let kept = kept.ok_or_else(|| Error::internal(Lost(line.reckoning)))?;
        match kept.inputs {
            Inputs::Credit { credit } => Ok(credit_again(line, credit)),
            Inputs::Once { once } => {
                let steps = vec![format!("agreed: {}", once.agreed)];
                Ok(of_wholes(line, Some(vec![once.whole(line.charge_type, line.period)]), steps))
            }
            Inputs::Draw { draw } => Ok((draw.amount(), Why::Agreed(draw.steps()))),
            Inputs::Interest { interest } => Ok(of_wholes(line, interest.wholes(), interest.steps())),
            Inputs::Rent { rent } => difference_again(tx, of, version, rent).await,
            Inputs::TrueUp { true_up } => self.trued_up_again(tx, of, line, true_up).await,
            Inputs::Minimum { minimum } => self.minimum_again(tx, of, line, minimum).await,
            Inputs::Usage { parts } => {
                // A charge that no part makes any more was given back.
                match parts.into_iter().find(|part| part.days.contains(line.period.start())) {
                    Some(part) => self.usage_again(tx, of, line, part).await,
                    None => Ok((less(Money::zero(of.total.currency), line), Why::Gone)),
                }
            }
        }
    }

    /// Divides a utility's bill again, by the readings that counted then.
    async fn trued_up_again(
        &self,
        tx: &Tx,
        of: &Invoice,
        line: &ReckonedLine,
        kept: TrueUpInputs,
    ) -> Result<(Option<Money>, Why), Error> {
        let division = self.divide_again(tx, &of.operator, &kept.facts, &kept.division).await?;
        let again = TrueUpInputs { division, ..kept.clone() };
        let too_large = || Error::internal(TooLarge);
        let whole = again.wholes().ok_or_else(too_large)?.into_iter().find(|whole| whole.key() == line.key());
        let Some(whole) = whole else { return Ok((less(Money::zero(of.total.currency), line), Why::Gone)) };
        let true_up = again.true_ups().ok_or_else(too_large)?;
        let true_up = true_up.into_iter().find(|one| again.item(&one.shares.code) == line.item);
        let true_up = true_up.ok_or_else(too_large)?;
        let computed = less(whole.amount, line).filter(|_| again == kept);
        Ok((computed, Why::TrueUp(Box::new((again, true_up, before(line))))))
    }

    /// Measures again what was taken.
    async fn minimum_again(
        &self,
        tx: &Tx,
        of: &Invoice,
        line: &ReckonedLine,
        kept: MinimumInputs,
    ) -> Result<(Option<Money>, Why), Error> {
        let supplies = Supplies::of(tx, &of.operator, kept.parts.iter().map(|part| &part.rule)).await?;
        let mut parts = Vec::new();
        for part in &kept.parts {
            let batch = |meter: &kernel::MeterId| {
                part.evidence().find(|evidence| evidence.meter == *meter).map(|evidence| evidence.batch)
            };
            parts.push(gather(tx, &supplies, part.clone(), self.now(), batch).await?.0);
        }
        let again = MinimumInputs { parts, ..kept.clone() };
        let (computed, why) = of_wholes(line, again.wholes(), again.steps());
        Ok((computed.filter(|_| again == kept), why))
    }

    async fn usage_again(
        &self,
        tx: &Tx,
        of: &Invoice,
        line: &ReckonedLine,
        kept: UsageInputs,
    ) -> Result<(Option<Money>, Why), Error> {
        let supplies = Supplies::of(tx, &of.operator, std::iter::once(&kept.rule)).await?;
        let batch = |meter: &kernel::MeterId| {
            kept.evidence().find(|evidence| evidence.meter == *meter).map(|evidence| evidence.batch)
        };
        let (again, intervals) = gather(tx, &supplies, kept.clone(), self.now(), batch).await?;
        let out_of_range =
            |error| Error::refused(Reason::TermOutOfRange, format!("{error}.")).with_source(error);
        let wholes = again.charge(&intervals).map_err(out_of_range)?;
        let Some(whole) = wholes.into_iter().find(|whole| whole.key() == line.key()) else {
            return Ok((less(Money::zero(of.total.currency), line), Why::Gone));
        };
        let absorbed = again.absorbed(&intervals, &whole).map_err(out_of_range)?;
        // The sums that were kept must come of the readings that were kept, not only the amount.
        let computed = less(whole.amount, line).filter(|_| again == kept);
        let why = UsageWhy { inputs: again, whole, before: before(line), absorbed };
        Ok((computed, Why::Usage(Box::new(why))))
    }
}

/// A line that is one of several whole charges, less what was billed before.
fn of_wholes(line: &ReckonedLine, wholes: Option<Vec<Whole>>, steps: Vec<String>) -> (Option<Money>, Why) {
    let whole = wholes.map(|wholes| wholes.into_iter().find(|whole| whole.item == line.item));
    let nothing = Money::zero(line.amount.currency);
    let amount = whole.map(|whole| whole.map_or(nothing, |whole| whole.amount));
    (amount.and_then(|amount| less(amount, line)), Why::Agreed(steps))
}

fn before(line: &ReckonedLine) -> Money {
    Money::new(line.detail.before_minor, line.amount.currency)
}

/// A whole charge less what was billed of it before.
fn less(whole: Money, line: &ReckonedLine) -> Option<Money> {
    whole.checked_sub(before(line))
}

fn credit_again(line: &ReckonedLine, inputs: CreditInputs) -> (Option<Money>, Why) {
    match (inputs.credit(), inputs.whole()) {
        (Some(credit), Some(whole)) => {
            let computed = less(whole.amount, line);
            (computed, Why::Credit(Box::new((inputs, credit, whole, before(line)))))
        }
        _ => (None, Why::Gone),
    }
}

/// The terms of a version, over the days as they stand now: if those moved since, a line of it comes to something else.
async fn lease_of(tx: &Tx, of: &Invoice, version: i64) -> Result<LeaseCopy, Error> {
    let terms = lease::terms(tx.conn(), &of.operator, &of.lease, version).await?;
    let scope = &Scope::Operator(of.operator.clone());
    let name = LeaseName::new(of.operator.clone(), of.lease.clone());
    let found = lease::find(tx.conn(), scope, &name).await?.ok_or_else(|| Error::not_found("lease"))?;
    Ok(LeaseCopy { terms, ..found })
}

/// What a month's rent comes to by the terms of the line's version, less what was billed before it.
async fn difference_again(
    tx: &Tx,
    of: &Invoice,
    version: i64,
    kept: RentInputs,
) -> Result<(Option<Money>, Why), Error> {
    let lease = lease_of(tx, of, version).await?;
    let right = charge::right(&lease, &kept.place, kept.month).map_err(Error::internal)?;
    let steps = kept.steps();
    Ok((RentInputs { right, ..kept }.amount(), Why::Agreed(steps)))
}

async fn rent_again(
    tx: &Tx,
    of: &Invoice,
    line: &InvoiceLine,
    rent: &Charge,
) -> Result<(Option<Money>, Why), Error> {
    let lease = lease_of(tx, of, line.lease_version).await?;
    let poison = |poison: crate::domain::lease::Poison| Error::internal(poison);
    let charges = charge::of_block(&lease, &rent.place, rent.period).map_err(poison)?;
    let again = charges.into_iter().find(|charge| charge.key() == rent.key());
    let why = RentWhy::of(&lease, rent).map_err(poison)?;
    Ok((again.map(|charge| charge.amount), Why::Rent(why)))
}

/// A line names a reckoning that is not there: the database holds that it is.
#[derive(Debug, thiserror::Error)]
#[error("reckoning {0} is not there")]
struct Lost(ReckoningId);
