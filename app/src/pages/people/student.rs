//! One student: packs with their counts, the ledger behind them, lessons.

use domain::{
    Instant,
    authz::{Action, Reach},
    ids::StudentId,
    packs::StudentPack,
    people::{PostingLine, StudentDetail, remove, service},
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{
    parts::{self, When, Who},
    removed,
};
use crate::{
    cx::{Cx, Form},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind, capital, plural},
};

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let id: StudentId = cx.id("id")?;
    let detail = service::student_detail(&mut scope, id).await?;
    let may = May {
        post: scope.actor().reach(Action::PostCredits) != Reach::None,
        book: scope.actor().reach(Action::BookForStudent) == Reach::All,
        remove: remove::may_remove(&scope),
    };
    let tenant = scope.tenant().clone();
    let title = format!("{}, {}", detail.name, tenant.words().student);
    let frame = Frame::member(&scope, "students");
    Ok(Doc::new(title, frame, move || draw(&cx, &tenant, detail, may)))
}

/// What the one who looks may do here.
#[derive(Clone, Copy)]
struct May {
    post: bool,
    book: bool,
    remove: bool,
}

fn draw(cx: &Cx, tenant: &Tenant, detail: StudentDetail, may: May) -> AnyView {
    let words = tenant.words();
    let now = cx.now();
    let book = if may.book {
        let href = format!("/t/{}/bookings/new?student={}", tenant.slug, detail.id);
        ui::link_button(
            href,
            &format!("Book {} {}", super::associate::article(&words.lesson), words.lesson),
            true,
        )
    } else {
        ().into_any()
    };
    let head = ui::page_head(&detail.name, Some(capital(&words.student)), book);
    let facts = facts(tenant, &detail, now);
    let packs = packs(cx, tenant, detail.packs, may.post);
    let remove =
        may.remove.then(|| removed::panel(cx, tenant, remove::Kind::Student, detail.id.0, &detail.name));
    let lessons = if detail.lessons.is_empty() {
        let text = format!("Booked {}s appear here.", words.lesson);
        ui::empty(&format!("No {}s yet", words.lesson), &text, ().into_any())
    } else {
        parts::lesson_list(tenant, detail.lessons, Who::Instructor, When::Day, now)
    };
    view! {
        {head}
        <div class="stack">
            <div class="grid-2">
                <section class="panel">
                    <h2>"Packs"</h2>
                    {packs}
                </section>
                <section class="panel">
                    <h2>"Facts"</h2>
                    {facts}
                </section>
            </div>
            <section class="panel">
                <h2>{format!("{}s", capital(&words.lesson))}</h2>
                {lessons}
            </section>
            <section class="panel">
                <h2>"Ledger"</h2>
                <p class="quiet">"The last 20 movements, latest first."</p>
                {ledger(tenant, detail.postings)}
            </section>
            {remove}
        </div>
    }
    .into_any()
}

fn facts(tenant: &Tenant, detail: &StudentDetail, now: Instant) -> AnyView {
    ui::facts(vec![
        ("E-mail".to_owned(), parts::optional(detail.email.clone())),
        ("Phone".to_owned(), parts::optional(detail.phone.clone())),
        ("City".to_owned(), parts::optional((!detail.city.is_empty()).then(|| detail.city.clone()))),
        ("Since".to_owned(), parts::day(tenant, Some(detail.created_at), now)),
    ])
}

fn packs(cx: &Cx, tenant: &Tenant, packs: Vec<StudentPack>, may_post: bool) -> AnyView {
    let words = tenant.words();
    if packs.is_empty() {
        let text =
            format!("A pack holds prepaid {}s. Associate this {} to make one.", words.lesson, words.student);
        return ui::empty("No pack yet", &text, ().into_any());
    }
    let packs: Vec<AnyView> = packs.into_iter().map(|pack| pack_view(cx, tenant, pack, may_post)).collect();
    view! { <div class="stack">{packs}</div> }.into_any()
}

fn pack_view(cx: &Cx, tenant: &Tenant, owned: StudentPack, may_post: bool) -> AnyView {
    let pack = owned.pack;
    let count = format!("{} of {} left", pack.left, plural(i64::from(pack.total), &tenant.words().lesson));
    let state = parts::owned_state(tenant, &pack, owned.gone, cx.now());
    let form = if may_post { post_form(cx, tenant, pack.id.to_string()) } else { ().into_any() };
    view! {
        <div class="stack tight">
            <p><strong>{count}</strong>" with " <bdi>{owned.instructor_name}</bdi></p>
            {state}
            {form}
        </div>
    }
    .into_any()
}

/// One form, two buttons: both post what they are named by, with the same reason.
fn post_form(cx: &Cx, tenant: &Tenant, pack: String) -> AnyView {
    let (add, used) = (cx.form("packs/add_lesson", &pack), cx.form("packs/use_lesson", &pack));
    let form: Form = if used.was_refused() { used } else { add };
    let body = view! {
        {Field::text("reason", "Reason").value("By hand").max_length(1000).view(&form, &pack)}
        <div class="row">
            {ui::button("Add lesson", Kind::Plain)}
            <button type="submit" class="button" formaction="/fn/packs/use_lesson">"Use lesson"</button>
        </div>
    };
    let hidden = vec![("tenant", tenant.slug.clone()), ("pack", pack.clone())];
    ui::post_form("packs/add_lesson", cx, &pack, hidden, body.into_any())
}

fn ledger(tenant: &Tenant, postings: Vec<PostingLine>) -> AnyView {
    if postings.is_empty() {
        let text = format!("Every {} added or used leaves a line here.", tenant.words().lesson);
        return ui::empty("Nothing posted yet", &text, ().into_any());
    }
    let rows: Vec<AnyView> = postings.into_iter().map(|posting| posting_row(tenant, posting)).collect();
    let heads = view! {
        <th scope="col">"When"</th>
        <th scope="col">"What"</th>
        <th scope="col" class="num">{format!("{}s", capital(&tenant.words().lesson))}</th>
        <th scope="col">"Pack with"</th>
        <th scope="col">"Reason"</th>
        <th scope="col">"By"</th>
    };
    ui::table("compact", heads, rows)
}

fn posting_row(tenant: &Tenant, posting: PostingLine) -> AnyView {
    let (what, sign) = match (posting.from.as_str(), posting.to.as_str()) {
        ("issued", _) => ("Added", "+"),
        ("pack", "used") => ("Used", "−"),
        ("used", _) => ("Given back", "+"),
        _ => ("Taken back", "−"),
    };
    let zone = &tenant.zone;
    let lessons = format!("{sign}{}", posting.lessons);
    let day = zone.date(posting.at).strftime("%-d %b %Y");
    let at = ui::time(zone, posting.at, format!("{day}, {}", zone.clock(posting.at)));
    let actor = match posting.actor {
        Some(actor) => parts::name(actor),
        None => parts::text("Lessonbook".to_owned()),
    };
    view! {
        <tr>
            <th scope="row">{at}</th>
            <td data-label="What">{what}</td>
            <td data-label=format!("{}s", capital(&tenant.words().lesson)) class="num">{lessons}</td>
            <td data-label="Pack with"><bdi>{posting.instructor_name}</bdi></td>
            <td data-label="Reason" class="break"><bdi>{posting.reason}</bdi></td>
            <td data-label="By">{actor}</td>
        </tr>
    }
    .into_any()
}
