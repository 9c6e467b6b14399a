//! One operator with everything that can exist: halls, a hold, leases in different states, a run in draft, an invoice
//! issued, and a tenant on the other side.

mod agreements;
mod life;
mod money;
mod names;
mod offers;
mod rights;
mod trouble;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use kernel::Role;

pub use self::agreements::{drafted, general_terms, signed_agreement};
pub use self::life::holds_over;
pub use self::names::Names;
pub use self::offers::{another_offer, can_quote};
pub use self::rights::{assigned, refusal_of};
use self::trouble::{maintain, outage};
use crate::market::{self, day, request_id};
use crate::requests::amendments::{encumbrance, waitlist_entry};
use crate::requests::charging;
use crate::{TestStack, eventually};

/// Noon of this day everything has commenced that begins on [`market::READY`].
pub const AFTER_COMMENCEMENT: &str = "2027-01-02";

/// A built world.
#[derive(Clone, Debug)]
pub struct World {
    /// What it is called.
    pub names: Names,
    /// The lease in force, as it was when it commenced.
    pub lease: leasing::Lease,
}

impl World {
    /// Builds the world of `operator` and `tenant`; every text of theirs holds `marker`.
    pub async fn build(stack: &TestStack, operator: &str, tenant: &str, marker: &str) -> Result<Self> {
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let place = market::site(clients, operator, &[market::hall(10_000), market::hall(100_000)]).await?;
        let tenant = market::tenant(clients, tenant).await?;
        let [block, free_block] = place.blocks.as_slice() else { anyhow::bail!("two halls") };
        // A phase raises its site's etag: it comes before that is read.
        let spare_phase = enlarge(stack, &place, free_block).await?;
        let ready_block = life::ready_hall(stack, &place).await?;
        let (site_etag, block_etag) = mark(stack, &place, block, marker).await?;
        let (spare_site, spare_block) = spare(stack, &place).await?;
        let window = maintain(stack, &place, block, marker).await?;

        let sales = stack.clients(&place.operator, Role::Sales)?;
        let mut hold = market::hold(&place.operator, free_block, &tenant, market::load(1_000));
        hold.note = format!("{marker} a hold");
        let place_hold = async |hold| {
            let held = sales.reservations().place_hold(hold).await?.into_inner();
            anyhow::Ok(held.reservation.context("a hold")?.name)
        };
        let reservation = place_hold(hold.clone()).await?;
        let other_reservation =
            place_hold(inventory::PlaceHoldRequest { request_id: request_id(), ..hold }).await?;

        let propose = async |id: &str, block: &str, kw: i64| {
            let mut terms = market::terms(block, market::load(kw));
            terms.notes = format!("{marker} terms");
            let proposal = market::proposal(&place.operator, &tenant, id, terms);
            let answer = sales.leases().propose_lease(proposal).await.context("propose")?.into_inner();
            answer.lease.context("a lease")
        };
        let lease = propose("in-force", block, 10_000).await?;
        sign(clients, &lease).await?;
        let proposed = propose("proposed", free_block, 2_000).await?;
        let life = life::live(stack, &place, &tenant, marker, ready_block).await?;

        stack.move_to(stack.today().await?.max(day(AFTER_COMMENCEMENT))).await?;
        let lease = in_state(&sales, &lease.name, leasing::LeaseState::Active).await?;
        let incident = outage(stack, &place.operator, block, marker).await?;
        let bills = bill(stack, &place.operator).await?;
        let names = Names {
            operator: place.operator,
            tenant,
            site: place.site,
            block: block.clone(),
            free_block: free_block.clone(),
            spare_site,
            spare_block,
            phase: format!("{block}/phases/one"),
            spare_phase,
            window,
            reservation,
            other_reservation,
            incident,
            proposed: proposed.name,
            terms_hash: proposed.terms_hash,
            active: lease.name.clone(),
            account: bills.issued.account,
            draft_run: bills.draft_run,
            draft_invoice: bills.draft.name,
            open_invoice: bills.issued.name,
            // Nobody has changed it.
            operator_etag: "1".to_owned(),
            site_etag,
            block_etag,
            // Nobody has changed it.
            phase_etag: "1".to_owned(),
            // The rest is made of these.
            ..Names::default()
        };
        let names = beside(&sales, life.named(names), marker).await?;
        let mut names = crate::requests::tender::tender(stack, names, marker).await?;
        charging(stack, &mut names, marker).await?;
        offers::offer(stack, &mut names, marker).await?;
        rights::rights(stack, &mut names, marker).await?;
        money::money(stack, &mut names, marker).await?;
        Ok(Self { names, lease })
    }
}

