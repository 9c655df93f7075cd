//! The rules as the program itself has them (TN-05): how things go from state to state, who may do what, and the words
//! of the presets. Nothing here is written twice: the tables are the ones that the services decide by.

use domain::{
    authz::{
        Action, Role,
        policy::{self, GRANTABLE, Reach},
    },
    tenancy::{
        Preset,
        transitions::{self, Flow},
    },
};
use leptos::prelude::*;

use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    ui::{self, capital},
};

/// Where the sections that aren't flows begin.
const PERMISSIONS: (&str, &str) = ("permissions", "Who may do what");
const GRANTS: (&str, &str) = ("grants", "What an owner decides");
const PRESETS: (&str, &str) = ("presets", "Words of the presets");

/// The page.
pub async fn page(cx: Cx) -> PageResult {
    let scope = cx.platform().await?;
    let frame = Frame::Platform { account: scope.account().clone(), here: "docs" };
    Ok(Doc::new("Rules", frame, draw))
}

fn draw() -> AnyView {
    let flows = transitions::flows();
    let lead =
        "How things go from state to state, and who may do what: the tables that the program decides by.";
    let index = index(&flows);
    let flows: Vec<AnyView> = flows.iter().map(flow_view).collect();
    view! {
        {ui::page_head("Rules", Some(lead.to_owned()), ().into_any())}
        <div class="stack docs">
            {index}
            {flows}
            {permissions()}
            {grants()}
            {presets()}
        </div>
    }
    .into_any()
}

/// Where a flow's section is.
fn anchor(flow: &Flow) -> String {
    format!("flow-{}", flow.name.to_lowercase().replace(' ', "-"))
}

fn index(flows: &[Flow]) -> AnyView {
    let flows = flows.iter().map(|flow| (anchor(flow), flow.name.to_owned()));
    let rest = [PERMISSIONS, GRANTS, PRESETS].map(|(anchor, title)| (anchor.to_owned(), title.to_owned()));
    let links: Vec<AnyView> = flows
        .chain(rest)
        .map(|(anchor, title)| {
            let href = format!("#{anchor}");
            view! { <li><a href=href>{title}</a></li> }.into_any()
        })
        .collect();
    view! { <nav class="docs-index" aria-label="On this page"><ul>{links}</ul></nav> }.into_any()
}

/// "no_show" as people read it.
fn state_name(state: &str) -> String {
    capital(&state.replace('_', " "))
}

/// From each state (a row) to each other one (a column): what makes the move, or nothing where there is none.
fn flow_view(flow: &Flow) -> AnyView {
    let id = anchor(flow);
    let heads: Vec<AnyView> = flow
        .states
        .iter()
        .map(|state| {
            let head = format!("To {}", state.replace('_', " "));
            view! { <th scope="col">{head}</th> }.into_any()
        })
        .collect();
    let rows: Vec<AnyView> = flow.states.iter().map(|from| flow_row(flow, from)).collect();
    let last: Vec<String> = flow
        .states
        .iter()
        .filter(|state| !flow.moves.iter().any(|(from, _, _)| from == *state))
        .map(|state| state.replace('_', " "))
        .collect();
    let last = (!last.is_empty()).then(|| {
        let text = format!("Nothing follows on: {}.", last.join(", "));
        view! { <p class="quiet">{text}</p> }
    });
    view! {
        <section class="panel" id=id>
            <h2>{flow.name}</h2>
            {ui::table("compact matrix", view! {
                <th scope="col">"From"</th>
                {heads}
            }, rows)}
            {last}
        </section>
    }
    .into_any()
}

