//! Tariffs to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use contracts::billing::v1::tariff_component::Price as WirePrice;
use contracts::google::r#type::Decimal;
use kernel::{
    Currency, Error, OperatorName, OperatorParent, Percent, Rate, TariffId, TariffName, Violations, Zone,
};
use runtime::wire::{
    date, display_name, known, optional_date, optional_rate, percent, request_id, to_date, to_decimal,
    to_timestamp,
};

use super::invoice::etag;
use super::lists::list_request;
use crate::app::{AddTariffComponents, CreateTariff, ListTariffs, Listed, etag_of};
use crate::domain::tariff::{
    Band, Bracket, Component, DemandBasis, Price, ServiceTerms, Tariff, TariffFacts,
};

const COMPONENTS_MAX: usize = 500;
const PARTS_MAX: usize = 50;
const SOURCE_CHARS: usize = 500;
const NAME_CHARS: usize = 200;
const KW_MAX: i64 = 100_000_000;

pub(super) fn name(text: &str) -> Result<TariffName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<TariffName>);
    v.build(|| name)
}

pub(super) fn create(request: &wire::CreateTariffRequest) -> Result<CreateTariff, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let id = v.parse("tariff_id", &request.tariff_id, str::parse::<TariffId>);
    let tariff = v.present("tariff", request.tariff.as_ref());
    let read = tariff.and_then(|tariff| {
        v.nested("tariff", |v| {
            let facts = facts(v, tariff);
            let components = components(v, &tariff.components);
            Some((facts?, components?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (facts, components) = read?;
        Some(CreateTariff {
            operator: parent?.operator,
            id: id?,
            facts,
            components,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn facts(v: &mut Violations, tariff: &wire::Tariff) -> Option<TariffFacts> {
    let display_name = display_name(v, "display_name", &tariff.display_name);
    let currency = v.parse("currency_code", &tariff.currency_code, str::parse::<Currency>);
    let zone = v.parse("time_zone", &tariff.time_zone, str::parse::<Zone>);
    let served = v.require("min_kw", (0..=KW_MAX).contains(&tariff.min_kw), "must be from 0 to 100000000 kW");
    let collateral = optional_rate(v, "collateral_per_kw", tariff.collateral_per_kw.as_ref());
    let field = "collateral_reduction_max_percent";
    let reduction = optional_percent(v, field, tariff.collateral_reduction_max_percent.as_ref());
    let whole: Option<Percent> = "100".parse().ok();
    let reduction = reduction.filter(|reduction| {
        let part = reduction.is_none_or(|reduction| !reduction.is_negative() && Some(reduction) <= whole);
        v.require(field, part, "must be from 0 to 100")
    });
    let terms = ServiceTerms {
        min_kw: served.then_some(tariff.min_kw)?,
        collateral_per_kw: collateral?.unwrap_or_default(),
        collateral_reduction_max: reduction?.unwrap_or_default(),
    };
    Some(TariffFacts { display_name: display_name?, currency: currency?, zone: zone?, terms })
}

/// Reads a percentage that may be left out.
fn optional_percent(v: &mut Violations, field: &str, decimal: Option<&Decimal>) -> Option<Option<Percent>> {
    match decimal {
        None => Some(None),
        some => percent(v, field, some).map(Some),
    }
}

/// Reads a rate that must be there and may be negative: a credit.
fn signed_rate(v: &mut Violations, field: &str, decimal: Option<&Decimal>) -> Option<Rate> {
    let decimal = v.present(field, decimal)?;
    v.parse(field, &decimal.value, str::parse::<Rate>)
}

fn components(v: &mut Violations, all: &[wire::TariffComponent]) -> Option<Vec<Component>> {
    let few = (1..=COMPONENTS_MAX).contains(&all.len());
    v.require("components", few, "must be 1 to 500 components");
    let read = v.each("components", all.iter().take(COMPONENTS_MAX), component)?;
    let mut keys: Vec<_> = read.iter().map(|component| (&component.code, component.from)).collect();
    keys.sort();
    let once = keys.windows(2).all(|pair| pair[0] != pair[1]);
    v.require("components", once, "must not hold two of one code and first day").then_some(read)
}

fn component(v: &mut Violations, component: &wire::TariffComponent) -> Option<Component> {
    // A code is written as identifiers are.
    let code = v.parse("code", &component.code, str::parse::<TariffId>);
    let from = date(v, "from_date", component.from_date.as_ref());
    let until = optional_date(v, "until_date", component.until_date.as_ref());
    v.require("source", !component.source.trim().is_empty(), "is required");
    let source = v.text("source", &component.source, SOURCE_CHARS);
    let price = v.present("price", component.price.as_ref()).and_then(|asked| price(v, asked));
    let read =
        Component { code: code?.to_string(), from: from?, until: until?, price: price?, source: source? };
    v.take("", read.check())?;
    Some(read)
}

fn price(v: &mut Violations, price: &WirePrice) -> Option<Price> {
    match price {
        WirePrice::Fixed(fixed) => v.nested("fixed", |v| {
            Some(Price::Fixed { per_month: signed_rate(v, "per_month", fixed.per_month.as_ref())? })
        }),
        WirePrice::Energy(energy) => v.nested("energy", |v| {
            Some(Price::Energy { per_kwh: signed_rate(v, "per_kwh", energy.per_kwh.as_ref())? })
        }),
        WirePrice::TimeOfUse(of_use) => v.nested("time_of_use", |v| {
            let few = (1..=PARTS_MAX).contains(&of_use.bands.len());
            v.require("bands", few, "must be 1 to 50 bands");
            let bands = v.each("bands", of_use.bands.iter().take(PARTS_MAX), band);
            let otherwise = signed_rate(v, "otherwise_per_kwh", of_use.otherwise_per_kwh.as_ref());
            Some(Price::TimeOfUse { bands: bands?, otherwise_per_kwh: otherwise? })
        }),
        WirePrice::Indexed(indexed) => v.nested("indexed", |v| {
            let adder = signed_rate(v, "adder_per_kwh", indexed.adder_per_kwh.as_ref());
            Some(Price::Indexed { adder_per_kwh: adder? })
        }),
        WirePrice::Demand(demand) => v.nested("demand", |v| {
            let per_kw = signed_rate(v, "per_kw", demand.per_kw.as_ref());
            let basis = known::<wire::DemandBasis>(v, "basis", demand.basis).and_then(basis_of);
            let floor = optional_percent(v, "floor_percent", demand.floor_percent.as_ref());
            Some(Price::Demand { per_kw: per_kw?, basis: basis?, floor: floor? })
        }),
        WirePrice::Excise(excise) => v.nested("excise", |v| {
            let few = (1..=PARTS_MAX).contains(&excise.brackets.len());
            v.require("brackets", few, "must be 1 to 50 brackets");
            let brackets = v.each("brackets", excise.brackets.iter().take(PARTS_MAX), |v, bracket| {
                let per_kwh = signed_rate(v, "per_kwh", bracket.per_kwh.as_ref());
                Some(Bracket { above_kwh: bracket.above_kwh, per_kwh: per_kwh? })
            });
            let jurisdiction = jurisdiction(v, &excise.jurisdiction);
            Some(Price::Excise { brackets: brackets?, jurisdiction: jurisdiction? })
        }),
        WirePrice::Share(share) => v.nested("share", |v| {
            let percent = percent(v, "percent", share.percent.as_ref());
            v.require("of_codes", share.of_codes.len() <= PARTS_MAX, "must be at most 50 codes");
            let codes = v.each("of_codes", share.of_codes.iter().take(PARTS_MAX), |v, code| {
                v.parse("", code, str::parse::<TariffId>).map(|code| code.to_string())
            });
            let jurisdiction = jurisdiction(v, &share.jurisdiction);
            Some(Price::Share { percent: percent?, of: codes?, jurisdiction: jurisdiction? })
        }),
    }
}

/// Reads who levies a tax; empty is nobody.
fn jurisdiction(v: &mut Violations, text: &str) -> Option<Option<String>> {
    let text = v.text("jurisdiction", text, NAME_CHARS)?;
    Some((!text.is_empty()).then_some(text))
}

fn band(v: &mut Violations, band: &wire::TimeOfUseBand) -> Option<Band> {
    let name = display_name(v, "display_name", &band.display_name);
    let from = v.take("from_minute", u32::try_from(band.from_minute));
    let until = v.take("until_minute", u32::try_from(band.until_minute));
    let each = |v: &mut Violations, field: &str, list: &[i32]| {
        let short = list.len() <= 12 && list.iter().all(|one| *one > 0);
        v.require(field, short, "must be at most 12 positive numbers");
        short.then(|| list.iter().filter_map(|one| u32::try_from(*one).ok()).collect::<Vec<_>>())
    };
    let months = each(v, "months", &band.months);
    let weekdays = each(v, "weekdays", &band.weekdays);
    let per_kwh = signed_rate(v, "per_kwh", band.per_kwh.as_ref());
    Some(Band {
        name: name?,
        months: months?,
        weekdays: weekdays?,
        from_minute: from?,
        until_minute: until?,
        per_kwh: per_kwh?,
    })
}

pub(super) fn add(request: &wire::AddTariffComponentsRequest) -> Result<AddTariffComponents, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<TariffName>);
    let components = components(&mut v, &request.components);
    let etag = etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AddTariffComponents {
            name: name?,
            components: components?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn list(request: &wire::ListTariffsRequest) -> Result<ListTariffs, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let list = list_request(&mut v, parent, (request.page_size, &request.page_token), &[]);
    v.build(|| Some(ListTariffs { list: list? }))
}

pub(super) fn listed(listed: Listed<Tariff>) -> wire::ListTariffsResponse {
    wire::ListTariffsResponse {
        tariffs: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn created(tariff: &Tariff) -> wire::CreateTariffResponse {
    wire::CreateTariffResponse { tariff: Some(to_wire(tariff)) }
}

pub(super) fn added(tariff: &Tariff) -> wire::AddTariffComponentsResponse {
    wire::AddTariffComponentsResponse { tariff: Some(to_wire(tariff)) }
}

pub(super) fn to_wire(tariff: &Tariff) -> wire::Tariff {
    let facts = &tariff.facts;
    wire::Tariff {
        name: TariffName::new(tariff.operator.clone(), tariff.id.clone()).to_string(),
        display_name: facts.display_name.clone(),
        currency_code: facts.currency.to_string(),
        time_zone: facts.zone.to_string(),
        min_kw: facts.terms.min_kw,
        collateral_per_kw: Some(to_decimal(facts.terms.collateral_per_kw)),
        collateral_reduction_max_percent: Some(to_decimal(facts.terms.collateral_reduction_max)),
        components: tariff.components.iter().map(component_to_wire).collect(),
        etag: etag_of(tariff.version),
        create_time: Some(to_timestamp(tariff.create_time)),
    }
}

fn component_to_wire(component: &Component) -> wire::TariffComponent {
    wire::TariffComponent {
        code: component.code.clone(),
        from_date: Some(to_date(component.from)),
        until_date: component.until.map(to_date),
        source: component.source.clone(),
        price: Some(price_to_wire(&component.price)),
    }
}

fn price_to_wire(price: &Price) -> WirePrice {
    let rate = |rate: &Rate| Some(to_decimal(*rate));
    match price {
        Price::Fixed { per_month } => WirePrice::Fixed(wire::FixedPrice { per_month: rate(per_month) }),
        Price::Energy { per_kwh } => WirePrice::Energy(wire::EnergyPrice { per_kwh: rate(per_kwh) }),
        Price::TimeOfUse { bands, otherwise_per_kwh } => WirePrice::TimeOfUse(wire::TimeOfUsePrice {
            bands: bands.iter().map(band_to_wire).collect(),
            otherwise_per_kwh: rate(otherwise_per_kwh),
        }),
        Price::Indexed { adder_per_kwh } => {
            WirePrice::Indexed(wire::IndexedPrice { adder_per_kwh: rate(adder_per_kwh) })
        }
        Price::Demand { per_kw, basis, floor } => WirePrice::Demand(wire::DemandPrice {
            per_kw: rate(per_kw),
            basis: basis_to_wire(*basis).into(),
            floor_percent: floor.map(to_decimal),
        }),
        Price::Excise { brackets, jurisdiction } => {
            let bracket =
                |b: &Bracket| wire::ExciseBracket { above_kwh: b.above_kwh, per_kwh: rate(&b.per_kwh) };
            WirePrice::Excise(wire::ExcisePrice {
                brackets: brackets.iter().map(bracket).collect(),
                jurisdiction: jurisdiction.clone().unwrap_or_default(),
            })
        }
        Price::Share { percent, of, jurisdiction } => WirePrice::Share(wire::SharePrice {
            percent: Some(to_decimal(*percent)),
            of_codes: of.clone(),
            jurisdiction: jurisdiction.clone().unwrap_or_default(),
        }),
    }
}

fn band_to_wire(band: &Band) -> wire::TimeOfUseBand {
    let small = |number: u32| i32::try_from(number).unwrap_or(0);
    wire::TimeOfUseBand {
        display_name: band.name.clone(),
        months: band.months.iter().copied().map(small).collect(),
        weekdays: band.weekdays.iter().copied().map(small).collect(),
        from_minute: small(band.from_minute),
        until_minute: small(band.until_minute),
        per_kwh: Some(to_decimal(band.per_kwh)),
    }
}

fn basis_of(basis: wire::DemandBasis) -> Option<DemandBasis> {
    match basis {
        wire::DemandBasis::Unspecified => None,
        wire::DemandBasis::HighestInterval => Some(DemandBasis::HighestInterval),
        wire::DemandBasis::CoincidentPeak => Some(DemandBasis::CoincidentPeak),
        wire::DemandBasis::Contracted => Some(DemandBasis::Contracted),
    }
}

fn basis_to_wire(basis: DemandBasis) -> wire::DemandBasis {
    match basis {
        DemandBasis::HighestInterval => wire::DemandBasis::HighestInterval,
        DemandBasis::CoincidentPeak => wire::DemandBasis::CoincidentPeak,
        DemandBasis::Contracted => wire::DemandBasis::Contracted,
    }
}
