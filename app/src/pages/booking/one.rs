//! One lesson: its facts, what happens next, and what can be done with it.

mod acts;
mod facts;

use domain::{
    authz::{Actor, Role},
    booking::{
        Booking, Status,
        moves::{self, InSeries},
        policy::{Canceller, may_move},
        service,
    },
    ids::BookingId,
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui,
};

/// A lesson and who looks at it.
struct One {
    tenant: Tenant,
    actor: Actor,
    booking: Booking,
    series: Option<InSeries>,
}

impl One {
    /// Whoever looks gives lessons or runs the school.
    fn teaches(&self) -> bool {
        matches!(self.actor.role, Role::Instructor | Role::Staff | Role::Owner)
    }

    /// Whoever looks runs the school.
    fn runs(&self) -> bool {
        matches!(self.actor.role, Role::Staff | Role::Owner)
    }

    /// It is asked for or agreed.
    fn stands(&self) -> bool {
        matches!(self.booking.status, Status::Requested | Status::Confirmed)
    }

    fn begun(&self, cx: &Cx) -> bool {
        self.booking.starts_at <= cx.now()
    }

    /// A page of the school.
    fn path(&self, rest: &str) -> String {
        format!("/t/{}/{rest}", self.tenant.slug)
    }
}

/// The lesson.
pub async fn page(cx: Cx) -> PageResult {
    let id: BookingId = cx.id("id")?;
    let mut scope = cx.member(cx.param("tenant")).await?;
    let booking = service::one(&mut scope, id).await?;
    let series = moves::in_series(&mut scope, &booking).await?;
    let (tenant, actor) = (scope.tenant().clone(), scope.actor().clone());
    let when = tenant.zone.span(booking.starts_at, booking.ends_at, cx.now());
    let title = format!("{}, {when}", booking.service_name);
    let one = One { tenant, actor, booking, series };
    Ok(Doc::new(title, Frame::member(&scope, "bookings"), move || draw(&cx, &one)).with_islands())
}

fn draw(cx: &Cx, one: &One) -> AnyView {
    let (tenant, booking) = (&one.tenant, &one.booking);
    let words = tenant.words();
    let back = ui::link_button(one.path("bookings"), &format!("All {}s", words.lesson), false);
    let when = tenant.zone.span(booking.starts_at, booking.ends_at, cx.now());
    let body = view! {
        <section class="panel">
            <h2>{ui::capital(&words.lesson)}</h2>
            {facts::view(cx, one)}
        </section>
        <section class="panel">
            <h2>"What happens next"</h2>
            <p>{next(cx, one)}</p>
            {(!cx.site.mail.configured()).then(|| view! {
                <p class="quiet">"No mail server is set up: messages about this wait in the outbox."</p>
            })}
            {acts::steps(cx, one)}
        </section>
        {acts::cancel(cx, one)}
    };
    view! {
        {ui::page_head(&booking.service_name, Some(when), back)}
        {ui::live(one.path("live"), "stack", body.into_any())}
    }
    .into_any()
}

/// What comes next, for the one who looks.
fn next(cx: &Cx, one: &One) -> String {
    let words = one.tenant.words();
    let begun = one.begun(cx);
    match (one.booking.status, one.actor.role) {
        (Status::Requested, Role::Student) => {
            format!("The {} approves it first. The time is kept for you until then.", words.instructor)
        }
        (Status::Requested, _) if begun => {
            "Its time has passed without an answer. Decline it with a reason.".into()
        }
        (Status::Requested, _) => "It waits for approval. The time is kept until then.".into(),
        (Status::Confirmed, Role::Student) if begun => "It has begun.".into(),
        (Status::Confirmed, Role::Student) => {
            let clock = super::day_and_clock(&one.tenant, one.booking.starts_at);
            let act = if may_move(&one.booking, Canceller::Student, cx.now()).is_ok() {
                "move or cancel"
            } else {
                "cancel"
            };
            format!("Be there on {clock}. If you can't, {act} it below.")
        }
        (Status::Confirmed, _) if begun => format!("Say whether the {} took place.", words.lesson),
        (Status::Confirmed, _) => {
            format!("It takes place. Afterwards, say here how the {} went.", words.lesson)
        }
        (Status::Completed, _) => "It took place. Nothing is left to do.".into(),
        (Status::Cancelled, _) => match one.booking.fee_minor {
            Some(fee) if fee > 0 => {
                let fee = ui::money(fee, &one.booking.currency);
                format!("It is cancelled, and its time is free for others. It was late: {fee} is due.")
            }
            _ => "It is cancelled, and its time is free for others.".into(),
        },
        (Status::NoShow, _) => {
            format!("The {} did not come; the {} counts as used.", words.student, words.lesson)
        }
    }
}
