//! Curtailments.

use kernel::{CurtailmentId, CurtailmentName, Error, Instant, OperatorId, Scope, SiteName, Uuid};
use postgres::{Tx, store_error};
use sea_orm::{ConnectionTrait as _, DbBackend, QueryResult, Statement};

use super::incidents::{audience, execute, read_audience, sides};
use super::{Rows, parse};
use crate::domain::curtailment::{Curtailment, CurtailmentDraft};

/// Writes a new curtailment.
pub async fn insert(tx: &Tx, new: &Curtailment) -> Result<(), Error> {
    let sql = "insert into inventory.curtailment (operator_id, curtailment_id, site_id, programme_id, start_time, \
                   end_time, curtailed_kw, note, audience, created_at) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let facts = &new.facts;
    let values = [
        new.name.operator.as_str().into(),
        new.name.curtailment.get().into(),
        facts.site.site.as_str().into(),
        facts.programme_id.as_deref().into(),
        facts.start.into(),
        facts.end.into(),
        facts.curtailed_kw.into(),
        facts.note.as_str().into(),
        audience(&new.audience),
        new.created_at.into(),
    ];
    execute(tx, sql, values).await.map(drop)
}

/// Curtailments, the last announced first, after one.
pub async fn list(
    tx: &Tx,
    scope: &Scope,
    (operator, site): (Option<&OperatorId>, Option<&SiteName>),
    after: Option<&(Uuid, String)>,
    size: u32,
) -> Result<Rows<Curtailment>, Error> {
    let sql = "select operator_id, curtailment_id, site_id, programme_id, start_time, end_time, curtailed_kw, note, \
                   audience, created_at \
               from inventory.curtailment c \
               where ($1::text is null or c.operator_id = $1) and ($2::text is null or $2 = any(c.audience)) \
                 and ($3::text is null or c.operator_id = $3) \
                 and ($4::text is null or (c.operator_id = $4 and c.site_id = $5)) \
                 and ($6::uuid is null or c.curtailment_id < $6 or (c.curtailment_id = $6 and c.operator_id > $7)) \
               order by c.curtailment_id desc, c.operator_id limit $8";
    let (own, tenant) = sides(scope);
    let values = [
        own.into(),
        tenant.into(),
        operator.map(OperatorId::as_str).into(),
        site.map(|site| site.operator.as_str()).into(),
        site.map(|site| site.site.as_str()).into(),
        after.map(|(id, _)| *id).into(),
        after.map(|(_, operator)| operator.as_str()).into(),
        (i64::from(size) + 1).into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = tx.conn().query_all_raw(statement).await.map_err(store_error)?;
    let read: Result<Vec<Curtailment>, Error> = rows.iter().map(read).collect();
    Ok(Rows::cut(read?, size))
}

fn read(row: &QueryResult) -> Result<Curtailment, Error> {
    let text = |column: &str| row.try_get::<String>("", column).map_err(store_error);
    let time = |column: &str| row.try_get::<Instant>("", column).map_err(store_error);
    let operator: OperatorId = parse("operator", &text("operator_id")?)?;
    let id = CurtailmentId::new(row.try_get("", "curtailment_id").map_err(store_error)?);
    Ok(Curtailment {
        facts: CurtailmentDraft {
            site: SiteName::new(operator.clone(), parse("site", &text("site_id")?)?),
            programme_id: row.try_get("", "programme_id").map_err(store_error)?,
            start: time("start_time")?,
            end: time("end_time")?,
            curtailed_kw: row.try_get("", "curtailed_kw").map_err(store_error)?,
            note: text("note")?,
        },
        name: CurtailmentName::new(operator, id),
        audience: read_audience(row)?,
        created_at: time("created_at")?,
    })
}
