//! Commissions: proposed with a voucher, recorded when it is approved, paid, made an expense whenever a month is closed, and reversed
//! by another voucher.
//!
//! Whoever moves a commission takes the lock of the books first.

use std::collections::HashMap;

use kernel::{
    Caller, CivilDate, CommissionId, CommissionName, Error, Instant, LeaseId, LeaseName, LedgerTransactionId,
    Money, OperatorId, Scope, Uuid, VoucherId, YearMonth,
};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::books::{no_operator, of_operator};
use super::{About, App, ListRequest, Listed, kind, rpc, sight};
use crate::domain::commission::{Commission, CommissionFacts, Course, Moved};
use crate::domain::lease::LeaseCopy;
use crate::domain::posting_money::{post_commission, post_commission_move, post_commission_reversal};
use crate::domain::voucher::Voucher;
use crate::store::listing::Newest;
use crate::store::{books, commission, lease, ledger, settlement};

fn gone() -> Error {
    Error::not_found("commission")
}

/// Records that a commission was paid, or that the payee returned what it was paid.
#[derive(Clone, Debug, Serialize)]
pub struct PayCommission {
    /// Which.
    pub name: CommissionName,
    /// The bank's reference.
    pub bank_reference: String,
    /// The bank's day.
    pub value_date: CivilDate,
    /// How much; `None` is all that is owed, or all that can be returned.
    pub amount: Option<Money>,
    /// The payee returned it. Part of the RPC's name, and so not of the payload.
    #[serde(skip)]
    pub returned: bool,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists commissions.
#[derive(Clone, Debug)]
pub struct ListCommissions {
    /// Parent and page.
    pub list: ListRequest,
    /// Only of this lease.
    pub lease: Option<LeaseName>,
}

impl App {
    /// Refuses a commission that could not be recorded now.
    pub(super) async fn check_commission(
        &self,
        tx: &Tx,
        scope: &Scope,
        operator: &OperatorId,
        facts: &CommissionFacts,
    ) -> Result<(), Error> {
        let name = LeaseName::new(operator.clone(), facts.lease.clone());
        let found = lease::find(tx.conn(), scope, &name).await?;
        let of = found.ok_or_else(|| Error::not_found("lease"))?.terms.currency;
        let mut v = kernel::Violations::new();
        v.nested("commission", |v| {
            let same = facts.amount.currency == of;
            v.require("amount", same, &format!("must be in {of}, the currency of the lease"));
            let today = self.now().date_naive();
            v.require("earn_date", facts.earn_date <= today, &format!("must not be after {today}"));
        });
        v.finish()?;
        if commission::is_known(tx.conn(), operator, &facts.reference).await? {
            return Err(Error::name_taken("commission"));
        }
        Ok(())
    }

    /// Records a commission that two people agreed on: it is an asset, and owed to the payee.
    pub(super) async fn record_commission(
        &self,
        tx: &Tx,
        voucher: &Voucher,
        facts: &CommissionFacts,
        now: Instant,
    ) -> Result<(), Error> {
        let operator = &voucher.operator;
        books::lock(tx.conn(), operator).await?.ok_or_else(no_operator)?;
        let new = Commission {
            operator: operator.clone(),
            id: CommissionId::new(voucher.id.get()),
            facts: facts.clone(),
            moved: Moved::default(),
            reversed: None,
            create_time: now,
        };
        commission::insert(tx.conn(), &new).await?;
        let first_open = settlement::first_open_day(tx.conn(), operator).await?;
        let at = (LedgerTransactionId::new(self.ids.next()), facts.earn_date.max(first_open));
        let posted = post_commission(&new, at)?;
        ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
        self.tell_commission(tx, kind::COMMISSION_RECORDED, &new, now).await
    }

    /// Refuses a reversal that could not be done now.
    pub(super) async fn check_reversal(
        &self,
        tx: &Tx,
        scope: &Scope,
        name: &CommissionName,
        voucher: VoucherId,
    ) -> Result<(), Error> {
        let found = commission::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
        found.reverse(voucher, self.now()).map(|_| ())
    }

    /// Reverses a commission that two people agreed was recorded wrongly. All of it goes back today: what was posted into months
    /// that are closed stays there.
    pub(super) async fn reverse_commission(
        &self,
        tx: &Tx,
        scope: &Scope,
        voucher: &Voucher,
        id: CommissionId,
        now: Instant,
    ) -> Result<(), Error> {
        let operator = &voucher.operator;
        books::lock(tx.conn(), operator).await?.ok_or_else(no_operator)?;
        let name = CommissionName::new(operator.clone(), id);
        let before = commission::find(tx.conn(), scope, &name).await?.ok_or_else(gone)?;
        let reversed = before.reverse(voucher.id, now)?;
        commission::reverse(tx.conn(), &reversed).await?;
        let first_open = settlement::first_open_day(tx.conn(), operator).await?;
        let at = (LedgerTransactionId::new(self.ids.next()), now.date_naive().max(first_open));
        let posted = post_commission_reversal(&before, at)?;
        ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
        self.tell_commission(tx, kind::COMMISSION_REVERSED, &reversed, now).await
    }

