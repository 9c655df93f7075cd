//! Import of people from CSV (PE-10): all of it or nothing, with the line of every error.

use std::collections::HashSet;

use jiff_sqlx::ToSqlx;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::phones;
use crate::{
    Error, Instant, Result, audit,
    authz::{Action, Reach, TenantScope},
    identity::{Email, PersonName, Phone},
    ids::{InstructorId, StudentId},
    vault::Vault,
};

mod parse;

pub use parse::parse;

/// People in one file at most.
pub const MAX_ROWS: usize = 10_000;
/// The columns, all needed in the header, in any order.
pub const COLUMNS: [&str; 5] = ["kind", "name", "email", "phone", "city"];

/// What a row makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An instructor.
    Instructor,
    /// A student.
    Student,
}

impl Kind {
    /// As in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instructor => "instructor",
            Self::Student => "student",
        }
    }
}

/// A person read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// Instructor or student.
    pub kind: Kind,
    /// Name.
    pub name: PersonName,
    /// E-mail: by it a person is known, so that a file imported twice makes nobody twice.
    pub email: Email,
    /// Phone, when given.
    pub phone: Option<Phone>,
    /// City; may be empty.
    pub city: String,
}

/// What is wrong in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Line of the file, from 1.
    pub line: u64,
    /// Column, or empty when it is the whole line.
    pub column: String,
    /// What to mend.
    pub message: String,
}

impl LineError {
    fn new(line: u64, column: &str, message: impl Into<String>) -> Self {
        Self { line, column: column.to_owned(), message: message.into() }
    }
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// New instructors.
    pub instructors: usize,
    /// New students.
    pub students: usize,
    /// By line. When there is any, nothing was imported.
    pub errors: Vec<LineError>,
    /// Only checked.
    pub dry_run: bool,
}

/// Imports a file, or only checks it. Nothing is written when anything is wrong.
pub async fn import(scope: &mut TenantScope, bytes: &[u8], dry_run: bool) -> Result<Report> {
    if scope.require(Action::ImportPeople)? != Reach::All {
        return Err(Error::NotFound);
    }
    let rows = match parse(bytes) {
        Ok(rows) => rows,
        Err(errors) => {
            return Ok(Report { errors, dry_run, ..Report::default() });
        }
    };
    let (now, vault) = (scope.now(), scope.vault().clone());
    let (tenant, conn) = scope.conn();
    let errors = already_there(&mut *conn, tenant, &rows).await?;
    if !errors.is_empty() {
        return Ok(Report { errors, dry_run, ..Report::default() });
    }
    let (instructors, students): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.kind == Kind::Instructor);
    let report =
        Report { instructors: instructors.len(), students: students.len(), errors: Vec::new(), dry_run };
    if dry_run {
        return Ok(report);
    }
    let instructors =
        Columns::of(&instructors, || InstructorId::new(now).0, (&vault, phones::INSTRUCTORS), now)?;
    insert_instructors(&mut *conn, tenant, now, &instructors).await?;
    let students = Columns::of(&students, || StudentId::new(now).0, (&vault, phones::STUDENTS), now)?;
    insert_students(conn, tenant, now, &students).await?;
    let entry = audit::Entry {
        action: Action::ImportPeople.as_str(),
        entity: "people",
        entity_id: None,
        before: None,
        after: Some(json!({ "instructors": report.instructors, "students": report.students })),
        reason: None,
    };
    audit::record(scope, entry).await?;
    Ok(report)
}

/// An error for each row whose e-mail the school has already.
async fn already_there(conn: &mut PgConnection, tenant: Uuid, rows: &[Row]) -> Result<Vec<LineError>> {
    let emails: Vec<String> = rows.iter().map(|row| row.email.as_str().to_owned()).collect();
    let known = sqlx::query!(
        r#"select 'instructor' as "kind!", i.email as "email!" from instructors i
           where i.tenant_id = $1 and i.deleted_at is null and i.email = any($2::text[])
           union all
           select 'student', s.email from students s
           where s.tenant_id = $1 and s.deleted_at is null and s.email = any($2::text[])"#,
        tenant,
        &emails[..],
    )
    .fetch_all(conn)
    .await?;
    let known: HashSet<(String, String)> = known.into_iter().map(|row| (row.kind, row.email)).collect();
    Ok(rows
        .iter()
        .filter(|row| known.contains(&(row.kind.as_str().to_owned(), row.email.as_str().to_owned())))
        .map(|row| {
            let message = format!("The school has {} with this e-mail already.", with_article(row.kind));
            LineError::new(row.line, "email", message)
        })
        .collect())
}

fn with_article(kind: Kind) -> &'static str {
    match kind {
        Kind::Instructor => "an instructor",
        Kind::Student => "a student",
    }
}

/// The columns of an insert.
struct Columns {
    ids: Vec<Uuid>,
    names: Vec<String>,
    emails: Vec<String>,
    phones: Vec<Option<String>>,
    indexes: Vec<Option<Vec<u8>>>,
    cities: Vec<String>,
}

impl Columns {
    /// Phones are sealed here, each for its row: thousands take milliseconds.
    fn of(rows: &[&Row], id: impl Fn() -> Uuid, (vault, aad): (&Vault, &str), now: Instant) -> Result<Self> {
        let ids: Vec<Uuid> = rows.iter().map(|_| id()).collect();
        let sealed =
            rows.iter().zip(&ids).map(|(row, id)| phones::seal(vault, aad, *id, row.phone.as_ref(), now));
        let (phones, indexes) = sealed.collect::<Result<Vec<_>>>()?.into_iter().unzip();
        Ok(Self {
            ids,
            names: rows.iter().map(|row| row.name.as_str().to_owned()).collect(),
            emails: rows.iter().map(|row| row.email.as_str().to_owned()).collect(),
            phones,
            indexes,
            cities: rows.iter().map(|row| row.city.clone()).collect(),
        })
    }
}

async fn insert_instructors(
    conn: &mut PgConnection,
    tenant: Uuid,
    now: Instant,
    new: &Columns,
) -> Result<()> {
    if new.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into instructors (tenant_id, id, name, email, phone, phone_index, city, created_at)
         select $1::uuid, r.id, r.name, r.email, r.phone, r.phone_index, r.city, $8::timestamptz
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[])
              as r (id, name, email, phone, phone_index, city)",
        tenant,
        &new.ids[..],
        &new.names[..],
        &new.emails[..],
        &new.phones as &[Option<String>],
        &new.indexes as &[Option<Vec<u8>>],
        &new.cities[..],
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

async fn insert_students(conn: &mut PgConnection, tenant: Uuid, now: Instant, new: &Columns) -> Result<()> {
    if new.ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into students (tenant_id, id, name, email, phone, phone_index, city, created_at)
         select $1::uuid, r.id, r.name, r.email, r.phone, r.phone_index, r.city, $8::timestamptz
         from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[])
              as r (id, name, email, phone, phone_index, city)",
        tenant,
        &new.ids[..],
        &new.names[..],
        &new.emails[..],
        &new.phones as &[Option<String>],
        &new.indexes as &[Option<Vec<u8>>],
        &new.cities[..],
        now.to_sqlx(),
    )
    .execute(conn)
    .await?;
    Ok(())
}
