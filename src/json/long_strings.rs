//! The places of a text's long strings, so that nothing walks through them again.

/// Bytes from which on a string is noted, quotes included. A walk reads shorter strings faster than it finds them.
pub(super) const LONG: usize = 4096;

/// A string, with its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LongString {
    pub(super) start: usize,
    pub(super) len: usize,
    /// Whether there is a backslash in it.
    pub(super) escapes: bool,
}

/// The long strings of one text, in order. At most one for each 4096 bytes of the text.
#[derive(Debug, Default)]
pub(crate) struct LongStrings(Vec<LongString>);

impl LongStrings {
    pub(super) const fn new(strings: Vec<LongString>) -> LongStrings {
        LongStrings(strings)
    }

    /// The string that begins at `start`.
    pub(super) fn at(&self, start: usize) -> Option<LongString> {
        self.0.binary_search_by_key(&start, |string| string.start).ok().and_then(|found| self.0.get(found)).copied()
    }

    /// Whether a string that begins at `start` is noted.
    #[cfg(test)]
    pub(crate) fn is_noted(&self, start: usize) -> bool {
        self.at(start).is_some()
    }

    /// Follows the text after `start..end` of it was replaced by `len` bytes. Strings in these bytes are noted no longer.
    pub(crate) fn spliced(&mut self, start: usize, end: usize, len: usize) {
        self.0.retain(|string| string.start + string.len <= start || string.start >= end);
        for string in self.0.iter_mut().filter(|string| string.start >= end) {
            string.start = string.start - (end - start) + len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn a_splice_moves_the_strings_behind_it_and_forgets_the_ones_within() {
        let long = "x".repeat(LONG);
        let (a, b, c) = (format!("\"{long}\""), format!("[\"{long}\"]"), format!("\"{long}\\n\""));
        let text = format!("[{a},{b},{c}]");
        let mut strings = json::read(text.as_bytes()).expect("JSON").into_long_strings();
        let (start, end) = (a.len() + 2, a.len() + 2 + b.len());
        strings.spliced(start, end, 4);
        assert_eq!(strings.at(1), Some(LongString { start: 1, len: a.len(), escapes: false }));
        assert_eq!(strings.at(start + 1), None);
        assert_eq!(strings.at(start + 5), Some(LongString { start: start + 5, len: c.len(), escapes: true }));
    }
}
