//! The attendance of a day: reading it and saying it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    Attendance, LESSON_NOTE, LONGEST_NOTE, field, fingerprint, may_mark,
    store::{self, Changes, Found},
};
use crate::{
    Error, FieldErrors, Instant, Result, audit,
    authz::{Action, TenantScope},
    booking::{Status, service::reached, store::Whose},
    identity,
    ids::{BookingId, InstructorId},
    paging::{ListQuery, Page},
};

/// The day that is looked at.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The local day.
    pub day: Date,
    /// Only theirs.
    pub instructor: Option<InstructorId>,
    /// Which page of it.
    pub list: ListQuery,
}

/// A lesson whose attendance is or can be said.
#[derive(Clone, Debug)]
pub struct AttendanceRow {
    /// Id.
    pub id: BookingId,
    /// Start.
    pub starts_at: Instant,
    /// End.
    pub ends_at: Instant,
    /// Who takes it.
    pub student_name: String,
    /// Who gives it.
    pub instructor_name: String,
    /// What.
    pub service_name: String,
    /// Where it stands.
    pub status: Status,
    /// What was said.
    pub attendance: Option<Attendance>,
    /// What is kept about it; empty for nothing.
    pub note: String,
}

/// What is said of a lesson. What is missing stays as it is.
#[derive(Clone, Debug)]
pub struct Mark {
    /// Which.
    pub booking: BookingId,
    /// Whether the student came.
    pub attendance: Option<Attendance>,
    /// What to keep about it; empty for nothing.
    pub note: Option<String>,
    /// The [`fingerprint`] of the note that was shown, if it is known.
    pub seen: Option<String>,
}

/// Lessons of a local day that the actor reaches, by start: of today all that take place, of a day before what took
/// place or should have. Of days to come nothing can be said yet.
pub async fn day(scope: &mut TenantScope, asked: &Asked) -> Result<Page<AttendanceRow>> {
    let whose = teaching(scope)?;
    let zone = scope.tenant().zone.clone();
    if asked.day > zone.date(scope.now()) {
        return Ok(Page::new(Vec::new(), 0, &asked.list));
    }
    let (from, to) = (zone.day_start(asked.day), zone.day_start(asked.day.tomorrow().unwrap_or(asked.day)));
    let instructor = whose.instructor.or(asked.instructor);
    let (tenant, conn) = scope.conn();
    let (found, total) = store::between(conn, tenant, instructor, from, to, &asked.list).await?;
    let rows = found.into_iter().map(|lesson| opened(scope, lesson)).collect::<Result<_>>()?;
    Ok(Page::new(rows, total, &asked.list))
}

/// Whose lessons the actor may mark: all of the school, or those they give.
fn teaching(scope: &TenantScope) -> Result<Whose> {
    let whose = reached(scope, Action::CompleteBooking)?;
    // Of a lesson one takes oneself there is nothing to mark.
    if whose.student.is_some() { Err(Error::NotFound) } else { Ok(whose) }
}

fn opened(scope: &TenantScope, lesson: Found) -> Result<AttendanceRow> {
    let note = note_of(scope, &lesson)?;
    let Found {
        id, starts_at, ends_at, student_name, instructor_name, service_name, status, attendance, ..
    } = lesson;
    Ok(AttendanceRow {
        id,
        starts_at,
        ends_at,
        student_name,
        instructor_name,
        service_name,
        status,
        attendance,
        note,
    })
}

fn note_of(scope: &TenantScope, lesson: &Found) -> Result<String> {
    let sealed = lesson.sealed_note.as_deref();
    sealed.map_or(Ok(String::new()), |sealed| scope.vault().open(LESSON_NOTE, lesson.id.0, sealed))
}

/// A change that is due, and what the audit says of it.
struct Change {
    id: BookingId,
    before: Map<String, Value>,
    after: Map<String, Value>,
}

