//! The model: days are numbers, a look at a lease goes through every day since the last one.

use kernel::CivilDate;
use kernel::time::add_months;

use super::later::{LATER, Later, any_later};
use super::options::{Extra, Renewals, any_extras};
use super::papers::Papers;
use crate::obvious::Dice;

/// Halls that the terms of one lease may name, and other terms of it.
pub(super) const HALLS: usize = 8;
/// Day 0.
pub(super) const EPOCH: &str = "2026-12-01";

pub(super) fn day(number: i64) -> CivilDate {
    EPOCH.parse::<CivilDate>().expect("a date") + chrono::TimeDelta::days(number)
}

pub(super) fn number(day: CivilDate) -> i64 {
    (day - EPOCH.parse::<CivilDate>().expect("a date")).num_days()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Operator,
    Tenant,
}

/// One block, in days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Which of all that were ever named in the terms.
    pub(super) hall: usize,
    pub(super) agreed: (i64, i64),
    pub(super) months: i32,
    pub(super) state: &'static str,
    pub(super) first: i64,
    pub(super) end: i64,
    pub(super) rent: i64,
    pub(super) late: i64,
    pub(super) short: Option<i64>,
    pub(super) ready: Option<i64>,
    never: bool,
    not_before: i64,
    accepted: Option<i64>,
    /// First day beyond the term, where the tenant stays.
    pub(super) held_from: Option<i64>,
    /// Renewals that it is in, or was, by their number.
    pub(super) renewed: Vec<i32>,
}

impl Block {
    /// A hall from a day on, for so many months.
    pub(super) fn planned(hall: usize, first: i64, months: i32) -> Self {
        let end = number(add_months(day(first), months).expect("a date"));
        Self {
            hall,
            agreed: (first, end),
            months,
            state: "PLANNED",
            first,
            end,
            rent: first,
            late: 0,
            short: None,
            ready: None,
            never: false,
            not_before: i64::MIN,
            accepted: None,
            held_from: None,
            renewed: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) id: String,
    pub(super) block: Option<usize>,
    pub(super) outside: i64,
    pub(super) side: Side,
    met: bool,
}

/// Days to deemed acceptance, of grace, of single abatement, to the outside date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery(pub(super) i64, pub(super) i64, pub(super) i64, pub(super) i64);

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Wait(i64),
    Satisfy(Side, String),
    Accept(usize, i64),
    Notify(&'static str),
    End(Side, &'static str, i64),
    Short(usize, Option<i64>),
    Ready(usize, i64),
    /// Another is to have the lease (else the use of it) from a day on.
    Ask(bool, i64),
    Consent,
    Decline,
    /// Other terms from a day on, which change no day and no load.
    Amend(i64),
    Sign(Side),
    Withdraw,
    /// The tenant stays until a day.
    Stay(i64),
    /// It is gone on a day.
    Leave(i64),
    /// The next renewal is exercised.
    Renew,
    /// An option on a block more is.
    Expand(usize),
    /// So many halls are named.
    Nominate(usize),
    /// As Amend, and the rent of a renewal more is stated.
    Agree(i64),
    /// As Amend, with a block more from another day on, for so many months.
    Add(i64, i64, i32),
}

/// A lease as it should be.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) today: i64,
    pub(super) state: &'static str,
    pub(super) blocks: Vec<Block>,
    pub(super) renewals: Renewals,
    pub(super) extras: Vec<Extra>,
    pub(super) later: Option<Later>,
    /// The hall that the next amendment may add; each is added once.
    pub(super) spare: usize,
    /// The first hall that there is not.
    pub(super) spares: usize,
    pub(super) conditions: Vec<Condition>,
    pub(super) delivery: Option<Delivery>,
    pub(super) from_each: bool,
    pub(super) cure: i64,
    /// Months of notice.
    pub(super) way_out: Option<i32>,
    /// Last day to cure, and whether that was done.
    notices: Vec<(i64, bool)>,
    pub(super) ending: Option<i64>,
    pub(super) papers: Papers,
    pub(super) told: Vec<&'static str>,
}

const IN_FORCE: [&str; 4] = ["EFFECTIVE", "ACTIVE", "HOLDOVER", "DEFAULTED"];

impl Plain {
    /// Any terms, signed on day 0.
    pub(super) fn agree(dice: &mut Dice) -> Self {
        // Now and then there is nothing but what is to be named.
        let least = i64::from(!dice.chance(12));
        let blocks: Vec<Block> = (0..usize::try_from(dice.roll(least, 2 * least)).expect("small"))
            .map(|hall| {
                // The first of a month, so that whole months are whole.
                let first =
                    add_months(day(0), i32::try_from(dice.roll(1, 4)).expect("small")).expect("a date");
                Block::planned(hall, number(first), i32::try_from(dice.roll(6, 30)).expect("small"))
            })
            .collect();
        let renewals = Renewals::any(dice);
        let extras = if blocks.is_empty() { Vec::new() } else { any_extras(dice, &blocks) };
        let named = blocks.len() + extras.len();
        let is_later = blocks.is_empty() || dice.chance(40);
        let later = is_later.then(|| any_later(dice, named, &blocks));
        let conditions = (0..dice.roll(0, 2))
            .map(|n| Condition {
                id: format!("condition-{n}"),
                block: (!blocks.is_empty() && dice.roll(0, 1) == 1)
                    .then(|| usize::try_from(n).expect("small") % blocks.len()),
                outside: dice.roll(20, 160),
                side: if dice.roll(0, 1) == 0 { Side::Operator } else { Side::Tenant },
                met: false,
            })
            .collect();
        let mut roll = |least, most| dice.roll(least, most);
        let delivery =
            (roll(0, 2) > 0).then(|| Delivery(roll(0, 20), roll(0, 20), roll(0, 30), roll(30, 90)));
        let mut lease = Self {
            today: 0,
            state: "SIGNED",
            blocks,
            renewals,
            extras,
            later,
            spare: named + LATER,
            spares: HALLS,
            conditions,
            delivery,
            from_each: roll(0, 1) == 1,
            cure: roll(1, 30),
            way_out: (roll(0, 1) == 1).then(|| i32::try_from(roll(1, 6)).expect("small")),
            notices: Vec::new(),
            ending: None,
            papers: Papers::default(),
            told: Vec::new(),
        };
        if !lease.is_open() {
            lease.state = "EFFECTIVE";
        }
        lease.told.push(if lease.state == "SIGNED" { "conditional" } else { "effective" });
        lease
    }

