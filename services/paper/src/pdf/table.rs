//! Tables: columns as wide as they need to be, heads again on every page, rows that are never cut.

use super::flow::{BOTTOM, Flow, LABEL, MARGIN, Style, WIDTH};
use super::font::{Faces, Weight};
use super::{PT, Twips};
use crate::document::{Row, Table};

const CELL: Style = Style { size: 8 * PT, ..super::BODY };
const HEAD: Style = Style { size: 15 * PT / 2, weight: Weight::Bold, ..LABEL };
const SUM: Style = Style { weight: Weight::Bold, ..CELL };
/// Between two columns.
const GAP: Twips = 10 * PT;
/// Above and below the words of a row.
const PAD: Twips = 2 * PT;
/// A column of words takes no more than this before it shares what is short.
const WORDS_MAX: Twips = 90 * PT;

/// Where each column stands.
struct Columns {
    /// Left edge and width.
    places: Vec<(Twips, Twips)>,
    numbers: Vec<bool>,
}

/// Sets a table.
pub(super) fn table(flow: &mut Flow, table: &Table) {
    let columns = Columns::of(table, flow.faces);
    let titles: Vec<String> = table.columns().iter().map(|column| column.heading.clone()).collect();
    head(flow, &columns, &titles);
    let (rows, left_out) = table.printed();
    for row in rows {
        set(flow, &columns, &titles, row);
    }
    if let Some(told) = left_out {
        flow.text(&told, LABEL, 0);
    }
}

fn head(flow: &mut Flow, columns: &Columns, titles: &[String]) {
    let lines = columns.wrap(flow, titles, HEAD);
    let height = height(&lines, HEAD);
    // A head alone at the foot of a page is no use.
    flow.make_room(height + 3 * PAD + 2 * CELL.leading());
    // Headings stand on the rule.
    for (column, lines) in lines.iter().enumerate() {
        let drop = height - HEAD.leading() * count(lines);
        columns.put(flow, column, lines, HEAD, drop);
    }
    flow.gap(height + PAD);
    flow.rule(MARGIN, flow.y(), WIDTH, true);
    flow.gap(PAD);
}

/// One row, whole on one page; one that is taller than a page goes on over several.
fn set(flow: &mut Flow, columns: &Columns, titles: &[String], row: &Row) {
    let style = if row.total { SUM } else { CELL };
    let mut lines = columns.wrap(flow, &row.cells, style);
    let remark = if row.remark.is_empty() { Vec::new() } else { flow.wrap(&row.remark, LABEL, WIDTH) };
    let remark_height = LABEL.leading() * count(&remark);
    let whole = height(&lines, style) + remark_height + 2 * PAD;
    if whole > flow.left() && whole <= BOTTOM - MARGIN - 60 * PT {
        flow.break_page();
        head(flow, columns, titles);
    }
    if row.total {
        flow.rule(MARGIN, flow.y(), WIDTH, true);
    }
    flow.gap(PAD);
    while lines.iter().any(|lines| !lines.is_empty()) {
        let fit = usize::try_from(flow.left() / style.leading()).unwrap_or(0);
        if fit == 0 {
            flow.break_page();
            head(flow, columns, titles);
            continue;
        }
        let mut used = 0;
        for (column, lines) in lines.iter_mut().enumerate() {
            let now: Vec<String> = lines.drain(..lines.len().min(fit)).collect();
            columns.put(flow, column, &now, style, 0);
            used = used.max(count(&now));
        }
        flow.gap(used * style.leading());
    }
    for line in remark {
        flow.text(&line, LABEL, 0);
    }
    flow.gap(PAD);
    if !row.total {
        flow.rule(MARGIN, flow.y(), WIDTH, false);
    }
}

fn height(cells: &[Vec<String>], style: Style) -> Twips {
    cells.iter().map(|lines| count(lines)).max().unwrap_or(0) * style.leading()
}

fn count(lines: &[String]) -> Twips {
    Twips::try_from(lines.len()).unwrap_or(Twips::MAX / PT / 100)
}

