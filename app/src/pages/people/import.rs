//! Import of people from a CSV file (PE-10): checked first, then imported whole or not at all.

use domain::{
    authz::Action,
    people::import::{COLUMNS, LineError, MAX_ROWS, Report},
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui,
};

/// Errors shown at most; whoever mends these sees the next ones.
const SHOWN: usize = 200;

const SAMPLE: &str = "kind,name,email,phone,city
instructor,Thandi Mokoena,thandi@example.org,+27 82 123 4567,Cape Town
student,王小明,xiaoming@example.org,,
";

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let scope = cx.member(cx.param("tenant")).await?;
    scope.require(Action::ImportPeople)?;
    let frame = Frame::member(&scope, "students");
    Ok(report_doc(&cx, frame, None))
}

/// The page with what an import found or did; the upload's handler draws it too.
pub fn report_doc(cx: &Cx, frame: Frame, report: Option<Report>) -> Doc {
    let action = format!("/t/{}/students/import", cx.param("tenant"));
    let students = format!("/t/{}/students", cx.param("tenant"));
    let lead = "Instructors and students from a CSV file, all of them or none.";
    Doc::new("Import people", frame, move || {
        view! {
            {ui::page_head("Import people", Some(lead.to_owned()), ().into_any())}
            <div class="stack measure">
                {report.map(|report| report_view(report, students))}
                {upload(action)}
                {columns()}
            </div>
        }
        .into_any()
    })
}

fn upload(action: String) -> AnyView {
    let help = format!("CSV in UTF-8 with commas, at most {} people.", ui::count(MAX_ROWS as i64));
    view! {
        <section class="panel">
            <h2>"Choose a file"</h2>
            <form class="form" method="post" action=action enctype="multipart/form-data">
                <div class="field">
                    <label for="file">"File"</label>
                    <p class="help" id="file-help">{help}</p>
                    <input type="file" id="file" name="file" accept=".csv,text/csv" required=true aria-describedby="file-help"/>
                </div>
                <div class="row">
                    <button class="button main" type="submit" name="mode" value="check">"Check the file"</button>
                    <button class="button" type="submit" name="mode" value="import">"Import people"</button>
                </div>
                <p class="quiet">"Checking changes nothing. When any line is wrong, nothing is imported."</p>
            </form>
        </section>
    }
    .into_any()
}

fn columns() -> AnyView {
    let header = COLUMNS.join(",");
    view! {
        <section class="panel">
            <h2>"How the file looks"</h2>
            <p>"The first line names the columns, in any order: " <code>{header}</code></p>
            <dl class="facts">
                <div class="fact"><dt>"kind"</dt><dd>"instructor or student"</dd></div>
                <div class="fact"><dt>"name"</dt><dd>"needed, at most 100 characters, in any script"</dd></div>
                <div class="fact"><dt>"email"</dt><dd>"needed; each kind once in the school"</dd></div>
                <div class="fact"><dt>"phone"</dt><dd>"may be empty; with country code"</dd></div>
                <div class="fact"><dt>"city"</dt><dd>"may be empty"</dd></div>
            </dl>
            <pre><code>{SAMPLE}</code></pre>
            <p class="quiet">"Imported instructors begin as pending: verify them on their page to show them to the public."</p>
        </section>
    }
    .into_any()
}

fn report_view(report: Report, students: String) -> AnyView {
    if !report.errors.is_empty() {
        return errors_view(report.errors);
    }
    let people = format!(
        "{} and {}",
        ui::plural(report.instructors as i64, "instructor"),
        ui::plural(report.students as i64, "student")
    );
    if report.dry_run {
        let text = format!("The file is in order: {people} would be imported. Nothing has changed yet.");
        return view! {
            <section class="panel" role="status">
                <h2>"Checked"</h2>
                <p>{text}</p>
                <p>"Choose the file again and import it."</p>
            </section>
        }
        .into_any();
    }
    let text = format!("{people} are in the school now.");
    view! {
        <section class="panel" role="status">
            <h2>"Imported"</h2>
            <p>{text}</p>
            {ui::link_button(students, "See the list", false)}
        </section>
    }
    .into_any()
}

fn errors_view(errors: Vec<LineError>) -> AnyView {
    let total = errors.len();
    let lead = if total == 1 {
        "1 thing needs another look. Nothing was imported.".to_owned()
    } else {
        format!("{} things need another look. Nothing was imported.", ui::count(total as i64))
    };
    let rest = (total > SHOWN).then(|| format!("The first {SHOWN} are shown."));
    let rows: Vec<AnyView> = errors.into_iter().take(SHOWN).map(error_row).collect();
    view! {
        <section class="panel" role="alert">
            <h2>"The file has errors"</h2>
            <p>{lead}" "{rest}</p>
            {ui::table("compact", view! {
                <th scope="col">"Line"</th>
                <th scope="col">"Column"</th>
                <th scope="col">"What to mend"</th>
            }, rows)}
        </section>
    }
    .into_any()
}

fn error_row(error: LineError) -> AnyView {
    let column = if error.column.is_empty() { "whole line".to_owned() } else { error.column };
    view! {
        <tr>
            <th scope="row">{error.line.to_string()}</th>
            <td data-label="Column" class="break">{column}</td>
            <td data-label="What to mend">{error.message}</td>
        </tr>
    }
    .into_any()
}
