//! A deal that may come, and how likely it is.

use std::str::FromStr;

use kernel::{
    BidId, CivilDate, Currency, Error, Instant, LeaseId, OpportunityName, Rate, TenantId, Violation,
};
use serde::Serialize;

use super::state::UnknownState;

/// How far a deal has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Stage {
    /// Somebody has asked.
    Inquiry,
    /// Under NDA, with the power map.
    Qualified,
    /// A request for proposals or a technical questionnaire.
    Rfp,
    /// The site was visited.
    SiteVisit,
    /// A term sheet or a letter of intent.
    Loi,
    /// The agreement is being negotiated.
    Papering,
    /// Agreed, and before boards and lenders.
    Approval,
    /// Signed.
    Signed,
    /// Lost.
    Lost,
}

impl Stage {
    /// Every stage, in order, with its name and the probability that is suggested for it, in percent. Some of what is
    /// signed fails its conditions or its financing.
    pub const ALL: &'static [(Self, &'static str, i32)] = &[
        (Self::Inquiry, "INQUIRY", 2),
        (Self::Qualified, "QUALIFIED", 5),
        (Self::Rfp, "RFP", 10),
        (Self::SiteVisit, "SITE_VISIT", 20),
        (Self::Loi, "LOI", 35),
        (Self::Papering, "PAPERING", 65),
        (Self::Approval, "APPROVAL", 80),
        (Self::Signed, "SIGNED", 95),
        (Self::Lost, "LOST", 0),
    ];

    fn row(self) -> (&'static str, i32) {
        let row = Self::ALL.iter().find(|(stage, _, _)| *stage == self);
        row.map_or(("", 0), |(_, name, percent)| (*name, *percent))
    }

    /// The name, as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The probability that is suggested, in percent.
    #[must_use]
    pub fn suggested_percent(self) -> i32 {
        self.row().1
    }
}

impl FromStr for Stage {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.iter().find(|(_, name, _)| *name == text).map(|(stage, _, _)| *stage).ok_or(UnknownState)
    }
}

/// Why a deal was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Loss {
    /// Power would come too late.
    PowerDate,
    /// Too dear.
    Price,
    /// The tenant's credit.
    Credit,
    /// Racks too dense.
    Density,
    /// Too little fibre.
    Fibre,
    /// The wrong place.
    Location,
    /// Taxes.
    Tax,
}

impl Loss {
    /// Every code with its name, as stored.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::PowerDate, "POWER_DATE"),
        (Self::Price, "PRICE"),
        (Self::Credit, "CREDIT"),
        (Self::Density, "DENSITY"),
        (Self::Fibre, "FIBRE"),
        (Self::Location, "LOCATION"),
        (Self::Tax, "TAX"),
    ];

    /// The name, as stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(loss, _)| *loss == self).map_or("", |(_, name)| name)
    }
}

impl FromStr for Loss {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(loss, _)| *loss).ok_or(UnknownState)
    }
}

/// What is said about a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deal {
    /// What it is called.
    pub display_name: String,
    /// How far it has come.
    pub stage: Stage,
    /// A probability of its own, in percent.
    pub probability_percent: Option<i32>,
    /// Why it was lost.
    pub loss: Option<Loss>,
    /// The tenant, if it is one already.
    pub tenant: Option<TenantId>,
    /// Who asks, if not.
    pub prospect: String,
    /// Critical IT load, kW.
    pub critical_it_kw: i64,
    /// Rent per kW and month in year one.
    pub rate: Option<Rate>,
    /// Of the rate.
    pub currency: Option<Currency>,
    /// When it is expected to be signed.
    pub expected_close: Option<CivilDate>,
    /// The quote.
    pub quote: String,
    /// The operator's bid.
    pub bid: Option<BidId>,
    /// The operator's lease.
    pub lease: Option<LeaseId>,
    /// Remarks.
    pub note: String,
}

