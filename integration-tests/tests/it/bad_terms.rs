//! Values that are wrong in their own way: terms, signatures and bills.

use contracts::billing::v1 as billing;
use contracts::common::v1::CapacityVector;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, decimal, request_id};
use integration_tests::requests::money::usd;
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use crate::bad_input::Case;
use crate::bad_values::{NO_DAY, range};

#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn propose(n: &Names) -> Vec<Case> {
    let good = || market::terms(&n.free_block, market::load(1_000));
    let of =
        |terms: leasing::LeaseTerms| market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec();
    let premises = |change: fn(&mut leasing::Premises)| {
        let mut terms = good();
        terms.premises.iter_mut().for_each(change);
        of(terms)
    };
    let mut cases = vec![
        all_wrong_with_a_lease(n),
        all_wrong_with_premises(n),
        wrong_renewals(n),
        Case::invalid(
            "no terms",
            leasing::ProposeLeaseRequest {
                terms: None,
                ..market::proposal(&n.operator, &n.tenant, "fresh", good())
            }
            .encode_to_vec(),
            &["terms"],
        ),
        Case::invalid(
            "terms of disputes",
            of(leasing::LeaseTerms {
                dispute: Some(leasing::DisputeTerms { window_days: 0, rejected_interest: 9 }),
                ..good()
            }),
            &["terms.dispute.window_days", "terms.dispute.rejected_interest"],
        ),
        Case::invalid(
            "no premises",
            of(leasing::LeaseTerms { premises: Vec::new(), ..good() }),
            &["terms.premises"],
        ),
        Case::invalid(
            "a block twice",
            of(leasing::LeaseTerms { premises: [good().premises, good().premises].concat(), ..good() }),
            &["terms.premises[1].block"],
        ),
        Case::invalid(
            "a foreign block",
            premises(|p| p.block = p.block.replace("acme", "zenith")),
            &["terms.premises[0].block"],
        ),
        Case::invalid(
            "reversed",
            premises(|p| p.end_date = Some(date("2026-01-01"))),
            &["terms.premises[0].end_date"],
        ),
        Case::invalid(
            "longer than the term",
            premises(|p| p.end_date = Some(date("2037-01-02"))),
            &["terms.premises[0].end_date"],
        ),
        Case::invalid(
            "no rate",
            premises(|p| p.base_rate_per_kw_month = None),
            &["terms.premises[0].base_rate_per_kw_month"],
        ),
        Case::invalid(
            "a rate of nothing",
            premises(|p| p.base_rate_per_kw_month = decimal("0")),
            &["terms.premises[0].base_rate_per_kw_month"],
        ),
        Case::invalid(
            "a rate too fine",
            premises(|p| p.base_rate_per_kw_month = decimal("1.00000000001")),
            &["terms.premises[0].base_rate_per_kw_month"],
        ),
        Case::invalid(
            "a late first step",
            premises(|p| p.quantity_steps[0].from_date = Some(date("2027-02-01"))),
            &["terms.premises[0].quantity_steps[0].from_date"],
        ),
    ];
    let condition = |id: &str, day: &str, block: &str| leasing::Condition {
        condition_id: id.to_owned(),
        description: "the loan is signed".to_owned(),
        outside_date: Some(date(day)),
        satisfied_by: leasing::ConditionParty::Tenant.into(),
        block: block.to_owned(),
    };
    let conditions =
        vec![condition("loan", "2028-01-01", &n.free_block), condition("loan", "2026-12-01", &n.block)];
    cases.push(Case::invalid(
        "conditions that contradict",
        of(leasing::LeaseTerms { conditions, ..good() }),
        &[
            "terms.conditions[1].block",
            "terms.conditions[1].condition_id",
            "terms.conditions[1].outside_date",
        ],
    ));
    let nothing = leasing::ExpansionOption {
        option_id: "No".to_owned(),
        premises: Vec::new(),
        first_notice_date: NO_DAY,
        last_notice_date: None,
    };
    cases.push(Case::invalid(
        "an option on nothing",
        of(leasing::LeaseTerms { expansion_options: vec![nothing], ..good() }),
        &[
            "terms.expansion_options[0].first_notice_date",
            "terms.expansion_options[0].last_notice_date",
            "terms.expansion_options[0].option_id",
            "terms.expansion_options[0].premises",
        ],
    ));
    cases.push(options_that_contradict(n));
    let term = |months| of(leasing::LeaseTerms { term_months: months, ..good() });
    cases.push(Case::invalid("a term of nothing", term(0), &["terms.term_months"]));
    cases.push(range("a term of 601 months", term(601), "terms.term_months"));
    let far = |p: &mut leasing::Premises| {
        p.commencement_date = Some(date("2038-01-01"));
        p.end_date = Some(date("2039-01-01"));
        p.quantity_steps[0].from_date = Some(date("2038-01-01"));
    };
    cases.push(range("a start in eleven years", premises(far), "terms.premises[0].commencement_date"));
    let request = || market::proposal(&n.operator, &n.tenant, "fresh", good());
    let strangers = leasing::ProposeLeaseRequest { tenant: "tenants/nobody-at-all".to_owned(), ..request() };
    cases.push(Case::new(
        "an absent tenant",
        strangers.encode_to_vec(),
        Code::NotFound,
        "RESOURCE_NOT_FOUND",
        &[],
    ));
    let taken = leasing::ProposeLeaseRequest { lease_id: "in-force".to_owned(), ..request() };
    cases.push(Case::new("a taken id", taken.encode_to_vec(), Code::AlreadyExists, "NAME_TAKEN", &[]));
    let full =
        market::proposal(&n.operator, &n.tenant, "fresh", market::terms(&n.block, market::load(1_000)));
    cases.push(Case::new(
        "a full hall",
        full.encode_to_vec(),
        Code::FailedPrecondition,
        "CAPACITY_EXHAUSTED",
        &[],
    ));
    cases
}

