-- Drawn from catalog/records by `python -m catalog.store.migrations.draft`; do not edit by hand.

-- Trigram search, where the server has it and lets us.
do $$
begin
    create extension if not exists pg_trgm;
exception when insufficient_privilege or feature_not_supported or undefined_file then
    raise notice 'pg_trgm is not available';
end
$$;

CREATE TABLE allocation_rules (
    name TEXT COLLATE "C" NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT allocation_rules_pkey PRIMARY KEY (name)
);

CREATE TABLE audit_event (
    sequence BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor_id TEXT COLLATE "C",
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C",
    detail JSONB NOT NULL,
    previous_hash TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    CONSTRAINT audit_event_pkey PRIMARY KEY (sequence),
    CONSTRAINT audit_event_id_key UNIQUE (id)
);

CREATE INDEX ix_audit_event_actor_id ON audit_event (actor_id);

CREATE INDEX ix_audit_event_at ON audit_event (at);

CREATE INDEX ix_audit_event_subject_id ON audit_event (subject_id);

CREATE TABLE charge_subject (
    key TEXT COLLATE "C" NOT NULL,
    document JSONB NOT NULL,
    decided TEXT COLLATE "C",
    CONSTRAINT charge_subject_pkey PRIMARY KEY (key)
);

CREATE TABLE config (
    hash TEXT COLLATE "C" NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT config_pkey PRIMARY KEY (hash)
)
 WITH (toast_tuple_target = 8160);

CREATE INDEX config_settings ON config USING gin ((document -> 'settings') jsonb_path_ops);

CREATE INDEX config_vars ON config USING gin ((document -> 'vars') jsonb_path_ops);

CREATE TABLE cost_day (
    key TEXT COLLATE "C" NOT NULL,
    month DATE NOT NULL,
    tenant_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    environment_id TEXT COLLATE "C",
    stack_id TEXT COLLATE "C",
    instance_id TEXT COLLATE "C",
    service_id TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL,
    amount NUMERIC NOT NULL,
    parts BIGINT NOT NULL,
    day DATE NOT NULL,
    CONSTRAINT cost_day_pkey PRIMARY KEY (key)
);

CREATE INDEX cost_day_by_environment ON cost_day (environment_id, month);

CREATE INDEX cost_day_by_instance ON cost_day (instance_id, month);

CREATE INDEX cost_day_by_month ON cost_day (month, currency);

CREATE INDEX cost_day_by_service ON cost_day (service_id, month);

CREATE INDEX cost_day_by_stack ON cost_day (stack_id, month);

CREATE INDEX cost_day_by_team ON cost_day (team_id, month);

CREATE INDEX cost_day_by_tenant ON cost_day (tenant_id, month);

CREATE INDEX cost_day_empty ON cost_day (key) WHERE parts = 0;

CREATE TABLE cost_estimate (
    id TEXT COLLATE "C" NOT NULL,
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C",
    monthly NUMERIC,
    low NUMERIC,
    high NUMERIC,
    reason TEXT COLLATE "C",
    unsupported TEXT[] COLLATE "C" NOT NULL,
    source TEXT COLLATE "C",
    file TEXT COLLATE "C",
    line INTEGER,
    estimated_at TIMESTAMP WITH TIME ZONE,
    superseded_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT cost_estimate_pkey PRIMARY KEY (id),
    CONSTRAINT status_known CHECK (status in ('KNOWN', 'PARTIAL', 'UNKNOWN')),
    CONSTRAINT money_has_currency CHECK ((monthly is null and low is null and high is null) or currency is not null),
    CONSTRAINT unknown_is_not_a_number CHECK (status <> 'UNKNOWN' or monthly is null),
    CONSTRAINT only_imports_are_superseded CHECK (superseded_at is null or source in ('INFRACOST', 'PRICE_BOOK'))
);

CREATE INDEX cost_estimate_imported ON cost_estimate (subject_id) WHERE source in ('INFRACOST', 'PRICE_BOOK');

CREATE INDEX ix_cost_estimate_subject_id ON cost_estimate (subject_id);

CREATE TABLE cost_import (
    id TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    format TEXT COLLATE "C" NOT NULL,
    imported_at TIMESTAMP WITH TIME ZONE NOT NULL,
    principal_id TEXT COLLATE "C",
    rows INTEGER NOT NULL,
    accepted INTEGER NOT NULL,
    replaced INTEGER NOT NULL,
    CONSTRAINT cost_import_pkey PRIMARY KEY (id),
    CONSTRAINT format_known CHECK (format in ('INFRACOST', 'FOCUS_CSV', 'FOCUS_PARQUET', 'OPENCOST'))
);

CREATE TABLE cost_month (
    key TEXT COLLATE "C" NOT NULL,
    month DATE NOT NULL,
    tenant_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    environment_id TEXT COLLATE "C",
    stack_id TEXT COLLATE "C",
    instance_id TEXT COLLATE "C",
    service_id TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL,
    amount NUMERIC NOT NULL,
    parts BIGINT NOT NULL,
    CONSTRAINT cost_month_pkey PRIMARY KEY (key)
);

CREATE INDEX cost_month_by_environment ON cost_month (environment_id, month);

CREATE INDEX cost_month_by_instance ON cost_month (instance_id, month);

CREATE INDEX cost_month_by_month ON cost_month (month, currency);

CREATE INDEX cost_month_by_service ON cost_month (service_id, month);

CREATE INDEX cost_month_by_stack ON cost_month (stack_id, month);

CREATE INDEX cost_month_by_team ON cost_month (team_id, month);

CREATE INDEX cost_month_by_tenant ON cost_month (tenant_id, month);

CREATE INDEX cost_month_empty ON cost_month (key) WHERE parts = 0;

CREATE TABLE exchange_rate (
    base TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    day DATE NOT NULL,
    rate NUMERIC NOT NULL,
    CONSTRAINT exchange_rate_pkey PRIMARY KEY (base, currency, day),
    CONSTRAINT exchange_rate_is_positive CHECK (rate > 0),
    CONSTRAINT exchange_rate_of_two_currencies CHECK (base <> currency)
);

CREATE INDEX exchange_rate_by_currency ON exchange_rate (currency, base, day);

CREATE TABLE kpi (
    name TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    statement TEXT COLLATE "C" NOT NULL,
    population TEXT COLLATE "C" NOT NULL,
    unit TEXT COLLATE "C" NOT NULL,
    direction TEXT COLLATE "C" NOT NULL,
    baseline NUMERIC,
    target NUMERIC,
    CONSTRAINT kpi_pkey PRIMARY KEY (name),
    CONSTRAINT direction_known CHECK (direction in ('HIGHER_IS_BETTER', 'LOWER_IS_BETTER'))
);

