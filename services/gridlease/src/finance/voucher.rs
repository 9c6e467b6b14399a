//! What one person of finance proposes and another confirms.

use anyhow::Context as _;
use clap::Args;
use contracts::billing::v1 as billing;
use contracts::billing::v1::books_service_client::BooksServiceClient;
use contracts::billing::v1::voucher::Content;
use kernel::{Ids as _, SystemIds, VoucherName};

use super::Server;

/// Which proposal is confirmed or withdrawn.
#[derive(Debug, Args)]
pub struct Decide {
    /// The proposal
    #[arg(value_name = "VOUCHER")]
    pub voucher: VoucherName,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// What becomes of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is done.
    Confirm,
    /// It is not.
    Withdraw,
}

impl Decide {
    /// Decides a voucher, unless it is about something else: nobody shall approve a journal by a slip.
    pub(super) async fn carry_out(
        &self,
        decision: Decision,
        is_about: fn(&Content) -> bool,
        way_out: &str,
    ) -> anyhow::Result<billing::Voucher> {
        let mut books = BooksServiceClient::new(self.server.wire()?);
        let (name, validate_only) = (self.voucher.to_string(), self.check);
        let read = billing::GetVoucherRequest { name: name.clone() };
        let voucher = books.get_voucher(read).await.context("read the proposal")?.into_inner().voucher;
        let content = voucher.and_then(|voucher| voucher.content);
        anyhow::ensure!(content.as_ref().is_some_and(is_about), "{name} is about something else; {way_out}");
        let (etag, request_id) = (String::new(), SystemIds.next().to_string());
        let decided = match decision {
            Decision::Confirm => {
                let ask = billing::ApproveVoucherRequest { name, etag, request_id, validate_only };
                books.approve_voucher(ask).await.context("confirm it")?.into_inner().voucher
            }
            Decision::Withdraw => {
                let ask = billing::RejectVoucherRequest { name, etag, request_id, validate_only };
                books.reject_voucher(ask).await.context("withdraw it")?.into_inner().voucher
            }
        };
        decided.context("a voucher")
    }
}
