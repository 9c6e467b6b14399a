//! `gridlease finance pay-to`: where tenants pay, which one person proposes and another confirms.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use contracts::billing::v1 as billing;
use contracts::billing::v1::books_service_client::BooksServiceClient;
use contracts::billing::v1::payment_service_client::PaymentServiceClient;
use contracts::billing::v1::voucher::Content;
use kernel::{Currency, Ids as _, SystemIds};

use super::Server;
use super::voucher::{Decide, Decision};
use crate::sales::report::{Report, text, time};

/// Instructions or proposals a page.
const PAGE: i32 = 1_000;

/// `gridlease finance pay-to`.
#[derive(Debug, Args)]
pub struct PayTo {
    /// What to do.
    #[command(subcommand)]
    pub what: What,
}

/// What is done with the details of a bank account.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Propose where tenants are to pay in a currency; nothing changes before another person has confirmed it
    Propose(Propose),
    /// Confirm what another person has proposed: invoices that are issued from now on ask to pay there
    #[command(after_help = DECIDE_EXAMPLES)]
    Confirm(Decide),
    /// Withdraw a proposal, one's own or another's
    #[command(after_help = DECIDE_EXAMPLES)]
    Withdraw(Decide),
    /// What is in force for each currency and what waits for a second person; with --all what was in force before, too
    Show(Show),
}

const PROPOSE_EXAMPLES: &str = "\
An account has an IBAN, or a number with --bic, --routing or both.

Examples:
  gridlease finance pay-to propose --operator hut-8 --currency USD --holder \"Hut 8 Power LLC\" --bank \"First Bank of Texas\" \\
    --account 000123456789 --routing 021000021 --reason \"our first account\" --check     check it, propose nothing
  gridlease finance pay-to propose --operator hut-8 --currency EUR --holder \"Hut 8 Power LLC\" --bank Commerzbank \\
    --iban \"DE89 3704 0044 0532 0130 00\" --bic COBADEFFXXX --reason \"tenants that pay in euros\"";

