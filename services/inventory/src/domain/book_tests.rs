use chrono::TimeDelta;
use kernel::{Resource, Uuid};
use proptest::prelude::*;

use super::*;

fn at(hour: i64) -> Instant {
    kernel::time::min_instant() + TimeDelta::hours(hour)
}

fn over(start: i64, end: i64) -> Interval {
    Interval::new(at(start), at(end)).expect("forward")
}

fn kw(critical_it: i64, liquid: i64) -> CapacityVector {
    CapacityVector { critical_it, air: critical_it, liquid, immersion: 0, accelerators: 0 }
}

fn id(n: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(n))
}

fn profile(steps: &[(i64, CapacityVector)], end: i64) -> Profile {
    Profile::new(steps.iter().map(|step| (at(step.0), step.1)).collect(), at(end)).expect("a profile")
}

fn hall() -> BlockBook {
    // 100 from hour 10, 60 more (but no more liquid) from hour 50 on.
    let capacity =
        StepFunction::from_steps(vec![(at(10), kw(100, 40)), (at(50), kw(160, 40))]).expect("sorted");
    BlockBook::new(1, capacity, &[])
}

#[test]
fn the_scarcest_lane_refuses() {
    let mut hall = hall();
    let need = profile(&[(20, kw(10, 30))], 30);
    assert!(hall.fits(&need));
    hall.take(id(1), &need, at(1_000));
    assert!(!hall.fits(&need));
    let short = hall.shortfall(&need).expect("short of liquid");
    assert_eq!(short.resource, Resource::LiquidCooling);
    assert_eq!((short.from, short.short_kw, short.available_kw), (at(20), 20, 10));
}

#[test]
fn before_the_first_phase_there_is_nothing() {
    let need = profile(&[(9, kw(1, 1))], 30);
    let short = hall().shortfall(&need).expect("not in service yet");
    assert_eq!((short.resource, short.from, short.until), (Resource::CriticalIt, at(9), at(10)));
}

#[test]
fn a_hold_that_ran_out_counts_until_that_is_written() {
    let mut hall = hall();
    let all = profile(&[(20, kw(100, 40))], 30);
    hall.take(id(1), &all, at(5));
    assert!(!hall.fits(&all));
    assert_eq!(hall.lapsed_in_the_way(&all, at(4)), []);
    assert_eq!(hall.lapsed_in_the_way(&all, at(5)), [id(1)]);
    assert_eq!(hall.lapsed_in_the_way(&profile(&[(30, kw(1, 1))], 31), at(5)), []);
    let gone =
        StoredClaim { reservation: id(1), interval: over(20, 30), kw: kw(100, 40), standing: Standing::Gone };
    let capacity = hall.capacity.clone();
    hall.refresh(2, capacity, &[gone]);
    assert!(hall.fits(&all));
    assert_eq!(hall.version(), 2);
}

/// The obvious model: every live piece in a list, and a look at every hour.
#[derive(Default)]
struct Model {
    live: Vec<(ReservationId, Vec<(Interval, CapacityVector)>)>,
}

impl Model {
    fn taken(&self, hour: i64) -> CapacityVector {
        self.live
            .iter()
            .flat_map(|(_, pieces)| pieces)
            .filter(|(interval, _)| interval.contains(at(hour)))
            .fold(CapacityVector::ZERO, |sum, (_, kw)| sum.checked_add(*kw).expect("small"))
    }

