//! Records what utilities charged, divides it among those who share a meter, and reads both.

use kernel::{
    Caller, DateRange, Error, Instant, MeterId, MeterName, OperatorId, Reason, Scope, UtilityBillId,
    UtilityBillName, Uuid, YearMonth, Zone,
};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::write::Write;
use super::{About, App, ListRequest, Listed, check_etag, kind, rpc, sight};
use crate::domain::utility_bill::{BillFacts, BillFilter, UtilityBill, corrected, overlaps};
use crate::store::listing::Newest;
use crate::store::{meter, utility_bill};

/// Records a bill.
#[derive(Clone, Debug, Serialize)]
pub struct RecordUtilityBill {
    /// Whose.
    pub operator: OperatorId,
    /// What it says.
    pub facts: BillFacts,
    /// The bill that it corrects.
    pub corrects: Option<UtilityBillId>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Divides a bill.
#[derive(Clone, Debug, Serialize)]
pub struct PostTrueUp {
    /// Which.
    pub name: UtilityBillName,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists bills.
#[derive(Clone, Debug)]
pub struct ListUtilityBills {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: BillFilter,
}

/// A bill as a write left it.
#[derive(Clone, Debug)]
pub struct BillTold {
    /// The bill.
    pub bill: UtilityBill,
    /// Whether it is only tried out: then what is new has no name.
    pub tried_out: bool,
}

impl App {
    /// Records a bill, or one that corrects another.
    pub async fn record_utility_bill(
        &self,
        caller: &Caller,
        command: RecordUtilityBill,
        encode: fn(&BillTold) -> Vec<u8>,
    ) -> Result<Answer<BillTold>, Error> {
        Self::own_operator(caller, &command.operator)?;
        let of = (command.request_id, command.validate_only);
        let what = ("record_utility_bill", rpc::RECORD_UTILITY_BILL);
        let write = Write::in_books(caller, &command.operator, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let zone = zone_of(&tx, scope, &command.operator, &command.facts.meter).await?;
                past(&command.facts, zone, now)?;
                let bill = UtilityBill {
                    operator: command.operator.clone(),
                    id: UtilityBillId::new(self.ids.next()),
                    facts: command.facts.clone(),
                    revision: revision(&tx, command).await?,
                    corrects: command.corrects,
                    division: None,
                    version: 1,
                    create_time: now,
                };
                utility_bill::insert(tx.conn(), &bill).await?;
                self.tell_bill(&tx, kind::UTILITY_BILL_RECORDED, &bill, now).await?;
                Ok((tx, BillTold { bill, tried_out: command.validate_only }))
            })
            .await?;
        if let Answer::Fresh(told) = &answer {
            info!(operator = %command.operator, bill = %told.bill.id, "utility bill recorded");
        }
        Ok(answer)
    }

    /// Divides a bill by what is known now; the next run bills what comes of it.
    pub async fn post_true_up(
        &self,
        caller: &Caller,
        command: PostTrueUp,
        encode: fn(&BillTold) -> Vec<u8>,
    ) -> Result<Answer<BillTold>, Error> {
        let gone = || Error::not_found("utility bill");
        Self::own_operator(caller, &command.name.operator).map_err(|_| gone())?;
        let of = (command.request_id, command.validate_only);
        let what = ("post_true_up", rpc::POST_TRUE_UP);
        let write = Write::in_books(caller, &command.name.operator, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let found = utility_bill::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                check_etag(command.etag.as_deref(), found.version)?;
                let (operator, facts) = (&found.operator, &found.facts);
                let others = utility_bill::of_days(tx.conn(), operator, &facts.meter, facts.days).await?;
                if let Some(last) = others.iter().rfind(|other| other.revision > found.revision) {
                    return Err(corrected(last));
                }
                let zone = zone_of(&tx, scope, operator, &facts.meter).await?;
                charged(&tx, operator, facts.days, zone).await?;
                let division = self.divide(&tx, &found, now).await?;
                let (division, version) = (Some((division, now)), found.version + 1);
                let bill = UtilityBill { division, version, ..found };
                utility_bill::divide(tx.conn(), &bill).await?;
                self.tell_bill(&tx, kind::UTILITY_BILL_TRUED_UP, &bill, now).await?;
                Ok((tx, BillTold { bill, tried_out: command.validate_only }))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(bill = %command.name, "utility bill divided");
        }
        Ok(answer)
    }

