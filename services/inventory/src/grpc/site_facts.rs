//! What else is known of a site, on the wire.

use contracts::inventory::v1 as wire;
use kernel::{SiteId, Violations};
use runtime::wire::{known, money, optional_date, optional_known, to_date, to_money};

use super::site::{country, optional_kw};
use super::{provenance, required_text, short_texts, to_provenance};
use crate::domain::site_facts::{
    BackupGeneration, BillingEntity, CurtailmentPayment, CurtailmentProgramme, DemandComponent, Fibre,
    GrossToIt, MinimumDemand, RegulatoryRisk, SiteFacts, SiteFactsPatch, UtilityContract,
};

const KW_MAX: i64 = 100_000_000;
const CONTRACTS_MAX: usize = 10;
const PROGRAMMES_MAX: usize = 20;

/// Reads one fact that the mask names.
pub(super) fn set(
    v: &mut Violations,
    patch: &mut SiteFactsPatch,
    site: &wire::Site,
    field: &str,
) -> Option<()> {
    match field {
        "billing_entity" => {
            patch.billing_entity = Some(optional(v, field, site.billing_entity.as_ref(), billing_entity)?);
        }
        "fibre" => patch.fibre = Some(optional(v, field, site.fibre.as_ref(), fibre)?),
        "backup_generation" => {
            patch.backup_generation =
                Some(optional(v, field, site.backup_generation.as_ref(), backup_generation)?);
        }
        "gross_to_it" => {
            patch.gross_to_it = Some(optional(v, field, site.gross_to_it.as_ref(), gross_to_it)?);
        }
        "regulatory_risk" => {
            patch.regulatory_risk = Some(optional(v, field, site.regulatory_risk.as_ref(), regulatory_risk)?);
        }
        "utility_contracts" => patch.utility_contracts = Some(contracts(v, &site.utility_contracts)?),
        "curtailment_programmes" => {
            patch.curtailment_programmes = Some(programmes(v, &site.curtailment_programmes)?);
        }
        // The mask has been checked already.
        _ => {}
    }
    Some(())
}

fn optional<W, T>(
    v: &mut Violations,
    field: &str,
    sent: Option<&W>,
    read: impl FnOnce(&mut Violations, &W) -> Option<T>,
) -> Option<Option<T>> {
    match sent {
        Some(sent) => v.nested(field, |v| read(v, sent)).map(Some),
        None => Some(None),
    }
}

/// Reads a count that may be unknown.
fn optional_count(v: &mut Violations, field: &str, count: Option<i32>, most: i32) -> Option<Option<i32>> {
    if count.is_none_or(|count| (0..=most).contains(&count)) {
        return Some(count);
    }
    v.add(field, format!("must be from 0 to {most}"));
    None
}

fn billing_entity(v: &mut Violations, sent: &wire::BillingEntity) -> Option<BillingEntity> {
    let legal_name = required_text(v, "legal_name", &sent.legal_name, 200);
    let tax_number = v.text("tax_number", &sent.tax_number, 50);
    let address = v.text("address", &sent.address, 500);
    let country_code = match sent.country_code.as_str() {
        "" => Some(String::new()),
        code => country(v, code),
    };
    Some(BillingEntity {
        legal_name: legal_name?,
        tax_number: tax_number?,
        address: address?,
        country_code: country_code?,
    })
}

fn fibre(v: &mut Violations, sent: &wire::Fibre) -> Option<Fibre> {
    let carriers = short_texts(v, "carriers", &sent.carriers, 50);
    let paths = optional_count(v, "diverse_path_count", sent.diverse_path_count, 100);
    let provenance = provenance(v, sent.provenance.as_ref());
    Some(Fibre { carriers: carriers?, diverse_path_count: paths?, provenance: provenance? })
}

fn backup_generation(v: &mut Violations, sent: &wire::BackupGeneration) -> Option<BackupGeneration> {
    let capacity_kw = optional_kw(v, "capacity_kw", sent.capacity_kw);
    let unit_count = optional_count(v, "unit_count", sent.unit_count, 10_000);
    let fuel = v.text("fuel", &sent.fuel, 100);
    let run_time_minutes = optional_count(v, "run_time_minutes", sent.run_time_minutes, 1_000_000);
    let provenance = provenance(v, sent.provenance.as_ref());
    Some(BackupGeneration {
        capacity_kw: capacity_kw?,
        unit_count: unit_count?,
        fuel: fuel?,
        run_time_minutes: run_time_minutes?,
        provenance: provenance?,
    })
}

