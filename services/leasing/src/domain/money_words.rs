//! What is agreed of money beside rent, in the words of an order form.

use kernel::{
    AccrualStart, DisputeTerms, DrawBasis, InterestYear, LateInterest, LeastOf, MinimumTake, MoneyTerms,
    Prepayment, RejectedInterest,
};
use paper::{Fact, words};

/// What is paid ahead, held and taken at least, what late payment costs, and how invoices are disputed.
pub(super) fn money(terms: &MoneyTerms) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(paid) = &terms.prepayment {
        facts.push(Fact::new("Paid ahead", prepayment(paid)));
    }
    if let Some(deposit) = terms.deposit {
        let held = format!("{}, held until the lease is over", words::money(deposit.amount));
        facts.push(Fact::new("Deposit", held));
    }
    if let Some(MinimumTake { energy, demand }) = terms.minimum_take {
        let least = |of: LeastOf, what: &str, unit: &str| {
            Fact::new(
                "Taken or paid for",
                format!(
                    "{} percent of the contracted load {what}; {} for each {unit} short",
                    of.percent, of.rate
                ),
            )
        };
        facts.extend(energy.map(|of| least(of, "in every hour of a month", "kWh")));
        facts.extend(demand.map(|of| least(of, "in the highest interval of a month", "kW")));
    }
    if let Some(late) = &terms.late_interest {
        facts.push(Fact::new("Late payment", late_interest(late)));
    }
    if let Some(terms) = &terms.dispute {
        facts.push(Fact::new("Disputes", dispute(terms)));
    }
    facts
}

fn prepayment(paid: &Prepayment) -> String {
    let amount = words::money(paid.amount);
    let from = match (paid.basis, paid.first_draw_month) {
        (DrawBasis::FromLease, 0) => "from the first month of rent".to_owned(),
        (DrawBasis::FromEachBlock, 0) => "each block's part from its own first month of rent".to_owned(),
        (DrawBasis::FromLease, later) => {
            format!("from {} after the first month of rent", words::count(later, "month"))
        }
        (DrawBasis::FromEachBlock, later) => {
            format!(
                "each block's part from {} after its own first month of rent",
                words::count(later, "month")
            )
        }
    };
    format!(
        "{amount}, credited against rent in {} {from}",
        words::count(paid.draw_months, "equal monthly part")
    )
}

fn late_interest(late: &LateInterest) -> String {
    let LateInterest { annual, grace_days, year, accrues_from, once } = late;
    let days = match year {
        InterestYear::Actual365 => "365",
        InterestYear::Actual360 => "360",
    };
    let from = match accrues_from {
        AccrualStart::DueDate => "from the due date",
        AccrualStart::GraceEnd => "from the end of the grace",
    };
    let grace = words::count(*grace_days, "day");
    let once = once.map_or(String::new(), |once| format!(", and {once} percent once"));
    format!(
        "{annual} percent a year, simple, by days of a year of {days}, {from}, after {grace} of grace{once}"
    )
}

fn dispute(terms: &DisputeTerms) -> String {
    let days = words::count(terms.window_days, "day");
    let interest = match terms.rejected_interest {
        RejectedInterest::AsAgreed => "as if it had not been disputed",
        RejectedInterest::FromAnswer => "from the day of the answer on",
    };
    format!(
        "lines of an invoice within {days} of its issue; what was disputed in vain bears interest {interest}"
    )
}
