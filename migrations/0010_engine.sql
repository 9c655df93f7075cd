-- The engine in depth: what a time depends on. Columns are added with defaults, so that the version before goes on
-- writing rows while this runs.

-- Terms and shape of a service.
alter table services
    add column kind text not null default 'single' check (kind in ('single', 'combo')),
    -- Seats; more than one makes it a group lesson.
    add column capacity int not null default 1 check (capacity between 1 and 500),
    add column colour text check (colour ~ '^#[0-9a-f]{6}$'),
    -- How long before its start a student may still move a lesson, and how often; null is as often as they like.
    add column move_notice_min int not null default 1440 check (move_notice_min between 0 and 525600),
    add column max_moves int check (max_moves between 0 and 100),
    -- What cancelling too late costs: of the price, or, when it isn't 0, the prepaid lesson.
    add column late_fee_percent int not null default 100 check (late_fee_percent between 0 and 100),
    -- Only for students with a prepaid lesson left.
    add column needs_credit boolean not null default false;
-- Row-level security is forced on the owner too, who is no superuser everywhere: without this nothing would be changed.
alter table services no force row level security;
update services set move_notice_min = cancel_notice_min;
alter table services force row level security;

-- A combo is a service made of others, one after the other.
create table combo_parts (
    tenant_id uuid not null references tenants,
    combo_id uuid not null,
    place smallint not null check (place between 1 and 20),
    service_id uuid not null,
    primary key (tenant_id, combo_id, place),
    check (combo_id <> service_id),
    foreign key (tenant_id, combo_id) references services,
    foreign key (tenant_id, service_id) references services
);
create index combo_parts_by_service on combo_parts (tenant_id, service_id);
call protect_tenant_table('combo_parts');
grant select, insert, delete on combo_parts to lessonbook_program, lessonbook_platform;

-- Rooms, cars, chairs. Each unit is a subject of claims.
create table resources (
    tenant_id uuid not null references tenants,
    id uuid not null,
    name text not null check (char_length(name) between 1 and 100),
    kind text not null check (kind in ('room', 'car', 'chair', 'other')),
    status text not null default 'active' check (status in ('active', 'archived')),
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
create unique index resources_name on resources (tenant_id, lower(name)) where status = 'active';
call protect_tenant_table('resources');
grant select, insert, update on resources to lessonbook_program, lessonbook_platform;

create table resource_units (
    tenant_id uuid not null references tenants,
    id uuid not null,
    resource_id uuid not null,
    place smallint not null check (place between 1 and 50),
    active boolean not null default true,
    primary key (tenant_id, id),
    constraint resource_units_place unique (tenant_id, resource_id, place),
    foreign key (tenant_id, resource_id) references resources
);
call protect_tenant_table('resource_units');
grant select, insert, update on resource_units to lessonbook_program, lessonbook_platform;

create table service_resources (
    tenant_id uuid not null references tenants,
    service_id uuid not null,
    resource_id uuid not null,
    units smallint not null check (units between 1 and 50),
    primary key (tenant_id, service_id, resource_id),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, resource_id) references resources
);
create index service_resources_by_resource on service_resources (tenant_id, resource_id);
call protect_tenant_table('service_resources');
grant select, insert, delete on service_resources to lessonbook_program, lessonbook_platform;

-- How an instructor may be booked. Travel is what lies between two lessons at different places.
alter table instructors
    add column travel_min int not null default 0 check (travel_min between 0 and 240),
    add column max_per_day int check (max_per_day between 1 and 100),
    add column max_per_week int check (max_per_week between 1 and 500),
    -- Who has twice the weight gets twice the lessons when any instructor will do.
    add column weight int not null default 1 check (weight between 1 and 10);

-- The hours of one day in place of the weekly ones; none of them is a day off. Minutes from local midnight.
create table hour_exceptions (
    tenant_id uuid not null references tenants,
    instructor_id uuid not null,
    day date not null,
    starts smallint[] not null,
    ends smallint[] not null,
    reason text not null default '' check (char_length(reason) <= 200),
    primary key (tenant_id, instructor_id, day),
    check (cardinality(starts) = cardinality(ends) and cardinality(starts) <= 12),
    check (0 <= all (starts) and 1440 >= all (ends)),
    foreign key (tenant_id, instructor_id) references instructors
);
call protect_tenant_table('hour_exceptions');
grant select, insert, update, delete on hour_exceptions to lessonbook_program, lessonbook_platform;

