//! Who belongs to a school and may do what there (AC-20, AC-21, TN-01 to TN-04, TN-07, TN-08, TN-10, TN-12), over HTTP.

mod acting;
mod invites;
mod roles;
mod schools;
mod settings;
mod teachers;
mod unopened;
mod users;

use domain::identity::{Passwords, service::create_super_admin};
use secrecy::SecretString;

use crate::{
    accounts::{NEW, run, token, try_login},
    harness::{Answer, Client, TestApp},
};

pub(crate) const OWNER: &str = "owner@cape-drive.test";
pub(crate) const STAFF: &str = "staff@cape-drive.test";
/// Belongs to the other school.
pub(crate) const KIM: &str = "kim@north-mentors.test";
/// Has no account.
pub(crate) const ZINTLE: &str = "zintle@new.test";

/// Invites someone to Cape Drive.
async fn invite(client: &Client, email: &str, role: &str) -> Answer {
    client.post("team/invite", &[("tenant", "cape-drive"), ("email", email), ("role", role)]).await
}

/// Invites someone to Cape Drive; the token of the link.
async fn invited(app: &TestApp, owner: &Client, email: &str, role: &str) -> String {
    invite(owner, email, role).await.expect(200);
    token(app, "invite", email).await
}

/// Accepts an invite, with a name and a password for those who have no account.
async fn accept(client: &Client, token: &str) -> Answer {
    client.post("team/accept", &[("token", token), ("name", "Zintle Maseko"), ("password", NEW)]).await
}

/// Something that an owner does to a member of Cape Drive.
async fn on_member(client: &Client, action: &str, user: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![("tenant", "cape-drive"), ("user", user), ("reason", "Because")];
    fields.extend_from_slice(more);
    client.post(&format!("team/{action}"), &fields).await
}

/// Something that the platform does to an account.
async fn on_user(client: &Client, action: &str, user: &str) -> Answer {
    client.post(&format!("users/{action}"), &[("user", user), ("reason", "Because")]).await
}

/// Something that the platform does to a school.
async fn on_school(client: &Client, action: &str, school: &str) -> Answer {
    client.post(&format!("tenancy/{action}"), &[("tenant", school), ("reason", "Because")]).await
}

/// A school's id.
async fn school(app: &TestApp, slug: &str) -> String {
    sqlx::query_scalar("select id::text from tenants where slug = $1")
        .bind(slug)
        .fetch_one(&app.admin)
        .await
        .unwrap()
}

/// One of an account's memberships: its role and status.
async fn membership(app: &TestApp, slug: &str, email: &str) -> String {
    sqlx::query_scalar(
        "select coalesce((select m.role || ' ' || m.status from memberships m join tenants t on t.id = m.tenant_id
                          join users u on u.id = m.user_id where t.slug = $1 and u.email = $2), 'none')",
    )
    .bind(slug)
    .bind(email)
    .fetch_one(&app.admin)
    .await
    .unwrap()
}

/// Another super-admin, who may do without a second step as the demo's does.
async fn second_super_admin(app: &TestApp) -> (Client, &'static str) {
    let email = "root@lessonbook.test";
    let passwords = Passwords::cheap_for_tests().unwrap();
    create_super_admin(&app.db, &passwords, email, &SecretString::from(NEW), app.now()).await.unwrap();
    run(app, "update users set code_exempt = true where email = 'root@lessonbook.test'").await;
    let (client, answer) = try_login(app, email, NEW).await;
    answer.expect(200);
    (client, email)
}
