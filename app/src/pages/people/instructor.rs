//! One instructor: facts, mentees (PE-02), what comes next, working hours.

use domain::{
    availability::{self, Block, WeeklyHour},
    ids::InstructorId,
    people::{InstructorDetail, Named, Verification, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{
    associate, mentees,
    parts::{self, When, Who},
};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::booking::hours,
    ui::{self, Field, Kind, capital, plural},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: InstructorId = cx.id("id")?;
    let detail = service::instructor(&mut scope, id).await?;
    let (hours, blocks) = availability::service::hours_and_blocks(&mut scope, id).await?;
    let tenant = scope.tenant().clone();
    let staff = service::may_associate(&scope);
    let title = format!("{}, {}", detail.row.name, tenant.words().instructor);
    let frame = Frame::member(&scope, "instructors");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, detail, hours, blocks, staff)).with_islands())
}

fn draw(
    cx: &Cx,
    tenant: &Tenant,
    detail: InstructorDetail,
    hours: Vec<WeeklyHour>,
    blocks: Vec<Block>,
    staff: bool,
) -> AnyView {
    let words = tenant.words();
    let id = detail.row.id;
    let head = ui::page_head(
        &detail.row.name,
        Some(capital(words.instructor)),
        ui::link_button(
            format!("/t/{}/bookings?instructor={id}", tenant.slug),
            &format!("All {}s", words.lesson),
            false,
        ),
    );
    let facts = facts(tenant, &detail);
    let verify = if staff { verify_form(cx, tenant, &detail) } else { ().into_any() };
    let associate = if staff {
        let me = Named { id: id.0, name: detail.row.name.clone() };
        associate::form(cx, tenant, vec![me], detail.students)
    } else {
        ().into_any()
    };
    let next = if detail.next.is_empty() {
        let text = format!("Booked {}s appear here.", words.lesson);
        ui::empty(&format!("No {}s ahead", words.lesson), &text, ().into_any())
    } else {
        parts::lesson_list(tenant, detail.next, Who::Student, When::Day, cx.now)
    };
    view! {
        {head}
        <div class="stack">
            <section class="panel">
                <h2>{format!("{}s", capital(words.student))}</h2>
                {mentees::table(cx, tenant, detail.row.mentees, cx.now)}
            </section>
            {associate}
            <div class="grid-2">
                <section class="panel">
                    <h2>{format!("Next {}s", words.lesson)}</h2>
                    {next}
                </section>
                <section class="panel">
                    <h2>"Facts"</h2>
                    {facts}
                    {verify}
                </section>
            </div>
            {hours::panel(cx, &tenant.slug, id, hours, blocks, &tenant.zone)}
        </div>
    }
    .into_any()
}

fn facts(tenant: &Tenant, detail: &InstructorDetail) -> AnyView {
    let row = &detail.row;
    let words = tenant.words();
    let mut rows = vec![
        ("E-mail".to_owned(), parts::optional(row.email.clone())),
        ("Phone".to_owned(), parts::optional(row.phone.clone())),
        ("City".to_owned(), parts::optional((!row.city.is_empty()).then(|| row.city.clone()))),
        ("Verification".to_owned(), parts::verification_badge(row.verification)),
        ("Seats".to_owned(), parts::text(format!("{} of {} taken", ui::count(row.seats_used), row.seats))),
        ("Left in packs".to_owned(), parts::text(plural(row.lessons_left, words.lesson))),
    ];
    if !detail.bio.is_empty() {
        rows.push(("About".to_owned(), parts::name(detail.bio.clone())));
    }
    ui::facts(rows)
}

fn verify_form(cx: &Cx, tenant: &Tenant, detail: &InstructorDetail) -> AnyView {
    let form = cx.form("people/verify", "");
    let states: Vec<(String, String)> = Verification::ALL
        .into_iter()
        .map(|state| (state.as_str().to_owned(), capital(state.as_str())))
        .collect();
    let help =
        format!("Only verified {}s are shown to the public and can be booked.", tenant.words().instructor);
    let body = view! {
        {Field::select("verification", "Verification", states)
            .value(detail.row.verification.as_str())
            .help(help)
            .view(&form, "")}
        {ui::button("Save verification", Kind::Plain)}
    };
    let hidden = vec![("tenant", tenant.slug.clone()), ("instructor", detail.row.id.to_string())];
    ui::post_form("people/verify", cx, "", hidden, body.into_any())
}
