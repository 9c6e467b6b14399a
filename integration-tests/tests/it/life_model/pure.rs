//! The domain beside the model: any terms, any deeds on any days, each done twice, the document written and read between.

use kernel::{CapacityVector, CivilDate, Currency, Instant, Rate, ReservationId, Zone};
use leasing::domain::assignment::{AssignmentKind, Wish};
use leasing::domain::contract::{Condition, Contract, CureTerms, DeliveryTerms, TermBasis, TerminationTerms};
use leasing::domain::draft::{Draft, PremisesDraft, RateDraft, RenewalDraft};
use leasing::domain::expansion_draft::ExpansionDraft;
use leasing::domain::life::{Ground, NoticeKind};
use leasing::domain::nomination::Named;
use leasing::domain::nomination_draft::NominationDraft;
use leasing::domain::premises::ReadyDates;
use leasing::domain::renewal_rent::MarketRent;
use leasing::domain::terms::{PremisesTerms, ProfileStep, RateTerms, Structure};
use leasing::domain::{
    Actor, Command, Findings, Hold, Lease, Party, Proposal, Signatory, Signature, TermsHash,
};

use super::later::Later;
use super::options::Renewals;
use super::plain::{Deed, Delivery, Plain, Side, day, number};
use crate::obvious::Dice;

/// Deeds of one lease.
const LIFE: u64 = 75;
/// Deeds of all leases of one test; there are four.
const STEPS: u64 = 25_000;

fn zone() -> Zone {
    "America/Chicago".parse().expect("a zone")
}

fn noon(number: i64) -> Instant {
    zone().start_of_day(day(number)) + chrono::TimeDelta::hours(6)
}

fn party(side: Side) -> Party {
    match side {
        Side::Operator => Party::Operator,
        Side::Tenant => Party::Tenant,
    }
}

fn small(days: i64) -> u32 {
    u32::try_from(days).expect("small")
}

/// A rate of the model's.
fn rate(units: i64) -> Rate {
    format!("{}.{:04}", units / 10_000, units % 10_000).parse().expect("a rate")
}

fn block(number: usize) -> kernel::BlockName {
    format!("operators/acme/sites/rockdale/blocks/hall-{number}").parse().expect("a name")
}

/// What the terms let the tenant take later.
fn options(
    plain: &Plain,
    premises: impl Fn(usize, (i64, i64)) -> PremisesDraft,
) -> (Vec<RenewalDraft>, Vec<ExpansionDraft>) {
    let renewals = &plain.renewals;
    let renewal = RenewalDraft {
        count: renewals.count,
        term_months: renewals.months,
        notice_months: renewals.notice,
        window_months: renewals.window,
        rates: (0..renewals.stated).map(|number| rate(Renewals::rate(number))).collect(),
        market: renewals.market.map(|(floor, cap)| MarketRent {
            floor: floor.to_string().parse().ok(),
            cap: cap.to_string().parse().ok(),
        }),
    };
    let extras = plain.extras.iter().enumerate().map(|(number, extra)| ExpansionDraft {
        id: Some(format!("more-{number}")),
        premises: vec![premises(extra.block.hall, extra.block.agreed)],
        first: extra.first.map(day),
        last: Some(day(extra.last)),
    });
    (if renewals.count > 0 { vec![renewal] } else { Vec::new() }, extras.collect())
}

/// Capacity whose halls are named later.
fn nomination(later: &Later) -> NominationDraft {
    let kw = 1_000 * i64::try_from(later.left).expect("small");
    NominationDraft {
        id: Some("later".to_owned()),
        site: Some(block(0).site_name()),
        capacity: CapacityVector::new(kw, 0, kw, 0),
        commencement: Some(day(later.first)),
        end: kernel::time::add_months(day(later.first), later.months),
        rate: "125".parse().ok(),
        last: Some(day(later.last)),
    }
}

