//! Moving a lesson: its terms, the form, free times, and what a move would do before anything is saved.

mod plan;

use domain::{
    Error, FieldErrors, Instant,
    authz::Actor,
    booking::{
        cancel::canceller,
        local_time,
        moves::{self, Sheet, View, Wanted, Which},
        policy::{Canceller, move_terms},
    },
    ids::{BookingId, InstructorId},
    tenancy::Tenant,
    zoned::{LocalTime, Zone},
};
use jiff::{ToSpan, civil::Date};
use leptos::prelude::*;

use super::{day_and_clock, name, which_of_two};
use crate::{
    cx::{Cx, Flash},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

const ACTION: &str = "booking/move";
/// What the address may say.
const FIELDS: [&str; 6] = ["date", "time", "clock", "instructor", "scope", "reason"];
/// What links on the page keep.
const LINKED: [&str; 5] = ["date", "time", "clock", "instructor", "scope"];
/// Days ahead that the page goes to.
const FARTHEST: i64 = 1500;

/// What was typed, on the way here or before.
struct Typed {
    date: String,
    time: String,
    clock: String,
    instructor: Option<InstructorId>,
    which: Which,
}

impl Typed {
    fn read(cx: &Cx) -> Self {
        let form = cx.form(ACTION, "");
        let get = |field: &str| form.value(field, cx.query(field).unwrap_or(""));
        Self {
            date: get("date"),
            time: get("time"),
            clock: get("clock"),
            instructor: get("instructor").parse().ok(),
            which: Which::parse(&get("scope")).unwrap_or_default(),
        }
    }

    /// The new start; none when no time was typed.
    fn starts_at(&self, zone: &Zone) -> Result<Option<Instant>, FieldErrors> {
        if self.time.is_empty() {
            return Ok(None);
        }
        match local_time(zone, &self.date, &self.time, &self.clock) {
            Ok(at) => Ok(Some(at)),
            Err(Error::Invalid(errors)) => Err(errors),
            Err(_) => Ok(None),
        }
    }
}

/// All that the page shows.
struct Page {
    tenant: Tenant,
    by: Canceller,
    sheet: Sheet,
    typed: Typed,
    /// Why the lesson can't be moved.
    refused: Option<String>,
    /// Without it nothing can be chosen.
    view: Option<View>,
    today: Date,
    /// The day whose free times are shown.
    day: Date,
}

/// The page.
pub async fn page(mut cx: Cx) -> PageResult {
    let id: BookingId = cx.id("id")?;
    // A form that is only looked at brings along what it would post.
    cx.query.retain(|field, _| FIELDS.contains(&field.as_str()));
    take_over(&mut cx);
    let mut typed = Typed::read(&cx);
    let mut scope = cx.member(cx.param("tenant")).await?;
    let sheet = moves::sheet(&mut scope, id, typed.which).await?;
    let (tenant, actor): (Tenant, Actor) = (scope.tenant().clone(), scope.actor().clone());
    let (by, now) = (canceller(actor.role), cx.now());
    typed.instructor = typed.instructor.filter(|id| by == Canceller::Staff && sheet.teacher(*id).is_some());
    let refused = sheet.named.standing.may_move(by, now).err();
    let today = tenant.zone.date(now);
    let asked = typed.date.parse::<Date>().unwrap_or_else(|_| tenant.zone.date(sheet.named.starts_at));
    let day = asked.clamp(today, today.saturating_add(FARTHEST.days()));
    let starts_at = typed.starts_at(&tenant.zone).unwrap_or_else(|errors| {
        refuse(&mut cx, errors);
        None
    });
    let view = match refused {
        Some(_) => None,
        None => {
            let wanted = Wanted { starts_at, instructor: typed.instructor, day };
            Some(moves::view(&mut scope, &sheet, &wanted).await?)
        }
    };
    let when = tenant.zone.span(sheet.named.starts_at, sheet.named.ends_at, now);
    let title = format!("Move {}, {when}", sheet.service_name);
    let frame = Frame::member(&scope, "bookings");
    let page = Page { tenant, by, sheet, typed, refused, view, today, day };
    Ok(Doc::new(title, frame, move || draw(&cx, &page)))
}

/// What was typed before goes with the links of the page. On the page after it, what the address says is newer.
fn take_over(cx: &mut Cx) {
    let Some(flash) = cx.flash.as_mut().filter(|flash| !flash.ok && flash.form == ACTION) else {
        return;
    };
    let carried = flash.message.is_empty();
    for field in LINKED {
        if carried {
            match cx.query.get(field) {
                Some(value) => flash.values.insert(field.to_owned(), value.clone()),
                None => flash.values.remove(field),
            };
        } else if let Some(value) = flash.values.get(field).filter(|value| !value.is_empty()) {
            cx.query.insert(field.to_owned(), value.clone());
        }
    }
}

/// Shows what is wrong with the address as if it had been posted.
fn refuse(cx: &mut Cx, errors: FieldErrors) {
    if cx.form(ACTION, "").errors().next().is_none() {
        let values = cx.query.clone();
        cx.flash = Some(Flash { form: ACTION.into(), errors: errors.0, values, ..Flash::default() });
    }
}

fn draw(cx: &Cx, page: &Page) -> AnyView {
    let (tenant, sheet) = (&page.tenant, &page.sheet);
    let words = tenant.words();
    let named = &sheet.named;
    let back = ui::link_button(
        format!("/t/{}/bookings/{}", tenant.slug, named.id),
        &format!("Back to the {}", words.lesson),
        false,
    );
    let when = tenant.zone.long_span(named.starts_at, named.ends_at, cx.now());
    let place = named.place.map(|place| format!(", number {place} of its series")).unwrap_or_default();
    let facts = ui::facts(vec![
        ("Now".to_owned(), ui::time(&tenant.zone, named.starts_at, format!("{when}{place}"))),
        (ui::capital(&words.student), name(&sheet.student_name)),
        (ui::capital(&words.instructor), name(&named.instructor_name)),
    ]);
    let standing = named.standing;
    let terms = move_terms(&tenant.zone, words, &standing.terms, standing.moves, named.starts_at, cx.now());
    let rule = match (&page.refused, page.by) {
        (Some(why), _) => why.clone(),
        (None, Canceller::Student) => terms,
        (None, _) => format!("The terms of the {}: {terms}", words.student),
    };
    let rest = page.view.as_ref().map(|view| {
        let plan = view.plan.as_ref().map(|plan| plan::view(cx, tenant, page.by, plan));
        view! {
            {plan}
            {form(cx, page, view)}
            {plan::free(cx, tenant, &view.free, page.today, page.day)}
        }
    });
    view! {
        {ui::page_head(&format!("Move {}", sheet.service_name), None, back)}
        <div class="stack">
            <section class="panel">
                {facts}
                <p>{rule}</p>
            </section>
            {rest}
        </div>
    }
    .into_any()
}

fn form(cx: &Cx, page: &Page, shown: &View) -> AnyView {
    let (tenant, sheet, typed) = (&page.tenant, &page.sheet, &page.typed);
    let (words, form) = (tenant.words(), cx.form(ACTION, ""));
    let or = |typed: &str, now: String| if typed.is_empty() { now } else { typed.to_owned() };
    let at = sheet.named.starts_at;
    let date = Field::date("date", "Date")
        .value(or(&typed.date, tenant.zone.date(at).to_string()))
        .min(page.today)
        .required();
    let time = Field::time_of_day("time", "Time").value(or(&typed.time, tenant.zone.clock(at))).required();
    let clock = which_of_two(&form, "clock", &tenant.zone, (&typed.date, &typed.time), &typed.clock);
    let instructor = (page.by == Canceller::Staff).then(|| {
        let mut options = vec![(String::new(), "As it is now".to_owned())];
        options.extend(sheet.teachers.iter().map(|one| (one.id.to_string(), one.name.clone())));
        let chosen = typed.instructor.map(|id| id.to_string()).unwrap_or_default();
        Field::select("instructor", "Instructor", options).value(chosen).view(&form, "")
    });
    let which = sheet.series.map(|_| {
        let options =
            Which::ALL.map(|which| (which.as_str().to_owned(), which.label(&words.lesson))).to_vec();
        Field::radio("scope", format!("Which {}s", words.lesson), options)
            .value(typed.which.as_str())
            .view(&form, "")
    });
    let reason = Field::area("reason", "Reason")
        .value(cx.query("reason").unwrap_or(""))
        .help("Everyone concerned reads it. You can leave it empty.")
        .max_length(1000)
        .rows(2);
    let label = match shown.plan.as_ref().filter(|plan| plan.fits()).map(|plan| plan.lessons.len()) {
        _ if typed.which == Which::This => "Move lesson".to_owned(),
        Some(1) => "Move lesson".to_owned(),
        Some(number) => format!("Move {number} lessons"),
        None => "Move lessons".to_owned(),
    };
    let hidden = vec![("tenant", tenant.slug.clone()), ("booking", sheet.named.id.to_string())];
    let look = cx.path.clone();
    let body = view! {
        {date.view(&form, "")}
        {time.view(&form, "")}
        {clock}
        {instructor}
        {which}
        {reason.view(&form, "")}
        <div class="row">
            {ui::button(&label, Kind::Main)}
            <button type="submit" class="button" formmethod="get" formaction=look>"Check times"</button>
        </div>
    };
    let lead = format!("Times are {} time. Checking saves nothing.", tenant.zone.city());
    view! {
        <section class="panel">
            <h2>"New time"</h2>
            <p>{lead}</p>
            {ui::post_form(ACTION, cx, "", hidden, body.into_any())}
        </section>
    }
    .into_any()
}

/// The address with a time filled in.
fn link(cx: &Cx, zone: &Zone, at: Instant) -> String {
    let wall = at.to_zoned(zone.tz().clone()).datetime();
    let clock = match zone.resolve(wall) {
        LocalTime::Twice(first, _) if first == at => "first",
        LocalTime::Twice(..) => "second",
        _ => "",
    };
    cx.link(&[("date", &zone.date(at).to_string()), ("time", &zone.clock(at)), ("clock", clock)])
}

/// Free starts, each a link that fills the form.
fn links(cx: &Cx, tenant: &Tenant, starts: Vec<Instant>) -> AnyView {
    let links: Vec<AnyView> = starts
        .into_iter()
        .map(|at| {
            let href = link(cx, &tenant.zone, at);
            let text = ui::time(&tenant.zone, at, day_and_clock(tenant, at));
            view! { <li><a class="slot" href=href>{text}</a></li> }.into_any()
        })
        .collect();
    view! { <ul class="stack tight">{links}</ul> }.into_any()
}
