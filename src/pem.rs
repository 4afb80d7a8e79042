//! PEM as editors, shells and secret stores leave it: which blocks a text holds, and what is in them.
//!
//! Lenient about layout, as OpenSSL is: a UTF-8 byte order mark, LF, CRLF or CR line ends, lines of any length, blanks and
//! blank lines, text around the blocks, a whole block on one line. Strict about content: the base64 alphabet, padding, the
//! unused last bits, equal labels at both ends (RFC 7468). Each refusal is half a sentence with what to do.

use base64ct::{Base64, Encoding};
use memchr::memmem;

use crate::error::Result;
use crate::memory::SecretBuf;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One block of a PEM text, not decoded yet.
pub(crate) struct Block<'a> {
    /// The word between BEGIN and the dashes.
    pub(crate) label: &'a [u8],
    /// The line in which the block begins; the first line is 1.
    line: usize,
    body: &'a [u8],
}

/// The blocks of `text` in their order, or why it is not PEM.
pub(crate) fn blocks(text: &[u8]) -> std::result::Result<Vec<Block<'_>>, String> {
    if let Some(why) = wrong_encoding(text) {
        return Err(why.to_owned());
    }
    let mut found = Vec::new();
    let (mut free, mut at) = (0, 0);
    let mut lines = Lines { text, at: 0, line: 1 };
    while let Some(begin) = position(text, at, BEGIN) {
        at = begin + BEGIN.len();
        if !opens_a_line(&text[free..begin]) {
            continue;
        }
        let line = lines.line_at(begin);
        let label = position(text, at, DASHES).map(|end| &text[at..end]);
        let label = label.filter(|label| label.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' '));
        let label =
            label.ok_or_else(|| format!("the BEGIN line in line {line} is not whole; restore it from a copy"))?;
        let body = at + label.len() + DASHES.len();
        let end = position(text, body, DASHES).filter(|end| text[*end..].starts_with(END));
        let end = end.ok_or_else(|| {
            format!("the block that begins in line {line} is not a whole PEM block, it has no END line; restore it from a copy")
        })?;
        let rest = text[end + END.len()..].strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES));
        let rest = rest.ok_or_else(|| {
            format!("the block that begins in line {line} ends with another label; restore it from a copy")
        })?;
        found.push(Block { label, line, body: &text[body..end] });
        free = text.len() - rest.len();
        at = free;
    }
    if found.is_empty() { Err(without_blocks(text).to_owned()) } else { Ok(found) }
}

impl Block<'_> {
    /// Whether the label is one of a private key, of whatever algorithm.
    pub(crate) fn is_private(&self) -> bool {
        self.label.ends_with(b"PRIVATE KEY")
    }

    /// Whether the block is encrypted in the form that OpenSSL wrote before PKCS#8 (RFC 1421 header lines).
    pub(crate) fn has_old_encryption(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"Proc-Type:")
    }

    /// The bytes in the block, in the vault; or why there are none.
    pub(crate) fn secret(&self) -> Result<std::result::Result<SecretBuf, String>> {
        let (mut text, mut bytes) = (SecretBuf::zeroed(self.body.len(), 0)?, SecretBuf::zeroed(self.body.len(), 0)?);
        Ok(self.decode(&mut text, &mut bytes).map(|len| {
            bytes.truncate(len);
            bytes
        }))
    }

    /// The bytes in a block that need not be secret; or why there are none.
    pub(crate) fn public(&self) -> std::result::Result<Vec<u8>, String> {
        let (mut text, mut bytes) = (vec![0; self.body.len()], vec![0; self.body.len()]);
        let len = self.decode(&mut text, &mut bytes)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Decodes into `bytes`, by way of `text`; both are as long as the body. Returns how many bytes there are.
    fn decode(&self, text: &mut [u8], bytes: &mut [u8]) -> std::result::Result<usize, String> {
        let mut len = 0;
        for &byte in self.body.iter().filter(|byte| !is_blank(**byte)) {
            text[len] = byte;
            len += 1;
        }
        let decoded = Base64::decode(&text[..len], bytes).map(<[u8]>::len);
        decoded.ok().filter(|len| *len > 0).ok_or_else(|| self.broken())
    }

    /// Why the body is not base64.
    fn broken(&self) -> String {
        let line = self.line;
        let foreign = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"+/=".contains(byte) || is_blank(*byte));
        match self.body.iter().position(foreign) {
            Some(at) if self.body[at..].starts_with(b"\\n") || self.body[at..].starts_with(b"\\r") => {
                LITERAL.to_owned()
            }
            Some(at) => {
                let bad = Lines { text: self.body, at: 0, line }.line_at(at);
                format!(
                    "line {bad} of it, in the block that begins in line {line}, is not base64; restore it from a copy"
                )
            }
            None => format!(
                "the base64 of the block that begins in line {line} is incomplete, or has bits too many; restore it from a \
                 copy"
            ),
        }
    }
}

