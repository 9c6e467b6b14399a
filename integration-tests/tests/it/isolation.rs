//! Two operators and two tenants side by side: what one of them may read holds nothing of the others.

use anyhow::{Context as _, Result, ensure};
use contracts::{Rpc, rpcs};
use futures::{StreamExt as _, TryStreamExt as _};
use integration_tests::shape::full_name;
use integration_tests::world::Names;
use integration_tests::{TestStack, World, raw, requests};
use kernel::Role;
use runtime::policy::{ROLES, Right};

use crate::doors::{Doors, Who, row, someone};

/// The marks that each world's texts carry. Names are marks too: operator and tenant occur in every name and row.
const ALPHA: [&str; 3] = ["ZZ-ALPHA-", "alphaco", "alphalab"];
const BETA: [&str; 3] = ["ZZ-BETA-", "betaco", "betalab"];

/// Calls under way at once: a feed is listened to until its heartbeat, a second long.
const ABREAST: usize = 64;

/// What operators publish and every tenant may read.
const PUBLISHED: &[&str] = &[
    "GetOperator",
    "ListOperators",
    "GetSite",
    "ListSites",
    "GetBlock",
    "ListBlocks",
    "GetPhase",
    "ListPhases",
    "SearchCapacity",
    "FindEarliestCapacity",
    "GetAvailability",
];

/// Whether an answer carries one of these marks.
fn carries(answer: &[u8], marks: &[&str]) -> bool {
    marks.iter().any(|mark| answer.windows(mark.len()).any(|window| window == mark.as_bytes()))
}

#[tokio::test]
async fn nobody_reads_a_word_of_the_others() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let alpha = World::build(&stack, ALPHA[1], ALPHA[2], ALPHA[0]).await?;
    let beta = World::build(&stack, BETA[1], BETA[2], BETA[0]).await?;
    let mut asked = Vec::new();
    for (mine, my_marks, other_marks) in [(&alpha, ALPHA, BETA), (&beta, BETA, ALPHA)] {
        for rpc in rpcs().iter().filter(|rpc| reads(rpc)) {
            for (role, right) in ROLES.into_iter().zip(row(rpc)?.cells) {
                if matches!(right, Some(Right::Own | Right::Behalf)) {
                    let who = someone(&stack, role, right, &mine.names.operator, &mine.names.tenant)?;
                    let what = format!("{} as {role} of {}", full_name(rpc), my_marks[1]);
                    let one = |message| (what.clone(), who.clone(), rpc, message, my_marks, other_marks);
                    asked.extend(wide(rpc, &mine.names).into_iter().map(one));
                }
            }
        }
    }
    let doors = &doors;
    let own: usize = futures::stream::iter(asked)
        .map(|(what, who, rpc, message, my_marks, other_marks)| async move {
            let channel = doors.to(rpc).first().copied().context("a channel")?;
            let answer = listen(&who, channel, rpc, message).await.with_context(|| what.clone())?;
            ensure!(!carries(&answer, &other_marks), "{what} reads of the others");
            anyhow::Ok(usize::from(carries(&answer, &my_marks)))
        })
        .buffer_unordered(ABREAST)
        .try_fold(0, |sum, one| async move { Ok(sum + one) })
        .await?;
    // The control: they do read what is theirs.
    ensure!(own > 150, "only {own} answers carried anything at all");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_published_tells_of_sites_and_never_of_deals() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let alpha = World::build(&stack, ALPHA[1], ALPHA[2], ALPHA[0]).await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let rival = integration_tests::market::tenant(clients, "rival").await?;
    let deals = ["alphalab", "ZZ-ALPHA- terms", "ZZ-ALPHA- a hold", "in-force"];
    for rpc in rpcs().iter().filter(|rpc| PUBLISHED.contains(&rpc.method.as_str())) {
        let who = someone(&stack, Role::Tenant, Some(Right::Market), &alpha.names.operator, &rival)?;
        let channel = doors.to(rpc).first().copied().context("a channel")?;
        let message = requests::valid(&full_name(rpc), &alpha.names).context("a request")?;
        let answer = listen(&who, channel, rpc, message).await?;
        ensure!(!answer.is_empty(), "{} tells nothing", full_name(rpc));
        ensure!(!carries(&answer, &deals), "{} tells of a deal", full_name(rpc));
    }
    stack.stop().await;
    Ok(())
}

fn reads(rpc: &Rpc) -> bool {
    ["Get", "List", "Watch", "Search", "Find", "Preview", "Export"]
        .iter()
        .any(|verb| rpc.method.starts_with(verb))
}

/// The request for the caller's own operator, and where one may ask across operators, for all of them.
fn wide(rpc: &Rpc, names: &Names) -> Vec<Vec<u8>> {
    let all = Names { operator: "operators/-".to_owned(), ..names.clone() };
    [names, &all].into_iter().filter_map(|names| requests::valid(&full_name(rpc), names)).collect()
}

/// The bytes of an answer or of a refusal; of a feed, everything until its first heartbeat.
async fn listen(
    who: &Who,
    channel: &runtime::client::Channel,
    rpc: &Rpc,
    message: Vec<u8>,
) -> Result<Vec<u8>> {
    if !rpc.server_streaming {
        return Ok(match who.call(channel, rpc, message).await {
            Ok(answer) => answer.into_inner().to_vec(),
            Err(status) => [status.message().as_bytes(), status.details()].concat(),
        });
    }
    let behalf = who.on_behalf_of.as_deref();
    let mut stream =
        std::pin::pin!(raw::stream(channel, &full_name(rpc), &who.token, behalf, message).await?);
    let mut heard = Vec::new();
    while let Some(one) = stream.next().await {
        let one = one?;
        // An event is field 1; a heartbeat has none.
        if one.first() != Some(&0x0a) {
            break;
        }
        heard.extend_from_slice(&one);
    }
    Ok(heard)
}
