//! The audit trail: who did what, or was denied it, in an order and a form that nobody can change unseen.
//!
//! The outbox is the trail. A deed's row is written in the deed's own transaction, by [`crate::idempotency::record`] or
//! together with its event; a denial's in one of its own. Nothing waits for anything: a worker seals the rows
//! afterwards ([`chain`]), in the order in which feeds show them, by links of a chain for each organisation. Whoever
//! keeps a published [`Head`] elsewhere proves by [`verify`] that nothing before it was changed.

mod chain;
mod fields;
mod list;
mod verify;

use std::net::IpAddr;

use kernel::{Caller, Error, Organisation, Scope};
use sea_orm::{DbBackend, QueryResult, Statement};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::chain::{Chain, chain};
pub use self::fields::fields;
pub use self::list::{Entry, Filter, Place, list};
pub use self::verify::{Break, Flaw, Head, Verdict, head, heads_since, verify};
use crate::outbox::NO_OPERATOR;
use crate::{Tx, store_error};

/// The kind of rows that tell of a deed done.
pub const DEED: &str = "audit.deed";
/// The kind of rows that tell of a deed denied.
pub const DENIAL: &str = "audit.denial";

/// Longest text of a stranger that is kept.
const TEXT_MAX_CHARS: usize = 255;

/// Who calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The token's organisation.
    pub organisation: String,
    /// The token's subject.
    pub subject: String,
    /// The token's id.
    pub token: String,
}

impl Actor {
    /// The caller.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self {
            organisation: caller.organisation.to_string(),
            subject: caller.subject.clone(),
            token: caller.token_id.clone(),
        }
    }

    /// As it is kept with a deed that is not done yet.
    #[must_use]
    pub fn to_text(&self) -> String {
        json(self)
    }

    /// Reads what [`Actor::to_text`] wrote; what does not read is nobody.
    #[must_use]
    pub fn of_text(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// How a deed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done.
    Done,
    /// A known caller had no right to it.
    Denied,
    /// The caller showed no good token.
    Unauthenticated,
}

impl Outcome {
    /// The word in the trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Unauthenticated => "unauthenticated",
        }
    }
}

/// What the trail says of a deed, as its row keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    /// How it ended.
    pub outcome: Outcome,
    /// Who.
    #[serde(flatten)]
    pub actor: Actor,
    /// For whom a service did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<String>,
    /// Full name of the RPC.
    pub rpc: String,
    /// The caller's id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// Why it was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whence the call came, where it was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Denials like it that came too fast to be written, before this one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unwritten: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The deed of a row that is written together with its effect. By hand, since every booking makes one.
#[must_use]
pub(crate) fn done(actor: &Actor, on_behalf_of: Option<&str>, rpc: &str, request_id: Uuid) -> String {
    #[derive(Serialize)]
    struct Done<'a> {
        outcome: Outcome,
        #[serde(flatten)]
        actor: &'a Actor,
        #[serde(skip_serializing_if = "Option::is_none")]
        on_behalf_of: Option<&'a str>,
        rpc: &'a str,
        request_id: Uuid,
    }
    json(&Done { outcome: Outcome::Done, actor, on_behalf_of, rpc, request_id })
}

fn json(value: &impl Serialize) -> String {
    // Texts and ids always serialize.
    serde_json::to_string(value).unwrap_or_default()
}

/// A deed that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// In whose trail it is kept: the caller's organisation, and the platform's where the caller is not known.
    pub owner: Organisation,
    /// The resource that the request named.
    pub target: String,
    /// What is said of it.
    pub deed: Deed,
}

/// Writes denials, all in one statement; only on the worker's role.
///
/// # Errors
/// What keeps the store from answering.
pub async fn write_denials(tx: &Tx, schema: &str, denials: &[Denial]) -> Result<(), Error> {
    let sql = format!(
        "insert into {schema}.outbox \
            (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload, deed) \
         select n.operator_id, gen_random_uuid(), '{DENIAL}', n.subject, nullif(n.tenant, ''), clock_timestamp(), \
            ''::bytea, n.deed::json \
         from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality \
            as n(operator_id, subject, tenant, deed, place) \
         order by n.place"
    );
    let (mut operators, mut tenants) = (Vec::new(), Vec::new());
    for denial in denials {
        let (operator, tenant) = match &denial.owner {
            Organisation::Operator(id) => (id.to_string(), String::new()),
            Organisation::Tenant(id) => (NO_OPERATOR.to_owned(), id.to_string()),
            Organisation::Platform | Organisation::Service(_) => (NO_OPERATOR.to_owned(), String::new()),
        };
        operators.push(operator);
        tenants.push(tenant);
    }
    let subjects: Vec<String> = denials.iter().map(|denial| tame(&denial.target)).collect();
    let deeds: Vec<String> = denials.iter().map(|denial| json(&denial.deed)).collect();
    let values = vec![operators.into(), subjects.into(), tenants.into(), deeds.into()];
    query(tx, sql, values).await.map(|_| ())
}

