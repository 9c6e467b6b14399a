//! The leasing service as a process of its own.

fn main() -> std::process::ExitCode {
    runtime::run("leasing", leasing::service)
}
