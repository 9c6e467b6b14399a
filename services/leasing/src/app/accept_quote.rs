//! Accepting: the choice is recorded, the lease is proposed by the usual way, and the quote says so. Whoever dies in
//! between, the sweeper goes on; a refused lease puts the quote back on the table.

use kernel::{Caller, Error, Organisation, QuoteName, Role, Uuid, derive_id};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;

use super::quotes::{absent, told};
use super::requests::{in_progress, is_nothing_done};
use super::{App, Hands, ProposeLease, kind, rpc};
use crate::domain::quote_record::{Quote, QuoteState};
use crate::domain::{Draft, Findings};
use crate::store::{self, SCHEMA};

const BATCH: u32 = 64;

/// An option that is to be taken up.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptQuote {
    /// Which quote.
    pub name: QuoteName,
    /// Which option, from 1.
    pub option: u32,
    /// The etag that the caller read.
    pub etag: String,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
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
    /// What a lease is refused with, unchanged; `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`,
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
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Begun::Answered(reply)));
                }
                let found = store::lock_quote(tx.conn(), &wanted.name, rpc::ACCEPT_QUOTE).await?;
                let (quote, intent) = found.ok_or_else(absent)?;
                if intent.is_some_and(|intent| intent == *key) {
                    return Ok((tx, Begun::Elsewhere));
                }
                if wanted.etag != quote.etag() {
                    return Err(Error::etag_mismatch());
                }
                let quote = quote.accept(wanted.option, now)?;
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
                self.propose_accepted(&quote, true).await?;
                Ok(Answer::Fresh(*quote))
            }
            Begun::Quote(quote) => self.finish_acceptance(hands, *quote).await,
        }
    }

    /// From the recorded choice to the end: also the sweeper's way.
    async fn finish_acceptance(&self, hands: Hands<'_>, quote: Quote) -> Result<Answer<Quote>, Error> {
        let name = &quote.name;
        match self.propose_accepted(&quote, false).await {
            Ok(()) => {}
            Err(refusal) if is_nothing_done(refusal.reason()) => {
                self.end_acceptance(hands, name, false).await?;
                return Err(refusal);
            }
            Err(open) => return Err(open),
        }
        self.end_acceptance(hands, name, true).await
    }

    /// Proposes the lease of the chosen option for the operator, whose offer it is, under an id that the quote decides:
    /// asked again, it is the same lease.
    async fn propose_accepted(&self, quote: &Quote, validate_only: bool) -> Result<(), Error> {
        let option = quote.accepted.and_then(|number| quote.option(number));
        let offer = option.ok_or_else(|| Error::internal("an accepted quote without its option"))?;
        let mut findings = Findings::new();
        let draft = Draft::of(&offer.terms);
        let terms = draft.check(Some(&quote.name.operator), self.now().date_naive(), &mut findings);
        findings.finish()?;
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
            lease: Some(quote.lease.clone()),
            tenant: quote.tenant.clone(),
            terms: terms.ok_or_else(|| Error::internal("terms that were quoted do not check"))?,
            hold_seconds: quote.hold_seconds,
            request_id: derive_id(quote.name.quote.get(), &attempt),
            validate_only,
        };
        self.propose_lease(&operator, command).await.map(|_| ())
    }

    async fn end_acceptance(
        &self,
        hands: Hands<'_>,
        name: &QuoteName,
        is_proposed: bool,
    ) -> Result<Answer<Quote>, Error> {
        let now = self.now();
        let answer = hands
            .db
            .in_tx("accept_quote", hands.scope, |tx| async move {
                let found = store::lock_quote(tx.conn(), name, rpc::ACCEPT_QUOTE).await?;
                let (quote, intent) = found.ok_or_else(absent)?;
                let Some(key) = intent.filter(|_| quote.state == QuoteState::Accepting) else {
                    // Another worker of this saga was faster.
                    return Ok((tx, Answer::Fresh(quote)));
                };
                let quote = if is_proposed { quote.proposed(now)? } else { quote.refused(now)? };
                store::update_quote(tx.conn(), &quote, None).await?;
                if is_proposed {
                    self.tell_all(&tx, &name.operator, kind::QUOTE_ACCEPTED, told(&quote, &self.wire))
                        .await?;
                    idempotency::record(tx.conn(), SCHEMA, &key, &(self.wire.quote_accepted)(&quote)).await?;
                }
                Ok((tx, Answer::Fresh(quote)))
            })
            .await?;
        self.feed.notify();
        Ok(answer)
    }

    /// Lapses quotes whose time is over and finishes acceptances that nobody has finished.
    pub(super) async fn sweep_quotes(&self) -> Result<(), Error> {
        let (hands, now) = (self.worker(), self.now());
        let due = hands
            .db
            .read("find_due_quotes", hands.scope, |tx| async move {
                let due = store::due_quotes(tx.conn(), now, BATCH).await?;
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
        let accepting = hands
            .db
            .in_tx("sweep_quote", hands.scope, |tx| async move {
                let Some((quote, _)) = store::lock_quote(tx.conn(), name, rpc::ACCEPT_QUOTE).await? else {
                    return Ok((tx, None));
                };
                if quote.state == QuoteState::Accepting {
                    return Ok((tx, Some(quote)));
                }
                let open = matches!(quote.state, QuoteState::Open | QuoteState::PendingApproval);
                if open && quote.valid_until <= now {
                    let quote = quote.lapse(now)?;
                    store::update_quote(tx.conn(), &quote, None).await?;
                    self.tell_all(&tx, &name.operator, kind::QUOTE_LAPSED, told(&quote, &self.wire)).await?;
                }
                Ok((tx, None))
            })
            .await?;
        match accepting {
            Some(quote) => self.finish_acceptance(hands, quote).await.map(|_| ()),
            None => Ok(()),
        }
    }
}
