//! Follows inventory's feed for ever, for the incidents that credits are reckoned from: each event once in effect, however
//! many replicas follow.

use std::sync::Arc;

use kernel::{Error, EventId, Scope};
use postgres::{Tx, outbox};
use runtime::feed::{Consumer, FeedStream};

use super::App;
use crate::domain::incident::IncidentCopy;
use crate::peers::{IncidentMessage, Inventory, WireEvent, incident_event};
use crate::store::{SCHEMA, feed, incident};

/// The consumer of inventory's feed.
pub struct InventoryFollower {
    app: Arc<App>,
    inventory: Inventory,
}

/// An event of inventory's feed that is about an incident.
#[derive(Clone, Debug)]
pub struct IncidentEvent {
    /// Its id, unique for ever.
    pub id: EventId,
    /// The incident as it then was.
    pub incident: IncidentCopy,
}

impl InventoryFollower {
    /// Follows `inventory` into `app`'s store.
    #[must_use]
    pub fn new(app: Arc<App>, inventory: Inventory) -> Self {
        Self { app, inventory }
    }
}

impl Consumer for InventoryFollower {
    type Message = IncidentMessage;

    async fn cursor(&self) -> Result<Option<String>, Error> {
        self.app
            .worker_db
            .read("inventory_cursor", &Scope::Worker, |tx| async move {
                let cursor = outbox::consumer_cursor(tx.conn(), SCHEMA, feed::INVENTORY).await?;
                Ok((tx, cursor))
            })
            .await
    }

    async fn open(&self, after: Option<String>) -> Result<FeedStream<IncidentMessage>, Error> {
        self.inventory.watch(after).await
    }

    async fn take(
        &self,
        event: Option<&WireEvent>,
        expected: Option<&str>,
        next: &str,
    ) -> Result<bool, Error> {
        let event = event.and_then(incident_event);
        self.app.apply_incident_event(event.as_ref(), expected, next).await
    }
}

impl App {
    /// Takes an event (`None`: only the cursor moves). `false`: another replica moved the cursor first.
    async fn apply_incident_event(
        &self,
        event: Option<&IncidentEvent>,
        expected: Option<&str>,
        next: &str,
    ) -> Result<bool, Error> {
        let taken = self
            .worker_db
            .in_tx("apply_incident_event", &Scope::Worker, |tx| async move {
                if !outbox::advance(tx.conn(), SCHEMA, feed::INVENTORY, expected, next).await? {
                    return Ok((tx, false));
                }
                if let Some(event) = event {
                    self.keep_incident(&tx, event).await?;
                }
                Ok((tx, true))
            })
            .await?;
        Ok(taken)
    }

    async fn keep_incident(&self, tx: &Tx, event: &IncidentEvent) -> Result<(), Error> {
        let operator = &event.incident.operator;
        if feed::first_time(tx.conn(), operator, (feed::INVENTORY, event.id), self.now()).await? {
            incident::keep(tx.conn(), &event.incident).await?;
        }
        Ok(())
    }
}
