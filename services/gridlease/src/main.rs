//! The command `gridlease`.

use std::process::ExitCode;

fn main() -> ExitCode {
    gridlease::main()
}
