-- Second factors, who tried to come in, and how often anyone may try.
create table totp (
    user_id uuid primary key references users,
    -- Encrypted.
    secret text not null,
    -- Null while it is being set up.
    confirmed_at timestamptz,
    -- The newest time step used: none is accepted twice.
    last_step bigint not null default 0,
    created_at timestamptz not null
);
grant select, insert, update, delete on totp to lessonbook_platform;

-- 120 random bits each, so a plain hash is enough.
create table backup_codes (
    user_id uuid not null references users,
    code_hash bytea not null check (octet_length(code_hash) = 32),
    used_at timestamptz,
    primary key (user_id, code_hash)
);
grant select, insert, update, delete on backup_codes to lessonbook_platform;

-- Whether an account has a second factor is asked at each request; the secret is not.
create function has_code(account uuid) returns boolean language sql stable security definer set search_path = public, pg_temp
    return exists (select from totp t where t.user_id = account and t.confirmed_at is not null);
revoke execute on function has_code from public;
grant execute on function has_code to lessonbook_program, lessonbook_platform;

create table login_attempts (
    id uuid primary key,
    -- Null when no account has what was typed; what was typed isn't kept, for it may be a password in the wrong field.
    user_id uuid references users,
    at timestamptz not null,
    ok boolean not null,
    -- password, code, unknown, unverified, disabled, throttled; how it went in when ok: password, link, code, backup code.
    reason text not null,
    ip text not null,
    device text not null check (char_length(device) <= 100)
);
create index login_attempts_by_user on login_attempts (user_id, at);
create index login_attempts_by_time on login_attempts (at);
grant select, insert, delete on login_attempts to lessonbook_platform;

-- Failures by account (or by what was typed, for accounts that don't exist), for the growing delay (AC-14).
create table throttles (
    key bytea primary key check (octet_length(key) = 32),
    failures int not null,
    last_at timestamptz not null,
    blocked_until timestamptz not null
);
grant select, insert, update, delete on throttles to lessonbook_platform;

-- Requests by key and window, shared by all instances (SE-01). Losing it in a crash costs nothing, so it isn't logged.
create unlogged table rate_limits (
    key text not null,
    window_start timestamptz not null,
    requests int not null,
    primary key (key, window_start)
);
create index rate_limits_by_age on rate_limits (window_start);
grant select, insert, update, delete on rate_limits to lessonbook_program, lessonbook_platform;

-- Keys that encrypt fields, themselves encrypted by the master key (PR-02).
create table encryption_keys (
    id text primary key check (id ~ '^[0-9a-z]{8}$'),
    purpose text not null check (purpose in ('data', 'index')),
    wrapped text not null,
    -- Used for writing from then on; readers have heard of it by then.
    active_from timestamptz not null,
    created_at timestamptz not null
);
create unique index encryption_keys_one_index on encryption_keys (purpose) where purpose = 'index';
grant select on encryption_keys to lessonbook_program, lessonbook_platform;
grant insert, update on encryption_keys to lessonbook_platform;

-- What an instructor says of themselves when they register (AC-07).
create table profiles (
    user_id uuid primary key references users,
    -- Encrypted.
    id_number text,
    address text not null default '' check (char_length(address) <= 300),
    suburb text not null default '' check (char_length(suburb) <= 100),
    city text not null default '' check (char_length(city) <= 100),
    province text not null default '' check (char_length(province) <= 100),
    pickup text not null default '' check (char_length(pickup) <= 300),
    pickup_lat double precision check (pickup_lat between -90 and 90),
    pickup_lon double precision check (pickup_lon between -180 and 180),
    updated_at timestamptz not null,
    check ((pickup_lat is null) = (pickup_lon is null))
);
alter table profiles enable row level security;
alter table profiles force row level security;
create policy own on profiles to lessonbook_program
    using (user_id = (select current_app_user())) with check (user_id = (select current_app_user()));
create policy same_tenant on profiles for select to lessonbook_program
    using (exists (select from memberships m where m.user_id = profiles.user_id and m.tenant_id = (select current_tenant())));
create policy platform on profiles to lessonbook_platform using (true) with check (true);
grant select, insert, update on profiles to lessonbook_program, lessonbook_platform;
