//! What is put on the table of a lease, over the wire.

use anyhow::{Context as _, Result};
use contracts::leasing::v1 as wire;
use integration_tests::market::{nominated, request_id};

use super::plain::{Block, Deed};
use super::wire::{Answer, Player, on, rate, taken};

fn signatory() -> Option<wire::Signatory> {
    Some(wire::Signatory { name: "Ada Marsh".to_owned(), title: String::new() })
}

impl Player {
    async fn read(&self) -> Result<wire::Lease> {
        let ask = wire::GetLeaseRequest { name: self.name.clone(), version: 0 };
        self.operator.leases().get_lease(ask).await?.into_inner().lease.context("a lease")
    }

    pub(super) async fn ask_paper(&mut self, deed: &Deed) -> Result<Answer> {
        let (name, request_id) = (self.name.clone(), request_id());
        let (operator, tenant) = (self.operator.clone(), self.tenant.clone());
        Ok(match deed {
            Deed::Ask(_, day) => {
                let ask = wire::RequestAssignmentRequest {
                    name,
                    kind: wire::AssignmentKind::Sublease.into(),
                    assignee: "tenants/guest".to_owned(),
                    effective_date: on(*day),
                    reference: "AA-7".to_owned(),
                    request_id,
                    ..Default::default()
                };
                let call = async || taken(tenant.leases().request_assignment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Consent => {
                let signatory = signatory();
                let ask =
                    wire::ConsentToAssignmentRequest { name, signatory, request_id, ..Default::default() };
                let call =
                    async || taken(operator.leases().consent_to_assignment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Decline => {
                let ask = wire::DeclineAssignmentRequest { name, request_id, ..Default::default() };
                let call =
                    async || taken(operator.leases().decline_assignment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Stay(until) => {
                let (until_date, note) = (on(*until), "why".to_owned());
                let ask =
                    wire::BeginHoldoverRequest { name, until_date, note, request_id, ..Default::default() };
                let call = async || taken(operator.leases().begin_holdover(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Leave(end) => {
                let (end_date, note) = (on(*end), "why".to_owned());
                let ask = wire::EndHoldoverRequest { name, end_date, note, request_id, ..Default::default() };
                let call = async || taken(operator.leases().end_holdover(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Renew | Deed::Expand(_) => {
                let expansion_option = match deed {
                    Deed::Expand(number) => format!("more-{number}"),
                    _ => String::new(),
                };
                let ask = wire::ExerciseOptionRequest {
                    name,
                    signatory: signatory(),
                    expansion_option,
                    request_id,
                    ..Default::default()
                };
                let call = async || taken(tenant.leases().exercise_option(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            amendment => self.ask_amendment(amendment).await?,
        })
    }

    async fn ask_amendment(&mut self, deed: &Deed) -> Result<Answer> {
        let lease = self.read().await?;
        let (name, request_id) = (self.name.clone(), request_id());
        Ok(match deed {
            Deed::Nominate(count) => {
                let first = self.plain.later.map_or(0, |later| later.next_hall());
                let halls: Vec<_> = (first..first + count).map(|hall| (self.hall(hall), 1_000)).collect();
                let ask = wire::NominatePremisesRequest {
                    signatory: signatory(),
                    request_id,
                    ..nominated(&name, "later", &halls)
                };
                let clients = self.operator.clone();
                let call = async || taken(clients.leases().nominate_premises(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Amend(day) | Deed::Agree(day) | Deed::Add(day, ..) => {
                let mut terms = self.terms()?;
                terms.conditions = Vec::new();
                let renewals = self.plain.renewals;
                if let (Deed::Agree(_), Some(option)) = (deed, terms.renewal_options.first_mut()) {
                    let stated = 0..(renewals.stated + 1).min(renewals.count);
                    option.rates_per_kw_month = stated.filter_map(rate).collect();
                }
                if let Deed::Add(_, first, months) = deed {
                    terms.premises.push(self.premises(&Block::planned(self.plain.spare, *first, *months)));
                }
                terms.payment_terms_days += i32::try_from(lease.version)?;
                let ask = wire::ProposeAmendmentRequest {
                    name,
                    terms: Some(terms),
                    effective_date: on(*day),
                    note: "later".to_owned(),
                    request_id,
                    ..Default::default()
                };
                let clients = self.operator.clone();
                let call = async || taken(clients.leases().propose_amendment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            Deed::Sign(side) => {
                let hash = lease.amendment.map(|one| one.terms_hash).unwrap_or(lease.terms_hash);
                let ask = wire::SignAmendmentRequest {
                    name,
                    terms_hash: hash,
                    signatory: signatory(),
                    request_id,
                    ..Default::default()
                };
                let clients = self.side(*side).clone();
                let call = async || taken(clients.leases().sign_amendment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
            _ => {
                let ask = wire::WithdrawAmendmentRequest { name, request_id, ..Default::default() };
                let clients = self.tenant.clone();
                let call =
                    async || taken(clients.leases().withdraw_amendment(ask.clone()).await, |r| r.lease);
                self.sure(call).await
            }
        })
    }
}
