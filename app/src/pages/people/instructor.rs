//! One instructor: facts, mentees (PE-02), what comes next, working hours; for staff, whether to have them.

use domain::{
    authz::{Action, Reach, TenantScope},
    availability::rules::{self, Desk},
    identity::profile::{self, Profile},
    ids::InstructorId,
    people::{InstructorDetail, Named, Verification, remove, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{
    associate, mentees,
    parts::{self, When, Who},
    removed,
};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    pages::booking::hours,
    ui::{self, Field, Kind, capital, plural},
};

/// What the one who looks may do here.
#[derive(Clone, Copy)]
struct May {
    associate: bool,
    verify: bool,
    remove: bool,
    hours: hours::May,
}

impl May {
    fn of(scope: &TenantScope) -> Self {
        Self {
            associate: service::may_associate(scope),
            verify: scope.actor().reach(Action::VerifyInstructor) == Reach::All,
            remove: remove::may_remove(scope),
            hours: hours::May::of(scope),
        }
    }
}

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: InstructorId = cx.id("id")?;
    let detail = service::instructor(&mut scope, id).await?;
    let desk = rules::desk(&mut scope, id).await?;
    let may = May::of(&scope);
    // One query more, and only while someone waits for an answer.
    let profile = match detail.applicant {
        Some(user) if may.verify => profile::of_member(&mut scope, user).await?,
        _ => None,
    };
    let tenant = scope.tenant().clone();
    let title = format!("{}, {}", detail.row.name, tenant.words().instructor);
    let frame = Frame::member(&scope, "instructors");
    let draw = move || draw(&cx, &tenant, may, detail, profile, desk);
    Ok(Doc::new(title, frame, draw).with_islands())
}

fn draw(
    cx: &Cx,
    tenant: &Tenant,
    may: May,
    detail: InstructorDetail,
    profile: Option<Profile>,
    desk: Desk,
) -> AnyView {
    let words = tenant.words();
    let id = detail.row.id;
    let head = ui::page_head(
        &detail.row.name,
        Some(capital(&words.instructor)),
        ui::link_button(
            format!("/t/{}/bookings?instructor={id}", tenant.slug),
            &format!("All {}s", words.lesson),
            false,
        ),
    );
    let facts = facts(tenant, &detail);
    let pending = detail.row.verification == Verification::Pending;
    let waits = pending || detail.applicant.is_some();
    let answer = (may.verify && waits).then(|| answer(cx, tenant, &detail, profile));
    let verify = (may.verify && !pending).then(|| verify_form(cx, tenant, &detail));
    let associate = may.associate.then(|| {
        let me = Named { id: id.0, name: detail.row.name.clone() };
        associate::form(cx, tenant, vec![me], detail.students)
    });
    let remove =
        may.remove.then(|| removed::panel(cx, tenant, remove::Kind::Instructor, id.0, &detail.row.name));
    let next = if detail.next.is_empty() {
        let text = format!("Booked {}s appear here.", words.lesson);
        ui::empty(&format!("No {}s ahead", words.lesson), &text, ().into_any())
    } else {
        parts::lesson_list(tenant, detail.next, Who::Student, When::Day, cx.now())
    };
    view! {
        {head}
        <div class="stack">
            {answer}
            <section class="panel">
                <h2>{format!("{}s", capital(&words.student))}</h2>
                {mentees::table(cx, tenant, detail.row.mentees, cx.now())}
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
            {hours::panel(cx, tenant, id, desk, may.hours)}
            {remove}
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
        ("Left in packs".to_owned(), parts::text(plural(row.lessons_left, &words.lesson))),
    ];
    if !detail.bio.is_empty() {
        rows.push(("About".to_owned(), parts::name(detail.bio.clone())));
    }
    ui::facts(rows)
}

/// What someone who is pending has said of themselves, and the two answers.
fn answer(cx: &Cx, tenant: &Tenant, detail: &InstructorDetail, profile: Option<Profile>) -> AnyView {
    let word = &tenant.words().instructor;
    let lead = match detail.applicant {
        Some(_) => format!(
            "They have applied to be {} {word} here, and hear your answer. Verified, they come in and are shown to the public.",
            associate::article(word)
        ),
        None => format!("Only verified {word}s are shown to the public and can be booked."),
    };
    let none = match detail.applicant {
        Some(_) => "They have not filled in their profile.",
        None => "They did not apply by themselves, so there is no profile to look at.",
    };
    let said = match profile {
        Some(profile) => said(profile),
        None => view! { <p class="quiet">{none}</p> }.into_any(),
    };
    let hidden = || vec![("tenant", tenant.slug.clone()), ("instructor", detail.row.id.to_string())];
    let mut verified = hidden();
    verified.push(("verification", Verification::Verified.as_str().to_owned()));
    let verify = ui::button(&format!("Verify {word}"), Kind::Main);
    let form = cx.form("people/reject", "reject-");
    let open = form.was_refused();
    let reject = view! {
        {Field::text("reason", "Reason").required().autocomplete("off").max_length(1000).view(&form, "reject-")}
        {ui::button(&format!("Reject {word}"), Kind::Danger)}
    };
    view! {
        <section class="panel">
            <h2>"Waits for your answer"</h2>
            <div class="stack tight">
                <p>{lead}</p>
                {said}
                {ui::post_form("people/verify", cx, "verify-", verified, verify)}
                <details class="row-open" open=open>
                    <summary>"Reject instead"</summary>
                    {ui::post_form("people/reject", cx, "reject-", hidden(), reject.into_any())}
                </details>
            </div>
        </section>
    }
    .into_any()
}

fn said(profile: Profile) -> AnyView {
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let place = profile.pickup_at.map(|(lat, lon)| format!("{lat:.5}, {lon:.5}"));
    ui::facts(vec![
        ("Id number".to_owned(), parts::optional(filled(profile.id_number))),
        ("Address".to_owned(), parts::optional(filled(profile.address))),
        ("Suburb".to_owned(), parts::optional(filled(profile.suburb))),
        ("City".to_owned(), parts::optional(filled(profile.city))),
        ("Province".to_owned(), parts::optional(filled(profile.province))),
        ("Pickup address".to_owned(), parts::optional(filled(profile.pickup))),
        ("Pickup place".to_owned(), parts::optional(place)),
    ])
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
