//! Schools as the platform runs them.

use jiff_sqlx::ToSqlx;
use serde::Deserialize;
use serde_json::json;
use sqlx::types::Json;

use super::{Preset, TenantStatus, parse_slug};
use crate::{
    Error, FieldErrors, Instant, Result,
    audit::{self, Entry},
    authz::{Action, PlatformScope},
    identity::{
        Email, PersonName,
        service::{end_sessions, password_link},
        text,
    },
    ids::{TenantId, UserId},
    paging::{ListQuery, Page},
    zoned::Zone,
};

/// The platform in figures.
#[derive(Clone, Copy, Debug)]
pub struct Overview {
    /// Schools that are open.
    pub tenants_active: i64,
    /// Schools that are suspended.
    pub tenants_suspended: i64,
    /// Accounts in use.
    pub users: i64,
    /// Lessons of the last seven days, without cancelled ones.
    pub bookings_7d: i64,
    /// Lessons of the next seven days, without cancelled ones.
    pub bookings_next_7d: i64,
}

/// A school in the platform's list.
#[derive(Clone, Debug)]
pub struct TenantRow {
    /// Id.
    pub id: TenantId,
    /// Address.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Kind.
    pub preset: Preset,
    /// IANA zone.
    pub zone: String,
    /// Open or not.
    pub status: TenantStatus,
    /// Why it isn't.
    pub status_reason: Option<String>,
    /// Seats.
    pub max_seats: i32,
    /// Since when it is here.
    pub created_at: Instant,
    /// Active members.
    pub members: i64,
    /// Lessons ever, without cancelled ones.
    pub bookings: i64,
}

/// An account in the platform's list.
#[derive(Clone, Debug)]
pub struct UserRow {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// E-mail.
    pub email: String,
    /// Runs the platform.
    pub super_admin: bool,
    /// `active` or `disabled`.
    pub status: String,
    /// Since when.
    pub created_at: Instant,
    /// Where they belong.
    pub memberships: Vec<MembershipRow>,
}

/// Where an account belongs.
#[derive(Clone, Debug, Deserialize)]
pub struct MembershipRow {
    /// School.
    pub tenant_name: String,
    /// Its address.
    pub slug: String,
    /// Role there.
    pub role: String,
    /// `active` or `revoked`.
    pub status: String,
    /// The school's own status.
    pub tenant_status: String,
}

/// The figures of the overview.
///
/// # Errors
/// Of the database.
pub async fn overview(scope: &mut PlatformScope) -> Result<Overview> {
    let now = scope.now();
    let row = sqlx::query!(
        r#"select (select count(*) from tenants where status = 'active') as "active!",
                  (select count(*) from tenants where status = 'suspended') as "suspended!",
                  (select count(*) from users where status = 'active' and deleted_at is null) as "users!",
                  (select count(*) from bookings where status <> 'cancelled'
                     and starts_at >= $1::timestamptz - interval '7 days' and starts_at < $1) as "past!",
                  (select count(*) from bookings where status <> 'cancelled'
                     and starts_at >= $1 and starts_at < $1::timestamptz + interval '7 days') as "next!""#,
        now.to_sqlx(),
    )
    .fetch_one(scope.conn())
    .await?;
    Ok(Overview {
        tenants_active: row.active,
        tenants_suspended: row.suspended,
        users: row.users,
        bookings_7d: row.past,
        bookings_next_7d: row.next,
    })
}

/// Schools by name, address or nothing, of one status or all (empty).
///
/// # Errors
/// Of the database.
pub async fn list(scope: &mut PlatformScope, query: &ListQuery, status: &str) -> Result<Page<TenantRow>> {
    let status = TenantStatus::parse(status).map(TenantStatus::as_str);
    let rows = sqlx::query!(
        r#"with found as (
               select t.*,
                      (select count(*) from memberships m where m.tenant_id = t.id and m.status = 'active') as members,
                      (select count(*) from bookings b where b.tenant_id = t.id and b.status <> 'cancelled') as bookings
               from tenants t
               where ($1::text is null or t.name ilike $1 or t.slug ilike $1) and ($2::text is null or t.status = $2)
           )
           select f.id as "id?", f.slug as "slug?", f.name as "name?", f.preset as "preset?", f.zone as "zone?",
                  f.status as "status?", f.status_reason, f.max_seats as "max_seats?", f.created_at as "created_at?",
                  f.members as "members?", f.bookings as "bookings?", n.total as "total!"
           from (select count(*) as total from found) n
           left join lateral (
               select * from found order by
                   case when $3 = 'members' and not $4 then members when $3 = 'bookings' and not $4 then bookings end,
                   case when $3 = 'members' and $4 then members when $3 = 'bookings' and $4 then bookings end desc,
                   case when $3 = 'created' and not $4 then created_at end,
                   case when $3 = 'created' and $4 then created_at end desc,
                   case when not $4 then lower(name) end,
                   case when $4 then lower(name) end desc,
                   id
               limit $5 offset $6
           ) f on true"#,
        query.pattern(),
        status,
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
    )
    .fetch_all(scope.conn())
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        // The one row of an empty page carries the total alone.
        let (Some(id), Some(slug), Some(name)) = (row.id, row.slug, row.name) else {
            continue;
        };
        items.push(TenantRow {
            id: TenantId(id),
            slug,
            name,
            preset: parse_preset(row.preset.as_deref().unwrap_or_default())?,
            zone: row.zone.unwrap_or_default(),
            status: parse_status(row.status.as_deref().unwrap_or_default())?,
            status_reason: row.status_reason,
            max_seats: row.max_seats.unwrap_or_default(),
            created_at: row.created_at.map(|at| at.to_jiff()).unwrap_or_default(),
            members: row.members.unwrap_or_default(),
            bookings: row.bookings.unwrap_or_default(),
        });
    }
    Ok(Page::new(items, total, query))
}

