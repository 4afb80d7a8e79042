//! How long one step on the network may take.

use std::cell::Cell;
use std::fmt::Display;
use std::time::{Duration, Instant};

use super::failure::Failure;
use super::stage::Stage;
use crate::wait::Wait;

/// One attempt on the network: bounded by its call, and by the connect timeout while a connection is opened.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    wait: &'a Wait,
    place: String,
    /// When a connection must be open.
    open_by: Cell<Option<Instant>>,
    stage: Cell<Stage>,
}

impl<'a> Step<'a> {
    /// An attempt of the call that `wait` bounds. `place` tells where, in messages.
    pub(crate) fn new(wait: &'a Wait, place: impl Display) -> Step<'a> {
        Step { wait, place: place.to_string(), open_by: Cell::new(None), stage: Cell::new(Stage::Connecting) }
    }

    /// The same attempt, for at most `time` from now.
    pub(crate) fn within(&self, time: Duration) -> Step<'a> {
        let open_by = Cell::new(Instant::now().checked_add(time));
        Step { open_by, ..self.clone() }
    }

    /// Notes what is done from now on.
    pub(crate) fn enters(&self, stage: Stage) {
        self.stage.set(stage);
    }

    /// The call.
    pub(crate) fn wait(&self) -> &'a Wait {
        self.wait
    }

    /// The time that is left, for the next poll.
    ///
    /// # Errors
    /// [`Failure::Stopped`] if the call is cancelled or its deadline has passed, [`Failure::TooSlow`] if the step took too
    /// long.
    pub(crate) fn left(&self) -> Result<Duration, Failure> {
        let stage = self.stage.get();
        self.wait.check(format_args!("{stage} ({})", self.place)).map_err(Failure::Stopped)?;
        let left = self.wait.left();
        match self.open_by.get().map(|end| end.saturating_duration_since(Instant::now())) {
            Some(Duration::ZERO) => Err(Failure::TooSlow(stage)),
            Some(step) => Ok(left.min(step)),
            None => Ok(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    #[test]
    fn a_step_ends_with_its_own_time_or_with_the_call() {
        let wait = Wait::patient();
        let step = Step::new(&wait, "https://x, 1 attempt");
        assert!(step.left().is_ok());
        step.enters(Stage::SettingUpTls);
        assert!(matches!(step.within(Duration::ZERO).left(), Err(Failure::TooSlow(Stage::SettingUpTls))));
        let over = Wait::new(Duration::ZERO, None);
        let Err(Failure::Stopped(error)) = Step::new(&over, "https://x, 1 attempt").within(Duration::ZERO).left()
        else {
            panic!("the call is over");
        };
        assert_eq!(error.status(), Status::Timeout);
        assert!(error.message().contains("while it opened a connection (https://x, 1 attempt)"), "{error}");
    }
}
