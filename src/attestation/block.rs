//! Phase A: the JSON block becomes bytes and register values. Borrows from the answer; nothing of it is kept.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::check::Check;
use super::trail::{Step, Trail, failed};

/// The most bytes of a quote; a TPMS_ATTEST of a quote over four banks has less than 300.
const QUOTE_MAX: usize = 1024;
/// The most bytes of a signature and of a public area: those of an 8192-bit key.
const KEY_MAX: usize = 1100;
/// The most banks, and the most values in each.
const BANKS_MAX: usize = 4;
const VALUES_MAX: usize = 24;
/// The most characters of the selection's text: four banks with every register.
const BANKS_TEXT_MAX: usize = 512;

/// A block that says that there is a quote, decoded. Nothing in it has been believed yet.
pub(super) struct Block<'a> {
    pub(super) quote: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) aik: Vec<u8>,
    /// The selection, as a text.
    pub(super) banks_text: Cow<'a, str>,
    /// For each bank by its name, values in hex by the register's index.
    pub(super) values: Vec<(Cow<'a, str>, Values<'a>)>,
}

/// Register values of one bank: index and value, both as text.
pub(super) type Values<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// The members, as they stand in the text. Serde refuses one that is there twice.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    is_available: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pcr_banks: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pcr_values: Option<&'a RawValue>,
    #[serde(borrow, default)]
    quote_b64: Option<&'a RawValue>,
    #[serde(borrow, default)]
    signature_b64: Option<&'a RawValue>,
    #[serde(borrow, default)]
    aik_pubkey_b64: Option<&'a RawValue>,
}

/// What a block says of itself.
pub(super) enum Says<'a> {
    /// There is no quote.
    Unavailable,
    /// There is one.
    Quote(Block<'a>),
}

/// Reads the JSON text of a block.
pub(super) fn read<'a>(json: &'a str, trail: &mut Trail) -> Step<Says<'a>> {
    // Serde would take an array for the members in their order.
    let object = json.trim_start().starts_with('{');
    let Some(members) = serde_json::from_str::<Members<'a>>(json).ok().filter(|_| object) else {
        return failed(Check::FieldMissing, "the block is not a JSON object, or has a member twice");
    };
    match members.is_available.map(RawValue::get) {
        Some("true") => trail.ok(Check::Unavailable, ""),
        Some("false") => return Ok(Says::Unavailable),
        _ => return failed(Check::Unavailable, "is_available is neither true nor false"),
    }
    let quote = encoded(members.quote_b64, "quote_b64 is missing or not a string", QUOTE_MAX)?;
    let signature = encoded(members.signature_b64, "signature_b64 is missing or not a string", KEY_MAX)?;
    let aik = encoded(members.aik_pubkey_b64, "aik_pubkey_b64 is missing or not a string", KEY_MAX)?;
    let banks_text = text(members.pcr_banks, "pcr_banks is missing or not a string")?;
    let values = values(members.pcr_values)?;
    trail.ok(Check::FieldMissing, "");
    let block = Block {
        quote: decoded(&quote, "quote_b64 is not strict base64")?,
        signature: decoded(&signature, "signature_b64 is not strict base64")?,
        aik: decoded(&aik, "aik_pubkey_b64 is not strict base64")?,
        banks_text,
        values,
    };
    trail.ok(Check::Base64, "");
    let sizes = format!(
        "quote {} bytes, signature {}, public area {}",
        block.quote.len(),
        block.signature.len(),
        block.aik.len()
    );
    let small = block.quote.len() <= QUOTE_MAX
        && block.signature.len() <= KEY_MAX
        && block.aik.len() <= KEY_MAX
        && block.banks_text.len() <= BANKS_TEXT_MAX
        && block.values.len() <= BANKS_MAX
        && block.values.iter().all(|(_, values)| values.len() <= VALUES_MAX);
    if !small {
        return failed(Check::Oversize, "more than a quote needs");
    }
    trail.ok(Check::Oversize, sizes);
    Ok(Says::Quote(block))
}

/// A string that is base64 of at most `most` bytes; longer ones are not even copied.
fn encoded<'a>(value: Option<&'a RawValue>, otherwise: &'static str, most: usize) -> Step<Cow<'a, str>> {
    // Every character may be written as an escape of six.
    if value.is_some_and(|value| value.get().len() > 8 * most + 8) {
        return failed(Check::Oversize, "more than a quote needs");
    }
    text(value, otherwise)
}

fn decoded(text: &str, otherwise: &'static str) -> Step<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| failed(Check::Base64, otherwise))
}

fn text<'a>(value: Option<&'a RawValue>, otherwise: &'static str) -> Step<Cow<'a, str>> {
    value
        .and_then(|value| serde_json::from_str::<Text<'a>>(value.get()).ok())
        .map_or_else(|| failed(Check::FieldMissing, otherwise), |text| Ok(text.0))
}

fn values<'a>(value: Option<&'a RawValue>) -> Step<Vec<(Cow<'a, str>, Values<'a>)>> {
    let read = |value: &'a RawValue| {
        let banks: Pairs<'a, Pairs<'a, Text<'a>>> = serde_json::from_str(value.get()).ok()?;
        let of_bank = |values: Pairs<'a, Text<'a>>| values.0.into_iter().map(|(index, hex)| (index.0, hex.0)).collect();
        Some(banks.0.into_iter().map(|(bank, values)| (bank.0, of_bank(values))).collect())
    };
    value.and_then(read).map_or_else(
        || {
            failed(
                Check::FieldMissing,
                "pcr_values is missing, not objects of strings in an object, or has a name twice",
            )
        },
        Ok,
    )
}

/// A JSON string; borrowed when it has no escapes.
#[derive(Deserialize, PartialEq)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The members of an object, in order. One that is there twice is an error; of those beyond what a block may have, one
/// is kept, so that it is seen.
struct Pairs<'a, T>(Vec<(Text<'a>, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<'de, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Walk<T> {
            type Value = Pairs<'de, T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs: Vec<(Text<'de>, T)> = Vec::new();
                while pairs.len() <= VALUES_MAX
                    && let Some((name, value)) = map.next_entry::<Text<'de>, T>()?
                {
                    if pairs.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom("a name is there twice"));
                    }
                    pairs.push((name, value));
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(Walk(PhantomData))
    }
}
