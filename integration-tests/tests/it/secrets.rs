//! Secrets stay where they are: no configuration and no error prints one, and Postgres must prove who it is.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use integration_tests::certificates::Authority;
use integration_tests::database::guard_command;
use postgres::embedded::{Durability, Embedded, EmbeddedOptions, throw_away_dir};
use postgres::{Db, Secret};
use runtime::settings::{Concern, NoSettings};
use runtime::{Deps, Settings, TokenIssuer, explain};
use sqlx::{Connection as _, PgConnection};
use tokio_util::sync::CancellationToken;

/// What no line may hold.
const MARK: &str = "hunter2";

fn hidden(what: &str, text: &str) -> Result<()> {
    ensure!(!text.contains(MARK), "{what} tells the secret: {text}");
    Ok(())
}

/// The settings of a service as its environment gives them.
fn load(given: &BTreeMap<String, String>) -> Result<Settings, runtime::settings::ConfigError> {
    Settings::load::<NoSettings>("leasing", None, given.clone()).map(|(settings, _)| settings)
}

#[tokio::test]
async fn no_configuration_and_no_error_prints_a_secret() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| -> Result<String> {
        std::fs::write(folder.path().join(name), text)?;
        Ok(folder.path().join(name).display().to_string())
    };
    let variable = |name: &str| format!("GRIDLEASE_LEASING__{name}");
    TokenIssuer::in_directory(folder.path())?;
    let url = write("url", &format!("postgres://leasing:{MARK}@127.0.0.1:1/db\n"))?;
    let token = write("token", &format!("{MARK}.{MARK}.{MARK}"))?;
    let jwks = folder.path().join(runtime::token::JWKS_FILE).display().to_string();
    let good = BTreeMap::from([
        (variable("DATABASE__URL_FILE"), url),
        (variable("AUTH__TOKEN_FILE"), token),
        (variable("AUTH__JWKS_FILE"), jwks),
        (variable("AUTH__ISSUER"), "https://issuer.example".to_owned()),
    ]);
    let settings = load(&good)?;
    ensure!(settings.database_url.expose().contains(MARK), "the control: it is there");
    hidden("the settings", &format!("{settings:?}"))?;
    // Each setting in turn holds what it should not: the error names the place and not the value.
    for setting in Settings::TABLES.iter().copied().flatten() {
        let mut given = good.clone();
        given.insert(variable(setting.variable), MARK.to_owned());
        if let Err(error) = load(&given) {
            hidden(setting.variable, &format!("{error} {error:?}"))?;
        }
    }
    // Files that hold a secret and are not what they should be.
    let broken = write("broken", &format!("{MARK}\n"))?;
    for name in ["AUTH__JWKS_FILE", "AUTH__DEVELOPMENT_KEY_FILE", "DATABASE__URL_FILE"] {
        let mut given = good.clone();
        given.insert(variable(name), broken.clone());
        given.remove(&variable(if name == "AUTH__DEVELOPMENT_KEY_FILE" { "AUTH__TOKEN_FILE" } else { "" }));
        let opened = Deps::open(load(&given)?, None, CancellationToken::new());
        let error = opened.err().with_context(|| format!("{name} is taken"))?;
        hidden(name, &format!("{error} {error:?} {}", explain(&error)))?;
    }
    hidden("a secret itself", &format!("{:?}", Secret::new(MARK)))?;
    // What no service needs is nobody's secret: the list of those that may hold one is whole.
    let files: Vec<&str> = NoSettings::SETTINGS
        .iter()
        .chain(Settings::TABLES.iter().copied().flatten())
        .map(|s| s.variable)
        .collect();
    for variable in files.iter().filter(|name| name.contains("PASSWORD") || name.contains("SECRET")) {
        ensure!(variable.ends_with("_FILE"), "{variable} is a secret in the environment");
    }
    Ok(())
}

