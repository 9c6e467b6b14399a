//! Nothing that a caller sends is without a bound: every text, list and number of every request is sent far beyond
//! everything, and the refusal must name the field. Where it says a number, so much must not be refused for that, and
//! one more must. The places come from the descriptors, so that a new field without a bound fails here.

mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use integration_tests::shape::{self, full_name, with_text};
use integration_tests::{Refusal, TestStack, World, requests};
use prost::bytes::Bytes;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use self::places::{Measure, Place};
use crate::doors::{Doors, Who, someone_allowed};

const ABREAST: usize = 16;

/// Answers of a machine that stands still for a moment: they say nothing of a bound, and are asked for again.
const STOOD_STILL: [Code; 3] = [Code::DeadlineExceeded, Code::Cancelled, Code::Unavailable];
const TRIES_MAX: usize = 5;

/// Moves the clock of all the others as far as it may, and so comes last.
const MOVES_THE_CLOCK: &str = "AdvanceTime";

/// Fields of any request that are refused for what they are and not for their length, and how.
const OTHERWISE: &[(&str, &str)] = &[
    ("etag", "ETAG_MISMATCH"),
    ("page_token", "INVALID_PAGE_TOKEN"),
    // A page holds no more than its most, however many are asked for.
    ("page_size", "accepted"),
    ("limit", "accepted"),
];

/// What an update may not change is refused whole, whatever it says.
const NOT_TO_BE_CHANGED: &str = "INVALID_FIELD_MASK";

/// Values of several fields, which are refused as a whole.
const WHOLE: &[&str] = &["BillingMonth", "GeoPoint"];

/// What the answer to a request says of one place.
enum Answer {
    /// Nothing: it was accepted, or refused for another reason.
    Silent(String),
    /// These sentences.
    Said(BTreeSet<String>),
}

/// The path of a violation without the places in lists.
fn without_places(field: &str) -> String {
    let mut depth = 0_u32;
    field
        .chars()
        .filter(|c| {
            let was = depth;
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            was == 0 && depth == 0
        })
        .collect()
}

fn is_part(place: &Place) -> bool {
    place.declared.0.rsplit('.').next().is_some_and(|message| WHOLE.contains(&message))
}

/// The path under which a refusal names a place.
fn refused_as(place: &Place) -> &str {
    let whole = place.path.rsplit_once('.').filter(|_| is_part(place));
    whole.map_or(&place.path, |(whole, _part)| whole)
}

fn read(answer: Result<Response<Bytes>, Status>, place: &Place) -> Result<Answer> {
    let Err(status) = answer else { return Ok(Answer::Silent("accepted".to_owned())) };
    let refusal = Refusal::of(&status)?;
    let details = status.get_error_details();
    let said: BTreeSet<String> = details
        .bad_request()
        .iter()
        .flat_map(|bad| &bad.field_violations)
        // What is wrong with an entry of a list is not wrong with the list.
        .filter(|violation| place.measure != Measure::Entries || !violation.field.ends_with(']'))
        .filter(|violation| without_places(&violation.field) == refused_as(place))
        .map(|violation| violation.description.clone())
        .collect();
    if said.is_empty() || refusal.code != Code::InvalidArgument {
        return Ok(Answer::Silent(format!("{:?} {} {:?}", refusal.code, refusal.reason, refusal.fields)));
    }
    Ok(Answer::Said(said))
}

/// The whole numbers that a sentence says.
fn numbers_in(sentence: &str) -> Vec<i128> {
    let mut found = Vec::new();
    let plain = sentence.replace(',', "");
    for word in plain.split(|c: char| !(c.is_ascii_digit() || c == '-' || c == '^')) {
        let word = word.trim_end_matches('-');
        let number = match word.split_once('^') {
            Some((base, power)) => {
                base.parse::<i128>().ok().zip(power.parse().ok()).and_then(|(b, p)| b.checked_pow(p))
            }
            None => word.parse().ok(),
        };
        found.extend(number);
    }
    if sentence.contains("negative") || sentence.contains("positive") || sentence.contains("zero") {
        found.push(0);
    }
    found
}

/// What is wrong with a place.
struct Wrong {
    /// `leasing.v1.Terms,name,characters`: as `open.csv` names it.
    place: String,
    what: String,
}

impl Wrong {
    fn new(place: &Place, what: &str) -> Self {
        let (message, field) = &place.declared;
        Self {
            place: format!("{},{field},{}", message.trim_start_matches("gridlease."), place.measure),
            what: format!(
                "[{message},{field},{}] {} {}: {what}",
                place.measure,
                full_name(place.rpc),
                place.path
            ),
        }
    }
}

