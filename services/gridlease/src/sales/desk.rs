//! Deeds: holding, proposing, and signing for the operator.

use anyhow::{Context as _, ensure};
use contracts::common::v1::{CapacityProfile, CapacityStep, CapacityVector};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use kernel::time::add_months;
use kernel::{BlockName, CivilDate, Ids as _, Role, SystemIds, TenantName, Zone};
use prost_types::Duration;
use runtime::wire::{to_date, to_decimal, to_timestamp};
use serde_json::Value;

use super::report::{Report, day, text, time, word};
use super::server::Desk;
use super::{Clear, Consent, Hold, Nominate, Premises, Propose, Sign};

impl Premises {
    fn capacity(&self) -> CapacityVector {
        load(self.kw, self.liquid_percent)
    }

    fn end(&self) -> anyhow::Result<CivilDate> {
        add_months(self.from, self.months).context("the term ends beyond the calendar")
    }

    fn held(&self) -> Option<Duration> {
        Some(Duration { seconds: self.days * 86_400, nanos: 0 })
    }
}

fn load(kw: i64, liquid_percent: i32) -> CapacityVector {
    let liquid = kw * i64::from(liquid_percent) / 100;
    CapacityVector {
        critical_it_kw: kw,
        air_cooling_kw: kw - liquid,
        liquid_cooling_kw: liquid,
        ..Default::default()
    }
}

/// Dates of a block are read in the zone of its site.
async fn zone(desk: &Desk, block: &BlockName) -> anyhow::Result<Zone> {
    let name = block.site_name().to_string();
    let request = inventory::GetSiteRequest { name, ..Default::default() };
    let site = desk.sites().get_site(request).await.context("ask for the site")?.into_inner().site;
    site.context("no site")?.time_zone.parse().context("the site's time zone")
}

