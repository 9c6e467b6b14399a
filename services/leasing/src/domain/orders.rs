//! What the sides of a lease may say after its signatures, and what that changes.

use kernel::{BlockName, CivilDate, Error, Instant, Money, Reason};

use super::contract::Condition;
use super::lease::{Lease, Party};
use super::life::{Actor, Command, Ground, Happened, Met, Notice, NoticeKind, Termination};
use super::premises::{Acceptance, ReadyDates};
use super::record::TermsHash;
use super::schedule;
use super::state::{Deed, LeaseState, PremisesState, Step};

impl Lease {
    /// Whether a condition of the whole lease is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open_conditions().any(|condition| condition.block.is_none())
    }

    /// Conditions that are not satisfied, of the whole lease and of blocks.
    pub fn open_conditions(&self) -> impl Iterator<Item = &Condition> {
        let met = |condition: &&Condition| !self.life.met.iter().any(|met| met.condition == condition.id);
        self.terms.contract.conditions.iter().filter(met)
    }

    /// Whether a condition of this block is open.
    #[must_use]
    pub fn is_open_for(&self, block: &BlockName) -> bool {
        self.open_conditions().any(|condition| condition.block.as_ref() == Some(block))
    }

    /// Does what a side says.
    ///
    /// # Errors
    /// `INVALID_FIELD` for what the terms do not have or is the other side's, `NOT_READY_FOR_SERVICE`,
    /// `NO_RIGHT_TO_TERMINATE`, `INVALID_STATE_TRANSITION`.
    pub fn obey(&mut self, command: &Command, by: &Actor, now: Instant) -> Result<Happened, Error> {
        match command {
            Command::Satisfy { condition, note } => self.satisfy(condition, note, by, now),
            Command::Accept { block, on, signatory } => {
                let acceptance = Acceptance {
                    on: *on,
                    signatory: signatory.clone(),
                    subject: by.subject.clone(),
                    time: now,
                };
                self.accept(block, acceptance, now)
            }
            Command::Notify { kind, note } => self.notify(*kind, note, by, now),
            Command::Terminate { ground, end, reason } => {
                let termination = Termination {
                    ground: *ground,
                    end: *end,
                    reason: reason.clone(),
                    subject: by.subject.clone(),
                    time: now,
                    fee: None,
                    refund: false,
                };
                self.end_early(termination, by.party, now)
            }
            Command::ProposeAmendment { terms, master, effective, note } => {
                let terms = self.still_under(terms, master.as_ref())?;
                self.propose_amendment(terms, *effective, note, by, now)
            }
            Command::SignAmendment { terms_hash, signatory } => {
                self.sign_amendment(TermsHash(*terms_hash), signatory, by, now)
            }
            Command::WithdrawAmendment => self.withdraw_amendment(now),
            Command::Renew { signatory } => self.renew(signatory, by, now),
            Command::Expand { option, signatory } => self.expand(option, signatory, by, now),
            Command::Nominate { nomination, blocks, signatory } => {
                self.nominate(nomination, blocks, signatory, by, now)
            }
            Command::BeginHoldover { until, note } => self.begin_holdover(*until, note, by, now),
            Command::EndHoldover { end, note } => self.end_holdover(*end, note, by, now),
            Command::RequestAssignment { wish } => self.request_assignment(wish, by, now),
            Command::ConsentToAssignment { signatory } => self.consent_to_assignment(signatory, by, now),
            Command::DeclineAssignment => self.decline_assignment(now),
        }
    }

    fn satisfy(&mut self, id: &str, note: &str, by: &Actor, now: Instant) -> Result<Happened, Error> {
        let conditions = &self.terms.contract.conditions;
        let Some(condition) = conditions.iter().find(|condition| condition.id == id).cloned() else {
            let ids: Vec<_> = conditions.iter().map(|condition| condition.id.as_str()).collect();
            let problem = match ids.as_slice() {
                [] => "the terms have no conditions".to_owned(),
                ids => format!("must be one of {}", ids.join(", ")),
            };
            return Err(Error::invalid_field("condition", problem));
        };
        if condition.satisfied_by != by.party {
            return Err(Error::invalid_field("condition", "is for the other side to say"));
        }
        self.state.after(Deed::Satisfy)?;
        if !self.open_conditions().any(|open| open.id == id) {
            return Err(refused(self.state, "This condition is satisfied already."));
        }
        self.life.met.push(Met {
            condition: id.to_owned(),
            time: now,
            subject: by.subject.clone(),
            note: note.to_owned(),
        });
        let takes_effect = self.state == LeaseState::Signed && !self.is_open();
        self.go(if takes_effect { Deed::SatisfyLast } else { Deed::Satisfy }, now)?;
        if takes_effect {
            self.effective_time = Some(now);
        }
        for premises in &mut self.premises {
            if takes_effect || condition.block.as_ref() == Some(&premises.block) {
                let today = premises.zone.date_of(now);
                premises.standing.not_before = premises.standing.not_before.max(Some(today));
            }
        }
        self.settle()?;
        Ok(if takes_effect { Happened::Effective } else { Happened::Satisfied })
    }

    fn accept(&mut self, block: &BlockName, acceptance: Acceptance, now: Instant) -> Result<Happened, Error> {
        let open = self.is_open_for(block);
        let (state, contract) = (self.state, self.terms.contract.clone());
        let agreed = self.terms.of_block(block).cloned();
        let (Some(premises), Some(agreed)) = (self.premises_of(block), agreed) else {
            return Err(Error::invalid_field("block", "is not a block of this lease"));
        };
        state.after(Deed::Commence)?;
        if premises.state != PremisesState::Planned {
            return Err(refused(premises.state.name(), "This block waits for no acceptance."));
        }
        if open {
            return Err(refused(premises.state.name(), "A condition of this block is open."));
        }
        if acceptance.on > premises.zone.date_of(now) {
            return Err(Error::invalid_field(
                "accept_date",
                "must be today or earlier, where the block lies",
            ));
        }
        if premises.ready.actual.is_none_or(|actual| actual > acceptance.on) {
            return Err(not_ready(block, premises.ready));
        }
        let earliest = premises.standing.not_before.max(premises.standing.short_until);
        if let Some(earliest) = earliest.filter(|earliest| acceptance.on < *earliest) {
            let problem =
                format!("must be {earliest} or later: before it the block is not this lease's to take");
            return Err(Error::invalid_field("accept_date", problem));
        }
        if acceptance.on >= agreed.end {
            return Err(Error::invalid_field("accept_date", "must lie within the term"));
        }
        premises.standing.accepted = Some(acceptance);
        premises.settle(&agreed, &contract);
        schedule::move_rates(&self.terms, &mut self.premises)?;
        if let Some(premises) = self.premises_of(block) {
            premises.commence_time = Some(premises.commence_at);
            Self::step(premises, Step::Commence);
        }
        self.go(Deed::Commence, now)?;
        Ok(Happened::Commenced)
    }

    fn notify(&mut self, kind: NoticeKind, note: &str, by: &Actor, now: Instant) -> Result<Happened, Error> {
        let contract = &self.terms.contract;
        let cure_days = match kind {
            NoticeKind::MonetaryDefault => Some(contract.cure_days(true)),
            NoticeKind::OtherDefault => Some(contract.cure_days(false)),
            NoticeKind::Cured | NoticeKind::CloseOut => None,
        };
        let (deed, happened) = match kind {
            NoticeKind::Cured if self.state == LeaseState::Defaulted => (Deed::Cure, Happened::Cured),
            NoticeKind::Cured if !self.open_defaults().any(|_| true) => {
                return Err(refused(self.state, "There is no notice of a default to cure."));
            }
            NoticeKind::Cured => (Deed::Notify, Happened::Cured),
            NoticeKind::CloseOut => (Deed::Close, Happened::Closed),
            NoticeKind::MonetaryDefault | NoticeKind::OtherDefault => (Deed::Notify, Happened::Noticed),
        };
        let today = self.today(now);
        self.go(deed, now)?;
        if kind == NoticeKind::Cured {
            self.life.notices.iter_mut().for_each(|notice| notice.cured |= notice.cure_date.is_some());
        }
        self.life.notices.push(Notice {
            kind,
            time: now,
            subject: by.subject.clone(),
            note: note.to_owned(),
            cure_date: cure_days
                .and_then(|days| today.checked_add_signed(chrono::TimeDelta::days(days.into()))),
            cured: false,
        });
        Ok(happened)
    }

    /// Notices of defaults that are not cured.
    pub fn open_defaults(&self) -> impl Iterator<Item = &Notice> {
        self.life.notices.iter().filter(|notice| notice.cure_date.is_some() && !notice.cured)
    }

    fn end_early(&mut self, wanted: Termination, party: Party, now: Instant) -> Result<Happened, Error> {
        let Termination { ground, end, .. } = wanted;
        if ground.party() != party {
            return Err(Error::invalid_field("ground", "is the other side's"));
        }
        self.state.after(Deed::Terminate)?;
        if let Some(before) = &self.life.termination {
            return Err(refused(self.state, format!("The lease is to end on {} already.", before.end)));
        }
        let today = self.today(now);
        if end < today {
            return Err(Error::invalid_field(
                "end_date",
                "must be today or later, where the first block lies",
            ));
        }
        let last = self.taken().iter().map(|premises| premises.end).max();
        if last.is_some_and(|last| end >= last) {
            return Err(Error::invalid_field("end_date", "must be earlier than the end of the term"));
        }
        let (fee, earliest) = self.right_to_end(ground, end, today)?;
        if let Some(earliest) = earliest.filter(|earliest| end < *earliest) {
            return Err(no_right(ground, "Not that early.").with("earliestDate", earliest));
        }
        let refund = ground == Ground::OutsideDate;
        self.revision += 1;
        self.update_time = now.max(self.update_time);
        self.life.termination = Some(Termination { fee, refund, ..wanted });
        Ok(Happened::TerminationNoticed)
    }

    /// What it costs to end on this ground, and from when on it can.
    fn right_to_end(
        &self,
        ground: Ground,
        end: CivilDate,
        today: CivilDate,
    ) -> Result<(Option<Money>, Option<CivilDate>), Error> {
        let contract = &self.terms.contract;
        match ground {
            Ground::OutsideDate => {
                let planned = self.premises.iter().filter(|one| one.state == PremisesState::Planned);
                let outside = planned.filter_map(|one| one.outside_date(contract.delivery.as_ref())).min();
                match outside {
                    Some(day) if day <= today => Ok((None, None)),
                    Some(day) => {
                        Err(no_right(ground, "No block is that late yet.").with("earliestDate", day))
                    }
                    None => Err(no_right(ground, "No block can be that late.")),
                }
            }
            Ground::Default if self.state == LeaseState::Defaulted => Ok((None, None)),
            Ground::Default => {
                let cure = self.open_defaults().filter_map(|notice| notice.cure_date?.succ_opt()).min();
                let refusal = no_right(ground, "The lease is not in default.");
                Err(cure.map_or_else(
                    || refusal,
                    |day| no_right(ground, "A default can be cured yet.").with("earliestDate", day),
                ))
            }
            Ground::Fee => {
                let Some(terms) = contract.termination else {
                    return Err(no_right(ground, "The terms give no right to end for a fee."));
                };
                let months = i32::try_from(terms.notice_months).unwrap_or(i32::MAX);
                let earliest = kernel::time::add_months(today, months);
                let fee = self.rent_following(end, terms.fee_months)?;
                Ok((Some(fee), earliest))
            }
        }
    }
}

pub(super) fn refused(
    from: impl std::fmt::Display,
    problem: impl Into<std::borrow::Cow<'static, str>>,
) -> Error {
    let from = from.to_string();
    Error::refused(Reason::InvalidStateTransition, problem).with("from", &from).with("to", from)
}

fn not_ready(block: &BlockName, ready: ReadyDates) -> Error {
    let problem = match ready.actual {
        Some(actual) => format!("The block is ready for service since {actual}."),
        None => "The block is not ready for service yet.".to_owned(),
    };
    let refusal = Error::refused(Reason::NotReadyForService, problem).with("block", block);
    match (ready.actual, ready.forecast) {
        (Some(actual), _) => refusal.with("readyDate", actual),
        (None, Some(forecast)) => refusal.with("forecastDate", forecast),
        (None, None) => refusal,
    }
}

fn no_right(ground: Ground, problem: &'static str) -> Error {
    Error::refused(Reason::NoRightToTerminate, problem).with("ground", ground.name())
}
