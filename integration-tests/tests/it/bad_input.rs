//! Bad input to every RPC: the exact code and reason, everything that is wrong at once, and nothing changed.

use anyhow::{Context as _, Result, ensure};
use contracts::{Rpc, rpcs};
use integration_tests::shape::{self, field, full_name, with_number, with_text};
use integration_tests::world::Names;
use integration_tests::{Refusal, TestStack, World, requests, tables};
use prost_types::field_descriptor_proto::Type;
use sqlx::PgConnection;
use tonic::Code;

use crate::bad_values;
use crate::doors::{Doors, Who, someone_allowed};

/// One bad request.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) what: String,
    pub(crate) message: Vec<u8>,
    pub(crate) code: Code,
    pub(crate) reason: &'static str,
    /// Every path of `BadRequest`.
    pub(crate) fields: Vec<String>,
}

impl Case {
    pub(crate) fn new(
        what: impl Into<String>,
        message: Vec<u8>,
        code: Code,
        reason: &'static str,
        fields: &[&str],
    ) -> Self {
        let mut fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
        fields.sort();
        Self { what: what.into(), message, code, reason, fields }
    }

    /// A field that has no meaning.
    pub(crate) fn invalid(what: impl Into<String>, message: Vec<u8>, fields: &[&str]) -> Self {
        Self::new(what, message, Code::InvalidArgument, "INVALID_FIELD", fields)
    }
}

