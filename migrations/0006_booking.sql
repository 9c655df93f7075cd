-- Lessons and the time they take.
create table bookings (
    tenant_id uuid not null references tenants,
    id uuid not null,
    service_id uuid not null,
    instructor_id uuid not null,
    student_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    status text not null check (status in ('requested', 'confirmed', 'completed', 'cancelled', 'no_show')),
    note text not null default '' check (char_length(note) <= 10000),
    pickup text not null default '' check (char_length(pickup) <= 300),
    -- The terms in force when it was booked; later changes of the service don't touch them.
    price_minor bigint not null check (price_minor >= 0),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    cancel_notice_min int not null check (cancel_notice_min >= 0),
    pack_id uuid,
    created_by uuid references users,
    created_at timestamptz not null,
    cancelled_by uuid references users,
    cancelled_at timestamptz,
    cancel_reason text check (char_length(cancel_reason) <= 1000),
    primary key (tenant_id, id),
    check (starts_at < ends_at),
    check ((status = 'cancelled') = (cancelled_at is not null)),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, instructor_id) references instructors,
    foreign key (tenant_id, student_id) references students,
    foreign key (tenant_id, pack_id) references packs
);
create index bookings_by_start on bookings (tenant_id, starts_at, id);
create index bookings_by_instructor on bookings (tenant_id, instructor_id, starts_at);
create index bookings_by_student on bookings (tenant_id, student_id, starts_at);
call protect_tenant_table('bookings');
grant select, insert, update on bookings to lessonbook_program, lessonbook_platform;

create function check_booking_status() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        -- History (imports, demo data) may be written as it ended.
        return new;
    end if;
    if new.status <> old.status and (old.status, new.status) not in (
        ('requested', 'confirmed'), ('requested', 'cancelled'),
        ('confirmed', 'completed'), ('confirmed', 'cancelled'), ('confirmed', 'no_show')
    ) then
        raise exception using errcode = 'check_violation', constraint = 'bookings_status_flow',
            message = format('a lesson cannot go from %s to %s', old.status, new.status);
    end if;
    return new;
end $$;
create trigger bookings_status_flow before insert or update of status on bookings
    for each row execute function check_booking_status();

-- A stretch of time that one subject is taken. No two active claims of a subject overlap: the one rule that all
-- booking rests on. Buffers are part of the instructor's claim.
create table claims (
    tenant_id uuid not null references tenants,
    id uuid not null,
    subject_kind text not null check (subject_kind in ('instructor', 'student')),
    subject_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    booking_id uuid not null,
    active boolean not null default true,
    primary key (tenant_id, id),
    check (starts_at < ends_at),
    foreign key (tenant_id, booking_id) references bookings,
    constraint claims_no_overlap exclude using gist (
        tenant_id with =, subject_id with =, tstzrange(starts_at, ends_at) with &&) where (active)
);
create index claims_by_subject on claims (tenant_id, subject_id, ends_at) where active;
create index claims_by_booking on claims (tenant_id, booking_id);
call protect_tenant_table('claims');
grant select, insert, update on claims to lessonbook_program, lessonbook_platform;

-- What a create answered, so that the same request asked twice does one thing.
create table idempotency_keys (
    tenant_id uuid not null references tenants,
    key text not null check (char_length(key) between 1 and 200),
    request_hash bytea not null,
    booking_id uuid not null,
    created_at timestamptz not null,
    primary key (tenant_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (tenant_id, created_at);
call protect_tenant_table('idempotency_keys');
grant select, insert, delete on idempotency_keys to lessonbook_program, lessonbook_platform;
