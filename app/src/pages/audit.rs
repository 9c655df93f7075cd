//! Who did what, when, from where, what it changed, and why (AU-02).

use domain::{
    Error,
    audit::read::{self, AuditRow, Change, Choices, Filter},
    authz::{Action, Reach},
    paging::Page,
    tenancy::{Preset, Words},
    zoned::Zone,
};
use leptos::prelude::*;
use uuid::Uuid;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, capital, plural},
};

mod words;

/// The filters of the address, for the page and for its download.
pub fn filter(cx: &Cx) -> Filter {
    Filter::parse(|name| cx.query(name))
}

/// The school whose record is asked for on the platform's page, by its address; none for the platform's own.
pub fn school(cx: &Cx) -> Option<&str> {
    cx.query("school").map(str::trim).filter(|slug| !slug.is_empty())
}

/// What differs between a school's record and the platform's.
struct List {
    zone: Zone,
    words: Words,
    lead: String,
    /// Something to mend in what was asked for.
    note: Option<String>,
    choices: Choices,
    /// The address of the download, for those who may.
    download: Option<String>,
    /// The school's address; none on the platform.
    tenant: Option<String>,
}

/// The record of a school.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.member(cx.param("tenant")).await?;
    let page = read::list(&mut scope, &cx.list(), &filter(&cx)).await?;
    let choices = read::choices(&mut scope).await?;
    let tenant = scope.tenant().clone();
    let export = scope.actor().reach(Action::ExportData) == Reach::All;
    let list = List {
        zone: tenant.zone.clone(),
        words: tenant.words().clone(),
        lead: "Everything that was changed in the school. Nobody can alter or remove an entry.".to_owned(),
        note: None,
        choices,
        download: export.then(|| format!("/t/{}/audit.csv", tenant.slug)),
        tenant: Some(tenant.slug),
    };
    Ok(Doc::new("Audit", Frame::member(&scope, "audit"), move || draw(&cx, &list, page)))
}

/// The record of the platform itself, or of one school.
pub async fn platform(cx: Cx) -> PageResult {
    let mut scope = cx.platform().await?;
    let (query, filter, wanted) = (cx.list(), filter(&cx), school(&cx));
    let (log, note) = match read::platform(&mut scope, wanted, &query, &filter).await {
        Err(Error::NotFound) if wanted.is_some() => {
            let text = "No school has this address. Shown is the record of the platform itself.";
            (read::platform(&mut scope, None, &query, &filter).await?, Some(text.to_owned()))
        }
        found => (found?, None),
    };
    let lead = match &log.school {
        Some((_, name)) => format!("Everything that was changed in {name}."),
        None => "Everything that was changed in accounts and schools as such. Times are in UTC.".to_owned(),
    };
    let download = if note.is_some() { None } else { Some("/admin/audit.csv".to_owned()) };
    let frame = Frame::Platform { account: scope.account().clone(), here: "audit" };
    let words = Preset::DrivingSchool.words();
    let list = List { zone: log.zone, words, lead, note, choices: log.choices, download, tenant: None };
    Ok(Doc::new("Audit", frame, move || draw(&cx, &list, log.page)))
}

fn draw(cx: &Cx, list: &List, page: Page<AuditRow>) -> AnyView {
    let pager = ui::pager(cx, &page);
    let note = list.note.clone().map(|note| view! { <p class="record-note">{note}</p> });
    view! {
        {ui::page_head("Audit", Some(list.lead.clone()), ().into_any())}
        {bar(cx, list, page.total)}
        {note}
        {table(list, page.items)}
        {pager}
    }
    .into_any()
}

fn bar(cx: &Cx, list: &List, total: i64) -> AnyView {
    let options = |codes: &[String], name: &dyn Fn(&str) -> String| -> Vec<(String, String)> {
        let mut options: Vec<(String, String)> =
            codes.iter().map(|code| (code.clone(), name(code))).collect();
        options.sort_by(|a, b| a.1.cmp(&b.1));
        options.insert(0, (String::new(), "All".to_owned()));
        options
    };
    let actions = options(&list.choices.actions, &|code: &str| words::act(code, &list.words));
    let entities = options(&list.choices.entities, &|entity: &str| words::thing(entity, &list.words));
    let school = list.tenant.is_none().then(|| input(cx, "text", "school", "School's address"));
    let extra = view! {
        {school}
        {input(cx, "text", "actor", "Who")}
        {ui::filter_select(cx, "action", "What", actions)}
        {ui::filter_select(cx, "entity", "Which thing", entities)}
        {input(cx, "date", "from", "From")}
        {input(cx, "date", "to", "To")}
    };
    let total = if total == 1 { "1 entry".to_owned() } else { format!("{} entries", ui::count(total)) };
    let download = list.download.as_deref().map(|path| cx.download(path));
    ui::filter_bar(cx, "Search what, why and who", extra.into_any(), total, download)
}

