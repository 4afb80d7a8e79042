//! The moment at which a call must have ended, whatever it does.

use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::error::{Error, Status};

/// A call's deadline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    total: Duration,
}

impl Deadline {
    /// `total` from `begun`. A total beyond what the clock can hold counts as a century.
    pub(super) fn after(begun: Instant, total: Duration) -> Deadline {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        let total = total.min(CENTURY);
        Deadline { at: begun.checked_add(total).unwrap_or(begun), total }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// Time that is left; zero if the deadline has passed.
    pub(super) fn left(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The error of a call whose deadline passed while it was `doing` something.
    pub(super) fn passed(self, doing: impl Display) -> Error {
        Error::new(
            Status::Timeout,
            format!(
                "the call did not end within its {} ms: the time ran out while {doing}; allow more time with the timeout \
                 option",
                self.total.as_millis()
            ),
        )
    }
}