fn flow_row(flow: &Flow, from: &str) -> AnyView {
    let cells: Vec<AnyView> = flow
        .states
        .iter()
        .map(|to| {
            let act =
                flow.moves.iter().find(|(start, end, _)| *start == from && end == to).map(|(.., act)| *act);
            let label = format!("To {}", to.replace('_', " "));
            match act {
                Some(act) => view! { <td data-label=label>{act}</td> }.into_any(),
                // Without text, a card leaves it out.
                None => view! { <td></td> }.into_any(),
            }
        })
        .collect();
    view! { <tr><th scope="row">{state_name(from)}</th>{cells}</tr> }.into_any()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Visitor => "Visitor",
        Role::Student => "Student",
        Role::Instructor => "Instructor",
        Role::Staff => "Staff",
        Role::Owner => "Owner",
        Role::SuperAdmin => "Super-admin",
    }
}

fn permissions() -> AnyView {
    let (id, title) = PERMISSIONS;
    let heads: Vec<AnyView> = Role::ALL
        .into_iter()
        .map(|role| view! { <th scope="col">{role_name(role)}</th> }.into_any())
        .collect();
    let rows: Vec<AnyView> = Action::ALL.iter().map(|action| permission_row(*action)).collect();
    view! {
        <section class="panel" id=id>
            <h2>{title}</h2>
            <p class="quiet">
                "All is everything of the school. Own is a student's own lessons and packs, an instructor's own lessons, hours and students. What isn't listed is denied."
            </p>
            {ui::table("compact matrix", view! {
                <th scope="col">"What"</th>
                {heads}
            }, rows)}
        </section>
    }
    .into_any()
}

fn permission_row(action: Action) -> AnyView {
    let cells: Vec<AnyView> = Role::ALL
        .into_iter()
        .map(|role| {
            let text = match policy::reach(role, action) {
                Reach::None => "",
                Reach::Own => "Own",
                Reach::All => "All",
            };
            let decided = GRANTABLE.iter().any(|grant| grant.role == role && grant.action == action);
            let note = decided.then(|| view! { <small>"the owner decides"</small> });
            if text.is_empty() && note.is_none() {
                return view! { <td></td> }.into_any();
            }
            let text = if text.is_empty() { "No" } else { text };
            view! { <td data-label=role_name(role)><span>{text}{note}</span></td> }.into_any()
        })
        .collect();
    view! {
        <tr>
            <th scope="row">{action.describe()}<small><code>{action.as_str()}</code></small></th>
            {cells}
        </tr>
    }
    .into_any()
}

fn grants() -> AnyView {
    let (id, title) = GRANTS;
    let rows: Vec<AnyView> = GRANTABLE
        .iter()
        .map(|grant| {
            let default = if grant.by_default() { "Yes" } else { "No" };
            view! {
                <tr>
                    <th scope="row">{capital(grant.label)}</th>
                    <td data-label="Role">{role_name(grant.role)}</td>
                    <td data-label="Unless the owner says otherwise">{default}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        <section class="panel" id=id>
            <h2>{title}</h2>
            <p class="quiet">"Member by member, on the team page; the audit keeps each change."</p>
            {ui::table("compact", view! {
                <th scope="col">"May"</th>
                <th scope="col">"Role"</th>
                <th scope="col">"Unless the owner says otherwise"</th>
            }, rows)}
        </section>
    }
    .into_any()
}

fn presets() -> AnyView {
    let (id, title) = PRESETS;
    let rows: Vec<AnyView> = Preset::ALL
        .into_iter()
        .map(|preset| {
            let words = preset.words();
            view! {
                <tr>
                    <th scope="row">{preset.label()}<small><code>{preset.as_str()}</code></small></th>
                    <td data-label="What is booked">{words.lesson}</td>
                    <td data-label="Who books">{words.student}</td>
                    <td data-label="Who gives it">{words.instructor}</td>
                </tr>
            }
            .into_any()
        })
        .collect();
    view! {
        <section class="panel" id=id>
            <h2>{title}</h2>
            <p class="quiet">"A school can put its own words in their place."</p>
            {ui::table("compact", view! {
                <th scope="col">"Preset"</th>
                <th scope="col">"What is booked"</th>
                <th scope="col">"Who books"</th>
                <th scope="col">"Who gives it"</th>
            }, rows)}
        </section>
    }
    .into_any()
}
