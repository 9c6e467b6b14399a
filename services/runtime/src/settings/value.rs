//! The types a setting may have, and how their text is read.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use postgres::Secret;

/// A type that a setting's text can be read into. The error is a sentence that completes "must be".
pub trait Value: Sized {
    /// Reads the text.
    ///
    /// # Errors
    /// What the text must be.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value of a setting that is neither given nor has a default; `None` = it is required.
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Value> Value for Option<T> {
    fn parse(text: &str) -> Result<Self, String> {
        T::parse(text).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

macro_rules! from_str_value {
    ($($type:ty: $must:literal),* $(,)?) => {
        $( impl Value for $type {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| $must.to_owned())
            }
        } )*
    };
}

from_str_value! {
    SocketAddr: "an IP address and a port, as 127.0.0.1:50051",
    NonZeroU32: "a whole number from 1 to 4294967295",
    NonZeroUsize: "a whole number from 1",
    u32: "a whole number from 0 to 4294967295",
    bool: "true or false",
}

impl Value for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() { Err("a text that is not blank".to_owned()) } else { Ok(text.to_owned()) }
    }
}

impl Value for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("a path".to_owned()) } else { Ok(Self::from(text)) }
    }
}

impl Value for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        const MUST: &str = "a whole number with its unit ms, s, m or h, as 500ms";
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| MUST.to_owned())?;
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(MUST.to_owned()),
        };
        number.checked_mul(unit_ms).map(Self::from_millis).ok_or_else(|| MUST.to_owned())
    }
}

/// Origins of web pages; none unless some are named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins(Arc<[HeaderValue]>);

impl Origins {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.0.iter()
    }

    /// Whether no page may call.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value for Origins {
    fn parse(text: &str) -> Result<Self, String> {
        const MUST: &str =
            "origins with commas between them, each as a browser sends it: https://console.example.com";
        let origin = |text: &str| -> Option<HeaderValue> {
            let uri: Uri = text.parse().ok()?;
            let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
            let is_one = matches!(scheme, "http" | "https") && text == format!("{scheme}://{authority}");
            let is_canonical = is_one && !text.contains(|c: char| c.is_ascii_uppercase() || c == '@');
            if is_canonical { text.parse().ok() } else { None }
        };
        let read: Option<_> = text.split(',').map(|one| origin(one.trim())).collect();
        read.map(Self).ok_or_else(|| MUST.to_owned())
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line an event.
    Human,
    /// One JSON object an event.
    Json,
}

impl Value for LogFormat {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err("auto, human or json".to_owned()),
        }
    }
}

/// A secret read from the file that the setting names: the value is a path, so that no secret is in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile(Secret);

impl SecretFile {
    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl Value for SecretFile {
    fn parse(text: &str) -> Result<Self, String> {
        let secret = std::fs::read_to_string(text)
            .map_err(|error| format!("the path of a readable file ({})", error.kind()))?;
        let secret = secret.trim_end_matches(['\r', '\n']);
        if secret.is_empty() {
            return Err("the path of a file that is not empty".to_owned());
        }
        Ok(Self(Secret::new(secret)))
    }
}
