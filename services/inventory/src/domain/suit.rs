//! What a load needs of a hall beside kilowatts, and whether a hall suits it.

use std::sync::Arc;

use super::block::{BlockDraft, Cooling, LeaseType, Redundancy};

/// Racks above this are beyond what air carries: they need liquid or immersion whatever the hall's sheet says.
pub const AIR_KW_PER_RACK_MAX: i64 = 30;

/// What is said of a block that a load may depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traits {
    cooling: u8,
    /// How much may fail; none = not said.
    redundancy: Option<Redundancy>,
    /// Most IT load in one rack, kW; none = not said.
    kw_per_rack_max: Option<i64>,
    /// What a tenant gets; none = not said.
    lease_type: Option<LeaseType>,
    /// Temperature of what cools it, tenths of a degree Celsius; none = not said.
    supply_temperature: Option<i32>,
    /// The generation of machines it is designed for; none = not said.
    design_generation: Option<Arc<str>>,
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
    /// What cools it is at least so warm, tenths of a degree Celsius.
    pub supply_temperature_min: Option<i32>,
    /// What cools it is at most so warm, tenths of a degree Celsius.
    pub supply_temperature_max: Option<i32>,
    /// It is designed for one of these generations of machines; empty = any.
    pub design_generations: Vec<String>,
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

/// How much may fail, least first. Of N+1 and of units over which the load is spread, one may.
const fn redundancy_level(of: Redundancy) -> u8 {
    match of {
        Redundancy::Unspecified => 0,
        Redundancy::N => 1,
        Redundancy::NPlus1 | Redundancy::Distributed => 2,
        Redundancy::TwoN => 3,
        Redundancy::TwoNPlus1 => 4,
    }
}

impl Traits {
    /// What is said of a block.
    pub fn of(facts: &BlockDraft) -> Self {
        Self {
            cooling: bits(&facts.cooling),
            redundancy: Some(facts.redundancy).filter(|said| *said != Redundancy::Unspecified),
            kw_per_rack_max: facts.max_kw_per_rack,
            lease_type: Some(facts.lease_type).filter(|said| *said != LeaseType::Unspecified),
            supply_temperature: facts.more.supply_temperature_decicelsius,
            design_generation: Some(facts.more.design_generation.as_str())
                .filter(|said| !said.is_empty())
                .map(Arc::from),
        }
    }

    /// Whether a load that asks for this can stand here.
    pub fn suit(&self, asked: &Suitability) -> bool {
        let cooling = bits(&asked.cooling);
        let beyond_air = asked.kw_per_rack.is_some_and(|kw| kw > AIR_KW_PER_RACK_MAX);
        let carried = !beyond_air || self.cooling & (bit(Cooling::Liquid) | bit(Cooling::Immersion)) != 0;
        carried
            && self.cooling & cooling == cooling
            && asked.redundancy.is_none_or(|least| {
                self.redundancy.is_some_and(|has| redundancy_level(has) >= redundancy_level(least))
            })
            && self.suits_machines(asked)
            && asked.kw_per_rack.is_none_or(|kw| self.kw_per_rack_max.is_some_and(|most| most >= kw))
            && (asked.lease_types.is_empty()
                || self.lease_type.is_some_and(|has| asked.lease_types.contains(&has)))
    }

    fn suits_machines(&self, asked: &Suitability) -> bool {
        let warm = |holds: &dyn Fn(i32) -> bool| self.supply_temperature.is_some_and(holds);
        asked.supply_temperature_min.is_none_or(|least| warm(&|has| has >= least))
            && asked.supply_temperature_max.is_none_or(|most| warm(&|has| has <= most))
            && (asked.design_generations.is_empty()
                || self.design_generation.as_deref().is_some_and(|has| {
                    asked.design_generations.iter().any(|wanted| wanted.eq_ignore_ascii_case(has))
                }))
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
            supply_temperature: Some(300),
            design_generation: Some("Vera Rubin".into()),
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
            Suitability { supply_temperature_min: Some(-500), ..Suitability::default() },
            Suitability { supply_temperature_max: Some(1_000), ..Suitability::default() },
            Suitability { design_generations: vec!["Vera Rubin".to_owned()], ..Suitability::default() },
        ];
        for asked in asked {
            assert!(!silent.suit(&asked), "{asked:?}");
        }
        let most = Suitability { redundancy: Some(Redundancy::TwoN), ..Suitability::default() };
        assert!(!hall(&[Cooling::Air], None).suit(&most));
    }

    #[test]
    fn more_may_fail_than_is_asked_never_less() {
        let suits = |has, least| {
            let traits = Traits { redundancy: Some(has), ..Traits::default() };
            traits.suit(&Suitability { redundancy: Some(least), ..Suitability::default() })
        };
        let least_first = [Redundancy::N, Redundancy::NPlus1, Redundancy::TwoN, Redundancy::TwoNPlus1]
            .into_iter()
            .enumerate();
        for (level, has) in least_first.clone() {
            for (asked, least) in least_first.clone() {
                assert_eq!(suits(has, least), level >= asked, "{has:?} for {least:?}");
            }
        }
        assert!(suits(Redundancy::Distributed, Redundancy::NPlus1), "one unit may fail");
        assert!(suits(Redundancy::NPlus1, Redundancy::Distributed), "one unit may fail");
        assert!(!suits(Redundancy::Distributed, Redundancy::TwoN));
    }

    #[test]
    fn temperature_has_bounds_and_machines_a_generation() {
        let suits = |asked: Suitability| hall(&[Cooling::Liquid], None).suit(&asked);
        let between = |least: Option<i32>, most: Option<i32>| Suitability {
            supply_temperature_min: least,
            supply_temperature_max: most,
            ..Suitability::default()
        };
        assert!(suits(between(Some(300), Some(300))));
        assert!(!suits(between(Some(301), None)), "too cool");
        assert!(!suits(between(None, Some(299))), "too warm");
        let of = |names: &[&str]| Suitability {
            design_generations: names.iter().map(ToString::to_string).collect(),
            ..Suitability::default()
        };
        assert!(suits(of(&["Blackwell", "vera rubin"])));
        assert!(!suits(of(&["Blackwell"])));
    }
}
