//! The planted bugs: each can still be planted, its test is there, and the report says that it was found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

#[derive(Deserialize)]
struct Bugs {
    bug: Vec<Bug>,
}

#[derive(Deserialize)]
struct Bug {
    name: String,
    test: String,
    sql: Option<String>,
    #[serde(default)]
    edit: Vec<Edit>,
}

#[derive(Deserialize)]
struct Edit {
    file: String,
    find: String,
    replace: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What keeps an edit from being planted.
fn stale(edit: &Edit) -> Result<Option<String>> {
    let source = std::fs::read_to_string(root().join(&edit.file)).with_context(|| edit.file.clone())?;
    let times = source.matches(&edit.find).count();
    Ok(match (times, edit.replace.contains("<planted>")) {
        (1, true) => None,
        (1, false) => Some(format!("its replacement in {} is never asleep", edit.file)),
        _ => Some(format!("{} has {times} times: {}", edit.file, edit.find)),
    })
}

/// Whether the test is in the file of its module: `it attacks::one` in `attacks.rs` or `attacks/mod.rs`.
fn is_there(test: &str) -> Option<bool> {
    let (program, path) = test.split_once(' ')?;
    let (modules, name) = path.rsplit_once("::")?;
    let folder = match program {
        "it" => "integration-tests/tests/it",
        "runtime" => "services/runtime/src",
        _ => return None,
    };
    let file = root().join(folder).join(modules.replace("::", "/"));
    let sources = [file.with_extension("rs"), file.join("mod.rs")];
    let source = sources.iter().find_map(|source| std::fs::read_to_string(source).ok())?;
    Some(source.contains(&format!("fn {name}(")))
}

#[test]
fn each_can_be_planted_and_was_found() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = config::File::from(folder.join("planted/bugs.toml"));
    let bugs: Bugs = config::Config::builder().add_source(file).build()?.try_deserialize()?;
    let report = std::fs::read_to_string(folder.join("golden/planted_bugs.md"))?;
    let (mut wrong, mut names) = (Vec::new(), BTreeSet::new());
    for bug in &bugs.bug {
        let mut say = |what: &str| wrong.push(format!("{}: {what}", bug.name));
        if !names.insert(&bug.name) {
            say("there are two of this name");
        }
        if bug.edit.is_empty() && bug.sql.is_none() {
            say("it is nowhere");
        }
        if is_there(&bug.test) != Some(true) {
            say("its test is not there");
        }
        for edit in &bug.edit {
            if let Some(why) = stale(edit)? {
                say(&why);
            }
        }
        let found = |row: &&str| row.starts_with(&format!("| {} | ", bug.name));
        let row = report.lines().find(found).unwrap_or_default();
        if !row.ends_with(&format!("| `{}` | found |", bug.test)) {
            say(
                "golden/planted_bugs.md does not say that this test found it: integration-tests/planted/run.py",
            );
        }
    }
    let rows = report.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| bug |")).count();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    ensure!(rows == bugs.bug.len(), "the report tells of {rows} bugs, and there are {}", bugs.bug.len());
    Ok(())
}
