//! What becomes of a message when an attempt to send it is over.

use jiff::SignedDuration;

use super::{SendError, State, outbox::Ending};
use crate::Instant;

/// Attempts before a message is given up.
const ATTEMPTS: i32 = 8;
pub(super) const MAY_BE_TWICE: &str =
    "The program stopped before the server's answer came; it may arrive twice.";

/// What the end of an attempt means: again after 1, 2, 4, 8, … minutes, or never.
pub(super) fn ending(result: Result<(), SendError>, attempt: i32, now: Instant, jitter: f64) -> Ending {
    let (error, uncertain, again) = match result {
        Ok(()) => return Ending { state: State::Sent, next: None, error: None, uncertain: false },
        Err(SendError::Refused(error)) => (error, false, false),
        Err(SendError::Later(error)) => (error, false, true),
        Err(SendError::AnswerLost(error)) => (error, true, true),
    };
    if !again || attempt >= ATTEMPTS {
        return Ending { state: State::Dead, next: None, error: Some(error), uncertain };
    }
    let minutes = 1_i64 << (attempt - 1).clamp(0, 16);
    let pause = SignedDuration::from_mins(minutes).as_secs_f64() * jitter;
    let next = now.checked_add(SignedDuration::from_secs_f64(pause)).unwrap_or(now);
    Ending { state: State::Waiting, next: Some(next), error: Some(error), uncertain }
}

/// What becomes of a message whose worker died: at once again, and nothing said if the text had not been handed over.
pub(super) fn abandoned(handed_over: bool, attempts: i32, now: Instant) -> Ending {
    let error = handed_over.then(|| MAY_BE_TWICE.to_owned());
    if attempts >= ATTEMPTS {
        let error = error.or_else(|| Some("The program stopped each time while it was sent.".into()));
        return Ending { state: State::Dead, next: None, error, uncertain: handed_over };
    }
    Ending { state: State::Waiting, next: Some(now), error, uncertain: handed_over }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Instant {
        "2027-01-12T07:30:00Z".parse().unwrap()
    }

    fn pause(attempt: i32, jitter: f64) -> Option<i64> {
        let ending = ending(Err(SendError::Later("x".into())), attempt, now(), jitter);
        ending.next.map(|at| at.duration_since(now()).as_secs())
    }

    #[test]
    fn pauses_double_and_end_after_eight_attempts() {
        let pauses: Vec<Option<i64>> = (1..=8).map(|attempt| pause(attempt, 1.0)).collect();
        let minutes = [1, 2, 4, 8, 16, 32, 64].map(|minutes| Some(minutes * 60));
        assert_eq!(pauses[..7], minutes);
        assert_eq!(pauses[7], None);
        assert_eq!(pause(1, 0.9), Some(54));
    }

    #[test]
    fn a_refusal_is_final_and_a_lost_answer_is_not() {
        let refused = ending(Err(SendError::Refused("550".into())), 1, now(), 1.0);
        assert_eq!((refused.state, refused.uncertain), (State::Dead, false));
        let lost = ending(Err(SendError::AnswerLost("lost".into())), 1, now(), 1.0);
        assert_eq!((lost.state, lost.uncertain), (State::Waiting, true));
        assert_eq!(ending(Ok(()), 8, now(), 1.0).state, State::Sent);
    }

    #[test]
    fn a_dead_worker_leaves_a_word_only_when_it_matters() {
        assert_eq!(abandoned(false, 1, now()).error, None);
        assert!(abandoned(true, 1, now()).uncertain);
        assert_eq!(abandoned(false, 8, now()).state, State::Dead);
    }
}
