//! Writing leases, and listing them.

use kernel::{BlockName, Error, LeaseName, MasterAgreementName, OperatorName, Reason, Uuid};
use postgres::{insert_all, store_error};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, Statement, Value,
};

use super::entity::{lease, lease_version, premises, quantity_step, rate_step, signature};
use super::load::whole;
use super::rights::insert_rights;
use super::sagas::Intent;
use crate::domain::record;
use crate::domain::state::COMMITTED;
use crate::domain::{Lease, LeaseState, Premises, Signature};

/// The sweeper looks at a saga this long after its last step, if nobody else has gone on with it.
const SAGA_PATIENCE: &str = "interval '2 seconds'";

/// Writes a new lease in PROPOSING with everything below it. `false`: the name, or the request, is taken already.
pub async fn insert(
    tx: &DatabaseTransaction,
    lease: &Lease,
    terms: Vec<u8>,
    intent: &Intent,
) -> Result<bool, Error> {
    let row = lease::ActiveModel {
        operator_id: Set(lease.name.operator.to_string()),
        lease_id: Set(lease.name.lease.to_string()),
        lease_uid: Set(lease.uid),
        tenant_id: Set(lease.tenant.tenant.to_string()),
        state: Set(lease.state.name().to_owned()),
        version: Set(lease.version),
        revision: Set(lease.revision),
        reservation_id: Set(None),
        hold_expire_time: Set(None),
        hold_seconds: Set(lease.hold_seconds),
        ended_because: Set(None),
        intent_rpc: Set(Some(intent.key.rpc.to_owned())),
        intent_caller: Set(Some(intent.key.caller.clone())),
        intent_request_id: Set(Some(intent.key.request_id)),
        intent_hash: Set(Some(intent.key.hash.to_vec())),
        intent_actor: Set(Some(intent.key.actor.to_text())),
        sweep_at: Set(None),
        create_time: Set(lease.create_time),
        update_time: Set(lease.update_time),
        signed_time: Set(None),
        effective_time: Set(None),
        due_at: Set(None),
        life: Set(json(&lease.life)?),
        unplaced: Set(lease.claims().is_empty()),
        master_agreement_id: Set(under(lease)),
    };
    let inserted = lease::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(tx)
        .await
        .map_err(store_error)?;
    if inserted == 0 {
        return Ok(false);
    }
    wait_for_saga(tx, &lease.name).await?;
    insert_version(tx, lease, terms).await?;
    Ok(true)
}

/// Writes the next version of an agreed lease, with where its blocks stand and its signatures.
pub async fn add_version(tx: &DatabaseTransaction, lease: &Lease) -> Result<(), Error> {
    let operator = OperatorName::new(lease.name.operator.clone());
    insert_version(tx, lease, record::canonical(&operator, &lease.tenant, &lease.terms)?.bytes).await?;
    for signed in &lease.signatures {
        add_signature(tx, lease, signed).await?;
    }
    Ok(())
}

/// The sweeper's patience begins: by the database's clock, which is the one the sweeper reads.
async fn wait_for_saga(tx: &DatabaseTransaction, name: &LeaseName) -> Result<(), Error> {
    let sql = format!(
        "update leasing.lease set sweep_at = clock_timestamp() + {SAGA_PATIENCE} \
         where operator_id = $1 and lease_id = $2"
    );
    execute(tx, sql, [name.operator.to_string().into(), name.lease.to_string().into()]).await.map(|_| ())
}

async fn insert_version(tx: &DatabaseTransaction, lease: &Lease, terms: Vec<u8>) -> Result<(), Error> {
    let operator_id = lease.name.operator.to_string();
    let lease_id = lease.name.lease.to_string();
    let version = lease_version::ActiveModel {
        operator_id: Set(operator_id.clone()),
        lease_id: Set(lease_id.clone()),
        version: Set(lease.version),
        terms: Set(terms),
        terms_hash: Set(lease.terms_hash.0.to_vec()),
        create_time: Set(lease.update_time),
    };
    lease_version::Entity::insert(version).exec_without_returning(tx).await.map_err(store_error)?;
    let mut blocks = Vec::new();
    let mut rates = Vec::new();
    let mut quantities = Vec::new();
    for (premises_no, one) in (1..).zip(&lease.premises) {
        blocks.push(premises_row(lease, premises_no, one)?);
        rates.extend(one.rate_steps.iter().map(|step| rate_step::ActiveModel {
            operator_id: Set(operator_id.clone()),
            lease_id: Set(lease_id.clone()),
            version: Set(lease.version),
            premises_no: Set(premises_no),
            from_date: Set(step.from),
            rate_per_kw_month: Set(step.rate.into()),
        }));
        quantities.extend(one.quantity_steps.iter().map(|step| quantity_step::ActiveModel {
            operator_id: Set(operator_id.clone()),
            lease_id: Set(lease_id.clone()),
            version: Set(lease.version),
            premises_no: Set(premises_no),
            from_date: Set(step.from),
            critical_it_kw: Set(step.capacity.critical_it),
            air_cooling_kw: Set(step.capacity.air),
            liquid_cooling_kw: Set(step.capacity.liquid),
            immersion_cooling_kw: Set(step.capacity.immersion),
            accelerators: Set(step.capacity.accelerators),
        }));
    }
    insert_rights(tx, lease).await?;
    insert_all(tx, blocks).await.map_err(store_error)?;
    // At most 50 blocks of 240 steps: in chunks, since one statement takes 65,535 values.
    for chunk in rates.chunks(5_000) {
        let rows = chunk.to_vec();
        rate_step::Entity::insert_many(rows).exec_without_returning(tx).await.map_err(store_error)?;
    }
    for chunk in quantities.chunks(5_000) {
        let rows = chunk.to_vec();
        quantity_step::Entity::insert_many(rows).exec_without_returning(tx).await.map_err(store_error)?;
    }
    Ok(())
}

