//! Capacity whose blocks are named later, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Error, Violations};
use runtime::wire::{capacity, date, rate, request_id, to_capacity, to_date, to_decimal, to_timestamp};

use super::lease::signatory;
use super::life::change;
use crate::app::ChangeLease;
use crate::domain::nomination::{Named, Nomination, Placement};
use crate::domain::nomination_draft::NominationDraft;
use crate::domain::{Command, Lease};

/// Reads what terms leave to be named.
pub(super) fn draft(v: &mut Violations, one: &wire::Nomination) -> NominationDraft {
    NominationDraft {
        id: v.parse("nomination_id", &one.nomination_id, kernel::SiteId::new).map(|id| id.to_string()),
        site: v.parse("site", &one.site, str::parse),
        capacity: capacity(v, "capacity", one.capacity.as_ref()),
        commencement: date(v, "commencement_date", one.commencement_date.as_ref()),
        end: date(v, "end_date", one.end_date.as_ref()),
        rate: rate(v, "base_rate_per_kw_month", one.base_rate_per_kw_month.as_ref()),
        last: date(v, "last_nomination_date", one.last_nomination_date.as_ref()),
    }
}

/// Writes it. Without `money` the rate is left out.
pub(super) fn term(one: &Nomination, money: bool) -> wire::Nomination {
    wire::Nomination {
        nomination_id: one.id.clone(),
        site: one.site.to_string(),
        capacity: Some(to_capacity(one.capacity)),
        commencement_date: Some(to_date(one.commencement)),
        end_date: Some(to_date(one.end)),
        base_rate_per_kw_month: money.then(|| to_decimal(one.rate)),
        last_nomination_date: Some(to_date(one.last)),
    }
}

/// Reads which blocks are named.
pub(super) fn nominate(
    request: &wire::NominatePremisesRequest,
    peer_address: String,
) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    let change = change!(v, request, {
        let id = v.parse("nomination", &request.nomination, kernel::SiteId::new);
        v.require("blocks", !request.blocks.is_empty(), "needs at least one block");
        let blocks = v.each("blocks", &request.blocks, |v, one| {
            let block = v.parse("block", &one.block, str::parse);
            let capacity = capacity(v, "capacity", one.capacity.as_ref());
            Some(Named { block: block?, capacity: capacity? })
        });
        let signatory = signatory(&mut v, request.signatory.as_ref());
        id.zip(blocks).zip(signatory).map(|((id, blocks), signatory)| Command::Nominate {
            nomination: id.to_string(),
            blocks,
            signatory,
        })
    })?;
    Ok(ChangeLease { peer_address, ..change })
}

/// Writes where all of it stands: in the order in which something was named, then what nothing was named for.
pub(super) fn standing(lease: &Lease) -> Vec<wire::NominationStatus> {
    let mut ids: Vec<&str> = Vec::new();
    let named = lease.life.placements.iter().map(|one| one.nomination.as_str());
    for id in named.chain(lease.terms.nominations.iter().map(|one| one.id.as_str())) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.into_iter().map(|id| status(lease, id)).collect()
}

fn status(lease: &Lease, id: &str) -> wire::NominationStatus {
    let left = lease.terms.nominations.iter().find(|one| one.id == id);
    let open = left.filter(|one| !lease.life.lapsed_nominations.contains(&one.id));
    let state = match (open, left) {
        (Some(_), _) => wire::NominationState::Open,
        (None, Some(_)) => wire::NominationState::Lapsed,
        (None, None) => wire::NominationState::Placed,
    };
    wire::NominationStatus {
        nomination_id: id.to_owned(),
        state: state.into(),
        left: open.map(|one| to_capacity(one.capacity)),
        placements: lease.life.placements.iter().filter(|one| one.nomination == id).map(placement).collect(),
    }
}

fn placement(one: &Placement) -> wire::Placement {
    wire::Placement {
        blocks: one.blocks.iter().map(ToString::to_string).collect(),
        nominate_time: Some(to_timestamp(one.time)),
        signatory: Some(wire::Signatory {
            name: one.signatory.name.clone(),
            title: one.signatory.title.clone(),
        }),
        version: one.version.into(),
    }
}
