//! Forms that post to a server function and work without scripts.

use leptos::prelude::*;

use crate::cx::{Cx, Form};

/// A form that posts: where it goes, what it carries unseen, what is wrong with it.
pub struct PostForm {
    action: String,
    key: String,
    id: Option<String>,
    hidden: Vec<(String, String)>,
    refused: bool,
    problems: Vec<(String, String)>,
}

impl PostForm {
    /// The form for the server function `action` on the page of `cx`.
    pub fn new(action: &str, cx: &Cx, key: &str, hidden: Vec<(&str, String)>) -> Self {
        let mut hidden: Vec<(String, String)> =
            hidden.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        // Where a refused form is shown again; `link` drops the page of a list unless it is named.
        hidden.push(("_back".into(), cx.link(&[("page", cx.query("page").unwrap_or(""))])));
        if !key.is_empty() {
            hidden.push(("_key".into(), key.to_owned()));
        }
        let form = cx.form(action, key);
        Self {
            action: format!("/fn/{action}"),
            key: key.to_owned(),
            id: None,
            hidden,
            refused: form.was_refused(),
            problems: problems(&form),
        }
    }

    /// Names it, so that fields outside of it can belong to it by their attribute `form`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Draws it around `body`.
    pub fn view(self, body: AnyView) -> AnyView {
        let Self { action, key, id, hidden, refused, problems } = self;
        // Pages that follow what changes leave it alone: what was typed is in this page only.
        let class = if refused { "form refused" } else { "form" };
        let summary = (!problems.is_empty()).then(|| error_summary(&key, problems));
        let hidden: Vec<AnyView> = hidden
            .into_iter()
            .map(|(name, value)| view! { <input type="hidden" name=name value=value/> }.into_any())
            .collect();
        view! {
            <form class=class method="post" id=id action=action>
                {hidden}
                {summary}
                {body}
            </form>
        }
        .into_any()
    }
}

/// A form that posts to `/fn/{action}`. `key` tells several forms of one action on a page apart; else it is empty.
pub fn post_form(action: &str, cx: &Cx, key: &str, hidden: Vec<(&str, String)>, body: AnyView) -> AnyView {
    PostForm::new(action, cx, key, hidden).view(body)
}

/// What kind of button it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What the form is for.
    Main,
    /// Anything else.
    Plain,
    /// Takes something away.
    Danger,
}

/// A button that sends its form; named by its verb.
pub fn button(label: &str, kind: Kind) -> AnyView {
    let label = label.to_owned();
    let class = match kind {
        Kind::Main => "button main",
        Kind::Plain => "button",
        Kind::Danger => "button danger",
    };
    view! { <button type="submit" class=class>{label}</button> }.into_any()
}

fn problems(form: &Form) -> Vec<(String, String)> {
    form.errors().map(|(name, message)| (name.to_owned(), message.to_owned())).collect()
}

/// All that is wrong with a form, by field, each a link to the field `{key}{name}`.
pub fn error_summary(key: &str, problems: impl IntoIterator<Item = (String, String)>) -> AnyView {
    let items: Vec<AnyView> = problems
        .into_iter()
        .map(|(name, message)| {
            let href = format!("#{key}{name}");
            let text = format!(
                "{}: {message}",
                super::capital(&name.split('[').next().unwrap_or(&name).replace('_', " "))
            );
            view! { <li><a href=href>{text}</a></li> }.into_any()
        })
        .collect();
    view! {
        <div class="error-summary">
            <p>"Look at this again"</p>
            <ul>{items}</ul>
        </div>
    }
    .into_any()
}