fn gross_to_it(v: &mut Violations, sent: &wire::GrossToIt) -> Option<GrossToIt> {
    let (gross_kw, critical_it_kw) = (sent.gross_kw, sent.critical_it_kw);
    let it =
        v.require("critical_it_kw", (1..=KW_MAX).contains(&critical_it_kw), "must be from 1 to 100000000 kW");
    let most = critical_it_kw.saturating_mul(3);
    let gross = !it
        || v.require(
            "gross_kw",
            (critical_it_kw..=most).contains(&gross_kw),
            "must be from critical_it_kw to three times it",
        );
    let provenance = provenance(v, sent.provenance.as_ref());
    (it && gross).then_some(())?;
    Some(GrossToIt { gross_kw, critical_it_kw, provenance: provenance? })
}

fn regulatory_risk(v: &mut Violations, sent: &wire::RegulatoryRisk) -> Option<RegulatoryRisk> {
    let note = required_text(v, "note", &sent.note, 1_000);
    let provenance = provenance(v, sent.provenance.as_ref());
    Some(RegulatoryRisk { note: note?, provenance: provenance? })
}

fn contracts(v: &mut Violations, sent: &[wire::UtilityContract]) -> Option<Vec<UtilityContract>> {
    let few = v.require("utility_contracts", sent.len() <= CONTRACTS_MAX, "must have at most 10 entries");
    few.then_some(())?;
    v.each("utility_contracts", sent, |v, sent| {
        let display_name = required_text(v, "display_name", &sent.display_name, 200);
        let start = optional_date(v, "start_date", sent.start_date.as_ref());
        let end = optional_date(v, "end_date", sent.end_date.as_ref());
        if let (Some(Some(start)), Some(Some(end))) = (start, end) {
            v.require("end_date", start < end, "must be later than start_date");
        }
        let term_months = optional_count(v, "term_months", sent.term_months, 600);
        let minimum_demands = minimum_demands(v, &sent.minimum_demands);
        let collateral = match &sent.collateral_per_mw {
            None => Some(None),
            some => money(v, "collateral_per_mw", some.as_ref()).map(Some),
        };
        if let Some(Some(collateral)) = collateral {
            v.require("collateral_per_mw", collateral.minor >= 0, "must not be negative");
        }
        let provenance = provenance(v, sent.provenance.as_ref());
        Some(UtilityContract {
            display_name: display_name?,
            start: start?,
            end: end?,
            term_months: term_months?,
            minimum_demands: minimum_demands?,
            collateral_per_mw: collateral?,
            provenance: provenance?,
        })
    })
}

fn minimum_demands(v: &mut Violations, sent: &[wire::MinimumDemand]) -> Option<Vec<MinimumDemand>> {
    let demands = v.each("minimum_demands", sent, |v, sent| {
        let component = known::<wire::DemandComponent>(v, "component", sent.component);
        let percent = sent.percent_of_contracted;
        let inside =
            v.require("percent_of_contracted", (1..=100).contains(&percent), "must be from 1 to 100");
        let component = match component? {
            wire::DemandComponent::All | wire::DemandComponent::Unspecified => DemandComponent::All,
            wire::DemandComponent::Generation => DemandComponent::Generation,
            wire::DemandComponent::Transmission => DemandComponent::Transmission,
            wire::DemandComponent::Distribution => DemandComponent::Distribution,
        };
        inside.then_some(MinimumDemand { component, percent })
    })?;
    let once = once(demands.iter().map(|demand| demand.component));
    v.require("minimum_demands", once, "must name each component at most once").then_some(demands)
}

/// Whether each occurs once.
fn once<T: Ord>(items: impl Iterator<Item = T>) -> bool {
    let mut all: Vec<T> = items.collect();
    all.sort_unstable();
    all.windows(2).all(|pair| pair[0] != pair[1])
}

fn programmes(v: &mut Violations, sent: &[wire::CurtailmentProgramme]) -> Option<Vec<CurtailmentProgramme>> {
    let few =
        v.require("curtailment_programmes", sent.len() <= PROGRAMMES_MAX, "must have at most 20 entries");
    few.then_some(())?;
    let programmes = v.each("curtailment_programmes", sent, |v, sent| {
        // An id below a site, in the form of all of them.
        let id = v.parse("programme_id", &sent.programme_id, str::parse::<SiteId>);
        let display_name = required_text(v, "display_name", &sent.display_name, 200);
        let notice = optional_count(v, "notice_minutes", Some(sent.notice_minutes), 100_000);
        let hours = optional_count(v, "hours_per_year_max", sent.hours_per_year_max, 8_784);
        let payment = optional_known::<wire::CurtailmentPayment>(v, "payment", sent.payment);
        let kw = sent.eligible_kw;
        let inside = v.require("eligible_kw", (1..=KW_MAX).contains(&kw), "must be from 1 to 100000000 kW");
        let penalty = v.text("penalty", &sent.penalty, 500);
        let provenance = provenance(v, sent.provenance.as_ref());
        Some(CurtailmentProgramme {
            programme_id: id?.to_string(),
            display_name: display_name?,
            notice_minutes: notice??,
            hours_per_year_max: hours?,
            payment: of_payment(payment?.unwrap_or_default()),
            eligible_kw: inside.then_some(kw)?,
            penalty: penalty?,
            provenance: provenance?,
        })
    })?;
    let once = once(programmes.iter().map(|programme| &programme.programme_id));
    v.require("curtailment_programmes", once, "must have each id at most once").then_some(programmes)
}

