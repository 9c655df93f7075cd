//! Why a time isn't free, in words (BK-05).

use crate::tenancy::Words;

/// Why a time can't be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// It has passed.
    Past,
    /// The service needs this many minutes of notice.
    TooSoon(i32),
    /// The service is booked at most this many days ahead.
    TooFar(i32),
    /// The instructor doesn't work then.
    OutsideHours,
    /// The instructor has that day off.
    DayOff,
    /// The school is closed that day, which is called so.
    Holiday(String),
    /// The instructor has blocked that time.
    Blocked,
    /// Another lesson is there.
    Taken,
    /// Someone is about to book it, or it is offered to someone.
    Held,
    /// The instructor, or something it needs, has no time then: all that strangers are told of a diary.
    Busy,
    /// Before or after another lesson the instructor needs time.
    Buffer,
    /// The instructor has a lesson elsewhere, this many minutes away.
    Travel(i32),
    /// The instructor gives at most this many lessons a day.
    InstructorDay(i32),
    /// The instructor gives at most this many lessons a week.
    InstructorWeek(i32),
    /// A student takes at most this many lessons a day.
    StudentDay(i32),
    /// A student takes at most this many lessons a week.
    StudentWeek(i32),
    /// The student has another lesson then.
    OwnLesson,
    /// The student has a seat of this group lesson already.
    InGroup,
    /// No seat of this group lesson is left.
    GroupFull,
    /// Too little of this resource is free.
    Resource(String),
    /// The student has no prepaid lesson left with the instructor.
    NoCredit,
}

impl WhyNot {
    /// Whether someone or something is there already: another time, or someone else, may do.
    pub fn is_taken(&self) -> bool {
        matches!(
            self,
            Self::Taken
                | Self::Held
                | Self::Busy
                | Self::Buffer
                | Self::Travel(_)
                | Self::OwnLesson
                | Self::InGroup
                | Self::GroupFull
                | Self::Resource(_)
        )
    }

    /// How much of the way to a free time has been gone when this is what remains: the order in which causes are looked
    /// for, with seats of a group lesson, for which nothing else was asked, before what the student is to blame for.
    pub fn nearness(&self) -> u8 {
        match self {
            Self::Past => 0,
            Self::TooSoon(_) => 1,
            Self::TooFar(_) => 2,
            Self::Holiday(_) => 3,
            Self::DayOff => 4,
            Self::OutsideHours => 5,
            Self::Blocked => 6,
            Self::Taken => 7,
            Self::Held | Self::Busy => 8,
            Self::Buffer => 9,
            Self::Travel(_) => 10,
            Self::InstructorDay(_) => 11,
            Self::InstructorWeek(_) => 12,
            Self::Resource(_) => 13,
            Self::GroupFull => 14,
            Self::InGroup => 15,
            Self::OwnLesson => 16,
            Self::StudentDay(_) => 17,
            Self::StudentWeek(_) => 18,
            Self::NoCredit => 19,
        }
    }

    /// The same for someone who doesn't belong to the school: asking minute by minute must not draw anyone's diary.
    pub fn for_strangers(self) -> Self {
        match self {
            Self::DayOff
            | Self::Blocked
            | Self::Taken
            | Self::Held
            | Self::Buffer
            | Self::Travel(_)
            | Self::InstructorDay(_)
            | Self::InstructorWeek(_)
            | Self::Resource(_) => Self::Busy,
            other => other,
        }
    }

    /// Of the causes of several instructors, that of the one who comes nearest to free; of two who come as near, that of
    /// the first.
    pub fn closest(causes: impl IntoIterator<Item = Self>) -> Option<Self> {
        causes.into_iter().reduce(|best, next| if next.nearness() > best.nearness() { next } else { best })
    }

