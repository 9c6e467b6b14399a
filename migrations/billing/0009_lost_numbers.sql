-- Numbers of documents that left the house and were lost by a restore. They are written down with a reason and never given
-- again, so that no two documents have one number, and a series has no gap that nobody can explain.
--
-- Only whoever restores writes here, as the owner; no service may. Append only.
-- Sessions have an empty search_path while this runs.

create table billing.lost_numbers (
    operator_id text collate "C" not null,
    series text collate "C" not null,
    first_number bigint not null,
    last_number bigint not null,
    reason text not null,
    create_time timestamptz not null,
    constraint lost_numbers_pkey primary key (operator_id, series, first_number),
    constraint lost_numbers_counter foreign key (operator_id, series)
        references billing.number_counter (operator_id, series),
    constraint lost_numbers_range check (first_number > 0 and last_number >= first_number),
    constraint lost_numbers_reason check (length(btrim(reason)) between 1 and 1000),
    constraint lost_numbers_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create trigger lost_numbers_append_only before update or delete on billing.lost_numbers
    for each row execute function billing.refuse_change();

alter table billing.lost_numbers enable row level security;
alter table billing.lost_numbers force row level security;
create policy lost_numbers_operator on billing.lost_numbers to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy lost_numbers_worker on billing.lost_numbers to billing_worker using (true) with check (true);
grant select on billing.lost_numbers to billing, billing_worker;

-- Writes down as lost what an operator's series gave out after the instant that was restored to, up to the last number that is
-- known to have left the house. Says how many numbers that are; 0 where the series has passed that number.
create function billing.lose_numbers(of_operator text, of_series text, through bigint, why text) returns bigint
    language plpgsql set search_path = '' as $$
declare
    last bigint;
begin
    perform set_config('app.operator', of_operator, true);
    select c.last_number into last from billing.number_counter c
        where c.operator_id = of_operator and c.series = of_series for update;
    last := coalesce(last, 0);
    if through <= last then
        return 0;
    end if;
    insert into billing.number_counter as c (operator_id, series, last_number)
        values (of_operator, of_series, through)
        on conflict (operator_id, series) do update set last_number = through;
    insert into billing.lost_numbers (operator_id, series, first_number, last_number, reason, create_time)
        values (of_operator, of_series, last + 1, through, why, clock_timestamp());
    return through - last;
end
$$;
revoke execute on function billing.lose_numbers(text, text, bigint, text) from public;
