//! What the demonstration found: facts from the services' answers, for tables and for machines alike.

use kernel::CivilDate;
use serde::Serialize;

use crate::market::Figures;

/// Everything the demonstration found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Where business time stands.
    pub business_date: CivilDate,
    /// Sites loaded.
    pub sites: usize,
    /// One per priced lease.
    pub leases: Vec<LeaseFound>,
    /// Year-1 rates that the rounding of published values leaves open.
    pub bands: Vec<BandFound>,
    /// Leased according to the sources, without a price.
    pub capacity_only: Vec<ReservationFound>,
    /// One per operator that leases.
    pub operators: Vec<OperatorFound>,
    /// Gross power against the grid, per site that has a block.
    pub grid: Vec<GridFound>,
    /// One per site: what the server answers beside what the file says.
    pub site_figures: Vec<SiteFound>,
    /// Where the two differ, and why.
    pub differences: Vec<DifferenceFound>,
    /// What a buyer of 40 MW is answered.
    pub search: SearchFound,
    /// What an operator's own sales are answered.
    pub own_search: SearchFound,
    /// One more megawatt where the hall is full.
    pub full: RefusalFound,
    /// The row that the grid cannot carry.
    pub over_grid: RefusalFound,
    /// The rent invoices of the month.
    pub invoices: Vec<InvoiceFound>,
    /// The books of each operator after issue.
    pub books: Vec<BooksFound>,
    /// What is left of one lease, from billing's own preview.
    pub preview: PreviewFound,
    /// What the bookings rest on beside the sources.
    pub assumptions: Vec<AssumptionFound>,
    /// Rows of the source that are not booked.
    pub not_booked: Vec<NotBookedFound>,
    /// Every check, held or not.
    pub checks: Vec<Check>,
}

/// A signed lease and its schedule.
#[derive(Debug, Serialize)]
pub struct LeaseFound {
    /// Row of the source.
    pub deal: String,
    /// Resource name.
    pub lease: String,
    /// Slug.
    pub operator: String,
    /// The tenant, for people.
    pub tenant: String,
    /// Slug.
    pub site: String,
    /// By leasing's own sum.
    pub critical_it_kw: i64,
    /// First commencement.
    pub start_date: CivilDate,
    /// Of each phase.
    pub term_months: u32,
    /// The first line's rate.
    pub rate_per_kw_month: String,
    /// Where stated.
    pub escalator_percent: Option<String>,
    /// `None` where no escalator is stated: an average is not a price.
    pub year_one_rent_cents: Option<i64>,
    /// Published base value.
    pub stated_cents: i64,
    /// Sum of the schedule's lines.
    pub schedule_cents: i64,
    /// How many lines.
    pub schedule_lines: usize,
    /// Published value of the options, apart.
    pub options_cents: Option<i64>,
    /// The site's contracted power is unknown, so booked and not verified.
    pub grid_unstated: bool,
    /// Signed but conditional in the source.
    pub conditional_kw: i64,
}

impl LeaseFound {
    /// The schedule's sum less the published value.
    pub fn residue_cents(&self) -> i64 {
        self.schedule_cents - self.stated_cents
    }

    /// Twice the residue is at most this many cents: half a cent per line.
    pub fn ties(&self) -> bool {
        i64::try_from(self.schedule_lines).is_ok_and(|lines| self.residue_cents().abs() * 2 <= lines)
    }
}

/// The year-1 rates that a rounded value allows.
#[derive(Debug, Serialize)]
pub struct BandFound {
    /// Row of the source.
    pub deal: String,
    /// $/kW-month for the smallest value that rounds to the published one.
    pub low: String,
    /// The same for the largest.
    pub high: String,
}

/// A reservation without a lease.
#[derive(Debug, Serialize)]
pub struct ReservationFound {
    /// Row of the source.
    pub deal: String,
    /// Resource name.
    pub reservation: String,
    /// Slug.
    pub operator: String,
    /// The tenant, for people.
    pub tenant: String,
    /// Slug.
    pub site: String,
    /// Critical IT load.
    pub critical_it_kw: i64,
    /// When it begins.
    pub start_date: CivilDate,
}

/// One operator.
#[derive(Debug, Serialize)]
pub struct OperatorFound {
    /// Slug.
    pub operator: String,
    /// For people.
    pub name: String,
    /// Signed leases.
    pub leases: usize,
    /// Contracted by leases, from leasing.
    pub contracted_kw: i64,
    /// Contracted by leases, from inventory, once every block has begun.
    pub leased_in_inventory_kw: i64,
    /// Free and dated, from inventory, once every block has begun.
    pub free_kw: i64,
    /// Convertible headroom, date assumed.
    pub convertible_kw: i64,
    /// Sum over the leases that have a year-1 figure.
    pub year_one_rent_cents: i64,
    /// Leases without one.
    pub without_year_one: usize,
    /// Published.
    pub stated_cents: i64,
    /// By the schedules.
    pub schedule_cents: i64,
    /// Published, apart.
    pub options_cents: i64,
    /// Of the contracted kW, how many stand on a site whose grid limit is not stated.
    pub grid_unstated_kw: i64,
    /// Of the contracted kW, how many are conditional in the source.
    pub conditional_kw: i64,
}

