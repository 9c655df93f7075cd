//! The document around a page: head, navigation by role, the outcome of the last form, footer.

mod banner;
mod nav;

use leptos::prelude::*;

use crate::{
    cx::{Cx, Flash, Theme},
    doc::Doc,
    ui::{accent, icon, initials, post_form},
};
use nav::{Around, Corner, Item};

/// The whole HTML document of a page.
pub fn shell(doc: Doc, cx: &Cx) -> AnyView {
    let Doc { title, frame, main, islands, .. } = doc;
    // For `ui::money` and `ui::count`.
    provide_context(frame.locale());
    let around = Around::new(frame, cx);
    let class = around.body_class();
    let accent = around.accent.as_deref().and_then(accent::css).map(|css| {
        let nonce = cx.nonce.clone();
        view! { <style nonce=nonce inner_html=css></style> }.into_any()
    });
    let footer = footer(&around, cx);
    let above = above(around, cx);
    let flash = cx.flash.clone().filter(|flash| !flash.message.is_empty()).map(flash);
    let loader = islands.then(|| crate::islands::loader(&cx.site.assets));
    let head = head(&title, cx, accent, loader);
    let banner = cx.acting_as.as_deref().map(|name| banner::banner(cx, name));
    let content = main();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=cx.theme.as_str()>
            {head}
            <body class=class>
                <a class="skip" href="#main">"Skip to content"</a>
                {above}
                <main id="main" tabindex="-1">
                    {banner}
                    {flash}
                    {content}
                </main>
                {footer}
            </body>
        </html>
    }
    .into_any()
}

/// For developers: a connection that comes back means that the program was rebuilt.
const RELOAD: &str = "let lost;const s=new EventSource('/dev/reload');s.onerror=()=>lost=1;s.onopen=()=>lost&&location.reload()";

fn head(title: &str, cx: &Cx, accent: Option<AnyView>, loader: Option<AnyView>) -> AnyView {
    let title = format!("{title} · Lessonbook");
    let style = cx.site.assets.style.clone();
    let reload = cx.site.reload.then(|| {
        let nonce = cx.nonce.clone();
        view! { <script nonce=nonce inner_html=RELOAD></script> }
    });
    view! {
        <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>{title}</title>
            <meta name="color-scheme" content="light dark"/>
            {theme_color("#fefefc", cx.theme, Theme::Light)}
            {theme_color("#1c1e21", cx.theme, Theme::Dark)}
            <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
            <link rel="stylesheet" href=style/>
            {accent}
            {loader}
            {reload}
        </head>
    }
    .into_any()
}

/// The colour of the browser's own bar: both when the system decides, else the chosen one.
fn theme_color(color: &'static str, chosen: Theme, of: Theme) -> Option<AnyView> {
    let media = match (chosen == of, chosen) {
        (true, _) => None,
        (false, Theme::System) if of == Theme::Dark => Some("(prefers-color-scheme: dark)"),
        (false, Theme::System) => Some("(prefers-color-scheme: light)"),
        (false, _) => return None,
    };
    // The macro knows no `media` of a <meta>.
    Some(leptos::html::meta().name("theme-color").content(color).attr("media", media).into_any())
}

/// What stands above (or, from 1024 px, beside) the content.
fn above(around: Around, cx: &Cx) -> AnyView {
    let Around { home, brand, items, bottom, corner, .. } = around;
    let menu = (!bottom && !items.is_empty()).then(|| menu(&items));
    let rail = (!items.is_empty()).then(|| rail(&items, bottom));
    let corner = match corner {
        Corner::Nothing => ().into_any(),
        Corner::Link { href, label } => view! { <a class="button quiet" href=href>{label}</a> }.into_any(),
        Corner::Account { name, platform } => account_menu(cx, name, platform),
    };
    view! {
        <header class="top">
            {menu}
            <a class="brand" href=home><span class="mark" aria-hidden="true"></span><bdi>{brand}</bdi></a>
            {corner}
        </header>
        {rail}
    }
    .into_any()
}

