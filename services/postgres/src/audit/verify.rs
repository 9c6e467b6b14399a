//! Verifying: every link is made again from the rows as they are, by this program and not by the database.

use aws_lc_rs::digest::{self, SHA256};
use kernel::{Error, Instant, Organisation, Scope};
use sea_orm::{QueryResult, Value};
use tokio::time::Instant as Timer;

use super::chain::{Link, NOTHING};
use super::{BYTES, at, enter, query, rows_of, scope_of};
use crate::{Db, Tx, sha256_bytes};

/// Links, and about how many rows, that one question fetches.
const LINKS: i64 = 500;
const ROWS: i64 = 5_000;
/// Breaks that a verdict tells of.
const BREAKS_MAX: usize = 50;

/// The newest link of a chain, as it is published and kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0 is before the first.
    pub number: i64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was made; of a head that a caller names, whatever it says.
    pub chained_at: Option<Instant>,
}

/// What is wrong with a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// What the link says of itself is not what its hash was made of.
    LinkChanged,
    /// It does not follow the link before it: one is missing, or was put between.
    LinkMissing,
    /// Rows that it covers were changed, taken away, added or put into another order.
    EntriesChanged,
    /// A published head lies beyond the end: the end was cut off.
    CutOff,
    /// A published head has another hash: the chain was made anew.
    MadeAnew,
}

/// A place where the chain does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    /// The link.
    pub number: i64,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// What a verification came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The last link that was looked at.
    pub head: Head,
    /// Rows that were looked at.
    pub entries: i64,
    /// Whether it came to the end of the chain; else it goes on after `head`.
    pub complete: bool,
    /// Where it does not hold, at most fifty.
    pub breaks: Vec<Break>,
}

/// The newest link of an organisation's chain; the one before the first where there is none.
///
/// # Errors
/// What keeps the store from answering.
pub async fn head(db: &Db, schema: &str, owner: &Organisation) -> Result<Head, Error> {
    db.read("audit_head", &scope_of(owner), |tx| async move {
        enter(&tx, owner).await?;
        let sql = format!(
            "select number, hash, chained_at from {schema}.audit_link where owner = $1 order by number desc limit 1"
        );
        let rows = query(&tx, sql, vec![chain_of(owner).into()]).await?;
        let head = match rows.first() {
            None => before_the_first(),
            Some(row) => {
                Head { number: at(row, 0)?, hash: hash_of(at(row, 1)?)?, chained_at: Some(at(row, 2)?) }
            }
        };
        Ok((tx, head))
    })
    .await
}

/// The heads of every chain that grew after an instant, for whoever publishes them.
///
/// # Errors
/// What keeps the store from answering.
pub async fn heads_since(
    worker_db: &Db,
    schema: &str,
    since: Option<Instant>,
) -> Result<Vec<(String, Head)>, Error> {
    worker_db
        .read("audit_heads", &Scope::Worker, |tx| async move {
            let sql = format!(
                "select distinct on (owner) owner, number, hash, chained_at from {schema}.audit_link \
                 where chained_at > coalesce($1, '2000-01-01Z'::timestamptz) order by owner, number desc"
            );
            let rows = query(&tx, sql, vec![since.into()]).await?;
            let heads = rows
                .iter()
                .map(|row| {
                    let hash = hash_of(at(row, 2)?)?;
                    Ok((at(row, 0)?, Head { number: at(row, 1)?, hash, chained_at: Some(at(row, 3)?) }))
                })
                .collect::<Result<_, Error>>()?;
            Ok((tx, heads))
        })
        .await
}

/// Whose chain keeps what an organisation does where no operator is concerned: our services' is the platform's.
fn chain_of(owner: &Organisation) -> String {
    match owner {
        Organisation::Service(_) => Organisation::Platform.to_string(),
        other => other.to_string(),
    }
}

fn before_the_first() -> Head {
    Head { number: 0, hash: NOTHING, chained_at: None }
}

