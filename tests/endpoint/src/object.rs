//! A JSON object as the text that it came as: members keep their order and numbers their spelling.
//!
//! A tree of values would write `1E+2` as `100.0` and lose a number of 30 digits. A model's answer
//! and a client's request pass through here, and neither is the gateway's to rewrite.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in order, duplicates included. Names have their quotes and escapes.
pub(crate) struct Object<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Object<'a> {
    /// Reads a text that is one JSON object in UTF-8, with white space around it at most.
    pub fn read(text: &'a [u8]) -> Option<Object<'a>> {
        serde_json::from_slice(text).ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of all members of this name, as they stand in the text.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(own, _)| is_called(own, name)).map(|(_, value)| *value)
    }

    /// Removes the members of this name. The last of their values counts, as in every JSON parser
    /// that keeps one.
    pub fn take(&mut self, name: &str) -> Option<&'a str> {
        let value = self.values(name).last();
        self.0.retain(|(own, _)| !is_called(own, name));
        value
    }

    /// The object without the white space between its members, with `last` (name without quotes,
    /// value) at its end.
    pub fn to_text(&self, last: Option<(&str, &str)>) -> String {
        let last = last.map(|(name, value)| format!("\"{name}\":{value}"));
        let members = self.0.iter().map(|(name, value)| format!("{name}:{value}")).chain(last);
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }
}

/// A name with a lone surrogate is called nothing.
fn is_called(own: &str, name: &str) -> bool {
    serde_json::from_str::<String>(own).is_ok_and(|own| own == name)
}

impl<'a> Deserialize<'a> for Object<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Object<'a>, D::Error> {
        struct Members;

        impl<'a> Visitor<'a> for Members {
            type Value = Object<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<Object<'a>, M::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((name.get(), value.get()));
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_spelling_and_duplicates_are_kept() {
        let text = r#"{"z":1E+2,"a":[1.0, 12345678901234567890123456789],"\u0061":"\ud83d","n":1e400,"z":-0}"#;
        let object = Object::read(text.as_bytes()).expect("an object");
        assert_eq!(object.to_text(None), text);
        assert_eq!(object.values("a").collect::<Vec<_>>(), ["[1.0, 12345678901234567890123456789]", r#""\ud83d""#]);
    }

    #[test]
    fn a_member_is_taken_however_it_is_written_and_another_is_added() {
        let mut object = Object::read(br#" {"b": 1, "\u0061": 2, "c": 3, "a": 4} "#).expect("an object");
        assert_eq!(object.take("a"), Some("4"));
        assert_eq!(object.take("a"), None);
        assert_eq!(object.to_text(Some(("d", "[]"))), r#"{"b":1,"c":3,"d":[]}"#);
        assert_eq!(Object::read(b"{}").expect("an object").to_text(Some(("d", "1"))), r#"{"d":1}"#);
    }

    #[test]
    fn any_other_text_is_no_object() {
        let texts: [&[u8]; 9] = [
            b"",
            b"[1]",
            b"null",
            b"<html>",
            b"{\"a\":1",
            b"{\"a\":NaN}",
            b"{\"a\":\"\xff\"}",
            b"{} {}",
            b"\xef\xbb\xbf{}",
        ];
        for text in texts {
            assert!(Object::read(text).is_none(), "{}", String::from_utf8_lossy(text));
        }
    }
}
