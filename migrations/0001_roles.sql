-- Three roles. The owner runs this file. `lessonbook_program` is what a request acts as: it owns nothing and
-- sees only the tenant named by app.tenant_id. `lessonbook_platform` is taken for a transaction at a time
-- (SET LOCAL ROLE) by super-admin work and by signing in, which happen before any tenant is known.
-- Roles belong to the cluster, not the database: another database may have made them already.
do $$ begin
    create role lessonbook_program nologin noinherit;
exception when duplicate_object or unique_violation then null; end $$;
do $$ begin
    create role lessonbook_platform nologin noinherit;
exception when duplicate_object or unique_violation then null; end $$;

create extension if not exists btree_gist;

revoke create on schema public from public;
grant usage on schema public to lessonbook_program, lessonbook_platform;

-- The tenant and user of the current transaction. An empty setting (what a finished SET LOCAL leaves) is none.
create function current_tenant() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.tenant_id', true), '')::uuid;
create function current_app_user() returns uuid language sql stable parallel safe
    return nullif(current_setting('app.user_id', true), '')::uuid;

-- Every tenant table calls this once: row-level security, forced, and the two ways in.
create procedure protect_tenant_table(target regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', target);
    execute format('alter table %s force row level security', target);
    execute format('create policy tenant on %s to lessonbook_program
                    using (tenant_id = (select current_tenant()))
                    with check (tenant_id = (select current_tenant()))', target);
    execute format('create policy platform on %s to lessonbook_platform using (true) with check (true)', target);
end $$;
