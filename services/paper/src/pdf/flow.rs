//! Text from top to bottom over as many pages as it takes.

use super::font::{Faces, Weight};
use super::{PT, Twips};
use crate::document::Document;

/// US Letter, since that is where most sites are; it also prints on A4.
pub(super) const PAGE_WIDTH: Twips = 612 * PT;
pub(super) const PAGE_HEIGHT: Twips = 792 * PT;
/// Empty on every side but for the head and the foot of the page.
pub(super) const MARGIN: Twips = 54 * PT;
/// Between the margins.
pub(super) const WIDTH: Twips = PAGE_WIDTH - 2 * MARGIN;
/// Where text ends at the bottom.
pub(super) const BOTTOM: Twips = PAGE_HEIGHT - MARGIN - 6 * PT;
/// Between two columns of facts.
const GUTTER: Twips = 24 * PT;

/// What a letter is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// For what is said.
    Dark,
    /// For labels and remarks.
    Quiet,
    /// For warnings.
    Warning,
}

/// How text looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) size: Twips,
    pub(super) weight: Weight,
    pub(super) ink: Ink,
}

/// The name of the document.
pub(super) const TITLE: Style = Style::new(20, Weight::Bold);
/// What is read.
pub(super) const BODY: Style = Style::new(9, Weight::Regular);
/// Above a value, and below a row.
pub(super) const LABEL: Style = Style::new(7, Weight::Regular).quiet();
const HEADING: Style = Style::new(11, Weight::Bold);
/// The head and the foot of a page.
const EDGE: Style = Style { size: 13 * PT / 2, ..LABEL };

impl Style {
    /// The name of a party.
    pub(super) const NAME: Self = Self::new(10, Weight::Bold);
    /// The stamp below the title.
    pub(super) const STAMP: Self = Self { ink: Ink::Warning, ..Self::new(12, Weight::Bold) };

    const fn new(points: Twips, weight: Weight) -> Self {
        Self { size: points * PT, weight, ink: Ink::Dark }
    }

    /// The same for what matters less.
    pub(super) const fn quiet(self) -> Self {
        Self { ink: Ink::Quiet, ..self }
    }

    /// From one line to the next.
    pub(super) const fn leading(self) -> Twips {
        self.size * 4 / 3
    }
}

/// Something drawn on a page; `y` grows downward.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// One line of letters that the font has; `y` is where they stand.
    Text { x: Twips, y: Twips, style: Style, text: String },
    /// A line across; `y` is its middle.
    Rule { x: Twips, y: Twips, width: Twips, heavy: bool },
}

/// One page.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
}

/// The page being written and those before it.
pub(super) struct Flow<'a> {
    pub(super) faces: &'a Faces,
    head: String,
    stamp: Option<&'static str>,
    pages: Vec<Page>,
    page: Page,
    y: Twips,
    lacked: bool,
}

impl<'a> Flow<'a> {
    /// The first page of a document.
    pub(super) fn new(faces: &'a Faces, document: &Document) -> Self {
        Self {
            faces,
            head: format!("{}  {}", document.title, document.reference),
            stamp: document.stamp,
            pages: Vec::new(),
            page: Page::default(),
            y: MARGIN,
            lacked: false,
        }
    }

    /// Whether some letter had to be told by its number.
    pub(super) fn lacked_letters(&self) -> bool {
        self.lacked
    }

    /// Goes down, but never onto the next page for nothing.
    pub(super) fn gap(&mut self, height: Twips) {
        self.y += height;
    }

    /// What is left of the page.
    pub(super) fn left(&self) -> Twips {
        BOTTOM - self.y
    }

    /// Begins a new page unless `height` fits on this one. Gives whether it did.
    pub(super) fn make_room(&mut self, height: Twips) -> bool {
        let begin = height > self.left();
        if begin {
            self.break_page();
        }
        begin
    }

    /// Begins a new page, with the document's name at its head.
    pub(super) fn break_page(&mut self) {
        self.pages.push(std::mem::take(&mut self.page));
        let head = self.faces.of(EDGE.weight).printable(&self.head).into_owned();
        let stamp_width = self.stamp.map_or(0, |stamp| self.put_right(stamp, MARGIN - 16 * PT));
        // A name may be longer than a line; the first page has it all.
        let lines = self.faces.of(EDGE.weight).wrap(&head, EDGE.size, WIDTH - stamp_width - GUTTER);
        let first = lines.into_iter().next().unwrap_or_default();
        self.put(MARGIN, MARGIN - 16 * PT, EDGE, first);
        self.rule(MARGIN, MARGIN - 11 * PT, WIDTH, false);
        self.y = MARGIN + 6 * PT;
    }

