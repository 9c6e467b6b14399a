//! Request ids of sagas: the same id gets the same answer, also while the first attempt is under way.

use std::time::Duration;

use kernel::{Error, OperatorId, Reason, TenantId};
use postgres::{RequestKey, Tx, idempotency};
use tokio::time::Instant;

use super::{App, Hands};
use crate::store::{self, SCHEMA};

/// How long a second sender of the same request waits for the first one's answer.
const WAIT: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(40);

/// What became of an earlier attempt of the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// There was none, or it was refused.
    None,
    /// Somebody is at it.
    UnderWay,
    /// It was answered with these bytes.
    Answered(Vec<u8>),
}

/// Whose sagas to look among.
#[derive(Clone, Copy)]
pub(crate) enum Sagas<'a> {
    /// Leases of this operator.
    Leases(&'a OperatorId),
    /// Bids of this operator.
    Bids(&'a OperatorId),
    /// Awards of this tenant.
    Awards(&'a TenantId),
    /// Quotes of this operator that hold something.
    Quotes(&'a OperatorId),
}

impl Sagas<'_> {
    /// What became of an earlier attempt, as an open transaction sees it. The intent first: a saga that ends between the
    /// two looks has left its reply for the second.
    ///
    /// # Errors
    /// `REQUEST_ID_REUSED` when the earlier attempt had another payload.
    pub(crate) async fn earlier(self, tx: &Tx, key: &RequestKey) -> Result<Earlier, Error> {
        let under_way = match self {
            Self::Leases(operator) => store::find_intent(tx.conn(), operator, key).await?,
            Self::Bids(operator) => store::find_bid_intent(tx.conn(), operator, key).await?,
            Self::Awards(tenant) => store::find_award(tx.conn(), tenant, key).await?,
            Self::Quotes(operator) => store::find_quote_intent(tx.conn(), operator, key).await?,
        };
        match under_way {
            Some((hash, since)) if hash != key.hash => return Err(idempotency::reused(since)),
            Some(_) => return Ok(Earlier::UnderWay),
            None => {}
        }
        let reply = idempotency::find(tx.conn(), SCHEMA, key).await?;
        Ok(reply.map_or(Earlier::None, Earlier::Answered))
    }
}

impl App {
    /// The answer of an earlier attempt, waited for a moment if it is under way; `None`: this is the first.
    ///
    /// # Errors
    /// `REQUEST_IN_PROGRESS` when the wait was too short; `REQUEST_ID_REUSED`.
    pub(crate) async fn answered(
        &self,
        hands: Hands<'_>,
        sagas: Sagas<'_>,
        key: &RequestKey,
    ) -> Result<Option<Vec<u8>>, Error> {
        let end = Instant::now() + WAIT;
        loop {
            let found = hands
                .db
                .read("find_request", hands.scope, |tx| async move {
                    let found = sagas.earlier(&tx, key).await?;
                    Ok((tx, found))
                })
                .await?;
            match found {
                Earlier::None => return Ok(None),
                Earlier::Answered(reply) => return Ok(Some(reply)),
                Earlier::UnderWay if Instant::now() < end => tokio::time::sleep(LOOK_EVERY).await,
                Earlier::UnderWay => return Err(in_progress()),
            }
        }
    }
}

/// The refusal of a request whose first attempt is still under way.
pub(crate) fn in_progress() -> Error {
    Error::refused(
        Reason::RequestInProgress,
        "The same request is still being worked on; ask again with the same request id.",
    )
    .with_retry_after(Duration::from_millis(500))
}

/// Whether a peer's answer decides: it has refused, and asking again changes nothing. Every other failure leaves the
/// outcome open, and the sweeper asks again under the same derived id.
pub(crate) fn is_refusal(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::InvalidField
            | Reason::InvalidRequestId
            | Reason::TermOutOfRange
            | Reason::RoleNotAllowed
            | Reason::ResourceNotFound
            | Reason::CapacityExhausted
            | Reason::SitePowerExceeded
            | Reason::HoldExpired
            | Reason::HoldAlreadyConfirmed
            | Reason::HoldReleased
            | Reason::InvalidStateTransition
            | Reason::QuotaExceeded
            | Reason::MasterAgreementNotInForce
            | Reason::MessageTooLarge
    )
}

/// Whether a failure says that nothing was done, so that whoever waits may be told and the intent dropped.
pub(crate) fn is_nothing_done(reason: Reason) -> bool {
    is_refusal(reason) || matches!(reason, Reason::Overloaded | Reason::TransactionConflict)
}
