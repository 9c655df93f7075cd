//! Who is in the demo.

use std::ops::Range;

use super::{
    BenchSize,
    plan::{Combo, GroupLesson, Lesson, Member, Plan, Resource, Taught},
};
use crate::tenancy::Preset;

const CAPE_INSTRUCTORS: [&str; 12] = [
    "Thandi Mokoena",
    "Pieter van der Merwe",
    "Ayesha Davids",
    "Lwazi Dlamini",
    "Johan Botha",
    "Nomsa Khumalo",
    "Fatima Jacobs",
    "Sizwe Ndlovu",
    "Anneke Visser",
    "Kagiso Molefe",
    "Raj Naidoo",
    "Zanele Zulu",
];
const CAPE_CITIES: [&str; 4] = ["Cape Town", "Stellenbosch", "Paarl", "Somerset West"];
const MENTORS: [&str; 6] =
    ["Ada Brandt", "Jonas Keller", "Mariam El-Sayed", "Łukasz Nowak", "Ingrid Sørensen", "Dmitri Волков"];
const BERLIN: [&str; 2] = ["Berlin", "Potsdam"];
const FIRST: [&str; 30] = [
    "Sipho", "Lerato", "Megan", "Themba", "Chloé", "Bongani", "Aisha", "Ruan", "Naledi", "Emma", "Mandla",
    "Yusuf", "Palesa", "Liam", "Ntombi", "Kyle", "Zodwa", "Hannah", "Vusi", "Priya", "Karabo", "Marco",
    "Refilwe", "Dylan", "Busisiwe", "Noah", "Tumelo", "Sofia", "Andile", "Mia",
];
const LAST: [&str; 11] = [
    "Nkosi",
    "Adams",
    "Pretorius",
    "Mahlangu",
    "Petersen",
    "Sithole",
    "O’Connor",
    "Govender",
    "Müller",
    "Fourie",
    "Mbeki",
];
const KIM: [&str; 24] = [
    "Kim Yoon-seo",
    "Lena Hartmann",
    "Omar Haddad",
    "Giulia Rossi",
    "Max Schuster",
    "Ngozi Eze",
    "Tomáš Dvořák",
    "Sara Lindqvist",
    "Finn Becker",
    "李小雨",
    "Amélie Girard",
    "Mateusz Zieliński",
    "Noura Said",
    "Paul Wagner",
    "Elif Yılmaz",
    "Ben Krüger",
    "محمد الأمين",
    "Clara Vogel",
    "Ravi Patel",
    "Mila Petrović",
    "Jan de Vries",
    "Sofia Almeida",
    "Leo Fischer",
    "Zoë Maier",
];

