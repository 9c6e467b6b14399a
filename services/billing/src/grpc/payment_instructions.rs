//! Payment instructions to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    Currency, Error, OperatorName, OperatorParent, PaymentInstructionsName, Violations, VoucherName,
};
use runtime::wire::{request_id, to_timestamp};

use super::credit_note::reason;
use super::lists::{Maybe, list_request};
use crate::app::{ListPaymentInstructions, Listed, Propose};
use crate::domain::bank_account::{AccountNumber, Bic, Iban, RoutingNumber};
use crate::domain::payment_instructions::{BankAccount, PaymentDetails, PaymentInstructions};
use crate::domain::voucher::Content;

/// As long as names and remittance texts are in messages between banks (ISO 20022, Max140Text).
const BANK_TEXT_CHARS: usize = 140;
const ADDRESS_CHARS: usize = 200;

pub(super) fn propose(request: &wire::ProposePaymentInstructionsRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let asked = v.present("payment_instructions", request.payment_instructions.as_ref());
    let instructions = asked.and_then(|of| v.nested("payment_instructions", |v| details(v, of)));
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(Propose {
            operator: parent?.operator,
            content: Content::PaymentInstructions { instructions: instructions? },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn details(v: &mut Violations, of: &wire::PaymentInstructions) -> Option<PaymentDetails> {
    let currency = v.parse("currency_code", &of.currency_code, str::parse::<Currency>);
    let account_holder = named(v, "account_holder", &of.account_holder);
    let bank_name = named(v, "bank_name", &of.bank_name);
    let account = account(v, of);
    let bic = v.parse_optional("bic", &of.bic, str::parse::<Bic>);
    let routing_number = v.parse_optional("routing_number", &of.routing_number, str::parse::<RoutingNumber>);
    let alone = of.account_number.is_empty() || !(of.bic.is_empty() && of.routing_number.is_empty());
    v.require("bic", alone, "is required with account_number, unless routing_number is given");
    let foreign = of.iban.is_empty() || of.routing_number.is_empty();
    v.require("routing_number", foreign, "must not be given beside iban; give bic");
    let bank_address = v.text("bank_address", &of.bank_address, ADDRESS_CHARS);
    let reference = v.text("reference", &of.reference, BANK_TEXT_CHARS);
    Some(PaymentDetails {
        currency: currency?,
        account_holder: account_holder?,
        bank_name: bank_name?,
        account: account?,
        bic,
        routing_number,
        bank_address: bank_address?,
        reference: reference?,
    })
}

fn named(v: &mut Violations, field: &str, text: &str) -> Option<String> {
    let said = v.present(field, (!text.trim().is_empty()).then_some(text))?;
    v.text(field, said, BANK_TEXT_CHARS)
}

fn account(v: &mut Violations, of: &wire::PaymentInstructions) -> Option<BankAccount> {
    let iban = v.parse_optional("iban", &of.iban, str::parse::<Iban>);
    let number = v.parse_optional("account_number", &of.account_number, str::parse::<AccountNumber>);
    match (of.iban.is_empty(), of.account_number.is_empty()) {
        (true, true) => v.add("iban", "is required unless account_number is given"),
        (false, false) => v.add("account_number", "must not be given beside iban"),
        _ => {}
    }
    iban.map(BankAccount::Iban).or(number.map(BankAccount::Number))
}

pub(super) fn name(text: &str) -> Result<PaymentInstructionsName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<PaymentInstructionsName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListPaymentInstructionsRequest) -> Result<ListPaymentInstructions, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let currency = v.parse_optional("currency_code", &request.currency_code, str::parse::<Currency>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(currency)]);
    v.build(|| Some(ListPaymentInstructions { list: list?, currency }))
}

pub(super) fn listed(listed: &Listed<PaymentInstructions>) -> wire::ListPaymentInstructionsResponse {
    wire::ListPaymentInstructionsResponse {
        payment_instructions: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next.clone(),
    }
}

/// What is agreed, as a voucher tells it.
pub(super) fn details_to_wire(details: &PaymentDetails) -> wire::PaymentInstructions {
    let (iban, account_number) = match &details.account {
        BankAccount::Iban(iban) => (iban.to_string(), String::new()),
        BankAccount::Number(number) => (String::new(), number.to_string()),
    };
    wire::PaymentInstructions {
        currency_code: details.currency.to_string(),
        account_holder: details.account_holder.clone(),
        bank_name: details.bank_name.clone(),
        iban,
        account_number,
        bic: details.bic.as_ref().map(ToString::to_string).unwrap_or_default(),
        routing_number: details.routing_number.as_ref().map(ToString::to_string).unwrap_or_default(),
        bank_address: details.bank_address.clone(),
        reference: details.reference.clone(),
        ..wire::PaymentInstructions::default()
    }
}

/// As an invoice tells them: what does not change, and nothing of who agreed on it.
pub(super) fn on_invoice(of: &PaymentInstructions) -> wire::PaymentInstructions {
    wire::PaymentInstructions {
        name: of.name().to_string(),
        confirm_time: Some(to_timestamp(of.confirm_time)),
        ..details_to_wire(&of.details)
    }
}

pub(super) fn to_wire(of: &PaymentInstructions) -> wire::PaymentInstructions {
    wire::PaymentInstructions {
        voucher: VoucherName::new(of.operator.clone(), of.voucher).to_string(),
        end_time: of.end_time.map(to_timestamp),
        ..on_invoice(of)
    }
}
