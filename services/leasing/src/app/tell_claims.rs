//! What a reservation is told once its lease takes something else than before, and nobody waits for its word.

use kernel::Error;
use runtime::failpoint;

use super::requests::is_nothing_done;
use super::{App, Hands};
use crate::domain::{Happened, Lease};
use crate::store;

impl App {
    /// The reservation is told what its lease takes now. Where that is more than there is, what was agreed is all there is.
    pub(crate) async fn tell_claims(&self, hands: Hands<'_>, lease: &Lease) -> Result<(), Error> {
        let step = format!("claims/due/{}/{}", lease.life.claims_no, lease.revision);
        let claims = lease.claims();
        // One that takes nothing any more has no reservation; one that never took anything never had one.
        let nothing = claims.is_empty() || lease.hold.is_none();
        let verdict = if nothing { Ok(()) } else { self.inventory.amend(lease, &claims, &step, false).await };
        failpoint("leasing.claims.after_amend")?;
        let refused = match verdict {
            Ok(()) => false,
            Err(refusal) if is_nothing_done(refusal.reason()) => true,
            Err(open) => return Err(open),
        };
        hands
            .db
            .in_tx("claims_told", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &lease.name).await?;
                let Some(mut now) = stored.filter(|now| now.revision == lease.revision) else {
                    return Ok((tx, ()));
                };
                let from = now.revision;
                now.life.claims_due = false;
                now.life.claims_no += 1;
                if nothing && let Some(hold) = now.hold.take() {
                    self.give_back(&tx, &now, hold).await?;
                }
                let longer = now.premises.iter().any(|premises| premises.end > premises.firm_end());
                if refused && longer {
                    now.cut_back(self.now())?;
                    now.life.claims_due = true;
                    self.record_change(&tx, now, from, Happened::Moved).await?;
                } else {
                    store::save(tx.conn(), &now, from, None).await?;
                }
                Ok((tx, ()))
            })
            .await?;
        self.feed.notify();
        Ok(())
    }
}