/// A stranger's text as the trail keeps it: short, and without control characters.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX_CHARS).collect()
}

/// The name of the resource that a reply holds: the first field of its first field, as everywhere on our wire.
pub(crate) fn named_in(reply: &[u8]) -> Option<&str> {
    let first = |message| fields(message).next().filter(|(number, _)| *number == 1).map(|(_, bytes)| bytes);
    let name = std::str::from_utf8(first(first(reply)?)?).ok()?;
    name.contains('/').then_some(name)
}

/// Whose chain a row belongs to, as SQL over the outbox's columns.
const OWNER: &str = "case when operator_id <> '-' then 'operators/' || operator_id \
    when audience_tenant is not null then 'tenants/' || audience_tenant else 'platform' end";

/// A row's own bytes, every column of them, as Postgres itself writes them: numbers, lengths and microseconds. The order
/// is the seal's for ever; a column that comes later is sealed by another expression, for links that come later.
const BYTES: &str = "pg_catalog.record_send(row(operator_id, position_xid, position_seq, event_id, kind, subject, \
    audience_tenant, occurred_at, recorded_at, deed, payload))";

/// The rows of one organisation, as a condition of which `$1` is its slug, where it has one.
fn rows_of(owner: &Organisation) -> (&'static str, String) {
    match owner {
        Organisation::Operator(id) => ("operator_id = $1", id.to_string()),
        Organisation::Tenant(id) => ("operator_id = '-' and audience_tenant = $1", id.to_string()),
        Organisation::Platform | Organisation::Service(_) => {
            ("operator_id = $1 and audience_tenant is null", NO_OPERATOR.to_owned())
        }
    }
}

/// The scope in which an organisation's trail is read.
fn scope_of(owner: &Organisation) -> Scope {
    match owner {
        Organisation::Operator(id) => Scope::Operator(id.clone()),
        Organisation::Tenant(id) => Scope::Tenant(id.clone()),
        // [`enter`] opens the platform's own to it.
        Organisation::Platform | Organisation::Service(_) => Scope::Market,
    }
}

/// Opens the platform's trail for this transaction, where it is the platform's that is read.
async fn enter(tx: &Tx, owner: &Organisation) -> Result<(), Error> {
    if matches!(owner, Organisation::Platform) {
        query(tx, "select set_config('app.caller', 'platform', true)".to_owned(), Vec::new()).await?;
    }
    Ok(())
}

async fn query(tx: &Tx, sql: String, values: Vec<sea_orm::Value>) -> Result<Vec<QueryResult>, Error> {
    use sea_orm::ConnectionTrait as _;
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    tx.conn().query_all_raw(statement).await.map_err(store_error)
}

fn at<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T, Error> {
    row.try_get_by_index(index).map_err(store_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_its_resource() {
        let name = b"operators/north/leases/a";
        let inner = [&[0x0a, u8::try_from(name.len()).expect("short")][..], name, &[0x10, 1]].concat();
        let reply = [&[0x0a, u8::try_from(inner.len()).expect("short")][..], &inner].concat();
        assert_eq!(named_in(&reply), Some("operators/north/leases/a"));
        for bad in
            [&[][..], &[0x0a], &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 1], &[0x0a, 9, 0x0a, 1], &[0x12, 0]]
        {
            assert_eq!(named_in(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_deed_reads_as_it_was_written() {
        let actor = Actor {
            organisation: "services/leasing".to_owned(),
            subject: "leasing".to_owned(),
            token: "t-1".to_owned(),
        };
        let text = done(&actor, Some("tenants/acme"), "a.B/C", Uuid::nil());
        let deed: Deed = serde_json::from_str(&text).expect("a deed");
        assert_eq!((deed.outcome, &deed.actor), (Outcome::Done, &actor));
        assert_eq!(deed.on_behalf_of.as_deref(), Some("tenants/acme"));
        assert_eq!(Actor::of_text(Some(&actor.to_text())), actor);
        assert_eq!(Actor::of_text(Some("no actor")), Actor::default());
    }

    #[test]
    fn what_a_stranger_says_is_kept_short_and_plain() {
        assert_eq!(tame("a\u{0}b\nc"), "abc");
        assert_eq!(tame(&"x".repeat(1_000)).len(), TEXT_MAX_CHARS);
    }
}
