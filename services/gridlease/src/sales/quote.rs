//! `gridlease sales quote`: priced, ranked options for a need.

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use contracts::common::v1::CapacityVector;
use contracts::google::r#type::{Decimal, Money};
use contracts::leasing::v1 as leasing;
use kernel::{
    CivilDate, Clock as _, Ids as _, Percent, Rate, Role, SystemClock, SystemIds, TenantId, TenantName,
};
use prost_types::Duration;
use runtime::wire::{to_date, to_decimal, to_timestamp};
use serde_json::{Value, json};

use super::report::{Report, day, text, time, word};
use super::server::Server;

const EXAMPLES: &str = "\
Examples:
  gridlease sales quote --operator hut-8 --tenant anthropic --kw 40000 --liquid-percent 85 --from 2027-12-01 --months 180
  gridlease sales quote --operator hut-8 --tenant anthropic --kw 40000 --from 2027-12-01 --months 180 --hold-blocks 1
  gridlease sales quote ... --discount 6            beyond the card's bound: a second person must approve
  gridlease sales quote ... --only-ask --json       priced, and nothing is kept";

/// `gridlease sales quote`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Quote {
    /// The tenant
    #[arg(long, value_name = "SLUG")]
    pub tenant: TenantId,
    /// Critical IT load, kW
    #[arg(long, value_name = "KW", value_parser = clap::value_parser!(i64).range(1..))]
    pub kw: i64,
    /// Share of the heat that liquid carries; air carries the rest
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(i32).range(0..=100))]
    pub liquid_percent: i32,
    /// First acceptable start, in the site's time zone
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: CivilDate,
    /// Term
    #[arg(long, value_name = "MONTHS", value_parser = clap::value_parser!(i32).range(1..=600))]
    pub months: i32,
    /// Only this site or block; may be repeated
    #[arg(long = "place", value_name = "NAME")]
    pub places: Vec<String>,
    /// Only this structure; may be repeated
    #[arg(long = "structure", value_name = "STRUCTURE")]
    pub structures: Vec<Structure>,
    /// Discount on every option
    #[arg(long, value_name = "PERCENT")]
    pub discount: Option<Percent>,
    /// Currency of the cards
    #[arg(long, default_value = "USD", value_name = "CODE")]
    pub currency: String,
    /// How long the quote stands
    #[arg(long, default_value_t = 14, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=180))]
    pub days: i64,
    /// How many blocks are held while it stands, those of the first options
    #[arg(long, default_value_t = 0, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(0..=5))]
    pub hold_blocks: i32,
    /// How long the lease that it becomes is held for signatures
    #[arg(long, default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=60))]
    pub hold_days: i64,
    /// Most options
    #[arg(long, default_value_t = 5, value_name = "COUNT", value_parser = clap::value_parser!(i32).range(1..=20))]
    pub options: i32,
    /// Price only: nothing is kept or held
    #[arg(long)]
    pub only_ask: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// What a rent includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Structure {
    /// Triple net: nothing
    Nnn,
    /// Tax, insurance and upkeep
    ModifiedGross,
    /// These and power
    Gross,
}

impl Structure {
    fn to_wire(self) -> i32 {
        match self {
            Self::Nnn => leasing::LeaseStructure::Nnn.into(),
            Self::ModifiedGross => leasing::LeaseStructure::ModifiedGross.into(),
            Self::Gross => leasing::LeaseStructure::Gross.into(),
        }
    }
}

