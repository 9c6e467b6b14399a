//! What the terms let a tenant take later: renewals of all blocks, and more blocks.

use kernel::time::add_months;

use super::plain::{Block, Plain, day, number};
use crate::obvious::Dice;

/// A right to renew so many times, each for so many months, with notice in a window of so many months that ends so many before
/// the end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Renewals {
    pub(super) count: i32,
    pub(super) months: i32,
    pub(super) notice: i32,
    pub(super) window: i32,
    /// The first so many have a rate of their own.
    pub(super) stated: i32,
    /// Least and most percent of the last rate, where the rent of the others is by the market.
    pub(super) market: Option<(i64, i64)>,
    spent: i32,
}

/// A rate of 125, in hundredths of a percent of a unit, so that every share of it is whole.
const FIRST_RATE: i64 = 1_250_000;

/// An option on one block more, with notice from a day, or any, through another.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    pub(super) first: Option<i64>,
    pub(super) last: i64,
    pub(super) block: Block,
    /// OPEN, EXERCISED, LAPSED, GONE with its lease, or LEFT out of amended terms since it had lapsed.
    pub(super) state: &'static str,
    /// Whether the terms that were proposed last have it.
    pub(super) proposed: bool,
}

type Answer = Result<(), &'static str>;

fn months_on(from: i64, months: i32) -> i64 {
    number(add_months(day(from), months).expect("a date"))
}

impl Renewals {
    pub(super) fn any(dice: &mut Dice) -> Self {
        let mut roll = |least, most| i32::try_from(dice.roll(least, most)).expect("small");
        let count = (roll(0, 3) - 1).max(0);
        let (months, notice, window) = (roll(2, 14), roll(0, 4), roll(0, 5));
        let stated = roll(0, 2).min(count);
        let market = [None, Some((100, 200)), Some((110, 200)), Some((10, 80))];
        let market = market[usize::try_from(roll(0, 3)).expect("small")];
        Self { count, months, notice, window, stated, market, spent: 0 }
    }

    /// The rate that is stated of a renewal.
    pub(super) fn rate(number: i32) -> i64 {
        FIRST_RATE + 50_000 * (i64::from(number) + 1)
    }

    /// The rate of a block that was renewed so: stated, or what is certain of the market, or as before.
    pub(super) fn last_rate(&self, renewed: &[i32]) -> i64 {
        renewed.iter().fold(FIRST_RATE, |last, number| match self.market {
            _ if *number < self.stated => Self::rate(*number),
            Some((floor, cap)) => last * 100_i64.clamp(floor, cap) / 100,
            None => last,
        })
    }

    /// One more is stated.
    pub(super) fn agree(&mut self) {
        self.stated = (self.stated + 1).min(self.count);
    }
}

/// Options on more blocks than these.
pub(super) fn any_extras(dice: &mut Dice, blocks: &[Block]) -> Vec<Extra> {
    let end = blocks.iter().map(|block| block.agreed.1).max().unwrap_or(0);
    (0..usize::try_from(dice.roll(0, 2)).expect("small"))
        .map(|n| {
            let mut roll = |least, most| dice.roll(least, most);
            let first_day = months_on(0, i32::try_from(roll(5, 14)).expect("small"));
            let months = i32::try_from(roll(3, 24)).expect("small");
            let last = (first_day - roll(1, 120)).min(end - 1).max(1);
            let first = (roll(0, 1) == 1).then(|| (last - roll(0, 80)).max(0));
            let block = Block::planned(blocks.len() + n, first_day, months);
            Extra { first, last, block, state: "OPEN", proposed: false }
        })
        .collect()
}

impl Plain {
    /// When the next renewal can be exercised: from a day, or any, through another; none where none is left.
    pub(super) fn window(&self) -> Option<(Option<i64>, i64)> {
        let Renewals { count, notice, window, spent, .. } = self.renewals;
        if self.ending.is_some() || spent >= count {
            return None;
        }
        let last = months_on(self.live_ends().min()?, -notice);
        Some(((window > 0).then(|| months_on(last, -window)), last))
    }

    /// What a day makes of them; whether something.
    pub(super) fn settles_options(&mut self, today: i64) -> bool {
        let in_force = self.state != "SIGNED";
        if let Some((_, last)) = self.window().filter(|_| in_force)
            && (last + 1).min(self.live_ends().min().unwrap_or(last)) <= today
        {
            self.renewals.spent = self.renewals.count;
            self.say(self.state, "option_lapsed");
            return true;
        }
        let late = |extra: &&mut Extra| extra.state == "OPEN" && extra.last < today;
        let mut lapsed = false;
        for extra in self.extras.iter_mut().filter(late) {
            (extra.state, lapsed) = ("LAPSED", true);
        }
        if lapsed {
            self.say(self.state, "expansion_lapsed");
        }
        lapsed
    }

    pub(super) fn renew(&mut self) -> Answer {
        let planned = self.blocks.iter().any(|block| block.state == "PLANNED");
        if self.state != "ACTIVE" || self.ending.is_some() || planned {
            return Err("INVALID_STATE_TRANSITION");
        }
        let today = self.today;
        let open = self
            .window()
            .is_some_and(|(first, last)| first.is_none_or(|first| first <= today) && today <= last);
        if !open {
            return Err("NO_OPTION_TO_EXERCISE");
        }
        let months = self.renewals.months;
        for block in self.blocks.iter_mut().filter(|block| block.state == "COMMENCED") {
            block.end = months_on(block.end, months);
            block.renewed.push(self.renewals.spent);
        }
        self.renewals.spent += 1;
        self.say("ACTIVE", "renewed");
        Ok(())
    }

    pub(super) fn expand(&mut self, at: usize) -> Answer {
        if !["EFFECTIVE", "ACTIVE"].contains(&self.state) {
            return Err("INVALID_STATE_TRANSITION");
        }
        let Some(extra) = self.extras.get(at).filter(|extra| !["EXERCISED", "LEFT"].contains(&extra.state))
        else {
            return Err("INVALID_FIELD");
        };
        if self.ending.is_some() {
            return Err("INVALID_STATE_TRANSITION");
        }
        let early = extra.first.is_some_and(|first| self.today < first);
        if extra.state != "OPEN" || early || self.today > extra.last {
            return Err("NO_OPTION_TO_EXERCISE");
        }
        self.blocks.push(extra.block.clone());
        self.extras[at].state = "EXERCISED";
        self.papers.joined();
        self.say(self.state, "expanded");
        self.settle();
        Ok(())
    }
}
