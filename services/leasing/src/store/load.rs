//! Rows to leases: every lease comes whole, with its version in force and all that hangs on it.

use std::collections::BTreeMap;

use kernel::{
    BlockName, BlockSlug, CapacityVector, DateRange, Error, LeaseName, Rate, RateStep, ReservationId, SiteId,
    TenantName,
};
use postgres::store_error;
use sea_orm::QuerySelect;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder,
};

use super::corrupt;
use super::entity::{lease, lease_version, premises, quantity_step, rate_step, ready_phase, signature};
use crate::domain::premises::{PhaseDates, ReadyDates, Standing, cut};
use crate::domain::record;
use crate::domain::terms::{ProfileStep, Terms};
use crate::domain::{Hold, Lease, Party, Premises, Signatory, Signature, TermsHash};

/// The lease of this name, if the scope sees it.
pub async fn load(conn: &impl ConnectionTrait, name: &LeaseName) -> Result<Option<Lease>, Error> {
    let row = lease::Entity::find_by_id((name.operator.to_string(), name.lease.to_string()))
        .one(conn)
        .await
        .map_err(store_error)?;
    one(conn, row).await
}

/// As [`load`], with another version of its terms and what hangs on it; none if it never had it.
pub async fn load_version(
    conn: &impl ConnectionTrait,
    name: &LeaseName,
    version: i32,
) -> Result<Option<Lease>, Error> {
    let (operator, lease) = (name.operator.to_string(), name.lease.to_string());
    let known = lease_version::Entity::find_by_id((operator.clone(), lease.clone(), version));
    if known.one(conn).await.map_err(store_error)?.is_none() {
        return Ok(None);
    }
    let row = lease::Entity::find_by_id((operator, lease)).one(conn).await.map_err(store_error)?;
    one(conn, row.map(|row| lease::Model { version, ..row })).await
}

/// As [`load`], and nobody else changes it until the transaction ends. Leases are locked one at a time, so there is
/// no order to keep.
pub async fn lock(tx: &DatabaseTransaction, name: &LeaseName) -> Result<Option<Lease>, Error> {
    let row = lease::Entity::find_by_id((name.operator.to_string(), name.lease.to_string()))
        .lock_exclusive()
        .one(tx)
        .await
        .map_err(store_error)?;
    one(tx, row).await
}

async fn one(conn: &impl ConnectionTrait, row: Option<lease::Model>) -> Result<Option<Lease>, Error> {
    match row {
        None => Ok(None),
        Some(row) => Ok(whole(conn, vec![row]).await?.pop()),
    }
}

/// A lease's key and version: what its parts hang on.
type Key = (String, String, i32);

/// The parts of many leases, by what they hang on.
#[derive(Default)]
struct Parts {
    versions: BTreeMap<Key, lease_version::Model>,
    premises: BTreeMap<Key, Vec<premises::Model>>,
    rates: BTreeMap<(Key, i32), Vec<RateStep>>,
    quantities: BTreeMap<(Key, i32), Vec<ProfileStep>>,
    signatures: BTreeMap<Key, Vec<Signature>>,
    phases: BTreeMap<(String, String, String), Vec<PhaseDates>>,
}

/// Leases of rows, in the same order: one query a table, however many leases.
pub(super) async fn whole(conn: &impl ConnectionTrait, rows: Vec<lease::Model>) -> Result<Vec<Lease>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut parts = Parts::default();
    read_versions(conn, &rows, &mut parts).await?;
    read_steps(conn, &rows, &mut parts).await?;
    read_signatures(conn, &rows, &mut parts).await?;
    read_phases(conn, &mut parts).await?;
    rows.into_iter().map(|row| lease_of(row, &mut parts)).collect()
}

macro_rules! of_leases {
    ($table:ident, $rows:expr) => {
        $rows.iter().fold(Condition::any(), |any, row| {
            any.add(
                Condition::all()
                    .add($table::Column::OperatorId.eq(row.operator_id.clone()))
                    .add($table::Column::LeaseId.eq(row.lease_id.clone()))
                    .add($table::Column::Version.eq(row.version)),
            )
        })
    };
}

