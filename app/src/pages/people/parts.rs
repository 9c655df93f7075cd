//! Small parts that several pages of people share.

use domain::{
    Instant,
    packs::{PackLine, PackStatus, last_day},
    people::{LessonLine, Verification},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::ui::{self, Tone};

/// Plain text as a view.
pub(super) fn text(value: String) -> AnyView {
    view! { <span>{value}</span> }.into_any()
}

/// A name in any script, beside text of ours.
pub(super) fn name(value: String) -> AnyView {
    view! { <bdi>{value}</bdi> }.into_any()
}

/// A value that may be missing.
pub(super) fn optional(value: Option<String>) -> AnyView {
    match value {
        Some(value) => view! { <bdi>{value}</bdi> }.into_any(),
        None => none(),
    }
}

/// Nothing there.
pub(super) fn none() -> AnyView {
    view! { <span class="quiet">"None"</span> }.into_any()
}

/// A name that leads to a page.
pub(super) fn name_link(href: String, value: String) -> AnyView {
    view! { <a href=href><bdi>{value}</bdi></a> }.into_any()
}

/// "Tue 30 Mar", with the year when it isn't this one.
pub(super) fn day_text(tenant: &Tenant, at: Instant, now: Instant) -> String {
    let (day, today) = (tenant.zone.date(at), tenant.zone.date(now));
    if day.year() == today.year() { tenant.zone.short_day(at) } else { day.strftime("%-d %b %Y").to_string() }
}

/// The day of a moment that may be missing.
pub(super) fn day(tenant: &Tenant, at: Option<Instant>, now: Instant) -> AnyView {
    match at {
        Some(at) => ui::time(&tenant.zone, at, day_text(tenant, at, now)),
        None => none(),
    }
}

/// "no expiry", or the last day of a pack.
pub(super) fn expiry_text(tenant: &Tenant, pack: &PackLine, now: Instant) -> String {
    match pack.expires_at {
        None => "no expiry".to_owned(),
        Some(at) => {
            let verb = if at <= now { "expired after" } else { "until" };
            format!("{verb} {}", last_day(at, &tenant.zone).strftime("%-d %b %Y"))
        }
    }
}

/// Whether a pack can be used, and until when.
pub(super) fn pack_state(tenant: &Tenant, pack: &PackLine, now: Instant) -> AnyView {
    let badge = match pack.status(now) {
        PackStatus::Active => ui::badge(Tone::Good, "Active"),
        PackStatus::UsedUp => ui::badge(Tone::Warn, "Used up"),
        PackStatus::Expired => ui::badge(Tone::Bad, "Expired"),
    };
    let expiry = expiry_text(tenant, pack, now);
    view! { <span class="row">{badge}<span>{expiry}</span></span> }.into_any()
}

/// The same for a student, to whom it also matters whether the instructor is still there.
pub(super) fn owned_state(tenant: &Tenant, pack: &PackLine, gone: bool, now: Instant) -> AnyView {
    if !gone {
        return pack_state(tenant, pack, now);
    }
    let text = format!("not usable: the {} is no longer here", tenant.words().instructor);
    view! { <span class="row">{ui::badge(Tone::Quiet, "Closed")}<span>{text}</span></span> }.into_any()
}

/// Whether an instructor has been checked.
pub(super) fn verification_badge(state: Verification) -> AnyView {
    match state {
        Verification::Pending => ui::badge(Tone::Warn, "Pending"),
        Verification::Verified => ui::badge(Tone::Good, "Verified"),
        Verification::Rejected => ui::badge(Tone::Bad, "Rejected"),
    }
}

/// Whom a line names beside the lesson.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The student: for their instructor.
    Student,
    /// The instructor: for their student.
    Instructor,
    /// Both: for staff.
    Both,
}

/// How lines say when.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// All of one day: "16:00–17:00".
    Time,
    /// "Tue 30 Mar", and the time beside the lesson.
    Day,
}

/// Lessons under each other, the current one marked.
pub(super) fn lesson_list(
    tenant: &Tenant,
    lines: Vec<LessonLine>,
    who: Who,
    when: When,
    now: Instant,
) -> AnyView {
    let items: Vec<AnyView> = lines
        .into_iter()
        .map(|line| {
            let badge = ui::status_badge(&line.status);
            lesson_item(tenant, line, who, when, now, badge)
        })
        .collect();
    view! { <ol class="lesson-line">{items}</ol> }.into_any()
}

/// One lesson with something at its end: its state, or what to do.
pub(super) fn lesson_item(
    tenant: &Tenant,
    line: LessonLine,
    who: Who,
    when: When,
    now: Instant,
    end: AnyView,
) -> AnyView {
    let zone = &tenant.zone;
    let hours = format!("{}–{}", zone.clock(line.starts_at), zone.clock(line.ends_at));
    let (lead, hours) = match when {
        When::Time => (ui::time(zone, line.starts_at, hours), None),
        When::Day => (
            ui::time(zone, line.starts_at, day_text(tenant, line.starts_at, now)),
            Some(format!("{hours}, ")),
        ),
    };
    let current = (line.starts_at <= now && now < line.ends_at).then_some("true");
    let href = format!("/t/{}/bookings/{}", tenant.slug, line.id);
    let people = match who {
        Who::Student => view! { " with " <bdi>{line.student_name}</bdi> }.into_any(),
        Who::Instructor => view! { " with " <bdi>{line.instructor_name}</bdi> }.into_any(),
        Who::Both => view! { ": " <bdi>{line.student_name}</bdi> " with " <bdi>{line.instructor_name}</bdi> }
            .into_any(),
    };
    view! {
        <li aria-current=current>
            <span>{lead}</span>
            <span>{hours}<a href=href>{line.service}</a>{people}</span>
            <span>{end}</span>
        </li>
    }
    .into_any()
}
