use proptest::prelude::*;

use super::flow::{Item, MARGIN, PAGE_HEIGHT, PAGE_WIDTH, Page, WIDTH};
use super::*;
use crate::{Column, Section, Table, sample};

fn pages(document: &Document) -> Vec<Page> {
    lay_out(document, &document.sealed().unwrap(), &Faces::load().unwrap())
}

/// Every text of a page with its left and right edge and its foot.
fn texts(page: &Page) -> Vec<(Twips, Twips, Twips, String)> {
    let faces = Faces::load().unwrap();
    let place = |item: &Item| match item {
        Item::Text { x, y, style, text } => {
            Some((*x, x + faces.of(style.weight).width(text, style.size), *y, text.clone()))
        }
        Item::Rule { .. } => None,
    };
    page.items.iter().filter_map(place).collect()
}

fn nothing_is_cut(document: &Document) {
    for page in pages(document) {
        for (left, right, foot, text) in texts(&page) {
            assert!(left >= MARGIN && right <= MARGIN + WIDTH, "{text:?} from {left} to {right}");
            assert!(foot > 0 && foot < PAGE_HEIGHT && right < PAGE_WIDTH, "{text:?} at {foot}");
        }
    }
}

#[test]
fn the_same_document_is_the_same_bytes() {
    let document = sample::invoice(40);
    let first = pdf(&document).unwrap();
    assert!(first.starts_with(b"%PDF-1.7") && first.trim_ascii_end().ends_with(b"%%EOF"));
    assert_eq!(first, pdf(&document).unwrap());
}

#[test]
fn a_long_table_repeats_its_head_and_numbers_its_pages() {
    let pages = pages(&sample::invoice(120));
    assert!(pages.len() > 3, "{} pages", pages.len());
    for (i, page) in pages.iter().enumerate() {
        let texts: Vec<String> = texts(page).into_iter().map(|(.., text)| text).collect();
        assert!(texts.contains(&"Amount, USD".to_owned()), "page {i}: {texts:?}");
        let foot = format!("Page {} of {}", i + 1, pages.len());
        assert!(texts.iter().any(|text| text.ends_with(&foot)), "page {i}: {texts:?}");
        assert!(texts.iter().any(|text| text.starts_with("Content SHA-256 ")), "page {i}: {texts:?}");
    }
    nothing_is_cut(&sample::invoice(120));
}

#[test]
fn every_row_is_printed_once_and_amounts_end_at_one_edge() {
    let all: Vec<_> = pages(&sample::invoice(120)).iter().flat_map(texts).collect();
    for n in 0..120 {
        let block = format!("river-bend / hall-{n:03}");
        assert_eq!(all.iter().filter(|(.., text)| *text == block).count(), 1, "{block}");
    }
    let amounts: Vec<_> = all.iter().filter(|(.., text)| text.contains("31,363,838.")).collect();
    assert_eq!(amounts.len(), 121);
    assert!(amounts.iter().all(|(_, right, ..)| *right == MARGIN + WIDTH), "{amounts:?}");
}

#[test]
fn letters_that_the_fonts_lack_are_told_by_number_and_explained() {
    let mut document = sample::invoice(1);
    document.parties[1].name = "中国 Acme".to_owned();
    let all: Vec<String> = pages(&document).iter().flat_map(texts).map(|(.., text)| text).collect();
    assert!(all.iter().any(|text| text == "[U+4E2D][U+56FD] Acme"), "{all:?}");
    assert!(all.iter().any(|text| text.starts_with("This document's fonts lack")), "{all:?}");
    assert!(pdf(&document).is_ok());
}

#[test]
fn a_stamp_is_on_every_page() {
    let mut document = sample::invoice(60);
    document.stamp = Some("DRAFT");
    for page in pages(&document) {
        assert!(texts(&page).iter().any(|(.., text)| text == "DRAFT"));
    }
}

#[test]
fn the_largest_figures_stay_inside_the_page() {
    let amount = "-92,233,720,368,547,758.07".to_owned();
    let columns = ["a", "b", "c", "d", "e"].map(Column::numbers);
    let table = Table::new(columns, [[(); 5].map(|()| amount.clone())]);
    let mut document = sample::invoice(1);
    document.sections.push(Section::new("Wide", vec![Part::Table(table)]));
    nothing_is_cut(&document);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever people write, a document is printed and nothing of it is cut.
    #[test]
    fn any_text_is_printed(name in "\\PC{0,300}", note in "(?s).{0,2000}", cell in "[a-z0-9/-]{0,200}") {
        let mut document = sample::invoice(2);
        document.reference.clone_from(&name);
        document.stamp = Some("CANCELLED");
        document.parties[0].name = name;
        document.facts.push(Fact::new("Note", note.clone()));
        let columns = [Column::words("One"), Column::words("Two"), Column::numbers("Three")];
        let table = Table::new(columns, [[cell.clone(), note.clone(), "1.00".to_owned()]]);
        document.sections.push(Section::new("Any", vec![Part::Text(note), Part::Table(table)]));
        nothing_is_cut(&document);
        prop_assert!(pdf(&document).is_ok(), "{:?}", pdf(&document).err());
    }
}

/// Writes samples to look at: `PAPER_SAMPLES=/tmp cargo test -p paper -- --ignored`.
#[test]
#[ignore = "for eyes"]
fn samples_to_look_at() {
    let folder = std::path::PathBuf::from(std::env::var("PAPER_SAMPLES").expect("a folder"));
    let mut document = sample::invoice(70);
    document.stamp = Some("DRAFT");
    document.parties[1].name = "中国 Acme".to_owned();
    std::fs::write(folder.join("sample.pdf"), pdf(&document).unwrap()).unwrap();
    let html = crate::print(&document, crate::Format::Html).unwrap();
    std::fs::write(folder.join("sample.html"), html).unwrap();
}
