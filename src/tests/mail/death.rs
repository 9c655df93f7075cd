//! Workers that die, hang, or are two.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{
    clock::Clock,
    notify::{Courier, Envelope, HandingOver, Mailer, SendError},
};
use futures::future::BoxFuture;
use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinSet};

use super::{Post, server::MailServer};
use crate::{
    harness::{MASTER, TestApp},
    kill::{self, Program},
};

/// One that takes messages and never comes back, before or after it has begun to hand them over.
#[derive(Debug)]
struct Stuck {
    begins: bool,
    /// When it wakes after all.
    wakes: Arc<Notify>,
}

impl Courier for Stuck {
    fn configured(&self) -> bool {
        true
    }

    fn send<'a>(
        &'a self,
        _: &'a Envelope,
        handing_over: &'a HandingOver,
    ) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            if self.begins {
                handing_over.begin().await?;
            }
            self.wakes.notified().await;
            // Whoever sleeps through its lease must find that the message is no longer its own.
            handing_over.begin().await
        })
    }
}

/// Sends by a courier that comes back only when it is woken.
pub(super) fn stuck(post: &Post, begins: bool, wakes: &Arc<Notify>) -> Mailer {
    let courier = Stuck { begins, wakes: Arc::clone(wakes) };
    Mailer::new(post.app.db.clone(), post.app.clock.clone(), Arc::new(courier))
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_worker_that_dies_leaves_its_messages_to_the_next(admin: PgPool) {
    let post = Post::new(admin).await;
    for (begins, to) in [(false, "before@x.test"), (true, "after@x.test")] {
        let id = post.put(to).await;
        let dying = stuck(&post, begins, &Arc::default());
        let mut lanes = JoinSet::new();
        assert_eq!(dying.start(&mut lanes).await.unwrap(), 1);
        let begun = "select count(*) from outbox where handed_over";
        while begins && post.app.count(begun).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        lanes.shutdown().await;
        post.row(id).await.is("sending", 1, false, "");
        assert_eq!(post.mailer.run_once().await.unwrap(), 0, "it may still be at it");
        post.later(6);
        assert_eq!(post.mailer.run_once().await.unwrap(), 1);
        post.row(id).await.is("sent", 2, begins, if begins { "may arrive twice" } else { "" });
        assert_eq!(post.server.to(to).await.len(), 1);
    }
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_worker_that_wakes_too_late_sends_nothing(admin: PgPool) {
    let post = Post::new(admin).await;
    let wakes = Arc::new(Notify::new());
    let sleeper = stuck(&post, false, &wakes);
    let id = post.put("once@x.test").await;
    let mut lanes = JoinSet::new();
    sleeper.start(&mut lanes).await.unwrap();
    post.later(6);
    assert_eq!(post.mailer.run_once().await.unwrap(), 1);
    wakes.notify_one();
    while lanes.join_next().await.is_some() {}
    // Neither has it handed over, nor does its end overwrite what the other one wrote.
    post.row(id).await.is("sent", 2, false, "");
    assert_eq!(post.server.to("once@x.test").await.len(), 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn two_workers_send_each_message_once(admin: PgPool) {
    let post = Post::new(admin).await;
    for n in 0..60 {
        post.put(&format!("n{n}@x.test")).await;
    }
    let other = Mailer::new(post.app.db.clone(), post.app.clock.clone(), post.server.courier());
    let drain = async |mailer: &Mailer| {
        while post.app.count("select count(*) from outbox where state = 'waiting'").await > 0 {
            mailer.run_once().await.unwrap();
        }
    };
    tokio::join!(drain(&post.mailer), drain(&other));
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for message in post.server.messages().await {
        *copies.entry(message["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(copies.len(), 60);
    assert!(copies.values().all(|copies| *copies == 1), "{copies:?}");
    assert_eq!(post.app.count("select count(*) from outbox where state <> 'sent' or uncertain").await, 0);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_with_a_long_list_doesnt_keep_others_waiting(admin: PgPool) {
    let post = Post::new(admin).await;
    for n in 0..20 {
        post.put(&format!("n{n}@x.test")).await;
    }
    sqlx::query(
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, next_attempt_at, created_at)
           select id, gen_random_uuid(), 'test', 'other@x.test', 'Test', '{"kind": "test", "school": "North"}',
                  $1::timestamptz, $1::timestamptz
           from tenants where slug = 'north-mentors'"#,
    )
    .bind(post.app.now().to_string())
    .execute(&post.app.admin)
    .await
    .unwrap();
    post.mailer.run_once().await.unwrap();
    assert_eq!(post.server.to("other@x.test").await.len(), 1);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn kill_9_loses_no_message_and_doubles_none_unseen(admin: PgPool) {
    let app = TestApp::demo_at(admin, &Clock::system().now().to_string()).await;
    let server = MailServer::start();
    let (login, owner) = kill::urls(&app, "t_mail").await;
    sqlx::raw_sql(
        r#"delete from outbox;
           insert into outbox (tenant_id, id, kind, recipient, subject, data, next_attempt_at, created_at)
           select t.id, gen_random_uuid(), 'test', 'n' || n || '@x.test', 'Test',
                  '{"kind": "test", "school": "Cape Drive"}', now() - interval '1 minute', now()
           from tenants t, generate_series(1, 400) n where t.slug = 'cape-drive'"#,
    )
    .execute(&app.admin)
    .await
    .unwrap();
    let url = server.url();
    let env = [
        ("LESSONBOOK_MODE", "development"),
        ("LESSONBOOK_SECRET_KEY", MASTER),
        ("LESSONBOOK_SMTP_URL", url.as_str()),
        ("DATABASE_URL", login.as_str()),
        ("LESSONBOOK_OWNER_URL", owner.as_str()),
    ];
    for round in 1..=4 {
        let mut program = Program::start(&env);
        while server.count().await < round * 60 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        program.kill();
        // What it had begun is rolled back as Postgres notices that it is gone.
        while app.count("select count(*) from pg_stat_activity where usename = 't_mail'").await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Five minutes go by.
        sqlx::query("update outbox set lease_until = now() where state = 'sending'")
            .execute(&app.admin)
            .await
            .unwrap();
    }
    let mut program = Program::start(&env);
    while app.count("select count(*) from outbox where state <> 'sent'").await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    program.terminate();
    let mut copies: BTreeMap<String, usize> = BTreeMap::new();
    for message in server.messages().await {
        *copies.entry(message["to"][0].as_str().unwrap().to_owned()).or_default() += 1;
    }
    let rows: Vec<(String, bool)> =
        sqlx::query_as("select recipient, uncertain from outbox where kind = 'test'")
            .fetch_all(&app.admin)
            .await
            .unwrap();
    assert_eq!(rows.len(), 400);
    for (recipient, uncertain) in rows {
        match copies.get(&recipient) {
            Some(1) => {}
            Some(_) if uncertain => {}
            other => panic!("{recipient} arrived {other:?} times, uncertain: {uncertain}"),
        }
    }
}
