//! Service levels from the wire, and onto it.

use contracts::billing::v1 as wire;
use contracts::billing::v1::credit_rule::Trigger as WireTrigger;
use kernel::{Percent, Violations};
use runtime::wire::{known, percent, to_decimal};

use crate::domain::service_level::{CreditRule, Further, ServiceKind, ServiceLevel, Trigger};

const RULES_MAX: usize = 50;
/// The minutes of 31 days.
const MINUTES_MAX: i32 = 44_640;
const DAYS_MAX: i32 = 31;
const OUTAGES_MAX: i32 = 10_000;

pub(super) fn read(v: &mut Violations, level: &wire::ServiceLevel) -> Option<ServiceLevel> {
    let few = (1..=RULES_MAX).contains(&level.rules.len());
    v.require("rules", few, "must be 1 to 50 rules");
    let rules = v.each("rules", level.rules.iter().take(RULES_MAX), rule);
    let cap = percent(v, "cap_percent", level.cap_percent.as_ref());
    let cap = cap.filter(|cap| v.require("cap_percent", is_part(*cap), "must be from 0 to 100"));
    Some(ServiceLevel { rules: rules?, cap: cap?, single_feed_counts: level.single_feed_counts })
}

fn is_part(percent: Percent) -> bool {
    let whole: Option<Percent> = "100".parse().ok();
    !percent.is_negative() && whole.is_some_and(|whole| percent <= whole)
}

fn rule(v: &mut Violations, rule: &wire::CreditRule) -> Option<CreditRule> {
    let kind = known::<wire::ServiceKind>(v, "kind", rule.kind).and_then(kind_of);
    let trigger = v.present("trigger", rule.trigger.as_ref()).and_then(|asked| trigger(v, asked));
    let days = day_count(v, "days_of_rent", rule.days_of_rent);
    let further = further(v, rule);
    let most = rule.days_of_rent_max;
    v.require("days_of_rent_max", (0..=DAYS_MAX).contains(&most), "must be from 0 to 31 days");
    let warm = rule.warmer_than_decicelsius.is_none() || kind != Some(ServiceKind::Power);
    v.require("warmer_than_decicelsius", warm, "is of cooling only");
    Some(CreditRule {
        kind: kind?,
        trigger: trigger?,
        days: days?,
        further: further?,
        days_max: (most != 0).then_some(i64::from(most)),
        warmer_than: rule.warmer_than_decicelsius,
    })
}

fn trigger(v: &mut Violations, trigger: &WireTrigger) -> Option<Trigger> {
    match trigger {
        WireTrigger::OverMinutes(minutes) => {
            let within = (0..=MINUTES_MAX).contains(minutes);
            v.require("over_minutes", within, "must be from 0 to 44640 minutes")
                .then_some(Trigger::Over((*minutes).into()))
        }
        WireTrigger::AtLeastMinutes(minutes) => {
            let within = (1..=MINUTES_MAX).contains(minutes);
            v.require("at_least_minutes", within, "must be from 1 to 44640 minutes")
                .then_some(Trigger::AtLeast((*minutes).into()))
        }
        WireTrigger::AvailabilityBelowPercent(below) => {
            let field = "availability_below_percent";
            let below = percent(v, field, Some(below))?;
            let part = is_part(below) && below != Percent::ZERO;
            v.require(field, part, "must be above 0 and at most 100")
                .then_some(Trigger::AvailabilityBelow(below))
        }
        WireTrigger::OutagesOver(most) => {
            let within = (0..=OUTAGES_MAX).contains(most);
            v.require("outages_over", within, "must be from 0 to 10000 outages")
                .then_some(Trigger::OutagesOver((*most).into()))
        }
    }
}

fn further(v: &mut Violations, rule: &wire::CreditRule) -> Option<Option<Further>> {
    let (minutes, days) = (rule.each_further_minutes, rule.further_days);
    if (minutes, days) == (0, 0) {
        return Some(None);
    }
    let counts = matches!(rule.trigger, Some(WireTrigger::OutagesOver(_)));
    v.require("each_further_minutes", !counts, "is not allowed where outages are counted");
    let within = (1..=MINUTES_MAX).contains(&minutes);
    v.require("each_further_minutes", within, "must be from 1 to 44640 minutes");
    let days = day_count(v, "further_days", days)?;
    Some(Some(Further { minutes: minutes.into(), days }))
}

fn day_count(v: &mut Violations, field: &str, days: i32) -> Option<i64> {
    v.require(field, (1..=DAYS_MAX).contains(&days), "must be from 1 to 31 days").then_some(days.into())
}

fn kind_of(kind: wire::ServiceKind) -> Option<ServiceKind> {
    match kind {
        wire::ServiceKind::Unspecified => None,
        wire::ServiceKind::Power => Some(ServiceKind::Power),
        wire::ServiceKind::Cooling => Some(ServiceKind::Cooling),
    }
}

pub(super) fn to_wire(level: &ServiceLevel) -> wire::ServiceLevel {
    wire::ServiceLevel {
        rules: level.rules.iter().map(rule_to_wire).collect(),
        cap_percent: Some(to_decimal(level.cap)),
        single_feed_counts: level.single_feed_counts,
    }
}

fn rule_to_wire(rule: &CreditRule) -> wire::CreditRule {
    let small = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let kind = match rule.kind {
        ServiceKind::Power => wire::ServiceKind::Power,
        ServiceKind::Cooling => wire::ServiceKind::Cooling,
    };
    let trigger = match &rule.trigger {
        Trigger::Over(minutes) => WireTrigger::OverMinutes(small(*minutes)),
        Trigger::AtLeast(minutes) => WireTrigger::AtLeastMinutes(small(*minutes)),
        Trigger::AvailabilityBelow(percent) => WireTrigger::AvailabilityBelowPercent(to_decimal(*percent)),
        Trigger::OutagesOver(most) => WireTrigger::OutagesOver(small(*most)),
    };
    wire::CreditRule {
        kind: kind.into(),
        trigger: Some(trigger),
        days_of_rent: small(rule.days),
        each_further_minutes: rule.further.map_or(0, |further| small(further.minutes)),
        further_days: rule.further.map_or(0, |further| small(further.days)),
        days_of_rent_max: rule.days_max.map_or(0, small),
        warmer_than_decicelsius: rule.warmer_than,
    }
}
