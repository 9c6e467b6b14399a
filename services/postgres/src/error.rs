//! What the store's failures mean to a caller: SQLSTATE to [`kernel::Error`].

use kernel::{Error, Reason};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

/// The meaning of a sea-orm failure. The private cause stays in the error's source.
pub fn store_error(error: DbErr) -> Error {
    let reason = match &error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
            Reason::StoreUnavailable
        }
        _ => sqlx_of(&error).map_or(Reason::Internal, reason_of),
    };
    with_reason(reason, error)
}

/// The meaning of a sqlx failure, for the statements that sea-orm has no word for.
pub fn sqlx_error(error: sqlx::Error) -> Error {
    with_reason(reason_of(&error), error)
}

/// Whether the failure is a duplicate key (SQLSTATE 23505); the caller decides which resource it names.
#[must_use]
pub fn is_unique_violation(error: &DbErr) -> bool {
    sqlx_of(error).and_then(sqlstate).as_deref() == Some("23505")
}

/// The name of the constraint that refused the row, if one did.
#[must_use]
pub fn violated_constraint(error: &DbErr) -> Option<&str> {
    sqlx_of(error)?.as_database_error()?.constraint()
}

pub(crate) fn sqlx_of(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(e))
        | DbErr::Exec(RuntimeErr::SqlxError(e))
        | DbErr::Query(RuntimeErr::SqlxError(e)) => Some(e.as_ref()),
        _ => None,
    }
}

pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}

/// A lost race is worth a retry, a lost server is worth waiting for, and everything else is our own fault.
fn reason_of(error: &sqlx::Error) -> Reason {
    if let Some(code) = sqlstate(error) {
        return reason_of_sqlstate(&code);
    }
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Reason::StoreUnavailable,
        _ => Reason::Internal,
    }
}

fn reason_of_sqlstate(code: &str) -> Reason {
    match code {
        // serialization failure, deadlock, lock timeout
        "40001" | "40P01" | "55P03" => Reason::TransactionConflict,
        // duplicate key: a use case that expects it looks before, with `is_unique_violation`
        "23505" => Reason::NameTaken,
        // read-only (a demoted primary), server shutting down or out of resources, idle-in-transaction cut
        "25006" | "25P03" => Reason::StoreUnavailable,
        // statement_timeout or a cancel: the work was not done, but the time for it is over
        "57014" => Reason::DeadlineExceeded,
        _ if code.starts_with("08") || code.starts_with("57P") || code.starts_with("53") => {
            Reason::StoreUnavailable
        }
        _ => Reason::Internal,
    }
}

fn with_reason(reason: Reason, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    match reason {
        Reason::TransactionConflict => Error::transaction_conflict().with_source(source),
        Reason::StoreUnavailable => Error::store_unavailable(source),
        Reason::NameTaken => Error::refused(reason, "The name is taken.").with_source(source),
        Reason::DeadlineExceeded => {
            Error::refused(reason, "The store took too long; nothing was done.").with_source(source)
        }
        _ => Error::internal(source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sqlstate_class_has_its_reason() {
        for (code, reason) in [
            ("40001", Reason::TransactionConflict),
            ("40P01", Reason::TransactionConflict),
            ("55P03", Reason::TransactionConflict),
            ("23505", Reason::NameTaken),
            ("08006", Reason::StoreUnavailable),
            ("57P01", Reason::StoreUnavailable),
            ("53300", Reason::StoreUnavailable),
            ("25006", Reason::StoreUnavailable),
            ("57014", Reason::DeadlineExceeded),
            ("23514", Reason::Internal),
            ("42501", Reason::Internal),
            ("25P02", Reason::Internal),
        ] {
            assert_eq!(reason_of_sqlstate(code), reason, "SQLSTATE {code}");
        }
    }

    #[test]
    fn a_full_pool_is_an_unavailable_store() {
        assert_eq!(sqlx_error(sqlx::Error::PoolTimedOut).reason(), Reason::StoreUnavailable);
        assert_eq!(sqlx_error(sqlx::Error::RowNotFound).reason(), Reason::Internal);
    }
}
