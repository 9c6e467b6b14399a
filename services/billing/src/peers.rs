//! What billing hears from leasing and inventory: their feeds, translated into billing's own words. And the names it asks
//! them for.

mod credit;
mod incidents;
mod names;

use contracts::common::v1::Event;
use contracts::google::r#type as google;
use contracts::leasing::v1 as wire;
use contracts::leasing::v1::event_service_client::EventServiceClient;
use kernel::{
    BlockName, Currency, Error, Escalator, EventId, IndexValues, LeaseName, OperatorId, OperatorName,
    QuantityStep, RateStep, TenantName, Violations,
};
use prost::Message as _;
use runtime::client::Peer;
use runtime::feed::FeedStream;
use runtime::wire::{date, date_range, escalation_basis, money, money_terms, percent, rate, rent_rules};
use tracing::error;

pub(crate) use self::incidents::{IncidentMessage, incident_event};
use crate::app::LeaseEvent;
use crate::domain::lease::{
    BillingTerms, BlockProgress, BlockRef, BlockState, Ending, LeaseCopy, LeaseState, Moved, Poison,
    Premises, Rent,
};

/// Message of leasing's feed.
pub(crate) type FeedMessage = wire::WatchEventsResponse;
/// An event as it comes over the wire.
pub(crate) type WireEvent = Event;

const LEASE_TYPE: &str = "gridlease.leasing.v1.Lease";

/// The inventory service.
#[derive(Clone)]
pub struct Inventory {
    peer: Peer,
}

impl Inventory {
    /// Inventory behind this peer.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self { peer }
    }
}

/// The leasing service.
#[derive(Clone)]
pub struct Leasing {
    peer: Peer,
}

impl Leasing {
    /// Leasing behind this peer.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self { peer }
    }

    /// Leasing's feed after a cursor, of all operators.
    ///
    /// # Errors
    /// What [`Peer::open`] fails with.
    pub async fn watch(&self, after: Option<String>) -> Result<FeedStream<FeedMessage>, Error> {
        let request = wire::WatchEventsRequest {
            parent: "operators/-".to_owned(),
            after_cursor: after.unwrap_or_default(),
            kinds: Vec::new(),
        };
        self.peer
            .open(None, request, |channel, request| async move {
                EventServiceClient::new(channel).watch_events(request).await
            })
            .await
    }
}

/// The event as billing needs it; `None` if it is not about a lease. Whatever is wrong with the lease is told inside,
/// so that it concerns that lease only.
#[must_use]
pub(crate) fn lease_event(event: &Event) -> Option<LeaseEvent> {
    let data = event.data.as_ref().filter(|data| data.type_url.ends_with(LEASE_TYPE))?;
    let (Ok(id), Ok(operator)) = (event.id.parse::<EventId>(), event.operator.parse::<OperatorName>()) else {
        // Without them there is nothing to park it under; the log is all that is left.
        error!(event = event.id, operator = event.operator, "an event of leasing has no id or no operator");
        return None;
    };
    let lease = wire::Lease::decode(data.value.as_slice())
        .map_err(|error| Poison(format!("not a lease: {error}")))
        .and_then(|lease| lease_copy(&lease, &operator.operator));
    Some(LeaseEvent {
        id,
        kind: event.r#type.clone(),
        subject: event.subject.clone(),
        operator: operator.operator,
        lease,
    })
}

