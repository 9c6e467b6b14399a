use kernel::{BillingFrequency, CivilDate, DateRange, QuantityStep, RateStep, RentTiming, Uuid};
use proptest::prelude::*;

use super::*;
use crate::domain::charge::{due, to_come};
use crate::domain::lease::Moved;
use crate::domain::sample::{self, date, month, place, premises};

/// What runs have billed.
#[derive(Default)]
struct Books {
    billed: RentMonths,
    left: Vec<RentInputs>,
}

fn id() -> ReckoningId {
    ReckoningId::new(Uuid::from_u128(3))
}

impl Books {
    /// A run of a month, with room for so much more; what its invoice comes to.
    fn run(&mut self, lease: &LeaseCopy, month: YearMonth, more: i64) -> i64 {
        let rent = due(lease, month, &self.billed.keys().cloned().collect()).expect("computable");
        let changed = differences(lease, month, &self.billed, &rent).expect("computable");
        let own = rent.iter().map(|charge| charge.amount.minor).sum::<i64>();
        let done = bill(&changed, own + more, id).expect("fits");
        for charge in &rent {
            let of = self
                .billed
                .entry(charge.key())
                .or_insert(RentBilled { version: lease.version, ..RentBilled::default() });
            of.first_minor += charge.amount.minor;
            of.minor += charge.amount.minor;
        }
        for (line, _) in &done.lines {
            let key = ChargeKey {
                place: line.place.clone().expect("a block"),
                charge_type: line.charge_type,
                month: line.month(),
            };
            let of = self
                .billed
                .entry(key)
                .or_insert(RentBilled { version: lease.version, ..RentBilled::default() });
            assert_eq!(line.revision, of.revision.map_or(0, |last| last + 1), "{line:?}");
            of.minor += line.amount.minor;
            of.revision = Some(line.revision);
        }
        self.left = done.left;
        own + done.lines.iter().map(|(line, _)| line.amount.minor).sum::<i64>()
    }

    fn of(&mut self, month: YearMonth) -> &mut RentBilled {
        let key = ChargeKey { place: place("hall"), charge_type: ChargeType::BaseRent, month };
        self.billed.get_mut(&key).expect("billed")
    }
}

/// 1,000 kW at 10 for two years: 10,000 dollars a month.
fn lease(frequency: BillingFrequency, timing: RentTiming) -> LeaseCopy {
    let mut lease =
        sample::lease(None, vec![premises("hall", 1_000, "10", date(2027, 1, 1), date(2029, 1, 1))]);
    (lease.terms.rent.frequency, lease.terms.rent.timing) = (frequency, timing);
    lease
}

/// The next version, in which the block has these days, and from a day on another rate.
fn amended(lease: &LeaseCopy, end: CivilDate, (from, rate): (CivilDate, &str)) -> LeaseCopy {
    let mut lease = lease.clone();
    let start = date(2027, 1, 1);
    let step = |from, rate: &str| RateStep { from, rate: rate.parse().expect("a rate") };
    lease.version += 1;
    lease.blocks[0].moved = Some(Moved {
        term: DateRange::new(start, end).expect("a term"),
        rent_from: start,
        rates: if from > start { vec![step(start, "10"), step(from, rate)] } else { vec![step(start, rate)] },
        quantities: vec![QuantityStep { from: start, kw: 1_000 }],
    });
    lease
}

const END: fn() -> CivilDate = || date(2029, 1, 1);

#[test]
fn a_month_that_was_billed_follows_the_terms_once_down_and_up() {
    let lease = lease(BillingFrequency::Monthly, RentTiming::InAdvance);
    let mut books = Books::default();
    assert_eq!(books.run(&lease, month(2027, 1), 0), 1_000_000);
    assert_eq!(books.run(&lease, month(2027, 2), 0), 1_000_000);
    // Signed in February: from 15 January on at 8.
    let cheaper = amended(&lease, END(), (date(2027, 1, 15), "8"));
    assert_eq!(
        books.run(&cheaper, month(2027, 1), 0),
        0,
        "its run bills no part of the month anew, and has no room"
    );
    assert_eq!(books.left.len(), 2);
    let march = books.run(&cheaper, month(2027, 3), 0);
    // 17 of 31 days less 2 of 10, and February.
    assert_eq!(march, 800_000 - 109_677 - 200_000);
    assert_eq!(books.run(&cheaper, month(2027, 3), 1_000_000), 0, "once");
    let dearer = amended(&cheaper, END(), (date(2027, 2, 1), "12"));
    let april = books.run(&dearer, month(2027, 4), 0);
    assert_eq!(april, 1_200_000 + 109_677 + 400_000 + 400_000);
    assert_eq!(books.run(&dearer, month(2027, 4), 0), 0);
}