async fn read_versions(
    conn: &impl ConnectionTrait,
    rows: &[lease::Model],
    parts: &mut Parts,
) -> Result<(), Error> {
    let versions = lease_version::Entity::find()
        .filter(of_leases!(lease_version, rows))
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in versions {
        parts.versions.insert((row.operator_id.clone(), row.lease_id.clone(), row.version), row);
    }
    let premises = premises::Entity::find()
        .filter(of_leases!(premises, rows))
        .order_by_asc(premises::Column::PremisesNo)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in premises {
        let key = (row.operator_id.clone(), row.lease_id.clone(), row.version);
        parts.premises.entry(key).or_default().push(row);
    }
    Ok(())
}

async fn read_steps(
    conn: &impl ConnectionTrait,
    rows: &[lease::Model],
    parts: &mut Parts,
) -> Result<(), Error> {
    let rates = rate_step::Entity::find()
        .filter(of_leases!(rate_step, rows))
        .order_by_asc(rate_step::Column::FromDate)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in rates {
        let rate =
            Rate::try_from(row.rate_per_kw_month).map_err(|_| corrupt("rate_step", "rate_per_kw_month"))?;
        let key = ((row.operator_id, row.lease_id, row.version), row.premises_no);
        parts.rates.entry(key).or_default().push(RateStep { from: row.from_date, rate });
    }
    let quantities = quantity_step::Entity::find()
        .filter(of_leases!(quantity_step, rows))
        .order_by_asc(quantity_step::Column::FromDate)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in quantities {
        let capacity = CapacityVector {
            critical_it: row.critical_it_kw,
            air: row.air_cooling_kw,
            liquid: row.liquid_cooling_kw,
            immersion: row.immersion_cooling_kw,
            accelerators: row.accelerators,
        };
        let key = ((row.operator_id, row.lease_id, row.version), row.premises_no);
        parts.quantities.entry(key).or_default().push(ProfileStep { from: row.from_date, capacity });
    }
    Ok(())
}

async fn read_signatures(
    conn: &impl ConnectionTrait,
    rows: &[lease::Model],
    parts: &mut Parts,
) -> Result<(), Error> {
    let signatures = signature::Entity::find()
        .filter(of_leases!(signature, rows))
        .order_by_asc(signature::Column::SignedTime)
        // Business time may stand still between the two.
        .order_by_asc(signature::Column::Party)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in signatures {
        let key = (row.operator_id.clone(), row.lease_id.clone(), row.version);
        parts.signatures.entry(key).or_default().push(signature_of(row)?);
    }
    Ok(())
}

/// What is known of the phases of the blocks that were read.
async fn read_phases(conn: &impl ConnectionTrait, parts: &mut Parts) -> Result<(), Error> {
    let blocks = parts.premises.values().flatten().fold(Condition::any(), |any, row| {
        any.add(
            Condition::all()
                .add(ready_phase::Column::OperatorId.eq(row.operator_id.clone()))
                .add(ready_phase::Column::SiteId.eq(row.site_id.clone()))
                .add(ready_phase::Column::BlockSlug.eq(row.block_slug.clone())),
        )
    });
    for row in ready_phase::Entity::find().filter(blocks).all(conn).await.map_err(store_error)? {
        let dates =
            PhaseDates { baseline: row.baseline_date, current: row.ready_date, actual: row.actual_date };
        parts.phases.entry((row.operator_id, row.site_id, row.block_slug)).or_default().push(dates);
    }
    Ok(())
}

