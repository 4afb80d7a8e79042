//! The moment by which a call must have ended, whatever it does.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::error::{Error, Status};

/// A call's deadline: key fetch, attempts and the waits between them all count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    total: Duration,
}

impl Deadline {
    /// `total` from now. A total beyond what the clock can hold counts as a century.
    pub(crate) fn after(total: Duration) -> Deadline {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let now = Instant::now();
        let total = total.min(CENTURY);
        Deadline { at: now.checked_add(total).unwrap_or(now), total }
    }

    pub(crate) fn at(self) -> Instant {
        self.at
    }

    /// What is left; zero when it has passed.
    pub(super) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The error of a call whose deadline passed, and `place`, where that was.
    pub(super) fn passed(self, place: &impl Display) -> Error {
        Error::new(
            Status::Timeout,
            format!(
                "the call did not end within its {} ms ({place}); the server may still be working on it: allow more \
                 time with the timeout option",
                self.total.as_millis()
            ),
        )
    }
}
