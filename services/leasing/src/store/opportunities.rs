//! Opportunities, and what they come to.

use kernel::{
    BidId, CivilDate, Currency, Error, LeaseId, OperatorId, OpportunityId, OpportunityName, Rate, TenantId,
};
use postgres::store_error;
use sea_orm::prelude::Decimal;
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Value};
use uuid::Uuid;

use super::leases::execute;
use super::sagas::query;
use super::{conflict, corrupt};
use crate::domain::opportunity::{Deal, Opportunity, PipelineSum, Stage};

const COLUMNS: &str = "operator_id, opportunity_id, display_name, stage, probability_percent, loss_code, tenant_id, \
    prospect, critical_it_kw, rate_per_kw_month, currency_code, expected_close_date, quote, bid_id, lease_id, note, \
    revision, create_time, update_time";

/// The values of a deal, from `$3` on.
fn values(of: &Opportunity) -> Vec<Value> {
    let deal = &of.deal;
    vec![
        of.name.operator.to_string().into(),
        of.name.opportunity.get().into(),
        deal.display_name.clone().into(),
        deal.stage.name().into(),
        deal.probability_percent.into(),
        deal.effective_percent().into(),
        deal.loss.map(|loss| loss.name().to_owned()).into(),
        deal.tenant.as_ref().map(ToString::to_string).into(),
        deal.prospect.clone().into(),
        deal.critical_it_kw.into(),
        deal.rate.map(Decimal::from).into(),
        deal.currency.map(|currency| currency.code().to_owned()).into(),
        deal.expected_close.into(),
        deal.quote.clone().into(),
        deal.bid.map(BidId::get).into(),
        deal.lease.as_ref().map(ToString::to_string).into(),
        deal.note.clone().into(),
        of.revision.into(),
        of.create_time.into(),
        of.update_time.into(),
    ]
}

/// Writes a new opportunity.
pub async fn insert_opportunity(tx: &DatabaseTransaction, new: &Opportunity) -> Result<(), Error> {
    let sql = "insert into leasing.opportunity (operator_id, opportunity_id, display_name, stage, \
                 probability_percent, effective_percent, loss_code, tenant_id, prospect, critical_it_kw, \
                 rate_per_kw_month, currency_code, expected_close_date, quote, bid_id, lease_id, note, revision, \
                 create_time, update_time) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    execute(tx, sql.to_owned(), values(new)).await.map(|_| ())
}

/// Writes a changed opportunity over revision `from`.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save_opportunity(tx: &DatabaseTransaction, new: &Opportunity, from: i64) -> Result<(), Error> {
    let sql = "update leasing.opportunity set display_name = $3, stage = $4, probability_percent = $5, \
                 effective_percent = $6, loss_code = $7, tenant_id = $8, prospect = $9, critical_it_kw = $10, \
                 rate_per_kw_month = $11, currency_code = $12, expected_close_date = $13, quote = $14, bid_id = $15, \
                 lease_id = $16, note = $17, revision = $18, create_time = $19, update_time = $20 \
               where operator_id = $1 and opportunity_id = $2 and revision = $21";
    let mut values = values(new);
    values.push(from.into());
    match execute(tx, sql.to_owned(), values).await? {
        1 => Ok(()),
        _ => Err(conflict("opportunity")),
    }
}

/// The opportunity of this name, if the scope sees it.
pub async fn find_opportunity(
    conn: &impl ConnectionTrait,
    name: &OpportunityName,
) -> Result<Option<Opportunity>, Error> {
    let sql =
        format!("select {COLUMNS} from leasing.opportunity where operator_id = $1 and opportunity_id = $2");
    let values = [name.operator.to_string().into(), name.opportunity.get().into()];
    query(conn, &sql, values).await?.first().map(opportunity_of).transpose()
}

fn names(stages: &[Stage]) -> String {
    stages.iter().map(|stage| stage.name()).collect::<Vec<_>>().join(",")
}

