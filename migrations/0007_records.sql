-- What was done, and what is still to be said.
create table audit (
    tenant_id uuid not null references tenants,
    seq bigint not null,
    at timestamptz not null,
    actor_id uuid,
    actor_role text not null,
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
create index audit_by_entity on audit (tenant_id, entity, entity_id);
call protect_tenant_table('audit');
-- Append-only: nobody but the owner can change or remove a row, and the chain shows it if they do.
grant select, insert on audit to lessonbook_program, lessonbook_platform;

-- Each row carries the hash of the one before it in its tenant. Writers of a tenant queue here, so this comes last
-- in a transaction.
create function chain_audit() returns trigger language plpgsql as $$
declare
    last record;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit/' || new.tenant_id::text, 0));
    select a.seq, a.hash into last from audit a where a.tenant_id = new.tenant_id order by a.seq desc limit 1;
    new.seq := coalesce(last.seq, 0) + 1;
    new.prev_hash := coalesce(last.hash, '\x'::bytea);
    new.hash := sha256(new.prev_hash || convert_to(concat_ws(chr(31),
        new.tenant_id, new.seq, extract(epoch from new.at), coalesce(new.actor_id::text, '-'), new.actor_role, new.action,
        new.entity, coalesce(new.entity_id::text, '-'), coalesce(new.before::text, '-'), coalesce(new.after::text, '-'),
        coalesce(new.reason, '-')), 'UTF8'));
    return new;
end $$;
create trigger audit_chain before insert on audit for each row execute function chain_audit();

-- Messages waiting to be sent, written in the transaction that causes them.
create table outbox (
    tenant_id uuid not null references tenants,
    id uuid not null,
    kind text not null,
    recipient text not null,
    subject text not null,
    body text not null,
    booking_id uuid,
    state text not null default 'waiting' check (state in ('waiting', 'sent', 'dead')),
    created_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, booking_id) references bookings
);
create index outbox_waiting on outbox (tenant_id, created_at) where state = 'waiting';
call protect_tenant_table('outbox');
grant select, insert, update on outbox to lessonbook_program, lessonbook_platform;
