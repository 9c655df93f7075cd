-- Instructors and students are records of a school; an account may stand behind one (memberships.person_id).
create table instructors (
    tenant_id uuid not null references tenants,
    id uuid not null,
    name text not null check (char_length(name) between 1 and 100),
    email text check (char_length(email) <= 320 and email = lower(email)),
    -- Encrypted, as in users.
    phone text check (phone ~ '^(\+[0-9]{10,15}|v1\.[!-~]+)$'),
    phone_index bytea,
    city text not null default '' check (char_length(city) <= 100),
    bio text not null default '' check (char_length(bio) <= 10000),
    verification text not null default 'pending' check (verification in ('pending', 'verified', 'rejected')),
    seats int not null default 20 check (seats >= 0),
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant_id, id)
);
create unique index instructors_email on instructors (tenant_id, email) where deleted_at is null and email is not null;
create index instructors_by_name on instructors (tenant_id, lower(name), id) where deleted_at is null;
create index instructors_by_city on instructors (tenant_id, lower(city)) where deleted_at is null;
call protect_tenant_table('instructors');
grant select, insert, update on instructors to lessonbook_program, lessonbook_platform;

create table students (
    tenant_id uuid not null references tenants,
    id uuid not null,
    name text not null check (char_length(name) between 1 and 100),
    email text check (char_length(email) <= 320 and email = lower(email)),
    -- Encrypted, as in users.
    phone text check (phone ~ '^(\+[0-9]{10,15}|v1\.[!-~]+)$'),
    phone_index bytea,
    city text not null default '' check (char_length(city) <= 100),
    created_at timestamptz not null,
    deleted_at timestamptz,
    primary key (tenant_id, id)
);
create unique index students_email on students (tenant_id, email) where deleted_at is null and email is not null;
create index students_by_phone on students (tenant_id, phone_index) where phone_index is not null;
create index students_by_name on students (tenant_id, lower(name), id) where deleted_at is null;
call protect_tenant_table('students');
grant select, insert, update on students to lessonbook_program, lessonbook_platform;

-- A mentee: a student associated with an instructor, holding one of the instructor's seats while active.
create table mentees (
    tenant_id uuid not null references tenants,
    instructor_id uuid not null,
    student_id uuid not null,
    seat text not null default 'active' check (seat in ('active', 'released')),
    created_at timestamptz not null,
    primary key (tenant_id, instructor_id, student_id),
    foreign key (tenant_id, instructor_id) references instructors,
    foreign key (tenant_id, student_id) references students
);
create index mentees_by_student on mentees (tenant_id, student_id);
call protect_tenant_table('mentees');
grant select, insert, update on mentees to lessonbook_program, lessonbook_platform;
