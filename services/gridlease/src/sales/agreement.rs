//! Master agreements: put on the table from a file, read, signed for the operator, ended.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use contracts::google::r#type::Decimal;
use contracts::leasing::v1 as leasing;
use kernel::{Ids as _, MasterAgreementName, Role, SystemIds, TenantId, TenantName};
use serde_json::Value;

use super::desk::{from_hex, to_hex};
use super::report::{Report, number, text, time, word};
use super::{Server, paper};

/// Rows a page.
const PAGE: i32 = 1_000;

const DRAFT_EXAMPLES: &str = "\
Examples:
  gridlease sales draft-agreement agreement.json --operator hut-8 --tenant anthropic

agreement.json, of which everything but the name may be left out:
  {
    \"display_name\": \"MSA of 2026\",
    \"payment_terms_days\": 45,
    \"cure\": {\"monetary_days\": 7, \"other_days\": 21},
    \"late_interest\": {\"annual_percent\": \"12\", \"grace_days\": 5, \"year\": \"ACTUAL_365\", \"accrues_from\": \"DUE_DATE\"},
    \"dispute\": {\"window_days\": 60, \"rejected_interest\": \"AS_AGREED\"},
    \"holdover\": {\"rate_percent\": \"175\"},
    \"precedence\": \"AGREEMENT\",
    \"clauses\": [{\"heading\": \"Governing law\", \"text\": \"The law of the State of New York.\"}]
  }";

