//! Commands. Each exits 0 on success and asks nothing when standard input is no terminal.

mod admin;
mod audit;
mod import;
mod keys;
mod serve;
mod worker;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use domain::{clock::Clock, identity::Passwords, seed::BenchSize};

use crate::{
    config::{Config, Mode},
    database::Database,
};

/// Any failure, for one line on stderr.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs the lessons of schools, mentors, academies, clinics and salons.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the site.
    Serve(Serve),
    /// Send mail and run the other jobs, without serving pages.
    Worker,
    /// Bring the database's schema up to date.
    Migrate,
    /// Write data to begin with.
    Seed {
        #[command(subcommand)]
        what: Seed,
    },
    /// Import from a file.
    Import {
        #[command(subcommand)]
        what: Import,
    },
    /// Accounts that run the platform.
    Admin {
        #[command(subcommand)]
        what: Admin,
    },
    /// The record of who did what.
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
    /// Keys of encrypted fields.
    Keys {
        #[command(subcommand)]
        what: Keys,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Serve pages only, run no jobs.
    #[arg(long)]
    web_only: bool,
}

#[derive(Debug, Subcommand)]
enum Seed {
    /// The demo's schools and accounts; only outside production.
    Demo,
    /// A school `bench` of a given size; only outside production.
    Bench {
        /// Instructors.
        #[arg(long)]
        instructors: usize,
        /// Students.
        #[arg(long)]
        students: usize,
        /// Lessons, about.
        #[arg(long)]
        bookings: usize,
    },
}

#[derive(Debug, Subcommand)]
enum Import {
    /// Instructors and students from a CSV file.
    People {
        /// The school's address.
        #[arg(long)]
        tenant: String,
        /// The file, UTF-8 with the columns kind, name, email, phone, city.
        file: PathBuf,
        /// Check only, write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Make a super-admin. The password is read from the terminal or a file, never an argument.
    Create {
        /// E-mail.
        #[arg(long)]
        email: String,
        /// File whose first line is the password.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Audit {
    /// Check that no row was altered, removed or inserted; names each that was.
    Verify {
        /// One school's address; without it all schools and the platform.
        #[arg(long)]
        tenant: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum Keys {
    /// Make a new key and encrypt everything with it, while the program serves.
    Rotate,
}

/// Does what was asked.
///
/// # Errors
/// Says what is wrong and what to do.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let config = Config::from_env()?;
    start_log(&cli.command, config.log.as_deref());
    if let Command::Serve(args) = &cli.command {
        return serve::run(&config, args.web_only).await;
    }
    let database = Database::open(&config).await?;
    let result = match cli.command {
        Command::Serve(_) => Ok(()),
        Command::Worker => worker::run(&config, &database).await,
        Command::Migrate => database.migrate().await.map_err(Failure::from),
        Command::Seed { what } => seed(&config, &database, what).await,
        Command::Import { what: Import::People { tenant, file, dry_run } } => {
            import::people(&config, &database, &tenant, &file, dry_run).await
        }
        Command::Admin { what: Admin::Create { email, password_file } } => {
            admin::create(&config, &database, &email, password_file.as_deref()).await
        }
        Command::Audit { what: Audit::Verify { tenant } } => {
            audit::verify(&config, &database, tenant.as_deref()).await
        }
        Command::Keys { what: Keys::Rotate } => keys::rotate(&config, &database).await,
    };
    if database.started_here() {
        database.stop();
    }
    result
}

async fn seed(config: &Config, database: &Database, what: Seed) -> Result<(), Failure> {
    if config.mode == Mode::Production {
        return Err(
            "seeding makes accounts with a known password; set LESSONBOOK_MODE=demo or development".into()
        );
    }
    let db = database.pool(config).await?;
    let passwords = Passwords::new()?;
    match what {
        Seed::Demo => {
            let written = domain::seed::demo(&db, &passwords, Clock::system().now()).await?;
            eprintln!(
                "{}",
                if written {
                    "The demo's schools are there."
                } else {
                    "The demo's schools were there already."
                }
            );
        }
        Seed::Bench { instructors, students, bookings } => {
            if instructors == 0 || students < instructors {
                return Err("give at least one instructor, and as many students as instructors".into());
            }
            domain::seed::bench(
                &db,
                &passwords,
                BenchSize { instructors, students, bookings },
                Clock::system().now(),
            )
            .await?;
            eprintln!("The school bench is there; its owner is owner@bench.test.");
        }
    }
    Ok(())
}

/// The server logs what it does; a command only what is wrong.
fn start_log(command: &Command, wanted: Option<&str>) {
    let default = if matches!(command, Command::Serve(_) | Command::Worker) {
        "info,sqlx::postgres::notice=warn"
    } else {
        "warn"
    };
    let filter = tracing_subscriber::EnvFilter::new(wanted.unwrap_or(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
