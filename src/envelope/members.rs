//! The members of a JSON object (RFC 8259) as spans of the text they stand in: nothing is copied, nothing decoded.

use std::fmt;
use std::ops::Range;

use memchr::memchr2;
use serde::Deserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::text;

/// The deepest nesting that is accepted, in requests and in answers; the outermost object counts as one.
pub(crate) const MAX_DEPTH: usize = 128;

/// The most members that an object may have at the levels that are walked: more would cost more memory than they are
/// long.
const MAX_MEMBERS: usize = 100_000;

/// One member: `key` with its quotes, `value` as it stands in the text.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
}

impl Member<'_> {
    /// Whether the key, unescaped, is `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        text::equals(self.key, name)
    }

    /// Where the value stands in `json`, the text that the member was read from.
    pub(crate) fn value_range(&self, json: &str) -> Range<usize> {
        let start = self.value.as_ptr() as usize - json.as_ptr() as usize;
        start..start + self.value.len()
    }
}

/// The members of the object that `json` is, in order, duplicates included; an error when there are too many.
pub(crate) fn members(json: &str) -> Result<Vec<Member<'_>>, serde_json::Error> {
    struct Members;

    impl<'de> Visitor<'de> for Members {
        type Value = Vec<Member<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                if members.len() == MAX_MEMBERS {
                    return Err(A::Error::custom("too many members"));
                }
                members.push(Member { key: key.get(), value: value.get() });
            }
            Ok(members)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(json);
    let members = reader.deserialize_map(Members)?;
    reader.end()?;
    Ok(members)
}

/// How many elements the array that `json` is has, or `None` if it is not an array.
pub(crate) fn count(json: &str) -> Option<usize> {
    walk(json, usize::MAX).map(|(count, _)| count)
}

/// The element of the array that `json` is at `index`, if it is one and has it.
pub(crate) fn element(json: &str, index: usize) -> Option<&str> {
    walk(json, index)?.1
}

/// Counts an array's elements, and picks one out.
fn walk(json: &str, wanted: usize) -> Option<(usize, Option<&str>)> {
    struct Elements(usize);

    impl<'de> Visitor<'de> for Elements {
        type Value = (usize, Option<&'de str>);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a JSON array")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
            let (mut count, mut found) = (0, None);
            while let Some(value) = array.next_element::<&RawValue>()? {
                if count == self.0 {
                    found = Some(value.get());
                }
                count += 1;
            }
            Ok((count, found))
        }
    }

    serde_json::Deserializer::from_str(json).deserialize_seq(Elements(wanted)).ok()
}

/// The value of the last member called `name`: the one that readers of JSON take.
pub(crate) fn last<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    members.iter().rev().find(|member| member.is(name)).map(|member| member.value)
}

/// Whether objects and arrays in `json` nest at most [`MAX_DEPTH`] deep. Says nothing of its validity.
pub(crate) fn nests_within_limit(json: &[u8]) -> bool {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(&byte) = json.get(at) {
        at += 1;
        match byte {
            b'"' => at += string_len(&json[at..]),
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// Bytes of a string whose opening quote has been read, closing quote included; everything, if it has none.
fn string_len(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) {
        if rest[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_order_with_duplicates_and_exact_spans() {
        let json = r#" {"a" : 1 , "b":{"x":[ ]}, "a":"\u0061"} "#;
        let found = members(json).expect("an object");
        let pairs: Vec<_> = found.iter().map(|m| (m.key, m.value)).collect();
        assert_eq!(pairs, [("\"a\"", "1"), ("\"b\"", r#"{"x":[ ]}"#), ("\"a\"", r#""\u0061""#)]);
        assert_eq!(&json[found[1].value_range(json)], r#"{"x":[ ]}"#);
        assert_eq!(last(&found, "a"), Some(r#""\u0061""#));
    }

    #[test]
    fn an_escaped_key_is_still_the_key() {
        let json = r#"{"api\u005fkey":1}"#;
        assert!(members(json).expect("an object")[0].is("api_key"));
    }

    #[test]
    fn what_is_not_one_object_is_refused() {
        for json in ["", "[]", "1", "null", "\"x\"", "{", "{}x", "{} {}", "{\"a\":}", "{\"a\":NaN}", "\u{feff}{}"] {
            assert!(members(json).is_err(), "{json}");
        }
    }

    #[test]
    fn nesting_is_counted_outside_strings_only() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(nests_within_limit(nested(MAX_DEPTH).as_bytes()));
        assert!(!nests_within_limit(nested(MAX_DEPTH + 1).as_bytes()));
        assert!(nests_within_limit(format!("[\"\\\"{}\"]", "[".repeat(500)).as_bytes()));
        for unfinished in ["\"", "\"\\", "\"\\\"", "[\"[[["] {
            assert!(nests_within_limit(unfinished.as_bytes()));
        }
        assert!(!nests_within_limit(format!("\"\\\\\"{}", "[".repeat(MAX_DEPTH + 1)).as_bytes()));
    }
}
