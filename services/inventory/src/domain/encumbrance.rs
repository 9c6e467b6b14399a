//! Rights and intents on capacity that are softer than a reservation. They never block; they are shown by rank, and who
//! books learns which must be cleared before a lease is signed.

use std::str::FromStr;

use kernel::{
    BlockName, EncumbranceName, Error, Instant, NameError, OperatorId, OperatorName, SiteName, TenantId,
};
use serde::Serialize;

use super::site::words;

words! {
    /// What an encumbrance is.
    Kind {
        /// A letter of intent: not binding.
        Loi = "LOI",
        /// A right of first offer.
        Rofo = "ROFO",
        /// A right of first refusal.
        Rofr = "ROFR",
    }
}

impl Kind {
    /// The place among all claims on capacity, 1 first: lease, option, right of first refusal, right of first offer,
    /// hold, letter of intent.
    pub const fn rank(self) -> i32 {
        match self {
            Self::Rofr => 3,
            Self::Rofo => 4,
            Self::Loi => 6,
        }
    }

    /// Whether another's lease needs its holder's word first. An intent ranks behind a hold and binds nobody.
    pub const fn must_be_cleared(self) -> bool {
        match self {
            Self::Rofr | Self::Rofo => true,
            Self::Loi => false,
        }
    }
}

/// What something is on: a block, a site, or all that an operator has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// Everything of an operator.
    Operator(OperatorId),
    /// Every block of a site.
    Site(SiteName),
    /// One block.
    Block(BlockName),
}

impl Extent {
    /// Whose it is.
    pub fn operator(&self) -> &OperatorId {
        match self {
            Self::Operator(operator) => operator,
            Self::Site(site) => &site.operator,
            Self::Block(block) => &block.operator,
        }
    }

    /// Whether a site lies in it, or it lies on the site.
    pub fn touches_site(&self, site: &SiteName) -> bool {
        match self {
            Self::Operator(operator) => *operator == site.operator,
            Self::Site(own) => own == site,
            Self::Block(block) => block.site_name() == *site,
        }
    }

    /// Whether a block lies in it.
    pub fn covers(&self, block: &BlockName) -> bool {
        match self {
            Self::Operator(_) | Self::Site(_) => self.touches_site(&block.site_name()),
            Self::Block(own) => own == block,
        }
    }
}

impl FromStr for Extent {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.contains("/blocks/") {
            text.parse().map(Self::Block)
        } else if text.contains("/sites/") {
            text.parse().map(Self::Site)
        } else {
            text.parse::<OperatorName>().map(|name| Self::Operator(name.operator))
        }
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operator(operator) => write!(f, "operators/{operator}"),
            Self::Site(site) => site.fmt(f),
            Self::Block(block) => block.fmt(f),
        }
    }
}

impl Serialize for Extent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What a caller says of an encumbrance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncumbranceDraft {
    /// What it is on.
    pub on: Extent,
    /// What it is.
    pub kind: Kind,
    /// Who holds it.
    pub tenant: TenantId,
    /// How much critical IT load it is on, kW.
    pub quantity_kw: i64,
    /// When it ends.
    pub valid_until: Instant,
    /// Days its holder has to answer an offer.
    pub response_days: i32,
    /// A remark.
    pub note: String,
}

/// Where an encumbrance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In force.
    Active,
    /// Given up, or taken back.
    Released,
    /// Past its end.
    Expired,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Active => "ACTIVE",
            Self::Released => "RELEASED",
            Self::Expired => "EXPIRED",
        })
    }
}

/// An encumbrance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encumbrance {
    /// Its name.
    pub name: EncumbranceName,
    /// What was said of it.
    pub facts: EncumbranceDraft,
    /// Whether it was given up or taken back.
    pub is_released: bool,
    /// Raised by every change.
    pub revision: i64,
    /// When it was placed.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Encumbrance {
    /// Where it stands at an instant of business time.
    pub fn standing(&self, now: Instant) -> Standing {
        match self.is_released {
            true => Standing::Released,
            false if self.facts.valid_until <= now => Standing::Expired,
            false => Standing::Active,
        }
    }

    /// The encumbrance after it was given up or taken back.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` if it has ended already.
    pub fn released(&self, now: Instant) -> Result<Self, Error> {
        match self.standing(now) {
            Standing::Active => {
                Ok(Self { is_released: true, revision: self.revision + 1, updated_at: now, ..self.clone() })
            }
            ended @ (Standing::Released | Standing::Expired) => {
                Err(Error::invalid_transition("encumbrance", ended, Standing::Released))
            }
        }
    }

    /// As somebody may see it: its operator, or a tenant. Of another's right a tenant learns that there is one, of which
    /// kind, and how long its holder may think about an offer; not whose it is, how much, or until when.
    pub fn seen_by(&self, tenant: Option<&TenantId>) -> Right {
        let in_full = tenant.is_none_or(|tenant| *tenant == self.facts.tenant);
        Right {
            kind: self.facts.kind,
            response_days: self.facts.response_days,
            of: in_full.then(|| Box::new(self.clone())),
        }
    }
}

/// An encumbrance as somebody may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// What it is.
    pub kind: Kind,
    /// Days its holder has to answer an offer.
    pub response_days: i32,
    /// The encumbrance itself, for those who may know it.
    pub of: Option<Box<Encumbrance>>,
}

/// What is softly spoken for at an instant, kW of critical IT load.
pub fn soft_kw<'a>(encumbrances: impl IntoIterator<Item = &'a Encumbrance>, at: Instant) -> i64 {
    let standing = encumbrances.into_iter().filter(|one| at < one.facts.valid_until);
    standing.fold(0, |sum, one| sum.saturating_add(one.facts.quantity_kw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_stand_between_options_and_holds_and_an_intent_behind_them() {
        let ranks = [Kind::Rofr, Kind::Rofo, Kind::Loi].map(Kind::rank);
        assert_eq!(ranks, [3, 4, 6]);
        assert!(Kind::Rofr.must_be_cleared() && Kind::Rofo.must_be_cleared() && !Kind::Loi.must_be_cleared());
    }

    #[test]
    fn an_extent_covers_what_lies_in_it() {
        let read = |text: &str| text.parse::<Extent>().expect("a name");
        let hall: BlockName = "operators/north/sites/rockdale/blocks/hall-a".parse().expect("a name");
        for (text, covers) in [
            ("operators/north", true),
            ("operators/south", false),
            ("operators/north/sites/rockdale", true),
            ("operators/north/sites/other", false),
            ("operators/north/sites/rockdale/blocks/hall-a", true),
            ("operators/north/sites/rockdale/blocks/hall-b", false),
        ] {
            assert_eq!((read(text).covers(&hall), read(text).to_string().as_str()), (covers, text));
        }
        assert!("tenants/acme".parse::<Extent>().is_err());
    }
}
