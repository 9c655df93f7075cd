//! The front page.

use domain::authz::Account;
use leptos::prelude::*;

use super::parts;
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{link_button, page_head},
};

/// What Lessonbook is; the way to one's schools for those who are signed in.
pub async fn page(cx: Cx) -> PageResult {
    match parts::signed_in(&cx).await? {
        Some(account) => {
            let frame = Frame::Account { account: account.clone() };
            Ok(Doc::new("Your schools", frame, move || schools_page(account)))
        }
        None => Ok(Doc::new("Lessons, booked and kept", Frame::Bare, front_page)),
    }
}

fn front_page() -> AnyView {
    view! {
        <div class="front">
            <h1>"Lessons, booked and kept"</h1>
            <p class="lead">
                "For driving schools, mentors, academies, clinics and salons: students see which times are free and book one; "
                "instructors see their week; the school sees who teaches whom and how many lessons are left."
            </p>
            <ul class="front-points">
                <li>"A time is booked once. When two people want it, one has it and the other sees the nearest free ones."</li>
                <li>"Prepaid lessons are counted like money: nothing is lost, and every change has a name and a reason."</li>
                <li>"Pages work on an old phone, with a keyboard, and without scripts."</li>
            </ul>
            <p class="row">
                {link_button("/login".into(), "Log in", true)}
                {link_button("/register".into(), "Register", false)}
            </p>
        </div>
    }
    .into_any()
}

fn schools_page(account: Account) -> AnyView {
    let platform = if account.super_admin {
        link_button("/admin".into(), "Run the platform", account.schools.is_empty())
    } else {
        ().into_any()
    };
    view! {
        {page_head("Your schools", Some(account.email), platform)}
        {parts::school_list(account.schools)}
    }
    .into_any()
}
