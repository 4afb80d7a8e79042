//! Log lines, for whoever asked for them. Nothing is written anywhere by default.

use std::fmt;
use std::sync::Arc;

/// How important a log line is, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum Level {
    /// Something failed.
    Error = 1,
    /// Something is less safe than it could be, or is tried again.
    Warn = 2,
    /// What happened.
    Info = 3,
    /// Every step.
    Debug = 4,
}

type Sink = Arc<dyn Fn(Level, &str) + Send + Sync>;

/// Where lines go, if anywhere.
#[derive(Clone, Default)]
pub(crate) struct Log {
    to: Option<(Level, Sink)>,
}

impl Log {
    pub(crate) fn new(level: Level, sink: impl Fn(Level, &str) + Send + Sync + 'static) -> Log {
        Log { to: Some((level, Arc::new(sink))) }
    }

    /// Hands `line` on if it is important enough; otherwise it is not even put together.
    pub(crate) fn write(&self, level: Level, line: impl fmt::Display) {
        if let Some((least, sink)) = &self.to
            && level <= *least
        {
            sink(level, &line.to_string());
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({:?})", self.to.as_ref().map(|(level, _)| level))
    }
}
