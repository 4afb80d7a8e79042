//! The request JSON as the caller gave it: checked, its reserved members lifted out, the rest untouched.

use std::ops::Deref;

use super::tier::Tier;
use crate::error::{Error, Result};
use crate::json::{self, Invalid, Json, equals, unescape};
use crate::memory::{SecretBuf, deliver_signals};

/// The largest request JSON in bytes: 10 MiB, as in the existing SDKs.
pub(crate) const MAX_REQUEST_LEN: usize = 10 * 1024 * 1024;

/// Members that are not sent.
const RESERVED: [&str; 3] = ["security_tier", "api_key", "base_url"];

/// A chat request that can be sealed. Holds no copy of it.
pub(crate) struct Chat<'a> {
    json: Json<'a>,
    /// Whether there is a reserved member.
    has_reserved: bool,
    /// The reserved member `security_tier`.
    pub(crate) tier: Option<Tier>,
    /// The reserved member `api_key`; empty when the caller wants none sent.
    pub(crate) api_key: Option<SecretBuf>,
}

/// The bytes to encrypt: the caller's own, or a copy without the reserved members, which is wiped after use.
pub(crate) enum Payload<'a> {
    Whole(&'a [u8]),
    Rest(SecretBuf),
}

impl Deref for Payload<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Payload::Whole(bytes) => bytes,
            Payload::Rest(bytes) => bytes,
        }
    }
}

impl<'a> Chat<'a> {
    /// Reads `json`, OpenAI-style, and borrows it.
    pub(crate) fn read(json: &'a [u8]) -> Result<Chat<'a>> {
        if json.len() > MAX_REQUEST_LEN {
            return Err(Error::argument(format!(
                "the request is {} bytes; at most {MAX_REQUEST_LEN} (10 MiB) can be sent: shorten the messages",
                json.len()
            )));
        }
        let json = read_object(json)?;
        deliver_signals();
        let (mut lifted, mut given, mut is_empty) = (Lifted::default(), [0; RESERVED.len()], true);
        for (name, value) in json.walk().members() {
            match reserved(name) {
                Some(which) => {
                    lifted.lift(RESERVED[which], value)?;
                    given[which] += 1;
                }
                None => {
                    if equals(name, "stream") && value == "true" {
                        return Err(Error::argument(
                            "stream: true is not possible with end-to-end encryption; leave it out and wait for the \
                             whole answer",
                        ));
                    }
                    is_empty = false;
                }
            }
        }
        if let Some(twice) = given.iter().position(|count| *count > 1) {
            return Err(Error::argument(format!("{} is given twice in the request; give it once", RESERVED[twice])));
        }
        if is_empty {
            return Err(Error::argument("the request is an empty object; give it at least a model and messages"));
        }
        let Lifted { tier, api_key } = lifted;
        Ok(Chat { json, has_reserved: given != [0; RESERVED.len()], tier, api_key })
    }

    /// The bytes to encrypt. Copies (into the vault) only if something was lifted out.
    pub(crate) fn payload(&self) -> Result<Payload<'a>> {
        if self.has_reserved {
            without_reserved(&self.json).map(Payload::Rest)
        } else {
            Ok(Payload::Whole(self.json.text().as_bytes()))
        }
    }
}

/// The options that were reserved members.
#[derive(Default)]
struct Lifted {
    tier: Option<Tier>,
    api_key: Option<SecretBuf>,
}

