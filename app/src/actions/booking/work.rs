//! The day's work: many lessons taken further at once, and who came.

// A form's fields are arguments.
#![allow(clippy::too_many_arguments)]

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{Code, cx::Cx, safe_path, ui::plural};
#[cfg(feature = "ssr")]
use domain::{
    booking::{
        attendance::{self, Attendance, Mark},
        bulk::{self, BulkDone, Step},
    },
    ids::BookingId,
};

/// Refused lessons that an answer names.
#[cfg(feature = "ssr")]
const NAMED: usize = 5;

/// Takes lessons one step further: `step` is `approve`, `complete`, `no_show` or `cancel`, the last with a reason. One
/// that can't be stays as it is. `back` is where to go then; else to the list.
#[server(endpoint = "booking/bulk", prefix = "/fn")]
pub async fn bulk_status(
    tenant: String,
    #[server(default)] step: String,
    #[server(default)] reason: String,
    #[server(default)] bookings: Vec<String>,
    #[server(default)] back: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let step = Step::parse(&step, &reason)?;
    let ids: Vec<BookingId> = bookings
        .iter()
        .map(|id| id.parse().map_err(|_| domain::Error::NotFound))
        .collect::<Result<_, domain::Error>>()?;
    let all = bulk::bulk(&mut scope, ids, &step).await?;
    let stays = stays(&all);
    if all.done == 0 {
        return Err(AppError::new(Code::Conflict, format!("Nothing was changed.{stays}")));
    }
    let done = plural(i64::try_from(all.done).unwrap_or(i64::MAX), &scope.tenant().words().lesson);
    scope.commit().await?;
    let back = safe_path(&back).filter(|path| path.starts_with("/t/")).map(str::to_owned);
    let next = back.unwrap_or_else(|| format!("/t/{tenant}/bookings"));
    Ok(Outcome::new(next, format!("{done} {}.{stays}", step.done())))
}

/// " 1 stays: Tue 30 Mar, 16:00: It is cancelled.": what follows when some stay as they are.
#[cfg(feature = "ssr")]
fn stays(all: &BulkDone) -> String {
    let count = all.refused.len();
    if count == 0 {
        return String::new();
    }
    let mut text = format!(" {count} {}:", if count == 1 { "stays" } else { "stay" });
    for (_, why) in all.refused.iter().take(NAMED) {
        text.push(' ');
        text.push_str(why);
    }
    if count > NAMED {
        text.push_str(&format!(" And {} more.", count - NAMED));
    }
    text
}

/// Says who came to the lessons of a day, and keeps notes about them. The maps go by `lesson-{id}`: `attendance` holds
/// `present`, `late`, `absent` or `no_show`, `notes` texts, `seen` the fingerprints of the notes that were shown.
/// `instructor` and `page` say which part of the day to go back to.
#[server(endpoint = "booking/attendance", prefix = "/fn")]
pub async fn save_attendance(
    tenant: String,
    #[server(default)] date: String,
    #[server(default)] attendance: BTreeMap<String, String>,
    #[server(default)] notes: BTreeMap<String, String>,
    #[server(default)] seen: BTreeMap<String, String>,
    #[server(default)] instructor: String,
    #[server(default)] page: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let marks = marks(&attendance, &notes, &seen)?;
    let changed = attendance::mark(&mut scope, marks).await?;
    let message = match changed {
        0 => "Nothing has changed since.".to_owned(),
        count => {
            let lessons = plural(i64::try_from(count).unwrap_or(i64::MAX), &scope.tenant().words().lesson);
            format!("Attendance saved: {lessons}.")
        }
    };
    scope.commit().await?;
    let pairs: Vec<(&str, &str)> = [("date", &date), ("instructor", &instructor), ("page", &page)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.as_str()))
        .collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    Ok(Outcome::new(format!("/t/{tenant}/attendance?{query}"), message))
}

/// What was said of each lesson that is named at all.
#[cfg(feature = "ssr")]
fn marks(
    attendance: &BTreeMap<String, String>,
    notes: &BTreeMap<String, String>,
    seen: &BTreeMap<String, String>,
) -> Result<Vec<Mark>, AppError> {
    let mut keys: Vec<&String> = attendance.keys().chain(notes.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| -> Result<Mark, AppError> {
            let booking = attendance::lesson_of(key).ok_or(domain::Error::NotFound)?;
            let said = attendance.get(key).filter(|text| !text.is_empty());
            let said = said
                .map(|text| {
                    Attendance::parse(text).ok_or_else(|| {
                        let field = attendance::field("attendance", booking);
                        AppError::field(&field, "Choose Present, Late, Absent or No-show.")
                    })
                })
                .transpose()?;
            let (note, seen) = (notes.get(key).cloned(), seen.get(key).cloned());
            Ok(Mark { booking, attendance: said, note, seen })
        })
        .collect()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_named_up_to_a_point() {
        let id = BookingId(uuid::Uuid::nil());
        let of =
            |count: usize| BulkDone { done: 1, refused: vec![(id, "Tue 30 Mar, 16:00: Why.".into()); count] };
        assert_eq!(stays(&of(0)), "");
        assert_eq!(stays(&of(1)), " 1 stays: Tue 30 Mar, 16:00: Why.");
        assert!(stays(&of(7)).ends_with("Why. And 2 more."));
    }

    #[test]
    fn lessons_are_named_by_their_fields() {
        let id = BookingId(uuid::Uuid::from_u128(7));
        let map = |value: &str| BTreeMap::from([(format!("lesson-{id}"), value.to_owned())]);
        let read = marks(&map("late"), &map("Parks well"), &BTreeMap::new()).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].booking, read[0].attendance), (id, Some(Attendance::Late)));
        assert_eq!(read[0].note.as_deref(), Some("Parks well"));
        assert!(marks(&map("here"), &BTreeMap::new(), &BTreeMap::new()).is_err());
        let stray = BTreeMap::from([(id.to_string(), "late".to_owned())]);
        assert!(marks(&stray, &BTreeMap::new(), &BTreeMap::new()).is_err());
    }
}
