//! Creates meters, and reads them.

use kernel::{Caller, Error, MeterId, MeterName, OperatorId, Uuid};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;
use tracing::info;

use super::{App, ListRequest, Listed, rpc, sight};
use crate::domain::meter::{Meter, MeterFacts, MeterFilter, Progress};
use crate::store::meter::MeterKey;
use crate::store::{SCHEMA, meter};

/// Creates a meter.
#[derive(Clone, Debug, Serialize)]
pub struct CreateMeter {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: MeterId,
    /// What it is.
    pub facts: MeterFacts,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists meters.
#[derive(Clone, Debug)]
pub struct ListMeters {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: MeterFilter,
}

impl App {
    /// Creates a meter.
    pub async fn create_meter(&self, caller: &Caller, command: CreateMeter) -> Result<Answer<Meter>, Error> {
        let scope = &Self::own_operator(caller, &command.operator)?;
        let owner = format!("operators/{}", command.operator);
        let key = &RequestKey::new(owner, caller, rpc::CREATE_METER, command.request_id, &command)?;
        let meter = &Meter {
            operator: command.operator,
            id: command.id,
            facts: command.facts,
            progress: Progress::default(),
            create_time: self.now(),
        };
        if command.validate_only {
            return self
                .db
                .read("check_create_meter", scope, |tx| async move {
                    if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                        return Ok((tx, Answer::Replayed(reply)));
                    }
                    let name = MeterName::new(meter.operator.clone(), meter.id.clone());
                    match meter::find(tx.conn(), scope, &name).await? {
                        Some(_) => Err(Error::name_taken("meter")),
                        None => Ok((tx, Answer::Fresh(meter.clone()))),
                    }
                })
                .await;
        }
        let answer = self
            .db
            .in_tx("create_meter", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                if !meter::insert(tx.conn(), meter).await? {
                    return Err(Error::name_taken("meter"));
                }
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.meter_created)(meter)).await?;
                Ok((tx, Answer::Fresh(meter.clone())))
            })
            .await;
        let answer = idempotency::or_answered_before(&self.db, SCHEMA, scope, key, answer).await?;
        if let Answer::Fresh(meter) = &answer {
            info!(operator = %meter.operator, meter = %meter.id, "meter created");
        }
        Ok(answer)
    }

    /// One meter.
    pub async fn get_meter(&self, caller: &Caller, name: &MeterName) -> Result<Meter, Error> {
        let gone = || Error::not_found("meter");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_meter", scope, |tx| async move {
                let found = meter::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Meters in order of name.
    pub async fn list_meters(&self, caller: &Caller, command: ListMeters) -> Result<Listed<Meter>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |meter: &Meter| MeterKey(meter.operator.clone(), meter.id.clone());
        let what = ("list_meters", rpc::LIST_METERS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = meter::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}