-- Days on which the school is closed; an instructor's exception for the day goes before.
create table holidays (
    tenant_id uuid not null references tenants,
    day date not null,
    name text not null check (char_length(name) between 1 and 100),
    primary key (tenant_id, day)
);
call protect_tenant_table('holidays');
grant select, insert, update, delete on holidays to lessonbook_program, lessonbook_platform;

alter table tenants
    add column student_max_per_day int check (student_max_per_day between 1 and 100),
    add column student_max_per_week int check (student_max_per_week between 1 and 500),
    -- How long an offer from the waiting list is held.
    add column offer_min int not null default 120 check (offer_min between 5 and 2880),
    -- Minutes before a lesson at which its student is reminded.
    add column reminder_offsets int[] not null default '{1440,120}'
        check (cardinality(reminder_offsets) <= 5 and 15 <= all (reminder_offsets) and 20160 >= all (reminder_offsets)),
    -- Between these wall-clock minutes nobody is reminded; the same twice is never quiet.
    add column quiet_from smallint not null default 1320 check (quiet_from between 0 and 1439),
    add column quiet_to smallint not null default 360 check (quiet_to between 0 and 1439);
grant update (student_max_per_day, student_max_per_week, offer_min, reminder_offsets, quiet_from, quiet_to) on tenants
    to lessonbook_program;

-- One lesson for several: it takes the instructor and the resources once, and each of its bookings a seat.
create table group_lessons (
    tenant_id uuid not null references tenants,
    id uuid not null,
    service_id uuid not null,
    instructor_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    capacity int not null check (capacity between 1 and 500),
    -- Kept by triggers on bookings and holds.
    taken int not null default 0,
    -- Planned by the school: it stays when nobody is left in it.
    kept boolean not null default false,
    cancelled_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check (starts_at < ends_at),
    constraint group_lessons_full check (taken between 0 and capacity),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, instructor_id) references instructors
);
create unique index group_lessons_once on group_lessons (tenant_id, instructor_id, starts_at) where cancelled_at is null;
create index group_lessons_by_start on group_lessons (tenant_id, starts_at);
call protect_tenant_table('group_lessons');
grant select, insert, update on group_lessons to lessonbook_program, lessonbook_platform;

-- Lessons that were booked together and come again and again by the wall clock.
create table series (
    tenant_id uuid not null references tenants,
    id uuid not null,
    every text not null check (every in ('weekly', 'fortnightly', 'monthly')),
    created_by uuid references users,
    created_at timestamptz not null,
    primary key (tenant_id, id)
);
call protect_tenant_table('series');
grant select, insert on series to lessonbook_program, lessonbook_platform;

alter table bookings
    add column group_id uuid,
    add column series_id uuid,
    -- 1 is the first of its series.
    add column series_place int check (series_place >= 1),
    -- Further services of the same appointment, and what all of it is called; empty and null for a single one.
    add column also_services uuid[] not null default '{}' check (cardinality(also_services) <= 19),
    add column title text check (char_length(title) <= 2100),
    -- The terms in force when it was booked, beside cancel_notice_min.
    add column move_notice_min int not null default 1440 check (move_notice_min >= 0),
    add column max_moves int check (max_moves >= 0),
    add column late_fee_percent int not null default 100 check (late_fee_percent between 0 and 100),
    -- How often its student has moved it, and when it last was moved by anyone.
    add column moves int not null default 0 check (moves >= 0),
    add column moved_at timestamptz,
    -- What a late cancellation costs.
    add column fee_minor bigint check (fee_minor >= 0),
    add column attendance text check (attendance in ('present', 'late', 'absent', 'no_show')),
    -- What the instructor keeps about it; encrypted.
    add column lesson_note text,
    add constraint bookings_group foreign key (tenant_id, group_id) references group_lessons,
    add constraint bookings_series foreign key (tenant_id, series_id) references series,
    add constraint bookings_in_series check ((series_id is null) = (series_place is null));
-- Lessons that are booked keep the terms they were booked on: what could be cancelled could be asked to be moved.
alter table bookings no force row level security;
update bookings set move_notice_min = cancel_notice_min where starts_at > now();
create index bookings_by_group on bookings (tenant_id, group_id) where group_id is not null;
create unique index bookings_by_series on bookings (tenant_id, series_id, series_place) where series_id is not null;
create index bookings_requested on bookings (tenant_id, starts_at) where status = 'requested';

