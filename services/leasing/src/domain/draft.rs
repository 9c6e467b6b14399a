//! Terms as a caller wrote them, and the rules that they must keep before anyone is asked to sign them.

use kernel::time::add_months;
use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, EscalationBasis, Escalator, MasterAgreementName,
    OperatorId, Percent, Rate, RateStep, Zone,
};

pub use super::checked::Checked;
use super::contract::Contract;
use super::draft_rules::{check_capacity, check_steps};
use super::expansion_draft::{self, ExpansionDraft, Frame};
use super::findings::Findings;
use super::nomination_draft::{self, NominationDraft};
use super::renewal_rent::MarketRent;
use super::terms::{PremisesTerms, ProfileStep, RateTerms, RenewalOption, Structure, Terms};

/// Blocks of one lease; inventory takes as many claims in one reservation.
pub const PREMISES_MAX: usize = 50;
/// Steps of one block's ramp or of its stated rates.
pub const STEPS_MAX: usize = 240;
/// Longest base term or option, in months: 50 years.
pub const TERM_MONTHS_MAX: i32 = 600;
/// Furthest commencement from today, in months: 10 years.
pub const START_AHEAD_MONTHS_MAX: i32 = 120;
/// More than any campus on the grid: 100 GW.
pub const KW_MAX: i64 = 100_000_000;
/// Longest lead of an invoice before its month, in days.
pub const LEAD_DAYS_MAX: i32 = 90;
/// Longest payment term, in days.
pub const PAYMENT_DAYS_MAX: i32 = 365;
/// Longest notes, in characters.
pub const NOTES_MAX: usize = 10_000;

/// One block as the caller wrote it: `None` where the shape was wrong and is already among the findings.
#[derive(Clone, Debug, Default)]
pub struct PremisesDraft {
    /// The block.
    pub block: Option<BlockName>,
    /// The ramp.
    pub profile: Vec<(Option<CivilDate>, Option<CapacityVector>)>,
    /// First day of the term.
    pub commencement: Option<CivilDate>,
    /// First day after the term.
    pub end: Option<CivilDate>,
    /// The rent.
    pub rate: Option<RateDraft>,
}

/// The rent of one block as the caller wrote it.
#[derive(Clone, Debug)]
pub enum RateDraft {
    /// A base rate.
    Base(Option<Rate>),
    /// Stated steps.
    Stated(Vec<(Option<CivilDate>, Option<Rate>)>),
}

/// The escalator as the caller wrote it.
#[derive(Clone, Debug)]
pub struct EscalatorDraft {
    /// The yearly step.
    pub percent: Option<Percent>,
    /// On which day it is taken.
    pub basis: Option<EscalationBasis>,
}

/// A renewal as the caller wrote it.
#[derive(Clone, Debug, Default)]
pub struct RenewalDraft {
    /// How many times.
    pub count: i32,
    /// Length of each, in months.
    pub term_months: i32,
    /// Notice, in months.
    pub notice_months: i32,
    /// Length of the notice window, in months.
    pub window_months: i32,
    /// The rate of the first year of each.
    pub rates: Vec<Rate>,
    /// What is agreed of the rent of the others.
    pub market: Option<MarketRent>,
}

/// Terms as the caller wrote them, without the zones, which inventory knows.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The currency.
    pub currency: Option<Currency>,
    /// Who bears the running costs.
    pub structure: Option<Structure>,
    /// The blocks.
    pub premises: Vec<PremisesDraft>,
    /// The yearly step.
    pub escalator: Option<EscalatorDraft>,
    /// Days of lead.
    pub invoice_lead_days: i32,
    /// Days to pay.
    pub payment_terms_days: i32,
    /// The base term, in months.
    pub term_months: i32,
    /// Renewals.
    pub renewal_options: Vec<RenewalDraft>,
    /// Options on more blocks.
    pub expansion_options: Vec<ExpansionDraft>,
    /// Capacity whose blocks are named later.
    pub nominations: Vec<NominationDraft>,
    /// When the deal was made public.
    pub announced: Option<CivilDate>,
    /// Free text.
    pub notes: String,
    /// For the time after the signatures.
    pub contract: Contract,
    /// The agreement that this is an order under.
    pub master: Option<MasterAgreementName>,
}

