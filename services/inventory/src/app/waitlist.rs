//! Joining and leaving the waitlist, and reading it.

use kernel::{
    Caller, Error, OperatorParent, Organisation, Reason, Scope, TenantId, Uuid, Violation, WaitlistEntryId,
    WaitlistEntryName,
};
use postgres::Answer;
use serde::Serialize;

use super::place::Place;
use super::place_hold::in_range;
use super::write::{Create, Write};
use super::{App, Page, PageRequest, kind, rpc, scope_of};
use crate::domain::check_etag_if_given;
use crate::domain::waitlist::{State, WaitlistDraft, WaitlistEntry};
use crate::store::{Rows, waitlist};

const LASTS_DAYS_MAX: i64 = 5 * 366;
/// Entries that a tenant may have waiting with one operator.
const QUOTA: u64 = 100;

/// An entry that is to leave.
#[derive(Debug, Clone, Serialize)]
pub struct LeaveWaitlist {
    /// Which one.
    pub name: WaitlistEntryName,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A list of entries.
#[derive(Debug, Clone)]
pub struct ListWaitlist {
    /// With whom.
    pub parent: OperatorParent,
    /// Only those that have neither left nor expired.
    pub waiting_only: bool,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Joins the waitlist of a block or a site.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `TERM_OUT_OF_RANGE`, `RESOURCE_NOT_FOUND`, `QUOTA_EXCEEDED`, `REQUEST_ID_REUSED`.
    pub async fn join_waitlist(
        &self,
        caller: &Caller,
        command: Create<WaitlistDraft>,
    ) -> Result<Answer<WaitlistEntry>, Error> {
        let draft = &command.draft;
        let operator = draft.on.operator();
        scope_of(caller, operator, "operator")?;
        let tenant = &tenant_of(caller, draft)?;
        let now = self.now();
        if draft.expire_at <= now || (draft.expire_at - now).num_days() > LASTS_DAYS_MAX {
            let field = "waitlist_entry.expire_time";
            let violation = Violation::new(field, "must be later than now, by 5 years at most");
            return Err(Error::refused(Reason::TermOutOfRange, "An entry waits 5 years at most.")
                .with_violations(vec![violation]));
        }
        in_range("waitlist_entry.profile", &draft.profile, now)?;
        let block = self.extent_exists(caller, &draft.on).await?;
        let wire = self.wire;
        let how = Write {
            name: "join_waitlist",
            rpc: rpc::JOIN_WAITLIST,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::WAITLIST_JOINED,
            tell: &move |new: &WaitlistEntry| (new.name.to_string(), (wire.waitlist_entry)(new)),
            reply: wire.waitlist_joined,
        };
        let id = WaitlistEntryId::new(self.ids.next());
        self.write_for(caller, draft, how, waiting_tenant, |tx| async move {
            if waitlist::waiting_of(&tx, operator, tenant, now).await? >= QUOTA {
                return Err(Error::refused(
                    Reason::QuotaExceeded,
                    format!("The tenant has {QUOTA} entries waiting with this operator, as many as it may."),
                )
                .with("subject", format!("tenants/{tenant}"))
                .with("quota", QUOTA));
            }
            let new = WaitlistEntry {
                name: WaitlistEntryName::new(operator.clone(), id),
                on: draft.on.clone(),
                tenant: tenant.clone(),
                profile: draft.profile.clone(),
                expire_at: draft.expire_at,
                note: draft.note.clone(),
                state: State::Waiting,
                available: Vec::new(),
                told_at: None,
                revision: 1,
                created_at: now,
                updated_at: now,
            };
            waitlist::insert(&tx, &new, block).await?;
            Ok((tx, new))
        })
        .await
    }

    /// Leaves the waitlist.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `REQUEST_ID_REUSED`.
    pub async fn leave_waitlist(
        &self,
        caller: &Caller,
        command: LeaveWaitlist,
    ) -> Result<Answer<WaitlistEntry>, Error> {
        // The right first: whoever does not see it, may not end it.
        self.get_waitlist_entry(caller, &command.name).await?;
        let (name, etag, now, wire) = (&command.name, &command.etag, self.now(), self.wire);
        let how = Write {
            name: "leave_waitlist",
            rpc: rpc::LEAVE_WAITLIST,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::WAITLIST_LEFT,
            tell: &move |after: &WaitlistEntry| (after.name.to_string(), (wire.waitlist_entry)(after)),
            reply: wire.waitlist_left,
        };
        self.write_for(caller, &command, how, waiting_tenant, |tx| async move {
            let absent = || Error::not_found("waitlist entry");
            let found = waitlist::find(&tx, name).await?.ok_or_else(absent)?;
            check_etag_if_given(etag.as_deref(), found.revision)?;
            let after = found.left(now)?;
            waitlist::update(&tx, &after).await?;
            Ok((tx, after))
        })
        .await
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_waitlist_entry(
        &self,
        caller: &Caller,
        name: &WaitlistEntryName,
    ) -> Result<WaitlistEntry, Error> {
        let scope = scope_of(caller, &name.operator, "waitlist entry")?;
        self.db
            .read("get_waitlist_entry", &scope, |tx| async move {
                let found = waitlist::find(&tx, name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("waitlist entry"))
    }

    /// Lists entries in the order in which they joined.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_waitlist(
        &self,
        caller: &Caller,
        asked: ListWaitlist,
    ) -> Result<Page<WaitlistEntry>, Error> {
        let operator = asked.parent.operator();
        let scope: &Scope = &self.parent_scope(caller, operator).await?;
        let filter = format!("{}|{}", asked.parent, asked.waiting_only);
        let place: Place<'_, (Uuid, String)> = self.place(caller, rpc::LIST_WAITLIST, filter, &asked.page)?;
        let (after, waiting_at) = (place.after.as_ref(), asked.waiting_only.then(|| self.now()));
        let rows: Rows<WaitlistEntry> = self
            .db
            .read("list_waitlist", scope, |tx| async move {
                let rows = waitlist::list(&tx, scope, operator, waiting_at, after, asked.page.size).await?;
                Ok((tx, rows))
            })
            .await?;
        place.page(rows, |found| (found.name.waitlist_entry.get(), found.name.operator.to_string()))
    }
}

/// Who waits: a tenant for itself, others for a tenant that they name.
fn tenant_of(caller: &Caller, draft: &WaitlistDraft) -> Result<TenantId, Error> {
    match (caller.effective_organisation(), &draft.tenant) {
        (Organisation::Tenant(own), Some(named)) if named != own => Err(Error::not_found("tenant")),
        (Organisation::Tenant(own), _) => Ok(own.clone()),
        (_, Some(named)) => Ok(named.clone()),
        (_, None) => Err(Error::invalid_field("waitlist_entry.tenant", "is required")),
    }
}

fn waiting_tenant(entry: &WaitlistEntry) -> Option<TenantId> {
    Some(entry.tenant.clone())
}
