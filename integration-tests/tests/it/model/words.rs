//! The model's words as the domain's.

use inventory::domain::conversion::{Conversion, InterimUse};
use inventory::domain::phase::{DateBasis, PhaseDraft};
use inventory::domain::reservation::{Claim, Reservation};
use inventory::domain::site::GridStep;
use inventory::domain::states::State;
use kernel::{BlockName, Instant, PhaseName, ReservationName};

use super::stage::{id, kind};
use crate::obvious::{Draft, Grid, Key};

pub(super) fn draft(block: &BlockName, key: Key, draft: &Draft) -> PhaseDraft {
    let interim = draft.interim;
    PhaseDraft {
        name: PhaseName::new(
            block.operator.clone(),
            block.site.clone(),
            block.block.clone(),
            format!("p{key}").parse().expect("an id"),
        ),
        capacity: draft.power.kw,
        gross_kw: draft.power.gross,
        ready_for_service: draft.ready,
        date_basis: if draft.is_actual { DateBasis::Actual } else { DateBasis::Forecast },
        end: draft.end,
        conversion: Conversion {
            interim_use: interim
                .map_or(InterimUse::None, |interim| InterimUse::of_word(interim.0).expect("a use")),
            interim_gross_kw: interim.map_or(0, |interim| interim.1),
            interim_start: interim.and_then(|interim| interim.2),
            start: draft.conversion,
            wind_down_notice_days: 0,
        },
    }
}

pub(super) fn grid_step(step: &Grid) -> GridStep {
    GridStep { from: step.from, contracted_kw: step.contracted, energised_kw: None, interim_kw: step.interim }
}

pub(super) fn reservation(
    block: &BlockName,
    key: Key,
    word: &str,
    tenant: usize,
    claims: Vec<Claim>,
    hold_until: Instant,
    now: Instant,
) -> Reservation {
    Reservation {
        name: ReservationName::new(block.operator.clone(), id(key)),
        tenant: Some(format!("tenant-{tenant}").parse().expect("an id")),
        kind: kind(word),
        state: State::Held,
        claims,
        hold_until,
        note: String::new(),
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}
