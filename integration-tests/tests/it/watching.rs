//! Whoever watches events from any cursor, over the deaths of the processes that serve them, sees each event once and in
//! order.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use integration_tests::{Cluster, eventually};
use inventory::event_service_client::EventServiceClient;
use kernel::Role;
use runtime::client::{Bearer, channel};
use tokio_util::sync::CancellationToken;

use crate::obvious::Dice;
use crate::traffic::{Field, TENANTS, act, replica};

const PROCESSES: usize = 2;
const KILLS: u64 = 6;

/// An event as a watcher remembers it: what it was, and where to resume after it.
#[derive(Clone, Debug)]
struct Seen {
    id: String,
    cursor: String,
}

type Log = Arc<Mutex<Vec<Seen>>>;

fn ids(log: &Log) -> Vec<String> {
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    log.iter().map(|seen| seen.id.clone()).collect()
}

/// Somebody who watches, and goes back to some cursor of his whenever a stream ends or he feels like it.
struct Watcher {
    replicas: Vec<SocketAddr>,
    token: String,
    dice: Dice,
    log: Log,
    /// How many of the events in the log are behind him: those before the last are to come again, in the same order.
    place: usize,
    /// Where to resume.
    cursor: String,
    streams: u32,
}

impl Watcher {
    async fn watch(mut self, stop: CancellationToken) -> Result<u32> {
        while !stop.is_cancelled() {
            let number = self.dice.roll(0, i64::try_from(self.replicas.len())? - 1);
            let at = self.replicas[usize::try_from(number)?];
            let events = self.dice.roll(1, 40);
            // A stream that breaks is what this is about: the next one resumes.
            match tokio::select! {
                () = stop.cancelled() => break,
                ended = self.stream(at, events) => ended,
            } {
                Ok(()) => self.streams += 1,
                Err(error) if error.is::<Lost>() => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(error),
            }
            if self.dice.chance(25) {
                self.go_back()?;
            }
        }
        Ok(self.streams)
    }

    /// Back to a cursor of any time.
    fn go_back(&mut self) -> Result<()> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let place = self.dice.roll(0, i64::try_from(log.len())?);
        self.place = usize::try_from(place)?;
        self.cursor = self.place.checked_sub(1).map(|last| log[last].cursor.clone()).unwrap_or_default();
        Ok(())
    }

    /// Watches until so many messages came, or the stream breaks.
    async fn stream(&mut self, at: SocketAddr, messages: i64) -> Result<()> {
        let channel = channel(&format!("http://{at}"))?;
        let mut client = EventServiceClient::with_interceptor(channel, Bearer::new(&self.token)?);
        let watch = inventory::WatchEventsRequest { after_cursor: self.cursor.clone(), ..Default::default() };
        let mut stream = client.watch_events(watch).await.map_err(|_| Lost)?.into_inner();
        for _ in 0..messages {
            let next = tokio::time::timeout(Duration::from_secs(5), stream.message()).await;
            let Ok(Ok(Some(message))) = next else { return Err(Lost.into()) };
            // A heartbeat's cursor is as good as an event's.
            self.cursor = message.cursor;
            let Some(event) = message.event else { continue };
            let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
            match log.get(self.place) {
                Some(seen) => ensure!(
                    seen.id == event.id,
                    "after {} events {} comes again as {}",
                    self.place,
                    seen.id,
                    event.id
                ),
                None => log.push(Seen { id: event.id, cursor: event.cursor }),
            }
            self.place += 1;
        }
        Ok(())
    }
}

/// A stream broke, or there was none.
#[derive(Debug)]
struct Lost;

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the stream broke")
    }
}

impl std::error::Error for Lost {}

/// What lies in the outbox for somebody, in order of position: all of the operator's, or what a tenant may read.
async fn outbox(cluster: &Cluster, tenant: Option<&str>) -> Result<Vec<String>> {
    let mut superuser = cluster.database.superuser().await?;
    let sql = "select event_id::text from inventory.outbox \
               where operator_id = 'traffic' and kind not like 'audit.%' and ($1::text is null or audience_tenant = $1) \
               order by position_xid, position_seq";
    let tenant = tenant.map(|name| name.trim_start_matches("tenants/"));
    Ok(sqlx::query_scalar(sql).bind(tenant).fetch_all(&mut superuser).await?)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_that_resumes_over_deaths_sees_each_event_once_and_in_order() -> Result<()> {
    let mut cluster = Cluster::new(PROCESSES).await?;
    let field = Field::prepare(&mut cluster, PROCESSES).await?;
    let (stop_people, stop_watchers) = (CancellationToken::new(), CancellationToken::new());
    let mut people = tokio::task::JoinSet::new();
    for seed in 0..4 {
        people.spawn(act(field.clone(), seed, stop_people.clone()));
    }
    let mut watchers = tokio::task::JoinSet::new();
    let mut logs: Vec<(Option<&str>, Log)> = Vec::new();
    for (seed, tenant) in [None, None, Some(TENANTS[0]), Some(TENANTS[1])].into_iter().enumerate() {
        let log = Log::default();
        let token = match tenant {
            Some(tenant) => cluster.token(tenant, Role::Tenant)?,
            None => cluster.token(&field.site.operator, Role::Sales)?,
        };
        let watcher = Watcher {
            replicas: field.replicas.clone(),
            token,
            dice: Dice::new(100 + u64::try_from(seed)?),
            log: Arc::clone(&log),
            place: 0,
            cursor: String::new(),
            streams: 0,
        };
        watchers.spawn(watcher.watch(stop_watchers.clone()));
        logs.push((tenant, log));
    }
    let mut dice = Dice::new(7);
    for _ in 0..KILLS {
        tokio::time::sleep(Duration::from_millis(u64::try_from(dice.roll(300, 1_500))?)).await;
        let victim = replica(usize::try_from(dice.roll(0, 1))?);
        cluster.kill(victim)?;
        cluster.start(victim, "").await?;
    }
    stop_people.cancel();
    while let Some(told) = people.join_next().await {
        let answers = told.context("somebody fell over")??;
        ensure!(answers.contains_key("OK"), "nothing was done: {answers:?}");
    }
    for (tenant, log) in &logs {
        let what = format!("{} has seen everything", tenant.unwrap_or("the operator"));
        eventually(&what, async || {
            let written = outbox(&cluster, *tenant).await?;
            let seen = ids(log);
            Ok((seen == written && written.len() > 30).then_some(()))
        })
        .await?;
    }
    stop_watchers.cancel();
    let mut streams = 0;
    while let Some(watched) = watchers.join_next().await {
        streams += watched.context("a watcher fell over")??;
    }
    ensure!(cluster.database.oversold().await? == 0, "oversold after the deaths");
    println!("{} events, {streams} streams that ended by themselves", ids(&logs[0].1).len());
    Ok(())
}