impl Deal {
    /// The same with these fields as `new` says them.
    #[must_use]
    pub fn with(mut self, new: &Self, fields: &[String]) -> Self {
        for field in fields {
            let one = new.clone();
            match field.as_str() {
                "display_name" => self.display_name = one.display_name,
                "stage" => self.stage = one.stage,
                "probability_percent" => self.probability_percent = one.probability_percent,
                "loss_code" => self.loss = one.loss,
                "tenant" => self.tenant = one.tenant,
                "prospect" => self.prospect = one.prospect,
                "critical_it_kw" => self.critical_it_kw = one.critical_it_kw,
                "rate_per_kw_month" => self.rate = one.rate,
                "currency_code" => self.currency = one.currency,
                "expected_close_date" => self.expected_close = one.expected_close,
                "quote" => self.quote = one.quote,
                "bid" => self.bid = one.bid,
                "lease" => self.lease = one.lease,
                "note" => self.note = one.note,
                _ => {}
            }
        }
        self
    }

    /// Checks what the fields must be to each other, under `opportunity.…` paths.
    ///
    /// # Errors
    /// `INVALID_FIELD` with every breach.
    pub fn check(&self) -> Result<(), Error> {
        let breaches = [
            (
                (self.stage == Stage::Lost) != self.loss.is_some(),
                "loss_code",
                "is for LOST, and required there",
            ),
            (
                self.tenant.is_none() && self.prospect.trim().is_empty(),
                "prospect",
                "is required without a tenant",
            ),
            (
                self.rate.is_some() != self.currency.is_some(),
                "currency_code",
                "is required with a rate, and only there",
            ),
        ];
        let found = breaches.into_iter().filter(|(broken, _, _)| *broken);
        let found: Vec<_> =
            found.map(|(_, field, why)| Violation::new(format!("opportunity.{field}"), why)).collect();
        if found.is_empty() { Ok(()) } else { Err(Error::invalid(found)) }
    }

    /// The probability that counts, in percent.
    #[must_use]
    pub fn effective_percent(&self) -> i32 {
        self.probability_percent.unwrap_or_else(|| self.stage.suggested_percent())
    }
}

/// A deal as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opportunity {
    /// Its name.
    pub name: OpportunityName,
    /// What is said about it.
    pub deal: Deal,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was recorded.
    pub create_time: Instant,
    /// When it was last changed.
    pub update_time: Instant,
}

impl Opportunity {
    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }
}

/// What the deals of one stage and currency come to; the numbers are exact, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipelineSum {
    /// The stage.
    pub stage: Stage,
    /// Currency of the rents; none where no rate was said.
    pub currency: Option<Currency>,
    /// How many.
    pub count: i64,
    /// Their load, kW.
    pub critical_it_kw: i64,
    /// Load times probability.
    pub weighted_kw: String,
    /// Load times rate.
    pub monthly_rent: String,
    /// Load times rate times probability.
    pub weighted_monthly_rent: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deal() -> Deal {
        Deal {
            display_name: "Hall B".to_owned(),
            stage: Stage::Loi,
            probability_percent: None,
            loss: None,
            tenant: None,
            prospect: "A lab".to_owned(),
            critical_it_kw: 40_000,
            rate: None,
            currency: None,
            expected_close: None,
            quote: String::new(),
            bid: None,
            lease: None,
            note: String::new(),
        }
    }

    #[test]
    fn a_stage_suggests_a_probability_and_a_stated_one_counts() {
        assert_eq!(deal().effective_percent(), 35);
        assert_eq!(Deal { probability_percent: Some(0), ..deal() }.effective_percent(), 0);
        let rising: Vec<i32> = Stage::ALL.iter().take(8).map(|(_, _, percent)| *percent).collect();
        assert!(rising.is_sorted(), "{rising:?}");
    }

    #[test]
    fn what_contradicts_itself_is_told_at_once() {
        assert!(deal().check().is_ok());
        let wrong =
            Deal { stage: Stage::Lost, prospect: " ".to_owned(), currency: Currency::new("USD"), ..deal() };
        assert_eq!(wrong.check().expect_err("refused").violations().len(), 3);
        let reopened = Deal { loss: Some(Loss::Price), ..deal() };
        assert_eq!(reopened.check().expect_err("refused").violations().len(), 1);
    }

    #[test]
    fn names_read_back() {
        assert!(Stage::ALL.iter().all(|(stage, name, _)| name.parse() == Ok(*stage)));
        assert!(Loss::ALL.iter().all(|(loss, name)| name.parse() == Ok(*loss) && loss.name() == *name));
    }
}
