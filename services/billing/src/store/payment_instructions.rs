//! Payment instructions: kept for ever, the newest of a currency in force.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::{
    Currency, Error, Instant, OperatorId, PaymentInstructionsId, PaymentInstructionsName, Scope, Uuid,
    VoucherId,
};
use postgres::{is_unique_violation, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Set,
};

use super::entity::{invoice, payment_instructions};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, parse, statement};
use crate::domain::payment_instructions::{BankAccount, PaymentDetails, PaymentInstructions};

/// The number of the next of a currency.
pub async fn next_number(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    currency: Currency,
) -> Result<i32, Error> {
    use payment_instructions::Column as C;
    let last = payment_instructions::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::CurrencyCode.eq(currency.to_string()))
        .order_by_desc(C::Number)
        .limit(1)
        .one(conn)
        .await
        .map_err(store_error)?;
    Ok(last.map_or(0, |row| row.number) + 1)
}

/// Writes instructions that are new: from the commit on they are in force.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when others of the currency were confirmed first: tried again, these come after them.
pub async fn insert(conn: &impl ConnectionTrait, new: &PaymentInstructions) -> Result<(), Error> {
    let details = &new.details;
    let (iban, account_number) = match &details.account {
        BankAccount::Iban(iban) => (Some(iban.to_string()), None),
        BankAccount::Number(number) => (None, Some(number.to_string())),
    };
    let row = payment_instructions::ActiveModel {
        operator_id: Set(new.operator.to_string()),
        instructions_id: Set(new.id.get()),
        voucher_id: Set(new.voucher.get()),
        currency_code: Set(details.currency.to_string()),
        number: Set(new.number),
        account_holder: Set(details.account_holder.clone()),
        bank_name: Set(details.bank_name.clone()),
        iban: Set(iban),
        account_number: Set(account_number),
        bic: Set(details.bic.as_ref().map(ToString::to_string)),
        routing_number: Set(details.routing_number.as_ref().map(ToString::to_string)),
        bank_address: Set(details.bank_address.clone()),
        reference: Set(details.reference.clone()),
        confirm_time: Set(new.confirm_time),
    };
    let done = payment_instructions::Entity::insert(row).exec_without_returning(conn).await;
    done.map(|_| ()).map_err(|error| match is_unique_violation(&error) {
        true => Error::transaction_conflict().with_source(error),
        false => store_error(error),
    })
}

/// Those with one name, if the scope sees them.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &PaymentInstructionsName,
) -> Result<Option<PaymentInstructions>, Error> {
    use payment_instructions::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = payment_instructions::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(C::InstructionsId.eq(name.payment_instructions.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_ends(conn, rows).await?.pop())
}

/// All that were ever confirmed, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    currency: Option<Currency>,
    page: &Page<Newest>,
) -> Result<Paged<PaymentInstructions>, Error> {
    use payment_instructions::Column as C;
    let condition = Condition::all().add_option(currency.map(|of| C::CurrencyCode.eq(of.to_string())));
    let rows =
        payment_instructions::Entity::find().filter(sight.of_operator(C::OperatorId)).filter(condition);
    let paged = newest_first(conn, rows, (C::InstructionsId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_ends(conn, paged.rows).await?, more: paged.more })
}

#[derive(FromQueryResult)]
struct End {
    instructions_id: Uuid,
    end_time: Instant,
}

/// Adds when others took their place, in one statement for all.
async fn with_ends(
    conn: &impl ConnectionTrait,
    rows: Vec<payment_instructions::Model>,
) -> Result<Vec<PaymentInstructions>, Error> {
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.instructions_id).collect();
    let sql = "select p.instructions_id, n.confirm_time as end_time \
               from billing.payment_instructions p \
               join billing.payment_instructions n on n.operator_id = p.operator_id \
                    and n.currency_code = p.currency_code and n.number = p.number + 1 \
               where p.operator_id = any($1) and p.instructions_id = any($2)";
    let found = End::find_by_statement(statement(sql, [operators.into(), ids.into()])).all(conn).await;
    let ends = found.map_err(store_error)?.into_iter().map(|end| (end.instructions_id, end.end_time));
    let ends: HashMap<Uuid, Instant> = ends.collect();
    let with_end = |row: &payment_instructions::Model| {
        let end_time = ends.get(&row.instructions_id).copied();
        Ok(PaymentInstructions { end_time, ..instructions_of(row)? })
    };
    rows.iter().map(with_end).collect()
}