/// The agreement that a lease is an order under.
fn under(lease: &Lease) -> Option<Uuid> {
    lease.terms.contract.master.as_ref().map(|master| master.agreement.master_agreement.get())
}

/// A document as it lies in its row.
fn json(document: &impl serde::Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(document).map_err(Error::internal)
}

fn premises_row(lease: &Lease, premises_no: i32, one: &Premises) -> Result<premises::ActiveModel, Error> {
    Ok(premises::ActiveModel {
        operator_id: Set(lease.name.operator.to_string()),
        lease_id: Set(lease.name.lease.to_string()),
        version: Set(lease.version),
        premises_no: Set(premises_no),
        site_id: Set(one.block.site.to_string()),
        block_slug: Set(one.block.block.to_string()),
        time_zone: Set(one.zone.to_string()),
        commencement_date: Set(one.commencement),
        end_date: Set(one.end),
        commence_at: Set(one.commence_at),
        end_at: Set(one.end_at),
        state: Set(one.state.name().to_owned()),
        commence_time: Set(one.commence_time),
        standing: Set(json(&one.standing)?),
    })
}

/// Writes a changed lease over revision `from`. The intent is kept while a saga is under way and cleared after it.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when somebody else changed it first.
pub async fn save(
    tx: &DatabaseTransaction,
    lease: &Lease,
    from: i64,
    intent: Option<&Intent>,
) -> Result<(), Error> {
    let sql = format!(
        "update leasing.lease set state = $4, version = $19, tenant_id = $20, revision = $5, reservation_id = $6, hold_expire_time = $7, \
         ended_because = $8, intent_rpc = $9, intent_caller = $10, intent_request_id = $11, intent_hash = $12, intent_actor = $21, \
         update_time = $13, signed_time = $14, effective_time = $15, due_at = $16, life = $17, \
         unplaced = $22, sweep_at = case when $4 in ('PROPOSING', 'SIGNING') or $18 then clock_timestamp() + {SAGA_PATIENCE} \
         when $4 = 'PROPOSED' then $7 end \
         where operator_id = $1 and lease_id = $2 and revision = $3"
    );
    let key = intent.map(|intent| &intent.key);
    let waits = lease.life.pending.is_some() || lease.life.claims_due && lease.state.is_in(COMMITTED);
    let values: [Value; 22] = [
        lease.name.operator.to_string().into(),
        lease.name.lease.to_string().into(),
        from.into(),
        lease.state.name().into(),
        lease.revision.into(),
        lease.hold.map(|hold| hold.reservation.get()).into(),
        lease.hold.map(|hold| hold.expire_time).into(),
        lease.ended_because.clone().into(),
        key.map(|key| key.rpc.to_owned()).into(),
        key.map(|key| key.caller.clone()).into(),
        key.map(|key| key.request_id).into(),
        key.map(|key| key.hash.to_vec()).into(),
        lease.update_time.into(),
        lease.signed_time.into(),
        lease.effective_time.into(),
        lease.due_at().into(),
        json(&lease.life)?.into(),
        waits.into(),
        lease.version.into(),
        lease.tenant.tenant.to_string().into(),
        key.map(|key| key.actor.to_text()).into(),
        lease.claims().is_empty().into(),
    ];
    match execute(tx, sql, values).await? {
        1 => Ok(()),
        _ => Err(Error::refused(Reason::TransactionConflict, "The lease was changed at the same time.")),
    }
}

