//! From the rows of the engine's question to diaries.

use std::collections::HashMap;

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use jiff_sqlx::Timestamp;
use uuid::Uuid;

use super::engine::{Asked, Diaries};
use crate::{
    Instant,
    availability::{
        Claim, Credit, Diary, Group, Learner, Need, School, Stretch, WeeklyHour, openings::merged,
    },
    ids::{GroupId, InstructorId},
};

/// What a row is of: numbers rather than words, for there are thousands.
mod kind {
    pub(super) const INSTRUCTOR: i32 = 0;
    pub(super) const HOURS: i32 = 1;
    pub(super) const EXCEPTION: i32 = 2;
    pub(super) const BLOCK: i32 = 3;
    pub(super) const CLAIM: i32 = 4;
    pub(super) const GROUP: i32 = 5;
    pub(super) const CREDIT: i32 = 6;
    pub(super) const SEAT: i32 = 7;
    pub(super) const STUDENT_LIMITS: i32 = 8;
    pub(super) const NEED: i32 = 9;
    pub(super) const UNIT: i32 = 10;
    pub(super) const HOLIDAY: i32 = 11;
    pub(super) const LESSON: i32 = 12;
}

/// A row: what it is of decides what its columns say.
pub(super) struct Row {
    pub(super) kind: i32,
    pub(super) subject: Option<Uuid>,
    pub(super) item: Option<Uuid>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    pub(super) lesson_at: Option<Timestamp>,
    pub(super) text: String,
    pub(super) held: bool,
    pub(super) grouped: bool,
    pub(super) a: Option<i32>,
    pub(super) b: Option<i32>,
    pub(super) c: Option<i32>,
    pub(super) d: Option<i32>,
}

/// Rows on their way into diaries.
pub(super) struct Gathering {
    found: Diaries,
    /// Whose diary has which place.
    places: HashMap<Uuid, usize>,
    student: Option<Uuid>,
    needs: Vec<(Uuid, Need)>,
    /// Of a resource, at a place, a unit.
    units: Vec<(Uuid, i32, Uuid)>,
    /// When the lesson that an instructor begins at a moment ends.
    ends: HashMap<(Uuid, Instant), Instant>,
}

impl Gathering {
    pub(super) fn new(asked: &Asked<'_>) -> Self {
        let mut places = HashMap::new();
        for (place, id) in asked.instructors.iter().enumerate() {
            places.entry(id.0).or_insert(place);
        }
        Self {
            found: Diaries {
                instructors: asked.instructors.iter().map(|id| Diary::new(*id)).collect(),
                student: asked.student.map(|_| Learner::default()),
                needs: Vec::new(),
                school: School::default(),
            },
            places,
            student: asked.student.map(|id| id.0),
            needs: Vec::new(),
            units: Vec::new(),
            ends: HashMap::new(),
        }
    }

    pub(super) fn gather(mut self, rows: Vec<Row>) -> Diaries {
        // What claims are of must be known before them.
        for row in rows.iter().filter(|row| row.kind != kind::CLAIM) {
            self.take(row);
        }
        let mut taken = self.claims(rows);
        let Self { mut found, mut needs, mut units, .. } = self;
        for diary in &mut found.instructors {
            diary.hours.sort_unstable();
            diary.blocks.sort_unstable();
            diary.claims.sort_unstable_by_key(|claim| claim.stretch);
        }
        if let Some(student) = &mut found.student {
            student.claims.sort_unstable_by_key(|claim| claim.stretch);
            student.credits.sort_by_key(|credit| credit.expires_at.unwrap_or(Instant::MAX));
        }
        units.sort_unstable();
        needs.sort_by(|(one, a), (other, b)| a.name.cmp(&b.name).then(one.cmp(other)));
        for (resource, need) in &mut needs {
            for (_, _, unit) in units.iter().filter(|(of, ..)| *of == *resource) {
                need.each.push((*unit, merged(taken.remove(unit).unwrap_or_default())));
            }
        }
        found.needs = needs.into_iter().map(|(_, need)| need).collect();
        found
    }

