//! The whole service beside the model: several leases at once, each deed sent twice, some abandoned half way and sent
//! again, and a business clock that moves. At the end states, days, reservations, events and billing's copies agree.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as wire;
use gridlease::clients::Clients;
use integration_tests::market::{self, request_id};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::{CivilDate, Role};
use runtime::wire::to_date;
use sqlx::Row as _;
use tonic::{Response, Status};

use super::options::Renewals;
use super::plain::{Block, Deed, Delivery, HALLS, Plain, Side, day};
use super::wire_rights::Contest;
use crate::obvious::Dice;

const LEASES: u64 = 10;
/// The halls of its terms, and the one next door, on which each lease gives a right.
const HALLS_EACH: usize = HALLS + 1;
/// Times at which everybody waits for the clock to move.
const ROUNDS: usize = 12;
/// Deeds of each lease between two of them.
const DEEDS: usize = 4;

/// One lease, and the model of it.
pub(super) struct Player {
    dice: Dice,
    pub(super) plain: Plain,
    pub(super) name: String,
    blocks: Vec<String>,
    pub(super) operator: Clients,
    ops: Clients,
    pub(super) tenant: Clients,
    contest: Contest,
    /// Sent, doubled, abandoned.
    calls: [usize; 3],
}

/// The rate that is stated of a renewal.
pub(super) fn rate(number: i32) -> Option<contracts::google::r#type::Decimal> {
    let units = Renewals::rate(number);
    market::decimal(&format!("{}.{:04}", units / 10_000, units % 10_000))
}

pub(super) fn on(number: i64) -> Option<contracts::google::r#type::Date> {
    Some(to_date(day(number)))
}

/// A wire call that may be made again: to all intents it is one.
pub(super) type Answer = Result<wire::Lease, Status>;

impl Player {
    async fn join(stack: &TestStack, site: &market::Site, number: u64) -> Result<Self> {
        let mut dice = Dice::new(78_000 + number);
        let plain = Plain::agree(&mut dice);
        let first = usize::try_from(number)? * HALLS_EACH;
        let blocks: Vec<String> = site.blocks[first..first + HALLS].to_vec();
        let player = Self {
            name: format!("{}/leases/life-{number}", site.operator),
            operator: stack.clients(&site.operator, Role::OperatorAdmin)?,
            ops: stack.clients(&site.operator, Role::SiteOps)?,
            tenant: stack.clients("tenants/lab", Role::Tenant)?,
            contest: Contest::prepare(stack, &site.operator, &site.blocks[first + HALLS], number).await?,
            dice,
            plain,
            blocks,
            calls: [0; 3],
        };
        let proposal =
            market::proposal(&site.operator, "tenants/lab", &format!("life-{number}"), player.terms()?);
        let lease = player.operator.leases().propose_lease(proposal).await.context("propose")?.into_inner();
        let lease = lease.lease.context("a lease")?;
        for clients in [&player.operator, &player.tenant] {
            clients.leases().sign_lease(market::signature(&lease)).await.context("sign")?;
        }
        Ok(player)
    }

    /// A hall of the terms.
    pub(super) fn premises(&self, plain: &Block) -> wire::Premises {
        let mut premises = market::terms(&self.blocks[plain.hall], market::load(1_000)).premises.remove(0);
        premises.commencement_date = on(plain.agreed.0);
        premises.end_date = on(plain.agreed.1);
        premises.quantity_steps[0].from_date = on(plain.agreed.0);
        premises
    }

    /// The name of a hall.
    pub(super) fn hall(&self, number: usize) -> &str {
        &self.blocks[number]
    }

