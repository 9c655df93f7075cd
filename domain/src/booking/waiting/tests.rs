use super::*;

fn at(text: &str) -> Instant {
    text.parse().expect("a moment")
}

fn zone() -> Zone {
    Zone::parse("Africa/Johannesburg").expect("a zone")
}

fn rules() -> Rules {
    Rules {
        duration_min: 60,
        buffer_before_min: 0,
        buffer_after_min: 0,
        notice_min: 120,
        horizon_days: 60,
        capacity: 1,
        needs_credit: false,
    }
}

/// 09:30 on a Tuesday.
const NOW: &str = "2027-01-12T07:30:00Z";

fn window(when: When) -> Result<(String, String), (&'static str, WhyNot)> {
    let found = when.window(&zone(), rules(), at(NOW))?;
    Ok((zone().rfc3339(found.starts_at), zone().rfc3339(found.ends_at)))
}

fn day(text: &str) -> When {
    When::Day(text.parse().expect("a day"))
}

#[test]
fn a_day_is_waited_for_as_far_as_it_can_still_be_booked() {
    let whole = ("2027-01-15T00:00:00+02:00".to_owned(), "2027-01-16T00:00:00+02:00".to_owned());
    assert_eq!(window(day("2027-01-15")), Ok(whole));
    let rest = ("2027-01-12T11:30:00+02:00".to_owned(), "2027-01-13T00:00:00+02:00".to_owned());
    assert_eq!(window(day("2027-01-12")), Ok(rest));
    assert_eq!(window(day("2027-01-11")), Err(("date", WhyNot::Past)));
    assert_eq!(window(day("2027-03-14")), Err(("date", WhyNot::TooFar(60))));
    assert_eq!(window(day("9999-12-31")), Err(("date", WhyNot::TooFar(60))));
    let late = Rules { notice_min: 24 * 60, ..rules() };
    let found = day("2027-01-12").window(&zone(), late, at(NOW));
    assert_eq!(found.map(|_| ()), Err(("date", WhyNot::TooSoon(1440))));
}

#[test]
fn a_time_is_waited_for_to_the_minute() {
    let time = |text: &str| When::Time(at(text));
    let minute = ("2027-01-15T16:00:00+02:00".to_owned(), "2027-01-15T16:01:00+02:00".to_owned());
    assert_eq!(window(time("2027-01-15T14:00:00Z")), Ok(minute));
    assert_eq!(window(time("2027-01-12T07:00:00Z")), Err(("time", WhyNot::Past)));
    assert_eq!(window(time("2027-01-12T09:00:00Z")), Err(("time", WhyNot::TooSoon(120))));
    assert_eq!(window(time("2027-06-01T09:00:00Z")), Err(("time", WhyNot::TooFar(60))));
}

#[test]
fn what_is_waited_for_is_named_as_a_day_or_a_time() {
    let waited = |from: &str, to: &str| Waited {
        id: WaitId(uuid::Uuid::nil()),
        student: StudentId(uuid::Uuid::nil()),
        student_name: "Sipho".into(),
        service_name: "Driving lesson".into(),
        instructor_name: None,
        from_at: at(from),
        to_at: at(to),
    };
    let time = waited("2027-01-15T14:00:00Z", "2027-01-15T14:01:00Z");
    assert_eq!((time.is_one_time(), time.when(&zone())), (true, "Fri 15 Jan, 16:00".to_owned()));
    let day = waited("2027-01-14T22:00:00Z", "2027-01-15T22:00:00Z");
    assert_eq!((day.is_one_time(), day.when(&zone())), (false, "Fri 15 Jan".to_owned()));
}

#[test]
fn a_form_names_all_that_is_missing() {
    let fields = |typed: &Typed, by_staff| match typed.check(&zone(), by_staff) {
        Err(Error::Invalid(errors)) => errors.0.into_keys().collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    assert_eq!(fields(&Typed::default(), true), ["date", "instructor", "service", "student"]);
    assert_eq!(fields(&Typed::default(), false), ["date", "instructor", "service"]);
    let id = uuid::Uuid::nil().to_string();
    let typed = Typed {
        service: id.clone(),
        instructor: "any".into(),
        date: "2027-01-15".into(),
        time: "25:00".into(),
        ..Typed::default()
    };
    assert_eq!(fields(&typed, false), ["time"]);
    let right = Typed { time: String::new(), ..typed };
    let wanted = right.check(&zone(), false).expect("it is right");
    assert!(wanted.instructor.is_none() && matches!(wanted.when, When::Day(_)));
    let nonsense = Typed { service: "lesson".into(), ..right };
    assert!(matches!(nonsense.check(&zone(), false), Err(Error::NotFound)));
}
