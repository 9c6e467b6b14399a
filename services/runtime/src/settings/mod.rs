//! Configuration: a TOML file, then environment variables over it; every key from one data table.
//!
//! A concern is one struct ([`concern!`](crate::concern)); its fields' documentation, the table of settings in the
//! README and the reader come from the same lines. A bad configuration is refused whole: every error at once, and a
//! key nobody knows is an error.

mod concerns;
mod source;
mod value;

pub use concerns::{
    AdminSettings, AuthSettings, ClockSettings, DatabaseSettings, DatabaseUrl, GeneralSettings, NoSettings,
    PeerSettings, ServerSettings, Settings, TelemetrySettings,
};
pub use postgres::Secret;
pub use source::{ConfigError, Source};
pub use value::{LogFormat, Origins, SecretFile, Value};

/// One line of the table of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name without the `GRIDLEASE_<SERVICE>__` prefix, as `SERVER__LISTEN`.
    pub variable: &'static str,
    /// What the value is: a unit or a form.
    pub unit: &'static str,
    /// The value where none is given; empty = required, or absent for an optional one.
    pub default: &'static str,
    /// What it changes.
    pub effect: &'static str,
}

impl Setting {
    /// The key in the file: `SERVER__LISTEN` is `listen` in the table `[server]`.
    pub fn key(&self) -> String {
        self.variable.to_ascii_lowercase().replace("__", ".")
    }
}

/// A struct of settings that belong together.
pub trait Concern: Sized {
    /// Its lines of the table of settings.
    const SETTINGS: &'static [Setting];

    /// Reads every field, noting each error in `source`; `None` if there was one.
    fn read(source: &mut Source) -> Option<Self>;
}

/// Declares a struct of settings: fields, documentation, table and reader from one place.
///
/// ```
/// runtime::concern! {
///     /// How many holds a tenant may keep open.
///     pub struct QuotaSettings {
///         open_holds: std::num::NonZeroU32 = ("QUOTA__OPEN_HOLDS", "holds", "50", "Open holds a tenant may have."),
///     }
/// }
/// ```
#[macro_export]
macro_rules! concern {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $( $field:ident : $type:ty =
        ($variable:literal, $unit:literal, $default:literal, $effect:literal) ),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                #[doc = concat!($effect, "\n\nVariable `GRIDLEASE_<SERVICE>__", $variable, "`; unit: ", $unit,
                    "; default: `", $default, "`.")]
                $vis $field: $type,
            )*
        }

        impl $crate::settings::Concern for $name {
            const SETTINGS: &'static [$crate::settings::Setting] = &[
                $( $crate::settings::Setting {
                    variable: $variable, unit: $unit, default: $default, effect: $effect,
                } ),*
            ];

            fn read(source: &mut $crate::settings::Source) -> Option<Self> {
                let _ = &source;
                // Every field is read before any is asked for, so that every error is noted.
                $( let $field: Option<$type> =
                    source.value(&$crate::settings::Setting {
                        variable: $variable, unit: $unit, default: $default, effect: $effect,
                    }); )*
                Some(Self { $( $field: $field? ),* })
            }
        }
    };
}

/// The documented table of settings, as Markdown, for READMEs and `--help-settings`.
pub fn table(tables: &[&[Setting]]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("| key | variable | unit | default | effect |\n|---|---|---|---|---|\n");
    for setting in tables.iter().flat_map(|table| table.iter()) {
        let default =
            if setting.default.is_empty() { "none".to_owned() } else { format!("`{}`", setting.default) };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | `…__{}` | {} | {default} | {} |",
            setting.key(),
            setting.variable,
            setting.unit,
            setting.effect
        );
    }
    text
}

#[cfg(test)]
mod tests;
