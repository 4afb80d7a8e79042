//! The members of an object that have a known name, each at most once.

use std::ops::Range;

use super::text::equals;
use super::walk::Walk;

/// Why a text has no members to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is another value.
    NotAnObject,
    /// A known name is there twice.
    Twice,
}

/// The values of the members of `json` that are called `names`, in the order of `names`. Members with other names are not looked
/// at.
#[cfg(any(test, feature = "attestation"))]
pub(crate) fn named<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Result<[Option<&'a str>; N], Unfit> {
    Ok(places(Walk::over(json), names)?.map(|place| json.get(place?)))
}

/// As [`named`], for the object that `walk` is at: the places of the values.
pub(crate) fn places<const N: usize>(mut walk: Walk<'_>, names: [&str; N]) -> Result<[Option<Range<usize>>; N], Unfit> {
    if !walk.enter_object() {
        return Err(Unfit::NotAnObject);
    }
    let mut values = [const { None }; N];
    while let Some(name) = walk.name() {
        if let Some(place) = names.iter().position(|known| equals(name, known))
            && values[place].replace(walk.span()).is_some()
        {
            return Err(Unfit::Twice);
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_in_the_order_of_the_names() {
        let json = r#" {"b":[1], "x":{"a":0}, "\u0061":"2","x":3} "#;
        assert_eq!(named(json, ["a", "b", "c"]), Ok([Some("\"2\""), Some("[1]"), None]));
    }

    #[test]
    fn a_known_name_is_there_once_however_it_is_written() {
        assert_eq!(named(r#"{"a":null,"\u0061":null}"#, ["a"]), Err(Unfit::Twice));
        assert_eq!(named("[\"a\",1]", ["a"]), Err(Unfit::NotAnObject));
    }

    #[test]
    fn a_name_with_a_lone_surrogate_is_unknown() {
        let json = r#"{"\ud800":1,"\udc00":2,"a\udfff":3,"a":4}"#;
        assert_eq!(named(json, ["a", "\u{fffd}", "a\u{fffd}"]), Ok([Some("4"), None, None]));
    }
}
