//! What a load needs of a hall beside kilowatts, and whether a hall suits it.

use super::block::{BlockDraft, Cooling, LeaseType, Redundancy};

/// Racks above this are beyond what air carries: they need liquid or immersion whatever the hall's sheet says.
pub const AIR_KW_PER_RACK_MAX: i64 = 30;

/// What is said of a block that a load may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traits {
    cooling: u8,
    /// How much may fail; none = not said.
    redundancy: Option<Redundancy>,
    /// Most IT load in one rack, kW; none = not said.
    kw_per_rack_max: Option<i64>,
    /// What a tenant gets; none = not said.
    lease_type: Option<LeaseType>,
}

/// What a load asks for. What a block does not say, it does not offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suitability {
    /// Ways of cooling that must all be there.
    pub cooling: Vec<Cooling>,
    /// At least this much may fail.
    pub redundancy: Option<Redundancy>,
    /// IT load in one rack, kW.
    pub kw_per_rack: Option<i64>,
    /// One of these; empty = any.
    pub lease_types: Vec<LeaseType>,
}

const fn bit(kind: Cooling) -> u8 {
    match kind {
        Cooling::Air => 1,
        Cooling::Liquid => 2,
        Cooling::Immersion => 4,
    }
}

fn bits(kinds: &[Cooling]) -> u8 {
    kinds.iter().fold(0, |bits, kind| bits | bit(*kind))
}

impl Traits {
    /// What is said of a block.
    pub fn of(facts: &BlockDraft) -> Self {
        Self {
            cooling: bits(&facts.cooling),
            redundancy: Some(facts.redundancy).filter(|said| *said != Redundancy::Unspecified),
            kw_per_rack_max: facts.max_kw_per_rack,
            lease_type: Some(facts.lease_type).filter(|said| *said != LeaseType::Unspecified),
        }
    }

    /// Whether a load that asks for this can stand here.
    pub fn suit(&self, asked: &Suitability) -> bool {
        let cooling = bits(&asked.cooling);
        let beyond_air = asked.kw_per_rack.is_some_and(|kw| kw > AIR_KW_PER_RACK_MAX);
        let carried = !beyond_air || self.cooling & (bit(Cooling::Liquid) | bit(Cooling::Immersion)) != 0;
        carried
            && self.cooling & cooling == cooling
            && asked.redundancy.is_none_or(|least| self.redundancy.is_some_and(|has| has >= least))
            && asked.kw_per_rack.is_none_or(|kw| self.kw_per_rack_max.is_some_and(|most| most >= kw))
            && (asked.lease_types.is_empty()
                || self.lease_type.is_some_and(|has| asked.lease_types.contains(&has)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hall(cooling: &[Cooling], kw_per_rack_max: Option<i64>) -> Traits {
        Traits {
            cooling: bits(cooling),
            redundancy: Some(Redundancy::NPlus1),
            kw_per_rack_max,
            lease_type: Some(LeaseType::Turnkey),
        }
    }

    #[test]
    fn dense_racks_never_stand_in_an_air_hall() {
        let gb300 =
            Suitability { kw_per_rack: Some(140), cooling: vec![Cooling::Liquid], ..Suitability::default() };
        assert!(hall(&[Cooling::Air, Cooling::Liquid], Some(150)).suit(&gb300));
        assert!(!hall(&[Cooling::Air], Some(150)).suit(&gb300), "no liquid");
        assert!(!hall(&[Cooling::Immersion], Some(150)).suit(&gb300), "not at the chip");
        assert!(!hall(&[Cooling::Liquid], Some(130)).suit(&gb300), "too thin");
        assert!(!hall(&[Cooling::Liquid], None).suit(&gb300), "nobody says so");
        let dense = Suitability { kw_per_rack: Some(140), ..Suitability::default() };
        assert!(
            !hall(&[Cooling::Air], Some(200)).suit(&dense),
            "air does not carry it whatever the sheet says"
        );
        let enterprise = Suitability { kw_per_rack: Some(15), ..Suitability::default() };
        assert!(hall(&[Cooling::Air], Some(20)).suit(&enterprise));
    }

    #[test]
    fn what_is_not_said_is_not_offered() {
        let silent = Traits::default();
        assert!(silent.suit(&Suitability::default()));
        let asked = [
            Suitability { redundancy: Some(Redundancy::N), ..Suitability::default() },
            Suitability { lease_types: vec![LeaseType::Turnkey], ..Suitability::default() },
            Suitability { cooling: vec![Cooling::Air], ..Suitability::default() },
        ];
        for asked in asked {
            assert!(!silent.suit(&asked), "{asked:?}");
        }
        let most = Suitability { redundancy: Some(Redundancy::TwoN), ..Suitability::default() };
        assert!(!hall(&[Cooling::Air], None).suit(&most));
    }
}
