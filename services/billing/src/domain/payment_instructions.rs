//! Where tenants pay: what two people have agreed on, for a currency, until they agree on something else.

use kernel::{Currency, Instant, OperatorId, PaymentInstructionsId, PaymentInstructionsName, VoucherId};
use paper::{Fact, Part, Section};
use serde::{Deserialize, Serialize};

use super::bank_account::{AccountNumber, Bic, Iban, RoutingNumber};

/// What is proposed and confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDetails {
    /// In which is paid there.
    pub currency: Currency,
    /// Whose account it is.
    pub account_holder: String,
    /// The bank's name.
    pub bank_name: String,
    /// The account.
    pub account: BankAccount,
    /// The bank, as the world knows it.
    pub bic: Option<Bic>,
    /// The bank, as the United States know it.
    pub routing_number: Option<RoutingNumber>,
    /// The bank's address; may be empty.
    pub bank_address: String,
    /// What to write beside the number of the invoice; may be empty.
    pub reference: String,
}

/// An account at a bank.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankAccount {
    /// Where there are IBANs.
    Iban(Iban),
    /// Elsewhere.
    Number(AccountNumber),
}

/// Details that were confirmed. They never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentInstructions {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: PaymentInstructionsId,
    /// By which two people agreed.
    pub voucher: VoucherId,
    /// What they agreed on.
    pub details: PaymentDetails,
    /// Counts those of the currency from 1; the highest is in force.
    pub number: i32,
    /// In force from then on.
    pub confirm_time: Instant,
    /// When others took their place. Of an invoice it is not told: there they stay.
    pub end_time: Option<Instant>,
}

impl PaymentInstructions {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> PaymentInstructionsName {
        PaymentInstructionsName::new(self.operator.clone(), self.id)
    }
}

impl PaymentDetails {
    /// What stands on a document that asks for money.
    #[must_use]
    pub fn printed(&self) -> Section {
        let mut facts =
            vec![Fact::new("Account holder", &self.account_holder), Fact::new("Bank", &self.bank_name)];
        facts.push(match &self.account {
            BankAccount::Iban(iban) => Fact::new("IBAN", iban.grouped()),
            BankAccount::Number(number) => Fact::new("Account number", number.as_str()),
        });
        let rest = [
            ("BIC (SWIFT)", self.bic.as_ref().map_or("", Bic::as_str)),
            ("Routing number (ABA)", self.routing_number.as_ref().map_or("", RoutingNumber::as_str)),
            ("Bank address", &self.bank_address),
            ("Reference", &self.reference),
        ];
        let said = rest.into_iter().filter(|(_, value)| !value.is_empty());
        facts.extend(said.map(|(label, value)| Fact::new(label, value)));
        Section::new(format!("Pay to, in {}", self.currency), vec![Part::Facts(facts)])
    }
}
