//! Reading operators, sites, blocks and phases, one or a page of them.

use kernel::{
    BlockName, BlockSlug, Caller, Error, Instant, OperatorId, OperatorParent, PhaseName, Scope, SiteId,
    SiteName,
};

use super::as_of::{known_at, one_known_at};
use super::place::Place;
use super::{App, Page, PageRequest, reading_scope, rpc, scope_of};
use crate::domain::block::Block;
use crate::domain::operator::Operator;
use crate::domain::phase::Phase;
use crate::domain::site::Site;
use crate::store::blocks::BlockFilter;
use crate::store::phases::PhaseParent;
use crate::store::sites::SiteFilter;
use crate::store::{blocks, operators, phases, sites};

/// A list of operators.
#[derive(Debug, Clone)]
pub struct ListOperators {
    /// What was known then; none is now.
    pub read_time: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

/// A list of sites.
#[derive(Debug, Clone)]
pub struct ListSites {
    /// Whose.
    pub parent: OperatorParent,
    /// Grid operators; empty is all.
    pub grid_isos: Vec<String>,
    /// Countries; empty is all.
    pub country_codes: Vec<String>,
    /// Archived ones too.
    pub show_archived: bool,
    /// What was known then; none is now.
    pub read_time: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

impl ListSites {
    /// What the store can tell of it: of a past instant, what a site was then may differ from its row.
    fn filter(&self) -> SiteFilter {
        let operator = self.parent.operator().cloned();
        match self.read_time {
            Some(_) => SiteFilter { operator, show_archived: true, ..SiteFilter::default() },
            None => SiteFilter {
                operator,
                site: None,
                grid_isos: self.grid_isos.clone(),
                country_codes: self.country_codes.clone(),
                show_archived: self.show_archived,
            },
        }
    }

    fn shows(&self, site: &Site) -> bool {
        let among = |list: &[String], text: &String| list.is_empty() || list.contains(text);
        among(&self.grid_isos, &site.facts.grid_iso)
            && among(&self.country_codes, &site.facts.country_code)
            && (self.show_archived || site.archived_at.is_none())
    }
}

/// A list of blocks.
#[derive(Debug, Clone)]
pub struct ListBlocks {
    /// Whose; none is everybody's.
    pub operator: Option<OperatorId>,
    /// Of sites of this id; none is all.
    pub site: Option<SiteId>,
    /// Archived ones too.
    pub show_archived: bool,
    /// What was known then; none is now.
    pub read_time: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

/// A list of phases.
#[derive(Debug, Clone)]
pub struct ListPhases {
    /// Whose; none is everybody's.
    pub operator: Option<OperatorId>,
    /// Of sites of this id; none is all.
    pub site: Option<SiteId>,
    /// Of blocks of this id; none is all.
    pub block: Option<BlockSlug>,
    /// What was known then; none is now.
    pub read_time: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Reads an operator as it was known at an instant, or is now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_operator(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        read_time: Option<Instant>,
    ) -> Result<Operator, Error> {
        let scope = scope_of(caller, operator, "operator")?;
        self.db
            .read("get_operator", &scope, |tx| async move {
                let found = operators::find(&tx, operator).await?;
                let found = one_known_at(&tx, &self.wire, read_time, found).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("operator"))
    }

    /// Reads a site as it was known at an instant, or is now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_site(
        &self,
        caller: &Caller,
        name: &SiteName,
        read_time: Option<Instant>,
    ) -> Result<Site, Error> {
        let scope = scope_of(caller, &name.operator, "site")?;
        self.db
            .read("get_site", &scope, |tx| async move {
                let found = sites::find(&tx, name).await?;
                let found = one_known_at(&tx, &self.wire, read_time, found).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("site"))
    }

    /// Reads a block as it was known at an instant, or is now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_block(
        &self,
        caller: &Caller,
        name: &BlockName,
        read_time: Option<Instant>,
    ) -> Result<Block, Error> {
        let scope = scope_of(caller, &name.operator, "block")?;
        self.db
            .read("get_block", &scope, |tx| async move {
                let found = blocks::find(&tx, name).await?;
                let found = one_known_at(&tx, &self.wire, read_time, found).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("block"))
    }

    /// Reads a phase as it was known at an instant, or is now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_phase(
        &self,
        caller: &Caller,
        name: &PhaseName,
        read_time: Option<Instant>,
    ) -> Result<Phase, Error> {
        let scope = scope_of(caller, &name.operator, "phase")?;
        self.db
            .read("get_phase", &scope, |tx| async move {
                let found = match blocks::find(&tx, &name.block_name()).await? {
                    Some(block) => phases::find(&tx, block.id, name).await?,
                    None => None,
                };
                let found = one_known_at(&tx, &self.wire, read_time, found).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("phase"))
    }

    /// Lists operators.
    ///
    /// # Errors
    /// `INVALID_PAGE_TOKEN`.
    pub async fn list_operators(
        &self,
        caller: &Caller,
        asked: ListOperators,
    ) -> Result<Page<Operator>, Error> {
        let ListOperators { read_time, page } = asked;
        let scope = &reading_scope(caller);
        let filter = format!("{read_time:?}");
        let place: Place<'_, String> = self.place(caller, rpc::LIST_OPERATORS, filter, &page)?;
        let after = place.after.as_deref();
        let (rows, then) = self
            .db
            .read("list_operators", scope, |tx| async move {
                let rows = operators::list(&tx, scope, after, page.size).await?;
                let then = known_at(&tx, &self.wire, read_time, &rows.rows).await?;
                Ok((tx, (rows, then)))
            })
            .await?;
        Ok(place.page(rows, |operator| operator.facts.operator.to_string())?.with(then))
    }

    /// Lists sites.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn list_sites(&self, caller: &Caller, asked: ListSites) -> Result<Page<Site>, Error> {
        let operator = asked.parent.operator();
        let scope = &self.parent_scope(caller, operator).await?;
        let of = format!("{:?}|{:?}", asked.grid_isos, asked.country_codes);
        let filter = format!("{}|{of}|{}|{:?}", asked.parent, asked.show_archived, asked.read_time);
        let place: Place<'_, (String, String)> = self.place(caller, rpc::LIST_SITES, filter, &asked.page)?;
        let (after, filter, asked) = (place.after.as_ref(), &asked.filter(), &asked);
        let (rows, then) = self
            .db
            .read("list_sites", scope, |tx| async move {
                let rows = sites::list(&tx, scope, filter, after, asked.page.size).await?;
                let then = known_at(&tx, &self.wire, asked.read_time, &rows.rows).await?;
                Ok((tx, (rows, then)))
            })
            .await?;
        let then = then.map(|sites| sites.into_iter().filter(|site| asked.shows(site)).collect());
        let key = |site: &Site| (site.facts.name.operator.to_string(), site.facts.name.site.to_string());
        Ok(place.page(rows, key)?.with(then))
    }

