//! `gridlease token`: a token of the local development issuer.

use std::time::Duration;

use anyhow::Context as _;
use kernel::{Organisation, Role};
use runtime::TokenIssuer;

use super::refuse_production;
use crate::cli::Token;
use crate::out;
use crate::stack::data_dir;

/// Prints a token, and nothing else.
///
/// # Errors
/// Production; an organisation or a role that is none; a data directory that cannot be written.
pub fn token(arguments: Token) -> anyhow::Result<()> {
    refuse_production("`gridlease token`")?;
    let organisation: Organisation =
        arguments.org.parse().with_context(|| format!("--org {}", arguments.org))?;
    let roles: Vec<Role> = arguments
        .roles
        .iter()
        .map(|role| role.parse().with_context(|| format!("--role {role}")))
        .collect::<anyhow::Result<_>>()?;
    let issuer = TokenIssuer::in_directory(&data_dir(arguments.data_dir)?)?;
    let lifetime = Duration::from_secs(u64::from(arguments.minutes) * 60);
    out::say(issuer.mint(&arguments.subject, &organisation, &roles, lifetime)?);
    Ok(())
}
