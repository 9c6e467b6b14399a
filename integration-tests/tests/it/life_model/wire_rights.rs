//! A right of first refusal or offer that each lease gives on the hall next door, over the wire: another would take that hall, the
//! holder is asked, and answers or does not. Whether the right lives is what the model of the lease says.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as wire;
use gridlease::clients::Clients;
use integration_tests::market::{self, request_id};
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use sqlx::PgConnection;

use super::plain::{Plain, day};
use super::wire::on;
use crate::obvious::Dice;

/// The day on which whoever wants the hall would begin, later than the model goes.
const WANTED_FROM: i64 = 1_500;

/// The right of one lease, and whoever else would take what it is on.
pub(super) struct Contest {
    dice: Dice,
    operator: Clients,
    holder: Clients,
    rival: Clients,
    superuser: PgConnection,
    hall: String,
    /// `operators/{operator}`
    parent: String,
    number: u64,
    kind: wire::RightKind,
    until: Option<i64>,
    /// The proposal that waits, what its holder was offered, and the word for how that stands.
    wanted: Option<wire::Lease>,
    offer: Option<String>,
    word: &'static str,
    proposals: u64,
    /// How often each word was heard.
    pub(super) tally: BTreeMap<String, usize>,
}

impl Contest {
    pub(super) async fn prepare(stack: &TestStack, parent: &str, hall: &str, number: u64) -> Result<Self> {
        let mut dice = Dice::new(88_000 + number);
        let kind = if number.is_multiple_of(2) { wire::RightKind::Rofr } else { wire::RightKind::Rofo };
        Ok(Self {
            operator: stack.clients(parent, Role::OperatorAdmin)?,
            holder: stack.clients("tenants/lab", Role::Tenant)?,
            rival: stack.clients("tenants/rival", Role::Tenant)?,
            superuser: stack.database.superuser().await?,
            hall: hall.to_owned(),
            parent: parent.to_owned(),
            number,
            kind,
            until: dice.chance(50).then(|| dice.roll(100, 500)),
            wanted: None,
            offer: None,
            word: "NOT_OFFERED",
            proposals: 0,
            tally: BTreeMap::new(),
            dice,
        })
    }

    /// The right as the terms of the lease give it.
    pub(super) fn right(&self) -> wire::ExpansionRight {
        wire::ExpansionRight {
            right_id: "next-door".to_owned(),
            kind: self.kind.into(),
            place: self.hall.clone(),
            quantity_kw: 1_000,
            response_days: 20,
            until_date: self.until.and_then(on),
        }
    }

    /// Whether the right lives: its lease is in force, not in default and not to end early, and its own last day is to come.
    fn lives(&self, plain: &Plain) -> bool {
        ["EFFECTIVE", "ACTIVE"].contains(&plain.state)
            && plain.ending.is_none()
            && self.until.is_none_or(|until| plain.today < until)
    }

    fn count(&mut self, word: &str) {
        *self.tally.entry(word.to_owned()).or_default() += 1;
    }

    /// Something that somebody does next, compared with what the model says of it.
    pub(super) async fn go_on(&mut self, plain: &Plain) -> Result<()> {
        let Some(wanted) = self.wanted.clone() else { return self.want().await };
        let lives = self.lives(plain);
        self.count(if lives { "LIVES" } else { "SLEEPS" });
        match self.dice.roll(0, 9) {
            0..=2 => self.ask(&wanted, lives).await?,
            3 => self.answer(true).await?,
            4 => self.answer(false).await?,
            5 => self.let_pass().await?,
            6 => self.call_off(&wanted).await?,
            _ => self.sign(&wanted, lives).await?,
        }
        self.stands().await
    }

    async fn want(&mut self) -> Result<()> {
        self.proposals += 1;
        let from = day(WANTED_FROM).to_string();
        let terms = market::terms_from(&self.hall, market::load(1_000), &from);
        let id = format!("next-door-{}-{}", self.number, self.proposals);
        let proposal = market::proposal(&self.parent, "tenants/rival", &id, terms);
        let proposed = self.operator.leases().propose_lease(proposal).await.context("want")?.into_inner();
        (self.wanted, self.offer, self.word) = (proposed.lease, None, "NOT_OFFERED");
        Ok(())
    }

