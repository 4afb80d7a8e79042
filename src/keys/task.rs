//! One operation on the client's keys, and the calls that wait for it.
//!
//! Promises: a call stops waiting at its deadline or its cancel, whatever the operation does meanwhile: reading a file,
//! waiting for a lock file, deriving a key from a password, generating a pair. An operation that a caller asked for by
//! name (generate, load, save, rotate) changes nothing after its caller has stopped waiting, unless the change had begun:
//! the caller's error says which of the two it was.

use std::fmt::Display;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, Status};
use crate::wait::{Wait, waited};

/// One operation under way.
pub(super) struct Task {
    kind: Kind,
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Makes the pair that some call needs. The next call needs it too, so the operation goes on without its callers.
    Needed,
    /// One caller asked for it by name. It is dropped with that caller.
    Requested,
}

struct Progress {
    /// The current step of the operation. It follows the word "while" in errors.
    step: String,
    /// How many calls wait for the result.
    calls: usize,
    client_is_gone: bool,
    /// The limit of the call on whose thread the operation runs, if it has no thread of its own.
    limit: Option<Wait>,
    /// Set when the first change begins. From then on the operation is completed.
    begun: bool,
    /// Set when the operation stops because nobody wants its result.
    dropped: bool,
    end: Option<Box<End>>,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(super) enum End {
    Finished(Result<()>),
    /// Without a result that concerns a caller: nobody wanted it any more, or it panicked.
    Dropped,
}

impl Task {
    /// Not begun. The call that makes it waits for it.
    pub(super) fn new(kind: Kind) -> Task {
        let progress = Progress {
            step: "an operation on the client's keys began".to_owned(),
            calls: 1,
            client_is_gone: false,
            limit: None,
            begun: false,
            dropped: false,
            end: None,
        };
        Task { kind, progress: Mutex::new(progress), ended: Condvar::new() }
    }

    pub(super) fn is_needed(&self) -> bool {
        self.kind == Kind::Needed
    }

    // For the operation.

    /// Notes what the operation does next; `step` follows the word "while" in errors.
    pub(super) fn at(&self, step: impl Into<String>) {
        self.lock().step = step.into();
    }

    /// Fails if no call waits for the result. The operation asks this while it waits for something.
    pub(super) fn wait_at(&self, step: impl Display) -> Result<()> {
        let mut progress = self.lock();
        progress.step = step.to_string();
        let unwanted = progress.calls == 0;
        progress.go_on(unwanted)
    }

    /// Fails if the result may not take effect any more. The operation asks this before each step that leaves a trace.
    pub(super) fn proceed(&self) -> Result<()> {
        let mut progress = self.lock();
        let unwanted = progress.calls == 0 && self.kind == Kind::Requested;
        progress.go_on(unwanted)
    }

    /// As [`proceed`](Task::proceed). If it succeeds, the operation changes something now, and is completed.
    pub(super) fn begin(&self) -> Result<()> {
        let mut progress = self.lock();
        let unwanted = progress.calls == 0 && self.kind == Kind::Requested;
        progress.go_on(unwanted)?;
        progress.begun = true;
        Ok(())
    }

    /// The operation runs on the thread of a call that may take as long as `limit` says.
    pub(super) fn limit_to(&self, limit: &Wait) {
        self.lock().limit = Some(limit.clone());
    }

    /// Lets the waiting calls go on.
    pub(super) fn end(&self, end: Box<End>) {
        let mut progress = self.lock();
        progress.end = Some(if progress.dropped { Box::new(End::Dropped) } else { end });
        drop(progress);
        self.ended.notify_all();
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.lock().dropped
    }

    // For the calls.

    /// The client was freed: the operation may not change anything any more.
    pub(super) fn leave(&self) {
        self.lock().client_is_gone = true;
    }

    /// Another call waits for the result.
    pub(super) fn join(&self) {
        self.lock().calls += 1;
    }

    /// Waits for the end, as one of the calls that are counted; at most for `most`, after which it returns `None`.
    ///
    /// # Errors
    /// The errors of [`Wait::check`]. The message says whether anything was changed.
    pub(super) fn wait(&self, wait: &Wait, most: Option<Duration>) -> Result<Option<End>> {
        let until = most.and_then(|most| Instant::now().checked_add(most));
        let mut progress = self.lock();
        let outcome = loop {
            if let Some(end) = &progress.end {
                break Ok(Some(End::clone(end)));
            }
            if let Err(error) = wait.check(&progress.step) {
                break Err(explained(error, self.kind, progress.begun));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break Ok(None);
            }
            let slice = left.map_or(wait.slice(), |left| left.min(wait.slice()));
            progress = waited(&self.ended, progress, slice);
        };
        progress.calls -= 1;
        outcome
    }