/// What usage is charged by.
async fn charging(stack: &TestStack, names: &mut Names, marker: &str) -> Result<()> {
    names.meter = metered(stack, names, marker).await?;
    names.tariff = priced(stack, &names.operator, marker).await?;
    names.charging_plan = charged(stack, names).await?;
    let finance = stack.clients(&names.operator, Role::Finance)?;
    let bill = billing::UtilityBill {
        number: format!("{marker} bill"),
        ..charging::utility_bill(names, "2026-11-01", "2026-12-01")
    };
    let record = charging::record(&names.operator, bill);
    let recorded = finance.charging().record_utility_bill(record).await.context("record a bill")?;
    names.utility_bill = recorded.into_inner().utility_bill.context("a bill")?.name;
    Ok(())
}

/// What stands beside reservations.
async fn beside(sales: &Clients, mut names: Names, marker: &str) -> Result<Names> {
    let note = format!("{marker} beside");
    let place = inventory::PlaceEncumbranceRequest {
        parent: names.operator.clone(),
        encumbrance: Some(inventory::Encumbrance { note: note.clone(), ..encumbrance(&names) }),
        request_id: request_id(),
        validate_only: false,
    };
    let placed = sales.encumbrances().place_encumbrance(place).await.context("place a right")?.into_inner();
    names.encumbrance = placed.encumbrance.context("a right")?.name;
    let join = inventory::JoinWaitlistRequest {
        parent: names.operator.clone(),
        waitlist_entry: Some(inventory::WaitlistEntry { note, ..waitlist_entry(&names) }),
        request_id: request_id(),
        validate_only: false,
    };
    let joined = sales.waitlist().join_waitlist(join).await.context("join the waitlist")?.into_inner();
    names.waitlist_entry = joined.waitlist_entry.context("an entry")?.name;
    Ok(names)
}

/// Signs a lease for the tenant and then for the operator; gives it as the last signature left it.
pub async fn sign(
    clients: impl Fn(&str, Role) -> Result<Clients>,
    lease: &leasing::Lease,
) -> Result<leasing::Lease> {
    let operator = operator_of(&lease.name)?;
    let tenant = clients(&lease.tenant, Role::Tenant)?;
    tenant.leases().sign_lease(market::signature(lease)).await.context("the tenant signs")?;
    let admin = clients(operator, Role::OperatorAdmin)?;
    let signed = admin.leases().sign_lease(market::signature(lease)).await.context("the operator signs")?;
    let lease = signed.into_inner().lease.context("a lease")?;
    ensure!(lease.state() == leasing::LeaseState::Effective, "signed by both: {lease:#?}");
    Ok(lease)
}

/// `operators/{operator}` of a name below it.
pub fn operator_of(name: &str) -> Result<&str> {
    let end = name.match_indices('/').nth(1).with_context(|| format!("{name} is not below an operator"))?.0;
    Ok(&name[..end])
}

/// Waits until a lease has come into a state.
pub async fn in_state(clients: &Clients, name: &str, state: leasing::LeaseState) -> Result<leasing::Lease> {
    eventually(&format!("{name} is {}", state.as_str_name()), async || {
        let request = leasing::GetLeaseRequest { name: name.to_owned(), version: 0 };
        let lease = clients.leases().get_lease(request).await?.into_inner().lease.context("a lease")?;
        Ok((lease.state() == state).then_some(lease))
    })
    .await
}

