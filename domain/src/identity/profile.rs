//! What someone says of themselves beyond name and address: asked of instructors (AC-07), seen by the schools they
//! belong to.

use jiff_sqlx::ToSqlx;
use serde_json::json;

use super::{
    account::{in_person, record},
    text,
};
use crate::{
    Error, FieldErrors, Result,
    authz::{Action, Reach, TenantScope, UserScope},
    ids::UserId,
};

/// Where the id number is kept.
const ID_NUMBER: &str = "profiles.id_number";

/// A profile; what isn't given is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Number of an identity document.
    pub id_number: String,
    /// Street and number.
    pub address: String,
    /// Suburb.
    pub suburb: String,
    /// City.
    pub city: String,
    /// Province.
    pub province: String,
    /// Where lessons begin.
    pub pickup: String,
    /// Where that is: latitude and longitude, in degrees.
    pub pickup_at: Option<(f64, f64)>,
}

/// A profile as typed.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProfileInput<'a> {
    /// Number of an identity document.
    pub id_number: &'a str,
    /// Street and number.
    pub address: &'a str,
    /// Suburb.
    pub suburb: &'a str,
    /// City.
    pub city: &'a str,
    /// Province.
    pub province: &'a str,
    /// Where lessons begin.
    pub pickup: &'a str,
    /// Its latitude, in degrees.
    pub pickup_lat: &'a str,
    /// Its longitude, in degrees.
    pub pickup_lon: &'a str,
}

impl ProfileInput<'_> {
    fn check(&self) -> Result<Profile> {
        let mut errors = FieldErrors::new();
        let mut line = |field: &str, typed: &str, max| {
            let found = text(typed, max).and_then(|text| match text.chars().any(char::is_control) {
                true => Err("Write this on one line.".to_owned()),
                false => Ok(text),
            });
            errors.check(field, found).unwrap_or_default()
        };
        let mut profile = Profile {
            id_number: line("id_number", self.id_number, 50),
            address: line("address", self.address, 300),
            suburb: line("suburb", self.suburb, 100),
            city: line("city", self.city, 100),
            province: line("province", self.province, 100),
            pickup: line("pickup", self.pickup, 300),
            pickup_at: None,
        };
        profile.pickup_at = match (self.pickup_lat.trim(), self.pickup_lon.trim()) {
            ("", "") => None,
            (lat, lon) => {
                let lat = errors.check("pickup_lat", degrees(lat, 90.0));
                let lon = errors.check("pickup_lon", degrees(lon, 180.0));
                lat.zip(lon)
            }
        };
        errors.finish()?;
        Ok(profile)
    }
}

/// Degrees with a point or a comma, from minus to plus `most`.
fn degrees(typed: &str, most: f64) -> Result<f64, String> {
    let number = typed.replace(',', ".").parse::<f64>().ok();
    number
        .filter(|number| number.abs() <= most)
        .ok_or_else(|| format!("Give degrees from -{most} to {most}, like -33.9249; or leave both empty."))
}

/// One's own.
///
/// # Errors
/// Of the database, or of the keys.
pub async fn get(scope: &mut UserScope) -> Result<Profile> {
    let vault = scope.vault().clone();
    let (user, conn) = scope.conn();
    let row = sqlx::query!("select * from profiles where user_id = $1", user).fetch_optional(conn).await?;
    let Some(row) = row else {
        return Ok(Profile::default());
    };
    Ok(Profile {
        id_number: vault.open_some(ID_NUMBER, user, row.id_number)?.unwrap_or_default(),
        address: row.address,
        suburb: row.suburb,
        city: row.city,
        province: row.province,
        pickup: row.pickup,
        pickup_at: row.pickup_lat.zip(row.pickup_lon),
    })
}

