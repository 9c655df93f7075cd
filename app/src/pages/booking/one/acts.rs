//! What can be done with a lesson.

use domain::{
    authz::Role,
    booking::{
        Status,
        cancel::canceller,
        moves::Which,
        policy::{Consequence, cancellation, consequence, may_move},
    },
};
use leptos::prelude::*;

use super::{One, facts};
use crate::{
    cx::Cx,
    ui::{self, Field, Kind},
};

/// Approve or decline, move, say how it went, and the ways to what belongs to it.
pub(super) fn steps(cx: &Cx, one: &One) -> AnyView {
    let (booking, begun) = (&one.booking, one.begun(cx));
    let by = canceller(one.actor.role);
    let form = |action: &str, label: &str, kind: Kind| {
        let hidden = vec![("tenant", one.tenant.slug.clone()), ("booking", booking.id.to_string())];
        ui::post_form(action, cx, "", hidden, ui::button(label, kind))
    };
    let mut acts: Vec<AnyView> = Vec::new();
    match booking.status {
        Status::Requested if one.teaches() => {
            if !begun {
                acts.push(form("booking/confirm", "Approve", Kind::Main));
            }
            if cancellation(booking, by, cx.now()).is_ok() {
                acts.push(ui::link_button("#cancel".into(), "Decline", false));
            }
        }
        Status::Confirmed if one.teaches() && begun => {
            acts.push(form("booking/complete", "Complete", Kind::Main));
            acts.push(form("booking/no_show", "No-show", Kind::Plain));
        }
        _ => {}
    }
    if may_move(booking, by, cx.now()).is_ok() {
        acts.push(ui::link_button(one.path(&format!("bookings/{}/move", booking.id)), "Move", false));
    }
    if one.teaches() && begun && !matches!(booking.status, Status::Requested | Status::Cancelled) {
        let day = one.tenant.zone.date(booking.starts_at);
        acts.push(ui::link_button(one.path(&format!("attendance?date={day}")), "Attendance", false));
    }
    if one.stands() && !begun {
        acts.push(ui::link_button(one.path("feeds"), "Add to calendar", false));
    }
    if acts.is_empty() {
        return ().into_any();
    }
    view! { <div class="row">{acts}</div> }.into_any()
}

/// The form to cancel, or to decline, apart from the rest; only when it can be.
pub(super) fn cancel(cx: &Cx, one: &One) -> AnyView {
    let booking = &one.booking;
    let Ok(done) = cancellation(booking, canceller(one.actor.role), cx.now()) else {
        return ().into_any();
    };
    let words = one.tenant.words();
    let lesson = &words.lesson;
    let declines = booking.status == Status::Requested && one.teaches();
    let (title, label) = if declines {
        (format!("Decline this {lesson}"), "Decline lesson")
    } else {
        (format!("Cancel this {lesson}"), "Cancel lesson")
    };
    let terms = match one.actor.role {
        Role::Student => facts::cancelling(one, cx.now()),
        _ => format!("When the school cancels, the {lesson} never counts as used."),
    };
    let form = cx.form("booking/cancel", "");
    let which = one.series.as_ref().filter(|series| series.to_come > 1).map(|_| {
        let options = Which::ALL.map(|which| (which.as_str().to_owned(), which.label(lesson))).to_vec();
        Field::radio("scope", format!("Which {lesson}s"), options)
            .value(Which::This.as_str())
            .help("Each by its own terms.")
            .view(&form, "")
    });
    let as_student = one.runs().then(|| {
        let by_terms = means(one, consequence(booking, true, cx.now()));
        let help = by_terms.unwrap_or_else(|| "It costs nothing by them.".to_owned());
        Field::checkbox("as_student", format!("Apply the {}'s terms", words.student))
            .help(help)
            .view(&form, "")
    });
    let hidden = vec![("tenant", one.tenant.slug.clone()), ("booking", booking.id.to_string())];
    let body = view! {
        {Field::area("reason", "Reason").help("Everyone concerned reads it.").required().max_length(1000).rows(2).view(&form, "")}
        {which}
        {as_student}
        {ui::button(label, Kind::Danger)}
    };
    view! {
        <section class="panel danger-zone" id="cancel">
            <h2>{title}</h2>
            <p>{terms}</p>
            {means(one, done).map(|text| view! { <p>{text}</p> })}
            <p>"This can't be undone: the time is free for others at once."</p>
            {ui::post_form("booking/cancel", cx, "", hidden, body.into_any())}
        </section>
    }
    .into_any()
}

/// What cancelling now means for the student; nothing when it costs nothing and gives nothing back.
fn means(one: &One, done: Consequence) -> Option<String> {
    let lesson = &one.tenant.words().lesson;
    match (one.booking.pack, done.fee_minor) {
        (Some(_), _) if done.credit_back => Some(format!("The {lesson} goes back to the pack.")),
        (Some(_), _) => Some(format!("The {lesson} does not come back to the pack.")),
        (None, Some(fee)) => Some(format!("{} is due.", ui::money(fee, &one.booking.currency))),
        (None, None) => None,
    }
}