fn hash_of(bytes: Vec<u8>) -> Result<[u8; 32], Error> {
    bytes.try_into().map_err(|_| Error::internal("a hash of another length"))
}

/// Verifies a chain from after a link on (`None`: from its beginning), for as long as `until` allows, and compares it
/// with heads that were published.
///
/// # Errors
/// What keeps the store from answering. What is wrong with the chain is in the verdict.
pub async fn verify(
    db: &Db,
    schema: &str,
    owner: &Organisation,
    after: Option<&Head>,
    published: &[Head],
    until: Timer,
) -> Result<Verdict, Error> {
    let start = after.cloned().unwrap_or_else(before_the_first);
    let mut walk = Walk::from(start.clone());
    let mut place = walk.begin(find(db, schema, owner, start.number).await?);
    while !walk.complete && (walk.entries == 0 || Timer::now() < until) {
        let links = fetch(db, schema, owner, walk.head.number, place).await?;
        walk.complete = links.is_empty();
        for sealed in links {
            walk.step(&sealed, place);
            place = sealed.link.until;
        }
    }
    for head in published.iter().filter(|head| head.number > start.number) {
        walk.compare(head);
    }
    Ok(Verdict { head: walk.head, entries: walk.entries, complete: walk.complete, breaks: walk.breaks })
}

/// A link as it is stored, and what its rows come to as they are.
struct Sealed {
    link: Link,
    hash: [u8; 32],
    entries: i64,
    digest: [u8; 32],
}

/// What was found so far.
struct Walk {
    head: Head,
    entries: i64,
    complete: bool,
    /// Numbers and hashes of the links that are there, in order.
    seen: Vec<(i64, [u8; 32])>,
    breaks: Vec<Break>,
}

impl Walk {
    fn from(head: Head) -> Self {
        Self { head, entries: 0, complete: false, seen: Vec::new(), breaks: Vec::new() }
    }

    fn tell(&mut self, number: i64, flaw: Flaw) {
        if self.breaks.len() < BREAKS_MAX {
            self.breaks.push(Break { number, flaw });
        }
    }

    /// Where the rows after the link begin that the walk goes on from.
    fn begin(&mut self, found: Option<([u8; 32], (i64, i64))>) -> (i64, i64) {
        match found {
            Some((hash, until)) => {
                if hash != self.head.hash {
                    self.tell(self.head.number, Flaw::MadeAnew);
                    self.head.hash = hash;
                }
                until
            }
            None => {
                if self.head.number > 0 {
                    self.tell(self.head.number, Flaw::CutOff);
                }
                (0, 0)
            }
        }
    }

    fn step(&mut self, sealed: &Sealed, place: (i64, i64)) {
        let link = &sealed.link;
        let follows =
            link.number == self.head.number + 1 && link.prev_hash == self.head.hash && link.after == place;
        if !follows {
            self.tell(link.number, Flaw::LinkMissing);
        }
        if link.hash() != sealed.hash {
            self.tell(link.number, Flaw::LinkChanged);
        }
        if sealed.entries != link.entries || sealed.digest[..] != link.digest[..] {
            self.tell(link.number, Flaw::EntriesChanged);
        }
        self.seen.push((link.number, sealed.hash));
        self.entries += sealed.entries;
        self.head = Head { number: link.number, hash: sealed.hash, chained_at: Some(link.chained_at) };
    }

    /// Compares a published head with what was seen. One that lies beyond is told when the walk has come so far.
    fn compare(&mut self, head: &Head) {
        let found = self.seen.binary_search_by_key(&head.number, |(number, _)| *number).ok();
        match found.and_then(|found| self.seen.get(found)) {
            Some((_, hash)) if *hash == head.hash => {}
            Some(_) => self.tell(head.number, Flaw::MadeAnew),
            None if self.complete || head.number < self.head.number => self.tell(head.number, Flaw::CutOff),
            None => {}
        }
    }
}