/// The lease that the model is of.
fn signed(plain: &Plain) -> Lease {
    let premises = |number: usize, agreed: (i64, i64)| PremisesDraft {
        block: Some(block(number)),
        profile: vec![(Some(day(agreed.0)), CapacityVector::new(1_000, 0, 1_000, 0))],
        commencement: Some(day(agreed.0)),
        end: Some(day(agreed.1)),
        rate: Some(RateDraft::Base("125".parse().ok())),
    };
    let conditions = plain.conditions.iter().map(|one| Condition {
        id: one.id.clone(),
        description: "financing".to_owned(),
        outside_date: day(one.outside),
        satisfied_by: party(one.side),
        block: one.block.map(block),
    });
    let contract = Contract {
        term_basis: if plain.from_each { TermBasis::FromEachPhase } else { TermBasis::CoTerminous },
        conditions: conditions.collect(),
        delivery: plain.delivery.map(|Delivery(acceptance, grace, single, outside)| DeliveryTerms {
            acceptance_days: small(acceptance),
            grace_days: small(grace),
            single_abatement_days: small(single),
            outside_days: Some(small(outside)),
        }),
        cure: Some(CureTerms { monetary_days: small(plain.cure), other_days: 30 }),
        termination: plain.way_out.map(|months| TerminationTerms {
            notice_months: u32::try_from(months).expect("small"),
            fee_months: 3,
        }),
        ..Contract::default()
    };
    let (renewal_options, expansion_options) = options(plain, premises);
    let draft = Draft {
        nominations: plain.later.iter().map(nomination).collect(),
        expansion_options,
        renewal_options,
        currency: Currency::new("USD"),
        structure: Some(Structure::TripleNet),
        premises: plain.blocks.iter().enumerate().map(|(number, one)| premises(number, one.agreed)).collect(),
        payment_terms_days: 30,
        term_months: 600,
        contract,
        ..Draft::default()
    };
    let mut findings = Findings::new();
    let checked = draft.check(None, day(0), &mut findings);
    findings.finish().expect("good terms");
    let zones = [(block(0).site_name(), zone())];
    let proposal = Proposal {
        name: "operators/acme/leases/river".parse().expect("a name"),
        uid: kernel::Uuid::from_u128(7),
        tenant: "tenants/lab".parse().expect("a name"),
        terms: checked.and_then(|checked| checked.in_zones(&zones)).expect("good terms"),
        hold_seconds: 3_600,
    };
    let (mut lease, _) = Lease::propose(proposal, noon(0)).expect("a lease");
    let reservation = ReservationId::new(kernel::Uuid::from_u128(9));
    let hold = Hold { reservation, expire_time: noon(1) };
    lease.held((!lease.claims().is_empty()).then_some(hold), noon(0)).expect("held");
    for party in [Party::Operator, Party::Tenant] {
        lease.sign(signature(party, lease.terms_hash)).expect("signed");
    }
    lease.committed(noon(0)).expect("committed");
    lease
}

fn signature(party: Party, terms_hash: TermsHash) -> Signature {
    let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    let (subject, peer_address) = ("tester".to_owned(), String::new());
    Signature { party, signatory, subject, peer_address, terms_hash, time: noon(0) }
}

fn ada() -> Signatory {
    Signatory { name: "Ada Marsh".to_owned(), title: String::new() }
}

fn command(deed: &Deed, lease: &Lease, plain: &Plain) -> Option<(Party, Command)> {
    if let Some(paper) = paper(deed, lease, plain) {
        return Some(paper);
    }
    Some(match deed {
        Deed::Satisfy(side, id) => {
            (party(*side), Command::Satisfy { condition: id.clone(), note: String::new() })
        }
        Deed::Accept(number, on) => {
            let block = lease.premises[*number].block.clone();
            (Party::Tenant, Command::Accept { block, on: day(*on), signatory: ada() })
        }
        Deed::Renew => (Party::Tenant, Command::Renew { signatory: ada() }),
        Deed::Expand(number) => {
            (Party::Tenant, Command::Expand { option: format!("more-{number}"), signatory: ada() })
        }
        Deed::Nominate(count) => {
            let first = plain.later.map_or(0, |later| later.next_hall());
            let named = |hall| Named {
                block: block(hall),
                capacity: CapacityVector::new(1_000, 0, 1_000, 0).expect("a load"),
            };
            let blocks = (first..first + count).map(named).collect();
            (Party::Operator, Command::Nominate { nomination: "later".to_owned(), blocks, signatory: ada() })
        }
        Deed::Notify(kind) => {
            let kind = match *kind {
                "DEFAULT" => NoticeKind::MonetaryDefault,
                "CURED" => NoticeKind::Cured,
                _ => NoticeKind::CloseOut,
            };
            (Party::Operator, Command::Notify { kind, note: "why".to_owned() })
        }
        Deed::End(side, ground, end) => {
            let ground = match *ground {
                "DEFAULT" => Ground::Default,
                "OUTSIDE_DATE" => Ground::OutsideDate,
                _ => Ground::Fee,
            };
            (party(*side), Command::Terminate { ground, end: day(*end), reason: "why".to_owned() })
        }
        _ => return None,
    })
}

