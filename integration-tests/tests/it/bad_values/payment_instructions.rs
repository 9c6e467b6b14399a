//! Bad payment instructions.

use contracts::billing::v1 as billing;
use integration_tests::requests::money::pay_to;
use integration_tests::world::Names;
use prost::Message as _;

use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "ProposePaymentInstructions" => proposed(n),
        "ListPaymentInstructions" => {
            let list = billing::ListPaymentInstructionsRequest {
                parent: n.operator.clone(),
                currency_code: "dollars".to_owned(),
                ..Default::default()
            };
            vec![Case::invalid("a currency of nobody's", list.encode_to_vec(), &["currency_code"])]
        }
        _ => Vec::new(),
    }
}

fn with(n: &Names, change: &dyn Fn(&mut billing::PaymentInstructions)) -> Vec<u8> {
    let mut propose = pay_to(&n.operator);
    propose.payment_instructions.iter_mut().for_each(change);
    propose.encode_to_vec()
}

fn case(what: &str, n: &Names, change: &dyn Fn(&mut billing::PaymentInstructions), fields: &[&str]) -> Case {
    let fields: Vec<String> = fields.iter().map(|field| format!("payment_instructions.{field}")).collect();
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    Case::invalid(what, with(n, change), &fields)
}

fn iban(of: &mut billing::PaymentInstructions, iban: &str) {
    (of.iban, of.account_number, of.routing_number) = (iban.to_owned(), String::new(), String::new());
}

fn proposed(n: &Names) -> Vec<Case> {
    let absent = billing::ProposePaymentInstructionsRequest {
        payment_instructions: None,
        reason: String::new(),
        ..pay_to(&n.operator)
    };
    let all = |of: &mut billing::PaymentInstructions| {
        *of = billing::PaymentInstructions {
            currency_code: "dollars".to_owned(),
            account_holder: " ".to_owned(),
            bank_name: "b".repeat(141),
            iban: "DE00370400440532013000".to_owned(),
            account_number: "12/34".to_owned(),
            bic: "COBADE".to_owned(),
            routing_number: "021000022".to_owned(),
            bank_address: "a".repeat(201),
            reference: "a\nb".to_owned(),
            ..Default::default()
        };
    };
    let every = [
        "currency_code",
        "account_holder",
        "bank_name",
        "iban",
        "account_number",
        "bic",
        "routing_number",
        "bank_address",
        "reference",
    ];
    let nothing = |of: &mut billing::PaymentInstructions| *of = billing::PaymentInstructions::default();
    vec![
        Case::invalid("nothing", absent.encode_to_vec(), &["payment_instructions", "reason"]),
        case("empty ones", n, &nothing, &["currency_code", "account_holder", "bank_name", "iban"]),
        case("everything", n, &all, &every),
        case("an IBAN too short", n, &|of| iban(of, "DE8937040044053201300"), &["iban"]),
        case("an IBAN of no country", n, &|of| iban(of, "US89370400440532013000"), &["iban"]),
        case("an IBAN with a slip", n, &|of| iban(of, "DE89370400440532013001"), &["iban"]),
        case("an account at no bank", n, &|of| (of.bic, of.routing_number) = Default::default(), &["bic"]),
        case(
            "a routing number with a slip",
            n,
            &|of| of.routing_number = "012000021".to_owned(),
            &["routing_number"],
        ),
        case(
            "an account and its IBAN",
            n,
            &|of| of.iban = "DE89370400440532013000".to_owned(),
            &["account_number", "routing_number"],
        ),
    ]
}