/// A site's gross power.
#[derive(Debug, Serialize)]
pub struct GridFound {
    /// Slug.
    pub site: String,
    /// Drawn by the accepted phases.
    pub gross_kw: i64,
    /// `None`: not stated, so not verified.
    pub contracted_kw: Option<i64>,
}

/// A site by its own answers and by the file.
#[derive(Debug, Serialize)]
pub struct SiteFound {
    /// Slug.
    pub site: String,
    /// Slug.
    pub operator: String,
    /// What `sites.csv` says.
    pub stated: Figures,
    /// Energised on the business date; `None`: unknown.
    pub energised_kw: Option<i64>,
    /// Contracted on the business date; `None`: unknown.
    pub contracted_kw: Option<i64>,
    /// Mined on the business date beside what is booked, gross.
    pub mined_kw: i64,
    /// IT load leased once every lease has begun, or held as leased for want of a price.
    pub leased_it_kw: i64,
    /// IT load free and dated, then.
    pub free_it_kw: i64,
    /// Contracted and not allocated then, gross; `None`: unknown.
    pub headroom_kw: Option<i64>,
    /// Steps of its power plan over fifty years.
    pub plan_steps: usize,
    /// Where that plan does not add up.
    pub fault: Option<String>,
}

/// A figure of the file that the server does not answer.
#[derive(Debug, Serialize)]
pub struct DifferenceFound {
    /// Slug.
    pub site: String,
    /// The column of `sites.csv`.
    pub column: &'static str,
    /// What the file says.
    pub stated_kw: Option<i64>,
    /// What the server answers.
    pub found_kw: Option<i64>,
    /// Why; empty where nobody knows.
    pub why: String,
}

/// What a search answers.
#[derive(Debug, Serialize)]
pub struct SearchFound {
    /// Who asked.
    pub asked_by: String,
    /// The need, in words.
    pub need: String,
    /// Free and dated: block, start, kW.
    pub free: Vec<Offer>,
    /// The nearest misses, in words.
    pub nearest: Vec<String>,
    /// Convertible, date assumed.
    pub convertible: Vec<Convertible>,
}

/// Free capacity.
#[derive(Debug, Serialize)]
pub struct Offer {
    /// Resource name.
    pub block: String,
    /// First day.
    pub start_date: CivilDate,
    /// Critical IT load free.
    pub critical_it_kw: i64,
}

/// Capacity that could be made.
#[derive(Debug, Serialize)]
pub struct Convertible {
    /// Resource name.
    pub site: String,
    /// Gross power not spoken for.
    pub headroom_gross_kw: i64,
    /// IT load it carries.
    pub convertible_it_kw: i64,
    /// Assumed.
    pub start_date: CivilDate,
    /// Each a sentence.
    pub assumptions: Vec<String>,
}

/// A refusal as the caller sees it.
#[derive(Debug, Serialize)]
pub struct RefusalFound {
    /// What was asked, in words.
    pub asked: String,
    /// The gRPC code.
    pub code: String,
    /// The machine's word.
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// The figures.
    pub figures: std::collections::BTreeMap<String, String>,
}

impl RefusalFound {
    /// A figure as a number.
    pub fn figure(&self, key: &str) -> Option<i64> {
        self.figures.get(key)?.parse().ok()
    }
}

/// An issued invoice.
#[derive(Debug, Serialize)]
pub struct InvoiceFound {
    /// Slug.
    pub operator: String,
    /// For people.
    pub operator_name: String,
    /// Row of the source.
    pub deal: String,
    /// Its number in the operator's series.
    pub number: String,
    /// `OPEN` once issued.
    pub state: String,
    /// Last day to pay.
    pub due_date: CivilDate,
    /// The sum.
    pub total_cents: i64,
    /// Each line in words and figures.
    pub lines: Vec<String>,
}

/// An operator's books.
#[derive(Debug, Serialize)]
pub struct BooksFound {
    /// Slug.
    pub operator: String,
    /// Debits of all accounts.
    pub debit_cents: i64,
    /// Credits of all accounts.
    pub credit_cents: i64,
}

/// What is left to be invoiced of a lease.
#[derive(Debug, Serialize)]
pub struct PreviewFound {
    /// Row of the source.
    pub deal: String,
    /// Months still to come.
    pub invoices: usize,
    /// Their sum.
    pub to_come_cents: i64,
    /// Invoiced so far.
    pub invoiced_cents: i64,
}

/// An assumption and the rows that rest on it.
#[derive(Debug, Serialize)]
pub struct AssumptionFound {
    /// Its name.
    pub flag: String,
    /// What it says.
    pub meaning: String,
    /// Rows of the source; empty: all that are booked.
    pub rows: Vec<String>,
}

/// A row that is not booked.
#[derive(Debug, Serialize)]
pub struct NotBookedFound {
    /// Row of the source.
    pub deal: String,
    /// Critical IT load, where stated.
    pub critical_it_kw: Option<i64>,
    /// The word.
    pub reason: String,
    /// The sentence.
    pub detail: String,
}

/// Something that must hold.
#[derive(Debug, Serialize)]
pub struct Check {
    /// What, in words.
    pub what: String,
    /// What must come out.
    pub expected: String,
    /// What came out.
    pub found: String,
    /// Whether it did.
    pub held: bool,
}