/// The demo's schools.
pub(super) fn schools() -> Vec<Plan> {
    let cape = Plan {
        slug: "cape-drive",
        name: "Cape Drive".into(),
        preset: Preset::DrivingSchool,
        zone: "Africa/Johannesburg",
        currency: "ZAR",
        suspended: None,
        staff: vec![
            member("owner", "Nandi Jacobs", "owner@cape-drive.test"),
            member("staff", "Craig Daniels", "staff@cape-drive.test"),
        ],
        instructors: (0..12)
            .map(|i| (named(CAPE_INSTRUCTORS[i], "cape-drive.test"), CAPE_CITIES[i % 4]))
            .collect(),
        students: (0..60)
            .map(|i| {
                let name = format!("{} {}", FIRST[i % 30], LAST[(i * 7 + i / 30) % 11]);
                let local =
                    if i < 30 { ascii(FIRST[i]) } else { format!("{}{}", ascii(FIRST[i % 30]), i / 30 + 1) };
                Member { name, email: format!("{local}@cape-drive.test"), role: "student" }
            })
            .collect(),
        services: vec![
            Taught {
                text: "One hour on the road, from wherever you are.",
                pickup: true,
                colour: Some("#0a6b8a"),
                ..Taught::of("Driving lesson", 60, 42_000)
            },
            Taught {
                text: "The test route, parking and everything examiners ask.",
                buffer: 15,
                pickup: true,
                colour: Some("#8a5a0a"),
                ..Taught::of("Test preparation", 90, 62_000)
            },
            Taught {
                text: "Signs and rules of the road, in a small group.",
                seats: 8,
                needs: &[(0, 1)],
                colour: Some("#6b4fa0"),
                ..Taught::of("Theory class", 60, 15_000)
            },
        ],
        combos: vec![Combo {
            name: "Lesson and mock test",
            text: "An hour on the road, and then the whole test as if it were the day.",
            price: 98_000,
            parts: &[0, 1],
        }],
        resources: vec![
            Resource { name: "Classroom", kind: "room", units: 1 },
            Resource { name: "Test yard", kind: "other", units: 2 },
        ],
        groups: vec![
            theory(-1, 2, 9, 52..57),
            theory(1, 2, 10, 49..52),
            // Full.
            theory(1, 3, 9, 52..60),
        ],
        holidays: vec![(1, 1, "New Year’s Day"), (9, 24, "Heritage Day")],
        pack: 24,
        pack_every: 2,
        lessons: cape_lessons,
        weeks: (-4, 2),
    };
    let north = Plan {
        slug: "north-mentors",
        name: "North Mentors".into(),
        preset: Preset::Mentorship,
        zone: "Europe/Berlin",
        currency: "EUR",
        suspended: None,
        staff: vec![
            member("owner", "Ruth Albers", "owner@north-mentors.test"),
            member("staff", "Timo Lang", "staff@north-mentors.test"),
        ],
        instructors: (0..6).map(|i| (named(MENTORS[i], "north-mentors.test"), BERLIN[i % 2])).collect(),
        students: (0..24)
            .map(|i| {
                let email = if i == 0 {
                    "kim@north-mentors.test".into()
                } else {
                    format!("mentee{}@north-mentors.test", i + 1)
                };
                Member { name: KIM[i].to_owned(), email, role: "student" }
            })
            .collect(),
        services: vec![
            Taught {
                text: "An hour about where you are and what comes next.",
                ..Taught::of("Mentoring session", 60, 9_000)
            },
            Taught {
                text: "Ninety minutes with your work on the table.",
                buffer: 15,
                approval: true,
                ..Taught::of("Portfolio review", 90, 14_000)
            },
            Taught {
                text: "Six at one table, and one question for all.",
                seats: 6,
                ..Taught::of("Group workshop", 90, 4_500)
            },
        ],
        combos: vec![],
        resources: vec![],
        groups: vec![],
        holidays: vec![(1, 1, "New Year’s Day"), (10, 3, "Day of German Unity")],
        pack: 4,
        pack_every: 1,
        lessons: north_lessons,
        weeks: (-1, 2),
    };
    let clinic = Plan {
        slug: "closed-clinic",
        name: "Closed Clinic".into(),
        preset: Preset::Clinic,
        zone: "Europe/Bucharest",
        currency: "RON",
        suspended: Some("Demo: a school that is suspended."),
        staff: vec![member("owner", "Ioana Pop", "owner@closed-clinic.test")],
        instructors: vec![],
        students: vec![],
        services: vec![],
        combos: vec![],
        resources: vec![],
        groups: vec![],
        holidays: vec![],
        pack: 0,
        pack_every: 1,
        lessons: |_, _, _| Vec::new(),
        weeks: (0, 0),
    };
    vec![cape, north, clinic]
}

