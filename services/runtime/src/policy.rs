//! Which role may call which RPC: one table, from which the server's check, the README and the test matrix come.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use kernel::{Caller, Role};

/// The table as it is kept.
pub const TABLE: &str = include_str!("policy.csv");

/// The roles in the order of the table's columns.
pub const ROLES: [Role; 8] = [
    Role::OperatorAdmin,
    Role::SiteOps,
    Role::Sales,
    Role::Finance,
    Role::Tenant,
    Role::Auditor,
    Role::PlatformAdmin,
    Role::Service,
];

/// What a role may do with an RPC. Later is wider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Only rows of the caller's own organisation.
    Own,
    /// Only as a service that names the organisation it acts for; then that organisation's rows.
    Behalf,
    /// What operators publish, of all of them.
    Market,
    /// Everything, where the RPC is not about any organisation's rows or the caller is a service's worker.
    All,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// The RPC, as `gridlease.inventory.v1.SiteService/GetSite`.
    pub rpc: String,
    /// A right or none for each role of [`ROLES`].
    pub cells: [Option<Right>; 8],
    /// What the cells cannot say.
    pub note: String,
}

/// The table, sorted by RPC.
#[derive(Debug, Default)]
pub struct Policy {
    rows: BTreeMap<String, Row>,
}

/// The policy of this build. A table that does not read allows nothing (and a test fails).
pub fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        Policy::parse(TABLE).unwrap_or_else(|problem| {
            tracing::error!(problem, "policy.csv does not read; nobody may do anything");
            Policy::default()
        })
    });
    &POLICY
}

impl Policy {
    /// Reads a table.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(table: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
        let header: Vec<String> =
            reader.headers().map_err(|error| error.to_string())?.iter().map(ToOwned::to_owned).collect();
        let expected: Vec<String> = std::iter::once("rpc".to_owned())
            .chain(ROLES.iter().map(ToString::to_string))
            .chain(std::iter::once("note".to_owned()))
            .collect();
        if header != expected {
            return Err(format!("the columns must be {}", expected.join(",")));
        }
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let rpc = record.get(0).unwrap_or_default().to_owned();
            let mut cells = [None; 8];
            for (column, cell) in cells.iter_mut().enumerate() {
                let text = record.get(column + 1).unwrap_or_default();
                *cell = right(text).ok_or_else(|| format!("{rpc}: {text:?} is not a right"))?;
            }
            let note = record.get(9).unwrap_or_default().to_owned();
            if rows.insert(rpc.clone(), Row { rpc: rpc.clone(), cells, note }).is_some() {
                return Err(format!("{rpc} has two rows"));
            }
        }
        Ok(Self { rows })
    }

    /// The row of an RPC.
    pub fn row(&self, rpc: &str) -> Option<&Row> {
        self.rows.get(rpc)
    }

    /// Every row.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The widest right that the caller's roles give on an RPC; `None` = PERMISSION_DENIED.
    pub fn right(&self, rpc: &str, caller: &Caller) -> Option<Right> {
        let row = self.rows.get(rpc)?;
        let held: BTreeSet<Role> = caller.roles.iter().copied().collect();
        ROLES
            .iter()
            .zip(row.cells)
            .filter(|(role, _)| held.contains(role))
            .filter_map(|(_, cell)| cell)
            // A service that names nobody acts for itself, which `behalf` does not cover.
            .filter(|right| *right != Right::Behalf || caller.on_behalf_of.is_some())
            .max()
    }

    /// The table as Markdown, one section a service.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut service = "";
        for row in self.rows() {
            let (of, method) = row.rpc.split_once('/').unwrap_or((&row.rpc, ""));
            // Writing to a String cannot fail.
            if of != service {
                service = of;
                let roles: Vec<String> = ROLES.iter().map(ToString::to_string).collect();
                let _ = writeln!(text, "\n`{service}`\n\n| RPC | {} |", roles.join(" | "));
                let _ = writeln!(text, "|---|{}", "---|".repeat(ROLES.len()));
            }
            let cells: Vec<&str> = row.cells.iter().map(|cell| cell.map_or("–", Right::word)).collect();
            let note = if row.note.is_empty() { String::new() } else { format!(" ({})", row.note) };
            let _ = writeln!(text, "| {method}{note} | {} |", cells.join(" | "));
        }
        text
    }
}

impl Right {
    /// The word of the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Behalf => "behalf",
            Self::Market => "market",
            Self::All => "all",
        }
    }
}

/// A cell's right: `Some(None)` is "none", `None` is not a cell.
fn right(word: &str) -> Option<Option<Right>> {
    match word {
        "own" => Some(Some(Right::Own)),
        "behalf" => Some(Some(Right::Behalf)),
        "market" => Some(Some(Right::Market)),
        "all" => Some(Some(Right::All)),
        "-" => Some(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