/// `gridlease sales draft-agreement`.
#[derive(Debug, Args)]
#[command(after_help = DRAFT_EXAMPLES)]
pub struct Draft {
    /// What it says, as JSON
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: TenantId,
    /// Only ask whether it could be
    #[arg(long)]
    pub dry_run: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const LIST_EXAMPLES: &str = "\
Examples:
  gridlease sales agreements --operator hut-8
  gridlease sales agreements --operator hut-8 --tenant anthropic --in-force --json";

/// `gridlease sales agreements`.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub struct Agreements {
    /// Only with this tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: Option<TenantId>,
    /// Only those that take orders
    #[arg(long)]
    pub in_force: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const SHOW_EXAMPLES: &str = "\
Examples:
  gridlease sales agreement operators/hut-8/masterAgreements/019b0000-0000-7000-8000-000000000001 --operator hut-8";

/// `gridlease sales agreement`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub struct Agreement {
    /// The agreement
    #[arg(value_name = "NAME")]
    pub name: MasterAgreementName,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const SIGN_EXAMPLES: &str = "\
Examples:
  gridlease operator sign-agreement operators/hut-8/masterAgreements/019b0000-0000-7000-8000-000000000001 \\
    --operator hut-8 --name \"Ada Marsh\" --title Director";

/// `gridlease operator sign-agreement`.
#[derive(Debug, Args)]
#[command(after_help = SIGN_EXAMPLES)]
pub struct SignAgreement {
    /// The agreement
    #[arg(value_name = "AGREEMENT")]
    pub agreement: MasterAgreementName,
    /// Who signs
    #[arg(long, value_name = "TEXT")]
    pub name: String,
    /// The signatory's office
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub title: String,
    /// The hash of what was read, in hexadecimal [default: of the agreement as it stands]
    #[arg(long, value_name = "SHA256")]
    pub terms_hash: Option<String>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const END_EXAMPLES: &str = "\
Examples:
  gridlease operator end-agreement operators/hut-8/masterAgreements/019b0000-0000-7000-8000-000000000001 \\
    --operator hut-8 --reason \"replaced by the one of 2027\"";

/// `gridlease operator end-agreement`.
#[derive(Debug, Args)]
#[command(after_help = END_EXAMPLES)]
pub struct EndAgreement {
    /// The agreement
    #[arg(value_name = "AGREEMENT")]
    pub agreement: MasterAgreementName,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

pub(super) async fn draft(arguments: Draft) -> anyhow::Result<String> {
    let (server, file) = (&arguments.server, arguments.file.display());
    let read = std::fs::read_to_string(&arguments.file).with_context(|| format!("read {file}"))?;
    let (display_name, terms) = paper::read(&read).with_context(|| format!("read {file}"))?;
    let request = leasing::CreateMasterAgreementRequest {
        parent: server.parent(),
        master_agreement: Some(leasing::MasterAgreement {
            tenant: TenantName::new(arguments.tenant.clone()).to_string(),
            display_name,
            general_terms: Some(terms),
            ..Default::default()
        }),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.dry_run,
    };
    let mut agreements = server.desk(Role::Sales)?.agreements();
    let answer = agreements.create_master_agreement(request).await.context("draft")?.into_inner();
    Ok(told(&[answer.master_agreement.context("no agreement")?], server.json))
}

pub(super) async fn list(arguments: Agreements) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut agreements = server.desk(Role::Sales)?.agreements();
    let in_force = arguments.in_force.then_some(leasing::MasterAgreementState::Signed.into());
    let mut request = leasing::ListMasterAgreementsRequest {
        parent: server.parent(),
        states: in_force.into_iter().collect(),
        tenant: arguments.tenant.map(|tenant| TenantName::new(tenant).to_string()).unwrap_or_default(),
        page_size: PAGE,
        ..Default::default()
    };
    let mut found = Vec::new();
    loop {
        let page = agreements.list_master_agreements(request.clone()).await.context("ask for agreements")?;
        let page = page.into_inner();
        found.extend(page.master_agreements);
        if page.next_page_token.is_empty() {
            return Ok(told(&found, server.json));
        }
        request.page_token = page.next_page_token;
    }
}

async fn read(
    server: &Server,
    role: Role,
    name: &MasterAgreementName,
) -> anyhow::Result<leasing::MasterAgreement> {
    let request = leasing::GetMasterAgreementRequest { name: name.to_string() };
    let mut agreements = server.desk(role)?.agreements();
    let answer = agreements.get_master_agreement(request).await.context("ask for the agreement")?;
    answer.into_inner().master_agreement.context("no agreement")
}

pub(super) async fn show(arguments: Agreement) -> anyhow::Result<String> {
    let found = read(&arguments.server, Role::Sales, &arguments.name).await?;
    let mut report = Report::new(&["What", "Who or which", "State", "When", "Says"]);
    report.row([
        text("agreement"),
        text(found.tenant.clone()),
        word(found.state().as_str_name(), "MASTER_AGREEMENT_STATE_"),
        time(found.signed_time.as_ref().or(found.create_time.as_ref())),
        text(found.display_name.clone()),
    ]);
    for side in [leasing::Party::Operator, leasing::Party::Tenant] {
        let signed = found.signatures.iter().find(|one| one.party() == side);
        let who = signed.and_then(|one| one.signatory.as_ref()).map(|one| one.name.clone());
        report.row([
            text("signature"),
            word(side.as_str_name(), "PARTY_"),
            text(if signed.is_some() { "SIGNED" } else { "AWAITED" }),
            time(signed.and_then(|one| one.sign_time.as_ref())),
            text(who.unwrap_or_default()),
        ]);
    }
    if found.end_time.is_some() {
        report.row([
            text("end"),
            word(found.ended_by().as_str_name(), "PARTY_"),
            Value::Null,
            time(found.end_time.as_ref()),
            text(found.end_reason.clone()),
        ]);
    }
    for (which, says) in found.general_terms.iter().flat_map(says) {
        report.row([text("term"), text(which), Value::Null, Value::Null, text(says)]);
    }
    report.row([text("hash"), Value::Null, Value::Null, Value::Null, text(to_hex(&found.terms_hash))]);
    Ok(report.told(arguments.server.json, ""))
}

/// What an agreement says, in the words of its file.
fn says(terms: &leasing::GeneralTerms) -> Vec<(String, String)> {
    let percent = |decimal: Option<&Decimal>| number(decimal).as_str().unwrap_or_default().to_owned();
    let plain = |name: &str, prefix: &str| name.trim_start_matches(prefix).to_owned();
    let mut rows = Vec::new();
    let mut row = |which: &str, says: String| rows.push((which.to_owned(), says));
    if terms.payment_terms_days > 0 {
        row("payment_terms_days", terms.payment_terms_days.to_string());
    }
    if let Some(cure) = &terms.cure {
        row("cure", format!("{} days for money, {} for anything else", cure.monetary_days, cure.other_days));
    }
    if let Some(late) = &terms.late_interest {
        let once = late
            .once_percent
            .as_ref()
            .map_or(String::new(), |_| format!(", and {} percent once", percent(late.once_percent.as_ref())));
        let annual = percent(late.annual_percent.as_ref());
        let from = plain(late.accrues_from().as_str_name(), "ACCRUAL_START_");
        let grace = late.grace_days;
        row("late_interest", format!("{annual} percent a year, {grace} days of grace, from {from}{once}"));
    }
    if let Some(dispute) = &terms.dispute {
        let rejected = plain(dispute.rejected_interest().as_str_name(), "REJECTED_INTEREST_");
        row("dispute", format!("within {} days; in vain: interest {rejected}", dispute.window_days));
    }
    if let Some(holdover) = &terms.holdover {
        row("holdover", format!("{} percent of the last rate", percent(holdover.rate_percent.as_ref())));
    }
    row("precedence", plain(terms.precedence().as_str_name(), "TERMS_PRECEDENCE_"));
    rows.extend(terms.clauses.iter().map(|one| (one.heading.clone(), one.text.clone())));
    rows
}

/// Signs for the operator. The hash that is signed is the one that was read, if it is said.
pub(super) async fn sign(arguments: SignAgreement) -> anyhow::Result<String> {
    let (server, role) = (&arguments.server, Role::OperatorAdmin);
    let terms_hash = match &arguments.terms_hash {
        Some(read) => from_hex(read)?,
        None => read(server, role, &arguments.agreement).await?.terms_hash,
    };
    let request = leasing::SignMasterAgreementRequest {
        name: arguments.agreement.to_string(),
        terms_hash,
        signatory: Some(leasing::Signatory { name: arguments.name.clone(), title: arguments.title.clone() }),
        request_id: SystemIds.next().to_string(),
        ..Default::default()
    };
    let mut agreements = server.desk(role)?.agreements();
    let answer = agreements.sign_master_agreement(request).await.context("sign")?.into_inner();
    Ok(told(&[answer.master_agreement.context("no agreement")?], server.json))
}

pub(super) async fn end(arguments: EndAgreement) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = leasing::EndMasterAgreementRequest {
        name: arguments.agreement.to_string(),
        reason: arguments.reason.clone(),
        request_id: SystemIds.next().to_string(),
        ..Default::default()
    };
    let mut agreements = server.desk(Role::OperatorAdmin)?.agreements();
    let answer = agreements.end_master_agreement(request).await.context("end")?.into_inner();
    Ok(told(&[answer.master_agreement.context("no agreement")?], server.json))
}

fn told(agreements: &[leasing::MasterAgreement], json: bool) -> String {
    let mut report = Report::new(&["Agreement", "Tenant", "Title", "State", "Signed by", "Terms hash"]);
    for one in agreements {
        let signed: Vec<_> = one.signatures.iter().map(|one| one.party().as_str_name()).collect();
        report.row([
            text(one.name.clone()),
            text(one.tenant.clone()),
            text(one.display_name.clone()),
            word(one.state().as_str_name(), "MASTER_AGREEMENT_STATE_"),
            text(signed.join(" ").replace("PARTY_", "")),
            text(to_hex(&one.terms_hash)),
        ]);
    }
    report.told(json, "There is no master agreement.")
}
