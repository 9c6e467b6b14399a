//! The life of an agreed lease: what its sides say from the wire, and how it stands to the wire.

use contracts::leasing::v1 as wire;
use kernel::{Error, Violations};
use runtime::wire::{date, known, page_size, request_id, to_date, to_money, to_timestamp};

use super::lease::{REASON_CHARS, signatory};
use super::terms;
use crate::app::{ChangeLease, GetHistory, Page};
use crate::domain::life::{Ground, Happening, Notice, NoticeKind, Renewal, Termination};
use crate::domain::options::OptionWindow;
use crate::domain::premises::Premises;
use crate::domain::{Command, Lease, PremisesState};

/// The name, etag and request id that every such request has, and its command.
macro_rules! change {
    ($v:ident, $request:ident, $command:expr) => {{
        let name = $v.parse("name", &$request.name, str::parse);
        let request_id = request_id(&mut $v, &$request.request_id);
        let command = $command;
        $v.build(|| {
            Some(ChangeLease {
                name: name?,
                command: command?,
                etag: $request.etag.clone(),
                peer_address: String::new(),
                request_id: request_id?,
                validate_only: $request.validate_only,
            })
        })
    }};
}

pub(super) use change;

/// A text that must be there.
pub(super) fn said(v: &mut Violations, field: &str, text: &str) -> Option<String> {
    v.require(field, !text.trim().is_empty(), "is required");
    v.text(field, text, REASON_CHARS)
}

/// Reads that a condition is satisfied.
pub(super) fn satisfy(request: &wire::SatisfyConditionRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        v.require("condition", !request.condition.is_empty(), "is required");
        let note = v.text("note", &request.note, REASON_CHARS);
        note.map(|note| Command::Satisfy { condition: request.condition.clone(), note })
    })
}

/// Reads an acceptance.
pub(super) fn accept(request: &wire::AcceptBlockRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let block = v.parse("block", &request.block, str::parse);
        let on = date(&mut v, "accept_date", request.accept_date.as_ref());
        let signatory = signatory(&mut v, request.signatory.as_ref());
        block.zip(on).zip(signatory).map(|((block, on), signatory)| Command::Accept { block, on, signatory })
    })
}

/// Reads a notice.
pub(super) fn give_notice(request: &wire::GiveNoticeRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let kind = known::<wire::NoticeKind>(&mut v, "kind", request.kind).and_then(|kind| match kind {
            wire::NoticeKind::Unspecified => None,
            wire::NoticeKind::MonetaryDefault => Some(NoticeKind::MonetaryDefault),
            wire::NoticeKind::OtherDefault => Some(NoticeKind::OtherDefault),
            wire::NoticeKind::Cured => Some(NoticeKind::Cured),
            wire::NoticeKind::CloseOut => Some(NoticeKind::CloseOut),
        });
        let note = said(&mut v, "note", &request.note);
        kind.zip(note).map(|(kind, note)| Command::Notify { kind, note })
    })
}

/// Reads a termination.
pub(super) fn terminate(request: &wire::TerminateLeaseRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let ground =
            known::<wire::TerminationGround>(&mut v, "ground", request.ground).and_then(
                |ground| match ground {
                    wire::TerminationGround::Unspecified => None,
                    wire::TerminationGround::OutsideDate => Some(Ground::OutsideDate),
                    wire::TerminationGround::Default => Some(Ground::Default),
                    wire::TerminationGround::Fee => Some(Ground::Fee),
                },
            );
        let end = date(&mut v, "end_date", request.end_date.as_ref());
        let reason = said(&mut v, "reason", &request.reason);
        ground.zip(end).zip(reason).map(|((ground, end), reason)| Command::Terminate { ground, end, reason })
    })
}

/// Reads that a renewal, or an option on more blocks, is exercised.
pub(super) fn exercise(request: &wire::ExerciseOptionRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let signatory = signatory(&mut v, request.signatory.as_ref());
        let option = v.parse_optional("expansion_option", &request.expansion_option, kernel::SiteId::new);
        signatory.map(|signatory| match option {
            Some(option) => Command::Expand { option: option.to_string(), signatory },
            None => Command::Renew { signatory },
        })
    })
}

/// Writes when the next renewal can be exercised.
pub(super) fn option_window(window: &OptionWindow) -> wire::OptionWindow {
    wire::OptionWindow {
        term_months: terms::small(window.option.term_months),
        left: terms::small(window.left),
        first_date: window.first.map(to_date),
        last_date: Some(to_date(window.last)),
    }
}

/// Writes a renewal that was exercised.
pub(super) fn renewal(lease: &Lease, one: &Renewal) -> wire::Renewal {
    wire::Renewal {
        exercise_time: Some(to_timestamp(one.time)),
        signatory: Some(wire::Signatory {
            name: one.signatory.name.clone(),
            title: one.signatory.title.clone(),
        }),
        until_date: one.until.map(to_date),
        rent_to_be_agreed: lease.is_rent_open(one),
    }
}