pub(super) async fn hold(arguments: Hold) -> anyhow::Result<String> {
    let (server, premises) = (&arguments.server, &arguments.premises);
    let desk = server.desk(Role::Sales)?;
    let zone = zone(&desk, &arguments.block).await?;
    let at = |day| Some(to_timestamp(zone.start_of_day(day)));
    let step = CapacityStep { start_time: at(premises.from), capacity: Some(premises.capacity()) };
    let request = inventory::PlaceHoldRequest {
        parent: server.parent(),
        tenant: TenantName::new(premises.tenant.clone()).to_string(),
        kind: inventory::ReservationKind::Hold.into(),
        claims: vec![inventory::Claim {
            block: arguments.block.to_string(),
            profile: Some(CapacityProfile { steps: vec![step], end_time: at(premises.end()?) }),
        }],
        hold_duration: premises.held(),
        note: arguments.note.clone(),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    let answer = desk.reservations().place_hold(request).await.context("hold")?.into_inner();
    let held = answer.reservation.context("no reservation")?;
    let mut report = Report::new(&["Reservation", "Until", ">IT kW", ">Holds left", ">Rights to clear"]);
    report.row([
        text(held.name.clone()),
        time(held.hold_expire_time.as_ref()),
        Value::from(premises.kw),
        answer.quota_left.map_or(Value::Null, Value::from),
        Value::from(answer.rights_to_clear.len()),
    ]);
    Ok(report.told(server.json, ""))
}

pub(super) async fn propose(arguments: Propose) -> anyhow::Result<String> {
    let (server, premises) = (&arguments.server, &arguments.premises);
    let request = leasing::ProposeLeaseRequest {
        parent: server.parent(),
        lease_id: arguments.id.clone(),
        tenant: TenantName::new(premises.tenant.clone()).to_string(),
        terms: Some(terms(&arguments)?),
        hold_duration: premises.held(),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    let mut leases = server.desk(Role::Sales)?.leases();
    let proposed = leases.propose_lease(request).await.context("propose")?.into_inner();
    Ok(told(&proposed.lease.context("no lease")?, server.json))
}

/// What is proposed: of a block, or of a site whose block is named later.
fn terms(arguments: &Propose) -> anyhow::Result<leasing::LeaseTerms> {
    let premises = &arguments.premises;
    let (capacity, rate) = (Some(premises.capacity()), Some(to_decimal(arguments.rate)));
    let (from, end) = (Some(to_date(premises.from)), Some(to_date(premises.end()?)));
    let block = arguments.block.as_ref().map(|block| leasing::Premises {
        block: block.to_string(),
        quantity_steps: vec![leasing::QuantityStep { from_date: from, capacity }],
        commencement_date: from,
        end_date: end,
        base_rate_per_kw_month: rate.clone(),
        rate_steps: Vec::new(),
    });
    let later = arguments.site.as_ref().map(|site| leasing::Nomination {
        nomination_id: arguments.nomination.clone(),
        site: site.to_string(),
        capacity,
        commencement_date: from,
        end_date: end,
        base_rate_per_kw_month: rate,
        last_nomination_date: arguments.name_by.map(to_date),
    });
    let escalator = (arguments.escalator != "0").then(|| leasing::Escalator {
        percent: Some(to_decimal(&arguments.escalator)),
        basis: leasing::EscalationBasis::BlockAnniversary.into(),
        fixed_date: None,
    });
    let agreement = arguments.agreement.as_ref().map(ToString::to_string);
    Ok(leasing::LeaseTerms {
        currency_code: arguments.currency.clone(),
        structure: leasing::LeaseStructure::Nnn.into(),
        premises: block.into_iter().collect(),
        nominations: later.into_iter().collect(),
        escalator,
        billing_frequency: leasing::BillingFrequency::Monthly.into(),
        // What an order does not state it takes over.
        payment_terms_days: if agreement.is_some() { 0 } else { 30 },
        term_months: premises.months,
        master_agreement: agreement.unwrap_or_default(),
        ..Default::default()
    })
}

/// Asks those who have a right on what a lease would take; who was asked already is not asked again.
pub(super) async fn clear(arguments: Clear) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut rights = server.desk(Role::Sales)?.rights();
    let request = leasing::OfferToRightHoldersRequest {
        name: arguments.lease.to_string(),
        request_id: SystemIds.next().to_string(),
        ..Default::default()
    };
    let answer = rights.offer_to_right_holders(request).await.context("ask the holders")?.into_inner();
    let mut report = Report::new(&["Holder", "Right", "On", ">IT kW", "Answer", "Until", "Offer"]);
    for offer in &answer.right_offers {
        let right = offer.right.clone().unwrap_or_default();
        report.row([
            text(offer.tenant.clone()),
            word(right.kind().as_str_name(), "RIGHT_KIND_"),
            text(right.place.clone()),
            Value::from(right.quantity_kw),
            word(offer.state().as_str_name(), "RIGHT_OFFER_STATE_"),
            time(offer.respond_by_time.as_ref()),
            text(offer.name.clone()),
        ]);
    }
    Ok(report.told(server.json, "Nobody has a right on this capacity."))
}

/// Signs for the operator. The hash that is signed is the one that was read, if it is said, so that nobody signs other
/// terms than those it has seen.
pub(super) async fn sign(arguments: Sign) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut leases = server.desk(Role::OperatorAdmin)?.leases();
    let name = arguments.lease.to_string();
    let terms_hash = match &arguments.terms_hash {
        Some(read) => from_hex(read)?,
        None => {
            let get = leasing::GetLeaseRequest { name: name.clone(), version: 0 };
            let found = leases.get_lease(get).await.context("read the lease")?.into_inner();
            found.lease.context("no lease")?.terms_hash
        }
    };
    let request = leasing::SignLeaseRequest {
        name,
        terms_hash,
        signatory: Some(leasing::Signatory { name: arguments.name.clone(), title: arguments.title.clone() }),
        etag: String::new(),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    let signed = leases.sign_lease(request).await.context("sign")?.into_inner();
    Ok(told(&signed.lease.context("no lease")?, server.json))
}

/// Consents for the operator to what the tenant asks for.
pub(super) async fn consent(arguments: Consent) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut leases = server.desk(Role::OperatorAdmin)?.leases();
    let request = leasing::ConsentToAssignmentRequest {
        name: arguments.lease.to_string(),
        signatory: Some(leasing::Signatory { name: arguments.name.clone(), title: arguments.title.clone() }),
        etag: String::new(),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    let answer = leases.consent_to_assignment(request).await.context("consent")?.into_inner();
    let lease = answer.lease.context("no lease")?;
    let asked = lease.assignment.clone().unwrap_or_default();
    let mut report = Report::new(&["Lease", "Tenant", "What", "To", "From", "Paper"]);
    report.row([
        text(lease.name),
        text(lease.tenant),
        word(asked.kind().as_str_name(), "ASSIGNMENT_KIND_"),
        text(asked.assignee),
        day(asked.effective_date.as_ref()),
        text(asked.reference),
    ]);
    Ok(report.told(server.json, ""))
}

/// Names a block for the operator.
pub(super) async fn nominate(arguments: Nominate) -> anyhow::Result<String> {
    let server = &arguments.server;
    let mut leases = server.desk(Role::OperatorAdmin)?.leases();
    let request = leasing::NominatePremisesRequest {
        name: arguments.lease.to_string(),
        nomination: arguments.nomination.clone(),
        blocks: vec![leasing::NominatedBlock {
            block: arguments.block.to_string(),
            capacity: Some(load(arguments.kw, arguments.liquid_percent)),
        }],
        signatory: Some(leasing::Signatory { name: arguments.name.clone(), title: arguments.title.clone() }),
        etag: String::new(),
        request_id: SystemIds.next().to_string(),
        validate_only: arguments.dry_run,
    };
    let answer = leases.nominate_premises(request).await.context("nominate")?.into_inner();
    let mut report = unplaced_report();
    unplaced_rows(&answer.lease.context("no lease")?, &mut report);
    Ok(report.told(server.json, "All of it is named."))
}

/// What is promised and has no block yet.
pub(super) fn unplaced_report() -> Report {
    Report::new(&["Lease", "Tenant", "Nomination", "Site", ">IT kW left", "From", "Name by"])
}

/// Of one lease.
pub(super) fn unplaced_rows(lease: &leasing::Lease, report: &mut Report) {
    let open = lease.nominations.iter().filter_map(|one| Some((one, one.left?)));
    for (one, left) in open {
        let terms = lease.terms.iter().flat_map(|terms| &terms.nominations);
        let agreed = terms.clone().find(|agreed| agreed.nomination_id == one.nomination_id);
        report.row([
            text(lease.name.clone()),
            text(lease.tenant.clone()),
            text(one.nomination_id.clone()),
            text(agreed.map(|agreed| agreed.site.clone()).unwrap_or_default()),
            Value::from(left.critical_it_kw),
            day(agreed.and_then(|agreed| agreed.commencement_date.as_ref())),
            day(agreed.and_then(|agreed| agreed.last_nomination_date.as_ref())),
        ]);
    }
}

fn told(lease: &leasing::Lease, json: bool) -> String {
    let mut report = Report::new(&["Lease", "State", "Signed by", "Held until", "Terms hash"]);
    let signed: Vec<_> = lease.signatures.iter().map(|one| one.party().as_str_name()).collect();
    report.row([
        text(lease.name.clone()),
        word(lease.state().as_str_name(), "LEASE_STATE_"),
        text(signed.join(" ").replace("PARTY_", "")),
        time(lease.hold_expire_time.as_ref()),
        text(to_hex(&lease.terms_hash)),
    ]);
    report.told(json, "")
}

pub(super) fn to_hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn from_hex(text: &str) -> anyhow::Result<Vec<u8>> {
    ensure!(text.len() == 64 && text.is_ascii(), "--terms-hash: 64 hexadecimal digits");
    (0..32)
        .map(|at| {
            u8::from_str_radix(&text[2 * at..2 * at + 2], 16).context("--terms-hash: hexadecimal digits")
        })
        .collect()
}
