use std::time::Duration;

use super::{Concern as _, NoSettings, Settings, table};
use crate::testing::{golden, golden_part};

crate::concern! {
    /// A service's own.
    struct OwnSettings {
        open_holds: std::num::NonZeroU32 = ("QUOTA__OPEN_HOLDS", "holds", "50", "Open holds a tenant may have."),
    }
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (format!("GRIDLEASE_INVENTORY__{name}"), (*value).to_owned())).collect()
}

#[test]
fn a_bad_configuration_is_told_whole() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("inventory.toml");
    std::fs::write(
        &file,
        "production = true\nunknown = 1\n[server]\nlisten = \"nowhere\"\nmax_in_flight = 0\ndrain = \"20\"\n\
         [auth]\nissuer = \"https://development.gridlease.invalid\"\nleeway = \"5m\"\ntoken_file = \"a\"\n\
         [clock]\ntest = true\n[database]\nurl_file = \"/nonexistent/url\"\n[peers]\ninventory = [\"a\"]\n",
    )
    .unwrap();
    let variables = environment(&[
        ("TELEMETRY__FORMAT", "xml"),
        ("SERVER__LISTENS", "127.0.0.1:1"),
        ("QUOTA__OPEN_HOLDS", "-1"),
        ("AUTH__DEVELOPMENT_KEY_FILE", "k"),
    ]);
    let error = Settings::load::<OwnSettings>("inventory", Some(&file), variables).unwrap_err();
    let shown = error.to_string().replace(&directory.path().display().to_string(), "/etc/gridlease");
    golden("src/settings/bad_configuration.golden", &format!("{shown}\n"));
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.toml");
    let problems = |file: &std::path::Path| {
        let error = Settings::load::<NoSettings>("inventory", Some(file), []).unwrap_err();
        error.problems()[0].clone()
    };
    assert!(problems(&file).contains("cannot be read"), "{}", problems(&file));
    std::fs::write(&file, "password = hunter2").unwrap();
    assert!(problems(&file).contains("is not TOML"), "{}", problems(&file));
    assert!(!problems(&file).contains("hunter2"));
}

#[test]
fn a_variable_wins_over_the_file_and_secrets_are_not_shown() {
    let directory = tempfile::tempdir().unwrap();
    let (file, url) = (directory.path().join("inventory.toml"), directory.path().join("url"));
    std::fs::write(&url, "postgres://u:hunter2@h/d\n").unwrap();
    std::fs::write(&file, "[server]\nlisten = \"127.0.0.1:1\"\ndrain = \"90s\"\n[quota]\nopen_holds = 7\n")
        .unwrap();
    let variables = environment(&[
        ("SERVER__LISTEN", "127.0.0.1:2"),
        ("DATABASE__URL_FILE", url.to_str().unwrap()),
        ("AUTH__JWKS_FILE", "/keys"),
        ("AUTH__ISSUER", "https://id.example"),
    ]);
    let (settings, own) = Settings::load::<OwnSettings>("inventory", Some(&file), variables).unwrap();
    assert_eq!(settings.server.listen.port(), 2);
    assert_eq!(settings.server.drain, Duration::from_secs(90));
    assert_eq!(settings.auth.leeway, Duration::from_secs(30));
    assert_eq!(own.open_holds.get(), 7);
    assert_eq!(settings.database_url.expose(), "postgres://u:hunter2@h/d");
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn the_readme_shows_the_table() {
    golden_part("README.md", "settings", &table(Settings::TABLES));
    assert!(
        table(&[OwnSettings::SETTINGS])
            .contains("| `quota.open_holds` | `…__QUOTA__OPEN_HOLDS` | holds | `50` |")
    );
}
