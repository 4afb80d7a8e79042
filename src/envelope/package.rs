//! The package as it stands on the wire (PROTOCOL.md, sections 1.3 to 1.5): JSON around base64, nothing secret in it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use base64::engine::general_purpose::PAD;
use base64::{Engine, encoded_len};

use crate::crypto::{NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::json::{self, Invalid, Json, Unfit, Walk, places};
use crate::memory::{WireBuf, deliver_signals, fork_gate};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Base64 = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Base64 = base64::engine::GeneralPurpose;

/// Standard alphabet, padding demanded and canonical, no white space (RFC 4648, section 4).
fn base64() -> &'static Base64 {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    static BASE64: LazyLock<Base64> = LazyLock::new(|| Base64::standard(PAD));
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    static BASE64: LazyLock<Base64> = LazyLock::new(|| Base64::new(&base64::alphabet::STANDARD, PAD));
    // Inside the gate. Otherwise a child that is forked during the first use would wait forever.
    fork_gate::pass(|| &*BASE64)
}

const HEAD: &str =
    "{\"version\":\"1.0\",\"algorithm\":\"hybrid-aes256-rsa4096\",\"encrypted_payload\":{\"ciphertext\":\"";
const END: &str = "\",\"key_algorithm\":\"RSA-OAEP-SHA256\",\"payload_algorithm\":\"AES-256-GCM\"}";
/// Room for everything behind the ciphertext but the wrapped key: names, punctuation, nonce and tag.
const REST_LEN: usize = 192;

/// The complaint about a member.
const MEMBER: &str = "a member is missing, given twice or of the wrong type";

pub(super) const VERSION: &str = "1.0";
pub(super) const ALGORITHM: &str = "hybrid-aes256-rsa4096";

/// A response package whose form is right; whether it decrypts is another question.
pub(super) struct Package<'a> {
    pub(super) wrapped_key: Vec<u8>,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) tag: [u8; TAG_LEN],
    /// Base64 of the ciphertext, and of the tag behind it in the JS form.
    pub(super) ciphertext: Cow<'a, str>,
    /// Bytes of the ciphertext without the tag.
    pub(super) ciphertext_len: usize,
    /// The JSON text of the outer `processed_at`.
    pub(super) processed_at: Option<&'a str>,
}

impl<'a> Package<'a> {
    /// Reads a response body; `modulus_len` is that of the pair that the request named.
    pub(super) fn read(body: &'a [u8], modulus_len: usize) -> Result<Package<'a>> {
        let json = json::read(body).map_err(|invalid| match invalid {
            Invalid::Utf8(_) => malformed("it is not UTF-8"),
            Invalid::Syntax(_) => malformed("it is not JSON"),
            Invalid::TooDeep => malformed("it nests deeper than 128 levels"),
        })?;
        deliver_signals();
        let names = ["version", "algorithm", "encrypted_payload", "encrypted_aes_key", "processed_at"];
        let [version, algorithm, payload, wrapped_key, processed_at] = of_object(json.walk(), names)?;
        let string = |place| string(&json, place);
        if string(version)? != VERSION {
            return Err(malformed("its version is not \"1.0\""));
        }
        if string(algorithm)? != ALGORITHM {
            return Err(malformed("its algorithm is not \"hybrid-aes256-rsa4096\""));
        }
        let payload = payload.ok_or_else(|| malformed(MEMBER))?;
        let [ciphertext, nonce, tag] = of_object(json.walk_at(&payload), ["ciphertext", "nonce", "tag"])?;
        let wrapped_key = decoded(&string(wrapped_key)?, "encrypted_aes_key is not standard base64")?;
        if wrapped_key.len() != modulus_len {
            return Err(malformed("encrypted_aes_key does not have the size of this client's key"));
        }
        let nonce = decoded(&string(nonce)?, "nonce is not standard base64")?
            .try_into()
            .map_err(|_| malformed("nonce is not 12 bytes"))?;
        let ciphertext = string(ciphertext)?;
        let (tag, ciphertext_len) = match tag {
            Some(_) => (decoded(&string(tag)?, "tag is not standard base64")?, decoded_len(&ciphertext)?),
            // Only the absence of the tag, not `null`, means the JS form.
            None => tail(&ciphertext)?,
        };
        let tag = tag.try_into().map_err(|_| malformed("tag is not 16 bytes"))?;
        let processed_at = processed_at.map(|place| json.value(&place)).filter(|value| *value != "null");
        if processed_at.is_some_and(|value| value.len() > 64 || value.starts_with(['{', '['])) {
            return Err(malformed("processed_at is neither a number nor a short text"));
        }
        deliver_signals();
        Ok(Package { wrapped_key, nonce, tag, ciphertext, ciphertext_len, processed_at })
    }

    /// Decodes the ciphertext into the first bytes of `out`; a tag that was behind it comes along.
    pub(super) fn decode_ciphertext(&self, out: &mut [u8]) -> Result<()> {
        base64()
            .decode_slice(self.ciphertext.as_bytes(), out)
            .map(|_| ())
            .map_err(|_| malformed("ciphertext is not standard base64"))
    }
}

/// The JS form: the tag is the last 16 bytes of the ciphertext. Returns it and how many bytes are before it.
fn tail(ciphertext: &str) -> Result<(Vec<u8>, usize)> {
    let short = || malformed("it has no tag, and its ciphertext is too short to end in one");
    let total = decoded_len(ciphertext)?;
    let before = total.checked_sub(TAG_LEN).ok_or_else(short)?;
    // The tag begins within this quantum of four characters, or the one before.
    let quantum = before / 3;
    let last = decoded(ciphertext.get(quantum * 4..).ok_or_else(short)?, "ciphertext is not standard base64")?;
    Ok((last[before - quantum * 3..].to_vec(), before))
}

/// How many bytes `base64` decodes to, if it is canonically padded.
fn decoded_len(base64: &str) -> Result<usize> {
    let padding = base64.bytes().rev().take(2).take_while(|&b| b == b'=').count();
    if !base64.len().is_multiple_of(4) {
        return Err(malformed("ciphertext is not standard base64"));
    }
    Ok(base64.len() / 4 * 3 - padding.min(base64.len() / 4 * 3))
}

fn decoded(text: &str, complaint: &'static str) -> Result<Vec<u8>> {
    base64().decode(text).map_err(|_| malformed(complaint))
}

/// The places of the members that are called `names`, of the object that `walk` is at.
fn of_object<const N: usize>(walk: Walk<'_>, names: [&str; N]) -> Result<[Option<Range<usize>>; N]> {
    places(walk, names).map_err(|unfit| match unfit {
        Unfit::NotAnObject => malformed("it is not a JSON object"),
        Unfit::Twice => malformed(MEMBER),
    })
}

/// A member that must be there, and a string.
fn string<'a>(json: &Json<'a>, place: Option<Range<usize>>) -> Result<Cow<'a, str>> {
    place.and_then(|place| json.plain(&place)).ok_or_else(|| malformed(MEMBER))
}

