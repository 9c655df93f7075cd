//! The waiting list, and the page of an offer that came of it.

use domain::{
    authz::{Action, Reach, Role},
    booking::{
        service::{self, Choices},
        waiting::{self, State, WaitingRow},
    },
    paging::Page,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{day_and_clock, instructor_field, name, options, student_field};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, Tone, badge},
};

mod offer;

pub use offer::page as offer;

const JOIN: &str = "waiting/join";

/// The list: a student's own entries, or all of the school with a form to add one.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let rows = waiting::list(&mut scope, &cx.list()).await?;
    let choices = match scope.actor().reach(Action::BookForStudent) {
        Reach::All => Some(service::choices(&mut scope).await?),
        _ => None,
    };
    let list = List { tenant: scope.tenant().clone(), role: scope.actor().role, rows };
    Ok(Doc::new("Waiting list", Frame::member(&scope, "waiting"), move || draw(&cx, &list, choices)))
}

struct List {
    tenant: Tenant,
    role: Role,
    rows: Page<WaitingRow>,
}

impl List {
    /// Whether it is the student's own.
    fn own(&self) -> bool {
        self.role == Role::Student
    }
}

fn draw(cx: &Cx, list: &List, choices: Option<Choices>) -> AnyView {
    let words = list.tenant.words();
    let lead = if list.own() {
        "What becomes free is kept for you for a while, and a message tells you so.".to_owned()
    } else {
        format!("What becomes free is offered to the first {} who waits for it.", words.student)
    };
    let bar = (!list.own()).then(|| {
        let total = format!("{} waiting", ui::count(list.rows.total));
        ui::filter_bar(cx, "Search names and services", ().into_any(), total, None)
    });
    let form = choices.map(|choices| add(cx, &list.tenant, choices));
    view! {
        {ui::page_head("Waiting list", Some(lead), ().into_any())}
        {bar}
        {table(cx, list)}
        {ui::pager(cx, &list.rows)}
        {form}
    }
    .into_any()
}

fn table(cx: &Cx, list: &List) -> AnyView {
    let words = list.tenant.words();
    if list.rows.items.is_empty() {
        return if list.own() {
            let text = format!(
                "When all times of a day are taken, join the waiting list there. The first {} that becomes free is kept for you.",
                words.lesson
            );
            let book = ui::link_button(format!("/s/{}", list.tenant.slug), "Find a time", true);
            ui::empty("You aren't waiting for anything", &text, book)
        } else {
            ui::empty(
                "Nobody waits here",
                "Who would like a day or a time that is taken is put on this list, by themselves or below.",
                ().into_any(),
            )
        };
    }
    let student = (!list.own()).then(|| {
        let word = ui::capital(&words.student);
        view! { <th scope="col">{word}</th> }
    });
    let instructor = ui::capital(&words.instructor);
    let rows: Vec<AnyView> = list.rows.items.iter().map(|row| row_view(cx, list, row)).collect();
    let heads = view! {
        {student}
        <th scope="col">"Service"</th>
        <th scope="col">{instructor}</th>
        <th scope="col">"Wanted"</th>
        <th scope="col">"Since"</th>
        <th scope="col">"State"</th>
        <th scope="col"><span class="visually-hidden">"Next step"</span></th>
    };
    ui::table("", heads, rows)
}

fn row_view(cx: &Cx, list: &List, row: &WaitingRow) -> AnyView {
    let (tenant, waited) = (&list.tenant, &row.waited);
    let words = tenant.words();
    let service = name(&waited.service_name);
    let heads = if list.own() {
        view! { <th scope="row">{service}</th> }.into_any()
    } else {
        let href = format!("/t/{}/students/{}", tenant.slug, waited.student);
        view! {
            <th scope="row"><a href=href>{name(&waited.student_name)}</a></th>
            <td data-label="Service">{service}</td>
        }
        .into_any()
    };
    let instructor = ui::capital(&words.instructor);
    let with = match &waited.instructor_name {
        Some(text) => name(text),
        None => view! { <span>"Any"</span> }.into_any(),
    };
    let wanted = ui::time(&tenant.zone, waited.from_at, waited.when(&tenant.zone));
    let since = ui::time(&tenant.zone, row.since, day_and_clock(tenant, row.since));
    view! {
        <tr>
            {heads}
            <td data-label=instructor>{with}</td>
            <td data-label="Wanted">{wanted}</td>
            <td data-label="Since">{since}</td>
            <td data-label="State"><span>{state(cx, tenant, row)}</span></td>
            <td>{leave(cx, tenant, row)}</td>
        </tr>
    }
    .into_any()
}

/// Waiting, and where in the line; or offered, what and until when.
fn state(cx: &Cx, tenant: &Tenant, row: &WaitingRow) -> AnyView {
    let Some(offer) = row.offer.as_ref().filter(|_| row.state == State::Offered) else {
        let place = match row.position {
            1 => "First in line".to_owned(),
            number => format!("Number {} in line", ui::count(number)),
        };
        return view! { {badge(Tone::Warn, "Waiting")}<small>{place}</small> }.into_any();
    };
    if offer.until <= cx.now() {
        return badge(Tone::Quiet, "Offer ended");
    }
    let href = format!("/t/{}/offers/{}", tenant.slug, offer.hold);
    let span = tenant.zone.span(offer.starts_at, offer.ends_at, cx.now());
    let when = ui::time(&tenant.zone, offer.starts_at, span);
    let until = ui::time(&tenant.zone, offer.until, day_and_clock(tenant, offer.until));
    view! {
        {badge(Tone::Good, "Offered")}
        <small><a href=href>{when}" with "{name(&offer.instructor_name)}</a></small>
        <small>"Kept until "{until}</small>
    }
    .into_any()
}

fn leave(cx: &Cx, tenant: &Tenant, row: &WaitingRow) -> AnyView {
    let id = row.waited.id.to_string();
    let hidden = vec![("tenant", tenant.slug.clone()), ("entry", id.clone())];
    ui::post_form("waiting/leave", cx, &id, hidden, ui::button("Leave", Kind::Plain))
}

/// The staff's form.
fn add(cx: &Cx, tenant: &Tenant, choices: Choices) -> AnyView {
    let form = cx.form(JOIN, "");
    let given = |field: &str| cx.query(field).unwrap_or("").to_owned();
    let words = tenant.words();
    let pickup = choices.pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .help("Where the service asks for it.")
            .max_length(300)
            .view(&form, "")
    });
    let body = view! {
        {student_field(choices.students).value(given("student")).required().view(&form, "")}
        {Field::select("service", "Service", options(choices.services))
            .value(given("service"))
            .required()
            .view(&form, "")}
        {instructor_field(tenant, choices.instructors).value(given("instructor")).required().view(&form, "")}
        {Field::date("date", "Date").value(given("date")).required().view(&form, "")}
        {Field::time_of_day("time", "Time")
            .value(given("time"))
            .help("Empty for any time of that day.")
            .view(&form, "")}
        {pickup}
        {Field::area("note", "Note").help("You can leave it empty.").max_length(10_000).rows(3).view(&form, "")}
        {ui::button("Add to waiting list", Kind::Main)}
    };
    let title = format!("Add a {}", words.student);
    let hidden = vec![("tenant", tenant.slug.clone())];
    view! {
        <section class="panel">
            <h2>{title}</h2>
            {ui::post_form(JOIN, cx, "", hidden, body.into_any())}
        </section>
    }
    .into_any()
}