impl Draft {
    /// Checks every rule and notes every breach, under `terms.…` paths. `today` is the business date. What comes back
    /// counts only if the findings are clean.
    pub fn check(
        self,
        operator: Option<&OperatorId>,
        today: CivilDate,
        findings: &mut Findings,
    ) -> Option<Checked> {
        let term_months = bounded(findings, "terms.term_months", self.term_months, 1, TERM_MONTHS_MAX);
        let lead = bounded(findings, "terms.invoice_lead_days", self.invoice_lead_days, 0, LEAD_DAYS_MAX);
        let due = bounded(findings, "terms.payment_terms_days", self.payment_terms_days, 0, PAYMENT_DAYS_MAX);
        // A lease may have no block yet, if there is something to name blocks for.
        let least = usize::from(self.nominations.is_empty() || !self.expansion_options.is_empty());
        check_count(findings, "terms.premises", self.premises.len(), least, PREMISES_MAX);
        expansion_draft::check_blocks(findings, &self.premises, &self.expansion_options, operator);
        let blocks: Vec<_> = self.premises.iter().map(|premises| premises.block.clone()).collect();
        self.contract.check(operator, &blocks, today, findings);
        self.contract.check_rent(self.escalator.is_some(), findings);
        self.contract.check_money(self.currency, findings);
        super::credit::check(&self.contract.credit_supports, self.currency, findings);
        check_master(self.master.as_ref(), operator, findings);
        let bounds = Bounds { today, term_months: term_months.and_then(|months| i32::try_from(months).ok()) };
        let frame = Frame::of(&self.premises);
        let expansions = expansion_draft::check(self.expansion_options, frame, &bounds, findings);
        let nominations = nomination_draft::check(self.nominations, operator, frame, &bounds, findings);
        let premises: Vec<_> = self
            .premises
            .into_iter()
            .enumerate()
            .map(|(i, draft)| draft.check(&format!("terms.premises[{i}]"), &bounds, findings))
            .collect();
        check_count(findings, "terms.renewal_options", self.renewal_options.len(), 0, 10);
        let indexed = self.contract.rent.index.is_some();
        let renewals = self.renewal_options.into_iter().enumerate();
        let renewals: Vec<_> = renewals
            .map(|(i, draft)| draft.check(&format!("terms.renewal_options[{i}]"), indexed, findings))
            .collect();
        if self.notes.chars().count() > NOTES_MAX || self.notes.chars().any(is_control) {
            findings.invalid("terms.notes", format!("at most {NOTES_MAX} characters, no control characters"));
        }
        let escalator = self.escalator.map(EscalatorDraft::whole);
        Some(Checked {
            terms: Terms {
                currency: self.currency?,
                structure: self.structure?,
                premises: premises.into_iter().collect::<Option<_>>()?,
                escalator: match escalator {
                    None => None,
                    Some(whole) => Some(whole?),
                },
                invoice_lead_days: lead?,
                payment_terms_days: due?,
                term_months: term_months?,
                renewal_options: renewals.into_iter().collect::<Option<_>>()?,
                expansion_options: expansions?,
                nominations: nominations?,
                announced: self.announced,
                notes: self.notes,
                contract: self.contract,
            },
            master: self.master,
        })
    }
}

impl EscalatorDraft {
    fn whole(self) -> Option<Escalator> {
        Some(Escalator { percent: self.percent?, basis: self.basis? })
    }
}

impl RenewalDraft {
    /// A renewal with a rent of its own leaves the index of the base rates: nobody has agreed from what on it would follow it.
    fn check(self, path: &str, indexed: bool, findings: &mut Findings) -> Option<RenewalOption> {
        let count = bounded(findings, &format!("{path}.count"), self.count, 1, 20);
        let term = bounded(findings, &format!("{path}.term_months"), self.term_months, 1, TERM_MONTHS_MAX);
        let notice = bounded(findings, &format!("{path}.notice_months"), self.notice_months, 0, 120);
        let window =
            bounded(findings, &format!("{path}.window_months"), self.window_months, 0, TERM_MONTHS_MAX);
        for (field, is_said) in
            [("rates_per_kw_month", !self.rates.is_empty()), ("market_rent", self.market.is_some())]
        {
            if indexed && is_said {
                findings.invalid(&format!("{path}.{field}"), "must be absent, since rates follow an index");
            }
        }
        Some(RenewalOption {
            count: count?,
            term_months: term?,
            notice_months: notice?,
            window_months: window?,
            rates: self.rates,
            market: self.market,
        })
    }
}

/// What a block's dates are measured against.
pub(super) struct Bounds {
    pub(super) today: CivilDate,
    term_months: Option<i32>,
}

