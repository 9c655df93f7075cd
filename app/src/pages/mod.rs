//! Pages, by area. Each row of [`routes`] is an address, who may come, and the function that makes the page.

use std::{future::Future, pin::Pin};

use domain::authz::Action;

use leptos::prelude::*;

use crate::{
    AppError, Code,
    access::Access,
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui,
};

pub mod admin;
pub mod audit;
pub mod availability;
pub mod booking;
pub mod feeds;
pub mod identity;
pub mod outbox;
pub mod people;
pub mod resources;
pub mod services;
pub mod settings;
pub mod team;

/// An address and its page.
#[derive(Clone, Copy)]
pub struct PageRoute {
    /// In axum's form.
    pub path: &'static str,
    /// Who may come.
    pub access: Access,
    /// Makes the page.
    pub run: fn(Cx) -> Pin<Box<dyn Future<Output = PageResult> + Send>>,
}

macro_rules! page {
    ($path:literal, $access:expr, $run:path) => {
        PageRoute { path: $path, access: $access, run: |cx| Box::pin($run(cx)) }
    };
}

/// Every page there is.
pub fn routes() -> Vec<PageRoute> {
    use Access::{Anyone, Member, Platform, School, SignedIn};
    vec![
        page!("/", Anyone, identity::home::page),
        page!("/login", Anyone, identity::login::page),
        page!("/login/code", Anyone, identity::login::code),
        page!("/login/link", Anyone, identity::login::ask_link),
        page!("/login/link/{token}", Anyone, identity::login::link),
        page!("/register", Anyone, identity::register::page),
        page!("/verify/{token}", Anyone, identity::register::verify),
        page!("/forgot", Anyone, identity::recovery::forgot),
        page!("/reset/{token}", Anyone, identity::recovery::reset),
        page!("/invite/{token}", Anyone, identity::invite::page),
        page!("/account", SignedIn, identity::account::page),
        page!("/account/security", SignedIn, identity::security::page),
        page!("/account/sessions", SignedIn, identity::sessions::page),
        page!("/account/profile", SignedIn, identity::profile::page),
        page!("/account/confirm", SignedIn, identity::confirm::page),
        page!("/account/email/{token}", Anyone, identity::account::confirm_email),
        page!("/s/{tenant}", School, booking::school::page),
        page!("/s/{tenant}/instructors/{id}", School, booking::school::instructor),
        page!("/s/{tenant}/book", School, booking::book::page),
        page!("/t/{tenant}", Member(Action::ViewDashboard), people::dashboard::page),
        page!("/t/{tenant}/bookings", Member(Action::ViewBookings), booking::list::page),
        page!("/t/{tenant}/bookings/new", Member(Action::BookForStudent), booking::staff::page),
        page!("/t/{tenant}/bookings/{id}", Member(Action::ViewBookings), booking::one::page),
        page!("/t/{tenant}/bookings/{id}/move", Member(Action::MoveBooking), booking::moves::page),
        page!("/t/{tenant}/series", Member(Action::BookSeries), booking::series::page),
        page!("/t/{tenant}/groups/new", Member(Action::OpenGroup), booking::group::blank),
        page!("/t/{tenant}/groups/{id}", Member(Action::OpenGroup), booking::group::page),
        page!("/t/{tenant}/calendar", Member(Action::ViewCalendar), booking::calendar::page),
        page!("/t/{tenant}/attendance", Member(Action::CompleteBooking), booking::attendance::page),
        page!("/t/{tenant}/waiting", Member(Action::ViewWaitingList), booking::waiting::page),
        page!("/t/{tenant}/offers/{id}", Member(Action::JoinWaitingList), booking::waiting::offer),
        page!("/t/{tenant}/feeds", Member(Action::MakeFeed), feeds::page),
        page!("/t/{tenant}/instructors", Member(Action::ViewInstructors), people::instructors::page),
        page!("/t/{tenant}/instructors/{id}", Member(Action::ViewInstructors), people::instructor::page),
        page!("/t/{tenant}/students", Member(Action::ViewStudents), people::students::page),
        page!("/t/{tenant}/students/import", Member(Action::ImportPeople), people::import::page),
        page!("/t/{tenant}/students/{id}", Member(Action::ViewStudents), people::student::page),
        page!("/t/{tenant}/services", Member(Action::ViewServices), services::list::page),
        page!("/t/{tenant}/services/{id}", Member(Action::EditServices), services::one::page),
        page!("/t/{tenant}/resources", Member(Action::EditResources), resources::list::page),
        page!("/t/{tenant}/resources/{id}", Member(Action::EditResources), resources::one::page),
        page!("/t/{tenant}/holidays", Member(Action::EditHolidays), availability::holidays::page),
        page!("/t/{tenant}/team", Member(Action::ManageTeam), team::page),
        page!("/t/{tenant}/settings", Member(Action::EditSettings), settings::page),
        page!("/t/{tenant}/outbox", Member(Action::ViewOutbox), outbox::page),
        page!("/t/{tenant}/audit", Member(Action::ViewAudit), audit::page),
        page!("/admin", Platform, admin::overview::page),
        page!("/admin/tenants", Platform, admin::tenants::page),
        page!("/admin/tenants/new", Platform, admin::tenants::blank),
        page!("/admin/tenants/{id}", Platform, admin::tenant::page),
        page!("/admin/users", Platform, admin::users::page),
        page!("/admin/users/{id}", Platform, admin::user::page),
        page!("/admin/outbox", Platform, outbox::platform),
        page!("/admin/audit", Platform, audit::platform),
        page!("/admin/docs", Platform, admin::docs::page),
    ]
}

/// A refusal as a page: what happened, and the way back.
pub fn error_page(error: &AppError) -> Doc {
    let title = match error.code {
        Code::NotFound => "Not found",
        Code::Forbidden => "Not allowed",
        Code::Unavailable => "Too busy",
        Code::TooLarge => "Too large",
        Code::RateLimited => "Too often",
        Code::Internal => "Something went wrong",
        _ => "That did not work",
    };
    let message = error.message.clone();
    let fields: Vec<String> = error.fields.values().cloned().collect();
    let number = (error.code == Code::Internal).then(|| error.error_id.clone());
    Doc::new(title, Frame::Bare, move || {
        view! {
            <section class="panel notice">
                <h1>{title}</h1>
                <p>{message}</p>
                {fields.into_iter().map(|text| view! { <p>{text}</p> }).collect_view()}
                {number.map(|number| view! { <p class="quiet">"Number: "<code>{number}</code></p> })}
                <p>{ui::link_button("/".into(), "To the start", true)}</p>
            </section>
        }
        .into_any()
    })
}