/// A school of any size for the benchmark.
pub(super) fn bench(size: BenchSize) -> Plan {
    // Each instructor gives up to eight lessons a day, so the weeks follow from the number of lessons.
    let a_week = (size.instructors * 40).min(size.students * 5).max(1);
    let weeks = i64::try_from(size.bookings.div_ceil(a_week)).unwrap_or(1).max(2);
    Plan {
        slug: "bench",
        name: "Benchmark school".into(),
        preset: Preset::Academy,
        zone: "Europe/Berlin",
        currency: "EUR",
        suspended: None,
        staff: vec![member("owner", "Benchmark Owner", "owner@bench.test")],
        instructors: (0..size.instructors)
            .map(|i| {
                let name = format!(
                    "{} {} {i}",
                    CAPE_INSTRUCTORS[i % 12].split(' ').next().unwrap_or("A"),
                    LAST[i % 11]
                );
                (
                    Member { name, email: format!("instructor{i}@bench.test"), role: "instructor" },
                    CAPE_CITIES[i % 4],
                )
            })
            .collect(),
        students: (0..size.students)
            .map(|i| Member {
                name: format!("{} {} {i}", FIRST[i % 30], LAST[i % 11]),
                email: format!("student{i}@bench.test"),
                role: "student",
            })
            .collect(),
        services: vec![Taught { text: "An hour.", ..Taught::of("Lesson", 60, 4_000) }],
        combos: vec![],
        resources: vec![],
        groups: vec![],
        holidays: vec![],
        pack: 10,
        pack_every: 2,
        lessons: bench_lessons,
        // One week is left ahead, so that there is something to book.
        weeks: (1 - weeks, 1),
    }
}

fn member(role: &'static str, name: &str, email: &str) -> Member {
    Member { name: name.to_owned(), email: email.to_owned(), role }
}

/// An instructor whose e-mail is their first name.
fn named(name: &str, domain: &str) -> Member {
    let first = name.split(' ').next().unwrap_or(name);
    Member { name: name.to_owned(), email: format!("{}@{domain}", ascii(first)), role: "instructor" }
}

fn ascii(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'é' => 'e',
            'Ł' | 'ł' => 'l',
            c => c.to_ascii_lowercase(),
        })
        .filter(char::is_ascii_alphabetic)
        .collect()
}

/// The theory class of Cape Drive. At one o'clock nobody has a lesson: see [`cape_lessons`].
fn theory(week: i64, weekday: i8, instructor: usize, students: Range<usize>) -> GroupLesson {
    GroupLesson { week, weekday, minute: 13 * 60, service: 2, instructor, students }
}

/// Three lessons a week for each student, always with their own instructor: an instructor has one of each kind a day.
fn cape_lessons(week: i64, instructors: usize, students: usize) -> Vec<Lesson> {
    (0..students)
        .flat_map(|student| {
            (0..3).map(move |k| Lesson {
                student,
                instructor: student % instructors,
                weekday: ((student / instructors + 2 * k) % 5) as i8,
                minute: [9 * 60, 11 * 60, 14 * 60][k],
                service: usize::from(k == 1),
                cancelled: (student as i64 * 3 + k as i64 + week).rem_euclid(17) == 0,
            })
        })
        .collect()
}

/// One session a week for each mentee; in the last week a request for a review too.
fn north_lessons(week: i64, instructors: usize, students: usize) -> Vec<Lesson> {
    (0..students)
        .filter(move |student| week <= 0 || student % 2 == 0)
        .flat_map(|student| {
            let row = student / instructors;
            let session = Lesson {
                student,
                instructor: student % instructors,
                weekday: ((student + row) % 5) as i8,
                minute: [9 * 60, 10 * 60, 11 * 60, 13 * 60][row % 4],
                service: 0,
                cancelled: false,
            };
            let review = (week == 2 && student % 5 == 1).then_some(Lesson {
                minute: 15 * 60,
                service: 1,
                weekday: (row % 5) as i8,
                ..session
            });
            [Some(session), review].into_iter().flatten()
        })
        .collect()
}

/// As many lessons as fit: eight a day for each instructor, never the same student twice at a time.
fn bench_lessons(_: i64, instructors: usize, students: usize) -> Vec<Lesson> {
    let mut lessons = Vec::new();
    for weekday in 0..5_i8 {
        for hour in 0..8_usize {
            for instructor in 0..instructors.min(students) {
                let student = (instructor + (weekday as usize * 8 + hour) * instructors) % students;
                lessons.push(Lesson {
                    student,
                    instructor,
                    weekday,
                    minute: (9 + hour as i16) * 60,
                    service: 0,
                    cancelled: false,
                });
            }
        }
    }
    lessons
}