/// One school.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn one(scope: &mut PlatformScope, id: TenantId) -> Result<TenantRow> {
    let row = sqlx::query!(
        r#"select t.*,
                  (select count(*) from memberships m where m.tenant_id = t.id and m.status = 'active') as "members!",
                  (select count(*) from bookings b where b.tenant_id = t.id and b.status <> 'cancelled') as "bookings!"
           from tenants t where t.id = $1"#,
        id.0
    )
    .fetch_optional(scope.conn())
    .await?
    .ok_or(Error::NotFound)?;
    Ok(TenantRow {
        id: TenantId(row.id),
        slug: row.slug,
        name: row.name,
        preset: parse_preset(&row.preset)?,
        zone: row.zone,
        status: parse_status(&row.status)?,
        status_reason: row.status_reason,
        max_seats: row.max_seats,
        created_at: row.created_at.to_jiff(),
        members: row.members,
        bookings: row.bookings,
    })
}

/// Accounts by name or e-mail.
///
/// # Errors
/// Of the database.
pub async fn users(scope: &mut PlatformScope, query: &ListQuery) -> Result<Page<UserRow>> {
    let rows = sqlx::query!(
        r#"with found as (
               select * from users u where u.deleted_at is null and ($1::text is null or u.name ilike $1 or u.email ilike $1)
           )
           select f.id as "id?", f.name as "name?", f.email as "email?", f.super_admin as "super_admin?",
                  f.status as "status?", f.created_at as "created_at?", n.total as "total!",
                  coalesce((select jsonb_agg(jsonb_build_object('tenant_name', t.name, 'slug', t.slug, 'role', m.role,
                                     'status', m.status, 'tenant_status', t.status) order by t.name)
                            from memberships m join tenants t on t.id = m.tenant_id where m.user_id = f.id), '[]')
                      as "memberships!: Json<Vec<MembershipRow>>"
           from (select count(*) as total from found) n
           left join lateral (
               select * from found order by
                   case when $2 = 'email' and not $3 then email when $2 = 'name' and not $3 then lower(name) end,
                   case when $2 = 'email' and $3 then email when $2 = 'name' and $3 then lower(name) end desc,
                   case when $2 = 'created' and not $3 then created_at end,
                   case when $2 = 'created' and $3 then created_at end desc,
                   lower(name), id
               limit $4 offset $5
           ) f on true"#,
        query.pattern(),
        query.sort,
        query.desc,
        query.limit(),
        query.offset(),
    )
    .fetch_all(scope.conn())
    .await?;
    let total = rows.first().map_or(0, |row| row.total);
    let items = rows
        .into_iter()
        .filter_map(|row| {
            Some(UserRow {
                id: UserId(row.id?),
                name: row.name?,
                email: row.email?,
                super_admin: row.super_admin?,
                status: row.status?,
                created_at: row.created_at?.to_jiff(),
                memberships: row.memberships.0,
            })
        })
        .collect();
    Ok(Page::new(items, total, query))
}

/// What a new school is made from, as typed.
#[derive(Debug)]
pub struct NewTenant<'a> {
    /// Name.
    pub name: &'a str,
    /// Address.
    pub slug: &'a str,
    /// Kind.
    pub preset: &'a str,
    /// IANA zone.
    pub zone: &'a str,
    /// Its owner's name; the first part of the e-mail when empty.
    pub owner_name: &'a str,
    /// Its owner's e-mail.
    pub owner_email: &'a str,
    /// Seats, a whole number.
    pub seats: &'a str,
}

/// A school that was just made.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub id: TenantId,
    /// Its address.
    pub slug: String,
    /// Its owner's e-mail.
    pub owner_email: String,
    /// The token of the owner's one-time link to set a password; none when the owner had an account already.
    pub token: Option<String>,
}