-- Time kept for someone for a while: during checkout, or as an offer from the waiting list.
create table holds (
    tenant_id uuid not null references tenants,
    id uuid not null,
    kind text not null check (kind in ('checkout', 'offer')),
    service_id uuid not null,
    also_services uuid[] not null default '{}',
    instructor_id uuid not null,
    student_id uuid not null,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    group_id uuid,
    state text not null default 'active' check (state in ('active', 'used', 'released', 'expired')),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check (starts_at < ends_at),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, instructor_id) references instructors,
    foreign key (tenant_id, student_id) references students,
    foreign key (tenant_id, group_id) references group_lessons
);
create unique index holds_one_checkout on holds (tenant_id, student_id) where kind = 'checkout' and state = 'active';
create index holds_due on holds (tenant_id, expires_at) where state = 'active';
create index holds_by_group on holds (tenant_id, group_id) where group_id is not null and state = 'active';
call protect_tenant_table('holds');
grant select, insert, update on holds to lessonbook_program, lessonbook_platform;

create function count_seats() returns trigger language plpgsql as $$
declare
    seat_before uuid;
    seat_after uuid;
begin
    if tg_table_name = 'bookings' then
        if tg_op = 'UPDATE' and old.status <> 'cancelled' then seat_before := old.group_id; end if;
        if new.status <> 'cancelled' then seat_after := new.group_id; end if;
    else
        if tg_op = 'UPDATE' and old.state = 'active' then seat_before := old.group_id; end if;
        if new.state = 'active' then seat_after := new.group_id; end if;
    end if;
    if seat_before is distinct from seat_after then
        update group_lessons set taken = taken - 1 where tenant_id = new.tenant_id and id = seat_before;
        update group_lessons set taken = taken + 1 where tenant_id = new.tenant_id and id = seat_after;
    end if;
    return null;
end $$;
-- Most lessons have no group: the trigger isn't even called for them.
create trigger bookings_seats_new after insert on bookings
    for each row when (new.group_id is not null) execute function count_seats();
create trigger bookings_seats after update of status, group_id on bookings
    for each row when (old.group_id is not null or new.group_id is not null) execute function count_seats();
create trigger holds_seats_new after insert on holds
    for each row when (new.group_id is not null) execute function count_seats();
create trigger holds_seats after update of state, group_id on holds
    for each row when (old.group_id is not null or new.group_id is not null) execute function count_seats();

-- A claim is a booking's, a group lesson's or a hold's, and of an instructor, a student or a unit of a resource.
alter table claims
    alter column booking_id drop not null,
    add column group_id uuid,
    add column hold_id uuid,
    -- When its hold ends: from then on it counts for nothing, and whoever wants the time may end it.
    add column held_until timestamptz,
    -- When the lesson itself begins: limits per day count it there. Null in rows of the version before.
    add column lesson_at timestamptz,
    -- Where it takes place, as travel compares it; empty for nowhere in particular.
    add column place text not null default '' check (char_length(place) <= 300),
    drop constraint claims_subject_kind_check,
    add constraint claims_subject_kind check (subject_kind in ('instructor', 'student', 'resource')),
    add constraint claims_owner check (num_nonnulls(booking_id, group_id, hold_id) = 1),
    add constraint claims_held check ((hold_id is null) = (held_until is null)),
    add constraint claims_group foreign key (tenant_id, group_id) references group_lessons,
    add constraint claims_hold foreign key (tenant_id, hold_id) references holds;
-- Lessons to come count where they begin, and travel knows where they are.
alter table claims no force row level security;
alter table services no force row level security;
update claims c
set lesson_at = b.starts_at,
    place = case when s.needs_pickup and c.subject_kind = 'instructor'
                 then left(lower(regexp_replace(btrim(b.pickup), '\s+', ' ', 'g')), 300) else '' end
from bookings b join services s on s.tenant_id = b.tenant_id and s.id = b.service_id
where c.active and c.ends_at > now() and b.tenant_id = c.tenant_id and b.id = c.booking_id;
alter table claims force row level security;
alter table services force row level security;
alter table bookings force row level security;
create index claims_by_group on claims (tenant_id, group_id) where group_id is not null;
create index claims_by_hold on claims (tenant_id, hold_id) where hold_id is not null;

