//! Where one is logged in.

use domain::{
    identity::sessions::{self, SessionRow},
    zoned::Zone,
};
use leptos::prelude::*;

use super::parts::{moment, or_unknown, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{Kind, Tone, badge, button, link_button, page_head, post_form, table},
};

/// The list of sessions.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.account().await?;
    let rows = sessions::list(&mut scope).await?;
    let frame = Frame::Account { account: scope.account().clone() };
    let zone = utc()?;
    Ok(Doc::new("Sessions", frame, move || draw(&cx, &zone, rows)))
}

fn draw(cx: &Cx, zone: &Zone, rows: Vec<SessionRow>) -> AnyView {
    let lead = "Where you are logged in. End what you don't know, then change your password.";
    let alone = rows.len() < 2;
    let rows: Vec<AnyView> = rows.into_iter().map(|row| session(cx, zone, row)).collect();
    view! {
        {page_head("Sessions", Some(lead.into()), link_button("/account".into(), "Account", false))}
        {table("", view! {
            <th scope="col">"Device"</th>
            <th scope="col">"Address"</th>
            <th scope="col">"Since (UTC)"</th>
            <th scope="col">"Last seen (UTC)"</th>
            <th scope="col"><span class="visually-hidden">"End it"</span></th>
        }, rows)}
        {everywhere(cx, alone)}
    }
    .into_any()
}

fn session(cx: &Cx, zone: &Zone, row: SessionRow) -> AnyView {
    let id = row.id.to_string();
    let end = if row.current {
        badge(Tone::Good, "This one")
    } else {
        post_form(
            "identity/revoke_session",
            cx,
            &id,
            vec![("id", id.clone())],
            button("Log out", Kind::Plain),
        )
    };
    view! {
        <tr>
            <th scope="row"><bdi>{or_unknown(row.device)}</bdi></th>
            <td data-label="Address">{or_unknown(row.ip)}</td>
            <td data-label="Since (UTC)">{moment(zone, row.created_at)}</td>
            <td data-label="Last seen (UTC)">{moment(zone, row.last_seen_at)}</td>
            <td data-label="">{end}</td>
        </tr>
    }
    .into_any()
}

fn everywhere(cx: &Cx, alone: bool) -> AnyView {
    let others = (!alone).then(|| {
        let keep = vec![("keep", "on".to_owned())];
        let verb = button("Log out everywhere else", Kind::Plain);
        post_form("identity/logout_everywhere", cx, "others-", keep, verb)
    });
    let all = button("Log out everywhere", Kind::Danger);
    view! {
        <section class="panel">
            <h2>"All at once"</h2>
            <p>"Logging out everywhere ends this session too. You can log in again at any time."</p>
            <div class="row">
                {others}
                {post_form("identity/logout_everywhere", cx, "all-", vec![], all)}
            </div>
        </section>
    }
    .into_any()
}
