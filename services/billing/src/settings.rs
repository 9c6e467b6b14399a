//! What billing can be told beside what every service can.

use runtime::settings::SecretFile;

runtime::concern! {
    /// Billing's own settings.
    #[derive(Default)]
    pub struct BillingSettings {
        page_secret_file: Option<SecretFile> = ("BILLING__PAGE_SECRET_FILE", "path", "",
            "Secret that seals page tokens, the same on every replica; without one, tokens end with the process."),
    }
}
