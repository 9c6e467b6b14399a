//! Takes one event of leasing's feed: its effects and the consumer's cursor move in one transaction, or neither.

use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{AccountId, AccountName, Error, EventId, Instant, Money, OperatorId, Reason, Scope};
use postgres::{Tx, outbox};
use runtime::failpoint;
use tracing::{error, info};

use super::{About, App, kind};
use crate::domain::account::Account;
use crate::domain::lease::{LeaseCopy, LeaseState, Poison};
use crate::store::feed::Parked;
use crate::store::{SCHEMA, account, feed, lease};

/// An event of leasing's feed that is about a lease.
#[derive(Clone, Debug)]
pub struct LeaseEvent {
    /// Its id, unique for ever.
    pub id: EventId,
    /// Its kind, such as `lease.commenced`.
    pub kind: String,
    /// Resource name of the lease, as the event says it.
    pub subject: String,
    /// Whose lease.
    pub operator: OperatorId,
    /// The lease as billing needs it, or why it cannot be read.
    pub lease: Result<LeaseCopy, Poison>,
}

impl App {
    /// Takes an event (`None`: only the cursor moves, as in a heartbeat or an event about something else).
    ///
    /// `false`: another replica moved the cursor first, and nothing was written. An event that cannot be understood
    /// parks its lease and is taken, so that it never stops the feed.
    pub async fn apply_lease_event(
        &self,
        event: Option<&LeaseEvent>,
        expected: Option<&str>,
        next: &str,
    ) -> Result<bool, Error> {
        let broken = AtomicBool::new(false);
        let outcome = self.take(event, expected, next, &broken).await;
        let taken = match (outcome, event) {
            (Err(failure), Some(event)) if broken.load(Ordering::Relaxed) => {
                // The rows of this lease are refused again and again; the others must go on.
                error!(lease = event.subject, cause = ?failure, "the lease cannot be kept");
                let parked =
                    LeaseEvent { lease: Err(Poison("it cannot be kept".to_owned())), ..event.clone() };
                self.take(Some(&parked), expected, next, &broken).await?
            }
            (outcome, _) => outcome?,
        };
        failpoint("billing.consume.after_commit")?;
        if taken && event.is_some() {
            self.feed.notify();
        }
        Ok(taken)
    }

    /// `broken` is raised when the effects themselves fail for a reason that trying again will not mend.
    async fn take(
        &self,
        event: Option<&LeaseEvent>,
        expected: Option<&str>,
        next: &str,
        broken: &AtomicBool,
    ) -> Result<bool, Error> {
        let now = self.now();
        self.worker_db
            .in_tx("apply_lease_event", &Scope::Worker, |tx| async move {
                if !outbox::advance(tx.conn(), SCHEMA, feed::LEASING, expected, next).await? {
                    return Ok((tx, false));
                }
                if let Some(event) = event {
                    let applied = self.apply(&tx, event, now).await;
                    if let Err(failure) = &applied {
                        broken.store(failure.reason() == Reason::Internal, Ordering::Relaxed);
                    }
                    applied?;
                }
                failpoint("billing.consume.before_commit")?;
                Ok((tx, true))
            })
            .await
    }

    async fn apply(&self, tx: &Tx, event: &LeaseEvent, now: Instant) -> Result<(), Error> {
        if !feed::first_time(tx.conn(), &event.operator, (feed::LEASING, event.id), now).await? {
            return Ok(());
        }
        let kept = match event.lease.clone().and_then(|copy| copy.check().map(|()| copy)) {
            Ok(copy) => lease::keep(tx.conn(), &copy, event.id, now).await?.map(|()| copy),
            Err(poison) => Err(poison),
        };
        match kept {
            Ok(copy) => {
                feed::unpark(tx.conn(), &event.operator, &event.subject).await?;
                if LeaseState::IN_FORCE.contains(&copy.state) {
                    self.open_account(tx, &copy, now).await?;
                }
                Ok(())
            }
            Err(poison) => self.park(tx, event, &poison, now).await,
        }
    }

    /// The tenant's account in the lease's currency, opened by the first lease in force.
    async fn open_account(&self, tx: &Tx, copy: &LeaseCopy, now: Instant) -> Result<(), Error> {
        account::ensure_entity(tx.conn(), &copy.operator, now).await?;
        let account = Account {
            operator: copy.operator.clone(),
            id: AccountId::new(self.ids.next()),
            tenant: copy.tenant.clone(),
            balance: Money::zero(copy.terms.currency),
            create_time: now,
        };
        if account::open(tx.conn(), &account).await? {
            let subject = AccountName::new(account.operator.clone(), account.id).to_string();
            let about = About { operator: &account.operator, tenant: Some(&account.tenant), subject };
            self.tell(tx, kind::ACCOUNT_OPENED, about, now, (self.wire.account_event)(&account)).await?;
            info!(operator = %account.operator, tenant = %account.tenant, "account opened");
        }
        Ok(())
    }

    async fn park(&self, tx: &Tx, event: &LeaseEvent, poison: &Poison, now: Instant) -> Result<(), Error> {
        error!(lease = event.subject, event = %event.id, kind = event.kind, problem = %poison,
            "lease parked: it is not billed until a later event of it is understood");
        let parked = Parked {
            operator: &event.operator,
            subject: &event.subject,
            event: event.id,
            kind: &event.kind,
            problem: &poison.0,
        };
        feed::park(tx.conn(), &parked, now).await?;
        let about = About { operator: &event.operator, tenant: None, subject: event.subject.clone() };
        self.tell(tx, kind::LEASE_PARKED, about, now, Vec::new()).await
    }
}
