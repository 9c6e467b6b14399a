//! A salesperson's day in the terminal: find, hold, propose, follow the deal, see what runs out. Sales never signs.

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use gridlease::sales::{
    self, Agreement, Agreements, Clear, Consent, Deadlines, Draft, EndAgreement, Find, Hold, Lease, Nominate,
    OperatorWhat, Pipeline, Premises, Propose, SalesWhat, Server, Sign, SignAgreement, Unplaced,
};
use integration_tests::market::{self, READY, day, request_id};
use integration_tests::requests::tender::opportunity;
use integration_tests::world::{assigned, refusal_of, signed_agreement};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use serde_json::Value;
use tonic::{Code, Status};

/// The desk of acme, which has a hall of 10 MW.
struct Desk {
    stack: TestStack,
    hall: String,
}

impl Desk {
    async fn prepare() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(10_000)]).await?;
        market::tenant(clients, "lab").await?;
        let hall = site.blocks.first().context("a hall")?.clone();
        Ok(Self { stack, hall })
    }

    fn server(&self, role: Role, json: bool) -> Result<Server> {
        let at = self.stack.stack().addresses();
        Ok(Server {
            inventory: format!("http://{}", at.inventory),
            leasing: format!("http://{}", at.leasing),
            operator: "acme".parse()?,
            token: Some(self.stack.token("operators/acme", role)?),
            data_dir: None,
            json,
        })
    }

    fn premises(&self, kw: i64) -> Result<Premises> {
        Ok(Premises {
            tenant: "lab".parse()?,
            kw,
            liquid_percent: 85,
            from: day(READY),
            months: 120,
            days: 30,
        })
    }

    fn find(&self, kw: i64) -> Result<SalesWhat> {
        Ok(SalesWhat::Find(Find {
            kw,
            liquid_percent: 85,
            from: day(READY),
            months: 120,
            grids: vec!["ERCOT".to_owned()],
            server: self.server(Role::Sales, true)?,
        }))
    }

    fn hold(&self, kw: i64) -> Result<SalesWhat> {
        Ok(SalesWhat::Hold(Hold {
            block: self.hall.parse()?,
            premises: self.premises(kw)?,
            note: "while the papers are drawn up".to_owned(),
            server: self.server(Role::Sales, true)?,
        }))
    }

    /// A proposal of 4 MW of nothing yet.
    fn proposal(&self, id: &str) -> Result<Propose> {
        Ok(Propose {
            block: None,
            site: None,
            name_by: None,
            nomination: "later".to_owned(),
            premises: self.premises(4_000)?,
            rate: "125".parse()?,
            escalator: "3".to_owned(),
            currency: "USD".to_owned(),
            agreement: None,
            id: id.to_owned(),
            server: self.server(Role::Sales, true)?,
        })
    }

    fn lease(&self, name: &str) -> Result<SalesWhat> {
        Ok(SalesWhat::Lease(Lease { name: name.parse()?, server: self.server(Role::Sales, true)? }))
    }

    /// A signature for the operator by whoever has this role, of the terms that were read.
    fn signature(&self, lease: &str, role: Role, terms_hash: Option<&str>) -> Result<OperatorWhat> {
        Ok(OperatorWhat::Sign(Sign {
            lease: lease.parse()?,
            name: "Ben Ortiz".to_owned(),
            title: "Director".to_owned(),
            terms_hash: terms_hash.map(str::to_owned),
            server: self.server(role, true)?,
        }))
    }
}

async fn rows(what: SalesWhat) -> Result<Value> {
    Ok(serde_json::from_str(&sales::told(what).await?)?)
}

fn word<'a>(row: &'a Value, key: &str) -> Result<&'a str> {
    row[key].as_str().with_context(|| format!("no {key}: {row:#}"))
}

/// The refusal at the bottom of a command that failed.
fn refused<T>(told: Result<T>) -> Result<Refusal> {
    let error = told.err().context("it was done")?;
    Refusal::of(error.chain().find_map(|cause| cause.downcast_ref::<Status>()).context("no refusal")?)
}

