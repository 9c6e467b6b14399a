//! Where a request can be too long, too many, too large or too small, as the descriptors say.

use std::fmt;

use contracts::{Rpc, rpcs};
use integration_tests::raw;
use integration_tests::shape::{self, Field, wrapped};
use kernel::{CivilDate, Zone};
use prost_types::field_descriptor_proto::Type;

/// Messages within messages that are looked into; none lies as deep.
const DEPTH_MAX: usize = 8;
/// How the RPCs begin that make the resource which they are sent, and name it themselves.
const MAKES: &[&str] = &[
    "Create",
    "Place",
    "Announce",
    "Open",
    "Report",
    "Schedule",
    "Join",
    "Submit",
    "Record",
    "ProposePayment",
];
const FAR_TOO_LONG: i128 = 100_000;
const FAR_TOO_MANY: i128 = 30_000;
const DAY_S: i128 = 86_400;

/// What is counted, and so what there can be too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Measure {
    Characters,
    Bytes,
    Entries,
    Number,
    Decimal,
    Units,
    Seconds,
    Year,
    YearOfInstant,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Characters => "characters",
            Self::Bytes => "bytes",
            Self::Entries => "entries",
            Self::Number => "number",
            Self::Decimal => "decimal",
            Self::Units => "units of money",
            Self::Seconds => "seconds",
            Self::Year => "year",
            Self::YearOfInstant => "year of an instant",
        })
    }
}

/// A field of a request and what is counted of it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) rpc: &'static Rpc,
    /// As refusals name it, without places in lists: `terms.premises.block`.
    pub(super) path: String,
    /// The message that declares it, and its name there.
    pub(super) declared: (String, String),
    pub(super) measure: Measure,
    numbers: Vec<u32>,
    kind: Type,
}

impl Place {
    /// Amounts beyond everything, each with the step that leads there: upwards, and where there is a below, downwards.
    pub(super) fn extremes(&self) -> Vec<(i128, i128)> {
        let whole = match self.kind {
            Type::Int32 | Type::Sint32 | Type::Sfixed32 => (i32::MAX.into(), i32::MIN.into()),
            Type::Uint32 | Type::Fixed32 => (u32::MAX.into(), 0),
            Type::Uint64 | Type::Fixed64 => (u64::MAX.into(), 0),
            _ => (i64::MAX.into(), i64::MIN.into()),
        };
        let (most, least): (i128, i128) = match self.measure {
            Measure::Characters | Measure::Bytes => (FAR_TOO_LONG, 0),
            Measure::Entries => (FAR_TOO_MANY, 0),
            Measure::Number => whole,
            Measure::Decimal => (i128::MAX, i128::MIN),
            // What is more overflows as minor units, which is another refusal.
            Measure::Units => (9 * 10_i128.pow(16), -9 * 10_i128.pow(16)),
            Measure::Seconds => (315_576_000_000, -315_576_000_000),
            Measure::Year | Measure::YearOfInstant => (10_000, 1_999),
        };
        if least == 0 { vec![(most, 1)] } else { vec![(most, 1), (least, -1)] }
    }

    /// Amounts that a sentence may mean by a number that it says.
    pub(super) fn meant_by(&self, said: i128) -> Vec<i128> {
        match self.measure {
            Measure::Seconds => [1, 60, 3_600, DAY_S].map(|unit| said.saturating_mul(unit)).to_vec(),
            // A sentence about money counts its smallest unit.
            Measure::Units => vec![said, said / 100, said.saturating_add(1), said.saturating_sub(1)],
            // Up to five entries are in the request already.
            Measure::Entries => (-1..=5).map(|there| said.saturating_sub(there)).collect(),
            // "More than 0" and "below 100".
            _ => vec![said, said.saturating_add(1), said.saturating_sub(1)],
        }
    }

    /// `message` with so much of it here. Of a list's own fields, with one more entry that has nothing else.
    pub(super) fn with(&self, mut message: Vec<u8>, amount: i128) -> Vec<u8> {
        if let [outer @ .., number] = &self.numbers[..] {
            message.extend(wrapped(outer, self.field(*number, amount)));
        }
        message
    }

