//! Log lines, for whoever asked for them. Nothing is written anywhere by default.

use std::fmt;
use std::sync::Arc;

use crate::memory;

/// How important a log line is, most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i32)]
#[non_exhaustive]
pub enum LogLevel {
    /// Something failed.
    Error = 1,
    /// Something is less safe than it could be, or is tried again.
    Warn = 2,
    /// What happened.
    Info = 3,
    /// Every step.
    Debug = 4,
}

type Sink = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Where lines go, if anywhere.
#[derive(Clone, Default)]
pub(crate) struct Log {
    to: Option<(LogLevel, Sink)>,
}

impl Log {
    pub(crate) fn new(level: LogLevel, sink: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Log {
        Log { to: Some((level, Arc::new(sink))) }
    }

    /// Hands `line` on if it is important enough; otherwise it is not even put together.
    pub(crate) fn write(&self, level: LogLevel, line: impl fmt::Display) {
        if let Some((least, sink)) = &self.to
            && level <= *least
        {
            let line = line.to_string();
            memory::outside(|| sink(level, &line));
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({:?})", self.to.as_ref().map(|(level, _)| level))
    }
}
