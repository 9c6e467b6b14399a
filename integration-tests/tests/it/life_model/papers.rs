//! What the sides put on the table beside what a lease is: another tenant, other terms, a tenant that stays.

use chrono::Datelike as _;
use kernel::time::add_months;

use super::plain::{Block, Deed, Plain, Side, day, number};
use crate::obvious::Dice;

/// States in which papers can be put on the table.
const OPEN: [&str; 4] = ["SIGNED", "EFFECTIVE", "ACTIVE", "DEFAULTED"];
/// How long a tenant may stay, in months.
const STAY_MONTHS: i32 = 24;

type Answer = Result<(), &'static str>;

/// What lies on the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Papers {
    /// Whether another is to have the lease, or the use of it; from when; whether there is consent.
    pub(super) asked: Option<(bool, i64, bool)>,
    /// Whether somebody uses it already.
    pub(super) guest: bool,
    /// From when other terms count, who has signed, and the block that they add.
    pub(super) amendment: Option<(i64, Vec<Side>, Option<Block>)>,
    /// Whether they state the rent of a renewal more.
    agrees: bool,
    /// Terms in force, from 1.
    pub(super) version: i64,
    /// First day beyond the term, and the day on which the tenant is gone.
    stays: Option<(i64, i64)>,
}

impl Papers {
    pub(super) fn forget(&mut self) {
        (self.asked, self.amendment) = (None, None);
    }
}

impl Papers {
    /// The next version is in force, of which other terms that are proposed do not know.
    pub(super) fn joined(&mut self) {
        self.version += 1;
        self.amendment = None;
    }
}

const NOT_NOW: Answer = Err("INVALID_STATE_TRANSITION");
const WRONG: Answer = Err("INVALID_FIELD");

impl Plain {
    /// What a day makes of what lies on the table; whether something.
    pub(super) fn settles_papers(&mut self, today: i64) -> bool {
        if let Some((whole, _, consent)) = self.papers.asked.filter(|(_, on, _)| *on <= today) {
            self.papers.asked = None;
            self.papers.guest |= consent && !whole;
            if consent && whole {
                self.papers.amendment = None;
            }
            let told = match (consent, whole) {
                (false, _) => "assignment_expired",
                (true, true) => "assigned",
                (true, false) => "subleased",
            };
            self.say(self.state, told);
            return true;
        }
        let over = self.papers.amendment.as_ref().is_some_and(|(on, ..)| *on <= today);
        if over {
            self.papers.amendment = None;
            self.say(self.state, "amendment_expired");
        }
        over
    }

    /// The first day of staying, while it is to come.
    pub(super) fn stays_from(&self) -> Option<i64> {
        let stays = self.papers.stays.filter(|(from, until)| until > from && self.state == "ACTIVE");
        stays.map(|(from, _)| from)
    }

    pub(super) fn paper(&mut self, deed: &Deed) -> Answer {
        match deed {
            Deed::Stay(until) => return self.stay(*until),
            Deed::Leave(end) => return self.leave(*end),
            _ => {}
        }
        if !OPEN.contains(&self.state) {
            return NOT_NOW;
        }
        match deed {
            Deed::Ask(whole, on) => self.ask(*whole, *on),
            Deed::Consent => self.answer(true),
            Deed::Decline => self.answer(false),
            Deed::Amend(on) => self.amend(*on, None, false),
            Deed::Agree(on) => self.amend(*on, None, true),
            Deed::Add(on, first, months) => {
                let added = Block::planned(self.spare, *first, *months);
                self.amend(*on, Some(added), false)
            }
            Deed::Sign(side) => self.sign(*side),
            _ => match self.papers.amendment.take() {
                None => NOT_NOW,
                Some(_) => {
                    self.say(self.state, "amendment_withdrawn");
                    Ok(())
                }
            },
        }
    }

    pub(super) fn live_ends(&self) -> impl Iterator<Item = i64> {
        self.blocks.iter().filter(|one| !["ENDED", "LAPSED"].contains(&one.state)).map(|one| one.end)
    }

    fn ask(&mut self, whole: bool, on: i64) -> Answer {
        if self.papers.asked.is_some() {
            return NOT_NOW;
        }
        let known = !whole && self.papers.guest;
        let later = self.later.filter(|later| later.state == "OPEN").map(|later| later.end());
        let within = self.live_ends().chain(later).max().is_some_and(|end| on < end);
        if known || day(on).day() != 1 || on <= self.today || !within {
            return WRONG;
        }
        self.papers.asked = Some((whole, on, false));
        self.say(self.state, "assignment_requested");
        Ok(())
    }

    fn answer(&mut self, consent: bool) -> Answer {
        let Some((whole, on, false)) = self.papers.asked else { return NOT_NOW };
        self.papers.asked = consent.then_some((whole, on, true));
        self.say(self.state, if consent { "assignment_consented" } else { "assignment_declined" });
        Ok(())
    }

    pub(super) fn may_amend(&self) -> bool {
        self.ending.is_none() && self.papers.stays.is_none_or(|(from, until)| until <= from)
    }

