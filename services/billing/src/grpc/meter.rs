//! Meters to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{
    BlockName, Error, MeterId, MeterName, OperatorId, OperatorName, OperatorParent, SiteName, TenantName,
    Violations, Zone,
};
use runtime::wire::{date, display_name, known, request_id, to_date, to_timestamp};

use super::lists::{Maybe, list_request};
use crate::app::{CreateMeter, ListMeters, Listed};
use crate::domain::meter::{IntervalLength, Meter, MeterFacts, MeterFilter, MeterKind};

/// No site has more; a larger number is a mistake of units.
const KW_MAX: i64 = 100_000_000;

pub(super) fn name(text: &str) -> Result<MeterName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<MeterName>);
    v.build(|| name)
}

pub(super) fn create(request: &wire::CreateMeterRequest) -> Result<CreateMeter, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let id = v.parse("meter_id", &request.meter_id, str::parse::<MeterId>);
    let operator = parent.map(|parent| parent.operator);
    let meter = v.present("meter", request.meter.as_ref());
    let facts = meter.and_then(|meter| v.nested("meter", |v| facts(v, meter, operator.as_ref())));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateMeter {
            operator: operator?,
            id: id?,
            facts: facts?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn facts(v: &mut Violations, meter: &wire::Meter, operator: Option<&OperatorId>) -> Option<MeterFacts> {
    let display_name = display_name(v, "display_name", &meter.display_name);
    let kind = known::<wire::MeterKind>(v, "kind", meter.kind).and_then(kind_of);
    let site = v.parse("site", &meter.site, str::parse::<SiteName>);
    let site = site.filter(|site| {
        let own = operator.is_none_or(|operator| site.operator == *operator);
        v.require("site", own, "must be a site of the parent")
    });
    let block = place(v, "block", &meter.block, kind.is_some_and(|k| k != MeterKind::Utility), kind);
    let block = block.and_then(|text| match text {
        None => Some(None),
        Some(text) => {
            let name = v.parse("block", text, str::parse::<BlockName>)?;
            let there = site.as_ref().is_none_or(|site| name.site_name() == *site);
            v.require("block", there, "must be a block of the site").then_some(Some(name.block))
        }
    });
    let tenant = place(v, "tenant", &meter.tenant, kind == Some(MeterKind::Tenant), kind);
    let tenant = tenant.and_then(|text| match text {
        None => Some(None),
        Some(text) => v.parse("tenant", text, str::parse::<TenantName>).map(|name| Some(name.tenant)),
    });
    let zone = v.parse("time_zone", &meter.time_zone, str::parse::<Zone>);
    let interval = IntervalLength::of_minutes(meter.interval_minutes);
    v.require("interval_minutes", interval.is_some(), "must be a divisor of 60, such as 15");
    let max = v.require("max_kw", (1..=KW_MAX).contains(&meter.max_kw), "must be from 1 to 100000000 kW");
    let assumed = (0..=meter.max_kw.max(0)).contains(&meter.assumed_kw);
    v.require("assumed_kw", !max || assumed, "must be from 0 to max_kw");
    let install_date = date(v, "install_date", meter.install_date.as_ref());
    Some(MeterFacts {
        display_name: display_name?,
        kind: kind?,
        site: site?.site,
        block: block?,
        tenant: tenant?,
        zone: zone?,
        interval: interval?,
        max_kw: meter.max_kw,
        assumed_kw: meter.assumed_kw,
        install_date: install_date?,
    })
}

/// Reads a name that the kind of meter asks for or forbids; of an unknown kind, either will do.
fn place<'a>(
    v: &mut Violations,
    field: &str,
    text: &'a str,
    needed: bool,
    kind: Option<MeterKind>,
) -> Option<Option<&'a str>> {
    match (kind, needed, text.is_empty()) {
        (None, _, _) => None,
        (Some(_), true, false) => Some(Some(text)),
        (Some(_), false, true) => Some(None),
        (Some(kind), true, true) => {
            v.add(field, format!("is required for a meter of kind {kind}"));
            None
        }
        (Some(kind), false, false) => {
            v.add(field, format!("is not allowed for a meter of kind {kind}"));
            None
        }
    }
}

pub(super) fn list(request: &wire::ListMetersRequest) -> Result<ListMeters, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let site = v.parse_optional("site", &request.site, str::parse::<SiteName>);
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse::<TenantName>);
    let page = (request.page_size, request.page_token.as_str());
    let filters: [&dyn std::fmt::Display; 2] = [&Maybe(site.as_ref()), &Maybe(tenant.as_ref())];
    let list = list_request(&mut v, parent, page, &filters);
    v.build(|| {
        let filter = MeterFilter {
            site: site.map(|name| (name.operator, name.site)),
            tenant: tenant.map(|name| name.tenant),
        };
        Some(ListMeters { list: list?, filter })
    })
}

pub(super) fn listed(listed: Listed<Meter>) -> wire::ListMetersResponse {
    wire::ListMetersResponse {
        meters: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn created(meter: &Meter) -> wire::CreateMeterResponse {
    wire::CreateMeterResponse { meter: Some(to_wire(meter)) }
}

pub(super) fn to_wire(meter: &Meter) -> wire::Meter {
    let (operator, facts) = (&meter.operator, &meter.facts);
    let block = facts.block.clone().map(|block| BlockName::new(operator.clone(), facts.site.clone(), block));
    let kind = match facts.kind {
        MeterKind::Block => wire::MeterKind::Block,
        MeterKind::Tenant => wire::MeterKind::Tenant,
        MeterKind::Utility => wire::MeterKind::Utility,
    };
    wire::Meter {
        name: MeterName::new(operator.clone(), meter.id.clone()).to_string(),
        display_name: facts.display_name.clone(),
        kind: kind.into(),
        site: SiteName::new(operator.clone(), facts.site.clone()).to_string(),
        block: block.map(|block| block.to_string()).unwrap_or_default(),
        tenant: facts.tenant.clone().map(|t| TenantName::new(t).to_string()).unwrap_or_default(),
        time_zone: facts.zone.to_string(),
        interval_minutes: facts.interval.minutes(),
        max_kw: facts.max_kw,
        assumed_kw: facts.assumed_kw,
        install_date: Some(to_date(facts.install_date)),
        last_interval_time: meter.progress.last_start.map(to_timestamp),
        batch_count: meter.progress.batch_count,
        create_time: Some(to_timestamp(meter.create_time)),
    }
}

fn kind_of(kind: wire::MeterKind) -> Option<MeterKind> {
    match kind {
        wire::MeterKind::Unspecified => None,
        wire::MeterKind::Block => Some(MeterKind::Block),
        wire::MeterKind::Tenant => Some(MeterKind::Tenant),
        wire::MeterKind::Utility => Some(MeterKind::Utility),
    }
}
