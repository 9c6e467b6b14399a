//! What an assignment asks of those who do not decide about it: that the new tenant is there, and that the former one hears
//! the last of its lease and keeps what was its own.

use kernel::Error;
use postgres::{NewEvent, Tx, outbox};

use super::{App, View, kind};
use crate::domain::{Command, Lease};
use crate::store::{self, SCHEMA};

/// Whether the operator consents to a tenant that is registered. The tenant that asks does not learn who is.
pub(super) async fn assignee_is_known(tx: &Tx, lease: &Lease, command: &Command) -> Result<(), Error> {
    if let (Command::ConsentToAssignment { .. }, Some(asked)) = (command, &lease.life.assignment)
        && store::find_tenant(tx.conn(), &asked.wish.assignee.tenant).await?.is_none()
    {
        return Err(Error::not_found("tenant"));
    }
    Ok(())
}

impl App {
    /// The former tenant keeps the history of its time, and is told that its time is over.
    pub(super) async fn part_with_tenant(&self, tx: &Tx, view: &View) -> Result<(), Error> {
        let lease = &view.lease;
        let Some(former) = lease.life.former_tenants.last() else { return Ok(()) };
        store::note_former_tenant(tx.conn(), lease).await?;
        let event = NewEvent {
            operator: Some(lease.name.operator.clone()),
            tenant: Some(former.tenant.tenant.clone()),
            kind: kind::ASSIGNED_AWAY,
            subject: lease.name.to_string(),
            occurred_at: lease.update_time,
            payload: (self.wire.event)(view),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}