    fn is_open(&self) -> bool {
        self.conditions.iter().any(|condition| condition.block.is_none() && !condition.met)
    }

    fn is_open_for(&self, block: usize) -> bool {
        self.conditions.iter().any(|condition| condition.block == Some(block) && !condition.met)
    }

    pub(super) fn over(&self) -> bool {
        self.blocks.iter().all(|block| ["ENDED", "LAPSED"].contains(&block.state)) && !self.is_to_be_named()
    }

    /// Whether nothing more can come of it but to be closed.
    pub(super) fn is_done(&self) -> bool {
        self.state != "SIGNED" && !IN_FORCE.contains(&self.state)
    }

    pub(super) fn settle(&mut self) {
        for block in self.blocks.iter_mut().filter(|block| block.state == "PLANNED") {
            let promised = block.agreed.0;
            let mut there = promised.max(block.short.unwrap_or(promised));
            if self.delivery.is_some() {
                there = there.max(block.ready.unwrap_or(promised));
            }
            let mut first = there.max(block.not_before);
            if let (Some(Delivery(acceptance, ..)), Some(ready)) = (self.delivery, block.ready) {
                first = first.max(ready + acceptance);
            }
            first = block.accepted.unwrap_or(first);
            let mut end = block.agreed.1;
            if self.from_each {
                end = number(add_months(day(first), block.months).expect("a date"));
            }
            block.never = block.short.is_some_and(|day| day >= block.agreed.1) || first >= end;
            if block.never {
                (there, first, end) = (promised, promised, block.agreed.1);
            }
            block.late = there - promised;
            let abated = self.delivery.map_or(0, |Delivery(_, grace, single, _)| {
                (1..=block.late).map(|day| i64::from(day > grace) + i64::from(day > grace + single)).sum()
            });
            (block.first, block.end, block.rent) = (first, end, (first + abated).min(end));
        }
    }

