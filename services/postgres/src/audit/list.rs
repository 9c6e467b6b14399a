//! Reading the trail: newest first, of one organisation, as of any instant.

use kernel::{Error, Instant, Organisation};
use sea_orm::{QueryResult, Value};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DEED, DENIAL, Deed, Outcome, at, enter, query, rows_of, scope_of};
use crate::Db;

/// Which entries; everything named must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Recorded at this instant or later.
    pub since: Option<Instant>,
    /// Recorded before this instant.
    pub until: Option<Instant>,
    /// By this subject.
    pub subject: Option<String>,
    /// By somebody of this organisation.
    pub organisation: Option<String>,
    /// Of this RPC.
    pub rpc: Option<String>,
    /// Of this resource, or of one below it.
    pub target: Option<String>,
    /// Of this request.
    pub request_id: Option<Uuid>,
    /// That ended so; empty is any.
    pub outcomes: Vec<Outcome>,
}

/// Where in the trail an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The transaction: entries of one belong together.
    pub xid: i64,
    /// Its place among them.
    pub seq: i64,
}

/// An entry of the trail.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it lies.
    pub place: Place,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The kind of the event; none where only the deed is told.
    pub kind: Option<String>,
    /// The resource.
    pub target: String,
    /// The tenant it is about, as a name.
    pub tenant: Option<String>,
    /// Who did it; none is the service itself.
    pub deed: Option<Deed>,
}

/// Entries after `last` (`None`: the newest), at most `limit`.
///
/// An event of a transaction that tells its deed in an entry of its own is not an entry again. A tenant reads what its
/// own people did; what an operator's did, it reads in the feed, without their names.
///
/// # Errors
/// What keeps the store from answering.
pub async fn list(
    db: &Db,
    schema: &str,
    owner: &Organisation,
    filter: &Filter,
    last: Option<Place>,
    limit: u32,
) -> Result<Vec<Entry>, Error> {
    db.read("list_audit_entries", &scope_of(owner), |tx| async move {
        enter(&tx, owner).await?;
        let (sql, values) = statement(schema, owner, filter, last, limit);
        let rows = query(&tx, sql, values).await?;
        let entries = rows.iter().map(entry_of).collect::<Result<_, Error>>()?;
        Ok((tx, entries))
    })
    .await
}

fn statement(
    schema: &str,
    owner: &Organisation,
    filter: &Filter,
    last: Option<Place>,
    limit: u32,
) -> (String, Vec<Value>) {
    let (rows, slug) = match owner {
        // Its deeds with operators lie in their trails.
        Organisation::Tenant(id) => {
            ("audience_tenant = $1 and e.deed ->> 'organisation' = 'tenants/' || $1", id.to_string())
        }
        other => rows_of(other),
    };
    let mut values: Vec<Value> = vec![slug.into(), i64::from(limit).into()];
    let mut conditions = format!(
        "{rows} and (e.deed is not null or not exists (select from {schema}.outbox d \
            where d.operator_id = e.operator_id and d.position_xid = e.position_xid and d.deed is not null))"
    );
    let mut also = |condition: &str, value: Value| {
        values.push(value);
        conditions.push_str(" and ");
        conditions.push_str(&condition.replace('?', &format!("${}", values.len())));
    };
    if let Some(since) = filter.since {
        also("e.recorded_at >= ?", since.into());
    }
    if let Some(until) = filter.until {
        also("e.recorded_at < ?", until.into());
    }
    if let Some(subject) = &filter.subject {
        also("e.deed ->> 'subject' = ?", subject.as_str().into());
    }
    if let Some(organisation) = &filter.organisation {
        also("e.deed ->> 'organisation' = ?", organisation.as_str().into());
    }
    if let Some(rpc) = &filter.rpc {
        also("e.deed ->> 'rpc' = ?", rpc.as_str().into());
    }
    if let Some(target) = &filter.target {
        also("(e.subject = ? or starts_with(e.subject, ? || '/'))", target.as_str().into());
    }
    if let Some(request_id) = filter.request_id {
        also("e.deed ->> 'request_id' = ?", request_id.to_string().into());
    }
    if !filter.outcomes.is_empty() {
        let words: Vec<String> = filter.outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect();
        also("coalesce(e.deed ->> 'outcome', 'done') = any (?::text[])", words.into());
    }
    if let Some(last) = last {
        values.extend([last.xid.into(), last.seq.into()]);
        let places = (values.len() - 1, values.len());
        conditions
            .push_str(&format!(" and (e.position_xid, e.position_seq) < (${}, ${})", places.0, places.1));
    }
    let sql = format!(
        "select e.position_xid, e.position_seq, e.recorded_at, e.kind, e.subject, e.audience_tenant, e.deed::text \
         from {schema}.outbox e where {conditions} order by e.position_xid desc, e.position_seq desc limit $2"
    );
    (sql, values)
}

fn entry_of(row: &QueryResult) -> Result<Entry, Error> {
    let (kind, deed): (String, Option<String>) = (at(row, 3)?, at(row, 6)?);
    let deed = deed.map(|deed| serde_json::from_str(&deed)).transpose().map_err(Error::internal)?;
    Ok(Entry {
        place: Place { xid: at(row, 0)?, seq: at(row, 1)? },
        recorded_at: at(row, 2)?,
        kind: (kind != DEED && kind != DENIAL).then_some(kind),
        target: at(row, 4)?,
        tenant: at::<Option<String>>(row, 5)?.map(|tenant| format!("tenants/{tenant}")),
        deed,
    })
}