fn malformed(why: &str) -> Error {
    Error::new(
        Status::Protocol,
        format!("the answer is not an encrypted package: {why}; check that what gave it is a NOMYO endpoint"),
    )
}

/// A request package in the Python 0.2.9 form, compact. `seal_into` encrypts the payload into the slice it is given
/// and returns the tag: the ciphertext is made where its base64 will stand, so that nothing is held twice.
pub(super) fn write(
    payload_len: usize,
    nonce: &[u8; NONCE_LEN],
    wrapped_key: &[u8],
    seal_into: impl FnOnce(&mut [u8]) -> Result<[u8; TAG_LEN]>,
) -> Result<WireBuf> {
    let too_large = || Error::new(Status::Memory, "no memory for the request package; send less at once");
    let encoded = encoded_len(payload_len, true).ok_or_else(too_large)?;
    let mut body = WireBuf::to_fill(HEAD.len() + encoded + wrapped_key.len() * 4 / 3 + REST_LEN)?;
    body.push(HEAD.as_bytes());
    let area = body.append(encoded);
    deliver_signals();
    let tag = seal_into(&mut area[encoded - payload_len..])?;
    deliver_signals();
    encode_in_place(area, payload_len)?;
    for (text, value) in
        [("\",\"nonce\":\"", &nonce[..]), ("\",\"tag\":\"", &tag), ("\"},\"encrypted_aes_key\":\"", wrapped_key)]
    {
        body.push(text.as_bytes());
        body.push(base64().encode(value).as_bytes());
    }
    body.push(END.as_bytes());
    Ok(body)
}

/// Turns the last `len` bytes of `area`, which is as long as their base64, into that base64.
fn encode_in_place(area: &mut [u8], len: usize) -> Result<()> {
    const CHUNK: usize = 3 * 1024;
    /// Bytes of base64 between two deliveries of signals, a multiple of a chunk's: a megabyte takes milliseconds.
    const BETWEEN_SIGNALS: usize = 1 << 20;
    let mut chunk = [0; CHUNK];
    let (mut read, mut written) = (area.len() - len, 0);
    while read < area.len() {
        let taken = CHUNK.min(area.len() - read);
        chunk[..taken].copy_from_slice(&area[read..read + taken]);
        // What is written grows by a third of what is read, and began a third of the whole behind: it never overtakes.
        written += base64()
            .encode_slice(&chunk[..taken], &mut area[written..])
            .map_err(|_| Error::internal("base64 outgrew its place"))?;
        read += taken;
        if written % BETWEEN_SIGNALS == 0 {
            deliver_signals();
        }
    }
    Ok(())
}
