-- Rent that has changed after it was billed: the difference is a line of rent that is reckoned, under a revision of its own for each
-- block and month, so that it is billed once whatever runs bill it. Sessions have an empty search_path while this runs.
alter table billing.invoice_line
    drop constraint invoice_line_rent_or_reckoned,
    add constraint invoice_line_rent_or_reckoned check (
        case
            when charge_type = 'BASE_RENT' and item = '' then
                num_nulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0
                and num_nonnulls(detail, reckoning_id) = 0 and revision = 0
            else num_nonnulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0
                and num_nulls(detail, reckoning_id) = 0
        end),
    -- A difference is of a block's month.
    add constraint invoice_line_rent_difference check (
        charge_type <> 'BASE_RENT' or item = '' or (item = 'difference' and extract(day from period_start) = 1));
