//! One pass over a text: whether it is JSON (RFC 8259) in UTF-8 that nests within the limit, and the places of its long strings.

use super::long_strings::{LONG, LongString, LongStrings};

/// The deepest nesting that is accepted, in requests and in answers. The outermost object counts as one.
const MAX_DEPTH: usize = 128;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// It is not UTF-8 from this byte on.
    Utf8(usize),
    /// It nests deeper than 128 levels.
    TooDeep,
    /// It breaks the grammar at this byte.
    Syntax(usize),
}

/// Checks that `text` is one JSON value, and finds its long strings. [`Invalid::Utf8`] goes before the other faults.
pub(super) fn scan(text: &[u8]) -> Result<LongStrings, Invalid> {
    let mut scan = Scan { text, at: 0, open: 0, depth: 0, long: Vec::new() };
    match scan.document() {
        Ok(()) => Ok(LongStrings::new(scan.long)),
        Err(invalid) => Err(std::str::from_utf8(text).err().map_or(invalid, |e| Invalid::Utf8(e.valid_up_to()))),
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    /// A bit for each open bracket, the innermost in the lowest: 1 for an object, 0 for an array.
    open: u128,
    depth: usize,
    long: Vec<LongString>,
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), Invalid> {
        self.value()?;
        while self.depth > 0 {
            let in_object = self.open & 1 == 1;
            match self.next() {
                Some(b',') => {
                    self.at += 1;
                    if in_object {
                        self.name()?;
                    }
                    self.value()?;
                }
                Some(b'}') if in_object => self.close(),
                Some(b']') if !in_object => self.close(),
                _ => return Err(self.broken()),
            }
        }
        if self.next().is_none() { Ok(()) } else { Err(self.broken()) }
    }

    /// Reads a value up to its end, or up to the first scalar in it: the brackets that are open then are in `open`.
    fn value(&mut self) -> Result<(), Invalid> {
        loop {
            match self.next() {
                Some(b'"') => return self.string(),
                Some(b'{') => {
                    self.open(1)?;
                    if self.next() == Some(b'}') {
                        self.close();
                        return Ok(());
                    }
                    self.name()?;
                }
                Some(b'[') => {
                    self.open(0)?;
                    if self.next() == Some(b']') {
                        self.close();
                        return Ok(());
                    }
                }
                Some(b'-' | b'0'..=b'9') => return self.number(),
                Some(b't') => return self.literal(b"true"),
                Some(b'f') => return self.literal(b"false"),
                Some(b'n') => return self.literal(b"null"),
                _ => return Err(self.broken()),
            }
        }
    }

    fn open(&mut self, bit: u128) -> Result<(), Invalid> {
        self.at += 1;
        self.depth += 1;
        self.open = self.open << 1 | bit;
        if self.depth > MAX_DEPTH { Err(Invalid::TooDeep) } else { Ok(()) }
    }

    fn close(&mut self) {
        self.at += 1;
        self.depth -= 1;
        self.open >>= 1;
    }

    /// A member's name and the colon behind it.
    fn name(&mut self) -> Result<(), Invalid> {
        if self.next() != Some(b'"') {
            return Err(self.broken());
        }
        self.string()?;
        if self.next() != Some(b':') {
            return Err(self.broken());
        }
        self.at += 1;
        Ok(())
    }

    /// A string, from its opening quote.
    fn string(&mut self) -> Result<(), Invalid> {
        let (start, mut escapes, mut is_ascii) = (self.at, false, true);
        self.at += 1;
        loop {
            self.at += plain_len(self.text.get(self.at..).unwrap_or_default(), &mut is_ascii);
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(self.broken()),
            }
            escapes = true;
        }
        self.at += 1;
        let string = self.text.get(start..self.at).unwrap_or_default();
        if !is_ascii && std::str::from_utf8(string).is_err() {
            return Err(self.broken());
        }
        if string.len() >= LONG {
            self.long.push(LongString { start, len: string.len(), escapes });
        }
        Ok(())
    }

    fn escape(&mut self) -> Result<(), Invalid> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                for _ in 0..4 {
                    self.at += 1;
                    if !self.peek().is_some_and(|digit| digit.is_ascii_hexdigit()) {
                        return Err(self.broken());
                    }
                }
                self.at += 1;
            }
            _ => return Err(self.broken()),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Invalid> {
        self.at += usize::from(self.peek() == Some(b'-'));
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    /// At least one digit.
    fn digits(&mut self) -> Result<(), Invalid> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.broken()) }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Invalid> {
        for byte in word {
            if self.peek() != Some(*byte) {
                return Err(self.broken());
            }
            self.at += 1;
        }
        Ok(())
    }

    /// The next byte that is not white space.
    fn next(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.peek()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn broken(&self) -> Invalid {
        Invalid::Syntax(self.at)
    }
}

