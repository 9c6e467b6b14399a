#![doc = include_str!("../README.md")]

pub mod cli;
pub mod market;
pub mod out;

/// The command: reads its arguments, does what they say, and ends with 0 if all went well.
#[must_use]
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
