//! The answer as a table that fits 80 columns, and as JSON: the same figures under the same words.

use std::fmt::Write as _;

use contracts::google::r#type::{Decimal, Money};
use contracts::leasing::v1 as leasing;
use kernel::{Rate, Violations};

use crate::out::megawatts;

/// The widest line that is printed.
const WIDTH: usize = 80;
const FIGURE: usize = 20;

/// One figure: its name for machines, its name for people, itself.
struct Figure {
    key: &'static str,
    label: &'static str,
    value: Option<String>,
}

/// Figures under a heading.
struct Part {
    key: &'static str,
    heading: &'static str,
    figures: Vec<Figure>,
}

/// Everything that is printed.
pub(super) struct Shown<'a> {
    answer: &'a leasing::CompareWithMiningResponse,
    parts: Vec<Part>,
}

fn amount(money: Option<&Money>) -> Option<String> {
    let mut v = Violations::new();
    money.and_then(|money| runtime::wire::money(&mut v, "", Some(money))).map(kernel::Money::grouped)
}

fn rate(decimal: Option<&Decimal>, decimals: u8) -> Option<String> {
    decimal?.value.parse::<Rate>().ok().map(|rate| rate.rounded(decimals))
}

fn figure(key: &'static str, label: &'static str, value: Option<String>) -> Figure {
    Figure { key, label, value }
}

impl<'a> Shown<'a> {
    pub(super) fn of(answer: &'a leasing::CompareWithMiningResponse) -> Self {
        let mut parts = Vec::new();
        parts.extend(answer.mining.as_ref().map(mining));
        parts.extend(answer.lease.as_ref().map(lease));
        parts.extend(answer.coin.as_ref().map(coin));
        parts.push(Part {
            key: "place",
            heading: "The whole place",
            figures: vec![
                figure("downtime_cost", "Not earned while dark", amount(answer.downtime_cost.as_ref())),
                figure(
                    "lease_present_value",
                    "Lease over the term, worth today",
                    amount(answer.lease_present_value.as_ref()),
                ),
                figure(
                    "mining_present_value",
                    "Mine over the term, worth today",
                    amount(answer.mining_present_value.as_ref()),
                ),
                figure(
                    "lease_advantage",
                    "Leasing is worth more by",
                    amount(answer.lease_advantage.as_ref()),
                ),
            ],
        });
        Self { answer, parts }
    }

    pub(super) fn text(&self, currency: &str) -> String {
        let mut text = format!(
            "{} MW gross, {} MW of critical IT load; {currency}\n",
            megawatts(self.answer.gross_kw),
            megawatts(self.answer.critical_it_kw)
        );
        for part in &self.parts {
            let _ = writeln!(text, "\n{}\n{}", part.heading, "─".repeat(WIDTH));
            for figure in &part.figures {
                let value = figure.value.as_deref().unwrap_or("-");
                let _ = writeln!(text, "{:<width$}{value:>FIGURE$}", figure.label, width = WIDTH - FIGURE);
            }
        }
        text.push_str("\nAssumed\n");
        for sentence in &self.answer.assumptions {
            for (i, line) in wrapped(sentence).iter().enumerate() {
                let _ = writeln!(text, "{} {line}", if i == 0 { "-" } else { " " });
            }
        }
        text.trim_end().to_owned()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let mut document = serde_json::Map::new();
        document.insert("gross_kw".to_owned(), self.answer.gross_kw.into());
        document.insert("critical_it_kw".to_owned(), self.answer.critical_it_kw.into());
        for part in &self.parts {
            let plain = |value: &Option<String>| value.as_ref().map(|value| value.replace(',', ""));
            let figures: serde_json::Map<_, _> = part
                .figures
                .iter()
                .map(|figure| (figure.key.to_owned(), plain(&figure.value).into()))
                .collect();
            document.insert(part.key.to_owned(), figures.into());
        }
        document.insert("assumptions".to_owned(), self.answer.assumptions.clone().into());
        document.into()
    }
}

fn mining(mine: &leasing::MiningResult) -> Part {
    Part {
        key: "mining",
        heading: "The mine, per gross MW and month",
        figures: vec![
            figure("hashrate_ph", "Hashrate, PH/s", rate(mine.hashrate_ph.as_ref(), 2)),
            figure("revenue", "Earned", amount(mine.revenue.as_ref())),
            figure("revenue_per_mwh", "Earned per MWh", amount(mine.revenue_per_mwh.as_ref())),
            figure("power_cost", "Power", amount(mine.power_cost.as_ref())),
            figure("operating_cost", "Running it beside", amount(mine.operating_cost.as_ref())),
            figure("excise", "Excise", amount(mine.excise.as_ref())),
            figure("margin", "Mining margin", amount(mine.margin.as_ref())),
            figure(
                "margin_after_machines",
                "Mining margin after machines",
                amount(mine.margin_after_machines.as_ref()),
            ),
            figure(
                "break_even_hashprice",
                "Hashprice at which nothing is left",
                rate(mine.break_even_hashprice.as_ref(), 2),
            ),
            figure(
                "break_even_power_price_per_mwh",
                "Power price per MWh at which nothing is left",
                rate(mine.break_even_power_price_per_mwh.as_ref(), 2),
            ),
        ],
    }
}

