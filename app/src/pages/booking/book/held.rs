//! What is kept for a student while they look over what they book (BK-10).

use domain::{booking::hold::Hold, tenancy::Tenant};
use leptos::prelude::*;

use super::Book;
use crate::{
    cx::Cx,
    pages::booking::{day_and_clock, name},
    ui::{self, Kind},
};

/// On top, when the student has come back: what is still kept, and the way to go on.
pub(super) fn banner(cx: &Cx, book: &Book) -> Option<AnyView> {
    let hold = book.catalogue.hold.as_ref().filter(|_| book.chosen_hold().is_none())?;
    let (tenant, zone) = (&book.tenant, &book.tenant.zone);
    let when = ui::time(zone, hold.starts_at, day_and_clock(tenant, hold.starts_at));
    let until = ui::time(zone, hold.expires_at, zone.clock(hold.expires_at));
    let href = address(tenant, hold);
    Some(
        view! {
            <div class="kept">
                <p>{when}" with "{name(&hold.instructor_name)}" is kept for you until "{until}"."</p>
                <div class="row">
                    {ui::link_button(href, "Go on with it", false)}
                    {give_back(cx, book, hold)}
                </div>
            </div>
        }
        .into_any(),
    )
}

/// The form that frees it. From the page about it one comes back to the same choice, any instructor or one.
pub(in crate::pages::booking) fn give_back(cx: &Cx, book: &Book, hold: &Hold) -> AnyView {
    let mut hidden = vec![("tenant", book.tenant.slug.clone()), ("hold", hold.id.to_string())];
    let with = book.with.as_ref().filter(|_| book.kept().is_some());
    hidden.extend(with.map(|with| ("instructor", with.value())));
    ui::post_form("booking/release_hold", cx, "", hidden, ui::button("Give it back", Kind::Plain))
}

/// The page at what is kept.
fn address(tenant: &Tenant, hold: &Hold) -> String {
    let also: Vec<String> = hold.also.iter().map(ToString::to_string).collect();
    let mut pairs = vec![
        ("service", hold.service.to_string()),
        ("also", also.join(",")),
        ("instructor", hold.instructor.to_string()),
        ("date", tenant.zone.date(hold.starts_at).to_string()),
        ("at", tenant.zone.rfc3339(hold.starts_at)),
        ("hold", hold.id.to_string()),
    ];
    pairs.retain(|(_, value)| !value.is_empty());
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    format!("/s/{}/book?{query}", tenant.slug)
}