    /// Everything that a day brings by itself.
    fn dawn(&mut self, today: i64) {
        loop {
            let open: Vec<bool> = (0..self.blocks.len()).map(|block| self.is_open_for(block)).collect();
            let due = |condition: &&Condition| !condition.met && condition.outside <= today;
            let late: Vec<usize> = self.conditions.iter().filter(due).filter_map(|one| one.block).collect();
            let planned = |block: &usize| self.blocks[*block].state == "PLANNED";
            let late: Vec<usize> = late.into_iter().filter(planned).collect();
            let whole = self.conditions.iter().filter(due).any(|condition| condition.block.is_none());
            let ready = |block: &Block| self.delivery.is_none() || block.ready.is_some();
            let commence: Vec<usize> = (0..self.blocks.len())
                .filter(|at| {
                    let block = &self.blocks[*at];
                    block.state == "PLANNED"
                        && !open[*at]
                        && ready(block)
                        && !block.never
                        && block.first <= today
                })
                .collect();
            let ends = |block: &Block| block.state == "COMMENCED" && block.end <= today;
            let in_force = IN_FORCE.contains(&self.state);
            if self.is_done() {
                return;
            }
            if self.settles_papers(today) || self.settles_options(today) || self.settles_later(today) {
                continue;
            }
            if self.state == "SIGNED" && whole {
                // None of its blocks had begun.
                self.blocks.iter_mut().for_each(|block| block.state = "LAPSED");
                self.say("LAPSED", "lapsed");
            } else if !late.is_empty() {
                late.iter().for_each(|block| self.blocks[*block].state = "LAPSED");
                let none = self.blocks.iter().all(|block| block.state == "LAPSED");
                match (none && self.over(), self.state) {
                    (true, "SIGNED") => self.say("LAPSED", "lapsed"),
                    (true, _) => self.say("TERMINATED", "terminated"),
                    (false, _) if self.over() => self.say("EXPIRED", "expired"),
                    (false, state) => self.say(state, "block_lapsed"),
                }
            } else if let Some(end) = self.ending.filter(|end| *end <= today) {
                self.terminate(end);
            } else if ["ACTIVE", "HOLDOVER"].contains(&self.state)
                && self.notices.iter().any(|(cure, cured)| !cured && *cure < today)
            {
                self.say("DEFAULTED", "defaulted");
            } else if in_force && self.blocks.iter().any(ends) {
                self.blocks.iter_mut().filter(|block| ends(block)).for_each(|block| block.state = "ENDED");
                let state = self.state;
                if self.over() { self.say("EXPIRED", "expired") } else { self.say(state, "ended") }
            } else if self.stays_from().is_some_and(|from| from <= today) {
                self.say("HOLDOVER", "held_over");
            } else if in_force && !commence.is_empty() {
                commence.iter().for_each(|block| self.blocks[*block].state = "COMMENCED");
                self.say(if self.state == "EFFECTIVE" { "ACTIVE" } else { self.state }, "commenced");
            } else {
                return;
            }
        }
    }

    fn terminate(&mut self, end: i64) {
        for block in &mut self.blocks {
            if end < block.end {
                block.end = end.max(block.first + 1);
                block.rent = if end <= block.first { block.end } else { block.rent.min(block.end) };
            }
            block.state = match block.state {
                "COMMENCED" => "ENDED",
                "PLANNED" => "LAPSED",
                state => state,
            };
        }
        self.say("TERMINATED", "terminated");
    }

    pub(super) fn say(&mut self, state: &'static str, told: &'static str) {
        self.state = state;
        self.told.push(told);
        if self.is_done() {
            self.papers.forget();
            let open = |extra: &&mut Extra| extra.state == "OPEN";
            self.extras.iter_mut().filter(open).for_each(|extra| extra.state = "GONE");
            self.later
                .iter_mut()
                .filter(|later| later.state == "OPEN")
                .for_each(|later| later.state = "GONE");
        }
    }

