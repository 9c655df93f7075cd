-- What is taught, by whom and when.
create table services (
    tenant_id uuid not null references tenants,
    id uuid not null,
    name text not null check (char_length(name) between 1 and 100),
    description text not null default '' check (char_length(description) <= 10000),
    duration_min int not null check (duration_min between 5 and 1440),
    price_minor bigint not null check (price_minor between 0 and 100000000000),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    buffer_before_min int not null default 0 check (buffer_before_min between 0 and 480),
    buffer_after_min int not null default 0 check (buffer_after_min between 0 and 480),
    -- How long before its start a lesson can still be booked, and how far ahead.
    notice_min int not null default 120 check (notice_min between 0 and 525600),
    horizon_days int not null default 60 check (horizon_days between 1 and 730),
    -- How long before its start a lesson can still be cancelled without losing it.
    cancel_notice_min int not null default 1440 check (cancel_notice_min between 0 and 525600),
    needs_pickup boolean not null default false,
    needs_approval boolean not null default false,
    status text not null default 'active' check (status in ('active', 'archived')),
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index services_name on services (tenant_id, lower(name)) where status = 'active';
call protect_tenant_table('services');
grant select, insert, update on services to lessonbook_program, lessonbook_platform;

create table service_instructors (
    tenant_id uuid not null references tenants,
    service_id uuid not null,
    instructor_id uuid not null,
    primary key (tenant_id, service_id, instructor_id),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, instructor_id) references instructors
);
create index service_instructors_by_instructor on service_instructors (tenant_id, instructor_id);
call protect_tenant_table('service_instructors');
grant select, insert, delete on service_instructors to lessonbook_program, lessonbook_platform;

-- Wall-clock hours in the school's zone, minutes from midnight; weekday 1 is Monday.
create table weekly_hours (
    tenant_id uuid not null references tenants,
    instructor_id uuid not null,
    weekday smallint not null check (weekday between 1 and 7),
    start_minute smallint not null check (start_minute between 0 and 1439),
    end_minute smallint not null check (end_minute between 1 and 1440),
    primary key (tenant_id, instructor_id, weekday, start_minute),
    check (start_minute < end_minute),
    foreign key (tenant_id, instructor_id) references instructors,
    constraint weekly_hours_overlap exclude using gist (
        tenant_id with =, instructor_id with =, weekday with =, int4range(start_minute, end_minute) with &&)
);
call protect_tenant_table('weekly_hours');
grant select, insert, delete on weekly_hours to lessonbook_program, lessonbook_platform;

create table blocked_times (
    tenant_id uuid not null references tenants,
    id uuid not null,
    instructor_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    reason text not null default '' check (char_length(reason) <= 200),
    primary key (tenant_id, id),
    check (starts_at < ends_at),
    foreign key (tenant_id, instructor_id) references instructors
);
create index blocked_times_by_instructor on blocked_times (tenant_id, instructor_id, ends_at);
call protect_tenant_table('blocked_times');
grant select, insert, delete on blocked_times to lessonbook_program, lessonbook_platform;