    pub(super) fn terms(&self) -> Result<wire::LeaseTerms> {
        let small = |days: i64| i32::try_from(days);
        let mut terms = market::terms(&self.blocks[0], market::load(1_000));
        let premises = |plain: &Block| self.premises(plain);
        terms.premises = self.plain.blocks.iter().map(premises).collect();
        if let Some(later) = self.plain.later.filter(|later| later.state == "OPEN") {
            let site = self.blocks[0].split("/blocks/").next().unwrap_or_default();
            let kw = 1_000 * i64::try_from(later.left)?;
            let end = kernel::time::add_months(day(later.first), later.months).map(to_date);
            terms.nominations = vec![wire::Nomination {
                commencement_date: on(later.first),
                end_date: end,
                last_nomination_date: on(later.last),
                ..market::nomination(site, "later", kw, "2028-01-01", "2027-01-01")
            }];
        }
        let extras = self.plain.extras.iter().enumerate().filter(|(_, extra)| extra.state == "OPEN");
        terms.expansion_options = extras
            .map(|(number, extra)| wire::ExpansionOption {
                option_id: format!("more-{number}"),
                premises: vec![premises(&extra.block)],
                first_notice_date: extra.first.and_then(on),
                last_notice_date: on(extra.last),
            })
            .collect();
        let renewals = self.plain.renewals;
        let Renewals { count, months: term_months, notice: notice_months, window: window_months, .. } =
            renewals;
        if count > 0 {
            let share = |percent: i64| market::decimal(&percent.to_string());
            terms.renewal_options = vec![wire::RenewalOption {
                count,
                term_months,
                notice_months,
                window_months,
                rates_per_kw_month: (0..renewals.stated).filter_map(rate).collect(),
                market_rent: renewals.market.map(|(floor, cap)| wire::MarketRent {
                    floor_percent: share(floor),
                    cap_percent: share(cap),
                }),
            }];
        }
        for one in &self.plain.conditions {
            let side = match one.side {
                Side::Operator => wire::ConditionParty::Operator,
                Side::Tenant => wire::ConditionParty::Tenant,
            };
            terms.conditions.push(wire::Condition {
                condition_id: one.id.clone(),
                description: "financing".to_owned(),
                outside_date: on(one.outside),
                satisfied_by: side.into(),
                block: one.block.map(|block| self.blocks[block].clone()).unwrap_or_default(),
            });
        }
        if let Some(Delivery(acceptance, grace, single, outside)) = self.plain.delivery {
            terms.delivery = Some(wire::DeliveryTerms {
                acceptance_days: small(acceptance)?,
                grace_days: small(grace)?,
                single_abatement_days: small(single)?,
                outside_days: small(outside)?,
            });
        }
        if self.plain.from_each {
            terms.term_basis = wire::TermBasis::FromEachPhase.into();
        }
        terms.expansion_rights = vec![self.contest.right()];
        terms.cure = Some(wire::CureTerms { monetary_days: small(self.plain.cure)?, other_days: 30 });
        terms.termination =
            self.plain.way_out.map(|notice_months| wire::TerminationTerms { notice_months, fee_months: 3 });
        Ok(terms)
    }

    pub(super) fn side(&self, side: Side) -> &Clients {
        match side {
            Side::Operator => &self.operator,
            Side::Tenant => &self.tenant,
        }
    }

    /// Deeds until the clock moves, each compared with the model's answer.
    async fn play(mut self) -> Result<Self> {
        for _ in 0..DEEDS {
            let deed = self.plain.next(&mut self.dice);
            let answer = match &deed {
                // Who would have the lease then asks in another name; and what a lease took is given back, once it is over.
                Deed::Wait(_) | Deed::Ask(true, _) => continue,
                Deed::Stay(_) if self.plain.state == "EXPIRED" => continue,
                // The model forgets the halls of a lease that is over, where inventory does not.
                Deed::Short(..) | Deed::Ready(..) if self.plain.is_done() => continue,
                Deed::Short(..) | Deed::Ready(..) => {
                    self.tell_inventory(&deed).await.with_context(|| format!("{deed:?}"))?;
                    continue;
                }
                _ => self.ask(&deed).await?,
            };
            let expected = self.plain.apply(&deed);
            let answer = match answer {
                Ok(_) => Ok(()),
                Err(status) => Err(Refusal::of(&status)?.reason),
            };
            let same = answer.as_ref().map_err(String::as_str)
                == expected.as_ref().map_err(|reason| *reason).map(|()| &());
            ensure!(same, "{} {deed:?}: {answer:?} and not {expected:?}\n{:#?}", self.name, self.plain);
            self.agrees().await.with_context(|| format!("after {deed:?}"))?;
            self.contest.go_on(&self.plain).await.with_context(|| format!("next door, after {deed:?}"))?;
        }
        Ok(self)
    }

