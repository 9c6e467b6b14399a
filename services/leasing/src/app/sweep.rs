//! The broom: finishes what a crash or a silent peer left half done. Nothing here decides anything that the request
//! path would decide otherwise; with the broom away the same leases would become the same, only later.

use std::time::Duration;

use futures::StreamExt as _;
use kernel::{Error, Organisation, ReservationName};
use runtime::metrics::SweepMeter;
use tokio_util::sync::CancellationToken;

use super::requests::is_refusal;
use super::{App, rpc};
use crate::domain::lease::{HOLD_EXPIRED, HOLD_RELEASED};
use crate::domain::state::COMMITTED;
use crate::domain::{Hold, LeaseState};
use crate::peers::Standing;
use crate::store::{self, Due, Release};

/// What is swept, in this order.
pub const SWEEPS: [&str; 6] = ["sagas", "market", "releases", "time", "quotes", "rights"];

const BATCH: u32 = 64;
/// Sagas finished side by side: each waits for inventory most of its time.
const ABREAST: usize = 8;

impl App {
    /// Sweeps every `every` until `stop`.
    pub async fn sweep(&self, every: Duration, jobs: &[SweepMeter; SWEEPS.len()], stop: &CancellationToken) {
        while !stop.is_cancelled() {
            let swept = [
                self.sweep_sagas().await,
                self.sweep_market().await,
                self.sweep_releases().await,
                self.pass_time().await,
                self.sweep_quotes().await,
                self.sweep_rights().await,
            ];
            for ((name, job), result) in SWEEPS.into_iter().zip(jobs).zip(swept) {
                job.ran(result.is_ok());
                report(name, result);
            }
            stop.run_until_cancelled(tokio::time::sleep(every)).await;
        }
    }

    async fn sweep_sagas(&self) -> Result<(), Error> {
        let hands = self.worker();
        let due = hands
            .db
            .in_tx("claim_sagas", hands.scope, |tx| async move {
                let due = store::due_sagas(tx.conn(), BATCH).await?;
                Ok((tx, due))
            })
            .await?;
        futures::stream::iter(due)
            .for_each_concurrent(ABREAST, |due| async move {
                if let Err(error) = self.go_on(&due).await {
                    let (lease, state) = (&due.name, due.state);
                    tracing::info!(%lease, %state, reason = %error.reason(), %error, "not finished yet");
                }
            })
            .await;
        Ok(())
    }

    /// One step further with a lease that waits for somebody.
    async fn go_on(&self, due: &Due) -> Result<(), Error> {
        let hands = self.worker();
        let name = &due.name;
        let (lease, intent) = hands
            .db
            .read("load_saga", hands.scope, |tx| async move {
                let lease = store::load(tx.conn(), name).await?;
                let intent = store::intent_of(tx.conn(), name, rpc::SAGAS).await?;
                Ok((tx, (lease, intent)))
            })
            .await?;
        let Some(lease) = lease else { return Ok(()) };
        match (lease.state, intent) {
            (LeaseState::Proposing, Some(intent)) => {
                let organisation = organisation_of(&intent.key.caller)?;
                let done = match lease.life.import {
                    None => self.finish_proposal(hands, &organisation, lease, &intent).await,
                    Some(_) => self.finish_import(hands, &organisation, lease, &intent).await,
                };
                done.map(|_| ()).or_else(|refusal| settled(name, refusal))
            }
            (LeaseState::Signing, Some(intent)) => {
                let organisation = organisation_of(&intent.key.caller)?;
                self.finish_signing(hands, &organisation, &lease, &intent).await.map(|_| ())
            }
            (LeaseState::Proposed, _) => match lease.hold {
                Some(hold) => self.look_at_hold(&lease.name, hold).await,
                None => Ok(()),
            },
            (_, Some(intent)) if lease.life.pending.is_some() => {
                let done = self.finish_change(hands, &lease, &intent).await;
                done.map(|_| ()).or_else(|refusal| settled(name, refusal))
            }
            (state, None) if state.is_in(COMMITTED) && lease.life.claims_due => {
                self.tell_claims(hands, &lease).await
            }
            _ => Ok(()),
        }
    }

    /// A PROPOSED lease whose hold should have ended by now: inventory knows whether it has.
    pub(super) async fn look_at_hold(&self, name: &kernel::LeaseName, hold: Hold) -> Result<(), Error> {
        let reservation = ReservationName::new(name.operator.clone(), hold.reservation);
        match self.inventory.standing(&reservation).await? {
            Standing::Expired => self.lapse(self.worker(), name, HOLD_EXPIRED).await,
            Standing::Released => self.lapse(self.worker(), name, HOLD_RELEASED).await,
            Standing::Held(until) => self.note_hold_end(name, Hold { expire_time: until, ..hold }).await,
            Standing::Committed => Err(Error::internal("a hold was committed, but not by its lease")),
        }
    }

    async fn note_hold_end(&self, name: &kernel::LeaseName, hold: Hold) -> Result<(), Error> {
        let hands = self.worker();
        hands
            .db
            .in_tx("note_hold_end", hands.scope, |tx| async move {
                store::note_hold(tx.conn(), name, hold).await?;
                Ok((tx, ()))
            })
            .await
    }

    async fn sweep_releases(&self) -> Result<(), Error> {
        let hands = self.worker();
        let due = hands
            .db
            .in_tx("claim_releases", hands.scope, |tx| async move {
                let due = store::due_releases(tx.conn(), BATCH).await?;
                Ok((tx, due))
            })
            .await?;
        futures::stream::iter(due)
            .for_each_concurrent(ABREAST, |release| async move {
                if let Err(error) = self.release(&release).await {
                    let reservation = &release.reservation;
                    tracing::info!(%reservation, reason = %error.reason(), %error, "not released yet");
                }
            })
            .await;
        Ok(())
    }

    async fn release(&self, release: &Release) -> Result<(), Error> {
        match self.inventory.release(&release.reservation).await {
            Ok(()) => {}
            // Expired, released by hand, or never there: nothing is held any more.
            Err(refusal) if is_refusal(refusal.reason()) => {
                let reservation = &release.reservation;
                tracing::debug!(%reservation, reason = %refusal.reason(), "nothing left to release");
            }
            Err(open) => return Err(open),
        }
        let hands = self.worker();
        hands
            .db
            .in_tx("forget_release", hands.scope, |tx| async move {
                store::forget_release(tx.conn(), release).await?;
                Ok((tx, ()))
            })
            .await
    }
}

/// A refused deed is finished: its intent is gone.
fn settled(name: &kernel::LeaseName, refusal: Error) -> Result<(), Error> {
    if is_refusal(refusal.reason()) {
        tracing::info!(lease = %name, reason = %refusal.reason(), "refused; its intent is gone");
        return Ok(());
    }
    Err(refusal)
}

fn organisation_of(text: &str) -> Result<Organisation, Error> {
    text.parse().map_err(Error::internal)
}

fn report(what: &'static str, result: Result<(), Error>) {
    if let Err(error) = result {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(sweep = what, reason = %error.reason(), %error, cause, "sweep interrupted");
    }
}
