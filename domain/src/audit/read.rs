//! Reading what was recorded (AU-02): a school's own chain for its owner, any chain for the platform. Newest first.

pub mod change;

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use serde_json::Value;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

pub use self::change::{Change, difference};
use crate::{
    Error, Instant, Result,
    authz::{Action, PlatformScope, TenantScope},
    ids::PLATFORM,
    paging::{self, ListQuery, Page},
    zoned::Zone,
};

/// Which rows to list, as typed. What can't be read is no filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the actor's name or e-mail address, or their account's id.
    pub actor: String,
    /// One of [`Choices::actions`].
    pub action: String,
    /// One of [`Choices::entities`].
    pub entity: String,
    /// First day, in the school's zone: `2027-01-12`.
    pub from: String,
    /// Last day.
    pub to: String,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditRow {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who, in words where there is no name to be seen.
    pub actor_name: String,
    /// As what.
    pub actor_role: String,
    /// Who acted as the actor, if anybody did.
    pub impersonator_name: Option<String>,
    /// From where; empty for a command on the machine itself.
    pub ip: String,
    /// What, as `area.verb`.
    pub action: String,
    /// To what kind of thing.
    pub entity: String,
    /// To which one.
    pub entity_id: Option<Uuid>,
    /// What is different now.
    pub changes: Vec<Change>,
    /// Why, in the actor's words.
    pub reason: Option<String>,
}

/// What a chain can be filtered by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// Every action there is in it.
    pub actions: Vec<String>,
    /// Every kind of thing.
    pub entities: Vec<String>,
}

/// A chain as the platform reads it.
#[derive(Clone, Debug)]
pub struct Log {
    /// The rows.
    pub page: Page<AuditRow>,
    /// What to filter by.
    pub choices: Choices,
    /// The school whose chain it is, by slug and name; none for the platform's own.
    pub school: Option<(String, String)>,
    /// The zone of the filter's days: the school's, or UTC.
    pub zone: Zone,
}

/// A row as it is stored, with the names that its ids stand for, as far as they may be known.
#[derive(Debug, Deserialize)]
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) at: Instant,
    pub(super) actor_id: Option<Uuid>,
    pub(super) actor_name: Option<String>,
    pub(super) actor_role: String,
    pub(super) impersonator_id: Option<Uuid>,
    pub(super) impersonator_name: Option<String>,
    pub(super) ip: String,
    pub(super) action: String,
    pub(super) entity: String,
    pub(super) entity_id: Option<Uuid>,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
    pub(super) reason: Option<String>,
}

/// A filter as Postgres is asked for it.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Pattern for the actor's name and address.
    pub(super) actor: Option<String>,
    /// The actor's id, when that was typed.
    pub(super) actor_id: Option<Uuid>,
    pub(super) action: String,
    pub(super) entity: String,
    pub(super) from: Option<jiff_sqlx::Timestamp>,
    pub(super) until: Option<jiff_sqlx::Timestamp>,
    /// Pattern for any word of a row.
    pub(super) text: Option<String>,
    /// The entity's id, when that was searched for.
    pub(super) entity_id: Option<Uuid>,
}

impl Filter {
    /// Reads the parameters of a list address.
    pub fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let text = |name: &str| -> String {
            get(name).unwrap_or("").trim().chars().filter(|c| *c != '\0').take(200).collect()
        };
        Self {
            actor: text("actor"),
            action: text("action"),
            entity: text("entity"),
            from: text("from"),
            to: text("to"),
        }
    }

    pub(super) fn wanted(&self, query: &ListQuery, zone: &Zone) -> Wanted {
        // The last day is one of those wanted.
        let until = paging::day(&self.to).and_then(|last| last.tomorrow().ok());
        let actor = ListQuery { q: self.actor.clone(), ..ListQuery::default() };
        Wanted {
            actor: actor.pattern(),
            actor_id: self.actor.parse().ok(),
            action: self.action.clone(),
            entity: self.entity.clone(),
            from: paging::day(&self.from).map(|day| zone.day_start(day).to_sqlx()),
            until: until.map(|day| zone.day_start(day).to_sqlx()),
            text: query.pattern(),
            entity_id: query.q.parse().ok(),
        }
    }
}

