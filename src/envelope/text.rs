//! JSON strings (RFC 8259, section 7): unescaped into the vault, or compared without being unescaped anywhere.

use crate::error::Result;
use crate::memory::SecretBuf;

/// Unescapes `raw`, a valid JSON string with its quotes, to UTF-8. A lone surrogate, which UTF-8 cannot carry,
/// becomes U+FFFD. `spare` bytes of room are left behind the text.
pub(crate) fn unescape(raw: &str, spare: usize) -> Result<SecretBuf> {
    let mut out = SecretBuf::with_capacity(raw.len() + spare)?;
    for_each_piece(raw, |piece| {
        out.push(piece);
        true
    });
    Ok(out)
}

/// Whether `raw`, a valid JSON string with its quotes, is `plain` when unescaped.
pub(crate) fn equals(raw: &str, plain: &str) -> bool {
    let mut rest = plain.as_bytes();
    let all = for_each_piece(raw, |piece| match rest.strip_prefix(piece) {
        Some(tail) => {
            rest = tail;
            true
        }
        None => false,
    });
    all && rest.is_empty()
}

/// Hands the unescaped text to `take`, piece by piece, until it answers false. Returns whether it took everything.
fn for_each_piece(raw: &str, mut take: impl FnMut(&[u8]) -> bool) -> bool {
    let mut rest = raw.strip_prefix('"').and_then(|r| r.strip_suffix('"')).unwrap_or_default();
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        let (character, len) = escaped_character(escape);
        let mut utf8 = [0; 4];
        if !take(plain.as_bytes()) || !take(character.encode_utf8(&mut utf8).as_bytes()) {
            return false;
        }
        rest = &escape[len..];
    }
    take(rest.as_bytes())
}

/// The character that the escape at the start of `escape` stands for, and the length of the escape in bytes.
fn escaped_character(escape: &str) -> (char, usize) {
    let simple = |c| (c, 2);
    match escape.as_bytes().get(1) {
        Some(b'n') => simple('\n'),
        Some(b't') => simple('\t'),
        Some(b'r') => simple('\r'),
        Some(b'b') => simple('\u{8}'),
        Some(b'f') => simple('\u{c}'),
        Some(b'u') => match (code_unit(escape), code_unit(escape.get(6..).unwrap_or_default())) {
            (Some(high @ 0xd800..=0xdbff), Some(low @ 0xdc00..=0xdfff)) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12)
            }
            (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
            (None, _) => (char::REPLACEMENT_CHARACTER, escape.len()),
        },
        Some(&other) => simple(char::from(other)),
        None => (char::REPLACEMENT_CHARACTER, escape.len()),
    }
}

/// The UTF-16 code unit of a `\uXXXX` escape at the start of `escape`.
fn code_unit(escape: &str) -> Option<u32> {
    u32::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(raw: &str) -> String {
        String::from_utf8(unescape(raw, 0).expect("memory").to_vec()).expect("UTF-8")
    }

    #[test]
    fn every_escape_of_the_standard_is_read() {
        assert_eq!(plain(r#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00z""#), "a\"\\/\u{8}\u{c}\n\r\té😀z");
        assert_eq!(plain("\"Grüße 😀\""), "Grüße 😀");
        assert_eq!(plain("\"\""), "");
        assert_eq!(plain(r#""\u0000""#), "\0");
    }

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        assert_eq!(plain(r#""\ud83dx""#), "\u{fffd}x");
        assert_eq!(plain(r#""\ude00""#), "\u{fffd}");
        assert_eq!(plain(r#""\ud83d\u0041""#), "\u{fffd}A");
        assert_eq!(plain(r#""\ud83d\ud83d\ude00""#), "\u{fffd}😀");
    }

    #[test]
    fn it_agrees_with_serde_json() {
        for text in ["", "plain", "tab\tquote\"back\\slash", "ünïcödé 😀\u{1}\u{7f}"] {
            let raw = serde_json::to_string(text).expect("a string");
            assert_eq!(plain(&raw), text);
            assert!(equals(&raw, text));
            assert!(!equals(&raw, "something else"));
        }
    }

    #[test]
    fn equality_needs_the_whole_text() {
        assert!(equals(r#""strea\u006d""#, "stream"));
        assert!(!equals(r#""stream""#, "streams"));
        assert!(!equals(r#""streams""#, "stream"));
    }
}
