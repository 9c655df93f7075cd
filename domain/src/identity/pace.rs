//! Answers that take as long whether an account exists or not.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Longer than the longest of the ways that an answer hides.
const FLOOR: Duration = Duration::from_millis(250);

/// Begun before the first look, ended after the last write, when no connection is held any more.
#[derive(Debug)]
pub(crate) struct Pace(Instant);

impl Pace {
    /// Starts counting.
    pub(crate) fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits until an answer may go out.
    pub(crate) async fn end(self) {
        sleep_until(self.0 + FLOOR).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_short_way_takes_as_long_as_a_long_one() {
        let began = Instant::now();
        Pace::begin().end().await;
        assert!(began.elapsed() >= FLOOR);
    }
}