/// Makes a school with its owner.
///
/// # Errors
/// Field errors, among them an address that is taken.
pub async fn create(scope: &mut PlatformScope, new: NewTenant<'_>) -> Result<Created> {
    let mut errors = FieldErrors::new();
    let name = errors.check("name", PersonName::parse(new.name));
    let slug = errors.check("slug", parse_slug(new.slug));
    let preset = errors.check("preset", Preset::parse(new.preset).ok_or("Choose one of the presets."));
    let zone = errors.check("zone", Zone::parse(new.zone.trim()));
    let email = errors.check("owner_email", Email::parse(new.owner_email));
    let typed = new.owner_name.trim();
    let owner = match typed {
        // Without an e-mail either there is one error, beside the e-mail.
        "" => Some(email.as_ref().map(Email::name).unwrap_or_default()),
        typed => errors.check("owner_name", PersonName::parse(typed)).map(|name| name.as_str().to_owned()),
    };
    let seats = errors.check(
        "seats",
        new.seats
            .trim()
            .parse::<i32>()
            .ok()
            .filter(|n| (0..=10_000).contains(n))
            .ok_or("Give a whole number from 0 to 10,000."),
    );
    let (Some(name), Some(slug), Some(preset), Some(zone), Some(email), Some(owner), Some(seats)) =
        (name, slug, preset, zone, email, owner, seats)
    else {
        return Err(Error::Invalid(errors));
    };

    let now = scope.now();
    let id = TenantId::new(now);
    sqlx::query!(
        "insert into tenants (id, slug, name, preset, zone, max_seats, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $7)",
        id.0,
        slug,
        name.as_str(),
        preset.as_str(),
        zone.name(),
        seats,
        now.to_sqlx()
    )
    .execute(scope.conn())
    .await?;
    // A known address keeps its account, name and password.
    let user = sqlx::query!(
        r#"insert into users (id, email, name, created_at, updated_at) values ($1, $2, $3, $4, $4)
           on conflict (email) where deleted_at is null do update set updated_at = users.updated_at
           returning id, password_hash is not null as "has_password!""#,
        UserId::new(now).0,
        email.as_str(),
        owner,
        now.to_sqlx()
    )
    .fetch_one(scope.conn())
    .await?;
    sqlx::query!(
        "insert into memberships (tenant_id, user_id, role, created_at) values ($1, $2, 'owner', $3)",
        id.0,
        user.id,
        now.to_sqlx()
    )
    .execute(scope.conn())
    .await?;
    // Owners' sessions are short (AC-02); a long one that stands open was begun as something less.
    end_sessions(scope.conn(), UserId(user.id)).await?;
    let token = if user.has_password { None } else { Some(password_link(scope, UserId(user.id)).await?) };
    let after = json!({ "slug": slug, "name": name.as_str(), "preset": preset.as_str(), "zone": zone.name(), "seats": seats,
                        "owner": email.as_str() });
    record(scope, id, None, Some(after), None).await?;
    Ok(Created { id, slug, owner_email: email.as_str().to_owned(), token })
}

/// Closes a school: its members and its public page are shut out from the next request on.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it isn't open.
pub async fn suspend(scope: &mut PlatformScope, id: TenantId, reason: &str) -> Result<TenantRow> {
    change_status(scope, id, reason, TenantStatus::Active, TenantStatus::Suspended).await
}

/// Opens a suspended school again.
///
/// # Errors
/// A field error without a reason; [`Error::Conflict`] when it isn't suspended.
pub async fn activate(scope: &mut PlatformScope, id: TenantId, reason: &str) -> Result<TenantRow> {
    change_status(scope, id, reason, TenantStatus::Suspended, TenantStatus::Active).await
}

async fn change_status(
    scope: &mut PlatformScope,
    id: TenantId,
    reason: &str,
    from: TenantStatus,
    to: TenantStatus,
) -> Result<TenantRow> {
    let reason = text(reason, 1000).map_err(|message| Error::field("reason", message))?;
    if reason.is_empty() {
        return Err(Error::field("reason", "Say why; the school's record keeps it."));
    }
    one(scope, id).await?;
    let now = scope.now();
    let kept = (to != TenantStatus::Active).then_some(reason.as_str());
    let done = sqlx::query!(
        "update tenants set status = $3, status_reason = $4, updated_at = $5 where id = $1 and status = $2",
        id.0,
        from.as_str(),
        to.as_str(),
        kept,
        now.to_sqlx()
    )
    .execute(scope.conn())
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::Conflict(format!("The school is not {} now.", from.as_str())));
    }
    record(
        scope,
        id,
        Some(json!({ "status": from.as_str() })),
        Some(json!({ "status": to.as_str() })),
        Some(&reason),
    )
    .await?;
    one(scope, id).await
}

async fn record(
    scope: &mut PlatformScope,
    id: TenantId,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
    reason: Option<&str>,
) -> Result<()> {
    let entry =
        Entry { action: Action::RunPlatform, entity: "tenant", entity_id: Some(id.0), before, after, reason };
    audit::record_platform(scope, id, entry).await
}

fn parse_preset(text: &str) -> Result<Preset> {
    Preset::parse(text).ok_or_else(|| Error::internal("unknown preset"))
}

fn parse_status(text: &str) -> Result<TenantStatus> {
    TenantStatus::parse(text).ok_or_else(|| Error::internal("unknown tenant status"))
}