/// Says who came, and keeps notes: all of it or, when one can't be, nothing. Only what differs is written; how many
/// lessons that were.
pub async fn mark(scope: &mut TenantScope, marks: Vec<Mark>) -> Result<usize> {
    let whose = teaching(scope)?;
    let marks = checked(marks)?;
    let ids: Vec<Uuid> = marks.keys().map(|id| id.0).collect();
    let (tenant, conn) = scope.conn();
    let lessons = store::lock(conn, tenant, whose, &ids).await?;
    if lessons.len() < marks.len() {
        return Err(Error::NotFound);
    }
    let mut errors = FieldErrors::new();
    let mut changes = Changes::default();
    let mut done = Vec::new();
    for lesson in &lessons {
        let Some(mark) = marks.get(&lesson.id) else { continue };
        // A mark that says what stands there already changes nothing, whatever the lesson has become.
        let attendance = mark.attendance.filter(|wanted| Some(*wanted) != lesson.attendance);
        if let Some(wanted) = attendance {
            errors.check(&field("attendance", lesson.id), allowed(scope, lesson, wanted));
        }
        let stored = note_of(scope, lesson)?;
        let note = errors.check(&field("notes", lesson.id), new_note(scope, lesson, mark, &stored)).flatten();
        if let Some(change) = change(scope, lesson, attendance, note, &mut changes)? {
            done.push(change);
        }
    }
    errors.finish()?;
    if done.is_empty() {
        return Ok(0);
    }
    let (tenant, conn) = scope.conn();
    store::write(conn, tenant, &changes).await?;
    let count = done.len();
    for change in done {
        let entry = audit::Entry {
            action: Action::CompleteBooking.as_str(),
            entity: "booking",
            entity_id: Some(change.id.0),
            before: Some(Value::Object(change.before)),
            after: Some(Value::Object(change.after)),
            reason: None,
        };
        audit::record(scope, entry).await?;
    }
    Ok(count)
}

/// The marks by lesson, their notes trimmed and short enough.
fn checked(marks: Vec<Mark>) -> Result<BTreeMap<BookingId, Mark>> {
    let mut errors = FieldErrors::new();
    let mut by_lesson = BTreeMap::new();
    for mut mark in marks {
        if let Some(note) = mark.note.take() {
            // Browsers send line breaks as two characters.
            let note = note.replace("\r\n", "\n");
            mark.note = errors.check(&field("notes", mark.booking), identity::text(&note, LONGEST_NOTE));
        }
        by_lesson.entry(mark.booking).or_insert(mark);
    }
    errors.finish()?;
    Ok(by_lesson)
}

/// Whether that can be said of a lesson now; if not, why, naming the lesson.
fn allowed(scope: &TenantScope, lesson: &Found, wanted: Attendance) -> Result<(), String> {
    let clock = scope.tenant().zone.clock(lesson.starts_at);
    let why = if scope.now() < lesson.starts_at {
        "It has not begun. Say afterwards who came."
    } else {
        match may_mark(lesson.status, wanted) {
            Ok(()) => return Ok(()),
            Err(why) => why,
        }
    };
    Err(format!("{clock}, {}: {why}", lesson.student_name))
}

/// The note to write in place of the one that is `stored`; none when it stays.
fn new_note<'a>(
    scope: &TenantScope,
    lesson: &Found,
    mark: &'a Mark,
    stored: &str,
) -> Result<Option<&'a str>, String> {
    let Some(note) = mark.note.as_deref().filter(|note| *note != stored) else { return Ok(None) };
    match mark.seen.as_deref() {
        Some(seen) if seen != fingerprint(stored) && seen == fingerprint(note) => Ok(None),
        Some(seen) if seen != fingerprint(stored) => {
            let clock = scope.tenant().zone.clock(lesson.starts_at);
            let student = &lesson.student_name;
            Err(format!(
                "{clock}, {student}: someone else has changed this note meanwhile. Put both together and save again."
            ))
        }
        _ => Ok(Some(note)),
    }
}

/// Adds what differs to `changes`; nothing when nothing does.
fn change(
    scope: &TenantScope,
    lesson: &Found,
    attendance: Option<Attendance>,
    note: Option<&str>,
    changes: &mut Changes,
) -> Result<Option<Change>> {
    let mut sealed = lesson.sealed_note.clone();
    let mut change = Change { id: lesson.id, before: Map::new(), after: Map::new() };
    if let Some(note) = note {
        // What it says stays between those who may read it; that it changed doesn't.
        change.after.insert("note".into(), json!("changed"));
        sealed = match note {
            "" => None,
            text => Some(scope.vault().seal(LESSON_NOTE, lesson.id.0, text, scope.now())?),
        };
    }
    let status = attendance.map_or(lesson.status, Attendance::status);
    if attendance.is_some() {
        change.before.insert("attendance".into(), json!(lesson.attendance.map(Attendance::as_str)));
        change.after.insert("attendance".into(), json!(attendance.map(Attendance::as_str)));
    }
    if status != lesson.status {
        change.before.insert("status".into(), json!(lesson.status.as_str()));
        change.after.insert("status".into(), json!(status.as_str()));
    }
    if change.after.is_empty() {
        return Ok(None);
    }
    changes.add(lesson.id, status, attendance.or(lesson.attendance), sealed);
    Ok(Some(change))
}
