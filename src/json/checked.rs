//! A text that is JSON, with what one pass over it has found.

use std::borrow::Cow;
use std::ops::Range;

use super::long_strings::LongStrings;
use super::scan::{Invalid, scan};
use super::text::plain;
use super::walk::Walk;

/// One JSON value.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    text: &'a str,
    long: LongStrings,
}

/// Checks that `text` is one JSON value.
pub(crate) fn read(text: &[u8]) -> Result<Json<'_>, Invalid> {
    let long = scan(text)?;
    // SAFETY: the scan accepts UTF-8 only: its strings were checked, and there is nothing but ASCII outside strings.
    let text = unsafe { std::str::from_utf8_unchecked(text) };
    Ok(Json { text, long })
}

impl<'a> Json<'a> {
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// A walk that is at the whole value.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk::with(self.text, &self.long, 0)
    }

    /// A walk that is at the value that stands at `place`.
    pub(crate) fn walk_at(&self, place: &Range<usize>) -> Walk<'_> {
        Walk::with(self.text, &self.long, place.start)
    }

    /// The value at `place`.
    pub(crate) fn value(&self, place: &Range<usize>) -> &'a str {
        self.text.get(place.clone()).unwrap_or_default()
    }

    /// The string at `place`, unescaped, for strings that are not secret. `None` if the value is not a string.
    pub(crate) fn plain(&self, place: &Range<usize>) -> Option<Cow<'a, str>> {
        match self.long.at(place.start) {
            Some(string) if !string.escapes => Some(Cow::Borrowed(self.text.get(place.start + 1..place.end - 1)?)),
            _ => plain(self.value(place)),
        }
    }

    pub(crate) fn into_long_strings(self) -> LongStrings {
        self.long
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_string_is_plain_if_it_has_no_escape_and_unescaped_otherwise() {
        let long = "x".repeat(10_000);
        for (inner, expected) in [(long.clone(), long.clone()), (format!("{long}\\n"), format!("{long}\n"))] {
            let text = format!("[\"{inner}\",1]");
            let json = read(text.as_bytes()).expect("JSON");
            assert_eq!(json.plain(&(1..inner.len() + 3)).as_deref(), Some(expected.as_str()));
            assert_eq!(json.plain(&(inner.len() + 4..inner.len() + 5)), None);
        }
    }
}
