//! What a school's owner sets (TN-10).

mod mail;
mod rules;

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx;
use serde::Serialize;
use sqlx::types::Json;

pub use mail::{MailInput, MailSettings, mail, remove_mail, save_mail};
pub use rules::{Rules, RulesInput, reminders_text};

use super::{difference, parse_accent, parse_currency, parse_locale, parse_word};
use crate::{
    Error, FieldErrors, Result,
    audit::{self, Entry},
    authz::{Action, TenantScope},
    availability::{
        WeeklyHour,
        hours::{DAYS, parse_day},
    },
    identity::PersonName,
    services::parse_hours,
    zoned::Zone,
};

/// A school's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// IANA zone.
    pub zone: String,
    /// Code of a [`crate::locale::Locale`].
    pub locale: String,
    /// ISO 4217; of services made from now on.
    pub currency: String,
    /// Words of its own: `lesson`, `student`, `instructor`, as far as they are set.
    pub words: BTreeMap<String, String>,
    /// When it is open, for its public page.
    pub opening_hours: Vec<WeeklyHour>,
    /// Its colour, `#rrggbb`.
    pub accent: Option<String>,
    /// Whether people may join by themselves.
    pub open_registration: bool,
    /// Whether owners and staff need a second step.
    pub require_code: bool,
    /// How long before its start a lesson of a new service can be booked.
    pub default_notice_min: i32,
    /// How long before its start a lesson of a new service can be cancelled for free.
    pub default_cancel_notice_min: i32,
    /// Limits, offers and reminders.
    #[serde(flatten)]
    pub rules: Rules,
}

/// The form of the settings as typed.
#[derive(Clone, Debug, Default)]
pub struct SettingsInput {
    /// Name.
    pub name: String,
    /// IANA zone.
    pub zone: String,
    /// Code of a locale.
    pub locale: String,
    /// Three letters.
    pub currency: String,
    /// Word for a lesson; empty is the preset's.
    pub lesson: String,
    /// Word for a student; empty is the preset's.
    pub student: String,
    /// Word for an instructor; empty is the preset's.
    pub instructor: String,
    /// Openings of each day from Monday: "09:00-12:00, 13:00-17:00".
    pub hours: [String; 7],
    /// `#rrggbb` or empty.
    pub accent: String,
    /// Whether people may join by themselves.
    pub open_registration: bool,
    /// Whether owners and staff need a second step.
    pub require_code: bool,
    /// Hours.
    pub notice: String,
    /// Hours.
    pub cancel_notice: String,
    /// Limits, offers and reminders.
    pub rules: RulesInput,
}

/// The terms a new service starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long before its start it can be booked.
    pub notice_min: i32,
    /// How long before its start it can be cancelled for free.
    pub cancel_notice_min: i32,
}

impl SettingsInput {
    /// The settings that were meant, given the rules that are there. Names of fields: as here; of days: [`DAYS`].
    fn check(&self, preset: super::Preset, stored: &Rules) -> Result<Settings> {
        let mut errors = FieldErrors::new();
        let name = errors.check("name", PersonName::parse(&self.name));
        let zone = errors.check("zone", Zone::parse(self.zone.trim()));
        let locale = errors.check("locale", parse_locale(&self.locale));
        let currency = errors.check("currency", parse_currency(&self.currency));
        let preset = preset.words();
        let mut words = BTreeMap::new();
        for (key, typed, usual) in [
            ("lesson", &self.lesson, &preset.lesson),
            ("student", &self.student, &preset.student),
            ("instructor", &self.instructor, &preset.instructor),
        ] {
            let word = errors.check(key, parse_word(typed)).unwrap_or_default();
            if !word.is_empty() && word != *usual {
                words.insert(key.to_owned(), word);
            }
        }
        let mut opening_hours = Vec::new();
        for (weekday, ((field, _), typed)) in (1..).zip(DAYS.iter().zip(&self.hours)) {
            opening_hours.extend(errors.check(field, parse_day(weekday, typed)).unwrap_or_default());
        }
        let accent = errors.check("accent", parse_accent(&self.accent));
        let notice = errors.check("notice", parse_hours(&self.notice));
        let cancel = errors.check("cancel_notice", parse_hours(&self.cancel_notice));
        let rules = self.rules.check(&mut errors, stored);
        errors.finish()?;
        Ok(Settings {
            name: name.map(|name| name.as_str().to_owned()).unwrap_or_default(),
            zone: zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
            locale: locale.unwrap_or_default().as_str().to_owned(),
            currency: currency.unwrap_or_default(),
            words,
            opening_hours,
            accent: accent.flatten(),
            open_registration: self.open_registration,
            require_code: self.require_code,
            default_notice_min: notice.unwrap_or_default(),
            default_cancel_notice_min: cancel.unwrap_or_default(),
            rules,
        })
    }
}

