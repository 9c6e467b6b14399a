//! Blocks that are new to an agreed lease, by a nomination or by other terms: where their days are read, and whether somebody
//! else must be offered them first.

use kernel::{BlockName, Caller, Error, SiteName};
use postgres::Tx;

use super::change_lease::ChangeLease;
use super::requests::Sagas;
use super::{App, Hands};
use crate::domain::right::check_cleared;
use crate::domain::{Command, Lease, Terms};
use crate::store::{self, Intent};

impl App {
    /// The change, with the zones of sites that its lease does not know; or the reply of an earlier attempt.
    ///
    /// # Errors
    /// `RIGHT_NOT_CLEARED`; `RESOURCE_NOT_FOUND` for a lease or site that the caller may not see; `PEER_UNAVAILABLE` and its like.
    pub(super) async fn with_new_blocks(
        &self,
        caller: &Caller,
        hands: Hands<'_>,
        mut change: ChangeLease,
        intent: &Intent,
    ) -> Result<Result<ChangeLease, Vec<u8>>, Error> {
        let names = matches!(
            change.command,
            Command::Nominate { .. } | Command::ProposeAmendment { .. } | Command::SignAmendment { .. }
        );
        if !names {
            return Ok(Ok(change));
        }
        // What is done needs nobody's word any more.
        if !change.validate_only
            && let Some(reply) =
                self.answered(hands, Sagas::Leases(&change.name.operator), &intent.key).await?
        {
            return Ok(Err(reply));
        }
        let lease = self.get_lease(caller, &change.name).await?.lease;
        let blocks = new_blocks(&lease, &change.command);
        if !blocks.is_empty() {
            self.rights_on_blocks_cleared(&lease, &blocks).await?;
        }
        if let Command::ProposeAmendment { terms, .. } = &mut change.command {
            self.set_zones(caller, &lease, terms).await?;
        }
        Ok(Ok(change))
    }

    async fn set_zones(&self, caller: &Caller, lease: &Lease, terms: &mut Terms) -> Result<(), Error> {
        let known: Vec<SiteName> = lease.terms.sites().collect();
        let sites: Vec<SiteName> = terms.sites().filter(|site| !known.contains(site)).collect();
        let own = |site: &SiteName| site.operator == lease.name.operator;
        if sites.is_empty() || !sites.iter().all(own) {
            return Ok(());
        }
        let zones = self.inventory.zones(caller.effective_organisation(), sites.into_iter()).await?;
        let zone = |site: &SiteName| zones.iter().find(|(name, _)| name == site).map(|(_, zone)| *zone);
        terms.set_zones(zone);
        Ok(())
    }

    async fn rights_on_blocks_cleared(&self, lease: &Lease, blocks: &[BlockName]) -> Result<(), Error> {
        let hands = self.worker();
        let today = lease.today(self.now());
        let rights = hands
            .db
            .read("rights_on_blocks", hands.scope, |tx| async move {
                let places = blocks.iter().map(|block| (block.site.to_string(), block.block.to_string()));
                let rights = store::rights_on(tx.conn(), lease, places.collect(), today).await?;
                Ok((tx, rights))
            })
            .await?;
        check_cleared(&rights)
    }
}

/// The blocks that a command would give to a lease that does not have them.
fn new_blocks(lease: &Lease, command: &Command) -> Vec<BlockName> {
    let known = |block: &BlockName| lease.premises.iter().any(|one| one.block == *block);
    let of_terms = |terms: &Terms| {
        let blocks = terms.premises.iter().map(|one| one.block.clone());
        blocks.filter(|block| !known(block)).collect()
    };
    match command {
        Command::Nominate { blocks, .. } => {
            blocks.iter().map(|one| one.block.clone()).filter(|block| !known(block)).collect()
        }
        Command::ProposeAmendment { terms, .. } => of_terms(terms),
        Command::SignAmendment { .. } => {
            lease.life.amendment.as_ref().map(|one| of_terms(&one.terms)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Blocks that are new to a lease may wait for phases that are known: their days are settled by them, as those of any block are.
pub(super) async fn settled_by_phases(tx: &Tx, lease: Lease) -> Result<Lease, Error> {
    let Some(mut known) = store::load(tx.conn(), &lease.name).await? else { return Ok(lease) };
    let ready = |lease: &Lease| lease.premises.iter().map(|one| one.ready).collect::<Vec<_>>();
    if ready(&known) == ready(&lease) {
        return Ok(lease);
    }
    known.settle()?;
    store::save_premises(tx.conn(), &known).await?;
    store::note_due(tx.conn(), &known).await?;
    Ok(known)
}
