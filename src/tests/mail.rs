//! Messages, from the act that causes them to a real mail server.

mod death;
mod lanes;
mod links;
mod program;
mod server;
mod servers;

use domain::notify::Mailer;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

use self::server::MailServer;
use crate::harness::TestApp;

/// A school with messages to send and a mail server to send them by.
struct Post {
    app: TestApp,
    server: MailServer,
    mailer: Mailer,
}

impl Post {
    async fn new(admin: PgPool) -> Self {
        let server = MailServer::start();
        let app = TestApp::demo_mailing(admin, server.courier()).await;
        let mailer = Mailer::new(app.db.clone(), app.clock.clone(), server.courier());
        Self { app, server, mailer }
    }

    /// Puts a message of the driving school into the outbox.
    async fn put(&self, to: &str) -> Uuid {
        sqlx::query_scalar(
            r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, next_attempt_at, created_at)
               select id, gen_random_uuid(), 'test', $1, 'Test', '{"kind": "test", "school": "Cape Drive"}',
                      $2::timestamptz, $2::timestamptz
               from tenants where slug = 'cape-drive' returning id"#,
        )
        .bind(to)
        .bind(self.app.now().to_string())
        .fetch_one(&self.app.admin)
        .await
        .unwrap()
    }

    async fn row(&self, id: Uuid) -> Row {
        sqlx::query_as(
            "select state, attempts, uncertain, coalesce(error, '') as error from outbox where id = $1",
        )
        .bind(id)
        .fetch_one(&self.app.admin)
        .await
        .unwrap()
    }

    async fn school(&self) -> Uuid {
        self.app.text("select id::text from tenants where slug = 'cape-drive'").await.parse().unwrap()
    }

    fn later(&self, minutes: i64) {
        let now = self.app.now().checked_add(jiff::SignedDuration::from_mins(minutes)).unwrap();
        self.app.clock.set(now);
    }
}

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct Row {
    state: String,
    attempts: i32,
    uncertain: bool,
    error: String,
}

impl Row {
    #[track_caller]
    fn is(self, state: &str, attempts: i32, uncertain: bool, error: &str) {
        assert_eq!(
            (self.state.as_str(), self.attempts, self.uncertain),
            (state, attempts, uncertain),
            "{self:?}"
        );
        assert!(self.error.contains(error) && self.error.is_empty() == error.is_empty(), "{self:?}");
    }
}

