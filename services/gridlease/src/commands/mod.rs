//! The commands that do one thing.

mod migrate;
mod revoke;
mod token;
mod up;

pub use migrate::migrate;
pub use revoke::{Revoke, revoke};
pub use token::token;
pub use up::up;

/// What is for development only is refused where a service of this environment is told that it is in production.
///
/// # Errors
/// The variable that says so.
pub fn refuse_production(what: &str) -> anyhow::Result<()> {
    for service in ["INVENTORY", "LEASING", "BILLING"] {
        let variable = format!("GRIDLEASE_{service}__PRODUCTION");
        let says = std::env::var(&variable).unwrap_or_default();
        anyhow::ensure!(!says.trim().eq_ignore_ascii_case("true"), "{what} is refused: {variable} is {says}");
    }
    Ok(())
}
