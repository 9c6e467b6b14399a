//! The inventory service as a process.

fn main() -> std::process::ExitCode {
    runtime::run("inventory", inventory::service)
}