/// The same of what is put on the table.
fn paper(deed: &Deed, lease: &Lease, plain: &Plain) -> Option<(Party, Command)> {
    let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
    Some(match deed {
        Deed::Ask(whole, on) => {
            let other = if lease.tenant.tenant.as_str() == "lab" { "tenants/rival" } else { "tenants/lab" };
            let assignee = if *whole { other } else { "tenants/guest" };
            let wish = Wish {
                kind: if *whole { AssignmentKind::Assignment } else { AssignmentKind::Sublease },
                assignee: assignee.parse().expect("a name"),
                effective: day(*on),
                reference: "AA-7".to_owned(),
                note: String::new(),
            };
            (Party::Tenant, Command::RequestAssignment { wish })
        }
        Deed::Consent => (Party::Operator, Command::ConsentToAssignment { signatory }),
        Deed::Decline => (Party::Operator, Command::DeclineAssignment),
        Deed::Amend(on) | Deed::Agree(on) | Deed::Add(on, ..) => {
            let mut terms = lease.terms.clone();
            terms.payment_terms_days += 1;
            terms.contract.conditions = Vec::new();
            terms.expansion_options.retain(|option| lease.is_open_option(option));
            let open: Vec<_> = lease.open_nominations().map(|one| one.id.clone()).collect();
            terms.nominations.retain(|one| open.contains(&one.id));
            if let (Deed::Agree(_), Some(option)) = (deed, terms.renewal_options.first_mut()) {
                let stated = (0..(plain.renewals.stated + 1).min(plain.renewals.count)).map(Renewals::rate);
                option.rates = stated.map(rate).collect();
            }
            if let Deed::Add(_, first, months) = deed {
                terms.premises.push(added(plain.spare, *first, *months));
            }
            let (effective, note) = (day(*on), "later".to_owned());
            (
                Party::Operator,
                Command::ProposeAmendment { terms: Box::new(terms), master: None, effective, note },
            )
        }
        Deed::Sign(side) => {
            let terms = lease.life.amendment.as_ref().map_or(&lease.terms, |one| &one.terms);
            let terms_hash = lease.hash_of(terms).expect("a hash").0;
            (party(*side), Command::SignAmendment { terms_hash, signatory })
        }
        Deed::Withdraw => (Party::Tenant, Command::WithdrawAmendment),
        Deed::Stay(until) => {
            (Party::Operator, Command::BeginHoldover { until: day(*until), note: "why".to_owned() })
        }
        Deed::Leave(end) => {
            (Party::Operator, Command::EndHoldover { end: day(*end), note: "why".to_owned() })
        }
        _ => return None,
    })
}

/// A hall more.
fn added(hall: usize, first: i64, months: i32) -> PremisesTerms {
    PremisesTerms {
        block: block(hall),
        zone: zone(),
        profile: vec![ProfileStep {
            from: day(first),
            capacity: CapacityVector::new(1_000, 0, 1_000, 0).expect("a load"),
        }],
        commencement: day(first),
        end: kernel::time::add_months(day(first), months).expect("a date"),
        rate: RateTerms::Base("125".parse().expect("a rate")),
    }
}

/// The lease under test, and what it told.
struct Run {
    lease: Lease,
    told: Vec<&'static str>,
}

