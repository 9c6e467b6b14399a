//! Sites: places with a grid connection.

use kernel::{CivilDate, GrossPerIt, Instant, SiteName, Zone};
use serde::{Deserialize, Serialize};

use super::site_facts::{GrossToIt, SiteFacts};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The word in the store.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The value of a word in the store.
            pub fn of_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How far a grid connection has come.
    Interconnection {
        /// Not known.
        Unspecified = "UNSPECIFIED",
        /// Asked for.
        Requested = "REQUESTED",
        /// Under study.
        Studied = "STUDIED",
        /// Agreed, not yet live.
        Contracted = "CONTRACTED",
        /// Power flows.
        Energised = "ENERGISED",
    }
}

words! {
    /// How far a published figure can be relied on.
    #[derive(Default)]
    Confidence {
        /// Not said.
        #[default]
        Unspecified = "UNSPECIFIED",
        /// From a filing.
        High = "HIGH",
        /// From the press.
        Medium = "MEDIUM",
        /// Inferred or disputed.
        Low = "LOW",
    }
}

/// A date, or only its year or month where no more is known. Kept as 2026, 2026-05 or 2026-05-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PartialDate {
    /// Year.
    pub year: i32,
    /// Month, 0 where unknown.
    pub month: u32,
    /// Day, 0 where unknown.
    pub day: u32,
}

impl PartialDate {
    /// A date of the calendar with its end unknown perhaps.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let whole = CivilDate::from_ymd_opt(year, month.max(1), day.max(1)).is_some();
        let ends_once = month > 0 || day == 0;
        (whole && ends_once && (2000..=9999).contains(&year)).then_some(Self { year, month, day })
    }

    /// The text in the store.
    pub fn text(self) -> String {
        match (self.month, self.day) {
            (0, _) => format!("{:04}", self.year),
            (month, 0) => format!("{:04}-{month:02}", self.year),
            (month, day) => format!("{:04}-{month:02}-{day:02}", self.year),
        }
    }

    /// The date of a text in the store.
    pub fn of_text(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next().map_or(Some(0), |part| part.parse().ok())?;
        let day = parts.next().map_or(Some(0), |part| part.parse().ok())?;
        Self::new(year, month, day)
    }
}

impl From<PartialDate> for String {
    fn from(date: PartialDate) -> Self {
        date.text()
    }
}

impl TryFrom<String> for PartialDate {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::of_text(&text).ok_or("must be a date from 2000 on: 2026, 2026-05 or 2026-05-31")
    }
}

/// Where figures come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// A citation or an address.
    pub source: String,
    /// What date they describe.
    pub as_of: Option<PartialDate>,
    /// How far they can be relied on.
    pub confidence: Confidence,
}

/// Grid power from a date on, until the next step. Absent is unknown: neither zero nor unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct GridStep {
    /// First day it holds.
    pub from: CivilDate,
    /// What the utility has agreed to deliver, gross kW.
    pub contracted_kw: Option<i64>,
    /// What can be drawn, gross kW.
    pub energised_kw: Option<i64>,
    /// Interim load outside any phase, gross kW; none is none.
    pub interim_kw: Option<i64>,
}

/// What a caller says of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteDraft {
    /// Its name.
    pub name: SiteName,
    /// What people call it.
    pub display_name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Town or county.
    pub city: String,
    /// State, province or price zone.
    pub state_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// The grid operator.
    pub grid_iso: String,
    /// The utility.
    pub utility: String,
    /// The zone of all its dates.
    #[serde(serialize_with = "zone_name")]
    pub zone: Zone,
    /// Degrees times 10^7.
    pub latitude_e7: Option<i32>,
    /// Degrees times 10^7.
    pub longitude_e7: Option<i32>,
    /// The grid connection.
    pub interconnection: Interconnection,
    /// Who says so.
    pub interconnection_source: String,
    /// As of when.
    pub interconnection_as_of: Option<PartialDate>,
    /// Grid power over time, in order.
    pub grid_steps: Vec<GridStep>,
    /// What the operator publicly reports as leased, booked here or not.
    pub reported_leased_it_kw: Option<i64>,
    /// What it is used for today.
    pub current_use: String,
    /// Where the figures come from.
    pub provenance: Provenance,
    /// What else is known of it.
    pub more: SiteFacts,
}

fn zone_name<S: serde::Serializer>(zone: &Zone, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

/// A site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What was said of it.
    pub facts: SiteDraft,
    /// Raised by every change of the site and of its phases.
    pub version: i64,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// When it was archived; none while it is not.
    pub archived_at: Option<Instant>,
}

impl Site {
    /// The gross power that IT load needs here; 10 to 7 where nobody says so.
    pub fn gross_per_it(&self) -> GrossPerIt {
        let stated = self.facts.more.gross_to_it.as_ref();
        stated.and_then(GrossToIt::ratio).unwrap_or(GrossPerIt::ASSUMED)
    }
}
