//! Rights of first refusal and offer beside a model of words: whoever was offered what another would take answers in time or
//! has waived, an answer is final, and nobody signs before every answer is no.

use std::collections::BTreeMap;

use kernel::{Instant, RightOfferId, RightOfferName, Uuid};
use leasing::domain::right::{
    Answer, Encumbered, ExpansionRight, OfferDeed, OfferState, RightKind, RightOffer, check_cleared,
};
use leasing::domain::terms::{Structure, Terms};
use leasing::domain::{Signatory, contract::Contract};

use super::plain::day;
use crate::obvious::Dice;

/// Proposals that are raced, and what is done about each.
const PROPOSALS: u64 = 2_000;
const DEEDS: usize = 25;

/// A right, as the model knows it: the word for it, and the last day of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plain {
    word: &'static str,
    until: i64,
}

fn noon(number: i64) -> Instant {
    kernel::Zone::UTC.start_of_day(day(number)) + chrono::TimeDelta::hours(12)
}

fn right(number: usize, days: i64) -> ExpansionRight {
    ExpansionRight {
        id: format!("right-{number}"),
        kind: if number.is_multiple_of(2) { RightKind::Rofr } else { RightKind::Rofo },
        place: "operators/acme/sites/rockdale".parse().expect("a place"),
        quantity_kw: 1_000,
        response_days: u32::try_from(days).expect("small"),
        until: None,
    }
}

fn offered(number: usize, right: ExpansionRight, today: i64) -> RightOffer {
    let id = RightOfferId::new(Uuid::from_u128(u128::try_from(number).expect("small") + 1));
    RightOffer {
        name: RightOfferName::new("acme".parse().expect("an id"), id),
        lease: "operators/acme/leases/held".parse().expect("a name"),
        tenant: "tenants/lab".parse().expect("a name"),
        offered_lease: "operators/acme/leases/wanted".parse().expect("a name"),
        terms: terms(),
        state: OfferState::Open,
        respond_by: noon(today) + chrono::TimeDelta::days(right.response_days.into()),
        answer: None,
        revision: 1,
        create_time: noon(today),
        update_time: noon(today),
        right,
    }
}

fn terms() -> Terms {
    Terms {
        currency: kernel::Currency::USD,
        structure: Structure::TripleNet,
        premises: Vec::new(),
        escalator: None,
        invoice_lead_days: 0,
        payment_terms_days: 30,
        term_months: 12,
        renewal_options: Vec::new(),
        expansion_options: Vec::new(),
        nominations: Vec::new(),
        announced: None,
        notes: String::new(),
        contract: Contract::default(),
    }
}

/// The rights on one proposal, and the offers that were made of it.
struct Run {
    rights: Vec<ExpansionRight>,
    offers: Vec<Option<RightOffer>>,
    today: i64,
}

impl Run {
    /// What the sweeper does, and whoever would sign.
    fn sweep(&mut self) {
        let now = noon(self.today);
        for offer in self.offers.iter_mut().flatten() {
            if offer.state == OfferState::Open && offer.respond_by <= now {
                *offer = offer.clone().ended(OfferDeed::Lapse, now).expect("it was open");
            }
        }
    }

    fn answer(&mut self, at: usize, deed: OfferDeed) -> Result<(), String> {
        let Some(offer) = &self.offers[at] else { return Err("RESOURCE_NOT_FOUND".to_owned()) };
        let signatory = Signatory { name: "Ada Marsh".to_owned(), title: String::new() };
        let (note, subject, time) = (String::new(), "tester".to_owned(), noon(self.today));
        let answer = Answer { signatory, note, subject, time };
        let answered = offer.clone().answered(deed, answer, noon(self.today));
        self.offers[at] = Some(answered.map_err(|refusal| refusal.reason().to_string())?);
        Ok(())
    }

    fn sign(&mut self) -> Result<(), String> {
        self.sweep();
        let asked = self.rights.iter().zip(&self.offers).map(|(right, offer)| Encumbered {
            lease: "operators/acme/leases/held".parse().expect("a name"),
            tenant: "tenants/lab".parse().expect("a name"),
            right: right.clone(),
            offer: offer.as_ref().map(|offer| (offer.state, offer.respond_by)),
        });
        check_cleared(&asked.collect::<Vec<_>>())
            .map_err(|refusal| refusal.metadata().get("state").cloned().unwrap_or_default())
    }
}

/// What the model says to a signature: the first word that is no no.
fn may_sign(plain: &[Plain]) -> Result<(), String> {
    let open = plain.iter().find(|one| !["WAIVED", "DEEMED_WAIVED"].contains(&one.word));
    open.map_or(Ok(()), |one| Err(one.word.to_owned()))
}

fn race(seed: u64, tally: &mut BTreeMap<String, u64>) {
    let mut dice = Dice::new(seed);
    let count = usize::try_from(dice.roll(0, 4)).expect("small");
    let rights: Vec<_> = (0..count).map(|number| right(number, dice.roll(1, 20))).collect();
    let mut plain = vec![Plain { word: "NOT_OFFERED", until: 0 }; count];
    let mut run = Run { offers: vec![None; count], rights, today: 0 };
    for step in 0..DEEDS {
        let at = usize::try_from(dice.roll(0, 3)).expect("small") % count.max(1);
        // Time goes first, for both.
        run.today += dice.roll(0, 2);
        for one in plain.iter_mut().filter(|one| one.word == "OPEN" && one.until <= run.today) {
            one.word = "DEEMED_WAIVED";
        }
        if dice.chance(30) {
            run.sweep();
        }
        let (is, ought) = match dice.roll(0, 3) {
            0 => {
                for (number, one) in plain.iter_mut().enumerate().filter(|(_, one)| one.word == "NOT_OFFERED")
                {
                    let right = run.rights[number].clone();
                    let until = run.today + i64::from(right.response_days);
                    *one = Plain { word: "OPEN", until };
                    run.offers[number] = Some(offered(number, right, run.today));
                }
                continue;
            }
            1 => (run.sign(), may_sign(&plain)),
            _ if count == 0 => continue,
            deed => {
                let (deed, word) =
                    if deed == 2 { (OfferDeed::Exercise, "EXERCISED") } else { (OfferDeed::Waive, "WAIVED") };
                let ought = match plain[at].word {
                    "OPEN" => Ok(()),
                    "NOT_OFFERED" => Err("RESOURCE_NOT_FOUND".to_owned()),
                    _ => Err("INVALID_STATE_TRANSITION".to_owned()),
                };
                if ought.is_ok() {
                    plain[at].word = word;
                }
                (run.answer(at, deed), ought)
            }
        };
        assert_eq!(is, ought, "seed {seed}, step {step}: {plain:?}");
        *tally.entry(is.err().unwrap_or_else(|| "OK".to_owned())).or_default() += 1;
    }
    run.sweep();
    for (one, offer) in plain.iter().zip(&run.offers) {
        let word = offer.as_ref().map_or("NOT_OFFERED", |offer| offer.state.name());
        assert_eq!(word, one.word, "seed {seed}");
        *tally.entry(word.to_owned()).or_default() += 1;
    }
}

#[test]
fn rights_are_answered_as_the_obvious_model_says_and_nobody_signs_before() {
    let mut tally = BTreeMap::new();
    for seed in 9_000_000..9_000_000 + PROPOSALS {
        race(seed, &mut tally);
    }
    for word in
        ["OK", "NOT_OFFERED", "OPEN", "EXERCISED", "WAIVED", "DEEMED_WAIVED", "INVALID_STATE_TRANSITION"]
    {
        assert!(tally.contains_key(word), "never {word}: {tally:?}");
    }
}
