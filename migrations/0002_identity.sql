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
    -- What a restored school goes back to.
    status_before_deletion text check (status_before_deletion in ('active', 'suspended')),
    max_seats int not null default 10 check (max_seats >= 0),
    locale text not null default 'en-GB',
    -- Words that replace the preset's: {"lesson": ..., "student": ..., "instructor": ...}.
    words jsonb not null default '{}',
    -- When the school is open, for its public page: [{"weekday": 1, "start_minute": 540, "end_minute": 1020}].
    opening_hours jsonb not null default '[]',
    accent text check (accent ~ '^#[0-9a-f]{6}$'),
    -- Whether people may join by themselves: students at once, instructors after verification.
    open_registration boolean not null default true,
    -- Whether owners and staff need a second factor (AC-10).
    require_code boolean not null default false,
    -- Terms that a new service starts with.
    default_notice_min int not null default 120 check (default_notice_min between 0 and 525600),
    default_cancel_notice_min int not null default 1440 check (default_cancel_notice_min between 0 and 525600),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check ((status = 'deleted') = (status_before_deletion is not null))
);
create index tenants_by_name on tenants (lower(name), id);
-- A school's name and state are public; its rows are not. What an owner may set is set in the own school only.
alter table tenants enable row level security;
alter table tenants force row level security;
create policy anyone on tenants for select to lessonbook_program using (true);
create policy own on tenants for update to lessonbook_program
    using (id = (select current_tenant())) with check (id = (select current_tenant()));
create policy platform on tenants to lessonbook_platform using (true) with check (true);
grant select, update (name, zone, locale, currency, words, opening_hours, accent, open_registration, require_code,
    default_notice_min, default_cancel_notice_min, updated_at) on tenants to lessonbook_program;
grant select, insert, update on tenants to lessonbook_platform;

create table users (
    id uuid primary key,
    email text not null check (char_length(email) <= 320 and email = lower(email)),
    -- Not null once the address is known to be theirs; until then the account can't log in (AC-08).
    email_verified_at timestamptz,
    -- Encrypted ("v1." and a key id; see domain::vault), or plain from older data. Found by its blind index.
    phone text check (phone ~ '^(\+[0-9]{10,15}|v1\.[!-~]+)$'),
    phone_index bytea,
    name text not null check (char_length(name) between 1 and 100),
    password_hash text,
    -- What was asked for at registration, done once the address is verified: {"school": slug, "teaches": true}.
    wish jsonb,
    super_admin boolean not null default false,
    -- A super-admin of the demo, whose password is public anyway; written by the demo's seed alone.
    code_exempt boolean not null default false,
    status text not null default 'active' check (status in ('active', 'disabled')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz
);
create unique index users_email on users (email) where deleted_at is null;
-- Not unique: "this number is taken" would tell that an account exists. Of several none logs in by it.
create index users_phone on users (phone_index) where deleted_at is null and phone_index is not null;
create index users_plain_phone on users (phone) where phone like '+%';
create index users_by_name on users (lower(name), id);

create table memberships (
    tenant_id uuid not null references tenants,
    user_id uuid not null references users,
    role text not null check (role in ('owner', 'staff', 'instructor', 'student')),
    -- The instructor or student record this member acts as.
    person_id uuid,
    -- pending: applied to teach, waits for the school; disabled: with its deleted school; revoked: removed.
    status text not null default 'active' check (status in ('pending', 'active', 'disabled', 'revoked')),
    -- What ended it, so that undoing that brings back exactly this.
    disabled_by_tenant boolean not null default false,
    revoked_with_user boolean not null default false,
    -- Revoked without ever having been in: the application was refused, or went with its account.
    turned_down boolean not null default false,
    -- What an owner gave or took beyond the role: {"data.export": true} (AC-20).
    permissions jsonb not null default '{}',
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (tenant_id, user_id),
    check (disabled_by_tenant = (status = 'disabled')),
    check (not revoked_with_user or status = 'revoked'),
    check (not turned_down or status = 'revoked'),
    check ((role in ('instructor', 'student')) = (person_id is not null))
);
create index memberships_by_user on memberships (user_id);
create index memberships_by_person on memberships (tenant_id, person_id) where person_id is not null;
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
grant select, update (name, password_hash, phone, phone_index, updated_at) on users to lessonbook_program;
grant select, insert, update on users to lessonbook_platform;

-- Instructors whose account is gone from the school or can't be used: nobody is shown or books them. Who has no account is
-- the school's own affair, and so is a record that someone applied to be.
create view absent_instructors with (security_invoker = true) as
    select m.tenant_id, m.person_id
    from memberships m join users u on u.id = m.user_id
    where m.role = 'instructor' and m.status <> 'pending' and not m.turned_down
    group by m.tenant_id, m.person_id
    having not bool_or(m.status = 'active' and u.status = 'active' and u.deleted_at is null);
grant select on absent_instructors to lessonbook_program, lessonbook_platform;

-- Only the SHA-256 of a token is kept: who reads this table can't become anyone.
create table sessions (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    -- What it is called in the list of sessions; useless as a token.
    id uuid not null unique default gen_random_uuid(),
    user_id uuid references users,
    -- The super-admin who acts as the user (TN-12).
    impersonator_id uuid references users,
    ip text not null default '',
    device text not null default '' check (char_length(device) <= 100),
    -- Of session_epochs, when it was begun.
    epoch int,
    data jsonb not null,
    idle_seconds int not null check (idle_seconds > 0),
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null
);
create index sessions_by_user on sessions (user_id);
create index sessions_by_impersonator on sessions (impersonator_id) where impersonator_id is not null;
create index sessions_by_expiry on sessions (expires_at);
grant select, insert, update, delete on sessions to lessonbook_program, lessonbook_platform;

-- Goes up whenever an account's sessions are ended. Whoever begins a session says which number they saw when they proved
-- who they are: a login that was under way meanwhile comes too late.
create table session_epochs (
    user_id uuid primary key references users,
    epoch int not null default 0
);
grant select, insert, update on session_epochs to lessonbook_program, lessonbook_platform;

-- One-time links: to verify an address, set or reset a password, log in, open a lock, change one's address. The hash
-- again, never the token.
create table one_time_links (
    token_hash bytea primary key check (octet_length(token_hash) = 32),
    kind text not null check (kind in ('first_password', 'verify', 'reset', 'magic', 'unlock', 'email')),
    user_id uuid not null references users,
    -- The new address, for `email`.
    email text check (char_length(email) <= 320 and email = lower(email)),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    check ((kind = 'email') = (email is not null))
);
create index one_time_links_by_user on one_time_links (user_id, kind, created_at);
grant select, insert, update, delete on one_time_links to lessonbook_platform;