    async fn ask(&mut self, wanted: &wire::Lease, lives: bool) -> Result<()> {
        let ask = wire::OfferToRightHoldersRequest {
            name: wanted.name.clone(),
            request_id: request_id(),
            ..Default::default()
        };
        let mut rights = self.operator.rights();
        let told = rights.offer_to_right_holders(ask.clone()).await.context("ask")?.into_inner();
        ensure!(rights.offer_to_right_holders(ask).await?.into_inner() == told, "asked twice");
        if self.word == "NOT_OFFERED" && lives {
            self.word = "OPEN";
        }
        let [offer] = told.right_offers.as_slice() else {
            ensure!(told.right_offers.is_empty() && self.word == "NOT_OFFERED", "{told:#?}");
            return Ok(());
        };
        ensure!(self.word != "NOT_OFFERED", "a right that sleeps is not asked: {offer:#?}");
        self.offer = Some(offer.name.clone());
        Ok(())
    }

    async fn answer(&mut self, exercise: bool) -> Result<()> {
        let Some(name) = self.offer.clone() else { return Ok(()) };
        let signatory = Some(wire::Signatory { name: "Ada Marsh".to_owned(), title: String::new() });
        let waive =
            wire::WaiveRightRequest { name, signatory, request_id: request_id(), ..Default::default() };
        let mut rights = self.holder.rights();
        let mut heard = Vec::new();
        for _ in 0..2 {
            let answer = if exercise {
                let wire::WaiveRightRequest { name, signatory, note, etag, request_id, validate_only } =
                    waive.clone();
                let take =
                    wire::ExerciseRightRequest { name, signatory, note, etag, request_id, validate_only };
                rights.exercise_right(take).await.map(|_| ())
            } else {
                rights.waive_right(waive.clone()).await.map(|_| ())
            };
            heard.push(answer);
        }
        for answer in heard {
            match (self.word, answer) {
                ("OPEN", answer) => answer.context("in time")?,
                (_, Ok(())) => anyhow::bail!("answered again after {}", self.word),
                (_, Err(status)) => ensure!(Refusal::of(&status)?.reason == "INVALID_STATE_TRANSITION"),
            }
        }
        if self.word == "OPEN" {
            self.word = if exercise { "EXERCISED" } else { "WAIVED" };
        }
        Ok(())
    }

    /// As if the days to answer had passed, for the database's clock does not go with the model's.
    async fn let_pass(&mut self) -> Result<()> {
        let Some((_, id)) = self.offer.as_deref().and_then(|name| name.rsplit_once('/')) else {
            return Ok(());
        };
        let sql = "update leasing.right_offer set respond_by = clock_timestamp() \
                   where right_offer_id = $1::uuid and state = 'OPEN'";
        sqlx::query(sql).bind(id).execute(&mut self.superuser).await?;
        if self.word == "OPEN" {
            self.word = "DEEMED_WAIVED";
        }
        Ok(())
    }

    async fn call_off(&mut self, wanted: &wire::Lease) -> Result<()> {
        let cancel = wire::CancelLeaseRequest {
            name: wanted.name.clone(),
            reason: "they found another".to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.rival.leases().cancel_lease(cancel).await.context("call off")?;
        if self.word == "OPEN" {
            self.word = "WITHDRAWN";
        }
        self.wanted = None;
        Ok(())
    }

    /// The first signature of the lease that waits, and then it is called off: the hall stays free for the next one.
    async fn sign(&mut self, wanted: &wire::Lease, lives: bool) -> Result<()> {
        let cleared = !lives || ["WAIVED", "DEEMED_WAIVED"].contains(&self.word);
        let sign = market::signature(wanted);
        for _ in 0..2 {
            let answer = self.rival.leases().sign_lease(sign.clone()).await;
            if cleared {
                answer.context("nothing is in the way")?;
                continue;
            }
            let refusal = Refusal::expect(answer)?;
            let same = refusal.reason == "RIGHT_NOT_CLEARED" && refusal.fact("state")? == self.word;
            ensure!(same, "{refusal:#?} and not {}", self.word);
        }
        self.count(if cleared { "SIGNED" } else { "NOT_CLEARED" });
        if cleared { self.call_off(wanted).await } else { Ok(()) }
    }

    /// The holder reads of its offer what the model says.
    async fn stands(&mut self) -> Result<()> {
        self.count(self.word);
        let (Some(name), word) = (self.offer.clone(), self.word) else { return Ok(()) };
        let mut seen = None;
        let same = eventually("the offer is as it should be", async || {
            let get = wire::GetRightOfferRequest { name: name.clone() };
            let offer = self.holder.rights().get_right_offer(get).await?.into_inner().right_offer;
            let offer = offer.context("an offer")?;
            let same = offer.state().as_str_name() == format!("RIGHT_OFFER_STATE_{word}");
            seen = Some(offer);
            Ok(same.then_some(()))
        });
        same.await.with_context(|| format!("{seen:#?} and not {word}"))
    }
}
