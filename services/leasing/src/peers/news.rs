//! What leasing hears in inventory's feed: of reservations, of what they are short of, and of phases.

use contracts::common::v1::Event;
use contracts::inventory::v1 as wire;
use kernel::{BlockName, Error, Instant, PhaseId, PhaseName, ReservationName, Violations};
use prost::Message as _;
use runtime::wire::{date, instant, optional_date};

use super::{Notice, nonsense, notice};
use crate::domain::premises::PhaseDates;

const SHORTFALL_TYPE: &str = "gridlease.inventory.v1.Shortfall";
const PHASE_TYPE: &str = "gridlease.inventory.v1.Phase";

/// Something that leasing heeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A reservation for a lease moved.
    Reservation(Notice),
    /// A reservation is short of something, or of nothing any more.
    Shortage(Shortage),
    /// A phase was said to be ready on some day.
    Phase(PhaseNews),
}

/// What a reservation is short of on a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// The reservation.
    pub reservation: ReservationName,
    /// The block.
    pub block: BlockName,
    /// When, in order of time.
    pub intervals: Vec<(Instant, Instant)>,
    /// Whether capacity comes late, or never.
    pub is_delay: bool,
    /// The phase or window that made it so.
    pub cause: String,
}

impl Shortage {
    /// Until when it lasts without a gap from `start` on; none if it does not begin by then.
    #[must_use]
    pub fn lasts_from(&self, start: Instant) -> Option<Instant> {
        self.intervals.iter().fold(None, |until, (from, to)| match until {
            None => (*from <= start && start < *to).then_some(*to),
            Some(until) if *from <= until => Some(until.max(*to)),
            Some(until) => Some(until),
        })
    }
}

/// What is known of a phase now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseNews {
    /// Its block.
    pub block: BlockName,
    /// Its id.
    pub phase: PhaseId,
    /// Its dates; none if it will never be, or is no more.
    pub dates: Option<PhaseDates>,
}

/// What an event says to leasing; `None` for everything that is none of its business.
///
/// # Errors
/// `INTERNAL` when the event does not read: it is tried again, never skipped.
pub fn heard(event: &Event) -> Result<Option<Heard>, Error> {
    let Some(data) = event.data.as_ref() else { return Ok(None) };
    if data.type_url.ends_with(SHORTFALL_TYPE) {
        let shortfall = wire::Shortfall::decode(data.value.as_slice()).map_err(Error::internal)?;
        return shortage(&shortfall).map(|news| Some(Heard::Shortage(news)));
    }
    if data.type_url.ends_with(PHASE_TYPE) {
        let phase = wire::Phase::decode(data.value.as_slice()).map_err(Error::internal)?;
        return phase_news(&phase).map(|news| Some(Heard::Phase(news)));
    }
    Ok(notice(event)?.map(Heard::Reservation))
}

fn shortage(shortfall: &wire::Shortfall) -> Result<Shortage, Error> {
    let mut v = Violations::new();
    let intervals = v.each("steps", &shortfall.steps, |v, step| {
        let start = instant(v, "start_time", step.start_time.as_ref());
        start.zip(instant(v, "end_time", step.end_time.as_ref()))
    });
    Ok(Shortage {
        reservation: shortfall.reservation.parse().map_err(|_| nonsense("a reservation name"))?,
        block: shortfall.block.parse().map_err(|_| nonsense("a block name"))?,
        intervals: intervals.ok_or_else(|| nonsense("the times of a shortfall"))?,
        is_delay: matches!(
            shortfall.cause(),
            wire::ShortfallCause::Delayed | wire::ShortfallCause::Cancelled
        ),
        cause: shortfall.cause_resource.clone(),
    })
}

fn phase_news(phase: &wire::Phase) -> Result<PhaseNews, Error> {
    let name: PhaseName = phase.name.parse().map_err(|_| nonsense("a phase name"))?;
    let mut v = Violations::new();
    let current = date(&mut v, "ready_for_service_date", phase.ready_for_service_date.as_ref());
    let baseline = optional_date(&mut v, "baseline_date", phase.baseline_date.as_ref());
    let actual = optional_date(&mut v, "actual_date", phase.actual_date.as_ref());
    let dates = (|| {
        let current = current?;
        Some(PhaseDates { baseline: baseline?.unwrap_or(current), current, actual: actual? })
    })();
    let dates = dates.ok_or_else(|| nonsense("the dates of a phase"))?;
    let gone = matches!(phase.use_state(), wire::UseState::Retired | wire::UseState::Cancelled);
    Ok(PhaseNews {
        block: BlockName { operator: name.operator, site: name.site, block: name.block },
        phase: name.phase,
        dates: (!gone).then_some(dates),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_lasts_as_long_as_it_has_no_gap() {
        let at = |minute: i64| chrono::DateTime::from_timestamp(minute * 60, 0).expect("an instant");
        let shortage = Shortage {
            reservation: format!("operators/acme/reservations/{}", kernel::Uuid::from_u128(9))
                .parse()
                .unwrap(),
            block: "operators/acme/sites/one/blocks/hall".parse().unwrap(),
            intervals: vec![(at(10), at(20)), (at(20), at(30)), (at(40), at(50))],
            is_delay: true,
            cause: String::new(),
        };
        assert_eq!(shortage.lasts_from(at(10)), Some(at(30)));
        assert_eq!(shortage.lasts_from(at(25)), Some(at(30)));
        assert_eq!(shortage.lasts_from(at(9)), None);
        assert_eq!(shortage.lasts_from(at(30)), None);
    }
}