/// Waits until billing knows of a lease and would bill it.
pub async fn known_to_billing(finance: &Clients, lease: &str, through: &str) -> Result<()> {
    eventually(&format!("billing knows {lease}"), async || {
        let request = billing::PreviewInvoicesRequest {
            lease: lease.to_owned(),
            through_date: Some(market::date(through)),
            until_end: false,
        };
        match finance.invoices().preview_invoices(request).await {
            Ok(preview) => Ok((!preview.into_inner().invoices.is_empty()).then_some(())),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    })
    .await
}

/// Waits until billing knows of something to bill in a month: it hears of commencements a moment after leasing.
pub async fn billable(finance: &Clients, operator: &str, year: i32, month: i32) -> Result<()> {
    invoices_due(finance, operator, (year, month), 1).await
}

/// Waits until billing knows of so many invoices to make in a month, since it hears of leases one after the other.
pub async fn invoices_due(
    finance: &Clients,
    operator: &str,
    (year, month): (i32, i32),
    count: usize,
) -> Result<()> {
    eventually(&format!("{operator} has {count} to bill in {year}-{month}"), async || {
        let start = billing::StartBillingRunRequest {
            parent: operator.to_owned(),
            billing_month: Some(billing::BillingMonth { year, month }),
            request_id: request_id(),
            validate_only: true,
        };
        match finance.invoices().start_billing_run(start).await {
            Ok(answer) => Ok((answer.into_inner().invoices.len() >= count).then_some(())),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(status.into()),
        }
    })
    .await
}

/// A tariff of a customer charge and a price of energy.
async fn priced(stack: &TestStack, operator: &str, marker: &str) -> Result<String> {
    let finance = stack.clients(operator, Role::Finance)?;
    let tariff = crate::requests::tariffs::tariff();
    let create = billing::CreateTariffRequest {
        parent: operator.to_owned(),
        tariff_id: "blended".to_owned(),
        tariff: Some(billing::Tariff { display_name: format!("{marker} tariff"), ..tariff }),
        request_id: request_id(),
        validate_only: false,
    };
    let created = finance.tariffs().create_tariff(create).await.context("create a tariff")?.into_inner();
    Ok(created.tariff.context("a tariff")?.name)
}

/// The tenant's meter, with the readings of four hours of 1 January and a correction of one.
async fn metered(stack: &TestStack, names: &Names, marker: &str) -> Result<String> {
    let ops = stack.clients(&names.operator, Role::SiteOps)?;
    let create = billing::CreateMeterRequest {
        parent: names.operator.clone(),
        meter_id: "hall-one".to_owned(),
        meter: Some(billing::Meter { display_name: format!("{marker} meter"), ..market::meter(names) }),
        request_id: request_id(),
        validate_only: false,
    };
    let created = ops.meters().create_meter(create).await.context("create a meter")?.into_inner();
    let name = created.meter.context("a meter")?.name;
    let mut corrected = market::series(&name, "2027-01-01T06:15:00Z", &[2_400_000]);
    corrected.revision = 1;
    let first = market::series(&name, "2027-01-01T06:00:00Z", &[2_500_000; 16]);
    let message = billing::IngestReadingsRequest {
        parent: names.operator.clone(),
        series: vec![first, corrected],
        validate_only: false,
    };
    let kept = ops.meters().ingest_readings(tokio_stream::iter([message])).await.context("send readings")?;
    ensure!(kept.into_inner().new_count == 16, "sixteen intervals are read");
    Ok(name)
}

/// The tenant's meter is charged by the tariff.
async fn charged(stack: &TestStack, names: &Names) -> Result<String> {
    let finance = stack.clients(&names.operator, Role::Finance)?;
    let create = charging::create(&names.operator, "hall-one", charging::plan(names));
    let created = finance.charging().create_charging_plan(create).await.context("create a plan")?;
    Ok(created.into_inner().charging_plan.context("a plan")?.name)
}

/// Puts the marker on what the site and the hall are called.
async fn mark(
    stack: &TestStack,
    place: &market::Site,
    block: &str,
    marker: &str,
) -> Result<(String, String)> {
    let mut sites = stack.clients(&place.operator, Role::SiteOps)?.sites();
    let site = sites
        .get_site(inventory::GetSiteRequest { name: place.site.clone(), ..Default::default() })
        .await?
        .into_inner();
    let mut site = site.site.context("a site")?;
    site.current_use = format!("{marker} use");
    let update_mask = Some(prost_types::FieldMask { paths: vec!["current_use".to_owned()] });
    let update = inventory::UpdateSiteRequest {
        site: Some(site),
        update_mask,
        request_id: request_id(),
        validate_only: false,
    };
    let site =
        sites.update_site(update).await.context("update the site")?.into_inner().site.context("a site")?;
    let block = sites
        .get_block(inventory::GetBlockRequest { name: block.to_owned(), ..Default::default() })
        .await?
        .into_inner();
    let mut block = block.block.context("a hall")?;
    block.display_name = format!("{marker} hall");
    let update_mask = Some(prost_types::FieldMask { paths: vec!["display_name".to_owned()] });
    let update = inventory::UpdateBlockRequest {
        block: Some(block),
        update_mask,
        request_id: request_id(),
        validate_only: false,
    };
    let block =
        sites.update_block(update).await.context("update the hall")?.into_inner().block.context("a hall")?;
    Ok((site.etag, block.etag))
}

/// More capacity of a hall, to come.
async fn enlarge(stack: &TestStack, place: &market::Site, block: &str) -> Result<String> {
    let mut sites = stack.clients(&place.operator, Role::SiteOps)?.sites();
    let phase = inventory::CreatePhaseRequest {
        parent: block.to_owned(),
        phase_id: "spare".to_owned(),
        phase: Some(market::phase(market::hall(1_000), "2028-06-01")),
        request_id: request_id(),
        validate_only: false,
    };
    let phase = sites.create_phase(phase).await.context("a spare phase")?.into_inner();
    Ok(phase.phase.context("a phase")?.name)
}

/// A site and a hall on which nothing depends.
async fn spare(stack: &TestStack, place: &market::Site) -> Result<(String, String)> {
    let mut sites = stack.clients(&place.operator, Role::SiteOps)?.sites();
    let site = inventory::CreateSiteRequest {
        parent: place.operator.clone(),
        site_id: "spare".to_owned(),
        site: Some(market::grid_site(1_000)),
        request_id: request_id(),
        validate_only: false,
    };
    let site = sites.create_site(site).await.context("a spare site")?.into_inner().site.context("a site")?;
    let block = inventory::CreateBlockRequest {
        parent: place.site.clone(),
        block_id: "spare".to_owned(),
        block: Some(market::liquid_block()),
        request_id: request_id(),
        validate_only: false,
    };
    let block =
        sites.create_block(block).await.context("a spare hall")?.into_inner().block.context("a hall")?;
    Ok((site.name, block.name))
}

struct Bills {
    issued: billing::Invoice,
    draft_run: String,
    draft: billing::Invoice,
}

/// January is billed and issued, February is in draft.
async fn bill(stack: &TestStack, operator: &str) -> Result<Bills> {
    let finance = stack.clients(operator, Role::Finance)?;
    billable(&finance, operator, 2027, 1).await?;
    let run = async |month| {
        let start = billing::StartBillingRunRequest {
            parent: operator.to_owned(),
            billing_month: Some(billing::BillingMonth { year: 2027, month }),
            request_id: request_id(),
            validate_only: false,
        };
        let answer = finance.invoices().start_billing_run(start).await.context("start a run")?.into_inner();
        anyhow::Ok((answer.billing_run.context("a run")?, answer.invoices))
    };
    let (january, _) = run(1).await?;
    let issue = billing::IssueBillingRunRequest {
        name: january.name,
        etag: january.etag,
        request_id: request_id(),
        validate_only: false,
    };
    let mut issued = finance.invoices().issue_billing_run(issue).await.context("issue a run")?.into_inner();
    let (february, mut drafts) = run(2).await?;
    Ok(Bills {
        issued: issued.invoices.pop().context("an invoice of January")?,
        draft_run: february.name,
        draft: drafts.pop().context("an invoice of February")?,
    })
}
