//! Reading what was known at an instant, and keeping what a change supersedes. Every resource keeps its row for ever,
//! so the version of an instant is either that row or one of its superseded versions.

use std::collections::HashMap;

use kernel::{Error, Instant, OperatorId, OperatorName};
use postgres::Tx;

use super::Wire;
use crate::domain::block::Block;
use crate::domain::operator::Operator;
use crate::domain::phase::Phase;
use crate::domain::reservation::Reservation;
use crate::domain::site::Site;
use crate::store::history::{self, Kept, Kind, Superseded};

/// A resource of which every version is kept.
pub(crate) trait Versioned: Clone {
    /// What it is.
    const KIND: Kind;

    /// Whose it is.
    fn operator(&self) -> &OperatorId;

    /// Its full name.
    fn full_name(&self) -> String;

    /// Raised by every change.
    fn revision(&self) -> i64;

    /// When it was created and when it was last changed.
    fn times(&self) -> (Instant, Instant);

    /// As it goes over the wire.
    fn encode(&self, wire: &Wire) -> Vec<u8>;

    /// An earlier version of this one; what never changes and is not on the wire is taken from `self`.
    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error>;
}

/// Keeps `was` as it is known until `until`, when its successor takes its place.
pub(crate) async fn supersede<T: Versioned>(
    tx: &Tx,
    wire: &Wire,
    was: &T,
    until: Instant,
) -> Result<(), Error> {
    let superseded = Superseded {
        kind: T::KIND,
        operator: was.operator(),
        name: was.full_name(),
        revision: was.revision(),
        from: was.times().1,
        until,
        payload: was.encode(wire),
    };
    history::archive(tx, &superseded).await
}

/// What was known of these rows at an instant, in their order: those that did not exist yet are left out. `None` where
/// no instant is asked for, and the rows are the answer.
pub(crate) async fn known_at<T: Versioned>(
    tx: &Tx,
    wire: &Wire,
    at: Option<Instant>,
    rows: &[T],
) -> Result<Option<Vec<T>>, Error> {
    let Some(at) = at else { return Ok(None) };
    let changed: Vec<&T> = rows.iter().filter(|row| row.times().0 <= at && at < row.times().1).collect();
    let kept = if changed.is_empty() {
        HashMap::new()
    } else {
        let mut operators: Vec<String> = changed.iter().map(|row| row.operator().to_string()).collect();
        operators.sort_unstable();
        operators.dedup();
        let names = changed.iter().map(|row| row.full_name()).collect();
        history::known_at(tx, operators, names, at).await?
    };
    let then = rows.iter().filter_map(|row| {
        let (created_at, updated_at) = row.times();
        if updated_at <= at {
            return Some(Ok(row.clone()));
        }
        let kept = kept.get(&row.full_name()).filter(|_| created_at <= at)?;
        Some(row.decode(wire, kept))
    });
    then.collect::<Result<_, _>>().map(Some)
}

/// As [`known_at`], of one row that may be missing.
pub(crate) async fn one_known_at<T: Versioned>(
    tx: &Tx,
    wire: &Wire,
    at: Option<Instant>,
    row: Option<T>,
) -> Result<Option<T>, Error> {
    Ok(match known_at(tx, wire, at, row.as_slice()).await? {
        Some(then) => then.into_iter().next(),
        None => row,
    })
}

impl Versioned for Operator {
    const KIND: Kind = Kind::Operator;

    fn operator(&self) -> &OperatorId {
        &self.facts.operator
    }

    fn full_name(&self) -> String {
        OperatorName::new(self.facts.operator.clone()).to_string()
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn times(&self) -> (Instant, Instant) {
        (self.created_at, self.updated_at)
    }

    fn encode(&self, wire: &Wire) -> Vec<u8> {
        (wire.operator)(self)
    }

    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error> {
        (wire.operator_of)(&kept.payload, kept.revision)
    }
}

impl Versioned for Site {
    const KIND: Kind = Kind::Site;

    fn operator(&self) -> &OperatorId {
        &self.facts.name.operator
    }

    fn full_name(&self) -> String {
        self.facts.name.to_string()
    }

    fn revision(&self) -> i64 {
        self.version
    }

    fn times(&self) -> (Instant, Instant) {
        (self.created_at, self.updated_at)
    }

    fn encode(&self, wire: &Wire) -> Vec<u8> {
        (wire.site)(self)
    }

    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error> {
        (wire.site_of)(&kept.payload, kept.revision)
    }
}

impl Versioned for Block {
    const KIND: Kind = Kind::Block;

    fn operator(&self) -> &OperatorId {
        &self.facts.name.operator
    }

    fn full_name(&self) -> String {
        self.facts.name.to_string()
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn times(&self) -> (Instant, Instant) {
        (self.created_at, self.updated_at)
    }

    fn encode(&self, wire: &Wire) -> Vec<u8> {
        (wire.block)(self)
    }

    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error> {
        (wire.block_of)(&kept.payload, kept.revision, self.id)
    }
}

impl Versioned for Phase {
    const KIND: Kind = Kind::Phase;

    fn operator(&self) -> &OperatorId {
        &self.name.operator
    }

    fn full_name(&self) -> String {
        self.name.to_string()
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn times(&self) -> (Instant, Instant) {
        (self.created_at, self.updated_at)
    }

    fn encode(&self, wire: &Wire) -> Vec<u8> {
        (wire.phase)(self)
    }

    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error> {
        (wire.phase_of)(&kept.payload, kept.revision)
    }
}

impl Versioned for Reservation {
    const KIND: Kind = Kind::Reservation;

    fn operator(&self) -> &OperatorId {
        &self.name.operator
    }

    fn full_name(&self) -> String {
        self.name.to_string()
    }

    fn revision(&self) -> i64 {
        self.revision
    }

    fn times(&self) -> (Instant, Instant) {
        (self.created_at, self.updated_at)
    }

    fn encode(&self, wire: &Wire) -> Vec<u8> {
        (wire.reservation)(self)
    }

    fn decode(&self, wire: &Wire, kept: &Kept) -> Result<Self, Error> {
        (wire.reservation_of)(&kept.payload, kept.revision)
    }
}