/// Saves one's own.
///
/// # Errors
/// Field errors, all at once.
pub async fn save(scope: &mut UserScope, input: ProfileInput<'_>) -> Result<()> {
    in_person(scope.caller())?;
    let new = input.check()?;
    let before = get(scope).await?;
    if new == before {
        return Ok(());
    }
    let (now, vault) = (scope.now(), scope.vault().clone());
    let (user, conn) = scope.conn();
    let id_number = match new.id_number.as_str() {
        "" => None,
        number => Some(vault.seal(ID_NUMBER, user, number, now)?),
    };
    sqlx::query!(
        "insert into profiles (user_id, id_number, address, suburb, city, province, pickup, pickup_lat, pickup_lon, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (user_id) do update set
             id_number = excluded.id_number, address = excluded.address, suburb = excluded.suburb, city = excluded.city,
             province = excluded.province, pickup = excluded.pickup, pickup_lat = excluded.pickup_lat,
             pickup_lon = excluded.pickup_lon, updated_at = excluded.updated_at",
        user,
        id_number,
        new.address,
        new.suburb,
        new.city,
        new.province,
        new.pickup,
        new.pickup_at.map(|(lat, _)| lat),
        new.pickup_at.map(|(_, lon)| lon),
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    // Where someone lives doesn't belong in a record that can't be erased: only which parts changed.
    record(scope, "account.profile", (None, Some(json!({ "changed": changed(&before, &new) })))).await
}

/// The names of the parts that differ.
fn changed(before: &Profile, after: &Profile) -> Vec<&'static str> {
    [
        ("id_number", before.id_number != after.id_number),
        ("address", before.address != after.address),
        ("suburb", before.suburb != after.suburb),
        ("city", before.city != after.city),
        ("province", before.province != after.province),
        ("pickup", before.pickup != after.pickup || before.pickup_at != after.pickup_at),
    ]
    .into_iter()
    .filter_map(|(name, differs)| differs.then_some(name))
    .collect()
}

/// That of a member or of someone who has applied, for those who run the school.
///
/// # Errors
/// [`Error::NotFound`] for everyone else.
pub async fn of_member(scope: &mut TenantScope, user: UserId) -> Result<Option<Profile>> {
    if scope.require(Action::ViewInstructors)? != Reach::All {
        return Err(Error::NotFound);
    }
    let vault = scope.vault().clone();
    let (tenant, conn) = scope.conn();
    let row = sqlx::query!(
        "select p.* from profiles p
         join memberships m on m.tenant_id = $1 and m.user_id = p.user_id and m.status in ('pending', 'active')
         where p.user_id = $2",
        tenant,
        user.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(Profile {
            id_number: vault.open_some(ID_NUMBER, user.0, row.id_number)?.unwrap_or_default(),
            address: row.address,
            suburb: row.suburb,
            city: row.city,
            province: row.province,
            pickup: row.pickup,
            pickup_at: row.pickup_lat.zip(row.pickup_lon),
        })
    })
    .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_read_as_people_write_them() {
        assert_eq!(degrees("-33.9249", 90.0), Ok(-33.9249));
        assert_eq!(degrees("18,4241", 180.0), Ok(18.4241));
        for bad in ["", "90.1", "-90.1", "NaN", "inf", "33° S", "1,2,3"] {
            assert!(degrees(bad, 90.0).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_profile_names_all_that_is_wrong() {
        let long = "x".repeat(301);
        let input =
            ProfileInput { address: &long, city: "Cape\nTown", pickup_lat: "91", ..ProfileInput::default() };
        let Err(Error::Invalid(errors)) = input.check() else { panic!("it passed") };
        let fields: Vec<&str> = errors.0.keys().map(String::as_str).collect();
        assert_eq!(fields, ["address", "city", "pickup_lat", "pickup_lon"]);
    }

    #[test]
    fn the_record_says_which_parts_changed() {
        let input = ProfileInput {
            city: " Cape Town ",
            pickup_lat: "-33.9",
            pickup_lon: "18.4",
            ..Default::default()
        };
        let profile = input.check().unwrap();
        assert_eq!(profile.pickup_at, Some((-33.9, 18.4)));
        assert_eq!(changed(&Profile::default(), &profile), ["city", "pickup"]);
        assert!(changed(&profile, &profile).is_empty());
    }
}