#[tokio::test]
async fn a_salesperson_finds_holds_proposes_and_the_signatory_signs() -> Result<()> {
    let desk = Desk::prepare().await?;
    // What can be offered is found a moment after the hall is made.
    eventually("the hall is found", async || {
        let found = rows(desk.find(6_000)?).await?;
        let free = found[0]["what"] == "free" && found[0]["where"] == desk.hall.as_str();
        Ok(free.then_some(()))
    })
    .await?;

    let held = rows(desk.hold(6_000)?).await?;
    ensure!(word(&held[0], "reservation")?.starts_with("operators/acme/reservations/"), "{held:#}");
    // The hall has no more: what would work is in the refusal.
    let full = refused(sales::told(desk.hold(6_000)?).await)?;
    full.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;

    let propose = Propose { block: Some(desk.hall.parse()?), ..desk.proposal("hall-a")? };
    let proposed = rows(SalesWhat::Propose(Box::new(propose))).await?;
    let lease = word(&proposed[0], "lease")?.to_owned();
    ensure!(lease == "operators/acme/leases/hall-a" && proposed[0]["state"] == "PROPOSED", "{proposed:#}");
    let read = word(&proposed[0], "terms_hash")?;

    let other = "00".repeat(32);
    let signed = sales::operator_told(desk.signature(&lease, Role::Sales, Some(read))?).await;
    refused(signed)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let signed = sales::operator_told(desk.signature(&lease, Role::OperatorAdmin, Some(&other))?).await;
    refused(signed)?.is(Code::FailedPrecondition, "TERMS_HASH_MISMATCH")?;
    let before = rows(desk.lease(&lease)?).await?;
    ensure!(before[1]["state"] == "AWAITED" && before[2]["state"] == "AWAITED", "{before:#}");
    sales::operator_told(desk.signature(&lease, Role::OperatorAdmin, Some(read))?).await?;
    let waiting = rows(desk.lease(&lease)?).await?;
    let next = waiting.as_array().and_then(|all| all.last()).context("what comes next")?;
    ensure!(next["what"] == "next" && next["state"] == "TENANT", "{waiting:#}");

    let tenant = desk.stack.clients("tenants/lab", Role::Tenant)?;
    let get = leasing::GetLeaseRequest { name: lease.clone(), version: 0 };
    let terms = tenant.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    tenant.leases().sign_lease(market::signature(&terms)).await?;
    let signed = rows(desk.lease(&lease)?).await?;
    ensure!(
        signed[0]["state"] == "EFFECTIVE" && signed[3]["where_or_who"] == desk.hall.as_str(),
        "{signed:#}"
    );
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_salesperson_sees_the_pipeline_and_what_runs_out() -> Result<()> {
    let desk = Desk::prepare().await?;
    let client = desk.stack.clients("operators/acme", Role::Sales)?;
    let create = leasing::CreateOpportunityRequest {
        parent: "operators/acme".to_owned(),
        opportunity: Some(opportunity()),
        request_id: request_id(),
        validate_only: false,
    };
    client.pipeline().create_opportunity(create).await?;
    let pipeline = |deals, json| -> Result<SalesWhat> {
        Ok(SalesWhat::Pipeline(Pipeline { deals, server: desk.server(Role::Sales, json)? }))
    };
    let sums = rows(pipeline(false, true)?).await?;
    ensure!(sums[0]["stage"] == "LOI" && sums[0]["weighted_kw"] == "14000", "{sums:#}");
    let deals = rows(pipeline(true, true)?).await?;
    ensure!(deals[0]["deal"] == "Hall B" && deals[0]["who"] == "A lab in stealth", "{deals:#}");
    let table = sales::told(pipeline(true, false)?).await?;
    ensure!(table.contains("Hall B") && table.contains("40,000"), "{table}");

    let deadlines = |json| -> Result<SalesWhat> {
        Ok(SalesWhat::Deadlines(Deadlines { days: 40, server: desk.server(Role::Sales, json)? }))
    };
    ensure!(sales::told(deadlines(false)?).await? == "Nothing runs out within 40 days.");
    ensure!(sales::told(deadlines(true)?).await? == "[]", "a machine reads rows, also none");
    let terms = market::terms(&desk.hall, market::load(2_000));
    let proposal = market::proposal("operators/acme", "tenants/lab", "hall-a", terms);
    client.leases().propose_lease(proposal).await?;
    let found = rows(deadlines(true)?).await?;
    ensure!(found[0]["kind"] == "PROPOSAL_HOLD" && found[0]["it_kw"] == 2_000, "{found:#}");
    desk.stack.stop().await;
    Ok(())
}

impl Desk {
    /// A lease of this tenant on these terms, signed by both.
    async fn agreed(&self, id: &str, terms: leasing::LeaseTerms) -> Result<leasing::Lease> {
        let admin = self.stack.clients("operators/acme", Role::OperatorAdmin)?;
        let tenant = self.stack.clients("tenants/lab", Role::Tenant)?;
        let proposal = market::proposal("operators/acme", "tenants/lab", id, terms);
        let lease = admin.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
        tenant.leases().sign_lease(market::signature(&lease)).await?;
        let signed = admin.leases().sign_lease(market::signature(&lease)).await?.into_inner();
        signed.lease.context("a lease")
    }

    fn clear(&self, lease: &str, role: Role, json: bool) -> Result<SalesWhat> {
        Ok(SalesWhat::Clear(Clear { lease: lease.parse()?, server: self.server(role, json)? }))
    }

    fn consent(&self, lease: &str, role: Role) -> Result<OperatorWhat> {
        Ok(OperatorWhat::Consent(Consent {
            lease: lease.parse()?,
            name: "Ben Ortiz".to_owned(),
            title: "Director".to_owned(),
            server: self.server(role, true)?,
        }))
    }
}

#[tokio::test]
async fn a_salesperson_asks_who_has_a_right_and_sees_the_answer() -> Result<()> {
    let desk = Desk::prepare().await?;
    let expansion_rights = vec![refusal_of(&desk.hall)];
    let terms = market::terms(&desk.hall, market::load(4_000));
    let held = desk.agreed("held", leasing::LeaseTerms { expansion_rights, ..terms }).await?;
    let rival =
        market::tenant(|organisation: &str, role| desk.stack.clients(organisation, role), "rival").await?;
    let sales = desk.stack.clients("operators/acme", Role::Sales)?;
    let terms = market::terms(&desk.hall, market::load(2_000));
    let proposal = market::proposal("operators/acme", &rival, "wanted", terms);
    let wanted = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;

    let asked = rows(desk.clear(&wanted.name, Role::Sales, true)?).await?;
    ensure!(asked.as_array().map(Vec::len) == Some(1), "{asked:#}");
    ensure!(asked[0]["holder"] == "tenants/lab" && asked[0]["answer"] == "OPEN", "{asked:#}");
    ensure!(asked[0]["right"] == "ROFR" && asked[0]["on"] == desk.hall.as_str(), "{asked:#}");
    let table = sales::told(desk.clear(&wanted.name, Role::Sales, false)?).await?;
    ensure!(table.contains("tenants/lab") && table.contains("OPEN"), "{table}");
    let waive = leasing::WaiveRightRequest {
        name: word(&asked[0], "offer")?.to_owned(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
        request_id: request_id(),
        ..Default::default()
    };
    desk.stack.clients("tenants/lab", Role::Tenant)?.rights().waive_right(waive).await?;
    let answered = rows(desk.clear(&wanted.name, Role::Sales, true)?).await?;
    ensure!(answered[0]["answer"] == "WAIVED" && answered[0]["offer"] == asked[0]["offer"], "{answered:#}");

    // Nobody has a right on what its own holder takes; and a lease in force waits for nobody.
    let terms = market::terms(&desk.hall, market::load(1_000));
    let proposal = market::proposal("operators/acme", "tenants/lab", "own", terms);
    let own = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
    let nobody = sales::told(desk.clear(&own.name, Role::Sales, false)?).await?;
    ensure!(nobody == "Nobody has a right on this capacity.", "{nobody}");
    refused(sales::told(desk.clear(&held.name, Role::Sales, true)?).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    refused(sales::told(desk.clear(&wanted.name, Role::Finance, true)?).await)?
        .is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_signatory_consents_to_another_tenant_and_sales_does_not() -> Result<()> {
    let desk = Desk::prepare().await?;
    let lease = desk.agreed("held", market::terms(&desk.hall, market::load(4_000))).await?;
    let other =
        market::tenant(|organisation: &str, role| desk.stack.clients(organisation, role), "rival").await?;
    let nothing = sales::operator_told(desk.consent(&lease.name, Role::OperatorAdmin)?).await;
    refused(nothing)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let tenant = desk.stack.clients("tenants/lab", Role::Tenant)?;
    let wish = assigned(&lease.name, &other);
    tenant.leases().request_assignment(wish.clone()).await.context("the tenant asks")?;
    let sold = sales::operator_told(desk.consent(&lease.name, Role::Sales)?).await;
    refused(sold)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let told = sales::operator_told(desk.consent(&lease.name, Role::OperatorAdmin)?).await?;
    let told: Value = serde_json::from_str(&told)?;
    ensure!(told[0]["lease"] == lease.name.as_str() && told[0]["tenant"] == "tenants/lab", "{told:#}");
    ensure!(told[0]["to"] == other.as_str() && told[0]["what"] == "ASSIGNMENT", "{told:#}");
    ensure!(told[0]["paper"] == wish.reference.as_str(), "{told:#}");
    let twice = sales::operator_told(desk.consent(&lease.name, Role::OperatorAdmin)?).await;
    refused(twice)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_has_no_block_yet_is_listed_and_named_by_the_signatory() -> Result<()> {
    let desk = Desk::prepare().await?;
    let unplaced = async || {
        let server = desk.server(Role::Sales, true)?;
        rows(SalesWhat::Unplaced(Unplaced { server })).await
    };
    ensure!(unplaced().await?.as_array().is_some_and(Vec::is_empty), "nothing is promised");
    let site = desk.hall.split("/blocks/").next().context("a site")?.to_owned();
    let terms = leasing::LeaseTerms {
        premises: Vec::new(),
        nominations: vec![market::nomination(&site, "north", 4_000, "2028-01-01", "2027-09-30")],
        ..market::terms(&desk.hall, market::load(4_000))
    };
    let admin = desk.stack.clients("operators/acme", Role::OperatorAdmin)?;
    let tenant = desk.stack.clients("tenants/lab", Role::Tenant)?;
    let proposal = market::proposal("operators/acme", "tenants/lab", "river", terms);
    let lease = admin.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
    for clients in [&admin, &tenant] {
        clients.leases().sign_lease(market::signature(&lease)).await.context("sign")?;
    }
    let listed = unplaced().await?;
    ensure!(listed[0]["it_kw_left"] == 4_000 && word(&listed[0], "name_by")? == "2027-09-30", "{listed:#}");
    ensure!(word(&listed[0], "site")? == site && word(&listed[0], "tenant")? == "tenants/lab", "{listed:#}");
    let nominate = |role, kw, dry_run| -> Result<OperatorWhat> {
        Ok(OperatorWhat::Nominate(Nominate {
            lease: lease.name.parse()?,
            nomination: "north".to_owned(),
            block: desk.hall.parse()?,
            kw,
            liquid_percent: 100,
            name: "Ben Ortiz".to_owned(),
            title: "Director".to_owned(),
            dry_run,
            server: desk.server(role, true)?,
        }))
    };
    let sales = refused(sales::operator_told(nominate(Role::Sales, 1_000, false)?).await)?;
    sales.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    sales::operator_told(nominate(Role::OperatorAdmin, 1_000, true)?).await.context("a check")?;
    ensure!(unplaced().await?[0]["it_kw_left"] == 4_000, "a check names nothing");
    let left: Value =
        serde_json::from_str(&sales::operator_told(nominate(Role::OperatorAdmin, 1_000, false)?).await?)?;
    ensure!(left[0]["it_kw_left"] == 3_000, "{left:#}");
    desk.stack.stop().await;
    Ok(())
}

/// What the terminal does with one agreement.
struct Paper<'a> {
    desk: &'a Desk,
    name: String,
}

impl Paper<'_> {
    async fn sign(&self, role: Role, terms_hash: Option<String>) -> Result<String> {
        let sign = SignAgreement {
            agreement: self.name.parse()?,
            name: "Ben Ortiz".to_owned(),
            title: "Director".to_owned(),
            terms_hash,
            server: self.desk.server(role, true)?,
        };
        sales::operator_told(OperatorWhat::SignAgreement(sign)).await
    }

    async fn end(&self, role: Role) -> Result<String> {
        let (agreement, reason) = (self.name.parse()?, "replaced".to_owned());
        let end = EndAgreement { agreement, reason, server: self.desk.server(role, true)? };
        sales::operator_told(OperatorWhat::EndAgreement(end)).await
    }

    async fn show(&self, json: bool) -> Result<String> {
        let server = self.desk.server(Role::Sales, json)?;
        sales::told(SalesWhat::Agreement(Agreement { name: self.name.parse()?, server })).await
    }

    /// A lease under it.
    async fn order(&self, id: &str) -> Result<Value> {
        let (block, agreement) = (Some(self.desk.hall.parse()?), Some(self.name.parse()?));
        let propose = Propose { block, agreement, ..self.desk.proposal(id)? };
        rows(SalesWhat::Propose(Box::new(propose))).await
    }

    async fn takes_no_orders(&self) -> Result<()> {
        let refusal = refused(self.order("not-now").await)?;
        refusal.is(Code::FailedPrecondition, "MASTER_AGREEMENT_NOT_IN_FORCE").map(|_| ())
    }
}

const AGREEMENT: &str = r#"{"display_name": "MSA of 2026", "payment_terms_days": 45, "precedence": "AGREEMENT",
    "cure": {"monetary_days": 7, "other_days": 21}, "holdover": {"rate_percent": "175"},
    "clauses": [{"heading": "Governing law", "text": "The law of the State of New York."}]}"#;

#[tokio::test]
async fn an_agreement_is_drafted_from_a_file_signed_ordered_under_and_ended() -> Result<()> {
    let desk = Desk::prepare().await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("agreement.json");
    std::fs::write(&file, AGREEMENT)?;
    let draft = |role, dry_run| -> Result<SalesWhat> {
        let (file, tenant) = (file.clone(), "lab".parse()?);
        Ok(SalesWhat::DraftAgreement(Draft { file, tenant, dry_run, server: desk.server(role, true)? }))
    };
    let list = async |in_force| {
        let server = desk.server(Role::Sales, true)?;
        rows(SalesWhat::Agreements(Agreements { tenant: Some("lab".parse()?), in_force, server })).await
    };
    let denied = refused(sales::told(draft(Role::Finance, false)?).await)?;
    denied.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    rows(draft(Role::Sales, true)?).await.context("a check")?;
    ensure!(list(false).await?.as_array().is_some_and(Vec::is_empty), "a check drafts nothing");
    let drafted = rows(draft(Role::Sales, false)?).await?;
    ensure!(drafted[0]["state"] == "DRAFT" && drafted[0]["title"] == "MSA of 2026", "{drafted:#}");
    let paper = Paper { desk: &desk, name: word(&drafted[0], "agreement")?.to_owned() };
    let hash = word(&drafted[0], "terms_hash")?.to_owned();

    refused(paper.sign(Role::Sales, Some(hash)).await)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let other = refused(paper.sign(Role::OperatorAdmin, Some("00".repeat(32))).await)?;
    other.is(Code::FailedPrecondition, "TERMS_HASH_MISMATCH")?;
    paper.takes_no_orders().await?;
    paper.sign(Role::OperatorAdmin, None).await.context("the operator signs")?;
    ensure!(list(true).await?.as_array().is_some_and(Vec::is_empty), "one side has signed");
    let tenant = desk.stack.clients("tenants/lab", Role::Tenant)?;
    let read = leasing::GetMasterAgreementRequest { name: paper.name.clone() };
    let read = tenant.agreements().get_master_agreement(read).await?.into_inner();
    let signature = signed_agreement(&read.master_agreement.context("an agreement")?);
    tenant.agreements().sign_master_agreement(signature).await.context("the tenant signs")?;
    let listed = list(true).await?;
    ensure!(listed[0]["agreement"] == paper.name.as_str() && listed[0]["state"] == "SIGNED", "{listed:#}");
    ensure!(listed[0]["signed_by"] == "OPERATOR TENANT", "{listed:#}");
    let shown = paper.show(false).await?;
    for said in ["MSA of 2026", "Ben Ortiz", "Governing law", "New York", "175 percent", "AGREEMENT"] {
        ensure!(shown.contains(said), "`{said}` is not in {shown}");
    }
    let shown: Value = serde_json::from_str(&paper.show(true).await?)?;
    ensure!(shown[3]["says"] == "45", "{shown:#}");

    let proposed = paper.order("order").await?;
    let get = leasing::GetLeaseRequest { name: word(&proposed[0], "lease")?.to_owned(), version: 0 };
    let lease = tenant.leases().get_lease(get).await?.into_inner().lease.context("a lease")?;
    let terms = lease.terms.context("terms")?;
    ensure!(terms.master_agreement == paper.name && terms.payment_terms_days == 45, "{terms:#?}");
    refused(paper.end(Role::Sales).await)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    let ended: Value = serde_json::from_str(&paper.end(Role::OperatorAdmin).await?)?;
    ensure!(ended[0]["state"] == "ENDED", "{ended:#}");
    paper.takes_no_orders().await?;
    desk.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn capacity_is_proposed_before_its_block_is_known() -> Result<()> {
    let desk = Desk::prepare().await?;
    let site = desk.hall.split("/blocks/").next().context("a site")?;
    let propose = Propose {
        site: Some(site.parse()?),
        name_by: Some(day("2027-01-31")),
        premises: Premises { from: day("2027-12-01"), ..desk.premises(4_000)? },
        ..desk.proposal("later")?
    };
    let proposed = rows(SalesWhat::Propose(Box::new(propose))).await?;
    ensure!(proposed[0]["state"] == "PROPOSED" && proposed[0]["held_until"] == Value::Null, "{proposed:#}");
    let server = desk.server(Role::Sales, true)?;
    let unplaced = rows(SalesWhat::Unplaced(Unplaced { server })).await?;
    ensure!(unplaced[0]["nomination"] == "later" && unplaced[0]["it_kw_left"] == 4_000, "{unplaced:#}");
    ensure!(unplaced[0]["name_by"] == "2027-01-31" && unplaced[0]["site"] == site, "{unplaced:#}");
    desk.stack.stop().await;
    Ok(())
}
