//! Tenants that stay beyond their term, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Error, Violations};
use runtime::wire::{date, request_id, to_date, to_decimal, to_timestamp};

use super::life::{change, said};
use crate::app::ChangeLease;
use crate::domain::Command;
use crate::domain::holdover::Holdover;

/// Reads that the tenant stays.
pub(super) fn begin(request: &wire::BeginHoldoverRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let until = date(&mut v, "until_date", request.until_date.as_ref());
        let note = said(&mut v, "note", &request.note);
        until.zip(note).map(|(until, note)| Command::BeginHoldover { until, note })
    })
}

/// Reads that it leaves.
pub(super) fn end(request: &wire::EndHoldoverRequest) -> Result<ChangeLease, Error> {
    let mut v = Violations::new();
    change!(v, request, {
        let end = date(&mut v, "end_date", request.end_date.as_ref());
        let note = said(&mut v, "note", &request.note);
        end.zip(note).map(|(end, note)| Command::EndHoldover { end, note })
    })
}

/// Writes that the tenant stays.
pub(super) fn to_wire(holdover: &Holdover) -> wire::Holdover {
    wire::Holdover {
        from_date: Some(to_date(holdover.from)),
        until_date: Some(to_date(holdover.until)),
        rate_percent: Some(to_decimal(holdover.percent)),
        given_by: holdover.subject.clone(),
        notice_time: Some(to_timestamp(holdover.time)),
        note: holdover.note.clone(),
        vacated: holdover.vacated,
    }
}
