//! The staff's form: a lesson for someone else, as it was typed.

use std::str::FromStr;

use uuid::Uuid;

use super::{
    Booking,
    create::{BookRequest, Who, book},
    local_time,
};
use crate::{
    Error, FieldErrors, Result,
    authz::{Action, TenantScope},
    identity,
    ids::StudentId,
    people,
};

/// What was typed.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// An id, an e-mail address or a name.
    pub student: String,
    /// An id, or `any`.
    pub instructor: String,
    /// An id.
    pub service: String,
    /// A local day.
    pub date: String,
    /// A local time.
    pub time: String,
    /// `first` or `second`, of a time that the clock shows twice.
    pub which: String,
    /// What the instructor should know.
    pub note: String,
    /// Where to pick the student up.
    pub pickup: String,
    /// The same key asks for the same lesson.
    pub idempotency_key: Option<String>,
}

/// Books a lesson for a student.
pub async fn book_typed(scope: &mut TenantScope, typed: Typed) -> Result<Booking> {
    scope.require(Action::BookForStudent)?;
    let mut errors = FieldErrors::new();
    let name = errors.check("student", identity::text(&typed.student, 320)).unwrap_or_default();
    for (field, value, message) in [
        ("student", &typed.student, "Say who it is for: a name or an e-mail address."),
        ("service", &typed.service, "Choose a service."),
        ("instructor", &typed.instructor, "Choose who gives it, or any."),
    ] {
        if value.trim().is_empty() {
            errors.add(field, message);
        }
    }
    let zone = &scope.tenant().zone;
    let starts_at = errors.take(local_time(zone, &typed.date, &typed.time, &typed.which))?;
    errors.finish()?;
    let request = BookRequest {
        service: id(&typed.service)?,
        also: Vec::new(),
        instructor: if typed.instructor == "any" { None } else { Some(id(&typed.instructor)?) },
        student: Who::Student(student_named(scope, &name).await?),
        starts_at: starts_at.ok_or(Error::NotFound)?,
        note: typed.note,
        pickup: typed.pickup,
        idempotency_key: typed.idempotency_key,
        hold: None,
    };
    book(scope, request).await
}

fn id<T: FromStr>(text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| Error::NotFound)
}

/// Who is meant by an id, an e-mail address or a name.
pub(super) async fn student_named(scope: &mut TenantScope, text: &str) -> Result<StudentId> {
    let (tenant, conn) = scope.conn();
    let found = people::store::find_student(conn, tenant, text).await?;
    match found.as_slice() {
        [one] => Ok(StudentId(one.id)),
        [] if text.parse::<Uuid>().is_ok() => Err(Error::NotFound),
        [] => Err(Error::field("student", "Nobody has this name or e-mail address. Check the spelling.")),
        several => {
            let emails: Vec<&str> =
                several.iter().map(|person| person.email.as_deref().unwrap_or("no e-mail")).collect();
            let message = format!("Several have this name ({}). Type the e-mail address.", emails.join(", "));
            Err(Error::field("student", message))
        }
    }
}