    async fn ask(&mut self, deed: &Deed) -> Result<Answer> {
        let (name, request_id) = (self.name.clone(), request_id());
        Ok(match deed.clone() {
            Deed::Satisfy(side, condition) => {
                let ask = wire::SatisfyConditionRequest { name, condition, request_id, ..Default::default() };
                let clients = self.side(side).clone();
                self.sure(async || taken(clients.leases().satisfy_condition(ask.clone()).await, |r| r.lease))
                    .await
            }
            Deed::Accept(block, day) => {
                let ask = wire::AcceptBlockRequest {
                    name,
                    block: self.blocks[self.plain.blocks[block].hall].clone(),
                    accept_date: on(day),
                    signatory: Some(wire::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
                    request_id,
                    ..Default::default()
                };
                let clients = self.tenant.clone();
                self.sure(async || taken(clients.leases().accept_block(ask.clone()).await, |r| r.lease)).await
            }
            Deed::Notify(kind) => {
                let kind = match kind {
                    "DEFAULT" => wire::NoticeKind::MonetaryDefault,
                    "CURED" => wire::NoticeKind::Cured,
                    _ => wire::NoticeKind::CloseOut,
                };
                let note = "why".to_owned();
                let ask = wire::GiveNoticeRequest {
                    name,
                    kind: kind.into(),
                    note,
                    request_id,
                    ..Default::default()
                };
                let clients = self.operator.clone();
                self.sure(async || taken(clients.leases().give_notice(ask.clone()).await, |r| r.lease)).await
            }
            Deed::End(side, ground, end) => {
                let ground = match ground {
                    "DEFAULT" => wire::TerminationGround::Default,
                    "OUTSIDE_DATE" => wire::TerminationGround::OutsideDate,
                    _ => wire::TerminationGround::Fee,
                };
                let ask = wire::TerminateLeaseRequest {
                    name,
                    ground: ground.into(),
                    end_date: on(end),
                    reason: "why".to_owned(),
                    request_id,
                    ..Default::default()
                };
                let clients = self.side(side).clone();
                self.sure(async || taken(clients.leases().terminate_lease(ask.clone()).await, |r| r.lease))
                    .await
            }
            Deed::Wait(_) | Deed::Short(..) | Deed::Ready(..) => anyhow::bail!("nothing to ask"),
            paper => self.ask_paper(&paper).await?,
        })
    }

    /// Makes a call as somebody would who trusts no network: it may be given up half way, and is made twice at once.
    pub(super) async fn sure(&mut self, call: impl AsyncFn() -> Answer) -> Answer {
        self.calls[0] += 1;
        if self.dice.chance(25) {
            self.calls[2] += 1;
            let patience = Duration::from_millis(u64::try_from(self.dice.roll(0, 6)).unwrap_or(0));
            let _ = tokio::time::timeout(patience, call()).await;
        }
        if !self.dice.chance(40) {
            return again(&call).await;
        }
        self.calls[1] += 1;
        let (one, other) = tokio::join!(again(&call), again(&call));
        match (&one, &other) {
            (Ok(one), Ok(other)) => assert_eq!(one, other, "two answers to one request"),
            (Err(one), Err(other)) => assert_eq!(one.code(), other.code(), "two answers to one request"),
            _ => panic!("two answers to one request: {one:?}, {other:?}"),
        }
        one
    }

    /// What the site's staff say of a phase, which leasing hears in inventory's feed.
    async fn tell_inventory(&mut self, deed: &Deed) -> Result<()> {
        match deed {
            Deed::Short(block, until) => {
                let agreed = self.plain.blocks[*block].agreed.0;
                self.slip(*block, day(until.unwrap_or(agreed))).await?;
                self.plain.apply(deed).ok();
            }
            Deed::Ready(block, at) => {
                self.ready(*block, *at).await?;
                let short = (*at > self.plain.blocks[*block].agreed.0).then_some(*at);
                self.plain.apply(&Deed::Short(*block, short)).ok();
                self.plain.apply(deed).ok();
            }
            _ => {}
        }
        self.agrees().await
    }

    async fn slip(&self, block: usize, to: CivilDate) -> Result<()> {
        let slip = inventory::SlipPhaseRequest {
            name: format!("{}/phases/one", self.blocks[self.plain.blocks[block].hall]),
            ready_for_service_date: Some(to_date(to)),
            date_basis: inventory::DateBasis::Forecast.into(),
            reason: "transformers".to_owned(),
            accept_shortfall: true,
            request_id: request_id(),
            ..Default::default()
        };
        self.ops.sites().slip_phase(slip).await.context("slip")?;
        Ok(())
    }

    async fn ready(&self, block: usize, at: i64) -> Result<()> {
        use inventory::UseState::{Commissioning, Ready};
        for (state, date) in [(Commissioning, None), (Ready, on(at))] {
            let advance = inventory::AdvancePhaseRequest {
                name: format!("{}/phases/one", self.blocks[self.plain.blocks[block].hall]),
                use_state: state.into(),
                date,
                accept_shortfall: true,
                request_id: request_id(),
                ..Default::default()
            };
            self.ops.sites().advance_phase(advance).await.with_context(|| format!("{state:?} on {at}"))?;
        }
        Ok(())
    }

    /// Waits until the lease is as the model says.
    async fn agrees(&self) -> Result<()> {
        let mut seen = None;
        let same = eventually("the lease is as it should be", async || {
            let ask = wire::GetLeaseRequest { name: self.name.clone(), version: 0 };
            let lease = self.operator.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
            let same = self.is(&lease);
            seen = Some(lease);
            Ok(same.then_some(()))
        });
        same.await.with_context(|| format!("{seen:#?}\n{:#?}", self.plain))
    }

    fn is(&self, lease: &wire::Lease) -> bool {
        let state = format!("LEASE_STATE_{}", self.plain.state);
        let open = |one: &&wire::Expansion| one.state() == wire::ExpansionState::Open;
        let ought_open = self.plain.extras.iter().filter(|extra| extra.state == "OPEN").count();
        let left = |one: &wire::NominationStatus| one.left.map_or(0, |left| left.critical_it_kw);
        let left: i64 = lease.nominations.iter().map(left).sum();
        let later = self.plain.later.filter(|later| later.state == "OPEN").map_or(0, |later| later.left);
        i64::try_from(later).is_ok_and(|halls| left == 1_000 * halls)
            && lease.state().as_str_name() == state
            && lease.blocks.len() == self.plain.blocks.len()
            && lease.expansions.iter().filter(open).count() == ought_open
            // What time has settled is told a moment after its day.
            && lease.assignment.is_some() == self.plain.papers.asked.is_some()
            && lease.amendment.is_some() == self.plain.papers.amendment.is_some()
            && lease.blocks.iter().zip(&self.plain.blocks).all(|(is, ought)| {
                use wire::LeaseBlockState::{Planned, Ready};
                let planned = [Planned, Ready].contains(&is.state());
                let state = if planned {
                    "PLANNED"
                } else {
                    is.state().as_str_name().trim_start_matches("LEASE_BLOCK_STATE_")
                };
                let lapsed = ought.state == "LAPSED";
                state == ought.state
                    && (ought.state != "PLANNED" || (is.state() == Ready) == ought.ready.is_some())
                    && (lapsed
                        || is.commencement_date == on(ought.first)
                            && is.end_date == on(ought.end)
                            && is.rent_commencement_date == on(ought.rent)
                            && i64::from(is.days_late) == ought.late)
            })
    }

    /// What was told, and what the reservation takes.
    async fn ends_as_it_should(&self) -> Result<()> {
        let ask = wire::GetHistoryRequest { name: self.name.clone(), page_size: 1_000, ..Default::default() };
        let history = self.tenant.leases().get_history(ask).await?.into_inner().happenings;
        let told: Vec<_> = history
            .iter()
            .map(|one| one.kind.trim_start_matches("lease."))
            .filter(|kind| !["proposed", "signed", "delivery_moved", "block_ready"].contains(kind))
            .collect();
        ensure!(told == self.plain.told, "{told:?} and not {:?}", self.plain.told);
        let ask = wire::GetLeaseRequest { name: self.name.clone(), version: 0 };
        let lease = self.operator.leases().get_lease(ask).await?.into_inner().lease.context("a lease")?;
        if lease.reservation.is_empty() {
            let none = self.plain.blocks.iter().all(|block| block.state == "LAPSED");
            ensure!(none, "no reservation for {:#?}", self.plain);
            return Ok(());
        }
        let given_back = self.plain.told.iter().any(|told| ["lapsed", "terminated"].contains(told));
        eventually("the reservation takes what the lease says", async || {
            let name = lease.reservation.clone();
            let ask = inventory::GetReservationRequest { name, ..Default::default() };
            let found = self.operator.reservations().get_reservation(ask).await?.into_inner().reservation;
            let found = found.context("a reservation")?;
            // Who leaves on the day itself leaves nothing to be told of.
            let released = found.state() == inventory::ReservationState::Released;
            if self.plain.told.contains(&"holdover_ended") && self.plain.state != "HOLDOVER" && released {
                return Ok(Some(()));
            }
            // An option that was open when the term was over is given back with all that is left.
            if self.plain.extras.iter().any(|extra| extra.state == "GONE") && released {
                return Ok(Some(()));
            }
            if given_back {
                return Ok((found.state() == inventory::ReservationState::Released).then_some(()));
            }
            let says = |block: &wire::LeaseBlock| {
                let text = |date: Option<contracts::google::r#type::Date>| {
                    date.map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day))
                        .unwrap_or_default()
                };
                let (from, until) = (text(block.commencement_date), text(block.end_date));
                (block.block.clone(), Some(market::profile(market::load(1_000), &from, &until)))
            };
            let live = lease.blocks.iter().filter(|block| block.state() != wire::LeaseBlockState::Lapsed);
            // A block that has not commenced takes what was agreed until it does.
            // What is held for options is no block of the lease, or beyond its end.
            let nothing_left = self.plain.papers.amendment.is_none()
                && self.plain.window().is_none()
                && self.plain.extras.iter().all(|extra| extra.state != "OPEN");
            let begun = nothing_left
                && live.clone().all(|block| {
                    ![wire::LeaseBlockState::Planned, wire::LeaseBlockState::Ready].contains(&block.state())
                });
            let mut is: Vec<_> = found.claims.into_iter().map(|claim| (claim.block, claim.profile)).collect();
            let mut ought: Vec<_> = live.map(says).collect();
            is.sort_by(|one, other| one.0.cmp(&other.0));
            ought.sort_by(|one, other| one.0.cmp(&other.0));
            let same =
                found.state == i32::from(inventory::ReservationState::Committed) && (!begun || is == ought);
            Ok(same.then_some(()))
        })
        .await
    }
}

