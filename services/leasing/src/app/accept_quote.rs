//! Accepting: the choice is recorded, what the quote holds is made to last, the lease is proposed by the usual way under
//! the ids that its hold was placed with, and the quote says so. Whoever dies in between, the sweeper goes on; a refused
//! lease puts the quote back on the table.

use kernel::{Caller, Error, MasterAgreementName, Organisation, QuoteName, Role, Uuid, derive_id};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::quote_lease::release_all;
use super::quotes::{absent, rpc_of};
use super::requests::{in_progress, is_nothing_done, is_refusal};
use super::{App, Hands, OfQuote, ProposeLease, kind, rpc};
use crate::domain::quote_hold::QuoteHold;
use crate::domain::quote_record::{Quote, QuoteState};
use crate::domain::{Checked, Draft, Findings, Lease};
use crate::store::{self, SCHEMA};

const BATCH: u32 = 64;

/// An option that is to be taken up.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptQuote {
    /// Which quote.
    pub name: QuoteName,
    /// Which option, from 1.
    pub option: u32,
    /// The agreement that the lease is an order under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<MasterAgreementName>,
    /// The etag that the caller read.
    pub etag: String,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// How an acceptance ends.
#[derive(Clone, Copy)]
enum Ending {
    /// Its lease was proposed.
    Proposed,
    /// Its lease was refused.
    Refused,
    /// What the quote held under this uid was gone.
    HoldGone(Uuid),
}

/// What the first transaction found.
enum Begun {
    Answered(Vec<u8>),
    Quote(Box<Quote>),
    Elsewhere,
}