/// `gridlease finance pay-to propose`.
#[derive(Debug, Args)]
#[command(after_help = PROPOSE_EXAMPLES)]
pub struct Propose {
    /// In which is paid there
    #[arg(long, value_name = "CODE")]
    pub currency: Currency,
    /// Whose account it is
    #[arg(long, value_name = "NAME")]
    pub holder: String,
    /// The bank
    #[arg(long, value_name = "NAME")]
    pub bank: String,
    /// The account, where there are IBANs
    #[arg(long, value_name = "IBAN", required_unless_present = "account", conflicts_with = "account")]
    pub iban: Option<String>,
    /// The account's number elsewhere
    #[arg(long, value_name = "NUMBER")]
    pub account: Option<String>,
    /// The bank's BIC (SWIFT code)
    #[arg(long, value_name = "BIC")]
    pub bic: Option<String>,
    /// The bank's routing number (ABA)
    #[arg(long, value_name = "NUMBER")]
    pub routing: Option<String>,
    /// The bank's address
    #[arg(long, value_name = "TEXT")]
    pub address: Option<String>,
    /// What a payer shall write beside the number of the invoice
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
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
The proposal is the voucher that `show` names. Whoever proposed it may withdraw it and may not confirm it: ask another person of finance,
with a token of their own.

Examples:
  gridlease finance pay-to confirm operators/hut-8/vouchers/0197... --operator hut-8 --check     show it, confirm nothing
  gridlease finance pay-to withdraw operators/hut-8/vouchers/0197... --operator hut-8";

const SHOW_EXAMPLES: &str = "\
Examples:
  gridlease finance pay-to show --operator hut-8
  gridlease finance pay-to show --operator hut-8 --currency USD --all --json";

/// `gridlease finance pay-to show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub struct Show {
    /// Only of this currency
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Also what others have taken the place of
    #[arg(long)]
    pub all: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

impl Propose {
    fn to_wire(&self) -> billing::PaymentInstructions {
        let said = |text: &Option<String>| text.clone().unwrap_or_default();
        billing::PaymentInstructions {
            currency_code: self.currency.to_string(),
            account_holder: self.holder.clone(),
            bank_name: self.bank.clone(),
            iban: said(&self.iban),
            account_number: said(&self.account),
            bic: said(&self.bic),
            routing_number: said(&self.routing),
            bank_address: said(&self.address),
            reference: said(&self.reference),
            ..Default::default()
        }
    }
}

/// What a command finds, as it is printed.
pub(super) async fn answer(arguments: PayTo) -> anyhow::Result<String> {
    match arguments.what {
        What::Propose(arguments) => propose(arguments).await,
        What::Confirm(arguments) => decide(arguments, Decision::Confirm).await,
        What::Withdraw(arguments) => decide(arguments, Decision::Withdraw).await,
        What::Show(arguments) => show(arguments).await,
    }
}

async fn propose(arguments: Propose) -> anyhow::Result<String> {
    let server = &arguments.server;
    let request = billing::ProposePaymentInstructionsRequest {
        parent: server.parent(),
        payment_instructions: Some(arguments.to_wire()),
        reason: arguments.reason.clone(),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.check,
    };
    let mut payments = PaymentServiceClient::new(server.wire()?);
    let told = payments.propose_payment_instructions(request).await.context("propose it")?.into_inner();
    decided(server, &told.voucher.context("a voucher")?)
}

async fn decide(arguments: Decide, decision: Decision) -> anyhow::Result<String> {
    let is_about = |content: &Content| matches!(content, Content::PaymentInstructions(_));
    let way_out = "`gridlease finance pay-to show` names the proposals";
    let voucher = arguments.carry_out(decision, is_about, way_out).await?;
    decided(&arguments.server, &voucher)
}

fn decided(server: &Server, voucher: &billing::Voucher) -> anyhow::Result<String> {
    let mut report = instructions();
    proposal(&mut report, voucher, None);
    Ok(report.told(server.json, ""))
}

async fn show(arguments: Show) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut report = instructions();
    let mut books = BooksServiceClient::new(server.wire()?);
    let mut request = billing::ListVouchersRequest {
        parent: server.parent(),
        page_size: PAGE,
        state: billing::VoucherState::Proposed.into(),
        ..Default::default()
    };
    loop {
        let page = books.list_vouchers(request.clone()).await.context("list proposals")?.into_inner();
        for voucher in &page.vouchers {
            proposal(&mut report, voucher, arguments.currency);
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let mut payments = PaymentServiceClient::new(server.wire()?);
    let mut request = billing::ListPaymentInstructionsRequest {
        parent: server.parent(),
        page_size: PAGE,
        currency_code: arguments.currency.map(|currency| currency.to_string()).unwrap_or_default(),
        ..Default::default()
    };
    loop {
        let page = payments.list_payment_instructions(request.clone()).await.context("list")?.into_inner();
        for of in page.payment_instructions.iter().filter(|of| arguments.all || of.end_time.is_none()) {
            let state = if of.end_time.is_some() { "ENDED" } else { "IN FORCE" };
            row(&mut report, of, state, &of.voucher);
        }
        if page.next_page_token.is_empty() {
            return Ok(report.told(server.json, "Nothing is said where to pay."));
        }
        request.page_token = page.next_page_token;
    }
}

fn instructions() -> Report {
    Report::new(&[
        "Currency",
        "State",
        "Account holder",
        "Bank",
        "Account",
        "BIC",
        "Routing",
        "Bank address",
        "Reference",
        "From",
        "Until",
        "Voucher",
    ])
}

/// What a voucher proposes, if it is about this.
fn proposal(report: &mut Report, voucher: &billing::Voucher, currency: Option<Currency>) {
    let Some(Content::PaymentInstructions(of)) = &voucher.content else { return };
    if currency.is_none_or(|currency| of.currency_code == currency.to_string()) {
        row(report, of, voucher.state().as_str_name().trim_start_matches("VOUCHER_STATE_"), &voucher.name);
    }
}

fn row(report: &mut Report, of: &billing::PaymentInstructions, state: &str, voucher: &str) {
    let account = if of.iban.is_empty() { &of.account_number } else { &of.iban };
    report.row([
        text(of.currency_code.clone()),
        text(state),
        text(of.account_holder.clone()),
        text(of.bank_name.clone()),
        text(account.clone()),
        text(of.bic.clone()),
        text(of.routing_number.clone()),
        text(of.bank_address.clone()),
        text(of.reference.clone()),
        time(of.confirm_time.as_ref()),
        time(of.end_time.as_ref()),
        text(voucher),
    ]);
}
