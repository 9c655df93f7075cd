-- Prepaid lessons. Credits move between three accounts of a pack (issued, pack, used), one row a movement, so that
-- they always add up; the totals on the pack are kept by the trigger, and the check refuses to go below zero.
create table packs (
    tenant_id uuid not null references tenants,
    id uuid not null,
    student_id uuid not null,
    instructor_id uuid not null,
    lessons_total int not null default 0 check (lessons_total >= 0),
    lessons_used int not null default 0 constraint packs_used_not_negative check (lessons_used >= 0),
    lessons_left int not null generated always as (lessons_total - lessons_used) stored,
    expires_at timestamptz,
    created_at timestamptz not null,
    primary key (tenant_id, id),
    constraint packs_not_negative check (lessons_used <= lessons_total),
    foreign key (tenant_id, instructor_id, student_id) references mentees
);
create index packs_by_student on packs (tenant_id, student_id, expires_at);
create index packs_by_instructor on packs (tenant_id, instructor_id, student_id);
call protect_tenant_table('packs');
grant select, insert on packs to lessonbook_program, lessonbook_platform;
grant update (lessons_total, lessons_used, expires_at) on packs to lessonbook_program, lessonbook_platform;

create table credit_postings (
    tenant_id uuid not null references tenants,
    id uuid not null,
    pack_id uuid not null,
    from_account text not null check (from_account in ('issued', 'pack', 'used')),
    to_account text not null check (to_account in ('issued', 'pack', 'used')),
    lessons int not null check (lessons > 0),
    booking_id uuid,
    actor_id uuid references users,
    reason text not null check (char_length(reason) between 1 and 1000),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    check (from_account <> to_account and 'pack' in (from_account, to_account)),
    foreign key (tenant_id, pack_id) references packs
);
create index credit_postings_by_pack on credit_postings (tenant_id, pack_id, created_at);
create unique index credit_postings_once on credit_postings (tenant_id, booking_id, from_account) where booking_id is not null;
call protect_tenant_table('credit_postings');
-- Append-only: a posting is corrected by another posting.
grant select, insert on credit_postings to lessonbook_program, lessonbook_platform;

create function apply_credit_posting() returns trigger language plpgsql as $$
begin
    update packs set
        lessons_total = lessons_total
            + case when new.from_account = 'issued' then new.lessons when new.to_account = 'issued' then -new.lessons else 0 end,
        lessons_used = lessons_used
            + case when new.to_account = 'used' then new.lessons when new.from_account = 'used' then -new.lessons else 0 end
    where tenant_id = new.tenant_id and id = new.pack_id;
    return new;
end $$;
create trigger credit_postings_apply after insert on credit_postings for each row execute function apply_credit_posting();
