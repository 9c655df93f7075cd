//! The plan of a series: what it is, every time with what is against it, and the button that books the rest.

use domain::{
    Instant,
    booking::series::{Occurrence, SeriesPlan},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{ACTION, FIELDS, head};
use crate::{
    cx::Cx,
    pages::booking::{day_and_clock, name},
    ui::{self, Kind, Tone},
};

/// What would be booked and what it costs, then each time.
pub(super) fn draw(cx: &Cx, tenant: &Tenant, plan: &SeriesPlan, staff: bool) -> AnyView {
    let change = cx.link(&[("plan", ""), ("skip", "")]);
    view! {
        {head(tenant, plan.when.clone())}
        <div class="stack">
            <section class="panel">
                <div class="row"><h2>"What"</h2><a href=change>"Change"</a></div>
                {facts(cx, tenant, plan, staff)}
            </section>
            <section class="panel">
                <h2>"When"</h2>
                <p>{counted(plan)}</p>
                {book(cx, tenant, plan)}
            </section>
        </div>
    }
    .into_any()
}

fn facts(cx: &Cx, tenant: &Tenant, plan: &SeriesPlan, staff: bool) -> AnyView {
    let words = tenant.words();
    let text = |text: String| view! { <span>{text}</span> }.into_any();
    let mut rows = Vec::new();
    if staff {
        rows.push((ui::capital(&words.student), name(&plan.student_name)));
    }
    rows.push(("Service".to_owned(), name(&plan.service_name)));
    let chosen = (cx.query("instructor") == Some("any")).then_some(", who is free for most of them");
    let instructor = view! { {name(&plan.instructor_name)}{chosen} };
    rows.push((ui::capital(&words.instructor), instructor.into_any()));
    if plan.kept() > 0 {
        rows.push(("Price".to_owned(), text(price(plan, &words.lesson))));
    }
    rows.push(("Terms".to_owned(), text(plan.terms.clone())));
    if plan.needs_approval {
        let next =
            format!("The {} approves them first; the times are kept for you until then.", words.instructor);
        rows.push(("Approval".to_owned(), text(next)));
    }
    if !given(cx, "pickup").is_empty() {
        rows.push(("Pickup address".to_owned(), name(given(cx, "pickup"))));
    }
    if !given(cx, "note").is_empty() {
        rows.push(("Note".to_owned(), name(given(cx, "note"))));
    }
    ui::facts(rows)
}

/// What the address says of a field.
fn given<'a>(cx: &'a Cx, field: &str) -> &'a str {
    cx.query(field).unwrap_or("").trim()
}

/// "R 3,500.00", "10 lessons of the pack", or both.
fn price(plan: &SeriesPlan, lesson: &str) -> String {
    let many = |number: usize| ui::plural(i64::try_from(number).unwrap_or(i64::MAX), lesson);
    let kept = plan.kept();
    let money = || ui::money(plan.due_minor(), &plan.currency);
    match (plan.prepaid, kept.saturating_sub(plan.prepaid)) {
        (0, 1) => ui::capital(&money()),
        (0, _) if plan.due_minor() == 0 => ui::capital(&money()),
        (0, rest) => format!("{} for {}", money(), many(rest)),
        (prepaid, 0) => format!("{} of the pack", many(prepaid)),
        (prepaid, rest) => format!("{} of the pack, and {} for {}", many(prepaid), money(), many(rest)),
    }
}

/// "10 of 12 are free."
fn counted(plan: &SeriesPlan) -> String {
    match (plan.free(), plan.occurrences.len()) {
        (0, all) => format!("None of {all} is free. Change the day, the time or who gives them."),
        (free, all) if free == all => format!("All {all} are free."),
        (1, all) => format!("1 of {all} is free."),
        (free, all) => format!("{free} of {all} are free."),
    }
}

/// The plan as a table inside the form that books it.
fn book(cx: &Cx, tenant: &Tenant, plan: &SeriesPlan) -> AnyView {
    let rows: Vec<AnyView> = plan.occurrences.iter().map(|one| row(cx, tenant, one)).collect();
    let table = view! {
        {ui::table("", view! {
            <th scope="col" class="num">"No."</th>
            <th scope="col">"Day and time"</th>
            <th scope="col">"Free"</th>
            <th scope="col">"Leave out"</th>
        }, rows)}
    };
    let kept = plan.kept();
    if kept == 0 {
        return table.into_any();
    }
    let mut hidden = vec![
        ("tenant", tenant.slug.clone()),
        // Pressing twice books once.
        ("idempotency_key", uuid::Uuid::new_v4().to_string()),
    ];
    for field in FIELDS {
        let value = match field {
            // The boxes say that.
            "skip" => continue,
            // Who was found is who gives them.
            "instructor" => plan.instructor.to_string(),
            _ => cx.query(field).unwrap_or("").to_owned(),
        };
        if !value.is_empty() {
            hidden.push((field, value));
        }
    }
    let label =
        format!("Book {}", ui::plural(i64::try_from(kept).unwrap_or(i64::MAX), &tenant.words().lesson));
    let body = view! {
        {table}
        {ui::button(&label, Kind::Main)}
    };
    ui::post_form(ACTION, cx, "", hidden, body.into_any())
}

