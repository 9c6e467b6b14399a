//! The house style, held by a test: the rooms, the arrows between them, and the sizes that keep a file readable.
//!
//! Every finding names the file, the line, the rule and the way out. A rule is loosened here, with a reason, or nowhere.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// What a file may be: lines of code and comments, its unit tests (`#[cfg(test)]` to the end) left out.
const FILE_LINES: usize = 400;
const FILE_LINES_WITH_TESTS: usize = 800;
const MAIN_LINES: usize = 25;

/// Crates of ours that each crate may name. The services never name each other: they talk over the wire.
const ARROWS: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("services/kernel", &[]),
    ("services/paper", &["contracts", "kernel"]),
    ("services/postgres", &["kernel"]),
    // A server is ready once its schema is the one it was built for, which migrations know.
    ("services/runtime", &["contracts", "kernel", "migrations", "postgres"]),
    ("services/inventory", &["contracts", "kernel", "postgres", "runtime"]),
    ("services/leasing", &["contracts", "kernel", "paper", "postgres", "runtime"]),
    ("services/billing", &["contracts", "kernel", "paper", "postgres", "runtime"]),
    (
        "services/gridlease",
        &["billing", "contracts", "inventory", "kernel", "leasing", "migrations", "postgres", "runtime"],
    ),
    ("migrations", &["postgres"]),
    ("integration-tests", OUR_CRATES),
];

const OUR_CRATES: &[&str] = &[
    "billing",
    "contracts",
    "gridlease",
    "inventory",
    "kernel",
    "leasing",
    "migrations",
    "paper",
    "postgres",
    "runtime",
];

/// Words that a room's files must not say: (room, word, the way out).
const ROOMS: &[(&str, &str, &str)] = &[
    ("src/domain/", "tonic", "a domain file decides and touches nothing: translate in grpc/"),
    ("src/domain/", "prost", "a domain file decides and touches nothing: translate in grpc/"),
    (
        "src/domain/",
        "contracts::",
        "generated types stay in grpc/ and peers.rs; give the domain its own type",
    ),
    ("src/domain/", "sea_orm", "a domain file decides and touches nothing: rows belong to store/"),
    ("src/domain/", "sqlx", "a domain file decides and touches nothing: rows belong to store/"),
    ("src/domain/", "tokio", "a domain file decides and touches nothing: waiting belongs to app/"),
    ("src/domain/", "postgres::", "the domain knows the kernel only: order the deed in app/"),
    ("src/domain/", "runtime::", "the domain knows the kernel only"),
    ("src/domain/", "crate::store", "arrows go store -> domain"),
    ("src/domain/", "crate::app", "arrows go app -> domain"),
    ("src/domain/", "crate::grpc", "arrows go grpc -> app -> domain"),
    ("src/store/", "tonic", "the store remembers and decides nothing: statuses are made in grpc/"),
    ("src/store/", "contracts::", "the store never names the wire's types"),
    ("src/store/", "crate::app", "arrows go app -> store"),
    ("src/store/", "crate::grpc", "arrows go grpc -> app -> store"),
    ("src/app/", "contracts::", "generated types stay in grpc/ and peers.rs; take a domain command"),
    ("src/app/", "crate::grpc", "arrows go grpc -> app; hand the encoder in"),
    ("src/grpc/", "sea_orm", "a handler decodes, calls one use case, encodes: the query belongs to store/"),
    ("src/grpc/", "crate::store", "a handler calls one use case; the use case asks the store"),
];

/// Words that only some places may say: (word, who may, the way out).
const RESERVED: &[(&str, &[&str], &str)] = &[
    (
        "tonic::transport",
        &["services/runtime/", "services/gridlease/", "integration-tests/"],
        "only runtime opens sockets for a service: use runtime::Server or runtime::client",
    ),
    (
        "Utc::now",
        &["services/kernel/src/", "integration-tests/", "clippy.toml"],
        "take the time from kernel::Clock",
    ),
    ("TransactionTrait", &["services/postgres/", "integration-tests/"], "use postgres::Db::in_tx"),
    (
        "AssertSqlSafe",
        &["services/postgres/", "migrations/", "integration-tests/"],
        "bind values; never build SQL from text",
    ),
    (
        "postgres::Settings::new",
        &["services/postgres/", "services/runtime/", "services/gridlease/", "integration-tests/"],
        "take runtime::Deps::store: it verifies the server's name as the settings say",
    ),
    ("todo!(", &[], "finish it or leave it out"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is one folder up").to_path_buf()
}

/// Every source file of ours below the root, with forward slashes, relative.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for top in ["proto/src", "services", "migrations", "integration-tests"] {
        walk(&root().join(top), &mut found);
    }
    assert!(found.len() > 50, "the walk lost the tree: only {} files", found.len());
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                walk(&path, found);
            }
        } else if path.extension().is_some_and(|e| e == "rs") {
            let name =
                path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(&path).expect("source is UTF-8");
            found.push((name, text));
        }
    }
}