const LITERAL: &str =
    "its line ends are written as a backslash and the letter n; put real line ends there, as printf '%b' does";

/// Why `text` is in an encoding that is not read.
fn wrong_encoding(text: &[u8]) -> Option<&'static str> {
    let is_utf16 = text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || [&b"-\0-\0-\0-\0"[..], b"\0-\0-\0-\0-"].iter().any(|dashes| text.starts_with(dashes));
    is_utf16.then_some("it is text in UTF-16; save it in UTF-8 or ASCII")
}

/// Why there is no block in `text`.
fn without_blocks(text: &[u8]) -> &'static str {
    if text.starts_with(&[0x30, 0x82]) {
        "it is DER and not PEM; convert it: openssl with -inform DER"
    } else if memmem::find(text, BEGIN).is_none() {
        "it is not PEM, it has no BEGIN line; give a PEM file"
    } else if memmem::find(text, b"\\n").is_some() {
        LITERAL
    } else {
        "it is not PEM, its BEGIN is not at the start of a line; remove what is before it in that line"
    }
}

/// Where `what` is found in `text` from `at` on.
fn position(text: &[u8], at: usize, what: &[u8]) -> Option<usize> {
    memmem::find(&text[at..], what).map(|found| at + found)
}

/// Whether there are only blanks between the last line end, or the last block, and what follows `before`.
fn opens_a_line(before: &[u8]) -> bool {
    let end = before.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    let before = &before[..end];
    matches!(before.strip_suffix(BYTE_ORDER_MARK).unwrap_or(before), [] | [.., b'\n' | b'\r'])
}