/// The settings as they are.
///
/// # Errors
/// [`Error::Forbidden`] for anyone but an owner.
pub async fn get(scope: &mut TenantScope) -> Result<Settings> {
    scope.require(Action::EditSettings)?;
    read(scope).await
}

async fn read(scope: &mut TenantScope) -> Result<Settings> {
    let (tenant, conn) = scope.conn();
    let row = sqlx::query!(
        r#"select name, zone, locale, currency, words as "words: Json<BTreeMap<String, String>>",
                  opening_hours as "opening_hours: Json<Vec<WeeklyHour>>", accent, open_registration, require_code,
                  default_notice_min, default_cancel_notice_min, student_max_per_day, student_max_per_week, offer_min,
                  reminder_offsets, quiet_from, quiet_to
           from tenants where id = $1"#,
        tenant
    )
    .fetch_one(conn)
    .await?;
    Ok(Settings {
        name: row.name,
        zone: row.zone,
        locale: row.locale,
        currency: row.currency,
        words: row.words.0,
        opening_hours: row.opening_hours.0,
        accent: row.accent,
        open_registration: row.open_registration,
        require_code: row.require_code,
        default_notice_min: row.default_notice_min,
        default_cancel_notice_min: row.default_cancel_notice_min,
        rules: Rules {
            student_max_per_day: row.student_max_per_day,
            student_max_per_week: row.student_max_per_week,
            offer_min: row.offer_min,
            reminder_offsets: row.reminder_offsets,
            quiet_from: row.quiet_from,
            quiet_to: row.quiet_to,
        },
    })
}

/// When the school is open, for its public page.
///
/// # Errors
/// Of the database.
pub async fn opening_hours(scope: &mut TenantScope) -> Result<Vec<WeeklyHour>> {
    scope.require(Action::ViewSchool)?;
    let (tenant, conn) = scope.conn();
    let hours = sqlx::query_scalar!(
        r#"select opening_hours as "hours: Json<Vec<WeeklyHour>>" from tenants where id = $1"#,
        tenant
    )
    .fetch_one(conn)
    .await?;
    Ok(hours.0)
}

/// The terms a new service starts from.
///
/// # Errors
/// [`Error::Forbidden`] for those who may not edit services.
pub async fn terms(scope: &mut TenantScope) -> Result<Terms> {
    scope.require(Action::EditServices)?;
    let (tenant, conn) = scope.conn();
    let row = sqlx::query!(
        "select default_notice_min, default_cancel_notice_min from tenants where id = $1",
        tenant
    )
    .fetch_one(conn)
    .await?;
    Ok(Terms { notice_min: row.default_notice_min, cancel_notice_min: row.default_cancel_notice_min })
}

