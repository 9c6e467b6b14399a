//! Where tenants pay: proposed with a voucher, in force once it is approved, and read with all that was in force before.

use kernel::{Caller, Currency, Error, Instant, PaymentInstructionsId, PaymentInstructionsName};
use postgres::Tx;

use super::{About, App, ListRequest, Listed, kind, rpc, sight};
use crate::domain::payment_instructions::{PaymentDetails, PaymentInstructions};
use crate::domain::voucher::Voucher;
use crate::store::listing::Newest;
use crate::store::payment_instructions;

/// Lists payment instructions.
#[derive(Clone, Debug)]
pub struct ListPaymentInstructions {
    /// Parent and page.
    pub list: ListRequest,
    /// Only of this currency.
    pub currency: Option<Currency>,
}

impl App {
    /// Puts in force what two people agreed on. Invoices that are issued keep what they say.
    pub(super) async fn confirm_instructions(
        &self,
        tx: &Tx,
        voucher: &Voucher,
        details: &PaymentDetails,
        now: Instant,
    ) -> Result<(), Error> {
        let operator = &voucher.operator;
        let new = PaymentInstructions {
            operator: operator.clone(),
            id: PaymentInstructionsId::new(self.ids.next()),
            voucher: voucher.id,
            details: details.clone(),
            number: payment_instructions::next_number(tx.conn(), operator, details.currency).await?,
            confirm_time: now,
            end_time: None,
        };
        payment_instructions::insert(tx.conn(), &new).await?;
        let about = About { operator, tenant: None, subject: new.name().to_string() };
        let payload = (self.wire.instructions_event)(&new);
        self.tell(tx, kind::PAYMENT_INSTRUCTIONS_CONFIRMED, about, now, payload).await
    }

    /// Those with one name.
    pub async fn get_payment_instructions(
        &self,
        caller: &Caller,
        name: &PaymentInstructionsName,
    ) -> Result<PaymentInstructions, Error> {
        let gone = || Error::not_found("payment instructions");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_payment_instructions", scope, |tx| async move {
                let found = payment_instructions::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// All that were ever confirmed, newest first.
    pub async fn list_payment_instructions(
        &self,
        caller: &Caller,
        command: ListPaymentInstructions,
    ) -> Result<Listed<PaymentInstructions>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |of: &PaymentInstructions| Newest(of.id.get(), of.operator.clone());
        let what = ("list_payment_instructions", rpc::LIST_PAYMENT_INSTRUCTIONS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = payment_instructions::list(tx.conn(), &sight, command.currency, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}
