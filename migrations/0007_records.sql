-- What was done, and what is still to be said. The nil UUID in tenant_id is the platform itself: accounts and schools as
-- such have a chain and messages of their own, which only the platform role sees.
create table audit (
    tenant_id uuid not null,
    seq bigint not null,
    at timestamptz not null,
    actor_id uuid,
    actor_role text not null,
    -- The super-admin who acted as the actor.
    impersonator_id uuid,
    ip text not null default '',
    action text not null,
    entity text not null,
    entity_id uuid,
    before jsonb,
    after jsonb,
    reason text,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (tenant_id, seq)
);
create index audit_by_time on audit (tenant_id, at);
create index audit_by_actor on audit (tenant_id, actor_id, seq);
create index audit_by_action on audit (tenant_id, action, seq);
create index audit_by_entity on audit (tenant_id, entity, entity_id);
call protect_tenant_table('audit');
-- Append-only: nobody but the owner can change or remove a row, and the chain shows it if they do.
grant select, insert on audit to lessonbook_program, lessonbook_platform;

-- The end of each chain, so that a missing last row shows too.
create table audit_heads (
    tenant_id uuid primary key,
    seq bigint not null,
    hash bytea not null
);
call protect_tenant_table('audit_heads');
-- Written by the trigger alone, which acts as the owner: whoever gets hold of the program's roles can't bend the end of a
-- chain.
grant select on audit_heads to lessonbook_platform;
do $$ begin
    execute format('create policy owner on audit_heads to %I using (true) with check (true)', current_user);
end $$;

-- What a row's hash must be, given the one before it. `lessonbook audit verify` asks the same function.
create function audit_hash(a audit) returns bytea language sql stable
    return sha256(a.prev_hash || convert_to(jsonb_build_array(
        a.tenant_id, a.seq, extract(epoch from a.at), a.actor_id, a.actor_role, a.impersonator_id, a.ip, a.action,
        a.entity, a.entity_id, a.before, a.after, a.reason)::text, 'UTF8'));

-- Each row carries the hash of the one before it in its school. Writers of a school queue at its head, so this comes
-- last in a transaction.
create function chain_audit() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
declare
    head audit_heads;
begin
    insert into audit_heads values (new.tenant_id, 0, '') on conflict do nothing;
    select * into head from audit_heads where tenant_id = new.tenant_id for update;
    new.seq := head.seq + 1;
    new.prev_hash := head.hash;
    new.hash := audit_hash(new);
    update audit_heads set seq = new.seq, hash = new.hash where tenant_id = new.tenant_id;
    return new;
end $$;
create trigger audit_chain before insert on audit for each row execute function chain_audit();

-- Messages to people, written in the transaction that causes them. A row is also the job of sending it.
create table outbox (
    tenant_id uuid not null,
    id uuid not null,
    kind text not null,
    recipient text not null,
    subject text not null,
    -- What the message is made from when it is sent.
    data jsonb not null,
    -- The token of its one-time link, encrypted; gone once sent.
    secret text,
    -- When that link is over, and with it the message; null for one that nothing makes worthless.
    valid_until timestamptz,
    booking_id uuid,
    state text not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'dead')),
    attempts int not null default 0,
    next_attempt_at timestamptz not null,
    -- A sender that dies leaves the row to the next one when this is over.
    lease_until timestamptz,
    -- Whether the last sender had begun to hand the text over: if it died then, nobody knows whether it arrived.
    handed_over boolean not null default false,
    -- Whether it may have arrived more than once, because a server's answer was lost.
    uncertain boolean not null default false,
    error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    primary key (tenant_id, id),
    check ((state = 'sending') = (lease_until is not null)),
    check ((state = 'sent') = (sent_at is not null)),
    foreign key (tenant_id, booking_id) references bookings
);
-- School by school: whoever sends takes a few messages of each in turn.
create index outbox_due on outbox (tenant_id, next_attempt_at, id) where state = 'waiting';
create index outbox_leased on outbox (lease_until) where state = 'sending';
create index outbox_by_time on outbox (tenant_id, created_at);
call protect_tenant_table('outbox');
grant select, insert, update on outbox to lessonbook_program, lessonbook_platform;