impl Lifted {
    /// Takes the reserved member `name` out.
    fn lift(&mut self, name: &str, value: &str) -> Result<()> {
        let string = value.starts_with('"');
        let null = value == "null";
        match name {
            "security_tier" => {
                self.tier = match (string, null) {
                    (true, _) => Some(Tier::parse_raw(value)?),
                    (_, true) => None,
                    _ => return Err(Error::argument("security_tier must be a string: standard, high or maximum")),
                };
            }
            "api_key" => {
                self.api_key = match (string, null) {
                    (true, _) => Some(unescape(value, 0)?),
                    (_, true) => None,
                    _ => return Err(Error::argument("api_key in the request must be a string")),
                };
            }
            _ => {
                if !null {
                    return Err(Error::argument(
                        "base_url cannot change from request to request; make another client for that server",
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The place of `name` in [`RESERVED`], if it is one of them.
fn reserved(name: &str) -> Option<usize> {
    RESERVED.iter().position(|reserved| equals(name, reserved))
}

impl Tier {
    fn parse_raw(raw: &str) -> Result<Tier> {
        let all = [Tier::Standard, Tier::High, Tier::Maximum];
        all.into_iter().find(|tier| equals(raw, tier.name())).map_or_else(|| Tier::parse(""), Ok)
    }
}

/// The object without its reserved members, the others byte for byte as they were. It is never longer than before.
fn without_reserved(object: &Json<'_>) -> Result<SecretBuf> {
    let mut out = SecretBuf::with_capacity(object.text().len())?;
    let mut separator = "{";
    for (name, value) in object.walk().members().filter(|(name, _)| reserved(name).is_none()) {
        for part in [separator, name, ":", value] {
            out.push(part.as_bytes());
        }
        separator = ",";
    }
    out.push(b"}");
    deliver_signals();
    Ok(out)
}

/// Checks that `text` is a JSON object. An error tells the place of a fault, and none of the text.
fn read_object(text: &[u8]) -> Result<Json<'_>> {
    let json = json::read(text).map_err(|invalid| match invalid {
        Invalid::Utf8(at) => Error::argument(format!("the request is not UTF-8 at byte {at}; encode it as UTF-8")),
        Invalid::TooDeep => Error::argument("the request nests deeper than 128 levels; flatten it"),
        Invalid::Syntax(at) => match first(text) {
            None => Error::argument("the request is empty; give a JSON object with a model and messages"),
            Some(b'{') => {
                let (line, column) = line_and_column(text, at);
                Error::argument(format!(
                    "the request is not valid JSON at line {line}, column {column}; correct it there"
                ))
            }
            Some(_) => not_an_object(),
        },
    })?;
    if first(text) == Some(b'{') { Ok(json) } else { Err(not_an_object()) }
}

fn not_an_object() -> Error {
    Error::argument("the request is not a JSON object; give {\"model\": ..., \"messages\": [...]}")
}

/// The first byte that is not white space.
fn first(text: &[u8]) -> Option<u8> {
    text.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// Line and column of the byte at `at`, both from 1. The column counts bytes.
fn line_and_column(text: &[u8], at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (1 + before.iter().filter(|byte| **byte == b'\n').count(), 1 + before.len() - start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Status;

    fn read(json: &str) -> Chat<'_> {
        Chat::read(json.as_bytes()).expect("a good request")
    }

    fn refused(json: &[u8]) -> String {
        let error = Chat::read(json).err().expect("a bad request");
        assert_eq!(error.status(), Status::Argument);
        error.message().to_owned()
    }

    #[test]
    fn without_reserved_members_the_callers_bytes_go_through_as_they_are() {
        let json = " {\"model\" : \"m\",\n \"x\":[1.0e5, \"\\u0041\"]} ";
        let chat = read(json);
        assert!(std::ptr::eq(&*chat.payload().expect("memory"), json.as_bytes()));
    }

    #[test]
    fn reserved_members_are_lifted_out_and_the_rest_is_kept_byte_for_byte() {
        let chat = read(r#"{"api_key":"k\u0031","model":"m", "security_tier":"high","x" : 1.50,"base_url":null}"#);
        assert_eq!(*chat.payload().expect("memory"), *br#"{"model":"m","x":1.50}"#);
        assert_eq!(chat.tier, Some(Tier::High));
        assert_eq!(chat.api_key.as_deref(), Some(&b"k1"[..]));
    }

    #[test]
    fn null_is_as_good_as_absent_for_the_options() {
        let chat = read(r#"{"api_key":null,"security_tier":null,"model":"m"}"#);
        assert!(chat.api_key.is_none() && chat.tier.is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_a_sentence() {
        assert!(refused(b"").contains("empty"));
        assert!(refused(b"[]").contains("not a JSON object"));
        assert!(refused(b"{}").contains("empty object"));
        assert!(refused(br#"{"api_key":"k"}"#).contains("empty object"));
        assert!(refused(b"{\"a\":\xff}").contains("byte 5"));
        assert!(refused(br#"{"model":"m","stream":true}"#).contains("stream"));
        assert!(refused(br#"{"model":"m","base_url":"https://x"}"#).contains("another client"));
        assert!(refused(br#"{"model":"m","security_tier":"High"}"#).contains("standard, high, maximum"));
        assert!(refused(br#"{"model":"m","security_tier":3}"#).contains("string"));
        assert!(refused(br#"{"model":"m","api_key":3}"#).contains("string"));
        assert!(refused(br#"{"security_tier":"maximum","model":"m","security\u005ftier":null}"#).contains("twice"));
        assert!(refused(format!("{{\"a\":{}", "[".repeat(200_000)).as_bytes()).contains("128"));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_REQUEST_LEN));
        assert!(refused(long.as_bytes()).contains("10485768 bytes"));
    }

    #[test]
    fn a_syntax_error_is_located_and_not_quoted() {
        let message = refused(b"{\"model\":\"m\",\n\"prompt\": hunter2}");
        assert!(message.contains("line 2, column 11;"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_request_may_have_any_number_of_members() {
        let json = format!("{{{}\"api_key\":\"k\",\"model\":\"m\"}}", "\"x\":0,".repeat(150_000));
        let rest = json.replace("\"api_key\":\"k\",", "");
        assert_eq!(*read(&json).payload().expect("memory"), *rest.as_bytes());
    }

    #[test]
    fn a_name_with_a_lone_surrogate_is_not_reserved_and_goes_through() {
        let json = r#"{"api_key\ud800":1,"\ud800":2,"\ud801":3,"model":"m"}"#;
        assert!(std::ptr::eq(&*read(json).payload().expect("memory"), json.as_bytes()));
    }

    #[test]
    fn ten_mebibytes_exactly_are_accepted() {
        let frame = "{\"a\":\"\"}".len();
        let json = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_REQUEST_LEN - frame));
        assert_eq!(read(&json).payload().expect("memory").len(), MAX_REQUEST_LEN);
    }
}
