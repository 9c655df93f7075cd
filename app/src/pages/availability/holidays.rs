//! The days on which the school is closed, typed one by one or taken from an ICS file.

use domain::{
    availability::holidays::{self, Holiday, Report, ics::Skipped},
    paging::Page,
    tenancy::Tenant,
};
use leptos::prelude::*;

use super::{long_day, stay_booked};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, Field, Kind},
};

/// Lines named at most of those that could not be read.
const SHOWN: usize = 5;

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let past = cx.query("past") == Some("1");
    let rows = holidays::list(&mut scope, &cx.list(), past).await?;
    let tenant = scope.tenant().clone();
    let frame = Frame::member(&scope, "holidays");
    Ok(Doc::new("Holidays", frame, move || draw(&cx, &tenant, &rows, past)))
}

fn draw(cx: &Cx, tenant: &Tenant, rows: &Page<Holiday>, past: bool) -> AnyView {
    let body = if !rows.items.is_empty() {
        table(cx, tenant, &rows.items)
    } else if past {
        ui::empty("No holidays here", "Days that are over appear here.", ().into_any())
    } else {
        let text = "On a holiday nobody can be booked. Add the days one by one, or a calendar file with all of them.";
        ui::empty("No holidays ahead", text, ().into_any())
    };
    let times =
        vec![(String::new(), "From today on".to_owned()), ("1".to_owned(), "Those that are over".to_owned())];
    let extra = ui::filter_select(cx, "past", "Days", times);
    let action = format!("/t/{}/holidays/import", tenant.slug);
    view! {
        {ui::page_head("Holidays", Some(lead(tenant)), ().into_any())}
        {ui::filter_bar(cx, "Search holidays", extra, ui::plural(rows.total, "day"), None)}
        {body}
        {ui::pager(cx, rows)}
        <div class="grid-2">
            {add(cx, tenant)}
            {upload(action, None)}
        </div>
    }
    .into_any()
}

fn lead(tenant: &Tenant) -> String {
    let people = ui::capital(&tenant.words().instructor);
    format!(
        "Days on which the school is closed. {people}s with hours of their own for such a day work by those."
    )
}

fn table(cx: &Cx, tenant: &Tenant, days: &[Holiday]) -> AnyView {
    let lines: Vec<AnyView> = days.iter().map(|holiday| line(cx, tenant, holiday)).collect();
    let heads = view! {
        <th scope="col">"Day"</th>
        <th scope="col">"Name"</th>
        <th scope="col"><span class="visually-hidden">"What to do"</span></th>
    };
    ui::table("", heads, lines)
}

fn line(cx: &Cx, tenant: &Tenant, holiday: &Holiday) -> AnyView {
    let date = holiday.day.to_string();
    let hidden = vec![("tenant", tenant.slug.clone()), ("date", date.clone())];
    let button = ui::button("Remove", Kind::Plain);
    let remove = ui::post_form("availability/remove_holiday", cx, &date, hidden, button);
    let name = holiday.name.clone();
    view! {
        <tr>
            <th scope="row"><time datetime=date>{long_day(holiday.day)}</time></th>
            <td data-label="Name" class="break"><bdi>{name}</bdi></td>
            <td>{remove}</td>
        </tr>
    }
    .into_any()
}

fn add(cx: &Cx, tenant: &Tenant) -> AnyView {
    let form = cx.form("availability/add_holiday", "");
    let today = tenant.zone.date(cx.now());
    let body = view! {
        {Field::date("date", "Date").min(today).max(holidays::last_day(today)).required().view(&form, "")}
        {Field::text("name", "Name").required().autocomplete("off").max_length(100).view(&form, "")}
        {ui::button("Add holiday", Kind::Main)}
    };
    let hidden = vec![("tenant", tenant.slug.clone())];
    view! {
        <section class="panel">
            <h2>"Add a day"</h2>
            {ui::post_form("availability/add_holiday", cx, "", hidden, body.into_any())}
        </section>
    }
    .into_any()
}

/// The form of a file, with what was wrong with the one before.
fn upload(action: String, error: Option<String>) -> AnyView {
    let help = "An .ics file, at most 1 MB. Its days up to five years ahead are added; those that are there stay as they are.";
    let class = if error.is_some() { "field invalid" } else { "field" };
    let (described, invalid) = match error {
        Some(_) => ("file-help file-error", Some("true")),
        None => ("file-help", None),
    };
    let note = error.map(|text| view! { <p class="error" id="file-error">{text}</p> });
    view! {
        <section class="panel">
            <h2>"Add the days of a file"</h2>
            <form class="form" method="post" action=action enctype="multipart/form-data">
                <div class=class>
                    <label for="file">"Calendar file"</label>
                    <p class="help" id="file-help">{help}</p>
                    <input
                        type="file"
                        id="file"
                        name="file"
                        accept=".ics,text/calendar"
                        required=true
                        aria-describedby=described
                        aria-invalid=invalid
                    />
                    {note}
                </div>
                {ui::button("Add days", Kind::Main)}
            </form>
        </section>
    }
    .into_any()
}

