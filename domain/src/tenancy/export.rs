//! The platform's lists as rows for downloads. Times are in UTC. What is deleted isn't in them (PR-01).

use futures::TryStreamExt;

use super::TenantStatus;
use crate::{
    Result,
    authz::PlatformScope,
    paging::ListQuery,
    rows::{Out, Rows, put, settle, spawn, words},
};

/// All schools that the list's filters leave.
pub fn tenants(mut scope: PlatformScope, query: ListQuery, status: &str) -> Rows {
    let status = TenantStatus::parse(status).map(TenantStatus::as_str);
    spawn(async move |out| send_tenants(&mut scope, &query, status, &out).await)
}

/// All accounts that the list's filters leave; `status` as in the list.
pub fn users(mut scope: PlatformScope, query: ListQuery, status: &str) -> Rows {
    let status = crate::identity::users::AccountStatus::parse(status).map(|status| status.as_str());
    spawn(async move |out| send_users(&mut scope, &query, status, &out).await)
}

async fn send_tenants(
    scope: &mut PlatformScope,
    query: &ListQuery,
    status: Option<&str>,
    out: &Out,
) -> Result<()> {
    put(out, words(&["id", "slug", "name", "preset", "zone", "status", "max_seats", "created_at"])).await?;
    settle(scope.conn()).await?;
    let mut found = sqlx::query!(
        "select id, slug, name, preset, zone, status, max_seats, created_at from tenants
         where ($1::text is null or name ilike $1 or slug ilike $1) and ($2::text is null or status = $2)
           and status <> 'deleted'
         order by lower(name), id",
        query.pattern(),
        status,
    )
    .fetch(scope.conn());
    while let Some(row) = found.try_next().await? {
        let (seats, since) = (row.max_seats.to_string(), row.created_at.to_jiff().to_string());
        if !put(
            out,
            vec![row.id.to_string(), row.slug, row.name, row.preset, row.zone, row.status, seats, since],
        )
        .await?
        {
            break;
        }
    }
    Ok(())
}

async fn send_users(
    scope: &mut PlatformScope,
    query: &ListQuery,
    status: Option<&str>,
    out: &Out,
) -> Result<()> {
    put(out, words(&["id", "name", "email", "super_admin", "status", "schools", "created_at"])).await?;
    settle(scope.conn()).await?;
    let mut found = sqlx::query!(
        r#"select u.id, u.name, u.email, u.super_admin, u.status, u.created_at,
                  coalesce((select string_agg(t.slug || ':' || m.role || ':' || m.status, ' ' order by t.slug)
                            from memberships m join tenants t on t.id = m.tenant_id and t.status <> 'deleted'
                            where m.user_id = u.id), '') as "schools!"
           from users u
           where u.deleted_at is null and ($1::text is null or u.name ilike $1 or u.email ilike $1)
             and ($2::text is null or u.status = $2)
           order by lower(u.name), u.id"#,
        query.pattern(),
        status,
    )
    .fetch(scope.conn());
    while let Some(row) = found.try_next().await? {
        let (rank, since) = (row.super_admin.to_string(), row.created_at.to_jiff().to_string());
        if !put(out, vec![row.id.to_string(), row.name, row.email, rank, row.status, row.schools, since])
            .await?
        {
            break;
        }
    }
    Ok(())
}