/// Until there is an answer.
async fn again(call: &impl AsyncFn() -> Answer) -> Answer {
    for _ in 0..50 {
        match call().await {
            Err(status) if status.code() == tonic::Code::Aborted => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            answer => return answer,
        }
    }
    call().await
}

pub(super) fn taken<T>(
    answer: Result<Response<T>, Status>,
    lease: impl Fn(T) -> Option<wire::Lease>,
) -> Answer {
    let lease = lease(answer?.into_inner());
    lease.ok_or_else(|| Status::internal("no lease"))
}

/// Every word of a right was heard.
fn rights_were_tried(players: &[Player]) -> Result<()> {
    let heard =
        |word: &str| players.iter().filter_map(|player| player.contest.tally.get(word)).sum::<usize>();
    for word in [
        "LIVES",
        "SLEEPS",
        "SIGNED",
        "NOT_CLEARED",
        "OPEN",
        "EXERCISED",
        "WAIVED",
        "DEEMED_WAIVED",
        "WITHDRAWN",
    ] {
        ensure!(heard(word) > 0, "never {word}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_live_over_the_wire_as_the_obvious_model_does() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let halls = vec![market::hall(1_000); usize::try_from(LEASES)? * HALLS_EACH];
    let site = market::site(clients, "acme", &halls).await?;
    market::tenant(clients, "lab").await?;
    market::tenant(clients, "guest").await?;
    market::tenant(clients, "rival").await?;
    stack.move_to(day(0)).await?;
    let mut players = Vec::new();
    for number in 0..LEASES {
        let player = Player::join(&stack, &site, number).await?;
        player.agrees().await?;
        players.push(player);
    }
    let (mut dice, mut today) = (Dice::new(5), 0);
    for _ in 0..ROUNDS {
        let days = dice.roll(5, 60);
        today += days;
        stack.move_to(day(today)).await?;
        for player in &mut players {
            player.plain.apply(&Deed::Wait(days)).ok();
            player.agrees().await.with_context(|| format!("{days} days on"))?;
        }
        players = futures::future::try_join_all(players.into_iter().map(Player::play)).await?;
        players.sort_by(|one, other| one.name.cmp(&other.name));
    }
    for player in &players {
        player.ends_as_it_should().await.with_context(|| format!("{:#?}", player.plain))?;
    }
    let mut superuser = stack.database.superuser().await?;
    eventually("billing knows every lease as it is", async || {
        let sql =
            "select count(*) from leasing.lease l left join billing.lease b using (operator_id, lease_id)
                   where b.state is distinct from l.state";
        let other: i64 = sqlx::query(sql).fetch_one(&mut superuser).await?.get(0);
        Ok((other == 0).then_some(()))
    })
    .await?;
    ensure!(stack.database.oversold().await? == 0, "oversold");
    let calls = players.iter().fold([0; 3], |sum, player| [0, 1, 2].map(|at| sum[at] + player.calls[at]));
    ensure!(calls.iter().all(|count| *count > 5), "it was no play: {calls:?}");
    println!("{calls:?} calls sent, doubled, abandoned");
    rights_were_tried(&players)?;
    stack.stop().await;
    Ok(())
}
