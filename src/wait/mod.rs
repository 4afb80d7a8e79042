//! How long a call may go on: until its deadline passes, or until it is cancelled from another thread.
//!
//! Promises: every wait in the library is bounded by a [`Wait`]: for the network, for another thread, for another process
//! and for the library's own threads. A wait ends at most a twentieth of a second after the deadline or the cancel.

mod cancel;
mod deadline;

use std::fmt::Display;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use cancel::Cancel;
pub(crate) use deadline::Deadline;

use crate::error::{Error, Result, Status};
use crate::memory;

/// The longest sleep that does not look at the cancel.
const SLICE: Duration = Duration::from_millis(25);

/// The deadline of one call, and its cancel if it has one.
#[derive(Clone, Debug)]
pub(crate) struct Wait {
    deadline: Deadline,
    cancel: Option<Cancel>,
}

impl Wait {
    /// For a call that begins now and takes `total` at most.
    #[cfg(test)]
    pub(crate) fn new(total: Duration, cancel: Option<&Cancel>) -> Wait {
        Wait::since(Instant::now(), total, cancel)
    }

    /// For a call that began at `begun` and takes `total` at most.
    pub(crate) fn since(begun: Instant, total: Duration, cancel: Option<&Cancel>) -> Wait {
        Wait { deadline: Deadline::after(begun, total), cancel: cancel.cloned() }
    }

    /// For tests that never wait long.
    #[cfg(test)]
    pub(crate) fn patient() -> Wait {
        Wait::new(Duration::from_secs(600), None)
    }

    /// Time that is left; zero if the deadline has passed.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// The same, for `most` at most.
    pub(crate) fn at_most(&self, most: Duration) -> Wait {
        Wait { deadline: Deadline::after(Instant::now(), most.min(self.left())), cancel: self.cancel.clone() }
    }

    /// The deadline.
    pub(crate) fn until(&self) -> Instant {
        self.deadline.at()
    }

    /// Fails if the call is cancelled or its deadline has passed. `doing` follows the word "while" in the message.
    ///
    /// # Errors
    /// `Status::Cancelled`, `Status::Timeout`.
    pub(crate) fn check(&self, doing: impl Display) -> Result<()> {
        if self.is_cancelled() {
            return Err(Error::new(Status::Cancelled, format!("the call was cancelled while {doing}")));
        }
        if self.left().is_zero() {
            return Err(self.deadline.passed(doing));
        }
        Ok(())
    }

    /// Whether the call is cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_triggered)
    }

    /// Sleeps for `time`.
    ///
    /// # Errors
    /// Those of [`check`](Wait::check), as soon as the call may not go on.
    pub(crate) fn sleep(&self, time: Duration, doing: impl Display) -> Result<()> {
        let end = Instant::now().checked_add(time).unwrap_or(self.until()).min(self.until());
        loop {
            self.check(&doing)?;
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            match &self.cancel {
                Some(cancel) => cancel.sleep(left),
                None => memory::outside(|| std::thread::sleep(left)),
            }
        }
    }

    /// Waits for `changed` for a short time, after which the caller looks at its condition again.
    ///
    /// # Errors
    /// Those of [`check`](Wait::check).
    pub(crate) fn on<'a, T>(
        &self,
        changed: &Condvar,
        guard: MutexGuard<'a, T>,
        doing: impl Display,
    ) -> Result<MutexGuard<'a, T>> {
        self.check(doing)?;
        let slice = self.slice();
        Ok(waited(changed, guard, slice))
    }

    /// How long the next sleep may be if nothing wakes it.
    pub(crate) fn slice(&self) -> Duration {
        match self.cancel {
            Some(_) => self.left().min(SLICE),
            None => self.left(),
        }
    }

    /// How long the next wait for a socket may be. A cancel ends such a wait, unless a parent process made the cancel.
    pub(crate) fn socket_slice(&self, most: Duration) -> Duration {
        match &self.cancel {
            Some(cancel) if !cancel.reaches_sockets() => most.min(SLICE),
            _ => most,
        }
    }

    /// Runs `io` on `socket`, which is shut down if the call is cancelled meanwhile, so that `io` does not go on blocking.
    pub(crate) fn interrupting<T>(&self, socket: &Arc<TcpStream>, io: impl FnOnce() -> T) -> T {
        match &self.cancel {
            Some(cancel) => cancel.shutting_down(socket, io),
            None => io(),
        }
    }
}

/// Waits for `changed` for at most `most`. Signals are delivered during the wait.
pub(crate) fn waited<'a, T>(changed: &Condvar, guard: MutexGuard<'a, T>, most: Duration) -> MutexGuard<'a, T> {
    memory::outside(|| changed.wait_timeout(guard, most)).unwrap_or_else(PoisonError::into_inner).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(ms: u64) -> (Wait, Cancel) {
        let cancel = Cancel::new();
        (Wait::new(Duration::from_millis(ms), Some(&cancel)), cancel)
    }

    #[test]
    fn a_timeout_counts_from_the_beginning_that_was_given_and_is_told_whole() {
        let begun = Instant::now().checked_sub(Duration::from_millis(200)).expect("the machine runs longer");
        let error = Wait::since(begun, Duration::from_millis(200), None).check("it waited").expect_err("over");
        assert_eq!(error.status(), Status::Timeout);
        assert!(error.message().contains("200 ms"), "{error}");
        assert!(Wait::since(begun, Duration::from_secs(600), None).left() < Duration::from_secs(600));
    }

    #[test]
    fn a_check_names_what_the_call_waited_for() {
        let (ended, cancel) = wait(0);
        let error = ended.check("sleeping").expect_err("no time");
        assert_eq!(error.status(), Status::Timeout);
        assert!(error.message().contains("while sleeping"), "{error}");
        cancel.trigger();
        let error = ended.check("sleeping").expect_err("cancelled");
        assert_eq!((error.status(), error.message()), (Status::Cancelled, "the call was cancelled while sleeping"));
    }

    #[test]
    fn a_sleep_ends_with_its_time_the_deadline_or_the_cancel() {
        let (long, _cancel) = wait(600_000);
        assert!(long.sleep(Duration::from_millis(5), "sleeping").is_ok());
        let (short, _cancel) = wait(5);
        let hour = Duration::from_secs(3600);
        assert_eq!(short.sleep(hour, "sleeping").expect_err("no time").status(), Status::Timeout);
        let (woken, cancel) = wait(600_000);
        std::thread::scope(|scope| {
            let sleep = scope.spawn(|| woken.sleep(hour, "sleeping"));
            std::thread::sleep(Duration::from_millis(20));
            cancel.trigger();
            assert_eq!(sleep.join().expect("no panic").expect_err("cancelled").status(), Status::Cancelled);
        });
    }

    #[test]
    fn a_wait_for_another_thread_ends_with_the_deadline_or_the_cancel() {
        let (lock, changed) = (std::sync::Mutex::new(()), Condvar::new());
        let waits = |wait: &Wait| {
            let mut guard = lock.lock().expect("no panic");
            loop {
                match wait.on(&changed, guard, "waiting") {
                    Ok(again) => guard = again,
                    Err(error) => return error.status(),
                }
            }
        };
        assert_eq!(waits(&Wait::new(Duration::from_millis(5), None)), Status::Timeout);
        let (long, cancel) = wait(600_000);
        std::thread::scope(|scope| {
            let call = scope.spawn(|| waits(&long));
            std::thread::sleep(Duration::from_millis(20));
            cancel.trigger();
            assert_eq!(call.join().expect("no panic"), Status::Cancelled);
        });
    }
}