/// What became of a file, or what is wrong with it; the upload's handler draws it.
pub fn upload_doc(cx: &Cx, frame: Frame, tenant: &Tenant, result: Result<Report, String>) -> Doc {
    let action = cx.path.clone();
    let list = format!("/t/{}/holidays", tenant.slug);
    let lesson = tenant.words().lesson.clone();
    let (lead, status) = (lead(tenant), if result.is_ok() { 200 } else { 422 });
    let draw = move || {
        let (report, error) = match result {
            Ok(report) => (Some(report_view(report, &lesson)), None),
            Err(error) => (None, Some(error)),
        };
        view! {
            {ui::page_head("Holidays", Some(lead), ui::link_button(list, "All holidays", false))}
            <div class="stack measure">
                {report}
                {upload(action, error)}
            </div>
        }
        .into_any()
    };
    Doc::new("Holidays", frame, draw).with_status(status)
}

fn report_view(report: Report, lesson: &str) -> AnyView {
    let said = summary(&report);
    let stay = stay_booked(report.lessons, lesson, "them").map(|text| view! { <p>{text}</p> });
    let added: Vec<AnyView> = report
        .added
        .into_iter()
        .map(|holiday| {
            let (date, name) = (holiday.day.to_string(), holiday.name);
            view! { <li><time datetime=date>{long_day(holiday.day)}</time>": " <bdi>{name}</bdi></li> }
                .into_any()
        })
        .collect();
    let added = (!added.is_empty()).then(|| {
        view! {
            <details class="row-open">
                <summary>"The new days"</summary>
                <ul class="stack tight">{added}</ul>
            </details>
        }
    });
    view! {
        <section class="panel" role="status">
            <h2>"The file is read"</h2>
            <p>{said}</p>
            {stay}
            {skipped(&report.skipped)}
            {added}
        </section>
    }
    .into_any()
}

/// "12 days added, 3 were there already, 1 is over or more than five years ahead."
fn summary(report: &Report) -> String {
    let mut parts = vec![format!("{} added", ui::plural(report.added.len() as i64, "day"))];
    let mut also = |count: usize, one: &str, many: &str| match count {
        0 => {}
        1 => parts.push(format!("1 {one}")),
        _ => parts.push(format!("{} {many}", ui::count(count as i64))),
    };
    also(report.known, "was there already", "were there already");
    also(report.outside, "is over or more than five years ahead", "are over or more than five years ahead");
    format!("{}.", parts.join(", "))
}

/// What could not be taken, line by line.
fn skipped(all: &[Skipped]) -> Option<AnyView> {
    if all.is_empty() {
        return None;
    }
    let mut lines: Vec<String> =
        all.iter().take(SHOWN).map(|skipped| format!("Line {}: {}.", skipped.line, skipped.why)).collect();
    if all.len() > SHOWN {
        lines.push(format!("And {} more.", ui::count((all.len() - SHOWN) as i64)));
    }
    let lines: Vec<AnyView> = lines.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect();
    let view = view! {
        <p>"Not taken:"</p>
        <ul class="stack tight">{lines}</ul>
    };
    Some(view.into_any())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(added: usize, known: usize, outside: usize) -> Report {
        let day = jiff::civil::date(2027, 4, 27);
        let holiday = Holiday { day, name: "<b>Freedom Day</b>".into() };
        Report { added: vec![holiday; added], known, outside, ..Report::default() }
    }

    #[test]
    fn what_an_import_did_is_one_sentence() {
        assert_eq!(summary(&report(12, 3, 0)), "12 days added, 3 were there already.");
        assert_eq!(
            summary(&report(1, 1, 1)),
            "1 day added, 1 was there already, 1 is over or more than five years ahead."
        );
        assert_eq!(summary(&report(0, 0, 0)), "0 days added.");
    }

    #[test]
    fn only_the_first_lines_are_named() {
        let skipped = (1..=12).map(|line| Skipped { line, why: "no date" }).collect();
        let html = report_view(Report { skipped, lessons: 2, ..report(1, 0, 0) }, "session").to_html();
        assert!(html.contains("Line 5: no date.") && !html.contains("Line 6"), "{html}");
        assert!(html.contains("And 7 more.") && html.contains("2 sessions on them stay booked."), "{html}");
        assert!(html.contains("&lt;b&gt;Freedom Day"), "{html}");
    }
}
