//! The two fonts inside the program: which letters they have, how wide these are, and where a line breaks.

use std::borrow::Cow;
use std::fmt::Write as _;

use krilla::text::Font;
use skrifa::raw::TableProvider as _;
use skrifa::raw::tables::hmtx::Hmtx;
use skrifa::{FontRef, MetadataProvider as _, charmap::Charmap};

use super::Twips;
use crate::PaperError;

/// Noto Sans, cut down to Latin, Greek and Cyrillic; see `fonts/README.md`.
const REGULAR: &[u8] = include_bytes!("../../fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/NotoSans-Bold.ttf");
/// Units of the fonts' own grid to one size of the letter.
pub(super) const UNITS_PER_EM: i32 = 1_000;

/// How heavy a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// For reading.
    Regular,
    /// For names, headings and sums.
    Bold,
}

/// Both weights.
pub(super) struct Faces {
    regular: Face,
    bold: Face,
}

impl Faces {
    /// The fonts inside the program.
    pub(super) fn load() -> Result<Self, PaperError> {
        let load = |bytes| Face::load(bytes).ok_or(PaperError::Font);
        Ok(Self { regular: load(REGULAR)?, bold: load(BOLD)? })
    }

    /// The one of this weight.
    pub(super) fn of(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }
}

/// One weight of the font.
pub(super) struct Face {
    /// As the PDF embeds it.
    pub(super) font: Font,
    letters: Charmap<'static>,
    metrics: Hmtx<'static>,
}

impl Face {
    fn load(bytes: &'static [u8]) -> Option<Self> {
        let font = FontRef::new(bytes).ok()?;
        let upright = i32::from(font.head().ok()?.units_per_em()) == UNITS_PER_EM;
        let (letters, metrics) = (font.charmap(), font.hmtx().ok()?);
        Font::new(bytes.into(), 0).filter(|_| upright).map(|font| Self { font, letters, metrics })
    }

    /// The number and the width of a letter's picture, in units; `None` for a letter that the font lacks.
    pub(super) fn glyph(&self, letter: char) -> Option<(u32, u16)> {
        let glyph = self.letters.map(letter)?;
        Some((glyph.to_u32(), self.metrics.advance(glyph)?))
    }

    /// How wide a text is, in units.
    fn units(&self, text: &str) -> i32 {
        let widths = text.chars().filter_map(|letter| self.glyph(letter)).map(|(_, width)| i32::from(width));
        widths.fold(0, i32::saturating_add)
    }

    /// How wide a text is, rounded up.
    pub(super) fn width(&self, text: &str, size: Twips) -> Twips {
        self.units(text).saturating_mul(size).saturating_add(UNITS_PER_EM - 1) / UNITS_PER_EM
    }

    /// The text with every letter that the font lacks written as its number, `[U+4E2D]`: never a question mark, since a
    /// name that cannot be read must at least not be mistaken. White space becomes spaces, but for the end of a line.
    pub(super) fn printable<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.chars().all(|letter| letter == '\n' || self.glyph(letter).is_some()) {
            return Cow::Borrowed(text);
        }
        let mut printable = String::new();
        for letter in text.chars() {
            if letter == '\n' || self.glyph(letter).is_some() {
                printable.push(letter);
            } else if letter.is_whitespace() {
                printable.push(' ');
            } else {
                let _ = write!(printable, "[U+{:04X}]", u32::from(letter));
            }
        }
        Cow::Owned(printable)
    }

    /// The width of the longest piece of a text that is not broken.
    pub(super) fn longest_piece(&self, text: &str, size: Twips) -> Twips {
        pieces(text).map(|piece| self.width(piece.trim_end(), size)).max().unwrap_or(0)
    }

    /// The lines of a text no wider than `width`: broken after spaces, slashes and hyphens, and within a word only
    /// where the word alone is too wide.
    pub(super) fn wrap(&self, text: &str, size: Twips, width: Twips) -> Vec<String> {
        let room = width * UNITS_PER_EM / size.max(1);
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let (mut line, mut used) = (String::new(), 0);
            for piece in pieces(paragraph) {
                let bare = self.units(piece.trim_end());
                if !line.is_empty() && used + bare > room {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                for letter in piece.chars() {
                    let wide = self.glyph(letter).map_or(0, |(_, wide)| i32::from(wide));
                    if letter != ' ' && !line.is_empty() && used + wide > room {
                        lines.push(std::mem::take(&mut line));
                        used = 0;
                    }
                    line.push(letter);
                    used += wide;
                }
            }
            lines.push(line);
        }
        for line in &mut lines {
            line.truncate(line.trim_end().len());
        }
        lines
    }
}

/// The pieces of a paragraph between which a line may end.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive([' ', '/', '-'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_are_equally_wide_in_both_weights() {
        let faces = Faces::load().unwrap();
        for weight in [Weight::Regular, Weight::Bold] {
            let face = faces.of(weight);
            assert_eq!(face.width("1111111111", 200), face.width("0123456789", 200));
        }
    }

    #[test]
    fn names_of_europe_are_printed_and_others_told_by_number() {
        let face = &Faces::load().unwrap().regular;
        for name in
            ["Łódź Žižkov Ångström", "Ağaoğlu Șerban", "Ελλάδα", "Київ Ѐ", "Nguyễn Thị Ổn", "₿ € £ № 5"]
        {
            assert_eq!(face.printable(name), name);
        }
        assert_eq!(face.printable("中\tx\u{200b}"), "[U+4E2D] x[U+200B]");
    }

    proptest! {
        /// No line is wider than it may be, and no letter is lost.
        #[test]
        fn lines_fit_and_keep_every_letter(text in "[ -~\u{e0}-\u{17f}]{0,120}", width in 300_i32..5_000) {
            let face = &Faces::load().unwrap().regular;
            let lines = face.wrap(&text, 180, width);
            for line in &lines {
                prop_assert!(face.width(line, 180) <= width, "{line:?}");
            }
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