impl Run {
    /// `before`: the model as it was before the deed.
    fn apply(&mut self, deed: &Deed, before: &Plain, today: i64) -> Result<(), String> {
        let done = match (command(deed, &self.lease, before), deed) {
            (Some((party, command)), _) => {
                let by = Actor { party, subject: "tester".to_owned(), address: String::new() };
                let mut after = self.lease.clone();
                after.obey(&command, &by, noon(today)).map(|happened| {
                    self.lease = after;
                    self.told.push(word(happened));
                })
            }
            (None, Deed::Short(at, until)) => {
                self.news(*at, today, |premises| premises.standing.short_until = until.map(day));
                Ok(())
            }
            (None, Deed::Ready(at, on)) => {
                let on = day(*on);
                self.news(*at, today, |premises| {
                    premises.ready = ReadyDates { baseline: Some(on), forecast: Some(on), actual: Some(on) };
                });
                Ok(())
            }
            _ => Ok(()),
        };
        while let Some(happened) = self.lease.pass(noon(today)).expect("time passes") {
            self.told.push(word(happened));
        }
        done.map_err(|refusal| refusal.reason().to_string())
    }

    fn news(&mut self, at: usize, today: i64, change: impl Fn(&mut leasing::domain::Premises)) {
        change(&mut self.lease.premises[at]);
        // What is over is not told of any more.
        if self.lease.adjusted(noon(today)).is_ok() {
            self.lease.settle().expect("settled");
        }
    }

    /// A crash: what is kept is all there is.
    fn read_again(&mut self) {
        let text = serde_json::to_string(&self.lease.life).expect("text");
        self.lease.life = serde_json::from_str(&text).expect("a life");
        for premises in &mut self.lease.premises {
            let text = serde_json::to_string(&premises.standing).expect("text");
            premises.standing = serde_json::from_str(&text).expect("a standing");
        }
    }

    fn agrees(&self, plain: &Plain) -> Result<(), String> {
        let lease = &self.lease;
        if (lease.state.name(), &self.told) != (plain.state, &plain.told) {
            return Err(format!("{} {:?} and not {} {:?}", lease.state, self.told, plain.state, plain.told));
        }
        let open = lease.open_expansions().count();
        let ought_open = plain.extras.iter().filter(|extra| extra.state == "OPEN").count();
        if (lease.taken().len(), open) != (plain.blocks.len(), ought_open) {
            return Err(format!("{} blocks and {open} options, not as {plain:?}", lease.taken().len()));
        }
        let left = lease.open_nominations().map(|one| one.capacity.critical_it).sum::<i64>();
        let ought_left = plain.later.filter(|later| later.state == "OPEN").map_or(0, |later| later.left);
        if left != 1_000 * i64::try_from(ought_left).expect("small") {
            return Err(format!("{left} kW are left to be named, not as {:?}", plain.later));
        }
        self.takes_what_it_should(plain)?;
        for (is, ought) in lease.taken().iter().zip(&plain.blocks) {
            let days = |all: [CivilDate; 3]| all.map(number);
            let is_days = days([is.commencement, is.end, is.rent_from()]);
            let same = is.state.name() == ought.state
                && (ought.state == "LAPSED" || is_days == [ought.first, ought.end, ought.rent])
                && (ought.state == "LAPSED" || i64::from(is.standing.late_days) == ought.late);
            if !same {
                return Err(format!("{} {is_days:?} {:?} and not {ought:?}", is.state.name(), is.standing));
            }
            let last = is.rate_steps.iter().rev().find(|step| step.from < is.end).map(|step| step.rate);
            let ought_last = rate(plain.renewals.last_rate(&ought.renewed));
            if ought.state == "COMMENCED" && ought.held_from.is_none() && last != Some(ought_last) {
                return Err(format!("it ends at {last:?} and not at {ought_last}: {ought:?}"));
            }
        }
        if i64::from(lease.version) != plain.papers.version + 1 {
            return Err(format!("version {} and not {:?}", lease.version, plain.papers));
        }
        if plain.is_done() && lease.due_at().is_some() {
            return Err("something is due of what is over".to_owned());
        }
        Ok(())
    }
}

impl Run {
    /// The halls that it takes are those of its blocks, its options, and what lies on the table; it never takes one that is to be named.
    fn takes_what_it_should(&self, plain: &Plain) -> Result<(), String> {
        if plain.is_done() {
            return Ok(());
        }
        let live = plain.blocks.iter().filter(|one| one.state != "LAPSED").map(|one| one.hall);
        let open = plain.extras.iter().filter(|extra| extra.state == "OPEN").map(|extra| extra.block.hall);
        let added =
            plain.papers.amendment.iter().filter_map(|(.., added)| added.as_ref().map(|one| one.hall));
        let mut ought: Vec<_> = live.chain(open).chain(added).map(block).collect();
        let mut is: Vec<_> = self.lease.claims().into_iter().map(|claim| claim.block).collect();
        ought.sort_by_key(ToString::to_string);
        is.sort_by_key(ToString::to_string);
        if is == ought { Ok(()) } else { Err(format!("it takes {is:?} and not {ought:?}")) }
    }
}