fn lease_copy(lease: &wire::Lease, operator: &OperatorId) -> Result<LeaseCopy, Poison> {
    let mut v = Violations::new();
    let name = v.parse("name", &lease.name, str::parse::<LeaseName>);
    if name.as_ref().is_some_and(|name| name.operator != *operator) {
        v.add("name", "is not of the event's operator");
    }
    let tenant = v.parse("tenant", &lease.tenant, str::parse::<TenantName>);
    let state = lease_state(&mut v, lease.state());
    let terms = v.present("terms", lease.terms.as_ref());
    let terms = terms.and_then(|terms| v.nested("terms", |v| billing_terms(v, terms, operator)));
    let import = lease.import.as_ref();
    let billed_from = import
        .map(|import| v.nested("import", |v| date(v, "billed_from_date", import.billed_from_date.as_ref())));
    let blocks = v.each("blocks", &lease.blocks, |v, block| {
        let place = block_ref(v, &block.block, operator);
        let state = block_state(v, block.state());
        let moved = block.moved.then(|| moved_of(v, block));
        Some(BlockProgress { place: place?, state: state?, moved: moved.flatten() })
    });
    let ending = lease.termination.as_ref().map(|end| v.nested("termination", |v| ending_of(v, end)));
    v.build(|| {
        let name = name?;
        Some(LeaseCopy {
            operator: name.operator,
            lease: name.lease,
            tenant: tenant?.tenant,
            version: lease.version,
            state: state?,
            terms: terms?,
            blocks: blocks?,
            ending: ending.map_or(Some(None), |ending| ending.map(Some))?,
            billed_from: billed_from.flatten(),
            // What is known of an index is not leasing's to tell.
            index: IndexValues::new(),
        })
    })
    .map_err(|error| poison(&error))
}

fn ending_of(v: &mut Violations, end: &wire::Termination) -> Option<Ending> {
    let day = date(v, "end_date", end.end_date.as_ref());
    let fee = end.fee.as_ref().map(|fee| money(v, "fee", Some(fee)));
    Some(Ending { end: day?, fee: fee.map_or(Some(None), |fee| fee.map(Some))?, refund: end.refund })
}

fn billing_terms(
    v: &mut Violations,
    terms: &wire::LeaseTerms,
    operator: &OperatorId,
) -> Option<BillingTerms> {
    let currency = v.parse("currency_code", &terms.currency_code, str::parse::<Currency>);
    let payment_terms_days = v.take("payment_terms_days", u16::try_from(terms.payment_terms_days));
    let escalator = match &terms.escalator {
        None => Some(None),
        Some(escalator) => v.nested("escalator", |v| escalator_of(v, escalator)).map(Some),
    };
    let rent = rent_rules(v, terms);
    let money = money_terms(v, terms);
    let credit = v.each("credit_supports", &terms.credit_supports, credit::support_of);
    let premises = v.each("premises", &terms.premises, |v, premises| premises_of(v, premises, operator));
    Some(BillingTerms {
        currency: currency?,
        payment_terms_days: payment_terms_days?,
        escalator: escalator?,
        rent,
        money,
        credit: credit?,
        premises: premises?,
    })
}

fn escalator_of(v: &mut Violations, escalator: &wire::Escalator) -> Option<Escalator> {
    let percent = percent(v, "percent", escalator.percent.as_ref());
    let basis = escalation_basis(v, escalator.basis, escalator.fixed_date.as_ref());
    Some(Escalator { percent: percent?, basis: basis? })
}

fn premises_of(v: &mut Violations, premises: &wire::Premises, operator: &OperatorId) -> Option<Premises> {
    let place = block_ref(v, &premises.block, operator);
    let term = date_range(
        v,
        ("commencement_date", premises.commencement_date.as_ref()),
        ("end_date", premises.end_date.as_ref()),
    );
    let quantities = quantities_of(v, &premises.quantity_steps);
    let rent = rent_of(v, premises.base_rate_per_kw_month.as_ref(), &premises.rate_steps);
    Some(Premises { place: place?, term: term?, quantities: quantities?, rent: rent? })
}

fn quantities_of(v: &mut Violations, steps: &[wire::QuantityStep]) -> Option<Vec<QuantityStep>> {
    v.each("quantity_steps", steps, |v, step| {
        let from = date(v, "from_date", step.from_date.as_ref());
        let capacity = v.present("capacity", step.capacity.as_ref());
        Some(QuantityStep { from: from?, kw: capacity?.critical_it_kw })
    })
}