    /// Does it; what it is refused with. Then whatever that makes due on the same day.
    pub(super) fn apply(&mut self, deed: &Deed) -> Result<(), &'static str> {
        if let Deed::Wait(days) = deed {
            for _ in 0..*days {
                self.today += 1;
                self.dawn(self.today);
            }
            return Ok(());
        }
        let done = match deed {
            // Nobody is told of the phases of what is over.
            Deed::Wait(_) | Deed::Short(..) | Deed::Ready(..) if self.is_done() => Ok(()),
            Deed::Wait(_) => Ok(()),
            Deed::Satisfy(side, id) => self.satisfy(*side, id),
            Deed::Accept(block, on) => self.accept(*block, *on),
            Deed::Notify(kind) => self.notify(kind),
            Deed::End(side, ground, end) => self.end(*side, ground, *end),
            Deed::Ask(..)
            | Deed::Consent
            | Deed::Decline
            | Deed::Amend(_)
            | Deed::Agree(_)
            | Deed::Add(..)
            | Deed::Sign(_)
            | Deed::Withdraw
            | Deed::Stay(_)
            | Deed::Leave(_) => self.paper(deed),
            Deed::Renew => self.renew(),
            Deed::Expand(extra) => self.expand(*extra),
            Deed::Nominate(count) => self.nominate(*count),
            Deed::Short(block, until) => {
                self.blocks[*block].short = *until;
                self.settle();
                Ok(())
            }
            Deed::Ready(block, on) => {
                self.blocks[*block].ready = Some(*on);
                self.settle();
                Ok(())
            }
        };
        self.dawn(self.today);
        done
    }

