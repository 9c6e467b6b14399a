//! Opportunities, there and back.

use std::str::FromStr as _;

use contracts::leasing::v1 as wire;
use kernel::{
    BidName, CivilDate, Currency, Error, LeaseName, OperatorId, OperatorName, OpportunityName, Rate,
    TenantName, Violations,
};
use runtime::wire::{
    display_name, known, optional_date, optional_known, optional_rate, page_size, request_id, to_date,
    to_decimal, to_timestamp,
};

use super::capacity_request::NOTE_CHARS;
use crate::app::{CreateOpportunity, ListOpportunities, Page, UpdateOpportunity};
use crate::domain::draft::KW_MAX;
use crate::domain::opportunity::{Deal, Loss, Opportunity, PipelineSum, Stage};

const NAME_CHARS: usize = 200;
/// The fields that an update may name.
const CHANGEABLE: &[&str] = &[
    "display_name",
    "stage",
    "probability_percent",
    "loss_code",
    "tenant",
    "prospect",
    "critical_it_kw",
    "rate_per_kw_month",
    "currency_code",
    "expected_close_date",
    "quote",
    "bid",
    "lease",
    "note",
];

/// Reads a deal to be recorded.
pub(super) fn create(request: &wire::CreateOpportunityRequest) -> Result<CreateOpportunity, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|parent| parent.operator);
    let deal = v
        .present("opportunity", request.opportunity.as_ref())
        .and_then(|sent| v.nested("opportunity", |v| deal(v, sent, operator.as_ref(), CHANGEABLE)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateOpportunity {
            operator: operator?,
            deal: deal?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads a change.
pub(super) fn update(request: &wire::UpdateOpportunityRequest) -> Result<UpdateOpportunity, Error> {
    let mut v = Violations::new();
    let fields: Vec<&str> =
        request.update_mask.iter().flat_map(|mask| mask.paths.iter().map(String::as_str)).collect();
    v.require("update_mask", !fields.is_empty(), "is required: name at least one field");
    let known = fields.iter().all(|field| CHANGEABLE.contains(field));
    v.require("update_mask", known, "must name fields that can be changed");
    let read = v.present("opportunity", request.opportunity.as_ref()).and_then(|sent| {
        v.nested("opportunity", |v| {
            let name = v.parse("name", &sent.name, str::parse::<OpportunityName>);
            v.require("etag", !sent.etag.is_empty(), "is required");
            let deal = deal(v, sent, name.as_ref().map(|name| &name.operator), &fields);
            Some((name?, sent.etag.clone(), deal?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (name, etag, deal) = read?;
        Some(UpdateOpportunity {
            name,
            etag,
            deal,
            fields: fields.iter().map(ToString::to_string).collect(),
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// What is said in these fields; the others are as if nothing were said.
fn deal(
    v: &mut Violations,
    sent: &wire::Opportunity,
    operator: Option<&OperatorId>,
    fields: &[&str],
) -> Option<Deal> {
    let asked = |field| fields.contains(&field);
    let own = |of: &OperatorId| operator.is_none_or(|operator| of == operator);
    let name = if asked("display_name") {
        display_name(v, "display_name", &sent.display_name)?
    } else {
        String::new()
    };
    let stage =
        if asked("stage") { known(v, "stage", sent.stage).and_then(stage_of) } else { Some(Stage::Inquiry) };
    let percent = sent.probability_percent.filter(|_| asked("probability_percent"));
    let fits = percent.is_none_or(|percent| (0..=100).contains(&percent));
    v.require("probability_percent", fits, "must be 0 to 100");
    let loss = if asked("loss_code") { optional_known(v, "loss_code", sent.loss_code) } else { Some(None) };
    let text = |field, text: &str| if asked(field) { text.to_owned() } else { String::new() };
    let tenant = v.parse_optional("tenant", &text("tenant", &sent.tenant), str::parse::<TenantName>);
    let prospect = v.text("prospect", &text("prospect", &sent.prospect), NAME_CHARS);
    let kw = if asked("critical_it_kw") { sent.critical_it_kw } else { 1 };
    v.require("critical_it_kw", (1..=KW_MAX).contains(&kw), "must be 1 to 100000000");
    let rate_sent = sent.rate_per_kw_month.as_ref().filter(|_| asked("rate_per_kw_month"));
    let rate = optional_rate(v, "rate_per_kw_month", rate_sent);
    v.require("rate_per_kw_month", rate.flatten().is_none_or(Rate::is_positive), "must be more than 0");
    let code = text("currency_code", &sent.currency_code);
    let currency = v.parse_optional("currency_code", &code, Currency::from_str);
    let close = sent.expected_close_date.as_ref().filter(|_| asked("expected_close_date"));
    let close: Option<Option<CivilDate>> = optional_date(v, "expected_close_date", close);
    let quote = v.text("quote", &text("quote", &sent.quote), NAME_CHARS);
    let bid = v.parse_optional("bid", &text("bid", &sent.bid), str::parse::<BidName>);
    v.require("bid", bid.as_ref().is_none_or(|bid| own(&bid.operator)), "must be a bid of the operator");
    let lease = v.parse_optional("lease", &text("lease", &sent.lease), str::parse::<LeaseName>);
    v.require(
        "lease",
        lease.as_ref().is_none_or(|lease| own(&lease.operator)),
        "must be a lease of the operator",
    );
    let note = v.text("note", &text("note", &sent.note), NOTE_CHARS);
    Some(Deal {
        display_name: name,
        stage: stage?,
        probability_percent: percent,
        loss: loss?.and_then(loss_of),
        tenant: tenant.map(|name| name.tenant),
        prospect: prospect?,
        critical_it_kw: kw,
        rate: rate?,
        currency,
        expected_close: close?,
        quote: quote?,
        bid: bid.map(|name| name.bid),
        lease: lease.map(|name| name.lease),
        note: note?,
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListOpportunitiesRequest) -> Result<ListOpportunities, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let page_size = page_size(&mut v, request.page_size);
    let stages = v.each_word("stages", &request.stages, |v, stage| known(v, "", *stage).and_then(stage_of));
    v.build(|| {
        Some(ListOpportunities {
            operator: parent?.operator,
            stages: stages?,
            page_size: page_size?,
            page_token: request.page_token.clone(),
        })
    })
}

fn stage_to_wire(stage: Stage) -> wire::OpportunityStage {
    match stage {
        Stage::Inquiry => wire::OpportunityStage::Inquiry,
        Stage::Qualified => wire::OpportunityStage::Qualified,
        Stage::Rfp => wire::OpportunityStage::Rfp,
        Stage::SiteVisit => wire::OpportunityStage::SiteVisit,
        Stage::Loi => wire::OpportunityStage::Loi,
        Stage::Papering => wire::OpportunityStage::Papering,
        Stage::Approval => wire::OpportunityStage::Approval,
        Stage::Signed => wire::OpportunityStage::Signed,
        Stage::Lost => wire::OpportunityStage::Lost,
    }
}

fn stage_of(named: wire::OpportunityStage) -> Option<Stage> {
    Stage::ALL.iter().map(|(stage, _, _)| *stage).find(|stage| stage_to_wire(*stage) == named)
}

fn loss_to_wire(loss: Loss) -> wire::LossCode {
    match loss {
        Loss::PowerDate => wire::LossCode::PowerDate,
        Loss::Price => wire::LossCode::Price,
        Loss::Credit => wire::LossCode::Credit,
        Loss::Density => wire::LossCode::Density,
        Loss::Fibre => wire::LossCode::Fibre,
        Loss::Location => wire::LossCode::Location,
        Loss::Tax => wire::LossCode::Tax,
    }
}

fn loss_of(named: wire::LossCode) -> Option<Loss> {
    Loss::ALL.iter().map(|(loss, _)| *loss).find(|loss| loss_to_wire(*loss) == named)
}

/// Writes an opportunity.
pub(super) fn to_wire(found: &Opportunity) -> wire::Opportunity {
    let deal = &found.deal;
    let operator = &found.name.operator;
    let bid = deal.bid.map(|bid| BidName::new(operator.clone(), bid).to_string());
    let lease = deal.lease.as_ref().map(|lease| LeaseName::new(operator.clone(), lease.clone()).to_string());
    let tenant = deal.tenant.as_ref().map(|tenant| TenantName::new(tenant.clone()).to_string());
    wire::Opportunity {
        name: found.name.to_string(),
        display_name: deal.display_name.clone(),
        stage: stage_to_wire(deal.stage).into(),
        probability_percent: deal.probability_percent,
        loss_code: deal.loss.map_or(wire::LossCode::Unspecified, loss_to_wire).into(),
        tenant: tenant.unwrap_or_default(),
        prospect: deal.prospect.clone(),
        critical_it_kw: deal.critical_it_kw,
        rate_per_kw_month: deal.rate.map(to_decimal),
        currency_code: deal.currency.map(|currency| currency.code().to_owned()).unwrap_or_default(),
        expected_close_date: deal.expected_close.map(to_date),
        quote: deal.quote.clone(),
        bid: bid.unwrap_or_default(),
        lease: lease.unwrap_or_default(),
        note: deal.note.clone(),
        effective_probability_percent: deal.effective_percent(),
        etag: found.etag(),
        create_time: Some(to_timestamp(found.create_time)),
        update_time: Some(to_timestamp(found.update_time)),
    }
}

fn sum_to_wire(sum: &PipelineSum) -> wire::PipelineSum {
    wire::PipelineSum {
        stage: stage_to_wire(sum.stage).into(),
        currency_code: sum.currency.map(|currency| currency.code().to_owned()).unwrap_or_default(),
        count: sum.count,
        critical_it_kw: sum.critical_it_kw,
        weighted_kw: Some(to_decimal(&sum.weighted_kw)),
        monthly_rent: Some(to_decimal(&sum.monthly_rent)),
        weighted_monthly_rent: Some(to_decimal(&sum.weighted_monthly_rent)),
    }
}

/// The reply to a new opportunity.
pub(super) fn created(new: &Opportunity) -> wire::CreateOpportunityResponse {
    wire::CreateOpportunityResponse { opportunity: Some(to_wire(new)) }
}

/// The reply to a changed opportunity.
pub(super) fn updated(changed: &Opportunity) -> wire::UpdateOpportunityResponse {
    wire::UpdateOpportunityResponse { opportunity: Some(to_wire(changed)) }
}

/// The reply to a question for a list.
pub(super) fn listed(page: Page<Opportunity>, sums: &[PipelineSum]) -> wire::ListOpportunitiesResponse {
    wire::ListOpportunitiesResponse {
        opportunities: page.items.iter().map(to_wire).collect(),
        next_page_token: page.next,
        sums: sums.iter().map(sum_to_wire).collect(),
    }
}