fn row(cx: &Cx, tenant: &Tenant, one: &Occurrence) -> AnyView {
    let place = one.place;
    let when = match one.lesson {
        Some(lesson) => {
            let span = tenant.zone.span(lesson.starts_at, lesson.ends_at, cx.now());
            ui::time(&tenant.zone, lesson.starts_at, span)
        }
        None => {
            let (day, text) = (one.day.to_string(), one.day.strftime("%a %-d %b").to_string());
            view! { <time datetime=day>{text}</time> }.into_any()
        }
    };
    let free = match &one.outcome {
        Ok(()) => ui::badge(Tone::Good, "Free"),
        Err(why) => ui::badge(Tone::Warn, why.clone()),
    };
    let leave = (one.outcome.is_err() || one.skip).then(|| {
        let (name, id) = (format!("skip[{place}]"), format!("skip-{place}"));
        let (target, value, label) = (id.clone(), place.to_string(), format!("Leave out no. {place}"));
        view! {
            <div class="field check">
                <input type="checkbox" id=id name=name value=value checked=true/>
                <label for=target><span class="visually-hidden">{label}</span></label>
            </div>
        }
    });
    view! {
        <tr>
            <td data-label="No." class="num">{place}</td>
            <th scope="row">{when}</th>
            <td data-label="Free">{free}{near(tenant, &one.nearest)}</td>
            <td data-label="Leave out">{leave}</td>
        </tr>
    }
    .into_any()
}

/// "Nearest free: Tue 30 Mar, 16:00; Wed 31 Mar, 09:00", each as a time.
fn near(tenant: &Tenant, nearest: &[Instant]) -> AnyView {
    if nearest.is_empty() {
        return ().into_any();
    }
    let times: Vec<AnyView> = nearest
        .iter()
        .enumerate()
        .map(|(at, start)| {
            let gap = if at == 0 { "" } else { "; " };
            let time = ui::time(&tenant.zone, *start, day_and_clock(tenant, *start));
            view! { {gap}{time} }.into_any()
        })
        .collect();
    view! { <small class="quiet">"Nearest free: "{times}</small> }.into_any()
}

#[cfg(test)]
mod tests {
    use domain::ids::{InstructorId, ServiceId, StudentId};

    use super::*;

    fn plan(outcomes: &[bool], prepaid: usize, price_minor: i64) -> SeriesPlan {
        let occurrences = (1i32..)
            .zip(outcomes)
            .map(|(place, free)| Occurrence {
                place,
                day: jiff::civil::date(2026, 3, 31),
                lesson: None,
                outcome: if *free { Ok(()) } else { Err("Taken".into()) },
                skip: false,
                nearest: Vec::new(),
            })
            .collect();
        SeriesPlan {
            student: StudentId(uuid::Uuid::nil()),
            student_name: "Sipho".into(),
            service: ServiceId(uuid::Uuid::nil()),
            service_name: "Driving lesson".into(),
            instructor: InstructorId(uuid::Uuid::nil()),
            instructor_name: "Thandi".into(),
            when: "Every Tuesday at 16:00".into(),
            occurrences,
            price_minor,
            currency: "ZAR".into(),
            prepaid,
            terms: String::new(),
            needs_approval: false,
        }
    }

    #[test]
    fn what_is_free_is_counted() {
        assert_eq!(counted(&plan(&[true, true], 0, 0)), "All 2 are free.");
        assert_eq!(counted(&plan(&[true, false, true], 0, 0)), "2 of 3 are free.");
        assert_eq!(counted(&plan(&[true, false, false], 0, 0)), "1 of 3 is free.");
        assert!(counted(&plan(&[false, false], 0, 0)).starts_with("None of 2 is free."));
    }

    #[test]
    fn packs_pay_first_and_money_the_rest() {
        let said = |free: &[bool], prepaid, minor| price(&plan(free, prepaid, minor), "lesson");
        assert_eq!(said(&[true, true, false], 0, 35_000), "R 700.00 for 2 lessons");
        assert_eq!(said(&[true, true], 2, 35_000), "2 lessons of the pack");
        assert_eq!(said(&[true, true, true], 1, 35_000), "1 lesson of the pack, and R 700.00 for 2 lessons");
        assert_eq!(said(&[true, true], 0, 0), "Free");
    }
}