/// White space that may be anywhere in a body.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Counts the lines of a text, which end with LF, CRLF or CR.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line that `to` is in, which is not before what was asked for last.
    fn line_at(&mut self, to: usize) -> usize {
        for at in self.at..to {
            let is_end = match self.text[at] {
                b'\n' => true,
                b'\r' => self.text.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += usize::from(is_end);
        }
        self.at = to;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "TWFueSBoYW5k\ncyBtYWtlIGxp\nZ2h0IHdvcmsu";
    const BYTES: &[u8] = b"Many hands make light work.";

    fn block(body: &str) -> String {
        format!("-----BEGIN X-----\n{body}\n-----END X-----\n")
    }

    fn read(text: &str) -> std::result::Result<Vec<Vec<u8>>, String> {
        blocks(text.as_bytes())?.iter().map(Block::public).collect()
    }

    fn refused(text: &str) -> String {
        read(text).expect_err(text)
    }

    #[test]
    fn the_layout_does_not_matter() {
        let plain = block(BODY);
        let one_line = BODY.replace('\n', "");
        for text in [
            plain.clone(),
            plain.trim().to_owned(),
            plain.replace('\n', "\r\n"),
            plain.replace('\n', "\r"),
            plain.replace('\n', " \t\n"),
            plain.replace('\n', "\n \t"),
            plain.replace('\n', "\n\n"),
            plain.replace('\n', " "),
            format!("\u{feff}{plain}"),
            format!("a\r\u{feff} {plain}"),
            format!("{plain}\x1a"),
            format!("Bag Attributes\n    friendlyName: -----BEGIN \n{plain}# end -----END X-----\n"),
            block(&one_line),
            format!("-----BEGIN X-----{one_line}-----END X-----"),
        ] {
            assert_eq!(read(&text).expect(&text), [BYTES], "{text:?}");
        }
    }

    #[test]
    fn several_blocks_are_found_in_their_order_and_the_text_between_them_is_ignored() {
        let text =
            format!("{}text\n{} {}", block(BODY), block("AAAA").replace(['X'], "A B"), block("BBBB").replace('\n', ""));
        let found = blocks(text.as_bytes()).expect("three blocks");
        let about: Vec<_> = found.iter().map(|block| (block.label, block.line)).collect();
        assert_eq!(about, [(&b"X"[..], 1), (b"A B", 7), (b"X", 10)]);
        assert_eq!(&*found[0].secret().expect("memory").expect("base64"), BYTES);
        let glued = format!("{}{}", block("AAAA").replace('\n', ""), block("BBBB").replace('\n', " "));
        assert_eq!(read(&glued).expect("two blocks").len(), 2);
    }

    #[test]
    fn what_is_not_base64_is_refused_with_its_line() {
        assert!(refused(&block("AAAA\r\nAA*A")).contains("line 3"));
        assert!(refused(&block("AAAA\rAA-A")).contains("line 3"));
        assert!(refused(&block("AAAA\nAA_A")).contains("line 3"));
        assert!(refused(&format!("{}-----BEGIN Y-----\nÄ\n-----END Y-----", block("AAAA"))).contains("line 5"));
        for body in ["", "AAA", "AAAAA", "AA=A", "AA==AAAA", "A===", "====", "AAAA=", "AB==", "AAB="] {
            assert!(refused(&block(body)).contains("base64"), "{body}");
        }
        for good in ["AA==", "AAA=", "AAAA", "AQ==", "AAE="] {
            assert!(read(&block(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_block_that_is_not_whole_is_refused_with_its_line() {
        let whole = block(BODY);
        for len in 18..whole.len() - 2 {
            assert!(refused(&format!("\n{}", &whole[..len])).contains("line 2"), "{len}");
        }
        assert!(refused("-----BEGIN X").contains("line 1"));
        assert!(refused("-----BEGIN X\n-----\nAAAA\n-----END X\n-----").contains("line 1"));
        assert!(refused(&format!("-----BEGIN Y-----\nAAAA\n{whole}")).contains("line 1"));
        assert!(refused(&whole.replace("END X", "END Y")).contains("another label"));
        assert!(refused(&whole.replace("END X", "END")).contains("no END"));
    }

    #[test]
    fn a_text_without_blocks_is_refused_with_what_it_is() {
        let utf16 = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
            format!("{mark}{}", block(BODY)).encode_utf16().flat_map(order).collect()
        };
        let why = |text: &[u8]| blocks(text).err().expect("no PEM");
        for mark in ["", "\u{feff}"] {
            assert!(why(&utf16(u16::to_le_bytes, mark)).contains("UTF-16"));
            assert!(why(&utf16(u16::to_be_bytes, mark)).contains("UTF-16"));
        }
        assert!(why(b"").contains("not PEM"));
        assert!(why(b"<html>").contains("not PEM"));
        assert!(why(b"0\x82\x04\xa4").contains("DER"));
        assert!(refused(&format!("\"{}\"", block(BODY).replace('\n', "\\n"))).contains("backslash"));
        assert!(refused(&block(BODY).replace('\n', "\\n")).contains("backslash"));
        assert!(refused(&format!("# {}", block(BODY))).contains("start of a line"));
    }

    #[test]
    fn a_text_of_nothing_but_beginnings_takes_no_time() {
        let (start, many) = (std::time::Instant::now(), 100_000);
        assert!(blocks("-----BEGIN X-----\n".repeat(many).as_bytes()).is_err());
        assert!(blocks("x-----BEGIN ".repeat(many).as_bytes()).is_err());
        assert!(blocks(format!("x{}", "-----BEGIN    ".repeat(many)).as_bytes()).is_err());
        let found = block("AAAA").repeat(many);
        assert_eq!(blocks(found.as_bytes()).expect("blocks").len(), many);
        assert!(start.elapsed() < std::time::Duration::from_secs(10));
    }
}
