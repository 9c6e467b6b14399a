-- What all migrations together make, read from the catalogue. Not for applying: the test that compares it
-- rewrites it with UPDATE_GOLDEN=1.

schema inventory owner gridlease_owner
  grant usage to inventory
  grant usage to inventory_worker

table inventory.audit_cursor owner gridlease_owner row security forced
  only_row boolean not null default true
  xid bigint not null default 0
  seq bigint not null default 0
  claimed_by uuid
  claimed_until timestamp with time zone not null default '2000-01-01 00:00:00+00'::timestamp with time zone
  constraint audit_cursor_claimed_until CHECK (((claimed_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (claimed_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_cursor_only_row CHECK (only_row)
  constraint audit_cursor_pkey PRIMARY KEY (only_row)
  policy audit_cursor_worker permissive for all to inventory_worker using (true) with check (true)
  grant select, update to inventory_worker

table inventory.audit_link owner gridlease_owner row security forced
  owner text collate "C" not null
  number bigint not null
  after_xid bigint not null
  after_seq bigint not null
  until_xid bigint not null
  until_seq bigint not null
  entries bigint not null
  digest bytea not null
  prev_hash bytea not null
  hash bytea not null
  chained_at timestamp with time zone not null
  constraint audit_link_chained_at CHECK (((chained_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (chained_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_link_shape CHECK (((number > 0) AND (entries > 0) AND (ROW(after_xid, after_seq) < ROW(until_xid, until_seq)) AND (octet_length(digest) = 32) AND (octet_length(prev_hash) = 32) AND (octet_length(hash) = 32)))
  constraint audit_link_pkey PRIMARY KEY (owner, number)
  constraint audit_link_follows UNIQUE (owner, prev_hash)
  policy audit_link_scope permissive for select to inventory using ((owner = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))
  policy audit_link_worker permissive for all to inventory_worker using (true) with check (true)
  grant select to inventory
  grant insert, select to inventory_worker

table inventory.block owner gridlease_owner row security forced
  operator_id text collate "C" not null
  block_id uuid not null
  site_id text collate "C" not null
  block_slug text collate "C" not null
  revision bigint not null
  display_name text not null
  cooling_kinds jsonb not null
  redundancy text not null
  max_kw_per_rack bigint
  lease_type text not null
  rate_per_kw_month numeric(24,10)
  currency_code text
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  archived_at timestamp with time zone
  more jsonb not null default '{}'::jsonb
  constraint block_archived_at_check CHECK (((archived_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (archived_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint block_block_slug_check CHECK ((block_slug ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint block_check CHECK (((rate_per_kw_month IS NULL) = (currency_code IS NULL)))
  constraint block_cooling_kinds_check CHECK ((jsonb_typeof(cooling_kinds) = 'array'::text))
  constraint block_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint block_currency_code_check CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint block_display_name_check CHECK (((length(display_name) >= 1) AND (length(display_name) <= 255)))
  constraint block_lease_type_check CHECK ((lease_type = ANY (ARRAY['UNSPECIFIED'::text, 'POWERED_SHELL'::text, 'TURNKEY'::text, 'GPU_CLOUD'::text])))
  constraint block_max_kw_per_rack_check CHECK ((max_kw_per_rack > 0))
  constraint block_more_check CHECK ((jsonb_typeof(more) = 'object'::text))
  constraint block_rate_per_kw_month_check CHECK (((rate_per_kw_month >= (0)::numeric) AND (rate_per_kw_month <> 'NaN'::numeric)))
  constraint block_redundancy_check CHECK ((redundancy = ANY (ARRAY['UNSPECIFIED'::text, 'N'::text, 'N_PLUS_1'::text, 'TWO_N'::text, 'TWO_N_PLUS_1'::text, 'DISTRIBUTED'::text])))
  constraint block_revision_check CHECK ((revision > 0))
  constraint block_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint block_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint block_pkey PRIMARY KEY (operator_id, block_id)
  constraint block_operator_id_site_id_block_slug_key UNIQUE (operator_id, site_id, block_slug)
  policy block_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy block_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy block_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.block_version owner gridlease_owner row security forced with fillfactor=50
  operator_id text collate "C" not null
  block_id uuid not null
  version bigint not null
  added_kw bigint not null
  limit_it_kw bigint not null
  limit_air_kw bigint not null
  limit_liquid_kw bigint not null
  limit_immersion_kw bigint not null
  limit_accelerators bigint not null
  peak_it_kw bigint not null
  peak_air_kw bigint not null
  peak_liquid_kw bigint not null
  peak_immersion_kw bigint not null
  peak_accelerators bigint not null
  constraint peak_within_limit CHECK (((peak_it_kw <= limit_it_kw) AND (peak_air_kw <= limit_air_kw) AND (peak_liquid_kw <= limit_liquid_kw) AND (peak_immersion_kw <= limit_immersion_kw) AND (peak_accelerators <= limit_accelerators)))
  constraint block_version_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint block_version_pkey PRIMARY KEY (operator_id, block_id)
  policy block_version_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy block_version_worker permissive for all to inventory_worker using (true) with check (true)
  grant select to inventory
  grant select to inventory_worker

table inventory.claim owner gridlease_owner row security forced
  operator_id text collate "C" not null
  block_id uuid not null
  version bigint not null
  reservation_id uuid not null
  tenant_id text collate "C"
  kind text not null
  state text not null
  hold_until timestamp with time zone not null
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  constraint claim_kw CHECK (((LEAST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 0) AND ((GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 1) AND (GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) <= 1000000000))))
  constraint claim_state CHECK (((state = ANY (ARRAY['HELD'::text, 'COMMITTED'::text, 'RELEASED'::text, 'EXPIRED'::text, 'MERGED'::text, 'AMENDED'::text])) AND (version > 0)))
  constraint claim_times CHECK (((start_time < end_time) AND (LEAST(start_time, hold_until) >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (GREATEST(end_time, hold_until) <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint claim_pkey PRIMARY KEY (operator_id, block_id, version)
  CREATE INDEX claim_reservation ON inventory.claim USING btree (operator_id, reservation_id)
  policy claim_added_up permissive for select to gridlease_owner using ((( SELECT current_setting('app.market'::text, true) AS current_setting) = 'on'::text))
  policy claim_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy claim_tenant permissive for select to inventory using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy claim_worker permissive for all to inventory_worker using (true) with check (true)
  grant select to inventory
  grant select to inventory_worker

table inventory.curtailment owner gridlease_owner row security forced
  operator_id text collate "C" not null
  curtailment_id uuid not null
  site_id text collate "C" not null
  programme_id text
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  curtailed_kw bigint not null
  note text not null
  audience text[] collate "C" not null
  created_at timestamp with time zone not null
  constraint curtailment_check CHECK ((start_time < end_time))
  constraint curtailment_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint curtailment_curtailed_kw_check CHECK (((curtailed_kw >= 1) AND (curtailed_kw <= 1000000000)))
  constraint curtailment_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint curtailment_note_check CHECK ((length(note) <= 1000))
  constraint curtailment_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint curtailment_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint curtailment_pkey PRIMARY KEY (operator_id, curtailment_id)
  CREATE INDEX curtailment_site ON inventory.curtailment USING btree (operator_id, site_id, curtailment_id)
  policy curtailment_audience permissive for select to inventory using ((( SELECT current_setting('app.tenant'::text, true) AS current_setting) = ANY (audience)))
  policy curtailment_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy curtailment_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select to inventory
  grant select to inventory_worker

table inventory.derate owner gridlease_owner row security forced
  operator_id text collate "C" not null
  derate_id uuid not null
  block_id uuid not null
  kind text not null
  state text not null
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  reason text not null
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint derate_accelerators_check CHECK (((accelerators >= 0) AND (accelerators <= 1000000000)))
  constraint derate_air_cooling_kw_check CHECK (((air_cooling_kw >= 0) AND (air_cooling_kw <= 1000000000)))
  constraint derate_check CHECK ((start_time < end_time))
  constraint derate_check1 CHECK (((kind <> 'DERATE'::text) OR (GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) > 0)))
  constraint derate_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint derate_critical_it_kw_check CHECK (((critical_it_kw >= 0) AND (critical_it_kw <= 1000000000)))
  constraint derate_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint derate_immersion_cooling_kw_check CHECK (((immersion_cooling_kw >= 0) AND (immersion_cooling_kw <= 1000000000)))
  constraint derate_kind_check CHECK ((kind = ANY (ARRAY['MAINTENANCE'::text, 'DERATE'::text])))
  constraint derate_liquid_cooling_kw_check CHECK (((liquid_cooling_kw >= 0) AND (liquid_cooling_kw <= 1000000000)))
  constraint derate_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 500)))
  constraint derate_revision_check CHECK ((revision > 0))
  constraint derate_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint derate_state_check CHECK ((state = ANY (ARRAY['SCHEDULED'::text, 'CANCELLED'::text, 'CUT_SHORT'::text])))
  constraint derate_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint derate_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint derate_pkey PRIMARY KEY (operator_id, derate_id)
  CREATE INDEX derate_block ON inventory.derate USING btree (operator_id, block_id, start_time)
  policy derate_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy derate_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy derate_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.encumbrance owner gridlease_owner row security forced
  operator_id text collate "C" not null
  encumbrance_id uuid not null
  site_id text collate "C"
  block_id uuid
  tenant_id text collate "C" not null
  kind text not null
  quantity_kw bigint not null
  valid_until timestamp with time zone not null
  response_days integer not null
  note text not null
  is_released boolean not null
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint encumbrance_check CHECK (((block_id IS NULL) OR (site_id IS NOT NULL)))
  constraint encumbrance_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint encumbrance_kind_check CHECK ((kind = ANY (ARRAY['LOI'::text, 'ROFO'::text, 'ROFR'::text])))
  constraint encumbrance_note_check CHECK ((length(note) <= 1000))
  constraint encumbrance_quantity_kw_check CHECK (((quantity_kw >= 1) AND (quantity_kw <= 1000000000)))
  constraint encumbrance_response_days_check CHECK (((response_days >= 0) AND (response_days <= 365)))
  constraint encumbrance_revision_check CHECK ((revision > 0))
  constraint encumbrance_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint encumbrance_valid_until_check CHECK (((valid_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (valid_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint encumbrance_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint encumbrance_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES inventory.operator(operator_id)
  constraint encumbrance_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint encumbrance_pkey PRIMARY KEY (operator_id, encumbrance_id)
  CREATE INDEX encumbrance_block ON inventory.encumbrance USING btree (operator_id, block_id)
  CREATE INDEX encumbrance_site ON inventory.encumbrance USING btree (operator_id, site_id)
  policy encumbrance_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy encumbrance_tenant permissive for select to inventory using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy encumbrance_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.feed owner gridlease_owner row security forced
  only_row boolean not null default true
  epoch uuid not null default gen_random_uuid()
  constraint feed_only_row CHECK (only_row)
  constraint feed_pkey PRIMARY KEY (only_row)
  policy feed_read permissive for all to inventory, inventory_worker using (true) with check (false)
  grant select to inventory
  grant select to inventory_worker

table inventory.feed_cursor owner gridlease_owner row security forced
  source text collate "C" not null
  cursor text collate "C" not null
  constraint feed_cursor_pkey PRIMARY KEY (source)
  policy feed_cursor_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory_worker

table inventory.idempotency owner gridlease_owner row security forced
  owner text collate "C" not null
  caller text collate "C" not null
  rpc text collate "C" not null
  request_id uuid not null
  request_hash bytea not null
  reply bytea not null
  created_at timestamp with time zone not null default clock_timestamp()
  constraint idempotency_created_at CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint idempotency_request_hash CHECK ((octet_length(request_hash) = 32))
  constraint idempotency_pkey PRIMARY KEY (owner, request_id, caller, rpc)
  CREATE INDEX idempotency_created_at ON inventory.idempotency USING brin (created_at)
  policy idempotency_scope permissive for all to gridlease_owner, inventory using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting))))
  policy idempotency_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select to inventory
  grant delete, insert, select to inventory_worker

table inventory.incident owner gridlease_owner row security forced
  operator_id text collate "C" not null
  incident_id uuid not null
  site_id text collate "C" not null
  block_id uuid
  kind text not null
  state text not null
  tenant_id text collate "C"
  start_time timestamp with time zone not null
  end_time timestamp with time zone
  audience text[] collate "C" not null
  facts jsonb not null
  resolution text not null
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint incident_check CHECK ((start_time < end_time))
  constraint incident_check1 CHECK (((state <> 'RESOLVED'::text) OR (end_time IS NOT NULL)))
  constraint incident_check2 CHECK ((tenant_id = ANY (audience)))
  constraint incident_check3 CHECK (((state <> ALL (ARRAY['OPEN'::text, 'WITHDRAWN'::text])) OR (tenant_id IS NOT NULL)))
  constraint incident_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint incident_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint incident_facts_check CHECK ((jsonb_typeof(facts) = 'object'::text))
  constraint incident_kind_check CHECK ((kind = ANY (ARRAY['POWER'::text, 'COOLING'::text])))
  constraint incident_resolution_check CHECK ((length(resolution) <= 1000))
  constraint incident_revision_check CHECK ((revision > 0))
  constraint incident_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint incident_state_check CHECK ((state = ANY (ARRAY['OPEN'::text, 'ACKNOWLEDGED'::text, 'RESOLVED'::text, 'REJECTED'::text, 'WITHDRAWN'::text])))
  constraint incident_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint incident_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint incident_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint incident_pkey PRIMARY KEY (operator_id, incident_id)
  CREATE INDEX incident_block ON inventory.incident USING btree (operator_id, block_id)
  CREATE INDEX incident_site ON inventory.incident USING btree (operator_id, site_id, incident_id)
  policy incident_audience permissive for select to inventory using ((( SELECT current_setting('app.tenant'::text, true) AS current_setting) = ANY (audience)))
  policy incident_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy incident_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.operator owner gridlease_owner row security forced
  operator_id text collate "C" not null
  revision bigint not null
  display_name text not null
  aliases jsonb not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null default clock_timestamp()
  constraint operator_aliases_check CHECK ((jsonb_typeof(aliases) = 'array'::text))
  constraint operator_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint operator_display_name_check CHECK (((length(display_name) >= 1) AND (length(display_name) <= 255)))
  constraint operator_operator_id_check CHECK ((operator_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint operator_revision_check CHECK ((revision > 0))
  constraint operator_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint operator_pkey PRIMARY KEY (operator_id)
  policy operator_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy operator_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy operator_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.outbox owner gridlease_owner row security forced
  operator_id text collate "C" not null
  position_xid bigint not null default ((pg_current_xact_id())::text)::bigint
  position_seq bigint not null identity a
  event_id uuid not null
  kind text collate "C" not null
  subject text collate "C" not null
  audience_tenant text collate "C"
  occurred_at timestamp with time zone not null
  payload bytea not null
  recorded_at timestamp with time zone not null default clock_timestamp()
  deed json
  constraint outbox_times CHECK (((LEAST(occurred_at, recorded_at) >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (GREATEST(occurred_at, recorded_at) <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint outbox_pkey PRIMARY KEY (operator_id, position_xid, position_seq)
  CREATE INDEX outbox_position ON inventory.outbox USING btree (position_xid, position_seq)
  CREATE INDEX outbox_recorded ON inventory.outbox USING brin (recorded_at) WITH (pages_per_range='16')
  CREATE INDEX outbox_tenant ON inventory.outbox USING btree (audience_tenant, position_xid, position_seq) WHERE (audience_tenant IS NOT NULL)
  policy outbox_scope permissive for all to gridlease_owner, inventory using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))))
  policy outbox_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select to inventory
  grant insert, select to inventory_worker

table inventory.phase owner gridlease_owner row security forced
  operator_id text collate "C" not null
  block_id uuid not null
  phase_id text collate "C" not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  gross_kw bigint not null
  gross_basis text not null
  it_basis text not null
  use_state text not null
  interim_use text not null
  interim_gross_kw bigint not null
  interim_start_date date
  conversion_start_date date
  wind_down_notice_days integer not null
  ready_for_service_date date not null
  date_basis text not null
  ready_dates jsonb not null
  end_date date
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  grid_check text not null
  cancel_reason text not null
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint phase_accelerators_check CHECK (((accelerators >= 0) AND (accelerators <= 1000000000)))
  constraint phase_air_cooling_kw_check CHECK (((air_cooling_kw >= 0) AND (air_cooling_kw <= 1000000000)))
  constraint phase_cancel_reason_check CHECK ((length(cancel_reason) <= 500))
  constraint phase_check CHECK ((start_time < end_time))
  constraint phase_check1 CHECK ((ready_for_service_date < end_date))
  constraint phase_check2 CHECK (((interim_use = 'NONE'::text) = (interim_gross_kw = 0)))
  constraint phase_check3 CHECK (((interim_use = 'NONE'::text) = (interim_start_date IS NULL)))
  constraint phase_check4 CHECK ((conversion_start_date < ready_for_service_date))
  constraint phase_check5 CHECK ((interim_start_date < COALESCE(conversion_start_date, ready_for_service_date)))
  constraint phase_conversion_start_date_check CHECK (((conversion_start_date >= '2000-01-01'::date) AND (conversion_start_date <= '9999-12-31'::date)))
  constraint phase_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint phase_critical_it_kw_check CHECK (((critical_it_kw >= 0) AND (critical_it_kw <= 1000000000)))
  constraint phase_date_basis_check CHECK ((date_basis = ANY (ARRAY['ACTUAL'::text, 'FORECAST'::text, 'ASSUMED'::text])))
  constraint phase_end_date_check CHECK (((end_date >= '2000-01-01'::date) AND (end_date <= '9999-12-31'::date)))
  constraint phase_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint phase_grid_check_check CHECK ((grid_check = ANY (ARRAY['WITHIN'::text, 'UNSTATED'::text])))
  constraint phase_gross_basis_check CHECK ((gross_basis = ANY (ARRAY['STATED'::text, 'ASSUMED'::text])))
  constraint phase_gross_kw_check CHECK (((gross_kw >= 0) AND (gross_kw <= '10000000000'::bigint)))
  constraint phase_immersion_cooling_kw_check CHECK (((immersion_cooling_kw >= 0) AND (immersion_cooling_kw <= 1000000000)))
  constraint phase_interim_gross_kw_check CHECK (((interim_gross_kw >= 0) AND (interim_gross_kw <= '10000000000'::bigint)))
  constraint phase_interim_start_date_check CHECK (((interim_start_date >= '2000-01-01'::date) AND (interim_start_date <= '9999-12-31'::date)))
  constraint phase_interim_use_check CHECK ((interim_use = ANY (ARRAY['NONE'::text, 'MINING'::text, 'HOSTING'::text, 'IDLE'::text])))
  constraint phase_it_basis_check CHECK ((it_basis = ANY (ARRAY['STATED'::text, 'ASSUMED'::text])))
  constraint phase_liquid_cooling_kw_check CHECK (((liquid_cooling_kw >= 0) AND (liquid_cooling_kw <= 1000000000)))
  constraint phase_phase_id_check CHECK ((phase_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint phase_ready_dates_check CHECK (((jsonb_typeof(ready_dates) = 'array'::text) AND (ready_dates <> '[]'::jsonb)))
  constraint phase_ready_for_service_date_check CHECK (((ready_for_service_date >= '2000-01-01'::date) AND (ready_for_service_date <= '9999-12-31'::date)))
  constraint phase_revision_check CHECK ((revision > 0))
  constraint phase_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint phase_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint phase_use_state_check CHECK ((use_state = ANY (ARRAY['PLANNED'::text, 'MINING'::text, 'HOSTING'::text, 'IDLE'::text, 'CONVERTING'::text, 'COMMISSIONING'::text, 'READY'::text, 'RETIRED'::text, 'CANCELLED'::text])))
  constraint phase_wind_down_notice_days_check CHECK (((wind_down_notice_days >= 0) AND (wind_down_notice_days <= 3650)))
  constraint phase_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint phase_pkey PRIMARY KEY (operator_id, block_id, phase_id)
  policy phase_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy phase_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy phase_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.reservation owner gridlease_owner row security forced
  operator_id text collate "C" not null
  reservation_id uuid not null
  tenant_id text collate "C"
  kind text not null
  state text not null
  hold_until timestamp with time zone not null
  note text not null
  created_by text not null
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint reservation_times CHECK (((LEAST(hold_until, created_at, updated_at) >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (GREATEST(hold_until, created_at, updated_at) <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reservation_words CHECK (((kind = ANY (ARRAY['HOLD'::text, 'LEASE'::text, 'OPTION'::text, 'OPERATOR_USE'::text])) AND (state = ANY (ARRAY['HELD'::text, 'COMMITTED'::text, 'RELEASED'::text, 'EXPIRED'::text, 'MERGED'::text])) AND (length(note) <= 1000) AND (revision > 0)))
  constraint reservation_pkey PRIMARY KEY (operator_id, reservation_id)
  CREATE INDEX reservation_held ON inventory.reservation USING btree (operator_id, tenant_id, hold_until) WHERE (state = 'HELD'::text)
  policy reservation_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy reservation_tenant permissive for select to inventory using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy reservation_worker permissive for all to inventory_worker using (true) with check (true)
  grant select to inventory
  grant select to inventory_worker

table inventory.revocation owner gridlease_owner row security forced
  owner text collate "C" not null
  what text collate "C" not null
  value text collate "C" not null
  issued_until timestamp with time zone not null
  reason text not null
  revoked_by text not null
  updated_at timestamp with time zone not null
  expires_at timestamp with time zone not null
  constraint revocation_expires_at CHECK (((expires_at > updated_at) AND ((expires_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (expires_at <= '9999-12-31 00:00:00+00'::timestamp with time zone))))
  constraint revocation_issued_until CHECK (((issued_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (issued_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_updated_at CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_value CHECK (((length(value) >= 1) AND (length(value) <= 255)))
  constraint revocation_what CHECK ((what = ANY (ARRAY['token'::text, 'subject'::text])))
  constraint revocation_pkey PRIMARY KEY (owner, what, value)
  policy revocation_scope permissive for all to gridlease_owner, inventory using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))
  policy revocation_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant delete, select to inventory_worker

table inventory.schema_history owner gridlease_owner row security forced
  version bigint not null
  name text not null
  checksum text not null
  applied_at timestamp with time zone not null default clock_timestamp()
  constraint schema_history_applied_at CHECK (((applied_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (applied_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint schema_history_version CHECK ((version >= 0))
  constraint schema_history_pkey PRIMARY KEY (version)
  policy schema_history_owner permissive for all to gridlease_owner using (true) with check (true)
  policy schema_history_read permissive for all to inventory, inventory_worker using (true) with check (false)
  grant select to inventory
  grant select to inventory_worker

table inventory.shortfall owner gridlease_owner row security forced
  operator_id text collate "C" not null
  block_id uuid not null
  reservation_id uuid not null
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  cause text not null
  cause_resource text not null
  reason text not null
  recorded_at timestamp with time zone not null
  constraint shortfall_accelerators_check CHECK (((accelerators >= 0) AND (accelerators <= 1000000000)))
  constraint shortfall_air_cooling_kw_check CHECK (((air_cooling_kw >= 0) AND (air_cooling_kw <= 1000000000)))
  constraint shortfall_cause_check CHECK ((cause = ANY (ARRAY['DELAYED'::text, 'REDUCED'::text, 'CANCELLED'::text, 'MAINTENANCE'::text, 'DERATED'::text])))
  constraint shortfall_cause_resource_check CHECK (((length(cause_resource) >= 1) AND (length(cause_resource) <= 500)))
  constraint shortfall_check CHECK ((start_time < end_time))
  constraint shortfall_check1 CHECK ((GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) > 0))
  constraint shortfall_critical_it_kw_check CHECK (((critical_it_kw >= 0) AND (critical_it_kw <= 1000000000)))
  constraint shortfall_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint shortfall_immersion_cooling_kw_check CHECK (((immersion_cooling_kw >= 0) AND (immersion_cooling_kw <= 1000000000)))
  constraint shortfall_liquid_cooling_kw_check CHECK (((liquid_cooling_kw >= 0) AND (liquid_cooling_kw <= 1000000000)))
  constraint shortfall_reason_check CHECK ((length(reason) <= 500))
  constraint shortfall_recorded_at_check CHECK (((recorded_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (recorded_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint shortfall_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint shortfall_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint shortfall_operator_id_reservation_id_fkey FOREIGN KEY (operator_id, reservation_id) REFERENCES inventory.reservation(operator_id, reservation_id)
  constraint shortfall_pkey PRIMARY KEY (operator_id, block_id, reservation_id, start_time)
  CREATE INDEX shortfall_reservation ON inventory.shortfall USING btree (operator_id, reservation_id)
  policy shortfall_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy shortfall_worker permissive for all to inventory_worker using (true) with check (true)
  grant delete, insert, select to inventory
  grant delete, insert, select to inventory_worker

table inventory.site owner gridlease_owner row security forced
  operator_id text collate "C" not null
  site_id text collate "C" not null
  version bigint not null
  display_name text not null
  aliases jsonb not null
  city text not null
  state_code text not null
  country_code text not null
  grid_iso text not null
  utility text not null
  time_zone text not null
  latitude_e7 bigint
  longitude_e7 bigint
  interconnection_status text not null
  interconnection_source text not null
  interconnection_as_of text
  reported_leased_it_kw bigint
  current_use text not null
  figures_source text not null
  figures_as_of text
  figures_confidence text not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  archived_at timestamp with time zone
  more jsonb not null default '{}'::jsonb
  constraint site_aliases_check CHECK ((jsonb_typeof(aliases) = 'array'::text))
  constraint site_archived_at_check CHECK (((archived_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (archived_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint site_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint site_display_name_check CHECK (((length(display_name) >= 1) AND (length(display_name) <= 255)))
  constraint site_figures_as_of_check CHECK ((figures_as_of ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'::text))
  constraint site_figures_confidence_check CHECK ((figures_confidence = ANY (ARRAY['UNSPECIFIED'::text, 'HIGH'::text, 'MEDIUM'::text, 'LOW'::text])))
  constraint site_interconnection_as_of_check CHECK ((interconnection_as_of ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'::text))
  constraint site_interconnection_status_check CHECK ((interconnection_status = ANY (ARRAY['UNSPECIFIED'::text, 'REQUESTED'::text, 'STUDIED'::text, 'CONTRACTED'::text, 'ENERGISED'::text])))
  constraint site_latitude_e7_check CHECK (((latitude_e7 >= '-900000000'::integer) AND (latitude_e7 <= 900000000)))
  constraint site_longitude_e7_check CHECK (((longitude_e7 >= '-1800000000'::integer) AND (longitude_e7 <= 1800000000)))
  constraint site_more_check CHECK ((jsonb_typeof(more) = 'object'::text))
  constraint site_reported_leased_it_kw_check CHECK ((reported_leased_it_kw >= 0))
  constraint site_site_id_check CHECK ((site_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint site_time_zone_check CHECK ((time_zone <> ''::text))
  constraint site_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint site_version_check CHECK ((version > 0))
  constraint site_operator_id_fkey FOREIGN KEY (operator_id) REFERENCES inventory.operator(operator_id)
  constraint site_pkey PRIMARY KEY (operator_id, site_id)
  policy site_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy site_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy site_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.site_grid_step owner gridlease_owner row security forced
  operator_id text collate "C" not null
  site_id text collate "C" not null
  from_date date not null
  contracted_kw bigint
  energised_kw bigint
  interim_kw bigint
  constraint site_grid_step_contracted_kw_check CHECK (((contracted_kw >= 0) AND (contracted_kw <= 1000000000)))
  constraint site_grid_step_energised_kw_check CHECK (((energised_kw >= 0) AND (energised_kw <= 1000000000)))
  constraint site_grid_step_from_date_check CHECK (((from_date >= '2000-01-01'::date) AND (from_date <= '9999-12-31'::date)))
  constraint site_grid_step_interim_kw_check CHECK (((interim_kw >= 0) AND (interim_kw <= 1000000000)))
  constraint site_grid_step_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint site_grid_step_pkey PRIMARY KEY (operator_id, site_id, from_date)
  policy site_grid_step_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy site_grid_step_published permissive for select to inventory using (((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy site_grid_step_worker permissive for all to inventory_worker using (true) with check (true)
  grant delete, insert, select to inventory
  grant select to inventory_worker

table inventory.superseded owner gridlease_owner row security forced
  operator_id text collate "C" not null
  name text collate "C" not null
  revision bigint not null
  kind text not null
  tenant_id text collate "C"
  valid_from timestamp with time zone not null
  valid_until timestamp with time zone not null
  payload bytea not null
  constraint superseded_check CHECK ((valid_from <= valid_until))
  constraint superseded_kind_check CHECK ((kind = ANY (ARRAY['OPERATOR'::text, 'SITE'::text, 'BLOCK'::text, 'PHASE'::text, 'RESERVATION'::text])))
  constraint superseded_revision_check CHECK ((revision > 0))
  constraint superseded_valid_from_check CHECK (((valid_from >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (valid_from <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint superseded_valid_until_check CHECK (((valid_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (valid_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint superseded_pkey PRIMARY KEY (operator_id, name, revision)
  policy superseded_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy superseded_published permissive for select to inventory using (((kind <> 'RESERVATION'::text) AND ((( SELECT current_setting('app.tenant'::text, true) AS current_setting) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text))))
  policy superseded_tenant permissive for select to inventory using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy superseded_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select to inventory
  grant select to inventory_worker

table inventory.waitlist_entry owner gridlease_owner row security forced
  operator_id text collate "C" not null
  entry_id uuid not null
  site_id text collate "C" not null
  block_id uuid
  tenant_id text collate "C" not null
  expire_at timestamp with time zone not null
  note text not null
  state text not null
  seen_versions bigint not null
  available jsonb not null
  told_at timestamp with time zone
  revision bigint not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  constraint waitlist_entry_available_check CHECK ((jsonb_typeof(available) = 'array'::text))
  constraint waitlist_entry_created_at_check CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_entry_expire_at_check CHECK (((expire_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (expire_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_entry_note_check CHECK ((length(note) <= 1000))
  constraint waitlist_entry_revision_check CHECK ((revision > 0))
  constraint waitlist_entry_seen_versions_check CHECK ((seen_versions >= 0))
  constraint waitlist_entry_state_check CHECK ((state = ANY (ARRAY['WAITING'::text, 'AVAILABLE'::text, 'LEFT'::text])))
  constraint waitlist_entry_told_at_check CHECK (((told_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (told_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_entry_updated_at_check CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_entry_operator_id_block_id_fkey FOREIGN KEY (operator_id, block_id) REFERENCES inventory.block(operator_id, block_id)
  constraint waitlist_entry_operator_id_site_id_fkey FOREIGN KEY (operator_id, site_id) REFERENCES inventory.site(operator_id, site_id)
  constraint waitlist_entry_pkey PRIMARY KEY (operator_id, entry_id)
  CREATE INDEX waitlist_entry_block ON inventory.waitlist_entry USING btree (operator_id, block_id)
  CREATE INDEX waitlist_entry_site ON inventory.waitlist_entry USING btree (operator_id, site_id)
  policy waitlist_entry_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy waitlist_entry_tenant permissive for select to inventory using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy waitlist_entry_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select, update to inventory
  grant select to inventory_worker

table inventory.waitlist_step owner gridlease_owner row security forced
  operator_id text collate "C" not null
  entry_id uuid not null
  start_time timestamp with time zone not null
  end_time timestamp with time zone not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  constraint waitlist_step_check CHECK ((start_time < end_time))
  constraint waitlist_step_check1 CHECK (((LEAST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 0) AND ((GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 1) AND (GREATEST(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) <= 1000000000))))
  constraint waitlist_step_end_time_check CHECK (((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_step_start_time_check CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint waitlist_step_operator_id_entry_id_fkey FOREIGN KEY (operator_id, entry_id) REFERENCES inventory.waitlist_entry(operator_id, entry_id)
  constraint waitlist_step_pkey PRIMARY KEY (operator_id, entry_id, start_time)
  policy waitlist_step_own permissive for all to gridlease_owner, inventory using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy waitlist_step_tenant permissive for select to inventory using ((EXISTS ( SELECT
   FROM inventory.waitlist_entry e
  WHERE ((e.operator_id = waitlist_step.operator_id) AND (e.entry_id = waitlist_step.entry_id) AND (e.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy waitlist_step_worker permissive for all to inventory_worker using (true) with check (true)
  grant insert, select to inventory
  grant select to inventory_worker

function inventory.block_state(p_operator text, p_blocks uuid[], p_since bigint[]) returns TABLE(part text, block_id uuid, version bigint, reservation_id uuid, kind text, state text, hold_until timestamp with time zone, start_time timestamp with time zone, end_time timestamp with time zone, critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint, accelerators bigint) owner gridlease_owner language plpgsql volatile security definer set search_path="", plan_cache_mode=force_generic_plan body a75ba9483c6408b31515d4d152f83056
  grant execute to inventory
  grant execute to inventory_worker

function inventory.book(p_operator text, p_now timestamp with time zone, p_rpc text, b_id uuid[], b_version bigint[], b_claims bigint[], b_added bigint[], b_room bigint[], b_grown bigint[], b_peak_it bigint[], b_peak_air bigint[], b_peak_liquid bigint[], b_peak_immersion bigint[], b_peak_accelerators bigint[], r_id uuid[], r_tenant text[], r_kind text[], r_hold_until timestamp with time zone[], r_note text[], k_caller text[], k_request uuid[], k_hash bytea[], k_reply bytea[], e_id uuid[], e_payload bytea[], c_reservation integer[], c_block integer[], c_ordinal bigint[], c_start timestamp with time zone[], c_end timestamp with time zone[], c_it bigint[], c_air bigint[], c_liquid bigint[], c_immersion bigint[], c_accelerators bigint[], e_deed text[]) returns TABLE(outcomes smallint[], at timestamp with time zone, part text, block_id uuid, version bigint, reservation_id uuid, kind text, state text, hold_until timestamp with time zone, start_time timestamp with time zone, end_time timestamp with time zone, critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint, accelerators bigint) owner gridlease_owner language plpgsql volatile security definer set search_path="", plan_cache_mode=force_generic_plan, enable_hashjoin=off, enable_mergejoin=off, enable_seqscan=off, enable_bitmapscan=off body d21c242bce5e66b3b9d3f1b7712b1528
  grant execute to inventory

function inventory.booked_use(p_operators text[], p_from timestamp with time zone) returns TABLE(operator_id text, block_id uuid, kind text, state text, start_time timestamp with time zone, end_time timestamp with time zone, critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint, accelerators bigint) owner gridlease_owner language plpgsql volatile security definer set search_path="" body 4d0499d87f6f4db5f03e3bf87ac2b5ea
  grant execute to inventory

function inventory.lock_blocks(p_operator text, p_blocks uuid[]) returns void owner gridlease_owner language plpgsql volatile security definer set search_path="" body c8c6175d28ab847dcbf2cca0800aecd4
  grant execute to inventory
  grant execute to inventory_worker

function inventory.more_than_any_room() returns bigint owner gridlease_owner language sql immutable set search_path="" body d41d8cd98f00b204e9800998ecf8427e

function inventory.move_reservation(p_operator text, p_reservation uuid, p_revision bigint, p_from text[], p_to text, p_guard text, p_hold_until timestamp with time zone, p_now timestamp with time zone, p_before bytea, k_caller text, k_rpc text, k_request uuid, k_hash bytea, k_reply bytea, e_id uuid, e_kind text, e_payload bytea, e_deed text, OUT outcome text, OUT at timestamp with time zone) returns record owner gridlease_owner language plpgsql volatile security definer set search_path="", plan_cache_mode=force_generic_plan body 0c639619911916421ff02bea8e008838
  grant execute to inventory
  grant execute to inventory_worker

function inventory.open_holds(p_operator text, p_tenants text[]) returns TABLE(tenant_id text, holds bigint) owner gridlease_owner language plpgsql volatile security definer set search_path="", plan_cache_mode=force_generic_plan body f00952784f78e52e49c47ad03a42aa3f
  grant execute to inventory

function inventory.oversold_between(after_operator text, after_block uuid, last_operator text, last_block uuid) returns TABLE(operator_id text, block_id uuid, resource text, at timestamp with time zone, used_kw bigint, capacity_kw bigint) owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off, jit=off body d7136b0131027b3f01c8437fcf07e322
  grant execute to inventory_worker

function inventory.oversold_instants() returns TABLE(operator_id text, block_id uuid, resource text, at timestamp with time zone, used_kw bigint, capacity_kw bigint) owner gridlease_owner language plpgsql volatile set search_path="" body f880ac6e866a154d0867eabed062d098
  grant execute to inventory_worker

function inventory.recorded_replies(p_operator text, p_rpc text, k_caller text[], k_request uuid[]) returns TABLE(caller text, request_id uuid, request_hash bytea, reply bytea, created_at timestamp with time zone) owner gridlease_owner language plpgsql volatile security definer set search_path="", plan_cache_mode=force_generic_plan body 5aa8d90583c7a13138ec2010bbac0981
  grant execute to inventory

function inventory.rewrite_reservations(p_operator text, p_rewrite jsonb, OUT outcome text) returns text owner gridlease_owner language plpgsql volatile security definer set search_path="" body 9325ed0d99e8c0698eb3e174f59947e1
  grant execute to inventory

function inventory.touch_block(p_operator text, p_block uuid) returns bigint owner gridlease_owner language plpgsql volatile security definer set search_path="" body 71807f4172c15801ec02301f53d39aaf
  grant execute to inventory

schema leasing owner gridlease_owner
  grant usage to leasing
  grant usage to leasing_worker

table leasing.audit_cursor owner gridlease_owner row security forced
  only_row boolean not null default true
  xid bigint not null default 0
  seq bigint not null default 0
  claimed_by uuid
  claimed_until timestamp with time zone not null default '2000-01-01 00:00:00+00'::timestamp with time zone
  constraint audit_cursor_claimed_until CHECK (((claimed_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (claimed_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_cursor_only_row CHECK (only_row)
  constraint audit_cursor_pkey PRIMARY KEY (only_row)
  policy audit_cursor_worker permissive for all to leasing_worker using (true) with check (true)
  grant select, update to leasing_worker

table leasing.audit_link owner gridlease_owner row security forced
  owner text collate "C" not null
  number bigint not null
  after_xid bigint not null
  after_seq bigint not null
  until_xid bigint not null
  until_seq bigint not null
  entries bigint not null
  digest bytea not null
  prev_hash bytea not null
  hash bytea not null
  chained_at timestamp with time zone not null
  constraint audit_link_chained_at CHECK (((chained_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (chained_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_link_shape CHECK (((number > 0) AND (entries > 0) AND (ROW(after_xid, after_seq) < ROW(until_xid, until_seq)) AND (octet_length(digest) = 32) AND (octet_length(prev_hash) = 32) AND (octet_length(hash) = 32)))
  constraint audit_link_pkey PRIMARY KEY (owner, number)
  constraint audit_link_follows UNIQUE (owner, prev_hash)
  policy audit_link_scope permissive for select to leasing using ((owner = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))
  policy audit_link_worker permissive for all to leasing_worker using (true) with check (true)
  grant select to leasing
  grant insert, select to leasing_worker

table leasing.bid owner gridlease_owner row security forced
  operator_id text collate "C" not null
  bid_id uuid not null
  bid_uid uuid not null
  tenant_id text collate "C" not null
  capacity_request_id uuid not null
  state text collate "C" not null
  reveal_at timestamp with time zone
  bid_deadline timestamp with time zone not null
  valid_until timestamp with time zone not null
  content text not null
  critical_it_kw bigint not null
  triple_net_rate numeric(24,10) not null
  average_triple_net_rate numeric(24,10) not null
  hold_seconds bigint
  reservation_id uuid
  hold_expire_time timestamp with time zone
  award_no integer
  revision bigint not null
  intent_rpc text collate "C"
  intent_caller text collate "C"
  intent_request_id uuid
  intent_hash bytea
  intent_actor text
  sweep_at timestamp with time zone
  submit_time timestamp with time zone not null default clock_timestamp()
  update_time timestamp with time zone not null
  constraint bid_average CHECK ((average_triple_net_rate <> 'NaN'::numeric))
  constraint bid_award_no CHECK (((award_no IS NULL) OR (state = ANY (ARRAY['AWARDING'::text, 'AWARDED'::text, 'LAPSED'::text]))))
  constraint bid_bid_deadline CHECK (((bid_deadline >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (bid_deadline <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_content CHECK (((octet_length(content) >= 2) AND (octet_length(content) <= 65536)))
  constraint bid_held CHECK ((((reservation_id IS NULL) = (hold_expire_time IS NULL)) AND ((hold_seconds IS NOT NULL) OR (reservation_id IS NULL)) AND ((state = 'SUBMITTING'::text) OR (hold_seconds IS NULL) OR (reservation_id IS NOT NULL))))
  constraint bid_hold_expire_time CHECK (((hold_expire_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (hold_expire_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_hold_seconds CHECK ((hold_seconds > 0))
  constraint bid_in_time CHECK (((submit_time < bid_deadline) AND (valid_until > bid_deadline)))
  constraint bid_intent CHECK ((((state = 'SUBMITTING'::text) = (intent_rpc IS NOT NULL)) AND ((intent_rpc IS NULL) = (intent_caller IS NULL)) AND ((intent_rpc IS NULL) = (intent_request_id IS NULL)) AND ((intent_rpc IS NULL) = (intent_hash IS NULL))))
  constraint bid_intent_hash CHECK ((octet_length(intent_hash) = 32))
  constraint bid_kw CHECK ((critical_it_kw > 0))
  constraint bid_rate CHECK (((triple_net_rate > (0)::numeric) AND (triple_net_rate <> 'NaN'::numeric)))
  constraint bid_reveal CHECK (((reveal_at IS NULL) OR (reveal_at = bid_deadline)))
  constraint bid_reveal_at CHECK (((reveal_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (reveal_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_revision CHECK ((revision > 0))
  constraint bid_state CHECK ((state = ANY (ARRAY['SUBMITTING'::text, 'SUBMITTED'::text, 'AWARDING'::text, 'AWARDED'::text, 'LOST'::text, 'RETURNED'::text, 'WITHDRAWN'::text, 'LAPSED'::text])))
  constraint bid_submit_time CHECK (((submit_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (submit_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_sweep_at CHECK (((sweep_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (sweep_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_valid_until CHECK (((valid_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (valid_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint bid_request FOREIGN KEY (tenant_id, capacity_request_id) REFERENCES leasing.capacity_request(tenant_id, capacity_request_id)
  constraint bid_pkey PRIMARY KEY (operator_id, bid_id)
  constraint bid_uid UNIQUE (operator_id, bid_uid)
  CREATE INDEX bid_by_rate ON leasing.bid USING btree (operator_id, triple_net_rate, bid_id)
  CREATE UNIQUE INDEX bid_intent ON leasing.bid USING btree (operator_id, intent_caller, intent_rpc, intent_request_id) WHERE (intent_request_id IS NOT NULL)
  CREATE INDEX bid_of_request ON leasing.bid USING btree (tenant_id, capacity_request_id, triple_net_rate, operator_id, bid_id)
  CREATE UNIQUE INDEX bid_reservation ON leasing.bid USING btree (operator_id, reservation_id) WHERE (reservation_id IS NOT NULL)
  CREATE INDEX bid_standing ON leasing.bid USING btree (valid_until) WHERE (state = 'SUBMITTED'::text)
  CREATE INDEX bid_sweep ON leasing.bid USING btree (sweep_at) WHERE (sweep_at IS NOT NULL)
  policy bid_awarded permissive for update to leasing using (((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) AND (state = ANY (ARRAY['SUBMITTED'::text, 'AWARDING'::text])) AND ((reveal_at IS NULL) OR (reveal_at <= clock_timestamp())))) with check (((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) AND (state = ANY (ARRAY['AWARDING'::text, 'AWARDED'::text, 'LAPSED'::text]))))
  policy bid_gone restrictive for delete to leasing, leasing_worker using (((state = 'SUBMITTING'::text) AND (reservation_id IS NULL)))
  policy bid_operator permissive for all to leasing using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy bid_revealed permissive for select to leasing using (((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) AND (state <> ALL (ARRAY['SUBMITTING'::text, 'RETURNED'::text, 'WITHDRAWN'::text])) AND ((reveal_at IS NULL) OR (reveal_at <= clock_timestamp())) AND ((state <> 'SUBMITTED'::text) OR (EXISTS ( SELECT 1
   FROM leasing.capacity_request r
  WHERE ((r.tenant_id = bid.tenant_id) AND (r.capacity_request_id = bid.capacity_request_id) AND (NOT r.unopened)))))))
  policy bid_worker permissive for all to leasing_worker using (true) with check (true)
  grant delete, insert, select, update to leasing
  grant delete, insert, select, update to leasing_worker

table leasing.capacity_request owner gridlease_owner row security forced
  tenant_id text collate "C" not null
  capacity_request_id uuid not null
  state text collate "C" not null
  visibility text collate "C" not null
  bid_deadline timestamp with time zone not null
  reveal_at timestamp with time zone
  content text not null
  revision bigint not null
  award_hold_seconds bigint
  cancel_reason text
  unopened boolean not null default false
  intent_rpc text collate "C"
  intent_caller text collate "C"
  intent_request_id uuid
  intent_hash bytea
  intent_actor text
  sweep_at timestamp with time zone
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint capacity_request_award_hold CHECK ((award_hold_seconds > 0))
  constraint capacity_request_bid_deadline CHECK (((bid_deadline >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (bid_deadline <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint capacity_request_cancelled CHECK (((state = 'CANCELLED'::text) = (cancel_reason IS NOT NULL)))
  constraint capacity_request_content CHECK (((octet_length(content) >= 2) AND (octet_length(content) <= 65536)))
  constraint capacity_request_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint capacity_request_intent CHECK ((((state = 'AWARDING'::text) = (intent_rpc IS NOT NULL)) AND ((intent_rpc IS NULL) = (intent_caller IS NULL)) AND ((intent_rpc IS NULL) = (intent_request_id IS NULL)) AND ((intent_rpc IS NULL) = (intent_hash IS NULL)) AND ((intent_rpc IS NULL) = (award_hold_seconds IS NULL))))
  constraint capacity_request_intent_hash CHECK ((octet_length(intent_hash) = 32))
  constraint capacity_request_reveal CHECK (((reveal_at IS NULL) OR (reveal_at = bid_deadline)))
  constraint capacity_request_reveal_at CHECK (((reveal_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (reveal_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint capacity_request_revision CHECK ((revision > 0))
  constraint capacity_request_state CHECK ((state = ANY (ARRAY['OPEN'::text, 'AWARDING'::text, 'AWARDED'::text, 'CANCELLED'::text])))
  constraint capacity_request_sweep_at CHECK (((sweep_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (sweep_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint capacity_request_unopened CHECK (((state = 'CANCELLED'::text) OR (NOT unopened)))
  constraint capacity_request_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint capacity_request_visibility CHECK ((visibility = ANY (ARRAY['MARKET'::text, 'NAMED'::text])))
  constraint capacity_request_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint capacity_request_pkey PRIMARY KEY (tenant_id, capacity_request_id)
  CREATE INDEX capacity_request_by_deadline ON leasing.capacity_request USING btree (bid_deadline, tenant_id, capacity_request_id)
  CREATE INDEX capacity_request_sweep ON leasing.capacity_request USING btree (sweep_at) WHERE (sweep_at IS NOT NULL)
  policy capacity_request_published permissive for select to leasing using (((COALESCE(( SELECT current_setting('app.operator'::text, true) AS current_setting), ''::text) <> ''::text) AND ((visibility = 'MARKET'::text) OR (EXISTS ( SELECT 1
   FROM leasing.capacity_request_operator o
  WHERE ((o.tenant_id = capacity_request.tenant_id) AND (o.capacity_request_id = capacity_request.capacity_request_id) AND (o.operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))))))))
  policy capacity_request_tenant permissive for all to leasing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) with check ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy capacity_request_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing
  grant select, update to leasing_worker

table leasing.capacity_request_operator owner gridlease_owner row security forced
  tenant_id text collate "C" not null
  capacity_request_id uuid not null
  operator_id text collate "C" not null
  constraint capacity_request_operator_request FOREIGN KEY (tenant_id, capacity_request_id) REFERENCES leasing.capacity_request(tenant_id, capacity_request_id)
  constraint capacity_request_operator_pkey PRIMARY KEY (tenant_id, capacity_request_id, operator_id)
  policy capacity_request_operator_own permissive for select to leasing using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy capacity_request_operator_tenant permissive for all to leasing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) with check ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy capacity_request_operator_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant select to leasing_worker

table leasing.feed owner gridlease_owner row security forced
  only_row boolean not null default true
  epoch uuid not null default gen_random_uuid()
  constraint feed_only_row CHECK (only_row)
  constraint feed_pkey PRIMARY KEY (only_row)
  policy feed_read permissive for all to leasing, leasing_worker using (true) with check (false)
  grant select to leasing
  grant select to leasing_worker

table leasing.feed_cursor owner gridlease_owner row security forced
  source text collate "C" not null
  cursor text collate "C" not null
  constraint feed_cursor_pkey PRIMARY KEY (source)
  policy feed_cursor_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing_worker

table leasing.former_tenant owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  from_revision bigint not null
  until_revision bigint not null
  tenant_id text collate "C" not null
  constraint former_tenant_revisions CHECK (((0 < from_revision) AND (from_revision < until_revision)))
  constraint former_tenant_lease FOREIGN KEY (operator_id, lease_id) REFERENCES leasing.lease(operator_id, lease_id)
  constraint former_tenant_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint former_tenant_pkey PRIMARY KEY (operator_id, lease_id, from_revision)
  CREATE INDEX former_tenant_of_tenant ON leasing.former_tenant USING btree (tenant_id, operator_id, lease_id)
  policy former_tenant_scope permissive for select to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))
  policy former_tenant_worker permissive for all to leasing_worker using (true) with check (true)
  grant select to leasing
  grant insert, select to leasing_worker

table leasing.hold_release owner gridlease_owner row security forced
  operator_id text collate "C" not null
  reservation_id uuid not null
  lease_id text collate "C" not null
  sweep_at timestamp with time zone not null default clock_timestamp()
  constraint hold_release_sweep_at CHECK (((sweep_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (sweep_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint hold_release_pkey PRIMARY KEY (operator_id, reservation_id)
  CREATE INDEX hold_release_sweep ON leasing.hold_release USING btree (sweep_at)
  policy hold_release_bid permissive for insert to leasing with check ((EXISTS ( SELECT 1
   FROM leasing.bid b
  WHERE ((b.operator_id = hold_release.operator_id) AND ((b.bid_id)::text = hold_release.lease_id)))))
  policy hold_release_quote permissive for insert to leasing with check ((EXISTS ( SELECT 1
   FROM leasing.quote q
  WHERE ((q.operator_id = hold_release.operator_id) AND (q.quote_id =
        CASE
            WHEN (hold_release.lease_id ~ '^[0-9a-f-]{36}$'::text) THEN (hold_release.lease_id)::uuid
            ELSE NULL::uuid
        END)))))
  policy hold_release_scope permissive for insert to leasing with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = hold_release.operator_id) AND (l.lease_id = hold_release.lease_id)))))
  policy hold_release_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert to leasing
  grant delete, insert, select, update to leasing_worker

table leasing.idempotency owner gridlease_owner row security forced
  owner text collate "C" not null
  caller text collate "C" not null
  rpc text collate "C" not null
  request_id uuid not null
  request_hash bytea not null
  reply bytea not null
  created_at timestamp with time zone not null default clock_timestamp()
  constraint idempotency_created_at CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint idempotency_request_hash CHECK ((octet_length(request_hash) = 32))
  constraint idempotency_pkey PRIMARY KEY (owner, request_id, caller, rpc)
  CREATE INDEX idempotency_created_at ON leasing.idempotency USING brin (created_at)
  policy idempotency_scope permissive for all to gridlease_owner, leasing using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting))))
  policy idempotency_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant delete, insert, select to leasing_worker

table leasing.lease owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  lease_uid uuid not null
  tenant_id text collate "C" not null
  state text collate "C" not null
  version integer not null
  revision bigint not null
  reservation_id uuid
  hold_expire_time timestamp with time zone
  hold_seconds bigint not null
  ended_because text collate "C"
  intent_rpc text collate "C"
  intent_caller text collate "C"
  intent_request_id uuid
  intent_hash bytea
  intent_actor text
  sweep_at timestamp with time zone
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  signed_time timestamp with time zone
  effective_time timestamp with time zone
  due_at timestamp with time zone
  life jsonb not null default '{}'::jsonb
  unplaced boolean not null default false
  master_agreement_id uuid
  constraint lease_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_due_at CHECK (((due_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (due_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_due_state CHECK (((due_at IS NULL) OR (state = ANY (ARRAY['SIGNED'::text, 'EFFECTIVE'::text, 'ACTIVE'::text, 'HOLDOVER'::text, 'DEFAULTED'::text]))))
  constraint lease_effective CHECK (
CASE
    WHEN (state = ANY (ARRAY['TERMINATED'::text, 'CLOSED'::text])) THEN true
    ELSE ((state = ANY (ARRAY['EFFECTIVE'::text, 'ACTIVE'::text, 'HOLDOVER'::text, 'DEFAULTED'::text, 'EXPIRED'::text])) = (effective_time IS NOT NULL))
END)
  constraint lease_effective_time CHECK (((effective_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (effective_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_ended_because CHECK (((state = ANY (ARRAY['CANCELLED'::text, 'LAPSED'::text])) = (ended_because IS NOT NULL)))
  constraint lease_held CHECK ((((reservation_id IS NULL) = (hold_expire_time IS NULL)) AND ((state = ANY (ARRAY['DRAFT'::text, 'PROPOSING'::text])) OR unplaced OR (reservation_id IS NOT NULL))))
  constraint lease_hold_expire_time CHECK (((hold_expire_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (hold_expire_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_hold_seconds CHECK ((hold_seconds > 0))
  constraint lease_intent CHECK (((((state = ANY (ARRAY['PROPOSING'::text, 'SIGNING'::text])) OR (COALESCE((life -> 'pending'::text), 'null'::jsonb) <> 'null'::jsonb)) = (intent_rpc IS NOT NULL)) AND ((intent_rpc IS NULL) = (intent_caller IS NULL)) AND ((intent_rpc IS NULL) = (intent_request_id IS NULL)) AND ((intent_rpc IS NULL) = (intent_hash IS NULL))))
  constraint lease_intent_hash CHECK ((octet_length(intent_hash) = 32))
  constraint lease_life CHECK ((jsonb_typeof(life) = 'object'::text))
  constraint lease_revision CHECK ((revision > 0))
  constraint lease_signed_time CHECK (((signed_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (signed_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_state CHECK ((state = ANY (ARRAY['DRAFT'::text, 'PROPOSING'::text, 'PROPOSED'::text, 'SIGNING'::text, 'SIGNED'::text, 'EFFECTIVE'::text, 'ACTIVE'::text, 'HOLDOVER'::text, 'DEFAULTED'::text, 'EXPIRED'::text, 'TERMINATED'::text, 'CLOSED'::text, 'CANCELLED'::text, 'LAPSED'::text])))
  constraint lease_sweep_at CHECK (((sweep_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (sweep_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_version_positive CHECK ((version > 0))
  constraint lease_master_agreement FOREIGN KEY (operator_id, master_agreement_id) REFERENCES leasing.master_agreement(operator_id, master_agreement_id)
  constraint lease_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint lease_pkey PRIMARY KEY (operator_id, lease_id)
  constraint lease_uid_unique UNIQUE (operator_id, lease_uid)
  CREATE INDEX lease_due ON leasing.lease USING btree (due_at) WHERE (due_at IS NOT NULL)
  CREATE UNIQUE INDEX lease_intent ON leasing.lease USING btree (operator_id, intent_caller, intent_rpc, intent_request_id) WHERE (intent_request_id IS NOT NULL)
  CREATE INDEX lease_of_master_agreement ON leasing.lease USING btree (operator_id, master_agreement_id, lease_id)
  CREATE UNIQUE INDEX lease_reservation ON leasing.lease USING btree (operator_id, reservation_id) WHERE (reservation_id IS NOT NULL)
  CREATE INDEX lease_sweep ON leasing.lease USING btree (sweep_at) WHERE (sweep_at IS NOT NULL)
  CREATE INDEX lease_tenant ON leasing.lease USING btree (tenant_id, operator_id, lease_id)
  policy lease_gone restrictive for delete to leasing, leasing_worker using (((state = 'PROPOSING'::text) AND (reservation_id IS NULL)))
  policy lease_scope permissive for all to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))
  policy lease_worker permissive for all to leasing_worker using (true) with check (true)
  grant delete, insert, select, update to leasing
  grant delete, insert, select, update to leasing_worker

table leasing.lease_history owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  revision bigint not null
  kind text collate "C" not null
  occurred_at timestamp with time zone not null
  state text collate "C" not null
  version integer not null
  constraint lease_history_occurred_at CHECK (((occurred_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (occurred_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_history_revision CHECK ((revision > 0))
  constraint lease_history_version CHECK ((version > 0))
  constraint lease_history_lease FOREIGN KEY (operator_id, lease_id) REFERENCES leasing.lease(operator_id, lease_id) ON DELETE CASCADE
  constraint lease_history_pkey PRIMARY KEY (operator_id, lease_id, revision)
  policy lease_history_former permissive for select to leasing using ((EXISTS ( SELECT 1
   FROM leasing.former_tenant f
  WHERE ((f.operator_id = lease_history.operator_id) AND (f.lease_id = lease_history.lease_id) AND (f.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) AND ((lease_history.revision >= f.from_revision) AND (lease_history.revision <= f.until_revision))))))
  policy lease_history_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_history.operator_id) AND (l.lease_id = lease_history.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_history.operator_id) AND (l.lease_id = lease_history.lease_id)))))
  policy lease_history_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.lease_right owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  right_id text collate "C" not null
  kind text collate "C" not null
  site_id text collate "C"
  block_slug text collate "C"
  until_date date
  body jsonb not null
  constraint lease_right_body CHECK ((jsonb_typeof(body) = 'object'::text))
  constraint lease_right_kind CHECK ((kind = ANY (ARRAY['ROFR'::text, 'ROFO'::text])))
  constraint lease_right_place CHECK (((block_slug IS NULL) OR (site_id IS NOT NULL)))
  constraint lease_right_until_date CHECK (((until_date >= '2000-01-01'::date) AND (until_date <= '9999-12-31'::date)))
  constraint lease_right_version FOREIGN KEY (operator_id, lease_id, version) REFERENCES leasing.lease_version(operator_id, lease_id, version) ON DELETE CASCADE
  constraint lease_right_pkey PRIMARY KEY (operator_id, lease_id, version, right_id)
  policy lease_right_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_right.operator_id) AND (l.lease_id = lease_right.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_right.operator_id) AND (l.lease_id = lease_right.lease_id)))))
  policy lease_right_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.lease_version owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  terms bytea not null
  terms_hash bytea not null
  create_time timestamp with time zone not null
  constraint lease_version_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_version_hash_of_terms CHECK ((terms_hash = sha256(terms)))
  constraint lease_version_positive CHECK ((version > 0))
  constraint lease_version_terms CHECK (((octet_length(terms) >= 2) AND (octet_length(terms) <= 1048576)))
  constraint lease_version_terms_hash CHECK ((octet_length(terms_hash) = 32))
  constraint lease_version_lease FOREIGN KEY (operator_id, lease_id) REFERENCES leasing.lease(operator_id, lease_id) ON DELETE CASCADE
  constraint lease_version_pkey PRIMARY KEY (operator_id, lease_id, version)
  policy lease_version_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_version.operator_id) AND (l.lease_id = lease_version.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = lease_version.operator_id) AND (l.lease_id = lease_version.lease_id)))))
  policy lease_version_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.master_agreement owner gridlease_owner row security forced
  operator_id text collate "C" not null
  master_agreement_id uuid not null
  tenant_id text collate "C" not null
  state text collate "C" not null
  terms bytea not null
  terms_hash bytea not null
  consents jsonb not null
  ending jsonb
  revision bigint not null
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint master_agreement_consents CHECK (((jsonb_typeof(consents) = 'array'::text) AND (jsonb_array_length(consents) <= 2)))
  constraint master_agreement_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint master_agreement_ended CHECK (((state = 'ENDED'::text) = (ending IS NOT NULL)))
  constraint master_agreement_ending CHECK ((jsonb_typeof(ending) = 'object'::text))
  constraint master_agreement_hash_of_terms CHECK ((terms_hash = sha256(terms)))
  constraint master_agreement_revision CHECK ((revision > 0))
  constraint master_agreement_sides CHECK (((jsonb_array_length(consents) < 2) OR (((consents -> 0) ->> 'party'::text) <> ((consents -> 1) ->> 'party'::text))))
  constraint master_agreement_signed CHECK (
CASE state
    WHEN 'DRAFT'::text THEN (jsonb_array_length(consents) < 2)
    WHEN 'SIGNED'::text THEN (jsonb_array_length(consents) = 2)
    ELSE true
END)
  constraint master_agreement_state CHECK ((state = ANY (ARRAY['DRAFT'::text, 'SIGNED'::text, 'ENDED'::text])))
  constraint master_agreement_terms CHECK (((octet_length(terms) >= 2) AND (octet_length(terms) <= 1048576)))
  constraint master_agreement_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint master_agreement_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint master_agreement_pkey PRIMARY KEY (operator_id, master_agreement_id)
  CREATE INDEX master_agreement_of_tenant ON leasing.master_agreement USING btree (tenant_id, operator_id, master_agreement_id)
  policy master_agreement_scope permissive for all to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))
  policy master_agreement_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant update (consents) to leasing
  grant update (ending) to leasing
  grant update (revision) to leasing
  grant update (state) to leasing
  grant update (update_time) to leasing
  grant select to leasing_worker

table leasing.opportunity owner gridlease_owner row security forced
  operator_id text collate "C" not null
  opportunity_id uuid not null
  display_name text not null
  stage text collate "C" not null
  probability_percent integer
  effective_percent integer not null
  loss_code text collate "C"
  tenant_id text collate "C"
  prospect text not null
  critical_it_kw bigint not null
  rate_per_kw_month numeric(24,10)
  currency_code text collate "C"
  expected_close_date date
  quote text collate "C" not null
  bid_id uuid
  lease_id text collate "C"
  note text not null
  revision bigint not null
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint opportunity_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint opportunity_currency CHECK (((rate_per_kw_month IS NULL) = (currency_code IS NULL)))
  constraint opportunity_display_name CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 200)))
  constraint opportunity_effective CHECK ((((effective_percent >= 0) AND (effective_percent <= 100)) AND ((probability_percent IS NULL) OR (effective_percent = probability_percent))))
  constraint opportunity_expected_close_date CHECK (((expected_close_date >= '2000-01-01'::date) AND (expected_close_date <= '9999-12-31'::date)))
  constraint opportunity_kw CHECK ((critical_it_kw > 0))
  constraint opportunity_loss CHECK (((stage = 'LOST'::text) = (loss_code IS NOT NULL)))
  constraint opportunity_loss_code CHECK ((loss_code = ANY (ARRAY['POWER_DATE'::text, 'PRICE'::text, 'CREDIT'::text, 'DENSITY'::text, 'FIBRE'::text, 'LOCATION'::text, 'TAX'::text])))
  constraint opportunity_note CHECK ((char_length(note) <= 1000))
  constraint opportunity_probability CHECK (((probability_percent >= 0) AND (probability_percent <= 100)))
  constraint opportunity_prospect CHECK ((char_length(prospect) <= 200))
  constraint opportunity_quote CHECK ((char_length(quote) <= 200))
  constraint opportunity_rate CHECK (((rate_per_kw_month > (0)::numeric) AND (rate_per_kw_month <> 'NaN'::numeric)))
  constraint opportunity_revision CHECK ((revision > 0))
  constraint opportunity_stage CHECK ((stage = ANY (ARRAY['INQUIRY'::text, 'QUALIFIED'::text, 'RFP'::text, 'SITE_VISIT'::text, 'LOI'::text, 'PAPERING'::text, 'APPROVAL'::text, 'SIGNED'::text, 'LOST'::text])))
  constraint opportunity_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint opportunity_who CHECK (((tenant_id IS NOT NULL) OR (prospect <> ''::text)))
  constraint opportunity_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint opportunity_pkey PRIMARY KEY (operator_id, opportunity_id)
  CREATE INDEX opportunity_of_tenant ON leasing.opportunity USING btree (tenant_id)
  policy opportunity_scope permissive for all to leasing using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy opportunity_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing
  grant select to leasing_worker

table leasing.outbox owner gridlease_owner row security forced
  operator_id text collate "C" not null
  position_xid bigint not null default ((pg_current_xact_id())::text)::bigint
  position_seq bigint not null identity a
  event_id uuid not null
  kind text collate "C" not null
  subject text collate "C" not null
  audience_tenant text collate "C"
  occurred_at timestamp with time zone not null
  payload bytea not null
  recorded_at timestamp with time zone not null default clock_timestamp()
  deed json
  constraint outbox_times CHECK (((LEAST(occurred_at, recorded_at) >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (GREATEST(occurred_at, recorded_at) <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint outbox_pkey PRIMARY KEY (operator_id, position_xid, position_seq)
  CREATE INDEX outbox_position ON leasing.outbox USING btree (position_xid, position_seq)
  CREATE INDEX outbox_recorded ON leasing.outbox USING brin (recorded_at) WITH (pages_per_range='16')
  CREATE INDEX outbox_tenant ON leasing.outbox USING btree (audience_tenant, position_xid, position_seq) WHERE (audience_tenant IS NOT NULL)
  policy outbox_scope permissive for all to gridlease_owner, leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))))
  policy outbox_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.premises owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  premises_no integer not null
  site_id text collate "C" not null
  block_slug text collate "C" not null
  time_zone text collate "C" not null
  commencement_date date not null
  end_date date not null
  commence_at timestamp with time zone not null
  end_at timestamp with time zone not null
  state text collate "C" not null
  commence_time timestamp with time zone
  standing jsonb not null default '{}'::jsonb
  constraint premises_commence_at CHECK (((commence_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (commence_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint premises_commence_time CHECK (((commence_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (commence_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint premises_commenced CHECK (((state = ANY (ARRAY['OPTIONED'::text, 'PLANNED'::text, 'LAPSED'::text])) = (commence_time IS NULL)))
  constraint premises_dates CHECK (((commencement_date < end_date) AND (commence_at < end_at)))
  constraint premises_dates_bounded CHECK (((commencement_date >= '2000-01-01'::date) AND (end_date <= '9999-12-31'::date)))
  constraint premises_end_at CHECK (((end_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint premises_no CHECK ((premises_no > 0))
  constraint premises_standing CHECK ((jsonb_typeof(standing) = 'object'::text))
  constraint premises_state CHECK ((state = ANY (ARRAY['OPTIONED'::text, 'PLANNED'::text, 'COMMENCED'::text, 'ENDED'::text, 'LAPSED'::text])))
  constraint premises_version FOREIGN KEY (operator_id, lease_id, version) REFERENCES leasing.lease_version(operator_id, lease_id, version) ON DELETE CASCADE
  constraint premises_pkey PRIMARY KEY (operator_id, lease_id, version, premises_no)
  constraint premises_block UNIQUE (operator_id, lease_id, version, site_id, block_slug)
  CREATE INDEX premises_planned ON leasing.premises USING btree (operator_id, site_id, block_slug) WHERE (state = 'PLANNED'::text)
  policy premises_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = premises.operator_id) AND (l.lease_id = premises.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = premises.operator_id) AND (l.lease_id = premises.lease_id)))))
  policy premises_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant update (commence_at) to leasing
  grant update (commence_time) to leasing
  grant update (commencement_date) to leasing
  grant update (end_at) to leasing
  grant update (end_date) to leasing
  grant update (standing) to leasing
  grant update (state) to leasing
  grant insert, select to leasing_worker
  grant update (commence_at) to leasing_worker
  grant update (commence_time) to leasing_worker
  grant update (commencement_date) to leasing_worker
  grant update (end_at) to leasing_worker
  grant update (end_date) to leasing_worker
  grant update (standing) to leasing_worker
  grant update (state) to leasing_worker

table leasing.quantity_step owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  premises_no integer not null
  from_date date not null
  critical_it_kw bigint not null
  air_cooling_kw bigint not null
  liquid_cooling_kw bigint not null
  immersion_cooling_kw bigint not null
  accelerators bigint not null
  constraint quantity_step_from_date CHECK (((from_date >= '2000-01-01'::date) AND (from_date <= '9999-12-31'::date)))
  constraint quantity_step_kw CHECK (((critical_it_kw > 0) AND (air_cooling_kw >= 0) AND (liquid_cooling_kw >= 0) AND (immersion_cooling_kw >= 0) AND (accelerators >= 0)))
  constraint quantity_step_premises FOREIGN KEY (operator_id, lease_id, version, premises_no) REFERENCES leasing.premises(operator_id, lease_id, version, premises_no) ON DELETE CASCADE
  constraint quantity_step_pkey PRIMARY KEY (operator_id, lease_id, version, premises_no, from_date)
  policy quantity_step_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = quantity_step.operator_id) AND (l.lease_id = quantity_step.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = quantity_step.operator_id) AND (l.lease_id = quantity_step.lease_id)))))
  policy quantity_step_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.quote owner gridlease_owner row security forced
  operator_id text collate "C" not null
  quote_id uuid not null
  tenant_id text collate "C" not null
  state text collate "C" not null
  is_shown boolean not null
  author text not null
  approver text
  valid_until timestamp with time zone not null
  hold_seconds bigint not null
  body jsonb not null
  intent_caller text collate "C"
  intent_request_id uuid
  intent_hash bytea
  intent_actor text
  sweep_at timestamp with time zone
  revision bigint not null
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint quote_body CHECK ((jsonb_typeof(body) = 'object'::text))
  constraint quote_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint quote_hidden CHECK (((NOT is_shown) OR (state <> 'HOLDING'::text)))
  constraint quote_hold_seconds CHECK ((hold_seconds > 0))
  constraint quote_intent CHECK ((((state = ANY (ARRAY['HOLDING'::text, 'ACCEPTING'::text])) = (intent_caller IS NOT NULL)) AND ((intent_caller IS NULL) = (intent_request_id IS NULL)) AND ((intent_caller IS NULL) = (intent_hash IS NULL))))
  constraint quote_intent_hash CHECK ((octet_length(intent_hash) = 32))
  constraint quote_revision CHECK ((revision > 0))
  constraint quote_second_person CHECK (((approver IS NULL) OR (approver <> author)))
  constraint quote_shown CHECK ((is_shown OR (state = ANY (ARRAY['HOLDING'::text, 'PENDING_APPROVAL'::text, 'REJECTED'::text, 'LAPSED'::text]))))
  constraint quote_state CHECK ((state = ANY (ARRAY['HOLDING'::text, 'PENDING_APPROVAL'::text, 'OPEN'::text, 'ACCEPTING'::text, 'ACCEPTED'::text, 'REJECTED'::text, 'LAPSED'::text])))
  constraint quote_sweep_at CHECK (((sweep_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (sweep_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint quote_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint quote_valid_until CHECK (((valid_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (valid_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint quote_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint quote_pkey PRIMARY KEY (operator_id, quote_id)
  CREATE UNIQUE INDEX quote_intent ON leasing.quote USING btree (operator_id, state, intent_caller, intent_request_id) WHERE (intent_request_id IS NOT NULL)
  CREATE INDEX quote_lapse ON leasing.quote USING btree (valid_until) WHERE (state = ANY (ARRAY['PENDING_APPROVAL'::text, 'OPEN'::text]))
  CREATE INDEX quote_sweep ON leasing.quote USING btree (sweep_at) WHERE (sweep_at IS NOT NULL)
  CREATE INDEX quote_tenant ON leasing.quote USING btree (tenant_id, quote_id)
  policy quote_gone restrictive for delete to leasing, leasing_worker using ((state = 'HOLDING'::text))
  policy quote_scope permissive for all to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (is_shown AND (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (is_shown AND (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))))
  policy quote_worker permissive for all to leasing_worker using (true) with check (true)
  grant delete, insert, select, update to leasing
  grant delete, insert, select, update to leasing_worker

table leasing.rate_card owner gridlease_owner row security forced
  operator_id text collate "C" not null
  rate_card_id text collate "C" not null
  state text collate "C" not null
  facts jsonb not null
  authors jsonb not null
  approver text collate "C"
  revision bigint not null
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint rate_card_approved CHECK ((((state <> 'DRAFT'::text) OR (approver IS NULL)) AND ((state <> 'APPROVED'::text) OR (approver IS NOT NULL))))
  constraint rate_card_authors CHECK (((jsonb_typeof(authors) = 'array'::text) AND (jsonb_array_length(authors) > 0)))
  constraint rate_card_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint rate_card_facts CHECK ((jsonb_typeof(facts) = 'object'::text))
  constraint rate_card_id_shape CHECK ((rate_card_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint rate_card_revision CHECK ((revision > 0))
  constraint rate_card_second_person CHECK (((approver IS NULL) OR (NOT (authors @> to_jsonb(approver)))))
  constraint rate_card_state CHECK ((state = ANY (ARRAY['DRAFT'::text, 'APPROVED'::text, 'RETIRED'::text])))
  constraint rate_card_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint rate_card_pkey PRIMARY KEY (operator_id, rate_card_id)
  policy rate_card_scope permissive for all to leasing using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy rate_card_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing
  grant select to leasing_worker

table leasing.rate_step owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  premises_no integer not null
  from_date date not null
  rate_per_kw_month numeric(24,10) not null
  constraint rate_step_from_date CHECK (((from_date >= '2000-01-01'::date) AND (from_date <= '9999-12-31'::date)))
  constraint rate_step_rate CHECK (((rate_per_kw_month >= (0)::numeric) AND (rate_per_kw_month <> 'NaN'::numeric)))
  constraint rate_step_premises FOREIGN KEY (operator_id, lease_id, version, premises_no) REFERENCES leasing.premises(operator_id, lease_id, version, premises_no) ON DELETE CASCADE
  constraint rate_step_pkey PRIMARY KEY (operator_id, lease_id, version, premises_no, from_date)
  policy rate_step_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = rate_step.operator_id) AND (l.lease_id = rate_step.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = rate_step.operator_id) AND (l.lease_id = rate_step.lease_id)))))
  policy rate_step_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.ready_phase owner gridlease_owner row security forced
  operator_id text collate "C" not null
  site_id text collate "C" not null
  block_slug text collate "C" not null
  phase_id text collate "C" not null
  baseline_date date not null
  ready_date date not null
  actual_date date
  constraint ready_phase_dates CHECK ((((baseline_date >= '2000-01-01'::date) AND (baseline_date <= '9999-12-31'::date)) AND ((ready_date >= '2000-01-01'::date) AND (ready_date <= '9999-12-31'::date)) AND ((actual_date >= '2000-01-01'::date) AND (actual_date <= '9999-12-31'::date))))
  constraint ready_phase_pkey PRIMARY KEY (operator_id, site_id, block_slug, phase_id)
  policy ready_phase_scope permissive for select to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (EXISTS ( SELECT 1
   FROM leasing.premises p
  WHERE ((p.operator_id = ready_phase.operator_id) AND (p.site_id = ready_phase.site_id) AND (p.block_slug = ready_phase.block_slug))))))
  policy ready_phase_worker permissive for all to leasing_worker using (true) with check (true)
  grant select to leasing
  grant delete, insert, select, update to leasing_worker

table leasing.revocation owner gridlease_owner row security forced
  owner text collate "C" not null
  what text collate "C" not null
  value text collate "C" not null
  issued_until timestamp with time zone not null
  reason text not null
  revoked_by text not null
  updated_at timestamp with time zone not null
  expires_at timestamp with time zone not null
  constraint revocation_expires_at CHECK (((expires_at > updated_at) AND ((expires_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (expires_at <= '9999-12-31 00:00:00+00'::timestamp with time zone))))
  constraint revocation_issued_until CHECK (((issued_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (issued_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_updated_at CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_value CHECK (((length(value) >= 1) AND (length(value) <= 255)))
  constraint revocation_what CHECK ((what = ANY (ARRAY['token'::text, 'subject'::text])))
  constraint revocation_pkey PRIMARY KEY (owner, what, value)
  policy revocation_scope permissive for all to gridlease_owner, leasing using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))
  policy revocation_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing
  grant delete, select to leasing_worker

table leasing.right_offer owner gridlease_owner row security forced
  operator_id text collate "C" not null
  right_offer_id uuid not null
  lease_id text collate "C" not null
  right_id text collate "C" not null
  tenant_id text collate "C" not null
  offered_lease_id text collate "C" not null
  state text collate "C" not null
  respond_by timestamp with time zone not null
  body jsonb not null
  revision bigint not null
  create_time timestamp with time zone not null
  update_time timestamp with time zone not null
  constraint right_offer_another CHECK ((lease_id <> offered_lease_id))
  constraint right_offer_body CHECK ((jsonb_typeof(body) = 'object'::text))
  constraint right_offer_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint right_offer_respond_by CHECK (((respond_by >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (respond_by <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint right_offer_revision CHECK ((revision > 0))
  constraint right_offer_state CHECK ((state = ANY (ARRAY['OPEN'::text, 'EXERCISED'::text, 'WAIVED'::text, 'DEEMED_WAIVED'::text, 'WITHDRAWN'::text])))
  constraint right_offer_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint right_offer_lease FOREIGN KEY (operator_id, lease_id) REFERENCES leasing.lease(operator_id, lease_id)
  constraint right_offer_offered FOREIGN KEY (operator_id, offered_lease_id) REFERENCES leasing.lease(operator_id, lease_id)
  constraint right_offer_tenant FOREIGN KEY (tenant_id) REFERENCES leasing.tenant(tenant_id)
  constraint right_offer_pkey PRIMARY KEY (operator_id, right_offer_id)
  constraint right_offer_once UNIQUE (operator_id, offered_lease_id, lease_id, right_id)
  CREATE INDEX right_offer_due ON leasing.right_offer USING btree (respond_by) WHERE (state = 'OPEN'::text)
  CREATE INDEX right_offer_of_lease ON leasing.right_offer USING btree (operator_id, lease_id)
  CREATE INDEX right_offer_of_tenant ON leasing.right_offer USING btree (tenant_id, operator_id, right_offer_id)
  policy right_offer_scope permissive for all to leasing using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))
  policy right_offer_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select, update to leasing
  grant select, update to leasing_worker

table leasing.schema_history owner gridlease_owner row security forced
  version bigint not null
  name text not null
  checksum text not null
  applied_at timestamp with time zone not null default clock_timestamp()
  constraint schema_history_applied_at CHECK (((applied_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (applied_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint schema_history_version CHECK ((version >= 0))
  constraint schema_history_pkey PRIMARY KEY (version)
  policy schema_history_owner permissive for all to gridlease_owner using (true) with check (true)
  policy schema_history_read permissive for all to leasing, leasing_worker using (true) with check (false)
  grant select to leasing
  grant select to leasing_worker

table leasing.signature owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version integer not null
  party text collate "C" not null
  signatory_name text not null
  signatory_title text not null
  subject text collate "C" not null
  peer_address text collate "C" not null
  terms_hash bytea not null
  signed_time timestamp with time zone not null
  constraint signature_party CHECK ((party = ANY (ARRAY['OPERATOR'::text, 'TENANT'::text])))
  constraint signature_signed_time CHECK (((signed_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (signed_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint signature_terms_hash CHECK ((octet_length(terms_hash) = 32))
  constraint signature_version FOREIGN KEY (operator_id, lease_id, version) REFERENCES leasing.lease_version(operator_id, lease_id, version) ON DELETE CASCADE
  constraint signature_pkey PRIMARY KEY (operator_id, lease_id, version, party)
  policy signature_scope permissive for all to leasing using ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = signature.operator_id) AND (l.lease_id = signature.lease_id))))) with check ((EXISTS ( SELECT 1
   FROM leasing.lease l
  WHERE ((l.operator_id = signature.operator_id) AND (l.lease_id = signature.lease_id)))))
  policy signature_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant insert, select to leasing_worker

table leasing.tenant owner gridlease_owner row security forced
  tenant_id text collate "C" not null
  display_name text not null
  revision bigint not null default 1
  create_time timestamp with time zone not null
  constraint tenant_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint tenant_display_name CHECK (((char_length(display_name) >= 1) AND (char_length(display_name) <= 200)))
  constraint tenant_id_shape CHECK ((tenant_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'::text))
  constraint tenant_revision CHECK ((revision > 0))
  constraint tenant_pkey PRIMARY KEY (tenant_id)
  policy tenant_read permissive for select to leasing using (((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR (COALESCE(( SELECT current_setting('app.operator'::text, true) AS current_setting), ''::text) <> ''::text) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'market'::text)))
  policy tenant_register permissive for insert to leasing with check ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy tenant_worker permissive for all to leasing_worker using (true) with check (true)
  grant insert, select to leasing
  grant select to leasing_worker

schema billing owner gridlease_owner
  grant usage to billing
  grant usage to billing_worker

table billing.account owner gridlease_owner row security forced
  operator_id text collate "C" not null
  account_id uuid not null
  tenant_id text collate "C" not null
  currency_code text collate "C" not null
  create_time timestamp with time zone not null
  deed_count bigint not null default 0
  constraint account_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint account_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint account_deed_count CHECK ((deed_count >= 0))
  constraint account_entity FOREIGN KEY (operator_id) REFERENCES billing.billing_entity(operator_id)
  constraint account_pkey PRIMARY KEY (operator_id, account_id)
  constraint account_identity UNIQUE (operator_id, account_id, tenant_id, currency_code)
  constraint account_tenant_currency UNIQUE (operator_id, tenant_id, currency_code)
  CREATE INDEX account_by_tenant ON billing.account USING btree (tenant_id, operator_id, account_id)
  CREATE TRIGGER account_keeps_key BEFORE DELETE OR UPDATE OF operator_id, account_id, tenant_id, currency_code ON billing.account FOR EACH ROW EXECUTE FUNCTION billing.keep_key()
  policy account_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy account_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy account_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (deed_count) to billing
  grant insert, select to billing_worker

table billing.applied_event owner gridlease_owner row security forced
  operator_id text collate "C" not null
  event_id uuid not null
  source text collate "C" not null
  apply_time timestamp with time zone not null
  constraint applied_event_apply_time CHECK (((apply_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (apply_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint applied_event_pkey PRIMARY KEY (operator_id, event_id)
  policy applied_event_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy applied_event_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing_worker

table billing.audit_cursor owner gridlease_owner row security forced
  only_row boolean not null default true
  xid bigint not null default 0
  seq bigint not null default 0
  claimed_by uuid
  claimed_until timestamp with time zone not null default '2000-01-01 00:00:00+00'::timestamp with time zone
  constraint audit_cursor_claimed_until CHECK (((claimed_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (claimed_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_cursor_only_row CHECK (only_row)
  constraint audit_cursor_pkey PRIMARY KEY (only_row)
  policy audit_cursor_worker permissive for all to billing_worker using (true) with check (true)
  grant select, update to billing_worker

table billing.audit_link owner gridlease_owner row security forced
  owner text collate "C" not null
  number bigint not null
  after_xid bigint not null
  after_seq bigint not null
  until_xid bigint not null
  until_seq bigint not null
  entries bigint not null
  digest bytea not null
  prev_hash bytea not null
  hash bytea not null
  chained_at timestamp with time zone not null
  constraint audit_link_chained_at CHECK (((chained_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (chained_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint audit_link_shape CHECK (((number > 0) AND (entries > 0) AND (ROW(after_xid, after_seq) < ROW(until_xid, until_seq)) AND (octet_length(digest) = 32) AND (octet_length(prev_hash) = 32) AND (octet_length(hash) = 32)))
  constraint audit_link_pkey PRIMARY KEY (owner, number)
  constraint audit_link_follows UNIQUE (owner, prev_hash)
  policy audit_link_scope permissive for select to billing using ((owner = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))
  policy audit_link_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant insert, select to billing_worker

table billing.billing_entity owner gridlease_owner row security forced
  operator_id text collate "C" not null
  run_count bigint not null default 0
  create_time timestamp with time zone not null
  constraint billing_entity_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint billing_entity_run_count CHECK ((run_count >= 0))
  constraint billing_entity_pkey PRIMARY KEY (operator_id)
  CREATE TRIGGER billing_entity_books AFTER INSERT ON billing.billing_entity FOR EACH ROW EXECUTE FUNCTION billing.open_books()
  policy billing_entity_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy billing_entity_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (run_count) to billing
  grant insert, select to billing_worker

table billing.billing_run owner gridlease_owner row security forced
  operator_id text collate "C" not null
  run_id uuid not null
  run_number bigint not null
  billing_month date not null
  state text collate "C" not null
  version bigint not null
  create_time timestamp with time zone not null
  issue_time timestamp with time zone
  constraint billing_run_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint billing_run_issue_time CHECK (((issue_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (issue_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint billing_run_month CHECK (((EXTRACT(day FROM billing_month) = (1)::numeric) AND ((billing_month >= '2000-01-01'::date) AND (billing_month <= '9998-12-01'::date))))
  constraint billing_run_number_positive CHECK ((run_number > 0))
  constraint billing_run_state CHECK (((state = ANY (ARRAY['COMPUTING'::text, 'DRAFT'::text, 'ISSUING'::text, 'ISSUED'::text])) AND ((state = 'ISSUED'::text) = (issue_time IS NOT NULL))))
  constraint billing_run_version CHECK ((version > 0))
  constraint billing_run_entity FOREIGN KEY (operator_id) REFERENCES billing.billing_entity(operator_id)
  constraint billing_run_pkey PRIMARY KEY (operator_id, run_id)
  constraint billing_run_number UNIQUE (operator_id, run_number)
  CREATE INDEX billing_run_by_month ON billing.billing_run USING btree (operator_id, billing_month)
  CREATE INDEX billing_run_unfinished ON billing.billing_run USING btree (create_time) WHERE (state = ANY (ARRAY['COMPUTING'::text, 'ISSUING'::text]))
  CREATE TRIGGER billing_run_guard BEFORE DELETE OR UPDATE ON billing.billing_run FOR EACH ROW EXECUTE FUNCTION billing.guard_billing_run()
  CREATE TRIGGER billing_run_keeps_key BEFORE DELETE OR UPDATE OF operator_id, run_id ON billing.billing_run FOR EACH ROW EXECUTE FUNCTION billing.keep_key()
  policy billing_run_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy billing_run_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (issue_time) to billing
  grant update (state) to billing
  grant update (version) to billing
  grant select to billing_worker

table billing.billing_run_chunk owner gridlease_owner row security forced
  operator_id text collate "C" not null
  run_id uuid not null
  chunk_number integer not null
  first_lease_id text collate "C" not null
  last_lease_id text collate "C" not null
  lease_count bigint not null
  done_time timestamp with time zone
  constraint billing_run_chunk_done_time CHECK (((done_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (done_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint billing_run_chunk_leases CHECK (((first_lease_id <= last_lease_id) AND (lease_count > 0)))
  constraint billing_run_chunk_number CHECK ((chunk_number > 0))
  constraint billing_run_chunk_run FOREIGN KEY (operator_id, run_id) REFERENCES billing.billing_run(operator_id, run_id)
  constraint billing_run_chunk_pkey PRIMARY KEY (operator_id, run_id, chunk_number)
  policy billing_run_chunk_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy billing_run_chunk_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (done_time) to billing

table billing.billing_run_problem owner gridlease_owner row security forced
  operator_id text collate "C" not null
  problem_id uuid not null
  run_id uuid not null
  lease_id text collate "C" not null
  site_id text collate "C"
  block_id text collate "C"
  problem text not null
  constraint billing_run_problem_block CHECK (((site_id IS NULL) = (block_id IS NULL)))
  constraint billing_run_problem_run FOREIGN KEY (operator_id, run_id) REFERENCES billing.billing_run(operator_id, run_id)
  constraint billing_run_problem_pkey PRIMARY KEY (operator_id, problem_id)
  CREATE INDEX billing_run_problem_by_run ON billing.billing_run_problem USING btree (operator_id, run_id, lease_id)
  policy billing_run_problem_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy billing_run_problem_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.books owner gridlease_owner row security forced
  operator_id text collate "C" not null
  closed_through date
  version bigint not null default 1
  constraint books_closed_through CHECK ((((closed_through >= '2000-01-31'::date) AND (closed_through <= '9999-12-31'::date)) AND (EXTRACT(day FROM (closed_through + 1)) = (1)::numeric)))
  constraint books_version CHECK ((version > 0))
  constraint books_entity FOREIGN KEY (operator_id) REFERENCES billing.billing_entity(operator_id)
  constraint books_pkey PRIMARY KEY (operator_id)
  policy books_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy books_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (closed_through) to billing
  grant update (version) to billing
  grant insert, select to billing_worker

table billing.charging_plan owner gridlease_owner row security forced
  operator_id text collate "C" not null
  plan_id text collate "C" not null
  lease_id text collate "C" not null
  site_id text collate "C" not null
  block_id text collate "C" not null
  from_date date not null
  until_date date
  time_zone text collate "C" not null
  usage jsonb
  service_level jsonb
  create_time timestamp with time zone not null
  create_order bigint not null identity a
  constraint charging_plan_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint charging_plan_dates CHECK ((((from_date >= '2000-01-01'::date) AND (from_date <= '9999-12-31'::date)) AND ((until_date >= (from_date + 1)) AND (until_date <= '9999-12-31'::date))))
  constraint charging_plan_says_something CHECK (((usage IS NOT NULL) OR (service_level IS NOT NULL)))
  constraint charging_plan_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint charging_plan_pkey PRIMARY KEY (operator_id, plan_id)
  CREATE INDEX charging_plan_by_lease ON billing.charging_plan USING btree (operator_id, lease_id, site_id, block_id)
  CREATE TRIGGER charging_plan_append_only BEFORE DELETE OR UPDATE ON billing.charging_plan FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy charging_plan_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy charging_plan_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.commission owner gridlease_owner row security forced
  operator_id text collate "C" not null
  commission_id uuid not null
  lease_id text collate "C" not null
  payee text not null
  reference text collate "C" not null
  trigger_kind text collate "C" not null
  earn_date date not null
  currency_code text collate "C" not null
  amount_minor bigint not null
  create_time timestamp with time zone not null
  reversal_voucher_id uuid
  reverse_time timestamp with time zone
  constraint commission_amount CHECK ((amount_minor > 0))
  constraint commission_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint commission_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint commission_earn_date CHECK (((earn_date >= '2000-01-01'::date) AND (earn_date <= '9999-12-31'::date)))
  constraint commission_reversal CHECK ((num_nulls(reversal_voucher_id, reverse_time) = ANY (ARRAY[0, 2])))
  constraint commission_reverse_time CHECK (((reverse_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (reverse_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint commission_trigger CHECK ((trigger_kind = ANY (ARRAY['SIGNING'::text, 'COMMENCEMENT'::text])))
  constraint commission_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint commission_reversal_voucher FOREIGN KEY (operator_id, reversal_voucher_id) REFERENCES billing.voucher(operator_id, voucher_id)
  constraint commission_voucher FOREIGN KEY (operator_id, commission_id) REFERENCES billing.voucher(operator_id, voucher_id)
  constraint commission_pkey PRIMARY KEY (operator_id, commission_id)
  constraint commission_reversal_once UNIQUE (operator_id, reversal_voucher_id)
  CREATE INDEX commission_by_lease ON billing.commission USING btree (operator_id, lease_id)
  CREATE UNIQUE INDEX commission_reference ON billing.commission USING btree (operator_id, reference) WHERE (reverse_time IS NULL)
  CREATE TRIGGER commission_append_only BEFORE DELETE OR UPDATE ON billing.commission FOR EACH ROW EXECUTE FUNCTION billing.guard_commission()
  CREATE CONSTRAINT TRIGGER commission_reversal_whole AFTER UPDATE ON billing.commission DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_commission_reversal()
  policy commission_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy commission_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (reversal_voucher_id) to billing
  grant update (reverse_time) to billing

table billing.commission_move owner gridlease_owner row security forced
  operator_id text collate "C" not null
  move_id uuid not null
  commission_id uuid not null
  kind text collate "C" not null
  through_date date not null
  amount_minor bigint not null
  bank_reference text collate "C"
  create_time timestamp with time zone not null
  constraint commission_move_amount CHECK ((amount_minor > 0))
  constraint commission_move_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint commission_move_kind CHECK (((kind = ANY (ARRAY['AMORTIZED'::text, 'WRITTEN_OFF'::text, 'PAID'::text, 'RETURNED'::text])) AND ((kind = ANY (ARRAY['PAID'::text, 'RETURNED'::text])) = (bank_reference IS NOT NULL))))
  constraint commission_move_through CHECK (((through_date >= '2000-01-01'::date) AND (through_date <= '9999-12-31'::date)))
  constraint commission_move_commission FOREIGN KEY (operator_id, commission_id) REFERENCES billing.commission(operator_id, commission_id)
  constraint commission_move_pkey PRIMARY KEY (operator_id, move_id)
  constraint commission_move_bank_reference UNIQUE (operator_id, bank_reference)
  CREATE UNIQUE INDEX commission_move_amortized_once ON billing.commission_move USING btree (operator_id, commission_id, through_date) WHERE (kind = 'AMORTIZED'::text)
  CREATE INDEX commission_move_by_commission ON billing.commission_move USING btree (operator_id, commission_id, kind)
  CREATE UNIQUE INDEX commission_move_written_off_once ON billing.commission_move USING btree (operator_id, commission_id) WHERE (kind = 'WRITTEN_OFF'::text)
  CREATE TRIGGER commission_move_append_only BEFORE DELETE OR UPDATE ON billing.commission_move FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER commission_move_within AFTER INSERT ON billing.commission_move DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_commission()
  policy commission_move_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy commission_move_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.credit_note owner gridlease_owner row security forced
  operator_id text collate "C" not null
  credit_note_id uuid not null
  invoice_id uuid not null
  account_id uuid not null
  tenant_id text collate "C" not null
  currency_code text collate "C" not null
  total_minor bigint not null
  applied_minor bigint not null
  reason text not null
  rebill boolean not null
  series text collate "C" not null
  number bigint not null
  create_time timestamp with time zone not null
  constraint credit_note_amounts CHECK (((total_minor > 0) AND ((applied_minor >= 0) AND (applied_minor <= total_minor))))
  constraint credit_note_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint credit_note_number_positive CHECK ((number > 0))
  constraint credit_note_account FOREIGN KEY (operator_id, account_id, tenant_id, currency_code) REFERENCES billing.account(operator_id, account_id, tenant_id, currency_code)
  constraint credit_note_counter FOREIGN KEY (operator_id, series) REFERENCES billing.number_counter(operator_id, series)
  constraint credit_note_invoice FOREIGN KEY (operator_id, invoice_id) REFERENCES billing.invoice(operator_id, invoice_id)
  constraint credit_note_pkey PRIMARY KEY (operator_id, credit_note_id)
  constraint credit_note_number UNIQUE (operator_id, series, number)
  CREATE INDEX credit_note_by_account ON billing.credit_note USING btree (operator_id, account_id, tenant_id, currency_code)
  CREATE INDEX credit_note_by_invoice ON billing.credit_note USING btree (operator_id, invoice_id)
  CREATE INDEX credit_note_by_tenant ON billing.credit_note USING btree (tenant_id, operator_id, credit_note_id)
  CREATE TRIGGER credit_note_append_only BEFORE DELETE OR UPDATE ON billing.credit_note FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER credit_note_number_drawn AFTER INSERT ON billing.credit_note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_invoice_number()
  CREATE CONSTRAINT TRIGGER credit_note_settles AFTER INSERT ON billing.credit_note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_settlement()
  CREATE CONSTRAINT TRIGGER credit_note_within_lines AFTER INSERT ON billing.credit_note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_credit_note()
  policy credit_note_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy credit_note_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy credit_note_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.credit_note_line owner gridlease_owner row security forced
  operator_id text collate "C" not null
  credit_note_id uuid not null
  invoice_id uuid not null
  line_number integer not null
  amount_minor bigint not null
  constraint credit_note_line_amount CHECK ((amount_minor <> 0))
  constraint credit_note_line_line FOREIGN KEY (operator_id, invoice_id, line_number) REFERENCES billing.invoice_line(operator_id, invoice_id, line_number)
  constraint credit_note_line_note FOREIGN KEY (operator_id, credit_note_id) REFERENCES billing.credit_note(operator_id, credit_note_id)
  constraint credit_note_line_pkey PRIMARY KEY (operator_id, credit_note_id, line_number)
  CREATE INDEX credit_note_line_by_line ON billing.credit_note_line USING btree (operator_id, invoice_id, line_number)
  CREATE TRIGGER credit_note_line_append_only BEFORE DELETE OR UPDATE ON billing.credit_note_line FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER credit_note_line_beside_disputes AFTER INSERT ON billing.credit_note_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_dispute()
  CREATE CONSTRAINT TRIGGER credit_note_line_prepaid AFTER INSERT ON billing.credit_note_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_prepaid_credit()
  policy credit_note_line_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy credit_note_line_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.credit_note n
  WHERE ((n.operator_id = credit_note_line.operator_id) AND (n.credit_note_id = credit_note_line.credit_note_id) AND (n.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy credit_note_line_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.dispute owner gridlease_owner row security forced
  operator_id text collate "C" not null
  dispute_id uuid not null
  invoice_id uuid not null
  line_number integer not null
  tenant_id text collate "C" not null
  currency_code text collate "C" not null
  amount_minor bigint not null
  reason text not null
  opened_by text not null
  state text collate "C" not null
  resolution text not null default ''::text
  resolved_by text
  credit_note_id uuid
  version bigint not null
  create_time timestamp with time zone not null
  resolve_time timestamp with time zone
  constraint dispute_amount CHECK ((amount_minor > 0))
  constraint dispute_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint dispute_resolve_time CHECK (((resolve_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (resolve_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint dispute_state CHECK (
CASE state
    WHEN 'OPEN'::text THEN (num_nonnulls(resolved_by, resolve_time, credit_note_id) = 0)
    WHEN 'UPHELD'::text THEN (num_nulls(resolved_by, resolve_time, credit_note_id) = 0)
    WHEN 'REJECTED'::text THEN ((num_nulls(resolved_by, resolve_time) = 0) AND (credit_note_id IS NULL))
    ELSE false
END)
  constraint dispute_version CHECK ((version > 0))
  constraint dispute_credit_note FOREIGN KEY (operator_id, credit_note_id) REFERENCES billing.credit_note(operator_id, credit_note_id)
  constraint dispute_line FOREIGN KEY (operator_id, invoice_id, line_number) REFERENCES billing.invoice_line(operator_id, invoice_id, line_number)
  constraint dispute_pkey PRIMARY KEY (operator_id, dispute_id)
  CREATE INDEX dispute_by_credit_note ON billing.dispute USING btree (operator_id, credit_note_id)
  CREATE INDEX dispute_by_line ON billing.dispute USING btree (operator_id, invoice_id, line_number)
  CREATE INDEX dispute_by_tenant ON billing.dispute USING btree (tenant_id, operator_id, dispute_id)
  CREATE TRIGGER dispute_guard BEFORE DELETE OR UPDATE ON billing.dispute FOR EACH ROW EXECUTE FUNCTION billing.guard_dispute()
  CREATE CONSTRAINT TRIGGER dispute_within_line AFTER INSERT ON billing.dispute DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_dispute()
  policy dispute_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy dispute_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy dispute_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (credit_note_id) to billing
  grant update (resolution) to billing
  grant update (resolve_time) to billing
  grant update (resolved_by) to billing
  grant update (state) to billing
  grant update (version) to billing

table billing.feed owner gridlease_owner row security forced
  only_row boolean not null default true
  epoch uuid not null default gen_random_uuid()
  constraint feed_only_row CHECK (only_row)
  constraint feed_pkey PRIMARY KEY (only_row)
  policy feed_read permissive for all to billing, billing_worker using (true) with check (false)
  grant select to billing
  grant select to billing_worker

table billing.feed_cursor owner gridlease_owner row security forced
  source text collate "C" not null
  cursor text collate "C" not null
  constraint feed_cursor_pkey PRIMARY KEY (source)
  policy feed_cursor_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select, update to billing_worker

table billing.idempotency owner gridlease_owner row security forced
  owner text collate "C" not null
  caller text collate "C" not null
  rpc text collate "C" not null
  request_id uuid not null
  request_hash bytea not null
  reply bytea not null
  created_at timestamp with time zone not null default clock_timestamp()
  constraint idempotency_created_at CHECK (((created_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (created_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint idempotency_request_hash CHECK ((octet_length(request_hash) = 32))
  constraint idempotency_pkey PRIMARY KEY (owner, request_id, caller, rpc)
  CREATE INDEX idempotency_created_at ON billing.idempotency USING brin (created_at)
  policy idempotency_scope permissive for all to billing, gridlease_owner using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting)))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (caller = ( SELECT current_setting('app.caller'::text, true) AS current_setting))))
  policy idempotency_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant delete, insert, select to billing_worker

table billing.incident owner gridlease_owner row security forced
  operator_id text collate "C" not null
  incident_id uuid not null
  site_id text collate "C" not null
  block_id text collate "C"
  kind text collate "C" not null
  state text collate "C" not null
  start_time timestamp with time zone not null
  end_time timestamp with time zone
  measured_minutes integer
  all_feeds_down boolean
  temperature_max_decicelsius integer
  update_time timestamp with time zone not null
  constraint incident_kind CHECK ((kind = ANY (ARRAY['POWER'::text, 'COOLING'::text])))
  constraint incident_measured_minutes CHECK ((measured_minutes >= 0))
  constraint incident_state CHECK ((state = ANY (ARRAY['OPEN'::text, 'ACKNOWLEDGED'::text, 'RESOLVED'::text, 'REJECTED'::text, 'WITHDRAWN'::text])))
  constraint incident_times CHECK ((((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)) AND ((end_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (end_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)) AND (start_time < end_time) AND ((state <> 'RESOLVED'::text) OR (end_time IS NOT NULL))))
  constraint incident_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint incident_pkey PRIMARY KEY (operator_id, incident_id)
  CREATE INDEX incident_by_site ON billing.incident USING btree (operator_id, site_id, start_time)
  policy incident_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy incident_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant insert, select to billing_worker
  grant update (all_feeds_down) to billing_worker
  grant update (end_time) to billing_worker
  grant update (measured_minutes) to billing_worker
  grant update (start_time) to billing_worker
  grant update (state) to billing_worker
  grant update (temperature_max_decicelsius) to billing_worker
  grant update (update_time) to billing_worker

table billing.invoice owner gridlease_owner row security forced
  operator_id text collate "C" not null
  invoice_id uuid not null
  run_id uuid not null
  account_id uuid not null
  tenant_id text collate "C" not null
  lease_id text collate "C" not null
  state text collate "C" not null
  period_start date not null
  period_end date not null
  currency_code text collate "C" not null
  total_minor bigint not null
  line_count integer not null
  payment_terms_days integer not null
  version bigint not null
  create_time timestamp with time zone not null
  series text collate "C"
  number bigint
  issue_time timestamp with time zone
  due_date date
  paid_minor bigint not null default 0
  credited_minor bigint not null default 0
  written_off_minor bigint not null default 0
  state_reason text not null default ''::text
  kind text collate "C" not null default 'REGULAR'::text
  payment_instructions_id uuid
  constraint invoice_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint invoice_due_date CHECK (((due_date >= '2000-01-01'::date) AND (due_date <= '9999-12-31'::date)))
  constraint invoice_issue_time CHECK (((issue_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (issue_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint invoice_issued_whole CHECK (((num_nulls(series, number, issue_time, due_date) = ANY (ARRAY[0, 4])) AND ((state = 'VOID'::text) OR ((state = 'DRAFT'::text) = (number IS NULL)))))
  constraint invoice_kind CHECK ((kind = ANY (ARRAY['REGULAR'::text, 'PREPAYMENT'::text, 'DEPOSIT'::text, 'TERMINATION_FEE'::text])))
  constraint invoice_number_positive CHECK ((number > 0))
  constraint invoice_pay_to_issued CHECK (((payment_instructions_id IS NULL) OR (number IS NOT NULL)))
  constraint invoice_payment_terms CHECK (((payment_terms_days >= 0) AND (payment_terms_days <= 3660)))
  constraint invoice_period CHECK ((period_start < period_end))
  constraint invoice_period_bounds CHECK (((period_start >= '2000-01-01'::date) AND (period_end <= '9999-01-01'::date)))
  constraint invoice_settled CHECK (((paid_minor >= 0) AND (credited_minor >= 0) AND (written_off_minor >= 0) AND
CASE state
    WHEN 'PARTIALLY_PAID'::text THEN ((written_off_minor = 0) AND (((paid_minor + credited_minor) >= 1) AND ((paid_minor + credited_minor) <= (total_minor - 1))))
    WHEN 'PAID'::text THEN ((written_off_minor = 0) AND ((paid_minor + credited_minor) = total_minor))
    WHEN 'UNCOLLECTIBLE'::text THEN ((written_off_minor > 0) AND (((paid_minor + credited_minor) + written_off_minor) = total_minor))
    ELSE ((paid_minor = 0) AND (credited_minor = 0) AND (written_off_minor = 0))
END))
  constraint invoice_state CHECK ((state = ANY (ARRAY['DRAFT'::text, 'OPEN'::text, 'PARTIALLY_PAID'::text, 'PAID'::text, 'VOID'::text, 'UNCOLLECTIBLE'::text])))
  constraint invoice_version CHECK ((version > 0))
  constraint invoice_pkey PRIMARY KEY (operator_id, invoice_id)
  CREATE INDEX invoice_by_lease ON billing.invoice USING btree (operator_id, lease_id, period_start)
  CREATE INDEX invoice_by_tenant ON billing.invoice USING btree (tenant_id, operator_id, invoice_id)
  CREATE UNIQUE INDEX invoice_number ON billing.invoice USING btree (operator_id, series, number) WHERE (number IS NOT NULL)
  CREATE INDEX invoice_of_run ON billing.invoice USING btree (operator_id, run_id, number, lease_id, invoice_id)
  CREATE INDEX invoice_owed ON billing.invoice USING btree (operator_id, account_id, due_date, number) WHERE (state = ANY (ARRAY['OPEN'::text, 'PARTIALLY_PAID'::text]))
  CREATE TRIGGER invoice_guard BEFORE DELETE OR UPDATE ON billing.invoice FOR EACH ROW EXECUTE FUNCTION billing.guard_invoice()
  CREATE TRIGGER invoice_number_drawn AFTER INSERT ON billing.invoice REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing.check_invoice_numbers()
  CREATE TRIGGER invoice_number_given AFTER UPDATE ON billing.invoice REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing.check_invoice_numbers()
  CREATE TRIGGER invoice_refers AFTER INSERT ON billing.invoice REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing.check_invoices()
  CREATE CONSTRAINT TRIGGER invoice_settled_by_rows AFTER UPDATE ON billing.invoice DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.paid_minor <> old.paid_minor) OR (new.credited_minor <> old.credited_minor))) EXECUTE FUNCTION billing.check_settlement()
  CREATE TRIGGER invoice_settled_stays BEFORE UPDATE ON billing.invoice FOR EACH ROW WHEN (((new.paid_minor < old.paid_minor) OR (new.credited_minor < old.credited_minor) OR (new.written_off_minor < old.written_off_minor))) EXECUTE FUNCTION billing.guard_settlement()
  CREATE TRIGGER invoice_void_frees_charges AFTER UPDATE OF state ON billing.invoice FOR EACH ROW WHEN (((new.state = 'VOID'::text) AND (old.state <> 'VOID'::text))) EXECUTE FUNCTION billing.free_charges()
  policy invoice_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy invoice_tenant permissive for select to billing using (((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) AND (number IS NOT NULL)))
  policy invoice_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (credited_minor) to billing
  grant update (due_date) to billing
  grant update (issue_time) to billing
  grant update (number) to billing
  grant update (paid_minor) to billing
  grant update (payment_instructions_id) to billing
  grant update (series) to billing
  grant update (state) to billing
  grant update (state_reason) to billing
  grant update (version) to billing
  grant update (written_off_minor) to billing

table billing.invoice_line owner gridlease_owner row security forced
  operator_id text collate "C" not null
  invoice_id uuid not null
  line_number integer not null
  lease_id text collate "C" not null
  site_id text collate "C"
  block_id text collate "C"
  charge_type text collate "C" not null
  period_start date not null
  revision integer not null default 0
  live boolean not null default true
  period_end date not null
  days integer
  days_in_month integer
  quantity_kw bigint
  rate_per_kw_month numeric(24,10)
  amount_minor bigint not null
  lease_version bigint not null
  item text collate "C" not null default ''::text
  detail jsonb
  reckoning_id uuid
  proration text collate "C" not null default 'ACTUAL_ACTUAL'::text
  abated_percent numeric(9,6) not null default 0
  constraint invoice_line_abated CHECK (((abated_percent >= (0)::numeric) AND (abated_percent < (100)::numeric) AND (abated_percent <> 'NaN'::numeric)))
  constraint invoice_line_amount CHECK (((amount_minor > 0) OR ((amount_minor < 0) AND (reckoning_id IS NOT NULL)) OR ((amount_minor = 0) AND (reckoning_id IS NULL))))
  constraint invoice_line_block CHECK ((num_nulls(site_id, block_id) =
CASE
    WHEN (charge_type = ANY (ARRAY['PREPAYMENT'::text, 'DEPOSIT'::text, 'PREPAYMENT_DRAW'::text, 'LATE_INTEREST'::text, 'TERMINATION_FEE'::text])) THEN 2
    ELSE 0
END))
  constraint invoice_line_charge_type CHECK ((charge_type = ANY (ARRAY['BASE_RENT'::text, 'ENERGY'::text, 'DEMAND'::text, 'PASS_THROUGH'::text, 'TAX'::text, 'SLA_CREDIT'::text, 'PREPAYMENT'::text, 'DEPOSIT'::text, 'PREPAYMENT_DRAW'::text, 'TAKE_OR_PAY'::text, 'LATE_INTEREST'::text, 'TERMINATION_FEE'::text, 'TRUE_UP'::text])))
  constraint invoice_line_days CHECK (((days = (period_end - period_start)) AND (days > 0) AND (days <= days_in_month) AND ((days_in_month >= 28) AND (days_in_month <= 31))))
  constraint invoice_line_number CHECK ((line_number > 0))
  constraint invoice_line_period_bounds CHECK (((period_start >= '2000-01-01'::date) AND (period_end <= '9999-01-01'::date)))
  constraint invoice_line_proration CHECK ((proration = ANY (ARRAY['ACTUAL_ACTUAL'::text, 'THIRTY_360'::text, 'ACTUAL_365'::text])))
  constraint invoice_line_quantity CHECK ((quantity_kw > 0))
  constraint invoice_line_rate CHECK (((rate_per_kw_month >= (0)::numeric) AND (rate_per_kw_month <> 'NaN'::numeric)))
  constraint invoice_line_rent_difference CHECK (((charge_type <> 'BASE_RENT'::text) OR (item = ''::text) OR ((item = 'difference'::text) AND (EXTRACT(day FROM period_start) = (1)::numeric))))
  constraint invoice_line_rent_or_reckoned CHECK (
CASE
    WHEN ((charge_type = 'BASE_RENT'::text) AND (item = ''::text)) THEN ((num_nulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0) AND (num_nonnulls(detail, reckoning_id) = 0) AND (revision = 0))
    ELSE ((num_nonnulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0) AND (num_nulls(detail, reckoning_id) = 0))
END)
  constraint invoice_line_revision CHECK ((revision >= 0))
  constraint invoice_line_reckoning FOREIGN KEY (operator_id, reckoning_id) REFERENCES billing.reckoning(operator_id, reckoning_id)
  constraint invoice_line_pkey PRIMARY KEY (operator_id, invoice_id, line_number)
  CREATE INDEX invoice_line_by_reckoning ON billing.invoice_line USING btree (operator_id, reckoning_id) WHERE (reckoning_id IS NOT NULL)
  CREATE UNIQUE INDEX invoice_line_charge ON billing.invoice_line USING btree (operator_id, lease_id, site_id, block_id, charge_type, item, period_start, revision) NULLS NOT DISTINCT WHERE live
  CREATE INDEX invoice_line_of_lease ON billing.invoice_line USING btree (operator_id, lease_id, charge_type) WHERE (live AND (site_id IS NULL))
  CREATE UNIQUE INDEX invoice_line_once ON billing.invoice_line USING btree (operator_id, lease_id, charge_type, revision) WHERE (live AND (charge_type = ANY (ARRAY['PREPAYMENT'::text, 'DEPOSIT'::text, 'TERMINATION_FEE'::text])))
  CREATE TRIGGER invoice_line_guard BEFORE DELETE OR UPDATE ON billing.invoice_line FOR EACH ROW EXECUTE FUNCTION billing.guard_invoice_line()
  CREATE TRIGGER invoice_line_in_total AFTER INSERT ON billing.invoice_line REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing.check_invoice_lines()
  CREATE CONSTRAINT TRIGGER invoice_line_prepaid_drawn AFTER INSERT ON billing.invoice_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN ((new.charge_type = 'PREPAYMENT_DRAW'::text)) EXECUTE FUNCTION billing.check_prepaid_line()
  CREATE CONSTRAINT TRIGGER invoice_line_prepaid_freed AFTER UPDATE ON billing.invoice_line DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((new.charge_type = 'PREPAYMENT'::text) AND old.live AND (NOT new.live))) EXECUTE FUNCTION billing.check_prepaid_line()
  policy invoice_line_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy invoice_line_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.invoice i
  WHERE ((i.operator_id = invoice_line.operator_id) AND (i.invoice_id = invoice_line.invoice_id) AND (i.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy invoice_line_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.lease owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  tenant_id text collate "C" not null
  version bigint not null
  state text collate "C" not null
  currency_code text collate "C" not null
  billed_from date
  last_event_id uuid not null
  update_time timestamp with time zone not null
  ending jsonb
  constraint lease_billed_from CHECK (((billed_from >= '2000-01-01'::date) AND (billed_from <= '9999-12-31'::date)))
  constraint lease_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint lease_state CHECK ((state = ANY (ARRAY['DRAFT'::text, 'PROPOSING'::text, 'PROPOSED'::text, 'SIGNING'::text, 'SIGNED'::text, 'EFFECTIVE'::text, 'ACTIVE'::text, 'HOLDOVER'::text, 'DEFAULTED'::text, 'EXPIRED'::text, 'TERMINATED'::text, 'CLOSED'::text, 'CANCELLED'::text, 'LAPSED'::text])))
  constraint lease_update_time CHECK (((update_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (update_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_version_positive CHECK ((version > 0))
  constraint lease_pkey PRIMARY KEY (operator_id, lease_id)
  CREATE INDEX lease_by_tenant ON billing.lease USING btree (tenant_id, operator_id, lease_id)
  CREATE TRIGGER lease_keeps_key BEFORE DELETE OR UPDATE OF operator_id, lease_id ON billing.lease FOR EACH ROW EXECUTE FUNCTION billing.keep_key()
  policy lease_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy lease_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy lease_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant insert, select to billing_worker
  grant update (billed_from) to billing_worker
  grant update (currency_code) to billing_worker
  grant update (ending) to billing_worker
  grant update (last_event_id) to billing_worker
  grant update (state) to billing_worker
  grant update (tenant_id) to billing_worker
  grant update (update_time) to billing_worker
  grant update (version) to billing_worker

table billing.lease_block owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  site_id text collate "C" not null
  block_id text collate "C" not null
  state text collate "C" not null
  moved jsonb
  constraint lease_block_state CHECK ((state = ANY (ARRAY['PLANNED'::text, 'COMMENCED'::text, 'ENDED'::text, 'LAPSED'::text])))
  constraint lease_block_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint lease_block_pkey PRIMARY KEY (operator_id, lease_id, site_id, block_id)
  policy lease_block_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy lease_block_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.lease l
  WHERE ((l.operator_id = lease_block.operator_id) AND (l.lease_id = lease_block.lease_id) AND (l.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy lease_block_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant insert, select to billing_worker
  grant update (moved) to billing_worker
  grant update (state) to billing_worker

table billing.lease_version owner gridlease_owner row security forced
  operator_id text collate "C" not null
  lease_id text collate "C" not null
  version bigint not null
  terms jsonb not null
  event_id uuid not null
  create_time timestamp with time zone not null
  constraint lease_version_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lease_version_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint lease_version_pkey PRIMARY KEY (operator_id, lease_id, version)
  CREATE TRIGGER lease_version_append_only BEFORE DELETE OR UPDATE ON billing.lease_version FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy lease_version_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy lease_version_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.lease l
  WHERE ((l.operator_id = lease_version.operator_id) AND (l.lease_id = lease_version.lease_id) AND (l.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy lease_version_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant insert, select to billing_worker

table billing.ledger_entry owner gridlease_owner row security forced
  operator_id text collate "C" not null
  transaction_id uuid not null
  entry_number integer not null
  entry_id uuid not null
  ledger_account text collate "C" not null
  account_id uuid
  currency_code text collate "C" not null
  amount_minor bigint not null
  jurisdiction text collate "C"
  constraint ledger_entry_amount CHECK ((amount_minor <> 0))
  constraint ledger_entry_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint ledger_entry_jurisdiction CHECK (((jurisdiction IS NULL) OR (ledger_account = 'taxes_payable'::text)))
  constraint ledger_entry_ledger_account CHECK ((ledger_account = ANY (ARRAY['accounts_receivable'::text, 'unapplied_cash'::text, 'cash'::text, 'accrued_rent'::text, 'accrued_revenue'::text, 'accrued_expense'::text, 'prepayments'::text, 'deposits'::text, 'rent_income'::text, 'energy_income'::text, 'demand_income'::text, 'pass_through_income'::text, 'take_or_pay_income'::text, 'interest_income'::text, 'termination_income'::text, 'sla_credits'::text, 'taxes_payable'::text, 'other_income'::text, 'bad_debt_expense'::text, 'power_expense'::text, 'other_expense'::text, 'commission_costs'::text, 'commissions_payable'::text, 'commission_expense'::text])))
  constraint ledger_entry_number CHECK ((entry_number > 0))
  constraint ledger_entry_subledger CHECK (((ledger_account <> ALL (ARRAY['accounts_receivable'::text, 'unapplied_cash'::text])) OR (account_id IS NOT NULL)))
  constraint ledger_entry_pkey PRIMARY KEY (operator_id, transaction_id, entry_number)
  constraint ledger_entry_id UNIQUE (operator_id, entry_id)
  CREATE INDEX ledger_entry_by_account ON billing.ledger_entry USING btree (operator_id, account_id) WHERE (account_id IS NOT NULL)
  CREATE TRIGGER ledger_entry_append_only BEFORE DELETE OR UPDATE ON billing.ledger_entry FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE TRIGGER ledger_entry_in_transaction AFTER INSERT ON billing.ledger_entry REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION billing.check_ledger_entries()
  policy ledger_entry_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy ledger_entry_tenant permissive for select to billing using (((ledger_account = ANY (ARRAY['accounts_receivable'::text, 'unapplied_cash'::text])) AND (EXISTS ( SELECT 1
   FROM billing.account a
  WHERE ((a.operator_id = ledger_entry.operator_id) AND (a.account_id = ledger_entry.account_id) AND (a.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))))))
  policy ledger_entry_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.ledger_transaction owner gridlease_owner row security forced
  operator_id text collate "C" not null
  transaction_id uuid not null
  kind text collate "C" not null
  source_id uuid not null
  invoice_id uuid
  entry_count integer not null
  posting_date date not null
  description text not null
  create_time timestamp with time zone not null
  constraint ledger_transaction_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint ledger_transaction_entry_count CHECK ((entry_count >= 2))
  constraint ledger_transaction_kind CHECK ((kind = ANY (ARRAY['INVOICE_ISSUED'::text, 'INVOICE_VOIDED'::text, 'CREDIT_NOTE_ISSUED'::text, 'PAYMENT_RECEIVED'::text, 'PAYMENT_ALLOCATED'::text, 'PAYMENT_REFUNDED'::text, 'INVOICE_WRITTEN_OFF'::text, 'JOURNAL_POSTED'::text, 'ACCRUAL_POSTED'::text, 'ACCRUAL_REVERSED'::text, 'COMMISSION_CAPITALIZED'::text, 'COMMISSION_AMORTIZED'::text, 'COMMISSION_WRITTEN_OFF'::text, 'COMMISSION_PAID'::text, 'COMMISSION_RETURNED'::text, 'COMMISSION_REVERSED'::text])))
  constraint ledger_transaction_posting_date CHECK (((posting_date >= '2000-01-01'::date) AND (posting_date <= '9999-12-31'::date)))
  constraint ledger_transaction_pkey PRIMARY KEY (operator_id, transaction_id)
  constraint ledger_transaction_once UNIQUE (operator_id, source_id, kind)
  CREATE INDEX ledger_transaction_by_date ON billing.ledger_transaction USING btree (operator_id, posting_date, transaction_id)
  CREATE INDEX ledger_transaction_by_invoice ON billing.ledger_transaction USING btree (operator_id, invoice_id)
  CREATE TRIGGER ledger_transaction_append_only BEFORE DELETE OR UPDATE ON billing.ledger_transaction FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE TRIGGER ledger_transaction_period_open AFTER INSERT ON billing.ledger_transaction REFERENCING NEW TABLE AS posted FOR EACH STATEMENT EXECUTE FUNCTION billing.check_period_open()
  policy ledger_transaction_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy ledger_transaction_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.ledger_entry e
  WHERE ((e.operator_id = ledger_transaction.operator_id) AND (e.transaction_id = ledger_transaction.transaction_id)))))
  policy ledger_transaction_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.lost_numbers owner gridlease_owner row security forced
  operator_id text collate "C" not null
  series text collate "C" not null
  first_number bigint not null
  last_number bigint not null
  reason text not null
  create_time timestamp with time zone not null
  constraint lost_numbers_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint lost_numbers_range CHECK (((first_number > 0) AND (last_number >= first_number)))
  constraint lost_numbers_reason CHECK (((length(btrim(reason)) >= 1) AND (length(btrim(reason)) <= 1000)))
  constraint lost_numbers_counter FOREIGN KEY (operator_id, series) REFERENCES billing.number_counter(operator_id, series)
  constraint lost_numbers_pkey PRIMARY KEY (operator_id, series, first_number)
  CREATE TRIGGER lost_numbers_append_only BEFORE DELETE OR UPDATE ON billing.lost_numbers FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy lost_numbers_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy lost_numbers_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant select to billing_worker

table billing.meter owner gridlease_owner row security forced with fillfactor=50
  operator_id text collate "C" not null
  meter_id text collate "C" not null
  display_name text not null
  kind text collate "C" not null
  site_id text collate "C" not null
  block_id text collate "C"
  tenant_id text collate "C"
  time_zone text collate "C" not null
  interval_minutes integer not null
  max_kw bigint not null
  assumed_kw bigint not null
  install_date date not null
  last_start timestamp with time zone
  batch_count bigint not null default 0
  create_time timestamp with time zone not null
  constraint meter_batch_count CHECK (((batch_count >= 0) AND ((batch_count = 0) = (last_start IS NULL))))
  constraint meter_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint meter_install_date CHECK (((install_date >= '2000-01-01'::date) AND (install_date <= '9998-12-31'::date)))
  constraint meter_interval CHECK (((interval_minutes > 0) AND ((60 % interval_minutes) = 0)))
  constraint meter_kind CHECK (((kind = ANY (ARRAY['BLOCK'::text, 'TENANT'::text, 'UTILITY'::text])) AND ((kind = 'UTILITY'::text) = (block_id IS NULL)) AND ((kind = 'TENANT'::text) = (tenant_id IS NOT NULL))))
  constraint meter_last_start CHECK (((last_start >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (last_start <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint meter_max_kw CHECK (((max_kw > 0) AND ((assumed_kw >= 0) AND (assumed_kw <= max_kw))))
  constraint meter_pkey PRIMARY KEY (operator_id, meter_id)
  CREATE INDEX meter_by_tenant ON billing.meter USING btree (tenant_id, operator_id, meter_id)
  policy meter_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy meter_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy meter_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (batch_count) to billing
  grant update (last_start) to billing

table billing.number_counter owner gridlease_owner row security forced
  operator_id text collate "C" not null
  series text collate "C" not null
  last_number bigint not null
  constraint number_counter_positive CHECK ((last_number > 0))
  constraint number_counter_series CHECK ((series ~ '^[A-Z][A-Z0-9-]{0,15}$'::text))
  constraint number_counter_entity FOREIGN KEY (operator_id) REFERENCES billing.billing_entity(operator_id)
  constraint number_counter_pkey PRIMARY KEY (operator_id, series)
  CREATE CONSTRAINT TRIGGER number_counter_gapless AFTER INSERT OR UPDATE ON billing.number_counter DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_number_counter()
  CREATE TRIGGER number_counter_keeps_key BEFORE DELETE OR UPDATE OF operator_id, series ON billing.number_counter FOR EACH ROW EXECUTE FUNCTION billing.keep_key()
  policy number_counter_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy number_counter_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (last_number) to billing

table billing.outbox owner gridlease_owner row security forced
  operator_id text collate "C" not null
  position_xid bigint not null default ((pg_current_xact_id())::text)::bigint
  position_seq bigint not null identity a
  event_id uuid not null
  kind text collate "C" not null
  subject text collate "C" not null
  audience_tenant text collate "C"
  occurred_at timestamp with time zone not null
  payload bytea not null
  recorded_at timestamp with time zone not null default clock_timestamp()
  deed json
  constraint outbox_times CHECK (((LEAST(occurred_at, recorded_at) >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (GREATEST(occurred_at, recorded_at) <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint outbox_pkey PRIMARY KEY (operator_id, position_xid, position_seq)
  CREATE INDEX outbox_position ON billing.outbox USING btree (position_xid, position_seq)
  CREATE INDEX outbox_recorded ON billing.outbox USING brin (recorded_at) WITH (pages_per_range='16')
  CREATE INDEX outbox_tenant ON billing.outbox USING btree (audience_tenant, position_xid, position_seq) WHERE (audience_tenant IS NOT NULL)
  policy outbox_scope permissive for all to billing, gridlease_owner using (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))) with check (((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)) OR (audience_tenant = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)) OR ((operator_id = '-'::text) AND (audience_tenant IS NULL) AND (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))))
  policy outbox_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant insert, select to billing_worker

table billing.parked_lease owner gridlease_owner row security forced
  operator_id text collate "C" not null
  subject text collate "C" not null
  event_id uuid not null
  kind text collate "C" not null
  problem text not null
  park_time timestamp with time zone not null
  constraint parked_lease_park_time CHECK (((park_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (park_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint parked_lease_pkey PRIMARY KEY (operator_id, subject)
  policy parked_lease_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy parked_lease_worker permissive for all to billing_worker using (true) with check (true)
  grant select to billing
  grant delete, insert, select to billing_worker
  grant update (event_id) to billing_worker
  grant update (kind) to billing_worker
  grant update (park_time) to billing_worker
  grant update (problem) to billing_worker

table billing.payment owner gridlease_owner row security forced
  operator_id text collate "C" not null
  payment_id uuid not null
  account_id uuid not null
  tenant_id text collate "C" not null
  currency_code text collate "C" not null
  kind text collate "C" not null
  reference text collate "C" not null
  value_date date not null
  note text not null
  amount_minor bigint not null
  allocated_minor bigint not null default 0
  refunded_minor bigint not null default 0
  version bigint not null
  create_time timestamp with time zone not null
  lease_id text collate "C"
  credit_support_id text collate "C"
  constraint payment_amounts CHECK (((amount_minor > 0) AND (allocated_minor >= 0) AND (refunded_minor >= 0) AND ((allocated_minor + refunded_minor) <= amount_minor)))
  constraint payment_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint payment_drawn CHECK ((((lease_id IS NULL) = (credit_support_id IS NULL)) AND ((lease_id IS NULL) OR (kind = 'BANK'::text))))
  constraint payment_kind CHECK ((kind = ANY (ARRAY['BANK'::text, 'CREDIT_NOTE'::text])))
  constraint payment_value_date CHECK (((value_date >= '2000-01-01'::date) AND (value_date <= '9999-12-31'::date)))
  constraint payment_version CHECK ((version > 0))
  constraint payment_account FOREIGN KEY (operator_id, account_id, tenant_id, currency_code) REFERENCES billing.account(operator_id, account_id, tenant_id, currency_code)
  constraint payment_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint payment_pkey PRIMARY KEY (operator_id, payment_id)
  constraint payment_reference UNIQUE (operator_id, kind, reference)
  CREATE INDEX payment_by_account ON billing.payment USING btree (operator_id, account_id, tenant_id, currency_code)
  CREATE INDEX payment_by_lease ON billing.payment USING btree (operator_id, lease_id)
  CREATE INDEX payment_by_tenant ON billing.payment USING btree (tenant_id, operator_id, payment_id)
  CREATE TRIGGER payment_guard BEFORE DELETE OR UPDATE ON billing.payment FOR EACH ROW EXECUTE FUNCTION billing.guard_payment()
  CREATE CONSTRAINT TRIGGER payment_used_by_rows AFTER INSERT OR UPDATE ON billing.payment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_payment_use()
  policy payment_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy payment_tenant permissive for select to billing using ((tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting)))
  policy payment_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (allocated_minor) to billing
  grant update (refunded_minor) to billing
  grant update (version) to billing

table billing.payment_allocation owner gridlease_owner row security forced
  operator_id text collate "C" not null
  allocation_id uuid not null
  payment_id uuid not null
  invoice_id uuid not null
  amount_minor bigint not null
  posting_date date not null
  create_time timestamp with time zone not null
  constraint payment_allocation_amount CHECK ((amount_minor > 0))
  constraint payment_allocation_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint payment_allocation_posting_date CHECK (((posting_date >= '2000-01-01'::date) AND (posting_date <= '9999-12-31'::date)))
  constraint payment_allocation_invoice FOREIGN KEY (operator_id, invoice_id) REFERENCES billing.invoice(operator_id, invoice_id)
  constraint payment_allocation_payment FOREIGN KEY (operator_id, payment_id) REFERENCES billing.payment(operator_id, payment_id)
  constraint payment_allocation_pkey PRIMARY KEY (operator_id, allocation_id)
  CREATE INDEX payment_allocation_by_invoice ON billing.payment_allocation USING btree (operator_id, invoice_id)
  CREATE INDEX payment_allocation_by_payment ON billing.payment_allocation USING btree (operator_id, payment_id)
  CREATE TRIGGER payment_allocation_append_only BEFORE DELETE OR UPDATE ON billing.payment_allocation FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER payment_allocation_settles AFTER INSERT ON billing.payment_allocation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_settlement()
  CREATE CONSTRAINT TRIGGER payment_allocation_uses AFTER INSERT ON billing.payment_allocation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_payment_use()
  policy payment_allocation_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy payment_allocation_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.payment p
  WHERE ((p.operator_id = payment_allocation.operator_id) AND (p.payment_id = payment_allocation.payment_id) AND (p.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy payment_allocation_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.payment_instructions owner gridlease_owner row security forced
  operator_id text collate "C" not null
  instructions_id uuid not null
  voucher_id uuid not null
  currency_code text collate "C" not null
  number integer not null
  account_holder text not null
  bank_name text not null
  iban text collate "C"
  account_number text collate "C"
  bic text collate "C"
  routing_number text collate "C"
  bank_address text not null
  reference text not null
  confirm_time timestamp with time zone not null
  constraint payment_instructions_account CHECK (((num_nonnulls(iban, account_number) = 1) AND
CASE
    WHEN (iban IS NULL) THEN (num_nonnulls(bic, routing_number) > 0)
    ELSE (routing_number IS NULL)
END))
  constraint payment_instructions_account_number CHECK ((account_number ~ '^[A-Z0-9]{1,34}$'::text))
  constraint payment_instructions_bic CHECK ((bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'::text))
  constraint payment_instructions_confirm_time CHECK (((confirm_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (confirm_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint payment_instructions_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint payment_instructions_iban CHECK ((iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'::text))
  constraint payment_instructions_number_positive CHECK ((number > 0))
  constraint payment_instructions_routing_number CHECK ((routing_number ~ '^[0-9]{9}$'::text))
  constraint payment_instructions_voucher FOREIGN KEY (operator_id, voucher_id) REFERENCES billing.voucher(operator_id, voucher_id)
  constraint payment_instructions_pkey PRIMARY KEY (operator_id, instructions_id)
  constraint payment_instructions_number UNIQUE (operator_id, currency_code, number)
  constraint payment_instructions_once UNIQUE (operator_id, voucher_id)
  CREATE TRIGGER payment_instructions_append_only BEFORE DELETE OR UPDATE ON billing.payment_instructions FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER payment_instructions_two_people AFTER INSERT ON billing.payment_instructions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_payment_instructions()
  policy payment_instructions_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy payment_instructions_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.account a
  WHERE ((a.operator_id = payment_instructions.operator_id) AND (a.currency_code = payment_instructions.currency_code) AND (a.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy payment_instructions_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.payment_refund owner gridlease_owner row security forced
  operator_id text collate "C" not null
  refund_id uuid not null
  payment_id uuid not null
  reference text collate "C" not null
  amount_minor bigint not null
  create_time timestamp with time zone not null
  constraint payment_refund_amount CHECK ((amount_minor > 0))
  constraint payment_refund_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint payment_refund_payment FOREIGN KEY (operator_id, payment_id) REFERENCES billing.payment(operator_id, payment_id)
  constraint payment_refund_pkey PRIMARY KEY (operator_id, refund_id)
  constraint payment_refund_reference UNIQUE (operator_id, reference)
  CREATE INDEX payment_refund_by_payment ON billing.payment_refund USING btree (operator_id, payment_id)
  CREATE TRIGGER payment_refund_append_only BEFORE DELETE OR UPDATE ON billing.payment_refund FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  CREATE CONSTRAINT TRIGGER payment_refund_uses AFTER INSERT ON billing.payment_refund DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_payment_use()
  policy payment_refund_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy payment_refund_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.payment p
  WHERE ((p.operator_id = payment_refund.operator_id) AND (p.payment_id = payment_refund.payment_id) AND (p.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy payment_refund_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.period_deed owner gridlease_owner row security forced
  operator_id text collate "C" not null
  deed_id uuid not null
  month date not null
  deed text collate "C" not null
  subject text not null
  create_time timestamp with time zone not null
  constraint period_deed_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint period_deed_deed CHECK ((deed = ANY (ARRAY['CLOSE'::text, 'REOPEN'::text])))
  constraint period_deed_month CHECK (((EXTRACT(day FROM month) = (1)::numeric) AND ((month >= '2000-01-01'::date) AND (month <= '9999-12-01'::date))))
  constraint period_deed_books FOREIGN KEY (operator_id) REFERENCES billing.books(operator_id)
  constraint period_deed_pkey PRIMARY KEY (operator_id, deed_id)
  CREATE TRIGGER period_deed_append_only BEFORE DELETE OR UPDATE ON billing.period_deed FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy period_deed_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy period_deed_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.price_series_value owner gridlease_owner row security forced
  operator_id text collate "C" not null
  price_series_id text collate "C" not null
  month date not null
  revision integer not null
  value numeric(24,10) not null
  source text not null
  create_time timestamp with time zone not null
  constraint price_series_value_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint price_series_value_month CHECK ((((month >= '2000-01-01'::date) AND (month <= '9998-12-01'::date)) AND (EXTRACT(day FROM month) = (1)::numeric)))
  constraint price_series_value_revision CHECK ((revision >= 0))
  constraint price_series_value_value CHECK (((value > (0)::numeric) AND (value <> 'NaN'::numeric)))
  constraint price_series_value_pkey PRIMARY KEY (operator_id, price_series_id, month, revision)
  CREATE TRIGGER price_series_value_append_only BEFORE DELETE OR UPDATE ON billing.price_series_value FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy price_series_value_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy price_series_value_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.lease l
  WHERE ((l.operator_id = price_series_value.operator_id) AND (l.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy price_series_value_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.put_away_month owner gridlease_owner row security forced
  month date not null
  constraint put_away_month_first CHECK (((EXTRACT(day FROM month) = (1)::numeric) AND ((month >= '2000-01-01'::date) AND (month <= '9999-12-01'::date))))
  constraint put_away_month_pkey PRIMARY KEY (month)
  policy put_away_month_all permissive for all to billing, billing_worker, gridlease_owner using (true) with check (true)
  grant select to billing

partitioned table billing.reading owner gridlease_owner row security forced
  operator_id text collate "C" not null
  meter_id text collate "C" not null
  start_time timestamp with time zone not null
  energy_wh bigint not null
  revision integer not null
  estimated boolean not null
  batch bigint not null
  receive_time timestamp with time zone not null
  constraint reading_energy CHECK (((energy_wh >= 0) AND (revision >= 0) AND (batch > 0)))
  constraint reading_receive_time CHECK (((receive_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (receive_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reading_start_time CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reading_pkey PRIMARY KEY (operator_id, meter_id, start_time)
  policy reading_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy reading_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.meter m
  WHERE ((m.operator_id = reading.operator_id) AND (m.meter_id = reading.meter_id) AND (m.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy reading_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (batch) to billing
  grant update (energy_wh) to billing
  grant update (estimated) to billing
  grant update (receive_time) to billing
  grant update (revision) to billing

partitioned table billing.reading_history owner gridlease_owner row security forced
  operator_id text collate "C" not null
  meter_id text collate "C" not null
  start_time timestamp with time zone not null
  revision integer not null
  energy_wh bigint not null
  estimated boolean not null
  batch bigint not null
  receive_time timestamp with time zone not null
  superseded_batch bigint not null
  constraint reading_history_energy CHECK (((energy_wh >= 0) AND (revision >= 0) AND (batch > 0)))
  constraint reading_history_receive_time CHECK (((receive_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (receive_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reading_history_start_time CHECK (((start_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (start_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reading_history_superseded CHECK ((superseded_batch >= batch))
  constraint reading_history_pkey PRIMARY KEY (operator_id, meter_id, start_time, revision)
  policy reading_history_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy reading_history_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.meter m
  WHERE ((m.operator_id = reading_history.operator_id) AND (m.meter_id = reading_history.meter_id) AND (m.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy reading_history_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.reckoning owner gridlease_owner row security forced
  operator_id text collate "C" not null
  reckoning_id uuid not null
  lease_id text collate "C" not null
  site_id text collate "C"
  block_id text collate "C"
  month date not null
  inputs jsonb not null
  create_time timestamp with time zone not null
  constraint reckoning_block CHECK (((site_id IS NULL) = (block_id IS NULL)))
  constraint reckoning_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint reckoning_month CHECK (((EXTRACT(day FROM month) = (1)::numeric) AND ((month >= '2000-01-01'::date) AND (month <= '9998-12-01'::date))))
  constraint reckoning_lease FOREIGN KEY (operator_id, lease_id) REFERENCES billing.lease(operator_id, lease_id)
  constraint reckoning_pkey PRIMARY KEY (operator_id, reckoning_id)
  CREATE INDEX reckoning_by_lease ON billing.reckoning USING btree (operator_id, lease_id, site_id, block_id, month)
  CREATE TRIGGER reckoning_append_only BEFORE DELETE OR UPDATE ON billing.reckoning FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy reckoning_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy reckoning_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.revocation owner gridlease_owner row security forced
  owner text collate "C" not null
  what text collate "C" not null
  value text collate "C" not null
  issued_until timestamp with time zone not null
  reason text not null
  revoked_by text not null
  updated_at timestamp with time zone not null
  expires_at timestamp with time zone not null
  constraint revocation_expires_at CHECK (((expires_at > updated_at) AND ((expires_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (expires_at <= '9999-12-31 00:00:00+00'::timestamp with time zone))))
  constraint revocation_issued_until CHECK (((issued_until >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (issued_until <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_updated_at CHECK (((updated_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (updated_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint revocation_value CHECK (((length(value) >= 1) AND (length(value) <= 255)))
  constraint revocation_what CHECK ((what = ANY (ARRAY['token'::text, 'subject'::text])))
  constraint revocation_pkey PRIMARY KEY (owner, what, value)
  policy revocation_scope permissive for all to billing, gridlease_owner using (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text))) with check (((owner = ('operators/'::text || ( SELECT current_setting('app.operator'::text, true) AS current_setting))) OR (owner = ('tenants/'::text || ( SELECT current_setting('app.tenant'::text, true) AS current_setting))) OR (( SELECT current_setting('app.caller'::text, true) AS current_setting) = 'platform'::text)))
  policy revocation_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select, update to billing
  grant delete, select to billing_worker

table billing.schema_history owner gridlease_owner row security forced
  version bigint not null
  name text not null
  checksum text not null
  applied_at timestamp with time zone not null default clock_timestamp()
  constraint schema_history_applied_at CHECK (((applied_at >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (applied_at <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint schema_history_version CHECK ((version >= 0))
  constraint schema_history_pkey PRIMARY KEY (version)
  policy schema_history_owner permissive for all to gridlease_owner using (true) with check (true)
  policy schema_history_read permissive for all to billing, billing_worker using (true) with check (false)
  grant select to billing
  grant select to billing_worker

table billing.tariff owner gridlease_owner row security forced
  operator_id text collate "C" not null
  tariff_id text collate "C" not null
  display_name text not null
  currency_code text collate "C" not null
  time_zone text collate "C" not null
  terms jsonb not null
  version bigint not null
  create_time timestamp with time zone not null
  constraint tariff_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint tariff_currency_code CHECK ((currency_code ~ '^[A-Z]{3}$'::text))
  constraint tariff_version CHECK ((version > 0))
  constraint tariff_pkey PRIMARY KEY (operator_id, tariff_id)
  policy tariff_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy tariff_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (version) to billing

table billing.tariff_component owner gridlease_owner row security forced
  operator_id text collate "C" not null
  tariff_id text collate "C" not null
  code text collate "C" not null
  from_date date not null
  until_date date
  price jsonb not null
  source text not null
  version bigint not null
  constraint tariff_component_dates CHECK ((((from_date >= '2000-01-01'::date) AND (from_date <= '9999-12-31'::date)) AND ((until_date >= (from_date + 1)) AND (until_date <= '9999-12-31'::date))))
  constraint tariff_component_version CHECK ((version > 0))
  constraint tariff_component_tariff FOREIGN KEY (operator_id, tariff_id) REFERENCES billing.tariff(operator_id, tariff_id)
  constraint tariff_component_pkey PRIMARY KEY (operator_id, tariff_id, code, from_date)
  CREATE TRIGGER tariff_component_append_only BEFORE DELETE OR UPDATE ON billing.tariff_component FOR EACH ROW EXECUTE FUNCTION billing.refuse_change()
  policy tariff_component_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy tariff_component_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing

table billing.unjudged owner gridlease_owner row security forced
  operator_id text collate "C" not null
  statement_id bigint not null identity a
  table_name text collate "C" not null
  ids uuid[] not null
  constraint unjudged_table_name CHECK ((table_name = ANY (ARRAY['invoice'::text, 'ledger_transaction'::text])))
  constraint unjudged_pkey PRIMARY KEY (operator_id, statement_id)
  CREATE CONSTRAINT TRIGGER unjudged_at_commit AFTER INSERT ON billing.unjudged DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.judge()
  policy unjudged_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy unjudged_worker permissive for all to billing_worker using (true) with check (true)
  grant delete, insert, select to billing

table billing.usage_day owner gridlease_owner row security forced with fillfactor=70
  operator_id text collate "C" not null
  meter_id text collate "C" not null
  day date not null
  energy_wh bigint not null
  reading_count integer not null
  estimated_wh bigint not null
  estimated_count integer not null
  peaks_wh bigint[] not null
  peak_time timestamp with time zone not null
  constraint usage_day_day CHECK (((day >= '2000-01-01'::date) AND (day <= '9999-12-31'::date)))
  constraint usage_day_peak_time CHECK (((peak_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (peak_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint usage_day_sums CHECK (((reading_count > 0) AND ((estimated_count >= 0) AND (estimated_count <= reading_count)) AND ((estimated_wh >= 0) AND (estimated_wh <= energy_wh)) AND ((cardinality(peaks_wh) >= 1) AND (cardinality(peaks_wh) <= 3))))
  constraint usage_day_meter FOREIGN KEY (operator_id, meter_id) REFERENCES billing.meter(operator_id, meter_id)
  constraint usage_day_pkey PRIMARY KEY (operator_id, meter_id, day)
  policy usage_day_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy usage_day_tenant permissive for select to billing using ((EXISTS ( SELECT 1
   FROM billing.meter m
  WHERE ((m.operator_id = usage_day.operator_id) AND (m.meter_id = usage_day.meter_id) AND (m.tenant_id = ( SELECT current_setting('app.tenant'::text, true) AS current_setting))))))
  policy usage_day_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (energy_wh) to billing
  grant update (estimated_count) to billing
  grant update (estimated_wh) to billing
  grant update (peak_time) to billing
  grant update (peaks_wh) to billing
  grant update (reading_count) to billing

table billing.utility_bill owner gridlease_owner row security forced
  operator_id text collate "C" not null
  bill_id uuid not null
  meter_id text collate "C" not null
  number text not null
  from_date date not null
  until_date date not null
  bill_date date not null
  currency_code text collate "C" not null
  amount_minor bigint not null
  energy_kwh bigint not null
  components jsonb not null
  revision integer not null
  corrects_id uuid
  division jsonb
  division_time timestamp with time zone
  version bigint not null
  create_time timestamp with time zone not null
  constraint utility_bill_amount CHECK (((amount_minor >= 0) AND (amount_minor <= '100000000000000'::bigint)))
  constraint utility_bill_dates CHECK ((((from_date >= '2000-01-01'::date) AND (from_date <= '9998-12-31'::date)) AND ((until_date >= (from_date + 1)) AND (until_date <= (from_date + 366))) AND ((bill_date >= '2000-01-01'::date) AND (bill_date <= '9999-12-31'::date))))
  constraint utility_bill_divided CHECK (((division IS NULL) = (division_time IS NULL)))
  constraint utility_bill_energy CHECK (((energy_kwh >= 0) AND (energy_kwh <= '100000000000'::bigint)))
  constraint utility_bill_revision CHECK (((revision > 0) AND ((revision > 1) = (corrects_id IS NOT NULL))))
  constraint utility_bill_times CHECK ((((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)) AND ((division_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (division_time <= '9999-12-31 00:00:00+00'::timestamp with time zone))))
  constraint utility_bill_version CHECK ((version > 0))
  constraint utility_bill_corrects FOREIGN KEY (operator_id, corrects_id) REFERENCES billing.utility_bill(operator_id, bill_id)
  constraint utility_bill_meter FOREIGN KEY (operator_id, meter_id) REFERENCES billing.meter(operator_id, meter_id)
  constraint utility_bill_pkey PRIMARY KEY (operator_id, bill_id)
  constraint utility_bill_corrected_once UNIQUE (operator_id, corrects_id)
  constraint utility_bill_days UNIQUE (operator_id, meter_id, from_date, revision)
  CREATE INDEX utility_bill_by_day ON billing.utility_bill USING btree (operator_id, from_date)
  CREATE TRIGGER utility_bill_guard BEFORE DELETE OR UPDATE ON billing.utility_bill FOR EACH ROW EXECUTE FUNCTION billing.guard_utility_bill()
  CREATE CONSTRAINT TRIGGER utility_bill_overlap AFTER INSERT ON billing.utility_bill DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION billing.check_utility_bill()
  policy utility_bill_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy utility_bill_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (division) to billing
  grant update (division_time) to billing
  grant update (version) to billing

table billing.voucher owner gridlease_owner row security forced
  operator_id text collate "C" not null
  voucher_id uuid not null
  kind text collate "C" not null
  content jsonb not null
  reason text not null
  state text collate "C" not null
  author text not null
  decider text
  version bigint not null
  create_time timestamp with time zone not null
  decide_time timestamp with time zone
  constraint voucher_create_time CHECK (((create_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (create_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint voucher_decide_time CHECK (((decide_time >= '2000-01-01 00:00:00+00'::timestamp with time zone) AND (decide_time <= '9999-12-31 00:00:00+00'::timestamp with time zone)))
  constraint voucher_kind CHECK ((kind = ANY (ARRAY['JOURNAL'::text, 'WRITE_OFF'::text, 'REOPEN_PERIOD'::text, 'COMMISSION'::text, 'COMMISSION_REVERSAL'::text, 'PAYMENT_INSTRUCTIONS'::text])))
  constraint voucher_state CHECK (((state = ANY (ARRAY['PROPOSED'::text, 'APPROVED'::text, 'REJECTED'::text])) AND (num_nulls(decider, decide_time) =
CASE state
    WHEN 'PROPOSED'::text THEN 2
    ELSE 0
END)))
  constraint voucher_two_people CHECK (((state <> 'APPROVED'::text) OR (decider <> author)))
  constraint voucher_version CHECK ((version > 0))
  constraint voucher_books FOREIGN KEY (operator_id) REFERENCES billing.books(operator_id)
  constraint voucher_pkey PRIMARY KEY (operator_id, voucher_id)
  policy voucher_operator permissive for all to billing, gridlease_owner using ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting))) with check ((operator_id = ( SELECT current_setting('app.operator'::text, true) AS current_setting)))
  policy voucher_worker permissive for all to billing_worker using (true) with check (true)
  grant insert, select to billing
  grant update (decide_time) to billing
  grant update (decider) to billing
  grant update (state) to billing
  grant update (version) to billing

function billing.check_commission() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 2d4ab82c96a9c84d43b5b88007d6c789
  grant execute to public

function billing.check_commission_reversal() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 54b12a88f55cc01a661d09c6d4dd080f
  grant execute to public

function billing.check_credit_note() returns trigger owner gridlease_owner language plpgsql volatile security definer set search_path="" body 731dd75ea994b62f96d122a7ead25c49

function billing.check_dispute() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body af2722834158e5bc8e3e6e3d8ef54554
  grant execute to public

function billing.check_invoice_lines() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body fe684d341d9d5150c54754e247a45fee
  grant execute to public

function billing.check_invoice_number() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body d4776b083fb9416dcb35afad65c84123
  grant execute to public

function billing.check_invoice_numbers() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body deafea9861d2e262044c23e4143c3a78
  grant execute to public

function billing.check_invoice_total() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 982f715ee4f21caee4371447b0a7eace
  grant execute to public

function billing.check_invoices() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 7577d2400c9b4c34518a0f37c42d5497
  grant execute to public

function billing.check_ledger_entries() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body e398f333b4221d27afd7b5d39e81e4ad
  grant execute to public

function billing.check_ledger_transaction() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 21299ae6563e997b00c050d33f338867
  grant execute to public

function billing.check_number_counter() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body cf825763628ed347545a9895bb553d9f
  grant execute to public

function billing.check_payment_instructions() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 3ad32f6d09f2016cb14f67c23680063a
  grant execute to public

function billing.check_payment_use() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body e39e61a588f32b60c74c0e07e8d01b4d
  grant execute to public

function billing.check_period_open() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 101700e9353ff3360dbaca426570799a
  grant execute to public

function billing.check_prepaid(operator text, lease text) returns void owner gridlease_owner language plpgsql volatile security definer set search_path="", enable_seqscan=off body 864d5526475b6788c42dd685f47479c2

function billing.check_prepaid_credit() returns trigger owner gridlease_owner language plpgsql volatile security definer set search_path="", enable_seqscan=off body 97fd62373476133a601418e433d5d0e0

function billing.check_prepaid_line() returns trigger owner gridlease_owner language plpgsql volatile security definer set search_path="" body 60123734dc1bd2d8b5449cb71a62c9ef

function billing.check_settlement() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body bb378f0e100d040adcbf441836f3d49a
  grant execute to public

function billing.check_utility_bill() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 7c4de5cf0ceb3544ac205fd47b248ad2
  grant execute to public

function billing.free_charges() returns trigger owner gridlease_owner language plpgsql volatile security definer set search_path="" body cf6a3937b1d2de75f249d81dc0e2a3b0
  grant execute to public

function billing.guard_billing_run() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 501645ac21e3a241f9af8a57c4604164
  grant execute to public

function billing.guard_commission() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 00d9f034bc7008c88ff3756295b6968d
  grant execute to public

function billing.guard_dispute() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 5131bde7d69f6bcf46446c1972ae8c1e
  grant execute to public

function billing.guard_invoice() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 1166bbaf5736325e8a4a3170435fe54b
  grant execute to public

function billing.guard_invoice_line() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 8c570bcb4c7779825b4f6d40ad7462e3
  grant execute to public

function billing.guard_payment() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 71e3dd60e83a02c4e2646f076793cf85
  grant execute to public

function billing.guard_settlement() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 90ce24ce159f17957595764867a2244c
  grant execute to public

function billing.guard_utility_bill() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 9ff1dd33560043f949fba78007ee1298
  grant execute to public

function billing.is_reading_month(parent text, part text) returns boolean owner gridlease_owner language sql stable set search_path="" body 04de4d1dc32d2629a7b1157775463435
  grant execute to public

function billing.judge() returns trigger owner gridlease_owner language plpgsql volatile set search_path="", enable_seqscan=off body 15a9e2837be7cae84e0ae51f3b94ab44
  grant execute to public

function billing.keep_key() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 891ebee268eeb769a5adf60ceb9f833b
  grant execute to public

function billing.lose_numbers(of_operator text, of_series text, through bigint, why text) returns bigint owner gridlease_owner language plpgsql volatile set search_path="" body 41c7401c01fa1f79fb2c6865faf10d59

function billing.open_books() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 31337b1a8e2850de7213053e08d14b22
  grant execute to public

function billing.open_reading_month(month date) returns void owner gridlease_owner language plpgsql volatile security definer set search_path="" body f95fd979eca05dee3577c708df441f56
  grant execute to billing

function billing.put_away_readings(month date, archive name) returns void owner gridlease_owner language plpgsql volatile set search_path="" body 59ea325c64a3cad00fbbd9ca319c0333

function billing.refuse_change() returns trigger owner gridlease_owner language plpgsql volatile set search_path="" body 4231af723e467b27a57993c1d8548d50
  grant execute to public
