//! Great-circle distances in whole metres, without floating point: the same on every machine.
//!
//! A point is a unit vector in fixed point; sines, cosines and angles come from CORDIC (shifts and additions). The error
//! is below a metre anywhere on the sphere, while the sphere itself is off by up to half a percent of the distance.

use serde::Serialize;

/// Binary digits behind the point.
const BITS: u32 = 50;
const ONE: i64 = 1 << BITS;
/// Pi, with sixty binary digits.
const PI_60: i128 = 3_622_009_729_038_561_421;
const PI: i64 = 3_537_118_876_014_220;
/// What the rotations below lengthen a vector by, undone at the start.
const GAIN: i64 = 683_706_022_956_409;
/// The mean radius of the earth.
const RADIUS_M: i128 = 6_371_009;
/// Degrees times 10^7 in half a turn.
const HALF_TURN_E7: i64 = 1_800_000_000;
const QUARTER_TURN_E7: i64 = HALF_TURN_E7 / 2;
const ROTATIONS: u32 = 46;
/// The angles whose tangents are 1, 1/2, 1/4 and so on; from there on each is half the one before to the last digit.
const ANGLES: [i64; 18] = [
    884_279_719_003_555,
    522_020_799_781_813,
    275_821_453_992_967,
    140_011_276_775_614,
    70_277_332_359_676,
    35_172_925_548_918,
    17_590_754_598_329,
    8_795_914_071_791,
    4_398_024_141_687,
    2_199_020_459_356,
    1_099_511_278_251,
    549_755_770_197,
    274_877_901_483,
    137_438_952_789,
    68_719_476_651,
    34_359_738_357,
    17_179_869_183,
    8_589_934_592,
];

/// A place on the earth, for distances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Point {
    x: i64,
    y: i64,
    z: i64,
}

impl Point {
    /// The place at a latitude and a longitude in degrees times 10^7; `None` beyond the poles or the date line.
    pub fn new(latitude_e7: i32, longitude_e7: i32) -> Option<Self> {
        let (latitude, longitude) = (i64::from(latitude_e7), i64::from(longitude_e7));
        if latitude.abs() > QUARTER_TURN_E7 || longitude.abs() > HALF_TURN_E7 {
            return None;
        }
        let (level, height) = cos_sin(latitude);
        let (east, north) = cos_sin(longitude);
        Some(Self { x: times(level, east), y: times(level, north), z: height })
    }

    /// Metres along the great circle between two places.
    pub fn metres_to(self, other: Self) -> i64 {
        let cross = [
            product(self.y, other.z) - product(self.z, other.y),
            product(self.z, other.x) - product(self.x, other.z),
            product(self.x, other.y) - product(self.y, other.x),
        ];
        // Each part is at most one, so that the sum of squares stays far below the range of the type.
        let squares: u128 = cross.iter().map(|part| (part >> BITS).unsigned_abs().pow(2)).sum();
        let sine = i64::try_from(squares.isqrt()).unwrap_or(ONE);
        let dot = product(self.x, other.x) + product(self.y, other.y) + product(self.z, other.z);
        let cosine = i64::try_from(dot >> BITS).unwrap_or(ONE);
        let angle = angle_of(cosine, sine);
        let metres = (i128::from(angle) * RADIUS_M + i128::from(ONE / 2)) >> BITS;
        i64::try_from(metres).unwrap_or(i64::MAX)
    }
}

fn product(a: i64, b: i64) -> i128 {
    i128::from(a) * i128::from(b)
}

fn times(a: i64, b: i64) -> i64 {
    i64::try_from(product(a, b) >> BITS).unwrap_or(0)
}

fn angle(rotation: u32) -> i64 {
    let last = ANGLES.len() - 1;
    let index = usize::try_from(rotation).unwrap_or(last);
    ANGLES.get(index).copied().unwrap_or_else(|| ANGLES[last] >> (index - last))
}

/// Cosine and sine of an angle in degrees times 10^7, within half a turn either way.
fn cos_sin(e7: i64) -> (i64, i64) {
    // Rotations reach a quarter turn and a little more: what lies behind is mirrored.
    let behind = e7.abs() > QUARTER_TURN_E7;
    let reached = if behind { e7.signum() * HALF_TURN_E7 - e7 } else { e7 };
    let turns = i128::from(reached) * PI_60 / i128::from(HALF_TURN_E7);
    let mut left = i64::try_from(turns >> (60 - BITS)).unwrap_or(0);
    let (mut x, mut y) = (GAIN, 0_i64);
    for rotation in 0..ROTATIONS {
        let (dx, dy) = (y >> rotation, x >> rotation);
        if left >= 0 {
            (x, y, left) = (x - dx, y + dy, left - angle(rotation));
        } else {
            (x, y, left) = (x + dx, y - dy, left + angle(rotation));
        }
    }
    (if behind { -x } else { x }, y)
}

/// The angle of a vector of about unit length whose `y` is not negative: from zero to half a turn.
fn angle_of(x: i64, y: i64) -> i64 {
    let behind = x < 0;
    let (mut x, mut y) = (x.abs(), y);
    let mut turned = 0_i64;
    for rotation in 0..ROTATIONS {
        let (dx, dy) = (y >> rotation, x >> rotation);
        if y > 0 {
            (x, y, turned) = (x + dx, y - dy, turned + angle(rotation));
        } else {
            (x, y, turned) = (x - dx, y + dy, turned - angle(rotation));
        }
    }
    let turned = turned.max(0);
    if behind { PI - turned } else { turned }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(latitude_e7: i32, longitude_e7: i32) -> Point {
        Point::new(latitude_e7, longitude_e7).expect("on the earth")
    }

    #[test]
    fn known_distances() {
        let quarter = 10_007_558;
        let origin = at(0, 0);
        for other in [at(0, 900_000_000), at(900_000_000, 0), at(-900_000_000, 123), at(0, -900_000_000)] {
            assert!((origin.metres_to(other) - quarter).abs() <= 1, "{}", origin.metres_to(other));
        }
        assert!((origin.metres_to(at(0, 1_800_000_000)) - 2 * quarter).abs() <= 2);
        assert_eq!(origin.metres_to(origin), 0);
        // One degree of latitude, and a hundred-thousandth of one.
        assert!((origin.metres_to(at(10_000_000, 0)) - 111_195).abs() <= 1);
        assert_eq!(at(306_500_000, -970_000_000).metres_to(at(306_500_100, -970_000_000)), 1);
        // Rockdale, Texas, to New York by the haversine formula on the same sphere.
        let rockdale = at(306_555_000, -970_014_000);
        assert!((rockdale.metres_to(at(407_128_000, -740_060_000)) - 2_348_604).abs() <= 5);
    }

    #[test]
    fn there_is_nothing_beyond_the_poles() {
        assert_eq!(Point::new(900_000_001, 0), None);
        assert_eq!(Point::new(0, -1_800_000_001), None);
    }

    fn anywhere() -> impl Strategy<Value = Point> {
        (-900_000_000..=900_000_000_i32, -1_800_000_000..=1_800_000_000_i32).prop_map(|(a, b)| at(a, b))
    }

    proptest! {
        #[test]
        fn is_a_distance(a in anywhere(), b in anywhere(), c in anywhere()) {
            let direct = a.metres_to(c);
            prop_assert_eq!(direct, c.metres_to(a));
            prop_assert!((0..=20_015_115).contains(&direct));
            prop_assert!(direct <= a.metres_to(b) + b.metres_to(c) + 2, "no way round is shorter");
            prop_assert!(a.metres_to(a) <= 1);
        }
    }
}
