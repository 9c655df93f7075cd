//! The form that gives a student an instructor and a pack.

use domain::{
    packs::DEFAULT_LESSONS,
    people::{CHOICE_LIMIT, Named},
    tenancy::Tenant,
};
use leptos::prelude::*;

use crate::{
    cx::{Cx, Form},
    ui::{self, Field, Kind},
};

/// The form, folded away until it is wanted or was refused.
pub(super) fn form(cx: &Cx, tenant: &Tenant, instructors: Vec<Named>, students: Vec<Named>) -> AnyView {
    let form = cx.form("people/associate", "");
    let words = tenant.words();
    let open = form.was_refused();
    let title =
        format!("Associate a {} with {} {}", words.student, article(&words.instructor), words.instructor);
    let lead = format!(
        "Without payment: the {} gets a pack of {}s with this {}.",
        words.student, words.lesson, words.instructor
    );
    let lessons_help = format!("{DEFAULT_LESSONS} unless you say otherwise.");
    let body = view! {
        {Field::select("instructor", "Instructor", options(instructors)).required().view(&form, "")}
        {student_field(students, &form)}
        {Field::number("lessons", "Lessons")
            .value(DEFAULT_LESSONS.to_string())
            .help(lessons_help)
            .min(1)
            .max(1000)
            .view(&form, "")}
        {Field::date("expires", "Expires").help("The last day of the pack. Leave it empty for no expiry.").view(&form, "")}
        {ui::button("Associate", Kind::Main)}
    };
    let slug = tenant.slug.clone();
    view! {
        <details class="panel" open=open>
            <summary>{title}</summary>
            <div class="measure stack tight">
                <p>{lead}</p>
                {ui::post_form("people/associate", cx, "", vec![("tenant", slug)], body.into_any())}
            </div>
        </details>
    }
    .into_any()
}

fn student_field(students: Vec<Named>, form: &Form) -> AnyView {
    if students.len() > CHOICE_LIMIT {
        return Field::text("student", "Student")
            .help("E-mail or full name.")
            .required()
            .max_length(320)
            .view(form, "");
    }
    Field::select("student", "Student", options(students)).required().view(form, "")
}

/// A choice without a first guess, unless there is nothing to choose.
fn options(people: Vec<Named>) -> Vec<(String, String)> {
    let choose = (people.len() != 1).then(|| (String::new(), "Choose".to_owned()));
    choose.into_iter().chain(people.into_iter().map(|person| (person.id.to_string(), person.name))).collect()
}

/// "an instructor", "a mentor".
pub(super) fn article(word: &str) -> &'static str {
    if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
