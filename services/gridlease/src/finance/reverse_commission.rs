//! `gridlease finance reverse-commission`: takes back a commission that was recorded wrongly, as one person proposes and another
//! confirms.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use contracts::billing::v1 as billing;
use contracts::billing::v1::books_service_client::BooksServiceClient;
use contracts::billing::v1::voucher::Content;
use kernel::{CommissionName, Ids as _, SystemIds};

use super::Server;
use super::voucher::{Decide, Decision};
use crate::sales::report::{Report, text, word};

/// `gridlease finance reverse-commission`.
#[derive(Debug, Args)]
pub struct ReverseCommission {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What is done with a commission that was recorded wrongly.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Propose to reverse it; nothing changes before another person has confirmed it
    Propose(Propose),
    /// Confirm what another person has proposed: it is reversed at once, and may be recorded anew
    #[command(after_help = DECIDE_EXAMPLES)]
    Confirm(Decide),
    /// Withdraw a proposal, one's own or another's
    #[command(after_help = DECIDE_EXAMPLES)]
    Withdraw(Decide),
}

const PROPOSE_EXAMPLES: &str = "\
What of it is still an asset or became an expense goes back, on the day on which it is confirmed. What was paid the payee owes.

Examples:
  gridlease finance reverse-commission propose operators/hut-8/commissions/0197... --operator hut-8 --reason \"a digit too many\" --check
  gridlease finance reverse-commission propose operators/hut-8/commissions/0197... --operator hut-8 --reason \"a digit too many\"";

/// `gridlease finance reverse-commission propose`.
#[derive(Debug, Args)]
#[command(after_help = PROPOSE_EXAMPLES)]
pub struct Propose {
    /// The commission
    #[arg(value_name = "COMMISSION")]
    pub commission: CommissionName,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const DECIDE_EXAMPLES: &str = "\
The proposal is the voucher that `propose` names. Whoever proposed it may withdraw it and may not confirm it: ask another person of
finance, with a token of their own.

Examples:
  gridlease finance reverse-commission confirm operators/hut-8/vouchers/0197... --operator hut-8 --check     show it, confirm nothing
  gridlease finance reverse-commission withdraw operators/hut-8/vouchers/0197... --operator hut-8";

/// What a command finds, as it is printed.
pub(super) async fn answer(arguments: ReverseCommission) -> anyhow::Result<String> {
    match arguments.what {
        What::Propose(arguments) => propose(arguments).await,
        What::Confirm(arguments) => decide(arguments, Decision::Confirm).await,
        What::Withdraw(arguments) => decide(arguments, Decision::Withdraw).await,
    }
}

async fn propose(arguments: Propose) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::ReverseCommissionRequest {
        name: arguments.commission.to_string(),
        reason: arguments.reason.clone(),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    };
    let mut books = BooksServiceClient::new(server.wire()?);
    let told = books.reverse_commission(request).await.context("propose it")?.into_inner();
    told_of(server, &told.voucher.context("a voucher")?)
}

async fn decide(arguments: Decide, decision: Decision) -> anyhow::Result<String> {
    let is_about = |content: &Content| matches!(content, Content::ReverseCommission(_));
    let way_out = "`gridlease finance reverse-commission propose` names the proposal";
    let voucher = arguments.carry_out(decision, is_about, way_out).await?;
    told_of(&arguments.server, &voucher)
}

fn told_of(server: &Server, voucher: &billing::Voucher) -> anyhow::Result<String> {
    let Some(Content::ReverseCommission(commission)) = &voucher.content else {
        anyhow::bail!("{} is about something else", voucher.name)
    };
    let mut report = Report::new(&["Commission", "State", "Reason", "Proposed by", "Decided by", "Voucher"]);
    report.row([
        text(commission.clone()),
        word(voucher.state().as_str_name(), "VOUCHER_STATE_"),
        text(voucher.reason.clone()),
        text(voucher.author.clone()),
        text(voucher.decider.clone()),
        text(voucher.name.clone()),
    ]);
    Ok(report.told(server.json, ""))
}