fn input(cx: &Cx, kind: &'static str, name: &'static str, label: &'static str) -> AnyView {
    let value = cx.query(name).unwrap_or("").to_owned();
    view! {
        <label class="filter-select">
            <span>{label}</span>
            <input type=kind name=name value=value maxlength="200" autocomplete="off"/>
        </label>
    }
    .into_any()
}

fn table(list: &List, rows: Vec<AuditRow>) -> AnyView {
    if rows.is_empty() {
        let text = "Every change leaves an entry: who, what, when, from where and why. Change the search or the filters.";
        return ui::empty("No entry here", text, ().into_any());
    }
    let rows: Vec<AnyView> = rows.into_iter().map(|row| row_view(list, row)).collect();
    let heads = view! {
        <th scope="col">"When"</th>
        <th scope="col">"Who"</th>
        <th scope="col">"What"</th>
        <th scope="col">"Which thing"</th>
        <th scope="col">"What changed"</th>
        <th scope="col">"Why"</th>
    };
    ui::table("records", heads, rows)
}

fn row_view(list: &List, row: AuditRow) -> AnyView {
    let zone = &list.zone;
    let day = zone.date(row.at).strftime("%-d %b %Y");
    let clock = row.at.to_zoned(zone.tz().clone()).strftime("%H:%M:%S").to_string();
    let when = ui::time(zone, row.at, format!("{day}, {clock}"));
    let role = words::role(&row.actor_role, &list.words);
    let through = row.impersonator_name.map(|name| view! { <small>"through " <bdi>{name}</bdi></small> });
    let from = (!row.ip.is_empty()).then(|| view! { <small>"from " {row.ip}</small> });
    let what = words::act(&row.action, &list.words);
    let thing = thing(list, &row.entity, row.entity_id);
    view! {
        <tr>
            <th scope="row">{when}</th>
            <td data-label="Who"><span><bdi>{row.actor_name}</bdi><small>{role}</small>{through}{from}</span></td>
            <td data-label="What">{what}</td>
            <td data-label="Which thing">{thing}</td>
            <td data-label="What changed">{difference(row.changes)}</td>
            <td data-label="Why" class="break">{row.reason.map(|reason| view! { <bdi>{reason}</bdi> })}</td>
        </tr>
    }
    .into_any()
}

/// What it was done to, as a link where it has a page.
fn thing(list: &List, entity: &str, id: Option<Uuid>) -> AnyView {
    let label = words::thing(entity, &list.words);
    match address(list.tenant.as_deref(), entity, id) {
        Some(href) => view! { <a href=href>{label}</a> }.into_any(),
        None => view! { <span>{label}</span> }.into_any(),
    }
}

/// Where the page of a thing is.
fn address(tenant: Option<&str>, entity: &str, id: Option<Uuid>) -> Option<String> {
    let Some(slug) = tenant else {
        let id = id?;
        return match entity {
            "tenant" => Some(format!("/admin/tenants/{id}")),
            "user" | "member" => Some(format!("/admin/users/{id}")),
            _ => None,
        };
    };
    let list = match entity {
        "booking" => "bookings",
        "group_lesson" => "groups",
        "resource" => "resources",
        "instructor" => "instructors",
        "student" => "students",
        "service" => "services",
        "people" => return Some(format!("/t/{slug}/students")),
        "member" | "invite" => return Some(format!("/t/{slug}/team")),
        "message" => return Some(format!("/t/{slug}/outbox")),
        "tenant" | "mail_server" => return Some(format!("/t/{slug}/settings")),
        _ => return None,
    };
    Some(format!("/t/{slug}/{list}/{}", id?))
}

/// Names with what they were and are, folded away.
fn difference(changes: Vec<Change>) -> AnyView {
    if changes.is_empty() {
        return ().into_any();
    }
    let summary = plural(changes.len() as i64, "change");
    let rows: Vec<AnyView> = changes.into_iter().map(change).collect();
    view! {
        <details class="row-open">
            <summary>{summary}</summary>
            <dl class="changes">{rows}</dl>
        </details>
    }
    .into_any()
}

fn change(change: Change) -> AnyView {
    let name =
        if change.key.is_empty() { "Value".to_owned() } else { capital(&change.key.replace('_', " ")) };
    let nothing = || view! { <span class="quiet">"nothing"</span> }.into_any();
    let before = match change.before {
        Some(text) => view! { <del><bdi>{text}</bdi></del> }.into_any(),
        None => nothing(),
    };
    let after = match change.after {
        Some(text) => view! { <ins><bdi>{text}</bdi></ins> }.into_any(),
        None => nothing(),
    };
    view! {
        <div>
            <dt>{name}</dt>
            <dd>{before}<span class="arrow" aria-hidden="true">" → "</span><span class="visually-hidden">" became "</span>{after}</dd>
        </div>
    }
    .into_any()
}
