//! What a reader of tables has seen of a feed: it reads them in one snapshot, and then the feed from there on, passing
//! over the events whose effects the snapshot showed already.

use kernel::Error;
use sea_orm::{DbBackend, Statement};

use super::{Cursor, StoredEvent};
use crate::{Tx, store_error};

/// Which transactions a snapshot shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Where to read the feed from: nothing before it is missing from the snapshot.
    pub cursor: Cursor,
    /// The first transaction id that was not given out yet.
    ends: i64,
    /// Transactions below that were still running, in order.
    running: Vec<i64>,
}

impl Snapshot {
    /// Whether the effects of an event are in the snapshot.
    #[must_use]
    pub fn shows(&self, event: &StoredEvent) -> bool {
        let xid = event.cursor.xid;
        xid < self.ends && self.running.binary_search(&xid).is_err()
    }

    /// Whether every event that the snapshot shows lies before a cursor.
    #[must_use]
    pub fn is_behind(&self, cursor: &Cursor) -> bool {
        self.ends <= cursor.xid
    }
}

/// The snapshot of a transaction begun with [`crate::Db::read`].
pub async fn snapshot(tx: &Tx, schema: &'static str) -> Result<Snapshot, Error> {
    let epoch = super::reader::epoch(tx.conn(), schema).await?;
    let sql = "select pg_current_snapshot()::text";
    let row = super::reader::one(tx.conn(), Statement::from_string(DbBackend::Postgres, sql)).await?;
    let text: String = row.try_get_by_index(0).map_err(store_error)?;
    parse(&text, epoch).ok_or_else(|| Error::internal(std::io::Error::other("a snapshot does not read")))
}

/// Reads `xmin:xmax:xip,xip`.
fn parse(text: &str, epoch: uuid::Uuid) -> Option<Snapshot> {
    let mut parts = text.split(':');
    let begins: i64 = parts.next()?.parse().ok()?;
    let ends = parts.next()?.parse().ok()?;
    let running = parts.next()?.split(',').filter(|xid| !xid.is_empty());
    let mut running: Vec<i64> = running.map(|xid| xid.parse().ok()).collect::<Option<_>>()?;
    running.sort_unstable();
    Some(Snapshot { cursor: Cursor { epoch, xid: begins, seq: 0 }, ends, running })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(xid: i64) -> StoredEvent {
        StoredEvent {
            cursor: Cursor { epoch: uuid::Uuid::nil(), xid, seq: 1 },
            event_id: uuid::Uuid::nil(),
            operator: String::new(),
            tenant: None,
            kind: String::new(),
            subject: String::new(),
            occurred_at: kernel::time::min_instant(),
            payload: Vec::new(),
        }
    }

    #[test]
    fn shows_what_was_committed_and_nothing_else() {
        let snapshot = parse("10:20:10,14,15", uuid::Uuid::nil()).expect("a snapshot");
        let shown: Vec<i64> = (8..22).filter(|xid| snapshot.shows(&event(*xid))).collect();
        assert_eq!(shown, [8, 9, 11, 12, 13, 16, 17, 18, 19]);
        assert_eq!(snapshot.cursor.xid, 10);
        let at = |xid| Cursor { epoch: uuid::Uuid::nil(), xid, seq: 0 };
        assert!(!snapshot.is_behind(&at(19)) && snapshot.is_behind(&at(20)));
        assert!(parse("10:10:", uuid::Uuid::nil()).is_some_and(|idle| idle.running.is_empty()));
        for text in ["", "1", "1:2", "a:b:c", "1:2:x"] {
            assert_eq!(parse(text, uuid::Uuid::nil()), None, "{text}");
        }
    }
}