CREATE TABLE kpi_point (
    name TEXT COLLATE "C" NOT NULL,
    at DATE NOT NULL,
    value NUMERIC,
    sample_size INTEGER NOT NULL,
    CONSTRAINT kpi_point_pkey PRIMARY KEY (name, at),
    CONSTRAINT kpi_sample_is_counted CHECK (sample_size >= 0)
);

CREATE TABLE organization (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL,
    default_team_id TEXT COLLATE "C",
    seeds_estate_id TEXT COLLATE "C",
    CONSTRAINT organization_pkey PRIMARY KEY (id),
    CONSTRAINT organization_name_key UNIQUE (name)
);

CREATE INDEX ix_organization_seeds_estate_id ON organization (seeds_estate_id);

CREATE TABLE policy_bundle (
    digest TEXT COLLATE "C" NOT NULL,
    content JSONB NOT NULL,
    CONSTRAINT policy_bundle_pkey PRIMARY KEY (digest)
);

CREATE TABLE policy_input (
    digest TEXT COLLATE "C" NOT NULL,
    document JSONB NOT NULL,
    CONSTRAINT policy_input_pkey PRIMARY KEY (digest)
);

CREATE TABLE principal (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT principal_pkey PRIMARY KEY (id),
    CONSTRAINT kind_known CHECK (kind in ('PERSON', 'SERVICE')),
    CONSTRAINT principal_email_key UNIQUE (email)
);

CREATE TABLE search_entry (
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    shown TEXT COLLATE "C" NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    words TSVECTOR NOT NULL,
    CONSTRAINT search_entry_pkey PRIMARY KEY (kind, key),
    CONSTRAINT kind_known CHECK (kind in ('SERVICE', 'COMPONENT', 'COMPONENT_INSTANCE', 'STACK', 'TEAM', 'ENVIRONMENT', 'PROVISIONING_REQUEST', 'WORKFLOW'))
);

CREATE INDEX search_entry_by_name ON search_entry (kind, name);

CREATE INDEX search_entry_names ON search_entry USING gin (words) WITH (fastupdate = off) WHERE kind = 'COMPONENT_INSTANCE';

CREATE INDEX search_entry_things ON search_entry USING gin (words) WITH (fastupdate = off) WHERE kind <> 'COMPONENT_INSTANCE';

CREATE TABLE search_word (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    word TEXT COLLATE "C" NOT NULL,
    of_stack BOOLEAN NOT NULL,
    CONSTRAINT search_word_pkey PRIMARY KEY (id)
);

CREATE INDEX ix_search_word_word ON search_word (word);

CREATE TABLE team_estimate (
    key TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    currency TEXT COLLATE "C",
    amount NUMERIC NOT NULL,
    known BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    CONSTRAINT team_estimate_pkey PRIMARY KEY (key)
);

CREATE INDEX team_estimate_empty ON team_estimate (key) WHERE instances = 0;

CREATE TABLE team_month (
    key TEXT COLLATE "C" NOT NULL,
    month DATE NOT NULL,
    tenant_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL,
    amount NUMERIC NOT NULL,
    parts BIGINT NOT NULL,
    CONSTRAINT team_month_pkey PRIMARY KEY (key)
);

CREATE INDEX team_month_by_month ON team_month (month, currency);

CREATE INDEX team_month_empty ON team_month (key) WHERE parts = 0;