/// What was found of a place in one direction.
struct Found {
    place: Place,
    /// `200`, or the reason for which there is no number.
    bound: String,
    upwards: bool,
    sentence: String,
}

struct Trial<'a> {
    doors: &'a Doors,
    /// Answers that nobody should ever get.
    faults: &'a Mutex<Vec<Wrong>>,
    who: Who,
    message: Vec<u8>,
    place: Place,
}

impl Trial<'_> {
    async fn send(&self, amount: i128) -> Result<Answer> {
        let channel = self.doors.to(self.place.rpc).first().copied().context("a channel")?;
        let message = self.place.with(self.message.clone(), amount);
        let mut answer = self.who.call(channel, self.place.rpc, message.clone()).await;
        for _ in 1..TRIES_MAX {
            if !matches!(&answer, Err(status) if STOOD_STILL.contains(&status.code())) {
                break;
            }
            answer = self.who.call(channel, self.place.rpc, message.clone()).await;
        }
        let (rpc, path) = (full_name(self.place.rpc), &self.place.path);
        if let Err(status) = &answer
            && matches!(status.code(), Code::Internal | Code::Unknown | Code::DataLoss)
        {
            let wrong = Wrong::new(&self.place, &format!("{amount} is a fault of ours: {status:?}"));
            self.faults.lock().unwrap_or_else(PoisonError::into_inner).push(wrong);
        }
        read(answer, &self.place).with_context(|| format!("{rpc} {path} {amount}"))
    }

    async fn refused_for(&self, amount: i128, sentence: &str) -> Result<bool> {
        Ok(matches!(self.send(amount).await?, Answer::Said(said) if said.contains(sentence)))
    }

    /// The bound that the sentence names: so much is not refused by it, and one beyond is.
    async fn bound(&self, sentence: &str, step: i128) -> Result<Option<i128>> {
        let numbers = numbers_in(sentence).into_iter();
        let mut meant: Vec<(i128, i128)> = numbers
            .flat_map(|said| self.place.meant_by(said).into_iter().map(move |amount| (said, amount)))
            .collect();
        meant.dedup();
        for (said, amount) in meant {
            let sendable =
                !matches!(self.place.measure, Measure::Characters | Measure::Entries) || amount >= 0;
            if sendable
                && !self.refused_for(amount, sentence).await?
                && self.refused_for(amount + step, sentence).await?
            {
                // Some entries are in the request already, and count.
                return Ok(Some(if self.place.measure == Measure::Entries { said } else { amount }));
            }
        }
        Ok(None)
    }

    async fn found(&self, extreme: i128, step: i128) -> Result<Result<Found, Wrong>> {
        let place = &self.place;
        let upwards = step > 0;
        let found =
            |bound: String, sentence: String| Found { place: place.clone(), bound, upwards, sentence };
        let wrong = |what: String| Err(Wrong::new(place, &what));
        let said = match self.send(extreme).await? {
            Answer::Said(said) => said,
            Answer::Silent(answer) => {
                let own = OTHERWISE
                    .iter()
                    .find(|(field, reason)| place.declared.1 == *field && answer.contains(reason));
                return Ok(match own.map(|(_, reason)| *reason).or(unchangeable(&answer)) {
                    Some(reason) => Ok(found("what it is".to_owned(), reason.to_owned())),
                    None => wrong(format!("{extreme} is not refused for it: {answer}")),
                });
            }
        };
        for sentence in &said {
            if let Some(bound) = self.bound(sentence, step).await? {
                return Ok(Ok(found(bound.to_string(), sentence.clone())));
            }
        }
        // A form is refused however short it is; a sentence without a number names another field.
        let sentence = said.first().cloned().unwrap_or_default();
        if !is_part(place) && (numbers_in(&sentence).is_empty() || self.refused_for(1, &sentence).await?) {
            return Ok(Ok(found("its form".to_owned(), sentence)));
        }
        Ok(wrong(format!("{extreme} is refused by {said:?}, which names no bound that holds")))
    }
}

fn unchangeable(answer: &str) -> Option<&'static str> {
    answer.contains(NOT_TO_BE_CHANGED).then_some(NOT_TO_BE_CHANGED)
}

