//! Bending bytes, the same way for the same seed.

/// What texts and numbers break at.
const TRICKS: [&[u8]; 16] = [
    b"",
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"-",
    b"9999999999999999999999999999",
    b"1e5",
    b"NaN",
    b"\xd9\xa1",
    b"\n",
    b",",
    b"\"",
    b"{",
    b"/",
    b"..",
    b"\xf4\x90\x80\x80",
];

/// Bends inputs.
pub struct Mutator(u64);

impl Mutator {
    /// From this seed on.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// xorshift64*: good enough to choose places.
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// An input with one to four things wrong with it.
    pub fn bend(&mut self, input: &[u8]) -> Vec<u8> {
        let mut bent = input.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bent.len() + 1);
            let until = at + self.below(bent.len() + 1 - at);
            match self.below(6) {
                0 => {
                    if let Some(byte) = bent.get_mut(at) {
                        *byte ^= 1 << (self.next() % 8);
                    }
                }
                1 => drop(bent.drain(at..until)),
                2 => {
                    let again = bent.get(at..until).unwrap_or_default().to_vec();
                    bent.splice(at..at, again);
                }
                3 => {
                    let trick = TRICKS.get(self.below(TRICKS.len())).copied().unwrap_or_default();
                    bent.splice(at..until, trick.iter().copied());
                }
                4 => bent.truncate(at),
                _ => {
                    let byte = u8::try_from(self.next() % 256).unwrap_or(0);
                    bent.insert(at, byte);
                }
            }
        }
        bent
    }
}