/// Adds one side's signature to the version in force.
pub async fn add_signature(tx: &DatabaseTransaction, lease: &Lease, signed: &Signature) -> Result<(), Error> {
    let row = signature::ActiveModel {
        operator_id: Set(lease.name.operator.to_string()),
        lease_id: Set(lease.name.lease.to_string()),
        version: Set(lease.version),
        party: Set(signed.party.name().to_owned()),
        signatory_name: Set(signed.signatory.name.clone()),
        signatory_title: Set(signed.signatory.title.clone()),
        subject: Set(signed.subject.clone()),
        peer_address: Set(signed.peer_address.clone()),
        terms_hash: Set(signed.terms_hash.0.to_vec()),
        signed_time: Set(signed.time),
    };
    signature::Entity::insert(row).exec_without_returning(tx).await.map(|_| ()).map_err(store_error)
}

/// Writes where the blocks stand, and their days.
pub async fn save_premises(tx: &DatabaseTransaction, lease: &Lease) -> Result<(), Error> {
    for (premises_no, one) in (1_i32..).zip(&lease.premises) {
        let sql = "update leasing.premises set state = $5, commence_time = $6, commencement_date = $7, \
                     end_date = $8, commence_at = $9, end_at = $10, standing = $11 \
                   where operator_id = $1 and lease_id = $2 and version = $3 and premises_no = $4 \
                     and (state, commencement_date, end_date, standing) is distinct from ($5, $7, $8, $11)";
        let values: [Value; 11] = [
            lease.name.operator.to_string().into(),
            lease.name.lease.to_string().into(),
            lease.version.into(),
            premises_no.into(),
            one.state.name().into(),
            one.commence_time.into(),
            one.commencement.into(),
            one.end.into(),
            one.commence_at.into(),
            one.end_at.into(),
            json(&one.standing)?.into(),
        ];
        execute(tx, sql.to_owned(), values).await?;
    }
    Ok(())
}

/// Removes a refused intent with everything below it. `false`: it is no intent any more, or capacity is held for it.
pub async fn delete_intent(tx: &DatabaseTransaction, lease: &Lease) -> Result<bool, Error> {
    let sql = "delete from leasing.lease where operator_id = $1 and lease_id = $2 and lease_uid = $3 \
               and state = 'PROPOSING' and reservation_id is null";
    let values: [Value; 3] =
        [lease.name.operator.to_string().into(), lease.name.lease.to_string().into(), lease.uid.into()];
    Ok(execute(tx, sql.to_owned(), values).await? == 1)
}

/// Which leases to list; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this operator.
    pub operator: Option<String>,
    /// Of these tenants: the one asked for and the one whose scope it is, which may differ and then find nothing.
    pub tenants: [Option<String>; 2],
    /// In one of these states; empty is any.
    pub states: Vec<LeaseState>,
    /// With this block.
    pub block: Option<BlockName>,
    /// Under this agreement.
    pub master: Option<MasterAgreementName>,
    /// After this name.
    pub after: Option<(String, String)>,
    /// At most so many.
    pub limit: u32,
}

/// A page of leases in order of name.
pub async fn list(conn: &impl ConnectionTrait, filter: &Filter) -> Result<Vec<Lease>, Error> {
    let sql = "select l.* from leasing.lease l where ($1::text is null or l.operator_id = $1) \
               and ($2::text is null or l.tenant_id = $2) and ($3::text is null or l.tenant_id = $3) \
               and ($4 = '' or l.state = any (string_to_array($4, ','))) \
               and ($5::text is null or exists (select 1 from leasing.premises p \
                   where p.operator_id = l.operator_id and p.lease_id = l.lease_id and p.version = l.version \
                   and p.operator_id = $5 and p.site_id = $6 and p.block_slug = $7)) \
               and ($8::text is null or (l.operator_id, l.lease_id) > ($8 collate \"C\", $9 collate \"C\")) \
               and ($11::text is null or (l.operator_id = $11 and l.master_agreement_id = $12)) \
               order by l.operator_id, l.lease_id limit $10";
    let states: Vec<_> = filter.states.iter().map(|state| state.name()).collect();
    let block = filter.block.as_ref();
    let (after_operator, after_lease) = filter.after.clone().unzip();
    let master = filter.master.as_ref();
    let values: [Value; 12] = [
        filter.operator.clone().into(),
        filter.tenants[0].clone().into(),
        filter.tenants[1].clone().into(),
        states.join(",").into(),
        block.map(|block| block.operator.to_string()).into(),
        block.map(|block| block.site.to_string()).into(),
        block.map(|block| block.block.to_string()).into(),
        after_operator.into(),
        after_lease.into(),
        i64::from(filter.limit).into(),
        master.map(|name| name.operator.to_string()).into(),
        master.map(|name| name.master_agreement.get()).into(),
    ];
    let rows = lease::Entity::find()
        .from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .all(conn)
        .await
        .map_err(store_error)?;
    whole(conn, rows).await
}

pub(super) async fn execute(
    conn: &impl ConnectionTrait,
    sql: String,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, Error> {
    let done = conn
        .execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    Ok(done.rows_affected())
}
