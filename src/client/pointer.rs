//! JSON Pointer (RFC 6901) over a text that has been checked: one walk finds a value, and copies nothing.

use std::borrow::Cow;
use std::str::Split;

use crate::json::{self, Walk};

/// The value that `pointer` points to in the value that `walk` is at, as it stands there. `None` if there is none, or if `pointer`
/// is not a JSON pointer. Of members with the same name, the last one counts.
pub(super) fn find<'a>(mut walk: Walk<'a>, pointer: &str) -> Option<&'a str> {
    let Some(tokens) = pointer.strip_prefix('/') else {
        return pointer.is_empty().then(|| walk.value());
    };
    follow(&mut walk, tokens.split('/'))
}

fn follow<'a>(walk: &mut Walk<'a>, mut tokens: Split<'_, char>) -> Option<&'a str> {
    let Some(token) = tokens.next() else { return Some(walk.value()) };
    let token = unescaped(token)?;
    let mut found = None;
    if walk.enter_object() {
        while let Some(name) = walk.name() {
            if json::equals(name, &token) {
                found = follow(walk, tokens.clone());
            }
        }
    } else if walk.enter_array() {
        let wanted = index(&token);
        for at in 0_usize.. {
            if !walk.element() {
                break;
            }
            if wanted == Some(at) {
                found = follow(walk, tokens.clone());
            }
        }
    }
    found
}

/// An index has one spelling: no sign, no leading zero.
fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0') && token.bytes().all(|b| b.is_ascii_digit());
    token.parse().ok().filter(|_| canonical)
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

    fn find<'a>(json: &'a str, pointer: &str) -> Option<&'a str> {
        super::find(Walk::over(json), pointer)
    }

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

    #[test]
    fn of_members_with_the_same_name_the_last_one_counts() {
        let json = r#"{"a":{"b":1,"\u0062":2},"c":[{"d":3,"d":[4]}],"a":{"b":5},"e":{"f":6},"e":null}"#;
        assert_eq!(find(json, "/a/b"), Some("5"));
        assert_eq!(find(json, "/c/0/d/0"), Some("4"));
        assert_eq!(find(json, "/e/f"), None);
    }

    #[test]
    fn a_value_beside_any_number_of_members_is_found() {
        let many = "\"x\":0,".repeat(150_000);
        assert_eq!(find(&format!("{{{many}\"a\":{{{many}\"b\":1}}}}"), "/a/b"), Some("1"));
    }

    #[test]
    fn a_name_with_a_lone_surrogate_is_not_the_replacement_character() {
        let json = r#"{"\ufffd":1,"\ud800":2,"\udfff":3}"#;
        assert_eq!(find(json, "/\u{fffd}"), Some("1"));
        assert_eq!(find(r#"{"\ud800":2}"#, "/\u{fffd}"), None);
    }
}