/// What some invoices say where to pay.
#[derive(Debug, Default)]
pub struct PayTo {
    by_id: HashMap<Uuid, Arc<PaymentInstructions>>,
    in_force: HashMap<(OperatorId, Currency), Arc<PaymentInstructions>>,
}

impl PayTo {
    /// What an operator has in force for a currency.
    #[must_use]
    pub fn now(&self, operator: &OperatorId, currency: Currency) -> Option<Arc<PaymentInstructions>> {
        self.in_force.get(&(operator.clone(), currency)).cloned()
    }

    /// What an invoice was issued with; of one that is not issued, what is in force.
    pub(super) fn of(&self, row: &invoice::Model) -> Result<Option<Arc<PaymentInstructions>>, Error> {
        match (row.number, row.payment_instructions_id) {
            (None, _) => Ok(self
                .now(&parse("operator_id", &row.operator_id)?, parse("currency_code", &row.currency_code)?)),
            (Some(_), None) => Ok(None),
            (Some(_), Some(id)) => {
                let known = self.by_id.get(&id).cloned();
                known.map(Some).ok_or_else(|| broken("payment_instructions_id", "is of nothing"))
            }
        }
    }
}

/// What these invoices say where to pay, looked up once for all of them; no statement where none can say anything.
pub(super) async fn of_invoices(
    conn: &impl ConnectionTrait,
    operators: &[String],
    rows: &[invoice::Model],
) -> Result<PayTo, Error> {
    let mut named: Vec<Uuid> = rows.iter().filter_map(|row| row.payment_instructions_id).collect();
    named.sort_unstable();
    named.dedup();
    let drafts = rows.iter().any(|row| row.number.is_none());
    if named.is_empty() && !drafts {
        return Ok(PayTo::default());
    }
    look(conn, operators, named, drafts).await
}

/// What an operator has in force.
pub async fn in_force(conn: &impl ConnectionTrait, operator: &OperatorId) -> Result<PayTo, Error> {
    look(conn, &[operator.to_string()], Vec::new(), true).await
}

async fn look(
    conn: &impl ConnectionTrait,
    operators: &[String],
    named: Vec<Uuid>,
    in_force: bool,
) -> Result<PayTo, Error> {
    let sql = "select p.* from billing.payment_instructions p \
               where p.operator_id = any($1) and (p.instructions_id = any($2) or ($3 and not exists ( \
                   select 1 from billing.payment_instructions n where n.operator_id = p.operator_id \
                      and n.currency_code = p.currency_code and n.number > p.number))) \
               order by p.number";
    let values = [operators.to_vec().into(), named.into(), in_force.into()];
    let found = payment_instructions::Entity::find().from_raw_sql(statement(sql, values)).all(conn).await;
    let mut pay_to = PayTo::default();
    for row in found.map_err(store_error)? {
        let one = Arc::new(instructions_of(&row)?);
        pay_to.by_id.insert(row.instructions_id, Arc::clone(&one));
        // In order of number: what is in force comes last.
        pay_to.in_force.insert((one.operator.clone(), one.details.currency), one);
    }
    Ok(pay_to)
}

fn instructions_of(row: &payment_instructions::Model) -> Result<PaymentInstructions, Error> {
    let account = match (&row.iban, &row.account_number) {
        (Some(iban), _) => BankAccount::Iban(parse("iban", iban)?),
        (None, Some(number)) => BankAccount::Number(parse("account_number", number)?),
        (None, None) => return Err(broken("iban", "is missing")),
    };
    Ok(PaymentInstructions {
        operator: parse("operator_id", &row.operator_id)?,
        id: PaymentInstructionsId::new(row.instructions_id),
        voucher: VoucherId::new(row.voucher_id),
        details: PaymentDetails {
            currency: parse("currency_code", &row.currency_code)?,
            account_holder: row.account_holder.clone(),
            bank_name: row.bank_name.clone(),
            account,
            bic: row.bic.as_deref().map(|bic| parse("bic", bic)).transpose()?,
            routing_number: row
                .routing_number
                .as_deref()
                .map(|of| parse("routing_number", of))
                .transpose()?,
            bank_address: row.bank_address.clone(),
            reference: row.reference.clone(),
        },
        number: row.number,
        confirm_time: row.confirm_time,
        end_time: None,
    })
}
