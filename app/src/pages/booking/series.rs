//! Lessons that come again and again: the form, and the plan with every conflict before anything is booked. Both are
//! addresses; only the last button posts.

mod plan;

use std::collections::BTreeMap;

use domain::{
    authz::{Action, Reach, TenantScope},
    availability,
    booking::{
        self,
        series::{self, Every, MOST, SeriesPlan, SeriesTyped},
        service::Choice,
    },
    ids::StudentId,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::options;
use crate::{
    AppError,
    cx::{Cx, Flash},
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

const ACTION: &str = "booking/book_series";
/// What the address and both forms carry.
const FIELDS: [&str; 13] = [
    "student",
    "service",
    "instructor",
    "date",
    "time",
    "clock",
    "every",
    "until",
    "count",
    "last_day",
    "note",
    "pickup",
    "skip",
];
/// Characters of a note: it is part of the address as long as the series is planned.
const LONGEST_NOTE: usize = 1000;

/// The form, or the plan when it was filled.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let staff = scope.require(Action::BookSeries)? == Reach::All;
    let mut errors = BTreeMap::new();
    if cx.query("plan").is_some() {
        match shown(&mut scope, &cx, staff).await {
            Ok(Shown::Plan(plan)) => {
                let tenant = scope.tenant().clone();
                let title = format!("Plan: {}, {}", plan.service_name, plan.when);
                let frame = Frame::member(&scope, "bookings");
                return Ok(Doc::new(title, frame, move || plan::draw(&cx, &tenant, &plan, staff)));
            }
            Ok(Shown::Student(id)) => {
                return Ok(Doc::redirect(cx.link(&[("student", &id.to_string())])));
            }
            Err(domain::Error::Invalid(found)) => errors = found.0,
            Err(error) => return Err(error.into()),
        }
    }
    let choices = Choices::load(&mut scope, staff).await?;
    let tenant = scope.tenant().clone();
    let title = format!("Repeat {}", super::a(&tenant.words().lesson));
    let status = if errors.is_empty() { 200 } else { 422 };
    let doc = Doc::new(title, Frame::member(&scope, "bookings"), move || {
        draw_form(&cx, &tenant, choices, staff, errors)
    });
    Ok(doc.with_status(status))
}

/// What a filled form leads to.
enum Shown {
    /// The plan.
    Plan(Box<SeriesPlan>),
    /// The same address with the id of the student whom it named otherwise, so that the plan needs not look it up.
    Student(StudentId),
}

async fn shown(scope: &mut TenantScope, cx: &Cx, staff: bool) -> domain::Result<Shown> {
    let typed = typed(cx);
    let named = typed.student.trim();
    if staff && !named.is_empty() && named.parse::<StudentId>().is_err() {
        return Ok(Shown::Student(series::student(scope, named).await?));
    }
    Ok(Shown::Plan(Box::new(series::plan(scope, &typed).await?)))
}

/// The form as the address has it.
fn typed(cx: &Cx) -> SeriesTyped {
    let text = |field: &str| cx.query(field).unwrap_or("").to_owned();
    SeriesTyped {
        student: text("student"),
        service: text("service"),
        instructor: text("instructor"),
        date: text("date"),
        time: text("time"),
        clock: text("clock"),
        every: text("every"),
        until: text("until"),
        count: text("count"),
        last_day: text("last_day"),
        skip: text("skip").split(',').filter_map(|place| place.trim().parse().ok()).collect(),
        note: text("note"),
        pickup: text("pickup"),
        idempotency_key: None,
    }
}

/// What the form offers.
struct Choices {
    /// None for a student, and when there are too many to choose from.
    students: Vec<Choice>,
    instructors: Vec<Choice>,
    services: Vec<Choice>,
    pickup: bool,
}

impl Choices {
    async fn load(scope: &mut TenantScope, staff: bool) -> Result<Self, AppError> {
        if staff {
            let found = booking::service::choices(scope).await?;
            return Ok(Self {
                students: found.students,
                instructors: found.instructors,
                services: found.services,
                pickup: found.pickup,
            });
        }
        let found = availability::service::catalogue(scope).await?;
        let alone: Vec<_> = found.services.into_iter().filter(|offer| offer.service.capacity == 1).collect();
        Ok(Self {
            students: Vec::new(),
            instructors: found
                .instructors
                .into_iter()
                .map(|guide| Choice { id: guide.id.0, name: guide.name })
                .collect(),
            pickup: alone.iter().any(|offer| offer.service.needs_pickup),
            services: alone
                .into_iter()
                .map(|offer| Choice { id: offer.service.id.0, name: offer.service.name })
                .collect(),
        })
    }
}

fn head(tenant: &Tenant, lead: String) -> AnyView {
    let words = tenant.words();
    let back =
        ui::link_button(format!("/t/{}/bookings", tenant.slug), &format!("All {}s", words.lesson), false);
    ui::page_head(&format!("Repeat {}", super::a(&words.lesson)), Some(lead), back)
}

fn draw_form(
    cx: &Cx,
    tenant: &Tenant,
    choices: Choices,
    staff: bool,
    errors: BTreeMap<String, String>,
) -> AnyView {
    let words = tenant.words();
    let lead = format!(
        "The same time each week, fortnight or month, by the clock on the wall in {}. You see every {} before \
         anything is booked.",
        tenant.zone.city(),
        words.lesson
    );
    let main = if choices.services.is_empty() {
        let text = format!("There is no {} that can be repeated now.", words.lesson);
        ui::empty("Nothing to repeat", &text, ().into_any())
    } else {
        form(cx, tenant, choices, staff, errors)
    };
    view! {
        {head(tenant, lead)}
        <section class="panel">{main}</section>
    }
    .into_any()
}

fn form(
    cx: &Cx,
    tenant: &Tenant,
    choices: Choices,
    staff: bool,
    errors: BTreeMap<String, String>,
) -> AnyView {
    let problems = (!errors.is_empty()).then(|| ui::error_summary("", errors.clone()));
    // The address holds what was typed, as the session does for a form that posts.
    let mut cx = cx.clone();
    let values = FIELDS.iter().filter_map(|field| Some(((*field).to_owned(), cx.query(field)?.to_owned())));
    let flash = Flash { form: ACTION.into(), errors, values: values.collect(), ..Flash::default() };
    cx.flash = Some(flash);
    let form = cx.form(ACTION, "");
    let words = tenant.words();
    let student = staff.then(|| {
        let field = if choices.students.is_empty() {
            Field::text("student", "Student").help("E-mail address or full name.").max_length(320)
        } else {
            Field::select("student", "Student", options(choices.students))
        };
        field.required().view(&form, "")
    });
    let mut instructors = options(choices.instructors);
    instructors.insert(1, ("any".to_owned(), format!("Any {}", words.instructor)));
    let any = format!("Any: one {} for all of them, the one who is free most often.", words.instructor);
    let every = Every::ALL.map(|every| (every.as_str().to_owned(), every.label().to_owned())).to_vec();
    let until = vec![
        ("count".to_owned(), format!("After a number of {}s", words.lesson)),
        ("day".to_owned(), "On a day".to_owned()),
    ];
    let pickup = choices.pickup.then(|| {
        Field::text("pickup", "Pickup address")
            .help("Where the service asks for it.")
            .autocomplete(if staff { "off" } else { "street-address" })
            .max_length(300)
            .view(&form, "")
    });
    let action = cx.path.clone();
    let body = view! {
        {student}
        {Field::select("instructor", "Instructor", instructors).help(any).required().view(&form, "")}
        {Field::select("service", "Service", options(choices.services)).required().view(&form, "")}
        {Field::date("date", "Date").help("Of the first.").required().view(&form, "")}
        {Field::time_of_day("time", "Time").required().view(&form, "")}
        {Field::select("every", "Repeat", every).required().view(&form, "")}
        {Field::radio("until", "Ends", until).value("count").view(&form, "")}
        {Field::number("count", format!("Number of {}s", words.lesson))
            .value("10")
            .help(format!("From 2 to {MOST}."))
            .view(&form, "")}
        {Field::date("last_day", "Last day").help("At most two years after the first.").view(&form, "")}
        {Field::area("note", "Note")
            .help(format!("What the {} should know. You can leave it empty.", words.instructor))
            .max_length(LONGEST_NOTE)
            .rows(3)
            .view(&form, "")}
        {pickup}
        {ui::button("Show the plan", Kind::Main)}
    };
    view! {
        <form class="form" method="get" action=action>
            <input type="hidden" name="plan" value="1"/>
            {problems}
            {body}
        </form>
    }
    .into_any()
}
