//! `gridlease doctor`: what is wrong with an installation, from inside one of its services' environments.

mod examine;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::out;

const EXAMPLES: &str = "\
Examples:
  gridlease doctor --service inventory                    with the settings of this environment, as the service reads them
  gridlease doctor --service billing --config billing.toml
  kubectl exec deploy/gridlease-leasing -- /usr/local/bin/gridlease doctor --service leasing --json

Exit code 0: nothing is wrong; 1: something is. Nothing is changed, and no secret is printed.";

/// `gridlease doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Doctor {
    /// Whose settings, store, keys and peers
    #[arg(long, value_enum)]
    pub service: Service,
    /// The service's file of settings, as it is given with --config; variables win over it here too
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One JSON document instead of a table
    #[arg(long)]
    pub json: bool,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// Sites, blocks, holds.
    Inventory,
    /// Leases and tenants.
    Leasing,
    /// Invoices and the ledger.
    Billing,
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Leasing => "leasing",
            Self::Billing => "billing",
        }
    }
}

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it must be.
    Ok,
    /// Not as it must be.
    Wrong,
    /// Not looked at, since something before it is wrong or it is not asked for.
    Skipped,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it was found.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<&'static str>,
}

impl Finding {
    pub(crate) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Ok, found: found.into(), remedy: None }
    }

    pub(crate) fn wrong(check: &'static str, found: impl Into<String>, remedy: &'static str) -> Self {
        Self { check, state: State::Wrong, found: found.into(), remedy: Some(remedy) }
    }

    pub(crate) fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, state: State::Skipped, found: why.into(), remedy: None }
    }
}

/// Looks at everything.
pub async fn findings(arguments: &Doctor) -> Vec<Finding> {
    examine::all(arguments.service, arguments.config.as_deref()).await
}

/// Looks at everything and says it; the exit code says whether anything is wrong.
///
/// # Errors
/// An answer that cannot be written as JSON.
pub async fn doctor(arguments: Doctor) -> anyhow::Result<ExitCode> {
    let service = arguments.service.name();
    let findings = findings(&arguments).await;
    let healthy = findings.iter().all(|finding| finding.state != State::Wrong);
    let code = if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if arguments.json {
        let document = serde_json::json!({"service": service, "healthy": healthy, "findings": findings});
        out::say(serde_json::to_string_pretty(&document)?);
        return Ok(code);
    }
    let mut table = out::table(&["Check", "State", "Found"]);
    for finding in &findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Wrong => "WRONG",
            State::Skipped => "–",
        };
        table.add_row([finding.check, state, finding.found.as_str()]);
    }
    out::say(table.to_string());
    for finding in &findings {
        if let Some(remedy) = finding.remedy {
            out::say(format!("\n{}: {remedy}", finding.check));
        }
    }
    out::say(if healthy { "\nNothing is wrong." } else { "" });
    Ok(code)
}
