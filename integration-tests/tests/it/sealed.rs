//! A sealed bid is invisible to everybody but its operator: by every RPC, list, page, event and error.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use contracts::{Rpc, rpcs};
use futures::{StreamExt as _, TryStreamExt as _};
use integration_tests::market::{decimal, request_id};
use integration_tests::requests::tender::{bid, opportunity};
use integration_tests::shape::full_name;
use integration_tests::world::Names;
use integration_tests::{Refusal, World, raw, requests};
use kernel::Role;
use prost::Message as _;
use runtime::policy::ROLES;
use tonic::Status;
use tonic_types::{ErrorDetail, StatusExt as _};

use crate::doors::{Doors, Who, row, someone};
use crate::market::{Tender, bid_in, holding, submit};

/// What stands in the sealed bid and nowhere else.
const MARKS: [&str; 2] = ["ZZ-SEALED-", "977.131719"];
/// Calls under way at once: a feed is listened to until its heartbeat.
const ABREAST: usize = 32;

/// A sealed bid of acme that holds capacity, and a world of another operator and tenant.
struct Seal {
    tender: Tender,
    bid: leasing::Bid,
    other: Names,
    doors: Doors,
}

impl Seal {
    async fn prepare() -> Result<Self> {
        let tender = Tender::prepare().await?;
        let doors = Doors::of(&tender.stack)?;
        let other = World::build(&tender.stack, "betaco", "betalab", "ZZ-OTHER-").await?.names;
        let request = tender.publish_sealed(3_600).await?;
        let sealed = leasing::Bid {
            note: format!("{} our best price", MARKS[0]),
            rate_per_kw_month: decimal(MARKS[1]),
            ..bid(&request.name, &tender.halls[0])
        };
        let bid = submit(&tender.acme, "operators/acme", holding(sealed)).await?;
        Ok(Self { tender, bid, other, doors })
    }

    /// What somebody hears who sends this.
    async fn hear(&self, who: &Who, rpc: &Rpc, message: Vec<u8>) -> Result<Vec<u8>> {
        let channel = self.doors.to(rpc).first().copied().context("a channel")?;
        if !rpc.server_streaming {
            let answer = who.call(channel, rpc, message).await;
            return Ok(answer.map_or_else(|status| refused(&status), |answer| answer.into_inner().to_vec()));
        }
        let behalf = who.on_behalf_of.as_deref();
        let mut stream = match raw::stream(channel, &full_name(rpc), &who.token, behalf, message).await {
            Ok(stream) => stream,
            Err(status) => return Ok(refused(&status)),
        };
        let mut heard = Vec::new();
        while let Some(one) = stream.next().await {
            let one = match one {
                Ok(one) => one,
                Err(status) => {
                    heard.extend(refused(&status));
                    break;
                }
            };
            // An event is field 1; a heartbeat has none.
            if one.first() != Some(&0x0a) {
                break;
            }
            heard.extend_from_slice(&one);
        }
        Ok(heard)
    }

    /// The requests of an RPC as a stranger may ask them: with its own names, across operators, and under the names of
    /// the sealed bid and its request.
    fn asked(&self, rpc: &Rpc, bid: &str) -> Vec<Vec<u8>> {
        let request = self.bid.capacity_request.clone();
        let own = Names { bid: bid.to_owned(), capacity_request: request, ..self.other.clone() };
        let all = Names { operator: "operators/-".to_owned(), ..own.clone() };
        let theirs = Names { operator: "operators/acme".to_owned(), ..own.clone() };
        let published = Names { tenant: "tenants/-".to_owned(), ..own.clone() };
        let names = [own, all, theirs, published];
        names.iter().filter_map(|names| requests::valid(&full_name(rpc), names)).collect()
    }

    /// The name of the bid, and one of nothing that looks the same.
    fn real_and_random(&self) -> [String; 2] {
        [self.bid.name.clone(), format!("operators/acme/bids/{}", request_id())]
    }
}

/// All that a refusal says. On the wire its facts come in any order.
fn refused(status: &Status) -> Vec<u8> {
    let mut said = format!("{:?} {}", status.code(), status.message());
    for detail in status.get_error_details_vec() {
        said += &match detail {
            ErrorDetail::ErrorInfo(info) => {
                format!(" {} {} {:?}", info.domain, info.reason, BTreeMap::from_iter(info.metadata))
            }
            other => format!(" {other:?}"),
        };
    }
    said.into_bytes()
}

