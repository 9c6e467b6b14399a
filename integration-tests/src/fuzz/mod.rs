//! What any bytes may be thrown at: parsers and readers that a stranger reaches. Each target says what must hold of any
//! input; a fuzzer looks for one of which it does not (`fuzz/`), and a test does so for a moment on every run.

mod mutate;
mod server;

use std::str::FromStr;
use std::sync::OnceLock;

use contracts::inventory::v1::ImportInventoryRequest;
use contracts::rpcs;
use kernel::time::{add_months, months_between};
use kernel::{CivilDate, Clock as _, DateRange, Percent, Rate, Role, SystemClock, YearMonth, Zone};
use postgres::Secret;
use postgres::page::{Listing, PageTokens};
use prost::Message as _;

pub use self::mutate::Mutator;
use self::server::Server;
use crate::requests;
use crate::shape::full_name;
use crate::world::Names;

/// A target: its name, what is done with any bytes, and inputs to begin with.
pub struct Target {
    /// The name of the target and of its folder in the corpus.
    pub name: &'static str,
    /// Panics where something does not hold.
    pub run: fn(&[u8]),
    /// Good inputs, to be bent.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: [Target; 6] = [
    Target {
        name: "decimals",
        run: decimals,
        seeds: || texts(&["125", "-0.0000000001", "99999999999999.9999999999"]),
    },
    Target {
        name: "calendars",
        run: calendars,
        seeds: || texts(&["2024-02-29\n12\nAmerica/Chicago", "2027-01\n-7\nUTC"]),
    },
    Target { name: "page_tokens", run: page_tokens, seeds: page_token_seeds },
    Target { name: "tokens", run: tokens, seeds: || vec![Server::get().token(Role::Sales).into_bytes()] },
    Target { name: "requests", run: every_request, seeds: request_seeds },
    Target {
        name: "import",
        run: import,
        seeds: || texts(&["kind,site,time_zone\nsite,a,UTC\n", "[{\"kind\":\"site\"}]"]),
    },
];

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What reads is written as something that reads as the same.
fn same_again<T: FromStr + ToString + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert!(written.parse::<T>().is_ok_and(|again| again == value), "{text:?} is written as {written:?}");
    }
}

/// Decimals of the wire: rates, percentages.
pub fn decimals(bytes: &[u8]) {
    let text = text(bytes);
    same_again::<Rate>(&text);
    same_again::<Percent>(&text);
    if let Ok(rate) = text.parse::<Rate>() {
        for decimals in 0..=12 {
            assert!(!rate.rounded(decimals).is_empty());
        }
    }
}

/// Dates, months, zones, and what is reckoned with them: a date, a number of months and a zone, a line each.
pub fn calendars(bytes: &[u8]) {
    let text = text(bytes);
    let mut lines = text.lines();
    let (date, months, zone) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    same_again::<YearMonth>(date);
    same_again::<Zone>(zone);
    let Ok(date) = date.parse::<CivilDate>() else { return };
    if let Ok(zone) = zone.parse::<Zone>()
        && DateRange::new(date, CivilDate::MAX).is_ok()
    {
        assert_eq!(zone.date_of(zone.start_of_day(date)), date, "{zone}");
    }
    let Ok(months) = months.parse::<i32>() else { return };
    if let Some(later) = add_months(date, months) {
        assert!((months_between(date, later) - months).abs() <= 1, "{date} + {months} months = {later}");
    }
    if let Ok(term) = DateRange::of_months(date, months.unsigned_abs() % 1_000) {
        let days: i64 = term.months().map(|(_, part)| part.days()).sum();
        assert_eq!(days, term.days(), "the months of {term:?} are not the whole");
    }
}

const LISTING: Listing<'_> = Listing { caller: "operators/north", rpc: "a.B/List", filter: "x" };

fn page_tokens_of_ours() -> &'static PageTokens {
    static TOKENS: OnceLock<PageTokens> = OnceLock::new();
    TOKENS.get_or_init(|| PageTokens::new(&Secret::new("fuzz")).expect("a cipher"))
}

fn page_token_seeds() -> Vec<Vec<u8>> {
    let sealed = page_tokens_of_ours().seal(&LISTING, &("north", 7), SystemClock.now()).expect("sealed");
    vec![sealed.into_bytes()]
}

/// Page tokens: nothing but what was sealed opens.
pub fn page_tokens(bytes: &[u8]) {
    let now = SystemClock.now();
    if let Ok(Some((name, number))) = page_tokens_of_ours().open::<(String, i64)>(&LISTING, &text(bytes), now)
    {
        assert_eq!((name.as_str(), number), ("north", 7), "a token that nobody sealed");
    }
}

/// Access tokens: nothing but what the issuer signed is believed, and whatever is not has one answer.
pub fn tokens(bytes: &[u8]) {
    let server = Server::get();
    if let Some(caller) = server.believes(bytes) {
        assert_eq!(caller.organisation.to_string(), server::OPERATOR, "a token that nobody signed");
    }
}

fn request_seeds() -> Vec<Vec<u8>> {
    let names = Names {
        operator: server::OPERATOR.to_owned(),
        tenant: "tenants/lab".to_owned(),
        ..Default::default()
    };
    let seed = |(number, rpc)| {
        let message = requests::valid(&full_name(rpc), &names)?;
        Some([u16::to_be_bytes(u16::try_from(number).ok()?).to_vec(), message].concat())
    };
    rpcs().iter().enumerate().filter_map(seed).collect()
}

/// Requests of every RPC, decoded and validated by the services: the first two bytes choose which. None of them is our
/// fault, however broken it is.
pub fn every_request(bytes: &[u8]) {
    let Some(([high, low], message)) = bytes.split_first_chunk().map(|(two, rest)| (*two, rest)) else {
        return;
    };
    let number = usize::from(u16::from_be_bytes([high, low])) % rpcs().len();
    if let Some(rpc) = rpcs().get(number) {
        Server::get().ask(rpc, message.to_vec());
    }
}

/// Tables that are imported, as CSV and as JSON.
pub fn import(bytes: &[u8]) {
    let Some(rpc) = rpcs().iter().find(|rpc| rpc.method == "ImportInventory") else { return };
    for format in 1..=2 {
        let request = ImportInventoryRequest {
            parent: server::OPERATOR.to_owned(),
            format,
            text: text(bytes),
            request_id: crate::market::request_id(),
            validate_only: true,
        };
        Server::get().ask(rpc, request.encode_to_vec());
    }
}