    /// For people, beside the field of the time.
    pub fn message(&self, words: &Words) -> String {
        let Words { lesson, student, instructor } = words;
        match self {
            Self::Past => "This time has passed. Choose a later one.".into(),
            Self::TooSoon(min) => {
                format!("Too soon: this service needs {} notice. Choose a later time.", length(*min))
            }
            Self::TooFar(1) => "Too far ahead: this service is booked at most 1 day ahead.".into(),
            Self::TooFar(days) => {
                format!("Too far ahead: this service is booked at most {days} days ahead.")
            }
            Self::OutsideHours => format!("Outside the {instructor}'s hours. Choose another time."),
            Self::DayOff => format!("The {instructor} has that day off. Choose another day."),
            Self::Holiday(name) => format!("Closed that day: {name}. Choose another day."),
            Self::Blocked => format!("The {instructor} has blocked this time. Choose another one."),
            Self::Busy => "This time is taken. Choose another one.".into(),
            Self::Taken => {
                format!("The {instructor} has another {lesson} then. Choose another time.")
            }
            Self::Held => {
                format!("This time is kept for another {student}. Choose another one, or look again later.")
            }
            Self::Buffer => format!(
                "Too close to another {lesson}: the {instructor} needs time between them. Choose another time."
            ),
            Self::Travel(min) => format!(
                "Too close to another {lesson} elsewhere: the {instructor} needs {} to get there. Choose another time.",
                length(*min)
            ),
            Self::InstructorDay(most) => format!(
                "The {instructor} gives at most {} a day, and that day is full. Choose another day.",
                count(*most, lesson)
            ),
            Self::InstructorWeek(most) => format!(
                "The {instructor} gives at most {} a week, and that week is full. Choose another week.",
                count(*most, lesson)
            ),
            Self::StudentDay(most) => format!(
                "Each {student} takes at most {} a day, and that day is full. Choose another day.",
                count(*most, lesson)
            ),
            Self::StudentWeek(most) => format!(
                "Each {student} takes at most {} a week, and that week is full. Choose another week.",
                count(*most, lesson)
            ),
            Self::OwnLesson => {
                format!("The {student} has another {lesson} then. Choose another time.")
            }
            Self::InGroup => {
                format!("The {student} has a seat in this {lesson} already. Choose another time.")
            }
            Self::GroupFull => format!("All seats of this {lesson} are taken. Choose another time."),
            Self::Resource(name) => format!("No {name} is free then. Choose another time."),
            Self::NoCredit => format!(
                "This service needs a prepaid {lesson} with this {instructor}, and none is left. Ask the school for a pack, or choose another service."
            ),
        }
    }

    /// In two to five words, for a table.
    pub fn label(&self, words: &Words) -> String {
        let Words { lesson, student, instructor } = words;
        match self {
            Self::Past => "In the past".into(),
            Self::TooSoon(_) => "Too short notice".into(),
            Self::TooFar(_) => "Too far ahead".into(),
            Self::OutsideHours => format!("Outside the {instructor}'s hours"),
            Self::DayOff => format!("The {instructor}'s day off"),
            Self::Holiday(name) => format!("Closed: {name}"),
            Self::Blocked => format!("Blocked by the {instructor}"),
            Self::Busy => "Taken".into(),
            Self::Taken => format!("Another {lesson} then"),
            Self::Held => format!("Kept for another {student}"),
            Self::Buffer => format!("Close to another {lesson}"),
            Self::Travel(_) => "No time to travel".into(),
            Self::InstructorDay(_) => format!("The {instructor}'s day is full"),
            Self::InstructorWeek(_) => format!("The {instructor}'s week is full"),
            Self::StudentDay(_) => format!("The {student}'s day is full"),
            Self::StudentWeek(_) => format!("The {student}'s week is full"),
            Self::OwnLesson => format!("The {student} is busy"),
            Self::InGroup => "Has a seat already".into(),
            Self::GroupFull => "No seat left".into(),
            Self::Resource(name) => format!("{name} isn't free"),
            Self::NoCredit => format!("No prepaid {lesson} left"),
        }
    }
}

/// "1 lesson", "3 lessons".
fn count(number: i32, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// "2 h", "45 min", "1 h 30 min", "3 days".
pub(crate) fn length(min: i32) -> String {
    match (min / 60, min % 60) {
        (0, min) => format!("{min} min"),
        (hours, 0) if hours > 48 && hours % 24 == 0 => format!("{} days", hours / 24),
        (hours, 0) => format!("{hours} h"),
        (hours, min) => format!("{hours} h {min} min"),
    }
}
