//! What the operator of a world asks for its capacity.

use anyhow::{Context as _, Result};
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use kernel::Role;

use super::Names;
use crate::market::{self, request_id};
use crate::requests::offers;
use crate::{TestStack, eventually};

/// What somebody in sales asks for: a card in draft; and from another, which was approved, a quote on the table and one
/// that waits for a second person.
pub(super) async fn offer(stack: &TestStack, names: &mut Names, marker: &str) -> Result<()> {
    let drafter = stack.clients_of("drafter", &names.operator, Role::Sales)?;
    let standard = draft(&drafter, names, marker, "standard").await?;
    let approved = draft(&drafter, names, marker, "approved").await?;
    let approval = leasing::ApproveRateCardRequest {
        name: approved.name,
        etag: approved.etag,
        request_id: request_id(),
        validate_only: false,
    };
    let second = stack.clients_of("approver", &names.operator, Role::OperatorAdmin)?;
    second.offers().approve_rate_card(approval).await.context("approve a card")?;
    can_quote(&drafter, &offers::question_in(names), 3).await?;
    names.rate_card = standard.name;
    names.quote = quote(&drafter, names, "0").await?;
    names.pending_quote = quote(&drafter, names, "6").await?;
    Ok(())
}

/// The same world with another card in draft and another quote on the table.
pub async fn another_offer(stack: &TestStack, names: &Names, id: &str) -> Result<Names> {
    let drafter = stack.clients_of("drafter", &names.operator, Role::Sales)?;
    let card = draft(&drafter, names, "another", id).await?;
    let quote = quote(&drafter, names, "0").await?;
    Ok(Names { rate_card: card.name, quote, ..names.clone() })
}

async fn draft(drafter: &Clients, names: &Names, marker: &str, id: &str) -> Result<leasing::RateCard> {
    let card = leasing::RateCard { display_name: format!("{marker} card"), ..offers::card() };
    let create = leasing::CreateRateCardRequest {
        rate_card: Some(card),
        validate_only: false,
        ..offers::draft(&names.operator, id)
    };
    let created = drafter.offers().create_rate_card(create).await.context("draft a card")?;
    created.into_inner().rate_card.context("a card")
}

async fn quote(drafter: &Clients, names: &Names, discount: &str) -> Result<String> {
    let question = leasing::QuoteLeaseRequest {
        validate_only: false,
        discount_percent: market::decimal(discount),
        ..offers::question_in(names)
    };
    let quoted = drafter.offers().quote_lease(question).await.context("quote")?.into_inner();
    Ok(quoted.quote.context("a quote")?.name)
}

/// Waits until a question is answered with so many options: search learns of new halls in moments.
pub async fn can_quote(
    clients: &Clients,
    question: &leasing::QuoteLeaseRequest,
    options: usize,
) -> Result<()> {
    eventually("the halls can be quoted", async || {
        let asked = leasing::QuoteLeaseRequest {
            validate_only: true,
            held_block_count: 0,
            request_id: request_id(),
            ..question.clone()
        };
        let answer = clients.offers().quote_lease(asked).await;
        let found = answer.ok().and_then(|answer| answer.into_inner().quote);
        Ok(found.filter(|quote| quote.options.len() == options).map(|_| ()))
    })
    .await
}