impl Columns {
    /// Numbers get what they need; words share the rest, and share what is short.
    fn of(table: &Table, faces: &Faces) -> Self {
        let numbers: Vec<bool> = table.columns().iter().map(|column| column.numbers).collect();
        let (wanted, least): (Vec<Twips>, Vec<Twips>) =
            (0..numbers.len()).map(|column| wants(table, column, faces)).unzip();
        let gaps = GAP * Twips::try_from(numbers.len().saturating_sub(1)).unwrap_or(0);
        let widths = share(&numbers, &wanted, &least, WIDTH - gaps);
        let mut x = MARGIN;
        let mut places = Vec::new();
        for width in widths {
            places.push((x, width));
            x += width + GAP;
        }
        Self { places, numbers }
    }

    fn wrap(&self, flow: &mut Flow, cells: &[String], style: Style) -> Vec<Vec<String>> {
        cells.iter().zip(&self.places).map(|(cell, (_, width))| flow.wrap(cell, style, *width)).collect()
    }

    fn put(&self, flow: &mut Flow, column: usize, lines: &[String], style: Style, drop: Twips) {
        let Some((x, width)) = self.places.get(column).copied() else { return };
        let right = self.numbers.get(column).copied().unwrap_or(false);
        let mut y = flow.y() + drop + style.size;
        for line in lines {
            let indent = if right { width - flow.faces.of(style.weight).width(line, style.size) } else { 0 };
            flow.put(x + indent, y, style, line.clone());
            y += style.leading();
        }
    }
}

/// What a column would like to be, and what it needs.
fn wants(table: &Table, column: usize, faces: &Faces) -> (Twips, Twips) {
    let is_numbers = table.columns().get(column).is_some_and(|column| column.numbers);
    let heading = table.columns().get(column).map_or("", |column| column.heading.as_str());
    let head = faces.of(HEAD.weight);
    let (mut wanted, mut least) = (
        head.longest_piece(&head.printable(heading), HEAD.size),
        head.longest_piece(&head.printable(heading), HEAD.size),
    );
    let (rows, _) = table.printed();
    for row in rows {
        let style = if row.total { SUM } else { CELL };
        let face = faces.of(style.weight);
        let cell = row.cells.get(column).map_or("", String::as_str);
        let cell = face.printable(cell);
        let whole = face.width(&cell, style.size);
        wanted = wanted.max(whole);
        least =
            least.max(if is_numbers { whole } else { face.longest_piece(&cell, style.size).min(WORDS_MAX) });
    }
    (wanted, least)
}

/// The widths of columns that together are `all`.
fn share(numbers: &[bool], wanted: &[Twips], least: &[Twips], all: Twips) -> Vec<Twips> {
    let sum = |widths: &[Twips]| widths.iter().fold(0, |sum: Twips, width| sum.saturating_add(*width));
    let (most, needed) = (sum(wanted), sum(least));
    if most <= all {
        let takers = numbers.iter().filter(|numbers| !**numbers).count();
        let takes = |is_numbers: bool| !is_numbers || takers == 0;
        let extra = (all - most)
            / Twips::try_from(if takers == 0 { numbers.len() } else { takers }).unwrap_or(1).max(1);
        return numbers.iter().zip(wanted).map(|(n, w)| if takes(*n) { w + extra } else { *w }).collect();
    }
    if needed <= all {
        // Each gives up the same part of what it can spare.
        let (short, spare) = (i64::from(most - all), i64::from(most - needed).max(1));
        let give = |can: Twips| Twips::try_from((i64::from(can) * short + spare - 1) / spare).unwrap_or(can);
        return wanted.iter().zip(least).map(|(w, l)| w - give(w - l).min(w - l)).collect();
    }
    // Not even the numbers fit: all shrink alike, and words break inside.
    let part = |width: Twips| i64::from(width) * i64::from(all) / i64::from(needed).max(1);
    least.iter().map(|width| Twips::try_from(part(*width)).unwrap_or(PT)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_they_need_while_words_give_way() {
        let widths = share(&[false, true], &[9_000, 3_000], &[1_000, 3_000], 10_000);
        assert_eq!(widths, [7_000, 3_000]);
        let widths = share(&[false, true], &[1_000, 3_000], &[1_000, 3_000], 10_000);
        assert_eq!(widths, [7_000, 3_000]);
        let widths = share(&[true, true], &[15_000, 15_000], &[15_000, 15_000], 10_000);
        assert_eq!(widths, [5_000, 5_000]);
    }
}
