//! The client's own limit on attempts per second, shared by its threads: everyone gets a turn, in the order of asking.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How often attempts may begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rate {
    /// The time between two turns.
    interval: Duration,
    /// How much earlier than its turn an attempt may begin: what was saved up while nobody asked.
    credit: Duration,
}

impl Rate {
    /// `per_second` in the long run, and up to `burst` at once after a pause.
    pub(crate) fn new(per_second: f64, burst: u32) -> Result<Rate> {
        if !(0.001..=1_000_000.0).contains(&per_second) {
            return Err(Error::argument(
                "a rate limit is from 0.001 to 1 000 000 requests a second; 0 switches it off",
            ));
        }
        if burst == 0 {
            return Err(Error::argument("a rate limit with a burst of 0 allows nothing; give at least 1"));
        }
        let interval = Duration::from_secs_f64(1.0 / per_second);
        Ok(Rate { interval, credit: interval.saturating_mul(burst - 1) })
    }
}

/// The turns of one client.
#[derive(Debug)]
pub(super) struct RateLimit {
    rate: Rate,
    /// When the next turn is, if nothing is saved up.
    next: Mutex<Option<Instant>>,
}

/// A turn that was taken.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    at: Instant,
    pub(super) wait: Duration,
}

impl RateLimit {
    pub(super) fn new(rate: Rate) -> RateLimit {
        RateLimit { rate, next: Mutex::new(None) }
    }

    /// Takes the next turn, unless its wait would reach `most`: then nothing is taken.
    pub(super) fn take(&self, now: Instant, most: Duration) -> Option<Turn> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        let wait = at.duration_since(now).saturating_sub(self.rate.credit);
        if !wait.is_zero() && wait >= most {
            return None;
        }
        // The clock does not reach that far: no turn after this one.
        *next = Some(at.checked_add(self.rate.interval)?);
        Some(Turn { at, wait })
    }

    /// Gives a turn back that was not waited for, unless others have taken theirs since.
    pub(super) fn give_back(&self, turn: &Turn) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if *next == turn.at.checked_add(self.rate.interval) {
            *next = Some(turn.at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn limit(per_second: f64, burst: u32) -> RateLimit {
        RateLimit::new(Rate::new(per_second, burst).expect("a rate"))
    }

    fn wait(limit: &RateLimit, now: Instant) -> Option<u128> {
        limit.take(now, LONG).map(|turn| turn.wait.as_millis())
    }

    #[test]
    fn a_burst_is_let_through_and_then_one_at_a_time() {
        let (limit, start) = (limit(2.0, 4), Instant::now());
        let waits: Vec<_> = (0..7).map(|_| wait(&limit, start).expect("a turn")).collect();
        assert_eq!(waits, [0, 0, 0, 0, 500, 1000, 1500]);
        // A second later two of the three who waited have gone; nobody gets ahead of the third.
        assert_eq!(wait(&limit, start + Duration::from_secs(1)), Some(1000));
        // After a pause the burst is there again, and no more than that.
        let later = start + Duration::from_secs(100);
        let waits: Vec<_> = (0..5).map(|_| wait(&limit, later).expect("a turn")).collect();
        assert_eq!(waits, [0, 0, 0, 0, 500]);
    }

    #[test]
    fn a_turn_that_comes_too_late_is_not_taken_and_one_that_is_given_back_is_free() {
        let (limit, start) = (limit(1.0, 1), Instant::now());
        assert_eq!(wait(&limit, start), Some(0));
        assert_eq!(limit.take(start, Duration::from_secs(1)), None);
        let turn = limit.take(start, LONG).expect("a turn");
        assert_eq!(turn.wait, Duration::from_secs(1));
        limit.give_back(&turn);
        assert_eq!(limit.take(start, LONG), Some(turn));
        // Who queued behind keeps the place.
        let (first, _second) = (limit.take(start, LONG).expect("a turn"), limit.take(start, LONG).expect("a turn"));
        limit.give_back(&first);
        assert_eq!(wait(&limit, start), Some(4000));
    }

    #[test]
    fn only_rates_that_mean_something_are_accepted() {
        for (per_second, burst) in [(0.0, 1), (-1.0, 1), (f64::NAN, 1), (f64::INFINITY, 1), (1e-9, 1), (2.0, 0)] {
            assert!(Rate::new(per_second, burst).is_err(), "{per_second} {burst}");
        }
        assert!(Rate::new(0.001, u32::MAX).is_ok());
    }
}