impl Stored {
    /// Who did it. A school sees the names of its members; a super-admin is the platform to it.
    pub(super) fn actor(&self) -> String {
        match (&self.actor_name, self.actor_role.as_str()) {
            (Some(name), _) => name.clone(),
            (None, "super_admin") => PLATFORM_NAME.into(),
            (None, "visitor") if self.actor_id.is_none() => "A visitor".into(),
            (None, _) if self.actor_id.is_none() => "The operator".into(),
            (None, _) => "Someone who isn't a member".into(),
        }
    }

    /// Who acted as the actor.
    pub(super) fn impersonator(&self) -> Option<String> {
        self.impersonator_id?;
        Some(self.impersonator_name.clone().unwrap_or_else(|| PLATFORM_NAME.into()))
    }

    fn into_row(self) -> AuditRow {
        AuditRow {
            seq: self.seq,
            at: self.at,
            actor_name: self.actor(),
            impersonator_name: self.impersonator(),
            actor_role: self.actor_role,
            ip: self.ip,
            action: self.action,
            entity: self.entity,
            entity_id: self.entity_id,
            changes: difference(self.before.as_ref(), self.after.as_ref()),
            reason: self.reason,
        }
    }
}

const PLATFORM_NAME: &str = "The platform";

/// A page of the school's own chain.
///
/// # Errors
/// [`Error::Forbidden`] for those who may not read it.
pub async fn list(scope: &mut TenantScope, query: &ListQuery, filter: &Filter) -> Result<Page<AuditRow>> {
    scope.require(Action::ViewAudit)?;
    let wanted = filter.wanted(query, &scope.tenant().zone);
    let (tenant, conn) = scope.conn();
    page(conn, tenant, query, &wanted).await
}

/// What the school's own chain can be filtered by.
///
/// # Errors
/// [`Error::Forbidden`] for those who may not read it.
pub async fn choices(scope: &mut TenantScope) -> Result<Choices> {
    scope.require(Action::ViewAudit)?;
    let (tenant, conn) = scope.conn();
    Ok(chain(conn, tenant, None).await?.choices)
}

/// A page of the platform's chain, or of the school with the address `school`.
///
/// # Errors
/// [`Error::NotFound`] when there is no such school.
pub async fn platform(
    scope: &mut PlatformScope,
    school: Option<&str>,
    query: &ListQuery,
    filter: &Filter,
) -> Result<Log> {
    let chain = chain(scope.conn(), PLATFORM, school).await?;
    let wanted = filter.wanted(query, &chain.zone);
    let page = page(scope.conn(), chain.tenant, query, &wanted).await?;
    Ok(Log { page, choices: chain.choices, school: chain.school, zone: chain.zone })
}

/// A chain and what is known of it.
pub(super) struct Chain {
    pub(super) tenant: Uuid,
    pub(super) school: Option<(String, String)>,
    pub(super) zone: Zone,
    choices: Choices,
}

/// The chain of the school with the address `slug`, else the one of `tenant`, in one query.
pub(super) async fn chain(conn: &mut PgConnection, tenant: Uuid, slug: Option<&str>) -> Result<Chain> {
    if slug.is_some_and(|slug| slug.contains('\0')) {
        return Err(Error::NotFound);
    }
    // From each value to the next one by the index: the chain may be long, but it has few actions.
    let row = sqlx::query!(
        r#"with recursive chain as (
               select coalesce((select t.id from tenants t where t.slug = $2), $1::uuid) as id
           ), actions as (
               (select a.action from audit a where a.tenant_id = (select id from chain) order by a.action limit 1)
               union all
               select (select a.action from audit a where a.tenant_id = (select id from chain) and a.action > x.action
                       order by a.action limit 1)
               from actions x where x.action is not null
           ), entities as (
               (select a.entity from audit a where a.tenant_id = (select id from chain) order by a.entity limit 1)
               union all
               select (select a.entity from audit a where a.tenant_id = (select id from chain) and a.entity > x.entity
                       order by a.entity limit 1)
               from entities x where x.entity is not null
           )
           select chain.id as "tenant!", t.slug as "slug?", t.name as "name?", t.zone as "zone?",
                  coalesce((select array_agg(x.action order by x.action) from actions x where x.action is not null),
                           '{}'::text[]) as "actions!",
                  coalesce((select array_agg(x.entity order by x.entity) from entities x where x.entity is not null),
                           '{}'::text[]) as "entities!"
           from chain left join tenants t on t.slug = $2"#,
        tenant,
        slug,
    )
    .fetch_one(conn)
    .await?;
    if slug.is_some() && row.slug.is_none() {
        return Err(Error::NotFound);
    }
    Ok(Chain {
        tenant: row.tenant,
        school: row.slug.zip(row.name),
        zone: Zone::parse(row.zone.as_deref().unwrap_or("UTC")).map_err(Error::internal)?,
        choices: Choices { actions: row.actions, entities: row.entities },
    })
}