/// Options on more blocks that cannot be held, or not exercised.
fn options_that_contradict(n: &Names) -> Case {
    let option = |id: &str, block: &str, from: &str, window: [&str; 2]| leasing::ExpansionOption {
        option_id: id.to_owned(),
        premises: market::terms_from(block, market::load(1_000), from).premises,
        first_notice_date: Some(date(window[0])),
        last_notice_date: Some(date(window[1])),
    };
    let expansion_options = vec![
        option("north", &n.free_block, "2026-12-31", ["2026-12-01", "2026-11-30"]),
        option("north", &n.block.replace("acme", "zenith"), "2028-01-01", ["2027-01-01", "2028-01-01"]),
    ];
    let terms =
        leasing::LeaseTerms { expansion_options, ..market::terms(&n.free_block, market::load(1_000)) };
    let of = |rest: &str| format!("terms.expansion_options{rest}");
    let fields = [
        of("[0].first_notice_date"),
        of("[0].last_notice_date"),
        of("[0].premises[0].block"),
        of("[0].premises[0].commencement_date"),
        of("[1].last_notice_date"),
        of("[1].option_id"),
        of("[1].premises[0].block"),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let message = market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec();
    Case::invalid("options that contradict", message, &fields)
}

/// Terms of which nothing may be so.
fn all_wrong_terms(n: &Names) -> leasing::LeaseTerms {
    leasing::LeaseTerms {
        currency_code: "XXXX".to_owned(),
        structure: 99,
        premises: Vec::new(),
        escalator: Some(leasing::Escalator { percent: decimal("101"), basis: 4, fixed_date: None }),
        billing_frequency: 7,
        invoice_lead_days: -1,
        payment_terms_days: 366,
        term_months: -3,
        renewal_options: vec![leasing::RenewalOption {
            count: 0,
            term_months: 0,
            notice_months: 121,
            ..Default::default()
        }],
        announced_date: NO_DAY,
        notes: "x".repeat(10_001),
        end_user: "x".repeat(201),
        guarantor: "x".repeat(201),
        term_basis: 9,
        conditions: vec![leasing::Condition {
            condition_id: "No".to_owned(),
            description: " ".to_owned(),
            outside_date: NO_DAY,
            satisfied_by: 0,
            block: n.site.clone(),
        }],
        delivery: Some(leasing::DeliveryTerms {
            acceptance_days: -1,
            grace_days: 366,
            single_abatement_days: 3_651,
            outside_days: -1,
        }),
        cure: Some(leasing::CureTerms { monetary_days: 0, other_days: 366 }),
        termination: Some(leasing::TerminationTerms { notice_months: 0, fee_months: 241 }),
        rent: Some(leasing::RentTerms { proration: 99, timing: 99, ..Default::default() }),
        prepayment: Some(leasing::Prepayment {
            amount: Some(usd(0)),
            draw_months: 601,
            first_draw_month: -1,
            basis: 9,
        }),
        deposit: Some(leasing::SecurityDeposit { amount: None }),
        minimum_take: Some(leasing::MinimumTake {
            energy_percent: decimal("101"),
            shortfall_per_kwh: decimal("0"),
            demand_percent: None,
            shortfall_per_kw_month: decimal("1"),
        }),
        late_interest: Some(leasing::LateInterest {
            annual_percent: decimal("0"),
            grace_days: 366,
            year: 9,
            accrues_from: 9,
            once_percent: decimal("101"),
        }),
        ..Default::default()
    }
}

fn all_wrong_with_a_lease(n: &Names) -> Case {
    let request = leasing::ProposeLeaseRequest {
        parent: "acme".to_owned(),
        lease_id: "No".to_owned(),
        tenant: n.operator.clone(),
        terms: Some(all_wrong_terms(n)),
        hold_duration: None,
        request_id: String::new(),
        validate_only: false,
    };
    Case::invalid(
        "everything of a lease",
        request.encode_to_vec(),
        &[
            "parent",
            "lease_id",
            "tenant",
            "hold_duration",
            "request_id",
            "terms.currency_code",
            "terms.structure",
            "terms.premises",
            "terms.escalator.percent",
            "terms.escalator.fixed_date",
            "terms.billing_frequency",
            "terms.invoice_lead_days",
            "terms.payment_terms_days",
            "terms.term_months",
            "terms.renewal_options[0].count",
            "terms.renewal_options[0].term_months",
            "terms.renewal_options[0].notice_months",
            "terms.announced_date",
            "terms.notes",
            "terms.end_user",
            "terms.guarantor",
            "terms.term_basis",
            "terms.conditions[0].condition_id",
            "terms.conditions[0].description",
            "terms.conditions[0].outside_date",
            "terms.conditions[0].satisfied_by",
            "terms.conditions[0].block",
            "terms.delivery.acceptance_days",
            "terms.delivery.grace_days",
            "terms.delivery.single_abatement_days",
            "terms.delivery.outside_days",
            "terms.cure.monetary_days",
            "terms.cure.other_days",
            "terms.termination.notice_months",
            "terms.termination.fee_months",
            "terms.rent.proration",
            "terms.rent.timing",
            "terms.prepayment.amount",
            "terms.prepayment.draw_months",
            "terms.prepayment.first_draw_month",
            "terms.prepayment.basis",
            "terms.deposit.amount",
            "terms.minimum_take.energy_percent",
            "terms.minimum_take.shortfall_per_kwh",
            "terms.minimum_take.shortfall_per_kw_month",
            "terms.late_interest.annual_percent",
            "terms.late_interest.grace_days",
            "terms.late_interest.year",
            "terms.late_interest.accrues_from",
            "terms.late_interest.once_percent",
        ],
    )
}

/// A window beyond all terms; and what renewals cost: a rate of nothing, more rates than renewals, no share of the rent, and a floor
/// above the cap.
fn wrong_renewals(n: &Names) -> Case {
    let option = |rates: &[&str], floor, cap| leasing::RenewalOption {
        count: 1,
        term_months: 12,
        window_months: 601,
        rates_per_kw_month: rates.iter().filter_map(|rate| decimal(rate)).collect(),
        market_rent: Some(leasing::MarketRent { floor_percent: decimal(floor), cap_percent: decimal(cap) }),
        ..Default::default()
    };
    let terms = leasing::LeaseTerms {
        renewal_options: vec![option(&["0"], "0", "1001"), option(&["125", "130"], "110", "90")],
        ..market::terms(&n.free_block, market::load(1_000))
    };
    Case::invalid(
        "renewals",
        market::proposal(&n.operator, &n.tenant, "renewed", terms).encode_to_vec(),
        &[
            "terms.renewal_options[0].window_months",
            "terms.renewal_options[1].window_months",
            "terms.renewal_options[0].rates_per_kw_month[0]",
            "terms.renewal_options[0].market_rent.floor_percent",
            "terms.renewal_options[0].market_rent.cap_percent",
            "terms.renewal_options[1].rates_per_kw_month",
            "terms.renewal_options[1].market_rent.cap_percent",
        ],
    )
}

fn all_wrong_with_premises(n: &Names) -> Case {
    let load = market::load(1_000);
    let quantity = |from: &str, capacity| leasing::QuantityStep { from_date: Some(date(from)), capacity };
    let premises = leasing::Premises {
        quantity_steps: vec![
            quantity(market::READY, Some(CapacityVector { critical_it_kw: 0, ..load })),
            quantity("2028-01-01", Some(CapacityVector { liquid_cooling_kw: 0, ..load })),
            quantity("2027-06-01", Some(load)),
            quantity("2037-01-01", None),
        ],
        base_rate_per_kw_month: None,
        rate_steps: vec![leasing::RateStep {
            from_date: Some(date(market::READY)),
            rate_per_kw_month: decimal("0"),
        }],
        ..market::terms(&n.free_block, load).premises.remove(0)
    };
    let terms = leasing::LeaseTerms { premises: vec![premises], ..market::terms(&n.free_block, load) };
    let path = |rest: &str| format!("terms.premises[0].{rest}");
    let fields = [
        path("quantity_steps[0].capacity.critical_it_kw"),
        path("quantity_steps[1].capacity"),
        path("quantity_steps[2].from_date"),
        path("quantity_steps[3].from_date"),
        path("quantity_steps[3].capacity"),
        path("rate_steps[0].rate_per_kw_month"),
    ];
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let message = market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec();
    Case::invalid("everything of premises", message, &fields)
}

pub(crate) fn sign_and_cancel(method: &str, n: &Names) -> Vec<Case> {
    if method == "CancelLease" {
        let ask = |name: &str, reason: &str| {
            leasing::CancelLeaseRequest {
                name: name.to_owned(),
                reason: reason.to_owned(),
                request_id: request_id(),
                ..Default::default()
            }
            .encode_to_vec()
        };
        return vec![
            Case::invalid("no reason", ask(&n.proposed, " "), &["reason"]),
            Case::invalid("a long reason", ask(&n.proposed, &"x".repeat(1_001)), &["reason"]),
            Case::new(
                "a lease in force",
                ask(&n.active, "too late"),
                Code::FailedPrecondition,
                "INVALID_STATE_TRANSITION",
                &[],
            ),
        ];
    }
    let ask = |name: &str, terms_hash: Vec<u8>, signatory: Option<(&str, &str)>| {
        leasing::SignLeaseRequest {
            name: name.to_owned(),
            terms_hash,
            signatory: signatory
                .map(|(name, title)| leasing::Signatory { name: name.to_owned(), title: title.to_owned() }),
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let ada = Some(("Ada Marsh", ""));
    let refused = |what, message, reason| Case::new(what, message, Code::FailedPrecondition, reason, &[]);
    vec![
        Case::invalid("nobody signs", ask(&n.proposed, n.terms_hash.clone(), None), &["signatory"]),
        Case::invalid("half a hash", ask(&n.proposed, vec![7; 16], ada), &["terms_hash"]),
        Case::invalid(
            "everything",
            ask(&n.proposed, Vec::new(), Some((" ", &"x".repeat(201)))),
            &["terms_hash", "signatory.name", "signatory.title"],
        ),
        refused("another hash", ask(&n.proposed, vec![7; 32], ada), "TERMS_HASH_MISMATCH"),
        refused("a lease in force", ask(&n.active, n.terms_hash.clone(), ada), "INVALID_STATE_TRANSITION"),
    ]
}

pub(crate) fn bills(method: &str, n: &Names) -> Vec<Case> {
    let parent = n.operator.clone();
    match method {
        "SimulateBilling" => {
            let ask = billing::SimulateBillingRequest {
                lease: n.active.clone(),
                load_percent: decimal("101"),
                index_growth_percent: decimal("-1"),
                days_late: 366,
                start_month: Some(billing::BillingMonth { year: 1999, month: 1 }),
                end_month: Some(billing::BillingMonth { year: 2027, month: 13 }),
            };
            let fields = ["load_percent", "index_growth_percent", "days_late", "start_month", "end_month"];
            vec![Case::invalid("every assumption", ask.encode_to_vec(), &fields)]
        }
        "PreviewInvoices" => {
            let ask = |through_date, until_end| {
                let lease = n.active.clone();
                billing::PreviewInvoicesRequest { lease, through_date, until_end }.encode_to_vec()
            };
            vec![
                Case::invalid("no end", ask(None, false), &["through_date"]),
                Case::invalid("two ends", ask(Some(date("2027-12-31")), true), &["through_date"]),
                Case::invalid("no day", ask(NO_DAY, false), &["through_date"]),
            ]
        }
        "StartBillingRun" => {
            let ask = |billing_month| {
                let (request_id, validate_only) = (request_id(), false);
                billing::StartBillingRunRequest {
                    parent: parent.clone(),
                    billing_month,
                    request_id,
                    validate_only,
                }
                .encode_to_vec()
            };
            let month = |year, month| ask(Some(billing::BillingMonth { year, month }));
            [ask(None), month(2027, 13), month(2027, 0), month(2027, -1), month(0, 1), month(9_999, 1)]
                .into_iter()
                .map(|message| Case::invalid("no month", message, &["billing_month"]))
                .collect()
        }
        _ => {
            let message = billing::GetTrialBalanceRequest { parent, as_of_date: NO_DAY }.encode_to_vec();
            vec![Case::invalid("no day", message, &["as_of_date"])]
        }
    }
}
