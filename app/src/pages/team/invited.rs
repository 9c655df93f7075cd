//! Invites that nobody has accepted yet.

use domain::{Instant, authz::Role, notify::State, team::invites::InviteRow, tenancy::Tenant};
use leptos::prelude::*;

use super::role_name;
use crate::{
    cx::Cx,
    ui::{self, Kind, Tone, badge},
};

/// The open invites, latest first; nothing when there is none.
pub(super) fn panel(cx: &Cx, tenant: &Tenant, invites: Vec<InviteRow>) -> AnyView {
    if invites.is_empty() {
        return ().into_any();
    }
    let rows: Vec<AnyView> = invites.into_iter().map(|invite| row(cx, tenant, invite)).collect();
    view! {
        <section>
            <h2 class="section-title">"Open invites"</h2>
            {ui::table("", view! {
                <th scope="col">"E-mail"</th>
                <th scope="col">"Role"</th>
                <th scope="col">"Invited"</th>
                <th scope="col">"Mail"</th>
                <th scope="col">"Link works until"</th>
                <th scope="col"><span class="visually-hidden">"What to do"</span></th>
            }, rows)}
        </section>
    }
    .into_any()
}

fn row(cx: &Cx, tenant: &Tenant, invite: InviteRow) -> AnyView {
    let id = invite.id.to_string();
    let until = if invite.expires_at <= cx.now() {
        badge(Tone::Bad, "Expired")
    } else {
        moment(tenant, invite.expires_at, cx.now())
    };
    let by = invite.inviter.clone().map(|name| view! { <small>"by " <bdi>{name}</bdi></small> });
    // Owners are the platform's to invite.
    let again = invite.role != Role::Owner;
    let form = |action: &str, label: &str, kind: Kind| {
        let hidden = vec![("tenant", tenant.slug.clone()), ("id", id.clone())];
        ui::post_form(action, cx, &id, hidden, ui::button(label, kind))
    };
    view! {
        <tr>
            <th scope="row" class="break">{invite.email.clone()}</th>
            <td data-label="Role">{role_name(tenant, invite.role)}</td>
            <td data-label="Invited"><span>{moment(tenant, invite.created_at, cx.now())}{by}</span></td>
            <td data-label="Mail">{mail(&invite)}</td>
            <td data-label="Link works until">{until}</td>
            <td>
                <div class="row">
                    {again.then(|| form("team/resend", "Resend", Kind::Plain))}
                    {form("team/revoke", "Revoke", Kind::Danger)}
                </div>
            </td>
        </tr>
    }
    .into_any()
}

/// Whether the link went out, and what went wrong if not (TN-09).
fn mail(invite: &InviteRow) -> AnyView {
    let Some(state) = invite.mail.as_deref().and_then(State::parse) else {
        return badge(Tone::Quiet, "None");
    };
    let tone = match state {
        State::Sent => Tone::Good,
        State::Waiting | State::Sending => Tone::Warn,
        State::Dead => Tone::Bad,
    };
    let error = invite.mail_error.clone().filter(|_| state != State::Sent);
    let error = error.map(|error| view! { <small>{error}</small> });
    view! { <span>{badge(tone, state.label())}{error}</span> }.into_any()
}

/// "Tue 30 Mar, 16:00", with the year when it isn't this one.
pub(super) fn moment(tenant: &Tenant, at: Instant, now: Instant) -> AnyView {
    let zone = &tenant.zone;
    let text = format!("{}, {}", day_text(tenant, at, now), zone.clock(at));
    ui::time(zone, at, text)
}

/// "Tue 30 Mar", with the year when it isn't this one.
pub(super) fn day_text(tenant: &Tenant, at: Instant, now: Instant) -> String {
    let (day, today) = (tenant.zone.date(at), tenant.zone.date(now));
    if day.year() == today.year() { tenant.zone.short_day(at) } else { day.strftime("%-d %b %Y").to_string() }
}
