//! Until when one step on the network may take, and what to call it when it takes longer.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ureq::Timeout;
use ureq::unversioned::transport::NextTimeout;

/// The end of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    until: Option<Instant>,
    reason: Timeout,
}

thread_local! {
    /// The limit of the connection that this thread opens.
    static OPENING: Cell<Option<Limit>> = const { Cell::new(None) };
}

impl Limit {
    /// What the agent allows from now; while a connection is being opened, no longer than that may take in all. (What
    /// talks to a proxy counts from its beginning for every piece that it reads.)
    pub(super) fn of(timeout: NextTimeout) -> Limit {
        let until = if timeout.after.is_not_happening() { None } else { Instant::now().checked_add(*timeout.after) };
        let limit = Limit { until, reason: timeout.reason };
        OPENING.get().map_or(limit, |opening| opening.or_earlier(limit))
    }

    /// Opens a connection within this limit.
    pub(super) fn while_opening<T>(self, open: impl FnOnce() -> T) -> T {
        struct Back(Option<Limit>);
        impl Drop for Back {
            fn drop(&mut self) {
                OPENING.set(self.0);
            }
        }
        let _back = Back(OPENING.replace(Some(self)));
        open()
    }

    /// What is left, or the agent's error for a step that took too long.
    pub(super) fn left(self) -> Result<Duration, ureq::Error> {
        match self.until.map(|until| until.saturating_duration_since(Instant::now())) {
            None => Ok(Duration::MAX),
            Some(Duration::ZERO) => Err(ureq::Error::Timeout(self.reason)),
            Some(left) => Ok(left),
        }
    }

    /// The first of `steps` equal parts of what is left.
    pub(super) fn share(self, steps: usize) -> Result<Limit, ureq::Error> {
        let part = self.left()? / u32::try_from(steps).unwrap_or(u32::MAX).max(1);
        Ok(Limit { until: self.until.and(Instant::now().checked_add(part)), ..self })
    }

    fn or_earlier(self, other: Limit) -> Limit {
        match (self.until, other.until) {
            (_, None) => self,
            (Some(mine), Some(theirs)) if mine <= theirs => self,
            _ => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::time;

    fn allowed(ms: u64) -> NextTimeout {
        NextTimeout { after: time::Duration::from_millis(ms), reason: Timeout::Global, ..NextTimeout::default() }
    }

    #[test]
    fn opening_a_connection_limits_every_step_of_it() {
        let opening = Limit::of(NextTimeout { reason: Timeout::Connect, ..allowed(0) });
        opening.while_opening(|| {
            assert!(matches!(Limit::of(allowed(60_000)).left(), Err(ureq::Error::Timeout(Timeout::Connect))));
        });
        assert!(Limit::of(allowed(60_000)).left().is_ok());
        assert_eq!(Limit::of(NextTimeout::default()).left().ok(), Some(Duration::MAX));
    }

    #[test]
    fn shares_leave_time_for_the_next() {
        let limit = Limit::of(allowed(60_000));
        assert!(limit.share(3).and_then(Limit::left).expect("time") <= Duration::from_secs(20));
        assert!(limit.share(1).and_then(Limit::left).expect("time") > Duration::from_secs(20));
    }
}