/// A page of opportunities in order of name.
pub async fn list_opportunities(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    stages: &[Stage],
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Opportunity>, Error> {
    let sql = format!(
        "select {COLUMNS} from leasing.opportunity where operator_id = $1 \
         and ($2 = '' or stage = any (string_to_array($2, ','))) and ($3::uuid is null or opportunity_id > $3) \
         order by opportunity_id limit $4"
    );
    let values = [operator.to_string().into(), names(stages).into(), after.into(), i64::from(limit).into()];
    query(conn, &sql, values).await?.iter().map(opportunity_of).collect()
}

/// What all opportunities of these stages come to, exactly: by stage, then currency.
pub async fn sum_opportunities(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    stages: &[Stage],
) -> Result<Vec<PipelineSum>, Error> {
    // Percents are whole, so a hundredth of each product is exact.
    let sql = "select stage, currency_code, count(*), sum(critical_it_kw)::bigint, \
                 trim_scale(sum(critical_it_kw * effective_percent) * 0.01)::text, \
                 trim_scale(coalesce(sum(critical_it_kw * rate_per_kw_month), 0))::text, \
                 trim_scale(coalesce(sum(critical_it_kw * rate_per_kw_month * effective_percent), 0) * 0.01)::text \
               from leasing.opportunity where operator_id = $1 \
                 and ($2 = '' or stage = any (string_to_array($2, ','))) group by 1, 2 order by 1, 2";
    let rows = query(conn, sql, [operator.to_string().into(), names(stages).into()]).await?;
    let mut sums = rows.iter().map(sum_of).collect::<Result<Vec<_>, _>>()?;
    sums.sort_by_key(|sum| sum.stage);
    Ok(sums)
}

fn sum_of(row: &QueryResult) -> Result<PipelineSum, Error> {
    let stage: String = row.try_get_by_index(0).map_err(store_error)?;
    let currency: Option<String> = row.try_get_by_index(1).map_err(store_error)?;
    Ok(PipelineSum {
        stage: stage.parse().map_err(|_| corrupt("opportunity", "stage"))?,
        currency: currency_of(currency)?,
        count: row.try_get_by_index(2).map_err(store_error)?,
        critical_it_kw: row.try_get_by_index(3).map_err(store_error)?,
        weighted_kw: row.try_get_by_index(4).map_err(store_error)?,
        monthly_rent: row.try_get_by_index(5).map_err(store_error)?,
        weighted_monthly_rent: row.try_get_by_index(6).map_err(store_error)?,
    })
}

fn currency_of(code: Option<String>) -> Result<Option<Currency>, Error> {
    code.map(|code| Currency::new(&code).ok_or_else(|| corrupt("opportunity", "currency_code"))).transpose()
}

fn opportunity_of(row: &QueryResult) -> Result<Opportunity, Error> {
    let text = |column: &str| row.try_get::<String>("", column).map_err(store_error);
    let optional = |column: &str| row.try_get::<Option<String>>("", column).map_err(store_error);
    let operator: OperatorId =
        text("operator_id")?.parse().map_err(|_| corrupt("opportunity", "operator_id"))?;
    let id: Uuid = row.try_get("", "opportunity_id").map_err(store_error)?;
    let rate: Option<Decimal> = row.try_get("", "rate_per_kw_month").map_err(store_error)?;
    let bid: Option<Uuid> = row.try_get("", "bid_id").map_err(store_error)?;
    let expected_close: Option<CivilDate> = row.try_get("", "expected_close_date").map_err(store_error)?;
    let tenant: Option<Result<TenantId, _>> = optional("tenant_id")?.map(|id| id.parse());
    let lease: Option<Result<LeaseId, _>> = optional("lease_id")?.map(|id| id.parse());
    let loss = optional("loss_code")?.map(|code| code.parse());
    let deal = Deal {
        display_name: text("display_name")?,
        stage: text("stage")?.parse().map_err(|_| corrupt("opportunity", "stage"))?,
        probability_percent: row.try_get("", "probability_percent").map_err(store_error)?,
        loss: loss.transpose().map_err(|_| corrupt("opportunity", "loss_code"))?,
        tenant: tenant.transpose().map_err(|_| corrupt("opportunity", "tenant_id"))?,
        prospect: text("prospect")?,
        critical_it_kw: row.try_get("", "critical_it_kw").map_err(store_error)?,
        rate: rate
            .map(Rate::try_from)
            .transpose()
            .map_err(|_| corrupt("opportunity", "rate_per_kw_month"))?,
        currency: currency_of(optional("currency_code")?)?,
        expected_close,
        quote: text("quote")?,
        bid: bid.map(BidId::new),
        lease: lease.transpose().map_err(|_| corrupt("opportunity", "lease_id"))?,
        note: text("note")?,
    };
    Ok(Opportunity {
        name: OpportunityName::new(operator, OpportunityId::new(id)),
        deal,
        revision: row.try_get("", "revision").map_err(store_error)?,
        create_time: row.try_get("", "create_time").map_err(store_error)?,
        update_time: row.try_get("", "update_time").map_err(store_error)?,
    })
}