    fn fits(&self, capacity: &StepFunction<CapacityVector>, profile: &Profile) -> bool {
        (0..200).all(|hour| {
            let need = profile.pieces().find(|(interval, _)| interval.contains(at(hour)));
            need.is_none_or(|(_, kw)| {
                self.taken(hour).checked_add(kw).expect("small").fits_in(&capacity.value_at(at(hour)))
            })
        })
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Book(Vec<(i64, i64, i64)>, i64),
    GiveBack(usize),
    Reload,
}

fn deed() -> impl Strategy<Value = Deed> {
    let steps = prop::collection::vec((1..20_i64, 0..60_i64, 0..30_i64), 1..3);
    prop_oneof![
        6 => (steps, 1..40_i64).prop_map(|(steps, length)| Deed::Book(steps, length)),
        2 => any::<usize>().prop_map(Deed::GiveBack),
        1 => Just(Deed::Reload),
    ]
}

proptest! {
    #[test]
    fn books_exactly_what_the_obvious_model_books(deeds in prop::collection::vec(deed(), 1..60)) {
        let mut book = hall();
        let capacity = book.capacity.clone();
        let mut model = Model::default();
        for (n, deed) in deeds.into_iter().enumerate() {
            match deed {
                Deed::Book(steps, length) => {
                    let mut start = 5;
                    let steps: Vec<_> = steps
                        .into_iter()
                        .map(|(gap, it, liquid)| { start += gap; (start, kw(it, liquid)) })
                        .collect();
                    let need = profile(&steps, start + length);
                    let fits = model.fits(&capacity, &need);
                    prop_assert_eq!(book.fits(&need), fits);
                    prop_assert_eq!(book.shortfall(&need).is_none(), fits);
                    let reservation = id(n as u128);
                    prop_assert_eq!(book.take_if_fits(reservation, &need, at(1_000)), fits);
                    if !fits {
                        prop_assert_eq!(book.declare(), Declared::NOTHING, "what does not fit leaves nothing");
                    } else {
                        let declared = book.declare();
                        prop_assert!(declared.peak.fits_in(&kw(160, 40)));
                        model.live.push((reservation, need.pieces().collect()));
                    }
                }
                Deed::GiveBack(which) if !model.live.is_empty() => {
                    let (reservation, _) = model.live.swap_remove(which % model.live.len());
                    book.give_back(reservation);
                }
                Deed::GiveBack(_) => {}
                Deed::Reload => {
                    let claims: Vec<StoredClaim> = model
                        .live
                        .iter()
                        .flat_map(|(reservation, pieces)| pieces.iter().map(|(interval, kw)| StoredClaim {
                            reservation: *reservation,
                            interval: *interval,
                            kw: *kw,
                            standing: Standing::Held(at(1_000)),
                        }))
                        .collect();
                    book = BlockBook::new(book.version(), capacity.clone(), &claims);
                }
            }
            for hour in [0, 10, 25, 49, 50, 80] {
                let free = book.free().value_at(at(hour));
                let expected = capacity.value_at(at(hour)).checked_sub(model.taken(hour)).expect("small");
                prop_assert_eq!(free, expected);
            }
        }
    }
}

/// What the store does with a batch: it takes it if all that was added since fits into its room.
#[derive(Default)]
struct Store {
    taken: Model,
    added: i64,
}

/// A desk with a memory of its own, which reads the store now and then.
struct Replica {
    book: BlockBook,
    added: i64,
}

proptest! {
    #[test]
    fn replicas_that_do_not_see_each_other_never_promise_twice(
        deeds in prop::collection::vec((0..3_usize, 0..12_u8, deed()), 1..80),
    ) {
        let capacity = hall().capacity;
        let mut store = Store::default();
        let mut replicas = [0, 1, 2].map(|_| Replica { book: hall(), added: 0 });
        for (n, (which, reads, deed)) in deeds.into_iter().enumerate() {
            let replica = &mut replicas[which];
            let Deed::Book(steps, length) = deed else { continue };
            if reads == 0 {
                let claims: Vec<StoredClaim> = store
                    .taken
                    .live
                    .iter()
                    .flat_map(|(reservation, pieces)| pieces.iter().map(|(interval, kw)| StoredClaim {
                        reservation: *reservation,
                        interval: *interval,
                        kw: *kw,
                        standing: Standing::Held(at(1_000)),
                    }))
                    .collect();
                *replica = Replica { book: BlockBook::new(1, capacity.clone(), &claims), added: store.added };
            }
            let mut start = 9;
            // Small ones, so that many fit.
            let steps: Vec<_> = steps
                .into_iter()
                .map(|(gap, it, liquid)| { start += gap; (start, kw(it / 6, liquid / 6)) })
                .collect();
            let need = profile(&steps, start + length);
            if need.pieces().all(|piece| piece.1.is_zero()) || !replica.book.fits(&need) {
                continue;
            }
            let reservation = id(n as u128);
            replica.book.take(reservation, &need, at(1_000));
            let declared = replica.book.declare();
            let unseen = store.added - replica.added;
            if unseen > declared.room {
                replica.book.give_back(reservation);
                continue;
            }
            store.taken.live.push((reservation, need.pieces().collect()));
            store.added += declared.grown;
            replica.added += declared.grown;
            for hour in 0..100 {
                prop_assert!(store.taken.taken(hour).fits_in(&capacity.value_at(at(hour))), "at hour {}", hour);
            }
            let most = CapacityVector::of(|lane| match declared.peak.get(lane) {
                0 => 0,
                peak => peak + unseen,
            });
            prop_assert!(most.fits_in(&kw(160, 40)), "{most:?} is above the wall");
        }
    }
}
