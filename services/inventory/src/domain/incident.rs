//! Outages of power and cooling: their states, and who learns of them. The whole table of states is a golden file
//! beside this one.

use std::collections::BTreeSet;

use kernel::{BlockName, Error, IncidentName, Instant, Resource, SiteName, TenantId};
use serde::{Deserialize, Serialize};

use super::site::words;

words! {
    /// What failed.
    Kind {
        /// Power.
        Power = "POWER",
        /// Cooling.
        Cooling = "COOLING",
    }
}

words! {
    /// Where an incident stands.
    State {
        /// Opened by a tenant, not yet answered.
        Open = "OPEN",
        /// The operator stands by it.
        Acknowledged = "ACKNOWLEDGED",
        /// Over, with its figures.
        Resolved = "RESOLVED",
        /// There was none, says the operator.
        Rejected = "REJECTED",
        /// Taken back by the tenant.
        Withdrawn = "WITHDRAWN",
    }
}

/// What can be done to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Deed {
    /// The operator says what it knows.
    Update,
    /// It is over.
    Resolve,
    /// The operator says that there was none.
    Reject,
    /// The tenant that opened it takes it back.
    Withdraw,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Open, Self::Acknowledged, Self::Resolved, Self::Rejected, Self::Withdrawn];
    /// The states in which the operator stands by it: every tenant that is hurt may know.
    pub const KNOWN: [Self; 2] = [Self::Acknowledged, Self::Resolved];

    /// The state after a deed. What is resolved may still be corrected; what is rejected or taken back is over.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn after(self, deed: Deed) -> Result<Self, Error> {
        match (self, deed) {
            (Self::Open | Self::Acknowledged, Deed::Update) => Ok(Self::Acknowledged),
            (Self::Resolved, Deed::Update) | (Self::Open | Self::Acknowledged, Deed::Resolve) => {
                Ok(Self::Resolved)
            }
            (Self::Open | Self::Acknowledged, Deed::Reject) => Ok(Self::Rejected),
            (Self::Open, Deed::Withdraw) => Ok(Self::Withdrawn),
            (Self::Acknowledged | Self::Resolved, Deed::Withdraw)
            | (Self::Resolved, Deed::Resolve | Deed::Reject)
            | (Self::Rejected | Self::Withdrawn, _) => {
                Err(Error::invalid_transition("incident", self, deed.aim()))
            }
        }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Deed {
    /// Every deed.
    pub const ALL: [Self; 4] = [Self::Update, Self::Resolve, Self::Reject, Self::Withdraw];

    /// The state it aims at.
    const fn aim(self) -> State {
        match self {
            Self::Update => State::Acknowledged,
            Self::Resolve => State::Resolved,
            Self::Reject => State::Rejected,
            Self::Withdraw => State::Withdrawn,
        }
    }

    /// The kind of the event that tells it.
    pub const fn event_kind(self) -> &'static str {
        match self {
            Self::Update => "incident.updated",
            Self::Resolve => "incident.resolved",
            Self::Reject => "incident.rejected",
            Self::Withdraw => "incident.withdrawn",
        }
    }
}

/// The table as Markdown: what the golden file and the README hold.
pub fn table() -> String {
    let mut text = String::from("| state | Update | Resolve | Reject | Withdraw |\n|---|---|---|---|---|\n");
    for state in State::ALL {
        text.push_str(&format!("| {state} |"));
        for deed in Deed::ALL {
            match state.after(deed) {
                Ok(next) => text.push_str(&format!(" -> {next} |")),
                Err(error) => text.push_str(&format!(" {} |", error.reason())),
            }
        }
        text.push('\n');
    }
    text
}

/// What is known of an incident beside its time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// What could not be used, by the names of the lanes.
    pub affected: Vec<Lane>,
    /// Load that was hurt, critical IT kW.
    pub affected_kw: Option<i64>,
    /// What caused it.
    pub cause: String,
    /// Of power: whether all feeds were down at once.
    pub all_feeds_down: Option<bool>,
    /// Of cooling: the highest temperature, tenths of a degree Celsius.
    pub temperature_max_decicelsius: Option<i32>,
    /// Minutes measured out of bounds.
    pub measured_minutes: Option<i32>,
}

words! {
    /// A lane of capacity that could not be used.
    Lane {
        /// Critical IT load.
        CriticalIt = "CRITICAL_IT",
        /// Air cooling.
        AirCooling = "AIR_COOLING",
        /// Direct liquid cooling.
        LiquidCooling = "LIQUID_COOLING",
        /// Immersion cooling.
        ImmersionCooling = "IMMERSION_COOLING",
        /// Accelerators.
        Accelerators = "ACCELERATORS",
    }
}

impl From<Lane> for Resource {
    fn from(lane: Lane) -> Self {
        match lane {
            Lane::CriticalIt => Self::CriticalIt,
            Lane::AirCooling => Self::AirCooling,
            Lane::LiquidCooling => Self::LiquidCooling,
            Lane::ImmersionCooling => Self::ImmersionCooling,
            Lane::Accelerators => Self::Accelerators,
        }
    }
}

/// An outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its name.
    pub name: IncidentName,
    /// What failed.
    pub kind: Kind,
    /// Where it stands.
    pub state: State,
    /// The site.
    pub site: SiteName,
    /// The block; none is the whole site.
    pub block: Option<BlockName>,
    /// When it began.
    pub start: Instant,
    /// When it was over.
    pub end: Option<Instant>,
    /// What is known of it.
    pub facts: Facts,
    /// Who opened it; none if the operator reported it.
    pub tenant: Option<TenantId>,
    /// The tenants that may read it.
    pub audience: BTreeSet<TenantId>,
    /// What was said when it was closed.
    pub resolution: String,
    /// Raised by every change.
    pub revision: i64,
    /// When it was made known.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Incident {
    /// What must hold between its times.
    ///
    /// # Errors
    /// `INVALID_FIELD`.
    pub fn check(&self, now: Instant) -> Result<(), Error> {
        let mut v = kernel::Violations::new();
        v.require("incident.start_time", self.start <= now, "must not be in the future");
        if let Some(end) = self.end {
            v.require("incident.end_time", self.start < end, "must be later than start_time");
            v.require("incident.end_time", end <= now, "must not be in the future");
        } else {
            v.require("incident.end_time", self.state != State::Resolved, "is required of what is over");
        }
        v.finish()
    }

    /// Who may know of it after a change: those who did, and, where the operator stands by it, all it hurts.
    pub fn tell(&mut self, hurt: BTreeSet<TenantId>) {
        if State::KNOWN.contains(&self.state) {
            self.audience.extend(hurt);
        }
    }

    /// As a tenant may see it: who else opened it is nobody's business.
    #[must_use]
    pub fn seen_by(mut self, tenant: &TenantId) -> Self {
        self.tenant = self.tenant.filter(|opened_by| opened_by == tenant);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_golden_one() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/incident_states.golden.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(golden, table()).expect("a golden file");
        }
        assert_eq!(table(), std::fs::read_to_string(golden).expect("a golden file"));
    }
}