#[tokio::test]
async fn bad_input_is_refused_whole_and_changes_nothing() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "bad input").await?;
    let mut superuser = stack.database.superuser().await?;
    let (mut tried, mut wrong) = (0, Vec::new());
    for rpc in rpcs() {
        let name = full_name(rpc);
        let who = someone_allowed(&stack, rpc, &world.names.operator, &world.names.tenant)?;
        let mut cases = generic(rpc, &world.names)?;
        cases.extend(bad_values::of(&name, &world.names));
        tried += cases.len();
        if let Err(error) = refuse_all(&mut superuser, &doors, rpc, &who, cases).await {
            wrong.push(format!("{name}: {error:#}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    ensure!(tried > 1_000, "only {tried} cases");
    stack.stop().await;
    Ok(())
}

/// The control of all the others: what they bend is accepted before they bend it.
#[tokio::test]
async fn the_requests_that_are_bent_are_good() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "good input").await?;
    let mut superuser = stack.database.superuser().await?;
    let before = tables::read(&mut superuser).await?;
    for rpc in rpcs() {
        let name = full_name(rpc);
        let message =
            requests::valid(&name, &world.names).with_context(|| format!("no request for {name}"))?;
        let who = someone_allowed(&stack, rpc, &world.names.operator, &world.names.tenant)?;
        for channel in doors.to(rpc) {
            if let Err(status) = who.call(channel, rpc, message.clone()).await {
                anyhow::bail!("{name}: {status:?}");
            }
        }
    }
    let changed = tables::changed(&before, &tables::read(&mut superuser).await?);
    ensure!(changed.is_empty(), "validate_only changed {changed:?}");
    stack.stop().await;
    Ok(())
}

async fn refuse_all(
    superuser: &mut PgConnection,
    doors: &Doors,
    rpc: &Rpc,
    who: &Who,
    cases: Vec<Case>,
) -> Result<()> {
    let channel = doors.to(rpc).first().copied().context("a channel")?;
    let before = tables::read(superuser).await?;
    let mut wrong = Vec::new();
    for case in cases {
        let answer = who.call(channel, rpc, case.message).await;
        let refusal = match Refusal::expect(answer) {
            Ok(refusal) => refusal,
            Err(error) => {
                wrong.push(format!("{}: expected {} {:?}: {error:#}", case.what, case.reason, case.fields));
                continue;
            }
        };
        let mut fields = refusal.fields.clone();
        fields.dedup();
        if (refusal.code, refusal.reason.as_str(), &fields) != (case.code, case.reason, &case.fields) {
            let expected = format!("{:?} {} {:?}", case.code, case.reason, case.fields);
            let Refusal { code, reason, message, .. } = &refusal;
            wrong.push(format!(
                "{}: expected {expected}, got {code:?} {reason} {fields:?} ({message})",
                case.what
            ));
        }
    }
    ensure!(wrong.is_empty(), "{} cases are not refused as they should:\n{}", wrong.len(), wrong.join("\n"));
    let changed = tables::changed(&before, &tables::read(superuser).await?);
    ensure!(changed.is_empty(), "a refused call changed {changed:?}");
    Ok(())
}

/// What can be wrong with any request of this form. A write is refused alike when it is meant and when it only asks.
fn generic(rpc: &Rpc, names: &Names) -> Result<Vec<Case>> {
    let only_asks = field(&rpc.request, "validate_only");
    let mut cases = of_form(rpc, names, |message| match only_asks {
        Some(field) => with_number(message, &[field.number], 0),
        None => message,
    })?;
    if only_asks.is_some() {
        cases.extend(of_form(rpc, names, |message| message)?);
    }
    Ok(cases)
}

fn of_form(rpc: &Rpc, names: &Names, meant: impl Fn(Vec<u8>) -> Vec<u8>) -> Result<Vec<Case>> {
    let name = full_name(rpc);
    let good = |names: &Names| {
        requests::valid(&name, names).map(&meant).with_context(|| format!("no request for {name}"))
    };
    let valid = good(names)?;
    let mut cases = vec![
        Case::new("no protobuf", b"\xff".to_vec(), Code::InvalidArgument, "MALFORMED_MESSAGE", &[]),
        Case::new("too large", vec![0; 1_100_000], Code::ResourceExhausted, "MESSAGE_TOO_LARGE", &[]),
    ];
    if let Some(number) = field(&rpc.request, "request_id").map(|field| field.number) {
        for bad in bad_values::REQUEST_IDS {
            let message = with_text(valid.clone(), &[number], bad);
            let what = format!("request_id {bad:?}");
            cases.push(Case::new(
                what,
                message,
                Code::InvalidArgument,
                "INVALID_REQUEST_ID",
                &["request_id"],
            ));
        }
    }
    if let Some(number) = field(&rpc.request, "page_size").map(|field| field.number) {
        for bad in [-1, i64::from(i32::MIN)] {
            let message = with_number(valid.clone(), &[number], bad);
            let what = format!("page_size {bad}");
            cases.push(Case::new(what, message, Code::InvalidArgument, "INVALID_PAGE_SIZE", &["page_size"]));
        }
    }
    if let Some(number) = field(&rpc.request, "page_token").map(|field| field.number) {
        for bad in ["tampered", "not base64!", &"A".repeat(100)] {
            let message = with_text(valid.clone(), &[number], bad);
            let what = format!("page_token {bad:?}");
            cases.push(Case::new(what, message, Code::InvalidArgument, "INVALID_PAGE_TOKEN", &[]));
        }
    }
    names_and_etags(rpc, names, &valid, &mut cases, good)?;
    numbers_of_enums(rpc, &valid, &mut cases);
    Ok(cases)
}

/// The field that names the resource: `name`, `parent`, `lease`, or the name within the resource of an update.
fn target(rpc: &Rpc) -> Option<(String, Vec<u32>)> {
    let first = shape::fields(&rpc.request).first()?;
    if ["name", "parent", "lease"].contains(&first.name.as_str()) {
        return Some((first.name.clone(), vec![first.number]));
    }
    let inner = field(&first.type_name, "name").filter(|_| rpc.method.starts_with("Update"))?;
    Some((format!("{}.name", first.name), vec![first.number, inner.number]))
}

fn names_and_etags(
    rpc: &Rpc,
    names: &Names,
    valid: &[u8],
    cases: &mut Vec<Case>,
    good: impl Fn(&Names) -> Result<Vec<u8>>,
) -> Result<()> {
    if let Some((path, numbers)) = target(rpc) {
        for bad in bad_values::NAMES {
            // A feed's parent may be left out.
            if bad.is_empty() && rpc.method == "WatchEvents" {
                continue;
            }
            let message = with_text(valid.to_vec(), &numbers, bad);
            cases.push(Case::invalid(format!("{path} {bad:?}"), message, &[&path]));
        }
        for (what, other) in [("nobody's", names.of_nobody()), ("nothing's", names.of_nothing())] {
            let message = good(&other)?;
            let absent =
                Case::new(format!("{what} {path}"), message, Code::NotFound, "RESOURCE_NOT_FOUND", &[]);
            // Whoever may see every organisation's feed, or whose own name is all there is, names nothing absent.
            if !bad_values::FINDS_ALL_THE_SAME.contains(&(full_name(rpc).as_str(), what)) {
                cases.push(absent);
            }
        }
    }
    let first = shape::fields(&rpc.request).first();
    let etag = field(&rpc.request, "etag").map(|etag| vec![etag.number]).or_else(|| {
        let first = first.filter(|_| rpc.method.starts_with("Update"))?;
        Some(vec![first.number, field(&first.type_name, "etag")?.number])
    });
    if let Some(numbers) = etag {
        let message = with_text(valid.to_vec(), &numbers, "\"999\"");
        cases.push(Case::new("a stale etag", message, Code::Aborted, "ETAG_MISMATCH", &[]));
    }
    if let Some(mask) = field(&rpc.request, "update_mask") {
        for bad in ["no_such_field", "name", "create_time", "etag", "site.name", "*"] {
            let message = with_text(valid.to_vec(), &[mask.number, 1], bad);
            let what = format!("update_mask {bad:?}");
            cases.push(Case::new(
                what,
                message,
                Code::InvalidArgument,
                "INVALID_FIELD_MASK",
                &["update_mask"],
            ));
        }
    }
    Ok(())
}

/// Enums of the request itself and of the resource in it, with a number that this version does not know.
fn numbers_of_enums(rpc: &Rpc, valid: &[u8], cases: &mut Vec<Case>) {
    let own = shape::fields(&rpc.request).iter().map(|field| (field, vec![field.number], field.name.clone()));
    let inner = shape::fields(&rpc.request)
        .iter()
        .filter(|outer| outer.kind == Type::Message && !outer.repeated && rpc.method.starts_with("Create"))
        .flat_map(|outer| {
            shape::fields(&outer.type_name).iter().map(move |field| {
                (field, vec![outer.number, field.number], format!("{}.{}", outer.name, field.name))
            })
        });
    for (field, numbers, path) in own.chain(inner) {
        if field.kind != Type::Enum || bad_values::OUTPUT_ONLY.contains(&path.as_str()) {
            continue;
        }
        let message = with_number(valid.to_vec(), &numbers, 99);
        // Saying an element of a list again adds one: the cooling kinds of a hall come before it.
        let there = if path == "block.cooling_kinds" { 2 } else { 0 };
        let path = if field.repeated { format!("{path}[{there}]") } else { path };
        cases.push(Case::invalid(format!("{path} = 99"), message, &[&path]));
    }
}
