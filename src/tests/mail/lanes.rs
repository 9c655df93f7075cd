//! Who gets to send at the same time, and what is under way when the program stops.

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use tokio::{sync::Notify, task::JoinSet};
use uuid::Uuid;

use super::{Post, death::stuck, servers::own_server};

const SENDING: &str = "select count(*) from outbox where state = 'sending'";
const BY_SLOW: &str = "select count(*) from outbox where state = 'sending' and recipient like '%@slow.test'";

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_school_with_a_server_that_hangs_holds_two_lanes(admin: PgPool) {
    let post = Post::new(admin).await;
    own_server(&post.app, "tar.x.test", 25, ("", "")).await;
    // More than any look into the outbox takes, all before the others.
    for n in 0..12 {
        post.put(&format!("n{n}@slow.test")).await;
    }
    let wakes = Arc::new(Notify::new());
    let (one, two) = (stuck(&post, false, &wakes), stuck(&post, false, &wakes));
    let (mut lanes, mut others) = (JoinSet::new(), JoinSet::new());
    let (first, second) = tokio::join!(one.start(&mut lanes), two.start(&mut others));
    assert_eq!(first.unwrap() + second.unwrap(), 2, "two workers don't make it more");
    assert_eq!(post.app.count(BY_SLOW).await, 2);
    assert_eq!(one.start(&mut lanes).await.unwrap(), 0);

    // Meanwhile someone asks for a new password.
    post.later(1);
    post.app.visitor().post("identity/forgot", &[("email", "kim@north-mentors.test")]).await.expect(200);
    assert_eq!(one.start(&mut lanes).await.unwrap(), 1);
    assert_eq!(
        post.app.count("select count(*) from outbox where state = 'sending' and kind = 'reset'").await,
        1
    );

    // Whatever ends makes room for the next one of the school.
    while post.app.count(SENDING).await > 0 {
        wakes.notify_waiters();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(one.start(&mut lanes).await.unwrap(), 2);
    assert_eq!(post.app.count(BY_SLOW).await, 2);
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_very_long_list_keeps_no_other_school_waiting(admin: PgPool) {
    let post = Post::new(admin).await;
    own_server(&post.app, "127.0.0.1", post.server.port, ("", "")).await;
    sqlx::query(
        r#"insert into outbox (tenant_id, id, kind, recipient, subject, data, next_attempt_at, created_at)
           select t.id, gen_random_uuid(), 'test', n || '@x.test', 'Test', '{"kind": "test", "school": "x"}',
                  $1::timestamptz - n * interval '1 second', $1::timestamptz
           from tenants t, generate_series(1, 2000) n where t.slug = 'cape-drive'"#,
    )
    .bind(post.app.now().to_string())
    .execute(&post.app.admin)
    .await
    .unwrap();
    post.app.visitor().post("identity/forgot", &[("email", "kim@north-mentors.test")]).await.expect(200);
    assert_eq!(post.mailer.run_once().await.unwrap(), 3);
    assert_eq!(
        post.app.count("select count(*) from outbox where state = 'sent' and kind = 'reset'").await,
        1
    );
}

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn what_a_page_has_begun_to_send_is_waited_for(admin: PgPool) {
    let post = Post::new(admin).await;
    let wakes = Arc::new(Notify::new());
    let mailer = stuck(&post, false, &wakes);
    tokio::time::timeout(Duration::from_secs(1), mailer.drain()).await.expect("nothing is under way");
    let (school, id): (Uuid, Uuid) = (post.school().await, post.put("someone@x.test").await);
    // The one who asked goes away.
    let waited = tokio::time::timeout(Duration::from_secs(2), mailer.deliver_now(school, id)).await;
    assert!(waited.is_err(), "{waited:?}");
    post.row(id).await.is("sending", 1, false, "");
    // Clones of a mailer know of it too; giving up the wait ends nothing.
    let drained = tokio::time::timeout(Duration::from_millis(300), mailer.clone().drain()).await;
    assert!(drained.is_err());
    wakes.notify_one();
    tokio::time::timeout(Duration::from_secs(10), mailer.drain()).await.expect("it has ended");
    post.row(id).await.is("sent", 1, false, "");
}
