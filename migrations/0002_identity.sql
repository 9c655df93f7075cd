-- Schools, accounts, sessions and who belongs where.
create table tenants (
    id uuid primary key,
    slug text not null unique check (slug ~ '^[a-z0-9](-?[a-z0-9]){1,39}$'),
    name text not null check (char_length(name) between 1 and 100),
    preset text not null check (preset in ('driving_school', 'mentorship', 'clinic', 'salon', 'academy')),
    zone text not null,
    currency text not null default 'EUR' check (currency ~ '^[A-Z]{3}$'),
    status text not null default 'active' check (status in ('active', 'suspended', 'deleted')),
    status_reason text,
    max_seats int not null default 10 check (max_seats >= 0),
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index tenants_by_name on tenants (lower(name), id);
-- A school's name and state are public; its rows are not.
grant select on tenants to lessonbook_program;
grant select, insert, update on tenants to lessonbook_platform;

create table users (
    id uuid primary key,
    email text not null check (char_length(email) <= 320 and email = lower(email)),
    phone text check (phone ~ '^\+[0-9]{10,15}$'),
    name text not null check (char_length(name) between 1 and 100),
    password_hash text,
    super_admin boolean not null default false,
    status text not null default 'active' check (status in ('active', 'disabled')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz
);
create unique index users_email on users (email) where deleted_at is null;
create unique index users_phone on users (phone) where deleted_at is null and phone is not null;
create index users_by_name on users (lower(name), id);

create table memberships (
    tenant_id uuid not null references tenants,
    user_id uuid not null references users,
    role text not null check (role in ('owner', 'staff', 'instructor', 'student')),
    -- The instructor or student record this member acts as.
    person_id uuid,
    status text not null default 'active' check (status in ('active', 'revoked')),
    created_at timestamptz not null,
    primary key (tenant_id, user_id),
    check ((role in ('instructor', 'student')) = (person_id is not null))
);
create index memberships_by_user on memberships (user_id);
call protect_tenant_table('memberships');
-- A user sees in which schools they are, before one is chosen.
create policy own on memberships for select to lessonbook_program using (user_id = (select current_app_user()));
grant select, insert, update on memberships to lessonbook_program, lessonbook_platform;

alter table users enable row level security;
alter table users force row level security;
create policy own on users to lessonbook_program
    using (id = (select current_app_user())) with check (id = (select current_app_user()));
create policy same_tenant on users for select to lessonbook_program
    using (exists (select from memberships m where m.user_id = users.id and m.tenant_id = (select current_tenant())));
create policy platform on users to lessonbook_platform using (true) with check (true);
grant select, update (name, password_hash, updated_at) on users to lessonbook_program;
grant select, insert, update on users to lessonbook_platform;

-- Only the SHA-256 of a token is kept: who reads this table can't become anyone.
create table sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid references users,
    data jsonb not null,
    idle_seconds int not null check (idle_seconds > 0),
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_expiry on sessions (expires_at);
grant select, insert, update, delete on sessions to lessonbook_program, lessonbook_platform;

-- One-time links to set a first password. The hash again, never the token.
create table password_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    user_id uuid not null references users,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
grant select, insert, update on password_links to lessonbook_platform;
