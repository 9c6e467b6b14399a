//! Master agreements: put on the table, signed by both, ended; and what an order takes over of one.

use kernel::{
    Caller, Error, MasterAgreementId, MasterAgreementName, OperatorId, OperatorParent, Scope, TenantName,
    Uuid,
};
use postgres::page::Listing;
use postgres::{Answer, NewEvent, RequestKey, Tx, outbox};
use serde::Serialize;

use super::change_lease::actor;
use super::once::Once;
use super::{App, Hands, Page, kind, rpc};
use crate::domain::agreement::{AgreementState, Ending, GeneralTerms, MasterAgreement};
use crate::domain::amendment::Consent;
use crate::domain::{Checked, Lease, Signatory, TermsHash};
use crate::store::{self, AgreementFilter, SCHEMA};

/// An agreement to be put on the table.
#[derive(Clone, Debug, Serialize)]
pub struct CreateMasterAgreement {
    /// Whose.
    pub operator: OperatorId,
    /// With whom.
    pub tenant: TenantName,
    /// What it is called.
    pub title: String,
    /// What it says.
    pub general: GeneralTerms,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A signature on an agreement.
#[derive(Clone, Debug, Serialize)]
pub struct SignMasterAgreement {
    /// The agreement.
    pub name: MasterAgreementName,
    /// What is signed.
    pub terms_hash: TermsHash,
    /// Who signs.
    pub signatory: Signatory,
    /// Where from; empty where nobody knows. No part of what a repetition must repeat.
    #[serde(skip)]
    pub peer_address: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// The end of an agreement.
#[derive(Clone, Debug, Serialize)]
pub struct EndMasterAgreement {
    /// The agreement.
    pub name: MasterAgreementName,
    /// Why.
    pub reason: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListMasterAgreements {
    /// Of whom.
    pub parent: OperatorParent,
    /// In these states; empty is any.
    pub states: Vec<AgreementState>,
    /// With this tenant.
    pub tenant: Option<TenantName>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// Puts an agreement on the table.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator or tenant); what a request id is refused with.
    pub async fn create_agreement(
        &self,
        caller: &Caller,
        command: CreateMasterAgreement,
    ) -> Result<Answer<MasterAgreement>, Error> {
        let scope = &caller.scope_of_operator(&command.operator)?;
        let key = &key_of(&command.operator, caller, rpc::CREATE_AGREEMENT, command.request_id, &command)?;
        let how = Once {
            name: "create_master_agreement",
            scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.agreements.created,
        };
        let id = MasterAgreementId::new(self.ids.next());
        let name = MasterAgreementName::new(command.operator, id);
        let (new, terms) =
            &MasterAgreement::draft(name, command.tenant, command.title, command.general, self.now())?;
        self.once(how, |tx| async move {
            store::find_tenant(tx.conn(), &new.tenant.tenant)
                .await?
                .ok_or_else(|| Error::not_found("tenant"))?;
            store::insert_agreement(tx.conn(), new, terms.clone()).await?;
            self.tell_agreement(&tx, kind::AGREEMENT_DRAFTED, new).await?;
            Ok((tx, new.clone()))
        })
        .await
    }

    /// Signs an agreement for the caller's side.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`; what [`MasterAgreement::sign`] refuses; what a request id is refused with.
    pub async fn sign_agreement(
        &self,
        caller: &Caller,
        command: SignMasterAgreement,
    ) -> Result<Answer<MasterAgreement>, Error> {
        let name = &command.name;
        let scope = &scope_of(caller, name)?;
        let key = &key_of(&name.operator, caller, rpc::SIGN_AGREEMENT, command.request_id, &command)?;
        let how = Once {
            name: "sign_master_agreement",
            scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.agreements.signed,
        };
        let by = actor(caller, &command.peer_address)?;
        let consent = &Consent {
            party: by.party,
            signatory: command.signatory.clone(),
            subject: by.subject,
            peer_address: by.address,
            time: self.now(),
        };
        let (etag, hash) = (command.etag.as_str(), command.terms_hash);
        self.once(how, |tx| async move {
            let mut agreement = store::lock_agreement(tx.conn(), name).await?.ok_or_else(absent)?;
            agreement.check_etag(etag)?;
            let from = agreement.revision;
            agreement.sign(hash, consent.clone())?;
            store::save_agreement(tx.conn(), &agreement, from).await?;
            self.tell_agreement(&tx, kind::AGREEMENT_SIGNED, &agreement).await?;
            Ok((tx, agreement))
        })
        .await
    }

    /// Ends an agreement: no new orders, and those that are there go on.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`; what a request id is refused with.
    pub async fn end_agreement(
        &self,
        caller: &Caller,
        command: EndMasterAgreement,
    ) -> Result<Answer<MasterAgreement>, Error> {
        let name = &command.name;
        let scope = &scope_of(caller, name)?;
        let key = &key_of(&name.operator, caller, rpc::END_AGREEMENT, command.request_id, &command)?;
        let how = Once {
            name: "end_master_agreement",
            scope,
            key,
            validate_only: command.validate_only,
            reply: self.wire.agreements.ended,
        };
        let by = actor(caller, "")?;
        let (party, subject) = (by.party, by.subject);
        let ending = &Ending { party, subject, reason: command.reason.clone(), time: self.now() };
        let etag = command.etag.as_str();
        self.once(how, |tx| async move {
            let mut agreement = store::lock_agreement(tx.conn(), name).await?.ok_or_else(absent)?;
            agreement.check_etag(etag)?;
            let from = agreement.revision;
            agreement.end(ending.clone())?;
            store::save_agreement(tx.conn(), &agreement, from).await?;
            self.tell_agreement(&tx, kind::AGREEMENT_ENDED, &agreement).await?;
            Ok((tx, agreement))
        })
        .await
    }

    /// One agreement.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's.
    pub async fn get_agreement(
        &self,
        caller: &Caller,
        name: &MasterAgreementName,
    ) -> Result<MasterAgreement, Error> {
        let scope = scope_of(caller, name)?;
        self.find_agreement(Hands { db: &self.db, scope: &scope }, name).await
    }

    async fn find_agreement(
        &self,
        hands: Hands<'_>,
        name: &MasterAgreementName,
    ) -> Result<MasterAgreement, Error> {
        hands
            .db
            .read("get_master_agreement", hands.scope, |tx| async move {
                let found = store::find_agreement(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(absent)
    }

    /// A page of agreements in order of name.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_agreements(
        &self,
        caller: &Caller,
        query: &ListMasterAgreements,
    ) -> Result<Page<MasterAgreement>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let tenant = query.tenant.as_ref().map(ToString::to_string).unwrap_or_default();
        let filter_text = format!("{} {} {tenant}", query.parent, states.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: rpc::LIST_AGREEMENTS, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let filter = &AgreementFilter {
            operator: query.parent.operator().cloned(),
            tenant: query.tenant.clone(),
            states: query.states.clone(),
            after: self.pages.open(&listing, &query.page_token, real_time)?,
            limit: query.page_size + 1,
        };
        let rows = self
            .db
            .read("list_master_agreements", &scope, |tx| async move {
                let rows = store::list_agreements(tx.conn(), filter).await?;
                Ok((tx, rows))
            })
            .await?;
        self.page_of(&listing, real_time, query.page_size, rows, MasterAgreement::place)
    }

    /// Terms that name an agreement, as those of an order under it; others as they are.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, also for an agreement with another tenant; `MASTER_AGREEMENT_NOT_IN_FORCE`; `INVALID_FIELD` with every
    /// term that contradicts it.
    pub(crate) async fn under_agreement(
        &self,
        hands: Hands<'_>,
        tenant: &TenantName,
        terms: Checked,
    ) -> Result<Checked, Error> {
        let Some(name) = terms.master() else { return Ok(terms) };
        let agreement = self.find_agreement(hands, name).await?;
        if agreement.tenant != *tenant {
            return Err(absent());
        }
        terms.under(agreement.for_order()?)
    }

    async fn tell_agreement(
        &self,
        tx: &Tx,
        kind: &'static str,
        agreement: &MasterAgreement,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(agreement.name.operator.clone()),
            tenant: Some(agreement.tenant.tenant.clone()),
            kind,
            subject: agreement.name.to_string(),
            occurred_at: agreement.update_time,
            payload: (self.wire.agreements.event)(agreement),
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}

/// The agreement of a new order may have ended since it was read: locked, it takes orders until this one is recorded.
///
/// # Errors
/// `MASTER_AGREEMENT_NOT_IN_FORCE`.
pub(super) async fn still_takes_orders(tx: &Tx, lease: &Lease) -> Result<(), Error> {
    let Some(master) = lease.terms.contract.master.as_deref() else { return Ok(()) };
    let agreement = store::share_agreement(tx.conn(), &master.agreement).await?.ok_or_else(absent)?;
    agreement.state.check_takes_orders()
}

fn key_of<T: Serialize>(
    operator: &OperatorId,
    caller: &Caller,
    rpc: &'static str,
    request_id: Uuid,
    command: &T,
) -> Result<RequestKey, Error> {
    RequestKey::new(format!("operators/{operator}"), caller, rpc, request_id, command)
}

fn scope_of(caller: &Caller, name: &MasterAgreementName) -> Result<Scope, Error> {
    caller.scope_of_operator(&name.operator).map_err(|_| absent())
}

fn absent() -> Error {
    Error::not_found("master agreement")
}
