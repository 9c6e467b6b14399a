//! The document as a PDF: laid out in whole twips by [`flow`] and [`table`], drawn by [`draw`].

mod draw;
mod flow;
mod font;
mod table;

use crate::document::{Document, Fact, Part};
use crate::{PaperError, Party, words};
use flow::{BODY, Flow, LABEL, Style, TITLE};
use font::Faces;

/// A twentieth of a point: the grid of the layout. Whole numbers, so that every machine puts every letter in the same place.
pub(crate) type Twips = i32;
/// Twips of a point.
pub(crate) const PT: Twips = 20;

/// What no letter of the document's own font can say is told at its end.
const UNPRINTABLE: &str = "This document's fonts lack some of its letters. They stand here by their number in Unicode, \
     such as [U+4E2D]; the same document as HTML shows them.";

/// The document as PDF.
pub(crate) fn pdf(document: &Document) -> Result<Vec<u8>, PaperError> {
    let faces = Faces::load()?;
    let seal = document.sealed()?;
    let pages = lay_out(document, &seal, &faces);
    draw::draw(document, &pages, &faces)
}

/// The pages of a document.
fn lay_out(document: &Document, seal: &Fact, faces: &Faces) -> Vec<flow::Page> {
    let mut flow = Flow::new(faces, document);
    flow.text(&document.title, TITLE, 0);
    flow.text(&document.reference, BODY.quiet(), 0);
    if let Some(stamp) = document.stamp {
        flow.gap(4 * PT);
        flow.text(stamp, Style::STAMP, 0);
    }
    flow.gap(10 * PT);
    parties(&mut flow, &document.parties);
    facts(&mut flow, &document.facts);
    for section in &document.sections {
        flow.gap(12 * PT);
        flow.heading(&section.heading);
        for part in &section.parts {
            match part {
                Part::Text(text) => flow.text(text, BODY, 0),
                Part::Facts(list) => facts(&mut flow, list),
                Part::Table(table) => table::table(&mut flow, table),
            }
            flow.gap(4 * PT);
        }
    }
    if flow.lacked_letters() {
        flow.gap(10 * PT);
        flow.text(UNPRINTABLE, LABEL, 0);
    }
    flow.finish(&format!("{} {}", seal.label, seal.value), &words::instant(document.as_of))
}

fn parties(flow: &mut Flow, parties: &[Party]) {
    for pair in parties.chunks(2) {
        let cells: Vec<_> = pair
            .iter()
            .map(|party| {
                let lines = party.lines.iter().map(|line| (line.as_str(), BODY));
                let head = [(party.role.as_str(), LABEL), (party.name.as_str(), Style::NAME)];
                head.into_iter().chain(lines).collect()
            })
            .collect();
        flow.side_by_side(&cells);
        flow.gap(8 * PT);
    }
}

fn facts(flow: &mut Flow, facts: &[Fact]) {
    for pair in facts.chunks(2) {
        let cells: Vec<_> =
            pair.iter().map(|fact| vec![(fact.label.as_str(), LABEL), (fact.value.as_str(), BODY)]).collect();
        flow.side_by_side(&cells);
        flow.gap(4 * PT);
    }
}

#[cfg(test)]
mod tests;