/// Reads what history is asked for.
pub(super) fn get_history(request: &wire::GetHistoryRequest) -> Result<GetHistory, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let page_size = page_size(&mut v, request.page_size);
    v.build(|| {
        Some(GetHistory { name: name?, page_size: page_size?, page_token: request.page_token.clone() })
    })
}

/// Writes a page of history.
pub(super) fn history(page: Page<Happening>) -> wire::GetHistoryResponse {
    let happenings = page.items.into_iter().map(|one| wire::Happening {
        revision: one.revision,
        kind: one.kind,
        time: Some(to_timestamp(one.time)),
        state: one.state,
        version: one.version.into(),
    });
    wire::GetHistoryResponse { happenings: happenings.collect(), next_page_token: page.next }
}

/// Writes the conditions of a lease as they stand.
pub(super) fn conditions(lease: &Lease) -> Vec<wire::ConditionStatus> {
    let conditions = lease.terms.contract.conditions.iter();
    conditions
        .map(|condition| {
            let met = lease.life.met.iter().find(|met| met.condition == condition.id);
            wire::ConditionStatus {
                condition: condition.id.clone(),
                satisfied_time: met.map(|met| to_timestamp(met.time)),
                satisfied_by: met.map(|met| met.subject.clone()).unwrap_or_default(),
                note: met.map(|met| met.note.clone()).unwrap_or_default(),
            }
        })
        .collect()
}

/// Writes a notice.
pub(super) fn notice(notice: &Notice) -> wire::Notice {
    let kind = match notice.kind {
        NoticeKind::MonetaryDefault => wire::NoticeKind::MonetaryDefault,
        NoticeKind::OtherDefault => wire::NoticeKind::OtherDefault,
        NoticeKind::Cured => wire::NoticeKind::Cured,
        NoticeKind::CloseOut => wire::NoticeKind::CloseOut,
    };
    wire::Notice {
        kind: kind.into(),
        notice_time: Some(to_timestamp(notice.time)),
        given_by: notice.subject.clone(),
        note: notice.note.clone(),
        cure_date: notice.cure_date.map(to_date),
        cured: notice.cured,
    }
}

/// Writes how a lease ends before its term.
pub(super) fn termination(end: &Termination, money: bool) -> wire::Termination {
    let ground = match end.ground {
        Ground::OutsideDate => wire::TerminationGround::OutsideDate,
        Ground::Default => wire::TerminationGround::Default,
        Ground::Fee => wire::TerminationGround::Fee,
    };
    wire::Termination {
        ground: ground.into(),
        end_date: Some(to_date(end.end)),
        reason: end.reason.clone(),
        given_by: end.subject.clone(),
        notice_time: Some(to_timestamp(end.time)),
        fee: end.fee.filter(|_| money).map(to_money),
        refund: end.refund,
    }
}

/// Writes where a block stands.
pub(super) fn block_state(premises: &Premises) -> wire::LeaseBlockState {
    match premises.state {
        // What is optioned is no block of the lease yet.
        PremisesState::Optioned => wire::LeaseBlockState::Unspecified,
        PremisesState::Planned if premises.ready.actual.is_some() => wire::LeaseBlockState::Ready,
        PremisesState::Planned => wire::LeaseBlockState::Planned,
        PremisesState::Commenced => wire::LeaseBlockState::Commenced,
        PremisesState::Ended => wire::LeaseBlockState::Ended,
        PremisesState::Lapsed => wire::LeaseBlockState::Lapsed,
    }
}

/// Writes one block of a lease as it stands.
pub(super) fn block(premises: &Premises, lease: &Lease, money: bool) -> wire::LeaseBlock {
    let (standing, ready) = (&premises.standing, premises.ready);
    let small = |days: u32| i32::try_from(days).unwrap_or(i32::MAX);
    let steps = premises.rate_steps.iter().filter(|_| money);
    wire::LeaseBlock {
        block: premises.block.to_string(),
        state: block_state(premises).into(),
        commencement_date: Some(to_date(premises.commencement)),
        end_date: Some(to_date(premises.end)),
        commence_time: premises.commence_time.map(to_timestamp),
        time_zone: premises.zone.to_string(),
        rate_steps: steps.map(terms::rate_step).collect(),
        rent_commencement_date: Some(to_date(premises.rent_from())),
        contract_commencement_date: Some(to_date(premises.agreed.start())),
        contract_end_date: Some(to_date(premises.agreed.end())),
        ready_baseline_date: ready.baseline.map(to_date),
        ready_forecast_date: ready.forecast.map(to_date),
        ready_actual_date: ready.actual.map(to_date),
        accepted_date: standing.accepted.as_ref().map(|acceptance| to_date(acceptance.on)),
        days_late: small(standing.late_days),
        abated_days: small(standing.abated_days),
        outside_date: premises.outside_date(lease.terms.contract.delivery.as_ref()).map(to_date),
        delayed_by: standing.delayed_by.clone(),
        moved: premises.is_moved(),
        quantity_steps: premises.quantity_steps.iter().map(terms::quantity_step).collect(),
    }
}
