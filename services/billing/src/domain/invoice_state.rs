//! The states of an invoice and every way between them.

use kernel::Error;

use super::words::names;

/// Where an invoice is. The names are those of the database and of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InvoiceState {
    /// Computed, not sent: no number, no posting, not seen by the tenant. Its charges are taken.
    Draft,
    /// Issued: numbered, posted, immutable; the whole total is owed.
    Open,
    /// Issued, a part of the total is paid.
    PartiallyPaid,
    /// Issued and paid in full.
    Paid,
    /// Taken back: nothing is owed and its charges may be billed again. A number once given stays.
    Void,
    /// Issued, and given up as a loss.
    Uncollectible,
}

/// What may be done to an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvoiceCommand {
    /// Give it its number and post it.
    Issue,
    /// Record a payment that leaves something owed.
    PayPart,
    /// Record the payment that settles it.
    PayRest,
    /// Take it back.
    Void,
    /// Give it up as a loss.
    WriteOff,
}

impl InvoiceState {
    /// All states, in the order of an invoice's life.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Open, Self::PartiallyPaid, Self::Paid, Self::Void, Self::Uncollectible];
    /// What the tenant has been told and can hold the operator to.
    pub const ISSUED: [Self; 4] = [Self::Open, Self::PartiallyPaid, Self::Paid, Self::Uncollectible];
    /// What still expects money.
    pub const OWED: [Self; 2] = [Self::Open, Self::PartiallyPaid];

    /// The state after the command, or the refusal `INVALID_STATE_TRANSITION` with both states.
    pub fn after(self, command: InvoiceCommand) -> Result<Self, Error> {
        self.step(command).ok_or_else(|| Error::invalid_transition("rent invoice", self, command.goal()))
    }

    fn step(self, command: InvoiceCommand) -> Option<Self> {
        use InvoiceCommand as C;
        match (self, command) {
            (Self::Draft, C::Issue | C::Void)
            | (Self::Open, C::PayPart | C::PayRest | C::Void | C::WriteOff)
            | (Self::PartiallyPaid, C::PayPart | C::PayRest | C::WriteOff) => Some(command.goal()),
            (Self::Draft, C::PayPart | C::PayRest | C::WriteOff)
            | (Self::Open, C::Issue)
            | (Self::PartiallyPaid, C::Issue | C::Void)
            | (Self::Paid | Self::Void | Self::Uncollectible, _) => None,
        }
    }
}

impl InvoiceCommand {
    /// All commands.
    pub const ALL: [Self; 5] = [Self::Issue, Self::PayPart, Self::PayRest, Self::Void, Self::WriteOff];

    /// The state the command leads to where it is allowed.
    #[must_use]
    pub fn goal(self) -> InvoiceState {
        match self {
            Self::Issue => InvoiceState::Open,
            Self::PayPart => InvoiceState::PartiallyPaid,
            Self::PayRest => InvoiceState::Paid,
            Self::Void => InvoiceState::Void,
            Self::WriteOff => InvoiceState::Uncollectible,
        }
    }
}

names!(InvoiceState {
    Draft => "DRAFT",
    Open => "OPEN",
    PartiallyPaid => "PARTIALLY_PAID",
    Paid => "PAID",
    Void => "VOID",
    Uncollectible => "UNCOLLECTIBLE",
});

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Reason;
    use std::fmt::Write as _;

    const GOLDEN: &str = include_str!("invoice_states.golden.md");

    fn table() -> String {
        let mut out = String::from("| state |");
        for command in InvoiceCommand::ALL {
            let _ = write!(out, " {command:?} |");
        }
        let _ = write!(out, "\n|---|{}\n", "---|".repeat(InvoiceCommand::ALL.len()));
        for state in InvoiceState::ALL {
            let _ = write!(out, "| {state} |");
            for command in InvoiceCommand::ALL {
                let _ = match state.after(command) {
                    Ok(next) => write!(out, " {next} |"),
                    Err(_) => write!(out, " - |"),
                };
            }
            out.push('\n');
        }
        out
    }

    #[test]
    fn every_state_and_command_is_in_the_golden_table() {
        assert_eq!(table(), GOLDEN, "the table is now:\n{}", table());
    }

    #[test]
    fn the_readme_shows_the_golden_table() {
        assert!(
            include_str!("../../README.md").contains(GOLDEN.trim()),
            "copy the golden table to README.md"
        );
    }

    #[test]
    fn a_refusal_names_both_states() {
        let error = InvoiceState::Paid.after(InvoiceCommand::Void).expect_err("paid stays paid");
        assert_eq!(error.reason(), Reason::InvalidStateTransition);
        assert_eq!(error.get("from"), Some("PAID"));
        assert_eq!(error.get("to"), Some("VOID"));
    }

    #[test]
    fn names_come_back() {
        for state in InvoiceState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("OVERDUE".parse::<InvoiceState>().is_err());
    }
}