fn rent_of(v: &mut Violations, base: Option<&google::Decimal>, steps: &[wire::RateStep]) -> Option<Rent> {
    if steps.is_empty() {
        return rate(v, "base_rate_per_kw_month", base).map(|rate| Rent::Base { rate });
    }
    v.require("base_rate_per_kw_month", base.is_none(), "is given beside rate_steps");
    let steps = v.each("rate_steps", steps, |v, step| {
        let from = date(v, "from_date", step.from_date.as_ref());
        let rate = rate(v, "rate_per_kw_month", step.rate_per_kw_month.as_ref());
        Some(RateStep { from: from?, rate: rate? })
    });
    Some(Rent::Stated { steps: steps? })
}

fn block_ref(v: &mut Violations, name: &str, operator: &OperatorId) -> Option<BlockRef> {
    let name = v.parse("block", name, str::parse::<BlockName>)?;
    v.require("block", name.operator == *operator, "is not of the lease's operator")
        .then_some(BlockRef { site: name.site, block: name.block })
}

fn lease_state(v: &mut Violations, state: wire::LeaseState) -> Option<LeaseState> {
    match state {
        wire::LeaseState::Unspecified => {
            v.add("state", "is not one that is known");
            None
        }
        wire::LeaseState::Draft => Some(LeaseState::Draft),
        wire::LeaseState::Proposing => Some(LeaseState::Proposing),
        wire::LeaseState::Proposed => Some(LeaseState::Proposed),
        wire::LeaseState::Signing => Some(LeaseState::Signing),
        wire::LeaseState::Signed => Some(LeaseState::Signed),
        wire::LeaseState::Effective => Some(LeaseState::Effective),
        wire::LeaseState::Active => Some(LeaseState::Active),
        wire::LeaseState::Holdover => Some(LeaseState::Holdover),
        wire::LeaseState::Defaulted => Some(LeaseState::Defaulted),
        wire::LeaseState::Expired => Some(LeaseState::Expired),
        wire::LeaseState::Terminated => Some(LeaseState::Terminated),
        wire::LeaseState::Closed => Some(LeaseState::Closed),
        wire::LeaseState::Cancelled => Some(LeaseState::Cancelled),
        wire::LeaseState::Lapsed => Some(LeaseState::Lapsed),
    }
}

fn block_state(v: &mut Violations, state: wire::LeaseBlockState) -> Option<BlockState> {
    match state {
        wire::LeaseBlockState::Unspecified => {
            v.add("state", "is not one that is known");
            None
        }
        // That it may be accepted is nothing to bill.
        wire::LeaseBlockState::Planned | wire::LeaseBlockState::Ready => Some(BlockState::Planned),
        wire::LeaseBlockState::Commenced => Some(BlockState::Commenced),
        wire::LeaseBlockState::Ended => Some(BlockState::Ended),
        wire::LeaseBlockState::Lapsed => Some(BlockState::Lapsed),
    }
}

/// The days, rates and loads of a block that says they are not what the terms say.
fn moved_of(v: &mut Violations, block: &wire::LeaseBlock) -> Option<Moved> {
    let term = date_range(
        v,
        ("commencement_date", block.commencement_date.as_ref()),
        ("end_date", block.end_date.as_ref()),
    );
    let rent_from = date(v, "rent_commencement_date", block.rent_commencement_date.as_ref());
    let rates = v.each("rate_steps", &block.rate_steps, |v, step| {
        let from = date(v, "from_date", step.from_date.as_ref());
        let rate = rate(v, "rate_per_kw_month", step.rate_per_kw_month.as_ref());
        Some(RateStep { from: from?, rate: rate? })
    });
    let quantities = quantities_of(v, &block.quantity_steps);
    Some(Moved { term: term?, rent_from: rent_from?, rates: rates?, quantities: quantities? })
}

