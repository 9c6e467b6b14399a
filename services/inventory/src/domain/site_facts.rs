//! What else is known of a site: who bills there, what comes in beside the grid, and what the utility is owed.

use kernel::{CivilDate, GrossKw, GrossPerIt, ItKw, Money};
use serde::{Deserialize, Serialize};

use super::site::{Provenance, words};

/// The legal entity that issues what is billed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillingEntity {
    /// The name it is registered under.
    pub legal_name: String,
    /// Its tax number.
    pub tax_number: String,
    /// Its registered address.
    pub address: String,
    /// Where it is registered; empty is not said.
    pub country_code: String,
}

/// What reaches a site by glass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fibre {
    /// Carriers that serve it.
    pub carriers: Vec<String>,
    /// Routes that share no trench.
    pub diverse_path_count: Option<i32>,
    /// Where the figures come from.
    pub provenance: Provenance,
}

/// What carries a site while the grid does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupGeneration {
    /// What all generators give, kW.
    pub capacity_kw: Option<i64>,
    /// How many there are.
    pub unit_count: Option<i32>,
    /// What they burn.
    pub fuel: String,
    /// How long the fuel on the site lasts at full load.
    pub run_time_minutes: Option<i32>,
    /// Where the figures come from.
    pub provenance: Provenance,
}

/// So much gross power carries so much critical IT load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrossToIt {
    /// Gross power, kW.
    pub gross_kw: i64,
    /// Critical IT load, kW.
    pub critical_it_kw: i64,
    /// Where the ratio comes from.
    #[serde(default)]
    pub provenance: Provenance,
}

impl GrossToIt {
    /// The ratio itself.
    pub fn ratio(&self) -> Option<GrossPerIt> {
        GrossPerIt::new(self.gross_kw, self.critical_it_kw)
    }

    /// Gross power that so much critical IT load needs, rounded up to a whole kW.
    pub fn gross_of(&self, critical_it_kw: i64) -> Option<i64> {
        self.ratio()?.gross(ItKw::new(critical_it_kw)?).map(GrossKw::get)
    }
}

words! {
    /// A part of what a utility charges for.
    DemandComponent {
        /// All of it.
        All = "ALL",
        /// Generation.
        Generation = "GENERATION",
        /// Transmission.
        Transmission = "TRANSMISSION",
        /// Distribution.
        Distribution = "DISTRIBUTION",
    }
}

/// Demand that is paid for whether it is used or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinimumDemand {
    /// Of which part.
    pub component: DemandComponent,
    /// Percent of the contracted power.
    pub percent: i32,
}

/// What is owed the utility by contract or tariff.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UtilityContract {
    /// The contract or tariff.
    pub display_name: String,
    /// First day it holds.
    pub start: Option<CivilDate>,
    /// First day it no longer holds.
    pub end: Option<CivilDate>,
    /// The term it binds for.
    pub term_months: Option<i32>,
    /// Minimum demand, each part at most once.
    pub minimum_demands: Vec<MinimumDemand>,
    /// Security to be posted per MW contracted.
    pub collateral_per_mw: Option<Money>,
    /// Where the terms come from.
    pub provenance: Provenance,
}

words! {
    /// What a curtailment is paid for.
    #[derive(Default)]
    CurtailmentPayment {
        /// Not said.
        #[default]
        Unspecified = "UNSPECIFIED",
        /// Nothing: a duty.
        None = "NONE",
        /// Being ready.
        Availability = "AVAILABILITY",
        /// Energy that is not drawn.
        Energy = "ENERGY",
        /// Charges that are avoided.
        AvoidedCharges = "AVOIDED_CHARGES",
    }
}

/// A programme under which a site draws less when asked to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurtailmentProgramme {
    /// Its id within the site.
    pub programme_id: String,
    /// What it is called.
    pub display_name: String,
    /// Notice.
    pub notice_minutes: i32,
    /// Most hours a calendar year.
    #[serde(default)]
    pub hours_per_year_max: Option<i32>,
    /// What is paid for.
    #[serde(default)]
    pub payment: CurtailmentPayment,
    /// Power that takes part, gross kW.
    pub eligible_kw: i64,
    /// What not curtailing costs.
    #[serde(default)]
    pub penalty: String,
    /// Where the terms come from.
    #[serde(default)]
    pub provenance: Provenance,
}