#[tokio::test]
async fn no_error_of_the_store_prints_its_password() -> Result<()> {
    for url in [
        format!("postgres://leasing:{MARK}@127.0.0.1:1/db"),
        format!("postgres://leasing:{MARK}@:bad/db"),
        format!("postgres://leasing:{MARK}@nowhere.invalid/db"),
        format!("postgres:{MARK}"),
        format!("mysql://leasing:{MARK}@127.0.0.1/db?sslmode={MARK}"),
    ] {
        let mut settings = postgres::Settings::new(url);
        settings.acquire_timeout = std::time::Duration::from_millis(200);
        hidden("the settings", &format!("{settings:?}"))?;
        let error = Db::connect(&settings).await.err().context("nobody is there")?;
        hidden("an error", &format!("{error} {error:?} {}", explain(&error)))?;
    }
    Ok(())
}

/// Gives a file to the account of the server, which insists on owning its key.
fn give(file: &Path, to: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let owner = std::fs::metadata(to)?;
    std::os::unix::fs::chown(file, Some(owner.uid()), Some(owner.gid()))?;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?)
}

#[tokio::test]
async fn postgres_must_prove_its_name() -> Result<()> {
    let home = throw_away_dir(&format!("tls-{}", std::process::id()))?;
    let server = Embedded::start(EmbeddedOptions {
        home: home.clone(),
        throw_away: true,
        durability: Durability::Disposable,
        guard: guard_command()?,
        linger: std::time::Duration::from_millis(100),
    })
    .await?;
    let (authority, stranger) = (Authority::new()?, Authority::new()?);
    let certificate = authority.issue(&["localhost"], |_| {})?;
    let data = home.join("data");
    for (name, text) in [("server.crt", &certificate.pem), ("server.key", &certificate.key_pem)] {
        std::fs::write(data.join(name), text)?;
        give(&data.join(name), &data)?;
    }
    let folder = tempfile::tempdir()?;
    let (ca, other) = (folder.path().join("ca.pem"), folder.path().join("other.pem"));
    std::fs::write(&ca, authority.pem())?;
    std::fs::write(&other, stranger.pem())?;
    let plain = server.url();
    let by_name = plain.replace("127.0.0.1", "localhost");
    ensure!(by_name != plain && by_name.ends_with("sslmode=disable"), "the server is at {plain}");
    let connect = async |url: &str, verify_tls: bool, ca_file: Option<&Path>| {
        let mut settings = postgres::Settings::new(url);
        settings.acquire_timeout = std::time::Duration::from_secs(2);
        settings.verify_tls = verify_tls;
        settings.ca_file = ca_file.map(Path::to_owned);
        Db::connect(&settings).await
    };
    // Before the server has a certificate there is no TLS, and whoever must verify does not connect.
    connect(&by_name, false, None).await.map_err(|error| anyhow::anyhow!(explain(&error)))?;
    ensure!(connect(&by_name, true, Some(&ca)).await.is_err(), "plain text where TLS is a must");
    let mut superuser = PgConnection::connect(&plain).await?;
    for statement in ["alter system set ssl = on", "select pg_reload_conf()"] {
        sqlx::query(statement).execute(&mut superuser).await?;
    }
    let db = integration_tests::eventually("the server speaks TLS", async || {
        Ok(connect(&by_name, true, Some(&ca)).await.ok())
    })
    .await?;
    let encrypted: bool = sqlx::query_scalar("select ssl from pg_stat_ssl where pid = pg_backend_pid()")
        .fetch_one(db.sqlx())
        .await?;
    ensure!(encrypted, "the connection is in plain text");
    for (what, url, ca_file) in [
        ("another authority", by_name.as_str(), Some(other.as_path())),
        ("no authority but the system's", by_name.as_str(), None),
        ("another name", plain.as_str(), Some(ca.as_path())),
    ] {
        ensure!(connect(url, true, ca_file).await.is_err(), "{what} is believed");
    }
    db.close().await;
    superuser.close().await?;
    Ok(())
}
