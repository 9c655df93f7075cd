//! What was recorded as rows for downloads (AU-02), newest first, in the order of the chain's own index.

use futures::TryStreamExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::read::{self, Filter, Stored, Wanted, change::visible};
use crate::{
    Error, Result,
    authz::{Action, PlatformScope, Reach, TenantScope},
    ids::PLATFORM,
    paging::ListQuery,
    rows::{Out, Rows, put, settle, spawn, words},
    zoned::Zone,
};

/// `prev_hash` and `hash` show where a row stands in the chain.
const HEADER: [&str; 15] = [
    "seq",
    "actor_id",
    "entity_id",
    "at",
    "actor",
    "actor_role",
    "impersonator",
    "ip",
    "action",
    "entity",
    "before",
    "after",
    "reason",
    "prev_hash",
    "hash",
];

/// The school's own chain.
///
/// # Errors
/// [`Error::Forbidden`] for those who may not read it, or not take lists out.
pub fn tenant(mut scope: TenantScope, query: &ListQuery, filter: &Filter) -> Result<Rows> {
    scope.require(Action::ViewAudit)?;
    if scope.require(Action::ExportData)? != Reach::All {
        return Err(Error::NotFound);
    }
    let zone = scope.tenant().zone.clone();
    let wanted = filter.wanted(query, &zone);
    Ok(spawn(async move |out| {
        let (tenant, conn) = scope.conn();
        send(conn, tenant, &wanted, &zone, &out).await
    }))
}

/// The platform's chain, or the one of the school with the address `school`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such school.
pub async fn platform(
    mut scope: PlatformScope,
    school: Option<&str>,
    query: &ListQuery,
    filter: &Filter,
) -> Result<Rows> {
    let (tenant, zone) = match school {
        None => (PLATFORM, Zone::parse("UTC").map_err(Error::internal)?),
        Some(_) => {
            let chain = read::chain(scope.conn(), PLATFORM, school).await?;
            (chain.tenant, chain.zone)
        }
    };
    let wanted = filter.wanted(query, &zone);
    Ok(spawn(async move |out| send(scope.conn(), tenant, &wanted, &zone, &out).await))
}

async fn send(conn: &mut PgConnection, tenant: Uuid, wanted: &Wanted, zone: &Zone, out: &Out) -> Result<()> {
    if !put(out, words(&HEADER)).await? {
        return Ok(());
    }
    settle(&mut *conn).await?;
    let mut found = sqlx::query!(
        r#"select a.seq, a.at, a.actor_id, u.name as "actor_name?", a.actor_role, a.impersonator_id,
                  w.name as "impersonator_name?", a.ip, a.action, a.entity, a.entity_id, a.before, a.after, a.reason,
                  encode(a.prev_hash, 'hex') as "prev_hash!", encode(a.hash, 'hex') as "hash!"
           from audit a
           left join users u on u.id = a.actor_id
           left join users w on w.id = a.impersonator_id
           where a.tenant_id = $1
             and ($2::text is null or u.name ilike $2 or u.email ilike $2 or a.actor_id = $3)
             and ($4::text = '' or a.action = $4)
             and ($5::text = '' or a.entity = $5)
             and ($6::timestamptz is null or a.at >= $6)
             and ($7::timestamptz is null or a.at < $7)
             and ($8::text is null or a.action ilike $8 or a.entity ilike $8 or a.reason ilike $8 or u.name ilike $8
                  or a.entity_id = $9)
           order by a.seq desc"#,
        tenant,
        wanted.actor.as_deref(),
        wanted.actor_id,
        wanted.action.as_str(),
        wanted.entity.as_str(),
        wanted.from,
        wanted.until,
        wanted.text.as_deref(),
        wanted.entity_id,
    )
    .fetch(conn);
    while let Some(row) = found.try_next().await? {
        let hashes = [row.prev_hash, row.hash];
        let stored = Stored {
            seq: row.seq,
            at: row.at.to_jiff(),
            actor_id: row.actor_id,
            actor_name: row.actor_name,
            actor_role: row.actor_role,
            impersonator_id: row.impersonator_id,
            impersonator_name: row.impersonator_name,
            ip: row.ip,
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id,
            before: row.before,
            after: row.after,
            reason: row.reason,
        };
        if !put(out, cells(stored, hashes, zone)).await? {
            break;
        }
    }
    Ok(())
}

fn cells(row: Stored, [prev_hash, hash]: [String; 2], zone: &Zone) -> Vec<String> {
    let id = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    vec![
        row.seq.to_string(),
        id(row.actor_id),
        id(row.entity_id),
        zone.rfc3339(row.at),
        row.actor(),
        row.actor_role.clone(),
        row.impersonator().unwrap_or_default(),
        row.ip,
        row.action,
        row.entity,
        visible(row.before),
        visible(row.after),
        row.reason.unwrap_or_default(),
        prev_hash,
        hash,
    ]
}