    fn amend(&mut self, on: i64, added: Option<Block>, agrees: bool) -> Answer {
        if !self.may_amend() || self.papers.amendment.is_some() {
            return NOT_NOW;
        }
        let live = || self.blocks.iter().filter(|one| !["ENDED", "LAPSED"].contains(&one.state));
        let too_late = live().any(|one| on >= one.end || one.state == "PLANNED" && on > one.first);
        let within = live().map(|one| one.end).max().is_none_or(|end| on < end);
        let early = added.as_ref().is_some_and(|one| one.agreed.0 < on);
        if day(on).day() != 1 || on <= self.today || too_late || !within || early {
            return WRONG;
        }
        self.spare += usize::from(added.is_some());
        self.papers.amendment = Some((on, Vec::new(), added));
        self.papers.agrees = agrees;
        self.later.iter_mut().for_each(|later| later.proposed = later.state == "OPEN");
        self.extras.iter_mut().for_each(|extra| extra.proposed = extra.state == "OPEN");
        self.say(self.state, "amendment_proposed");
        Ok(())
    }

    fn sign(&mut self, side: Side) -> Answer {
        if !self.may_amend() {
            return NOT_NOW;
        }
        let Some((_, signed, _)) = &mut self.papers.amendment else { return NOT_NOW };
        if signed.contains(&side) {
            return NOT_NOW;
        }
        signed.push(side);
        if signed.len() == 1 {
            self.say(self.state, "amendment_signed");
            return Ok(());
        }
        let added = self.papers.amendment.take().and_then(|(.., added)| added);
        self.papers.version += 1;
        if self.papers.agrees {
            self.renewals.agree();
        }
        for extra in self.extras.iter_mut().filter(|extra| extra.state == "LAPSED" && !extra.proposed) {
            extra.state = "LEFT";
        }
        self.say(self.state, "amended");
        self.other_terms(added);
        Ok(())
    }

    fn stay(&mut self, until: i64) -> Answer {
        let can = ["ACTIVE", "HOLDOVER", "EXPIRED"].contains(&self.state) && self.ending.is_none();
        if !can
            || self.is_to_be_named()
            || self.window().is_some()
            || self.blocks.iter().any(|one| one.state == "PLANNED")
        {
            return NOT_NOW;
        }
        let had = self.blocks.iter().filter(|one| one.state != "LAPSED").map(|one| one.end).max();
        let from = self.papers.stays.map_or(had.unwrap_or(0), |(from, _)| from);
        let after = self.papers.stays.map_or(from, |(_, until)| until);
        let last = number(add_months(day(from), STAY_MONTHS).expect("a date"));
        if until <= self.today || until <= after || until > last {
            return WRONG;
        }
        for one in self.blocks.iter_mut().filter(|one| one.state != "LAPSED") {
            if one.held_from.unwrap_or(one.end) == from {
                (one.state, one.held_from, one.end) = ("COMMENCED", Some(from), until);
            }
        }
        self.papers.stays = Some((from, until));
        match self.state {
            "EXPIRED" => self.say("HOLDOVER", "held_over"),
            state => self.say(state, "holdover_agreed"),
        }
        Ok(())
    }

    fn leave(&mut self, end: i64) -> Answer {
        let Some((from, until)) = self.papers.stays else { return NOT_NOW };
        if !["ACTIVE", "HOLDOVER", "DEFAULTED"].contains(&self.state) {
            return NOT_NOW;
        }
        if end < from || end > until {
            return WRONG;
        }
        let held = |one: &&mut super::plain::Block| one.state == "COMMENCED" && one.held_from.is_some();
        for one in self.blocks.iter_mut().filter(held) {
            one.end = end;
            one.held_from = one.held_from.filter(|from| *from < end);
        }
        self.papers.stays = Some((from, end));
        self.say(self.state, "holdover_ended");
        Ok(())
    }

    /// A paper that somebody might put on the table next, or answer.
    pub(super) fn next_paper(&self, dice: &mut Dice) -> Deed {
        let first_of = |months: i64| {
            let this = day(self.today).with_day(1).expect("a first");
            number(add_months(this, i32::try_from(months).expect("small")).expect("a date"))
        };
        let side = if dice.chance(50) { Side::Operator } else { Side::Tenant };
        match dice.roll(0, 11) {
            0 | 1 => Deed::Ask(dice.chance(50), first_of(dice.roll(0, 4)) + i64::from(dice.chance(5))),
            2 | 3 => Deed::Consent,
            4 => Deed::Decline,
            5 if self.spares > self.spare => {
                let on = first_of(dice.roll(0, 4));
                let first = number(
                    add_months(day(on), i32::try_from(dice.roll(0, 4)).expect("small") - 1).expect("a date"),
                );
                Deed::Add(on, first, i32::try_from(dice.roll(3, 24)).expect("small"))
            }
            5 | 6 if dice.chance(40) => Deed::Agree(first_of(dice.roll(0, 6))),
            5 | 6 => Deed::Amend(first_of(dice.roll(0, 6)) + i64::from(dice.chance(5))),
            7 | 8 => Deed::Sign(side),
            9 if dice.chance(30) => Deed::Withdraw,
            10 if self.papers.stays.is_some() => {
                let (from, until) = self.papers.stays.unwrap_or_default();
                Deed::Leave(dice.roll((from.max(self.today) - 3).min(until), until + 2))
            }
            _ => {
                let ends = self.blocks.iter().filter(|one| one.state != "LAPSED").map(|one| one.end).max();
                Deed::Stay(ends.unwrap_or(self.today) + dice.roll(-5, 90))
            }
        }
    }
}
