//! Operations on people.

use serde_json::json;

use super::{
    Board, CHOICE_LIMIT, Choices, InstructorDetail, InstructorFilter, InstructorRow, Person, StudentDetail,
    StudentRow, Verification, board_store, instructor_store, phones, store, student_store, week,
};
use crate::{
    Error, FieldErrors, Result, audit,
    authz::{Action, Reach, TenantScope, policy},
    ids::{InstructorId, PackId, StudentId},
    notify::{self, Mail},
    packs,
    paging::{ListQuery, Page},
    tenancy::parse_reason,
};

/// Whom the actor is held to: `None` when they may see all, else their own instructor record.
pub(crate) fn own_instructor(scope: &TenantScope, reach: Reach) -> Result<Option<InstructorId>> {
    match reach {
        Reach::All => Ok(None),
        _ => scope.actor().instructor().map(Some).ok_or(Error::NotFound),
    }
}

/// A page of instructors with their mentees (PE-01, PE-02); an instructor sees themselves.
pub async fn instructors(scope: &mut TenantScope, filter: &InstructorFilter) -> Result<Page<InstructorRow>> {
    let own = own_instructor(scope, scope.require(Action::ViewInstructors)?)?;
    let now = scope.now();
    let (tenant, conn) = scope.conn();
    let (mut rows, total) = instructor_store::list(conn, tenant, now, own, filter).await?;
    for row in &mut rows {
        row.phone = scope.vault().open_some(phones::INSTRUCTORS, row.id.0, row.phone.take())?;
    }
    Ok(Page::new(rows, total, &filter.list))
}

/// The cities to filter instructors by.
pub async fn cities(scope: &mut TenantScope) -> Result<Vec<String>> {
    let own = own_instructor(scope, scope.require(Action::ViewInstructors)?)?;
    let (tenant, conn) = scope.conn();
    instructor_store::cities(conn, tenant, own).await
}

/// One instructor's page; an instructor's own only.
pub async fn instructor(scope: &mut TenantScope, id: InstructorId) -> Result<InstructorDetail> {
    let own = own_instructor(scope, scope.require(Action::ViewInstructors)?)?;
    if own.is_some_and(|own| own != id) {
        return Err(Error::NotFound);
    }
    let (now, choices) = (scope.now(), choice_limit(scope));
    let (tenant, conn) = scope.conn();
    let mut found = instructor_store::detail(conn, tenant, now, id, choices).await?.ok_or(Error::NotFound)?;
    found.row.phone = scope.vault().open_some(phones::INSTRUCTORS, id.0, found.row.phone)?;
    Ok(found)
}

/// The acting instructor's own page, for their dashboard (PE-05).
pub async fn desk(scope: &mut TenantScope) -> Result<InstructorDetail> {
    let id = scope.actor().instructor().ok_or(Error::NotFound)?;
    instructor(scope, id).await
}

/// A page of students; an instructor sees their mentees.
pub async fn students(scope: &mut TenantScope, query: &ListQuery) -> Result<Page<StudentRow>> {
    let own = own_instructor(scope, scope.require(Action::ViewStudents)?)?;
    let now = scope.now();
    let phone = phones::sought(scope.vault(), &query.q)?;
    let (tenant, conn) = scope.conn();
    let (mut rows, total) = student_store::list(conn, tenant, now, own, query, phone.as_ref()).await?;
    for row in &mut rows {
        row.phone = scope.vault().open_some(phones::STUDENTS, row.id.0, row.phone.take())?;
    }
    Ok(Page::new(rows, total, query))
}

/// One student's page, by the same reach as [`student`].
pub async fn student_detail(scope: &mut TenantScope, id: StudentId) -> Result<StudentDetail> {
    let own = own_instructor(scope, scope.require(Action::ViewStudents)?)?;
    let (tenant, conn) = scope.conn();
    let mut found = student_store::detail(conn, tenant, id, own).await?.ok_or(Error::NotFound)?;
    found.phone = scope.vault().open_some(phones::STUDENTS, id.0, found.phone)?;
    Ok(found)
}

/// All instructors by name, for the same.
pub async fn pick_instructors(scope: &mut TenantScope) -> Result<Vec<(InstructorId, String)>> {
    require_pick(scope)?;
    let (tenant, conn) = scope.conn();
    store::pick_instructors(conn, tenant).await
}