fn header(message: &Value, key: &str) -> String {
    let found = message["headers"].as_array().unwrap().iter().find(|header| header["key"] == key);
    found.map_or_else(String::new, |header| header["line"].as_str().unwrap().to_owned())
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lesson_arrives_in_text_html_and_calendar(admin: PgPool) {
    let post = Post::new(admin).await;
    let student = post.app.student().await;
    let service = post.app.text("select s.id::text from services s join tenants t on t.id = s.tenant_id where t.slug = 'cape-drive' and s.name = 'Driving lesson'").await;
    let thandi =
        post.app.text("select id::text from instructors where email = 'thandi@cape-drive.test'").await;
    let fields = [
        ("tenant", "cape-drive"),
        ("service", service.as_str()),
        ("instructor", thandi.as_str()),
        ("starts_at", "2027-01-15T15:00:00+02:00"),
        ("pickup", "1 Long Street; Cape Town"),
        ("note", "First <b>time</b> 😀\r\n.\r\nBcc: x@y.test"),
    ];
    let booking =
        student.post("booking/book", &fields).await.expect(200).json()["id"].as_str().unwrap().to_owned();
    while post.mailer.run_once().await.unwrap() > 0 {}
    let mut sequences = Vec::new();
    for (to, other) in [
        ("sipho@cape-drive.test", "thandi@cape-drive.test"),
        ("thandi@cape-drive.test", "sipho@cape-drive.test"),
    ] {
        let messages = post.server.to(to).await;
        let message =
            messages.iter().find(|message| message["subject"].as_str().unwrap().contains("booked")).unwrap();
        assert_eq!(message["subject"], "Driving lesson booked: Fri 15 Jan, 15:00–16:00");
        assert_eq!(message["to"], serde_json::json!([to]));
        assert!(header(message, "from").contains("via Lessonbook"), "{message:#}");
        assert!(header(message, "message-id").ends_with("@lessons.test>"), "{message:#}");
        assert_eq!(header(message, "auto-submitted"), "Auto-Submitted: auto-generated");
        assert_eq!(header(message, "bcc"), "");
        let link = format!("{}/t/cape-drive/bookings/{booking}", server::SITE);
        for part in ["text", "html"] {
            let text = message[part].as_str().unwrap();
            for word in ["15:00–16:00 (Johannesburg)", "😀", "1 Long Street; Cape Town", &link] {
                assert!(text.contains(word), "{word} is not in {text}");
            }
        }
        assert!(!message["html"].as_str().unwrap().contains("<b>time"));
        let entry = &message["attachments"][0];
        assert_eq!(
            (entry["name"].as_str(), entry["type"].as_str()),
            (Some("calendar.ics"), Some("text/calendar"))
        );
        let entry = entry["text"].as_str().unwrap();
        for line in [
            "METHOD:PUBLISH",
            "STATUS:CONFIRMED",
            "DTSTART:20270115T130000Z",
            "DTEND:20270115T140000Z",
            &format!("UID:{booking}@lessons.test"),
            r"LOCATION:1 Long Street\; Cape Town",
        ] {
            assert!(entry.lines().any(|found| found == line), "{line} is not in {entry}");
        }
        assert!(!message["raw"].as_str().unwrap().contains(other), "the other one's address stays out of it");
        sequences.push(sequence(entry));
    }
    assert_eq!(post.app.count("select count(*) from outbox where state <> 'sent'").await, 0);

    post.later(5);
    let cancel = [("tenant", "cape-drive"), ("booking", booking.as_str()), ("reason", "Exam")];
    student.post("booking/cancel", &cancel).await.expect(200);
    while post.mailer.run_once().await.unwrap() > 0 {}
    let messages = post.server.to("sipho@cape-drive.test").await;
    let message = messages.last().unwrap();
    assert_eq!(message["subject"], "Driving lesson cancelled: Fri 15 Jan, 15:00–16:00");
    assert!(message["text"].as_str().unwrap().contains("Reason: Exam"));
    let entry = message["attachments"][0]["text"].as_str().unwrap();
    assert!(entry.contains("STATUS:CANCELLED") && entry.contains(&format!("UID:{booking}@")), "{entry}");
    assert!(sequence(entry) > sequences[0], "calendars heed only the newest");
}

fn sequence(entry: &str) -> u32 {
    let line = entry.lines().find_map(|line| line.strip_prefix("SEQUENCE:")).unwrap();
    line.parse().unwrap()
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_refused_message_is_shown_recorded_and_sent_again_by_hand(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("refuse@x.test").await;
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("dead", 1, false, "550");
    let audited =
        "select count(*) from audit where action = 'mail.failed' and after ->> 'error' like '%550%'";
    assert_eq!(post.app.count(audited).await, 1);
    let owner = post.app.owner().await;
    owner.get("/t/cape-drive/outbox?state=dead").await.expect(200).shows("refuse@x.test").shows("550");
    owner.get("/t/cape-drive/outbox?q=nobody-has-this").await.expect(200).hides("refuse@x.test");
    // The mailbox exists now.
    let number = id.to_string();
    let again = [("tenant", "cape-drive"), ("id", number.as_str())];
    sqlx::query("update outbox set recipient = 'mended@x.test' where id = $1")
        .bind(id)
        .execute(&post.app.admin)
        .await
        .unwrap();
    owner.post("notify/resend", &again).await.expect(200);
    post.row(id).await.is("sent", 1, false, "");
    assert_eq!(post.server.to("mended@x.test").await.len(), 1);
    assert_eq!(post.app.count("select count(*) from audit where action = 'outbox.resend'").await, 1);
    owner.post("notify/resend", &again).await.expect(409);
    post.app.student().await.post("notify/resend", &again).await.expect(403);
    let other = post.app.login("owner@north-mentors.test").await;
    other.post("notify/resend", &[("tenant", "north-mentors"), ("id", number.as_str())]).await.expect(404);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_message_put_off_goes_out_later(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("later@x.test").await;
    assert_eq!(post.mailer.run_once().await.unwrap(), 1);
    post.row(id).await.is("waiting", 1, false, "451");
    assert_eq!(post.mailer.run_once().await.unwrap(), 0, "not before its time");
    post.later(2);
    assert_eq!(post.mailer.run_once().await.unwrap(), 1);
    post.row(id).await.is("sent", 2, false, "");
    assert_eq!(post.server.to("later@x.test").await.len(), 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_message_that_fails_eight_times_is_given_up(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("dropearly@x.test").await;
    for attempt in 1..=8 {
        assert_eq!(post.mailer.run_once().await.unwrap(), 1);
        // The recipient was never accepted, so it is certain that nothing arrived.
        post.row(id).await.is(if attempt < 8 { "waiting" } else { "dead" }, attempt, false, "broke");
        post.later(1 << attempt);
    }
    assert_eq!(post.mailer.run_once().await.unwrap(), 0);
    assert_eq!(post.server.count().await, 0);
    assert_eq!(post.app.count("select count(*) from audit where action = 'mail.failed'").await, 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_slow_server_is_waited_for(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("slow@x.test").await;
    let delivery = post.mailer.deliver_now(post.school().await, id).await.unwrap();
    assert!(delivery.sent(), "{delivery:?}");
    assert_eq!(post.server.to("slow@x.test").await.len(), 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_lost_answer_is_recorded_and_only_then_a_message_comes_twice(admin: PgPool) {
    let post = Post::new(admin).await;
    let id = post.put("drop@x.test").await;
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("waiting", 1, true, "may arrive twice");
    post.later(2);
    post.mailer.run_once().await.unwrap();
    post.row(id).await.is("sent", 2, true, "may arrive twice");
    let copies = post.server.to("drop@x.test").await;
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0]["id"], copies[1]["id"], "a mailbox can tell that they are the same");
    post.app.owner().await.get("/t/cape-drive/outbox").await.expect(200).shows("may arrive twice");
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_can_never_be_sent_is_given_up_at_once(admin: PgPool) {
    let post = Post::new(admin).await;
    let broken = post.put("broken@x.test").await;
    let linkless = post.put("linkless@x.test").await;
    let nowhere = post.put("no address").await;
    sqlx::query(r#"update outbox set data = case when id = $1 then '{"kind": "telegram"}'::jsonb else '{"kind": "reset", "name": "x"}' end where id in ($1, $2)"#)
        .bind(broken)
        .bind(linkless)
        .execute(&post.app.admin)
        .await
        .unwrap();
    post.mailer.run_once().await.unwrap();
    post.row(broken).await.is("dead", 1, false, "can't be read");
    post.row(linkless).await.is("dead", 1, false, "link is gone");
    post.row(nowhere).await.is("dead", 1, false, "not valid");
    let orphan = post.put("orphan@x.test").await;
    sqlx::query(
        "update tenants set status = 'deleted', status_before_deletion = 'active' where slug = 'cape-drive'",
    )
    .execute(&post.app.admin)
    .await
    .unwrap();
    post.mailer.run_once().await.unwrap();
    post.row(orphan).await.is("dead", 1, false, "The school was deleted.");
    assert_eq!(post.server.count().await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn whoever_invites_learns_whether_the_mail_went_out(admin: PgPool) {
    let post = Post::new(admin).await;
    let owner = post.app.owner().await;
    let invite = async |email: &str| {
        let fields = [("tenant", "cape-drive"), ("email", email), ("role", "student")];
        owner.post("team/invite", &fields).await.expect(200).json()
    };
    let failures = "select count(*) from audit where action = 'mail.failed' and after ->> 'kind' = 'invite'";
    let sent = invite("invited@x.test").await;
    assert!(sent["message"].as_str().unwrap().contains("The mail was sent."), "{sent}");
    assert_eq!(post.app.count(failures).await, 0);
    let message = &post.server.to("invited@x.test").await[0];
    let link = format!("{}/invite/", server::SITE);
    let token = message["text"].as_str().unwrap().split(&link).nth(1).unwrap().lines().next().unwrap();
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    assert_eq!(
        post.app.count("select count(*) from outbox where state = 'sent' and secret is not null").await,
        0
    );
    for (email, code) in [("refuse@x.test", "550"), ("later@x.test", "451")] {
        let failed = invite(email).await;
        let said = failed["message"].as_str().unwrap();
        assert!(said.contains("was not sent") && said.contains(code), "{said}");
    }
    assert_eq!(post.app.count(failures).await, 2, "the audit records both");
}
