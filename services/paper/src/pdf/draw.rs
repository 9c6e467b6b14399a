//! Pages as the bytes of a PDF. The only room with floating point: the PDF's numbers are such, the layout's are not.

use std::ops::Range;

use chrono::{Datelike as _, Timelike as _};
use krilla::SerializeSettings;
use krilla::color::rgb;
use krilla::configure::validate::Archival;
use krilla::configure::{Configuration, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect, Transform};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::{Location, Surface};
use krilla::text::{Glyph, GlyphId};

use super::flow::{Ink, Item, PAGE_HEIGHT, PAGE_WIDTH, Page, Style};
use super::font::{Face, Faces, UNITS_PER_EM, Weight};
use super::{PT, Twips};
use crate::PaperError;
use crate::document::Document;

/// Points of a twip.
const SCALE: f32 = 0.05;
/// How the stamp lies across the page, in degrees.
const SLANT: f32 = -35.0;
/// From one corner to the other, less the margins.
const STAMP_WIDTH: Twips = 560 * PT;
const STAMP_SIZE: Twips = 130 * PT;

/// The pages as a PDF.
pub(super) fn draw(document: &Document, pages: &[Page], faces: &Faces) -> Result<Vec<u8>, PaperError> {
    let settings = SerializeSettings { configuration: archival()?, ..SerializeSettings::default() };
    let mut pdf = krilla::Document::new_with(settings);
    let size = PageSettings::from_wh(points(PAGE_WIDTH), points(PAGE_HEIGHT))
        .ok_or_else(|| PaperError::Pdf("the page has no size".to_owned()))?;
    for drawn in pages {
        let mut page = pdf.start_page_with(size.clone());
        let mut surface = page.surface();
        surface.push_transform(&Transform::from_scale(SCALE, SCALE));
        if let Some(stamp) = &document.stamp {
            draw_stamp(&mut surface, faces, stamp);
        }
        drawn.items.iter().for_each(|item| draw_item(&mut surface, faces, item));
        surface.pop();
        surface.finish();
        page.finish();
    }
    pdf.set_metadata(metadata(document)?);
    pdf.finish().map_err(|error| PaperError::Pdf(format!("{error:?}")))
}

fn archival() -> Result<Configuration, PaperError> {
    let archival = ConfigurationBuilder::new().with_archival_validator(Archival::A2_U);
    archival.finish().map_err(|error| PaperError::Pdf(format!("{error:?}")))
}

fn metadata(document: &Document) -> Result<Metadata, PaperError> {
    let at = document.as_of;
    let part = |number: u32| u8::try_from(number).unwrap_or(0);
    let date = DateTime::new(u16::try_from(at.year()).unwrap_or(0))
        .month(part(at.month()))
        .day(part(at.day()))
        .hour(part(at.hour()))
        .minute(part(at.minute()))
        .second(part(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(300).collect::<String>();
    Ok(Metadata::new()
        .title(plain(&format!("{} {}", document.title, document.reference)))
        .creator("Gridlease".to_owned())
        .language("en".to_owned())
        .creation_date(date)
        .document_id(document.digest()?))
}

fn draw_item(surface: &mut Surface, faces: &Faces, item: &Item) {
    match item {
        Item::Text { x, y, style, text } => draw_text(surface, faces, (*x, *y), *style, text),
        Item::Rule { x, y, width, heavy } => {
            let (height, grey) = if *heavy { (PT * 3 / 4, 0x33) } else { (PT / 2, 0xd4) };
            let mut path = PathBuilder::new();
            let top = y - height / 2;
            let rect = Rect::from_ltrb(f(*x), f(top), f(x + width), f(top + height));
            rect.into_iter().for_each(|rect| path.push_rect(rect));
            if let Some(path) = path.finish() {
                surface.set_fill(Some(fill(rgb::Color::new(grey, grey, grey))));
                surface.draw_path(&path);
            }
        }
    }
}

fn draw_text(surface: &mut Surface, faces: &Faces, (x, y): (Twips, Twips), style: Style, text: &str) {
    let color = match style.ink {
        Ink::Dark => rgb::Color::new(0x1c, 0x27, 0x33),
        Ink::Quiet => rgb::Color::new(0x5b, 0x68, 0x75),
        Ink::Warning => rgb::Color::new(0xb3, 0x26, 0x1e),
    };
    surface.set_fill(Some(fill(color)));
    let face = faces.of(style.weight);
    let at = Point::from_xy(f(x), f(y));
    surface.draw_glyphs(at, &glyphs(face, text), face.font.clone(), text, f(style.size), false);
}

/// The stamp in pale letters from one corner to the other, below everything else.
fn draw_stamp(surface: &mut Surface, faces: &Faces, stamp: &str) {
    let face = faces.of(Weight::Bold);
    let wide = face.width(stamp, STAMP_SIZE).max(1);
    let size = STAMP_SIZE.min(STAMP_SIZE * (STAMP_WIDTH / PT) / (wide / PT).max(1));
    let half = face.width(stamp, size) / 2;
    surface.push_transform(&Transform::from_rotate_at(SLANT, f(PAGE_WIDTH / 2), f(PAGE_HEIGHT / 2)));
    surface.set_fill(Some(fill(rgb::Color::new(0xf6, 0xe3, 0xe1))));
    let at = Point::from_xy(f(PAGE_WIDTH / 2 - half), f(PAGE_HEIGHT / 2 + size / 3));
    surface.draw_glyphs(at, &glyphs(face, stamp), face.font.clone(), stamp, f(size), false);
    surface.pop();
}

fn fill(color: rgb::Color) -> Fill {
    Fill { paint: color.into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}

/// A place on the page as the PDF wants it: no page is as wide or high as the type.
fn f(twips: Twips) -> f32 {
    f32::from(i16::try_from(twips).unwrap_or(i16::MAX))
}

fn points(twips: Twips) -> f32 {
    f(twips / PT)
}

/// A letter where it stands in its text.
struct Placed {
    glyph: u32,
    bytes: Range<usize>,
    width: u16,
}

fn glyphs(face: &Face, text: &str) -> Vec<Placed> {
    text.char_indices()
        .filter_map(|(at, letter)| {
            let (glyph, width) = face.glyph(letter)?;
            Some(Placed { glyph, bytes: at..at + letter.len_utf8(), width })
        })
        .collect()
}

impl Glyph for Placed {
    fn glyph_id(&self) -> GlyphId {
        GlyphId::new(self.glyph)
    }

    fn text_range(&self) -> Range<usize> {
        self.bytes.clone()
    }

    #[expect(
        clippy::float_arithmetic,
        reason = "the PDF's numbers are floating point; where a line ends is not"
    )]
    fn x_advance(&self, size: f32) -> f32 {
        f32::from(self.width) / f(UNITS_PER_EM) * size
    }

    fn x_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_offset(&self, _size: f32) -> f32 {
        0.0
    }

    fn y_advance(&self, _size: f32) -> f32 {
        0.0
    }

    fn location(&self) -> Option<Location> {
        None
    }
}
