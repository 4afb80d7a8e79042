//! The environment variables that a configuration reads, and nothing else of the library does.

use std::env::VarError;

use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// The value of a variable; an empty one counts as unset.
pub(super) fn variable(name: &str) -> Result<Option<Zeroizing<String>>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::argument(format!("{name} is not UTF-8; set it again"))),
    }
}

/// The value `text` of the variable `name`, which is a yes or a no.
pub(super) fn yes_or_no(name: &str, text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(Error::argument(format!("{name} must be 1, true, yes, on, or 0, false, no, off; set it again"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_or_a_no_is_read_in_either_case_and_nothing_else_passes_for_one() {
        for (text, value) in [("1", true), ("True", true), ("YES", true), ("on", true), ("0", false), ("no", false)] {
            assert_eq!(yes_or_no("NOMYO_X", text).expect(text), value);
        }
        for text in ["2", "ja", "true ", "truefalse"] {
            let error = yes_or_no("NOMYO_X", text).expect_err(text);
            assert!(error.message().contains("NOMYO_X must be"), "{error}");
        }
    }
}