/// What law, the utility or the grid operator may still change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegulatoryRisk {
    /// The risk.
    pub note: String,
    /// Who says so.
    pub provenance: Provenance,
}

/// What else is known of a site. Kept as it is here, each fact under its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteFacts {
    /// Who issues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_entity: Option<BillingEntity>,
    /// What comes in by glass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fibre: Option<Fibre>,
    /// What carries it while the grid does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_generation: Option<BackupGeneration>,
    /// The gross power that IT load needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gross_to_it: Option<GrossToIt>,
    /// What may still change about the grid connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regulatory_risk: Option<RegulatoryRisk>,
    /// What is owed the utility.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub utility_contracts: Vec<UtilityContract>,
    /// Programmes under which it draws less.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub curtailment_programmes: Vec<CurtailmentProgramme>,
}

impl SiteFacts {
    /// Whether the utility is owed minimum demand: a lease that does not flow it down leaves the operator exposed.
    pub fn needs_flow_down(&self) -> bool {
        self.utility_contracts.iter().any(|contract| !contract.minimum_demands.is_empty())
    }

    /// The programme of this id.
    pub fn programme(&self, id: &str) -> Option<&CurtailmentProgramme> {
        self.curtailment_programmes.iter().find(|programme| programme.programme_id == id)
    }
}

/// Facts to change; those that are absent stay, `Some(None)` clears one.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SiteFactsPatch {
    /// Who issues.
    pub billing_entity: Option<Option<BillingEntity>>,
    /// What comes in by glass.
    pub fibre: Option<Option<Fibre>>,
    /// What carries it while the grid does not.
    pub backup_generation: Option<Option<BackupGeneration>>,
    /// The gross power that IT load needs.
    pub gross_to_it: Option<Option<GrossToIt>>,
    /// What may still change about the grid connection.
    pub regulatory_risk: Option<Option<RegulatoryRisk>>,
    /// What is owed the utility.
    pub utility_contracts: Option<Vec<UtilityContract>>,
    /// Programmes under which it draws less.
    pub curtailment_programmes: Option<Vec<CurtailmentProgramme>>,
}

impl SiteFactsPatch {
    /// The facts after the change.
    #[must_use]
    pub fn apply(self, facts: SiteFacts) -> SiteFacts {
        SiteFacts {
            billing_entity: self.billing_entity.unwrap_or(facts.billing_entity),
            fibre: self.fibre.unwrap_or(facts.fibre),
            backup_generation: self.backup_generation.unwrap_or(facts.backup_generation),
            gross_to_it: self.gross_to_it.unwrap_or(facts.gross_to_it),
            regulatory_risk: self.regulatory_risk.unwrap_or(facts.regulatory_risk),
            utility_contracts: self.utility_contracts.unwrap_or(facts.utility_contracts),
            curtailment_programmes: self.curtailment_programmes.unwrap_or(facts.curtailment_programmes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::site::Confidence;

    #[test]
    fn gross_power_of_it_load_is_exact_and_rounded_up_once() {
        let provenance =
            Provenance { source: String::new(), as_of: None, confidence: Confidence::Unspecified };
        let ratio =
            |gross_kw, critical_it_kw| GrossToIt { gross_kw, critical_it_kw, provenance: provenance.clone() };
        assert_eq!(ratio(10, 7).gross_of(7), Some(10));
        assert_eq!(ratio(10, 7).gross_of(1), Some(2));
        assert_eq!(ratio(330_000, 245_000).gross_of(245_000), Some(330_000));
        // 1.35, the ratio rounded to two decimals, would ask for 330,750 kW and refuse the lease.
        assert_eq!(ratio(330_000, 245_000).gross_of(122_500), Some(165_000));
        assert_eq!(ratio(i64::MAX, 1).gross_of(2), None);
    }

    #[test]
    fn facts_read_back_from_what_is_kept() {
        let nothing: SiteFacts = serde_json::from_str("{}").expect("a row from before there were any");
        assert_eq!(nothing, SiteFacts::default());
        assert!(!nothing.needs_flow_down());
    }
}