async fn run(trials: Vec<&Trial<'_>>) -> Result<Vec<Result<Found, Wrong>>> {
    let tries = trials
        .into_iter()
        .flat_map(|trial| trial.place.extremes().into_iter().map(move |extreme| (trial, extreme)));
    futures::stream::iter(tries)
        .map(|(trial, (extreme, step))| trial.found(extreme, step))
        .buffered(ABREAST)
        .try_collect()
        .await
}

/// The message of an update with the field among those that are read.
fn with_mask(place: &Place, message: Vec<u8>) -> Vec<u8> {
    let mask = shape::field(&place.rpc.request, "update_mask");
    match (mask, place.path.split('.').nth(1)) {
        (Some(mask), Some(field)) if field != "name" && field != "etag" => {
            with_text(message, &[mask.number, 1], field)
        }
        _ => message,
    }
}

#[tokio::test]
async fn every_text_list_and_number_has_a_bound_that_its_refusal_names() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "bounds").await?;
    let (mut trials, faults) = (Vec::new(), Mutex::default());
    for place in places::all() {
        let who = someone_allowed(&stack, place.rpc, &world.names.operator, &world.names.tenant)?;
        let message = requests::valid(&full_name(place.rpc), &world.names).context("a request")?;
        let message = with_mask(&place, message);
        trials.push(Trial { doors: &doors, faults: &faults, who, message, place });
    }
    let (clocks, others): (Vec<&Trial>, Vec<&Trial>) =
        trials.iter().partition(|trial| trial.place.rpc.method == MOVES_THE_CLOCK);
    let mut all = run(others).await?;
    all.extend(run(clocks).await?);
    stack.stop().await;
    drop(trials);
    let (mut found, mut wrong) = (Vec::new(), faults.into_inner().unwrap_or_else(PoisonError::into_inner));
    for one in all {
        match one {
            Ok(one) => found.push(one),
            Err(one) => wrong.push(one),
        }
    }
    let same = compare_with_golden(&report(&found)?);
    let open = open()?;
    let unknown: Vec<&str> =
        wrong.iter().filter(|one| !open.contains(&one.place)).map(|one| one.what.as_str()).collect();
    ensure!(unknown.is_empty(), "{} bounds do not hold:\n{}", unknown.len(), unknown.join("\n"));
    let shut: Vec<&String> =
        open.iter().filter(|place| !wrong.iter().any(|one| one.place == **place)).collect();
    ensure!(shut.is_empty(), "these have a bound now: take them off open.csv: {shut:#?}");
    same
}

/// What has no bound of its own that a refusal names: places of `open.csv`, each with its reason behind it.
fn open() -> Result<BTreeSet<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/bounds/open.csv");
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.rsplit_once(',')).map(|(place, _why)| place.to_owned()).collect())
}

/// Message, field, measure, whether upwards, bound and sentence.
type Row<'a> = (&'a str, &'a str, Measure, bool, &'a str, &'a str);

/// A row for each bound of a field, with how many requests have the field.
fn report(found: &[Found]) -> Result<String> {
    let mut rows: BTreeMap<Row<'_>, BTreeSet<String>> = BTreeMap::new();
    for one in found {
        let (message, field) = &one.place.declared;
        let key = (
            message.as_str(),
            field.as_str(),
            one.place.measure,
            one.upwards,
            one.bound.as_str(),
            one.sentence.as_str(),
        );
        rows.entry(key).or_default().insert(full_name(one.place.rpc));
    }
    let mut text = String::from(
        "# Bounds of every text, list and number that a caller can send\n\nWritten by the test `bounds`; `UPDATE_GOLDEN=1` \
         renews it. Each was sent far beyond everything, and refused with this sentence under its name. Where the bound is \
         a number, so much was not refused for it, and one more was.\n\n\
         | message | field | what | bound | refused beyond it | RPCs |\n|---|---|---|---|---|---|\n",
    );
    for ((message, field, measure, upwards, bound, sentence), rpcs) in rows {
        let message = message.trim_start_matches("gridlease.");
        let side = if upwards { "most" } else { "least" };
        writeln!(
            text,
            "| {message} | {field} | {measure}, {side} | {bound} | {sentence} | {} |",
            rpcs.len()
        )?;
    }
    Ok(text)
}

fn compare_with_golden(report: &str) -> Result<()> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/bounds.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, report)?;
        return Ok(());
    }
    let kept = std::fs::read_to_string(golden).unwrap_or_default();
    ensure!(
        kept == report,
        "golden/bounds.md is out of date: renew it with UPDATE_GOLDEN=1 and read its diff"
    );
    Ok(())
}