    /// Waits for the end of another caller's operation, without a say in it.
    ///
    /// # Errors
    /// The errors of [`Wait::check`].
    pub(super) fn watch(&self, wait: &Wait) -> Result<()> {
        let mut progress = self.lock();
        while progress.end.is_none() {
            let doing = format!("another call changed this client's keys, and in that call {}", progress.step);
            progress = wait.on(&self.ended, progress, doing)?;
        }
        Ok(())
    }

    /// The last step of the operation.
    pub(super) fn step(&self) -> String {
        self.lock().step.clone()
    }

    /// `error`, with what became of the operation.
    pub(super) fn explained(&self, error: Error) -> Error {
        explained(error, self.kind, self.lock().begun)
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn go_on(&mut self, unwanted: bool) -> Result<()> {
        let late = || self.limit.as_ref().is_some_and(|limit| limit.check(&self.step).is_err());
        if !self.begun && (unwanted || self.client_is_gone || late()) {
            self.dropped = true;
            return Err(Error::new(Status::Cancelled, format!("no call waited any more while {}", self.step)));
        }
        Ok(())
    }
}

fn explained(error: Error, kind: Kind, begun: bool) -> Error {
    match (kind, begun) {
        (Kind::Needed, _) => error,
        (Kind::Requested, false) => error.because("the pair in use and the key files stay as they are"),
        (Kind::Requested, true) => error.because(
            "the change had begun and is being completed; ask for the public key later to see which pair is in use",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::Cancel;

    fn short() -> Wait {
        Wait::new(Duration::from_millis(5), None)
    }

    fn gives_up(task: &Task) -> Error {
        task.wait(&short(), None).expect_err("no time")
    }

    #[test]
    fn an_operation_that_was_requested_changes_nothing_after_its_caller_has_given_up_and_the_error_says_so() {
        let task = Task::new(Kind::Requested);
        task.at("the test slept");
        let error = gives_up(&task);
        assert_eq!(error.status(), Status::Timeout);
        assert!(error.message().contains("while the test slept"), "{error}");
        assert!(error.message().contains("stay as they are"), "{error}");
        assert!(task.proceed().is_err() && task.begin().is_err() && task.wait_at("it waited").is_err());
        task.end(Box::new(End::Finished(Ok(()))));
        assert!(task.is_dropped());
    }

    #[test]
    fn a_change_that_had_begun_is_completed_and_the_error_says_so() {
        let task = Task::new(Kind::Requested);
        task.begin().expect("wanted");
        let error = gives_up(&task);
        assert!(error.message().contains("had begun") && !error.message().contains("stay as they are"), "{error}");
        assert!(task.begin().is_ok());
    }

    #[test]
    fn an_operation_that_the_next_call_needs_goes_on_alone_but_does_not_wait_alone() {
        let task = Task::new(Kind::Needed);
        gives_up(&task);
        assert!(task.proceed().is_ok());
        assert!(task.wait_at("another process held a lock file").is_err());
        assert!(task.is_dropped());
        let gone = Task::new(Kind::Needed);
        gone.leave();
        assert!(gone.begin().is_err());
    }

    #[test]
    fn an_operation_without_a_thread_of_its_own_ends_with_the_limit_of_its_call() {
        let task = Task::new(Kind::Needed);
        task.limit_to(&Wait::new(Duration::ZERO, None));
        assert!(task.wait_at("another process held a lock file").is_err() && task.proceed().is_err());
        task.end(Box::new(End::Finished(Ok(()))));
        assert!(matches!(task.wait(&Wait::patient(), None), Ok(Some(End::Dropped))));
    }

    #[test]
    fn a_cancel_ends_the_wait_of_its_own_call_alone() {
        let (task, cancel) = (Task::new(Kind::Needed), Cancel::new());
        task.join();
        cancel.trigger();
        let cancelled = Wait::new(Duration::from_secs(600), Some(&cancel));
        assert_eq!(task.wait(&cancelled, None).expect_err("cancelled").status(), Status::Cancelled);
        assert!(task.wait_at("it waited").is_ok(), "the other call is forgotten");
        assert!(matches!(task.wait(&Wait::patient(), Some(Duration::from_millis(1))), Ok(None)));
        assert!(task.wait_at("it waited").is_err());
    }
}
