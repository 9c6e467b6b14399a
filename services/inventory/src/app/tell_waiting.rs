//! Tells those who wait that what they wait for has come free. Several replicas look; a row of the table decides which one
//! tells, so that each is told once each time.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Error, Scope, SiteName};
use postgres::{NewEvent, outbox};
use tokio_util::sync::CancellationToken;

use super::{App, kind};
use crate::domain::availability::SiteView;
use crate::domain::waitlist::State;
use crate::store::SCHEMA;
use crate::store::waitlist::{self, Due};

/// Entries looked at in one go.
const BATCH: i64 = 500;

impl App {
    /// Looks until told to stop.
    pub async fn follow_waitlist(&self, every: Duration, stop: &CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            match self.tell_waiting_once().await {
                Ok(0) => {}
                Ok(told) => {
                    tracing::debug!(told, "capacity came free that was waited for");
                    self.feed.notify();
                }
                Err(error) => tracing::warn!(%error, "the waitlist could not be looked at"),
            }
        }
    }

    /// Looks at every entry on whose blocks something was written since the last look, in the order in which they
    /// joined; says how many were told.
    ///
    /// # Errors
    /// What keeps the store from answering.
    pub async fn tell_waiting_once(&self) -> Result<u64, Error> {
        // The versions are read before what is free, so that what comes between is looked at once more.
        let due = waitlist::due(&self.worker_db, self.now(), BATCH).await?;
        let mut sites: BTreeMap<SiteName, Option<SiteView>> = BTreeMap::new();
        let mut told = 0;
        for one in due {
            if !sites.contains_key(&one.site) {
                let scope = Scope::Operator(one.site.operator.clone());
                let view = self.site_now(&scope, &one.site, kernel::time::min_instant()).await?;
                sites.insert(one.site.clone(), view);
            }
            if let Some(Some(view)) = sites.get(&one.site) {
                told += u64::from(self.look_at(&one, view).await?);
            }
        }
        Ok(told)
    }

    async fn look_at(&self, due: &Due, site: &SiteView) -> Result<bool, Error> {
        let (now, scope) = (self.now(), Scope::Operator(due.name.operator.clone()));
        self.db
            .in_tx("look_at_waiting", &scope, |tx| async move {
                // Takes the row's lock: whoever comes second finds that somebody has looked.
                if !waitlist::note_look(&tx, &due.name, (due.seen, due.versions)).await? {
                    return Ok((tx, false));
                }
                let Some(entry) = waitlist::find(&tx, &due.name).await? else { return Ok((tx, false)) };
                let gone = entry.state == State::Left || entry.has_expired(now);
                let Some(after) = entry.after_look(site, now).filter(|_| !gone) else {
                    return Ok((tx, false));
                };
                waitlist::update(&tx, &after).await?;
                let tell = after.state == State::Available;
                if tell {
                    let event = NewEvent {
                        operator: Some(after.name.operator.clone()),
                        tenant: Some(after.tenant.clone()),
                        kind: kind::WAITLIST_AVAILABLE,
                        subject: after.name.to_string(),
                        occurred_at: now,
                        payload: (self.wire.waitlist_entry)(&after),
                    };
                    outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await?;
                }
                Ok((tx, tell))
            })
            .await
    }
}
