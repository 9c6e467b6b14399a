//! Random numbers that a printed seed gives again: splitmix64.

/// A die of any number of faces.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `from` to `until`, both included.
    pub(crate) fn roll(&mut self, from: i64, until: i64) -> i64 {
        let faces = u64::try_from(until - from + 1).expect("from is not above until");
        from + i64::try_from(self.next() % faces).expect("small")
    }

    /// Whether something happens that happens so many times in a hundred.
    pub(crate) fn chance(&mut self, percent: i64) -> bool {
        self.roll(1, 100) <= percent
    }

    /// One of these.
    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let last = i64::try_from(of.len()).ok()?.checked_sub(1).filter(|last| *last >= 0)?;
        of.get(usize::try_from(self.roll(0, last)).ok()?).cloned()
    }
}