CREATE TABLE access_token (
    id TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    prefix TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    last_used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT access_token_pkey PRIMARY KEY (id),
    CONSTRAINT access_token_hash_key UNIQUE (hash),
    CONSTRAINT kind_known CHECK (kind in ('API', 'LINK', 'SESSION')),
    CONSTRAINT access_token_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE INDEX ix_access_token_principal_id ON access_token (principal_id);

CREATE TABLE charge_batch (
    id TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    billing_period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    billing_period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    import_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT charge_batch_pkey PRIMARY KEY (id),
    CONSTRAINT billing_period_runs_forward CHECK (billing_period_end > billing_period_start),
    CONSTRAINT charge_batch_import_id_fkey FOREIGN KEY(import_id) REFERENCES cost_import (id)
);

CREATE UNIQUE INDEX charge_batch_of_file ON charge_batch (file, billing_period_start, billing_period_end);

CREATE INDEX ix_charge_batch_import_id ON charge_batch (import_id);

CREATE TABLE cost_item (
    estimate_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    resource_type TEXT COLLATE "C",
    unit TEXT COLLATE "C",
    monthly_quantity NUMERIC,
    monthly NUMERIC,
    currency TEXT COLLATE "C",
    CONSTRAINT cost_item_pkey PRIMARY KEY (estimate_id, ordinal),
    CONSTRAINT cost_item_has_currency CHECK (monthly is null or currency is not null),
    CONSTRAINT cost_item_estimate_id_fkey FOREIGN KEY(estimate_id) REFERENCES cost_estimate (id) ON DELETE CASCADE
);

CREATE TABLE estate (
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C",
    path TEXT COLLATE "C",
    ref TEXT COLLATE "C" NOT NULL,
    directory TEXT COLLATE "C" NOT NULL,
    config_path TEXT COLLATE "C",
    writable BOOLEAN NOT NULL,
    executor TEXT COLLATE "C" NOT NULL,
    workflows JSONB NOT NULL,
    removal_limit INTEGER NOT NULL,
    web_url TEXT COLLATE "C",
    poll INTEGER,
    webhook_secret TEXT COLLATE "C",
    credentials TEXT COLLATE "C",
    CONSTRAINT estate_pkey PRIMARY KEY (id),
    CONSTRAINT kind_known CHECK (kind in ('git', 'directory')),
    CONSTRAINT estate_name_key UNIQUE (name),
    CONSTRAINT estate_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE
);

CREATE INDEX ix_estate_organization_id ON estate (organization_id);

CREATE TABLE idempotency (
    principal_id TEXT COLLATE "C" NOT NULL,
    mutation TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    body_hash TEXT COLLATE "C" NOT NULL,
    payload JSONB,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (principal_id, mutation, key),
    CONSTRAINT idempotency_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE INDEX ix_idempotency_created_at ON idempotency (created_at);

CREATE TABLE principal_grant (
    id SERIAL NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    teams TEXT[] COLLATE "C",
    tenants TEXT[] COLLATE "C",
    seeded BOOLEAN NOT NULL,
    CONSTRAINT principal_grant_pkey PRIMARY KEY (id),
    CONSTRAINT role_known CHECK (role in ('VIEWER', 'REQUESTER', 'APPROVER', 'ADMIN')),
    CONSTRAINT principal_grant_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE INDEX ix_principal_grant_principal_id ON principal_grant (principal_id);

CREATE TABLE rejected_row (
    import_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    row INTEGER NOT NULL,
    "column" TEXT COLLATE "C",
    reason TEXT COLLATE "C" NOT NULL,
    CONSTRAINT rejected_row_pkey PRIMARY KEY (import_id, ordinal),
    CONSTRAINT rejected_row_import_id_fkey FOREIGN KEY(import_id) REFERENCES cost_import (id) ON DELETE CASCADE
);

CREATE TABLE report_role (
    name TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT report_role_pkey PRIMARY KEY (name),
    CONSTRAINT report_role_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE INDEX ix_report_role_principal_id ON report_role (principal_id);

CREATE TABLE team (
    id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    chat TEXT COLLATE "C",
    cost_center TEXT COLLATE "C",
    platform BOOLEAN NOT NULL,
    budget NUMERIC,
    budget_currency TEXT COLLATE "C",
    aliases TEXT[] COLLATE "C" NOT NULL,
    file TEXT COLLATE "C",
    line INTEGER,
    CONSTRAINT team_pkey PRIMARY KEY (id),
    CONSTRAINT team_organization_id_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT team_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE
);

CREATE INDEX ix_team_organization_id ON team (organization_id);

CREATE INDEX team_by_slug ON team (slug, id);

CREATE TABLE tenant (
    id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    hidden BOOLEAN NOT NULL,
    budget NUMERIC,
    budget_currency TEXT COLLATE "C",
    CONSTRAINT tenant_pkey PRIMARY KEY (id),
    CONSTRAINT tenant_organization_id_name_hidden_key UNIQUE (organization_id, name, hidden),
    CONSTRAINT tenant_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE
);

CREATE INDEX ix_tenant_organization_id ON tenant (organization_id);

CREATE INDEX tenant_by_name ON tenant (name, id);

CREATE TABLE charge (
    id TEXT COLLATE "C" NOT NULL,
    batch_id TEXT COLLATE "C" NOT NULL,
    billing_period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    billing_period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    billing_account_id TEXT COLLATE "C",
    billing_account_name TEXT COLLATE "C",
    sub_account_id TEXT COLLATE "C",
    sub_account_name TEXT COLLATE "C",
    charge_class TEXT COLLATE "C",
    description TEXT COLLATE "C",
    publisher TEXT COLLATE "C",
    invoice_issuer TEXT COLLATE "C",
    service_category TEXT COLLATE "C",
    resource_name TEXT COLLATE "C",
    resource_type TEXT COLLATE "C",
    sku_id TEXT COLLATE "C",
    pricing_quantity NUMERIC,
    pricing_unit TEXT COLLATE "C",
    consumed_quantity NUMERIC,
    consumed_unit TEXT COLLATE "C",
    period_start TIMESTAMP WITH TIME ZONE NOT NULL,
    period_end TIMESTAMP WITH TIME ZONE NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C",
    service_name TEXT COLLATE "C",
    resource_id TEXT COLLATE "C",
    region_id TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL,
    billed NUMERIC NOT NULL,
    effective NUMERIC NOT NULL,
    listed NUMERIC,
    contracted NUMERIC,
    tags JSONB NOT NULL,
    CONSTRAINT charge_pkey PRIMARY KEY (id),
    CONSTRAINT charge_period_runs_forward CHECK (period_end > period_start),
    CONSTRAINT charge_batch_id_fkey FOREIGN KEY(batch_id) REFERENCES charge_batch (id) ON DELETE CASCADE
);

CREATE INDEX charge_latest ON charge (period_start desc, id desc);

CREATE INDEX charge_tags ON charge USING gin (tags jsonb_path_ops);

CREATE INDEX ix_charge_batch_id ON charge (batch_id);

CREATE INDEX ix_charge_resource_id ON charge (resource_id);

CREATE TABLE component (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    description TEXT COLLATE "C",
    category TEXT COLLATE "C",
    category_derived BOOLEAN NOT NULL,
    provisioning_time INTEGER,
    cost_estimate_id TEXT COLLATE "C",
    maturity TEXT COLLATE "C",
    maintainer_id TEXT COLLATE "C",
    readme TEXT COLLATE "C",
    source TEXT COLLATE "C",
    version TEXT COLLATE "C",
    inputs JSONB NOT NULL,
    outputs JSONB NOT NULL,
    providers JSONB NOT NULL,
    modules JSONB NOT NULL,
    required_version TEXT COLLATE "C",
    input_schema JSONB NOT NULL,
    source_hash TEXT COLLATE "C",
    content_hash TEXT COLLATE "C" NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT component_pkey PRIMARY KEY (id),
    CONSTRAINT component_estate_id_type_path_key UNIQUE (estate_id, type, path),
    CONSTRAINT type_known CHECK (type in ('TERRAFORM', 'HELMFILE', 'PACKER', 'KUBERNETES', 'HELM', 'ANSIBLE', 'CUSTOM')),
    CONSTRAINT component_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT component_cost_estimate_id_fkey FOREIGN KEY(cost_estimate_id) REFERENCES cost_estimate (id) ON DELETE SET NULL,
    CONSTRAINT component_maintainer_id_fkey FOREIGN KEY(maintainer_id) REFERENCES team (id) ON DELETE SET NULL
);

CREATE INDEX ix_component_category ON component (category);

CREATE INDEX ix_component_cost_estimate_id ON component (cost_estimate_id);

CREATE INDEX ix_component_estate_id ON component (estate_id);

CREATE INDEX ix_component_maintainer_id ON component (maintainer_id);

CREATE INDEX ix_component_name ON component (name);

CREATE TABLE environment (
    id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C",
    stage TEXT COLLATE "C",
    region TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    CONSTRAINT environment_pkey PRIMARY KEY (id),
    CONSTRAINT environment_organization_id_tenant_id_account_name_region_key UNIQUE NULLS NOT DISTINCT (organization_id, tenant_id, account, name, region),
    CONSTRAINT environment_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT kind_known CHECK (kind in ('DEVELOPMENT', 'TEST', 'STAGING', 'PRODUCTION', 'SHARED', 'OTHER')),
    CONSTRAINT environment_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT environment_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
    CONSTRAINT environment_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE SET NULL
);

CREATE INDEX environment_by_name ON environment (name, id);

CREATE INDEX ix_environment_organization_id ON environment (organization_id);

CREATE INDEX ix_environment_team_id ON environment (team_id);

CREATE INDEX ix_environment_tenant_id ON environment (tenant_id);

CREATE TABLE estate_remote (
    estate_id TEXT COLLATE "C" NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE,
    revision TEXT COLLATE "C",
    failures INTEGER NOT NULL,
    error TEXT COLLATE "C",
    CONSTRAINT estate_remote_pkey PRIMARY KEY (estate_id),
    CONSTRAINT estate_remote_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE TABLE index_run (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    ref TEXT COLLATE "C" NOT NULL,
    number INTEGER NOT NULL,
    revision TEXT COLLATE "C",
    author TEXT COLLATE "C",
    committed_at TIMESTAMP WITH TIME ZONE,
    state TEXT COLLATE "C" NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    manifests INTEGER NOT NULL,
    stacks INTEGER NOT NULL,
    component_instances INTEGER NOT NULL,
    added INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    held_reason TEXT COLLATE "C",
    error TEXT COLLATE "C",
    snapshot_hash TEXT COLLATE "C",
    inputs_hash TEXT COLLATE "C",
    pending BOOLEAN DEFAULT false NOT NULL,
    asked TEXT COLLATE "C",
    removal_digest TEXT COLLATE "C",
    confirmed_digest TEXT COLLATE "C",
    decided_by TEXT COLLATE "C",
    backfill BOOLEAN NOT NULL,
    CONSTRAINT index_run_pkey PRIMARY KEY (id),
    CONSTRAINT state_known CHECK (state in ('QUEUED', 'RUNNING', 'HELD', 'SUCCEEDED', 'FAILED')),
    CONSTRAINT index_run_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE INDEX index_run_latest ON index_run (estate_id, started_at desc, id);

CREATE INDEX index_run_position ON index_run (estate_id, ref, number);

CREATE INDEX index_run_revision ON index_run (estate_id, revision);

CREATE UNIQUE INDEX index_run_waiting ON index_run (estate_id, coalesce(asked, '')) WHERE state = 'QUEUED' and confirmed_digest is null;

CREATE INDEX ix_index_run_estate_id ON index_run (estate_id);

CREATE TABLE manifest (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    path TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    top_level BOOLEAN NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT manifest_pkey PRIMARY KEY (id),
    CONSTRAINT manifest_estate_id_path_key UNIQUE (estate_id, path),
    CONSTRAINT manifest_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE INDEX ix_manifest_estate_id ON manifest (estate_id);

CREATE TABLE person (
    id TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    role TEXT COLLATE "C",
    CONSTRAINT person_pkey PRIMARY KEY (id),
    CONSTRAINT person_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE
);

CREATE INDEX ix_person_team_id ON person (team_id);

CREATE TABLE policy (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    package TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C",
    description TEXT COLLATE "C",
    severity TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    CONSTRAINT policy_pkey PRIMARY KEY (id),
    CONSTRAINT policy_estate_id_package_name_key UNIQUE (estate_id, package, name),
    CONSTRAINT severity_known CHECK (severity in ('ERROR', 'WARNING', 'INFO')),
    CONSTRAINT policy_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE INDEX ix_policy_estate_id ON policy (estate_id);

CREATE TABLE policy_run (
    estate_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    snapshot_hash TEXT COLLATE "C",
    bundle_digest TEXT COLLATE "C",
    CONSTRAINT policy_run_pkey PRIMARY KEY (estate_id),
    CONSTRAINT policy_run_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE TABLE service (
    id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    slug TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    category TEXT COLLATE "C",
    lifecycle TEXT COLLATE "C" NOT NULL,
    lifecycle_stated BOOLEAN NOT NULL,
    tier INTEGER,
    version INTEGER NOT NULL,
    owner_id TEXT COLLATE "C",
    cost_estimate_id TEXT COLLATE "C",
    computed_cost_estimate_id TEXT COLLATE "C",
    provisioning_time INTEGER,
    budget NUMERIC,
    budget_currency TEXT COLLATE "C",
    tags TEXT[] COLLATE "C" NOT NULL,
    links JSONB NOT NULL,
    public BOOLEAN NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C",
    line INTEGER,
    changed_at TIMESTAMP WITH TIME ZONE,
    changed_by_id TEXT COLLATE "C",
    change_reason TEXT COLLATE "C",
    overridden JSONB,
    CONSTRAINT service_pkey PRIMARY KEY (id),
    CONSTRAINT service_organization_id_slug_key UNIQUE (organization_id, slug),
    CONSTRAINT lifecycle_known CHECK (lifecycle in ('EXPERIMENTAL', 'PRODUCTION', 'DEPRECATED', 'RETIRED')),
    CONSTRAINT source_known CHECK (source in ('SEEDS', 'CATALOG')),
    CONSTRAINT service_budget_has_currency CHECK (budget is null or budget_currency is not null),
    CONSTRAINT service_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT service_owner_id_fkey FOREIGN KEY(owner_id) REFERENCES team (id) ON DELETE SET NULL,
    CONSTRAINT service_cost_estimate_id_fkey FOREIGN KEY(cost_estimate_id) REFERENCES cost_estimate (id) ON DELETE SET NULL,
    CONSTRAINT service_computed_cost_estimate_id_fkey FOREIGN KEY(computed_cost_estimate_id) REFERENCES cost_estimate (id) ON DELETE SET NULL
);

CREATE INDEX ix_service_category ON service (category);

CREATE INDEX ix_service_computed_cost_estimate_id ON service (computed_cost_estimate_id);

CREATE INDEX ix_service_cost_estimate_id ON service (cost_estimate_id);

CREATE INDEX ix_service_organization_id ON service (organization_id);

CREATE INDEX ix_service_owner_id ON service (owner_id);

CREATE INDEX service_by_owner ON service (owner_id, slug, id);

CREATE INDEX service_by_slug ON service (slug, id);

CREATE INDEX service_registered ON service (organization_id) WHERE source = 'CATALOG' or overridden is not null;

CREATE TABLE team_member (
    principal_id TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT team_member_pkey PRIMARY KEY (principal_id, team_id),
    CONSTRAINT team_member_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE,
    CONSTRAINT team_member_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE
);

CREATE INDEX ix_team_member_team_id ON team_member (team_id);

CREATE TABLE workflow (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    governed BOOLEAN NOT NULL,
    parameters JSONB NOT NULL,
    steps JSONB NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    CONSTRAINT workflow_pkey PRIMARY KEY (id),
    CONSTRAINT workflow_estate_id_file_name_key UNIQUE (estate_id, file, name),
    CONSTRAINT workflow_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE
);

CREATE INDEX ix_workflow_estate_id ON workflow (estate_id);

CREATE INDEX workflow_order ON workflow (name, file, id);

CREATE TABLE allocation (
    charge_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    day DATE NOT NULL,
    month DATE NOT NULL,
    tenant_id TEXT COLLATE "C",
    team_id TEXT COLLATE "C",
    environment_id TEXT COLLATE "C",
    stack_id TEXT COLLATE "C",
    instance_id TEXT COLLATE "C",
    service_id TEXT COLLATE "C",
    share NUMERIC NOT NULL,
    amount NUMERIC NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    rule TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C",
    CONSTRAINT allocation_pkey PRIMARY KEY (charge_id, ordinal),
    CONSTRAINT allocation_month_of_day CHECK (month = date_trunc('month', day)::date),
    CONSTRAINT allocation_has_tenant CHECK (tenant_id is not null or coalesce(team_id, environment_id, stack_id, instance_id, service_id) is null),
    CONSTRAINT allocation_charge_id_fkey FOREIGN KEY(charge_id) REFERENCES charge (id) ON DELETE CASCADE
);

CREATE INDEX allocation_by_instance ON allocation (instance_id, day);

CREATE INDEX ix_allocation_subject ON allocation (subject);

CREATE TABLE index_run_event (
    sequence BIGINT NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER,
    CONSTRAINT index_run_event_pkey PRIMARY KEY (sequence),
    CONSTRAINT index_run_event_run_id_fkey FOREIGN KEY(run_id) REFERENCES index_run (id) ON DELETE CASCADE
);

CREATE INDEX ix_index_run_event_run_id ON index_run_event (run_id);

CREATE TABLE manifest_import (
    manifest_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    imported_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT manifest_import_pkey PRIMARY KEY (manifest_id, ordinal),
    CONSTRAINT manifest_import_manifest_id_fkey FOREIGN KEY(manifest_id) REFERENCES manifest (id) ON DELETE CASCADE,
    CONSTRAINT manifest_import_imported_id_fkey FOREIGN KEY(imported_id) REFERENCES manifest (id) ON DELETE CASCADE
);

CREATE INDEX ix_manifest_import_imported_id ON manifest_import (imported_id);

CREATE TABLE service_component (
    service_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    layer TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    component_id TEXT COLLATE "C",
    CONSTRAINT service_component_pkey PRIMARY KEY (service_id, ordinal),
    CONSTRAINT layer_known CHECK (layer in ('INFRASTRUCTURE', 'APPLICATION')),
    CONSTRAINT service_component_service_id_fkey FOREIGN KEY(service_id) REFERENCES service (id) ON DELETE CASCADE,
    CONSTRAINT service_component_component_id_fkey FOREIGN KEY(component_id) REFERENCES component (id) ON DELETE SET NULL
);

CREATE INDEX ix_service_component_component_id ON service_component (component_id);

CREATE INDEX ix_service_component_name ON service_component (name);

CREATE TABLE service_instance (
    id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    service_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    missing TEXT[] COLLATE "C" NOT NULL,
    registered_by_id TEXT COLLATE "C",
    CONSTRAINT service_instance_pkey PRIMARY KEY (id),
    CONSTRAINT service_instance_tenant_id_environment_id_fkey FOREIGN KEY(tenant_id, environment_id) REFERENCES environment (tenant_id, id) ON DELETE CASCADE,
    CONSTRAINT state_known CHECK (state in ('COMPLETE', 'PARTIAL', 'PROVISIONING', 'FAILED', 'DECOMMISSIONED')),
    CONSTRAINT service_instance_service_id_fkey FOREIGN KEY(service_id) REFERENCES service (id) ON DELETE CASCADE,
    CONSTRAINT service_instance_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE SET NULL
);

CREATE INDEX ix_service_instance_environment_id ON service_instance (environment_id);

CREATE INDEX ix_service_instance_service_id ON service_instance (service_id);

CREATE INDEX ix_service_instance_team_id ON service_instance (team_id);

CREATE INDEX service_instance_by_environment_name ON service_instance (environment_id, name, id);

CREATE INDEX service_instance_by_service_name ON service_instance (service_id, name, id);

CREATE TABLE stack (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    environment_id TEXT COLLATE "C",
    manifest_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    account TEXT COLLATE "C",
    stage TEXT COLLATE "C",
    region TEXT COLLATE "C",
    labels JSONB NOT NULL,
    tags TEXT[] COLLATE "C" NOT NULL,
    vars JSONB NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C",
    owner_source TEXT COLLATE "C",
    owner_value TEXT COLLATE "C",
    owner_file TEXT COLLATE "C",
    owner_line INTEGER,
    row_hash TEXT COLLATE "C" NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT stack_pkey PRIMARY KEY (id),
    CONSTRAINT stack_estate_id_name_key UNIQUE (estate_id, name),
    CONSTRAINT stack_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT state_known CHECK (state in ('FRESH', 'STALE', 'REMOVED')),
    CONSTRAINT stack_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT stack_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
    CONSTRAINT stack_organization_id_fkey FOREIGN KEY(organization_id) REFERENCES organization (id) ON DELETE CASCADE,
    CONSTRAINT stack_environment_id_fkey FOREIGN KEY(environment_id) REFERENCES environment (id) ON DELETE SET NULL,
    CONSTRAINT stack_manifest_id_fkey FOREIGN KEY(manifest_id) REFERENCES manifest (id) ON DELETE CASCADE,
    CONSTRAINT stack_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE SET NULL
);

CREATE INDEX ix_stack_account ON stack (account);

CREATE INDEX ix_stack_environment_id ON stack (environment_id);

CREATE INDEX ix_stack_estate_id ON stack (estate_id);

CREATE INDEX ix_stack_manifest_id ON stack (manifest_id);

CREATE INDEX ix_stack_organization_id ON stack (organization_id);

CREATE INDEX ix_stack_region ON stack (region);

CREATE INDEX ix_stack_stage ON stack (stage);

CREATE INDEX ix_stack_team_id ON stack (team_id);

CREATE INDEX ix_stack_tenant_id ON stack (tenant_id);

CREATE INDEX stack_by_name ON stack (name, id);

CREATE INDEX stack_by_tenant_name ON stack (tenant_id, name, id);

CREATE INDEX stack_labels ON stack USING gin (labels jsonb_path_ops);

CREATE TABLE application (
    id SERIAL NOT NULL,
    service_instance_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    cluster TEXT COLLATE "C" NOT NULL,
    namespace TEXT COLLATE "C",
    repository TEXT COLLATE "C",
    path TEXT COLLATE "C",
    revision TEXT COLLATE "C",
    health TEXT COLLATE "C" NOT NULL,
    manifest JSONB NOT NULL,
    CONSTRAINT application_pkey PRIMARY KEY (id),
    CONSTRAINT application_service_instance_id_cluster_name_key UNIQUE (service_instance_id, cluster, name),
    CONSTRAINT health_known CHECK (health in ('HEALTHY', 'PROGRESSING', 'DEGRADED', 'MISSING', 'UNKNOWN')),
    CONSTRAINT application_service_instance_id_fkey FOREIGN KEY(service_instance_id) REFERENCES service_instance (id) ON DELETE CASCADE
);

CREATE INDEX ix_application_service_instance_id ON application (service_instance_id);

CREATE TABLE component_instance (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    stack_id TEXT COLLATE "C" NOT NULL,
    component_id TEXT COLLATE "C",
    type TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    abstract BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    locked BOOLEAN NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    inherits TEXT[] COLLATE "C" NOT NULL,
    workspace TEXT COLLATE "C",
    backend_type TEXT COLLATE "C",
    labels JSONB NOT NULL,
    unresolved_dependencies TEXT[] COLLATE "C" NOT NULL,
    config_hash TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C",
    owner_source TEXT COLLATE "C",
    owner_value TEXT COLLATE "C",
    owner_file TEXT COLLATE "C",
    owner_line INTEGER,
    cost_estimate_id TEXT COLLATE "C",
    cost_status TEXT COLLATE "C" NOT NULL,
    monthly NUMERIC,
    currency TEXT COLLATE "C",
    drift TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C",
    line INTEGER,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    content_hash TEXT COLLATE "C" NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT component_instance_pkey PRIMARY KEY (id),
    CONSTRAINT component_instance_tenant_id_stack_id_fkey FOREIGN KEY(tenant_id, stack_id) REFERENCES stack (tenant_id, id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT component_instance_stack_id_type_name_key UNIQUE (stack_id, type, name),
    CONSTRAINT component_instance_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT type_known CHECK (type in ('TERRAFORM', 'HELMFILE', 'PACKER', 'KUBERNETES', 'HELM', 'ANSIBLE', 'CUSTOM')),
    CONSTRAINT state_known CHECK (state in ('FRESH', 'STALE', 'REMOVED')),
    CONSTRAINT drift_known CHECK (drift in ('UNKNOWN', 'IN_SYNC', 'DRIFTED')),
    CONSTRAINT component_instance_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT component_instance_component_id_fkey FOREIGN KEY(component_id) REFERENCES component (id) ON DELETE SET NULL,
    CONSTRAINT component_instance_config_hash_fkey FOREIGN KEY(config_hash) REFERENCES config (hash),
    CONSTRAINT component_instance_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE SET NULL,
    CONSTRAINT component_instance_cost_estimate_id_fkey FOREIGN KEY(cost_estimate_id) REFERENCES cost_estimate (id) ON DELETE SET NULL
);

CREATE INDEX component_instance_by_changed_at ON component_instance (changed_at, id);

CREATE INDEX component_instance_by_component_name ON component_instance (component_id, name, id);

CREATE INDEX component_instance_by_component_tenant ON component_instance (component_id, tenant_id);

CREATE INDEX component_instance_by_name ON component_instance (name, id);

CREATE INDEX component_instance_by_stack_name ON component_instance (stack_id, name, id);

CREATE INDEX component_instance_by_team_name ON component_instance (team_id, name, id);

CREATE INDEX component_instance_by_tenant_name ON component_instance (tenant_id, name, id);

CREATE INDEX component_instance_drifted ON component_instance (name, id) WHERE drift = 'DRIFTED';

CREATE INDEX component_instance_labels ON component_instance USING gin (labels jsonb_path_ops);

CREATE INDEX component_instance_locked ON component_instance (name, id) WHERE locked;

CREATE INDEX ix_component_instance_config_hash ON component_instance (config_hash);

CREATE INDEX ix_component_instance_cost_estimate_id ON component_instance (cost_estimate_id);

CREATE INDEX ix_component_instance_estate_id ON component_instance (estate_id);

CREATE TABLE diagnostic (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    severity TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    hint TEXT COLLATE "C",
    file TEXT COLLATE "C",
    line INTEGER,
    "column" INTEGER,
    stack_id TEXT COLLATE "C",
    component_name TEXT COLLATE "C",
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT diagnostic_pkey PRIMARY KEY (id),
    CONSTRAINT severity_known CHECK (severity in ('ERROR', 'WARNING', 'INFO')),
    CONSTRAINT diagnostic_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT diagnostic_run_id_fkey FOREIGN KEY(run_id) REFERENCES index_run (id) ON DELETE CASCADE,
    CONSTRAINT diagnostic_stack_id_fkey FOREIGN KEY(stack_id) REFERENCES stack (id) ON DELETE CASCADE
);

CREATE INDEX diagnostic_order ON diagnostic (estate_id, file, line, id);

CREATE INDEX ix_diagnostic_code ON diagnostic (code);

CREATE INDEX ix_diagnostic_estate_id ON diagnostic (estate_id);

CREATE INDEX ix_diagnostic_run_id ON diagnostic (run_id);

CREATE INDEX ix_diagnostic_stack_id ON diagnostic (stack_id);

CREATE TABLE stack_version (
    stack_id TEXT COLLATE "C" NOT NULL,
    ref TEXT COLLATE "C" NOT NULL,
    from_number INTEGER NOT NULL,
    to_number INTEGER,
    content_hash TEXT COLLATE "C" NOT NULL,
    row JSONB,
    CONSTRAINT stack_version_pkey PRIMARY KEY (stack_id, ref, from_number),
    CONSTRAINT stack_version_stack_id_fkey FOREIGN KEY(stack_id) REFERENCES stack (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX stack_version_current ON stack_version (stack_id, ref) WHERE to_number is null;

CREATE TABLE change (
    id TEXT COLLATE "C" NOT NULL,
    estate_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C",
    previous_id TEXT COLLATE "C",
    stack_name TEXT COLLATE "C" NOT NULL,
    component_type TEXT COLLATE "C" NOT NULL,
    component_name TEXT COLLATE "C" NOT NULL,
    values JSONB NOT NULL,
    author TEXT COLLATE "C",
    revision TEXT COLLATE "C",
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT change_pkey PRIMARY KEY (id),
    CONSTRAINT kind_known CHECK (kind in ('ADDED', 'CHANGED', 'REMOVED', 'RENAMED')),
    CONSTRAINT change_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT change_run_id_fkey FOREIGN KEY(run_id) REFERENCES index_run (id) ON DELETE CASCADE,
    CONSTRAINT change_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
    CONSTRAINT change_instance_id_fkey FOREIGN KEY(instance_id) REFERENCES component_instance (id) ON DELETE SET NULL,
    CONSTRAINT change_previous_id_fkey FOREIGN KEY(previous_id) REFERENCES component_instance (id) ON DELETE SET NULL,
    CONSTRAINT change_number_key UNIQUE (number)
);

CREATE INDEX change_latest ON change (at desc, id);

CREATE INDEX ix_change_estate_id ON change (estate_id);

CREATE INDEX ix_change_instance_id ON change (instance_id);

CREATE INDEX ix_change_previous_id ON change (previous_id);

CREATE INDEX ix_change_run_id ON change (run_id);

CREATE INDEX ix_change_tenant_id ON change (tenant_id);

CREATE TABLE dependency (
    source_id TEXT COLLATE "C" NOT NULL,
    target_id TEXT COLLATE "C" NOT NULL,
    via TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    file TEXT COLLATE "C",
    line INTEGER,
    "column" INTEGER,
    CONSTRAINT dependency_pkey PRIMARY KEY (source_id, target_id, via),
    CONSTRAINT kind_known CHECK (kind in ('DECLARED', 'INFERRED')),
    CONSTRAINT dependency_source_id_fkey FOREIGN KEY(source_id) REFERENCES component_instance (id) ON DELETE CASCADE,
    CONSTRAINT dependency_target_id_fkey FOREIGN KEY(target_id) REFERENCES component_instance (id) ON DELETE CASCADE
);

CREATE INDEX dependency_by_target ON dependency (target_id, source_id);

CREATE TABLE instance_version (
    instance_id TEXT COLLATE "C" NOT NULL,
    ref TEXT COLLATE "C" NOT NULL,
    from_number INTEGER NOT NULL,
    to_number INTEGER,
    content_hash TEXT COLLATE "C" NOT NULL,
    config_hash TEXT COLLATE "C" NOT NULL,
    row JSONB,
    estimate JSONB,
    edges JSONB,
    CONSTRAINT instance_version_pkey PRIMARY KEY (instance_id, ref, from_number),
    CONSTRAINT instance_version_instance_id_fkey FOREIGN KEY(instance_id) REFERENCES component_instance (id) ON DELETE CASCADE,
    CONSTRAINT instance_version_config_hash_fkey FOREIGN KEY(config_hash) REFERENCES config (hash)
);

CREATE UNIQUE INDEX instance_version_current ON instance_version (instance_id, ref) WHERE to_number is null;

CREATE INDEX instance_version_targets ON instance_version USING gin ((jsonb_path_query_array(edges, '$[*].target_id')) jsonb_path_ops) WHERE edges is not null;

CREATE INDEX ix_instance_version_config_hash ON instance_version (config_hash);

CREATE TABLE provisioning_request (
    id TEXT COLLATE "C" NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    estate_id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C",
    service_id TEXT COLLATE "C",
    environment_id TEXT COLLATE "C",
    instance_id TEXT COLLATE "C",
    stack_name TEXT COLLATE "C",
    component_type TEXT COLLATE "C",
    component_name TEXT COLLATE "C",
    target TEXT COLLATE "C" NOT NULL,
    team_id TEXT COLLATE "C" NOT NULL,
    requester_id TEXT COLLATE "C" NOT NULL,
    justification TEXT COLLATE "C",
    parameters JSONB NOT NULL,
    executor TEXT COLLATE "C" NOT NULL,
    preview JSONB,
    plan JSONB,
    digest TEXT COLLATE "C",
    base_revision TEXT COLLATE "C",
    commit TEXT COLLATE "C",
    branch TEXT COLLATE "C",
    pull_request_url TEXT COLLATE "C",
    required_approvals INTEGER NOT NULL,
    may_approve TEXT[] COLLATE "C" NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT provisioning_request_pkey PRIMARY KEY (id),
    CONSTRAINT provisioning_request_id_requester_id_key UNIQUE (id, requester_id),
    CONSTRAINT action_known CHECK (action in ('PROVISION_SERVICE', 'ONBOARD_ENVIRONMENT', 'APPLY_COMPONENT', 'DESTROY_COMPONENT', 'DECOMMISSION_SERVICE', 'RUN_WORKFLOW')),
    CONSTRAINT state_known CHECK (state in ('PENDING', 'PREVIEWING', 'PLANNING', 'AWAITING_APPROVAL', 'APPROVED', 'PROVISIONING', 'APPLY_UNKNOWN', 'DEPLOYING', 'SUCCEEDED', 'FAILED', 'DENIED', 'REJECTED', 'EXPIRED', 'CANCELLED')),
    CONSTRAINT provisioning_request_number_key UNIQUE (number),
    CONSTRAINT provisioning_request_estate_id_fkey FOREIGN KEY(estate_id) REFERENCES estate (id) ON DELETE CASCADE,
    CONSTRAINT provisioning_request_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
    CONSTRAINT provisioning_request_workflow_id_fkey FOREIGN KEY(workflow_id) REFERENCES workflow (id) ON DELETE SET NULL,
    CONSTRAINT provisioning_request_service_id_fkey FOREIGN KEY(service_id) REFERENCES service (id) ON DELETE SET NULL,
    CONSTRAINT provisioning_request_environment_id_fkey FOREIGN KEY(environment_id) REFERENCES environment (id) ON DELETE SET NULL,
    CONSTRAINT provisioning_request_instance_id_fkey FOREIGN KEY(instance_id) REFERENCES component_instance (id) ON DELETE SET NULL,
    CONSTRAINT provisioning_request_team_id_fkey FOREIGN KEY(team_id) REFERENCES team (id) ON DELETE CASCADE,
    CONSTRAINT provisioning_request_requester_id_fkey FOREIGN KEY(requester_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE INDEX ix_provisioning_request_environment_id ON provisioning_request (environment_id);

CREATE INDEX ix_provisioning_request_estate_id ON provisioning_request (estate_id);

CREATE INDEX ix_provisioning_request_instance_id ON provisioning_request (instance_id);

CREATE INDEX ix_provisioning_request_requester_id ON provisioning_request (requester_id);

CREATE INDEX ix_provisioning_request_service_id ON provisioning_request (service_id);

CREATE INDEX ix_provisioning_request_team_id ON provisioning_request (team_id);

CREATE INDEX ix_provisioning_request_tenant_id ON provisioning_request (tenant_id);

CREATE INDEX ix_provisioning_request_workflow_id ON provisioning_request (workflow_id);

CREATE UNIQUE INDEX provisioning_request_active ON provisioning_request (estate_id, target) WHERE state not in ('SUCCEEDED', 'FAILED', 'DENIED', 'REJECTED', 'EXPIRED', 'CANCELLED');

CREATE INDEX provisioning_request_latest ON provisioning_request (created_at desc, id);

CREATE TABLE service_instance_component (
    service_instance_id TEXT COLLATE "C" NOT NULL,
    instance_id TEXT COLLATE "C" NOT NULL,
    CONSTRAINT service_instance_component_pkey PRIMARY KEY (service_instance_id, instance_id),
    CONSTRAINT service_instance_component_service_instance_id_fkey FOREIGN KEY(service_instance_id) REFERENCES service_instance (id) ON DELETE CASCADE,
    CONSTRAINT service_instance_component_instance_id_fkey FOREIGN KEY(instance_id) REFERENCES component_instance (id) ON DELETE CASCADE
);

CREATE INDEX ix_service_instance_component_instance_id ON service_instance_component (instance_id);

CREATE TABLE approval (
    id SERIAL NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    requester_id TEXT COLLATE "C" NOT NULL,
    principal_id TEXT COLLATE "C" NOT NULL,
    decision TEXT COLLATE "C" NOT NULL,
    comment TEXT COLLATE "C",
    digest TEXT COLLATE "C" NOT NULL,
    void BOOLEAN NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT approval_pkey PRIMARY KEY (id),
    CONSTRAINT approval_request_id_requester_id_fkey FOREIGN KEY(request_id, requester_id) REFERENCES provisioning_request (id, requester_id) ON DELETE CASCADE,
    CONSTRAINT approver_is_not_requester CHECK (principal_id <> requester_id),
    CONSTRAINT decision_known CHECK (decision in ('APPROVED', 'REJECTED')),
    CONSTRAINT approval_principal_id_fkey FOREIGN KEY(principal_id) REFERENCES principal (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX approval_once ON approval (request_id, principal_id) WHERE not void;

CREATE INDEX ix_approval_principal_id ON approval (principal_id);

CREATE INDEX ix_approval_request_id ON approval (request_id);

CREATE TABLE policy_evaluation (
    id TEXT COLLATE "C" NOT NULL,
    tenant_id TEXT COLLATE "C" NOT NULL,
    policy_id TEXT COLLATE "C" NOT NULL,
    point TEXT COLLATE "C" NOT NULL,
    passed BOOLEAN NOT NULL,
    message TEXT COLLATE "C",
    instance_id TEXT COLLATE "C",
    request_id TEXT COLLATE "C",
    input_digest TEXT COLLATE "C" NOT NULL,
    bundle_digest TEXT COLLATE "C" NOT NULL,
    milliseconds DOUBLE PRECISION NOT NULL,
    evaluated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT policy_evaluation_pkey PRIMARY KEY (id),
    CONSTRAINT point_known CHECK (point in ('REQUEST', 'PLAN', 'APPROVAL', 'APPLY', 'INDEX')),
    CONSTRAINT policy_evaluation_tenant_id_fkey FOREIGN KEY(tenant_id) REFERENCES tenant (id) ON DELETE CASCADE,
    CONSTRAINT policy_evaluation_policy_id_fkey FOREIGN KEY(policy_id) REFERENCES policy (id) ON DELETE CASCADE,
    CONSTRAINT policy_evaluation_instance_id_fkey FOREIGN KEY(instance_id) REFERENCES component_instance (id) ON DELETE CASCADE,
    CONSTRAINT policy_evaluation_request_id_fkey FOREIGN KEY(request_id) REFERENCES provisioning_request (id) ON DELETE CASCADE,
    CONSTRAINT policy_evaluation_input_digest_fkey FOREIGN KEY(input_digest) REFERENCES policy_input (digest),
    CONSTRAINT policy_evaluation_bundle_digest_fkey FOREIGN KEY(bundle_digest) REFERENCES policy_bundle (digest)
);

CREATE INDEX ix_policy_evaluation_bundle_digest ON policy_evaluation (bundle_digest);

CREATE INDEX ix_policy_evaluation_input_digest ON policy_evaluation (input_digest);

CREATE INDEX ix_policy_evaluation_instance_id ON policy_evaluation (instance_id);

CREATE INDEX ix_policy_evaluation_policy_id ON policy_evaluation (policy_id);

CREATE INDEX ix_policy_evaluation_request_id ON policy_evaluation (request_id);

CREATE INDEX ix_policy_evaluation_tenant_id ON policy_evaluation (tenant_id);

CREATE INDEX policy_evaluation_latest ON policy_evaluation (evaluated_at, id);

CREATE TABLE request_event (
    request_id TEXT COLLATE "C" NOT NULL,
    sequence INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER,
    CONSTRAINT request_event_pkey PRIMARY KEY (request_id, sequence),
    CONSTRAINT kind_known CHECK (kind in ('STATE', 'STEP', 'LOG', 'APPROVAL')),
    CONSTRAINT request_event_request_id_fkey FOREIGN KEY(request_id) REFERENCES provisioning_request (id) ON DELETE CASCADE
);

CREATE TABLE request_step (
    request_id TEXT COLLATE "C" NOT NULL,
    ordinal INTEGER NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C",
    options JSONB NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempt INTEGER NOT NULL,
    intent JSONB,
    started_at TIMESTAMP WITH TIME ZONE,
    finished_at TIMESTAMP WITH TIME ZONE,
    summary TEXT COLLATE "C",
    result JSONB,
    error TEXT COLLATE "C",
    hint TEXT COLLATE "C",
    CONSTRAINT request_step_pkey PRIMARY KEY (request_id, ordinal),
    CONSTRAINT kind_known CHECK (kind in ('COST_ANALYSIS', 'POLICY_CHECK', 'PLAN', 'APPROVAL_GATE', 'PROVISION', 'DEPLOY', 'REGISTER', 'NOTIFY', 'ATMOS', 'SHELL')),
    CONSTRAINT state_known CHECK (state in ('PENDING', 'RUNNING', 'WAITING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED', 'UNKNOWN')),
    CONSTRAINT request_step_request_id_fkey FOREIGN KEY(request_id) REFERENCES provisioning_request (id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX request_step_running ON request_step (request_id) WHERE state = 'RUNNING';

CREATE TABLE step_log (
    request_id TEXT COLLATE "C" NOT NULL,
    sequence INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    stream TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    CONSTRAINT step_log_pkey PRIMARY KEY (request_id, sequence),
    CONSTRAINT stream_known CHECK (stream in ('STDOUT', 'STDERR', 'SYSTEM')),
    CONSTRAINT step_log_request_id_fkey FOREIGN KEY(request_id) REFERENCES provisioning_request (id) ON DELETE CASCADE
);

CREATE INDEX step_log_of_step ON step_log (request_id, ordinal, sequence);
