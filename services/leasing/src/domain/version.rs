//! The version of the terms that is in force.

use kernel::{Error, Instant};

use super::lease::{Lease, Party, Signatory, Signature};
use super::life::Actor;
use super::terms::Terms;

impl Lease {
    /// More blocks are in the terms at one side's word: the other agreed to it in the version before. An amendment on the table
    /// does not know of them.
    pub(super) fn take_terms(
        &mut self,
        terms: Terms,
        (party, signatory): (Party, &Signatory),
        by: &Actor,
        now: Instant,
    ) -> Result<(), Error> {
        self.terms_hash = self.hash_of(&terms)?;
        self.terms = terms;
        self.version += 1;
        self.signatures = vec![Signature {
            party,
            signatory: signatory.clone(),
            subject: by.subject.clone(),
            peer_address: by.address.clone(),
            terms_hash: self.terms_hash,
            time: now,
        }];
        self.life.amendment = None;
        Ok(())
    }
}
