//! `UpdateOperator`.

use kernel::{Caller, Error, OperatorId, Organisation, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::as_of::supersede;
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::check_etag;
use crate::domain::operator::{Operator, OperatorDraft};
use crate::store::operators;

/// The fields to change; those that are absent stay.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OperatorPatch {
    /// Its name.
    pub display_name: Option<String>,
    /// Other names.
    pub aliases: Option<Vec<String>>,
}

/// A change of an operator.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateOperator {
    /// Which one.
    pub operator: OperatorId,
    /// The etag the caller read.
    pub etag: String,
    /// What to change.
    pub patch: OperatorPatch,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Changes fields of an operator: its own admin, or those who run the platform.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `REQUEST_ID_REUSED`.
    pub async fn update_operator(
        &self,
        caller: &Caller,
        command: UpdateOperator,
    ) -> Result<Answer<Operator>, Error> {
        let operator = &command.operator;
        if *caller.effective_organisation() != Organisation::Platform {
            own_scope(caller, operator, "operator")?;
        }
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "update_operator",
            rpc: rpc::UPDATE_OPERATOR,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::OPERATOR_UPDATED,
            tell: &move |changed: &Operator| {
                (format!("operators/{}", changed.facts.operator), (wire.operator)(changed))
            },
            reply: wire.operator_updated,
        };
        let (patch, etag) = (&command.patch, &command.etag);
        self.write(caller, &command, how, |tx| async move {
            let was = operators::find(&tx, operator).await?.ok_or_else(|| Error::not_found("operator"))?;
            check_etag(etag, was.revision)?;
            let updated_at = now.max(was.updated_at);
            supersede(&tx, &self.wire, &was, updated_at).await?;
            let patch = patch.clone();
            let changed = Operator {
                facts: OperatorDraft {
                    operator: was.facts.operator,
                    display_name: patch.display_name.unwrap_or(was.facts.display_name),
                    aliases: patch.aliases.unwrap_or(was.facts.aliases),
                },
                revision: was.revision + 1,
                created_at: was.created_at,
                updated_at,
            };
            operators::update(&tx, &changed).await?;
            Ok((tx, changed))
        })
        .await
    }
}