/// A line without its comment, so that prose may name what code may not.
fn code(line: &str) -> &str {
    let line = line.trim_start();
    if line.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// Whether `word` stands in `line` as a word of its own, not as the tail of a longer name.
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_'))
}

fn report(findings: &[String]) {
    let mut text = String::new();
    for finding in findings {
        let _ = writeln!(text, "{finding}");
    }
    assert!(findings.is_empty(), "{} untidy places:\n{text}", findings.len());
}

#[test]
fn rooms_keep_their_arrows() {
    let mut findings = Vec::new();
    for (file, text) in sources() {
        if file.ends_with("tests/tidy.rs") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let line = code(line);
            for (room, word, way_out) in ROOMS {
                if file.contains(room) && says(line, word) {
                    findings.push(format!("{file}:{}: `{word}` in {room}: {way_out}", number + 1));
                }
            }
            for (word, may, way_out) in RESERVED {
                if line.contains(word) && !may.iter().any(|place| file.starts_with(place)) {
                    findings.push(format!("{file}:{}: `{word}`: {way_out}", number + 1));
                }
            }
        }
    }
    report(&findings);
}

#[test]
fn crates_keep_their_arrows() {
    let mut findings = Vec::new();
    for (folder, may) in ARROWS {
        let manifest = root().join(folder).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("every member has a manifest");
        for (number, line) in text.lines().enumerate() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            if OUR_CRATES.contains(&name) && !line.starts_with("name") && !may.contains(&name) {
                findings.push(format!(
                    "{folder}/Cargo.toml:{}: names `{name}`; it may name {may:?}. Facts of another service come over the wire",
                    number + 1
                ));
            }
        }
    }
    report(&findings);
}

#[test]
fn kernel_stays_pure() {
    let text =
        std::fs::read_to_string(root().join("services/kernel/Cargo.toml")).expect("kernel has a manifest");
    for heavy in ["tokio", "tonic", "prost", "sea-orm", "sqlx"] {
        assert!(
            !text.lines().any(|line| line.starts_with(heavy)),
            "services/kernel/Cargo.toml names {heavy}: the kernel is words and arithmetic only"
        );
    }
}

#[test]
fn files_stay_readable() {
    let mut findings = Vec::new();
    for (file, text) in sources() {
        let all = text.lines().count();
        let own = text.lines().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(all);
        let is_test = file.contains("/tests/");
        let bound = if is_test { FILE_LINES_WITH_TESTS } else { FILE_LINES };
        if own > bound || all > FILE_LINES_WITH_TESTS {
            findings.push(format!(
                "{file}: {own} lines ({all} with tests); at most {bound}: give the second noun its own file"
            ));
        }
        let is_service_main =
            file.starts_with("services/") && file.ends_with("src/main.rs") && !file.contains("/gridlease/");
        if is_service_main && all > MAIN_LINES {
            findings.push(format!(
                "{file}: {all} lines; a service's main is at most {MAIN_LINES}: move it to runtime or lib.rs"
            ));
        }
    }
    report(&findings);
}

#[test]
fn nothing_else_stands_at_the_top() {
    const FOLDERS: &[&str] =
        &["proto", "services", "migrations", "integration-tests", "helm", "docs", "fuzz", "target"];
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root()).expect("the root is readable") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') && !FOLDERS.contains(&name.as_str()) {
            findings.push(format!(
                "{name}/: no such room at the top; see README.md, \"how the tree is laid out\""
            ));
        }
    }
    report(&findings);
}

#[test]
fn words_are_found_whole() {
    assert!(says("use tonic::Status;", "tonic"));
    assert!(!says("architectonic", "tonic"));
    assert_eq!(code("    // tonic"), "");
    assert_eq!(code("let x = 1; // tonic"), "let x = 1;");
}
