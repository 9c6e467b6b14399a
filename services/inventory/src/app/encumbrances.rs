//! Placing, ending and reading encumbrances.

use kernel::{
    Caller, EncumbranceId, EncumbranceName, Error, OperatorParent, Reason, TenantId, Uuid, Violation,
};
use postgres::Answer;
use serde::Serialize;

use super::place::Place;
use super::write::{Create, Write};
use super::{App, Page, PageRequest, kind, own_scope, rpc, scope_of};
use crate::domain::check_etag_if_given;
use crate::domain::encumbrance::{Encumbrance, EncumbranceDraft, Extent};
use crate::store::{Rows, encumbrances};

const LASTS_DAYS_MAX: i64 = 50 * 366;

/// An encumbrance that is to end.
#[derive(Debug, Clone, Serialize)]
pub struct ReleaseEncumbrance {
    /// Which one.
    pub name: EncumbranceName,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A list of encumbrances.
#[derive(Debug, Clone)]
pub struct ListEncumbrances {
    /// With whom.
    pub parent: OperatorParent,
    /// Only those in force.
    pub active_only: bool,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Places an encumbrance on a block, a site or everything of an operator.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator or place), `TERM_OUT_OF_RANGE`, `REQUEST_ID_REUSED`.
    pub async fn place_encumbrance(
        &self,
        caller: &Caller,
        command: Create<EncumbranceDraft>,
    ) -> Result<Answer<Encumbrance>, Error> {
        let draft = &command.draft;
        let operator = draft.on.operator();
        own_scope(caller, operator, "operator")?;
        let now = self.now();
        let days = (draft.valid_until - now).num_days();
        if draft.valid_until <= now || days > LASTS_DAYS_MAX {
            let violation =
                Violation::new("encumbrance.valid_until_time", "must be later than now, by 50 years at most");
            return Err(Error::refused(
                Reason::TermOutOfRange,
                "An encumbrance ends after now and within 50 years.",
            )
            .with_violations(vec![violation]));
        }
        let block = self.extent_exists(caller, &draft.on).await?;
        let wire = self.wire;
        let how = Write {
            name: "place_encumbrance",
            rpc: rpc::PLACE_ENCUMBRANCE,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::ENCUMBRANCE_PLACED,
            tell: &move |new: &Encumbrance| (new.name.to_string(), (wire.encumbrance)(new)),
            reply: wire.encumbrance_placed,
        };
        let id = EncumbranceId::new(self.ids.next());
        let answer = self
            .write_for(caller, draft, how, holder, |tx| async move {
                let new = Encumbrance {
                    name: EncumbranceName::new(operator.clone(), id),
                    facts: draft.clone(),
                    is_released: false,
                    revision: 1,
                    created_at: now,
                    updated_at: now,
                };
                encumbrances::insert(&tx, &new, block).await?;
                Ok((tx, new))
            })
            .await?;
        self.refresh_rights().await;
        Ok(answer)
    }

    /// Ends an encumbrance: taken back by its operator, or given up by its holder.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `REQUEST_ID_REUSED`.
    pub async fn release_encumbrance(
        &self,
        caller: &Caller,
        command: ReleaseEncumbrance,
    ) -> Result<Answer<Encumbrance>, Error> {
        // The right first: whoever does not see it, may not end it.
        self.get_encumbrance(caller, &command.name).await?;
        let (name, etag, now, wire) = (&command.name, &command.etag, self.now(), self.wire);
        let how = Write {
            name: "release_encumbrance",
            rpc: rpc::RELEASE_ENCUMBRANCE,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::ENCUMBRANCE_RELEASED,
            tell: &move |after: &Encumbrance| (after.name.to_string(), (wire.encumbrance)(after)),
            reply: wire.encumbrance_released,
        };
        let answer = self
            .write_for(caller, &command, how, holder, |tx| async move {
                let absent = || Error::not_found("encumbrance");
                let found = encumbrances::find(&tx, name).await?.ok_or_else(absent)?;
                check_etag_if_given(etag.as_deref(), found.revision)?;
                let after = found.released(now)?;
                encumbrances::release(&tx, &after).await?;
                Ok((tx, after))
            })
            .await?;
        self.refresh_rights().await;
        Ok(answer)
    }

    /// Reads an encumbrance.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_encumbrance(
        &self,
        caller: &Caller,
        name: &EncumbranceName,
    ) -> Result<Encumbrance, Error> {
        let scope = scope_of(caller, &name.operator, "encumbrance")?;
        self.db
            .read("get_encumbrance", &scope, |tx| async move {
                let found = encumbrances::find(&tx, name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("encumbrance"))
    }

    /// Lists encumbrances, newest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_encumbrances(
        &self,
        caller: &Caller,
        asked: ListEncumbrances,
    ) -> Result<Page<Encumbrance>, Error> {
        let operator = asked.parent.operator();
        let scope = &self.parent_scope(caller, operator).await?;
        let filter = format!("{}|{}", asked.parent, asked.active_only);
        let place: Place<'_, (Uuid, String)> =
            self.place(caller, rpc::LIST_ENCUMBRANCES, filter, &asked.page)?;
        let (after, active_at) = (place.after.as_ref(), asked.active_only.then(|| self.now()));
        let rows: Rows<Encumbrance> = self
            .db
            .read("list_encumbrances", scope, |tx| async move {
                let rows =
                    encumbrances::list(&tx, scope, operator, active_at, after, asked.page.size).await?;
                Ok((tx, rows))
            })
            .await?;
        place.page(rows, |found| (found.name.encumbrance.get(), found.name.operator.to_string()))
    }

    /// The id of the block that an extent is, if it is one; the extent exists.
    pub(crate) async fn extent_exists(
        &self,
        caller: &Caller,
        on: &Extent,
    ) -> Result<Option<kernel::BlockId>, Error> {
        match on {
            Extent::Operator(operator) => self.get_operator(caller, operator, None).await.map(|_| None),
            Extent::Site(site) => self.get_site(caller, site, None).await.map(|_| None),
            Extent::Block(block) => self.get_block(caller, block, None).await.map(|block| Some(block.id)),
        }
    }
}

fn holder(encumbrance: &Encumbrance) -> Option<TenantId> {
    Some(encumbrance.facts.tenant.clone())
}