impl App {
    /// Takes up an option: ACCEPTED with its lease PROPOSED, or on the table as before.
    ///
    /// # Errors
    /// What a lease is refused with, unchanged, an order under an agreement as any; `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`,
    /// `QUOTE_LAPSED`, `INVALID_FIELD` for a number that no option has; what a request id is refused with.
    pub async fn accept_quote(&self, caller: &Caller, command: AcceptQuote) -> Result<Answer<Quote>, Error> {
        let scope = caller.scope_of_operator(&command.name.operator).map_err(|_| absent())?;
        let hands = Hands { db: &self.db, scope: &scope };
        let owner = format!("operators/{}", command.name.operator);
        let key = &RequestKey::new(owner, caller, rpc::ACCEPT_QUOTE, command.request_id, &command)?;
        let (wanted, now) = (&command, self.now());
        let begun = hands
            .db
            .in_tx("accept_quote_intent", hands.scope, |tx| async move {
                // The lock first: a repetition that waited for it finds the answer behind it.
                let found = store::lock_quote(tx.conn(), &wanted.name, rpc_of).await?;
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Begun::Answered(reply)));
                }
                let (quote, intent) = found.ok_or_else(absent)?;
                if intent.is_some_and(|intent| intent == *key) {
                    return Ok((tx, Begun::Elsewhere));
                }
                if wanted.etag != quote.etag() {
                    return Err(Error::etag_mismatch());
                }
                // The database's time, since the row is locked: nobody waits his way into a quote that is over.
                let time = store::database_time(tx.conn()).await?;
                let quote = quote.accept(wanted.option, wanted.master.as_ref(), time, now)?;
                if !wanted.validate_only {
                    store::update_quote(tx.conn(), &quote, Some(key)).await?;
                }
                Ok((tx, Begun::Quote(Box::new(quote))))
            })
            .await?;
        match begun {
            Begun::Answered(reply) => Ok(Answer::Replayed(reply)),
            // The first attempt is under way, or the sweeper finishes it.
            Begun::Elsewhere => Err(in_progress()),
            Begun::Quote(quote) if wanted.validate_only => {
                match self.held_for(&quote)? {
                    // Whether it could be held anew says nothing: the quote itself holds it.
                    Some((_, lease)) => {
                        let terms = self.accepted_terms(&quote)?;
                        self.under_agreement(hands, &quote.tenant, terms).await?;
                        self.make_quote_hold_last(&quote, &lease, true).await?;
                    }
                    None => self.propose_accepted(&quote, None, true).await?,
                }
                Ok(Answer::Fresh(*quote))
            }
            Begun::Quote(quote) => {
                failpoint("leasing.accept.after_intent")?;
                self.finish_acceptance(hands, *quote).await
            }
        }
    }

    /// What is held for the chosen option, and the lease that it is held for.
    fn held_for<'a>(&self, quote: &'a Quote) -> Result<Option<(&'a QuoteHold, Lease)>, Error> {
        let option = quote.accepted.and_then(|number| quote.option(number));
        let Some(hold) = option.and_then(|option| quote.hold_of(option)) else { return Ok(None) };
        Ok(Some((hold, quote.lease_of_hold(hold, self.now())?)))
    }

    /// What is held for a quote lasts as long as signatures may take, or is gone.
    async fn make_quote_hold_last(
        &self,
        quote: &Quote,
        lease: &Lease,
        validate_only: bool,
    ) -> Result<(), Error> {
        let operator = Organisation::Operator(quote.name.operator.clone());
        let seconds = u64::try_from(quote.hold_seconds).map_err(Error::internal)?;
        let step = format!("accept/{}", quote.revision);
        let minimum = std::time::Duration::from_secs(seconds);
        self.inventory.extend_hold(&operator, lease, &step, minimum, validate_only).await
    }

    /// From the recorded choice to the end: also the sweeper's way.
    async fn finish_acceptance(&self, hands: Hands<'_>, quote: Quote) -> Result<Answer<Quote>, Error> {
        let held = self.held_for(&quote)?;
        if let Some((hold, lease)) = &held {
            match self.make_quote_hold_last(&quote, lease, false).await {
                Err(refusal) if is_refusal(refusal.reason()) => {
                    self.end_acceptance(hands, &quote, Ending::HoldGone(hold.uid)).await?;
                    return Err(refusal);
                }
                extended => extended?,
            }
            failpoint("leasing.accept.after_extend")?;
        }
        match self.propose_accepted(&quote, held.as_ref().map(|(hold, _)| *hold), false).await {
            Ok(()) => {}
            Err(refusal) if is_nothing_done(refusal.reason()) => {
                failpoint("leasing.accept.after_refusal")?;
                self.end_acceptance(hands, &quote, Ending::Refused).await?;
                return Err(refusal);
            }
            Err(open) => return Err(open),
        }
        failpoint("leasing.accept.after_propose")?;
        if let Some((_, Lease { name: lease, hold: Some(hold), .. })) = &held {
            // The lease knows of its hold what was true when the quote was made; and between the two steps before,
            // somebody may have given it back while there was no lease to tell.
            self.look_at_hold(lease, *hold).await?;
        }
        let answer = self.end_acceptance(hands, &quote, Ending::Proposed).await?;
        failpoint("leasing.accept.after_record")?;
        Ok(answer)
    }

    /// What the chosen option says, as an order under the agreement that was named.
    fn accepted_terms(&self, quote: &Quote) -> Result<Checked, Error> {
        let option = quote.accepted.and_then(|number| quote.option(number));
        let offer = option.ok_or_else(|| Error::internal("an accepted quote without its option"))?;
        let mut findings = Findings::new();
        let draft = Draft { master: quote.master.clone(), ..Draft::of(&offer.terms) };
        let terms = draft.check(Some(&quote.name.operator), self.now().date_naive(), &mut findings);
        findings.finish()?;
        terms.ok_or_else(|| Error::internal("terms that were quoted do not check"))
    }

    /// Proposes the lease of the chosen option for the operator, whose offer it is, under an id that the quote decides:
    /// asked again, it is the same lease, with the hold that the quote had.
    async fn propose_accepted(
        &self,
        quote: &Quote,
        hold: Option<&QuoteHold>,
        validate_only: bool,
    ) -> Result<(), Error> {
        let terms = self.accepted_terms(quote)?;
        let operator = Caller {
            subject: quote.author.clone(),
            organisation: Organisation::Service("leasing".to_owned()),
            roles: vec![Role::Service],
            on_behalf_of: Some(Organisation::Operator(quote.name.operator.clone())),
            token_id: String::new(),
        };
        let attempt = format!("accept {}", quote.revision);
        let command = ProposeLease {
            operator: quote.name.operator.clone(),
            lease: Some(quote.lease_name()?.lease),
            of_quote: Some(OfQuote {
                name: quote.name.clone(),
                revision: quote.revision,
                uid: hold.map(|hold| hold.uid),
            }),
            tenant: quote.tenant.clone(),
            terms,
            hold_seconds: hold.map_or(quote.hold_seconds, |hold| hold.seconds),
            request_id: derive_id(quote.name.quote.get(), &attempt),
            validate_only,
        };
        self.propose_lease(&operator, command).await.map(|_| ())
    }

    async fn end_acceptance(
        &self,
        hands: Hands<'_>,
        begun: &Quote,
        ending: Ending,
    ) -> Result<Answer<Quote>, Error> {
        let now = self.now();
        let answer = hands
            .db
            .in_tx("accept_quote", hands.scope, |tx| async move {
                let found = store::lock_quote(tx.conn(), &begun.name, rpc_of).await?;
                let (quote, intent) = found.ok_or_else(absent)?;
                let is_ours = quote.state == QuoteState::Accepting && quote.revision == begun.revision;
                let Some(key) = intent.filter(|_| is_ours) else {
                    // Another worker of this saga was faster; what is taken up by now may be another option.
                    return Ok((tx, Answer::Fresh(quote)));
                };
                let refused = !matches!(ending, Ending::Proposed);
                if refused && store::lock(tx.conn(), &quote.lease_name()?).await?.is_some() {
                    // Another worker of this saga is further: the next one finds the lease.
                    return Err(in_progress());
                }
                let quote = match ending {
                    Ending::Proposed => self.accepted(&tx, quote.proposed(now)?, &key).await?,
                    Ending::Refused => quote.refused(now)?,
                    Ending::HoldGone(uid) => {
                        let mut quote = quote.refused(now)?;
                        quote.lose(uid);
                        quote
                    }
                };
                store::update_quote(tx.conn(), &quote, None).await?;
                Ok((tx, Answer::Fresh(quote)))
            })
            .await?;
        self.feed.notify();
        Ok(answer)
    }

    /// What the lease does not take over is given back, and the reply is recorded.
    async fn accepted(&self, tx: &Tx, mut quote: Quote, key: &RequestKey) -> Result<Quote, Error> {
        let gone = quote.let_go();
        release_all(tx, &quote.name, &gone).await?;
        self.tell_quote(tx, kind::QUOTE_ACCEPTED, &quote).await?;
        idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.quote_accepted)(&quote)).await?;
        Ok(quote)
    }

    /// Lapses quotes whose time is over and finishes quotes and acceptances that nobody has finished.
    pub(super) async fn sweep_quotes(&self) -> Result<(), Error> {
        let hands = self.worker();
        let due = hands
            .db
            .read("find_due_quotes", hands.scope, |tx| async move {
                let due = store::due_quotes(tx.conn(), BATCH).await?;
                Ok((tx, due))
            })
            .await?;
        for name in &due {
            if let Err(error) = self.go_on_with_quote(hands, name).await {
                tracing::info!(quote = %name, reason = %error.reason(), %error, "not finished yet");
            }
        }
        Ok(())
    }

    async fn go_on_with_quote(&self, hands: Hands<'_>, name: &QuoteName) -> Result<(), Error> {
        let now = self.now();
        let under_way = hands
            .db
            .in_tx("sweep_quote", hands.scope, |tx| async move {
                let Some((quote, intent)) = store::lock_quote(tx.conn(), name, rpc_of).await? else {
                    return Ok((tx, None));
                };
                if let Some(key) = intent {
                    // Other sweepers keep away from it for a while.
                    store::update_quote(tx.conn(), &quote, Some(&key)).await?;
                    return Ok((tx, Some((quote, key))));
                }
                let open = matches!(quote.state, QuoteState::Open | QuoteState::PendingApproval);
                if open && quote.valid_until <= store::database_time(tx.conn()).await? {
                    let mut quote = quote.lapse(now)?;
                    release_all(&tx, name, &quote.let_go()).await?;
                    store::update_quote(tx.conn(), &quote, None).await?;
                    self.tell_quote(&tx, kind::QUOTE_LAPSED, &quote).await?;
                }
                Ok((tx, None))
            })
            .await?;
        match under_way {
            Some((quote, key)) if quote.state == QuoteState::Holding => {
                self.finish_quote(hands, &quote, &key).await.map(|_| ())
            }
            Some((quote, _)) => self.finish_acceptance(hands, quote).await.map(|_| ()),
            None => Ok(()),
        }
    }
}
