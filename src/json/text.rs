//! JSON strings (RFC 8259, section 7): unescaped, or compared without being unescaped anywhere.

use std::borrow::Cow;

use memchr::memchr;

use crate::error::Result;
use crate::memory::SecretBuf;

/// Unescapes `raw`, a valid JSON string with its quotes, to UTF-8 in the vault. A lone surrogate, which UTF-8 cannot
/// carry, becomes U+FFFD. `spare` bytes of room are left behind the text.
pub(crate) fn unescape(raw: &str, spare: usize) -> Result<SecretBuf> {
    let mut out = SecretBuf::with_capacity(raw.len() + spare)?;
    for_each_piece(raw, |piece| out.push(piece.as_bytes()));
    Ok(out)
}

/// As [`unescape`], for strings that are not secret. `None` if `raw` is not a string.
pub(crate) fn plain(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    for_each_piece(raw, |piece| out.push_str(piece));
    Some(Cow::Owned(out))
}

/// Whether `raw`, a valid JSON string with its quotes, is `plain` when unescaped. A string with a lone surrogate equals
/// no `plain`.
pub(crate) fn equals(raw: &str, plain: &str) -> bool {
    code_points(raw).eq(plain.chars().map(u32::from))
}

/// Whether two valid JSON strings with their quotes are the same when unescaped. A lone surrogate is the same as that
/// surrogate alone.
#[cfg(feature = "attestation")]
pub(crate) fn same(a: &str, b: &str) -> bool {
    code_points(a).eq(code_points(b))
}

/// The code points of `raw`, lone surrogates among them.
fn code_points(raw: &str) -> impl Iterator<Item = u32> + '_ {
    let mut rest = between_quotes(raw);
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (code, len) = if first == '\\' { escaped(rest) } else { (first.into(), first.len_utf8()) };
        rest = &rest[len..];
        Some(code)
    })
}

/// Hands the unescaped text to `take`, piece by piece.
fn for_each_piece(raw: &str, mut take: impl FnMut(&str)) {
    let mut rest = between_quotes(raw);
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        let (plain, escape) = rest.split_at(at);
        let (code, len) = escaped(escape);
        take(plain);
        take(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(&mut [0; 4]));
        rest = &escape[len..];
    }
    take(rest);
}

/// Hands `text` as a JSON string with its quotes to `take`, piece by piece. Only characters that must be escaped are.
#[cfg(feature = "capi")]
pub(crate) fn escape(text: &str, mut take: impl FnMut(&[u8])) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let must_be_escaped = |byte: &u8| matches!(byte, 0..0x20 | b'"' | b'\\');
    let mut rest = text.as_bytes();
    take(b"\"");
    while let Some(at) = rest.iter().position(must_be_escaped) {
        take(&rest[..at]);
        match rest[at] {
            b'\n' => take(b"\\n"),
            b'\t' => take(b"\\t"),
            b'\r' => take(b"\\r"),
            0x8 => take(b"\\b"),
            0xc => take(b"\\f"),
            byte @ 0..0x20 => take(&[b'\\', b'u', b'0', b'0', b'0' + (byte >> 4), HEX[usize::from(byte & 15)]]),
            byte => take(&[b'\\', byte]),
        }
        rest = &rest[at + 1..];
    }
    take(rest);
    take(b"\"");
}

fn between_quotes(raw: &str) -> &str {
    raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or_default()
}

/// The code point that the escape at the start of `escape` stands for, and the length of the escape in bytes.
fn escaped(escape: &str) -> (u32, usize) {
    match escape.chars().nth(1) {
        Some('n') => (0xa, 2),
        Some('t') => (0x9, 2),
        Some('r') => (0xd, 2),
        Some('b') => (0x8, 2),
        Some('f') => (0xc, 2),
        Some('u') => match (code_unit(escape), code_unit(escape.get(6..).unwrap_or_default())) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12)
            }
            (Some(unit), _) => (unit, 6),
            (None, _) => (char::REPLACEMENT_CHARACTER.into(), escape.len()),
        },
        Some(other) => (other.into(), 1 + other.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER.into(), escape.len()),
    }
}

/// The UTF-16 code unit of a `\uXXXX` escape at the start of `escape`.
fn code_unit(escape: &str) -> Option<u32> {
    u32::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unescaped(raw: &str) -> String {
        let text = String::from_utf8(unescape(raw, 0).expect("memory").to_vec()).expect("UTF-8");
        assert_eq!(plain(raw).as_deref(), Some(text.as_str()));
        text
    }

    #[test]
    fn every_escape_of_the_standard_is_read() {
        assert_eq!(unescaped(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z""#), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        assert_eq!(unescaped("\"Grüße 😀\""), "Grüße 😀");
        assert_eq!(unescaped("\"\""), "");
        assert_eq!(unescaped(r#""\u0000""#), "\0");
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        assert_eq!(unescaped(r#""\ud83dx""#), "\u{fffd}x");
        assert_eq!(unescaped(r#""\ude00""#), "\u{fffd}");
        assert_eq!(unescaped(r#""\ud83d\u0041""#), "\u{fffd}A");
        assert_eq!(unescaped(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
    }

    #[test]
    fn it_agrees_with_serde_json() {
        for text in ["", "plain", "tab\tquote\"back\\slash", "ünïcödé 😀\u{1}\u{7f}"] {
            let raw = serde_json::to_string(text).expect("a string");
            assert_eq!(unescaped(&raw), text);
            assert!(equals(&raw, text));
            assert!(!equals(&raw, "something else"));
        }
    }

    #[cfg(feature = "capi")]
    #[test]
    fn every_character_survives_escaping() {
        let every: String = ('\0'..='\u{ff}').chain(['\u{2028}', '\u{fffd}', '😀']).collect();
        for text in ["", "plain", &every] {
            let mut raw = Vec::new();
            escape(text, |piece| raw.extend_from_slice(piece));
            let raw = String::from_utf8(raw).expect("UTF-8");
            assert_eq!(raw, serde_json::to_string(text).expect("a string"));
            assert_eq!(unescaped(&raw), text);
        }
    }

    #[test]
    fn equality_needs_the_whole_text() {
        assert!(equals(r#""strea\u006d""#, "stream"));
        assert!(!equals(r#""stream""#, "streams"));
        assert!(!equals(r#""streams""#, "stream"));
    }

    #[test]
    fn a_string_with_a_lone_surrogate_equals_nothing_but_itself() {
        for (raw, unescaped_to) in [(r#""\ud800""#, "\u{fffd}"), (r#""a\udc00b""#, "a\u{fffd}b")] {
            assert_eq!(unescaped(raw), unescaped_to);
            assert!(!equals(raw, unescaped_to), "{raw}");
        }
        assert!(equals(r#""\ufffd""#, "\u{fffd}"));
        assert!(equals(r#""\ud83d\ude00""#, "😀"));
    }

    #[cfg(feature = "attestation")]
    #[test]
    fn two_strings_are_the_same_if_their_code_points_are() {
        assert!(same(r#""\ud800""#, r#""\uD800""#));
        assert!(same(r#""\ud83d\ude00\/""#, "\"😀/\""));
        assert!(!same(r#""\ud800""#, r#""\ud801""#));
        assert!(!same(r#""\ud800""#, r#""\ufffd""#));
        assert!(!same("\"a\"", "\"ab\""));
    }

    #[test]
    fn what_is_not_a_string_is_not_unescaped() {
        for raw in ["null", "7", "[\"a\"]", "\"", ""] {
            assert_eq!(plain(raw), None, "{raw}");
        }
    }
}
