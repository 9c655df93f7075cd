//! Giving students an instructor; saying whether an instructor has been checked.

use leptos::prelude::*;

use crate::{AppError, Outcome};
#[cfg(feature = "ssr")]
use crate::{cx::Cx, ui::plural};
#[cfg(feature = "ssr")]
use domain::{
    ids::InstructorId,
    people::service::{self, Association},
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
    let word = scope.tenant().words().lesson;
    let typed =
        Association { instructor: &instructor, student: &student, lessons: &lessons, expires: &expires };
    let done = service::associate(&mut scope, typed).await?;
    scope.commit().await?;
    let lessons = plural(i64::from(done.lessons), word);
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