    fn field(&self, number: u32, amount: i128) -> Vec<u8> {
        let count = usize::try_from(amount).unwrap_or(0);
        match self.measure {
            Measure::Characters | Measure::Bytes => raw::text_field(number, &"x".repeat(count)),
            Measure::Entries => self.entry(number).repeat(count),
            Measure::Number => whole(number, self.kind, amount),
            Measure::Decimal => wrapped(&[number], raw::text_field(1, &amount.to_string())),
            Measure::Units => wrapped(&[number], whole(2, Type::Int64, amount)),
            Measure::Seconds => wrapped(&[number], whole(1, Type::Int64, amount)),
            Measure::Year => {
                let date = [(1, amount), (2, 1), (3, 1)].map(|(part, value)| whole(part, Type::Int32, value));
                wrapped(&[number], date.concat())
            }
            Measure::YearOfInstant => {
                let year = i32::try_from(amount).unwrap_or(i32::MAX);
                let first = CivilDate::from_ymd_opt(year, 1, 1).unwrap_or(CivilDate::MAX);
                let at = i128::from(Zone::UTC.start_of_day(first).timestamp());
                wrapped(&[number], whole(1, Type::Int64, at))
            }
        }
    }

    fn entry(&self, number: u32) -> Vec<u8> {
        match self.kind {
            Type::String => raw::text_field(number, "x"),
            Type::Message | Type::Bytes => raw::text_field(number, ""),
            _ => whole(number, Type::Int64, 1),
        }
    }
}

/// A whole number, as a field of its type encodes it.
fn whole(number: u32, kind: Type, value: i128) -> Vec<u8> {
    let mut bytes = Vec::new();
    let signed = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
    match kind {
        Type::Sint32 | Type::Sint64 => prost::encoding::sint64::encode(number, &signed, &mut bytes),
        Type::Uint64 => {
            prost::encoding::uint64::encode(number, &u64::try_from(value).unwrap_or(u64::MAX), &mut bytes);
        }
        _ => prost::encoding::int64::encode(number, &signed, &mut bytes),
    }
    bytes
}

/// Every place of every request.
pub(super) fn all() -> Vec<Place> {
    let mut found = Vec::new();
    for rpc in rpcs() {
        within(rpc, &rpc.request, ("", &[]), &mut found);
    }
    found
}

fn within(rpc: &'static Rpc, message: &str, above: (&str, &[u32]), found: &mut Vec<Place>) {
    assert!(above.1.len() < DEPTH_MAX, "{} lies too deep to be tried", above.0);
    for field in shape::fields(message) {
        // What only the server says is ignored: the name in a resource that is to be made, too.
        if field.output_only
            || (!above.0.is_empty()
                && field.name == "name"
                && MAKES.iter().any(|m| rpc.method.starts_with(m)))
        {
            continue;
        }
        let path =
            if above.0.is_empty() { field.name.clone() } else { format!("{}.{}", above.0, field.name) };
        let numbers = [above.1, &[field.number]].concat();
        let place = |measure| Place {
            rpc,
            path: path.clone(),
            declared: (message.to_owned(), field.name.clone()),
            measure,
            numbers: numbers.clone(),
            kind: field.kind,
        };
        if field.repeated {
            found.push(place(Measure::Entries));
        }
        match measure(field) {
            Some(measure) => found.push(place(measure)),
            None if field.type_name == "google.protobuf.FieldMask" => {
                let paths = [&numbers[..], &[1]].concat();
                for measure in [Measure::Entries, Measure::Characters] {
                    found.push(Place { numbers: paths.clone(), kind: Type::String, ..place(measure) });
                }
            }
            None if field.kind == Type::Message => within(rpc, &field.type_name, (&path, &numbers), found),
            None => {}
        }
        if field.type_name == "google.type.Money" {
            let numbers = [&numbers[..], &[1]].concat();
            let path = format!("{path}.currency_code");
            found.push(Place { path, numbers, ..place(Measure::Characters) });
        }
    }
}

/// What is counted of one entry of a field, if anything is. An enum's number must be a known one, a flag has no bound.
fn measure(field: &Field) -> Option<Measure> {
    match (field.kind, field.type_name.as_str()) {
        (Type::String, _) => Some(Measure::Characters),
        (Type::Bytes, _) => Some(Measure::Bytes),
        (Type::Message, "google.type.Decimal") => Some(Measure::Decimal),
        (Type::Message, "google.type.Money") => Some(Measure::Units),
        (Type::Message, "google.protobuf.Duration") => Some(Measure::Seconds),
        (Type::Message, "google.type.Date") => Some(Measure::Year),
        (Type::Message, "google.protobuf.Timestamp") => Some(Measure::YearOfInstant),
        (Type::Enum | Type::Bool | Type::Message, _) => None,
        _ => Some(Measure::Number),
    }
}