    /// Lists blocks.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (site), `INVALID_PAGE_TOKEN`.
    pub async fn list_blocks(&self, caller: &Caller, asked: ListBlocks) -> Result<Page<Block>, Error> {
        let ListBlocks { operator, site, show_archived, read_time, page } = asked;
        let scope = &self.site_scope(caller, operator.as_ref(), site.as_ref(), "site").await?;
        let filter = format!("{operator:?}|{site:?}|{show_archived}|{read_time:?}");
        let place: Place<'_, blocks::BlockKey> = self.place(caller, rpc::LIST_BLOCKS, filter, &page)?;
        let after = place.after.as_ref();
        // Of a past instant, what was archived since counts too.
        let of = &BlockFilter { operator, site, show_archived: show_archived || read_time.is_some() };
        let (rows, then) = self
            .db
            .read("list_blocks", scope, |tx| async move {
                let rows = blocks::list(&tx, scope, of, after, page.size).await?;
                let then = known_at(&tx, &self.wire, read_time, &rows.rows).await?;
                Ok((tx, (rows, then)))
            })
            .await?;
        let is_shown = |block: &Block| show_archived || block.archived_at.is_none();
        let then = then.map(|blocks| blocks.into_iter().filter(is_shown).collect());
        let page = place.page(rows, |block| {
            let name = &block.facts.name;
            (name.operator.to_string(), name.site.to_string(), name.block.to_string())
        })?;
        Ok(page.with(then))
    }

    /// Lists phases.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (block), `INVALID_PAGE_TOKEN`.
    pub async fn list_phases(&self, caller: &Caller, asked: ListPhases) -> Result<Page<Phase>, Error> {
        let ListPhases { operator, site, block, read_time, page } = asked;
        let scope = &self.block_scope(caller, operator.as_ref(), site.as_ref(), block.as_ref()).await?;
        let filter = format!("{operator:?}|{site:?}|{block:?}|{read_time:?}");
        let place: Place<'_, phases::PhaseKey> = self.place(caller, rpc::LIST_PHASES, filter, &page)?;
        let after = place.after.as_ref();
        let parent = &PhaseParent { operator, site, block };
        let (rows, then) = self
            .db
            .read("list_phases", scope, |tx| async move {
                let rows = phases::list(&tx, scope, parent, after, page.size).await?;
                let then = known_at(&tx, &self.wire, read_time, &rows.rows).await?;
                Ok((tx, (rows, then)))
            })
            .await?;
        let page = place.page(rows, |phase| {
            let name = &phase.name;
            (name.operator.to_string(), name.site.to_string(), name.block.to_string(), name.phase.to_string())
        })?;
        Ok(page.with(then))
    }

    /// The scope of a list under an operator that must exist, or under all.
    pub(crate) async fn parent_scope(
        &self,
        caller: &Caller,
        operator: Option<&OperatorId>,
    ) -> Result<Scope, Error> {
        match operator {
            None => Ok(reading_scope(caller)),
            Some(operator) => {
                self.get_operator(caller, operator, None).await?;
                scope_of(caller, operator, "operator")
            }
        }
    }

    /// The scope of a list under a block that must exist, or under all of a site, an operator or everybody.
    pub(crate) async fn block_scope(
        &self,
        caller: &Caller,
        operator: Option<&OperatorId>,
        site: Option<&SiteId>,
        block: Option<&BlockSlug>,
    ) -> Result<Scope, Error> {
        match (operator, site, block) {
            (Some(operator), Some(site), Some(block)) => {
                let name = BlockName::new(operator.clone(), site.clone(), block.clone());
                self.get_block(caller, &name, None).await?;
                scope_of(caller, operator, "block")
            }
            _ => self.site_scope(caller, operator, site, "block").await,
        }
    }

    async fn site_scope(
        &self,
        caller: &Caller,
        operator: Option<&OperatorId>,
        site: Option<&SiteId>,
        resource: &'static str,
    ) -> Result<Scope, Error> {
        let absent = |error: Error| match error.reason() {
            kernel::Reason::ResourceNotFound => Error::not_found(resource),
            _ => error,
        };
        match (operator, site) {
            (Some(operator), Some(site)) => {
                let name = SiteName::new(operator.clone(), site.clone());
                self.get_site(caller, &name, None).await.map_err(absent)?;
                scope_of(caller, operator, resource)
            }
            _ => self.parent_scope(caller, operator).await.map_err(absent),
        }
    }
}