/// Saves the form of the settings; records what changed.
///
/// # Errors
/// Field errors; [`Error::Forbidden`] for anyone but an owner.
pub async fn save(scope: &mut TenantScope, typed: &SettingsInput) -> Result<Settings> {
    scope.require(Action::EditSettings)?;
    // Of two who save at once, the second one's record begins with what the first one left.
    let (tenant, conn) = scope.conn();
    sqlx::query!("select id from tenants where id = $1 for no key update", tenant).fetch_one(conn).await?;
    let before = read(scope).await?;
    let after = typed.check(scope.tenant().preset, &before.rules)?;
    if after.require_code && !before.require_code && !has_code(scope).await? {
        // Who asks it of others must not be the first one shut out.
        return Err(Error::field("require_code", "Set up your own second step first."));
    }
    let as_json = |settings: &Settings| serde_json::to_value(settings).map_err(Error::internal);
    let Some((old, new)) = difference(as_json(&before)?, as_json(&after)?) else {
        return Ok(after);
    };
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    sqlx::query!(
        "update tenants set name = $2, zone = $3, locale = $4, currency = $5, words = $6, opening_hours = $7, accent = $8,
             open_registration = $9, require_code = $10, default_notice_min = $11, default_cancel_notice_min = $12,
             student_max_per_day = $13, student_max_per_week = $14, offer_min = $15, reminder_offsets = $16,
             quiet_from = $17, quiet_to = $18, updated_at = $19
         where id = $1",
        tenant,
        after.name,
        after.zone,
        after.locale,
        after.currency,
        serde_json::to_value(&after.words).map_err(Error::internal)?,
        serde_json::to_value(&after.opening_hours).map_err(Error::internal)?,
        after.accent,
        after.open_registration,
        after.require_code,
        after.default_notice_min,
        after.default_cancel_notice_min,
        after.rules.student_max_per_day,
        after.rules.student_max_per_week,
        after.rules.offer_min,
        &after.rules.reminder_offsets[..],
        after.rules.quiet_from,
        after.rules.quiet_to,
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    let entry = Entry {
        action: Action::EditSettings.as_str(),
        entity: "tenant",
        entity_id: Some(tenant),
        before: Some(old),
        after: Some(new),
        reason: None,
    };
    audit::record(scope, entry).await?;
    Ok(after)
}

/// Whether the actor has a second step. A super-admin who acts as an owner can't show theirs.
async fn has_code(scope: &mut TenantScope) -> Result<bool> {
    let user = scope.actor().user.map(|user| user.0);
    let (_, conn) = scope.conn();
    let found = sqlx::query_scalar!(r#"select coalesce(has_code($1), false) as "has_code!""#, user)
        .fetch_one(conn)
        .await?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{rules::tests::usual, *};
    use crate::tenancy::Preset;

    fn typed() -> SettingsInput {
        SettingsInput {
            name: "Cape Drive".into(),
            zone: "Africa/Johannesburg".into(),
            locale: "en-ZA".into(),
            currency: "zar".into(),
            lesson: "drive".into(),
            student: "student".into(),
            hours: std::array::from_fn(|day| if day == 0 { "9:00-12:00".into() } else { String::new() }),
            notice: "2".into(),
            cancel_notice: "24".into(),
            ..SettingsInput::default()
        }
    }

    #[test]
    fn only_words_that_differ_from_the_presets_are_kept() {
        let settings = typed().check(Preset::DrivingSchool, &usual()).unwrap();
        assert_eq!(settings.words, BTreeMap::from([("lesson".to_owned(), "drive".to_owned())]));
        assert_eq!(settings.currency, "ZAR");
        let monday = WeeklyHour { weekday: 1, start_minute: 540, end_minute: 720 };
        assert_eq!(settings.opening_hours, [monday]);
        assert_eq!((settings.default_notice_min, settings.default_cancel_notice_min), (120, 1440));
        assert_eq!(settings.rules, usual());
    }

    #[test]
    fn all_fields_to_mend_are_named_at_once() {
        let mut bad = SettingsInput { accent: "red".into(), ..SettingsInput::default() };
        bad.hours[6] = "late".into();
        bad.rules.reminders = Some("never".into());
        let Err(Error::Invalid(errors)) = bad.check(Preset::Salon, &usual()) else {
            panic!("it should be refused")
        };
        let fields: Vec<&str> = errors.0.keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            ["accent", "cancel_notice", "currency", "locale", "name", "notice", "reminders", "sun", "zone"]
        );
    }
}
