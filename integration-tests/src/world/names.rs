//! What the things of a world are called.

use uuid::Uuid;

use crate::market::request_id;

/// The names of one of each resource, with the etags that an update must show.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// `operators/{operator}`
    pub operator: String,
    /// `tenants/{tenant}`
    pub tenant: String,
    /// A site.
    pub site: String,
    /// The hall of the lease in force, full.
    pub block: String,
    /// A hall with room.
    pub free_block: String,
    /// A site of nothing.
    pub spare_site: String,
    /// A hall of nothing.
    pub spare_block: String,
    /// A phase of the hall.
    pub phase: String,
    /// A phase of the hall with room, to come, of which nothing is promised.
    pub spare_phase: String,
    /// A maintenance window of the hall, to come.
    pub window: String,
    /// A hold of the tenant, HELD.
    pub reservation: String,
    /// Another hold of the tenant on the same hall, HELD.
    pub other_reservation: String,
    /// A right of the tenant on the hall with room.
    pub encumbrance: String,
    /// The tenant waits for the full hall.
    pub waitlist_entry: String,
    /// An outage of the hall that lasts.
    pub incident: String,
    /// A rate card in draft, written by another person.
    pub rate_card: String,
    /// A quote for the tenant, on the table.
    pub quote: String,
    /// A quote for the tenant, by another person, that waits for approval.
    pub pending_quote: String,
    /// A lease, PROPOSED.
    pub proposed: String,
    /// The hash of its terms.
    pub terms_hash: Vec<u8>,
    /// A lease, ACTIVE.
    pub active: String,
    /// A need of the tenant, OPEN.
    pub capacity_request: String,
    /// A bid of the operator on it, SUBMITTED.
    pub bid: String,
    /// A deal of the operator.
    pub opportunity: String,
    /// A lease, SIGNED, with the operator's condition `financing` open.
    pub conditional: String,
    /// A lease, DEFAULTED.
    pub defaulted: String,
    /// A lease, EFFECTIVE, whose hall waits to be accepted.
    pub delivered: String,
    /// That hall.
    pub delivered_block: String,
    /// A lease, EFFECTIVE, for which the operator has proposed an amendment.
    pub amended: String,
    /// The hash of its amendment.
    pub amendment_hash: Vec<u8>,
    /// A lease, ACTIVE, that the tenant may renew.
    pub renewable: String,
    /// A lease, ACTIVE, whose tenant is to stay beyond its term.
    pub lingering: String,
    /// A lease, EFFECTIVE, of 1,000 kW whose blocks are to be named, as `later`.
    pub unplaced: String,
    /// A lease, EFFECTIVE, that another tenant is to have.
    pub transferred: String,
    /// Another one.
    pub other_transferred: String,
    /// A lease of another tenant, PROPOSED, on which the tenant has a right.
    pub contested: String,
    /// What the tenant was offered of it, OPEN.
    pub right_offer: String,
    /// What the tenant was offered of another one, OPEN.
    pub other_right_offer: String,
    /// A master agreement with the tenant, SIGNED.
    pub master_agreement: String,
    /// Another one, in draft, that nobody has signed.
    pub draft_agreement: String,
    /// Its hash.
    pub agreement_hash: Vec<u8>,
    /// The tenant's account.
    pub account: String,
    /// The tenant's meter in the hall, with some readings.
    pub meter: String,
    /// A tariff of two rates.
    pub tariff: String,
    /// What the hall of the lease in force is charged beside its rent.
    pub charging_plan: String,
    /// What a utility charged for the meter in November 2026.
    pub utility_bill: String,
    /// A run of February, in draft.
    pub draft_run: String,
    /// Its invoice.
    pub draft_invoice: String,
    /// An invoice of January, OPEN.
    pub open_invoice: String,
    /// An invoice of June, OPEN, of which nothing is settled.
    pub spare_invoice: String,
    /// A payment of the tenant, a part of which pays the invoice of January.
    pub payment: String,
    /// A credit note on the invoice of January.
    pub credit_note: String,
    /// A dispute of the invoice of January, OPEN.
    pub dispute: String,
    /// A commission on the lease in force.
    pub commission: String,
    /// Where the tenants pay.
    pub payment_instructions: String,
    /// A journal that another person proposed.
    pub voucher: String,
    /// Another one.
    pub other_voucher: String,
    /// The operator's etag.
    pub operator_etag: String,
    /// The site's etag.
    pub site_etag: String,
    /// The hall's etag.
    pub block_etag: String,
    /// The phase's etag.
    pub phase_etag: String,
}

impl Names {
    /// The same names under an operator and a tenant that do not exist.
    #[must_use]
    pub fn of_nobody(&self) -> Self {
        self.renamed(|name| {
            name.replace(&self.operator, "operators/nobody-at-all")
                .replace(&self.tenant, "tenants/nobody-at-all")
        })
    }

    /// Names of nothing under the same operator.
    #[must_use]
    pub fn of_nothing(&self) -> Self {
        self.renamed(|name| match name.rsplit_once('/') {
            // The operator's own name has nothing below it to change.
            Some(("operators", _)) | None => name.to_owned(),
            Some((above, id)) if Uuid::try_parse(id).is_ok() => format!("{above}/{}", request_id()),
            Some((above, _)) => format!("{above}/no-such-thing"),
        })
    }

    fn renamed(&self, change: impl Fn(&str) -> String) -> Self {
        let mut names = self.clone();
        for name in [
            &mut names.operator,
            &mut names.tenant,
            &mut names.site,
            &mut names.block,
            &mut names.free_block,
            &mut names.spare_site,
            &mut names.spare_block,
            &mut names.phase,
            &mut names.spare_phase,
            &mut names.window,
            &mut names.reservation,
            &mut names.other_reservation,
            &mut names.encumbrance,
            &mut names.waitlist_entry,
            &mut names.incident,
            &mut names.rate_card,
            &mut names.quote,
            &mut names.pending_quote,
            &mut names.proposed,
            &mut names.active,
            &mut names.capacity_request,
            &mut names.bid,
            &mut names.opportunity,
            &mut names.conditional,
            &mut names.defaulted,
            &mut names.delivered,
            &mut names.delivered_block,
            &mut names.amended,
            &mut names.renewable,
            &mut names.lingering,
            &mut names.unplaced,
            &mut names.transferred,
            &mut names.other_transferred,
            &mut names.contested,
            &mut names.right_offer,
            &mut names.other_right_offer,
            &mut names.master_agreement,
            &mut names.draft_agreement,
            &mut names.account,
            &mut names.meter,
            &mut names.tariff,
            &mut names.charging_plan,
            &mut names.utility_bill,
            &mut names.draft_run,
            &mut names.draft_invoice,
            &mut names.open_invoice,
            &mut names.spare_invoice,
            &mut names.payment,
            &mut names.credit_note,
            &mut names.dispute,
            &mut names.commission,
            &mut names.payment_instructions,
            &mut names.voucher,
            &mut names.other_voucher,
        ] {
            *name = change(name);
        }
        names
    }
}
