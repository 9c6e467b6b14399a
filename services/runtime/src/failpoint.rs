//! Named places where tests may make a process die, stall or fail.

/// Passes a named place, as `leasing.sign.after_intent`. Without the feature `failpoints` it is nothing at all.
///
/// With it, the variable `FAILPOINTS` (`name=action;...`, see the crate `fail`) chooses at run time what happens here:
/// `panic`, `sleep(ms)`, `pause`, `print`, or `return(kill)`, which ends the process as SIGKILL would, or
/// `return(error)`, which fails the deed.
///
/// # Errors
/// `INTERNAL`, only where a test asked for it.
pub fn failpoint(name: &'static str) -> Result<(), kernel::Error> {
    #[cfg(feature = "failpoints")]
    {
        if let Some(action) = action_at(name) {
            tracing::warn!(failpoint = name, action, "failpoint hit");
            if action == "kill" {
                std::process::abort();
            }
            return Err(kernel::Error::internal(format!("failpoint {name}")));
        }
    }
    #[cfg(not(feature = "failpoints"))]
    let _ = name;
    Ok(())
}

/// Whoever stalls here stalls alone: the tasks that wait for the same thread go on, on another.
#[cfg(feature = "failpoints")]
fn action_at(name: &str) -> Option<String> {
    use tokio::runtime::{Handle, RuntimeFlavor};

    let action = || fail::eval(name, Option::unwrap_or_default);
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(action),
        _ => action(),
    }
}

#[cfg(all(test, feature = "failpoints"))]
mod tests {
    use super::failpoint;

    #[test]
    fn it_is_nothing_until_it_is_told() {
        let _scenario = fail::FailScenario::setup();
        assert!(failpoint("runtime.test").is_ok());
        fail::cfg("runtime.test", "1*return(error)").unwrap();
        assert!(failpoint("runtime.test").is_err());
        assert!(failpoint("runtime.test").is_ok());
    }
}
