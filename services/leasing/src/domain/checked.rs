//! Terms of which every rule is kept, before what only others know of them: the zones, and the agreement that they name.

use kernel::{Error, MasterAgreementName, OperatorId, OperatorName, SiteName, TenantName, Zone};

use super::agreement::MasterTerms;
use super::record;
use super::terms::Terms;

/// Terms whose every rule is kept, but for the zones. [`Checked::in_zones`] makes them terms.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) terms: Terms,
    /// Named, and not looked up yet.
    pub(super) master: Option<MasterAgreementName>,
}

impl Checked {
    /// The site of every block, and of whatever is to be named later.
    pub fn sites(&self) -> impl Iterator<Item = SiteName> {
        self.terms.sites()
    }

    /// What the caller sent, in one form: equal for equal requests, whatever the zones are.
    ///
    /// # Errors
    /// `INTERNAL`, as [`record::canonical`].
    pub fn fingerprint(&self, operator: &OperatorId, tenant: &TenantName) -> Result<String, Error> {
        let canonical = record::canonical(&OperatorName::new(operator.clone()), tenant, &self.terms)?;
        let master = self.master.as_ref().map(|name| format!(" under {name}")).unwrap_or_default();
        Ok(format!("{:?}{master}", canonical.hash))
    }

    /// The agreement that they name.
    #[must_use]
    pub fn master(&self) -> Option<&MasterAgreementName> {
        self.master.as_ref()
    }

    /// Those of an order under the agreement that they name.
    ///
    /// # Errors
    /// As [`MasterTerms::govern`].
    pub fn under(mut self, master: MasterTerms) -> Result<Self, Error> {
        master.govern(&mut self.terms)?;
        self.master = None;
        Ok(self)
    }

    /// The terms, with every zone left open, and the agreement that they name.
    #[must_use]
    pub fn without_zones(self) -> (Terms, Option<MasterAgreementName>) {
        (self.terms, self.master)
    }

    /// The terms with their zones; `None` where that of a site is not among these, or an agreement is yet to be looked up.
    #[must_use]
    pub fn in_zones(mut self, zones: &[(SiteName, Zone)]) -> Option<Terms> {
        let zone = |site: &SiteName| zones.iter().find(|(name, _)| name == site).map(|(_, zone)| *zone);
        if self.master.is_some() || self.sites().any(|site| zone(&site).is_none()) {
            return None;
        }
        self.terms.set_zones(zone);
        Some(self.terms)
    }
}
