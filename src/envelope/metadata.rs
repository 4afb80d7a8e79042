//! `_metadata` of an answer: what the server says of it, checked against the request, and what the client adds.

use std::ops::Range;

use super::members::{Member, last, members};
use super::package::ALGORITHM;
use super::text::{equals, unescape};
use super::tier::Tier;
use crate::error::{Error, Result, Status};
use crate::memory::SecretBuf;

/// Bytes that the merge can add to an answer, beside the payload id, the outer `processed_at` and what was there.
pub(super) const ADDED_LEN: usize = 192;

const NAME: &str = "_metadata";
const PAYLOAD_ID: &str = "payload_id";
const PROCESSED_AT: &str = "processed_at";
const IS_ENCRYPTED: &str = "is_encrypted";
const ENCRYPTION_ALGORITHM: &str = "encryption_algorithm";

/// What the request knows of its answer.
pub(crate) struct Expected<'a> {
    /// The id that the request was sent under: ASCII that needs no escaping.
    pub(crate) payload_id: &'a str,
    /// The tier that was asked for.
    pub(crate) tier: Option<Tier>,
}

/// Checks the answer in `answer` (a valid JSON object) against its request, and merges the client's four members
/// into its `_metadata`, in place: members that are there keep their position, new ones go to the end. Returns where
/// `_metadata` stands then.
pub(super) fn merge(
    answer: &mut SecretBuf,
    outer_processed_at: Option<&str>,
    expected: &Expected<'_>,
) -> Result<Range<usize>> {
    let text = std::str::from_utf8(answer).map_err(|_| Error::decryption_failed())?;
    let outer = members(text).map_err(|_| Error::decryption_failed())?;
    let mut found = outer.iter().filter(|member| member.is(NAME));
    let place = found.next();
    if found.next().is_some() {
        return Err(Error::decryption_failed());
    }
    let inner = match place {
        Some(member) if member.value.starts_with('{') => {
            members(member.value).map_err(|_| Error::decryption_failed())?
        }
        _ => Vec::new(),
    };
    check(&inner, expected)?;
    let merged = merged(&inner, outer_processed_at, expected.payload_id)?;
    let (range, name) = match place.map(|member| member.value_range(text)) {
        Some(range) => (range, ""),
        None => {
            let end = text.rfind('}').ok_or_else(Error::decryption_failed)?;
            (end..end, if outer.is_empty() { "\"_metadata\":" } else { ",\"_metadata\":" })
        }
    };
    answer.splice(range.start, range.end, &merged);
    answer.splice(range.start, range.start, name.as_bytes());
    let start = range.start + name.len();
    Ok(start..start + merged.len())
}

/// Ties the answer to its request: the id that it names, if any, and a tier no lower than the one asked for.
fn check(inner: &[Member<'_>], expected: &Expected<'_>) -> Result<()> {
    let of = |name| inner.iter().filter(move |member| member.is(name));
    if of(PAYLOAD_ID).any(|member| !(member.value.starts_with('"') && equals(member.value, expected.payload_id))) {
        return Err(Error::new(
            Status::Security,
            "answer to another request: the payload id inside the answer is not this request's; \
             do not use it, and check who sits between this client and the server",
        ));
    }
    let Some(asked) = expected.tier else { return Ok(()) };
    for member in of("security_tier") {
        let given = if member.value.starts_with('"') { Tier::known(&unescape(member.value, 0)?) } else { None };
        if given.is_none_or(|given| given < asked) {
            return Err(Error::new(
                Status::Security,
                format!(
                    "the server answered at a lower security tier than \"{}\", which was asked for; \
                     the answer is withheld, but the prompt has been processed",
                    asked.name()
                ),
            ));
        }
    }
    Ok(())
}

/// The merged object.
fn merged(inner: &[Member<'_>], outer_processed_at: Option<&str>, payload_id: &str) -> Result<SecretBuf> {
    let processed_at = outer_processed_at.or_else(|| last(inner, PROCESSED_AT)).unwrap_or("null");
    let mut ours = [
        (PAYLOAD_ID, "\"", payload_id, "\"", false),
        (PROCESSED_AT, "", processed_at, "", false),
        (IS_ENCRYPTED, "", "true", "", false),
        (ENCRYPTION_ALGORITHM, "\"", ALGORITHM, "\"", false),
    ];
    let kept: usize = inner.iter().map(|m| m.key.len() + m.value.len() + 2).sum();
    let mut out = SecretBuf::with_capacity(kept + processed_at.len() + payload_id.len() + ADDED_LEN)?;
    let mut separator = "{";
    for member in inner {
        match ours.iter_mut().find(|(name, ..)| member.is(name)) {
            None => {
                for part in [separator, member.key, ":", member.value] {
                    out.push(part.as_bytes());
                }
            }
            Some((.., true)) => continue,
            Some((_, open, value, close, written)) => {
                *written = true;
                for part in [separator, member.key, ":", open, value, close] {
                    out.push(part.as_bytes());
                }
            }
        }
        separator = ",";
    }
    for (name, open, value, close, _) in ours.iter().filter(|(.., written)| !written) {
        for part in [separator, "\"", name, "\":", open, value, close] {
            out.push(part.as_bytes());
        }
        separator = ",";
    }
    out.push(b"}");
    Ok(out)
}
