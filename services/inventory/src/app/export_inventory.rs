//! `ExportInventory`: an operator's sites with their blocks and phases, whole sites a page.

use kernel::{Caller, Error, OperatorId};

use super::place::Place;
use super::{App, Page, PageRequest, own_scope, rpc};
use crate::domain::block::Block;
use crate::domain::phase::Phase;
use crate::domain::site::Site;
use crate::domain::use_state::UseState;
use crate::store::blocks::BlockFilter;
use crate::store::phases::PhaseParent;
use crate::store::sites::SiteFilter;
use crate::store::{Rows, blocks, phases, sites};

/// Rows after which a page ends: what an import takes.
pub const ROWS_MAX: usize = 2_000;
/// Blocks and phases of one site: far beyond what there is.
const OF_SITE_MAX: u32 = 100_000;

/// A site with everything on it.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The site.
    pub site: Site,
    /// Its blocks.
    pub blocks: Vec<Block>,
    /// Their phases.
    pub phases: Vec<Phase>,
}

impl Whole {
    fn rows(&self) -> usize {
        1 + self.site.facts.grid_steps.len() + self.blocks.len() + self.phases.len()
    }
}

impl App {
    /// Reads a page of whole sites that are not archived, at least one.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `INVALID_PAGE_TOKEN`.
    pub async fn export_inventory(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        format: &str,
        page: PageRequest,
    ) -> Result<Page<Whole>, Error> {
        let scope = &own_scope(caller, operator, "operator")?;
        self.get_operator(caller, operator, None).await?;
        let filter = format!("{operator}|{format}");
        let place: Place<'_, (String, String)> = self.place(caller, rpc::EXPORT_INVENTORY, filter, &page)?;
        let after = place.after.as_ref();
        let rows = self
            .db
            .read("export_inventory", scope, |tx| async move {
                let filter = SiteFilter { operator: Some(operator.clone()), ..SiteFilter::default() };
                let Rows { rows: found, mut more } =
                    sites::list(&tx, scope, &filter, after, page.size).await?;
                let (mut whole, mut rows): (Vec<Whole>, usize) = (Vec::new(), 0);
                for site in found {
                    let id = Some(site.facts.name.site.clone());
                    let of = BlockFilter {
                        operator: Some(operator.clone()),
                        site: id.clone(),
                        show_archived: false,
                    };
                    let blocks = blocks::list(&tx, scope, &of, None, OF_SITE_MAX).await?.rows;
                    let of = PhaseParent { operator: Some(operator.clone()), site: id, block: None };
                    let mut phases = phases::list(&tx, scope, &of, None, OF_SITE_MAX).await?.rows;
                    // Phases of blocks that are archived stay with them, and what is cancelled would come back to life.
                    phases.retain(|phase| {
                        phase.use_state != UseState::Cancelled
                            && blocks.iter().any(|block| block.facts.name == phase.name.block_name())
                    });
                    let one = Whole { site, blocks, phases };
                    rows += one.rows();
                    if rows > ROWS_MAX && !whole.is_empty() {
                        more = true;
                        break;
                    }
                    whole.push(one);
                }
                Ok((tx, Rows { rows: whole, more }))
            })
            .await?;
        place.page(rows, |whole| {
            let name = &whole.site.facts.name;
            (name.operator.to_string(), name.site.to_string())
        })
    }
}