    /// Takes a row of any kind but a claim.
    fn take(&mut self, row: &Row) {
        let stretch = row.stretch();
        match row.kind {
            kind::STUDENT_LIMITS => {
                if let Some(student) = &mut self.found.student {
                    (student.max_per_day, student.max_per_week) = (row.a, row.b);
                }
            }
            kind::CREDIT => {
                if let (Some(student), Some(id), Some(left)) = (&mut self.found.student, row.subject, row.a) {
                    let expires_at = row.ends_at.map(|at| at.to_jiff());
                    student.credits.push(Credit { instructor: InstructorId(id), left, expires_at });
                }
            }
            kind::SEAT => {
                if let Some(student) = &mut self.found.student {
                    student.groups.extend(row.item.map(GroupId));
                }
            }
            kind::NEED => {
                let units = row.a.and_then(|units| usize::try_from(units).ok()).unwrap_or(0);
                let need = Need { name: row.text.clone(), units, each: Vec::new() };
                self.needs.extend(row.item.map(|id| (id, need)));
            }
            kind::UNIT => {
                let unit = row.subject.zip(row.item);
                self.units.extend(unit.map(|(resource, id)| (resource, row.a.unwrap_or(0), id)));
            }
            kind::HOLIDAY => {
                self.found.school.holidays.extend(row.day().map(|day| (day, row.text.clone())));
            }
            kind::LESSON => {
                let lesson = row.subject.zip(stretch);
                self.ends.extend(lesson.map(|(id, lesson)| ((id, lesson.starts_at), lesson.ends_at)));
            }
            _ => {
                let place = row.subject.and_then(|id| self.places.get(&id));
                if let Some(diary) = place.and_then(|place| self.found.instructors.get_mut(*place)) {
                    note(diary, row, stretch);
                }
            }
        }
    }

    /// Puts claims into the diaries of people, and returns those of units.
    fn claims(&mut self, rows: Vec<Row>) -> HashMap<Uuid, Vec<Stretch>> {
        let mut units: HashMap<Uuid, Vec<Stretch>> =
            self.units.iter().map(|(_, _, id)| (*id, Vec::new())).collect();
        for row in rows {
            let (kind::CLAIM, Some(subject), Some(stretch)) = (row.kind, row.subject, row.stretch()) else {
                continue;
            };
            if let Some(taken) = units.get_mut(&subject) {
                taken.push(stretch);
                continue;
            }
            let starts_at = row.lesson_at.map_or(stretch.starts_at, |at| at.to_jiff());
            let ends_at = self.ends.get(&(subject, starts_at)).copied();
            // A lesson lies within what it takes, or the two aren't of one lesson.
            let ends_at = ends_at.filter(|end| *end <= stretch.ends_at).unwrap_or(stretch.ends_at);
            let claim = Claim {
                stretch,
                lesson: Stretch { starts_at, ends_at },
                place: row.text,
                held: row.held,
                group: row.grouped,
            };
            match self.places.get(&subject).and_then(|place| self.found.instructors.get_mut(*place)) {
                Some(diary) => diary.claims.push(claim),
                None if self.student == Some(subject) => {
                    if let Some(student) = &mut self.found.student {
                        student.claims.push(claim);
                    }
                }
                None => {}
            }
        }
        units
    }
}

/// Puts into an instructor's diary what a row says of them.
fn note(diary: &mut Diary, row: &Row, stretch: Option<Stretch>) {
    let minutes =
        |start: Option<i32>, end: Option<i32>| Some((i16::try_from(start?).ok()?, i16::try_from(end?).ok()?));
    match row.kind {
        kind::INSTRUCTOR => {
            diary.travel_min = row.a.unwrap_or(0);
            (diary.max_per_day, diary.max_per_week) = (row.b, row.c);
            diary.weight = row.d.unwrap_or(1);
        }
        kind::HOURS => {
            let weekday = row.a.and_then(|day| i16::try_from(day).ok());
            diary.hours.extend(weekday.zip(minutes(row.b, row.c)).map(
                |(weekday, (start_minute, end_minute))| WeeklyHour { weekday, start_minute, end_minute },
            ));
        }
        kind::EXCEPTION => {
            if let Some(day) = row.day() {
                // Without openings it is a day off.
                diary.exceptions.entry(day).or_default().extend(minutes(row.b, row.c));
            }
        }
        kind::BLOCK => diary.blocks.extend(stretch),
        kind::GROUP => {
            if let (Some(id), Some(Stretch { starts_at, ends_at })) = (row.item, stretch) {
                let (left, capacity) = (row.a.unwrap_or(0), row.b.unwrap_or(0));
                diary.groups.push(Group { id: GroupId(id), starts_at, ends_at, left, capacity });
            }
        }
        _ => {}
    }
}

impl Row {
    fn stretch(&self) -> Option<Stretch> {
        let (from, to) = self.starts_at.zip(self.ends_at)?;
        Some(Stretch { starts_at: from.to_jiff(), ends_at: to.to_jiff() })
    }

    /// A date that came as the number of days since 1970, which spares a type of its own.
    fn day(&self) -> Option<Date> {
        date(1970, 1, 1).checked_add(i64::from(self.a?).days()).ok()
    }
}
