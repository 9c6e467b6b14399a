//! Compiles every `.proto` of this folder without a system protoc and keeps the descriptor set for reflection.

use prost::Message as _;
use std::path::{Path, PathBuf};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    for folder in ["gridlease", "google"] {
        println!("cargo:rerun-if-changed={folder}");
    }

    let mut files = Vec::new();
    proto_files(&root, &root.join("gridlease"), &mut files)?;
    // Our files import none of google/rpc, but clients that read a refusal by reflection need its details.
    proto_files(&root, &root.join("google/rpc"), &mut files)?;
    files.sort();

    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(&files)?;
    // The bytes, not the decoded set: decoding would drop custom options.
    let bytes = compiler.encode_file_descriptor_set();
    std::fs::write(out.join("descriptor.bin"), &bytes)?;

    tonic_prost_build::configure()
        .extern_path(".google.rpc", "::tonic_types::pb")
        // Far larger than the other contents of a voucher.
        .boxed(".gridlease.billing.v1.Voucher.content.commission")
        .boxed(".gridlease.billing.v1.Voucher.content.payment_instructions")
        .compile_fds(prost_types::FileDescriptorSet::decode(&*bytes)?)?;
    Ok(())
}

/// Adds every `.proto` below `folder`, named relative to `root`, as imports name them.
fn proto_files(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            proto_files(root, &path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path.strip_prefix(root)?.to_path_buf());
        }
    }
    Ok(())
}
