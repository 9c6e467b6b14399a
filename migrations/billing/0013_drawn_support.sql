-- What a guarantor, or the issuer of a letter of credit, has paid: a payment names the promise of a lease under which it came, so that
-- what is left of its cap can be told. Sessions have an empty search_path while this runs.
alter table billing.payment
    add column lease_id text collate "C",
    add column credit_support_id text collate "C",
    add constraint payment_lease foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    add constraint payment_drawn check (
        (lease_id is null) = (credit_support_id is null) and (lease_id is null or kind = 'BANK'));
create index payment_by_lease on billing.payment (operator_id, lease_id);

create or replace function billing.guard_payment() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE'
       or (new.operator_id, new.payment_id, new.account_id, new.tenant_id, new.currency_code, new.kind, new.reference,
           new.value_date, new.note, new.amount_minor, new.create_time, new.lease_id, new.credit_support_id)
          is distinct from
          (old.operator_id, old.payment_id, old.account_id, old.tenant_id, old.currency_code, old.kind, old.reference,
           old.value_date, old.note, old.amount_minor, old.create_time, old.lease_id, old.credit_support_id)
       or new.allocated_minor < old.allocated_minor or new.refunded_minor < old.refunded_minor
    then
        raise exception 'payment %: what came stays as it came', old.payment_id
            using errcode = 'check_violation', constraint = 'payment_immutable';
    end if;
    return new;
end
$$;
