//! `CompareWithMining`: facts from the caller or from inventory, then arithmetic. Nothing is kept.

use kernel::{Caller, Error, OperatorId};

use super::App;
use crate::domain::comparison::{self, Comparison, LeaseCase, Place, PlaceName};
use crate::domain::mining::Mine;

/// Which power is compared.
#[derive(Clone, Debug)]
pub enum PowerOf {
    /// That of a place, as inventory knows it.
    Place(PlaceName),
    /// What the caller says.
    Given(Place),
}

/// What a comparison asks for.
#[derive(Clone, Debug)]
pub struct CompareWithMining {
    /// Who asks for its own capacity.
    pub operator: OperatorId,
    /// The power.
    pub power: PowerOf,
    /// The mine.
    pub mine: Mine,
    /// The lease.
    pub lease: LeaseCase,
}

impl App {
    /// Compares a mine with a lease.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`; `INVALID_FIELD` for a place whose power nobody has told; `PEER_UNAVAILABLE`.
    pub async fn compare_with_mining(
        &self,
        caller: &Caller,
        asked: CompareWithMining,
    ) -> Result<(Place, Comparison), Error> {
        caller.scope_of_operator(&asked.operator)?;
        let today = self.now().date_naive();
        let (place, said) = match &asked.power {
            PowerOf::Given(place) => (*place, Vec::new()),
            PowerOf::Place(name) => {
                self.inventory.power_of(caller.effective_organisation(), name, today).await?
            }
        };
        let mut compared = comparison::compare(place, &asked.mine, &asked.lease)?;
        compared.assumptions.splice(0..0, said);
        Ok((place, compared))
    }
}
