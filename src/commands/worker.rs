//! `lessonbook worker`, and the jobs that `serve` runs too.

use std::{sync::Arc, time::Duration};

use domain::{
    booking::jobs,
    clock::Clock,
    db::Db,
    notify::{LANES, Mailer},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
    time::Instant,
};

use super::Failure;
use crate::{
    config::{Config, Mode},
    database::Database,
    mail::smtp::Smtp,
};

/// How often the outbox is looked into.
const POLL: Duration = Duration::from_secs(1);
/// How often it is looked whether something has come due: holds that end, offers, reminders.
const JOBS: Duration = Duration::from_secs(5);
/// How long requests and messages under way may take after the signal to stop (OP-05).
pub(super) const DRAIN: Duration = Duration::from_secs(10);
/// How often keys are read again: a rotation waits longer than this before it writes with a new one.
const KEYS: Duration = Duration::from_secs(5);
/// How often what has ended is removed.
const SWEEP: Duration = Duration::from_secs(600);
const LEFT: &str = "some messages did not get away in time; another worker takes them over";

pub(super) async fn run(config: &Config, database: &Database) -> Result<(), Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let db = database.pool(config).await?;
    let mailer = mailer(config, &db)?;
    let configured = if mailer.configured() { "" } else { ", only by schools' own mail servers" };
    eprintln!("Lessonbook sends messages{configured}");
    let others = [tokio::spawn(reload_keys(db.clone())), tokio::spawn(sweep(db.clone()))];
    let (stop, stopping) = watch::channel(false);
    let working = [
        tokio::spawn(jobs_forever(db.clone(), stopping.clone())),
        tokio::spawn(deliver_forever(mailer.clone(), stopping)),
    ];
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    stop.send(true)?;
    let until = Instant::now() + DRAIN;
    for task in working {
        task.await?;
    }
    drain(&mailer, until).await;
    others.iter().for_each(tokio::task::JoinHandle::abort);
    let _ = tokio::time::timeout(Duration::from_secs(2), db.pool().close()).await;
    Ok(())
}

/// What sends messages, as the environment says.
///
/// # Errors
/// Names the variable that is wrong.
pub(crate) fn mailer(config: &Config, db: &Db) -> Result<Mailer, Failure> {
    let smtp = Smtp::new(
        config.smtp_url.as_ref(),
        config.mail_from.as_deref(),
        &config.base_url,
        config.mode != Mode::Production,
    )?;
    Ok(Mailer::new(db.clone(), Clock::system(), Arc::new(smtp)))
}

/// Sends messages as they come due, until told to stop; then those under way get a few seconds to end.
pub(crate) async fn deliver_forever(mailer: Mailer, mut stop: watch::Receiver<bool>) {
    let mut lanes = JoinSet::new();
    while !*stop.borrow() {
        if let Err(error) = mailer.start(&mut lanes).await {
            tracing::warn!(%error, "could not look into the outbox");
            // Not again at once, as a lane that ends would have it.
            tokio::time::sleep(POLL).await;
        }
        // Whichever ends makes room for another one, be it only of its own school. Some lanes free: nothing more may be
        // sent just now.
        tokio::select! {
            Some(_) = lanes.join_next() => {}
            () = tokio::time::sleep(POLL), if lanes.len() < LANES => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
        while lanes.try_join_next().is_some() {}
    }
    let drained = tokio::time::timeout(DRAIN, async { while lanes.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(left = lanes.len(), "{LEFT}");
    }
}

/// Does what has come due, until told to stop; then the run under way gets a few seconds to end. What isn't done by then
/// is rolled back, and another worker does it.
pub(crate) async fn jobs_forever(db: Db, mut stop: watch::Receiver<bool>) {
    let mut stopped = stop.clone();
    let patience = async move {
        stopped.wait_for(|stop| *stop).await.ok();
        tokio::time::sleep(DRAIN).await;
    };
    tokio::pin!(patience);
    while !*stop.borrow() {
        tokio::select! {
            result = jobs::run_due(&db, Clock::system().now()) => {
                if let Err(error) = result {
                    tracing::warn!(%error, "could not look what has come due");
                }
            }
            () = &mut patience => break,
        }
        tokio::select! {
            () = tokio::time::sleep(JOBS) => {}
            changed = stop.changed() => if changed.is_err() { break },
        }
    }
}

/// Waits for messages that pages have begun to send, no longer than until then.
pub(crate) async fn drain(mailer: &Mailer, until: Instant) {
    if tokio::time::timeout_at(until, mailer.drain()).await.is_err() {
        tracing::warn!("{LEFT}");
    }
}

/// Removes what has ended: sessions, links, old logins.
pub(crate) async fn sweep(db: Db) {
    let mut every = tokio::time::interval(SWEEP);
    loop {
        every.tick().await;
        if let Err(error) = domain::identity::sweep(&db, Clock::system().now()).await {
            tracing::warn!(%error, "could not remove what has ended");
        }
    }
}

/// Hears of keys that a rotation makes.
pub(crate) async fn reload_keys(db: Db) {
    let mut every = tokio::time::interval(KEYS);
    loop {
        every.tick().await;
        if let Err(error) = db.vault().load(&db).await {
            // Until then this program can't read what is written with a newer key.
            tracing::error!(
                %error,
                "could not read the keys of encrypted fields; if LESSONBOOK_SECRET_KEY was changed, restart this program \
                 with the new one, and with the one before it in LESSONBOOK_OLD_SECRET_KEYS"
            );
        }
    }
}
