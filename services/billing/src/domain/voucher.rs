//! Vouchers: what one person proposes and another approves before it is done.

use kernel::{
    CommissionId, Error, Instant, InvoiceId, OperatorId, Reason, VoucherId, VoucherName, YearMonth,
};
use serde::{Deserialize, Serialize};

use super::books::Journal;
use super::commission::CommissionFacts;
use super::payment_instructions::PaymentDetails;
use super::words::names;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Content {
    /// A journal is posted.
    Journal {
        /// The journal.
        journal: Journal,
    },
    /// What is owed of an invoice is given up.
    WriteOff {
        /// The invoice.
        invoice: InvoiceId,
    },
    /// A month, and all after it, are opened again.
    ReopenPeriod {
        /// The month.
        month: YearMonth,
    },
    /// A commission is recorded.
    Commission {
        /// What is agreed.
        commission: CommissionFacts,
    },
    /// A commission is reversed.
    CommissionReversal {
        /// The commission.
        commission: CommissionId,
    },
    /// Tenants are to pay there from now on.
    PaymentInstructions {
        /// Where.
        instructions: PaymentDetails,
    },
}

impl Content {
    /// Its name in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Journal { .. } => "JOURNAL",
            Self::WriteOff { .. } => "WRITE_OFF",
            Self::ReopenPeriod { .. } => "REOPEN_PERIOD",
            Self::Commission { .. } => "COMMISSION",
            Self::CommissionReversal { .. } => "COMMISSION_REVERSAL",
            Self::PaymentInstructions { .. } => "PAYMENT_INSTRUCTIONS",
        }
    }
}

/// Where a voucher stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoucherState {
    /// Waits for a second person.
    Proposed,
    /// Approved, and done.
    Approved,
    /// Called off.
    Rejected,
}

names!(VoucherState { Proposed => "PROPOSED", Approved => "APPROVED", Rejected => "REJECTED" });

/// A deed that needs two people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voucher {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: VoucherId,
    /// What is to be done.
    pub content: Content,
    /// Why.
    pub reason: String,
    /// Where it stands.
    pub state: VoucherState,
    /// Who proposed it.
    pub author: String,
    /// Who decided, and when.
    pub decided: Option<(String, Instant)>,
    /// Raised by every change; the etag.
    pub version: i64,
    /// When it was proposed.
    pub create_time: Instant,
}

impl Voucher {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> VoucherName {
        VoucherName::new(self.operator.clone(), self.id)
    }

    /// The voucher approved by somebody else than its author.
    ///
    /// # Errors
    /// `SECOND_PERSON_NEEDED`, `INVALID_STATE_TRANSITION`.
    pub fn approve(self, approver: &str, now: Instant) -> Result<Self, Error> {
        if self.state == VoucherState::Proposed && self.author == approver {
            return Err(Error::refused(
                Reason::SecondPersonNeeded,
                "Whoever proposed it may not approve it; ask another person of finance.",
            )
            .with("author", approver));
        }
        self.decide(VoucherState::Approved, approver, now)
    }

    /// The voucher rejected, or called off by its author.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn reject(self, by: &str, now: Instant) -> Result<Self, Error> {
        self.decide(VoucherState::Rejected, by, now)
    }

    fn decide(self, to: VoucherState, by: &str, now: Instant) -> Result<Self, Error> {
        if self.state != VoucherState::Proposed {
            return Err(Error::invalid_transition("voucher", self.state, to));
        }
        Ok(Self { state: to, decided: Some((by.to_owned(), now)), version: self.version + 1, ..self })
    }
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;

    use super::*;
    use crate::domain::sample;

    #[test]
    fn it_takes_two_people_and_is_decided_once() {
        let now = sample::instant(2027, 2, 1);
        let voucher = Voucher {
            operator: sample::operator(),
            id: VoucherId::new(Uuid::from_u128(1)),
            content: Content::ReopenPeriod { month: sample::month(2027, 1) },
            reason: "late bill".to_owned(),
            state: VoucherState::Proposed,
            author: "ana".to_owned(),
            decided: None,
            version: 1,
            create_time: now,
        };
        let alone = voucher.clone().approve("ana", now).expect_err("alone");
        assert_eq!(alone.reason(), Reason::SecondPersonNeeded);
        let done = voucher.clone().approve("ben", now).expect("two people");
        assert_eq!((done.state, done.version), (VoucherState::Approved, 2));
        for again in
            [done.clone().approve("ben", now), done.clone().approve("ana", now), done.reject("ben", now)]
        {
            assert_eq!(again.expect_err("decided").reason(), Reason::InvalidStateTransition);
        }
        assert!(voucher.reject("ana", now).is_ok(), "one may call one's own off");
    }

    #[test]
    fn a_content_is_named_as_it_is_kept() {
        let content = Content::ReopenPeriod { month: sample::month(2027, 1) };
        let kept = serde_json::to_value(&content).expect("plain data");
        assert_eq!(kept, serde_json::json!({ "kind": content.kind(), "month": "2027-01" }));
    }
}
