//! Blocks that join a lease: those that the operator names for capacity that was agreed without, and those that other terms add.

use kernel::time::add_months;

use super::plain::{Block, Plain, day, number};
use crate::obvious::Dice;

/// Halls for which there is capacity to be named, at the most.
pub(super) const LATER: usize = 2;

/// So many halls that are to be named, from a day on for so many months, through a last day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Later {
    pub(super) first: i64,
    pub(super) months: i32,
    pub(super) last: i64,
    /// How many are left.
    pub(super) left: usize,
    /// OPEN, PLACED, LAPSED, GONE with its lease, or LEFT out of amended terms since it had lapsed.
    pub(super) state: &'static str,
    /// Whether the terms that were proposed last have it.
    pub(super) proposed: bool,
    /// The next of its halls.
    hall: usize,
}

/// Something to be named, by halls from this one on. Where there are blocks it closes before they end.
pub(super) fn any_later(dice: &mut Dice, hall: usize, blocks: &[Block]) -> Later {
    let mut roll = |least, most| dice.roll(least, most);
    let first = add_months(day(0), i32::try_from(roll(4, 14)).expect("small")).expect("a date");
    let first = number(first);
    let end = blocks.iter().map(|block| block.agreed.1).max().unwrap_or(i64::MAX);
    Later {
        first,
        months: i32::try_from(roll(3, 24)).expect("small"),
        last: (first - roll(1, 150)).min(end - 1).max(1),
        left: usize::try_from(roll(1, 2)).expect("small").min(LATER),
        state: "OPEN",
        proposed: false,
        hall,
    }
}

impl Later {
    /// First day after the term of its halls.
    pub(super) fn end(&self) -> i64 {
        Block::planned(self.hall, self.first, self.months).agreed.1
    }

    /// The next of its halls.
    pub(super) fn next_hall(&self) -> usize {
        self.hall
    }
}

impl Plain {
    pub(super) fn is_to_be_named(&self) -> bool {
        self.later.is_some_and(|later| later.state == "OPEN")
    }

    /// So many halls are named.
    pub(super) fn nominate(&mut self, count: usize) -> Result<(), &'static str> {
        if !["SIGNED", "EFFECTIVE", "ACTIVE"].contains(&self.state) {
            return Err("INVALID_STATE_TRANSITION");
        }
        let Some(mut later) = self.later.filter(|later| !["PLACED", "LEFT"].contains(&later.state)) else {
            return Err("INVALID_FIELD");
        };
        if !self.may_amend() {
            return Err("INVALID_STATE_TRANSITION");
        }
        if later.state != "OPEN" || self.today > later.last {
            return Err("NOMINATION_CLOSED");
        }
        if count > later.left {
            return Err("NOMINATION_EXCEEDED");
        }
        for _ in 0..count {
            self.blocks.push(Block::planned(later.hall, later.first, later.months));
            later.hall += 1;
        }
        later.left -= count;
        if later.left == 0 {
            later.state = "PLACED";
        }
        self.later = Some(later);
        self.papers.joined();
        self.say(self.state, "premises_nominated");
        self.settle();
        Ok(())
    }

    /// Whether its last day has passed, and what becomes of the lease then.
    pub(super) fn settles_later(&mut self, today: i64) -> bool {
        let Some(later) = self.later.as_mut().filter(|later| later.state == "OPEN" && later.last < today)
        else {
            return false;
        };
        later.state = "LAPSED";
        let had = self.blocks.iter().any(|block| block.state != "LAPSED");
        match (self.over(), had, self.state) {
            (false, _, state) => self.say(state, "nomination_lapsed"),
            (true, true, _) => self.say("EXPIRED", "expired"),
            (true, false, "SIGNED") => self.say("LAPSED", "lapsed"),
            (true, false, _) => self.say("TERMINATED", "terminated"),
        }
        true
    }

    /// Other terms are in force, with the block that they add.
    pub(super) fn other_terms(&mut self, added: Option<Block>) {
        if let Some(later) = &mut self.later
            && later.state == "LAPSED"
            && !later.proposed
        {
            later.state = "LEFT";
        }
        self.blocks.extend(added);
        self.settle();
    }
}
