//! The request JSON as the caller gave it: checked, its reserved members lifted out, the rest untouched.

use std::ops::Deref;

use super::members::{Member, members, nests_within_limit};
use super::text::{equals, unescape};
use super::tier::Tier;
use crate::error::{Error, Result};
use crate::memory::SecretBuf;

/// The largest request JSON in bytes: 10 MiB, as in the existing SDKs.
pub(crate) const MAX_REQUEST_LEN: usize = 10 * 1024 * 1024;

/// Members that are not sent.
const RESERVED: [&str; 3] = ["security_tier", "api_key", "base_url"];

/// A chat request that can be sealed. Holds no copy of it.
pub(crate) struct Chat<'a> {
    json: &'a [u8],
    /// What is left without the reserved members, if there were any.
    rest: Option<Vec<Member<'a>>>,
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
        let text = std::str::from_utf8(json).map_err(|e| {
            Error::argument(format!("the request is not UTF-8 at byte {}; encode it as UTF-8", e.valid_up_to()))
        })?;
        if !nests_within_limit(json) {
            return Err(Error::argument("the request nests deeper than 128 levels; flatten it"));
        }
        let members = members(text).map_err(|e| not_an_object(text, &e))?;
        let mut chat = Chat { json, rest: None, tier: None, api_key: None };
        let mut kept = Vec::with_capacity(members.len());
        for member in &members {
            if !chat.lift(member)? {
                kept.push(*member);
            }
        }
        for name in RESERVED {
            if members.iter().filter(|member| member.is(name)).count() > 1 {
                return Err(Error::argument(format!("{name} is given twice in the request; give it once")));
            }
        }
        if kept.is_empty() {
            return Err(Error::argument("the request is an empty object; give it at least a model and messages"));
        }
        if kept.len() < members.len() {
            chat.rest = Some(kept);
        }
        Ok(chat)
    }

    /// The bytes to encrypt. Copies (into the vault) only if something was lifted out.
    pub(crate) fn payload(&self) -> Result<Payload<'a>> {
        match &self.rest {
            None => Ok(Payload::Whole(self.json)),
            Some(members) => rejoined(members).map(Payload::Rest),
        }
    }

    /// Takes a reserved member out (true), or leaves it to the payload (false).
    fn lift(&mut self, member: &Member<'_>) -> Result<bool> {
        let string = member.value.starts_with('"');
        let null = member.value == "null";
        if member.is("security_tier") {
            self.tier = match (string, null) {
                (true, _) => Some(Tier::parse_raw(member.value)?),
                (_, true) => None,
                _ => return Err(Error::argument("security_tier must be a string: standard, high or maximum")),
            };
        } else if member.is("api_key") {
            self.api_key = match (string, null) {
                (true, _) => Some(unescape(member.value, 0)?),
                (_, true) => None,
                _ => return Err(Error::argument("api_key in the request must be a string")),
            };
        } else if member.is("base_url") {
            if !null {
                return Err(Error::argument(
                    "base_url cannot change from request to request; make another client for that server",
                ));
            }
        } else {
            if member.is("stream") && member.value == "true" {
                return Err(Error::argument(
                    "stream: true is not possible with end-to-end encryption; leave it out and wait for the whole answer",
                ));
            }
            return Ok(false);
        }
        Ok(true)
    }
}

impl Tier {
    fn parse_raw(raw: &str) -> Result<Tier> {
        let all = [Tier::Standard, Tier::High, Tier::Maximum];
        all.into_iter().find(|tier| equals(raw, tier.name())).map_or_else(|| Tier::parse(""), Ok)
    }
}

/// The members as one object again, each byte for byte as it was.
fn rejoined(members: &[Member<'_>]) -> Result<SecretBuf> {
    let len: usize = members.iter().map(|m| m.key.len() + m.value.len() + 2).sum();
    let mut out = SecretBuf::with_capacity(len + 1)?;
    for (i, member) in members.iter().enumerate() {
        out.push(if i == 0 { b"{" } else { b"," });
        out.push(member.key.as_bytes());
        out.push(b":");
        out.push(member.value.as_bytes());
    }
    out.push(b"}");
    Ok(out)
}

/// Says where the JSON is broken, and none of its text: serde's own message may quote it.
fn not_an_object(text: &str, error: &serde_json::Error) -> Error {
    match text.trim_start().bytes().next() {
        None => Error::argument("the request is empty; give a JSON object with a model and messages"),
        Some(b'{') => Error::argument(format!(
            "the request is not valid JSON at line {}, column {}; correct it there",
            error.line(),
            error.column()
        )),
        Some(_) => Error::argument("the request is not a JSON object; give {\"model\": ..., \"messages\": [...]}"),
    }
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
        assert!(message.contains("line 2"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }

    #[test]
    fn ten_mebibytes_exactly_are_accepted() {
        let frame = "{\"a\":\"\"}".len();
        let json = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_REQUEST_LEN - frame));
        assert_eq!(read(&json).payload().expect("memory").len(), MAX_REQUEST_LEN);
    }
}