fn rail(items: &[Item], bottom: bool) -> AnyView {
    let class = if bottom { "rail bottom" } else { "rail" };
    view! { <nav class=class aria-label="Main"><ul>{links(items)}</ul></nav> }.into_any()
}

/// The navigation on a small screen, for those with more entries than a bottom bar holds.
fn menu(items: &[Item]) -> AnyView {
    view! {
        <details class="menu">
            <summary>{icon("menu")}<span class="visually-hidden">"Menu"</span></summary>
            <nav class="menu-panel" aria-label="Main menu"><ul>{links(items)}</ul></nav>
        </details>
    }
    .into_any()
}

fn links(items: &[Item]) -> Vec<AnyView> {
    items
        .iter()
        .map(|item| {
            let (href, label, picture) = (item.href.clone(), item.label.clone(), item.icon);
            let current = item.here.then_some("page");
            view! { <li><a href=href aria-current=current>{icon(picture)}<span>{label}</span></a></li> }
                .into_any()
        })
        .collect()
}

fn account_menu(cx: &Cx, name: String, platform: bool) -> AnyView {
    let picture = initials(&name);
    let platform = platform.then(|| view! { <a href="/admin">{icon("settings")}<span>"Platform"</span></a> });
    let log_out =
        view! { <button type="submit" class="menu-act">{icon("lock")}<span>"Log out"</span></button> };
    view! {
        <details class="account-menu">
            <summary>
                <span class="visually-hidden">"Account of "</span>
                {picture}
                <span class="account-name"><bdi>{name}</bdi></span>
            </summary>
            <div class="menu-panel">
                <a href="/account">{icon("person")}<span>"Account"</span></a>
                <a href="/">{icon("building")}<span>"Your schools"</span></a>
                {platform}
                {theme_switch(cx)}
                {post_form("identity/logout", cx, "", vec![], log_out.into_any())}
            </div>
        </details>
    }
    .into_any()
}

fn theme_switch(cx: &Cx) -> AnyView {
    let choices: Vec<AnyView> = [(Theme::System, "System"), (Theme::Light, "Light"), (Theme::Dark, "Dark")]
        .into_iter()
        .map(|(theme, label)| {
            let pressed = if theme == cx.theme { "true" } else { "false" };
            view! { <button type="submit" name="theme" value=theme.as_str() aria-pressed=pressed>{label}</button> }
                .into_any()
        })
        .collect();
    let body = view! { <fieldset class="theme"><legend>"Theme"</legend>{choices}</fieldset> };
    post_form("identity/theme", cx, "", vec![], body.into_any())
}

/// The outcome of the form posted before, shown once.
fn flash(flash: Flash) -> AnyView {
    let Flash { ok, message, link, .. } = flash;
    if message.is_empty() && link.is_none() {
        return ().into_any();
    }
    let (class, role, picture) =
        if ok { ("flash good", "status", "check") } else { ("flash bad", "alert", "alert") };
    let link = link.map(|link| {
        view! {
            <p class="one-time">
                <span>"One-time link, shown only now:"</span>
                <code>{link}</code>
            </p>
        }
    });
    view! {
        <div class=class role=role>
            {icon(picture)}
            <div>
                <p>{message}</p>
                {link}
            </div>
        </div>
    }
    .into_any()
}

fn footer(around: &Around, cx: &Cx) -> AnyView {
    let zone = around.zone.clone().map(|zone| view! { <p>{format!("Times as in {zone}")}</p> });
    // With an account, the switch is in its menu.
    let theme = (!matches!(around.corner, Corner::Account { .. })).then(|| theme_switch(cx));
    view! {
        <footer class="foot">
            <p>"Lessonbook"</p>
            {zone}
            {theme}
        </footer>
    }
    .into_any()
}
