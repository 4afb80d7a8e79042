//! The package as it stands on the wire (PROTOCOL.md, sections 1.3 to 1.5): JSON around base64, nothing secret in it.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::engine::general_purpose::PAD;
use base64::{Engine, encoded_len};
use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use crate::crypto::{NONCE_LEN, TAG_LEN};
use crate::error::{Error, Result, Status};
use crate::memory::WireBuf;

/// Standard alphabet, padding demanded and canonical, no white space (RFC 4648, section 4).
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static BASE64: LazyLock<base64::engine::Simd> = LazyLock::new(|| base64::engine::Simd::standard(PAD));
/// Standard alphabet, padding demanded and canonical, no white space (RFC 4648, section 4).
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static BASE64: LazyLock<base64::engine::GeneralPurpose> =
    LazyLock::new(|| base64::engine::GeneralPurpose::new(&base64::alphabet::STANDARD, PAD));

const HEAD: &str =
    "{\"version\":\"1.0\",\"algorithm\":\"hybrid-aes256-rsa4096\",\"encrypted_payload\":{\"ciphertext\":\"";
const END: &str = "\",\"key_algorithm\":\"RSA-OAEP-SHA256\",\"payload_algorithm\":\"AES-256-GCM\"}";
/// Room for everything behind the ciphertext but the wrapped key: names, punctuation, nonce and tag.
const REST_LEN: usize = 192;

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

#[derive(Deserialize)]
struct Outer<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    encrypted_payload: &'a RawValue,
    #[serde(borrow)]
    encrypted_aes_key: Cow<'a, str>,
    #[serde(borrow, default)]
    processed_at: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow)]
    ciphertext: Cow<'a, str>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "present")]
    tag: Option<Cow<'a, str>>,
}

/// A member that is there must be a string: only its absence, not `null`, means the JS form.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Text::deserialize(deserializer).map(|text| Some(text.0))
}

impl<'a> Package<'a> {
    /// Reads a response body; `modulus_len` is that of the pair that the request named.
    pub(super) fn read(body: &'a [u8], modulus_len: usize) -> Result<Package<'a>> {
        let text = std::str::from_utf8(body).map_err(|_| malformed("it is not UTF-8"))?;
        let outer: Outer<'a> = object(text)?;
        if outer.version != VERSION {
            return Err(malformed("its version is not \"1.0\""));
        }
        if outer.algorithm != ALGORITHM {
            return Err(malformed("its algorithm is not \"hybrid-aes256-rsa4096\""));
        }
        let payload: Inner<'a> = object(outer.encrypted_payload.get())?;
        let wrapped_key = decoded(&outer.encrypted_aes_key, "encrypted_aes_key is not standard base64")?;
        if wrapped_key.len() != modulus_len {
            return Err(malformed("encrypted_aes_key does not have the size of this client's key"));
        }
        let nonce = decoded(&payload.nonce, "nonce is not standard base64")?
            .try_into()
            .map_err(|_| malformed("nonce is not 12 bytes"))?;
        let ciphertext = payload.ciphertext;
        let (tag, ciphertext_len) = match &payload.tag {
            Some(tag) => (decoded(tag, "tag is not standard base64")?, decoded_len(&ciphertext)?),
            None => tail(&ciphertext)?,
        };
        let tag = tag.try_into().map_err(|_| malformed("tag is not 16 bytes"))?;
        let processed_at = outer.processed_at.map(RawValue::get);
        if processed_at.is_some_and(|value| value.len() > 64 || value.starts_with(['{', '['])) {
            return Err(malformed("processed_at is neither a number nor a short text"));
        }
        Ok(Package { wrapped_key, nonce, tag, ciphertext, ciphertext_len, processed_at })
    }

    /// Decodes the ciphertext into the first bytes of `out`; a tag that was behind it comes along.
    pub(super) fn decode_ciphertext(&self, out: &mut [u8]) -> Result<()> {
        BASE64
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

fn decoded(base64: &str, complaint: &'static str) -> Result<Vec<u8>> {
    BASE64.decode(base64).map_err(|_| malformed(complaint))
}

/// Reads an object. The derived readers would take an array as well.
fn object<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    if !json.trim_ascii_start().starts_with('{') {
        return Err(malformed("it is not a JSON object"));
    }
    serde_json::from_str(json).map_err(|e| malformed(reason(&e)))
}

/// What is wrong with the JSON, without quoting any of it.
fn reason(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Data => "a member is missing, given twice or of the wrong type",
        _ => "it is not JSON",
    }
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
    let mut body = WireBuf::with_capacity(HEAD.len() + encoded + wrapped_key.len() * 4 / 3 + REST_LEN)?;
    body.push(HEAD.as_bytes());
    let area = body.append(encoded);
    let tag = seal_into(&mut area[encoded - payload_len..])?;
    encode_in_place(area, payload_len)?;
    for (text, value) in
        [("\",\"nonce\":\"", &nonce[..]), ("\",\"tag\":\"", &tag), ("\"},\"encrypted_aes_key\":\"", wrapped_key)]
    {
        body.push(text.as_bytes());
        body.push(BASE64.encode(value).as_bytes());
    }
    body.push(END.as_bytes());
    Ok(body)
}

/// Turns the last `len` bytes of `area`, which is as long as their base64, into that base64.
fn encode_in_place(area: &mut [u8], len: usize) -> Result<()> {
    const CHUNK: usize = 3 * 1024;
    let mut chunk = [0; CHUNK];
    let (mut read, mut written) = (area.len() - len, 0);
    while read < area.len() {
        let taken = CHUNK.min(area.len() - read);
        chunk[..taken].copy_from_slice(&area[read..read + taken]);
        // What is written grows by a third of what is read, and began a third of the whole behind: it never overtakes.
        written += BASE64
            .encode_slice(&chunk[..taken], &mut area[written..])
            .map_err(|_| Error::internal("base64 outgrew its place"))?;
        read += taken;
    }
    Ok(())
}
