//! The command as it is typed: what it answers, what it refuses, and what it leaves behind.

use std::process::{Command, Output};

/// The command, deaf to the environment of whoever runs the tests.
fn gridlease(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridlease"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let kept = name == "GRIDLEASE_PG_BIN_DIR";
        if !kept && (name.starts_with("GRIDLEASE_") || name == "DATABASE_URL" || name == "RUST_LOG") {
            command.env_remove(&name);
        }
    }
    command
}

fn ran(command: &mut Command) -> Output {
    command.output().expect("the command runs")
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_token_is_printed_alone_and_its_key_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().to_str().expect("a path");
    let mint =
        || ran(&mut gridlease(&["token", "--org", "operators/hut-8", "--role", "sales", "--data-dir", at]));
    let (first, second) = (mint(), mint());
    assert!(first.status.success(), "{:?}", said(&first));
    let (token, _) = said(&first);
    assert_eq!(token.trim().split('.').count(), 3, "{token}");
    let header = |output: &Output| said(output).0.split('.').next().map(str::to_owned);
    assert_eq!(header(&first), header(&second), "the second token is of another key");
}

#[test]
fn what_is_for_development_is_refused_in_production() {
    let commands: [&[&str]; 9] = [
        &["token", "--org", "operators/hut-8", "--role", "sales"],
        &["up", "--ports", "0"],
        &["demo", "--exit"],
        &["bench", "booking"],
        &["bench", "search"],
        &["plan", "hut-8/river-bend"],
        &["sales", "deadlines", "--operator", "hut-8"],
        &["lease", "render", "operators/hut-8/leases/river-bend"],
        &[
            "operator",
            "sign",
            "operators/hut-8/leases/river-bend",
            "--operator",
            "hut-8",
            "--name",
            "Ada Marsh",
        ],
    ];
    for arguments in commands {
        let output = ran(gridlease(arguments).env("GRIDLEASE_LEASING__PRODUCTION", "true"));
        let (_, error) = said(&output);
        assert!(!output.status.success(), "{arguments:?} ran in production");
        assert!(error.contains("GRIDLEASE_LEASING__PRODUCTION"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_bad_word_is_answered_with_the_way_out() {
    let cases: [(&[&str], &str); 4] = [
        (&["token", "--org", "hut-8", "--role", "sales"], "--org hut-8"),
        (&["token", "--org", "operators/hut-8", "--role", "king"], "--role king"),
        (&["up", "--ports", "1,2"], "three ports"),
        (&["demo", "--operator", "nobody"], "no such operator"),
    ];
    for (arguments, way_out) in cases {
        let output = ran(&mut gridlease(arguments));
        let (_, error) = said(&output);
        assert!(!output.status.success() && error.contains(way_out), "{arguments:?}: {error}");
    }
}

/// Figures of a debug build mean nothing; tests are one.
#[cfg(debug_assertions)]
#[test]
fn a_bench_of_a_debug_build_is_refused() {
    for what in ["booking", "search"] {
        let output = ran(&mut gridlease(&["bench", what, "--quick"]));
        assert!(!output.status.success());
        assert!(said(&output).1.contains("--release"));
    }
}

/// What is measured is nothing here; that each bench still does its work is.
#[test]
fn a_bench_can_be_rehearsed() {
    let folder =
        tempfile::Builder::new().prefix("gridlease-bench-test").tempdir_in("/var/tmp").expect("a folder");
    open_to_all(folder.path());
    let at = folder.path().to_str().expect("a path");
    let benches: [&[&str]; 4] = [
        &["booking", "--only", "T3", "--rounds", "1", "--seconds", "1"],
        &["search", "--quick", "--blocks", "50", "--reservations", "3"],
        &["billing", "--leases", "20", "--rounds", "1"],
        &["ingest", "--only", "T10", "--rounds", "1", "--days", "2"],
    ];
    for bench in benches {
        let arguments = [&["bench"], bench, &["--rehearse", "--json", "--data-dir", at]].concat();
        let output = ran(&mut gridlease(&arguments));
        let (found, error) = said(&output);
        let found: serde_json::Value =
            serde_json::from_str(&found).unwrap_or_else(|e| panic!("{bench:?}: {e}: {error}"));
        assert_eq!(found["rehearsal"], true, "{bench:?}: {found}");
    }
}

#[test]
fn the_demonstration_holds_and_leaves_nothing_behind() {
    let folder =
        tempfile::Builder::new().prefix("gridlease-demo-test").tempdir_in("/var/tmp").expect("a folder");
    open_to_all(folder.path());
    let output = ran(gridlease(&["demo", "--exit", "--json", "--ports", "0"]).env("TMPDIR", folder.path()));
    let (found, error) = said(&output);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap_or_else(|e| panic!("{e}: {error}"));
    let failed: Vec<_> =
        found["checks"].as_array().expect("checks").iter().filter(|check| check["held"] != true).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(output.status.success(), "{error}");

    // The guard stops the server right after; give it a moment.
    let left = || std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|entry| entry.path());
    for _ in 0..200 {
        if left().next().is_none() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("left behind: {:?}", left().collect::<Vec<_>>());
}

/// The account that runs the embedded server for root has to pass through.
fn open_to_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}