fn carries(heard: &[u8], mark: &str) -> bool {
    heard.windows(mark.len()).any(|window| window == mark.as_bytes())
}

/// Fails where something heard tells of the bid: its words, its price, its id or its reservation's.
fn tells_nothing(seal: &Seal, heard: &[u8], what: &str) -> Result<()> {
    let id = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    for mark in [MARKS[0].to_owned(), MARKS[1].to_owned(), id(&seal.bid.name), id(&seal.bid.reservation)] {
        ensure!(!carries(heard, &mark), "{what} tells of the sealed bid: {mark}");
    }
    Ok(())
}

#[tokio::test]
async fn no_rpc_tells_another_of_a_sealed_bid() -> Result<()> {
    let seal = Seal::prepare().await?;
    let mut asked = Vec::new();
    for rpc in rpcs() {
        for (role, right) in ROLES.into_iter().zip(row(rpc)?.cells) {
            // Whoever may see everything is one of our own services; it is no stranger.
            if right.is_none() || right == Some(runtime::policy::Right::All) {
                continue;
            }
            for tenant in ["tenants/betalab", "tenants/lab"] {
                let who = someone(&seal.tender.stack, role, right, "operators/betaco", tenant)?;
                let names = seal.asked(rpc, &seal.bid.name);
                let one =
                    |message| (format!("{} as {role}, {tenant}", full_name(rpc)), who.clone(), rpc, message);
                asked.extend(names.into_iter().map(one));
            }
        }
    }
    ensure!(asked.len() > 1_000, "only {} questions", asked.len());
    let seal = &seal;
    futures::stream::iter(asked)
        .map(|(what, who, rpc, message)| async move {
            let heard = seal.hear(&who, rpc, message.clone()).await.with_context(|| what.clone())?;
            // What was asked may be said back: a name is no news to whoever sends it.
            let sent = |mark: &str| carries(&message, mark);
            let id = seal.bid.name.rsplit('/').next().unwrap_or_default();
            if sent(id) {
                ensure!(!carries(&heard, MARKS[0]) && !carries(&heard, MARKS[1]), "{what} tells of the bid");
                return Ok(());
            }
            tells_nothing(seal, &heard, &what)
        })
        .buffer_unordered(ABREAST)
        .try_collect::<()>()
        .await?;
    // The control: its operator reads all of it.
    let own = bid_in(&seal.tender.acme, &seal.bid.name, leasing::BidState::Submitted).await?;
    ensure!(own.note.contains(MARKS[0]), "{own:#?}");
    Ok(())
}

#[tokio::test]
async fn a_real_bid_and_one_of_nothing_are_answered_alike() -> Result<()> {
    let seal = Seal::prepare().await?;
    let strangers = [
        ("operators/betaco", Role::Sales),
        ("operators/betaco", Role::OperatorAdmin),
        ("operators/betaco", Role::Auditor),
        ("operators/zenith", Role::Sales),
        ("tenants/betalab", Role::Tenant),
        // The tenant that asked, before the deadline.
        ("tenants/lab", Role::Tenant),
    ];
    for (organisation, role) in strangers {
        let who = Who { token: seal.tender.stack.token(organisation, role)?, on_behalf_of: None };
        for rpc in rpcs().iter().filter(|rpc| rpc.service.ends_with("MarketService")) {
            let [real, random] = seal.real_and_random();
            for (real, random) in seal.asked(rpc, &real).into_iter().zip(seal.asked(rpc, &random)) {
                // Only what names the bid can tell the two apart.
                if real == random || !carries(&real, &seal.bid.name) {
                    continue;
                }
                let heard = seal.hear(&who, rpc, real).await?;
                let nothing = seal.hear(&who, rpc, random).await?;
                let [told, of_nothing] = [&heard, &nothing].map(|heard| String::from_utf8_lossy(heard));
                ensure!(
                    heard == nothing,
                    "{} as {role} of {organisation}: {told} of the bid, {of_nothing} of nothing",
                    full_name(rpc)
                );
            }
        }
    }
    link(&seal).await?;
    pages(&seal).await?;
    seal.tender.stack.stop().await;
    Ok(())
}

