//! Every encumbrance in force, in memory: who books learns what must be cleared, without a question on a booking's path.
//!
//! Read again every second, and at once after a change through this replica; so it may be about a second behind what was
//! changed through another. It is information: nothing is booked or refused because of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kernel::{Caller, OperatorId, Organisation, TenantId};
use tokio_util::sync::CancellationToken;

use super::App;
use crate::domain::encumbrance::{Encumbrance, Extent, Right};
use crate::domain::reservation::Claim;
use crate::store::encumbrances;

/// Pause between two looks.
const EVERY: Duration = Duration::from_secs(1);

type ByOperator = HashMap<OperatorId, Vec<Encumbrance>>;

/// Encumbrances in force, by operator, each list by rank and then by age.
#[derive(Debug, Default)]
pub struct Rights {
    known: RwLock<Arc<ByOperator>>,
}

impl Rights {
    fn now(&self) -> Arc<ByOperator> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, mut all: Vec<Encumbrance>) {
        // Ids are in order of time, and the sort keeps it.
        all.sort_by_key(|one| one.facts.kind.rank());
        let mut known = ByOperator::new();
        for one in all {
            known.entry(one.name.operator.clone()).or_default().push(one);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
    }
}

impl App {
    /// Keeps the rights fresh until told to stop.
    pub async fn follow_rights(&self, stop: &CancellationToken) {
        loop {
            self.refresh_rights().await;
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Reads the rights again. What cannot be read stays as it is known.
    pub(crate) async fn refresh_rights(&self) {
        match encumbrances::active_ones(&self.worker_db, self.now()).await {
            Ok(all) => self.rights.replace(all),
            Err(error) => tracing::warn!(%error, "the encumbrances could not be read"),
        }
    }

    /// What others must be asked before somebody leases this: rights of first refusal and offer of anybody else.
    pub(crate) fn rights_to_clear(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        tenant: Option<&TenantId>,
        claims: &[Claim],
    ) -> Vec<Right> {
        let (known, now) = (self.rights.now(), self.now());
        let Some(of_operator) = known.get(operator) else { return Vec::new() };
        let viewer = viewer(caller);
        of_operator
            .iter()
            .filter(|one| one.facts.kind.must_be_cleared() && one.facts.valid_until > now)
            .filter(|one| tenant != Some(&one.facts.tenant))
            .filter(|one| claims.iter().any(|claim| one.facts.on.covers(&claim.block)))
            .map(|one| one.seen_by(viewer))
            .collect()
    }

    /// Encumbrances of these operators in force on what is asked about, by rank.
    pub(crate) fn encumbrances_on<'a>(
        &self,
        operators: impl IntoIterator<Item = &'a OperatorId>,
        asked: impl Fn(&Extent) -> bool,
    ) -> Vec<Encumbrance> {
        let (known, now) = (self.rights.now(), self.now());
        let mut found: Vec<Encumbrance> = operators
            .into_iter()
            .filter_map(|operator| known.get(operator))
            .flatten()
            .filter(|one| one.facts.valid_until > now && asked(&one.facts.on))
            .cloned()
            .collect();
        found.sort_by_key(|one| one.facts.kind.rank());
        found
    }
}

/// The tenant who looks; none for an operator, who sees what is its own in full.
pub(crate) fn viewer(caller: &Caller) -> Option<&TenantId> {
    match caller.effective_organisation() {
        Organisation::Tenant(tenant) => Some(tenant),
        Organisation::Operator(_) | Organisation::Platform | Organisation::Service(_) => None,
    }
}