impl PremisesDraft {
    pub(super) fn check(self, path: &str, bounds: &Bounds, findings: &mut Findings) -> Option<PremisesTerms> {
        if let (Some(start), Some(end)) = (self.commencement, self.end) {
            check_term(path, start, end, bounds, findings);
        }
        let term = self.commencement.zip(self.end);
        check_count(findings, &format!("{path}.quantity_steps"), self.profile.len(), 1, STEPS_MAX);
        let dates: Vec<_> = self.profile.iter().map(|(from, _)| *from).collect();
        check_steps(&format!("{path}.quantity_steps"), &dates, term, findings);
        for (i, (_, capacity)) in self.profile.iter().enumerate() {
            if let Some(capacity) = capacity {
                check_capacity(&format!("{path}.quantity_steps[{i}].capacity"), capacity, findings);
            }
        }
        let rate = match self.rate {
            Some(rate) => rate.check(path, term, findings),
            None => {
                findings.invalid(
                    &format!("{path}.base_rate_per_kw_month"),
                    "give a base rate, or rate_steps, and not both",
                );
                None
            }
        };
        let profile = self
            .profile
            .into_iter()
            .map(|(from, capacity)| Some(ProfileStep { from: from?, capacity: capacity? }))
            .collect::<Option<_>>();
        Some(PremisesTerms {
            block: self.block?,
            zone: Zone::UTC,
            profile: profile?,
            commencement: self.commencement?,
            end: self.end?,
            rate: rate?,
        })
    }
}

impl RateDraft {
    fn check(
        self,
        path: &str,
        term: Option<(CivilDate, CivilDate)>,
        findings: &mut Findings,
    ) -> Option<RateTerms> {
        match self {
            Self::Base(rate) => {
                let rate = rate?;
                if !rate.is_positive() {
                    findings.invalid(&format!("{path}.base_rate_per_kw_month"), "must be more than 0");
                }
                Some(RateTerms::Base(rate))
            }
            Self::Stated(steps) => {
                let path = format!("{path}.rate_steps");
                check_count(findings, &path, steps.len(), 1, STEPS_MAX);
                let dates: Vec<_> = steps.iter().map(|(from, _)| *from).collect();
                check_steps(&path, &dates, term, findings);
                for (i, (_, rate)) in steps.iter().enumerate() {
                    if rate.is_some_and(|rate| !rate.is_positive()) {
                        findings.invalid(&format!("{path}[{i}].rate_per_kw_month"), "must be more than 0");
                    }
                }
                let steps = steps
                    .into_iter()
                    .map(|(from, rate)| Some(RateStep { from: from?, rate: rate? }))
                    .collect::<Option<_>>()?;
                Some(RateTerms::Stated(steps))
            }
        }
    }
}

/// An order is under an agreement with the operator that it is an order to.
fn check_master(
    master: Option<&MasterAgreementName>,
    operator: Option<&OperatorId>,
    findings: &mut Findings,
) {
    if master.map(|name| &name.operator).zip(operator).is_some_and(|(of, own)| of != own) {
        findings.invalid("terms.master_agreement", "must be of the lease's operator");
    }
}

pub(super) fn check_term(
    path: &str,
    start: CivilDate,
    end: CivilDate,
    bounds: &Bounds,
    findings: &mut Findings,
) {
    if end <= start {
        findings.invalid(&format!("{path}.end_date"), "must be later than commencement_date");
        return;
    }
    if add_months(bounds.today, START_AHEAD_MONTHS_MAX).is_none_or(|latest| start > latest) {
        findings.out_of_range(&format!("{path}.commencement_date"), "is more than 10 years ahead");
    }
    if add_months(start, TERM_MONTHS_MAX).is_none_or(|latest| end > latest) {
        findings.out_of_range(&format!("{path}.end_date"), "the term is longer than 50 years");
    } else if let Some(months) = bounds.term_months
        && add_months(start, months).is_none_or(|latest| end > latest)
    {
        findings.invalid(&format!("{path}.end_date"), "the term is longer than terms.term_months");
    }
}

pub(super) fn check_count(findings: &mut Findings, path: &str, count: usize, least: usize, most: usize) {
    if count < least || count > most {
        findings.invalid(path, format!("needs {least} to {most} entries, has {count}"));
    }
}

fn bounded(findings: &mut Findings, path: &str, value: i32, least: i32, most: i32) -> Option<u32> {
    if value > most && path.ends_with("term_months") {
        findings.out_of_range(path, format!("at most {most} months"));
    } else if !(least..=most).contains(&value) {
        findings.invalid(path, format!("must be {least} to {most}"));
    } else {
        return u32::try_from(value).ok();
    }
    None
}

fn is_control(c: char) -> bool {
    c.is_control() && c != '\n'
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