fn lease_of(row: lease::Model, parts: &mut Parts) -> Result<Lease, Error> {
    let key = (row.operator_id.clone(), row.lease_id.clone(), row.version);
    let version = parts.versions.remove(&key).ok_or_else(|| corrupt("lease_version", "version"))?;
    let operator = row.operator_id.parse().map_err(|_| corrupt("lease", "operator_id"))?;
    let lease = row.lease_id.parse().map_err(|_| corrupt("lease", "lease_id"))?;
    let name = LeaseName { operator, lease };
    let terms = record::read(&version.terms)?;
    let premises = parts.premises.remove(&key).unwrap_or_default();
    let premises = premises
        .into_iter()
        .map(|row| premises_of(&name, &key, &row, parts, &terms))
        .collect::<Result<Vec<_>, _>>()?;
    let hold = match (row.reservation_id, row.hold_expire_time) {
        (Some(id), Some(expire_time)) => Some(Hold { reservation: ReservationId::new(id), expire_time }),
        _ => None,
    };
    Ok(Lease {
        uid: row.lease_uid,
        tenant: TenantName { tenant: row.tenant_id.parse().map_err(|_| corrupt("lease", "tenant_id"))? },
        state: row.state.parse().map_err(|_| corrupt("lease", "state"))?,
        version: row.version,
        revision: row.revision,
        terms,
        terms_hash: hash_of(&version.terms_hash)?,
        premises,
        signatures: parts.signatures.remove(&key).unwrap_or_default(),
        hold,
        hold_seconds: row.hold_seconds,
        ended_because: row.ended_because,
        create_time: row.create_time,
        update_time: row.update_time,
        signed_time: row.signed_time,
        effective_time: row.effective_time,
        life: serde_json::from_value(row.life).map_err(Error::internal)?,
        name,
    })
}

fn premises_of(
    name: &LeaseName,
    key: &Key,
    row: &premises::Model,
    parts: &mut Parts,
    terms: &Terms,
) -> Result<Premises, Error> {
    let site: SiteId = row.site_id.parse().map_err(|_| corrupt("premises", "site_id"))?;
    let slug: BlockSlug = row.block_slug.parse().map_err(|_| corrupt("premises", "block_slug"))?;
    let key = (key.clone(), row.premises_no);
    let block = BlockName { operator: name.operator.clone(), site, block: slug };
    let agreed = terms.of_block(&block);
    let agreed = agreed.and_then(|agreed| DateRange::new(agreed.commencement, agreed.end).ok());
    let agreed = agreed.ok_or_else(|| corrupt("premises", "block_slug"))?;
    let standing: Standing = serde_json::from_value(row.standing.clone()).map_err(Error::internal)?;
    let phases = parts.phases.get(&(row.operator_id.clone(), row.site_id.clone(), row.block_slug.clone()));
    let quantities = parts.quantities.remove(&key).unwrap_or_default();
    let rates = parts.rates.remove(&key).unwrap_or_default();
    Ok(Premises {
        ready: ReadyDates::of(agreed.start(), phases.map_or(&[], Vec::as_slice)),
        block,
        zone: row.time_zone.parse().map_err(|_| corrupt("premises", "time_zone"))?,
        agreed,
        commencement: row.commencement_date,
        end: row.end_date,
        commence_at: row.commence_at,
        end_at: row.end_at,
        rate_steps: standing
            .rate_steps
            .clone()
            .unwrap_or_else(|| cut(&rates, row.commencement_date, row.end_date)),
        quantity_steps: cut(&quantities, row.commencement_date, row.end_date),
        state: row.state.parse().map_err(|_| corrupt("premises", "state"))?,
        commence_time: row.commence_time,
        standing,
    })
}

fn signature_of(row: signature::Model) -> Result<Signature, Error> {
    let party = [Party::Operator, Party::Tenant]
        .into_iter()
        .find(|party| party.name() == row.party)
        .ok_or_else(|| corrupt("signature", "party"))?;
    Ok(Signature {
        party,
        signatory: Signatory { name: row.signatory_name, title: row.signatory_title },
        subject: row.subject,
        peer_address: row.peer_address,
        terms_hash: hash_of(&row.terms_hash)?,
        time: row.signed_time,
    })
}

fn hash_of(bytes: &[u8]) -> Result<TermsHash, Error> {
    bytes.try_into().map(TermsHash).map_err(|_| corrupt("lease_version", "terms_hash"))
}
