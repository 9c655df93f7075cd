//! `lessonbook worker` as a program of its own.

use std::{process::Stdio, time::Duration};

use sqlx::PgPool;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::{
    accounts::run,
    harness::{MASTER, TestApp},
    kill,
};

const SOON: Duration = Duration::from_secs(60);

#[sqlx::test(migrator = "domain::MIGRATIONS")]
async fn a_worker_sweeps_and_says_what_to_do_when_the_master_key_has_changed(admin: PgPool) {
    let app = TestApp::demo(admin).await;
    let (login, owner) = kill::urls(&app, "t_worker").await;
    // Rested for more than a day.
    run(
        &app,
        "insert into throttles (key, failures, last_at, blocked_until)
         values (sha256('x'), 77, now() - interval '2 days', now() - interval '2 days')",
    )
    .await;
    let mut worker = Command::new(env!("CARGO_BIN_EXE_lessonbook"))
        .arg("worker")
        .env_clear()
        .envs(std::env::vars().filter(|(name, _)| name == "PATH" || name == "HOME"))
        .env("LESSONBOOK_MODE", "development")
        .env("LESSONBOOK_SECRET_KEY", MASTER)
        .env("DATABASE_URL", login)
        .env("LESSONBOOK_OWNER_URL", owner)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = BufReader::new(worker.stderr.take().unwrap()).lines();
    let swept = async {
        while app.count("select count(*) from throttles where failures = 77").await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, swept).await.expect("it sweeps");

    // As `keys rotate` leaves them that ran with another master.
    run(&app, "update encryption_keys set wrapped = regexp_replace(wrapped, '^m1\\.[^.]+', 'm1.00000000')")
        .await;
    let warned = async {
        while let Some(line) = said.next_line().await.unwrap() {
            if line.contains("ERROR") && line.contains("LESSONBOOK_OLD_SECRET_KEYS") {
                return true;
            }
        }
        false
    };
    assert!(timeout(SOON, warned).await.expect("it looks at the keys every few seconds"));
    let stop = Command::new("kill").arg(worker.id().unwrap().to_string()).status().await.unwrap();
    assert!(stop.success());
    assert!(timeout(SOON, worker.wait()).await.expect("it stops").unwrap().success());
}
