//! The second step, its backup codes, and who tried to log in.

use domain::{
    identity::{
        attempts::{self, AttemptRow},
        totp::{self, Setup, TotpStatus},
    },
    paging::Page,
    zoned::Zone,
};
use leptos::prelude::*;

use super::parts::{self, moment, or_unknown, utc};
use crate::{
    cx::Cx,
    doc::{Doc, Frame, PageResult},
    safe_path,
    ui::{self, Kind, Tone, badge, button, link_button, page_head, plural, post_form},
};

/// Rows of the login history on a page, when nothing else is asked for.
const ROWS: u32 = 20;

/// The page; `?next=` is where those go on who had to set up a second step first.
pub async fn page(cx: Cx) -> PageResult {
    let mut scope = cx.account().await?;
    let status = totp::status(&mut scope).await?;
    let mut query = cx.list();
    if cx.query("page_size").is_none() {
        query.page_size = ROWS;
    }
    let history = attempts::own(&mut scope, &query).await?;
    // The demo's super-admin may do without: the password is public anyway.
    let required = scope.account().super_admin && !cx.site.demo;
    let frame = Frame::Account { account: scope.account().clone() };
    let zone = utc()?;
    Ok(Doc::new("Security", frame, move || {
        view! {
            {page_head("Security", None, link_button("/account".into(), "Account", false))}
            <div class="stack measure">
                {backup_codes(&cx)}
                {second_step(&cx, required, status)}
            </div>
            {logins(&cx, &zone, history)}
        }
        .into_any()
    }))
}

/// Where to go on once the second step is on.
fn next(cx: &Cx) -> Option<String> {
    cx.query("next").and_then(safe_path).map(str::to_owned)
}

/// The codes that were just made: this page alone ever shows them.
fn backup_codes(cx: &Cx) -> Option<AnyView> {
    let codes = cx.flash.as_ref().map(|flash| flash.codes.clone()).filter(|codes| !codes.is_empty())?;
    let codes: Vec<AnyView> =
        codes.into_iter().map(|code| view! { <li><code>{code}</code></li> }.into_any()).collect();
    let on = next(cx).map(|href| link_button(href, "Go on", true));
    let panel = view! {
        <section class="panel">
            <h2>"Backup codes"</h2>
            <p>"Each logs you in once when your app isn't at hand. Copy them or print them: they are shown only now."</p>
            <ul class="codes">{codes}</ul>
            {on}
        </section>
    };
    Some(panel.into_any())
}

fn second_step(cx: &Cx, required: bool, status: TotpStatus) -> AnyView {
    if status.on {
        return step_on(cx, required, &status);
    }
    let asked = next(cx)
        .map(|_| view! { <p><strong>"Set up a second step to go on: your role needs one."</strong></p> });
    let body = match status.setup {
        Some(setup) => set_up(cx, setup),
        None => {
            let hidden = next(cx).map(|next| ("next", next)).into_iter().collect();
            post_form("identity/totp_begin", cx, "", hidden, button("Set up", Kind::Main))
        }
    };
    view! {
        <section class="panel" id="second-step">
            <h2>"Second step"</h2>
            {asked}
            <p>{badge(Tone::Quiet, "Off")}" Your password alone logs in. With a second step, a code from an app on your phone is needed too."</p>
            {when_required(required)}
            {body}
        </section>
    }
    .into_any()
}

/// Who can't do without.
fn when_required(required: bool) -> AnyView {
    let text = if required {
        "It is required of those who run the platform, as you do."
    } else {
        "It is required of those who run the platform, and of owners and staff where their school asks for it."
    };
    view! { <p class="quiet">{text}</p> }.into_any()
}

/// What the app needs to know, as a picture and in letters, and the field for its first code.
fn set_up(cx: &Cx, setup: Setup) -> AnyView {
    let form = cx.form("identity/totp_confirm", "");
    let picture = ui::qr(&setup.uri, "QR picture for your authenticator app");
    let letters = grouped(&setup.secret);
    let body = view! {
        {parts::code().digits().help("The six digits that the app shows now.").required().view(&form, "")}
        {button("Turn on", Kind::Main)}
    };
    let hidden = next(cx).map(|next| ("next", next)).into_iter().collect();
    view! {
        <ol class="setup">
            <li>
                <p>"Read this with an authenticator app, or "<a href=setup.uri>"open the app on this device"</a>"."</p>
                {picture}
            </li>
            <li>
                <p>"When the app can't read it, type this secret there:"</p>
                <p><code>{letters}</code></p>
            </li>
            <li>
                <p>"Type the code that the app shows."</p>
                {post_form("identity/totp_confirm", cx, "", hidden, body.into_any())}
            </li>
        </ol>
    }
    .into_any()
}

