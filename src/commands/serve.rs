//! `lessonbook serve`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::cx::Site;
use domain::{clock::Clock, identity::Passwords, live::Changes, seed::DEMO_PASSWORD};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{Failure, worker};
use crate::{
    assets,
    config::{Config, Mode},
    database::Database,
    http::{limits::Limiter, live::Live},
    router::{AppState, build_router},
};

pub(super) async fn run(config: &Config, web_only: bool) -> Result<(), Failure> {
    // First the address: a second program must fail here, before it lays hands on the first one's database.
    let listener = TcpListener::bind(config.addr).await.map_err(|error| {
        format!("can't listen on {}: {error}; set LESSONBOOK_ADDR to another address", config.addr)
    })?;
    let config = &config.clone().listening_on(listener.local_addr()?);
    // Heard from here on: a signal that comes while the program starts must not leave the database running.
    let signals =
        Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? };
    let database = Database::open(config).await?;
    let result = serve(config, &database, listener, signals, web_only).await;
    database.stop();
    result
}

/// What tells the program to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

async fn serve(
    config: &Config,
    database: &Database,
    listener: TcpListener,
    mut signals: Signals,
    web_only: bool,
) -> Result<(), Failure> {
    let db = database.pool(config).await?;
    let mailer = worker::mailer(config, &db)?;
    let passwords = Passwords::new()?;
    if config.mode == Mode::Demo {
        domain::seed::demo(&db, &passwords, Clock::system().now()).await?;
    }
    let site = Site {
        db: db.clone(),
        clock: Clock::system(),
        passwords,
        base_url: config.base_url.clone(),
        demo: config.mode == Mode::Demo,
        reload: config.mode == Mode::Development,
        mail: mailer.clone(),
        assets: assets::read(&config.site_dir),
    };
    let limiter = Limiter::new(
        db.clone(),
        Clock::system(),
        config.trusted_proxies.clone(),
        config.benchmark_token.clone(),
    );
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let changes = Changes::default();
    tokio::spawn(changes.clone().listen(db.clone()));
    let state = AppState {
        site: Arc::new(site),
        limiter: limiter.clone(),
        live: Live::new(changes, stopping.clone()),
        https: config.https(),
        site_dir: config.site_dir.clone(),
    };
    let app = build_router(state).into_make_service_with_connect_info::<SocketAddr>();
    announce(config);
    tokio::spawn(worker::reload_keys(db.clone()));
    let counting = tokio::spawn(limiter.run(stopping.clone()));
    let working = (!web_only).then(|| {
        tokio::spawn(worker::sweep(db.clone()));
        [
            tokio::spawn(worker::jobs_forever(db.clone(), stopping.clone())),
            tokio::spawn(worker::deliver_forever(mailer.clone(), stopping.clone())),
        ]
    });

    let graceful = axum::serve(listener, app).with_graceful_shutdown({
        let mut stopping = stopping;
        async move {
            stopping.wait_for(|stop| *stop).await.ok();
        }
    });
    let served = tokio::spawn(async move { graceful.await });
    tokio::select! {
        _ = signals.interrupt.recv() => {}
        _ = signals.terminate.recv() => {}
    }
    tracing::info!("stopping");
    stop.send(true)?;
    let until = tokio::time::Instant::now() + worker::DRAIN;
    let rest = served.abort_handle();
    if tokio::time::timeout_at(until, served).await.is_err() {
        tracing::warn!("some requests did not finish in time");
        rest.abort();
    }
    // Only now: a request that ended in time may have begun one.
    worker::drain(&mailer, until).await;
    let _ = counting.await;
    for task in working.into_iter().flatten() {
        let _ = task.await;
    }
    // A download that nobody reads may hold a connection; its transaction ends with the program.
    let _ = tokio::time::timeout(Duration::from_secs(2), db.pool().close()).await;
    Ok(())
}

fn announce(config: &Config) {
    eprintln!("Lessonbook serves on {}", config.base_url);
    if config.mode == Mode::Demo {
        eprintln!(
            "Demo accounts, password {DEMO_PASSWORD}:\n  \
             super@lessonbook.test          runs the platform\n  \
             owner@cape-drive.test          owner of the driving school\n  \
             staff@cape-drive.test          staff\n  \
             thandi@cape-drive.test         instructor\n  \
             sipho@cape-drive.test          student\n  \
             owner@north-mentors.test       owner of the mentorship programme\n  \
             ada@north-mentors.test         mentor\n  \
             kim@north-mentors.test         mentee with a pack of 4\n\
             Ctrl-C stops it."
        );
    }
}
