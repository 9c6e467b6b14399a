//! `ImportInventory`: everything in a table, or nothing.

use std::collections::BTreeMap;
use std::sync::Mutex;

use kernel::{BlockId, BlockName, Caller, Error, Instant, OperatorId, PhaseName, Reason, SiteName, Uuid};
use postgres::{Answer, NewEvent, Tx, outbox};
use serde::Serialize;

use super::create_phase::deliver;
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::block::{Block, BlockDraft};
use crate::domain::grid::Draw;
use crate::domain::operator::Operator;
use crate::domain::phase::PhaseDraft;
use crate::domain::site::{Site, SiteDraft};
use crate::store::{SCHEMA, blocks, operators, phases, sites};

/// A row of a table, by its number.
pub type Numbered<T> = (i32, T);

/// What a table asks to be created.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// Whose it becomes.
    pub operator: OperatorId,
    /// Sites.
    pub sites: Vec<Numbered<SiteDraft>>,
    /// Blocks, of these sites or of others.
    pub blocks: Vec<Numbered<BlockDraft>>,
    /// Phases, of these blocks or of others.
    pub phases: Vec<Numbered<PhaseDraft>>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Something that is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row.
    pub row: i32,
    /// The column; empty where it is the row as a whole.
    pub column: String,
    /// What it must be.
    pub message: String,
}

/// What became of a table: created, or nothing of it and why.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Sites created.
    pub sites: usize,
    /// Blocks created.
    pub blocks: usize,
    /// Phases created.
    pub phases: usize,
    /// What is in the way.
    pub problems: Vec<Problem>,
}

impl App {
    /// Creates everything in the table in one transaction, with an event for each thing. What is in the way of any
    /// row is found for all of them, and then nothing is created and nothing recorded.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator), `REQUEST_ID_REUSED`.
    pub async fn import_inventory(
        &self,
        caller: &Caller,
        command: Import,
    ) -> Result<Answer<Imported>, Error> {
        let operator = &command.operator;
        own_scope(caller, operator, "operator")?;
        let (now, wire) = (self.now(), self.wire);
        let how = Write {
            name: "import_inventory",
            rpc: rpc::IMPORT_INVENTORY,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::OPERATOR_IMPORTED,
            tell: &move |(of, _): &(Operator, Imported)| {
                (format!("operators/{}", of.facts.operator), (wire.operator)(of))
            },
            reply: wire.imported,
        };
        let problems: Mutex<Vec<Problem>> = Mutex::new(Vec::new());
        let (in_the_way, import) = (&problems, &command);
        let answer = self
            .write(caller, &command, how, |tx| async move {
                let of = operators::find(&tx, operator).await?.ok_or_else(|| Error::not_found("operator"))?;
                let mut work = Work { app: self, tx: &tx, now, problems: Vec::new(), sites: BTreeMap::new() };
                let blocks = work.create_all(import).await?;
                let found = work.problems;
                let none = found.is_empty();
                if let Ok(mut slot) = in_the_way.lock() {
                    *slot = found;
                }
                if !none {
                    return Err(Error::internal("rows are in the way: rolled back"));
                }
                let done = Imported {
                    sites: import.sites.len(),
                    blocks,
                    phases: import.phases.len(),
                    problems: Vec::new(),
                };
                Ok((tx, (of, done)))
            })
            .await;
        let problems = problems.into_inner().unwrap_or_default();
        match answer {
            Err(_) if !problems.is_empty() => Ok(Answer::Fresh(Imported { problems, ..Imported::default() })),
            Err(error) => Err(error),
            Ok(Answer::Replayed(reply)) => Ok(Answer::Replayed(reply)),
            Ok(Answer::Fresh((_, done))) => Ok(Answer::Fresh(done)),
        }
    }
}

/// A site under work: locked, with what its phases draw and the blocks that were read or made.
struct Place {
    site: Site,
    draws: Option<Vec<Draw>>,
    blocks: BTreeMap<BlockName, Option<Block>>,
    /// Blocks that got phases, with the last of them.
    touched: BTreeMap<Uuid, PhaseName>,
}

/// One import in its transaction.
struct Work<'a> {
    app: &'a App,
    tx: &'a Tx,
    now: Instant,
    problems: Vec<Problem>,
    /// By name; none is a site that is not there.
    sites: BTreeMap<SiteName, Option<Place>>,
}