pub(super) fn word(happened: leasing::domain::Happened) -> &'static str {
    leasing::app::kind::of(happened).trim_start_matches("lease.")
}

/// One lease with what was done to it, until the first difference.
fn live(seed: u64) -> Result<(u64, Vec<String>), String> {
    let mut dice = Dice::new(seed);
    let mut plain = Plain::agree(&mut dice);
    let first = plain.told.clone();
    let mut run = Run { lease: signed(&plain), told: first };
    let mut done = Vec::new();
    let mut words = Vec::new();
    run.agrees(&plain).map_err(|error| format!("at first: {error}\n{plain:#?}"))?;
    for step in 0..LIFE {
        let deed = plain.next(&mut dice);
        done.push(deed.clone());
        // Twice: the second time is another deed, and mostly refused.
        let times = if matches!(deed, Deed::Wait(_)) { 1 } else { 1 + u64::from(dice.chance(33)) };
        for _ in 0..times {
            let before = plain.clone();
            let expected = plain.apply(&deed);
            let answer = run.apply(&deed, &before, plain.today);
            words.push(expected.err().unwrap_or("OK").to_owned());
            let ought = expected.map_err(str::to_owned);
            if answer != ought {
                return Err(format!("step {step}: {answer:?} and not {ought:?}\n{done:?}\n{plain:#?}"));
            }
            if dice.roll(0, 4) == 0 {
                run.read_again();
            }
            run.agrees(&plain).map_err(|error| format!("step {step}: {error}\n{done:?}\n{plain:#?}"))?;
        }
    }
    words.extend(plain.told.iter().map(|told| (*told).to_owned()));
    Ok((LIFE, words))
}

/// Leases of this seed and the next ones, until so many deeds are done.
fn lives(first: u64) {
    let steps = std::env::var("MODEL_STEPS").ok().and_then(|text| text.parse().ok()).unwrap_or(STEPS);
    let first = std::env::var("MODEL_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(first);
    let mut tally = std::collections::BTreeMap::<String, u64>::new();
    for seed in first..first + u64::div_ceil(steps, LIFE) {
        match live(seed) {
            Ok((_, words)) => words.into_iter().for_each(|word| *tally.entry(word).or_default() += 1),
            Err(error) => panic!("MODEL_SEED={seed}: {error}"),
        }
    }
    for word in [
        "OK",
        "INVALID_FIELD",
        "INVALID_STATE_TRANSITION",
        "NOT_READY_FOR_SERVICE",
        "NO_RIGHT_TO_TERMINATE",
        "condition_satisfied",
        "effective",
        "lapsed",
        "block_lapsed",
        "commenced",
        "ended",
        "expired",
        "notice_given",
        "defaulted",
        "cured",
        "termination_given",
        "terminated",
        "closed",
        "assignment_requested",
        "assignment_consented",
        "assignment_declined",
        "assignment_expired",
        "assigned",
        "subleased",
        "amendment_proposed",
        "amendment_signed",
        "amended",
        "amendment_withdrawn",
        "amendment_expired",
        "holdover_agreed",
        "held_over",
        "holdover_ended",
        "renewed",
        "option_lapsed",
        "NO_OPTION_TO_EXERCISE",
        "expanded",
        "expansion_lapsed",
        "premises_nominated",
        "nomination_lapsed",
        "NOMINATION_CLOSED",
        "NOMINATION_EXCEEDED",
    ] {
        assert!(tally.contains_key(word), "never {word}: {tally:?}");
    }
}

#[test]
fn a_lease_lives_as_the_obvious_model_does() {
    lives(1_000_000);
}

#[test]
fn a_lease_lives_as_the_obvious_model_does_with_other_terms() {
    lives(2_000_000);
}

#[test]
fn a_lease_lives_as_the_obvious_model_does_with_more_terms() {
    lives(3_000_000);
}

#[test]
fn a_lease_lives_as_the_obvious_model_does_with_the_last_terms() {
    lives(4_000_000);
}
