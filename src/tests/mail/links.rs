//! Messages that are worth nothing once their link is over.

use sqlx::PgPool;
use uuid::Uuid;

use super::Post;
use crate::{
    accounts::{SIPHO, SUPER, minutes, newcomer, pass},
    harness::TestApp,
};

const EXPIRED: &str = "Its link has expired.";

/// The newest message of a kind.
async fn newest(post: &Post, kind: &str) -> Uuid {
    sqlx::query_scalar("select id from outbox where kind = $1 order by created_at desc, id desc limit 1")
        .bind(kind)
        .fetch_one(&post.app.admin)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_message_is_worth_as_long_as_its_link(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let visitor = app.visitor();
    visitor.post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    visitor.post("identity/magic", &[("email", SIPHO)]).await.expect(200);
    visitor.post("identity/register", &newcomer("zintle@new.test", "student", "")).await.expect(200);
    app.student().await.post("identity/change_email", &[("email", "sipho@new.test")]).await.expect(200);
    let invite = [("tenant", "cape-drive"), ("email", "invited@x.test"), ("role", "student")];
    app.owner().await.post("team/invite", &invite).await.expect(200);
    for _ in 0..10 {
        visitor.post("identity/login", &[("login", SIPHO), ("password", "not-the-password")]).await;
        pass(&app, minutes(2));
    }
    let rows: Vec<(Uuid, String, String)> =
        sqlx::query_as("select id, kind, secret from outbox where secret is not null order by kind")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    let kinds: Vec<&str> = rows.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["email_change", "invite", "locked", "magic", "reset", "verify"]);
    for (id, kind, secret) in &rows {
        let token = app.db.vault().open("outbox.secret", *id, secret).unwrap();
        let same: bool = sqlx::query_scalar(
            "select o.valid_until is not distinct from l.expires_at
             from outbox o, (select token_hash, expires_at from one_time_links
                             union all select token_hash, expires_at from invites) l
             where o.id = $1 and l.token_hash = sha256(convert_to($2, 'UTF8'))",
        )
        .bind(id)
        .bind(token)
        .fetch_one(&app.admin)
        .await
        .unwrap();
        assert!(same, "{kind}");
    }
    let others = "select count(*) from outbox where secret is null and valid_until is not null";
    assert_eq!(app.count(others).await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_link_that_is_over_isnt_sent_and_not_sent_again(admin: PgPool) {
    let post = Post::new(admin).await;
    let visitor = post.app.visitor();
    visitor.post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    let late = newest(&post, "reset").await;
    post.later(60);
    visitor.post("identity/forgot", &[("email", SIPHO)]).await.expect(200);
    let fresh = newest(&post, "reset").await;
    post.later(59);
    while post.mailer.run_once().await.unwrap() > 0 {}
    post.row(late).await.is("dead", 1, false, EXPIRED);
    post.row(fresh).await.is("sent", 1, false, "");
    assert_eq!(post.server.to(SIPHO).await.len(), 1);

    // What was refused while its link still worked can't be sent again once it doesn't.
    let platform = post.app.login(SUPER).await;
    let (one, two) = (late.to_string(), fresh.to_string());
    sqlx::query("update outbox set state = 'dead', sent_at = null, error = '550 no' where id = $1")
        .bind(fresh)
        .execute(&post.app.admin)
        .await
        .unwrap();
    let page = platform.get("/admin/outbox?state=dead").await.expect(200);
    assert!(page.body.contains(EXPIRED) && page.body.contains(&two), "{}", page.body);
    assert!(!page.body.contains(&one), "no button: {}", page.body);
    let again = platform.post("notify/resend_platform", &[("id", one.as_str())]).await.expect(409);
    again.shows("Its link has expired. Ask for a new one.");
    post.row(late).await.is("dead", 1, false, EXPIRED);
    post.later(1);
    platform.post("notify/resend_platform", &[("id", two.as_str())]).await.expect(409);
    assert_eq!(post.app.count("select count(*) from audit where action = 'outbox.resend'").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_invite_is_given_up_when_its_link_is_over(admin: PgPool) {
    let post = Post::new(admin).await;
    let owner = post.app.owner().await;
    let invite = [("tenant", "cape-drive"), ("email", "later@x.test"), ("role", "student")];
    owner.post("team/invite", &invite).await.expect(200);
    let id = newest(&post, "invite").await;
    post.row(id).await.is("waiting", 1, false, "451");
    let over = post.app.now() + minutes(72 * 60);
    sqlx::query("update outbox set next_attempt_at = $2::timestamptz where id = $1")
        .bind(id)
        .bind(over.to_string())
        .execute(&post.app.admin)
        .await
        .unwrap();
    post.later(72 * 60);
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("dead", 2, false, EXPIRED);
    assert_eq!(post.server.to("later@x.test").await.len(), 0);
    let number = id.to_string();
    let owner = post.app.owner().await;
    let again = owner.post("notify/resend", &[("tenant", "cape-drive"), ("id", &number)]).await.expect(409);
    again.shows("Ask for a new one.");
}
