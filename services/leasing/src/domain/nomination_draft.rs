//! Capacity without blocks as a caller wrote it, and the rules that it must keep.

use kernel::{CapacityVector, CivilDate, OperatorId, Rate, SiteName, Zone};

use super::draft::{Bounds, check_count, check_term};
use super::draft_rules::check_capacity;
use super::expansion_draft::Frame;
use super::findings::Findings;
use super::nomination::Nomination;

/// Nominations of one lease.
const NOMINATIONS_MAX: usize = 20;

/// One of them as the caller wrote it: `None` where the shape was wrong and is already among the findings.
#[derive(Clone, Debug, Default)]
pub struct NominationDraft {
    /// Its id within the terms.
    pub id: Option<String>,
    /// Whose blocks may be named.
    pub site: Option<SiteName>,
    /// What is left.
    pub capacity: Option<CapacityVector>,
    /// First day of the term.
    pub commencement: Option<CivilDate>,
    /// First day after the term.
    pub end: Option<CivilDate>,
    /// The rent.
    pub rate: Option<Rate>,
    /// Last day to name blocks.
    pub last: Option<CivilDate>,
}

/// Checks every one and notes every breach, under `terms.nominations[i]`.
pub(super) fn check(
    nominations: Vec<NominationDraft>,
    operator: Option<&OperatorId>,
    frame: Frame,
    bounds: &Bounds,
    findings: &mut Findings,
) -> Option<Vec<Nomination>> {
    let path = "terms.nominations";
    check_count(findings, path, nominations.len(), 0, NOMINATIONS_MAX);
    let ids: Vec<_> = nominations.iter().map(|one| one.id.clone()).collect();
    let checked: Vec<_> = nominations
        .into_iter()
        .enumerate()
        .map(|(i, one)| {
            let path = format!("{path}[{i}]");
            if one.id.is_some() && ids[..i].contains(&one.id) {
                findings.invalid(&format!("{path}.nomination_id"), "is given twice");
            }
            one.check(&path, operator, frame, bounds, findings)
        })
        .collect();
    checked.into_iter().collect()
}

impl NominationDraft {
    fn check(
        self,
        path: &str,
        operator: Option<&OperatorId>,
        frame: Frame,
        bounds: &Bounds,
        findings: &mut Findings,
    ) -> Option<Nomination> {
        let at = |field: &str| format!("{path}.{field}");
        let foreign = self.site.as_ref().zip(operator).is_some_and(|(site, own)| site.operator != *own);
        if foreign {
            findings.invalid(&at("site"), "must be a site of the parent operator");
        }
        if let Some(capacity) = &self.capacity {
            check_capacity(&at("capacity"), capacity, findings);
        }
        if let (Some(start), Some(end)) = (self.commencement, self.end) {
            check_term(path, start, end, bounds, findings);
        }
        if self.rate.is_some_and(|rate| !rate.is_positive()) {
            findings.invalid(&at("base_rate_per_kw_month"), "must be more than 0");
        }
        if let Some(last) = self.last {
            let path = at("last_nomination_date");
            if last < bounds.today {
                findings.invalid(&path, format!("must be today, {}, or later", bounds.today));
            }
            if let Some(start) = self.commencement.filter(|start| last >= *start) {
                findings.invalid(&path, format!("must be earlier than {start}, when its blocks commence"));
            }
            if let Some(end) = frame.end.filter(|end| last >= *end) {
                findings.invalid(&path, format!("must be earlier than {end}, when the last block ends"));
            }
        }
        Some(Nomination {
            id: self.id?,
            site: self.site?,
            zone: Zone::UTC,
            capacity: self.capacity?,
            commencement: self.commencement?,
            end: self.end?,
            rate: self.rate?,
            last: self.last?,
        })
    }
}
