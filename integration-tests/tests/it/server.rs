//! The Postgres server that a program starts for itself: shared, kept or thrown away, and gone with its last user.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use integration_tests::database::{guard_command, node};
use postgres::embedded::{Durability, Embedded, EmbeddedOptions, throw_away_dir};
use sqlx::{Connection as _, PgConnection, Row as _};

/// A process that uses the server in `home` until it is killed, and the server's address.
fn user(home: &Path) -> (Child, String) {
    use std::os::unix::process::CommandExt as _;
    let mut child = Command::new(node().expect("the helper program"))
        .arg("postgres")
        .arg(home)
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .expect("a process");
    let mut url = String::new();
    let output = child.stdout.take().expect("a pipe");
    BufReader::new(output).read_line(&mut url).expect("an address");
    assert!(url.starts_with("postgres://"), "no server: {url}");
    (child, url.trim().to_owned())
}

async fn answers(url: &str) -> bool {
    PgConnection::connect(url).await.is_ok()
}

async fn gone(url: &str, home: &Path) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if !answers(url).await && !home.exists() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// The guard holds this lock until it has seen the server end.
async fn stopped(home: &Path) {
    let guard = std::fs::File::open(home.join("guard.lock")).expect("a guard was here");
    let deadline = Instant::now() + Duration::from_secs(20);
    while guard.try_lock().is_err() {
        assert!(Instant::now() < deadline, "the server in {} goes on without users", home.display());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!home.join("data/postmaster.pid").exists(), "the guard left before the server");
}

fn fresh_home(name: &str) -> PathBuf {
    throw_away_dir(&format!("{name}-{}", std::process::id())).expect("a folder")
}

fn options(home: &Path, throw_away: bool) -> EmbeddedOptions {
    EmbeddedOptions {
        home: home.to_path_buf(),
        throw_away,
        durability: if throw_away { Durability::Disposable } else { Durability::Durable },
        guard: guard_command().expect("the helper program"),
        linger: Duration::from_millis(100),
    }
}

#[tokio::test]
async fn a_server_ends_with_its_last_user_even_by_kill_9() {
    let home = fresh_home("killed");
    let (mut first, url) = user(&home);
    let (mut second, same) = user(&home);
    assert_eq!(url, same, "two users share one server");
    first.kill().expect("killed by SIGKILL");
    first.wait().expect("reaped");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(answers(&url).await, "the server stays for the other user");
    second.kill().expect("killed by SIGKILL");
    second.wait().expect("reaped");
    assert!(gone(&url, &home).await, "server or folder left behind: {}", home.display());
}

#[tokio::test]
async fn ctrl_c_for_the_whole_group_does_not_reach_the_guard() {
    let home = fresh_home("interrupted");
    let (mut child, url) = user(&home);
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args(["-INT", "--", &group]).status().expect("kill runs");
    assert!(sent.success());
    child.wait().expect("reaped");
    assert!(gone(&url, &home).await, "server or folder left behind: {}", home.display());
}

#[tokio::test]
async fn what_is_kept_is_there_next_time() {
    let home = fresh_home("kept");
    let first = Embedded::start(options(&home, false)).await.expect("a server");
    let mut connection = PgConnection::connect(&first.url()).await.expect("a connection");
    sqlx::raw_sql("create table kept (n int); insert into kept values (7)")
        .execute(&mut connection)
        .await
        .expect("a table");
    let fsync: String = sqlx::query("show fsync").fetch_one(&mut connection).await.expect("a row").get(0);
    assert_eq!(fsync, "on", "what is kept is durable");
    connection.close().await.expect("closed");
    drop(first);
    stopped(&home).await;
    let second = Embedded::start(options(&home, false)).await.expect("a server again");
    let mut connection = PgConnection::connect(&second.url()).await.expect("a connection");
    let kept: i32 = sqlx::query("select n from kept").fetch_one(&mut connection).await.expect("a row").get(0);
    assert_eq!(kept, 7);
    connection.close().await.expect("closed");
    drop(second);
    stopped(&home).await;
    assert!(home.join("data").is_dir(), "a kept folder is never removed by the guard");
    std::fs::remove_dir_all(&home).expect("removed by this test");
}

#[tokio::test]
async fn unsafe_wishes_are_refused() {
    let home = fresh_home("refused");
    let careless = EmbeddedOptions { durability: Durability::Disposable, ..options(&home, false) };
    let error = Embedded::start(careless).await.expect_err("kept and not durable");
    assert!(error.to_string().contains("durable"), "{error}");
    assert!(!home.exists(), "nothing was made");
}