    fn put_right(&mut self, stamp: &str, y: Twips) -> Twips {
        let style = Style { size: EDGE.size, ..Style::STAMP };
        let width = self.faces.of(style.weight).width(stamp, style.size);
        self.put(MARGIN + WIDTH - width, y, style, stamp.to_owned());
        width
    }

    /// Draws a line of text that the font has.
    pub(super) fn put(&mut self, x: Twips, y: Twips, style: Style, text: String) {
        if !text.is_empty() {
            self.page.items.push(Item::Text { x, y, style, text });
        }
    }

    /// Draws a line across.
    pub(super) fn rule(&mut self, x: Twips, y: Twips, width: Twips, heavy: bool) {
        self.page.items.push(Item::Rule { x, y, width, heavy });
    }

    /// Where the next line begins, from the top.
    pub(super) fn y(&self) -> Twips {
        self.y
    }

    /// The text broken into lines.
    pub(super) fn wrap(&mut self, text: &str, style: Style, width: Twips) -> Vec<String> {
        let face = self.faces.of(style.weight);
        let printable = face.printable(text);
        self.lacked |= printable.contains("[U+") && !text.contains("[U+");
        face.wrap(&printable, style.size, width)
    }

    /// A paragraph; it may go on over pages.
    pub(super) fn text(&mut self, text: &str, style: Style, indent: Twips) {
        for line in self.wrap(text, style, WIDTH - indent) {
            self.make_room(style.leading());
            self.put(MARGIN + indent, self.y + style.size, style, line);
            self.y += style.leading();
        }
    }

    /// A heading, with room for the beginning of what it is the heading of.
    pub(super) fn heading(&mut self, text: &str) {
        self.make_room(HEADING.leading() + 48 * PT);
        self.text(text, HEADING, 0);
        self.y += 3 * PT;
    }

    /// Two columns of text beside each other, on one page if they fit on one.
    pub(super) fn side_by_side(&mut self, cells: &[Vec<(&str, Style)>]) {
        let width = (WIDTH - GUTTER) / 2;
        let columns: Vec<Vec<(String, Style)>> = cells
            .iter()
            .map(|cell| {
                let lines = cell.iter().map(|(text, style)| (self.wrap(text, *style, width), *style));
                lines.flat_map(|(lines, style)| lines.into_iter().map(move |line| (line, style))).collect()
            })
            .collect();
        let height_of = |column: &Vec<(String, Style)>| column.iter().map(|(_, style)| style.leading()).sum();
        self.make_room(columns.iter().map(height_of).max().unwrap_or(0).min(BOTTOM - MARGIN - 6 * PT));
        let (top, page) = (self.y, self.pages.len());
        let mut lowest = top;
        for (x, column) in [MARGIN, MARGIN + width + GUTTER].into_iter().zip(columns) {
            // The second column starts beside the first, unless that one has gone over the page.
            self.y = if self.pages.len() == page { top } else { lowest };
            for (line, style) in column {
                self.make_room(style.leading());
                self.put(x, self.y + style.size, style, line);
                self.y += style.leading();
            }
            lowest = if self.pages.len() == page { lowest.max(self.y) } else { self.y };
        }
        self.y = lowest;
    }

    /// The pages with their feet: the hash, the time, and page x of y.
    pub(super) fn finish(mut self, seal: &str, as_of: &str) -> Vec<Page> {
        self.pages.push(std::mem::take(&mut self.page));
        let mut pages = std::mem::take(&mut self.pages);
        let face = self.faces.of(EDGE.weight);
        let (count, y) = (pages.len(), PAGE_HEIGHT - MARGIN + 14 * PT);
        let seal = face.printable(seal).into_owned();
        for (i, page) in pages.iter_mut().enumerate() {
            let number = format!("As of {as_of}   Page {} of {count}", i + 1);
            let right = MARGIN + WIDTH - face.width(&number, EDGE.size);
            page.items.push(Item::Rule { x: MARGIN, y: y - 10 * PT, width: WIDTH, heavy: false });
            page.items.push(Item::Text { x: MARGIN, y, style: EDGE, text: seal.clone() });
            page.items.push(Item::Text { x: right, y, style: EDGE, text: number });
        }
        pages
    }
}
