//! Curtailments on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, OperatorName, OperatorParent, SiteId, SiteName, Violations};
use runtime::wire::{instant, request_id, to_timestamp};

use super::incident::site_filter;
use crate::app::{AnnounceCurtailment, ListCurtailments};
use crate::domain::curtailment::{Curtailment, CurtailmentDraft};

const KW_MAX: i64 = 100_000_000;
const DAYS_MAX: i64 = 31;

pub(super) fn announce(request: &wire::AnnounceCurtailmentRequest) -> Result<AnnounceCurtailment, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let draft = v
        .present("curtailment", request.curtailment.as_ref())
        .and_then(|sent| v.nested("curtailment", |v| draft(v, parent.as_ref(), sent)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(AnnounceCurtailment {
            operator: parent?.operator,
            draft: draft?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn draft(
    v: &mut Violations,
    parent: Option<&OperatorName>,
    sent: &wire::Curtailment,
) -> Option<CurtailmentDraft> {
    let site = v.parse("site", &sent.site, str::parse::<SiteName>).filter(|site| {
        let same = parent.is_none_or(|parent| parent.operator == site.operator);
        v.require("site", same, "must be a site of the parent")
    });
    let programme_id = match sent.programme_id.as_str() {
        "" => Some(None),
        // An id below a site, in the form of all of them.
        text => v.parse("programme_id", text, str::parse::<SiteId>).map(|id| Some(id.to_string())),
    };
    let start = instant(v, "start_time", sent.start_time.as_ref());
    let end = instant(v, "end_time", sent.end_time.as_ref());
    if let (Some(start), Some(end)) = (start, end) {
        v.require("end_time", start < end, "must be later than start_time");
        v.require("end_time", (end - start).num_days() <= DAYS_MAX, "must be at most 31 days later");
    }
    let kw = sent.curtailed_kw;
    let inside = v.require("curtailed_kw", (1..=KW_MAX).contains(&kw), "must be from 1 to 100000000 kW");
    let note = v.text("note", &sent.note, 1_000);
    Some(CurtailmentDraft {
        site: site?,
        programme_id: programme_id?,
        start: start?,
        end: end?,
        curtailed_kw: inside.then_some(kw)?,
        note: note?,
    })
}

pub(super) fn list(request: &wire::ListCurtailmentsRequest) -> Result<ListCurtailments, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let site = site_filter(&mut v, &request.site);
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some(ListCurtailments { parent: parent?, site: site?, page: page? }))
}

pub(super) fn to_wire(curtailment: &Curtailment) -> wire::Curtailment {
    let facts = &curtailment.facts;
    wire::Curtailment {
        name: curtailment.name.to_string(),
        site: facts.site.to_string(),
        programme_id: facts.programme_id.clone().unwrap_or_default(),
        start_time: Some(to_timestamp(facts.start)),
        end_time: Some(to_timestamp(facts.end)),
        curtailed_kw: facts.curtailed_kw,
        note: facts.note.clone(),
        notice_minutes: curtailment.notice_minutes(),
        create_time: Some(to_timestamp(curtailment.created_at)),
    }
}

pub(super) fn announced(curtailment: &Curtailment) -> wire::AnnounceCurtailmentResponse {
    wire::AnnounceCurtailmentResponse { curtailment: Some(to_wire(curtailment)) }
}