/// A deal of another operator that names the bid's id as its own.
async fn link(seal: &Seal) -> Result<()> {
    let sales = seal.tender.stack.clients("operators/betaco", Role::Sales)?;
    let mut refusals = Vec::new();
    for name in seal.real_and_random() {
        let id = name.rsplit('/').next().unwrap_or_default();
        let deal = leasing::Opportunity { bid: format!("operators/betaco/bids/{id}"), ..opportunity() };
        let create = leasing::CreateOpportunityRequest {
            parent: "operators/betaco".to_owned(),
            opportunity: Some(deal),
            request_id: request_id(),
            validate_only: false,
        };
        refusals.push(Refusal::expect(sales.pipeline().create_opportunity(create).await)?);
    }
    ensure!(refusals[0] == refusals[1] && refusals[0].reason == "RESOURCE_NOT_FOUND", "{refusals:#?}");
    Ok(())
}

/// Neither the pages of a list, nor its token, nor the request itself count bids.
async fn pages(seal: &Seal) -> Result<()> {
    let tender = &seal.tender;
    let before = tender.request(&tender.zenith, &seal.bid.capacity_request).await?;
    for _ in 0..3 {
        submit(&tender.acme, "operators/acme", bid(&seal.bid.capacity_request, &tender.halls[0])).await?;
    }
    let after = tender.request(&tender.zenith, &seal.bid.capacity_request).await?;
    ensure!(before == after, "bids change what others read of the request: {after:#?}");
    let list = leasing::ListBidsRequest {
        parent: "operators/-".to_owned(),
        capacity_request: seal.bid.capacity_request.clone(),
        page_size: 1,
        ..Default::default()
    };
    for by in [&tender.zenith, &tender.tenant] {
        let page = by.market().list_bids(list.clone()).await?.into_inner();
        ensure!(page.bids.is_empty() && page.next_page_token.is_empty(), "{page:#?}");
    }
    let first = tender.acme.market().list_bids(list.clone()).await?.into_inner();
    ensure!(!first.next_page_token.is_empty(), "acme has four bids: {first:#?}");
    let stolen = leasing::ListBidsRequest { page_token: first.next_page_token, ..list };
    let refusal = Refusal::expect(tender.zenith.market().list_bids(stolen).await)?;
    ensure!(refusal.reason == "INVALID_PAGE_TOKEN", "{refusal:#?}");
    Ok(())
}

#[tokio::test]
async fn a_loser_learns_that_it_lost_and_nothing_of_the_winner() -> Result<()> {
    let tender = Tender::prepare().await?;
    let request = tender.publish(integration_tests::requests::tender::need()).await?;
    let mine = leasing::Bid { note: "ZZ-WINNER".to_owned(), ..bid(&request.name, &tender.halls[0]) };
    let won = submit(&tender.acme, "operators/acme", holding(mine)).await?;
    let lost = submit(&tender.zenith, "operators/zenith", bid(&request.name, &tender.halls[1])).await?;
    tender.tenant.market().award_bid(crate::market::award(&request.name, &[&won])).await?;
    let told = bid_in(&tender.zenith, &lost.name, leasing::BidState::Lost).await?;
    let doors = Doors::of(&tender.stack)?;
    let rpc = rpcs().iter().find(|rpc| full_name(rpc) == "gridlease.leasing.v1.EventService/WatchEvents");
    let rpc = rpc.context("the feed")?;
    let channel = doors.to(rpc).first().copied().context("a channel")?;
    let watch = leasing::WatchEventsRequest { parent: "operators/zenith".to_owned(), ..Default::default() };
    let token = tender.stack.token("operators/zenith", Role::Sales)?;
    let stream = raw::stream(channel, &full_name(rpc), &token, None, watch.encode_to_vec()).await?;
    let mut stream = std::pin::pin!(stream);
    let mut kinds = Vec::new();
    while let Some(one) = stream.next().await {
        let one = leasing::WatchEventsResponse::decode(one?)?;
        let Some(event) = one.event else { break };
        ensure!(!carries(&event.encode_to_vec(), "ZZ-WINNER"), "the loser hears of the winner: {event:?}");
        ensure!(!carries(&event.encode_to_vec(), "acme"), "the loser hears of the winner: {event:?}");
        kinds.push(event.r#type);
    }
    ensure!(kinds == ["bid.submitted", "bid.lost"], "{kinds:?}");
    ensure!(!carries(&told.encode_to_vec(), "acme"), "{told:#?}");
    let seen = tender.request(&tender.zenith, &request.name).await?;
    ensure!(!carries(&seen.encode_to_vec(), "acme"), "{seen:#?}");
    tender.stack.stop().await;
    Ok(())
}