    /// Tells it to the operator's own: it says what others share.
    async fn tell_bill(
        &self,
        tx: &Tx,
        kind: &'static str,
        bill: &UtilityBill,
        now: Instant,
    ) -> Result<(), Error> {
        let about = About { operator: &bill.operator, tenant: None, subject: bill.name().to_string() };
        self.tell(tx, kind, about, now, (self.wire.utility_bill_event)(bill)).await
    }

    /// One bill.
    pub async fn get_utility_bill(
        &self,
        caller: &Caller,
        name: &UtilityBillName,
    ) -> Result<UtilityBill, Error> {
        let gone = || Error::not_found("utility bill");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_utility_bill", scope, |tx| async move {
                let found = utility_bill::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Bills, newest first.
    pub async fn list_utility_bills(
        &self,
        caller: &Caller,
        command: ListUtilityBills,
    ) -> Result<Listed<UtilityBill>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |bill: &UtilityBill| Newest(bill.id.get(), bill.operator.clone());
        let what = ("list_utility_bills", rpc::LIST_UTILITY_BILLS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = utility_bill::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}

/// The zone in which the days of a bill are counted.
async fn zone_of(tx: &Tx, scope: &Scope, operator: &OperatorId, meter: &MeterId) -> Result<Zone, Error> {
    let name = MeterName::new(operator.clone(), meter.clone());
    let found = meter::find(tx.conn(), scope, &name).await?;
    Ok(found.ok_or_else(|| Error::not_found("meter"))?.facts.zone)
}

/// A bill is of days that are over, and was not written tomorrow.
fn past(facts: &BillFacts, zone: Zone, now: Instant) -> Result<(), Error> {
    let mut v = kernel::Violations::new();
    v.nested("utility_bill", |v| {
        v.require("until_date", zone.start_of_day(facts.days.end()) <= now, "must be over");
        v.require("bill_date", facts.bill_date <= now.date_naive(), "must not be after today");
    });
    v.finish()
}

/// The revision of a bill among those of its meter and days.
async fn revision(tx: &Tx, command: &RecordUtilityBill) -> Result<i32, Error> {
    let facts = &command.facts;
    let others = utility_bill::of_days(tx.conn(), &command.operator, &facts.meter, facts.days).await?;
    let Some(corrects) = command.corrects else {
        return others.last().map_or(Ok(1), |other| Err(overlaps(other)));
    };
    let name = UtilityBillName::new(command.operator.clone(), corrects);
    let scope = Scope::Operator(command.operator.clone());
    let wrong = utility_bill::find(tx.conn(), &scope, &name).await?;
    let wrong = wrong.ok_or_else(|| Error::not_found("utility bill"))?;
    if (&wrong.facts.meter, wrong.facts.days) != (&facts.meter, facts.days) {
        let same = "must be a bill of the same meter and days";
        return Err(Error::invalid_field("utility_bill.corrects", same));
    }
    match others.iter().rfind(|other| other.revision > wrong.revision) {
        Some(last) => Err(corrected(last)),
        None => Ok(wrong.revision.saturating_add(1)),
    }
}

/// Whether the usage of all of a bill's days is billed: by a run of the month after them that was started once that month's
/// usage was due.
async fn charged(tx: &Tx, operator: &OperatorId, days: DateRange, zone: Zone) -> Result<(), Error> {
    let last = YearMonth::of(days.last_day());
    let month = last.next().ok_or_else(|| Error::internal("the last month"))?;
    let due = zone.start_of_day(month.first_day());
    if utility_bill::is_charged(tx.conn(), operator, month, due).await? {
        return Ok(());
    }
    let why = format!("What was charged for these days is not known before the billing run of {month}.");
    Err(Error::refused(Reason::PeriodNotBilled, why).with("month", month))
}