impl Work<'_> {
    /// Creates all rows that nothing is in the way of; gives the number of blocks.
    async fn create_all(&mut self, import: &Import) -> Result<usize, Error> {
        // Sites of others are locked in the order of their names, as every transaction does.
        let mut named: Vec<SiteName> =
            import.blocks.iter().map(|(_, draft)| draft.name.site_name()).collect();
        named.extend(import.phases.iter().map(|(_, draft)| draft.name.block_name().site_name()));
        named.extend(import.sites.iter().map(|(_, draft)| draft.name.clone()));
        named.sort_unstable();
        named.dedup();
        for name in named {
            let place = sites::lock(self.tx, &name).await?.map(Place::of);
            self.sites.insert(name, place);
        }
        for (row, draft) in &import.sites {
            self.site(*row, draft).await?;
        }
        for (row, draft) in &import.blocks {
            self.block(*row, draft).await?;
        }
        self.lock_blocks(import).await?;
        for (row, draft) in &import.phases {
            self.phase(*row, draft).await?;
        }
        for (name, place) in &self.sites {
            let Some(place) = place.as_ref().filter(|place| !place.touched.is_empty()) else { continue };
            for (block, last) in &place.touched {
                self.app.delivered(self.tx, last, BlockId::new(*block), import.validate_only).await?;
            }
            sites::raise(self.tx, name).await?;
        }
        Ok(import.blocks.len())
    }

    /// Reads the blocks that get phases, and locks them in the order of their ids, as every transaction does.
    async fn lock_blocks(&mut self, import: &Import) -> Result<(), Error> {
        let mut ids: Vec<Uuid> = Vec::new();
        for (_, draft) in &import.phases {
            let name = draft.name.block_name();
            let Some(Some(place)) = self.sites.get_mut(&name.site_name()) else { continue };
            if !place.blocks.contains_key(&name) {
                place.blocks.insert(name.clone(), blocks::find(self.tx, &name).await?);
            }
            ids.extend(place.blocks.get(&name).and_then(Option::as_ref).map(|block| block.id.get()));
        }
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            blocks::lock(self.tx, &import.operator, BlockId::new(id)).await?;
        }
        Ok(())
    }

    fn problem(&mut self, row: i32, column: &str, message: impl Into<String>) {
        self.problems.push(Problem { row, column: column.to_owned(), message: message.into() });
    }

    async fn site(&mut self, row: i32, draft: &SiteDraft) -> Result<(), Error> {
        if self.sites.get(&draft.name).is_some_and(Option::is_some) {
            self.problem(row, "site", "is taken by another site");
            return Ok(());
        }
        let site = Site {
            facts: draft.clone(),
            version: 1,
            created_at: self.now,
            updated_at: self.now,
            archived_at: None,
        };
        sites::insert(self.tx, &site).await?;
        let payload = (self.app.wire.site)(&site);
        self.tell(kind::SITE_CREATED, &draft.name.operator, draft.name.to_string(), payload).await?;
        self.sites.insert(draft.name.clone(), Some(Place::of(site)));
        Ok(())
    }

    async fn block(&mut self, row: i32, draft: &BlockDraft) -> Result<(), Error> {
        let Some(Some(place)) = self.sites.get(&draft.name.site_name()) else {
            self.problem(row, "site", "is neither in the table nor a site of the operator");
            return Ok(());
        };
        if place.site.archived_at.is_some() {
            self.problem(row, "site", "is archived");
            return Ok(());
        }
        if blocks::find(self.tx, &draft.name).await?.is_some() {
            self.problem(row, "block", "is taken by another block");
            return Ok(());
        }
        let block = Block {
            id: BlockId::new(self.app.ids.next()),
            facts: draft.clone(),
            revision: 1,
            created_at: self.now,
            updated_at: self.now,
            archived_at: None,
        };
        blocks::insert(self.tx, &block).await?;
        let payload = (self.app.wire.block)(&block);
        self.tell(kind::BLOCK_CREATED, &draft.name.operator, draft.name.to_string(), payload).await?;
        if let Some(Some(place)) = self.sites.get_mut(&draft.name.site_name()) {
            place.blocks.insert(draft.name.clone(), Some(block));
        }
        Ok(())
    }

    async fn phase(&mut self, row: i32, draft: &PhaseDraft) -> Result<(), Error> {
        let name = draft.name.block_name();
        let Some(Some(place)) = self.sites.get_mut(&name.site_name()) else {
            self.problem(row, "site", "is neither in the table nor a site of the operator");
            return Ok(());
        };
        let Some(Some(block)) = place.blocks.get(&name) else {
            self.problem(row, "block", "is neither in the table nor a block of the site");
            return Ok(());
        };
        if block.archived_at.is_some() {
            self.problem(row, "block", "is archived");
            return Ok(());
        }
        let draws = match &mut place.draws {
            Some(draws) => draws,
            none => none.insert(phases::draws(self.tx, &place.site.facts.name, None).await?),
        };
        match deliver(self.tx, &place.site, block, draft, draws, self.now).await {
            Ok(delivered) => {
                place.touched.insert(block.id.get(), draft.name.clone());
                let payload = (self.app.wire.phase)(&delivered.phase);
                self.tell(kind::PHASE_CREATED, &name.operator, draft.name.to_string(), payload).await
            }
            Err(refusal) => self.refused(row, refusal),
        }
    }

    /// A refusal of one row is a problem of it; what keeps the store from answering is none.
    fn refused(&mut self, row: i32, refusal: Error) -> Result<(), Error> {
        let column = match refusal.reason() {
            Reason::NameTaken => "phase",
            Reason::SitePowerExceeded => "gross_kw",
            Reason::TermOutOfRange => "ready_for_service_date",
            Reason::InvalidField => {
                for violation in refusal.violations() {
                    let column = violation.field.trim_start_matches("phase.").trim_start_matches("capacity.");
                    self.problem(row, column, violation.description.clone());
                }
                return Ok(());
            }
            _ => return Err(refusal),
        };
        self.problem(row, column, refusal.message().to_owned());
        Ok(())
    }

    async fn tell(
        &self,
        kind: &'static str,
        operator: &OperatorId,
        subject: String,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(operator.clone()),
            tenant: None,
            kind,
            subject,
            occurred_at: self.now,
            payload,
        };
        outbox::append(self.tx.conn(), SCHEMA, self.app.ids.next(), &event).await
    }
}

impl Place {
    fn of(site: Site) -> Self {
        Self { site, draws: None, blocks: BTreeMap::new(), touched: BTreeMap::new() }
    }
}
