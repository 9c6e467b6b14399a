//! How far the work is: a bar for a person who watches, nothing for anyone else.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out;

/// A stage of the work.
pub(super) struct Stage {
    bar: ProgressBar,
}

/// Begins a stage of `steps` steps.
pub(super) fn stage(name: &'static str, steps: usize) -> Stage {
    let target = if out::on_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), target);
    let style = ProgressStyle::with_template("{msg:28} {bar:30} {pos:>4}/{len} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(name);
    Stage { bar }
}

impl Stage {
    /// One step is done.
    pub(super) fn step(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Where it stands: what was ended early is not shown as done.
        self.bar.abandon();
    }
}
