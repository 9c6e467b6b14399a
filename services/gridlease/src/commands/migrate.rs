//! `gridlease migrate`: brings a database to this version, or says how far it is.

use anyhow::Context as _;
use migrations::State;

use crate::cli::{Migrate, MigrateAction};
use crate::out;

/// Does what was asked.
///
/// # Errors
/// An unreachable database; for `check`, one that is behind or differs.
pub async fn migrate(arguments: Migrate) -> anyhow::Result<()> {
    let url = &match (arguments.database_url, arguments.database_url_file) {
        (Some(url), _) => url,
        (None, Some(file)) => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        (None, None) => anyhow::bail!("--database-url or --database-url-file is needed"),
    };
    match arguments.action {
        MigrateAction::Up => {
            let applied = migrations::up(url).await?;
            for migration in &applied {
                out::say(format!("applied {migration}"));
            }
            if applied.is_empty() {
                out::say("nothing to apply");
            }
        }
        MigrateAction::Status => {
            for line in migrations::status(url).await? {
                let state = match line.state {
                    State::Applied(at) => format!("applied {at}"),
                    State::Pending => "pending".to_owned(),
                    State::Changed => "CHANGED since it was applied".to_owned(),
                };
                out::say(format!("{:<48} {state}", line.migration.to_string()));
            }
        }
        MigrateAction::Check => {
            migrations::check(url).await?;
            out::say("the database is what this version's migrations make");
        }
    }
    Ok(())
}