fn require_pick(scope: &TenantScope) -> Result<()> {
    let reach = scope.require(Action::BookForStudent).or_else(|_| scope.require(Action::Associate))?;
    if reach == Reach::All { Ok(()) } else { Err(Error::NotFound) }
}

/// Whether the actor may give students an instructor.
pub fn may_associate(scope: &TenantScope) -> bool {
    policy::reach(scope.actor().role, Action::Associate) == Reach::All
}

/// Students to load for a choice: one more than a select shows, to see that there are more.
fn choice_limit(scope: &TenantScope) -> i64 {
    if may_associate(scope) { CHOICE_LIMIT as i64 + 1 } else { 0 }
}

/// Whom to choose from when associating.
pub async fn choices(scope: &mut TenantScope) -> Result<Choices> {
    scope.require(Action::Associate)?;
    let limit = choice_limit(scope);
    let (tenant, conn) = scope.conn();
    store::choices(conn, tenant, limit).await
}

/// A student given an instructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Associated {
    /// The new pack.
    pub pack: PackId,
    /// Who.
    pub student: StudentId,
    /// Their name.
    pub student_name: String,
    /// With whom.
    pub instructor_name: String,
    /// Lessons in the pack.
    pub lessons: i32,
}

/// What the form of [`associate`] says, as typed.
#[derive(Clone, Copy, Debug)]
pub struct Association<'a> {
    /// The instructor's id.
    pub instructor: &'a str,
    /// The student's id, e-mail or name.
    pub student: &'a str,
    /// How many lessons; empty is the default.
    pub lessons: &'a str,
    /// The pack's last day; empty is no expiry.
    pub expires: &'a str,
}

/// Gives a student an instructor and a pack, without payment (PE-03).
pub async fn associate(scope: &mut TenantScope, typed: Association<'_>) -> Result<Associated> {
    const REASON: &str = "Associated by hand";
    scope.require(Action::Associate)?;
    let (now, actor, zone) = (scope.now(), scope.actor().user, scope.tenant().zone.clone());
    let mut errors = FieldErrors::new();
    let instructor = errors.check("instructor", parse_instructor(typed.instructor));
    let lessons = errors.check("lessons", packs::parse_lessons(typed.lessons));
    let expires_at = errors.check("expires", packs::parse_expiry(typed.expires, &zone, now));
    let (tenant, conn) = scope.conn();
    let found = store::find_student(&mut *conn, tenant, typed.student).await?;
    if found.is_empty() && typed.student.trim().parse::<StudentId>().is_ok() {
        return Err(Error::NotFound);
    }
    let student = errors.check("student", the_one(found));
    let (Some(instructor), Some(lessons), Some(expires_at), Some(student)) =
        (instructor, lessons, expires_at, student)
    else {
        return Err(Error::Invalid(errors));
    };
    let (instructor_name, seats) =
        store::lock_instructor(&mut *conn, tenant, instructor).await?.ok_or(Error::NotFound)?;
    let (pack, student_id) = (PackId::new(now), StudentId(student.id));
    let new = store::NewPack { student: student_id, instructor, lessons, expires_at, actor, reason: REASON };
    if !store::associate(conn, tenant, now, pack, new).await? {
        return Err(Error::field("instructor", format!("All {seats} seats of {instructor_name} are taken.")));
    }
    let entry = audit::Entry {
        action: Action::Associate.as_str(),
        entity: "pack",
        entity_id: Some(pack.0),
        before: None,
        after: Some(json!({
            "student": student_id, "instructor": instructor, "lessons": lessons,
            "expires_at": expires_at.map(|at| at.to_string()),
        })),
        reason: Some(REASON),
    };
    audit::record(scope, entry).await?;
    Ok(Associated { pack, student: student_id, student_name: student.name, instructor_name, lessons })
}

fn parse_instructor(text: &str) -> Result<InstructorId, String> {
    text.trim().parse().map_err(|_| "Choose an instructor.".to_owned())
}

/// The one person that was meant, or what to type instead.
fn the_one(mut found: Vec<Person>) -> Result<Person, String> {
    match found.len() {
        0 => Err("No student has this e-mail or name. Check the spelling, or choose another.".to_owned()),
        1 => Ok(found.remove(0)),
        _ => {
            let emails: Vec<&str> = found.iter().filter_map(|person| person.email.as_deref()).collect();
            if emails.is_empty() {
                Err("Several students have this name. Open the one you mean and copy the id from its address.".to_owned())
            } else {
                Err(format!(
                    "Several students have this name. Type the e-mail instead: {}.",
                    emails.join(", ")
                ))
            }
        }
    }
}

