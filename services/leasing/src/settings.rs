//! What leasing can be told beside what every service can.

use std::time::Duration;

use runtime::settings::SecretFile;

runtime::concern! {
    /// Leasing's own settings.
    pub struct LeasingSettings {
        sweep_every: Duration = ("LEASING__SWEEP_EVERY", "duration", "500ms",
            "Pause between two looks for half-done deeds, holds to give back, and dates that have come."),
        page_secret_file: Option<SecretFile> = ("LEASING__PAGE_SECRET_FILE", "path", "",
            "Secret that seals page tokens, the same on every replica; without one, tokens end with the process."),
    }
}

impl Default for LeasingSettings {
    fn default() -> Self {
        Self { sweep_every: Duration::from_millis(500), page_secret_file: None }
    }
}
