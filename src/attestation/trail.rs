//! What has been looked at, and what came of it.

use std::borrow::Cow;

use super::check::Check;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It holds.
    Ok,
    /// It does not hold; that is worth knowing, and decides nothing.
    Warning,
    /// It does not hold, and nothing counts any more.
    Failed,
    /// It was not made.
    Skipped,
}

/// One line of the report. Our own words and numbers: nothing of what the server sent is quoted.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) check: Check,
    pub(super) outcome: Outcome,
    pub(super) detail: Cow<'static, str>,
}

/// The check that failed; nothing is looked at after it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) check: Check,
    pub(super) detail: Cow<'static, str>,
}

/// A step's result.
pub(super) type Step<T> = Result<T, Failure>;

/// A check that failed.
pub(super) fn failed<T>(check: Check, detail: impl Into<Cow<'static, str>>) -> Step<T> {
    Err(Failure { check, detail: detail.into() })
}

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Trail(Vec<Entry>);

impl Trail {
    /// Notes that `check` holds, with what is worth knowing about it.
    pub(super) fn ok(&mut self, check: Check, detail: impl Into<Cow<'static, str>>) {
        self.note(check, Outcome::Ok, detail);
    }

    /// Notes that `check` does not hold, and that it decides nothing.
    pub(super) fn warning(&mut self, check: Check, detail: impl Into<Cow<'static, str>>) {
        self.note(check, Outcome::Warning, detail);
    }

    /// Notes that `check` is not made, and why.
    pub(super) fn skipped(&mut self, check: Check, why: &'static str) {
        self.note(check, Outcome::Skipped, why);
    }

    /// Demands that `holds`.
    pub(super) fn demand(&mut self, check: Check, holds: bool, otherwise: impl Into<Cow<'static, str>>) -> Step<()> {
        if !holds {
            return failed(check, otherwise);
        }
        self.ok(check, "");
        Ok(())
    }

    /// Every check in order: those made, the one that failed, and the rest as not reached.
    pub(super) fn closed(mut self, failure: Option<Failure>) -> Vec<Entry> {
        if let Some(Failure { check, detail }) = failure {
            self.note(check, Outcome::Failed, detail);
        }
        let mut made = self.0;
        let missing = Check::ALL.iter().filter(|check| made.iter().all(|entry| entry.check != **check));
        let missing: Vec<_> = missing
            .map(|check| Entry { check: *check, outcome: Outcome::Skipped, detail: "not reached".into() })
            .collect();
        made.extend(missing);
        let place = |entry: &Entry| Check::ALL.iter().position(|check| *check == entry.check);
        made.sort_by_key(place);
        made
    }

    fn note(&mut self, check: Check, outcome: Outcome, detail: impl Into<Cow<'static, str>>) {
        self.0.push(Entry { check, outcome, detail: detail.into() });
    }
}
