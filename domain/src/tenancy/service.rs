//! The platform in figures, and new schools.

use jiff_sqlx::ToSqlx;
use serde_json::{Value, json};

use super::{Preset, parse_slug};
use crate::{
    Error, FieldErrors, Result,
    audit::{self, Entry},
    authz::PlatformScope,
    identity::{Email, PersonName, links, service::password_link, sessions},
    ids::{PLATFORM, TenantId, UserId},
    zoned::Zone,
};

/// The platform in figures. What is deleted doesn't count.
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
                  (select count(*) from bookings b join tenants t on t.id = b.tenant_id and t.status <> 'deleted'
                   where b.status <> 'cancelled'
                     and b.starts_at >= $1::timestamptz - interval '7 days' and b.starts_at < $1) as "past!",
                  (select count(*) from bookings b join tenants t on t.id = b.tenant_id and t.status <> 'deleted'
                   where b.status <> 'cancelled'
                     and b.starts_at >= $1 and b.starts_at < $1::timestamptz + interval '7 days') as "next!""#,
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

/// What a new school is made from, as typed.
#[derive(Clone, Copy, Debug)]
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
    /// The token of the owner's one-time link to set a password; none when the owner has one already.
    pub token: Option<String>,
}

/// What was typed, once it is known to be right.
struct Checked {
    name: PersonName,
    slug: String,
    preset: Preset,
    zone: Zone,
    email: Email,
    owner: String,
    seats: i32,
}

fn check(new: NewTenant<'_>) -> Result<Checked> {
    let mut errors = FieldErrors::new();
    let name = errors.check("name", PersonName::parse(new.name));
    let slug = errors.check("slug", parse_slug(new.slug));
    let preset = errors.check("preset", Preset::parse(new.preset).ok_or("Choose one of the presets."));
    let zone = errors.check("zone", Zone::parse(new.zone.trim()));
    let email = errors.check("owner_email", Email::parse(new.owner_email));
    let owner = match new.owner_name.trim() {
        // Without an e-mail either there is one error, beside the e-mail.
        "" => Some(email.as_ref().map(Email::name).unwrap_or_default()),
        typed => errors.check("owner_name", PersonName::parse(typed)).map(|name| name.as_str().to_owned()),
    };
    let seats = errors.check("seats", parse_seats(new.seats));
    match (name, slug, preset, zone, email, owner, seats) {
        (Some(name), Some(slug), Some(preset), Some(zone), Some(email), Some(owner), Some(seats)) => {
            Ok(Checked { name, slug, preset, zone, email, owner, seats })
        }
        _ => Err(Error::Invalid(errors)),
    }
}

/// A number of seats as typed.
pub(super) fn parse_seats(typed: &str) -> Result<i32, &'static str> {
    let seats = typed.trim().parse::<i32>().ok().filter(|seats| (0..=10_000).contains(seats));
    seats.ok_or("Give a whole number from 0 to 10,000.")
}

/// Makes a school with its owner.
///
/// # Errors
/// Field errors, among them an address that is taken and an owner whose account is disabled.
pub async fn create(scope: &mut PlatformScope, new: NewTenant<'_>) -> Result<Created> {
    let Checked { name, slug, preset, zone, email, owner, seats } = check(new)?;
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
    // A known address keeps its account and name; and, when it is known to be theirs, its password.
    let user = sqlx::query!(
        r#"insert into users (id, email, name, created_at, updated_at) values ($1, $2, $3, $4, $4)
           on conflict (email) where deleted_at is null do update set updated_at = users.updated_at
           returning id, status, email_verified_at is not null as "verified!",
                     password_hash is not null as "has_password!", (xmax = 0) as "made!""#,
        UserId::new(now).0,
        email.as_str(),
        owner,
        now.to_sqlx()
    )
    .fetch_one(scope.conn())
    .await?;
    if user.status != "active" {
        let message = "The account with this address is disabled. Enable it first, or give another address.";
        return Err(Error::field("owner_email", message));
    }
    let claimed = !user.made && !user.verified;
    if claimed {
        // Whoever registered it may not have the address: nothing of theirs leads into the school.
        sqlx::query!(
            "update users set password_hash = null, phone = null, phone_index = null, wish = null, updated_at = $2
             where id = $1",
            user.id,
            now.to_sqlx(),
        )
        .execute(scope.conn())
        .await?;
        links::spend_all(scope.conn(), user.id, now).await?;
    }
    sqlx::query!(
        "insert into memberships (tenant_id, user_id, role, created_at, updated_at) values ($1, $2, 'owner', $3, $3)",
        id.0,
        user.id,
        now.to_sqlx()
    )
    .execute(scope.conn())
    .await?;
    // Owners' sessions are short (AC-02); a long one that stands open was begun as something less.
    sessions::end(scope.conn(), user.id, None).await?;
    let ready = user.verified && user.has_password;
    let token = if ready { None } else { Some(password_link(scope, UserId(user.id)).await?) };
    if user.made || claimed {
        let (action, before, after) = if user.made {
            ("user.create", None, json!({ "name": owner, "email": email.as_str() }))
        } else {
            ("user.update", Some(json!({ "credentials": true })), json!({ "credentials": false }))
        };
        let entry = Entry {
            action,
            entity: "user",
            entity_id: Some(user.id),
            before,
            after: Some(after),
            reason: None,
        };
        audit::record_platform(scope, PLATFORM, entry).await?;
    }
    let after = json!({ "slug": slug, "name": name.as_str(), "preset": preset.as_str(), "zone": zone.name(), "seats": seats,
                        "owner": email.as_str() });
    record(scope, id, "tenant.create", None, Some(after), None).await?;
    Ok(Created { id, slug, owner_email: email.as_str().to_owned(), token })
}

/// Writes into the school's chain what the platform did to it.
pub(super) async fn record(
    scope: &mut PlatformScope,
    id: TenantId,
    action: &str,
    before: Option<Value>,
    after: Option<Value>,
    reason: Option<&str>,
) -> Result<()> {
    let entry = Entry { action, entity: "tenant", entity_id: Some(id.0), before, after, reason };
    audit::record_platform(scope, id.0, entry).await
}
