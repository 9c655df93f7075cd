//! The clock: the one place that asks what time it is. Everything else is told.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::Instant;

/// Tells the time, to the microsecond that Postgres keeps, so that what is written reads back equal.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's.
    pub fn system() -> Self {
        Self(None)
    }

    /// One that stands still until it is set, for tests.
    pub fn fixed(at: Instant) -> Self {
        Self(Some(Arc::new(AtomicI64::new(at.as_microsecond()))))
    }

    /// Moves a fixed clock, and every clone of it.
    pub fn set(&self, at: Instant) {
        if let Some(fixed) = &self.0 {
            fixed.store(at.as_microsecond(), Ordering::Relaxed);
        }
    }

    /// Moves a fixed clock on.
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.set(self.now() + by);
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Instant {
        let micros =
            self.0.as_ref().map_or_else(|| Instant::now().as_microsecond(), |at| at.load(Ordering::Relaxed));
        Instant::from_microsecond(micros).unwrap_or_default()
    }
}
