//! The dashboard: what is now, what waits for an answer, then the week, then figures; by role.

use domain::{
    Instant,
    authz::{Action, Role},
    booking::Booking,
    people::LessonLine,
    tenancy::Tenant,
};
use jiff::SignedDuration;
use leptos::prelude::*;

use super::parts::{self, When, Who};
use crate::{
    cx::Cx,
    doc::PageResult,
    ui::{self, Kind},
};

mod chart;
mod instructor;
mod school;
mod student;

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let scope = cx.member(cx.param("tenant")).await?;
    scope.require(Action::ViewDashboard)?;
    match scope.actor().role {
        Role::Student => student::page(cx, scope).await,
        Role::Instructor => instructor::page(cx, scope).await,
        _ => school::page(cx, scope).await,
    }
}

/// A lesson as a line.
fn line(booking: Booking) -> LessonLine {
    LessonLine {
        id: booking.id,
        starts_at: booking.starts_at,
        ends_at: booking.ends_at,
        status: booking.status.as_str().to_owned(),
        service: booking.service_name,
        instructor: booking.instructor,
        instructor_name: booking.instructor_name,
        student: booking.student,
        student_name: booking.student_name,
    }
}

/// What is renewed when something changes in the school.
fn live(tenant: &Tenant, body: AnyView) -> AnyView {
    ui::live(format!("/t/{}/live", tenant.slug), "stack", body)
}

/// A moment some hours away.
fn hours_away(now: Instant, hours: i64) -> Instant {
    now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now)
}

/// Today's lessons, the current one marked.
fn today(tenant: &Tenant, lines: Vec<LessonLine>, who: Who, now: Instant) -> AnyView {
    let words = tenant.words();
    let list = if lines.is_empty() {
        ui::empty(
            &format!("No {}s today", words.lesson),
            "What is booked for today appears here, in order.",
            ().into_any(),
        )
    } else {
        parts::lesson_list(tenant, lines, who, When::Time, now)
    };
    view! {
        <section class="panel">
            <h2>"Today"</h2>
            <p class="quiet">{parts::day_text(tenant, now, now)}</p>
            {list}
        </section>
    }
    .into_any()
}

/// Lessons that wait for an answer; nothing when none does. `total` counts those not shown, too.
fn requests(cx: &Cx, tenant: &Tenant, lines: Vec<LessonLine>, total: i64, who: Who) -> AnyView {
    if lines.is_empty() {
        return ().into_any();
    }
    let shown = lines.len() as i64;
    let rest = (total > shown).then(|| {
        let href = format!("/t/{}/bookings?status=requested", tenant.slug);
        let label = format!("All {} requests", ui::count(total));
        view! { <p><a href=href>{label}</a></p> }
    });
    let items: Vec<AnyView> = lines
        .into_iter()
        .map(|line| {
            let approve = approve(cx, tenant, &line);
            parts::lesson_item(tenant, line, who, When::Day, cx.now(), approve)
        })
        .collect();
    view! {
        <section class="panel">
            <h2>"Requests to approve"</h2>
            <ol class="lesson-line">{items}</ol>
            {rest}
        </section>
    }
    .into_any()
}

fn approve(cx: &Cx, tenant: &Tenant, line: &LessonLine) -> AnyView {
    let id = line.id.to_string();
    let hidden = vec![("tenant", tenant.slug.clone()), ("booking", id.clone())];
    ui::post_form("booking/confirm", cx, &id, hidden, ui::button("Approve", Kind::Plain))
}
