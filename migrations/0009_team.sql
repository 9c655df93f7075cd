-- Invites, seats, and what must never be the last.
create table invites (
    tenant_id uuid not null references tenants,
    id uuid not null,
    email text not null check (char_length(email) <= 320 and email = lower(email)),
    role text not null check (role in ('owner', 'staff', 'instructor', 'student')),
    token_hash bytea not null check (octet_length(token_hash) = 32),
    invited_by uuid references users,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    revoked_at timestamptz,
    -- Its mail, in the outbox of the same school.
    message_id uuid,
    primary key (tenant_id, id)
);
create unique index invites_token on invites (token_hash);
create unique index invites_open on invites (tenant_id, email) where used_at is null and revoked_at is null;
create index invites_by_time on invites (tenant_id, created_at);
call protect_tenant_table('invites');
grant select, insert, update on invites to lessonbook_program, lessonbook_platform;

-- A school's own mail server; the password is encrypted.
create table tenant_mail (
    tenant_id uuid primary key references tenants,
    host text not null check (char_length(host) between 1 and 255),
    port int not null check (port between 1 and 65535),
    security text not null check (security in ('tls', 'starttls', 'none')),
    username text not null default '' check (char_length(username) <= 320),
    password text,
    from_email text not null check (char_length(from_email) <= 320),
    from_name text not null default '' check (char_length(from_name) <= 100),
    updated_at timestamptz not null
);
call protect_tenant_table('tenant_mail');
grant select, insert, update, delete on tenant_mail to lessonbook_program, lessonbook_platform;

-- Seats are for those who run the school and teach; students don't take one. An open invite holds the seat it promises.
create function check_seats(tenant uuid, now_ timestamptz) returns void language plpgsql as $$
declare
    seats int;
begin
    perform pg_advisory_xact_lock(hashtextextended('seats/' || tenant::text, 0));
    select max_seats into seats from tenants where id = tenant;
    if seats <= 0 then
        raise exception using errcode = 'check_violation', constraint = 'seats_none', message = 'no seat allocation';
    end if;
    if (select count(*) from memberships m
        where m.tenant_id = tenant and m.status = 'active' and m.role <> 'student')
     + (select count(*) from invites i
        where i.tenant_id = tenant and i.role <> 'student' and i.used_at is null and i.revoked_at is null
          and i.expires_at > now_) >= seats then
        raise exception using errcode = 'check_violation', constraint = 'seats_full', message = 'all seats are taken';
    end if;
end $$;

create function memberships_keep_seats() returns trigger language plpgsql as $$
begin
    if new.status = 'active' and new.role <> 'student'
       and (tg_op = 'INSERT' or old.status <> 'active' or old.role = 'student')
       -- A school without seats has an owner all the same.
       and exists (select from memberships m
                   where m.tenant_id = new.tenant_id and m.status = 'active' and m.role <> 'student') then
        perform check_seats(new.tenant_id, new.updated_at);
    end if;
    return new;
end $$;
create trigger memberships_seats before insert or update of status, role on memberships
    for each row execute function memberships_keep_seats();

create function invites_keep_seats() returns trigger language plpgsql as $$
begin
    if new.role <> 'student' then
        perform check_seats(new.tenant_id, new.created_at);
    end if;
    return new;
end $$;
create trigger invites_seats before insert on invites for each row execute function invites_keep_seats();

-- The last owner of a school that isn't deleted stays. Two who go at once queue here, and the second sees the first.
create function check_other_owner(tenant uuid, leaving uuid) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('owners/' || tenant::text, 0));
    if exists (select from tenants t where t.id = tenant and t.status <> 'deleted')
       and not exists (select from memberships m join users u on u.id = m.user_id
                       where m.tenant_id = tenant and m.user_id <> leaving and m.role = 'owner' and m.status = 'active'
                         and u.status = 'active' and u.deleted_at is null) then
        raise exception using errcode = 'check_violation', constraint = 'memberships_last_owner',
            message = 'a school keeps its last owner';
    end if;
end $$;

create function memberships_keep_owner() returns trigger language plpgsql as $$
begin
    if old.role = 'owner' and old.status = 'active'
       and (tg_op = 'DELETE' or new.role <> 'owner' or new.status <> 'active') then
        perform check_other_owner(old.tenant_id, old.user_id);
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger memberships_last_owner before update of status, role or delete on memberships
    for each row execute function memberships_keep_owner();

create function users_keep_last() returns trigger language plpgsql as $$
declare
    tenant uuid;
begin
    if old.status = 'active' and old.deleted_at is null then
        if old.super_admin and (not new.super_admin or new.status <> 'active' or new.deleted_at is not null) then
            perform pg_advisory_xact_lock(hashtextextended('super_admins', 0));
            if not exists (select from users u where u.id <> old.id and u.super_admin and u.status = 'active'
                             and u.deleted_at is null) then
                raise exception using errcode = 'check_violation', constraint = 'users_last_super_admin',
                    message = 'the platform keeps its last super-admin';
            end if;
        end if;
        if new.status <> 'active' or new.deleted_at is not null then
            -- In one order, so that two such changes can't wait for each other.
            for tenant in select m.tenant_id from memberships m
                          where m.user_id = old.id and m.role = 'owner' and m.status = 'active' order by m.tenant_id loop
                perform check_other_owner(tenant, old.id);
            end loop;
        end if;
    end if;
    return new;
end $$;
create trigger users_last before update of status, deleted_at, super_admin on users
    for each row execute function users_keep_last();

create function check_tenant_status() returns trigger language plpgsql as $$
begin
    if new.status <> old.status and (old.status, new.status) not in (
        ('active', 'suspended'), ('suspended', 'active'), ('active', 'deleted'), ('suspended', 'deleted'),
        ('deleted', 'active'), ('deleted', 'suspended')
    ) then
        raise exception using errcode = 'check_violation', constraint = 'tenants_status_flow',
            message = format('a school cannot go from %s to %s', old.status, new.status);
    end if;
    return new;
end $$;
create trigger tenants_status_flow before update of status on tenants
    for each row execute function check_tenant_status();