-- Who would like a time that isn't free. An entry that is due is looked at by the worker: when what it waits for is
-- free, it is held for its student.
create table waiting_list (
    tenant_id uuid not null references tenants,
    id uuid not null,
    service_id uuid not null,
    -- Null for any.
    instructor_id uuid,
    student_id uuid not null,
    -- The lesson must begin in here.
    from_at timestamptz not null,
    to_at timestamptz not null,
    pickup text not null default '' check (char_length(pickup) <= 300),
    note text not null default '' check (char_length(note) <= 10000),
    state text not null default 'waiting' check (state in ('waiting', 'offered', 'accepted', 'left', 'expired')),
    hold_id uuid,
    -- When to look whether it can be offered; null for not before something is freed.
    check_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check (from_at < to_at),
    check ((state = 'offered') <= (hold_id is not null)),
    foreign key (tenant_id, service_id) references services,
    foreign key (tenant_id, instructor_id) references instructors,
    foreign key (tenant_id, student_id) references students,
    foreign key (tenant_id, hold_id) references holds
);
create unique index waiting_list_once on waiting_list (tenant_id, student_id, service_id, from_at)
    where state in ('waiting', 'offered');
create index waiting_list_due on waiting_list (tenant_id, check_at) where state = 'waiting';
create index waiting_list_by_time on waiting_list (tenant_id, to_at) where state = 'waiting';
create index waiting_list_by_hold on waiting_list (tenant_id, hold_id) where hold_id is not null;
call protect_tenant_table('waiting_list');
grant select, insert, update on waiting_list to lessonbook_program, lessonbook_platform;

-- What a student has been reminded of. Moving a lesson removes its rows, so that it is said again for the new time.
create table reminders (
    tenant_id uuid not null references tenants,
    booking_id uuid not null,
    kind text not null check (kind in ('lesson')),
    offset_min int not null check (offset_min > 0),
    sent_at timestamptz not null,
    primary key (tenant_id, booking_id, kind, offset_min),
    foreign key (tenant_id, booking_id) references bookings
);
call protect_tenant_table('reminders');
grant select, insert, delete on reminders to lessonbook_program, lessonbook_platform;

-- Calendar feeds: a secret address for a program that reads calendars. What it shows is what its member may see now.
create table feeds (
    tenant_id uuid not null references tenants,
    id uuid not null,
    user_id uuid not null references users,
    -- One's own lessons, or all of the school.
    reach text not null check (reach in ('own', 'school')),
    token_hash bytea not null check (octet_length(token_hash) = 32),
    created_at timestamptz not null,
    last_read_at timestamptz,
    revoked_at timestamptz,
    primary key (tenant_id, id)
);
create unique index feeds_token on feeds (token_hash);
create index feeds_by_user on feeds (tenant_id, user_id);
call protect_tenant_table('feeds');
grant select, insert, update on feeds to lessonbook_program, lessonbook_platform;

-- Tells the programs that listen which school has changed, when the transaction commits (BK-17).
create function announce() returns trigger language plpgsql as $$
begin
    perform pg_notify('lessonbook_changes', c.tenant_id::text) from (select distinct tenant_id from changed) c;
    return null;
end $$;
create trigger bookings_announce_new after insert on bookings referencing new table as changed
    for each statement execute function announce();
create trigger bookings_announce after update on bookings referencing new table as changed
    for each statement execute function announce();
create trigger claims_announce_new after insert on claims referencing new table as changed
    for each statement execute function announce();
create trigger claims_announce after update on claims referencing new table as changed
    for each statement execute function announce();

-- The same for what times depend on, and what pages that follow show beside them. Postgres tells equal news of a transaction
-- once.
create function announce_row() returns trigger language plpgsql as $$
begin
    perform pg_notify('lessonbook_changes', coalesce(new.tenant_id, old.tenant_id)::text);
    return null;
end $$;
create procedure announce_rows(tables text[]) language plpgsql as $$
declare
    name text;
begin
    foreach name in array tables loop
        execute format(
            'create trigger %I after insert or update or delete on %I for each row execute function announce_row()',
            name || '_announce', name);
    end loop;
end $$;
call announce_rows(array[
    'weekly_hours', 'hour_exceptions', 'blocked_times', 'holidays', 'services', 'service_instructors', 'service_resources',
    'resource_units', 'group_lessons', 'packs']);
drop procedure announce_rows;
create trigger waiting_list_announce_new after insert on waiting_list for each row execute function announce_row();
-- Jobs note on it when they looked; that is no news.
create trigger waiting_list_announce after update on waiting_list for each row
    when (old.state is distinct from new.state) execute function announce_row();
