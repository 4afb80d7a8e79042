//! One walk over one JSON text: values come as spans of the text, and no byte is read twice.

use std::ops::Range;

use memchr::memchr2;

use super::long_strings::{LONG, LongStrings};

static NONE_KNOWN: LongStrings = LongStrings::new(Vec::new());

/// The members of the object that `json` is, in order, duplicates included: the name with its quotes, and the value.
/// No members if `json` is another value.
pub(crate) fn members(json: &str) -> impl Iterator<Item = (&str, &str)> {
    Walk::over(json).members()
}

/// A place in a text that [`read`](super::read) has accepted. Any other text gives wrong spans, and neither a panic nor an endless
/// walk.
///
/// After [`name`](Walk::name) or [`element`](Walk::element) the walk is at a value. The caller takes the value, or
/// enters it and walks to its end, or does neither: then the walk steps over the value by itself.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    json: &'a str,
    long: &'a LongStrings,
    at: usize,
    /// Whether the value at `at` has been neither taken nor entered.
    at_value: bool,
}

impl<'a> Walk<'a> {
    /// A walk that is at the whole value.
    pub(crate) fn over(json: &'a str) -> Walk<'a> {
        Walk::with(json, &NONE_KNOWN, 0)
    }

    /// A walk that is at the value that begins at `at`; `long` are the long strings of `json`.
    pub(crate) fn with(json: &'a str, long: &'a LongStrings, at: usize) -> Walk<'a> {
        let mut walk = Walk { json, long, at, at_value: true };
        walk.skip_white_space();
        walk
    }

    /// The members of the object that the value is, as [`members`].
    pub(crate) fn members(mut self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let object = self.enter_object();
        std::iter::from_fn(move || if object { Some((self.name()?, self.value())) } else { None })
    }

    /// Takes the value, as it stands in the text.
    pub(crate) fn value(&mut self) -> &'a str {
        let span = self.span();
        self.json.get(span).unwrap_or_default()
    }

    /// Takes the value, as its place in the text.
    pub(crate) fn span(&mut self) -> Range<usize> {
        let start = self.at;
        self.at = (start + self.value_len(start)).min(self.json.len());
        self.at_value = false;
        start..self.at
    }

    /// Whether the value is a string.
    pub(crate) fn is_string(&self) -> bool {
        self.peek() == Some(b'"')
    }

    /// Whether the value is null.
    pub(crate) fn is_null(&self) -> bool {
        self.peek() == Some(b'n')
    }

    /// Enters the value if it is an object: [`name`](Walk::name) gives its members.
    pub(crate) fn enter_object(&mut self) -> bool {
        self.enter(b'{')
    }

    /// Enters the value if it is an array: [`element`](Walk::element) gives its elements.
    pub(crate) fn enter_array(&mut self) -> bool {
        self.enter(b'[')
    }

    /// The next member's name, with its quotes; the walk is at its value then. `None` at the end of the object; the
    /// walk is behind the object then.
    pub(crate) fn name(&mut self) -> Option<&'a str> {
        if self.next_or_end() != Some(b'"') {
            return None;
        }
        let name = self.value();
        self.skip_white_space();
        self.at += usize::from(self.peek() == Some(b':'));
        self.skip_white_space();
        self.at_value = true;
        Some(name)
    }

    /// Whether there is another element; the walk is at it then. Otherwise the walk is behind the array.
    pub(crate) fn element(&mut self) -> bool {
        self.at_value = self.next_or_end().is_some();
        self.at_value
    }

    fn enter(&mut self, bracket: u8) -> bool {
        let enters = self.at_value && self.peek() == Some(bracket);
        if enters {
            self.at += 1;
            self.at_value = false;
        }
        enters
    }

    /// The first byte of the next name or element. `None` if a bracket closes here instead; it is stepped over.
    fn next_or_end(&mut self) -> Option<u8> {
        if self.at_value {
            self.span();
        }
        self.skip_white_space();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.skip_white_space();
        }
        match self.peek()? {
            b'}' | b']' | b',' | b':' => {
                self.at += 1;
                None
            }
            byte => Some(byte),
        }
    }

    /// Bytes of the value that begins at `start`; everything, if the value has no end.
    fn value_len(&self, start: usize) -> usize {
        let rest = self.rest(start);
        match rest.first() {
            Some(b'"') => self.whole_string_len(start),
            Some(b'{' | b'[') => self.container_len(start),
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b':' | b']' | b'}') || is_white_space(*byte);
                rest.iter().position(ends).unwrap_or(rest.len())
            }
        }
    }

    fn container_len(&self, start: usize) -> usize {
        let rest = self.rest(start);
        let (mut depth, mut at) = (0_usize, 0);
        while let Some(&byte) = rest.get(at) {
            match byte {
                b'"' => {
                    at += self.whole_string_len(start + at);
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return at + 1;
                    }
                }
                _ => {}
            }
            at += 1;
        }
        rest.len()
    }

    /// Bytes of the string that begins at `start`, with its quotes; everything, if it has no end.
    fn whole_string_len(&self, start: usize) -> usize {
        let rest = self.rest(start + 1);
        let found = string_len(&rest[..LONG.min(rest.len())])
            .or_else(|| self.long.at(start).map(|string| string.len - 1))
            .or_else(|| string_len(rest));
        1 + found.unwrap_or(rest.len())
    }

    fn rest(&self, start: usize) -> &'a [u8] {
        self.json.as_bytes().get(start..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn skip_white_space(&mut self) {
        while self.peek().is_some_and(is_white_space) {
            self.at += 1;
        }
    }
}

fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Bytes of a string whose opening quote has been read, closing quote included. `None` if it does not end in `rest`.
fn string_len(rest: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', rest.get(at..)?) {
        if rest[at + found] == b'"' {
            return Some(at + found + 1);
        }
        at += found + 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_with_duplicates_and_exact_spans() {
        let json = r#" {"a" : 1 , "b":{"x":[ ]}, "a":"\u0061" , "":-1.5e3} "#;
        let found: Vec<_> = members(json).collect();
        assert_eq!(found, [("\"a\"", "1"), ("\"b\"", r#"{"x":[ ]}"#), ("\"a\"", r#""\u0061""#), ("\"\"", "-1.5e3")]);
    }

    #[test]
    fn another_value_has_no_members() {
        for json in ["[]", "[\"a\",1]", "1", "null", "\"x\"", "{}", " { } "] {
            assert_eq!(members(json).count(), 0, "{json}");
        }
    }

    #[test]
    fn a_value_that_is_neither_taken_nor_entered_is_stepped_over() {
        let json = r#"{"a":[1,{"b":"]"}], "c":[2, [], "x" ,null],"d":{"e":3}, "f":4}"#;
        let mut walk = Walk::over(json);
        assert!(walk.enter_object());
        assert_eq!(walk.name(), Some("\"a\""));
        assert_eq!(walk.name(), Some("\"c\""));
        assert!(!walk.enter_object() && walk.enter_array());
        let mut elements = 0;
        while walk.element() {
            elements += 1;
        }
        assert_eq!(elements, 4);
        assert_eq!(walk.name(), Some("\"d\""));
        assert!(walk.enter_object());
        assert_eq!(walk.name(), Some("\"e\""));
        assert_eq!(&json[walk.span()], "3");
        assert_eq!(walk.name(), None);
        assert_eq!(walk.name(), Some("\"f\""));
        assert!(!walk.is_string());
        assert_eq!(walk.value(), "4");
        assert_eq!((walk.name(), walk.at), (None, json.len()));
    }

    #[test]
    fn a_walk_finds_the_same_with_the_long_strings_and_without() {
        let long = "x\\\"\\\\é".repeat(LONG);
        for filler in [LONG - 3, LONG - 2, LONG - 1, LONG, 3 * LONG] {
            let text = format!(r#"{{"{long}":["{}",{{"a":"{long}"}}],"b":"{long}"}}"#, "y".repeat(filler));
            let json = crate::json::read(text.as_bytes()).expect("JSON");
            let (mut one, mut other) = (json.walk(), Walk::over(&text));
            assert!(one.enter_object() && other.enter_object());
            while let Some(name) = one.name() {
                assert_eq!(other.name(), Some(name));
                assert_eq!(one.span(), other.span());
            }
            assert_eq!((other.name(), one.at), (None, text.len()));
        }
    }

    #[test]
    fn a_walk_goes_through_every_value_and_ends_on_any_text() {
        fn through(walk: &mut Walk<'_>, steps: &mut usize) {
            *steps += 1;
            if walk.enter_object() {
                while walk.name().is_some() {
                    through(walk, steps);
                }
            } else if walk.enter_array() {
                while walk.element() {
                    through(walk, steps);
                }
            } else {
                walk.value();
            }
        }
        let json = r#" {"a":[1,{"b":"]\\\""},[ ],"é"], "c":{"d":{}},"e" : "" , "f":-2.5e-7} "#;
        crate::json::read(json.as_bytes()).expect("JSON");
        let mut walk = Walk::over(json);
        let mut steps = 0;
        through(&mut walk, &mut steps);
        assert_eq!((steps, json[walk.at..].trim()), (11, ""));
        // Every text with one byte changed, and every text that is cut off.
        for at in (0..json.len()).filter(|at| json.is_char_boundary(*at)) {
            for other in ["", "{", "}", "[", "]", ":", ",", "\"", "\\", " ", "7"] {
                let next = (at + 1..=json.len()).find(|next| json.is_char_boundary(*next)).expect("the end");
                for text in [format!("{}{other}{}", &json[..at], &json[next..]), json[..at].to_owned()] {
                    let mut steps = 0;
                    through(&mut Walk::over(&text), &mut steps);
                    assert!(steps <= text.len() + 1, "{text}");
                }
            }
        }
    }
}
