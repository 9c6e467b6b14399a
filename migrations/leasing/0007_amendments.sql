-- A version after the first is written when both sides have signed it, by whoever finishes that deed: the sweeper too.
grant insert on leasing.lease_version to leasing_worker;
grant insert on leasing.premises to leasing_worker;
grant insert on leasing.rate_step to leasing_worker;
grant insert on leasing.quantity_step to leasing_worker;
grant insert on leasing.signature to leasing_worker;
