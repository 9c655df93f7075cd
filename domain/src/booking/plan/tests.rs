use serde_json::json;

use super::*;
use crate::{services::Service, tenancy::Preset};

const THANDI: u128 = 1;
const PIETER: u128 = 2;

fn service(name: &str) -> Service {
    Service { name: name.into(), ..Service::blank("ZAR") }
}

fn candidate(id: u128, name: &str) -> Candidate {
    Candidate {
        id: InstructorId(Uuid::from_u128(id)),
        name: name.into(),
        email: None,
        public: true,
        teaches: true,
    }
}

fn offer(each: Vec<Service>) -> Offer {
    Offer {
        service: Service::together(&each),
        each,
        parts_active: true,
        candidates: vec![candidate(THANDI, "Thandi"), candidate(PIETER, "Pieter")],
        student: serde_json::from_value(json!({ "name": "Sipho", "email": null })).expect("a student"),
        units: Vec::new(),
        checkout: None,
    }
}

fn ask(instructor: Option<u128>, by_student: bool) -> Ask<'static> {
    Ask {
        service: ServiceId(Uuid::nil()),
        also: &[],
        instructor: instructor.map(|id| InstructorId(Uuid::from_u128(id))),
        student: StudentId(Uuid::nil()),
        by_student,
        pickup: "",
        time_field: "starts_at",
        ignore: Ignore::default(),
    }
}

fn checked(offer: &mut Offer, ask: &Ask<'_>) -> Result<()> {
    check(offer, ask, &Preset::DrivingSchool.words())
}

fn field(offer: &mut Offer, ask: &Ask<'_>) -> String {
    match checked(offer, ask) {
        Err(Error::Invalid(errors)) => errors.0.into_keys().collect::<Vec<_>>().join(" "),
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_instructor_is_one_whom_students_see() {
    let mut both = offer(vec![service("Drive")]);
    both.candidates[0].public = false;
    assert!(checked(&mut both, &ask(None, true)).is_ok());
    assert_eq!(both.candidates.len(), 1);
    both.candidates[0].teaches = false;
    assert_eq!(field(&mut both, &ask(None, true)), "instructor");
}

#[test]
fn who_is_not_shown_is_not_there_for_students() {
    let hidden = || {
        let mut offer = offer(vec![service("Drive")]);
        offer.candidates[0].public = false;
        offer
    };
    assert!(matches!(checked(&mut hidden(), &ask(Some(THANDI), true)), Err(Error::NotFound)));
    assert!(checked(&mut hidden(), &ask(Some(THANDI), false)).is_ok());
    assert!(matches!(checked(&mut hidden(), &ask(Some(3), false)), Err(Error::NotFound)));
    let mut nobody = Offer { student: None, ..hidden() };
    assert!(matches!(checked(&mut nobody, &ask(None, false)), Err(Error::NotFound)));
}

#[test]
fn what_is_not_offered_is_named() {
    let gone = || Service { archived: true, ..service("Theory") };
    assert_eq!(field(&mut offer(vec![gone()]), &ask(None, true)), "service");
    assert_eq!(field(&mut offer(vec![service("Drive"), gone()]), &ask(None, true)), "also");
    let mut broken = Offer { parts_active: false, ..offer(vec![service("Combo")]) };
    assert_eq!(field(&mut broken, &ask(None, true)), "service");
}

#[test]
fn a_lesson_for_several_is_booked_by_itself() {
    let group = || Service { capacity: 8, ..service("Theory") };
    assert!(checked(&mut offer(vec![group()]), &ask(None, true)).is_ok());
    assert_eq!(field(&mut offer(vec![group(), service("Drive")]), &ask(None, true)), "also");
}
