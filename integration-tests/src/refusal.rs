//! A refusal as a client reads it: code, reason, the fields that are wrong, the facts.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

/// The largest reason that AIP-193 allows.
const REASON_MAX: usize = 63;

/// A refusal of ours. Only what keeps every rule of form becomes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The gRPC code.
    pub code: Code,
    /// `ErrorInfo.reason`.
    pub reason: String,
    /// The sentence for people.
    pub message: String,
    /// `ErrorInfo.metadata`.
    pub metadata: BTreeMap<String, String>,
    /// Paths of `BadRequest`, sorted.
    pub fields: Vec<String>,
    /// Type names of all details, sorted.
    pub details: Vec<&'static str>,
}

impl Refusal {
    /// Reads a status.
    ///
    /// # Errors
    /// A status that breaks a rule of form: not exactly one `ErrorInfo` of ours, a detail twice, or a message that
    /// tells of the inside.
    pub fn of(status: &Status) -> Result<Self> {
        let all = status.get_error_details_vec();
        let mut details: Vec<&'static str> = all.iter().map(kind).collect();
        details.sort_unstable();
        let mut once = details.clone();
        once.dedup();
        ensure!(once == details, "a detail comes twice: {details:?}");
        let read = status.get_error_details();
        let info = read.error_info().with_context(|| format!("no ErrorInfo: {status:?}"))?;
        ensure!(info.domain == "gridlease", "the domain is {}", info.domain);
        let shaped = info.reason.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        ensure!(shaped && info.reason.len() <= REASON_MAX, "the reason is {}", info.reason);
        let lower = status.message().to_ascii_lowercase();
        for inside in
            ["select ", "insert ", "constraint", "sqlx", "relation", "panicked", ".rs:", "127.0.0.1"]
        {
            ensure!(!lower.contains(inside), "the message tells of the inside: {}", status.message());
        }
        let mut fields: Vec<String> = read
            .bad_request()
            .map(|bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect())
            .unwrap_or_default();
        fields.sort();
        Ok(Self {
            code: status.code(),
            reason: info.reason.clone(),
            message: status.message().to_owned(),
            metadata: info.metadata.clone().into_iter().collect(),
            fields,
            details,
        })
    }

    /// The refusal of an answer that must be one.
    ///
    /// # Errors
    /// An answer, or a status that is no refusal of ours.
    pub fn expect<T>(answer: Result<Response<T>, Status>) -> Result<Self> {
        match answer {
            Ok(_) => bail!("it was allowed"),
            Err(status) => Self::of(&status),
        }
    }

    /// Holds the refusal to a code and a reason.
    ///
    /// # Errors
    /// Another code or reason.
    pub fn is(self, code: Code, reason: &str) -> Result<Self> {
        ensure!((self.code, self.reason.as_str()) == (code, reason), "not {code:?} {reason}: {self:#?}");
        Ok(self)
    }

    /// A fact of the refusal.
    ///
    /// # Errors
    /// A fact that is not there.
    pub fn fact(&self, key: &str) -> Result<&str> {
        self.metadata.get(key).map(String::as_str).with_context(|| format!("no {key} in {self:#?}"))
    }
}

fn kind(detail: &tonic_types::ErrorDetail) -> &'static str {
    use tonic_types::ErrorDetail as D;
    match detail {
        D::RetryInfo(_) => "RetryInfo",
        D::DebugInfo(_) => "DebugInfo",
        D::QuotaFailure(_) => "QuotaFailure",
        D::ErrorInfo(_) => "ErrorInfo",
        D::PreconditionFailure(_) => "PreconditionFailure",
        D::BadRequest(_) => "BadRequest",
        D::RequestInfo(_) => "RequestInfo",
        D::ResourceInfo(_) => "ResourceInfo",
        D::Help(_) => "Help",
        D::LocalizedMessage(_) => "LocalizedMessage",
        _ => "unknown",
    }
}
