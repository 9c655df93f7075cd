//! Mail servers that want a password or encryption, and those of schools.

use std::{process::Command, sync::Arc};

use domain::notify::Mailer;
use lessonbook::mail::smtp::Smtp;
use secrecy::SecretString;
use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use uuid::Uuid;

use super::{
    Post,
    server::{MailServer, SITE, courier},
};
use crate::harness::TestApp;

/// Gives the driving school a mail server of its own. The password lies there as older data would.
pub(super) async fn own_server(app: &TestApp, host: &str, port: u16, (user, password): (&str, &str)) {
    sqlx::query(
        "insert into tenant_mail (tenant_id, host, port, security, username, password, from_email, updated_at)
         select id, $1, $2, 'none', $3, $4, 'office@cape-drive.example', now() from tenants where slug = 'cape-drive'
         on conflict (tenant_id) do update set host = $1, port = $2, username = $3, password = $4",
    )
    .bind(host)
    .bind(i32::from(port))
    .bind(user)
    .bind(password)
    .execute(&app.admin)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_sends_by_its_own_server(admin: PgPool) {
    let post = Post::new(admin).await;
    let own = MailServer::start_with(&[("SMTP_USER", "cape"), ("SMTP_PASSWORD", "s3cret")]);
    own_server(&post.app, "localhost", own.port, ("cape", "wrong")).await;
    let id = post.put("someone@x.test").await;
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("waiting", 1, false, "refuses the user name or the password");

    own_server(&post.app, "127.0.0.1", own.port, ("cape", "s3cret")).await;
    post.later(2);
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("sent", 2, false, "");
    let messages = own.to("someone@x.test").await;
    assert_eq!((messages.len(), post.server.count().await), (1, 0));
    assert_eq!(
        (messages[0]["from"].as_str(), messages[0]["user"].as_str()),
        (Some("office@cape-drive.example"), Some("cape"))
    );

    // The test button.
    let owner = post.app.owner().await;
    owner.post("tenancy/test_mail", &[("tenant", "cape-drive")]).await.expect(200);
    assert!(
        own.to("owner@cape-drive.test")
            .await
            .iter()
            .any(|message| message["subject"].as_str().unwrap().starts_with("Test message"))
    );
    own_server(&post.app, "127.0.0.1", own.port, ("cape", "wrong")).await;
    owner
        .post("tenancy/test_mail", &[("tenant", "cape-drive")])
        .await
        .expect(409)
        .shows("refuses the user name or the password")
        .hides("wrong");
    let staff = post.app.login("staff@cape-drive.test").await;
    staff.post("tenancy/test_mail", &[("tenant", "cape-drive")]).await.expect(403);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_needs_no_platform_server_and_others_wait(admin: PgPool) {
    let post = Post::new(admin).await;
    let bare = Smtp::new(None, None, SITE, true).unwrap();
    let mailer = Mailer::new(post.app.db.clone(), post.app.clock.clone(), Arc::new(bare));
    let id = post.put("someone@x.test").await;
    assert_eq!(mailer.run_once().await.unwrap(), 0);
    let delivery = mailer.deliver_now(post.school().await, id).await.unwrap();
    assert!(delivery.trouble().unwrap().starts_with("No mail server is set up"), "{delivery:?}");
    assert_eq!(
        post.app.count("select count(*) from audit where action = 'mail.failed'").await,
        0,
        "no invite"
    );
    own_server(&post.app, "127.0.0.1", post.server.port, ("", "")).await;
    assert_eq!(mailer.run_once().await.unwrap(), 1);
    post.row(id).await.is("sent", 1, false, "");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn in_production_a_school_cant_make_the_program_knock_at_local_doors(admin: PgPool) {
    let post = Post::new(admin).await;
    let url = SecretString::from(post.server.url());
    // The platform's own server may well be next door.
    let strict = Smtp::new(Some(&url), None, SITE, false).unwrap();
    let mailer = Mailer::new(post.app.db.clone(), post.app.clock.clone(), Arc::new(strict));
    let id = post.put("platform@x.test").await;
    mailer.run_once().await.unwrap();
    post.row(id).await.is("sent", 1, false, "");
    for host in ["127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1", "0.0.0.0"] {
        own_server(&post.app, host, post.server.port, ("", "")).await;
        let id = post.put("someone@x.test").await;
        mailer.run_once().await.unwrap();
        post.row(id).await.is("waiting", 1, false, "not a public one");
    }
    assert_eq!(post.server.to("someone@x.test").await.len(), 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn encryption_is_taken_when_offered_and_trusted_only_with_a_name(admin: PgPool) {
    let post = Post::new(admin).await;
    let dir = std::env::temp_dir().join(format!("lessonbook-mail-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (key, cert) = (dir.join("key.pem"), dir.join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let env = [("SMTP_KEY", key.to_str().unwrap()), ("SMTP_CERT", cert.to_str().unwrap())];
    let offering = MailServer::start_with(&env);
    for (n, (server, query, error)) in [
        (&offering, "", ""),
        (&offering, "?tls=required", "certificate is not valid"),
        (&post.server, "?tls=required", "offers no encryption"),
        (&post.server, "", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let courier = courier(&format!("{}{query}", server.url()));
        let mailer = Mailer::new(post.app.db.clone(), post.app.clock.clone(), courier);
        let to = format!("n{n}@x.test");
        let id = post.put(&to).await;
        mailer.run_once().await.unwrap();
        post.row(id).await.is(if error.is_empty() { "sent" } else { "waiting" }, 1, false, error);
        for message in server.to(&to).await {
            assert_eq!(message["secure"], std::ptr::eq(server, &offering));
        }
    }
    // A password never goes out in the clear unless that was asked for.
    let url = post.server.url().replace("smtp://", "smtp://u:p@");
    let mailer = Mailer::new(post.app.db.clone(), post.app.clock.clone(), courier(&url));
    let id = post.put("clear@x.test").await;
    mailer.run_once().await.unwrap();
    post.row(id).await.is("waiting", 1, false, "the password was not sent");
    std::fs::remove_dir_all(&dir).unwrap();
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn addresses_in_other_scripts_are_reached(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("jörg@müller.example").await;
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("sent", 1, false, "");
    assert_eq!(post.server.count().await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_server_that_refuses_the_sender_is_tried_again(admin: PgPool) {
    let post = Post::new(admin).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(refuse_sender(stream));
        }
    });
    let mailer = Mailer::new(post.app.db.clone(), post.app.clock.clone(), courier(&url));
    let id = post.put("someone@x.test").await;
    mailer.run_once().await.unwrap();
    post.row(id).await.is("waiting", 1, false, "550");
    assert_eq!(post.app.count("select count(*) from audit where action = 'mail.failed'").await, 0);
    // Once that is mended it goes out.
    post.later(2);
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("sent", 2, false, "");
}

/// A mail server that knows nobody who might send.
async fn refuse_sender(stream: TcpStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 strict.test\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match line.split(' ').next() {
            Some("EHLO") => b"250 strict.test\r\n",
            Some("MAIL") => b"550 5.7.1 Sender address rejected\r\n",
            _ => b"503 Not now\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn an_invite_without_any_mail_server_is_recorded_once(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let fields = [("tenant", "cape-drive"), ("email", "invited@x.test"), ("role", "student")];
    let answer = app.owner().await.post("team/invite", &fields).await.expect(200).json();
    let said = answer["message"].as_str().unwrap();
    assert!(said.contains("Mail isn't set up, so it waits in the outbox."), "{said}");
    let rows = "select count(*) from outbox o join audit a on a.tenant_id = o.tenant_id and a.entity_id = o.id
                where o.kind = 'invite' and o.state = 'waiting' and o.attempts = 0 and a.action = 'mail.failed'
                  and a.after ->> 'error' like 'No mail server is set up%' and a.after ->> 'kind' = 'invite'";
    assert_eq!(app.count(rows).await, 1);
    let (tenant, id): (Uuid, Uuid) = sqlx::query_as("select tenant_id, id from outbox where kind = 'invite'")
        .fetch_one(&app.admin)
        .await
        .unwrap();
    let again = app.site.mail.deliver_now(tenant, id).await.unwrap();
    assert!(again.no_server() && again.trouble().is_some(), "{again:?}");
    assert_eq!(app.count(rows).await, 1, "once");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn the_settings_promise_no_server_that_isnt_there(admin: PgPool) {
    const INVITES: &str = "they carry the key to an account";
    const PROMISE: &str = "the school uses the platform";
    let post = Post::new(admin).await;
    let owner = post.app.owner().await;
    let page = owner.get("/t/cape-drive/settings").await.expect(200);
    page.shows("goes out through the platform").shows(INVITES);
    own_server(&post.app, "mail.x.test", 587, ("", "")).await;
    let page = owner.get("/t/cape-drive/settings").await.expect(200);
    page.shows("Own server").shows("Invites alone go by the platform").shows(INVITES).shows(PROMISE);
    // The same school on a platform that has none.
    let bare = TestApp::demo(post.app.admin.clone()).await;
    let owner = bare.owner().await;
    let page = owner.get("/t/cape-drive/settings").await.expect(200);
    page.shows("the platform has none").hides(INVITES).hides(PROMISE);
    sqlx::query("delete from tenant_mail").execute(&bare.admin).await.unwrap();
    let page = owner.get("/t/cape-drive/settings").await.expect(200);
    page.shows("Mail stays in the outbox until there is a server").hides(INVITES).hides(PROMISE);
}
