//! Lists: a filter bar that is a GET form, heads that sort by links, a pager.

use domain::paging::Page;
use leptos::prelude::*;

use super::{count, icon};
use crate::cx::Cx;

/// Search, further filters, the number of results and the download.
pub fn filter_bar(
    cx: &Cx,
    placeholder: &str,
    extra: AnyView,
    total: String,
    download: Option<String>,
) -> AnyView {
    let placeholder = placeholder.to_owned();
    let label = placeholder.clone();
    let q = cx.query("q").unwrap_or("").to_owned();
    let action = cx.path.clone();
    let kept = kept(cx);
    let clear = is_filtered(cx).then(|| {
        let href = cx.path.clone();
        view! { <a class="filter-clear" href=href>"Clear"</a> }
    });
    let download = download.map(|href| {
        view! { <a class="button quiet" href=href download="">{icon("download")}<span>"Download CSV"</span></a> }
    });
    view! {
        <form class="filter-bar" id="filter" method="get" role="search" action=action>
            <label class="filter-q">
                <span class="visually-hidden">{label}</span>
                {icon("search")}
                <input type="search" name="q" value=q placeholder=placeholder maxlength="200" autocomplete="off"/>
            </label>
            {extra}
            {kept}
            <button type="submit" class="button">"Filter"</button>
            {clear}
            <p class="filter-total" id="filter-total" aria-live="polite">{total}</p>
            {download}
        </form>
    }
    .into_any()
}

/// A filter with some values; the empty value stands for all.
pub fn filter_select(cx: &Cx, name: &str, label: &str, options: Vec<(String, String)>) -> AnyView {
    let (name, label) = (name.to_owned(), label.to_owned());
    let current = cx.query(&name).unwrap_or("").to_owned();
    let options: Vec<AnyView> = options
        .into_iter()
        .map(|(value, label)| {
            let selected = value == current;
            view! { <option value=value selected=selected>{label}</option> }.into_any()
        })
        .collect();
    view! {
        <label class="filter-select">
            <span>{label}</span>
            <select name=name>{options}</select>
        </label>
    }
    .into_any()
}

/// The head of a column that sorts: a link that turns the order around when the list is sorted by it already.
pub fn sort_head(cx: &Cx, name: &str, label: &str, default: bool, class: &'static str) -> AnyView {
    let sort = cx.query("sort").unwrap_or("");
    let active = sort == name || (sort.is_empty() && default);
    let desc = cx.query("dir") == Some("desc");
    let order = active.then_some(if desc { "descending" } else { "ascending" });
    let href = cx.link(&[("sort", name), ("dir", if active && !desc { "desc" } else { "" })]);
    let label = label.to_owned();
    view! {
        <th scope="col" class=class aria-sort=order>
            <a class="sort" href=href>{label}</a>
        </th>
    }
    .into_any()
}

/// "51–100 of 1,204" and the pages before and after.
pub fn pager<T>(cx: &Cx, page: &Page<T>) -> AnyView {
    if page.total == 0 {
        return ().into_any();
    }
    let (first, last) = page.range();
    let text = format!("{}–{} of {}", count(first), count(last), count(page.total));
    let before = page.has_prev.then(|| i64::from(page.page) - 1);
    let after = page.has_next.then(|| i64::from(page.page) + 1);
    let previous = before.map(|number| step(cx, number, "Previous", "prev", "arrow-left"));
    let next = after.map(|number| step(cx, number, "Next", "next", "arrow-right"));
    view! {
        <nav class="pager" aria-label="Pages">
            <p>{text}</p>
            {previous}
            {next}
        </nav>
    }
    .into_any()
}

fn step(cx: &Cx, number: i64, label: &'static str, rel: &'static str, picture: &'static str) -> AnyView {
    let href = cx.link(&[("page", &number.to_string())]);
    view! { <a class=format!("button {rel}") rel=rel href=href>{icon(picture)}<span>{label}</span></a> }
        .into_any()
}

/// What the search must not forget.
fn kept(cx: &Cx) -> Vec<AnyView> {
    ["sort", "dir", "page_size"]
        .into_iter()
        .filter_map(|name| Some((name, cx.query(name).filter(|value| !value.is_empty())?.to_owned())))
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any())
        .collect()
}

fn is_filtered(cx: &Cx) -> bool {
    let order = ["sort", "dir", "page", "page_size"];
    cx.query.iter().any(|(name, value)| !value.is_empty() && !order.contains(&name.as_str()))
}
