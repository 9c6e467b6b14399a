use super::*;
use crate::domain::conversion::Stage;
use crate::domain::phase_change::{Deed, PhasePatch};

fn day(text: &str) -> CivilDate {
    text.parse().expect("a date")
}

fn now() -> Instant {
    Zone::UTC.start_of_day(day("2026-12-01"))
}

/// A mine of 300 MW that is to be converted.
fn draft() -> PhaseDraft {
    PhaseDraft {
        name: "operators/riot/sites/rockdale/blocks/hall-a/phases/one".parse().expect("a name"),
        capacity: CapacityVector { liquid: 210_000, ..CapacityVector::ZERO },
        gross_kw: Some(300_000),
        ready_for_service: day("2027-10-01"),
        date_basis: DateBasis::Forecast,
        end: None,
        conversion: Conversion {
            interim_use: InterimUse::Mining,
            interim_gross_kw: 300_000,
            interim_start: None,
            start: Some(day("2027-01-15")),
            wind_down_notice_days: 90,
        },
    }
}

fn phase() -> Phase {
    draft().settle(GrossPerIt::ASSUMED, day("2026-12-01"), now()).expect("sound")
}

fn fields(outcome: Result<Phase, Error>) -> Vec<String> {
    let error = outcome.expect_err("refused");
    assert_eq!(error.reason(), Reason::InvalidField, "{error:?}");
    error.violations().iter().map(|violation| violation.field.clone()).collect()
}

#[test]
fn three_hundred_megawatts_of_mine_are_two_hundred_and_ten_of_product() {
    let phase = phase();
    assert_eq!((phase.capacity.critical_it, phase.it_basis), (210_000, ItBasis::Assumed));
    assert_eq!((phase.gross_kw, phase.gross_basis), (300_000, GrossBasis::Stated));
    assert_eq!(phase.use_state, UseState::Mining);
    assert_eq!(phase.conversion.interim_start, Some(day("2026-12-01")), "it mines from the day it is said");
    assert_eq!(phase.draft().capacity.critical_it, 0, "what was assumed was not said");
}

#[test]
fn gross_power_is_assumed_upwards_and_it_load_downwards() {
    let stated = PhaseDraft {
        capacity: CapacityVector { critical_it: 245_000, ..draft().capacity },
        gross_kw: None,
        ..draft()
    };
    let phase = stated.settle(GrossPerIt::ASSUMED, day("2026-12-01"), now()).expect("sound");
    assert_eq!((phase.gross_kw, phase.gross_basis), (350_000, GrossBasis::Assumed));
    let odd = PhaseDraft { gross_kw: Some(11), ..draft() }
        .settle(GrossPerIt::ASSUMED, day("2026-12-01"), now())
        .expect("sound");
    assert_eq!(odd.capacity.critical_it, 7);
    let ratio = GrossPerIt::new(330, 245).expect("a ratio");
    let own = draft().settle(ratio, day("2026-12-01"), now()).expect("sound");
    assert_eq!(own.capacity.critical_it, 222_727, "the site's own ratio");
    let nothing = PhaseDraft { gross_kw: Some(1), ..draft() };
    assert_eq!(fields(nothing.settle(GrossPerIt::ASSUMED, day("2026-12-01"), now())), ["phase.gross_kw"]);
}

#[test]
fn everything_that_contradicts_is_told_at_once() {
    let wrong = PhaseDraft {
        gross_kw: None,
        end: Some(day("2027-10-01")),
        conversion: Conversion {
            interim_gross_kw: 0,
            interim_start: Some(day("2028-01-01")),
            start: Some(day("2027-10-01")),
            ..draft().conversion
        },
        ..draft()
    };
    assert_eq!(
        fields(wrong.settle(GrossPerIt::ASSUMED, day("2026-12-01"), now())),
        [
            "phase.capacity.critical_it_kw",
            "phase.end_date",
            "phase.conversion_start_date",
            "phase.interim_gross_kw",
            "phase.interim_start_date",
        ]
    );
    let over = draft().settle(GrossPerIt::ASSUMED, day("2027-01-15"), now());
    assert_eq!(fields(over), ["phase.interim_start_date"], "it is over already: since when was it?");
}