impl Quote {
    fn request(&self) -> leasing::QuoteLeaseRequest {
        const DAY: i64 = 86_400;
        let liquid = self.kw * i64::from(self.liquid_percent) / 100;
        let until = SystemClock.now() + chrono::TimeDelta::days(self.days);
        leasing::QuoteLeaseRequest {
            parent: self.server.parent(),
            tenant: TenantName::new(self.tenant.clone()).to_string(),
            need: Some(leasing::QuoteNeed {
                capacity: Some(CapacityVector {
                    critical_it_kw: self.kw,
                    air_cooling_kw: self.kw - liquid,
                    liquid_cooling_kw: liquid,
                    ..Default::default()
                }),
                start_from_date: Some(to_date(self.from)),
                start_until_date: None,
                term_months: self.months,
                places: self.places.clone(),
                structures: self.structures.iter().map(|one| one.to_wire()).collect(),
                currency_code: self.currency.clone(),
                renewal_options: Vec::new(),
                invoice_lead_days: 0,
                payment_terms_days: 30,
            }),
            discount_percent: self.discount.map(to_decimal),
            valid_until_time: Some(to_timestamp(until)),
            hold_duration: Some(Duration { seconds: self.hold_days * DAY, nanos: 0 }),
            option_limit: self.options,
            request_id: SystemIds.next().to_string(),
            validate_only: self.only_ask,
            held_block_count: self.hold_blocks,
        }
    }
}

pub(super) async fn quote(arguments: Quote) -> anyhow::Result<String> {
    let mut offers = arguments.server.desk(Role::Sales)?.offers();
    let answer = offers.quote_lease(arguments.request()).await.context("quote")?.into_inner();
    Ok(told(&answer.quote.context("no quote")?, arguments.server.json))
}

fn told(quote: &leasing::Quote, json: bool) -> String {
    let state = word(quote.state().as_str_name(), "QUOTE_STATE_");
    let until = time(quote.valid_until_time.as_ref());
    let (rates, sums) = (rates(quote), sums(quote));
    if json {
        let document = json!({
            "quote": quote.name,
            "state": state,
            "valid_until": until,
            "options": joined(rates.to_json(), sums.to_json()),
            "approval_reasons": sentences(quote, |option| &option.approval_reasons),
            "assumptions": sentences(quote, |option| &option.assumptions),
        });
        return document.to_string();
    }
    let plain = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = if quote.name.is_empty() { "Not kept:" } else { quote.name.as_str() };
    let mut said = vec![
        format!("{name} {}, until {}", plain(&state), plain(&until)),
        "Rates are per kW of IT load and month; the order is that of the triple-net equivalent.".to_owned(),
        rates.told(false, ""),
        sums.told(false, ""),
    ];
    for (heading, sentences) in [
        ("A second person must approve:", sentences(quote, |option| &option.approval_reasons)),
        ("To be cleared:", sentences(quote, |option| &option.rights)),
        ("Assumed:", sentences(quote, |option| &option.assumptions)),
    ] {
        if !sentences.is_empty() {
            said.push(heading.to_owned());
            said.extend(sentences.iter().map(|sentence| format!("- {sentence}")));
        }
    }
    said.join("\n")
}

/// The rates of the options, by rank.
fn rates(quote: &leasing::Quote) -> Report {
    let mut report =
        Report::new(&[">No", "Block", "Structure", ">Year 1", ">Last", ">Average", ">Net eq", ">Floor"]);
    for option in &quote.options {
        let terms = option.terms.clone().unwrap_or_default();
        let block = terms.premises.first().map(|premises| short(&premises.block)).unwrap_or_default();
        let floor = option.floor_per_kw_month.as_ref().or(option.mining_floor_per_kw_month.as_ref());
        report.row([
            Value::from(option.number),
            text(block),
            word(terms.structure().as_str_name(), "LEASE_STRUCTURE_"),
            rate(option.year_one_rate_per_kw_month.as_ref()),
            rate(option.last_year_rate_per_kw_month.as_ref()),
            rate(option.average_rate_per_kw_month.as_ref()),
            rate(option.net_equivalent_per_kw_month.as_ref()),
            rate(floor),
        ]);
    }
    report
}

/// What the options come to, by rank.
fn sums(quote: &leasing::Quote) -> Report {
    let mut report =
        Report::new(&[">No", "From", ">Rent of year 1", ">Base TCV", ">Options apart", "Held", "Approval"]);
    for option in &quote.options {
        let premises = option.terms.as_ref().and_then(|terms| terms.premises.first());
        report.row([
            Value::from(option.number),
            day(premises.and_then(|premises| premises.commencement_date.as_ref())),
            amount(option.year_one_rent.as_ref()),
            amount(option.base_contract_value.as_ref()),
            amount(option.options_contract_value.as_ref()),
            text(if option.reservation.is_empty() { "" } else { "yes" }),
            text(if option.approval_reasons.is_empty() { "" } else { "needed" }),
        ]);
    }
    report
}