#[test]
fn what_there_is_no_room_for_is_carried_and_no_invoice_is_below_zero() {
    let lease = lease(BillingFrequency::Yearly, RentTiming::InAdvance);
    let mut books = Books::default();
    assert_eq!(books.run(&lease, month(2027, 1), 0), 12_000_000);
    let early = amended(&lease, date(2027, 3, 1), (date(2027, 1, 1), "10"));
    assert_eq!(books.run(&early, month(2027, 2), 0), 0);
    assert_eq!(books.left.iter().filter_map(RentInputs::due_minor).sum::<i64>(), -10_000_000);
    assert_eq!(books.run(&early, month(2027, 3), 1_500_000), -1_500_000);
    let told = left_over(&books.left).expect("something is left");
    assert!(told.contains("USD 85000.00"), "{told}");
    // Finance takes the rest back by hand, with credit notes on the lines.
    for number in 5..=12 {
        let of = books.of(month(2027, number));
        of.credited_minor = of.minor;
    }
    assert_eq!(books.run(&early, month(2027, 4), 9_000_000), -500_000, "April had a part left");
    assert_eq!(books.run(&early, month(2027, 5), 9_000_000), 0);
}

#[test]
fn a_credit_note_counts_against_what_is_given_back_and_is_never_billed_again() {
    let lease = lease(BillingFrequency::Monthly, RentTiming::InAdvance);
    let mut books = Books::default();
    books.run(&lease, month(2027, 1), 0);
    books.of(month(2027, 1)).credited_minor = 50_000;
    let dearer = amended(&lease, END(), (date(2027, 1, 1), "11"));
    assert_eq!(books.run(&dearer, month(2027, 2), 0), 1_100_000 + 100_000, "what was given stays given");
    let cheaper = amended(&dearer, END(), (date(2027, 1, 1), "8"));
    assert_eq!(books.run(&cheaper, month(2027, 3), 0), 800_000 - 250_000 - 300_000);
    assert_eq!(books.of(month(2027, 1)).minor - 50_000, 800_000);
}

#[test]
fn a_quarter_that_was_billed_grows_and_shrinks_by_its_months() {
    let lease = lease(BillingFrequency::Quarterly, RentTiming::InAdvance);
    let mut books = Books::default();
    let short = amended(&lease, date(2027, 2, 15), (date(2027, 1, 1), "10"));
    assert_eq!(books.run(&short, month(2027, 1), 0), 1_500_000);
    // Signed in February: it goes on.
    let longer = amended(&short, END(), (date(2027, 1, 1), "10"));
    assert_eq!(books.run(&longer, month(2027, 2), 0), 500_000 + 1_000_000);
    assert_eq!(books.run(&longer, month(2027, 1), 0), 0, "the quarter's own run bills it no more");
    assert_eq!(books.run(&longer, month(2027, 4), 0), 3_000_000);
}

#[test]
fn what_is_not_changed_by_terms_or_days_stays_as_it_was_billed() {
    let lease = lease(BillingFrequency::Monthly, RentTiming::InAdvance);
    let mut books = Books::default();
    books.run(&lease, month(2027, 1), 0);
    // A value of an index that is corrected changes what the same terms come to.
    books.of(month(2027, 1)).minor += 7;
    assert_eq!(books.run(&lease, month(2027, 2), 0), 1_000_000);
}

fn any_change() -> impl Strategy<Value = (u32, u64, u64, u32)> {
    (1_u32..20, 40_u64..700, 1_u64..600, 1_u32..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever was billed when, in the end all months together are what the terms say then, to the cent.
    #[test]
    fn all_that_was_billed_is_what_the_last_terms_say(
        changes in prop::collection::vec(any_change(), 1..5),
        frequency in prop::sample::select(&[BillingFrequency::Monthly, BillingFrequency::Quarterly, BillingFrequency::Yearly]),
        timing in prop::sample::select(&[RentTiming::InAdvance, RentTiming::InArrears]),
    ) {
        let mut lease = lease(frequency, timing);
        let mut books = Books::default();
        let months = || std::iter::successors(Some(month(2027, 1)), |month| month.next()).take(26);
        let mut sum = 0_i64;
        for (number, run) in (1_u32..).zip(months()) {
            for (_, days, from, rate) in changes.iter().filter(|change| change.0 == number) {
                let day = |days: u64| date(2027, 1, 1) + chrono::Days::new(days);
                lease = amended(&lease, day(*days), (day(*from), &format!("{rate}.7")));
            }
            let invoice = books.run(&lease, run, 0);
            prop_assert!(invoice >= 0, "{invoice}");
            sum += invoice;
        }
        // Finance runs what was missed again; then there is room.
        for run in months() {
            sum += books.run(&lease, run, 0);
        }
        sum += books.run(&lease, month(2029, 3), 1_000_000_000);
        prop_assert!(books.left.is_empty());
        let wanted = to_come(&lease, None, &BTreeSet::new()).expect("computable");
        prop_assert_eq!(sum, wanted.iter().map(|charge| charge.amount.minor).sum::<i64>());
    }
}
