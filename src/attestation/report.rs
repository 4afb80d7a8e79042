//! The report: the verdict and every check, as JSON.

use serde::Serialize;

use super::verdict::Attestation;

#[derive(Serialize)]
struct Report {
    level: &'static str,
    meaning: &'static str,
    /// Never true: nothing in the protocol leads to a TPM that somebody certifies.
    hardware_rooted: bool,
    failed_check: Option<&'static str>,
    checks: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    number: i32,
    name: &'static str,
    result: &'static str,
    detail: String,
}

impl Attestation {
    /// The verdict as JSON: `level`, `meaning` (a sentence), `hardware_rooted` (always false), `failed_check` (a name or
    /// null), and `checks`, one for each check in order: `number`, `name`, `result` (`ok`, `warning`, `failed`,
    /// `skipped`), `detail`.
    pub fn report(&self) -> String {
        let report = Report {
            level: self.level().name(),
            meaning: self.level().meaning(),
            hardware_rooted: false,
            failed_check: self.failed_check().map(|check| check.name),
            checks: self.lines(),
        };
        serde_json::to_string(&report).expect("texts and numbers can be written as JSON")
    }

    #[cfg(feature = "attestation")]
    fn lines(&self) -> Vec<Line> {
        use super::trail::Outcome;

        let line = |entry: &super::trail::Entry| Line {
            number: entry.check.number(),
            name: entry.check.name(),
            result: match entry.outcome {
                Outcome::Ok => "ok",
                Outcome::Warning => "warning",
                Outcome::Failed => "failed",
                Outcome::Skipped => "skipped",
            },
            detail: entry.detail.clone().into_owned(),
        };
        self.entries.iter().map(line).collect()
    }

    #[cfg(not(feature = "attestation"))]
    fn lines(&self) -> Vec<Line> {
        Vec::new()
    }
}
