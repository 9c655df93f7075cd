//! How many statements a request costs.

use std::{cell::Cell, sync::Once};

thread_local! {
    /// Statements that reached Postgres from this thread. A test runs on a thread of its own, with all it spawns.
    static STATEMENTS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the statements that reach Postgres on this thread, as sqlx reports them.
pub(crate) struct QueryCount;

impl QueryCount {
    /// Starts counting. One subscriber serves all tests: what each enables is cached for the whole process.
    pub(crate) fn start() -> Self {
        use tracing_subscriber::layer::SubscriberExt;
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry().with(CountStatements))
                .unwrap();
        });
        Self
    }

    /// How many there were since the last time.
    pub(crate) fn take(&self) -> usize {
        STATEMENTS.take()
    }
}

struct CountStatements;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for CountStatements {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        struct Summary(String);
        impl tracing::field::Visit for Summary {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "summary" {
                    self.0 = format!("{value:?}");
                }
            }
            fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
                if field.name() == "summary" {
                    self.0 = value.to_owned();
                }
            }
        }
        let mut summary = Summary(String::new());
        event.record(&mut summary);
        let text = summary.0.trim_start().to_uppercase();
        // The frame of a request: its session, BEGIN and the end of the transaction.
        let frame = ["BEGIN", "COMMIT", "ROLLBACK", "SET LOCAL", "WITH ALIVE AS"]
            .iter()
            .any(|word| text.starts_with(word))
            || text.starts_with("UPDATE SESSIONS")
            || text.starts_with("INSERT INTO SESSIONS");
        if !frame {
            STATEMENTS.set(STATEMENTS.get() + 1);
        }
    }
}