    /// Records that a commission, or a part of it, went to the payee, or came back.
    pub async fn pay_commission(
        &self,
        caller: &Caller,
        command: PayCommission,
        encode: fn(&Commission) -> Vec<u8>,
    ) -> Result<Answer<Commission>, Error> {
        let of = (command.request_id, command.validate_only);
        let (what, told) = if command.returned {
            (("return_commission", rpc::RETURN_COMMISSION), kind::COMMISSION_RETURNED)
        } else {
            (("pay_commission", rpc::PAY_COMMISSION), kind::COMMISSION_PAID)
        };
        let write =
            of_operator(caller, &command.name.operator, what, of, &command, encode).map_err(|_| gone())?;
        let now = self.now();
        let today = now.date_naive();
        if command.value_date > today {
            return Err(Error::invalid_field("value_date", format!("must not be after {today}")));
        }
        let (command, scope) = (&command, &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let operator = &command.name.operator;
                books::lock(tx.conn(), operator).await?.ok_or_else(gone)?;
                let mut found = commission::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                let currency = found.facts.amount.currency;
                if command.amount.is_some_and(|amount| amount.currency != currency) {
                    return Err(Error::invalid_field("amount", format!("must be in {currency}")));
                }
                let bank = (command.bank_reference.clone(), command.value_date);
                let part = if command.returned {
                    found.give_back(command.amount, bank, self.ids.next())?
                } else {
                    found.pay(command.amount, bank, self.ids.next())?
                };
                let first_open = settlement::first_open_day(tx.conn(), operator).await?;
                let at = (LedgerTransactionId::new(self.ids.next()), command.value_date.max(first_open));
                let posted = post_commission_move(&found, &part, at)?;
                commission::insert_moves(tx.conn(), operator, &[(found.id, part)], now).await?;
                ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
                self.tell_commission(&tx, told, &found, now).await?;
                Ok((tx, found))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(commission = %command.name, told);
        }
        Ok(answer)
    }

    /// Posts what of commissions becomes an expense in every open month up to this one, whose books are locked.
    pub(super) async fn expense_commissions(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        through: YearMonth,
        now: Instant,
    ) -> Result<(), Error> {
        let all = commission::unamortized(tx.conn(), operator).await?;
        if all.is_empty() {
            return Ok(());
        }
        let leases = lease::all(tx.conn(), operator).await?;
        let leases: HashMap<&LeaseId, &LeaseCopy> = leases.iter().map(|of| (&of.lease, of)).collect();
        let first_open = settlement::first_open_day(tx.conn(), operator).await?;
        let (mut moves, mut posted) = (Vec::new(), Vec::new());
        for mut of in all {
            let copy = leases.get(&of.facts.lease).ok_or_else(|| Error::internal("a lease is gone"))?;
            let course = Course::of(copy);
            let mut at = Some(YearMonth::of(first_open.max(of.facts.earn_date)));
            while let Some(month) = at.filter(|month| *month <= through) {
                let last = month.range().map(|days| days.last_day());
                let last = last.ok_or_else(|| Error::internal("the last month"))?;
                for part in of.expense(course, month, || self.ids.next())? {
                    let id = LedgerTransactionId::new(self.ids.next());
                    posted.extend(post_commission_move(&of, &part, (id, last))?);
                    moves.push((of.id, part));
                }
                at = month.next();
            }
        }
        commission::insert_moves(tx.conn(), operator, &moves, now).await?;
        ledger::insert(tx.conn(), &posted, || self.ids.next(), now).await
    }

    /// One commission.
    pub async fn get_commission(&self, caller: &Caller, name: &CommissionName) -> Result<Commission, Error> {
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_commission", scope, |tx| async move {
                let found = commission::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Commissions, newest first.
    pub async fn list_commissions(
        &self,
        caller: &Caller,
        command: ListCommissions,
    ) -> Result<Listed<Commission>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |of: &Commission| Newest(of.id.get(), of.operator.clone());
        let what = ("list_commissions", rpc::LIST_COMMISSIONS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = commission::list(tx.conn(), &sight, command.lease.as_ref(), &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    async fn tell_commission(
        &self,
        tx: &Tx,
        kind: &'static str,
        of: &Commission,
        now: Instant,
    ) -> Result<(), Error> {
        let about = About { operator: &of.operator, tenant: None, subject: of.name().to_string() };
        self.tell(tx, kind, about, now, (self.wire.commission_event)(of)).await
    }
}