fn poison(error: &Error) -> Poison {
    let all: Vec<String> =
        error.violations().iter().map(|v| format!("{} {}", v.field, v.description)).collect();
    Poison(all.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::common::v1::CapacityVector;

    fn day(year: i32, month: i32, day: i32) -> Option<google::Date> {
        Some(google::Date { year, month, day })
    }

    fn decimal(text: &str) -> Option<google::Decimal> {
        Some(google::Decimal { value: text.to_owned() })
    }

    fn lease() -> wire::Lease {
        let block = "operators/hut8/sites/river-bend/blocks/hall-one".to_owned();
        wire::Lease {
            name: "operators/hut8/leases/rb-one".to_owned(),
            tenant: "tenants/fluidstack".to_owned(),
            state: wire::LeaseState::Active.into(),
            version: 1,
            terms: Some(wire::LeaseTerms {
                currency_code: "USD".to_owned(),
                billing_frequency: wire::BillingFrequency::Monthly.into(),
                payment_terms_days: 30,
                escalator: Some(wire::Escalator {
                    percent: decimal("3"),
                    basis: wire::EscalationBasis::BlockAnniversary.into(),
                    fixed_date: None,
                }),
                premises: vec![wire::Premises {
                    block: block.clone(),
                    quantity_steps: vec![wire::QuantityStep {
                        from_date: day(2026, 12, 1),
                        capacity: Some(CapacityVector {
                            critical_it_kw: 245_000,
                            ..CapacityVector::default()
                        }),
                    }],
                    commencement_date: day(2026, 12, 1),
                    end_date: day(2041, 12, 1),
                    base_rate_per_kw_month: decimal("128.0156677674"),
                    rate_steps: Vec::new(),
                }],
                ..wire::LeaseTerms::default()
            }),
            blocks: vec![wire::LeaseBlock {
                block,
                state: wire::LeaseBlockState::Commenced.into(),
                ..wire::LeaseBlock::default()
            }],
            ..wire::Lease::default()
        }
    }

    fn event(lease: &wire::Lease) -> Event {
        Event {
            id: "019b0000-0000-7000-8000-000000000001".to_owned(),
            r#type: "lease.commenced".to_owned(),
            subject: lease.name.clone(),
            operator: "operators/hut8".to_owned(),
            data: Some(prost_types::Any {
                type_url: format!("type.googleapis.com/{LEASE_TYPE}"),
                value: lease.encode_to_vec(),
            }),
            ..Event::default()
        }
    }

    #[test]
    fn a_lease_is_read_with_all_that_rent_needs() {
        let heard = lease_event(&event(&lease())).expect("about a lease");
        let copy = heard.lease.expect("well formed");
        assert_eq!(copy.check(), Ok(()));
        let total: i64 = crate::domain::charge::schedule(&copy.terms)
            .expect("computable")
            .iter()
            .map(|charge| charge.amount.minor)
            .sum();
        assert_eq!(total, 699_999_999_984);
    }

    #[test]
    fn all_that_is_wrong_with_a_lease_is_said_and_stays_with_it() {
        let mut bad = lease();
        bad.tenant = "tenants/".to_owned();
        bad.blocks[0].state = 99;
        let terms = bad.terms.as_mut().expect("terms");
        terms.currency_code = "XXX".to_owned();
        terms.premises[0].end_date = day(2026, 2, 30);
        terms.premises[0].base_rate_per_kw_month = decimal("NaN");
        let heard = lease_event(&event(&bad)).expect("about a lease");
        let says = heard.lease.expect_err("poison").to_string();
        for part in ["tenant", "blocks[0].state", "currency_code", "end_date", "base_rate_per_kw_month"] {
            assert!(says.contains(part), "{says:?} does not name {part}");
        }
    }

    #[test]
    fn a_lease_of_another_operator_than_its_event_is_poison() {
        let mut foreign = lease();
        foreign.name = "operators/riot/leases/rb-one".to_owned();
        let heard = lease_event(&event(&foreign)).expect("about a lease");
        assert!(heard.lease.is_err());
    }

    #[test]
    fn bytes_that_are_no_lease_are_poison_and_other_events_are_nothing() {
        let mut garbled = event(&lease());
        garbled.data.as_mut().expect("data").value = vec![0xff; 9];
        assert!(lease_event(&garbled).expect("about a lease").lease.is_err());

        let mut tenant = event(&lease());
        tenant.data.as_mut().expect("data").type_url =
            "type.googleapis.com/gridlease.leasing.v1.Tenant".to_owned();
        assert!(lease_event(&tenant).is_none());
        assert!(lease_event(&Event::default()).is_none());
    }
}