/// Sets whether an instructor has been checked; says their name. Who has applied to teach becomes a member when
/// verified, and does not when rejected.
pub async fn verify(scope: &mut TenantScope, id: InstructorId, state: &str) -> Result<String> {
    scope.require(Action::VerifyInstructor)?;
    let Some(state) = Verification::parse(state) else {
        return Err(Error::field("verification", "Choose pending, verified or rejected."));
    };
    answer(scope, id, state, None).await
}

/// Turns down an instructor who is pending, or an account that says to be one of the school's; says their name.
///
/// # Errors
/// [`Error::Conflict`] when nobody waits for an answer any more.
pub async fn reject(scope: &mut TenantScope, id: InstructorId, reason: &str) -> Result<String> {
    scope.require(Action::VerifyInstructor)?;
    let reason = parse_reason(reason)?;
    let (tenant, conn) = scope.conn();
    let (name, state, applied) = store::waiting(conn, tenant, id).await?.ok_or(Error::NotFound)?;
    // Whom the school itself has verified stays so; only who says to be them is turned down.
    let next = match Verification::parse(&state) {
        Some(Verification::Verified) if applied => Verification::Verified,
        Some(Verification::Pending) => Verification::Rejected,
        Some(Verification::Rejected) if applied => Verification::Rejected,
        _ => return Err(Error::Conflict(format!("{name} is {state} already."))),
    };
    answer(scope, id, next, Some(&reason)).await
}

async fn answer(
    scope: &mut TenantScope,
    id: InstructorId,
    state: Verification,
    reason: Option<&str>,
) -> Result<String> {
    let (now, school) = (scope.now(), scope.tenant().name.clone());
    let (tenant, conn) = scope.conn();
    let (name, before) = store::verify(conn, tenant, id, state).await?.ok_or(Error::NotFound)?;
    // What is said with a reason is a no.
    let membership = match (reason, state) {
        (Some(_), _) | (None, Verification::Rejected) => "revoked",
        (None, Verification::Verified) => "active",
        (None, Verification::Pending) => "pending",
    };
    let account = store::answer_applicant(conn, tenant, id, membership, now).await?;
    let (mut was, mut is) = (json!({ "verification": before }), json!({ "verification": state }));
    if let Some(account) = account.as_ref().filter(|account| account.applied && membership != "pending") {
        was["membership"] = json!({ "user": account.user, "status": "pending" });
        is["membership"] = json!({ "user": account.user, "status": membership });
    }
    if let Some(store::Behind { email: Some(email), applied, .. }) = account
        && membership == "active"
        && (applied || before != state.as_str())
    {
        let mail = Mail::Verified { school, name: name.clone() };
        notify::enqueue(scope, &email, &mail, None, None).await?;
    }
    let entry = audit::Entry {
        action: Action::VerifyInstructor.as_str(),
        entity: "instructor",
        entity_id: Some(id.0),
        before: Some(was),
        after: Some(is),
        reason,
    };
    audit::record(scope, entry).await?;
    Ok(name)
}

/// The school's dashboard: figures, the week by day, and what waits for an answer.
pub async fn board(scope: &mut TenantScope) -> Result<Board> {
    if scope.require(Action::ViewStudents)? != Reach::All {
        return Err(Error::NotFound);
    }
    let now = scope.now();
    let zone = &scope.tenant().zone;
    let days = week(zone, now).map(|day| zone.day_start(day));
    let (tenant, conn) = scope.conn();
    board_store::board(conn, tenant, now, &days).await
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn person(email: Option<&str>) -> Person {
        Person { id: Uuid::nil(), name: "Kim".into(), email: email.map(str::to_owned), user: None }
    }

    #[test]
    fn a_name_that_several_have_names_their_emails() {
        assert!(the_one(vec![]).is_err());
        assert_eq!(the_one(vec![person(None)]), Ok(person(None)));
        let message = the_one(vec![person(Some("a@x.test")), person(Some("b@x.test"))]).expect_err("two");
        assert!(message.contains("a@x.test, b@x.test"), "{message}");
        assert!(the_one(vec![person(None), person(None)]).is_err());
    }
}