async fn page(
    conn: &mut PgConnection,
    tenant: Uuid,
    query: &ListQuery,
    wanted: &Wanted,
) -> Result<Page<AuditRow>> {
    let row = sqlx::query!(
        r#"with hits as (
               select a.seq
               from audit a left join users u on u.id = a.actor_id
               where a.tenant_id = $1
                 and ($2::text is null or u.name ilike $2 or u.email ilike $2 or a.actor_id = $3)
                 and ($4::text = '' or a.action = $4)
                 and ($5::text = '' or a.entity = $5)
                 and ($6::timestamptz is null or a.at >= $6)
                 and ($7::timestamptz is null or a.at < $7)
                 and ($8::text is null or a.action ilike $8 or a.entity ilike $8 or a.reason ilike $8 or u.name ilike $8
                      or a.entity_id = $9)
           ), shown as (
               select seq from hits order by seq desc limit $10
               offset least($11::bigint, greatest(0, (select count(*) - 1 from hits) / $10 * $10))
           )
           select (select count(*) from hits) as "total!",
                  coalesce((
                      select json_agg(json_build_object(
                          'seq', a.seq, 'at', a.at, 'actor_id', a.actor_id, 'actor_name', u.name,
                          'actor_role', a.actor_role, 'impersonator_id', a.impersonator_id, 'impersonator_name', w.name,
                          'ip', a.ip, 'action', a.action, 'entity', a.entity, 'entity_id', a.entity_id,
                          'before', a.before, 'after', a.after, 'reason', a.reason) order by a.seq desc)
                      from shown
                      join audit a on a.tenant_id = $1 and a.seq = shown.seq
                      left join users u on u.id = a.actor_id
                      left join users w on w.id = a.impersonator_id
                  ), '[]') as "rows!: Json<Vec<Stored>>""#,
        tenant,
        wanted.actor.as_deref(),
        wanted.actor_id,
        wanted.action.as_str(),
        wanted.entity.as_str(),
        wanted.from,
        wanted.until,
        wanted.text.as_deref(),
        wanted.entity_id,
        query.limit(),
        query.offset(),
    )
    .fetch_one(conn)
    .await?;
    Ok(Page::new(row.rows.0.into_iter().map(Stored::into_row).collect(), row.total, query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_the_schools_and_nonsense_is_no_filter() {
        let zone = Zone::parse("Africa/Johannesburg").expect("a zone");
        let filter = |from: &str, to: &str| {
            let pairs = [("from", from.to_owned()), ("to", to.to_owned())];
            Filter::parse(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str()))
        };
        let range = |from: &str, to: &str| {
            let wanted = filter(from, to).wanted(&ListQuery::default(), &zone);
            [wanted.from, wanted.until].map(|at| at.map(|at| at.to_jiff().to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            range(" 2027-01-12 ", "2027-01-12"),
            [some("2027-01-11T22:00:00Z"), some("2027-01-12T22:00:00Z")]
        );
        assert_eq!(range("soon", "2027-02-30"), [None, None]);
        assert_eq!(range("\0", "9999-12-31"), [None, None]);
    }

    #[test]
    fn a_name_that_may_not_be_known_is_put_in_words() {
        let row = |role: &str, id: Option<Uuid>| -> Stored {
            serde_json::from_value(serde_json::json!({
                "seq": 1, "at": "2027-01-12T07:30:00Z", "actor_id": id, "actor_role": role,
                "impersonator_id": id, "ip": "", "action": "a", "entity": "e",
            }))
            .expect("a row")
        };
        let id = Some(Uuid::from_u128(1));
        assert_eq!(row("super_admin", id).actor(), "The platform");
        assert_eq!(row("owner", None).actor(), "The operator");
        assert_eq!(row("visitor", None).actor(), "A visitor");
        assert_eq!(row("staff", id).actor(), "Someone who isn't a member");
        assert_eq!(row("staff", id).impersonator().as_deref(), Some("The platform"));
        assert_eq!(row("owner", None).impersonator(), None);
    }
}
