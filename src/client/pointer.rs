//! JSON Pointer (RFC 6901) over a text: finds a value, copies nothing.

use std::borrow::Cow;

use crate::envelope::members::{element, last, members};

/// The value in `json` that `pointer` points to, as it stands there; `None` if there is none, or if `pointer` is not
/// a JSON pointer.
pub(super) fn find<'a>(json: &'a str, pointer: &str) -> Option<&'a str> {
    let mut value = json;
    let mut tokens = pointer.split('/');
    if !tokens.next()?.is_empty() {
        return None;
    }
    for token in tokens {
        value = step(value, &unescaped(token)?)?;
    }
    Some(value)
}

fn step<'a>(value: &'a str, token: &str) -> Option<&'a str> {
    if value.trim_start().starts_with('{') {
        return last(&members(value).ok()?, token);
    }
    let canonical = token == "0" || !token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit());
    let index = token.parse::<usize>().ok().filter(|_| canonical)?;
    element(value, index)
}

/// `~1` is a slash, `~0` a tilde, any other tilde an error.
fn unescaped(token: &str) -> Option<Cow<'_, str>> {
    if !token.contains('~') {
        return Some(Cow::Borrowed(token));
    }
    let tildes = token.matches('~').count();
    let known = token.matches("~0").count() + token.matches("~1").count();
    (tildes == known).then(|| Cow::Owned(token.replace("~1", "/").replace("~0", "~")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard() {
        let json = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
        let cases = [
            ("", Some(json)),
            ("/foo", Some(r#"["bar","baz"]"#)),
            ("/foo/0", Some("\"bar\"")),
            ("/", Some("0")),
            ("/a~1b", Some("1")),
            ("/c%d", Some("2")),
            ("/e^f", Some("3")),
            ("/g|h", Some("4")),
            ("/i\\j", Some("5")),
            ("/k\"l", Some("6")),
            ("/ ", Some("7")),
            ("/m~0n", Some("8")),
            ("foo", None),
            ("/foo/2", None),
            ("/foo/00", None),
            ("/foo/+1", None),
            ("/foo/-", None),
            ("/foo/0/x", None),
            ("/m~n", None),
            ("/m~2n", None),
            ("/nothing", None),
        ];
        for (pointer, expected) in cases {
            assert_eq!(find(json, pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn white_space_inside_and_around_values_is_no_obstacle() {
        assert_eq!(find(" { \"a\" : [ 1 , { \"b\" : 2 } ] } ", "/a/1/b"), Some("2"));
    }
}
