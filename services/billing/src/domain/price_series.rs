//! Price indexes: values by month, of which the highest revision counts.

use std::collections::BTreeMap;

use kernel::{IndexValues, Instant, Rate, YearMonth};

/// A value of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesValue {
    /// Its month.
    pub month: YearMonth,
    /// 0 is the first of the month.
    pub revision: i32,
    /// The value.
    pub value: Rate,
    /// Where it was published.
    pub source: String,
}

/// A value, and when it was recorded.
pub type Recorded = (SeriesValue, Instant);

impl SeriesValue {
    /// What there is one of.
    #[must_use]
    pub fn key(&self) -> (YearMonth, i32) {
        (self.month, self.revision)
    }
}

/// The values that count, whatever the order in which they are told.
#[must_use]
pub fn counting(values: impl IntoIterator<Item = (YearMonth, i32, Rate)>) -> IndexValues {
    let mut latest: BTreeMap<YearMonth, (i32, Rate)> = BTreeMap::new();
    for (month, revision, value) in values {
        let known = latest.entry(month).or_insert((revision, value));
        if revision > known.0 {
            *known = (revision, value);
        }
    }
    latest.into_iter().map(|(month, (_, value))| (month, value)).collect()
}

/// Which of the new values are not known yet; `None` if a known one of the same month and revision says something else.
#[must_use]
pub fn unknown(known: &[SeriesValue], new: Vec<SeriesValue>) -> Option<Vec<SeriesValue>> {
    let by_key: BTreeMap<_, _> = known.iter().map(|value| (value.key(), value.value)).collect();
    let mut fresh = Vec::new();
    for value in new {
        match by_key.get(&value.key()) {
            None => fresh.push(value),
            Some(known) if *known == value.value => {}
            Some(_) => return None,
        }
    }
    Some(fresh)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::sample::month;

    fn rate(whole: u32) -> Rate {
        Rate::from_scaled(i128::from(whole) * 10_000_000_000).expect("small")
    }

    #[test]
    fn what_is_known_stays_and_what_says_something_else_is_refused() {
        let value = |revision, whole| SeriesValue {
            month: month(2027, 9),
            revision,
            value: rate(whole),
            source: "made up".to_owned(),
        };
        let known = [value(0, 310)];
        assert_eq!(unknown(&known, vec![value(0, 310), value(1, 311)]), Some(vec![value(1, 311)]));
        assert_eq!(unknown(&known, vec![value(0, 311)]), None);
    }

    proptest! {
        #[test]
        fn the_highest_revision_counts_in_any_order(
            (values, shuffled) in prop::collection::btree_map((1_u32..6, 0_i32..4), 1_u32..900, 1..15).prop_flat_map(|values| {
                let values: Vec<_> = values.into_iter().map(|((m, r), v)| (month(2027, m), r, rate(v))).collect();
                (Just(values.clone()), Just(values).prop_shuffle())
            }),
        ) {
            let told = counting(shuffled);
            for (month, value) in &told {
                let highest = values.iter().filter(|(m, _, _)| m == month).max_by_key(|(_, r, _)| *r);
                prop_assert_eq!(highest.map(|(_, _, v)| v), Some(value));
            }
            prop_assert!(values.iter().all(|(month, _, _)| told.contains_key(month)));
        }
    }
}
