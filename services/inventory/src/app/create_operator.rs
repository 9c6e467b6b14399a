//! `CreateOperator`.

use kernel::{Caller, Error};
use postgres::Answer;

use super::write::{Create, Write};
use super::{App, kind, rpc};
use crate::domain::operator::{Operator, OperatorDraft};
use crate::store::operators;

impl App {
    /// Creates an operator.
    ///
    /// # Errors
    /// `NAME_TAKEN`, `REQUEST_ID_REUSED`.
    pub async fn create_operator(
        &self,
        caller: &Caller,
        command: Create<OperatorDraft>,
    ) -> Result<Answer<Operator>, Error> {
        let draft = &command.draft;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "create_operator",
            rpc: rpc::CREATE_OPERATOR,
            operator: &draft.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::OPERATOR_CREATED,
            tell: &move |new: &Operator| (format!("operators/{}", new.facts.operator), (wire.operator)(new)),
            reply: wire.operator_created,
        };
        self.write(caller, draft, how, |tx| async move {
            let new = Operator { facts: draft.clone(), revision: 1, created_at: now, updated_at: now };
            operators::insert(&tx, &new).await?;
            Ok((tx, new))
        })
        .await
    }
}
