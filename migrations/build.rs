//! Lists the SQL files of every schema, so that adding a migration is adding a file.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const SCHEMAS: [&str; 3] = ["inventory", "leasing", "billing"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = env::var("CARGO_MANIFEST_DIR")?;
    let mut list = String::from("&[\n");
    for schema in SCHEMAS {
        let folder = Path::new(&root).join(schema);
        println!("cargo:rerun-if-changed={}", folder.display());
        let mut files: Vec<String> = fs::read_dir(&folder)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_, std::io::Error>>()?;
        files.retain(|file| Path::new(file).extension().is_some_and(|e| e == "sql"));
        files.sort();
        for (place, file) in files.iter().enumerate() {
            let (version, name) = file
                .strip_suffix(".sql")
                .and_then(|stem| stem.split_once('_'))
                .and_then(|(number, name)| Some((number.parse::<usize>().ok()?, name)))
                .ok_or_else(|| format!("{schema}/{file}: the name must be NNNN_name.sql"))?;
            if version != place + 1 {
                return Err(format!("{schema}/{file}: number {} is expected here", place + 1).into());
            }
            let path = folder.join(file);
            println!("cargo:rerun-if-changed={}", path.display());
            writeln!(
                list,
                "    ({schema:?}, {version}, {name:?}, include_str!({:?})),",
                path.display().to_string()
            )?;
        }
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("list.rs"), list)?;
    Ok(())
}