/// The rows of two tables about the same things, as one.
fn joined(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Array(rows), Value::Array(more)) => {
            rows.into_iter().zip(more).map(|(row, more)| joined(row, more)).collect()
        }
        (Value::Object(mut row), Value::Object(more)) => {
            row.extend(more);
            Value::Object(row)
        }
        (one, _) => one,
    }
}

/// `site/block` of a block's name.
fn short(block: &str) -> String {
    let parts: Vec<&str> = block.split('/').collect();
    match parts[..] {
        [_, _, _, site, _, block] => format!("{site}/{block}"),
        _ => block.to_owned(),
    }
}

/// What the options say, each sentence once.
fn sentences(quote: &leasing::Quote, of: fn(&leasing::QuoteOption) -> &Vec<String>) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    for sentence in quote.options.iter().flat_map(of) {
        if !said.contains(sentence) {
            said.push(sentence.clone());
        }
    }
    said
}

fn rate(decimal: Option<&Decimal>) -> Value {
    let read = decimal.and_then(|decimal| decimal.value.parse::<Rate>().ok());
    text(read.map(|rate| rate.rounded(2)).unwrap_or_default())
}

fn amount(money: Option<&Money>) -> Value {
    let mut v = kernel::Violations::new();
    let read = money.and_then(|money| runtime::wire::money(&mut v, "", Some(money)));
    text(read.map(kernel::Money::grouped).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted() -> leasing::Quote {
        let decimal = |value: &str| Some(Decimal { value: value.to_owned() });
        let usd = |units| Some(Money { currency_code: "USD".to_owned(), units, nanos: 0 });
        let option = |number, structure: leasing::LeaseStructure, year_one, net| leasing::QuoteOption {
            number,
            terms: Some(leasing::LeaseTerms {
                structure: structure.into(),
                premises: vec![leasing::Premises {
                    block: "operators/hut-8/sites/river-bend/blocks/hall-1".to_owned(),
                    commencement_date: Some(to_date("2027-12-01".parse().expect("a date"))),
                    ..Default::default()
                }],
                ..Default::default()
            }),
            year_one_rate_per_kw_month: decimal(year_one),
            net_equivalent_per_kw_month: decimal(net),
            base_contract_value: usd(6_999_999_999),
            assumptions: vec!["It is assumed.".to_owned()],
            ..Default::default()
        };
        leasing::Quote {
            name: "operators/hut-8/quotes/0189f7c2-6b1e-7c3a-9d50-c5a7b1b2c3d4".to_owned(),
            state: leasing::QuoteState::Open.into(),
            options: vec![
                option(1, leasing::LeaseStructure::Gross, "185", "136.70075"),
                option(2, leasing::LeaseStructure::Nnn, "140", "140"),
            ],
            ..Default::default()
        }
    }

    #[test]
    fn options_are_told_by_rank_and_an_assumption_once() {
        let said = told(&quoted(), false);
        let width = usize::from(crate::out::WIDTH);
        assert!(said.lines().all(|line| line.chars().count() <= width), "{said}");
        assert!(said.contains("136.70") && said.contains("6,999,999,999.00"), "{said}");
        assert_eq!(said.matches("It is assumed.").count(), 1, "{said}");
        assert!(said.find("GROSS") < said.find("NNN"), "{said}");
    }

    #[test]
    fn a_machine_reads_the_same_rows() {
        let read: Value = serde_json::from_str(&told(&quoted(), true)).expect("JSON");
        assert_eq!(read["state"], "OPEN");
        assert_eq!(read["options"][0]["net_eq"], "136.70");
        assert_eq!(read["options"][1]["structure"], "NNN");
        assert_eq!(read["assumptions"].as_array().map(Vec::len), Some(1));
    }
}
