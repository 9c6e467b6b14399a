//! Wire to domain and back: the types that every service's messages share.
//!
//! Reading collects every violation under the field's path and goes on; writing cannot fail for values that the
//! domain let in.

mod money_terms;
mod number;
mod rent;
mod time;

pub use money_terms::money_terms;
pub use number::{
    capacity, money, optional_rate, percent, rate, to_capacity, to_decimal, to_money, to_resource,
};
pub use rent::{escalation_basis, rent_rules};
pub use time::{
    date, date_range, duration, instant, optional_date, optional_instant, profile, to_date, to_duration,
    to_profile, to_timestamp, year_month,
};

use kernel::{Uuid, Violations};

/// The page size where a list asks for none, and the largest there is.
pub const PAGE_SIZE_DEFAULT: u32 = 50;
/// The largest page; a larger wish is this one.
pub const PAGE_SIZE_MAX: u32 = 1_000;

/// Reads `request_id`: a UUID in its canonical form of 36 characters, in either case, not nil. Refused alone, it has
/// its own reason, `INVALID_REQUEST_ID`.
pub fn request_id(v: &mut Violations, text: &str) -> Option<Uuid> {
    let canonical = text.len() == 36;
    let id = Uuid::try_parse(text).ok().filter(|id| canonical && !id.is_nil());
    if id.is_none() {
        let what =
            if text.is_empty() { "is required: a UUID" } else { "must be a UUID of 36 characters, not nil" };
        v.add("request_id", what);
    }
    id
}

/// Reads `page_size`: 0 is the default, more than the largest is the largest, negative is refused.
pub fn page_size(v: &mut Violations, size: i32) -> Option<u32> {
    match u32::try_from(size) {
        Ok(0) => Some(PAGE_SIZE_DEFAULT),
        Ok(size) => Some(size.min(PAGE_SIZE_MAX)),
        Err(_) => {
            v.add("page_size", "must not be negative");
            None
        }
    }
}

/// Reads an enum that must be said: neither 0 nor a number this version does not know.
pub fn known<E: TryFrom<i32>>(v: &mut Violations, field: &str, number: i32) -> Option<E> {
    let value = E::try_from(number).ok().filter(|_| number != 0);
    if value.is_none() {
        v.add(field, if number == 0 { "is required" } else { "is not a known value" });
    }
    value
}

/// Reads an enum that may be left out: 0 is `None`.
pub fn optional_known<E: TryFrom<i32>>(v: &mut Violations, field: &str, number: i32) -> Option<Option<E>> {
    if number == 0 { Some(None) } else { known(v, field, number).map(Some) }
}

/// Reads a count or a number of units that must be positive.
pub fn positive(v: &mut Violations, field: &str, number: i64) -> Option<i64> {
    v.require(field, number > 0, "must be positive").then_some(number)
}

/// A number within bounds.
fn within(v: &mut Violations, field: &str, number: i32, least: i32, most: i32) -> Option<u32> {
    let fits = (least..=most).contains(&number);
    v.require(field, fits, &format!("must be {least} to {most}")).then(|| number.unsigned_abs())
}

/// Reads a title or a name for people: 1 to 200 characters, none of control, not blank.
pub fn display_name(v: &mut Violations, field: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        v.add(field, "is required");
        return None;
    }
    v.text(field, text, 200)
}

#[cfg(test)]
mod tests;
