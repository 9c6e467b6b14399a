//! One transaction: its scope is set before its first query, and its commit is checked.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Error, Scope};
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr, Statement};

use crate::error::{sqlstate, sqlx_of};
use crate::store_error;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// All statements on one snapshot.
    ReadOnly,
    ReadWrite,
}

/// An open transaction. It cannot commit itself: [`crate::Db::in_tx`] does when it is given back, and a dropped one
/// is rolled back.
#[derive(Debug)]
pub struct Tx {
    inner: DatabaseTransaction,
}

impl Tx {
    /// Sets scope and access in one statement, for this transaction only, so that a pooled connection never carries
    /// one request's rights into the next.
    pub(crate) async fn scoped(
        inner: DatabaseTransaction,
        scope: &Scope,
        access: Access,
    ) -> Result<Self, Error> {
        let settings = ScopeSettings::of(scope);
        let read_only = if access == Access::ReadWrite { "off" } else { "on" };
        inner
            .execute_raw(Statement::from_sql_and_values(
                sea_orm::DbBackend::Postgres,
                "select set_config('app.operator', $1, true), set_config('app.tenant', $2, true), \
                 set_config('app.caller', $3, true), set_config('transaction_read_only', $4, true)",
                [settings.operator.into(), settings.tenant.into(), settings.caller.into(), read_only.into()],
            ))
            .await
            .map_err(store_error)?;
        Ok(Self { inner })
    }

    /// The connection of this transaction, for entities and queries.
    #[must_use]
    pub fn conn(&self) -> &DatabaseTransaction {
        &self.inner
    }

    /// Commits, after a statement that fails if an earlier one did.
    ///
    /// The server answers a COMMIT of a failed transaction with ROLLBACK, and the driver reports success; so a
    /// swallowed error would lose the work and acknowledge it. Once COMMIT is on its way and no answer comes, the
    /// outcome is unknown, not failed; `committing` says from when on.
    pub(crate) async fn commit_checked(self, committing: &AtomicBool) -> Result<(), Error> {
        self.inner.execute_unprepared("select 1").await.map_err(store_error)?;
        committing.store(true, Ordering::Relaxed);
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that commits, and it has checked"
        )]
        self.inner.commit().await.map_err(commit_error)
    }
}

impl Deref for Tx {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        &self.inner
    }
}

fn commit_error(error: DbErr) -> Error {
    // Only an answer of the server that refuses (a deferred constraint, a serialization failure) proves that nothing
    // was committed; a shutdown in the middle proves nothing.
    let refused = sqlx_of(&error)
        .and_then(sqlstate)
        .is_some_and(|code| code.starts_with("23") || code.starts_with("40") || code.starts_with("25"));
    if refused { store_error(error) } else { Error::outcome_unknown(error) }
}

struct ScopeSettings {
    operator: String,
    tenant: String,
    caller: String,
}

impl ScopeSettings {
    fn of(scope: &Scope) -> Self {
        let (operator, tenant, caller) = match scope {
            Scope::Operator(id) => (id.to_string(), String::new(), format!("operators/{id}")),
            Scope::Tenant(id) => (String::new(), id.to_string(), format!("tenants/{id}")),
            Scope::Market => (String::new(), String::new(), "market".to_owned()),
            Scope::Worker => (String::new(), String::new(), "worker".to_owned()),
        };
        Self { operator, tenant, caller }
    }
}
