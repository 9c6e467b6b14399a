//! The dice of the bench.

/// A small generator (splitmix64): the same bookings in every run.
pub(in crate::bench) struct Random(pub(in crate::bench) u64);

impl Random {
    pub(in crate::bench) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// An index below `count`, the n-th n times less often than the first: drawn alike, and kept with that chance.
    pub(in crate::bench) fn popular(&mut self, count: usize) -> usize {
        loop {
            let index = self.below(count);
            if self.below(index + 1) == 0 {
                return index;
            }
        }
    }

    pub(in crate::bench) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }
}