#[test]
fn a_change_of_one_figure_takes_the_assumed_one_with_it() {
    let after = |patch| {
        phase().after(&Deed::Update(patch), GrossPerIt::ASSUMED, day("2026-12-01"), now()).expect("sound")
    };
    let more = after(PhasePatch { gross_kw: Some(Some(400_000)), ..PhasePatch::default() });
    assert_eq!((more.capacity.critical_it, more.it_basis), (280_000, ItBasis::Assumed));
    assert_eq!(more.capacity.liquid, 210_000, "cooling is as it was said");
    assert_eq!(more.revision, 2);
    let assumed = after(PhasePatch { gross_kw: Some(None), ..PhasePatch::default() });
    assert_eq!((assumed.capacity.critical_it, assumed.it_basis), (210_000, ItBasis::Stated));
    assert_eq!((assumed.gross_kw, assumed.gross_basis), (300_000, GrossBasis::Assumed));
    let stated = CapacityVector { critical_it: 200_000, ..draft().capacity };
    let stated = after(PhasePatch { capacity: Some(stated), ..PhasePatch::default() });
    assert_eq!((stated.capacity.critical_it, stated.gross_kw), (200_000, 300_000));
    let idle = after(PhasePatch {
        interim_use: Some(InterimUse::None),
        interim_gross_kw: Some(0),
        ..PhasePatch::default()
    });
    assert_eq!(idle.conversion.interim_start, None);
}

#[test]
fn what_was_said_of_the_date_is_kept() {
    let slip = |phase: &Phase, ready, reason: &str| {
        let deed = Deed::Slip { ready: day(ready), basis: DateBasis::Forecast, reason: reason.to_owned() };
        phase.after(&deed, GrossPerIt::ASSUMED, day("2026-12-01"), now()).expect("open")
    };
    let later = slip(&slip(&phase(), "2027-11-30", "transformers"), "2027-12-15", "more transformers");
    assert_eq!((later.baseline(), later.ready_for_service), (day("2027-10-01"), day("2027-12-15")));
    assert_eq!(later.ready_dates.len(), 3);
    assert_eq!((later.forecast(), later.actual()), (Some(day("2027-12-15")), None));

    let advance = |phase: &Phase, state, on| {
        phase.after(&Deed::Advance(state, None), GrossPerIt::ASSUMED, day(on), now())
    };
    let built = advance(&later, UseState::Converting, "2027-01-20").expect("mined");
    assert_eq!(built.conversion.start, Some(day("2027-01-20")), "the day it began");
    let built = advance(&built, UseState::Commissioning, "2027-11-01").expect("built");
    let ready = advance(&built, UseState::Ready, "2027-12-01").expect("early, which happens");
    assert_eq!((ready.ready_for_service, ready.actual()), (day("2027-12-01"), Some(day("2027-12-01"))));
    assert_eq!((ready.baseline(), ready.forecast()), (day("2027-10-01"), Some(day("2027-12-15"))));

    let late = Deed::Slip { ready: day("2028-01-01"), basis: DateBasis::Forecast, reason: "no".to_owned() };
    let error = ready.after(&late, GrossPerIt::ASSUMED, day("2027-12-02"), now()).expect_err("it is ready");
    assert_eq!(error.reason(), Reason::InvalidStateTransition);
    let retired = advance(&ready, UseState::Retired, "2037-05-01").expect("in service");
    assert_eq!(retired.end, Some(day("2037-05-01")));
    let open = Deed::Update(PhasePatch::default());
    let error = retired.after(&open, GrossPerIt::ASSUMED, day("2037-06-01"), now()).expect_err("it is over");
    assert_eq!(error.reason(), Reason::InvalidStateTransition);
}

#[test]
fn a_day_that_has_not_come_is_no_fact() {
    let on = |state, since| {
        let deed = Deed::Advance(state, Some(day(since)));
        fields(phase().after(&deed, GrossPerIt::ASSUMED, day("2027-11-01"), now()))
    };
    assert_eq!(on(UseState::Converting, "2027-11-02"), ["date"]);
    assert_eq!(on(UseState::Converting, "2027-10-01"), ["date"], "it should be ready by then");
    assert_eq!(on(UseState::Converting, "2026-12-01"), ["date"], "it had not begun to mine");
    let before = Deed::Slip { ready: day("2027-01-15"), basis: DateBasis::Assumed, reason: String::new() };
    assert_eq!(
        fields(phase().after(&before, GrossPerIt::ASSUMED, day("2026-12-01"), now())),
        ["ready_for_service_date"]
    );
}

#[test]
fn a_cancelled_phase_draws_nothing() {
    let stages: Vec<Stage> = phase().life().iter().map(|stretch| stretch.stage).collect();
    assert_eq!(stages, [Stage::Interim, Stage::Dark, Stage::Service]);
    let gone = phase()
        .after(&Deed::Cancel("no money".to_owned()), GrossPerIt::ASSUMED, day("2026-12-01"), now())
        .expect("open");
    assert!(gone.life().is_empty());
    assert_eq!((gone.use_state, gone.cancel_reason.as_str()), (UseState::Cancelled, "no money"));
}
