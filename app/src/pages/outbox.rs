//! Messages to people: which were sent, which wait, which failed and why (NT-05).

use domain::{
    authz::{Action, Reach},
    notify::{
        State,
        deliveries::{self, DeliveryRow},
    },
    paging::Page,
    zoned::Zone,
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Kind, Tone, plural, sort_head},
};

/// The messages of a school.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let page = deliveries::list(&mut scope, &cx.list(), cx.query("state").unwrap_or("")).await?;
    let tenant = scope.tenant().clone();
    let resend = scope.actor().reach(Action::ResendMail) == Reach::All;
    let list = List {
        zone: tenant.zone.clone(),
        resend: resend.then(|| ("notify/resend", vec![("tenant", tenant.slug.clone())])),
        lead: format!("What {} has written to people, and what became of it.", tenant.name),
        waits: "The platform has no mail server: messages wait here, unless the school has a server of its own.",
    };
    Ok(Doc::new("Messages", Frame::member(&scope, "outbox"), move || draw(&cx, &list, page)))
}

/// The messages to holders of accounts, which are no school's.
pub async fn platform(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let page = deliveries::list_platform(&mut scope, &cx.list(), cx.query("state").unwrap_or("")).await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "outbox" };
    let list = List {
        zone: Zone::parse("UTC").map_err(domain::Error::internal)?,
        resend: Some(("notify/resend_platform", Vec::new())),
        lead: "Messages about accounts. A school's messages are in its own outbox. Times are in UTC."
            .to_owned(),
        waits: "No mail server is set up: messages wait here.",
    };
    Ok(Doc::new("Messages", frame, move || draw(&cx, &list, page)))
}

/// What differs between a school's list and the platform's.
struct List {
    zone: Zone,
    /// The action that sends again and what it is told beside the message, for those who may.
    resend: Option<(&'static str, Vec<(&'static str, String)>)>,
    lead: String,
    /// Said as long as the platform has no mail server.
    waits: &'static str,
}

fn draw(cx: &Cx, list: &List, page: Page<DeliveryRow>) -> AnyView {
    let states: Vec<(String, String)> = std::iter::once((String::new(), "All".to_owned()))
        .chain(State::ALL.map(|state| (state.as_str().to_owned(), state.label().to_owned())))
        .collect();
    let extra = ui::filter_select(cx, "state", "State", states);
    let total = plural(page.total, "message");
    let pager = ui::pager(cx, &page);
    let waits = (!cx.site.mail.configured()).then(|| view! { <p class="record-note">{list.waits}</p> });
    view! {
        {ui::page_head("Messages", Some(list.lead.clone()), ().into_any())}
        {waits}
        {ui::filter_bar(cx, "Search recipient or subject", extra, total, None)}
        {table(cx, list, page.items)}
        {pager}
    }
    .into_any()
}

fn table(cx: &Cx, list: &List, rows: Vec<DeliveryRow>) -> AnyView {
    if rows.is_empty() {
        let text = "Every message to a person appears here, with its state and what went wrong. Change the search or the filter.";
        return ui::empty("No message here", text, ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(cx, list, row)).collect();
    let heads = view! {
        {sort_head(cx, "created", "When", false, "")}
        {sort_head(cx, "recipient", "To", false, "")}
        {sort_head(cx, "subject", "Subject", false, "")}
        <th scope="col">"State"</th>
        <th scope="col" class="num">"Attempts"</th>
        <th scope="col">"What went wrong"</th>
        <th scope="col"><span class="visually-hidden">"Next step"</span></th>
    };
    ui::table("records", heads, rows)
}

fn row_view(cx: &Cx, list: &List, row: DeliveryRow) -> AnyView {
    let zone = &list.zone;
    let resend = resend(cx, list, &row);
    let next = (row.state == State::Waiting && row.attempts > 0).then(|| {
        let at = ui::time(zone, row.next_attempt_at, moment(zone, row.next_attempt_at));
        view! { <small>"Next try " {at}</small> }
    });
    let sent = row.sent_at.map(|at| {
        let at = ui::time(zone, at, moment(zone, at));
        view! { <small>"Sent " {at}</small> }
    });
    let twice = row.uncertain.then(|| view! { <small>"May have arrived twice"</small> });
    view! {
        <tr>
            <th scope="row">{ui::time(zone, row.created_at, moment(zone, row.created_at))}</th>
            <td data-label="To" class="break"><bdi>{row.recipient}</bdi></td>
            <td data-label="Subject" class="break"><bdi>{row.subject}</bdi></td>
            <td data-label="State"><span>{state_badge(row.state)}{sent}{next}{twice}</span></td>
            <td data-label="Attempts" class="num">{row.attempts.to_string()}</td>
            <td data-label="What went wrong" class="break">{row.error}</td>
            <td>{resend}</td>
        </tr>
    }
    .into_any()
}

/// The button of a failed message, for those who may, unless it is of no use any more.
fn resend(cx: &Cx, list: &List, row: &DeliveryRow) -> AnyView {
    let Some((action, hidden)) = list.resend.as_ref().filter(|_| row.state == State::Dead) else {
        return ().into_any();
    };
    if row.expired(cx.now()) {
        let why = match row.kind.as_str() {
            "reminder" => "Too late: the lesson has begun",
            _ => "Too late: its link has expired",
        };
        return view! { <small>{why}</small> }.into_any();
    }
    let id = row.id.to_string();
    let mut hidden = hidden.clone();
    hidden.push(("id", id.clone()));
    hidden.push(("back", cx.link(&[("page", cx.query("page").unwrap_or(""))])));
    ui::post_form(action, cx, &id, hidden, ui::button("Send again", Kind::Plain))
}

fn state_badge(state: State) -> AnyView {
    let tone = match state {
        State::Waiting | State::Sending => Tone::Warn,
        State::Sent => Tone::Good,
        State::Dead => Tone::Bad,
    };
    ui::badge(tone, state.label())
}

/// "30 Mar 2026, 16:00".
fn moment(zone: &Zone, at: domain::Instant) -> String {
    format!("{}, {}", zone.date(at).strftime("%-d %b %Y"), zone.clock(at))
}