/// The hash of a link and where it ends.
async fn find(
    db: &Db,
    schema: &str,
    owner: &Organisation,
    number: i64,
) -> Result<Option<([u8; 32], (i64, i64))>, Error> {
    db.read("find_audit_link", &scope_of(owner), |tx| async move {
        enter(&tx, owner).await?;
        let sql = format!(
            "select hash, until_xid, until_seq from {schema}.audit_link where owner = $1 and number = $2"
        );
        let rows = query(&tx, sql, vec![chain_of(owner).into(), number.into()]).await?;
        let found = rows
            .first()
            .map(|row| Ok::<_, Error>((hash_of(at(row, 0)?)?, (at(row, 1)?, at(row, 2)?))))
            .transpose()?;
        Ok((tx, found))
    })
    .await
}

/// The next links after one, with what their rows come to, all of one snapshot.
async fn fetch(
    db: &Db,
    schema: &str,
    owner: &Organisation,
    number: i64,
    place: (i64, i64),
) -> Result<Vec<Sealed>, Error> {
    db.read("verify_audit_links", &scope_of(owner), |tx| async move {
        enter(&tx, owner).await?;
        // As many links as have so many rows together, and one at least.
        let sql = format!(
            "select number, after_xid, after_seq, until_xid, until_seq, entries, digest, prev_hash, hash, chained_at \
             from (select *, sum(entries) over (order by number) - entries as before from (\
                select * from {schema}.audit_link where owner = $1 and number > $2 order by number limit {LINKS}\
             ) l) l where before < {ROWS} order by number"
        );
        let rows = query(&tx, sql, vec![chain_of(owner).into(), number.into()]).await?;
        let links = rows.iter().map(|row| link_of(row, owner)).collect::<Result<Vec<_>, _>>()?;
        let sealed = sum_up(&tx, schema, owner, links, place).await?;
        Ok((tx, sealed))
    })
    .await
}

fn link_of(row: &QueryResult, owner: &Organisation) -> Result<(Link, [u8; 32]), Error> {
    let link = Link {
        owner: chain_of(owner),
        number: at(row, 0)?,
        after: (at(row, 1)?, at(row, 2)?),
        until: (at(row, 3)?, at(row, 4)?),
        entries: at(row, 5)?,
        digest: at(row, 6)?,
        prev_hash: at(row, 7)?,
        chained_at: at(row, 9)?,
    };
    Ok((link, hash_of(at(row, 8)?)?))
}

/// Gives each link what the rows come to that lie where it ends and the one before it did.
async fn sum_up(
    tx: &Tx,
    schema: &str,
    owner: &Organisation,
    links: Vec<(Link, [u8; 32])>,
    place: (i64, i64),
) -> Result<Vec<Sealed>, Error> {
    let Some(end) = links.last().map(|(link, _)| link.until) else { return Ok(Vec::new()) };
    let (condition, slug) = rows_of(owner);
    let sql = format!(
        "select position_xid, position_seq, {BYTES} from {schema}.outbox where {condition} \
            and (position_xid, position_seq) > ($2, $3) and (position_xid, position_seq) <= ($4, $5) \
         order by position_xid, position_seq"
    );
    let values: Vec<Value> = vec![slug.into(), place.0.into(), place.1.into(), end.0.into(), end.1.into()];
    let rows = query(tx, sql, values).await?;
    let mut rows =
        rows.iter().map(|row| Ok::<_, Error>(((at(row, 0)?, at(row, 1)?), at::<Vec<u8>>(row, 2)?)));
    let mut next = rows.next().transpose()?;
    let mut sealed = Vec::with_capacity(links.len());
    for (link, hash) in links {
        let (mut entries, mut sum) = (0, digest::Context::new(&SHA256));
        while let Some((_, bytes)) =
            next.as_ref().filter(|(position, _): &&((i64, i64), _)| *position <= link.until)
        {
            sum.update(bytes);
            entries += 1;
            next = rows.next().transpose()?;
        }
        sealed.push(Sealed { link, hash, entries, digest: sha256_bytes(sum.finish()) });
    }
    Ok(sealed)
}