fn lease(lease: &leasing::LeaseResult) -> Part {
    Part {
        key: "lease",
        heading: "The lease, per gross MW and month",
        figures: vec![
            figure("cash_rent", "Cash rent in year one", amount(lease.cash_rent.as_ref())),
            figure("average_cash_rent", "Cash rent on average", amount(lease.average_cash_rent.as_ref())),
            figure("capital_charge", "Building, spread", amount(lease.capital_charge.as_ref())),
            figure(
                "rent_after_capital",
                "Rent after capital in year one",
                amount(lease.rent_after_capital.as_ref()),
            ),
            figure(
                "average_rent_after_capital",
                "Rent after capital on average",
                amount(lease.average_rent_after_capital.as_ref()),
            ),
            figure(
                "lost_four_cp_saving",
                "Saving at the four peaks that ends",
                amount(lease.lost_four_cp_saving.as_ref()),
            ),
            figure("net_rent", "Net rent in year one", amount(lease.net_rent.as_ref())),
            figure("average_net_rent", "Net rent on average", amount(lease.average_net_rent.as_ref())),
            figure(
                "break_even_rate_per_kw_month",
                "Rent per IT kW and month that is worth the mine",
                rate(lease.break_even_rate_per_kw_month.as_ref(), 2),
            ),
            figure(
                "break_even_hashprice",
                "Hashprice at which the mine is worth the lease",
                rate(lease.break_even_hashprice.as_ref(), 2),
            ),
        ],
    }
}

fn coin(coin: &leasing::CoinResult) -> Part {
    Part {
        key: "coin",
        heading: "By published costs of a coin; the first three per gross MW and month",
        figures: vec![
            figure("coins", "Coins found", rate(coin.coins.as_ref(), 4)),
            figure("cash_margin", "Left after cash cost", amount(coin.cash_margin.as_ref())),
            figure("all_in_margin", "Left after whole cost", amount(coin.all_in_margin.as_ref())),
            figure(
                "implied_hashprice",
                "Hashprice by the coin's price alone",
                rate(coin.implied_hashprice_per_ph_day.as_ref(), 2),
            ),
            figure("power_per_coin_mwh", "MWh for a coin", rate(coin.power_per_coin_mwh.as_ref(), 2)),
            figure("power_cost_per_coin", "Power for a coin", amount(coin.power_cost_per_coin.as_ref())),
        ],
    }
}

/// A sentence in lines that fit beside a dash.
fn wrapped(sentence: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in sentence.split_whitespace() {
        let last = lines.len() - 1;
        if !lines[last].is_empty() && lines[last].chars().count() + 1 + word.chars().count() > WIDTH - 2 {
            lines.push(word.to_owned());
        } else {
            if !lines[last].is_empty() {
                lines[last].push(' ');
            }
            lines[last].push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> leasing::CompareWithMiningResponse {
        let usd = |units, nanos| Some(Money { currency_code: "USD".to_owned(), units, nanos });
        leasing::CompareWithMiningResponse {
            gross_kw: 330_000,
            critical_it_kw: 245_000,
            mining: Some(leasing::MiningResult {
                hashrate_ph: Some(Decimal { value: "47.6190476190".to_owned() }),
                margin: usd(21_355, 420_000_000),
                ..Default::default()
            }),
            coin: Some(leasing::CoinResult { all_in_margin: usd(-26_344, -20_000_000), ..Default::default() }),
            assumptions: vec!["It is assumed that a sentence may be longer than a terminal is wide, and that it goes on below.".to_owned()],
            ..Default::default()
        }
    }

    #[test]
    fn the_table_fits_a_terminal_and_says_every_figure() {
        let answer = answer();
        let text = Shown::of(&answer).text("USD");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        for said in
            ["330 MW gross, 245 MW", "47.62\n", "21,355.42\n", "-26,344.02\n", "\n  it goes on below."]
        {
            assert!(text.contains(said), "no {said:?} in:\n{text}");
        }
    }

    #[test]
    fn a_machine_reads_the_same_figures() {
        let answer = answer();
        let json = Shown::of(&answer).json();
        assert_eq!(json["mining"]["margin"], "21355.42");
        assert_eq!(json["coin"]["all_in_margin"], "-26344.02");
        assert!(json["mining"]["revenue"].is_null());
    }
}
