//! `_metadata` of an answer: what the server says of it, checked against the request, and what the client adds.

use std::ops::Range;

use super::package::ALGORITHM;
use super::tier::Tier;
use crate::error::{Error, Result, Status};
use crate::json::{self, LongStrings, equals, members, unescape};
use crate::memory::{SecretBuf, deliver_signals};

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

/// `_metadata` of an answer, after the merge.
pub(super) struct Merged {
    /// Where it stands in the answer.
    pub(super) place: Range<usize>,
    /// Whether the server had written the request's payload id into it.
    pub(super) names_request: bool,
    /// The long strings of the answer, without the ones in `_metadata`.
    pub(super) long: LongStrings,
}

/// Checks that `answer` is a JSON object and the answer to its request. Then merges the client's four members into its
/// `_metadata`, in place: members that are there keep their position, new ones go to the end.
pub(super) fn merge(
    answer: &mut SecretBuf,
    outer_processed_at: Option<&str>,
    expected: &Expected<'_>,
) -> Result<Merged> {
    let json = json::read(answer).map_err(|_| Error::decryption_failed())?;
    deliver_signals();
    let mut walk = json.walk();
    if !walk.enter_object() {
        return Err(Error::decryption_failed());
    }
    let (mut found, mut is_empty) = (None, true);
    while let Some(name) = walk.name() {
        is_empty = false;
        if equals(name, NAME) && found.replace(walk.span()).is_some() {
            return Err(Error::decryption_failed());
        }
    }
    // A value that is no object has no members, and the merged object replaces it.
    let inner = found.as_ref().map_or("", |span| json.value(span));
    let names_request = check(inner, expected)?;
    let merged = merged(inner, outer_processed_at, expected.payload_id)?;
    let (range, name) = match found {
        Some(range) => (range, ""),
        None => {
            let end = json.text().rfind('}').ok_or_else(Error::decryption_failed)?;
            (end..end, if is_empty { "\"_metadata\":" } else { ",\"_metadata\":" })
        }
    };
    let mut long = json.into_long_strings();
    answer.splice(range.start, range.end, &merged);
    answer.splice(range.start, range.start, name.as_bytes());
    long.spliced(range.start, range.end, name.len() + merged.len());
    let start = range.start + name.len();
    Ok(Merged { place: start..start + merged.len(), names_request, long })
}

/// Ties the answer to its request: the id that it names, if any, and a tier no lower than the requested one. Returns
/// whether it names one.
fn check(inner: &str, expected: &Expected<'_>) -> Result<bool> {
    let of = |wanted| members(inner).filter(move |(name, _)| equals(name, wanted)).map(|(_, value)| value);
    let mut names_request = false;
    for id in of(PAYLOAD_ID) {
        if !(id.starts_with('"') && equals(id, expected.payload_id)) {
            return Err(Error::new(
                Status::Security,
                "answer to another request: the payload id inside the answer is not this request's; \
                 do not use it, and check who sits between this client and the server",
            ));
        }
        names_request = true;
    }
    let Some(asked) = expected.tier else { return Ok(names_request) };
    for tier in of("security_tier") {
        let given = if tier.starts_with('"') { Tier::known(&unescape(tier, 0)?) } else { None };
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
    Ok(names_request)
}

/// The merged object. `inner` is the object that is there, or any other value.
fn merged(inner: &str, outer_processed_at: Option<&str>, payload_id: &str) -> Result<SecretBuf> {
    let last = || members(inner).filter(|(name, _)| equals(name, PROCESSED_AT)).last();
    let processed_at = outer_processed_at.or_else(|| Some(last()?.1)).unwrap_or("null");
    let mut ours = [
        (PAYLOAD_ID, "\"", payload_id, "\"", false),
        (PROCESSED_AT, "", processed_at, "", false),
        (IS_ENCRYPTED, "", "true", "", false),
        (ENCRYPTION_ALGORITHM, "\"", ALGORITHM, "\"", false),
    ];
    let mut out = SecretBuf::with_capacity(inner.len() + processed_at.len() + payload_id.len() + ADDED_LEN)?;
    let mut separator = "{";
    for (key, value) in members(inner) {
        match ours.iter_mut().find(|(name, ..)| equals(key, name)) {
            None => {
                for part in [separator, key, ":", value] {
                    out.push(part.as_bytes());
                }
            }
            Some((.., true)) => continue,
            Some((_, open, value, close, written)) => {
                *written = true;
                for part in [separator, key, ":", open, value, close] {
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
