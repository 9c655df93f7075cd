//! Giving students an instructor; answering instructors who apply; removing people and bringing them back.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, ui::plural};
#[cfg(feature = "ssr")]
use domain::{
    ids::InstructorId,
    people::{
        remove::{self as removing, Kind},
        service::{self, Association},
    },
};

/// Gives a student (by id, e-mail or name) an instructor and a pack of lessons.
#[server(endpoint = "people/associate", prefix = "/fn")]
pub async fn associate(
    tenant: String,
    instructor: String,
    student: String,
    #[server(default)] lessons: String,
    #[server(default)] expires: String,
) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let word = scope.tenant().words().lesson.clone();
    let typed =
        Association { instructor: &instructor, student: &student, lessons: &lessons, expires: &expires };
    let done = service::associate(&mut scope, typed).await?;
    scope.commit().await?;
    let lessons = plural(i64::from(done.lessons), &word);
    let message = format!("{} is with {} now: {lessons}.", done.student_name, done.instructor_name);
    Ok(Outcome::new(format!("/t/{tenant}/students/{}", done.student), message).with_id(done.pack))
}

/// Sets whether an instructor has been checked: pending, verified or rejected.
#[server(endpoint = "people/verify", prefix = "/fn")]
pub async fn verify(tenant: String, instructor: String, verification: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id: InstructorId = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let name = service::verify(&mut scope, id, &verification).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), format!("{name} is {verification} now.")))
}

/// Turns down an instructor who is pending.
#[server(endpoint = "people/reject", prefix = "/fn")]
pub async fn reject(tenant: String, instructor: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let id: InstructorId = instructor.parse().map_err(|_| domain::Error::NotFound)?;
    let name = service::reject(&mut scope, id, &reason).await?;
    scope.commit().await?;
    Ok(Outcome::new(format!("/t/{tenant}/instructors/{id}"), format!("{name} is rejected.")))
}

/// Removes a person: `kind` is `instructor` or `student`.
#[server(endpoint = "people/remove", prefix = "/fn")]
pub async fn remove(tenant: String, kind: String, id: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let kind = removing::parse_kind(&kind)?;
    let id: uuid::Uuid = id.parse().map_err(|_| domain::Error::NotFound)?;
    let name = removing::remove(&mut scope, kind, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is removed. What took place stays, and you can restore them at any time.");
    Ok(Outcome::new(format!("/t/{tenant}/{}", list(kind)), message).with_id(id))
}

/// Brings a removed person back: `kind` is `instructor` or `student`.
#[server(endpoint = "people/restore", prefix = "/fn")]
pub async fn restore(tenant: String, kind: String, id: String, reason: String) -> Result<Outcome, AppError> {
    let cx = Cx::current()?;
    let mut scope = cx.member(&tenant).await?;
    let kind = removing::parse_kind(&kind)?;
    let id: uuid::Uuid = id.parse().map_err(|_| domain::Error::NotFound)?;
    let name = removing::restore(&mut scope, kind, id, &reason).await?;
    scope.commit().await?;
    let message = format!("{name} is back, with all there was.");
    Ok(Outcome::new(format!("/t/{tenant}/{}/{id}", list(kind)), message).with_id(id))
}

/// The list of a kind, as its address names it.
#[cfg(feature = "ssr")]
fn list(kind: Kind) -> &'static str {
    match kind {
        Kind::Instructor => "instructors",
        Kind::Student => "students",
    }
}
