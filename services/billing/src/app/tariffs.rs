//! Creates tariffs, adds components to them, reads them.

use kernel::{Caller, Error, OperatorId, TariffId, TariffName, Uuid};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;
use tracing::info;

use super::{App, ListRequest, Listed, check_etag, rpc, sight};
use crate::domain::tariff::{Component, Tariff, TariffFacts};
use crate::store::tariff::TariffKey;
use crate::store::{SCHEMA, tariff};

/// Creates a tariff.
#[derive(Clone, Debug, Serialize)]
pub struct CreateTariff {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: TariffId,
    /// What it is.
    pub facts: TariffFacts,
    /// What it charges.
    pub components: Vec<Component>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Adds components to a tariff.
#[derive(Clone, Debug, Serialize)]
pub struct AddTariffComponents {
    /// Which tariff.
    pub name: TariffName,
    /// What is added.
    pub components: Vec<Component>,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists tariffs.
#[derive(Clone, Debug)]
pub struct ListTariffs {
    /// Parent and page.
    pub list: ListRequest,
}

impl App {
    /// Creates a tariff.
    pub async fn create_tariff(
        &self,
        caller: &Caller,
        command: CreateTariff,
    ) -> Result<Answer<Tariff>, Error> {
        let scope = &Self::own_operator(caller, &command.operator)?;
        let owner = format!("operators/{}", command.operator);
        let key = &RequestKey::new(owner, caller, rpc::CREATE_TARIFF, command.request_id, &command)?;
        let mut components = command.components;
        components.sort_by(|a, b| (&a.code, a.from).cmp(&(&b.code, b.from)));
        let new = &Tariff {
            operator: command.operator,
            id: command.id,
            facts: command.facts,
            version: 1,
            components,
            create_time: self.now(),
        };
        if command.validate_only {
            return self
                .db
                .read("check_create_tariff", scope, |tx| async move {
                    if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                        return Ok((tx, Answer::Replayed(reply)));
                    }
                    let name = TariffName::new(new.operator.clone(), new.id.clone());
                    match tariff::find(tx.conn(), scope, &name).await? {
                        Some(_) => Err(Error::name_taken("tariff")),
                        None => Ok((tx, Answer::Fresh(new.clone()))),
                    }
                })
                .await;
        }
        let answer = self
            .db
            .in_tx("create_tariff", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                if !tariff::insert(tx.conn(), new).await? {
                    return Err(Error::name_taken("tariff"));
                }
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.tariff_created)(new)).await?;
                Ok((tx, Answer::Fresh(new.clone())))
            })
            .await;
        let answer = idempotency::or_answered_before(&self.db, SCHEMA, scope, key, answer).await?;
        if let Answer::Fresh(new) = &answer {
            info!(operator = %new.operator, tariff = %new.id, "tariff created");
        }
        Ok(answer)
    }

    /// Adds components; what was there stays as it was.
    pub async fn add_tariff_components(
        &self,
        caller: &Caller,
        command: AddTariffComponents,
    ) -> Result<Answer<Tariff>, Error> {
        let gone = || Error::not_found("tariff");
        let scope = &Self::own_operator(caller, &command.name.operator).map_err(|_| gone())?;
        let owner = format!("operators/{}", command.name.operator);
        let key = &RequestKey::new(owner, caller, rpc::ADD_COMPONENTS, command.request_id, &command)?;
        let command = &command;
        if command.validate_only {
            return self
                .db
                .read("check_add_tariff_components", scope, |tx| async move {
                    if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                        return Ok((tx, Answer::Replayed(reply)));
                    }
                    let found = tariff::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                    Ok((tx, Answer::Fresh(with(found, command)?)))
                })
                .await;
        }
        let answer = self
            .db
            .in_tx("add_tariff_components", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let found = tariff::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                let changed = with(found, command)?;
                // First, so that of two at once one is tried again and sees the other's.
                tariff::raise(tx.conn(), &changed).await?;
                tariff::add(tx.conn(), &changed, &command.components).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.components_added)(&changed)).await?;
                Ok((tx, Answer::Fresh(changed)))
            })
            .await;
        idempotency::or_answered_before(&self.db, SCHEMA, scope, key, answer).await
    }

    /// One tariff.
    pub async fn get_tariff(&self, caller: &Caller, name: &TariffName) -> Result<Tariff, Error> {
        let gone = || Error::not_found("tariff");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_tariff", scope, |tx| async move {
                let found = tariff::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Tariffs in order of name.
    pub async fn list_tariffs(&self, caller: &Caller, command: ListTariffs) -> Result<Listed<Tariff>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |tariff: &Tariff| TariffKey(tariff.operator.clone(), tariff.id.clone());
        let what = ("list_tariffs", rpc::LIST_TARIFFS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let rows = tariff::list(tx.conn(), &sight(scope, &command.list.parent), &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}

/// The tariff with the components of a command.
fn with(found: Tariff, command: &AddTariffComponents) -> Result<Tariff, Error> {
    check_etag(command.etag.as_deref(), found.version)?;
    let mut components = found.components;
    for new in &command.components {
        if components.iter().any(|old| (&old.code, old.from) == (&new.code, new.from)) {
            return Err(Error::name_taken("component of this code and first day"));
        }
        components.push(new.clone());
    }
    components.sort_by(|a, b| (&a.code, a.from).cmp(&(&b.code, b.from)));
    Ok(Tariff { components, version: found.version + 1, ..found })
}