/// "JBSW Y3DP …": four letters at a time.
fn grouped(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = letters.chunks(4).map(|four| four.iter().collect()).collect();
    groups.join(" ")
}

fn step_on(cx: &Cx, required: bool, status: &TotpStatus) -> AnyView {
    let left = plural(status.codes_left, "backup code");
    let on = next(cx).map(|href| view! { <p>{link_button(href, "Go on", true)}</p> });
    let codes = button("New backup codes", Kind::Plain);
    view! {
        <section class="panel" id="second-step">
            <h2>"Second step"</h2>
            <p>{badge(Tone::Good, "On")}" Logging in takes your password and a code from your app."</p>
            {required.then(|| when_required(true))}
            {on}
        </section>
        <section class="panel">
            <h2>"New backup codes"</h2>
            <p>{format!("{left} left.")}" New ones make the old ones void."</p>
            {post_form("identity/totp_codes", cx, "", vec![], codes)}
        </section>
        {(!required).then(|| turn_off(cx))}
    }
    .into_any()
}

fn turn_off(cx: &Cx) -> AnyView {
    let verb = button("Turn off", Kind::Danger);
    view! {
        <section class="panel danger-zone">
            <h2>"Turn off the second step"</h2>
            <p>"Your password alone logs in then, and the backup codes are void. You can set it up again at any time."</p>
            {when_required(false)}
            {post_form("identity/totp_disable", cx, "", vec![], verb)}
        </section>
    }
    .into_any()
}

fn logins(cx: &Cx, zone: &Zone, page: Page<AttemptRow>) -> AnyView {
    let pager = ui::pager(cx, &page);
    let body = if page.items.is_empty() {
        ui::empty("No login here", "Every try to log in to this account stands in this list.", ().into_any())
    } else {
        let rows: Vec<AnyView> = page.items.into_iter().map(|row| login(zone, row)).collect();
        let heads = view! {
            <th scope="col">"When (UTC)"</th>
            <th scope="col">"How it went"</th>
            <th scope="col">"Device"</th>
            <th scope="col">"Address"</th>
        };
        ui::table("", heads, rows)
    };
    view! {
        <section class="stack tight" id="logins">
            <h2>"Logins"</h2>
            <p class="quiet">"When one isn't yours, change your password and end the sessions you don't know."</p>
            {body}
            {pager}
        </section>
    }
    .into_any()
}

fn login(zone: &Zone, row: AttemptRow) -> AnyView {
    let tone = if row.ok { Tone::Good } else { Tone::Bad };
    let word = if row.ok { "Logged in" } else { "Refused" };
    let how = how(row.ok, &row.reason);
    view! {
        <tr>
            <th scope="row">{moment(zone, row.at)}</th>
            <td data-label="How it went"><span>{badge(tone, word)}" "{how}</span></td>
            <td data-label="Device"><bdi>{or_unknown(row.device)}</bdi></td>
            <td data-label="Address">{or_unknown(row.ip)}</td>
        </tr>
    }
    .into_any()
}

/// How someone came in, or why not.
pub(crate) fn how(ok: bool, reason: &str) -> String {
    let words = match (ok, reason) {
        (true, "password") => "by password",
        (true, "link") => "by a link in the mail",
        (true, "code") => "with a code from the app",
        (true, "backup code") => "with a backup code",
        (false, "password") => "wrong password",
        (false, "code") => "wrong code",
        (false, "unverified") => "e-mail not verified yet",
        (false, "disabled") => "account is disabled",
        (false, "throttled") => "too many tries",
        (_, other) => other,
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_secret_is_read_four_letters_at_a_time() {
        assert_eq!(super::grouped("JBSWY3DPEHPK3PXP"), "JBSW Y3DP EHPK 3PXP");
        assert_eq!(super::grouped("ABCDE"), "ABCD E");
        assert_eq!(super::grouped(""), "");
    }
}