fn of_payment(payment: wire::CurtailmentPayment) -> CurtailmentPayment {
    match payment {
        wire::CurtailmentPayment::Unspecified => CurtailmentPayment::Unspecified,
        wire::CurtailmentPayment::None => CurtailmentPayment::None,
        wire::CurtailmentPayment::Availability => CurtailmentPayment::Availability,
        wire::CurtailmentPayment::Energy => CurtailmentPayment::Energy,
        wire::CurtailmentPayment::AvoidedCharges => CurtailmentPayment::AvoidedCharges,
    }
}

/// Writes the facts into a site.
pub(super) fn put(site: &mut wire::Site, facts: &SiteFacts) {
    site.billing_entity = facts.billing_entity.as_ref().map(to_billing_entity);
    site.fibre = facts.fibre.as_ref().map(to_fibre);
    site.backup_generation = facts.backup_generation.as_ref().map(to_backup_generation);
    site.gross_to_it = facts.gross_to_it.as_ref().map(to_gross_to_it);
    site.regulatory_risk = facts.regulatory_risk.as_ref().map(to_regulatory_risk);
    site.utility_contracts = facts.utility_contracts.iter().map(to_contract).collect();
    site.flow_down_required = facts.needs_flow_down();
    site.curtailment_programmes = facts.curtailment_programmes.iter().map(to_programme).collect();
}

fn to_billing_entity(of: &BillingEntity) -> wire::BillingEntity {
    wire::BillingEntity {
        legal_name: of.legal_name.clone(),
        tax_number: of.tax_number.clone(),
        address: of.address.clone(),
        country_code: of.country_code.clone(),
    }
}

fn to_fibre(of: &Fibre) -> wire::Fibre {
    wire::Fibre {
        carriers: of.carriers.clone(),
        diverse_path_count: of.diverse_path_count,
        provenance: to_provenance(&of.provenance),
    }
}

fn to_backup_generation(of: &BackupGeneration) -> wire::BackupGeneration {
    wire::BackupGeneration {
        capacity_kw: of.capacity_kw,
        unit_count: of.unit_count,
        fuel: of.fuel.clone(),
        run_time_minutes: of.run_time_minutes,
        provenance: to_provenance(&of.provenance),
    }
}

fn to_gross_to_it(of: &GrossToIt) -> wire::GrossToIt {
    wire::GrossToIt {
        gross_kw: of.gross_kw,
        critical_it_kw: of.critical_it_kw,
        provenance: to_provenance(&of.provenance),
    }
}

fn to_regulatory_risk(of: &RegulatoryRisk) -> wire::RegulatoryRisk {
    wire::RegulatoryRisk { note: of.note.clone(), provenance: to_provenance(&of.provenance) }
}

fn to_contract(of: &UtilityContract) -> wire::UtilityContract {
    let component = |component| match component {
        DemandComponent::All => wire::DemandComponent::All,
        DemandComponent::Generation => wire::DemandComponent::Generation,
        DemandComponent::Transmission => wire::DemandComponent::Transmission,
        DemandComponent::Distribution => wire::DemandComponent::Distribution,
    };
    wire::UtilityContract {
        display_name: of.display_name.clone(),
        start_date: of.start.map(to_date),
        end_date: of.end.map(to_date),
        term_months: of.term_months,
        minimum_demands: of
            .minimum_demands
            .iter()
            .map(|demand| wire::MinimumDemand {
                component: component(demand.component).into(),
                percent_of_contracted: demand.percent,
            })
            .collect(),
        collateral_per_mw: of.collateral_per_mw.map(to_money),
        provenance: to_provenance(&of.provenance),
    }
}

fn to_programme(of: &CurtailmentProgramme) -> wire::CurtailmentProgramme {
    wire::CurtailmentProgramme {
        programme_id: of.programme_id.clone(),
        display_name: of.display_name.clone(),
        notice_minutes: of.notice_minutes,
        hours_per_year_max: of.hours_per_year_max,
        payment: match of.payment {
            CurtailmentPayment::Unspecified => wire::CurtailmentPayment::Unspecified,
            CurtailmentPayment::None => wire::CurtailmentPayment::None,
            CurtailmentPayment::Availability => wire::CurtailmentPayment::Availability,
            CurtailmentPayment::Energy => wire::CurtailmentPayment::Energy,
            CurtailmentPayment::AvoidedCharges => wire::CurtailmentPayment::AvoidedCharges,
        }
        .into(),
        eligible_kw: of.eligible_kw,
        penalty: of.penalty.clone(),
        provenance: to_provenance(&of.provenance),
    }
}