/// Bytes before the first quote, backslash or control character. `is_ascii` becomes false if one of them is not ASCII.
fn plain_len(text: &[u8], is_ascii: &mut bool) -> usize {
    /// Most strings are shorter.
    const SHORT: usize = 64;
    let mut len = plain_chunks::<16>(&text[..SHORT.min(text.len())], is_ascii);
    if len == SHORT {
        len += many_plain_chunks(&text[len..], is_ascii);
        len += plain_chunks::<16>(&text[len..], is_ascii);
    }
    for &byte in &text[len..] {
        if stops(byte) {
            break;
        }
        *is_ascii &= byte.is_ascii();
        len += 1;
    }
    len
}

fn many_plain_chunks(text: &[u8], is_ascii: &mut bool) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { plain_chunks_by_avx2(text, is_ascii) };
    }
    plain_chunks::<64>(text, is_ascii)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn plain_chunks_by_avx2(text: &[u8], is_ascii: &mut bool) -> usize {
    plain_chunks::<64>(text, is_ascii)
}

/// As [`plain_len`], for whole chunks: no branch depends on a single byte, so that the compiler uses vector instructions.
#[inline(always)]
fn plain_chunks<const N: usize>(text: &[u8], is_ascii: &mut bool) -> usize {
    let mut len = 0;
    for chunk in text.as_chunks::<N>().0 {
        let (mut stop, mut ascii) = (false, true);
        for &byte in chunk {
            stop |= stops(byte);
            ascii &= byte < 0x80;
        }
        if stop {
            break;
        }
        *is_ascii &= ascii;
        len += N;
    }
    len
}

#[inline(always)]
fn stops(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    /// serde_json decides the same way, except for its own limit of nesting, which `text` must not reach.
    fn agrees(text: &[u8]) {
        let ours = scan(text).is_ok();
        assert_eq!(ours, serde_json::from_slice::<&RawValue>(text).is_ok(), "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn it_agrees_with_serde_json_on_every_text_with_one_byte_changed_added_or_removed() {
        let whole =
            r#" {"a" : [1,-0.5e+3 ,{"b":"]\\\"\u00e9\/"},[ ],"é😀"],"c":{"d":{}},"e":"","f":true,"g":[false,null,0]} "#;
        agrees(whole.as_bytes());
        for at in 0..=whole.len() {
            agrees(&whole.as_bytes()[..at]);
            for byte in 0..=u8::MAX {
                let mut text = whole.as_bytes().to_vec();
                text.insert(at, byte);
                agrees(&text);
                if at < whole.len() {
                    text.remove(at + 1);
                    agrees(&text);
                    text.remove(at);
                    agrees(&text);
                }
            }
        }
    }

    #[test]
    fn it_agrees_with_serde_json_on_strings_of_every_length_with_any_byte_in_them() {
        for len in 0..200 {
            for odd in
                [b"\"", "\\".as_bytes(), b"\n", b"\\n", b"\x1f", b"\x7f", b"\x80", "é".as_bytes(), b"\xed\xa0\x80"]
            {
                for at in [0, len / 2, len] {
                    let mut text = vec![b'x'; len];
                    text.splice(at..at, odd.iter().copied());
                    agrees(&[b"\"", &text[..], b"\""].concat());
                }
            }
        }
    }

    #[test]
    fn it_agrees_with_serde_json_on_numbers() {
        for number in [
            "0", "-0", "01", "-", "1.", ".5", "1.5", "1e", "1e5", "1E+5", "1e-05", "--1", "+1", "1e999", "0x1", "1.e1",
            "00", "-01",
        ] {
            agrees(number.as_bytes());
            agrees(format!("[{number}]").as_bytes());
        }
    }

    #[test]
    fn nesting_is_limited_to_128_levels_outside_strings() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        let objects = |n: usize| format!("{}1{}", "{\"a\":".repeat(n), "}".repeat(n));
        for text in [nested(128), objects(128), format!("[\"\\\"{}\"]", "[".repeat(500))] {
            assert!(scan(text.as_bytes()).is_ok());
        }
        for text in [nested(129), objects(129), "[".repeat(100_000)] {
            assert_eq!(scan(text.as_bytes()).err(), Some(Invalid::TooDeep));
        }
        let mixed = format!("{}1{}", "[{\"a\":".repeat(60), "}]".repeat(60));
        assert!(scan(mixed.as_bytes()).is_ok());
        assert!(scan(mixed.replacen("}]", "]}", 1).as_bytes()).is_err());
    }

    #[test]
    fn a_fault_is_told_with_its_place_and_utf_8_first() {
        assert_eq!(scan(b"{\"a\":x}").err(), Some(Invalid::Syntax(5)));
        assert_eq!(scan(b"{x:\"\xff\"}").err(), Some(Invalid::Utf8(4)));
        assert_eq!(scan(b"{\"\xc3\xa9\":\"\xc3\"}").err(), Some(Invalid::Utf8(7)));
        assert_eq!(scan(b"").err(), Some(Invalid::Syntax(0)));
    }
}
