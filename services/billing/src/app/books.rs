//! The end of a month: closes it, accrues into it.

use kernel::{Caller, CivilDate, Error, LedgerTransactionId, OperatorId, Uuid, Violations, YearMonth};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::write::Write;
use super::{About, App, check_etag, kind, rpc};
use crate::domain::books::{Books, Journal, JournalLine, check_lines, reversed};
use crate::domain::posting_money::post_journal;
use crate::domain::posting_rules::Deed;
use crate::store::books::{self, PeriodDeed};
use crate::store::{account, ledger};

/// Closes a month.
#[derive(Clone, Debug, Serialize)]
pub struct ClosePeriod {
    /// Whose books.
    pub operator: OperatorId,
    /// The month.
    pub month: YearMonth,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// The books after a close, and what was left undone.
#[derive(Clone, Debug)]
pub struct Closed {
    /// The books.
    pub books: Books,
    /// Drafts of the month and all before it.
    pub drafts: i64,
    /// Vouchers that wait for a second person.
    pub vouchers: i64,
}

/// Accrues into a month.
#[derive(Clone, Debug, Serialize)]
pub struct PostAccrual {
    /// Whose books.
    pub operator: OperatorId,
    /// The month on whose last day it counts.
    pub month: YearMonth,
    /// Its sides.
    pub lines: Vec<JournalLine>,
    /// What it is.
    pub description: String,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// An accrual and its reversal.
#[derive(Clone, Debug)]
pub struct Accrued {
    /// The transaction of the accrual.
    pub accrual: LedgerTransactionId,
    /// The day it counts for.
    pub posting_date: CivilDate,
    /// The transaction that reverses it.
    pub reversal: LedgerTransactionId,
    /// The day that counts for.
    pub reversal_date: CivilDate,
    /// Whether it is only tried out: then nothing has an id.
    pub tried_out: bool,
}

pub(super) fn no_operator() -> Error {
    Error::not_found("operator")
}

impl App {
    /// How far the books are closed.
    pub async fn get_books(&self, caller: &Caller, operator: &OperatorId) -> Result<Books, Error> {
        let scope = &Self::own_operator(caller, operator)?;
        self.db
            .read("get_books", scope, |tx| async move {
                let found = books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                Ok((tx, found))
            })
            .await
    }

    /// Closes a month that has ended, and all before it.
    pub async fn close_period(
        &self,
        caller: &Caller,
        command: ClosePeriod,
        encode: fn(&Closed) -> Vec<u8>,
    ) -> Result<Answer<Closed>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("close_period", rpc::CLOSE_PERIOD);
        let write = of_operator(caller, &command.operator, what, of, &command, encode)?;
        let (now, command, subject) = (self.now(), &command, caller.subject.as_str());
        let answer = self
            .write(&write, |tx| async move {
                let operator = &command.operator;
                let found = books::lock(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                check_etag(command.etag.as_deref(), found.version)?;
                let closed = found.close(command.month, now.date_naive())?;
                self.expense_commissions(&tx, operator, command.month, now).await?;
                // What is closed is right: both sides are equal up to its last day.
                let balance = ledger::trial_balance(tx.conn(), operator, closed.closed_through).await?;
                if !balance.balances() {
                    return Err(Error::internal(format!("the ledger of {operator} does not balance")));
                }
                let by = PeriodDeed { id: self.ids.next(), month: command.month, deed: "CLOSE", subject };
                books::save(tx.conn(), &closed, by, now).await?;
                let (drafts, vouchers) = books::undone(tx.conn(), operator, command.month).await?;
                let about = About { operator, tenant: None, subject: format!("operators/{operator}") };
                self.tell(&tx, kind::PERIOD_CLOSED, about, now, (self.wire.books_event)(&closed)).await?;
                Ok((tx, Closed { books: closed, drafts, vouchers }))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(operator = %command.operator, month = %command.month, "month closed");
        }
        Ok(answer)
    }

    /// Posts an accrual and its reversal, both at once, so that none is forgotten.
    pub async fn post_accrual(
        &self,
        caller: &Caller,
        command: PostAccrual,
        encode: fn(&Accrued) -> Vec<u8>,
    ) -> Result<Answer<Accrued>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("post_accrual", rpc::POST_ACCRUAL);
        let write = of_operator(caller, &command.operator, what, of, &command, encode)?;
        let mut v = Violations::new();
        check_lines(&mut v, &command.lines);
        let back = reversed(&command.lines);
        v.require("lines", back.is_some(), "must be of amounts that have an opposite");
        let days = command.month.range();
        v.require("month", days.is_some(), "must be followed by another month");
        v.finish()?;
        let (Some(days), Some(back)) = (days, back) else { return Err(Error::internal("a part is missing")) };
        let (command, back, now) = (&command, &back, self.now());
        self.write(&write, |tx| async move {
            let operator = &command.operator;
            let found = books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
            found.check_open(days.last_day())?;
            accounts_exist(&tx, operator, &command.lines).await?;
            let said = |posting_date, lines: &[JournalLine]| Journal {
                posting_date,
                lines: lines.to_vec(),
                description: command.description.clone(),
            };
            let (accrual, reversal) =
                (LedgerTransactionId::new(self.ids.next()), LedgerTransactionId::new(self.ids.next()));
            let source = accrual.get();
            let there = said(days.last_day(), &command.lines);
            let again = said(days.end(), back);
            let posted = [
                post_journal(Deed::AccrualPosted, operator, source, &there, accrual)?,
                post_journal(Deed::AccrualReversed, operator, source, &again, reversal)?,
            ];
            ledger::insert(tx.conn(), &posted, || self.ids.next(), now).await?;
            let accrued = Accrued {
                accrual,
                posting_date: days.last_day(),
                reversal,
                reversal_date: days.end(),
                tried_out: command.validate_only,
            };
            Ok((tx, accrued))
        })
        .await
    }
}

/// Refuses lines about accounts that are not there.
pub(super) async fn accounts_exist(
    tx: &Tx,
    operator: &OperatorId,
    lines: &[JournalLine],
) -> Result<(), Error> {
    let named: Vec<_> = lines.iter().filter_map(|line| Some((line.account?, line.amount.currency))).collect();
    if named.is_empty() {
        return Ok(());
    }
    let scope = kernel::Scope::Operator(operator.clone());
    let known = account::by_tenant(tx.conn(), &scope, operator).await?;
    for (id, currency) in named {
        if !known.iter().any(|((_, of), known)| *known == id && *of == currency) {
            return Err(Error::not_found("account"));
        }
    }
    Ok(())
}

/// What a deed on an operator's books is.
pub(super) fn of_operator<T, C: Serialize>(
    caller: &Caller,
    operator: &OperatorId,
    what: (&'static str, &'static str),
    of: (Uuid, bool),
    command: &C,
    encode: fn(&T) -> Vec<u8>,
) -> Result<Write<T>, Error> {
    App::own_operator(caller, operator)?;
    Write::in_books(caller, operator, what, of, command, encode)
}
