//! Options on more blocks as a caller wrote them, and the rules that they must keep.

use kernel::{CivilDate, OperatorId};

use super::draft::{Bounds, PREMISES_MAX, PremisesDraft, check_count};
use super::expansion::ExpansionOption;
use super::findings::Findings;

/// Options on more blocks of one lease.
const EXPANSIONS_MAX: usize = 10;

/// One option as the caller wrote it: `None` where the shape was wrong and is already among the findings.
#[derive(Clone, Debug, Default)]
pub struct ExpansionDraft {
    /// Its id within the terms.
    pub id: Option<String>,
    /// The blocks.
    pub premises: Vec<PremisesDraft>,
    /// First day for notice; none is any day.
    pub first: Option<CivilDate>,
    /// Last day for notice.
    pub last: Option<CivilDate>,
}

/// What is measured against the blocks of the lease: how many they are, when the first commences, when the last ends.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    count: usize,
    start: Option<CivilDate>,
    pub(super) end: Option<CivilDate>,
}

impl Frame {
    pub(super) fn of(premises: &[PremisesDraft]) -> Self {
        Self {
            count: premises.len(),
            start: premises.iter().filter_map(|draft| draft.commencement).min(),
            end: premises.iter().filter_map(|draft| draft.end).max(),
        }
    }
}

/// Checks every option and notes every breach, under `terms.expansion_options[i]`.
pub(super) fn check(
    options: Vec<ExpansionDraft>,
    frame: Frame,
    bounds: &Bounds,
    findings: &mut Findings,
) -> Option<Vec<ExpansionOption>> {
    let path = "terms.expansion_options";
    check_count(findings, path, options.len(), 0, EXPANSIONS_MAX);
    let blocks = options.iter().fold(frame.count, |sum, option| sum.saturating_add(option.premises.len()));
    if !options.is_empty() && blocks > PREMISES_MAX {
        findings.invalid(path, format!("has, with the premises, {blocks} blocks: at most {PREMISES_MAX}"));
    }
    let ids: Vec<_> = options.iter().map(|option| option.id.clone()).collect();
    let checked: Vec<_> = options
        .into_iter()
        .enumerate()
        .map(|(i, option)| {
            if option.id.is_some() && ids[..i].contains(&option.id) {
                findings.invalid(&format!("{path}[{i}].option_id"), "is given twice");
            }
            option.check(&format!("{path}[{i}]"), frame, bounds, findings)
        })
        .collect();
    checked.into_iter().collect()
}

/// One block is leased once in a lease (its ramp says how much and when), and only by its own operator. An option on more of a
/// block that is leased already would be another rent for the same block.
pub(super) fn check_blocks(
    findings: &mut Findings,
    premises: &[PremisesDraft],
    expansions: &[ExpansionDraft],
    operator: Option<&OperatorId>,
) {
    let own = premises.iter().enumerate().map(|(i, draft)| (format!("terms.premises[{i}].block"), draft));
    let options = expansions.iter().enumerate().flat_map(|(i, option)| {
        let path = move |j| format!("terms.expansion_options[{i}].premises[{j}].block");
        option.premises.iter().enumerate().map(move |(j, draft)| (path(j), draft))
    });
    let mut seen = std::collections::BTreeSet::new();
    for (path, draft) in own.chain(options) {
        let Some(block) = &draft.block else { continue };
        if operator.is_some_and(|operator| block.operator != *operator) {
            findings.invalid(&path, "must be a block of the parent operator");
        } else if !seen.insert(block.to_string()) {
            findings.invalid(&path, "is named twice");
        }
    }
}

impl ExpansionDraft {
    fn check(
        self,
        path: &str,
        frame: Frame,
        bounds: &Bounds,
        findings: &mut Findings,
    ) -> Option<ExpansionOption> {
        check_count(findings, &format!("{path}.premises"), self.premises.len(), 1, PREMISES_MAX);
        if let Some(last) = self.last {
            self.check_window(path, last, frame, bounds, findings);
        }
        let premises: Vec<_> = self
            .premises
            .into_iter()
            .enumerate()
            .map(|(j, draft)| {
                let path = format!("{path}.premises[{j}]");
                if let Some(start) =
                    frame.start.filter(|start| draft.commencement.is_some_and(|day| day < *start))
                {
                    let problem = format!("must be {start} or later, when the lease commences");
                    findings.invalid(&format!("{path}.commencement_date"), problem);
                }
                draft.check(&path, bounds, findings)
            })
            .collect();
        let premises = premises.into_iter().collect::<Option<_>>()?;
        Some(ExpansionOption { id: self.id?, premises, first: self.first, last: self.last? })
    }

    fn check_window(
        &self,
        path: &str,
        last: CivilDate,
        frame: Frame,
        bounds: &Bounds,
        findings: &mut Findings,
    ) {
        if self.first.is_some_and(|first| first > last) {
            findings.invalid(&format!("{path}.first_notice_date"), "must be last_notice_date or earlier");
        }
        let path = format!("{path}.last_notice_date");
        if last < bounds.today {
            findings.invalid(&path, format!("must be today, {}, or later", bounds.today));
        }
        let first_block = self.premises.iter().filter_map(|draft| draft.commencement).min();
        if let Some(start) = first_block.filter(|start| last >= *start) {
            findings.invalid(
                &path,
                format!("must be earlier than {start}, when the first of its blocks commences"),
            );
        }
        if let Some(end) = frame.end.filter(|end| last >= *end) {
            findings.invalid(&path, format!("must be earlier than {end}, when the base term ends"));
        }
    }
}
