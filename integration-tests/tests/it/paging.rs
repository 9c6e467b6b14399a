//! Lists in pages: each row once, in a stable order, and a token is good for its own list and its own caller only.

use anyhow::{Context as _, Result, ensure};
use contracts::Rpc;
use integration_tests::shape::{self, field, with_number, with_text};
use integration_tests::{Refusal, TestStack, World, market, requests};
use kernel::Role;
use runtime::client::Channel;
use tonic::Code;

use crate::doors::{Doors, Who, someone, someone_allowed};

/// Lists of which the market below has at least three rows, and which of their fields is the next page's token.
const LISTS: &[&str] = &[
    "gridlease.inventory.v1.SiteService/ListOperators",
    "gridlease.inventory.v1.SiteService/ListBlocks",
    "gridlease.inventory.v1.ReservationService/ListReservations",
    "gridlease.leasing.v1.TenantService/ListTenants",
    "gridlease.leasing.v1.LeaseService/ListLeases",
    "gridlease.billing.v1.InvoiceService/ListBillingRuns",
    "gridlease.billing.v1.MeteringService/ListReadings",
    "gridlease.billing.v1.ReportService/ListLedgerEntries",
];

#[tokio::test]
async fn pages_hold_every_row_once_and_tokens_are_bound() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "pages").await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    for other in ["second", "third"] {
        market::site(clients, other, &[]).await?;
        market::tenant(clients, other).await?;
    }
    for list in LISTS {
        let rpc = shape::rpc(list);
        // Operators are a list for those who see all of them.
        let who = match rpc.method.as_str() {
            "ListOperators" => someone(&stack, Role::PlatformAdmin, None, "", "")?,
            _ => someone_allowed(&stack, rpc, &world.names.operator, &world.names.tenant)?,
        };
        let stranger = match rpc.method.as_str() {
            "ListOperators" | "ListTenants" => someone(&stack, Role::Tenant, None, "", "tenants/second")?,
            _ => someone_allowed(&stack, rpc, "operators/second", "tenants/second")?,
        };
        let channel = doors.to(rpc).first().copied().context("a channel")?;
        let valid = requests::valid(list, &world.names).context("a request")?;
        walk(&who, &stranger, channel, rpc, valid).await.with_context(|| (*list).to_owned())?;
    }
    stack.stop().await;
    Ok(())
}

async fn walk(who: &Who, stranger: &Who, channel: &Channel, rpc: &Rpc, valid: Vec<u8>) -> Result<()> {
    let number = |name: &str| field(&rpc.request, name).map(|field| field.number).context("a paged list");
    let (size, token) = (number("page_size")?, number("page_token")?);
    let next = field(&rpc.response, "next_page_token").context("a paged list")?.number;
    let whole = split(&who.call(channel, rpc, valid.clone()).await?.into_inner(), next)?;
    ensure!(whole.rows.len() >= 2 && whole.token.is_empty(), "{} rows in one page", whole.rows.len());

    let mut rows = Vec::new();
    let mut after = String::new();
    loop {
        let message = with_text(with_number(valid.clone(), &[size], 1), &[token], &after);
        let page = split(&who.call(channel, rpc, message.clone()).await?.into_inner(), next)?;
        ensure!(page.rows.len() == 1, "{} rows in a page of 1", page.rows.len());
        rows.extend(page.rows);
        if page.token.is_empty() {
            break;
        }
        ensure!(rows.len() < 100 && page.token != after, "the pages do not end");
        after = page.token;
    }
    ensure!(rows == whole.rows, "the pages hold {} rows, the list {}", rows.len(), whole.rows.len());

    let bound = with_text(valid.clone(), &[token], &after);
    let refusal = Refusal::expect(stranger.call(channel, rpc, bound.clone()).await)?;
    // A stranger to the parent learns that first.
    ensure!(["INVALID_PAGE_TOKEN", "RESOURCE_NOT_FOUND"].contains(&refusal.reason.as_str()), "{refusal:#?}");
    if let Some(parent) = field(&rpc.request, "parent") {
        let elsewhere = with_text(bound, &[parent.number], "operators/-");
        let refusal = Refusal::expect(who.call(channel, rpc, elsewhere).await)?;
        ensure!(["INVALID_PAGE_TOKEN", "INVALID_FIELD"].contains(&refusal.reason.as_str()), "{refusal:#?}");
    }
    // One letter of the seal is enough.
    let mut tampered = after.clone().into_bytes();
    let middle = tampered.len() / 2;
    tampered[middle] = if tampered[middle] == b'A' { b'B' } else { b'A' };
    let tampered = with_text(valid, &[token], &String::from_utf8(tampered)?);
    let refusal = Refusal::expect(who.call(channel, rpc, tampered).await)?;
    refusal.is(Code::InvalidArgument, "INVALID_PAGE_TOKEN")?;
    Ok(())
}

struct Page {
    rows: Vec<Vec<u8>>,
    token: String,
}

/// The rows (field 1) and the token of a page, read without its type.
fn split(answer: &[u8], token_number: u32) -> Result<Page> {
    use prost::encoding::{DecodeContext, WireType, decode_key};
    let (mut buffer, mut page) = (answer, Page { rows: Vec::new(), token: String::new() });
    while !buffer.is_empty() {
        let (number, wire_type) = decode_key(&mut buffer)?;
        ensure!(wire_type == WireType::LengthDelimited, "field {number} of a page is no message and no text");
        let mut bytes: Vec<u8> = Vec::new();
        prost::encoding::bytes::merge(wire_type, &mut bytes, &mut buffer, DecodeContext::default())?;
        match number {
            1 => page.rows.push(bytes),
            _ if number == token_number => page.token = String::from_utf8(bytes)?,
            _ => anyhow::bail!("field {number} in a page"),
        }
    }
    Ok(page)
}