    fn satisfy(&mut self, side: Side, id: &str) -> Result<(), &'static str> {
        let at = self.conditions.iter().position(|condition| condition.id == id).ok_or("INVALID_FIELD")?;
        if self.conditions[at].side != side {
            return Err("INVALID_FIELD");
        }
        if self.is_done() || self.conditions[at].met {
            return Err("INVALID_STATE_TRANSITION");
        }
        self.conditions[at].met = true;
        let effective = self.state == "SIGNED" && !self.is_open();
        for (number, block) in self.blocks.iter_mut().enumerate() {
            if effective || self.conditions[at].block == Some(number) {
                block.not_before = block.not_before.max(self.today);
            }
        }
        let state = self.state;
        if effective {
            self.say("EFFECTIVE", "effective");
        } else {
            self.say(state, "condition_satisfied");
        }
        self.settle();
        Ok(())
    }

    fn accept(&mut self, at: usize, on: i64) -> Result<(), &'static str> {
        let block = &self.blocks[at];
        if !IN_FORCE.contains(&self.state) || block.state != "PLANNED" || self.is_open_for(at) {
            return Err("INVALID_STATE_TRANSITION");
        }
        if on > self.today {
            return Err("INVALID_FIELD");
        }
        if block.ready.is_none_or(|ready| ready > on) {
            return Err("NOT_READY_FOR_SERVICE");
        }
        if on < block.not_before || block.short.is_some_and(|short| on < short) || on >= block.agreed.1 {
            return Err("INVALID_FIELD");
        }
        self.blocks[at].accepted = Some(on);
        self.settle();
        self.blocks[at].state = "COMMENCED";
        self.say(if self.state == "EFFECTIVE" { "ACTIVE" } else { self.state }, "commenced");
        Ok(())
    }

    fn notify(&mut self, kind: &str) -> Result<(), &'static str> {
        let defaulted = self.state == "DEFAULTED";
        let running = ["ACTIVE", "HOLDOVER"].contains(&self.state) || defaulted;
        let open = self.notices.iter().any(|(_, cured)| !cured);
        let over = ["EXPIRED", "TERMINATED"].contains(&self.state);
        match kind {
            "CLOSE_OUT" if over => self.say("CLOSED", "closed"),
            "CURED" if defaulted || running && open => {
                self.notices.iter_mut().for_each(|notice| notice.1 = true);
                self.say(if defaulted { "ACTIVE" } else { self.state }, "cured");
            }
            "DEFAULT" if running => {
                self.notices.push((self.today + self.cure, false));
                self.say(self.state, "notice_given");
            }
            _ => return Err("INVALID_STATE_TRANSITION"),
        }
        Ok(())
    }

    fn end(&mut self, side: Side, ground: &str, end: i64) -> Result<(), &'static str> {
        if (ground == "DEFAULT") != (side == Side::Operator) {
            return Err("INVALID_FIELD");
        }
        if self.is_done() || self.ending.is_some() {
            return Err("INVALID_STATE_TRANSITION");
        }
        let none_left = !self.blocks.is_empty() && self.blocks.iter().all(|block| block.end <= end);
        if end < self.today || none_left {
            return Err("INVALID_FIELD");
        }
        let right = match ground {
            "DEFAULT" => self.state == "DEFAULTED",
            "OUTSIDE_DATE" => self.delivery.is_some_and(|Delivery(.., outside)| {
                self.blocks.iter().any(|one| one.state == "PLANNED" && one.agreed.0 + outside <= self.today)
            }),
            _ => self
                .way_out
                .is_some_and(|months| end >= number(add_months(day(self.today), months).expect("a date"))),
        };
        if !right {
            return Err("NO_RIGHT_TO_TERMINATE");
        }
        self.ending = Some(end);
        self.told.push("termination_given");
        Ok(())
    }

    /// Something that somebody might do next.
    pub(super) fn next(&self, dice: &mut Dice) -> Deed {
        let block = usize::try_from(dice.roll(0, 3)).expect("small") % self.blocks.len().max(1);
        let stands = self.blocks.get(block);
        let (agreed, planned) =
            stands.map_or(((0, 0), false), |stands| (stands.agreed, stands.state == "PLANNED"));
        let side = if dice.roll(0, 3) == 0 { Side::Tenant } else { Side::Operator };
        let days = |dice: &mut Dice, most| dice.roll(0, most);
        match dice.roll(0, 25) {
            24 | 25 if self.later.is_some() => {
                Deed::Nominate(usize::try_from(dice.roll(1, 2)).expect("small"))
            }
            21..=23 => Deed::Wait(days(dice, 60)),
            18 => Deed::Renew,
            19 | 20 if !self.extras.is_empty() => {
                Deed::Expand(usize::try_from(dice.roll(0, 1)).expect("small") % self.extras.len())
            }
            12..=17 => self.next_paper(dice),
            0..=2 => Deed::Wait(days(dice, 45)),
            3 | 4 if !self.conditions.is_empty() => {
                let one = &self.conditions
                    [usize::try_from(dice.roll(0, 1)).expect("small") % self.conditions.len()];
                Deed::Satisfy(if dice.roll(0, 4) == 0 { side } else { one.side }, one.id.clone())
            }
            5 | 6 if stands.is_some() => Deed::Accept(block, self.today + 2 - days(dice, 12)),
            7 => Deed::Notify(
                ["DEFAULT", "CURED", "CLOSE_OUT"][usize::try_from(dice.roll(0, 2)).expect("small")],
            ),
            8 => {
                let ground =
                    ["DEFAULT", "OUTSIDE_DATE", "FEE"][usize::try_from(dice.roll(0, 2)).expect("small")];
                let own = if ground == "DEFAULT" { Side::Operator } else { Side::Tenant };
                let side = if dice.roll(0, 9) == 0 { side } else { own };
                Deed::End(side, ground, self.today - 2 + days(dice, 250))
            }
            9 if planned && self.blocks[block].ready.is_none() => {
                let until = agreed.0 + days(dice, 120) - 20;
                Deed::Short(block, (until > agreed.0).then_some(until))
            }
            10 if planned && self.blocks[block].ready.is_none() => {
                let on = (self.today - days(dice, 9)).max(self.blocks[block].short.unwrap_or(i64::MIN));
                if on > self.today { Deed::Wait(1) } else { Deed::Ready(block, on) }
            }
            _ => Deed::Wait(days(dice, 6)),
        }
    }
}
