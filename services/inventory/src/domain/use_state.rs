//! What a phase's power is used for today, and what may follow on what. The whole table is a golden file beside this
//! one. It is a fact that people tell: capacity over time follows from a phase's dates, never from its state.

use kernel::Error;

use super::site::words;

words! {
    /// What a phase's power is used for.
    UseState {
        /// On paper.
        Planned = "PLANNED",
        /// Mines until it is converted.
        Mining = "MINING",
        /// Hosts until it is converted.
        Hosting = "HOSTING",
        /// Stands still until it is converted.
        Idle = "IDLE",
        /// Is being rebuilt.
        Converting = "CONVERTING",
        /// Is being tested.
        Commissioning = "COMMISSIONING",
        /// In service.
        Ready = "READY",
        /// Out of service for good.
        Retired = "RETIRED",
        /// Given up before it was in service.
        Cancelled = "CANCELLED",
    }
}

impl UseState {
    /// Every state, in the order of a phase's life.
    pub const ALL: [Self; 9] = [
        Self::Planned,
        Self::Mining,
        Self::Hosting,
        Self::Idle,
        Self::Converting,
        Self::Commissioning,
        Self::Ready,
        Self::Retired,
        Self::Cancelled,
    ];
    /// The states in which nothing about a phase changes any more.
    pub const FINAL: [Self; 2] = [Self::Retired, Self::Cancelled];

    const fn leads_to(self, next: Self) -> bool {
        use UseState::{
            Cancelled, Commissioning, Converting, Hosting, Idle, Mining, Planned, Ready, Retired,
        };
        match self {
            Planned => matches!(next, Mining | Hosting | Idle | Converting | Commissioning | Cancelled),
            Mining => matches!(next, Hosting | Idle | Converting | Cancelled),
            Hosting => matches!(next, Mining | Idle | Converting | Cancelled),
            Idle => matches!(next, Mining | Hosting | Converting | Cancelled),
            // Works may stop, and what fails its tests is worked on again.
            Converting => matches!(next, Idle | Commissioning | Cancelled),
            Commissioning => matches!(next, Converting | Ready | Cancelled),
            Ready => matches!(next, Retired),
            Retired | Cancelled => false,
        }
    }

    /// The next state, if this one leads to it.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn become_next(self, next: Self) -> Result<Self, Error> {
        if self.leads_to(next) { Ok(next) } else { Err(Error::invalid_transition("phase", self, next)) }
    }
}

impl std::fmt::Display for UseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The table as Markdown: what the golden file and the README hold.
pub fn table() -> String {
    let titles: Vec<&str> = UseState::ALL.iter().map(|state| state.as_str()).collect();
    let mut text = format!("| from, to | {} |\n|---|{}\n", titles.join(" | "), "---|".repeat(titles.len()));
    for from in UseState::ALL {
        let cells: Vec<&str> = UseState::ALL
            .into_iter()
            .map(|to| if from.become_next(to).is_ok() { "yes" } else { "–" })
            .collect();
        text.push_str(&format!("| {from} | {} |\n", cells.join(" | ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_golden_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/use_state.golden.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, table()).expect("the golden file is written");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), table());
    }

    #[test]
    fn words_are_read_back() {
        for state in UseState::ALL {
            assert_eq!(UseState::of_word(state.as_str()), Some(state));
        }
    }

    #[test]
    fn final_states_lead_nowhere_and_every_other_one_can_be_reached() {
        for last in UseState::FINAL {
            assert!(UseState::ALL.into_iter().all(|next| last.become_next(next).is_err()), "{last}");
        }
        for to in UseState::ALL.into_iter().filter(|state| *state != UseState::Planned) {
            assert!(UseState::ALL.into_iter().any(|from| from.become_next(to).is_ok()), "{to}");
        }
    }
}
