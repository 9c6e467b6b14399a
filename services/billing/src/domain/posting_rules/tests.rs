use super::*;
use std::fmt::Write as _;

const GOLDEN: &str = include_str!("../posting_rules.golden.md");

fn table() -> String {
    let mut out = String::from("| deed | side | ledger account | amount | why |\n|---|---|---|---|---|\n");
    for rule in posting_rules() {
        let side = match rule.side {
            Side::Debit => "debit",
            Side::Credit => "credit",
        };
        let amount = match rule.amount {
            Amount::Total => "the invoice's total".to_owned(),
            Amount::LinesOf(charge_type) => format!("the sum of its {charge_type} lines"),
            Amount::Owed => "what of it lowers what is owed".to_owned(),
            Amount::HadBeenPaid => "what of it had been paid".to_owned(),
            Amount::Moved => "the amount".to_owned(),
            Amount::Unamortized => "what of it is still an asset".to_owned(),
            Amount::Expensed => "what of it became an expense".to_owned(),
        };
        let _ =
            writeln!(out, "| {} | {side} | {} | {amount} | {} |", rule.deed, rule.ledger_account, rule.why);
    }
    out
}

#[test]
fn the_table_is_golden_and_in_the_readme() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/src/domain/posting_rules.golden.md");
        std::fs::write(golden, table()).expect("the golden file is written");
        return;
    }
    assert_eq!(table(), GOLDEN, "the table is now:\n{}", table());
    assert!(include_str!("../../../README.md").contains(GOLDEN.trim()), "copy the golden table to README.md");
}
