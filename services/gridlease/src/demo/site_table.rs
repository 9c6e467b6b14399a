//! Megawatts by operator: what is answered, beside what `sites.csv` says.

use std::collections::BTreeMap;

use super::findings::{Findings, SiteFound};
use super::tables::{shortened, wrapped};
use crate::out::{megawatts, table};

/// A sum of figures, by the answers and by the file.
type Sum = (i64, i64);

/// What is added up of an operator.
#[derive(Default)]
struct Row {
    energised: Sum,
    contracted: Sum,
    mined: i64,
    pipeline: i64,
    leased: Sum,
    free: i64,
    headroom: i64,
}

impl Row {
    fn add(&mut self, site: &SiteFound) {
        let add = |sum: &mut Sum, found: Option<i64>, stated: Option<i64>| {
            *sum = (sum.0 + found.unwrap_or(0), sum.1 + stated.unwrap_or(0));
        };
        add(&mut self.energised, site.energised_kw, site.stated.energised_kw);
        add(&mut self.contracted, site.contracted_kw, site.stated.contracted_kw);
        add(&mut self.leased, Some(site.leased_it_kw), site.stated.leased_it_kw);
        self.mined += site.mined_kw;
        self.pipeline += site.stated.pipeline_kw.unwrap_or(0);
        self.free += site.free_it_kw;
        self.headroom += site.headroom_kw.unwrap_or(0);
    }

    fn cells(&self, name: &str) -> [String; 8] {
        let both = |(found, stated): Sum| {
            if found == stated {
                megawatts(found)
            } else {
                format!("{} | {}", megawatts(found), megawatts(stated))
            }
        };
        [
            shortened(name, 15),
            both(self.energised),
            both(self.contracted),
            megawatts(self.pipeline),
            megawatts(self.mined),
            both(self.leased),
            megawatts(self.free),
            megawatts(self.headroom),
        ]
    }
}

/// One line per operator, and every difference with its reason.
pub(super) fn figures(found: &Findings) -> String {
    let mut by_operator: BTreeMap<&str, Row> = BTreeMap::new();
    let mut all = Row::default();
    for site in &found.site_figures {
        by_operator.entry(&site.operator).or_default().add(site);
        all.add(site);
    }
    let mut rows = table(&[
        "Operator",
        ">Energised\nMW",
        ">Contracted\nMW",
        ">Pipeline\nMW, file",
        ">Mined\nMW",
        ">Leased\nIT MW",
        ">Free IT\nMW, dated",
        ">Headroom\nMW",
    ]);
    for (name, row) in by_operator.iter().map(|(name, row)| (*name, row)).chain([("all", &all)]) {
        rows.add_row(row.cells(name));
    }
    let about = format!(
        "a | b: answered | in the file. Energised, contracted and mined on {}; leased, free and headroom on \
         2028-07-01, when every lease has begun. Headroom is gross and only of sites whose limit is known, less what is \
         mined then. Leased counts what is held as leased for want of a price. Pipeline is nothing that could \
         be promised, so no service keeps it.",
        found.business_date
    );
    let mut text = format!("{}{}\n\nWhere the two differ:", rows.trim_fmt(), wrapped(&about, ""));
    let figure = |kw: Option<i64>| kw.map_or_else(|| "none".to_owned(), megawatts);
    for own in &found.differences {
        let (answered, stated) = (figure(own.found_kw), figure(own.stated_kw));
        let line = format!("- {}, {}: {answered} | {stated}: {}", own.site, own.column, own.why);
        text.push_str(&wrapped(&line, "  "));
    }
    text
}
