//! File operations that hold up no call, even on a file system that hangs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::thread::{self, Then};
use crate::wait::{Wait, waited};

/// How long a call that has no more time waits for the words of its work, which know more: which lock file another process
/// holds.
const GRACE: Duration = Duration::from_millis(50);

/// Runs `work` on a thread of its own and waits for it. A call that has no more time leaves the thread behind, which ends when
/// the work does. If the system has no more threads, `work` runs on this one.
///
/// # Errors
/// The errors of `work` and of `wait`.
pub(crate) fn aside<T: Send + 'static>(
    wait: &Wait,
    doing: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let here = Arc::new((Mutex::new(None), Condvar::new()));
    let there = here.clone();
    let run = move |ready: Result<()>| -> Then {
        let outcome = catch_unwind(AssertUnwindSafe(|| ready.and_then(|()| work())));
        let outcome = outcome.unwrap_or_else(|_| Err(Error::internal("a panic in a file operation")));
        // Boxed here: an outcome that is moved brings along what was beside it on the vault's stack.
        let outcome = Box::new(outcome);
        Box::new(move || {
            *there.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            there.1.notify_all();
        })
    };
    if let Some(run) = thread::start("nomyo-files", run) {
        run(Ok(()))();
    }
    let mut outcome = here.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(outcome) = outcome.take() {
            return *outcome;
        }
        if let Err(error) = wait.check(doing) {
            if outcome.is_none() {
                outcome = waited(&here.1, outcome, GRACE);
            }
            return outcome.take().map_or(Err(error), |outcome: Box<Result<T>>| *outcome);
        }
        outcome = waited(&here.1, outcome, wait.slice());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;
    use std::time::Duration;

    #[test]
    fn the_outcome_comes_back_and_work_that_hangs_holds_up_no_call() {
        assert_eq!(aside(&Wait::patient(), "testing", || Ok(7)).expect("no failure"), 7);
        let failed = aside(&Wait::patient(), "testing", || Err::<(), _>(Error::argument("no")));
        assert_eq!(failed.expect_err("it fails").status(), Status::Argument);
        let (_keep, hold) = std::sync::mpsc::channel::<()>();
        let hangs = move || {
            let _ = hold.recv();
            Ok(())
        };
        let late = aside(&Wait::new(Duration::from_millis(20), None), "testing", hangs);
        assert_eq!(late.expect_err("no time").status(), Status::Timeout);
    }

    #[test]
    fn a_panic_is_an_internal_error() {
        let outcome = aside(&Wait::patient(), "testing", || -> Result<()> { panic!("a bug") });
        assert_eq!(outcome.expect_err("a panic").status(), Status::Internal);
    }
}
