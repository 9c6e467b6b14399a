//! The billing service as a process of its own.

fn main() -> std::process::ExitCode {
    runtime::run("billing", billing::service)
}
